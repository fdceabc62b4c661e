//! The door: what is refused, dropped and answered without anybody asking; and requests outside
//! sessions.

mod challenge;
mod doors;
mod fuzz;
mod pair;
mod torture;
