//! Every behaviour of a party, as the other side sees it.

use super::*;

const PHONES: &str = r#"
route("1XX", function(call)
  local r = call:dial("ext/" .. call.to.user, { timeout = 20 })
  log.info(r.status .. " " .. r.code)
end)
"#;

/// What a dial of 102 with this behaviour comes to, for the script and for the caller.
#[track_caller]
fn dialled(called: Called) -> (String, u16, Office) {
    let mut office = office(PHONES);
    office.add_phone(Phone::new("102").called(called)).unwrap();
    let caller = office.call(Call::of_account("101", "102")).unwrap();
    office.run_for(s(60));
    let logged = last_log(&office);
    let status = office.party(caller).unwrap().call().unwrap().status().unwrap_or_default();
    let left = office.finish();
    assert!(left.is_empty(), "{left:?}\n{}", office.ladder());
    (logged, status, office)
}

fn last_log(office: &Office) -> String {
    let lines = office.notices().filter_map(|(_, notice)| match notice {
        pbx::Notice::Script { text, .. } => Some(text.clone()),
        _ => None,
    });
    lines.last().unwrap_or_else(|| panic!("nothing logged\n{}", office.ladder()))
}

#[test]
fn a_phone_may_be_busy() {
    let (logged, status, _) = dialled(Called::busy());
    assert_eq!((logged.as_str(), status), ("BUSY 486", 486));
}

#[test]
fn a_phone_may_refuse_with_any_code_and_words() {
    let after = s(2);
    let reason = Some("Not at my desk".to_owned());
    let (logged, status, office) = dialled(Called::Refuses { after, code: 480, reason });
    assert_eq!(logged, "NOANSWER 480");
    assert_eq!(status, 480);
    let ladder = office.ladder();
    assert!(ladder.contains("480 Not at my desk"), "{ladder}");
    assert!(ladder.contains("2.000"), "{ladder}");
}

#[test]
fn a_phone_may_ring_until_the_caller_has_had_enough() {
    let (logged, _, office) = dialled(Called::Rings);
    assert_eq!(logged.split(' ').next(), Some("NOANSWER"), "{}", office.ladder());
    let phone = office.find("102").unwrap();
    let ended = office.party(phone).unwrap().call().unwrap().ended().unwrap();
    assert_eq!((ended.how, ended.at), (CallEnd::Cancelled, office.start() + s(20)));
}

#[test]
fn a_phone_may_say_nothing_at_all() {
    let (logged, _, office) = dialled(Called::Silent);
    assert_eq!(logged.split(' ').next(), Some("NOANSWER"), "{}", office.ladder());
    let phone = office.find("102").unwrap();
    assert!(office.party(phone).unwrap().calls().is_empty());
}

#[test]
fn a_phone_may_redirect() {
    let mut office = office(PHONES);
    let to = vec!["103".to_owned()];
    let redirects = Called::Redirects { after: Duration::ZERO, code: 302, to };
    office.add_phone(Phone::new("102").called(redirects)).unwrap();
    let third =
        office.add_phone(Phone::new("103").called(Called::Answers { after: s(1) })).unwrap();
    let caller = office.call(Call::of_account("101", "102")).unwrap();
    office.run_for(s(2));
    assert_eq!(hears(&office, caller), Some(Heard::Party(third)), "{}", office.ladder());
    office.act(third, Act::Hangup).unwrap();
    assert_quiet(&mut office);
}

#[test]
fn whoever_answers_after_a_redirect_is_themselves_and_not_who_was_called() {
    let mut office = office(
        r#"
route("9", function(call)
  pbx.originate { to = "ext/102", run = function(call)
    log.info(call.account .. " is " .. call.from.user)
  end }
end)
"#,
    );
    let to = vec!["103".to_owned()];
    let redirects = Called::Redirects { after: Duration::ZERO, code: 302, to };
    office.add_phone(Phone::new("102").called(redirects)).unwrap();
    office.add_phone(Phone::new("103").called(Called::Answers { after: s(1) })).unwrap();
    office.call(Call::of_account("101", "9")).unwrap();
    office.run_for(s(5));
    assert_eq!(last_log(&office), "103 is 103", "{}", office.ladder());
}

#[test]
fn early_media_is_heard_before_the_answer() {
    let mut office = office(PHONES);
    let early = Called::EarlyMedia { answers_after: Some(s(3)) };
    let phone = office.add_phone(Phone::new("102").called(early)).unwrap();
    let caller = office.call(Call::of_account("101", "102")).unwrap();
    office.run_for(s(1));
    assert_eq!(hears(&office, caller), Some(Heard::Party(phone)));
    assert_eq!(call(&office, caller).state(), CallState::Calling);
    office.run_for(s(3));
    assert_eq!(call(&office, caller).state(), CallState::Talking);
    office.act(caller, Act::Hangup).unwrap();
    assert_quiet(&mut office);
}

#[test]
fn a_party_acts_at_times_after_the_answer() {
    let mut office = office(PHONES);
    let phone = Phone::new("102")
        .called(Called::Answers { after: Duration::ZERO })
        .then(s(2), Act::Hold)
        .then(s(4), Act::Resume)
        .then(s(6), Act::Hangup);
    let phone = office.add_phone(phone).unwrap();
    let caller = office.call(Call::of_account("101", "102")).unwrap();
    let mut heard = Vec::new();
    for _ in 0..4 {
        office.run_for(s(1));
        heard.push((hears(&office, caller).is_some(), hears(&office, phone).is_some()));
        office.run_for(s(1));
    }
    // On hold, the phone still could be heard, if it had music; it does not listen.
    assert_eq!(heard, [(true, true), (true, false), (true, true), (false, false)]);
    let ended = call(&office, caller).ended().unwrap();
    assert_eq!((ended.how, ended.at), (CallEnd::HungUpByOther, office.start() + s(6)));
    assert_quiet(&mut office);
}

#[test]
fn a_phone_in_a_call_is_busy_unless_it_waits() {
    for (second_call, expected) in
        [(SecondCall::Busy, "BUSY 486"), (SecondCall::Waits, "ANSWERED 200")]
    {
        let mut office = office(PHONES);
        let mut phone = Phone::new("102").called(Called::Answers { after: s(1) });
        phone.behaviour.second_call = second_call;
        office.add_phone(phone).unwrap();
        let first = office.call(Call::of_account("101", "102")).unwrap();
        office.run_for(s(2));
        let second = office.call(Call::of_account("103", "102")).unwrap();
        office.run_for(s(5));
        drop(office.act(second, Act::Hangup));
        office.act(first, Act::Hangup).unwrap();
        if second_call == SecondCall::Busy {
            assert_eq!(last_log(&office), expected, "{}", office.ladder());
        } else {
            assert_eq!(call(&office, second).status(), Some(200));
        }
        assert_quiet(&mut office);
    }
}

#[test]
fn keys_arrive_however_they_are_sent() {
    for keys in [Keys::Events, Keys::Tones, Keys::Info] {
        let mut office = office(
            r#"route("9", function(call)
                 call:answer()
                 log.info("got " .. tostring(call:read { max = 3, timeout = 5 }))
               end)"#,
        );
        let mut call = Call::new("17", "9");
        call.keys = keys;
        let caller = office.call(call).unwrap();
        office.run_for(s(1));
        office.act(caller, Act::Press("4*7".to_owned())).unwrap();
        office.run_for(s(5));
        assert_eq!(last_log(&office), "got 4*7", "{keys:?}\n{}", office.ladder());
        assert_quiet(&mut office);
    }
}

#[test]
fn somebody_who_vanishes_is_missed_sooner_or_later() {
    let mut office = office(PHONES);
    let phone = Phone::new("102").called(Called::Answers { after: s(1) }).then(s(2), Act::Vanish);
    let phone = office.add_phone(phone).unwrap();
    let caller = office.call(Call::of_account("101", "102")).unwrap();
    office.run_for(s(10));
    assert_eq!(hears(&office, caller), None, "no sound comes any more");
    assert_eq!(office.act(phone, Act::Hangup), Err(ActError::Vanished("102".to_owned())));
    office.act(caller, Act::Hangup).unwrap();
    assert_quiet(&mut office);
    // It comes back and does not know that the call is over.
    office.act(phone, Act::Return).unwrap();
    office.act(phone, Act::Hangup).unwrap();
    assert_quiet(&mut office);
}

#[test]
fn a_phone_registers_refreshes_and_goes() {
    let mut office = office(PHONES);
    let phone = office.add_phone(Phone::new("102").called(Called::busy())).unwrap();
    office.run_for(s(3 * 3_600));
    assert!(office.party(phone).unwrap().is_registered());
    assert_eq!(office.shelf().bindings.len(), 1);
    office.call(Call::of_account("101", "102")).unwrap();
    office.run_for(s(1));
    assert_eq!(last_log(&office), "BUSY 486");
    office.act(phone, Act::Unregister).unwrap();
    office.run_for(s(1));
    assert!(!office.party(phone).unwrap().is_registered());
    assert!(office.shelf().bindings.is_empty());
    office.call(Call::of_account("101", "102")).unwrap();
    office.run_for(s(1));
    assert!(last_log(&office).starts_with("CHANUNAVAIL"), "{}", last_log(&office));
    assert_quiet(&mut office);
}

#[test]
fn a_wrong_secret_does_not_register() {
    let mut office = office(PHONES);
    let phone = Phone { secret: Some("guessed".to_owned()), ..Phone::new("102") };
    let phone = office.add_phone(phone).unwrap();
    let registration = office.party(phone).unwrap().registration();
    assert_eq!(registration.until, None);
    assert!(registration.status.is_some_and(|status| status >= 400));
    assert!(office.ladder().contains("cannot register"), "{}", office.ladder());
    let unknown = office.add_phone(Phone::new("999"));
    assert_eq!(unknown, Err(ActError::NoSuchAccount("999".to_owned())));
}

#[test]
fn strangers_reach_public_routes_alone_and_trusted_networks_all() {
    let script = r#"
        route("0", { public = true }, function(call) call:answer() call:sleep(1) end)
        route("1", function(call) call:answer() call:sleep(1) end)
    "#;
    for (identity, to, expected) in [
        (Identity::Stranger, "0", 200),
        (Identity::Stranger, "1", 401),
        (Identity::Trusted, "1", 200),
        (Identity::Account("101".to_owned()), "1", 200),
    ] {
        let mut office = office(script);
        let caller = office.call(Call::new("17", to).by(identity.clone())).unwrap();
        office.run_for(s(5));
        assert_eq!(call(&office, caller).status(), Some(expected), "{identity:?} {to}");
        assert_quiet(&mut office);
    }
}

#[test]
fn what_a_caller_says_of_itself_reaches_the_script() {
    let mut office = office(
        r#"route("0", function(call)
             log.info(call.from.user .. "/" .. call.from.name .. "/" .. call.headers["X-Customer"])
             call:reject(480)
           end)"#,
    );
    let mut call = Call::new("+66 21", "0");
    call.display_name = "Anne \"A\" Li".to_owned();
    call.headers = vec![("X-Customer".to_owned(), "gold".to_owned())];
    office.call(call).unwrap();
    office.run_for(s(1));
    assert_eq!(last_log(&office), "+66 21/Anne \"A\" Li/gold");
    assert_quiet(&mut office);
}

#[test]
fn somebody_outside_is_found_by_host_and_number() {
    let script = r#"
        route("7X", function(call)
          local r = call:dial("sip:" .. call.to.user .. "@gw.example.org", { timeout = 10 })
          log.info(r.status)
        end)
        route("8", function(call)
          log.info(call:dial("sip:1@nowhere.example.org", { timeout = 10 }).status)
        end)
    "#;
    let mut office = office(script);
    let target = |uri: &str, called| Target {
        name: None,
        uri: uri.to_owned(),
        behaviour: Behaviour { called, ..Behaviour::default() },
        weather: None,
    };
    office.add_target(target("sip:gw.example.org", Called::busy())).unwrap();
    let answers = Called::Answers { after: s(1) };
    let one = office.add_target(target("sip:71@gw.example.org", answers)).unwrap();
    for (to, expected) in [("70", "BUSY"), ("71", "ANSWERED"), ("8", "CONGESTION")] {
        let caller = office.call(Call::new("17", to)).unwrap();
        office.run_for(s(3));
        if to == "71" {
            assert_eq!(hears(&office, caller), Some(Heard::Party(one)), "{}", office.ladder());
            office.act(one, Act::Hangup).unwrap();
            office.run_for(s(1));
        }
        assert_eq!(last_log(&office), expected, "{to}\n{}", office.ladder());
    }
    office.set_addresses("gw.example.org", Vec::new());
    office.call(Call::new("17", "70")).unwrap();
    office.run_for(s(1));
    assert_eq!(last_log(&office), "CONGESTION");
    assert_quiet(&mut office);
}

#[test]
fn an_offer_may_come_late_and_a_phone_may_use_tcp() {
    let mut office = office(PHONES);
    let phone = Phone {
        transport: sip_engine::Transport::Tcp,
        ..Phone::new("102").called(Called::Answers { after: s(1) })
    };
    let phone = office.add_phone(phone).unwrap();
    let mut late = Call::of_account("101", "102");
    late.offer = Offer::Late;
    let caller = office.call(late).unwrap();
    office.run_for(s(2));
    assert_eq!(hears(&office, caller), Some(Heard::Party(phone)), "{}", office.ladder());
    assert_eq!(hears(&office, phone), Some(Heard::Party(caller)));
    office.act(phone, Act::Hangup).unwrap();
    assert_quiet(&mut office);
}

#[test]
fn what_cannot_be_done_is_told() {
    let mut office = office(PHONES);
    let phone = office.add_phone(Phone::new("102")).unwrap();
    let name = || "102".to_owned();
    assert_eq!(office.act(phone, Act::Answer), Err(ActError::NotRinging(name())));
    assert_eq!(office.act(phone, Act::Hangup), Err(ActError::NoCall(name())));
    assert_eq!(office.act(phone, Act::Press("1".to_owned())), Err(ActError::NoCall(name())));
    let caller = office.call(Call::of_account("101", "102")).unwrap();
    assert_eq!(office.act(caller, Act::Say(s(1))), Err(ActError::NoSound("101".to_owned())));
    let wrong = office.act(phone, Act::Reject { code: 200, reason: None }).unwrap_err();
    assert_eq!(wrong.to_string(), "200 is no code to refuse with; use 400 to 699");
    office.act(phone, Act::Answer).unwrap();
    assert_eq!(office.act(phone, Act::Press("1x".to_owned())), Err(ActError::Key('x')));
    let other = PartyId(99);
    assert_eq!(office.act(other, Act::Hush), Err(ActError::NoSuchParty));
    assert!(
        office
            .add_target(Target {
                name: None,
                uri: "gw.example.org".to_owned(),
                behaviour: Behaviour::default(),
                weather: None,
            })
            .is_err()
    );
    let left = office.finish();
    assert!(left.contains(&"102 is still in a call".to_owned()), "{left:?}");
    office.act(caller, Act::Hangup).unwrap();
    assert_quiet(&mut office);
}

#[test]
fn a_message_is_heard_in_the_voice_of_who_left_it() {
    let mut office = office(
        r#"
        route("2", function(call) call:voicemail("102") end)
        route("*97", function(call) call:mailbox("102") end)
        "#,
    );
    let caller = office.call(Call::new("+6621234567", "2")).unwrap();
    wait_for(&mut office, caller, &Heard::Tone("beep".into()));
    office.run_for(s(1));
    office.act(caller, Act::Say(s(4))).unwrap();
    office.run_for(s(4));
    office.act(caller, Act::Hangup).unwrap();
    office.run_for(s(1));
    let message = &office.shelf().messages[0].1;
    assert!(message.length.abs_diff(Duration::from_millis(4_600)) <= Duration::from_millis(20));
    let owner = office.call(Call::of_account("102", "*97")).unwrap();
    office.run_for(s(2));
    office.act(owner, Act::Press("4711#".to_owned())).unwrap();
    office.run_until_that(s(30), |office| {
        hears(office, owner) == Some(Heard::Prompt("en/vm/main-menu".into()))
    });
    office.act(owner, Act::Press("1".to_owned())).unwrap();
    wait_for(&mut office, owner, &Heard::Recording(Some(caller)));
    office.act(owner, Act::Hangup).unwrap();
    assert_quiet(&mut office);
}

#[test]
fn a_broken_store_and_a_taken_port_are_part_of_life() {
    let mut office = office(r#"route("2", function(call) log.info(call:voicemail("102")) end)"#);
    office.shelf_mut().broken = true;
    office.call(Call::new("17", "2")).unwrap();
    office.run_for(s(30));
    assert_eq!(last_log(&office), "FAILED", "{}", office.ladder());
    office.shelf_mut().broken = false;
    for port in (20_000..21_000).step_by(2) {
        office.take_port(port);
    }
    let caller = office.call(Call::new("17", "2")).unwrap();
    office.run_for(s(5));
    let ended = call(&office, caller).ended().unwrap();
    assert_eq!((ended.how, ended.at), (CallEnd::HungUpByOther, office.start() + s(30)));
    assert_quiet(&mut office);
}

#[test]
fn a_reload_serves_new_calls_and_keeps_the_old_scripts_if_it_is_wrong() {
    let mut office = office(r#"route("1", function(call) call:reject(480) end)"#);
    let sources = |text: &str| dialplan::Sources {
        files: BTreeMap::from([("main.lua".to_owned(), text.to_owned())]),
    };
    let sounds = setup("").sounds;
    let wrong =
        office.reload(sources("route('1', function(call) call:anser() end)"), sounds.clone());
    assert!(wrong.unwrap_err()[0].to_string().contains("anser"));
    let caller = office.call(Call::new("17", "1")).unwrap();
    office.run_for(s(1));
    assert_eq!(call(&office, caller).status(), Some(480));
    office.reload(sources("route('1', function(call) call:reject(404) end)"), sounds).unwrap();
    let caller = office.call(Call::new("17", "1")).unwrap();
    office.run_for(s(1));
    assert_eq!(call(&office, caller).status(), Some(404));
    assert_quiet(&mut office);
}

#[test]
fn the_clock_on_the_wall_shows_any_time() {
    let script = r#"route("1", function(call)
        log.info(time.open("mon-fri 08:30-17:30") and "open" or "closed")
        call:reject(480)
    end)"#;
    for (wall, expected) in [("2026-12-24T22:10:00Z", "closed"), ("2026-12-24T10:00:00Z", "open")] {
        let mut office = office_with(script, |setup| setup.wall = wall.parse().unwrap());
        office.call(Call::new("17", "1")).unwrap();
        office.run_for(s(1));
        assert_eq!(last_log(&office), expected);
        assert!(office.run_until_wall("2026-12-25T09:00:00Z".parse().unwrap()));
        assert_eq!(office.wall().strftime("%F %T").to_string(), "2026-12-25 09:00:00");
        assert!(!office.run_until_wall("2026-12-25T08:00:00Z".parse().unwrap()));
        assert_quiet(&mut office);
    }
}

#[test]
fn an_office_may_be_reached_by_ipv6_alone() {
    let script = r#"route("1XX", function(call) call:dial("ext/102", { timeout = 5 }) end)"#;
    let mut office = office_with(script, |setup| {
        setup.config.listeners = vec![pbx::Listener {
            transport: sip_engine::Transport::Udp,
            address: "[2001:db8::1]:5060".parse().unwrap(),
        }];
    });
    let answers = Called::Answers { after: s(1) };
    let phone = office.add_phone(Phone::new("102").called(answers)).unwrap();
    for (identity, expected) in [(Identity::Trusted, 200), (Identity::Stranger, 401)] {
        let caller = office.call(Call::new("17", "102").by(identity)).unwrap();
        office.run_for(s(2));
        assert_eq!(call(&office, caller).status(), Some(expected), "{}", office.ladder());
        if expected == 200 {
            assert_eq!(hears(&office, caller), Some(Heard::Party(phone)));
            office.act(caller, Act::Hangup).unwrap();
        }
    }
    let tcp = Phone { transport: sip_engine::Transport::Tcp, ..Phone::new("103") };
    let no_listener = ActError::NoListener(sip_engine::Transport::Tcp);
    assert_eq!(office.add_phone(tcp), Err(no_listener));
    assert_quiet(&mut office);
}

#[test]
fn acts_may_be_planned_and_behaviour_changed() {
    let mut office = office(PHONES);
    let phone = office.add_phone(Phone::new("102")).unwrap();
    let busy = Behaviour { called: Called::busy(), ..Behaviour::default() };
    office.set_behaviour(phone, busy).unwrap();
    office.call(Call::of_account("101", "102")).unwrap();
    assert_eq!(last_log(&office), "BUSY 486");
    office.set_behaviour(phone, Behaviour::default()).unwrap();
    let caller = office.call(Call::of_account("101", "102")).unwrap();
    office.act_after(phone, s(2), Act::Progress).unwrap();
    office.act_after(phone, s(3), Act::Answer).unwrap();
    office.act_after(phone, s(4), Act::Answer).unwrap();
    office.run_for(s(2));
    assert_eq!(hears(&office, caller), Some(Heard::Party(phone)));
    assert_eq!(call(&office, caller).state(), CallState::Calling);
    office.run_for(s(3));
    assert_eq!(call(&office, caller).answered_at(), Some(office.start() + s(3)));
    let body = Some(("text/plain".to_owned(), "hello".to_owned()));
    let headers = vec![("X-Mark".to_owned(), "7".to_owned())];
    office.act(phone, Act::Send { method: "OPTIONS".to_owned(), headers, body }).unwrap();
    office.run_for(s(1));
    let sent = |method: &str| {
        let requests =
            office.messages(phone).filter_map(|(_, traffic)| match traffic.message()? {
                sip_syntax::Message::Request(request) => Some(request),
                sip_syntax::Message::Response(_) => None,
            });
        let mut requests = requests.filter(|request| request.method().to_string() == method);
        requests.next().unwrap()
    };
    let options = sent("OPTIONS");
    assert_eq!(options.header_named(b"X-Mark").unwrap().as_ref(), b"7");
    assert_eq!(options.body(), b"hello");
    office.act(phone, Act::Hangup).unwrap();
    assert_quiet(&mut office);
}

#[test]
fn speech_can_be_cut_short() {
    let mut office = office(
        r#"route("2", function(call)
             call:answer()
             local r = call:record { name = "note", silence = 2, max = 30, beep = false }
             log.info("recorded " .. r.ms)
           end)"#,
    );
    let caller = office.call(Call::new("17", "2")).unwrap();
    office.act(caller, Act::Say(s(10))).unwrap();
    office.run_for(s(3));
    office.act(caller, Act::Hush).unwrap();
    office.run_for(s(5));
    let logged = last_log(&office);
    let ms: u64 = logged.strip_prefix("recorded ").unwrap().parse().unwrap();
    assert!(ms.abs_diff(3_000) <= 20 || ms.abs_diff(5_000) <= 20, "{logged}");
    assert_quiet(&mut office);
}

#[test]
fn whom_the_exchange_calls_by_itself_is_a_party_like_others() {
    let script = r#"
        route("0", function(call)
          call:answer()
          local leg = pbx.originate { to = "ext/102", timeout = 10 }
          log.info(leg.status)
          call:play("closed")
          call:bridge(leg)
        end)
    "#;
    let mut office = office(script);
    let answers = Called::Answers { after: s(2) };
    let phone = office.add_phone(Phone::new("102").called(answers)).unwrap();
    let caller = office.call(Call::new("17", "0")).unwrap();
    office.run_for(s(3));
    assert_eq!(last_log(&office), "ANSWERED");
    assert_eq!(hears(&office, caller), Some(Heard::Prompt("en/closed".into())));
    assert_eq!(hears(&office, phone), None);
    office.run_for(s(2));
    assert_eq!(hears(&office, caller), Some(Heard::Party(phone)), "{}", office.ladder());
    assert_eq!(hears(&office, phone), Some(Heard::Party(caller)));
    office.act(phone, Act::Hangup).unwrap();
    assert_quiet(&mut office);
}

#[test]
fn calls_under_way_keep_the_prompts_of_their_dialplan() {
    let script = r#"route("1", function(call) call:play("closed") call:play("welcome") end)"#;
    let mut office = office(script);
    let old = office.call(Call::new("17", "1")).unwrap();
    let other = setup(script);
    office.reload(other.sources, other.sounds).unwrap();
    let new = office.call(Call::new("18", "1")).unwrap();
    office.run_for(s(3));
    for party in [old, new] {
        assert_eq!(hears(&office, party), Some(Heard::Prompt("en/welcome".into())));
    }
    assert_quiet(&mut office);
}

#[test]
fn a_text_that_is_spoken_is_heard_as_that_text() {
    let mut office = office(r#"route("1", function(call) call:mailbox("102") end)"#);
    let (hello, bye) = (office.speech("Hello there"), office.speech("Bye"));
    assert_eq!(hello.len(), 11 * 70 * 8, "as long as it takes to say it");
    assert_ne!(hello[0], bye[0]);
    assert_eq!(office.speech("Hello there"), hello);
    // Somebody left it as a message.
    let message = pbx::records::MessageRecord {
        sound: pbx::records::SoundId(7),
        caller: "17".to_owned(),
        caller_name: String::new(),
        received_at: pbx::records::UnixMs(0),
        length: s(1),
        heard: false,
    };
    office.shelf_mut().messages.push(("102".to_owned(), message, Arc::new(hello)));
    let owner = office.call(Call::of_account("102", "1")).unwrap();
    office.run_for(s(2));
    office.act(owner, Act::Press("4711#".to_owned())).unwrap();
    office.run_for(s(20));
    office.act(owner, Act::Press("1".to_owned())).unwrap();
    wait_for(&mut office, owner, &Heard::Speech("Hello there".into()));
    assert!(office.ladder().contains("\"Hello there\""), "{}", office.ladder());
    office.act(owner, Act::Hangup).unwrap();
    assert_quiet(&mut office);
}
