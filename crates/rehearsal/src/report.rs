//! Telling what became of tests: to people, and to programs.

mod human;
mod junit;
mod tap;

use std::io::{self, Write};

pub use human::{Human, Style};
pub use junit::JUnit;
pub use tap::Tap;

use crate::verdict::{Report, Summary};

/// Told of each test, in the order in which they stand in their files.
pub trait Reporter {
    /// A test is over.
    ///
    /// # Errors
    /// When it cannot be written.
    fn test(&mut self, to: &mut dyn Write, report: &Report) -> io::Result<()>;

    /// All tests are over.
    ///
    /// # Errors
    /// When it cannot be written.
    fn end(&mut self, to: &mut dyn Write, summary: &Summary) -> io::Result<()>;
}

#[cfg(test)]
mod tests;
