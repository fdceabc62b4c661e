//! Ladders of sessions, seen from both ends.

mod reinvite;
mod uac;
mod uas;
