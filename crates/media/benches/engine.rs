//! What the engine costs per packet: relaying, playing, encoding.
#![allow(missing_docs, reason = "criterion's macros write public functions")]
#![allow(clippy::disallowed_methods, reason = "a benchmark has a clock")]

use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use media::{
    Codec, Command, Engine, Flag, JobId, Latch, LegId, PlayItem, Playlist, Sound, Stream, ToneSpec,
};

fn peer(leg: u64) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 4_000 + leg as u16))
}

fn open(engine: &mut Engine, now: Instant, leg: u64, codec: Codec) {
    let (ip, port) = ([10, 0, 0, 100].into(), 10_000);
    engine.handle_command(now, Command::Open { leg: LegId(leg), ip, port });
    let stream = Stream {
        remote: Some(peer(leg)),
        codec,
        payload_type: if codec == Codec::Pcmu { 0 } else { 8 },
        receive_payload_type: if codec == Codec::Pcmu { 0 } else { 8 },
        dtmf_payload_type: Some(101),
        receive_dtmf_payload_type: Some(101),
        ptime_ms: 20,
        sending: Flag::On,
        receiving: Flag::On,
        latch: Latch::SameHost,
    };
    engine.handle_command(now, Command::Configure { leg: LegId(leg), stream });
}

fn drain(engine: &mut Engine) {
    while let Some(packet) = engine.poll_packet() {
        black_box(packet.bytes);
    }
}

/// One packet in and out, with 1,000 other calls about.
fn relay(criterion: &mut Criterion) {
    for (name, far) in [("relay same law", Codec::Pcmu), ("relay to A-law", Codec::Pcma)] {
        let now = Instant::now();
        let mut engine = Engine::new(1);
        for call in 0..1_000 {
            open(&mut engine, now, 2 * call, Codec::Pcmu);
            open(&mut engine, now, 2 * call + 1, far);
            let (a, b) = (LegId(2 * call), LegId(2 * call + 1));
            engine.handle_command(now, Command::Bridge { a, b });
        }
        let mut number = 0_u32;
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                number += 1;
                let mut packet = [0x55; 172];
                let [s0, s1] = (number as u16).to_be_bytes();
                let [t0, t1, t2, t3] = (number * 160).to_be_bytes();
                let header = [0x80, 0, s0, s1, t0, t1, t2, t3, 0, 0, 0, 1];
                packet.first_chunk_mut().into_iter().for_each(|place| *place = header);
                let now = now + Duration::from_millis(20) * number;
                engine.handle_packet(now, LegId(500), peer(500), &packet);
                drain(&mut engine);
            });
        });
    }
}

/// One frame for each of 1,000 listeners, who share one sound, hear it louder, or hear a tone.
fn play(criterion: &mut Criterion) {
    let pcm = (0..8_000 * 60).map(|n| (n % 20_000) as i16).collect();
    let sound = PlayItem::Sound(Arc::new(Sound::from_pcm(pcm)));
    let tone = PlayItem::Tone(ToneSpec {
        frequencies_hz: vec![440.0, 480.0],
        cadence: vec![],
        length: None,
    });
    let mut group = criterion.benchmark_group("play 20 ms to 1,000 listeners");
    group.throughput(Throughput::Elements(1_000));
    for (name, item, gain_db) in
        [("shared encoding", &sound, 0.0), ("with gain", &sound, 3.0), ("tone", &tone, 0.0)]
    {
        let mut now = Instant::now();
        let mut engine = Engine::new(1);
        for leg in 0..1_000 {
            open(&mut engine, now, leg, Codec::Pcmu);
            let playlist = Playlist {
                items: vec![item.clone()],
                repeat: Flag::On,
                barge: Flag::Off,
                from: Duration::ZERO,
                gain_db,
            };
            let (leg, job) = (LegId(leg), JobId(leg));
            engine.handle_command(now, Command::Play { leg, job, playlist });
        }
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                now += Duration::from_millis(20);
                engine.handle_timeout(now);
                drain(&mut engine);
            });
        });
    }
    group.finish();
}

/// A sound of ten seconds, encoded for its first listener.
fn encode(criterion: &mut Criterion) {
    let pcm: Vec<i16> = (0..80_000).map(|n| (n * 7 % 65_536 - 32_768) as i16).collect();
    let mut group = criterion.benchmark_group("encode 10 s");
    group.throughput(Throughput::Elements(80_000));
    for codec in [Codec::Pcmu, Codec::Pcma] {
        group.bench_function(format!("{codec:?}"), |bencher| {
            bencher.iter_batched(
                || Sound::from_pcm(pcm.clone()),
                |sound| black_box(sound.encoded(codec).map(<[u8]>::len)),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, relay, play, encode);
criterion_main!(benches);
