//! The dialplan that ships.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use dialplan::Sources;

use crate::office::{Made, Prompts, answer};

#[test]
fn the_demo_numbers_lead_where_their_comments_say() {
    let made = demo();
    for part in include_str!("shipped.txt").split("$ explain ").skip(1) {
        let (question, expected) = part.split_once('\n').unwrap();
        let answered = answer(&made, question);
        assert_eq!(answered.trim_end(), expected.trim_end(), "$ explain {question}\n{answered}");
    }
}

/// Each number of the demo, by anybody, at any time, has a tree of bearable size.
#[test]
fn no_demo_number_is_too_much() {
    let made = demo();
    for number in ["0", "9", "100", "101", "109", "123", "302", "600", "700", "*97", "*98", "555"] {
        for from in ["100", "101", "+4930123@telco", "anybody"] {
            let explanation = made.explain(&format!("{from} {number}"), |_| {});
            assert!(explanation.ways <= 200, "{from} {number}: {} ways", explanation.ways);
            assert_eq!(explanation.notes, Vec::<String>::new(), "{from} {number}");
        }
    }
}

fn demo() -> Made {
    let mut sources = Sources::default();
    for path in entries("scripts").filter(|path| path.extension().is_some_and(|e| e == "lua")) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        sources.files.insert(name, fs::read_to_string(path).unwrap());
    }
    let mut prompts = BTreeMap::new();
    let list = fs::read_to_string(folder("prompts").join("en.tsv")).unwrap();
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        let Some((name, text)) = line.split_once('\t') else { continue };
        // Between slashes stand phonemes.
        let text = if text.starts_with('/') { "" } else { text };
        prompts.insert(format!("en/{name}"), text.to_owned());
    }
    for path in entries("prompts/music") {
        let name = format!("music/{}", path.file_stem().unwrap().to_str().unwrap());
        prompts.insert(name, String::new());
    }
    Made::new(sources, Prompts(prompts))
}

fn entries(name: &str) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path())
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}
