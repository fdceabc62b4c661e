//! Calls of ours: forks, CANCEL at every moment, crossing answers, lost ACKs.

use sip_syntax::{HeaderName, Method};

use crate::Transport;
use crate::ladder::Subject;
use crate::stage::{Stage, check};

#[test]
fn a_call_rings_is_answered_and_ended_by_us() {
    check(
        "
            0  do invite
            0  -> INVITE
          100  <- 100 INVITE -
          200  <- 180 INVITE a
          200  up Provisional 180
         3000  <- 200 INVITE a
         3000  -> ACK
         3000  up Accepted 200
         9000  do bye
         9000  -> BYE
         9100  <- 200 BYE a
         9100  up Ended Hangup
        35000  end
        ",
    );
}

#[test]
fn over_a_stream_little_is_remembered() {
    Stage::new(Transport::Tcp).check(
        "
            0  do invite
            0  -> INVITE
          200  <- 486 INVITE a
          200  -> ACK
          200  up Failed 486
          200  end
        ",
    );
}

#[test]
fn the_peer_hangs_up() {
    check(
        "
            0  do invite
            0  -> INVITE
          100  <- 200 INVITE a
          100  -> ACK
          100  up Accepted 200
         5000  <- BYE
         5000  -> 200 BYE
         5000  up Ended Bye
         5500  <- again
         5500  -> 200 BYE
        37000  end
        ",
    );
}

/// RFC 3261 §13.2.2.4: each 2xx is acknowledged, or its sender thinks the ACK was lost.
#[test]
fn a_repeated_2xx_is_acknowledged_again() {
    check(
        "
            0  do invite
            0  -> INVITE
          100  <- 200 INVITE a
          100  -> ACK
          100  up Accepted 200
          600  <- again
          600  -> ACK
         1600  <- again
         1600  -> ACK
         2000  do bye
         2000  -> BYE
         2100  <- 200 BYE a
         2100  up Ended Hangup
         3600  <- 200 INVITE a
         3600  -> ACK
        32100  end
        ",
    );
}

/// RFC 3261 §13.2.2.4: one call, one answer: whoever answers second is acknowledged and hung up on.
#[test]
fn the_second_fork_to_answer_is_ended() {
    check(
        "
            0  do invite
            0  -> INVITE
          100  <- 180 INVITE a
          100  up Provisional 180
          110  <- 180 INVITE b
          110  up Provisional 180
         2000  <- 200 INVITE b
         2000  -> ACK
         2000  up Accepted 200
         2100  <- 200 INVITE a
         2100  -> ACK
         2100  -> BYE
         2200  <- 200 BYE a
         2600  <- 200 INVITE a
         2600  -> ACK
         9000  <- BYE tag b
         9000  -> 200 BYE
         9000  up Ended Bye
        41000  end
        ",
    );
}

/// RFC 3261 §9.1: a CANCEL sent before any answer could overtake its INVITE.
#[test]
fn a_cancel_waits_for_a_provisional() {
    check(
        "
            0  do invite
            0  -> INVITE
           50  do cancel
          100  <- 100 INVITE -
          100  -> CANCEL
          150  <- 200 CANCEL -
          160  <- 487 INVITE a
          160  -> ACK
          160  up Failed 487
        32160  end
        ",
    );
}

#[test]
fn a_cancel_while_it_rings_goes_out_at_once_and_is_repeated_until_answered() {
    check(
        "
            0  do invite
            0  -> INVITE
          100  <- 180 INVITE a
          100  up Provisional 180
         5000  do cancel
         5000  -> CANCEL
         5100  do cancel
         5500  -> CANCEL
         5600  <- 200 CANCEL a
         5600  <- 487 INVITE a
         5600  -> ACK
         5600  up Failed 487
         6100  <- again
         6100  -> ACK
        37600  end
        ",
    );
}

#[test]
fn a_cancel_nobody_hears_of_ends_with_the_invite() {
    check(
        "
            0  do invite
            0  -> INVITE
          100  do cancel
          500  -> INVITE
         1500  -> INVITE
         3500  -> INVITE
         7500  -> INVITE
        15500  -> INVITE
        31500  -> INVITE
        32000  up Failed 487
        32000  end
        ",
    );
}

/// RFC 3261 §9.1: a peer that answers the CANCEL but never the INVITE is waited for 64*T1.
#[test]
fn a_cancel_that_changes_nothing_ends_the_call_all_the_same() {
    check(
        "
            0  do invite
            0  -> INVITE
          100  <- 180 INVITE a
          100  up Provisional 180
         1000  do cancel
         1000  -> CANCEL
         1100  <- 200 CANCEL a
        33000  up Failed 487
        33000  end
        ",
    );
}

/// RFC 3261 §9.1, §15: the answer crossed the CANCEL, so there is a call to end.
#[test]
fn a_2xx_that_crosses_the_cancel_is_acknowledged_and_ended() {
    check(
        "
            0  do invite
            0  -> INVITE
          100  <- 180 INVITE a
          100  up Provisional 180
         1000  do cancel
         1000  -> CANCEL
         1010  <- 200 INVITE a
         1010  -> ACK
         1010  -> BYE
         1020  <- 200 CANCEL a
         1030  <- 200 BYE a
         1030  up Ended Hangup
         1510  <- 200 INVITE a
         1510  -> ACK
        33010  end
        ",
    );
}

#[test]
fn a_2xx_before_the_waiting_cancel_could_go_out_is_ended_too() {
    check(
        "
            0  do invite
            0  -> INVITE
           50  do cancel
          100  <- 200 INVITE a
          100  -> ACK
          100  -> BYE
          150  <- 200 BYE a
          150  up Ended Hangup
        32100  end
        ",
    );
}

#[test]
fn a_busy_that_crosses_the_cancel_counts_as_cancelled() {
    check(
        "
            0  do invite
            0  -> INVITE
          100  <- 180 INVITE a
          100  up Provisional 180
         1000  do cancel
         1000  -> CANCEL
         1010  <- 486 INVITE a
         1010  -> ACK
         1010  up Failed 487
         1020  <- 481 CANCEL a
        33010  end
        ",
    );
}

#[test]
fn a_cancel_after_the_end_is_nothing() {
    check(
        "
            0  do invite
            0  -> INVITE
          100  <- 404 INVITE a
          100  -> ACK
          100  up Failed 404
          200  do cancel
          300  do bye
        32100  end
        ",
    );
}

#[test]
fn nobody_answers() {
    check(
        "
            0  do invite
            0  -> INVITE
          500  -> INVITE
         1500  -> INVITE
         3500  -> INVITE
         7500  -> INVITE
        15500  -> INVITE
        31500  -> INVITE
        32000  up Failed 408
        32000  end
        ",
    );
}

/// RFC 3261 §8.1.3.1: a transport that fails counts as 503.
#[test]
fn the_flow_breaks_at_each_stage() {
    Stage::new(Transport::Tcp).check(
        "
            0  do invite
            0  -> INVITE
           10  do break
           10  up Failed 503
           10  end
        ",
    );
    Stage::new(Transport::Tcp).check(
        "
            0  do invite
            0  -> INVITE
          100  <- 200 INVITE a
          100  -> ACK
          100  up Accepted 200
         1000  do break
         2000  do reinvite
         2000  -> INVITE
         2010  do break
         2010  up ReinviteFailed 503
         3000  do bye
         3000  -> BYE
         3010  do break
         3010  up Ended FlowFailed
        32100  end
        ",
    );
}

/// RFC 3261 §18.1.1: a peer that lost its connection may still have the call, and listens elsewhere.
#[test]
fn a_broken_stream_is_replaced_by_one_to_the_contact() {
    let mut stage = Stage::new(Transport::Tcp);
    stage.flow.remote = crate::stage::address("10.0.0.2:40000");
    stage.step("do invite");
    stage.step("<- 200 INVITE a");
    assert_eq!(stage.step("do bye"), ["-> BYE"]);
    let broken = stage.flow;
    stage.endpoint.handle_flow_failed(stage.start, broken);
    stage.flow.remote = crate::stage::address("10.0.0.2:5060");
    assert_eq!(Subject::drain(&mut stage), ["-> BYE"]);
    let [.., first, second] = stage.requests.as_slice() else {
        panic!("not two requests");
    };
    assert_eq!(second.cseq().unwrap().number, first.cseq().unwrap().number + 1);
    assert_eq!(stage.step("do break"), ["up Ended FlowFailed"]);
}

#[test]
fn a_bye_nobody_answers_still_ends_the_session() {
    Stage::new(Transport::Tcp).check(
        "
            0  do invite
            0  -> INVITE
          100  <- 200 INVITE a
          100  -> ACK
          100  up Accepted 200
         1000  do bye
         1000  -> BYE
        32100  do bye
        33000  up Ended Hangup
        33000  end
        ",
    );
}

/// RFC 3261 §15.1.1: BYEs that cross are each answered.
#[test]
fn byes_that_cross_end_one_session_once() {
    check(
        "
            0  do invite
            0  -> INVITE
          100  <- 200 INVITE a
          100  -> ACK
          100  up Accepted 200
         1000  do bye
         1000  -> BYE
         1010  <- BYE
         1010  -> 200 BYE
         1020  <- 481 BYE a
         1020  up Ended Hangup
        33010  end
        ",
    );
}

/// RFC 3261 §13.2.2.4: when the INVITE made no offer, the 2xx does, and the ACK answers.
#[test]
fn a_late_offer_is_answered_in_the_ack_if_the_user_is_quick() {
    let mut stage = Stage::new(Transport::Udp);
    stage.step("do invite bare");
    let answer = stage.answer(200, "INVITE", "a").body("application/sdp", b"v=0\r\n");
    stage.hear(stage.start, answer.finish_response().bytes().clone());
    assert!(matches!(
        stage.endpoint.poll_output(),
        Some(crate::Output::Event(crate::Event::Accepted { .. }))
    ));
    assert_eq!(stage.step("do ack"), ["-> ACK"]);
    assert_eq!(stage.last_request(&Method::Ack).body(), b"v=0\r\n");
}

#[test]
fn a_late_offer_nobody_answers_is_acknowledged_all_the_same() {
    let mut stage = Stage::new(Transport::Udp);
    stage.step("do invite bare");
    let answer = stage.answer(200, "INVITE", "a").body("application/sdp", b"v=0\r\n");
    stage.hear(stage.start, answer.finish_response().bytes().clone());
    assert_eq!(stage.step("<- again"), ["up Accepted 200", "-> ACK"]);
    assert_eq!(stage.step("<- again"), ["-> ACK"]);
}

/// RFC 3261 §12.1.2, §12.2.1.1: the route set is the Record-Route reversed, the target the Contact.
#[test]
fn requests_within_the_dialog_follow_its_route() {
    let mut stage = Stage::new(Transport::Udp);
    stage.step("do invite");
    let answer = stage
        .answer(200, "INVITE", "a")
        .header_named("Record-Route", "<sip:10.0.0.2;lr>, <sip:far.example.org;lr>")
        .header_named("Record-Route", "<sip:10.0.0.2;lr;near=1>");
    let bytes = answer.finish_response().bytes().clone();
    stage.hear(stage.start, bytes);
    stage.step("do bye");
    let bye = stage.last_request(&Method::Bye);
    let routes: Vec<_> = bye.routes().unwrap().iter().map(|route| route.uri.to_string()).collect();
    assert_eq!(routes, ["sip:10.0.0.2;lr;near=1", "sip:far.example.org;lr", "sip:10.0.0.2;lr"]);
    assert_eq!(bye.uri_bytes(), b"sip:peer@10.0.0.2:5060");
    assert_eq!(bye.cseq().unwrap().number, 2);
    let ack = stage.last_request(&Method::Ack);
    assert_eq!(ack.cseq().unwrap().number, 1);
    assert_eq!(ack.routes().unwrap().len(), 3);
}

/// RFC 3261 §12.2.1.1: a strict router takes the request line, and the target goes last.
#[test]
fn a_strict_router_is_put_in_the_request_line() {
    let mut stage = Stage::new(Transport::Udp);
    stage.step("do invite");
    let answer = stage
        .answer(200, "INVITE", "a")
        .header_named("Record-Route", "<sip:loose.example.org;lr>, <sip:10.0.0.2>");
    let bytes = answer.finish_response().bytes().clone();
    stage.hear(stage.start, bytes);
    stage.step("do bye");
    let bye = stage.last_request(&Method::Bye);
    assert_eq!(bye.uri_bytes(), b"sip:10.0.0.2");
    let routes: Vec<_> = bye.routes().unwrap().iter().map(|route| route.uri.to_string()).collect();
    assert_eq!(routes, ["sip:loose.example.org;lr", "sip:peer@10.0.0.2:5060"]);
}

/// RFC 3261 §17.1.1.3, §9.1: ACK of a refusal and CANCEL take the INVITE's own path and branch.
#[test]
fn what_belongs_to_the_invite_goes_where_it_went() {
    let mut stage = Stage::new(Transport::Udp);
    stage.step("do invite");
    stage.step("<- 180 INVITE a");
    stage.step("do cancel");
    stage.step("<- 487 INVITE b");
    let [invite, cancel, ack] = stage.requests.as_slice() else {
        panic!("not three requests");
    };
    for other in [cancel, ack] {
        assert_eq!(other.uri_bytes(), invite.uri_bytes());
        assert_eq!(other.top_via().unwrap(), invite.top_via().unwrap());
        assert_eq!(other.call_id(), invite.call_id());
        assert_eq!(other.cseq().unwrap().number, invite.cseq().unwrap().number);
        assert_eq!(other.header(HeaderName::From), invite.header(HeaderName::From));
        assert!(other.body().is_empty());
    }
    assert_eq!(cancel.header(HeaderName::To), invite.header(HeaderName::To));
    assert_eq!(ack.to().unwrap().tag(), Some(&b"b"[..]));
}

/// RFC 3261 §8.1.1: what every request must have; §8.1.1.6: 70 hops; §12.1.2: a Contact for the rest.
#[test]
fn an_invite_has_all_it_needs() {
    let mut stage = Stage::new(Transport::Udp);
    stage.step("do invite");
    let invite = stage.last_request(&Method::Invite);
    assert_eq!(invite.uri_bytes(), b"sip:peer@10.0.0.2");
    assert_eq!(invite.max_forwards().unwrap().unwrap(), 70);
    let via = invite.top_via().unwrap();
    assert!(via.has_magic_branch() && via.rport == Some(None));
    assert!(invite.from().unwrap().tag().unwrap().len() >= 8);
    assert!(invite.to().unwrap().tag().is_none());
    assert_eq!(invite.header(HeaderName::Contact).as_deref(), Some(&b"<sip:us@10.0.0.1:5060>"[..]));
    assert_eq!(invite.body(), b"v=0\r\n");
    assert!(invite.content_type().unwrap().is("application/sdp"));
}

#[test]
fn more_forks_than_a_call_may_have_are_passed_over() {
    let mut stage = Stage::new(Transport::Udp);
    stage.step("do invite");
    for fork in 0..super::super::FORKS_MAX {
        assert_eq!(stage.step(&format!("<- 180 INVITE f{fork}")), ["up Provisional 180"]);
    }
    assert!(stage.step("<- 180 INVITE more").is_empty());
    assert_eq!(stage.step("<- 180 INVITE f0"), ["up Provisional 180"]);
    assert_eq!(stage.endpoint.counters().forks_ignored, 1);
}
