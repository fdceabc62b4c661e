//! `call:speak`: texts that are turned into sound, or not, while a caller waits.

use std::sync::Arc;
use std::time::Duration;

use pbx::{SpeechBy, SpeechError, Synthesiser};
use tests::{Plan, World};

/// An office in which something speaks.
fn office(script: &str) -> World {
    let by = SpeechBy::Command(vec!["speak".to_owned()]);
    let mut world = World::new(Plan {
        script: script.to_owned(),
        prompts: ["en/hello", "music/evening"].map(str::to_owned).to_vec(),
        speech: Some(Arc::new(Synthesiser::new(by))),
        ..Plan::default()
    });
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.register_all();
    world
}

#[test]
fn a_text_is_spoken_while_the_caller_hears_music_and_then_heard() {
    let mut world = office(
        "
route('5', function(call)
  call:queued { music = 'music/evening' }
  local spoken = call:speak('Your order is ready', { lang = 'de', voice = 'anna' })
  log.info(spoken.ms, spoken.interrupted, spoken.why)
  call:reject(480)
end)",
    );
    world.outside.speak("Your order is ready", 1_200, 1_200.0);
    world.check(
        "
           0  alice -> INVITE 5
           0  plays music/evening
           0  alice <- 182
           0  speaks de by anna \"Your order is ready\"
        1000  alice hears music/evening
        1200  plays \"Your order is ready\"
        1600  alice hears \"Your order is ready\"
        1720  alice <- 480
        1720  record 101 5 refused 480
    ",
    );
    assert_eq!(world.logged(), ["500 false nil"]);
    world.assert_all_is_quiet();
}

#[test]
fn the_texts_of_a_list_are_fetched_together_and_each_once() {
    let mut world = office(
        "
route('5', function(call)
  call:answer()
  call:play { 'hello', { speak = 'one' }, 'hello', { speak = 'two' }, { speak = 'one' } }
  call:hangup()
end)",
    );
    world.outside.speak("one", 700, 1_200.0);
    world.outside.speak("two", 300, 1_300.0);
    world.check(
        "
           0  alice -> INVITE 5
           0  alice <- 200
           0  speaks en \"one\"
           0  speaks en \"two\"
         700  plays en/hello \"one\" en/hello \"two\" \"one\"
        1500  alice hears \"one\"
        2500  alice hears \"two\"
        3000  alice hears \"one\"
        3200  alice <- BYE
        3200  record 101 5 answered 3200 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_synthesiser_that_hangs_costs_its_time_and_no_call() {
    let mut world = office(
        "
route('5', function(call)
  call:answer()
  local spoken = call:speak('Hello')
  log.info(spoken.why, spoken.ms)
  call:play('hello')
end)",
    );
    world.check(
        "
            0  alice -> INVITE 5
            0  alice <- 200
            0  speaks en \"Hello\"
        10000  gives up \"Hello\"
        10000  plays en/hello
        10500  alice <- BYE
        10500  record 101 5 answered 10500 ms
    ",
    );
    assert_eq!(
        world.logged(),
        [
            "speech: timeout: no sound came within 10 s; see `timeout` in [speech] of \
             cordboard.toml",
            "timeout 0",
        ]
    );
    world.assert_all_is_quiet();
}

#[test]
fn what_goes_wrong_is_told_with_the_line_once_and_then_counted() {
    let mut world = office(
        "
route('5', function(call)
  for _ = 1, 3 do log.info(call:speak('Hello').why) end
  log.info(call:speak('Bye').why)
  call:busy()
end)",
    );
    world.outside.fail_to_speak("Hello", 100, SpeechError::Broken("it has a cold".to_owned()));
    world.outside.fail_to_speak("Bye", 100, SpeechError::Busy);
    world.act("alice", "INVITE 5");
    world.run_for(Duration::from_secs(2));
    assert_eq!(
        world.script_lines,
        [
            "warn 3: speech: broken: it has a cold",
            "info 3: broken",
            "info 3: broken",
            "info 3: broken",
            "warn 4: speech: busy: too many texts wait for the synthesiser",
            "info 4: busy",
        ]
    );
    world.assert_all_is_quiet();
}

#[test]
fn keys_are_asked_for_without_the_text_that_cannot_be_spoken() {
    let mut world = office(
        "
route('5', function(call)
  call:answer()
  local digit = call:read { prompt = { 'hello', { speak = 'Your choice?' } }, max = 1 }
  log.info(digit)
end)",
    );
    world.outside.fail_to_speak("Your choice?", 300, SpeechError::Broken("no voice".to_owned()));
    world.check(
        "
           0  alice -> INVITE 5
           0  alice <- 200
           0  speaks en \"Your choice?\"
         300  plays en/hello
        1500  alice -> PRESS 7
        1520  alice <- BYE
        1520  record 101 5 answered 1520 ms
    ",
    );
    assert_eq!(world.logged(), ["speech: broken: no voice", "7"]);
    world.assert_all_is_quiet();
}

#[test]
fn a_key_that_is_typed_while_a_text_is_made_is_not_lost() {
    let mut world = office(
        "
route('5', function(call)
  call:answer()
  local spoken = call:speak('A long story', { barge = true })
  log.info(spoken.digit, spoken.interrupted, spoken.ms)
end)",
    );
    world.outside.speak("A long story", 2_000, 1_200.0);
    world.act("alice", "INVITE 5");
    world.run_for(Duration::from_secs(1));
    world.act("alice", "PRESS 3");
    world.run_for(Duration::from_secs(3));
    assert_eq!(world.logged(), ["3 true 0"]);
    world.assert_all_is_quiet();
}

#[test]
fn when_the_caller_hangs_up_the_text_is_given_up_and_its_late_sound_dropped() {
    let mut world = office(
        "
route('5', function(call)
  call:answer()
  call:on_hangup(function(cause) log.info(cause) end)
  call:play { { speak = 'one' }, { speak = 'two' } }
end)",
    );
    world.outside.speak("one", 500, 1_200.0);
    world.outside.speak("two", 5_000, 1_300.0);
    world.check(
        "
           0  alice -> INVITE 5
           0  alice <- 200
           0  speaks en \"one\"
           0  speaks en \"two\"
        1000  alice -> BYE
        1000  gives up \"two\"
        1000  record 101 5 answered 1000 ms
    ",
    );
    assert_eq!(world.logged(), ["caller hung up"]);
    world.run_for(Duration::from_secs(6));
    world.assert_all_is_quiet();
}

#[test]
fn a_function_that_is_cancelled_speaks_no_more_and_the_line_is_free() {
    let mut world = office(
        "
route('5', function(call)
  call:answer()
  log.info(pcall(within, 2, function() call:speak('Hello') end))
  call:play('hello')
  call:hangup()
end)",
    );
    world.check(
        "
           0  alice -> INVITE 5
           0  alice <- 200
           0  speaks en \"Hello\"
        2000  gives up \"Hello\"
        2000  plays en/hello
        2500  alice <- BYE
        2500  record 101 5 answered 2500 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_call_that_another_function_ends_waits_for_no_text() {
    let mut world = office(
        "
route('5', function(call)
  call:answer()
  spawn(function() call:sleep(1) call:hangup() end)
  call:speak('Hello')
end)",
    );
    world.check(
        "
           0  alice -> INVITE 5
           0  alice <- 200
           0  speaks en \"Hello\"
        1000  alice <- BYE
        1000  gives up \"Hello\"
        1000  record 101 5 answered 1000 ms
    ",
    );
    world.assert_all_is_quiet();
}
