//! What scripts have spoken, and what callers hear of it.

use rehearsal::Verdict;

use crate::stage::{passes, run, told, with_script};

const SCRIPT: &str = r#"
route("order", function(call)
  call:answer()
  local spoken = call:speak("Your order\n  12 is ready.")
  if spoken.why then
    log.info("not spoken:", spoken.why)
    call:say(12)
  end
  call:hangup()
end)

route("menu", function(call)
  call:answer()
  local digit = call:read { prompt = { "main/welcome", { speak = "Hello" } }, max = 1 }
  if digit then call:speak(digit) end
end)
"#;

#[test]
fn a_text_is_heard_as_itself_or_as_a_part_of_it() {
    passes(
        with_script(SCRIPT),
        r#"
test("whole and in part", function(t)
  local caller = t:call { as = "100", to = "order" }
  caller:hears("Your order 12 is ready.")
  caller:is_ended()
end)
test("a part, over two lines", function(t)
  t:call { as = "100", to = "order" }:hears { speak = "12 is\n  ready" }
end)
test("it lasts as long as somebody takes to say it", function(t)
  local began = t.now
  t:call { as = "100", to = "order" }:is_ended()
  local lasts = t.now - began
  assert(lasts > 1.6 and lasts < 2.0, lasts)
end)
test("among prompts, one word, and a number", function(t)
  local caller = t:call { as = "100", to = "menu" }
  caller:hears { "main/welcome", { speak = "Hello" } }
  caller:presses("7")
  caller:hears { speak = 7 }
end)
"#,
    );
}

#[test]
fn a_synthesiser_can_be_slow_or_fail() {
    passes(
        with_script(SCRIPT),
        r#"
test("slow", function(t)
  t:speech { delay = 4 }
  local caller = t:call { as = "100", to = "order" }
  caller:hears_nothing(3)
  caller:hears("order 12")
end)
for _, why in ipairs { "timeout", "busy", "broken" } do
  test("fails: " .. why, function(t)
    t:speech { fails = why }
    local caller = t:call { as = "100", to = "order" }
    t:logged("not spoken: " .. why)
    caller:hears { say = 12 }
  end)
end
test("never", function(t)
  t:speech { delay = 3600 }
  t:call { as = "100", to = "order" }
  t:logged("not spoken: timeout")
end)
test("well again", function(t)
  t:speech { fails = "broken" }
  t:speech()
  t:call { as = "100", to = "order" }:hears("order 12")
end)
"#,
    );
}

#[test]
fn what_was_heard_instead_and_what_cannot_be_heard_is_told() {
    for (body, parts) in [
        (
            "t:call { as = '100', to = 'order' }:hears('Your order 13')",
            &["\"Your order 13\"", "\"Your order 12 is ready.\""][..],
        ),
        ("t:call { as = '100', to = 'order' }:hears { speak = {} }", &["speak cannot be"]),
        ("t:speech { fails = 'cold' }", &["use timeout, busy, broken"]),
    ] {
        let text = format!("test('fails', function(t)\n{body}\nend)\n");
        let (reports, _) = run(with_script(SCRIPT), &text);
        assert!(!matches!(reports[0].verdict, Verdict::Passed), "it passes:\n{text}");
        let told = told(&reports[0]);
        for part in parts {
            assert!(told.contains(part), "no {part} in\n{told}");
        }
    }
}
