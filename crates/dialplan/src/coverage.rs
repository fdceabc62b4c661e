//! Which lines, branches and routes of the scripts ran, for whoever tests them.
//!
//! Costs nothing unless it is asked for when the scripts load: only then does Lua call at each line.

mod bytecode;
mod marks;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use mlua::Function;
use mlua::debug::Debug;

pub(crate) use marks::COUNTER;

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
    /// How often a call came to each route, in the order of [`Generation::routes`](crate::Generation::routes).
    pub routes: Vec<u64>,
}

/// What is known of one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineCoverage {
    /// How often it was reached.
    pub hits: u64,
    /// What begins on it and can go on in more than one way, in the order of the text.
    pub branches: Vec<Branch>,
}

/// A place where a script can go on in more than one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// What it is.
    pub kind: BranchKind,
    /// The line where it begins.
    pub line: u32,
    /// Where it begins in that line, in bytes from 1.
    pub column: u32,
    /// The line where it ends.
    pub last_line: u32,
    /// A condition or an operand as written, on one line and perhaps cut short; what a function is
    /// called, if that is known.
    pub text: String,
    /// How often a condition or an operand was true, and how often it was not; how often a function
    /// was called or something was found to loop over, and zero.
    pub hits: [u64; 2],
}

/// What can go on in more than one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BranchKind {
    /// Of `if`, `elseif`, `while` or `until`.
    Condition,
    /// Before `and` or `or`: whether what follows is looked at.
    Operand,
    /// A loop with `for`, whose body may never run.
    Loop,
    /// A function, which may never be called.
    Function,
}

impl Branch {
    /// The ways in which it can go on, with how often it did.
    pub fn ways(&self) -> &[u64] {
        match self.kind {
            BranchKind::Condition | BranchKind::Operand => &self.hits,
            BranchKind::Loop | BranchKind::Function => self.hits.get(..1).unwrap_or_default(),
        }
    }
}

impl Coverage {
    /// Adds what another run of the same scripts found.
    pub fn add(&mut self, other: &Self) {
        for (file, lines) in &other.files {
            let known = self.files.entry(file.clone()).or_default();
            for (number, line) in lines {
                let known = known.entry(*number).or_default();
                known.hits += line.hits;
                if known.branches.is_empty() {
                    known.branches.clone_from(&line.branches);
                    continue;
                }
                for (known, branch) in known.branches.iter_mut().zip(&line.branches) {
                    for (known, hits) in known.hits.iter_mut().zip(branch.hits) {
                        *known += hits;
                    }
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
    known: RefCell<Known>,
    /// The lines seen last: the one before, and the present one.
    seen: Cell<(u32, u32)>,
}

/// What there is, and what ran of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    coverage: Coverage,
    /// By the number of its counter: where each branch stands in the coverage.
    counters: Vec<Counter>,
}

#[derive(Debug, Clone)]
struct Counter {
    file: String,
    line: u32,
    /// Among the branches of the line.
    index: usize,
}

impl Recorder {
    /// A recorder that knows what an earlier load of the same scripts learned.
    pub(crate) fn knowing(known: &Known) -> Self {
        Self { known: RefCell::new(known.clone()), seen: Cell::default() }
    }

    /// What was learned so far.
    pub(crate) fn known(&self) -> Known {
        self.known.borrow().clone()
    }

    /// Learns what can run of a file, with the help of whoever compiles a text of it. Gives back what
    /// came of its text with counters in it, or else of the text as it is.
    ///
    /// # Errors
    /// What is wrong with the text as it is.
    pub(crate) fn learn<E>(
        &self,
        file: &str,
        text: &str,
        compile: impl Fn(&str) -> Result<Function, E>,
    ) -> Result<Function, E> {
        let plain = compile(text)?;
        let found = bytecode::lines(&plain.dump(false)).unwrap_or_default();
        let first = self.known.borrow().counters.len();
        let marked = marks::mark(text, first);
        // Room for a local variable more may be missing; then only lines are counted.
        let counted =
            marked.and_then(|marked| Some((compile(&marked.text).ok()?, marked.branches)));
        let (function, branches) = counted.unwrap_or((plain, Vec::new()));
        let mut known = self.known.borrow_mut();
        let Known { coverage, counters } = &mut *known;
        let lines = coverage.files.entry(file.to_owned()).or_default();
        let says_something = |line: &u32| {
            let index = usize::try_from(*line).unwrap_or_default().wrapping_sub(1);
            text.lines().nth(index).is_some_and(|line| !only_closes(line))
        };
        for line in found.into_iter().filter(says_something) {
            lines.insert(line, LineCoverage::default());
        }
        for branch in branches {
            // Nothing runs on the line of a function's name; its first line that can run tells of it.
            let listed = lines.range_mut(branch.line..).next();
            let (line, index) = match listed {
                Some((line, listed)) => {
                    listed.branches.push(branch);
                    (*line, listed.branches.len() - 1)
                }
                None => (0, 0),
            };
            counters.push(Counter { file: file.to_owned(), line, index });
        }
        Ok(function)
    }

    /// A branch goes on in this way.
    pub(crate) fn count(&self, counter: usize, is_so: bool) {
        let mut known = self.known.borrow_mut();
        let Known { coverage, counters } = &mut *known;
        let Some(Counter { file, line, index }) = counters.get(counter) else { return };
        let lines = coverage.files.get_mut(file);
        let Some(on_line) = lines.and_then(|lines| lines.get_mut(line)) else { return };
        let Some(branch) = on_line.branches.get_mut(*index) else { return };
        // Of a condition on several lines, its counter is called on the first, which is seen again.
        let (before, present) = self.seen.get();
        if present == branch.line && (branch.line + 1..=branch.last_line).contains(&before) {
            on_line.hits = on_line.hits.saturating_sub(1);
            self.seen.set((present, present));
        }
        let [yes, no] = &mut branch.hits;
        let body_runs = matches!(branch.kind, BranchKind::Loop | BranchKind::Function);
        *(if is_so || body_runs { yes } else { no }) += 1;
    }

    /// A call came to a route.
    pub(crate) fn enter(&self, route: usize) {
        let routes = &mut self.known.borrow_mut().coverage.routes;
        if routes.len() <= route {
            routes.resize(route + 1, 0);
        }
        if let Some(hits) = routes.get_mut(route) {
            *hits += 1;
        }
    }

    /// Called by Lua at each line.
    pub(crate) fn see(&self, debug: &Debug<'_>) {
        let Some(line) = debug.current_line().and_then(|line| u32::try_from(line).ok()) else {
            return;
        };
        let source = debug.source();
        let Some(file) = source.source.as_deref().and_then(|source| source.strip_prefix('@'))
        else {
            return;
        };
        self.seen.set((self.seen.get().1, line));
        let mut known = self.known.borrow_mut();
        if let Some(known) =
            known.coverage.files.get_mut(file).and_then(|lines| lines.get_mut(&line))
        {
            known.hits += 1;
        }
    }

    /// What ran so far.
    pub(crate) fn coverage(&self, routes: usize) -> Coverage {
        let mut coverage = self.known.borrow().coverage.clone();
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
