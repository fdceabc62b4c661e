//! Streams cut at every place give the same messages.

use bytes::Bytes;

use super::{Framed, Framer};
use crate::message::tests::{parse, with};
use crate::{Flaw, HEAD_BYTES_MAX, LINE_BYTES_MAX, MESSAGE_BYTES_MAX, Message, STREAM_BYTES_MAX};

/// Pushes `stream` in pieces of `piece` bytes; writes what came out, one word each.
fn outcome(stream: &[u8], piece: usize) -> Vec<String> {
    let mut framer = Framer::new();
    let mut outcome = Vec::new();
    for bytes in stream.chunks(piece.max(1)) {
        framer.push(bytes);
        loop {
            match framer.next() {
                Ok(None) => break,
                Ok(Some(Framed::Ping)) => outcome.push("ping".to_owned()),
                Ok(Some(Framed::Message(bytes))) => outcome.push(format!("{} bytes", bytes.len())),
                Err(error) => {
                    outcome.push(error.to_string());
                    return outcome;
                }
            }
        }
    }
    outcome.push(format!("{} left", framer.buffered()));
    outcome
}

#[track_caller]
fn check(stream: &str, expected: &[&str]) {
    for piece in 1..=stream.len() {
        assert_eq!(outcome(stream.as_bytes(), piece), expected, "in pieces of {piece}");
    }
}

#[test]
fn messages_end_where_their_length_says() {
    let one = with("Content-Length: 4\r\n", "body");
    let two = with("l: 0\r\n", "");
    let bytes = |text: &str| format!("{} bytes", text.len());
    check(&format!("{one}{two}{one}"), &[&bytes(&one), &bytes(&two), &bytes(&one), "0 left"]);
    check(&format!("{two}\r\n{one}OPT"), &[&bytes(&two), &bytes(&one), "3 left"]);
    let unix = one.replace("\r\n", "\n");
    check(&unix, &[&bytes(&unix), "0 left"]);
}

/// RFC 5626 §3.5.1.
#[test]
fn double_line_ends_between_messages_are_pings() {
    let message = with("l: 0\r\n", "");
    let bytes = format!("{} bytes", message.len());
    check("\r\n\r\n", &["ping", "0 left"]);
    check("\r\n\r\n\r\n\r\n", &["ping", "ping", "0 left"]);
    check(&format!("{message}\r\n\r\n{message}"), &[&bytes, "ping", &bytes, "0 left"]);
    check(&format!("\r\n{message}\r\n"), &[&bytes, "2 left"]);
}

#[test]
fn a_second_request_is_never_found_in_a_body() {
    let inner = with("l: 0\r\n", "");
    let lengths = [
        ("-5", Flaw::Header("Content-Length")),
        ("x", Flaw::Header("Content-Length")),
        ("4294967296", Flaw::BodyTooLarge),
        ("18446744073709551616", Flaw::Header("Content-Length")),
        ("65536", Flaw::BodyTooLarge),
        ("0\r\nContent-Length: 0", Flaw::Repeated("Content-Length")),
        ("0\r\nl : 5", Flaw::Repeated("Content-Length")),
    ];
    for (length, flaw) in lengths {
        let head = with(&format!("Content-Length: {length}\r\n"), "");
        let stream = format!("{head}{inner}");
        let len = format!("{} bytes", head.len());
        check(&stream, &[&len, &flaw.to_string()]);
        // The head is handed out so that it can be refused.
        assert_eq!(parse(&head).check().unwrap_err().flaw, flaw, "{length}");
    }
    check(&with("", &inner), &["missing Content-Length header"]);
}

#[test]
fn other_protocols_are_told_at_their_first_line() {
    assert_eq!(outcome(b"GET / HTTP/1.1\r\n", 99), ["not SIP"]);
    assert_eq!(outcome(b"\x16\x03\x01\x02\x00\x01\xfc\n", 99), ["not SIP"]);
}

#[test]
fn a_stream_that_never_makes_a_message_is_given_up_within_limits() {
    let endless_line = vec![b'x'; LINE_BYTES_MAX + 1];
    assert_eq!(outcome(&endless_line, 1000), ["message too large"]);
    let endless_head = format!("OPTIONS sip:b@c SIP/2.0\r\n{}", "X: y\r\n".repeat(20_000));
    assert_eq!(outcome(endless_head.as_bytes(), 4096), ["message too large"]);
    let mut framer = Framer::new();
    let mut pushed = 0;
    for line in endless_head.as_bytes().chunks(1024) {
        framer.push(line);
        pushed += line.len();
        if framer.next().is_err() {
            break;
        }
    }
    assert!(pushed <= HEAD_BYTES_MAX + 1024);
    let mut glutted = Framer::new();
    glutted.push(&vec![b'x'; STREAM_BYTES_MAX + 1]);
    assert_eq!(glutted.next().unwrap_err().flaw, Flaw::TooLarge);
    assert_eq!(glutted.next().unwrap_err().flaw, Flaw::TooLarge);
    assert_eq!(glutted.buffered(), 0);
}

#[test]
fn the_largest_message_passes() {
    let head_len = with("Content-Length: 65000\r\n", "").len();
    let body_len = MESSAGE_BYTES_MAX - head_len;
    let message = with(&format!("Content-Length: {body_len}\r\n"), &"b".repeat(body_len));
    assert_eq!(message.len(), MESSAGE_BYTES_MAX);
    assert_eq!(outcome(message.as_bytes(), 8192), ["65536 bytes", "0 left"]);
    assert!(Message::parse(Bytes::from(message)).is_ok());
}
