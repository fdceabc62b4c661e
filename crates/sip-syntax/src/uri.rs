//! SIP, SIPS and tel URIs (RFC 3261 §19.1, RFC 3966), and room for all others.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use crate::error::{Flaw, ParseError};
use crate::host::{self, Host};
use crate::limits::URI_BYTES_MAX;
use crate::params::Params;
use crate::text;

/// A URI over the buffer it was read from; cheap to clone. Prints and compares as written.
#[derive(Clone)]
pub struct Uri {
    raw: Bytes,
    scheme: Scheme,
    /// The user of SIP, the number of tel, all there is of other schemes.
    user: Option<Piece>,
    password: Option<Piece>,
    host: Host,
    port: Option<u16>,
    params: Params,
    /// What follows `?`.
    headers: Option<Piece>,
}

/// A stretch of [`Uri::raw`].
#[derive(Debug, Clone, Copy)]
struct Piece {
    start: u16,
    end: u16,
}

impl Piece {
    fn new(start: usize, end: usize) -> Self {
        // URI_BYTES_MAX fits.
        let fit = |at| u16::try_from(at).unwrap_or(u16::MAX);
        Self { start: fit(start), end: fit(end) }
    }
}

/// What a URI begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`, TLS at every hop.
    Sips,
    /// `tel:`, a telephone number.
    Tel,
    /// Any other; nothing is known of the rest.
    Other,
}

impl Uri {
    /// Reads a whole URI, without white space or angle brackets around it.
    ///
    /// # Errors
    /// [`Flaw::UriTooLong`], or [`Flaw::Uri`] if it is none. An unknown scheme is no error.
    pub fn parse(uri: impl Into<Bytes>) -> Result<Self, ParseError> {
        let raw = uri.into();
        if raw.len() > URI_BYTES_MAX {
            return Err(ParseError::new(Flaw::UriTooLong, URI_BYTES_MAX));
        }
        let bad = |offset| ParseError::new(Flaw::Uri, offset);
        if let Some(at) = raw.iter().position(|&byte| byte <= b' ' || b"\"<>\x7f".contains(&byte)) {
            return Err(bad(at));
        }
        let colon = memchr::memchr(b':', &raw).ok_or(bad(0))?;
        let scheme = raw.get(..colon).and_then(parse_scheme).ok_or(bad(0))?;
        let at = colon + 1;
        match scheme {
            Scheme::Sip | Scheme::Sips => Self::parse_sip(raw, scheme, at),
            Scheme::Tel => Self::parse_tel(raw, at),
            Scheme::Other => {
                Ok(Self { user: Some(Piece::new(at, raw.len())), ..Self::empty(raw, scheme) })
            }
        }
    }

    /// [`Uri::parse`] of a copy.
    ///
    /// # Errors
    /// As [`Uri::parse`].
    pub fn parse_slice(uri: &[u8]) -> Result<Self, ParseError> {
        Self::parse(Bytes::copy_from_slice(uri))
    }

    fn empty(raw: Bytes, scheme: Scheme) -> Self {
        Self {
            raw,
            scheme,
            user: None,
            password: None,
            host: Host::Name(Bytes::new()),
            port: None,
            params: Params::default(),
            headers: None,
        }
    }

    fn parse_sip(raw: Bytes, scheme: Scheme, start: usize) -> Result<Self, ParseError> {
        let bad = |offset| ParseError::new(Flaw::Uri, offset);
        let mut uri = Self::empty(raw.clone(), scheme);
        let mut at = start;
        // A user may hold `;`, `?` and `/`, so the `@` is looked for before them.
        let user_len = raw.get(at..).and_then(|rest| memchr::memchr(b'@', rest));
        if let Some(info_len) = user_len {
            let info = raw.get(at..at + info_len).unwrap_or_default();
            if !text::escapes_are_whole(info) {
                return Err(bad(at));
            }
            let user_len = memchr::memchr(b':', info);
            if user_len.unwrap_or(info_len) == 0 {
                return Err(bad(at));
            }
            uri.user = Some(Piece::new(at, at + user_len.unwrap_or(info_len)));
            uri.password = user_len.map(|len| Piece::new(at + len + 1, at + info_len));
            at += info_len + 1;
        }
        let rest = raw.get(at..).unwrap_or_default();
        let host_len = Host::span(rest);
        uri.host = Host::parse(&raw.slice(at..at + host_len)).ok_or(bad(at))?;
        at += host_len;
        let rest = raw.get(at..).unwrap_or_default();
        let port_len = memchr::memchr2(b';', b'?', rest).unwrap_or(rest.len());
        let (port, rest) = rest.split_at_checked(port_len).unwrap_or((rest, &[]));
        uri.port = host::parse_port(port).ok_or(bad(at))?;
        at += port_len;
        let params_len = memchr::memchr(b'?', rest).unwrap_or(rest.len());
        if params_len > 0 {
            uri.params = Params::of_uri(raw.slice(at..at + params_len));
            if !uri.params.is_well_formed() {
                return Err(bad(at));
            }
        }
        if let Some(headers) = rest.get(params_len + 1..) {
            if !are_headers(headers) {
                return Err(bad(at + params_len));
            }
            uri.headers = Some(Piece::new(at + params_len + 1, raw.len()));
        }
        Ok(uri)
    }

    fn parse_tel(raw: Bytes, start: usize) -> Result<Self, ParseError> {
        let bad = |offset| ParseError::new(Flaw::Uri, offset);
        let rest = raw.get(start..).unwrap_or_default();
        let number_len = memchr::memchr(b';', rest).unwrap_or(rest.len());
        let number = rest.get(..number_len).unwrap_or(rest);
        let is_digit = |byte: &u8| byte.is_ascii_hexdigit() || b"*#".contains(byte);
        let fits = |&byte: &u8| byte.is_ascii_hexdigit() || b"+-.()*#%".contains(&byte);
        if !number.iter().any(is_digit) || !number.iter().all(fits) {
            return Err(bad(start));
        }
        let params = Params::of_uri(raw.slice(start + number_len..));
        if !params.is_well_formed() {
            return Err(bad(start + number_len));
        }
        let user = Some(Piece::new(start, start + number_len));
        Ok(Self { user, params, ..Self::empty(raw, Scheme::Tel) })
    }

    /// As written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.raw
    }

    /// What it begins with.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The user, or the number of a tel URI, decoded; bytes that are not UTF-8 are replaced.
    pub fn user(&self) -> Option<String> {
        let user = self.user_bytes()?;
        Some(String::from_utf8_lossy(&text::unescape(user)).into_owned())
    }

    /// The user as written, escapes and all.
    pub fn user_bytes(&self) -> Option<&[u8]> {
        self.piece(self.user)
    }

    /// The password as written; never log it.
    pub fn password_bytes(&self) -> Option<&[u8]> {
        self.piece(self.password)
    }

    /// The host; an empty name unless the scheme is sip or sips.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port, if one is written.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// All parameters in order.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The decoded value of a parameter; empty if it has none, as in `;lr`.
    pub fn param(&self, name: &[u8]) -> Option<Cow<'_, [u8]>> {
        self.params.get(name)
    }

    /// True with `;lr`: a loose router (RFC 3261 §19.1.1).
    pub fn is_loose(&self) -> bool {
        self.params.has(b"lr")
    }

    /// Header names and values to put in a request made from this URI, decoded, in order.
    pub fn headers(&self) -> impl Iterator<Item = (Cow<'_, [u8]>, Cow<'_, [u8]>)> {
        self.raw_headers().map(|(name, value)| (text::unescape(name), text::unescape(value)))
    }

    /// True if anything follows a `?`.
    pub fn has_headers(&self) -> bool {
        self.headers.is_some()
    }

    fn piece(&self, piece: Option<Piece>) -> Option<&[u8]> {
        let Piece { start, end } = piece?;
        self.raw.get(usize::from(start)..usize::from(end))
    }

    fn raw_headers(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let headers = self.piece(self.headers).unwrap_or_default();
        headers.split(|&byte| byte == b'&').filter_map(|header| {
            let at = memchr::memchr(b'=', header)?;
            Some((header.get(..at)?, header.get(at + 1..)?))
        })
    }

    /// Whether both name the same resource by the rules of RFC 3261 §19.1.4.
    ///
    /// tel URIs compare by number without visual separators (RFC 3966 §4), others as written.
    pub fn same_as(&self, other: &Self) -> bool {
        if self.scheme != other.scheme {
            return false;
        }
        match self.scheme {
            Scheme::Other => {
                let (one, two) = (&self.raw, &other.raw);
                let split = |raw: &Bytes| memchr::memchr(b':', raw).unwrap_or(0);
                let (one_at, two_at) = (split(one), split(two));
                one.slice(..one_at).eq_ignore_ascii_case(&two.slice(..two_at))
                    && one.slice(one_at..) == two.slice(two_at..)
            }
            Scheme::Tel => {
                digits(self.user_bytes()).eq(digits(other.user_bytes())) && self.same_params(other)
            }
            Scheme::Sip | Scheme::Sips => {
                same_escaped(self.user_bytes(), other.user_bytes())
                    && same_escaped(self.password_bytes(), other.password_bytes())
                    && self.host == other.host
                    && self.port == other.port
                    && self.same_params(other)
                    && self.same_headers(other)
            }
        }
    }

    /// A parameter in both must match; these few must match even where only one URI has them.
    fn same_params(&self, other: &Self) -> bool {
        const ALWAYS: [&[u8]; 5] = [b"user", b"ttl", b"method", b"maddr", b"transport"];
        let same = |name: &[u8]| match (self.param(name), other.param(name)) {
            (Some(one), Some(two)) => one.eq_ignore_ascii_case(&two),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        ALWAYS.into_iter().all(same)
            && self.params.iter().all(|(name, _)| !other.params.has(&name) || same(&name))
    }

    fn same_headers(&self, other: &Self) -> bool {
        let within = |one: &Self, two: &Self| {
            one.headers().all(|(name, value)| {
                two.headers().any(|(other_name, other_value)| {
                    name.eq_ignore_ascii_case(&other_name) && value == other_value
                })
            })
        };
        within(self, other) && within(other, self)
    }
}

impl PartialEq for Uri {
    /// As written, byte for byte; see [`Uri::same_as`] for what the RFC calls equal.
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

impl Eq for Uri {}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.raw))
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn parse_scheme(name: &[u8]) -> Option<Scheme> {
    let (first, rest) = name.split_first()?;
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    if !first.is_ascii_alphabetic() || !rest.iter().all(fits) {
        return None;
    }
    Some(if name.eq_ignore_ascii_case(b"sip") {
        Scheme::Sip
    } else if name.eq_ignore_ascii_case(b"sips") {
        Scheme::Sips
    } else if name.eq_ignore_ascii_case(b"tel") {
        Scheme::Tel
    } else {
        Scheme::Other
    })
}

/// `name=value` joined by `&`, with what cannot be misread.
fn are_headers(headers: &[u8]) -> bool {
    !headers.is_empty()
        && !headers.contains(&b'@')
        && text::escapes_are_whole(headers)
        && headers
            .split(|&byte| byte == b'&')
            .all(|header| memchr::memchr(b'=', header).is_some_and(|name_len| name_len > 0))
}

fn same_escaped(one: Option<&[u8]>, two: Option<&[u8]>) -> bool {
    one.map(text::unescape) == two.map(text::unescape)
}

/// A telephone number without visual separators.
fn digits(number: Option<&[u8]>) -> impl Iterator<Item = u8> {
    let number = number.unwrap_or_default().iter();
    number.filter(|byte| !b"-.()".contains(byte)).map(u8::to_ascii_lowercase)
}

#[cfg(test)]
mod tests;
