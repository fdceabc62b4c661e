use crate::{MediaLine, RtpCodec};

#[test]
fn static_types_need_no_rtpmap() {
    let line = audio("0 8 3 9 18 4 10 13", &[]);
    assert_eq!(
        listed(&line),
        "0 PCMU/8000, 8 PCMA/8000, 3 GSM/8000, 9 G722/8000, 18 G729/8000, 4 G723/8000, \
         10 L16/44100/2, 13 CN/8000"
    );
}

#[test]
fn an_rtpmap_and_fmtp_explain_dynamic_types() {
    let line = audio(
        "111 101",
        &[
            "rtpmap:111 opus/48000/2",
            "fmtp:111 minptime=10;useinbandfec=1",
            "rtpmap:101 telephone-event/8000",
            "fmtp:101 0-16",
        ],
    );
    let codecs = line.codecs();
    assert_eq!(listed(&line), "111 opus/48000/2, 101 telephone-event/8000");
    assert_eq!(codecs[0].fmtp.as_deref(), Some("minptime=10;useinbandfec=1"));
    assert_eq!(codecs[1].fmtp.as_deref(), Some("0-16"));
}

#[test]
fn order_is_that_of_the_m_line_and_each_type_stands_once() {
    let line = audio("8 0 8 96", &["rtpmap:96 iLBC/8000", "rtpmap:0 PCMU/8000/1"]);
    assert_eq!(listed(&line), "8 PCMA/8000, 0 PCMU/8000, 96 iLBC/8000");
}

#[test]
fn types_without_a_meaning_are_left_out() {
    let line = audio(
        "96 97 98 128 x 1 8",
        &["rtpmap:97 broken", "rtpmap:98 zero/0", "rtpmap:99 unlisted/8000"],
    );
    assert_eq!(listed(&line), "8 PCMA/8000");
}

#[test]
fn spaces_that_phones_add_do_no_harm() {
    let line = audio("101", &["rtpmap: 101  telephone-event/8000 ", "fmtp:101  0-15"]);
    assert_eq!(listed(&line), "101 telephone-event/8000");
    assert_eq!(line.codecs()[0].fmtp.as_deref(), Some("0-15"));
}

#[test]
fn the_first_rtpmap_of_a_type_counts() {
    let line = audio("96", &["rtpmap:96 speex/16000", "rtpmap:96 speex/8000"]);
    assert_eq!(listed(&line), "96 speex/16000");
}

#[test]
fn the_same_encoding_may_have_another_number_and_case() {
    let own = RtpCodec::new(102, "Speex", 16000);
    assert!(own.same_encoding(&RtpCodec { fmtp: Some("x".into()), ..own.clone() }));
    assert!(own.same_encoding(&RtpCodec::new(99, "SPEEX", 16000)));
    assert!(!own.same_encoding(&RtpCodec::new(102, "speex", 8000)));
    assert!(!own.same_encoding(&RtpCodec { channels: 2, ..own.clone() }));
}

#[test]
fn key_presses_and_comfort_noise_are_no_voice() {
    assert!(RtpCodec::pcma().is_voice());
    assert!(!RtpCodec::new(13, "cn", 8000).is_voice());
    let event = RtpCodec::new(101, "Telephone-Event", 8000);
    assert!(event.is_telephone_event() && !event.is_voice());
}

fn audio(formats: &str, attributes: &[&str]) -> MediaLine {
    let mut line = MediaLine::new("audio", 4000, "RTP/AVP", &[]);
    line.formats = formats.split(' ').map(str::to_owned).collect();
    for text in attributes {
        let (name, value) = text.split_once(':').unwrap();
        line.attributes.push((name.into(), Some(value.into())));
    }
    line
}

fn listed(line: &MediaLine) -> String {
    let maps: Vec<_> = line.codecs().iter().map(RtpCodec::rtpmap).collect();
    maps.join(", ")
}
