//! From what scripts and features name to what the media thread plays.

use dialplan::Sound;
use media::{PlayItem, ToneSpec};

use crate::Prompts;

/// The sounds in order. A prompt that is gone since the scripts were loaded is left out, and said.
pub(crate) fn items(prompts: &Prompts, sounds: &[Sound]) -> Vec<PlayItem> {
    sounds.iter().filter_map(|sound| item(prompts, sound)).collect()
}

fn item(prompts: &Prompts, sound: &Sound) -> Option<PlayItem> {
    match sound {
        Sound::Prompt(name) => prompt(prompts, name),
        Sound::Tone(tone) => Some(PlayItem::Tone(ToneSpec {
            frequencies_hz: tone.frequencies_hz.clone(),
            cadence: tone.cadence.clone(),
            length: tone.length,
        })),
        Sound::Silence(length) => Some(PlayItem::Silence(*length)),
    }
}

/// The prompt of this name.
fn prompt(prompts: &Prompts, name: &str) -> Option<PlayItem> {
    let found = prompts.find(name);
    if found.is_none() {
        tracing::error!("prompt {name} is missing: put a sound file of that name into prompts/");
    }
    found.cloned().map(PlayItem::Sound)
}
