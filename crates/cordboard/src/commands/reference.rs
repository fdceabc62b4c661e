//! `cordboard reference`: what each function does.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use crate::help::{Language, plain, reference};

/// What to explain.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// A function such as `dial`, `call:dial` or `time.open`, or a library such as `call`; all of
    /// them, as a page in Markdown, if left out.
    name: Option<String>,
    /// The page about tests rather than that about scripts.
    #[arg(long, conflicts_with = "name")]
    tests: bool,
}

/// Prints the reference, or the part of it that was asked for.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let text = match &options.name {
        None => reference::reference(match options.tests {
            false => Language::Scripts,
            true => Language::Tests,
        }),
        Some(name) => match plain::about(name) {
            Some(text) => text,
            None => {
                let near = plain::nearest(name)
                    .map(|near| format!("; did you mean {near}?"))
                    .unwrap_or_default();
                bail!("there is no function {name}{near}");
            }
        },
    };
    print!("{text}");
    Ok(ExitCode::SUCCESS)
}
