//! Properties: cases, the smallest that fails, and that all of it repeats.

use rehearsal::{Case, Options, Verdict};

use crate::stage::{options, passes, run, run_suite, suite, told, with_script};

const SCRIPT: &str = r#"
route("X.", function(call)
  -- Refuses what has two sevens in a row, which nobody thought of.
  if call.to.user:find("77", 1, true) then call:reject(500) end
  call:busy()
end)
"#;

/// The case that is shown for a property with this body, and what is told of it.
fn case(cases: &str, body: &str, seed: u64) -> (Case, String) {
    let text = format!(
        "test('p', function(t)\n  t:forall({cases}, function(t, case)\n    {body}\n  end)\nend)\n"
    );
    let stage = with_script(SCRIPT);
    let all = suite(&stage, &text);
    let (reports, _) = run_suite(stage, all, &Options { seed, ..options() }).unwrap();
    let Verdict::Failed(failure) = &reports[0].verdict else { panic!("it passes:\n{text}") };
    (failure.case.clone().unwrap(), told(&reports[0]))
}

#[test]
fn the_case_that_is_shown_is_the_simplest() {
    for (cases, body, smallest) in [
        (
            "{ digits = gen.digits(2, 8) }",
            "t:call { as = '100', to = case.digits }:is_refused(486)",
            "{ digits = \"77\" }",
        ),
        ("{ n = gen.whole(-1000, 1000) }", "assert(case.n < 300)", "{ n = 300 }"),
        ("{ n = gen.whole(-1000, 1000) }", "assert(case.n > -300)", "{ n = -300 }"),
        ("{ after = gen.seconds(0, 60) }", "assert(case.after <= 12.5)", "{ after = 12.501 }"),
        (
            "{ list = gen.list(gen.whole(0, 99)) }",
            "for i = 2, #case.list do assert(case.list[i - 1] <= case.list[i]) end",
            "{ list = { 1, 0 } }",
        ),
        (
            "{ who = gen.one_of { 'ann', 'bea', 'cleo' }, loud = gen.boolean() }",
            "assert(case.who ~= 'bea')",
            "{ loud = false, who = \"bea\" }",
        ),
        (
            "{ name = gen.optional(gen.text(0, 9)) }",
            "assert(case.name == nil or utf8.len(case.name) < 3)",
            "{ name = \"aaa\" }",
        ),
        (
            "{ at = gen.time('2026-01-01', '2026-12-31') }",
            "assert(case.at < '2026-07')",
            "{ at = \"2026-07-01 00:00\" }",
        ),
        (
            "{ t = gen.map(gen.whole(0, 9), function(n) return { n, n } end) }",
            "assert(case.t[1] < 4)",
            "{ t = { 4, 4 } }",
        ),
        (
            "{ deep = { gen.key(), also = { gen.whole(5, 9) } } }",
            "error('always')",
            "{ deep = { \"0\", also = { 5 } } }",
        ),
    ] {
        let (case, told) = case(cases, body, 1);
        assert_eq!(case.value, smallest, "{told}");
    }
}

#[test]
fn the_same_seed_finds_the_same_case_and_another_seed_the_same_simplest() {
    let find = |seed| case("{ n = gen.whole(0, 100000) }", "assert(case.n < 40000)", seed);
    let strip = |(case, told): (Case, String)| (case, told);
    assert_eq!(strip(find(3)), strip(find(3)));
    let (one, other) = (find(3).0, find(4).0);
    assert_eq!(one.value, other.value);
    assert_eq!(one.value, "{ n = 40000 }");
}

#[test]
fn a_simpler_case_that_fails_elsewhere_is_not_shown() {
    let (case, told) =
        case("{ n = gen.whole(0, 1000) }", "assert(case.n < 500)\n    assert(case.n ~= 7)", 1);
    assert!(case.value == "{ n = 500 }" || case.value == "{ n = 7 }", "{told}");
}

#[test]
fn each_case_has_an_office_of_its_own() {
    passes(
        with_script(SCRIPT),
        r#"
local times = 0
before(function(t)
  times = times + 1
  t:at("2026-12-24 22:10")
end)

test("cases begin anew", function(t)
  t:forall({ n = gen.whole(0, 9) }, function(t, case)
    t:equal(time.date("%H:%M:%S"), "22:10:00")
    t:equal(t.now, 0)
    t:call { as = "100", to = "12" }:is_refused(486)
    t:wait(case.n)
  end, { runs = 7 })
  t:equal(times, 8)
end)
"#,
    );
}

#[test]
fn how_many_cases_ran_is_up_to_the_test() {
    passes(
        with_script(SCRIPT),
        r#"
test("as many as wanted", function(t)
  local count = 0
  t:forall({}, function() count = count + 1 end, { runs = 31 })
  t:equal(count, 31)
  t:forall({}, function() count = count + 1 end)
  t:equal(count, 131)
end)
"#,
    );
}

#[test]
fn a_call_that_is_left_over_or_a_script_that_fails_fails_its_case() {
    let script = "route('1', function(call)\n  call:answer()\n  call:sleep(3)\n  call.vars.nothing.at.all()\nend)";
    let text = "test('p', function(t)\n  t:forall({ wait = gen.whole(0, 60) }, function(t, case)\n    \
                t:call { as = '100', to = '1' }\n    t:wait(case.wait)\n  end)\nend)";
    let (reports, _) = run(with_script(script), text);
    let Verdict::Failed(failure) = &reports[0].verdict else { panic!("it passes") };
    assert_eq!(failure.case.as_ref().unwrap().value, "{ wait = 3 }", "{}", told(&reports[0]));
}
