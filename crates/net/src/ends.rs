//! The two ends of a path.

use std::net::SocketAddr;

/// The two ends of a datagram's way or of a connection, seen from here.
///
/// With the transport it makes a flow. For a connection that we opened, `local` is the listener on
/// whose behalf it was opened, not the port the system chose, so that both directions look alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ends {
    /// Our listener's address.
    pub local: SocketAddr,
    /// The peer's address.
    pub remote: SocketAddr,
}
