use super::*;

/// Feeds `(timestamp, event, duration, flags)`, where flags may hold `M` for the marker and `E` for
/// the end, and compares the keys heard.
#[track_caller]
fn check(packets: &[(u32, u8, u16, &str)], heard: &str) {
    let mut receiver = DigitReceiver::default();
    let got: String = packets
        .iter()
        .filter_map(|&(timestamp, event, duration, flags)| {
            let end = if flags.contains('E') { 0x80 } else { 0 };
            let [high, low] = duration.to_be_bytes();
            receiver.handle_packet(&Rtp {
                marker: flags.contains('M'),
                payload_type: 101,
                sequence: 0,
                timestamp,
                ssrc: 1,
                payload: &[event, end | 10, high, low],
            })
        })
        .collect();
    assert_eq!(got, heard);
}

#[test]
fn a_press_told_in_many_packets_is_heard_once() {
    check(
        &[
            (1_000, 5, 160, "M"),
            (1_000, 5, 320, ""),
            (1_000, 5, 480, "E"),
            (1_000, 5, 480, "E"),
            (1_000, 5, 480, "E"),
        ],
        "5",
    );
}

#[test]
fn two_presses_of_one_key_are_two() {
    check(&[(1_000, 11, 480, "E"), (2_000, 11, 160, "M"), (2_000, 11, 320, "E")], "##");
}

#[test]
fn a_lost_start_or_a_lost_end_loses_no_key() {
    check(&[(1_000, 1, 480, "E"), (3_000, 2, 160, "M"), (5_000, 3, 320, "")], "123");
    check(&[(1_000, 4, 160, "M"), (9_000, 4, 160, "M"), (17_000, 4, 160, "M")], "444");
}

#[test]
fn a_late_packet_of_an_earlier_press_is_not_a_press() {
    check(&[(1_000, 1, 480, "E"), (3_000, 2, 160, "M"), (1_000, 1, 480, "E")], "12");
}

/// RFC 4733 §2.5.1.3.
#[test]
fn a_press_longer_than_a_segment_is_one() {
    check(
        &[(0, 7, 160, "M"), (0, 7, 65_535, ""), (65_535, 7, 160, ""), (65_535, 7, 800, "E")],
        "7",
    );
}

#[test]
fn a_sender_that_moves_the_timestamp_is_understood() {
    check(&[(100, 9, 160, "M"), (260, 9, 320, ""), (420, 9, 480, ""), (580, 9, 640, "E")], "9");
}

#[test]
fn timestamps_may_wrap() {
    check(&[(u32::MAX - 100, 1, 480, "E"), (5_000, 1, 160, "M")], "11");
}

#[test]
fn flash_and_junk_are_no_keys() {
    check(&[(1, 16, 160, "M"), (2, 255, 160, "E")], "");
    let mut receiver = DigitReceiver::default();
    for payload in [&b""[..], &[1], &[1, 0, 0]] {
        let rtp =
            Rtp { marker: true, payload_type: 101, sequence: 0, timestamp: 0, ssrc: 0, payload };
        assert_eq!(receiver.handle_packet(&rtp), None);
    }
}

#[test]
fn keys_and_codes_match() {
    for (code, key) in "0123456789*#ABCD".chars().enumerate() {
        assert_eq!(event(key), Some(code as u8));
        assert_eq!(digit(code as u8), Some(key));
    }
    assert_eq!(event('b'), Some(13));
    assert_eq!(event('x'), None);
}

/// RFC 4733 §2.5.1.4.
#[test]
fn a_sent_key_lasts_100_ms_and_ends_three_times() {
    let mut sender = DigitSender::default();
    sender.push("8x#");
    let mut story = Vec::new();
    for frame in 0.. {
        let Some(_) = sender.next_frame(160) else { break };
        let Some(packet) = sender.event_packet() else { continue };
        sender.started_at(1_000 + frame * 160);
        let [event, flags, high, low] = packet.payload(packet.duration as u16);
        let duration = u16::from_be_bytes([high, low]);
        story.push((frame, event, duration, flags & 0x80 != 0, packet.timestamp, packet.marker));
    }
    let one_key = |first: u32, event: u8| {
        let timestamp = 1_000 + first * 160;
        (0..8).map(move |index| {
            let duration = ((index + 1) * 160).min(800) as u16;
            let known = (index > 0).then_some(timestamp);
            (first + index, event, duration, index >= 5, known, index == 0)
        })
    };
    assert_eq!(story, one_key(0, 8).chain(one_key(10, 11)).collect::<Vec<_>>());
    assert!(sender.is_idle());
}

#[test]
fn no_more_than_64_keys_wait() {
    let mut sender = DigitSender::default();
    sender.push(&"1".repeat(100));
    sender.push("2");
    let mut downs = 0;
    while let Some(frame) = sender.next_frame(800) {
        downs += usize::from(matches!(frame, DigitFrame::Down { .. }));
    }
    assert_eq!(downs, 64);
}
