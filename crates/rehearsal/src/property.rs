//! Properties: many made-up cases of one kind, and the smallest that fails.
//!
//! A case is made of a sequence of choices. Choosing less makes a simpler case, so a failing one is
//! made small without knowing what it is a case of: by leaving choices out and lowering the others.

mod choices;
mod generator;
mod shrink;

pub(crate) use choices::Choices;
pub(crate) use generator::{Generator, add_generators};
pub(crate) use shrink::shrink;
