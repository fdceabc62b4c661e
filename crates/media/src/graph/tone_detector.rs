//! Hears keys pressed as tones (ITU-T Q.23 and Q.24), for peers that offered no telephone-event.

use std::f64::consts::TAU;

use crate::rtp::dtmf::digit;

#[cfg(test)]
mod tests;

/// Watches one leg's sound for keys.
#[derive(Debug)]
pub(crate) struct ToneDetector {
    resonators: [Resonator; 8],
    energy: f64,
    samples: usize,
    /// What the last block held.
    last: Option<u8>,
    /// The key that is down, told already, and how many blocks in a row were without it.
    down: Option<(u8, u8)>,
}

/// One frequency of Goertzel's algorithm.
#[derive(Debug, Clone, Copy)]
struct Resonator {
    coefficient: f64,
    previous: f64,
    before: f64,
}

impl ToneDetector {
    pub(crate) fn new() -> Self {
        Self {
            resonators: FREQUENCIES_HZ.map(Resonator::new),
            energy: 0.0,
            samples: 0,
            last: None,
            down: None,
        }
    }

    /// Takes samples; tells a key once, when two blocks in a row held it, some 26 ms after it went
    /// down.
    pub(crate) fn handle_samples(&mut self, samples: impl Iterator<Item = i16>) -> Option<char> {
        let mut heard = None;
        for sample in samples {
            let sample = f64::from(sample);
            self.energy += sample * sample;
            for resonator in &mut self.resonators {
                resonator.take(sample);
            }
            self.samples += 1;
            if self.samples == BLOCK {
                heard = heard.or(self.end_block());
            }
        }
        heard
    }

    fn end_block(&mut self) -> Option<char> {
        let key = self.key_in_block();
        self.samples = 0;
        self.energy = 0.0;
        for resonator in &mut self.resonators {
            (resonator.previous, resonator.before) = (0.0, 0.0);
        }
        let twice = key.is_some() && key == self.last;
        self.last = key;
        match (&mut self.down, key) {
            (Some((down, missing)), Some(key)) if *down == key => *missing = 0,
            (Some((_, missing)), _) if *missing < MISSING_MAX && !twice => *missing += 1,
            (Some(_), None) => self.down = None,
            (None | Some(_), Some(key)) if twice => {
                self.down = Some((key, 0));
                return digit(key);
            }
            (None | Some(_), _) => {}
        }
        None
    }

    /// The event code of the one key in this block, if its two tones are all there is to hear.
    fn key_in_block(&self) -> Option<u8> {
        if self.energy < ENERGY_MIN {
            return None;
        }
        let powers = self.resonators.map(|resonator| resonator.power());
        let (low, high) = powers.split_at(4);
        let (row, row_power) = strongest(low)?;
        let (column, column_power) = strongest(high)?;
        let twist_fits = column_power < row_power * TWIST_HIGH_LOUDER
            && row_power < column_power * TWIST_LOW_LOUDER;
        // A tone of amplitude a has a power of (a n / 2)^2 and adds a^2 n / 2 to the energy.
        let share = (row_power + column_power) / (self.energy * BLOCK as f64 / 2.0);
        if !twist_fits || share < SHARE_MIN {
            return None;
        }
        KEYS.get(row * 4 + column).copied()
    }
}

/// The strongest, if it stands out among its group.
fn strongest(powers: &[f64]) -> Option<(usize, f64)> {
    let (index, &power) = powers.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
    let stands_out =
        powers.iter().enumerate().all(|(i, &other)| i == index || other * STANDS_OUT < power);
    stands_out.then_some((index, power))
}

impl Resonator {
    fn new(frequency_hz: f64) -> Self {
        let coefficient = 2.0 * (TAU * frequency_hz / 8_000.0).cos();
        Self { coefficient, previous: 0.0, before: 0.0 }
    }

    fn take(&mut self, sample: f64) {
        let next = sample + self.coefficient * self.previous - self.before;
        (self.before, self.previous) = (self.previous, next);
    }

    fn power(&self) -> f64 {
        self.previous * self.previous + self.before * self.before
            - self.coefficient * self.previous * self.before
    }
}

/// How much of one frequency is in a sound: the mean square of it, in sample units.
#[cfg(test)]
pub(crate) fn power(samples: &[i16], frequency_hz: f64) -> f64 {
    let mut resonator = Resonator::new(frequency_hz);
    for &sample in samples {
        resonator.take(f64::from(sample));
    }
    2.0 * resonator.power() / (samples.len() as f64).powi(2)
}

/// Low group, then high group.
const FREQUENCIES_HZ: [f64; 8] = [697.0, 770.0, 852.0, 941.0, 1_209.0, 1_336.0, 1_477.0, 1_633.0];

/// Event codes, row by row.
const KEYS: [u8; 16] = [1, 2, 3, 12, 4, 5, 6, 13, 7, 8, 9, 14, 10, 0, 11, 15];

/// Samples looked at together: 12.75 ms, so that a tone of 40 ms fills two blocks wherever it falls.
const BLOCK: usize = 102;

/// Quieter than 36 dB below the loudest sine is nobody's key.
const ENERGY_MIN: f64 = BLOCK as f64 * 260.0 * 260.0;

/// The high tone may be 6 dB louder than the low one, and the low one 9 dB louder than the high.
const TWIST_HIGH_LOUDER: f64 = 4.0;
const TWIST_LOW_LOUDER: f64 = 8.0;

/// A tone must be 8 dB above the others of its group.
const STANDS_OUT: f64 = 6.3;

/// What part of all that is heard must be the two tones: speech fails this.
const SHARE_MIN: f64 = 0.8;

/// A key stays down through so many blocks without it.
const MISSING_MAX: u8 = 2;
