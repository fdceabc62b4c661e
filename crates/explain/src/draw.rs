//! The tree as a person would draw it.

use crate::hearing::SPEECH;
use crate::ink::{Colour, Ink, Piece, line};
use crate::tree::{
    Again, Alternative, Did, End, Explanation, Heard, How, Next, Node, Place, Step, Subject,
};
use crate::words;

/// How a tree is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether it has colours.
    pub colour: Colour,
    /// How much is said of each step.
    pub detail: Detail,
    /// Characters in a line; what is longer is broken between words.
    pub columns: usize,
}

/// How much is said of each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What there is to know at a glance.
    Short,
    /// Texts in full, and the line of the script at each step.
    Full,
}

impl Explanation {
    /// The tree as text.
    pub fn draw(&self, style: Style) -> String {
        let mut drawing = Drawing { out: String::new(), style };
        let plain = |text: String| (text, Ink::Plain);
        let name = |text: &str| (text.to_owned(), Ink::Name);
        let first = match self.subject {
            Subject::Call => vec![
                name(&self.from),
                plain(" dials ".to_owned()),
                name(&self.to),
                plain(format!(" on {}, a call from {}", self.at_words, self.caller)),
            ],
            Subject::Schedule => {
                vec![name(&self.from), plain(format!(" runs on {}", self.at_words))]
            }
            Subject::Webhook => {
                let words = format!(" is asked on {}, by {}", self.at_words, self.caller);
                vec![name(&self.from), plain(words)]
            }
        };
        drawing.line("", "  ", &first);
        let mut routes = self.routes.iter();
        if let Some(route) = routes.next() {
            let public = if route.public { ", public" } else { "" };
            drawing.line(
                "",
                "  ",
                &[
                    plain("route ".to_owned()),
                    name(&format!("\"{}\"", route.pattern)),
                    (format!("  {}{public}", at(&route.place)), Ink::Faint),
                ],
            );
        }
        for route in routes {
            let also = format!("also matches: \"{}\"  {}", route.pattern, at(&route.place));
            drawing.line("  ", "    ", &[(also, Ink::Faint)]);
        }
        drawing.node(&self.tree, "");
        for begun in &self.calls {
            let place = begun.place.as_ref().map(|place| format!("  {}", at(place)));
            let pieces = [
                plain("whoever answers at ".to_owned()),
                name(&begun.target),
                (place.unwrap_or_default(), Ink::Faint),
            ];
            drawing.line("", "  ", &pieces);
            drawing.node(&begun.tree, "");
        }
        for note in &self.notes {
            drawing.line("", "  ", &[(format!("note: {note}"), Ink::Faint)]);
        }
        drawing.out
    }
}

struct Drawing {
    out: String,
    style: Style,
}

impl Drawing {
    fn line(&mut self, first: &str, rest: &str, pieces: &[Piece]) {
        let Style { colour, columns, .. } = self.style;
        line(&mut self.out, first, rest, pieces, (colour, columns));
    }

    /// Steps and what follows them; `prefix` is the lines of the branches to the left.
    fn node(&mut self, node: &Node, prefix: &str) {
        self.steps(&node.steps, &node.next, prefix);
        match &node.next {
            Next::End(end) => self.end(end, &node.steps, prefix),
            Next::Choice(choice) => {
                let count = choice.alternatives.len();
                for (index, alternative) in choice.alternatives.iter().enumerate() {
                    self.alternative(alternative, index + 1 == count, prefix);
                }
            }
            Next::Again(again) => self.again(again, prefix),
            Next::Cut(why) => {
                let pieces = [(format!("… {why}"), Ink::Faint)];
                self.line(&format!("{prefix}└ "), &format!("{prefix}    "), &pieces);
            }
        }
    }

    fn steps(&mut self, steps: &[Step], next: &Next, prefix: &str) {
        for (index, step) in steps.iter().enumerate() {
            let last = index + 1 == steps.len();
            match step {
                Step::Did(did) if last && talks_to_the_end(did, next) => {
                    let pieces = [("they talk until one hangs up".to_owned(), Ink::Good)];
                    self.line(&format!("{prefix}└ "), &format!("{prefix}    "), &pieces);
                }
                Step::Did(did) => {
                    let pieces = self.did(did);
                    self.line(&format!("{prefix}├ "), &format!("{prefix}│   "), &pieces);
                }
                Step::Repeated { steps, times } if let [Step::Did(only)] = steps.as_slice() => {
                    let mut pieces = self.did(only);
                    pieces.push((format!(", {}", words::times(*times)), Ink::Plain));
                    self.line(&format!("{prefix}├ "), &format!("{prefix}│   "), &pieces);
                }
                Step::Repeated { steps, times } => {
                    let words = format!("{}:", words::times(*times));
                    let pieces = [(words, Ink::Plain)];
                    self.line(&format!("{prefix}├ "), &format!("{prefix}│   "), &pieces);
                    let inner = format!("{prefix}│   ");
                    self.steps(steps, &Next::Cut(String::new()), &inner);
                }
            }
        }
    }

    fn end(&mut self, end: &End, steps: &[Step], prefix: &str) {
        let told = matches!(steps.last(), Some(Step::Did(did)) if ends_talk(did, end));
        if !told {
            self.line(&format!("{prefix}└ "), &format!("{prefix}    "), &end_words(end));
        }
    }

    fn again(&mut self, again: &Again, prefix: &str) {
        self.line(&format!("{prefix}└ "), &format!("{prefix}    "), &again_words(again));
        if let Some(then) = &again.then {
            let inner = format!("{prefix}    ");
            self.line(&inner, &inner, &[("and then".to_owned(), Ink::Plain)]);
            self.node(then, &inner);
        }
    }

    fn alternative(&mut self, alternative: &Alternative, last: bool, prefix: &str) {
        let (branch, below) = if last { ("└─ ", "    ") } else { ("├─ ", "│   ") };
        let first = format!("{prefix}{branch}");
        let rest = format!("{prefix}{below}");
        let mut pieces = vec![(answers(&alternative.answers), Ink::Answer)];
        if let Node { steps, next: Next::End(end) } = &alternative.then
            && steps.is_empty()
            && end.how == How::CallerHangsUp
        {
            let after = end_words(end).into_iter().skip(1);
            pieces.extend(after);
            return self.line(&first, &rest, &pieces);
        }
        if let Some(inline) = self.inline(&alternative.then) {
            let mut whole = pieces.clone();
            whole.extend(inline);
            let length: usize = whole.iter().map(|(text, _)| text.chars().count()).sum();
            if first.chars().count() + length <= self.style.columns {
                return self.line(&first, &rest, &whole);
            }
        }
        let mut then = alternative.then.clone();
        if let Some(Step::Did(did)) = then.steps.first().filter(|step| is_route(step)) {
            pieces.push((" → ".to_owned(), Ink::Faint));
            pieces.extend(self.did(did));
            then.steps.remove(0);
        }
        self.line(&first, &rest, &pieces);
        self.node(&then, &rest);
    }

    /// What happens on one line, if that is not too much for one.
    fn inline(&self, node: &Node) -> Option<Vec<Piece>> {
        let arrow = || (" → ".to_owned(), Ink::Faint);
        let mut pieces = Vec::new();
        let mut told = false;
        for (index, step) in node.steps.iter().enumerate() {
            let Step::Did(did) = step else { return None };
            pieces.push(arrow());
            if index + 1 == node.steps.len() && talks_to_the_end(did, &node.next) {
                pieces.push(("they talk until one hangs up".to_owned(), Ink::Good));
                told = true;
            } else {
                pieces.extend(self.did(did));
            }
        }
        match &node.next {
            Next::End(end) => {
                if !told {
                    pieces.push(arrow());
                    pieces.extend(end_words(end));
                }
            }
            Next::Again(again) => {
                pieces.push(arrow());
                pieces.extend(again_words(again));
                if let Some(then) = &again.then {
                    pieces.push((", and then".to_owned(), Ink::Plain));
                    pieces.extend(self.inline(then)?);
                }
            }
            Next::Cut(why) => {
                pieces.push(arrow());
                pieces.push((format!("… {why}"), Ink::Faint));
            }
            Next::Choice(_) => return None,
        }
        Some(pieces)
    }

    fn did(&self, did: &Did) -> Vec<Piece> {
        let ink = if did.verb == "log" { Ink::Faint } else { Ink::Plain };
        let mut pieces = vec![(did.words.clone(), ink)];
        if did.verb == "say" {
            pieces.push((format!(" \"{}\"", spoken(&did.sounds)), Ink::Faint));
        } else {
            for sound in &did.sounds {
                pieces.push((" ".to_owned(), Ink::Plain));
                self.sound(sound, &mut pieces);
            }
        }
        if !did.more.is_empty() {
            pieces.push((format!(" ({})", did.more), Ink::Plain));
        }
        if self.style.detail == Detail::Full
            && let Some(place) = &did.place
        {
            pieces.push((format!("  {}", at(place)), Ink::Faint));
        }
        pieces
    }

    fn sound(&self, sound: &Heard, pieces: &mut Vec<Piece>) {
        let is_named = sound.name != SPEECH;
        if is_named {
            pieces.push((sound.name.clone(), Ink::Name));
        }
        let Some(text) = &sound.text else { return };
        let space = if is_named { " " } else { "" };
        let text = match self.style.detail {
            Detail::Full => text.clone(),
            Detail::Short => shortened(text),
        };
        pieces.push((format!("{space}\"{text}\""), Ink::Faint));
    }
}

/// Whether the talk is the last that happens.
fn talks_to_the_end(did: &Did, next: &Next) -> bool {
    match next {
        Next::End(end) => ends_talk(did, end),
        Next::Choice(_) | Next::Again(_) | Next::Cut(_) => false,
    }
}

fn ends_talk(did: &Did, end: &End) -> bool {
    did.verb == "talk" && end.how == How::Bye && end.after.is_empty()
}

fn is_route(step: &Step) -> bool {
    matches!(step, Step::Did(did) if did.verb == "go")
}

/// `busy, refused or not reachable`; `ext/100 or ext/101 answers`; `dial: busy or refused`.
fn answers(answers: &[String]) -> String {
    let who: Option<Vec<&str>> =
        answers.iter().map(|answer| answer.strip_suffix(" answers")).collect();
    if let Some(who) = who.filter(|who| who.len() > 1) {
        return format!("{} answers", words::list(&who, "or"));
    }
    let said: Option<Vec<&str>> =
        answers.iter().map(|answer| answer.strip_prefix("it answers ")).collect();
    if let Some(said) = said {
        return format!("it answers {}", words::list(&said, "or"));
    }
    if let Some(presses) = presses(answers) {
        return presses;
    }
    let whose = answers.first().and_then(|answer| Some(answer.split_once(": ")?.0));
    if let Some(whose) = whose {
        let rest = |answer: &'_ str| -> Option<String> {
            Some(answer.strip_prefix(whose)?.strip_prefix(": ")?.to_owned())
        };
        let what: Option<Vec<String>> = answers.iter().map(|answer| rest(answer)).collect();
        if let Some(what) = what {
            return format!("{whose}: {}", words::list(&what, "or"));
        }
    }
    words::list(answers, "or")
}

/// `the caller presses 1, 2 or 9`, where all that is said is of that sort.
fn presses(answers: &[String]) -> Option<String> {
    let mut parties: Vec<(&str, Vec<&str>)> = Vec::new();
    for answer in answers {
        let (who, key) = answer.split_once(" presses ")?;
        match parties.last_mut() {
            Some((known, keys)) if *known == who => keys.push(key),
            Some(_) | None => parties.push((who, vec![key])),
        }
    }
    let told =
        parties.iter().map(|(who, keys)| format!("{who} presses {}", words::list(keys, "or")));
    Some(words::list(&told.collect::<Vec<_>>(), "or"))
}

/// What is put together from many words: `Three o'clock am`.
fn spoken(sounds: &[Heard]) -> String {
    let words: Vec<String> = sounds
        .iter()
        .enumerate()
        .map(|(index, sound)| {
            let last = sound.name.rsplit('/').next().unwrap_or_default();
            let text = sound.text.as_deref().unwrap_or(last).trim_end_matches('.');
            if index == 0 { text.to_owned() } else { text.to_lowercase() }
        })
        .collect();
    words.join(" ")
}

fn end_words(end: &End) -> Vec<Piece> {
    let (ink, text) = match end.how {
        How::Bye => (Ink::Good, "ends: BYE".to_owned()),
        How::Refused if !end.or.is_empty() => {
            let codes = std::iter::once(end.code).chain(end.or.iter().copied());
            let codes: Vec<String> = codes.map(|code| code.to_string()).collect();
            let codes = words::list(&codes, "or");
            (Ink::Bad, format!("refused as the last dial ended: {codes}"))
        }
        How::Refused => (Ink::Bad, format!("refused: {} {}", end.code, end.words)),
        How::Redirected => (Ink::Good, format!("redirected: {}, {}", end.code, end.words)),
        How::CallerHangsUp => (Ink::Plain, "the caller hangs up".to_owned()),
        How::Returned => (Ink::Good, end.words.clone()),
        How::Fault if end.code == 0 => (Ink::Bad, format!("the script fails: {}", end.words)),
        How::Fault if end.code == 200 => {
            (Ink::Bad, format!("the script fails: {}: BYE", end.words))
        }
        How::Fault => (Ink::Bad, format!("the script fails: {}: {}", end.words, end.code)),
    };
    let mut pieces = vec![(text.trim_end().to_owned(), ink)];
    for words in end.after.iter().filter_map(Step::words) {
        pieces.push((format!(", then {words}"), Ink::Faint));
    }
    pieces
}

fn again_words(again: &Again) -> Vec<Piece> {
    let place = again.place.as_ref().map(|place| format!(" ({})", at(place))).unwrap_or_default();
    let times = match again.times {
        None => String::new(),
        Some(times) => format!(", {} in all", words::times(times)),
    };
    vec![(format!("again as above{times}"), Ink::Plain), (place, Ink::Faint)]
}

fn at(place: &Place) -> String {
    format!("{}:{}", place.file, place.line)
}

/// As much of a text as is needed to know it again.
fn shortened(text: &str) -> String {
    if text.chars().count() <= TEXT_MAX {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(TEXT_MAX).collect();
    if let Some(space) = short.rfind(' ') {
        short.truncate(space);
    }
    format!("{short} …")
}

/// Characters of a prompt's text.
const TEXT_MAX: usize = 48;
