//! Offers and answers (RFC 3264): what we offer, what we answer, and what an answer to us means.
//!
//! One [`Origin`] belongs to each leg and lives as long as its session. The audio of a leg always
//! ends with us, at the [`Local`] address; streams of other kinds either pass untouched between the
//! two legs of a bridge ("carried", with the address of the far end) or are refused.
//!
//! For a bridge, leg A's offer becomes leg B's like this: [`codecs_for_other_leg`] and
//! [`Layout::for_other_leg`] go into [`offer`] for B; B's answer goes through [`accept_answer`];
//! and A is answered by [`answer`], or [`answer_carrying`] if other streams were carried.

mod answer;
mod layout;
mod offer;
mod origin;
mod refusal;

#[cfg(test)]
pub(crate) mod tests;

use std::net::{IpAddr, SocketAddr};

use crate::{Direction, RtpCodec};

pub use answer::{Answered, AnsweredCarrying, accept_answer, answer, answer_carrying};
pub use layout::{Layout, carries_accepted_streams};
pub use offer::{codecs_for_other_leg, offer, telephone_event_for_other_leg};
pub use origin::Origin;
pub use refusal::Refusal;

/// Where we receive the audio of one leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Local {
    /// The address to write, which behind a NAT is not the one the socket has.
    pub ip: IpAddr,
    /// The RTP port; RTCP is on the next one.
    pub port: u16,
}

/// What both sides agreed to for the one audio stream of a leg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// Which `m=` line, counted from 0.
    pub media_index: usize,
    /// Where to send; `None` while the peer is on hold by 0.0.0.0 or gave a host name.
    pub remote: Option<SocketAddr>,
    /// What to send: the peer's payload type number and the parameters the peer stated.
    pub codec: RtpCodec,
    /// The number the peer sends this codec with. The same as `codec.payload_type`, unless the
    /// peer's answer renumbered what we had offered (RFC 3264 §6.1).
    pub receive_payload_type: u8,
    /// The number to send key presses with (RFC 4733); `None` if the peer does not take any.
    pub telephone_event: Option<u8>,
    /// The number the peer sends key presses with, as `receive_payload_type` for the codec.
    pub receive_telephone_event: Option<u8>,
    /// Which way sound flows, as seen from us.
    pub direction: Direction,
    /// Milliseconds of sound in each packet we send: what the peer asked for, else 20.
    pub ptime_ms: u16,
}

/// How much sound a packet has when nobody says (RFC 3551 §4.2).
const PTIME_DEFAULT_MS: u16 = 20;

/// A wish outside of this is not followed: too many packets, or ones too large to send.
const PTIME_RANGE_MS: std::ops::RangeInclusive<u16> = 10..=120;

/// The value of `a=fmtp` for key presses we take: the sixteen of a keypad, and the hook flash.
const TELEPHONE_EVENTS: &str = "0-16";
