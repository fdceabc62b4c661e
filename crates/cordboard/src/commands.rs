//! What the command line offers beside running the exchange.

pub(crate) mod account;
pub(crate) mod annotations;
pub(crate) mod call;
pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod mailbox;
pub(crate) mod reference;
pub(crate) mod repl;
pub(crate) mod running;
pub(crate) mod test;
