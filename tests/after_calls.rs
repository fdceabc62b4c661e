//! What scripts have done when their call is over: functions given to `call:on_hangup` that wait.

use std::time::Duration;

use tests::{Plan, World};

use crate::logs::logged;

fn office(script: &str) -> World {
    let mut world = World::new(Plan {
        script: script.to_owned(),
        prompts: vec!["en/hello".to_owned()],
        http_allow: vec!["https://crm.test/".to_owned()],
        ..Plan::default()
    });
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.register_all();
    world
}

/// Alice calls 5, and hangs up after a second.
fn one_second(world: &mut World) {
    world.act("alice", "INVITE 5");
    world.run_for(Duration::from_secs(1));
    world.act("alice", "BYE");
}

#[test]
fn the_result_of_a_call_is_told_to_another_program_after_its_end() {
    let mut world = office(
        "
route('5', function(call)
  call:on_hangup(function(cause, code)
    local answer = http.post('https://crm.test/calls', { json = { cause = cause } })
    log.info(answer.status, call.from.user)
  end)
  call:on_hangup(function() log.info('then this') end)
  call:answer()
  call:sleep(60)
end)",
    );
    world.outside.answer("POST https://crm.test/calls", 800, 201, "");
    world.check(
        "
           0  alice -> INVITE 5
           0  alice <- 200
        1000  alice -> BYE
        1000  asks POST https://crm.test/calls with {\"cause\":\"caller hung up\"}
        1000  record 101 5 answered 1000 ms
        3000  end
    ",
    );
    assert_eq!(world.script_lines, ["info 5: 201 101", "info 7: then this"]);
    world.assert_all_is_quiet();
}

#[test]
fn what_happens_before_a_function_waits_happens_at_the_very_end_of_the_call() {
    let mut world = office(
        "
route('5', function(call)
  call:on_hangup(function() log.info('over', shared.get('calls')) end)
  call:on_hangup(function() db.execute('CREATE TABLE t (a)') log.info('kept') end)
  call:on_hangup(function() log.info('last') end)
  shared.add('calls', 1)
  call:reject(486)
end)",
    );
    world.act("alice", "INVITE 5");
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.script_lines, ["info 3: over 1", "info 4: kept", "info 5: last"]);
    world.assert_all_is_quiet();
}

#[test]
fn an_error_there_is_told_with_the_call_and_its_parties() {
    let mut world = office(
        "
route('5', function(call)
  call:on_hangup(function() sleep(1) local x = nil; x.y = 1 end)
  call:on_hangup(function() call:play('hello') end)
  call:on_hangup(function() log.info('last') end)
  call:answer()
  call:sleep(60)
end)",
    );
    let log = logged(|| {
        one_second(&mut world);
        world.run_for(Duration::from_secs(3));
    });
    assert_eq!(
        world.logged(),
        [
            "at the end of the call: scripts/main.lua:3: attempt to index a nil value (local 'x')",
            "at the end of the call: scripts/main.lua:4: call:play: the call is over; on_hangup \
             functions and <close> values cannot use verbs",
            "last",
        ]
    );
    let told: Vec<&str> = log.lines().filter(|line| line.contains("at the end of")).collect();
    assert_eq!(told.len(), 2, "{log}");
    assert!(told.iter().all(|line| line.contains("from=101 to=5")), "{log}");
    let record = &world.shelf.calls[0];
    assert!(told.iter().all(|line| line.contains(&format!("call={}", record.id))), "{log}");
    world.assert_all_is_quiet();
}

#[test]
fn the_functions_of_a_call_have_three_minutes_together() {
    let mut world = office(
        "
route('5', function(call)
  call:on_hangup(function()
    local gone <close> = setmetatable({}, { __close = function() log.info('ended') end })
    sleep(600)
  end)
  call:on_hangup(function() log.info('never') end)
  call:answer()
  call:sleep(60)
end)",
    );
    one_second(&mut world);
    world.run_for(Duration::from_secs(179));
    assert!(world.script_lines.is_empty());
    world.run_for(Duration::from_secs(2));
    assert_eq!(
        world.script_lines,
        ["error 5: at the end of the call: ran longer than such a function may", "info 4: ended"]
    );
    world.assert_all_is_quiet();
}

#[test]
fn many_calls_that_end_at_one_time_all_tell_of_it() {
    let mut world = office(
        "
route('5', function(call)
  call:on_hangup(function() log.info(http.post('https://crm.test/calls').status) end)
  call:reject(486)
end)
webhook('/still', function() return 'here' end)",
    );
    world.outside.answer("POST https://crm.test/calls", 3_000, 204, "");
    for _ in 0..100 {
        world.act("alice", "INVITE 5");
        world.run_for(Duration::from_millis(20));
    }
    world.run_for(Duration::from_secs(5));
    assert_eq!(world.script_lines, vec!["info 3: 204"; 100]);
    world.assert_all_is_quiet();
}

#[test]
fn an_exchange_that_stops_waits_a_moment_for_them() {
    let mut world = office(
        "
route('5', function(call)
  call:on_hangup(function() log.info(http.post('https://crm.test/calls').status) end)
  call:on_hangup(function() sleep(30) end)
  call:answer()
  call:sleep(60)
end)",
    );
    world.outside.answer("POST https://crm.test/calls", 1_500, 204, "");
    world.act("alice", "INVITE 5");
    world.run_for(Duration::from_secs(1));
    world.stop();
    world.run_for(Duration::from_secs(3));
    assert_eq!(
        world.script_lines,
        ["info 3: 204", "error 4: at the end of the call: the exchange stops before this was done"]
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_lock_that_the_call_held_is_free_for_them() {
    let mut world = office(
        "
route('5', function(call)
  call:on_hangup(function()
    local lock <close> = shared.lock('door', { timeout = 5 })
    log.info(lock and 'mine' or 'taken')
  end)
  shared.lock('door')
  call:answer()
  call:sleep(60)
end)",
    );
    one_second(&mut world);
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.script_lines, ["info 5: mine"]);
    world.assert_all_is_quiet();
}

#[test]
fn a_caller_is_called_back() {
    let mut world = office(
        "
route('5', function(call)
  call:on_hangup(function()
    pbx.originate { to = 'ext/' .. call.from.user, wait = false, run = function(back)
      back:play('hello')
    end }
  end)
  call:reject(486)
end)",
    );
    world.check(
        "
           0  alice -> INVITE 5
           0  alice <- 486
           0  record 101 5 refused 486
           0  alice <- INVITE
           0  alice -> 180
    ",
    );
}

#[test]
fn a_reload_leaves_them_to_the_scripts_they_began_with() {
    let mut world = office(
        "
route('5', function(call)
  call:on_hangup(function() sleep(5) log.info('old') end)
  call:reject(486)
end)",
    );
    world.act("alice", "INVITE 5");
    world.run_for(Duration::from_secs(1));
    world.reload("route('5', print)");
    world.run_for(Duration::from_secs(6));
    assert_eq!(world.script_lines, ["info 3: old"]);
    world.assert_all_is_quiet();
}
