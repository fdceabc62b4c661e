//! The characters and small notations SIP is built of (RFC 3261 §25.1), over bytes.

use std::borrow::Cow;

use bytes::Bytes;

/// Writes `text` as a quoted-string: quotes and backslashes escaped, control characters as spaces.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(char);
            }
            _ if char.is_ascii_control() => quoted.push(' '),
            _ => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

/// Writes `user` so that it can stand before the `@` of a SIP URI (RFC 3261 §25.1 `user`).
pub fn escape_user(user: impl AsRef<[u8]>) -> String {
    let user = user.as_ref();
    let mut escaped = String::with_capacity(user.len());
    for &byte in user {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(digit), 16).unwrap_or('0');
                escaped.push(digit.to_ascii_uppercase());
            }
        }
    }
    escaped
}

/// Undoes `%HH` escapes; a `%` that begins none stays.
pub fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'%', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%'
            && let Some((&[high, low], after)) = rest.split_first_chunk::<2>()
            && let (Some(high), Some(low)) = (hex(high), hex(low))
        {
            plain.push(high << 4 | low);
            rest = after;
        } else {
            plain.push(byte);
        }
    }
    Cow::Owned(plain)
}

/// True if every `%` begins an escape.
pub(crate) fn escapes_are_whole(text: &[u8]) -> bool {
    memchr::memchr_iter(b'%', text).all(|at| {
        text.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// A character of `token`.
pub(crate) fn is_token_byte(byte: u8) -> bool {
    TOKEN.get(usize::from(byte)).copied().unwrap_or(false)
}

/// A non-empty `token`.
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().copied().all(is_token_byte)
}

/// Space, tab and, since values may be folded, line ends.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Without white space at both ends.
pub(crate) fn trim(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_space(*first)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && is_space(*last)
    {
        text = rest;
    }
    text
}

/// Like [`trim`], sharing the buffer.
pub(crate) fn trim_bytes(text: &Bytes) -> Bytes {
    text.slice_ref(trim(text))
}

/// Replaces each fold (a line end and the white space around it) by one space, and a bare CR, too.
pub(crate) fn unfold(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'\r', b'\n', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut unfolded: Vec<u8> = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr2(b'\r', b'\n', rest) {
        let (line, after) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        unfolded.extend_from_slice(line);
        while unfolded.last().is_some_and(|&byte| is_space(byte)) {
            unfolded.pop();
        }
        unfolded.push(b' ');
        rest = after;
        while let [first, tail @ ..] = rest
            && is_space(*first)
        {
            rest = tail;
        }
    }
    unfolded.extend_from_slice(rest);
    Cow::Owned(unfolded)
}

/// Like [`unfold`], sharing the buffer where nothing is folded.
pub(crate) fn unfold_bytes(text: Bytes) -> Bytes {
    match unfold(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(unfolded) => Bytes::from(unfolded),
    }
}

/// Where `text` has the first `separator` outside quoted strings and, if `angles`, outside `<>`.
///
/// A quote or angle bracket that is never closed reaches to the end.
pub(crate) fn find_separator(text: &[u8], separator: u8, angles: bool) -> Option<usize> {
    // Most values have nothing quoted before the separator.
    let opening = if angles { b'<' } else { b'"' };
    let start = memchr::memchr3(separator, b'"', opening, text)?;
    if text.get(start) == Some(&separator) {
        return Some(start);
    }
    let mut quoted = false;
    let mut escaped = false;
    let mut in_angles = false;
    for (at, &byte) in text.iter().enumerate().skip(start) {
        if escaped {
            escaped = false;
        } else if quoted {
            match byte {
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
        } else if in_angles {
            in_angles = byte != b'>';
        } else if byte == separator {
            return Some(at);
        } else if byte == b'"' {
            quoted = true;
        } else if byte == b'<' && angles {
            in_angles = true;
        }
    }
    None
}

/// Splits at `separator` as [`find_separator`] finds it; trims the pieces; keeps empty ones.
pub(crate) fn split(text: &[u8], separator: u8, angles: bool) -> Split<'_> {
    Split { rest: Some(text), separator, angles }
}

/// See [`split`].
#[derive(Debug, Clone)]
pub(crate) struct Split<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
    angles: bool,
}

impl<'a> Iterator for Split<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let piece = match find_separator(rest, self.separator, self.angles) {
            Some(at) => {
                self.rest = rest.get(at + 1..);
                rest.get(..at).unwrap_or(rest)
            }
            None => {
                self.rest = None;
                rest
            }
        };
        Some(trim(piece))
    }
}

/// What a quoted string says; anything else is given back as it is.
pub(crate) fn unquote(text: &[u8]) -> Cow<'_, [u8]> {
    let [b'"', inner @ .., b'"'] = text else {
        return Cow::Borrowed(text);
    };
    if memchr::memchr(b'\\', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut plain = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().copied();
    while let Some(byte) = bytes.next() {
        plain.push(if byte == b'\\' { bytes.next().unwrap_or(byte) } else { byte });
    }
    Cow::Owned(plain)
}

/// Bytes of the quoted string `text` begins with, quotes included; `None` if it does not end.
pub(crate) fn quoted_len(text: &[u8]) -> Option<usize> {
    let mut escaped = false;
    for (at, &byte) in text.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// A whole decimal number; `None` if empty, not all digits, or over `u64`.
pub(crate) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |total, &digit| {
        if !digit.is_ascii_digit() {
            return None;
        }
        total.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })
}

/// Seconds, as in Expires: more than 32 bits counts as the most there can be; `None` if no number.
pub(crate) fn delta_seconds(text: &[u8]) -> Option<u32> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(decimal(text).and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(u32::MAX))
}

const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::indexing_slicing, reason = "runs at compile time, within bounds")]
        {
            table[byte] = matches!(
                byte as u8,
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9'
                | b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~'
            );
        }
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_unquoted() {
        for text in ["", "plain", "a \"b\" \\ c", "สมชาย 😀"] {
            assert_eq!(unquote(quote(text).as_bytes()), text.as_bytes());
        }
        assert_eq!(quote("a\r\nb\0"), "\"a  b \"");
        assert_eq!(unquote(b"not \"quoted\""), &b"not \"quoted\""[..]);
        assert_eq!(unquote(b"\""), &b"\""[..]);
    }

    #[test]
    fn what_is_escaped_is_unescaped() {
        for text in ["", "201", "*97#", "a@b:c d%41", "สมชาย"] {
            let escaped = escape_user(text);
            assert_eq!(unescape(escaped.as_bytes()), text.as_bytes());
            let uri = format!("sip:{escaped}@h");
            if !text.is_empty() {
                assert_eq!(crate::Uri::parse(uri).unwrap().user().unwrap(), text);
            }
        }
        assert_eq!(escape_user("a@\n"), "a%40%0A");
        assert_eq!(unescape(b"%4%zz%"), &b"%4%zz%"[..]);
    }

    #[test]
    fn folds_become_one_space() {
        assert_eq!(unfold(b"a \r\n\t b\n c\rd"), &b"a b c d"[..]);
        assert!(matches!(unfold(b"a b"), Cow::Borrowed(_)));
    }

    #[test]
    fn numbers_have_only_digits_and_64_bits() {
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        for text in ["", "18446744073709551616", "-1", "+1", " 1", "1a", "\u{661}"] {
            assert_eq!(decimal(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn separators_in_quotes_and_brackets_part_nothing() {
        let split = |text| split(text, b',', true).collect::<Vec<_>>();
        assert_eq!(split(b" a , \"b,\\\",c\" <d,e>,"), [&b"a"[..], b"\"b,\\\",c\" <d,e>", b""]);
        assert_eq!(split(b"\"a, b"), [&b"\"a, b"[..]]);
        assert_eq!(split(b"<a, b"), [&b"<a, b"[..]]);
    }
}
