//! `call:on`.

use dialplan::{CallEvent, Limits, Side, Step};

use crate::ladder::{begin, check_body, generation, handler, now, start};

#[test]
fn functions_are_given_what_happened_in_their_order() {
    check_body(
        "call:on('dtmf', function(...) log('first', ...) end)
         call:on('dtmf', function(...) call:sleep(1) log('second', ...) end)
         call:on('answer', function(by) log(by) end)
         call:dial('ext/101')",
        "
        dial 1
        > Dial(Dial { rounds: [[Target { to: Extension(\"101\"), delay: 0ns, timeout: None }]], timeout: 30s, music: None, caller: None })
        key 7
        > log info scripts/main.lua:2 first 7 callee
        > Sleep(1s)
        key #
        > log info scripts/main.lua:2 first # callee
        > Sleep(1s)
        <2 done
        > log info scripts/main.lua:3 second 7 callee
        <1 dialed answered 200 ext/101
        > returns
        ",
    );
}

#[test]
fn an_error_in_a_function_is_logged_and_the_next_event_begins_it_again() {
    check_body(
        "call:on('dtmf', function(digit) error('no ' .. digit) end)
         call:sleep(9)",
        "
        dial 1
        > Sleep(9s)
        key 1
        > log error scripts/main.lua:2 a function of call:on failed: no 1
        key 2
        > log error scripts/main.lua:2 a function of call:on failed: no 2
        < done
        > returns
        ",
    );
}

#[test]
fn mistakes_are_told_at_their_line() {
    for (wrong, told) in [
        ("call:on('dmtf', print)", "call:on: there is no event \"dmtf\"; did you mean \"dtmf\"?"),
        (
            "call:on('x' .. 'yz', print)",
            "call:on: there is no event \"xyz\"; there are answer, dtmf, hold, resume",
        ),
        ("call:on(print)", "call:on: expected the name of an event, got a function"),
        ("call:on('hold')", "call:on: expected a function, got nil"),
        ("call:on('hold', print, 1)", "call:on: too many arguments"),
        ("for i = 1, 17 do call:on('hold', print) end", "call:on: 16 functions are allowed"),
        ("call:dtmf('12x')", "call:dtmf: digits must be 1 to 32 of 0-9, *, # and A-D"),
        ("call:dtmf('')", "call:dtmf: digits must be 1 to 32 of 0-9, *, # and A-D"),
    ] {
        let ladder = format!("dial 1\n> fails scripts/main.lua:2: {told}");
        let body = wrong.replace("call:on('dmtf'", "call:on('dm' .. 'tf'");
        check_body(&body, &ladder);
    }
    let told = crate::ladder::load(&handler("call:on('dmtf', print)")).unwrap_err();
    assert!(told[0].to_string().contains("did you mean \"dtmf\"?"), "{}", told[0]);
}

#[test]
fn more_events_than_can_be_served_are_lost_and_that_is_logged() {
    let generation = generation(
        &handler("call:on('dtmf', function() call:sleep(60) end) call:sleep(90)"),
        Limits::default(),
    );
    let mut running = start(&generation, "1");
    assert!(matches!(begin(&mut running), Step::Ask { .. }));
    for _ in 0..100 {
        let event = CallEvent::Dtmf { digit: '1', by: Side::Caller };
        let step = running.script.notice(event, &now());
        assert!(matches!(step, Step::Ask { .. } | Step::Waiting), "{step:?}");
    }
    let logs = generation.take_logs();
    assert_eq!(logs.len(), 36);
    assert_eq!(logs[0].text, "the event dtmf is lost: 64 functions run beside each other");
}

#[test]
fn a_flood_of_events_ends_the_call_as_too_many_verbs_do() {
    let generation =
        generation(&handler("call:on('dtmf', print) call:sleep(90)"), Limits::default());
    let mut running = start(&generation, "1");
    let mut step = begin(&mut running);
    for _ in 0..10_001 {
        if matches!(step, Step::Failed(_)) {
            break;
        }
        let event = CallEvent::Dtmf { digit: '1', by: Side::Caller };
        step = running.script.notice(event, &now());
        generation.take_logs();
    }
    let Step::Failed(error) = step else { panic!("{step:?}") };
    assert_eq!(error.message, "more than 10000 verbs in one call");
}
