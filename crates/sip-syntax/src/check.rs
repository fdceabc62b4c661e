//! What must hold before a message may be acted on (RFC 3261 §8.1.1, §8.2, §16.3, §18.3).

use bytes::Bytes;

use crate::error::{Flaw, ParseError};
use crate::header::{ContactValue, HeaderName};
use crate::headers::Headers;
use crate::limits::{CALL_ID_BYTES_MAX, VALUES_MAX};
use crate::message::{Request, Response};
use crate::{Method, Scheme, text};

pub(crate) fn request(request: &Request) -> Result<(), ParseError> {
    if let Some(flaw) = request.flaw() {
        return Err(flaw);
    }
    request_uri(request)?;
    common(request)?;
    let cseq = request.cseq()?;
    if cseq.method != *request.method() {
        return Err(at(request, HeaderName::CSeq, Flaw::MethodMismatch));
    }
    if let Some(hops) = request.max_forwards() {
        hops?;
    }
    for contact in request.contacts()? {
        let ContactValue::Star = contact else { continue };
        // `*` stands alone, and only where bindings are removed.
        if *request.method() != Method::Register || values(request, HeaderName::Contact) > 1 {
            return Err(at(request, HeaderName::Contact, Flaw::Header("Contact")));
        }
    }
    request.routes()?;
    request.record_routes()?;
    if *request.method() == Method::Register {
        let to = request.to()?;
        // An address-of-record is a SIP or SIPS URI (RFC 4475 §3.3.3).
        if !matches!(to.uri.scheme(), Scheme::Sip | Scheme::Sips) {
            return Err(at(request, HeaderName::To, Flaw::Header("To")));
        }
    }
    Ok(())
}

pub(crate) fn response(response: &Response) -> Result<(), ParseError> {
    match response.flaw() {
        Some(flaw) => Err(flaw),
        None => common(response),
    }
}

/// The Request-URI: readable, of a scheme we know, and without headers (RFC 3261 §19.1.1).
fn request_uri(request: &Request) -> Result<(), ParseError> {
    let uri = request.uri()?;
    let offset = request.method().as_bytes().len() + 1;
    if uri.scheme() == Scheme::Other {
        return Err(ParseError::new(Flaw::Scheme, offset));
    }
    if uri.has_headers() {
        return Err(ParseError::new(Flaw::Uri, offset));
    }
    Ok(())
}

/// What requests and responses alike must have.
fn common(headers: &Headers) -> Result<(), ParseError> {
    let mut seen = 0_u128;
    for name in headers.names().filter(|&name| bit(name) & SINGLE_BITS != 0) {
        if seen & bit(name) != 0 {
            return Err(at(headers, name, Flaw::Repeated(name.as_str())));
        }
        seen |= bit(name);
    }
    vias(headers)?;
    headers.from()?;
    headers.to()?;
    call_id(headers)?;
    headers.cseq()?;
    for name in [HeaderName::Contact, HeaderName::Route, HeaderName::RecordRoute] {
        if values(headers, name) > VALUES_MAX {
            return Err(at(headers, name, Flaw::Header(name.as_str())));
        }
    }
    Ok(())
}

/// Unlike [`Headers::vias`], takes no empty value and no empty parameter: an answer must find back.
fn vias(headers: &Headers) -> Result<(), ParseError> {
    let mut count = 0;
    for entry in headers.entries(HeaderName::Via) {
        for value in text::split(entry.value.of(headers.bytes()), b',', true) {
            let bad = ParseError::new(Flaw::Header("Via"), entry.value.start as usize);
            let via = crate::Via::parse(headers.bytes().slice_ref(value)).map_err(|_| bad)?;
            count += 1;
            if !via.is_well_formed() || count > VALUES_MAX {
                return Err(bad);
            }
        }
    }
    if count == 0 {
        return Err(ParseError::new(Flaw::Missing("Via"), 0));
    }
    Ok(())
}

/// `word [@ word]`; what is between matters to nobody, so only what could be misread is refused.
fn call_id(headers: &Headers) -> Result<(), ParseError> {
    let value: Bytes = headers.call_id_bytes();
    if !headers.has(HeaderName::CallId) {
        return Err(ParseError::new(Flaw::Missing("Call-ID"), 0));
    }
    if value.is_empty()
        || value.len() > CALL_ID_BYTES_MAX
        || value.iter().any(|&byte| byte <= b' ' || byte == 0x7f)
    {
        return Err(at(headers, HeaderName::CallId, Flaw::Header("Call-ID")));
    }
    Ok(())
}

/// How many values there are, even beyond what is read.
fn values(headers: &Headers, name: HeaderName) -> usize {
    headers
        .entries(name)
        .flat_map(|entry| text::split(entry.value.of(headers.bytes()), b',', true))
        .filter(|value| !value.is_empty())
        .count()
}

fn at(headers: &Headers, name: HeaderName, flaw: Flaw) -> ParseError {
    let last = headers.entries(name).last();
    ParseError::new(flaw, last.map_or(0, |entry| entry.raw_name.start as usize))
}

/// One bit for each name.
const fn bit(name: HeaderName) -> u128 {
    1 << name as u32
}

const _: () = assert!((HeaderName::Other as u32) < u128::BITS);

/// Headers of which a second would contradict the first. Content-Length is seen to elsewhere.
const SINGLE: &[HeaderName] = &[
    HeaderName::From,
    HeaderName::To,
    HeaderName::CallId,
    HeaderName::CSeq,
    HeaderName::MaxForwards,
    HeaderName::ContentType,
    HeaderName::ContentDisposition,
    HeaderName::Expires,
    HeaderName::Event,
    HeaderName::SubscriptionState,
    HeaderName::ReferTo,
    HeaderName::Replaces,
    HeaderName::RAck,
    HeaderName::RSeq,
];

const SINGLE_BITS: u128 = {
    let mut bits = 0;
    let mut rest = SINGLE;
    while let [name, after @ ..] = rest {
        bits |= bit(*name);
        rest = after;
    }
    bits
};
