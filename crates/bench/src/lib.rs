//! A whole exchange with phones and callers on virtual time.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::wildcard_enum_match_arm,
        clippy::disallowed_methods
    )
)]

mod network;
mod shelf;

pub use network::{Queue, Weather};
pub use shelf::Shelf;
