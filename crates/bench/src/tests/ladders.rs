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
