//! Turns what a conversation wants heard into sounds that can be played.
//!
//! How a language says numbers, digits and times is known to [`dialplan::say`].

use std::sync::Arc;

use dialplan::Spoken;
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
                Heard::Number(number) => {
                    self.extend(&mut items, said(&Spoken::Number((*number).into()), self.language));
                }
                Heard::Digits(digits) => self.extend(&mut items, spelt(digits, self.language)),
                Heard::Received(at) => self.extend(&mut items, self.received(*at)),
            }
        }
        items
    }

    /// `names` are without the language folder.
    fn extend(&self, items: &mut Vec<PlayItem>, names: Vec<String>) {
        let names = names.into_iter().map(|name| format!("{}/{name}", self.language));
        items.extend(names.filter_map(|name| self.item(&name)));
    }

    fn item(&self, name: &str) -> Option<PlayItem> {
        self.prompts.find(name).map(|sound| PlayItem::Sound(Arc::clone(sound)))
    }

    /// "Received today at noon"; nothing for a date that cannot be told.
    fn received(&self, at: UnixMs) -> Vec<String> {
        let (Ok(at), Ok(now)) = (self.local(at), self.local(self.now)) else { return Vec::new() };
        let mut names = vec!["vm/received".to_owned()];
        names.extend(said(&Spoken::When { at: at.datetime(), today: now.date() }, self.language));
        names
    }

    fn local(&self, at: UnixMs) -> Result<Zoned, jiff::Error> {
        Ok(Timestamp::from_millisecond(at.0)?.to_zoned(self.time_zone.clone()))
    }
}

/// Every prompt that conversations in this language may play, for a check at start.
pub fn prompt_names(language: &str) -> Vec<String> {
    let vm = leave_message::PROMPTS.iter().chain(listen::PROMPTS).map(|name| format!("vm/{name}"));
    let words = dialplan::say_prompts(language).or_else(|| dialplan::say_prompts(BORROWED));
    let sorry = std::iter::once("main/sorry".to_owned());
    vm.chain(sorry)
        .chain(without_folder(words.unwrap_or_default()))
        .map(|name| format!("{language}/{name}"))
        .collect()
}

/// The prompts for `what`, without the language folder; nothing for what cannot be said.
fn said(what: &Spoken, language: &str) -> Vec<String> {
    let words = dialplan::say(what, language).or_else(|_| dialplan::say(what, BORROWED));
    without_folder(words.unwrap_or_default()).collect()
}

/// Sign by sign; those without a prompt are left out.
fn spelt(digits: &str, language: &str) -> Vec<String> {
    let signs = digits.chars().filter(|sign| !sign.is_whitespace());
    signs.flat_map(|sign| said(&Spoken::Spell(sign.into()), language)).collect()
}

fn without_folder(names: Vec<String>) -> impl Iterator<Item = String> {
    names.into_iter().filter_map(|name| Some(name.split_once('/')?.1.to_owned()))
}

/// A language without a grammar of its own says its own words in the order of this one.
const BORROWED: &str = "en";

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::time::Duration;

    use super::*;

    #[test]
    fn digits_are_said_one_by_one_and_letters_are_spelt() {
        let names = ["letters/plus", "digits/1", "digits/0", "letters/a", "digits/star"];
        assert_eq!(spelt("+1 0a\u{fc}*", "en"), names);
    }

    #[test]
    fn a_language_without_a_grammar_borrows_one() {
        assert_eq!(said(&Spoken::Number(42.0), "xx"), ["numbers/40", "numbers/2"]);
        assert!(prompt_names("xx").contains(&"xx/numbers/40".to_owned()));
    }

    #[test]
    fn today_is_the_offices_today() {
        let noon_utc = Timestamp::from_second(1_786_017_600).unwrap();
        let at = UnixMs(noon_utc.as_millisecond());
        let voice = |zone: &TimeZone| {
            let prompts = Prompts::default();
            let now = UnixMs(at.0 + 6 * 3_600_000);
            let voice = Voice { prompts: &prompts, language: "en", time_zone: zone, now };
            voice.received(at).get(1).cloned().unwrap()
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
