//! Calls that a script begins by itself: `pbx.originate`, `call:bridge`, and what is left of them in
//! any order of hanging up.

use std::time::Duration;

use tests::{Plan, World};

fn office(script: &str) -> World {
    let prompts = ["en/hello", "en/again", "music/evening"].map(str::to_owned).to_vec();
    let mut world = World::new(Plan { script: script.to_owned(), prompts, ..Plan::default() });
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.phone("carol", "103");
    world.register_all();
    world
}

fn run(world: &mut World, ms: u64) {
    world.run_for(Duration::from_millis(ms));
}

const JOIN: &str = "
route('5', function(call)
  call:answer()
  local winner, leg = race {
    function() call:play('music/evening', { loop = true }) end,
    function() return pbx.originate { to = 'ext/102', timeout = 10 } end,
  }
  log(leg.status, leg.code, leg.reason, leg.to)
  local result = call:bridge(leg)
  log(result.status, result.code, result.secs, result.to)
  call:play('hello')
end)";

#[test]
fn somebody_is_called_while_the_caller_hears_music_and_then_the_two_are_joined() {
    let mut world = office(JOIN);
    world.check(
        "
           0  alice -> INVITE 5
           0  plays music/evening
           0  alice <- 200
           0  bob   <- INVITE
         100  bob   -> 180
        2900  alice hears music/evening
        3000  bob   -> 200
        3000  record 101 102 answered 0 ms
        4000  alice hears bob
        4000  bob   hears alice
        6000  bob   -> BYE
        6000  plays en/hello
        6400  alice hears en/hello
        6500  alice <- BYE
        6500  record 101 5 answered 6500 ms
    ",
    );
    assert_eq!(world.logged(), ["ANSWERED 200 OK ext/102", "ANSWERED 200 3.0 ext/102"]);
    world.assert_all_is_quiet();
}

#[test]
fn a_caller_who_was_not_answered_is_answered_by_the_bridge_and_may_hang_up_first() {
    let mut world = office(
        "
route('5', function(call)
  call:ringing()
  local leg = pbx.originate { to = 'ext/102' }
  call:sleep(1)
  call:bridge(leg)
end)",
    );
    world.check(
        "
           0  alice -> INVITE 5
           0  alice <- 180
           0  bob   <- INVITE
        2000  bob   -> 200
        3000  alice <- 200
        3000  record 101 102 answered 1000 ms
        4000  alice hears bob
        4000  bob   hears alice
        6000  alice -> BYE
        6000  bob   <- BYE
        6000  record 101 5 answered 3000 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_call_that_is_not_answered_tells_why_in_the_words_of_a_dial() {
    let script = "
route('5', function(call)
  local leg = pbx.originate { to = 'ext/102', timeout = 5 }
  log(leg.status, leg.code, leg.reason, leg.to)
  log(pcall(call.bridge, call, leg))
  leg:hangup()
  call:busy()
end)";
    for (answer, told) in [
        ("486", "BUSY 486 Busy Here nil"),
        ("603", "BUSY 603 Decline nil"),
        ("", "NOANSWER 408 no answer nil"),
    ] {
        let mut world = office(script);
        world.act("alice", "INVITE 5");
        run(&mut world, 1_000);
        if !answer.is_empty() {
            world.act("bob", answer);
        }
        run(&mut world, 6_000);
        let problem = "false scripts/main.lua:5: call:bridge: nobody answered there; look at the \
                       leg's status first";
        assert_eq!(world.logged(), [told, problem], "{}", world.log.join("\n"));
        world.assert_all_is_quiet();
    }
    let script =
        "route('5', function(call) log(pbx.originate { to = 'ext/104' }.status) call:busy() end)";
    let mut plan = Plan { script: script.to_owned(), ..Plan::default() };
    plan.extensions.push("104".to_owned());
    let mut world = World::new(plan);
    world.phone("alice", "101");
    world.register_all();
    world.act("alice", "INVITE 5");
    run(&mut world, 1_000);
    assert_eq!(world.logged(), ["CHANUNAVAIL"]);
    world.assert_all_is_quiet();
}

#[test]
fn whoever_hangs_up_before_being_joined_is_told_and_the_caller_stays() {
    let mut world = office(
        "
route('5', function(call)
  call:answer()
  local leg = pbx.originate { to = 'ext/102' }
  call:sleep(3)
  local result = call:bridge(leg)
  log(result.status, result.reason)
  log(call:bridge(leg).status)
  call:play('hello')
end)",
    );
    world.check(
        "
           0  alice -> INVITE 5
           0  alice <- 200
           0  bob   <- INVITE
        1000  bob   -> 200
        2000  bob   -> BYE
        2000  record 101 102 answered 1000 ms
        4000  plays en/hello
        4500  alice <- BYE
        4500  record 101 5 answered 4500 ms
    ",
    );
    assert_eq!(world.logged(), ["CANCEL hung up before it was joined", "CANCEL"]);
    world.assert_all_is_quiet();
}

#[test]
fn a_leg_that_is_not_joined_is_hung_up_on_when_the_script_ends_or_says_so() {
    for (end, ended_at) in
        [("", 2_000), ("leg:hangup() call:sleep(5)", 2_000), ("call:hangup()", 2_000)]
    {
        let mut world = office(&format!(
            "
route('5', function(call)
  call:answer()
  local leg = pbx.originate {{ to = 'ext/102' }}
  call:sleep(1)
  {end}
end)"
        ));
        world.act("alice", "INVITE 5");
        run(&mut world, 1_000);
        world.act("bob", "200");
        run(&mut world, ended_at - 1_000 + 100);
        assert!(!world.named("bob").is_in_call(), "{end}: {}", world.log.join("\n"));
        run(&mut world, 6_000);
        assert!(!world.named("alice").is_in_call(), "{end}: {}", world.log.join("\n"));
        world.assert_all_is_quiet();
    }
}

#[test]
fn a_caller_who_hangs_up_takes_the_ringing_and_the_waiting_along() {
    for answered in [false, true] {
        for at in [500, 1_500] {
            let mut world = office(JOIN);
            world.act("alice", "INVITE 5");
            run(&mut world, at);
            if answered {
                world.act("bob", "200");
                run(&mut world, 100);
            }
            world.act("alice", "BYE");
            run(&mut world, 1_000);
            assert!(!world.named("bob").is_in_call(), "{}", world.log.join("\n"));
            world.assert_all_is_quiet();
        }
    }
    let mut world = office("route('5', function(call) pbx.originate { to = 'ext/102' } end)");
    world.check(
        "
           0  alice -> INVITE 5
           0  bob   <- INVITE
        1000  alice -> CANCEL
        1000  alice <- 487
        1000  bob   <- CANCEL
        1000  record 101 102 refused 487
        1000  record 101 5 refused 487
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn ringing_that_takes_too_long_for_the_script_stops() {
    let mut world = office(
        "
route('5', function(call)
  call:answer()
  log(within(2, function() return pbx.originate { to = { 'ext/102', 'ext/103' } } end))
end)",
    );
    world.check(
        "
           0  alice -> INVITE 5
           0  alice <- 200
           0  bob   <- INVITE
           0  carol <- INVITE
        2000  bob   <- CANCEL
        2000  carol <- CANCEL
        2000  record 101 102 refused 487
        2000  alice <- BYE
        2000  record 101 5 answered 2000 ms
    ",
    );
    assert_eq!(world.logged(), ["false timeout"]);
    world.assert_all_is_quiet();
}

#[test]
fn whoever_answers_gets_a_script_of_their_own() {
    let mut world = office(
        "
route('5', function(call)
  local leg = pbx.originate { to = 'ext/102', caller = { user = 'reminder' }, run = function(other)
    log(other.from.user, other.to.user, other.account, other.headers['x-any'])
    other:on_hangup(function(cause, code) log(cause, code) end)
    local digit = other:read { prompt = 'hello', max = 1 }
    log('digit', digit)
    other:play('again')
  end }
  log(leg.status, leg.to)
  call:reject(480, 'Done')
end)",
    );
    world.check(
        "
           0  alice -> INVITE 5
           0  bob   <- INVITE
        1000  bob   -> 200
        1000  plays en/hello
        1000  alice <- 480 Done
        1000  record 101 5 refused 480
        1300  bob   hears en/hello
        2000  bob   -> PRESS 7
        2020  plays en/again
        2520  bob   <- BYE
        2520  record reminder 102 answered 1520 ms
    ",
    );
    let log = ["102 reminder 102 nil", "ANSWERED ext/102", "digit 7", "script ended 200"];
    assert_eq!(world.logged(), log);
    world.assert_all_is_quiet();
}

#[test]
fn click_to_call_joins_two_phones_by_a_route_and_does_not_wait() {
    let mut world = office(
        "
route('1XX', function(call)
  log(call.from.user, call.to.user)
  call:dial('ext/' .. call.to.user)
end)
route('5', function(call)
  local leg = pbx.originate { to = 'ext/102', number = 103, wait = false }
  log(leg.status)
  call:busy()
end)",
    );
    world.check(
        "
           0  alice -> INVITE 5
           0  alice <- 486
           0  record 101 5 refused 486
           0  bob   <- INVITE
        1000  bob   -> 200
        1000  carol <- INVITE
        2000  carol -> 200
        3000  bob   hears carol
        3000  carol hears bob
        4000  carol -> BYE
        4000  bob   <- BYE
        4000  record 101 102 answered 3000 ms
    ",
    );
    assert_eq!(world.logged(), ["RINGING", "102 103"]);
    world.assert_all_is_quiet();
}

#[test]
fn a_phone_that_answers_just_as_nobody_waits_any_more_is_hung_up_on() {
    for run_for in ["run = function(other) other:play('hello') end", "caller = { name = 'Nobody' }"]
    {
        let mut world = office(&format!(
            "
route('5', function(call)
  call:answer()
  within(1, function() return pbx.originate {{ to = 'ext/102', {run_for} }} end)
  call:sleep(5)
end)"
        ));
        world.act("alice", "INVITE 5");
        run(&mut world, 1_000 - 1);
        // The CANCEL and the 200 cross.
        world.set_weather(tests::Weather {
            delay: Duration::from_millis(50),
            ..tests::Weather::calm()
        });
        world.act("bob", "200");
        run(&mut world, 1_000);
        assert!(!world.named("bob").is_in_call(), "{}", world.log.join("\n"));
        assert!(world.named("alice").is_in_call(), "{}", world.log.join("\n"));
        world.act("alice", "BYE");
        run(&mut world, 1_000);
        world.assert_all_is_quiet();
    }
}

#[test]
fn more_calls_than_a_script_may_have_are_refused_and_so_are_more_than_the_exchange_takes() {
    let mut world = office(
        "
route('5', function(call)
  call:answer()
  for i = 1, 17 do
    local child = spawn(function() pbx.originate { to = 'sip:x@192.0.2.' .. i } end)
  end
  call:sleep(1)
end)",
    );
    world.act("alice", "INVITE 5");
    run(&mut world, 500);
    assert_eq!(world.call_count(), 17);
    assert_eq!(
        world.logged(),
        [
            "a spawned function failed: scripts/main.lua:5: pbx.originate: 16 calls that this script originated are under \
          way already"
        ]
    );
    run(&mut world, 40_000);
    world.assert_all_is_quiet();
    let mut plan = Plan {
        script: "route('5', function(call) local leg = pbx.originate { to = 'ext/102' }
                 log(leg.status, leg.code) call:busy() end)"
            .to_owned(),
        ..Plan::default()
    };
    plan.limits.calls_max = 1;
    let mut world = World::new(plan);
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.register_all();
    world.act("alice", "INVITE 5");
    run(&mut world, 1_000);
    assert_eq!(world.logged(), ["CONGESTION 503"]);
    world.assert_all_is_quiet();
}

#[test]
fn the_exchange_stops_politely_while_it_rings_waits_and_serves() {
    for answer in [None, Some("bob")] {
        for what in ["", ", run = function(other) other:sleep(60) end"] {
            let mut world = office(&format!(
                "route('5', function(call) call:answer() pbx.originate {{ to = 'ext/102'{what} }}
                 call:sleep(60) end)"
            ));
            world.act("alice", "INVITE 5");
            run(&mut world, 500);
            if let Some(who) = answer {
                world.act(who, "200");
            }
            run(&mut world, 500);
            world.tell(pbx::Input::Command(pbx::Command::Stop));
            run(&mut world, 1_000);
            assert!(!world.named("bob").is_in_call(), "{}", world.log.join("\n"));
            assert!(world.log.iter().any(|line| line.contains("Idle")), "{}", world.log.join("\n"));
            world.assert_all_is_quiet();
        }
    }
}

#[test]
fn a_caller_who_spoke_another_codec_before_changes_to_the_one_of_whoever_was_called() {
    let mut world = office(
        "
route('5', function(call)
  call:dial('ext/102')
  call:bridge(pbx.originate { to = 'ext/103' })
end)",
    );
    let speex = sdp::RtpCodec::new(98, "speex", 8_000);
    world.phones[0].codecs = vec![speex.clone(), sdp::RtpCodec::pcma()];
    world.phones[1].codecs = vec![speex];
    world.phones[2].codecs = vec![sdp::RtpCodec::pcmu()];
    world.check(
        "
           0  alice -> INVITE 5
           0  bob   <- INVITE
        1000  bob   -> 200
        1000  alice <- 200
        2000  bob   -> BYE
        2000  carol <- INVITE
        3000  carol -> 200
        3000  alice <- re-INVITE sendrecv
        3000  record 101 103 answered 0 ms
        4000  alice hears carol
        4000  carol hears alice
        5000  carol -> BYE
        5000  alice <- BYE
        5000  record 101 5 answered 4000 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_caller_is_joined_to_one_after_the_other_and_keys_and_hold_work_as_with_a_dial() {
    let mut world = office(
        "
route('5', function(call)
  for _, event in ipairs { 'dtmf', 'hold', 'resume', 'answer' } do
    call:on(event, function(...) log(event, ...) end)
  end
  local one, two = table.unpack(all {
    function() return pbx.originate { to = 'ext/102' } end,
    function() return pbx.originate { to = 'ext/103' } end,
  })
  log(call:bridge(one).secs, call:bridge(two).secs)
end)",
    );
    world.act("alice", "INVITE 5");
    run(&mut world, 1_000);
    world.act("bob", "200");
    world.act("carol", "200");
    run(&mut world, 1_000);
    assert_eq!(
        (world.heard_by("alice").as_str(), world.heard_by("carol").as_str()),
        ("bob", "nothing")
    );
    for (who, what) in [("bob", "HOLD"), ("bob", "RESUME"), ("alice", "PRESS 5"), ("bob", "BYE")] {
        world.act(who, what);
        run(&mut world, 1_000);
    }
    assert_eq!(
        (world.heard_by("alice").as_str(), world.heard_by("carol").as_str()),
        ("carol", "alice")
    );
    assert_eq!(world.named("bob").keys_heard(), "5");
    world.act("alice", "BYE");
    run(&mut world, 1_000);
    assert!(!world.named("carol").is_in_call(), "{}", world.log.join("\n"));
    assert_eq!(
        world.logged(),
        ["answer ext/102", "hold callee", "resume callee", "dtmf 5 caller", "answer ext/103"]
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_caller_left_alone_is_told_why_whoever_was_called_for_it_did_not_answer() {
    for (answer, told) in [("486", "alice <- 486"), ("404", "alice <- 404"), ("", "alice <- 480")] {
        let mut world = office(
            "
route('5', function(call)
  local leg = pbx.originate { to = 'ext/102', timeout = 5 }
  if leg.status == 'ANSWERED' then call:bridge(leg) end
end)",
        );
        world.act("alice", "INVITE 5");
        run(&mut world, 1_000);
        if !answer.is_empty() {
            world.act("bob", answer);
        }
        run(&mut world, 6_000);
        assert!(world.log.iter().any(|line| line.contains(told)), "{}", world.log.join("\n"));
        assert!(world.logged().is_empty(), "{:?}", world.logged());
        world.assert_all_is_quiet();
    }
}

/// An office at 08:00:59; registering took 40 seconds of that minute.
fn office_at(script: &str) -> World {
    let mut world = office(&format!("{script}\nroute('1', function(call) call:busy() end)"));
    run(&mut world, 19_000);
    world
}

#[test]
fn what_a_function_at_its_time_rings_stops_with_it_unless_it_does_not_wait() {
    let mut world = office_at(
        "schedule('08:01', function()
           log(within(2, function() return pbx.originate { to = 'ext/102', number = '1' } end))
         end)",
    );
    run(&mut world, 2_000);
    assert!(world.log.join("\n").contains("bob <- INVITE"), "{}", world.log.join("\n"));
    run(&mut world, 2_000);
    assert!(world.log.join("\n").contains("bob <- CANCEL"), "{}", world.log.join("\n"));
    assert_eq!(world.logged(), ["false timeout"]);
    world.assert_all_is_quiet();

    let mut world = office_at(
        "schedule('08:01', function()
           local leg = pbx.originate { to = 'ext/102', wait = false, caller = { name = 'Clock' },
             run = function(call) log(call.to.user, call.account) call:play('hello') end }
           log(leg.status)
         end)",
    );
    run(&mut world, 5_000);
    world.act("bob", "200");
    run(&mut world, 400);
    assert!(world.heard_by("bob").contains("en/hello"), "{}", world.log.join("\n"));
    run(&mut world, 2_000);
    assert_eq!(world.logged(), ["RINGING", "cordboard 102"]);
    assert!(!world.named("bob").is_in_call(), "{}", world.log.join("\n"));
    world.assert_all_is_quiet();
}
