use super::*;
use crate::codec::g711::Law;
use crate::graph::tone::Tone;

fn without_events(leg: LegId) -> Stream {
    Stream { dtmf_payload_type: None, receive_dtmf_payload_type: None, ..stream(leg) }
}

/// Says a key as a tone of 60 ms and a pause of as much.
fn press_tone(world: &mut World, leg: LegId, key: char) {
    let tone = Tone::key(rtp::dtmf::event(key).unwrap());
    for frame in 0..6 {
        let mut samples = [0; 160];
        if frame < 3 {
            tone.fill(frame * 160, &mut samples);
        }
        let payload = samples.map(|sample| Law::Mu.encode(sample));
        world.say(leg, 0, &payload);
    }
}

#[test]
fn a_key_is_told_once_and_crosses_the_bridge_with_the_far_number() {
    let mut world = World::new();
    world.open(A, stream(A));
    world.open(
        B,
        Stream { dtmf_payload_type: Some(96), receive_dtmf_payload_type: Some(96), ..stream(B) },
    );
    world.command(Command::Bridge { a: A, b: B });
    world.press(A, '7');
    world.press(A, '7');
    assert_eq!(world.digits(), "77");
    let sent = world.take_sent();
    assert_eq!(sent.len(), 10);
    assert!(sent.iter().all(|s| s.packet.header.payload_type == 96 && s.packet.payload[0] == 7));
    let stamps: Vec<_> = sent.iter().map(|s| s.packet.header.timestamp).collect();
    assert!(stamps[..5].iter().all(|&t| t == stamps[0]));
    assert!(stamps[5..].iter().all(|&t| t == stamps[0].wrapping_add(800)));
}

#[test]
fn a_peer_may_send_by_other_numbers_than_it_takes() {
    let mut world = World::new();
    let renumbered = Stream {
        payload_type: 107,
        receive_payload_type: 97,
        dtmf_payload_type: Some(108),
        receive_dtmf_payload_type: Some(98),
        ..stream(A)
    };
    world.open(A, renumbered);
    world.open(B, stream(B));
    world.command(Command::Bridge { a: A, b: B });
    world.say(A, 97, &[3; 160]);
    world.say(A, 107, &[3; 160]);
    world.say(B, 0, &[3; 160]);
    let sent = world.take_sent();
    let types: Vec<_> = sent.iter().map(|s| (s.leg, s.packet.header.payload_type)).collect();
    assert_eq!(types, [(B, 0), (A, 107)], "the number that was not agreed is not heard");
}

#[test]
fn a_peer_without_events_hears_the_key_as_a_tone() {
    let mut world = World::new();
    world.open(A, stream(A));
    world.open(B, without_events(B));
    world.command(Command::Bridge { a: A, b: B });
    world.press(A, '5');
    world.run(300);
    let sent = world.take_sent();
    assert_one_stream(&sent, B);
    let sound = heard(&sent, B, Law::Mu);
    assert_eq!(sound.len(), 1_600);
    assert!(power(&sound[..800], 770.0) > 4e6 && power(&sound[..800], 1_336.0) > 4e6);
    assert!(sound[800..].iter().all(|&sample| sample == 0));
    world.say(A, 0, &[3; 160]);
    assert_eq!(world.take_sent().len(), 1, "and then the peer again");
    assert_eq!(world.engine.poll_timeout(), None);
}

#[test]
fn a_key_stops_a_playback_that_allows_it() {
    for (barge, ends) in [(Flag::On, true), (Flag::Off, false)] {
        let mut world = World::with_two();
        let list = Playlist { barge, ..playlist(vec![tone(440.0)]) };
        world.command(Command::Play { leg: A, job: JOB, playlist: list });
        world.run(500);
        world.press(A, '#');
        let events = world.take_events();
        assert_eq!(events[1], Event::Digit { leg: A, digit: '#' });
        let ended = Event::PlayEnded {
            leg: A,
            job: JOB,
            digit: Some('#'),
            heard: Duration::from_millis(520),
        };
        assert_eq!(events.get(2), ends.then_some(&ended));
        assert_eq!(world.engine.poll_timeout().is_none(), ends);
    }
}

#[test]
fn tones_are_heard_from_a_peer_without_events_unless_bridged() {
    let mut world = World::new();
    world.open(A, without_events(A));
    world.open(B, stream(B));
    for key in "147*0#".chars() {
        press_tone(&mut world, A, key);
    }
    assert_eq!(world.digits(), "147*0#");
    world.command(Command::Bridge { a: A, b: B });
    press_tone(&mut world, A, '9');
    assert_eq!(world.digits(), "147*0#");
    press_tone(&mut world, B, '9');
    assert_eq!(world.digits(), "147*0#", "B has events");
}

/// RFC 4733 §2.5.1: one timestamp for one event, three ends, and what follows is spaced by the clock.
#[test]
fn keys_are_sent_as_events_between_the_frames_of_a_playback() {
    let mut world = World::with_one();
    world.play(A, JOB, vec![tone(440.0)]);
    world.run(99);
    world.command(Command::SendDigits { leg: A, digits: "1#".into() });
    world.run(500);
    let sent = world.take_sent();
    let events: Vec<_> = sent
        .iter()
        .filter(|sent| sent.packet.header.payload_type == 101)
        .map(|sent| {
            let payload = &sent.packet.payload;
            let duration = u16::from_be_bytes([payload[2], payload[3]]);
            (sent.ms, payload[0], duration, payload[1] & 0x80 != 0, sent.packet.header.marker)
        })
        .collect();
    let key = |start: u128, event| {
        (0..8_u16).map(move |n| {
            let ms = start + 20 * u128::from(n);
            (ms, event, ((n + 1) * 160).min(800), n >= 5, n == 0)
        })
    };
    assert_eq!(events, key(100, 1).chain(key(300, 11)).collect::<Vec<_>>());
    let packets: Vec<_> = sent.iter().map(|sent| sent.packet.header.sequence_number).collect();
    assert!(packets.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)));
    let sounds: Vec<_> =
        sent.iter().filter(|sent| sent.packet.header.payload_type == 0).cloned().collect();
    for sound in &sounds {
        let since = sound.packet.header.timestamp.wrapping_sub(sounds[0].packet.header.timestamp);
        assert_eq!(u128::from(since), sound.ms * 8);
    }
}

#[test]
fn an_unknown_codec_still_sends_keys_in_its_own_clock() {
    let mut world = World::new();
    world.open(
        A,
        Stream {
            codec: Codec::Opaque { rate_hz: 48_000 },
            payload_type: 111,
            receive_payload_type: 111,
            ..stream(A)
        },
    );
    world.command(Command::SendDigits { leg: A, digits: "3".into() });
    world.run(1_000);
    let durations: Vec<_> = world
        .sent
        .iter()
        .map(|sent| u16::from_be_bytes([sent.packet.payload[2], sent.packet.payload[3]]))
        .collect();
    assert_eq!(durations, [960, 1_920, 2_880, 3_840, 4_800, 4_800, 4_800, 4_800]);
    assert_eq!(world.engine.poll_timeout(), None);
}

#[test]
fn relayed_sound_waits_while_keys_are_sent() {
    let mut world = World::with_two();
    world.command(Command::Bridge { a: A, b: B });
    world.say(A, 0, &[1; 160]);
    world.command(Command::SendDigits { leg: B, digits: "9".into() });
    for _ in 0..20 {
        world.say(A, 0, &[1; 160]);
    }
    let sent = world.take_sent();
    let kinds: String =
        sent.iter().map(|s| if s.packet.header.payload_type == 101 { 'k' } else { 's' }).collect();
    assert_eq!(kinds, "skkkkkkkkssssssssss");
    let numbers: Vec<_> = sent.iter().map(|s| s.packet.header.sequence_number).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)));
}
