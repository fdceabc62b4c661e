//! Every socket: SIP over UDP and TCP, name look-ups, RTP, and the one for commands.
//!
//! Moves bytes and nothing else. [`Udp`] and [`Tcp`] live on the thread that runs the switch, so that
//! no datagram hops between threads; [`rtp`] has threads of its own, each with the sockets of its legs.
//! What a message means is not known here, save where one ends in a stream.
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

pub mod control;
mod ends;
mod fetch;
mod resolve;
pub mod rtp;
pub mod serve;
mod socket;
mod tcp;
mod udp;

pub use ends::Ends;
pub use fetch::{
    Client, Distrust, FetchError, FetchRequest, FetchResponse, Reach, TrustError, Trusted,
    is_public,
};
pub use resolve::{LOOKUPS_MAX, LOOKUPS_WAITING_MAX, Resolver};
pub use tcp::{Arrival, Tcp, TcpCounters, TcpLimits};
pub use udp::{SendError, Udp, UdpCounters};
