//! The code that explains the language does what it says: every example of the table of functions,
//! and every dialplan in the pages for people, is called on an exchange as it ships.
//!
//! Each route is dialled several times, with phones that answer, that are busy and that are not
//! there, by a caller who presses keys, speaks, or does nothing. No script may fail, nothing may be
//! left over, and the function that an example shows must have run.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use bench::{Act, Behaviour, Call, Called, Office, Phone, What};
use dialplan::{Coverage, Sources, functions};
use pbx::Notice;

use crate::shipped;
use crate::shipped::{dialplan_of, root};

#[test]
fn every_function_runs_in_its_example() {
    for spec in functions() {
        let name = spec.full_name();
        let ran = call_every_route(&name, dialplan_of(&[("main.lua", spec.example)]));
        let lines = spec.example.lines().zip(1_u32..);
        let shown = lines.filter(|(line, _)| {
            let line = line.split("--").next().unwrap();
            ["(", " {", " \""].iter().any(|after| line.contains(&format!("{name}{after}")))
        });
        let shown: Vec<u32> = shown.map(|(_, number)| number).collect();
        let file = &ran.files["scripts/main.lua"];
        let has_run = |line: &u32| file.get(line).is_some_and(|line| line.hits > 0);
        // `require` can only be shown in a comment: an example is one file.
        assert!(shown.iter().any(has_run) || shown.is_empty(), "{name} did not run");
        assert!(!shown.is_empty() || name == "require", "{name} is not in its example");
    }
}

#[test]
fn every_dialplan_in_the_pages_for_people_runs() {
    let compat = fs::read_to_string(root().join("scripts/compat/freeswitch.lua")).unwrap();
    let mut count = 0;
    for page in PAGES {
        let text = fs::read_to_string(root().join(page)).unwrap();
        for (line, kind, code) in blocks(&text) {
            let name = format!("{page}:{line}");
            let main = match kind {
                "lua" | "lua compat" => code.to_owned(),
                "lua freeswitch" => format!(
                    "local freeswitch = require 'compat.freeswitch'\nroute(\"5000\", function(call)\n\
                     session = freeswitch.session(call)\n{code}end)\n"
                ),
                _ => continue,
            };
            let files = [("main.lua", main.as_str()), ("compat/freeswitch.lua", compat.as_str())];
            let files = if kind == "lua" { &files[..1] } else { &files };
            let ran = call_every_route(&name, dialplan_of(files));
            let ran = &ran.files["scripts/main.lua"];
            assert!(ran.values().any(|line| line.hits > 0), "{name} has no route");
            count += 1;
        }
    }
    assert!(count >= 10, "only {count} were found");
}

#[test]
fn every_function_that_the_pages_for_people_name_exists() {
    // The tour shows a mistake in README.md.
    for page in PAGES.into_iter().filter(|page| *page != "README.md") {
        let text = fs::read_to_string(root().join(page)).unwrap();
        for spec in dialplan::LIBRARIES {
            let start = format!("{}{}", spec.library.word(), spec.library.separator());
            for (at, _) in text.match_indices(&start).filter(|_| start.len() > 1) {
                let before = text[..at].chars().next_back().unwrap_or(' ');
                let rest = &text[at + start.len()..];
                let name: String =
                    rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                // `call:NAME(`, not the end of a sentence or of another word.
                let is_called = rest[name.len()..].starts_with(['(', '`', ' ', '.', '"']);
                if name.is_empty() || before.is_alphanumeric() || !is_called {
                    continue;
                }
                let known = spec.functions.iter().map(|function| function.name);
                let mut known = known.chain(spec.fields.iter().map(|field| field.name));
                assert!(known.any(|known| known == name), "{page} names {start}{name}");
            }
        }
    }
}

/// The pages, beside the reference, that explain the language.
const PAGES: [&str; 4] = [
    "README.md",
    "scripts/README.md",
    "scripts/docs/from-asterisk.md",
    "scripts/docs/from-freeswitch.md",
];

/// The fenced blocks of a page: the line, what stands behind the fence, the text.
fn blocks(page: &str) -> Vec<(usize, &str, &str)> {
    let mut blocks = Vec::new();
    let mut at = 0;
    while let Some(found) = page[at..].find("\n```") {
        let start = at + found + 4;
        let kind = page[start..].lines().next().unwrap();
        let body = start + kind.len() + 1;
        let end = body + page[body..].find("```").unwrap();
        blocks.push((page[..body].matches('\n').count() + 1, kind, &page[body..end]));
        at = end + 3;
    }
    blocks
}

/// Dials every route in every situation, and gives back which lines ran.
fn call_every_route(name: &str, sources: Sources) -> Coverage {
    let mut ran = Coverage::default();
    for situation in SITUATIONS {
        let (mut office, patterns) = open(name, sources.clone(), situation);
        for pattern in patterns {
            let mut call = Call::of_account("105", number(&pattern));
            call.behaviour = Behaviour { talking: situation.caller(), ..Behaviour::default() };
            let caller = office.call(call).unwrap();
            office.run_until_that(Duration::from_secs(600), |office| {
                office.party(caller).unwrap().is_free()
            });
            if !office.party(caller).unwrap().is_free() {
                office.act(caller, Act::Hangup).unwrap();
            }
            let left = office.finish();
            assert!(left.is_empty(), "{name}, {pattern}, {situation:?}: {left:?}");
        }
        for happening in office.happenings() {
            if let What::Exchange(Notice::ScriptFailed(failure)) = &happening.what {
                panic!("{name}, {}, {situation:?}: {}", failure.to, failure.error);
            }
        }
        for (file, lines) in office.script_coverage().unwrap().files {
            let file = ran.files.entry(file).or_default();
            for (number, line) in lines {
                file.entry(number).or_insert_with(|| line.clone()).hits += line.hits;
            }
        }
    }
    ran
}

/// What the world around a dialplan is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Situation {
    /// On a Monday morning everybody answers, talks for a while and hangs up; the caller presses keys.
    Answered,
    /// Everybody is busy; the caller speaks and presses the last key.
    Busy,
    /// On a Sunday nobody is there; the caller does nothing.
    Deserted,
}

const SITUATIONS: [Situation; 3] = [Situation::Answered, Situation::Busy, Situation::Deserted];

impl Situation {
    /// What the clock shows when the office opens.
    fn wall(self) -> &'static str {
        match self {
            Self::Answered | Self::Busy => "2026-11-23T10:00:00Z",
            Self::Deserted => "2026-11-22T23:00:00Z",
        }
    }

    fn caller(self) -> Vec<(Duration, Act)> {
        let at = Duration::from_secs;
        match self {
            Self::Answered => {
                let keys = ["1", "101#", "4711#", "1", "2", "#"].into_iter().cycle().take(30);
                (1..).step_by(4).map(at).zip(keys.map(|keys| Act::Press(keys.into()))).collect()
            }
            Self::Busy => (0..20)
                .flat_map(|round| {
                    let said = Act::Say(Duration::from_secs(3));
                    [(at(round * 12 + 5), said), (at(round * 12 + 10), Act::Press("#".into()))]
                })
                .collect(),
            Self::Deserted => Vec::new(),
        }
    }
}

fn open(name: &str, sources: Sources, situation: Situation) -> (Office, Vec<String>) {
    let texts = sources.files.values().flat_map(|text| text.split("route(\"").skip(1));
    let patterns = texts.map(|rest| rest.split('"').next().unwrap().to_owned()).collect();
    let mut setup = shipped::setup(sources, situation.wall());
    let by = pbx::SpeechBy::Command(vec!["speak".to_owned()]);
    setup.config.speech = Some(Arc::new(pbx::Synthesiser::new(by)));
    let mut office = Office::new(setup).unwrap_or_else(|mistakes| {
        let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        panic!("{name} does not load:\n{}", mistakes.join("\n"))
    });
    office.set_outside(Box::new(tests::DatabaseAlone::default()));
    for user in ["100", "101", "102", "103", "104"] {
        let after = Duration::from_secs(2);
        let called = match situation {
            Situation::Answered => Called::Answers { after },
            Situation::Busy => Called::busy(),
            Situation::Deserted => continue,
        };
        let phone = Phone::new(user).called(called).then(Duration::from_secs(5), Act::Hangup);
        office.add_phone(phone).unwrap();
    }
    (office, patterns)
}

/// A number that the pattern matches.
fn number(pattern: &str) -> String {
    if !pattern.chars().all(|c| c.is_ascii_digit() || "*#+XZN[]-.!".contains(c)) {
        return pattern.to_owned();
    }
    let mut number = String::new();
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            'X' | 'Z' => number.push('1'),
            'N' => number.push('2'),
            '.' => number.push('1'),
            '!' => {}
            '[' => {
                number.push(rest.next().unwrap());
                rest.find(|c| *c == ']');
            }
            other => number.push(other),
        }
    }
    number
}
