//! Rim tests: real sockets on loopback, on ports that the system chooses.

use std::net::{SocketAddr, UdpSocket};

use super::*;

#[tokio::test]
async fn a_datagram_comes_in_and_its_answer_goes_back_the_same_way() {
    let (mut udp, local) = bound("127.0.0.1:0");
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.send_to(b"OPTIONS", local).unwrap();

    let socket = udp.readable().await;
    let (ends, bytes) = udp.receive(socket).unwrap();
    assert_eq!(ends, Ends { local, remote: peer.local_addr().unwrap() });
    assert_eq!(&bytes[..], b"OPTIONS");
    assert!(udp.receive(socket).is_none(), "one datagram, received twice");

    udp.send(ends, b"200").unwrap();
    let mut heard = [0; 16];
    let (length, from) = peer.recv_from(&mut heard).unwrap();
    assert_eq!((&heard[..length], from), (&b"200"[..], local));
    assert_eq!(udp.counters(), UdpCounters { received: 1, sent: 1, ..UdpCounters::default() });
}

#[tokio::test]
async fn no_listener_starves_another() {
    let (mut udp, first) = bound("127.0.0.1:0");
    let second = udp.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..10 {
        peer.send_to(b"a", first).unwrap();
        peer.send_to(b"b", second).unwrap();
    }
    let mut order = Vec::new();
    for _ in 0..4 {
        let socket = udp.readable().await;
        order.push(udp.receive(socket).unwrap().0.local);
    }
    assert_eq!(order, [first, second, first, second]);
}

#[tokio::test]
async fn a_port_in_use_is_an_error_even_with_ourselves() {
    let (mut udp, local) = bound("127.0.0.1:0");
    assert_eq!(udp.bind(local).unwrap_err().kind(), io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn a_datagram_that_cannot_go_out_is_told_and_counted() {
    let (mut udp, local) = bound("127.0.0.1:0");
    let elsewhere: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let unknown = Ends { local: elsewhere, remote: local };
    assert!(matches!(udp.send(unknown, b"x"), Err(SendError::NoListener(_))));
    let too_large = vec![0; DATAGRAM_BYTES_MAX];
    let fault = udp.send(Ends { local, remote: elsewhere }, &too_large);
    assert!(matches!(fault, Err(SendError::Refused(_))));
    assert_eq!(udp.counters().send_failed, 2);
}

#[tokio::test]
async fn ipv6_works_alike() {
    let (mut udp, local) = bound("[::1]:0");
    let peer = UdpSocket::bind("[::1]:0").unwrap();
    peer.send_to(b"six", local).unwrap();
    let socket = udp.readable().await;
    let (ends, bytes) = udp.receive(socket).unwrap();
    assert_eq!((&bytes[..], ends.remote), (&b"six"[..], peer.local_addr().unwrap()));
}

fn bound(address: &str) -> (Udp, SocketAddr) {
    let mut udp = Udp::new();
    let local = udp.bind(address.parse().unwrap()).unwrap();
    (udp, local)
}
