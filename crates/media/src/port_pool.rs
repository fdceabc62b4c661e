//! Which RTP ports are free. Call control takes one as it writes an offer, and gives it back when the
//! leg is closed. Knows nothing of sockets: a port that somebody else holds shows up as
//! [`Event::OpenFailed`](crate::Event).

use std::collections::VecDeque;

#[cfg(test)]
mod tests;

/// Even ports of one range, handed out in turn (RFC 3550 §11: RTP on the even port).
///
/// A port that was given back rests until some others were given back too, so that late packets of
/// an old call do not reach a new one.
#[derive(Debug, Clone)]
pub struct PortPool {
    first: u16,
    ready: VecDeque<u16>,
    resting: VecDeque<u16>,
    resting_max: usize,
    /// One entry per even port of the range, in order.
    taken: Vec<bool>,
}

impl PortPool {
    /// Owns the even ports from `first` to `last`, both included. An empty range makes a pool that
    /// is always empty; port 0 is never handed out.
    pub fn new(first: u16, last: u16) -> Self {
        let first = first.max(2).saturating_add(first & 1);
        let ready: VecDeque<u16> = (first..=last).step_by(2).filter(|port| port % 2 == 0).collect();
        Self {
            first,
            resting: VecDeque::new(),
            resting_max: RESTING_MAX.min(ready.len() / 8),
            taken: vec![false; ready.len()],
            ready,
        }
    }

    /// The port that was free longest; `None` when all are in use or resting.
    pub fn allocate(&mut self) -> Option<u16> {
        let port = self.ready.pop_front()?;
        self.mark(port, true);
        Some(port)
    }

    /// Takes a port back. One that is not out is ignored.
    pub fn free(&mut self, port: u16) {
        if !self.mark(port, false) {
            return;
        }
        self.resting.push_back(port);
        while self.resting.len() > self.resting_max {
            self.ready.extend(self.resting.pop_front());
        }
    }

    /// How many ports are out.
    pub fn in_use(&self) -> usize {
        self.capacity() - self.ready.len() - self.resting.len()
    }

    /// How many ports there are.
    pub fn capacity(&self) -> usize {
        self.taken.len()
    }

    /// Says whether this changed anything.
    fn mark(&mut self, port: u16, taken: bool) -> bool {
        let index = port.checked_sub(self.first).filter(|offset| offset % 2 == 0);
        match index.and_then(|offset| self.taken.get_mut(usize::from(offset / 2))) {
            Some(entry) if *entry != taken => {
                *entry = taken;
                true
            }
            Some(_) | None => false,
        }
    }
}

/// Most ports that rest; never more than an eighth of the pool.
const RESTING_MAX: usize = 32;
