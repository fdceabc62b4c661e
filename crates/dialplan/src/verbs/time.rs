//! Rows of `time`.

use super::{Kind, Library, LibrarySpec, OptionSpec, Returns, ValueSpec, VerbSpec};

/// What time it is, and whether somebody is there.
pub const TIME: LibrarySpec = LibrarySpec {
    library: Library::Time,
    summary: "What time it is, and whether somebody is there.",
    doc: "All of it is in the time zone of the office, `time_zone` under `[office]` in the \
          configuration, and of the machine if that is left out. A test sets the time to whatever \
          it likes.",
    fields: &[
        ValueSpec::new("day", "integer", "The day of the month, 1 to 31."),
        ValueSpec::new("hour", "integer", "The hour, 0 to 23."),
        ValueSpec::new("minute", "integer", "The minute, 0 to 59."),
        ValueSpec::new("month", "integer", "The month, 1 to 12."),
        ValueSpec::new("second", "integer", "The second, 0 to 59."),
        ValueSpec::new(
            "weekday",
            r#""mon"|"tue"|"wed"|"thu"|"fri"|"sat"|"sun""#,
            "The day of the week, in three letters.",
        ),
        ValueSpec::new("year", "integer", "The year, with all its digits."),
    ],
    functions: &[
        VerbSpec {
            name: "date",
            summary: "Writes a time as text.",
            doc: "Without a format it writes `2026-11-23 14:05:09`. The format has the letters of \
                  C's strftime: `%Y` `%m` `%d` for the day, `%H` `%M` `%S` for the time, `%a` or \
                  `%A` for the day of the week. It may be 500 bytes long.\n\nWithout seconds it \
                  writes the time that it is now.",
            arguments: &[
                OptionSpec::optional("format", Kind::Text, "How to write it."),
                OptionSpec::optional(
                    "seconds",
                    Kind::Number { min: -62_135_596_800.0, max: 253_402_207_200.0, default: None },
                    "Which time, in Unix seconds; now if left out.",
                ),
            ],
            returns: Returns::Value(ValueSpec::new("text", "string", "The time as text.")),
            example: r#"route("600", function(call)
  local today = time.date("%m-%d")
  log.info("the echo test is used on", time.date("%A"))
  if today == "12-24" or today == "12-25" then
    call:play("main/thank-you")
  end
  call:echo()
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "now",
            summary: "Gives the time in seconds since 1970.",
            doc: "Unix seconds, with milliseconds behind the point. Subtract two of them to know \
                  how long something took; give one to `call:say` with `as = \"time\"` or \
                  `as = \"date\"` to have it spoken.",
            returns: Returns::Value(ValueSpec::new("seconds", "number", "Unix seconds.")),
            example: r#"route("123", function(call)
  call:answer()
  call:play("time/the-time-is")
  call:say(time.now(), { as = "time" })
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "open",
            summary: "Tells whether it is now within the given hours.",
            doc: "Hours are days and times: `mon-fri 08:30-12:00 13:00-17:30, sat 9-12`. Times \
                  belong to the days before them; days without times are open all day, times \
                  without days count every day. The first minute is within, the last is not, and \
                  `22:00-06:00` ends on the next day.\n\nWrong hours are told when the scripts \
                  load, if they are written out there.",
            arguments: &[OptionSpec::required("hours", Kind::Hours, "Days and times.")],
            returns: Returns::Value(ValueSpec::new("open", "boolean", "Whether it is now.")),
            example: r#"route("0", function(call)
  if not time.open("mon-fri 08:30-17:30, sat 9-12") then
    call:voicemail("100")
    return
  end
  call:dial("ext/100", { timeout = 30 })
end)
"#,
            ..FUNCTION
        },
    ],
};

const FUNCTION: VerbSpec = VerbSpec { library: Library::Time, ..VerbSpec::FUNCTION };
