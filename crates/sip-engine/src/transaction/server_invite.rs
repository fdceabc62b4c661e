//! The INVITE server transaction (RFC 3261 §17.2.1, as corrected by RFC 6026 §7.1).
//!
//! Absorbs repeats of one INVITE, and repeats its refusal until that is acknowledged. Repeating a 2xx
//! is the session's work (RFC 3261 §13.3.1.4).

use std::mem;
use std::time::{Duration, Instant};

use sip_syntax::Class;
use smallvec::smallvec;

use super::{Outputs, Reliability, Repeat};
use crate::timing::{T1, T1_64, T2, T4};

#[cfg(test)]
mod tests;

/// One INVITE of a peer, from its arrival until no repeat of it can still arrive.
#[derive(Debug)]
pub(crate) struct ServerInvite {
    state: State,
    reliability: Reliability,
}

/// What the transaction asks its owner to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// Put the last answer on the wire, for the first time or again.
    Send,
    /// Hand the ACK at hand to the session: it belongs to a 2xx.
    DeliverAck,
}

#[derive(Debug)]
enum State {
    /// Not finally answered. A provisional is said again each minute, so that no proxy on the way
    /// gives up (RFC 3261 §13.3.1.1).
    Proceeding {
        say_again: Option<Instant>,
    },
    /// A 2xx went out; repeats of the INVITE are absorbed until Timer L.
    Accepted {
        timer_l: Instant,
    },
    /// A 300-699 went out and waits for its ACK. Timer G only runs over unreliable transports.
    Completed {
        timer_g: Option<Repeat>,
        timer_h: Instant,
    },
    /// Acknowledged; repeats of the ACK are absorbed until Timer I.
    Confirmed {
        timer_i: Instant,
    },
    Terminated,
}

impl ServerInvite {
    pub(crate) fn new(reliability: Reliability) -> Self {
        ServerInvite { state: State::Proceeding { say_again: None }, reliability }
    }

    /// The same INVITE again.
    pub(crate) fn handle_repeat(&mut self) -> Outputs<Output> {
        match &self.state {
            State::Proceeding { .. } | State::Completed { .. } => smallvec![Output::Send],
            State::Accepted { .. } | State::Confirmed { .. } | State::Terminated => Outputs::new(),
        }
    }

    /// The session answers. Too late is no answer.
    pub(crate) fn respond(
        &mut self,
        now: Instant,
        class: Class,
        trying: Trying,
    ) -> Outputs<Output> {
        let (state, outputs) = match (self.take(), class) {
            (State::Proceeding { .. }, Class::Provisional) => {
                let say_again = match trying {
                    Trying::Only => None,
                    Trying::More => Some(now + SAY_AGAIN),
                };
                (State::Proceeding { say_again }, smallvec![Output::Send])
            }
            (State::Proceeding { .. }, Class::Success) => {
                (State::Accepted { timer_l: now + T1_64 }, smallvec![Output::Send])
            }
            (
                State::Proceeding { .. },
                Class::Redirect | Class::ClientError | Class::ServerError | Class::GlobalError,
            ) => {
                let timer_g = match self.reliability {
                    Reliability::Reliable => None,
                    Reliability::Unreliable => Some(Repeat::first(now, T1)),
                };
                (State::Completed { timer_g, timer_h: now + T1_64 }, smallvec![Output::Send])
            }
            (
                state @ (State::Accepted { .. }
                | State::Completed { .. }
                | State::Confirmed { .. }
                | State::Terminated),
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

    /// An ACK with this transaction's branch.
    pub(crate) fn handle_ack(&mut self, now: Instant) -> Outputs<Output> {
        let (state, outputs) = match self.take() {
            State::Completed { .. } => {
                let state = match self.reliability {
                    Reliability::Reliable => State::Terminated,
                    Reliability::Unreliable => State::Confirmed { timer_i: now + T4 },
                };
                (state, Outputs::new())
            }
            // A peer that reuses the INVITE's branch for the ACK of a 2xx.
            state @ State::Accepted { .. } => (state, smallvec![Output::DeliverAck]),
            state @ (State::Proceeding { .. } | State::Confirmed { .. } | State::Terminated) => {
                (state, Outputs::new())
            }
        };
        self.state = state;
        outputs
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Outputs<Output> {
        let (state, outputs) = match self.take() {
            State::Proceeding { say_again: Some(at) } if at <= now => {
                (State::Proceeding { say_again: Some(now + SAY_AGAIN) }, smallvec![Output::Send])
            }
            State::Accepted { timer_l } if timer_l <= now => (State::Terminated, Outputs::new()),
            // The refusal was never acknowledged: nobody is there to be told.
            State::Completed { timer_h, .. } if timer_h <= now => {
                (State::Terminated, Outputs::new())
            }
            State::Completed { timer_g: Some(timer_g), timer_h } if timer_g.at <= now => {
                let timer_g = Some(timer_g.next(now, T2));
                (State::Completed { timer_g, timer_h }, smallvec![Output::Send])
            }
            State::Confirmed { timer_i } if timer_i <= now => (State::Terminated, Outputs::new()),
            state @ (State::Proceeding { .. }
            | State::Accepted { .. }
            | State::Completed { .. }
            | State::Confirmed { .. }
            | State::Terminated) => (state, Outputs::new()),
        };
        self.state = state;
        outputs
    }

    /// When [`Self::handle_timeout`] next has work.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Proceeding { say_again } => *say_again,
            State::Accepted { timer_l } => Some(*timer_l),
            State::Completed { timer_g, timer_h } => {
                Some(timer_g.map_or(*timer_h, |timer_g| timer_g.at.min(*timer_h)))
            }
            State::Confirmed { timer_i } => Some(*timer_i),
            State::Terminated => None,
        }
    }

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

/// Whether a provisional is the 100 of this hop only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trying {
    Only,
    More,
}

/// Proxies give an INVITE three minutes between provisionals (Timer C); once a minute survives losses.
const SAY_AGAIN: Duration = Duration::from_secs(60);
