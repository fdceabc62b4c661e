//! Keys as telephone-events (RFC 4733).

use std::collections::VecDeque;

use crate::rtp::{Rtp, timestamp_distance};

#[cfg(test)]
mod tests;

/// Hears each key press once, though it is told in many packets, any of which may be lost.
#[derive(Debug, Default)]
pub(crate) struct DigitReceiver {
    last: Option<Last>,
}

/// The event heard last.
#[derive(Debug, Clone, Copy)]
struct Last {
    ssrc: u32,
    event: u8,
    /// When the event began, which names it (RFC 4733 §2.1).
    timestamp: u32,
    duration: u16,
    ended: bool,
}

impl DigitReceiver {
    /// The key, if this packet is the first to tell of its press. Whether that is the first, a
    /// middle or an end packet does not matter.
    pub(crate) fn handle_packet(&mut self, rtp: &Rtp<'_>) -> Option<char> {
        let &[event, flags, high, low, ..] = rtp.payload else {
            return None;
        };
        let digit = digit(event)?;
        let new = Last {
            ssrc: rtp.ssrc,
            event,
            timestamp: rtp.timestamp,
            duration: u16::from_be_bytes([high, low]),
            ended: flags & 0x80 != 0,
        };
        match &mut self.last {
            Some(last) if last.ssrc == new.ssrc => {
                let later = timestamp_distance(last.timestamp, new.timestamp);
                if later == 0 && last.event == event {
                    last.duration = last.duration.max(new.duration);
                    last.ended |= new.ended;
                    return None;
                }
                if (-STALE_MAX..=0).contains(&later) {
                    return None;
                }
                let continues = new.continues(*last, later, rtp.marker);
                *last = new;
                (!continues).then_some(digit)
            }
            Some(_) | None => {
                self.last = Some(new);
                Some(digit)
            }
        }
    }
}

impl Last {
    /// Whether this is the next segment of a long press (RFC 4733 §2.5.1.3), or comes from a sender
    /// that moves the timestamp with each packet of one press, which some do.
    fn continues(&self, last: Last, later: i32, marker: bool) -> bool {
        if marker || last.ended || last.event != self.event {
            return false;
        }
        let next_segment = last.duration >= SEGMENT_MIN && later >= i32::from(SEGMENT_MIN);
        let moving = self.duration > last.duration && later <= MOVING_MAX;
        (next_segment && later <= 0xffff + MOVING_MAX) || moving
    }
}

/// Keys waiting to be sent, and the one under way.
#[derive(Debug, Default)]
pub(crate) struct DigitSender {
    waiting: VecDeque<u8>,
    current: Option<Sending>,
}

#[derive(Debug)]
struct Sending {
    event: u8,
    /// Samples since the press began.
    elapsed: u32,
    /// The timestamp of the event, once its first packet is out.
    timestamp: Option<u32>,
    ends_sent: u8,
}

/// What a frame has to carry while keys are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DigitFrame {
    /// This key is down; it was so for `elapsed` samples before this frame.
    Down { event: u8, elapsed: u32 },
    /// The pause after a key.
    Pause,
}

/// A packet of a telephone-event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventPacket {
    /// The timestamp of the whole event, if one was already given to it.
    pub(crate) timestamp: Option<u32>,
    pub(crate) marker: bool,
    /// How long the key is down so far, in samples at 8,000 Hz.
    pub(crate) duration: u32,
    event: u8,
    end: bool,
}

impl EventPacket {
    /// The payload (RFC 4733 §2.3), with the duration in ticks of the stream's own clock.
    pub(crate) fn payload(&self, duration: u16) -> [u8; 4] {
        let [high, low] = duration.to_be_bytes();
        let end = if self.end { 0x80 } else { 0 };
        [self.event, end | VOLUME, high, low]
    }
}

impl DigitSender {
    /// Takes digits, as far as [`DIGITS_MAX`] allows; what is no key is left out.
    pub(crate) fn push(&mut self, digits: &str) {
        let room = DIGITS_MAX - self.waiting.len().min(DIGITS_MAX);
        self.waiting.extend(digits.chars().filter_map(event).take(room));
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.current.is_none() && self.waiting.is_empty()
    }

    /// What the next frame of `samples` carries; `None` when all keys are sent.
    pub(crate) fn next_frame(&mut self, samples: u32) -> Option<DigitFrame> {
        if self.current.as_ref().is_some_and(|sending| sending.elapsed >= DOWN + PAUSE) {
            self.current = None;
        }
        if self.current.is_none() {
            let event = self.waiting.pop_front()?;
            self.current = Some(Sending { event, elapsed: 0, timestamp: None, ends_sent: 0 });
        }
        let sending = self.current.as_mut()?;
        let (event, elapsed) = (sending.event, sending.elapsed);
        sending.elapsed += samples;
        Some(if elapsed < DOWN { DigitFrame::Down { event, elapsed } } else { DigitFrame::Pause })
    }

    /// The packet that tells of the frame last taken, if there is still something to tell: the end of
    /// an event is told three times (RFC 4733 §2.5.1.4).
    pub(crate) fn event_packet(&mut self) -> Option<EventPacket> {
        let sending = self.current.as_mut()?;
        // A frame has begun to be counted before it is told of, so `elapsed` includes it.
        let down = sending.elapsed.min(DOWN);
        let is_end = sending.timestamp.is_some() && sending.elapsed > DOWN;
        if is_end {
            if sending.ends_sent == ENDS {
                return None;
            }
            sending.ends_sent += 1;
        }
        Some(EventPacket {
            timestamp: sending.timestamp,
            marker: sending.timestamp.is_none(),
            duration: down,
            event: sending.event,
            end: is_end,
        })
    }

    /// Remembers the timestamp that the first packet of an event was given.
    pub(crate) fn started_at(&mut self, timestamp: u32) {
        if let Some(sending) = &mut self.current {
            sending.timestamp.get_or_insert(timestamp);
        }
    }
}

/// The key of an event code (RFC 4733 §3.2).
pub(crate) fn digit(event: u8) -> Option<char> {
    KEYS.get(usize::from(event)).map(|&key| char::from(key))
}

/// The event code of a key, in either case.
pub(crate) fn event(digit: char) -> Option<u8> {
    let digit = digit.to_ascii_uppercase();
    let index = KEYS.iter().position(|&key| char::from(key) == digit)?;
    u8::try_from(index).ok()
}

const KEYS: &[u8; 16] = b"0123456789*#ABCD";

/// Most keys waiting to be sent.
const DIGITS_MAX: usize = 64;

/// Samples that a key is down, and up after it: 100 ms each.
const DOWN: u32 = 800;
const PAUSE: u32 = 800;

/// How often the end is told.
const ENDS: u8 = 3;

/// Loudness of sent keys, in dB below the reference (RFC 4733 §2.3.3).
const VOLUME: u8 = 10;

/// An event that is this much older than the newest, in ticks, is a late packet, not a new press.
const STALE_MAX: i32 = 80_000;

/// A press that was told to last so long may go on in another segment.
const SEGMENT_MIN: u16 = 0xe000;

/// Largest step in time between two packets of a press with a moving timestamp.
const MOVING_MAX: i32 = 1_600;
