//! A Lua prompt whose `call` is a pretend caller, in a pretend office.
//!
//! A [`Session`] takes one line after the other and gives back what there is to be seen: the ladder as
//! it grows, values, mistakes. It knows no terminal. A script cannot be given another line while it
//! runs, but a simulated office does the same each time: so the lines typed so far are the body of a
//! route, and after each line the whole call happens again, up to the present.
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

mod command;
mod complete;
mod entry;
mod replay;
mod save;
mod session;
mod show;
mod source;

#[cfg(test)]
mod tests;
mod web;

pub use command::HELP;
pub use replay::Trouble;
pub use session::{Opening, Part, Prompt, Reply, Session, Task};
