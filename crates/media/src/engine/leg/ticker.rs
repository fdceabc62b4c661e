//! Paces one leg's frames. Each moment derives from the start, so nothing adds up over time.

use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct Ticker {
    start: Instant,
    packet_time: Duration,
    /// Frames since the start.
    frames: u32,
}

/// A frame that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tick {
    OnTime,
    /// Too late to be of use to anybody.
    Late,
}

impl Ticker {
    /// `packet_time` is a whole number of milliseconds.
    pub(super) fn new(start: Instant, packet_time: Duration) -> Self {
        Self { start, packet_time, frames: 0 }
    }

    /// When the next frame is due.
    pub(super) fn due(&self) -> Instant {
        self.start + self.packet_time * self.frames
    }

    /// Samples in a frame at 8,000 Hz.
    pub(super) fn samples(&self) -> usize {
        self.packet_time.as_millis() as usize * 8
    }

    /// Takes the next frame if it is due. After a stall, what is too old is passed over; after a
    /// long one, time simply goes on from now.
    pub(super) fn next(&mut self, now: Instant) -> Option<Tick> {
        let due = self.due();
        let late = now.checked_duration_since(due)?;
        if late > STALL_MAX {
            (self.start, self.frames) = (now, 0);
        }
        self.frames += 1;
        Some(if (LATE_MAX..=STALL_MAX).contains(&late) { Tick::Late } else { Tick::OnTime })
    }

    /// Goes on at another pace from the frame due next.
    pub(super) fn set_packet_time(&mut self, now: Instant, packet_time: Duration) {
        if packet_time != self.packet_time {
            *self = Self::new(self.due().max(now), packet_time);
        }
    }
}

/// A frame this late is not sent any more: it would only lengthen the listener's delay.
const LATE_MAX: Duration = Duration::from_millis(100);

/// A machine that slept for longer does not catch up at all.
const STALL_MAX: Duration = Duration::from_secs(2);
