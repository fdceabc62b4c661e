//! Kinds of table that functions share: those that scripts write, and those that they are given.

use super::db::CHANGED;
use super::http::HTTP_ANSWER;
use super::shared::LOCK;
use super::{ClassSpec, ValueSpec};

/// Every kind of table that is not the result of one function alone.
pub const CLASSES: &[&ClassSpec] = &[
    &CHANGED,
    &HTTP_ANSWER,
    &LOCK,
    &ClassSpec {
        name: "Identity",
        doc: "Who is shown as calling.",
        fields: &[
            ValueSpec::new("name", "string?", "The name shown on a display."),
            ValueSpec::new("user", "(string|integer)?", "The number."),
        ],
    },
    &ClassSpec {
        name: "Party",
        doc: "Who calls, or who was dialled.",
        fields: &[
            ValueSpec::new("host", "string", "The host of the SIP address."),
            ValueSpec::new("name", "string", "The name shown on a display, perhaps empty."),
            ValueSpec::new("user", "string", "The number or name, perhaps empty."),
        ],
    },
    &ClassSpec {
        name: "Redirect",
        doc: "An address to which a caller is sent.",
        fields: &[
            ValueSpec::new("q", "number?", "Preference, 0 to 1."),
            ValueSpec::new("uri", "string", "A sip:, sips: or tel: URI."),
        ],
    },
    &ClassSpec {
        name: "Speech",
        doc: "A text to be spoken, where sounds are given; as `call:speak` does.",
        fields: &[
            ValueSpec::new("lang", "string?", "The language; that of the office unless given."),
            ValueSpec::new("speak", "string|number", "The text."),
            ValueSpec::new("voice", "string?", "Who speaks; as configured unless given."),
        ],
    },
    &ClassSpec {
        name: "Target",
        doc: "Somebody to ring, with times of its own.",
        fields: &[
            ValueSpec::new("delay", "number?", "Seconds after the others, 0 to 3600."),
            ValueSpec::new(
                "timeout",
                "number?",
                "Seconds to ring, 1 to 3600; as its list does unless given.",
            ),
            ValueSpec::new("to", "Destination", "Whom: `ext/101`, `sip:user@host`."),
        ],
    },
];
