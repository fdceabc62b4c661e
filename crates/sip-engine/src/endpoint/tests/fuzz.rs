//! Whatever comes in whatever order: nothing panics, nothing is left over, and every session has one
//! end.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use sip_syntax::StatusCode;

use crate::ladder::Subject;
use crate::stage::Stage;
use crate::{Event, Reply, SessionId, Transport};

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_do_no_harm(inputs in prop::collection::vec(any::<Vec<u8>>(), 0..20)) {
        let mut stage = Stage::new(Transport::Udp);
        for input in inputs {
            stage.hear(stage.start, input.into());
            stage.drain();
        }
        prop_assert!(stage.is_over() || stage.endpoint.transaction_count() == 0);
    }

    #[test]
    fn messages_with_a_few_bytes_changed_do_no_harm(
        seeds in prop::collection::vec((0..SENTENCES.len(), any::<u16>(), any::<u8>()), 1..30),
    ) {
        let mut stage = Stage::new(Transport::Udp);
        for (sentence, at, byte) in seeds {
            let Some(bytes) = peer_message(&mut stage, SENTENCES[sentence]) else { continue };
            let mut bytes = bytes.to_vec();
            let at = usize::from(at) % bytes.len();
            bytes[at] = byte;
            stage.endpoint.handle_message(stage.start, stage.flow, bytes.into());
            drain_unread(&mut stage);
        }
        quiesce(&mut stage);
    }

    #[test]
    fn any_order_of_events_leaves_nothing_behind(
        tcp in any::<bool>(),
        steps in prop::collection::vec((0..SENTENCES.len(), 0_u64..3_000), 1..40),
    ) {
        let mut stage = Stage::new(if tcp { Transport::Tcp } else { Transport::Udp });
        let mut now = stage.start;
        for (sentence, wait_ms) in steps {
            let until = now + Duration::from_millis(wait_ms);
            while let Some(at) = stage.endpoint.poll_timeout().filter(|at| *at <= until) {
                now = at.max(now);
                stage.endpoint.handle_timeout(now);
                stage.drain();
            }
            now = until;
            let sentence = SENTENCES[sentence];
            if sentence.starts_with("do ") {
                stage.input(now, sentence);
            } else if let Some(bytes) = peer_message(&mut stage, sentence) {
                stage.hear(now, bytes);
            }
            stage.drain();
        }
        stage.start = now;
        quiesce(&mut stage);
        each_session_ended_once(&stage);
    }
}

/// What may happen, in any order.
const SENTENCES: &[&str] = &[
    "<- INVITE",
    "<- again",
    "<- ACK",
    "<- BYE",
    "<- CANCEL",
    "<- INFO",
    "<- UPDATE",
    "<- OPTIONS",
    "<- INVITE cseq 2",
    "<- BYE tag b",
    "<- 100 INVITE -",
    "<- 180 INVITE a",
    "<- 183 INVITE b",
    "<- 200 INVITE a",
    "<- 200 INVITE b",
    "<- 486 INVITE a",
    "<- 491 INVITE a",
    "<- 481 INVITE a",
    "<- 200 CANCEL a",
    "<- 200 BYE a",
    "<- 481 INFO a",
    "do invite",
    "do invite bare",
    "do cancel",
    "do bye",
    "do hangup",
    "do reinvite",
    "do reinvite bare",
    "do ack",
    "do accept",
    "do refuse 488",
    "do info",
    "do break",
    "do register",
    "do 180",
    "do 200",
    "do 404",
    "do 404 once",
];

/// The message a sentence stands for, if the peer can say it now.
fn peer_message(stage: &mut Stage, sentence: &str) -> Option<bytes::Bytes> {
    let words: Vec<&str> = sentence.split(' ').collect();
    match words.as_slice() {
        ["do", ..] => None,
        ["<-", "again"] => Some(stage.last.clone()).filter(|last| !last.is_empty()),
        ["<-", code, method, tag] if code.parse::<u16>().is_ok() => {
            let is_sent = stage.requests.iter().any(|sent| sent.method().as_str() == *method);
            is_sent.then(|| {
                stage.answer(code.parse().unwrap(), method, tag).finish_response().bytes().clone()
            })
        }
        ["<-", method, rest @ ..] => {
            let (number, tag) = match rest {
                ["cseq", number] => (Some(number.parse().unwrap()), None),
                ["tag", tag] => (None, Some(*tag)),
                _ => (None, None),
            };
            stage.can_request().then(|| stage.request(method, number, tag).bytes().clone())
        }
        _ => None,
    }
}

/// Takes outputs away without reading what was sent: its peer's nonsense may be in it.
fn drain_unread(stage: &mut Stage) {
    while stage.endpoint.poll_output().is_some() {}
}

/// Ends all sessions and lets 200 s pass: nothing may be left.
fn quiesce(stage: &mut Stage) {
    for id in 0..200 {
        stage.endpoint.hangup(stage.start, SessionId(id), None);
        let session = SessionId(id);
        stage.endpoint.reject_reinvite(stage.start, session, Reply::new(StatusCode::DECLINE));
    }
    for second in 0..200 {
        stage.endpoint.handle_timeout(stage.start + Duration::from_secs(second));
        while let Some(output) = stage.endpoint.poll_output() {
            if let crate::Output::Event(event) = output {
                stage.events.push(event);
            }
        }
    }
    let endpoint = &stage.endpoint;
    assert_eq!(endpoint.session_count(), 0);
    assert_eq!(endpoint.transaction_count(), 0);
    assert_eq!(endpoint.deadline_count(), 0);
    assert_eq!(endpoint.poll_timeout(), None);
}

fn each_session_ended_once(stage: &Stage) {
    let mut ends: BTreeMap<SessionId, u32> = BTreeMap::new();
    let mut begun: Vec<SessionId> = Vec::new();
    for event in &stage.events {
        match event {
            Event::Invite { session, .. } => begun.push(*session),
            Event::Cancelled { session, .. }
            | Event::Failed { session, .. }
            | Event::Ended { session, .. } => *ends.entry(*session).or_default() += 1,
            _ => {}
        }
    }
    assert!(ends.values().all(|count| *count == 1), "{ends:?}");
    // Those we refused ourselves have no event for their end.
    assert!(begun.len() + stage.calls >= ends.len());
}
