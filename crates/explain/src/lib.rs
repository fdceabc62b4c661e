//! Draws every way that a call can take through a dialplan, without calling anybody.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::wildcard_enum_match_arm
    )
)]

mod draw;
mod explain;
mod fold;
mod given;
mod hearing;
mod ink;
mod jobs;
mod json;
mod moment;
mod question;
mod ring;
mod run;
mod tree;
mod typed;
mod walk;
mod words;
mod world;

pub use draw::{Detail, Style};
pub use explain::{Unexplained, explain};
pub use given::Given;
pub use ink::Colour;
pub use moment::parse_moment;
pub use question::{Bounds, Office, PromptBook, Question};
pub use tree::{
    Again, Alternative, Begun, Choice, Did, End, Explanation, Heard, How, Next, Node, Place, Ring,
    Route, Step, Subject,
};
