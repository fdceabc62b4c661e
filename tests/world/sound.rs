//! Tones, and whether they are in what was heard. Written apart from the switch's own codecs, so that
//! it can judge them.

use std::f32::consts::TAU;

/// A sine of about -12 dBFS at 8,000 Hz.
pub(crate) fn tone(hz: f32, samples: usize) -> Vec<i16> {
    (0..samples).map(|n| ((TAU * hz * n as f32 / 8_000.0).sin() * 8_000.0) as i16).collect()
}

/// Whether at least a tenth of the power of `pcm` is at this frequency, after Goertzel.
pub(crate) fn has_tone(pcm: &[i16], hz: f32) -> bool {
    if pcm.len() < 800 {
        return false;
    }
    let coefficient = 2.0 * (TAU * hz / 8_000.0).cos();
    let (mut s1, mut s2, mut power) = (0.0_f32, 0.0_f32, 0.0_f32);
    for &sample in pcm {
        let sample = f32::from(sample);
        power += sample * sample;
        let s0 = sample + coefficient * s1 - s2;
        (s2, s1) = (s1, s0);
    }
    let at_hz = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
    let mean = power / pcm.len() as f32;
    // A pure sine of power P gives P * n / 2 here.
    mean > 100.0 && at_hz / (power * pcm.len() as f32 / 2.0) > 0.1
}

/// G.711 mu-law, from the text of the recommendation.
pub(crate) fn mu_encode(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = (i32::from(sample).abs() + 132).min(32_767);
    let exponent = (magnitude >> 7).ilog2().min(7);
    let mantissa = (magnitude >> (exponent + 3)) & 0x0f;
    !(sign | (exponent as u8) << 4 | mantissa as u8)
}

/// G.711 mu-law, the other way.
pub(crate) fn mu_decode(byte: u8) -> i16 {
    let byte = !byte;
    let exponent = (byte >> 4) & 0x07;
    let magnitude = ((i32::from(byte & 0x0f) << 3) + 132) << exponent;
    let value = magnitude - 132;
    (if byte & 0x80 != 0 { -value } else { value }) as i16
}

/// G.711 A-law, from the text of the recommendation.
pub(crate) fn a_encode(sample: i16) -> u8 {
    let sign = if sample >= 0 { 0x80 } else { 0 };
    let magnitude = (i32::from(sample).abs() >> 4).min(0x7ff);
    let byte = if magnitude < 0x20 {
        magnitude as u8
    } else {
        let exponent = magnitude.ilog2() - 3;
        let mantissa = (magnitude >> (exponent - 1)) & 0x0f;
        (exponent as u8) << 4 | mantissa as u8
    };
    (sign | byte) ^ 0x55
}

/// G.711 A-law, the other way.
pub(crate) fn a_decode(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let exponent = (byte >> 4) & 0x07;
    let mantissa = i32::from(byte & 0x0f);
    let value = if exponent == 0 {
        (mantissa << 4) + 8
    } else {
        ((mantissa << 4) + 0x108) << (exponent - 1)
    };
    (if byte & 0x80 != 0 { value } else { -value }) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_survive_both_laws() {
        let pcm = tone(1_000.0, 1_600);
        let mu: Vec<i16> = pcm.iter().map(|&s| mu_decode(mu_encode(s))).collect();
        let a: Vec<i16> = pcm.iter().map(|&s| a_decode(a_encode(s))).collect();
        for heard in [mu, a] {
            assert!(has_tone(&heard, 1_000.0));
            assert!(!has_tone(&heard, 1_100.0));
            let worst = heard.iter().zip(&pcm).map(|(a, b)| (a - b).abs()).max().unwrap();
            assert!(worst < 600, "{worst}");
        }
    }
}
