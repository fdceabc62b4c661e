//! Commands to a running exchange: `reload`, `status` and `calls`.

mod shown;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;

use crate::config::data_folder;
use crate::control::CALLS_MAX;
use crate::control::protocol::{Reply, Request};
use crate::data_folder::CONTROL_SOCKET;
use crate::report::Colour;

/// How to have new scripts used.
#[derive(Debug, Args)]
pub(crate) struct Reload {
    /// Only tell whether they could be used.
    #[arg(long)]
    check_only: bool,
    /// As JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// How to be told how things stand.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// As JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// How to be told the calls under way.
#[derive(Debug, Args)]
pub(crate) struct Calls {
    /// So many at most, the oldest first.
    #[arg(long, default_value_t = 100)]
    max: usize,
    /// As JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// Has scripts, prompts and configuration read anew.
pub(crate) fn reload(
    config: &Path,
    data: Option<&Path>,
    options: &Reload,
) -> anyhow::Result<ExitCode> {
    let colour = if options.json { Colour::Plain } else { Colour::of_stderr() };
    let request = Request::Reload { check_only: options.check_only, colour };
    let Some(reply) = ask(config, data, &request, RELOAD_TIME_MAX)? else {
        return Ok(none_runs(config, data, options.json));
    };
    let Reply::Reload(reloaded) = reply else { bail!("{UNEXPECTED}") };
    if options.json {
        println!("{}", serde_json::to_string(&reloaded)?);
    } else {
        let (right, wrong) = shown::reloaded(&reloaded, options.check_only);
        print!("{right}");
        eprint!("{wrong}");
    }
    Ok(if reloaded.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Tells how things stand.
pub(crate) fn status(
    config: &Path,
    data: Option<&Path>,
    options: &Status,
) -> anyhow::Result<ExitCode> {
    let colour = if options.json { Colour::Plain } else { Colour::of_stderr() };
    let Some(reply) = ask(config, data, &Request::Status { colour }, ANSWER_TIME_MAX)? else {
        return Ok(none_runs(config, data, options.json));
    };
    let Reply::Status(status) = reply else { bail!("{UNEXPECTED}") };
    if options.json {
        println!("{}", serde_json::to_string(&status)?);
    } else {
        print!("{}", shown::status(&status, jiff::Timestamp::now(), &jiff::tz::TimeZone::system()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Lists the calls under way.
pub(crate) fn calls(
    config: &Path,
    data: Option<&Path>,
    options: &Calls,
) -> anyhow::Result<ExitCode> {
    let request = Request::Calls { max: options.max.min(CALLS_MAX) };
    let Some(reply) = ask(config, data, &request, ANSWER_TIME_MAX)? else {
        return Ok(none_runs(config, data, options.json));
    };
    let Reply::Calls(calls) = reply else { bail!("{UNEXPECTED}") };
    if options.json {
        println!("{}", serde_json::to_string(&calls)?);
    } else {
        print!("{}", shown::calls(&calls, jiff::Timestamp::now()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks the exchange; `None` when none runs.
fn ask(
    config: &Path,
    data: Option<&Path>,
    request: &Request,
    patience: Duration,
) -> anyhow::Result<Option<Reply>> {
    let socket = socket(config, data);
    let line = serde_json::to_string(request)?;
    let answer = match net::control::ask(&socket, &line, patience) {
        Ok(answer) => answer,
        Err(error) => {
            let kind = error.kind();
            if kind == ErrorKind::NotFound || kind == ErrorKind::ConnectionRefused {
                return Ok(None);
            }
            if kind == ErrorKind::PermissionDenied {
                bail!(
                    "{} may be used only by whoever runs the exchange, and by root",
                    socket.display()
                );
            }
            if kind == ErrorKind::TimedOut {
                bail!("the exchange did not answer within {} seconds", patience.as_secs());
            }
            if kind == ErrorKind::UnexpectedEof {
                bail!("the exchange stopped before it answered");
            }
            return Err(error).context(format!("{} cannot be used", socket.display()));
        }
    };
    match serde_json::from_str(&answer).context(UNEXPECTED)? {
        Reply::Error(error) => bail!("{error}"),
        reply @ (Reply::Status(_) | Reply::Calls(_) | Reply::Reload(_)) => Ok(Some(reply)),
    }
}

fn socket(config: &Path, data: Option<&Path>) -> PathBuf {
    let data = data.map_or_else(|| data_folder(config), Path::to_owned);
    data.join(CONTROL_SOCKET)
}

fn none_runs(config: &Path, data: Option<&Path>, json: bool) -> ExitCode {
    if json {
        println!("{{\"running\":false}}");
    } else {
        let socket = socket(config, data);
        let folder = socket.parent().unwrap_or(&socket);
        eprintln!("no exchange runs with the data folder {}", folder.display());
    }
    ExitCode::from(NONE_RUNS)
}

/// What ends a command that found no exchange to talk to.
const NONE_RUNS: u8 = 3;
/// How long a reload may take, tests included.
const RELOAD_TIME_MAX: Duration = Duration::from_secs(600);
/// How long everything else may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);
const UNEXPECTED: &str = "the exchange answers something else; is it of another version?";
