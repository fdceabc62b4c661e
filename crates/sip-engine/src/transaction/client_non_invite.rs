//! The client transaction of all other requests (RFC 3261 §17.1.2).
//!
//! Repeats one request until something answers, then absorbs repeats of the answer.

use std::mem;
use std::time::Instant;

use sip_syntax::Class;
use smallvec::smallvec;

use super::client_invite::Failed;
use super::{Outputs, Reliability, Repeat};
use crate::timing::{T1, T1_64, T2, T4};

#[cfg(test)]
mod tests;

/// One request on its way, from first send until no repeat of its answer can still arrive.
#[derive(Debug)]
pub(crate) struct ClientNonInvite {
    state: State,
    reliability: Reliability,
}

/// What the transaction asks its owner to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// Put the request on the wire.
    Send,
    /// Hand the response at hand up.
    Deliver,
    /// Nobody answered within Timer F: treat it as a 408.
    TimedOut,
}

#[derive(Debug)]
enum State {
    Trying {
        timer_e: Option<Repeat>,
        timer_f: Instant,
    },
    /// A provisional came, so repeats slow down to T2; Timer F goes on.
    Proceeding {
        timer_e: Option<Repeat>,
        timer_f: Instant,
    },
    /// Answered; repeats of the answer are absorbed until Timer K.
    Completed {
        timer_k: Instant,
    },
    Terminated,
}

impl ClientNonInvite {
    pub(crate) fn new(now: Instant, reliability: Reliability) -> (Self, Outputs<Output>) {
        let timer_e = match reliability {
            Reliability::Reliable => None,
            Reliability::Unreliable => Some(Repeat::first(now, T1)),
        };
        let state = State::Trying { timer_e, timer_f: now + T1_64 };
        (ClientNonInvite { state, reliability }, smallvec![Output::Send])
    }

    /// Takes a response already matched to this transaction.
    pub(crate) fn handle_response(&mut self, now: Instant, class: Class) -> Outputs<Output> {
        let (state, outputs) = match (self.take(), class) {
            (
                State::Trying { timer_e, timer_f } | State::Proceeding { timer_e, timer_f },
                Class::Provisional,
            ) => (State::Proceeding { timer_e, timer_f }, smallvec![Output::Deliver]),
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
                    Reliability::Unreliable => State::Completed { timer_k: now + T4 },
                };
                (state, smallvec![Output::Deliver])
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

    pub(crate) fn handle_flow_failed(&mut self) -> Failed {
        match &self.state {
            State::Trying { .. } | State::Proceeding { .. } => {
                self.state = State::Terminated;
                Failed::Unanswered
            }
            State::Completed { .. } | State::Terminated => Failed::Answered,
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Outputs<Output> {
        let (state, outputs) = match self.take() {
            State::Trying { timer_f, .. } | State::Proceeding { timer_f, .. } if timer_f <= now => {
                (State::Terminated, smallvec![Output::TimedOut])
            }
            State::Trying { timer_e: Some(timer_e), timer_f } if timer_e.at <= now => {
                let timer_e = Some(timer_e.next(now, T2));
                (State::Trying { timer_e, timer_f }, smallvec![Output::Send])
            }
            State::Proceeding { timer_e: Some(timer_e), timer_f } if timer_e.at <= now => {
                // RFC 3261 §17.1.2.2: once a provisional came, each gap is T2.
                let timer_e = Some(Repeat { gap: T2, ..timer_e }.next(now, T2));
                (State::Proceeding { timer_e, timer_f }, smallvec![Output::Send])
            }
            State::Completed { timer_k } if timer_k <= now => (State::Terminated, Outputs::new()),
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
            State::Trying { timer_e, timer_f } | State::Proceeding { timer_e, timer_f } => {
                Some(timer_e.map_or(*timer_f, |timer_e| timer_e.at.min(*timer_f)))
            }
            State::Completed { timer_k } => Some(*timer_k),
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
