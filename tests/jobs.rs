//! Functions that run by themselves: at their times, beside calls, and over a reload.

use std::time::Duration;

use tests::{Plan, World};

/// An office that opens on a Friday at 08:00, UTC.
fn office(script: &str) -> World {
    let mut world = World::new(Plan {
        script: format!(
            "{script}\nroute('1XX', function(call) call:dial('ext/' .. call.to.user) end)"
        ),
        http_allow: vec!["https://crm.test/".to_owned()],
        ..Plan::default()
    });
    world.phone("alice", "101");
    world.phone("bob", "102");
    world
}

#[test]
fn a_function_runs_at_its_times() {
    let mut world = office(
        "schedule('fri 08:01 08:30, sat 10:00', function() log.info(time.date('%a %H:%M')) end)",
    );
    world.run_for(Duration::from_secs(59));
    assert!(world.script_lines.is_empty());
    world.run_for(Duration::from_secs(9 * 86_400));
    let met = ["Fri 08:01", "Fri 08:30", "Sat 10:00", "Fri 08:01", "Fri 08:30", "Sat 10:00"];
    assert_eq!(world.script_lines, met.map(|time| format!("info 1: {time}")));
    world.assert_the_switch_is_quiet();
}

#[test]
fn a_function_runs_again_and_again_and_leaves_out_what_it_is_too_slow_for() {
    let mut world = office(
        "
schedule({ every = 60 }, function()
  log.info('begins', time.minute)
  if time.minute == 2 then sleep(130) end
end)",
    );
    world.run_for(Duration::from_secs(6 * 60));
    assert_eq!(
        world.script_lines,
        [
            "info 3: begins 1",
            "info 3: begins 2",
            "warn 2: the run before has not ended; this one is left out",
            "warn 2: the run before has not ended; this one is left out",
            "info 3: begins 5",
            "info 3: begins 6",
        ]
    );
    world.assert_the_switch_is_quiet();
}

#[test]
fn a_function_waits_for_other_programs_its_database_and_several_things_at_once() {
    let mut world = office(
        "
schedule('08:01', function()
  local answer = http.get('https://crm.test/duty')
  shared.set('duty', answer:json().who)
  db.execute('CREATE TABLE log (at REAL)')
  local both = all {
    function() sleep(1) return db.execute('INSERT INTO log VALUES (?)', time.now()).changes end,
    function() local lock <close> = shared.lock('x') return 'locked' end,
  }
  log.info(shared.get('duty'), both[1], both[2])
end)",
    );
    world.outside.answer("GET https://crm.test/duty", 300, 200, r#"{ "who": "102" }"#);
    world.run_for(Duration::from_secs(62));
    assert_eq!(world.script_lines, ["info 10: 102 1 locked"]);
    world.assert_the_switch_is_quiet();
}

#[test]
fn a_function_whose_calls_fail_at_once_goes_on_for_as_long_as_it_may() {
    let mut world = office(
        "
schedule('08:01', function()
  local failed = 0
  for _ = 1, 9000 do
    local leg = pbx.originate { to = 'ext/102', run = function() end }
    if leg.status ~= 'ANSWERED' then failed = failed + 1 end
  end
  log.info(failed)
end)",
    );
    world.run_for(Duration::from_secs(65));
    assert_eq!(world.script_lines, ["info 8: 9000"]);
    world.assert_the_switch_is_quiet();
}

#[test]
fn a_function_calls_somebody_who_gets_a_script_of_their_own() {
    let mut world = office(
        "
schedule('08:05', function()
  local status = pbx.originate {
    to = 'ext/102', timeout = 20,
    run = function(call) call:sleep(1) call:hangup() end,
  }
  log.info(status)
end)",
    );
    world.register_all();
    world.run_for(Duration::from_secs(265));
    world.act("bob", "200");
    world.run_for(Duration::from_secs(3));
    let log = world.log.join("\n");
    for line in ["bob <- INVITE", "bob <- BYE"] {
        assert!(log.contains(line), "no {line} in\n{log}");
    }
    world.assert_all_is_quiet();
}

#[test]
fn a_function_that_fails_is_told_and_runs_the_next_time() {
    let mut world = office(
        "
schedule({ every = 60 }, function()
  if time.minute == 1 then error('too early') end
  log.info('fine')
end)
schedule('08:01', function() while true do end end)
schedule('08:01', function() pbx.originate { to = 'ext/102' } end)",
    );
    world.run_for(Duration::from_secs(125));
    assert_eq!(world.script_lines, ["info 4: fine"]);
    assert_eq!(world.failures.len(), 3, "{:?}", world.failures);
    for (failure, expected) in world.failures.iter().zip([
        "main.lua:3: too early",
        "there is no caller to whom the leg could be joined: give run or number",
        "used up its instructions between two verbs",
    ]) {
        assert!(failure.contains(expected), "{failure}");
    }
    world.assert_the_switch_is_quiet();
}

#[test]
fn a_reload_puts_new_times_in_the_place_of_the_old() {
    let mut world = office(
        "schedule('08:02', function() log.info('old') end)
         schedule('08:01', function() sleep(90) log.info('begun before') end)",
    );
    world.run_for(Duration::from_secs(61));
    world.reload("schedule('08:03', function() log.info('new') end) route('5', print)");
    world.run_for(Duration::from_secs(3 * 86_400));
    assert_eq!(
        world.script_lines,
        ["info 2: begun before", "info 1: new", "info 1: new", "info 1: new"]
    );
    world.assert_the_switch_is_quiet();
}

#[test]
fn an_exchange_that_stops_ends_its_functions() {
    let mut world = office(
        "schedule('08:01', function()
           local gone <close> = setmetatable({}, { __close = function() log.info('ended') end })
           sleep(600)
         end)",
    );
    world.run_for(Duration::from_secs(61));
    world.stop();
    world.run_for(Duration::from_secs(3_600 * 48));
    assert_eq!(world.script_lines, ["info 2: ended"]);
    world.assert_the_switch_is_quiet();
}

#[test]
fn a_function_may_run_for_an_hour() {
    let mut world = office("schedule('08:01', function() sleep(7200) end)");
    world.run_for(Duration::from_secs(60 + 3_599));
    assert!(world.script_lines.is_empty());
    world.run_for(Duration::from_secs(2));
    assert_eq!(world.script_lines, ["error 1: ran longer than such a function may"]);
    world.assert_the_switch_is_quiet();
}
