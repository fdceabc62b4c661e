//! A session description: its head and its streams (RFC 8866 §5).

use std::net::IpAddr;

use crate::MediaLine;

/// A session description (RFC 8866 §5), as far as a call has a use for it.
///
/// Attributes are kept word for word and in order. The lines that schedule or advertise a broadcast
/// (`u= e= p= t= r= z=`), the keys that nobody may use any more (`k=`, RFC 8866 §5.12) and lines
/// with other letters are not kept: an offer or answer has `t=0 0` (RFC 3264 §5), which
/// [`Description::to_bytes`] writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The `o=` line.
    pub origin: OriginLine,
    /// The `s=` line; `-` if it was empty or missing.
    pub session_name: String,
    /// The `i=` line.
    pub information: Option<String>,
    /// Where streams without a `c=` of their own are received.
    pub connection: Option<Connection>,
    /// The `b=` lines that could be read.
    pub bandwidths: Vec<Bandwidth>,
    /// The `a=` lines before the first stream.
    pub attributes: Vec<Attribute>,
    /// The streams. Their order and count never change within a session (RFC 3264 §8).
    pub media: Vec<MediaLine>,
}

/// One `a=` line: the name, and what stood after the colon if there was one.
pub type Attribute = (String, Option<String>);

/// The `o=` line (RFC 8866 §5.2): together unique for this version of this session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginLine {
    /// `-` if the writer has no name for itself.
    pub username: String,
    /// Digits, by the RFC; kept as it came.
    pub session_id: String,
    /// Counts changes. One beyond 64 bits is read modulo 2^64, so that a change still shows.
    pub version: u64,
    /// The network and address of the writer.
    pub address: Connection,
}

/// A network address, as in `c=` (RFC 8866 §5.7) and at the end of `o=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// `IN`, and rarely anything else.
    pub network: String,
    /// `IP4` or `IP6`.
    pub kind: String,
    /// An IP address, a host name, or a multicast address with `/ttl` or `/ttl/count` behind it.
    pub address: String,
}

/// One `b=` line (RFC 8866 §5.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bandwidth {
    /// `AS`, `CT`, `TIAS`, `RR`, `RS` or another name.
    pub kind: String,
    /// In the unit that `kind` says: kilobits a second for `AS`, bits for `TIAS`.
    pub value: u64,
}

impl Connection {
    /// The unicast address `ip` on the Internet.
    pub fn from_ip(ip: IpAddr) -> Connection {
        let kind = if ip.is_ipv4() { "IP4" } else { "IP6" };
        Connection { network: "IN".into(), kind: kind.into(), address: ip.to_string() }
    }

    /// The IP address, without a time to live; `None` for a host name or another network.
    pub fn ip(&self) -> Option<IpAddr> {
        if !self.network.eq_ignore_ascii_case("IN") {
            return None;
        }
        let address = self.address.split('/').next()?;
        address.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    /// Whether this is the old way to say hold: send nothing here (RFC 3264 §8.4).
    pub fn is_hold(&self) -> bool {
        self.ip().is_some_and(|ip| ip.is_unspecified())
    }
}

/// The first attribute of this name, in any case; `Some("")` if it has no value.
pub(crate) fn attribute<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a str> {
    attributes
        .iter()
        .find(|(own, _)| own.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_deref().unwrap_or_default().trim())
}
