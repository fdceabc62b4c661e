//! Calls that scripts begin themselves, on a network that loses: each flow once per message in it,
//! that message lost; and everything at random times from seeds, after which nothing may be left.

use std::time::Duration;

use tests::{Plan, Weather, World};

const SCRIPT: &str = "
route('5', function(call)
  call:answer()
  local leg = pbx.originate { to = { 'ext/102', 'ext/103' }, timeout = 20 }
  if leg.status == 'ANSWERED' then call:bridge(leg) end
end)
route('6', function(call)
  call:ringing()
  pbx.originate { to = 'ext/102', number = 7, wait = call.from.user == '' }
  call:busy()
end)
route('7', function(call) call:dial('ext/103') end)
route('8', function(call)
  call:on('dtmf', function(digit, by)
    if digit == '1' then
      within(3, function() pbx.originate { to = 'ext/103', run = function(o) o:sleep(2) end } end)
    elseif digit == '2' then
      call:hangup()
    end
  end)
  local talking = spawn(function() call:dial('ext/102', { timeout = 8 }) end)
  race {
    function() pcall(talking.wait, talking) end,
    function() call:sleep(12) end,
    function()
      local leg = pbx.originate { to = 'ext/103', timeout = 6 }
      talking:cancel()
      if leg.status == 'ANSWERED' then call:bridge(leg) end
    end,
  }
end)";

fn office(seed: u64) -> World {
    let mut world = World::new(Plan { script: SCRIPT.to_owned(), seed, ..Plan::default() });
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.phone("carol", "103");
    world.register_all();
    world
}

fn seconds(world: &mut World, seconds: u64) {
    world.run_for(Duration::from_secs(seconds));
}

/// Plays a flow once per message in it, that message lost.
fn with_each_loss(play: impl Fn(&mut World), check: impl Fn(&World)) {
    for lost in 0.. {
        let mut world = office(1);
        world.lose_nth(lost);
        play(&mut world);
        let sent = world.datagrams();
        check(&world);
        world.assert_all_is_quiet();
        if lost >= sent {
            assert!(lost > 8, "the flow has only {lost} messages");
            return;
        }
    }
}

#[test]
fn a_call_that_is_joined_survives_each_loss() {
    with_each_loss(
        |world| {
            world.act("alice", "INVITE 5");
            seconds(world, 5);
            world.act("bob", "180");
            seconds(world, 1);
            world.act("bob", "200");
            seconds(world, 6);
            assert!(world.heard_by("alice").contains("bob"), "{}", world.log.join("\n"));
            world.act("bob", "BYE");
            seconds(world, 40);
        },
        |world| assert_eq!(world.shelf.calls.len(), 2, "{}", world.log.join("\n")),
    );
}

#[test]
fn a_caller_who_leaves_while_it_rings_survives_each_loss() {
    with_each_loss(
        |world| {
            world.act("alice", "INVITE 5");
            seconds(world, 5);
            world.act("bob", "180");
            seconds(world, 1);
            world.act("alice", "BYE");
            seconds(world, 40);
        },
        |world| assert!(!world.named("carol").is_in_call(), "{}", world.log.join("\n")),
    );
}

#[test]
fn a_call_of_its_own_survives_each_loss() {
    with_each_loss(
        |world| {
            world.act("alice", "INVITE 6");
            seconds(world, 5);
            world.act("bob", "200");
            seconds(world, 5);
            world.act("carol", "200");
            seconds(world, 6);
            assert!(world.heard_by("carol").contains("bob"), "{}", world.log.join("\n"));
            world.act("bob", "BYE");
            seconds(world, 40);
        },
        |world| assert_eq!(world.shelf.calls.len(), 2, "{}", world.log.join("\n")),
    );
}

#[test]
fn whatever_anybody_does_at_whatever_time_nothing_is_left_over() {
    for seed in 0..80 {
        let mut world = office(seed);
        world.set_weather(Weather {
            delay: Duration::from_millis(20),
            jitter: Duration::from_millis(40),
            loss_percent: u8::try_from(seed % 4).unwrap() * 3,
            ..Weather::calm()
        });
        let mut rng = fastrand::Rng::with_seed(seed);
        let number = ["5", "6", "8"][rng.usize(..3)];
        world.act("alice", &format!("INVITE {number}"));
        for _ in 0..rng.usize(1..8) {
            world.run_for(Duration::from_millis(rng.u64(..4_000)));
            let who = ["alice", "bob", "carol"][rng.usize(..3)];
            let what = match (who, rng.usize(..8)) {
                ("alice", 0) => "CANCEL",
                ("alice", 1) => "BYE",
                ("alice", 2) => "HOLD",
                ("alice", 3) => "PRESS 1",
                ("alice", 4) => "PRESS 2",
                ("alice", _) => continue,
                (_, 0) => "486",
                (_, 1) => "BYE",
                (_, 2) => "180",
                (_, 3) => "PRESS 1",
                (_, 4) => "HOLD",
                (_, _) => "200",
            };
            world.act(who, what);
        }
        for who in ["alice", "bob", "carol"] {
            for what in ["486", "CANCEL", "BYE"] {
                world.act(who, what);
            }
        }
        seconds(&mut world, 150);
        world.assert_all_is_quiet();
    }
}
