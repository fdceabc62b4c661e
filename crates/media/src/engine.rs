//! All legs of one media thread.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use crate::{Command, Event, LegId};

/// All legs of one media thread; both legs of a bridge live in the same engine.
///
/// After every `handle_*`, drain [`Engine::poll_packet`] and [`Engine::poll_event`] to `None`.
#[derive(Debug)]
pub struct Engine {
    random: fastrand::Rng,
    events: VecDeque<Event>,
    counters: Counters,
}

/// One RTP packet to send from a leg's socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Whose socket.
    pub leg: LegId,
    /// Where to.
    pub to: SocketAddr,
    /// The datagram.
    pub bytes: &'a [u8],
}

/// What all legs together have seen since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets let in.
    pub packets_received: u64,
    /// Packets sent.
    pub packets_sent: u64,
    /// Well-formed packets from strangers, never heard.
    pub packets_refused: u64,
    /// Datagrams that are not RTP: STUN, DTLS, junk.
    pub packets_malformed: u64,
    /// RTCP on the RTP port, ignored (RFC 5761).
    pub packets_rtcp: u64,
    /// RTP of a payload type that was not agreed on.
    pub packets_unexpected: u64,
    /// Frames not sent because we were woken too late.
    pub frames_skipped: u64,
}

impl Engine {
    /// An engine without legs. Sources, sequence numbers and timestamps follow from `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            events: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    /// Carries out a command. One that names an unknown leg is ignored.
    pub fn handle_command(&mut self, now: Instant, command: Command) {
        let _unused = (now, command, &self.random);
    }

    /// Takes a datagram that arrived on a leg's socket. Runs for every packet of every call, and
    /// allocates nothing once its buffers have grown.
    pub fn handle_packet(&mut self, now: Instant, leg: LegId, from: SocketAddr, packet: &[u8]) {
        let _unused = (now, leg, from, packet);
    }

    /// Plays and records what is due. Early calls are harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        let _unused = now;
    }

    /// The next packet to send.
    pub fn poll_packet(&mut self) -> Option<Packet<'_>> {
        None
    }

    /// The next thing to tell call control.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Engine::handle_timeout`] next has work; `None` while there is only relaying to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// How many legs are open.
    pub fn leg_count(&self) -> usize {
        0
    }

    /// What was seen so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }
}
