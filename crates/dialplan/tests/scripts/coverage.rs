//! Which lines, branches and routes ran.

use dialplan::{Coverage, Generation, Limits, Loading, Outcome, Step, Verb, Watch};

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
    let coverage = generation.coverage().unwrap();
    let ways = |coverage: &Coverage, line: u32| {
        let line = &coverage.files["scripts/main.lua"][&line];
        line.leads_to.iter().map(|(to, hits)| (*to, *hits)).collect::<Vec<_>>()
    };
    assert_eq!(ways(&coverage, 3), [(4, 1), (6, 0)]);
    assert_eq!(ways(&coverage, 11), [], "both ways begin on that line");
    call(&generation, "12");
    let coverage = generation.coverage().unwrap();
    assert_eq!(ways(&coverage, 3), [(4, 1), (6, 1)]);
    assert_eq!(ways(&coverage, 13), [(12, 2), (14, 2)]);
    assert_eq!(ways(&coverage, 14), [(12, 1), (16, 1)]);
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
