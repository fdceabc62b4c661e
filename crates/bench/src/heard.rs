//! What a party hears, in words.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use media::ToneSpec;

use crate::PartyId;

/// What a party hears at one moment. That it hears nothing is the absence of this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A prompt or music, by its full name: `en/vm/beep`, `music/evening`.
    Prompt(Arc<str>),
    /// A tone: `ringback` or `beep`, else as a script writes it: `tone:425/0.5,0.5`.
    Tone(Arc<str>),
    /// A silence that is played, as part of a list or by itself.
    Silence,
    /// Another party's microphone, whether it speaks or not.
    Party(PartyId),
    /// What it says itself, sent back.
    Itself,
    /// A recording: who spoke on it, if anybody did.
    Recording(Option<PartyId>),
    /// A text that was turned into speech.
    Speech(Arc<str>),
    /// A key that the other side pressed.
    Key(char),
    /// The ringing that a phone makes by itself for its owner, after 180.
    Ringing,
}

/// A stretch of time in which a party heard one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hearing {
    /// What it heard.
    pub heard: Heard,
    /// From when on.
    pub since: Instant,
    /// Until when; `None`: it still does.
    pub until: Option<Instant>,
}

/// What a tone is called.
pub(crate) fn tone_name(spec: &ToneSpec) -> Arc<str> {
    let is = |hz: &[f32]| spec.frequencies_hz == hz;
    let cadence: Vec<u128> = spec.cadence.iter().map(Duration::as_millis).collect();
    if is(&[440.0, 480.0]) && cadence == [2_000, 4_000] {
        return "ringback".into();
    }
    if is(&[1_000.0]) && cadence.is_empty() && spec.length == Some(Duration::from_millis(400)) {
        return "beep".into();
    }
    ToneName(spec).to_string().into()
}

/// A tone as a script writes it.
struct ToneName<'a>(&'a ToneSpec);

impl fmt::Display for ToneName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tone:")?;
        for (index, hz) in self.0.frequencies_hz.iter().enumerate() {
            write!(f, "{}{hz}", if index > 0 { "+" } else { "" })?;
        }
        for (index, step) in self.0.cadence.iter().enumerate() {
            write!(f, "{}{}", if index > 0 { "," } else { "/" }, step.as_secs_f64())?;
        }
        match self.0.length {
            Some(length) => write!(f, ":{}", length.as_secs_f64()),
            None => Ok(()),
        }
    }
}
