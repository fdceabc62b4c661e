//! The header fields and body of a message, with typed values read when asked for.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

use crate::error::{Flaw, ParseError};
use crate::header::{
    CSeq, Challenge, ContactValue, ContentType, Credentials, HeaderName, NameAddr, Via,
};
use crate::limits::VALUES_MAX;
use crate::scan::Entry;
use crate::text;

/// What [`crate::Request`] and [`crate::Response`] have in common. Cloning copies no bytes.
#[derive(Clone)]
pub struct Headers {
    bytes: Bytes,
    entries: Arc<[Entry]>,
    body_at: usize,
    flaw: Option<ParseError>,
}

/// One header field as it stands in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// Which it is.
    pub name: HeaderName,
    /// Its name as written.
    pub raw_name: &'a [u8],
    /// Its value without white space around; line ends within, if it is folded.
    pub value: &'a [u8],
}

impl Headers {
    pub(crate) fn new(
        bytes: Bytes,
        entries: &[Entry],
        body_at: usize,
        flaw: Option<ParseError>,
    ) -> Self {
        Self { bytes, entries: Arc::from(entries), body_at, flaw }
    }

    /// What was wrong with the form of the message, found while indexing it.
    pub(crate) fn flaw(&self) -> Option<ParseError> {
        self.flaw
    }

    /// The message as on the wire, from start line to end of body.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The body, perhaps empty.
    pub fn body(&self) -> &[u8] {
        self.bytes.get(self.body_at..).unwrap_or_default()
    }

    /// The body, sharing the buffer.
    pub fn body_bytes(&self) -> Bytes {
        self.bytes.slice(self.body_at.min(self.bytes.len())..)
    }

    /// All fields in order, understood or not.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        self.entries.iter().map(|entry| Field {
            name: entry.name,
            raw_name: entry.raw_name.of(&self.bytes),
            value: entry.value.of(&self.bytes),
        })
    }

    pub(crate) fn entries(&self, name: HeaderName) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.name == name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = HeaderName> {
        self.entries.iter().map(|entry| entry.name)
    }

    /// True if there is a field of this name.
    pub fn has(&self, name: HeaderName) -> bool {
        self.entries(name).next().is_some()
    }

    /// The value of the first field of this name, without folds and white space around.
    pub fn header(&self, name: HeaderName) -> Option<Cow<'_, [u8]>> {
        self.entries(name).next().map(|entry| text::unfold(entry.value.of(&self.bytes)))
    }

    /// Like [`Headers::header`], for any name, in any case, in full or compact.
    pub fn header_named(&self, name: &[u8]) -> Option<Cow<'_, [u8]>> {
        let known = HeaderName::from_bytes(name);
        if known != HeaderName::Other {
            return self.header(known);
        }
        self.fields()
            .find(|field| field.raw_name.eq_ignore_ascii_case(name))
            .map(|field| text::unfold(field.value))
    }

    /// All values of all fields of this name in order, split at commas outside quotes and angle
    /// brackets, without folds; empty ones are passed over. At most [`VALUES_MAX`].
    ///
    /// Not for Authorization, WWW-Authenticate and Date, whose commas part no values.
    pub fn values(&self, name: HeaderName) -> impl Iterator<Item = Cow<'_, [u8]>> {
        self.raw_values(name).map(|(_, value)| text::unfold(value))
    }

    /// Where each value begins in the message, and the value, folds and all.
    fn raw_values(&self, name: HeaderName) -> impl Iterator<Item = (usize, &[u8])> {
        self.entries(name)
            .flat_map(move |entry| {
                text::split(entry.value.of(&self.bytes), b',', true)
                    .map(move |value| (entry.value.start as usize, value))
            })
            .filter(|(_, value)| !value.is_empty())
            .take(VALUES_MAX)
    }

    /// The same, ready to be kept.
    fn shared_values(&self, name: HeaderName) -> impl Iterator<Item = (usize, Bytes)> {
        self.raw_values(name).map(|(at, value)| (at, self.bytes.slice_ref(value)))
    }

    /// The first field of this name, and where it begins.
    fn shared(&self, name: HeaderName) -> Option<(usize, Bytes)> {
        let entry = self.entries(name).next()?;
        Some((entry.value.start as usize, self.bytes.slice_ref(entry.value.of(&self.bytes))))
    }

    fn required(&self, name: HeaderName) -> Result<(usize, Bytes), ParseError> {
        let missing = ParseError::new(Flaw::Missing(name.as_str()), 0);
        self.shared(name).ok_or(missing)
    }

    /// The hops from the nearest on.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via, ParseError>> {
        self.shared_values(HeaderName::Via)
            .map(|(at, value)| Via::parse(value).map_err(|error| error.moved(at)))
    }

    /// The hop the message came from.
    ///
    /// # Errors
    /// [`Flaw::Missing`], [`Flaw::Header`].
    pub fn top_via(&self) -> Result<Via, ParseError> {
        self.vias().next().unwrap_or(Err(ParseError::new(Flaw::Missing("Via"), 0)))
    }

    /// Who the request is from.
    ///
    /// # Errors
    /// [`Flaw::Missing`], [`Flaw::Header`].
    pub fn from(&self) -> Result<NameAddr, ParseError> {
        let (at, value) = self.required(HeaderName::From)?;
        NameAddr::parse(value).map_err(name_it(HeaderName::From, at))
    }

    /// Who the request was first meant for.
    ///
    /// # Errors
    /// [`Flaw::Missing`], [`Flaw::Header`].
    pub fn to(&self) -> Result<NameAddr, ParseError> {
        let (at, value) = self.required(HeaderName::To)?;
        NameAddr::parse(value).map_err(name_it(HeaderName::To, at))
    }

    /// Where the sender can be reached; of a REGISTER and a redirection any number.
    ///
    /// # Errors
    /// [`Flaw::Header`] if one of them is malformed.
    pub fn contacts(&self) -> Result<Vec<ContactValue>, ParseError> {
        self.shared_values(HeaderName::Contact)
            .map(|(at, value)| ContactValue::parse(value).map_err(name_it(HeaderName::Contact, at)))
            .collect()
    }

    /// Hops still to be made, the next one first.
    ///
    /// # Errors
    /// [`Flaw::Header`] if one of them is malformed.
    pub fn routes(&self) -> Result<Vec<NameAddr>, ParseError> {
        self.name_addrs(HeaderName::Route)
    }

    /// Hops that asked to stay in the path, the nearest to the called party first.
    ///
    /// # Errors
    /// [`Flaw::Header`] if one of them is malformed.
    pub fn record_routes(&self) -> Result<Vec<NameAddr>, ParseError> {
        self.name_addrs(HeaderName::RecordRoute)
    }

    /// All values of any header made of addresses, such as P-Asserted-Identity or Refer-To.
    ///
    /// # Errors
    /// [`Flaw::Header`] if one of them is malformed.
    pub fn name_addrs(&self, name: HeaderName) -> Result<Vec<NameAddr>, ParseError> {
        self.shared_values(name)
            .map(|(at, value)| NameAddr::parse(value).map_err(name_it(name, at)))
            .collect()
    }

    /// Names the call; empty if missing. Compares byte for byte.
    pub fn call_id(&self) -> &[u8] {
        let entry = self.entries(HeaderName::CallId).next();
        entry.map(|entry| entry.value.of(&self.bytes)).unwrap_or_default()
    }

    /// [`Headers::call_id`], sharing the buffer.
    pub fn call_id_bytes(&self) -> Bytes {
        self.shared(HeaderName::CallId).map(|(_, value)| value).unwrap_or_default()
    }

    /// Number and method of the request.
    ///
    /// # Errors
    /// [`Flaw::Missing`], [`Flaw::Header`].
    pub fn cseq(&self) -> Result<CSeq, ParseError> {
        let (at, value) = self.required(HeaderName::CSeq)?;
        CSeq::parse_slice(&value).map_err(|error| error.moved(at))
    }

    /// Hops the request may still make; `None` if not said.
    ///
    /// # Errors
    /// [`Flaw::Header`] unless 0 to 255.
    pub fn max_forwards(&self) -> Option<Result<u8, ParseError>> {
        let entry = self.entries(HeaderName::MaxForwards).next()?;
        let hops = text::decimal(entry.value.of(&self.bytes));
        let bad = ParseError::new(Flaw::Header("Max-Forwards"), entry.value.start as usize);
        Some(hops.and_then(|hops| u8::try_from(hops).ok()).ok_or(bad))
    }

    /// Seconds until the content is void; 3600 if malformed, as RFC 3261 §10.2.1.1 asks, and the
    /// most there can be if too large for 32 bits.
    pub fn expires(&self) -> Option<u32> {
        let value = self.header(HeaderName::Expires)?;
        Some(text::delta_seconds(&value).unwrap_or(3600))
    }

    /// Seconds the peer will not take less than (RFC 3261 §20.23).
    pub fn min_expires(&self) -> Option<u32> {
        self.header(HeaderName::MinExpires).and_then(|value| text::delta_seconds(&value))
    }

    /// Seconds to leave the peer alone; comment and parameters are passed over.
    pub fn retry_after(&self) -> Option<u32> {
        let value = self.header(HeaderName::RetryAfter)?;
        let len = value.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(value.len());
        text::delta_seconds(value.get(..len)?)
    }

    /// What the body is.
    pub fn content_type(&self) -> Option<ContentType> {
        self.shared(HeaderName::ContentType).map(|(_, value)| ContentType::parse(value))
    }

    /// Option tags the peer insists on, in lower case.
    pub fn require(&self) -> Vec<String> {
        self.tokens(HeaderName::Require)
    }

    /// Option tags the peer understands, in lower case.
    pub fn supported(&self) -> Vec<String> {
        self.tokens(HeaderName::Supported)
    }

    /// All values of a header made of tokens, such as Allow-Events, in lower case.
    pub fn tokens(&self, name: HeaderName) -> Vec<String> {
        self.values(name)
            .map(|value| String::from_utf8_lossy(&value).to_ascii_lowercase())
            .collect()
    }

    /// What clients prove themselves to user agents with, one for each field.
    pub fn authorizations(&self) -> Vec<Credentials> {
        self.each(HeaderName::Authorization, Credentials::parse)
    }

    /// What clients prove themselves to proxies with, one for each field.
    pub fn proxy_authorizations(&self) -> Vec<Credentials> {
        self.each(HeaderName::ProxyAuthorization, Credentials::parse)
    }

    /// What user agents ask clients to prove, one for each WWW-Authenticate, in order.
    pub fn challenges(&self) -> Vec<Challenge> {
        self.each(HeaderName::WwwAuthenticate, Challenge::parse)
    }

    /// What proxies ask clients to prove, one for each Proxy-Authenticate, in order.
    pub fn proxy_challenges(&self) -> Vec<Challenge> {
        self.each(HeaderName::ProxyAuthenticate, Challenge::parse)
    }

    /// Fields whose commas part parameters, not values.
    fn each<T>(&self, name: HeaderName, parse: fn(Bytes) -> T) -> Vec<T> {
        self.entries(name)
            .take(VALUES_MAX)
            .map(|entry| parse(self.bytes.slice_ref(entry.value.of(&self.bytes))))
            .collect()
    }
}

/// Completes an error of [`NameAddr::parse`], which does not know what it reads.
fn name_it(name: HeaderName, at: usize) -> impl Fn(ParseError) -> ParseError {
    move |error| ParseError::new(Flaw::Header(name.as_str()), at + error.offset)
}
