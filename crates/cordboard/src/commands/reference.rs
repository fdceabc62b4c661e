//! `cordboard reference`: what each function does.

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use crate::help::{libraries, plain, reference};

/// What to explain.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// A function such as `dial`, `call:dial` or `time.open`, or a library such as `call`; all of
    /// them, as a page in Markdown, if left out.
    name: Option<String>,
}

/// Prints the reference, or the part of it that was asked for.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let libraries = libraries();
    let text = match &options.name {
        None => reference::reference(&libraries),
        Some(name) => match plain::about(&libraries, name) {
            Some(text) => text,
            None => {
                let near = plain::nearest(&libraries, name)
                    .map(|near| format!("; did you mean {near}?"))
                    .unwrap_or_default();
                bail!("there is no function {name}{near}");
            }
        },
    };
    match io::stdout().write_all(text.as_bytes()) {
        // Whoever reads it has seen enough: `cordboard reference | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        written => written?,
    }
    Ok(ExitCode::SUCCESS)
}
