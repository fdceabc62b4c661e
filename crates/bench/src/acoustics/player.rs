//! One playback, as a calculation: what is heard at a moment, when that changes, when it is over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use media::{Flag, JobId, PlayItem, Playlist};

use super::voice::Texts;
use super::{samples_to_time, time_to_samples};
use crate::Sounds;
use crate::heard::{Heard, tone_name};

/// One playback.
#[derive(Debug)]
pub(super) struct Player {
    pub(super) job: JobId,
    pub(super) barge: Flag,
    repeat: Flag,
    items: Vec<Item>,
    /// All items together, in samples; `u64::MAX` for ever.
    total: u64,
    /// Samples of the first item that are left out.
    from: u64,
    begun: Option<Begun>,
}

#[derive(Debug)]
struct Item {
    heard: Heard,
    samples: u64,
}

#[derive(Debug, Clone, Copy)]
struct Begun {
    at: Instant,
    frame: Duration,
}

impl Player {
    pub(super) fn new(
        job: JobId,
        playlist: &Playlist,
        sounds: &[Arc<Sounds>],
        texts: &Texts,
    ) -> Self {
        let items: Vec<Item> =
            playlist.items.iter().map(|item| Item::new(item, sounds, texts)).collect();
        let total = items.iter().fold(0_u64, |sum, item| sum.saturating_add(item.samples));
        let first = items.first().map_or(0, |item| item.samples);
        Self {
            job,
            barge: playlist.barge,
            repeat: playlist.repeat,
            items,
            total,
            from: time_to_samples(playlist.from).min(first),
            begun: None,
        }
    }

    /// Its first frame leaves then; later ones follow at this distance.
    pub(super) fn begin(&mut self, at: Instant, frame: Duration) {
        self.begun.get_or_insert(Begun { at, frame });
    }

    pub(super) fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    /// What is heard now.
    pub(super) fn heard(&self, now: Instant) -> Option<&Heard> {
        self.item_at(self.position_at(now)?).map(|(item, _)| &item.heard)
    }

    /// Since when that is heard: a prompt that follows itself begins anew. One that repeats without
    /// end is one.
    pub(super) fn heard_since(&self, now: Instant) -> Option<Instant> {
        let begun = self.begun?;
        if self.items.len() == 1 {
            return Some(begun.at);
        }
        let (item, end) = self.item_at(self.position_at(now)?)?;
        let start = end.saturating_sub(item.samples).saturating_sub(self.from);
        Some(begun.at + samples_to_time(start))
    }

    /// When something else is heard, or nothing any more.
    pub(super) fn next_change(&self, now: Instant) -> Option<Instant> {
        let begun = self.begun?;
        if now < begun.at {
            return Some(begun.at);
        }
        if self.items.len() == 1 && self.repeat == Flag::On && self.total > 0 {
            return None;
        }
        let Some((_, until)) = self.item_at(self.position_at(now)?) else { return self.ends_at() };
        if until == u64::MAX {
            return None;
        }
        // A list of the shortest sounds, over and over, is not followed through each of them.
        let at = begun.at + samples_to_time(until - self.from);
        Some(at.max(now + STEP_MIN))
    }

    /// When it is over by itself; `None` if never, or if it has not begun.
    pub(super) fn ends_at(&self) -> Option<Instant> {
        let begun = self.begun?;
        if self.total == u64::MAX || (self.repeat == Flag::On && self.total > 0) {
            return None;
        }
        let frames = (self.total - self.from).div_ceil(self.frame_samples());
        Some(begun.at + begun.frame * u32::try_from(frames).ok()?)
    }

    /// How much of it left by now: whole frames, as they are sent.
    pub(super) fn heard_for(&self, now: Instant) -> Duration {
        let Some(frame) = self.frame_at(now) else { return Duration::ZERO };
        let sent = (frame + 1).saturating_mul(self.frame_samples());
        let there_is = match self.repeat {
            Flag::On if self.total > 0 => u64::MAX,
            Flag::On | Flag::Off => self.total - self.from,
        };
        samples_to_time(sent.min(there_is))
    }

    /// The number of the frame sent last; `None` before the first.
    fn frame_at(&self, now: Instant) -> Option<u64> {
        let begun = self.begun?;
        let since = now.checked_duration_since(begun.at)?;
        u64::try_from(since.as_micros() / begun.frame.as_micros().max(1)).ok()
    }

    /// How far it has come, in samples; lists that repeat go on counting.
    fn position_at(&self, now: Instant) -> Option<u64> {
        let since = now.checked_duration_since(self.begun?.at)?;
        Some(self.from.saturating_add(time_to_samples(since)))
    }

    fn frame_samples(&self) -> u64 {
        self.begun.map_or(160, |begun| time_to_samples(begun.frame).max(1))
    }

    /// The item at a position, and up to which position it goes; positions go on when a list repeats.
    fn item_at(&self, position: u64) -> Option<(&Item, u64)> {
        let round = match self.repeat {
            Flag::On if self.total > 0 => position - position % self.total,
            Flag::On | Flag::Off => 0,
        };
        let mut end = round;
        for item in &self.items {
            end = end.saturating_add(item.samples);
            if position < end {
                return Some((item, end));
            }
        }
        None
    }
}

impl Item {
    fn new(item: &PlayItem, sounds: &[Arc<Sounds>], texts: &Texts) -> Self {
        match item {
            PlayItem::Sound(sound) => {
                let known = sounds.iter().find_map(|known| known.find(sound));
                let (name, length) = match known {
                    Some((name, length)) => (Some(name), length),
                    None => (None, sound.length()),
                };
                let heard = match name {
                    Some(name) => Heard::Prompt(name),
                    None => texts.heard(sound.pcm()),
                };
                Self { heard, samples: time_to_samples(length) }
            }
            PlayItem::Tone(spec) => Self {
                heard: Heard::Tone(tone_name(spec)),
                samples: spec.length.map_or(u64::MAX, time_to_samples),
            },
            PlayItem::Silence(length) => {
                Self { heard: Heard::Silence, samples: time_to_samples(*length) }
            }
        }
    }
}

/// Changes are not followed at a faster pace.
const STEP_MIN: Duration = Duration::from_millis(5);
