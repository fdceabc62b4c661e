//! Whose packets are let in, and where ours go (symmetric RTP, RFC 4961; latching, RFC 7362).
//!
//! A packet from exactly the described address is the peer's. One from elsewhere may be the peer
//! behind a NAT or a stranger who guessed the port, so nothing from there is heard until it has sent
//! a few packets paced like sound; and whoever is nearer to the description takes over from whoever
//! is not. Until somebody is let in we send to the described address alone.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::Latch;
use crate::rtp::{Rtp, sequence_distance};

#[cfg(test)]
mod tests;

/// The door of one leg.
#[derive(Debug)]
pub(crate) struct Gate {
    described: Option<SocketAddr>,
    latch: Latch,
    /// Whose packets are heard, and how near to the description that is.
    latched: Option<(SocketAddr, Nearness)>,
    candidates: [Option<Candidate>; CANDIDATES_MAX],
}

/// What to do with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the peer's.
    Hear,
    /// It is the peer's, and from now on only packets from there are.
    HearAndLatch,
    /// Not heard, perhaps not yet.
    Refuse,
}

/// How near an address is to the described one; later is nearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    Stranger,
    SameHost,
    Exact,
}

/// An address that may turn out to be the peer's.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    from: SocketAddr,
    ssrc: u32,
    sequence: u16,
    packets: u8,
    first_at: Instant,
    last_at: Instant,
}

impl Gate {
    /// Lets nobody in until the peer is described.
    pub(crate) fn new() -> Self {
        Self {
            described: None,
            latch: Latch::SameHost,
            latched: None,
            candidates: [None; CANDIDATES_MAX],
        }
    }

    /// Takes what the description says. A peer that moved must be found again; one that is merely on
    /// hold (`None`) keeps its place.
    pub(crate) fn describe(&mut self, remote: Option<SocketAddr>, latch: Latch) {
        if remote.is_none_or(|remote| self.described == Some(remote)) && self.latch == latch {
            return;
        }
        self.described = remote.or(self.described);
        self.latch = latch;
        self.latched = None;
        self.candidates = [None; CANDIDATES_MAX];
    }

    /// Where to send.
    pub(crate) fn target(&self) -> Option<SocketAddr> {
        self.latched.map(|(address, _)| address).or(self.described)
    }

    /// Decides about one well-formed packet. Allocates nothing.
    pub(crate) fn admit(&mut self, now: Instant, from: SocketAddr, rtp: &Rtp<'_>) -> Verdict {
        if let Some((latched, _)) = self.latched
            && latched == from
        {
            return Verdict::Hear;
        }
        let Some(nearness) = self.nearness(from) else {
            return Verdict::Refuse;
        };
        if self.latched.is_some_and(|(_, latched)| latched >= nearness) {
            return Verdict::Refuse;
        }
        if nearness < Nearness::Exact && !self.learn(now, from, rtp) {
            return Verdict::Refuse;
        }
        self.latched = Some((from, nearness));
        self.candidates = [None; CANDIDATES_MAX];
        Verdict::HearAndLatch
    }

    /// `None` for whom the latch never lets in.
    fn nearness(&self, from: SocketAddr) -> Option<Nearness> {
        let described = self.described?;
        let same_host = described.ip().to_canonical() == from.ip().to_canonical();
        match (same_host, described.port() == from.port(), self.latch) {
            (true, true, _) => Some(Nearness::Exact),
            (true, false, _) => Some(Nearness::SameHost),
            (false, _, Latch::Nat) => Some(Nearness::Stranger),
            (false, _, Latch::SameHost) => None,
        }
    }

    /// Whether this address has now sent enough, in order and over long enough a time.
    fn learn(&mut self, now: Instant, from: SocketAddr, rtp: &Rtp<'_>) -> bool {
        let known = self.candidates.iter_mut().flatten().find(|candidate| candidate.from == from);
        let Some(candidate) = known else {
            self.propose(now, from, rtp);
            return false;
        };
        let step = sequence_distance(candidate.sequence, rtp.sequence);
        if candidate.ssrc != rtp.ssrc || !(1..=STEP_MAX).contains(&step) {
            *candidate = Candidate::new(now, from, rtp);
            return false;
        }
        candidate.sequence = rtp.sequence;
        candidate.last_at = now;
        candidate.packets = candidate.packets.saturating_add(1);
        candidate.packets >= PACKETS_MIN
            && now.saturating_duration_since(candidate.first_at) >= SPAN_MIN
    }

    /// Takes a free place, or that of a candidate who fell silent; else forgets the newcomer.
    fn propose(&mut self, now: Instant, from: SocketAddr, rtp: &Rtp<'_>) {
        let place = self.candidates.iter_mut().find(|place| {
            place.is_none_or(|old| now.saturating_duration_since(old.last_at) >= SILENT_AFTER)
        });
        if let Some(place) = place {
            *place = Some(Candidate::new(now, from, rtp));
        }
    }
}

impl Candidate {
    fn new(now: Instant, from: SocketAddr, rtp: &Rtp<'_>) -> Self {
        Self {
            from,
            ssrc: rtp.ssrc,
            sequence: rtp.sequence,
            packets: 1,
            first_at: now,
            last_at: now,
        }
    }
}

/// How many addresses are watched at once.
const CANDIDATES_MAX: usize = 4;

/// Packets that a candidate must have sent, and the time that they must span, so that a burst from a
/// stranger does not overtake the peer.
const PACKETS_MIN: u8 = 5;
const SPAN_MIN: Duration = Duration::from_millis(60);

/// Largest step in sequence between two packets of a candidate.
const STEP_MAX: i16 = 50;

/// A candidate who sent nothing for so long loses its place to the next.
const SILENT_AFTER: Duration = Duration::from_millis(200);
