//! The four transaction machines (RFC 3261 §17, with RFC 4320 and RFC 6026) and the keys they are
//! found by.
//!
//! A machine holds nothing but its state and that state's timers. It tells its owner in a few
//! [`Outputs`] what to do with the bytes, which the owner keeps.

pub(crate) mod client_invite;
pub(crate) mod client_non_invite;
pub(crate) mod key;
pub(crate) mod server_invite;
pub(crate) mod server_non_invite;

use std::time::{Duration, Instant};

use smallvec::SmallVec;

/// What one step asks of the owner, in this order.
pub(crate) type Outputs<T> = SmallVec<[T; 2]>;

/// A message to repeat: when next, and the gap to leave after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Repeat {
    pub(crate) at: Instant,
    pub(crate) gap: Duration,
}

impl Repeat {
    pub(crate) fn first(now: Instant, gap: Duration) -> Self {
        Repeat { at: now + gap, gap }
    }

    /// The repeat after this one, twice as far off, yet no further than `gap_max`.
    ///
    /// Counted from the deadline, so that repeats do not drift; unless that is past, so that a late
    /// wake-up sends one repeat and not a burst.
    pub(crate) fn next(self, now: Instant, gap_max: Duration) -> Self {
        let gap = (self.gap * 2).min(gap_max);
        let on_time = self.at + gap;
        Repeat { at: if on_time > now { on_time } else { now + gap }, gap }
    }
}

/// Whether lost messages are repeated by us or by the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reliability {
    Reliable,
    Unreliable,
}

impl From<crate::Transport> for Reliability {
    fn from(transport: crate::Transport) -> Self {
        if transport.is_reliable() { Reliability::Reliable } else { Reliability::Unreliable }
    }
}
