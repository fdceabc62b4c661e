//! What the switch answers to a [`Verb`](crate::Verb).

use std::time::Duration;

use crate::outside::{Answer, FetchFault, Fetched};
use crate::shared::LockId;
use crate::verb::Leg;

/// The result of a verb, given back to the script as values.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It happened; nothing to tell.
    Done,
    /// A playback ended.
    Played {
        /// The digit that stopped it.
        digit: Option<char>,
        /// How long the caller listened.
        heard: Duration,
    },
    /// Nothing was played, since a text could not be spoken.
    Unspoken(&'static str),
    /// Digits were collected, or not.
    Read {
        /// What was typed, without the terminator; may be empty.
        digits: String,
        /// Why collecting ended.
        ended: ReadEnd,
    },
    /// A recording ended.
    Recorded {
        /// Length of the recording.
        length: Duration,
        /// Where it is kept, as told to the script.
        path: String,
    },
    /// A dial ended: nobody answered, or the bridge is over.
    Dialed {
        /// Asterisk's word for it.
        status: DialStatus,
        /// Final SIP status of the best answer, 0 when there was none.
        code: u16,
        /// Reason phrase that came with it.
        reason: String,
        /// How long the two parties talked.
        talked: Duration,
        /// The target that answered, as it was written in the script; empty if none.
        answered_by: String,
    },
    /// Somebody answered a call of ours, or nobody did.
    Originated {
        /// Asterisk's word for it.
        status: DialStatus,
        /// Final SIP status of the best answer, 0 when there was none.
        code: u16,
        /// Reason phrase that came with it.
        reason: String,
        /// The target that answered, as it was written in the script; empty if none.
        answered_by: String,
        /// Who answered; `None` if nobody did, or if that call runs by itself.
        leg: Option<Leg>,
    },
    /// A call of ours was begun; nobody waits for what comes of it.
    Begun,
    /// A message was left, or not.
    Voicemail(VoicemailStatus),
    /// The caller left the mailbox menu.
    Mailbox(MailboxStatus),
    /// Another program answered, or not.
    Fetched(Result<Fetched, FetchFault>),
    /// The scripts' database did what was asked.
    Queried(Answer),
    /// A lock is held from now on, by this number; `None` if it did not become free in time.
    Locked(Option<LockId>),
    /// The verb could not be carried out; raised as a Lua error at its line.
    Fault(String),
}

/// Why reading digits ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadEnd {
    /// Enough digits, or the terminator.
    Complete,
    /// Nothing, or too little, was typed in time on the last try.
    Timeout,
    /// What was typed on the last try matched nothing acceptable.
    Invalid,
}

/// How a dial ended, in Asterisk's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialStatus {
    /// Somebody answered; the bridge is over and the caller is still there.
    Answered,
    /// Best answer was 486 or 600.
    Busy,
    /// Nobody answered in time.
    NoAnswer,
    /// The caller gave up.
    Cancel,
    /// A network or server fault.
    Congestion,
    /// Nobody registered, or no such destination.
    ChanUnavail,
}

/// How leaving a message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoicemailStatus {
    /// A message was kept.
    Success,
    /// Nothing was said.
    Empty,
    /// The mailbox is full, missing, or storage does not work.
    Failed,
}

/// How listening ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailboxStatus {
    /// The caller said good-bye.
    Done,
    /// The PIN was wrong too often.
    Refused,
    /// No such mailbox, or storage does not work.
    Failed,
}
