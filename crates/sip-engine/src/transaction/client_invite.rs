//! The INVITE client transaction (RFC 3261 §17.1.1, as corrected by RFC 6026 §7.2).
//!
//! Gets one INVITE across a lossy network and hands every answer up. It knows nothing of dialogs,
//! sockets or clocks: the caller passes `now` in and carries each [`Output`] away.

use std::mem;
use std::time::{Duration, Instant};

use sip_syntax::Class;
use smallvec::smallvec;

use super::{Outputs, Reliability, Repeat};
use crate::timing::{T1, T1_64};

#[cfg(test)]
mod tests;

/// One INVITE on its way, from first send until no repeat of its answer can still arrive.
#[derive(Debug)]
pub(crate) struct ClientInvite {
    state: State,
    reliability: Reliability,
}

/// What the transaction asks its owner to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// Put the INVITE on the wire.
    Send,
    /// Acknowledge the refusal at hand, along the INVITE's own path (RFC 3261 §17.1.1.3).
    Ack,
    /// Hand the response at hand to the session.
    Deliver,
    /// Nobody answered: treat it as a 408 (RFC 3261 §8.1.3.1).
    TimedOut,
}

/// Each state owns the timers that exist in it, so leaving a state is what cancels them.
#[derive(Debug)]
enum State {
    /// The INVITE is out and nothing came back. Timer A only runs over unreliable transports.
    Calling {
        timer_a: Option<Repeat>,
        timer_b: Instant,
    },
    /// A provisional arrived; how long to let it ring is the dialplan's business, not ours, unless
    /// the owner says so.
    Proceeding {
        wait_until: Option<Instant>,
    },
    /// A 2xx went up; further 2xx, from other forks or repeated, go up until Timer M.
    Accepted {
        timer_m: Instant,
    },
    /// A 300-699 was acknowledged; its repeats are acknowledged again until Timer D.
    Completed {
        timer_d: Instant,
    },
    Terminated,
}

impl ClientInvite {
    pub(crate) fn new(now: Instant, reliability: Reliability) -> (Self, Outputs<Output>) {
        let timer_a = match reliability {
            Reliability::Reliable => None,
            Reliability::Unreliable => Some(Repeat::first(now, T1)),
        };
        let state = State::Calling { timer_a, timer_b: now + T1_64 };
        (ClientInvite { state, reliability }, smallvec![Output::Send])
    }

    /// Takes a response already matched to this transaction (RFC 3261 §17.1.3).
    pub(crate) fn handle_response(&mut self, now: Instant, class: Class) -> Outputs<Output> {
        let (state, outputs) = match (self.take(), class) {
            (State::Calling { .. }, Class::Provisional) => {
                (State::Proceeding { wait_until: None }, smallvec![Output::Deliver])
            }
            (state @ State::Proceeding { .. }, Class::Provisional) => {
                (state, smallvec![Output::Deliver])
            }
            (State::Calling { .. } | State::Proceeding { .. }, Class::Success) => {
                (State::Accepted { timer_m: now + T1_64 }, smallvec![Output::Deliver])
            }
            (
                State::Calling { .. } | State::Proceeding { .. },
                Class::Redirect | Class::ClientError | Class::ServerError | Class::GlobalError,
            ) => {
                let state = match self.reliability {
                    Reliability::Reliable => State::Terminated,
                    Reliability::Unreliable => State::Completed { timer_d: now + TIMER_D },
                };
                (state, smallvec![Output::Ack, Output::Deliver])
            }
            (state @ State::Accepted { .. }, Class::Success) => (state, smallvec![Output::Deliver]),
            (
                state @ State::Completed { .. },
                Class::Redirect | Class::ClientError | Class::ServerError | Class::GlobalError,
            ) => (state, smallvec![Output::Ack]),
            // Late, or out of order: absorbed.
            (
                state @ (State::Accepted { .. } | State::Completed { .. } | State::Terminated),
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

    /// From now on a final answer is owed by `until`: a CANCEL went out (RFC 3261 §9.1), or nobody is
    /// there who could give up by hand.
    pub(crate) fn wait_until(&mut self, until: Instant) {
        if let State::Proceeding { wait_until } = &mut self.state {
            *wait_until = Some(wait_until.map_or(until, |at| at.min(until)));
        }
    }

    /// The flow broke. What waited for an answer ends; the owner tells the session.
    pub(crate) fn handle_flow_failed(&mut self) -> Failed {
        match &self.state {
            State::Calling { .. } | State::Proceeding { .. } => {
                self.state = State::Terminated;
                Failed::Unanswered
            }
            State::Accepted { .. } | State::Completed { .. } | State::Terminated => {
                Failed::Answered
            }
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Outputs<Output> {
        let (state, outputs) = match self.take() {
            State::Calling { timer_b, .. } if timer_b <= now => {
                (State::Terminated, smallvec![Output::TimedOut])
            }
            State::Calling { timer_a: Some(timer_a), timer_b } if timer_a.at <= now => {
                let timer_a = Some(timer_a.next(now, T1_64));
                (State::Calling { timer_a, timer_b }, smallvec![Output::Send])
            }
            State::Proceeding { wait_until: Some(until) } if until <= now => {
                (State::Terminated, smallvec![Output::TimedOut])
            }
            State::Accepted { timer_m } if timer_m <= now => (State::Terminated, Outputs::new()),
            State::Completed { timer_d } if timer_d <= now => (State::Terminated, Outputs::new()),
            state @ (State::Calling { .. }
            | State::Proceeding { .. }
            | State::Accepted { .. }
            | State::Completed { .. }
            | State::Terminated) => (state, Outputs::new()),
        };
        self.state = state;
        outputs
    }

    /// When [`Self::handle_timeout`] next has work; `None` while only a response can move us.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Calling { timer_a: Some(timer_a), timer_b } => Some(timer_a.at.min(*timer_b)),
            State::Calling { timer_a: None, timer_b } => Some(*timer_b),
            State::Proceeding { wait_until } => *wait_until,
            State::Accepted { timer_m } => Some(*timer_m),
            State::Completed { timer_d } => Some(*timer_d),
            State::Terminated => None,
        }
    }

    /// Whether any provisional came, which a CANCEL must wait for.
    pub(crate) fn is_proceeding(&self) -> bool {
        matches!(self.state, State::Proceeding { .. })
    }

    pub(crate) fn is_terminated(&self) -> bool {
        matches!(self.state, State::Terminated)
    }

    fn take(&mut self) -> State {
        mem::replace(&mut self.state, State::Terminated)
    }
}

/// What a broken flow found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failed {
    /// No final answer had come: the owner is owed a 503 (RFC 3261 §8.1.3.1).
    Unanswered,
    /// Only repeats were being waited for.
    Answered,
}

/// Timer D: how long an answer may be repeated to us over an unreliable transport.
const TIMER_D: Duration = T1_64;
