//! `schedule`: functions that run by themselves at their times.

use std::rc::Rc;
use std::time::Duration;

use jiff::civil::Weekday;
use jiff::{SignedDuration, ToSpan, Zoned};
use mlua::{Function, Lua, Table, Value};

use crate::error::Place;
use crate::host::{Host, place, placed};
use crate::options::describe;
use crate::time::parse_days;

/// Names a schedule of one generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScheduleId(pub(crate) usize);

/// A function with its times.
pub(crate) struct Schedule {
    pub(crate) when: When,
    /// Where it was defined.
    pub(crate) at: Place,
    pub(crate) handler: Function,
}

/// When something happens, over and over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum When {
    /// So long after it happened, or after the scripts were loaded.
    Every(Duration),
    /// At these minutes of these days, by the clock on the wall.
    At(Vec<(Weekday, i64)>),
}

impl When {
    /// Reads `mon-fri 08:30 17:00, sat 10:00`: times belong to the days before them, and count every
    /// day where there are none.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > TEXT_MAX {
            return Err(format!("the times are longer than {TEXT_MAX} bytes"));
        }
        let (mut times, mut days, mut timed) = (Vec::new(), Vec::new(), false);
        for item in text.split([' ', ',', ';', '\t']).filter(|item| !item.is_empty()) {
            if item.starts_with(|c: char| c.is_ascii_digit()) {
                let minute = parse_minute(item)?;
                let every: Vec<u32> = (0..7).collect();
                let on = if days.is_empty() { &every } else { &days };
                times.extend(on.iter().filter_map(|day| Some((weekday(*day)?, minute))));
                timed = true;
            } else {
                if timed {
                    days.clear();
                    timed = false;
                }
                parse_days(item, &mut days)?;
            }
        }
        if !timed {
            return Err("a time is missing; write \"mon-fri 08:30\"".into());
        }
        times.sort_by_key(|(day, minute)| (day.to_monday_zero_offset(), *minute));
        times.dedup();
        Ok(Self::At(times))
    }

    /// The first time after `now`. A time that the clock leaves out when it is put forward comes as
    /// much later; one that comes twice when it is put back counts once.
    pub(crate) fn next_after(&self, now: &Zoned) -> Option<Zoned> {
        let times = match self {
            Self::Every(pause) => {
                return now.checked_add(SignedDuration::try_from(*pause).ok()?).ok();
            }
            Self::At(times) => times,
        };
        // A week and a day, since what is left of today may hold none of them.
        (0..=7).find_map(|ahead: i32| {
            let date = now.date().checked_add(ahead.days()).ok()?;
            let today = times.iter().filter(|(day, _)| *day == date.weekday());
            let then = today.filter_map(|(_, minute)| {
                let time = date.at(0, 0, 0, 0).checked_add(minute.minutes()).ok()?;
                time.to_zoned(now.time_zone().clone()).ok()
            });
            then.filter(|then| then > now).min()
        })
    }
}

fn parse_minute(text: &str) -> Result<i64, String> {
    let read = || {
        let (hour, minute) = text.split_once(':')?;
        let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
        ((0..24).contains(&hour) && (0..60).contains(&minute)).then_some(hour * 60 + minute)
    };
    read().ok_or_else(|| format!("\"{text}\" is not a time; write 08:30"))
}

fn weekday(day: u32) -> Option<Weekday> {
    Weekday::from_monday_zero_offset(i8::try_from(day).ok()?).ok()
}

/// Registers what the prelude builds `schedule` from.
pub(crate) fn add(lua: &Lua, host: &Rc<Host>, functions: &Table) -> mlua::Result<()> {
    let scheduling = Rc::clone(host);
    functions.set(
        "schedule",
        lua.create_function(move |lua, (when, handler, more): (Value, Value, bool)| {
            let at = place(lua, 2);
            let added = schedule(&scheduling, &when, handler, more, at.clone().unwrap_or_default());
            Ok(added.err().map(|problem| placed(at, &format!("schedule: {problem}"))))
        })?,
    )
}

fn schedule(
    host: &Host,
    when: &Value,
    handler: Value,
    more: bool,
    at: Place,
) -> Result<(), String> {
    if !host.loading.get() {
        return Err("schedules can only be added while the scripts load".into());
    }
    let when = when_of(when)?;
    let Value::Function(handler) = handler else {
        return Err(format!("expected a function to run then, got {}", describe(&handler)));
    };
    if more {
        return Err("too many arguments".into());
    }
    let mut schedules = host.schedules.borrow_mut();
    if schedules.len() >= SCHEDULES_MAX {
        return Err(format!("there are {SCHEDULES_MAX} schedules already"));
    }
    schedules.push(Schedule { when, at, handler });
    Ok(())
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what is not expected is refused alike")]
fn when_of(when: &Value) -> Result<When, String> {
    let table = match when {
        Value::String(text) => return When::parse(&text.to_string_lossy()),
        Value::Table(table) => table,
        other => {
            return Err(format!(
                "expected times such as \"mon-fri 08:30\" or {{ every = 60 }}, got {}",
                describe(other)
            ));
        }
    };
    let mut every = None;
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair.map_err(|error| error.to_string())?;
        if key.as_string().is_none_or(|key| *key.as_bytes() != *b"every") {
            return Err("the only option is every; times are a text: \"mon-fri 08:30\"".into());
        }
        let seconds = match value {
            Value::Integer(seconds) => seconds as f64,
            Value::Number(seconds) => seconds,
            other => return Err(format!("every: expected seconds, got {}", describe(&other))),
        };
        if !(EVERY_MIN..=EVERY_MAX).contains(&seconds) {
            return Err(format!("every must be {EVERY_MIN} to {EVERY_MAX} seconds, not {seconds}"));
        }
        every = Some(Duration::from_secs_f64(seconds));
    }
    every.map(When::Every).ok_or_else(|| "every is missing: { every = 60 }".into())
}

/// Schedules of one generation.
const SCHEDULES_MAX: usize = 100;
/// Characters of a description of times.
const TEXT_MAX: usize = 500;
/// Seconds between two runs, at least,
const EVERY_MIN: f64 = 1.0;
/// and at most.
const EVERY_MAX: f64 = 7.0 * 86_400.0;

#[cfg(test)]
mod tests {
    use super::*;

    /// The times after `from`, one after the other, in Berlin.
    #[track_caller]
    fn check(when: &str, from: &str, times: &[&str]) {
        let when = When::parse(when).unwrap();
        let mut now: Zoned = format!("{from}[Europe/Berlin]").parse().unwrap();
        let mut met = Vec::new();
        for _ in times {
            now = when.next_after(&now).unwrap();
            met.push(now.strftime("%a %d %H:%M %:z").to_string());
        }
        assert_eq!(met, times);
    }

    #[test]
    fn times_come_in_order_on_their_days() {
        check(
            "mon-fri 17:00 08:30, sat 10:00",
            "2026-11-27T08:30",
            &["Fri 27 17:00 +01:00", "Sat 28 10:00 +01:00", "Mon 30 08:30 +01:00"],
        );
        check("00:00", "2026-11-27T00:00", &["Sat 28 00:00 +01:00", "Sun 29 00:00 +01:00"]);
        check("fri 08:30", "2026-11-27T08:30", &["Fri 04 08:30 +01:00"]);
        check("fri 08:30", "2026-11-27T08:29:59.5", &["Fri 27 08:30 +01:00"]);
    }

    #[test]
    fn the_clock_put_forward_or_back_costs_and_doubles_nothing() {
        check("02:30", "2026-03-28T12:00", &["Sun 29 03:30 +02:00", "Mon 30 02:30 +02:00"]);
        check("02:30", "2026-10-24T12:00", &["Sun 25 02:30 +02:00", "Mon 26 02:30 +01:00"]);
        check("08:00", "2026-03-28T12:00", &["Sun 29 08:00 +02:00"]);
    }

    #[test]
    fn times_that_are_none_are_told() {
        for (text, problem) in [
            ("", "a time is missing; write \"mon-fri 08:30\""),
            ("mon-fri", "a time is missing; write \"mon-fri 08:30\""),
            ("mon 8", "\"8\" is not a time; write 08:30"),
            ("24:00", "\"24:00\" is not a time; write 08:30"),
            ("08:30-09:00", "\"08:30-09:00\" is not a time; write 08:30"),
            ("mo 8:00", "\"mo\" is not a day; days are mon tue wed thu fri sat sun"),
        ] {
            assert_eq!(When::parse(text), Err(problem.to_owned()), "{text}");
        }
    }
}
