//! URIs read, refused and compared.

use crate::{Flaw, Host, Scheme, URI_BYTES_MAX, Uri};

#[test]
fn the_parts_of_a_sip_uri_are_told_apart() {
    let uri = parse("sips:al%69ce:secret@atlanta.com:5061;transport=TCP;lr?subject=a%20b&x=");
    assert_eq!(uri.scheme(), Scheme::Sips);
    assert_eq!(uri.user().unwrap(), "alice");
    assert_eq!(uri.user_bytes(), Some(&b"al%69ce"[..]));
    assert_eq!(uri.password_bytes(), Some(&b"secret"[..]));
    assert_eq!(*uri.host(), Host::Name("ATLANTA.com".into()));
    assert_eq!(uri.port(), Some(5061));
    assert_eq!(uri.param(b"TRANSPORT").unwrap(), &b"TCP"[..]);
    assert!(uri.is_loose());
    assert_eq!(uri.param(b"maddr"), None);
    let headers: Vec<_> = uri.headers().collect();
    assert_eq!(headers.len(), 2);
    assert_eq!((&headers[0].0[..], &headers[0].1[..]), (&b"subject"[..], &b"a b"[..]));
    assert_eq!(uri.to_string().as_bytes(), uri.as_bytes());
}

#[test]
fn hosts_may_be_addresses() {
    let host = |uri: &str| parse(uri).host().clone();
    assert_eq!(host("sip:192.0.2.1"), Host::V4("192.0.2.1".parse().unwrap()));
    assert_eq!(host("sip:a@[2001:db8::1]:5070"), Host::V6("2001:db8::1".parse().unwrap()));
    // RFC 5118 §4.10: the grammar of RFC 3261 asks for a third colon by mistake.
    let corrected = host("sip:a@[2001:db8::192.0.2.1]");
    assert_eq!(host("sip:a@[2001:db8:::192.0.2.1]"), corrected);
    assert_eq!(host("sip:my_host.local.").to_string(), "my_host.local.");
    assert_eq!(host("sip:a@[::1]").to_string(), "[::1]");
}

#[test]
fn telephone_numbers_and_unknown_schemes_are_kept() {
    let tel = parse("tel:+1-201-555-0123;phone-context=example.com");
    assert_eq!(tel.scheme(), Scheme::Tel);
    assert_eq!(tel.user().unwrap(), "+1-201-555-0123");
    assert_eq!(tel.param(b"phone-context").unwrap(), &b"example.com"[..]);
    assert_eq!(*tel.host(), Host::Name("".into()));
    let urn = parse("urn:service:sos?x");
    assert_eq!(urn.scheme(), Scheme::Other);
    assert_eq!(urn.user().unwrap(), "service:sos?x");
}

#[test]
fn what_is_no_uri_is_refused() {
    let uris = [
        "",
        "sip",
        "sip:",
        ":a@b",
        "1sip:a@b",
        "sip:@b",
        "sip::p@b",
        "sip:a@",
        "sip:a@b@c",
        "sip:a@b:",
        "sip:a@b:0",
        "sip:a@b:65536",
        "sip:a@b:-1",
        "sip:a@b:5060x",
        "sip:a@b;",
        "sip:a@b;;lr",
        "sip:a@b;=x",
        "sip:a@b;p=%4",
        "sip:a b@c",
        "sip:a@b ",
        "<sip:a@b>",
        "sip:a%@b",
        "sip:a%zz@b",
        "sip:a@[::1",
        "sip:a@::1",
        "sip:a@[::g]",
        "sip:a@[1.2.3.4]",
        "sip:a@1.2.3.256",
        "sip:a@1.2.3",
        "sip:a@b/c",
        "sip:a@b?",
        "sip:a@b?x",
        "sip:a@b?=x",
        "sip:a@b?x=%",
        "sip:a@b\r\n",
        "tel:",
        "tel:;x=y",
        "tel:bob!",
        "tel:+",
        "sip:2001:db8::10",
    ];
    for uri in uris {
        assert_eq!(Uri::parse_slice(uri.as_bytes()).unwrap_err().flaw, Flaw::Uri, "{uri}");
    }
    let long = format!("sip:{}@b", "a".repeat(URI_BYTES_MAX));
    assert_eq!(Uri::parse(long).unwrap_err().flaw, Flaw::UriTooLong);
}

/// RFC 3261 §19.1.4.
#[test]
fn uris_are_equal_as_the_rfc_says() {
    let equal = [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("tel:+1-201-555-0123", "tel:+12015550123"),
        ("URN:service:sos", "urn:service:sos"),
    ];
    for (one, two) in equal {
        assert!(parse(one).same_as(&parse(two)), "{one} {two}");
        assert!(parse(two).same_as(&parse(one)), "{two} {one}");
    }
    let different = [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=off", "sip:carol@chicago.com;security=on"),
        ("sip:a@b", "sips:a@b"),
        ("sip:a@b", "sip:b"),
        ("sip:a:x@b", "sip:a:y@b"),
        ("tel:+12015550123", "tel:+12015550124"),
        ("urn:service:sos", "urn:service:SOS"),
    ];
    for (one, two) in different {
        assert!(!parse(one).same_as(&parse(two)), "{one} {two}");
        assert!(!parse(two).same_as(&parse(one)), "{two} {one}");
    }
}

#[track_caller]
fn parse(uri: &str) -> Uri {
    Uri::parse_slice(uri.as_bytes()).unwrap()
}
