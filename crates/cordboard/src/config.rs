//! `cordboard.toml`: read once, checked whole, turned into what the switch is told.
//!
//! Everything wrong is found in one reading, each with its place, what was expected and the nearest
//! right name.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use sip_engine::Algorithm;

mod http;
mod listen;
mod mistake;
mod names;
mod secret;
mod section;
mod speech;
#[cfg(test)]
mod tests;

pub(crate) use http::{Heard, HttpSettings};
pub(crate) use listen::{ListenSpec, expand};
#[cfg(test)]
pub(crate) use mistake::render;
pub(crate) use mistake::{Mistake, Mistakes, places};
pub(crate) use names::{is_account_name, is_mailbox_name, nearest};
use section::{Found, Section};

use crate::report;

/// A checked configuration file, before its listeners are matched with this machine's addresses.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The SIP domain and digest realm.
    pub(crate) domain: String,
    /// Where SIP over UDP is heard.
    pub(crate) udp: Vec<ListenSpec>,
    /// Where SIP over TCP is heard.
    pub(crate) tcp: Vec<ListenSpec>,
    /// Written into session descriptions instead of our own address.
    pub(crate) external_ip: Option<IpAddr>,
    /// First and last RTP port.
    pub(crate) rtp_ports: (u16, u16),
    /// Voice threads.
    pub(crate) media_threads: usize,
    /// Accept voice from behind NAT.
    pub(crate) nat: bool,
    /// What phones may prove their secret with, in the order in which it is offered.
    pub(crate) digest: Vec<Algorithm>,
    /// Who may register and call.
    pub(crate) accounts: BTreeMap<String, pbx::Account>,
    /// Who may call without digest.
    pub(crate) peers: Vec<pbx::Peer>,
    /// Voice mailboxes.
    pub(crate) mailboxes: BTreeMap<String, pbx::MailboxConfig>,
    /// Language folder of the prompts.
    pub(crate) language: String,
    /// The office's time zone.
    pub(crate) time_zone: TimeZone,
    /// Bounds of calls.
    pub(crate) limits: pbx::Limits,
    /// What scripts may reach over HTTP.
    pub(crate) http: HttpSettings,
    /// What speaks texts.
    pub(crate) speech: Option<Arc<pbx::Synthesiser>>,
    /// Bounds of scripts.
    pub(crate) script_limits: dialplan::Limits,
    /// Bounds of connections.
    pub(crate) tcp_limits: net::TcpLimits,
    /// Folder of `main.lua`.
    pub(crate) scripts: PathBuf,
    /// The scripts' own database, as seen from the data folder.
    pub(crate) script_database: PathBuf,
    /// Take scripts and prompts into use as soon as they are saved.
    pub(crate) watch: bool,
    /// The prompt that callers hear when a script fails; `None`: nothing.
    pub(crate) apology: Option<String>,
    /// Run the tests of the scripts before they are taken into use.
    pub(crate) test_on_reload: bool,
    /// Folder of the language folders.
    pub(crate) prompts: PathBuf,
    /// Folder of the database and recordings.
    pub(crate) data: PathBuf,
}

impl Settings {
    /// Reads the file at `path`; folders in it are relative to its own.
    ///
    /// # Errors
    /// When it cannot be read, or with everything that is wrong in it, ready to print.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        Self::load_or_tell(path)?.map_err(|places| anyhow::anyhow!(report::render(&places)))
    }

    /// The same, with each mistake by itself.
    ///
    /// # Errors
    /// When it cannot be read; inside, everything that is wrong in it.
    pub(crate) fn load_or_tell(path: &Path) -> anyhow::Result<Result<Self, Vec<report::Place>>> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| anyhow::anyhow!("{} cannot be read: {error}", path.display()))?;
        let parsed = Self::parse(&text, folder_of(path));
        Ok(parsed.map_err(|mistakes| places(path, &text, &mistakes)))
    }

    /// Reads the text of a file that lies in `folder`.
    ///
    /// # Errors
    /// Everything that is wrong in it; never empty.
    pub(crate) fn parse(text: &str, folder: &Path) -> Result<Self, Mistakes> {
        let mut mistakes = Mistakes::default();
        let (table, faults) = toml::de::DeTable::parse_recoverable(text);
        for fault in &faults {
            let span = fault.span().unwrap_or(0..0);
            mistakes.add(Mistake::new(span, format!("not TOML: {}", fault.message()), ""));
        }
        if !mistakes.is_empty() {
            // What could be read of a broken file would only raise false alarms.
            return Err(mistakes);
        }
        let root = Section::root(table.get_ref(), &mut mistakes);
        let settings = read(root, folder);
        if mistakes.is_empty() { Ok(settings) } else { Err(mistakes) }
    }

    /// Keys in which `newer` differs and which only a new start can heed: sockets, threads and what is
    /// built into challenges. All others can change while calls are under way; see
    /// [`pbx::Config::take_over`].
    pub(crate) fn needs_restart(&self, newer: &Self) -> Vec<&'static str> {
        let Self {
            domain,
            udp,
            tcp,
            external_ip: _,
            rtp_ports,
            media_threads,
            nat: _,
            digest,
            accounts: _,
            peers: _,
            mailboxes: _,
            language,
            time_zone: _,
            limits: _,
            http,
            speech: _,
            script_limits: _,
            tcp_limits,
            scripts: _,
            script_database,
            watch,
            apology: _,
            test_on_reload: _,
            prompts: _,
            data,
        } = self;
        [
            ("domain", *domain != newer.domain),
            ("listen.udp", *udp != newer.udp),
            ("listen.tcp", *tcp != newer.tcp),
            ("media.ports", *rtp_ports != newer.rtp_ports),
            ("media.threads", *media_threads != newer.media_threads),
            ("auth.digest", *digest != newer.digest),
            ("office.language", *language != newer.language),
            ("limits.connections", tcp_limits.connections_max != newer.tcp_limits.connections_max),
            (
                "limits.connections_per_address",
                tcp_limits.connections_per_peer_max != newer.tcp_limits.connections_per_peer_max,
            ),
            ("http.ca", http.trusted != newer.http.trusted),
            ("http.listen", http.address() != newer.http.address()),
            ("scripts.database", *script_database != newer.script_database),
            ("scripts.watch", *watch != newer.watch),
            ("data", *data != newer.data),
        ]
        .into_iter()
        .filter_map(|(key, changed)| changed.then_some(key))
        .collect()
    }

    /// What the switch is told, with concrete listeners.
    pub(crate) fn into_config(self, listeners: Vec<pbx::Listener>) -> pbx::Config {
        pbx::Config {
            domain: self.domain,
            listeners,
            external_ip: self.external_ip,
            rtp_port_first: self.rtp_ports.0,
            rtp_port_last: self.rtp_ports.1,
            media_threads: self.media_threads,
            nat: self.nat,
            digest: self.digest,
            accounts: self.accounts,
            peers: self.peers,
            mailboxes: Arc::new(self.mailboxes),
            language: self.language,
            apology: self.apology,
            time_zone: self.time_zone,
            limits: self.limits,
            http_allow: self.http.allow,
            speech: self.speech,
            script_limits: self.script_limits,
            script_watch: dialplan::Watch::Nothing,
        }
    }
}

/// The data folder that the file at `path` names, as well as can be told: commands want to reach an
/// exchange that runs even when its configuration was broken since.
pub(crate) fn data_folder(path: &Path) -> PathBuf {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let (table, _faults) = toml::de::DeTable::parse_recoverable(&text);
    let named = table.get_ref().get("data").and_then(|value| value.get_ref().as_str());
    folder_of(path).join(named.unwrap_or(STANDARD_DATA))
}

/// The folder that relative paths in a configuration file start from.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

/// Reads every key there is; what is wrong or missing gets a stand-in and is noted.
fn read(mut root: Section<'_, '_>, folder: &Path) -> Settings {
    let domain = root.value("domain", "a host name", names::domain).unwrap_or("cordboard".into());
    let ScriptSettings { folder: scripts, database, watch, test_on_reload, apology } =
        read_scripts(&mut root);
    let [prompts, data] = [("prompts", "prompts"), ("data", STANDARD_DATA)]
        .map(|(key, default)| root.value(key, FOLDER, section::text).unwrap_or(default.into()));
    let [scripts, prompts, data] = [scripts, prompts, data].map(|path| folder.join(path));

    let mut listen = root.section("listen");
    let udp = listen.list("udp", listen::EXPECTED, listen::spec);
    let tcp = listen.list("tcp", listen::EXPECTED, listen::spec);
    let both_missing = udp.is_none() && tcp.is_none();
    listen.finish();
    let standard = || vec![ListenSpec::private()];
    let (udp, tcp) = if both_missing {
        (standard(), standard())
    } else {
        (udp.unwrap_or_default(), tcp.unwrap_or_default())
    };

    let mut media = root.section("media");
    let rtp_ports = media
        .value("ports", "a range of ports such as \"16384-32767\"", names::port_range)
        .unwrap_or((16_384, 32_767));
    let media_threads =
        media.number("threads", 1..=64).map_or_else(standard_threads, |n| n as usize);
    let nat = media.value("nat", "true or false", section::truth).unwrap_or(true);
    let external_ip = media.value("external_ip", "an IP address", names::ip_address);
    media.finish();

    let mut office = root.section("office");
    let language = office
        .value(
            "language",
            "the name of a folder under the prompts, such as \"en\"",
            names::language,
        )
        .unwrap_or_else(|| "en".into());
    let time_zone = office
        .value("time_zone", "a zone such as \"Europe/Berlin\"", names::time_zone)
        .unwrap_or_else(TimeZone::system);
    office.finish();

    let mut auth = root.section("auth");
    let digest = auth
        .list("digest", "a list of \"SHA-256\" and \"MD5\"", names::algorithm)
        .filter(|algorithms| !algorithms.is_empty())
        .unwrap_or_else(|| vec![Algorithm::Sha256, Algorithm::Md5]);
    auth.finish();

    let mailboxes = read_mailboxes(&mut root);
    let accounts = read_accounts(&mut root, folder, &mailboxes);
    let peers = read_peers(&mut root);
    let http = http::read(&mut root, folder);
    let speech = speech::read(&mut root, folder).map(Arc::new);
    let (limits, tcp_limits, script_limits) = read_limits(&mut root);
    root.finish();

    Settings {
        domain,
        udp,
        tcp,
        external_ip,
        rtp_ports,
        media_threads,
        nat,
        digest,
        accounts,
        peers,
        mailboxes,
        language,
        time_zone,
        limits,
        http,
        speech,
        script_limits,
        tcp_limits,
        scripts,
        script_database: database,
        watch,
        test_on_reload,
        apology,
        prompts,
        data,
    }
}

/// What is said of the scripts.
struct ScriptSettings {
    folder: String,
    database: PathBuf,
    watch: bool,
    test_on_reload: bool,
    apology: Option<String>,
}

/// Their folder, which is all that `scripts = "PATH"` says, and what is done with them.
fn read_scripts(root: &mut Section<'_, '_>) -> ScriptSettings {
    let mut settings = ScriptSettings {
        folder: "scripts".to_owned(),
        database: "scripts.db".into(),
        watch: false,
        test_on_reload: false,
        apology: Some(APOLOGY.to_owned()),
    };
    if root.is_text("scripts") {
        if let Some(folder) = root.value("scripts", FOLDER, section::text) {
            settings.folder = folder;
        }
        return settings;
    }
    let mut section = root.section("scripts");
    if let Some(folder) = section.value("folder", FOLDER, section::text) {
        settings.folder = folder;
    }
    if let Some(database) = section.value("database", "the path of a file", names::database) {
        settings.database = database;
    }
    section.switch("watch", &mut settings.watch);
    section.switch("test_on_reload", &mut settings.test_on_reload);
    if let Some(apology) =
        section.value("apology", "the name of a prompt, or false", names::apology)
    {
        settings.apology = apology;
    }
    section.finish();
    settings
}

fn read_mailboxes(root: &mut Section<'_, '_>) -> BTreeMap<String, pbx::MailboxConfig> {
    let mut mailboxes = BTreeMap::new();
    root.each("mailbox", |name, mut section| {
        if !is_mailbox_name(name) {
            section.blame_name("letters, digits, `-`, `_` and `.`, at most 64");
        }
        let pin =
            section.required("pin", "4 to 12 digits in quotes, such as \"4711\"", secret::pin);
        let messages_max = section.number("messages", 1..=10_000).unwrap_or(100);
        let seconds = section.number("message_seconds", 1..=3_600).unwrap_or(300);
        section.finish();
        let mailbox = pbx::MailboxConfig {
            pin: pin.unwrap_or_default(),
            messages_max: messages_max as u32,
            message_max: Duration::from_secs(seconds),
        };
        mailboxes.insert(name.to_owned(), mailbox);
    });
    mailboxes
}

fn read_accounts(
    root: &mut Section<'_, '_>,
    folder: &Path,
    mailboxes: &BTreeMap<String, pbx::MailboxConfig>,
) -> BTreeMap<String, pbx::Account> {
    let mut accounts = BTreeMap::new();
    root.each("account", |user, mut section| {
        if !is_account_name(user) {
            section.blame_name("letters, digits, `-`, `_`, `.` and `+`, at most 64");
        }
        let expected = "text, \"env:NAME\" or \"file:PATH\"";
        let secret = section.required("secret", expected, |value| secret::read(value, folder));
        let name = section.value("name", "text", names::display_name).unwrap_or_default();
        let mailbox = section.value("mailbox", "the name of a mailbox", |value| {
            let mailbox = section::text(value)?;
            if mailboxes.contains_key(&mailbox) {
                return Ok(mailbox);
            }
            Err(Found::unknown("mailbox", &mailbox, mailboxes.keys().map(String::as_str)))
        });
        section.finish();
        // A mailbox of the same name is meant for this account without saying so.
        let mailbox = mailbox.or_else(|| mailboxes.contains_key(user).then(|| user.to_owned()));
        let account = pbx::Account {
            user: user.to_owned(),
            secret: secret.unwrap_or_default(),
            name,
            mailbox,
        };
        accounts.insert(user.to_owned(), account);
    });
    accounts
}

fn read_peers(root: &mut Section<'_, '_>) -> Vec<pbx::Peer> {
    let mut peers = Vec::new();
    root.each("peer", |name, mut section| {
        let expected = "an address or network such as \"192.0.2.0/24\"";
        if let Some((network, prefix_bits)) = section.required("network", expected, names::network)
        {
            peers.push(pbx::Peer { name: name.to_owned(), network, prefix_bits });
        }
        section.finish();
    });
    peers
}

fn read_limits(root: &mut Section<'_, '_>) -> (pbx::Limits, net::TcpLimits, dialplan::Limits) {
    let mut calls = pbx::Limits::default();
    let mut tcp = net::TcpLimits::default();
    let mut scripts = dialplan::Limits::default();
    let mut section = root.section("limits");
    section.count("calls", &mut calls.calls_max, 1_000_000);
    section.count("calls_per_account", &mut calls.calls_per_account_max, 1_000_000);
    section.count("dial_targets", &mut calls.dial_targets_max, 1_000);
    section.count("bindings_per_account", &mut calls.bindings_per_account_max, 1_000);
    section.seconds("registration_min_seconds", &mut calls.registration_min, 86_400);
    section.seconds("registration_max_seconds", &mut calls.registration_max, 604_800);
    section.seconds("unanswered_seconds", &mut calls.unanswered_max, 86_400);
    section.seconds("call_seconds", &mut calls.call_max, 604_800);
    section.count("connections", &mut tcp.connections_max, 100_000);
    section.count("connections_per_address", &mut tcp.connections_per_peer_max, 100_000);
    section.count("script_verbs", &mut scripts.verbs_per_call, 1_000_000_000);
    section.count("script_memory_bytes", &mut scripts.memory_per_call, 1 << 30);
    section.count("script_instructions", &mut scripts.instructions_per_verb, 1 << 40);
    section.count("shared_keys", &mut scripts.shared.keys, 10_000_000);
    section.count("shared_bytes", &mut scripts.shared.bytes, 1 << 40);
    section.finish();
    if calls.registration_min > calls.registration_max {
        root.blame("limits", "registration_min_seconds is above registration_max_seconds");
    }
    (calls, tcp, scripts)
}

/// The data folder, unless said otherwise.
const STANDARD_DATA: &str = "cordboard-data";
/// What callers hear when a script fails, unless said otherwise; silence where it is missing.
pub(crate) const APOLOGY: &str = "main/sorry";
/// What is expected where a folder is meant.
const FOLDER: &str = "the path of a folder";

/// A thread for voice per two processors, at least one: signalling wants the other half.
fn standard_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| processors.get().div_ceil(2)).min(8)
}
