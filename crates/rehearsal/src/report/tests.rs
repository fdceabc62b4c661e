//! What each reporter makes of the same three tests.

use std::time::Duration;

use super::*;
use crate::verdict::{Case, Failure, Spot, Verdict};

fn report(name: &str, verdict: Verdict) -> Report {
    Report {
        file: "scripts/tests/night.lua".into(),
        name: name.into(),
        line: 3,
        verdict,
        took: Duration::from_micros(1_500),
        simulated: Duration::from_secs(65),
    }
}

fn failure() -> Failure {
    let spot =
        |line, text: &str| Spot { file: "scripts/tests/night.lua".into(), line, text: text.into() };
    Failure {
        at: vec![spot(7, "  caller:hears(\"closed\")"), spot(12, "greets(caller)")],
        expected: "the caller to hear \"closed\" within 30 s".into(),
        instead: "it heard <nothing>\nat all".into(),
        cause: Some(Spot { file: "scripts/main.lua".into(), line: 2, text: "  call:ply()".into() }),
        traceback: vec!["scripts/main.lua:2: in f".into(), "scripts/main.lua:9: in g".into()],
        case: Some(Case { value: "{ digits = \"0\" }".into(), run: 3, simplified: 2 }),
        ladder: "0.000  caller -> INVITE support\n0.000  caller <- 404".into(),
    }
}

/// What a reporter writes, with the seed 7.
fn written(mut reporter: impl Reporter) -> String {
    let reports = [
        report("a # sign", Verdict::Passed),
        report("fails & tells", Verdict::Failed(Box::new(failure()))),
        report("waits", Verdict::Skipped("no trunk yet".into())),
    ];
    let mut summary = Summary { seed: 7, took: Duration::from_millis(500), ..Summary::default() };
    let mut text = Vec::new();
    for report in &reports {
        summary.add(report);
        reporter.test(&mut text, report).unwrap();
    }
    reporter.end(&mut text, &summary).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn people_are_told_where_it_failed_what_happened_and_how_to_repeat_it() {
    let expected = r#"
FAILED  fails & tells
  scripts/tests/night.lua:7
      7 |   caller:hears("closed")
        |   ^^^^^^^^^^^^^^^^^^^^^^
  called from
  scripts/tests/night.lua:12
     12 | greets(caller)
        | ^^^^^^^^^^^^^^

  expected  the caller to hear "closed" within 30 s
  instead   it heard <nothing>
            at all

  scripts/main.lua:2
      2 |   call:ply()
        |   ^^^^^^^^^^
      scripts/main.lua:9: in g

  case      { digits = "0" }
            one that failed was found in run 3, then made simpler 2 times

  0.000  caller -> INVITE support
  0.000  caller <- 404

  left out  waits: no trunk yet
FAILED  scripts/tests/night.lua  3 tests, 1 failed, 4.5 ms

1 test passed, 1 failed, 1 left out: 3 min 15 s of calls in 0.50 s, 4 tests a second, seed 7
again: cordboard test scripts/tests/night.lua --filter "fails & tells" --seed 7
"#;
    assert_eq!(written(Human::default()), expected);
    let coloured = written(Human::new(Style { colour: true, every_test: true }));
    assert!(coloured.contains("\x1b[32mok    \x1b[0m  a # sign  1.5 ms"), "{coloured}");
}

#[test]
fn tap_has_a_line_for_each_test_and_the_details_below() {
    let expected = r##"TAP version 13
ok 1 - scripts/tests/night.lua: a \# sign
not ok 2 - scripts/tests/night.lua: fails & tells
  ---
  at: "scripts/tests/night.lua:7"
  expected: "the caller to hear \"closed\" within 30 s"
  instead: "it heard <nothing>\nat all"
  cause: "scripts/main.lua:2"
  case: "{ digits = \"0\" }"
  ladder: |
    0.000  caller -> INVITE support
    0.000  caller <- 404
  ...
ok 3 - scripts/tests/night.lua: waits # SKIP no trunk yet
1..3
# seed 7
"##;
    assert_eq!(written(Tap::default()), expected);
}

#[test]
fn junit_counts_first_and_escapes_what_xml_would_misread() {
    let text = written(JUnit::default());
    for part in [
        "<testsuites name=\"cordboard\" tests=\"3\" failures=\"1\" skipped=\"1\" time=\"0.500000\">",
        "<testsuite name=\"scripts/tests/night.lua\" tests=\"3\" failures=\"1\" errors=\"0\" \
         skipped=\"1\" time=\"0.004500\">",
        "<property name=\"seed\" value=\"7\"/>",
        "<testcase name=\"a # sign\" classname=\"scripts/tests/night.lua\" \
         file=\"scripts/tests/night.lua\" line=\"3\" time=\"0.001500\"/>",
        "<failure message=\"it heard &lt;nothing&gt;\nat all\">",
        "FAILED  fails &amp; tells",
        "<skipped message=\"no trunk yet\"/>",
    ] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    assert_eq!(text.matches("<testcase").count(), 3);
}

#[test]
fn a_run_without_tests_is_told_too() {
    let mut text = Vec::new();
    Tap::default().end(&mut text, &Summary::default()).unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), "TAP version 13\n1..0\n# seed 0\n");
}
