//! The tests of the dialplan that ships, as CI runs them.

use std::fs;

use rehearsal::Verdict;

use crate::stage::{options, passes, root, run_suite, shipped, shipped_tests, told};

#[test]
fn every_test_of_the_dialplan_that_ships_passes_and_none_of_its_lines_is_left_out() {
    let mut stage = shipped();
    stage.config.script_watch = dialplan::Watch::Lines;
    let suite = shipped_tests(&stage);
    let (reports, run) = run_suite(stage, suite, &options()).unwrap_or_else(|e| panic!("{e:?}"));
    let mut failures = String::new();
    for report in &reports {
        if let Verdict::Failed(_) = report.verdict {
            failures.push_str(&told(report));
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(reports.len() >= 30, "{}", reports.len());
    let coverage = run.coverage.unwrap();
    let mut never = Vec::new();
    for (file, lines) in &coverage.files {
        let lines = lines.iter().filter(|(_, line)| line.hits == 0);
        never.extend(lines.map(|(number, _)| format!("{file}:{number}")));
    }
    assert_eq!(never, Vec::<String>::new());
    assert!(coverage.routes.iter().all(|hits| *hits > 0), "{:?}", coverage.routes);
}

#[test]
fn the_examples_for_authors_of_tests_pass() {
    let page = fs::read_to_string(root().join("scripts/tests/README.md")).unwrap();
    let examples: Vec<&str> =
        page.split("```lua\n").skip(1).map(|rest| rest.split_once("```").unwrap().0).collect();
    assert!(examples.len() >= 2);
    for example in examples {
        passes(shipped(), example);
    }
}

#[test]
fn the_page_for_authors_of_tests_names_only_what_there_is() {
    let page = fs::read_to_string(root().join("scripts/tests/README.md")).unwrap();
    let known: Vec<&str> = rehearsal::TEST_LIBRARIES
        .iter()
        .flat_map(|library| library.functions)
        .map(|spec| spec.name)
        .collect();
    let prose: String = page.split("```").step_by(2).collect();
    let mut named = 0;
    for code in prose.split('`').skip(1).step_by(2) {
        let Some((name, _)) = code.split_once(['(', '{']) else { continue };
        let name = name.trim().rsplit([':', '.']).next().unwrap();
        // Of scripts and Lua, not of tests.
        if !name.is_empty() && !["say", "speak", "assert"].contains(&name) {
            assert!(known.contains(&name), "{code}");
            named += 1;
        }
    }
    assert!(named >= 30, "{named}");
}
