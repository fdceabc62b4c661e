//! What tests can say, on small dialplans.

use rehearsal::Options;

use crate::stage::{options, passes, run_suite, suite, with_script};

const NIGHT: &str = r#"
route("support", { public = true }, function(call)
  if not time.open("mon-fri 08:30-17:30") then
    call:answer()
    call:menu { prompt = "main/queue-sorry",
      ["1"] = function() call:voicemail("100") end }
  end
end)
"#;

#[test]
fn a_story_reads_as_one_would_tell_it() {
    passes(
        with_script(NIGHT),
        r#"
test("a caller at night can leave a message for support", function(t)
  t:at("2026-12-24 22:10")
  local caller = t:call { from = "+6621234567", to = "support" }
  caller:hears("main/queue-sorry")
  caller:press("1")
  caller:hears("beep", { wholly = true })
  caller:says(4.0)
  caller:hangup()
  t:mailbox("100"):has { from = "+6621234567", seconds = 4 }
end)
"#,
    );
}

#[test]
fn a_prompt_that_follows_itself_is_heard_twice() {
    passes(
        with_script(
            r#"
route("1", function(call)
  call:answer()
  call:play { "digits/1", "digits/1", "silence:1", "digits/1" }
  call:play("digits/1")
end)
"#,
        ),
        r#"
test("four times", function(t)
  local caller = t:call { as = "100", to = "1" }
  caller:hears { "digits/1", "digits/1", "digits/1" }
  caller:hears("digits/1")
  caller:is_ended()
  local count = 0
  for _, heard in ipairs(caller:heard()) do
    if heard.what == "en/digits/1" then count = count + 1 end
  end
  t:equal(count, 4)
end)
"#,
    );
}

#[test]
fn tests_that_have_no_time_left_are_counted_and_not_begun() {
    let stage = with_script("route('1', function(call) call:busy() end)");
    let text = "for n = 1, 3 do test('test ' .. n, function(t) t:wait(1) end) end";
    let suite = suite(&stage, text);
    let options = Options { until: Some(stage.start), ..options() };
    let (reports, run) = run_suite(stage, suite, &options).unwrap();
    assert_eq!((reports.len(), run.left_out), (0, 3));
}

#[test]
fn sound_gets_lost_as_messages_do_and_what_is_heard_forgives_some_of_it() {
    let stage = with_script(
        r#"
        route("1", function(call)
          call:answer()
          local key = call:read { prompt = "main/enter-digits", max = 3, timeout = 9 }
          log.info("typed " .. tostring(key))
          call:record { name = "note", max = 3 }
          call:sleep(60)
        end)
        "#,
    );
    passes(
        stage,
        r#"
        test("a phone that loses some", function(t)
          local caller = t:call { as = "100", to = "1", loses = 0.2 }
          caller:hears("main/enter-digits")
          t:wait(5)
          local whole = caller:heard()[1]
          local share = whole.lost / (whole.to - whole.from)
          assert(share > 0.1 and share < 0.3, share)
          caller:presses("123")
          t:logged("typed 123")
        end)
        test("nobody understands what is nearly all lost", function(t)
          local caller = t:call { as = "100", to = "1", loses = 1 }
          t:wait(70)
          assert(not pcall(caller.hears, caller, "main/enter-digits", { within = 1 }))
        end)
        test("wholly forgives a tenth", function(t)
          local caller = t:call { as = "100", to = "1", loses = 0.25 }
          local ok, problem = pcall(caller.hears, caller, "main/enter-digits", { wholly = true })
          assert(not ok)
          local told = "it heard it with gaps: %d%.%d of 1%.%d s got lost in the network"
          assert(tostring(problem):find(told), problem)
        end)
        "#,
    );
}
