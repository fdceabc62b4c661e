//! Call control: what a call, a registration or a mailbox does next.
