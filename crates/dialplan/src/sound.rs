//! Sounds as scripts write them: prompt names, `tone:...`, `silence:...`.

use std::time::Duration;

use crate::generation::Names;
use crate::verb::{Sound, Tone};
use crate::verbs::nearest;

/// What stands before the name of a recording.
pub(crate) const RECORDING: &str = "recording:";
/// What such a name is, in words.
pub(crate) const RECORDING_NAME: &str =
    "its name must be letters, digits, - and _, up to 100 of them";
/// The longest, in bytes.
const RECORDING_NAME_MAX: usize = 100;
/// Frequencies that a telephone line carries, in hertz.
const TONE_HZ: std::ops::RangeInclusive<f32> = 20.0..=3_900.0;
/// Longest silence, step of a cadence or tone, in seconds.
const PIECE_SECONDS_MAX: f64 = 3_600.0;
/// Steps of a cadence.
const CADENCE_MAX: usize = 16;

/// Reads `music/evening`, `tone:440+480/2,4` or `silence:1.5`.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn parse_sound(text: &str, names: &Names) -> Result<Sound, String> {
    if let Some(tone) = text.strip_prefix("tone:") {
        return parse_tone(tone).map(Sound::Tone).ok_or_else(|| {
            format!(
                "\"{text}\" is not a tone; write tone:HZ, tone:HZ+HZ/ON,OFF or tone:HZ:SECONDS, \
                 with 20 to 3900 Hz"
            )
        });
    }
    if let Some(silence) = text.strip_prefix("silence:") {
        return parse_seconds(silence)
            .map(Sound::Silence)
            .ok_or_else(|| format!("\"{text}\" is not a silence; write silence:SECONDS"));
    }
    if let Some(name) = text.strip_prefix(RECORDING) {
        return match is_recording_name(name) {
            true => Ok(Sound::Recording(name.to_owned())),
            false => Err(format!("\"{text}\" is not a recording; {RECORDING_NAME}")),
        };
    }
    find_prompt(text, names).map(Sound::Prompt)
}

/// Whether a recording can have this name. It has no folders, so that it leads to none.
pub(crate) fn is_recording_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    !name.is_empty() && name.len() <= RECORDING_NAME_MAX && name.chars().all(plain)
}

/// The full name of a prompt written with or without its language folder.
fn find_prompt(text: &str, names: &Names) -> Result<String, String> {
    if names.prompts.contains(text) {
        return Ok(text.to_owned());
    }
    let in_language = format!("{}/{text}", names.language);
    if names.prompts.contains(&in_language) {
        return Ok(in_language);
    }
    let prefix = format!("{}/", names.language);
    let known = names
        .prompts
        .iter()
        .flat_map(|name| [Some(name.as_str()), name.strip_prefix(&prefix)])
        .flatten();
    let bare = text.rsplit_once('.').map_or(text, |(bare, _)| bare);
    Err(match nearest(bare, known) {
        Some(near) => format!("no prompt \"{text}\"; did you mean \"{near}\"?"),
        None => format!("no prompt \"{text}\" (nor \"{in_language}\") in the prompts folder"),
    })
}

/// `HZ[+HZ][/ON,OFF,...][:SECONDS]`.
fn parse_tone(text: &str) -> Option<Tone> {
    let (text, length) = match text.split_once(':') {
        Some((text, length)) => (text, Some(parse_seconds(length)?)),
        None => (text, None),
    };
    let (frequencies, cadence) = match text.split_once('/') {
        Some((frequencies, cadence)) => (frequencies, Some(cadence)),
        None => (text, None),
    };
    let frequencies_hz = frequencies
        .split('+')
        .map(|hz| hz.trim().parse().ok().filter(|hz| TONE_HZ.contains(hz)))
        .collect::<Option<Vec<f32>>>()?;
    let cadence = match cadence {
        Some(cadence) => cadence.split(',').map(parse_seconds).collect::<Option<Vec<_>>>()?,
        None => Vec::new(),
    };
    let heard = cadence.is_empty() || cadence.iter().any(|step| !step.is_zero());
    (frequencies_hz.len() <= 2 && cadence.len() <= CADENCE_MAX && heard).then_some(Tone {
        frequencies_hz,
        cadence,
        length,
    })
}

fn parse_seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().parse().ok()?;
    (0.0..=PIECE_SECONDS_MAX).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names {
            prompts: ["en/vm/beep", "en/main/welcome", "music/evening"].map(str::to_owned).into(),
            language: "en".into(),
            ..Names::default()
        }
    }

    #[test]
    fn a_prompt_is_found_as_written_and_then_in_the_language() {
        for (written, full) in [
            ("music/evening", "music/evening"),
            ("en/vm/beep", "en/vm/beep"),
            ("vm/beep", "en/vm/beep"),
        ] {
            assert_eq!(parse_sound(written, &names()), Ok(Sound::Prompt(full.into())));
        }
        let problem = parse_sound("main/welcom.wav", &names()).unwrap_err();
        assert_eq!(problem, "no prompt \"main/welcom.wav\"; did you mean \"main/welcome\"?");
    }

    #[test]
    fn tones_have_up_to_two_frequencies_a_cadence_and_a_length() {
        let tone = Tone {
            frequencies_hz: vec![440.0, 480.0],
            cadence: vec![Duration::from_secs(2), Duration::from_secs(4)],
            length: None,
        };
        assert_eq!(parse_sound("tone:440+480/2,4", &names()), Ok(Sound::Tone(tone)));
        let beep = Tone {
            frequencies_hz: vec![1000.0],
            cadence: vec![],
            length: Some(Duration::from_millis(200)),
        };
        assert_eq!(parse_sound("tone:1000:0.2", &names()), Ok(Sound::Tone(beep)));
        for wrong in ["tone:", "tone:5", "tone:1+2+3", "tone:440/0", "tone:440/-1", "tone:nan"] {
            assert!(parse_sound(wrong, &names()).is_err(), "{wrong}");
        }
        assert_eq!(
            parse_sound("silence:1.5", &names()),
            Ok(Sound::Silence(Duration::from_millis(1500)))
        );
        assert!(parse_sound("silence:inf", &names()).is_err());
    }

    #[test]
    fn a_recording_is_named_without_a_folder() {
        let sound = parse_sound("recording:greeting_of-100", &names());
        assert_eq!(sound, Ok(Sound::Recording("greeting_of-100".into())));
        let long = "x".repeat(101);
        for wrong in ["", "../secret", "a/b", "a.wav", "/etc/passwd", "é", "a\0b", long.as_str()] {
            let problem = parse_sound(&format!("recording:{wrong}"), &names()).unwrap_err();
            assert!(problem.contains("its name must be letters"), "{problem}");
        }
    }
}
