use super::*;
use crate::graph::tone::Tone;
use crate::rtp::dtmf;

fn press(keys: &str, down: usize, up: usize) -> Vec<i16> {
    let mut sound = vec![0; 777];
    for key in keys.chars() {
        let mut tone = vec![0; down];
        Tone::key(dtmf::event(key).unwrap()).fill(0, &mut tone);
        sound.extend(tone);
        sound.extend(std::iter::repeat_n(0, up));
    }
    sound
}

fn hear(sound: &[i16]) -> String {
    let mut detector = ToneDetector::new();
    let mut heard = String::new();
    for frame in sound.chunks(160) {
        heard.extend(detector.handle_samples(frame.iter().copied()));
    }
    heard
}

#[test]
fn each_key_is_heard_once_however_long_it_is_held() {
    let keys = "1234567890*#ABCD";
    for down in [400, 800, 8_000] {
        assert_eq!(hear(&press(keys, down, 400)), keys, "{down} samples");
    }
}

#[test]
fn one_key_pressed_again_is_heard_again() {
    assert_eq!(hear(&press("5555", 400, 480)), "5555");
}

#[test]
fn noise_below_the_tones_does_not_hide_them() {
    let mut random = fastrand::Rng::with_seed(3);
    let noisy: Vec<_> =
        press("0918", 640, 640).into_iter().map(|sample| sample + random.i16(-600..600)).collect();
    assert_eq!(hear(&noisy), "0918");
}

#[test]
fn single_tones_noise_and_a_gliding_voice_are_no_keys() {
    let mut random = fastrand::Rng::with_seed(5);
    let noise: Vec<_> = (0..80_000).map(|_| random.i16(-8_000..8_000)).collect();
    assert_eq!(hear(&noise), "");
    for frequency in [697.0_f64, 941.0, 1_209.0, 1_633.0, 1_000.0] {
        let tone: Vec<_> = (0..8_000)
            .map(|n| ((TAU * frequency * f64::from(n) / 8_000.0).sin() * 8_000.0) as i16)
            .collect();
        assert_eq!(hear(&tone), "", "{frequency} Hz");
    }
    // A pulse train whose pitch wanders from 90 to 250 Hz has harmonics everywhere, like a voice.
    let mut phase = 0.0_f64;
    let voice: Vec<_> = (0..400_000)
        .map(|n| {
            let pitch = 170.0 + 80.0 * (f64::from(n) / 9_000.0).sin();
            phase = (phase + pitch / 8_000.0).fract();
            ((1.0 - 2.0 * phase) * 9_000.0) as i16
        })
        .collect();
    assert_eq!(hear(&voice), "");
}

#[test]
fn a_tone_too_short_for_a_key_is_not_heard() {
    assert_eq!(hear(&press("5", 120, 800)), "");
}
