//! Runs a Lua script as a conversation of verbs and outcomes.
//!
//! [`Generation::load`] reads the scripts once; [`Generation::start`] begins a [`Script`] for one
//! call; [`Script::go_on`] runs it until it asks for a [`Verb`], and [`Script::resume`] takes the
//! [`Outcome`] back. A script may have several functions that run beside each other, and so several
//! asks at a time, each with an [`AskId`].
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

pub mod aside;
mod asking;
mod beside;
mod budget;
mod call_object;
mod call_view;
mod check;
mod coverage;
mod deed;
mod error;
mod event;
mod fibre;
mod fibres;
mod generation;
mod handler;
mod host;
mod json;
mod kept;
mod legs;
mod log;
mod memory;
mod options;
mod outcome;
mod outside;
mod pattern;
mod sandbox;
mod say;
mod schedule;
mod script;
mod shared;
mod shown;
mod sound;
mod speech;
mod strain;
mod syntax;
mod targets;
mod time;
mod typed;
mod verb;
mod verbs;
mod webhook;
mod work;

pub use budget::Limits;
pub use call_view::{CallView, Party};
pub use check::{Code, Finding, Project, Severity, check};
pub use coverage::{Branch, BranchKind, Coverage, LineCoverage, Watch};
pub use deed::{Asked, Deed, Done};
pub use error::{LoadError, ScriptError};
pub use event::{CallEvent, Side};
pub use fibre::AskId;
pub use generation::{
    Check, Generation, GenerationWatch, Loading, Match, Names, RouteId, RouteInfo, Sources,
};
pub use handler::Handler;
pub use kept::Kept;
pub use log::{LogLevel, LogLine, Remark};
pub use outcome::{DialStatus, MailboxStatus, Outcome, ReadEnd, VoicemailStatus};
pub use outside::{
    Answer, Changed, Fetch, FetchFault, Fetched, Query, SqlValue, SqlValues, Statement, Wants,
};
pub use pattern::{Fit, Pattern};
pub use say::{Spoken, say, say_prompts};
pub use schedule::ScheduleId;
pub use script::{AT_THE_END, Ending, Script, Step};
pub use shared::{Claimed, LockId, LockOwner, Shared, SharedLimits};
pub use speech::name_problem as speech_name_problem;
pub use strain::Strain;
pub use typed::{Typed, read_typed};
pub use verb::{
    Absence, Barge, Destination, Dial, HangupCause, Identity, Leg, Originate, Play, Read, Record,
    RedirectTarget, Repeat, Run, Sound, Speech, Target, Tone, Verb,
};
pub use verbs::{
    CALL, CHILD, CLASSES, ClassSpec, DB, FIELDS, GLOBAL, HTTP, JSON, Kind, LEG, LIBRARIES, LOG,
    LUA_GLOBALS, LUA_LIBRARIES, Library, LibrarySpec, OptionSpec, OptionsAt, PBX, Returns, SHARED,
    TIME, VERBS, ValueSpec, VerbSpec, function_spec, functions, globals, nearest, seconds,
    verb_spec,
};
pub use webhook::{WebMatch, WebRequest, WebResponse, WebhookId};
pub use work::Work;
