//! Transactions, dialogs, sessions and digest, as state machines.
//!
//! [`Endpoint`] is the one type its users hold: bytes and times go in, and [`Output`]s (bytes to send,
//! [`Event`]s to react to) come out. It opens no socket, reads no clock and resolves no name; what a
//! call is for, it does not know.

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

mod counters;
mod deadlines;
mod dialog;
mod digest;
mod endpoint;
mod event;
mod flow;
mod id;
#[cfg(test)]
mod ladder;
mod outgoing;
mod session;
#[cfg(test)]
mod stage;
mod timing;
mod tokens;
mod transaction;

pub use counters::Counters;
pub use digest::{Algorithm, DigestServer, Verdict, answer};
pub use endpoint::{ALLOW, Endpoint, EndpointConfig};
pub use event::{EndCause, Event, Output};
pub use flow::{Flow, Transport};
pub use id::{ClientTxnId, ServerTxnId, SessionId};
pub use outgoing::{Body, ClientCredentials, Invite, OutOfDialog, Reply};
