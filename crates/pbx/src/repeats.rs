//! Tells the same thing once, and after a while how often it happened again: a script that fails with
//! every call fills no log.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use dialplan::LogLevel;

/// What makes two complaints the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Complaint {
    /// How much it matters.
    pub(crate) level: LogLevel,
    /// The script file; empty when unknown.
    pub(crate) file: String,
    /// The line in it; 0 when unknown.
    pub(crate) line: u32,
    /// What it is about, without what differs from time to time.
    pub(crate) about: String,
}

/// What was told lately, and how often it happened again since.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    told: BTreeMap<Complaint, Told>,
    /// Those there was no room for.
    others: Option<Told>,
}

#[derive(Debug, Clone, Copy)]
struct Told {
    until: Instant,
    again: u64,
}

/// How often something happened again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Again {
    /// What; `None`: other things than those that were told, of which there were too many.
    pub(crate) complaint: Option<Complaint>,
    /// How often.
    pub(crate) times: u64,
}

impl Complaint {
    /// Those that there was no room for.
    pub(crate) fn others() -> Self {
        let about = "other faults of scripts".to_owned();
        Self { level: LogLevel::Error, file: String::new(), line: 0, about }
    }
}

impl Repeats {
    /// Whether to tell this in full; if not, it is counted.
    pub(crate) fn is_new(&mut self, now: Instant, complaint: &Complaint) -> bool {
        if let Some(told) = self.told.get_mut(complaint) {
            if now < told.until || told.again > 0 {
                told.again = told.again.saturating_add(1);
                return false;
            }
            *told = Told::from(now);
            return true;
        }
        if self.told.len() >= COMPLAINTS_MAX {
            // What did not happen again may be forgotten when its time is over.
            self.told.retain(|_, told| told.again > 0 || now < told.until);
        }
        if self.told.len() >= COMPLAINTS_MAX {
            let others = self.others.get_or_insert(Told::from(now));
            others.again = others.again.saturating_add(1);
            return false;
        }
        self.told.insert(complaint.clone(), Told::from(now));
        true
    }

    /// When there is something to sum up next.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let told = self.told.values().filter(|told| told.again > 0);
        told.chain(&self.others).map(|told| told.until).min()
    }

    /// Sums up what happened again; to be called until there is nothing more. What goes on happening
    /// is counted on, and not told in full again.
    pub(crate) fn sum_up(&mut self, now: Instant) -> Option<Again> {
        let due = |told: &Told| told.again > 0 && told.until <= now;
        if let Some((complaint, told)) = self.told.iter_mut().find(|(_, told)| due(told)) {
            let times = told.again;
            *told = Told::from(now);
            return Some(Again { complaint: Some(complaint.clone()), times });
        }
        let others = self.others.take_if(|told| due(told))?;
        Some(Again { complaint: None, times: others.again })
    }
}

impl Told {
    fn from(now: Instant) -> Self {
        Self { until: now + WINDOW, again: 0 }
    }
}

/// So long the same thing is only counted.
pub(crate) const WINDOW: Duration = Duration::from_secs(60);
/// Different things that are remembered; beyond, they are only counted, all together.
const COMPLAINTS_MAX: usize = 200;

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "simulated time starts somewhere")]
mod tests {
    use super::*;

    fn complaint(line: u32) -> Complaint {
        let (level, file) = (LogLevel::Error, "scripts/main.lua".into());
        Complaint { level, file, line, about: "wrong".into() }
    }

    fn summed_up(repeats: &mut Repeats, now: Instant) -> Vec<(u32, u64)> {
        let mut all = Vec::new();
        while let Some(again) = repeats.sum_up(now) {
            all.push((again.complaint.map_or(0, |complaint| complaint.line), again.times));
        }
        all
    }

    #[test]
    fn the_same_thing_is_told_once_and_then_counted_minute_by_minute() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut repeats = Repeats::default();
        assert!(repeats.is_new(at(0), &complaint(1)));
        assert_eq!(repeats.poll_timeout(), None, "once needs no summary");
        for second in 1..=14 {
            assert!(!repeats.is_new(at(second), &complaint(1)));
        }
        assert!(repeats.is_new(at(20), &complaint(2)), "another line is another thing");
        assert_eq!(repeats.poll_timeout(), Some(at(60)));
        assert_eq!(summed_up(&mut repeats, at(59)), []);
        assert_eq!(summed_up(&mut repeats, at(60)), [(1, 14)]);
        assert!(!repeats.is_new(at(90), &complaint(1)), "it goes on");
        assert_eq!(summed_up(&mut repeats, at(120)), [(1, 1)]);
        assert_eq!(repeats.poll_timeout(), None);
        assert!(repeats.is_new(at(181), &complaint(1)), "after a quiet minute it is news");
    }

    #[test]
    fn too_many_different_things_are_counted_together_and_nothing_grows() {
        let start = Instant::now();
        let mut repeats = Repeats::default();
        let mut told = 0;
        for line in 0..1_000 {
            told += usize::from(repeats.is_new(start, &complaint(line)));
        }
        assert_eq!(told, COMPLAINTS_MAX);
        assert_eq!(repeats.told.len(), COMPLAINTS_MAX);
        assert_eq!(summed_up(&mut repeats, start + WINDOW), [(0, 800)]);
        let later = start + WINDOW;
        assert!(repeats.is_new(later, &complaint(5_000)), "what is over makes room");
        assert_eq!(repeats.told.len(), 1);
    }
}
