//! What turns texts into sound, and what it is asked.
//!
//! Nothing is started here: a text leaves as [`Output::Speak`](crate::Output), and its sound, or why
//! there is none, comes back as [`Input::Spoken`](crate::Input).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use dialplan::Speech;

/// What turns texts into sound: the section `[speech]` of the configuration, checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Synthesiser {
    /// How it is reached.
    pub by: SpeechBy,
    /// Who speaks texts that name no voice.
    pub voice: Option<String>,
    /// How long a caller waits for a text, in line and at work.
    pub timeout: Duration,
    /// Texts at one time; the others wait in line.
    pub at_once: usize,
    /// Bytes of sound that are kept, in memory and again on disk; 0: none.
    pub cache_bytes: u64,
}

impl Synthesiser {
    /// One with the usual bounds.
    pub fn new(by: SpeechBy) -> Self {
        Self {
            by,
            voice: None,
            timeout: TIMEOUT_USUAL,
            at_once: AT_ONCE_USUAL,
            cache_bytes: CACHE_BYTES_USUAL,
        }
    }
}

/// How a synthesiser is reached.
#[derive(Clone, PartialEq, Eq)]
pub enum SpeechBy {
    /// A program and its arguments, at least the program. `{lang}` and `{voice}` in an argument stand
    /// for those of the text. The text goes to its standard input, a sound file comes from its
    /// standard output.
    Command(Vec<String>),
    /// An address to which the text is sent with POST; a sound file is the answer.
    Url {
        /// `http:` or `https:`.
        url: String,
        /// What is sent: JSON, in which `{text}`, `{lang}` and `{voice}` stand for those of the text,
        /// each as a JSON string, or `null`.
        body: String,
        /// Sent along, in this order; may hold secrets.
        headers: Vec<(String, String)>,
    },
}

/// Shows neither arguments nor headers: they may hold secrets.
impl fmt::Debug for Synthesiser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Synthesiser").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// One text to be turned into sound.
#[derive(Clone, PartialEq, Eq)]
pub struct SpeechRequest {
    /// The text; its voice is the configured one unless the script named another.
    pub speech: Speech,
    /// What speaks it.
    pub synthesiser: Arc<Synthesiser>,
}

/// Shows how long the text is, not what it says.
impl fmt::Debug for SpeechRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpeechRequest")
            .field("bytes", &self.speech.text.len())
            .finish_non_exhaustive()
    }
}

/// Why a text was not spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpeechError {
    /// It took longer than allowed.
    Timeout,
    /// Too many texts wait already.
    Busy,
    /// The synthesiser cannot be reached, failed, or gave no sound: what happened, in words that hold
    /// nothing of the text.
    Broken(String),
}

impl SpeechError {
    /// The word that a script is told.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Busy => "busy",
            Self::Broken(_) => "broken",
        }
    }
}

/// How long a caller waits for a text.
const TIMEOUT_USUAL: Duration = Duration::from_secs(10);
/// Texts at one time.
const AT_ONCE_USUAL: usize = 2;
/// Sound that is kept: over an hour of it, at 16 kB a second.
const CACHE_BYTES_USUAL: u64 = 64 << 20;
