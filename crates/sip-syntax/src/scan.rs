//! Finding the start line and the header fields in a buffer (RFC 3261 §7), in one pass and without
//! reading values. Shared by messages and stream framing, so that both see the same Content-Length.

use smallvec::SmallVec;

use crate::error::{Flaw, ParseError};
use crate::header::HeaderName;
use crate::limits::{FIELDS_MAX, LINE_BYTES_MAX, METHOD_BYTES_MAX, URI_BYTES_MAX};
use crate::{StatusCode, text};

/// A stretch of the buffer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        // Buffers of 4 GiB are refused long before.
        let fit = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: fit(start), end: fit(end) }
    }

    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    pub(crate) fn moved(self, by: u32) -> Self {
        Self { start: self.start + by, end: self.end + by }
    }
}

/// One header field: where its name is, and its value without white space around.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) name: HeaderName,
    pub(crate) raw_name: Span,
    pub(crate) value: Span,
}

/// The first line of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StartLine {
    Request { method: Span, uri: Span },
    Response { status: StatusCode, reason: Span },
}

/// All header fields of a message.
#[derive(Debug)]
pub(crate) struct Fields {
    pub(crate) entries: SmallVec<[Entry; 24]>,
    /// Where the body begins; the end of the buffer if the headers do not end.
    pub(crate) body_at: usize,
    pub(crate) content_length: ContentLength,
    /// The first thing wrong, if any.
    pub(crate) flaw: Option<ParseError>,
}

/// What the header fields say of the body's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContentLength {
    Missing,
    Bytes(u64),
    /// Given twice, or no decimal number of 64 bits.
    Bad(Flaw),
}

/// Reads the start line at `at`, and says where the next line begins.
///
/// A flaw beside it leaves the message answerable; an error does not. Without a line end the whole
/// rest is the line.
pub(crate) fn start_line(
    bytes: &[u8],
    at: usize,
) -> Result<(StartLine, usize, Option<ParseError>), ParseError> {
    let rest = bytes.get(at..).unwrap_or_default();
    let not_sip = ParseError::new(Flaw::NotSip, at);
    let line_len = memchr::memchr(b'\n', rest);
    let next = line_len.map_or(bytes.len(), |len| at + len + 1);
    let line = rest.get(..line_len.unwrap_or(rest.len())).unwrap_or(rest);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let stray = memchr::memchr2(b'\r', 0, line);
    let mut flaw = stray.map(|stray| ParseError::new(Flaw::StartLine, at + stray));
    let end = at + line.len();
    if line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/")) {
        let (version, rest) = split_once(line, b' ').ok_or(not_sip)?;
        if line.len() > LINE_BYTES_MAX {
            flaw = Some(ParseError::new(Flaw::TooLarge, at + LINE_BYTES_MAX));
        }
        let rest_at = at + version.len() + 1;
        if !version.eq_ignore_ascii_case(b"SIP/2.0") {
            flaw = flaw.or(Some(ParseError::new(Flaw::Version, at)));
        }
        // The reason phrase may be empty, and the space before it forgotten.
        let (code, reason_at) = match split_once(rest, b' ') {
            Some((code, _)) => (code, rest_at + code.len() + 1),
            None => (rest, end),
        };
        let status = Some(code)
            .filter(|code| code.len() == 3)
            .and_then(text::decimal)
            .and_then(|code| StatusCode::new(u16::try_from(code).ok()?))
            .ok_or(ParseError::new(Flaw::StatusCode, rest_at))?;
        let reason = Span::new(reason_at, end);
        return Ok((StartLine::Response { status, reason }, next, flaw));
    }
    let (method, rest) = split_once(line, b' ').ok_or(not_sip)?;
    if !text::is_token(method) || method.len() > METHOD_BYTES_MAX {
        return Err(not_sip);
    }
    let trimmed = rest.trim_ascii_end();
    let uri_len = memchr::memrchr(b' ', trimmed).ok_or(not_sip)?;
    let (uri, version) = trimmed.split_at_checked(uri_len).ok_or(not_sip)?;
    let version = version.strip_prefix(b" ").unwrap_or(version);
    if !version.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/")) {
        return Err(not_sip);
    }
    let uri_at = at + method.len() + 1;
    if uri.len() > URI_BYTES_MAX {
        flaw = Some(ParseError::new(Flaw::UriTooLong, uri_at + URI_BYTES_MAX));
    } else if line.len() > LINE_BYTES_MAX {
        flaw = Some(ParseError::new(Flaw::TooLarge, at + LINE_BYTES_MAX));
    }
    if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        flaw = flaw.or(Some(ParseError::new(Flaw::Version, uri_at + uri_len + 1)));
    }
    if trimmed.len() < rest.len() || uri.iter().any(|&byte| text::is_space(byte)) || uri.is_empty()
    {
        flaw = flaw.or(Some(ParseError::new(Flaw::StartLine, uri_at)));
    }
    let start = StartLine::Request {
        method: Span::new(at, at + method.len()),
        uri: Span::new(uri_at, uri_at + uri_len),
    };
    Ok((start, next, flaw))
}

/// Indexes the header fields from `start` to the empty line.
///
/// Lines end in CR LF or in LF alone. A line that begins with white space continues the one before
/// it. What is not a field is passed over and noted as the flaw.
pub(crate) fn fields(bytes: &[u8], start: usize) -> Fields {
    let mut fields = Fields {
        entries: SmallVec::new(),
        body_at: bytes.len(),
        content_length: ContentLength::Missing,
        flaw: None,
    };
    let mut at = start;
    let mut last_at = start;
    // Whether the latest line was a field, which the next may continue.
    let mut continuable = false;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(Line { line, line_len, has_stray }) = next_line(rest) else {
            fields.note(Flaw::Truncated, bytes.len());
            break;
        };
        if line.is_empty() {
            fields.body_at = at + line_len;
            break;
        }
        if has_stray {
            fields.note(Flaw::HeaderLine, at);
        }
        if matches!(line.first(), Some(b' ' | b'\t')) {
            let content = text::trim(line);
            if let Some(last) = fields.entries.last_mut().filter(|_| continuable) {
                if !content.is_empty() {
                    let lead = line.iter().position(|&byte| !text::is_space(byte)).unwrap_or(0);
                    let begin = at + lead;
                    if last.value.start == last.value.end {
                        last.value = Span::new(begin, begin + content.len());
                    } else {
                        last.value.end = Span::new(0, begin + content.len()).end;
                    }
                }
            } else if fields.entries.len() < FIELDS_MAX {
                fields.note(Flaw::HeaderLine, at);
            }
        } else {
            last_at = at;
            continuable = fields.add(line, at);
        }
        at += line_len;
        if at - last_at > LINE_BYTES_MAX {
            fields.note(Flaw::TooLarge, at);
        }
    }
    fields.find_content_length(bytes);
    fields
}

impl Fields {
    /// Indexes one line that is no continuation; false if it is no field.
    fn add(&mut self, line: &[u8], at: usize) -> bool {
        let name_len = line.iter().position(|&byte| !text::is_token_byte(byte));
        let name_len = name_len.unwrap_or(line.len());
        let after = line.get(name_len..).unwrap_or_default();
        let gap = after.iter().position(|&byte| byte != b' ' && byte != b'\t').unwrap_or(0);
        if name_len == 0 || after.get(gap) != Some(&b':') {
            self.note(Flaw::HeaderLine, at);
            return false;
        }
        if self.entries.len() == FIELDS_MAX {
            self.note(Flaw::TooLarge, at);
            return false;
        }
        let raw_name = line.get(..name_len).unwrap_or_default();
        let value = after.get(gap + 1..).unwrap_or_default();
        let lead = value.iter().position(|&byte| byte != b' ' && byte != b'\t');
        let begin = at + name_len + gap + 1 + lead.unwrap_or(value.len());
        let trimmed = text::trim(value);
        self.entries.push(Entry {
            name: HeaderName::from_bytes(raw_name),
            raw_name: Span::new(at, at + name_len),
            value: Span::new(begin, begin + trimmed.len()),
        });
        true
    }

    /// Keeps the first flaw.
    fn note(&mut self, flaw: Flaw, offset: usize) {
        if self.flaw.is_none() {
            self.flaw = Some(ParseError::new(flaw, offset));
        }
    }

    fn find_content_length(&mut self, bytes: &[u8]) {
        for entry in self.entries.iter().filter(|entry| entry.name == HeaderName::ContentLength) {
            self.content_length = match self.content_length {
                ContentLength::Missing => text::decimal(entry.value.of(bytes)).map_or(
                    ContentLength::Bad(Flaw::Header("Content-Length")),
                    ContentLength::Bytes,
                ),
                ContentLength::Bytes(_) | ContentLength::Bad(_) => {
                    ContentLength::Bad(Flaw::Repeated("Content-Length"))
                }
            };
        }
    }
}

/// One line of the headers.
struct Line<'a> {
    /// Without its end.
    line: &'a [u8],
    /// With its end.
    line_len: usize,
    /// It holds a CR, which some take for the end of a line, or a NUL, at which some stop reading.
    /// An escaped NUL is legal in quoted strings (RFC 4475 §3.1.1.2).
    has_stray: bool,
}

/// The line that `rest` begins with; `None` if it has no end.
fn next_line(rest: &[u8]) -> Option<Line<'_>> {
    let mut has_stray = false;
    for at in memchr::memchr3_iter(b'\r', b'\n', 0, rest) {
        let before = at.checked_sub(1).and_then(|before| rest.get(before));
        match (rest.get(at), rest.get(at + 1)) {
            (Some(b'\n'), _) => {
                let line = rest.get(..at)?;
                return Some(Line { line, line_len: at + 1, has_stray });
            }
            (Some(b'\r'), Some(b'\n')) => {
                let line = rest.get(..at)?;
                return Some(Line { line, line_len: at + 2, has_stray });
            }
            (Some(b'\r'), _) => has_stray = true,
            (Some(_) | None, _) => has_stray |= before != Some(&b'\\'),
        }
    }
    None
}

fn split_once(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(separator, text)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}
