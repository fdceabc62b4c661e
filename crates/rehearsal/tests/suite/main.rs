//! Tests in Lua, run as `cordboard test` runs them, on the dialplan that ships and on small ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    missing_docs
)]

mod examples;
mod failing;
mod language;
mod outside;
mod property;
mod running;
mod shipped;
mod speech;
mod stage;
