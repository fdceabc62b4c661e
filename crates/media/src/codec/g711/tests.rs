use super::*;

/// Values printed in ITU-T G.711, tables 1a to 2b, scaled to 16 bits.
#[test]
fn known_values_are_as_g711_prints_them() {
    for (law, byte, sample) in [
        (Law::Mu, 0xff, 0),
        (Law::Mu, 0x80, 32_124),
        (Law::Mu, 0x00, -32_124),
        (Law::Mu, 0xf0, 120),
        (Law::Mu, 0xef, 132),
        (Law::A, 0xd5, 8),
        (Law::A, 0x55, -8),
        (Law::A, 0xaa, 32_256),
        (Law::A, 0x2a, -32_256),
        (Law::A, 0xc5, 264),
    ] {
        assert_eq!(law.decode(byte), sample, "{law:?} {byte:#x}");
        assert_eq!(law.encode(sample), byte, "{law:?} {sample}");
    }
}

#[test]
fn each_byte_survives_decoding_and_encoding() {
    for law in [Law::Mu, Law::A] {
        for byte in 0..=255 {
            // Mu-law has two zeros.
            let expected = if (law, byte) == (Law::Mu, 0x7f) { 0xff } else { byte };
            assert_eq!(law.encode(law.decode(byte)), expected, "{law:?} {byte:#x}");
        }
    }
}

#[test]
fn each_sample_comes_back_within_half_a_step() {
    for law in [Law::Mu, Law::A] {
        for sample in i16::MIN..=i16::MAX {
            let error = (i32::from(law.decode(law.encode(sample))) - i32::from(sample)).abs();
            // Beyond the last step both laws clip.
            let clipped = (i32::from(sample).abs() - 32_124).max(0);
            let bound = ((i32::from(sample).abs() + 132) / 32 + 1).max(8) + clipped;
            assert!(error <= bound, "{law:?} {sample}: off by {error}");
        }
    }
}

#[test]
fn crossing_laws_keeps_the_sound() {
    let mu: Vec<u8> = (0..=255).collect();
    let mut a = Vec::new();
    transcode(&mu, Law::Mu, Law::A, &mut a);
    for (&mu, &a) in mu.iter().zip(&a) {
        let (was, is) = (i32::from(Law::Mu.decode(mu)), i32::from(Law::A.decode(a)));
        assert!((was - is).abs() <= (was.abs() / 24).max(16), "{was} became {is}");
    }
    let mut back = Vec::new();
    transcode(&a, Law::A, Law::Mu, &mut back);
    assert_eq!(back.len(), 256);
    let mut same = Vec::new();
    transcode(&mu, Law::Mu, Law::Mu, &mut same);
    assert_eq!(same, mu);
}

#[test]
fn silence_is_near_zero() {
    assert_eq!(Law::Mu.decode(Law::Mu.silence()), 0);
    assert_eq!(Law::A.decode(Law::A.silence()), 8);
}
