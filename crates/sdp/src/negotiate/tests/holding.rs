//! RFC 3264 §5.1, §6.1 and §8.4: which way sound flows, hold and resume.

use super::*;
use crate::Direction::{Inactive, RecvOnly, SendOnly, SendRecv};

/// RFC 3264 §6.1: what each offered direction may be answered with.
#[test]
fn an_answer_turns_the_direction_round_within_what_we_are_willing_to_do() {
    for (offered, willing, answered) in [
        ("a=sendrecv", SendRecv, SendRecv),
        ("a=sendonly", SendRecv, RecvOnly),
        ("a=recvonly", SendRecv, SendOnly),
        ("a=inactive", SendRecv, Inactive),
        ("a=sendrecv", SendOnly, SendOnly),
        ("a=sendonly", SendOnly, Inactive),
        ("a=recvonly", RecvOnly, Inactive),
        ("a=sendrecv", Inactive, Inactive),
        ("c=IN IP4 0.0.0.0", SendRecv, RecvOnly),
    ] {
        let offer = theirs(&format!("m=audio 4000 RTP/AVP 0\n{offered}"));
        let mut origin = Origin::new(4);
        let ours = answer(&mut origin, &offer, local(), &g711(), willing).unwrap();
        assert_agrees(&ours.description);
        assert_eq!(ours.stream.direction, answered, "{offered} {willing:?}");
        assert_eq!(ours.description.media[0].direction(&ours.description), answered);
    }
}

#[test]
fn an_answer_to_us_limits_what_we_offered() {
    for (offered, answered, agreed) in [
        (SendRecv, "a=sendrecv", SendRecv),
        (SendRecv, "a=recvonly", SendOnly),
        (SendRecv, "a=inactive", Inactive),
        (SendOnly, "a=recvonly", SendOnly),
        // A peer that forgets to turn the direction round does not get us to listen.
        (SendOnly, "a=sendonly", Inactive),
        (SendOnly, "a=sendrecv", SendOnly),
        (SendRecv, "c=IN IP4 0.0.0.0", RecvOnly),
    ] {
        let mut origin = Origin::new(4);
        let layout = Layout::audio_only();
        let ours = offer(&mut origin, local(), &g711(), None, offered, &layout);
        assert_agrees(&ours);
        let answer = theirs(&format!("m=audio 4000 RTP/AVP 0\n{answered}"));
        let stream = accept_answer(&ours, &answer).unwrap();
        assert_eq!(stream.direction, agreed, "{offered:?} {answered}");
    }
}

/// RFC 3264 §8.4, both ways to say it, and the way back.
#[test]
fn hold_and_resume_by_the_peer() {
    let mut origin = Origin::new(4);
    let mut step = |lines: &str| {
        let offer = theirs(lines);
        let ours = answer(&mut origin, &offer, local(), &g711(), SendRecv).unwrap();
        let version = ours.description.origin.version;
        (version, ours.stream.direction, ours.stream.remote.is_some())
    };
    assert_eq!(step("m=audio 4000 RTP/AVP 0"), (1, SendRecv, true));
    assert_eq!(step("m=audio 4000 RTP/AVP 0\na=sendonly"), (2, RecvOnly, true));
    assert_eq!(step("m=audio 4000 RTP/AVP 0\na=sendrecv"), (3, SendRecv, true));
    assert_eq!(step("m=audio 4000 RTP/AVP 0\nc=IN IP4 0.0.0.0"), (4, RecvOnly, false));
    assert_eq!(step("m=audio 4002 RTP/AVP 0"), (5, SendRecv, true));
    assert_eq!(step("m=audio 4004 RTP/AVP 0"), (5, SendRecv, true));
}

/// RFC 3264 §8: a later offer of ours has the same lines in the same places.
#[test]
fn hold_by_us_keeps_the_layout() {
    let mut origin = Origin::new(4);
    let offer_of_theirs = theirs(
        "m=video 5000 RTP/AVP 31
         m=audio 4000 RTP/AVPF 0",
    );
    let answered =
        answer(&mut origin, &offer_of_theirs, local(), &g711(), SendRecv).unwrap().description;
    assert_eq!(origin.last(), Some(answered.clone()));

    let layout = Layout::again(&answered);
    let hold = offer(&mut origin, local(), &g711(), None, SendOnly, &layout);
    assert_eq!(hold.origin.version, 2);
    assert_streams(
        &hold,
        "m=video 0 RTP/AVP 31
         m=audio 20000 RTP/AVPF 0 8
         a=rtpmap:0 PCMU/8000
         a=rtpmap:8 PCMA/8000
         a=ptime:20
         a=sendonly",
    );
    let answer = theirs("m=video 0 RTP/AVP 31\nm=audio 4000 RTP/AVPF 0\na=recvonly");
    let agreed = accept_answer(&hold, &answer).unwrap();
    assert_eq!((agreed.media_index, agreed.direction), (1, SendOnly));
}
