//! Which lines, branches and routes ran.

use dialplan::{BranchKind, Coverage, Generation, Limits, Loading, Outcome, Step, Verb, Watch};

use crate::ladder::{begin, load, names, now, resume, sources, start};

const SCRIPT: &str = r#"
local function kind(number)
  if number == "1" then -- 3
    return "one"
  else
    return "many" -- 6
  end
end

route("1X", function(call) -- 10
  local found = kind(call.to.user == "11" and "1" or "2")
  for i = 1, 2 do
    if i == 2 and
      found == "one" -- 14
    then
      log(found)
    end
  end
  call:answer() -- 19
  call:hangup()
  log("never")
end)

route("2", function(call)
  call:go("12")
end)
"#;

fn watched() -> Generation {
    let sources = sources(&[("main.lua", SCRIPT)]);
    let watched = Loading { watch: Watch::Lines, ..Loading::default() };
    let loaded = Generation::load_as(&sources, names(), Limits::default(), watched, &now());
    loaded.unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn call(generation: &Generation, number: &str) {
    let mut script = start(generation, number);
    let mut step = begin(&mut script);
    while let Step::Ask { verb, .. } = step {
        if matches!(verb, Verb::Hangup { .. }) {
            break;
        }
        step = resume(&mut script, Outcome::Done);
    }
}

fn hits(coverage: &Coverage, line: u32) -> Option<u64> {
    Some(coverage.files["scripts/main.lua"].get(&line)?.hits)
}

#[test]
fn each_line_that_can_run_is_counted_and_no_other() {
    let generation = watched();
    call(&generation, "11");
    let coverage = generation.coverage().unwrap();
    let lines: Vec<_> = coverage.files["scripts/main.lua"].keys().copied().collect();
    assert_eq!(lines, [3, 4, 6, 10, 11, 12, 13, 14, 16, 19, 20, 21, 24, 25]);
    for (line, expected) in [(3, 1), (4, 1), (6, 0), (13, 2), (16, 1), (20, 1), (21, 0), (25, 0)] {
        assert_eq!(hits(&coverage, line), Some(expected), "line {line}");
    }
    assert_eq!(coverage.routes, [1, 0]);
}

#[test]
fn a_condition_tells_which_of_its_ways_were_taken() {
    let generation = watched();
    call(&generation, "11");
    let ways = |line: u32| {
        let coverage = generation.coverage().unwrap();
        let line = &coverage.files["scripts/main.lua"][&line];
        let forks = line.branches.iter().filter(|b| b.kind != BranchKind::Function);
        forks.map(|b| (b.text.clone(), b.hits)).collect::<Vec<_>>()
    };
    let is = |text: &str, hits: [u64; 2]| (text.to_owned(), hits);
    assert_eq!(ways(3), [is("number == \"1\"", [1, 0])]);
    assert_eq!(ways(11), [is("call.to.user == \"11\"", [1, 0])]);
    call(&generation, "12");
    assert_eq!(ways(3), [is("number == \"1\"", [1, 1])]);
    assert_eq!(ways(11), [is("call.to.user == \"11\"", [1, 1])]);
    assert_eq!(ways(12), [is("", [4, 0])]);
    assert_eq!(ways(13), [is("i == 2 and found == \"one\"", [1, 3]), is("i == 2", [2, 2])]);
    let coverage = generation.coverage().unwrap();
    let functions = coverage.files["scripts/main.lua"].values().flat_map(|line| &line.branches);
    let functions = functions.filter(|branch| branch.kind == BranchKind::Function);
    let calls: Vec<_> = functions.map(|b| (b.line, &*b.text, b.hits[0])).collect();
    assert_eq!(calls, [(2, "kind", 2), (10, "route(\"1X\")", 2), (24, "route(\"2\")", 0)]);
}

#[test]
fn scripts_that_are_watched_do_the_same_and_use_as_much() {
    let script = r##"
local tries = 0
local function no_values() end
local function two_values() return 1, 2 end
route("1", function(call)
  local t = { two_values() or 3, no_values() or "none", (two_values()) }
  log(#t, t[1], t[2], t[3], select("#", (no_values() and 1)))
  for _ = 1, 3000 do if tries >= 0 and tries < 9e9 then tries = tries + 1 end end
  local ok, problem = pcall(function() if tries > nil then return end end)
  log(problem)
  while true do if tries < 0 or false then break end end
end)
"##;
    let told = |watch: Watch, instructions: u64| {
        let limits = Limits { instructions_per_verb: instructions, ..Limits::default() };
        let loading = Loading { watch, ..Loading::default() };
        let sources = sources(&[("main.lua", script)]);
        let generation = Generation::load_as(&sources, names(), limits, loading, &now()).unwrap();
        let mut script = start(&generation, "1").script;
        let (mut step, mut turns) = (script.go_on(&now()), 0_u64);
        while matches!(step, Step::Slice) {
            (step, turns) = (script.go_on(&now()), turns + 1);
        }
        let Step::Failed(error) = step else { panic!("{step:?}") };
        let logs: Vec<String> = generation.take_logs().into_iter().map(|log| log.text).collect();
        (logs, error.to_string(), error.traceback, turns)
    };
    let (logs, error, traceback, turns) = told(Watch::Nothing, 1_000_000);
    let watched = told(Watch::Lines, 1_000_000);
    assert_eq!((&watched.0, &watched.1, &watched.2), (&logs, &error, &traceback));
    assert!(watched.3.abs_diff(turns) * 5 <= turns, "{} turns instead of {turns}", watched.3);
}

#[test]
fn a_route_that_another_goes_to_counts_too_and_runs_add_up() {
    let (first, second) = (watched(), watched());
    call(&first, "2");
    call(&second, "12");
    let mut sum = first.coverage().unwrap();
    assert_eq!(sum.routes, [1, 1]);
    sum.add(&second.coverage().unwrap());
    assert_eq!(sum.routes, [2, 1]);
    assert_eq!(hits(&sum, 6), Some(2));
    assert_eq!(hits(&sum, 25), Some(1));
}

#[test]
fn scripts_that_nobody_watches_tell_nothing() {
    let generation = load(SCRIPT).unwrap();
    call(&generation, "11");
    assert_eq!(generation.coverage(), None);
}
