//! Phones that transfer, as everybody involved sees it.

use super::*;

const PHONES: &str = r#"
route("1XX", function(call)
  if call.transferred_by then
    log.info("by " .. call.transferred_by .. " as " .. call.account .. " from " .. call.from.user)
  end
  call:on_hangup(function(cause) log.info(call.to.user .. ": " .. cause) end)
  local r = call:dial("ext/" .. call.to.user, { timeout = 20 })
  log.info(call.to.user .. ": " .. r.status .. " " .. r.code)
end)
route("900", function(call)
  call:answer()
  call:play("music/evening", { loop = true })
end)
route("0", { public = true }, function(call) call:dial("ext/102") end)
route("00", { public = true }, function(call) call:dial("ext/103") end)
"#;

/// 102, which answers at once, and 103, which does this; and 101, which talks with 102.
struct Scene {
    office: Office,
    alice: PartyId,
    bob: PartyId,
    carol: PartyId,
}

fn scene(called: Called) -> Scene {
    scene_of(PHONES, called, Call::of_account("101", "102"))
}

fn scene_of(script: &str, called: Called, call: Call) -> Scene {
    let mut office = office(script);
    let answers = Called::Answers { after: Duration::ZERO };
    let bob = office.add_phone(Phone::new("102").called(answers)).unwrap();
    let carol = office.add_phone(Phone::new("103").called(called)).unwrap();
    let alice = office.call(call).unwrap();
    wait_for(&mut office, alice, &Heard::Party(bob));
    Scene { office, alice, bob, carol }
}

impl Scene {
    fn transfer(&mut self, who: PartyId, to: &str) {
        self.office.act(who, Act::Transfer { to: to.to_owned() }).unwrap();
    }

    /// What the transferor was told last.
    fn told(&self, who: PartyId) -> String {
        let told = call(&self.office, who).transfer_told();
        told.unwrap_or_default().trim_end().trim_start_matches("SIP/2.0 ").to_owned()
    }

    #[track_caller]
    fn assert_talking(&self, one: PartyId, other: PartyId) {
        let ladder = self.office.ladder();
        assert_eq!(hears(&self.office, one), Some(Heard::Party(other)), "{ladder}");
        assert_eq!(hears(&self.office, other), Some(Heard::Party(one)), "{ladder}");
    }

    fn logs(&self) -> Vec<String> {
        let lines = self.office.notices().filter_map(|(_, notice)| match notice {
            pbx::Notice::Script { text, .. } => Some(text.clone()),
            _ => None,
        });
        lines.collect()
    }

    /// Every transfer: who, whom, where, and what came of it.
    fn transfers(&self) -> Vec<String> {
        let notes = self.office.notices().filter_map(|(_, notice)| match notice {
            pbx::Notice::Transferred(note) => {
                Some(format!("{} sends {} to {}: {}", note.by, note.who, note.to, note.status))
            }
            _ => None,
        });
        notes.collect()
    }

    /// How each call ended, the first over first.
    fn records(&self) -> Vec<String> {
        let records = self.office.notices().filter_map(|(_, notice)| match notice {
            pbx::Notice::CallOver(record) => {
                Some(format!("{} to {}: {}", record.from, record.to, record.ending))
            }
            _ => None,
        });
        records.collect()
    }
}

fn after(seconds: u64) -> Called {
    Called::Answers { after: s(seconds) }
}

fn refuses(code: u16) -> Called {
    Called::Refuses { after: s(2), code, reason: None }
}

#[test]
fn a_callee_sends_its_caller_on() {
    let mut scene = scene(after(3));
    let Scene { alice, bob, carol, .. } = scene;
    scene.transfer(bob, "103");
    scene.office.run_for(s(1));
    assert_eq!(scene.told(bob), "180 Ringing", "{}", scene.office.ladder());
    assert_eq!(
        hears(&scene.office, alice),
        Some(Heard::Tone("ringback".into())),
        "{}",
        scene.office.ladder()
    );
    scene.office.run_for(s(3));
    assert_eq!(scene.told(bob), "200 OK", "{}", scene.office.ladder());
    scene.assert_talking(alice, carol);
    assert!(!call(&scene.office, bob).is_over(), "it has time to hang up by itself");
    scene.office.run_for(s(2));
    assert_eq!(call(&scene.office, bob).ended().unwrap().how, CallEnd::HungUpByOther);
    scene.assert_talking(alice, carol);
    scene.office.act(carol, Act::Hangup).unwrap();
    assert_quiet(&mut scene.office);
    assert_eq!(scene.transfers(), ["102 sends 101 to 103: 200"]);
    assert_eq!(
        scene.records(),
        ["101 to 102: transferred to 103", "101 to 103: script ended"],
        "{}",
        scene.office.ladder()
    );
    assert_eq!(
        scene.logs(),
        [
            "by 102 as 102 from 101",
            "102: transferred to 103",
            "103: ANSWERED 200",
            "103: script ended"
        ]
    );
}

#[test]
fn a_caller_sends_its_callee_on() {
    let mut scene = scene(after(1));
    let Scene { alice, bob, carol, .. } = scene;
    scene.transfer(alice, "103");
    scene.office.run_for(s(4));
    assert_eq!(scene.told(alice), "200 OK", "{}", scene.office.ladder());
    scene.assert_talking(bob, carol);
    assert_eq!(call(&scene.office, alice).ended().unwrap().how, CallEnd::HungUpByOther);
    scene.office.act(bob, Act::Hangup).unwrap();
    assert_quiet(&mut scene.office);
    assert_eq!(scene.transfers(), ["101 sends 102 to 103: 200"]);
    assert_eq!(scene.records(), ["101 to 102: transferred to 103", "102 to 103: caller hung up"]);
    assert_eq!(scene.logs()[0], "by 101 as 101 from 102");
}

#[test]
fn who_cannot_be_reached_leaves_the_two_as_they_were() {
    for by_callee in [true, false] {
        let mut scene = scene(refuses(486));
        let Scene { alice, bob, .. } = scene;
        let by = if by_callee { bob } else { alice };
        scene.transfer(by, "103");
        scene.office.run_for(s(4));
        assert_eq!(scene.told(by), "486 Busy Here", "{}", scene.office.ladder());
        scene.assert_talking(alice, bob);
        scene.office.act(alice, Act::Press("5".to_owned())).unwrap();
        scene.office.act(bob, Act::Hangup).unwrap();
        assert_quiet(&mut scene.office);
        assert_eq!(scene.logs().last().unwrap(), "102: script ended");
        assert!(scene.transfers()[0].ends_with("to 103: 486"));
    }
}

#[test]
fn a_number_that_nobody_has_is_told() {
    let mut scene = scene(after(1));
    let Scene { alice, bob, .. } = scene;
    for (to, told) in [("777", "404 Not Found"), ("10", "484 Address Incomplete")] {
        scene.transfer(bob, to);
        scene.office.run_for(s(1));
        assert_eq!(scene.told(bob), told, "{}", scene.office.ladder());
        scene.assert_talking(alice, bob);
    }
    scene.office.act(alice, Act::Hangup).unwrap();
    assert_quiet(&mut scene.office);
}

#[test]
fn who_hangs_up_while_it_rings_has_transferred_all_the_same() {
    for by_callee in [true, false] {
        let mut scene = scene(after(3));
        let Scene { alice, bob, carol, .. } = scene;
        let (by, other) = if by_callee { (bob, alice) } else { (alice, bob) };
        scene.transfer(by, "103");
        scene.office.run_for(s(1));
        scene.office.act(by, Act::Hangup).unwrap();
        scene.office.run_for(s(3));
        scene.assert_talking(other, carol);
        scene.office.act(carol, Act::Hangup).unwrap();
        assert_quiet(&mut scene.office);
        assert_eq!(scene.records()[0], "101 to 102: transferred to 103");
        assert!(scene.transfers()[0].ends_with("to 103: 200"));
    }
}

#[test]
fn nobody_is_left_when_the_transferor_is_gone_and_the_target_refuses() {
    let mut scene = scene(refuses(603));
    let Scene { alice, bob, .. } = scene;
    scene.transfer(bob, "103");
    scene.office.act(bob, Act::Hangup).unwrap();
    scene.office.run_for(s(4));
    assert!(call(&scene.office, alice).is_over(), "{}", scene.office.ladder());
    assert_quiet(&mut scene.office);
    assert!(scene.transfers()[0].ends_with("to 103: 603"));
}

#[test]
fn who_is_transferred_may_hang_up_while_it_rings() {
    for by_callee in [true, false] {
        let mut scene = scene(Called::Rings);
        let Scene { alice, bob, carol, .. } = scene;
        let (by, other) = if by_callee { (bob, alice) } else { (alice, bob) };
        scene.transfer(by, "103");
        scene.office.run_for(s(1));
        scene.office.act(other, Act::Hangup).unwrap();
        scene.office.run_for(s(1));
        assert_eq!(scene.told(by), "487 Request Terminated", "{}", scene.office.ladder());
        assert_eq!(call(&scene.office, carol).ended().unwrap().how, CallEnd::Cancelled);
        scene.office.run_for(s(1));
        assert!(call(&scene.office, by).is_over(), "{}", scene.office.ladder());
        assert_quiet(&mut scene.office);
    }
}

#[test]
fn a_script_that_answers_takes_the_transferee() {
    let mut scene = scene(after(1));
    let Scene { alice, bob, .. } = scene;
    scene.transfer(bob, "900");
    scene.office.run_for(s(1));
    assert_eq!(scene.told(bob), "200 OK", "{}", scene.office.ladder());
    let prompt = Heard::Prompt("music/evening".into());
    assert_eq!(hears(&scene.office, alice), Some(prompt), "{}", scene.office.ladder());
    scene.office.act(alice, Act::Hangup).unwrap();
    assert_quiet(&mut scene.office);
}

#[test]
fn who_was_kept_on_hold_hears_again() {
    let mut scene = scene(after(1));
    let Scene { alice, bob, carol, .. } = scene;
    scene.office.act(bob, Act::Hold).unwrap();
    scene.office.run_for(s(1));
    assert_eq!(call(&scene.office, alice).sound(), Some(sdp::Direction::RecvOnly));
    scene.transfer(bob, "103");
    scene.office.run_for(s(2));
    scene.assert_talking(alice, carol);
    assert_eq!(call(&scene.office, alice).sound(), Some(sdp::Direction::SendRecv));
    scene.office.act(alice, Act::Hangup).unwrap();
    assert_quiet(&mut scene.office);
}

#[test]
fn who_holds_may_take_the_other_back() {
    let mut scene = scene(refuses(486));
    let Scene { alice, bob, .. } = scene;
    scene.office.act(bob, Act::Hold).unwrap();
    scene.office.run_for(s(1));
    scene.transfer(bob, "103");
    scene.office.run_for(s(4));
    assert_eq!(scene.told(bob), "486 Busy Here");
    scene.office.act(bob, Act::Resume).unwrap();
    scene.office.run_for(s(1));
    scene.assert_talking(alice, bob);
    scene.office.act(alice, Act::Hangup).unwrap();
    assert_quiet(&mut scene.office);
}

/// The toll-fraud rule: a stranger's phone may say REFER, but reaches no more than it could call.
#[test]
fn a_stranger_transfers_nobody_to_where_it_may_not_call() {
    let stranger = Call::new("17", "0").by(Identity::Stranger);
    let mut scene = scene_of(PHONES, after(1), stranger);
    let Scene { alice, bob, carol, .. } = scene;
    scene.transfer(alice, "103");
    scene.office.run_for(s(1));
    assert_eq!(scene.told(alice), "403 Forbidden", "{}", scene.office.ladder());
    scene.assert_talking(alice, bob);
    assert!(scene.office.party(carol).unwrap().calls().is_empty());
    scene.transfer(alice, "00");
    scene.office.run_for(s(2));
    scene.assert_talking(bob, carol);
    scene.office.act(bob, Act::Hangup).unwrap();
    assert_quiet(&mut scene.office);
}

/// Whoever is transferred has nothing to say about what may be called for it.
#[test]
fn a_stranger_is_transferred_with_the_rights_of_whoever_transfers() {
    let stranger = Call::new("17", "0").by(Identity::Stranger);
    let mut scene = scene_of(PHONES, after(1), stranger);
    let Scene { alice, bob, carol, .. } = scene;
    scene.transfer(bob, "103");
    scene.office.run_for(s(2));
    scene.assert_talking(alice, carol);
    assert_eq!(scene.logs()[0], "by 102 as 102 from 17");
    // To reach further by itself, it has no account.
    scene.transfer(alice, "101");
    scene.office.run_for(s(1));
    assert_eq!(scene.told(alice), "403 Forbidden", "{}", scene.office.ladder());
    scene.office.act(alice, Act::Hangup).unwrap();
    assert_quiet(&mut scene.office);
}

#[test]
fn one_transfer_at_a_time() {
    let mut scene = scene(after(5));
    let Scene { alice, bob, carol, .. } = scene;
    scene.transfer(bob, "103");
    scene.office.run_for(s(1));
    scene.transfer(bob, "900");
    scene.office.run_for(s(1));
    assert!(
        scene.office.ladder().contains("491 A Transfer Is Pending"),
        "{}",
        scene.office.ladder()
    );
    scene.office.run_for(s(4));
    scene.assert_talking(alice, carol);
    scene.office.act(alice, Act::Hangup).unwrap();
    assert_quiet(&mut scene.office);
    assert_eq!(scene.transfers().len(), 1);
}

#[test]
fn without_anybody_joined_there_is_nobody_to_transfer() {
    let mut office = office(PHONES);
    let caller = office.call(Call::of_account("101", "900")).unwrap();
    office.run_for(s(1));
    office.act(caller, Act::Transfer { to: "103".to_owned() }).unwrap();
    office.run_for(s(1));
    assert!(office.ladder().contains("480 Nobody To Transfer"), "{}", office.ladder());
    office.act(caller, Act::Hangup).unwrap();
    assert_quiet(&mut office);
}

/// Phones that send every call on to each other, and callers who never have enough.
#[test]
fn transfers_in_a_row_come_to_an_end() {
    let mut scene = scene(after(0));
    let Scene { alice, bob, carol, .. } = scene;
    let mut here = [(bob, "103"), (carol, "102")].into_iter().cycle();
    for round in 1..=40 {
        let Some((by, to)) = here.next() else { return };
        scene.transfer(by, to);
        scene.office.run_for(s(5));
        if scene.told(by).starts_with("482") {
            scene.assert_talking(alice, by);
            assert!(round > 5, "{}", scene.office.ladder());
            scene.office.act(alice, Act::Hangup).unwrap();
            return assert_quiet(&mut scene.office);
        }
    }
    panic!("still going round\n{}", scene.office.ladder());
}

#[test]
fn thousands_of_refers_begin_no_more_than_a_few_calls() {
    let mut scene = scene(refuses(486));
    let Scene { alice, bob, .. } = scene;
    for _ in 0..30 {
        scene.transfer(bob, "777");
        scene.office.run_for(s(1));
    }
    assert!(scene.office.ladder().contains("403 Too Many"));
    for _ in 0..2_000 {
        scene.transfer(bob, "777");
        scene.office.run_for(Duration::from_millis(20));
    }
    scene.assert_talking(alice, bob);
    assert_eq!(scene.transfers().len(), 20);
    scene.office.act(alice, Act::Hangup).unwrap();
    assert_quiet(&mut scene.office);
}

/// A REFER as some phone may write it, and how it is refused; empty if it is not.
#[track_caller]
fn refer(headers: &[(&str, &str)]) -> String {
    let mut scene = scene(after(1));
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let method = "REFER".to_owned();
    let refer = Act::Send { method, headers: headers.collect(), body: None };
    scene.office.act(scene.bob, refer).unwrap();
    scene.office.run_for(s(4));
    let ladder = scene.office.ladder();
    let answers =
        |line: &&str| ["400", "403", "416"].iter().any(|code| line.contains(&format!(" {code} ")));
    let answer = ladder.lines().skip_while(|line| !line.contains("REFER")).skip(1).find(answers);
    let answer = answer.unwrap_or_default().trim_matches(|c| "│─<> ".contains(c)).to_owned();
    scene.office.act(scene.alice, Act::Hangup).unwrap();
    assert_quiet(&mut scene.office);
    answer
}

#[test]
fn what_is_no_refer_is_refused_with_a_reason() {
    let to = |value| refer(&[("Refer-To", value)]);
    for (said, answer) in [
        (refer(&[]), "400 No Refer-To"),
        (
            refer(&[("Refer-To", "<sip:103@office.test>"), ("r", "<sip:101@office.test>")]),
            "400 Repeated Refer-To",
        ),
        (to("<<>>"), "400 Unreadable Refer-To"),
        (to("<tel:+6621234>"), "416 Refer-To Is Not A SIP Address"),
        (to("<http://office.test/>"), "416 Refer-To Is Not A SIP Address"),
        (to("<sip:office.test>"), "400 Nobody Is Named In Refer-To"),
        (to("<sip:103@office.test;method=BYE>"), "403 A REFER May Only Ask For A Call"),
    ] {
        // Long labels are cut.
        let said = said.split("..").next().unwrap_or_default();
        let said = said.trim_end_matches(" to REFER").trim_end();
        assert!(said.len() > 12 && answer.starts_with(said), "{answer}: {said}");
    }
    assert_eq!(to("<sips:103@office.test;method=INVITE>"), "");
}

/// RFC 4488 §4: who asks for no subscription is told nothing by NOTIFY.
#[test]
fn who_wants_no_subscription_gets_none() {
    let mut scene = scene(after(1));
    let Scene { alice, bob, carol, .. } = scene;
    let headers =
        [("Refer-To", "<sip:103@office.test>"), ("Refer-Sub", "false"), ("Require", "norefersub")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let refer = Act::Send { method: "REFER".to_owned(), headers, body: None };
    scene.office.act(bob, refer).unwrap();
    scene.office.run_for(s(4));
    assert!(!scene.office.ladder().contains("NOTIFY"), "{}", scene.office.ladder());
    scene.assert_talking(alice, carol);
    scene.office.act(alice, Act::Hangup).unwrap();
    assert_quiet(&mut scene.office);
}

/// Its script may stop waiting for a transferred party; then everybody still gets somewhere.
#[test]
fn a_script_may_stop_waiting_for_a_transfer() {
    let script = r#"
route("102", function(call)
  within(5, function() call:dial("ext/102") end)
  call:play("closed")
end)
route("103", function(call) call:dial("ext/103") end)
"#;
    for by_callee in [true, false] {
        let mut scene = scene_of(script, after(8), Call::of_account("101", "102"));
        let Scene { alice, bob, carol, .. } = scene;
        let (by, other) = if by_callee { (bob, alice) } else { (alice, bob) };
        scene.transfer(by, "103");
        scene.office.run_for(s(6));
        let heard = hears(&scene.office, alice);
        if by_callee {
            assert!(call(&scene.office, bob).is_over(), "{}", scene.office.ladder());
        } else {
            assert_eq!(heard, Some(Heard::Prompt("en/closed".into())), "{}", scene.office.ladder());
        }
        scene.office.run_for(s(4));
        scene.assert_talking(other, carol);
        scene.office.act(carol, Act::Hangup).unwrap();
        assert_quiet(&mut scene.office);
    }
}

#[test]
fn of_two_who_transfer_each_other_at_once_one_does() {
    let mut scene = scene(after(1));
    let Scene { alice, bob, carol, .. } = scene;
    scene.transfer(bob, "103");
    scene.transfer(alice, "900");
    scene.office.run_for(s(6));
    scene.assert_talking(alice, carol);
    assert!(call(&scene.office, bob).is_over(), "{}", scene.office.ladder());
    assert_eq!(scene.transfers(), ["102 sends 101 to 103: 200"]);
    scene.office.act(alice, Act::Hangup).unwrap();
    assert_quiet(&mut scene.office);
}

/// What stands in a REFER becomes no line of a message of ours.
#[test]
fn a_number_smuggles_no_header_in() {
    let script = r#"
route("102", function(call) call:dial("ext/102") end)
route("103", function(call) call:dial("ext/103") end)
"#;
    let mut scene = scene_of(script, after(1), Call::of_account("101", "102"));
    let Scene { alice, bob, carol, .. } = scene;
    scene.transfer(bob, "sip:103%0d%0aX-Evil%3a%201@office.test");
    scene.office.run_for(s(1));
    assert_eq!(scene.told(bob), "404 Not Found", "{}", scene.office.ladder());
    let headers =
        [("Refer-To", "<sip:103@office.test>"), ("Referred-By", "<sip:boss@bank.example>")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let refer = Act::Send { method: "REFER".to_owned(), headers, body: None };
    scene.office.act(bob, refer).unwrap();
    scene.office.run_for(s(2));
    let invites: Vec<String> = scene
        .office
        .messages(carol)
        .map(|(_, traffic)| String::from_utf8_lossy(&traffic.bytes).into_owned())
        .filter(|text| text.starts_with("INVITE "))
        .collect();
    assert_eq!(invites.len(), 1);
    assert!(invites[0].contains("Referred-By: <sip:102@office.test>\r\n"), "{}", invites[0]);
    assert!(!invites[0].contains("boss"), "nobody speaks as another: {}", invites[0]);
    scene.office.act(alice, Act::Hangup).unwrap();
    assert_quiet(&mut scene.office);
}
