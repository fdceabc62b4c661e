use std::f64::consts::TAU;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::graph::tone_detector::power;
use crate::{Codec, wav};

/// Each a tone of 1 kHz.
const FIXTURES: [(&str, &[u8], u32, u16); 8] = [
    ("a.mp3", include_bytes!("../../tests/data/tone-44100-stereo.mp3"), 44_100, 2),
    ("a.flac", include_bytes!("../../tests/data/tone-11025-mono.flac"), 11_025, 1),
    ("six.FLAC", include_bytes!("../../tests/data/tone-8000-six.flac"), 8_000, 6),
    ("a.ogg", include_bytes!("../../tests/data/tone-48000-stereo.ogg"), 48_000, 2),
    ("a.m4a", include_bytes!("../../tests/data/tone-32000-mono.m4a"), 32_000, 1),
    ("a.aac", include_bytes!("../../tests/data/tone-22050-stereo.aac"), 22_050, 2),
    ("a.aiff", include_bytes!("../../tests/data/tone-16000-mono.aiff"), 16_000, 1),
    ("a.wav", include_bytes!("../../tests/data/tone-16000-adpcm.wav"), 16_000, 1),
];

fn sine(rate_hz: u32, frequency_hz: f64, samples: usize) -> impl Iterator<Item = f64> {
    (0..samples).map(move |n| (TAU * frequency_hz * n as f64 / f64::from(rate_hz)).sin())
}

/// Says what part of the sound, once it is steady, is 1 kHz.
fn purity(samples: &[i16]) -> f64 {
    let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
    let whole: f64 =
        middle.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / middle.len() as f64;
    assert!(whole > 100_000.0, "too quiet: {whole}");
    power(middle, 1_000.0) / whole
}

#[test]
fn every_format_sounds_as_it_should_at_any_rate_and_channel_count() {
    for (name, bytes, rate_hz, channels) in FIXTURES {
        let pcm = decode(name, bytes.to_vec()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((pcm.source_rate_hz, pcm.source_channels), (rate_hz, channels), "{name}");
        let purity = purity(&pcm.samples);
        assert!(purity > 0.98, "{name}: {purity}");
        let length = pcm.samples.len();
        assert!(
            [800, 2_000, 2_400, 3_200, 4_000].iter().any(|&l| length.abs_diff(l) < 500),
            "{name} {length}"
        );
    }
}

#[test]
fn a_file_without_a_name_is_known_by_how_it_begins() {
    for (name, bytes, ..) in FIXTURES {
        let named = decode(name, bytes.to_vec()).unwrap();
        assert_eq!(decode_unnamed(bytes.to_vec()), Ok(named), "{name}");
    }
    let au = [&b".snd\0\0\0\x18\xff\xff\xff\xff\0\0\0\x01\0\0\x1f\x40\0\0\0\x01"[..], &[0xD5; 800]];
    assert_eq!(decode_unnamed(au.concat()).unwrap().samples.len(), 800);
    assert_eq!(decode_unnamed(Vec::new()), Err(DecodeError::Empty));
    for text in ["<html>no such voice</html>", "{}", "R", "RIF", "1234567890123"] {
        let refused = decode_unnamed(text.as_bytes().to_vec());
        let flaw = "it begins like no sound file";
        assert_eq!(refused, Err(DecodeError::Unreadable { flaw }), "{text}");
    }
}

#[test]
fn a_wav_file_whose_writer_did_not_know_its_length_is_heard_to_its_end() {
    let whole = wav(&[1_000; 4_000]);
    // As several programs write it: the length of all, and of the sound.
    for (all, sound) in [
        (0x7FFF_F024_u32, 0x7FFF_F000_u32),
        (0xFFFF_FFFF, 0xFFFF_FFFF),
        (0xFFFF_FFFF, 0xFFFF_FFDB),
        (0, 0),
        (0, 0xFFFF_FFFF),
    ] {
        let mut piped = whole.clone();
        piped[4..8].copy_from_slice(&all.to_le_bytes());
        piped[40..44].copy_from_slice(&sound.to_le_bytes());
        for cut in [0, 1] {
            let piped = piped[..piped.len() - cut].to_vec();
            let heard = decode_unnamed(piped).map(|pcm| pcm.samples.len());
            assert_eq!(heard, Ok(4_000 - cut), "{all:x} {sound:x}");
        }
    }
    assert_eq!(decode_unnamed(whole).unwrap().samples.len(), 4_000);
}

#[test]
fn a_file_is_measured_as_long_as_it_is_decoded() {
    for (name, bytes, _, _) in FIXTURES {
        let decoded = Sound::from(decode(name, bytes.to_vec()).unwrap()).length();
        let measured = measure(name, bytes.to_vec()).unwrap();
        assert!(
            decoded.abs_diff(measured) <= Duration::from_millis(20),
            "{name}: {decoded:?} {measured:?}"
        );
    }
    for (name, bytes) in [("a.ulaw", vec![0xff; 800]), ("a.al-8000", vec![0xd5; 800])] {
        assert_eq!(measure(name, bytes), Ok(Duration::from_millis(100)), "{name}");
    }
    assert_eq!(measure("a.ogg", Vec::new()), Err(DecodeError::Empty));
    assert!(measure("a.wav", b"RIFF?".to_vec()).is_err());
    assert!(measure("a.txt", b"no sound".to_vec()).is_err());
}

fn wav_file(format: u16, bits: u16, rate_hz: u32, channels: u16, data: &[u8]) -> Vec<u8> {
    let frame = channels * bits / 8;
    let mut file = b"RIFF".to_vec();
    file.extend((38 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x12\0\0\0");
    file.extend(format.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate_hz.to_le_bytes());
    file.extend((rate_hz * u32::from(frame)).to_le_bytes());
    file.extend(frame.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend([0, 0]);
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

#[test]
fn wav_of_every_width_is_read() {
    let sound = || sine(48_000, 1_000.0, 24_000).map(|x| x * 0.5);
    let sixteen: Vec<u8> =
        sound().flat_map(|x| ((x * 32_767.0) as i16).to_le_bytes().repeat(2)).collect();
    let eight: Vec<u8> = sound().map(|x| (x * 127.0 + 128.0) as u8).collect();
    let float: Vec<u8> = sound().flat_map(|x| (x as f32).to_le_bytes()).collect();
    let mu: Vec<u8> = sound().map(|x| Law::Mu.encode((x * 32_767.0) as i16)).collect();
    for (format, bits, channels, data) in
        [(1, 16, 2, sixteen), (1, 8, 1, eight), (3, 32, 1, float), (7, 8, 1, mu)]
    {
        let pcm = decode("x.wav", wav_file(format, bits, 48_000, channels, &data)).unwrap();
        assert_eq!(pcm.samples.len(), 4_000, "format {format}, {bits} bits");
        assert!(purity(&pcm.samples) > 0.99);
        let peak = pcm.samples.iter().map(|s| s.unsigned_abs()).max().unwrap();
        assert!((15_800..=16_900).contains(&peak), "format {format}, {bits} bits: {peak}");
    }
}

#[test]
fn what_we_write_as_wav_is_read_back_to_the_sample() {
    let samples: Vec<i16> = sine(8_000, 440.0, 999).map(|x| (x * 30_000.0) as i16).collect();
    let pcm = decode("export.wav", wav(&samples)).unwrap();
    assert_eq!(pcm.samples, samples);
}

#[test]
fn raw_g711_is_read_by_its_ending() {
    let samples: Vec<i16> = sine(8_000, 1_000.0, 4_000).map(|x| (x * 20_000.0) as i16).collect();
    let sound = Arc::new(Sound::from_pcm(samples));
    for (codec, endings) in [
        (Codec::Pcmu, ["pcmu", "ulaw", "ul", "PCMU-8000"]),
        (Codec::Pcma, ["pcma", "alaw", "al", "pcma-8000"]),
    ] {
        for ending in endings {
            let bytes = sound.encoded(codec).unwrap().to_vec();
            let pcm = decode(&format!("dir.wav/announcement.{ending}"), bytes.clone()).unwrap();
            assert_eq!(pcm.samples.len(), 4_000);
            assert!(purity(&pcm.samples) > 0.99);
            assert_eq!(Sound::from(pcm).encoded(codec).unwrap(), bytes);
        }
    }
    assert_eq!(sound.encoded(Codec::Opaque { rate_hz: 48_000 }), None);
}

#[test]
fn au_files_of_every_encoding_are_read() {
    let samples: Vec<i16> = sine(16_000, 1_000.0, 8_000).map(|x| (x * 20_000.0) as i16).collect();
    let au = |encoding: u32, data: Vec<u8>| {
        let mut file = b".snd".to_vec();
        for field in [28, u32::MAX, encoding, 16_000, 1, 0] {
            file.extend(u32::to_be_bytes(field));
        }
        file.extend(data);
        file
    };
    let wide = |width: usize| {
        samples.iter().flat_map(|&s| (i32::from(s) << 16).to_be_bytes()[..width].to_vec()).collect()
    };
    let law = |law: Law| samples.iter().map(|&s| law.encode(s)).collect::<Vec<_>>();
    let float = samples.iter().flat_map(|&s| (f32::from(s) / 32_768.0).to_be_bytes()).collect();
    for (encoding, data) in [
        (1, law(Law::Mu)),
        (27, law(Law::A)),
        (2, wide(1)),
        (3, wide(2)),
        (4, wide(3)),
        (5, wide(4)),
        (6, float),
    ] {
        let pcm = decode("x.au", au(encoding, data)).unwrap();
        assert_eq!(pcm.samples.len(), 4_000, "encoding {encoding}");
        assert!(purity(&pcm.samples) > 0.99, "encoding {encoding}");
    }
    let unknown = decode("x.au", au(23, vec![0; 100])).unwrap_err();
    assert!(unknown.to_string().contains("encoding"), "{unknown}");
}

#[test]
fn errors_say_what_is_wrong() {
    let check = |name: &str, bytes: &[u8], says: &str| {
        let error = decode(name, bytes.to_vec()).unwrap_err().to_string();
        assert!(error.contains(says), "{name}: {error}");
    };
    check("hello.txt", b"hello", "`txt`");
    check("hello", b"hello", "known are wav");
    check("hello.d/file", b"hello", "ending ``");
    check("hello.pcmu-16000", &[0; 100], "16000 Hz");
    check("hello.pcmu-fast", &[0; 100], "`pcmu-fast`");
    check("hello.ulaw", b"", "no sound");
    check("hello.wav", b"", "no sound");
    check("hello.wav", b"this is not a wave file at all, is it?", "cannot be read");
    check("hello.wav", &wav(&[]), "no sound");
    check("hello.wav", &wav_file(1, 16, 500, 1, &[0; 100]), "500 Hz");
    check("hello.au", b".snd", ".au header");
    check("hello.ulaw", &vec![0; LENGTH_MAX_S * 8_000 + 1], "30 minutes");
    check(
        "hello.wav",
        &wav_file(1, 8, 1_000, 1, &vec![0; LENGTH_MAX_S * 1_000 + 99]),
        "30 minutes",
    );
}

/// One reader multiplies the width of a sample with the channels in 16 bits.
#[test]
fn a_reader_that_panics_means_a_file_that_cannot_be_read() {
    let (_, aiff, ..) = FIXTURES[6];
    let comm = aiff.windows(4).position(|window| window == b"COMM").unwrap();
    let mut bytes = aiff.to_vec();
    bytes[comm + 8..comm + 10].copy_from_slice(&[0x80, 1]);
    let error = decode("x.aiff", bytes).unwrap_err();
    assert!(matches!(error, DecodeError::Unreadable { .. }), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn broken_files_do_no_harm(
        which in 0..FIXTURES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        keep in 1_usize..=4,
    ) {
        let (name, bytes, ..) = FIXTURES[which];
        let mut bytes = bytes[..bytes.len() * keep / 4].to_vec();
        for (index, value) in changes {
            let index = index.index(bytes.len());
            bytes[index] = value;
        }
        // It may be measured as anything, and must only come back.
        drop(measure(name, bytes.clone()));
        drop(decode_unnamed(bytes.clone()));
        if let Ok(pcm) = decode(name, bytes) {
            prop_assert!(pcm.samples.len() <= LENGTH_MAX_S * 8_000);
        }
    }
}
