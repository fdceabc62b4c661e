//! The simplest calls.

use super::*;

const PHONES: &str = r#"
route("1XX", function(call) call:dial("ext/" .. call.to.user, { timeout = 20 }) end)
"#;

#[test]
fn two_phones_talk_and_hear_each_other() {
    let mut office = office(PHONES);
    let alice = office.add_phone(Phone::new("101")).unwrap();
    let bob = office.add_phone(Phone::new("102").called(Called::Answers { after: s(3) })).unwrap();
    assert!(office.party(alice).unwrap().is_registered());
    office.call(Call::of_account("101", "102")).unwrap();
    office.run_for(s(2));
    assert_eq!(office.party(alice).unwrap().hears().unwrap().heard, Heard::Ringing);
    office.run_for(s(2));
    assert_eq!(office.party(alice).unwrap().hears().unwrap().heard, Heard::Party(bob));
    assert_eq!(office.party(bob).unwrap().hears().unwrap().heard, Heard::Party(alice));
    office.act(alice, Act::Hangup).unwrap();
    let left = office.finish();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(office.shelf().calls.len(), 1);
    println!("{}", office.ladder());
}

#[test]
fn a_caller_leaves_a_message() {
    let mut office = office(
        r#"route("support", function(call)
             call:play("closed")
             call:voicemail("102")
           end)"#,
    );
    let caller = office.call(Call::new("+6621234567", "support")).unwrap();
    assert!(office.run_until_that(s(5), |office| {
        let heard = office.party(caller).unwrap().hears();
        heard.is_some_and(|hearing| hearing.heard == Heard::Prompt("en/closed".into()))
    }));
    office.run_until_that(s(60), |office| {
        let heard = office.party(caller).unwrap().hears();
        heard.is_some_and(|hearing| hearing.heard == Heard::Tone("beep".into()))
    });
    office.run_for(s(1));
    office.act(caller, Act::Say(s(4))).unwrap();
    office.run_for(s(5));
    office.act(caller, Act::Hangup).unwrap();
    let left = office.finish();
    println!("{}", office.ladder());
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(office.shelf().messages.len(), 1);
}
