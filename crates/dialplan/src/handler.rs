//! A function of a script on its way to a call of its own.

use std::fmt;
use std::rc::Rc;

use mlua::Function;

use crate::call_view::CallView;
use crate::generation::Core;
use crate::script::{Kind, Script};

/// A function that a script gave away to be the handler of another call, on the same generation.
#[derive(Clone)]
pub struct Handler {
    core: Rc<Core>,
    function: Function,
}

impl Handler {
    pub(crate) fn new(core: &Rc<Core>, function: Function) -> Self {
        Self { core: Rc::clone(core), function }
    }

    /// Begins a run of it for one call; nothing runs before the first turn.
    pub fn start(self, call: CallView) -> Script {
        Script::start(&self.core, Some(self.function), call, Kind::Call)
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").finish_non_exhaustive()
    }
}

impl PartialEq for Handler {
    fn eq(&self, other: &Self) -> bool {
        self.function.to_pointer() == other.function.to_pointer()
    }
}
