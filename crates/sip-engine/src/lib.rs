//! Transactions, dialogs, sessions and digest, as state machines.
