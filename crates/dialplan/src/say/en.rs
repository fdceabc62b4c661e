//! English: "one hundred and twenty-three", "two oh five pm", "Sunday November twenty-second".

use jiff::civil::{Date, Time, Weekday};

use super::{NUMBER_MAX, Spoken};

const DAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const SIGNS: [(char, &str); 7] = [
    ('@', "at"),
    ('.', "dot"),
    ('-', "dash"),
    ('+', "plus"),
    ('/', "slash"),
    ('_', "underscore"),
    (' ', "space"),
];

/// The words of the grammar, as prompt names without the language folder.
pub(super) fn words() -> Vec<String> {
    let numbers = (0..=20).chain((30..=90).step_by(10)).map(|n| format!("numbers/{n}"));
    let joints = ["hundred", "thousand", "million", "minus", "and", "point"]
        .map(|word| format!("numbers/{word}"));
    let digits = (0..=9).map(|n| format!("digits/{n}"));
    let keys = ["star", "pound"].map(|key| format!("digits/{key}"));
    let letters = ('a'..='z').map(|letter| format!("letters/{letter}"));
    let clock = ["oclock", "am", "pm", "oh", "noon", "midnight", "today", "yesterday", "at"];
    numbers
        .chain(joints)
        .chain(digits)
        .chain(keys)
        .chain(letters)
        .chain(SIGNS.map(|(_, word)| format!("letters/{word}")))
        .chain(clock.map(|word| format!("time/{word}")))
        .chain(DAYS.map(|day| format!("days/{day}")))
        .chain((1..=12).map(|month| format!("months/{month}")))
        .chain((1..=31).map(|day| format!("ordinals/{day}")))
        .collect()
}

pub(super) fn say(what: &Spoken) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    match what {
        Spoken::Number(number) => say_number(*number, &mut words)?,
        Spoken::Digits(text) => {
            for c in text.chars() {
                words.push(digit(c).ok_or_else(|| {
                    "digits are 0 to 9, * and #; for other signs use as=\"spell\"".to_owned()
                })?);
            }
        }
        Spoken::Spell(text) => {
            for c in text.chars() {
                words.push(letter(c).ok_or("only letters, digits and @ . - + / _ are spelled")?);
            }
        }
        Spoken::Time(time) => {
            say_hour(*time, &mut words);
            if time.minute() == 0 {
                words.push("time/oclock".into());
            }
            say_minute(*time, &mut words);
        }
        Spoken::Date(date) => say_date(*date, &mut words),
        Spoken::When { at, today } => {
            say_day(at.date(), *today, &mut words);
            words.push("time/at".into());
            match (at.hour(), at.minute()) {
                (0, 0) => words.push("time/midnight".into()),
                (12, 0) => words.push("time/noon".into()),
                _ => {
                    say_hour(at.time(), &mut words);
                    say_minute(at.time(), &mut words);
                }
            }
        }
    }
    Ok(words)
}

/// The hour on a clock of twelve.
fn say_hour(time: Time, words: &mut Vec<String>) {
    let hour = i64::from(time.hour()) % 12;
    say_whole(if hour == 0 { 12 } else { hour }, words);
}

/// The minute, if it is not the full hour, and which half of the day it is.
fn say_minute(time: Time, words: &mut Vec<String>) {
    if (1..10).contains(&time.minute()) {
        words.push("time/oh".into());
    }
    if time.minute() > 0 {
        say_whole(time.minute().into(), words);
    }
    words.push(if time.hour() < 12 { "time/am" } else { "time/pm" }.into());
}

/// The day, as seen from `today`. One that is still to come, after a clock was set back, is said in
/// full.
fn say_day(day: Date, today: Date, words: &mut Vec<String>) {
    match day.until(today).map_or(i32::MAX, |span| span.get_days()) {
        0 => words.push("time/today".into()),
        1 => words.push("time/yesterday".into()),
        2..=6 => words.push(weekday(day)),
        _ => say_date(day, words),
    }
}

fn say_date(date: Date, words: &mut Vec<String>) {
    words.push(weekday(date));
    words.push(format!("months/{}", date.month()));
    words.push(format!("ordinals/{}", date.day()));
}

fn weekday(date: Date) -> String {
    let day = match date.weekday() {
        Weekday::Monday => "monday",
        Weekday::Tuesday => "tuesday",
        Weekday::Wednesday => "wednesday",
        Weekday::Thursday => "thursday",
        Weekday::Friday => "friday",
        Weekday::Saturday => "saturday",
        Weekday::Sunday => "sunday",
    };
    format!("days/{day}")
}

fn digit(c: char) -> Option<String> {
    match c {
        '0'..='9' => Some(format!("digits/{c}")),
        '*' => Some("digits/star".into()),
        '#' => Some("digits/pound".into()),
        '+' => Some("letters/plus".into()),
        _ => None,
    }
}

fn letter(c: char) -> Option<String> {
    let lower = c.to_ascii_lowercase();
    if lower.is_ascii_lowercase() {
        return Some(format!("letters/{lower}"));
    }
    SIGNS
        .iter()
        .find(|(sign, _)| *sign == c)
        .map(|(_, word)| format!("letters/{word}"))
        .or_else(|| digit(c))
}

fn say_number(number: f64, words: &mut Vec<String>) -> Result<(), String> {
    if number.is_nan() || number.abs() > NUMBER_MAX {
        return Err("numbers from -999999999 to 999999999 can be said".into());
    }
    // Three places are as many as anybody can follow by ear.
    let text = format!("{:.3}", number.abs());
    let (whole, places) = text.split_once('.').unwrap_or((&text, ""));
    let places = places.trim_end_matches('0');
    let whole: i64 = whole.parse().unwrap_or_default();
    if number < 0.0 && (whole > 0 || !places.is_empty()) {
        words.push("numbers/minus".into());
    }
    say_whole(whole, words);
    if !places.is_empty() {
        words.push("numbers/point".into());
        words.extend(places.chars().map(|place| format!("numbers/{place}")));
    }
    Ok(())
}

/// Says 0 to 999,999,999.
fn say_whole(number: i64, words: &mut Vec<String>) {
    if number == 0 {
        words.push("numbers/0".into());
        return;
    }
    for (unit, name) in [(1_000_000, "million"), (1_000, "thousand")] {
        let count = number / unit % 1_000;
        if count > 0 {
            say_hundreds(count, words);
            words.push(format!("numbers/{name}"));
        }
    }
    let rest = number % 1_000;
    if number > 1_000 && (1..100).contains(&rest) {
        words.push("numbers/and".into());
    }
    say_hundreds(rest, words);
}

/// Says 1 to 999; nothing for 0.
fn say_hundreds(number: i64, words: &mut Vec<String>) {
    let (hundreds, rest) = (number / 100, number % 100);
    if hundreds > 0 {
        words.push(format!("numbers/{hundreds}"));
        words.push("numbers/hundred".into());
        if rest > 0 {
            words.push("numbers/and".into());
        }
    }
    match rest {
        0 => {}
        1..=20 => words.push(format!("numbers/{rest}")),
        _ => {
            words.push(format!("numbers/{}", rest / 10 * 10));
            if rest % 10 > 0 {
                words.push(format!("numbers/{}", rest % 10));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::ToSpan;
    use jiff::civil::{date, time};
    use proptest::prelude::*;

    use super::*;

    /// What is heard, with the folders left out.
    fn heard(what: Spoken) -> String {
        let words = say(&what).unwrap();
        words.iter().map(|word| word.split_once('/').unwrap().1).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn numbers_are_said_as_people_say_them() {
        for (number, words) in [
            (0.0, "0"),
            (7.0, "7"),
            (20.0, "20"),
            (42.0, "40 2"),
            (100.0, "1 hundred"),
            (123.0, "1 hundred and 20 3"),
            (1000.0, "1 thousand"),
            (1005.0, "1 thousand and 5"),
            (12_345.0, "12 thousand 3 hundred and 40 5"),
            (1_215.0, "1 thousand 2 hundred and 15"),
            (120_000.0, "1 hundred and 20 thousand"),
            (1_000_001.0, "1 million and 1"),
            (30_000_001.0, "30 million and 1"),
            (-3.0, "minus 3"),
            (2.5, "2 point 5"),
            (-0.25, "minus 0 point 2 5"),
            (-0.0, "0"),
        ] {
            assert_eq!(heard(Spoken::Number(number)), words);
        }
    }

    #[test]
    fn times_dates_digits_and_letters_are_said_as_people_say_them() {
        for (hour, minute, words) in [
            (14, 5, "2 oh 5 pm"),
            (0, 30, "12 30 am"),
            (12, 0, "12 oclock pm"),
            (9, 47, "9 40 7 am"),
        ] {
            assert_eq!(heard(Spoken::Time(time(hour, minute, 0, 0))), words);
        }
        assert_eq!(heard(Spoken::Date(date(2026, 11, 22))), "sunday 11 22");
        assert_eq!(heard(Spoken::Digits("10*#".into())), "1 0 star pound");
        assert_eq!(heard(Spoken::Spell("Al-1@b.c".into())), "a l dash 1 at b dot c");
        assert!(say(&Spoken::Digits("1a".into())).is_err());
        assert!(say(&Spoken::Spell("ü".into())).is_err());
    }

    #[test]
    fn a_day_is_named_as_far_as_needed() {
        // Said on Thursday, 6 August 2026.
        for (at, words) in [
            ("2026-08-06T12:00", "today at noon"),
            ("2026-08-05T16:05", "yesterday at 4 oh 5 pm"),
            ("2026-08-03T00:30", "monday at 12 30 am"),
            ("2025-12-31T09:00", "wednesday 12 31 at 9 am"),
            // A clock that was set back must not break anything.
            ("2026-08-07T00:00", "friday 8 7 at midnight"),
        ] {
            let at = at.parse().unwrap();
            assert_eq!(heard(Spoken::When { at, today: date(2026, 8, 6) }), words);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_said_is_in_the_list_of_words(
            number in -1e9..1e9_f64, text in "[a-zA-Z0-9*#+@._ /-]{1,20}",
            minute in 0_i8..60, hour in 0_i8..24, days_ago in -9..400_i32,
        ) {
            let today = date(2026, 8, 6);
            let then = today.checked_sub(days_ago.days()).unwrap();
            let known: BTreeSet<_> = words().into_iter().collect();
            let spoken = [
                Spoken::Number(number), Spoken::Number(number.round()),
                Spoken::Spell(text), Spoken::Time(time(hour, minute, 0, 0)),
                Spoken::When { at: then.at(hour, minute, 0, 0), today },
            ];
            for word in spoken.iter().filter_map(|what| say(what).ok()).flatten() {
                prop_assert!(known.contains(&word), "{word}");
            }
        }
    }
}
