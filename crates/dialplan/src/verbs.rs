//! The one table of what a script can call on `call`: names, arguments, options, ranges, results.
//!
//! Option checking reads it, and so can whatever explains the verbs to people or to editors.

/// One method of `call`.
#[derive(Debug, Clone, Copy)]
pub struct VerbSpec {
    /// The method's name.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Positional arguments, in order, before the options.
    pub arguments: &'static [OptionSpec],
    /// Keys of the option table that follows the arguments; empty when it takes none.
    pub options: &'static [OptionSpec],
    /// Whether the option table may have keys of its own beside [`VerbSpec::options`].
    pub open: bool,
    /// What it gives back; empty for nothing.
    pub returns: &'static str,
    /// Whether the handler ends with it.
    pub ends: bool,
    /// Whether the script waits for the switch in it.
    pub waits: bool,
}

/// One argument or option.
#[derive(Debug, Clone, Copy)]
pub struct OptionSpec {
    /// Its name.
    pub name: &'static str,
    /// What may be given.
    pub kind: Kind,
    /// Whether it must be given.
    pub required: bool,
    /// What it means, in one sentence.
    pub doc: &'static str,
}

/// What an argument or option may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// `true` or `false`.
    Flag {
        /// When not given.
        default: bool,
    },
    /// A string without control characters.
    Text,
    /// A string or a number, for example an extension.
    Name,
    /// Seconds, perhaps with a fraction.
    Seconds {
        /// Least.
        min: f64,
        /// Most.
        max: f64,
        /// When not given.
        default: Option<f64>,
    },
    /// A whole number.
    Whole {
        /// Least.
        min: i64,
        /// Most.
        max: i64,
        /// When not given.
        default: Option<i64>,
    },
    /// A number.
    Number {
        /// Least.
        min: f64,
        /// Most.
        max: f64,
        /// When not given.
        default: f64,
    },
    /// A prompt name, `tone:...` or `silence:...`.
    Sound,
    /// One sound or a list of them.
    Sounds,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A key of the phone, or `false` for none.
    Key {
        /// When not given.
        default: Option<char>,
    },
    /// One pattern or a list of them.
    Patterns,
    /// Whom to ring: a target, a list to ring together, or a list of lists to ring in turn.
    Targets,
    /// A SIP or tel URI, `{uri=, q=}`, or a list of these.
    Redirects,
    /// A table from header name to value.
    Headers,
    /// `{user=, name=}`.
    Identity,
    /// A function.
    Function,
    /// Seconds, or a function to call.
    SecondsOrFunction,
    /// Sounds, or a function to call.
    SoundsOrFunction,
    /// A number or a string to be spoken.
    Spoken,
}

const fn required(name: &'static str, kind: Kind, doc: &'static str) -> OptionSpec {
    OptionSpec { name, kind, required: true, doc }
}

const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> OptionSpec {
    OptionSpec { name, kind, required: false, doc }
}

const fn seconds(min: f64, max: f64, default: Option<f64>) -> Kind {
    Kind::Seconds { min, max, default }
}

const BASE: VerbSpec = VerbSpec {
    name: "",
    summary: "",
    arguments: &[],
    options: &[],
    open: false,
    returns: "",
    ends: false,
    waits: true,
};

const BARGE: OptionSpec =
    optional("barge", Kind::Flag { default: false }, "Whether a digit stops it.");
const GAIN: OptionSpec = optional(
    "gain",
    Kind::Number { min: -60.0, max: 12.0, default: 0.0 },
    "Louder or softer, in decibels.",
);
const PROMPT: OptionSpec = optional("prompt", Kind::Sounds, "Heard first; a digit stops it.");
const BETWEEN: OptionSpec =
    optional("between", seconds(0.2, 60.0, Some(3.0)), "Silence allowed between two digits.");
const TERMINATOR: OptionSpec = optional(
    "terminator",
    Kind::Key { default: Some('#') },
    "The key that ends the input; `false` for none.",
);
const TRIES: OptionSpec = optional(
    "tries",
    Kind::Whole { min: 1, max: 10, default: Some(1) },
    "How often to ask in all.",
);
const PLAYED: &str = "{digit, interrupted, ms}";

/// Every method of `call`, by name in alphabetical order.
pub const VERBS: &[VerbSpec] = &[
    VerbSpec {
        name: "answer",
        summary: "Answers the call (200); does nothing when it is answered already.",
        ..BASE
    },
    VerbSpec { name: "busy", summary: "Refuses the call as busy (486).", ends: true, ..BASE },
    VerbSpec {
        name: "dial",
        summary: "Rings somebody and connects the first to answer.",
        arguments: &[required(
            "to",
            Kind::Targets,
            "A target (`ext/101`, `sip:user@host`), a list to ring together, a list of lists to \
             ring in turn; `{to=, delay=, timeout=}` for a target with times of its own.",
        )],
        options: &[
            optional("timeout", seconds(1.0, 3_600.0, Some(30.0)), "How long to ring."),
            optional("music", Kind::Sound, "What the caller hears instead of ringing."),
            optional("caller", Kind::Identity, "Who is shown as calling: `{user=, name=}`."),
        ],
        returns: "{status, code, reason, secs, to}",
        ..BASE
    },
    VerbSpec {
        name: "echo",
        summary: "Sends the caller's own sound back until `#` or hang-up.",
        ..BASE
    },
    VerbSpec {
        name: "go",
        summary: "Runs the route of another number, then comes back.",
        arguments: &[required("number", Kind::Name, "As if this had been dialled.")],
        returns: "true, or false and why (\"NONE\", \"INCOMPLETE\")",
        waits: false,
        ..BASE
    },
    VerbSpec {
        name: "hangup",
        summary: "Ends the call by the right means for its state.",
        arguments: &[optional(
            "cause",
            Kind::Word(&["normal", "busy", "congestion", "unallocated", "rejected"]),
            "What the other side is told.",
        )],
        ends: true,
        ..BASE
    },
    VerbSpec {
        name: "mailbox",
        summary: "Lets the caller listen to a mailbox, with its PIN.",
        arguments: &[optional("box", Kind::Name, "The mailbox; without it the caller is asked.")],
        returns: "\"DONE\", \"REFUSED\" or \"FAILED\"",
        ..BASE
    },
    VerbSpec {
        name: "menu",
        summary: "Asks for a choice and calls the function of the digits typed.",
        options: &[
            PROMPT,
            optional(
                "timeout",
                Kind::SecondsOrFunction,
                "Silence allowed after the prompt, in seconds; or the function to call when \
                 nothing was chosen.",
            ),
            BETWEEN,
            TERMINATOR,
            TRIES,
            optional(
                "invalid",
                Kind::SoundsOrFunction,
                "Heard after a wrong choice; or the function to call after the last wrong one.",
            ),
        ],
        open: true,
        returns: "the digits, or nil and why (\"timeout\", \"invalid\")",
        ..BASE
    },
    VerbSpec {
        name: "on_hangup",
        summary: "Calls a function with cause and code when the call is over.",
        arguments: &[required("function", Kind::Function, "Called with (cause, code).")],
        waits: false,
        ..BASE
    },
    VerbSpec {
        name: "play",
        summary: "Plays sounds one after the other, as early media when not answered.",
        arguments: &[required("sounds", Kind::Sounds, "What to play.")],
        options: &[
            optional("loop", Kind::Flag { default: false }, "Begin again at the end."),
            BARGE,
            optional("from", seconds(0.0, 86_400.0, Some(0.0)), "Start this far in."),
            GAIN,
        ],
        returns: PLAYED,
        ..BASE
    },
    VerbSpec { name: "progress", summary: "Opens early media (183).", ..BASE },
    VerbSpec {
        name: "queued",
        summary: "Tells the caller to wait (182), with music, and goes on.",
        options: &[
            optional("place", Kind::Whole { min: 1, max: 9_999, default: None }, "In the queue."),
            optional("music", Kind::Sound, "Heard while the script goes on, over and over."),
        ],
        ..BASE
    },
    VerbSpec {
        name: "read",
        summary: "Collects digits.",
        options: &[
            PROMPT,
            optional("max", Kind::Whole { min: 1, max: 64, default: None }, "Digits at most."),
            optional(
                "timeout",
                seconds(0.2, 300.0, Some(5.0)),
                "Silence allowed after the prompt before the first digit.",
            ),
            BETWEEN,
            TERMINATOR,
            TRIES,
            optional("match", Kind::Patterns, "What is accepted, as patterns."),
            optional("invalid", Kind::Sounds, "Heard before asking again."),
        ],
        returns: "the digits, or nil and why (\"timeout\", \"invalid\")",
        ..BASE
    },
    VerbSpec {
        name: "record",
        summary: "Records the caller.",
        options: &[
            optional("name", Kind::Text, "File name, without ending."),
            optional("max", seconds(1.0, 3_600.0, Some(120.0)), "Longest recording."),
            optional("silence", seconds(0.5, 60.0, None), "Stop after this much silence."),
            optional("beep", Kind::Flag { default: true }, "Whether a beep comes first."),
            TERMINATOR,
        ],
        returns: "{ms, path}",
        ..BASE
    },
    VerbSpec {
        name: "redirect",
        summary: "Sends the caller elsewhere (3xx).",
        arguments: &[required("to", Kind::Redirects, "One URI or several.")],
        options: &[optional(
            "code",
            Kind::Whole { min: 300, max: 380, default: Some(302) },
            "300, 301, 302, 305 or 380.",
        )],
        ends: true,
        ..BASE
    },
    VerbSpec {
        name: "reject",
        summary: "Refuses the call with a final 4xx, 5xx or 6xx.",
        arguments: &[
            required("code", Kind::Whole { min: 400, max: 699, default: None }, "SIP status."),
            optional("reason", Kind::Text, "Reason phrase."),
        ],
        options: &[optional("headers", Kind::Headers, "Extra headers.")],
        ends: true,
        ..BASE
    },
    VerbSpec { name: "ringing", summary: "Tells the caller that it rings (180).", ..BASE },
    VerbSpec {
        name: "say",
        summary: "Speaks a number, digits, letters, a date or a time.",
        arguments: &[required("what", Kind::Spoken, "What to say; times in Unix seconds.")],
        options: &[
            optional(
                "as",
                Kind::Word(&["number", "digits", "spell", "time", "date"]),
                "How to say it; numbers are said as numbers, strings digit by digit.",
            ),
            optional("lang", Kind::Text, "Language folder."),
            BARGE,
            GAIN,
        ],
        returns: PLAYED,
        ..BASE
    },
    VerbSpec {
        name: "sleep",
        summary: "Waits.",
        arguments: &[required("seconds", seconds(0.0, 86_400.0, None), "How long.")],
        ..BASE
    },
    VerbSpec {
        name: "voicemail",
        summary: "Takes a message for a mailbox.",
        arguments: &[required("box", Kind::Name, "The mailbox.")],
        options: &[optional(
            "reason",
            Kind::Word(&[
                "unavailable",
                "busy",
                "BUSY",
                "NOANSWER",
                "CHANUNAVAIL",
                "CONGESTION",
                "CANCEL",
                "ANSWERED",
            ]),
            "Why nobody answered, as a word or the status of a dial; chooses the greeting.",
        )],
        returns: "\"SUCCESS\", \"EMPTY\" or \"FAILED\"",
        ..BASE
    },
];

/// Plain values of `call`, with what they are.
pub const FIELDS: &[(&str, &str)] = &[
    ("account", "The account that authenticated, or nil."),
    ("from", "Who calls: `.user`, `.name`, `.host`."),
    ("headers", "Headers of the call by name, in any case; nil when absent."),
    ("id", "The call's name in logs and records."),
    ("source", "The address the call came from."),
    ("to", "Who was dialled: `.user`, `.name`, `.host`."),
    ("uri", "The request URI as it came."),
    ("vars", "An empty table for the script."),
];

/// Finds a method of `call`.
pub fn verb_spec(name: &str) -> Option<&'static VerbSpec> {
    VERBS.iter().find(|spec| spec.name == name)
}

/// The known name most like `wrong`, if one is close enough to have been meant.
pub(crate) fn nearest<'a>(
    wrong: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let lower = wrong.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= (name.len().max(wrong.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_its_options_have_names_and_docs() {
        assert!(VERBS.is_sorted_by_key(|spec| spec.name));
        assert!(FIELDS.is_sorted());
        for spec in VERBS {
            assert!(spec.summary.ends_with('.'), "{}", spec.name);
            for option in spec.arguments.iter().chain(spec.options) {
                assert!(option.doc.ends_with('.'), "{}: {}", spec.name, option.name);
            }
        }
    }

    #[test]
    fn a_slip_of_the_finger_finds_its_name_and_nonsense_does_not() {
        let names = || VERBS.iter().map(|spec| spec.name);
        assert_eq!(nearest("awnser", names()), Some("answer"));
        assert_eq!(nearest("Dial", names()), Some("dial"));
        assert_eq!(nearest("conference", names()), None);
    }
}
