//! The server transaction of all other requests (RFC 3261 §17.2.2, RFC 4320).
//!
//! Answers one request once, and its repeats with the same bytes.

use std::mem;
use std::time::{Duration, Instant};

use sip_syntax::Class;
use smallvec::smallvec;

use super::{Outputs, Reliability};
use crate::timing::T1_64;

#[cfg(test)]
mod tests;

/// One request of a peer, from its arrival until no repeat of it can still arrive.
#[derive(Debug)]
pub(crate) struct ServerNonInvite {
    state: State,
    reliability: Reliability,
}

/// What the transaction asks its owner to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// Put the last answer on the wire, for the first time or again.
    Send,
    /// Say 100: the peer's Timer E has reached T2 (RFC 4320 §4.1).
    SayTrying,
}

#[derive(Debug)]
enum State {
    /// Nothing was said yet; `give_up` is when the peer stops waiting.
    Trying {
        say_trying: Option<Instant>,
        give_up: Instant,
    },
    Proceeding {
        give_up: Instant,
    },
    /// Answered; repeats get the same until Timer J.
    Completed {
        timer_j: Instant,
    },
    Terminated,
}

impl ServerNonInvite {
    pub(crate) fn new(now: Instant, reliability: Reliability) -> Self {
        let say_trying = match reliability {
            Reliability::Reliable => None,
            Reliability::Unreliable => Some(now + SAY_TRYING),
        };
        let state = State::Trying { say_trying, give_up: now + T1_64 };
        ServerNonInvite { state, reliability }
    }

    /// The same request again.
    pub(crate) fn handle_repeat(&mut self) -> Outputs<Output> {
        match &self.state {
            State::Proceeding { .. } | State::Completed { .. } => smallvec![Output::Send],
            State::Trying { .. } | State::Terminated => Outputs::new(),
        }
    }

    /// The user answers. Too late is no answer: a 408 would be of no use (RFC 4320 §4.2).
    pub(crate) fn respond(&mut self, now: Instant, class: Class) -> Outputs<Output> {
        let (state, outputs) = match (self.take(), class) {
            (State::Trying { give_up, .. } | State::Proceeding { give_up }, Class::Provisional) => {
                (State::Proceeding { give_up }, smallvec![Output::Send])
            }
            (
                State::Trying { .. } | State::Proceeding { .. },
                Class::Success
                | Class::Redirect
                | Class::ClientError
                | Class::ServerError
                | Class::GlobalError,
            ) => {
                let state = match self.reliability {
                    Reliability::Reliable => State::Terminated,
                    Reliability::Unreliable => State::Completed { timer_j: now + T1_64 },
                };
                (state, smallvec![Output::Send])
            }
            (
                state @ (State::Completed { .. } | State::Terminated),
                Class::Provisional
                | Class::Success
                | Class::Redirect
                | Class::ClientError
                | Class::ServerError
                | Class::GlobalError,
            ) => (state, Outputs::new()),
        };
        self.state = state;
        outputs
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Outputs<Output> {
        let (state, outputs) = match self.take() {
            State::Trying { give_up, .. } | State::Proceeding { give_up } if give_up <= now => {
                (State::Terminated, Outputs::new())
            }
            State::Trying { say_trying: Some(at), give_up } if at <= now => {
                (State::Trying { say_trying: None, give_up }, smallvec![Output::SayTrying])
            }
            State::Completed { timer_j } if timer_j <= now => (State::Terminated, Outputs::new()),
            state @ (State::Trying { .. }
            | State::Proceeding { .. }
            | State::Completed { .. }
            | State::Terminated) => (state, Outputs::new()),
        };
        self.state = state;
        outputs
    }

    /// When [`Self::handle_timeout`] next has work.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Trying { say_trying, give_up } => Some(say_trying.unwrap_or(*give_up)),
            State::Proceeding { give_up } => Some(*give_up),
            State::Completed { timer_j } => Some(*timer_j),
            State::Terminated => None,
        }
    }

    pub(crate) fn is_terminated(&self) -> bool {
        matches!(self.state, State::Terminated)
    }

    fn take(&mut self) -> State {
        mem::replace(&mut self.state, State::Terminated)
    }
}

/// 0.5 + 1 + 2 s: when the peer's Timer E reaches T2, and not before (RFC 4320 §4.1).
const SAY_TRYING: Duration = Duration::from_millis(3_500);
