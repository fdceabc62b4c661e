use super::*;
use crate::ToneSpec;

fn sound(samples: std::ops::Range<i16>) -> PlayItem {
    PlayItem::Sound(Arc::new(Sound::from_pcm(samples.map(|n| n * 100).collect())))
}

fn playlist(items: Vec<PlayItem>) -> Playlist {
    Playlist { items, repeat: Flag::Off, barge: Flag::Off, from: Duration::ZERO, gain_db: 0.0 }
}

fn play(playlist: Playlist, frame: usize, frames: usize) -> (Vec<i16>, Duration) {
    let mut player = Player::new(JobId(1), playlist);
    let mut out = Vec::new();
    for _ in 0..frames {
        if player.fill(Law::Mu, frame, &mut out) == 0 {
            break;
        }
    }
    (out.into_iter().map(|byte| Law::Mu.decode(byte)).collect(), player.heard())
}

fn close(got: &[i16], expected: impl Iterator<Item = i16>) {
    let expected: Vec<_> = expected.collect();
    assert_eq!(got.len(), expected.len());
    for (index, (got, expected)) in got.iter().zip(&expected).enumerate() {
        assert!((got - expected).abs() <= expected.abs() / 16 + 8, "{index}: {got} {expected}");
    }
}

#[test]
fn a_sound_on_its_way_is_silence_and_then_heard_from_its_start() {
    let pending = Sound::pending();
    let list = playlist(vec![PlayItem::Sound(Arc::clone(&pending)), sound(50..60)]);
    let mut player = Player::new(JobId(1), list);
    let mut out = Vec::new();
    assert_eq!(player.fill(Law::Mu, 40, &mut out), 40);
    assert_eq!(out, [Law::Mu.silence(); 40]);
    pending.fill(vec![1_000; 30]);
    out.clear();
    assert_eq!(player.fill(Law::Mu, 100, &mut out), 40);
    let samples: Vec<_> = out.into_iter().map(|byte| Law::Mu.decode(byte)).collect();
    close(&samples, std::iter::repeat_n(1_000, 30).chain((50..60).map(|n| n * 100)));
}

#[test]
fn a_sound_that_turns_out_empty_ends_even_a_list_that_repeats() {
    let pending = Sound::pending();
    let items = vec![PlayItem::Sound(Arc::clone(&pending))];
    let mut player = Player::new(JobId(1), Playlist { repeat: Flag::On, ..playlist(items) });
    assert_eq!(player.skip(160), 160);
    pending.fill(Vec::new());
    assert_eq!(player.skip(160), 0);
}

#[test]
fn items_follow_each_other_without_a_gap() {
    let list = playlist(vec![
        sound(0..100),
        PlayItem::Silence(Duration::from_micros(125 * 7)),
        sound(0..0),
        sound(50..60),
    ]);
    let (got, heard) = play(list, 40, 100);
    let expected = (0..100).chain(std::iter::repeat_n(0, 7)).chain(50..60).map(|n| n * 100);
    close(&got, expected);
    assert_eq!(heard, Duration::from_micros(125 * 117));
}

#[test]
fn from_skips_in_the_first_item_and_the_list_repeats_from_its_start() {
    let list = Playlist {
        from: Duration::from_micros(125 * 90),
        repeat: Flag::On,
        ..playlist(vec![sound(0..100), sound(10..15)])
    };
    let (got, _) = play(list, 30, 4);
    close(&got, (90..100).chain(10..15).chain(0..100).chain(10..15).map(|n| n * 100));
    let beyond =
        Playlist { from: Duration::from_secs(9), ..playlist(vec![sound(0..100), sound(10..15)]) };
    close(&play(beyond, 30, 4).0, (10..15).map(|n| n * 100));
}

#[test]
fn gain_changes_loudness_and_saturates() {
    let louder = Playlist { gain_db: 6.0206, ..playlist(vec![sound(-100..100)]) };
    close(&play(louder, 200, 1).0, (-100..100).map(|n| n * 200));
    let most = Playlist {
        gain_db: 99.0,
        ..playlist(vec![PlayItem::Sound(Arc::new(Sound::from_pcm(vec![i16::MAX, i16::MIN])))])
    };
    assert_eq!(play(most, 2, 1).0, [32_124, -32_124]);
    let nonsense = Playlist { gain_db: f32::NAN, ..playlist(vec![sound(0..9)]) };
    close(&play(nonsense, 9, 1).0, (0..9).map(|n| n * 100));
}

#[test]
fn a_list_without_sound_ends_though_it_repeats() {
    for items in [vec![], vec![sound(0..0), PlayItem::Silence(Duration::ZERO)]] {
        let list = Playlist { repeat: Flag::On, ..playlist(items) };
        assert_eq!(play(list, 160, 3).0, []);
    }
}

#[test]
fn a_tone_lasts_as_long_as_it_says_or_for_ever() {
    let spec = |length| ToneSpec { frequencies_hz: vec![440.0], cadence: vec![], length };
    let beep = playlist(vec![PlayItem::Tone(spec(Some(Duration::from_millis(100))))]);
    assert_eq!(play(beep, 1_000, 9).0.len(), 800);
    let endless = playlist(vec![PlayItem::Tone(spec(None))]);
    assert_eq!(play(endless, 160, 50).0.len(), 8_000);
}

#[test]
fn what_is_skipped_counts_as_heard() {
    let mut player = Player::new(JobId(1), playlist(vec![sound(0..100)]));
    assert_eq!(player.skip(60), 60);
    let mut out = Vec::new();
    assert_eq!(player.fill(Law::A, 60, &mut out), 40);
    assert_eq!(player.skip(60), 0);
    assert_eq!(player.heard(), Duration::from_micros(125 * 100));
}
