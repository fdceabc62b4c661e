//! `cordboard mailbox`: looks at voice messages, also while the exchange runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Subcommand;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use pbx::records::{MessageRecord, SoundId, UnixMs};
use serde::Serialize;
use store::Reader;

use crate::config::Settings;
use crate::wiring::DATABASE;

/// What to do with mailboxes.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// List the mailboxes, or the messages of one.
    List {
        /// Which mailbox; all if left out.
        mailbox: Option<String>,
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Write messages as WAV files.
    Export {
        /// Which mailbox.
        mailbox: String,
        /// Only this message, by its number in the list.
        #[arg(long, value_name = "N")]
        message: Option<usize>,
        /// Where to.
        #[arg(long, default_value = ".", value_name = "DIR")]
        to: PathBuf,
    },
}

pub(crate) fn run(
    config_path: &Path,
    data: Option<&Path>,
    action: Action,
) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(config_path)?;
    let path = data.unwrap_or(&settings.data).join(DATABASE);
    if !path.exists() {
        bail!("{} does not exist yet; it is made when the exchange first runs", path.display());
    }
    let reader =
        Reader::open(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    match action {
        Action::List { mailbox: None, json } => list_all(&reader, &settings, json),
        Action::List { mailbox: Some(mailbox), json } => {
            list_one(&reader, &settings, &mailbox, json)
        }
        Action::Export { mailbox, message, to } => {
            export(&reader, &settings, &mailbox, message, &to)
        }
    }
    .map(|()| ExitCode::SUCCESS)
}

#[derive(Debug, Serialize)]
struct ListedMailbox {
    mailbox: String,
    new: u32,
    old: u32,
    greeting: bool,
}

fn list_all(reader: &Reader, settings: &Settings, json: bool) -> anyhow::Result<()> {
    let used = reader.mailboxes().context("the mailboxes cannot be read")?;
    let mut listed: Vec<_> = used
        .into_iter()
        .map(|mailbox| ListedMailbox {
            mailbox: mailbox.name,
            new: mailbox.new_messages,
            old: mailbox.old_messages,
            greeting: mailbox.greeting.is_some(),
        })
        .collect();
    for name in settings.mailboxes.keys() {
        if !listed.iter().any(|mailbox| mailbox.mailbox == *name) {
            let mailbox = name.clone();
            listed.push(ListedMailbox { mailbox, new: 0, old: 0, greeting: false });
        }
    }
    listed.sort_by(|a, b| a.mailbox.cmp(&b.mailbox));
    if json {
        println!("{}", serde_json::to_string_pretty(&listed)?);
        return Ok(());
    }
    for mailbox in listed {
        let greeting = if mailbox.greeting { "  own greeting" } else { "" };
        println!("{:<12} {:>4} new {:>4} old{greeting}", mailbox.mailbox, mailbox.new, mailbox.old);
    }
    Ok(())
}

#[derive(Debug, Serialize)]
struct ListedMessage {
    number: usize,
    received: String,
    caller: String,
    caller_name: String,
    seconds: f64,
    heard: bool,
}

fn list_one(reader: &Reader, settings: &Settings, mailbox: &str, json: bool) -> anyhow::Result<()> {
    let messages = messages(reader, settings, mailbox)?;
    let listed = (1..).zip(&messages).map(|(number, message)| ListedMessage {
        number,
        received: local_time(message.received_at, &settings.time_zone, "%FT%T%:z"),
        caller: message.caller.clone(),
        caller_name: message.caller_name.clone(),
        seconds: message.length.as_secs_f64(),
        heard: message.heard,
    });
    if json {
        println!("{}", serde_json::to_string_pretty(&listed.collect::<Vec<_>>())?);
        return Ok(());
    }
    if messages.is_empty() {
        println!("no messages");
    }
    for message in listed {
        let state = if message.heard { "old" } else { "new" };
        println!(
            "{:>3}  {state}  {}  {:>6.1} s  {} {}",
            message.number,
            message.received,
            message.seconds,
            message.caller.escape_debug(),
            message.caller_name.escape_debug(),
        );
    }
    Ok(())
}

fn export(
    reader: &Reader,
    settings: &Settings,
    mailbox: &str,
    only: Option<usize>,
    folder: &Path,
) -> anyhow::Result<()> {
    let messages = messages(reader, settings, mailbox)?;
    if let Some(number) = only
        && !(1..=messages.len()).contains(&number)
    {
        bail!("mailbox {mailbox} has messages 1 to {}, not {number}", messages.len());
    }
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    for (number, message) in (1..).zip(&messages) {
        if only.is_some_and(|only| only != number) {
            continue;
        }
        let samples = sound(reader, message.sound)?;
        let time = local_time(message.received_at, &settings.time_zone, "%F-%H%M%S");
        let name = format!("{mailbox}-{number:03}-{time}-{}.wav", plain(&message.caller));
        let path = folder.join(name);
        store::write_wav(&path, &samples)
            .with_context(|| format!("{} cannot be written", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}

fn messages(
    reader: &Reader,
    settings: &Settings,
    mailbox: &str,
) -> anyhow::Result<Vec<MessageRecord>> {
    let messages = reader.messages(mailbox).context("the messages cannot be read")?;
    if messages.is_empty() && !settings.mailboxes.contains_key(mailbox) {
        let known = settings.mailboxes.keys().map(String::as_str);
        match crate::config::nearest(mailbox, known) {
            Some(near) => bail!("there is no mailbox {mailbox}; did you mean {near}?"),
            None => bail!("there is no mailbox {mailbox}"),
        }
    }
    Ok(messages)
}

fn sound(reader: &Reader, sound: SoundId) -> anyhow::Result<Vec<i16>> {
    let samples = reader.sound(sound).context("a message cannot be read")?;
    samples.context("a message was deleted meanwhile; try again")
}

fn local_time(at: UnixMs, zone: &TimeZone, format: &str) -> String {
    let timestamp = Timestamp::from_millisecond(at.0).unwrap_or_default();
    timestamp.to_zoned(zone.clone()).strftime(format).to_string()
}

/// As much of a caller's name as a file name may hold; it was chosen by a stranger.
fn plain(caller: &str) -> String {
    let kept = caller.chars().filter(|c| c.is_ascii_alphanumeric() || "+-_".contains(*c));
    let kept: String = kept.take(32).collect();
    if kept.is_empty() { "unknown".into() } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_name_cannot_leave_the_folder() {
        assert_eq!(plain("../../etc/passwd"), "etcpasswd");
        assert_eq!(plain("+4930123"), "+4930123");
        assert_eq!(plain("\u{202e}/"), "unknown");
    }
}
