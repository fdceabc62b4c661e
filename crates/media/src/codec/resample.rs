//! From any rate to 8,000 Hz.
