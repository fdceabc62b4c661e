//! Linux: costs the same however many sockets are watched.

use std::io;
use std::mem::MaybeUninit;
use std::net::UdpSocket;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;

use super::{Ready, SocketKey};

/// An epoll set.
#[derive(Debug)]
pub(super) struct Watch {
    epoll: OwnedFd,
}

impl Watch {
    pub(super) fn new(bell: &impl AsFd) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, bell, EventData::new_u64(BELL), EventFlags::IN)?;
        Ok(Self { epoll })
    }

    pub(super) fn add(&mut self, socket: &UdpSocket, key: SocketKey) -> io::Result<()> {
        let data = u64::from(key.tenant) << 32 | u64::from(key.place);
        epoll::add(&self.epoll, socket, EventData::new_u64(data), EventFlags::IN)?;
        Ok(())
    }

    /// Nothing to do: the set forgets a socket when its only descriptor is closed.
    #[expect(clippy::unused_self, clippy::needless_pass_by_ref_mut, reason = "as poll needs it")]
    pub(super) fn remove(&mut self, _key: SocketKey) {}

    pub(super) fn wait(
        &mut self,
        timeout: Option<Timespec>,
        ready: &mut Vec<Ready>,
    ) -> io::Result<()> {
        let mut events = [const { MaybeUninit::<Event>::uninit() }; EVENTS_MAX];
        let events = match epoll::wait(&self.epoll, &mut events[..], timeout.as_ref()) {
            Ok((events, _unused)) => events,
            Err(Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        ready.extend(events.iter().map(|event| match event.data.u64() {
            BELL => Ready::Commands,
            data => Ready::Socket(SocketKey { place: data as u32, tenant: (data >> 32) as u32 }),
        }));
        Ok(())
    }
}

/// Readable sockets told at one time; the others are told the next time, in turn.
const EVENTS_MAX: usize = 256;
/// No socket's name: that many places never exist.
const BELL: u64 = u64::MAX;
