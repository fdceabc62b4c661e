//! Lost, late and repeated messages: each basic flow once per message in it, that message lost; and
//! whole storms from seeds.

use std::time::Duration;

use tests::{Plan, Weather, World};

fn office(plan: Plan) -> World {
    let mut world = World::new(plan);
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.register_all();
    world
}

/// Plays a flow once per message in it, that message lost, and lets `check` look at each.
fn with_each_loss(play: impl Fn(&mut World), check: impl Fn(&World)) {
    for lost in 0.. {
        let mut world = office(Plan::default());
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

fn has(world: &World, what: &str) -> bool {
    world.log.iter().any(|line| line.split_once(' ').is_some_and(|(_, line)| line == what))
}

fn count(world: &World, what: &str) -> usize {
    world.log.iter().filter(|line| line.ends_with(what)).count()
}

fn one_second(world: &mut World) {
    world.run_for(Duration::from_secs(1));
}

#[test]
fn an_answered_call_survives_each_loss() {
    with_each_loss(
        |world| {
            world.act("alice", "INVITE 102");
            world.run_for(Duration::from_secs(5));
            world.act("bob", "180");
            one_second(world);
            world.act("bob", "200");
            world.run_for(Duration::from_secs(6));
            world.act("alice", "BYE");
            world.run_for(Duration::from_secs(40));
        },
        |world| {
            let log = world.log.join("\n");
            assert_eq!(count(world, "alice <- 200"), 1, "{log}");
            assert_eq!(count(world, "bob <- INVITE"), 1, "{log}");
            assert_eq!(count(world, "bob <- BYE"), 1, "{log}");
            assert_eq!(world.shelf.calls.len(), 1, "{log}");
        },
    );
}

#[test]
fn a_call_hung_up_by_the_callee_survives_each_loss() {
    with_each_loss(
        |world| {
            world.act("alice", "INVITE 102");
            world.run_for(Duration::from_secs(5));
            world.act("bob", "200");
            world.run_for(Duration::from_secs(6));
            world.act("bob", "BYE");
            world.run_for(Duration::from_secs(40));
        },
        |world| {
            assert!(has(world, "alice <- BYE"), "{}", world.log.join("\n"));
            assert_eq!(world.shelf.calls.len(), 1);
        },
    );
}

#[test]
fn a_cancelled_call_survives_each_loss() {
    with_each_loss(
        |world| {
            world.act("alice", "INVITE 102");
            world.run_for(Duration::from_secs(3));
            world.act("bob", "180");
            one_second(world);
            world.act("alice", "CANCEL");
            world.run_for(Duration::from_secs(40));
        },
        |world| {
            let log = world.log.join("\n");
            assert_eq!(count(world, "alice <- 487"), 1, "{log}");
            assert_eq!(count(world, "bob <- CANCEL"), 1, "{log}");
            assert_eq!(world.shelf.calls.len(), 1, "{log}");
        },
    );
}

#[test]
fn a_refused_call_survives_each_loss() {
    with_each_loss(
        |world| {
            world.act("alice", "INVITE 102");
            world.run_for(Duration::from_secs(3));
            world.act("bob", "486");
            world.run_for(Duration::from_secs(40));
        },
        |world| {
            assert_eq!(count(world, "alice <- 486"), 1, "{}", world.log.join("\n"));
            assert_eq!(world.shelf.calls.len(), 1);
        },
    );
}

#[test]
fn holding_survives_each_loss() {
    with_each_loss(
        |world| {
            world.act("alice", "INVITE 102");
            world.run_for(Duration::from_secs(3));
            world.act("bob", "200");
            world.run_for(Duration::from_secs(5));
            world.act("alice", "HOLD");
            world.run_for(Duration::from_secs(8));
            world.act("alice", "BYE");
            world.run_for(Duration::from_secs(40));
        },
        |world| {
            let log = world.log.join("\n");
            assert_eq!(count(world, "bob <- re-INVITE sendonly"), 1, "{log}");
            assert_eq!(count(world, "alice <- re-INVITE 200 sendonly"), 1, "{log}");
            assert!(has(world, "bob <- BYE"), "{log}");
        },
    );
}

#[test]
fn registering_survives_each_loss() {
    for lost in 0..6 {
        let mut world = World::new(Plan { weather: Weather::losing(lost), ..Plan::default() });
        world.phone("alice", "101");
        world.register_all();
        assert_eq!(world.shelf.bindings.len(), 1);
    }
}

#[test]
fn storms_leave_nothing_behind() {
    for seed in 0..60 {
        let mut world = office(Plan { seed, ..Plan::default() });
        world.set_weather(Weather::stormy());
        world.act("alice", "INVITE 102");
        world.run_for(Duration::from_millis(700 + 90 * seed));
        match seed % 4 {
            0 => world.act("bob", "200"),
            1 => world.act("alice", "CANCEL"),
            2 => world.act("bob", "486"),
            _ => {
                world.act("bob", "180");
                world.run_for(Duration::from_millis(100));
                world.act("bob", "200");
                world.act("alice", "CANCEL");
            }
        }
        world.run_for(Duration::from_secs(3));
        if seed % 2 == 0 {
            world.act("alice", "BYE");
        } else {
            world.act("bob", "BYE");
        }
        world.run_for(Duration::from_secs(60));
        // Whoever is still in a call, because the other's word was lost for good, hangs up now.
        world.act("alice", "BYE");
        world.act("bob", "BYE");
        world.run_for(Duration::from_secs(1));
        assert_eq!(world.shelf.calls.len(), 1, "seed {seed}:\n{}", world.log.join("\n"));
        world.assert_all_is_quiet();
    }
}

#[test]
fn the_same_seed_gives_the_same_storm() {
    let storm = |seed| {
        let mut world = office(Plan { seed, ..Plan::default() });
        world.set_weather(Weather::stormy());
        world.act("alice", "INVITE 102");
        world.run_for(Duration::from_secs(2));
        world.act("bob", "200");
        world.run_for(Duration::from_secs(5));
        world.act("alice", "BYE");
        world.run_for(Duration::from_secs(40));
        (world.log.clone(), world.datagrams())
    };
    assert_eq!(storm(7), storm(7));
    assert_ne!(storm(7), storm(8));
}
