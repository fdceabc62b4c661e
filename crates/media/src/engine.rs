//! All legs of one media thread.
//!
//! Carries commands to the legs, packets from one leg to the other, and wakes each leg when it asks
//! to be. What a leg does by itself stands in [`leg`].

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::rtp::{self, Datagram};
use crate::{Codec, Command, Event, LegId};
use leg::{Heard, Leg, Route};
use outbox::Outbox;

mod leg;
mod outbox;
#[cfg(test)]
mod tests;

/// All legs of one media thread; both legs of a bridge live in the same engine.
///
/// After every `handle_*`, drain [`Engine::poll_packet`] and [`Engine::poll_event`] to `None`, then
/// sleep until [`Engine::poll_timeout`].
#[derive(Debug)]
pub struct Engine {
    random: fastrand::Rng,
    legs: HashMap<LegId, Box<Leg>, BuildHasherDefault<IdHasher>>,
    /// When each leg that waits for something wants to be woken.
    wakes: BTreeSet<(Instant, LegId)>,
    /// Frames start at whole multiples of [`GRID`] after this.
    grid: Option<Instant>,
    out: Outbox,
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
    /// Packets that a bridge could not carry: the codecs do not fit together.
    pub packets_unrelayed: u64,
    /// Frames not sent because we were woken too late.
    pub frames_skipped: u64,
}

impl Engine {
    /// An engine without legs. Sources, sequence numbers and timestamps follow from `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            legs: HashMap::default(),
            wakes: BTreeSet::new(),
            grid: None,
            out: Outbox::default(),
        }
    }

    /// Carries out a command. One that names an unknown leg is ignored.
    pub fn handle_command(&mut self, now: Instant, command: Command) {
        match command {
            Command::Open { leg, ip: _, port: _ } => {
                let random = &mut self.random;
                self.legs.entry(leg).or_insert_with(|| Box::new(Leg::new(leg, random)));
            }
            Command::Configure { leg, stream } => {
                self.with_leg(now, leg, |leg, _| leg.configure(now, stream));
            }
            Command::Bridge { a, b } => self.bridge(now, a, b),
            Command::Unbridge { leg } => self.unroute(now, leg),
            Command::Play { leg, job, playlist } => {
                self.with_leg(now, leg, |leg, out| leg.play(job, playlist, out));
            }
            Command::StopPlay { leg, job } => {
                self.with_leg(now, leg, |leg, out| leg.stop_play(job, out));
            }
            Command::Record { leg, job, limits } => {
                self.with_leg(now, leg, |leg, out| leg.record(now, job, limits, out));
            }
            Command::StopRecord { leg, job } => {
                self.with_leg(now, leg, |leg, out| leg.stop_record(now, job, out));
            }
            Command::Echo { leg } => {
                self.unroute(now, leg);
                self.with_leg(now, leg, |leg, out| leg.take_route(Route::Echo, out));
            }
            Command::SendDigits { leg, digits } => {
                self.with_leg(now, leg, |leg, _| leg.send_digits(&digits));
            }
            Command::KeepAlive { leg, keep_alive } => {
                self.with_leg(now, leg, |leg, _| leg.keep_alive(keep_alive));
            }
            Command::Close { leg } => self.close(now, leg),
        }
    }

    /// Takes a datagram that arrived on a leg's socket. Runs for every packet of every call, and
    /// allocates nothing once its buffers have grown.
    pub fn handle_packet(&mut self, now: Instant, leg: LegId, from: SocketAddr, packet: &[u8]) {
        let id = leg;
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        let rtp = match rtp::read(packet) {
            Datagram::Rtp(rtp) => rtp,
            Datagram::Rtcp => {
                self.out.counters.packets_rtcp += 1;
                return;
            }
            Datagram::Other => {
                self.out.counters.packets_malformed += 1;
                return;
            }
        };
        let Some(heard) = leg.hear(now, from, &rtp, &mut self.out) else {
            return;
        };
        let target = match leg.route() {
            Route::Nothing => None,
            Route::Echo => Some(id),
            Route::Bridge(peer) => Some(peer),
        };
        if heard.woke {
            self.settle(now, id);
        }
        if let Some(target) = target {
            self.relay(now, id, target, heard, &rtp);
        }
    }

    /// Plays and records what is due. Early calls are harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(&(due, id)) = self.wakes.first() {
            if due > now {
                break;
            }
            self.wakes.pop_first();
            if let Some(leg) = self.legs.get_mut(&id) {
                leg.wake_at = None;
                leg.handle_timeout(now, &mut self.out);
                self.settle(now, id);
            }
        }
    }

    /// The next packet to send.
    pub fn poll_packet(&mut self) -> Option<Packet<'_>> {
        self.out.poll_packet()
    }

    /// The next thing to tell call control.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.out.events.pop_front()
    }

    /// When [`Engine::handle_timeout`] next has work; `None` while there is only relaying to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.wakes.first().map(|&(due, _)| due)
    }

    /// How many legs are open.
    pub fn leg_count(&self) -> usize {
        self.legs.len()
    }

    /// What was seen so far.
    pub fn counters(&self) -> Counters {
        self.out.counters
    }

    fn bridge(&mut self, now: Instant, a: LegId, b: LegId) {
        if a == b || !self.legs.contains_key(&a) || !self.legs.contains_key(&b) {
            return;
        }
        self.unroute(now, a);
        self.unroute(now, b);
        self.with_leg(now, a, |leg, out| leg.take_route(Route::Bridge(b), out));
        self.with_leg(now, b, |leg, out| leg.take_route(Route::Bridge(a), out));
    }

    fn unroute(&mut self, now: Instant, id: LegId) {
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        if let Route::Bridge(peer) = leg.leave_route() {
            self.with_leg(now, peer, |peer, _| {
                peer.leave_route();
            });
        }
        self.settle(now, id);
    }

    fn close(&mut self, now: Instant, id: LegId) {
        self.unroute(now, id);
        if let Some(mut leg) = self.legs.remove(&id) {
            leg.close(now, &mut self.out);
            if let Some(wake_at) = leg.wake_at {
                self.wakes.remove(&(wake_at, id));
            }
        }
    }

    fn relay(&mut self, now: Instant, from: LegId, to: LegId, heard: Heard, rtp: &rtp::Rtp<'_>) {
        let Some(target) = self.legs.get_mut(&to) else {
            return;
        };
        let woke = target.relay(now, from, heard, rtp, &mut self.out);
        if woke {
            self.settle(now, to);
        }
    }

    fn with_leg(&mut self, now: Instant, id: LegId, act: impl FnOnce(&mut Leg, &mut Outbox)) {
        if let Some(leg) = self.legs.get_mut(&id) {
            act(leg, &mut self.out);
            self.settle(now, id);
        }
    }

    /// Starts what is waiting to start, and notes when the leg wants to be woken.
    fn settle(&mut self, now: Instant, id: LegId) {
        let grid = *self.grid.get_or_insert(now);
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        let wake_at = leg.settle(next_on_grid(grid, now));
        if wake_at == leg.wake_at {
            return;
        }
        if let Some(old) = leg.wake_at {
            self.wakes.remove(&(old, id));
        }
        leg.wake_at = wake_at;
        self.wakes.extend(wake_at.map(|due| (due, id)));
    }
}

/// The first moment of the grid that is not before `now`.
fn next_on_grid(grid: Instant, now: Instant) -> Instant {
    let beyond = now.saturating_duration_since(grid).as_nanos() % GRID.as_nanos();
    match u64::try_from(beyond) {
        Ok(beyond) if beyond > 0 => now + GRID.saturating_sub(Duration::from_nanos(beyond)),
        Ok(_) | Err(_) => now,
    }
}

/// Playing starts at multiples of this, so that a thousand listeners do not need a thousand wakes.
const GRID: Duration = Duration::from_millis(5);

/// Leg numbers are ours and ascend, so spreading them is enough; nobody outside can choose them.
#[derive(Debug, Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }
}

/// How sound of one codec gets to a leg that speaks another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carriage {
    AsIs,
    Transcode(crate::codec::g711::Law, crate::codec::g711::Law),
    Impossible,
}

fn carriage(from: Codec, to: Codec) -> Carriage {
    match (from.law(), to.law()) {
        (Some(from), Some(to)) if from != to => Carriage::Transcode(from, to),
        _ if from == to => Carriage::AsIs,
        _ => Carriage::Impossible,
    }
}
