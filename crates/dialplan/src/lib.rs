//! Runs a Lua script as a conversation of verbs and outcomes.
//!
//! [`Generation::load`] reads the scripts once; [`Generation::start`] begins a [`Script`] for one
//! call; [`Script::resume`] runs it until it asks for a [`Verb`], and takes the [`Outcome`] back.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::wildcard_enum_match_arm
    )
)]

mod budget;
mod call_view;
mod error;
mod generation;
mod log;
mod outcome;
mod script;
mod verb;

pub use budget::Limits;
pub use call_view::{CallView, Party};
pub use error::{LoadError, ScriptError};
pub use generation::{Generation, Match, Names, RouteId, RouteInfo, Sources};
pub use log::{LogLevel, LogLine};
pub use outcome::{DialStatus, MailboxStatus, Outcome, ReadEnd, VoicemailStatus};
pub use script::{Ending, Script, Step};
pub use verb::{
    Absence, Barge, Destination, Dial, HangupCause, Identity, Play, Read, Record, RedirectTarget,
    Repeat, Sound, Target, Tone, Verb,
};
