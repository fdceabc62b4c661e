//! The Test Anything Protocol: one line a test, for programs that collect them.
//!
//! What is written is right in version 14, too, but called 13: perl's `prove` takes any later one for a
//! failure.

use std::io::{self, Write};

use super::Reporter;
use crate::verdict::{Failure, Report, Summary, Verdict};

/// Tells programs that read TAP.
#[derive(Debug, Default)]
pub struct Tap {
    told: usize,
}

impl Reporter for Tap {
    fn test(&mut self, to: &mut dyn Write, report: &Report) -> io::Result<()> {
        if self.told == 0 {
            writeln!(to, "TAP version 13")?;
        }
        self.told += 1;
        let (number, name) = (self.told, escaped(&format!("{}: {}", report.file, report.name)));
        match &report.verdict {
            Verdict::Passed => writeln!(to, "ok {number} - {name}"),
            Verdict::Skipped(why) => {
                writeln!(to, "ok {number} - {name} # SKIP {}", escaped(why))
            }
            Verdict::Failed(failure) => {
                writeln!(to, "not ok {number} - {name}")?;
                details(to, failure)
            }
        }
    }

    fn end(&mut self, to: &mut dyn Write, summary: &Summary) -> io::Result<()> {
        if self.told == 0 {
            writeln!(to, "TAP version 13")?;
        }
        writeln!(to, "1..{}", self.told)?;
        writeln!(to, "# seed {}", summary.seed)
    }
}

/// YAML below a line that tells of a failure.
fn details(to: &mut dyn Write, failure: &Failure) -> io::Result<()> {
    writeln!(to, "  ---")?;
    if let Some(at) = failure.at.first() {
        writeln!(to, "  at: {}", quoted(&format!("{}:{}", at.file, at.line)))?;
    }
    if !failure.expected.is_empty() {
        writeln!(to, "  expected: {}", quoted(&failure.expected))?;
    }
    writeln!(to, "  instead: {}", quoted(&failure.instead))?;
    if let Some(cause) = &failure.cause {
        writeln!(to, "  cause: {}", quoted(&format!("{}:{}", cause.file, cause.line)))?;
    }
    if let Some(case) = &failure.case {
        writeln!(to, "  case: {}", quoted(&case.value))?;
    }
    if !failure.ladder.is_empty() {
        writeln!(to, "  ladder: |")?;
        for line in failure.ladder.lines() {
            writeln!(to, "    {line}")?;
        }
    }
    writeln!(to, "  ...")
}

/// A name must not look like a directive or span lines.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('#', "\\#").replace(['\n', '\r'], " ")
}

/// A string of YAML, which reads JSON's.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
