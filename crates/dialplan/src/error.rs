//! Mistakes in scripts, told so that their author can mend them.

use std::fmt;

use crate::verbs::verb_spec;

/// How script files are named in messages.
pub(crate) const SCRIPTS_FOLDER: &str = "scripts/";
/// How our own Lua is named; such lines are left out of messages.
pub(crate) const OWN_CHUNK: &str = "[cordboard]";
/// Lines of a traceback that are kept.
const TRACE_MAX: usize = 20;
/// Characters of a message that are kept.
const MESSAGE_MAX: usize = 500;

/// A line of a script.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: u32,
}

/// Something wrong that stops a set of scripts from being loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError {
    /// The script file, for example `scripts/main.lua`.
    pub file: String,
    /// The line in that file, from 1.
    pub line: Option<u32>,
    /// The column in that line, in bytes from 1.
    pub column: Option<u32>,
    /// How many bytes of that line the mistake covers, when known.
    pub length: Option<u32>,
    /// What is wrong, and what was expected.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
    /// The text of that line, for showing the place.
    pub source_line: Option<String>,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

impl std::error::Error for LoadError {}

impl LoadError {
    /// A mistake in a file, at a line if that is known.
    pub fn at(file: &str, line: Option<u32>, message: impl Into<String>) -> Self {
        Self::new(file, line, message)
    }

    /// A mistake that showed when a file was compiled or run.
    pub(crate) fn of(error: &ScriptError) -> Self {
        Self::new(&error.file, error.line, error.message.clone())
    }

    pub(crate) fn new(file: &str, line: Option<u32>, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line,
            column: None,
            length: None,
            message: message.into(),
            hint: None,
            source_line: None,
        }
    }
}

/// Why a script could not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError {
    /// The script file, for example `scripts/main.lua`; empty when unknown.
    pub file: String,
    /// The line in that file, from 1.
    pub line: Option<u32>,
    /// The verb that failed, without `call:`.
    pub verb: Option<&'static str>,
    /// What was passed to that verb, as far as a log may show it: `"ext/101", { timeout = 20 }`.
    pub arguments: Option<String>,
    /// What went wrong, in one line.
    pub message: String,
    /// The calls that led there, innermost first, without our own functions.
    pub traceback: Vec<String>,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}:", self.file)?;
            if let Some(line) = self.line {
                write!(f, "{line}:")?;
            }
            write!(f, " ")?;
        }
        if let Some(verb) = self.verb {
            write!(f, "call:{verb}: ")?;
        }
        write!(f, "{}", self.message)
    }
}

impl std::error::Error for ScriptError {}

impl ScriptError {
    /// An error at a known place.
    pub(crate) fn at(place: Option<Place>, message: impl Into<String>) -> Self {
        let (file, line) = match place {
            Some(place) => (place.file, Some(place.line)),
            None => (String::new(), None),
        };
        let message = message.into();
        Self { file, line, verb: None, arguments: None, message, traceback: Vec::new() }
    }

    /// Reads what Lua says: the place in front, the verb, the traceback behind.
    pub(crate) fn from_lua(error: &mlua::Error) -> Self {
        let (text, trace) = parts(error);
        Self::from_text(&text, trace_lines(&trace))
    }

    /// Reads a message, with the traceback that belongs to it.
    pub(crate) fn from_text(text: &str, traceback: Vec<String>) -> Self {
        let text = strip_own_place(text);
        let (place, text) = split_place(text);
        let place = place.or_else(|| traceback.iter().find_map(|line| split_place(line).0));
        let verb = text
            .strip_prefix("call:")
            .and_then(|rest| rest.split_once(": "))
            .and_then(|(name, rest)| Some((verb_spec(name)?.name, rest)));
        let (verb, text) = match verb {
            Some((verb, rest)) => (Some(verb), rest),
            None => (None, text),
        };
        let mut read = Self::at(place, one_line(text, MESSAGE_MAX));
        read.verb = verb;
        read.traceback = traceback;
        read
    }

    /// Whether this is what a script was told with these words.
    pub(crate) fn is_told_by(&self, text: &str) -> bool {
        let told = Self::from_text(text, Vec::new());
        (&told.file, told.line, told.verb, &told.message)
            == (&self.file, self.line, self.verb, &self.message)
    }
}

/// Message and traceback, whoever raised it.
#[expect(clippy::wildcard_enum_match_arm, reason = "the rest of mlua's errors read alike")]
fn parts(error: &mlua::Error) -> (String, String) {
    match error {
        mlua::Error::CallbackError { traceback, cause } => {
            let (text, inner) = parts(cause);
            let trace = if inner.is_empty() { traceback.clone() } else { inner };
            (text, trace)
        }
        mlua::Error::RuntimeError(text)
        | mlua::Error::MemoryError(text)
        | mlua::Error::SyntaxError { message: text, .. } => {
            match text.split_once("\nstack traceback:") {
                Some((text, trace)) => (text.to_owned(), trace.to_owned()),
                None => (text.clone(), String::new()),
            }
        }
        other => (other.to_string(), String::new()),
    }
}

/// An error that our own functions raised, as the plain text a script may catch.
pub(crate) fn plain_text(error: &mlua::Error) -> String {
    ScriptError::from_lua(error).to_string()
}

/// Takes `[cordboard]:12: ` away from the front.
pub(crate) fn strip_own_place(text: &str) -> &str {
    text.strip_prefix(OWN_CHUNK)
        .and_then(|rest| rest.strip_prefix(':'))
        .and_then(|rest| rest.split_once(": "))
        .map_or(text, |(_, rest)| rest)
}

/// Splits `scripts/main.lua:12: text`.
pub(crate) fn split_place(text: &str) -> (Option<Place>, &str) {
    let split = || {
        let rest = text.strip_prefix(SCRIPTS_FOLDER)?;
        let colon = rest.find(".lua:")? + SCRIPTS_FOLDER.len() + ".lua".len();
        let (line, message) = text.get(colon + 1..)?.split_once(": ")?;
        let file = text.get(..colon)?.to_owned();
        Some((Place { file, line: line.parse().ok()? }, message))
    };
    match split() {
        Some((place, message)) => (Some(place), message),
        None => (None, text),
    }
}

/// The lines of a traceback that are the script author's.
pub(crate) fn trace_lines(trace: &str) -> Vec<String> {
    trace
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with(SCRIPTS_FOLDER))
        .take(TRACE_MAX)
        .map(str::to_owned)
        .collect()
}

/// The lines of a traceback as people say them: `scripts/main.lua:4: in greet`. `handler_at` names the
/// route whose handler begins at a line.
pub(crate) fn readable(
    trace: &[String],
    handler_at: impl Fn(&str, u32) -> Option<String>,
) -> Vec<String> {
    let told = |line: &String| {
        let (place, rest) = line.split_once(": in ")?;
        if rest == "main chunk" {
            return Some(format!("{place}: while the file is loaded"));
        }
        if let Some(begins) = rest.strip_prefix("function <").and_then(|at| at.strip_suffix('>')) {
            let (file, number) = begins.rsplit_once(':')?;
            let number = number.parse().ok()?;
            return Some(match handler_at(file, number) {
                Some(pattern) => format!("{place}: in the handler of \"{pattern}\""),
                None => format!("{place}: in the function that begins at line {number}"),
            });
        }
        let (_kind, name) = rest.split_once(" '")?;
        let name = name.strip_suffix('\'')?;
        Some(format!("{place}: in {name}"))
    };
    trace.iter().map(|line| one_line(&told(line).unwrap_or(line.clone()), MESSAGE_MAX)).collect()
}

/// `text` without line ends and control characters, cut to `max` characters.
pub(crate) fn one_line(text: &str, max: usize) -> String {
    let mut line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(max).collect();
    if text.chars().nth(max).is_some() {
        line.push('…');
    }
    line
}
