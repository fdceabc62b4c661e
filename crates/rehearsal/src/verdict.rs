//! What became of a test.

use std::time::Duration;

/// A test that ran, or was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its file, as one would type it.
    pub file: String,
    /// Its name.
    pub name: String,
    /// The line where it begins, from 1.
    pub line: u32,
    /// How it ended.
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
    /// How much time passed in it, but for what `t:at` passed over.
    pub simulated: Duration,
}

/// How a test ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everything was as it should be.
    Passed,
    /// It was left out, for this reason.
    Skipped(String),
    /// Something was not.
    Failed(Box<Failure>),
}

/// What was not as it should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// The lines of the test that led there, innermost first; may be empty.
    pub at: Vec<Spot>,
    /// What was expected; empty when nothing in particular was.
    pub expected: String,
    /// What happened instead.
    pub instead: String,
    /// The line of the dialplan that is to blame, if one is.
    pub cause: Option<Spot>,
    /// The calls that led to that line, innermost first.
    pub traceback: Vec<String>,
    /// For a property: the case that failed.
    pub case: Option<Case>,
    /// Everything that happened, as a person would draw it, with what the scripts logged.
    pub ladder: String,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The file, as one would type it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// Its text; empty when unknown.
    pub text: String,
}

/// The case of a property that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// As one would write it in Lua.
    pub value: String,
    /// Which run found one that failed, from 1.
    pub run: usize,
    /// How often a simpler one was found that failed too.
    pub simplified: usize,
}

/// All that ran.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Tests that passed.
    pub passed: usize,
    /// Tests that failed.
    pub failed: usize,
    /// Tests that were left out.
    pub skipped: usize,
    /// How long all took together, on the wall.
    pub took: Duration,
    /// How much time passed in them, but for what `t:at` passed over.
    pub simulated: Duration,
    /// From which all chance came.
    pub seed: u64,
}

impl Summary {
    /// Counts one more.
    pub fn add(&mut self, report: &Report) {
        match report.verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Skipped(_) => self.skipped += 1,
            Verdict::Failed(_) => self.failed += 1,
        }
        self.simulated += report.simulated;
    }
}
