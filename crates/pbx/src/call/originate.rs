//! Calls that the script of a call originates.

use dialplan::{AskId, Originate, Outcome};

use super::Call;
use crate::desk::{CallId, Desk};
use crate::post::{Birth, Post};

impl Call {
    /// Has somebody rung for the script; gives back the outcome if that is known at once.
    pub(super) fn originate(
        &mut self,
        desk: &mut Desk,
        ask: AskId,
        originate: Originate,
    ) -> Option<Outcome> {
        let count = self.asides.originating_count() + self.legs.len() + self.unawaited;
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
                self.asides.originating(ask, ticket, id);
                None
            }
            None => {
                self.unawaited += 1;
                Some(Outcome::Begun)
            }
        }
    }
}
