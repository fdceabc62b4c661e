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
