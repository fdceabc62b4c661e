//! Rim tests: real connections on loopback, on ports that the system chooses.

use std::future::Future;
use std::io::{Read, Write};
use std::net::TcpStream as Stream;
use std::time::Duration;

use tokio::task::LocalSet;

use super::*;

#[test]
fn messages_come_in_whole_and_answers_go_back_on_the_same_connection() {
    run(async {
        let (mut tcp, local) = listening(TcpLimits::default());
        let mut peer = Stream::connect(local).unwrap();
        let ends = Ends { local, remote: peer.local_addr().unwrap() };
        let (head, tail) = OPTIONS.split_at(40);
        peer.write_all(head).unwrap();
        peer.write_all(tail).unwrap();
        peer.write_all(OPTIONS).unwrap();
        for _ in 0..2 {
            let bytes = Bytes::from_static(OPTIONS);
            assert_eq!(tcp.next().await, Arrival::Message { ends, bytes });
        }
        tcp.send(ends, Bytes::from_static(b"SIP/2.0 200 OK"));
        assert_eq!(read(&mut tcp, &mut peer, 14).await, b"SIP/2.0 200 OK");
        drop(peer);
        assert_eq!(tcp.next().await, Arrival::Closed { ends });
        assert_eq!(tcp.connection_count(), 0);
    });
}

#[test]
fn a_keep_alive_is_answered() {
    run(async {
        let (mut tcp, local) = listening(TcpLimits::default());
        let mut peer = Stream::connect(local).unwrap();
        peer.write_all(b"\r\n\r\n").unwrap();
        assert_eq!(read(&mut tcp, &mut peer, 2).await, b"\r\n");
    });
}

#[test]
fn a_message_to_nobody_yet_opens_a_connection_from_our_address() {
    run(async {
        let (mut tcp, local) = listening(TcpLimits::default());
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let ends = Ends { local, remote: server.local_addr().unwrap() };
        tcp.send(ends, Bytes::from_static(b"first"));
        tcp.send(ends, Bytes::from_static(b"second"));
        assert_eq!(tcp.counters().connects, 1);
        server.set_nonblocking(true).unwrap();
        let (mut peer, from) = loop {
            match server.accept() {
                Ok(accepted) => break accepted,
                Err(_) => turn(&mut tcp).await,
            }
        };
        assert_eq!(from.ip(), local.ip());
        assert_eq!(read(&mut tcp, &mut peer, 11).await, b"firstsecond");
        // The way back has the same name.
        peer.write_all(OPTIONS).unwrap();
        assert!(matches!(tcp.next().await, Arrival::Message { ends: back, .. } if back == ends));
    });
}

#[test]
fn a_connection_that_cannot_be_made_is_told_as_closed() {
    run(async {
        let (mut tcp, local) = listening(TcpLimits::default());
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let ends = Ends { local, remote: nobody };
        tcp.send(ends, Bytes::from_static(b"hello?"));
        assert_eq!(tcp.next().await, Arrival::Closed { ends });
    });
}

#[test]
fn noise_is_cut_off_at_once() {
    run(async {
        let (mut tcp, local) = listening(TcpLimits::default());
        let mut peer = Stream::connect(local).unwrap();
        peer.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        assert!(matches!(tcp.next().await, Arrival::Closed { .. }));
    });
}

#[test]
fn a_length_that_lies_is_answered_and_cut_off() {
    run(async {
        let (mut tcp, local) = listening(TcpLimits::default());
        let mut peer = Stream::connect(local).unwrap();
        let lying = String::from_utf8_lossy(OPTIONS).replace("Length: 0", "Length: -1");
        peer.write_all(lying.as_bytes()).unwrap();
        peer.write_all(OPTIONS).unwrap();
        let Arrival::Message { ends, .. } = tcp.next().await else { panic!("not handed on") };
        tcp.send(ends, Bytes::from_static(b"400"));
        assert_eq!(tcp.next().await, Arrival::Closed { ends }, "what follows is not believed");
        let mut answer = Vec::new();
        // The peer may be told by a reset that more was sent than was read.
        if peer.read_to_end(&mut answer).is_ok() {
            assert_eq!(answer, b"400");
        }
    });
}

#[test]
fn half_a_message_is_not_waited_for_for_ever_even_when_it_drips() {
    run(async {
        tokio::time::pause();
        let limits = TcpLimits::default();
        let (mut tcp, local) = listening(limits.clone());
        let mut peer = Stream::connect(local).unwrap();
        let begun = Instant::now();
        tokio::task::spawn_local(async move {
            for byte in OPTIONS {
                // Until the connection is closed.
                let _closed = peer.write_all(&[*byte]);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        assert!(matches!(tcp.next().await, Arrival::Closed { .. }));
        let took = begun.elapsed();
        assert!(took >= limits.message_time_max && took < limits.message_time_max * 11 / 10);
    });
}

#[test]
fn a_silent_newcomer_makes_room_for_another() {
    run(async {
        let limits = TcpLimits { connections_max: 2, ..TcpLimits::default() };
        let (mut tcp, local) = listening(limits);
        let mut good = Stream::connect(local).unwrap();
        good.write_all(OPTIONS).unwrap();
        assert!(matches!(tcp.next().await, Arrival::Message { .. }));
        let silent = Stream::connect(local).unwrap();
        while tcp.connection_count() < 2 {
            turn(&mut tcp).await;
        }
        let mut another = Stream::connect(local).unwrap();
        another.write_all(OPTIONS).unwrap();
        let evicted = Ends { local, remote: silent.local_addr().unwrap() };
        assert_eq!(tcp.next().await, Arrival::Closed { ends: evicted });
        let ends = Ends { local, remote: another.local_addr().unwrap() };
        assert!(matches!(tcp.next().await, Arrival::Message { ends: from, .. } if from == ends));
        // Now both have proven themselves, and a third is sent away.
        let mut third = Stream::connect(local).unwrap();
        while tcp.counters().refused == 0 {
            turn(&mut tcp).await;
        }
        assert_eq!(third.read(&mut [0; 1]).unwrap_or(0), 0);
        assert_eq!(tcp.counters().evicted, 1);
    });
}

#[test]
fn one_address_cannot_take_all_connections() {
    run(async {
        let limits = TcpLimits { connections_per_peer_max: 1, ..TcpLimits::default() };
        let (mut tcp, local) = listening(limits);
        let first = Stream::connect(local).unwrap();
        let _second = Stream::connect(local).unwrap();
        let ends = Ends { local, remote: first.local_addr().unwrap() };
        assert_eq!(tcp.next().await, Arrival::Closed { ends });
        assert_eq!(tcp.connection_count(), 1);
    });
}

#[test]
fn a_peer_that_takes_nothing_is_given_up() {
    run(async {
        let (mut tcp, local) = listening(TcpLimits::default());
        let mut peer = Stream::connect(local).unwrap();
        peer.write_all(OPTIONS).unwrap();
        let Arrival::Message { ends, .. } = tcp.next().await else { panic!("no message") };
        let large = Bytes::from(vec![b'x'; 60_000]);
        while tcp.counters().overflowed == 0 {
            tcp.send(ends, large.clone());
            tokio::task::yield_now().await;
        }
        assert_eq!(tcp.next().await, Arrival::Closed { ends });
    });
}

#[test]
fn what_a_deaf_peer_is_owed_stays_small() {
    run(async {
        let (mut tcp, local) = listening(TcpLimits::default());
        let mut peer = Stream::connect(local).unwrap();
        peer.write_all(OPTIONS).unwrap();
        let Arrival::Message { ends, .. } = tcp.next().await else { panic!("no message") };
        // Nothing is written meanwhile: the connection's task has no turn.
        tcp.send(ends, vec![b'x'; 60_000].into());
        assert_eq!(tcp.counters().overflowed, 0, "one message of any size");
        tcp.send(ends, vec![b'x'; 60_000].into());
        assert_eq!(tcp.counters().overflowed, 1, "but not many");
        assert_eq!(tcp.next().await, Arrival::Closed { ends });
    });
}

#[test]
fn what_was_taken_is_owed_no_more() {
    run(async {
        let (mut tcp, local) = listening(TcpLimits::default());
        let mut peer = Stream::connect(local).unwrap();
        peer.write_all(OPTIONS).unwrap();
        let Arrival::Message { ends, .. } = tcp.next().await else { panic!("no message") };
        for _ in 0..10 {
            tcp.send(ends, vec![b'x'; 60_000].into());
            read(&mut tcp, &mut peer, 60_000).await;
        }
        assert_eq!((tcp.counters().overflowed, tcp.connection_count()), (0, 1));
    });
}

#[test]
fn long_unfinished_messages_share_what_room_there_is() {
    run(async {
        let limits = TcpLimits { unfinished_bytes_max: 40_000, ..TcpLimits::default() };
        let (mut tcp, local) = listening(limits);
        let half = [&OPTIONS[..OPTIONS.len() - 2], &b"Subject: x\r\n".repeat(2_500)].concat();
        let mut first = Stream::connect(local).unwrap();
        first.write_all(&half).unwrap();
        for _ in 0..50 {
            turn(&mut tcp).await;
        }
        let mut second = Stream::connect(local).unwrap();
        second.write_all(&half).unwrap();
        let too_much = Ends { local, remote: second.local_addr().unwrap() };
        assert_eq!(tcp.next().await, Arrival::Closed { ends: too_much });
        // Short ones are not affected, and what is over makes room again.
        let mut short = Stream::connect(local).unwrap();
        short.write_all(OPTIONS).unwrap();
        assert!(matches!(tcp.next().await, Arrival::Message { .. }));
        drop(first);
        assert!(matches!(tcp.next().await, Arrival::Closed { .. }));
        let mut third = Stream::connect(local).unwrap();
        third.write_all(&half).unwrap();
        for _ in 0..50 {
            turn(&mut tcp).await;
        }
        assert_eq!(tcp.connection_count(), 2);
    });
}

/// Runs a test as the binary runs: one thread, local tasks.
fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, test);
}

fn listening(limits: TcpLimits) -> (Tcp, SocketAddr) {
    let mut tcp = Tcp::new(limits);
    let local = tcp.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    (tcp, local)
}

/// Lets connections work for a moment; nothing may arrive meanwhile.
async fn turn(tcp: &mut Tcp) {
    let moment = Duration::from_millis(1);
    assert!(tokio::time::timeout(moment, tcp.next()).await.is_err(), "something arrived");
}

async fn read(tcp: &mut Tcp, peer: &mut Stream, length: usize) -> Vec<u8> {
    peer.set_nonblocking(true).unwrap();
    let mut heard = Vec::new();
    while heard.len() < length {
        let mut buffer = [0; 64];
        match peer.read(&mut buffer) {
            Ok(length) => heard.extend_from_slice(&buffer[..length]),
            Err(_) => turn(tcp).await,
        }
    }
    peer.set_nonblocking(false).unwrap();
    heard
}

const OPTIONS: &[u8] = b"OPTIONS sip:a@b SIP/2.0\r\n\
    Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\n\
    From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\
    Content-Length: 0\r\n\r\n";
