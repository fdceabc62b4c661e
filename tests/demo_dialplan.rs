//! The demo dialplan and the sounds that ship: everything loads, every name exists, and each demo
//! number does what its comments promise.
//!
//! A ladder is one conversation: each line a verb the script must ask for, with `<-` what it is
//! told; without, the usual thing happens. Prompts are written without their language.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dialplan::{
    CallView, Destination, Dial, DialStatus, Ending, Generation, Limits, LoadError, MailboxStatus,
    Match, Names, Outcome, Party, ReadEnd, Sound, Sources, Step, Verb, VoicemailStatus,
};
use jiff::Zoned;

#[test]
fn every_line_of_the_list_of_prompts_has_a_sound_and_every_sound_a_line() {
    let list = fs::read_to_string(folder("prompts").join("en.tsv")).unwrap();
    let lines = list.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let listed: BTreeSet<String> =
        lines.map(|line| format!("en/{}", line.split_once('\t').unwrap().0)).collect();
    let spoken: BTreeSet<String> =
        prompts().into_iter().filter(|name| name.starts_with("en/")).collect();
    assert_eq!(listed, spoken);
    for name in ["music/evening", "music/waltz", "music/river"] {
        assert!(prompts().contains(name), "{name}");
    }
}

#[test]
fn whatever_can_be_said_has_its_prompts() {
    let needed = dialplan::say_prompts("en").unwrap();
    let missing: Vec<_> = needed.iter().filter(|name| !prompts().contains(*name)).collect();
    assert_eq!(missing, Vec::<&String>::new());
}

#[test]
fn each_demo_number_finds_its_route_and_any_other_finds_none() {
    let demo = demo();
    for (number, pattern) in [
        ("100", "1XX"),
        ("109", "1XX"),
        ("*97", "*97"),
        ("*98", "*98"),
        ("0", "0"),
        ("9", "9"),
        ("123", "123"),
        ("302", "302"),
        ("600", "600"),
        ("700", "700"),
    ] {
        let Match::Route(found) = demo.match_number(number) else {
            panic!("{number} finds no route");
        };
        assert_eq!(Match::Route(found), demo.match_number(&sample(pattern)), "{number}");
        assert!(!demo.is_public(found), "{number}");
    }
    let patterns: BTreeSet<_> = demo.routes().iter().map(|route| route.pattern.as_str()).collect();
    assert_eq!(patterns, ["0", "1XX", "123", "302", "600", "700", "9", "*97", "*98"].into());
    for number in ["555", "7000", "200", "nobody"] {
        assert_eq!(demo.match_number(number), Match::None, "{number}");
    }
}

#[test]
fn a_phone_that_answers_ends_the_handler_with_the_call() {
    check("101", "dial ext/101 for 25 s <- ANSWERED");
}

#[test]
fn who_is_busy_or_away_has_a_mailbox() {
    check(
        "101",
        "
        dial ext/101 for 25 s <- BUSY
        voicemail 101 Busy
        ",
    );
    check(
        "101",
        "
        dial ext/101 for 25 s <- NOANSWER
        voicemail 101 Unavailable
        ",
    );
}

#[test]
fn a_number_that_is_nobodys_is_refused() {
    check(
        "155",
        "
        dial ext/155 for 25 s <- CHANUNAVAIL 404
        reject 404
        ",
    );
}

#[test]
fn the_mailbox_numbers_open_the_callers_own_and_any_other() {
    check("*97", "mailbox 100");
    check("*98", "mailbox asked for");
}

#[test]
fn the_echo_test_explains_itself_first() {
    check(
        "600",
        "
        answer
        play main/echo-intro
        echo
        play main/echo-end main/goodbye
        ",
    );
}

#[test]
fn the_menu_leads_on_repeats_and_says_goodbye() {
    check(
        "0",
        "
        answer
        play main/welcome
        read 1 after main/menu <- *
        read 1 after main/menu <- 2
        answer
        play main/echo-intro
        echo
        play main/echo-end main/goodbye
        ",
    );
    check(
        "0",
        "
        answer
        play main/welcome
        read 1 after main/menu <- timeout
        play main/nothing-pressed main/goodbye
        ",
    );
}

#[test]
fn digits_are_read_back() {
    check(
        "9",
        "
        answer
        read 16 after main/enter-digits <- 407
        play main/you-entered
        play digits/4 digits/0 digits/7
        play main/goodbye
        ",
    );
}

#[test]
fn a_redirect_names_an_extension_at_the_host_that_was_called() {
    check("302", "redirect 302 sip:100@pbx.example.org");
}

#[test]
fn the_queue_plays_music_unanswered_and_then_rings_or_apologises() {
    check(
        "700",
        "
        queued 2 music/evening
        sleep 10
        play main/queue-busy
        queued 1 music/evening
        sleep 10
        dial ext/101 for 20 s with music/evening <- NOANSWER
        play main/queue-sorry main/goodbye
        ",
    );
}

#[test]
fn the_clock_tells_the_time_over_and_over() {
    let told = conversation("123", &BTreeMap::new());
    let start = ["answer", "play time/the-time-is", "play numbers/9 time/oh numbers/5 time/am"];
    assert_eq!(told[..3], start);
    assert_eq!(told.iter().filter(|line| *line == "play time/the-time-is").count(), 20);
    assert_eq!(told.last().unwrap(), "play main/goodbye");
}

#[test]
fn the_examples_for_authors_load() {
    let page = fs::read_to_string(folder("scripts").join("README.md")).unwrap();
    let examples: Vec<_> = page
        .split("```lua\n")
        .skip(1)
        .map(|rest| rest.split_once("```").unwrap().0.to_owned())
        .collect();
    assert!(examples.len() >= 3);
    for example in examples {
        let files = [("main.lua".to_owned(), example.clone())].into();
        let routes =
            loaded(&Sources { files }).unwrap_or_else(|faults| panic!("{faults:?}\n{example}"));
        assert!(!routes.routes().is_empty(), "{example}");
    }
}

/// Runs a call by extension 100 to `number` and compares all that its script asked for with the
/// ladder.
#[track_caller]
fn check(number: &str, ladder: &str) {
    let lines = || ladder.lines().map(str::trim).filter(|line| !line.is_empty());
    let told = lines().enumerate().filter_map(|(index, line)| {
        let (_, told) = line.split_once(" <- ")?;
        Some((index, told))
    });
    let asked: Vec<_> = lines().map(|line| line.split(" <- ").next().unwrap()).collect();
    assert_eq!(conversation(number, &told.collect()), asked);
}

/// What the script of `number` asks for, one line a verb, told at some of them what happened.
fn conversation(number: &str, told: &BTreeMap<usize, &str>) -> Vec<String> {
    let demo = demo();
    let Match::Route(route) = demo.match_number(number) else {
        panic!("{number} finds no route");
    };
    let host = "pbx.example.org".to_owned();
    let call = CallView {
        id: "call-1".into(),
        from: Party { user: "100".into(), host: host.clone(), name: String::new() },
        to: Party { user: number.into(), host, name: String::new() },
        account: Some("100".into()),
        ..CallView::default()
    };
    let mut script = demo.start(route, call);
    let mut asked = Vec::new();
    let mut step = script.go_on(&now());
    loop {
        step = match step {
            Step::Ask { id, verb } => {
                let outcome = happened(&verb, told.get(&asked.len()).copied());
                asked.push(written(&verb));
                if matches!(verb, Verb::Reject { .. } | Verb::Redirect { .. } | Verb::Hangup { .. })
                {
                    break;
                }
                script.resume(id, outcome, &now())
            }
            Step::Cancel { .. } | Step::Slice => script.go_on(&now()),
            Step::Waiting => panic!("{number}: waits for nothing, after {asked:?}"),
            Step::Returned => break,
            Step::Failed(fault) => panic!("{number}: {fault}, after {asked:?}"),
        }
    }
    let faults = script.close(Ending { cause: "over".into(), code: 200 }, &now());
    assert_eq!(faults, []);
    asked
}

/// The verb as a ladder writes it.
fn written(verb: &Verb) -> String {
    match verb {
        Verb::Answer => "answer".into(),
        Verb::Echo => "echo".into(),
        Verb::Sleep(length) => format!("sleep {}", length.as_secs()),
        Verb::Play(play) => format!("play {}", names_of(&play.sounds)),
        Verb::Read(read) => format!("read {} after {}", read.digits_max, names_of(&read.prompt)),
        Verb::Queued { place, music } => {
            format!("queued {} {}", place.unwrap(), names_of(music.as_slice()))
        }
        Verb::Dial(dial) => written_dial(dial),
        Verb::Voicemail { mailbox, reason } => format!("voicemail {mailbox} {reason:?}"),
        Verb::Mailbox { mailbox } => {
            format!("mailbox {}", mailbox.as_deref().unwrap_or("asked for"))
        }
        Verb::Redirect { code, targets } => format!("redirect {code} {}", targets[0].uri),
        Verb::Reject { code, .. } => format!("reject {code}"),
        other => format!("{other:?}"),
    }
}

fn written_dial(dial: &Dial) -> String {
    let Destination::Extension(extension) = &dial.rounds[0][0].to else {
        panic!("{dial:?}");
    };
    let music = match &dial.music {
        Some(music) => format!(" with {}", names_of(std::slice::from_ref(music))),
        None => String::new(),
    };
    format!("dial ext/{extension} for {} s{music}", dial.timeout.as_secs())
}

fn names_of(sounds: &[Sound]) -> String {
    let name = |sound: &Sound| match sound {
        Sound::Prompt(name) => name.trim_start_matches("en/").to_owned(),
        other => format!("{other:?}"),
    };
    sounds.iter().map(name).collect::<Vec<_>>().join(" ")
}

/// What the script is told: what the ladder says, or the usual thing.
fn happened(verb: &Verb, told: Option<&str>) -> Outcome {
    match verb {
        Verb::Play(_) => Outcome::Played { digit: None, heard: Duration::from_secs(1) },
        Verb::Read(_) => match told {
            Some("timeout") | None => {
                Outcome::Read { digits: String::new(), ended: ReadEnd::Timeout }
            }
            Some(digits) => Outcome::Read { digits: digits.into(), ended: ReadEnd::Complete },
        },
        Verb::Dial(_) => {
            let (status, code) = match told {
                Some("BUSY") => (DialStatus::Busy, 486),
                Some("NOANSWER") => (DialStatus::NoAnswer, 480),
                Some("CHANUNAVAIL 404") => (DialStatus::ChanUnavail, 404),
                _ => (DialStatus::Answered, 200),
            };
            Outcome::Dialed {
                status,
                code,
                reason: String::new(),
                talked: Duration::ZERO,
                answered_by: String::new(),
            }
        }
        Verb::Voicemail { .. } => Outcome::Voicemail(VoicemailStatus::Success),
        Verb::Mailbox { .. } => Outcome::Mailbox(MailboxStatus::Done),
        _ => Outcome::Done,
    }
}

/// The demo dialplan, loaded as the switch would.
#[track_caller]
fn demo() -> Generation {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder("scripts")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "lua") {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            files.insert(name, fs::read_to_string(path).unwrap());
        }
    }
    loaded(&Sources { files }).unwrap_or_else(|faults| {
        panic!("{}", faults.iter().map(|fault| format!("{fault}\n")).collect::<String>())
    })
}

/// Loads scripts beside the prompts that ship and the ten extensions of a first start.
fn loaded(sources: &Sources) -> Result<Generation, Vec<LoadError>> {
    let extensions: BTreeSet<String> = (100..110).map(|number: u32| number.to_string()).collect();
    let names = Names {
        prompts: prompts(),
        mailboxes: extensions.clone(),
        extensions,
        language: "en".into(),
        speech: false,
    };
    Generation::load(sources, names, Limits::default(), &now())
}

/// Names of all sounds in the prompts folder.
fn prompts() -> BTreeSet<String> {
    let root = folder("prompts");
    let mut names = BTreeSet::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "ogg") {
                let name = path.strip_prefix(&root).unwrap().with_extension("");
                names.insert(name.to_str().unwrap().to_owned());
            }
        }
    }
    names
}

/// A number that a pattern of the demo matches and no other does.
fn sample(pattern: &str) -> String {
    pattern.replace('X', "0")
}

/// Five past nine on a Monday morning.
fn now() -> Zoned {
    "2026-11-23T09:05:00+00:00[UTC]".parse().unwrap()
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(name)
}
