//! Functions that run beside each other.

use dialplan::{Limits, Outcome, Step};

use crate::ladder::{begin, check, check_body, check_on, generation, handler, load, now, start};

#[test]
fn a_spawned_function_runs_when_its_parent_waits_and_gives_back_what_it_returned() {
    check_body(
        "local child = spawn(function() log('child') call:sleep(1) return 'a', nil, 'c' end)
         log('parent')
         log(select('#', child:wait()), child:wait())
         call:answer()",
        "
        dial 1
        > log info scripts/main.lua:3 parent
        > log info scripts/main.lua:2 child
        > Sleep(1s)
        < done
        > log info scripts/main.lua:4 3 a nil c
        > answer
        < done
        > returns
        ",
    );
}

#[test]
fn several_verbs_wait_at_a_time_and_are_answered_in_any_order() {
    check_body(
        "local list = all {
           function() call:sleep(1) return 'one' end,
           function() call:sleep(2) return 'two' end,
           function() return call:read() end,
         }
         log(list.n, list[1], list[2], list[3])",
        "
        dial 1
        > Sleep(1s)
        > Sleep(2s)
        > Read(Read { prompt: [], digits_max: 64, timeout: 5s, between: 3s, terminator: Some('#'), tries: 1, accept: [], invalid: [] })
        <3 read 42
        <1 done
        <2 done
        > log info scripts/main.lua:7 3 one two 42
        > returns
        ",
    );
}

#[test]
fn the_winner_of_a_race_is_told_and_the_losers_are_closed_where_they_stand() {
    check_body(
        "local function closing(name)
           return setmetatable({}, { __close = function() log('closes', name) end })
         end
         log(race {
           function()
             local a <close> = closing('a')
             spawn(function() local b <close> = closing('b') call:sleep(3) end)
             call:play('music')
           end,
           function() call:sleep(2) return 'x', 'y' end,
         })",
        "
        dial 1
        > play en/music
        > Sleep(2s)
        > Sleep(3s)
        <2 done
        > log info scripts/main.lua:3 closes b
        > log info scripts/main.lua:3 closes a
        > cancel 3
        > cancel 1
        > log info scripts/main.lua:5 2 x y
        > returns
        ",
    );
}

#[test]
fn what_takes_too_long_is_cancelled_and_what_ends_in_time_needs_no_timer_any_more() {
    check_body(
        "log(within(5, function() call:dial('ext/101') end))
         log(within(5, function() return call:sleep(1), 'slept' end))
         log(within(5, function() return 'at once' end))",
        "
        dial 1
        > Sleep(5s)
        > Dial(Dial { rounds: [[Target { to: Extension(\"101\"), delay: 0ns, timeout: None }]], timeout: 30s, music: None, caller: None })
        <1 done
        > cancel 2
        > log info scripts/main.lua:2 false timeout
        > Sleep(5s)
        > Sleep(1s)
        <4 done
        > cancel 3
        > log info scripts/main.lua:3 true nil slept
        > Sleep(5s)
        > cancel 5
        > log info scripts/main.lua:4 true at once
        > returns
        ",
    );
}

#[test]
fn all_ends_with_the_first_error_and_cancels_the_others() {
    check_body(
        "local ok, problem = pcall(all, {
           function() call:sleep(1) return 'one' end,
           function() call:sleep(2) error('two broke') end,
           function() call:sleep(3) end,
         })
         log(ok, problem)
         log(#all {})",
        "
        dial 1
        > Sleep(1s)
        > Sleep(2s)
        > Sleep(3s)
        <1 done
        <2 done
        > cancel 3
        > log info scripts/main.lua:7 false scripts/main.lua:4: two broke
        > log info scripts/main.lua:8 0
        > returns
        ",
    );
}

#[test]
fn a_race_ends_with_the_error_of_whoever_is_first() {
    check_body(
        "race {
           function() call:sleep(9) end,
           function() error('broke') end,
         }",
        "
        dial 1
        > Sleep(9s)
        > cancel 1
        > fails scripts/main.lua:4: broke
        ",
    );
}

#[test]
fn an_error_in_a_child_ends_it_alone_and_is_logged_with_its_line() {
    check_body(
        "spawn(function()
           call:sleep(1)
           call:play(nil)
         end)
         call:sleep(2)",
        "
        dial 1
        > Sleep(2s)
        > Sleep(1s)
        <2 done
        > log error scripts/main.lua:4 a spawned function failed: call:play: sounds is missing; expected a prompt name, \"tone:...\", \"silence:...\", {speak=...} or a list of these
        <1 done
        > returns
        ",
    );
}

#[test]
fn an_error_in_a_child_is_raised_where_somebody_waits_for_it_then_or_later() {
    check_body(
        "local now = spawn(function() call:sleep(1) error({ code = 7 }) end)
         local ok, problem = pcall(now.wait, now)
         log(ok, problem.code)
         local later = spawn(function() error('early') end)
         call:sleep(1)
         log(pcall(later.wait, later))
         log(pcall(later.wait, later))
         later:wait()",
        "
        dial 1
        > Sleep(1s)
        < done
        > log info scripts/main.lua:4 false 7
        > Sleep(1s)
        > log error scripts/main.lua:5 a spawned function failed: early
        < done
        > log info scripts/main.lua:7 false scripts/main.lua:5: early
        > log info scripts/main.lua:8 false scripts/main.lua:5: early
        > fails scripts/main.lua:5: early
        ",
    );
}

#[test]
fn a_cancelled_child_closes_its_values_and_whoever_waits_for_it_is_told() {
    check_body(
        "local child = spawn(function()
           local open <close> = setmetatable({}, { __close = function()
             log('closing', pcall(call.play, call, 'bye'))
           end })
           pcall(function() call:play('music') end)
           log('never')
         end)
         local waiter = spawn(function() log(pcall(child.wait, child)) end)
         call:sleep(1)
         log(child:cancel(), child:cancel())
         call:sleep(1)",
        "
        dial 1
        > Sleep(1s)
        > play en/music
        <1 done
        > log info scripts/main.lua:4 closing false scripts/main.lua:4: call:play: the function was cancelled; its <close> values cannot use verbs
        > cancel 2
        > log info scripts/main.lua:9 false scripts/main.lua:9: wait: the function was cancelled
        > log info scripts/main.lua:11 true false
        > Sleep(1s)
        < done
        > returns
        ",
    );
}

#[test]
fn a_function_that_cancels_itself_ends_there_and_its_own_children_with_it() {
    check_body(
        "local child
         child = spawn(function()
           local open <close> = setmetatable({}, { __close = function() log('closed') end })
           spawn(function() call:sleep(5) end)
           call:sleep(1)
           child:cancel()
           log('never')
         end)
         log(pcall(child.wait, child))",
        "
        dial 1
        > Sleep(1s)
        > Sleep(5s)
        <1 done
        > log info scripts/main.lua:4 closed
        > cancel 2
        > log info scripts/main.lua:10 false scripts/main.lua:10: wait: the function was cancelled
        > returns
        ",
    );
}

#[test]
fn a_child_that_cancels_its_parent_goes_with_it() {
    check_body(
        "local parent
         parent = spawn(function()
           spawn(function() parent:cancel() log('never') end)
           call:sleep(1)
         end)
         call:sleep(2)",
        "
        dial 1
        > Sleep(2s)
        > Sleep(1s)
        > cancel 2
        <1 done
        > returns
        ",
    );
}

#[test]
fn functions_that_would_wait_for_each_other_for_ever_are_told() {
    check_body(
        "local one, two
         one = spawn(function()
           log(pcall(one.wait, one))
           two:wait()
         end)
         two = spawn(function() one:wait() end)
         log(pcall(two.wait, two))",
        "
        dial 1
        > log info scripts/main.lua:4 false scripts/main.lua:4: wait: a function cannot wait for itself
        > log info scripts/main.lua:8 false scripts/main.lua:5: wait: that function waits for this one, so neither could ever go on
        > returns
        ",
    );
    check_body(
        "local all_of_them
         all_of_them = spawn(function()
           race { function() all_of_them:wait() end, function() all_of_them:wait() end }
         end)
         call:sleep(1)
         log(pcall(all_of_them.wait, all_of_them))",
        "
        dial 1
        > Sleep(1s)
        > log error scripts/main.lua:4 a spawned function failed: wait: that function waits for this one, so neither could ever go on
        < done
        > log info scripts/main.lua:7 false scripts/main.lua:4: wait: that function waits for this one, so neither could ever go on
        > returns
        ",
    );
}

#[test]
fn the_line_serves_one_verb_at_a_time_and_tells_who_has_it() {
    check_body(
        "local music = spawn(function()
           call:play('music', { loop = true })
         end)
         call:sleep(1)
         log(pcall(call.say, call, 7))
         call:answer()
         call:sleep(1)
         music:cancel()
         call:play('bye')
         spawn(function() call:hangup() end)
         call:sleep(1)",
        "
        dial 1
        > Sleep(1s)
        > play en/music
        <1 done
        > log info scripts/main.lua:6 false scripts/main.lua:6: call:say: the line is busy with call:play at scripts/main.lua:3
        > answer
        < done
        > Sleep(1s)
        < done
        > cancel 2
        > play en/bye
        < played - 9
        > Sleep(1s)
        > Hangup { cause: Normal }
        over hung up by script
        ",
    );
}

#[test]
fn children_that_still_run_end_with_the_handler_and_with_the_call() {
    let body = "
        local function open(name)
          return setmetatable({}, { __close = function() log('closes', name) end })
        end
        call:on_hangup(function(cause) log('over', cause) end)
        local a <close> = open('handler')
        spawn(function()
          local b <close> = open('child')
          spawn(function() local c <close> = open('grandchild') call:sleep(3) end)
          call:sleep(2)
        end)
        call:sleep(1)";
    check_body(
        body,
        "
        dial 1
        > Sleep(1s)
        > Sleep(2s)
        > Sleep(3s)
        <1 done
        > log info scripts/main.lua:4 closes handler
        > log info scripts/main.lua:4 closes grandchild
        > log info scripts/main.lua:4 closes child
        > returns
        over script ended
        > log info scripts/main.lua:6 over script ended
        ",
    );
    check_body(
        body,
        "
        dial 1
        > Sleep(1s)
        > Sleep(2s)
        > Sleep(3s)
        over caller hung up
        > log info scripts/main.lua:4 closes grandchild
        > log info scripts/main.lua:4 closes child
        > log info scripts/main.lua:4 closes handler
        > log info scripts/main.lua:6 over caller hung up
        ",
    );
}

#[test]
fn a_route_entered_by_a_cancelled_function_is_left() {
    check(
        "route('1', function(call)
           log(within(1, function() call:go('2') end))
           log(call.to.user)
           for i = 1, 16 do race { function() call:go('3') end } end
         end)
         route('2', function(call) log(call.to.user) call:sleep(9) end)
         route('3', function() end)",
        "
        dial 1
        > Sleep(1s)
        > log info scripts/main.lua:6 2
        > Sleep(9s)
        <1 done
        > cancel 2
        > log info scripts/main.lua:2 false timeout
        > log info scripts/main.lua:3 1
        > returns
        ",
    );
}

#[test]
fn mistakes_in_the_arguments_are_told_at_their_line() {
    for (wrong, told) in [
        ("spawn()", "spawn: expected a function, got nil"),
        ("spawn(print, 1)", "spawn: too many arguments"),
        ("race {}", "race: needs at least one function"),
        ("race()", "race: expected a list of functions, got nil"),
        ("race(print, print)", "race: too many arguments"),
        ("all { print, 7 }", "all: expected a function, got a number"),
        ("all { a = print }", "all: takes a list of functions, without names or gaps"),
        ("within('5', print)", "within: expected seconds (a number), got a string"),
        ("within(-1, print)", "within: seconds must be 0 to 86400"),
        ("within(0/0, print)", "within: seconds must be 0 to 86400"),
        ("within(5)", "within: expected a function, got nil"),
        ("spawn(print).wait()", "wait: is called with a colon, as in child:wait()"),
        ("spawn(print):join()", "a spawned function has no \"join\"; there are wait and cancel"),
        ("spawn(print).x = 1", "a spawned function cannot be changed"),
        (
            "table.sort({ 1, 2 }, function() spawn(print):wait() end)",
            "spawn: cannot wait in a function called by string.gsub, table.sort, tostring or \
             require",
        ),
    ] {
        check_body(wrong, &format!("dial 1\n> fails scripts/main.lua:2: {told}"));
    }
    let at_load = load("spawn(print)").unwrap_err();
    assert_eq!(
        at_load[0].to_string(),
        "scripts/main.lua:1: spawn: works only while a call runs; use it inside of a route"
    );
    check_body(
        "local last <close> = setmetatable({}, { __close = function() spawn(print) end })
         call:sleep(1)",
        "
        dial 1
        > Sleep(1s)
        over caller hung up
        > problem scripts/main.lua:2: spawn: the call is over; <close> values cannot wait for anything
        ",
    );
}

#[test]
fn a_handle_of_another_call_is_refused() {
    let generation = generation(
        "kept = {}
         route('1', function(call)
           kept[1] = spawn(function() call:sleep(1) end)
           call:sleep(9)
         end)
         route('2', function(call)
           log(pcall(kept[1].wait, kept[1]))
           log(pcall(kept[1].cancel, kept[1]))
         end)",
        Limits::default(),
    );
    let mut first = start(&generation, "1");
    assert!(matches!(begin(&mut first), Step::Ask { .. }));
    check_on(
        &generation,
        "
        dial 2
        > log info scripts/main.lua:7 false scripts/main.lua:7: wait: the function belongs to another call
        > log info scripts/main.lua:8 false scripts/main.lua:8: cancel: the function belongs to another call
        > returns
        ",
    );
}

#[test]
fn a_child_that_computes_for_long_lets_the_others_go_on() {
    let generation = generation(
        &handler(
            "spawn(function() for i = 1, 200000 do end log('long') end)
             spawn(function() call:sleep(1) log('short') end)
             call:sleep(9)",
        ),
        Limits::default(),
    );
    let mut running = start(&generation, "1");
    assert!(matches!(begin(&mut running), Step::Ask { .. }));
    // The long one has its slices, and between two of them the other asks.
    assert_eq!(running.script.go_on(&now()), Step::Slice);
    let Step::Ask { id, .. } = running.script.go_on(&now()) else { panic!("the short one asks") };
    let mut step = running.script.resume(id, Outcome::Done, &now());
    while step == Step::Slice {
        step = running.script.go_on(&now());
    }
    assert_eq!(step, Step::Waiting);
    let logs: Vec<_> = generation.take_logs().into_iter().map(|line| line.text).collect();
    assert_eq!(logs, ["short", "long"]);
}

#[test]
fn an_outcome_that_nobody_waits_for_any_more_is_dropped() {
    let generation = generation(
        &handler("log(within(1, function() call:play('welcome') end)) call:sleep(1)"),
        Limits::default(),
    );
    let mut running = start(&generation, "1");
    let Step::Ask { id: timer, .. } = begin(&mut running) else { panic!("a timer") };
    let Step::Ask { id: play, .. } = begin(&mut running) else { panic!("a sound") };
    assert_eq!(running.script.resume(timer, Outcome::Done, &now()), Step::Cancel { id: play });
    for late in [play, timer] {
        let step = running.script.resume(late, Outcome::Done, &now());
        assert!(matches!(step, Step::Ask { .. } | Step::Waiting), "{step:?}");
    }
    assert_eq!(generation.take_logs()[0].text, "false timeout");
}

#[test]
fn whatever_ends_while_a_slice_ends_is_not_missed() {
    // A slice that ends between the look at a child and the wait for it: every length is tried.
    for padding in 0..260 {
        let limits = Limits { instructions_per_slice: 250, ..Limits::default() };
        let body = format!(
            "for i = 1, {padding} do end
             log(spawn(function() return 'a' end):wait())
             log(race {{ function() return 'b' end }})
             log(all {{ function() return 'c' end, function() for i = 1, 99 do end end }}[1])
             log(pcall(all, {{ function() end, function() error('d', 0) end }}))
             log(within(5, function() return 'e' end))
             local child = spawn(function() end)
             for i = 1, {padding} do end
             child:cancel()"
        );
        let generation = generation(&handler(&body), limits);
        let mut running = start(&generation, "1");
        let mut step = begin(&mut running);
        while matches!(step, Step::Ask { .. } | Step::Cancel { .. }) {
            step = begin(&mut running);
        }
        assert_eq!(step, Step::Returned, "{padding}");
        let logs: Vec<_> = generation.take_logs().into_iter().map(|line| line.text).collect();
        assert_eq!(logs, ["a", "1 b", "c", "false d", "true e"], "{padding}");
    }
}
