//! Stopping, reloading, odd peers and odd moments.

use std::time::Duration;

use pbx::{Command, Input};
use sdp::RtpCodec;
use tests::{ByHand, PHONES, Plan, World, answer_to};

fn office(script: &str) -> World {
    let mut world = World::new(Plan {
        script: script.to_owned(),
        prompts: ["en/hello", "music/evening"].map(str::to_owned).to_vec(),
        ..Plan::default()
    });
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.phone("carol", "103");
    world.register_all();
    world
}

fn happened(world: &World, what: &str) -> bool {
    world.log.iter().any(|line| line.ends_with(what))
}

fn milliseconds(world: &mut World, ms: u64) {
    world.run_for(Duration::from_millis(ms));
}

#[test]
fn stopping_ends_every_call_politely_and_tells_when_none_is_left() {
    let mut world =
        office(&format!("{PHONES} route('5', function(call) call:ringing() call:sleep(60) end)"));
    world.act("alice", "INVITE 102");
    milliseconds(&mut world, 10);
    world.act("bob", "200");
    milliseconds(&mut world, 500);
    world.act("carol", "INVITE 5");
    milliseconds(&mut world, 500);
    world.log.clear();
    world.tell(Input::Command(Command::Stop));
    milliseconds(&mut world, 10);
    for told in ["alice <- BYE", "bob <- BYE", "carol <- 503", "notice Idle"] {
        assert!(happened(&world, told), "{told}: {:?}", world.log);
    }
    world.act("alice", "INVITE 102");
    milliseconds(&mut world, 10);
    assert!(happened(&world, "alice <- 503"), "{:?}", world.log);
    assert_eq!(world.log.iter().filter(|line| line.ends_with("notice Idle")).count(), 1);
    world.assert_all_is_quiet();
}

#[test]
fn new_scripts_are_for_new_calls_and_broken_ones_for_none() {
    let mut world =
        office("route('5', function(call) call:answer() call:sleep(5) call:play('hello') end)");
    world.act("alice", "INVITE 5");
    milliseconds(&mut world, 100);
    world.reload("route('6', function(call) call:busy() end)");
    assert!(happened(&world, "notice Reloaded { routes: 1 }"), "{:?}", world.log);
    world.act("bob", "INVITE 5");
    milliseconds(&mut world, 100);
    assert!(happened(&world, "bob <- 404"), "{:?}", world.log);
    world.reload("route('7', function(call) call:anser() end)");
    let told = world.log.iter().find(|line| line.contains("ReloadFailed")).unwrap();
    for part in ["main.lua:1", "anser", "answer"] {
        assert!(told.contains(part), "{told}");
    }
    world.act("bob", "INVITE 6");
    milliseconds(&mut world, 100);
    assert!(happened(&world, "bob <- 486"), "{:?}", world.log);
    // The call under way goes on as it began.
    milliseconds(&mut world, 5_000);
    assert!(happened(&world, "plays en/hello"), "{:?}", world.log);
    world.assert_all_is_quiet();
}

#[test]
fn targets_may_ring_later_than_others_and_be_given_up_sooner() {
    let mut world = office(
        "
route('8', function(call)
  call:dial({ { to = 'ext/102', timeout = 3 }, { to = 'ext/103', delay = 2 } }, { timeout = 10 })
end)",
    );
    world.check(
        "
           0  alice -> INVITE 8
           0  bob   <- INVITE
         100  bob   -> 180
         100  alice <- 180
        2000  carol <- INVITE
        3000  bob   <- CANCEL
        4000  carol -> 180
        4000  alice <- 180
       10000  carol <- CANCEL
       10000  alice <- 480
       10000  record 101 8 refused 480
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn early_media_is_heard_from_one_phone_and_given_up_with_it() {
    let mut world = office(
        "route('8', function(call) call:dial({ { 'ext/102' }, { 'ext/103' } }, { timeout = 4 }) end)",
    );
    world.check(
        "
           0  alice -> INVITE 8
           0  bob   <- INVITE
         100  bob   -> 183
         100  alice <- 183
        1000  alice hears bob
        4000  bob   <- CANCEL
        4000  carol <- INVITE
        5000  alice hears nothing
        5000  carol -> 183
        5000  alice <- 183
        6000  alice hears carol
        7000  carol -> 200
        7000  alice <- 200
        8000  alice hears carol
        8000  carol hears alice
        8500  alice -> BYE
        8500  carol <- BYE
        8500  record 101 8 answered 1500 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn an_answered_caller_hears_ringback_then_early_media_then_the_callee() {
    let mut world = office(
        "route('8', function(call) call:answer() call:dial('ext/102', { timeout = 20 }) end)",
    );
    world.check(
        "
           0  alice -> INVITE 8
           0  bob   <- INVITE
           0  alice <- 200
         100  bob   -> 180
         100  plays tone:440
        1000  alice hears ringback
        3000  bob   -> 183
        4000  alice hears bob
        5000  bob   -> 200
        6000  alice hears bob
        6000  bob   hears alice
        7000  bob   -> BYE
        7000  alice <- BYE
        7000  record 101 8 answered 7000 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn music_with_a_dial_is_heard_before_the_answer() {
    let mut world = office(
        "route('8', function(call) call:dial('ext/102', { timeout = 5, music = 'music/evening' }) end)",
    );
    world.check(
        "
           0  alice -> INVITE 8
           0  bob   <- INVITE
           0  plays music/evening
           0  alice <- 183
        2000  alice hears music/evening
        5000  bob   <- CANCEL
        5000  alice <- 480
        5000  record 101 8 refused 480
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_callee_whose_codec_does_not_fit_what_the_caller_heard_before_is_asked_to_change() {
    let mut world = office(
        "route('8', function(call) call:dial({ 'ext/102', 'ext/103' }, { timeout = 20 }) end)",
    );
    let speex = RtpCodec::new(98, "speex", 8_000);
    world.phones[0].codecs = vec![speex.clone(), RtpCodec::pcma()];
    world.phones[1].codecs = vec![RtpCodec::pcma()];
    world.phones[2].codecs = vec![speex, RtpCodec::pcma()];
    world.check(
        "
           0  alice -> INVITE 8
           0  bob   <- INVITE
           0  carol <- INVITE
         100  bob   -> 183
         100  alice <- 183
        1000  carol -> 200
        1000  bob   <- CANCEL
        1000  alice <- 200
        1000  carol <- re-INVITE sendrecv
        2000  alice hears carol
        2000  carol hears alice
        3000  alice -> BYE
        3000  carol <- BYE
        3000  record 101 8 answered 2000 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn uris_are_called_straight_by_address_or_by_name() {
    let mut world = office(
        "
route('1', function(call) call:dial('sip:bob@10.0.0.3:5060', { timeout = 9 }) end)
route('2', function(call) call:dial('sip:bob@desk.example.org', { timeout = 9 }) end)
route('3', function(call) call:dial('sip:bob@nowhere.example.org', { timeout = 9 }) end)
route('4', function(call) call:dial('sip:102@office.test', { timeout = 9 }) end)",
    );
    world.names.insert("desk.example.org".to_owned(), vec!["10.0.0.3:0".parse().unwrap()]);
    world.phones[1].answers_at_once = Some(486);
    world.check(
        "
           0  alice -> INVITE 1
           0  bob   <- INVITE
           0  alice <- 486
           0  record 101 1 refused 486
        1000  alice -> INVITE 2
        1001  bob   <- INVITE
        1001  alice <- 486
        1001  record 101 2 refused 486
        2000  alice -> INVITE 3
        2001  alice <- 504 host name not found
        2001  record 101 3 refused 504
        3000  alice -> INVITE 4
        3000  bob   <- INVITE
        3000  alice <- 486
        3000  record 101 4 refused 486
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_caller_who_leaves_while_a_name_is_looked_up_leaves_nothing() {
    let mut world = office("route('2', function(call) call:dial('sip:bob@slow.example.org') end)");
    world.names.clear();
    world.act("alice", "INVITE 2");
    world.act("alice", "CANCEL");
    world.assert_all_is_quiet();
}

/// The call of RFC 3261's strangest customers: a stream of a kind that nobody knows.
const CHIPFLIP: &str = "v=0
o=original 3326093141 3326093142 IN IP4 192.168.0.200
s=SipSession
c=IN IP4 192.168.0.200
t=0 0
m=application 49152 TCP Chipflip
a=direction:both
";

#[test]
fn streams_of_unknown_kind_are_carried_across_and_refused_where_only_sound_is_played() {
    let mut world = office(
        "
route('103', function(call) call:dial('sip:junk@10.9.9.2') end)
route('5', function(call) call:play('hello') end)",
    );
    let (mut caller, callee) = (ByHand::new(1, "101"), ByHand::new(2, "junk"));
    let contact = "Contact: <sip:original@10.9.9.1>\n";
    let refused = caller.ask(&mut world, "INVITE", "sip:5@office.test", contact, CHIPFLIP);
    assert!(refused.starts_with("SIP/2.0 488"), "{refused}");
    let warning = refused.lines().find(|line| line.starts_with("Warning: ")).unwrap();
    assert!(warning.contains("application over TCP"), "{warning}");

    caller.call_id = "second".to_owned();
    caller.ask(&mut world, "INVITE", "sip:103@office.test", contact, CHIPFLIP);
    let invite = world.astray(callee.address).remove(0);
    for line in ["m=application 49152 TCP Chipflip", "a=direction:both"] {
        assert!(invite.lines().any(|own| own == line), "{invite}");
    }
    let answer = CHIPFLIP.replace("49152", "3456").replace("192.168.0.200", "10.9.9.2");
    let ok = answer_to(&invite, "200 OK", "Contact: <sip:junk@10.9.9.2>\n", &answer);
    world.deliver_by_hand(callee.address, &ok);
    milliseconds(&mut world, 10);
    let told = world.astray(caller.address).pop().unwrap();
    assert!(told.starts_with("SIP/2.0 200"), "{told}");
    assert!(told.contains("m=application 3456 TCP Chipflip"), "{told}");
    // Whoever never acknowledges is hung up on, and the other with it.
    world.run_for(Duration::from_secs(33));
    assert!(world.astray(caller.address).iter().any(|text| text.starts_with("BYE ")));
    assert!(world.astray(callee.address).iter().any(|text| text.starts_with("BYE ")));
    world.assert_all_is_quiet();
}

#[test]
fn a_caller_without_an_offer_who_never_answers_ours_is_hung_up_on() {
    let mut world = office("route('5', function(call) call:answer() call:play('hello') end)");
    let mut caller = ByHand::new(1, "101");
    let contact = "Contact: <sip:101@10.9.9.1>\n";
    let ok = caller.ask(&mut world, "INVITE", "sip:5@office.test", contact, "");
    assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
    let to = ok.lines().find(|line| line.starts_with("To:")).unwrap();
    caller.cseq -= 1;
    let ack = caller.request("ACK", "sip:5@10.0.0.1", "", "");
    let ack = ack.replace("To: <sip:5@10.0.0.1>", to);
    let answers = caller.send(&mut world, &ack);
    assert!(answers.iter().any(|text| text.starts_with("BYE ")), "{answers:?}");
    world.assert_all_is_quiet();
}

#[test]
fn both_hold_at_once_and_neither_waits_for_the_other() {
    for seed in 0..6 {
        let mut world = World::new(Plan { seed, ..Plan::default() });
        world.phone("alice", "101");
        world.phone("bob", "102");
        world.register_all();
        world.act("alice", "INVITE 102");
        milliseconds(&mut world, 10);
        world.act("bob", "200");
        milliseconds(&mut world, 1_000);
        world.act("alice", "HOLD");
        world.act("bob", "HOLD");
        world.run_for(Duration::from_secs(15));
        assert!(happened(&world, "alice <- re-INVITE 200 sendonly"), "{:?}", world.log);
        let ended = world.log.iter().filter(|line| line.contains("bob <- re-INVITE")).count();
        assert_eq!(ended, 2, "asked, and answered: {:?}", world.log);
        // Whoever was told to try later, tries later.
        world.act("bob", "HOLD");
        milliseconds(&mut world, 100);
        assert!(happened(&world, "bob <- re-INVITE 200 sendonly"), "{:?}", world.log);
        world.act("alice", "BYE");
        milliseconds(&mut world, 10);
        assert!(happened(&world, "bob <- BYE"), "{:?}", world.log);
        world.assert_all_is_quiet();
    }
}

#[test]
fn a_phone_may_ask_for_our_offer_in_mid_call() {
    let mut world = office(PHONES);
    world.check(
        "
           0  alice -> INVITE 102
           0  bob   <- INVITE
         100  bob   -> 200
         100  alice <- 200
        1000  alice -> ASK-OFFER
        1000  alice <- re-INVITE 200 with an offer of 2 codecs
        2000  bob   -> ASK-OFFER
        2000  bob   <- re-INVITE 200 with an offer of 2 codecs
        3000  alice hears bob
        3000  bob   hears alice
        4000  alice -> BYE
        4000  bob   <- BYE
        4000  record 101 102 answered 3900 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn giving_up_at_any_moment_around_the_answer_leaves_nobody_behind() {
    for (first, second) in [("alice", "bob"), ("bob", "alice")] {
        for gap_ms in [0, 1, 5, 9, 10, 11, 20, 40] {
            let mut world = office(PHONES);
            world.set_weather(tests::Weather {
                delay: Duration::from_millis(10),
                ..tests::Weather::calm()
            });
            world.act("alice", "INVITE 102");
            milliseconds(&mut world, 100);
            let what = |who: &str| if who == "alice" { "CANCEL" } else { "200" };
            world.act(first, what(first));
            milliseconds(&mut world, gap_ms);
            world.act(second, what(second));
            milliseconds(&mut world, 2_000);
            // A CANCEL that came too late changes nothing: the phone hangs up after all.
            world.act("alice", "BYE");
            milliseconds(&mut world, 2_000);
            assert_eq!(world.shelf.calls.len(), 1, "{:?}", world.log);
            world.assert_all_is_quiet();
        }
    }
}

#[test]
fn hanging_up_in_every_phase_leaves_nothing() {
    let script = "
route('1', function(call) call:sleep(9) end)
route('2', function(call) call:play('hello', { loop = true }) end)
route('3', function(call) call:answer() call:read { prompt = 'hello', max = 4, timeout = 9 } end)
route('4', function(call) call:record { max = 9, beep = false } end)
route('5', function(call) call:echo() end)
route('6', function(call) call:queued { music = 'music/evening' } call:sleep(9) end)
route('7', function(call) call:answer() call:dial('ext/102', { music = 'music/evening' }) end)
route('8', function(call) call:dial({ {'ext/102'}, {'ext/103'} }, { timeout = 1 }) end)";
    for number in 1..=8 {
        for after_ms in [0, 15, 400, 1_500] {
            let mut world = office(script);
            world.act("alice", &format!("INVITE {number}"));
            milliseconds(&mut world, after_ms);
            world.act("alice", "CANCEL");
            milliseconds(&mut world, 5);
            world.act("alice", "BYE");
            milliseconds(&mut world, 1_000);
            assert_eq!(world.shelf.calls.len(), 1, "{number} {after_ms} {:?}", world.log);
            world.assert_all_is_quiet();
        }
    }
}

#[test]
fn keys_told_by_info_reach_a_callee_as_telephone_events() {
    let mut world = office(PHONES);
    world.act("alice", "INVITE 102");
    milliseconds(&mut world, 10);
    world.act("bob", "200");
    milliseconds(&mut world, 1_000);
    world.act("alice", "INFO 5");
    milliseconds(&mut world, 500);
    world.act("alice", "INFO 11");
    milliseconds(&mut world, 500);
    assert_eq!(world.named("bob").keys_heard(), "5#");
    world.act("alice", "PRESS 42");
    milliseconds(&mut world, 1_000);
    assert_eq!(world.named("bob").keys_heard(), "5#42");
    world.act("alice", "BYE");
    world.assert_all_is_quiet();
}

#[test]
fn on_hangup_is_told_why() {
    for (ends, cause, code) in [
        ("call:hangup()", "hung up by script", 480),
        ("call:reject(403)", "rejected by script", 403),
        ("call:redirect('sip:a@b')", "redirected", 302),
        ("call:sleep(600)", "caller gave up", 487),
        ("call:answer() call:sleep(600)", "caller hung up", 200),
    ] {
        let mut world = office(&format!(
            "route('8', function(call)
               call:on_hangup(function(cause, code) log.info(cause, code) end)
               {ends}
             end)"
        ));
        world.act("alice", "INVITE 8");
        milliseconds(&mut world, 500);
        world.act("alice", "CANCEL");
        world.act("alice", "BYE");
        milliseconds(&mut world, 500);
        let record = &world.shelf.calls[0];
        assert_eq!((record.ending.as_str(), record.status), (cause, code), "{ends}");
        assert_eq!(world.logged(), [format!("{cause} {code}")], "{ends}");
        world.assert_all_is_quiet();
    }
}

#[test]
fn a_script_that_asks_in_a_circle_ends_its_own_call_and_delays_no_other() {
    let mut world = office(
        "
route('5', function(call) while true do call:ringing() end end)
route('6', function(call) while true do call:dial('sip:555@office.test') end end)
route('7', { public = true }, function(call) while true do call:ringing() end end)
route('1XX', function(call) call:dial('ext/' .. call.to.user) end)",
    );
    // One turn is short: nobody else had to wait for more than this.
    let mut stranger = ByHand::new(1, "x");
    let contact = "Contact: <sip:x@10.9.9.1>\n";
    let invite = stranger.request("INVITE", "sip:7@office.test", contact, "");
    world.deliver_by_hand(stranger.address, &invite);
    assert!((2..60).contains(&world.astray(stranger.address).len()));
    for number in ["5", "6"] {
        world.act("alice", &format!("INVITE {number}"));
        milliseconds(&mut world, 1);
        world.act("carol", "INVITE 102");
        milliseconds(&mut world, 1);
        assert!(happened(&world, "bob <- INVITE"), "{number}");
        world.act("bob", "486");
        world.run_for(Duration::from_secs(5));
        assert!(happened(&world, "alice <- 500"), "{number}");
        world.log.clear();
    }
    world.assert_all_is_quiet();
}

#[test]
fn a_callee_that_answers_with_nonsense_is_left_and_the_caller_told() {
    let mut world = office("route('5', function(call) call:dial('sip:x@10.9.9.2') end)");
    let callee = ByHand::new(2, "x");
    world.act("alice", "INVITE 5");
    milliseconds(&mut world, 10);
    let invite = world.astray(callee.address).remove(0);
    let ok = answer_to(&invite, "200 OK", "Contact: <sip:x@10.9.9.2>\n", "v=nonsense\n");
    world.deliver_by_hand(callee.address, &ok);
    milliseconds(&mut world, 10);
    let sent = world.astray(callee.address);
    assert!(sent.iter().any(|text| text.starts_with("ACK ")), "{sent:?}");
    assert!(sent.iter().any(|text| text.starts_with("BYE ")), "{sent:?}");
    assert!(happened(&world, "alice <- 502"), "{:?}", world.log);
    world.assert_all_is_quiet();
}

#[test]
fn a_port_that_another_program_holds_costs_one_call_and_no_other() {
    let script = "
route('1XX', function(call) call:dial('ext/' .. call.to.user) end)
route('5', function(call) call:answer() call:sleep(0.02) end)";
    let mut world = office(script);
    world.taken_ports = (20_000..20_004).collect();
    world.act("alice", "INVITE 5");
    world.run_for(Duration::from_secs(2));
    assert!(happened(&world, "alice <- BYE"), "{:?}", world.log);
    world.act("alice", "INVITE 102");
    world.run_for(Duration::from_secs(2));
    assert!(happened(&world, "alice <- 500"), "{:?}", world.log);
    // The pool of a thousand ports goes round, and the taken ones are not met again.
    for _ in 0..600 {
        world.log.clear();
        world.act("alice", "INVITE 5");
        milliseconds(&mut world, 30);
        assert!(happened(&world, "record 101 5 answered 20 ms"), "{:?}", world.log);
    }
    world.assert_all_is_quiet();
}
