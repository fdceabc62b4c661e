//! News for whoever watches: the log, an administrator, a test.

use std::fmt;
use std::time::Duration;

use dialplan::{LoadError, LogLevel, ScriptError};

use crate::auth::printable;
use crate::input::CommandId;
use crate::records::CallRecord;
use crate::snapshot::Snapshot;

/// News for whoever watches. They come in the order in which things happened, among all other outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// New scripts are in use.
    Reloaded {
        /// Of the command.
        id: CommandId,
        /// Counts the sets of scripts that were in use so far, from 1 at the start.
        generation: u64,
        /// How many routes they have.
        routes: usize,
    },
    /// The scripts were wrong; the old ones stay in use.
    ReloadFailed {
        /// Of the command.
        id: CommandId,
        /// Each mistake.
        mistakes: Vec<LoadError>,
    },
    /// How things stand: the answer to [`Command::Look`](crate::Command).
    Snapshot {
        /// Of the command.
        id: CommandId,
        /// How they stand.
        snapshot: Box<Snapshot>,
    },
    /// A script logged something, or the switch has a word for its author.
    Script {
        /// The call's id.
        call: String,
        /// How much it matters.
        level: LogLevel,
        /// The script file, for example `scripts/main.lua`; empty when unknown.
        file: String,
        /// The line in that file, from 1; 0 when unknown.
        line: u32,
        /// One line, without control characters.
        text: String,
    },
    /// A script could not go on; its call is ended.
    ScriptFailed(Box<ScriptFailure>),
    /// A call is over. The store is given the same record.
    CallOver(Box<CallRecord>),
    /// After [`Command::Stop`](crate::Command): the last call is gone.
    Idle,
}

/// A script that could not go on, and whose it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptFailure {
    /// The call's id.
    pub call: String,
    /// Who called.
    pub from: String,
    /// The number that was dialled.
    pub to: String,
    /// What went wrong, and where.
    pub error: ScriptError,
}

impl Notice {
    /// The command that this answers.
    pub fn answers(&self) -> Option<CommandId> {
        match self {
            Self::Reloaded { id, .. }
            | Self::ReloadFailed { id, .. }
            | Self::Snapshot { id, .. } => Some(*id),
            Self::Script { .. } | Self::ScriptFailed(_) | Self::CallOver(_) | Self::Idle => None,
        }
    }

    /// Writes what stands in a log anyway: lines of scripts, their failures, ends of calls. Who watches
    /// without a log need not call this.
    pub fn write_to_log(&self) {
        match self {
            Self::Reloaded { generation, routes, .. } => {
                tracing::info!(generation, routes, "the new scripts are in use");
            }
            Self::ReloadFailed { mistakes, .. } => {
                let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
                tracing::error!("the old scripts stay in use:\n{}", mistakes.join("\n"));
            }
            Self::Snapshot { .. } | Self::Idle => {}
            Self::Script { call, level, file, line, text } => {
                let at = format!("{file}:{line}");
                match level {
                    LogLevel::Debug => tracing::debug!(%call, script = %at, "{text}"),
                    LogLevel::Info => tracing::info!(%call, script = %at, "{text}"),
                    LogLevel::Warn => tracing::warn!(%call, script = %at, "{text}"),
                    LogLevel::Error => tracing::error!(%call, script = %at, "{text}"),
                }
            }
            Self::ScriptFailed(failure) => {
                let ScriptFailure { call, from, to, error } = &**failure;
                let (from, to) = (printable(from), printable(to));
                tracing::error!(%call, %from, %to, "{error}{}", Trace(&error.traceback));
            }
            Self::CallOver(record) => log_end(record),
        }
    }
}

fn log_end(record: &CallRecord) {
    let by = &record.answered_by;
    tracing::info!(
        call = %record.id,
        from = %printable(&record.from),
        to = %printable(&record.to),
        status = record.status,
        by = (!by.is_empty()).then_some(by.as_str()),
        answered_after = record.answered_after.map(|after| tracing::field::display(Seconds(after))),
        ended_after = %Seconds(record.ended_after),
        "{}",
        record.ending
    );
}

/// The calls that led to an error, a line each, innermost first.
struct Trace<'a>(&'a [String]);

impl fmt::Display for Trace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One line says no more than the place of the error.
        let lines = if self.0.len() > 1 { self.0 } else { &[] };
        lines.iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

/// A time as people say it.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1}s", self.0.as_secs_f64())
    }
}
