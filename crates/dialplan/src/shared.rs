//! What all calls share: values that any script can read and change, and locks.
//!
//! They belong to the exchange, not to a generation of scripts: a reload changes nothing of them, a
//! restart forgets them. Nobody waits for a value; a lock is waited for in line.

mod library;
mod locks;
mod values;

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

pub(crate) use library::add;
use locks::Locks;
pub use locks::{Claimed, LockId, LockOwner};
pub(crate) use values::{Kept, Life, Values};

/// What all calls of an exchange share; every generation of its scripts is given the same.
///
/// Cloning is cheap and gives the same values.
#[derive(Clone)]
pub struct Shared(Rc<Board>);

pub(crate) struct Board {
    pub(crate) values: RefCell<Values>,
    locks: RefCell<Locks>,
}

/// Bounds of what scripts share. What would go beyond is refused with an error at its line; nothing
/// is thrown out to make room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedLimits {
    /// Keys at one time.
    pub keys: usize,
    /// Bytes of all keys and values together.
    pub bytes: usize,
    /// Bytes of one value.
    pub value_bytes: usize,
    /// Claims on locks, held and waiting.
    pub claims: usize,
}

impl Default for SharedLimits {
    fn default() -> Self {
        Self { keys: 10_000, bytes: 8 << 20, value_bytes: 64 << 10, claims: 1_000 }
    }
}

impl Shared {
    /// Nothing yet.
    pub fn new(limits: SharedLimits) -> Self {
        let locks = RefCell::new(Locks::new(limits.claims));
        Self(Rc::new(Board { values: RefCell::new(Values::new(limits)), locks }))
    }

    /// How many values are kept, for leak checks; those that ended since the last look count.
    pub fn value_count(&self) -> usize {
        self.0.values.borrow().count()
    }

    /// Keeps a value for good, as a script would: `true`, `false`, a number, JSON that begins with
    /// `{` or `[`, or else a text.
    ///
    /// # Errors
    /// What is used up, in words.
    pub fn put(&self, key: &str, value: &str) -> Result<(), String> {
        let kept = match (value, value.parse(), value.parse()) {
            ("true", _, _) => Kept::Boolean(true),
            ("false", _, _) => Kept::Boolean(false),
            (_, Ok(whole), _) => Kept::Integer(whole),
            (_, Err(_), Ok(number)) => Kept::Number(number),
            (table, ..) if table.starts_with(['{', '[']) => Kept::Table(table.as_bytes().into()),
            (text, ..) => Kept::Text(text.as_bytes().into()),
        };
        self.0.values.borrow_mut().set(0, key, kept, Life::Unlimited)
    }

    /// Claims a lock for a call or job; who comes later waits in line.
    pub fn claim(&self, name: &str, id: LockId, owner: LockOwner) -> Claimed {
        self.0.locks.borrow_mut().claim(name, id, owner)
    }

    /// Lets go of a lock, or of waiting for it. Letting go twice is harmless.
    pub fn release(&self, id: LockId) {
        self.0.locks.borrow_mut().release(id);
    }

    /// Lets go of everything that a call or job holds or waits for.
    pub fn release_all(&self, owner: LockOwner) {
        self.0.locks.borrow_mut().release_all(owner);
    }

    /// Takes the claims that waited and hold since the last time, in the order in which they do.
    /// Scripts let go of locks whenever they run, so ask after each turn.
    pub fn take_granted(&self) -> Vec<LockId> {
        self.0.locks.borrow_mut().take_granted()
    }

    /// Claims on locks, held and waiting, for leak checks.
    pub fn claim_count(&self) -> usize {
        self.0.locks.borrow().count()
    }

    pub(crate) fn board(&self) -> &Board {
        &self.0
    }
}

impl Default for Shared {
    fn default() -> Self {
        Self::new(SharedLimits::default())
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("values", &self.value_count()).finish_non_exhaustive()
    }
}
