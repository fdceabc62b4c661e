//! Phones that ask first and then transfer, and phones that take a conversation over.

use super::*;

const PHONES: &str = r#"
route("1XX", function(call)
  call:on_hangup(function(cause) log.info(call.to.user .. ": " .. cause) end)
  local r = call:dial("ext/" .. call.to.user, { timeout = 20 })
  log.info(call.to.user .. ": " .. r.status .. " by " .. tostring(r.answered_by))
end)
route("900", function(call)
  call:answer()
  call:play("music/evening", { loop = true })
end)
route("0", { public = true }, function(call) call:dial("ext/102") end)
"#;

/// 101, 102 and 103, of which 102 has called or was called by both and talks with 103; 101 hears
/// that it is held.
struct Scene {
    office: Office,
    alice: PartyId,
    bob: PartyId,
    carol: PartyId,
}

/// Who made a call of 102: the other one, or 102.
#[derive(Debug, Clone, Copy, PartialEq)]
enum By {
    Other,
    Bob,
}

fn scene(first: By, second: By) -> Scene {
    scene_with(first, second, |_| {})
}

fn scene_with(first: By, second: By, change: impl FnOnce(&mut Setup)) -> Scene {
    let mut office = office_with(PHONES, change);
    let phone = |account: &str| {
        let mut phone = Phone::new(account).called(Called::Answers { after: Duration::ZERO });
        phone.behaviour.second_call = SecondCall::Waits;
        phone
    };
    let alice = office.add_phone(phone("101")).unwrap();
    let bob = office.add_phone(phone("102")).unwrap();
    let carol = office.add_phone(phone("103")).unwrap();
    let mut talk = |by: By, other: PartyId, number: &str| {
        let call = match by {
            By::Other => Call::of_account(number, "102"),
            By::Bob => Call::of_account("102", number),
        };
        office.call(call).unwrap();
        wait_for(&mut office, other, &Heard::Party(bob));
    };
    talk(first, alice, "101");
    office.act(bob, Act::Hold).unwrap();
    office.run_for(s(1));
    let mut talk = |by: By, other: PartyId, number: &str| {
        let call = match by {
            By::Other => Call::of_account(number, "102"),
            By::Bob => Call::of_account("102", number),
        };
        office.call(call).unwrap();
        wait_for(&mut office, other, &Heard::Party(bob));
    };
    talk(second, carol, "103");
    Scene { office, alice, bob, carol }
}

impl Scene {
    fn join(&mut self, with: &str) {
        self.office.act(self.bob, Act::Join { with: with.to_owned() }).unwrap();
    }

    #[track_caller]
    fn assert_talking(&self) {
        let ladder = self.office.ladder();
        assert_eq!(hears(&self.office, self.alice), Some(Heard::Party(self.carol)), "{ladder}");
        assert_eq!(hears(&self.office, self.carol), Some(Heard::Party(self.alice)), "{ladder}");
    }

    fn told(&self) -> Option<String> {
        let calls = self.office.party(self.bob).unwrap().calls();
        calls.iter().find_map(|call| call.transfer_told()).map(|told| told.trim_end().to_owned())
    }

    fn transfers(&self) -> Vec<String> {
        let notes = self.office.notices().filter_map(|(_, notice)| match notice {
            pbx::Notice::Transferred(note) => {
                Some(format!("{} sends {} to {}: {}", note.by, note.who, note.to, note.status))
            }
            _ => None,
        });
        notes.collect()
    }
}

#[test]
fn who_asked_first_joins_the_two_whoever_called_whom() {
    for (first, second) in
        [(By::Other, By::Bob), (By::Other, By::Other), (By::Bob, By::Bob), (By::Bob, By::Other)]
    {
        let mut scene = scene(first, second);
        scene.join("103");
        scene.office.run_for(s(1));
        assert_eq!(scene.told().as_deref(), Some("SIP/2.0 200 OK"), "{}", scene.office.ladder());
        scene.assert_talking();
        scene.office.run_for(s(2));
        assert!(scene.office.party(scene.bob).unwrap().is_free(), "{}", scene.office.ladder());
        scene.assert_talking();
        assert_eq!(call(&scene.office, scene.alice).sound(), Some(sdp::Direction::SendRecv));
        // Each can still hold, and come back.
        scene.office.act(scene.carol, Act::Hold).unwrap();
        scene.office.run_for(s(1));
        assert_eq!(call(&scene.office, scene.alice).sound(), Some(sdp::Direction::RecvOnly));
        scene.office.act(scene.carol, Act::Resume).unwrap();
        scene.office.run_for(s(1));
        scene.assert_talking();
        scene.office.act(scene.alice, Act::Hangup).unwrap();
        assert_quiet(&mut scene.office);
        assert_eq!(scene.transfers(), ["102 sends 101 to 103: 200"], "{first:?} {second:?}");
    }
}

/// Phones hold both before they transfer.
#[test]
fn two_who_are_held_are_joined() {
    let mut scene = scene(By::Other, By::Bob);
    scene.office.act(scene.bob, Act::Hold).unwrap();
    scene.office.run_for(s(1));
    assert_eq!(call(&scene.office, scene.carol).sound(), Some(sdp::Direction::RecvOnly));
    scene.join("103");
    scene.office.run_for(s(3));
    scene.assert_talking();
    for party in [scene.alice, scene.carol] {
        assert_eq!(call(&scene.office, party).sound(), Some(sdp::Direction::SendRecv));
    }
    scene.office.act(scene.carol, Act::Hangup).unwrap();
    assert_quiet(&mut scene.office);
}

/// The sound of two calls may be with two threads; one of the two legs has to move.
#[test]
fn parties_of_two_media_threads_are_joined() {
    for (first, second) in [(By::Other, By::Bob), (By::Bob, By::Other)] {
        let mut scene = scene_with(first, second, |setup| setup.config.media_threads = 3);
        scene.join("103");
        scene.office.run_for(s(3));
        scene.assert_talking();
        scene.office.act(scene.carol, Act::Hangup).unwrap();
        assert_quiet(&mut scene.office);
    }
}

#[test]
fn a_dialog_that_is_none_leaves_the_two_as_they_were() {
    for replaces in ["x%3Bto-tag%3D1%3Bfrom-tag%3D2", "x%3Bto-tag%3D1.00%3Bfrom-tag%3D2"] {
        let mut scene = scene(By::Other, By::Bob);
        scene.office.act(scene.bob, Act::Resume).unwrap();
        let to = format!("<sip:103@office.test?Replaces={replaces}>");
        let headers = vec![("Refer-To".to_owned(), to)];
        let refer = Act::Send { method: "REFER".to_owned(), headers, body: None };
        scene.office.act(scene.bob, refer).unwrap();
        scene.office.run_for(s(1));
        let told = scene.told().unwrap_or_default();
        assert!(told.starts_with("SIP/2.0 481"), "{told}");
        assert_eq!(hears(&scene.office, scene.carol), Some(Heard::Party(scene.bob)));
        scene.office.act(scene.bob, Act::Hangup).unwrap();
        scene.office.run_for(s(1));
        scene.office.act(scene.bob, Act::Hangup).unwrap();
        assert_quiet(&mut scene.office);
    }
}

/// The Call-ID and tags of somebody else's conversation are worth nothing.
#[test]
fn nobody_gives_away_the_seat_of_another() {
    let mut scene = scene(By::Other, By::Bob);
    // 104 talks with the music, and with a stranger's help knows the dialog of 101.
    let caller = scene.office.call(Call::new("17", "0").by(Identity::Stranger)).unwrap();
    wait_for(&mut scene.office, caller, &Heard::Party(scene.bob));
    let dialog = scene.office.party(scene.bob).unwrap().replaces_of(1).unwrap();
    // As the exchange sees it, and as its peer does.
    for dialog in [dialog.clone(), turned(&dialog)] {
        let to = format!("<sip:103@office.test?Replaces={}>", escaped(&dialog));
        let headers = vec![("Refer-To".to_owned(), to)];
        let refer = Act::Send { method: "REFER".to_owned(), headers, body: None };
        scene.office.act(caller, refer).unwrap();
        scene.office.run_for(s(1));
        let told = call(&scene.office, caller).transfer_told().unwrap_or_default().to_owned();
        assert!(told.starts_with("SIP/2.0 481"), "{told}");
    }
    for who in [caller, scene.bob, scene.bob] {
        scene.office.act(who, Act::Hangup).unwrap();
        scene.office.run_for(s(1));
    }
    assert_quiet(&mut scene.office);
}

fn escaped(dialog: &str) -> String {
    dialog.replace(';', "%3B").replace('=', "%3D")
}

fn turned(dialog: &str) -> String {
    dialog.replace("to-tag", "x-tag").replace("from-tag", "to-tag").replace("x-tag", "from-tag")
}

/// RFC 3891 §3.
#[test]
fn a_phone_goes_on_with_the_conversation_of_another_of_its_account() {
    for first in [By::Other, By::Bob] {
        let mut scene = scene(first, By::Bob);
        let dialog = scene.office.party(scene.bob).unwrap().replaces_of(0).unwrap();
        let mobile = |dialog: &str, account: &str| {
            let mut call = Call::new(account, "101").by(Identity::Stranger);
            let fields = dialog.split('\n').map(|value| ("Replaces".to_owned(), value.to_owned()));
            call.headers = fields.collect();
            call
        };
        // Not without proof of who it is.
        let stranger = scene.office.call(mobile(&dialog, "102")).unwrap();
        scene.office.run_for(s(1));
        assert_eq!(call(&scene.office, stranger).status(), Some(401));
        for (account, dialog, status) in [
            ("103", dialog.clone(), 481),
            ("104", dialog.clone(), 481),
            ("102", turned(&dialog), 481),
            ("102", format!("{dialog};early-only"), 486),
            ("102", "nonsense".to_owned(), 400),
            ("102", format!("{dialog}\n{dialog}"), 400),
            ("102", dialog, 200),
        ] {
            let phone = Phone { name: "mobile".to_owned(), ..Phone::new(account) };
            let phone = scene.office.add_phone(phone).unwrap();
            let call_out = mobile(&dialog, account).by(Identity::Party(phone));
            scene.office.call(call_out).unwrap();
            scene.office.run_for(s(1));
            let told = call(&scene.office, phone).status();
            assert_eq!(told, Some(status), "{account} {}", scene.office.ladder());
            if status == 200 {
                let alice = scene.alice;
                assert_eq!(hears(&scene.office, alice), Some(Heard::Party(phone)));
                assert_eq!(hears(&scene.office, phone), Some(Heard::Party(alice)));
                assert!(scene.office.party(scene.bob).unwrap().calls()[0].is_over());
                scene.office.act(phone, Act::Hangup).unwrap();
            }
            scene.office.act(phone, Act::Unregister).unwrap();
        }
        scene.office.act(scene.bob, Act::Hangup).unwrap();
        assert_quiet(&mut scene.office);
    }
}

/// Each message is lost once, from the first registration to the last BYE.
#[test]
fn a_join_survives_each_loss() {
    for (first, second) in
        [(By::Other, By::Bob), (By::Other, By::Other), (By::Bob, By::Bob), (By::Bob, By::Other)]
    {
        for lost in 0.. {
            let mut scene =
                scene_with(first, second, |setup| setup.weather = Weather::losing(lost));
            scene.office.act(scene.bob, Act::Hold).unwrap();
            // A phone that could not be asked just then is asked again up to 4 s later.
            scene.office.run_for(s(6));
            scene.join("103");
            scene.office.run_for(s(6));
            scene.assert_talking();
            for party in [scene.alice, scene.carol] {
                let sound = call(&scene.office, party).sound();
                let told = scene.office.ladder();
                assert_eq!(sound, Some(sdp::Direction::SendRecv), "{lost}\n{told}");
            }
            assert!(scene.office.party(scene.bob).unwrap().is_free(), "{}", scene.office.ladder());
            scene.office.act(scene.alice, Act::Hangup).unwrap();
            assert_quiet(&mut scene.office);
            let sip = |happening: &&Happening| matches!(happening.what, What::Sip(_));
            let sent = scene.office.happenings().iter().filter(sip).count();
            if lost >= sent as u64 {
                assert!(lost > 40, "the flow has only {lost} messages");
                break;
            }
        }
    }
}

#[test]
fn whatever_three_phones_do_with_two_conversations_nothing_is_left_over() {
    let mut joined = 0;
    for seed in 0..60 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut by = || if rng.bool() { By::Bob } else { By::Other };
        let mut scene = scene_with(by(), by(), |setup| {
            setup.seed = seed;
            setup.weather = Weather {
                delay: Duration::from_millis(20),
                jitter: Duration::from_millis(60),
                loss_percent: [0, 3, 8][seed as usize % 3],
                ..Weather::calm()
            };
        });
        for _ in 0..rng.usize(2..10) {
            scene.office.run_for(Duration::from_millis(rng.u64(..2_000)));
            let who = [scene.bob, scene.alice, scene.carol][rng.usize(..3)];
            let act = match rng.usize(..9) {
                0..=2 => Act::Join { with: ["101", "103"][rng.usize(..2)].to_owned() },
                3 => Act::Transfer { to: ["103", "900", "77"][rng.usize(..3)].to_owned() },
                4 => Act::Hold,
                5 => Act::Resume,
                6 => Act::Press("1".to_owned()),
                _ => Act::Hangup,
            };
            // Whoever cannot do it just then does not.
            let _done = scene.office.act(who, act);
        }
        scene.office.run_for(s(5));
        joined += usize::from(scene.transfers().iter().any(|told| told.ends_with("200")));
        for who in [scene.alice, scene.bob, scene.carol].repeat(3) {
            let _done = scene.office.act(who, Act::Hangup);
            scene.office.run_for(s(1));
        }
        assert_quiet(&mut scene.office);
    }
    assert!(joined > 10, "only {joined} transfers succeeded");
}
