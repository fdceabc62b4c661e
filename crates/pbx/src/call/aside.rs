//! What a call waits for beside its line: time, and whatever else needs no caller.
//!
//! Each side task belongs to one ask of the script. A new kind is a variant here, and a line where its
//! verb begins and where its reply arrives.

use std::time::{Duration, Instant};

use dialplan::{AskId, Originate, Outcome};

use super::{Call, Todo};
use crate::desk::{CallId, Desk};
use crate::post::{Birth, Letter, Post};
use crate::records::Ticket;

/// Something that a script waits for and that does not need the caller's line.
#[derive(Debug)]
pub(super) struct Aside {
    pub(super) ask: AskId,
    pub(super) task: SideTask,
}

#[derive(Debug)]
pub(super) enum SideTask {
    Sleeping {
        until: Instant,
    },
    /// Somebody is rung by a call of its own, which replies when they answer or nobody does.
    Originating {
        ticket: Ticket,
        child: CallId,
    },
}

impl SideTask {
    /// When it is over by itself.
    fn until(&self) -> Option<Instant> {
        match self {
            Self::Sleeping { until } => Some(*until),
            Self::Originating { .. } => None,
        }
    }

    fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Sleeping { .. } => None,
            Self::Originating { ticket, .. } => Some(*ticket),
        }
    }

    /// Stops what was begun for it.
    fn stop(self, desk: &mut Desk) {
        match self {
            Self::Sleeping { .. } => {}
            Self::Originating { ticket, child } => {
                desk.redeem(ticket);
                desk.post(Post::Letter(child, Letter::Abandon));
            }
        }
    }
}

impl Call {
    pub(super) fn sleep(&mut self, now: Instant, ask: AskId, length: Duration) {
        self.asides.push(Aside { ask, task: SideTask::Sleeping { until: now + length } });
    }

    /// Has somebody rung for the script; gives back the outcome if that is known at once.
    pub(super) fn originate(
        &mut self,
        desk: &mut Desk,
        ask: AskId,
        originate: Originate,
    ) -> Option<Outcome> {
        let rings = |aside: &&Aside| matches!(aside.task, SideTask::Originating { .. });
        let count = self.asides.iter().filter(rings).count() + self.legs.len() + self.unawaited;
        let max = desk.config.limits.originated_max;
        if count >= max {
            let fault = format!("{max} calls that this script originated are under way already");
            return Some(Outcome::Fault(fault));
        }
        let id = CallId(desk.next_id());
        let waits = originate.waits;
        let ticket = waits.then(|| desk.ticket_for(self.id));
        let is_leg = originate.run.is_none();
        desk.post(Post::Birth(Box::new(Birth {
            id,
            originate,
            parent: is_leg.then_some(self.id),
            ticket,
            thread: is_leg.then_some(self.thread),
            user: self.caller.user.clone(),
            display_name: self.caller.display_name.clone(),
            max_forwards: self.caller.max_forwards,
            near: self.caller.flow,
            generation: self.generation,
            prompts: self.prompts.clone(),
        })));
        match ticket {
            Some(ticket) => {
                let task = SideTask::Originating { ticket, child: id };
                self.asides.push(Aside { ask, task });
                None
            }
            None => {
                self.unawaited += 1;
                Some(Outcome::Begun)
            }
        }
    }

    /// What a side task waits for came.
    pub(crate) fn handle_reply(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        ticket: Ticket,
        outcome: Outcome,
    ) {
        let of_ticket = |aside: &Aside| aside.task.ticket() == Some(ticket);
        let Some(index) = self.asides.iter().position(of_ticket) else { return };
        let Aside { ask, .. } = self.asides.remove(index);
        if let Outcome::Originated { leg: Some(leg), .. } = &outcome {
            self.legs.push(CallId(leg.0));
        }
        self.turn(now, desk, Some(Todo::Script(Some((ask, outcome)))));
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
                SideTask::Sleeping { .. } | SideTask::Originating { .. } => Outcome::Done,
            };
            self.turn(now, desk, Some(Todo::Script(Some((ask, outcome)))));
        }
    }

    /// Nobody waits for this any more; `false` if it is none of the side tasks.
    pub(super) fn drop_aside(&mut self, desk: &mut Desk, ask: AskId) -> bool {
        let Some(index) = self.asides.iter().position(|aside| aside.ask == ask) else {
            return false;
        };
        self.asides.remove(index).task.stop(desk);
        true
    }

    /// The caller is gone: nothing is waited for any more.
    pub(crate) fn drop_asides(&mut self, desk: &mut Desk) {
        for aside in self.asides.drain(..) {
            aside.task.stop(desk);
        }
    }
}
