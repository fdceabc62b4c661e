//! One party's RTP: whom it hears, what it plays, what it records.
//!
//! Frames that we make ourselves leave by one ticker, every packet time from the moment it started.
//! What a frame holds is decided when it is due: keys come before a playback, a playback before
//! silence. While the ticker has keys or a playback, relayed sound is held back.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::outbox::Outbox;
use super::{Carriage, carriage};
use crate::codec::g711::{Law, transcode};
use crate::graph::player::Player;
use crate::graph::recorder::Recorder;
use crate::graph::tone::Tone;
use crate::graph::tone_detector::ToneDetector;
use crate::rtp::Rtp;
use crate::rtp::dtmf::{DigitFrame, DigitReceiver, DigitSender};
use crate::rtp::gate::{Gate, Verdict};
use crate::rtp::out_stream::OutStream;
use crate::{
    Codec, Event, Flag, JobId, LegId, Playlist, Progress, RecordEnd, RecordLimits, Stream,
};
use ticker::{Tick, Ticker};

mod ticker;

#[derive(Debug)]
pub(super) struct Leg {
    id: LegId,
    /// When the engine was asked to wake us; kept by the engine.
    pub(super) wake_at: Option<Instant>,
    stream: Option<Stream>,
    gate: Gate,
    out_stream: OutStream,
    route: Route,
    ticker: Option<Ticker>,
    player: Option<Box<Player>>,
    digit_sender: DigitSender,
    opening: Opening,
    keep_alive: Flag,
    digit_receiver: DigitReceiver,
    tone_detector: Option<Box<ToneDetector>>,
    recorder: Option<Box<Recorder>>,
    packets_received: u64,
    packets_sent: u64,
    packets_refused: u64,
}

/// Where the sound of a leg goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Nothing,
    Echo,
    Bridge(LegId),
}

/// A few frames of silence that tell a peer and the NATs between us where we are, if nothing else
/// does so first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opening {
    /// The peer was just described.
    Due,
    At(Instant),
    Left(u8),
    Done,
}

/// What a packet that was let in holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard {
    pub(super) kind: Kind,
    /// Whether the leg may want to be woken at another time than before.
    pub(super) woke: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Sound(Codec),
    /// A telephone-event; the key if this packet is the first to tell of it.
    Digit(Option<char>),
}

impl Leg {
    pub(super) fn new(id: LegId, random: &mut fastrand::Rng) -> Self {
        Self {
            id,
            wake_at: None,
            stream: None,
            gate: Gate::new(),
            out_stream: OutStream::new(random),
            route: Route::Nothing,
            ticker: None,
            player: None,
            digit_sender: DigitSender::default(),
            opening: Opening::Done,
            keep_alive: Flag::Off,
            digit_receiver: DigitReceiver::default(),
            tone_detector: None,
            recorder: None,
            packets_received: 0,
            packets_sent: 0,
            packets_refused: 0,
        }
    }

    pub(super) fn configure(&mut self, now: Instant, stream: Stream) {
        let target_before = self.gate.target();
        self.gate.describe(stream.remote, stream.latch);
        if stream.remote.is_some() && self.gate.target() != target_before {
            self.opening = Opening::Due;
        }
        if let Some(ticker) = &mut self.ticker {
            ticker.set_packet_time(now, packet_time(&stream));
        }
        self.stream = Some(stream);
    }

    pub(super) fn route(&self) -> Route {
        self.route
    }

    /// Relays or echoes instead of whatever it sent before. A recording goes on.
    pub(super) fn take_route(&mut self, route: Route, out: &mut Outbox) {
        self.end_play(None, out);
        self.route = route;
        self.tone_detector = None;
    }

    pub(super) fn leave_route(&mut self) -> Route {
        std::mem::replace(&mut self.route, Route::Nothing)
    }

    pub(super) fn play(&mut self, job: JobId, playlist: Playlist, out: &mut Outbox) {
        self.end_play(None, out);
        self.player = Some(Box::new(Player::new(job, playlist)));
    }

    pub(super) fn stop_play(&mut self, job: JobId, out: &mut Outbox) {
        if self.player.as_ref().is_some_and(|player| player.job() == job) {
            self.end_play(None, out);
        }
    }

    pub(super) fn record(
        &mut self,
        now: Instant,
        job: JobId,
        limits: RecordLimits,
        out: &mut Outbox,
    ) {
        self.end_record(now, out);
        self.recorder = Some(Box::new(Recorder::new(now, self.id, job, limits)));
    }

    pub(super) fn stop_record(&mut self, now: Instant, job: JobId, out: &mut Outbox) {
        if self.recorder.as_ref().is_some_and(|recorder| recorder.job() == job) {
            self.end_record(now, out);
        }
    }

    pub(super) fn send_digits(&mut self, digits: &str) {
        self.digit_sender.push(digits);
    }

    pub(super) fn keep_alive(&mut self, keep_alive: Flag) {
        self.keep_alive = keep_alive;
    }

    pub(super) fn close(&mut self, now: Instant, out: &mut Outbox) {
        self.end_play(None, out);
        self.end_record(now, out);
        out.events.push_back(Event::Closed {
            leg: self.id,
            packets_received: self.packets_received,
            packets_sent: self.packets_sent,
            packets_refused: self.packets_refused,
        });
    }

    /// Takes a packet off the network; `None` if it is not to be heard.
    pub(super) fn hear(
        &mut self,
        now: Instant,
        from: SocketAddr,
        rtp: &Rtp<'_>,
        out: &mut Outbox,
    ) -> Option<Heard> {
        let Some(stream) = &self.stream else {
            self.packets_refused += 1;
            out.counters.packets_refused += 1;
            return None;
        };
        let is_event = stream.receive_dtmf_payload_type == Some(rtp.payload_type);
        if !is_event && rtp.payload_type != stream.receive_payload_type {
            out.counters.packets_unexpected += 1;
            return None;
        }
        match self.gate.admit(now, from, rtp) {
            Verdict::Hear => {}
            Verdict::HearAndLatch => out.events.push_back(Event::Latched { leg: self.id, from }),
            Verdict::Refuse => {
                self.packets_refused += 1;
                out.counters.packets_refused += 1;
                return None;
            }
        }
        self.packets_received += 1;
        out.counters.packets_received += 1;
        if stream.receiving == Flag::Off {
            return None;
        }
        let codec = stream.codec;
        if is_event {
            let digit = self.digit_receiver.handle_packet(rtp);
            if let Some(digit) = digit {
                self.handle_digit(now, digit, out);
            }
            return Some(Heard { kind: Kind::Digit(digit), woke: digit.is_some() });
        }
        let mut woke = false;
        if let Some(law) = codec.law() {
            if let Some(recorder) = &mut self.recorder {
                recorder.handle_packet(now, rtp, law);
            }
            if let Some(digit) = self.listen_for_tones(rtp, law) {
                self.handle_digit(now, digit, out);
                woke = true;
            }
        }
        Some(Heard { kind: Kind::Sound(codec), woke })
    }

    /// Keys as tones, only from a peer that cannot send events, and only while nobody else hears
    /// them: a bridged call pays nothing for this.
    fn listen_for_tones(&mut self, rtp: &Rtp<'_>, law: Law) -> Option<char> {
        let has_events = self.stream.as_ref().is_none_or(|s| s.receive_dtmf_payload_type.is_some());
        if has_events || self.route != Route::Nothing {
            return None;
        }
        let detector = self.tone_detector.get_or_insert_with(|| Box::new(ToneDetector::new()));
        detector.handle_samples(rtp.payload.iter().map(|&byte| law.decode(byte)))
    }

    fn handle_digit(&mut self, now: Instant, digit: char, out: &mut Outbox) {
        out.events.push_back(Event::Digit { leg: self.id, digit });
        if self.player.as_ref().is_some_and(|player| player.barge() == Flag::On) {
            self.end_play(Some(digit), out);
        }
        if let Some(recorder) = &mut self.recorder
            && recorder.handle_digit(now, digit, &mut out.events) == Progress::Ended
        {
            self.recorder = None;
        }
    }

    /// Sends on what another leg (or, for echo, this one) heard; says whether this leg may want to be
    /// woken at another time than before.
    pub(super) fn relay(
        &mut self,
        now: Instant,
        from: LegId,
        heard: Heard,
        rtp: &Rtp<'_>,
        out: &mut Outbox,
    ) -> bool {
        let Some((stream, to)) = sending(self.stream.as_ref(), &self.gate) else {
            return false;
        };
        let (payload_type, carriage) = match (heard.kind, stream.dtmf_payload_type) {
            (Kind::Sound(codec), _) => (stream.payload_type, carriage(codec, stream.codec)),
            (Kind::Digit(_), Some(payload_type)) => (payload_type, Carriage::AsIs),
            (Kind::Digit(Some(digit)), None) if stream.codec.law().is_some() => {
                // The peer knows no events, so it hears the key as a tone.
                self.digit_sender.push(digit.encode_utf8(&mut [0; 4]));
                return true;
            }
            (Kind::Digit(_), None) => return false,
        };
        if self.player.is_some() || !self.digit_sender.is_idle() {
            return false;
        }
        if carriage == Carriage::Impossible {
            out.counters.packets_unrelayed += 1;
            return false;
        }
        let rate_hz = stream.codec.rate_hz();
        let Some(stamp) = self.out_stream.relay(now, from, rtp, rate_hz) else {
            return false;
        };
        out.packet(self.id, to, payload_type, stamp, |bytes| match carriage {
            Carriage::Transcode(from, to) => transcode(rtp.payload, from, to, bytes),
            Carriage::AsIs | Carriage::Impossible => bytes.extend_from_slice(rtp.payload),
        });
        self.packets_sent += 1;
        let opened = self.opening != Opening::Done;
        self.opening = Opening::Done;
        opened
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, out: &mut Outbox) {
        if let Some(recorder) = &mut self.recorder
            && recorder.handle_timeout(now, &mut out.events) == Progress::Ended
        {
            self.recorder = None;
        }
        while self.wants_frames()
            && let Some(ticker) = &mut self.ticker
            && let Some(tick) = ticker.next(now)
        {
            let samples = ticker.samples();
            match tick {
                Tick::OnTime => self.send_frame(now, samples, out),
                Tick::Late => {
                    out.counters.frames_skipped += 1;
                    self.pass_frame(samples, out);
                }
            }
        }
    }

    /// Starts or stops the ticker as needed, and says when to be woken. `start` is the earliest that
    /// a frame may leave.
    pub(super) fn settle(&mut self, start: Instant) -> Option<Instant> {
        self.settle_opening(start);
        if !self.wants_frames() {
            if self.ticker.take().is_some() {
                self.out_stream.end_own();
            }
        } else if self.ticker.is_none()
            && let Some(stream) = self.stream.as_ref()
            && (stream.remote.is_some() || self.gate.target().is_some())
        {
            self.ticker = Some(Ticker::new(start, packet_time(stream)));
        }
        let opening_at = match self.opening {
            Opening::At(at) => Some(at),
            Opening::Due | Opening::Left(_) | Opening::Done => None,
        };
        let recorder_at = self.recorder.as_ref().and_then(|recorder| recorder.poll_timeout());
        let ticker_at = self.ticker.as_ref().map(Ticker::due);
        [opening_at, recorder_at, ticker_at].into_iter().flatten().min()
    }

    fn settle_opening(&mut self, start: Instant) {
        let wanted = self.route == Route::Nothing && self.player.is_none();
        self.opening = match self.opening {
            Opening::Due | Opening::At(_) | Opening::Left(_) if !wanted => Opening::Done,
            Opening::Due => Opening::At(start + OPENING_DELAY),
            Opening::At(at) if at <= start => Opening::Left(OPENING_FRAMES),
            opening @ (Opening::At(_) | Opening::Left(_) | Opening::Done) => opening,
        };
    }

    fn wants_frames(&self) -> bool {
        self.player.is_some()
            || !self.digit_sender.is_idle()
            || matches!(self.opening, Opening::Left(_))
            || self.wants_silence()
    }

    fn wants_silence(&self) -> bool {
        self.keep_alive == Flag::On && self.route == Route::Nothing
    }

    fn send_frame(&mut self, now: Instant, samples: usize, out: &mut Outbox) {
        let Some((stream, to)) = sending(self.stream.as_ref(), &self.gate) else {
            self.pass_frame(samples, out);
            return;
        };
        let (payload_type, event_type) = (stream.payload_type, stream.dtmf_payload_type);
        let codec = stream.codec;
        match (self.digit_sender.next_frame(samples as u32), event_type, codec.law()) {
            (Some(_), Some(event_type), _) => {
                self.send_event(now, to, event_type, codec.rate_hz(), samples, out);
                self.pass_sound_under_keys(samples);
            }
            (Some(frame), None, Some(law)) => {
                let stamp = self.out_stream.own(now, samples as u32, codec.rate_hz());
                out.packet(self.id, to, payload_type, stamp, |bytes| {
                    write_key(frame, law, samples, bytes);
                });
                self.packets_sent += 1;
                self.pass_sound_under_keys(samples);
            }
            (Some(_), None, None) => self.pass_sound_under_keys(samples),
            (None, _, Some(law)) => self.send_sound(now, to, payload_type, law, samples, out),
            (None, _, None) => self.pass_sound(samples, out),
        }
    }

    /// One packet of a key under way (RFC 4733 §2.5.1), or nothing in the pause after it.
    fn send_event(
        &mut self,
        now: Instant,
        to: SocketAddr,
        event_type: u8,
        rate_hz: u32,
        samples: usize,
        out: &mut Outbox,
    ) {
        let ticks = |samples: u32| u64::from(samples) * u64::from(rate_hz) / 8_000;
        let frame_ticks = ticks(samples as u32) as u32;
        let Some(packet) = self.digit_sender.event_packet() else {
            self.out_stream.skip(frame_ticks);
            return;
        };
        let duration = u16::try_from(ticks(packet.duration)).unwrap_or(u16::MAX);
        let mut stamp = self.out_stream.own(now, frame_ticks, rate_hz);
        stamp.marker = packet.marker;
        self.digit_sender.started_at(stamp.timestamp);
        stamp.timestamp = packet.timestamp.unwrap_or(stamp.timestamp);
        out.packet(self.id, to, event_type, stamp, |bytes| {
            bytes.extend_from_slice(&packet.payload(duration));
        });
        self.packets_sent += 1;
    }

    fn send_sound(
        &mut self,
        now: Instant,
        to: SocketAddr,
        payload_type: u8,
        law: Law,
        samples: usize,
        out: &mut Outbox,
    ) {
        if let Some(player) = &mut self.player {
            let (draft, filled) = out.draft(|bytes| {
                let filled = player.fill(law, samples, bytes);
                // The last frame is as long as the others.
                bytes.resize(bytes.len() + (samples - filled), law.silence());
                filled
            });
            if filled > 0 {
                let stamp = self.out_stream.own(now, samples as u32, LAW_RATE_HZ);
                out.finish(draft, self.id, to, payload_type, stamp);
                self.packets_sent += 1;
                self.opening = Opening::Done;
                return;
            }
            out.discard(draft);
            self.end_play(None, out);
        }
        if let Opening::Left(left) = self.opening {
            self.opening = match left.checked_sub(1) {
                Some(left) if left > 0 => Opening::Left(left),
                Some(_) | None => Opening::Done,
            };
        } else if !self.wants_silence() {
            return;
        }
        let stamp = self.out_stream.own(now, samples as u32, LAW_RATE_HZ);
        out.packet(self.id, to, payload_type, stamp, |bytes| {
            bytes.resize(bytes.len() + samples, law.silence());
        });
        self.packets_sent += 1;
    }

    /// A frame's time passes without a packet: we are late, or the peer must not get it.
    fn pass_frame(&mut self, samples: usize, out: &mut Outbox) {
        let rate_hz = self.stream.as_ref().map_or(LAW_RATE_HZ, |stream| stream.codec.rate_hz());
        let ticks = samples as u64 * u64::from(rate_hz) / 8_000;
        self.out_stream.skip(ticks as u32);
        if self.digit_sender.next_frame(samples as u32).is_some() {
            self.digit_sender.event_packet();
            self.pass_sound_under_keys(samples);
        } else {
            self.pass_sound(samples, out);
        }
    }

    /// A playback goes on under keys, unheard; it ends after them.
    fn pass_sound_under_keys(&mut self, samples: usize) {
        if let Some(player) = &mut self.player {
            player.skip(samples);
        }
    }

    fn pass_sound(&mut self, samples: usize, out: &mut Outbox) {
        if let Some(player) = &mut self.player
            && player.skip(samples) == 0
        {
            self.end_play(None, out);
        }
        if let Opening::Left(_) = self.opening {
            self.opening = Opening::Done;
        }
    }

    fn end_play(&mut self, digit: Option<char>, out: &mut Outbox) {
        if let Some(player) = self.player.take() {
            out.events.push_back(Event::PlayEnded {
                leg: self.id,
                job: player.job(),
                digit,
                heard: player.heard(),
            });
        }
    }

    fn end_record(&mut self, now: Instant, out: &mut Outbox) {
        if let Some(mut recorder) = self.recorder.take() {
            recorder.stop(now, RecordEnd::Stopped, &mut out.events);
        }
    }
}

/// The stream and where to send it, if we may.
fn sending<'a>(stream: Option<&'a Stream>, gate: &Gate) -> Option<(&'a Stream, SocketAddr)> {
    let stream = stream.filter(|stream| stream.sending == Flag::On && stream.remote.is_some())?;
    Some((stream, gate.target()?))
}

fn packet_time(stream: &Stream) -> Duration {
    let ptime_ms = if stream.ptime_ms == 0 { 20 } else { stream.ptime_ms };
    Duration::from_millis(u64::from(ptime_ms.clamp(PTIME_MS_MIN, PTIME_MS_MAX)))
}

fn write_key(frame: DigitFrame, law: Law, samples: usize, bytes: &mut Vec<u8>) {
    match frame {
        DigitFrame::Down { event, elapsed } => {
            let tone = Tone::key(event);
            let mut sound = [0; PTIME_MS_MAX as usize * 8];
            let (sound, _) = sound.split_at_mut(samples.min(PTIME_MS_MAX as usize * 8));
            tone.fill(u64::from(elapsed), sound);
            bytes.extend(sound.iter().map(|&sample| law.encode(sample)));
        }
        DigitFrame::Pause => bytes.resize(bytes.len() + samples, law.silence()),
    }
}

/// The clock of G.711, and of all sound that we make ourselves.
const LAW_RATE_HZ: u32 = 8_000;

/// A peer that hears nothing for so long after it was described gets some silence.
const OPENING_DELAY: Duration = Duration::from_millis(200);

/// How much.
const OPENING_FRAMES: u8 = 3;

/// Packet times outside are moved to these.
const PTIME_MS_MIN: u16 = 10;
const PTIME_MS_MAX: u16 = 60;
