//! The Cordboard telephone exchange.
fn main() {}
