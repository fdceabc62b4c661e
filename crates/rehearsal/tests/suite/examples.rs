//! The example of every function that tests have passes on the exchange as it ships.

use crate::stage::{run, shipped, told};

#[test]
fn every_example_passes_on_the_exchange_as_it_ships() {
    let mut failures = String::new();
    for spec in rehearsal::TEST_LIBRARIES.iter().flat_map(|library| library.functions) {
        for report in run(shipped(), spec.example).0 {
            if let rehearsal::Verdict::Failed(_) = report.verdict {
                failures.push_str(&format!("{}:\n{}", spec.full_name(), told(&report)));
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
