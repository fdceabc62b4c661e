//! Plays the cases in `tests/*.lua`: scripts in which each finding stands under what it marks.
//!
//! ```lua
//! -- case: what it shows
//!   route("1", function(call)
//!     call:awnser()
//! --       ^^^^^^ unknown-verb: there is no verb call:awnser (did you mean call:answer?)
//!   end)
//! ```
//!
//! `-- file: lib/x.lua` begins another file of the same case; the first is `main.lua`.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::verbs::{Kind, Library, OptionSpec, VerbSpec};

#[test]
fn what_is_called_and_with_what() {
    play(include_str!("tests/calls.lua"));
}

#[test]
fn what_exists_outside_of_the_scripts() {
    play(include_str!("tests/outside.lua"));
}

#[test]
fn names_and_functions() {
    play(include_str!("tests/names.lua"));
}

#[test]
fn what_can_follow_what() {
    play(include_str!("tests/flow.lua"));
}

#[test]
fn routes_and_files() {
    play(include_str!("tests/routes.lua"));
}

#[test]
fn syntax_and_comments() {
    play(include_str!("tests/syntax.lua"));
}

/// Scripts that are right, and look a little as if they were not.
#[test]
fn what_is_right_has_no_findings() {
    let cases = include_str!("tests/right.lua");
    assert!(!cases.contains('^'));
    play(cases);
}

#[test]
fn every_code_is_shown_in_a_case() {
    let cases = [
        include_str!("tests/calls.lua"),
        include_str!("tests/outside.lua"),
        include_str!("tests/names.lua"),
        include_str!("tests/flow.lua"),
        include_str!("tests/routes.lua"),
        include_str!("tests/syntax.lua"),
    ]
    .concat();
    for code in Code::ALL {
        assert!(cases.contains(&format!("^ {}: ", code.name())), "{}", code.name());
    }
}

#[test]
fn a_finding_in_a_line_without_end_holds_only_the_beginning_of_it() {
    let text =
        format!("route('1', function(call) call:answer() {} end)", "print(fooo) ".repeat(500));
    let files = [("main.lua".to_owned(), text)];
    let found = findings(&Sources { files: files.into() }, &Sources::default());
    assert!(found.len() > 400);
    assert!(found.iter().all(|finding| finding.source_line.len() <= LINE_BYTES_MAX));
    assert_eq!(found[400].line, 1);
}

#[test]
fn a_finding_knows_its_line_and_length() {
    let text = "route('1', function(call)\n  call:play { 'ü', [[wel\ncome]] }\nend)";
    let files = [("main.lua".to_owned(), text.to_owned())];
    let found = findings(&Sources { files: files.into() }, &Sources::default());
    let places: Vec<_> = found.iter().map(|f| (f.line, f.column, f.length)).collect();
    // What goes over the end of the line is cut there.
    assert_eq!(places, [(2, 15, 4), (2, 21, 5)]);
    assert_eq!(found[0].source_line, "  call:play { 'ü', [[wel");
    assert_eq!(found[0].severity, Severity::Error);
    assert_eq!(found[0].file, "scripts/main.lua");
}

#[test]
fn verbs_that_help_names_exist() {
    let texts = [
        include_str!("calls.rs"),
        include_str!("globals.rs"),
        include_str!("routes.rs"),
        include_str!("shared.rs"),
        include_str!("flow/walker.rs"),
    ];
    let named = texts.iter().flat_map(|text| text.split("call:").skip(1)).filter_map(|rest| {
        let name = rest.split(|c: char| !c.is_ascii_alphabetic() && c != '_').next()?;
        (!name.is_empty()).then_some(name)
    });
    let named: BTreeSet<&str> = named.collect();
    assert!(named.contains("hangup"), "{named:?}");
    for name in named {
        assert!(crate::verbs::verb_spec(name).is_some(), "call:{name}");
    }
}

#[test]
fn the_languages_that_can_be_named_can_be_spoken() {
    for language in crate::say::languages() {
        assert!(crate::say_prompts(language).is_some(), "{language}");
    }
}

#[test]
fn a_long_script_is_checked_in_time_that_grows_as_it_does() {
    let part = "  local n = call.vars.n\n  call:play('welcome')\n  if n then call:go('1') end\n";
    for (open, middle, close) in [
        ("route('1', function(call)\n", part, "end)"),
        ("route('1', function(call)\n", "if call.vars.x then ", "call:answer() end end)"),
        (
            "local a0 = 'x'\n",
            "local a0 = a0 .. a0\n",
            "route('1', function(call) call:play(a0) end)",
        ),
        (
            "local a0 = x\n",
            "local a0 = a0 and a0 or a0\n",
            "route(a0, function(call) call:play(a0) end)",
        ),
        ("", "local function f(call) f(call) f(call) end\n", "f()"),
        ("", "f = f\n", "f()"),
        ("", "x = y\n", ""),
        ("", "do end ", ""),
        ("return {", "call = call, ", "}"),
        ("x = call", ".call", ""),
        ("x = call", ":call()", ""),
        ("", "-- check: allow unknown-global\n", "x = y"),
        ("", "route('1X', print)\n", ""),
        ("", "route('#', function(call) call:go('x#') end)\n", ""),
        ("route('XXXX', print)", "route('#!', print)\n", ""),
        ("", "x# = y#\n", ""),
        ("", "local function f#(call) f#(call) return f# end\n", ""),
        ("", "require 'x#'\n", ""),
    ] {
        // Each `#` is another number.
        let parts = (0..40_000 / middle.len()).map(|n| middle.replace('#', &n.to_string()));
        let text = format!("{open}{}{close}", parts.collect::<String>());
        let files = [("main.lua".to_owned(), text)];
        // The time limit is that of whoever runs the tests: what is quadratic would take minutes.
        drop(findings(&Sources { files: files.into() }, &Sources::default()));
    }
}

/// What the outside has, for all cases.
fn findings(dialplan: &Sources, tests: &Sources) -> Vec<Finding> {
    let broken = BTreeMap::from([("en/broken".to_owned(), "it is no sound".to_owned())]);
    let spoken = crate::say_prompts("en").unwrap();
    let prompts = ["welcome", "menu", "bye", "broken", "beep"].map(|name| format!("en/{name}"));
    let names = Names {
        prompts: prompts.into_iter().chain(spoken).chain(["music/evening".to_owned()]).collect(),
        extensions: ["101", "102"].map(str::to_owned).into(),
        mailboxes: ["101"].map(str::to_owned).into(),
        language: "en".into(),
        speech: !dialplan.files.values().any(|text| text.contains("-- without [speech]")),
    };
    check(&Project {
        dialplan,
        tests,
        names: &names,
        broken_prompts: &broken,
        routes: None,
        test_libraries: &[&OF_TESTS],
        shared_with_tests: &[],
    })
}

/// What test files have: a function that says which script they are about.
const OF_TESTS: LibrarySpec = LibrarySpec {
    library: Library::TestLibrary(""),
    summary: "",
    doc: "",
    fields: &[],
    functions: &[VerbSpec {
        library: Library::TestLibrary(""),
        name: "dialplan",
        arguments: &[OptionSpec::required("name", Kind::Module, "")],
        ..VerbSpec::FUNCTION
    }],
};

#[track_caller]
fn play(cases: &str) {
    let mut cases = cases.split("-- case: ");
    assert_eq!(cases.next(), Some(""), "a case has a title");
    for case in cases {
        let (title, text) = case.split_once('\n').unwrap();
        let text = text.trim_end();
        let marked = marked(&without_marks(text));
        assert!(text == marked, "{title}\n\n{marked}\n\nand not\n\n{text}");
    }
}

fn is_mark(line: &str) -> bool {
    line.strip_prefix("--").is_some_and(|rest| rest.trim_start().starts_with('^'))
}

fn without_marks(text: &str) -> String {
    text.lines().filter(|line| !is_mark(line)).collect::<Vec<_>>().join("\n")
}

/// The same text, with what is found in it.
fn marked(text: &str) -> String {
    let mut files: Vec<(&str, Vec<&str>)> = vec![("main.lua", Vec::new())];
    for line in text.lines() {
        match line.strip_prefix("-- file: ") {
            Some(name) => files.push((name, Vec::new())),
            None => files.last_mut().unwrap().1.push(line),
        }
    }
    let (mut dialplan, mut tests) = (Sources::default(), Sources::default());
    for (name, lines) in &files {
        let into = if name.starts_with("tests/") { &mut tests } else { &mut dialplan };
        into.files.insert((*name).to_owned(), lines.join("\n"));
    }
    let found = findings(&dialplan, &tests);
    let mut marked = String::new();
    for (index, (name, lines)) in files.iter().enumerate() {
        if index > 0 {
            writeln!(marked, "-- file: {name}").unwrap();
        }
        for (line, number) in lines.iter().zip(1..) {
            writeln!(marked, "{line}").unwrap();
            let here = |finding: &&Finding| {
                finding.file.strip_prefix("scripts/") == Some(name) && finding.line == number
            };
            for finding in found.iter().filter(here) {
                marked.push_str(&mark(finding));
            }
        }
    }
    marked.trim_end().to_owned()
}

fn mark(finding: &Finding) -> String {
    let (column, length) = (finding.column.max(3) as usize, finding.length.max(1) as usize);
    let help = finding.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    format!(
        "--{}{} {}: {}{help}\n",
        " ".repeat(column - 3),
        "^".repeat(length),
        finding.code.name(),
        finding.message
    )
}

/// The same cases in each run, unless `PROPTEST_RNG_SEED` asks for others.
fn config() -> ProptestConfig {
    let config = ProptestConfig::default();
    let rng_seed = match config.rng_seed {
        RngSeed::Random => RngSeed::Fixed(2_407),
        RngSeed::Fixed(seed) => RngSeed::Fixed(seed),
    };
    ProptestConfig { failure_persistence: None, rng_seed, ..config }
}

const PIECES: &[&str] = &[
    "local",
    "function",
    "(",
    ")",
    "end",
    "if",
    "then",
    "else",
    "return",
    "=",
    "{",
    "}",
    ",",
    ".",
    ":",
    "x",
    "call",
    "route",
    "'1'",
    "and",
    "or",
    "..",
    "while true do",
    "break",
    "self",
    "_G",
    "local x = call",
    "x = call:dial('ext/1')",
    "call:hangup()",
    "call:answer()",
    "call:go('1')",
    "call:menu { ['1'] = '2', prompt = 'x' }",
    "route('1', function(call)",
    "end)",
    "f(call)",
    "local function f(call)",
    "require 'main'",
    "x.y.z = 1",
    "x[1](2)",
    "if x == 'A' then",
    "for i = 1, 2 do",
    "repeat",
    "until x",
    "table.insert(x, 1)",
    "spawn(function()",
    "\n",
    "-- check: allow syntax\n",
    "string.fnd('x')",
    "('x'):rep(1)",
    "#x",
    "not x",
    "goto a",
    "::a::",
];

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_pieces_in_any_order_are_looked_at_without_falling(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)
    ) {
        let files = [("main.lua".to_owned(), pieces.join(" "))];
        for finding in findings(&Sources { files: files.into() }, &Sources::default()) {
            let end = (finding.column + finding.length) as usize;
            prop_assert!(end <= finding.source_line.len() + 1, "{finding:?}");
        }
    }

    #[test]
    fn any_text_is_looked_at_without_falling(text in "\\PC{0,80}") {
        let files = [("main.lua".to_owned(), text)];
        drop(findings(&Sources { files: files.into() }, &Sources::default()));
    }
}
