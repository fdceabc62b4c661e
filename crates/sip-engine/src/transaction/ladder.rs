//! Ladders on simulated time.
