//! Offices at work.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::*;

mod attended;
mod behaviours;
mod crowds;
mod ladders;
mod outside;
mod simple;
mod transfers;

/// An office with extensions 101 to 104 and this dialplan.
pub(crate) fn office(script: &str) -> Office {
    office_with(script, |_| {})
}

pub(crate) fn office_with(script: &str, change: impl FnOnce(&mut Setup)) -> Office {
    let mut setup = setup(script);
    change(&mut setup);
    Office::new(setup).unwrap_or_else(|errors| panic!("{errors:?}"))
}

pub(crate) fn setup(script: &str) -> Setup {
    let users = ["101", "102", "103", "104"];
    let account = |user: &str| {
        let account = pbx::Account {
            user: user.to_owned(),
            secret: format!("secret-{user}"),
            name: String::new(),
            mailbox: Some(user.to_owned()),
        };
        (user.to_owned(), account)
    };
    let mailbox = |user: &str| {
        let mailbox = pbx::MailboxConfig {
            pin: "4711".to_owned(),
            messages_max: 5,
            message_max: Duration::from_secs(60),
        };
        (user.to_owned(), mailbox)
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
        accounts: users.map(account).into(),
        peers: Vec::new(),
        mailboxes: Arc::new(users.map(mailbox).into()),
        language: "en".to_owned(),
        apology: None,
        time_zone: jiff::tz::TimeZone::UTC,
        limits: pbx::Limits::default(),
        http_allow: Vec::new(),
        speech: Some(synthesiser()),
        script_limits: dialplan::Limits::default(),
        script_watch: dialplan::Watch::default(),
        digest: vec![sip_engine::Algorithm::Sha256, sip_engine::Algorithm::Md5],
    };
    let mut names: Vec<String> = pbx::prompt_names("en").into_iter().collect();
    names.extend(dialplan::say_prompts("en").unwrap());
    names.extend(["en/closed", "en/welcome", "music/evening"].map(str::to_owned));
    Setup {
        config,
        sources: dialplan::Sources {
            files: BTreeMap::from([("main.lua".to_owned(), script.to_owned())]),
        },
        sounds: Arc::new(Sounds::made_up(names.iter().map(String::as_str), Duration::from_secs(2))),
        start: Instant::now(),
        wall: "2026-11-23T10:00:00Z".parse().unwrap(),
        seed: 1,
        weather: Weather::calm(),
        kept: None,
    }
}

/// Something that speaks texts; nothing of it is ever started here.
fn synthesiser() -> Arc<pbx::Synthesiser> {
    let by = pbx::SpeechBy::Command(vec!["speak".to_owned()]);
    Arc::new(pbx::Synthesiser::new(by))
}

/// Whole seconds.
pub(crate) fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What a party hears now.
pub(crate) fn hears(office: &Office, party: PartyId) -> Option<Heard> {
    office.party(party).unwrap().hears().map(|hearing| hearing.heard.clone())
}

/// A party's call in front.
pub(crate) fn call(office: &Office, party: PartyId) -> &PartyCall {
    office.party(party).unwrap().call().unwrap()
}

/// Lets time pass, a minute at most, until this is heard.
#[track_caller]
pub(crate) fn wait_for(office: &mut Office, party: PartyId, heard: &Heard) {
    let is_so = |office: &Office| hears(office, party).as_ref() == Some(heard);
    assert!(office.run_until_that(s(60), is_so), "not heard\n{}", office.ladder());
}

/// Nothing may be left over in the end.
#[track_caller]
pub(crate) fn assert_quiet(office: &mut Office) {
    let left = office.finish();
    assert!(left.is_empty(), "{left:?}\n{}", office.ladder());
}
