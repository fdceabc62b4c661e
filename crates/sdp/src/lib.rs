//! Reads and writes session descriptions, and works out answers to offers.
//!
//! [`Description`] and what hangs below it are the text of RFC 8866, with the few attributes a
//! telephone call needs read as types and everything else kept as it came. [`negotiate`] is RFC
//! 3264: our offers, our answers, and what the other side's answer means. Nothing here knows of
//! SIP, sockets or sound.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::wildcard_enum_match_arm
    )
)]

mod codec;
mod description;
mod direction;
mod error;
mod media_line;
pub mod negotiate;
mod parse;
mod write;

#[cfg(test)]
mod second_reader;

pub use codec::RtpCodec;
pub use description::{Attribute, Bandwidth, Connection, Description, OriginLine};
pub use direction::Direction;
pub use error::SdpError;
pub use media_line::MediaLine;
pub use negotiate::{
    Agreed, Answered, AnsweredCarrying, Layout, Local, Origin, Refusal, codecs_for_other_leg,
    telephone_event_for_other_leg,
};
pub use parse::{BODY_BYTES_MAX, MEDIA_LINES_MAX};
