//! What the author of a script is told when it goes wrong, or costs too much.

use dialplan::{Ending, Limits, Outcome, ReadEnd, Remark, ScriptError, Step, Strain};

use crate::ladder::{begin, generation, load, now, resume, start};

/// How a call to 1 fails, after its verbs had these outcomes.
#[track_caller]
fn failure(main: &str, outcomes: Vec<Outcome>) -> ScriptError {
    let generation = generation(main, Limits::default());
    let mut script = start(&generation, "1");
    let mut step = begin(&mut script);
    for outcome in outcomes {
        assert!(matches!(step, Step::Ask { .. } | Step::Waiting), "{step:?}");
        step = resume(&mut script, outcome);
    }
    match step {
        Step::Failed(error) => error,
        other => panic!("it does not fail: {other:?}"),
    }
}

#[test]
fn an_error_names_the_verb_and_what_it_was_given() {
    for (body, message, arguments) in [
        (
            "local to = nil call:dial(to, { timeout = 20 })",
            "scripts/main.lua:1: call:dial: to is missing; expected \"ext/...\", \"sip:...\", {to=...}, or a list of these",
            "nil, { timeout = 20 }",
        ),
        (
            "local t = '20' call:dial('ext/101', { timeout = t })",
            "scripts/main.lua:1: call:dial: timeout: expected seconds (a number), got a string",
            "\"ext/101\", { timeout = <a string> }",
        ),
        (
            "local name = 'welcom' call:play(name)",
            "scripts/main.lua:1: call:play: no prompt \"welcom\"; did you mean \"welcome\"?",
            "\"welcom\"",
        ),
    ] {
        let error = failure(&format!("route('1', function(call) {body} end)"), vec![]);
        assert_eq!(error.to_string(), message);
        assert_eq!(error.arguments.as_deref(), Some(arguments), "{body}");
    }
}

#[test]
fn a_verb_that_could_not_be_carried_out_names_what_it_was_given() {
    let main = "route('1', function(call) call:answer() call:dial('ext/101', { timeout = 5 }) end)";
    let error =
        failure(main, vec![Outcome::Done, Outcome::Fault("more than 50 targets".to_owned())]);
    assert_eq!(error.to_string(), "scripts/main.lua:1: call:dial: more than 50 targets");
    assert_eq!(error.arguments.as_deref(), Some("\"ext/101\", { timeout = 5 }"));
}

#[test]
fn an_error_of_the_script_itself_has_no_arguments_of_a_verb_before() {
    let main = "route('1', function(call)
        pcall(function() call:play(nil) end)
        error('something else')
    end)";
    let error = failure(main, vec![]);
    assert_eq!(error.to_string(), "scripts/main.lua:3: something else");
    assert_eq!(error.arguments, None);
}

#[test]
fn what_the_caller_typed_is_in_no_error() {
    let pin = |body: &str| {
        let main =
            format!("route('1', function(call) local pin = call:read {{ max = 4 }} {body} end)");
        let digits = "4711".to_owned();
        failure(&main, vec![Outcome::Read { digits, ended: ReadEnd::Complete }])
    };
    for body in [
        "error('wrong PIN ' .. pin)",
        "call:play('pin/' .. pin)",
        "call:voicemail('x' .. pin, { reason = {} })",
        "call:dial({ 'ext/' .. pin, {} })",
        "local n = tonumber(pin) error(n)",
        "error({ pin })",
        "local as = 'nothing' call:say(pin, { as = as })",
        "call:read { match = pin, max = {} }",
    ] {
        let error = pin(body);
        let told = format!("{error} {error:?}");
        assert!(!told.contains("4711"), "{body}: {told}");
    }
    let error = pin("call:play('pin/' .. pin)");
    assert!(error.message.contains("no prompt \"pin/(typed)\""), "{error}");
    assert_eq!(error.arguments.as_deref(), Some("\"pin/(typed)\""));
}

#[test]
fn a_traceback_names_functions_and_routes_and_nothing_of_ours() {
    let error = failure(
        "local lib = {}
local function greet(name)
  local text = name.first
  return text
end
function lib.welcome(call) local x = greet(nil) return x end
function twice(call) local x = lib.welcome(call) return x end
route('1', function(call)
  local run = function() local x = twice(call) return x end
  local x = run()
end)",
        vec![],
    );
    assert_eq!(
        error.traceback,
        [
            "scripts/main.lua:3: in greet",
            "scripts/main.lua:6: in welcome",
            "scripts/main.lua:7: in twice",
            "scripts/main.lua:9: in run",
            "scripts/main.lua:10: in the handler of \"1\"",
        ]
    );
}

#[test]
fn a_traceback_through_our_functions_shows_only_the_scripts_lines() {
    let error = failure(
        "route('1', function(call)
  table.sort({ 2, 1 }, function(a, b)
    return call.nothing.x
  end)
end)",
        vec![],
    );
    assert_eq!(error.line, Some(3), "{error}");
    assert!(error.traceback.iter().all(|line| line.starts_with("scripts/main.lua:")), "{error:?}");
    assert_eq!(error.traceback.last().unwrap(), "scripts/main.lua:2: in the handler of \"1\"");
}

#[test]
fn errors_at_the_end_of_a_call_are_told_as_well() {
    let generation = load(
        "route('1', function(call)
  call:on_hangup(function() local x = nil; local y = x.z end)
  local pin = call:read { max = 4 }
  call:sleep(1)
end)",
    )
    .unwrap();
    let mut script = start(&generation, "1");
    begin(&mut script);
    resume(&mut script, Outcome::Read { digits: "4711".into(), ended: ReadEnd::Complete });
    let ending = Ending { cause: "caller hung up".into(), code: 200 };
    assert_eq!(script.script.close(ending, &now()), []);
    assert_eq!(begin(&mut script), Step::Returned);
    let logs = generation.take_logs();
    let Some(Remark::Failed { what, error }) = logs[0].remark.as_deref() else {
        panic!("{logs:?}")
    };
    assert_eq!(*what, "at the end of the call");
    assert_eq!(error.to_string(), "scripts/main.lua:2: attempt to index a nil value (local 'x')");
}

/// The strains that a call to 1 is told of until it asks for something.
fn strains(body: &str) -> Vec<(u32, Strain)> {
    let generation =
        generation(&format!("route('1', function(call)\n{body}\nend)"), Limits::default());
    let mut script = start(&generation, "1");
    begin(&mut script);
    let lines = generation.take_logs().into_iter();
    lines
        .filter_map(|line| match line.remark.map(|remark| *remark) {
            Some(Remark::Strained(strain)) => Some((line.line, strain)),
            Some(Remark::Failed { .. }) | None => None,
        })
        .collect()
}

#[test]
fn a_script_that_uses_much_of_its_budget_is_told_the_line_that_used_it() {
    let [(line, Strain::Busy { instructions, instructions_max })] = strains(
        "local n = 0
for i = 1, 100 do n = n + i end
for i = 1, 1000 do
  for j = 1, 300 do n = n + j * 2 - 1 end
end
call:answer()",
    )[..] else {
        panic!("one remark is expected");
    };
    assert_eq!(line, 5);
    assert!((1_000_000..2_500_000).contains(&instructions), "{instructions}");
    assert_eq!(instructions_max, 5_000_000);
    assert_eq!(strains("for i = 1, 100000 do local x = i end call:answer()"), []);
}

#[test]
fn work_that_nobody_can_pause_is_told_with_its_line() {
    let found = strains(
        "local t = {}
for i = 1, 500 do t[i] = (i * 7919) % 500 end
table.sort(t, function(a, b)
  for i = 1, 4 do local x = i end
  return a < b
end)
call:answer()",
    );
    let [(line, Strain::Holding { instructions })] = found[..] else { panic!("{found:?}") };
    assert!((4..=6).contains(&line), "{line}");
    assert!((50_000..=101_000).contains(&instructions), "{instructions}");
    let short = "local t = {} for i = 1, 100 do t[i] = -i end
        table.sort(t, function(a, b) return a < b end) call:answer()";
    assert_eq!(strains(short), []);
}

#[test]
fn an_endless_loop_is_blamed_on_its_busiest_line() {
    let error = failure(
        "local function work(n)
  local sum = 0
  for i = 1, 50 do sum = sum + i * n end
  return sum
end
route('1', function(call)
  while true do
    work(3)
  end
end)",
        vec![],
    );
    assert_eq!(error.line, Some(3), "{error}");
}
