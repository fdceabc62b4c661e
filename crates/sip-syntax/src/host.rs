//! Hosts in URIs and Via (RFC 3261 §25.1, as corrected by RFC 5954 §4.1).

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::Bytes;

use crate::text;

/// A host as written: an address or a name. Names compare without regard to case.
#[derive(Debug, Clone)]
pub enum Host {
    /// Dotted IPv4.
    V4(Ipv4Addr),
    /// IPv6; in brackets on the wire.
    V6(Ipv6Addr),
    /// A DNS name: letters, digits, `-`, `.`, and `_` which peers use though they should not.
    /// Empty in a URI that has no host, such as `tel:`.
    Name(Bytes),
}

impl Host {
    /// Reads a whole host; `None` if it is none.
    pub fn parse(text: &Bytes) -> Option<Self> {
        if let [b'[', inner @ .., b']'] = text.as_ref() {
            return parse_v6(inner).map(Self::V6);
        }
        if text.is_empty() || !text.iter().all(|&byte| is_name_byte(byte)) {
            return None;
        }
        let last_label = text.rsplit(|&byte| byte == b'.').find(|label| !label.is_empty())?;
        if last_label.iter().all(u8::is_ascii_digit) {
            // A name never ends in a number, so this must be an address.
            return str::from_utf8(text).ok()?.parse().ok().map(Self::V4);
        }
        Some(Self::Name(text.clone()))
    }

    /// The address, if it is one; an IPv4 address mapped into IPv6 comes out as IPv4.
    pub fn to_ip(&self) -> Option<IpAddr> {
        match self {
            Self::V4(ip) => Some(IpAddr::V4(*ip)),
            Self::V6(ip) => Some(IpAddr::V6(*ip).to_canonical()),
            Self::Name(_) => None,
        }
    }

    /// Bytes that `text` begins with and that can belong to a host: up to a port, or the end.
    pub(crate) fn span(text: &[u8]) -> usize {
        if text.first() == Some(&b'[') {
            return memchr::memchr(b']', text).map_or(text.len(), |at| at + 1);
        }
        text.iter().position(|&byte| !is_name_byte(byte)).unwrap_or(text.len())
    }
}

impl From<IpAddr> for Host {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::V4(ip),
            IpAddr::V6(ip) => Self::V6(ip),
        }
    }
}

impl PartialEq for Host {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::V4(one), Self::V4(two)) => one == two,
            (Self::V6(one), Self::V6(two)) => one == two,
            (Self::Name(one), Self::Name(two)) => one.eq_ignore_ascii_case(two),
            (Self::V4(_) | Self::V6(_) | Self::Name(_), _) => false,
        }
    }
}

impl Eq for Host {}

impl Hash for Host {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::V4(ip) => ip.hash(state),
            Self::V6(ip) => ip.hash(state),
            Self::Name(name) => name.to_ascii_lowercase().hash(state),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(ip) => ip.fmt(f),
            Self::V6(ip) => write!(f, "[{ip}]"),
            Self::Name(name) => f.write_str(&String::from_utf8_lossy(name)),
        }
    }
}

/// An address with or without brackets, as `received` and `maddr` carry it (RFC 5118 §4.5).
pub(crate) fn parse_ip(text: &[u8]) -> Option<IpAddr> {
    if let [b'[', inner @ .., b']'] = text {
        return parse_v6(inner).map(IpAddr::V6);
    }
    str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse::<Ipv4Addr>().ok())
        .map(IpAddr::V4)
        .or_else(|| parse_v6(text).map(IpAddr::V6))
}

/// Reads a port with its colon, or nothing at all. The outer `None` is malformed.
pub(crate) fn parse_port(text: &[u8]) -> Option<Option<u16>> {
    let Some((colon, digits)) = text.split_first() else {
        return Some(None);
    };
    if *colon != b':' {
        return None;
    }
    let port = text::decimal(digits).and_then(|port| u16::try_from(port).ok())?;
    (port != 0).then_some(Some(port))
}

fn parse_v6(text: &[u8]) -> Option<Ipv6Addr> {
    let text = str::from_utf8(text).ok()?;
    if let Ok(ip) = text.parse() {
        return Some(ip);
    }
    // The grammar of RFC 3261 wrongly asks for three colons before an IPv4 tail; RFC 5118 §4.10
    // shows both, and what is meant is not in doubt.
    let (head, tail) = text.split_once(":::")?;
    tail.parse::<Ipv4Addr>().ok()?;
    format!("{head}::{tail}").parse().ok()
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
}
