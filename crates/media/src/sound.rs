//! A sound in memory: decoded once, encoded at most once per codec, shared by everyone who hears it.

/// Linear 16-bit mono at 8,000 Hz.
#[derive(Debug, Default)]
pub struct Sound {
    pcm: Vec<i16>,
}

impl Sound {
    /// Takes linear 16-bit mono samples at 8,000 Hz.
    pub fn from_pcm(pcm: Vec<i16>) -> Self {
        Self { pcm }
    }

    /// The samples.
    pub fn pcm(&self) -> &[i16] {
        &self.pcm
    }
}
