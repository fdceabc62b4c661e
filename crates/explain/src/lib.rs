//! Draws every way that a call can take through a dialplan, without calling anybody.
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

mod given;
mod moment;
mod nearest;

pub use given::Given;
pub use moment::parse_moment;
