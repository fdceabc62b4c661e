//! Writing messages (RFC 3261 §7). Each is written once; its bytes are kept for retransmission.

use std::borrow::Cow;
use std::net::SocketAddr;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::header::{HeaderName, NameAddr, Via};
use crate::headers::Headers;
use crate::message::{Request, Response};
use crate::scan::{Entry, Span};
use crate::{Method, StatusCode, text};

/// A message being written, header by header in the order of the calls.
///
/// Nothing given to it can break out of its place: line ends and NULs in values become spaces, and
/// what cannot be a name is left out with its value. Content-Length is always written, last.
#[derive(Debug, Clone)]
pub struct MessageBuilder {
    start: Start,
    bytes: Vec<u8>,
    entries: SmallVec<[Entry; 24]>,
    body: Bytes,
}

#[derive(Debug, Clone)]
enum Start {
    Request { method: Method, uri: Span },
    Response { status: StatusCode, reason: Span },
}

/// Begins the answer to `request` (RFC 3261 §8.2.6): Via, From, To, Call-ID and CSeq as they came.
///
/// `source` is where the request came from: the top Via then gets `received` and `rport` as
/// [`via_with_received`] says; `None` leaves it alone. The To tag is added by
/// [`MessageBuilder::to_tag`].
pub fn response_to(
    request: &Request,
    source: Option<SocketAddr>,
    status: StatusCode,
    reason: Option<&str>,
) -> MessageBuilder {
    let mut builder = Response::builder(status, reason);
    builder.bytes.reserve(request.bytes().len().min(1024));
    let mut vias = request.entries(HeaderName::Via);
    if let (Some(source), Some(entry)) = (source, vias.next()) {
        let field = text::unfold(entry.value.of(request.bytes()));
        let top_len = text::find_separator(&field, b',', true).unwrap_or(field.len());
        let (top, rest) = field.split_at_checked(top_len).unwrap_or((&field, &[]));
        let mut value = with_received(top, source);
        value.extend_from_slice(rest);
        builder = builder.header(HeaderName::Via, value);
    } else {
        vias = request.entries(HeaderName::Via);
    }
    for entry in vias {
        builder.push_field(entry.raw_name.of(request.bytes()), entry.value.of(request.bytes()));
    }
    for name in [HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq] {
        // Only the first, should they be doubled: an answer of ours is well formed.
        if let Some(entry) = request.entries(name).next() {
            builder.push_field(entry.raw_name.of(request.bytes()), entry.value.of(request.bytes()));
        }
    }
    builder
}

/// The Via as the receiver passes it on (RFC 3261 §18.2.1, RFC 3581 §4).
///
/// With `rport` asked for, both `received` and `rport` are filled in; without, `received` is added
/// unless the sent-by host is the address of `source`. A `received` from the peer is dropped.
/// Malformed parameters are left as they are.
pub fn via_with_received(via: &Via, source: SocketAddr) -> Vec<u8> {
    let mut value = format!("SIP/2.0/{} {}", via.transport, via.host).into_bytes();
    if let Some(port) = via.port {
        value.extend_from_slice(format!(":{port}").as_bytes());
    }
    value.extend_from_slice(via.params.as_bytes());
    with_received(&value, source)
}

/// The same over a value as written.
fn with_received(top: &[u8], source: SocketAddr) -> Vec<u8> {
    let top = text::trim(top);
    // Added to damaged parameters, ours might end up within a quote that never closes.
    let Some(via) = Via::parse_slice(top).ok().filter(Via::is_well_formed) else {
        return top.to_vec();
    };
    let ip = source.ip().to_canonical();
    let is_same = via.host.to_ip() == Some(ip);
    if is_same && via.rport.is_none() && !via.params.has(b"received") {
        return top.to_vec();
    }
    let params_at = text::find_separator(top, b';', false).unwrap_or(top.len());
    let mut value = top.get(..params_at).unwrap_or(top).trim_ascii_end().to_vec();
    for (name, raw) in via.params.pairs() {
        if name.eq_ignore_ascii_case(b"received") {
            continue;
        }
        value.push(b';');
        value.extend_from_slice(name);
        if name.eq_ignore_ascii_case(b"rport") {
            value.extend_from_slice(format!("={}", source.port()).as_bytes());
        } else if let Some(raw) = raw {
            value.push(b'=');
            value.extend_from_slice(raw);
        }
    }
    if !is_same || via.rport.is_some() {
        // Without brackets, as the grammar of RFC 3261 has it.
        value.extend_from_slice(format!(";received={ip}").as_bytes());
    }
    value
}

impl MessageBuilder {
    pub(crate) fn request(method: Method, uri: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(512);
        let method = match method {
            Method::Other(name) if !text::is_token(name.as_bytes()) => {
                debug_assert!(false, "not a method: {name:?}");
                let kept =
                    name.chars().filter(|char| u8::try_from(*char).is_ok_and(text::is_token_byte));
                Method::Other(kept.collect())
            }
            Method::Invite
            | Method::Ack
            | Method::Bye
            | Method::Cancel
            | Method::Register
            | Method::Options
            | Method::Prack
            | Method::Subscribe
            | Method::Notify
            | Method::Update
            | Method::Message
            | Method::Refer
            | Method::Publish
            | Method::Info
            | Method::Other(_) => method,
        };
        bytes.extend_from_slice(method.as_bytes());
        bytes.push(b' ');
        let uri_at = bytes.len();
        bytes.extend(uri.iter().copied().filter(|&byte| byte > b' ' && byte != 0x7f));
        let uri = Span::new(uri_at, bytes.len());
        bytes.extend_from_slice(b" SIP/2.0\r\n");
        Self {
            start: Start::Request { method, uri },
            bytes,
            entries: SmallVec::new(),
            body: Bytes::new(),
        }
    }

    pub(crate) fn response(status: StatusCode, reason: Option<&str>) -> Self {
        let mut bytes = Vec::with_capacity(512);
        bytes.extend_from_slice(format!("SIP/2.0 {status} ").as_bytes());
        let reason_at = bytes.len();
        bytes.extend_from_slice(&clean(reason.unwrap_or(status.default_reason()).as_bytes()));
        let reason = Span::new(reason_at, bytes.len());
        bytes.extend_from_slice(b"\r\n");
        Self {
            start: Start::Response { status, reason },
            bytes,
            entries: SmallVec::new(),
            body: Bytes::new(),
        }
    }

    /// Appends a field. Content-Length is passed over, being ours to write.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: impl AsRef<[u8]>) -> Self {
        self.push_field(name.as_str().as_bytes(), value.as_ref());
        self
    }

    /// Appends a field of any name; one that is no token is left out.
    #[must_use]
    pub fn header_named(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.push_field(name.as_ref(), value.as_ref());
        self
    }

    /// Appends all fields of this name that `message` has: names and values byte for byte and in
    /// order, but for folds, which become single spaces.
    #[must_use]
    pub fn copy(mut self, message: &Headers, name: HeaderName) -> Self {
        for entry in message.entries(name) {
            let bytes = message.bytes();
            self.push_field(entry.raw_name.of(bytes), entry.value.of(bytes));
        }
        self
    }

    /// Sets the body; its type is written just before Content-Length, unless empty.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl AsRef<[u8]>) -> Self {
        if !content_type.is_empty() {
            self.push_field(b"Content-Type", content_type.as_bytes());
        }
        self.body = Bytes::copy_from_slice(body.as_ref());
        self
    }

    /// Adds this tag to the To field already written, if it has none (RFC 3261 §8.2.6.2).
    #[must_use]
    pub fn to_tag(mut self, tag: &[u8]) -> Self {
        let Some(position) = self.entries.iter().position(|entry| entry.name == HeaderName::To)
        else {
            return self;
        };
        let Some(to) = self.entries.get_mut(position) else { return self };
        let value = to.value.of(&self.bytes);
        // A To that cannot be read gets a tag all the same: its sender wants one.
        let has_tag = NameAddr::parse_slice(value).is_ok_and(|to| to.tag().is_some());
        if has_tag || !text::is_token(tag) {
            return self;
        }
        let at = to.value.end;
        let mut added = b";tag=".to_vec();
        added.extend_from_slice(tag);
        let by = u32::try_from(added.len()).unwrap_or(u32::MAX);
        to.value.end += by;
        for entry in self.entries.iter_mut().skip(position + 1) {
            entry.raw_name = entry.raw_name.moved(by);
            entry.value = entry.value.moved(by);
        }
        self.bytes.splice(at as usize..at as usize, added);
        self
    }

    /// Ends a request begun by [`Request::builder`].
    pub fn finish_request(self) -> Request {
        let (start, headers) = self.finish();
        match start {
            Start::Request { method, uri } => Request::from_parts(headers, method, uri),
            Start::Response { .. } => {
                debug_assert!(false, "a response was finished as a request");
                Request::from_parts(headers, Method::Other("".into()), Span::default())
            }
        }
    }

    /// Ends a response begun by [`Response::builder`] or [`response_to`].
    pub fn finish_response(self) -> Response {
        let (start, headers) = self.finish();
        match start {
            Start::Response { status, reason } => Response::from_parts(headers, status, reason),
            Start::Request { .. } => {
                debug_assert!(false, "a request was finished as a response");
                let status = StatusCode::SERVER_INTERNAL_ERROR;
                Response::from_parts(headers, status, Span::default())
            }
        }
    }

    fn finish(mut self) -> (Start, Headers) {
        let length = self.body.len().to_string();
        self.write_field(b"Content-Length", HeaderName::ContentLength, length.as_bytes());
        self.bytes.extend_from_slice(b"\r\n");
        let body_at = self.bytes.len();
        self.bytes.extend_from_slice(&self.body);
        let headers = Headers::new(Bytes::from(self.bytes), &self.entries, body_at, None);
        (self.start, headers)
    }

    fn push_field(&mut self, raw_name: &[u8], value: &[u8]) {
        let name = HeaderName::from_bytes(raw_name);
        if name == HeaderName::ContentLength || !text::is_token(raw_name) {
            return;
        }
        self.write_field(raw_name, name, value);
    }

    fn write_field(&mut self, raw_name: &[u8], name: HeaderName, value: &[u8]) {
        let name_at = self.bytes.len();
        self.bytes.extend_from_slice(raw_name);
        let name_end = self.bytes.len();
        self.bytes.extend_from_slice(b": ");
        let value_at = self.bytes.len();
        self.bytes.extend_from_slice(&clean(value));
        self.entries.push(Entry {
            name,
            raw_name: Span::new(name_at, name_end),
            value: Span::new(value_at, self.bytes.len()),
        });
        self.bytes.extend_from_slice(b"\r\n");
    }
}

/// The text without line ends and white space around, and without NULs but those a backslash
/// escapes.
fn clean(value: &[u8]) -> Cow<'_, [u8]> {
    let value = match text::unfold(text::trim(value)) {
        Cow::Borrowed(value) if memchr::memchr(0, value).is_none() => return Cow::Borrowed(value),
        Cow::Borrowed(value) => value.to_vec(),
        Cow::Owned(value) => value,
    };
    let mut before = b' ';
    let without_nuls: Vec<u8> = value
        .into_iter()
        .map(|byte| {
            let kept = if byte == 0 && before != b'\\' { b' ' } else { byte };
            before = byte;
            kept
        })
        .collect();
    Cow::Owned(text::trim(&without_nuls).to_vec())
}

#[cfg(test)]
mod tests;
