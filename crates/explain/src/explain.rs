//! From a question to its explanation.

use dialplan::{Fit, Generation, LoadError, Match, Pattern};

use crate::fold::fold;
use crate::question::{Caller, Office, Question};
use crate::tree::{End, Explanation, How, Next, Node, Place, Route};
use crate::walk::{Cuts, walk};
use crate::words;
use crate::world::World;

/// What would happen to a call, without calling anybody and without changing anything.
///
/// The same question gets the same answer, and within [`crate::Bounds`] any question gets one.
///
/// # Errors
/// What keeps the scripts from being loaded.
pub fn explain(office: Office<'_>, question: &Question) -> Result<Explanation, Vec<LoadError>> {
    let config = office.config;
    let limits = config.script_limits;
    let generation = Generation::load(office.sources, office.names.clone(), limits, &question.at)?;
    let caller = Caller::new(&question.from, config);
    let number = question.number();
    let matched = generation.match_number(&number);
    let public = match matched {
        Match::Route(route) => generation.is_public(route),
        Match::Incomplete | Match::None => false,
    };
    let mut explanation = Explanation {
        caller: caller.words(),
        from: question.from.clone(),
        to: question.to.clone(),
        at: question.at.to_string(),
        at_words: words::moment(&question.at),
        routes: routes(&generation, &number),
        tree: Node { steps: Vec::new(), next: Next::Cut(String::new()) },
        notes: Vec::new(),
        ways: 1,
    };
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
            let walked = walk(&world, office, question, &caller, route);
            explanation.tree = fold(walked.tree);
            explanation.ways = walked.ways;
            explanation.notes.extend(cut_notes(&walked.cuts, question));
        }
        (None, Match::Incomplete | Match::None) => {}
    }
    for fact in world.unused() {
        explanation.notes.push(format!("nobody asked for what was given: {fact}"));
    }
    Ok(explanation)
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

fn cut_notes(cuts: &Cuts, question: &Question) -> Vec<String> {
    let bounds = &question.bounds;
    let places = |count: usize| match count {
        1 => "one place".to_owned(),
        count => format!("{count} places"),
    };
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

const STRANGER: &str = "strangers reach only routes with { public = true }";
const MORE_DIGITS: &str = "no route matches yet, but one could with more digits";
const NO_ROUTE: &str = "no route matches";
