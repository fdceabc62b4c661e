//! What is written, and that nothing gets out of its place.

use crate::message::tests::torture;
use crate::message::tests::{parse, parse_response, with};
use crate::{
    Flaw, HeaderName, Message, Method, Request, Response, StatusCode, Via, response_to,
    via_with_received,
};

#[test]
fn a_request_is_written_in_the_order_of_the_calls() {
    let request = Request::builder(Method::Invite, b"sip:201@h")
        .header(HeaderName::Via, "SIP/2.0/UDP h;branch=z9hG4bK1")
        .header(HeaderName::From, "<sip:a@h>;tag=1")
        .header(HeaderName::To, "<sip:201@h>")
        .header(HeaderName::CallId, "x")
        .header(HeaderName::CSeq, "1 INVITE")
        .header_named("X-Own", " yes ")
        .body("application/sdp", b"v=0\r\n")
        .finish_request();
    assert_eq!(
        String::from_utf8_lossy(request.bytes()),
        "INVITE sip:201@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\
         From: <sip:a@h>;tag=1\r\nTo: <sip:201@h>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\
         X-Own: yes\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n"
    );
    assert_eq!(request.check(), Ok(()));
    assert_same_as_reparsed(&request);
}

#[test]
fn no_value_breaks_out_of_its_line() {
    let evil = "a\r\nRoute: <sip:evil>\r\n\r\nOPTIONS\0\rb\nc";
    let request = Request::builder(Method::Info, b"sip:a@h\r\nEvil: 1 \0")
        .header(HeaderName::Via, "SIP/2.0/UDP h;branch=z9hG4bK1")
        .header(HeaderName::Subject, evil)
        .header_named("X-A", evil)
        .header_named("X: y\r\nEvil", "2")
        .header_named("Content-Length", "77")
        .header(HeaderName::ContentLength, "77")
        .body(evil, "")
        .finish_request();
    let names: Vec<&[u8]> = request.fields().map(|field| field.raw_name).collect();
    assert_eq!(names, [&b"Via"[..], b"Subject", b"X-A", b"Content-Type", b"Content-Length"]);
    let subject = request.header(HeaderName::Subject).unwrap();
    assert_eq!(&subject[..], b"a Route: <sip:evil> OPTIONS  b c");
    assert_eq!(request.uri_bytes(), b"sip:a@hEvil:1");
    assert_same_as_reparsed(&request);
    let response = Response::builder(StatusCode::OK, Some(evil)).finish_response();
    assert_eq!(response.reason(), b"a Route: <sip:evil> OPTIONS  b c");
}

/// RFC 3261 §8.2.6.
#[test]
fn an_answer_repeats_what_it_must() {
    let request = torture::request("wsinv");
    let response =
        response_to(&request, None, StatusCode::RINGING, None).to_tag(b"new").finish_response();
    assert_eq!(response.status(), StatusCode::RINGING);
    assert_eq!(response.reason(), b"Ringing");
    let branches: Vec<_> = response.vias().map(|via| via.unwrap().branch.unwrap()).collect();
    assert_eq!(branches, ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"]);
    assert_eq!(response.call_id(), request.call_id());
    assert_eq!(response.cseq(), request.cseq());
    assert_eq!(response.from().unwrap().tag(), request.from().unwrap().tag());
    assert_eq!(response.to().unwrap().tag(), Some(&b"1918181833n"[..]));
    assert_eq!(response.header(HeaderName::ContentLength).unwrap(), &b"0"[..]);
    assert!(Message::parse(response.bytes().clone()).is_ok());
}

#[test]
fn a_to_tag_is_added_where_there_is_none() {
    let answer = |request: &Request| {
        response_to(request, None, StatusCode::OK, None)
            .header(HeaderName::Server, "s")
            .to_tag(b"77")
            .to_tag(b"88")
            .body("text/plain", "hello")
            .finish_response()
    };
    for to in ["<sip:b@c>", "sip:b@c", "\"B\" <sip:b@c;x=y>;z"] {
        let request = parse(&with("", "").replace("<sip:b@c>", to));
        let response = answer(&request);
        assert_eq!(response.to().unwrap().tag(), Some(&b"77"[..]), "{to}");
        // What was written behind the To has moved with it.
        assert_eq!(response.header(HeaderName::Server).unwrap(), &b"s"[..]);
        assert_eq!(response.cseq(), request.cseq());
        assert_eq!(response.body(), b"hello");
    }
}

#[test]
fn malformed_requests_are_answered_with_well_formed_responses() {
    for bytes in torture::all_bytes() {
        let Ok(Message::Request(request)) = Message::parse(bytes.into()) else { continue };
        let Err(error) = request.check() else { continue };
        let reason = error.flaw.reason();
        let response = response_to(&request, None, error.flaw.status(), Some(&reason))
            .to_tag(b"t")
            .finish_response();
        // Missing or unreadable, it cannot be mended; doubled, it can.
        if let Err(error) = Message::parse(response.bytes().clone()) {
            assert!(
                matches!(error.flaw, Flaw::Header(_) | Flaw::Missing(_)),
                "{request:?} gets {error}"
            );
        }
    }
}

/// RFC 3261 §18.2.1, RFC 3581 §4.
#[test]
fn the_top_via_tells_where_the_request_came_from() {
    let source = "198.51.100.7:4040".parse().unwrap();
    let cases = [
        // The sender knows its address: nothing to add.
        ("198.51.100.7;branch=1", "198.51.100.7;branch=1"),
        ("198.51.100.7:9;branch=1", "198.51.100.7:9;branch=1"),
        // It does not.
        ("10.0.0.1;branch=1", "10.0.0.1;branch=1;received=198.51.100.7"),
        ("phone.example.com", "phone.example.com;received=198.51.100.7"),
        // It wants to know the port.
        ("10.0.0.1:5060;rport;branch=1", "10.0.0.1:5060;rport=4040;branch=1;received=198.51.100.7"),
        ("198.51.100.7;rport", "198.51.100.7;rport=4040;received=198.51.100.7"),
        // It lies.
        ("10.0.0.1;received=1.2.3.4", "10.0.0.1;received=198.51.100.7"),
        ("198.51.100.7;received=1.2.3.4;x=\"a;b\"", "198.51.100.7;x=\"a;b\""),
        ("10.0.0.1;rport=1", "10.0.0.1;rport=4040;received=198.51.100.7"),
        // Further hops are left alone.
        (
            "10.0.0.1;branch=1, SIP/2.0/TCP x;rport",
            "10.0.0.1;branch=1;received=198.51.100.7, SIP/2.0/TCP x;rport",
        ),
    ];
    for (from, to) in cases {
        let request = parse(&with("", "").replace("h;branch=z9hG4bK1", from));
        let response = response_to(&request, Some(source), StatusCode::OK, None).finish_response();
        let via = response.header(HeaderName::Via).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&via).replace(", ", ","),
            format!("SIP/2.0/UDP {to}").replace(", ", ",")
        );
    }
    let via = Via::parse_slice(b"SIP/2.0/UDP 10.0.0.1:5060;rport;branch=1").unwrap();
    assert_eq!(
        String::from_utf8(via_with_received(&via, source)).unwrap(),
        "SIP/2.0/UDP 10.0.0.1:5060;rport=4040;branch=1;received=198.51.100.7"
    );
    let six = "[2001:db8::9]:6050".parse().unwrap();
    assert_eq!(
        String::from_utf8(via_with_received(&via, six)).unwrap(),
        "SIP/2.0/UDP 10.0.0.1:5060;rport=6050;branch=1;received=2001:db8::9"
    );
}

#[test]
fn copied_fields_keep_their_bytes() {
    let request = torture::request("intmeth");
    let copy = Request::builder(Method::Options, b"sip:b@c")
        .copy(&request, HeaderName::Via)
        .copy(&request, HeaderName::To)
        .copy(&request, HeaderName::Other)
        .finish_request();
    let to = request.header(HeaderName::To).unwrap();
    assert_eq!(copy.header(HeaderName::To).unwrap(), to);
    let name = b"extensionHeader-!.%*+_`'~";
    assert_eq!(copy.header_named(name), request.header_named(name));
}

#[test]
fn responses_are_read_back_as_written() {
    let text = "SIP/2.0 182 Queued, you are number 3\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\
                From: <sip:a@c>;tag=1\r\nTo: <sip:b@c>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\
                Content-Length: 0\r\n\r\n";
    let response = parse_response(text);
    assert_eq!(response.status(), StatusCode::QUEUED);
    assert_eq!(response.reason(), b"Queued, you are number 3");
    let again = Response::builder(StatusCode::QUEUED, Some("Queued, you are number 3"))
        .copy(&response, HeaderName::Via)
        .copy(&response, HeaderName::From)
        .copy(&response, HeaderName::To)
        .copy(&response, HeaderName::CallId)
        .copy(&response, HeaderName::CSeq)
        .finish_response();
    assert_eq!(String::from_utf8_lossy(again.bytes()), text);
}

/// The index made while writing must be the one that reading makes.
#[track_caller]
fn assert_same_as_reparsed(request: &Request) {
    let Ok(Message::Request(again)) = Message::parse(request.bytes().clone()) else {
        panic!("{request:?} cannot be read back");
    };
    assert_eq!(again.method(), request.method());
    assert_eq!(again.uri_bytes(), request.uri_bytes());
    assert_eq!(again.body(), request.body());
    assert!(again.fields().eq(request.fields()));
}
