//! RTP, codecs, DTMF, playing and recording; clocked from outside.

mod command;
mod event;
mod sound;

pub use command::{
    Codec, Command, Flag, JobId, Latch, LegId, PlayItem, Playlist, RecordLimits, Stream, ToneSpec,
};
pub use event::{Event, RecordEnd};
pub use sound::Sound;
