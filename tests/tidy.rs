//! The rules of the architecture, as far as a test can read them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Who may use whom, of ours. The arrows point inwards only.
const MAY_USE: &[(&str, &[&str])] = &[
    ("sip-syntax", &[]),
    ("sdp", &[]),
    ("dialplan", &[]),
    ("sip-engine", &["sip-syntax"]),
    ("media", &[]),
    ("pbx", &["dialplan", "media", "sdp", "sip-engine", "sip-syntax"]),
    ("explain", &["dialplan", "pbx", "sip-syntax"]),
    ("repl", &["bench", "dialplan", "pbx"]),
    ("net", &["media", "sip-syntax"]),
    ("store", &["pbx"]),
    ("bench", &["dialplan", "media", "pbx", "sdp", "sip-engine", "sip-syntax"]),
    ("rehearsal", &["bench", "dialplan", "pbx", "sip-syntax", "store"]),
    (
        "cordboard",
        &[
            "bench",
            "dialplan",
            "explain",
            "media",
            "net",
            "pbx",
            "rehearsal",
            "repl",
            "sdp",
            "sip-engine",
            "sip-syntax",
            "store",
        ],
    ),
];

/// Crates of others that one crate alone may use: sockets and tasks, SQL, Lua, audio files, faces.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("tokio", &["net", "cordboard"]),
    ("socket2", &["net"]),
    ("rustix", &["net", "cordboard"]),
    ("hyper", &["net"]),
    ("hyper-rustls", &["net"]),
    ("hyper-util", &["net"]),
    ("rustls", &["net"]),
    ("rusqlite", &["store"]),
    ("mlua", &["dialplan", "rehearsal"]),
    ("symphonia", &["media"]),
    ("rubato", &["media"]),
    ("clap", &["cordboard"]),
    ("anyhow", &["cordboard"]),
    ("getrandom", &["cordboard"]),
    ("if-addrs", &["cordboard"]),
    ("notify", &["cordboard"]),
    ("toml", &["cordboard"]),
    ("tracing-subscriber", &["cordboard"]),
    ("mimalloc", &["cordboard"]),
    ("rustyline", &["cordboard"]),
];

#[test]
fn crates_use_only_whom_they_may() {
    for (name, allowed) in MAY_USE {
        let ours: BTreeSet<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
        for used in dependencies(name) {
            if ours.contains(used.as_str()) {
                assert!(allowed.contains(&used.as_str()), "{name} must not use {used}");
            }
            if let Some((_, users)) = ONLY_IN.iter().find(|(other, _)| *other == used) {
                assert!(users.contains(name), "{name} must not use {used}");
            }
        }
    }
}

#[test]
fn every_crate_stands_in_the_table() {
    let known: BTreeSet<String> = MAY_USE.iter().map(|(name, _)| (*name).to_owned()).collect();
    let folders = fs::read_dir(root().join("crates")).unwrap().map(Result::unwrap);
    let there: BTreeSet<String> = folders
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert_eq!(known, there);
}

#[test]
fn grammar_engines_and_the_bench_read_no_clock_and_start_no_thread() {
    for name in
        ["sip-syntax", "sdp", "dialplan", "sip-engine", "media", "pbx", "bench", "explain", "repl"]
    {
        let clippy = fs::read_to_string(root().join("crates").join(name).join("clippy.toml"))
            .unwrap_or_else(|_| panic!("{name} has no clippy.toml"));
        for banned in
            ["std::time::Instant::now", "std::time::SystemTime::now", "std::thread::spawn"]
        {
            assert!(clippy.contains(banned), "{name} may call {banned}");
        }
    }
}

#[test]
fn nothing_is_left_undone_and_no_test_is_left_out() {
    // Put together here, so that this file does not find itself.
    let banned = [
        ["#[ign", "ore"].concat(),
        ["to", "do!("].concat(),
        ["unimple", "mented!("].concat(),
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["dbg", "!("].concat(),
    ];
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            for word in &banned {
                assert!(!line.contains(word), "{}:{}: {word}", path.display(), number + 1);
            }
        }
        assert_ne!(path.file_name().unwrap(), "mod.rs", "{}", path.display());
        assert!(text.lines().count() <= 1_000, "{} is too long", path.display());
    }
}

#[test]
fn every_verb_that_the_manual_names_exists() {
    let manual = fs::read_to_string(root().join("scripts/README.md")).unwrap();
    let mut verbs = BTreeSet::new();
    for part in manual.split("call:").skip(1) {
        verbs.insert(part.split(|c: char| !c.is_ascii_alphabetic() && c != '_').next().unwrap());
    }
    assert!(verbs.len() >= 18, "{verbs:?}");
    let body: Vec<String> = verbs.iter().map(|verb| format!("call:{verb}()")).collect();
    let script = format!("route('1', function(call)\n{}\nend)", body.join("\n"));
    let unknown: Vec<String> =
        mistakes(script).into_iter().filter(|mistake| mistake.contains("no verb")).collect();
    assert_eq!(unknown, Vec::<String>::new());
    let mistakes = mistakes("route('1', function(call) call:anser() end)".to_owned());
    assert!(mistakes[0].contains("there is no verb call:anser"), "{mistakes:?}");
}

/// What is told of a script at load.
fn mistakes(script: String) -> Vec<String> {
    let sources = dialplan::Sources { files: BTreeMap::from([("main.lua".to_owned(), script)]) };
    let names = dialplan::Names {
        prompts: BTreeSet::new(),
        extensions: BTreeSet::new(),
        mailboxes: BTreeSet::new(),
        language: "en".to_owned(),
        speech: true,
    };
    let now = jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC);
    match dialplan::Generation::load(&sources, names, dialplan::Limits::default(), &now) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn every_prompt_that_the_switch_may_play_ships() {
    let mut wanted = pbx::prompt_names("en");
    wanted.extend(dialplan::say_prompts("en").unwrap());
    let there = |name: &String| {
        ["ogg", "flac", "wav", "mp3"]
            .iter()
            .any(|ending| root().join("prompts").join(format!("{name}.{ending}")).exists())
    };
    let missing: Vec<String> = wanted.into_iter().filter(|name| !there(name)).collect();
    assert_eq!(missing, Vec::<String>::new());
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// What a crate needs to be built; what its tests need besides is their own affair.
fn dependencies(name: &str) -> Vec<String> {
    let path = root().join("crates").join(name).join("Cargo.toml");
    let manifest: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
    let mut names = Vec::new();
    for section in ["dependencies", "build-dependencies"] {
        if let Some(table) = manifest.get(section).and_then(|section| section.as_table()) {
            names.extend(table.keys().cloned());
        }
    }
    names
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("crates"), root().join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() && entry.file_name() != "target" {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    found
}
