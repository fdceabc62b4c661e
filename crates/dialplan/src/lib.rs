//! Runs a Lua script as a conversation of verbs and outcomes.

mod call_view;
mod outcome;
mod verb;

pub use call_view::{CallView, Party};
pub use outcome::{DialStatus, MailboxStatus, Outcome, ReadEnd, VoicemailStatus};
pub use verb::{
    Absence, Barge, Destination, Dial, HangupCause, Identity, Play, Read, Record, RedirectTarget,
    Repeat, Sound, Target, Tone, Verb,
};
