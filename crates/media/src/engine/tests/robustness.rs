use proptest::prelude::*;

use super::*;

/// One random thing that happens.
#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Stall(u64),
    Packet { leg: LegId, near: u8, header: Vec<u8>, bytes: Vec<u8> },
    Command(Command),
}

fn leg() -> impl Strategy<Value = LegId> {
    (0_u64..4).prop_map(LegId)
}

fn codec() -> impl Strategy<Value = (Codec, u8)> {
    prop_oneof![
        Just((Codec::Pcmu, 0)),
        Just((Codec::Pcma, 8)),
        any::<u32>().prop_map(|rate_hz| (Codec::Opaque { rate_hz }, 96)),
    ]
}

fn flag() -> impl Strategy<Value = Flag> {
    prop_oneof![3 => Just(Flag::On), 1 => Just(Flag::Off)]
}

fn any_stream() -> impl Strategy<Value = (LegId, Stream)> {
    let latch = prop_oneof![Just(Latch::SameHost), Just(Latch::Nat)];
    (leg(), codec(), any::<[bool; 2]>(), any::<u16>(), flag(), flag(), latch).prop_map(
        |(leg, (codec, payload_type), [described, events], ptime_ms, sending, receiving, latch)| {
            let stream = Stream {
                remote: described.then(|| peer(leg)),
                codec,
                payload_type,
                receive_payload_type: payload_type,
                dtmf_payload_type: events.then_some(101),
                receive_dtmf_payload_type: events.then_some(101),
                ptime_ms,
                sending,
                receiving,
                latch,
            };
            (leg, stream)
        },
    )
}

fn item() -> impl Strategy<Value = PlayItem> {
    prop_oneof![
        (0_usize..2_000).prop_map(sound),
        (0_u64..500).prop_map(|ms| PlayItem::Silence(Duration::from_millis(ms))),
        (
            prop::collection::vec(any::<f32>(), 0..3),
            prop::collection::vec(0_u64..300, 0..4),
            any::<Option<u16>>()
        )
            .prop_map(|(frequencies_hz, cadence, length)| PlayItem::Tone(ToneSpec {
                frequencies_hz,
                cadence: cadence.into_iter().map(Duration::from_millis).collect(),
                length: length.map(|ms| Duration::from_millis(u64::from(ms))),
            })),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    let job = || (0_u64..3).prop_map(JobId);
    let ip = std::net::IpAddr::from([10, 0, 0, 100]);
    let list = (prop::collection::vec(item(), 0..3), flag(), flag(), any::<u16>(), any::<f32>());
    let limits = (any::<u16>(), any::<Option<u16>>(), prop_oneof![Just(None), Just(Some('1'))]);
    prop_oneof![
        leg().prop_map(move |leg| Command::Open { leg, ip, port: 10_000 }),
        any_stream().prop_map(|(leg, stream)| Command::Configure { leg, stream }),
        (leg(), leg()).prop_map(|(a, b)| Command::Bridge { a, b }),
        leg().prop_map(|leg| Command::Unbridge { leg }),
        (leg(), job(), list).prop_map(|(leg, job, (items, repeat, barge, from, gain_db))| {
            let from = Duration::from_millis(u64::from(from));
            Command::Play { leg, job, playlist: Playlist { items, repeat, barge, from, gain_db } }
        }),
        (leg(), job()).prop_map(|(leg, job)| Command::StopPlay { leg, job }),
        (leg(), job(), limits).prop_map(|(leg, job, (max, silence, terminator))| {
            let ms = |ms| Duration::from_millis(u64::from(ms));
            let limits = RecordLimits { max: ms(max), silence: silence.map(ms), terminator };
            Command::Record { leg, job, limits }
        }),
        (leg(), job()).prop_map(|(leg, job)| Command::StopRecord { leg, job }),
        leg().prop_map(|leg| Command::Echo { leg }),
        (leg(), "[0-9A-Dx#*]{0,9}").prop_map(|(leg, digits)| Command::SendDigits { leg, digits }),
        (leg(), flag()).prop_map(|(leg, keep_alive)| Command::KeepAlive { leg, keep_alive }),
        leg().prop_map(|leg| Command::Close { leg }),
    ]
}

fn packet_step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![Just(0_u8), Just(8), Just(96), Just(101), any::<u8>()];
    let flags = prop_oneof![9 => Just(0x80_u8), 1 => any::<u8>()];
    (
        leg(),
        0_u8..3,
        flags,
        kind,
        any::<(u8, u16, u8)>(),
        prop::collection::vec(any::<u8>(), 0..200),
    )
        .prop_map(|(leg, near, flags, kind, (sequence, timestamp, ssrc), bytes)| {
            let [high, low] = timestamp.to_be_bytes();
            let header = vec![flags, kind, 0, sequence, 0, 0, high, low, 0, 0, 0, ssrc % 3];
            Step::Packet { leg, near, header, bytes }
        })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0_u64..100).prop_map(Step::Wait),
        1 => (0_u64..5_000).prop_map(Step::Stall),
        6 => packet_step(),
        4 => command().prop_map(Step::Command),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever happens in whatever order: no panic, every packet is readable, every playback and
    /// recording that began ends once, and an engine without legs wants no waking.
    #[test]
    fn any_course_of_events_ends_in_order(steps in prop::collection::vec(step(), 0..150)) {
        let mut world = World::new();
        for leg in [A, B] {
            world.open(leg, stream(leg));
        }
        for step in steps {
            match step {
                Step::Wait(ms) => world.run(ms),
                Step::Stall(ms) => {
                    world.stall(ms);
                    world.run(0);
                }
                Step::Packet { leg, near, header, bytes } => {
                    let mut from = peer(leg);
                    match near {
                        0 => {}
                        1 => from.set_port(9),
                        _ => from.set_ip([192, 0, 2, 1].into()),
                    }
                    world.raw(leg, from, &[header, bytes].concat());
                }
                Step::Command(command) => world.command(command),
            }
        }
        for leg in 0..4 {
            world.command(Command::Close { leg: LegId(leg) });
        }
        prop_assert_eq!(world.engine.leg_count(), 0);
        prop_assert_eq!(world.engine.poll_timeout(), None);
        prop_assert_eq!(world.engine.counters().packets_sent as usize, world.sent.len());
    }
}

#[test]
fn the_same_seed_and_inputs_give_the_same_bytes() {
    let run = |seed| {
        let start = Instant::now();
        let mut engine = Engine::new(seed);
        let ip = std::net::IpAddr::from([10, 0, 0, 100]);
        engine.handle_command(start, Command::Open { leg: A, ip, port: 10_000 });
        engine.handle_command(start, Command::Configure { leg: A, stream: stream(A) });
        let list = playlist(vec![tone(440.0)]);
        engine.handle_command(start, Command::Play { leg: A, job: JOB, playlist: list });
        engine.handle_timeout(start + Duration::from_millis(60));
        let mut bytes = Vec::new();
        while let Some(packet) = engine.poll_packet() {
            bytes.extend_from_slice(packet.bytes);
        }
        bytes
    };
    assert_eq!(run(1).len(), 4 * 172);
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn commands_for_unknown_legs_are_ignored() {
    let mut world = World::new();
    world.open(A, stream(A));
    world.command(Command::Bridge { a: A, b: LegId(99) });
    world.command(Command::Bridge { a: A, b: A });
    world.command(Command::Close { leg: LegId(99) });
    world.play(LegId(99), JOB, vec![sound(160)]);
    world.say(LegId(99), 0, &[1; 160]);
    world.say(A, 0, &[1; 160]);
    assert!(world.sent.is_empty());
    assert_eq!(world.engine.leg_count(), 1);
}
