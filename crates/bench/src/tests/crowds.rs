//! Whatever people do, in any weather: in the end nothing is left over.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

/// A dialplan with a bit of everything.
const EVERYTHING: &str = r#"
route("10X", function(call)
  local r = call:dial("ext/" .. call.to.user, { timeout = 8 })
  if r.status ~= "ANSWERED" then call:voicemail(call.to.user, { reason = r.status }) end
end)
route("0", function(call)
  call:answer()
  local digit = call:read { prompt = "welcome", max = 1, timeout = 4, tries = 2 }
  if digit == "1" then call:go("101") end
  if digit == "2" then call:record { name = "note", silence = 2, max = 10 } end
  call:play({ "closed", "silence:0.5" })
end)
route("7", function(call)
  call:queued { place = 1, music = "music/evening" }
  local answered = race {
    function() return pbx.originate { to = "ext/102", timeout = 6 } end,
    function() return pbx.originate { to = "ext/103", timeout = 6 } end,
  }
  call:busy()
end)
route("600", function(call) call:answer() call:echo() end)
route("*97", function(call) call:mailbox(call.account) end)
"#;

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Answer),
        3 => Just(Act::Hangup),
        1 => Just(Act::Ring),
        1 => Just(Act::Progress),
        2 => prop::sample::select(vec![404, 480, 486, 503, 603])
            .prop_map(|code| Act::Reject { code, reason: None }),
        1 => Just(Act::Redirect { code: 302, to: vec!["103".to_owned(), "0".to_owned()] }),
        3 => "[0-9*#]{1,4}".prop_map(Act::Press),
        2 => (0_u64..4_000).prop_map(|ms| Act::Say(Duration::from_millis(ms))),
        1 => Just(Act::Hush),
        1 => Just(Act::Hold),
        1 => Just(Act::Resume),
        2 => prop::sample::select(vec!["103", "101", "600", "*97"])
            .prop_map(|to| Act::Transfer { to: to.to_owned() }),
        2 => prop::sample::select(vec!["101", "102", "103"])
            .prop_map(|with| Act::Join { with: with.to_owned() }),
        1 => Just(Act::Vanish),
        1 => Just(Act::Return),
        1 => Just(Act::Register),
        1 => Just(Act::Unregister),
    ]
}

fn any_called() -> impl Strategy<Value = Called> {
    let after = || (0_u64..6_000).prop_map(Duration::from_millis);
    prop_oneof![
        Just(Called::Rings),
        after().prop_map(|after| Called::Answers { after }),
        after().prop_map(|after| Called::EarlyMedia { answers_after: Some(after) }),
        (after(), prop::sample::select(vec![404, 486, 600]))
            .prop_map(|(after, code)| Called::Refuses { after, code, reason: None }),
        after().prop_map(|after| Called::Redirects {
            after,
            code: 302,
            to: vec!["101".to_owned()]
        }),
        Just(Called::Silent),
    ]
}

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Call(usize, &'static str),
    Act(usize, Act),
}

fn any_step() -> impl Strategy<Value = Step> {
    let numbers = vec!["101", "102", "103", "0", "7", "600", "*97", "999"];
    prop_oneof![
        4 => (0_u64..5_000).prop_map(Step::Wait),
        2 => (0_usize..5, prop::sample::select(numbers)).prop_map(|(who, to)| Step::Call(who, to)),
        4 => (0_usize..8, any_act()).prop_map(|(who, act)| Step::Act(who, act)),
    ]
}

fn config() -> ProptestConfig {
    let config = ProptestConfig::default();
    let rng_seed = match config.rng_seed {
        RngSeed::Random => RngSeed::Fixed(3_261),
        RngSeed::Fixed(seed) => RngSeed::Fixed(seed),
    };
    let cases = if config.cases == ProptestConfig::default().cases { 100 } else { config.cases };
    ProptestConfig { failure_persistence: None, rng_seed, cases, ..config }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_people_do_nothing_is_left_over(
        seed in any::<u64>(),
        stormy in any::<bool>(),
        called in prop::collection::vec(any_called(), 3),
        steps in prop::collection::vec(any_step(), 1..25),
    ) {
        let mut office = office_with(EVERYTHING, |setup| {
            setup.seed = seed;
            setup.weather = if stormy { Weather::stormy() } else { Weather::calm() };
        });
        for (account, called) in ["101", "102", "103"].into_iter().zip(called) {
            let mut phone = Phone::new(account).called(called);
            phone.behaviour.second_call = SecondCall::Waits;
            office.add_phone(phone).unwrap();
        }
        for step in steps {
            match step {
                Step::Wait(ms) => office.run_for(Duration::from_millis(ms)),
                Step::Call(who, to) => {
                    let call = match who {
                        0 => Call::of_account("101", to),
                        1 => Call::of_account("102", to),
                        2 => Call::of_account("104", to),
                        3 => Call::new("17", to),
                        _ => Call::new("18", to).by(Identity::Stranger),
                    };
                    drop(office.call(call));
                }
                Step::Act(who, act) => {
                    let who = who % office.parties().len();
                    let id = office.parties()[who].id();
                    drop(office.act(id, act));
                }
            }
        }
        // Everybody goes home.
        for _ in 0..3 {
            for index in 0..office.parties().len() {
                let id = office.parties()[index].id();
                drop(office.act(id, Act::Return));
                while office.act(id, Act::Hangup).is_ok() && !office.party(id).unwrap().is_free() {
                    office.run_for(Duration::from_secs(1));
                }
            }
            office.run_for(Duration::from_secs(60));
        }
        let left = office.finish();
        prop_assert!(left.is_empty(), "{left:?}\n{}", office.ladder());
        let hearing = |party: &Party| party.hears().is_some();
        prop_assert!(!office.parties().iter().any(hearing), "{}", office.ladder());
    }
}
