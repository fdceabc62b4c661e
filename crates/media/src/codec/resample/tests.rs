use std::f64::consts::TAU;

use super::*;
use crate::graph::tone_detector::power;

/// A sine of half scale at `rate_hz`, brought to 8,000 Hz and cut to its steady part.
fn through(rate_hz: u32, frequency_hz: f64) -> Vec<i16> {
    let mut to_8k = To8k::new(rate_hz).unwrap();
    let sine: Vec<f32> = (0..rate_hz)
        .map(|n| (0.5 * (TAU * frequency_hz * f64::from(n) / f64::from(rate_hz)).sin()) as f32)
        .collect();
    for piece in sine.chunks(1_152) {
        to_8k.push(piece.iter().copied());
    }
    let out = to_8k.finish();
    assert_eq!(out.len(), 8_000, "from {rate_hz} Hz");
    out[400..7_600].to_vec()
}

fn decibels(power_now: f64) -> f64 {
    let sine_of_half_scale = (0.5_f64 * 32_768.0).powi(2) / 2.0;
    10.0 * (power_now.max(1e-12) / sine_of_half_scale).log10()
}

const RATES: [u32; 10] =
    [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000];

#[test]
fn the_voice_band_is_flat_to_3400_hz() {
    for rate_hz in RATES {
        for frequency in [100.0, 300.0, 1_000.0, 2_000.0, 3_000.0, 3_300.0, 3_400.0] {
            let level = decibels(power(&through(rate_hz, frequency), frequency));
            assert!(level.abs() < 0.5, "{level:.2} dB at {frequency} Hz from {rate_hz} Hz");
        }
    }
}

#[test]
fn what_lies_above_is_not_folded_back() {
    for rate_hz in RATES.into_iter().filter(|&rate_hz| rate_hz > 8_000) {
        for frequency in [4_100.0, 4_500.0, 5_000.0, 7_000.0, 9_000.0, 12_000.0, 20_000.0] {
            if frequency >= f64::from(rate_hz) / 2.0 {
                continue;
            }
            let out = through(rate_hz, frequency);
            let square: f64 = out.iter().map(|&sample| f64::from(sample).powi(2)).sum();
            let level = decibels(square / out.len() as f64);
            assert!(level < -60.0, "{level:.1} dB of {frequency} Hz from {rate_hz} Hz");
        }
    }
}

#[test]
fn the_sound_stays_where_it_is_in_time() {
    for rate_hz in RATES {
        let mut to_8k = To8k::new(rate_hz).unwrap();
        let click = rate_hz as usize / 2;
        to_8k.push((0..rate_hz as usize).map(|n| if n == click { 0.9 } else { 0.0 }));
        let out = to_8k.finish();
        let peak = (0..out.len()).max_by_key(|&n| out[n].unsigned_abs()).unwrap();
        assert!((3_999..=4_001).contains(&peak), "{peak} from {rate_hz} Hz");
    }
}

#[test]
fn lengths_are_kept_to_a_sample_however_short() {
    for (rate_hz, samples, expected) in
        [(44_100, 0, 0), (44_100, 1, 1), (48_000, 6, 1), (48_000, 7, 2), (11_025, 441, 320)]
    {
        let mut to_8k = To8k::new(rate_hz).unwrap();
        to_8k.push(std::iter::repeat_n(0.1, samples));
        assert_eq!(to_8k.finish().len(), expected);
    }
}

#[test]
fn odd_rates_work_and_mad_ones_are_refused() {
    assert_eq!(through(44_099, 1_000.0).len(), 7_200);
    for rate_hz in [0, 999, 384_001, u32::MAX] {
        assert!(To8k::new(rate_hz).is_err());
    }
}
