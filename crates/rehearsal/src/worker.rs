//! One Lua state that runs tests, one after the other.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dialplan::aside::{self, Aside, Budget, Stop};
use dialplan::{Coverage, LIBRARIES, LoadError};
use mlua::{Function, Lua, MultiValue, Value};

use crate::api;
use crate::entry::Entries;
use crate::given::Given;
use crate::object::{T, explain};
use crate::property::add_generators;
use crate::session::{Failed, Session};
use crate::stage::{Stage, Suite, TestFile};
use crate::verdict::{Failure, Report, Verdict};
use crate::wall::{USUAL, in_zone};

/// Runs tests on one thread.
pub(crate) struct Worker {
    stage: Arc<Stage>,
    suite: Arc<Suite>,
    aside: Rc<Aside>,
    entries: Entries,
    compiled: BTreeMap<String, Function>,
}

/// What a file of tests said when it was read.
#[derive(Default)]
pub(crate) struct Said {
    tests: Vec<Entry>,
    befores: Vec<Function>,
    /// The script that the tests are about, if it is not `main.lua`.
    entry: Option<(String, u32)>,
    /// Whether a test runs, which cannot add others.
    running: bool,
}

/// A test as its file defines it.
struct Entry {
    name: String,
    line: u32,
    skip: Option<String>,
    function: Function,
}

/// A test that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The file, by its place in the suite.
    pub file: usize,
    /// Its name, which no other in the file has.
    pub name: String,
    /// The line where it begins, from 1.
    pub line: u32,
}

impl Worker {
    pub(crate) fn new(stage: &Arc<Stage>, suite: &Arc<Suite>) -> Result<Self, Vec<LoadError>> {
        let now = in_zone(USUAL, &stage.config.time_zone);
        let limits = dialplan::Limits { log_lines: 0, ..dialplan::Limits::default() };
        let aside = Aside::new(&suite.modules, limits, &now, 0)?;
        let mut worker = Self {
            stage: Arc::clone(stage),
            suite: Arc::clone(suite),
            aside: Rc::new(aside),
            entries: Entries::new(&stage.sources, &stage.kept),
            compiled: BTreeMap::new(),
        };
        let mut errors = Vec::new();
        for file in &suite.files {
            match worker.aside.compile(&file.chunk, &file.text) {
                Ok(function) => drop(worker.compiled.insert(file.chunk.clone(), function)),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty()
            && let Err(error) = worker.furnish()
        {
            errors.push(worker.load_error(None, &error));
        }
        if errors.is_empty() { Ok(worker) } else { Err(errors) }
    }

    /// Takes what tests cannot use out of the library, and adds what they have.
    fn furnish(&self) -> mlua::Result<()> {
        let (lua, library) = (self.aside.lua(), self.aside.library());
        library.raw_set("route", Value::Nil)?;
        for spec in LIBRARIES.iter().filter(|spec| !SHARED.contains(&spec.library.word())) {
            match spec.library.word() {
                "" => {
                    let own = spec.functions.iter().filter(|spec| !SHARED.contains(&spec.name));
                    for function in own {
                        library.raw_set(function.name, Value::Nil)?;
                    }
                }
                word => library.raw_set(word, Value::Nil)?,
            }
        }
        let generators = lua.create_table()?;
        add_generators(lua, &generators)?;
        library.raw_set("gen", generators)?;
        for spec in api::TEST_GLOBAL.functions {
            let add = move |lua: &Lua, values: MultiValue| {
                let at = aside::stack(lua).into_iter().next();
                let added = Given::new(spec, values).and_then(|given| {
                    said(lua, |said| {
                        let line = at.as_ref().map(|at| at.line).unwrap_or_default();
                        said.take(spec.name, &given, line)
                    })?
                });
                added.map_err(|problem| {
                    let at = at.map(|at| format!("{}:{}: ", at.file, at.line)).unwrap_or_default();
                    mlua::Error::RuntimeError(format!("{at}{}: {problem}", spec.name))
                })
            };
            library.raw_set(spec.name, lua.create_function(add)?)?;
        }
        Ok(())
    }

    /// Reads a file of tests; nothing of them runs.
    fn read(&self, file: &TestFile, seed: u64) -> Result<(), Stop> {
        let now = in_zone(USUAL, &self.stage.config.time_zone);
        self.aside.refresh(&now, seed.cast_signed()).map_err(Stop::Raised)?;
        self.aside.lua().set_app_data(RefCell::new(Said::default()));
        if let Some(function) = self.compiled.get(&file.chunk) {
            self.aside.run(function, (), READING)?;
        }
        Ok(())
    }

    /// The tests of a file, in their order.
    ///
    /// # Errors
    /// What went wrong while the file was read.
    pub(crate) fn list(&self, index: usize) -> Result<Vec<Listed>, LoadError> {
        let Some(file) = self.suite.files.get(index) else { return Ok(Vec::new()) };
        self.read(file, 0).map_err(|stop| match stop {
            Stop::Raised(error) => self.load_error(Some(file), &error),
            Stop::Spent(error) => {
                LoadError::at(&error.file, error.line, format!("the file {}", error.message))
            }
        })?;
        if let Ok(Some((path, line))) = said(self.aside.lua(), |said| said.entry.clone())
            && let Err(problem) = self.entries.beginning_in(&path)
        {
            let mut told = LoadError::at(&file.chunk, Some(line), format!("dialplan: {problem}"));
            told.source_line = Some(self.suite.line(&file.chunk, line).to_owned());
            return Err(told);
        }
        let listed = said(self.aside.lua(), |said| {
            let listed = said.tests.iter().map(|entry| Listed {
                file: index,
                name: entry.name.clone(),
                line: entry.line,
            });
            listed.collect()
        });
        let mut listed: Vec<Listed> = listed.unwrap_or_default();
        // Tests that a loop adds have one line, and may come in any order.
        listed.sort_by(|one, other| (one.line, &one.name).cmp(&(other.line, &other.name)));
        Ok(listed)
    }

    fn load_error(&self, file: Option<&TestFile>, error: &mlua::Error) -> LoadError {
        let error = aside::explained(error);
        let chunk = file.map(|file| file.chunk.as_str()).unwrap_or_default();
        let name = if error.file.is_empty() { chunk } else { &error.file };
        let mut told = LoadError::at(name, error.line, error.message);
        told.source_line = error.line.map(|line| self.suite.line(name, line).to_owned());
        told
    }

    /// Runs one test, and tells what of the dialplan it ran.
    pub(crate) fn run(&self, test: &Listed, seed: u64) -> (Report, Option<Coverage>) {
        let began = Instant::now();
        let mut report = Report {
            file: String::new(),
            name: test.name.clone(),
            line: test.line,
            verdict: Verdict::Passed,
            took: Duration::ZERO,
            simulated: Duration::ZERO,
        };
        let mut coverage = None;
        if let Some(file) = self.suite.files.get(test.file) {
            report.file = self.suite.path(&file.chunk).to_owned();
            let running = AssertUnwindSafe(|| self.run_inside(file, test, seed));
            let (verdict, simulated, ran) = catch_unwind(running).unwrap_or_else(|_| {
                let instead = "an internal fault of the bench; what it printed tells more".into();
                let failure = Failure { instead, ..Failure::default() };
                (Verdict::Failed(Box::new(failure)), Duration::ZERO, None)
            });
            report.verdict = verdict;
            report.simulated = simulated;
            coverage = ran;
        }
        report.took = began.elapsed();
        (report, coverage)
    }

    fn run_inside(
        &self,
        file: &TestFile,
        test: &Listed,
        seed: u64,
    ) -> (Verdict, Duration, Option<Coverage>) {
        // Tests draw from one seed, and yet each from its own, whichever others run.
        let seed = mixed(seed, &file.chunk, &test.name);
        let usual = self.entries.usual();
        let aside = Rc::downgrade(&self.aside);
        let session = Session::new(&self.stage, &self.suite, &aside, usual, seed);
        let ran = self.read(file, seed).and_then(|()| {
            self.choose_dialplan(&session)?;
            self.call(test, &session)
        });
        let mut failure = match ran {
            Ok(Some(skipped)) => return (Verdict::Skipped(skipped), Duration::ZERO, None),
            Ok(None) => session.finish().err().map(|problem| session.failure(problem)),
            Err(stop) => Some(explain(&session, stop)),
        };
        if let Some(failure) = &mut failure
            && failure.at.is_empty()
        {
            failure.at.push(session.spot(&file.chunk, test.line));
        }
        let mut coverage = session.coverage();
        if let Some(coverage) = &mut coverage
            && said(self.aside.lua(), |said| said.entry.is_some()).unwrap_or_default()
        {
            // Of another dialplan: its routes are not those that are counted, its entry is ours.
            coverage.routes.clear();
            coverage.files.remove("scripts/main.lua");
        }
        let verdict = failure.map_or(Verdict::Passed, |failure| Verdict::Failed(Box::new(failure)));
        let elapsed = session.elapsed_in_all();
        session.close();
        (verdict, elapsed, coverage)
    }

    /// Gives the test the dialplan that its file names.
    fn choose_dialplan(&self, session: &Session) -> Result<(), Stop> {
        let wrong = |problem| Stop::Raised(mlua::Error::RuntimeError(problem));
        let entry = said(self.aside.lua(), |said| said.entry.clone()).map_err(wrong)?;
        if let Some((path, _)) = entry {
            session.set_dialplan(self.entries.beginning_in(&path).map_err(wrong)?);
        }
        Ok(())
    }

    /// Calls the function of a test; gives back why it was left out, if it was.
    fn call(&self, test: &Listed, session: &Rc<Session>) -> Result<Option<String>, Stop> {
        let lua = self.aside.lua();
        let found = said(lua, |said| {
            said.running = true;
            // By its name: `pairs` goes through a table in another order in each Lua state.
            let entry = said.tests.iter().find(|entry| entry.name == test.name)?;
            Some((entry.function.clone(), entry.skip.clone()))
        });
        let Some((function, skip)) = found.ok().flatten() else {
            let gone = "this test is not there any more when its file is read again; does it \
                        depend on chance?";
            return Err(Stop::Raised(mlua::Error::external(Failed(Box::new(Failure {
                instead: gone.into(),
                ..Failure::default()
            })))));
        };
        if skip.is_some() {
            return Ok(skip);
        }
        let t = T::value(lua, session).map_err(Stop::Raised)?;
        for before in befores(lua).map_err(Stop::Raised)? {
            self.aside.run(&before, t.clone(), CASE)?;
        }
        self.aside.run(&function, t, TEST)?;
        Ok(None)
    }
}

impl Said {
    /// Takes what a file says with `test` or `before`.
    fn take(&mut self, name: &str, given: &Given, line: u32) -> Result<(), String> {
        if self.running {
            return Err("cannot stand inside of a test".into());
        }
        if name == "dialplan" {
            if self.entry.is_some() || !self.tests.is_empty() {
                return Err("stands once in a file, before its tests".into());
            }
            self.entry = Some((given.needed("name")?, line));
            return Ok(());
        }
        let function = given.function("function")?;
        if name == "before" {
            self.befores.push(function);
            return Ok(());
        }
        let name = given.needed("name")?;
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            return Err("the name must be a sentence on one line".into());
        }
        if let Some(same) = self.tests.iter().find(|test| test.name == name) {
            return Err(format!("line {} has a test of this name already", same.line));
        }
        if self.tests.len() >= TESTS_MAX {
            return Err(format!("more than {TESTS_MAX} tests in one file"));
        }
        let skip = given.text("skip")?;
        self.tests.push(Entry { name, line, skip, function });
        Ok(())
    }
}

/// What the file that was read last said.
fn said<V>(lua: &Lua, look: impl FnOnce(&mut Said) -> V) -> Result<V, String> {
    let Some(said) = lua.app_data_ref::<RefCell<Said>>() else {
        return Err("no file of tests is being read".into());
    };
    let Ok(mut said) = said.try_borrow_mut() else {
        return Err("no file of tests is being read".into());
    };
    Ok(look(&mut said))
}

/// What runs before each test.
pub(crate) fn befores(lua: &Lua) -> mlua::Result<Vec<Function>> {
    said(lua, |said| said.befores.clone()).map_err(mlua::Error::RuntimeError)
}

/// A seed of its own for each test (FNV-1a over its names).
fn mixed(seed: u64, file: &str, name: &str) -> u64 {
    let bytes = file.bytes().chain([0]).chain(name.bytes());
    bytes.fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Of what scripts have, what tests have too: names of libraries and of globals.
pub const SHARED: &[&str] = &["", "time", "log", "json", "print", "require"];
/// For a file to be read.
const READING: Budget = Budget { instructions: 20_000_000, bytes: 64 << 20 };
/// For one case of a property, or what runs before a test.
pub(crate) const CASE: Budget = Budget { instructions: 20_000_000, bytes: 64 << 20 };
/// For one test; the cases of its properties have their own.
const TEST: Budget = Budget { instructions: 20_000_000, bytes: 64 << 20 };
/// Tests in one file.
const TESTS_MAX: usize = 5_000;
