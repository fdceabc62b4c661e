use super::*;
use crate::codec::g711::Law;

#[test]
fn ten_minutes_are_paced_to_the_millisecond_without_drift() {
    let mut world = World::with_one();
    world.run(7);
    let list = Playlist { repeat: Flag::On, ..playlist(vec![sound(12_345)]) };
    world.command(Command::Play { leg: A, job: JOB, playlist: list });
    world.run(600_000);
    let sent = world.take_sent();
    assert_eq!(sent.len(), 30_000);
    let first = sent[0].packet.header.timestamp;
    for (index, sent) in sent.iter().enumerate() {
        assert_eq!(sent.ms, 10 + 20 * index as u128);
        assert_eq!(sent.packet.header.timestamp, first.wrapping_add(160 * index as u32));
    }
    assert_one_stream(&sent, A);
}

#[test]
fn a_waker_who_is_always_late_delays_packets_but_does_not_slow_them() {
    let mut world = World::with_one();
    world.play(A, JOB, vec![sound(80_000)]);
    while let Some(due) = world.engine.poll_timeout() {
        world.now = due + Duration::from_millis(9);
        world.engine.handle_timeout(world.now);
        world.drain();
    }
    let sent = world.take_sent();
    assert_eq!(sent.len(), 500);
    assert!(sent.iter().enumerate().all(|(n, sent)| sent.ms == 9 + 20 * n as u128));
    assert_eq!(world.events.last().unwrap().0, 10_009);
}

#[test]
fn after_a_stall_only_the_freshest_frames_are_sent() {
    let mut world = World::with_one();
    world.play(A, JOB, vec![sound(16_000)]);
    world.run(99);
    assert_eq!(world.take_sent().len(), 5);
    world.stall(1_001);
    world.run(0);
    let caught_up = world.take_sent();
    assert_eq!(caught_up.len(), 5, "the frames of the last 100 ms");
    assert!(caught_up[0].packet.header.marker);
    assert_eq!(world.engine.counters().frames_skipped, 46);
    world.run(2_000);
    let rest = world.take_sent();
    assert_eq!(rest.last().unwrap().ms, 1_980, "it ends when it would have");
    assert_eq!(
        world.take_events(),
        [Event::PlayEnded { leg: A, job: JOB, digit: None, heard: Duration::from_secs(2) }]
    );
}

#[test]
fn a_machine_that_slept_for_an_hour_goes_on_where_it_was() {
    let mut world = World::with_one();
    world.play(A, JOB, vec![sound(16_000)]);
    world.run(999);
    world.take_sent();
    world.stall(3_600_000);
    world.run(20);
    assert!(world.take_sent().len() <= 3);
    world.run(900);
    assert_eq!(world.take_events(), []);
    world.run(200);
    assert_eq!(world.take_events().len(), 1);
}

#[test]
fn what_is_heard_is_what_was_played_and_its_end_is_told_when_it_was_heard() {
    let mut world = World::with_one();
    let samples: Vec<i16> = (0..1_700).map(|n| n * 7).collect();
    let item = PlayItem::Sound(Arc::new(Sound::from_pcm(samples.clone())));
    world.play(A, JOB, vec![item]);
    world.run(1_000);
    let ended =
        Event::PlayEnded { leg: A, job: JOB, digit: None, heard: Duration::from_micros(212_500) };
    assert_eq!(world.events, [(220, ended)]);
    let sent = world.take_sent();
    assert!(sent.iter().all(|sent| sent.to == peer(A) && sent.packet.payload.len() == 160));
    assert_eq!(sent.iter().filter(|sent| sent.packet.header.marker).count(), 1);
    let heard = heard(&sent, A, Law::Mu);
    assert_eq!(heard.len(), 1_760);
    for (was, is) in samples.iter().chain(std::iter::repeat(&0)).zip(&heard) {
        assert!((was - is).abs() <= was / 16 + 8);
    }
    assert_eq!(world.engine.poll_timeout(), None);
}

#[test]
fn packet_time_and_law_are_as_agreed() {
    let mut world = World::new();
    world.open(
        A,
        Stream {
            codec: Codec::Pcma,
            payload_type: 8,
            receive_payload_type: 8,
            ptime_ms: 30,
            ..stream(A)
        },
    );
    world.play(A, JOB, vec![tone(1_000.0)]);
    world.run(890);
    let sent = world.take_sent();
    assert_eq!(sent.len(), 30);
    assert!(
        sent.iter().all(|s| s.packet.payload.len() == 240 && s.packet.header.payload_type == 8)
    );
    assert_eq!(sent[1].ms - sent[0].ms, 30);
    assert!(power(&heard(&sent, A, Law::A), 1_000.0) > 2e7);
    assert_one_stream(&sent, A);
}

#[test]
fn a_playback_waits_for_the_peer_to_be_described() {
    let mut world = World::new();
    world.command(Command::Open { leg: A, ip: "10.0.0.100".parse().unwrap(), port: 10_000 });
    world.play(A, JOB, vec![sound(800)]);
    world.run(1_000);
    assert!(world.sent.is_empty() && world.events.is_empty());
    world.command(Command::Configure { leg: A, stream: stream(A) });
    world.run(1_000);
    assert_eq!(world.sent.len(), 5);
}

#[test]
fn on_hold_time_goes_on_in_silence() {
    let mut world = World::with_one();
    world.play(A, JOB, vec![sound(8_000)]);
    world.run(299);
    world.command(Command::Configure { leg: A, stream: Stream { remote: None, ..stream(A) } });
    world.run(400);
    assert_eq!(world.take_sent().len(), 15);
    world.command(Command::Configure { leg: A, stream: stream(A) });
    world.run(2_000);
    let after = world.take_sent();
    assert_eq!((after[0].ms, after.len()), (700, 15));
    assert!(after[0].packet.header.marker);
    assert_eq!(world.events.last().unwrap().0, 1_000);
}

#[test]
fn a_new_playback_takes_over_and_each_end_is_told() {
    let mut world = World::with_one();
    world.play(A, JOB, vec![tone(440.0)]);
    world.run(99);
    world.play(A, JobId(8), vec![sound(160)]);
    world.run(1_000);
    let end =
        |job, ms| Event::PlayEnded { leg: A, job, digit: None, heard: Duration::from_millis(ms) };
    assert_eq!(world.take_events(), [end(JOB, 100), end(JobId(8), 20)]);
    assert_one_stream(&world.sent, A);
    world.play(A, JobId(9), vec![tone(440.0)]);
    world.run(50);
    world.command(Command::StopPlay { leg: A, job: JOB });
    assert_eq!(world.take_events(), []);
    world.command(Command::StopPlay { leg: A, job: JobId(9) });
    assert_eq!(world.take_events(), [end(JobId(9), 60)]);
    assert_eq!(world.engine.poll_timeout(), None);
}

#[test]
fn a_thousand_listeners_share_their_wakes_and_one_encoding() {
    let mut world = World::new();
    let item = sound(1_600);
    for number in 1..=250 {
        let leg = LegId(number);
        world.open(leg, stream(leg));
        world.now += Duration::from_micros(310);
        world.play(leg, JobId(number), vec![item.clone()]);
    }
    let mut wakes = 0;
    while let Some(due) = world.engine.poll_timeout() {
        world.now = world.now.max(due);
        world.engine.handle_timeout(world.now);
        world.drain();
        wakes += 1;
    }
    assert_eq!(world.sent.len(), 2_500);
    assert!(wakes <= 70, "{wakes} wakes for 280 ms");
}

#[test]
fn a_leg_to_which_nothing_happens_sends_three_frames_of_silence_and_sleeps() {
    let mut world = World::new();
    world.open(A, stream(A));
    world.run(60_000);
    let times: Vec<_> = world.sent.iter().map(|sent| sent.ms).collect();
    assert_eq!(times, [200, 220, 240]);
    assert!(world.sent.iter().all(|sent| sent.packet.payload.iter().all(|&byte| byte == 0xff)));
    assert_eq!(world.engine.poll_timeout(), None);
    world.command(Command::Configure { leg: A, stream: stream(A) });
    world.run(1_000);
    assert_eq!(world.sent.len(), 3, "nothing new was described");
}

#[test]
fn kept_alive_it_sends_silence_between_everything_else() {
    let mut world = World::new();
    world.open(A, stream(A));
    world.command(Command::KeepAlive { leg: A, keep_alive: Flag::On });
    world.run(99);
    world.play(A, JOB, vec![sound(320)]);
    world.run(1_000);
    world.command(Command::KeepAlive { leg: A, keep_alive: Flag::Off });
    world.run(1_000);
    assert_eq!(world.sent.len(), 55);
    assert_one_stream(&world.sent, A);
    assert_eq!(world.engine.poll_timeout(), None);
}
