//! Messages left and heard, from the phone's side: what is said, what is kept, what is not.

use std::time::Duration;

use tests::{Plan, World, has_tone};

const OFFICE: &str = "
route('1XX', function(call)
  local result = call:dial('ext/' .. call.to.user, { timeout = 5 })
  if result.status ~= 'ANSWERED' then call:voicemail(call.to.user, { reason = result.status }) end
end)
route('*97', function(call) call:mailbox(call.account) end)
route('*98', function(call) call:mailbox() end)";

fn office() -> World {
    let mut world = World::new(Plan {
        script: OFFICE.to_owned(),
        prompts: pbx::prompt_names("en"),
        ..Plan::default()
    });
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.register_all();
    world
}

fn seconds(world: &mut World, seconds: u64) {
    world.run_for(Duration::from_secs(seconds));
}

/// What the phone was played since last asked, without language and folder.
fn played(world: &mut World) -> Vec<String> {
    let log = std::mem::take(&mut world.log);
    log.iter()
        .filter_map(|line| line.split_once(" plays "))
        .map(|(_, names)| names.replace("en/vm/", "").replace("en/", ""))
        .collect()
}

/// Alice leaves bob, who is busy, a message of about this length.
fn leave(world: &mut World, length: u64) {
    world.phones[1].answers_at_once = Some(486);
    world.act("alice", "INVITE 102");
    seconds(world, 1);
    world.act("alice", "PRESS 1");
    seconds(world, 1);
    seconds(world, length);
    world.act("alice", "PRESS #");
    seconds(world, 4);
    assert!(!world.named("alice").is_in_call(), "{}", world.log.join("\n"));
    world.phones[1].answers_at_once = None;
}

/// Bob opens his mailbox with this PIN.
fn open(world: &mut World, pin: &str) {
    world.act("bob", "INVITE *97");
    seconds(world, 1);
    world.act("bob", &format!("PRESS {pin}#"));
    seconds(world, 2);
}

#[test]
fn who_does_not_answer_has_a_mailbox_that_takes_a_message() {
    let mut world = office();
    world.check(
        "
           0  alice -> INVITE 102
           0  bob   <- INVITE
         100  bob   -> 180
         100  alice <- 180
        5000  bob   <- CANCEL
        5000  alice <- 200
        5001  plays en/vm/person-at en/digits/1 en/digits/0 en/digits/2 en/vm/unavailable en/vm/leave-message
        8005  plays tone:1000
       13405  alice -> PRESS #
       13421  plays en/vm/message-saved en/vm/goodbye
       14425  alice <- BYE
       14425  record 101 102 answered 9425 ms
    ",
    );
    let (mailbox, message, pcm) = &world.shelf.messages[0];
    assert_eq!((mailbox.as_str(), message.caller.as_str(), message.heard), ("102", "101", false));
    assert!((4_900..5_100).contains(&message.length.as_millis()), "{:?}", message.length);
    assert!(has_tone(pcm, world.named("alice").tone_hz), "it is alice who speaks");
    assert!(!has_tone(pcm, 1_000.0), "the beep is not part of it");
    world.assert_all_is_quiet();
}

#[test]
fn hanging_up_keeps_what_was_said() {
    let mut world = office();
    world.phones[1].answers_at_once = Some(486);
    world.act("alice", "INVITE 102");
    seconds(&mut world, 1);
    world.act("alice", "PRESS 1");
    seconds(&mut world, 4);
    world.act("alice", "BYE");
    seconds(&mut world, 1);
    let (_, message, pcm) = &world.shelf.messages[0];
    assert!((3_000..3_800).contains(&message.length.as_millis()), "{:?}", message.length);
    assert!(has_tone(pcm, world.named("alice").tone_hz));
    world.assert_all_is_quiet();
}

#[test]
fn hanging_up_before_the_beep_has_ended_leaves_nothing() {
    for wait_ms in [5, 200, 1_200, 1_350] {
        let mut world = office();
        world.phones[1].answers_at_once = Some(486);
        world.act("alice", "INVITE 102");
        seconds(&mut world, 1);
        world.act("alice", "PRESS 1");
        world.run_for(Duration::from_millis(wait_ms % 1_000));
        world.act("alice", "BYE");
        world.assert_all_is_quiet();
        assert!(world.shelf.messages.is_empty(), "after {wait_ms} ms");
    }
}

#[test]
fn silence_and_the_longest_message_end_it() {
    let mut world = office();
    world.phones[1].answers_at_once = Some(486);
    // Silence all along: nothing is kept.
    world.act("alice", "HUSH");
    world.act("alice", "INVITE 102");
    seconds(&mut world, 1);
    world.act("alice", "PRESS 1");
    seconds(&mut world, 20);
    assert!(played(&mut world).contains(&"nothing-heard goodbye".to_owned()));
    assert!(world.shelf.messages.is_empty());
    // Three seconds of speech, then silence: the silence is cut off.
    world.act("alice", "INVITE 102");
    seconds(&mut world, 1);
    world.act("alice", "PRESS 1");
    world.act("alice", "TALK");
    seconds(&mut world, 4);
    world.act("alice", "HUSH");
    seconds(&mut world, 20);
    let length = world.shelf.messages[0].1.length.as_millis();
    assert!((3_000..4_200).contains(&length), "{length} ms");
    // Talking on and on.
    world.act("alice", "TALK");
    world.act("alice", "INVITE 102");
    seconds(&mut world, 1);
    world.act("alice", "PRESS 1");
    seconds(&mut world, 70);
    assert!(played(&mut world).contains(&"time-is-up message-saved goodbye".to_owned()));
    assert_eq!(world.shelf.messages[1].1.length, Duration::from_secs(60));
    world.assert_all_is_quiet();
}

#[test]
fn a_full_mailbox_takes_no_more() {
    let mut world = office();
    for _ in 0..5 {
        leave(&mut world, 2);
    }
    played(&mut world);
    world.phones[1].answers_at_once = Some(486);
    world.act("alice", "INVITE 102");
    seconds(&mut world, 4);
    assert_eq!(played(&mut world), ["mailbox-full goodbye"]);
    assert_eq!(world.shelf.messages.len(), 5);
    world.assert_all_is_quiet();
}

#[test]
fn a_caller_is_told_when_no_message_can_be_taken() {
    let mut world = office();
    world.phones[1].answers_at_once = Some(486);
    world.shelf.broken = true;
    world.act("alice", "INVITE 102");
    seconds(&mut world, 4);
    assert_eq!(played(&mut world), ["cannot-record"]);
    // Calls go on.
    world.phones[1].answers_at_once = Some(200);
    world.act("alice", "INVITE 102");
    seconds(&mut world, 1);
    assert_eq!(world.heard_by("alice"), "bob");
    world.act("alice", "BYE");
    world.assert_all_is_quiet();
}

#[test]
fn a_store_that_never_replies_is_taken_for_broken() {
    let mut world = office();
    world.phones[1].answers_at_once = Some(486);
    world.shelf.silent = true;
    world.act("alice", "INVITE 102");
    seconds(&mut world, 9);
    assert!(played(&mut world).is_empty());
    seconds(&mut world, 4);
    assert_eq!(played(&mut world), ["cannot-record"]);
    world.assert_all_is_quiet();
}

#[test]
fn a_store_that_falls_silent_while_a_message_is_spoken_keeps_no_call() {
    let mut world = office();
    world.phones[1].answers_at_once = Some(486);
    world.act("alice", "INVITE 102");
    seconds(&mut world, 1);
    world.act("alice", "PRESS 1");
    seconds(&mut world, 3);
    world.shelf.silent = true;
    world.act("alice", "BYE");
    world.assert_all_is_quiet();
    assert_eq!(world.call_count(), 0);
}

#[test]
fn messages_are_heard_with_the_right_pin_and_deleted_at_the_end() {
    let mut world = office();
    leave(&mut world, 3);
    played(&mut world);
    open(&mut world, "1111");
    assert_eq!(played(&mut world), ["enter-pin", "wrong-pin enter-pin"]);
    world.act("bob", "PRESS 4711#");
    seconds(&mut world, 4);
    let said = played(&mut world);
    assert!(said.last().unwrap().starts_with("you-have numbers/1 new-message"), "{said:?}");
    world.act("bob", "PRESS 1");
    seconds(&mut world, 1);
    let said = played(&mut world);
    assert!(said[0].contains("from-extension digits/1 digits/0 digits/1"), "{said:?}");
    while !played(&mut world).iter().any(|names| names.starts_with("recording")) {
        world.run_for(Duration::from_millis(20));
    }
    seconds(&mut world, 1);
    assert!(world.hears_tone("bob", world.named("alice").tone_hz), "bob hears what alice said");
    // Deleted, and hung up: gone only now.
    world.act("bob", "PRESS 7");
    seconds(&mut world, 1);
    assert_eq!(world.shelf.messages.len(), 1);
    world.act("bob", "BYE");
    seconds(&mut world, 1);
    assert!(world.shelf.messages.is_empty());
    world.assert_all_is_quiet();
}

#[test]
fn three_wrong_pins_end_the_call() {
    let mut world = office();
    leave(&mut world, 2);
    open(&mut world, "1");
    world.act("bob", "PRESS 2#");
    seconds(&mut world, 2);
    world.act("bob", "PRESS 3#");
    seconds(&mut world, 5);
    assert!(!world.named("bob").is_in_call());
    assert!(!world.shelf.messages[0].1.heard);
    world.assert_all_is_quiet();
}

#[test]
fn a_new_pin_replaces_the_old() {
    let mut world = office();
    open(&mut world, "4711");
    for keys in ["0", "1", "2468#", "2468#"] {
        world.act("bob", &format!("PRESS {keys}"));
        seconds(&mut world, 3);
    }
    world.act("bob", "BYE");
    seconds(&mut world, 1);
    played(&mut world);
    open(&mut world, "4711");
    assert!(played(&mut world)[1].starts_with("wrong-pin"));
    world.act("bob", "PRESS 2468#");
    seconds(&mut world, 2);
    let said = played(&mut world);
    assert!(said[0].starts_with("no-messages"), "{said:?}");
    world.act("bob", "BYE");
    world.assert_all_is_quiet();
}

#[test]
fn callers_hear_the_greeting_that_its_owner_recorded() {
    let mut world = office();
    open(&mut world, "4711");
    for keys in ["0", "2", "1"] {
        world.act("bob", &format!("PRESS {keys}"));
        seconds(&mut world, 2);
    }
    seconds(&mut world, 2);
    world.act("bob", "PRESS #");
    seconds(&mut world, 2);
    world.act("bob", "BYE");
    world.phones[1].answers_at_once = Some(486);
    world.act("alice", "INVITE 102");
    seconds(&mut world, 1);
    assert!(world.hears_tone("alice", world.named("bob").tone_hz), "{}", world.log.join("\n"));
    world.act("alice", "BYE");
    world.assert_all_is_quiet();
}

#[test]
fn a_greeting_cut_off_by_hanging_up_is_forgotten() {
    let mut world = office();
    open(&mut world, "4711");
    for keys in ["0", "2", "1"] {
        world.act("bob", &format!("PRESS {keys}"));
        seconds(&mut world, 2);
    }
    world.act("bob", "BYE");
    world.assert_all_is_quiet();
    world.phones[1].answers_at_once = Some(486);
    world.act("alice", "INVITE 102");
    seconds(&mut world, 1);
    assert!(!world.hears_tone("alice", world.named("bob").tone_hz));
    world.act("alice", "BYE");
    world.assert_all_is_quiet();
}

#[test]
fn a_recording_that_was_never_begun_leaves_no_file_and_no_draft() {
    let mut world = World::new(Plan {
        script: "route('5', function(call) call:record { name = 'wish', max = 9 } end)".to_owned(),
        ..Plan::default()
    });
    world.phone("alice", "101");
    world.register_all();
    world.act("alice", "INVITE 5");
    world.run_for(Duration::from_millis(200));
    world.act("alice", "BYE");
    world.assert_all_is_quiet();
    assert!(world.shelf.recordings.is_empty());
}
