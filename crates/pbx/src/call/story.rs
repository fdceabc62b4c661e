//! What is told of a call: its lines in the log and its record.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, Instant};

use dialplan::LogLevel;
use sip_syntax::StatusCode;

use super::Call;
use crate::auth::printable;
use crate::desk::Desk;
use crate::records::{CallRecord, StoreRequest};

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
    pub(super) fn write_log(&mut self) {
        let Some(script) = self.script.as_mut() else { return };
        for line in script.take_logs() {
            let (call, text) = (&self.name, one_line(&line.text));
            let at = format!("{}:{}", line.file, line.line);
            match line.level {
                LogLevel::Debug => tracing::debug!(%call, script = %at, "{text}"),
                LogLevel::Info => tracing::info!(%call, script = %at, "{text}"),
                LogLevel::Warn => tracing::warn!(%call, script = %at, "{text}"),
                LogLevel::Error => tracing::error!(%call, script = %at, "{text}"),
            }
        }
    }

    /// One line in the log and one record for each call.
    pub(super) fn tell(&self, now: Instant, desk: &mut Desk, status: StatusCode, ending: &str) {
        let Story { from, to, started_at, answered_at, answered_by } = &self.story;
        let answered_after = answered_at.map(|at| at.saturating_duration_since(*started_at));
        let ended_after = now.saturating_duration_since(*started_at);
        tracing::info!(
            call = %self.name,
            from = %printable(from),
            to = %printable(to),
            status = status.as_u16(),
            by = (!answered_by.is_empty()).then_some(answered_by.as_str()),
            answered_after = answered_after.map(|after| display(Seconds(after))),
            ended_after = %Seconds(ended_after),
            "{ending}"
        );
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
        desk.store(self.id, StoreRequest::Call(Box::new(record)));
    }
}

/// A time as people say it.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1}s", self.0.as_secs_f64())
    }
}

/// What a script logs may come from the network: it cannot begin a line of its own.
fn one_line(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        Cow::Owned(text.replace(char::is_control, " "))
    } else {
        Cow::Borrowed(text)
    }
}
