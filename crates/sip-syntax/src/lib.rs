//! Turns bytes into SIP messages and back, losing nothing it does not understand
//! (RFC 3261 §7, §20, §25).
//!
//! A [`Message`] is one buffer and an index of its header fields; nothing is copied, and values are
//! read when asked for. What is read is safe to act on once [`Request::check`] agreed. Values share
//! the buffer of their message and keep it alive: copy what must outlast it. This crate knows
//! nothing of transactions, dialogs, sockets or time.

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

mod build;
mod check;
mod error;
mod framing;
mod header;
mod headers;
mod host;
mod limits;
mod message;
mod method;
mod params;
mod scan;
mod status;
mod text;
mod uri;

pub use build::{MessageBuilder, response_to, via_with_received};
pub use error::{Flaw, ParseError};
pub use framing::{FrameError, Framed, Framer};
pub use header::{
    CSeq, Challenge, ContactValue, ContentType, Credentials, HeaderName, NameAddr, Replaces, Via,
    ViaTransport,
};
pub use headers::{Field, Headers};
pub use host::Host;
pub use limits::*;
pub use message::{Message, Request, Response};
pub use method::Method;
pub use params::Params;
pub use status::{Class, StatusCode};
pub use text::{escape_user, quote, unescape};
pub use uri::{Scheme, Uri};
