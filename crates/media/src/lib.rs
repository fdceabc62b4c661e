//! RTP, codecs, DTMF, playing and recording; clocked from outside.
//!
//! [`Engine`] is the one type to hold: commands and packets go in, packets and events come out.
//! [`decode`] turns audio files into [`Sound`]s for it, and [`PortPool`] hands out RTP ports.
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

mod codec;
mod command;
mod decode;
mod engine;
mod event;
mod graph;
mod port_pool;
mod rtp;
mod sound;
mod tape;
mod wav;

pub use command::{
    Codec, Command, Flag, JobId, Latch, LegId, PlayItem, Playlist, RecordLimits, Stream, ToneSpec,
};
pub use decode::{DecodeError, Pcm, decode, decode_unnamed, measure};
pub use engine::{Counters, Engine, Packet};
pub use event::{Event, RecordEnd};
pub use port_pool::PortPool;
pub use sound::Sound;
pub use tape::{Progress, Tape};
pub use wav::wav;
