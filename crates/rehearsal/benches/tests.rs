//! How many tests a second one core runs: short ones, and those of the dialplan that ships.
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../tests/suite/stage.rs"]
mod stage;

use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rehearsal::{Options, Suite};

/// What most tests are like: somebody calls, hears something, presses a key, hangs up.
const MENU: &str = r##"
test("a key in the menu", function(t)
  local caller = t:call { as = "101", to = "0" }
  caller:hears { "main/welcome", "main/menu" }
  caller:presses("1")
  caller:hears("time/the-time-is")
  caller:hangs_up()
end)
"##;

/// Two phones, and a call between them.
const DIAL: &str = r#"
test("two phones", function(t)
  local bob = t:phone("101", { answers = 3 })
  local alice = t:call { as = "100", to = "101" }
  alice:talks_to(bob)
  alice:hangs_up()
  t:record { from = "100", to = "101", answered = true }
end)
"#;

/// Nothing but what every test costs.
const NOTHING: &str = "test(\"nothing\", function(t) t:wait(1) end)\n";

fn tests(c: &mut Criterion) {
    let mut group = c.benchmark_group("tests");
    group.sample_size(20);
    for (name, text) in [("nothing", NOTHING), ("menu", MENU), ("dial", DIAL)] {
        let stage = Arc::new(stage::shipped());
        // The same test many times, so that starting the run does not count.
        let tests: String = (0..COUNT)
            .map(|number| text.replacen("test(\"", &format!("test(\"{number} "), 1))
            .collect();
        let suite = Arc::new(stage::suite(&stage, &tests));
        group.throughput(Throughput::Elements(COUNT));
        group.bench_function(name, |b| b.iter(|| all_pass(&stage, &suite)));
    }
    let stage = Arc::new(stage::shipped());
    let suite = Arc::new(stage::shipped_tests(&stage));
    let count = rehearsal::list(&stage, &suite, None).unwrap().len();
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function("shipped", |b| b.iter(|| all_pass(&stage, &suite)));
    group.finish();
}

fn all_pass(stage: &Arc<rehearsal::Stage>, suite: &Arc<Suite>) {
    let options = Options { filter: None, seed: 1, jobs: 1, fail_fast: false, until: None };
    let run = rehearsal::run(stage, suite, &options, |report| {
        if let rehearsal::Verdict::Failed(_) = report.verdict {
            panic!("{}", stage::told(report));
        }
    });
    assert_eq!(run.unwrap_or_else(|e| panic!("{}", e[0])).summary.failed, 0);
}

/// Tests in one run.
const COUNT: u64 = 100;

criterion_group!(benches, tests);
criterion_main!(benches);
