//! What the switch is told when it starts, parsed and checked already.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use sip_engine::{Algorithm, Transport};

use crate::outside::Allowed;
use crate::speech::Synthesiser;

/// Everything that is declared about an office. Cannot be wrong: whoever builds it has checked it.
#[derive(Debug, Clone)]
pub struct Config {
    /// The SIP domain, which is also the digest realm.
    pub domain: String,
    /// Our sockets, with concrete addresses and ports.
    pub listeners: Vec<Listener>,
    /// The address written into session descriptions instead of the listener's own, for hosts behind
    /// a router; `None`: the listener's.
    pub external_ip: Option<IpAddr>,
    /// Even RTP ports, from this one,
    pub rtp_port_first: u16,
    /// to this one.
    pub rtp_port_last: u16,
    /// How many media threads there are; calls are spread over them.
    pub media_threads: usize,
    /// Accept sound from elsewhere than a phone describes, as happens behind NAT; see
    /// [`media::Latch`].
    pub nat: bool,
    /// What phones may prove their secret with, in the order in which it is offered.
    pub digest: Vec<Algorithm>,
    /// Who may register and call, by user name.
    pub accounts: BTreeMap<String, Account>,
    /// Who may call without digest.
    pub peers: Vec<Peer>,
    /// Voice mailboxes, by name.
    pub mailboxes: Arc<BTreeMap<String, MailboxConfig>>,
    /// Language folder of prompts.
    pub language: String,
    /// The office's time zone.
    pub time_zone: TimeZone,
    /// The prompt that a caller hears when a script fails, named as scripts do; `None`: nothing.
    pub apology: Option<String>,
    /// Bounds.
    pub limits: Limits,
    /// What scripts may reach over HTTP; nothing else.
    pub http_allow: Vec<Allowed>,
    /// What speaks texts; `None`: nothing.
    pub speech: Option<Arc<Synthesiser>>,
    /// Bounds of scripts.
    pub script_limits: dialplan::Limits,
    /// Whether it is noted which lines of the scripts run.
    pub script_watch: dialplan::Watch,
}

impl Config {
    /// Takes over what can change while calls are under way: accounts, peers, mailboxes, bounds of
    /// calls and scripts, what scripts may reach, what speaks texts, the time zone, and how sound finds
    /// its way. All else was built into sockets, threads and challenges at the start, and stays as it
    /// was.
    pub fn take_over(&mut self, newer: Self) {
        let Self {
            domain: _,
            listeners: _,
            external_ip,
            rtp_port_first: _,
            rtp_port_last: _,
            media_threads: _,
            nat,
            digest: _,
            accounts,
            peers,
            mailboxes,
            language: _,
            time_zone,
            apology,
            limits,
            http_allow,
            speech,
            script_limits,
            script_watch,
        } = newer;
        self.external_ip = external_ip;
        self.nat = nat;
        self.accounts = accounts;
        self.peers = peers;
        self.mailboxes = mailboxes;
        self.time_zone = time_zone;
        self.apology = apology;
        self.limits = limits;
        self.http_allow = http_allow;
        self.speech = speech;
        self.script_limits = script_limits;
        self.script_watch = script_watch;
    }
}

/// One socket that SIP comes in on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// How.
    pub transport: Transport,
    /// Concrete address, never a wildcard.
    pub address: SocketAddr,
}

/// Who may register and call.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Digest user name, and the number under which it is dialled.
    pub user: String,
    /// Digest secret; never logged.
    pub secret: String,
    /// Display name, may be empty.
    pub name: String,
    /// Mailbox that `*97` opens.
    pub mailbox: Option<String>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("user", &self.user).finish_non_exhaustive()
    }
}

/// A network whose calls are let in without digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Named in the log, at level debug.
    pub name: String,
    /// Network address.
    pub network: IpAddr,
    /// Leading bits that count, up to 32 or 128.
    pub prefix_bits: u8,
}

impl Peer {
    /// Whether this address belongs to the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        let bits = u32::from(self.prefix_bits);
        match (self.network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - bits.min(32)).unwrap_or(0);
                network.to_bits() & mask == address.to_bits() & mask
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - bits.min(128)).unwrap_or(0);
                network.to_bits() & mask == address.to_bits() & mask
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// A voice mailbox.
#[derive(Clone, PartialEq, Eq)]
pub struct MailboxConfig {
    /// PIN until its owner changes it; digits; never logged.
    pub pin: String,
    /// Most messages it holds.
    pub messages_max: u32,
    /// Longest message.
    pub message_max: Duration,
}

impl fmt::Debug for MailboxConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailboxConfig")
            .field("messages_max", &self.messages_max)
            .finish_non_exhaustive()
    }
}

/// Bounds of all calls, and what happens at each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Calls at one time; beyond: 503 with Retry-After.
    pub calls_max: usize,
    /// Calls at one time of one account; beyond: 486. All strangers on public routes together have
    /// the same number; beyond, they are asked for digest (401). Trusted networks are not counted.
    pub calls_per_account_max: usize,
    /// Legs one dial may ring; beyond: a script error.
    pub dial_targets_max: usize,
    /// Calls that one script may have originated at one time; beyond: a script error.
    pub originated_max: usize,
    /// Bindings of one account; beyond: 403 to the REGISTER.
    pub bindings_per_account_max: usize,
    /// Shortest registration; below: 423 (RFC 3261 §10.3).
    pub registration_min: Duration,
    /// Longest registration; above: shortened.
    pub registration_max: Duration,
    /// How long a call may go without being answered or ended by its script; then: 408.
    pub unanswered_max: Duration,
    /// Longest call, from its answer; then: BYE.
    pub call_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls_max: 5_000,
            calls_per_account_max: 100,
            dial_targets_max: 50,
            originated_max: 16,
            bindings_per_account_max: 10,
            registration_min: Duration::from_secs(60),
            registration_max: Duration::from_secs(7_200),
            unanswered_max: Duration::from_secs(3_600),
            call_max: Duration::from_secs(12 * 3_600),
        }
    }
}
