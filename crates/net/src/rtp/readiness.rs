//! Which sockets are readable, level-triggered: epoll on Linux, poll elsewhere.

use std::io::{self, Read, Write};
use std::net::UdpSocket;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::Timespec;

use super::SocketKey;

#[cfg(target_os = "linux")]
mod epoll;
#[cfg(any(test, not(target_os = "linux")))]
mod poll;

#[cfg(target_os = "linux")]
use epoll::Watch;
#[cfg(not(target_os = "linux"))]
use poll::Watch;

/// Waits for readable sockets and for whoever wants the thread's attention.
#[derive(Debug)]
pub(super) struct Readiness {
    watch: Watch,
    bell: UnixStream,
    rung: Arc<AtomicBool>,
}

/// What needs looking at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ready {
    /// The queue of commands.
    Commands,
    /// A socket, which has at least one datagram.
    Socket(SocketKey),
}

/// Ends a wait from another thread.
#[derive(Debug)]
pub(super) struct Waker {
    bell: UnixStream,
    rung: Arc<AtomicBool>,
}

impl Waker {
    /// Ends the wait, or the next one. Free when it was done already and not noticed yet.
    pub(super) fn wake(&self) {
        if self.rung.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Err(error) = (&self.bell).write(&[1]) {
            tracing::error!(%error, "a voice thread cannot be woken");
        }
    }
}

impl Readiness {
    /// Watches nothing but its waker.
    pub(super) fn new() -> io::Result<(Self, Waker)> {
        let (theirs, ours) = UnixStream::pair()?;
        theirs.set_nonblocking(true)?;
        ours.set_nonblocking(true)?;
        let rung = Arc::new(AtomicBool::new(false));
        let watch = Watch::new(&ours)?;
        let waker = Waker { bell: theirs, rung: Arc::clone(&rung) };
        Ok((Self { watch, bell: ours, rung }, waker))
    }

    /// Watches one more socket, to be called `key`.
    pub(super) fn add(&mut self, socket: &UdpSocket, key: SocketKey) -> io::Result<()> {
        self.watch.add(socket, key)
    }

    /// Forgets a socket that is about to be closed.
    pub(super) fn remove(&mut self, key: SocketKey) {
        self.watch.remove(key);
    }

    /// Fills `ready` as soon as there is something, at the latest at `until`.
    pub(super) fn wait(
        &mut self,
        until: Option<Instant>,
        ready: &mut Vec<Ready>,
    ) -> io::Result<()> {
        ready.clear();
        let timeout = until.map(|until| until.saturating_duration_since(Instant::now()));
        self.watch.wait(timeout.map(timespec), ready)?;
        if ready.contains(&Ready::Commands) {
            self.silence_bell();
        }
        Ok(())
    }

    fn silence_bell(&mut self) {
        let mut rings = [0; 8];
        match self.bell.read(&mut rings) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => tracing::error!(%error, "a voice thread's bell is broken"),
        }
        // From here on a new command rings again; those before are seen by the reader that follows.
        self.rung.store(false, Ordering::Release);
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_watching_tell_the_same() {
        let (_theirs, bell) = UnixStream::pair().unwrap();
        let mut epoll = epoll::Watch::new(&bell).unwrap();
        let mut poll = poll::Watch::new(&bell).unwrap();
        let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
        let sockets: Vec<_> = (0..3).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
        for (place, socket) in (0..).zip(&sockets) {
            epoll.add(socket, SocketKey { place, tenant: 7 }).unwrap();
            poll.add(socket, SocketKey { place, tenant: 7 }).unwrap();
        }
        let mut look = || {
            let (mut by_epoll, mut by_poll) = (Vec::with_capacity(8), Vec::with_capacity(8));
            epoll.wait(Some(timespec(Duration::ZERO)), &mut by_epoll).unwrap();
            poll.wait(Some(timespec(Duration::ZERO)), &mut by_poll).unwrap();
            assert_eq!(by_epoll, by_poll);
            by_epoll
        };
        assert_eq!(look(), []);
        peer.send_to(b"1", sockets[1].local_addr().unwrap()).unwrap();
        let expected = [Ready::Socket(SocketKey { place: 1, tenant: 7 })];
        assert_eq!(look(), expected);
        assert_eq!(look(), expected, "told until it is read");
        sockets[1].recv_from(&mut [0; 4]).unwrap();
        assert_eq!(look(), []);
        poll.remove(SocketKey { place: 0, tenant: 7 });
        peer.send_to(b"1", sockets[2].local_addr().unwrap()).unwrap();
        (&_theirs).write_all(&[1]).unwrap();
        let mut by_poll = Vec::with_capacity(8);
        poll.wait(None, &mut by_poll).unwrap();
        assert_eq!(by_poll, [Ready::Commands, Ready::Socket(SocketKey { place: 2, tenant: 7 })]);
    }

    #[test]
    fn many_calls_ring_once_and_the_next_rings_again() {
        let (mut readiness, waker) = Readiness::new().unwrap();
        let mut ready = Vec::with_capacity(4);
        for _ in 0..2 {
            waker.wake();
            waker.wake();
            readiness.wait(None, &mut ready).unwrap();
            assert_eq!(ready, [Ready::Commands]);
            readiness.wait(Some(Instant::now()), &mut ready).unwrap();
            assert_eq!(ready, []);
        }
    }
}
