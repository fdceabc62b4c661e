//! One connection: reads messages, writes messages, minds its deadlines.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use bytes::{Buf, Bytes};
use sip_syntax::{Framed, Framer};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::{Proof, TcpLimits};
use crate::ends::Ends;
use crate::socket;

/// What a connection tells [`Tcp`](super::Tcp).
#[derive(Debug)]
pub(super) struct Report {
    pub(super) id: u64,
    pub(super) ends: Ends,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Message(Bytes),
    /// The last word of a connection.
    Closed,
}

/// The task's side of one connection.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) id: u64,
    pub(super) ends: Ends,
    pub(super) queue: mpsc::Receiver<Bytes>,
    /// Bytes in `queue`.
    pub(super) waiting: Rc<Cell<usize>>,
    /// Bytes of long unfinished messages that all connections hold together.
    pub(super) unfinished: Rc<Cell<usize>>,
    pub(super) reporter: mpsc::Sender<Report>,
    pub(super) limits: TcpLimits,
}

/// Why a connection ends, for the log.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("its peer closed it")]
    Peer,
    #[error("{0}")]
    Broken(#[from] io::Error),
    #[error("what it sent is not SIP: {0}")]
    Garbled(sip_syntax::FrameError),
    #[error("connecting took too long")]
    ConnectTime,
    #[error("a message took too long, or none came")]
    MessageTime,
    #[error("long messages wait on too many connections")]
    NoRoom,
    #[error("it was silent for too long")]
    IdleTime,
    #[error("its peer takes nothing")]
    SendTime,
    #[error("nobody needs it any more")]
    Unneeded,
}

impl Peer {
    /// Opens the connection, then serves it.
    pub(super) async fn connect(mut self) {
        let opened = timeout(self.limits.connect_time_max, self.open()).await;
        let end = match opened {
            Ok(Ok(stream)) => self.converse(&stream, Clock::start(Proof::Given)).await,
            Ok(Err(error)) => End::Broken(error),
            Err(_elapsed) => End::ConnectTime,
        };
        self.finish(end).await;
    }

    /// Serves a connection that the peer opened.
    pub(super) async fn serve(mut self, stream: TcpStream) {
        let end = self.converse(&stream, Clock::start(Proof::Wanted)).await;
        drop(stream);
        self.finish(end).await;
    }

    async fn open(&self) -> io::Result<TcpStream> {
        let socket = TcpSocket::from_std_stream(socket::connector(self.ends.local)?);
        socket.connect(self.ends.remote).await
    }

    async fn finish(&self, end: End) {
        tracing::debug!(remote = %self.ends.remote, %end, "a connection is over");
        self.report(What::Closed).await;
    }

    /// Waits while the switch has no room, so that the peer is slowed down rather than ignored.
    async fn report(&self, what: What) {
        if self.reporter.send(Report { id: self.id, ends: self.ends, what }).await.is_err() {
            tracing::trace!("nobody listens to connections any more");
        }
    }

    async fn converse(&mut self, stream: &TcpStream, mut clock: Clock) -> End {
        if let Err(error) = socket::tune_connection(stream) {
            return End::Broken(error);
        }
        let mut framer = Framer::new();
        let mut share = Share { all: Rc::clone(&self.unfinished), own: 0 };
        let mut unsent = Bytes::new();
        loop {
            let (read_by, end_at_read_by) = clock.deadline(&self.limits);
            let send_by = clock.sending_since + self.limits.send_time_max;
            tokio::select! {
                readable = stream.readable(), if clock.lingering.is_none() => {
                    if let Err(error) = readable {
                        return End::Broken(error);
                    }
                    let pings = match read(stream, &mut framer) {
                        Ok(Read::Nothing) => continue,
                        Ok(Read::Some) => match self.pass_on(&mut framer, &mut clock).await {
                            Ok(pings) => pings,
                            Err(end) => return end,
                        },
                        Err(end) => return end,
                    };
                    if !share.fits(framer.buffered(), self.limits.unfinished_bytes_max) {
                        return End::NoRoom;
                    }
                    if pings && unsent.is_empty() {
                        // RFC 5626 §3.5.1. While something is on its way, that is answer enough.
                        unsent = Bytes::from_static(b"\r\n");
                        clock.sending_since = Instant::now();
                    }
                }
                queued = self.queue.recv(), if unsent.is_empty() => match queued {
                    Some(bytes) => {
                        self.waiting.set(self.waiting.get().saturating_sub(bytes.len()));
                        unsent = bytes;
                        clock.sending_since = Instant::now();
                        clock.heard_at = clock.sending_since;
                    }
                    None => return End::Unneeded,
                },
                writable = stream.writable(), if !unsent.is_empty() => {
                    if let Err(error) = writable {
                        return End::Broken(error);
                    }
                    match stream.try_write(&unsent) {
                        Ok(length) => {
                            unsent.advance(length);
                            clock.sending_since = Instant::now();
                        }
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        Err(error) => return End::Broken(error),
                    }
                }
                () = sleep_until(read_by) => return end_at_read_by,
                () = sleep_until(send_by), if !unsent.is_empty() => return End::SendTime,
            }
        }
    }

    /// Hands all whole messages on; says whether the peer also asked whether we are there.
    async fn pass_on(&self, framer: &mut Framer, clock: &mut Clock) -> Result<bool, End> {
        let (mut pinged, mut passed) = (false, false);
        loop {
            match framer.next() {
                Ok(Some(Framed::Message(bytes))) => {
                    // Copied, since a session may keep it, and with it the whole read buffer.
                    self.report(What::Message(Bytes::copy_from_slice(&bytes))).await;
                    passed = true;
                    clock.proven = true;
                    clock.begun_at = None;
                }
                Ok(Some(Framed::Ping)) => pinged = true,
                Ok(None) => break,
                Err(error) if passed => {
                    clock.linger(error);
                    return Ok(false);
                }
                Err(error) => return Err(End::Garbled(error)),
            }
        }
        clock.heard_at = Instant::now();
        clock.begun_at = match clock.begun_at {
            _ if framer.buffered() == 0 => None,
            Some(begun_at) => Some(begun_at),
            None => Some(clock.heard_at),
        };
        Ok(pinged)
    }
}

/// When what happened, as far as deadlines depend on it.
#[derive(Debug)]
struct Clock {
    connected_at: Instant,
    /// Whether a whole message ever came, or we opened it.
    proven: bool,
    /// The first byte of the message that is not whole yet.
    begun_at: Option<Instant>,
    /// The last time anything came or was to go.
    heard_at: Instant,
    /// The last time the peer took something of what waits to go out.
    sending_since: Instant,
    /// What spoilt the stream, and when to close it: its last message is being answered.
    lingering: Option<(Instant, sip_syntax::FrameError)>,
}

impl Clock {
    fn start(proof: Proof) -> Self {
        let now = Instant::now();
        Self {
            connected_at: now,
            proven: matches!(proof, Proof::Given),
            begun_at: None,
            heard_at: now,
            sending_since: now,
            lingering: None,
        }
    }

    /// Reads no more, but leaves time for an answer to go out.
    fn linger(&mut self, error: sip_syntax::FrameError) {
        self.lingering = Some((Instant::now() + LINGER_TIME, error));
    }

    /// When reading ends, and why it will have ended then.
    fn deadline(&self, limits: &TcpLimits) -> (Instant, End) {
        if let Some((until, error)) = self.lingering {
            return (until, End::Garbled(error));
        }
        match self.begun_at {
            Some(begun_at) => (begun_at + limits.message_time_max, End::MessageTime),
            None if self.proven => (self.heard_at + limits.idle_time_max, End::IdleTime),
            None => (self.connected_at + limits.message_time_max, End::MessageTime),
        }
    }
}

/// What one connection takes of the room that all share.
struct Share {
    all: Rc<Cell<usize>>,
    own: usize,
}

impl Share {
    /// Notes how much this connection holds now; false if that is too much for all together.
    fn fits(&mut self, held: usize, max: usize) -> bool {
        let beyond = held.saturating_sub(HELD_BYTES_FREE);
        self.all.set(self.all.get() - self.own + beyond);
        self.own = beyond;
        beyond == 0 || self.all.get() <= max
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.all.set(self.all.get() - self.own);
    }
}

enum Read {
    Some,
    /// It was not readable after all.
    Nothing,
}

/// Reads what there is, up to a bound, through a buffer that only exists meanwhile: an idle connection
/// holds none.
fn read(stream: &TcpStream, framer: &mut Framer) -> Result<Read, End> {
    let mut buffer = [0; READ_BYTES_MAX];
    match stream.try_read(&mut buffer) {
        Ok(0) => Err(End::Peer),
        Ok(length) => {
            framer.push(buffer.get(..length).unwrap_or_default());
            Ok(Read::Some)
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Read::Nothing),
        Err(error) => Err(End::Broken(error)),
    }
}

/// Time for a last answer on a stream that cannot be trusted any more.
const LINGER_TIME: std::time::Duration = std::time::Duration::from_millis(500);
/// Bytes of an unfinished message that every connection may hold: nearly all messages are shorter.
const HELD_BYTES_FREE: usize = 8 * 1024;
/// Bytes read in one turn.
const READ_BYTES_MAX: usize = 8 * 1024;
