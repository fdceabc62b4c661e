//! What waits to be carried away: packets in one reused buffer, and events.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::ops::Range;

use crate::rtp::{HEADER_BYTES, Stamp, header};
use crate::{Counters, Event, LegId, Packet};

#[derive(Debug, Default)]
pub(super) struct Outbox {
    pub(super) events: VecDeque<Event>,
    pub(super) counters: Counters,
    bytes: Vec<u8>,
    packets: Vec<Entry>,
    /// How many of `packets` were carried away.
    taken: usize,
}

#[derive(Debug)]
struct Entry {
    leg: LegId,
    to: SocketAddr,
    range: Range<usize>,
}

impl Outbox {
    /// Queues a packet whose payload `write` appends.
    pub(super) fn packet(
        &mut self,
        leg: LegId,
        to: SocketAddr,
        payload_type: u8,
        stamp: Stamp,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&header(payload_type, stamp));
        write(&mut self.bytes);
        self.packets.push(Entry { leg, to, range: start..self.bytes.len() });
        self.counters.packets_sent += 1;
    }

    /// Room for a payload whose presence decides whether there is a packet at all: what `write`
    /// appends is followed by [`Outbox::finish`] or [`Outbox::discard`].
    pub(super) fn draft<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> (Draft, T) {
        let start = self.bytes.len();
        self.bytes.resize(start + HEADER_BYTES, 0);
        let written = write(&mut self.bytes);
        (Draft { start }, written)
    }

    pub(super) fn finish(
        &mut self,
        draft: Draft,
        leg: LegId,
        to: SocketAddr,
        payload_type: u8,
        stamp: Stamp,
    ) {
        let place = self.bytes.get_mut(draft.start..).and_then(<[u8]>::first_chunk_mut);
        if let Some(place) = place {
            *place = header(payload_type, stamp);
        }
        self.packets.push(Entry { leg, to, range: draft.start..self.bytes.len() });
        self.counters.packets_sent += 1;
    }

    pub(super) fn discard(&mut self, draft: Draft) {
        self.bytes.truncate(draft.start);
    }

    /// What the buffers take, in bytes and packets.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> (usize, usize) {
        (self.bytes.capacity(), self.packets.capacity())
    }

    pub(super) fn poll_packet(&mut self) -> Option<Packet<'_>> {
        if self.taken == self.packets.len() {
            self.packets.clear();
            self.bytes.clear();
            self.taken = 0;
            return None;
        }
        let entry = self.packets.get(self.taken)?;
        self.taken += 1;
        let bytes = self.bytes.get(entry.range.clone())?;
        Some(Packet { leg: entry.leg, to: entry.to, bytes })
    }
}

/// A payload without its header yet.
#[derive(Debug)]
#[must_use]
pub(super) struct Draft {
    start: usize,
}
