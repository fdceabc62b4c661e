//! From what scripts and features name to what the media thread plays.

use std::time::Duration;

use dialplan::{Barge, Play, Repeat, Sound};
use media::{Flag, PlayItem, Playlist, ToneSpec};

use super::speak::{Spoken, Wanted};
use crate::Prompts;

/// What a script wants played.
pub(crate) fn playlist(prompts: &Prompts, play: &Play, spoken: &Spoken) -> Playlist {
    Playlist {
        items: items(prompts, &play.sounds, spoken),
        repeat: (play.repeat == Repeat::Forever).into(),
        barge: (play.barge == Barge::Any).into(),
        from: play.from,
        gain_db: play.gain_db,
    }
}

/// Plays these once, from the start, as loud as they are.
pub(crate) fn once(items: Vec<PlayItem>) -> Playlist {
    Playlist { items, repeat: Flag::Off, barge: Flag::Off, from: Duration::ZERO, gain_db: 0.0 }
}

/// Plays these over and over.
pub(crate) fn forever(items: Vec<PlayItem>) -> Playlist {
    Playlist { repeat: Flag::On, ..once(items) }
}

/// What a caller hears while others ring.
pub(crate) fn ringback() -> PlayItem {
    PlayItem::Tone(ToneSpec {
        frequencies_hz: vec![440.0, 480.0],
        cadence: vec![Duration::from_secs(2), Duration::from_secs(4)],
        length: None,
    })
}

/// What is heard before a recording.
pub(crate) fn beep() -> PlayItem {
    PlayItem::Tone(ToneSpec {
        frequencies_hz: vec![1_000.0],
        cadence: Vec::new(),
        length: Some(BEEP),
    })
}

/// The sounds in order. A prompt that is gone since the scripts were loaded is left out, and said; a
/// text that was not spoken and a recording that is not there are left out.
pub(crate) fn items(prompts: &Prompts, sounds: &[Sound], spoken: &Spoken) -> Vec<PlayItem> {
    sounds.iter().filter_map(|sound| item(prompts, sound, spoken)).collect()
}

fn item(prompts: &Prompts, sound: &Sound, spoken: &Spoken) -> Option<PlayItem> {
    match sound {
        Sound::Prompt(name) => prompt(prompts, name),
        Sound::Tone(tone) => Some(PlayItem::Tone(ToneSpec {
            frequencies_hz: tone.frequencies_hz.clone(),
            cadence: tone.cadence.clone(),
            length: tone.length,
        })),
        Sound::Silence(length) => Some(PlayItem::Silence(*length)),
        Sound::Speech(speech) => fetched(spoken, Wanted::Speech(speech.clone())),
        Sound::Recording(name) => fetched(spoken, Wanted::Recording(name.clone())),
    }
}

fn fetched(spoken: &Spoken, wanted: Wanted) -> Option<PlayItem> {
    spoken.get(&wanted).cloned().map(PlayItem::Sound)
}

/// The prompt of this name.
fn prompt(prompts: &Prompts, name: &str) -> Option<PlayItem> {
    let found = prompts.find(name);
    if found.is_none() {
        tracing::error!("prompt {name} is missing: put a sound file of that name into prompts/");
    }
    found.cloned().map(PlayItem::Sound)
}

/// Length of the beep before a recording.
const BEEP: Duration = Duration::from_millis(400);
