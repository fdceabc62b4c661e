//! What happened, drawn as a person would: one column for each party with the exchange in its place,
//! time down the page, arrows for messages, words for sound.

mod draw;
mod label;
mod news;
mod rows;

use std::time::Duration;

use crate::{Happening, Heard, Office, PartyId};

impl Office {
    /// What happened so far, as a ladder of at most 100 columns.
    ///
    /// What nobody would draw is left out: registrations that went well, 100, challenges, replies that
    /// only confirm. Repeats and losses are there. Many parties at once become plain lines instead.
    pub fn ladder(&self) -> String {
        draw::draw(self, &rows::rows(self))
    }

    /// What happened since there were so many [happenings](Self::happenings), for whoever shows a
    /// ladder as it grows; of these, what `is_shown`.
    ///
    /// The columns are those of the whole ladder.
    pub fn ladder_since(
        &self,
        happenings: usize,
        is_shown: impl Fn(&Happening) -> bool,
    ) -> LadderPart {
        let (rows, first) = rows::rows_since(self, happenings, is_shown);
        let (heads, lines) = draw::draw_since(self, &rows, first);
        LadderPart { heads, lines }
    }

    /// What somebody hears, in a word or two: `closed` for the prompt `en/closed`.
    pub fn words_for(&self, heard: &Heard) -> String {
        let name = |id: &PartyId| match self.party(*id) {
            Some(party) => party.name().to_owned(),
            None => "somebody".to_owned(),
        };
        match heard {
            Heard::Prompt(prompt) => self.short_name(prompt).to_owned(),
            Heard::Tone(tone) => tone.to_string(),
            Heard::Silence => "silence".to_owned(),
            Heard::Party(id) => name(id),
            Heard::Itself => "itself".to_owned(),
            Heard::Recording(Some(id)) => format!("a recording of {}", name(id)),
            Heard::Recording(None) => "a silent recording".to_owned(),
            Heard::Speech(text) => format!("\"{text}\""),
            Heard::Key(key) => format!("key {key}"),
            Heard::Ringing => "ringing".to_owned(),
        }
    }

    /// A prompt's name as scripts write it: without the folder of the office's language.
    pub fn short_name<'a>(&self, prompt: &'a str) -> &'a str {
        let in_language = prompt.strip_prefix(self.config().language.as_str());
        in_language.and_then(|rest| rest.strip_prefix('/')).unwrap_or(prompt)
    }

    /// Whether a prompt's full name is what a script would write like this.
    pub fn is_prompt(&self, prompt: &str, written: &str) -> bool {
        prompt == written || self.short_name(prompt) == written
    }
}

/// A part of a ladder; every line ends with a line feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LadderPart {
    /// The line that names the columns; empty if there are too many for that.
    pub heads: String,
    /// What happened.
    pub lines: String,
}

/// A time since the beginning: `4.250`, `1:04.250`, `2:01:04.250`.
fn clock(time: Duration) -> String {
    let (seconds, ms) = (time.as_secs(), time.subsec_millis());
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}.{ms:03}"),
        (0, _) => format!("{minutes}:{:02}.{ms:03}", seconds % 60),
        (_, _) => format!("{hours}:{:02}:{:02}.{ms:03}", minutes % 60, seconds % 60),
    }
}

/// A length in words: `4 s`, `0.4 s`, `120 ms`.
fn length(time: Duration) -> String {
    let ms = time.as_millis();
    if ms < 200 {
        format!("{ms} ms")
    } else if ms.is_multiple_of(1_000) {
        format!("{} s", ms / 1_000)
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}
