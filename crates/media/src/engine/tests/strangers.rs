use super::*;

fn stranger(last: u8, port: u16) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, last], port))
}

fn bridged(latch: Latch) -> World {
    let mut world = World::new();
    world.open(A, Stream { latch, ..stream(A) });
    world.open(B, Stream { latch, ..stream(B) });
    world.command(Command::Bridge { a: A, b: B });
    world
}

fn attack(world: &mut World, from: SocketAddr, sequence: u16) {
    let stamp =
        rtp::Stamp { marker: false, sequence, timestamp: u32::from(sequence) * 160, ssrc: 0xbad };
    world.raw(A, from, &packet(0, stamp, &[0x66; 160]));
}

fn attack_heard(world: &World) -> usize {
    world.sent.iter().filter(|sent| sent.packet.payload[0] == 0x66).count()
}

#[test]
fn an_attacker_who_sends_first_is_never_heard_and_gets_nothing() {
    for latch in [Latch::SameHost, Latch::Nat] {
        let mut world = bridged(latch);
        for sequence in 0..4 {
            attack(&mut world, stranger(9, 4_000), sequence);
            world.say(B, 0, &[2; 160]);
        }
        for sequence in 4..100 {
            world.say_from(A, peer(A), 0, &[1; 160]);
            attack(&mut world, stranger(9, 4_000), sequence);
            world.say(B, 0, &[2; 160]);
        }
        assert_eq!(attack_heard(&world), 0);
        let back = world.sent.iter().filter(|sent| sent.to == stranger(9, 4_000)).count();
        assert_eq!(back, 0);
        world.command(Command::Close { leg: A });
        let closed = world.take_events().pop().unwrap();
        let Event::Closed { packets_received, packets_refused, .. } = closed else { panic!() };
        assert_eq!((packets_received, packets_refused), (96, 100));
    }
}

#[test]
fn a_flood_in_mid_call_changes_nothing_for_the_talkers() {
    let mut world = bridged(Latch::Nat);
    world.say(A, 0, &[1; 160]);
    world.say(B, 0, &[2; 160]);
    for sequence in 0..2_000 {
        attack(&mut world, stranger((sequence % 200) as u8, 4_000 + sequence), sequence);
    }
    world.say(A, 0, &[1; 160]);
    world.say(B, 0, &[2; 160]);
    assert_eq!(attack_heard(&world), 0);
    assert_eq!(world.sent.len(), 4);
    assert!(world.sent.iter().all(|sent| sent.to == peer(sent.leg)));
    assert_eq!(world.engine.counters().packets_refused, 2_000);
}

#[test]
fn a_peer_behind_nat_is_found_and_then_kept() {
    let mut world = bridged(Latch::Nat);
    let nat = stranger(5, 61_000);
    for _ in 0..5 {
        world.say(B, 0, &[2; 160]);
        world.say_from(A, nat, 0, &[1; 160]);
    }
    assert!(world.sent.iter().all(|sent| sent.to != nat), "not before it is known");
    world.say(B, 0, &[2; 160]);
    assert_eq!(world.sent.last().unwrap().to, nat);
    assert!(world.events.iter().any(|(_, e)| *e == Event::Latched { leg: A, from: nat }));
    for sequence in 0..50 {
        attack(&mut world, stranger(9, 4_000), sequence);
        world.run(20);
    }
    assert_eq!(attack_heard(&world), 0);
}

#[test]
fn a_reinvite_to_another_address_moves_the_leg() {
    let mut world = bridged(Latch::SameHost);
    world.say(A, 0, &[1; 160]);
    let moved = SocketAddr::from(([10, 0, 0, 77], 5_000));
    world.command(Command::Configure {
        leg: A,
        stream: Stream { remote: Some(moved), ..stream(A) },
    });
    world.take_sent();
    world.say(A, 0, &[1; 160]);
    assert!(world.take_sent().is_empty(), "the old address is a stranger now");
    world.say(B, 0, &[2; 160]);
    assert_eq!(world.take_sent()[0].to, moved);
    world.say_from(A, moved, 0, &[1; 160]);
    assert_eq!(world.take_sent().len(), 1);
}

#[test]
fn what_is_not_the_calls_sound_changes_nothing() {
    let mut world = bridged(Latch::Nat);
    let mut report = [0; 28];
    report[..2].copy_from_slice(&[0x80, 200]);
    let stun = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    for from in [peer(A), stranger(9, 4_000)] {
        for bytes in [&report[..], &stun, &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0], b"", b"junk"]
        {
            world.raw(A, from, bytes);
        }
        for payload_type in [8, 13, 96, 127] {
            let stamp = rtp::Stamp { marker: false, sequence: 1, timestamp: 1, ssrc: 1 };
            world.raw(A, from, &packet(payload_type, stamp, &[0; 160]));
        }
    }
    assert!(world.sent.is_empty() && world.events.is_empty());
    let counters = world.engine.counters();
    assert_eq!(counters.packets_rtcp, 2);
    assert_eq!(counters.packets_malformed, 8);
    assert_eq!(counters.packets_unexpected, 8);
    assert_eq!(counters.packets_received, 0);
}

#[test]
fn before_anything_is_described_nobody_is_heard() {
    let mut world = World::new();
    world.command(Command::Open { leg: A, ip: "10.0.0.100".parse().unwrap(), port: 10_000 });
    world.say(A, 0, &[1; 160]);
    world.command(Command::Configure { leg: A, stream: Stream { remote: None, ..stream(A) } });
    world.say(A, 0, &[1; 160]);
    assert_eq!(world.engine.counters().packets_refused, 2);
    assert!(world.events.is_empty());
}
