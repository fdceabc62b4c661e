use std::time::Duration;

use super::*;
use crate::graph::tone_detector::power;

fn tone(frequencies_hz: &[f32], cadence_ms: &[u64], length_ms: Option<u64>) -> Tone {
    Tone::new(&ToneSpec {
        frequencies_hz: frequencies_hz.to_vec(),
        cadence: cadence_ms.iter().map(|&ms| Duration::from_millis(ms)).collect(),
        length: length_ms.map(Duration::from_millis),
    })
}

fn samples(tone: &Tone, from: u64, count: usize) -> Vec<i16> {
    let mut out = vec![0; count];
    tone.fill(from, &mut out);
    out
}

#[test]
fn two_frequencies_sound_and_no_others() {
    let sound = samples(&tone(&[440.0, 480.0], &[], None), 800, 8_000);
    let total: f64 = power(&sound, 440.0) + power(&sound, 480.0);
    for other in [400.0, 460.0, 500.0, 880.0, 960.0, 1_440.0, 3_000.0] {
        assert!(power(&sound, other) < total / 1e6, "{other} Hz");
    }
    let peak = sound.iter().map(|sample| sample.abs()).max().unwrap();
    assert!((8_000..=8_192).contains(&peak), "{peak}");
}

#[test]
fn cut_into_frames_it_is_the_same_as_in_one_piece_even_after_a_day() {
    let tone = tone(&[425.0, 1_234.5], &[], None);
    for start in [0, 8_000 * 86_400] {
        let whole = samples(&tone, start, 1_600);
        for (index, frame) in whole.chunks(160).enumerate() {
            let alone = samples(&tone, start + 160 * index as u64, 160);
            for (a, b) in frame.iter().zip(&alone) {
                assert!((a - b).abs() <= 1);
            }
        }
    }
}

#[test]
fn a_cadence_turns_it_on_and_off_for_ever() {
    let tone = tone(&[425.0], &[100, 200], None);
    for round in [0, 1, 1_000] {
        let sound = samples(&tone, round * 2_400, 2_400);
        let loud = |range: std::ops::Range<usize>| {
            sound[range].iter().map(|sample| i32::from(sample.abs())).max().unwrap()
        };
        assert!(loud(0..800) > 8_000);
        assert_eq!(loud(800..2_400), 0);
    }
}

#[test]
fn edges_swell_and_fade_instead_of_clicking() {
    let sound = samples(&tone(&[1_000.0], &[], Some(100)), 0, 800);
    assert!(sound[..4].iter().chain(&sound[797..]).all(|sample| sample.abs() < 1_200));
}

#[test]
fn nonsense_makes_no_sound_and_no_harm() {
    for frequencies in [&[][..], &[f32::NAN], &[f32::INFINITY, -1.0e30]] {
        let tone = tone(frequencies, &[0, 0], Some(0));
        assert_eq!(samples(&tone, u64::MAX - 200, 160).len(), 160);
        assert_eq!(tone.length(), 0);
    }
}
