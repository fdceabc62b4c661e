//! SIP over TCP (RFC 3261 §18): listeners, connections both ways, and the bounds on each.
//!
//! Every connection is a small task on the thread that runs the switch. All tasks belong to [`Tcp`] and
//! end with it. A connection that is closed, for whatever reason, is told once.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use crate::ends::Ends;
use crate::socket;

mod connection;
#[cfg(test)]
mod tests;

use connection::{Peer, Report, What};

/// All TCP listeners and connections. Belongs to one thread, inside its tokio `LocalSet`.
#[derive(Debug)]
pub struct Tcp {
    limits: TcpLimits,
    listeners: Vec<Listener>,
    connections: BTreeMap<Ends, Connection>,
    tasks: JoinSet<()>,
    reporter: mpsc::Sender<Report>,
    reports: mpsc::Receiver<Report>,
    /// Closed by us and not told yet.
    closed: VecDeque<Ends>,
    next_id: u64,
    /// Bytes of long unfinished messages that all connections hold together.
    unfinished: Rc<Cell<usize>>,
    counters: TcpCounters,
}

/// What comes out of connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// One whole message.
    Message {
        /// Which connection.
        ends: Ends,
        /// The message.
        bytes: Bytes,
    },
    /// A connection is gone or could not be made; what was queued on it is lost.
    Closed {
        /// Which connection.
        ends: Ends,
    },
}

/// Bounds on connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcpLimits {
    /// Connections at one time. Beyond, the oldest that never said anything whole makes room for a
    /// new one; without such, the new one is closed at once.
    pub connections_max: usize,
    /// The same for each peer's address.
    pub connections_per_peer_max: usize,
    /// How long a message may take from its first byte to its last, and the first one from the
    /// moment of connecting. Then the connection is closed.
    pub message_time_max: Duration,
    /// How long a connection may be silent between messages.
    pub idle_time_max: Duration,
    /// How long connecting may take.
    pub connect_time_max: Duration,
    /// How long a peer may take nothing of what we send.
    pub send_time_max: Duration,
    /// Bytes of unfinished messages beyond the 8 KiB that each connection may hold, all connections
    /// together. The connection that would take more is closed.
    pub unfinished_bytes_max: usize,
}

impl Default for TcpLimits {
    fn default() -> Self {
        Self {
            connections_max: 2_000,
            connections_per_peer_max: 500,
            message_time_max: Duration::from_secs(30),
            // Longer than the longest registration, which would be renewed over it.
            idle_time_max: Duration::from_secs(3 * 3_600),
            connect_time_max: Duration::from_secs(5),
            send_time_max: Duration::from_secs(10),
            unfinished_bytes_max: 8 << 20,
        }
    }
}

/// What TCP did so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TcpCounters {
    /// Connections that peers opened.
    pub accepted: u64,
    /// Connections that we tried to open.
    pub connects: u64,
    /// Connections closed at once because there were too many.
    pub refused: u64,
    /// Silent connections closed to make room.
    pub evicted: u64,
    /// Connections closed because their peer did not take what we sent.
    pub overflowed: u64,
    /// Messages that came in.
    pub received: u64,
    /// Messages queued to go out.
    pub sent: u64,
}

#[derive(Debug)]
struct Listener {
    local: SocketAddr,
    listener: TcpListener,
}

#[derive(Debug)]
struct Connection {
    id: u64,
    outgoing: mpsc::Sender<Bytes>,
    /// Bytes that wait in `outgoing`.
    waiting: Rc<Cell<usize>>,
    task: AbortHandle,
    since: Instant,
    /// Whether a whole message ever came, or we opened it; such a one is not evicted.
    proven: bool,
}

enum Step {
    Report(Report),
    Accepted(SocketAddr, TcpStream, SocketAddr),
    AcceptFailed(io::Error),
}

impl Tcp {
    /// No listener yet.
    pub fn new(limits: TcpLimits) -> Self {
        let (reporter, reports) = mpsc::channel(REPORTS_MAX);
        Self {
            limits,
            listeners: Vec::new(),
            connections: BTreeMap::new(),
            tasks: JoinSet::new(),
            reporter,
            reports,
            closed: VecDeque::new(),
            next_id: 0,
            unfinished: Rc::default(),
            counters: TcpCounters::default(),
        }
    }

    /// Listens on a concrete address and gives it back, with the port that was chosen if it was 0.
    ///
    /// # Errors
    /// As the system says; `AddrInUse` when somebody else has the port.
    ///
    /// # Panics
    /// Outside a tokio runtime with IO.
    pub fn bind(&mut self, address: SocketAddr) -> io::Result<SocketAddr> {
        let listener = TcpListener::from_std(socket::listener(address)?)?;
        let local = listener.local_addr()?;
        self.listeners.push(Listener { local, listener });
        Ok(local)
    }

    /// Waits for a message or for the end of a connection, and lets new connections in meanwhile.
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Arrival {
        loop {
            if let Some(ends) = self.closed.pop_front() {
                return Arrival::Closed { ends };
            }
            match self.step().await {
                Step::Report(report) => {
                    if let Some(arrival) = self.take_report(report) {
                        return arrival;
                    }
                }
                Step::Accepted(local, stream, remote) => self.admit(local, stream, remote),
                Step::AcceptFailed(error) => {
                    // Most likely no descriptors are left; asking again at once would only spin.
                    tracing::warn!(%error, "a TCP connection could not be accepted");
                    tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
                }
            }
        }
    }

    /// Queues a message on the connection there is, or on a new one. If that fails, now or later, the
    /// connection is told as closed.
    pub fn send(&mut self, ends: Ends, bytes: Bytes) {
        if let Some(connection) = self.connections.get(&ends) {
            let (waiting, length) = (connection.waiting.get(), bytes.len());
            if waiting > 0 && waiting + length > OUTGOING_BYTES_MAX {
                self.counters.overflowed += 1;
                return self.close(ends);
            }
            match connection.outgoing.try_send(bytes) {
                Ok(()) => {
                    connection.waiting.set(waiting + length);
                    self.counters.sent += 1;
                }
                Err(mpsc::error::TrySendError::Full(_)) => {
                    self.counters.overflowed += 1;
                    self.close(ends);
                }
                Err(mpsc::error::TrySendError::Closed(_)) => self.close(ends),
            }
            return;
        }
        if !self.make_room(ends.remote.ip()) {
            self.closed.push_back(ends);
            return;
        }
        self.counters.connects += 1;
        self.counters.sent += 1;
        let (outgoing, queue) = mpsc::channel(OUTGOING_MAX);
        let waiting = Rc::new(Cell::new(bytes.len()));
        // The queue is new and has room.
        if outgoing.try_send(bytes).is_err() {
            self.closed.push_back(ends);
            return;
        }
        let peer = self.peer(ends, queue, &waiting);
        let task = self.tasks.spawn_local(peer.connect());
        self.enter(ends, (outgoing, waiting), task, Proof::Given);
    }

    /// How many connections there are, those being made included.
    pub fn connection_count(&self) -> usize {
        self.connections.len()
    }

    /// What happened so far.
    pub fn counters(&self) -> TcpCounters {
        self.counters
    }

    async fn step(&mut self) -> Step {
        poll_fn(|context| {
            // The sender in `self` keeps this channel open.
            if let Poll::Ready(Some(report)) = self.reports.poll_recv(context) {
                return Poll::Ready(Step::Report(report));
            }
            for listener in &self.listeners {
                match listener.listener.poll_accept(context) {
                    Poll::Ready(Ok((stream, remote))) => {
                        return Poll::Ready(Step::Accepted(listener.local, stream, remote));
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Step::AcceptFailed(error)),
                    Poll::Pending => {}
                }
            }
            Poll::Pending
        })
        .await
    }

    fn take_report(&mut self, report: Report) -> Option<Arrival> {
        let Report { id, ends, what } = report;
        let connection = self.connections.get_mut(&ends).filter(|entry| entry.id == id)?;
        match what {
            What::Message(bytes) => {
                connection.proven = true;
                self.counters.received += 1;
                Some(Arrival::Message { ends, bytes })
            }
            What::Closed => {
                self.connections.remove(&ends);
                while self.tasks.try_join_next().is_some() {}
                Some(Arrival::Closed { ends })
            }
        }
    }

    fn admit(&mut self, local: SocketAddr, stream: TcpStream, remote: SocketAddr) {
        if !self.make_room(remote.ip()) {
            self.counters.refused += 1;
            tracing::debug!(%remote, "too many connections");
            return;
        }
        self.counters.accepted += 1;
        let ends = Ends { local, remote };
        if self.connections.contains_key(&ends) {
            self.close(ends);
        }
        let (outgoing, queue) = mpsc::channel(OUTGOING_MAX);
        let waiting = Rc::default();
        let peer = self.peer(ends, queue, &waiting);
        let task = self.tasks.spawn_local(peer.serve(stream));
        self.enter(ends, (outgoing, waiting), task, Proof::Wanted);
    }

    fn peer(
        &mut self,
        ends: Ends,
        queue: mpsc::Receiver<Bytes>,
        waiting: &Rc<Cell<usize>>,
    ) -> Peer {
        self.next_id += 1;
        Peer {
            id: self.next_id,
            ends,
            queue,
            waiting: Rc::clone(waiting),
            unfinished: Rc::clone(&self.unfinished),
            reporter: self.reporter.clone(),
            limits: self.limits.clone(),
        }
    }

    fn enter(
        &mut self,
        ends: Ends,
        (outgoing, waiting): (mpsc::Sender<Bytes>, Rc<Cell<usize>>),
        task: AbortHandle,
        proof: Proof,
    ) {
        let id = self.next_id;
        let proven = matches!(proof, Proof::Given);
        let connection = Connection { id, outgoing, waiting, task, since: Instant::now(), proven };
        self.connections.insert(ends, connection);
    }

    /// Sees to it that one more connection with this peer is within bounds, or says that it is not.
    fn make_room(&mut self, peer: IpAddr) -> bool {
        let of_peer = self.connections.keys().filter(|ends| ends.remote.ip() == peer).count();
        if of_peer >= self.limits.connections_per_peer_max {
            return self.evict(|ends| ends.remote.ip() == peer);
        }
        self.connections.len() < self.limits.connections_max || self.evict(|_ends| true)
    }

    /// Closes the oldest connection that has proven nothing, among those that `may_go`.
    fn evict(&mut self, may_go: impl Fn(&Ends) -> bool) -> bool {
        let oldest = self
            .connections
            .iter()
            .filter(|(ends, connection)| !connection.proven && may_go(ends))
            .min_by_key(|(_ends, connection)| connection.since)
            .map(|(ends, _connection)| *ends);
        let Some(ends) = oldest else { return false };
        self.counters.evicted += 1;
        self.close(ends);
        true
    }

    fn close(&mut self, ends: Ends) {
        if let Some(connection) = self.connections.remove(&ends) {
            connection.task.abort();
            self.closed.push_back(ends);
        }
    }
}

/// Whether a new connection has to prove that somebody means it.
#[derive(Debug, Clone, Copy)]
enum Proof {
    Given,
    Wanted,
}

/// Messages and ends that may wait for the switch; full, connections are not read.
const REPORTS_MAX: usize = 1_024;
/// Messages that may wait for a slow peer; beyond, its connection is closed.
const OUTGOING_MAX: usize = 64;
/// Bytes that may wait for a slow peer, unless it is a single message; beyond, the same.
const OUTGOING_BYTES_MAX: usize = 64 * 1024;
/// How long to wait when the system gives no connection.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(50);
