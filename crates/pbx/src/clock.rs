//! Wall-clock time, derived from the one pair of instant and time given at start.

use std::time::{Duration, Instant, SystemTime};

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::records::UnixMs;

/// Turns the switch's instants into times of day.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    start: Instant,
    wall_at_start: SystemTime,
    zone: TimeZone,
}

impl Clock {
    pub(crate) fn new(start: Instant, wall_at_start: SystemTime, zone: TimeZone) -> Self {
        Self { start, wall_at_start, zone }
    }

    /// From now on, local times are of this zone.
    pub(crate) fn move_to(&mut self, zone: TimeZone) {
        self.zone = zone;
    }

    /// Milliseconds since 1970.
    pub(crate) fn unix_ms(&self, now: Instant) -> UnixMs {
        let wall = self.wall_at_start + now.saturating_duration_since(self.start);
        let since = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        UnixMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// The instant at which the wall clock shows `at`; the past is now.
    pub(crate) fn instant_of(&self, now: Instant, at: UnixMs) -> Instant {
        let ahead = at.0.saturating_sub(self.unix_ms(now).0);
        now + Duration::from_millis(u64::try_from(ahead).unwrap_or(0))
    }

    /// The office's local time.
    pub(crate) fn local(&self, now: Instant) -> Zoned {
        let UnixMs(ms) = self.unix_ms(now);
        let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
        at.to_zoned(self.zone.clone())
    }
}
