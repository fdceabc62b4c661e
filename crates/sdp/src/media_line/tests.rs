use crate::Direction::{self, Inactive, RecvOnly, SendOnly, SendRecv};
use crate::{Connection, Description};

const IPV4: &str = "c=IN IP4 192.0.2.1";

#[test]
fn a_stream_flows_both_ways_unless_told_otherwise() {
    assert_eq!(direction(IPV4, ""), SendRecv);
    assert_eq!(direction(IPV4, "a=sendonly"), SendOnly);
    assert_eq!(direction(IPV4, "a=RecvOnly"), RecvOnly);
    assert_eq!(direction(IPV4, "a=inactive"), Inactive);
}

#[test]
fn the_sessions_direction_is_the_default() {
    let head = "c=IN IP4 192.0.2.1\na=inactive";
    assert_eq!(direction(head, ""), Inactive);
    assert_eq!(direction(head, "a=sendrecv"), SendRecv);
}

/// RFC 3264 §8.4: how RFC 2543 put a call on hold.
#[test]
fn an_address_of_zeros_is_a_hold() {
    assert_eq!(direction("c=IN IP4 0.0.0.0", ""), SendOnly);
    assert_eq!(direction("c=IN IP4 0.0.0.0", "a=recvonly"), Inactive);
    assert_eq!(direction("c=IN IP6 ::", "a=sendrecv"), SendOnly);
    assert_eq!(direction(IPV4, "c=IN IP4 0.0.0.0"), SendOnly);
    assert_eq!(direction("c=IN IP4 0.0.0.0", IPV4), SendRecv);
}

#[test]
fn a_refused_stream_is_inactive() {
    let session = parse("v=0\nc=IN IP4 192.0.2.1\nm=audio 0 RTP/AVP 0\n");
    assert_eq!(session.media[0].direction(&session), Inactive);
    assert_eq!(session.media[0].remote(&session), None);
    assert!(session.media[0].is_refused());
}

#[test]
fn sound_goes_to_the_lines_own_address_or_the_sessions() {
    assert_eq!(remote(IPV4, ""), "192.0.2.1:4000");
    assert_eq!(remote(IPV4, "c=IN IP4 198.51.100.7"), "198.51.100.7:4000");
    assert_eq!(remote("c=IN IP6 2001:db8::9", ""), "[2001:db8::9]:4000");
    assert_eq!(remote("c=IN IP4 224.2.17.12/127", ""), "224.2.17.12:4000");
}

#[test]
fn there_is_nowhere_to_send_on_hold_or_at_a_host_name() {
    assert_eq!(remote("c=IN IP4 0.0.0.0", ""), "nowhere");
    assert_eq!(remote("c=IN IP4 phone.example.com", ""), "nowhere");
    assert_eq!(remote("c=ATM NSAP 47.0091", ""), "nowhere");
    assert_eq!(remote("s=-", ""), "nowhere");
}

#[test]
fn a_packet_time_is_read_as_whole_milliseconds() {
    assert_eq!(line("a=ptime:30").ptime_ms(), Some(30));
    assert_eq!(line("a=ptime: 20.0").ptime_ms(), Some(20));
    assert_eq!(line("a=ptime:0").ptime_ms(), None);
    assert_eq!(line("a=ptime:70000").ptime_ms(), None);
    assert_eq!(line("a=ptime").ptime_ms(), None);
    assert_eq!(line("a=maxptime:30").ptime_ms(), None);
}

#[test]
fn key_presses_at_8000_hz_are_preferred() {
    assert_eq!(line("").telephone_event(), None);
    assert_eq!(line("a=rtpmap:96 telephone-event/48000").telephone_event(), Some(96));
    let both = "a=rtpmap:96 telephone-event/48000\na=rtpmap:97 telephone-event/8000";
    assert_eq!(line(both).telephone_event(), Some(97));
}

#[test]
fn only_audio_over_plain_rtp_is_rtp_audio() {
    let of = |m: &str| parse(&format!("v=0\nm={m}\n")).media[0].is_rtp_audio();
    assert!(of("audio 4000 RTP/AVP 0"));
    assert!(of("audio 0 rtp/avpf 0"));
    assert!(!of("audio 4000 RTP/SAVP 0"));
    assert!(!of("video 4000 RTP/AVP 31"));
    assert!(!of("application 49152 TCP Chipflip"));
}

fn parse(text: &str) -> Description {
    Description::parse(text.as_bytes()).unwrap()
}

fn session(head: &str, below: &str) -> Description {
    parse(&format!("v=0\n{head}\nm=audio 4000 RTP/AVP 0 96 97\n{below}\n"))
}

fn line(below: &str) -> super::MediaLine {
    session(IPV4, below).media.remove(0)
}

fn direction(head: &str, below: &str) -> Direction {
    let session = session(head, below);
    session.media[0].direction(&session)
}

fn remote(head: &str, below: &str) -> String {
    let session = session(head, below);
    let remote = session.media[0].remote(&session);
    remote.map_or("nowhere".into(), |remote| remote.to_string())
}

#[test]
fn an_address_knows_its_kind() {
    let written = |ip: &str| {
        let Connection { network, kind, address } = Connection::from_ip(ip.parse().unwrap());
        format!("{network} {kind} {address}")
    };
    assert_eq!(written("192.0.2.1"), "IN IP4 192.0.2.1");
    assert_eq!(written("2001:db8::1"), "IN IP6 2001:db8::1");
}
