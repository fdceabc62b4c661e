//! Plays a list of sounds, frame by frame. Knows nothing of time: whoever asks for a frame paces it.

use std::sync::Arc;
use std::time::Duration;

use crate::codec::g711::Law;
use crate::graph::tone::Tone;
use crate::sound::{samples_to_time, time_to_samples};
use crate::{Flag, JobId, PlayItem, Playlist, Sound};

#[cfg(test)]
mod tests;

/// One playback.
#[derive(Debug)]
pub(crate) struct Player {
    job: JobId,
    items: Vec<Item>,
    repeat: Flag,
    barge: Flag,
    /// Factor for each sample; `None` to play the shared encoding as it is.
    gain: Option<f32>,
    /// Where in `items`, and in samples from that item's start.
    item: usize,
    position: u64,
    heard: u64,
}

#[derive(Debug)]
enum Item {
    Sound(Arc<Sound>),
    Tone(Tone),
    Silence { samples: u64 },
}

impl Player {
    pub(crate) fn new(job: JobId, playlist: Playlist) -> Self {
        let items: Vec<Item> = playlist.items.into_iter().map(Item::new).collect();
        let from = time_to_samples(playlist.from);
        let position = match items.first() {
            // Its length is not known yet; beyond its end, it is passed over once it is.
            Some(first) if first.is_pending() => from,
            Some(first) => from.min(first.length()),
            None => 0,
        };
        let gain_db = if playlist.gain_db.is_finite() { playlist.gain_db } else { 0.0 };
        Self {
            job,
            position,
            repeat: playlist.repeat,
            items,
            barge: playlist.barge,
            gain: (gain_db != 0.0).then(|| 10_f32.powf(gain_db.clamp(-60.0, 12.0) / 20.0)),
            item: 0,
            heard: 0,
        }
    }

    pub(crate) fn job(&self) -> JobId {
        self.job
    }

    /// Whether a digit stops it.
    pub(crate) fn barge(&self) -> Flag {
        self.barge
    }

    /// How much was taken out so far.
    pub(crate) fn heard(&self) -> Duration {
        samples_to_time(self.heard)
    }

    /// Appends the next `samples`, or fewer at the end of the list; says how many. Usually one copy
    /// from the sound's shared encoding.
    pub(crate) fn fill(&mut self, law: Law, samples: usize, out: &mut Vec<u8>) -> usize {
        self.advance(samples, |item, position, count, gain| {
            item.append(law, position, count, gain, out);
        })
    }

    /// Passes over the next `samples`, as if they were played; says how many there were.
    pub(crate) fn skip(&mut self, samples: usize) -> usize {
        self.advance(samples, |_, _, _, _| {})
    }

    fn advance(
        &mut self,
        samples: usize,
        mut take: impl FnMut(&Item, u64, usize, Option<f32>),
    ) -> usize {
        let mut taken = 0;
        while taken < samples {
            let Some(item) = self.items.get(self.item) else {
                // A list without any sound would begin again for ever.
                let sounds = |item: &Item| item.is_pending() || item.length() > 0;
                match self.repeat {
                    Flag::On if self.items.iter().any(sounds) => {
                        (self.item, self.position) = (0, 0);
                        continue;
                    }
                    Flag::On | Flag::Off => break,
                }
            };
            if item.is_pending() {
                let count = samples - taken;
                take(&Item::Silence { samples: 0 }, 0, count, None);
                taken += count;
                break;
            }
            let left = item.length().saturating_sub(self.position);
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(samples - taken);
            if count > 0 {
                take(item, self.position, count, self.gain);
            }
            taken += count;
            self.position = self.position.saturating_add(count as u64);
            if self.position >= item.length() {
                self.item += 1;
                self.position = 0;
            }
        }
        self.heard += taken as u64;
        taken
    }
}

impl Item {
    fn new(item: PlayItem) -> Self {
        match item {
            PlayItem::Sound(sound) => Item::Sound(sound),
            PlayItem::Tone(spec) => Item::Tone(Tone::new(&spec)),
            PlayItem::Silence(time) => Item::Silence { samples: time_to_samples(time) },
        }
    }

    /// Whether it is a sound whose samples are not there yet.
    fn is_pending(&self) -> bool {
        matches!(self, Item::Sound(sound) if sound.is_pending())
    }

    /// In samples.
    fn length(&self) -> u64 {
        match self {
            Item::Sound(sound) => sound.pcm().len() as u64,
            Item::Tone(tone) => tone.length(),
            Item::Silence { samples } => *samples,
        }
    }

    fn append(&self, law: Law, position: u64, count: usize, gain: Option<f32>, out: &mut Vec<u8>) {
        match self {
            Item::Sound(sound) => {
                let from = usize::try_from(position).unwrap_or(usize::MAX);
                let range = from..from.saturating_add(count);
                match gain {
                    None => {
                        let encoded = sound.encoded_by(law).get(range);
                        out.extend_from_slice(encoded.unwrap_or_default());
                    }
                    Some(gain) => {
                        let samples = sound.pcm().get(range).unwrap_or_default();
                        out.extend(samples.iter().map(|&sample| law.encode(scale(sample, gain))));
                    }
                }
            }
            Item::Tone(tone) => {
                let mut frame = [0; FRAME_MAX];
                let mut position = position;
                let mut left = count;
                while left > 0 {
                    let (part, _) = frame.split_at_mut(left.min(FRAME_MAX));
                    tone.fill(position, part);
                    let gain = gain.unwrap_or(1.0);
                    out.extend(part.iter().map(|&sample| law.encode(scale(sample, gain))));
                    position += part.len() as u64;
                    left -= part.len();
                }
            }
            Item::Silence { .. } => out.resize(out.len() + count, law.silence()),
        }
    }
}

/// Loud moments saturate, since wrapping around would click; `as` does.
fn scale(sample: i16, gain: f32) -> i16 {
    (f32::from(sample) * gain) as i16
}

/// Tones are made in pieces of this many samples.
const FRAME_MAX: usize = 480;
