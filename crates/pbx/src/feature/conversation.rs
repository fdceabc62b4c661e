//! What a feature asks of the switch, and what it is told.
//!
//! The switch starts with [`Reply::Start`], carries out each [`Ask`] and gives back its reply, one
//! reply for one ask, until [`Ask::Done`].
//!
//! When the caller hangs up:
//! - during a [`Ask::Record`], the reply is still [`Reply::Recorded`], with
//!   [`RecordEnd::Stopped`] and the true length;
//! - an [`Ask::Store`] still gets its own reply;
//! - every other ask is replied to with [`Reply::HungUp`], also those that come later. After the
//!   first `HungUp` a conversation only asks to store what there is, and then is done.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use dialplan::{Barge, Outcome, ReadEnd};
use media::RecordEnd;

use crate::records::{SoundId, StoreReply, StoreRequest, UnixMs};

/// What a conversation wants next.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ask {
    /// Play these; replied with [`Reply::Played`].
    Play {
        /// In order; may be empty after missing prompts were left out.
        sounds: Vec<Heard>,
        /// Whether a digit stops it. A digit typed ahead stops it at once.
        barge: Barge,
    },
    /// Play a prompt, which a digit stops, and collect digits, also those typed ahead; replied with
    /// [`Reply::Digits`].
    Collect {
        /// Heard first; may be empty.
        prompt: Vec<Heard>,
        /// Stop after this many.
        digits_max: u8,
        /// Silence allowed after the prompt before the first digit.
        timeout: Duration,
        /// Silence allowed between digits.
        between: Duration,
        /// Ends the input and is not part of it.
        terminator: Option<char>,
    },
    /// Beep, then record the caller into this draft, which was begun before; each chunk goes to the
    /// store with [`StoreRequest::Append`]. Replied with [`Reply::Recorded`].
    Record {
        /// The draft.
        sound: SoundId,
        /// Longest recording.
        max: Duration,
        /// Stop after this much silence, also at the start.
        silence: Option<Duration>,
        /// Key that ends it; typed ahead does not count.
        terminator: Option<char>,
    },
    /// Send this to the store, with a fresh ticket in place of its own. Replied with
    /// [`Reply::Stored`] if [`StoreRequest::wants_reply`], else at once with [`Reply::Told`].
    Store(StoreRequest),
    /// The conversation is over; the call goes back to its script.
    Done(Outcome),
}

/// Something for the caller to hear. [`Voice`](super::say::Voice) turns it into sounds.
#[derive(Clone, PartialEq)]
pub(crate) enum Heard {
    /// A prompt by its full name, such as `en/vm/goodbye`.
    Prompt(String),
    /// A number as one says it: "forty-two".
    Number(u32),
    /// Digit by digit; letters and signs are spelt.
    Digits(String),
    /// When something was: "Received yesterday at four oh five P.M."
    Received(UnixMs),
    /// Nothing, for this long.
    Silence(Duration),
    /// A recording: linear 16-bit mono at 8,000 Hz.
    Samples(Arc<Vec<i16>>),
}

impl fmt::Debug for Heard {
    /// Samples are counted rather than listed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prompt(name) => f.debug_tuple("Prompt").field(name).finish(),
            Self::Number(number) => f.debug_tuple("Number").field(number).finish(),
            Self::Digits(digits) => f.debug_tuple("Digits").field(digits).finish(),
            Self::Received(at) => f.debug_tuple("Received").field(at).finish(),
            Self::Silence(length) => f.debug_tuple("Silence").field(length).finish(),
            Self::Samples(samples) => f.debug_tuple("Samples").field(&samples.len()).finish(),
        }
    }
}

/// What a conversation is told: what came of its last [`Ask`].
#[derive(Clone, PartialEq)]
pub(crate) enum Reply {
    /// Nothing was asked yet.
    Start,
    /// A playback ended.
    Played {
        /// The digit that stopped it, taken out of what was typed ahead.
        digit: Option<char>,
    },
    /// Digits were collected, or not.
    Digits {
        /// What was typed, without the terminator.
        digits: String,
        /// Why collecting ended; `Complete` or `Timeout`.
        ended: ReadEnd,
    },
    /// A recording ended, and everything appended was given to the store.
    Recorded {
        /// All of it.
        length: Duration,
        /// Of that, how much at the end was silence.
        trailing_silence: Duration,
        /// Why; [`RecordEnd::Stopped`] when the caller hung up.
        reason: RecordEnd,
    },
    /// The store replied.
    Stored(StoreReply),
    /// A request that gets no reply was sent.
    Told,
    /// The caller is gone.
    HungUp,
}

impl fmt::Debug for Reply {
    /// Digits may be a PIN, so they are never shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("Start"),
            Self::Played { .. } => f.write_str("Played"),
            Self::Digits { ended, .. } => f.debug_tuple("Digits").field(ended).finish(),
            Self::Recorded { length, trailing_silence, reason } => f
                .debug_struct("Recorded")
                .field("length", length)
                .field("trailing_silence", trailing_silence)
                .field("reason", reason)
                .finish(),
            Self::Stored(_) => f.write_str("Stored"),
            Self::Told => f.write_str("Told"),
            Self::HungUp => f.write_str("HungUp"),
        }
    }
}

/// A prompt of the voicemail in this language: `vm("en", "goodbye")` is `en/vm/goodbye`.
pub(super) fn vm(language: &str, name: &str) -> Heard {
    Heard::Prompt(format!("{language}/vm/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_never_shown() {
        let digits = Reply::Digits { digits: "48213".into(), ended: ReadEnd::Complete };
        let played = Reply::Played { digit: Some('8') };
        assert_eq!(format!("{digits:?} {played:?}"), "Digits(Complete) Played");
    }
}
