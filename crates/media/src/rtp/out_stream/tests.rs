use super::*;

fn stream() -> OutStream {
    OutStream::new(&mut fastrand::Rng::with_seed(7))
}

fn packet(ssrc: u32, sequence: u16, timestamp: u32) -> Rtp<'static> {
    Rtp { marker: false, payload_type: 0, sequence, timestamp, ssrc, payload: b"" }
}

/// Feeds packets `(ms, source, sequence, timestamp)` and compares `(sequence, timestamp, marker)`
/// relative to the first sent.
#[track_caller]
fn check(input: &[(u64, u32, u16, u32)], expected: &[Option<(i16, i32, bool)>]) {
    let mut stream = stream();
    let start = Instant::now();
    let mut first = None;
    let got: Vec<_> = input
        .iter()
        .map(|&(ms, ssrc, sequence, timestamp)| {
            let now = start + Duration::from_millis(ms);
            let rtp = packet(ssrc, sequence, timestamp);
            stream.relay(now, LegId(1), &rtp, 8_000).map(|stamp| {
                let first = *first.get_or_insert(stamp);
                assert_eq!(stamp.ssrc, first.ssrc);
                (
                    sequence_distance(first.sequence, stamp.sequence),
                    timestamp_distance(first.timestamp, stamp.timestamp),
                    stamp.marker,
                )
            })
        })
        .collect();
    assert_eq!(got, expected);
}

#[test]
fn loss_and_order_of_a_source_are_kept() {
    check(
        &[(0, 1, 10, 100), (20, 1, 12, 420), (25, 1, 11, 260), (80, 1, 14, 740)],
        &[Some((0, 0, true)), Some((2, 320, false)), Some((1, 160, false)), Some((4, 640, false))],
    );
}

#[test]
fn a_new_source_continues_where_the_old_one_stopped() {
    check(
        &[
            (0, 1, 65_535, u32::MAX),
            (20, 1, 0, 159),
            (1_020, 2, 5_000, 77),
            (1_040, 2, 5_001, 237),
            (1_045, 3, 9, 9),
        ],
        &[
            Some((0, 0, true)),
            Some((1, 160, false)),
            Some((2, 8_160, true)),
            Some((3, 8_320, false)),
            Some((4, 8_480, true)),
        ],
    );
}

#[test]
fn a_packet_from_before_the_switch_is_not_sent() {
    check(
        &[(0, 1, 10, 100), (20, 2, 50, 1_000), (21, 2, 49, 840), (40, 2, 51, 1_160)],
        &[Some((0, 0, true)), Some((1, 160, true)), None, Some((2, 320, false))],
    );
}

#[test]
fn a_jump_in_sequence_is_a_new_source() {
    check(
        &[(0, 1, 10, 100), (20, 1, 20_000, 9_999_999), (40, 1, 20_001, 10_000_159)],
        &[Some((0, 0, true)), Some((1, 160, true)), Some((2, 320, false))],
    );
}

#[test]
fn our_own_frames_are_spaced_by_their_length_whenever_they_are_sent() {
    let mut stream = stream();
    let start = Instant::now();
    let at = |ms| start + Duration::from_millis(ms);
    let first = stream.own(at(0), 160, 8_000);
    assert!(first.marker);
    let second = stream.own(at(27), 160, 8_000);
    assert!(!second.marker);
    assert_eq!(timestamp_distance(first.timestamp, second.timestamp), 160);
    stream.skip(160);
    let fourth = stream.own(at(60), 160, 8_000);
    assert!(fourth.marker, "sound is missing before it");
    assert_eq!(timestamp_distance(first.timestamp, fourth.timestamp), 480);
    assert_eq!(sequence_distance(first.sequence, fourth.sequence), 2);
    stream.end_own();
    let relayed = stream.relay(at(560), LegId(2), &packet(9, 1, 1), 8_000).unwrap();
    assert_eq!(timestamp_distance(fourth.timestamp, relayed.timestamp), 4_000);
    assert_eq!(sequence_distance(fourth.sequence, relayed.sequence), 1);
    let own = stream.own(at(580), 160, 8_000);
    assert!(own.marker);
    assert_eq!(timestamp_distance(relayed.timestamp, own.timestamp), 160);
}

#[test]
fn other_clock_rates_count_in_their_own_ticks() {
    let mut stream = stream();
    let start = Instant::now();
    let first = stream.relay(start, LegId(1), &packet(1, 1, 1), 48_000).unwrap();
    let now = start + Duration::from_millis(100);
    let other = stream.relay(now, LegId(1), &packet(2, 1, 1), 48_000).unwrap();
    assert_eq!(timestamp_distance(first.timestamp, other.timestamp), 4_800);
}
