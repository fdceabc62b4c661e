//! `pbx.originate` and the legs that it gives back.

use dialplan::{DialStatus, Leg, Limits, Outcome, Step, Verb};

use crate::ladder::{begin, check_body, generation, handler, load, now, resume, start, view};

fn answered(leg: Option<Leg>) -> Outcome {
    Outcome::Originated {
        status: DialStatus::Answered,
        code: 200,
        reason: "OK".into(),
        answered_by: "ext/101".into(),
        leg,
    }
}

#[test]
fn a_leg_tells_what_came_of_it_is_joined_and_hung_up_on() {
    let generation = generation(
        &handler(
            "local leg = pbx.originate { to = { 'ext/101', 'ext/102' }, timeout = 5,
                                         caller = { user = 7 } }
             log(leg.status, leg.code, leg.reason, leg.to)
             call:bridge(leg)
             leg:hangup()",
        ),
        Limits::default(),
    );
    let mut running = start(&generation, "1");
    let Step::Ask { verb: Verb::Originate(originate), .. } = begin(&mut running) else { panic!() };
    assert_eq!(originate.rounds[0].len(), 2);
    assert_eq!(originate.caller.unwrap().user.as_deref(), Some("7"));
    assert!(originate.run.is_none() && originate.waits);
    let step = resume(&mut running, answered(Some(Leg(9))));
    assert!(matches!(step, Step::Ask { verb: Verb::Bridge(Leg(9)), .. }), "{step:?}");
    let step = resume(&mut running, Outcome::Done);
    assert!(matches!(step, Step::Ask { verb: Verb::HangupLeg(Leg(9)), .. }), "{step:?}");
    assert_eq!(generation.take_logs()[0].text, "ANSWERED 200 OK ext/101");
}

#[test]
fn what_is_to_be_run_is_a_script_of_its_own_on_the_same_generation() {
    let main = "kept = {}
         route('1', function(call)
           local mine = call.from.user
           own = 'of the first'
           pbx.originate { to = 'ext/101', run = function(other)
             log(mine, other.to.user, own, pcall(call.answer, call))
             other:answer()
           end }
         end)
         route('2', function(call) pbx.originate { to = 'ext/101', number = 3, wait = false } end)
         route('3', function(call) log('three', call.to.user) end)";
    let generation = generation(main, Limits::default());
    for (number, told) in [
        (
            "1",
            "102 5 nil false scripts/main.lua:6: call:answer: this call is over, or is not the one this script runs for",
        ),
        ("2", "three 5"),
    ] {
        let mut running = start(&generation, number);
        let Step::Ask { verb: Verb::Originate(originate), .. } = begin(&mut running) else {
            panic!("{number}")
        };
        assert_eq!(originate.waits, number == "1");
        let run = originate.run.unwrap();
        assert_eq!(run.number.as_deref(), (number == "2").then_some("3"));
        drop(running);
        let mut own = run.handler.start(view("5"));
        let step = own.go_on(&now());
        assert!(matches!(step, Step::Ask { verb: Verb::Answer, .. } | Step::Returned), "{step:?}");
        assert_eq!(generation.take_logs()[0].text, told);
    }
}

#[test]
fn somebody_who_answered_for_a_function_that_is_cancelled_before_it_knows_is_hung_up_on() {
    let generation = generation(
        &handler(
            "local finding
             finding = spawn(function() pbx.originate { to = 'ext/101' } log('never') end)
             spawn(function()
               call:sleep(1)
               for i = 1, 300 do end
               finding:cancel()
               call:sleep(2)
             end):wait()",
        ),
        Limits { instructions_per_slice: 250, ..Limits::default() },
    );
    let mut running = start(&generation, "1");
    let mut asks = Vec::new();
    while let Step::Ask { id, .. } = begin(&mut running) {
        asks.push(id);
    }
    let (originate, sleep) = (asks[0], asks[1]);
    // The answer arrives while the other function computes, just before it cancels.
    assert_eq!(running.script.resume(sleep, Outcome::Done, &now()), Step::Slice);
    let step = running.script.resume(originate, answered(Some(Leg(4))), &now());
    assert!(matches!(step, Step::Ask { verb: Verb::HangupLeg(Leg(4)), .. }), "{step:?}");
    let step = running.script.go_on(&now());
    assert!(matches!(step, Step::Ask { verb: Verb::Sleep(_), .. }), "{step:?}");
}

#[test]
fn mistakes_are_told_at_their_line() {
    for (wrong, told) in [
        (
            "pbx.originate {}",
            "pbx.originate: to: expected \"ext/...\", \"sip:...\", {to=...}, or a list of these, got nil",
        ),
        ("pbx.originate('ext/101')", "pbx.originate: expected a table of options, got a string"),
        ("pbx.originate({ to = 'ext/101' }, 1)", "pbx.originate: too many arguments"),
        (
            "pbx.originate { to = 'ext/101', tiemout = 5 }",
            "pbx.originate: no option \"tiemout\"; did you mean \"timeout\"?",
        ),
        (
            "pbx.originate { to = 'ext/101', run = 5 }",
            "pbx.originate: run: expected a function, got a number",
        ),
        (
            "pbx.originate { to = 'ext/101', number = '55' }",
            "pbx.originate: no route matches \"55\"",
        ),
        (
            "pbx.originate { to = 'ext/101', number = '1', run = print }",
            "pbx.originate: only one of run and number can be given",
        ),
        (
            "pbx.originate { to = 'ext/101', wait = false }",
            "pbx.originate: without waiting there is nobody to join the leg: give run or number",
        ),
        ("call:bridge()", "call:bridge: leg is missing; expected a table"),
        ("call:bridge(7)", "call:bridge: leg is missing; expected a table"),
        ("call:bridge({})", "call:bridge: expected a leg, as pbx.originate gives it back"),
        (
            "('a'):gsub('a', function() pbx.originate { to = 'ext/101' } end)",
            "pbx.originate: cannot wait in a function called by string.gsub, table.sort, tostring or require",
        ),
    ] {
        // Written so that the check before any call does not see it.
        let body = format!(
            "local p, c = pbx, call; {}",
            wrong.replace("pbx.", "p.").replace("call:", "c:")
        );
        check_body(&body, &format!("dial 1\n> fails scripts/main.lua:2: {told}"));
    }
    let at_load = load("local p = pbx p.originate { to = 'ext/101' }").unwrap_err();
    assert_eq!(
        at_load[0].to_string(),
        "scripts/main.lua:1: pbx.originate: works only while a call runs; use it inside of a route"
    );
}
