//! Rows of what has no library.

use super::{Kind, Library, LibrarySpec, OptionSpec, OptionsAt, Returns, ValueSpec, VerbSpec};

/// What a script finds by its name alone.
pub const GLOBAL: LibrarySpec = LibrarySpec {
    library: Library::Global,
    summary: "What a script finds by its name alone.",
    doc: "Besides these there is Lua 5.4 itself: its basic functions and the libraries `string`, \
          `table`, `math` and `utf8`. There is no `io`, `os`, `debug`, `load` or `coroutine`: a \
          script reaches nothing but the call.\n\nGlobals that a script sets while it loads are \
          seen by every call. What a call sets is seen by that call alone.",
    fields: &[],
    functions: &[
        VerbSpec {
            name: "log",
            summary: "Logs a line, as `log.info` does.",
            doc: "Values are written one after the other with a space between them.",
            arguments: &[WORDS],
            example: r#"route("600", function(call)
  log("an echo test by", call.account)
  call:echo()
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "print",
            summary: "Logs a line, as `log.info` does.",
            doc: "There for those whose fingers know it. What is printed goes to the log of the \
                  exchange, with the line of the script that printed it.",
            arguments: &[WORDS],
            example: r#"route("600", function(call)
  print("an echo test by", call.account)
  call:echo()
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "require",
            summary: "Brings in another file of the scripts folder.",
            doc: "`require \"lib.hours\"` runs `scripts/lib/hours.lua` the first time and gives \
                  back what that file returned, or true; later it gives the same value again. \
                  Nothing outside of the scripts folder is reached. Two files that require each \
                  other are an error.",
            arguments: &[OptionSpec::required(
                "name",
                Kind::Module,
                "The file, without `.lua`; a dot stands for a folder.",
            )],
            returns: Returns::Value(ValueSpec::new("module", "any", "What the file returned.")),
            example: r#"-- Every other file of a dialplan is brought in like this:
--   require "extensions"
--   local hours = require "lib.hours"
route("600", function(call)
  call:echo()
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "route",
            summary: "Says what happens when a number or a name is dialled.",
            doc: "The function is run for each call to a number that the pattern matches, with the \
                  call as its argument. When it returns, the call is hung up; if the last dial \
                  failed and nothing was answered, the caller is told why as the other side told \
                  it.\n\nIn a pattern `X` stands for any digit, `Z` for 1 to 9, `N` for 2 to 9, \
                  `[13-5]` for one of these, `.` at the end for one or more of anything, `!` at the \
                  end for none or more; digits, `*`, `#` and `+` stand for themselves. Whatever \
                  is not made of these alone is a name and matches exactly as written. The most \
                  exact pattern wins, wherever it stands: `123` goes before `12X`, and that before \
                  `1XX`. A number that nothing matches is refused with 404, one that could still \
                  become longer with 484.\n\nOnly callers who proved who they are, or whose address \
                  the configuration trusts, reach a route that is not `public`. Routes are added \
                  while the scripts load, not later.",
            arguments: &[
                OptionSpec::required("pattern", Kind::Pattern, "Which numbers, or which name."),
                OptionSpec::required("handler", Kind::Function, "What happens to such a call.")
                    .typed("fun(call: Call)"),
            ],
            options: &[OptionSpec::optional(
                "public",
                Kind::Flag { default: false },
                "Whether it is open to callers who proved nothing about themselves.",
            )],
            options_at: OptionsAt::BeforeLast,
            example: r#"route("1XX", function(call)
  call:dial("ext/" .. call.to.user, { timeout = 25 })
end)

route("info", { public = true }, function(call)
  call:answer()
  call:play("main/welcome")
end)
"#,
            ..FUNCTION
        },
    ],
};

const WORDS: OptionSpec = OptionSpec::optional("...", Kind::Anything, "What to write.");
const FUNCTION: VerbSpec = VerbSpec { library: Library::Global, ..VerbSpec::FUNCTION };
