//! Parameters: `;name=value` after a header value or within a URI (RFC 3261 §7.3.1, §19.1.1).

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::limits::PARAMS_MAX;
use crate::text;

/// Ordered parameters, kept as written and read when asked for.
///
/// Names compare without regard to case. Those of headers may have quoted values and are never
/// percent-decoded; those of URIs are never quoted, and escapes in them mean what they stand for.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params {
    /// From the first `;` on.
    raw: Bytes,
    notation: Notation,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Notation {
    #[default]
    Header,
    Uri,
}

impl Params {
    /// Those of a header value: empty, or beginning with `;`. Nothing is checked.
    pub(crate) fn of_header(raw: Bytes) -> Self {
        Self { raw, notation: Notation::Header }
    }

    /// Those of a URI.
    pub(crate) fn of_uri(raw: Bytes) -> Self {
        Self { raw, notation: Notation::Uri }
    }

    /// As written, from the first `;` on.
    pub fn as_bytes(&self) -> &[u8] {
        &self.raw
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.pairs().next().is_none()
    }

    /// True if there is a parameter of this name, with or without a value.
    pub fn has(&self, name: &[u8]) -> bool {
        self.pair(name).is_some()
    }

    /// The decoded value of the first parameter of this name; empty if it has none.
    pub fn get(&self, name: &[u8]) -> Option<Cow<'_, [u8]>> {
        self.pair(name).map(|value| match (value, self.notation) {
            (None, _) => Cow::Borrowed(&b""[..]),
            (Some(value), Notation::Header) => text::unquote(value),
            (Some(value), Notation::Uri) => text::unescape(value),
        })
    }

    /// The raw value of the first parameter of this name, sharing the buffer.
    pub(crate) fn get_raw(&self, name: &[u8]) -> Option<Bytes> {
        self.pair(name)
            .map(|value| value.map_or_else(Bytes::new, |value| self.raw.slice_ref(value)))
    }

    /// Names and decoded values in order; a value is `None` where there is no `=`.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, [u8]>, Option<Cow<'_, [u8]>>)> {
        let notation = self.notation;
        self.pairs().map(move |(name, value)| match notation {
            Notation::Header => (Cow::Borrowed(name), value.map(text::unquote)),
            Notation::Uri => (text::unescape(name), value.map(text::unescape)),
        })
    }

    /// Names and values as written, in order. Empty parameters are passed over.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        text::split(&self.raw, b';', false)
            .filter(|piece| !piece.is_empty())
            .take(PARAMS_MAX)
            .map(split_pair)
    }

    fn pair(&self, name: &[u8]) -> Option<Option<&[u8]>> {
        if self.raw.is_empty() {
            return None;
        }
        let notation = self.notation;
        self.pairs()
            .find(|(own, _)| match notation {
                Notation::Header => own.eq_ignore_ascii_case(name),
                Notation::Uri => text::unescape(own).eq_ignore_ascii_case(name),
            })
            .map(|(_, value)| value)
    }

    /// True if every parameter keeps to the grammar and there are at most [`PARAMS_MAX`].
    pub(crate) fn is_well_formed(&self) -> bool {
        if self.raw.is_empty() {
            return true;
        }
        let mut pieces = text::split(&self.raw, b';', false);
        // What stands before the first `;`.
        if pieces.next().is_some_and(|before| !before.is_empty()) {
            return false;
        }
        let mut seen: SmallVec<[&[u8]; 8]> = SmallVec::new();
        pieces.all(|piece| {
            let (name, value) = split_pair(piece);
            // A second of the same name would be read by some and not by others (RFC 3261 §7.3.1).
            // In URIs it is seen in practice, and harmless.
            let is_repeated = self.notation == Notation::Header
                && seen.iter().any(|other| other.eq_ignore_ascii_case(name));
            seen.push(name);
            seen.len() <= PARAMS_MAX
                && !is_repeated
                && match self.notation {
                    Notation::Header => text::is_token(name) && value.is_none_or(is_header_value),
                    Notation::Uri => {
                        !name.is_empty() && is_uri_part(name) && value.is_none_or(is_uri_part)
                    }
                }
        })
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.raw))
    }
}

fn split_pair(piece: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'=', piece) {
        Some(at) => (
            text::trim(piece.get(..at).unwrap_or_default()),
            Some(text::trim(piece.get(at + 1..).unwrap_or_default())),
        ),
        None => (piece, None),
    }
}

/// A token, a host or a quoted string; and since peers write more than tokens, anything else
/// that cannot be taken for something different.
fn is_header_value(value: &[u8]) -> bool {
    if value.first() == Some(&b'"') {
        return text::quoted_len(value) == Some(value.len());
    }
    !value.is_empty() && !value.iter().any(|&byte| byte <= b' ' || b"\"<>,;\x7f".contains(&byte))
}

fn is_uri_part(part: &[u8]) -> bool {
    !part.iter().any(|&byte| byte <= b' ' || b"\"<>@\x7f".contains(&byte))
        && text::escapes_are_whole(part)
}
