//! What users of the engine ask it to send.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use sip_syntax::{Method, StatusCode};

use crate::Flow;

/// An answer to a request. The engine adds what the request demands: Via, From, To with our tag,
/// Call-ID, CSeq, and where it belongs Contact, Record-Route, Allow and Server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The code.
    pub status: StatusCode,
    /// The reason phrase; `None` is the usual one of the code.
    pub reason: Option<String>,
    /// More header fields, in this order. A Contact here replaces the engine's own.
    pub headers: Vec<(String, String)>,
    /// The body and its type.
    pub body: Option<Body>,
    /// Send once and keep no transaction: for challenges and refusals to strangers, so that they cost
    /// no memory and are never repeated to a forged address. A repeated request comes up as a new one.
    pub once: bool,
}

impl Reply {
    /// An answer with nothing but its code.
    pub fn new(status: StatusCode) -> Self {
        Reply { status, reason: None, headers: Vec::new(), body: None, once: false }
    }

    /// Adds a header field.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the reason phrase.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: Body) -> Self {
        self.body = Some(body);
        self
    }

    /// Sends it once and keeps nothing; see [`Reply::once`].
    #[must_use]
    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }
}

/// A message body and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// As it stands in Content-Type.
    pub content_type: Cow<'static, str>,
    /// The body itself.
    pub bytes: Bytes,
}

impl Body {
    /// A body of any type.
    pub fn new(content_type: impl Into<Cow<'static, str>>, bytes: impl Into<Bytes>) -> Self {
        Body { content_type: content_type.into(), bytes: bytes.into() }
    }

    /// A session description.
    pub fn sdp(bytes: impl Into<Bytes>) -> Self {
        Body::new("application/sdp", bytes)
    }
}

/// A call to make.
#[derive(Debug, Clone)]
pub struct Invite {
    /// Where the first request goes.
    pub flow: Flow,
    /// The Request-URI.
    pub uri: String,
    /// The From value, a name-addr without tag, as `"Anne" <sip:101@example.org>`.
    pub from: String,
    /// The To value, a name-addr without tag.
    pub to: String,
    /// The user part of our Contact, unescaped; its host is the flow's own end.
    pub contact_user: String,
    /// More header fields, in this order.
    pub headers: Vec<(String, String)>,
    /// The offer; `None` asks the peer for one.
    pub body: Option<Body>,
    /// Hops left; 70 for a call of our own, one less than the caller's when bridging.
    pub max_forwards: u8,
    /// What to answer challenges with.
    pub credentials: Option<ClientCredentials>,
    /// `None` makes a fresh one.
    pub call_id: Option<String>,
}

/// A request outside every dialog: REGISTER, OPTIONS, MESSAGE.
#[derive(Debug, Clone)]
pub struct OutOfDialog {
    /// The method; not INVITE, ACK or CANCEL, which have doors of their own.
    pub method: Method,
    /// Where it goes.
    pub flow: Flow,
    /// The Request-URI.
    pub uri: String,
    /// The From value, a name-addr without tag.
    pub from: String,
    /// The To value, a name-addr without tag.
    pub to: String,
    /// The whole Contact value, if one is to be sent.
    pub contact: Option<String>,
    /// `None` makes a fresh one. Registrations keep theirs (RFC 3261 §10.2).
    pub call_id: Option<String>,
    /// `None` starts at 1.
    pub cseq: Option<u32>,
    /// More header fields, in this order.
    pub headers: Vec<(String, String)>,
    /// The body and its type.
    pub body: Option<Body>,
    /// What to answer challenges with.
    pub credentials: Option<ClientCredentials>,
}

/// What we answer challenges with (RFC 3261 §22). Only challenges are answered that name the realm.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCredentials {
    /// The user name.
    pub user: String,
    /// The password; never shown by `Debug`.
    pub secret: String,
    /// The realm it is for; `None` trusts whoever we call with whatever realm they name.
    pub realm: Option<String>,
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientCredentials")
            .field("user", &self.user)
            .field("realm", &self.realm)
            .finish_non_exhaustive()
    }
}
