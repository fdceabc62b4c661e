//! Makes a tree of all ways readable: what is the same is told once, what comes again is told as such.

use crate::tree::{Again, Alternative, Choice, Did, End, Next, Node, Place, Step};
use crate::typed::{OTHER, is_keys};

use crate::world::{HANGS_UP, NOT_ANSWERED, OTHER_HANGS_UP, is_event};

/// The same tree, with loops found and equal branches put together.
pub(crate) fn fold(node: Node) -> Node {
    let Node { mut steps, next } = node;
    let choice = match next {
        Next::Choice(choice) => choice,
        Next::Again(again) => {
            drop_ask(&mut steps, again.place.as_ref());
            return Node { steps, next: Next::Again(again) };
        }
        Next::End(_) | Next::Cut(_) => return Node { steps, next },
    };
    let mut choice = close_loops(choice);
    for alternative in &mut choice.alternatives {
        let open = Node { steps: Vec::new(), next: Next::Cut(String::new()) };
        alternative.then = fold(std::mem::replace(&mut alternative.then, open));
    }
    let mut choice = merged(choice);
    note_hangup(&mut choice, &mut steps);
    match choice.alternatives.as_mut_slice() {
        [only] => {
            remark(&mut steps, &only.answers);
            steps.append(&mut only.then.steps);
            let next = std::mem::replace(&mut only.then.next, Next::Cut(String::new()));
            Node { steps: repeats(steps), next }
        }
        _ => Node { steps, next: Next::Choice(choice) },
    }
}

/// Whether the same comes of every alternative.
pub(crate) fn is_idle(choice: &Choice) -> bool {
    let node = Node { steps: Vec::new(), next: Next::Choice(choice.clone()) };
    match fold(node).next {
        Next::Choice(folded) => folded.key != choice.key,
        Next::End(_) | Next::Again(_) | Next::Cut(_) => true,
    }
}

/// A choice that comes again is told by its name, not by its step.
fn drop_ask(steps: &mut Vec<Step>, place: Option<&Place>) {
    if let Some(Step::Did(last)) = steps.last()
        && place.is_some()
        && last.place.as_ref() == place
    {
        steps.pop();
    }
}

/// A hang-up of which nothing comes goes without saying; if it is the only thing that can happen
/// besides, what comes of it is told as a step.
fn note_hangup(choice: &mut Choice, steps: &mut Vec<Step>) {
    let gone = |alternative: &Alternative| match &alternative.then.next {
        Next::End(end) if alternative.answers == [HANGS_UP] => Some(end.after.clone()),
        Next::End(_) | Next::Choice(_) | Next::Again(_) | Next::Cut(_) => None,
    };
    let [first, second] = choice.alternatives.as_slice() else {
        if choice.alternatives.len() > 1 {
            choice.alternatives.retain(|a| gone(a).is_none_or(|after| !after.is_empty()));
        }
        return;
    };
    let (index, after) = match (gone(first), gone(second)) {
        (None, Some(after)) => (1, after),
        (Some(after), None) => (0, after),
        (Some(_), Some(_)) | (None, None) => return,
    };
    choice.alternatives.remove(index);
    if after.is_empty() {
        return;
    }
    let words: Vec<&str> = after.iter().filter_map(Step::words).collect();
    let words = format!("should the caller hang up here: {}", words.join(", "));
    steps.push(Step::Did(Did::new("hangup", choice.place.clone(), words)));
}

/// Says that it does not matter what came of the last step.
fn remark(steps: &mut [Step], answers: &[String]) {
    let Some(Step::Did(last)) = steps.last_mut() else { return };
    let words = match last.verb {
        _ if answers.len() < 2 => return,
        "dial" => "whatever comes of it",
        "read" | "menu" => "whatever is typed",
        _ => return,
    };
    if !last.more.is_empty() {
        last.more.push_str(", ");
    }
    last.more.push_str(words);
}

/// Puts alternatives together of which the same comes.
fn merged(choice: Choice) -> Choice {
    let order: Vec<String> =
        choice.alternatives.iter().flat_map(|a| a.answers.iter().cloned()).collect();
    let mut alternatives: Vec<Alternative> = Vec::new();
    for alternative in choice.alternatives {
        match alternatives.iter_mut().find(|known| equal(known, &alternative)) {
            Some(known) => {
                // Where what is typed is spoken, it is what stands for the most that is told.
                if alternative.answers.iter().any(|answer| is_other(answer)) {
                    known.then = alternative.then;
                } else {
                    add_codes(&mut known.then, &alternative.then);
                }
                known.answers.extend(alternative.answers);
            }
            None => alternatives.push(alternative),
        }
    }
    drop_needless_names(&mut alternatives);
    for alternative in &mut alternatives {
        // What only happens on the way to the same end need not be told.
        if alternative.answers.iter().any(|answer| answer.ends_with(OTHER_HANGS_UP)) {
            alternative.answers.retain(|answer| !is_event(answer));
        }
    }
    alternatives.sort_by_key(|alternative| {
        alternative.answers.first().and_then(|first| order.iter().position(|one| one == first))
    });
    Choice { alternatives, ..choice }
}

/// Digits that a script names, but of which the same comes as of all others, are among the others.
fn drop_needless_names(alternatives: &mut [Alternative]) {
    let others = |alternative: &Alternative| alternative.answers.iter().any(|a| is_other(a));
    let named = alternatives
        .iter()
        .any(|alternative| !others(alternative) && alternative.answers.iter().any(|a| is_named(a)));
    for alternative in alternatives.iter_mut().filter(|alternative| others(alternative)) {
        alternative.answers.retain(|answer| !is_named(answer));
        if let Some(answer) = alternative.answers.iter_mut().find(|a| is_other(a))
            && !named
        {
            *answer = answer.replace(OTHER, "digits");
        }
    }
}

/// Whether an answer stands for digits that no script names.
fn is_other(answer: &str) -> bool {
    answer_alone(answer) == OTHER
}

/// Whether an answer is digits.
fn is_named(answer: &str) -> bool {
    is_keys(answer_alone(answer))
}

/// An answer without what was waited for, which is told where there are several such things.
fn answer_alone(answer: &str) -> &str {
    answer.split_once(": ").map_or(answer, |(_, alone)| alone)
}

/// Whether the same happens. Digits that are typed may be spoken, and the status of those who were
/// dialled may be passed on.
fn equal(a: &Alternative, b: &Alternative) -> bool {
    let typed =
        |alternative: &Alternative| alternative.answers.iter().all(|a| is_named(a) || is_other(a));
    let spoken = typed(a) && typed(b);
    let (a, b) = (&a.then, &b.then);
    let same_end = match (&a.next, &b.next) {
        (Next::End(one), Next::End(other)) => {
            let told = |end: &End| (end.how, end.cause, end.after.clone());
            one == other || (one.cause == NOT_ANSWERED && told(one) == told(other))
        }
        (one, other) => one == other,
    };
    let same_step = |(a, b): (&Step, &Step)| a == b || (spoken && says_alike(a, b));
    same_end && a.steps.len() == b.steps.len() && a.steps.iter().zip(&b.steps).all(same_step)
}

fn says_alike(a: &Step, b: &Step) -> bool {
    match (a, b) {
        (Step::Did(a), Step::Did(b)) => {
            a.verb == b.verb && matches!(a.verb, "say" | "speak") && a.place == b.place
        }
        (Step::Did(_) | Step::Repeated { .. }, _) => false,
    }
}

/// Notes that the caller may see the status of the other as well.
fn add_codes(known: &mut Node, other: &Node) {
    if let (Next::End(known), Next::End(other)) = (&mut known.next, &other.next) {
        for code in std::iter::once(other.code).chain(other.or.iter().copied()) {
            if known.code != code && !known.or.contains(&code) {
                known.or.push(code);
            }
        }
    }
}

/// Where a node is, below a choice: which alternative at each choice on the way.
type Path = Vec<usize>;

/// Replaces what only repeats the choice by a word that it comes again.
fn close_loops(choice: Choice) -> Choice {
    let mut paths = Vec::new();
    for (index, alternative) in choice.alternatives.iter().enumerate() {
        find(&alternative.then, &choice.key, vec![index], &mut paths);
    }
    let mut closed = choice.clone();
    for path in paths {
        if let Some(again) = turns(&choice, &path)
            && let Some(node) = node_at_mut(&mut closed, &path)
        {
            node.next = Next::Again(again);
        }
    }
    closed
}

/// The first choices of this key below a node.
fn find(node: &Node, key: &str, path: Path, found: &mut Vec<Path>) {
    let Next::Choice(choice) = &node.next else { return };
    if choice.key == key {
        found.push(path);
        return;
    }
    for (index, alternative) in choice.alternatives.iter().enumerate() {
        let mut longer = path.clone();
        longer.push(index);
        find(&alternative.then, key, longer, found);
    }
}

/// How often a choice comes, if nothing changes from one time to the next.
fn turns(choice: &Choice, path: &[usize]) -> Option<Again> {
    let mut current = choice;
    let mut times = 1;
    loop {
        let here = node_at(current, path)?;
        match &here.next {
            Next::Choice(next) if next.key == choice.key => {
                let ends = node_at(next, path);
                let last = !ends.is_some_and(|node| comes_again(node, &choice.key));
                let steps = ends.is_none_or(|node| starts_with(&node.steps, &here.steps));
                if !same_choice(current, next, Some(path), last) || (!last && !steps) {
                    return None;
                }
                times += 1;
                current = next;
            }
            Next::Again(again) if again.key == choice.key => {
                return Some(Again { times: None, then: None, ..again.clone() });
            }
            Next::Choice(_) | Next::Again(_) | Next::End(_) | Next::Cut(_) => {
                let mut first = node_at(choice, path)?.steps.clone();
                drop_ask(&mut first, choice.place.as_ref());
                let steps = if starts_with(&here.steps, &first) {
                    here.steps.get(first.len()..).unwrap_or_default().to_vec()
                } else {
                    here.steps.clone()
                };
                let then = fold(Node { steps, next: here.next.clone() });
                let Choice { key, place, .. } = choice;
                return Some(Again {
                    key: key.clone(),
                    place: place.clone(),
                    times: Some(times),
                    then: Some(Box::new(then)),
                });
            }
        }
    }
}

fn comes_again(node: &Node, key: &str) -> bool {
    match &node.next {
        Next::Choice(choice) => choice.key == key,
        Next::Again(again) => again.key == key,
        Next::End(_) | Next::Cut(_) => false,
    }
}

/// Whether a choice of this key comes anywhere below a node.
fn returns(node: &Node, key: &str) -> bool {
    match &node.next {
        Next::Choice(choice) => {
            choice.key == key || choice.alternatives.iter().any(|a| returns(&a.then, key))
        }
        Next::Again(again) => again.key == key,
        Next::End(_) | Next::Cut(_) => false,
    }
}

/// Whether the same comes of two choices, but for what is at `hole`. When `last`, the second is the
/// last of its kind: what leads back to the choice elsewhere does so no more.
fn same_choice(a: &Choice, b: &Choice, hole: Option<&[usize]>, last: bool) -> bool {
    a.key == b.key
        && a.alternatives.len() == b.alternatives.len()
        && a.alternatives.iter().zip(&b.alternatives).enumerate().all(|(index, (one, other))| {
            let rest = match hole {
                Some([first, rest @ ..]) if *first == index => Some(rest),
                Some(_) | None => None,
            };
            match rest {
                Some([]) => true,
                rest => {
                    (last && returns(&one.then, &a.key)) || same(&one.then, &other.then, rest, last)
                }
            }
        })
}

fn same(a: &Node, b: &Node, hole: Option<&[usize]>, last: bool) -> bool {
    let steps = a.steps.len() == b.steps.len() && starts_with(&a.steps, &b.steps);
    steps
        && match (&a.next, &b.next) {
            (Next::Choice(one), Next::Choice(other)) => same_choice(one, other, hole, last),
            // What was not followed is taken to be the same.
            (Next::Again(again), Next::Choice(choice))
            | (Next::Choice(choice), Next::Again(again)) => again.key == choice.key,
            (Next::Again(one), Next::Again(other)) => one.key == other.key,
            (Next::Cut(_), _) | (_, Next::Cut(_)) => true,
            (Next::End(one), Next::End(other)) => one == other,
            (Next::End(_), Next::Choice(_) | Next::Again(_))
            | (Next::Choice(_) | Next::Again(_), Next::End(_)) => false,
        }
}

fn node_at<'n>(choice: &'n Choice, path: &[usize]) -> Option<&'n Node> {
    let (first, rest) = path.split_first()?;
    let node = &choice.alternatives.get(*first)?.then;
    match (&node.next, rest) {
        (_, []) => Some(node),
        (Next::Choice(choice), rest) => node_at(choice, rest),
        (Next::End(_) | Next::Again(_) | Next::Cut(_), _) => None,
    }
}

fn node_at_mut<'n>(choice: &'n mut Choice, path: &[usize]) -> Option<&'n mut Node> {
    let (first, rest) = path.split_first()?;
    let node = &mut choice.alternatives.get_mut(*first)?.then;
    if rest.is_empty() {
        return Some(node);
    }
    match &mut node.next {
        Next::Choice(choice) => node_at_mut(choice, rest),
        Next::End(_) | Next::Again(_) | Next::Cut(_) => None,
    }
}

/// Tells steps that happen several times one after the other only once.
pub(crate) fn repeats(steps: Vec<Step>) -> Vec<Step> {
    let steps: Vec<Step> = steps.into_iter().flat_map(each).collect();
    let mut told = Vec::new();
    let mut rest = steps.as_slice();
    while let Some((first, others)) = rest.split_first() {
        let (period, times) = best_period(rest);
        if times >= 2 {
            let (block, _) = rest.split_at(period);
            told.push(Step::Repeated { steps: block.to_vec(), times });
            rest = rest.get(period * times..).unwrap_or_default();
        } else {
            told.push(first.clone());
            rest = others;
        }
    }
    told
}

/// Every time that a step happens.
fn each(step: Step) -> Vec<Step> {
    match step {
        Step::Did(_) => vec![step],
        Step::Repeated { steps, times } => vec![steps; times].concat(),
    }
}

/// The length of the block that repeats at the start of `steps` and covers most of it, and how often
/// it comes.
fn best_period(steps: &[Step]) -> (usize, usize) {
    let mut best = (1, 1);
    for period in 1..=PERIOD_MAX.min(steps.len() / 2) {
        let (block, _) = steps.split_at(period);
        let blocks = steps.chunks_exact(period);
        let times = blocks.take_while(|other| starts_with(other, block)).count();
        if times >= 2 && period * times > best.0 * best.1 {
            best = (period, times);
        }
    }
    best
}

/// Whether `steps` begin with steps like these.
fn starts_with(steps: &[Step], beginning: &[Step]) -> bool {
    steps.len() >= beginning.len() && steps.iter().zip(beginning).all(|(a, b)| alike(a, b))
}

/// Whether two steps are the same but for the moment at which they happen.
fn alike(a: &Step, b: &Step) -> bool {
    match (a, b) {
        (Step::Did(a), Step::Did(b)) => {
            let same_line = a.verb == b.verb && a.place == b.place;
            // A time that is spoken, and a count that is logged, differ each time.
            same_line
                && (a == b || (a.place.is_some() && matches!(a.verb, "say" | "speak" | "log")))
        }
        (
            Step::Repeated { steps: a, times: a_times },
            Step::Repeated { steps: b, times: b_times },
        ) => a_times == b_times && a.len() == b.len() && starts_with(a, b),
        (Step::Did(_), Step::Repeated { .. }) | (Step::Repeated { .. }, Step::Did(_)) => false,
    }
}

/// Steps in a block that is looked for again.
const PERIOD_MAX: usize = 24;
