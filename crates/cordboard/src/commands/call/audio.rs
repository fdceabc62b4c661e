//! What the phone plays and what it heard.

use std::path::Path;
use std::time::Duration;

use anyhow::bail;

/// A sound file of any kind that the exchange plays, too.
pub(super) fn load(path: &Path) -> anyhow::Result<Vec<i16>> {
    let samples = crate::prompts::decode(path)?;
    if samples.is_empty() {
        bail!("{} has nothing to play", path.display());
    }
    Ok(samples)
}

/// What was heard so far, up to a bound.
#[derive(Debug, Default)]
pub(super) struct Heard {
    samples: Vec<i16>,
}

impl Heard {
    /// Appends linear mono samples at 8,000 Hz; beyond two hours they are lost.
    pub(super) fn add(&mut self, samples: &[i16]) {
        let room = SAMPLES_MAX.saturating_sub(self.samples.len());
        self.samples.extend(samples.iter().take(room));
    }

    pub(super) fn samples(&self) -> &[i16] {
        &self.samples
    }

    pub(super) fn length(&self) -> Duration {
        Duration::from_micros(self.samples.len() as u64 * 125)
    }

    /// Level over all of it, in decibels below the loudest square wave; `None` for silence.
    pub(super) fn level_db(&self) -> Option<f64> {
        let energy: f64 = self.samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
        if energy == 0.0 {
            return None;
        }
        let mean = (energy / self.samples.len() as f64).sqrt();
        Some(20.0 * (mean / f64::from(i16::MAX)).log10())
    }
}

/// Two hours.
const SAMPLES_MAX: usize = 2 * 3_600 * 8_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_and_length_are_measured() {
        let mut heard = Heard::default();
        assert_eq!(heard.level_db(), None);
        heard.add(&[i16::MAX; 8_000]);
        assert_eq!(heard.length(), Duration::from_secs(1));
        assert!(heard.level_db().unwrap().abs() < 0.01);
    }
}
