//! Ladders.
