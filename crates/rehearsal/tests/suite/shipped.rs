//! The tests of the dialplan that ships, as CI runs them.

use std::collections::BTreeMap;
use std::fs;

use rehearsal::{Suite, TestFile, Verdict};

use crate::stage::{options, root, run_suite, shipped, told};

/// Everything in `scripts/tests`.
fn tests() -> Vec<TestFile> {
    let mut files: Vec<TestFile> = fs::read_dir(root().join("scripts/tests"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "lua"))
        .map(|path| TestFile {
            chunk: format!("scripts/tests/{}", path.file_name().unwrap().to_str().unwrap()),
            text: fs::read_to_string(&path).unwrap(),
        })
        .collect();
    files.sort_by(|one, other| one.chunk.cmp(&other.chunk));
    files
}

#[test]
fn every_test_of_the_dialplan_that_ships_passes_and_none_of_its_lines_is_left_out() {
    let mut stage = shipped();
    stage.config.script_watch = dialplan::Watch::Lines;
    let mut modules = stage.sources.clone();
    let files = tests();
    for file in &files {
        let name = file.chunk.strip_prefix("scripts/").unwrap().to_owned();
        modules.files.insert(name, file.text.clone());
    }
    let suite = Suite { files, modules, paths: BTreeMap::new() };
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
