//! Random input: nothing panics, what is written is read back the same, cutting a stream anywhere
//! changes nothing, and well-formed messages mean to us what they mean to another implementation.

#![allow(clippy::unwrap_used, reason = "a failed test is the point")]

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use sip_syntax::{
    CSeq, Challenge, ContactValue, ContentType, Credentials, Framed, Framer, HeaderName, Headers,
    Host, Message, Method, NameAddr, Request, StatusCode, Uri, Via, escape_user, quote,
    response_to, unescape, via_with_received,
};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn noise_is_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        use_up(bytes.into());
    }

    #[test]
    fn almost_messages_are_read_without_a_panic(text in almost_message()) {
        use_up(text.into());
    }

    #[test]
    fn damaged_messages_are_read_without_a_panic(
        mut bytes in message_bytes(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), damaging_byte()), 1..12),
        cut in any::<prop::sample::Index>(),
        keep_whole in any::<bool>(),
    ) {
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if !keep_whole {
            bytes.truncate(cut.index(bytes.len()));
        }
        use_up(bytes.into());
    }

    #[test]
    fn values_are_read_without_a_panic(bytes in value_bytes()) {
        use_up_value(&Bytes::from(bytes));
    }

    #[test]
    fn a_uri_read_again_is_the_same(bytes in value_bytes()) {
        if let Ok(uri) = Uri::parse_slice(&bytes) {
            let again = Uri::parse_slice(uri.as_bytes());
            prop_assert_eq!(again.as_ref(), Ok(&uri));
            prop_assert!(uri.same_as(&uri));
        }
    }

    #[test]
    fn an_address_goes_into_a_header_and_comes_out(bytes in value_bytes()) {
        if let Ok(addr) = NameAddr::parse_slice(&bytes) {
            let request = Request::builder(Method::Options, b"sip:b@c")
                .header(HeaderName::From, addr.as_bytes())
                .finish_request();
            prop_assert_eq!(request.fields().count(), 2);
            // A NUL that nothing escapes becomes a space.
            if !addr.as_bytes().contains(&0) {
                prop_assert_eq!(request.from(), Ok(addr));
            }
        }
    }

    #[test]
    fn what_is_written_is_read_back(parts in parts()) {
        let request = parts.build();
        let Ok(Message::Request(again)) = Message::parse(request.bytes().clone()) else {
            return Err(TestCaseError::fail(format!("{parts:?} cannot be read back")));
        };
        prop_assert_eq!(again.check(), Ok(()));
        prop_assert_eq!(again.method(), &parts.method);
        prop_assert_eq!(again.body(), &parts.body[..]);
        prop_assert!(again.fields().eq(request.fields()));
        let from = again.from().unwrap();
        prop_assert_eq!(from.display_name(), parts.display.as_str());
        prop_assert_eq!(from.uri.user(), Some(parts.user.clone()));
        prop_assert_eq!(from.tag(), Some(parts.tag.as_bytes()));
        let branches: Vec<_> = again.vias().map(|via| via.unwrap().branch.unwrap()).collect();
        prop_assert_eq!(branches, parts.branches.clone());
        prop_assert_eq!(again.values(HeaderName::Supported).count(), parts.supported.len());
    }

    #[test]
    fn values_cannot_break_out(name in ".{0,12}", value in value_bytes(), body in value_bytes()) {
        let request = Request::builder(Method::Info, &value)
            .header(HeaderName::Via, "SIP/2.0/UDP h;branch=z9hG4bK1")
            .header_named(&name, &value)
            .header(HeaderName::Subject, &value)
            .body("text/plain", &body)
            .finish_request();
        let again = Message::parse(request.bytes().clone());
        if let Ok(Message::Request(again)) = again {
            prop_assert!(again.fields().eq(request.fields()));
            prop_assert_eq!(again.body(), &body[..]);
        }
    }

    #[test]
    fn an_answer_finds_back(parts in parts(), source in any::<std::net::SocketAddr>()) {
        let request = parts.build();
        let response = response_to(&request, Some(source), StatusCode::OK, None)
            .to_tag(b"ours")
            .finish_response();
        let Ok(Message::Response(again)) = Message::parse(response.bytes().clone()) else {
            return Err(TestCaseError::fail(format!("{parts:?} cannot be answered")));
        };
        prop_assert_eq!(again.call_id(), request.call_id());
        prop_assert_eq!(again.cseq(), request.cseq());
        let to = again.to().unwrap();
        prop_assert_eq!(to.tag(), Some(&b"ours"[..]));
        let via = again.top_via().unwrap();
        let reached = via.received.map_or_else(|| via.host.to_ip(), |ip| Some(ip.to_canonical()));
        prop_assert_eq!(reached, Some(source.ip().to_canonical()));
        prop_assert_eq!(via.branch, request.top_via().unwrap().branch);
        prop_assert_eq!(again.vias().count(), request.vias().count());
    }

    #[test]
    fn a_stream_cut_anywhere_gives_the_same(
        messages in prop::collection::vec(stream_piece(), 1..4),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let stream = messages.concat();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|ends| &stream[ends[0]..ends[1]]);
        prop_assert_eq!(frame(pieces), frame(stream.chunks(1)));
    }

    #[test]
    fn a_message_on_a_stream_is_the_datagram(parts in parts(), next in message_bytes()) {
        let request = parts.build();
        let mut stream = request.bytes().to_vec();
        stream.extend_from_slice(&next);
        let mut framer = Framer::new();
        framer.push(&stream);
        prop_assert_eq!(framer.next(), Ok(Some(Framed::Message(request.bytes().clone()))));
        let Ok(Message::Request(cut)) = Message::parse(stream.into()) else {
            return Err(TestCaseError::fail("the datagram is unreadable"));
        };
        prop_assert_eq!(cut, request);
    }

    #[test]
    fn text_survives_quoting_and_escaping(text in "[^\\x00-\\x1f\\x7f]{0,20}") {
        let value = format!("{} <sip:{}@h>", quote(&text), escape_user(format!("u{text}")));
        let addr = NameAddr::parse(value).unwrap();
        prop_assert_eq!(addr.display_name(), text.as_str());
        prop_assert_eq!(addr.uri.user(), Some(format!("u{text}")));
        let escaped = escape_user(&text);
        prop_assert_eq!(unescape(escaped.as_bytes()), text.as_bytes());
    }

    #[test]
    fn another_implementation_reads_the_same(parts in parts()) {
        let ours = parts.build();
        let theirs = sipx_sip::parse_datagram(ours.bytes().clone(), &sipx_sip::Limits::default());
        let Ok(sipx_sip::Message::Request(theirs)) = theirs else {
            return Err(TestCaseError::fail(format!("{parts:?} they cannot read: {theirs:?}")));
        };
        prop_assert_eq!(theirs.method.as_bytes(), ours.method().as_bytes());
        prop_assert_eq!(&theirs.body()[..], ours.body());
        let their_values: Vec<_> =
            theirs.headers.iter().map(|header| header.value().trim_ascii().to_vec()).collect();
        let our_values: Vec<_> = ours.fields().map(|field| field.value.to_vec()).collect();
        prop_assert_eq!(their_values, our_values);
        let value = |name: &sipx_sip::HeaderName| theirs.headers.value(name).unwrap().into_owned();
        let their_from =
            sipx_sip::Address::parse(&value(&sipx_sip::HeaderName::From), "From").unwrap();
        let our_from = ours.from().unwrap();
        prop_assert_eq!(their_from.tag(), our_from.tag());
        let their_vias: Vec<_> = theirs
            .headers
            .get_all(&sipx_sip::HeaderName::Via)
            .flat_map(|header| sipx_sip::Via::parse_list(&header.value()).unwrap())
            .map(|via| (via.transport.clone(), via.branch().map(<[u8]>::to_vec), via.port))
            .collect();
        let our_vias: Vec<_> = ours
            .vias()
            .map(Result::unwrap)
            .map(|via| {
                let branch = via.branch.as_ref().map(|branch| branch.to_vec());
                (via.transport.as_bytes().to_vec(), branch, via.port)
            })
            .collect();
        prop_assert_eq!(their_vias, our_vias);
    }
}

/// The same cases in every run, unless `PROPTEST_RNG_SEED` says otherwise; as many as
/// `PROPTEST_CASES` says.
fn config() -> ProptestConfig {
    let config = ProptestConfig::default();
    let rng_seed = match config.rng_seed {
        RngSeed::Random => RngSeed::Fixed(5060),
        RngSeed::Fixed(seed) => RngSeed::Fixed(seed),
    };
    ProptestConfig { rng_seed, failure_persistence: None, ..config }
}

/// What a request is made of, already in its decoded form.
#[derive(Debug, Clone)]
struct Parts {
    method: Method,
    display: String,
    user: String,
    tag: String,
    branches: Vec<String>,
    via_params: String,
    call_id: String,
    cseq: u32,
    supported: Vec<String>,
    extra: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Parts {
    fn build(&self) -> Request {
        let uri = format!("sip:{}@example.com", escape_user(&self.user));
        let mut builder = Request::builder(self.method.clone(), uri.as_bytes());
        for (at, branch) in self.branches.iter().enumerate() {
            let via = format!(
                "SIP/2.0/TCP 192.0.2.{}:{};branch={branch}{}",
                at + 1,
                5060 + at,
                self.via_params
            );
            builder = builder.header(HeaderName::Via, via);
        }
        let from = format!("{} <{uri}>;tag={}", quote(&self.display), self.tag);
        builder = builder
            .header(HeaderName::From, from)
            .header(HeaderName::To, format!("<{uri}>"))
            .header(HeaderName::CallId, &self.call_id)
            .header(HeaderName::CSeq, format!("{} {}", self.cseq, self.method))
            .header(HeaderName::Supported, self.supported.join(", "));
        for (name, value) in &self.extra {
            builder = builder.header_named(format!("X-{name}"), value);
        }
        builder.body("application/octet-stream", &self.body).finish_request()
    }
}

fn parts() -> impl Strategy<Value = Parts> {
    let token = "[A-Za-z0-9_.!%*+`'~-]{1,12}";
    let method = prop_oneof![
        prop::sample::select(Method::KNOWN.to_vec()),
        "[A-Z0-9_.!*+`'~-]{1,10}".prop_map(|name| Method::from_bytes(name.as_bytes())),
    ];
    (
        (method, "[^\\x00-\\x1f\\x7f]{0,12}", "[^\\x00-\\x1f\\x7f]{1,12}", token),
        prop::collection::vec("z9hG4bK[A-Za-z0-9.-]{1,12}", 1..4),
        prop::sample::select(vec!["", ";rport", ";received=192.0.2.9", ";x=\"a;b,c\"", ";ttl=1"]),
        "[A-Za-z0-9.@-]{1,20}",
        0_u32..1 << 31,
        prop::collection::vec("[a-z0-9-]{1,8}", 1..4),
        prop::collection::vec((token, "[ -~]{0,20}"), 0..4),
        prop::collection::vec(any::<u8>(), 0..64),
    )
        .prop_map(|(names, branches, via_params, call_id, cseq, supported, extra, body)| {
            let (method, display, user, tag) = names;
            let via_params = via_params.to_owned();
            Parts {
                method,
                display,
                user,
                tag,
                branches,
                via_params,
                call_id,
                cseq,
                supported,
                extra,
                body,
            }
        })
}

fn message_bytes() -> impl Strategy<Value = Vec<u8>> {
    parts().prop_map(|parts| parts.build().bytes().to_vec())
}

/// What may come between or instead of messages on a stream.
fn stream_piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => message_bytes(),
        1 => Just(b"\r\n\r\n".to_vec()),
        1 => Just(b"\r\n".to_vec()),
        1 => almost_message().prop_map(String::into_bytes),
    ]
}

/// Bytes that mean something somewhere.
fn damaging_byte() -> impl Strategy<Value = u8> {
    prop_oneof![prop::sample::select(b"\r\n\0 \t:;,<>\"\\%@?=/[]*0\xff".to_vec()), any::<u8>()]
}

/// Runs of syntax, some of which are values.
fn value_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "sip:",
        "sips:",
        "tel:",
        "<",
        ">",
        "\"",
        "\\",
        ";",
        ",",
        "=",
        "@",
        ":",
        "?",
        "&",
        "%41",
        "%",
        "[::1]",
        "[",
        "]",
        "192.0.2.1",
        "a",
        "example.com",
        "5060",
        "tag",
        "branch",
        "q",
        "rport",
        "received",
        "SIP/2.0/UDP",
        "SIP",
        "/",
        " ",
        "\t",
        "\r\n ",
        "\0",
        "lr",
        "*",
        "1",
        "4294967296",
        "INVITE",
        "Digest",
        "nonce",
        "สม",
        "\u{7f}",
        "-",
        ".",
        "+",
    ]);
    prop_oneof![
        3 => prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

/// Start lines and fields that are often right.
fn almost_message() -> impl Strategy<Value = String> {
    let start = prop::sample::select(vec![
        "INVITE sip:a@b SIP/2.0",
        "SIP/2.0 200 OK",
        "SIP/2.0 200",
        "A  b SIP/2.0",
        "SIP/2.0 ",
        "ACK tel:1 SIP/9.9",
        " SIP/2.0",
        "",
        "REGISTER <sip:a> SIP/2.0 ",
    ]);
    let line = prop::sample::select(vec![
        "Via: SIP/2.0/UDP h;branch=z9hG4bK1",
        "v:SIP/2.0/UDP [::1]:5,",
        "Via:",
        "From: a<sip:b>",
        "From: sip:a@b;tag=1",
        "To: \"",
        "to : <sip:b@c>",
        "Call-ID: x",
        "CSeq: 1 INVITE",
        "CSeq: 1 ACK",
        "Contact: *",
        "m: <sip:a@b>;expires=x, sip:c;q=0.7",
        "Route: <sip:a;lr>,",
        "Content-Length: 3",
        "Content-Length: 99999",
        "l: -1",
        "l: 0",
        "Max-Forwards: 256",
        " folded",
        "\t",
        ": x",
        "no field",
        "X\0: y",
        "X: \0",
        "X: \ry",
        "Expires: 7",
        "Authorization: Digest nonce=\"a\", nc=1",
        "WWW-Authenticate: Digest",
        "Date: a, b",
    ]);
    let end = prop::sample::select(vec!["\r\n", "\n"]);
    (start, prop::collection::vec((line, end.clone()), 0..12), end, "[ -~]{0,8}").prop_map(
        |(start, lines, end, body)| {
            let lines: String = lines.iter().map(|(line, end)| format!("{line}{end}")).collect();
            format!("{start}{end}{lines}{end}{body}")
        },
    )
}

/// Calls all that can be called on a message.
fn use_up(bytes: Bytes) {
    let len = bytes.len();
    let Ok(message) = Message::parse(bytes) else { return };
    use_up_headers(message.headers());
    match message {
        Message::Request(request) => {
            let checked = request.check();
            let uri = request.uri();
            assert!(checked.is_err() || uri.is_ok());
            if let Err(error) = checked {
                assert!(error.flaw.status().is_failure() && !error.flaw.reason().is_empty());
                assert!(error.offset <= len, "{error}");
            }
            for source in [None, Some("[2001:db8::1]:5".parse().unwrap())] {
                let response =
                    response_to(&request, source, StatusCode::BUSY_HERE, None).to_tag(b"t");
                let response = response.finish_response();
                if checked.is_ok() {
                    assert!(Message::parse(response.bytes().clone()).is_ok(), "{response:?}");
                }
            }
        }
        Message::Response(response) => {
            assert!(response.from().is_ok() && response.to().is_ok() && response.cseq().is_ok());
            assert_eq!(response.class(), response.status().class());
        }
    }
}

fn use_up_headers(headers: &Headers) {
    let fields: Vec<_> = headers.fields().collect();
    assert!(headers.bytes().ends_with(headers.body()));
    for field in &fields {
        assert!(!field.raw_name.is_empty());
        assert!(headers.header_named(field.raw_name).is_some());
        use_up_value(&Bytes::copy_from_slice(field.value));
        let pieces = headers.values(field.name).count();
        assert!(pieces <= sip_syntax::VALUES_MAX);
        for value in headers.values(field.name) {
            assert!(!value.contains(&b'\n') && !value.contains(&b'\r'));
        }
    }
    let vias = headers.vias().filter(Result::is_ok).count();
    assert!(vias <= sip_syntax::VALUES_MAX);
    let lists = [headers.routes(), headers.record_routes()];
    assert!(lists.iter().flatten().all(|list| list.len() <= sip_syntax::VALUES_MAX));
    let contacts = headers.contacts().unwrap_or_default();
    for contact in contacts.iter().filter_map(ContactValue::addr) {
        assert!(contact.q().is_none_or(|q| q <= 1000));
    }
    let credentials = [headers.authorizations(), headers.proxy_authorizations()];
    assert!(
        credentials.concat().iter().all(|one| one.nonce_count().is_none() || one.nc().is_some())
    );
    let challenges = [headers.challenges(), headers.proxy_challenges()];
    assert!(challenges.concat().len() <= 2 * sip_syntax::VALUES_MAX);
    let hops = headers.max_forwards();
    assert_eq!(hops.is_some(), headers.has(HeaderName::MaxForwards));
    assert_eq!(headers.expires().is_some(), headers.has(HeaderName::Expires));
    assert_eq!(headers.content_type().is_some(), headers.has(HeaderName::ContentType));
    assert_eq!(headers.call_id(), &headers.call_id_bytes()[..]);
}

/// Reads bytes as each kind of value.
fn use_up_value(bytes: &Bytes) {
    if let Ok(via) = Via::parse(bytes.clone()) {
        let source = "192.0.2.1:5060".parse().unwrap();
        let passed_on = Via::parse(via_with_received(&via, source)).unwrap();
        assert_eq!(passed_on.branch, via.branch);
        assert_eq!(passed_on.rport.is_some(), via.rport.is_some());
    }
    if let Ok(addr) = NameAddr::parse(bytes.clone()) {
        assert!(addr.tag().is_none_or(|tag| !tag.is_empty()));
        assert_eq!(NameAddr::parse_slice(addr.as_bytes()), Ok(addr.clone()));
        assert!(addr.params.iter().count() <= sip_syntax::PARAMS_MAX);
    }
    if let Ok(uri) = Uri::parse(bytes.clone()) {
        assert_eq!(uri.user().is_some(), uri.user_bytes().is_some());
        assert!(uri.headers().count() > 0 || !uri.has_headers());
    }
    if let Ok(cseq) = CSeq::parse(bytes.clone()) {
        assert_eq!(CSeq::parse(cseq.to_string()), Ok(cseq));
    }
    if let Some(host) = Host::parse(bytes) {
        assert_eq!(Host::parse(&host.to_string().into()), Some(host));
    }
    let credentials = Credentials::parse(bytes.clone());
    assert_eq!(credentials.is_digest(), credentials.scheme().eq_ignore_ascii_case(b"digest"));
    let challenge = Challenge::parse(bytes.clone());
    assert!(!challenge.is_stale() || challenge.param(b"stale").is_some());
    let content_type = ContentType::parse(bytes.clone());
    assert!(content_type.essence().len() <= bytes.len());
}

/// All that a stream gives when pushed in these pieces.
fn frame<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Result<Framed, String>> {
    let mut framer = Framer::new();
    let mut all = Vec::new();
    for piece in pieces {
        framer.push(piece);
        loop {
            match framer.next() {
                Ok(Some(framed)) => all.push(Ok(framed)),
                Ok(None) => break,
                Err(error) => {
                    all.push(Err(error.to_string()));
                    return all;
                }
            }
        }
    }
    all
}
