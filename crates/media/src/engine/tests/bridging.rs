use super::*;
use crate::codec::g711::Law;

fn bridged() -> World {
    let mut world = World::with_two();
    world.command(Command::Bridge { a: A, b: B });
    world
}

#[test]
fn each_hears_the_other_untouched_and_no_timer_runs() {
    let mut world = bridged();
    assert_eq!(world.engine.poll_timeout(), None);
    for n in 0..50 {
        world.say(A, 0, &[n; 160]);
        world.say(B, 0, &[n + 100; 160]);
    }
    assert_eq!(world.engine.poll_timeout(), None);
    let sent = world.take_sent();
    assert_eq!(sent.len(), 100);
    for (index, pair) in sent.chunks(2).enumerate() {
        assert_eq!((pair[0].leg, pair[0].to), (B, peer(B)));
        assert_eq!((pair[1].leg, pair[1].to), (A, peer(A)));
        assert!(pair[0].packet.payload.iter().all(|&byte| byte == index as u8));
        assert!(pair[1].packet.payload.iter().all(|&byte| byte == index as u8 + 100));
    }
    assert_one_stream(&sent.iter().filter(|s| s.leg == A).cloned().collect::<Vec<_>>(), A);
}

#[test]
fn a_law_and_mu_law_meet() {
    let mut world = World::new();
    world.open(A, stream(A));
    world.open(
        B,
        Stream { codec: Codec::Pcma, payload_type: 8, receive_payload_type: 8, ..stream(B) },
    );
    world.command(Command::Bridge { a: A, b: B });
    world.say(A, 0, &[Law::Mu.encode(5_000); 160]);
    world.say(B, 8, &[Law::A.encode(-5_000); 160]);
    let sent = world.take_sent();
    assert_eq!(sent[0].packet.header.payload_type, 8);
    assert_eq!(sent[1].packet.header.payload_type, 0);
    assert!(heard(&sent, B, Law::A).iter().all(|&sample| (4_700..5_300).contains(&sample)));
    assert!(heard(&sent, A, Law::Mu).iter().all(|&sample| (-5_300..-4_700).contains(&sample)));
}

#[test]
fn unknown_codecs_are_relayed_as_they_are_and_never_into_known_ones() {
    let opus = |leg, payload_type| Stream {
        codec: Codec::Opaque { rate_hz: 48_000 },
        payload_type,
        receive_payload_type: payload_type,
        ..stream(leg)
    };
    let mut world = World::new();
    world.open(A, opus(A, 96));
    world.open(B, opus(B, 111));
    world.command(Command::Bridge { a: A, b: B });
    world.say(A, 96, b"opaque");
    let sent = world.take_sent();
    assert_eq!(sent[0].packet.header.payload_type, 111);
    assert_eq!(&sent[0].packet.payload[..], b"opaque");
    world.command(Command::Configure { leg: B, stream: stream(B) });
    world.say(A, 96, b"opaque");
    assert!(world.take_sent().is_empty());
    assert_eq!(world.engine.counters().packets_unrelayed, 1);
}

#[test]
fn loss_and_disorder_pass_through_as_they_are() {
    let mut world = bridged();
    for (sequence, timestamp) in [(10, 1_600), (11, 1_760), (14, 2_240), (13, 2_080), (15, 2_400)] {
        let stamp = rtp::Stamp { marker: false, sequence, timestamp, ssrc: 5 };
        world.raw(A, peer(A), &packet(0, stamp, &[1; 160]));
    }
    let first = &world.sent[0].packet.header;
    let relative: Vec<_> = world
        .sent
        .iter()
        .map(|sent| {
            let header = &sent.packet.header;
            (
                header.sequence_number.wrapping_sub(first.sequence_number),
                header.timestamp.wrapping_sub(first.timestamp),
            )
        })
        .collect();
    assert_eq!(relative, [(0, 0), (1, 160), (4, 640), (3, 480), (5, 800)]);
}

#[test]
fn prompt_peer_and_prompt_again_are_one_stream_to_the_listener() {
    let mut world = World::with_two();
    world.play(B, JOB, vec![tone(425.0)]);
    world.run(1_000);
    world.command(Command::Bridge { a: A, b: B });
    for _ in 0..50 {
        world.say(A, 0, &[9; 160]);
    }
    world.play(B, JobId(8), vec![sound(1_600)]);
    for _ in 0..30 {
        world.say(A, 0, &[9; 160]);
    }
    world.command(Command::Unbridge { leg: A });
    world.run(5_000);
    world.play(B, JobId(9), vec![sound(1_600)]);
    world.run(1_000);
    assert_one_stream(&world.sent, B);
    let marked = world.sent.iter().filter(|s| s.leg == B && s.packet.header.marker).count();
    assert_eq!(marked, 5, "ringing, peer, prompt, peer, prompt");
    assert!(world.events.iter().any(|(ms, event)| {
        (*ms, event.clone())
            == (
                1_000,
                Event::PlayEnded {
                    leg: B,
                    job: JOB,
                    digit: None,
                    heard: Duration::from_millis(1_020),
                },
            )
    }));
}

#[test]
fn a_peer_falls_silent_when_the_other_is_unbridged_moved_or_closed() {
    let mut world = bridged();
    world.command(Command::Unbridge { leg: B });
    world.say(A, 0, &[1; 160]);
    world.say(B, 0, &[1; 160]);
    assert!(world.take_sent().is_empty());

    let c = LegId(3);
    world.open(c, stream(c));
    world.command(Command::Bridge { a: A, b: B });
    world.command(Command::Bridge { a: B, b: c });
    world.say(A, 0, &[1; 160]);
    assert!(world.take_sent().is_empty());
    world.say(B, 0, &[1; 160]);
    assert_eq!(world.take_sent()[0].leg, c);

    world.command(Command::Close { leg: B });
    world.say(c, 0, &[1; 160]);
    assert!(world.take_sent().is_empty());
    assert_eq!(world.engine.leg_count(), 2);
}

#[test]
fn on_hold_nothing_is_sent_or_heard() {
    let mut world = bridged();
    world
        .command(Command::Configure { leg: B, stream: Stream { sending: Flag::Off, ..stream(B) } });
    world.say(A, 0, &[1; 160]);
    assert!(world.take_sent().is_empty());
    world.command(Command::Configure {
        leg: B,
        stream: Stream { receiving: Flag::Off, ..stream(B) },
    });
    world.say(B, 0, &[1; 160]);
    assert!(world.take_sent().is_empty());
    world.say(A, 0, &[1; 160]);
    assert_eq!(world.take_sent().len(), 1);
}

#[test]
fn echo_sends_back_what_came_until_unbridged() {
    let mut world = World::with_one();
    world.command(Command::Echo { leg: A });
    for n in 0..10 {
        world.say(A, 0, &[n; 160]);
    }
    let sent = world.take_sent();
    assert_eq!(sent.len(), 10);
    assert!(sent.iter().enumerate().all(|(n, s)| s.leg == A && s.packet.payload[0] == n as u8));
    assert_one_stream(&sent, A);
    world.command(Command::Unbridge { leg: A });
    world.say(A, 0, &[1; 160]);
    assert!(world.take_sent().is_empty());
}

#[test]
fn relaying_needs_no_more_memory_once_it_runs() {
    let mut world = bridged();
    assert!(size_of::<Leg>() <= 1_024, "{} bytes a leg", size_of::<Leg>());
    for _ in 0..10 {
        world.say(A, 0, &[1; 160]);
    }
    let before = world.engine.out.capacity();
    for _ in 0..1_000 {
        world.say(A, 0, &[1; 160]);
        world.say(B, 0, &[1; 160]);
    }
    assert_eq!(world.engine.out.capacity(), before);
}
