//! What commands and a running exchange say to each other: a JSON object a line.

use serde::{Deserialize, Serialize};

use crate::report::{self, Colour, Place, Severity};

/// What a command asks.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Request {
    /// How things stand.
    Status {
        /// How mistakes are shown.
        #[serde(default)]
        colour: Colour,
    },
    /// The calls under way, one by one.
    Calls {
        /// So many at most, the oldest first.
        max: usize,
    },
    /// Use what is on disk.
    Reload {
        /// Only tell whether it could be used.
        #[serde(default)]
        check_only: bool,
        /// How mistakes are shown.
        #[serde(default)]
        colour: Colour,
    },
}

/// What it is answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    /// How things stand.
    Status(Box<Status>),
    /// The calls under way.
    Calls(Calls),
    /// What came of a reload.
    Reload(Reloaded),
    /// The question was not understood, or there is nobody to answer it.
    Error(String),
}

/// How things stand. Times are of RFC 3339, in UTC.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Status {
    /// Of the program.
    pub(crate) version: String,
    /// Process number.
    pub(crate) pid: u32,
    /// When it was started.
    pub(crate) started_at: String,
    /// Its configuration file,
    pub(crate) config: String,
    /// and its data folder.
    pub(crate) data: String,
    /// Where it listens: `udp 192.0.2.1:5060`.
    pub(crate) listening: Vec<String>,
    /// Calls under way.
    pub(crate) calls: usize,
    /// Registered phones.
    pub(crate) registrations: usize,
    /// It takes no new calls, because it is about to stop.
    pub(crate) stopping: bool,
    /// Sets of scripts in use; the last is for new calls.
    pub(crate) generations: Vec<Generation>,
    /// The last reload, if it failed.
    pub(crate) failed_reload: Option<FailedReload>,
}

/// A set of scripts in use.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Generation {
    /// Counts them, from 1 at the start.
    pub(crate) number: u64,
    /// When it was taken into use.
    pub(crate) loaded_at: String,
    /// How many routes it has.
    pub(crate) routes: usize,
    /// Calls that follow it.
    pub(crate) calls: usize,
}

/// A reload that changed nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FailedReload {
    /// When.
    pub(crate) at: String,
    /// Why.
    pub(crate) mistakes: Vec<Told>,
}

/// Calls under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Calls {
    /// In all.
    pub(crate) count: usize,
    /// As many as were asked for, the oldest first.
    pub(crate) calls: Vec<Call>,
}

/// A call under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Call {
    /// As in the log.
    pub(crate) id: String,
    /// Who calls.
    pub(crate) from: String,
    /// The number that was dialled.
    pub(crate) to: String,
    /// Where the caller is.
    pub(crate) source: String,
    /// When it began.
    pub(crate) since: String,
    /// Seconds until it was answered, if it was.
    pub(crate) answered_after: Option<f64>,
    /// `script`, `ringing`, `talking`, `transfer` or `ending`.
    pub(crate) state: String,
    /// Whom it rings and how long, or with whom its caller speaks; empty while it does neither.
    #[serde(default)]
    pub(crate) about: String,
    /// The set of scripts it follows.
    pub(crate) generation: u64,
    /// What its script waits for; several things where functions run beside each other.
    #[serde(default)]
    pub(crate) waits_for: Vec<Wait>,
}

/// What a script waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wait {
    /// In words: `dialling`.
    pub(crate) what: String,
    /// The function that waits: `dial`; empty if unknown.
    pub(crate) function: String,
    /// The line that called it: `scripts/main.lua:3`; `None` if unknown.
    pub(crate) at: Option<String>,
}

/// What came of a reload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Reloaded {
    /// Whether all was right.
    pub(crate) ok: bool,
    /// The set of scripts that is in use now; `None` when nothing was changed.
    pub(crate) generation: Option<u64>,
    /// How many routes the scripts have.
    pub(crate) routes: Option<usize>,
    /// Keys of the configuration that changed and count from the next start.
    pub(crate) restart: Vec<String>,
    /// Mistakes, errors first.
    pub(crate) mistakes: Vec<Told>,
    /// How long it took.
    pub(crate) took_ms: u64,
}

/// A mistake, for programs and for people.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Told {
    /// Whether it stops anything.
    pub(crate) severity: Severity,
    /// Where; empty when it is in no file.
    pub(crate) file: String,
    /// From 1, if known.
    pub(crate) line: Option<usize>,
    /// In characters, from 1, if known.
    pub(crate) column: Option<usize>,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) help: Option<String>,
    /// All of it with the line it is in, ready to print.
    pub(crate) shown: String,
}

impl Told {
    pub(crate) fn new(place: &Place, colour: Colour) -> Self {
        let at = place.line_and_column();
        Self {
            severity: place.severity,
            file: place.file.clone(),
            line: at.map(|(line, _)| line),
            column: at.map(|(_, column)| column),
            message: place.message.clone(),
            help: place.help.clone(),
            shown: report::render_one(place, colour),
        }
    }
}
