//! Made-up sound that tells whose it is: every party, and every text that is spoken, has a level of its
//! own, which survives being recorded and played again.

use std::sync::Arc;

use dialplan::Speech;

use super::time_to_samples;
use crate::PartyId;
use crate::heard::Heard;

/// Texts that were turned into speech.
#[derive(Debug, Default)]
pub(super) struct Texts(Vec<Arc<str>>);

impl Texts {
    /// The sound of a text, as long as somebody takes to say it.
    pub(super) fn speech(&mut self, text: &str) -> Vec<i16> {
        let known = self.0.iter().position(|own| **own == *text);
        let index = known.unwrap_or_else(|| {
            self.0.push(text.into());
            self.0.len() - 1
        });
        let length = Speech::usual_length(text);
        let level = i16::try_from(index).ok().and_then(|index| TEXT_MAX.checked_sub(index));
        vec![level.unwrap_or(i16::MIN); usize::try_from(time_to_samples(length)).unwrap_or(0)]
    }

    /// What is heard of a sound that is no prompt.
    pub(super) fn heard(&self, pcm: &[i16]) -> Heard {
        let first =
            pcm.iter().find(|sample| **sample >= VOICE_MIN || **sample <= TEXT_MAX).copied();
        let text = || {
            let index = usize::try_from(TEXT_MAX.checked_sub(first?)?).ok()?;
            self.0.get(index).cloned().map(Heard::Speech)
        };
        let party = first.and_then(|level| usize::try_from(level.checked_sub(VOICE_MIN)?).ok());
        text().unwrap_or_else(|| Heard::Recording(party.map(PartyId)))
    }
}

/// The level at which a party speaks.
pub(super) fn level(party: PartyId) -> i16 {
    i16::try_from(party.0).ok().and_then(|index| VOICE_MIN.checked_add(index)).unwrap_or(i16::MAX)
}

/// The level at which the first party speaks; later ones are louder.
const VOICE_MIN: i16 = 4_000;
/// The level of the first text; later ones are lower.
const TEXT_MAX: i16 = -4_000;
