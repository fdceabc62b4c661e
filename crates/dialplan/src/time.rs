//! `time` for scripts: what time it is, and whether somebody is there.

use std::rc::Rc;

use jiff::civil::Weekday;
use jiff::{Timestamp, Zoned};
use mlua::{Lua, Table, Value};

use crate::host::{Host, place, placed};
use crate::say::moment;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_MINUTES: u32 = 24 * 60;
/// Characters of a description of hours, and of a date format.
const TEXT_MAX: usize = 500;

/// When somebody is there: minutes of the week, from Monday midnight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hours(Vec<std::ops::Range<u32>>);

impl Hours {
    /// Reads `mon-fri 08:30-12:00 13:00-17:30, sat 9-12`.
    ///
    /// Times belong to the days before them; days without times are open all day, times without
    /// days count every day. `22:00-06:00` ends on the next day.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > TEXT_MAX {
            return Err(format!("the hours are longer than {TEXT_MAX} bytes"));
        }
        let mut open = Vec::new();
        let mut days: Vec<u32> = Vec::new();
        let mut timed = false;
        for item in text.split([' ', ',', ';', '\t']).filter(|item| !item.is_empty()) {
            if item.starts_with(|c: char| c.is_ascii_digit()) {
                let (from, to) = parse_times(item)?;
                let every: Vec<u32> = (0..7).collect();
                for day in if days.is_empty() { &every } else { &days } {
                    let start = day * DAY_MINUTES;
                    open.push(start + from..start + if to > from { to } else { to + DAY_MINUTES });
                }
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
            if days.is_empty() {
                return Err("the hours are empty; write \"mon-fri 08:30-17:30\"".into());
            }
            open.extend(days.iter().map(|day| day * DAY_MINUTES..(day + 1) * DAY_MINUTES));
        }
        Ok(Self(open))
    }

    /// Whether `now` is within the hours.
    pub(crate) fn contains(&self, now: &Zoned) -> bool {
        let day = u32::try_from(now.weekday().to_monday_zero_offset()).unwrap_or_default();
        let minute =
            u32::from(now.hour().unsigned_abs()) * 60 + u32::from(now.minute().unsigned_abs());
        let minute = day * DAY_MINUTES + minute;
        // Sunday night may reach into Monday.
        let again = minute + 7 * DAY_MINUTES;
        self.0.iter().any(|open| open.contains(&minute) || open.contains(&again))
    }
}

pub(crate) fn parse_days(item: &str, days: &mut Vec<u32>) -> Result<(), String> {
    let day = |text: &str| {
        let lower = text.to_ascii_lowercase();
        DAYS.iter()
            .zip(0_u32..)
            .find(|(day, _)| lower.get(..3) == Some(day))
            .map(|(_, index)| index)
            .ok_or_else(|| format!("\"{text}\" is not a day; days are {}", DAYS.join(" ")))
    };
    let (from, to) = match item.split_once('-') {
        Some((from, to)) => (day(from)?, day(to)?),
        None => (day(item)?, day(item)?),
    };
    let mut current = from;
    loop {
        days.push(current);
        if current == to {
            return Ok(());
        }
        current = (current + 1) % 7;
    }
}

fn parse_times(item: &str) -> Result<(u32, u32), String> {
    let minute = |text: &str| {
        let (hour, minute) = text.split_once(':').unwrap_or((text, "0"));
        let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
        (minute < 60 && hour * 60 + minute <= DAY_MINUTES).then_some(hour * 60 + minute)
    };
    item.split_once('-')
        .and_then(|(from, to)| Some((minute(from)?, minute(to)?)))
        .ok_or_else(|| format!("\"{item}\" is not a span of time; write 08:30-17:30"))
}

/// Registers what the prelude builds `time` from.
pub(crate) fn add(lua: &Lua, host: &Rc<Host>, functions: &Table) -> mlua::Result<()> {
    let clock = Rc::clone(host);
    functions.set(
        "now",
        lua.create_function(move |_, _: mlua::MultiValue| {
            Ok(clock.now.borrow().timestamp().as_millisecond() as f64 / 1_000.0)
        })?,
    )?;
    let clock = Rc::clone(host);
    functions.set(
        "open",
        lua.create_function(move |lua, hours: Option<String>| {
            let hours = hours.unwrap_or_default();
            clock.meter.charge(hours.len() as u64 * 4);
            Ok(match Hours::parse(&hours) {
                Ok(hours) => (None, Some(hours.contains(&clock.now.borrow()))),
                Err(problem) => {
                    (Some(placed(place(lua, 2), &format!("time.open: {problem}"))), None)
                }
            })
        })?,
    )?;
    let clock = Rc::clone(host);
    functions.set(
        "date",
        lua.create_function(move |lua, (format, seconds): (Option<String>, Option<f64>)| {
            let format = format.unwrap_or_else(|| "%Y-%m-%d %H:%M:%S".into());
            let now = clock.now.borrow();
            Ok(match date(&format, seconds, &now) {
                Ok(text) => (None, Some(text)),
                Err(problem) => {
                    (Some(placed(place(lua, 2), &format!("time.date: {problem}"))), None)
                }
            })
        })?,
    )?;
    let clock = Rc::clone(host);
    functions.set(
        "time_field",
        lua.create_function(move |lua, key: Value| {
            let Value::String(key) = key else { return Ok(Value::Nil) };
            let now = clock.now.borrow();
            let number = |number: i16| Ok(Value::Integer(number.into()));
            match key.to_string_lossy().as_str() {
                "year" => number(now.year()),
                "month" => number(now.month().into()),
                "day" => number(now.day().into()),
                "hour" => number(now.hour().into()),
                "minute" => number(now.minute().into()),
                "second" => number(now.second().into()),
                "weekday" => lua.create_string(day_name(now.weekday())).map(Value::String),
                _ => Ok(Value::Nil),
            }
        })?,
    )
}

fn day_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "mon",
        Weekday::Tuesday => "tue",
        Weekday::Wednesday => "wed",
        Weekday::Thursday => "thu",
        Weekday::Friday => "fri",
        Weekday::Saturday => "sat",
        Weekday::Sunday => "sun",
    }
}

fn date(format: &str, seconds: Option<f64>, now: &Zoned) -> Result<String, String> {
    if format.len() > TEXT_MAX {
        return Err(format!("the format is longer than {TEXT_MAX} bytes"));
    }
    let then = match seconds {
        Some(seconds) => moment(seconds, now).ok_or("the time is out of range")?,
        None => now.clone(),
    };
    jiff::fmt::strtime::format(format, &then).map_err(|error| error.to_string())
}

/// A seed that differs from one generation to the next and follows from the time passed in.
pub(crate) fn seed(now: Timestamp) -> i64 {
    now.as_microsecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether `hours` are open at each of `times`, which are in November 2026; the 22nd is a Sunday.
    #[track_caller]
    fn check(hours: &str, times: &[(&str, bool)]) {
        let hours = Hours::parse(hours).unwrap();
        for (time, open) in times {
            let time: Zoned = format!("2026-11-{time}[UTC]").parse().unwrap();
            assert_eq!(hours.contains(&time), *open, "{time}");
        }
    }

    #[test]
    fn hours_are_open_from_the_first_minute_to_before_the_last() {
        check(
            "mon-fri 08:30-12:00 13-17:30, sat 9-12",
            &[
                ("23T08:29", false),
                ("23T08:30", true),
                ("23T12:00", false),
                ("27T17:29", true),
                ("28T11:00", true),
                ("28T13:30", false),
                ("22T10:00", false),
            ],
        );
    }

    #[test]
    fn nights_and_weeks_wrap_around() {
        check("sun 22:00-06:00", &[("22T23:00", true), ("23T05:59", true), ("23T06:00", false)]);
        check("fri-mon", &[("23T00:00", true), ("24T00:00", false), ("27T12:00", true)]);
        check("9-17", &[("22T12:00", true), ("22T08:59", false)]);
        check("sat 00:00-24:00", &[("28T23:59", true), ("29T00:00", false)]);
    }

    #[test]
    fn wrong_hours_are_told() {
        for (hours, expected) in
            [("", "empty"), ("mo 9-12", "not a day"), ("9-25", "span"), ("mon 9", "span")]
        {
            let problem = Hours::parse(hours).unwrap_err();
            assert!(problem.contains(expected), "{hours}: {problem}");
        }
    }
}
