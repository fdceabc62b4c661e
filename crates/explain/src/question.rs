//! What is asked: who dials what, and when, in which office.

use std::net::IpAddr;
use std::time::Duration;

use dialplan::{CallView, Names, Party, Sources};
use jiff::Zoned;
use sip_syntax::{NameAddr, Uri};

use crate::Given;

/// Where the call would happen.
#[derive(Clone, Copy)]
pub struct Office<'a> {
    /// Accounts, trusted networks, mailboxes and bounds.
    pub config: &'a pbx::Config,
    /// The scripts.
    pub sources: &'a Sources,
    /// What the scripts may name.
    pub names: &'a Names,
    /// What is known of prompts.
    pub prompts: &'a dyn PromptBook,
}

/// What is known of prompts, each by its name with the language folder: `en/main/welcome`.
pub trait PromptBook {
    /// What it says.
    fn text(&self, name: &str) -> Option<String>;
    /// How long it is.
    fn length(&self, name: &str) -> Option<Duration>;
}

/// Who dials what, and when.
#[derive(Debug, Clone)]
pub struct Question {
    /// An account (`101`), a number or name (`+66212345`), or a SIP address; see [`Question::new`].
    pub from: String,
    /// The number or name that is dialled.
    pub to: String,
    /// When, in the office's time zone.
    pub at: Zoned,
    /// What is known of the world.
    pub given: Vec<Given>,
    /// Whether it is followed that the caller hangs up wherever the script waits.
    pub hangups: bool,
    /// How far it is followed.
    pub bounds: Bounds,
}

/// How far the ways of a call are followed. At each bound the tree says where it was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Choices after one another on one way.
    pub depth: usize,
    /// Ways in all.
    pub ways: usize,
    /// Verbs on one way.
    pub verbs: usize,
    /// How often a choice that comes again is followed before it is taken to come for ever.
    pub loops: usize,
    /// Lua instructions on all ways together, those of loading the scripts for each way included. No
    /// more than half of them finds out which choices come again, the rest follows those further.
    /// What runs when they are used up goes on to its next verb or slice at most, and a load under
    /// way to its end, which [`dialplan::Limits::instructions_at_load`] bounds.
    pub instructions: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { depth: 16, ways: 2_000, verbs: 400, loops: 6, instructions: 500_000_000 }
    }
}

/// Who calls, as the exchange would see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) kind: Kind,
    pub(crate) user: String,
    pub(crate) name: String,
    pub(crate) host: String,
    pub(crate) source: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A phone that proves to be this account.
    Account(String),
    /// Somebody in a network that is trusted, by this name.
    Peer(String),
    /// Nobody knows.
    Stranger,
}

impl Question {
    /// A question with nothing given and the usual bounds.
    ///
    /// `from` is an account if one has that name; `NAME@PEER` or an address in the network of a
    /// peer is a call from there; all others are strangers, who reach public routes only.
    pub fn new(from: impl Into<String>, to: impl Into<String>, at: Zoned) -> Self {
        Self {
            from: from.into(),
            to: to.into(),
            at,
            given: Vec::new(),
            hangups: false,
            bounds: Bounds::default(),
        }
    }

    /// The number that is dialled, also where a whole address was written.
    pub(crate) fn number(&self) -> String {
        user_and_host(&self.to).0
    }
}

impl Caller {
    pub(crate) fn new(from: &str, config: &pbx::Config) -> Self {
        let (user, host) = user_and_host(from);
        let ours = host.is_empty() || host.eq_ignore_ascii_case(&config.domain);
        if ours && let Some(account) = config.accounts.get(&user) {
            return Self {
                kind: Kind::Account(user.clone()),
                user,
                name: account.name.clone(),
                host: config.domain.clone(),
                source: PHONE.to_owned(),
            };
        }
        let address: Option<IpAddr> = host.parse().ok();
        let peer = config.peers.iter().find(|peer| {
            peer.name == host || address.is_some_and(|address| peer.contains(address))
        });
        if let Some(peer) = peer {
            let address = address.unwrap_or(peer.network);
            return Self {
                kind: Kind::Peer(peer.name.clone()),
                user,
                name: String::new(),
                host: address.to_string(),
                source: std::net::SocketAddr::new(address, 5060).to_string(),
            };
        }
        // Nobody poses as an extension.
        let posing = config.accounts.contains_key(&user);
        Self {
            kind: Kind::Stranger,
            user: if posing { "anonymous".to_owned() } else { user },
            name: String::new(),
            host: if ours { "elsewhere.invalid".to_owned() } else { host },
            source: ELSEWHERE.to_owned(),
        }
    }

    pub(crate) fn is_known(&self) -> bool {
        !matches!(self.kind, Kind::Stranger)
    }

    /// In words: `an account`.
    pub(crate) fn words(&self) -> String {
        match &self.kind {
            Kind::Account(_) if self.name.is_empty() => "an account".to_owned(),
            Kind::Account(_) => format!("an account ({})", self.name),
            Kind::Peer(name) => format!("the trusted network \"{name}\""),
            Kind::Stranger => "a stranger".to_owned(),
        }
    }

    /// What a script may know of the call.
    pub(crate) fn view(&self, number: &str, config: &pbx::Config) -> CallView {
        let account = match &self.kind {
            Kind::Account(account) => Some(account.clone()),
            Kind::Peer(_) | Kind::Stranger => None,
        };
        CallView {
            id: "explain".to_owned(),
            from: Party {
                user: self.user.clone(),
                host: self.host.clone(),
                name: self.name.clone(),
            },
            to: Party { user: number.to_owned(), host: config.domain.clone(), name: String::new() },
            uri: format!("sip:{}@{}", sip_syntax::escape_user(number), config.domain),
            account,
            source: self.source.clone(),
            headers: Vec::new(),
            transferred_by: None,
        }
    }
}

/// User and host of `101`, `101@example.org`, `sip:101@example.org` or `"Ann" <sip:...>`; the host
/// may be empty.
fn user_and_host(text: &str) -> (String, String) {
    let text = text.trim();
    let uri = match NameAddr::parse_slice(text.as_bytes()) {
        Ok(address) if text.contains(':') => Some(address.uri),
        Ok(_) | Err(_) => Uri::parse_slice(text.as_bytes()).ok(),
    };
    if let Some(user) = uri.as_ref().and_then(Uri::user) {
        let host = uri.map(|uri| uri.host().to_string()).unwrap_or_default();
        return (user, host);
    }
    match text.split_once('@') {
        Some((user, host)) => (user.to_owned(), host.to_owned()),
        None => (text.to_owned(), String::new()),
    }
}

/// Where an account's phone seems to be; an address for examples (RFC 5737 §3).
const PHONE: &str = "192.0.2.1:5060";
/// Where a stranger seems to be.
const ELSEWHERE: &str = "198.51.100.1:5060";
