//! Changing sessions: both ways, glare, lost ACKs, and peers that know nothing of the call.

use std::time::Duration;

use crate::Transport;
use crate::ladder::Subject;
use crate::stage::{Stage, check};

#[test]
fn we_hold_and_the_peer_agrees() {
    check(
        "
            0  do invite
            0  -> INVITE
          100  <- 200 INVITE a
          100  -> ACK
          100  up Accepted 200
         1000  do reinvite
         1000  -> INVITE
         1100  <- 200 INVITE a
         1100  -> ACK
         1100  up ReinviteAccepted
         1600  <- again
         1600  -> ACK
         5000  do bye
         5000  -> BYE
         5010  <- 200 BYE a
         5010  up Ended Hangup
        33100  end
        ",
    );
}

#[test]
fn the_peer_holds_and_we_agree() {
    check(
        "
            0  do invite
            0  -> INVITE
          100  <- 200 INVITE a
          100  -> ACK
          100  up Accepted 200
         1000  <- INVITE
         1000  up Reinvite
         1000  -> 100 INVITE
         1010  do accept
         1010  -> 200 INVITE
         1510  -> 200 INVITE
         1600  <- ACK
         1600  up Acked
         2000  <- INVITE
         2000  up Reinvite
         2000  -> 100 INVITE
         2010  do refuse 488
         2010  -> 488 INVITE
         2020  <- ACK
         9000  <- BYE
         9000  -> 200 BYE
         9000  up Ended Bye
        41000  end
        ",
    );
}

/// RFC 3261 §14.2: while our offer is out, 491; while its own is not answered, 500 with Retry-After.
#[test]
fn a_reinvite_at_the_wrong_moment_is_told_to_wait() {
    check(
        "
            0  do invite
            0  -> INVITE
          100  <- 200 INVITE a
          100  -> ACK
          100  up Accepted 200
         1000  do reinvite
         1000  -> INVITE
         1010  <- INVITE
         1010  -> 491 INVITE
         1020  <- ACK
         1100  <- 200 INVITE a
         1100  -> ACK
         1100  up ReinviteAccepted
         2000  <- INVITE
         2000  up Reinvite
         2000  -> 100 INVITE
         2010  <- INVITE
         2010  -> 500 INVITE
         2020  <- ACK
         2030  do accept
         2030  -> 200 INVITE
         2040  <- ACK cseq 2
         2040  up Acked
         9000  <- BYE
         9000  -> 200 BYE
         9000  up Ended Bye
        41000  end
        ",
    );
}

/// RFC 3261 §14.1: who made the Call-ID waits 2.1 to 4 s, the other up to 2 s.
#[test]
fn glare_is_waited_out_and_tried_again() {
    for (caller, range_ms) in [(true, 2_100..=4_000), (false, 10..=2_000)] {
        let mut stage = Stage::new(Transport::Tcp);
        if caller {
            stage.step("do invite");
            stage.step("<- 200 INVITE a");
        } else {
            stage.step("<- INVITE");
            stage.step("do 200");
            stage.step("<- ACK");
        }
        assert_eq!(stage.step("do reinvite"), ["-> INVITE"]);
        assert_eq!(stage.step("do reinvite"), ["up ReinviteFailed 491"]);
        assert_eq!(stage.step("<- 491 INVITE a"), ["-> ACK"]);
        let wait = stage.endpoint.poll_timeout().unwrap() - stage.start;
        assert!(range_ms.contains(&u64::try_from(wait.as_millis()).unwrap()), "{wait:?}");
        stage.endpoint.handle_timeout(stage.start + wait);
        assert_eq!(stage.drain(), ["-> INVITE"]);
        assert_eq!(stage.step("<- 200 INVITE a"), ["-> ACK", "up ReinviteAccepted"]);
    }
}

#[test]
fn endless_glare_is_given_up() {
    let mut stage = Stage::new(Transport::Tcp);
    stage.step("do invite");
    stage.step("<- 200 INVITE a");
    stage.step("do reinvite");
    let mut now = stage.start;
    for _ in 1..super::super::REINVITE_TRIES_MAX {
        stage.input(now, "<- 491 INVITE a");
        assert_eq!(stage.drain(), ["-> ACK"]);
        now += Duration::from_secs(4);
        stage.endpoint.handle_timeout(now);
        assert_eq!(stage.drain(), ["-> INVITE"]);
    }
    stage.input(now, "<- 491 INVITE a");
    assert_eq!(stage.drain(), ["-> ACK", "up ReinviteFailed 491"]);
}

/// RFC 3261 §12.2.1.2: 481 and 408 say that the peer lost the call.
#[test]
fn a_peer_that_knows_nothing_of_the_call_ends_it() {
    check(
        "
            0  do invite
            0  -> INVITE
          100  <- 200 INVITE a
          100  -> ACK
          100  up Accepted 200
         1000  do reinvite
         1000  -> INVITE
         1100  <- 481 INVITE a
         1100  -> ACK
         1100  -> BYE
         1100  up Ended Gone
         1200  <- 481 BYE a
        33100  end
        ",
    );
    Stage::new(Transport::Tcp).check(
        "
            0  do invite
            0  -> INVITE
          100  <- 200 INVITE a
          100  -> ACK
          100  up Accepted 200
         1000  do reinvite
         1000  -> INVITE
        33000  -> BYE
        33000  up Ended Gone
        65000  end
        ",
    );
}

#[test]
fn a_refused_reinvite_leaves_the_call_as_it_was() {
    check(
        "
            0  do invite
            0  -> INVITE
          100  <- 200 INVITE a
          100  -> ACK
          100  up Accepted 200
         1000  do reinvite
         1000  -> INVITE
         1100  <- 488 INVITE a
         1100  -> ACK
         1100  up ReinviteFailed 488
         2000  do bye
         2000  -> BYE
         2100  <- 200 BYE a
         2100  up Ended Hangup
        33100  end
        ",
    );
}

/// RFC 3261 §15.1.2: what still waits for an answer gets 487.
#[test]
fn a_call_that_ends_answers_what_was_asked() {
    check(
        "
            0  do invite
            0  -> INVITE
          100  <- 200 INVITE a
          100  -> ACK
          100  up Accepted 200
         1000  <- INVITE
         1000  up Reinvite
         1000  -> 100 INVITE
         1100  do bye
         1100  -> 487 INVITE
         1100  -> BYE
         1110  <- ACK
         1120  <- 200 BYE a
         1120  up Ended Hangup
         1200  do accept
        32100  end
        ",
    );
}

#[test]
fn a_2xx_to_a_reinvite_never_acknowledged_ends_the_call() {
    let mut stage = Stage::new(Transport::Udp);
    stage.step("do invite");
    stage.step("<- 200 INVITE a");
    stage.step("<- INVITE");
    stage.step("do accept");
    stage.endpoint.handle_timeout(stage.start + Duration::from_secs(32));
    let lines = stage.drain();
    assert!(lines.ends_with(&["-> BYE".to_owned(), "up Ended NoAck".to_owned()]), "{lines:?}");
}

/// RFC 3311 §5.2: an UPDATE with a body asks the same without three ways; without one it refreshes.
#[test]
fn updates_are_answered_without_ack() {
    check(
        "
            0  <- INVITE
            0  up Invite
            0  -> 100 INVITE
            5  do 180
            5  -> 180 INVITE
           10  <- UPDATE
           10  -> 500 UPDATE
           20  do 200
           20  -> 200 INVITE
           30  <- ACK cseq 1
           30  up Acked
         1000  <- UPDATE
         1000  up Reinvite
         1010  do accept
         1010  -> 200 UPDATE
         2000  <- BYE
         2000  -> 200 BYE
         2000  up Ended Bye
        34000  end
        ",
    );
}
