//! From a question to its explanation.

use std::collections::VecDeque;

use dialplan::{Fit, Generation, LoadError, Match, Pattern};

use crate::fold::fold;
use crate::jobs;
use crate::question::{Caller, Office, Question};
use crate::tree::{Begun, End, Explanation, How, Next, Node, Place, Route, Subject};
use crate::walk::{Cuts, Start, walk};
use crate::words;
use crate::world::World;

/// Why there is no explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unexplained {
    /// The scripts cannot be loaded.
    Scripts(Vec<LoadError>),
    /// There is nothing of that name; says what there is.
    Unknown(String),
}

/// What would happen to a call, without calling anybody and without changing anything; or, if
/// [`Question::from`] begins with `schedule:` or `webhook:`, when that function runs.
///
/// The same question gets the same answer, and within [`crate::Bounds`] any question gets one.
///
/// # Errors
/// What keeps the scripts from being loaded, or that there is no such function.
pub fn explain(office: Office<'_>, question: &Question) -> Result<Explanation, Unexplained> {
    let config = office.config;
    let limits = config.script_limits;
    let generation = Generation::load(office.sources, office.names.clone(), limits, &question.at)
        .map_err(Unexplained::Scripts)?;
    if let Some((subject, start)) = jobs::find(&generation, question)? {
        return Ok(of_job(office, question, subject, start));
    }
    let caller = Caller::new(&question.from, config);
    let number = question.number();
    let matched = generation.match_number(&number);
    let public = match matched {
        Match::Route(route) => generation.is_public(route),
        Match::Incomplete | Match::None => false,
    };
    let mut explanation = blank(question, Subject::Call, caller.words());
    explanation.routes = routes(&generation, &number);
    let refusal = match matched {
        _ if !caller.is_known() && !public => Some((401, "Unauthorized", STRANGER)),
        Match::Incomplete => Some((484, "Address Incomplete", MORE_DIGITS)),
        Match::None => Some((404, "Not Found", NO_ROUTE)),
        Match::Route(_) => None,
    };
    let world = World::new(office, question);
    match (refusal, matched) {
        (Some((code, phrase, why)), _) => {
            explanation.tree.next = Next::End(End {
                how: How::Refused,
                code,
                or: Vec::new(),
                cause: why,
                words: format!("{phrase}; {why}"),
                after: Vec::new(),
            });
            if !caller.is_known() && config.accounts.contains_key(&question.from) {
                explanation.notes.push(format!("{} is an account elsewhere", question.from));
            }
        }
        (None, Match::Route(route)) => {
            let start = Start::Route(route, Box::new(caller.view(&number, config)));
            follow(&mut explanation, &world, office, question, start);
        }
        (None, Match::Incomplete | Match::None) => {}
    }
    note_unused(&mut explanation, &world);
    Ok(explanation)
}

/// What happens when a function runs that has no call.
fn of_job(office: Office<'_>, question: &Question, subject: Subject, start: Start) -> Explanation {
    // There is nobody who could hang up.
    let question = &Question { hangups: false, ..question.clone() };
    let asker = "a program that has the token".to_owned();
    let mut explanation = blank(question, subject, asker);
    let world = World::new(office, question);
    follow(&mut explanation, &world, office, question, start);
    note_unused(&mut explanation, &world);
    explanation
}

fn blank(question: &Question, subject: Subject, caller: String) -> Explanation {
    Explanation {
        caller,
        from: question.from.clone(),
        to: question.to.clone(),
        at: question.at.to_string(),
        at_words: words::moment(&question.at),
        routes: Vec::new(),
        tree: Node { steps: Vec::new(), next: Next::Cut(String::new()) },
        notes: Vec::new(),
        ways: 1,
        subject,
        calls: Vec::new(),
    }
}

/// Follows everything from there, and the calls that begin by themselves on the way.
fn follow(
    explanation: &mut Explanation,
    world: &World<'_>,
    office: Office<'_>,
    question: &Question,
    start: Start,
) {
    let mut cuts = Cuts::default();
    let walked = walk(world, office, question, &start);
    explanation.tree = fold(walked.tree);
    explanation.ways = walked.ways;
    cuts.add(&walked.cuts);
    let mut waiting: VecDeque<_> = walked.begun.into();
    while let Some((begun, start)) = waiting.pop_front() {
        let known = |other: &Begun| other.place == begun.place;
        if explanation.calls.iter().any(known) {
            continue;
        }
        if explanation.calls.len() >= CALLS_MAX {
            let note =
                format!("more than {CALLS_MAX} calls begin by themselves; see the rest alone");
            explanation.notes.push(note);
            break;
        }
        let walked = walk(world, office, question, &start);
        let (target, place) = (begun.target, begun.place);
        explanation.calls.push(Begun { target, place, tree: fold(walked.tree) });
        explanation.ways += walked.ways;
        cuts.add(&walked.cuts);
        waiting.extend(walked.begun);
    }
    explanation.notes.extend(cut_notes(&cuts, question));
    explanation.notes.extend(spent_note(&cuts, world, explanation.ways));
}

fn note_unused(explanation: &mut Explanation, world: &World<'_>) {
    for fact in world.unused() {
        explanation.notes.push(format!("nobody asked for what was given: {fact}"));
    }
}

/// Every route that matches the number, best first.
fn routes(generation: &Generation, number: &str) -> Vec<Route> {
    let mut found: Vec<(Pattern, Route)> = generation
        .routes()
        .iter()
        .filter_map(|info| {
            let pattern = Pattern::parse(&info.pattern).ok()?;
            let place = Place { file: info.file.clone(), line: info.line };
            let route = Route { pattern: info.pattern.clone(), place, public: info.public };
            (pattern.fit(number) == Fit::Full).then_some((pattern, route))
        })
        .collect();
    // Of equals, the first defined.
    found.sort_by(|(a, _), (b, _)| a.specificity(b));
    found.into_iter().map(|(_, route)| route).collect()
}

/// What is said where the work of all ways together was too much.
fn spent_note(cuts: &Cuts, world: &World<'_>, ways: usize) -> Option<String> {
    let (places, ran) = (places(cuts.spent), in_round(world.work.instructions()));
    let load = in_round(world.load.get());
    let note = format!(
        "not followed at {places} after {ran} Lua instructions on {ways} ways; each way loads the \
         scripts anew, with {load} of them; what is given with --given leaves fewer ways"
    );
    (cuts.spent > 0).then_some(note)
}

/// A number as a person says it.
fn in_round(instructions: u64) -> String {
    match instructions {
        0..1_000 => instructions.to_string(),
        1_000..1_000_000 => format!("{} thousand", instructions / 1_000),
        1_000_000.. => format!("{} million", instructions / 1_000_000),
    }
}

fn places(count: usize) -> String {
    match count {
        1 => "one place".to_owned(),
        count => format!("{count} places"),
    }
}

fn cut_notes(cuts: &Cuts, question: &Question) -> Vec<String> {
    let bounds = &question.bounds;
    let choices = |count: usize| match count {
        1 => "one choice".to_owned(),
        count => format!("{count} choices"),
    };
    let mut notes = Vec::new();
    if cuts.deep > 0 {
        let (places, deep) = (places(cuts.deep), bounds.depth);
        notes.push(format!(
            "cut at {places}, {} deep; --depth {} follows further",
            choices(deep),
            deep * 2
        ));
    }
    if cuts.many > 0 {
        let (places, many) = (places(cuts.many), bounds.ways);
        notes.push(format!(
            "not followed at {places} after {many} ways; what is given with --given leaves fewer"
        ));
    }
    if cuts.long > 0 {
        let (places, long) = (places(cuts.long), bounds.verbs);
        notes.push(format!("cut at {places} after {long} verbs on one way"));
    }
    notes
}

/// Calls that begin by themselves and are followed.
const CALLS_MAX: usize = 8;
const STRANGER: &str = "strangers reach only routes with { public = true }";
const MORE_DIGITS: &str = "no route matches yet, but one could with more digits";
const NO_ROUTE: &str = "no route matches";
