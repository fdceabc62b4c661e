//! What the caller hears, by name, in words, and for how long.

use std::time::Duration;

use dialplan::{Sound, Speech, Tone};

use crate::question::Office;
use crate::tree::Heard;

/// What a person would be told of these sounds.
pub(crate) fn heard(sounds: &[Sound], office: &Office<'_>) -> Vec<Heard> {
    sounds.iter().map(|sound| one(sound, office)).collect()
}

fn one(sound: &Sound, office: &Office<'_>) -> Heard {
    match sound {
        Sound::Prompt(name) => {
            // As a script would write it.
            let folder = format!("{}/", office.config.language);
            let short = name.strip_prefix(&folder).unwrap_or(name);
            Heard {
                name: short.to_owned(),
                text: office.prompts.text(name),
                length: office.prompts.length(name),
            }
        }
        Sound::Tone(tone) => Heard { name: tone_name(tone), text: None, length: tone.length },
        Sound::Speech(Speech { text, .. }) => Heard {
            name: SPEECH.to_owned(),
            text: Some(text.clone()),
            length: Some(Speech::usual_length(text)),
        },
        Sound::Recording(name) => {
            Heard { name: format!("recording:{name}"), text: None, length: None }
        }
        Sound::Silence(length) => {
            let name = format!("silence:{}", length.as_secs_f64());
            Heard { name, text: None, length: Some(*length) }
        }
    }
}

/// What is heard, in one word or as the text that is spoken.
pub(crate) fn in_short(heard: &Heard) -> String {
    match &heard.text {
        Some(text) if heard.name == SPEECH => format!("\"{text}\""),
        Some(_) | None => heard.name.clone(),
    }
}

/// As a script writes it: `tone:440+480`.
fn tone_name(tone: &Tone) -> String {
    let frequencies: Vec<String> = tone.frequencies_hz.iter().map(f32::to_string).collect();
    format!("tone:{}", frequencies.join("+"))
}

/// How long they take, and whether they ever end.
pub(crate) fn length(sounds: &[Sound], heard: &[Heard]) -> Option<Duration> {
    sounds
        .iter()
        .zip(heard)
        .map(|(sound, heard)| match sound {
            Sound::Tone(Tone { length: None, .. }) => None,
            Sound::Prompt(_)
            | Sound::Tone(_)
            | Sound::Silence(_)
            | Sound::Speech(_)
            | Sound::Recording(_) => Some(heard.length.unwrap_or(UNKNOWN)),
        })
        .sum()
}

/// Stands where others have their name: what is spoken has none, only its text.
pub(crate) const SPEECH: &str = "{speak}";
/// What a prompt takes whose length is not known.
const UNKNOWN: Duration = Duration::from_secs(3);
