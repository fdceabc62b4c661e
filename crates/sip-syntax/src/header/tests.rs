//! Names of header fields.

use super::HeaderName;

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
