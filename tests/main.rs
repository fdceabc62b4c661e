//! Whole calls through a whole switch, and the tests of the architecture itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm
)]

mod after_calls;
mod basic_call;
mod demo_dialplan;
mod events;
mod examples;
mod faults;
mod fibres;
mod freeswitch;
mod hostile;
mod jobs;
mod logs;
mod operations;
mod originate;
mod originate_weather;
mod outside;
mod registrar;
mod reload;
mod scripts;
mod shipped;
mod speech;
mod tidy;
mod transfers;
mod twins;
mod voicemail;
mod weather;
mod webhooks;
