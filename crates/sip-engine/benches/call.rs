//! What signalling costs: a whole call between two endpoints, and a registration with digest.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm,
    clippy::indexing_slicing
)]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use sip_engine::{
    Body, ClientCredentials, DigestServer, Endpoint, EndpointConfig, Event, Flow, Invite,
    OutOfDialog, Output, Reply, Transport, Verdict,
};
use sip_syntax::{Method, StatusCode};

/// Both ends of one call, so twice what a switch pays for one leg.
fn call(criterion: &mut Criterion) {
    let (mut alice, mut bob) = (endpoint(1), endpoint(2));
    let mut now = Instant::now();
    criterion.bench_function("INVITE 100 180 200 ACK BYE 200, both ends", |bencher| {
        bencher.iter(|| {
            alice.invite(now, invite());
            run(now, &mut alice, &mut bob);
            // So that the timers of earlier calls are part of the cost, and their number steady.
            now += std::time::Duration::from_millis(10);
            alice.handle_timeout(now);
            bob.handle_timeout(now);
        });
    });
}

fn register(criterion: &mut Criterion) {
    let (mut phone, mut registrar) = (endpoint(1), endpoint(2));
    let mut digest = DigestServer::new("example.org", 3);
    let mut now = Instant::now();
    criterion.bench_function("REGISTER 401 REGISTER 200, both ends", |bencher| {
        bencher.iter(|| {
            phone.send(now, registration());
            exchange(now, &mut phone, &mut registrar, |end, event| {
                let Event::Request { txn, request, .. } = event else {
                    return;
                };
                let proven = request.authorizations().first().is_some_and(|credentials| {
                    digest.verify(now, PHONE_IP, credentials, request.method(), "secret")
                        == Verdict::Good
                });
                let reply =
                    if proven {
                        Reply::new(StatusCode::OK)
                    } else {
                        digest.challenges(now, PHONE_IP, false).into_iter().fold(
                            Reply::new(StatusCode::UNAUTHORIZED).once(),
                            |reply, challenge| reply.header("WWW-Authenticate", challenge),
                        )
                    };
                end.respond(now, txn, reply);
            });
            now += std::time::Duration::from_millis(10);
            phone.handle_timeout(now);
            registrar.handle_timeout(now);
        });
    });
}

fn run(now: Instant, alice: &mut Endpoint, bob: &mut Endpoint) {
    exchange(now, alice, bob, |end, event| match event {
        Event::Invite { session, .. } => {
            end.provisional(now, session, Reply::new(StatusCode::RINGING));
            end.accept(now, session, Reply::new(StatusCode::OK).body(sdp()));
        }
        Event::Accepted { session, .. } => end.bye(now, session, None),
        event => {
            black_box(event);
        }
    });
}

/// Carries messages to and fro until nothing moves.
fn exchange(
    now: Instant,
    alice: &mut Endpoint,
    bob: &mut Endpoint,
    mut user: impl FnMut(&mut Endpoint, Event),
) {
    let [to_alice, to_bob] = flows();
    loop {
        let mut moved = false;
        while let Some(output) = alice.poll_output() {
            moved = true;
            match output {
                Output::Transmit { bytes, .. } => bob.handle_message(now, to_alice, bytes),
                Output::Event(event) => user(alice, event),
            }
        }
        while let Some(output) = bob.poll_output() {
            moved = true;
            match output {
                Output::Transmit { bytes, .. } => alice.handle_message(now, to_bob, bytes),
                Output::Event(event) => user(bob, event),
            }
        }
        if !moved {
            return;
        }
    }
}

fn endpoint(seed: u64) -> Endpoint {
    Endpoint::new(EndpointConfig { seed, ..EndpointConfig::default() })
}

/// Bob's path to Alice, and Alice's to Bob.
fn flows() -> [Flow; 2] {
    let alice: SocketAddr = "10.0.0.1:5060".parse().unwrap();
    let bob: SocketAddr = "10.0.0.2:5060".parse().unwrap();
    let transport = Transport::Udp;
    [Flow { transport, local: bob, remote: alice }, Flow { transport, local: alice, remote: bob }]
}

fn invite() -> Invite {
    Invite {
        flow: flows()[1],
        uri: "sip:bob@10.0.0.2:5060".to_owned(),
        from: "\"Alice\" <sip:alice@10.0.0.1>".to_owned(),
        to: "<sip:bob@10.0.0.2>".to_owned(),
        contact_user: "alice".to_owned(),
        headers: Vec::new(),
        body: Some(sdp()),
        max_forwards: 70,
        credentials: None,
        call_id: None,
    }
}

fn registration() -> OutOfDialog {
    OutOfDialog {
        method: Method::Register,
        flow: flows()[1],
        uri: "sip:example.org".to_owned(),
        from: "<sip:101@example.org>".to_owned(),
        to: "<sip:101@example.org>".to_owned(),
        contact: Some("<sip:101@10.0.0.1:5060>".to_owned()),
        call_id: None,
        cseq: None,
        headers: vec![("Expires".to_owned(), "300".to_owned())],
        body: None,
        credentials: Some(ClientCredentials {
            user: "101".to_owned(),
            secret: "secret".to_owned(),
            realm: None,
        }),
    }
}

fn sdp() -> Body {
    Body::sdp(
        "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n\
         m=audio 10000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n",
    )
}

criterion_group!(benches, call, register);
criterion_main!(benches);

const PHONE_IP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
