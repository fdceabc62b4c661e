//! Calls that a script originates, while they ring.

use std::sync::Arc;

use dialplan::{AskId, DialStatus, Originate, Outcome};
use sip_engine::Flow;
use sip_syntax::StatusCode;

use super::{Aside, Asides, SideTask};
use crate::Prompts;
use crate::desk::{CallId, Desk};
use crate::post::{Birth, Post};
use crate::records::Ticket;
use crate::verdict::relayed;

/// Whose script has somebody called.
#[derive(Debug)]
pub(crate) struct Originator {
    /// The call whose caller whoever answers may be joined to, with its media thread; `None` for a
    /// script without a call.
    pub(crate) call: Option<(CallId, usize)>,
    /// Those whom it keeps already.
    pub(crate) kept: usize,
    /// Shown as calling unless the script says otherwise.
    pub(crate) user: String,
    /// The same; may be empty.
    pub(crate) display_name: String,
    /// Hops left.
    pub(crate) max_forwards: u8,
    /// The listener it calls from, unless a target needs another.
    pub(crate) near: Flow,
    pub(crate) generation: u64,
    pub(crate) prompts: Arc<Prompts>,
}

/// What a script that waits for an answer will do with whoever answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Join them to its caller.
    ForCaller,
    /// Nothing: they get a call of their own.
    ForThemselves,
}

impl Asides {
    /// Has somebody called; gives back the outcome if that is known at once.
    pub(crate) fn originate(
        &mut self,
        desk: &mut Desk,
        ask: AskId,
        originate: Originate,
        by: Originator,
    ) -> Option<Outcome> {
        let rings = |aside: &&Aside| matches!(aside.task, SideTask::Originating { .. });
        let count = self.list.iter().filter(rings).count() + self.unawaited + by.kept;
        let max = desk.config.limits.originated_max;
        if count >= max {
            let fault = format!("{max} calls that this script originated are under way already");
            return Some(Outcome::Fault(fault));
        }
        let wish = match &originate.run {
            Some(_) => Wish::ForThemselves,
            None => Wish::ForCaller,
        };
        let joinable = by.call.filter(|_| wish == Wish::ForCaller);
        if wish == Wish::ForCaller && joinable.is_none() {
            let fault = "there is no caller to whom the leg could be joined: give run or number";
            return Some(Outcome::Fault(fault.to_owned()));
        }
        let id = CallId(desk.next_id());
        let ticket = originate.waits.then(|| desk.ticket_for(self.owner));
        desk.post(Post::Birth(Box::new(Birth {
            id,
            originate,
            parent: joinable.map(|(call, _)| call),
            ticket,
            thread: joinable.map(|(_, thread)| thread),
            user: by.user,
            display_name: by.display_name,
            max_forwards: by.max_forwards,
            near: by.near,
            generation: by.generation,
            prompts: by.prompts,
        })));
        let Some(ticket) = ticket else {
            self.unawaited += 1;
            return Some(Outcome::Begun);
        };
        self.begin(ask, SideTask::Originating { ticket, child: id, wish });
        None
    }

    /// What an unanswered caller is told of a call that was originated for it and failed, if the
    /// script says nothing else.
    pub(crate) fn failure_for_caller(
        &self,
        ticket: Ticket,
        outcome: &Outcome,
    ) -> Option<(StatusCode, Option<String>)> {
        let for_caller = self.list.iter().any(|aside| {
            matches!(aside.task, SideTask::Originating { ticket: own, wish: Wish::ForCaller, .. }
                if own == ticket)
        });
        let Outcome::Originated { status, code, reason, .. } = outcome else { return None };
        if !for_caller || *status == DialStatus::Answered {
            return None;
        }
        StatusCode::new(*code).map(|code| relayed(code, reason))
    }
}
