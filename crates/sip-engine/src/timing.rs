//! The intervals of RFC 3261 (table 4) that more than one machine uses.

use std::time::Duration;

/// Estimated round trip, from which the other intervals follow (RFC 3261 §17.1.1.1).
pub(crate) const T1: Duration = Duration::from_millis(500);

/// The longest gap between repeats of non-INVITE requests and INVITE answers.
pub(crate) const T2: Duration = Duration::from_secs(4);

/// How long a message may wander about in the network.
pub(crate) const T4: Duration = Duration::from_secs(5);

/// 64*T1: when a transaction gives up (Timers B, F, H), and how long it remembers (J, L, M).
pub(crate) const T1_64: Duration = Duration::from_secs(32);
