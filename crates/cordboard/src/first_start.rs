//! The first start: writes a configuration that works, and says what to type into a phone.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;

use crate::config::{Settings, folder_of};
use crate::{config, embedded, random, report};

/// Whether there was a configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// None; one was written.
    First,
    /// There was.
    Later,
}

/// Writes the configuration file unless it is there.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn ensure_config(path: &Path) -> anyhow::Result<Start> {
    if path.exists() {
        return Ok(Start::Later);
    }
    let text = fresh_config()?;
    fs::create_dir_all(folder_of(path))
        .with_context(|| format!("{} cannot be made", folder_of(path).display()))?;
    // Secrets are for their owner's eyes.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(Start::First)
}

/// Whether this configuration is one that a first start wrote, with the demo's phones in it.
pub(crate) fn wrote(path: &Path) -> bool {
    let first_line = TEMPLATE.lines().next().unwrap_or_default();
    fs::read_to_string(path).is_ok_and(|text| text.starts_with(first_line))
}

/// Writes out scripts and prompts where the folders are missing.
///
/// # Errors
/// When they cannot be written.
pub(crate) fn ensure_folders(settings: &Settings) -> anyhow::Result<()> {
    let written = |path: &Path| format!("{} cannot be written", path.display());
    if !settings.scripts.exists() {
        embedded::write_scripts(&settings.scripts).with_context(|| written(&settings.scripts))?;
        tracing::info!("wrote the demo dialplan to {}", settings.scripts.display());
    }
    if !settings.prompts.exists() {
        embedded::write_prompts(&settings.prompts).with_context(|| written(&settings.prompts))?;
        tracing::info!("wrote the prompts to {}", settings.prompts.display());
    }
    Ok(())
}

/// The settings that a first start would write, for folders seen from this one; nothing is written.
///
/// # Errors
/// When the system gives no random numbers.
pub(crate) fn usual_settings(folder: &Path) -> anyhow::Result<Settings> {
    let text = fresh_config()?;
    Settings::parse(&text, folder).map_err(|mistakes| {
        anyhow::anyhow!(report::render(&config::places(Path::new(""), &text, &mistakes)))
    })
}

/// A new configuration: ten phones, ten mailboxes, everything that can be set and what it means.
fn fresh_config() -> anyhow::Result<String> {
    let mut text = String::from(TEMPLATE);
    for user in FIRST_USER..FIRST_USER + USERS {
        let (secret, pin) = (random::secret()?, random::pin()?);
        write!(
            text,
            "\n[account.{user}]\nname = \"Phone {user}\"\nsecret = \"{secret}\"\n\
             [mailbox.{user}]\npin = \"{pin}\"\n"
        )?;
    }
    Ok(text)
}

/// What a new user reads: what to type into a phone, and what to call.
pub(crate) fn welcome(path: &Path, settings: &Settings, udp: &[SocketAddr]) -> String {
    let mut phones = settings.accounts.values();
    let (first, second) = (phones.next(), phones.next());
    let pin = first.and_then(|account| settings.mailboxes.get(account.mailbox.as_ref()?));
    let here = udp.iter().find(|address| address.ip().is_loopback());
    let elsewhere = udp.iter().filter(|address| !address.ip().is_loopback());
    // Not every phone speaks IPv6.
    let elsewhere = elsewhere.min_by_key(|address| address.is_ipv6());
    let mut text = format!(
        "\nThe first start with {}, which has {} phones, each with its own secret.\n\n\
         Type this into a SIP phone:\n\n",
        path.display(),
        settings.accounts.len(),
    );
    let mut line = |name: &str, value: &str| {
        text.push_str(&format!("    {name:<12}{value}\n"));
    };
    match (elsewhere, here) {
        (Some(elsewhere), Some(here)) => {
            let value = format!("{}, or on this machine {}", server(elsewhere), server(here));
            line("Server", &value);
        }
        (Some(only), None) | (None, Some(only)) => line("Server", &server(only)),
        (None, None) => {}
    }
    line("Transport", "UDP or TCP");
    if let Some(account) = first {
        line("User", &account.user);
        line("Password", &account.secret);
    }
    if let Some(account) = second {
        line("2nd phone", &format!("user {}, password {}", account.user, account.secret));
    }
    text.push_str("\nAll users, secrets and PINs are in that file. Then call:\n\n");
    let pin = pin.map_or("its PIN", |mailbox| &mailbox.pin);
    let user = first.map_or("100", |account| &account.user);
    for (number, what) in [
        ("100 to 109", "each other; nobody answers: leave a message"),
        ("*97", &*format!("your mailbox (PIN of {user}: {pin})")),
        ("600", "hear yourself"),
        ("0", "a spoken menu"),
        ("700", "wait in a queue, with music"),
        ("123", "the time"),
        ("302", "be sent elsewhere"),
    ] {
        text.push_str(&format!("    {number:<12}{what}\n"));
    }
    let program = std::env::args().next().unwrap_or_else(|| "cordboard".into());
    text.push_str(&format!(
        "\nNo phone at hand? In another terminal:\n\n    \
         {program} call 123 --as {user} --record time.wav --hangup-after 10\n\n\
         What each number does is in {}; change it and run `{program} reload`.\n",
        settings.scripts.display(),
    ));
    text
}

/// As typed into a phone: the standard port goes without saying.
fn server(address: &SocketAddr) -> String {
    match (address.port(), address.ip()) {
        (5_060, ip) => ip.to_string(),
        (_, _) => address.to_string(),
    }
}

/// The first of the ten.
const FIRST_USER: u32 = 100;
/// How many.
const USERS: u32 = 10;

/// Everything before the phones.
const TEMPLATE: &str = include_str!("first_start/cordboard.toml");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_first_start_writes_is_right_and_fresh() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/cordboard.toml");
        assert_eq!(ensure_config(&path).unwrap(), Start::First);
        assert_eq!(ensure_config(&path).unwrap(), Start::Later);
        assert!(wrote(&path));
        assert!(!wrote(&folder.path().join("missing.toml")));
        let settings = Settings::load(&path).unwrap();
        assert_eq!(settings.accounts.len(), 10);
        assert_eq!(settings.mailboxes.len(), 10);
        let mut secrets: Vec<_> = settings.accounts.values().map(|a| a.secret.clone()).collect();
        secrets.sort();
        secrets.dedup();
        assert_eq!(secrets.len(), 10);
        assert!(settings.accounts.values().all(|account| account.mailbox.is_some()));
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn every_setting_offered_in_a_comment_is_one() {
        let uncommented: String = TEMPLATE
            .lines()
            .map(|line| line.strip_prefix("#: ").unwrap_or(line))
            .collect::<Vec<_>>()
            .join("\n");
        assert_ne!(uncommented, TEMPLATE.trim_end());
        if let Err(mistakes) = Settings::parse(&uncommented, Path::new(".")) {
            panic!("{}", crate::config::render(Path::new("template"), &uncommented, &mistakes));
        }
    }

    #[test]
    fn the_welcome_says_all_that_a_phone_needs() {
        let text = fresh_config().unwrap();
        let settings = Settings::parse(&text, Path::new("/x")).unwrap();
        let listening = ["127.0.0.1:5060".parse().unwrap(), "192.168.1.5:5060".parse().unwrap()];
        let welcome = welcome(Path::new("cordboard.toml"), &settings, &listening);
        let account = &settings.accounts["100"];
        let pin = &settings.mailboxes["100"].pin;
        for part in ["192.168.1.5", "on this machine 127.0.0.1", &account.secret, pin, "*97"] {
            assert!(welcome.contains(part), "no {part} in\n{welcome}");
        }
    }
}
