//! Tones made on the fly: ring-back, busy, beep, and keys for peers without telephone-events.

use std::f64::consts::TAU;

use crate::ToneSpec;
use crate::sound::time_to_samples;

#[cfg(test)]
mod tests;

/// A tone, ready to be asked for any stretch of it.
#[derive(Debug, Clone)]
pub(crate) struct Tone {
    frequencies_hz: Vec<f64>,
    amplitude: f64,
    /// In samples: on, off, on, off ...; empty when steady.
    cadence: Vec<u64>,
    period: u64,
    length: u64,
}

impl Tone {
    /// At [`PEAK`], however many frequencies sound together.
    pub(crate) fn new(spec: &ToneSpec) -> Self {
        let frequencies_hz: Vec<f64> = spec
            .frequencies_hz
            .iter()
            .filter(|frequency| frequency.is_finite())
            .take(FREQUENCIES_MAX)
            .map(|&frequency| f64::from(frequency.clamp(20.0, 3_900.0)))
            .collect();
        let cadence: Vec<u64> =
            spec.cadence.iter().map(|&time| time_to_samples(time).min(CADENCE_MAX)).collect();
        Self {
            amplitude: PEAK / frequencies_hz.len().max(1) as f64,
            frequencies_hz,
            period: cadence.iter().sum(),
            cadence,
            length: spec.length.map_or(u64::MAX, time_to_samples),
        }
    }

    /// The two frequencies of a key (ITU-T Q.23), for as long as it is asked for.
    pub(crate) fn key(event: u8) -> Self {
        let (low, high) = KEY_HZ.get(usize::from(event)).copied().unwrap_or((697.0, 1_209.0));
        Self {
            frequencies_hz: vec![low, high],
            amplitude: PEAK / 2.0,
            cadence: Vec::new(),
            period: 0,
            length: u64::MAX,
        }
    }

    /// In samples; `u64::MAX` for ever.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Writes the samples from `position` on. What lies beyond the length is written as if the tone
    /// went on.
    pub(crate) fn fill(&self, position: u64, out: &mut [i16]) {
        let mut oscillators = [(0.0_f64, 0.0_f64, 0.0_f64, 0.0_f64); FREQUENCIES_MAX];
        for (oscillator, frequency) in oscillators.iter_mut().zip(&self.frequencies_hz) {
            let step = TAU * frequency / 8_000.0;
            // Exact at the start of each frame, so that errors do not pile up.
            let turns = frequency * position as f64 / 8_000.0;
            let (sin, cos) = (TAU * turns.fract()).sin_cos();
            let (step_sin, step_cos) = step.sin_cos();
            *oscillator = (sin, cos, step_sin, step_cos);
        }
        for (at, sample) in (position..).zip(out) {
            let mut sum = 0.0;
            for (sin, cos, step_sin, step_cos) in
                oscillators.iter_mut().take(self.frequencies_hz.len())
            {
                sum += *sin;
                (*sin, *cos) =
                    (*sin * *step_cos + *cos * *step_sin, *cos * *step_cos - *sin * *step_sin);
            }
            *sample = (sum * self.amplitude * self.envelope(at)) as i16;
        }
    }

    /// 1 while on, 0 while off, with short slopes between, since a step would click.
    fn envelope(&self, position: u64) -> f64 {
        if self.period == 0 {
            return slope(position).min(slope(self.length.saturating_sub(position)));
        }
        let mut within = position % self.period;
        for (index, &stretch) in self.cadence.iter().enumerate() {
            if within < stretch {
                let on = index % 2 == 0;
                return if on { slope(within).min(slope(stretch - within)) } else { 0.0 };
            }
            within -= stretch;
        }
        0.0
    }
}

fn slope(samples_to_edge: u64) -> f64 {
    samples_to_edge.min(SLOPE) as f64 / SLOPE as f64
}

/// Peak of all frequencies together: 12 dB below full scale.
const PEAK: f64 = 8_192.0;

/// Frequencies sounding together, at most.
const FREQUENCIES_MAX: usize = 4;

/// Longest single stretch of a cadence, in samples: an hour.
const CADENCE_MAX: u64 = 8_000 * 3_600;

/// Samples in which a tone swells and fades: 4 ms.
const SLOPE: u64 = 32;

/// Frequencies of each key, by event code.
pub(crate) const KEY_HZ: [(f64, f64); 16] = [
    (941.0, 1_336.0),
    (697.0, 1_209.0),
    (697.0, 1_336.0),
    (697.0, 1_477.0),
    (770.0, 1_209.0),
    (770.0, 1_336.0),
    (770.0, 1_477.0),
    (852.0, 1_209.0),
    (852.0, 1_336.0),
    (852.0, 1_477.0),
    (941.0, 1_209.0),
    (941.0, 1_477.0),
    (697.0, 1_633.0),
    (770.0, 1_633.0),
    (852.0, 1_633.0),
    (941.0, 1_633.0),
];
