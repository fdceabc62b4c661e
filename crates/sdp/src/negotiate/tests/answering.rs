//! RFC 3264 §6: one stream accepted, the others refused in place; and the answers to us.

use super::*;

#[test]
fn the_first_of_our_codecs_that_they_have_is_answered() {
    let offer = theirs(
        "m=audio 4000 RTP/AVP 8 0 101
         a=rtpmap:101 telephone-event/8000
         a=fmtp:101 0-15
         a=ptime:30",
    );
    let Answered { description, stream } = answer_g711(&offer);
    assert_streams(
        &description,
        "m=audio 20000 RTP/AVP 0 101
         a=rtpmap:0 PCMU/8000
         a=rtpmap:101 telephone-event/8000
         a=fmtp:101 0-16
         a=ptime:30
         a=sendrecv",
    );
    let expected = Agreed {
        media_index: 0,
        remote: Some("192.0.2.1:4000".parse().unwrap()),
        codec: RtpCodec::pcmu(),
        receive_payload_type: 0,
        telephone_event: Some(101),
        receive_telephone_event: Some(101),
        direction: Direction::SendRecv,
        ptime_ms: 30,
    };
    assert_eq!(stream, expected);
}

/// RFC 3264 §6: as many lines as the offer, in its order.
#[test]
fn every_other_stream_is_refused_in_its_place() {
    let offer = theirs(
        "m=video 5000 RTP/AVP 31
         a=sendonly
         m=audio 3000 RTP/SAVP 0
         a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x
         m=audio 4000 RTP/AVP 8
         m=audio 4002 RTP/AVP 0
         m=application 49152 TCP Chipflip",
    );
    let Answered { description, stream } = answer_g711(&offer);
    assert_eq!(stream.media_index, 2);
    assert_streams(
        &description,
        "m=video 0 RTP/AVP 31
         m=audio 0 RTP/SAVP 0
         m=audio 20000 RTP/AVP 8
         a=rtpmap:8 PCMA/8000
         a=ptime:20
         a=sendrecv
         m=audio 0 RTP/AVP 0
         m=application 0 TCP Chipflip",
    );
}

#[test]
fn audio_that_shares_no_codec_is_passed_over() {
    let offer = theirs(
        "m=audio 0 RTP/AVP 0
         m=audio 4000 RTP/AVP 18
         m=audio 4002 RTP/AVP 8",
    );
    let Answered { description, stream } = answer_g711(&offer);
    assert_eq!(stream.media_index, 2);
    assert_eq!(description.media.iter().map(|m| m.port).collect::<Vec<_>>(), [0, 0, 20000]);
}

/// RFC 4585 §4: the profile of the answer is that of the offer.
#[test]
fn the_answer_keeps_the_profile() {
    let answered = answer_g711(&theirs("m=audio 4000 RTP/AVPF 0"));
    assert_eq!(answered.description.media[0].protocol, "RTP/AVPF");
}

/// RFC 3264 §6.1: the answer uses the numbers of the offer.
#[test]
fn the_offerers_numbers_are_used() {
    let offer = theirs(
        "m=audio 4000 RTP/AVP 120 121
         a=rtpmap:120 opus/48000/2
         a=fmtp:120 maxplaybackrate=16000
         a=rtpmap:121 telephone-event/48000",
    );
    let opus = RtpCodec { channels: 2, ..RtpCodec::new(96, "OPUS", 48000) };
    let opus = RtpCodec { fmtp: Some("useinbandfec=1".into()), ..opus };
    let mut origin = Origin::new(4);
    let Answered { description, stream } =
        answer(&mut origin, &offer, local(), &[opus], Direction::SendRecv).unwrap();
    assert_streams(
        &description,
        "m=audio 20000 RTP/AVP 120 121
         a=rtpmap:120 opus/48000/2
         a=fmtp:120 useinbandfec=1
         a=rtpmap:121 telephone-event/48000
         a=fmtp:121 0-16
         a=ptime:20
         a=sendrecv",
    );
    assert_eq!(stream.codec.payload_type, 120);
    assert_eq!(stream.codec.fmtp.as_deref(), Some("maxplaybackrate=16000"));
}

/// The same encoding offered twice with other parameters, as mobile codecs are.
#[test]
fn the_number_tells_apart_what_parameters_set_apart() {
    let offer = theirs(
        "m=audio 4000 RTP/AVP 96 97
         a=rtpmap:96 AMR/8000
         a=fmtp:96 octet-align=1
         a=rtpmap:97 AMR/8000",
    );
    let choose = |payload_type, fmtp: Option<&str>| {
        let codec = RtpCodec::new(payload_type, "AMR", 8000);
        let codec = RtpCodec { fmtp: fmtp.map(Into::into), ..codec };
        let mut origin = Origin::new(4);
        let answered = answer(&mut origin, &offer, local(), &[codec], Direction::SendRecv);
        answered.unwrap().stream.codec.payload_type
    };
    assert_eq!(choose(97, None), 97);
    assert_eq!(choose(96, None), 96);
    assert_eq!(choose(100, None), 97);
    assert_eq!(choose(100, Some("octet-align=1")), 96);
    assert_eq!(choose(100, Some("mode-set=7")), 96);
}

#[test]
fn a_strange_packet_time_is_not_followed() {
    for (ptime, expected) in [("5", 20), ("10", 10), ("120", 120), ("500", 20)] {
        let offer = theirs(&format!("m=audio 4000 RTP/AVP 0\na=ptime:{ptime}"));
        assert_eq!(answer_g711(&offer).stream.ptime_ms, expected, "{ptime}");
    }
}

#[test]
fn key_presses_on_the_clock_of_the_voice_are_chosen() {
    let offer = theirs(
        "m=audio 4000 RTP/AVP 0 96 97
         a=rtpmap:96 telephone-event/48000
         a=rtpmap:97 telephone-event/8000",
    );
    assert_eq!(answer_g711(&offer).stream.telephone_event, Some(97));
    let offer = theirs(
        "m=audio 4000 RTP/AVP 0 96
         a=rtpmap:96 telephone-event/48000",
    );
    assert_eq!(answer_g711(&offer).stream.telephone_event, Some(96));
    assert_eq!(answer_g711(&theirs("m=audio 4000 RTP/AVP 0")).stream.telephone_event, None);
}

/// RFC 3261 §20.43: 304 for the type of media, 305 for the format.
#[test]
fn a_refusal_says_what_was_offered() {
    let warning = |lines: &str| {
        let mut origin = Origin::new(4);
        let refused = answer(&mut origin, &theirs(lines), local(), &g711(), Direction::SendRecv);
        assert_eq!(origin.version(), 0, "nothing was said");
        refused.unwrap_err().warning()
    };
    let no_audio = |offered: &str| (304, format!("no audio over RTP/AVP; there was {offered}"));
    assert_eq!(
        warning("m=application 49152 TCP Chipflip\na=direction:both"),
        no_audio("application over TCP")
    );
    assert_eq!(
        warning("m=audio 4000 RTP/SAVP 0\nm=audio 0 RTP/AVP 0"),
        no_audio("audio over RTP/SAVP, audio over RTP/AVP (port 0)")
    );
    assert_eq!(warning(""), no_audio("none"));
    let no_codec = |offered: &str| (305, format!("no common audio codec; there was {offered}"));
    assert_eq!(
        warning("m=audio 4000 RTP/AVP 18 101\na=rtpmap:101 telephone-event/8000"),
        no_codec("G729/8000")
    );
    assert_eq!(warning("m=audio 4000 RTP/AVP 99"), no_codec("none"));
}

#[test]
fn a_warning_fits_into_a_quoted_string() {
    let evil = format!("m=audio 1 RTP/AVP 96\na=rtpmap:96 a\"b\\c\u{e01}{}/8000", "x".repeat(900));
    let many: String = (0..31).map(|n| format!("m=video{n} 1 RTP/AVP 0\n")).collect();
    for offer in [theirs(&evil), theirs(&many)] {
        let mut origin = Origin::new(4);
        let refused = answer(&mut origin, &offer, local(), &g711(), Direction::SendRecv);
        let (_, text) = refused.unwrap_err().warning();
        assert!(text.len() <= 200, "{text}");
        assert!(text.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'"' && b != b'\\'));
    }
}

#[test]
fn the_answer_to_our_offer_picks_one_codec() {
    let mut origin = Origin::new(4);
    let ours = audio_offer(&mut origin, &g711(), Some(101));
    let answer = theirs(
        "m=audio 4000 RTP/AVP 8 101
         a=rtpmap:101 telephone-event/8000
         a=ptime:40",
    );
    let agreed = accept_answer(&ours, &answer).unwrap();
    let expected = Agreed {
        media_index: 0,
        remote: Some("192.0.2.1:4000".parse().unwrap()),
        codec: RtpCodec::pcma(),
        receive_payload_type: 8,
        telephone_event: Some(101),
        receive_telephone_event: Some(101),
        direction: Direction::SendRecv,
        ptime_ms: 40,
    };
    assert_eq!(agreed, expected);
}

/// RFC 3264 §6.1: the answerer sends with our numbers and wants its own.
#[test]
fn an_answer_may_renumber() {
    let mut origin = Origin::new(4);
    let speex = RtpCodec::new(96, "speex", 16000);
    let ours = audio_offer(&mut origin, &[speex, RtpCodec::pcmu()], Some(101));
    let answer = theirs(
        "m=audio 4000 RTP/AVP 110 0 96
         a=rtpmap:110 SPEEX/16000
         a=rtpmap:96 telephone-event/8000",
    );
    let agreed = accept_answer(&ours, &answer).unwrap();
    assert_eq!((agreed.codec.payload_type, agreed.receive_payload_type), (110, 96));
    assert_eq!((agreed.telephone_event, agreed.receive_telephone_event), (Some(96), Some(101)));
}

#[test]
fn key_presses_we_did_not_offer_are_not_agreed() {
    let mut origin = Origin::new(4);
    let ours = audio_offer(&mut origin, &g711(), None);
    let answer = theirs("m=audio 4000 RTP/AVP 0 101\na=rtpmap:101 telephone-event/8000");
    let agreed = accept_answer(&ours, &answer).unwrap();
    assert_eq!((agreed.telephone_event, agreed.receive_telephone_event), (None, None));
}

#[test]
fn an_answer_without_our_audio_is_refused() {
    let mut origin = Origin::new(4);
    let ours = audio_offer(&mut origin, &g711(), None);
    for (lines, code) in [
        ("m=audio 0 RTP/AVP 0", 304),
        ("m=video 4000 RTP/AVP 0", 304),
        ("", 304),
        ("m=audio 4000 RTP/AVP 18", 305),
        ("m=audio 4000 RTP/AVP 101\na=rtpmap:101 telephone-event/8000", 305),
    ] {
        let refused = accept_answer(&ours, &theirs(lines)).unwrap_err();
        assert_eq!(refused.warning().0, code, "{lines}");
    }
}

#[test]
fn an_answer_that_leaves_lines_out_still_has_its_audio() {
    let offered = theirs("m=video 1 RTP/AVP 31\nm=audio 2 RTP/AVP 0");
    let agreed = accept_answer(&offered, &theirs("m=audio 4000 RTP/AVP 0")).unwrap();
    assert_eq!((agreed.media_index, agreed.codec), (0, RtpCodec::pcmu()));
}
