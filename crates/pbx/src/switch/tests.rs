//! What a fault of our own does, and what strangers can make us send.

#![expect(clippy::disallowed_methods, reason = "simulated time starts somewhere")]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use dialplan::Sources;
use sip_engine::{Algorithm, ClientCredentials, Flow, Transport, answer};
use sip_syntax::{Message, Method};

use super::{Start, Switch};
use crate::steps::STEPS_PER_TURN;
use crate::{Account, Config, Input, Limits, Listener, Notice, Output, Peer, Prompts};

const HERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 5060);
const THERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), 5060);

fn switch(now: Instant) -> Switch {
    let account =
        Account { user: "101".into(), secret: "secret".into(), name: String::new(), mailbox: None };
    let config = Config {
        domain: "office.test".into(),
        listeners: vec![Listener { transport: Transport::Udp, address: HERE }],
        external_ip: None,
        rtp_port_first: 20_000,
        rtp_port_last: 20_003,
        media_threads: 1,
        nat: true,
        accounts: BTreeMap::from([("101".into(), account)]),
        peers: vec![Peer { name: "all".into(), network: THERE.ip(), prefix_bits: 32 }],
        mailboxes: BTreeMap::new().into(),
        digest: vec![Algorithm::Sha256, Algorithm::Md5],
        language: "en".into(),
        apology: None,
        time_zone: jiff::tz::TimeZone::UTC,
        limits: Limits { calls_max: 2, ..Limits::default() },
        http_allow: Vec::new(),
        speech: None,
        script_limits: dialplan::Limits::default(),
        script_watch: dialplan::Watch::Nothing,
    };
    let main = "route('5', function(call) call:answer() call:sleep(60) end)
                route('6', function(call)
                  call:on('dtmf', function(digit) log(digit) end)
                  call:answer()
                  for i = 1, 100000 do end
                  call:sleep(60)
                end)
                route('7', function(call)
                  call:answer()
                  while true do log(pbx.originate { to = 'ext/101' }.status) end
                end)
                route('8', function(call)
                  call:answer()
                  while true do
                    local lock <close> = shared.lock('key')
                    log('locked')
                  end
                end)";
    let sources = Sources { files: BTreeMap::from([("main.lua".into(), main.into())]) };
    let start = Start {
        now,
        wall: SystemTime::UNIX_EPOCH,
        seed: 1,
        sources,
        prompts: Prompts::default().into(),
        bindings: Vec::new(),
        kept: None,
    };
    Switch::new(config, start).unwrap()
}

/// Hands a request over, and gives back the start lines of what goes out.
fn send(switch: &mut Switch, now: Instant, method: &str, call: &str) -> Vec<String> {
    dial(switch, now, method, call, "5");
    sent(switch)
}

fn dial(switch: &mut Switch, now: Instant, method: &str, call: &str, number: &str) {
    let text = format!(
        "{method} sip:{number}@office.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK{method}{call}\r\n\
         From: <sip:a@b>;tag=1\r\nTo: <sip:5@office.test>\r\nCall-ID: {call}\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:a@192.0.2.2>\r\nContent-Length: 0\r\n\r\n"
    );
    let flow = Flow { transport: Transport::Udp, local: HERE, remote: THERE };
    switch.handle_input(now, Input::Sip { flow, bytes: text.into() });
}

fn sent(switch: &mut Switch) -> Vec<String> {
    let all = transmitted(switch);
    all.iter().filter_map(|text| text.lines().next()).map(str::to_owned).collect()
}

fn transmitted(switch: &mut Switch) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(output) = switch.poll_output() {
        if let Output::Transmit { bytes, .. } = output {
            all.push(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    all
}

/// Hands over what somebody at this host sends, and gives back what goes out within three seconds.
fn from(switch: &mut Switch, now: Instant, host: u8, text: &str) -> Vec<String> {
    let remote = SocketAddr::new(Ipv4Addr::new(198, 51, host, 1).into(), 5060);
    let flow = Flow { transport: Transport::Udp, local: HERE, remote };
    switch.handle_input(now, Input::Sip { flow, bytes: text.to_owned().into() });
    switch.handle_timeout(now + Duration::from_secs(3));
    transmitted(switch)
}

fn register(count: u32, more: &str) -> String {
    format!(
        "REGISTER sip:office.test SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKr{count}\r\n\
         From: <sip:101@office.test>;tag={count}\r\nTo: <sip:101@office.test>\r\n\
         Call-ID: r{count}\r\nCSeq: 1 REGISTER\r\nContact: <sip:101@198.51.100.1>\r\n\
         Max-Forwards: 70\r\n{more}Content-Length: 0\r\n\r\n"
    )
}

/// An Authorization line for the challenges in this answer.
fn proof(challenge: &str, secret: &str) -> String {
    let Ok(Message::Response(response)) = Message::parse(challenge.to_owned().into()) else {
        panic!("no answer: {challenge}");
    };
    let credentials = ClientCredentials { user: "101".into(), secret: secret.into(), realm: None };
    let (uri, mut rng) = (b"sip:office.test", fastrand::Rng::with_seed(1));
    let value = answer(&response.challenges(), &credentials, &Method::Register, uri, &mut rng);
    format!("Authorization: {}\r\n", value.unwrap())
}

#[test]
fn an_answer_to_a_stranger_is_at_most_twice_what_was_sent() {
    let now = Instant::now();
    let mut switch = switch(now);
    let mut offers = Vec::new();
    for (count, padding) in (0..60).map(|step| (step, 7 * step as usize)) {
        for method in ["INVITE", "REGISTER"] {
            let request = format!(
                "{method} sip:5@a SIP/2.0\r\nv:SIP/2.0/UDP h;branch=z9hG4bK{count}\r\nf:sip:101@a;tag=1\r\n\
                 t:sip:101@a\r\ni:{method}{count}\r\nCSeq:1 {method}\r\ns:{}\r\n\r\n",
                "x".repeat(padding)
            );
            let answers = from(&mut switch, now, 7, &request);
            let bytes: usize = answers.iter().map(String::len).sum();
            assert!(bytes <= 2 * request.len(), "{bytes} for {}: {answers:?}", request.len());
            assert_eq!(answers.len(), 1);
            offers.push(answers[0].matches("WWW-Authenticate").count());
        }
    }
    // From too little for one to enough for both.
    assert!(
        offers.is_sorted() && offers.first() == Some(&0) && offers.last() == Some(&2),
        "{offers:?}"
    );
}

#[test]
fn wrong_proofs_in_the_name_of_another_ban_nobody() {
    let now = Instant::now();
    let mut switch = switch(now);
    let (attacker, owner) = (1, 2);
    let challenge = from(&mut switch, now, attacker, &register(0, "")).remove(0);
    let stolen = proof(&challenge, "guess");
    for count in 1..40 {
        let lies = [&stolen, "Authorization: Digest realm=\"office.test\"\r\n"];
        let answers = from(&mut switch, now, owner, &register(count, lies[count as usize % 2]));
        assert!(answers[0].contains("401") && answers[0].contains("stale=true"), "{answers:?}");
    }
    let challenge = from(&mut switch, now, owner, &register(50, "")).remove(0);
    let right = proof(&challenge, "secret");
    let answers = from(&mut switch, now, owner, &register(51, &right));
    assert!(answers[0].starts_with("SIP/2.0 200"), "{answers:?}");
    // In the attacker's own name they ban the attacker.
    for count in 60..80 {
        let challenge = from(&mut switch, now, attacker, &register(2 * count, "")).remove(0);
        let wrong = proof(&challenge, "guess");
        let answers = from(&mut switch, now, attacker, &register(2 * count + 1, &wrong));
        let banned = answers[0].starts_with("SIP/2.0 403");
        assert_eq!(banned, count >= 70, "{count} {answers:?}");
    }
}

#[test]
fn a_fault_of_our_own_ends_one_call() {
    let mut now = Instant::now();
    let mut switch = switch(now);
    for call in ["one", "two"] {
        assert_eq!(send(&mut switch, now, "INVITE", call), ["SIP/2.0 200 OK"]);
    }
    let faulty = *switch.calls.keys().next().unwrap();
    switch.contain(now, |switch| switch.with_call(now, faulty, |_, _| panic!("on purpose")));
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

#[test]
fn calls_go_to_each_media_thread_in_turn() {
    let now = Instant::now();
    let mut switch = switch(now);
    switch.desk.config.media_threads = 2;
    let mut threads = Vec::new();
    for call in ["one", "two"] {
        let text = format!(
            "INVITE sip:5@office.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK{call}\r\n\
             From: <sip:a@b>;tag=1\r\nTo: <sip:5@office.test>\r\nCall-ID: {call}\r\n\
             CSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.2>\r\nContent-Length: 0\r\n\r\n"
        );
        let flow = Flow { transport: Transport::Udp, local: HERE, remote: THERE };
        switch.handle_input(now, Input::Sip { flow, bytes: text.into() });
        while let Some(output) = switch.poll_output() {
            if let Output::Media { thread, command: media::Command::Open { .. } } = output {
                threads.push(thread);
            }
        }
    }
    threads.sort_unstable();
    assert_eq!(threads, [0, 1]);
}

#[test]
fn keys_are_kept_for_a_script_that_computes_and_a_flood_of_them_is_lost() {
    let now = Instant::now();
    let mut switch = switch(now);
    dial(&mut switch, now, "INVITE", "a", "6");
    let mut leg = None;
    while let Some(output) = switch.poll_output() {
        if let Output::Media { command: media::Command::Open { leg: opened, .. }, .. } = output {
            leg = Some(opened);
        }
    }
    let leg = leg.unwrap();
    for _ in 0..300 {
        switch.handle_input(now, Input::Media(media::Event::Digit { leg, digit: '1' }));
    }
    let mut keys = 0;
    while switch.poll_timeout().is_some_and(|at| at <= now) {
        switch.handle_timeout(now);
        while let Some(output) = switch.poll_output() {
            keys += usize::from(matches!(output, Output::Publish(Notice::Script { .. })));
        }
    }
    assert_eq!(keys, 256);
}

/// Hands over calls to this number, then lets time pass until all of them have failed; gives back how
/// much their scripts logged in each turn of the switch.
fn lines_per_turn(number: &str, calls: &[&str]) -> Vec<usize> {
    let mut now = Instant::now();
    let mut switch = switch(now);
    let mut lines = Vec::new();
    for call in calls {
        dial(&mut switch, now, "INVITE", call, number);
        lines.push(lines_logged(&mut switch));
    }
    while switch.call_count() > 0 {
        now += Duration::from_millis(1);
        switch.handle_timeout(now);
        lines.push(lines_logged(&mut switch));
        assert!(lines.len() < 10_000, "they go on for ever");
    }
    lines
}

fn lines_logged(switch: &mut Switch) -> usize {
    let mut lines = 0;
    while let Some(output) = switch.poll_output() {
        lines += usize::from(matches!(output, Output::Publish(Notice::Script { .. })));
    }
    lines
}

#[test]
fn a_call_whose_verbs_are_answered_at_once_takes_turns_with_everybody_else() {
    let lines = lines_per_turn("7", &["a"]);
    assert!(lines.iter().all(|count| *count <= STEPS_PER_TURN as usize), "{lines:?}");
    // The answer is a verb, too.
    assert_eq!(lines.iter().sum::<usize>(), 9_999);
}

#[test]
fn calls_that_pass_a_lock_to_and_fro_take_turns_with_everybody_else() {
    let lines = lines_per_turn("8", &["a", "b"]);
    assert!(lines.iter().all(|count| *count <= 2 * STEPS_PER_TURN as usize), "{lines:?}");
    assert_eq!(lines.iter().sum::<usize>(), 2 * 9_999);
}
