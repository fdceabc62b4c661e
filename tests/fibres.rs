//! Functions of a script that run beside each other, seen and heard from the phones.

use std::time::Duration;

use tests::{Plan, Weather, World};

fn office(script: &str) -> World {
    office_with(script, ["en/hello", "en/again", "music/evening"].map(str::to_owned).to_vec())
}

fn office_with(script: &str, prompts: Vec<String>) -> World {
    let mut world = World::new(Plan { script: script.to_owned(), prompts, ..Plan::default() });
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.phone("carol", "103");
    world.register_all();
    world
}

#[test]
fn each_function_sees_the_number_that_it_went_on_to() {
    let mut world = office(
        "
route('5', function(call)
  local first = spawn(function() call:go('8101') end)
  local second = spawn(function() call:go('8102') end)
  call:sleep(0.5)
  log.info('beside', call.to.user)
  first:wait()
  second:wait()
  second = spawn(function() call:go('8103') end)
  call:sleep(0.5)
  second:cancel()
  all { function() log.info('later', call.to.user) end }
  call:go('9')
  log.info('back', call.to.user)
end)
route('810X', function(call)
  call:sleep(tonumber(call.to.user:sub(4)))
  log.info('in', call.to.user)
end)
route('9', function(call)
  all { function() call:sleep(0.1) log.info('within', call.to.user) end }
  call:go('8101')
  log.info('after', call.to.user)
  call:reject(480)
end)",
    );
    world.act("alice", "INVITE 5");
    world.run_for(Duration::from_secs(10));
    let told = ["beside 5", "in 8101", "in 8102", "later 5", "within 9", "in 8101", "after 9"];
    assert_eq!(world.logged(), told);
    world.assert_all_is_quiet();
}

#[test]
fn music_plays_while_something_else_is_awaited_and_stops_with_it() {
    let mut world = office(
        "
route('5', function(call)
  call:answer()
  race {
    function() call:play('music/evening', { loop = true }) end,
    function() call:sleep(3) end,
  }
  call:play('hello')
end)",
    );
    world.check(
        "
           0  alice -> INVITE 5
           0  plays music/evening
           0  alice <- 200
        2900  alice hears music/evening
        3000  plays en/hello
        3300  alice hears en/hello
        3500  alice <- BYE
        3500  record 101 5 answered 3500 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_dial_that_takes_too_long_stops_every_phone_it_rings() {
    let mut world = office(
        "
route('5', function(call)
  if not within(5, function() call:dial({ 'ext/102', 'ext/103' }, { timeout = 60 }) end) then
    call:reject(480, 'Nobody in time')
  end
end)",
    );
    world.check(
        "
           0  alice -> INVITE 5
           0  bob   <- INVITE
           0  carol <- INVITE
         100  bob   -> 180
         100  alice <- 180
        5000  bob   <- CANCEL
        5000  carol <- CANCEL
        5000  alice <- 480 Nobody in time
        5000  record 101 5 refused 480
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_conversation_that_takes_too_long_is_hung_up_and_the_caller_stays() {
    let mut world = office(
        "
route('5', function(call)
  local done = within(10, function() call:dial('ext/102') end)
  if not done then call:play('hello') end
end)",
    );
    world.check(
        "
           0  alice -> INVITE 5
           0  bob   <- INVITE
        2000  bob   -> 200
        2000  alice <- 200
        4000  alice hears bob
       10000  bob   <- BYE
       10000  plays en/hello
       10400  alice hears en/hello
       10500  alice <- BYE
       10500  record 101 5 answered 8500 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_watchdog_hangs_up_whatever_goes_on() {
    let script = "
route('5', function(call)
  spawn(function() call:sleep(10) call:hangup() end)
  call:dial('ext/102')
end)";
    office(script).check(
        "
           0  alice -> INVITE 5
           0  bob   <- INVITE
        2000  bob   -> 200
        2000  alice <- 200
       10000  alice <- BYE
       10000  bob   <- BYE
       10000  record 101 5 answered 8000 ms
    ",
    );
    office(script).check(
        "
           0  alice -> INVITE 5
           0  bob   <- INVITE
       10000  bob   <- CANCEL
       10000  alice <- 480
       10000  record 101 5 refused 480
    ",
    );
}

#[test]
fn a_caller_who_is_answered_by_another_function_while_phones_ring_hears_them_ring() {
    let mut world = office(
        "
route('5', function(call)
  spawn(function() call:sleep(2) call:answer() end)
  call:dial('ext/102')
end)",
    );
    world.check(
        "
           0  alice -> INVITE 5
           0  bob   <- INVITE
        1000  bob   -> 180
        1000  alice <- 180
        2000  alice <- 200
        4000  bob   -> 200
        5000  alice hears bob
        5000  bob   hears alice
        6000  alice -> BYE
        6000  bob   <- BYE
        6000  record 101 5 answered 4000 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_hang_up_while_many_functions_wait_leaves_nothing_over() {
    let script = "
route('5', function(call)
  spawn(function() call:sleep(100) end)
  spawn(function() within(50, function() call:sleep(60) end) end)
  race {
    function() call:sleep(100) end,
    function() call:dial({ 'ext/102', 'ext/103' }) end,
  }
end)";
    for ended_at in [500, 3_000, 6_000] {
        let mut world = office(script);
        world.act("alice", "INVITE 5");
        world.run_for(Duration::from_millis(ended_at));
        if ended_at == 6_000 {
            world.act("bob", "200");
            world.run_for(Duration::from_secs(2));
            world.act("alice", "BYE");
        } else {
            world.act("alice", "CANCEL");
        }
        world.run_for(Duration::from_secs(1));
        assert!(!world.named("bob").is_in_call(), "{}", world.log.join("\n"));
        world.assert_all_is_quiet();
    }
}

#[test]
fn a_message_cut_short_by_the_script_is_kept_like_one_cut_short_by_the_caller() {
    let prompts = pbx::prompt_names("en").into_iter().chain(["en/hello".to_owned()]).collect();
    let mut world = office_with(
        "
route('5', function(call)
  within(15, function() call:voicemail('102') end)
  call:play('hello')
end)",
        prompts,
    );
    world.act("alice", "INVITE 5");
    world.run_for(Duration::from_secs(14));
    let recording = world.log.join("\n");
    assert!(recording.contains("plays tone:1000"), "{recording}");
    world.log.clear();
    world.run_for(Duration::from_secs(3));
    let log = world.log.join("\n");
    assert!(log.contains("plays en/hello") && log.contains("alice <- BYE"), "{log}");
    assert_eq!(world.shelf.messages.len(), 1, "{log}");
    world.assert_all_is_quiet();
}

#[test]
fn a_recording_cut_short_by_the_script_is_kept() {
    let mut world = office(
        "
route('5', function(call)
  race {
    function() call:record { name = 'cut', beep = false } end,
    function() call:sleep(3) end,
  }
  call:play('hello')
end)",
    );
    world.act("alice", "INVITE 5");
    world.run_for(Duration::from_secs(5));
    let log = world.log.join("\n");
    assert!(log.contains("plays en/hello"), "{log}");
    assert!(world.shelf.recordings.contains_key("cut"), "{log}");
    world.assert_all_is_quiet();
}

#[test]
fn digits_that_are_awaited_in_one_function_stop_the_other() {
    let mut world = office(
        "
route('5', function(call)
  call:answer()
  local winner, digits = race {
    function() call:sleep(5) end,
    function() return call:read { prompt = 'music/evening', max = 1, timeout = 60 } end,
  }
  if digits == '1' then call:play('hello') else call:play('again') end
end)",
    );
    world.check(
        "
           0  alice -> INVITE 5
           0  plays music/evening
           0  alice <- 200
        2000  alice -> PRESS 1
        2020  plays en/hello
        2520  alice <- BYE
        2520  record 101 5 answered 2520 ms
    ",
    );
    world.assert_all_is_quiet();
    world.log.clear();
    world.act("alice", "INVITE 5");
    world.run_for(Duration::from_secs(7));
    assert!(world.log.join("\n").contains("plays en/again"), "{}", world.log.join("\n"));
    world.assert_all_is_quiet();
}

#[test]
fn a_menu_over_the_music_of_an_echo_is_told_that_the_line_is_busy() {
    let mut world = office(
        "
route('5', function(call)
  spawn(function() call:echo() end)
  call:sleep(1)
  local ok, problem = pcall(call.play, call, 'hello')
  call:reject(403, problem)
end)",
    );
    world.act("alice", "INVITE 5");
    world.run_for(Duration::from_secs(2));
    assert!(world.log.join("\n").contains("alice <- BYE"), "{}", world.log.join("\n"));
    world.assert_all_is_quiet();
}

#[test]
fn a_sound_given_up_while_the_caller_changes_its_codec_does_not_cost_the_next_one() {
    let script = "
route('1XX', function(call)
  call:dial('ext/' .. call.to.user)
  within(0.02, function() call:play('again') end)
  call:play('hello')
end)";
    let mut world = World::new(Plan {
        script: script.to_owned(),
        prompts: ["en/hello", "en/again"].map(str::to_owned).to_vec(),
        weather: Weather { delay: Duration::from_millis(50), ..Weather::calm() },
        ..Plan::default()
    });
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.register_all();
    let speex = sdp::RtpCodec::new(98, "speex", 8_000);
    world.phones[0].codecs = vec![speex.clone(), sdp::RtpCodec::pcma()];
    world.phones[1].codecs = vec![speex];
    world.check(
        "
           0  alice -> INVITE 102
         200  bob   <- INVITE
         200  bob   -> 200
         300  alice <- 200
        2000  bob   -> BYE
        2100  alice <- re-INVITE sendrecv
        2150  plays en/hello
        2500  alice hears en/hello
        2700  alice <- BYE
        2650  record 101 102 answered 2400 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_mailbox_menu_that_takes_too_long_is_left_and_the_caller_stays() {
    for at in [1_000, 4_000, 9_000] {
        let prompts = pbx::prompt_names("en").into_iter().chain(["en/hello".to_owned()]).collect();
        let script = format!(
            "
route('5', function(call)
  log(within({}, function() call:mailbox('102') end))
  call:play('hello')
end)",
            f64::from(at) / 1_000.0
        );
        let mut world = office_with(&script, prompts);
        world.act("alice", "INVITE 5");
        world.run_for(Duration::from_millis(500));
        world.act("alice", "PRESS 4711#");
        world.run_for(Duration::from_millis(9_500));
        assert_eq!(world.logged(), ["false timeout"]);
        let log = world.log.join("\n");
        assert!(log.contains("plays en/hello") && log.contains("alice <- BYE"), "{log}");
        world.assert_all_is_quiet();
    }
}

#[test]
fn what_follows_a_message_cut_short_waits_for_a_store_that_is_silent_but_not_for_ever() {
    let prompts = pbx::prompt_names("en").into_iter().chain(["en/hello".to_owned()]).collect();
    let mut world = office_with(
        "
route('5', function(call)
  within(15, function() call:voicemail('102') end)
  call:play('hello')
end)",
        prompts,
    );
    world.act("alice", "INVITE 5");
    world.run_for(Duration::from_secs(14));
    world.shelf.silent = true;
    world.log.clear();
    world.run_for(Duration::from_secs(9));
    assert!(!world.log.join("\n").contains("plays en/hello"), "{}", world.log.join("\n"));
    world.run_for(Duration::from_secs(5));
    assert!(world.log.join("\n").contains("plays en/hello"), "{}", world.log.join("\n"));
    world.run_for(Duration::from_secs(2));
    assert!(!world.named("alice").is_in_call(), "{}", world.log.join("\n"));
}
