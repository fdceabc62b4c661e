//! The torture messages of RFC 4475 and RFC 5118, each with what is to become of it here.

mod invalid;
mod ipv6;
mod semantic;
mod valid;

use bytes::Bytes;

use crate::{Flaw, Message, Request, Response};

struct Case {
    name: &'static str,
    verdict: Verdict,
    bytes: &'static [u8],
}

/// What reading and checking gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Fine,
    /// Answered with the status of the flaw.
    Refused(Flaw),
    /// Not answered.
    Dropped(Flaw),
}

fn all() -> impl Iterator<Item = &'static Case> {
    [valid::CASES, invalid::CASES, semantic::CASES, ipv6::CASES].into_iter().flatten()
}

/// The bytes of one of them.
pub(crate) fn bytes(name: &str) -> Bytes {
    let case = all().find(|case| case.name == name).unwrap();
    Bytes::from_static(case.bytes)
}

pub(crate) fn request(name: &str) -> Request {
    match Message::parse(bytes(name)).unwrap() {
        Message::Request(request) => request,
        Message::Response(_) => panic!("{name} is a response"),
    }
}

pub(crate) fn response(name: &str) -> Response {
    match Message::parse(bytes(name)).unwrap() {
        Message::Response(response) => response,
        Message::Request(_) => panic!("{name} is a request"),
    }
}

pub(crate) fn all_bytes() -> Vec<&'static [u8]> {
    all().map(|case| case.bytes).collect()
}

#[test]
fn each_is_handled_as_its_rfc_says() {
    let mut wrong = String::new();
    for case in all() {
        let verdict = match Message::parse(Bytes::from_static(case.bytes)) {
            Err(error) => Verdict::Dropped(error.flaw),
            Ok(Message::Response(_)) => Verdict::Fine,
            Ok(Message::Request(request)) => match request.check() {
                Ok(()) => Verdict::Fine,
                Err(error) => Verdict::Refused(error.flaw),
            },
        };
        if verdict != case.verdict {
            wrong += &format!("{}: {verdict:?}, not {:?}\n", case.name, case.verdict);
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert_eq!(all().count(), 61);
}
