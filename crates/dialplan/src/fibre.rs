//! Functions of one script that run beside each other, and what they wait for.
//!
//! Each is a coroutine of its own. Only one runs at a time, and it runs until it waits, so that
//! scripts need no locks of their own.

use std::time::Duration;

use mlua::{Function, Table, Thread};

use crate::error::Place;
use crate::legs::Given;
use crate::outcome::Outcome;
use crate::strain::Heat;
use crate::verb::{Originate, Verb};
use crate::verbs::VerbSpec;

/// Names an ask of one script; never reused in it.
///
/// The outcome of an ask that was cancelled in the meantime is dropped, so late ones are harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub(crate) u64);

/// Names a fibre within its generation; never reused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FibreId(pub(crate) u64);

impl FibreId {
    /// The handler itself, in every script.
    pub(crate) const HANDLER: Self = Self(0);
}

/// A function that runs beside others.
pub(crate) struct Fibre {
    pub(crate) id: FibreId,
    /// Whose children end with it.
    pub(crate) parent: FibreId,
    pub(crate) thread: Thread,
    /// What the script holds of it; the handler has none.
    pub(crate) handle: Option<Table>,
    pub(crate) errors: Errors,
    pub(crate) state: FibreState,
    /// Its own while another runs.
    pub(crate) scratch: Scratch,
    /// Instructions left until its next verb.
    pub(crate) left: u64,
    /// Where they went, once many were used.
    pub(crate) heat: Option<Box<Heat>>,
}

/// What a fibre does.
#[derive(Debug)]
pub(crate) enum FibreState {
    /// Nothing of it ran yet.
    New,
    /// Nothing of it ran yet: this function, with these.
    NewEvent(Function, Vec<String>),
    /// Stopped between two instructions.
    Paused,
    /// It runs.
    Running,
    /// Waits for an outcome.
    Asking(AskId),
    /// Was told this, and goes on with it.
    Told(Outcome),
    /// Waits for other fibres.
    Joining(Joining),
    /// Goes on after waiting for other fibres. Tells which of them made it go on, from 1; 0 for none
    /// of them; -1 if it has to look again which have ended.
    Joined(i64),
    /// What it wanted cannot be; raised at its line.
    Refused(&'static str),
}

impl FibreState {
    /// Whether it can go on.
    pub(crate) fn is_ready(&self) -> bool {
        match self {
            Self::New
            | Self::NewEvent(..)
            | Self::Paused
            | Self::Told(_)
            | Self::Joined(_)
            | Self::Refused(_) => true,
            Self::Running | Self::Asking(_) | Self::Joining(_) => false,
        }
    }

    /// Whether the outcome of this ask is for it.
    pub(crate) fn waits_for(&self, ask: AskId) -> bool {
        match self {
            Self::Asking(own) => *own == ask,
            Self::Joining(joining) => joining.timer == Some(ask),
            Self::New
            | Self::NewEvent(..)
            | Self::Paused
            | Self::Running
            | Self::Told(_)
            | Self::Joined(_)
            | Self::Refused(_) => false,
        }
    }
}

/// What a fibre waits for that waits for others.
#[derive(Debug)]
pub(crate) struct Joining {
    pub(crate) until: Until,
    pub(crate) members: Vec<FibreId>,
    /// The ask that ends the waiting.
    pub(crate) timer: Option<AskId>,
}

/// When a fibre that waits for others goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// One has ended; it has no say over it.
    Ended,
    /// The first has ended; the others are cancelled.
    First,
    /// All have ended, or one failed; then the others are cancelled.
    All,
}

/// Who is told of a child's error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errors {
    /// The log, unless somebody waits.
    Logged,
    /// The fibre that began it, for sure.
    Awaited,
}

/// What a fibre wants when it stops of its own accord.
pub(crate) enum Want {
    Verb(Verb),
    Join {
        until: Until,
        members: Vec<FibreId>,
        /// Which member, from 1, has ended already in a way that ends the waiting; 0 if all have
        /// ended well.
        at_once: Option<i64>,
        /// How many members are known to have ended; with more, it looks again.
        ended: usize,
        timeout: Option<Duration>,
    },
    Cancel(FibreId),
    /// To call somebody, and what is to be run for whoever answers.
    Originate(Box<Originate>, Option<Given>),
}

/// A child that the fibre which runs has begun.
pub(crate) struct Birth {
    pub(crate) id: FibreId,
    pub(crate) thread: Thread,
    pub(crate) handle: Table,
    pub(crate) errors: Errors,
}

/// What our functions note of the fibre that runs.
#[derive(Default)]
pub(crate) struct Scratch {
    /// Routes inside each other.
    pub(crate) depth: u32,
    /// Where it took its last verb from the call.
    pub(crate) verb_at: Option<Place>,
    /// The last verb it asked for.
    pub(crate) asked: Option<&'static VerbSpec>,
    /// What it wants; it yields right after, unless its slice ends first.
    pub(crate) want: Option<Want>,
    /// The calls that led to its last error.
    pub(crate) trace: Vec<String>,
    /// The last verb that refused what it was given.
    pub(crate) blame: Option<Blame>,
}

/// A verb that refused what it was given.
#[derive(Debug)]
pub(crate) struct Blame {
    /// All that the script was told.
    pub(crate) text: String,
    /// What it had passed, as a log may show it.
    pub(crate) arguments: String,
}
