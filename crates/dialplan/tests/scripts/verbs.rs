//! What each verb asks for, what it gives back, and what it refuses.

use crate::ladder::{check, check_body};

#[test]
fn a_handler_answers_plays_and_hangs_up() {
    check_body(
        "call:answer()
         local heard = call:play { 'welcome', 'silence:0.5' }
         log.info(heard.digit, heard.interrupted, heard.ms)
         call:hangup()
         log.error('not reached')",
        "
        dial 1
        > answer
        < done
        > play en/welcome Silence(500ms)
        < played 7 1200
        > log info scripts/main.lua:4 7 true 1200
        > Hangup { cause: Normal }
        over hung up by script
        ",
    );
}

#[test]
fn a_dial_tells_status_code_time_and_who_answered() {
    check_body(
        "local r = call:dial('ext/101', { timeout = 25, music = 'music/evening',
           caller = { user = 99, name = 'Office' } })
         log(r.status, r.code, r.reason, r.secs, r.to)
         r = call:dial { 'ext/101', { to = 'sip:a@b:5070', delay = 2, timeout = 9 } }
         log(r.status, r.to)
         r = call:dial { { 'ext/101' }, { 'ext/102', 'ext/' .. 7 } }",
        "
        dial 1
        > Dial(Dial { rounds: [[Target { to: Extension(\"101\"), delay: 0ns, timeout: None }]], timeout: 25s, music: Some(Prompt(\"music/evening\")), caller: Some(Identity { user: Some(\"99\"), name: Some(\"Office\") }) })
        < dialed answered 200 ext/101
        > log info scripts/main.lua:4 ANSWERED 200 Reason 1.5 ext/101
        > Dial(Dial { rounds: [[Target { to: Extension(\"101\"), delay: 0ns, timeout: None }, Target { to: Uri(\"sip:a@b:5070\"), delay: 2s, timeout: Some(9s) }]], timeout: 30s, music: None, caller: None })
        < dialed noanswer 408
        > log info scripts/main.lua:6 NOANSWER nil
        > Dial(Dial { rounds: [[Target { to: Extension(\"101\"), delay: 0ns, timeout: None }], [Target { to: Extension(\"102\"), delay: 0ns, timeout: None }, Target { to: Extension(\"7\"), delay: 0ns, timeout: None }]], timeout: 30s, music: None, caller: None })
        < dialed chanunavail 480
        > returns
        ",
    );
}

#[test]
fn reading_gives_the_digits_or_why_there_are_none() {
    check_body(
        "log(call:read { prompt = 'menu', match = { '1XX', '9' }, timeout = 2.5, terminator = false })
         log(call:read { max = 4, tries = 3, invalid = { 'bye' } })",
        "
        dial 1
        > Read(Read { prompt: [Prompt(\"en/menu\")], digits_max: 3, timeout: 2.5s, between: 3s, terminator: None, tries: 1, accept: [\"1XX\", \"9\"], invalid: [] })
        < read 123
        > log info scripts/main.lua:2 123
        > Read(Read { prompt: [], digits_max: 4, timeout: 5s, between: 3s, terminator: Some('#'), tries: 3, accept: [], invalid: [Prompt(\"en/bye\")] })
        < read timeout
        > log info scripts/main.lua:3 nil timeout
        > returns
        ",
    );
}

const MENU: &str = "
    route('0', function(call)
      local digits, why = call:menu { prompt = 'menu', tries = 2,
        ['1'] = function(digits) log('one', digits) end,
        ['2'] = 'support',
        ['3XX'] = function(digits) log('extension', digits) end,
        timeout = function() call:dial 'ext/101' end,
        invalid = function() log 'wrong' end }
      log(digits, why)
    end)
    route('support', function(call) log('support', call.to.user) end)";

#[test]
fn a_menu_calls_the_function_or_the_route_of_the_choice() {
    let read = "> Read(Read { prompt: [Prompt(\"en/menu\")], digits_max: 3, timeout: 5s, between: 3s, terminator: Some('#'), tries: 2, accept: [\"1\", \"2\", \"3XX\"], invalid: [] })";
    check(
        MENU,
        &format!(
            "
            dial 0
            {read}
            < read 1
            > log info scripts/main.lua:4 one 1
            > log info scripts/main.lua:9 1 nil
            > returns
            dial 0
            {read}
            < read 2
            > log info scripts/main.lua:11 support support
            > log info scripts/main.lua:9 2 nil
            > returns
            dial 0
            {read}
            < read 345
            > log info scripts/main.lua:6 extension 345
            > log info scripts/main.lua:9 345 nil
            > returns
            dial 0
            {read}
            < read invalid
            > log info scripts/main.lua:8 wrong
            > log info scripts/main.lua:9 nil invalid
            > returns
            dial 0
            {read}
            < read timeout
            > Dial(Dial {{ rounds: [[Target {{ to: Extension(\"101\"), delay: 0ns, timeout: None }}]], timeout: 30s, music: None, caller: None }})
            < dialed busy 486
            > log info scripts/main.lua:9 nil timeout
            > returns
            "
        ),
    );
}

#[test]
fn a_menu_of_which_nothing_was_chosen_does_otherwise() {
    let read = "> Read(Read { prompt: [Prompt(\"en/menu\")], digits_max: 1, timeout: 2s, between: 3s, terminator: Some('#'), tries: 1, accept: [\"1\"], invalid: [Prompt(\"en/bye\")] })";
    check(
        "route('0', function(call)
           call:menu { prompt = 'menu', timeout = 2, invalid = 'bye', ['1'] = 700,
             otherwise = function(why) log('chose nothing:', why) end }
         end)
         route('1', function(call)
           log(call:menu { prompt = 'menu', timeout = 2, invalid = 'bye', ['1'] = 700,
             otherwise = '700' })
         end)
         route('700', function(call) log('in', call.to.user) end)",
        &format!(
            "
            dial 0
            {read}
            < read timeout
            > log info scripts/main.lua:3 chose nothing: timeout
            > returns
            dial 0
            {read}
            < read invalid
            > log info scripts/main.lua:3 chose nothing: invalid
            > returns
            dial 0
            {read}
            < read 1
            > log info scripts/main.lua:9 in 700
            > returns
            dial 1
            {read}
            < read timeout
            > log info scripts/main.lua:9 in 700
            > log info scripts/main.lua:6 nil timeout
            > returns
            "
        ),
    );
}

#[test]
fn going_runs_another_route_in_place_and_comes_back() {
    check(
        "route('2', function(call)
           log(call:go('1' .. '01'), call.to.user)
           log(call:go('9' .. '9'))
           log(call:go('1' .. '0'))
         end)
         route('1XX', function(call)
           log('here', call.to.user)
           call:answer()
         end)",
        "
        dial 2
        > log info scripts/main.lua:7 here 101
        > answer
        < done
        > log info scripts/main.lua:2 true 2
        > log info scripts/main.lua:3 false NONE
        > log info scripts/main.lua:4 false INCOMPLETE
        > returns
        ",
    );
}

#[test]
fn routes_inside_each_other_have_an_end() {
    check(
        "route('2', function(call) call:go('2') end)",
        "
        dial 2
        > fails scripts/main.lua:1: call:go: more than 16 routes inside each other
        ",
    );
}

#[test]
fn early_answers_carry_what_they_say() {
    check_body(
        "call:ringing()
         call:progress()
         call:queued { place = 2, music = 'music/evening' }
         call:queued()
         call:sleep(1.5)
         call:echo()",
        "
        dial 1
        > Ringing
        < done
        > Progress
        < done
        > Queued { place: Some(2), music: Some(Prompt(\"music/evening\")) }
        < done
        > Queued { place: None, music: None }
        < done
        > Sleep(1.5s)
        < done
        > Echo
        < done
        > returns
        ",
    );
}

#[test]
fn refusing_and_redirecting_carry_codes_reasons_headers_and_contacts() {
    for (line, verb) in [
        ("call:busy()", "Reject { code: 486, reason: None, headers: [] }"),
        (
            "call:reject(603, 'No', { headers = { ['X-B'] = 'b', ['X-A'] = 1 } })",
            "Reject { code: 603, reason: Some(\"No\"), headers: [(\"X-A\", \"1\"), (\"X-B\", \"b\")] }",
        ),
        (
            "return call:reject(480, { headers = { ['Retry-After'] = '5' } })",
            "Reject { code: 480, reason: None, headers: [(\"Retry-After\", \"5\")] }",
        ),
        (
            "call:redirect 'sip:a@b'",
            "Redirect { code: 302, targets: [RedirectTarget { uri: \"sip:a@b\", q: None }] }",
        ),
        (
            "call:redirect({ 'sip:a@b', { uri = 'tel:+43', q = 0.5 } }, { code = 300 })",
            "Redirect { code: 300, targets: [RedirectTarget { uri: \"sip:a@b\", q: None }, RedirectTarget { uri: \"tel:+43\", q: Some(0.5) }] }",
        ),
        ("call:hangup 'busy'", "Hangup { cause: Busy }"),
    ] {
        check_body(line, &format!("dial 1\n> {verb}"));
    }
}

#[test]
fn voicemail_and_recordings_give_their_words() {
    check_body(
        "log(call:voicemail('101', { reason = 'BUSY' }))
         log(call:voicemail(7 + 0))
         log(call:mailbox())
         local r = call:record { name = 'memo', max = 10, silence = 2, beep = false }
         log(r.ms, r.path)",
        "
        dial 1
        > Voicemail { mailbox: \"101\", reason: Busy }
        < voicemail success
        > log info scripts/main.lua:2 SUCCESS
        > Voicemail { mailbox: \"7\", reason: Unavailable }
        < voicemail empty
        > log info scripts/main.lua:3 EMPTY
        > Mailbox { mailbox: None }
        < mailbox refused
        > log info scripts/main.lua:4 REFUSED
        > Record(Record { name: Some(\"memo\"), max: 10s, silence: Some(2s), beep: false, terminator: Some('#') })
        < recorded 900 memo.wav
        > log info scripts/main.lua:6 900 memo.wav
        > returns
        ",
    );
}

#[test]
fn saying_becomes_prompts() {
    check_body(
        "call:say(42)
         call:say('42')
         call:say(time.now(), { as = 'time', barge = true })
         call:say('2026-11-23', { as = 'date' })
         call:say('ab', { as = 'spell' })",
        "
        dial 1
        > play en/numbers/40 en/numbers/2
        < played - 900
        > play en/digits/4 en/digits/2
        < played - 900
        > play en/numbers/2 en/time/oh en/numbers/5 en/time/pm
        < played - 900
        > play en/days/monday en/months/11 en/ordinals/23
        < played - 900
        > play en/letters/a en/letters/b
        < played - 900
        > returns
        ",
    );
}

#[test]
fn wrong_arguments_are_told_with_line_verb_and_what_was_expected() {
    for (line, problem) in [
        ("call:sleep('x')", "call:sleep: seconds: expected seconds (a number), got a string"),
        ("call:sleep(-1)", "call:sleep: seconds must be 0 to 86400 seconds, not -1"),
        ("call:sleep(0/0)", "call:sleep: seconds must be 0 to 86400 seconds, not NaN"),
        ("call:sleep()", "call:sleep: seconds is missing; expected seconds (a number)"),
        ("call:answer(1)", "call:answer: too many arguments"),
        ("return call:reject(200)", "call:reject: code must be 400 to 699, not 200"),
        (
            "call:redirect('sip:a@b', { code = 303 })",
            "call:redirect: code must be 300, 301, 302, 305 or 380, not 303",
        ),
        (
            "call:redirect('a' .. '@b')",
            "call:redirect: \"a@b\" is not a URI; expected sip:..., sips:... or tel:...",
        ),
        ("call:dial('1' .. '01')", "call:dial: \"101\" is not a target; did you mean \"ext/101\"?"),
        (
            "call:dial(nil)",
            "call:dial: to is missing; expected \"ext/...\", \"sip:...\", {to=...}, or a list of these",
        ),
        (
            "call:dial({ 'ext/101', { 'ext/102' } })",
            "call:dial: lists and single targets are mixed; write { {\"ext/1\"}, {\"ext/2\"} } to ring in turn, { \"ext/1\", \"ext/2\" } to ring together",
        ),
        (
            "call:dial('sip:a@b\\r\\nX: y')",
            "call:dial: to has a line end or another control character in it",
        ),
        (
            "call:dial('sip:a@b>' .. ';x=<')",
            "call:dial: \"sip:a@b>;x=<\" is not a target; expected \"ext/NAME\" or \"sip:USER@HOST\"",
        ),
        (
            "local n = '1@elsewhere.example;x=' call:dial('sip:' .. n .. '@gw')",
            "call:dial: \"sip:1@elsewhere.example;x=@gw\" has two @, so it may lead to another host than was meant; what comes from outside must be looked at before it becomes part of a URI",
        ),
        (
            "local n = '1@elsewhere.example?x=' call:redirect('sip:' .. n .. '@gw')",
            "call:redirect: \"sip:1@elsewhere.example?x=@gw\" has two @, so it may lead to another host than was meant; what comes from outside must be looked at before it becomes part of a URI",
        ),
        (
            "local n = '' call:dial('sip:' .. n .. '@gw')",
            "call:dial: \"sip:@gw\" has nothing before the @",
        ),
        (
            "local h = '' call:dial('sip:1@' .. h)",
            "call:dial: \"sip:1@\" has no host that can be called, as in \"sip:USER@HOST\"",
        ),
        (
            "local h = 'gw/x' call:dial('sip:1@' .. h)",
            "call:dial: \"sip:1@gw/x\" has no host that can be called, as in \"sip:USER@HOST\"",
        ),
        (
            "local p = 'x' call:dial('sip:1@[::1]:' .. p)",
            "call:dial: \"sip:1@[::1]:x\" has a port that is none; expected 1 to 65535",
        ),
        (
            "call:reject(403, 'a\\nb')",
            "call:reject: reason has a line end or another control character in it",
        ),
        (
            "call:reject(403, nil, { headers = { Via = 'x' } })",
            "call:reject: the header Via cannot be set by a script",
        ),
        (
            "local o = { timout = 1 } call:dial('ext/101', o)",
            "call:dial: no option \"timout\"; did you mean \"timeout\"?",
        ),
        (
            "call:play('wel' .. 'come2')",
            "call:play: no prompt \"welcome2\"; did you mean \"welcome\"?",
        ),
        ("call:play({})", "call:play: sounds is an empty list"),
        ("call:read { max = 65 }", "call:read: max must be 1 to 64, not 65"),
        (
            "local o = { ['1'] = print, otherwise = true } call:menu(o)",
            "call:menu: otherwise: expected a function, or the number of a route, got a boolean",
        ),
        (
            "local o = { ['1'] = true } call:menu(o)",
            "call:menu: 1: expected a function, or the number of a route, got a boolean",
        ),
        ("call:menu {}", "call:menu: has no choices; write [\"1\"] = function() ... end"),
        (
            "call:hangup('bus' .. 'i')",
            "call:hangup: cause must be one of \"normal\", \"busy\", \"congestion\", \"unallocated\", \"rejected\"; did you mean \"busy\"?",
        ),
        (
            "call:record { name = '../x' }",
            "call:record: name must be letters, digits, - and _, up to 100 of them",
        ),
        ("call:on_hangup(1)", "call:on_hangup: expected a function, got a number"),
        ("call.answer()", "call:answer: is called with a colon, as in call:answer()"),
    ] {
        check_body(line, &format!("dial 1\n> fails scripts/main.lua:2: {problem}"));
    }
}

#[test]
fn a_fault_of_the_switch_is_an_error_at_the_verb_that_can_be_caught() {
    check_body(
        "log(pcall(call.record, call))
         return call:echo()",
        "
        dial 1
        > Record(Record { name: None, max: 120s, silence: None, beep: true, terminator: Some('#') })
        < fault the disk is full
        > log info scripts/main.lua:2 false scripts/main.lua:2: call:record: the disk is full
        > Echo
        < fault no media
        > fails scripts/main.lua:3: call:echo: no media
        ",
    );
}

#[test]
fn hang_up_closes_where_it_stands_then_calls_the_functions_with_the_cause() {
    check_body(
        "local guard <close> = setmetatable({}, { __close = function() log 'closed' end })
         call:on_hangup(function(cause, code) log(cause, code, call.from.user) end)
         call:on_hangup(function() call:answer() end)
         pcall(function() while true do call:sleep(1) end end)
         log 'not reached'",
        "
        dial 1
        > Sleep(1s)
        < done
        > Sleep(1s)
        over caller hung up
        > log info scripts/main.lua:2 closed
        > log info scripts/main.lua:3 caller hung up 487 102
        > problem scripts/main.lua:4: call:answer: the call is over; on_hangup functions and <close> values cannot use verbs
        over again
        ",
    );
}

#[test]
fn the_functions_run_after_a_return_and_after_an_error() {
    check_body(
        "call:on_hangup(function(cause) log(cause) end)",
        "
        dial 1
        > returns
        over hung up by script
        > log info scripts/main.lua:2 hung up by script
        ",
    );
    check_body(
        "local guard <close> = setmetatable({}, { __close = function(_, e) log('closed', e) end })
         call:on_hangup(function(cause) log(cause) end)
         error('oops')",
        "
        dial 1
        > log info scripts/main.lua:2 closed scripts/main.lua:4: oops
        > fails scripts/main.lua:4: oops
        over failed
        > log info scripts/main.lua:3 failed
        ",
    );
}

#[test]
fn a_verb_of_another_call_or_of_a_dead_one_is_an_error() {
    check(
        "local kept = {}
         route('1', function(call) kept.call = call; call:answer() end)
         route('2', function(call) kept.call:answer() end)
         route('3', function(call) log(pcall(function() return kept.call.from end)) end)",
        "
        dial 1
        > answer
        dial 2
        > fails scripts/main.lua:3: call:answer: this call is over, or is not the one this script runs for
        dial 3
        > log info scripts/main.lua:4 false scripts/main.lua:4: call.from: this call is over, or is not the one this script runs for
        > returns
        ",
    );
}

#[test]
fn waiting_inside_a_function_that_cannot_wait_says_so() {
    for line in [
        "('a'):gsub('a', function() call:answer() end)",
        "table.sort({ 2, 1 }, function() call:answer() end)",
        "tostring(setmetatable({}, { __tostring = function() call:answer() end }))",
    ] {
        check_body(
            line,
            "dial 1
            > fails scripts/main.lua:2: call:answer: cannot wait in a function called by string.gsub, table.sort, tostring or require",
        );
    }
}

#[test]
fn verbs_wait_inside_pcall_loops_and_metamethods() {
    check_body(
        "local t = setmetatable({}, { __index = function() call:answer() return 5 end })
         log(pcall(function() return t.x end))
         for _ in (function() call:ringing() end) do end",
        "
        dial 1
        > answer
        < done
        > log info scripts/main.lua:3 true 5
        > Ringing
        < done
        > returns
        ",
    );
}
