//! How many tests a second one core runs: short ones, and those of the dialplan that ships.
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../tests/suite/stage.rs"]
mod stage;

use std::sync::Arc;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
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
        cost(&mut group, name, || all_pass(&stage, &suite));
    }
    let stage = Arc::new(stage::shipped());
    let suite = Arc::new(stage::shipped_tests(&stage));
    let count = rehearsal::list(&stage, &suite, None).unwrap().len();
    group.throughput(Throughput::Elements(count as u64));
    cost(&mut group, "shipped", || all_pass(&stage, &suite));
    group.finish();
}

/// Counts the time that the processor spends on it, so that a busy machine does not count.
fn cost(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, mut once: impl FnMut()) {
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            let before = processor_time();
            (0..iterations).for_each(|_| once());
            processor_time() - before
        });
    });
}

/// Of this thread, since it began. The first number in this file, in nanoseconds.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
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

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

criterion_group!(benches, tests);
criterion_main!(benches);
