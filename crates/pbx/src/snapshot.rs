//! How things stand at one moment, for whoever looks on.

use std::net::SocketAddr;
use std::time::Duration;

use crate::records::UnixMs;

/// How things stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// When this was.
    pub at: UnixMs,
    /// Calls under way, in all.
    pub call_count: usize,
    /// Calls under way, the oldest first, as many as were asked for.
    pub calls: Vec<CallNow>,
    /// Registered phones.
    pub registrations: usize,
    /// Sets of scripts in use, the oldest first; the last one is for new calls, the others for calls
    /// that began with them.
    pub generations: Vec<GenerationNow>,
    /// Whether new calls are refused because the exchange is about to stop.
    pub stopping: bool,
}

/// A call under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallNow {
    /// Its id, as in the log.
    pub id: String,
    /// Who calls.
    pub from: String,
    /// The number that was dialled.
    pub to: String,
    /// Where the caller is.
    pub source: SocketAddr,
    /// When it began.
    pub since: UnixMs,
    /// How long it took to be answered, if it was.
    pub answered_after: Option<Duration>,
    /// What it is doing.
    pub state: CallState,
    /// Which set of scripts it follows.
    pub generation: u64,
    /// Whom it rings for its caller, and for how long, or with whom its caller speaks, as the script
    /// wrote them: `ext/101, ext/102 for 20 s`. Three of them at most, the others are counted; without
    /// passwords; empty while it does neither.
    pub about: String,
    /// What its script waits for, and where; several things where functions run beside each other.
    pub waits_for: Vec<dialplan::Asked>,
}

/// What a call is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallState {
    /// The caller hears a sound or a menu, or speaks to voicemail.
    WithScript,
    /// Somebody is being rung for the caller.
    Ringing,
    /// The caller speaks with somebody.
    Talking,
    /// One party had the other connected elsewhere, and what comes of it is not known.
    Transferring,
    /// The caller is gone; what must be kept is still being kept.
    Ending,
}

impl CallState {
    /// In one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WithScript => "script",
            Self::Ringing => "ringing",
            Self::Talking => "talking",
            Self::Transferring => "transfer",
            Self::Ending => "ending",
        }
    }
}

/// A set of scripts in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerationNow {
    /// Counts the sets so far, from 1 at the start.
    pub number: u64,
    /// When it was taken into use.
    pub loaded_at: UnixMs,
    /// How many routes it has.
    pub routes: usize,
    /// Calls that follow it.
    pub calls: usize,
}
