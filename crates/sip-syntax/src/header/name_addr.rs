//! A URI with a display name and parameters: From, To, Contact, Route, Record-Route, Refer-To and
//! their like (RFC 3261 §20.10, §20.20, §20.34, §20.39).

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use crate::error::{Flaw, ParseError};
use crate::limits::TAG_BYTES_MAX;
use crate::{Params, Uri, text};

/// One value of such a header. Prints as written.
#[derive(Clone, PartialEq, Eq)]
pub struct NameAddr {
    raw: Bytes,
    /// As written, quotes included; empty if there is none.
    display: Bytes,
    /// The address.
    pub uri: Uri,
    /// The parameters of the header, such as `tag`; those of the URI are in the URI.
    pub params: Params,
}

/// One value of Contact.
#[expect(clippy::large_enum_variant, reason = "`*` is rare and short-lived")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactValue {
    /// `*`: all bindings (RFC 3261 §10.2.2).
    Star,
    /// An address.
    Addr(NameAddr),
}

impl NameAddr {
    /// Reads one whole value, with angle brackets or without.
    ///
    /// Without, all parameters are the header's, and the URI may hold no `?` or comma
    /// (RFC 3261 §20.10).
    ///
    /// # Errors
    /// [`Flaw::Header`], with an empty name, where the value breaks the grammar.
    pub fn parse(value: impl Into<Bytes>) -> Result<Self, ParseError> {
        let raw = text::trim_bytes(&text::unfold_bytes(value.into()));
        let bad = |offset| ParseError::new(Flaw::Header(""), offset);
        let (display_len, bracket) = if raw.first() == Some(&b'"') {
            let len = text::quoted_len(&raw).ok_or(bad(0))?;
            let rest = raw.get(len..).unwrap_or_default();
            let gap = rest.iter().position(|&byte| !text::is_space(byte)).unwrap_or(0);
            let at = len + gap;
            if raw.get(at) != Some(&b'<') {
                return Err(bad(len));
            }
            (len, Some(at))
        } else {
            let bracket = text::find_separator(&raw, b'<', false);
            (bracket.unwrap_or(0), bracket)
        };
        let display = text::trim(raw.get(..display_len).unwrap_or_default());
        if !is_display(display) {
            return Err(bad(0));
        }
        let display = raw.slice_ref(display);
        let (uri, params_at) = match bracket {
            Some(at) => {
                let len =
                    raw.get(at..).and_then(|rest| memchr::memchr(b'>', rest)).ok_or(bad(at))?;
                (raw.slice(at + 1..at + len), at + len + 1)
            }
            None => {
                let len = memchr::memchr(b';', &raw).unwrap_or(raw.len());
                let uri = text::trim(raw.get(..len).unwrap_or_default());
                if let Some(at) = memchr::memchr2(b'?', b',', uri) {
                    return Err(bad(at));
                }
                (raw.slice_ref(uri), len)
            }
        };
        let uri = Uri::parse(uri).map_err(|error| bad(error.offset))?;
        let params = Params::of_header(raw.slice(params_at..));
        if !params.is_well_formed() {
            return Err(bad(params_at));
        }
        let name_addr = Self { raw, display, uri, params };
        if name_addr.tag_raw().is_some_and(|tag| tag.is_empty() || tag.len() > TAG_BYTES_MAX) {
            return Err(bad(params_at));
        }
        Ok(name_addr)
    }

    /// [`NameAddr::parse`] of a copy.
    ///
    /// # Errors
    /// As [`NameAddr::parse`].
    pub fn parse_slice(value: &[u8]) -> Result<Self, ParseError> {
        Self::parse(Bytes::copy_from_slice(value))
    }

    /// As written, without folds.
    pub fn as_bytes(&self) -> &[u8] {
        &self.raw
    }

    /// The display name without quotes and escapes; empty if there is none.
    pub fn display_name(&self) -> Cow<'_, str> {
        match text::unquote(&self.display) {
            Cow::Borrowed(name) => String::from_utf8_lossy(name),
            Cow::Owned(name) => Cow::Owned(String::from_utf8_lossy(&name).into_owned()),
        }
    }

    /// The display name as written.
    pub fn display_bytes(&self) -> &[u8] {
        &self.display
    }

    /// The `tag` parameter, which tells dialogs apart. Never empty.
    pub fn tag(&self) -> Option<&[u8]> {
        self.tag_raw()
    }

    /// The tag in a buffer of its own lifetime.
    pub fn tag_bytes(&self) -> Option<Bytes> {
        self.params.get_raw(b"tag")
    }

    fn tag_raw(&self) -> Option<&[u8]> {
        let mut pairs = self.params.pairs();
        pairs
            .find(|(name, _)| name.eq_ignore_ascii_case(b"tag"))
            .map(|(_, value)| value.unwrap_or_default())
    }

    /// The `q` parameter in thousandths, 0 to 1000; `None` if missing or malformed.
    pub fn q(&self) -> Option<u16> {
        let q = self.params.get(b"q")?;
        let (whole, decimals) = match memchr::memchr(b'.', &q) {
            Some(at) => (q.get(..at)?, q.get(at + 1..)?),
            None => (&q[..], &b""[..]),
        };
        if decimals.len() > 3 {
            return None;
        }
        let whole = match whole {
            b"0" | b"" => 0,
            b"1" => 1000,
            _ => return None,
        };
        let mut thousandths = 0;
        for at in 0..3 {
            let digit = decimals.get(at).copied().unwrap_or(b'0');
            if !digit.is_ascii_digit() {
                return None;
            }
            thousandths = thousandths * 10 + u16::from(digit - b'0');
        }
        Some(whole + thousandths).filter(|&q| q <= 1000)
    }

    /// The `expires` parameter in seconds; 3600 if malformed, as RFC 3261 §10.2.1.1 asks, and the
    /// most there can be if too large for 32 bits.
    pub fn expires(&self) -> Option<u32> {
        let seconds = self.params.get(b"expires")?;
        Some(text::delta_seconds(&seconds).unwrap_or(3600))
    }
}

impl ContactValue {
    /// Reads one whole value.
    ///
    /// # Errors
    /// As [`NameAddr::parse`].
    pub fn parse(value: impl Into<Bytes>) -> Result<Self, ParseError> {
        let value = value.into();
        if text::trim(&value) == b"*" {
            return Ok(Self::Star);
        }
        NameAddr::parse(value).map(Self::Addr)
    }

    /// The address; `None` for `*`.
    pub fn addr(&self) -> Option<&NameAddr> {
        match self {
            Self::Star => None,
            Self::Addr(addr) => Some(addr),
        }
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.raw))
    }
}

impl fmt::Debug for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A quoted string, or words. More than tokens is allowed, as many peers forget the quotes, but
/// nothing that could be taken for a second value or another part of this one.
fn is_display(display: &[u8]) -> bool {
    display.first() == Some(&b'"')
        || !display
            .iter()
            .any(|&byte| (byte < b' ' && byte != b'\t') || b"\",;<>\\\x7f".contains(&byte))
}
