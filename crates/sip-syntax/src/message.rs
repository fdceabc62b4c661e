//! Requests and responses (RFC 3261 §7).

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;

use crate::build::MessageBuilder;
use crate::error::{Flaw, ParseError};
use crate::headers::Headers;
use crate::limits::MESSAGE_BYTES_MAX;
use crate::scan::{self, ContentLength, Fields, Span, StartLine};
use crate::{Class, Method, StatusCode, Uri, check, text};

/// A message as it came.
#[derive(Debug, Clone)]
pub enum Message {
    /// Asks for something.
    Request(Request),
    /// Answers a request.
    Response(Response),
}

/// A request: the bytes as they came and an index of them. Cloning copies neither.
#[derive(Clone)]
pub struct Request {
    headers: Headers,
    method: Method,
    uri: Span,
}

/// A response: the bytes as they came and an index of them. Cloning copies neither.
#[derive(Clone)]
pub struct Response {
    headers: Headers,
    status: StatusCode,
    reason: Span,
}

impl Message {
    /// Reads one message: a datagram, or what [`crate::Framer`] cut from a stream.
    ///
    /// Line ends before the start line are passed over. Without a Content-Length the body reaches
    /// to the end; what follows a body as long as announced is cut off. Requests that can be
    /// answered are let through whatever is wrong with them: [`Request::check`] says it. Responses
    /// cannot be answered, so they are checked here.
    ///
    /// # Errors
    /// When nothing can be answered: [`Flaw::Empty`], [`Flaw::NotSip`], [`Flaw::TooLarge`], no
    /// Via to answer to, and whatever is wrong with a response.
    pub fn parse(bytes: Bytes) -> Result<Self, ParseError> {
        let start = bytes.iter().position(|&byte| byte != b'\r' && byte != b'\n');
        let start = start.ok_or(ParseError::new(Flaw::Empty, 0))?;
        let bytes = if start == 0 { bytes } else { bytes.slice(start..) };
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(ParseError::new(Flaw::TooLarge, MESSAGE_BYTES_MAX));
        }
        let (line, fields_at, start_flaw) = scan::start_line(&bytes, 0)?;
        let fields = scan::fields(&bytes, fields_at);
        let headers = headers(bytes, &fields, start_flaw);
        match line {
            StartLine::Request { method, uri } => {
                let method = Method::from_bytes(method.of(headers.bytes()));
                let request = Request { headers, method, uri };
                request.top_via()?;
                Ok(Self::Request(request))
            }
            StartLine::Response { status, reason } => {
                let response = Response { headers, status, reason };
                check::response(&response)?;
                Ok(Self::Response(response))
            }
        }
    }

    /// The header fields and body of either.
    pub fn headers(&self) -> &Headers {
        match self {
            Self::Request(request) => request,
            Self::Response(response) => response,
        }
    }
}

/// Decides where the body ends, and puts index and bytes together.
fn headers(mut bytes: Bytes, fields: &Fields, start_flaw: Option<ParseError>) -> Headers {
    let body_at = fields.body_at;
    let (end, length_flaw) = match fields.content_length {
        ContentLength::Missing => (bytes.len(), None),
        ContentLength::Bad(flaw) => (bytes.len(), Some(flaw)),
        ContentLength::Bytes(announced) => {
            let announced = usize::try_from(announced).unwrap_or(usize::MAX);
            let end = body_at.saturating_add(announced);
            if end <= bytes.len() {
                (end, None)
            } else if end > MESSAGE_BYTES_MAX {
                (bytes.len(), Some(Flaw::BodyTooLarge))
            } else {
                (bytes.len(), Some(Flaw::Truncated))
            }
        }
    };
    let length_flaw = length_flaw.map(|flaw| ParseError::new(flaw, body_at));
    let flaw = start_flaw.or(fields.flaw).or(length_flaw);
    bytes.truncate(end);
    Headers::new(bytes, &fields.entries, body_at, flaw)
}

impl Request {
    pub(crate) fn from_parts(headers: Headers, method: Method, uri: Span) -> Self {
        Self { headers, method, uri }
    }

    /// What must be refused before the request is used: anything wrong with the start line, the
    /// framing, or a header that everybody relies on.
    ///
    /// # Errors
    /// The first flaw; [`Flaw::status`] and [`Flaw::reason`] say how to answer it.
    pub fn check(&self) -> Result<(), ParseError> {
        check::request(self)
    }

    /// What it asks for.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The Request-URI as written.
    pub fn uri_bytes(&self) -> &[u8] {
        self.uri.of(self.headers.bytes())
    }

    /// The Request-URI.
    ///
    /// # Errors
    /// [`Flaw::Uri`], [`Flaw::UriTooLong`].
    pub fn uri(&self) -> Result<Uri, ParseError> {
        let bytes = self.headers.bytes();
        let uri = bytes.slice_ref(self.uri_bytes());
        Uri::parse(uri).map_err(|error| error.moved(self.uri.start as usize))
    }

    /// Begins a new request. What cannot stand in a request line is left out.
    pub fn builder(method: Method, uri: &[u8]) -> MessageBuilder {
        MessageBuilder::request(method, uri)
    }
}

impl Response {
    pub(crate) fn from_parts(headers: Headers, status: StatusCode, reason: Span) -> Self {
        Self { headers, status, reason }
    }

    /// The code.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The reason phrase, perhaps empty; UTF-8 if the peer keeps to the rules.
    pub fn reason(&self) -> &[u8] {
        text::trim(self.reason.of(self.headers.bytes()))
    }

    /// The class of the code.
    pub fn class(&self) -> Class {
        self.status.class()
    }

    /// Begins a new response; `None` writes the usual reason phrase.
    pub fn builder(status: StatusCode, reason: Option<&str>) -> MessageBuilder {
        MessageBuilder::response(status, reason)
    }
}

impl Deref for Request {
    type Target = Headers;

    fn deref(&self) -> &Headers {
        &self.headers
    }
}

impl Deref for Response {
    type Target = Headers;

    fn deref(&self) -> &Headers {
        &self.headers
    }
}

impl PartialEq for Request {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Request {}

impl PartialEq for Response {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Response {}

impl fmt::Debug for Request {
    /// The request line alone: headers may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, String::from_utf8_lossy(self.uri_bytes()))
    }
}

impl fmt::Debug for Response {
    /// The status line alone: headers may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, String::from_utf8_lossy(self.reason()))
    }
}

#[cfg(test)]
pub(crate) mod tests;
