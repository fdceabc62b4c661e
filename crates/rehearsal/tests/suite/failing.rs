//! Every expectation can fail, and says what happened instead.

use rehearsal::Verdict;

use crate::stage::{run, told, with_script};

/// The dialplan of these tests; prompts last two seconds.
const SCRIPT: &str = r#"
route("1", function(call)
  call:answer()
  call:play { "main/welcome", "main/menu" }
  call:sleep(60)
end)

route("2", function(call)
  log.warn("nobody is here")
  call:reject(480, "Gone Fishing")
end)

route("3", function(call)
  call:answer()
  call:sleep(2)
  local nobody
  call:play(nobody.greeting)
end)

route("4", function(call)
  call:redirect { "sip:100@example.org", "sip:101@example.org" }
end)

route("5", function(call)
  call:queued { place = 1, music = "music/evening" }
  call:sleep(60)
end)

route("6", function(call)
  call:answer()
  while true do call:play("main/welcome") end
end)

route("1XX", function(call)
  local result = call:dial("ext/" .. call.to.user, { timeout = 10 })
  if result.status ~= "ANSWERED" then call:voicemail(call.to.user) end
end)
"#;

/// Runs one test with this body; it must fail in that line, with this expectation and that instead.
#[track_caller]
fn check(body: &str, line: u32, expected: &str, instead: &str) {
    let text = format!("test(\"fails\", function(t)\n{}\nend)\n", body.trim());
    let (reports, _) = run(with_script(SCRIPT), &text);
    let Verdict::Failed(failure) = &reports[0].verdict else { panic!("it passes:\n{text}") };
    let told = told(&reports[0]);
    assert_eq!(failure.expected, expected, "{told}");
    assert_eq!(failure.instead, instead, "{told}");
    assert_eq!(failure.at.first().map(|at| at.line), Some(line), "{told}");
}

#[test]
fn what_was_not_heard() {
    check(
        r#"
local caller = t:call { as = "100", to = "1" }
caller:hears("main/goodbye", { within = 3 })"#,
        3,
        "100 to hear \"main/goodbye\" within 3 s",
        "it heard:\n  0.000 to 2.000 s  \"en/main/welcome\"\n  since 2.000 s  \"en/main/menu\"",
    );
    check(
        r#"
local caller = t:call { as = "100", to = "1" }
caller:hears("main/menu")
caller:hears("main/welcome", { within = 1 })"#,
        4,
        "100 to hear \"main/welcome\" within 1 s",
        "it heard nothing after what was found before",
    );
    check(
        r#"
local caller = t:call { as = "100", to = "2" }
caller:hears("main/welcome", { within = 1 })"#,
        3,
        "100 to hear \"main/welcome\" within 1 s",
        "it heard nothing\nits call ended at 0.000 s with 480",
    );
    check(
        r#"
local caller = t:call { as = "100", to = "1" }
caller:hears({ "main/welcome", { say = 1 } }, { within = 5 })"#,
        3,
        "100 to hear { \"main/welcome\", { say = 1 } } within 5 s",
        "it heard:\n  0.000 to 2.000 s  \"en/main/welcome\"\n  2.000 to 4.000 s  \"en/main/menu\"",
    );
    check(
        r#"
local caller = t:call { as = "100", to = "1" }
caller:hears_nothing(5)"#,
        3,
        "100 to hear nothing for 5 s",
        "it heard \"en/main/welcome\" at 0.000 s",
    );
}

#[test]
fn how_a_call_went() {
    let call = |number: &str, then: &str| {
        format!("local caller = t:call {{ as = \"100\", to = \"{number}\" }}\n{then}")
    };
    for (number, then, expected, instead) in [
        (
            "2",
            "caller:is_answered()",
            "100 to be answered within 30 s",
            "its call ended at 0.000 s: refused with 480 Gone Fishing",
        ),
        (
            "5",
            "caller:is_answered { within = 5 }",
            "100 to be answered within 5 s",
            "it is neither answered nor refused after 182 Queued, place 1",
        ),
        (
            "1",
            "caller:is_refused(404)",
            "100 to be refused with 404 within 30 s",
            "it was answered at 0.000 s and goes on",
        ),
        (
            "2",
            "caller:is_refused(480, { reason = \"Gone\" })",
            "100 to be refused with 480 \"Gone\" within 30 s",
            "its call ended at 0.000 s: refused with 480 Gone Fishing",
        ),
        (
            "2",
            "caller:is_redirected(\"sip:100@\")",
            "100 to be sent to sip:100@ within 30 s",
            "its call ended at 0.000 s: refused with 480 Gone Fishing",
        ),
        (
            "4",
            "caller:is_redirected(\"sip:109@\")",
            "100 to be sent to sip:109@",
            "it was sent to <sip:100@example.org>, <sip:101@example.org>",
        ),
        (
            "4",
            "caller:is_redirected(\"sip:100@\", { code = 301 })",
            "100 to be sent to sip:100@ with 301 within 30 s",
            "its call ended at 0.000 s: refused with 302 Moved Temporarily",
        ),
        (
            "1",
            "caller:is_ended { within = 10 }",
            "100 to have its call ended within 10 s",
            "it was answered at 0.000 s and goes on",
        ),
        (
            "1",
            "caller:hangs_up() caller:is_ended { cause = \"cancelled\" }",
            "100 to have its call ended: cancelled within 30 s",
            "it was answered at 0.000 s and ended at 0.000 s: hung up",
        ),
        (
            "1",
            "caller:is_ringing()",
            "100 to be told that it rings (180) within 30 s",
            "it was answered at 0.000 s and goes on",
        ),
        (
            "1",
            "caller:sees { status = 183, within = 1 }",
            "100 to see 183 within 1 s",
            "it saw: 401 Unauthorized (INVITE), 200 OK (INVITE)",
        ),
        (
            "2",
            "caller:sees { status = 480, headers = { Reason = \"fish\" } }",
            "100 to see 480, Reason with \"fish\" within 30 s",
            "it saw: 401 Unauthorized (INVITE), 480 Gone Fishing (INVITE)",
        ),
        (
            "1",
            "caller:sees { method = \"BYE\", within = 1 }",
            "100 to see BYE within 1 s",
            "it saw: 401 Unauthorized (INVITE), 200 OK (INVITE)",
        ),
    ] {
        check(&call(number, then), 3, expected, instead);
    }
}

#[test]
fn who_was_rung_and_who_talks() {
    check(
        r#"
local bob = t:phone("101")
bob:rings { within = 2 }"#,
        3,
        "101 to ring within 2 s",
        "no call came in",
    );
    check(
        r#"
local bob = t:phone("101")
t:call { from = "12345", name = "Ann", to = "101" }
bob:rings { from = "54321", name = "Bea", within = 2 }"#,
        4,
        "101 to ring for 54321 (\"Bea\") within 2 s",
        "a call came in from 12345 (\"Ann\"), it still rings",
    );
    check(
        r#"
local bob = t:phone("101")
bob:answers { within = 2 }"#,
        3,
        "101 to ring within 2 s",
        "no call came in",
    );
    check(
        r#"
local bob = t:phone("101")
local alice = t:call { as = "100", to = "101" }
alice:talks_to(bob, { within = 2 })"#,
        4,
        "100 and 101 to hear each other within 2 s",
        "100 hears ringing, 101 hears nothing",
    );
    check(
        r#"
t:phone("101", { secret = "guessed" }):registers()"#,
        2,
        "101 to register",
        "the exchange refused it with 401",
    );
}

#[test]
fn what_was_kept() {
    check(
        r#"
t:mailbox("101"):has { from = "100", seconds = 3, name = "Ann", heard = false, within = 1 }"#,
        2,
        "a message of 3 s from 100 (\"Ann\") that nobody listened to in mailbox 101",
        "it is empty",
    );
    check(
        r#"
local caller = t:call { as = "100", to = "101" }
caller:hears("vm/unavailable", { within = 40 })
caller:says(1)
caller:hangs_up()
t:mailbox("101"):has { from = "100" }"#,
        6,
        "a message from 100 in mailbox 101",
        "it is empty: 100 spoke before the beep; caller:hears(\"beep\", { wholly = true }) waits for it",
    );
    check(
        r#"
local caller = t:call { as = "100", to = "101" }
caller:hears("beep", { wholly = true })
caller:says(4)
caller:hangs_up()
t:wait(1)
t:mailbox("101"):is_empty()"#,
        7,
        "mailbox 101 to be empty",
        "there is 3.8 s from 100",
    );
    check(
        r#"
local caller = t:call { as = "100", to = "2" }
t:record { to = "2", answered = true, within = 1 }"#,
        3,
        "the record of a call, to 2, answered true",
        "there is 100 to 2, not answered, 480, \"rejected by script\"",
    );
    check(
        r#"
t:call { as = "100", to = "2" }
t:logged("somebody is here", { within = 1 })"#,
        3,
        "a script to log a line with \"somebody is here\"",
        "one line was logged: \"nobody is here\"",
    );
    check(
        r#"
t:call { as = "100", to = "2" }
t:logged("nobody is here", { level = "error", within = 1 })"#,
        3,
        "a script to log a line with \"nobody is here\" at level error",
        "none was logged",
    );
}

#[test]
fn what_should_not_have_been_logged() {
    check(
        r#"
t:call { as = "100", to = "2" }:is_refused(480)
t:never_logged("somebody is here")
t:never_logged("nobody", { level = "error" })
t:never_logged("nobody", { level = "warn" })"#,
        5,
        "no line with \"nobody\" to be logged",
        "there is \"nobody is here\"",
    );
}

#[test]
fn a_webhook_that_does_not_answer_in_time() {
    let script = "webhook('/slow', function() sleep(20) return 'done' end)";
    let text = "test('fails', function(t)\n  t:equal(t:asks('POST', '/slow').body, 'done')\n  \
                t:asks('POST', '/slow', { within = 5 })\nend)\n";
    let (reports, _) = run(with_script(script), text);
    let Verdict::Failed(failure) = &reports[0].verdict else { panic!("it passes") };
    assert_eq!(failure.expected, "an answer to POST /slow within 5 s");
    assert_eq!(failure.instead, "there was none");
    assert_eq!(failure.at.first().map(|at| at.line), Some(3));
}

#[test]
fn values_that_differ() {
    check(
        "t:equal({ 1, a = \"x\" }, { 1, a = \"y\" }, \"the list\")",
        2,
        "the list: { 1, a = \"y\" }",
        "{ 1, a = \"x\" }",
    );
    check("t:equal(1, \"1\")", 2, "\"1\"", "1");
    check("t:equal({ 1 }, { 1, 2 })", 2, "{ 1, 2 }", "{ 1 }");
    check("assert(1 == 2, \"one is not two\")", 2, "", "one is not two");
    check("assert(false)", 2, "", "assertion failed!");
    check("error(\"as I said\")", 2, "", "as I said");
}

#[test]
fn a_script_that_fails_where_nobody_expects_it() {
    check(
        r#"
local caller = t:call { as = "100", to = "3" }
caller:hears("main/welcome")"#,
        3,
        "",
        "the dialplan failed: attempt to index a nil value (local 'nobody')",
    );
    check(
        r#"
t:call { as = "100", to = "3" }
t:wait(3)"#,
        3,
        "",
        "the dialplan failed: attempt to index a nil value (local 'nobody')",
    );
    check(
        "t:expects_error(\"attempt\") t:wait(1)",
        1,
        "a script to fail with \"attempt\"",
        "none did",
    );
}

#[test]
fn what_tests_ask_for_and_does_not_exist() {
    for (line, instead) in [
        ("t:cal {}", "t: there is no \"cal\"; did you mean \"call\"?"),
        ("t.call {}", "is called with a colon, as in t:call()"),
        ("t:call { too = \"1\" }", "t:call: no option \"too\"; did you mean \"to\"?"),
        (
            "t:call { to = \"1\", form = \"2\" }",
            "t:call: no option \"form\"; did you mean \"from\"?",
        ),
        (
            "t:call { to = \"1\", as = \"110\" }",
            "t:call: there is no account \"110\"; did you mean \"100\"?",
        ),
        ("t:phone(\"1o1\")", "t:phone: there is no account \"1o1\"; did you mean \"101\"?"),
        (
            "t:phone(\"101\", { answers = \"soon\" })",
            "t:phone: answers must be 0 to 3600 seconds, got \"soon\"",
        ),
        (
            "t:phone(\"101\", { refuses = 200 })",
            "t:phone: refuses must be a whole number from 400 to 699, got 200",
        ),
        (
            "t:phone(\"101\", { busy = true, answers = 1 })",
            "t:phone: `answers` and `busy` do not go together",
        ),
        ("t:phone(\"101\", \"busy\")", "t:phone: expected a table of options, got \"busy\""),
        ("t:mailbox(\"1\")", "t:mailbox: there is no mailbox \"1\""),
        ("t:at(\"yesterday\")", "t:at: \"yesterday\" is not a time; write \"2026-12-24 22:10\""),
        (
            "t:wait(1) t:at(\"2026-05-31\")",
            "t:at: it is 2026-06-01 10:00:01 already; time does not run backwards after the first phone or call",
        ),
        (
            "t:wait(1) t:weather { loses = 0.5 }",
            "t:weather: must come before the first phone or call; a phone may have `loses` of its own",
        ),
        (
            "t:target(\"gw.example.org\")",
            "t:target: `gw.example.org` is no SIP URI; write sip:NUMBER@HOST or sip:HOST",
        ),
        (
            "t:call { as = \"100\", to = \"1\" }:hears(\"main/welcom\")",
            "party:hears: there is no prompt, tone or party \"main/welcom\"; did you mean \"main/welcome\"?",
        ),
        (
            "t:call { as = \"100\", to = \"1\" }:hears { sya = 1 }",
            "party:hears: what has no \"sya\"; did you mean \"say\"?",
        ),
        (
            "t:call { as = \"100\", to = \"1\" }:presses(\"x\")",
            "party:presses: `x` is no key; keys are 0-9 A-D * #",
        ),
        ("t:call { as = \"100\", to = \"2\" }:presses(\"1\")", "party:presses: 100 is in no call"),
        (
            "t:call { as = \"100\", to = \"1\" }:says(0)",
            "party:says: seconds must be 0.02 to 86400 seconds, got 0",
        ),
        (
            "t:call { as = \"100\", to = \"1\" }:talks_to(\"101\")",
            "party:talks_to: other must be a party, got \"101\"",
        ),
        (
            "t:call { as = \"100\", to = \"1\" }:is_ended { cause = \"hang up\" }",
            "party:is_ended: cause cannot be \"hang up\"; did you mean \"hung up\"?",
        ),
        (
            "t:call { as = \"100\", to = \"1\" }:answer()",
            "party: there is no \"answer\"; did you mean \"answers\"?",
        ),
        (
            "t:call { as = \"100\", to = \"1\", headers = { [\"A:\"] = \"b\" } }",
            "t:call: headers: \"A:\" cannot be the name of a header",
        ),
        ("t.now = 3", "t: \"now\" of t cannot be set"),
        ("gen.digits(3, 2)", "gen.digits: 3 to 2 is no length; up to 10000 is possible"),
        ("gen.digit(3)", "attempt to call a nil value (field 'digit')"),
        ("caller:hears(\"x\")", "there is no global caller"),
        ("test(\"another\", function() end)", "test: cannot stand inside of a test"),
    ] {
        check(line, 2, "", instead);
    }
}

#[test]
fn what_never_ends() {
    check(
        "while true do end",
        2,
        "",
        "the test used up its instructions; is there an endless loop?",
    );
    check(
        "while true do pcall(function() while true do end end) end",
        2,
        "",
        "the test used up its instructions; is there an endless loop?",
    );
    check(
        "local list = {} while true do list[#list + 1] = {} end",
        2,
        "",
        "the test needs more memory than it may have; is there an endless recursion or a growing table?",
    );
}

#[test]
fn a_failure_in_a_helper_shows_the_way_there() {
    let text = r#"
local function greets(caller)
  caller:hears("main/goodbye", { within = 1 })
end

test("greets", function(t)
  local caller = t:call { as = "100", to = "2" }
  greets(caller)
end)
"#;
    let (reports, _) = run(with_script(SCRIPT), text);
    let expected = r#"
FAILED  greets
  scripts/tests/a.lua:3
      3 |   caller:hears("main/goodbye", { within = 1 })
        |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  called from
  scripts/tests/a.lua:8
      8 |   greets(caller)
        |   ^^^^^^^^^^^^^^

  expected  100 to hear "main/goodbye" within 1 s
  instead   it heard nothing
            its call ended at 0.000 s with 480

  Begins Monday, 2026-06-01 10:00:00.
              100                        exchange
     0.000     │───────── INVITE 2 ─────────>│
               │                             │ warns: nobody is here (scripts/main.lua:9)
               │<──── 480 Gone Fishing ──────│

"#;
    assert_eq!(told(&reports[0]), expected);
}

#[test]
fn a_script_that_fails_is_shown_with_its_line() {
    let text = r#"
test("is greeted", function(t)
  t:call { as = "100", to = "3" }:hears("main/welcome")
end)
"#;
    let (reports, _) = run(with_script(SCRIPT), text);
    let told = told(&reports[0]);
    let place = r#"
  scripts/main.lua:17
     17 |   call:play(nobody.greeting)
        |   ^^^^^^^^^^^^^^^^^^^^^^^^^^
"#;
    assert!(told.contains(place), "{told}");
}

#[test]
fn a_number_without_a_route_a_wrong_option_and_a_prompt_over_and_over() {
    check(
        "
t:call { as = \"100\", to = \"999\" }:hears(\"main/welcome\")",
        2,
        "100 to hear \"main/welcome\" within 30 s",
        "it heard nothing\nits call ended at 0.000 s with 404: no route is for that number",
    );
    check(
        "t:call { as = \"100\", too = \"1\" }",
        2,
        "",
        "t:call: no option \"too\"; did you mean \"to\"?",
    );
    check(
        "
local caller = t:call { as = \"100\", to = \"6\" }
caller:hears(\"main/goodbye\", { within = 9 })",
        3,
        "100 to hear \"main/goodbye\" within 9 s",
        "it heard:\n  since 0.000 s  \"en/main/welcome\", 5 times",
    );
}
