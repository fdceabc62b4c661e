//! Whole engines on simulated time. [`World`] is the only place that calls the engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use webrtc_util::marshal::Unmarshal;

use super::*;
use crate::graph::tone_detector::power;
use crate::{
    Flag, JobId, Latch, PlayItem, Playlist, RecordEnd, RecordLimits, Sound, Stream, ToneSpec,
};

mod bridging;
mod keys;
mod playing;
mod recording;
mod robustness;
mod strangers;

const A: LegId = LegId(1);
const B: LegId = LegId(2);
const JOB: JobId = JobId(7);

/// An engine, a clock, and all that came out, each packet as another reader (crate `rtp`) sees it.
struct World {
    engine: Engine,
    start: Instant,
    now: Instant,
    sent: Vec<Sent>,
    events: Vec<(u128, Event)>,
    /// Sequence and timestamp of each peer.
    peers: BTreeMap<LegId, (u16, u32)>,
}

/// A packet that left.
#[derive(Debug, Clone)]
struct Sent {
    ms: u128,
    leg: LegId,
    to: SocketAddr,
    packet: rtp_reader::packet::Packet,
}

use ::rtp as rtp_reader;

impl World {
    fn new() -> Self {
        let start = Instant::now();
        Self {
            engine: Engine::new(42),
            start,
            now: start,
            sent: Vec::new(),
            events: Vec::new(),
            peers: BTreeMap::new(),
        }
    }

    /// Leg A, open and agreed on mu-law with keys as events.
    fn with_one() -> Self {
        let mut world = Self::new();
        world.open(A, stream(A));
        world
    }

    /// Legs A and B, open and agreed on mu-law with keys as events.
    fn with_two() -> Self {
        let mut world = Self::new();
        world.open(A, stream(A));
        world.open(B, stream(B));
        world
    }

    fn open(&mut self, leg: LegId, stream: Stream) {
        self.command(Command::Open { leg, ip: "10.0.0.100".parse().unwrap(), port: 10_000 });
        self.command(Command::Configure { leg, stream });
    }

    fn command(&mut self, command: Command) {
        self.engine.handle_command(self.now, command);
        self.drain();
    }

    fn play(&mut self, leg: LegId, job: JobId, items: Vec<PlayItem>) {
        self.command(Command::Play { leg, job, playlist: playlist(items) });
    }

    /// Lets time pass, waking the engine when it asks for it.
    fn run(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        while let Some(due) = self.engine.poll_timeout().filter(|&due| due <= until) {
            self.now = self.now.max(due);
            self.engine.handle_timeout(self.now);
            self.drain();
        }
        self.now = until;
    }

    /// Lets time pass without waking the engine, as when the thread was starved.
    fn stall(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
    }

    fn raw(&mut self, leg: LegId, from: SocketAddr, bytes: &[u8]) {
        self.engine.handle_packet(self.now, leg, from, bytes);
        self.drain();
    }

    /// The next packet of this leg's peer, and 20 ms.
    fn say(&mut self, leg: LegId, payload_type: u8, payload: &[u8]) {
        self.say_from(leg, peer(leg), payload_type, payload);
        self.run(20);
    }

    fn say_from(&mut self, leg: LegId, from: SocketAddr, payload_type: u8, payload: &[u8]) {
        let (sequence, timestamp) = self.peers.entry(leg).or_insert((65_530, u32::MAX - 400));
        let stamp = rtp::Stamp {
            marker: false,
            sequence: *sequence,
            timestamp: *timestamp,
            ssrc: leg.0 as u32 * 1_111,
        };
        *sequence = sequence.wrapping_add(1);
        *timestamp = timestamp.wrapping_add(160);
        let bytes = packet(payload_type, stamp, payload);
        self.raw(leg, from, &bytes);
    }

    /// A key as RFC 4733 sends it, in 60 ms and three ends.
    fn press(&mut self, leg: LegId, key: char) {
        let event = rtp::dtmf::event(key).unwrap();
        let (_, timestamp) = *self.peers.entry(leg).or_insert((65_530, u32::MAX - 400));
        for (end, duration) in [(0, 160), (0, 320), (0x80, 480), (0x80, 480), (0x80, 480)] {
            if let Some((_, own)) = self.peers.get_mut(&leg) {
                *own = timestamp;
            }
            let [high, low] = u16::to_be_bytes(duration);
            self.say(leg, 101, &[event, end | 10, high, low]);
        }
        if let Some((_, own)) = self.peers.get_mut(&leg) {
            *own = timestamp.wrapping_add(800);
        }
    }

    fn drain(&mut self) {
        let ms = self.now.duration_since(self.start).as_millis();
        while let Some(sent) = self.engine.poll_packet() {
            let mut bytes = sent.bytes;
            let packet = rtp_reader::packet::Packet::unmarshal(&mut bytes).unwrap();
            self.sent.push(Sent { ms, leg: sent.leg, to: sent.to, packet });
        }
        while let Some(event) = self.engine.poll_event() {
            self.events.push((ms, event));
        }
    }

    fn take_sent(&mut self) -> Vec<Sent> {
        std::mem::take(&mut self.sent)
    }

    fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events).into_iter().map(|(_, event)| event).collect()
    }

    fn digits(&self) -> String {
        let digit = |(_, event): &(u128, Event)| match event {
            Event::Digit { digit, .. } => Some(*digit),
            _ => None,
        };
        self.events.iter().filter_map(digit).collect()
    }
}

fn packet(payload_type: u8, stamp: rtp::Stamp, payload: &[u8]) -> Vec<u8> {
    let mut bytes = rtp::header(payload_type, stamp).to_vec();
    bytes.extend_from_slice(payload);
    bytes
}

/// Where a leg's peer says that it is.
fn peer(leg: LegId) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, leg.0 as u8], 4_000))
}

fn stream(leg: LegId) -> Stream {
    Stream {
        remote: Some(peer(leg)),
        codec: Codec::Pcmu,
        payload_type: 0,
        receive_payload_type: 0,
        dtmf_payload_type: Some(101),
        receive_dtmf_payload_type: Some(101),
        ptime_ms: 20,
        sending: Flag::On,
        receiving: Flag::On,
        latch: Latch::SameHost,
    }
}

fn playlist(items: Vec<PlayItem>) -> Playlist {
    Playlist { items, repeat: Flag::Off, barge: Flag::Off, from: Duration::ZERO, gain_db: 0.0 }
}

fn sound(samples: usize) -> PlayItem {
    let pcm = (0..samples).map(|n| (n % 30_000) as i16).collect();
    PlayItem::Sound(Arc::new(Sound::from_pcm(pcm)))
}

fn tone(frequency_hz: f32) -> PlayItem {
    PlayItem::Tone(ToneSpec { frequencies_hz: vec![frequency_hz], cadence: vec![], length: None })
}

/// All sound sent to one leg, decoded.
fn heard(sent: &[Sent], leg: LegId, law: crate::codec::g711::Law) -> Vec<i16> {
    sent.iter()
        .filter(|sent| sent.leg == leg && sent.packet.header.payload_type != 101)
        .flat_map(|sent| sent.packet.payload.iter().map(|&byte| law.decode(byte)))
        .collect()
}

/// That a receiver sees one stream: one source, no hole or repeat in sequence, time that moves with
/// the clock.
#[track_caller]
fn assert_one_stream(sent: &[Sent], leg: LegId) {
    let packets: Vec<_> = sent.iter().filter(|sent| sent.leg == leg).collect();
    for pair in packets.windows(2) {
        let (before, after) = (&pair[0].packet.header, &pair[1].packet.header);
        assert_eq!(before.ssrc, after.ssrc);
        assert_eq!(before.sequence_number.wrapping_add(1), after.sequence_number);
        let passed = after.timestamp.wrapping_sub(before.timestamp).cast_signed();
        let clock = (pair[1].ms - pair[0].ms) as i32 * 8;
        assert!((passed - clock).abs() <= 400, "{passed} for {clock} at {} ms", pair[1].ms);
    }
}
