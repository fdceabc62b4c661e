//! INVITE sessions: a call with one peer, from its INVITE until it is dead (RFC 3261 §12 to §15).
//!
//! The state stands here; what moves it, with the doors for users, stands in the modules below, each
//! an `impl` of [`Endpoint`](crate::Endpoint).

pub(crate) mod ack;
mod ending;
mod find;
mod reinvite;
mod request;
#[cfg(test)]
mod tests;
pub(crate) mod uac;
mod uas;

pub(crate) use uas::reason_of;

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::dialog::Dialog;
use crate::transaction::Repeat;
use crate::{Body, ClientCredentials, Flow};

/// One session. At rest it holds a dialog's values and nothing else.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) dialog: Dialog,
    pub(crate) state: State,
    pub(crate) credentials: Option<Box<ClientCredentials>>,
    pub(crate) due: Option<Instant>,
}

/// How far a session has come. What only one state needs, it holds.
#[derive(Debug)]
pub(crate) enum State {
    /// Our INVITE has no final answer yet.
    Calling(Box<Calling>),
    /// The peer's INVITE, this server transaction, has no final answer yet.
    Ringing { txn: u64 },
    /// A 2xx made the dialog.
    Confirmed(Confirmed),
    /// Our BYE is out.
    Ending,
}

#[derive(Debug)]
pub(crate) struct Calling {
    /// The client transaction of the INVITE, or of its latest try.
    pub(crate) txn: u64,
    /// To tags of the forks heard of.
    pub(crate) forks: Vec<Box<[u8]>>,
    pub(crate) cancel: Cancel,
}

/// Whether the user gave up.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cancel {
    No,
    /// A CANCEL may only go out once a provisional came (RFC 3261 §9.1).
    Waiting {
        reason: Option<String>,
    },
    Sent,
}

#[derive(Debug, Default)]
pub(crate) struct Confirmed {
    /// Our 2xx waits for its ACK.
    pub(crate) unacked: Option<Box<Unacked>>,
    /// The server transaction of a re-INVITE or UPDATE that waits for the user's answer.
    pub(crate) incoming: Option<u64>,
    /// A re-INVITE of ours.
    pub(crate) outgoing: Option<Box<Outgoing>>,
    /// The user hung up, but the peer may not hear BYE before it acknowledged (RFC 3261 §15).
    pub(crate) hangup: Option<Box<Hangup>>,
    /// A 2xx whose ACK the user may still give a body.
    pub(crate) late_ack: Option<Box<LateAck>>,
}

/// A 2xx to an INVITE, repeated until its ACK (RFC 3261 §13.3.1.4).
#[derive(Debug)]
pub(crate) struct Unacked {
    pub(crate) number: u32,
    pub(crate) flow: Flow,
    pub(crate) wire: Bytes,
    pub(crate) repeat: Repeat,
    pub(crate) until: Instant,
}

/// A re-INVITE of ours.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) body: Option<Body>,
    /// Tries made.
    pub(crate) tries: u8,
    pub(crate) progress: Progress,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Under way, as this client transaction.
    Sent { txn: u64 },
    /// After glare: to be tried at this time (RFC 3261 §14.1).
    Waiting { at: Instant },
}

#[derive(Debug)]
pub(crate) struct Hangup {
    pub(crate) reason: Option<String>,
}

/// What an ACK needs that is not in the dialog.
#[derive(Debug)]
pub(crate) struct LateAck {
    /// The client transaction of the INVITE.
    pub(crate) txn: u64,
    pub(crate) number: u32,
}

impl Session {
    /// When [`Endpoint::handle_timeout`](crate::Endpoint::handle_timeout) next has work here.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Confirmed(confirmed) => {
                let unacked = confirmed.unacked.as_ref();
                let unacked = unacked.map(|unacked| unacked.repeat.at.min(unacked.until));
                let retry = confirmed.outgoing.as_ref().and_then(|outgoing| outgoing.retry_at());
                match (unacked, retry) {
                    (Some(unacked), Some(retry)) => Some(unacked.min(retry)),
                    (one, other) => one.or(other),
                }
            }
            State::Calling(_) | State::Ringing { .. } | State::Ending => None,
        }
    }

    /// What is agreed on, if anything is.
    pub(crate) fn confirmed(&mut self) -> Option<&mut Confirmed> {
        match &mut self.state {
            State::Confirmed(confirmed) => Some(confirmed),
            State::Calling(_) | State::Ringing { .. } | State::Ending => None,
        }
    }

    pub(crate) fn is_calling(&self) -> bool {
        matches!(self.state, State::Calling(_))
    }

    pub(crate) fn is_ending(&self) -> bool {
        matches!(self.state, State::Ending)
    }

    /// Whether a request with this From tag is from a peer of this session.
    pub(crate) fn is_peer(&self, from_tag: &[u8]) -> bool {
        match &self.state {
            State::Calling(calling) => calling.forks.iter().any(|fork| fork.as_ref() == from_tag),
            State::Ringing { .. } | State::Confirmed(_) | State::Ending => {
                self.dialog.remote_tag() == from_tag
            }
        }
    }
}

impl Outgoing {
    fn retry_at(&self) -> Option<Instant> {
        match self.progress {
            Progress::Sent { .. } => None,
            Progress::Waiting { at } => Some(at),
        }
    }
}

/// Forks one INVITE may have. Provisionals of others are not handed up, and their 2xx not answered.
pub(crate) const FORKS_MAX: usize = 32;

/// Tries of one re-INVITE that meets nothing but glare.
pub(crate) const REINVITE_TRIES_MAX: u8 = 5;

/// The grain of the wait after glare (RFC 3261 §14.1).
pub(crate) const GLARE_GRAIN: Duration = Duration::from_millis(10);
