//! From any rate to 8,000 Hz, in pieces, so that a long file never lies in memory at its own rate.

use audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler, WindowFunction};

#[cfg(test)]
mod tests;

/// Takes mono sound at one rate and keeps it at 8,000 Hz. Flat to 3.4 kHz; what lies above 4 kHz is
/// at least 60 dB down rather than folded back.
pub(crate) struct To8k {
    rate_hz: u32,
    /// `None` when there is nothing to do.
    fft: Option<Fft<f32>>,
    waiting: Vec<f32>,
    taken_in: u64,
    /// Samples still to be dropped at the start: the filter's delay.
    delay: usize,
    out: Vec<i16>,
}

/// The rate cannot be brought to 8,000 Hz.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnusableRate;

impl To8k {
    /// For sound at `rate_hz`, which is from [`RATE_HZ_MIN`] to [`RATE_HZ_MAX`].
    pub(crate) fn new(rate_hz: u32) -> Result<Self, UnusableRate> {
        if !(RATE_HZ_MIN..=RATE_HZ_MAX).contains(&rate_hz) {
            return Err(UnusableRate);
        }
        let rate = rate_hz as usize;
        // One block of 20 ms: smaller ones cut into the voice band.
        let fft = (rate != OUT_HZ).then(|| {
            Fft::new_custom(
                rate,
                OUT_HZ,
                rate / 50,
                1,
                1,
                WindowFunction::BlackmanHarris2,
                FixedSync::Both,
            )
        });
        let fft = fft.transpose().map_err(|_| UnusableRate)?;
        Ok(Self {
            rate_hz,
            delay: fft.as_ref().map_or(0, Resampler::output_delay),
            fft,
            waiting: Vec::new(),
            taken_in: 0,
            out: Vec::new(),
        })
    }

    /// Takes samples from -1 to 1.
    pub(crate) fn push(&mut self, samples: impl Iterator<Item = f32>) {
        let before = self.waiting.len();
        self.waiting.extend(samples);
        self.taken_in += (self.waiting.len() - before) as u64;
        let Some(fft) = &self.fft else {
            self.out.extend(self.waiting.drain(..).map(to_i16));
            return;
        };
        let block = fft.input_frames_next();
        let mut from = 0;
        while self.waiting.len() - from >= block {
            self.process(from, block);
            from += block;
        }
        self.waiting.drain(..from);
    }

    /// How many samples are ready.
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    /// All of it, as long as what was taken in, rounded up to a sample.
    pub(crate) fn finish(mut self) -> Vec<i16> {
        let length = (self.taken_in * OUT_HZ as u64).div_ceil(u64::from(self.rate_hz)) as usize;
        self.process(0, self.waiting.len());
        self.waiting.clear();
        while self.fft.is_some() && self.out.len() < length {
            let before = (self.out.len(), self.delay);
            self.process(0, 0);
            if before == (self.out.len(), self.delay) {
                break;
            }
        }
        self.out.resize(length, 0);
        self.out
    }

    /// One block, of which `count` samples are there and the rest is silence.
    fn process(&mut self, from: usize, count: usize) {
        let Some(fft) = &mut self.fft else {
            return;
        };
        let part = self.waiting.get(from..from + count).unwrap_or_default();
        let indexing = Indexing::new().partial_len(count);
        let made = InterleavedSlice::new(part, 1, part.len())
            .ok()
            .and_then(|adapter| fft.process(&adapter, Some(&indexing)).ok());
        let made = made.map(|made| made.take_data()).unwrap_or_default();
        let dropped = self.delay.min(made.len());
        self.delay -= dropped;
        self.out.extend(made.into_iter().skip(dropped).map(to_i16));
    }
}

/// Loud moments saturate, since wrapping around would click; `as` does.
fn to_i16(sample: f32) -> i16 {
    (sample * 32_768.0).round() as i16
}

const OUT_HZ: usize = 8_000;

/// Rates that files have.
const RATE_HZ_MIN: u32 = 1_000;
const RATE_HZ_MAX: u32 = 384_000;
