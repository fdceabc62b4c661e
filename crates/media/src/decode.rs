//! Turns an audio file in memory into linear mono at 8,000 Hz.
//!
//! Whoever reads files calls this; the engine only ever sees the [`Sound`].

use std::time::Duration;

use crate::Sound;
use crate::codec::g711::Law;
use crate::codec::resample::To8k;
use crate::sound::samples_to_time;

mod au;
mod container;
mod piped;
#[cfg(test)]
mod tests;

/// A decoded audio file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pcm {
    /// Linear 16-bit mono at 8,000 Hz.
    pub samples: Vec<i16>,
    /// Rate of the file, in hertz.
    pub source_rate_hz: u32,
    /// Channels of the file, mixed to one here.
    pub source_channels: u16,
}

impl From<Pcm> for Sound {
    fn from(pcm: Pcm) -> Self {
        Self::from_pcm(pcm.samples)
    }
}

/// Why a file cannot be played. The texts are for whoever supplied the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The name's ending is not one we know.
    #[error("the ending `{ending}` is of no sound that can be read; known are {KNOWN}")]
    UnknownEnding {
        /// What follows the last dot; empty if there is none.
        ending: String,
    },
    /// Raw sound at a rate that its ending names and we do not read.
    #[error("raw G.711 is read at 8000 Hz only, and the ending `{ending}` says {rate_hz} Hz")]
    RawRate {
        /// What follows the last dot.
        ending: String,
        /// The rate it names.
        rate_hz: u32,
    },
    /// There is nothing to hear in it.
    #[error("there is no sound in the file")]
    Empty,
    /// More than thirty minutes.
    #[error("longer than {} minutes", LENGTH_MAX_S / 60)]
    TooLong,
    /// A sampling rate out of the ordinary.
    #[error("a sampling rate of {rate_hz} Hz; 1000 to 384000 can be read")]
    Rate {
        /// What the file says.
        rate_hz: u32,
    },
    /// The rate or the number of channels is another in the middle of the file.
    #[error("the sampling rate or the number of channels changes in the middle")]
    Changes,
    /// The content is broken, or is not what the ending says, or is packed in a way we do not read.
    #[error("the content cannot be read as what the ending says: {flaw}")]
    Unreadable {
        /// What was found wrong first.
        flaw: &'static str,
    },
}

/// Decodes a whole file; its kind follows from the ending of `name`, in any case: WAV, AIFF, FLAC,
/// MP3, Ogg Vorbis, AAC and M4A, `.au`, and raw G.711 as `.ulaw`, `.ul`, `.pcmu`, `.alaw`, `.al`,
/// `.pcma`, also with `-8000` after it. Any rate and number of channels.
///
/// Takes some milliseconds for each ten seconds of sound.
///
/// # Errors
///
/// When the ending is unknown, or the content is not what the ending says, is empty, or is longer
/// than thirty minutes.
pub fn decode(name: &str, bytes: Vec<u8>) -> Result<Pcm, DecodeError> {
    let file = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    if let Some(law) = raw_law(&ending)? {
        return raw(law, &bytes);
    }
    match ending.as_str() {
        "au" | "snd" => au::decode(&bytes),
        "wav" | "wave" | "aif" | "aiff" | "aifc" | "flac" | "mp3" | "ogg" | "oga" | "m4a"
        | "mp4" | "aac" => container::decode(&ending, bytes),
        _ => Err(DecodeError::UnknownEnding { ending }),
    }
}

/// Decodes a whole file that has no name: its kind follows from how it begins.
///
/// # Errors
///
/// As [`decode`]; and when it begins like none of the kinds that say what they are.
pub fn decode_unnamed(mut bytes: Vec<u8>) -> Result<Pcm, DecodeError> {
    let Some(ending) = ending_of(&bytes) else {
        if bytes.is_empty() {
            return Err(DecodeError::Empty);
        }
        return Err(DecodeError::Unreadable { flaw: "it begins like no sound file" });
    };
    match ending {
        "au" => au::decode(&bytes),
        "wav" => {
            piped::tell_lengths(&mut bytes);
            container::decode("wav", bytes)
        }
        ending => container::decode(ending, bytes),
    }
}

/// The ending that a file would have which begins like this.
fn ending_of(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [b'R', b'I', b'F', b'F' | b'X', ..] => Some("wav"),
        [b'F', b'O', b'R', b'M', ..] => Some("aiff"),
        [b'f', b'L', b'a', b'C', ..] => Some("flac"),
        [b'O', b'g', b'g', b'S', ..] => Some("ogg"),
        [b'.', b's', b'n', b'd', ..] => Some("au"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some("m4a"),
        [b'I', b'D', b'3', ..] => Some("mp3"),
        // A frame of MPEG audio begins with eleven ones; of AAC, with twelve and then layer 0.
        [0xFF, second, ..] if second & 0xF6 == 0xF0 => Some("aac"),
        [0xFF, second, ..] if second & 0xE0 == 0xE0 => Some("mp3"),
        _ => None,
    }
}

/// How long the sound of a whole file lasts, as [`decode`] would give it, within 20 ms. Costs a small
/// part of decoding: what the container says is believed.
///
/// # Errors
///
/// When the ending is unknown, or the content is not what the ending says or is empty. That a file can
/// be measured does not prove that it can be decoded.
pub fn measure(name: &str, bytes: Vec<u8>) -> Result<Duration, DecodeError> {
    let file = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    let samples = match ending.as_str() {
        "wav" | "wave" | "aif" | "aiff" | "aifc" | "flac" | "mp3" | "ogg" | "oga" | "m4a"
        | "mp4" | "aac" => container::measure(&ending, bytes)?,
        // These cost next to nothing.
        _ => decode(name, bytes)?.samples.len() as u64,
    };
    if samples == 0 {
        return Err(DecodeError::Empty);
    }
    Ok(samples_to_time(samples))
}

/// The companding law that an ending such as `pcmu` or `ulaw-8000` names, if it names one.
fn raw_law(ending: &str) -> Result<Option<Law>, DecodeError> {
    let (kind, rate) = match ending.split_once('-') {
        Some((kind, rate)) => (kind, Some(rate)),
        None => (ending, None),
    };
    let law = match kind {
        "pcmu" | "ulaw" | "ul" | "mulaw" => Law::Mu,
        "pcma" | "alaw" | "al" => Law::A,
        _ => return Ok(None),
    };
    match rate.map(str::parse) {
        None | Some(Ok(8_000)) => Ok(Some(law)),
        Some(Ok(rate_hz)) => Err(DecodeError::RawRate { ending: ending.to_owned(), rate_hz }),
        Some(Err(_)) => Err(DecodeError::UnknownEnding { ending: ending.to_owned() }),
    }
}

fn raw(law: Law, bytes: &[u8]) -> Result<Pcm, DecodeError> {
    let mut mixer = Mixer::new(8_000, 1)?;
    mixer.push(bytes.iter().map(|&byte| f32::from(law.decode(byte)) / 32_768.0))?;
    mixer.finish()
}

/// Mixes channels to one, brings the rate to 8,000 Hz and watches the length.
struct Mixer {
    rate_hz: u32,
    channels: u16,
    to_8k: To8k,
    /// Of the frame under way: the sum, and how many channels it has so far.
    sum: f32,
    summed: u16,
}

impl Mixer {
    fn new(rate_hz: u32, channels: u16) -> Result<Self, DecodeError> {
        if channels == 0 {
            return Err(DecodeError::Unreadable { flaw: "no channels" });
        }
        let to_8k = To8k::new(rate_hz).map_err(|_| DecodeError::Rate { rate_hz })?;
        Ok(Self { rate_hz, channels, to_8k, sum: 0.0, summed: 0 })
    }

    /// Takes samples from -1 to 1, channels in turn.
    fn push(&mut self, samples: impl Iterator<Item = f32>) -> Result<(), DecodeError> {
        let Self { channels, sum, summed, to_8k, .. } = self;
        to_8k.push(samples.filter_map(|sample| {
            // A file of floats may hold anything.
            *sum += if sample.is_finite() { sample } else { 0.0 };
            *summed += 1;
            (*summed == *channels).then(|| {
                let mixed = *sum / f32::from(*channels);
                (*sum, *summed) = (0.0, 0);
                mixed
            })
        }));
        if self.to_8k.len() > LENGTH_MAX_S * 8_000 {
            return Err(DecodeError::TooLong);
        }
        Ok(())
    }

    fn finish(self) -> Result<Pcm, DecodeError> {
        let samples = self.to_8k.finish();
        if samples.is_empty() {
            return Err(DecodeError::Empty);
        }
        if samples.len() > LENGTH_MAX_S * 8_000 {
            return Err(DecodeError::TooLong);
        }
        Ok(Pcm { samples, source_rate_hz: self.rate_hz, source_channels: self.channels })
    }
}

/// Endings that can be read, for messages.
const KNOWN: &str = "wav aiff flac mp3 ogg m4a aac au ulaw ul pcmu alaw al pcma";

/// Longest sound, in seconds.
const LENGTH_MAX_S: usize = 30 * 60;
