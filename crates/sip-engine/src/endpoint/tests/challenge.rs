//! Being challenged, and not being drawn into loops by it (RFC 3261 §22.2).

use sip_syntax::{HeaderName, Method};

use crate::stage::Stage;
use crate::{ClientCredentials, Transport};

/// RFC 3261 §22.2, §10.2: the same registration again, with the next number.
#[test]
fn a_registration_answers_its_challenge() {
    let mut stage = stage(Some("r"));
    assert_eq!(stage.step("do register"), ["-> REGISTER"]);
    assert_eq!(challenge(&mut stage, 401, "REGISTER", "r", ""), ["-> REGISTER"]);
    let [first, second] = stage.requests.as_slice() else {
        panic!("not two requests");
    };
    assert_eq!(first.call_id(), second.call_id());
    assert_eq!(second.cseq().unwrap().number, first.cseq().unwrap().number + 1);
    assert_ne!(first.top_via().unwrap().branch, second.top_via().unwrap().branch);
    assert_eq!(first.from().unwrap().tag(), second.from().unwrap().tag());
    assert_eq!(first.header(HeaderName::Contact), second.header(HeaderName::Contact));
    assert_eq!(second.expires(), Some(60));
    assert!(second.has(HeaderName::Authorization));
    assert_eq!(stage.step("<- 200 REGISTER -"), ["up Response 200"]);
}

/// RFC 3261 §22.1: an ACK cannot be challenged, so it brings the proof of its INVITE.
#[test]
fn a_call_answers_its_challenge_and_proves_itself_in_the_ack_too() {
    let mut stage = stage(None);
    stage.step("do invite");
    assert_eq!(challenge(&mut stage, 407, "INVITE", "r", ""), ["-> ACK", "-> INVITE"]);
    let invite = stage.last_request(&Method::Invite).clone();
    assert_eq!(invite.body(), b"v=0\r\n");
    assert!(invite.has(HeaderName::ProxyAuthorization));
    assert_eq!(stage.step("<- 180 INVITE a"), ["up Provisional 180"]);
    assert_eq!(stage.step("<- 200 INVITE a"), ["-> ACK", "up Accepted 200"]);
    let ack = stage.last_request(&Method::Ack);
    assert_eq!(
        ack.header(HeaderName::ProxyAuthorization),
        invite.header(HeaderName::ProxyAuthorization)
    );
    assert_eq!(ack.cseq().unwrap().number, invite.cseq().unwrap().number);
    assert_eq!(stage.step("do bye"), ["-> BYE"]);
    assert_eq!(challenge(&mut stage, 407, "BYE", "r", ""), ["-> BYE"]);
    assert_eq!(stage.step("<- 200 BYE a"), ["up Ended Hangup"]);
}

#[test]
fn a_proxy_and_the_registrar_behind_it_may_both_ask() {
    let mut stage = stage(None);
    stage.step("do register");
    assert_eq!(challenge(&mut stage, 407, "REGISTER", "proxy", ""), ["-> REGISTER"]);
    assert_eq!(challenge(&mut stage, 401, "REGISTER", "r", ""), ["-> REGISTER"]);
    let last = stage.last_request(&Method::Register);
    assert!(last.has(HeaderName::Authorization) && last.has(HeaderName::ProxyAuthorization));
}

#[test]
fn a_stale_nonce_is_met_once_and_endless_challenges_are_not() {
    let mut stage = stage(None);
    stage.step("do register");
    assert_eq!(challenge(&mut stage, 401, "REGISTER", "r", ""), ["-> REGISTER"]);
    assert_eq!(challenge(&mut stage, 401, "REGISTER", "r", ", stale=true"), ["-> REGISTER"]);
    assert_eq!(challenge(&mut stage, 401, "REGISTER", "r", ", stale=true"), ["up Response 401"]);
}

#[test]
fn a_wrong_secret_is_not_tried_again() {
    let mut stage = stage(None);
    stage.step("do invite");
    assert_eq!(challenge(&mut stage, 401, "INVITE", "r", ""), ["-> ACK", "-> INVITE"]);
    assert_eq!(challenge(&mut stage, 401, "INVITE", "r", ""), ["-> ACK", "up Failed 401"]);
}

#[test]
fn strangers_who_challenge_get_nothing() {
    let mut stage = stage(Some("trunk"));
    stage.step("do register");
    assert_eq!(challenge(&mut stage, 401, "REGISTER", "evil", ""), ["up Response 401"]);
    let mut stage = Stage::new(Transport::Udp);
    stage.step("do invite");
    stage.step("<- 200 INVITE a");
    stage.step("do bye");
    assert_eq!(challenge(&mut stage, 401, "BYE", "r", ""), ["up Ended Hangup"]);
}

#[test]
fn a_cancelled_call_does_not_try_again() {
    let mut stage = stage(None);
    stage.step("do invite");
    stage.step("do cancel");
    assert_eq!(challenge(&mut stage, 401, "INVITE", "r", ""), ["-> ACK", "up Failed 487"]);
}

fn stage(realm: Option<&str>) -> Stage {
    let mut stage = Stage::new(Transport::Udp);
    stage.credentials = Some(ClientCredentials {
        user: "us".to_owned(),
        secret: "secret".to_owned(),
        realm: realm.map(str::to_owned),
    });
    stage
}

fn challenge(stage: &mut Stage, code: u16, method: &str, realm: &str, more: &str) -> Vec<String> {
    let name = if code == 401 { "WWW-Authenticate" } else { "Proxy-Authenticate" };
    let value = format!("Digest realm=\"{realm}\", nonce=\"n\", qop=\"auth\"{more}");
    let answer = stage.answer(code, method, "c").header_named(name, value).finish_response();
    stage.hear(stage.start, answer.bytes().clone());
    crate::ladder::Subject::drain(stage)
}
