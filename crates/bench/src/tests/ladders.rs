//! What the author of a failing test sees.

use super::*;

#[test]
fn the_same_seed_gives_the_same_ladder_byte_for_byte() {
    let run = |seed: u64| {
        let script = r#"
            route("1XX", function(call)
              local r = call:dial({ "ext/" .. call.to.user, "ext/103" }, { timeout = 10 })
              if r.status ~= "ANSWERED" then call:voicemail("102") end
            end)
        "#;
        let mut office = office_with(script, |setup| {
            setup.seed = seed;
            setup.weather = Weather { loss_percent: 10, ..Weather::stormy() };
        });
        office
            .add_phone(Phone::new("102").called(Called::Refuses {
                after: s(3),
                code: 480,
                reason: None,
            }))
            .unwrap();
        office.add_phone(Phone::new("103")).unwrap();
        let caller = office.call(Call::of_account("101", "102")).unwrap();
        office.run_for(s(30));
        drop(office.act(caller, Act::Say(s(3))));
        office.run_for(s(5));
        drop(office.act(caller, Act::Hangup));
        assert_quiet(&mut office);
        let mut bytes: Vec<u8> = Vec::new();
        for happening in office.happenings() {
            if let What::Sip(traffic) = &happening.what {
                bytes.extend(&traffic.bytes);
            }
        }
        (office.ladder(), bytes)
    };
    for seed in 1..6 {
        assert_eq!(run(seed), run(seed));
    }
    assert_ne!(run(1).0, run(2).0);
}

#[test]
fn a_ladder_that_grows_shows_what_came_since_under_the_same_columns() {
    let script = r#"
        route("1", function(call)
          call:answer()
          call:play("welcome")
          log.info("not to be shown")
          call:play("closed")
          call:dial("ext/102")
        end)
    "#;
    let mut office = office(script);
    office.add_phone(Phone::new("102")).unwrap();
    let caller = office.call(Call::of_account("101", "1")).unwrap();
    office.run_for(s(1));
    let before = office.happenings().len();
    let is_log = |what: &What| matches!(what, What::Exchange(pbx::Notice::Script { .. }));
    let shown = |happening: &Happening| !is_log(&happening.what);
    let first = office.ladder_since(0, shown);
    office.run_for(s(4));
    let second = office.ladder_since(before, shown);
    assert_eq!(office.party(caller).unwrap().name(), "101");
    assert!(first.lines.contains("hears welcome"), "{}", first.lines);
    assert!(!second.lines.contains("INVITE 1 "), "{}", second.lines);
    assert!(second.lines.starts_with("   2.000"), "{}", second.lines);
    assert!(second.lines.contains("hears closed"), "{}", second.lines);
    assert!(!second.lines.contains("not to be shown"), "{}", second.lines);
    assert!(!first.heads.contains("102") && second.heads.contains("102"), "{}", second.heads);
    assert_eq!(office.ladder_since(office.happenings().len(), shown).lines, "");
    let whole = office.ladder();
    let (_, whole) = whole.split_once('\n').unwrap();
    let everything = office.ladder_since(0, |_| true);
    assert_eq!(format!("{}{}", everything.heads, everything.lines), whole);
}

/// Compares a ladder with what is expected, apart from the line with the date.
#[track_caller]
fn check(office: &Office, expected: &str) {
    let ladder = office.ladder();
    let (date, drawn) = ladder.split_once('\n').unwrap();
    assert_eq!(date, "Begins Monday, 2026-11-23 10:00:00.");
    assert!(drawn.lines().all(|line| line.chars().count() <= 100), "too wide\n{ladder}");
    let expected = expected.trim_matches('\n');
    assert!(
        drawn.trim_end() == expected.trim_end(),
        "--- drawn\n{drawn}\n--- expected\n{expected}\n"
    );
}

#[test]
fn a_caller_and_the_exchange() {
    let mut office = office(
        r#"route("9", function(call)
             call:play("closed")
             local digits = call:read { prompt = "welcome", max = 2, timeout = 3 }
             log.info("typed " .. digits)
             local r = call:record { name = "note", silence = 2 }
             local nothing
             nothing.x = 1
           end)"#,
    );
    let caller = office.call(Call::new("17", "9")).unwrap();
    office.run_for(s(3));
    office.act(caller, Act::Press("42".to_owned())).unwrap();
    office.run_for(s(2));
    office.act(caller, Act::Say(s(3))).unwrap();
    office.run_for(s(10));
    check(
        &office,
        r"
            17                         exchange
   0.000     │───────── INVITE 9 ─────────>│
             │<── 183 Session Progress ────│
             │ hears closed, welcome       │
   3.000     │ presses 42                  │
             │ hears nothing               │
   3.200     │<───────── 200 OK ───────────│
             │ hears beep                  │ logs: typed 42 (scripts/main.lua:4)
             │──────────── ACK ───────────>│
   3.600     │ hears nothing               │
   5.000     │ speaks for 3 s              │
  10.100     │<─────────── BYE ────────────│
             │                             │ script fails: scripts/main.lua:7: attempt to index a
             │                             │ nil value (local 'nothing')
",
    );
}

#[test]
fn what_is_answered_the_moment_it_begins_was_heard() {
    let mut office = office(
        r#"route("9", function(call)
             call:answer()
             call:read { prompt = "welcome", max = 1 }
             call:play("closed")
           end)"#,
    );
    let caller = office.call(Call::new("17", "9")).unwrap();
    assert!(office.run_until_that(s(1), |office| hears(office, caller).is_some()));
    office.act(caller, Act::Press("4".to_owned())).unwrap();
    office.run_for(s(1));
    check(
        &office,
        r"
            17                         exchange
   0.000     │───────── INVITE 9 ─────────>│
             │<───────── 200 OK ───────────│
             │ hears welcome               │
             │──────────── ACK ───────────>│
             │ presses 4                   │
             │ hears closed                │
",
    );
}

#[test]
fn six_parties_fit_the_page() {
    let script = r#"
        route("support", function(call)
          call:queued { place = 2, music = "music/evening" }
          call:sleep(3)
          call:queued { place = 1 }
          call:sleep(2)
          call:dial({ "ext/101", "ext/102", "ext/103", "ext/104" }, { timeout = 10 })
        end)
    "#;
    let mut office = office(script);
    let refuses = |after, code| Called::Refuses { after, code, reason: None };
    office.add_phone(Phone::new("101").called(Called::busy())).unwrap();
    office.add_phone(Phone::new("102").called(refuses(s(3), 480))).unwrap();
    office.add_phone(Phone::new("103").called(Called::Answers { after: s(4) })).unwrap();
    office.add_phone(Phone::new("104")).unwrap();
    let caller = office.call(Call::new("+6621234567", "support")).unwrap();
    office.run_for(s(12));
    office.act(caller, Act::Hangup).unwrap();
    check(
        &office,
        r"
          +6621234567   exchange          101            102            103            104
   0.000     │─────────────>│ INVITE support              │              │              │
             │<─────────────│ 182 Queued, place 2         │              │              │
             │ hears music/evening         │              │              │              │
   3.000     │<─────────────│ 182 Queued, place 1         │              │              │
   5.000     │              │─────────────>│ INVITE 101   │              │              │
             │              │──────── INVITE 102 ────────>│              │              │
             │              │──────────────── INVITE 103 ───────────────>│              │
             │              │─────────────────────── INVITE 104 ───────────────────────>│
             │              │<─────────────│ 486 Busy Here               │              │
             │              │<─────── 180 Ringing ────────│              │              │
             │              │<────────────── 180 Ringing ────────────────│              │
             │              │<────────────────────── 180 Ringing ───────────────────────│
             │<─────────────│ 180 Ringing  │              │              │              │
             │<─────────────│ 180 Ringing again           │              │              │
             │<─────────────│ 180 Ringing again           │              │              │
   8.000     │              │<────────────────────────────│ 480 Temporarily Unavailable │
   9.000     │              │<───────────────── 200 OK ──────────────────│              │
             │              │─────────────────── ACK ───────────────────>│              │
             │<── 200 OK ───│              │              │              │              │
             │              │──────────── CANCEL (Call completed elsewhere) ───────────>│
             │ hears 103    │              │              │              │ hears +6621234567
             │──── ACK ────>│              │              │              │              │
             │              │<──────────────── 487 Request Terminated ──────────────────│
  12.000     │──── BYE ────>│              │              │              │              │
             │              │─────────────────── BYE ───────────────────>│              │
",
    );
}

#[test]
fn what_is_lost_or_late_shows() {
    let script = r#"route("1", function(call) call:dial("ext/102", { timeout = 20 }) end)"#;
    let mut office = office(script);
    let answers = Called::Answers { after: s(1) };
    let weather = Some(Weather { loss_percent: 40, jitter: s(1), ..Weather::calm() });
    let phone = Phone { registers: Registers::Later, weather, ..Phone::new("102").called(answers) };
    let phone = office.add_phone(phone).unwrap();
    office.act(phone, Act::Register).unwrap();
    office.run_for(s(30));
    let caller = office.call(Call::new("17", "1")).unwrap();
    office.run_for(s(20));
    office.act(caller, Act::Hangup).unwrap();
    office.run_for(s(3));
    check(
        &office,
        r"
            17                         exchange                         102
  30.000     │───────── INVITE 1 ─────────>│                             │
             │                             │──── INVITE 102 (+93 ms) ───>│
  30.093     │                             │ x─── 180 Ringing, lost ─────│
  30.500     │  INVITE 102 again (+173 ms) │────────────────────────────>│
  30.673     │  180 Ringing again (+0.4 s) │<────────────────────────────│
  31.081     │<─────── 180 Ringing ────────│                             │
             │ hears ringing               │                             │
  31.093     │                             │<───── 200 OK (+92 ms) ──────│
  31.186     │                             │───────── ACK, lost ───────x │
             │<───────── 200 OK ───────────│                             │
             │ hears 102 (7.2 s lost)      │                             │ hears 17 (7.4 s lost)
             │──────────── ACK ───────────>│                             │
  31.593     │                             │<── 200 OK again (+0.8 s) ───│
  32.368     │                             │──── ACK again (+0.6 s) ────>│
  32.593     │                             │ x── 200 OK again, lost ─────│
  50.000     │                             │                             │ hears nothing
             │──────────── BYE ───────────>│                             │
             │                             │───────── BYE, lost ───────x │
  50.500     │                             │────── BYE again, lost ────x │
  51.500     │                             │────── BYE again, lost ────x │
",
    );
}

#[test]
fn a_crowd_is_told_in_lines() {
    let mut office = office(r#"route("1", function(call) call:reject(480) end)"#);
    for _ in 0..11 {
        office.call(Call::new("17", "1")).unwrap();
    }
    let ladder = office.ladder();
    assert!(ladder.contains("   0.000  17 #11 -> exchange: INVITE 1\n"), "{ladder}");
    assert!(ladder.contains("exchange -> 17 #3: 480 Temporarily Unavailable\n"), "{ladder}");
}

#[test]
fn a_bye_of_the_exchange_is_not_taken_for_the_challenged_request_of_the_same_number() {
    let mut office = office("route('1', function(call) call:answer() end)");
    office.call(Call::of_account("101", "1")).unwrap();
    office.run_for(s(1));
    assert!(office.ladder().contains("<─────────── BYE ────────────│"), "{}", office.ladder());
}

#[test]
fn what_a_handler_leaves_undone_or_does_at_a_cost_shows_beside_the_exchange() {
    let mut office = office(
        r#"route("1", function(call)
             call:on_hangup(function() error("too late") end)
             for _ = 1, 1500000 do local x = 1 end
             spawn(function() nothing.x = 1 end)
             call:sleep(1)
           end)"#,
    );
    office.call(Call::new("17", "1")).unwrap();
    office.run_for(s(10));
    check(
        &office,
        r#"
            17                         exchange
   0.000     │───────── INVITE 1 ─────────>│
             │                             │ computes for long: 3,000,000 of 5,000,000 instructions
             │                             │ between two verbs (scripts/main.lua:3)
             │                             │ a spawned function failed: scripts/main.lua:4: attempt
             │                             │ to index a nil value (global 'nothing')
   1.000     │<────────────────────────────│ 480 Temporarily Unavailable
             │                             │ warns: the handler of "1" ended without answering,
             │                             │ rejecting or redirecting (scripts/main.lua:1)
             │                             │ at the end of the call: scripts/main.lua:2: too late
"#,
    );
}

#[test]
fn what_other_programs_ask_of_the_scripts_shows() {
    let script = r#"
        webhook("/click", function(request) sleep(1) return { status = 202, body = "!" } end)
    "#;
    let mut office = office(script);
    let request = pbx::WebRequest {
        method: "POST".to_owned(),
        path: "/click".to_owned(),
        query: Vec::new(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    office.ask(request, pbx::WebTrust::Proven);
    office.run_for(s(2));
    check(
        &office,
        r"
          exchange
   0.000     │ is asked POST /click
   1.000     │ answers 202, 1 byte
",
    );
}

#[test]
fn scripts_that_cannot_be_loaded_are_told_with_their_mistakes() {
    let mut office = office("route('1', function(call) call:answer() end)");
    let sounds = std::sync::Arc::clone(&setup("").sounds);
    let text = "route('1', function(call) call:play('nothing') call:play('nobody') end)";
    let files = [("main.lua".to_owned(), text.to_owned())].into();
    office.reload(dialplan::Sources { files }, sounds).unwrap_err();
    let ladder = office.ladder();
    let told = "keeps the old scripts: scripts/main.lua:1: call:play: no prompt \"nothing\"";
    assert!(ladder.contains(told), "{ladder}");
}

#[test]
fn what_gets_lost_of_the_sound_shows_where_it_is_heard() {
    let script = r#"
        route("1", function(call)
          call:answer()
          call:play("welcome")
          call:dial("ext/102")
        end)
    "#;
    let mut office = office(script);
    // Over TCP, messages arrive whatever the network does.
    let weather = Some(Weather { loss_percent: 30, ..Weather::calm() });
    let answers = Called::Answers { after: s(1) };
    let phone = Phone { weather, transport: sip_engine::Transport::Tcp, ..Phone::new("102") };
    office.add_phone(phone.called(answers)).unwrap();
    let caller = office.call(Call::of_account("101", "1")).unwrap();
    office.run_for(s(13));
    office.act(caller, Act::Hangup).unwrap();
    check(
        &office,
        r"
            101                        exchange                         102
   0.000     │───────── INVITE 1 ─────────>│                             │
             │<───────── 200 OK ───────────│                             │
             │ hears welcome               │                             │
             │──────────── ACK ───────────>│                             │
   2.000     │                             │──────── INVITE 102 ────────>│
             │                             │<─────── 180 Ringing ────────│
             │ hears ringback              │                             │
   3.000     │                             │<───────── 200 OK ───────────│
             │                             │──────────── ACK ───────────>│
             │ hears 102 (2.8 s lost)      │                             │ hears 101 (2.8 s lost)
  13.000     │──────────── BYE ───────────>│                             │
             │                             │──────────── BYE ───────────>│
",
    );
}

#[test]
fn what_goes_round_and_round_is_drawn_a_few_times() {
    let script = r#"
        route("1", function(call)
          call:answer()
          while true do call:play("welcome") end
        end)
        route("2", function(call)
          for _ = 1, 9 do call:dial("ext/102") call:sleep(1) end
          call:busy()
        end)
    "#;
    let mut office = office(script);
    office.call(Call::new("17", "1")).unwrap();
    office.run_for(s(13));
    check(
        &office,
        r"
            17                         exchange
   0.000     │───────── INVITE 1 ─────────>│
             │<───────── 200 OK ───────────│
             │ hears welcome               │
             │──────────── ACK ───────────>│
   2.000     │ hears welcome (6 times)     │
",
    );
    let mut office = self::office(script);
    office.add_phone(Phone::new("102").called(Called::busy())).unwrap();
    office.call(Call::new("17", "2")).unwrap();
    office.run_for(s(13));
    check(
        &office,
        r"
            17                         exchange                         102
   0.000     │───────── INVITE 2 ─────────>│                             │
             │                             │──────── INVITE 102 ────────>│
             │                             │<────── 486 Busy Here ───────│
   1.000     │                             │──────── INVITE 102 ────────>│
             │                             │<────── 486 Busy Here ───────│
   2.000     │ ⋮ the same 7 times more, for the last time at 8.000       │
   9.000     │<────── 486 Busy Here ───────│                             │
",
    );
}
