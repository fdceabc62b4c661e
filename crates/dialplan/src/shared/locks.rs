//! Locks by name: one holder at a time, the others in line.

use std::collections::{BTreeMap, VecDeque};

/// Names a claim on a lock, whether it waits or holds; chosen by the switch and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockId(pub u64);

/// Whose claims they are: a call or a job, by a number that is never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockOwner(pub u64);

/// What came of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// The lock is held at once.
    Now,
    /// It is waited for; [`Shared::take_granted`](super::Shared::take_granted) tells when it is held.
    Later,
    /// Too many claims: of this owner, or of all.
    TooMany,
}

/// All locks. A name without a claim takes no room.
#[derive(Debug)]
pub(super) struct Locks {
    claims_max: usize,
    /// Claims on each name: the first holds, the others wait in this order.
    lines: BTreeMap<String, VecDeque<LockId>>,
    claims: BTreeMap<LockId, Claim>,
    /// Who holds since the last time somebody asked.
    granted: Vec<LockId>,
}

#[derive(Debug)]
struct Claim {
    name: String,
    owner: LockOwner,
}

impl Locks {
    pub(super) fn new(claims_max: usize) -> Self {
        Self { claims_max, lines: BTreeMap::new(), claims: BTreeMap::new(), granted: Vec::new() }
    }

    pub(super) fn claim(&mut self, name: &str, id: LockId, owner: LockOwner) -> Claimed {
        let own = self.claims.values().filter(|claim| claim.owner == owner).count();
        if own >= CLAIMS_PER_OWNER_MAX || self.claims.len() >= self.claims_max {
            return Claimed::TooMany;
        }
        self.claims.insert(id, Claim { name: name.to_owned(), owner });
        let line = self.lines.entry(name.to_owned()).or_default();
        line.push_back(id);
        if line.len() == 1 { Claimed::Now } else { Claimed::Later }
    }

    /// Lets go of a lock, or of waiting for it; of what is neither, nothing happens.
    pub(super) fn release(&mut self, id: LockId) {
        let Some(claim) = self.claims.remove(&id) else { return };
        self.granted.retain(|granted| *granted != id);
        let Some(line) = self.lines.get_mut(&claim.name) else { return };
        let held = line.front() == Some(&id);
        line.retain(|waiting| *waiting != id);
        match line.front() {
            Some(next) if held => self.granted.push(*next),
            Some(_) => {}
            None => drop(self.lines.remove(&claim.name)),
        }
    }

    pub(super) fn release_all(&mut self, owner: LockOwner) {
        let own = self.claims.iter().filter(|(_, claim)| claim.owner == owner);
        let own: Vec<LockId> = own.map(|(id, _)| *id).collect();
        // Those in line first, so that none of its own is granted on the way out.
        for id in own.into_iter().rev() {
            self.release(id);
        }
    }

    pub(super) fn take_granted(&mut self) -> Vec<LockId> {
        std::mem::take(&mut self.granted)
    }

    pub(super) fn count(&self) -> usize {
        self.claims.len()
    }
}

/// Claims of one call or job, held and waiting.
const CLAIMS_PER_OWNER_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(locks: &mut Locks, name: &str, id: u64, owner: u64) -> Claimed {
        locks.claim(name, LockId(id), LockOwner(owner))
    }

    #[test]
    fn whoever_came_first_is_next() {
        let mut locks = Locks::new(10);
        assert_eq!(claim(&mut locks, "a", 1, 1), Claimed::Now);
        assert_eq!(claim(&mut locks, "a", 2, 2), Claimed::Later);
        assert_eq!(claim(&mut locks, "a", 3, 3), Claimed::Later);
        assert_eq!(claim(&mut locks, "b", 4, 1), Claimed::Now);
        locks.release(LockId(1));
        locks.release(LockId(1));
        assert_eq!(locks.take_granted(), [LockId(2)]);
        locks.release(LockId(2));
        assert_eq!(locks.take_granted(), [LockId(3)]);
        locks.release(LockId(3));
        locks.release(LockId(4));
        assert!(locks.take_granted().is_empty() && locks.lines.is_empty() && locks.count() == 0);
    }

    #[test]
    fn who_gives_up_waiting_is_passed_over() {
        let mut locks = Locks::new(10);
        for id in 1..=3 {
            claim(&mut locks, "a", id, id);
        }
        locks.release(LockId(2));
        locks.release(LockId(1));
        assert_eq!(locks.take_granted(), [LockId(3)]);
    }

    #[test]
    fn one_that_was_granted_and_not_told_yet_is_passed_on_too() {
        let mut locks = Locks::new(10);
        for id in 1..=3 {
            claim(&mut locks, "a", id, id);
        }
        locks.release(LockId(1));
        locks.release(LockId(2));
        assert_eq!(locks.take_granted(), [LockId(3)]);
    }

    #[test]
    fn the_end_of_a_call_frees_all_of_its_locks() {
        let mut locks = Locks::new(10);
        claim(&mut locks, "a", 1, 7);
        claim(&mut locks, "a", 2, 7);
        claim(&mut locks, "a", 3, 8);
        claim(&mut locks, "b", 4, 7);
        locks.release_all(LockOwner(7));
        assert_eq!((locks.take_granted(), locks.count()), (vec![LockId(3)], 1));
    }

    #[test]
    fn claims_are_bounded_in_all_and_for_each() {
        let mut locks = Locks::new(CLAIMS_PER_OWNER_MAX + 1);
        for id in 0..CLAIMS_PER_OWNER_MAX as u64 {
            assert_eq!(claim(&mut locks, &id.to_string(), id, 1), Claimed::Now);
        }
        assert_eq!(claim(&mut locks, "more", 100, 1), Claimed::TooMany);
        assert_eq!(claim(&mut locks, "more", 101, 2), Claimed::Now);
        assert_eq!(claim(&mut locks, "more", 102, 3), Claimed::TooMany);
        assert_eq!(locks.count(), CLAIMS_PER_OWNER_MAX + 1);
    }
}
