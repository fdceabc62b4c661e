//! Proofs that are right, wrong, old and used before.

use super::*;
use crate::{ClientCredentials, answer};

#[test]
fn a_right_proof_is_good_once() {
    let (mut server, now) = server();
    let credentials = prove(&mut server, now, "secret");
    assert_eq!(verify(&mut server, now, &credentials), Verdict::Good);
    assert_eq!(verify(&mut server, now, &credentials), Verdict::Replayed);
}

#[test]
fn a_wrong_secret_is_wrong_however_often() {
    let (mut server, now) = server();
    let credentials = prove(&mut server, now, "guess");
    assert_eq!(verify(&mut server, now, &credentials), Verdict::Wrong);
    assert_eq!(verify(&mut server, now, &credentials), Verdict::Wrong);
    assert!(server.used.is_empty(), "a stranger must cost no memory");
}

/// RFC 8760 §2.3: the better algorithm stands first, so that clients which take the first take it.
#[test]
fn challenges_offer_sha_256_and_then_md5() {
    let (mut server, now) = server();
    let challenges = server.challenges(now, HERE, false);
    let [first, second] = challenges.as_slice() else {
        panic!("not two challenges");
    };
    assert!(first.contains("algorithm=SHA-256") && second.contains("algorithm=MD5"));
    assert!(!first.contains("stale"));
    assert!(server.challenges(now, HERE, true).iter().all(|one| one.ends_with("stale=true")));
}

#[test]
fn md5_is_enough_for_old_phones() {
    let (mut server, now) = server();
    let md5 = server.challenges(now, HERE, false).remove(1);
    let credentials = prove_to(&[md5], "secret");
    assert_eq!(verify(&mut server, now, &credentials), Verdict::Good);
}

/// RFC 7616 §3.4.1, by the example of §3.9.1, both algorithms.
#[test]
fn the_proofs_are_those_of_the_rfc() {
    let proof = |algorithm| Proof {
        algorithm,
        user: b"Mufasa",
        realm: b"http-auth@example.org",
        nonce: b"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        method: b"GET",
        uri: b"/dir/index.html",
        counted: Some((b"00000001", b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")),
    };
    assert_eq!(
        proof(Algorithm::Md5).response(b"Circle of Life"),
        "8ca523f5e9506fed4657c9700eebdbec"
    );
    assert_eq!(
        proof(Algorithm::Sha256).response(b"Circle of Life"),
        "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
    );
}

#[test]
fn what_is_not_offered_is_not_accepted() {
    let (server, now) = server();
    let mut server = server.offering(&[Algorithm::Md5]);
    let challenges = server.challenges(now, HERE, false);
    assert_eq!(challenges.len(), 1);
    assert!(challenges.iter().all(|challenge| challenge.contains("algorithm=MD5")));
    let credentials = prove(&mut server, now, "secret");
    assert_eq!(verify(&mut server, now, &credentials), Verdict::Good);
    let mut server = server.offering(&[Algorithm::Sha256]);
    let credentials = prove(&mut server, now, "secret");
    let mut server = server.offering(&[Algorithm::Md5]);
    assert_eq!(verify(&mut server, now, &credentials), Verdict::Wrong);
}

#[test]
fn a_nonce_grows_old() {
    let (mut server, now) = server();
    let credentials = prove(&mut server, now, "secret");
    let later = now + LIFETIME + Duration::from_secs(1);
    assert_eq!(verify(&mut server, later, &credentials), Verdict::Stale);
}

#[test]
fn a_nonce_of_somebody_else_is_stale() {
    let (mut server, now) = server();
    let mut other = DigestServer::new("example.org", 2);
    let credentials = prove(&mut other, now, "secret");
    assert_eq!(verify(&mut server, now, &credentials), Verdict::Stale);
}

#[test]
fn counts_may_come_out_of_order_but_not_twice() {
    let mut window = Window::default();
    for (count, is_free) in [
        (1, true),
        (3, true),
        (2, true),
        (2, false),
        (100, true),
        (37, true),
        (36, false),
        (37, false),
    ] {
        assert_eq!(window.is_free(count), is_free, "{count}");
        if is_free {
            window.take(count);
        }
    }
}

#[test]
fn a_client_that_does_not_count_is_good_once() {
    let (mut server, now) = server();
    let nonce = nonce_of(&server.challenges(now, HERE, false));
    let proof = Proof {
        algorithm: Algorithm::Md5,
        user: b"101",
        realm: b"example.org",
        nonce: nonce.as_bytes(),
        method: b"REGISTER",
        uri: b"sip:example.org",
        counted: None,
    };
    let response = proof.response(b"secret");
    let credentials = Credentials::parse(format!(
        "Digest username=\"101\", realm=\"example.org\", nonce=\"{nonce}\", \
         uri=\"sip:example.org\", response=\"{response}\""
    ));
    assert_eq!(verify(&mut server, now, &credentials), Verdict::Good);
    assert_eq!(verify(&mut server, now, &credentials), Verdict::Replayed);
}

/// RFC 7616 §3.4.6: a proof for one request is none for another; URIs compare as RFC 3261 §19.1.4 says.
#[test]
fn method_realm_and_uri_are_part_of_the_proof() {
    let (mut server, now) = server();
    let credentials = prove(&mut server, now, "secret");
    assert_eq!(
        server.verify(now, HERE, &credentials, &Method::Invite, "secret"),
        Verdict::Wrong,
        "another method"
    );
    let mut elsewhere = DigestServer::new("elsewhere.org", 1);
    assert_eq!(verify(&mut elsewhere, now, &credentials), Verdict::Wrong, "another realm");
    let request = |uri: &[u8]| {
        sip_syntax::Request::builder(Method::Register, uri)
            .header(sip_syntax::HeaderName::Via, "SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKx")
            .finish_request()
    };
    let other = request(b"sip:other.org");
    assert_eq!(server.verify_request(now, HERE, &credentials, &other, "secret"), Verdict::Wrong);
    let same = request(b"sip:EXAMPLE.org");
    assert_eq!(server.verify_request(now, HERE, &credentials, &same, "secret"), Verdict::Good);
}

#[test]
fn a_full_memory_makes_the_oldest_nonces_stale_but_never_good_again() {
    let (mut server, now) = server();
    server.used_max = 2;
    let all: Vec<_> = (0..3)
        .map(|second| {
            let now = now + Duration::from_secs(second);
            let credentials = prove(&mut server, now, "secret");
            assert_eq!(verify(&mut server, now, &credentials), Verdict::Good);
            credentials
        })
        .collect();
    let now = now + Duration::from_secs(4);
    let verdicts: Vec<_> = all.iter().map(|one| verify(&mut server, now, one)).collect();
    assert_eq!(verdicts, [Verdict::Stale, Verdict::Replayed, Verdict::Replayed]);
    assert_eq!((server.evicted(), server.used.len()), (1, 2));
}

#[test]
fn what_grew_old_is_forgotten() {
    let (mut server, now) = server();
    let credentials = prove(&mut server, now, "secret");
    assert_eq!(verify(&mut server, now, &credentials), Verdict::Good);
    let later = now + LIFETIME + Duration::from_secs(1);
    let credentials = prove(&mut server, later, "secret");
    assert_eq!(verify(&mut server, later, &credentials), Verdict::Good);
    assert_eq!(server.used.len(), 1);
}

#[test]
fn a_proof_from_elsewhere_is_stale_right_or_wrong() {
    let (mut server, now) = server();
    for (here, elsewhere, neighbour) in [
        ("192.0.2.1", "192.0.3.1", "192.0.2.9"),
        ("::ffff:192.0.2.1", "10.0.2.1", "192.0.2.1"),
        ("2001:db8:1::1", "2001:db8:2::1", "2001:db8:1:9::9"),
    ] {
        let [here, elsewhere, neighbour] =
            [here, elsewhere, neighbour].map(|ip| ip.parse().unwrap());
        for secret in ["secret", "guess"] {
            let credentials = prove_to(&server.challenges(now, here, false), secret);
            let from = |server: &mut DigestServer, source| {
                server.verify(now, source, &credentials, &Method::Register, "secret")
            };
            assert_eq!(from(&mut server, elsewhere), Verdict::Stale, "{here} {elsewhere} {secret}");
            let looked_at = if secret == "secret" { Verdict::Good } else { Verdict::Wrong };
            assert_eq!(from(&mut server, neighbour), looked_at, "{here} {neighbour} {secret}");
        }
    }
}

#[test]
fn whether_a_secret_is_right_cannot_be_asked_with_a_nonce_of_ones_own() {
    let (mut server, now) = server();
    for secret in ["secret", "guess"] {
        let forged = "Digest realm=\"example.org\", nonce=\"000000000000000000000000000000000000\"";
        let credentials = prove_to(&[forged.to_owned()], secret);
        assert_eq!(verify(&mut server, now, &credentials), Verdict::Stale);
        let credentials = prove(&mut server, now, secret);
        let later = now + LIFETIME + Duration::from_secs(1);
        assert_eq!(verify(&mut server, later, &credentials), Verdict::Stale);
    }
}

#[test]
fn half_a_header_with_a_nonce_of_ours_is_wrong() {
    let (mut server, now) = server();
    let nonce = nonce_of(&server.challenges(now, HERE, false));
    for value in [
        "Digest username=\"101\"",
        "Basic username=\"101\"",
        "Digest username=\"101\", realm=\"example.org\", uri=\"\", response=\"\"",
        "Digest username=\"101\", realm=\"example.org\", uri=\"sip:a\", qop=auth-int",
        "Digest username=\"101\", realm=\"example.org\", uri=\"sip:a\", algorithm=MD5-sess",
    ] {
        let credentials = Credentials::parse(format!("{value}, nonce=\"{nonce}\""));
        assert_eq!(verify(&mut server, now, &credentials), Verdict::Wrong, "{value}");
    }
}

#[test]
fn half_a_header_is_stale() {
    let (mut server, now) = server();
    for value in [
        "",
        "Digest",
        "Basic dXNlcjpzZWNyZXQ=",
        "Digest username=\"101\"",
        "Digest username=\"101\", realm=\"example.org\", nonce=\"x\", uri=\"\", response=\"\"",
    ] {
        let credentials = Credentials::parse(value.to_owned());
        assert_eq!(verify(&mut server, now, &credentials), Verdict::Stale, "{value}");
    }
}

/// Any header, any nonce: no panic, and never good.
#[test]
fn noise_is_never_a_proof() {
    let (mut server, now) = server();
    let nonce = nonce_of(&server.challenges(now, HERE, false));
    let mut rng = fastrand::Rng::with_seed(5060);
    let pieces = [
        "Digest ",
        "username=",
        "realm=",
        "nonce=",
        "uri=",
        "response=",
        "nc=",
        "cnonce=",
        "qop=",
        "algorithm=",
        "\"",
        ",",
        "=",
        "\\",
        " ",
        "auth",
        "MD5",
        "SHA-256",
        "00000001",
        "ffffffff",
        "example.org",
        "sip:example.org",
        "\u{e4}",
        "\0",
        "\r\n ",
        &nonce,
    ];
    for _ in 0..20_000 {
        let count = rng.usize(0..40);
        let value: String = (0..count).filter_map(|_| rng.choice(pieces)).collect();
        let credentials = Credentials::parse(value);
        assert_ne!(verify(&mut server, now, &credentials), Verdict::Good, "{credentials:?}");
    }
    assert!(server.used.is_empty());
}

#[expect(clippy::disallowed_methods, reason = "simulated time starts somewhere")]
fn server() -> (DigestServer, Instant) {
    (DigestServer::new("example.org", 1), Instant::now())
}

fn prove(server: &mut DigestServer, now: Instant, secret: &str) -> Credentials {
    prove_to(&server.challenges(now, HERE, false), secret)
}

fn prove_to(challenges: &[String], secret: &str) -> Credentials {
    let challenges: Vec<_> =
        challenges.iter().map(|one| sip_syntax::Challenge::parse(one.clone())).collect();
    let credentials =
        ClientCredentials { user: "101".to_owned(), secret: secret.to_owned(), realm: None };
    let mut rng = fastrand::Rng::with_seed(1);
    let value = answer(&challenges, &credentials, &Method::Register, b"sip:example.org", &mut rng);
    Credentials::parse(value.unwrap())
}

fn verify(server: &mut DigestServer, now: Instant, credentials: &Credentials) -> Verdict {
    server.verify(now, HERE, credentials, &Method::Register, "secret")
}

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

fn nonce_of(challenges: &[String]) -> String {
    let challenge = sip_syntax::Challenge::parse(challenges.first().unwrap().clone());
    String::from_utf8_lossy(&challenge.nonce().unwrap()).into_owned()
}
