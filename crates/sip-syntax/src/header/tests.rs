//! Names of header fields, and values by themselves.

use super::{CSeq, Challenge, ContentType, Credentials, HeaderName, NameAddr, Via, ViaTransport};
use crate::{BRANCH_BYTES_MAX, Flaw, Host, Method, PARAMS_MAX, TAG_BYTES_MAX};

#[test]
fn every_name_is_found_in_any_case() {
    for &name in HeaderName::ALL {
        let text = name.as_str();
        assert_eq!(HeaderName::from_bytes(text.as_bytes()), name);
        assert_eq!(HeaderName::from_bytes(text.to_uppercase().as_bytes()), name);
        assert_eq!(HeaderName::from_bytes(text.to_lowercase().as_bytes()), name);
    }
}

#[test]
fn compact_forms_are_found_in_any_case() {
    let pairs = [
        (b'a', HeaderName::AcceptContact),
        (b'b', HeaderName::ReferredBy),
        (b'c', HeaderName::ContentType),
        (b'd', HeaderName::RequestDisposition),
        (b'e', HeaderName::ContentEncoding),
        (b'f', HeaderName::From),
        (b'i', HeaderName::CallId),
        (b'j', HeaderName::RejectContact),
        (b'k', HeaderName::Supported),
        (b'l', HeaderName::ContentLength),
        (b'm', HeaderName::Contact),
        (b'n', HeaderName::IdentityInfo),
        (b'o', HeaderName::Event),
        (b'r', HeaderName::ReferTo),
        (b's', HeaderName::Subject),
        (b't', HeaderName::To),
        (b'u', HeaderName::AllowEvents),
        (b'v', HeaderName::Via),
        (b'x', HeaderName::SessionExpires),
        (b'y', HeaderName::Identity),
    ];
    for (letter, name) in pairs {
        assert_eq!(HeaderName::from_bytes(&[letter]), name);
        assert_eq!(HeaderName::from_bytes(&[letter.to_ascii_uppercase()]), name);
    }
}

#[test]
fn unknown_names_are_other() {
    for name in [&b""[..], b"z", b"Vi", b"Viaa", b"C%6Fntact", b"\xff\xfe"] {
        assert_eq!(HeaderName::from_bytes(name), HeaderName::Other);
    }
}

#[test]
fn a_tag_without_angle_brackets_is_the_headers() {
    let from = NameAddr::parse("sip:a@b;tag=x").unwrap();
    assert_eq!(from.tag(), Some(&b"x"[..]));
    assert!(from.uri.params().is_empty());
    let within = NameAddr::parse("<sip:a@b;tag=x>").unwrap();
    assert_eq!(within.tag(), None);
}

#[test]
fn display_names_come_quoted_or_not_and_in_any_script() {
    let name = |value: &'static str| NameAddr::parse(value).unwrap().display_name().into_owned();
    assert_eq!(name("sip:a@b"), "");
    assert_eq!(name("<sip:a@b>"), "");
    assert_eq!(name("\"\" <sip:a@b>"), "");
    assert_eq!(name("Anna  Lee <sip:a@b>"), "Anna  Lee");
    assert_eq!(name("caller<sip:a@b>"), "caller");
    assert_eq!(name("\"a \\\"b\\\" <c>, d\"<sip:a@b>"), "a \"b\" <c>, d");
    assert_eq!(name("\"สมชาย 山田 😀\" <sip:a@b>"), "สมชาย 山田 😀");
    assert_eq!(name("สมชาย <sip:a@b>"), "สมชาย");
    assert_eq!(name("\"two\r\n lines\" <sip:a@b>"), "two lines");
    assert_eq!(name("O'Neil (Work) @home <sip:a@b>"), "O'Neil (Work) @home");
}

#[test]
fn addresses_that_could_be_misread_are_refused() {
    let long_tag = format!("sip:a@b;tag={}", "x".repeat(TAG_BYTES_MAX + 1));
    let many = format!("sip:a@b{}", (0..=PARAMS_MAX).map(|n| format!(";p{n}")).collect::<String>());
    let values = [
        "",
        "sip:",
        "<sip:a@b",
        "sip:a@b>",
        "< sip:a@b>",
        "<sip:a@b >",
        "\"x <sip:a@b>",
        "\"x\" sip:a@b",
        "x, y <sip:a@b>",
        "a;b <sip:a@b>",
        "x \"y\" <sip:a@b>",
        "sip:a@b?x=y",
        "sip:a@b,sip:c@d",
        "<sip:a@b>;",
        "<sip:a@b>;;x",
        "<sip:a@b>x",
        "<sip:a@b>;tag=",
        "<sip:a@b>;tag",
        "<sip:a@b>;tag=a;TAG=b",
        "<sip:a@b>;x=\"y",
        "<sip:a@b>;x=y z",
        "<sip:a@b>;=x",
        "<sip:a@b> <sip:c@d>",
        &long_tag,
        &many,
    ];
    for value in values {
        let error = NameAddr::parse_slice(value.as_bytes()).unwrap_err();
        assert_eq!(error.flaw, Flaw::Header(""), "{value}");
    }
}

#[test]
fn q_values_are_thousandths() {
    let q = |q: &str| NameAddr::parse(format!("<sip:a@b>;q={q}")).unwrap().q();
    assert_eq!(
        [q("1"), q("1.0"), q("0.33"), q("0"), q("0.005"), q(".5")],
        [Some(1000), Some(1000), Some(330), Some(0), Some(5), Some(500),]
    );
    assert_eq!([q("1.001"), q("2"), q("0.1234"), q("0.x"), q("-1")], [None; 5]);
}

#[test]
fn contact_expiry_is_read_as_the_rfc_asks_where_it_is_none() {
    let expires =
        |value: &str| NameAddr::parse(format!("<sip:a@b>;expires={value}")).unwrap().expires();
    assert_eq!(expires("60"), Some(60));
    assert_eq!(expires("280297596632815"), Some(u32::MAX));
    assert_eq!(expires("later"), Some(3600));
    assert_eq!(NameAddr::parse("<sip:a@b>").unwrap().expires(), None);
}

#[test]
fn every_part_of_a_via_is_read() {
    let via = Via::parse(
        "SIP / 2.0 / tls  [2001:db8::9:1] : 6050 ; branch=z9hG4bK%41;received=192.0.2.3;rport=77;x",
    )
    .unwrap();
    assert_eq!(via.transport, ViaTransport::Tls);
    assert_eq!(via.host, Host::V6("2001:db8::9:1".parse().unwrap()));
    assert_eq!(via.port, Some(6050));
    assert_eq!(via.branch.as_deref(), Some(&b"z9hG4bK%41"[..]));
    assert!(via.has_magic_branch());
    assert_eq!(via.received, Some("192.0.2.3".parse().unwrap()));
    assert_eq!(via.rport, Some(Some(77)));
    assert!(via.params.has(b"X"));
    let asked = Via::parse("SIP/2.0/QUIC h;rport").unwrap();
    assert_eq!(asked.rport, Some(None));
    assert_eq!(asked.transport, ViaTransport::Other("QUIC".into()));
    assert_eq!(asked.branch, None);
}

#[test]
fn a_via_that_cannot_be_answered_to_is_refused() {
    for value in [
        "",
        "SIP/2.0/UDP",
        "SIP/2.0/UDP ",
        "SIP/2.0 UDP h",
        "HTTP/2.0/UDP h",
        "SIP/2.0/U@P h",
        "SIP/2.0/UDP h:0",
        "SIP/2.0/UDP h:65536",
        "SIP/2.0/UDP h:x",
        "SIP/2.0/UDP h i",
        "SIP/2.0/UDP 2001:db8::1",
        "SIP/2.0/UDP <h>",
    ] {
        let error = Via::parse_slice(value.as_bytes()).unwrap_err();
        assert_eq!(error.flaw, Flaw::Header("Via"), "{value}");
    }
    let strange = [
        "SIP/2.0/UDP h;branch=",
        "SIP/2.0/UDP h;branch=a;branch=b",
        "SIP/2.0/UDP h;;x",
        &format!("SIP/2.0/UDP h;branch={}", "b".repeat(BRANCH_BYTES_MAX + 1)),
    ];
    for value in strange {
        assert!(!Via::parse_slice(value.as_bytes()).unwrap().is_well_formed(), "{value}");
    }
}

#[test]
fn a_cseq_is_a_number_below_2_to_the_31_and_a_method() {
    let cseq = CSeq::parse("  0009\r\n\tINVITE ").unwrap();
    assert_eq!(cseq, CSeq { number: 9, method: Method::Invite });
    assert_eq!(cseq.to_string(), "9 INVITE");
    assert_eq!(CSeq::parse("2147483647 X").unwrap().number, (1 << 31) - 1);
    for value in ["", "1", "1 ", "INVITE 1", "1INVITE", "-1 X", "1.0 X", "2147483648 X", "1 A B"] {
        assert!(CSeq::parse(value).is_err(), "{value}");
    }
}

#[test]
fn digest_parameters_are_read_quoted_or_not() {
    let given = Credentials::parse(
        "Digest username=\"a\\\"b\", realm=\"x, y\",nonce=\"n=\" , uri=\"sip:a@b\",\r\n \
         response=\"6629fae4\", algorithm=SHA-256, qop=auth, nc=0000001f, cnonce=\"c\"",
    );
    assert!(given.is_digest());
    assert_eq!(given.username().unwrap(), &b"a\"b"[..]);
    assert_eq!(given.realm().unwrap(), &b"x, y"[..]);
    assert_eq!(given.nonce().unwrap(), &b"n="[..]);
    assert_eq!(given.response().unwrap(), &b"6629fae4"[..]);
    assert_eq!(given.algorithm().unwrap(), &b"SHA-256"[..]);
    assert_eq!(given.nonce_count(), Some(31));
    assert_eq!(given.opaque(), None);
    assert!(!format!("{given:?}").contains("6629fae4"));
    assert!(!Credentials::parse("NoOneKnowsThisScheme opaque-data=here").is_digest());
    // Which of two would be meant?
    assert_eq!(Credentials::parse("Digest nonce=\"a\", nonce=\"b\"").nonce(), None);
    for nc in ["1", "000000001", "0000000g", "+0000001"] {
        assert_eq!(Credentials::parse(format!("Digest nc={nc}")).nonce_count(), None, "{nc}");
    }
}

#[test]
fn challenges_say_what_they_offer() {
    let asked =
        Challenge::parse("Digest realm=\"r\", nonce=\"n\", qop=\"auth-int, auth\", STALE=True");
    assert!(asked.is_stale() && asked.offers_qop(b"auth") && asked.offers_qop(b"auth-int"));
    assert!(!asked.offers_qop(b"a"));
    let plain = Challenge::parse("Digest realm=\"r\", nonce=\"n\"");
    assert!(!plain.is_stale() && !plain.offers_qop(b"auth"));
    assert_eq!(plain.realm().unwrap(), &b"r"[..]);
}

#[test]
fn content_types_compare_without_case_and_parameters() {
    let sdp = ContentType::parse(" Application / SDP ;charset=\"utf-8\"");
    assert!(sdp.is("application/sdp") && !sdp.is("application/sdpx"));
    assert_eq!(sdp.param(b"Charset").unwrap(), &b"utf-8"[..]);
    assert!(!ContentType::parse("").is("application/sdp"));
}
