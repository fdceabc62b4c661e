//! What the switch does with a caller by itself, without a script: taking messages and playing them.
//!
//! Each feature is a [`conversation`], just like a script: it is given a [`Reply`] and asks for the
//! next thing. It knows no SIP, no RTP and no clock.

pub(crate) mod conversation;
pub(crate) mod leave_message;
pub(crate) mod listen;
pub(crate) mod pin;
pub(crate) mod say;

#[cfg(test)]
mod ladder;

pub(crate) use conversation::{Ask, Reply};
pub(crate) use leave_message::{LeaveContext, LeaveMessage};
pub(crate) use listen::{Listen, ListenContext};
pub(crate) use say::Voice;
pub use say::prompt_names;
