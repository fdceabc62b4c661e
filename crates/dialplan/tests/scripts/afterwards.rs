//! Functions given to `call:on_hangup`: what they can still do when the call is over.

use dialplan::{Ending, Limits, Remark, Step};

use crate::ladder::{begin, check, check_body, check_on, generation, handler, now, start};

#[test]
fn a_function_waits_for_another_program_and_the_next_one_for_it() {
    check_body(
        "call:on_hangup(function(cause, code)
           local answer = http.post('https://crm.example/calls', { json = { cause = cause } })
           log(answer.status, code, call.from.user, call.vars.mark)
         end)
         call:on_hangup(function() log(db.query('SELECT 1')[1].one) end)
         call.vars.mark = 5
         call:sleep(9)",
        "
        dial 1
        > Sleep(9s)
        over caller hung up
        > POST https://crm.example/calls Content-Type=application/json body {\"cause\":\"caller hung up\"}
        < fetched 204
        > log info scripts/main.lua:4 204 487 102 5
        > Rows at 6: SELECT 1
        < rows one=1
        > log info scripts/main.lua:6 1
        ",
    );
}

#[test]
fn the_functions_run_others_beside_them_which_end_with_them() {
    check_body(
        "call:on_hangup(function()
           log(within(1, function() sleep(5) end))
           spawn(function() sleep(7) end)
           sleep(2)
         end)
         call:on_hangup(function() sleep(3) log 'last' end)",
        "
        dial 1
        > returns
        over script ended
        > Sleep(1s)
        > Sleep(5s)
        <1 done
        > cancel 2
        > log info scripts/main.lua:3 false timeout
        > Sleep(2s)
        > Sleep(7s)
        <3 done
        > cancel 4
        > Sleep(3s)
        <5 done
        > log info scripts/main.lua:7 last
        ",
    );
}

#[test]
fn an_error_in_one_ends_it_alone_wherever_it_has_waited() {
    check_body(
        "call:on_hangup(function()
           spawn(function() sleep(7) end)
           sleep(1)
           error('no more')
         end)
         call:on_hangup(function() sleep(2) log 'last' end)",
        "
        dial 1
        > returns
        over script ended
        > Sleep(1s)
        > Sleep(7s)
        <1 done
        > problem scripts/main.lua:5: no more
        > cancel 2
        > Sleep(2s)
        <3 done
        > log info scripts/main.lua:7 last
        ",
    );
}

#[test]
fn what_needs_the_call_is_refused_there() {
    let refusal = "the call is over; on_hangup functions and <close> values cannot use verbs";
    for (verb, name) in [
        ("call:sleep(1)", "sleep"),
        ("call:play('welcome')", "play"),
        ("call:on_hangup(print)", "on_hangup"),
        ("call:on('dtmf', print)", "on"),
        ("call:go('1')", "go"),
    ] {
        check_body(
            &format!("call:on_hangup(function() sleep(1) {verb} end)"),
            &format!(
                "
                dial 1
                > returns
                over script ended
                > Sleep(1s)
                < done
                > problem scripts/main.lua:2: call:{name}: {refusal}
                "
            ),
        );
    }
}

#[test]
fn a_close_value_waits_for_nothing() {
    check_body(
        "local last <close> = setmetatable({}, { __close = function() sleep(1) end })
         call:sleep(9)",
        "
        dial 1
        > Sleep(9s)
        over caller hung up
        > problem scripts/main.lua:2: sleep: the call is over; <close> values cannot wait for anything
        ",
    );
}

#[test]
fn ending_the_functions_closes_what_runs_and_runs_no_more() {
    let generation = generation(
        &handler(
            "call:on_hangup(function()
               local open <close> = setmetatable({}, { __close = function() log 'closed' end })
               sleep(60)
             end)
             call:on_hangup(function() log 'never' end)",
        ),
        Limits::default(),
    );
    let mut script = start(&generation, "1");
    assert_eq!(begin(&mut script), Step::Returned);
    let over = |cause: &str| Ending { cause: cause.into(), code: 200 };
    assert_eq!(script.script.close(over("script ended"), &now()), []);
    assert!(matches!(begin(&mut script), Step::Ask { .. }));
    assert!(script.script.has_afterwards());
    assert_eq!(script.script.close(over("longest time reached"), &now()), []);
    assert!(script.script.is_over());
    let logs: Vec<String> = generation.take_logs().into_iter().map(|line| line.text).collect();
    assert_eq!(logs, ["closed"]);
    assert_eq!(script.script.close(over("again"), &now()), []);
}

#[test]
fn a_call_that_has_used_up_its_verbs_and_its_memory_can_still_tell_of_it() {
    let limits = Limits { verbs_per_call: 20, memory_per_call: 128 * 1024, ..Limits::default() };
    let ends = |body: &str| {
        let generation = generation(
            &handler(&format!("call:on_hangup(function() sleep(1) log 'told' end)\n{body}")),
            limits,
        );
        let mut script = start(&generation, "1");
        let mut step = begin(&mut script);
        while matches!(step, Step::Ask { .. }) {
            step = crate::ladder::resume(&mut script, dialplan::Outcome::Done);
        }
        assert!(matches!(step, Step::Failed(_)), "{step:?}");
        script.script.close(Ending { cause: "script fault".into(), code: 500 }, &now());
        assert!(matches!(begin(&mut script), Step::Ask { .. }));
        assert_eq!(crate::ladder::resume(&mut script, dialplan::Outcome::Done), Step::Returned);
        let logs = generation.take_logs();
        assert!(logs.iter().any(|line| line.text == "told"), "{logs:?}");
    };
    ends("while true do call:sleep(1) end");
    ends("local all = {} for i = 1, 1e9 do all[i] = ('x'):rep(100) .. i end");
}

#[test]
fn a_function_has_the_bounds_of_a_call_and_no_more() {
    let limits = Limits { verbs_per_call: 3, instructions_per_verb: 50_000, ..Limits::default() };
    let generation = generation(
        &handler(
            "call:on_hangup(function() while true do pcall(sleep, 1) end end)
             call:on_hangup(function() while true do pcall(error) end end)",
        ),
        limits,
    );
    check_on(
        &generation,
        "
        dial 1
        > returns
        over script ended
        > Sleep(1s)
        < done
        > Sleep(1s)
        < done
        > Sleep(1s)
        < done
        > problem scripts/main.lua:2: more than 3 verbs in one call
        > problem scripts/main.lua:3: used up its instructions between two verbs; is there an endless loop?
        ",
    );
}

#[test]
fn an_error_tells_the_way_there() {
    let generation = generation(
        "local function tell(answer) return answer.status end
route('1', function(call)
  call:on_hangup(function() tell(nil) end)
end)",
        Limits::default(),
    );
    let mut script = start(&generation, "1");
    begin(&mut script);
    script.script.close(Ending { cause: "script ended".into(), code: 480 }, &now());
    begin(&mut script);
    let logs = generation.take_logs();
    let Some(Remark::Failed { error, .. }) = logs[0].remark.as_deref() else { panic!("{logs:?}") };
    assert_eq!(error.line, Some(1));
    assert!(error.traceback.iter().any(|line| line.starts_with("scripts/main.lua:3")), "{error:?}");
}

#[test]
fn what_one_call_left_behind_is_not_seen_by_the_next() {
    check(
        "route('1', function(call)
           mark = call.to.user
           call:on_hangup(function() sleep(1) log(mark) end)
         end)",
        "
        dial 1
        > returns
        over script ended
        > Sleep(1s)
        < done
        > log info scripts/main.lua:3 1
        dial 1
        > returns
        ",
    );
}
