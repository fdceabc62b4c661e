//! A sound in memory: decoded once, encoded at most once per codec, shared by everyone who hears it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::Codec;
use crate::codec::g711::Law;

/// Linear 16-bit mono at 8,000 Hz.
///
/// One that is [pending](Self::pending) is heard as silence until its samples are there, and then from
/// its beginning.
#[derive(Debug, Default)]
pub struct Sound {
    pcm: OnceLock<Vec<i16>>,
    mu: OnceLock<Box<[u8]>>,
    a: OnceLock<Box<[u8]>>,
}

impl Sound {
    /// Takes linear 16-bit mono samples at 8,000 Hz.
    pub fn from_pcm(pcm: Vec<i16>) -> Self {
        Self { pcm: OnceLock::from(pcm), ..Self::default() }
    }

    /// A sound whose samples are still being decoded, so that nobody has to wait for them.
    pub fn pending() -> Arc<Self> {
        Arc::default()
    }

    /// Gives a pending sound its samples. They are given once; later ones change nothing.
    pub fn fill(&self, pcm: Vec<i16>) {
        self.pcm.get_or_init(|| pcm);
    }

    /// Whether the samples are not there yet.
    pub fn is_pending(&self) -> bool {
        self.pcm.get().is_none()
    }

    /// The samples; none while they are pending.
    pub fn pcm(&self) -> &[i16] {
        self.pcm.get().map_or(&[], Vec::as_slice)
    }

    /// How long it lasts; zero while it is pending.
    pub fn length(&self) -> Duration {
        samples_to_time(self.pcm().len() as u64)
    }

    /// One byte per sample, as `codec` sends them; `None` for a codec that we do not speak. Costs
    /// some nanoseconds per sample the first time, and nothing after that.
    pub fn encoded(&self, codec: Codec) -> Option<&[u8]> {
        codec.law().map(|law| self.encoded_by(law))
    }

    pub(crate) fn encoded_by(&self, law: Law) -> &[u8] {
        let Some(pcm) = self.pcm.get() else { return &[] };
        let cell = match law {
            Law::Mu => &self.mu,
            Law::A => &self.a,
        };
        cell.get_or_init(|| pcm.iter().map(|&sample| law.encode(sample)).collect())
    }
}

/// How long so many samples last at 8,000 Hz.
pub(crate) fn samples_to_time(samples: u64) -> Duration {
    Duration::from_micros(samples.saturating_mul(125))
}

/// How many whole samples at 8,000 Hz fit into a time.
pub(crate) fn time_to_samples(time: Duration) -> u64 {
    u64::try_from(time.as_micros() / 125).unwrap_or(u64::MAX)
}
