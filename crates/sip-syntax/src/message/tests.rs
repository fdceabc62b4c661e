//! Whole messages.

pub(crate) mod torture;
