//! What the command line offers beside running the exchange.

pub(crate) mod account;
pub(crate) mod call;
pub(crate) mod check;
pub(crate) mod mailbox;
