//! Other systems: works everywhere, costs a little for each socket watched.

use std::io;
use std::net::UdpSocket;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use super::{Ready, SocketKey};

/// The list of descriptors to poll; duplicates, since the originals belong to their legs.
#[derive(Debug)]
pub(super) struct Watch {
    bell: OwnedFd,
    sockets: Vec<(SocketKey, UdpSocket)>,
}

impl Watch {
    pub(super) fn new(bell: &impl AsFd) -> io::Result<Self> {
        Ok(Self { bell: bell.as_fd().try_clone_to_owned()?, sockets: Vec::new() })
    }

    pub(super) fn add(&mut self, socket: &UdpSocket, key: SocketKey) -> io::Result<()> {
        self.sockets.push((key, socket.try_clone()?));
        Ok(())
    }

    pub(super) fn remove(&mut self, key: SocketKey) {
        self.sockets.retain(|(other, _socket)| *other != key);
    }

    pub(super) fn wait(
        &mut self,
        timeout: Option<Timespec>,
        ready: &mut Vec<Ready>,
    ) -> io::Result<()> {
        let mut polled: Vec<_> = std::iter::once(PollFd::new(&self.bell, PollFlags::IN))
            .chain(self.sockets.iter().map(|(_key, socket)| PollFd::new(socket, PollFlags::IN)))
            .collect();
        match rustix::event::poll(&mut polled, timeout.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let names = std::iter::once(Ready::Commands)
            .chain(self.sockets.iter().map(|(key, _socket)| Ready::Socket(*key)));
        let readable = polled.iter().zip(names).filter(|(fd, _name)| !fd.revents().is_empty());
        ready.extend(readable.map(|(_fd, name)| name));
        Ok(())
    }
}
