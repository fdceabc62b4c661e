//! What ships is right: the dialplan and its tests, a new project, and every example in the reference
//! and in the pages for people. None of them may have a finding, not even a warning.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::{embedded, first_start};

#[test]
fn the_dialplan_that_ships_is_right_and_so_are_its_tests() {
    assert_eq!(found(&shipped(), &shipped_tests()), Vec::<String>::new());
}

#[test]
fn every_example_of_what_scripts_can_call_is_right() {
    for spec in dialplan::functions() {
        let sources = Sources { files: [("main.lua".to_owned(), spec.example.to_owned())].into() };
        let found = found_where_something_speaks(&sources);
        assert_eq!(found, Vec::<String>::new(), "{}\n{}", spec.full_name(), spec.example);
    }
}

#[test]
fn every_example_of_what_tests_can_call_is_right() {
    for spec in rehearsal::TEST_LIBRARIES.iter().flat_map(|library| library.functions) {
        // Beside the tests that ship, without which some of the scripts are of no use.
        let mut tests = shipped_tests();
        tests.files.insert("tests/example.lua".to_owned(), spec.example.to_owned());
        let found = found(&shipped(), &tests);
        assert_eq!(found, Vec::<String>::new(), "{}\n{}", spec.full_name(), spec.example);
    }
}

#[test]
fn every_dialplan_in_the_pages_for_people_is_right() {
    let mut count = 0;
    for page in
        ["scripts/README.md", "scripts/docs/from-asterisk.md", "scripts/docs/from-freeswitch.md"]
    {
        let text = fs::read_to_string(root().join(page)).unwrap();
        for block in text.split("\n```lua\n").skip(1) {
            let code = block.split("```").next().unwrap();
            let sources = Sources { files: [("main.lua".to_owned(), code.to_owned())].into() };
            let found = found_where_something_speaks(&sources);
            assert_eq!(found, Vec::<String>::new(), "{page}\n{code}");
            count += 1;
        }
    }
    assert!(count >= 10, "only {count} were found");
}

#[test]
fn what_stops_the_loading_is_told_once_and_the_rest_beside_it() {
    for (line, told) in [
        ("rout('2', print)", "nothing sets the global rout, so it cannot be called"),
        ("_G.rout('2', print)", "attempt to call a nil value (field 'rout')"),
    ] {
        let main = format!("route('1', function(call)\n  call:plya('x')\nend)\n{line}\n");
        let sources = Sources { files: [("main.lua".to_owned(), main)].into() };
        assert_eq!(
            found(&sources, &Sources::default()),
            [
                "scripts/main.lua:2 there is no verb call:plya".to_owned(),
                format!("scripts/main.lua:4 {told}"),
            ]
        );
    }
}

#[test]
fn a_file_in_which_much_is_found_is_kept_once() {
    let main = "route('1', function(call)\n  print(fooo1)\n  print(fooo2)\n  call:answer()\nend)\n";
    let dialplan = Sources { files: [("main.lua".to_owned(), main.to_owned())].into() };
    let settings = first_start::usual_settings(Path::new(".")).unwrap();
    let items = inspected(&settings, &dialplan, &Sources::default());
    let [one, other] = items.as_slice() else { panic!("{items:?}") };
    assert!(Arc::ptr_eq(&one.place.text, &other.place.text));
    assert_eq!(&*one.place.text, main);
}

/// Everything found in these scripts, with what the first start has.
fn found(dialplan: &Sources, tests: &Sources) -> Vec<String> {
    found_with(&first_start::usual_settings(Path::new(".")).unwrap(), dialplan, tests)
}

/// The same, where the configuration names something that speaks texts.
fn found_where_something_speaks(dialplan: &Sources) -> Vec<String> {
    let mut settings = first_start::usual_settings(Path::new(".")).unwrap();
    let by = pbx::SpeechBy::Command(vec!["speak".to_owned()]);
    settings.speech = Some(std::sync::Arc::new(pbx::Synthesiser::new(by)));
    found_with(&settings, dialplan, &Sources::default())
}

fn found_with(settings: &Settings, dialplan: &Sources, tests: &Sources) -> Vec<String> {
    let mut items = inspected(settings, dialplan, tests);
    items.sort_by_key(|item| (item.place.file.clone(), item.place.span.start));
    let told = items.iter().map(|Item { place, .. }| {
        let line = place.line_and_column().map_or(0, |(line, _)| line);
        format!("{}:{line} {}", place.file, place.message)
    });
    told.collect()
}

fn inspected(settings: &Settings, dialplan: &Sources, tests: &Sources) -> Vec<Item> {
    let prompts = embedded::measured_prompts().prompts().names();
    let broken = BTreeMap::new();
    Subject { settings, dialplan, tests, prompts, broken: &broken, kept: None }.inspect().items
}

fn shipped() -> Sources {
    crate::scripts::read(&root().join("scripts")).unwrap()
}

fn shipped_tests() -> Sources {
    let files = crate::scripts::read(&root().join("scripts/tests")).unwrap().files;
    Sources {
        files: files.into_iter().map(|(name, text)| (format!("tests/{name}"), text)).collect(),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
