//! Paths to peers: which of our sockets, and whose address.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// How bytes travel (RFC 3261 §18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams: requests and answers are repeated by us until they are heard.
    Udp,
    /// A stream, cut into messages by Content-Length.
    Tcp,
}

impl Transport {
    /// Whether the transport repeats lost bytes itself, so that transactions need not.
    pub fn is_reliable(self) -> bool {
        match self {
            Transport::Udp => false,
            Transport::Tcp => true,
        }
    }

    /// The name in a Via, as `UDP`.
    pub fn as_via(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
        }
    }

    /// The value of a URI's `transport` parameter, as `udp`.
    pub fn as_param(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_param())
    }
}

/// A path to a peer: which of our sockets, and whose address.
///
/// `local` is what peers can reach us at: it is written into Via and Contact, so it names an address,
/// not "any".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flow {
    /// How bytes travel on it.
    pub transport: Transport,
    /// Our end, as peers see it.
    pub local: SocketAddr,
    /// The peer's end.
    pub remote: SocketAddr,
}

impl fmt::Display for Flow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {}", self.transport, HostPort(self.local), HostPort(self.remote))
    }
}

/// An address as SIP writes it: IPv6 in brackets, without scope, IPv4-mapped ones as IPv4.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HostPort(pub(crate) SocketAddr);

impl fmt::Display for HostPort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.ip().to_canonical() {
            IpAddr::V4(ip) => write!(formatter, "{ip}:{}", self.0.port()),
            IpAddr::V6(ip) => write!(formatter, "[{ip}]:{}", self.0.port()),
        }
    }
}
