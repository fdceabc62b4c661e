//! `cordboard account`: adds phones to the configuration and lists them.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde::Serialize;
use toml_edit::{DocumentMut, Item, Table, value};

use crate::config::{Settings, folder_of, is_account_name};
use crate::random;
use crate::terminal::Terminal;

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Add a phone with a fresh secret and a mailbox; `cordboard reload` lets it in.
    Add(Add),
    /// List the phones.
    List {
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
        /// Show the secrets, too.
        #[arg(long)]
        secrets: bool,
    },
}

/// A new account.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// User name and number, such as 110.
    user: String,
    /// Shown to those who are called.
    #[arg(long, default_value = "")]
    name: String,
    /// Without a mailbox of its own.
    #[arg(long)]
    no_mailbox: bool,
}

pub(crate) fn run(
    config_path: &Path,
    action: Action,
    terminal: &mut Terminal<'_>,
) -> anyhow::Result<ExitCode> {
    match action {
        Action::Add(add) => run_add(config_path, &add, terminal),
        Action::List { json, secrets } => run_list(config_path, json, secrets, terminal),
    }
}

fn run_add(config_path: &Path, add: &Add, terminal: &mut Terminal<'_>) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(config_path)?;
    let user = &add.user;
    if !is_account_name(user) {
        bail!("`{user}` cannot be an account: letters, digits, `-`, `_`, `.` and `+`, at most 64");
    }
    if settings.accounts.contains_key(user) {
        bail!("there is an account {user} already");
    }
    let text = fs::read_to_string(config_path)
        .with_context(|| format!("{} cannot be read", config_path.display()))?;
    let mut document: DocumentMut =
        text.parse().with_context(|| format!("{} cannot be edited", config_path.display()))?;

    let secret = random::secret()?;
    let account = section(&mut document, "account", user)?;
    if !add.name.is_empty() {
        account.insert("name", value(&add.name));
    }
    account.insert("secret", value(&secret));
    let pin = if add.no_mailbox || settings.mailboxes.contains_key(user) {
        None
    } else {
        let pin = random::pin()?;
        section(&mut document, "mailbox", user)?.insert("pin", value(&pin));
        Some(pin)
    };
    let edited = document.to_string();
    // What is written must be readable, whatever the file looked like before.
    if Settings::parse(&edited, folder_of(config_path)).is_err() {
        bail!("{} cannot be edited; add [account.{user}] by hand", config_path.display());
    }
    replace(config_path, &edited)?;

    say!(terminal, "user      {user}");
    say!(terminal, "password  {secret}");
    if let Some(pin) = pin {
        say!(terminal, "PIN       {pin}");
    }
    say!(terminal, "It counts after `cordboard reload`, or from the next start of the exchange.");
    Ok(ExitCode::SUCCESS)
}

/// A new `[kind.name]`, after everything there is.
fn section<'d>(
    document: &'d mut DocumentMut,
    kind: &str,
    name: &str,
) -> anyhow::Result<&'d mut Table> {
    let end = document.iter().filter_map(|(_, item)| last_position(item)).max().unwrap_or(0);
    let kinds = document.entry(kind).or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let kinds = kinds
        .as_table_mut()
        .with_context(|| format!("`{kind}` is not written as sections; add it by hand"))?;
    let mut table = Table::new();
    table.set_position(Some(end + 1));
    table.decor_mut().set_prefix("\n");
    kinds.insert(name, Item::Table(table));
    kinds.get_mut(name).and_then(Item::as_table_mut).context("the new section is lost")
}

fn last_position(item: &Item) -> Option<isize> {
    let table = item.as_table()?;
    let inner = table.iter().filter_map(|(_, item)| last_position(item)).max();
    inner.max(table.position())
}

/// Puts a new text in the place of the file, whole or not at all, for the same eyes as before.
fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let mode = fs::metadata(path).map_or(0o600, |metadata| metadata.permissions().mode() & 0o777);
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = Path::new(&unfinished);
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .open(unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(unfinished, path)
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}

#[derive(Debug, Serialize)]
struct Listed<'s> {
    user: &'s str,
    name: &'s str,
    mailbox: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'s str>,
}

fn run_list(
    config_path: &Path,
    json: bool,
    secrets: bool,
    terminal: &mut Terminal<'_>,
) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(config_path)?;
    let listed: Vec<_> = settings
        .accounts
        .values()
        .map(|account| Listed {
            user: &account.user,
            name: &account.name,
            mailbox: account.mailbox.as_deref(),
            secret: secrets.then_some(account.secret.as_str()),
        })
        .collect();
    if json {
        say!(terminal, "{}", serde_json::to_string_pretty(&listed)?);
        return Ok(ExitCode::SUCCESS);
    }
    for account in listed {
        let mailbox = account.mailbox.unwrap_or("-");
        let secret = account.secret.unwrap_or_default();
        let line = format!("{:<12} {:<12} {:<24} {secret}", account.user, mailbox, account.name);
        say!(terminal, "{}", line.trim_end());
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::overheard;

    #[test]
    fn an_added_account_leaves_all_else_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cordboard.toml");
        let before = "# kept\ndomain = \"x\" # and this\n\n[account.100]\nsecret = \"s\"\n\n[listen]\nudp = []\n";
        fs::write(&path, before).unwrap();
        let add = |user: &str, no_mailbox| {
            let add = Add { user: user.into(), name: "Zoë".into(), no_mailbox };
            let (came_of_it, said, complained) =
                overheard(|terminal| run_add(&path, &add, terminal));
            assert_eq!(complained, "");
            came_of_it.map(|_| said)
        };
        let told = [add("101", false).unwrap(), add("102", true).unwrap()];
        let after = fs::read_to_string(&path).unwrap();
        assert!(after.starts_with(before), "{after}");
        let settings = Settings::load(&path).unwrap();
        assert_eq!(settings.accounts["101"].name, "Zoë");
        assert_eq!(settings.accounts["101"].mailbox.as_deref(), Some("101"));
        assert_eq!(settings.accounts["102"].mailbox, None);
        let secret = |user: &str| settings.accounts[user].secret.as_str();
        let counts =
            "It counts after `cordboard reload`, or from the next start of the exchange.\n";
        let first = format!("user      101\npassword  {}\nPIN       ", secret("101"));
        assert!(told[0].starts_with(&first) && told[0].ends_with(counts), "{told:?}");
        assert_eq!(told[1], format!("user      102\npassword  {}\n{counts}", secret("102")));
        let list = |json, secrets| overheard(|terminal| run_list(&path, json, secrets, terminal)).1;
        assert!(list(false, false).contains("101          101          Zoë\n"));
        assert!(!list(true, false).contains(secret("101")), "only when asked for");
        assert!(list(true, true).contains(secret("101")));
        assert!(add("101", false).unwrap_err().to_string().contains("already"));
        assert!(add("1 1", false).is_err());
    }
}
