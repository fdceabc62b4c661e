use super::*;
use crate::codec::g711::Law;

fn limits() -> RecordLimits {
    RecordLimits { max: Duration::from_secs(60), silence: None, terminator: Some('#') }
}

fn recorded(world: &mut World) -> (Vec<i16>, Option<(RecordEnd, Duration)>) {
    let mut all = Vec::new();
    let mut end = None;
    for event in world.take_events() {
        match event {
            Event::RecordChunk { leg, job, samples } => {
                assert_eq!((leg, job, end), (A, JOB, None));
                all.extend(samples);
            }
            Event::RecordEnded { reason, length, .. } => end = Some((reason, length)),
            _ => {}
        }
    }
    (all, end)
}

#[test]
fn a_message_is_kept_until_its_key_whatever_the_law() {
    for (codec, payload_type, law) in [(Codec::Pcmu, 0, Law::Mu), (Codec::Pcma, 8, Law::A)] {
        let mut world = World::new();
        world.open(
            A,
            Stream { codec, payload_type, receive_payload_type: payload_type, ..stream(A) },
        );
        world.command(Command::Record { leg: A, job: JOB, limits: limits() });
        for _ in 0..100 {
            world.say(A, payload_type, &[law.encode(8_000); 160]);
        }
        world.press(A, '#');
        let (sound, end) = recorded(&mut world);
        assert_eq!(end, Some((RecordEnd::Digit('#'), Duration::from_secs(2))));
        assert_eq!(sound.len(), 16_000);
        let loud = sound.iter().filter(|&&sample| sample > 7_000).count();
        assert!(loud >= 15_800, "{loud}");
        assert_eq!(world.engine.poll_timeout(), None);
    }
}

#[test]
fn both_a_bridge_and_a_recording_may_run() {
    let mut world = World::with_two();
    world.command(Command::Record { leg: A, job: JOB, limits: limits() });
    world.command(Command::Bridge { a: A, b: B });
    for _ in 0..50 {
        world.say(A, 0, &[0x90; 160]);
    }
    assert_eq!(world.take_sent().len(), 50);
    world.command(Command::StopRecord { leg: A, job: JobId(99) });
    world.command(Command::StopRecord { leg: A, job: JOB });
    let (sound, end) = recorded(&mut world);
    assert_eq!(end, Some((RecordEnd::Stopped, Duration::from_secs(1))));
    assert_eq!(sound.len(), 8_000);
}

#[test]
fn a_close_hands_over_what_was_said() {
    let mut world = World::with_two();
    world.command(Command::Record { leg: A, job: JOB, limits: limits() });
    for _ in 0..10 {
        world.say(A, 0, &[0x90; 160]);
    }
    world.play(A, JobId(8), vec![sound(8_000)]);
    world.command(Command::Close { leg: A });
    let closed = world.events.last().unwrap().1.clone();
    let kinds: Vec<_> = world.events.iter().rev().take(4).map(|(_, event)| event).collect();
    assert!(matches!(
        kinds[..],
        [
            Event::Closed { .. },
            Event::RecordEnded { .. },
            Event::RecordChunk { .. },
            Event::PlayEnded { .. }
        ]
    ));
    assert!(matches!(closed, Event::Closed { packets_received: 10, packets_refused: 0, .. }));
    world.command(Command::Close { leg: B });
    assert_eq!((world.engine.leg_count(), world.engine.poll_timeout()), (0, None));
}

#[test]
fn silence_and_length_end_it_by_timer() {
    let mut world = World::with_two();
    let silence = Some(Duration::from_secs(3));
    world.command(Command::Record {
        leg: A,
        job: JOB,
        limits: RecordLimits { silence, ..limits() },
    });
    for _ in 0..50 {
        world.say(A, 0, &[0x90; 160]);
    }
    world.run(10_000);
    assert_eq!(recorded(&mut world).1, Some((RecordEnd::Silence, Duration::from_secs(4))));
    let max = Duration::from_millis(700);
    world.command(Command::Record { leg: A, job: JOB, limits: RecordLimits { max, ..limits() } });
    world.run(10_000);
    let (sound, end) = recorded(&mut world);
    assert_eq!((sound.len(), end), (5_600, Some((RecordEnd::Max, max))));
}
