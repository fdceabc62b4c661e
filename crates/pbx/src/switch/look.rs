//! Tells how things stand.

use std::collections::BTreeMap;
use std::time::Instant;

use super::{State, Switch};
use crate::snapshot::{GenerationNow, Snapshot};

impl Switch {
    /// How things stand, with as many calls one by one as `calls_max`. Linear in the number of calls.
    pub fn snapshot(&self, now: Instant, calls_max: usize) -> Snapshot {
        let mut followers: BTreeMap<u64, usize> = BTreeMap::new();
        for call in self.calls.values() {
            *followers.entry(call.generation()).or_default() += 1;
        }
        let generations =
            self.generations.iter().filter(|loaded| loaded.is_alive()).map(|loaded| {
                GenerationNow {
                    number: loaded.number,
                    loaded_at: loaded.at,
                    routes: loaded.routes,
                    calls: followers.get(&loaded.number).copied().unwrap_or_default(),
                }
            });
        Snapshot {
            at: self.desk.clock.unix_ms(now),
            call_count: self.call_count(),
            calls: self
                .calls
                .values()
                .take(calls_max)
                .map(|call| call.as_it_is(&self.desk))
                .collect(),
            registrations: self.desk.registrar.count(),
            generations: generations.collect(),
            stopping: self.state != State::Open,
        }
    }
}
