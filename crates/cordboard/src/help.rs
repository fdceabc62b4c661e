//! What explains the language to people and to their editors, all of it written from the tables
//! of functions in `dialplan` and, for tests, in `rehearsal`.

pub(crate) mod annotations;
pub(crate) mod names;
pub(crate) mod plain;
pub(crate) mod reference;

#[cfg(test)]
mod tests;

use dialplan::{ClassSpec, Kind, LibrarySpec};

/// What is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// What a dialplan can call.
    Scripts,
    /// What its tests can call.
    Tests,
}

impl Language {
    /// Its functions, in the order in which they are explained.
    fn libraries(self) -> &'static [&'static LibrarySpec] {
        match self {
            Self::Scripts => dialplan::LIBRARIES,
            Self::Tests => rehearsal::TEST_LIBRARIES,
        }
    }

    /// Its kinds of table, except those that one function alone gives back.
    fn classes(self) -> &'static [&'static ClassSpec] {
        match self {
            Self::Scripts => dialplan::CLASSES,
            Self::Tests => rehearsal::TEST_CLASSES,
        }
    }
}

/// What may be given, in words: `seconds, 1 to 3600`.
fn kind_words(kind: &Kind) -> String {
    match kind {
        Kind::Flag { .. } => "true or false".into(),
        Kind::Text => "text".into(),
        Kind::Name | Kind::Mailbox | Kind::Dialled => "name or number".into(),
        Kind::Choice => "function, or number of a route".into(),
        Kind::Language => "language".into(),
        Kind::Seconds { min, max, .. } => format!("seconds, {min} to {max}"),
        Kind::Whole { min, max, .. } => format!("whole number, {min} to {max}"),
        Kind::Number { min, max, .. } if *min <= f64::MIN && *max >= f64::MAX => "number".into(),
        Kind::Number { min, max, .. } => format!("number, {min} to {max}"),
        Kind::Sound => "sound".into(),
        Kind::Sounds => "sound or list of sounds".into(),
        Kind::Word(words) => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        }
        Kind::Key { .. } => "key, or false for none".into(),
        Kind::Patterns => "pattern or list of patterns".into(),
        Kind::Targets => "target, list, or list of lists".into(),
        Kind::Redirects => "URI, `{uri=, q=}`, or list of these".into(),
        Kind::Headers => "table of names and values".into(),
        Kind::Identity => "`{user=, name=}`".into(),
        Kind::Function => "function".into(),
        Kind::SecondsOrFunction => "seconds, or function".into(),
        Kind::SoundsOrFunction => "sound, list of sounds, or function".into(),
        Kind::Spoken => "number or text".into(),
        Kind::Speech => "text".into(),
        Kind::Anything => "anything".into(),
        Kind::Table => "table".into(),
        Kind::Pattern => "pattern or name".into(),
        Kind::Hours => "days and times".into(),
        Kind::Module => "name of a file".into(),
    }
}

/// What counts when nothing is given.
fn default_words(kind: &Kind) -> Option<String> {
    match kind {
        Kind::Flag { default } => Some(default.to_string()),
        Kind::Seconds { default, .. } | Kind::Number { default, .. } => {
            default.map(|number| number.to_string())
        }
        Kind::Whole { default, .. } => default.map(|number| number.to_string()),
        Kind::Key { default } => default.map(|key| format!("`{key}`")),
        Kind::Text
        | Kind::Name
        | Kind::Mailbox
        | Kind::Dialled
        | Kind::Choice
        | Kind::Language
        | Kind::Sound
        | Kind::Sounds
        | Kind::Word(_)
        | Kind::Patterns
        | Kind::Targets
        | Kind::Redirects
        | Kind::Headers
        | Kind::Identity
        | Kind::Function
        | Kind::SecondsOrFunction
        | Kind::SoundsOrFunction
        | Kind::Spoken
        | Kind::Speech
        | Kind::Anything
        | Kind::Table
        | Kind::Pattern
        | Kind::Hours
        | Kind::Module => None,
    }
}

/// The same word with a capital.
fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
