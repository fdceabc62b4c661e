//! What can follow what: code that never runs, verbs in an order that cannot work, routes that end
//! without having done anything for the caller, and who sends a call on to whom.
//!
//! Each function is walked once to tell what is found, and up to three times before that to know what
//! it makes of a call: one that waits, one that was served, one that is answered.

mod conditions;
mod walker;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use self::conditions::Conditions;
use self::walker::Walker;
use super::Report;
use super::facts::{Facts, FileId, FunctionId};
use super::values::Values;
use crate::syntax::Span;

/// Functions calling functions that are followed.
const DEPTH_MAX: u32 = 12;

/// How things may stand when a place is reached; nothing set says that it never is.
#[derive(Debug, Clone, Default)]
struct State<'t> {
    /// Nothing was done for the caller, and what is known on that way.
    idle: Option<Conditions<'t>>,
    /// Something was done for the caller.
    served: bool,
    /// The call is answered.
    answered: bool,
    /// On every way here the script waited for something.
    waited: bool,
}

impl<'t> State<'t> {
    /// Nothing is known.
    fn any() -> Self {
        Self { idle: Some(Conditions::default()), served: true, answered: true, waited: false }
    }

    /// A call as a route gets it.
    fn fresh() -> Self {
        Self { idle: Some(Conditions::default()), served: false, answered: false, waited: false }
    }

    fn is_reached(&self) -> bool {
        self.idle.is_some() || self.served || self.answered
    }

    /// Whether the call is certainly answered.
    fn is_answered(&self) -> bool {
        self.answered && !self.served && self.idle.is_none()
    }

    fn join(self, other: Self) -> Self {
        if !self.is_reached() {
            return other;
        }
        if !other.is_reached() {
            return self;
        }
        let idle = match (self.idle, other.idle) {
            (Some(one), Some(other)) => Some(one.common(&other)),
            (one, other) => one.or(other),
        };
        Self {
            idle,
            served: self.served || other.served,
            answered: self.answered || other.answered,
            waited: self.waited && other.waited,
        }
    }

    fn serve(&mut self) {
        self.served |= self.idle.take().is_some();
    }

    fn answer(&mut self) {
        self.answered = self.is_reached();
        self.served = false;
        self.idle = None;
    }

    fn end(&mut self) {
        *self = Self::default();
    }

    /// How things may stand after a loop went round some times.
    fn looped(mut self) -> Self {
        if let Some(idle) = &mut self.idle {
            idle.forget();
        }
        if self.idle.is_some() || self.served {
            self.served = true;
            self.answered = true;
        }
        self
    }
}

/// What a function makes of a call, and whether it comes back at all.
#[derive(Debug, Clone, Copy, Default)]
struct Outcome {
    idle: bool,
    served: bool,
    answered: bool,
    waited: bool,
}

/// One of the three ways in which a call can come into a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Entry {
    Idle,
    Served,
    Answered,
}

/// A function that calls another, or sends the call to a route.
#[derive(Debug, Clone)]
pub(super) struct Passage {
    pub(super) from: FunctionId,
    pub(super) to: Onward,
    pub(super) file: FileId,
    pub(super) span: Span,
    /// Whether it happens whenever the function is run.
    pub(super) certain: bool,
    /// Whether the script certainly waited for something before.
    pub(super) waited: bool,
}

/// Where a passage leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Onward {
    /// To a function.
    Function(FunctionId),
    /// To the route of a number.
    Route(String),
}

/// Follows the ways through functions.
pub(super) struct Flow<'f, 'a, 't> {
    facts: &'f Facts<'t>,
    values: &'f Values<'a, 't>,
    /// Functions that routes run.
    handlers: &'f BTreeSet<FunctionId>,
    outcomes: RefCell<BTreeMap<(FunctionId, Entry), Option<Outcome>>>,
    /// Functions of which it is known whether they have the call.
    callers: RefCell<BTreeMap<FunctionId, bool>>,
    depth: Cell<u32>,
}

impl<'f, 'a, 't> Flow<'f, 'a, 't> {
    pub(super) fn new(
        facts: &'f Facts<'t>,
        values: &'f Values<'a, 't>,
        handlers: &'f BTreeSet<FunctionId>,
    ) -> Self {
        let (outcomes, callers) = (RefCell::default(), RefCell::default());
        Self { facts, values, handlers, outcomes, callers, depth: Cell::new(0) }
    }

    /// Walks all functions, tells what is found, and gives back who leads to whom.
    pub(super) fn check(&self, report: &mut Report) -> Vec<Passage> {
        let mut passages = Vec::new();
        for (id, function) in self.facts.functions.iter().enumerate() {
            if function.jumps {
                continue;
            }
            let handles = self.handlers.contains(&id);
            let state = if handles { State::fresh() } else { State::any() };
            let mut walker = Walker::new(self, id, function.file);
            walker.tell(report);
            let end = walker.block(function.block, state);
            if handles {
                walker.tell_silence(&end, function);
            }
            passages.append(&mut walker.passages);
        }
        passages
    }

    /// What a function makes of a call.
    fn outcome(&self, function: FunctionId, entry: Entry) -> Outcome {
        let unknown = Outcome {
            idle: false,
            served: entry != Entry::Answered,
            answered: true,
            waited: false,
        };
        if let Some(known) = self.outcomes.borrow().get(&(function, entry)) {
            // One that calls itself is under way.
            return known.unwrap_or(unknown);
        }
        let Some(facts) = self.facts.functions.get(function) else { return unknown };
        if facts.jumps || self.depth.get() >= DEPTH_MAX {
            return unknown;
        }
        self.outcomes.borrow_mut().insert((function, entry), None);
        self.depth.set(self.depth.get() + 1);
        let mut state = State::default();
        match entry {
            Entry::Idle => state.idle = Some(Conditions::default()),
            Entry::Served => state.served = true,
            Entry::Answered => state.answered = true,
        }
        let mut walker = Walker::new(self, function, facts.file);
        let end = walker.block(facts.block, state);
        let end = walker.returned(end);
        self.depth.set(self.depth.get() - 1);
        let outcome = Outcome {
            idle: end.idle.is_some(),
            served: end.served,
            answered: end.answered,
            waited: end.waited,
        };
        self.outcomes.borrow_mut().insert((function, entry), Some(outcome));
        outcome
    }

    /// What comes of `state` when a function is called.
    fn called(&self, function: FunctionId, state: &State<'t>) -> State<'t> {
        let mut after = State::default();
        let entries = [
            (Entry::Idle, state.idle.is_some()),
            (Entry::Served, state.served),
            (Entry::Answered, state.answered),
        ];
        for (entry, _) in entries.into_iter().filter(|(_, there)| *there) {
            let outcome = self.outcome(function, entry);
            let idle = outcome.idle.then(|| state.idle.clone().unwrap_or_default());
            after = after.join(State {
                idle,
                served: outcome.served,
                answered: outcome.answered,
                waited: state.waited || outcome.waited,
            });
        }
        after
    }

    /// Whether a function is given the call, or uses that of the function around it.
    fn knows_call(&self, function: FunctionId) -> bool {
        if let Some(known) = self.callers.borrow().get(&function) {
            return *known;
        }
        let Some(facts) = self.facts.functions.get(function) else { return false };
        let knows = facts.outer.iter().chain(&facts.parameters).any(|binding| {
            let values = self.values.of_binding(*binding);
            values.iter().any(|possible| self.values.is_call(&possible.value))
        });
        self.callers.borrow_mut().insert(function, knows);
        knows
    }
}
