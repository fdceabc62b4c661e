//! Two legs with us between: codecs, numbers and carried streams.

use super::*;

#[test]
fn the_other_leg_is_offered_the_same_codecs_and_g711() {
    let offer = theirs(
        "m=audio 4000 RTP/AVP 96 9 13 101
         a=rtpmap:96 opus/48000/2
         a=fmtp:96 useinbandfec=1
         a=rtpmap:101 telephone-event/8000",
    );
    assert_eq!(named(&offer.media[0]), "96 opus, 9 G722, 0 PCMU, 8 PCMA");
    assert_eq!(codecs_for_other_leg(&offer.media[0])[0].fmtp.as_deref(), Some("useinbandfec=1"));
}

#[test]
fn g711_keeps_the_place_and_number_it_has() {
    let named = |lines| named(&theirs(lines).media[0]);
    assert_eq!(named("m=audio 4000 RTP/AVP 8 18"), "8 PCMA, 18 G729, 0 PCMU");
    assert_eq!(named("m=audio 4000 RTP/AVP 99\na=rtpmap:99 pcmu/8000"), "99 pcmu, 8 PCMA");
    assert_eq!(named("m=audio 4000 RTP/AVP 0\na=rtpmap:0 L16/16000"), "0 L16, 8 PCMA");
}

#[test]
fn key_presses_get_a_free_number() {
    let number = |lines| telephone_event_for_other_leg(&theirs(lines).media[0]);
    assert_eq!(number("m=audio 4000 RTP/AVP 0 96\na=rtpmap:96 telephone-event/8000"), Some(96));
    assert_eq!(number("m=audio 4000 RTP/AVP 0"), Some(101));
    assert_eq!(number("m=audio 4000 RTP/AVP 101 102\na=rtpmap:101 opus/48000/2"), Some(103));
    let all: Vec<String> = (96..=127).map(|n: u8| n.to_string()).collect();
    assert_eq!(number(&format!("m=audio 4000 RTP/AVP {}", all.join(" "))), None);
}

/// The whole way: A offers, B is offered more, B picks what A lacks, A gets what converts to it.
#[test]
fn legs_that_share_no_codec_meet_in_g711() {
    let from_a = theirs("m=audio 4000 RTP/AVP 8");
    let (mut origin_a, mut origin_b) = (Origin::new(4), Origin::new(8));
    let codecs = codecs_for_other_leg(&from_a.media[0]);
    let event = telephone_event_for_other_leg(&from_a.media[0]);
    let layout = Layout::for_other_leg(&from_a);
    let to_b = offer(&mut origin_b, local(), &codecs, event, Direction::SendRecv, &layout);
    assert_streams(
        &to_b,
        "m=audio 20000 RTP/AVP 8 0 101
         a=rtpmap:8 PCMA/8000
         a=rtpmap:0 PCMU/8000
         a=rtpmap:101 telephone-event/8000
         a=fmtp:101 0-16
         a=ptime:20
         a=sendrecv",
    );
    let with_b = accept_answer(&to_b, &theirs("m=audio 6000 RTP/AVP 0")).unwrap();
    assert_eq!(with_b.codec, RtpCodec::pcmu());

    let mut ours = vec![with_b.codec];
    ours.extend(g711());
    let to_a = answer(&mut origin_a, &from_a, local(), &ours, Direction::SendRecv).unwrap();
    assert_eq!(to_a.stream.codec, RtpCodec::pcma());
}

/// A stream of a kind nobody knows goes through whole, with its address spelled out.
#[test]
fn an_unknown_stream_alone_passes_between_the_legs() {
    let from_a = Description::parse(
        b"v=0\r\no=original 3326093141 3326093142 IN IP4 192.168.0.200\r\ns=SipSession\r\n\
          c=IN IP4 192.168.0.200\r\nt=0 0\r\nm=application 49152 TCP Chipflip\r\n\
          a=direction:both\r\n",
    )
    .unwrap();
    let layout = Layout::for_other_leg(&from_a);
    assert!(layout.carries() && !layout.has_audio());
    assert!(carries_accepted_streams(&from_a));

    let mut origin_b = Origin::new(8);
    let to_b = offer(&mut origin_b, local(), &[], None, Direction::SendRecv, &layout);
    assert_streams(
        &to_b,
        "m=application 49152 TCP Chipflip
         c=IN IP4 192.168.0.200
         a=direction:both",
    );

    let from_b = theirs("m=application 6001 TCP Chipflip\na=direction:passive");
    assert!(accept_answer(&to_b, &from_b).is_err(), "there is no audio in it");
    let mut origin_a = Origin::new(4);
    let all = Direction::SendRecv;
    let to_a = answer_carrying(&mut origin_a, &from_a, local(), &g711(), all, &from_b).unwrap();
    assert_eq!(to_a.stream, None);
    assert_streams(
        &to_a.description,
        "m=application 6001 TCP Chipflip
         c=IN IP4 192.0.2.1
         a=direction:passive",
    );

    let from_b = theirs("m=application 0 TCP Chipflip");
    assert!(!carries_accepted_streams(&from_b));
    let refused = answer_carrying(&mut origin_a, &from_a, local(), &g711(), all, &from_b);
    assert_eq!(refused.unwrap_err().warning().0, 304);
}

/// RFC 3264 §6 and §8: same count and order on both legs, whatever becomes of each stream.
#[test]
fn audio_ends_with_us_and_other_streams_are_carried_in_place() {
    let from_a = theirs(
        "m=audio 0 RTP/AVP 3
         m=video 5000 RTP/AVP 31
         b=AS:256
         m=audio 4000 RTP/AVP 0
         m=audio 4002 RTP/SAVP 0
         m=image 4004 udptl t38
         c=IN IP4 198.51.100.4
         m=text 0 RTP/AVP 98",
    );
    let (mut origin_a, mut origin_b) = (Origin::new(4), Origin::new(8));
    let layout = Layout::for_other_leg(&from_a);
    assert!(layout.has_audio());
    let to_b = offer(&mut origin_b, local(), &g711(), None, Direction::SendRecv, &layout);
    assert_streams(
        &to_b,
        "m=audio 0 RTP/AVP 3
         m=video 5000 RTP/AVP 31
         c=IN IP4 192.0.2.1
         b=AS:256
         m=audio 20000 RTP/AVP 0 8
         a=rtpmap:0 PCMU/8000
         a=rtpmap:8 PCMA/8000
         a=ptime:20
         a=sendrecv
         m=audio 0 RTP/SAVP 0
         m=image 4004 udptl t38
         c=IN IP4 198.51.100.4
         m=text 0 RTP/AVP 98",
    );

    let from_b = theirs(
        "m=audio 0 RTP/AVP 3
         m=video 0 RTP/AVP 31
         m=audio 6000 RTP/AVP 0
         m=audio 0 RTP/SAVP 0
         m=image 6004 udptl t38
         m=text 6006 RTP/AVP 98",
    );
    assert_eq!(accept_answer(&to_b, &from_b).unwrap().media_index, 2);
    let all = Direction::SendRecv;
    let to_a = answer_carrying(&mut origin_a, &from_a, local(), &g711(), all, &from_b).unwrap();
    assert_eq!(to_a.stream.unwrap().media_index, 2);
    assert_streams(
        &to_a.description,
        "m=audio 0 RTP/AVP 3
         m=video 0 RTP/AVP 31
         m=audio 20000 RTP/AVP 0
         a=rtpmap:0 PCMU/8000
         a=ptime:20
         a=sendrecv
         m=audio 0 RTP/SAVP 0
         m=image 6004 udptl t38
         c=IN IP4 192.0.2.1
         m=text 0 RTP/AVP 98",
    );
}

#[test]
fn what_a_stream_took_from_its_session_goes_with_it() {
    let from_a = theirs(
        "a=sendonly
         a=fingerprint:sha-256 AB:CD
         a=setup:actpass
         a=tool:x
         m=video 5000 UDP/TLS/RTP/SAVPF 96
         a=setup:active
         m=application 5002 TCP Chipflip
         a=recvonly",
    );
    let layout = Layout::for_other_leg(&from_a);
    let mut origin = Origin::new(8);
    let to_b = offer(&mut origin, local(), &[], None, Direction::SendRecv, &layout);
    assert_streams(
        &to_b,
        "m=video 5000 UDP/TLS/RTP/SAVPF 96
         c=IN IP4 192.0.2.1
         a=setup:active
         a=sendonly
         a=fingerprint:sha-256 AB:CD
         m=application 5002 TCP Chipflip
         c=IN IP4 192.0.2.1
         a=recvonly
         a=fingerprint:sha-256 AB:CD
         a=setup:actpass",
    );
}

#[test]
fn a_line_of_another_kind_is_not_taken_for_the_answer() {
    let from_a = theirs("m=audio 4000 RTP/AVP 0\nm=application 5002 TCP Chipflip");
    for from_b in ["m=audio 6000 RTP/AVP 0", "m=audio 6000 RTP/AVP 0\nm=video 5 RTP/AVP 31"] {
        let mut origin = Origin::new(4);
        let (all, from_b) = (Direction::SendRecv, theirs(from_b));
        let to_a = answer_carrying(&mut origin, &from_a, local(), &g711(), all, &from_b).unwrap();
        assert!(to_a.description.media[1].is_refused());
    }
}

#[test]
fn audio_is_never_carried() {
    let from_a = theirs("m=audio 4000 RTP/AVP 0\nm=audio 4002 RTP/SAVP 0\nm=audio 4004 RTP/AVP 8");
    let from_b = theirs("m=audio 6000 RTP/AVP 0\nm=audio 6002 RTP/SAVP 0\nm=audio 6004 RTP/AVP 8");
    let (mut origin, all) = (Origin::new(4), Direction::SendRecv);
    let to_a = answer_carrying(&mut origin, &from_a, local(), &g711(), all, &from_b).unwrap();
    assert_eq!(to_a.description.media.iter().map(|m| m.port).collect::<Vec<_>>(), [20000, 0, 0]);
    assert!(!carries_accepted_streams(&from_b));
}

/// RFC 3264 §8: a later offer keeps carrying what was carried.
#[test]
fn carried_streams_stay_in_later_offers() {
    let from_a = theirs("m=application 5002 TCP Chipflip\nm=audio 4000 RTP/AVP 0");
    let mut origin = Origin::new(8);
    let layout = Layout::for_other_leg(&from_a);
    let first = offer(&mut origin, local(), &g711(), None, Direction::SendRecv, &layout);
    let layout = Layout::again(&origin.last().unwrap());
    let again = offer(&mut origin, local(), &g711(), None, Direction::SendRecv, &layout);
    assert_eq!(again, first);
    let hold = offer(&mut origin, local(), &g711(), None, Direction::SendOnly, &layout);
    assert_eq!(hold.media[0], first.media[0]);
    assert_eq!(hold.origin.version, 2);
}

fn named(line: &MediaLine) -> String {
    let codecs = codecs_for_other_leg(line);
    let names: Vec<_> = codecs.iter().map(|c| format!("{} {}", c.payload_type, c.name)).collect();
    names.join(", ")
}
