//! What never reaches the user.

use std::time::Duration;

use sip_syntax::{HeaderName, Message, Response, StatusCode};

use crate::ladder::Subject;
use crate::stage::{Stage, address, check};
use crate::{Counters, Endpoint, EndpointConfig, Event, Output, Transport};

#[test]
fn a_registration_is_answered_and_its_repeats_too() {
    check(
        "
            0  <- REGISTER
            0  up Request REGISTER
           10  do respond 200
           10  -> 200 REGISTER
          500  <- again
          500  -> 200 REGISTER
          600  do respond 404
        32010  end
        ",
    );
}

/// RFC 4320 §4.1, §4.2.
#[test]
fn a_request_its_user_forgets_is_announced_and_dropped() {
    check(
        "
            0  <- OPTIONS
            0  up Request OPTIONS
         3500  -> 100 OPTIONS
        32000  end
        ",
    );
}

#[test]
fn what_is_answered_once_is_forgotten() {
    check(
        "
            0  <- REGISTER
            0  up Request REGISTER
            1  do respond 401 once
            1  -> 401 REGISTER
            1  end
           10  <- again
           10  up Request REGISTER
           20  do respond 401 once
           20  -> 401 REGISTER
           20  end
        ",
    );
    check(
        "
           30  <- INVITE
           30  up Invite
           30  -> 100 INVITE
           40  do 401 once
           40  -> 401 INVITE
           40  end
           50  <- ACK
           50  end
        ",
    );
}

/// RFC 3261 §8.2.1: 501 for what nobody knows, 405 for what we do not do, both with Allow.
#[test]
fn methods_we_do_not_take() {
    let mut stage = Stage::new(Transport::Udp);
    assert_eq!(stage.step("<- FROB"), ["-> 501 FROB"]);
    assert!(stage.responses[0].has(HeaderName::Allow));
    for method in ["SUBSCRIBE", "PUBLISH"] {
        assert_eq!(stage.step(&format!("<- {method}")), [format!("-> 405 {method}")]);
        assert!(stage.responses.last().unwrap().has(HeaderName::Allow));
    }
    assert_eq!(stage.endpoint.counters().refused_method, 3);
    let mut outside = Stage::new(Transport::Udp);
    assert_eq!(outside.step("<- NOTIFY"), ["-> 405 NOTIFY"]);
    // A REFER belongs within a call.
    let mut outside = Stage::new(Transport::Udp);
    assert_eq!(outside.step("<- REFER"), ["-> 405 REFER"]);
    assert_eq!(outside.responses[0].reason(), b"REFER Only Within A Call");
    assert_eq!(outside.step("<- REFER"), ["-> 481 REFER"], "a tag that names no call");
    for method in ["BYE", "INFO", "UPDATE", "PRACK"] {
        let mut stage = Stage::new(Transport::Udp);
        assert_eq!(stage.step(&format!("<- {method}")), [format!("-> 481 {method}")]);
        assert_eq!(stage.endpoint.counters().refused_no_dialog, 1);
    }
    assert!(stage.is_over());
}

#[test]
fn a_tag_that_is_none_of_ours_finds_no_dialog() {
    for tag in ["x", "1.0", "1.0123456789abcdef", "ffffffffffffffffff.1", "."] {
        let mut stage = Stage::new(Transport::Udp);
        stage.step("<- INVITE");
        assert_eq!(stage.step(&format!("<- BYE tag {tag}")), ["-> 481 BYE"], "{tag}");
    }
}

/// RFC 3261 §8.2.2.3.
#[test]
fn what_is_required_and_unknown_is_named() {
    let mut stage = Stage::new(Transport::Udp);
    stage.extra = vec![("Require", "nothing-sips, 100rel".to_owned())];
    assert_eq!(stage.step("<- INVITE"), ["-> 420 INVITE"]);
    assert_eq!(
        stage.responses[0].header_named(b"Unsupported").as_deref(),
        Some(&b"nothing-sips, 100rel"[..])
    );
    assert_eq!(stage.endpoint.counters().refused_extension, 1);
}

/// RFC 3261 §8.2.3: 415 says what would have been taken.
#[test]
fn bodies_we_cannot_read() {
    let mut stage = Stage::new(Transport::Udp);
    stage.extra = vec![("Content-Encoding", "gzip".to_owned())];
    assert_eq!(stage.step("<- INVITE"), ["-> 415 INVITE"]);
    assert!(stage.responses[0].has(HeaderName::AcceptEncoding));
    let mut stage = Stage::new(Transport::Udp);
    let invite = stage.request("INVITE", None, None);
    let text = String::from_utf8_lossy(invite.bytes()).replace("application/sdp", "text/plain");
    stage.hear(stage.start, text.into());
    assert_eq!(stage.drain(), ["-> 415 INVITE"]);
    assert_eq!(
        stage.responses[0].header(HeaderName::Accept).as_deref(),
        Some(&b"application/sdp"[..])
    );
}

#[test]
fn hops_used_up_end_what_would_go_on() {
    for (method, wanted) in [
        ("INVITE", "-> 483 INVITE"),
        ("MESSAGE", "-> 483 MESSAGE"),
        ("OPTIONS", "up Request OPTIONS"),
    ] {
        let mut stage = Stage::new(Transport::Udp);
        let request = stage.request(method, None, None);
        let text =
            String::from_utf8_lossy(request.bytes()).replace("Max-Forwards: 70", "Max-Forwards: 0");
        stage.hear(stage.start, text.into());
        assert_eq!(stage.drain(), [wanted]);
    }
}

/// RFC 3261 §8.2.2.2: the same request by two ways is answered once.
#[test]
fn a_merged_request_is_refused() {
    let mut stage = Stage::new(Transport::Udp);
    let invite = stage.request("INVITE", None, None);
    stage.hear(stage.start, invite.bytes().clone());
    assert_eq!(stage.drain(), ["up Invite", "-> 100 INVITE"]);
    let text = String::from_utf8_lossy(invite.bytes()).replace("z9hG4bKp1", "z9hG4bKother");
    stage.hear(stage.start, text.into());
    assert_eq!(stage.drain(), ["-> 482 INVITE"]);
    assert_eq!(stage.endpoint.counters().refused_loop, 1);
}

#[test]
fn a_request_of_ours_that_comes_back_is_a_loop() {
    let mut stage = Stage::new(Transport::Udp);
    stage.step("do invite");
    let invite = stage.requests[0].bytes().clone();
    stage.hear(stage.start, invite);
    assert_eq!(stage.drain(), ["-> 482 INVITE"]);
}

/// RFC 3261 §8.2.7: without a transaction, the same request gets the same answer, tag included.
#[test]
fn stateless_refusals_do_not_change() {
    let mut stage = Stage::new(Transport::Udp);
    stage.step("<- REFER");
    stage.step("<- again");
    let [first, second] = stage.responses.as_slice() else {
        panic!("not two answers");
    };
    assert_eq!(first.bytes(), second.bytes());
    assert!(first.to().unwrap().tag().is_some());
    assert!(stage.is_over());
}

#[test]
fn malformed_requests_are_told_what_is_wrong() {
    let mut stage = Stage::new(Transport::Udp);
    let good = stage.request("OPTIONS", None, None);
    let good = String::from_utf8_lossy(good.bytes()).into_owned();
    for (from, to, status) in [
        ("CSeq: 1 OPTIONS", "CSeq: one OPTIONS", 400),
        ("Max-Forwards: 70", "Max-Forwards: many", 400),
        ("SIP/2.0\r\nVia", "SIP/7.0\r\nVia", 505),
        ("OPTIONS sip:us@10.0.0.1:5060", "OPTIONS nobody:us", 416),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        stage.hear(stage.start, bad.into());
        let Some(Output::Transmit { bytes, .. }) = stage.endpoint.poll_output() else {
            panic!("no answer to {to}");
        };
        assert!(bytes.starts_with(format!("SIP/2.0 {status} ").as_bytes()), "{to}");
    }
    assert_eq!(stage.endpoint.counters().refused_malformed, 4);
    assert_eq!(stage.endpoint.transaction_count(), 0);
}

#[test]
fn what_nobody_could_answer_is_dropped_and_counted() {
    let mut stage = Stage::new(Transport::Udp);
    for junk in ["", "\r\n\r\n", "hello", "OPTIONS sip:a SIP/2.0\r\n\r\n"] {
        stage.hear(stage.start, junk.into());
    }
    stage.step("<- ACK");
    assert!(stage.lines_and_requests_are_none());
    let counters = stage.endpoint.counters();
    assert_eq!((counters.dropped_malformed, counters.dropped_acks), (4, 1));
}

/// RFC 3261 §17.1.3, §18.1.2, §8.1.3.3: only a response with one Via, ours, is for us.
#[test]
fn responses_nobody_waits_for_are_dropped() {
    let mut stage = Stage::new(Transport::Udp);
    stage.step("do invite");
    let good = stage.answer(200, "INVITE", "a").finish_response();
    let good = String::from_utf8_lossy(good.bytes()).into_owned();
    let branch = stage.requests[0].top_via().unwrap().branch.unwrap();
    let branch = String::from_utf8_lossy(&branch).into_owned();
    let via = good.lines().find(|line| line.starts_with("Via")).unwrap();
    for bad in [
        good.replace(&branch, "z9hG4bKother"),
        good.replace(&branch, &format!("{branch}0")),
        good.replace("CSeq: 1 INVITE", "CSeq: 1 BYE"),
        good.replace(via, &format!("{via}\r\nVia: SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKx")),
    ] {
        assert_ne!(bad, good);
        stage.hear(stage.start, bad.into());
        assert!(stage.drain().is_empty());
    }
    assert_eq!(stage.endpoint.counters().dropped_responses, 4);
    stage.hear(stage.start, good.into());
    assert_eq!(stage.drain(), ["-> ACK", "up Accepted 200"]);
}

#[test]
fn past_capacity_new_calls_are_told_to_come_back_and_old_ones_go_on() {
    let mut stage = Stage::new(Transport::Udp);
    stage.endpoint = Endpoint::new(EndpointConfig {
        user_agent: String::new(),
        sessions_max: 1,
        ..EndpointConfig::default()
    });
    stage.step("<- INVITE");
    stage.step("do 200");
    stage.step("<- ACK");
    let mut other = Stage::new(Transport::Udp);
    let invite = other.request("INVITE", None, None);
    let text = String::from_utf8_lossy(invite.bytes())
        .replace("z9hG4bKp1", "z9hG4bKq")
        .replace("Call-ID: call", "Call-ID: other");
    stage.hear(stage.start, text.into());
    assert_eq!(stage.drain(), ["-> 503 INVITE"]);
    assert!(stage.responses.last().unwrap().retry_after().is_some());
    let first = stage.session;
    assert_eq!(stage.step("do invite"), ["up Failed 503"]);
    stage.session = first;
    let tag = stage.responses[1].to().unwrap().tag().unwrap().to_vec();
    let info = format!("<- INFO tag {}", String::from_utf8_lossy(&tag));
    assert_eq!(stage.step(&info), ["up InDialog INFO"]);
    assert_eq!(stage.endpoint.counters().refused_capacity, 2);
}

#[test]
fn transactions_are_bounded_too() {
    let mut stage = Stage::new(Transport::Udp);
    stage.endpoint =
        Endpoint::new(EndpointConfig { transactions_max: 2, ..EndpointConfig::default() });
    for wanted in ["up Request OPTIONS", "up Request OPTIONS", "-> 503 OPTIONS"] {
        assert_eq!(stage.step("<- OPTIONS"), [wanted]);
    }
    assert_eq!(stage.step("do register"), ["up Response 503"]);
}

/// RFC 3261 §18.2.2, RFC 3581 §4: answers go where the request came from, or to the port it names.
#[test]
fn answers_go_back_the_way_the_request_came() {
    for (via, to) in [
        // Asks for the source port.
        ("10.0.0.2:7000;branch=z9hG4bKx;rport", "10.0.0.2:9999"),
        // Does not: the port it says it listens on.
        ("10.0.0.2:7000;branch=z9hG4bKx", "10.0.0.2:7000"),
        ("10.0.0.2;branch=z9hG4bKx", "10.0.0.2:5060"),
        ("phone.example.org;branch=z9hG4bKx", "10.0.0.2:5060"),
        // Written behind a translator: its port means nothing.
        ("192.168.1.2:7000;branch=z9hG4bKx", "10.0.0.2:9999"),
    ] {
        let mut stage = Stage::new(Transport::Udp);
        let request = stage.request("REFER", None, None);
        let text = String::from_utf8_lossy(request.bytes())
            .replace("10.0.0.2:5060;branch=z9hG4bKp1;rport", via);
        let mut flow = stage.flow;
        flow.remote = address("10.0.0.2:9999");
        stage.endpoint.handle_message(stage.start, flow, text.into());
        let Some(Output::Transmit { flow, bytes }) = stage.endpoint.poll_output() else {
            panic!("no answer");
        };
        assert_eq!(flow.remote, address(to), "{via}");
        let Ok(Message::Response(response)) = Message::parse(bytes) else {
            panic!("no response");
        };
        let top = response.top_via().unwrap();
        if via.contains("rport") {
            assert_eq!(top.rport, Some(Some(9999)));
        }
        if !via.starts_with("10.0.0.2") {
            assert_eq!(top.received, Some(address("10.0.0.2:1").ip()));
        }
    }
}

#[test]
fn the_same_seed_says_the_same_and_waking_early_is_harmless() {
    let run = || {
        let mut stage = Stage::new(Transport::Udp);
        stage.step("do invite");
        stage.step("do register");
        stage.endpoint.handle_timeout(stage.start + Duration::from_millis(499));
        assert!(stage.drain().is_empty());
        stage.requests.iter().map(|request| request.bytes().clone()).collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}

/// Everything counted is counted once.
#[test]
fn the_counters_add_up() {
    let mut stage = Stage::new(Transport::Udp);
    stage.step("<- OPTIONS");
    stage.step("do respond 200");
    stage.step("<- again");
    stage.step("do register");
    stage.endpoint.handle_timeout(stage.start + Duration::from_millis(500));
    stage.step("<- 200 REGISTER -");
    stage.step("<- 200 REGISTER -");
    let wanted = Counters {
        requests_in: 2,
        responses_in: 2,
        messages_out: 4,
        retransmissions_in: 1,
        retransmissions_out: 1,
        ..Counters::default()
    };
    assert_eq!(*stage.endpoint.counters(), wanted);
}

#[test]
fn options_are_answered_with_what_we_take() {
    let mut stage = Stage::new(Transport::Udp);
    stage.step("<- OPTIONS");
    stage.step("do respond 200");
    assert!(stage.responses[0].has(HeaderName::Allow));
    let request = stage.events.iter().find_map(|event| match event {
        Event::Request { request, .. } => Some(request),
        _ => None,
    });
    assert_eq!(request.unwrap().call_id(), stage.responses[0].call_id());
}

/// A reason with a line break in it must not become a header.
#[test]
fn nothing_said_by_the_user_breaks_a_line() {
    let mut stage = Stage::new(Transport::Udp);
    stage.step("<- OPTIONS");
    let reply = crate::Reply::new(StatusCode::OK)
        .reason("fine\r\nEvil: 1")
        .header("X-A", "b\r\nEvil: 2")
        .header("X-B\r\nEvil", "3");
    stage.endpoint.respond(stage.start, stage.txn.unwrap(), reply);
    stage.drain();
    let response: &Response = &stage.responses[0];
    assert!(!response.fields().any(|field| field.raw_name.eq_ignore_ascii_case(b"Evil")));
}

impl Stage {
    fn lines_and_requests_are_none(&mut self) -> bool {
        self.drain().is_empty() && self.requests.is_empty() && self.responses.is_empty()
    }
}
