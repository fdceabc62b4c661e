//! What is told of a call: its lines in the log and its record.

use std::time::{Duration, Instant};

use dialplan::{AskId, Asked, ScriptError};
use sip_syntax::StatusCode;

use super::{Call, Presence, Task, dial};
use crate::desk::Desk;
use crate::notice::{Cost, Notice};
use crate::output::Output;
use crate::records::{CallRecord, StoreRequest};
use crate::snapshot::{CallNow, CallState};
use crate::telling::Whose;

/// What is told of a call when it is over.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) started_at: Instant,
    pub(super) answered_at: Option<Instant>,
    pub(super) answered_by: String,
}

impl Call {
    /// Whose script it is, for those who are told of it.
    pub(super) fn whose(&self) -> Whose<'_> {
        Whose { name: &self.name, from: &self.story.from, to: &self.story.to }
    }

    /// Hands on what scripts logged since the last time, and what there is to say of them.
    pub(super) fn pass_on_log(&self, now: Instant, desk: &mut Desk) {
        if let Some(script) = &self.script {
            desk.pass_on(now, self.whose(), script.take_logs());
        }
    }

    /// Tells whose script could not go on, or which part of it.
    pub(super) fn tell_failure(
        &self,
        now: Instant,
        desk: &mut Desk,
        part: &'static str,
        error: ScriptError,
    ) {
        desk.tell_failure(now, self.whose(), part, error);
    }

    /// Tells if the script waited long for something outside that should be quick.
    pub(super) fn note_wait(
        &self,
        now: Instant,
        desk: &mut Desk,
        ask: Option<AskId>,
        on: &'static str,
        took: Duration,
    ) {
        if took < WAIT_LONG {
            return;
        }
        let asked = ask.and_then(|ask| self.script.as_ref()?.asked(ask));
        let (function, place) = match asked {
            Some(Asked { function, file, line }) => (function, (file, line)),
            None => ("", (String::new(), 0)),
        };
        let cost = Cost::Waited { function, on: on.to_owned(), took };
        desk.tell_cost(now, &self.name, place, cost);
    }

    /// Tells the author of a handler that it left its caller without any answer.
    pub(super) fn tell_undecided(&self, desk: &mut Desk) {
        let route = self.script.as_ref().and_then(|script| script.route());
        let (file, line) = route.map(|route| (route.file.clone(), route.line)).unwrap_or_default();
        let pattern = route.map(|route| route.pattern.clone()).unwrap_or_default();
        let call = self.name.clone();
        desk.push(Output::Publish(Notice::ScriptUndecided { call, file, line, pattern }));
    }

    /// How it stands with this call.
    pub(crate) fn as_it_is(&self, desk: &Desk) -> CallNow {
        let Story { from, to, started_at, answered_at, .. } = &self.story;
        let (state, about) = self.doing();
        CallNow {
            id: self.name.clone(),
            from: from.clone(),
            to: to.clone(),
            source: self.caller.flow.remote,
            since: desk.clock.unix_ms(*started_at),
            answered_after: answered_at.map(|at| at.saturating_duration_since(*started_at)),
            state,
            about,
            generation: self.generation,
            waits_for: self.script.as_ref().map(dialplan::Script::waiting).unwrap_or_default(),
        }
    }

    /// What it does, and whom it rings or with whom its caller speaks.
    fn doing(&self) -> (CallState, String) {
        if self.presence == Presence::Gone {
            return (CallState::Ending, String::new());
        }
        match &self.task {
            Task::Dialing(dialing) => (CallState::Ringing, dialing.in_words()),
            Task::Bridged(bridge) => (CallState::Talking, dial::shown(&bridge.label)),
            Task::Transferring(_) => (CallState::Transferring, String::new()),
            Task::Idle
            | Task::Playing { .. }
            | Task::Collecting(_)
            | Task::Recording(_)
            | Task::Echoing
            | Task::Taking(_)
            | Task::Preparing(..)
            | Task::Speaking(_)
            | Task::Storing { .. } => (CallState::WithScript, String::new()),
        }
    }

    /// Which set of scripts this call follows.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// One notice and one record for each call.
    pub(super) fn tell(&self, now: Instant, desk: &mut Desk, status: StatusCode, ending: &str) {
        let Story { from, to, started_at, answered_at, answered_by } = &self.story;
        let answered_after = answered_at.map(|at| at.saturating_duration_since(*started_at));
        let ended_after = now.saturating_duration_since(*started_at);
        let record = CallRecord {
            id: self.name.clone(),
            from: from.clone(),
            to: to.clone(),
            account: self.caller.account.clone(),
            source: self.caller.flow.remote,
            started_at: desk.clock.unix_ms(*started_at),
            answered_after,
            ended_after,
            status: status.as_u16(),
            answered_by: answered_by.clone(),
            ending: ending.to_owned(),
        };
        desk.push(Output::Publish(Notice::CallOver(Box::new(record.clone()))));
        desk.store(self.id, StoreRequest::Call(Box::new(record)));
    }
}

/// What is outside of a script and should be quick takes long from here on.
const WAIT_LONG: Duration = Duration::from_secs(1);
