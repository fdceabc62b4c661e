//! Trees of whole dialplans, as they are printed.
//!
//! Each text begins with a script. Every line `$ explain FROM TO ...` below it is a question, and what
//! stands beneath is the answer: exactly that, with the options of the command line. It is Sunday,
//! 22 November 2026, 03:00 in Berlin; there are extensions and mailboxes 100 to 102, and the trusted
//! network `telco`, 203.0.113.0/24.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm
)]

mod office;
mod shipped;

use explain::Unexplained;
use office::{Made, SHORT, answer};

/// Asks every question of `text` and compares.
#[track_caller]
fn check(text: &str) {
    let (script, questions) = text.split_once("\n$ explain ").unwrap();
    let made = Made::of_script(script);
    for question in questions.trim_end().split("\n$ explain ") {
        let (question, expected) = question.split_once('\n').unwrap_or((question, ""));
        let (question, expected) = (question.trim(), expected.trim_end());
        let answered = answer(&made, question);
        assert_eq!(answered.trim_end(), expected, "$ explain {question}\n{answered}");
        assert_eq!(answer(&made, question), answered, "not the same when it is asked again");
    }
}

macro_rules! trees {
    ($($name:ident $file:literal)*) => {
        $(
            #[test]
            fn $name() {
                check(include_str!(concat!($file, ".txt")));
            }
        )*
    };
}

trees! {
    a_dial_has_a_branch_for_each_answer_and_the_same_is_told_once "dial"
    rounds_delays_and_missing_extensions_are_told "rounds"
    three_wrong_tries_are_told_as_a_loop_with_an_end "tries"
    a_menu_that_comes_again_is_told_once "menu"
    where_anything_may_be_typed_what_the_script_compares_with_is_tried "typed"
    a_mistake_in_one_branch_is_found_and_the_others_go_on "fault"
    endless_loops_end_at_a_bound_that_is_told "endless"
    of_two_things_that_run_beside_each_other_each_may_end_first "race"
    what_is_given_leaves_only_its_branch "given"
    functions_for_the_hang_up_are_told_where_they_run "hangup"
    every_way_begins_with_the_scripts_as_they_were_loaded "modules"
    strangers_reach_public_routes_only "strangers"
    messages_and_mailboxes_have_their_own_ends "messages"
    what_is_played_for_ever_ends_with_the_caller "sounds"
    other_programs_and_the_database_have_answers_of_their_own "outside"
    functions_for_events_run_while_others_talk "events"
    functions_without_a_call_have_trees_of_their_own "jobs"
}

#[test]
fn what_is_too_much_is_cut_and_said() {
    let script = r#"
        route("1", function(call)
            for n = 100, 102 do
                local result = call:dial("ext/" .. n)
                log.info(n, result.status, result.code)
            end
        end)
    "#;
    let made = Made::of_script(script);
    let whole = made.explain("101 1", |_| {});
    assert_eq!((whole.ways, whole.notes.len()), (125, 0));

    let shallow = made.explain("101 1", |question| question.bounds.depth = 1);
    assert_eq!(shallow.ways, 5);
    assert_eq!(shallow.notes, ["cut at 5 places, one choice deep; --depth 2 follows further"]);

    let few = made.explain("101 1", |question| question.bounds.ways = 20);
    assert!(few.ways <= 21, "{}", few.ways);
    assert!(few.notes[0].starts_with("not followed at"), "{:?}", few.notes);

    let short = made.explain("101 1", |question| question.bounds.verbs = 2);
    assert_eq!(short.notes, ["cut at 25 places after 2 verbs on one way"]);
}

#[test]
fn what_all_ways_run_together_has_an_end_that_is_told() {
    let busy_at_load = r#"
        for _ = 1, 1000000 do end
        route("1", function(call)
            for n = 100, 102 do call:dial("ext/" .. n) end
        end)
    "#;
    let busy_on_one_way = r#"
        route("1", function(call)
            for _ = 1, 100 do
                for _ = 1, 1000000 do end
                call:sleep(1)
            end
        end)
    "#;
    let bounded = |script, instructions| {
        let made = Made::of_script(script);
        made.explain("101 1", |question| question.bounds.instructions = instructions)
    };
    // Each way loads the scripts once, and half of it all is for a second walk.
    let told = bounded(busy_at_load, 20_000_000);
    assert_eq!(told.ways, 9);
    let note = "after 10 million Lua instructions on 9 ways; each way loads the scripts anew, with 1 \
                million of them; what is given with --given leaves fewer ways";
    assert_eq!(told.notes.len(), 1);
    assert!(told.notes[0].starts_with("not followed at "), "{:?}", told.notes);
    assert!(told.notes[0].ends_with(note), "{:?}", told.notes);
    let cut = "… not followed: all ways together ran too much Lua\n";
    assert!(told.draw(SHORT).contains(cut), "{}", told.draw(SHORT));
    let json = told.to_json().to_string();
    assert!(
        json.contains(r#"{"cut":"not followed: all ways together ran too much Lua"}"#),
        "{json}"
    );

    let told = bounded(busy_on_one_way, 20_000_000);
    assert!(told.draw(SHORT).contains(cut), "{}", told.draw(SHORT));
    assert!(
        told.notes[0].starts_with("not followed at one place after 10 million"),
        "{:?}",
        told.notes
    );

    // What is usual is nowhere near it.
    for script in [busy_at_load, busy_on_one_way] {
        assert!(bounded(script, 500_000_000).notes.is_empty());
    }
}

#[test]
fn a_caller_whose_script_fails_hears_the_apology() {
    let mut made = Made::of_script("route('1', function(call) call:answer() error('oh') end)");
    made.config.apology = Some("main/wrong".to_owned());
    let drawn = made.explain("101 1", |_| {}).draw(SHORT);
    let expected = "├ answers\n├ apologises: main/wrong \"That is not right.\"\n\
                    └ the script fails: scripts/main.lua:1: oh: BYE\n";
    assert!(drawn.ends_with(expected), "{drawn}");
}

#[test]
fn mistakes_of_the_scripts_are_told_instead_of_a_tree() {
    let made = Made::of_script("route('1', function(call) call:anser() end)");
    let Unexplained::Scripts(errors) = made.try_explain("101 1").unwrap_err() else {
        panic!("the scripts are not to blame");
    };
    assert!(errors[0].message.contains("there is no verb call:anser"), "{errors:?}");
}

/// Everything that the tree says is there for programs, too.
#[test]
fn programs_get_the_same_tree() {
    let script = r#"
route("1", function(call)
  if call:dial("ext/100", { timeout = 20 }).status ~= "ANSWERED" then call:play("main/busy") end
end)
"#;
    let made = Made::of_script(script);
    let question = |question: &mut explain::Question| {
        question.given = vec![explain::Given::parse("ext/100=busy").unwrap()];
    };
    let got = made.explain("101 1", question).to_json();
    let at = |line: u32| serde_json::json!({ "file": "scripts/main.lua", "line": line });
    let with = |mut place: serde_json::Value, rest: serde_json::Value| {
        place.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        place
    };
    let expected = serde_json::json!({
        "from": "101",
        "to": "1",
        "at": "2026-11-22T03:00:00+01:00[Europe/Berlin]",
        "caller": "an account",
        "ways": 1,
        "subject": "call",
        "calls": [],
        "notes": [],
        "routes": [with(at(2), serde_json::json!({ "pattern": "1", "public": false }))],
        "tree": {
            "steps": [
                with(at(3), serde_json::json!({
                    "verb": "dial",
                    "words": "rings ext/100 for 20 s",
                    "more": "given: busy",
                    "sounds": [],
                    "rings": [{
                        "target": "ext/100", "round": 1, "after": 0.0, "seconds": 20.0, "problem": null,
                    }],
                })),
                with(at(3), serde_json::json!({
                    "verb": "play",
                    "words": "plays",
                    "more": "unanswered",
                    "sounds": [{ "name": "main/busy", "text": "Sorry, busy.", "seconds": 1.5 }],
                    "rings": [],
                })),
            ],
            "then": { "end": {
                "how": "refused", "code": 486, "or": [], "cause": "not answered",
                "words": "Busy Here", "afterwards": [],
            } },
        },
    });
    assert_eq!(got, expected, "{got:#}");
}
