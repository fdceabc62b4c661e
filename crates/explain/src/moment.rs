//! Moments as people write them: `2026-12-24 22:10`, `sunday 03:00`, `now+2h`.

use jiff::civil::{Date, Time, Weekday};
use jiff::{SignedDuration, Span, Zoned};

use dialplan::nearest;

/// Reads a moment; what is left out is taken from `now`, whose time zone it is in.
///
/// | written | means |
/// | --- | --- |
/// | `now` | now |
/// | `now+2h`, `now-3d`, `now+1h30m` | so much later or earlier |
/// | `2026-12-24 22:10`, `2026-12-24T22:10:30` | that day and time |
/// | `2026-12-24` | its first minute |
/// | `22:10` | today at that time |
/// | `today 9:00`, `tomorrow 9:00`, `yesterday noon` | that day |
/// | `sunday 03:00`, `sun 3:00` | the next such moment that is not over |
///
/// A time that a change of clocks leaves out is taken as the clock that was not changed shows it.
///
/// # Errors
/// What cannot be read, in words, with what was probably meant.
pub fn parse_moment(text: &str, now: &Zoned) -> Result<Zoned, String> {
    let text = text.trim().to_lowercase();
    if text.is_empty() {
        return Err(format!("there is no time in it; {EXAMPLES}"));
    }
    if let Some(rest) = text.strip_prefix("now") {
        return shifted(rest.trim(), now);
    }
    let (first, rest) = match text.split_once([' ', 't']) {
        // The `t` of `tomorrow` or `sat` parts nothing; that of `2026-12-24T22:10` does.
        Some((first, rest)) if first.parse::<Date>().is_ok() => (first, rest.trim()),
        Some(_) | None => {
            text.split_once(' ').map_or((text.as_str(), ""), |(first, rest)| (first, rest.trim()))
        }
    };
    if let Ok(time) = parse_time(first) {
        return match rest {
            "" => at(now.date(), time, now),
            more => Err(format!("\"{more}\" is too much after the time {first}; {EXAMPLES}")),
        };
    }
    let time = if rest.is_empty() { Time::midnight() } else { parse_time(rest)? };
    if let Ok(date) = first.parse::<Date>() {
        return at(date, time, now);
    }
    match first {
        "today" => at(now.date(), time, now),
        "tomorrow" => at(now.date().tomorrow().map_err(too_far)?, time, now),
        "yesterday" => at(now.date().yesterday().map_err(too_far)?, time, now),
        _ => on_weekday(weekday(first)?, time, now),
    }
}

/// `now` so much later or earlier, as `+2h` says.
fn shifted(rest: &str, now: &Zoned) -> Result<Zoned, String> {
    let (sign, length) = match rest.chars().next() {
        None => return Ok(now.clone()),
        Some('+') => (1, rest.get(1..).unwrap_or_default()),
        Some('-') => (-1, rest.get(1..).unwrap_or_default()),
        Some(_) => return Err(format!("\"{rest}\" after now is not a length; write now+2h")),
    };
    let span: Span = length.trim().parse().map_err(|_| {
        format!("\"{}\" is not a length of time; write now+2h or now+3d", length.trim())
    })?;
    let span = if sign < 0 { span.negate() } else { span };
    now.checked_add(span).map_err(too_far)
}

fn at(date: Date, time: Time, now: &Zoned) -> Result<Zoned, String> {
    date.to_datetime(time).to_zoned(now.time_zone().clone()).map_err(too_far)
}

/// The next such weekday and time that is not over.
fn on_weekday(day: Weekday, time: Time, now: &Zoned) -> Result<Zoned, String> {
    let ahead = now.weekday().until(day);
    let first = now.date().checked_add(SignedDuration::from_hours(24 * i64::from(ahead)));
    let first = at(first.map_err(too_far)?, time, now)?;
    if first >= *now {
        return Ok(first);
    }
    let next = first.date().checked_add(SignedDuration::from_hours(7 * 24)).map_err(too_far)?;
    at(next, time, now)
}

fn parse_time(text: &str) -> Result<Time, String> {
    let wrong = || format!("\"{text}\" is not a time of day; write 22:10 or 3:00");
    match text {
        "midnight" => return Ok(Time::midnight()),
        "noon" => return Time::new(12, 0, 0, 0).map_err(|_| wrong()),
        _ => {}
    }
    let parts: Option<Vec<i8>> = text.split(':').map(|part| part.parse().ok()).collect();
    match parts.as_deref() {
        Some([hour, minute]) => Time::new(*hour, *minute, 0, 0).map_err(|_| wrong()),
        Some([hour, minute, second]) => Time::new(*hour, *minute, *second, 0).map_err(|_| wrong()),
        Some(_) | None => Err(wrong()),
    }
}

fn weekday(word: &str) -> Result<Weekday, String> {
    let known = DAYS.iter().find(|(name, _)| {
        // As short as it is clear: `su`, `sun`, `sunday`.
        word.len() >= 2 && name.starts_with(word)
    });
    if let Some((_, day)) = known {
        return Ok(*day);
    }
    let words = DAYS.iter().map(|(name, _)| *name).chain(["now", "today", "tomorrow", "yesterday"]);
    let hint = match nearest(word, words) {
        Some(near) => format!("did you mean {near}?"),
        None => EXAMPLES.to_owned(),
    };
    Err(format!("\"{word}\" is not a day; {hint}"))
}

fn too_far(_: jiff::Error) -> String {
    "that is too far away for a calendar".to_owned()
}

const EXAMPLES: &str = "write 2026-12-24 22:10, sunday 03:00 or now+2h";

const DAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line: what is written, `|`, what it means on Sunday 22 November 2026 at 10:30 in Berlin.
    #[track_caller]
    fn check(table: &str) {
        let now: Zoned = "2026-11-22T10:30[Europe/Berlin]".parse().unwrap();
        for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (written, expected) = line.split_once('|').unwrap();
            let read = match parse_moment(written, &now) {
                Ok(moment) => moment.strftime("%a %Y-%m-%d %H:%M:%S").to_string(),
                Err(problem) => problem,
            };
            assert_eq!(read, expected.trim(), "{written}");
        }
    }

    #[test]
    fn days_and_times_are_read_as_people_write_them() {
        check(
            "
            now                  | Sun 2026-11-22 10:30:00
            now+2h               | Sun 2026-11-22 12:30:00
            now + 1h30m          | Sun 2026-11-22 12:00:00
            now-3d               | Thu 2026-11-19 10:30:00
            2026-12-24 22:10     | Thu 2026-12-24 22:10:00
            2026-12-24T22:10:30  | Thu 2026-12-24 22:10:30
            2026-12-24           | Thu 2026-12-24 00:00:00
            22:10                | Sun 2026-11-22 22:10:00
            3:00                 | Sun 2026-11-22 03:00:00
            today noon           | Sun 2026-11-22 12:00:00
            tomorrow 9:00        | Mon 2026-11-23 09:00:00
            yesterday midnight   | Sat 2026-11-21 00:00:00
            ",
        );
    }

    #[test]
    fn a_weekday_is_the_next_that_is_not_over() {
        check(
            "
            sunday 11:00    | Sun 2026-11-22 11:00:00
            sunday 10:30    | Sun 2026-11-22 10:30:00
            Sunday 03:00    | Sun 2026-11-29 03:00:00
            sat 3:00        | Sat 2026-11-28 03:00:00
            mo              | Mon 2026-11-23 00:00:00
            tuesday 9:00    | Tue 2026-11-24 09:00:00
            ",
        );
    }

    #[test]
    fn an_hour_that_the_clocks_leave_out_is_taken_as_the_old_clock_shows_it() {
        check("2026-03-29 02:30 | Sun 2026-03-29 03:30:00");
    }

    #[test]
    fn what_cannot_be_read_is_told_with_what_was_meant() {
        check(
            "
            sundey 03:00   | \"sundey\" is not a day; did you mean sunday?
            tomorow        | \"tomorow\" is not a day; did you mean tomorrow?
            soon           | \"soon\" is not a day; write 2026-12-24 22:10, sunday 03:00 or now+2h
            sunday 25:00   | \"25:00\" is not a time of day; write 22:10 or 3:00
            2026-13-01     | \"2026-13-01\" is not a day; write 2026-12-24 22:10, sunday 03:00 or now+2h
            10:00 sunday   | \"sunday\" is too much after the time 10:00; write 2026-12-24 22:10, sunday 03:00 or now+2h
            now+soon       | \"soon\" is not a length of time; write now+2h or now+3d
            now 2h         | \"2h\" after now is not a length; write now+2h
            now+99999999d  | \"99999999d\" is not a length of time; write now+2h or now+3d
            ",
        );
        assert!(parse_moment("", &Zoned::default()).is_err());
    }
}
