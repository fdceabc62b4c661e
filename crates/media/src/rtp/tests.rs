use proptest::prelude::*;
use webrtc_util::marshal::Unmarshal;

use super::*;

fn stamp() -> Stamp {
    Stamp { marker: true, sequence: 0xfffe, timestamp: 0x8000_0001, ssrc: 0xdead_beef }
}

#[test]
fn what_we_write_is_read_by_another_reader_to_the_same_meaning() {
    let mut bytes = header(101, stamp()).to_vec();
    bytes.extend_from_slice(b"sound");
    let theirs = rtp::packet::Packet::unmarshal(&mut &bytes[..]).unwrap();
    assert!(theirs.header.marker);
    assert_eq!(theirs.header.payload_type, 101);
    assert_eq!(theirs.header.sequence_number, 0xfffe);
    assert_eq!(theirs.header.timestamp, 0x8000_0001);
    assert_eq!(theirs.header.ssrc, 0xdead_beef);
    assert_eq!(&theirs.payload[..], b"sound");
}

#[test]
fn sources_extension_and_padding_are_taken_away() {
    let mut bytes = header(8, stamp()).to_vec();
    bytes[0] |= 0x20 | 0x10 | 2;
    bytes.extend_from_slice(&[1, 1, 1, 1, 2, 2, 2, 2]);
    bytes.extend_from_slice(&[0xbe, 0xde, 0, 1, 9, 9, 9, 9]);
    bytes.extend_from_slice(b"sound");
    bytes.extend_from_slice(&[0, 0, 3]);
    let Datagram::Rtp(rtp) = read(&bytes) else { panic!("not read") };
    assert_eq!(rtp.payload, b"sound");
    assert_eq!((rtp.payload_type, rtp.marker, rtp.sequence), (8, true, 0xfffe));
}

#[test]
fn lengths_that_lie_are_refused() {
    let good = header(0, stamp());
    for (flags, tail) in [
        (0x81, &[0_u8; 3][..]),
        (0x8f, &[0; 59]),
        (0x90, &[0; 3]),
        (0x90, &[0, 0, 0, 1]),
        (0x90, &[0, 0, 0xff, 0xff, 1, 2, 3, 4]),
        (0xa0, &[]),
        (0xa0, &[0]),
        (0xa0, &[1, 2, 4]),
    ] {
        let mut bytes = good.to_vec();
        bytes[0] = flags;
        bytes.extend_from_slice(tail);
        assert_eq!(read(&bytes), Datagram::Other, "{flags:#x} {tail:?}");
    }
    assert_eq!(read(&good[..11]), Datagram::Other);
    assert_eq!(read(&[0x80; PACKET_BYTES_MAX + 1]), Datagram::Other);
}

/// RFC 5761 §4 for RTCP, RFC 7983 §7 for STUN and DTLS.
#[test]
fn what_else_comes_to_a_media_port_is_told_apart() {
    let mut sender_report = [0_u8; 28];
    sender_report[..2].copy_from_slice(&[0x80, 200]);
    assert_eq!(read(&sender_report), Datagram::Rtcp);
    let stun = [0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(read(&stun), Datagram::Other);
    let dtls = [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2];
    assert_eq!(read(&dtls), Datagram::Other);
}

#[test]
fn distances_cross_the_wrap() {
    assert_eq!(sequence_distance(0xffff, 1), 2);
    assert_eq!(sequence_distance(1, 0xffff), -2);
    assert_eq!(timestamp_distance(0xffff_ffff, 159), 160);
    assert_eq!(timestamp_distance(159, 0xffff_ffff), -160);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Datagram::Rtp(rtp) = read(&bytes) {
            prop_assert!(rtp.payload.len() + HEADER_BYTES <= bytes.len());
        }
    }

    #[test]
    fn headers_are_read_back(
        (payload_type, marker) in (0_u8..64, any::<bool>()),
        (sequence, timestamp, ssrc) in any::<(u16, u32, u32)>(),
    ) {
        let bytes = header(payload_type, Stamp { marker, sequence, timestamp, ssrc });
        prop_assert_eq!(
            read(&bytes),
            Datagram::Rtp(Rtp { marker, payload_type, sequence, timestamp, ssrc, payload: &[] })
        );
    }
}
