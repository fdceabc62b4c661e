//! Running many tests, on many threads.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Instant;

use dialplan::{Coverage, LoadError};

use crate::stage::{Stage, Suite};
use crate::verdict::{Report, Summary, Verdict};
use crate::worker::{Listed, Worker};

/// Which tests run, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// Only tests whose name, or whose file, has this in it.
    pub filter: Option<String>,
    /// From which all chance comes.
    pub seed: u64,
    /// Threads; at least one.
    pub jobs: usize,
    /// Whether to stop after the first test that fails.
    pub fail_fast: bool,
    /// No test begins after that.
    pub until: Option<Instant>,
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Run {
    /// All in numbers.
    pub summary: Summary,
    /// What of the dialplan ran, if that is noted.
    pub coverage: Option<Coverage>,
    /// Tests that did not begin, because one failed or the time was over.
    pub left_out: usize,
}

/// The tests that would run, in their order.
///
/// # Errors
/// Every mistake found in the files: syntax, unknown names, what goes wrong while they are read.
pub fn list(
    stage: &Arc<Stage>,
    suite: &Arc<Suite>,
    filter: Option<&str>,
) -> Result<Vec<Listed>, Vec<LoadError>> {
    let worker = Worker::new(stage, suite)?;
    let (mut tests, mut errors) = (Vec::new(), Vec::new());
    for index in 0..suite.files.len() {
        match worker.list(index) {
            Ok(listed) => tests.extend(listed),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    if let Some(filter) = filter {
        let filter = filter.to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&filter);
        tests.retain(|test| {
            let file = suite.files.get(test.file);
            has(&test.name) || file.is_some_and(|file| has(suite.path(&file.chunk)))
        });
    }
    Ok(tests)
}

/// Runs tests, and tells of each in their order, as soon as those before it are over.
///
/// # Errors
/// Every mistake found in the files; then no test runs.
pub fn run(
    stage: &Arc<Stage>,
    suite: &Arc<Suite>,
    options: &Options,
    tell: impl FnMut(&Report),
) -> Result<Run, Vec<LoadError>> {
    let began = Instant::now();
    let tests = list(stage, suite, options.filter.as_deref())?;
    let mut run = Run::default();
    run.summary.seed = options.seed;
    let jobs = options.jobs.clamp(1, tests.len().max(1));
    let crew = Crew {
        stage,
        suite,
        options,
        tests: &tests,
        next: AtomicUsize::new(0),
        stopped: AtomicBool::new(false),
    };
    let mut telling = Telling { run: &mut run, tell, waiting: BTreeMap::new(), next: 0 };
    if jobs == 1 {
        crew.work(|done| telling.take(done));
    } else {
        thread::scope(|scope| {
            let (sender, results) = channel();
            for _ in 0..jobs {
                let (crew, sender) = (&crew, sender.clone());
                // Nobody listens only when the run is given up.
                scope.spawn(move || crew.work(|done| drop(sender.send(done))));
            }
            drop(sender);
            results.into_iter().for_each(|done| telling.take(done));
        });
    }
    telling.end();
    let summary = &run.summary;
    let told = summary.passed + summary.failed + summary.skipped;
    run.left_out = tests.len().saturating_sub(told);
    run.summary.took = began.elapsed();
    Ok(run)
}

/// Something that a worker did.
enum Done {
    Test(usize, Box<Report>),
    Coverage(Box<Coverage>),
}

/// Tells of tests in their order; they come as they are done.
struct Telling<'a, F> {
    run: &'a mut Run,
    tell: F,
    waiting: BTreeMap<usize, Box<Report>>,
    next: usize,
}

impl<F: FnMut(&Report)> Telling<'_, F> {
    fn take(&mut self, done: Done) {
        match done {
            Done::Test(index, report) => drop(self.waiting.insert(index, report)),
            Done::Coverage(coverage) => self.run.coverage.get_or_insert_default().add(&coverage),
        }
        while let Some(report) = self.waiting.remove(&self.next) {
            self.tell_of(&report);
            self.next += 1;
        }
    }

    /// After a stop there may be holes.
    fn end(mut self) {
        for report in std::mem::take(&mut self.waiting).into_values() {
            self.tell_of(&report);
        }
    }

    fn tell_of(&mut self, report: &Report) {
        self.run.summary.add(report);
        (self.tell)(report);
    }
}

/// What all workers share.
struct Crew<'a> {
    stage: &'a Arc<Stage>,
    suite: &'a Arc<Suite>,
    options: &'a Options,
    tests: &'a [Listed],
    next: AtomicUsize,
    stopped: AtomicBool,
}

impl Crew<'_> {
    fn work(&self, mut done: impl FnMut(Done)) {
        // The same files were read before, so this does not fail.
        let Ok(worker) = Worker::new(self.stage, self.suite) else { return };
        let mut covered: Option<Coverage> = None;
        let is_over = || self.options.until.is_some_and(|until| Instant::now() >= until);
        while !self.stopped.load(Ordering::Relaxed) && !is_over() {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(test) = self.tests.get(index) else { break };
            let (report, coverage) = worker.run(test, self.options.seed);
            if let Some(coverage) = coverage {
                covered.get_or_insert_default().add(&coverage);
            }
            if self.options.fail_fast && matches!(report.verdict, Verdict::Failed(_)) {
                self.stopped.store(true, Ordering::Relaxed);
            }
            done(Done::Test(index, Box::new(report)));
        }
        if let Some(covered) = covered {
            done(Done::Coverage(Box::new(covered)));
        }
    }
}
