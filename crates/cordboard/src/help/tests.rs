use std::collections::{BTreeMap, BTreeSet};

use dialplan::{Generation, Limits, Names, Sources, functions};
use jiff::Zoned;

use super::*;

/// The lines right before the function that `header` defines, up to the one before it.
fn block<'a>(annotations: &'a str, header: &str) -> &'a str {
    let end = annotations.find(header).unwrap_or_else(|| panic!("no {header}"));
    let before = &annotations[..end];
    let start = before.rfind("\n\n").map_or(0, |at| at + 2);
    &annotations[start..end]
}

#[test]
fn editors_are_told_of_every_function_argument_option_and_value() {
    for language in BOTH {
        let text = annotations::annotations(language);
        for library in language.libraries() {
            for field in library.fields {
                let field = format!("---@field {} {} ", field.name, field.ty);
                assert!(text.contains(&field), "{field}");
            }
            for spec in library.functions {
                find_function(&text, spec);
            }
        }
    }
    let text = annotations::annotations(Language::Scripts);
    assert!(text.contains(
        "---@field timeout? number How long to ring, each list of a list of lists. \
         Seconds, 1 to 3600. Unless given: 30."
    ));
}

/// Finds a function, with its documentation, arguments, options and results.
fn find_function(text: &str, spec: &dialplan::VerbSpec) {
    let name = spec.full_name();
    if matches!(name.as_str(), "print" | "require" | "log") {
        return;
    }
    // Methods of scripts belong to a class, whose name has a capital.
    let is_class = spec.library.separator() == ":";
    let name = match spec.library {
        dialplan::Library::Test(_) => name,
        _ if is_class => name[..1].to_uppercase() + &name[1..],
        _ => name,
    };
    let block = block(text, &format!("\nfunction {name}("));
    assert!(block.starts_with(&format!("---{}\n", spec.summary)), "{name}: {block}");
    assert!(block.contains("---```lua\n"), "{name}");
    for argument in spec.arguments {
        let argument = if argument.name == "function" { "fn" } else { argument.name };
        assert!(block.contains(&format!("---@param {argument}")), "{name}: {argument}");
    }
    assert_eq!(
        block.contains("---@return"),
        !matches!(spec.returns, dialplan::Returns::Nothing),
        "{name}"
    );
    if !spec.options.is_empty() {
        assert!(block.contains("Options"), "{name}");
    }
}

/// Scripts and tests.
const BOTH: [Language; 2] = [Language::Scripts, Language::Tests];

#[test]
fn types_in_annotations_are_known_ones() {
    let text =
        BOTH.map(annotations::annotations).concat() + &names::names(&Names::default(), &[].into());
    let mut known: BTreeSet<&str> =
        ["string", "integer", "number", "boolean", "any", "table"].into();
    known.extend(["fun", "nil", "userdata", "false", "function"]);
    let named = |line: &'static str| {
        let text = &text;
        text.lines().filter_map(move |text| text.strip_prefix(line)?.split(' ').next())
    };
    known.extend(named("---@class "));
    known.extend(named("---@alias "));
    let typed = |line: &'static str| {
        let text = &text;
        text.lines().filter_map(move |text| text.strip_prefix(line))
    };
    let values = typed("---@param ").chain(typed("---@field "));
    let values = values.map(|rest| rest.split_once(' ').unwrap().1);
    for rest in values.chain(typed("---@return ")).chain(typed("---@overload ")) {
        for word in type_names(type_of(rest)) {
            assert!(known.contains(word.as_str()), "{word} in {rest}");
        }
    }
}

/// The type with which an annotation goes on: up to the first space outside of brackets that no
/// colon or comma precedes.
fn type_of(rest: &str) -> &str {
    let mut depth = 0;
    let mut before = ' ';
    for (at, c) in rest.char_indices() {
        depth += i32::from("(<{[".contains(c)) - i32::from(")>}]".contains(c));
        if c == ' ' && depth == 0 && !":,".contains(before) {
            return &rest[..at];
        }
        before = c;
    }
    rest
}

/// The names of types in a type, without words in quotes and the names of a function's parameters.
fn type_names(ty: &str) -> Vec<String> {
    let unquoted: Vec<&str> = ty.split('"').step_by(2).collect();
    let spaced = unquoted.join(" ").replace("?:", ":").replace(':', ": ");
    let words = spaced.split(|c: char| !c.is_alphanumeric() && !"_:.".contains(c));
    let words = words.filter(|word| !word.is_empty() && !word.ends_with(':') && *word != "...");
    words.map(str::to_owned).collect()
}

#[test]
fn annotations_are_lua_and_the_same_each_time() {
    assert_eq!(BOTH.map(annotations::annotations), BOTH.map(annotations::annotations));
    let known = Names {
        prompts: ["en/my/\"odd\"", "en/main/welcome"].map(str::to_owned).into(),
        ..Names::default()
    };
    let names = names::names(&known, &BTreeMap::new());
    for text in BOTH.map(annotations::annotations).into_iter().chain([names]) {
        let sources = Sources { files: [("notes.lua".to_owned(), text)].into() };
        let errors =
            Generation::load(&sources, Names::default(), Limits::default(), &Zoned::default())
                .expect_err("there is no main.lua");
        // Everything compiles before `main.lua` is missed.
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0].file, "scripts/main.lua", "{errors:?}");
    }
}

#[test]
fn what_a_project_has_is_offered_with_what_is_heard() {
    let known = Names {
        prompts: ["en/main/welcome", "en/digits/1", "de/main/welcome", "music/river"]
            .map(str::to_owned)
            .into(),
        extensions: ["101".to_owned()].into(),
        mailboxes: ["sales".to_owned()].into(),
        language: "en".to_owned(),
        speech: false,
    };
    let texts = names::read_texts("en", "# ours\nmain/welcome\tGood morning.\nx/y\t/ˈiːj./\n");
    let text = names::names(&known, &texts);
    for line in [
        "---| \"main/welcome\" # Good morning.\n",
        "---| \"de/main/welcome\"\n",
        "---| \"music/river\"\n",
        "---| \"ext/101\"\n",
        "---| \"sales\"\n",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    assert!(!text.contains("digits/1"), "{text}");
}

#[test]
fn the_pages_in_the_docs_folder_are_those_of_the_tables() {
    for (kept, language, command) in [
        (
            include_str!("../../../../scripts/docs/reference.md"),
            Language::Scripts,
            "reference > scripts/docs/reference.md",
        ),
        (
            include_str!("../../../../scripts/docs/test-reference.md"),
            Language::Tests,
            "reference --tests > scripts/docs/test-reference.md",
        ),
    ] {
        assert!(
            kept == reference::reference(language),
            "a page is of an older table of functions; write it anew with\n\
             cargo run -p cordboard -- {command}"
        );
    }
}

#[test]
fn the_pages_link_to_headings_that_are_there() {
    for language in BOTH {
        let text = reference::reference(language);
        let headings = text.lines().filter_map(|line| line.strip_prefix("### "));
        let headings: BTreeSet<String> = headings.map(reference::anchor).collect();
        let links = text.split("](#").skip(1).filter_map(|rest| rest.split(')').next());
        let links: Vec<&str> = links.collect();
        let functions = language.libraries().iter().flat_map(|library| library.functions);
        assert_eq!(links.len(), functions.count());
        for link in links {
            assert!(headings.contains(link), "{link}");
        }
    }
}

#[test]
fn one_function_can_be_asked_for_by_either_name() {
    let queued = plain::about("queued").unwrap();
    assert_eq!(Some(&queued), plain::about("call:queued").as_ref());
    assert_eq!(
        queued.split_once("Options\n").unwrap().1,
        "  place         The caller's place in the queue, from 1. Whole number, 1 to 9999.\n  \
         music         Heard while the script goes on, over and over. Sound.\n\n\
         Example\n  \
         route(\"700\", function(call)\n    \
         call:queued { place = 2, music = \"music/evening\" }\n    \
         call:sleep(10)\n    \
         call:queued { place = 1 }\n    \
         call:dial(\"ext/100\", { timeout = 20, music = \"music/evening\" })\n  \
         end)\n"
    );
    for spec in functions() {
        let text = plain::about(&spec.full_name()).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    }
    assert!(plain::about("time").unwrap().contains("  open          Tells whether"));
    assert_eq!(plain::about("conference"), None);
}

#[test]
fn a_slip_in_a_name_is_told_with_what_was_meant() {
    assert_eq!(plain::nearest("dail").as_deref(), Some("call:dial"));
    assert_eq!(plain::nearest("time.opne").as_deref(), Some("time.open"));
    assert_eq!(plain::nearest("conference"), None);
}
