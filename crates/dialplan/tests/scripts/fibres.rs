//! Functions that run beside each other.

use crate::ladder::check_body;

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
