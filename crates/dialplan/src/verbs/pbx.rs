//! Rows of `pbx`, and of the legs that it gives back.

use super::{
    ClassSpec, Kind, Library, LibrarySpec, OptionSpec, Returns, ValueSpec, VerbSpec, seconds,
};

/// The exchange itself.
pub const PBX: LibrarySpec = LibrarySpec {
    library: Library::Pbx,
    summary: "The exchange itself: calls that nobody asked for from outside.",
    doc: "What is called here is called for the script that asks, and counts among the calls of the \
          exchange as any other.",
    fields: &[],
    functions: &[VerbSpec {
        name: "originate",
        summary: "Calls somebody, for the caller of this script or for a call of its own.",
        doc: "Rings as `call:dial` does, and waits until somebody has answered or nobody did. \
              `status` tells which, in the words of a dial.\n\nWithout `run` and `number`, whoever \
              answers is kept for this script, and hears nothing until `call:bridge(leg)` joins \
              them to the caller. A leg that is not joined is hung up on by `leg:hangup()`, or when \
              the script ends. If nobody answers and the script gives the caller no other answer, \
              the caller is told why, as after a dial.\n\nWith `run`, a new call begins as soon as somebody answers. The \
              function gets it: `call.from` and `call.account` are who answered, `call.to` is who \
              was shown as calling, and every verb is about them. With `number`, that call runs the \
              route of the number instead. Such a call goes on whatever becomes of this script; \
              globals that this script has set are not seen in it.\n\nIf the script ends or is \
              cancelled while it still rings, the ringing stops. With `wait = false` it goes on: \
              the function comes back at once, its status is `RINGING`, and nobody is told if \
              nobody answers.\n\nUp to 16 calls may be under way for one script: ringing, kept, \
              or begun without waiting.",
        options: &[
            OptionSpec::required("to", Kind::Targets, "Whom to call, as for `call:dial`."),
            OptionSpec::optional(
                "timeout",
                seconds(1.0, 3_600.0, Some(30.0)),
                "How long to ring, each list of a list of lists.",
            ),
            OptionSpec::optional(
                "caller",
                Kind::Identity,
                "Who is shown as calling: `{user=, name=}`; the caller of this script unless said \
                 otherwise.",
            ),
            OptionSpec::optional("run", Kind::Function, "Run for whoever answers.")
                .typed("fun(call: Call)"),
            OptionSpec::optional(
                "number",
                Kind::Name,
                "The number whose route is run for whoever answers.",
            ),
            OptionSpec::optional(
                "wait",
                Kind::Flag { default: true },
                "Whether to wait until somebody answers; with `run` or `number` only.",
            ),
        ],
        returns: Returns::Table(&ClassSpec {
            name: "Leg",
            doc: "What came of calling somebody, and whoever answered.",
            fields: LEG_FIELDS,
        }),
        waits: true,
        example: r#"-- Finds somebody while the caller hears music, and then joins the two.
route("700", function(call)
  call:answer()
  local winner, leg = race {
    function() call:play("music/waltz", { loop = true }) end,
    function() return pbx.originate { to = { "ext/100", "ext/101" }, timeout = 20 } end,
  }
  if leg.status == "ANSWERED" then
    call:bridge(leg)
  else
    call:play("main/goodbye")
  end
end)

-- Calls extension 101 and, when that is answered, tells it the time.
route("701", function(call)
  pbx.originate {
    to = "ext/101",
    wait = false,
    run = function(reminder)
      reminder:say(time.now(), { as = "time" })
    end,
  }
end)
"#,
        ..FUNCTION
    }],
};

/// Who was called with `pbx.originate`.
pub const LEG: LibrarySpec = LibrarySpec {
    library: Library::Leg,
    summary: "What came of calling somebody, and whoever answered.",
    doc: "`pbx.originate` gives it back. It belongs to the script that asked for it, and whoever \
          answered is hung up on when that ends and nobody was joined to them.",
    fields: LEG_FIELDS,
    functions: &[VerbSpec {
        name: "hangup",
        summary: "Hangs up on whoever answered.",
        doc: "Does nothing where nobody answered, who has hung up already, or who was joined to the \
              caller.",
        library: Library::Leg,
        waits: true,
        example: r#"route("702", function(call)
  call:answer()
  local leg = pbx.originate { to = "ext/101" }
  if leg.status == "ANSWERED" then
    leg:hangup()
    call:play("main/thank-you")
  end
end)
"#,
        ..FUNCTION
    }],
};

const LEG_FIELDS: &[ValueSpec] = &[
    ValueSpec::new("code", "integer", "The SIP status of the best answer, or 0."),
    ValueSpec::new("reason", "string", "The words that came with that status."),
    ValueSpec::new(
        "status",
        r#""ANSWERED"|"BUSY"|"NOANSWER"|"CANCEL"|"CONGESTION"|"CHANUNAVAIL"|"RINGING""#,
        "What came of it, in one word; `RINGING` when nobody waited for it.",
    ),
    ValueSpec::new(
        "to",
        "string?",
        "The target that answered, as it was written; nil if nobody did.",
    ),
];

const FUNCTION: VerbSpec = VerbSpec { library: Library::Pbx, ..VerbSpec::FUNCTION };
