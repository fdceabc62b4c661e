//! Turns what a conversation wants heard into sounds that can be played.
//!
//! English grammar for numbers, digits and times; another language can be added beside it when its
//! prompts are.

use std::sync::Arc;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use media::{PlayItem, Sound};

use super::conversation::Heard;
use super::{leave_message, listen};
use crate::Prompts;
use crate::records::UnixMs;

/// Who speaks, where and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Voice<'a> {
    /// The sounds there are.
    pub(crate) prompts: &'a Prompts,
    /// Language folder of prompts.
    pub(crate) language: &'a str,
    /// The office's time zone.
    pub(crate) time_zone: &'a TimeZone,
    /// Now, to tell today from yesterday.
    pub(crate) now: UnixMs,
}

impl Voice<'_> {
    /// Everything of `heard`, in order. A prompt that does not exist is left out: the rest is still
    /// worth hearing, and start-up has complained about it ([`prompt_names`]).
    pub(crate) fn items(&self, heard: &[Heard]) -> Vec<PlayItem> {
        let mut items = Vec::new();
        for one in heard {
            match one {
                Heard::Prompt(name) => items.extend(self.item(name)),
                Heard::Silence(length) => items.push(PlayItem::Silence(*length)),
                Heard::Samples(samples) => {
                    let sound = Sound::from_pcm(samples.as_ref().clone());
                    items.push(PlayItem::Sound(Arc::new(sound)));
                }
                Heard::Number(number) => self.extend(&mut items, number_names(*number)),
                Heard::Digits(digits) => self.extend(&mut items, digit_names(digits)),
                Heard::Received(at) => self.extend(&mut items, self.received_names(*at)),
            }
        }
        items
    }

    fn extend(&self, items: &mut Vec<PlayItem>, names: Vec<String>) {
        let names = names.into_iter().map(|name| format!("{}/{name}", self.language));
        items.extend(names.filter_map(|name| self.item(&name)));
    }

    fn item(&self, name: &str) -> Option<PlayItem> {
        self.prompts.find(name).map(|sound| PlayItem::Sound(Arc::clone(sound)))
    }

    /// "Received today at noon", or without a date that cannot be told.
    fn received_names(&self, at: UnixMs) -> Vec<String> {
        let local = |at: UnixMs| {
            Timestamp::from_millisecond(at.0).map(|time| time.to_zoned(self.time_zone.clone()))
        };
        match (local(at), local(self.now)) {
            (Ok(at), Ok(now)) => received_names(&at, &now),
            (Err(_), _) | (_, Err(_)) => Vec::new(),
        }
    }
}

/// Every prompt that conversations in this language may play, for a check at start.
pub fn prompt_names(language: &str) -> Vec<String> {
    let vm = leave_message::PROMPTS.iter().chain(listen::PROMPTS).map(|name| format!("vm/{name}"));
    let counted = |folder: &'static str, range: std::ops::RangeInclusive<u32>| {
        range.map(move |number| format!("{folder}/{number}"))
    };
    let clock = ["today", "yesterday", "at", "oh", "am", "pm", "noon", "midnight"];
    vm.chain(counted("digits", 0..=9))
        .chain(counted("numbers", 0..=20))
        .chain((30..=90).step_by(10).map(|number: u32| format!("numbers/{number}")))
        .chain(["hundred", "thousand", "million"].map(|name| format!("numbers/{name}")))
        .chain(counted("ordinals", 1..=31))
        .chain(counted("months", 1..=12))
        .chain(WEEKDAYS.map(|(_, name)| format!("days/{name}")))
        .chain(clock.map(|name| format!("time/{name}")))
        .map(|name| format!("{language}/{name}"))
        .collect()
}

/// "One thousand two hundred forty-two".
fn number_names(number: u32) -> Vec<String> {
    let mut names = Vec::new();
    let scales = [(1_000_000, "million"), (1_000, "thousand"), (100, "hundred")];
    let mut rest = number;
    for (scale, word) in scales {
        if rest >= scale {
            names.extend(number_names(rest / scale));
            names.push(format!("numbers/{word}"));
            rest %= scale;
        }
    }
    if rest > 20 {
        names.push(format!("numbers/{}", rest - rest % 10));
        rest %= 10;
    }
    if rest > 0 || number == 0 {
        names.push(format!("numbers/{rest}"));
    }
    names
}

/// One name for each character that has a prompt.
fn digit_names(digits: &str) -> Vec<String> {
    let name = |sign: char| {
        let name = match sign {
            '0'..='9' => return Some(format!("digits/{sign}")),
            'a'..='z' | 'A'..='Z' => return Some(format!("letters/{}", sign.to_ascii_lowercase())),
            '*' => "digits/star",
            '#' => "digits/pound",
            '+' => "letters/plus",
            '-' => "letters/dash",
            '.' => "letters/dot",
            '@' => "letters/at",
            '_' => "letters/underscore",
            _ => return None,
        };
        Some(name.to_owned())
    };
    digits.chars().filter_map(name).collect()
}

/// "Received today at ...", "... yesterday at ...", "... Friday at ..." within a week, and with the
/// date before that.
fn received_names(at: &Zoned, now: &Zoned) -> Vec<String> {
    let mut names = vec!["vm/received".to_owned()];
    let days = at.date().until(now.date()).map(|span| span.get_days()).unwrap_or(i32::MAX);
    let weekday = || weekday_name(at.weekday());
    match days {
        0 => names.push("time/today".into()),
        1 => names.push("time/yesterday".into()),
        2..=6 => names.push(weekday()),
        _ => {
            names.push(weekday());
            names.push(format!("months/{}", at.month()));
            names.push(format!("ordinals/{}", at.day()));
        }
    }
    names.push("time/at".into());
    names.extend(time_names(at.time()));
    names
}

/// "Four oh five P.M."
fn time_names(time: Time) -> Vec<String> {
    match (time.hour(), time.minute()) {
        (0, 0) => vec!["time/midnight".into()],
        (12, 0) => vec!["time/noon".into()],
        (hour, minute) => {
            let half = if hour < 12 { "time/am" } else { "time/pm" };
            let clock_hour = if hour % 12 == 0 { 12 } else { hour.unsigned_abs() % 12 };
            let mut names = number_names(clock_hour.into());
            if (1..10).contains(&minute) {
                names.push("time/oh".into());
            }
            if minute > 0 {
                names.extend(number_names(minute.unsigned_abs().into()));
            }
            names.push(half.into());
            names
        }
    }
}

fn weekday_name(weekday: Weekday) -> String {
    let found = WEEKDAYS.iter().find(|(day, _)| *day == weekday);
    format!("days/{}", found.map_or("", |(_, name)| name))
}

const WEEKDAYS: [(Weekday, &str); 7] = [
    (Weekday::Monday, "monday"),
    (Weekday::Tuesday, "tuesday"),
    (Weekday::Wednesday, "wednesday"),
    (Weekday::Thursday, "thursday"),
    (Weekday::Friday, "friday"),
    (Weekday::Saturday, "saturday"),
    (Weekday::Sunday, "sunday"),
];

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::time::Duration;

    use super::*;

    #[test]
    fn numbers_are_said_as_people_say_them() {
        let say = |number| number_names(number).join(" ").replace("numbers/", "");
        assert_eq!(say(0), "0");
        assert_eq!(say(20), "20");
        assert_eq!(say(42), "40 2");
        assert_eq!(say(100), "1 hundred");
        assert_eq!(say(1_215), "1 thousand 2 hundred 15");
        assert_eq!(say(30_000_001), "30 million 1");
        assert_eq!(say(120_000), "1 hundred 20 thousand");
    }

    #[test]
    fn digits_are_said_one_by_one_and_letters_are_spelt() {
        assert_eq!(
            digit_names("+1 0a*"),
            ["letters/plus", "digits/1", "digits/0", "letters/a", "digits/star"]
        );
    }

    #[test]
    fn a_day_is_named_as_far_as_needed() {
        // Thursday, 6 August 2026, 17:00.
        let say = |at: &str| {
            let now: Zoned = "2026-08-06T17:00[Asia/Bangkok]".parse().unwrap();
            let at: Zoned = format!("{at}[Asia/Bangkok]").parse().unwrap();
            received_names(&at, &now).join(" ")
        };
        assert_eq!(say("2026-08-06T12:00"), "vm/received time/today time/at time/noon");
        assert_eq!(
            say("2026-08-05T16:05"),
            "vm/received time/yesterday time/at numbers/4 time/oh numbers/5 time/pm"
        );
        assert_eq!(
            say("2026-08-03T00:30"),
            "vm/received days/monday time/at numbers/12 numbers/30 time/am"
        );
        assert_eq!(
            say("2025-12-31T09:00"),
            "vm/received days/wednesday months/12 ordinals/31 time/at numbers/9 time/am"
        );
        // A clock that was set back must not break anything.
        assert_eq!(
            say("2026-08-07T00:00"),
            "vm/received days/friday months/8 ordinals/7 time/at time/midnight"
        );
    }

    #[test]
    fn today_is_the_offices_today() {
        let noon_utc = Timestamp::from_second(1_786_017_600).unwrap();
        let at = UnixMs(noon_utc.as_millisecond());
        let voice = |zone: &TimeZone| {
            let prompts = Prompts::default();
            let now = UnixMs(at.0 + 6 * 3_600_000);
            let voice = Voice { prompts: &prompts, language: "en", time_zone: zone, now };
            voice.received_names(at).get(1).cloned().unwrap()
        };
        assert_eq!(voice(&TimeZone::UTC), "time/today");
        assert_eq!(voice(&TimeZone::get("Asia/Bangkok").unwrap()), "time/yesterday");
    }

    #[test]
    fn missing_prompts_are_left_out_and_the_rest_is_played() {
        let sound = Arc::new(Sound::from_pcm(vec![1; 80]));
        let prompts = Prompts::new(BTreeMap::from([("en/digits/1".to_owned(), sound)]));
        let voice = Voice {
            prompts: &prompts,
            language: "en",
            time_zone: &TimeZone::UTC,
            now: UnixMs::default(),
        };
        let items = voice.items(&[
            Heard::Prompt("en/vm/goodbye".into()),
            Heard::Digits("21".into()),
            Heard::Silence(Duration::from_secs(1)),
            Heard::Samples(Arc::new(vec![5; 8])),
        ]);
        assert_eq!(items.len(), 3);
        assert!(matches!(items[0], PlayItem::Sound(_)));
        assert!(matches!(items[1], PlayItem::Silence(_)));
        assert!(matches!(items[2], PlayItem::Sound(_)));
    }

    #[test]
    fn everything_a_conversation_says_is_in_the_list_of_texts() {
        let texts: BTreeSet<String> = include_str!("../../../../prompts/en.tsv")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once('\t'))
            .map(|(name, _)| format!("en/{name}"))
            .collect();
        let missing: Vec<_> =
            prompt_names("en").into_iter().filter(|name| !texts.contains(name)).collect();
        assert_eq!(missing, Vec::<String>::new());
    }
}
