//! One test while it runs: its office, what it waits for, and what it found so far.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use bench::{Office, PartyId, Weather, What};
use dialplan::aside::{self, Aside, Stop};
use dialplan::{Coverage, LogLevel, ScriptError};
use jiff::Zoned;
use jiff::civil::DateTime;
use mlua::Lua;
use pbx::Notice;

use crate::entry::Dialplan;
use crate::outside::{Outside, Wrong};
use crate::stage::{Stage, Suite};
use crate::verdict::{Failure, Spot};
use crate::wall::{USUAL, in_zone};

/// One test while it runs; one case of a property, while that runs.
pub(crate) struct Session {
    stage: Arc<Stage>,
    suite: Arc<Suite>,
    /// Lua holds sessions, so they hold no Lua: neither would ever go.
    aside: Weak<Aside>,
    seed: u64,
    /// Opened when it is first needed, so that a test can say before what time it is.
    office: RefCell<Option<Office>>,
    /// Whether the test or case is over.
    is_over: Cell<bool>,
    plan: RefCell<Plan>,
    watch: RefCell<Watch>,
    marks: RefCell<BTreeMap<PartyId, Marks>>,
    outside: Outside,
    /// Things that happened in its office.
    steps: Cell<u64>,
    /// How much of the time was passed over, to be at a later one.
    passed_over: Cell<Duration>,
    /// How much time went by in the cases of its properties,
    cases_elapsed: Cell<Duration>,
    /// and what of the dialplan ran in them.
    cases_covered: RefCell<Option<Coverage>>,
}

/// What an office will be like.
struct Plan {
    /// Addresses that count as allowed, beside those of the configuration.
    allowed: Vec<pbx::Allowed>,
    dialplan: Dialplan,
    wall: DateTime,
    weather: Weather,
}

/// Looks out for scripts that fail.
#[derive(Default)]
struct Watch {
    /// Happenings that were looked at.
    looked_at: usize,
    /// Parts of errors that the test expects, and whether they came.
    expected: Vec<(String, bool)>,
    /// The first that it does not.
    failed: Option<ScriptError>,
}

/// Up to where a test has looked at what a party heard and saw.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Marks {
    /// Entries of what it heard.
    pub(crate) heard: usize,
    /// Messages that it sent or got.
    pub(crate) seen: usize,
    /// Its calls.
    pub(crate) rung: usize,
}

/// Why something a test asked for did not come to be.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The test asks for something that does not exist.
    Misuse(String),
    /// This was expected, and that happened instead.
    Unmet {
        /// What was expected.
        expected: String,
        /// What happened.
        instead: String,
    },
    /// A script failed on the way.
    Script(Box<ScriptError>),
    /// Lua ran in between, and raised this.
    Raised(mlua::Error),
}

impl From<String> for Problem {
    fn from(misuse: String) -> Self {
        Self::Misuse(misuse)
    }
}

impl From<bench::ActError> for Problem {
    fn from(error: bench::ActError) -> Self {
        Self::Misuse(error.to_string())
    }
}

impl From<mlua::Error> for Problem {
    fn from(error: mlua::Error) -> Self {
        Self::Raised(error)
    }
}

/// A failure on its way out of a test, through Lua.
#[derive(Debug, Clone)]
pub(crate) struct Failed(pub(crate) Box<Failure>);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.expected.is_empty() {
            return f.write_str(&self.0.instead);
        }
        write!(f, "expected {}; instead {}", self.0.expected, self.0.instead)
    }
}

impl std::error::Error for Failed {}

impl Session {
    pub(crate) fn new(
        stage: &Arc<Stage>,
        suite: &Arc<Suite>,
        aside: &Weak<Aside>,
        dialplan: Dialplan,
        seed: u64,
    ) -> Rc<Self> {
        let session = Self {
            stage: Arc::clone(stage),
            suite: Arc::clone(suite),
            aside: Weak::clone(aside),
            seed,
            office: RefCell::default(),
            is_over: Cell::new(false),
            plan: RefCell::new(Plan {
                allowed: Vec::new(),
                dialplan,
                wall: USUAL,
                weather: Weather::calm(),
            }),
            watch: RefCell::default(),
            marks: RefCell::default(),
            outside: Outside::new(aside),
            steps: Cell::new(0),
            passed_over: Cell::default(),
            cases_elapsed: Cell::default(),
            cases_covered: RefCell::default(),
        };
        session.set_time(&in_zone(USUAL, &stage.config.time_zone));
        Rc::new(session)
    }

    /// Another session with the same beginning and another seed: a case of a property.
    pub(crate) fn afresh(&self, seed: u64) -> Rc<Self> {
        let dialplan = self.plan.borrow().dialplan.clone();
        Self::new(&self.stage, &self.suite, &self.aside, dialplan, seed)
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Where the functions of the test run.
    ///
    /// # Errors
    /// Only when the run is over.
    pub(crate) fn aside(&self) -> Result<Rc<Aside>, Problem> {
        self.aside.upgrade().ok_or_else(|| Problem::Misuse(OVER.into()))
    }

    fn set_time(&self, now: &Zoned) {
        if let Some(aside) = self.aside.upgrade() {
            aside.set_time(now);
        }
    }

    /// Ends the test or case: its office is closed at once. Lua may hold what belongs to it for long,
    /// but nothing can be done with that any more.
    pub(crate) fn close(&self) {
        self.is_over.set(true);
        drop(self.office.take());
    }

    pub(crate) fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Whether the office has been opened.
    pub(crate) fn is_open(&self) -> bool {
        self.office.borrow().is_some()
    }

    /// The office, opened if it was not yet.
    pub(crate) fn office(&self) -> Result<RefMut<'_, Office>, Problem> {
        let Ok(mut office) = self.office.try_borrow_mut() else {
            let busy = "a function that answers for the outside cannot let time go on";
            return Err(Problem::Misuse(busy.into()));
        };
        if self.is_over.get() {
            return Err(Problem::Misuse(OVER.into()));
        }
        if office.is_none() {
            let plan = self.plan.borrow();
            let mut setup =
                self.stage.setup(&plan.dialplan, plan.wall, plan.weather.clone(), self.seed);
            setup.config.http_allow.extend(plan.allowed.iter().cloned());
            let mut opened = Office::new(setup).map_err(|mistakes| {
                let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
                Problem::Misuse(format!("the dialplan does not load: {}", mistakes.join("; ")))
            })?;
            opened.set_outside(Box::new(self.outside.clone()));
            *office = Some(opened);
        }
        RefMut::filter_map(office, Option::as_mut)
            .map_err(|_| Problem::Misuse("the office did not open".into()))
    }

    /// The scripts of the office that is opened.
    pub(crate) fn set_dialplan(&self, dialplan: Dialplan) {
        self.plan.borrow_mut().dialplan = dialplan;
    }

    /// Who answers what scripts ask of the world outside.
    pub(crate) fn outside(&self) -> &Outside {
        &self.outside
    }

    /// Lets scripts reach an address in the office that is opened.
    pub(crate) fn allow(&self, address: pbx::Allowed) {
        self.plan.borrow_mut().allowed.push(address);
    }

    /// What the wall clock shows when the office opens.
    pub(crate) fn set_wall(&self, wall: DateTime) {
        self.plan.borrow_mut().wall = wall;
        self.set_time(&in_zone(wall, &self.stage.config.time_zone));
    }

    /// How the network treats messages when the office opens.
    pub(crate) fn set_weather(&self, weather: Weather) {
        self.plan.borrow_mut().weather = weather;
    }

    /// A part of an error that a script is going to raise.
    pub(crate) fn expect_error(&self, text: String) {
        self.watch.borrow_mut().expected.push((text, false));
    }

    pub(crate) fn marks(&self, party: PartyId) -> Marks {
        self.marks.borrow().get(&party).copied().unwrap_or_default()
    }

    pub(crate) fn mark(&self, party: PartyId, change: impl FnOnce(&mut Marks)) {
        change(self.marks.borrow_mut().entry(party).or_default());
    }

    /// Lets time go on until something is so, or `limit` is over; says whether it came to be.
    ///
    /// # Errors
    /// When a script fails that should not, or things keep happening without end.
    pub(crate) fn until(
        &self,
        limit: Duration,
        mut is_so: impl FnMut(&Office) -> bool,
    ) -> Result<bool, Problem> {
        let mut office = self.office()?;
        let mut came = false;
        office.run_until_that(limit, |office| {
            self.steps.set(self.steps.get() + 1);
            came = is_so(office);
            came || self.steps.get() > STEPS_MAX
                || self.outside.has_wrong()
                || self.watch.borrow_mut().look(office)
        });
        self.set_time(&office.wall());
        let mut watch = self.watch.borrow_mut();
        watch.look(&office);
        match self.outside.take_wrong() {
            Some(Wrong::Unexpected { method, url }) => {
                let address = url.split('?').next().unwrap_or_default();
                return Err(Problem::Unmet {
                    expected: "scripts to ask only what the test answers".into(),
                    instead: format!(
                        "one asks {method} {url}; write t:http(\"{method}\", \"{address}\", {{ \
                         status = 200 }}) before the first phone or call"
                    ),
                });
            }
            Some(Wrong::Failed(Stop::Raised(error))) => return Err(Problem::Raised(error)),
            Some(Wrong::Failed(Stop::Spent(error))) => {
                let problem = format!("the function that answers {}", error.message);
                return Err(Problem::Misuse(problem));
            }
            None => {}
        }
        if let Some(error) = watch.failed.take() {
            return Err(Problem::Script(Box::new(error)));
        }
        if self.steps.get() > STEPS_MAX {
            return Err(Problem::Unmet {
                expected: "the exchange to come to rest".into(),
                instead: format!("{STEPS_MAX} things happened without an end"),
            });
        }
        Ok(came)
    }

    /// Lets so much time go by.
    ///
    /// # Errors
    /// As [`Self::until`].
    pub(crate) fn run_for(&self, time: Duration) -> Result<(), Problem> {
        self.until(time, |_| false).map(|_| ())
    }

    /// Lets time pass to be at a later one: a year, perhaps, in which nobody calls.
    ///
    /// # Errors
    /// As [`Self::until`].
    pub(crate) fn pass_over(&self, time: Duration) -> Result<(), Problem> {
        let before = self.elapsed();
        let passed = self.run_for(time);
        self.passed_over.set(self.passed_over.get() + self.elapsed().saturating_sub(before));
        passed
    }

    /// Ends all calls, and tells what is left over.
    ///
    /// # Errors
    /// Whatever is not as it should be in the end.
    pub(crate) fn finish(&self) -> Result<(), Problem> {
        if self.is_open() {
            {
                let mut office = self.office()?;
                let parties: Vec<PartyId> = office.parties().iter().map(bench::Party::id).collect();
                for party in parties {
                    if !office.party(party).is_some_and(bench::Party::is_present) {
                        office.act(party, bench::Act::Return)?;
                    }
                    while office.party(party).is_some_and(|party| !party.is_free()) {
                        if office.act(party, bench::Act::Hangup).is_err() {
                            break;
                        }
                        // Giving up takes until the exchange agrees.
                        let is_free =
                            |office: &Office| office.party(party).is_none_or(bench::Party::is_free);
                        if !office.run_until_that(GIVING_UP_MAX, is_free) {
                            break;
                        }
                    }
                }
            }
            let left = self.office()?.finish();
            // Scripts that failed while all was cleared up count as well.
            self.until(Duration::ZERO, |_| false)?;
            if let Some(first) = left.first() {
                return Err(Problem::Unmet {
                    expected: "nothing to be left over when all have hung up".into(),
                    instead: format!("{first}{}", and_more(left.len() - 1)),
                });
            }
        }
        match self.watch.borrow().expected.iter().find(|(_, came)| !came) {
            Some((text, _)) => Err(Problem::Unmet {
                expected: format!("a script to fail with \"{text}\""),
                instead: "none did".into(),
            }),
            None => Ok(()),
        }
    }

    /// How much time went by in its office.
    pub(crate) fn elapsed(&self) -> Duration {
        self.office.borrow().as_ref().map(Office::elapsed).unwrap_or_default()
    }

    /// How much time went by in all, the cases of its properties included, but for what was passed
    /// over.
    pub(crate) fn elapsed_in_all(&self) -> Duration {
        self.elapsed().saturating_sub(self.passed_over.get()) + self.cases_elapsed.get()
    }

    /// What of the dialplan ran, if that is noted.
    pub(crate) fn coverage(&self) -> Option<Coverage> {
        let own = self.office.borrow().as_ref().and_then(Office::script_coverage);
        let mut all = self.cases_covered.borrow().clone();
        if let Some(own) = own {
            all.get_or_insert_default().add(&own);
        }
        all
    }

    /// Counts what a case of a property took and ran as its own.
    pub(crate) fn take_over(&self, case: &Self) {
        self.cases_elapsed.set(self.cases_elapsed.get() + case.elapsed_in_all());
        if let Some(coverage) = case.coverage() {
            self.cases_covered.borrow_mut().get_or_insert_default().add(&coverage);
        }
    }

    /// A problem as an error for Lua, with the lines that led there.
    pub(crate) fn raise(&self, lua: &Lua, about: &str, problem: Problem) -> mlua::Error {
        if let Problem::Raised(error) = problem {
            return error;
        }
        let mut failure = self.failure(problem);
        if failure.expected.is_empty() && failure.cause.is_none() {
            failure.instead = format!("{about}: {}", failure.instead);
        }
        let lines = aside::stack(lua);
        failure.at = lines.iter().map(|at| self.spot(&at.file, at.line)).collect();
        mlua::Error::external(Failed(Box::new(failure)))
    }

    /// A problem with all that happened until then.
    pub(crate) fn failure(&self, problem: Problem) -> Failure {
        let mut failure = Failure::default();
        match problem {
            Problem::Misuse(text) => failure.instead = text,
            Problem::Unmet { expected, instead } => {
                failure.expected = expected;
                failure.instead = instead;
            }
            Problem::Script(error) => {
                failure.instead = format!("the dialplan failed: {}", error.message);
                if let Some(verb) = error.verb {
                    failure.instead =
                        format!("the dialplan failed: call:{verb}: {}", error.message);
                }
                failure.cause = error.line.map(|line| self.spot(&error.file, line));
                failure.traceback = error.traceback.clone();
            }
            Problem::Raised(error) => self.explain(&error, &mut failure),
        }
        self.tell_story(&mut failure);
        failure
    }

    /// What Lua raised, with its place.
    pub(crate) fn explain(&self, error: &mlua::Error, failure: &mut Failure) {
        let error = aside::explained(error);
        failure.instead = error.message;
        failure.at = error.line.map(|line| self.spot(&error.file, line)).into_iter().collect();
    }

    /// Adds what happened until now.
    pub(crate) fn tell_story(&self, failure: &mut Failure) {
        // Held only while time goes on, and then nobody asks.
        let Ok(office) = self.office.try_borrow() else { return };
        let Some(office) = office.as_ref() else { return };
        failure.ladder = office.ladder();
    }

    /// A line of a file, as people would type it.
    pub(crate) fn spot(&self, file: &str, line: u32) -> Spot {
        Spot {
            file: self.suite.path(file).to_owned(),
            line,
            text: self.suite.line(file, line).to_owned(),
        }
    }
}

impl Watch {
    /// Looks at what happened since the last look; says whether a script failed that should not.
    fn look(&mut self, office: &Office) -> bool {
        let happenings = office.happenings();
        for happening in happenings.get(self.looked_at..).unwrap_or_default() {
            let What::Exchange(Notice::ScriptFailed(failed)) = &happening.what else { continue };
            let told = failed.error.to_string();
            match self.expected.iter_mut().find(|(text, _)| told.contains(text.as_str())) {
                Some((_, came)) => *came = true,
                None => drop(self.failed.get_or_insert_with(|| failed.error.clone())),
            }
        }
        self.looked_at = happenings.len();
        self.failed.is_some()
    }
}

pub(crate) fn level_word(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    }
}

fn and_more(count: usize) -> String {
    if count == 0 { String::new() } else { format!(", and {count} more of the kind") }
}

/// Why nothing can be done with what Lua kept.
const OVER: &str = "this belongs to a test or a case that is over";
/// Things that may happen in one test; a call takes some thirty.
const STEPS_MAX: u64 = 1_000_000;
/// How long giving up a call takes at most: the exchange repeats itself for 32 seconds.
const GIVING_UP_MAX: Duration = Duration::from_secs(35);
