//! Routes: those that no number reaches, and those that send a call round in a circle.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::Report;
use super::code::Code;
use super::facts::{Access, Facts, FileId, FunctionId};
use super::flow::{Onward, Passage};
use super::modules::Modules;
use super::values::{Possible, Value, Values};
use crate::Limits;
use crate::generation::RouteInfo;
use crate::pattern::{Fit, Pattern, covered, meet};
use crate::syntax::{Number, Span, Suffix};
use crate::verbs::{Kind, nearest};

/// Routes that are compared with each other.
const COMPARED_MAX: usize = 1_000;
/// Steps that comparing all of them may take.
const STEPS_MAX: u32 = 1_000_000;
/// Patterns that are named as those that take all numbers of another.
const NAMED_MAX: usize = 4;

/// The routes of a dialplan, as far as they are written out.
#[derive(Debug, Default)]
pub(super) struct Routes {
    /// In the order in which they are defined.
    all: Vec<Route>,
    /// Whether there can be others, whose patterns are not written out.
    partial: bool,
    pub(super) handlers: BTreeSet<FunctionId>,
    /// The patterns of the routes that loading made, if the scripts were loaded.
    loaded: Option<Vec<(Pattern, String)>>,
    /// Which route a number comes to, where that was asked.
    winners: RefCell<BTreeMap<String, Option<usize>>>,
    /// What is said of numbers that come to none of those written out.
    misses: RefCell<BTreeMap<String, Option<Result<(), String>>>>,
}

#[derive(Debug)]
struct Route {
    pattern: Pattern,
    text: String,
    file: FileId,
    span: Span,
    handler: Option<FunctionId>,
    /// Whether it is defined whatever happens.
    certain: bool,
}

impl Routes {
    pub(super) fn of<'t>(facts: &Facts<'t>, values: &Values<'_, 't>, modules: &Modules) -> Self {
        let mut routes = Self::default();
        let mut places: BTreeMap<FileId, Vec<usize>> = BTreeMap::new();
        for (index, access) in facts.accesses.iter().enumerate() {
            places.entry(access.file).or_default().push(index);
        }
        // Files are run where they are required, each once.
        let mut done = BTreeSet::new();
        let mut waiting = Vec::new();
        if let Some(main) = facts.file(crate::generation::ENTRY) {
            done.insert(main);
            waiting.push((main, 0));
        }
        while let Some((file, from)) = waiting.pop() {
            let indices = places.get(&file).map(Vec::as_slice).unwrap_or_default();
            let brought = modules.brought.get(&file).map(Vec::as_slice).unwrap_or_default();
            for (at, index) in indices.iter().enumerate().skip(from) {
                if let Some(access) = facts.accesses.get(*index) {
                    routes.add(facts, values, access);
                }
                let module = brought.iter().find(|(place, _)| place == index);
                if let Some((_, module)) = module
                    && done.insert(*module)
                {
                    waiting.push((file, at + 1));
                    waiting.push((*module, 0));
                    break;
                }
            }
        }
        routes
    }

    /// Adds the route that is defined there, if one is.
    fn add<'t>(&mut self, facts: &Facts<'t>, values: &Values<'_, 't>, access: &Access<'t>) {
        let [Suffix::Call(given), ..] = access.suffixes else { return };
        let base = values.of_base(access);
        let [Possible { value: Value::Native(spec), .. }] = base.as_slice() else { return };
        if !spec.arguments.iter().any(|argument| argument.kind == Kind::Pattern) {
            return;
        }
        let handler =
            given.values.last().and_then(|last| match values.of(access.file, last).as_slice() {
                [Possible { value: Value::Function(function), .. }] => Some(*function),
                _ => None,
            });
        self.handlers.extend(handler);
        let pattern = given.values.first();
        let text = pattern.and_then(|text| match values.of(access.file, text).as_slice() {
            [Possible { value: Value::Text(Some(text)), .. }] => Some(text.to_string()),
            [Possible { value: Value::Number(Some(Number::Whole(number))), .. }] => {
                Some(number.to_string())
            }
            _ => None,
        });
        let certain = facts.is_chunk(access.function) && !access.conditional;
        self.partial |= !facts.is_chunk(access.function);
        let (Some(text), Some(span)) = (text, pattern.map(|pattern| pattern.span)) else {
            self.partial = true;
            return;
        };
        if let Ok(pattern) = Pattern::parse(&text) {
            let file = access.file;
            self.all.push(Route { pattern, text, file, span, handler, certain });
        }
    }

    /// Which route a number comes to.
    fn winner(&self, number: &str) -> Option<&Route> {
        if let Some(known) = self.winners.borrow().get(number) {
            return self.all.get((*known)?);
        }
        let mut best: Option<(usize, &Route)> = None;
        for (index, route) in self.all.iter().enumerate() {
            if route.pattern.fit(number) == Fit::Full
                && best.is_none_or(|(_, best)| route.pattern.specificity(&best.pattern).is_lt())
            {
                best = Some((index, route));
            }
        }
        self.winners.borrow_mut().insert(number.to_owned(), best.map(|(index, _)| index));
        best.map(|(_, route)| route)
    }

    /// Takes the routes that loading made for all there are.
    pub(super) fn know(&mut self, routes: &[RouteInfo]) {
        let parsed = routes.iter().map(|route| (Pattern::parse(&route.pattern), &route.pattern));
        let parsed = parsed.filter_map(|(pattern, text)| Some((pattern.ok()?, text.clone())));
        self.loaded = Some(parsed.collect());
    }

    /// Whether some route matches a number; `None` when that is not known.
    pub(super) fn matches(&self, number: &str) -> Option<Result<(), String>> {
        if self.winner(number).is_some() {
            return Some(Ok(()));
        }
        let mut misses = self.misses.borrow_mut();
        if let Some(known) = misses.get(number) {
            return known.clone();
        }
        let said = match &self.loaded {
            Some(loaded) if loaded.iter().any(|(one, _)| one.fit(number) == Fit::Full) => {
                Some(Ok(()))
            }
            Some(loaded) => Some(Err(no_route(number, loaded.iter().map(|(_, text)| text)))),
            None if self.partial => None,
            None => Some(Err(no_route(number, self.all.iter().map(|route| &route.text)))),
        };
        misses.insert(number.to_owned(), said.clone());
        said
    }

    /// Tells of routes whose every number goes to another.
    pub(super) fn shadowed(&self, report: &mut Report) {
        if self.all.len() > COMPARED_MAX {
            return;
        }
        let mut steps = STEPS_MAX;
        for (index, route) in self.all.iter().enumerate() {
            let wins = |(other, rival): &(usize, &Route)| {
                let order = rival.pattern.specificity(&route.pattern);
                rival.certain
                    && *other != index
                    && meet(&rival.pattern, &route.pattern)
                    && (order.is_lt() || (order.is_eq() && *other < index))
            };
            let rivals = self.all.iter().enumerate().filter(wins);
            let mut rivals: Vec<&Route> = rivals.map(|(_, rival)| rival).collect();
            if !is_covered(route, &rivals, &mut steps) {
                continue;
            }
            // Those that can be left out are not to blame.
            for at in (0..rivals.len()).rev() {
                let mut fewer = rivals.clone();
                fewer.remove(at);
                if is_covered(route, &fewer, &mut steps) {
                    rivals = fewer;
                }
            }
            let mut names: Vec<_> =
                rivals.iter().map(|rival| format!("\"{}\"", rival.text)).collect();
            let more = names.len().saturating_sub(NAMED_MAX);
            names.truncate(NAMED_MAX);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let problem = format!("no number ever reaches \"{}\"", route.text);
            let told = report.tell(route.file, route.span, Code::SHADOWED_ROUTE, problem);
            told.help = Some(format!(
                "all of its numbers go to {}{more}, which {} more exact",
                names.join(", "),
                if rivals.len() == 1 { "is" } else { "are" }
            ));
        }
    }

    /// Tells of routes that send a call round in a circle.
    pub(super) fn circles(&self, passages: &[Passage], report: &mut Report) {
        let mut ways: BTreeMap<FunctionId, Vec<Way<'_>>> = BTreeMap::new();
        for passage in passages {
            let (to, number) = match &passage.to {
                Onward::Function(function) => (Some(*function), None),
                Onward::Route(number) => {
                    (self.winner(number).and_then(|route| route.handler), Some(number.as_str()))
                }
            };
            if let Some(to) = to {
                ways.entry(passage.from).or_default().push(Way { to, number, passage });
            }
        }
        let endless = circular(&ways, |way| way.passage.certain && !way.passage.waited);
        let any = circular(&ways, |_| true);
        let mut told = BTreeSet::new();
        for (from, way) in ways.iter().flat_map(|(from, ways)| ways.iter().map(move |w| (from, w)))
        {
            let Some(number) = way.number else { continue };
            let within = |rings: &BTreeMap<FunctionId, usize>| {
                rings.get(from).filter(|ring| rings.get(&way.to) == Some(ring)).copied()
            };
            let strict = way.passage.certain && !way.passage.waited;
            let rounds = Limits::default().go_depth;
            let (code, ring, problem) = match (within(&endless).filter(|_| strict), within(&any)) {
                (Some(ring), _) => (
                    Code::ENDLESS_GO,
                    ring,
                    format!("the call goes round and round, from here to {number} and back"),
                ),
                (None, Some(ring)) => (
                    Code::CIRCULAR_GO,
                    ring,
                    format!("going on to {number} from here can lead back here, round and round"),
                ),
                (None, None) => continue,
            };
            // One place of each circle is enough.
            if told.insert((code, ring)) {
                let told = report.tell(way.passage.file, way.passage.span, code, problem);
                told.help = Some(format!(
                    "after {rounds} times it ends with an error; to do something again, use a loop"
                ));
            }
        }
    }
}

/// What is said of a number that no route matches.
fn no_route<'p>(number: &str, patterns: impl Iterator<Item = &'p String>) -> String {
    let near = nearest(number, patterns.map(String::as_str));
    let hint = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
    format!("no route matches \"{number}\"{hint}")
}

/// From one function to another.
#[derive(Debug)]
struct Way<'p> {
    to: FunctionId,
    /// The number by which it goes there, if it is a route.
    number: Option<&'p str>,
    passage: &'p Passage,
}

fn is_covered(route: &Route, rivals: &[&Route], steps: &mut u32) -> bool {
    let patterns: Vec<&Pattern> = rivals.iter().map(|rival| &rival.pattern).collect();
    covered(&route.pattern, &patterns, steps) == Some(true)
}

/// Functions that can reach themselves by ways that `counts`, with a number for each circle.
fn circular(
    ways: &BTreeMap<FunctionId, Vec<Way<'_>>>,
    counts: impl Fn(&Way<'_>) -> bool,
) -> BTreeMap<FunctionId, usize> {
    let mut onward: BTreeMap<FunctionId, Vec<FunctionId>> = BTreeMap::new();
    let mut back: BTreeMap<FunctionId, Vec<FunctionId>> = BTreeMap::new();
    for (from, ways) in ways {
        for way in ways.iter().filter(|way| counts(way)) {
            onward.entry(*from).or_default().push(way.to);
            back.entry(way.to).or_default().push(*from);
        }
    }
    // Kosaraju: in the reverse order in which they are finished, all that lead back are one circle.
    let mut finished = Vec::new();
    let mut seen = BTreeSet::new();
    for start in onward.keys() {
        let mut waiting = vec![(*start, 0)];
        while let Some((at, next)) = waiting.pop() {
            if next == 0 && !seen.insert(at) {
                continue;
            }
            match onward.get(&at).and_then(|all| all.get(next)) {
                Some(to) => {
                    waiting.push((at, next + 1));
                    waiting.push((*to, 0));
                }
                None => finished.push(at),
            }
        }
    }
    let mut rings = BTreeMap::new();
    for start in finished.into_iter().rev() {
        let mut waiting = vec![start];
        while let Some(at) = waiting.pop() {
            if rings.contains_key(&at) {
                continue;
            }
            rings.insert(at, start);
            waiting.extend(back.get(&at).into_iter().flatten().copied());
        }
    }
    let mut sizes: BTreeMap<FunctionId, usize> = BTreeMap::new();
    for ring in rings.values() {
        *sizes.entry(*ring).or_default() += 1;
    }
    rings.retain(|function, ring| {
        let itself = onward.get(function).is_some_and(|all| all.contains(function));
        itself || sizes.get(ring).is_some_and(|size| *size > 1)
    });
    rings
}
