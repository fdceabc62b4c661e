//! What a test of a dialplan costs: an office of its own, a short call, and the quiet afterwards.

#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bench::{Act, Call, Called, Office, Phone, Setup, Sounds, Weather};
use criterion::{Criterion, criterion_group, criterion_main};

fn costs(criterion: &mut Criterion) {
    let small = Template::new(sources(&[(
        "main.lua",
        r#"
        route("1XX", function(call) call:dial("ext/" .. call.to.user, { timeout = 20 }) end)
        route("support", function(call) call:play("main/welcome") call:reject(480) end)
        "#,
    )]));
    let shipped = Template::new(shipped());
    cost(criterion, "open an office, small dialplan", || drop(black_box(small.office())));
    cost(criterion, "open an office, shipped dialplan", || drop(black_box(shipped.office())));
    cost(criterion, "a whole test: a caller hears a prompt", || hear_a_prompt(&small));
    cost(criterion, "a whole test: two phones register and talk", || talk(&small));
    cost(criterion, "a whole test: a menu of the shipped dialplan", || use_the_menu(&shipped));
}

/// Counts the time that the processor spends on it, so that a busy machine does not count.
fn cost(criterion: &mut Criterion, name: &str, mut once: impl FnMut()) {
    criterion.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            let before = processor_time();
            (0..iterations).for_each(|_| once());
            processor_time() - before
        });
    });
}

/// Of this thread, since it began. The first number in this file, in nanoseconds.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

fn hear_a_prompt(template: &Template) {
    let mut office = template.office();
    office.call(Call::new("+6621234567", "support")).unwrap();
    office.run_for(Duration::from_secs(5));
    assert!(office.finish().is_empty());
    black_box(office);
}

fn talk(template: &Template) {
    let mut office = template.office();
    let answers = Called::Answers { after: Duration::from_secs(2) };
    office.add_phone(Phone::new("101")).unwrap();
    office.add_phone(Phone::new("102").called(answers)).unwrap();
    let caller = office.call(Call::of_account("101", "102")).unwrap();
    office.run_for(Duration::from_secs(5));
    office.act(caller, Act::Hangup).unwrap();
    assert!(office.finish().is_empty());
    black_box(office);
}

fn use_the_menu(template: &Template) {
    let mut office = template.office();
    let caller = office.call(Call::of_account("101", "0")).unwrap();
    office.run_for(Duration::from_secs(3));
    office.act(caller, Act::Press("1".to_owned())).unwrap();
    office.run_for(Duration::from_secs(5));
    office.act(caller, Act::Hangup).unwrap();
    assert!(office.finish().is_empty());
    black_box(office);
}

/// What every office of a run shares.
struct Template {
    config: pbx::Config,
    sources: dialplan::Sources,
    sounds: Arc<Sounds>,
    start: Instant,
    kept: dialplan::Kept,
}

impl Template {
    fn new(sources: dialplan::Sources) -> Self {
        let mut names: Vec<String> = pbx::prompt_names("en").into_iter().collect();
        names.extend(dialplan::say_prompts("en").unwrap());
        names.extend(prompt_names(&root().join("prompts"), ""));
        let names = names.iter().map(String::as_str);
        let sounds = Arc::new(Sounds::made_up(names, Duration::from_secs(2)));
        Self {
            config: config(),
            sources,
            sounds,
            start: Instant::now(),
            kept: dialplan::Kept::default(),
        }
    }

    fn office(&self) -> Office {
        let setup = Setup {
            config: self.config.clone(),
            sources: self.sources.clone(),
            sounds: Arc::clone(&self.sounds),
            start: self.start,
            wall: "2026-11-23T10:00:00Z".parse().unwrap(),
            seed: 1,
            weather: Weather::calm(),
            kept: Some(self.kept.clone()),
        };
        Office::new(setup).unwrap()
    }
}

fn config() -> pbx::Config {
    let users: Vec<String> = (101..111).map(|user| user.to_string()).collect();
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
            messages_max: 5,
            message_max: Duration::from_secs(60),
        };
        (user.clone(), mailbox)
    };
    pbx::Config {
        domain: "office.test".to_owned(),
        listeners: vec![pbx::Listener {
            transport: sip_engine::Transport::Udp,
            address: "10.0.0.1:5060".parse().unwrap(),
        }],
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
        speech: None,
        script_limits: dialplan::Limits::default(),
        script_watch: dialplan::Watch::default(),
        apology: None,
        digest: vec![sip_engine::Algorithm::Sha256, sip_engine::Algorithm::Md5],
    }
}

fn sources(files: &[(&str, &str)]) -> dialplan::Sources {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    dialplan::Sources { files: files.collect::<BTreeMap<_, _>>() }
}

/// The dialplan that ships.
fn shipped() -> dialplan::Sources {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(root().join("scripts")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "lua") {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            files.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
    dialplan::Sources { files }
}

fn prompt_names(folder: &Path, prefix: &str) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            names.extend(prompt_names(&path, &format!("{prefix}{name}/")));
        } else if path.extension().is_some_and(|ending| ending == "ogg") {
            names.push(format!("{prefix}{name}"));
        }
    }
    names
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

criterion_group!(benches, costs);
criterion_main!(benches);
