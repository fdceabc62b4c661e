//! What can be wrong with a message, told apart by how it is answered.

use crate::StatusCode;

/// Why bytes are not a SIP message we can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{flaw} (byte {offset})")]
pub struct ParseError {
    /// What is wrong.
    pub flaw: Flaw,
    /// Where reading stopped: bytes from the start of the message, or of the value when a value
    /// was parsed by itself. The start of the field when it is folded.
    pub offset: usize,
}

impl ParseError {
    pub(crate) fn new(flaw: Flaw, offset: usize) -> Self {
        Self { flaw, offset }
    }

    /// The same, for a value that begins `by` bytes into the message.
    pub(crate) fn moved(self, by: usize) -> Self {
        Self { offset: self.offset + by, ..self }
    }
}

/// The kinds of malformed message we tell apart, each because we answer it differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Nothing but line ends: a keep-alive, to be ignored.
    #[error("empty datagram")]
    Empty,
    /// No SIP start line, so nothing to answer.
    #[error("not SIP")]
    NotSip,
    /// A response whose code is not 100 to 699; dropped.
    #[error("impossible status code")]
    StatusCode,
    /// The start line names another protocol version (505).
    #[error("not SIP/2.0")]
    Version,
    /// The request line has spaces where none may be (RFC 3261 §7.1).
    #[error("malformed request line")]
    StartLine,
    /// The Request-URI, or a URI parsed by itself, breaks the grammar (RFC 3261 §19.1).
    #[error("malformed URI")]
    Uri,
    /// The Request-URI has a scheme other than sip, sips and tel (416).
    #[error("unsupported URI scheme")]
    Scheme,
    /// The Request-URI is longer than [`crate::URI_BYTES_MAX`] (414).
    #[error("URI too long")]
    UriTooLong,
    /// A line before the body is no header field, or holds a bare CR or NUL.
    #[error("malformed header line")]
    HeaderLine,
    /// A header is unreadable, or over a limit (RFC 3261 §20).
    #[error("unusable {0} header")]
    Header(&'static str),
    /// A header every message needs is not there (RFC 3261 §8.1.1).
    #[error("missing {0} header")]
    Missing(&'static str),
    /// A header that must be single is not (RFC 3261 §7.3.1).
    #[error("repeated {0} header")]
    Repeated(&'static str),
    /// The CSeq method is not that of the request line (RFC 3261 §8.1.1.5).
    #[error("CSeq method differs from request line")]
    MethodMismatch,
    /// The message ends within its headers, or before as much body as announced.
    #[error("message cut short")]
    Truncated,
    /// The announced body would exceed [`crate::MESSAGE_BYTES_MAX`] (413).
    #[error("body too large")]
    BodyTooLarge,
    /// More than [`crate::MESSAGE_BYTES_MAX`], [`crate::FIELDS_MAX`] or
    /// [`crate::LINE_BYTES_MAX`] (513).
    #[error("message too large")]
    TooLarge,
}

impl Flaw {
    /// The code that answers a request with this flaw. A flawed response or ACK is dropped instead.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Version => StatusCode::VERSION_NOT_SUPPORTED,
            Self::Scheme => StatusCode::UNSUPPORTED_URI_SCHEME,
            Self::UriTooLong => StatusCode::REQUEST_URI_TOO_LONG,
            Self::BodyTooLarge => StatusCode::REQUEST_ENTITY_TOO_LARGE,
            Self::TooLarge => StatusCode::MESSAGE_TOO_LARGE,
            Self::Empty
            | Self::NotSip
            | Self::StatusCode
            | Self::StartLine
            | Self::Uri
            | Self::HeaderLine
            | Self::Header(_)
            | Self::Missing(_)
            | Self::Repeated(_)
            | Self::MethodMismatch
            | Self::Truncated => StatusCode::BAD_REQUEST,
        }
    }

    /// Reason text for that answer; of a 400 it names what is wrong, else it is the usual text.
    pub fn reason(self) -> String {
        let status = self.status();
        if status != StatusCode::BAD_REQUEST {
            return status.default_reason().to_owned();
        }
        let text = self.to_string();
        let mut chars = text.chars();
        chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
    }
}
