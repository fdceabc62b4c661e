//! Stages for tests, and what becomes of a suite on them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bench::Sounds;
use dialplan::{LoadError, Sources};
use rehearsal::{Human, Options, Report, Reporter, Run, Stage, Style, Suite, TestFile, Verdict};

/// The exchange as a first start makes it: extensions 100 to 109, each with a mailbox.
pub(crate) fn shipped() -> Stage {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(root().join("scripts")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "lua") {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            files.insert(name, fs::read_to_string(path).unwrap());
        }
    }
    let mut stage = stage(Sources { files });
    stage.sounds = Arc::new(measured(&stage.prompts));
    stage
}

/// The prompts that ship, each as long as its file is.
fn measured(names: &BTreeSet<String>) -> Sounds {
    let sounds = names.iter().map(|name| (name.clone(), media::Sound::pending())).collect();
    Sounds::measured(Arc::new(pbx::Prompts::new(sounds)), |name| {
        let file = root().join("prompts").join(format!("{name}.ogg"));
        media::measure("prompt.ogg", fs::read(file).ok()?).ok()
    })
}

/// The same office with this `main.lua`.
pub(crate) fn with_script(script: &str) -> Stage {
    stage(Sources { files: [("main.lua".to_owned(), script.to_owned())].into() })
}

fn stage(sources: Sources) -> Stage {
    let users: Vec<String> = (100..110).map(|user: u32| user.to_string()).collect();
    let account = |user: &String| {
        let account = pbx::Account {
            user: user.clone(),
            secret: format!("secret-{user}"),
            name: String::new(),
            mailbox: Some(user.clone()),
        };
        (user.clone(), account)
    };
    let mailbox = |user: &String| {
        let mailbox = pbx::MailboxConfig {
            pin: "4711".to_owned(),
            messages_max: 100,
            message_max: Duration::from_secs(300),
        };
        (user.clone(), mailbox)
    };
    let listener =
        |transport| pbx::Listener { transport, address: "10.0.0.1:5060".parse().unwrap() };
    let config = pbx::Config {
        domain: "office.test".to_owned(),
        listeners: vec![listener(sip_engine::Transport::Udp), listener(sip_engine::Transport::Tcp)],
        external_ip: None,
        rtp_port_first: 20_000,
        rtp_port_last: 20_999,
        media_threads: 1,
        nat: true,
        accounts: users.iter().map(account).collect(),
        peers: Vec::new(),
        mailboxes: Arc::new(users.iter().map(mailbox).collect()),
        language: "en".to_owned(),
        time_zone: jiff::tz::TimeZone::UTC,
        limits: pbx::Limits::default(),
        http_allow: Vec::new(),
        speech: Some(synthesiser()),
        script_limits: dialplan::Limits::default(),
        script_watch: dialplan::Watch::default(),
        apology: None,
        digest: vec![sip_engine::Algorithm::Sha256, sip_engine::Algorithm::Md5],
    };
    let prompts = prompts();
    let names = prompts.iter().map(String::as_str);
    Stage {
        config,
        sources,
        sounds: Arc::new(Sounds::made_up(names, Duration::from_secs(2))),
        prompts,
        start: Instant::now(),
        kept: dialplan::Kept::default(),
    }
}

/// Something that speaks texts; nothing of it is ever started here.
fn synthesiser() -> Arc<pbx::Synthesiser> {
    let by = pbx::SpeechBy::Command(vec!["speak".to_owned()]);
    Arc::new(pbx::Synthesiser::new(by))
}

fn prompts() -> BTreeSet<String> {
    let list = fs::read_to_string(root().join("prompts/en.tsv")).unwrap();
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    let names = lines.filter_map(|line| line.split_once('\t'));
    let music = ["evening", "waltz", "river"].map(|name| format!("music/{name}"));
    names.map(|(name, _)| format!("en/{name}")).chain(music).collect()
}

/// A suite of one file.
pub(crate) fn suite(stage: &Stage, text: &str) -> Suite {
    Suite {
        files: vec![TestFile { chunk: "scripts/tests/a.lua".into(), text: text.into() }],
        modules: stage.sources.clone(),
        paths: BTreeMap::new(),
    }
}

/// The tests of the dialplan that ships: everything in `scripts/tests`.
pub(crate) fn shipped_tests(stage: &Stage) -> Suite {
    let mut files: Vec<TestFile> = fs::read_dir(root().join("scripts/tests"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "lua"))
        .map(|path| TestFile {
            chunk: format!("scripts/tests/{}", path.file_name().unwrap().to_str().unwrap()),
            text: fs::read_to_string(&path).unwrap(),
        })
        .collect();
    files.sort_by(|one, other| one.chunk.cmp(&other.chunk));
    let mut modules = stage.sources.clone();
    for file in &files {
        let name = file.chunk.strip_prefix("scripts/").unwrap().to_owned();
        modules.files.insert(name, file.text.clone());
    }
    Suite { files, modules, paths: BTreeMap::new() }
}

pub(crate) fn options() -> Options {
    Options { filter: None, seed: 1, jobs: 1, fail_fast: false, until: None }
}

/// Runs a file of tests.
pub(crate) fn run(stage: Stage, text: &str) -> (Vec<Report>, Run) {
    let suite = suite(&stage, text);
    run_suite(stage, suite, &options()).unwrap_or_else(|errors| panic!("{}\n{text}", errors[0]))
}

pub(crate) fn run_suite(
    stage: Stage,
    suite: Suite,
    options: &Options,
) -> Result<(Vec<Report>, Run), Vec<LoadError>> {
    let mut reports = Vec::new();
    let run = rehearsal::run(&Arc::new(stage), &Arc::new(suite), options, |report| {
        reports.push(report.clone());
    })?;
    Ok((reports, run))
}

/// What people are told of a test.
pub(crate) fn told(report: &Report) -> String {
    let mut text = Vec::new();
    Human::new(Style::default()).test(&mut text, report).unwrap();
    String::from_utf8(text).unwrap()
}

/// Every test must pass; what people would be told of one that does not.
#[track_caller]
pub(crate) fn passes(stage: Stage, text: &str) {
    let (reports, _) = run(stage, text);
    for report in &reports {
        if let Verdict::Failed(_) = report.verdict {
            panic!("{}\n{text}", told(report));
        }
    }
    assert!(!reports.is_empty(), "{text}");
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}
