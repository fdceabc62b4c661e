//! SIP over UDP (RFC 3261 §18): one socket per listener, all driven by the thread that runs the switch.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::Poll;

use bytes::Bytes;
use socket2::SockRef;
use tokio::net::UdpSocket;

use crate::ends::Ends;
use crate::socket;

#[cfg(test)]
mod tests;

/// All UDP listeners. Belongs to one thread, inside its tokio runtime.
#[derive(Debug)]
pub struct Udp {
    sockets: Vec<Socket>,
    /// Where the next search for a readable socket starts, so that none starves the others.
    next: usize,
    /// What is being received; copied out at its true length, since messages outlive it.
    buffer: Box<[u8]>,
    counters: UdpCounters,
}

#[derive(Debug)]
struct Socket {
    local: SocketAddr,
    socket: UdpSocket,
}

/// What UDP did so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UdpCounters {
    /// Datagrams that came in.
    pub received: u64,
    /// Datagrams that went out.
    pub sent: u64,
    /// Datagrams dropped because the system's send buffer was full; SIP repeats what matters.
    pub send_buffer_full: u64,
    /// Datagrams that could not be sent for another reason.
    pub send_failed: u64,
    /// Reads that failed.
    pub receive_failed: u64,
}

/// Why a datagram will not arrive.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// No listener has that local address.
    #[error("no UDP listener on {0}")]
    NoListener(SocketAddr),
    /// The system refuses: no route, too large, not allowed.
    #[error(transparent)]
    Refused(io::Error),
}

impl Udp {
    /// No listener yet.
    pub fn new() -> Self {
        Self {
            sockets: Vec::new(),
            next: 0,
            buffer: vec![0; DATAGRAM_BYTES_MAX].into_boxed_slice(),
            counters: UdpCounters::default(),
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
        let socket = UdpSocket::from_std(socket::sip_datagrams(address)?)?;
        let local = socket.local_addr()?;
        self.sockets.push(Socket { local, socket });
        Ok(local)
    }

    /// Waits until some socket has datagrams, and names it for [`Self::receive`]. Never ends without
    /// listeners. Dropping the future loses nothing.
    pub async fn readable(&mut self) -> usize {
        poll_fn(|context| {
            for turn in 0..self.sockets.len() {
                let index = (self.next + turn) % self.sockets.len();
                let Some(socket) = self.sockets.get(index) else { continue };
                if socket.socket.poll_recv_ready(context).is_ready() {
                    self.next = index + 1;
                    return Poll::Ready(index);
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Takes one datagram from the named socket; `None` when it has no more.
    pub fn receive(&mut self, socket: usize) -> Option<(Ends, Bytes)> {
        let socket = self.sockets.get(socket)?;
        loop {
            match socket.socket.try_recv_from(&mut self.buffer) {
                Ok((length, remote)) => {
                    self.counters.received += 1;
                    let datagram = self.buffer.get(..length)?;
                    let ends = Ends { local: socket.local, remote };
                    return Some((ends, Bytes::copy_from_slice(datagram)));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    // An error of an earlier datagram, reported late; the socket lives on.
                    self.counters.receive_failed += 1;
                    tracing::debug!(local = %socket.local, %error, "a read failed");
                    return None;
                }
            }
        }
    }

    /// Sends one datagram now. A full send buffer drops it, counted, since SIP repeats what matters.
    ///
    /// # Errors
    /// [`SendError`] when it can never arrive this way.
    pub fn send(&mut self, ends: Ends, bytes: &[u8]) -> Result<(), SendError> {
        let Some(socket) = self.sockets.iter().find(|socket| socket.local == ends.local) else {
            self.counters.send_failed += 1;
            return Err(SendError::NoListener(ends.local));
        };
        // Past tokio's notion of readiness, which would only be told by a failed attempt anyway.
        match SockRef::from(&socket.socket).send_to(bytes, &ends.remote.into()) {
            Ok(_) => self.counters.sent += 1,
            Err(error) if is_passing(&error) => self.counters.send_buffer_full += 1,
            Err(error) => {
                self.counters.send_failed += 1;
                return Err(SendError::Refused(error));
            }
        }
        Ok(())
    }

    /// What happened so far.
    pub fn counters(&self) -> UdpCounters {
        self.counters
    }
}

impl Default for Udp {
    fn default() -> Self {
        Self::new()
    }
}

/// Faults that say nothing about the next attempt.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted | io::ErrorKind::OutOfMemory
    )
}

/// A datagram cannot be longer.
const DATAGRAM_BYTES_MAX: usize = 65_536;
