//! What makes and what takes sound.

pub(crate) mod player;
pub(crate) mod recorder;
pub(crate) mod tone;
pub(crate) mod tone_detector;
