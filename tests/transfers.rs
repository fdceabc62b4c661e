//! Transfers on a network that loses: each flow once per message in it, that message lost; and
//! transfers at random times among everything else, after which nothing may be left.

use std::time::Duration;

use tests::{Plan, Weather, World};

const SCRIPT: &str = "
route('1XX', function(call) call:dial('ext/' .. call.to.user, { timeout = 20 }) end)
route('5', function(call)
  call:answer()
  local leg = pbx.originate { to = 'ext/102', timeout = 20 }
  if leg.status == 'ANSWERED' then call:bridge(leg) end
end)
route('8', function(call)
  race {
    function() call:dial('ext/102', { timeout = 8 }) end,
    function() call:sleep(9) end,
  }
  call:read { max = 1, timeout = 3 }
end)
route('9', function(call)
  if call.from.user == '102' then call:reject(603) end
  call:sleep(3)
  call:read { max = 1, timeout = 2 }
  call:dial('ext/103')
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

/// Alice calls bob by this number, and they talk.
fn talk(world: &mut World, number: &str) {
    world.act("alice", &format!("INVITE {number}"));
    seconds(world, 2);
    world.act("bob", "200");
    seconds(world, 2);
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
            assert!(lost > 12, "the flow has only {lost} messages");
            return;
        }
    }
}

#[test]
fn a_transfer_that_is_answered_survives_each_loss() {
    for (by, other) in [("bob", "alice"), ("alice", "bob")] {
        with_each_loss(
            |world| {
                talk(world, "102");
                world.act(by, "REFER 103");
                seconds(world, 2);
                world.act("carol", "180");
                seconds(world, 1);
                world.act("carol", "200");
                seconds(world, 5);
                let log = world.log.join("\n");
                assert!(world.heard_by(other).contains("carol"), "{log}");
                assert!(world.heard_by("carol").contains(other), "{log}");
                assert!(!world.named(by).is_in_call(), "{log}");
                world.act("carol", "BYE");
                seconds(world, 40);
            },
            |world| assert_eq!(world.shelf.calls.len(), 2, "{}", world.log.join("\n")),
        );
    }
}

#[test]
fn a_transfer_that_is_refused_survives_each_loss() {
    for by in ["bob", "alice"] {
        with_each_loss(
            |world| {
                talk(world, "102");
                world.act(by, "REFER 103");
                seconds(world, 2);
                world.act("carol", "486");
                seconds(world, 3);
                let log = world.log.join("\n");
                assert!(world.named("alice").is_in_call(), "{log}");
                assert!(world.heard_by("alice").contains("bob"), "{log}");
                world.act("alice", "BYE");
                seconds(world, 40);
            },
            |world| {
                let log = world.log.join("\n");
                assert_eq!(world.shelf.calls.len(), 2, "{log}");
                assert!(log.contains("NOTIFY 486"), "{log}");
            },
        );
    }
}

#[test]
fn a_transferor_who_leaves_at_once_survives_each_loss() {
    with_each_loss(
        |world| {
            talk(world, "5");
            world.act("bob", "REFER 103");
            world.act("bob", "BYE");
            seconds(world, 6);
            world.act("carol", "200");
            seconds(world, 5);
            world.act("alice", "BYE");
            seconds(world, 40);
        },
        |world| assert!(!world.named("carol").is_in_call(), "{}", world.log.join("\n")),
    );
}

#[test]
fn whatever_anybody_does_at_whatever_time_nothing_is_left_over() {
    for seed in 0..16 {
        let mut world = office(seed);
        world.set_weather(Weather {
            delay: Duration::from_millis(20),
            jitter: Duration::from_millis(40),
            loss_percent: u8::try_from(seed % 4).unwrap() * 3,
            ..Weather::calm()
        });
        let mut rng = fastrand::Rng::with_seed(seed);
        let number = ["102", "5", "8"][rng.usize(..3)];
        talk(&mut world, number);
        for _ in 0..rng.usize(2..10) {
            world.run_for(Duration::from_millis(rng.u64(..2_000)));
            let who = ["alice", "bob", "carol"][rng.usize(..3)];
            let what = match rng.usize(..9) {
                0 | 1 => ["REFER 103", "REFER 9", "REFER 102", "REFER 77"][rng.usize(..4)],
                2 => "BYE",
                3 => "HOLD",
                4 => "RESUME",
                5 => "486",
                6 => "PRESS 1",
                _ => "200",
            };
            world.act(who, what);
        }
        seconds(&mut world, 5);
        for who in ["alice", "bob", "carol"] {
            for what in ["486", "CANCEL", "BYE"] {
                world.act(who, what);
            }
        }
        seconds(&mut world, 120);
        world.assert_all_is_quiet();
    }
}
