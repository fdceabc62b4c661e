//! A whole exchange with phones and callers on virtual time.
//!
//! [`Office`] is the one type to hold: a real `pbx::Switch` with the real scripts, parties that speak
//! real SIP over a simulated network, sound as a calculation instead of packets, and a store in
//! memory. Hours pass in microseconds; the same seed gives the same run, byte for byte.
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

mod acoustics;
mod behaviour;
mod happening;
mod heard;
mod ladder;
mod loss;
mod network;
mod office;
mod outside;
mod party;
mod shelf;
mod sounds;
#[cfg(test)]
mod tests;

pub use behaviour::{
    Act, ActError, Behaviour, Call, Called, Identity, Keys, Offer, Phone, Registers, SecondCall,
    Target,
};
pub use happening::{Happening, Traffic, Way, What};
pub use heard::{Heard, Hearing};
pub use ladder::LadderPart;
pub use network::{Queue, Weather};
pub use office::{Office, Setup};
pub use outside::{Nobody, Outside};
pub use party::{
    CallEnd, CallState, Direction, Ended, Party, PartyCall, PartyId, Provisional, Registration,
};
pub use shelf::Shelf;
pub use sounds::Sounds;

/// Whether this is a key of a telephone.
pub(crate) fn is_key(key: char) -> bool {
    matches!(key, '0'..='9' | '*' | '#' | 'A'..='D' | 'a'..='d')
}
