//! From what scripts and features name to what the media thread plays.

use dialplan::Sound;
use media::{PlayItem, ToneSpec};

use crate::desk::Desk;

/// The sounds in order. A prompt that is gone since the scripts were loaded is left out, and said.
pub(crate) fn items(desk: &Desk, sounds: &[Sound]) -> Vec<PlayItem> {
    sounds.iter().filter_map(|sound| item(desk, sound)).collect()
}

fn item(desk: &Desk, sound: &Sound) -> Option<PlayItem> {
    match sound {
        Sound::Prompt(name) => prompt(desk, name),
        Sound::Tone(tone) => Some(PlayItem::Tone(ToneSpec {
            frequencies_hz: tone.frequencies_hz.clone(),
            cadence: tone.cadence.clone(),
            length: tone.length,
        })),
        Sound::Silence(length) => Some(PlayItem::Silence(*length)),
    }
}

/// The prompt of this name.
pub(crate) fn prompt(desk: &Desk, name: &str) -> Option<PlayItem> {
    let found = desk.prompts.find(name);
    if found.is_none() {
        tracing::error!("prompt {name} is missing: put a sound file of that name into prompts/");
    }
    found.cloned().map(PlayItem::Sound)
}
