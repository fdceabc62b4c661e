//! Strangers, liars, eavesdroppers and noise: what they get, and what nobody else notices of it.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use pbx::{Input, Limits};
use sip_engine::{Flow, Transport};
use tests::{ByHand, Plan, SWITCH, World};

fn office(script: &str) -> World {
    office_with(Plan { script: script.to_owned(), ..Plan::default() })
}

fn office_with(plan: Plan) -> World {
    let mut world = World::new(plan);
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.register_all();
    world
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

fn last_status(answers: &[String]) -> &str {
    answers.last().map_or("none", |answer| status(answer))
}

fn happened(world: &World, what: &str) -> bool {
    world.log.iter().any(|line| line.ends_with(what))
}

/// Somebody does something, and it arrives.
fn act(world: &mut World, who: &str, what: &str) {
    world.act(who, what);
    world.run_for(Duration::from_millis(10));
}

const EXTENSIONS: &str =
    "route('1XX', function(call) call:dial('ext/' .. call.to.user, { timeout = 20 }) end)";
const CONTACT: &str = "Contact: <sip:x@10.9.9.1>\n";

#[test]
fn a_call_without_proof_rings_nobody_and_learns_nothing() {
    let mut world = office(EXTENSIONS);
    let mut stranger = ByHand::new(1, "mallory");
    let mut looks = Vec::new();
    for number in ["102", "103", "199", "999", "1"] {
        let uri = format!("sip:{number}@office.test");
        let invite = stranger.request("INVITE", &uri, CONTACT, "");
        let answers = stranger.send(&mut world, &invite);
        assert_eq!(answers.len(), 1, "one answer, sent once");
        assert!(answers[0].len() <= 2 * invite.len() + 200, "{}", answers[0]);
        looks.push(status(&answers[0]).to_owned());
    }
    assert_eq!(looks, ["401"; 5]);
    for method in ["MESSAGE", "SUBSCRIBE", "PUBLISH", "REFER", "NOTIFY", "INFO"] {
        let request = stranger.request(method, "sip:102@office.test", CONTACT, "");
        let answers = stranger.send(&mut world, &request);
        assert!(["405", "481", "489"].contains(&last_status(&answers)), "{method} {answers:?}");
    }
    world.run_for(Duration::from_secs(60));
    assert!(!happened(&world, "bob <- INVITE"));
    assert!(world.astray(stranger.address).is_empty(), "nothing is repeated to a stranger");
    world.assert_all_is_quiet();
}

#[test]
fn a_public_route_lets_strangers_in_but_not_as_one_of_us() {
    let mut world = office(
        "route('1XX', { public = true }, function(call)
           if call.headers['P-Asserted-Identity'] then call:reject(500) end
           log.info(call.from.user)
           call:dial('ext/102', { caller = { name = call.from.user } })
         end)",
    );
    let mut stranger = ByHand::new(1, "101");
    let boss = format!("{CONTACT}P-Asserted-Identity: <sip:101@office.test>\n");
    let invite = stranger.request("INVITE", "sip:102@office.test", &boss, "");
    assert_eq!(last_status(&stranger.send(&mut world, &invite)), "100");
    assert!(happened(&world, "bob <- INVITE"));
    assert_eq!(world.named("bob").called_by(), "\"anonymous\" <sip:anonymous@office.test>");
}

#[test]
fn whoever_calls_with_an_account_calls_as_that_account() {
    let mut world = office(EXTENSIONS);
    let mut alice = ByHand::new(1, "101");
    let first = alice.request("INVITE", "sip:102@office.test", CONTACT, "");
    let as_boss = |text: String| text.replace("From: <sip:101@", "From: \"Boss\" <sip:100@");
    let challenge = alice.send(&mut world, &as_boss(first)).remove(0);
    let proof = alice.proof(&challenge, "INVITE", "sip:102@office.test");
    let second = alice.request("INVITE", "sip:102@office.test", &format!("{proof}{CONTACT}"), "");
    assert_eq!(last_status(&alice.send(&mut world, &as_boss(second))), "100");
    assert!(world.named("bob").called_by().ends_with("<sip:101@office.test>"));
}

#[test]
fn a_proof_for_one_number_calls_no_other() {
    let mut world = office("route('.', function(call) call:answer() call:sleep(5) end)");
    let mut alice = ByHand::new(1, "101");
    let first = alice.request("INVITE", "sip:102@office.test", CONTACT, "");
    let challenge = alice.send(&mut world, &first).remove(0);
    let proof = alice.proof(&challenge, "INVITE", "sip:102@office.test");
    let dear = alice.request("INVITE", "sip:900555@office.test", &format!("{proof}{CONTACT}"), "");
    alice.send(&mut world, &dear);
    world.run_for(Duration::from_secs(3));
    assert_eq!(world.call_count(), 0);
}

#[test]
fn past_its_limits_the_office_refuses_politely() {
    let limits = Limits { calls_max: 2, calls_per_account_max: 1, ..Limits::default() };
    let script = "route('5', function(call) call:answer() call:sleep(600) end)";
    let mut world = office_with(Plan { script: script.to_owned(), limits, ..Plan::default() });
    world.phone("carol", "103");
    act(&mut world, "carol", "REGISTER");
    act(&mut world, "alice", "INVITE 5");
    let mut alice = ByHand::new(1, "101");
    let second = alice.ask(&mut world, "INVITE", "sip:5@office.test", CONTACT, "");
    assert_eq!(status(&second), "486", "one call at a time for each account");
    act(&mut world, "bob", "INVITE 5");
    act(&mut world, "carol", "INVITE 5");
    world.run_for(Duration::from_secs(1));
    assert!(happened(&world, "carol <- 503"), "{:?}", world.log);
    let third = alice.request("INVITE", "sip:5@office.test", CONTACT, "");
    let refusal = alice.send(&mut world, &third).pop().unwrap();
    assert!(refusal.contains("Retry-After: 10"), "{refusal}");
    // Calls under way go on, and make room when they end.
    act(&mut world, "alice", "BYE");
    act(&mut world, "carol", "INVITE 5");
    world.run_for(Duration::from_secs(1));
    assert!(happened(&world, "carol <- 200"), "{:?}", world.log);
    act(&mut world, "bob", "BYE");
    act(&mut world, "carol", "BYE");
    world.assert_all_is_quiet();
}

#[test]
fn strangers_share_one_allowance() {
    let limits = Limits { calls_per_account_max: 2, ..Limits::default() };
    let script = "route('5', { public = true }, function(call) call:answer() call:sleep(9) end)";
    let mut world = office_with(Plan { script: script.to_owned(), limits, ..Plan::default() });
    let mut statuses = Vec::new();
    for host in 1..=3 {
        let mut stranger = ByHand::new(host, "x");
        let invite = stranger.request("INVITE", "sip:5@office.test", CONTACT, "");
        statuses.push(last_status(&stranger.send(&mut world, &invite)).to_owned());
    }
    assert_eq!(statuses, ["200", "200", "401"], "the third must prove who it is");
    act(&mut world, "alice", "INVITE 5");
    assert!(happened(&world, "alice <- 200"));
    world.assert_all_is_quiet();
}

#[test]
fn a_flood_of_questions_keeps_no_memory_and_keeps_nobody_out() {
    let mut world = office(EXTENSIONS);
    for n in 0..30_000_u32 {
        let method = ["OPTIONS", "INVITE", "REGISTER"][n as usize % 3];
        let request = format!(
            "{method} sip:102@office.test SIP/2.0\n\
             Via: SIP/2.0/UDP 10.8.0.1:5060;branch=z9hG4bKflood{n}\n\
             From: <sip:{n}@office.test>;tag={n}\nTo: <sip:102@office.test>\n\
             Call-ID: flood{n}\nCSeq: 1 {method}\nMax-Forwards: 70\n\
             {CONTACT}Content-Length: 0\n\n"
        );
        world.deliver_by_hand("10.8.0.1:5060".parse().unwrap(), &request);
    }
    act(&mut world, "alice", "INVITE 102");
    assert!(happened(&world, "bob <- INVITE"), "{:?}", world.log);
    act(&mut world, "bob", "486");
    assert!(happened(&world, "alice <- 486"));
    assert_eq!(world.transaction_count(), 2, "the one call's own");
}

#[test]
fn requests_into_a_call_by_strangers_get_481() {
    let mut world = office(EXTENSIONS);
    act(&mut world, "alice", "INVITE 102");
    act(&mut world, "bob", "200");
    world.run_for(Duration::from_secs(1));
    let mut stranger = ByHand::new(1, "101");
    for tag in ["1.0000000000000000", "2.1", "ffff", "3", ""] {
        for method in ["BYE", "INFO", "INVITE", "UPDATE"] {
            let request = stranger.request(method, "sip:102@office.test", CONTACT, "");
            let to = format!("To: <sip:102@office.test>;tag={tag}");
            let request = request.replace("To: <sip:102@office.test>", &to);
            let answers = stranger.send(&mut world, &request);
            assert_ne!(last_status(&answers), "200", "{method} {tag}");
            assert_ne!(last_status(&answers), "100", "{method} {tag}");
        }
    }
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.heard_by("alice"), "bob");
    assert_eq!(world.call_count(), 1);
}

#[test]
fn sound_from_elsewhere_is_neither_heard_nor_followed() {
    let mut world = office(EXTENSIONS);
    act(&mut world, "alice", "INVITE 102");
    act(&mut world, "bob", "200");
    world.run_for(Duration::from_secs(2));
    let tone_hz = world.intrude("alice", "203.0.113.9:4000".parse().unwrap());
    assert!(!world.hears_tone("bob", tone_hz));
    assert_eq!(world.heard_by("bob"), "alice");
    assert_eq!(world.heard_by("alice"), "bob", "its own sound still goes where it belongs");
    let stolen = world.sound_astray("203.0.113.9:4000".parse().unwrap());
    assert!(stolen <= 5, "{stolen} packets went to an outsider");
    act(&mut world, "alice", "BYE");
    world.assert_all_is_quiet();
}

#[test]
fn a_stranger_who_is_first_loses_the_stream_to_a_phone_behind_nat() {
    let mut world = World::new(Plan { script: EXTENSIONS.to_owned(), ..Plan::default() });
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.put_behind_nat("alice", [203, 0, 113, 7].into());
    world.register_all();
    world.act("alice", "HUSH");
    act(&mut world, "alice", "INVITE 102");
    act(&mut world, "bob", "200");
    // Nobody but the router knows where its sound will come from, and a stranger tries first.
    let tone_hz = world.intrude("alice", "198.51.100.9:4000".parse().unwrap());
    world.act("alice", "TALK");
    world.run_for(Duration::from_secs(1));
    assert!(!world.hears_tone("bob", tone_hz));
    assert_eq!(world.heard_by("bob"), "alice");
    assert_eq!(world.heard_by("alice"), "bob");
    act(&mut world, "alice", "BYE");
    world.assert_all_is_quiet();
}

#[test]
fn a_call_that_has_gone_too_far_is_refused() {
    let mut world = office(EXTENSIONS);
    let mut alice = ByHand::new(1, "101");
    let invite = alice.request("INVITE", "sip:102@office.test", CONTACT, "");
    let spent = invite.replace("Max-Forwards: 70", "Max-Forwards: 0");
    assert_eq!(last_status(&alice.send(&mut world, &spent)), "483");
}

#[test]
fn what_scripts_pass_on_begins_no_header_of_its_own() {
    // What `tostring` gives is not known before the call comes, or the script would not load.
    let smuggle = "local s = tostring 'x\\r\\nX-Smuggled: yes\\r\\n\\r\\n' \
                   local name = tostring 'X-Why: a\\r\\nX-Smuggled'";
    for verb in [
        "call:reject(480, s)",
        "call:reject(480, 'no', { headers = { ['X-Why'] = s } })",
        "call:reject(480, 'no', { headers = { [name] = 'yes' } })",
        "call:redirect('sip:a@b>' .. s)",
        "call:redirect('sip:' .. s .. '@b')",
        "call:dial('sip:' .. s .. '@10.9.9.2')",
        "call:dial('sip:x@10.9.9.2', { caller = { name = s } })",
        "call:dial('sip:x@10.9.9.2', { caller = { user = s } })",
    ] {
        let mut world = office(&format!("route('5', function(call) {smuggle} {verb} end)"));
        let mut alice = ByHand::new(1, "101");
        let answer = alice.ask(&mut world, "INVITE", "sip:5@office.test", CONTACT, "");
        world.run_for(Duration::from_secs(1));
        let mut sent = world.astray("10.9.9.2:5060".parse().unwrap());
        sent.push(answer);
        for message in sent {
            let smuggled = message.lines().any(|line| line.starts_with("X-Smuggled"));
            assert!(!smuggled, "{verb}:\n{message}");
        }
    }
}

#[test]
fn what_callers_are_called_begins_no_header_of_its_own() {
    let mut world =
        office("route('.', { public = true }, function(call) call:dial('sip:x@10.9.9.2') end)");
    let mut stranger = ByHand::new(1, "a%0d%0aX-Smuggled%3a%20yes%0d%0a%3e");
    let invite = stranger.request("INVITE", "sip:5%0d%0aX@office.test", CONTACT, "");
    let invite = invite.replace("From: ", "From: \"a\\\"b\" ");
    stranger.send(&mut world, &invite);
    world.run_for(Duration::from_secs(1));
    let sent = world.astray("10.9.9.2:5060".parse().unwrap());
    assert!(!sent.is_empty());
    assert!(!sent[0].lines().any(|line| line.starts_with("X-Smuggled")), "{}", sent[0]);
}

/// Any inputs in any order: nothing panics, and when all is said nothing is left.
#[test]
fn noise_in_any_order_leaves_nothing_over() {
    for seed in 0..24 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut world = office_with(Plan { script: NOISY.to_owned(), seed, ..Plan::default() });
        world.phones[1].answers_at_once = (seed % 3 == 0).then_some(200);
        let mut heard: Vec<Bytes> = Vec::new();
        for _ in 0..60 {
            let who = ["alice", "bob"][rng.usize(0..2)];
            let what = [
                "INVITE 102",
                "INVITE 5",
                "INVITE 6",
                "INVITE 7",
                "180",
                "183",
                "200",
                "486",
                "302",
                "BYE",
                "CANCEL",
                "HOLD",
                "RESUME",
                "ASK-OFFER",
                "INFO 5",
                "PRESS 1#",
                "REGISTER",
            ][rng.usize(0..17)];
            if !what.starts_with("INVITE") || !world.named(who).is_in_call() {
                world.act(who, what);
            }
            // What was said before comes again, from anywhere, whole or spoilt.
            heard.extend(world.overheard());
            if let Some(bytes) = rng.choice(&heard).cloned() {
                let mut bytes = bytes.to_vec();
                for _ in 0..rng.usize(0..3) {
                    let at = rng.usize(0..bytes.len());
                    bytes[at] = rng.u8(..);
                }
                let remote: SocketAddr = ["10.0.0.2:5060", "10.0.0.3:5060", "10.9.9.9:9"]
                    [rng.usize(0..3)]
                .parse()
                .unwrap();
                let transport = if rng.bool() { Transport::Udp } else { Transport::Tcp };
                let flow = Flow { transport, local: SWITCH, remote };
                match rng.u8(0..10) {
                    0 => world.tell(Input::FlowClosed { flow }),
                    _ => world.tell(Input::Sip { flow, bytes: bytes.into() }),
                }
            }
            world.run_for(Duration::from_millis(rng.u64(0..900)));
        }
        for _ in 0..3 {
            world.act("alice", "BYE");
            world.act("bob", "BYE");
            world.act("alice", "CANCEL");
            world.act("bob", "486");
            world.run_for(Duration::from_secs(40));
        }
        world.run_for(Duration::from_secs(700));
        world.assert_the_switch_is_quiet();
    }
}

const NOISY: &str = "
route('1XX', function(call)
  local r = call:dial('ext/' .. call.to.user, { timeout = 9 })
  if r.status ~= 'ANSWERED' then call:voicemail('102') end
end)
route('5', function(call) call:answer() call:read { max = 3, timeout = 2 } call:record { max = 4 } end)
route('6', function(call) call:queued { place = 1 } call:dial({ {'ext/101'}, {'ext/102'} }, { timeout = 3, music = 'tone:440' }) call:play('tone:425:1') end)
route('7', function(call) call:mailbox('101') end)";
