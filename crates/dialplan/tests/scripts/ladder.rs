//! The one place that knows the crate's interface: plays a ladder against a script.
//!
//! | line | means |
//! | --- | --- |
//! | `dial 101` | the script of that number starts; what it does until it waits follows |
//! | `< busy`, `<2 busy` | the outcome of the last verb that waits for one, or of the second verb |
//! | `key 5` | the callee presses a key |
//! | `over CAUSE` | the call ends; the script is closed |
//! | `> dial ...` | a verb |
//! | `> cancel 2` | nobody waits for the second verb any more |
//! | `> returns`, `> fails ...`, `> problem ...` | how it ended, or what went wrong in closing |
//! | `> log info ...` | a logged line with its place |

use std::time::Duration;

use dialplan::{
    AT_THE_END, AskId, CallEvent, CallView, Check, DialStatus, Ending, Generation, Limits,
    LoadError, Loading, LogLevel, MailboxStatus, Match, Names, Outcome, Party, ReadEnd, Remark,
    Script, Side, Sound, Sources, Speech, Step, Verb, VoicemailStatus,
};
use jiff::Zoned;

use crate::outside;

/// Slices that one resume may take in these tests.
const SLICES_MAX: usize = 100_000;

pub(crate) fn now() -> Zoned {
    "2026-11-23T14:05:09.250[Europe/Vienna]".parse().unwrap()
}

pub(crate) fn names() -> Names {
    let prompts = ["welcome", "menu", "bye", "music", "beep"].map(|name| format!("en/{name}"));
    let spoken = dialplan::say_prompts("en").unwrap();
    Names {
        prompts: prompts.into_iter().chain(spoken).chain(["music/evening".to_owned()]).collect(),
        extensions: ["101", "102"].map(str::to_owned).into(),
        mailboxes: ["101"].map(str::to_owned).into(),
        language: "en".into(),
        speech: true,
    }
}

pub(crate) fn sources(files: &[(&str, &str)]) -> Sources {
    Sources {
        files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect(),
    }
}

pub(crate) fn load(main: &str) -> Result<Generation, Vec<LoadError>> {
    Generation::load(&sources(&[("main.lua", main)]), names(), Limits::default(), &now())
}

/// Loads without looking for mistakes in the text, which would keep what goes wrong at run time from
/// ever being run.
pub(crate) fn generation(main: &str, limits: Limits) -> Generation {
    let loading = Loading { check: Check::Done, ..Loading::default() };
    Generation::load_as(&sources(&[("main.lua", main)]), names(), limits, loading, &now())
        .unwrap_or_else(|errors| panic!("{}", errors[0]))
}

pub(crate) fn view(number: &str) -> CallView {
    CallView {
        id: "call-1".into(),
        from: Party { user: "102".into(), host: "example.org".into(), name: "Bob".into() },
        to: Party { user: number.into(), host: "example.org".into(), name: String::new() },
        uri: format!("sip:{number}@example.org"),
        account: Some("102".into()),
        source: "192.0.2.7:5060".into(),
        headers: vec![
            ("X-Room".into(), "12".into()),
            ("Diversion".into(), "a".into()),
            ("diversion".into(), "b".into()),
        ],
        transferred_by: None,
    }
}

/// A script with its asks: all there ever were, and those that wait.
pub(crate) struct Running {
    pub(crate) script: Script,
    asks: Vec<AskId>,
    pub(crate) waiting: Vec<AskId>,
}

pub(crate) fn start(generation: &Generation, number: &str) -> Running {
    match generation.match_number(number) {
        Match::Route(route) => {
            let script = generation.start(route, view(number));
            Running { script, asks: Vec::new(), waiting: Vec::new() }
        }
        other => panic!("{number}: {other:?}"),
    }
}

/// Runs a new script until it wants something.
pub(crate) fn begin(running: &mut Running) -> Step {
    let step = running.script.go_on(&now());
    serve(running, step)
}

/// Answers the last verb and runs the script until it wants something.
pub(crate) fn resume(running: &mut Running, outcome: Outcome) -> Step {
    let ask = running.waiting.pop().expect("a verb that waits");
    let step = running.script.resume(ask, outcome, &now());
    serve(running, step)
}

/// Serves slices.
fn serve(running: &mut Running, mut step: Step) -> Step {
    for _ in 0..SLICES_MAX {
        match &step {
            Step::Slice => step = running.script.go_on(&now()),
            Step::Ask { id, .. } => {
                running.asks.push(*id);
                running.waiting.push(*id);
                return step;
            }
            Step::Cancel { id } => {
                running.waiting.retain(|ask| ask != id);
                return step;
            }
            Step::Waiting | Step::Returned | Step::Failed(_) => return step,
        }
    }
    panic!("no end of slices");
}

/// Wraps the body of a handler for number 1.
pub(crate) fn handler(body: &str) -> String {
    format!("route(\"1\", function(call)\n{body}\nend)")
}

/// Plays a ladder against the handler of number 1 with this body; its first line is line 2.
#[track_caller]
pub(crate) fn check_body(body: &str, ladder: &str) {
    check(&handler(body), ladder);
}

/// Plays a ladder against a whole `main.lua`.
#[track_caller]
pub(crate) fn check(main: &str, ladder: &str) {
    check_on(&generation(main, Limits::default()), ladder);
}

/// Plays a ladder against a generation.
#[track_caller]
pub(crate) fn check_on(generation: &Generation, ladder: &str) {
    let expected: Vec<&str> =
        ladder.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut happened: Vec<String> = Vec::new();
    let mut running: Option<Running> = None;
    for line in expected.iter().filter(|line| !line.starts_with('>')) {
        happened.push((*line).to_owned());
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "dial" => {
                let mut started = start(generation, rest);
                let step = begin(&mut started);
                note(generation, &mut happened, &mut started, step);
                running = Some(started);
            }
            "<" => {
                let running = running.as_mut().unwrap();
                let step = resume(running, outcome(rest));
                note(generation, &mut happened, running, step);
            }
            _ if word.starts_with('<') => {
                let running = running.as_mut().unwrap();
                let number: usize = word[1..].parse().unwrap();
                let ask = running.asks[number - 1];
                running.waiting.retain(|waiting| *waiting != ask);
                running.waiting.push(ask);
                let step = resume(running, outcome(rest));
                note(generation, &mut happened, running, step);
            }
            "key" => {
                let running = running.as_mut().unwrap();
                let digit = rest.chars().next().unwrap();
                let event = CallEvent::Dtmf { digit, by: Side::Callee };
                let step = running.script.notice(event, &now());
                let step = serve(running, step);
                note(generation, &mut happened, running, step);
            }
            "over" => {
                let ending = Ending { cause: rest.into(), code: 487 };
                let running = running.as_mut().unwrap();
                let problems = running.script.close(ending, &now());
                note_logs(generation, &mut happened);
                happened.extend(problems.iter().map(|problem| format!("> problem {problem}")));
                if running.script.has_afterwards() {
                    let step = begin(running);
                    note(generation, &mut happened, running, step);
                }
            }
            _ => panic!("what is {line}?"),
        }
    }
    assert_eq!(happened.join("\n"), expected.join("\n"));
}

/// Notes this step and what else the script wants before it waits.
fn note(
    generation: &Generation,
    happened: &mut Vec<String>,
    running: &mut Running,
    mut step: Step,
) {
    loop {
        note_logs(generation, happened);
        let over = running.script.is_over();
        happened.push(match &step {
            Step::Waiting => return,
            Step::Returned if over => return,
            Step::Ask { verb, .. } => format!("> {}", show(verb)),
            Step::Cancel { id } => {
                let number = running.asks.iter().position(|ask| ask == id).unwrap() + 1;
                format!("> cancel {number}")
            }
            Step::Slice => "> slice".into(),
            Step::Returned => "> returns".into(),
            Step::Failed(error) => format!("> fails {error}"),
        });
        if matches!(step, Step::Returned | Step::Failed(_)) {
            return;
        }
        step = begin(running);
    }
}

fn note_logs(generation: &Generation, happened: &mut Vec<String>) {
    for line in generation.take_logs() {
        if let Some(Remark::Failed { what: AT_THE_END, error }) = line.remark.as_deref() {
            happened.push(format!("> problem {error}"));
            continue;
        }
        let level = match line.level {
            LogLevel::Debug => "debug",
            LogLevel::Info => "info",
            LogLevel::Warn => "warn",
            LogLevel::Error => "error",
        };
        happened.push(format!("> log {level} {}:{} {}", line.file, line.line, line.text));
    }
}

/// A verb in words; those with many parts as Rust shows them.
pub(crate) fn show(verb: &Verb) -> String {
    match verb {
        Verb::Answer => "answer".into(),
        Verb::Play(play) => {
            let sounds: Vec<_> = play.sounds.iter().map(show_sound).collect();
            format!("play {}", sounds.join(" "))
        }
        Verb::Fetch(fetch) => outside::show_fetch(fetch),
        Verb::Query(query) => outside::show_query(query),
        other => format!("{other:?}"),
    }
}

fn show_sound(sound: &Sound) -> String {
    match sound {
        Sound::Prompt(name) => name.clone(),
        Sound::Speech(Speech { text, language, voice: None }) => format!("{language} {text:?}"),
        other => format!("{other:?}"),
    }
}

fn outcome(text: &str) -> Outcome {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["done"] => Outcome::Done,
        ["fetched", status, ..] => outside::fetched(status, text),
        ["rows", ..] => outside::rows(&text["rows".len()..]),
        ["changed", rest @ ..] => outside::changed(rest),
        ["locked"] => Outcome::Locked(None),
        ["locked", id] => Outcome::Locked(Some(dialplan::LockId(id.parse().unwrap()))),
        ["fault", ..] => Outcome::Fault(text["fault ".len()..].into()),
        ["played", digit, ms] => Outcome::Played {
            digit: digit.chars().next().filter(|digit| *digit != '-'),
            heard: Duration::from_millis(ms.parse().unwrap()),
        },
        ["unspoken", "timeout"] => Outcome::Unspoken("timeout"),
        ["read", "timeout"] => Outcome::Read { digits: String::new(), ended: ReadEnd::Timeout },
        ["read", "invalid"] => Outcome::Read { digits: "9".into(), ended: ReadEnd::Invalid },
        ["read", digits] => Outcome::Read { digits: (*digits).into(), ended: ReadEnd::Complete },
        ["recorded", ms, path] => Outcome::Recorded {
            length: Duration::from_millis(ms.parse().unwrap()),
            path: (*path).into(),
        },
        ["dialed", status, code, to @ ..] => Outcome::Dialed {
            status: match *status {
                "answered" => DialStatus::Answered,
                "busy" => DialStatus::Busy,
                "noanswer" => DialStatus::NoAnswer,
                "cancel" => DialStatus::Cancel,
                "congestion" => DialStatus::Congestion,
                "chanunavail" => DialStatus::ChanUnavail,
                other => panic!("{other}"),
            },
            code: code.parse().unwrap(),
            reason: "Reason".into(),
            talked: Duration::from_millis(1_500),
            answered_by: to.first().copied().unwrap_or_default().into(),
        },
        ["voicemail", "success"] => Outcome::Voicemail(VoicemailStatus::Success),
        ["voicemail", "empty"] => Outcome::Voicemail(VoicemailStatus::Empty),
        ["voicemail", "failed"] => Outcome::Voicemail(VoicemailStatus::Failed),
        ["mailbox", "done"] => Outcome::Mailbox(MailboxStatus::Done),
        ["mailbox", "refused"] => Outcome::Mailbox(MailboxStatus::Refused),
        ["mailbox", "failed"] => Outcome::Mailbox(MailboxStatus::Failed),
        _ => panic!("what is {text}?"),
    }
}
