//! An exchange as it ships, for tests that call it on the bench.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bench::{Setup, Sounds, Weather};
use dialplan::{Sources, Watch};

/// Scripts by their names in the scripts folder.
pub(crate) fn dialplan_of(files: &[(&str, &str)]) -> Sources {
    let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    Sources { files: files.iter().map(own).collect() }
}

/// An exchange that was started for the first time: phones and mailboxes 100 to 109, the prompts
/// that ship. `wall` is what the clock shows then.
pub(crate) fn setup(sources: Sources, wall: &str) -> Setup {
    let users = (100..110).map(|user| user.to_string());
    let account = |user: String| {
        let account = pbx::Account {
            user: user.clone(),
            secret: format!("secret-{user}"),
            name: format!("Phone {user}"),
            mailbox: Some(user.clone()),
        };
        (user, account)
    };
    let mailbox = |user: String| {
        let mailbox = pbx::MailboxConfig {
            pin: "4711".to_owned(),
            messages_max: 100,
            message_max: Duration::from_secs(300),
        };
        (user, mailbox)
    };
    let listener =
        |transport| pbx::Listener { transport, address: "10.0.0.1:5060".parse().unwrap() };
    let config = pbx::Config {
        domain: "office.test".to_owned(),
        listeners: vec![listener(sip_engine::Transport::Udp)],
        external_ip: None,
        rtp_port_first: 20_000,
        rtp_port_last: 20_999,
        media_threads: 1,
        nat: true,
        accounts: users.clone().map(account).collect(),
        peers: Vec::new(),
        mailboxes: Arc::new(users.map(mailbox).collect()),
        language: "en".to_owned(),
        apology: None,
        time_zone: jiff::tz::TimeZone::UTC,
        limits: pbx::Limits::default(),
        http_allow: Vec::new(),
        speech: None,
        script_limits: dialplan::Limits::default(),
        script_watch: Watch::Lines,
        digest: vec![sip_engine::Algorithm::Sha256],
    };
    let prompts = prompts();
    Setup {
        config,
        sources,
        sounds: Arc::new(Sounds::made_up(
            prompts.iter().map(String::as_str),
            Duration::from_secs(1),
        )),
        start: Instant::now(),
        wall: wall.parse().unwrap(),
        seed: 1,
        weather: Weather::calm(),
        kept: None,
    }
}

/// Every prompt that ships, by its full name.
fn prompts() -> Vec<String> {
    let table = fs::read_to_string(root().join("prompts/en.tsv")).unwrap();
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    let names = rows.filter_map(|line| Some(format!("en/{}", line.split_once('\t')?.0)));
    names.chain(["evening", "waltz", "river"].map(|name| format!("music/{name}"))).collect()
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
