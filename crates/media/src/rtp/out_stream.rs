//! The one stream that a peer gets from us, whatever feeds it (RFC 3550 §5.1): a relayed party, then
//! a prompt, then another party. Its source never changes, its sequence has no holes of our making
//! and its timestamps follow the clock.

use std::time::{Duration, Instant};

use crate::LegId;
use crate::rtp::{Rtp, Stamp, sequence_distance, timestamp_distance};

#[cfg(test)]
mod tests;

/// Numbers for what one leg sends.
#[derive(Debug)]
pub(crate) struct OutStream {
    ssrc: u32,
    /// Of the newest packet sent.
    sequence: u16,
    /// Of the newest packet sent.
    timestamp: u32,
    /// When that was; `None` before the first.
    sent_at: Option<Instant>,
    source: Source,
}

/// What feeds the stream.
#[derive(Debug)]
enum Source {
    Nobody,
    /// What we make ourselves; the next frame has this timestamp.
    Own {
        timestamp_next: u32,
        /// Whether sound is missing before the next frame.
        gap: bool,
    },
    Relay(Relay),
}

/// A relayed stream keeps its own losses, order and timing; only the origin is moved.
#[derive(Debug)]
struct Relay {
    from: LegId,
    ssrc: u32,
    sequence_offset: u16,
    timestamp_offset: u32,
    /// Newest sequence number seen of it, before the offset.
    sequence_newest: u16,
    /// How many packets of it were sent, up to [`YOUNG`].
    sent: u16,
    /// Its first sequence number, before the offset.
    sequence_first: u16,
}

impl OutStream {
    /// A stream that has sent nothing yet, with unpredictable numbers (RFC 3550 §5.1).
    pub(crate) fn new(random: &mut fastrand::Rng) -> Self {
        Self {
            ssrc: random.u32(..),
            sequence: random.u16(..),
            timestamp: random.u32(..),
            sent_at: None,
            source: Source::Nobody,
        }
    }

    /// The numbers for a packet relayed from another leg, whose clock runs at `rate_hz`; `None` for
    /// one that is older than the moment its source was switched to.
    pub(crate) fn relay(
        &mut self,
        now: Instant,
        from: LegId,
        rtp: &Rtp<'_>,
        rate_hz: u32,
    ) -> Option<Stamp> {
        if let Source::Relay(relay) = &mut self.source
            && (relay.from, relay.ssrc) == (from, rtp.ssrc)
        {
            let step = sequence_distance(relay.sequence_newest, rtp.sequence);
            if (-MISORDER_MAX..=DROPOUT_MAX).contains(&step) {
                if relay.sent < YOUNG && sequence_distance(relay.sequence_first, rtp.sequence) < 0 {
                    return None;
                }
                relay.sent = relay.sent.saturating_add(1).min(YOUNG);
                if step > 0 {
                    relay.sequence_newest = rtp.sequence;
                }
                let sequence = rtp.sequence.wrapping_add(relay.sequence_offset);
                let timestamp = rtp.timestamp.wrapping_add(relay.timestamp_offset);
                self.note(now, sequence, timestamp);
                return Some(self.stamp(rtp.marker, sequence, timestamp));
            }
        }
        let sequence = self.sequence.wrapping_add(1);
        let timestamp = self.timestamp_at(now, rate_hz);
        self.source = Source::Relay(Relay {
            from,
            ssrc: rtp.ssrc,
            sequence_offset: sequence.wrapping_sub(rtp.sequence),
            timestamp_offset: timestamp.wrapping_sub(rtp.timestamp),
            sequence_newest: rtp.sequence,
            sent: 1,
            sequence_first: rtp.sequence,
        });
        self.note(now, sequence, timestamp);
        Some(self.stamp(true, sequence, timestamp))
    }

    /// The numbers for a frame of our own that lasts `samples`.
    pub(crate) fn own(&mut self, now: Instant, samples: u32, rate_hz: u32) -> Stamp {
        let (timestamp, marker) = match self.source {
            Source::Own { timestamp_next, gap } => (timestamp_next, gap),
            Source::Nobody | Source::Relay(_) => (self.timestamp_at(now, rate_hz), true),
        };
        let sequence = self.sequence.wrapping_add(1);
        let timestamp_next = timestamp.wrapping_add(samples);
        self.source = Source::Own { timestamp_next, gap: false };
        self.note(now, sequence, timestamp);
        self.stamp(marker, sequence, timestamp)
    }

    /// A frame of our own passes without being sent.
    pub(crate) fn skip(&mut self, samples: u32) {
        if let Source::Own { timestamp_next, gap } = &mut self.source {
            *timestamp_next = timestamp_next.wrapping_add(samples);
            *gap = true;
        }
    }

    /// What we made ourselves is over; whatever comes next starts with a marker.
    pub(crate) fn end_own(&mut self) {
        if matches!(self.source, Source::Own { .. }) {
            self.source = Source::Nobody;
        }
    }

    /// The timestamp that belongs to `now` for a new source: as much later than the newest sent as
    /// time went by, and at least one usual packet, so that nothing overlaps.
    fn timestamp_at(&self, now: Instant, rate_hz: u32) -> u32 {
        let Some(sent_at) = self.sent_at else {
            return self.timestamp;
        };
        let passed = now.saturating_duration_since(sent_at).max(PACKET_TIME);
        let ticks = passed.as_micros() * u128::from(rate_hz) / 1_000_000;
        // A stream that was quiet for days may wrap like any other.
        self.timestamp.wrapping_add(ticks as u32)
    }

    fn note(&mut self, now: Instant, sequence: u16, timestamp: u32) {
        if self.sent_at.is_none() || sequence_distance(self.sequence, sequence) > 0 {
            self.sequence = sequence;
        }
        if self.sent_at.is_none() || timestamp_distance(self.timestamp, timestamp) >= 0 {
            self.timestamp = timestamp;
            self.sent_at = Some(now);
        }
    }

    fn stamp(&self, marker: bool, sequence: u16, timestamp: u32) -> Stamp {
        Stamp { marker, sequence, timestamp, ssrc: self.ssrc }
    }
}

/// A step in sequence beyond these is taken as a new stream (RFC 3550 appendix A.1).
const DROPOUT_MAX: i16 = 3_000;
const MISORDER_MAX: i16 = 100;

/// After this many packets nothing from before the switch can still be within [`MISORDER_MAX`].
const YOUNG: u16 = 200;

/// Between the last packet of one source and the first of the next, at the least.
const PACKET_TIME: Duration = Duration::from_millis(20);
