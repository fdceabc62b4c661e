//! Times on the wall clock, as tests write them.

use jiff::Zoned;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// What the clock shows when a test says nothing else: ten in the morning of a Monday.
pub(crate) const USUAL: DateTime = DateTime::constant(2026, 6, 1, 10, 0, 0, 0);

/// A time of the wall clock in a zone; one that the zone leaves out is the one after it.
pub(crate) fn in_zone(wall: DateTime, zone: &TimeZone) -> Zoned {
    let zoned = zone.to_ambiguous_zoned(wall).compatible();
    zoned.unwrap_or_else(|_| jiff::Timestamp::UNIX_EPOCH.to_zoned(zone.clone()))
}

/// Reads `2026-12-24`, `2026-12-24 22:10` or `2026-12-24 22:10:30`.
///
/// # Errors
/// What is expected instead.
pub(crate) fn parse_time(text: &str) -> Result<DateTime, String> {
    let text = text.trim();
    let date = || text.parse::<Date>().ok().filter(|_| !text.contains(':'));
    let read = match date() {
        Some(date) => Some(date.to_datetime(jiff::civil::Time::midnight())),
        None => text.parse::<DateTime>().ok(),
    };
    read.ok_or_else(|| format!("\"{text}\" is not a time; write \"2026-12-24 22:10\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_with_or_without_its_smaller_parts() {
        for (text, expected) in [
            ("2026-12-24", "2026-12-24T00:00:00"),
            ("2026-12-24 22:10", "2026-12-24T22:10:00"),
            ("2026-12-24T22:10:30", "2026-12-24T22:10:30"),
        ] {
            assert_eq!(parse_time(text).unwrap().to_string(), expected);
        }
        for text in ["", "22:10", "24.12.2026", "2026-13-01", "2026-12-24 25:00", "tomorrow"] {
            let problem = parse_time(text).unwrap_err();
            assert_eq!(problem, format!("\"{text}\" is not a time; write \"2026-12-24 22:10\""));
        }
    }
}
