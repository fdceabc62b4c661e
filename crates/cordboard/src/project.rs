//! A folder in which somebody writes a dialplan: what a new one is given, and what its editor knows.

mod editor;
#[cfg(test)]
mod links;
mod starter;

pub(crate) use editor::{has_old_annotations, write_annotations};
pub(crate) use starter::{Origin, begin};
