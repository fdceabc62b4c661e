//! Mistakes in scripts, told so that their author can mend them.

use std::fmt;

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

/// Why a script could not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError {
    /// The script file, for example `scripts/main.lua`; empty when unknown.
    pub file: String,
    /// The line in that file, from 1.
    pub line: Option<u32>,
    /// The verb that failed, without `call:`.
    pub verb: Option<&'static str>,
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
