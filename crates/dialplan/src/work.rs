//! How much scripts have run in all.

use std::cell::Cell;
use std::rc::Rc;

/// Counts what every generation that was [loaded](crate::Loading) with it has run so far, loading
/// included, in Lua instructions: for whoever runs scripts many times and wants an end of it.
///
/// It is what budgets are counted in, so work done for a script outside of Lua is part of it; but to
/// some hundred instructions for each time that something runs. The same scripts that are told the same
/// always come to the same sum. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Work(Rc<Cell<u64>>);

impl Work {
    /// Instructions so far.
    pub fn instructions(&self) -> u64 {
        self.0.get()
    }

    pub(crate) fn add(&self, instructions: u64) {
        self.0.set(self.0.get().saturating_add(instructions));
    }
}
