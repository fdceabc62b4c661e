//! What scripts log, kept until the switch takes it.

use std::mem;

use crate::error::{Place, ScriptError, one_line};
use crate::strain::Strain;

/// Characters of one line that are kept.
const LINE_MAX: usize = 1_000;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// For whoever writes the script.
    Debug,
    /// Worth keeping.
    Info,
    /// Something is not as it should be.
    Warn,
    /// Something failed.
    Error,
}

/// One line that a script logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// The text, without control characters, at most 1,000 characters.
    pub text: String,
    /// The script file, for example `scripts/main.lua`; empty when unknown.
    pub file: String,
    /// The line in that file, from 1; 0 when unknown.
    pub line: u32,
    /// The call's id; empty while scripts load.
    pub call: String,
    /// What the line is about, if it is not the script's own.
    pub remark: Option<Box<Remark>>,
}

/// What we have to say of a script, to its author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// A part of it went wrong that nobody waits for; the rest goes on.
    Failed {
        /// Which part, as the beginning of a sentence: `a spawned function failed`.
        what: &'static str,
        /// What went wrong.
        error: ScriptError,
    },
    /// It costs more than it should.
    Strained(Strain),
}

/// Lines not taken yet, up to a limit.
pub(crate) struct Journal {
    lines: Vec<LogLine>,
    lines_max: usize,
    dropped: u64,
}

impl Journal {
    pub(crate) fn new(lines_max: usize) -> Self {
        Self { lines: Vec::new(), lines_max, dropped: 0 }
    }

    /// Keeps a line, or counts it when there are too many.
    pub(crate) fn add(&mut self, level: LogLevel, text: &str, place: Option<Place>, call: &str) {
        self.put(level, text, place, call, None);
    }

    /// Keeps what we have to say ourselves.
    pub(crate) fn remark(&mut self, text: &str, place: Option<Place>, call: &str, remark: Remark) {
        let level = match &remark {
            Remark::Failed { .. } => LogLevel::Error,
            Remark::Strained(_) => LogLevel::Warn,
        };
        self.put(level, text, place, call, Some(Box::new(remark)));
    }

    fn put(
        &mut self,
        level: LogLevel,
        text: &str,
        place: Option<Place>,
        call: &str,
        remark: Option<Box<Remark>>,
    ) {
        if self.lines.len() >= self.lines_max {
            self.dropped += 1;
            return;
        }
        let (file, line) = place.map(|place| (place.file, place.line)).unwrap_or_default();
        let text = one_line(text, LINE_MAX);
        self.lines.push(LogLine { level, text, file, line, call: call.to_owned(), remark });
    }

    /// Takes all lines, oldest first, and one more that tells how many were dropped.
    pub(crate) fn take(&mut self) -> Vec<LogLine> {
        let mut lines = mem::take(&mut self.lines);
        let dropped = mem::take(&mut self.dropped);
        if dropped > 0 {
            lines.push(LogLine {
                level: LogLevel::Warn,
                text: format!("scripts logged too much at once; {dropped} more lines were dropped"),
                file: String::new(),
                line: 0,
                call: String::new(),
                remark: None,
            });
        }
        lines
    }
}
