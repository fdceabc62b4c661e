//! What a fault of our own does: one call ends.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use dialplan::Sources;
use sip_engine::{Flow, Transport};

use super::{Start, Switch};
use crate::{Config, Input, Limits, Listener, Output, Peer, Prompts};

const HERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 5060);
const THERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), 5060);

fn switch(now: Instant) -> Switch {
    let config = Config {
        domain: "office.test".into(),
        listeners: vec![Listener { transport: Transport::Udp, address: HERE }],
        external_ip: None,
        rtp_port_first: 20_000,
        rtp_port_last: 20_003,
        media_threads: 1,
        nat: true,
        accounts: BTreeMap::new(),
        peers: vec![Peer { name: "all".into(), network: THERE.ip(), prefix_bits: 32 }],
        mailboxes: BTreeMap::new().into(),
        digest: Vec::new(),
        language: "en".into(),
        time_zone: jiff::tz::TimeZone::UTC,
        limits: Limits { calls_max: 2, ..Limits::default() },
        script_limits: dialplan::Limits::default(),
    };
    let main = "route('5', function(call) call:answer() call:sleep(60) end)";
    let sources = Sources { files: BTreeMap::from([("main.lua".into(), main.into())]) };
    let start = Start {
        now,
        wall: SystemTime::UNIX_EPOCH,
        seed: 1,
        sources,
        prompts: Prompts::default().into(),
        bindings: Vec::new(),
    };
    Switch::new(config, start).unwrap()
}

/// Hands a request over, and gives back the start lines of what goes out.
fn send(switch: &mut Switch, now: Instant, method: &str, call: &str) -> Vec<String> {
    let text = format!(
        "{method} sip:5@office.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK{method}{call}\r\n\
         From: <sip:a@b>;tag=1\r\nTo: <sip:5@office.test>\r\nCall-ID: {call}\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:a@192.0.2.2>\r\nContent-Length: 0\r\n\r\n"
    );
    let flow = Flow { transport: Transport::Udp, local: HERE, remote: THERE };
    switch.handle_input(now, Input::Sip { flow, bytes: text.into() });
    sent(switch)
}

fn sent(switch: &mut Switch) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(output) = switch.poll_output() {
        if let Output::Transmit { bytes, .. } = output {
            let text = String::from_utf8_lossy(&bytes);
            lines.extend(text.lines().next().map(str::to_owned));
        }
    }
    lines
}

#[test]
fn a_fault_of_our_own_ends_one_call() {
    let mut now = Instant::now();
    let mut switch = switch(now);
    for call in ["one", "two"] {
        assert_eq!(send(&mut switch, now, "INVITE", call), ["SIP/2.0 200 OK"]);
    }
    let faulty = *switch.calls.keys().next().unwrap();
    switch.contain(now, |switch| switch.with_call(faulty, |_, _| panic!("on purpose")));
    assert_eq!(switch.call_count(), 1);
    // Both its port and its place are free again.
    assert_eq!(send(&mut switch, now, "INVITE", "three"), ["SIP/2.0 200 OK"]);
    assert_eq!(switch.call_count(), 2);
    let mut byes = 0;
    for _ in 0..400 {
        now += Duration::from_secs(1);
        switch.handle_timeout(now);
        byes += sent(&mut switch).iter().filter(|line| line.starts_with("BYE")).count();
    }
    assert!(byes >= 3, "every party was told: {byes}");
    assert!(switch.is_idle());
}

#[test]
fn a_fault_outside_of_calls_ends_none() {
    let now = Instant::now();
    let mut switch = switch(now);
    send(&mut switch, now, "INVITE", "one");
    switch.contain(now, |_| panic!("on purpose"));
    assert_eq!(switch.call_count(), 1);
    assert_eq!(send(&mut switch, now, "OPTIONS", "two"), ["SIP/2.0 200 OK"]);
}
