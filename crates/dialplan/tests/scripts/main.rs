//! Scripts resumed with made-up outcomes, written as ladders.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    missing_docs
)]

mod afterwards;
mod arguments;
mod attacks;
mod coverage;
mod deeds;
mod errors;
mod events;
mod examples;
mod fibres;
mod json;
mod ladder;
mod legs;
mod load;
mod memory;
mod outside;
mod routes;
mod shared;
mod speech;
mod values;
mod verbs;
