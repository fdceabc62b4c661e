//! Which challenges are answered, and how.

use super::*;

#[test]
fn the_best_known_algorithm_is_taken() {
    let value = reply(&[
        "Digest realm=\"r\", nonce=\"a\", algorithm=SHA-512-256, qop=\"auth\"",
        "Digest realm=\"r\", nonce=\"b\", algorithm=MD5, qop=\"auth\"",
        "Digest realm=\"r\", nonce=\"c\", algorithm=SHA-256, qop=\"auth\"",
    ]);
    let value = value.unwrap();
    assert!(value.contains("nonce=\"c\"") && value.contains("algorithm=SHA-256"), "{value}");
    assert!(value.contains("qop=auth, nc=00000001, cnonce="), "{value}");
}

#[test]
fn an_old_server_gets_an_answer_without_what_it_did_not_ask_for() {
    let value = reply(&["Digest realm=\"r\", nonce=\"a\", opaque=\"o\""]).unwrap();
    assert!(!value.contains("algorithm") && !value.contains("qop"), "{value}");
    assert!(value.ends_with("opaque=\"o\""), "{value}");
}

#[test]
fn other_realms_and_unknown_demands_get_nothing() {
    assert_eq!(reply(&["Digest realm=\"other\", nonce=\"a\""]), None);
    assert_eq!(reply(&["Digest realm=\"r\", nonce=\"a\", qop=\"auth-int\""]), None);
    assert_eq!(reply(&["Digest realm=\"r\", nonce=\"a\", algorithm=MD4"]), None);
    assert_eq!(reply(&["Digest realm=\"r\""]), None);
    assert_eq!(reply(&["Basic realm=\"r\""]), None);
    assert_eq!(reply(&[]), None);
}

/// RFC 3261 §22.4, with the values of RFC 2617 §3.5 which it builds on: quotes in names are escaped.
#[test]
fn names_are_quoted() {
    let credentials =
        ClientCredentials { user: "a\"b".to_owned(), secret: String::new(), realm: None };
    let challenge = Challenge::parse("Digest realm=\"r\", nonce=\"a\"");
    let mut rng = fastrand::Rng::with_seed(1);
    let value = answer(&[challenge], &credentials, &Method::Invite, b"sip:b", &mut rng).unwrap();
    assert!(value.starts_with("Digest username=\"a\\\"b\""), "{value}");
}

#[test]
fn the_secret_is_never_shown() {
    let credentials =
        ClientCredentials { user: "u".to_owned(), secret: "hush".to_owned(), realm: None };
    assert!(!format!("{credentials:?}").contains("hush"));
}

fn reply(challenges: &[&'static str]) -> Option<String> {
    let challenges: Vec<_> = challenges.iter().map(|one| Challenge::parse(*one)).collect();
    let credentials = ClientCredentials {
        user: "u".to_owned(),
        secret: "s".to_owned(),
        realm: Some("r".to_owned()),
    };
    let mut rng = fastrand::Rng::with_seed(1);
    answer(&challenges, &credentials, &Method::Invite, b"sip:b", &mut rng)
}
