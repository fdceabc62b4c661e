//! What is told of a call: its lines in the log and its record.

use std::time::Instant;

use dialplan::{LogLine, ScriptError};
use sip_syntax::StatusCode;

use super::{Call, Presence, Task};
use crate::desk::Desk;
use crate::notice::{Notice, ScriptFailure};
use crate::output::Output;
use crate::records::{CallRecord, StoreRequest};
use crate::snapshot::{CallNow, CallState};

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
    /// Hands on what scripts logged since the last time.
    pub(super) fn pass_on_log(&mut self, desk: &mut Desk) {
        let Some(script) = self.script.as_mut() else { return };
        for line in script.take_logs() {
            let LogLine { level, text, file, line, call: _ } = line;
            let (call, text) = (self.name.clone(), one_line(text));
            desk.push(Output::Publish(Notice::Script { call, level, file, line, text }));
        }
    }

    /// Tells whose script could not go on.
    pub(super) fn tell_failure(&self, desk: &mut Desk, error: ScriptError) {
        let failure = ScriptFailure {
            call: self.name.clone(),
            from: self.story.from.clone(),
            to: self.story.to.clone(),
            error,
        };
        desk.push(Output::Publish(Notice::ScriptFailed(Box::new(failure))));
    }

    /// How it stands with this call.
    pub(crate) fn as_it_is(&self, desk: &Desk) -> CallNow {
        let Story { from, to, started_at, answered_at, .. } = &self.story;
        CallNow {
            id: self.name.clone(),
            from: from.clone(),
            to: to.clone(),
            source: self.caller.flow.remote,
            since: desk.clock.unix_ms(*started_at),
            answered_after: answered_at.map(|at| at.saturating_duration_since(*started_at)),
            state: match (self.presence, &self.task) {
                (Presence::Gone, _) => CallState::Ending,
                (Presence::Here, Task::Dialing(_)) => CallState::Ringing,
                (Presence::Here, Task::Bridged(_)) => CallState::Talking,
                (
                    Presence::Here,
                    Task::Idle
                    | Task::Playing { .. }
                    | Task::Collecting(_)
                    | Task::Recording(_)
                    | Task::Echoing
                    | Task::Preparing(..)
                    | Task::Storing { .. },
                ) => CallState::WithScript,
            },
            generation: self.generation,
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

/// What a script logs may come from the network: it cannot begin a line of its own.
fn one_line(text: String) -> String {
    if text.contains(char::is_control) { text.replace(char::is_control, " ") } else { text }
}
