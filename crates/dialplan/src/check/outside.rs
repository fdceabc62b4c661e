//! Names of what exists outside of the scripts: prompts, extensions, mailboxes, languages.
//!
//! Whatever else a script can name (a trunk, a queue, a ring group) is looked up here: a field of
//! [`Names`], a code, and an arm in [`Outside::target`].

use std::collections::{BTreeMap, BTreeSet};

use super::code::Code;
use crate::generation::Names;
use crate::sound::{RECORDING, parse_sound};
use crate::speech::speech_text;
use crate::targets::destination;
use crate::verb::{Destination, Sound};
use crate::verbs::nearest;

/// What is wrong with something a script names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Problem {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// What exists outside of the scripts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outside<'a> {
    pub(super) names: &'a Names,
    /// Prompts that are there but cannot be played, and why.
    pub(super) broken: &'a BTreeMap<String, String>,
}

impl Outside<'_> {
    /// A prompt, tone or silence.
    pub(super) fn sound(&self, text: &str) -> Option<Problem> {
        match parse_sound(text, self.names) {
            Ok(Sound::Prompt(name)) => {
                let why = self.broken.get(&name)?;
                Some(Problem::new(
                    Code::BROKEN_PROMPT,
                    format!("\"{text}\" cannot be played: {why}"),
                ))
            }
            Ok(_) => None,
            Err(problem)
                if ["tone:", "silence:", RECORDING].iter().any(|kind| text.starts_with(kind)) =>
            {
                Some(Problem::new(Code::WRONG_VALUE, problem))
            }
            Err(problem) => Some(Problem::new(Code::MISSING_PROMPT, problem)),
        }
    }

    /// A text for the synthesiser.
    pub(super) fn speech(&self, text: &str) -> Option<Problem> {
        let problem = speech_text(text.as_bytes()).err()?;
        Some(Problem::new(Code::WRONG_VALUE, problem))
    }

    /// Whom to ring.
    pub(super) fn target(&self, text: &str) -> Option<Problem> {
        match destination(text) {
            Err(problem) => Some(Problem::new(Code::WRONG_VALUE, problem)),
            Ok(Destination::Extension(name)) => {
                unknown(Code::UNKNOWN_EXTENSION, "extension", &name, &self.names.extensions)
            }
            Ok(Destination::Uri(_)) => None,
        }
    }

    /// Who has a mailbox.
    pub(super) fn mailbox(&self, text: &str) -> Option<Problem> {
        unknown(Code::UNKNOWN_MAILBOX, "mailbox", text, &self.names.mailboxes)
    }

    /// What numbers and times are spoken in.
    pub(super) fn language(&self, text: &str) -> Option<Problem> {
        match crate::say::languages().contains(&text) {
            true => None,
            false => {
                let known: Vec<_> =
                    crate::say::languages().iter().map(|name| format!("\"{name}\"")).collect();
                let message = format!("no language \"{text}\"; there is {}", known.join(", "));
                Some(Problem::new(Code::WRONG_VALUE, message))
            }
        }
    }
}

fn unknown(code: Code, what: &str, name: &str, known: &BTreeSet<String>) -> Option<Problem> {
    if known.contains(name) {
        return None;
    }
    let near = nearest(name, known.iter().map(String::as_str));
    let hint = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
    Some(Problem::new(code, format!("there is no {what} \"{name}\"{hint}")))
}
