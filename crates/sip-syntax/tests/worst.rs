//! Input made to cost much: the longest messages of the worst bytes are read and answered. No clock is
//! looked at, since machines are busy; reading in more than linear time would take minutes here.

#![allow(clippy::unwrap_used, reason = "a failed test is the point")]

use bytes::Bytes;
use sip_syntax::{
    CSeq, Challenge, ContactValue, ContentType, Credentials, Framer, HEAD_BYTES_MAX, HeaderName,
    Host, LINE_BYTES_MAX, Message, NameAddr, StatusCode, Uri, Via, response_to,
};

/// What parsers stop, split, nest or look ahead at.
const NASTY: [&str; 30] = [
    "(",
    ")",
    "<",
    ">",
    "\"",
    "\\",
    "\\\"",
    "\"\\",
    ",",
    ",,",
    ";",
    ";a",
    ";a=\"",
    "=",
    "@",
    ":",
    "%",
    "%4",
    "%41",
    "[",
    "[:",
    ":]",
    " ",
    "\t",
    "\r\n ",
    "\r",
    "&a=",
    "?",
    "<sip:a@b>,",
    "a,\"b\"<c>;",
];

const HEADERS: [HeaderName; 10] = [
    HeaderName::Via,
    HeaderName::From,
    HeaderName::To,
    HeaderName::Contact,
    HeaderName::Route,
    HeaderName::RecordRoute,
    HeaderName::Authorization,
    HeaderName::WwwAuthenticate,
    HeaderName::Supported,
    HeaderName::ContentType,
];

#[test]
fn the_longest_headers_are_read() {
    for nasty in NASTY {
        for name in HEADERS {
            let value = nasty.repeat(LINE_BYTES_MAX / 2 / nasty.len());
            let line = format!("{}: {value}\r\n", name.as_str());
            let lines = line.repeat(HEAD_BYTES_MAX / line.len() - 1);
            let start = "INVITE sip:a@b SIP/2.0\r\n";
            for text in [
                format!("{start}{lines}\r\n"),
                // A value before that which is all right, so that the nasty ones are reached.
                format!(
                    "{start}Via: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n{lines}\r\n"
                ),
            ] {
                read_all(text.clone().into());
            }
        }
    }
}

#[test]
fn the_longest_start_lines_and_bodies_are_read() {
    for nasty in NASTY {
        let long = nasty.repeat(60_000 / nasty.len());
        for text in [
            long.clone(),
            format!("INVITE {long} SIP/2.0\r\n\r\n"),
            format!("SIP/2.0 200 {long}\r\n\r\n"),
            format!("INVITE sip:a@b SIP/2.0\r\n{long}"),
            format!("INVITE sip:a@b SIP/2.0\r\nContent-Length: 3\r\n\r\n{long}"),
            format!("INVITE sip:a@b SIP/2.0\r\n{}\r\n", "x:\r\n".repeat(14_000)),
            format!("INVITE sip:a@b SIP/2.0\r\nX: y\r\n{}\r\n", " \r\n".repeat(18_000)),
        ] {
            read_all(text.clone().into());
        }
    }
}

#[test]
fn the_longest_values_are_read() {
    for nasty in NASTY {
        for before in ["", "sip:", "\"", "<sip:a@b", "SIP/2.0/UDP h", "Digest a=", "sip:a@b?", "["]
        {
            let text = format!("{before}{}", nasty.repeat(60_000 / nasty.len()));
            let bytes = Bytes::from(text);
            read_value(&bytes);
        }
    }
}

#[test]
fn streams_that_drip_are_read() {
    for nasty in ["a", "\r\n", "\n", "\r\n\r\n", "x: y\r\n", " \r\n", "\r"] {
        let text = format!("INVITE sip:a@b SIP/2.0\r\n{}", nasty.repeat(60_000 / nasty.len()));
        // A byte at a time is the worst that a peer can do.
        let mut framer = Framer::new();
        for byte in text.as_bytes().chunks(1) {
            framer.push(byte);
            while let Ok(Some(_)) = framer.next() {}
        }
    }
}

fn read_all(bytes: Bytes) {
    let Ok(message) = Message::parse(bytes) else { return };
    let headers = message.headers();
    for name in HEADERS {
        assert!(headers.values(name).count() <= sip_syntax::VALUES_MAX);
    }
    let lists =
        [headers.routes().is_ok(), headers.record_routes().is_ok(), headers.contacts().is_ok()];
    let proofs = headers.authorizations().len() + headers.challenges().len();
    assert!(proofs <= 2 * sip_syntax::VALUES_MAX && lists.len() == 3);
    if let Message::Request(request) = message {
        let status = request.check().map_or_else(|error| error.flaw.status(), |()| StatusCode::OK);
        let answer = response_to(&request, Some("192.0.2.1:5060".parse().unwrap()), status, None);
        assert!(!answer.finish_response().bytes().is_empty());
    }
}

fn read_value(bytes: &Bytes) {
    let credentials = Credentials::parse(bytes.clone());
    let challenge = Challenge::parse(bytes.clone());
    let all = [
        Via::parse(bytes.clone()).is_ok_and(|via| via.rport.is_some()),
        NameAddr::parse(bytes.clone()).is_ok_and(|addr| addr.tag().is_some()),
        Uri::parse(bytes.clone()).is_ok_and(|uri| uri.same_as(&uri)),
        ContactValue::parse(bytes.clone()).is_ok(),
        CSeq::parse(bytes.clone()).is_ok(),
        Host::parse(bytes).is_some(),
        credentials.response().is_some() || credentials.nonce().is_some(),
        challenge.offers_qop(b"auth"),
        ContentType::parse(bytes.clone()).is(""),
    ];
    assert_eq!(all.len(), 9);
}
