//! Which lines, branches and routes of the scripts ran, for whoever tests them.
//!
//! Costs nothing unless it is asked for when the scripts load: only then does Lua call at each line.

mod bytecode;

use std::cell::RefCell;
use std::collections::BTreeMap;

use mlua::debug::Debug;
use mlua::{Function, Lua};

use crate::error::SCRIPTS_FOLDER;

/// Whether it is noted what runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Watch {
    /// As an exchange does: nothing is noted, nothing is slower.
    #[default]
    Nothing,
    /// Each line and route that runs is counted, at several times the cost.
    Lines,
}

/// What ran of a set of scripts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// By file, for example `scripts/main.lua`: its lines that can run, from 1. A file that was never
    /// required stands here too.
    pub files: BTreeMap<String, BTreeMap<u32, LineCoverage>>,
    /// How often a call came to each route, in the order of [`Generation::routes`](crate::Generation::routes)
    /// (crate::Generation::routes).
    pub routes: Vec<u64>,
}

/// What is known of one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineCoverage {
    /// How often it was reached.
    pub hits: u64,
    /// For a line with a condition: the lines it can lead to, with how often it did. Empty where both
    /// ways begin on one line.
    pub leads_to: BTreeMap<u32, u64>,
}

impl Coverage {
    /// Adds what another run of the same scripts found.
    pub fn add(&mut self, other: &Self) {
        for (file, lines) in &other.files {
            let known = self.files.entry(file.clone()).or_default();
            for (number, line) in lines {
                let known = known.entry(*number).or_default();
                known.hits += line.hits;
                for (to, hits) in &line.leads_to {
                    *known.leads_to.entry(*to).or_default() += hits;
                }
            }
        }
        if self.routes.len() < other.routes.len() {
            self.routes.resize(other.routes.len(), 0);
        }
        for (known, hits) in self.routes.iter_mut().zip(&other.routes) {
            *known += hits;
        }
    }
}

/// Notes what runs, while scripts run.
#[derive(Default)]
pub(crate) struct Recorder {
    coverage: RefCell<Coverage>,
    /// The line seen last in each function of each coroutine, for branches.
    last: RefCell<BTreeMap<Activation, u32>>,
}

/// A coroutine, and the first line of the function in it.
type Activation = (usize, String, usize);

impl Recorder {
    /// Learns which lines of a file can run.
    pub(crate) fn learn(&self, file: &str, compiled: &Function, text: &str) {
        let lines = bytecode::lines(&compiled.dump(false)).unwrap_or_default();
        let mut coverage = self.coverage.borrow_mut();
        let known = coverage.files.entry(file.to_owned()).or_default();
        let says_something = |line: &u32| {
            let index = usize::try_from(*line).unwrap_or_default().wrapping_sub(1);
            text.lines().nth(index).is_some_and(|line| !only_closes(line))
        };
        for (line, leads_to) in lines.into_iter().filter(|(line, _)| says_something(line)) {
            let leads_to = leads_to.into_iter().map(|to| (to, 0)).collect();
            known.insert(line, LineCoverage { hits: 0, leads_to });
        }
    }

    /// A call came to a route.
    pub(crate) fn enter(&self, route: usize) {
        let routes = &mut self.coverage.borrow_mut().routes;
        if routes.len() <= route {
            routes.resize(route + 1, 0);
        }
        if let Some(hits) = routes.get_mut(route) {
            *hits += 1;
        }
    }

    /// Called by Lua at each line.
    pub(crate) fn see(&self, lua: &Lua, debug: &Debug<'_>) {
        let Some(line) = debug.current_line().and_then(|line| u32::try_from(line).ok()) else {
            return;
        };
        let source = debug.source();
        let Some(file) = source.source.as_deref().and_then(|source| source.strip_prefix('@'))
        else {
            return;
        };
        if !file.starts_with(SCRIPTS_FOLDER) {
            return;
        }
        let thread = lua.current_thread().to_pointer() as usize;
        let activation = (thread, file.to_owned(), source.line_defined.unwrap_or_default());
        let before = self.last.borrow_mut().insert(activation, line);
        let mut coverage = self.coverage.borrow_mut();
        let Some(lines) = coverage.files.get_mut(file) else { return };
        if let Some(known) = lines.get_mut(&line) {
            known.hits += 1;
        }
        if let Some(taken) =
            before.and_then(|before| lines.get_mut(&before)?.leads_to.get_mut(&line))
        {
            *taken += 1;
        }
    }

    /// What ran so far.
    pub(crate) fn coverage(&self, routes: usize) -> Coverage {
        let mut coverage = self.coverage.borrow().clone();
        coverage.routes.resize(routes, 0);
        coverage
    }
}

/// Whether a line has nothing to run but the end of something: `end)`, `else`, `}`.
fn only_closes(line: &str) -> bool {
    let code = line.split("--").next().unwrap_or_default();
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .all(|word| matches!(word, "end" | "else"))
        && !code.contains(['"', '\'', '[', '('])
}
