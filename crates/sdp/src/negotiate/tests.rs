//! Offers and answers as they are written, one page each. Every description made here is also read
//! by the second reader.

mod answering;
mod bridging;
mod holding;

use super::*;
use crate::second_reader::assert_agrees;
use crate::{Description, MediaLine};

/// A peer's description: the usual head, and these lines.
#[track_caller]
fn theirs(lines: &str) -> Description {
    let head = "v=0\no=peer 5 6 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\n";
    let lines: Vec<&str> = lines.lines().map(str::trim).collect();
    Description::parse(format!("{head}{}", lines.join("\n")).as_bytes()).unwrap()
}

/// Compares the streams of `ours` with `expected`, the lines from the first `m=` on.
#[track_caller]
fn assert_streams(ours: &Description, expected: &str) {
    assert_agrees(ours);
    let text = String::from_utf8(ours.to_bytes()).unwrap();
    let written: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("m=")).collect();
    let expected: Vec<&str> =
        expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(written, expected, "{text}");
}

fn local() -> Local {
    Local { ip: "203.0.113.9".parse().unwrap(), port: 20000 }
}

fn g711() -> Vec<RtpCodec> {
    vec![RtpCodec::pcmu(), RtpCodec::pcma()]
}

/// An offer of audio alone with these codecs.
fn audio_offer(origin: &mut Origin, codecs: &[RtpCodec], event: Option<u8>) -> Description {
    let layout = Layout::audio_only();
    offer(origin, local(), codecs, event, Direction::SendRecv, &layout)
}

#[track_caller]
fn answer_g711(offer: &Description) -> Answered {
    let mut origin = Origin::new(4);
    answer(&mut origin, offer, local(), &g711(), Direction::SendRecv).unwrap()
}

/// Whatever a peer describes, what we make of it keeps the order and kinds of its lines.
pub(crate) fn check_any_offer(theirs: &Description) {
    let mut origin = Origin::new(4);
    let codecs: Vec<RtpCodec> = theirs.media.iter().flat_map(codecs_for_other_leg).collect();
    let layout = Layout::for_other_leg(theirs);
    let onward = offer(&mut origin, local(), &codecs, Some(101), Direction::SendRecv, &layout);
    assert_same_lines(theirs, &onward);
    if let Ok(agreed) = accept_answer(&onward, theirs) {
        assert!(theirs.media[agreed.media_index].is_rtp_audio());
    }
    let all = Direction::SendRecv;
    if let Ok(ours) = answer(&mut origin, theirs, local(), &codecs, all) {
        assert_same_lines(theirs, &ours.description);
        let accepted = &ours.description.media[ours.stream.media_index];
        assert_eq!(accepted.port, local().port);
        assert_eq!(origin.last(), Some(ours.description));
    }
    if let Ok(ours) = answer_carrying(&mut origin, theirs, local(), &g711(), all, theirs) {
        assert_same_lines(theirs, &ours.description);
    }
}

fn assert_same_lines(theirs: &Description, ours: &Description) {
    let kinds = |of: &Description| of.media.iter().map(|m| m.kind.clone()).collect::<Vec<_>>();
    assert_eq!(kinds(theirs), kinds(ours));
    for (theirs, ours) in theirs.media.iter().zip(&ours.media) {
        assert!(!theirs.is_refused() || ours.is_refused(), "what is refused stays so");
    }
}

#[test]
fn an_offer_says_everything_about_its_audio() {
    let mut origin = Origin::new(4);
    let opus = RtpCodec { channels: 2, ..RtpCodec::new(96, "opus", 48000) };
    let opus = RtpCodec { fmtp: Some("useinbandfec=1".into()), ..opus };
    let ours = audio_offer(&mut origin, &[opus, RtpCodec::pcma()], Some(101));
    assert_agrees(&ours);
    assert_eq!(
        String::from_utf8(ours.to_bytes()).unwrap().replace('\r', ""),
        "v=0
o=- 1 1 IN IP4 203.0.113.9
s=-
c=IN IP4 203.0.113.9
t=0 0
m=audio 20000 RTP/AVP 96 8 101
a=rtpmap:96 opus/48000/2
a=fmtp:96 useinbandfec=1
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=sendrecv
"
    );
}

#[test]
fn an_offer_over_ipv6_says_so() {
    let local = Local { ip: "2001:db8::9".parse().unwrap(), port: 20000 };
    let layout = Layout::audio_only();
    let mut origin = Origin::new(4);
    let ours = offer(&mut origin, local, &g711(), None, Direction::SendRecv, &layout);
    assert_agrees(&ours);
    let text = String::from_utf8(ours.to_bytes()).unwrap();
    assert!(text.contains("o=- 1 1 IN IP6 2001:db8::9\r\n"));
    assert!(text.contains("c=IN IP6 2001:db8::9\r\n"));
    assert_eq!(ours.media[0].remote(&ours), Some("[2001:db8::9]:20000".parse().unwrap()));
}

/// Both share one RTP timestamp.
#[test]
fn key_presses_keep_the_clock_of_the_voice() {
    let wide = [RtpCodec::new(97, "L16", 16000)];
    let mut origin = Origin::new(4);
    let ours = audio_offer(&mut origin, &wide, Some(101));
    let event = ours.media[0].codecs().pop().unwrap();
    assert_eq!((event.name.as_str(), event.rate_hz), ("telephone-event", 16000));
}

/// RFC 3264 §8: the version goes up by one with each change, and only then.
#[test]
fn the_version_counts_changes() {
    let mut origin = Origin::new(u64::MAX);
    assert_eq!((origin.version(), origin.last()), (0, None));
    let first = audio_offer(&mut origin, &g711(), None);
    assert_eq!(first.origin.version, 1);
    assert!(first.origin.session_id.parse::<i64>().is_ok());

    let again = audio_offer(&mut origin, &g711(), None);
    assert_eq!(again, first);
    assert_eq!(origin.last(), Some(again));

    let changed = audio_offer(&mut origin, &g711(), Some(101));
    assert_eq!(changed.origin.version, 2);
    assert_eq!(changed.origin.session_id, first.origin.session_id);
}

/// RFC 3264 §8: all of `o=` but the version stays.
#[test]
fn the_origin_stays_when_the_audio_moves() {
    let mut origin = Origin::new(4);
    audio_offer(&mut origin, &g711(), None);
    let moved = Local { ip: "198.51.100.1".parse().unwrap(), port: 20002 };
    let layout = Layout::audio_only();
    let ours = offer(&mut origin, moved, &g711(), None, Direction::SendRecv, &layout);
    assert_eq!(ours.origin.address.address, "203.0.113.9");
    assert_eq!(ours.origin.version, 2);
    assert_eq!(ours.media[0].remote(&ours), Some("198.51.100.1:20002".parse().unwrap()));
}
