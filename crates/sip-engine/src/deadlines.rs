//! When each thing under way next wants to be woken.
//!
//! An ordered set with exact removal: the next deadline is at its front, whatever is called off leaves
//! it at once, and nothing is ever scanned.

use std::collections::BTreeSet;
use std::time::Instant;

/// What a deadline belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    Client(u64),
    Server(u64),
    Session(u64),
}

/// All deadlines of one endpoint.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    set: BTreeSet<(Instant, Due)>,
}

impl Deadlines {
    /// Moves the deadline of `due` from `old`, which the owner remembers, to `new`.
    pub(crate) fn change(&mut self, due: Due, old: &mut Option<Instant>, new: Option<Instant>) {
        if *old == new {
            return;
        }
        if let Some(at) = *old {
            self.set.remove(&(at, due));
        }
        if let Some(at) = new {
            self.set.insert((at, due));
        }
        *old = new;
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.set.first().map(|(at, _)| *at)
    }

    /// The first thing whose time has come. It stays in the set until its owner changes it.
    pub(crate) fn due(&self, now: Instant) -> Option<Due> {
        self.set.first().filter(|(at, _)| *at <= now).map(|(_, due)| *due)
    }

    /// Forgets an entry whose owner is gone, so that a mistake cannot spin.
    pub(crate) fn drop_first(&mut self) {
        self.set.pop_first();
    }

    pub(crate) fn len(&self) -> usize {
        self.set.len()
    }
}
