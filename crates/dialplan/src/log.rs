//! What scripts log, kept until the switch takes it.

use std::mem;

use crate::error::{Place, one_line};

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
        if self.lines.len() >= self.lines_max {
            self.dropped += 1;
            return;
        }
        let (file, line) = place.map(|place| (place.file, place.line)).unwrap_or_default();
        let text = one_line(text, LINE_MAX);
        self.lines.push(LogLine { level, text, file, line, call: call.to_owned() });
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
            });
        }
        lines
    }
}
