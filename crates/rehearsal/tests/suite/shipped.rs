//! The tests of the dialplan that ships, as CI runs them.

use rehearsal::Verdict;

use crate::stage::{options, run_suite, shipped, shipped_tests, told};

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
