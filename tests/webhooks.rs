//! Other programs that ask the scripts something: who may, and what they are answered.

use std::time::Duration;

use pbx::{AskedId, Input, WebRequest, WebTrust};
use tests::{Plan, World};

use crate::logs::logged;

/// Where programs ask from unless a test says otherwise.
const SOURCE: &str = "203.0.113.7:4000";

fn office(script: &str) -> World {
    let mut world = World::new(Plan { script: script.to_owned(), ..Plan::default() });
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.register_all();
    world
}

/// Asks, and gives back what is answered within this time.
fn ask(world: &mut World, id: u64, ask: &str, body: &str, trust: WebTrust) -> String {
    let (method, path) = ask.split_once(' ').unwrap();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let pair = query.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    let request = Box::new(WebRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        query: pair.into_iter().collect(),
        headers: vec![("x-room".to_owned(), "12".to_owned())],
        body: body.as_bytes().to_vec(),
    });
    let source = SOURCE.parse().unwrap();
    world.tell(Input::Asked { id: AskedId(id), request, trust, source });
    world.run_for(Duration::from_secs(1));
    let answer = format!("answers {id} ");
    let told = world.log.iter().filter_map(|line| line.split_once(answer.as_str()));
    told.map(|(_, told)| told.to_owned()).collect::<Vec<_>>().join(" and ")
}

#[test]
fn a_program_is_answered_what_the_function_returns() {
    let mut world = office(
        "
webhook('/one', function(request)
  return { status = 202, json = {
    request.method, request.path, request.query.a, request.headers['X-Room'], request:json().n } }
end)
webhook('/two', { methods = { 'GET' } }, function() sleep(0.5) return 'text' end)
webhook('/three', function() end)
route('5', print)",
    );
    let proven = WebTrust::Proven;
    let one = ask(&mut world, 1, "POST /one?a=b", r#"{ "n": 7 }"#, proven);
    assert_eq!(one, r#"202 ["POST","/one","b","12",7]"#);
    assert_eq!(ask(&mut world, 2, "GET /two", "", proven), "200 text");
    assert_eq!(ask(&mut world, 3, "POST /three", "", proven), "204 ");
    world.assert_all_is_quiet();
}

#[test]
fn a_click_makes_a_call() {
    let mut world = office(
        "
webhook('/click', function(request)
  pbx.originate { to = 'ext/101', wait = false, run = function(call) call:dial('ext/102') end }
  return { status = 202 }
end)
route('5', print)",
    );
    assert_eq!(ask(&mut world, 1, "POST /click", "", WebTrust::Proven), "202 ");
    world.act("alice", "200");
    world.run_for(Duration::from_secs(1));
    world.act("bob", "200");
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.heard_by("alice"), "bob");
    world.act("alice", "BYE");
    world.assert_all_is_quiet();
}

#[test]
fn strangers_reach_only_what_is_public_and_learn_nothing_else() {
    let mut world = office(
        "
webhook('/open', { public = true }, function() return 'hello' end)
webhook('/shut', function() return 'secret' end)
route('5', print)",
    );
    let stranger = WebTrust::Stranger;
    assert_eq!(ask(&mut world, 1, "POST /open", "", stranger), "200 hello");
    for (id, path) in [(2, "POST /shut"), (3, "GET /shut"), (4, "POST /nothing"), (5, "GET /open")]
    {
        assert_eq!(ask(&mut world, id, path, "", stranger), "401 the token is missing or wrong");
    }
    let proven = WebTrust::Proven;
    assert_eq!(ask(&mut world, 6, "POST /shut", "", proven), "200 secret");
    let none = "404 there is no webhook of this path";
    assert_eq!(ask(&mut world, 7, "POST /nothing", "", proven), none);
    let other = "405 there is no webhook for this method";
    assert_eq!(ask(&mut world, 8, "GET /shut", "", proven), other);
    world.assert_all_is_quiet();
}

#[test]
fn a_function_that_fails_or_takes_too_long_is_answered_for() {
    let mut world = office(
        "
webhook('/fails', function(request) return request.nothing.at_all end)
webhook('/odd', function() return { status = 99 } end)
webhook('/slow', function() sleep(60) end)
route('5', print)",
    );
    let proven = WebTrust::Proven;
    assert_eq!(ask(&mut world, 1, "POST /fails", "", proven), "500 the script failed");
    assert_eq!(ask(&mut world, 2, "POST /odd", "", proven), "500 the script failed");
    assert!(world.failures[1].contains("status must be 200 to 599"), "{:?}", world.failures);
    assert!(world.failures[1].contains("scripts/main.lua:3"), "{:?}", world.failures);
    assert_eq!(ask(&mut world, 3, "POST /slow", "", proven), "");
    world.run_for(Duration::from_secs(30));
    assert!(world.log.iter().any(|line| line.contains("answers 3 504")), "{:?}", world.log);
    world.assert_all_is_quiet();
}

#[test]
fn whoever_asks_again_and_again_keeps_nothing_from_its_time() {
    let mut world = office(
        "
webhook('/slow', { public = true }, function() sleep(20) end)
schedule({ every = 60 }, function() log.info('on time') end)
route('5', print)",
    );
    world.run_for(Duration::from_secs(50));
    for id in 0..100 {
        ask_only(&mut world, id, "/slow", WebTrust::Stranger);
    }
    world.run_for(Duration::from_secs(15));
    assert_eq!(world.script_lines, ["info 3: on time"]);
    world.run_for(Duration::from_secs(10));
    world.assert_the_switch_is_quiet();
}

fn ask_only(world: &mut World, id: u64, path: &str, trust: WebTrust) {
    let request = WebRequest {
        method: "POST".into(),
        path: path.into(),
        query: Vec::new(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    let source = SOURCE.parse().unwrap();
    world.tell(Input::Asked { id: AskedId(id), request: Box::new(request), trust, source });
}

#[test]
fn too_many_at_one_time_and_an_exchange_that_stops_are_told() {
    let mut world = office("webhook('/slow', function() sleep(20) end)\nroute('5', print)");
    let proven = WebTrust::Proven;
    for id in 0..64 {
        ask_only(&mut world, id, "/slow", proven);
    }
    assert_eq!(ask(&mut world, 100, "POST /slow", "", proven), "503 too much is under way");
    world.stop();
    world.run_for(Duration::from_secs(1));
    let ended = world.log.iter().filter(|line| line.contains("503 the script was ended"));
    assert_eq!(ended.count(), 64);
    assert_eq!(ask(&mut world, 101, "POST /slow", "", proven), "503 too much is under way");
    world.assert_all_is_quiet();
}

/// Sends a request to a webhook that needs the token, and gives back what it is answered at once.
fn knock(world: &mut World, id: u64, source: &str, trust: WebTrust) -> String {
    let (path, query) = ("/shut\nERROR".to_owned(), vec![("token".to_owned(), "t0ken".to_owned())]);
    let (headers, body) = (Vec::new(), Vec::new());
    let request = WebRequest { method: "POST".to_owned(), path, query, headers, body };
    let (request, source) = (Box::new(request), source.parse().unwrap());
    world.tell(Input::Asked { id: AskedId(id), request, trust, source });
    let answer = format!("answers {id} ");
    let told = world.log.iter().find_map(|line| line.split_once(answer.as_str()));
    told.map(|(_, told)| told.get(..3).unwrap_or_default().to_owned()).unwrap_or_default()
}

#[test]
fn programs_without_the_token_are_told_of_once_and_then_counted() {
    let mut world = office("webhook('/shut', print) route('5', print)");
    let log = logged(|| {
        for id in 1..=5 {
            assert_eq!(knock(&mut world, id, SOURCE, WebTrust::Wrong), "401");
        }
        assert_eq!(knock(&mut world, 6, SOURCE, WebTrust::Stranger), "401");
        assert_eq!(knock(&mut world, 7, "203.0.113.8:1", WebTrust::Wrong), "401");
        world.run_for(Duration::from_secs(61));
    });
    let told: Vec<&str> = log.lines().filter(|line| line.contains("refused")).collect();
    assert_eq!(told.len(), 4, "{log}");
    for (line, parts) in told.iter().zip([
        ["it sent a wrong token", "source=203.0.113.7:4000", "path=/shut?ERROR"],
        ["it sent no token", "source=203.0.113.7:4000", "path=/shut?ERROR"],
        ["it sent a wrong token", "source=203.0.113.8:1", "path=/shut?ERROR"],
        ["203.0.113.7", "a wrong token", "happened 4 more times in the last minute"],
    ]) {
        assert!(parts.iter().all(|part| line.contains(part)), "no {parts:?} in {line}");
    }
    assert!(!log.contains("t0ken"), "{log}");
    world.assert_all_is_quiet();
}

#[test]
fn who_guesses_tokens_is_refused_for_five_minutes_and_nobody_else_is() {
    let mut world = office("webhook('/shut', print) route('5', print)");
    for id in 1..=10 {
        assert_eq!(knock(&mut world, id, SOURCE, WebTrust::Wrong), "401");
    }
    // Not even whoever has guessed right in the end, from another port.
    assert_eq!(knock(&mut world, 11, "203.0.113.7:4001", WebTrust::Proven), "429");
    assert_eq!(knock(&mut world, 12, SOURCE, WebTrust::Wrong), "429");
    assert_eq!(knock(&mut world, 13, "203.0.113.8:1", WebTrust::Proven), "404");
    world.run_for(Duration::from_secs(301));
    assert_eq!(knock(&mut world, 14, SOURCE, WebTrust::Proven), "404");
    world.assert_all_is_quiet();
}

#[test]
fn a_stranger_behind_the_same_proxy_locks_nobody_out() {
    let mut world = office(
        "webhook('/shut', print) webhook('/open', { public = true }, print) route('5', print)",
    );
    assert_eq!(knock(&mut world, 1, SOURCE, WebTrust::Proven), "404");
    for id in 2..=30 {
        assert_eq!(knock(&mut world, id, SOURCE, WebTrust::Wrong), "401");
    }
    assert_eq!(knock(&mut world, 31, SOURCE, WebTrust::Proven), "404");
    assert_eq!(ask(&mut world, 32, "POST /open", "", WebTrust::Wrong), "204 ");
    world.assert_all_is_quiet();
}
