//! What scripts ask of the world outside: other programs and their database.

use std::fmt;
use std::time::Duration;

use pbx::{Answer, FetchError, FetchRequest, Fetched, Query};

/// Answers what scripts ask. Whoever owns an office says how.
pub trait Outside: fmt::Debug {
    /// A script asks another program: how long the answer takes, and what it is. `None` answers
    /// never, so that the script waits for as long as it wants to.
    fn fetch(&mut self, request: &FetchRequest) -> Option<(Duration, Result<Fetched, FetchError>)>;

    /// A script asks its database.
    ///
    /// # Errors
    /// What is wrong with it, for the author of the script.
    fn query(&mut self, query: &Query) -> Result<Answer, String>;
}

/// There is nobody outside: every request is refused, and there is no database.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Outside for Nobody {
    fn fetch(&mut self, _: &FetchRequest) -> Option<(Duration, Result<Fetched, FetchError>)> {
        Some((Duration::from_millis(1), Err(FetchError::Refused)))
    }

    fn query(&mut self, _: &Query) -> Result<Answer, String> {
        Err("there is no database here".to_owned())
    }
}
