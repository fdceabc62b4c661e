//! Sessions as they look on a terminal.
//!
//! Each text begins with a dialplan; below the line `----` stands a session. A line with a prompt is
//! what is typed, and what stands beneath is what it leads to, exactly. It is Sunday, 22 November
//! 2026, 03:00 in Berlin, and extension 101 calls; there are 100 to 102, each with a phone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bench::Sounds;
use dialplan::Sources;
use repl::{Opening, Prompt, Session, Task};

const PROMPTS: [Prompt; 4] = [Prompt::Ready, Prompt::More, Prompt::UnderWay, Prompt::Over];

/// Types every line of `text` that has a prompt, and gives back the whole session.
fn played(text: &str) -> String {
    let (script, session) = text.split_once("----\n").unwrap();
    let mut running = Session::new(opening(script)).unwrap();
    let mut shown = running.begin().text();
    for line in session.lines() {
        let typed = PROMPTS.iter().find_map(|prompt| line.strip_prefix(prompt.as_str().trim_end()));
        let Some(typed) = typed else { continue };
        let typed = typed.strip_prefix(' ').unwrap_or(typed);
        let prompted = format!("{}{typed}", running.prompt().as_str());
        shown.push_str(prompted.trim_end());
        shown.push('\n');
        let reply = running.enter(typed);
        shown.push_str(&reply.text());
        match reply.task {
            Some(Task::Save { file, text, needs_route }) => {
                shown.push_str(&format!("[{file}, needs a route: {needs_route}]\n{text}"));
            }
            Some(task) => shown.push_str(&format!("[{task:?}]\n")),
            None => {}
        }
    }
    format!("{script}----\n{shown}")
}

fn opening(script: &str) -> Opening {
    let mut names: Vec<String> = pbx::prompt_names("en").into_iter().collect();
    names.extend(dialplan::say_prompts("en").unwrap());
    names.extend(["en/welcome", "en/closed", "en/menu", "music/waltz"].map(str::to_owned));
    let names = names.iter().map(String::as_str);
    Opening {
        config: config(),
        sources: Sources {
            files: BTreeMap::from([
                ("main.lua".to_owned(), script.to_owned()),
                // A name that the session would have liked for itself.
                ("repl.lua".to_owned(), "return \"welcome\"".to_owned()),
            ]),
        },
        sounds: Arc::new(Sounds::made_up(names, Duration::from_millis(1_500))),
        start: Instant::now(),
        wall: "2026-11-22T02:00:00Z".parse().unwrap(),
        seed: 1,
        from: "101".to_owned(),
        to: "700".to_owned(),
    }
}

fn config() -> pbx::Config {
    let numbers = || ["100", "101", "102"].map(str::to_owned).into_iter();
    let account = |user: String| {
        let mailbox = Some(user.clone());
        let secret = format!("secret-{user}");
        (user.clone(), pbx::Account { user, secret, name: String::new(), mailbox })
    };
    let mailbox = |name: String| {
        let message_max = Duration::from_secs(60);
        let pin = "4711".to_owned();
        (name, pbx::MailboxConfig { pin, messages_max: 10, message_max })
    };
    let listener =
        |transport| pbx::Listener { transport, address: "10.0.0.1:5060".parse().unwrap() };
    pbx::Config {
        domain: "office.example".to_owned(),
        listeners: vec![listener(sip_engine::Transport::Udp), listener(sip_engine::Transport::Tcp)],
        accounts: numbers().map(account).collect(),
        mailboxes: Arc::new(numbers().map(mailbox).collect()),
        time_zone: jiff::tz::TimeZone::get("Europe/Berlin").unwrap(),
        external_ip: None,
        rtp_port_first: 20_000,
        rtp_port_last: 20_999,
        media_threads: 1,
        nat: true,
        digest: vec![sip_engine::Algorithm::Sha256],
        peers: Vec::new(),
        language: "en".to_owned(),
        apology: None,
        limits: pbx::Limits::default(),
        http_allow: Vec::new(),
        speech: Some(synthesiser()),
        script_limits: dialplan::Limits::default(),
        script_watch: dialplan::Watch::Nothing,
    }
}

/// Something that speaks texts; nothing of it is ever started here.
fn synthesiser() -> Arc<pbx::Synthesiser> {
    let by = pbx::SpeechBy::Command(vec!["speak".to_owned()]);
    Arc::new(pbx::Synthesiser::new(by))
}

macro_rules! sessions {
    ($($name:ident $file:literal)*) => {
        $(
            #[test]
            fn $name() {
                let text = include_str!(concat!($file, ".txt"));
                let got = played(text);
                assert_eq!(got, text, "\n{got}");
            }
        )*
    };
}

/// What could stand at the end of these lines.
#[test]
fn what_was_begun_is_completed_from_the_table_of_functions() {
    let session = Session::new(opening("route('9', function(call) end)")).unwrap();
    for (line, expected) in [
        ("call:vo", "call: voicemail"),
        ("local r = call:d", "local r = call: dial dtmf"),
        ("call.acc", "call. account"),
        ("time.op", "time. open"),
        ("call:play(\"wel", "call:play(\" welcome"),
        ("call:dial(\"ext/10", "call:dial(\" ext/100 ext/101 ext/102"),
        ("call:dial(\"ext/101\", { ti", "call:dial(\"ext/101\", {  timeout = "),
        ("call:read { prompt = \"menu\", te", "call:read { prompt = \"menu\",  terminator = "),
        (".an", ". answer"),
        (".answer 10", ".answer  100 101 102"),
        (".help call:voi", ".help  call:voicemail"),
        ("spa", " spawn"),
        ("nothing_like_this", " "),
    ] {
        let (start, words) = session.complete(line, line.len());
        let got = format!("{} {}", &line[..start], words.join(" "));
        assert_eq!(got.trim_end(), expected.trim_end(), "{line}");
    }
}

sessions! {
    lines_are_run_and_the_ladder_grows "first"
    other_programs_answer_what_is_said "outside"
    phones_ring_until_somebody_says_what_they_do "phones"
    keys_and_speech_reach_whoever_listens "keys"
    mistakes_are_told_and_dropped "mistakes"
    what_was_typed_can_be_taken_back "undo"
    a_session_becomes_a_test "save"
    the_dialplan_is_there_and_a_number_that_it_has_is_no_hindrance "dialplan"
    a_line_may_end_the_call "ends"
    texts_that_are_spoken_are_heard_as_such "speech"
}
