//! A script that goes wrong: what its caller hears, and what its author is told.

use std::time::Duration;

use tests::{PHONES, Plan, World};

use crate::logs::logged;

/// An office whose script goes wrong at 4, with an apology that lasts half a second.
fn office(script: &str) -> World {
    let mut world = World::new(Plan {
        script: format!("{PHONES}\n{script}"),
        prompts: ["en/main/sorry", "en/hello", "en/vm/beep"].map(str::to_owned).to_vec(),
        ..Plan::default()
    });
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.register_all();
    world
}

#[test]
fn an_unanswered_caller_hears_an_apology_as_early_media_and_then_500() {
    let mut world = office("route('4', function(call) local x = nil; x.y = 1 end)");
    world.check(
        "
           0  alice -> INVITE 4
           0  plays en/main/sorry
           0  alice <- 183
         400  alice hears en/main/sorry
         500  alice <- 500
         500  record 101 4 refused 500
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn an_answered_caller_hears_an_apology_and_is_hung_up() {
    let mut world = office(
        "route('4', function(call)
  call:on_hangup(function(cause, code) log.info('at the end', cause, code) end)
  call:answer() call:play('hello') call:play(call.vars.no)
end)",
    );
    world.check(
        "
           0  alice -> INVITE 4
           0  alice <- 200
           0  plays en/hello
         500  plays en/main/sorry
         900  alice hears en/main/sorry
        1000  alice <- BYE
        1000  record 101 4 answered 1000 ms
    ",
    );
    assert_eq!(world.logged(), ["at the end script fault 200"]);
    world.assert_all_is_quiet();
}

#[test]
fn a_script_that_exceeds_its_budget_apologises_too() {
    let mut world = office("route('4', function(call) call:answer() while true do end end)");
    world.act("alice", "INVITE 4");
    world.run_for(Duration::from_secs(2));
    let happened: Vec<&str> =
        world.log.iter().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(
        happened,
        [
            "alice -> INVITE 4",
            "alice <- 200",
            "plays en/main/sorry",
            "record 101 4 answered 500 ms",
            "alice <- BYE",
        ]
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_caller_who_is_gone_gets_no_apology() {
    let mut world = office(
        "route('4', function(call)
  call:on_hangup(function() error('too late') end)
  call:answer() call:sleep(9)
end)",
    );
    world.check(
        "
           0  alice -> INVITE 4
           0  alice <- 200
        1000  alice -> BYE
        1000  record 101 4 answered 1000 ms
        3000  end
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_caller_may_hang_up_while_hearing_the_apology() {
    let mut world = office("route('4', function(call) error('x') end)");
    world.check(
        "
           0  alice -> INVITE 4
           0  plays en/main/sorry
           0  alice <- 183
         200  alice -> CANCEL
         200  alice <- 487
         200  record 101 4 refused 487
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_caller_without_an_offer_is_not_answered_for_an_apology() {
    let mut world = office("route('4', function(call) error('x') end)");
    world.phones[0].offers = false;
    world.check(
        "
           0  alice -> INVITE 4
           0  alice <- 500
           0  record 101 4 refused 500
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn keys_pressed_during_the_apology_do_nothing_and_it_ends_within_its_bound() {
    let mut world = World::new(Plan {
        script: "route('4', function(call) call:answer() error('x') end)".to_owned(),
        prompts: vec!["en/main/sorry".to_owned()],
        ..Plan::default()
    });
    world.prompt_lasts("en/main/sorry", Duration::from_secs(60));
    world.phone("alice", "101");
    world.register_all();
    world.act("alice", "INVITE 4");
    world.run_for(Duration::from_secs(1));
    world.act("alice", "PRESS 12#");
    world.run_for(Duration::from_secs(20));
    let ended = world.log.iter().find(|line| line.ends_with("alice <- BYE")).unwrap();
    assert!(ended.starts_with("15000 "), "{ended}");
    world.assert_all_is_quiet();
}

#[test]
fn the_callee_is_hung_up_when_the_script_fails_beside_a_conversation() {
    let mut world = office(
        "route('4', function(call)
  spawn(function() call:dial('ext/102') end)
  call:sleep(3)
  error('in the middle')
end)",
    );
    world.check(
        "
           0  alice -> INVITE 4
           0  bob   <- INVITE
        1000  bob   -> 200
        1000  alice <- 200
        2000  alice hears bob
        3000  bob   <- BYE
        3000  plays en/main/sorry
        3400  alice hears en/main/sorry
        3500  alice <- BYE
        3500  record 101 4 answered 2500 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn without_an_apology_the_caller_gets_500_at_once() {
    let mut world = office("route('4', function(call) error('x') end)");
    world.redeclare(|config| config.apology = None);
    world.log.clear();
    world.check(
        "
           0  alice -> INVITE 4
           0  alice <- 500
           0  record 101 4 refused 500
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn the_author_is_told_verb_arguments_call_and_the_way_there() {
    let log = logged(|| {
        let mut world = office(
            "
local function greet(call, name)
  call:play(name, { loop = false })
  return true
end
route('4', function(call)
  local done = greet(call, 'helo')
end)",
        );
        world.act("alice", "INVITE 4");
        world.run_for(Duration::from_secs(2));
    });
    let start = log.find("ERROR").unwrap();
    for part in [
        "scripts/main.lua:8: call:play: no prompt \"helo\"; did you mean \"hello\"?",
        "given: call:play(\"helo\", { loop = false })",
        "scripts/main.lua:8: in greet",
        "scripts/main.lua:12: in the handler of \"4\"",
        "from=101 to=4",
        "call=",
    ] {
        assert!(log[start..].contains(part), "no {part} in\n{log}");
    }
    assert!(!log.contains("[cordboard]") && !log.contains("[C]"), "{log}");
}

#[test]
fn a_script_that_always_fails_is_told_once_and_then_counted() {
    let log = logged(|| {
        let mut world = office("route('4', function(call) error('again') end)");
        for _ in 0..20 {
            world.act("alice", "INVITE 4");
            world.run_for(Duration::from_secs(2));
        }
        world.run_for(Duration::from_secs(60));
        world.act("alice", "INVITE 4");
        world.run_for(Duration::from_secs(200));
        world.act("alice", "INVITE 4");
        world.run_for(Duration::from_secs(2));
        world.assert_all_is_quiet();
    });
    let about: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("again"))
        .map(|line| line.split_once("scripts/main.lua").unwrap().1)
        .collect();
    let told = about.iter().filter(|line| !line.contains("happened")).count();
    assert_eq!(told, 2, "{about:?}");
    let counted = ":6: again … happened 19 more times in the last minute";
    assert!(about.iter().any(|line| line.starts_with(counted)), "{about:?}");
    let once = about.iter().filter(|line| line.contains("happened once more")).count();
    assert_eq!(once, 1, "{about:?}");
}

#[test]
fn a_busy_script_is_told_with_the_line_that_keeps_it_busy() {
    let log = logged(|| {
        let mut world = office(
            "route('4', function(call)
  local n = 0
  for i = 1, 800000 do
    n = n + i
  end
  call:reject(486)
end)",
        );
        world.act("alice", "INVITE 4");
        world.run_for(Duration::from_secs(2));
    });
    let line = log.lines().find(|line| line.contains("keeps the script busy")).unwrap();
    assert!(line.contains("WARN") && line.contains("instructions between two verbs"), "{line}");
    let at = |number: u32| line.contains(&format!("script=scripts/main.lua:{number}"));
    assert!(at(8) || at(9), "{line}");
}

#[test]
fn a_slow_store_is_told_with_the_verb_that_waited_for_it() {
    let log = logged(|| {
        let mut world =
            office("route('4', function(call) call:answer()\n  call:mailbox('101') end)");
        world.store_takes = Duration::from_millis(2_300);
        world.act("alice", "INVITE 4");
        world.run_for(Duration::from_secs(1));
        world.act("alice", "PRESS 4711#");
        world.run_for(Duration::from_secs(30));
        world.act("alice", "BYE");
        world.assert_all_is_quiet();
    });
    let line = log.lines().find(|line| line.contains("for the store")).unwrap();
    assert!(line.contains("mailbox waited 2.3 s for the store"), "{line}");
    assert!(line.contains("script=scripts/main.lua:7"), "{line}");
}

#[test]
fn a_handler_that_leaves_its_caller_without_an_answer_is_told_with_its_line() {
    let log = logged(|| {
        let mut world = office("\n\nroute('4XX', function(call) call:ringing() end)");
        world.act("alice", "INVITE 404");
        world.run_for(Duration::from_secs(2));
        world.assert_all_is_quiet();
    });
    let line = log.lines().find(|line| line.contains("ended without answering")).unwrap();
    assert!(line.contains("the handler of \"4XX\""), "{line}");
    assert!(line.contains("script=scripts/main.lua:8"), "{line}");
}

#[test]
fn a_program_and_a_database_that_are_slow_are_told_once_and_then_counted() {
    let log = logged(|| {
        let mut world = World::new(Plan {
            script: "route('4', function(call)
  http.get('https://crm.test/slow?key=secret')
  db.query('SELECT 1 AS x')
  call:busy()
end)"
                .to_owned(),
            http_allow: vec!["https://crm.test/".to_owned()],
            ..Plan::default()
        });
        world.phone("alice", "101");
        world.register_all();
        world.outside.answer("GET https://crm.test/slow?key=secret", 4_200, 200, "");
        world.outside.query_takes = Duration::from_millis(150);
        for _ in 0..3 {
            world.act("alice", "INVITE 4");
            world.run_for(Duration::from_secs(6));
        }
        world.run_for(Duration::from_secs(60));
        world.assert_all_is_quiet();
    });
    for (what, line) in [("http waited 4.2 s for https://crm.test", 2), ("slow query, 150 ms", 3)] {
        let told: Vec<&str> = log.lines().filter(|line| line.contains(what)).collect();
        assert_eq!(told.len(), 1, "{log}");
        assert!(told[0].contains(&format!("script=scripts/main.lua:{line}")), "{}", told[0]);
    }
    assert_eq!(log.matches("happened 2 more times in the last minute").count(), 2, "{log}");
    assert!(!log.contains("key=secret"), "{log}");
}
