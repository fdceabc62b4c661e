//! New scripts and declarations while calls are under way.

use std::time::Duration;

use pbx::{CallState, Command, CommandId, Input};
use tests::{ByHand, PHONES, Plan, World};

fn office(script: &str) -> World {
    let mut world = World::new(Plan { script: script.to_owned(), ..Plan::default() });
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.phone("carol", "103");
    world.register_all();
    world
}

fn milliseconds(world: &mut World, ms: u64) {
    world.run_for(Duration::from_millis(ms));
}

fn happened(world: &World, what: &str) -> bool {
    world.log.iter().any(|line| line.ends_with(what))
}

/// The sets of scripts in use, each with the calls that follow it.
fn in_use(world: &World) -> Vec<(u64, usize)> {
    world.snapshot().generations.iter().map(|one| (one.number, one.calls)).collect()
}

/// A dialplan whose number 5 waits for `seconds` and refuses with `code` then.
fn waits(seconds: u32, code: u32) -> String {
    format!(
        "route('5', function(call) call:ringing() call:sleep({seconds}) call:reject({code}) end)"
    )
}

#[test]
fn a_call_held_over_three_reloads_ends_on_its_own_scripts_and_then_they_are_gone() {
    let mut world = office(&waits(60, 486));
    world.act("alice", "INVITE 5");
    milliseconds(&mut world, 1_000);
    for code in [600, 603, 606] {
        world.reload(&waits(1, code));
    }
    assert_eq!(in_use(&world), [(1, 1), (4, 0)], "those that no call followed are gone at once");
    world.act("bob", "INVITE 5");
    milliseconds(&mut world, 500);
    assert_eq!(in_use(&world), [(1, 1), (4, 1)]);
    milliseconds(&mut world, 1_000);
    assert!(happened(&world, "bob <- 606"), "{:?}", world.log);
    assert_eq!(in_use(&world), [(1, 1), (4, 0)]);
    milliseconds(&mut world, 60_000);
    assert!(happened(&world, "alice <- 486"), "{:?}", world.log);
    assert_eq!(in_use(&world), [(4, 0)], "the old scripts went with their last call");
    world.assert_all_is_quiet();
}

#[test]
fn each_call_follows_the_scripts_of_its_beginning() {
    let mut world = office(&waits(10, 480));
    world.phone("dave", "101");
    world.act("alice", "INVITE 5");
    milliseconds(&mut world, 1_000);
    world.reload(&waits(10, 481));
    world.act("bob", "INVITE 5");
    milliseconds(&mut world, 1_000);
    world.reload("route('5', function(call) call:anser() end)");
    world.act("carol", "INVITE 5");
    milliseconds(&mut world, 100);
    assert_eq!(in_use(&world), [(1, 1), (2, 2)], "broken scripts are no generation");
    milliseconds(&mut world, 15_000);
    for told in ["alice <- 480", "bob <- 481", "carol <- 481"] {
        assert!(happened(&world, told), "{told}: {:?}", world.log);
    }
    world.assert_all_is_quiet();
}

#[test]
fn too_many_sets_of_scripts_in_use_stop_a_reload_until_calls_have_ended() {
    let mut world = office(&waits(1_000, 486));
    let mut held = 0;
    let failed = |world: &World| happened_in(world, "64 sets of scripts are in use");
    while !failed(&world) {
        world.act("alice", "INVITE 5");
        milliseconds(&mut world, 10);
        world.reload(&waits(1_000, 486));
        held += 1;
        assert!(held < 100, "no end of it");
    }
    assert_eq!(held, 64);
    milliseconds(&mut world, 1_100_000);
    world.reload(&waits(1, 600));
    assert_eq!(in_use(&world), [(65, 0)]);
}

fn happened_in(world: &World, what: &str) -> bool {
    world.log.iter().any(|line| line.contains(what))
}

#[test]
fn a_new_account_registers_and_is_called_after_a_reload() {
    let mut world = office(PHONES);
    let mut new = ByHand::new(1, "104");
    new.secret = "fresh".to_owned();
    let contact = "Contact: <sip:104@10.9.9.1>\n";
    assert!(!new.register(&mut world, contact).contains("200 OK"));
    world.redeclare(|config| {
        let mut account = config.accounts["103"].clone();
        account.user = "104".to_owned();
        account.secret = "fresh".to_owned();
        config.accounts.insert("104".to_owned(), account);
    });
    let answer = new.register(&mut world, contact);
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    assert_eq!(world.snapshot().registrations, 4);
}

#[test]
fn a_removed_account_is_gone_at_once_and_its_call_goes_on() {
    let mut world = office(PHONES);
    world.act("bob", "INVITE 101");
    milliseconds(&mut world, 10);
    world.act("alice", "200");
    milliseconds(&mut world, 100);
    world.redeclare(|config| drop(config.accounts.remove("102")));
    assert_eq!(world.snapshot().registrations, 2);
    assert!(world.shelf.bindings.values().all(|binding| binding.account != "102"));
    milliseconds(&mut world, 1_000);
    assert_eq!(world.snapshot().calls[0].state, CallState::Talking);
    world.act("carol", "INVITE 102");
    milliseconds(&mut world, 100);
    assert!(happened(&world, "carol <- 404 no such extension"), "{:?}", world.log);
    world.act("bob", "BYE");
    world.assert_the_switch_is_quiet();
}

#[test]
fn a_changed_secret_ends_what_the_old_one_proved_and_an_unchanged_one_nothing() {
    let mut world = office(PHONES);
    world.redeclare(|config| {
        config.accounts.get_mut("102").unwrap().secret = "another".to_owned();
        config.accounts.get_mut("103").unwrap().name = "Carol".to_owned();
    });
    let users: Vec<_> = world.shelf.bindings.values().map(|one| one.account.clone()).collect();
    assert_eq!(users, ["101", "103"]);
}

#[test]
fn declarations_stay_as_they_were_when_the_scripts_are_wrong() {
    let mut world = office("route('1XX', function(call) call:dial('ext/103') end)");
    world.redeclare(|config| drop(config.accounts.remove("103")));
    assert!(happened_in(&world, "ReloadFailed"), "{:?}", world.log);
    assert_eq!(world.snapshot().registrations, 3);
    assert_eq!(in_use(&world), [(1, 0)]);
}

#[test]
fn what_is_asked_is_answered_with_its_number() {
    let mut world = office(&waits(60, 486));
    world.act("alice", "INVITE 5");
    milliseconds(&mut world, 1_000);
    world.act("bob", "INVITE 5");
    milliseconds(&mut world, 1_000);
    world.tell(Input::Command(Command::Look { id: CommandId(7), calls_max: 1 }));
    let told = world.log.iter().find(|line| line.contains("notice Snapshot")).unwrap();
    for part in ["CommandId(7)", "call_count: 2", "from: \"101\"", "to: \"5\"", "registrations: 3"]
    {
        assert!(told.contains(part), "no {part} in {told}");
    }
    assert!(!told.contains("from: \"102\""), "more than was asked for: {told}");
}

#[test]
fn whoever_looks_on_is_told_whom_a_call_rings_and_with_whom_it_talks() {
    let mut world = office(
        "route('5', function(call)
           call:sleep(1)
           call:dial({ { 'ext/102' }, { 'ext/103', 'sip:gw:pass@192.0.2.1', 'ext/101', 'ext/102' } },
             { timeout = 20 })
         end)
         route('1XX', print)",
    );
    let about = |world: &mut World| world.snapshot().calls[0].about.clone();
    world.act("alice", "INVITE 5");
    milliseconds(&mut world, 500);
    assert_eq!(about(&mut world), "");
    milliseconds(&mut world, 1_000);
    assert_eq!(about(&mut world), "ext/102 for 20 s");
    milliseconds(&mut world, 20_000);
    let second = "ext/103, sip:gw:…@192.0.2.1, ext/101 and 1 more for 20 s";
    assert_eq!(about(&mut world), second);
    world.act("carol", "200");
    milliseconds(&mut world, 100);
    assert_eq!(about(&mut world), "ext/103");
    world.act("carol", "BYE");
    milliseconds(&mut world, 500);
    assert!(world.snapshot().calls.is_empty());
}

#[test]
fn a_bound_that_is_changed_holds_for_the_next_call_and_ends_none() {
    let mut world = office(&waits(60, 486));
    world.act("alice", "INVITE 5");
    milliseconds(&mut world, 10);
    world.redeclare(|config| config.limits.calls_max = 1);
    world.act("bob", "INVITE 5");
    milliseconds(&mut world, 10);
    assert!(happened(&world, "bob <- 503"), "{:?}", world.log);
    world.redeclare(|config| config.limits.calls_max = 2);
    world.act("carol", "INVITE 5");
    milliseconds(&mut world, 10);
    assert_eq!(world.call_count(), 2);
}
