//! Mistakes in a configuration file, shown at their place.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::report;

/// One thing wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Where, in bytes.
    pub(crate) span: Range<usize>,
    /// What is wrong, naming section and key.
    pub(crate) message: String,
    /// Written beneath the place; may be empty.
    pub(crate) label: String,
    /// What to do about it.
    pub(crate) help: Option<String>,
}

impl Mistake {
    pub(crate) fn new(
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        Self { span, message: message.into(), label: label.into(), help: None }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// All that is wrong in a file, in the order in which it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mistakes(Vec<Mistake>);

impl Mistakes {
    pub(crate) fn add(&mut self, mistake: Mistake) {
        self.0.push(mistake);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.0.iter()
    }
}

/// All mistakes of one file, by place, ready to print. No secret is shown.
#[cfg(test)]
pub(crate) fn render(path: &Path, text: &str, mistakes: &Mistakes) -> String {
    report::render(&places(path, text, mistakes))
}

/// All mistakes of one file, by place. Their text has no secret in it.
pub(crate) fn places(path: &Path, text: &str, mistakes: &Mistakes) -> Vec<report::Place> {
    let shown: Arc<str> = without_secrets(text).into();
    let mut sorted: Vec<_> = mistakes.iter().collect();
    sorted.sort_by_key(|mistake| mistake.span.start);
    sorted
        .into_iter()
        .map(|mistake| report::Place {
            severity: report::Severity::Error,
            file: path.display().to_string(),
            text: shown.clone(),
            span: mistake.span.clone(),
            message: mistake.message.clone(),
            label: mistake.label.clone(),
            help: mistake.help.clone(),
        })
        .collect()
}

/// The text with the values of secrets and PINs starred out, byte for byte, so that places stay.
fn without_secrets(text: &str) -> String {
    let mut among_headers = false;
    let mut start_in = |line: &str| {
        if line.trim_start().starts_with('[') {
            among_headers = line.contains("headers");
        }
        secret_start(line).or_else(|| {
            let equals = line.find('=').filter(|_| among_headers)?;
            Some(equals + 1)
        })
    };
    text.split_inclusive('\n')
        .map(|line| match start_in(line) {
            Some(start) => {
                let (head, tail) = line.split_at(start);
                let starred: String = tail
                    .chars()
                    .map(|c| match c {
                        '\n' | '\r' | ' ' | '"' | '\'' | '{' | '}' => c.to_string(),
                        _ => "*".repeat(c.len_utf8()),
                    })
                    .collect();
                format!("{head}{starred}")
            }
            None => line.to_owned(),
        })
        .collect()
}

/// Where in a line something secret may begin: after the `=` of `secret`, `token` or `pin`, of a word
/// that may have been meant so, or of what belongs to `headers`.
fn secret_start(line: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(equals) = line.get(from..)?.find('=').map(|at| from + at) {
        let path = line.get(..equals)?.trim_end().trim_end_matches(['"', '\'']);
        let key = path.rsplit(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).next()?;
        let near = |name: &str| strsim::osa_distance(&key.to_lowercase(), name) <= 2;
        let names = ["secret", "password", "token", "headers"];
        let holds_headers = path.trim_start().starts_with("headers.");
        if names.into_iter().any(near) || holds_headers || key.to_lowercase().contains("pin") {
            return Some(equals + 1);
        }
        from = equals + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_never_shown() {
        for line in [
            "secret = \"abcd1234\"",
            "secrt = \"abcd1234\"",
            "pin='abcd1234'",
            "101 = { name = \"x\", secret = \"abcd1234\" }",
            "account.101.secret = abcd1234",
            "\"secret\" = \"abcd1234\"",
            "token = \"abcd1234\"",
            "headers = { X = \"abcd1234\" }",
            "headers.Authorization = \"abcd1234\"",
            "[speech.headers]\nX = \"abcd1234\"",
        ] {
            let shown = without_secrets(line);
            assert!(!shown.contains("abcd"), "{shown}");
            assert_eq!(shown.len(), line.len());
        }
    }

    #[test]
    fn other_values_are_shown() {
        let text = "domain = \"example.org\"\n[speech.headers]\n[media]\nports = \"1-2\"\n";
        assert_eq!(without_secrets(text), text);
    }
}
