//! Voice: a thread that owns the sockets of its legs and the engine that knows what to do with them.
//!
//! Per packet there is one receive, one look into the engine and one send: no channel, no allocation,
//! no second read to find out that there is no more (readiness is level-triggered). Commands come in by
//! a bounded queue that wakes the thread once per burst.
//!
//! This module starts no thread: its user calls [`RtpLoop::run`] on one.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TryRecvError, TrySendError};
use std::time::Instant;

use media::{Command, Engine, Event, LegId};

use crate::socket;

mod readiness;
#[cfg(test)]
mod tests;

use readiness::{Readiness, Ready, Waker};

/// Makes a voice loop, to be run on a thread of its own, and the handle that commands it.
///
/// # Errors
/// As the system says when it has no descriptors left.
pub fn channel(engine: Engine) -> io::Result<(RtpHandle, RtpLoop)> {
    let (sender, receiver) = mpsc::sync_channel(COMMANDS_MAX);
    let (readiness, waker) = Readiness::new()?;
    let queued = Arc::new(AtomicUsize::new(0));
    let counters = Arc::new(SharedCounters::default());
    let handle = RtpHandle {
        commands: sender,
        waker,
        queued: Arc::clone(&queued),
        counters: Arc::clone(&counters),
    };
    let rtp_loop = RtpLoop {
        engine,
        commands: receiver,
        queued,
        readiness,
        sockets: Sockets::default(),
        held_events: VecDeque::new(),
        counters,
        buffer: vec![0; PACKET_BYTES_MAX + 1].into_boxed_slice(),
    };
    Ok((handle, rtp_loop))
}

/// Commands a voice loop from another thread. The loop ends when the handle is dropped.
#[derive(Debug)]
pub struct RtpHandle {
    commands: SyncSender<Command>,
    waker: Waker,
    queued: Arc<AtomicUsize>,
    counters: Arc<SharedCounters>,
}

impl RtpHandle {
    /// Queues a command without waking the thread; call [`Self::wake`] after the last of a burst.
    ///
    /// # Errors
    /// Gives the command back when the queue is full or the loop is gone. `Open` is refused at three
    /// quarters, so that legs that exist can still be closed.
    pub fn send(&self, command: Command) -> Result<(), Command> {
        let is_open = matches!(command, Command::Open { .. });
        if is_open && self.queued.load(Ordering::Relaxed) >= COMMANDS_MAX / 4 * 3 {
            self.counters.commands_refused.fetch_add(1, Ordering::Relaxed);
            return Err(command);
        }
        // Counted before it is queued, so that the loop never counts below zero.
        self.queued.fetch_add(1, Ordering::Relaxed);
        self.commands.try_send(command).map_err(|error| {
            self.queued.fetch_sub(1, Ordering::Relaxed);
            self.counters.commands_refused.fetch_add(1, Ordering::Relaxed);
            match error {
                TrySendError::Full(command) | TrySendError::Disconnected(command) => command,
            }
        })
    }

    /// Makes the thread look at its queue; one system call, none if it was told already.
    pub fn wake(&self) {
        self.waker.wake();
    }

    /// What happened so far.
    pub fn counters(&self) -> RtpCounters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        RtpCounters {
            send_buffer_full: read(&self.counters.send_buffer_full),
            send_failed: read(&self.counters.send_failed),
            receive_failed: read(&self.counters.receive_failed),
            too_large: read(&self.counters.too_large),
            events_dropped: read(&self.counters.events_dropped),
            commands_refused: read(&self.counters.commands_refused),
            faults: read(&self.counters.faults),
        }
    }
}

impl Drop for RtpHandle {
    fn drop(&mut self) {
        // Let go of the queue first, so that the loop, once awake, sees that nobody is left.
        let (gone, _receiver) = mpsc::sync_channel(0);
        drop(std::mem::replace(&mut self.commands, gone));
        self.waker.wake();
    }
}

/// What went wrong in a voice loop so far; what went well is counted by the engine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RtpCounters {
    /// Packets dropped because the system's send buffer was full.
    pub send_buffer_full: u64,
    /// Packets that could not be sent for another reason.
    pub send_failed: u64,
    /// Reads that failed.
    pub receive_failed: u64,
    /// Datagrams longer than any voice packet, dropped.
    pub too_large: u64,
    /// Events dropped because call control did not take them for long.
    pub events_dropped: u64,
    /// Commands refused because the queue was full.
    pub commands_refused: u64,
    /// Faults of our own, each of which cost at most one leg its sound.
    pub faults: u64,
}

#[derive(Debug, Default)]
struct SharedCounters {
    send_buffer_full: AtomicU64,
    send_failed: AtomicU64,
    receive_failed: AtomicU64,
    too_large: AtomicU64,
    events_dropped: AtomicU64,
    commands_refused: AtomicU64,
    faults: AtomicU64,
}

/// One voice thread's sockets and engine.
#[derive(Debug)]
pub struct RtpLoop {
    engine: Engine,
    commands: Receiver<Command>,
    queued: Arc<AtomicUsize>,
    readiness: Readiness,
    sockets: Sockets,
    /// Events that call control had no room for.
    held_events: VecDeque<Event>,
    counters: Arc<SharedCounters>,
    /// What is being received; one byte more than allowed, to notice what is too long.
    buffer: Box<[u8]>,
}

impl RtpLoop {
    /// Carries voice until the handle is dropped. `deliver` takes events, or gives one back when it
    /// has no room; that one is offered again a little later.
    ///
    /// # Errors
    /// When the system can no longer tell which sockets are readable.
    pub fn run(mut self, mut deliver: impl FnMut(Event) -> Result<(), Event>) -> io::Result<()> {
        let mut ready = Vec::new();
        let mut more_commands = false;
        loop {
            let wait_until = self.wait_until(more_commands);
            self.readiness.wait(wait_until, &mut ready)?;
            let now = Instant::now();
            for ready in ready.drain(..) {
                match ready {
                    Ready::Commands => more_commands = true,
                    Ready::Socket(key) => self.receive(now, key),
                }
            }
            if more_commands {
                match self.take_commands(now) {
                    Taken::All => more_commands = false,
                    Taken::Some => {}
                    Taken::Closed => return Ok(()),
                }
            }
            if self.engine.poll_timeout().is_some_and(|at| at <= now) {
                self.contain(None, |this| {
                    this.engine.handle_timeout(now);
                    this.send_packets();
                });
            }
            self.deliver_events(&mut deliver);
        }
    }

    fn wait_until(&self, more_commands: bool) -> Option<Instant> {
        if more_commands {
            return Some(Instant::now());
        }
        let timeout = self.engine.poll_timeout();
        if self.held_events.is_empty() {
            return timeout;
        }
        let retry_at = Instant::now() + EVENTS_RETRY_AFTER;
        Some(timeout.map_or(retry_at, |at| at.min(retry_at)))
    }

    /// Takes one datagram from a readable socket; if there are more, it is still readable next time.
    fn receive(&mut self, now: Instant, key: SocketKey) {
        let Some((leg, socket)) = self.sockets.at(key) else { return };
        match socket.recv_from(&mut self.buffer) {
            Ok((length, from)) => match self.buffer.get(..length) {
                Some(_) if length <= PACKET_BYTES_MAX => self.contain(Some(leg), |this| {
                    let packet = this.buffer.get(..length).unwrap_or_default();
                    this.engine.handle_packet(now, leg, from, packet);
                    this.send_packets();
                }),
                Some(_) | None => count(&self.counters.too_large),
            },
            // Level-triggered readiness may be wrong once: a datagram with a bad checksum.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => count(&self.counters.receive_failed),
        }
    }

    /// Does something. A fault of our own in it silences the leg that it was about, and no other.
    fn contain(&mut self, leg: Option<LegId>, act: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| act(self))).is_ok() {
            return;
        }
        // The panic itself was told where it happened.
        count(&self.counters.faults);
        tracing::error!(?leg, "internal fault while carrying voice: the other calls go on");
        if let Some(leg) = leg {
            self.sockets.remove(&mut self.readiness, leg);
        }
    }

    fn send_packets(&mut self) {
        while let Some(packet) = self.engine.poll_packet() {
            let Some(socket) = self.sockets.of(packet.leg) else { continue };
            match socket.send_to(packet.bytes, packet.to) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    count(&self.counters.send_buffer_full);
                }
                Err(_) => count(&self.counters.send_failed),
            }
        }
    }

    fn take_commands(&mut self, now: Instant) -> Taken {
        for _ in 0..COMMANDS_PER_TURN {
            match self.commands.try_recv() {
                Ok(command) => {
                    self.queued.fetch_sub(1, Ordering::Relaxed);
                    self.carry_out(now, command);
                }
                Err(TryRecvError::Empty) => return Taken::All,
                Err(TryRecvError::Disconnected) => return Taken::Closed,
            }
        }
        Taken::Some
    }

    fn carry_out(&mut self, now: Instant, command: Command) {
        if let Command::Open { leg, ip, port } = &command {
            let (leg, address) = (*leg, SocketAddr::new(*ip, *port));
            let opened = socket::rtp_datagrams(address)
                .and_then(|socket| self.sockets.add(&mut self.readiness, leg, socket));
            if let Err(error) = opened {
                let why = format!("UDP {address}: {error}");
                self.hold_event(Event::OpenFailed { leg, why });
                return;
            }
        }
        let closed = if let Command::Close { leg } = &command { Some(*leg) } else { None };
        self.contain(None, |this| {
            this.engine.handle_command(now, command);
            // What the engine still has to say on a leg goes out before the leg's socket goes.
            this.send_packets();
        });
        if let Some(leg) = closed {
            self.sockets.remove(&mut self.readiness, leg);
        }
    }

    fn deliver_events(&mut self, deliver: &mut impl FnMut(Event) -> Result<(), Event>) {
        while let Some(event) = self.held_events.pop_front() {
            if let Err(event) = deliver(event) {
                self.held_events.push_front(event);
                break;
            }
        }
        while let Some(event) = self.engine.poll_event() {
            if !self.held_events.is_empty() {
                self.hold_event(event);
            } else if let Err(event) = deliver(event) {
                self.hold_event(event);
            }
        }
    }

    fn hold_event(&mut self, event: Event) {
        if self.held_events.len() < EVENTS_HELD_MAX {
            self.held_events.push_back(event);
        } else {
            count(&self.counters.events_dropped);
        }
    }
}

/// How far the queue of commands was emptied.
enum Taken {
    All,
    Some,
    Closed,
}

/// Sockets by place, for what is readable, and by leg, for what is to be sent.
#[derive(Debug, Default)]
struct Sockets {
    places: Vec<Place>,
    free: Vec<usize>,
    by_leg: HashMap<LegId, usize>,
}

#[derive(Debug, Default)]
struct Place {
    /// Counts who had this place, so that a late word on a closed socket is not taken for its heir's.
    tenant: u32,
    leg: Option<(LegId, UdpSocket)>,
}

/// Names a socket in the readiness list: its place and its tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SocketKey {
    place: u32,
    tenant: u32,
}

impl Sockets {
    fn add(&mut self, readiness: &mut Readiness, leg: LegId, socket: UdpSocket) -> io::Result<()> {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place::default());
            self.places.len() - 1
        });
        let Some(place) = self.places.get_mut(index) else { return Ok(()) };
        let key = SocketKey { place: index as u32, tenant: place.tenant };
        if let Err(error) = readiness.add(&socket, key) {
            self.free.push(index);
            return Err(error);
        }
        place.leg = Some((leg, socket));
        self.by_leg.insert(leg, index);
        Ok(())
    }

    fn remove(&mut self, readiness: &mut Readiness, leg: LegId) {
        let Some(index) = self.by_leg.remove(&leg) else { return };
        let Some(place) = self.places.get_mut(index) else { return };
        readiness.remove(SocketKey { place: index as u32, tenant: place.tenant });
        place.leg = None;
        place.tenant = place.tenant.wrapping_add(1);
        self.free.push(index);
    }

    fn at(&self, key: SocketKey) -> Option<(LegId, &UdpSocket)> {
        let place = self.places.get(key.place as usize)?;
        let (leg, socket) = place.leg.as_ref()?;
        (place.tenant == key.tenant).then_some((*leg, socket))
    }

    fn of(&self, leg: LegId) -> Option<&UdpSocket> {
        let place = self.places.get(*self.by_leg.get(&leg)?)?;
        place.leg.as_ref().map(|(_leg, socket)| socket)
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Commands that may wait; each call sends some twenty in its life.
pub const COMMANDS_MAX: usize = 8_192;
/// Commands carried out before looking at the sockets again.
const COMMANDS_PER_TURN: usize = 64;
/// Events kept for a call control that has no room; beyond, they are dropped and counted.
const EVENTS_HELD_MAX: usize = 65_536;
/// When to offer held events again.
const EVENTS_RETRY_AFTER: std::time::Duration = std::time::Duration::from_millis(5);
/// Longest voice packet: what an Ethernet frame carries.
const PACKET_BYTES_MAX: usize = 1_500;
