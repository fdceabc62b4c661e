//! Calls to us: answering, ACKs that get lost, CANCEL and BYE at every moment.

use sip_syntax::{HeaderName, Method};

use crate::ladder::Subject;
use crate::stage::{Stage, check};
use crate::{Event, Transport};

#[test]
fn a_call_rings_is_answered_and_ended_by_the_caller() {
    check(
        "
            0  <- INVITE
            0  up Invite
            0  -> 100 INVITE
           20  do 180
           20  -> 180 INVITE
          500  <- again
          500  -> 180 INVITE
         4000  do 200
         4000  -> 200 INVITE
         4050  <- ACK
         4050  up Acked
         9000  <- BYE
         9000  -> 200 BYE
         9000  up Ended Bye
         9500  <- again
         9500  -> 200 BYE
        41000  end
        ",
    );
}

/// The 100 is for calls that take time: an answer given at once replaces it.
#[test]
fn an_answer_at_once_spares_the_100() {
    let mut stage = Stage::new(Transport::Udp);
    let invite = stage.request("INVITE", None, None);
    stage.hear(stage.start, invite.bytes().clone());
    let Some(crate::Output::Event(Event::Invite { session, .. })) = stage.endpoint.poll_output()
    else {
        panic!("no call");
    };
    stage.session = Some(session);
    assert_eq!(stage.step("do 401 once"), ["-> 401 INVITE"]);
    assert!(Subject::is_over(&stage));
}

/// RFC 3261 §13.3.1.4: the 2xx is repeated until its ACK; without one, the session ends with BYE.
#[test]
fn a_2xx_never_acknowledged_is_repeated_and_then_ended() {
    check(
        "
            0  <- INVITE
            0  up Invite
            0  -> 100 INVITE
            0  do 200
            0  -> 200 INVITE
          500  -> 200 INVITE
         1500  -> 200 INVITE
         3500  -> 200 INVITE
         7500  -> 200 INVITE
        11500  -> 200 INVITE
        15500  -> 200 INVITE
        19500  -> 200 INVITE
        23500  -> 200 INVITE
        27500  -> 200 INVITE
        31500  -> 200 INVITE
        32000  -> BYE
        32000  up Ended NoAck
        32100  <- 200 BYE -
        37100  end
        ",
    );
}

/// The peer's path may lose messages even where ours cannot, so streams are no exception.
#[test]
fn a_2xx_over_a_stream_is_repeated_too() {
    Stage::new(Transport::Tcp).check(
        "
            0  <- INVITE
            0  up Invite
            0  -> 100 INVITE
           10  do 200
           10  -> 200 INVITE
          510  -> 200 INVITE
          600  <- ACK
          600  up Acked
          700  <- again
         1000  <- BYE
         1000  -> 200 BYE
         1000  up Ended Bye
        32010  end
        ",
    );
}

/// RFC 3261 §15: a callee may not say BYE before its 2xx is acknowledged.
#[test]
fn our_bye_waits_for_the_ack() {
    check(
        "
            0  <- INVITE
            0  up Invite
            0  -> 100 INVITE
           10  do 200
           10  -> 200 INVITE
          100  do bye
          510  -> 200 INVITE
          600  <- ACK
          600  up Acked
          600  -> BYE
          650  <- 200 BYE -
          650  up Ended Hangup
        32010  end
        ",
    );
}

#[test]
fn a_refusal_ends_the_session_and_is_repeated_until_acknowledged() {
    check(
        "
            0  <- INVITE
            0  up Invite
            0  -> 100 INVITE
           10  do 486
           10  -> 486 INVITE
          510  -> 486 INVITE
          600  <- ACK
          700  do 200
         5600  end
        ",
    );
}

/// RFC 3261 §9.2: CANCEL is answered 200, its INVITE 487.
#[test]
fn a_cancel_while_it_rings() {
    check(
        "
            0  <- INVITE
            0  up Invite
            0  -> 100 INVITE
           10  do 180
           10  -> 180 INVITE
         2000  <- CANCEL
         2000  -> 200 CANCEL
         2000  -> 487 INVITE
         2000  up Cancelled
         2010  <- ACK
         2020  do 200
         7010  end
        ",
    );
}

#[test]
fn a_cancel_before_anything_was_said() {
    check(
        "
            0  <- INVITE
            0  up Invite
            0  -> 100 INVITE
            1  <- CANCEL
            1  -> 200 CANCEL
            1  -> 487 INVITE
            1  up Cancelled
           10  <- ACK
           20  <- CANCEL
           20  -> 200 CANCEL
         5010  end
        ",
    );
}

#[test]
fn a_cancel_after_the_answer_changes_nothing() {
    check(
        "
            0  <- INVITE
            0  up Invite
            0  -> 100 INVITE
           10  do 200
           10  -> 200 INVITE
           20  <- CANCEL
           20  -> 200 CANCEL
           30  <- ACK
           30  up Acked
         1000  <- BYE
         1000  -> 200 BYE
         1000  up Ended Bye
        33000  end
        ",
    );
}

#[test]
fn a_cancel_for_nothing_is_refused() {
    let mut stage = Stage::new(Transport::Udp);
    assert_eq!(stage.step("<- CANCEL"), ["-> 481 CANCEL"]);
}

/// RFC 3261 §15.1.2: BYE ends an early dialog too.
#[test]
fn a_bye_while_it_rings_is_answered_and_the_invite_terminated() {
    check(
        "
            0  <- INVITE
            0  up Invite
            0  -> 100 INVITE
           10  do 180
           10  -> 180 INVITE
          500  <- BYE
          500  -> 200 BYE
          500  -> 487 INVITE
          500  up Cancelled
         1000  -> 487 INVITE
         1100  <- ACK cseq 1
        32500  end
        ",
    );
}

#[test]
fn a_bye_that_overtakes_the_ack_ends_the_session() {
    check(
        "
            0  <- INVITE
            0  up Invite
            0  -> 100 INVITE
           10  do 200
           10  -> 200 INVITE
          300  <- BYE
          300  -> 200 BYE
          300  up Ended Bye
          400  <- ACK cseq 1
        32300  end
        ",
    );
}

#[test]
fn hanging_up_on_a_call_that_rings_refuses_it() {
    check(
        "
            0  <- INVITE
            0  up Invite
            0  -> 100 INVITE
           10  do hangup
           10  -> 480 INVITE
           10  up Ended Hangup
           20  <- ACK
         5020  end
        ",
    );
}

/// RFC 3261 §12.2.2: a request after BYE finds no dialog.
#[test]
fn after_bye_there_is_no_dialog() {
    check(
        "
            0  <- INVITE
            0  up Invite
            0  -> 100 INVITE
           10  do 200
           10  -> 200 INVITE
           20  <- ACK
           20  up Acked
          100  <- BYE
          100  -> 200 BYE
          100  up Ended Bye
          200  <- INFO
          200  -> 481 INFO
          300  <- BYE
          300  -> 481 BYE
          400  <- INVITE
          400  -> 481 INVITE
        32100  end
        ",
    );
}

/// RFC 3261 §12.2.2: an older number than seen gets 500.
#[test]
fn a_number_that_goes_back_is_refused() {
    check(
        "
            0  <- INVITE cseq 7
            0  up Invite
            0  -> 100 INVITE
           10  do 200
           10  -> 200 INVITE
           20  <- ACK cseq 7
           20  up Acked
          100  <- INFO cseq 6
          100  -> 500 INFO
          200  <- INFO cseq 9
          200  up InDialog INFO
          200  do respond 200
          200  -> 200 INFO
          300  <- BYE cseq 8
          300  -> 500 BYE
          400  <- BYE cseq 10
          400  -> 200 BYE
          400  up Ended Bye
        32400  end
        ",
    );
}

#[test]
fn requests_both_ways_within_a_session() {
    check(
        "
            0  <- INVITE
            0  up Invite
            0  -> 100 INVITE
           10  do 200
           10  -> 200 INVITE
           20  <- ACK
           20  up Acked
          100  <- INFO
          100  up InDialog INFO
          110  do respond 200
          110  -> 200 INFO
          200  do info
          200  -> INFO
          210  <- 200 INFO -
          210  up Response 200
          300  <- REFER
          300  up InDialog REFER
          305  do respond 202
          305  -> 202 REFER
          310  <- PRACK
          310  -> 481 PRACK
          320  <- FOO
          320  -> 501 FOO
          400  do notify
          400  -> NOTIFY
          410  <- 481 NOTIFY -
          410  up Response 481
         1000  do bye
         1000  -> BYE
         1010  <- INFO
         1010  -> 481 INFO
         1020  <- 200 BYE -
         1020  up Ended Hangup
        32305  end
        ",
    );
}

/// RFC 3261 §12.2.1.2: 481 to a request of ours says that the peer lost the call.
#[test]
fn a_481_to_our_request_ends_the_session() {
    check(
        "
            0  <- INVITE
            0  up Invite
            0  -> 100 INVITE
           10  do 200
           10  -> 200 INVITE
           20  <- ACK
           20  up Acked
          200  do info
          200  -> INFO
          210  <- 481 INFO -
          210  up Response 481
          210  -> BYE
          210  up Ended Gone
          220  <- 481 BYE -
        32010  end
        ",
    );
}

/// RFC 3261 §12.1.1: the answer brings our tag and Contact, and the Record-Route back.
#[test]
fn the_answer_makes_a_dialog() {
    let mut stage = Stage::new(Transport::Udp);
    stage.extra = vec![("Record-Route", "<sip:10.0.0.2;lr>".to_owned())];
    stage.step("<- INVITE");
    stage.step("do 180");
    stage.step("do 200");
    let [trying, ringing, answer] = stage.responses.as_slice() else {
        panic!("not three answers");
    };
    assert!(trying.to().unwrap().tag().is_none());
    let tag = ringing.to().unwrap().tag().unwrap().to_vec();
    assert_eq!(answer.to().unwrap().tag(), Some(tag.as_slice()));
    for response in [ringing, answer] {
        assert_eq!(
            response.header(HeaderName::Contact).as_deref(),
            Some(&b"<sip:us@10.0.0.1:5060>"[..])
        );
        assert_eq!(
            response.header(HeaderName::RecordRoute).as_deref(),
            Some(&b"<sip:10.0.0.2;lr>"[..])
        );
    }
    assert!(answer.has(HeaderName::Allow));
    stage.step("<- ACK");
    stage.step("do bye");
    let bye = stage.last_request(&Method::Bye);
    assert_eq!(bye.uri_bytes(), b"sip:peer@10.0.0.2:5060");
    assert_eq!(bye.routes().unwrap().len(), 1);
    assert_eq!(bye.from().unwrap().tag(), Some(tag.as_slice()));
    assert_eq!(bye.to().unwrap().tag(), Some(&b"p"[..]));
}

/// RFC 3261 §17.2.3: peers of RFC 2543 have no magic cookie; their repeats and ACKs are found anyway.
#[test]
fn a_caller_without_magic_cookie_is_recognised() {
    let mut stage = Stage::new(Transport::Udp);
    let old = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes).replace("z9hG4bKp1", "1").replace("z9hG4bKp2", "2")
    };
    let invite = stage.request("INVITE", None, None);
    stage.hear(stage.start, old(invite.bytes()).into());
    assert_eq!(Subject::drain(&mut stage), ["up Invite", "-> 100 INVITE"]);
    assert_eq!(stage.step("<- again"), ["-> 100 INVITE"]);
    stage.step("do 486");
    let ack = stage.request("ACK", None, None);
    stage.hear(stage.start, old(ack.bytes()).into());
    assert_eq!(stage.endpoint.counters().dropped_acks, 0);
    let start = stage.start;
    stage.endpoint.handle_timeout(start + std::time::Duration::from_secs(4));
    assert!(Subject::drain(&mut stage).is_empty(), "the ACK did not count");
}
