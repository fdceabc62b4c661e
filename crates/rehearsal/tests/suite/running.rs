//! How tests are found, chosen, spread and repeated.

use std::sync::Arc;

use rehearsal::{Options, Report, Suite, TestFile, Verdict};

use crate::stage::{options, run, run_suite, shipped, suite, told, with_script};

const SCRIPT: &str = "route('1', function(call) call:busy() end)";

fn names(reports: &[Report]) -> Vec<&str> {
    reports.iter().map(|report| report.name.as_str()).collect()
}

fn is_passed(report: &Report) -> bool {
    matches!(report.verdict, Verdict::Passed)
}

/// What is told of files that cannot be read.
fn mistakes(text: &str) -> Vec<String> {
    let stage = with_script(SCRIPT);
    let suite = suite(&stage, text);
    let errors = run_suite(stage, suite, &options()).unwrap_err();
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn no_test_sees_what_another_did() {
    let (reports, _) = run(
        with_script(SCRIPT),
        r#"
local seen = 0
local list = {}
marks = {}

before(function() seen = seen + 1 end)

for _, name in ipairs { "one", "two", "three" } do
  test(name, function(t)
    t:equal(seen, 1)
    t:equal(list, {})
    t:equal(marks, {})
    list[1], marks[1], other = true, true, true
    t:equal(math.random(1000000) == math.random(1000000), false)
  end)
end

test("globals of others are not there", function(t)
  t:equal(pcall(function() return other end), false)
end)
"#,
    );
    assert_eq!(names(&reports), ["one", "three", "two", "globals of others are not there"]);
    for report in &reports {
        assert!(is_passed(report), "{}", told(report));
    }
}

#[test]
fn chance_follows_from_the_seed_and_the_name_alone() {
    let text = |names: &[&str]| {
        names
            .iter()
            .map(|name| {
                format!(
                    "test('{name}', function(t) error('drew ' .. math.random(2^40 // 1)) end)\n"
                )
            })
            .collect::<String>()
    };
    let drawn = |names: &[&str], seed: u64| {
        let stage = with_script(SCRIPT);
        let suite = suite(&stage, &text(names));
        let (reports, _) = run_suite(stage, suite, &Options { seed, ..options() }).unwrap();
        let told = reports.iter().map(|report| match &report.verdict {
            Verdict::Failed(failure) => format!("{} {}", report.name, failure.instead),
            other => panic!("{other:?}"),
        });
        told.collect::<Vec<_>>()
    };
    let (first, alone) = (drawn(&["a", "b", "c"], 7), drawn(&["b"], 7));
    assert_eq!(first[1], alone[0]);
    assert_ne!(first[0].replace('a', ""), first[1].replace('b', ""));
    assert_eq!(drawn(&["a", "b", "c"], 7), first);
    assert_ne!(drawn(&["b"], 8), alone);
}

#[test]
fn many_threads_come_to_the_same_as_one_and_tell_it_in_order() {
    let run_with = |jobs| {
        let stage = shipped();
        let suite = crate::stage::shipped_tests(&stage);
        let (mut reports, run) = run_suite(stage, suite, &Options { jobs, ..options() }).unwrap();
        for report in &mut reports {
            report.took = std::time::Duration::ZERO;
        }
        (reports, run.summary.simulated)
    };
    assert_eq!(run_with(1), run_with(4));
}

#[test]
fn time_that_is_passed_over_is_no_time_of_calls() {
    let simulated = |passes: &str| {
        let text = format!(
            "test('waits', function(t) t:at('2026-06-01 10:00') t:phone('100') {passes} end)"
        );
        let stage = with_script(SCRIPT);
        let suite = suite(&stage, &text);
        let (reports, run) = run_suite(stage, suite, &options()).unwrap();
        assert_eq!(reports[0].verdict, Verdict::Passed);
        assert_eq!(reports[0].simulated, run.summary.simulated);
        run.summary.simulated
    };
    let nothing = simulated("");
    let second = std::time::Duration::from_secs(1);
    assert_eq!(
        simulated("t:at('2026-06-02 10:00') t:wait(5) t:at('2026-06-03 10:00')"),
        nothing + 5 * second
    );
}

#[test]
fn a_filter_chooses_by_name_or_file_in_any_case() {
    let stage = Arc::new(with_script(SCRIPT));
    let file = |chunk: &str, text: &str| TestFile { chunk: chunk.into(), text: text.into() };
    let suite = Arc::new(Suite {
        files: vec![
            file(
                "scripts/tests/day.lua",
                "test('Opens', function() end)\ntest('closes', function() end)",
            ),
            file("scripts/tests/night.lua", "\n\ntest('sleeps', function() end)"),
        ],
        ..Suite::default()
    });
    let listed = |filter: Option<&str>| {
        let tests = rehearsal::list(&stage, &suite, filter).unwrap();
        tests.into_iter().map(|test| format!("{} {}", test.line, test.name)).collect::<Vec<_>>()
    };
    assert_eq!(listed(None), ["1 Opens", "2 closes", "3 sleeps"]);
    assert_eq!(listed(Some("open")), ["1 Opens"]);
    assert_eq!(listed(Some("NIGHT")), ["3 sleeps"]);
    assert_eq!(listed(Some("nothing")), Vec::<String>::new());
}

#[test]
fn after_a_failure_nothing_more_begins_if_that_is_wanted() {
    let text = "test('fails', function() error('x') end)\ntest('never runs', function() end)";
    let stage = with_script(SCRIPT);
    let all = suite(&stage, text);
    let (reports, run) = run_suite(stage, all, &Options { fail_fast: true, ..options() }).unwrap();
    assert_eq!(names(&reports), ["fails"]);
    assert_eq!((run.summary.failed, run.summary.passed), (1, 0));
}

#[test]
fn a_test_that_is_left_out_does_not_run() {
    let (reports, run) = self::run(
        with_script(SCRIPT),
        "test('later', { skip = 'no trunk' }, function() error('x') end)",
    );
    assert_eq!(reports[0].verdict, Verdict::Skipped("no trunk".into()));
    assert_eq!((run.summary.skipped, run.summary.passed), (1, 0));
}

#[test]
fn mistakes_in_files_are_told_before_anything_runs() {
    for (text, mistake) in [
        (
            "test('x', function(t)\n  t:wait(1\nend)",
            "scripts/tests/a.lua:3: ')' expected (to close '(' at line 2) near 'end'",
        ),
        ("test('x')", "scripts/tests/a.lua:1: test: function is missing; expected a function"),
        ("test('x', 'y')", "scripts/tests/a.lua:1: test: function must be a function, got \"y\""),
        (
            "test('', function() end)",
            "scripts/tests/a.lua:1: test: the name must be a sentence on one line",
        ),
        (
            "test('x', { skpi = 'y' }, function() end)",
            "scripts/tests/a.lua:1: test: no option \"skpi\"; did you mean \"skip\"?",
        ),
        (
            "local f = function() end\ntest('x', f)\ntest('x', f)",
            "scripts/tests/a.lua:3: test: line 2 has a test of this name already",
        ),
        (
            "\nrequire 'tests.nothing'",
            "scripts/tests/a.lua:2: require \"tests.nothing\": there is no scripts/tests/nothing.lua",
        ),
        (
            "tset('x', function() end)",
            "scripts/tests/a.lua:1: there is no global tset; did you mean test?",
        ),
        ("route('1', function() end)", "scripts/tests/a.lua:1: there is no global route"),
        ("local x = io", "scripts/tests/a.lua:1: there is no global io"),
        (
            "while true do end",
            "scripts/tests/a.lua:1: the file used up its instructions; is there an endless loop?",
        ),
    ] {
        assert_eq!(mistakes(text), [mistake], "{text}");
    }
}

#[test]
fn a_test_brings_in_files_of_the_dialplan_and_of_its_own() {
    let stage = with_script(SCRIPT);
    let mut all = suite(
        &stage,
        r#"
local support = require "tests.support"
test("uses both", function(t)
  support.refused(t, require("lib.numbers").busy)
end)
"#,
    );
    let support = "return {\n  refused = function(t, to)\n    \
                   t:call { as = '100', to = to }:is_refused(486)\n  end,\n}\n";
    all.modules.files.insert("tests/support.lua".into(), support.into());
    all.modules.files.insert("lib/numbers.lua".into(), "return { busy = '1' }".into());
    let (reports, _) = run_suite(stage, all, &options()).unwrap();
    assert!(is_passed(&reports[0]), "{}", told(&reports[0]));
}

#[test]
fn a_run_leaves_nothing_behind_even_of_what_tests_keep() {
    let stage = Arc::new(with_script("route('1', function(call) call:answer() call:sleep(9) end)"));
    let text = r#"
        test("keeps what it has", function(t)
          kept = { t, t:call { as = "100", to = "1" } }
        end)
        test("tries what a case left", function(t)
          local left
          t:forall({ n = gen.whole(1, 3) }, function(t, case) left = t t:wait(1) end)
          local works, problem = pcall(left.wait, left, 1)
          t:equal(works, false)
          assert(tostring(problem):find("a case that is over", 1, true), problem)
        end)
    "#;
    let suite = Arc::new(suite(&stage, text));
    let options = Options { filter: None, seed: 1, jobs: 2, fail_fast: false, until: None };
    let run = rehearsal::run(&stage, &suite, &options, |report| {
        assert_eq!(report.verdict, Verdict::Passed, "{}", told(report));
    });
    assert_eq!(run.unwrap().summary.passed, 2);
    // Everything that a test is made of holds these.
    assert_eq!((Arc::strong_count(&stage), Arc::strong_count(&suite)), (1, 1));
}
