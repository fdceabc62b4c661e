//! What scripts can do with a caller, seen and heard from the phone.

use std::time::Duration;

use tests::{Plan, World};

fn office(script: &str) -> World {
    let mut world = World::new(Plan {
        script: script.to_owned(),
        prompts: ["en/hello", "en/again", "music/evening"].map(str::to_owned).to_vec(),
        ..Plan::default()
    });
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.register_all();
    world
}

#[test]
fn a_prompt_is_heard_as_early_media_and_the_call_hung_up_after_it() {
    let mut world = office("route('5', function(call) call:play('hello') end)");
    world.check(
        "
           0  alice -> INVITE 5
           0  plays en/hello
           0  alice <- 183
         400  alice hears en/hello
         500  alice <- 480
         500  record 101 5 refused 480
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn an_answered_call_hears_a_prompt_and_is_hung_up_by_bye() {
    let mut world =
        office("route('5', function(call) call:answer() call:play('hello') call:hangup() end)");
    world.check(
        "
           0  alice -> INVITE 5
           0  plays en/hello
           0  alice <- 200
         400  alice hears en/hello
         500  alice <- BYE
         500  record 101 5 answered 500 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn digits_stop_the_prompt_and_choose_what_follows() {
    let mut world = office(
        "
route('5', function(call)
  call:answer()
  local digits, why = call:read { prompt = 'music/evening', max = 2, timeout = 3 }
  if digits == '42' then call:play('hello') else call:play('again') end
end)",
    );
    world.check(
        "
           0  alice -> INVITE 5
           0  plays music/evening
           0  alice <- 200
         200  alice -> PRESS 42
         400  plays en/hello
         900  alice <- BYE
         900  record 101 5 answered 900 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_menu_asks_again_and_then_gives_up() {
    let mut world = office(
        "
route('5', function(call)
  call:answer()
  call:menu { prompt = 'hello', tries = 2,
    ['1'] = function() call:play('again') end,
    timeout = function() call:busy() end }
end)",
    );
    world.check(
        "
           0  alice -> INVITE 5
           0  plays en/hello
           0  alice <- 200
        5500  plays en/hello
       11000  alice <- BYE
       11000  record 101 5 answered 11000 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn queued_callers_get_182_with_their_place_and_music_before_the_answer() {
    let mut world = office(
        "
route('7', function(call)
  call:queued { place = 2, music = 'music/evening' }
  call:sleep(3)
  call:queued { place = 1, music = 'music/evening' }
  call:sleep(2)
  call:dial('ext/102')
end)",
    );
    world.check(
        "
           0  alice -> INVITE 7
           0  plays music/evening
           0  alice <- 182 Queued, place 2
        2000  alice hears music/evening
        3000  alice <- 182 Queued, place 1
        5000  bob   <- INVITE
        6000  alice hears music/evening
        7000  bob   -> 200
        7000  alice <- 200
        8000  alice hears bob
        9000  bob   -> BYE
        9000  alice <- BYE
        9000  record 101 7 answered 2000 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn callers_are_sent_elsewhere_with_each_code() {
    for code in [300, 301, 302, 305, 380] {
        let mut world = office(&format!(
            "route('3', function(call) call:redirect('sip:desk@example.org', {{ code = {code} }}) end)"
        ));
        world.check(&format!(
            "
           0  alice -> INVITE 3
           0  alice <- {code}
           0  record 101 3 refused {code}
        "
        ));
        world.assert_all_is_quiet();
    }
}

#[test]
fn what_the_script_rejects_with_is_what_the_caller_gets() {
    let mut world = office("route('4', function(call) call:reject(603, 'Not today') end)");
    world.check(
        "
           0  alice -> INVITE 4
           0  alice <- 603 Not today
           0  record 101 4 refused 603
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_faulty_script_gives_its_caller_500_and_others_do_not_notice() {
    let mut world = office(
        "
route('1XX', function(call) call:dial('ext/' .. call.to.user) end)
route('4', function(call) local x = nil; x.y = 1 end)
route('6', function(call) while true do pcall(function() while true do end end) end end)",
    );
    world.check(
        "
           0  alice -> INVITE 4
           0  alice <- 500
           0  record 101 4 refused 500
         100  alice -> INVITE 102
         100  bob   <- INVITE
         200  bob   -> 486
         200  alice <- 486
         200  record 101 102 refused 486
    ",
    );
    world.act("alice", "INVITE 6");
    world.run_for(Duration::from_secs(5));
    assert!(world.log.iter().any(|line| line.ends_with("alice <- 500")), "{:?}", world.log);
    world.assert_all_is_quiet();
}

#[test]
fn hang_up_runs_what_the_script_left_for_it() {
    let mut world = office(
        "
route('5', function(call)
  call:on_hangup(function(e) log.info('gone') end)
  call:answer()
  call:play('hello', { loop = true })
  call:play('again')
end)",
    );
    world.check(
        "
           0  alice -> INVITE 5
           0  plays en/hello
           0  alice <- 200
        3300  alice hears en/hello
        4000  alice -> BYE
        4000  record 101 5 answered 4000 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn the_echo_sends_back_what_is_said() {
    let mut world = office("route('6', function(call) call:answer() call:echo() end)");
    world.check(
        "
           0  alice -> INVITE 6
           0  alice <- 200
        1000  alice hears alice
        2000  alice -> PRESS #
        2020  alice <- BYE
        2020  record 101 6 answered 2020 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_recording_holds_what_the_caller_said() {
    let mut world = office(
        "
route('5', function(call)
  call:answer()
  call:record { name = 'wish', max = 10, beep = false }
end)",
    );
    world.act("alice", "INVITE 5");
    world.run_for(Duration::from_secs(3));
    world.act("alice", "PRESS #");
    world.run_for(Duration::from_secs(2));
    let wish = &world.shelf.recordings["wish"];
    assert!((22_000..25_000).contains(&wish.len()), "{} samples", wish.len());
    world.assert_all_is_quiet();
}

#[test]
fn a_recording_can_be_heard_again_and_made_anew_in_its_call_and_heard_in_another() {
    let mut world = office(
        "
route('5', function(call)
  call:answer()
  local key
  repeat
    local recording = call:record { name = 'wish', max = 10, beep = false }
    key = call:read { prompt = { 'hello', recording.sound }, max = 1, timeout = 2 }
  until key ~= '2'
  call:hangup()
end)
route('6', function(call)
  call:answer()
  local played = call:play { 'hello', 'recording:wish', 'recording:wish' }
  log.info(played.ms, played.why)
end)",
    );
    world.act("alice", "INVITE 5");
    world.run_for(Duration::from_secs(3));
    world.act("alice", "PRESS #");
    world.run_for(Duration::from_secs(1));
    world.act("alice", "PRESS 2");
    world.run_for(Duration::from_secs(1));
    world.act("alice", "PRESS #");
    world.run_for(Duration::from_secs(6));
    let wish = world.shelf.recordings["wish"].len();
    assert!((7_000..9_000).contains(&wish), "{wish} samples");
    world.log.clear();
    world.act("bob", "INVITE 6");
    world.run_for(Duration::from_secs(5));
    let plays = |line: &String| line.ends_with(" plays en/hello recording recording");
    assert!(world.log.iter().any(plays), "{:?}", world.log);
    let [heard] = world.logged() else { panic!("{:?}", world.logged()) };
    let ms: usize = heard.strip_suffix(" nil").unwrap().parse().unwrap();
    assert_eq!(ms, 500 + 2 * wish / 8);
    world.assert_all_is_quiet();
}

#[test]
fn a_recording_that_is_not_there_is_told_and_ends_no_call() {
    let mut world = office(
        "
route('5', function(call)
  call:answer()
  local played = call:play { 'hello', 'recording:wish' }
  log.info(played.ms, played.why)
  log.info(call:read { prompt = { 'recording:wish', 'hello' }, max = 1, timeout = 1 })
  for _, name in ipairs { '../cordboard', 'a/b', '', '/etc/passwd' } do
    log.info(pcall(call.play, call, 'recording:' .. name))
  end
end)",
    );
    world.act("alice", "INVITE 5");
    world.run_for(Duration::from_secs(5));
    let logged = world.logged();
    assert_eq!(
        logged[..4],
        [
            "there is no recording \"wish\": it was deleted, or never made",
            "0 no recording",
            "there is no recording \"wish\": it was deleted, or never made",
            "nil timeout",
        ]
    );
    for line in &logged[4..] {
        assert!(line.contains("is not a recording; its name must be letters"), "{line}");
    }
    assert_eq!(logged.len(), 8);
    world.assert_all_is_quiet();
}

#[test]
fn after_a_bridge_in_a_foreign_codec_the_caller_is_asked_for_one_we_can_play() {
    let mut world = office(
        "
route('1XX', function(call)
  call:dial('ext/' .. call.to.user)
  call:play('hello')
end)",
    );
    let speex = sdp::RtpCodec::new(98, "speex", 8_000);
    world.phones[0].codecs = vec![speex.clone(), sdp::RtpCodec::pcma()];
    world.phones[1].codecs = vec![speex];
    world.check(
        "
           0  alice -> INVITE 102
           0  bob   <- INVITE
         100  bob   -> 200
         100  alice <- 200
        2000  bob   -> BYE
        2000  alice <- re-INVITE sendrecv
        2000  plays en/hello
        2400  alice hears en/hello
        2500  alice <- BYE
        2500  record 101 102 answered 2400 ms
    ",
    );
    world.assert_all_is_quiet();
}
