//! The same dialplan and the same people twice: in a world with every packet of sound, and in an
//! office of the bench, which calculates it. What scripts notice and what is kept must be the same.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bench::{Act, Behaviour, Call, Office, Phone, Setup, Sounds, Weather};
use pbx::Notice;
use pbx::records::CallRecord;
use tests::{Plan, World};

/// What somebody does, at a time in milliseconds.
type Step = (u64, &'static str, Do);

#[derive(Debug, Clone)]
enum Do {
    Invite(&'static str),
    Answer,
    Press(&'static str),
    Speak(u64),
    Hold,
    Resume,
    Bye,
}

/// What is left of a run: log lines of scripts, call records, lengths of messages.
#[derive(Debug)]
struct Left {
    logged: Vec<String>,
    calls: Vec<CallRecord>,
    messages: Vec<Duration>,
}

#[track_caller]
fn check(script: &str, steps: &[Step], until_ms: u64) {
    let (world, office) = (in_world(script, steps, until_ms), in_office(script, steps, until_ms));
    assert_eq!(world.logged.len(), office.logged.len(), "{world:?}\n{office:?}");
    for (one, other) in world.logged.iter().zip(&office.logged) {
        assert!(are_near(one, other), "{one} / {other}\n{world:?}\n{office:?}");
    }
    assert_eq!(world.calls.len(), office.calls.len(), "{world:?}\n{office:?}");
    for (one, other) in world.calls.iter().zip(&office.calls) {
        let told = |call: &CallRecord| {
            (
                call.from.clone(),
                call.to.clone(),
                call.status,
                call.answered_by.clone(),
                call.ending.clone(),
            )
        };
        assert_eq!(told(one), told(other));
        let (one_answered, other_answered) =
            (one.answered_after.unwrap_or_default(), other.answered_after.unwrap_or_default());
        assert!(one_answered.abs_diff(other_answered) <= NEAR, "{one:?}\n{other:?}");
        assert!(one.ended_after.abs_diff(other.ended_after) <= NEAR, "{one:?}\n{other:?}");
    }
    assert_eq!(world.messages.len(), office.messages.len(), "{world:?}\n{office:?}");
    for (one, other) in world.messages.iter().zip(&office.messages) {
        assert!(one.abs_diff(*other) <= NEAR, "{world:?}\n{office:?}");
    }
}

/// The same words, and numbers that are near each other.
fn are_near(one: &str, other: &str) -> bool {
    let (one, other): (Vec<&str>, Vec<&str>) =
        (one.split(' ').collect(), other.split(' ').collect());
    one.len() == other.len()
        && one.iter().zip(&other).all(|(a, b)| match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(a), Ok(b)) => (a - b).abs() <= NEAR.as_millis() as f64,
            _ => a == b,
        })
}

fn prompts() -> Vec<String> {
    let mut names: Vec<String> = pbx::prompt_names("en");
    names.extend(dialplan::say_prompts("en").unwrap());
    names.extend(["en/hello", "en/main/sorry"].map(str::to_owned));
    names
}

fn in_world(script: &str, steps: &[Step], until_ms: u64) -> Left {
    let mut world =
        World::new(Plan { script: script.to_owned(), prompts: prompts(), ..Plan::default() });
    for (name, user) in PEOPLE {
        world.phone(name, user);
    }
    world.register_all();
    for (name, _) in PEOPLE {
        world.act(name, "HUSH");
    }
    // Speaking is two acts there.
    let mut acts: Vec<(u64, &str, String)> = Vec::new();
    for (at, who, what) in steps {
        let mut act = |at: u64, what: &str| acts.push((at, who, what.to_owned()));
        match what {
            Do::Invite(number) => act(*at, &format!("INVITE {number}")),
            Do::Answer => act(*at, "200"),
            Do::Press(keys) => act(*at, &format!("PRESS {keys}")),
            Do::Speak(length) => {
                act(*at, "TALK");
                act(at + length, "HUSH");
            }
            Do::Hold => act(*at, "HOLD"),
            Do::Resume => act(*at, "RESUME"),
            Do::Bye => act(*at, "BYE"),
        }
    }
    acts.sort_by_key(|(at, ..)| *at);
    let mut now = 0;
    for (at, who, what) in acts {
        world.run_for(Duration::from_millis(at - now));
        now = at;
        world.act(who, &what);
    }
    world.run_for(Duration::from_millis(until_ms - now));
    Left {
        logged: world.logged().to_vec(),
        calls: world.shelf.calls.clone(),
        messages: world.shelf.messages.iter().map(|(_, message, _)| message.length).collect(),
    }
}

fn in_office(script: &str, steps: &[Step], until_ms: u64) -> Left {
    let prompts = prompts();
    let plan = Plan { script: script.to_owned(), prompts: prompts.clone(), ..Plan::default() };
    let config = World::new(plan).config().clone();
    let mut office = Office::new(Setup {
        config,
        sources: crate::shipped::dialplan_of(&[("main.lua", script)]),
        // As long as the tones that stand for prompts in a world.
        sounds: Arc::new(Sounds::made_up(
            prompts.iter().map(String::as_str),
            Duration::from_millis(500),
        )),
        start: Instant::now(),
        wall: "2027-01-15T08:00:00Z".parse().unwrap(),
        seed: 1,
        weather: Weather::calm(),
        kept: None,
    })
    .unwrap_or_else(|errors| panic!("{errors:?}"));
    for (name, user) in PEOPLE {
        let phone =
            Phone { name: name.to_owned(), behaviour: Behaviour::default(), ..Phone::new(user) };
        office.add_phone(phone).unwrap();
    }
    let mut now = 0;
    for (at, who, what) in steps {
        office.run_for(Duration::from_millis(at - now));
        now = *at;
        let party = office.find(who).unwrap();
        let act = match what {
            Do::Invite(number) => {
                let user = office.party(party).unwrap().user().to_owned();
                office.call(Call::of_account(user, *number)).unwrap();
                continue;
            }
            Do::Answer => Act::Answer,
            Do::Press(keys) => Act::Press((*keys).to_owned()),
            Do::Speak(length) => Act::Say(Duration::from_millis(*length)),
            Do::Hold => Act::Hold,
            Do::Resume => Act::Resume,
            Do::Bye => Act::Hangup,
        };
        office.act(party, act).unwrap_or_else(|error| panic!("{error}\n{}", office.ladder()));
    }
    office.run_for(Duration::from_millis(until_ms - now));
    let logged = office.notices().filter_map(|(_, notice)| match notice {
        Notice::Script { text, .. } => Some(text.clone()),
        _ => None,
    });
    Left {
        logged: logged.collect(),
        calls: office.shelf().calls.clone(),
        messages: office.shelf().messages.iter().map(|(_, message, _)| message.length).collect(),
    }
}

#[test]
fn playing_reading_and_recording_take_the_same_time() {
    let script = r#"
        route("9", function(call)
          call:answer()
          local played = call:play({ "hello", "silence:0.3", "tone:440:0.25", "hello" })
          log.info("played " .. played.ms)
          played = call:play({ "hello", "hello" }, { barge = true })
          log.info("barged " .. tostring(played.digit) .. " " .. played.ms)
          local digits, why = call:read { prompt = "hello", max = 3, timeout = 2, between = 1 }
          log.info("read " .. tostring(digits) .. " " .. tostring(why))
          digits, why = call:read { prompt = "hello", max = 1, timeout = 1 }
          log.info("read " .. tostring(digits) .. " " .. tostring(why))
          local recorded = call:record { name = "one", silence = 2, max = 20 }
          log.info("recorded " .. recorded.ms)
          log.info("heard again " .. call:play({ recorded.sound, "recording:one" }).ms)
          recorded = call:record { name = "two", max = 2, beep = false }
          log.info("recorded " .. recorded.ms)
        end)
    "#;
    check(
        script,
        &[
            (0, "alice", Do::Invite("9")),
            (2_100, "alice", Do::Press("5")),
            (4_000, "alice", Do::Press("1")),
            (8_500, "alice", Do::Speak(1_300)),
        ],
        30_000,
    );
}

#[test]
fn a_message_is_left_and_heard_alike() {
    let script = r#"
        route("102", function(call)
          log.info(call:voicemail("102"))
        end)
        route("*97", function(call)
          log.info(call:mailbox("102"))
        end)
    "#;
    check(
        script,
        &[
            (0, "alice", Do::Invite("102")),
            (6_000, "alice", Do::Speak(3_000)),
            (9_500, "alice", Do::Press("#")),
            (20_000, "bob", Do::Invite("*97")),
            (21_000, "bob", Do::Press("4")),
            (21_400, "bob", Do::Press("7")),
            (21_800, "bob", Do::Press("1")),
            (22_200, "bob", Do::Press("1")),
            (22_600, "bob", Do::Press("#")),
            (26_000, "bob", Do::Press("1")),
            (40_000, "bob", Do::Bye),
        ],
        45_000,
    );
}

#[test]
fn a_bridge_with_hold_and_what_follows_it() {
    let script = r#"
        route("1XX", function(call)
          local r = call:dial("ext/" .. call.to.user, { timeout = 10 })
          log.info(r.status .. " " .. r.code .. " " .. r.secs * 1000)
          local digit = call:read { prompt = "hello", max = 1, timeout = 3 }
          log.info("rated " .. tostring(digit))
        end)
    "#;
    check(
        script,
        &[
            (0, "alice", Do::Invite("102")),
            (2_000, "bob", Do::Answer),
            (3_000, "alice", Do::Speak(500)),
            (4_000, "bob", Do::Hold),
            (5_000, "bob", Do::Resume),
            (6_000, "alice", Do::Press("7")),
            (8_000, "bob", Do::Bye),
            (8_200, "alice", Do::Press("5")),
        ],
        15_000,
    );
}

/// Names and extensions.
const PEOPLE: [(&str, &str); 2] = [("alice", "101"), ("bob", "102")];
/// Two frames of sound.
const NEAR: Duration = Duration::from_millis(40);
