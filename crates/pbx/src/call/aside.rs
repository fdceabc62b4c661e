//! What a call waits for beside its line: time, and whatever else needs no caller.
//!
//! Each side task belongs to one ask of the script. A new kind is a variant here, and a line where its
//! verb begins and where its reply arrives.

use std::time::{Duration, Instant};

use dialplan::{AskId, Outcome};

use super::{Call, Todo};
use crate::desk::Desk;

/// Something that a script waits for and that does not need the caller's line.
#[derive(Debug)]
pub(super) struct Aside {
    pub(super) ask: AskId,
    pub(super) task: SideTask,
}

#[derive(Debug)]
pub(super) enum SideTask {
    Sleeping { until: Instant },
}

impl SideTask {
    /// When it is over by itself.
    fn until(&self) -> Option<Instant> {
        match self {
            Self::Sleeping { until } => Some(*until),
        }
    }
}

impl Call {
    pub(super) fn sleep(&mut self, now: Instant, ask: AskId, length: Duration) {
        self.asides.push(Aside { ask, task: SideTask::Sleeping { until: now + length } });
    }

    /// When the first of them is over.
    pub(super) fn asides_until(&self) -> Option<Instant> {
        self.asides.iter().filter_map(|aside| aside.task.until()).min()
    }

    /// Tells the script of those whose time is over, one after the other.
    pub(super) fn asides_timeout(&mut self, now: Instant, desk: &mut Desk) {
        loop {
            let due = |aside: &Aside| aside.task.until().is_some_and(|until| now >= until);
            let Some(index) = self.asides.iter().position(due) else { return };
            let Aside { ask, task } = self.asides.remove(index);
            let outcome = match task {
                SideTask::Sleeping { .. } => Outcome::Done,
            };
            self.turn(now, desk, Some(Todo::Script(Some((ask, outcome)))));
        }
    }

    /// Nobody waits for this any more; `false` if it is none of the side tasks.
    pub(super) fn drop_aside(&mut self, ask: AskId) -> bool {
        let Some(index) = self.asides.iter().position(|aside| aside.ask == ask) else {
            return false;
        };
        let Aside { task, .. } = self.asides.remove(index);
        match task {
            SideTask::Sleeping { .. } => {}
        }
        true
    }

    /// The caller is gone: nothing is waited for any more.
    pub(super) fn drop_asides(&mut self, _desk: &mut Desk) {
        self.asides.clear();
    }
}
