//! JUnit's XML, which most build servers read.

use std::io::{self, Write};
use std::time::Duration;

use super::{Human, Reporter, Style};
use crate::verdict::{Report, Summary, Verdict};

/// Tells programs that read JUnit's XML; all at the end, since the counts come first in it.
#[derive(Debug, Default)]
pub struct JUnit {
    reports: Vec<Report>,
}

impl Reporter for JUnit {
    fn test(&mut self, _: &mut dyn Write, report: &Report) -> io::Result<()> {
        self.reports.push(report.clone());
        Ok(())
    }

    fn end(&mut self, to: &mut dyn Write, summary: &Summary) -> io::Result<()> {
        let tests = summary.passed + summary.failed + summary.skipped;
        writeln!(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(
            to,
            "<testsuites name=\"cordboard\" tests=\"{tests}\" failures=\"{}\" skipped=\"{}\" \
             time=\"{}\">",
            summary.failed,
            summary.skipped,
            seconds(summary.took)
        )?;
        for suite in self.reports.chunk_by(|one, other| one.file == other.file) {
            write_suite(to, suite, summary.seed)?;
        }
        writeln!(to, "</testsuites>")
    }
}

fn write_suite(to: &mut dyn Write, suite: &[Report], seed: u64) -> io::Result<()> {
    let count = |is: fn(&Verdict) -> bool| suite.iter().filter(|test| is(&test.verdict)).count();
    let file = suite.first().map(|test| escaped(&test.file)).unwrap_or_default();
    let took: Duration = suite.iter().map(|test| test.took).sum();
    writeln!(
        to,
        "  <testsuite name=\"{file}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" \
         time=\"{}\">",
        suite.len(),
        count(|verdict| matches!(verdict, Verdict::Failed(_))),
        count(|verdict| matches!(verdict, Verdict::Skipped(_))),
        seconds(took)
    )?;
    writeln!(to, "    <properties>")?;
    writeln!(to, "      <property name=\"seed\" value=\"{seed}\"/>")?;
    writeln!(to, "    </properties>")?;
    for test in suite {
        write!(
            to,
            "    <testcase name=\"{}\" classname=\"{file}\" file=\"{file}\" line=\"{}\" \
             time=\"{}\"",
            escaped(&test.name),
            test.line,
            seconds(test.took)
        )?;
        match &test.verdict {
            Verdict::Passed => writeln!(to, "/>")?,
            Verdict::Skipped(why) => {
                writeln!(to, ">\n      <skipped message=\"{}\"/>", escaped(why))?;
                writeln!(to, "    </testcase>")?;
            }
            Verdict::Failed(failure) => {
                let mut text = Vec::new();
                Human::new(Style::default()).test(&mut text, test)?;
                let text = String::from_utf8_lossy(&text).into_owned();
                writeln!(to, ">\n      <failure message=\"{}\">", escaped(&failure.instead))?;
                writeln!(to, "{}</failure>", escaped(text.trim_start_matches('\n')))?;
                writeln!(to, "    </testcase>")?;
            }
        }
    }
    writeln!(to, "  </testsuite>")
}

fn seconds(time: Duration) -> String {
    format!("{:.6}", time.as_secs_f64())
}

/// Text for XML, in which most control characters cannot be written at all.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
