//! The one table of what tests can call, for checking arguments, editors and the reference.
//!
//! It has the shape of the table of what scripts can call. Each example is a whole test file, run by a
//! test on the dialplan that ships.

mod generators;
mod global;
mod mailbox;
mod party;
mod t;

use dialplan::{ClassSpec, LibrarySpec, ValueSpec};

pub(crate) use generators::GEN;
pub(crate) use global::TEST_GLOBAL;
pub(crate) use mailbox::MAILBOX;
pub(crate) use party::PARTY;
pub(crate) use t::{HTTP_ANSWER, T};

/// Everything that tests have beside Lua, `time`, `json` and `log`, in the order in which it is
/// explained.
pub const TEST_LIBRARIES: &[&LibrarySpec] = &[&TEST_GLOBAL, &T, &PARTY, &MAILBOX, &GEN];

/// Every kind of table that tests are given.
pub const TEST_CLASSES: &[&ClassSpec] = &[&GENERATOR, &HEARD, &MESSAGE, &RECORD, &VOICE_MESSAGE];

/// What `gen` makes.
pub(crate) const GENERATOR: ClassSpec =
    ClassSpec { name: "generator", doc: "Makes values for `t:forall`.", fields: &[] };

/// Something heard, as `party:heard` gives it.
pub(crate) const HEARD: ClassSpec = ClassSpec {
    name: "Heard",
    doc: "Something that a party heard.",
    fields: &[
        ValueSpec::new("from", "number", "Since when, in seconds since the test began."),
        ValueSpec::new("to", "number?", "Until when; nil if it still does."),
        ValueSpec::new("what", "string", "What it was: `en/main/welcome`, `ringback`, `101`."),
    ],
};

/// A SIP message, as `party:messages` gives it.
pub(crate) const MESSAGE: ClassSpec = ClassSpec {
    name: "Message",
    doc: "A SIP message.",
    fields: &[
        ValueSpec::new("body", "string", "Its body; empty if it has none."),
        ValueSpec::new("headers", "table<string, string>", "Its headers, by name in any case."),
        ValueSpec::new("method", "string", "Its method; of a reply, that of the request."),
        ValueSpec::new("reason", "string?", "The words of a reply."),
        ValueSpec::new("sent", "boolean", "Whether the party sent it, rather than got it."),
        ValueSpec::new("status", "integer?", "The code of a reply; nil for a request."),
        ValueSpec::new("text", "string", "All of it, as it was on the wire."),
        ValueSpec::new("time", "number", "When, in seconds since the test began."),
        ValueSpec::new("uri", "string?", "The request URI; nil for a reply."),
    ],
};

/// A record of a call, as `t:record` gives it.
pub(crate) const RECORD: ClassSpec = ClassSpec {
    name: "Record",
    doc: "What is kept of a call.",
    fields: &[
        ValueSpec::new("account", "string?", "The account that called; nil for none."),
        ValueSpec::new("answered", "boolean", "Whether the caller was answered."),
        ValueSpec::new("by", "string?", "Who answered: an account or a URI."),
        ValueSpec::new("ending", "string", "How it ended, in words."),
        ValueSpec::new("from", "string", "Who called."),
        ValueSpec::new("seconds", "number", "How long it lasted, from the first message on."),
        ValueSpec::new("status", "integer", "The final status that the caller saw."),
        ValueSpec::new("talked", "number", "Seconds from the answer to the end; 0 without."),
        ValueSpec::new("to", "string", "The number that was dialled."),
    ],
};

/// A voice message, as `mailbox:messages` gives it.
pub(crate) const VOICE_MESSAGE: ClassSpec = ClassSpec {
    name: "VoiceMessage",
    doc: "A message in a mailbox.",
    fields: &[
        ValueSpec::new("from", "string", "Who left it."),
        ValueSpec::new("heard", "boolean", "Whether it was listened to."),
        ValueSpec::new("name", "string", "The display name of who left it; may be empty."),
        ValueSpec::new("seconds", "number", "Its length."),
    ],
};

#[cfg(test)]
mod tests;
