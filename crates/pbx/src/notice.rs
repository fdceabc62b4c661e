//! News for whoever watches: the log, an administrator, a test.

use std::fmt;
use std::time::Duration;

use dialplan::{LoadError, LogLevel, ScriptError, Strain};

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
    /// A script could not go on, or a part of it could not.
    ScriptFailed(Box<ScriptFailure>),
    /// A script costs more than it should, or waited longer than it should have had to.
    ScriptStrained(Box<ScriptStrain>),
    /// What was told of scripts happened again, this often, within the last minute.
    ScriptRepeated {
        /// How much it matters.
        level: LogLevel,
        /// The script file; empty when unknown, or when it is about several.
        file: String,
        /// The line in that file, from 1; 0 when unknown.
        line: u32,
        /// What it was, in words.
        about: String,
        /// How often.
        times: u64,
    },
    /// A handler returned and left its caller without any answer; the switch gave one.
    ScriptUndecided {
        /// The call's id.
        call: String,
        /// The script file of its route.
        file: String,
        /// The line of that route, from 1; 0 when unknown.
        line: u32,
        /// The route's pattern.
        pattern: String,
    },
    /// A party had the other one connected elsewhere, or tried to.
    Transferred(Box<TransferNote>),
    /// A call is over. The store is given the same record.
    CallOver(Box<CallRecord>),
    /// After [`Command::Stop`](crate::Command): the last call is gone.
    Idle,
}

/// A transfer, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferNote {
    /// The id of the call in which it was asked for.
    pub call: String,
    /// The id of the call that the transferred party went on with; empty if there was none.
    pub to_call: String,
    /// Who asked for it.
    pub by: String,
    /// Who was transferred.
    pub who: String,
    /// To which number.
    pub to: String,
    /// What came of it: 200, or why the two talk on.
    pub status: u16,
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
    /// What it is about, as the beginning of a sentence; empty for the handler, with which the call
    /// ends.
    pub part: &'static str,
    /// What went wrong, and where.
    pub error: ScriptError,
    /// The same was told within the last minute: a log need not tell it again.
    pub repeated: bool,
}

/// A script that costs more than it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptStrain {
    /// The call's id.
    pub call: String,
    /// The script file; empty when unknown.
    pub file: String,
    /// The line in that file, from 1; 0 when unknown.
    pub line: u32,
    /// What it costs.
    pub cost: Cost,
    /// The same was told within the last minute: a log need not tell it again.
    pub repeated: bool,
}

/// What a script costs beyond the usual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cost {
    /// It computes too much.
    Script(Strain),
    /// It waited long for something outside that should be quick.
    Waited {
        /// In a function of this name: `voicemail`.
        function: &'static str,
        /// For this.
        on: String,
        /// So long.
        took: Duration,
    },
}

impl Cost {
    /// What it is about, without what differs from time to time.
    pub(crate) fn about(&self) -> String {
        match self {
            Self::Script(Strain::Busy { .. }) => "kept the script busy".to_owned(),
            Self::Script(Strain::Holding { .. }) => "held up all other calls".to_owned(),
            Self::Waited { function, on, .. } => format!("{function} waited long for {on}"),
        }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Script(strain) => strain.fmt(f),
            Self::Waited { function, on, took } => {
                write!(f, "{function} waited {:.1} s for {on}", took.as_secs_f64())
            }
        }
    }
}

impl Notice {
    /// The command that this answers.
    pub fn answers(&self) -> Option<CommandId> {
        match self {
            Self::Reloaded { id, .. }
            | Self::ReloadFailed { id, .. }
            | Self::Snapshot { id, .. } => Some(*id),
            Self::Script { .. }
            | Self::ScriptFailed(_)
            | Self::ScriptStrained(_)
            | Self::ScriptRepeated { .. }
            | Self::ScriptUndecided { .. }
            | Self::Transferred(_)
            | Self::CallOver(_)
            | Self::Idle => None,
        }
    }

    /// Writes what stands in a log anyway: lines of scripts, their failures, ends of calls; but nothing
    /// that is repeated. Who watches without a log need not call this.
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
                let ScriptFailure { call, from, to, part, error, repeated } = &**failure;
                if *repeated {
                    return;
                }
                let (from, to) = (printable(from), printable(to));
                let part = if part.is_empty() { String::new() } else { format!("{part}: ") };
                if from.is_empty() && to.is_empty() {
                    // Nobody calls.
                    tracing::error!(%call, "{part}{error}");
                } else {
                    tracing::error!(%call, %from, %to, "{part}{error}");
                }
                for line in details(error) {
                    tracing::error!(%call, "    {line}");
                }
            }
            Self::ScriptStrained(strain) => {
                let ScriptStrain { call, file, line, cost, repeated } = &**strain;
                if !repeated {
                    tracing::warn!(%call, script = %format!("{file}:{line}"), "{cost}");
                }
            }
            Self::ScriptRepeated { level, file, line, about, times } => {
                let at = if file.is_empty() { String::new() } else { format!("{file}:{line}: ") };
                let often = if *times == 1 { "once".to_owned() } else { format!("{times}") };
                let times = if *times == 1 { "" } else { " times" };
                let text = format!("{at}{about} … happened {often} more{times} in the last minute");
                match level {
                    LogLevel::Error => tracing::error!("{text}"),
                    LogLevel::Debug | LogLevel::Info | LogLevel::Warn => tracing::warn!("{text}"),
                }
            }
            Self::ScriptUndecided { call, file, line, pattern } => {
                let at = format!("{file}:{line}");
                tracing::warn!(
                    %call,
                    script = %at,
                    "the handler of \"{pattern}\" ended without answering, rejecting or redirecting"
                );
            }
            Self::Transferred(note) => log_transfer(note),
            Self::CallOver(record) => log_end(record),
        }
    }
}

fn log_transfer(note: &TransferNote) {
    let TransferNote { call, to_call, by, who, to, status } = note;
    let (by, who, to) = (printable(by), printable(who), printable(to));
    let to_call = (!to_call.is_empty()).then_some(to_call.as_str());
    if *status == 200 {
        tracing::info!(%call, %by, %who, %to, to_call, "transferred");
    } else {
        tracing::info!(%call, %by, %who, %to, to_call, status, "not transferred");
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

/// What the verb was given, and the calls that led to an error, innermost first.
fn details(error: &ScriptError) -> Vec<String> {
    let ScriptError { verb, arguments, traceback, .. } = error;
    let given = verb.zip(arguments.as_ref());
    let given = given.map(|(verb, arguments)| format!("given: call:{verb}({arguments})"));
    // One line says no more than the place of the error.
    let way = if traceback.len() > 1 { traceback.as_slice() } else { &[] };
    given.into_iter().chain(way.iter().cloned()).collect()
}

/// A time as people say it.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1}s", self.0.as_secs_f64())
    }
}
