//! For people: a line for each file, and all that helps where something failed.

use std::io::{self, Write};
use std::time::Duration;

use super::Reporter;
use crate::verdict::{Failure, Report, Spot, Summary, Verdict};

/// How much is told, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether the terminal knows colours.
    pub colour: bool,
    /// Whether each test has a line, also when it passed.
    pub every_test: bool,
}

/// Tells people.
#[derive(Debug, Default)]
pub struct Human {
    style: Style,
    /// The file whose tests are being told of, and how they went.
    current: Option<File>,
    failures: Vec<(String, String)>,
}

#[derive(Debug)]
struct File {
    name: String,
    tests: usize,
    failed: usize,
    took: Duration,
}

impl Human {
    /// A reporter of this style.
    pub fn new(style: Style) -> Self {
        Self { style, ..Self::default() }
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.style.colour { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn finish_file(&mut self, to: &mut dyn Write) -> io::Result<()> {
        let Some(file) = self.current.take() else { return Ok(()) };
        if self.style.every_test {
            return Ok(());
        }
        let word = match file.failed {
            0 => self.paint(GREEN, "ok    "),
            _ => self.paint(RED, "FAILED"),
        };
        let tests = counted(file.tests, "test");
        let failed = match file.failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        writeln!(to, "{word}  {}  {tests}{failed}, {}", file.name, millis(file.took))
    }

    fn failed(&mut self, to: &mut dyn Write, report: &Report, failure: &Failure) -> io::Result<()> {
        writeln!(to)?;
        let word = self.paint(RED, "FAILED");
        writeln!(to, "{word}  {}", self.paint(BOLD, &report.name))?;
        let (first, rest) = match failure.at.split_first() {
            Some((first, rest)) => (first.clone(), rest),
            None => (
                Spot { file: report.file.clone(), line: report.line, text: String::new() },
                [].as_slice(),
            ),
        };
        self.spot(to, &first)?;
        for spot in rest {
            writeln!(to, "  called from")?;
            self.spot(to, spot)?;
        }
        writeln!(to)?;
        if !failure.expected.is_empty() {
            self.fact(to, "expected", &failure.expected)?;
        }
        self.fact(to, "instead", &failure.instead)?;
        if let Some(cause) = &failure.cause {
            writeln!(to)?;
            self.spot(to, cause)?;
            for line in failure.traceback.iter().skip(1) {
                writeln!(to, "      {line}")?;
            }
        }
        if let Some(case) = &failure.case {
            writeln!(to)?;
            self.fact(to, "case", &case.value)?;
            let simplified = match case.simplified {
                0 => String::new(),
                1 => ", then made simpler once".to_owned(),
                steps => format!(", then made simpler {steps} times"),
            };
            self.fact(
                to,
                "",
                &format!("one that failed was found in run {}{simplified}", case.run),
            )?;
        }
        if !failure.ladder.is_empty() {
            writeln!(to)?;
            for line in failure.ladder.lines() {
                writeln!(to, "  {line}")?;
            }
        }
        writeln!(to)
    }

    fn spot(&self, to: &mut dyn Write, spot: &Spot) -> io::Result<()> {
        writeln!(to, "  {}:{}", spot.file, spot.line)?;
        let text = spot.text.trim_end();
        let indent = text.len() - text.trim_start().len();
        if text.trim().is_empty() {
            return Ok(());
        }
        let blank: String = text.chars().take_while(|c| c.is_whitespace()).collect();
        let width = text.get(indent..).unwrap_or_default().chars().count();
        writeln!(to, "  {:>5} | {text}", spot.line)?;
        let mark = self.paint(RED, &"^".repeat(width));
        writeln!(to, "        | {blank}{mark}")
    }

    fn fact(&self, to: &mut dyn Write, word: &str, text: &str) -> io::Result<()> {
        for (index, line) in text.lines().enumerate() {
            let word = if index == 0 { format!("{word:<9}") } else { " ".repeat(9) };
            writeln!(to, "  {} {line}", self.paint(BOLD, &word))?;
        }
        Ok(())
    }
}

impl Reporter for Human {
    fn test(&mut self, to: &mut dyn Write, report: &Report) -> io::Result<()> {
        if self.current.as_ref().is_none_or(|file| file.name != report.file) {
            self.finish_file(to)?;
            let name = report.file.clone();
            if self.style.every_test {
                writeln!(to, "{name}")?;
            }
            self.current = Some(File { name, tests: 0, failed: 0, took: Duration::ZERO });
        }
        let failed = matches!(report.verdict, Verdict::Failed(_));
        if let Some(file) = &mut self.current {
            file.tests += 1;
            file.failed += usize::from(failed);
            file.took += report.took;
        }
        match &report.verdict {
            Verdict::Passed if self.style.every_test => {
                let word = self.paint(GREEN, "ok    ");
                writeln!(to, "  {word}  {}  {}", report.name, millis(report.took))
            }
            Verdict::Passed => Ok(()),
            Verdict::Skipped(why) => {
                let word = self.paint(YELLOW, "left out");
                writeln!(to, "  {word}  {}: {why}", report.name)
            }
            Verdict::Failed(failure) => {
                self.failures.push((report.file.clone(), report.name.clone()));
                self.failed(to, report, failure)
            }
        }
    }

    fn end(&mut self, to: &mut dyn Write, summary: &Summary) -> io::Result<()> {
        self.finish_file(to)?;
        let tests = summary.passed + summary.failed;
        let seconds = summary.took.as_secs_f64();
        let rate = if seconds > 0.0 { (tests as f64 / seconds).round() } else { 0.0 };
        writeln!(to)?;
        let skipped = match summary.skipped {
            0 => String::new(),
            skipped => format!(", {skipped} left out"),
        };
        let passed = format!("{} passed", counted(summary.passed, "test"));
        let passed = if summary.failed == 0 { self.paint(GREEN, &passed) } else { passed };
        let failed = match summary.failed {
            0 => String::new(),
            failed => format!(", {}", self.paint(RED, &format!("{failed} failed"))),
        };
        writeln!(
            to,
            "{passed}{failed}{skipped}: {} of calls in {seconds:.2} s, {rate} tests a second, seed {}",
            spoken(summary.simulated),
            summary.seed
        )?;
        for (file, name) in &self.failures {
            let name = name.replace('\\', "\\\\").replace('"', "\\\"");
            let seed = summary.seed;
            writeln!(to, "again: cordboard test {file} --filter \"{name}\" --seed {seed}")?;
        }
        Ok(())
    }
}

fn counted(count: usize, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {what}{ending}")
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// `3 h 12 min`, `4 min 10 s`, `12 s`.
fn spoken(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const BOLD: &str = "1";
