//! Via (RFC 3261 §20.42, RFC 3581): where a request came past, and where its response goes.

use std::fmt;
use std::net::IpAddr;

use bytes::Bytes;

use crate::error::{Flaw, ParseError};
use crate::host::{self, Host};
use crate::limits::BRANCH_BYTES_MAX;
use crate::{Params, text};

/// One hop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    /// By what it was sent.
    pub transport: ViaTransport,
    /// The host that sent it, as it calls itself.
    pub host: Host,
    /// The port it wants responses on.
    pub port: Option<u16>,
    /// Names the transaction. As written; never percent-decoded.
    pub branch: Option<Bytes>,
    /// Where it really came from, as the next hop saw it.
    pub received: Option<IpAddr>,
    /// `Some(None)` asks for the response to the source port; `Some(Some(_))` is that port.
    pub rport: Option<Option<u16>>,
    /// All parameters, the above included.
    pub params: Params,
}

/// The transport named in a Via; also `transport=` of URIs, by [`ViaTransport::from_bytes`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ViaTransport {
    /// `UDP`
    Udp,
    /// `TCP`
    Tcp,
    /// `TLS`
    Tls,
    /// `SCTP`
    Sctp,
    /// `TLS-SCTP`
    TlsSctp,
    /// `WS` (RFC 7118)
    Ws,
    /// `WSS` (RFC 7118)
    Wss,
    /// Any other token, as written.
    Other(Bytes),
}

impl ViaTransport {
    /// The transport of this name, in any case.
    pub fn from_bytes(name: &[u8]) -> Self {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match name.len() {
            3 if is("UDP") => Self::Udp,
            3 if is("TCP") => Self::Tcp,
            3 if is("TLS") => Self::Tls,
            3 if is("WSS") => Self::Wss,
            2 if is("WS") => Self::Ws,
            4 if is("SCTP") => Self::Sctp,
            8 if is("TLS-SCTP") => Self::TlsSctp,
            _ => Self::Other(Bytes::copy_from_slice(name)),
        }
    }

    /// The name as it stands in a Via.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Udp => b"UDP",
            Self::Tcp => b"TCP",
            Self::Tls => b"TLS",
            Self::Sctp => b"SCTP",
            Self::TlsSctp => b"TLS-SCTP",
            Self::Ws => b"WS",
            Self::Wss => b"WSS",
            Self::Other(name) => name,
        }
    }
}

impl Via {
    /// Reads one value.
    ///
    /// Lenient about parameters, so that a request whose Via is damaged there can still be
    /// answered; `Request::check` is strict.
    ///
    /// # Errors
    /// [`Flaw::Header`] if protocol, host or port cannot be made out.
    pub fn parse(value: impl Into<Bytes>) -> Result<Self, ParseError> {
        let raw = text::unfold_bytes(value.into());
        let bad = |rest: &[u8]| ParseError::new(Flaw::Header("Via"), raw.len() - rest.len());
        // White space may stand on both sides of each slash.
        let mut parts = text::trim(&raw).splitn(3, |&byte| byte == b'/');
        let (name, version) = (parts.next(), parts.next());
        if !name.is_some_and(|name| text::trim(name).eq_ignore_ascii_case(b"SIP"))
            || !version.is_some_and(|version| text::is_token(text::trim(version)))
        {
            return Err(bad(&raw));
        }
        let rest = text::trim(parts.next().ok_or(bad(&raw))?);
        let transport_len = rest.iter().position(|&byte| text::is_space(byte)).ok_or(bad(rest))?;
        let (transport, rest) = rest.split_at_checked(transport_len).ok_or(bad(rest))?;
        if !text::is_token(transport) {
            return Err(bad(rest));
        }
        let sent_by_len = memchr::memchr(b';', rest).unwrap_or(rest.len());
        let (sent_by, params) = rest.split_at_checked(sent_by_len).unwrap_or((rest, &[]));
        let sent_by = text::trim(sent_by);
        let (host, port) = sent_by.split_at_checked(Host::span(sent_by)).ok_or(bad(rest))?;
        let mut via = Self {
            transport: ViaTransport::from_bytes(transport),
            host: Host::parse(&raw.slice_ref(host)).ok_or(bad(rest))?,
            port: parse_spaced_port(port).ok_or(bad(rest))?,
            branch: None,
            received: None,
            rport: None,
            params: Params::of_header(raw.slice_ref(params)),
        };
        let (mut branch, mut received, mut rport) = (None, None, None);
        for (name, value) in via.params.pairs() {
            let value = value.unwrap_or_default();
            if name.eq_ignore_ascii_case(b"branch") {
                branch = branch.or(Some(value));
            } else if name.eq_ignore_ascii_case(b"received") {
                received = received.or(Some(value));
            } else if name.eq_ignore_ascii_case(b"rport") {
                rport = rport.or(Some(value));
            }
        }
        let received = received.and_then(|ip| host::parse_ip(&text::unquote(ip)));
        let branch = branch.filter(|branch| !branch.is_empty()).map(|branch| raw.slice_ref(branch));
        let to_port = |port| text::decimal(port).and_then(|port| u16::try_from(port).ok());
        let rport = rport.map(to_port);
        via = Self { branch, received, rport, ..via };
        Ok(via)
    }

    /// [`Via::parse`] of a copy.
    ///
    /// # Errors
    /// As [`Via::parse`].
    pub fn parse_slice(value: &[u8]) -> Result<Self, ParseError> {
        Self::parse(Bytes::copy_from_slice(value))
    }

    /// True if the branch is one of RFC 3261 and thus unique; else RFC 2543 matching applies.
    ///
    /// The bare cookie with nothing after it is not unique (RFC 4475 §3.2.1).
    pub fn has_magic_branch(&self) -> bool {
        const COOKIE: &[u8] = b"z9hG4bK";
        self.branch.as_ref().is_some_and(|branch| {
            branch.len() > COOKIE.len()
                && branch
                    .get(..COOKIE.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(COOKIE))
        })
    }

    /// What `Request::check` asks beyond [`Via::parse`].
    pub(crate) fn is_well_formed(&self) -> bool {
        self.params.is_well_formed()
            && (self.branch.is_some() || !self.params.has(b"branch"))
            && self.branch.as_ref().is_none_or(|branch| branch.len() <= BRANCH_BYTES_MAX)
    }
}

impl fmt::Display for ViaTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.as_bytes()))
    }
}

/// A port with white space round its colon, as the grammar of Via allows.
fn parse_spaced_port(text: &[u8]) -> Option<Option<u16>> {
    let text = text::trim(text);
    let Some((b':', digits)) = text.split_first() else {
        return text.is_empty().then_some(None);
    };
    let port = text::decimal(text::trim(digits)).and_then(|port| u16::try_from(port).ok())?;
    (port != 0).then_some(Some(port))
}
