//! Encodings of sound.

pub(crate) mod g711;
pub(crate) mod resample;
