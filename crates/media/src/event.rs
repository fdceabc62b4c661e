//! What a media thread tells call control.

use std::net::SocketAddr;
use std::time::Duration;

use crate::command::{JobId, LegId};

/// Something happened on a leg.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The socket could not be bound; the leg does not exist.
    OpenFailed {
        /// Which leg.
        leg: LegId,
        /// Why, for the log.
        why: String,
    },
    /// The first packet that counts arrived from here.
    Latched {
        /// Which leg.
        leg: LegId,
        /// Where its sound comes from.
        from: SocketAddr,
    },
    /// A key was pressed; told once per press.
    Digit {
        /// Which leg.
        leg: LegId,
        /// `0-9 A-D * #`.
        digit: char,
    },
    /// A playback is over.
    PlayEnded {
        /// Which leg.
        leg: LegId,
        /// Which playback.
        job: JobId,
        /// The digit that stopped it, if one did. Told by [`Event::Digit`] as well, before this.
        digit: Option<char>,
        /// How long it was heard.
        heard: Duration,
    },
    /// Some more of a recording, about half a second at a time, in order, without gaps.
    RecordChunk {
        /// Which leg.
        leg: LegId,
        /// Which recording.
        job: JobId,
        /// Linear 16-bit mono at 8,000 Hz.
        samples: Vec<i16>,
    },
    /// A recording is over; no chunk follows.
    RecordEnded {
        /// Which leg.
        leg: LegId,
        /// Which recording.
        job: JobId,
        /// Why.
        reason: RecordEnd,
        /// Length of all chunks together, trailing silence that ended it included.
        length: Duration,
        /// Of that, how much at the end was silence.
        trailing_silence: Duration,
    },
    /// What a leg sent and got, told when it closes.
    Closed {
        /// Which leg.
        leg: LegId,
        /// Packets let in.
        packets_received: u64,
        /// Packets sent.
        packets_sent: u64,
        /// Packets from strangers, never heard.
        packets_refused: u64,
    },
}

/// Why a recording ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordEnd {
    /// It was stopped, or its leg closed.
    Stopped,
    /// It reached its greatest length.
    Max,
    /// Silence lasted too long.
    Silence,
    /// This key ended it.
    Digit(char),
}
