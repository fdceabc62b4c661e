//! What was typed, and when.

use std::time::Duration;

use bench::{Act, Called};

use crate::web::Stub;

/// One thing that was typed and counts.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// As it was typed.
    pub(crate) typed: String,
    /// Since the call began.
    pub(crate) at: Duration,
    pub(crate) what: What,
}

/// What was typed.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// Lua for the script.
    Line(Line),
    /// Something outside of the exchange.
    Outside(Outside),
    /// Nothing but that time passes.
    Time,
}

/// Lua for the script.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) kind: Kind,
    /// Since the call began; `None` while it runs.
    pub(crate) ended_at: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Its value is shown.
    Expression,
    Statement,
}

/// Something outside of the exchange.
#[derive(Debug, Clone)]
pub(crate) enum Outside {
    /// The caller does something.
    Caller(Act),
    /// The phone of this account does something, after so long.
    Phone(String, Act, Duration),
    /// This becomes of calls to this account from now on.
    Called(String, Called),
    /// Another program answers this from now on.
    Http(Stub),
}
