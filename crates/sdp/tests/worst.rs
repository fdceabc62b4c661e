//! Descriptions made to cost much: the longest bodies of the worst lines are read, and written again. No
//! clock is looked at, since machines are busy; more than linear time would show as minutes.

use sdp::{BODY_BYTES_MAX, Description};

const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";

#[test]
fn no_description_costs_more_than_its_size() {
    for nasty in [
        "a=x\r\n",
        "a=rtpmap:0 PCMU/8000\r\n",
        "a=rtpmap:101 telephone-event/8000\r\n",
        "a=fmtp:0 ;;;;\r\n",
        "c=IN IP4 192.0.2.1\r\n",
        "b=AS:1\r\n",
        "m=audio 9 RTP/AVP 0\r\n",
        "t=0 0\r\n",
        "r=1 2 3\r\n",
        "\r\n",
        " ",
        "  ",
        "\t",
        "0 ",
        "1 2 3 4 5 ",
        "(",
        "=",
        "a=",
        "a=ptime:\r\n",
        "a=sendrecv\r\n",
        "\u{0}",
        "\u{ff}",
        "k=x\r\n",
        "z=0 0\r\n",
        "s=\r\n",
        "o=- 9 9 IN IP4 h\r\n",
    ] {
        let room = BODY_BYTES_MAX - HEAD.len() - 40;
        let many = nasty.repeat(room / nasty.len());
        for text in [
            many.clone(),
            format!("{HEAD}{many}"),
            format!("{HEAD}m=audio 9 RTP/AVP 0 8 101\r\n{many}"),
            format!("{HEAD}m=audio 9 RTP/AVP {many}"),
        ] {
            read(&text);
        }
    }
}

fn read(text: &str) {
    if let Ok(description) = Description::parse(text.as_bytes()) {
        for line in &description.media {
            assert!(line.codecs().len() <= 128);
        }
        assert!(!description.to_bytes().is_empty());
    }
}
