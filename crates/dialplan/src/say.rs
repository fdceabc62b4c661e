//! Speaking numbers, digits, letters, dates and times from recorded words.
//!
//! Each language has a grammar of its own, which turns a value into prompt names.

mod en;

use jiff::Zoned;
use jiff::civil::{Date, DateTime, Time};

/// What to speak.
#[derive(Debug, Clone, PartialEq)]
pub enum Spoken {
    /// A number, up to nine digits before the point.
    Number(f64),
    /// One digit after the other; `*`, `#` and `+` too.
    Digits(String),
    /// Letter by letter.
    Spell(String),
    /// A time of day.
    Time(Time),
    /// A day.
    Date(Date),
    /// When something happened, as far as needed: "today at noon", "yesterday at ...", "Friday at
    /// ..." within a week, and with the date before that.
    When {
        /// The moment, in the listener's time zone.
        at: DateTime,
        /// The day on which it is said, in the same time zone.
        today: Date,
    },
}

/// Languages that have a grammar, by the names of their folders.
pub(crate) fn languages() -> &'static [&'static str] {
    &["en"]
}

/// Largest number that can be said, on either side of zero.
pub(crate) const NUMBER_MAX: f64 = 999_999_999.0;
/// Most characters in one `say`.
const TEXT_MAX: usize = 100;

/// The prompts that say `what` in a language, in order, with the language folder; all of them are
/// in [`say_prompts`].
///
/// # Errors
/// In words: what cannot be said (a number beyond nine digits, a sign without a word, more than 100
/// characters), or that there is no grammar for the language.
pub fn say(what: &Spoken, language: &str) -> Result<Vec<String>, String> {
    if let Spoken::Digits(text) | Spoken::Spell(text) = what {
        if text.is_empty() {
            return Err("there is nothing to say".into());
        }
        if text.chars().count() > TEXT_MAX {
            return Err(format!("the text is longer than {TEXT_MAX} characters"));
        }
    }
    let words = match language {
        "en" => en::say(what)?,
        _ => return Err(format!("no grammar for language \"{language}\"; there is \"en\"")),
    };
    Ok(words.into_iter().map(|word| format!("{language}/{word}")).collect())
}

/// Every prompt that [`say`] may need in a language, with the language folder, or `None` when
/// there is no grammar for it.
pub fn say_prompts(language: &str) -> Option<Vec<String>> {
    let words = match language {
        "en" => en::words(),
        _ => return None,
    };
    Some(words.into_iter().map(|word| format!("{language}/{word}")).collect())
}

/// Reads a time of day written as `14:05`.
pub(crate) fn parse_time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

/// The moment `seconds` after 1970, in the time zone of `now`.
pub(crate) fn moment(seconds: f64, now: &Zoned) -> Option<Zoned> {
    let timestamp = jiff::Timestamp::from_second(seconds.floor() as i64).ok()?;
    seconds.is_finite().then(|| timestamp.to_zoned(now.time_zone().clone()))
}
