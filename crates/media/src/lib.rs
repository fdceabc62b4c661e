//! RTP, codecs, DTMF, playing and recording; clocked from outside.
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

mod command;
mod decode;
mod engine;
mod event;
mod port_pool;
mod sound;

pub use command::{
    Codec, Command, Flag, JobId, Latch, LegId, PlayItem, Playlist, RecordLimits, Stream, ToneSpec,
};
pub use decode::{DecodeError, Pcm, decode};
pub use engine::{Counters, Engine, Packet};
pub use event::{Event, RecordEnd};
pub use port_pool::PortPool;
pub use sound::Sound;
