//! One leg of the exchange: what it sends, and whether it hears its party.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use media::{LegId, Stream};

use super::player::Player;
use super::recorder::Recorder;

#[derive(Debug)]
pub(super) struct Leg {
    pub(super) port: u16,
    pub(super) stream: Option<Stream>,
    /// Where its party is, even while that is on hold.
    pub(super) described: Option<SocketAddr>,
    pub(super) route: Route,
    pub(super) player: Option<Player>,
    pub(super) recorder: Option<Recorder>,
    /// Whether its party's sound gets here and is listened to.
    pub(super) hears: bool,
    pub(super) latched: Option<SocketAddr>,
    /// Keys it sends, and when each goes down.
    digits: VecDeque<(Instant, char)>,
}

/// Where the sound of a leg goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Nothing,
    Echo,
    Bridge(LegId),
}

impl Leg {
    pub(super) fn new(port: u16) -> Self {
        Self {
            port,
            stream: None,
            described: None,
            route: Route::Nothing,
            player: None,
            recorder: None,
            hears: false,
            latched: None,
            digits: VecDeque::new(),
        }
    }

    pub(super) fn configure(&mut self, stream: Stream) {
        self.described = stream.remote.or(self.described);
        self.stream = Some(stream);
    }

    /// Begins what waits for the party to be described. `start` is the earliest that a frame leaves.
    pub(super) fn begin_playing(&mut self, start: Instant) {
        if self.described.is_some()
            && let Some(stream) = &self.stream
            && let Some(player) = &mut self.player
            && !player.has_begun()
        {
            player.begin(start, packet_time(stream));
        }
    }

    /// When the playback is over by itself; keys under way are sent first.
    pub(super) fn playback_ends_at(&self) -> Option<Instant> {
        let ends_at = self.player.as_ref()?.ends_at()?;
        Some(self.keys_until().map_or(ends_at, |until| ends_at.max(until)))
    }

    pub(super) fn send_digits(&mut self, start: Instant, digits: &str) {
        let keys = digits.chars().filter(|digit| crate::is_key(*digit));
        for key in keys.take(DIGITS_MAX.saturating_sub(self.digits.len())) {
            let at = self.digits.back().map_or(start, |(last, _)| start.max(*last + DOWN + PAUSE));
            self.digits.push_back((at, key.to_ascii_uppercase()));
        }
    }

    /// The key that is down at its party's end.
    pub(super) fn key_sent(&self, now: Instant) -> Option<char> {
        let is_down = |(at, _): &&(Instant, char)| (*at..*at + DOWN).contains(&now);
        self.digits.iter().find(is_down).map(|(_, key)| *key)
    }

    /// Whether keys are being sent, pauses between them included.
    pub(super) fn sends_keys(&self, now: Instant) -> bool {
        self.digits.front().is_some_and(|(at, _)| *at <= now)
            && self.keys_until().is_some_and(|until| now < until)
    }

    fn keys_until(&self) -> Option<Instant> {
        self.digits.back().map(|(at, _)| *at + DOWN + PAUSE)
    }

    /// When something may change here.
    pub(super) fn wakes(&self, now: Instant) -> [Option<Instant>; 4] {
        let moments = self.digits.iter().flat_map(|(at, _)| [*at, *at + DOWN, *at + DOWN + PAUSE]);
        [
            self.player.as_ref().and_then(|player| player.next_change(now)).filter(|at| *at > now),
            self.playback_ends_at(),
            self.recorder.as_ref().and_then(Recorder::poll_timeout),
            moments.filter(|at| *at > now).min(),
        ]
    }
}

fn packet_time(stream: &Stream) -> Duration {
    let ptime_ms = if stream.ptime_ms == 0 { 20 } else { stream.ptime_ms };
    Duration::from_millis(u64::from(ptime_ms.clamp(10, 60)))
}

/// How long a sent key is down, and up after it.
const DOWN: Duration = Duration::from_millis(100);
const PAUSE: Duration = Duration::from_millis(100);
/// Most keys waiting to be sent.
const DIGITS_MAX: usize = 64;
