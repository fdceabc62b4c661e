//! Whole messages: what is read out of them, and what is refused.

pub(crate) mod torture;

use bytes::Bytes;

use crate::{
    ContactValue, FIELDS_MAX, Flaw, HeaderName, Host, LINE_BYTES_MAX, MESSAGE_BYTES_MAX, Message,
    Method, Request, Response, StatusCode, URI_BYTES_MAX, VALUES_MAX,
};
use torture::{request, response};

/// RFC 4475 §3.1.1.1.
#[test]
fn folds_and_white_space_change_no_value() {
    let request = request("wsinv");
    let vias: Vec<_> = request.vias().map(Result::unwrap).collect();
    let branches: Vec<_> = vias.iter().map(|via| via.branch.clone().unwrap()).collect();
    assert_eq!(branches, ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"]);
    assert_eq!(vias[1].host, Host::Name("spindle.example.com".into()));
    assert_eq!(request.to().unwrap().tag(), Some(&b"1918181833n"[..]));
    let from = request.from().unwrap();
    assert_eq!(from.display_name(), "J Rosenberg \\\"");
    assert_eq!(from.tag(), Some(&b"98asjd8"[..]));
    assert_eq!(request.max_forwards().unwrap().unwrap(), 68);
    assert_eq!(request.cseq().unwrap().number, 9);
    assert_eq!(request.cseq().unwrap().method, Method::Invite);
    let new_fangled = request.header_named(b"newfangledheader").unwrap();
    assert_eq!(&new_fangled[..], b"newfangled value continued newfangled value");
    assert_eq!(request.header(HeaderName::Subject).as_deref(), Some(&b""[..]));
    let contacts = request.contacts().unwrap();
    let contact = contacts[0].addr().unwrap();
    assert_eq!(contact.display_name(), "Quoted string \"\"");
    assert_eq!(contact.params.get(b"newparam").unwrap(), &b"newvalue"[..]);
    assert_eq!(contact.q(), Some(330));
    let route = &request.routes().unwrap()[0];
    assert!(route.uri.is_loose());
    assert!(request.body().starts_with(b"v=0\r\n") && request.body().ends_with(b"LPC\r\n"));
}

/// RFC 4475 §3.1.1.2.
#[test]
fn every_legal_character_is_read_as_itself() {
    let request = request("intmeth");
    let method = "!interesting-Method0123456789_*+`.%indeed'~";
    assert_eq!(*request.method(), Method::Other(method.into()));
    let uri = request.uri().unwrap();
    assert_eq!(*uri.host(), Host::Name("example.com".into()));
    assert_eq!(uri.user_bytes(), Some(&b"1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"[..]));
    assert_eq!(uri.password_bytes(), Some(&b"&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"[..]));
    assert_eq!(request.to().unwrap().display_name(), "BEL:\x07 NUL:\0 DEL:\x7f");
    let from = request.from().unwrap();
    assert_eq!(from.display_name(), "token1~` token2'+_ token3*%!.-");
    assert_eq!(from.tag(), Some(&b"_token~1'+`*%!-."[..]));
    let param = from.params.get(b"fromParam''~+*_!.-%").unwrap();
    assert_eq!(&param[..], "работающий".as_bytes());
    let extension = request.header_named(b"extensionHeader-!.%*+_`'~").unwrap();
    assert_eq!(&extension[..], "\u{feff}大停電".as_bytes());
}

/// RFC 4475 §3.1.1.3, §3.1.1.4, §3.1.1.5.
#[test]
fn escapes_mean_something_in_uris_and_nowhere_else() {
    let esc01 = request("esc01");
    let uri = esc01.uri().unwrap();
    assert_eq!(uri.user().unwrap(), "sips:user@example.com");
    assert_eq!(*uri.host(), Host::Name("example.net".into()));
    assert_eq!(esc01.to().unwrap().uri.user().unwrap(), "user");
    assert_eq!(esc01.from().unwrap().uri.user().unwrap(), "I have spaces");
    let contacts = esc01.contacts().unwrap();
    let contact = &contacts[0].addr().unwrap().uri;
    assert_eq!(contact.user().unwrap(), "caller");
    assert!(contact.is_loose());
    assert_eq!(contact.param(b"name").unwrap(), &b"value%41"[..]);

    let nulls = request("escnull");
    assert_eq!(nulls.to().unwrap().uri.user().unwrap(), "null-\0-null");
    assert_eq!(nulls.contacts().unwrap().len(), 2);

    let esc02 = request("esc02");
    assert_eq!(*esc02.method(), Method::Other("RE%47IST%45R".into()));
    assert_eq!(esc02.to().unwrap().display_name(), "%Z%45");
    assert_eq!(esc02.top_via().unwrap().branch.unwrap(), "z9hG4bK209%fzsnel234");
    assert_eq!(esc02.contacts().unwrap().len(), 2);
}

/// RFC 4475 §3.1.1.7, §3.1.1.9, §3.1.1.10.
#[test]
fn many_vias_are_read_in_order() {
    let long = request("longreq");
    let hosts: Vec<String> = long.vias().map(|via| via.unwrap().host.to_string()).collect();
    let mut expected: Vec<String> = (1..=33).rev().map(|n| format!("sip{n}.example.com")).collect();
    expected.push("host.example.com".to_owned());
    assert_eq!(hosts, expected);
    let transports = request("transports");
    let names: Vec<String> =
        transports.vias().map(|via| via.unwrap().transport.to_string()).collect();
    assert_eq!(names, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
    assert_eq!(request("semiuri").uri().unwrap().user().unwrap(), "user;par=u@example.net");
}

/// RFC 4475 §3.1.1.8: a second message in the datagram is none.
#[test]
fn what_follows_the_announced_body_is_cut_off() {
    let request = request("dblreq");
    assert_eq!(*request.method(), Method::Register);
    assert_eq!(request.body(), b"");
    assert!(request.bytes().ends_with(b"Content-Length: 0\r\n\r\n"));
}

/// RFC 4475 §3.1.1.12, §3.1.1.13.
#[test]
fn reason_phrases_may_be_empty_or_in_any_language() {
    assert_eq!(response("noreason").reason(), b"");
    assert_eq!(response("noreason").status(), StatusCode::TRYING);
    let reason = "= 2**3 * 5**2 но сто девяносто девять - простое";
    assert_eq!(response("unreason").reason(), reason.as_bytes());
}

/// RFC 4475 §3.3.13 to §3.3.15, §3.1.1.1.
#[test]
fn parameters_belong_to_the_header_unless_in_brackets() {
    let bare = request("cparam01").contacts().unwrap();
    assert!(bare[0].addr().unwrap().params.has(b"unknownparam"));
    assert!(!bare[0].addr().unwrap().uri.params().has(b"unknownparam"));
    let bracketed = request("cparam02").contacts().unwrap();
    assert!(!bracketed[0].addr().unwrap().params.has(b"unknownparam"));
    assert!(bracketed[0].addr().unwrap().uri.params().has(b"unknownparam"));
    let escaped = request("regescrt").contacts().unwrap();
    let (name, value) = {
        let mut headers = escaped[0].addr().unwrap().uri.headers();
        let (name, value) = headers.next().unwrap();
        (name.into_owned(), value.into_owned())
    };
    assert_eq!((&name[..], &value[..]), (&b"Route"[..], &b"<sip:sip.example.com>"[..]));
}

/// RFC 4475 §3.4.1: an RFC 2543 request has no branch, no From tag and no length.
#[test]
fn requests_of_the_old_rfc_are_read() {
    let old = request("inv2543");
    assert!(!old.top_via().unwrap().has_magic_branch());
    assert_eq!(old.from().unwrap().tag(), None);
    assert!(old.body().ends_with(b"AVP 0\r\n"));
    assert!(!request("badbranch").top_via().unwrap().has_magic_branch());
    assert!(request("bext01").top_via().unwrap().has_magic_branch());
}

/// RFC 5118 §4.5.
#[test]
fn addresses_of_version_6_are_read_with_and_without_brackets() {
    for name in ["via-received-param-with-delim", "via-received-param-no-delim"] {
        let via = request(name).top_via().unwrap();
        assert_eq!(via.received, Some("2001:db8::9:255".parse().unwrap()), "{name}");
    }
    let mapped = request("ipv4-mapped-ipv6").top_via().unwrap();
    assert_eq!(mapped.host.to_ip(), Some("192.0.2.10".parse().unwrap()));
    assert_eq!(mapped.port, Some(19823));
    assert_eq!(request("port-ambiguous").uri().unwrap().port(), None);
    assert_eq!(request("port-unambiguous").uri().unwrap().port(), Some(5070));
}

#[test]
fn compact_names_and_any_case_are_understood() {
    let request = parse(
        "OPTIONS sip:b@c SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\nF: <sip:a@c>;tag=1\r\n\
         t: <sip:b@c>\r\nI: x\r\ncSEQ: 1 OPTIONS\r\nk: 100rel, Timer\r\nS: lunch\r\n\
         m: <sip:a@h>\r\nl: 0\r\n\r\n",
    );
    assert_eq!(request.check(), Ok(()));
    assert_eq!(request.supported(), ["100rel", "timer"]);
    assert_eq!(request.header_named(b"subject").unwrap(), &b"lunch"[..]);
    assert_eq!(request.header_named(b"s").unwrap(), &b"lunch"[..]);
    let names: Vec<&[u8]> = request.fields().map(|field| field.raw_name).collect();
    assert_eq!(names, [&b"v"[..], b"F", b"t", b"I", b"cSEQ", b"k", b"S", b"m", b"l"]);
}

#[test]
fn lone_line_feeds_end_lines() {
    let request = parse(&with("", "body").replace("\r\n", "\n"));
    assert_eq!(request.check(), Ok(()));
    assert_eq!(request.body(), b"body");
    assert_eq!(request.from().unwrap().tag(), Some(&b"1"[..]));
}

#[test]
fn line_ends_before_a_message_are_passed_over() {
    let request = parse(&format!("\r\n\r\n{}", with("", "")));
    assert_eq!(request.check(), Ok(()));
    assert!(request.bytes().starts_with(b"OPTIONS "));
}

#[test]
fn a_header_that_is_not_utf_8_hides_no_other() {
    let text = with("X-Name: \u{1}\r\nX-After: here\r\n", "");
    let bytes: Vec<u8> = text.bytes().map(|byte| if byte == 1 { 0xff } else { byte }).collect();
    let request = expect_request(Message::parse(bytes.into()));
    assert_eq!(request.check(), Ok(()));
    assert_eq!(request.header_named(b"X-Name").unwrap(), &b"\xff"[..]);
    assert_eq!(request.header_named(b"x-after").unwrap(), &b"here"[..]);
}

#[test]
fn a_datagram_without_content_length_keeps_its_body() {
    let request = parse(&with("", "the body"));
    assert_eq!(request.check(), Ok(()));
    assert_eq!(request.body(), b"the body");
}

#[test]
fn content_length_is_believed_only_as_one_decimal_number_that_fits() {
    let bad = Flaw::Header("Content-Length");
    let cases = [
        ("Content-Length: 4\r\n", Ok(())),
        ("Content-Length: 0004\r\n", Ok(())),
        ("Content-Length:\r\n 4\r\n", Ok(())),
        ("l : 4\r\n", Ok(())),
        ("Content-Length: 5\r\n", Err(Flaw::Truncated)),
        ("Content-Length: 65536\r\n", Err(Flaw::BodyTooLarge)),
        ("Content-Length: 4294967300\r\n", Err(Flaw::BodyTooLarge)),
        ("Content-Length: 18446744073709551620\r\n", Err(bad)),
        ("Content-Length: -4\r\n", Err(bad)),
        ("Content-Length: +4\r\n", Err(bad)),
        ("Content-Length: 0x4\r\n", Err(bad)),
        ("Content-Length: four\r\n", Err(bad)),
        ("Content-Length: 4, 4\r\n", Err(bad)),
        ("Content-Length: 4 4\r\n", Err(bad)),
        ("Content-Length: 4\r\n 4\r\n", Err(bad)),
        ("Content-Length:\r\n", Err(bad)),
        ("Content-Length: 4\r\nl: 4\r\n", Err(Flaw::Repeated("Content-Length"))),
    ];
    for (field, expected) in cases {
        let request = parse(&with(field, "body"));
        assert_eq!(request.check().map_err(|error| error.flaw), expected, "{field}");
    }
}

#[test]
fn nothing_is_smuggled_in_a_header() {
    let cases = [
        "X: a\rTo: <sip:evil@c>\r\n",
        "X: a\0b\r\n",
        "no colon here\r\n",
        "Bad Name: a\r\n",
        ": a\r\n",
        "X\u{b}: a\r\n",
    ];
    for field in cases {
        let request = parse(&with(field, ""));
        assert_eq!(request.check().unwrap_err().flaw, Flaw::HeaderLine, "{field:?}");
    }
    let folded_start = parse("OPTIONS sip:b@c SIP/2.0\r\n X: a\r\nVia: SIP/2.0/UDP h\r\n\r\n");
    assert_eq!(folded_start.check().unwrap_err().flaw, Flaw::HeaderLine);
    let cut = parse("OPTIONS sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nTo: <sip:b");
    assert_eq!(cut.check().unwrap_err().flaw, Flaw::Truncated);
}

#[test]
fn each_flaw_has_its_status_and_the_reason_names_the_header() {
    let text = |change: &dyn Fn(String) -> String| {
        let error = parse(&change(with("", ""))).check().unwrap_err();
        format!("{} {}", error.flaw.status(), error.flaw.reason())
    };
    let replace = |from: &'static str, to: &str| {
        let to = to.to_owned();
        text(&move |message| message.replacen(from, &to, 1))
    };
    assert_eq!(replace("To: <sip:b@c>", "To: <sip:b@c"), "400 Unusable To header");
    assert_eq!(replace("To: <sip:b@c>\r\n", ""), "400 Missing To header");
    assert_eq!(replace("Call-ID: x", "Call-ID: x y"), "400 Unusable Call-ID header");
    assert_eq!(replace("Call-ID: x", "Call-ID: x\r\ni: y"), "400 Repeated Call-ID header");
    assert_eq!(replace("1 OPTIONS", "1 INVITE"), "400 CSeq method differs from request line");
    assert_eq!(replace("1 OPTIONS", "2147483648 OPTIONS"), "400 Unusable CSeq header");
    assert_eq!(replace("Via: ", "Max-Forwards: 256\r\nVia: "), "400 Unusable Max-Forwards header");
    assert_eq!(replace("Via: ", "Route: <sip:a\r\nVia: "), "400 Unusable Route header");
    assert_eq!(replace("Via: ", "m: *\r\nVia: "), "400 Unusable Contact header");
    assert_eq!(replace("sip:b@c SIP/2.0", "sip:b@c SIP/3.0"), "505 Version Not Supported");
    assert_eq!(replace("sip:b@c ", "mailto:b@c "), "416 Unsupported URI Scheme");
    assert_eq!(replace("sip:b@c ", "b@c "), "400 Malformed URI");
    let long = format!("sip:{}@c ", "b".repeat(URI_BYTES_MAX));
    assert_eq!(replace("sip:b@c ", &long), "414 Request-URI Too Long");
    assert_eq!(replace("Via: ", "l: 65536\r\nVia: "), "413 Request Entity Too Large");
}

#[test]
fn a_star_contact_stands_alone_and_only_in_register() {
    let register = with("Contact: *\r\nExpires: 0\r\n", "").replace("OPTIONS", "REGISTER");
    let register = parse(&register);
    assert_eq!(register.check(), Ok(()));
    assert_eq!(register.contacts().unwrap(), [ContactValue::Star]);
    let mixed = with("Contact: *, <sip:a@h>\r\n", "").replace("OPTIONS", "REGISTER");
    assert_eq!(parse(&mixed).check().unwrap_err().flaw, Flaw::Header("Contact"));
}

#[test]
fn limits_hold_at_their_edge() {
    let check = |text: &str| parse(text).check().map_err(|error| error.flaw);
    let base = parse(&with("", "")).fields().count();
    assert_eq!(check(&with(&"X: y\r\n".repeat(FIELDS_MAX - base), "")), Ok(()));
    let over = with(&"X: y\r\n".repeat(FIELDS_MAX - base + 1), "");
    assert_eq!(check(&over), Err(Flaw::TooLarge));

    let line = |len: usize| with(&format!("X: {}\r\n", "y".repeat(len - 5)), "");
    assert_eq!(check(&line(LINE_BYTES_MAX)), Ok(()));
    assert_eq!(check(&line(LINE_BYTES_MAX + 1)), Err(Flaw::TooLarge));
    let folded = with(&format!("X: y\r\n{}", " z\r\n".repeat(LINE_BYTES_MAX / 4)), "");
    assert_eq!(check(&folded), Err(Flaw::TooLarge));

    let contacts = |count: usize| with(&format!("m: {}\r\n", vec!["sip:a@h"; count].join(",")), "");
    assert_eq!(check(&contacts(VALUES_MAX)), Ok(()));
    assert_eq!(check(&contacts(VALUES_MAX + 1)), Err(Flaw::Header("Contact")));

    let body_len = MESSAGE_BYTES_MAX - with("", "").len();
    assert_eq!(check(&with("", &"b".repeat(body_len))), Ok(()));
    let over = Message::parse(with("", &"b".repeat(body_len + 1)).into());
    assert_eq!(over.unwrap_err().flaw, Flaw::TooLarge);
}

#[test]
fn what_cannot_be_answered_is_dropped() {
    let via = "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n";
    let cases = [
        (String::new(), Flaw::Empty),
        ("\r\n\r\n".to_owned(), Flaw::Empty),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), Flaw::NotSip),
        ("OPTIONS\r\n\r\n".to_owned(), Flaw::NotSip),
        ("OPT\u{e9}S sip:b@c SIP/2.0\r\n\r\n".to_owned(), Flaw::NotSip),
        ("OPTIONS sip:b@c SIP/2.0\r\n\r\n".to_owned(), Flaw::Missing("Via")),
        ("OPTIONS sip:b@c SIP/2.0\r\nVia: junk\r\n\r\n".to_owned(), Flaw::Header("Via")),
        (format!("SIP/2.0 99 Low\r\n{via}\r\n"), Flaw::StatusCode),
        (format!("SIP/2.0 700 High\r\n{via}\r\n"), Flaw::StatusCode),
        (format!("SIP/2.0 0200 Long\r\n{via}\r\n"), Flaw::StatusCode),
        (format!("SIP/3.0 200 OK\r\n{via}\r\n"), Flaw::Version),
        (format!("SIP/2.0 200 OK\r\n{via}\r\n"), Flaw::Missing("From")),
    ];
    for (text, flaw) in cases {
        assert_eq!(Message::parse(text.clone().into()).unwrap_err().flaw, flaw, "{text}");
    }
}

#[test]
fn two_vias_on_one_line_are_two() {
    let request =
        parse(&with("", "").replace("z9hG4bK1", "z9hG4bK1, SIP/2.0/TCP i;branch=z9hG4bK2"));
    let branches: Vec<_> = request.vias().map(|via| via.unwrap().branch.unwrap()).collect();
    assert_eq!(branches, ["z9hG4bK1", "z9hG4bK2"]);
    assert_eq!(request.check(), Ok(()));
}

#[test]
fn commas_in_quotes_and_brackets_part_nothing() {
    let request = parse(&with(
        "Contact: \"a, b\" <sip:x,y@h>;q=0.5, <sip:z@h>, ,\r\nContact: <sip:last@h>\r\n",
        "",
    ));
    let users: Vec<_> = request
        .contacts()
        .unwrap()
        .iter()
        .map(|contact| contact.addr().unwrap().uri.user().unwrap())
        .collect();
    assert_eq!(users, ["x,y", "z", "last"]);
    assert_eq!(request.values(HeaderName::Contact).count(), 3);
}

#[test]
fn times_are_read_as_the_rfc_asks_where_they_are_no_times() {
    let expires = |value: &str| parse(&with(&format!("Expires: {value}\r\n"), "")).expires();
    assert_eq!(expires("60"), Some(60));
    assert_eq!(expires("4294967295"), Some(u32::MAX));
    assert_eq!(expires("4294967296"), Some(u32::MAX));
    assert_eq!(expires("99999999999999999999999"), Some(u32::MAX));
    assert_eq!(expires("soon"), Some(3600));
    assert_eq!(parse(&with("", "")).expires(), None);
    let busy = parse(&with("Retry-After: 120 (lunch);duration=60\r\n", ""));
    assert_eq!(busy.retry_after(), Some(120));
}

#[test]
fn clones_share_the_bytes() {
    let request = parse(&with("", "body"));
    let clone = request.clone();
    assert_eq!(clone, request);
    assert_eq!(clone.bytes().as_ptr(), request.bytes().as_ptr());
}

/// A small OPTIONS with these fields after the others, and this body.
pub(crate) fn with(fields: &str, body: &str) -> String {
    format!(
        "OPTIONS sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: sip:a@c;tag=1\r\n\
         To: <sip:b@c>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n{fields}\r\n{body}"
    )
}

#[track_caller]
pub(crate) fn parse(text: &str) -> Request {
    expect_request(Message::parse(Bytes::copy_from_slice(text.as_bytes())))
}

#[track_caller]
pub(crate) fn parse_response(text: &str) -> Response {
    match Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap() {
        Message::Response(response) => response,
        Message::Request(request) => panic!("{request:?} is a request"),
    }
}

#[track_caller]
fn expect_request(message: Result<Message, crate::ParseError>) -> Request {
    match message.unwrap() {
        Message::Request(request) => request,
        Message::Response(response) => panic!("{response:?} is a response"),
    }
}
