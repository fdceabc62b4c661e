//! One `[section]` of the file: gives values out by key, and notes what is wrong or left over.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::{Mistake, Mistakes};
use super::names::nearest;

/// A table being read. Every key that is asked for is a key that exists; [`Self::finish`] blames all
/// others.
pub(super) struct Section<'a, 'm> {
    /// As in the file, `account.101`; empty at the top.
    path: String,
    /// Where the section itself stands.
    place: Range<usize>,
    table: Option<&'a DeTable<'a>>,
    known: Vec<&'static str>,
    mistakes: &'m mut Mistakes,
}

/// What was found instead of what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Written beneath the value.
    label: String,
    /// Instead of repeating what was expected.
    help: Option<String>,
}

impl Found {
    pub(super) fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), help: None }
    }

    pub(super) fn with_help(label: impl Into<String>, help: impl Into<String>) -> Self {
        Self { label: label.into(), help: Some(help.into()) }
    }

    /// A name that names nothing.
    pub(super) fn unknown<'n>(
        kind: &str,
        name: &str,
        known: impl Iterator<Item = &'n str> + Clone,
    ) -> Self {
        let help = match nearest(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add a section for it: [{kind}.{name}]"),
        };
        Self::with_help(format!("there is no {kind} of this name"), help)
    }
}

impl<'a, 'm> Section<'a, 'm> {
    /// The whole file.
    pub(super) fn root(table: &'a DeTable<'a>, mistakes: &'m mut Mistakes) -> Self {
        Self { path: String::new(), place: 0..0, table: Some(table), known: Vec::new(), mistakes }
    }

    /// A value, if the key is there; `read` says what is wrong with it.
    pub(super) fn value<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&DeValue<'a>) -> Result<T, Found>,
    ) -> Option<T> {
        let value = self.find(key)?;
        match read(value.get_ref()) {
            Ok(read) => Some(read),
            Err(found) => {
                self.blame_value(key, value.span(), expected, found);
                None
            }
        }
    }

    /// A value that must be there.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&DeValue<'a>) -> Result<T, Found>,
    ) -> Option<T> {
        if self.find(key).is_none() {
            let message = format!("[{}] has no `{key}`", self.path);
            self.mistakes.add(
                Mistake::new(self.place.clone(), message, "it belongs into this section")
                    .with_help(format!("expected `{key}`: {expected}")),
            );
            return None;
        }
        self.value(key, expected, read)
    }

    /// A list, each entry read by itself.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl Fn(&DeValue<'a>) -> Result<T, Found>,
    ) -> Option<Vec<T>> {
        let value = self.find(key)?;
        let DeValue::Array(entries) = value.get_ref() else {
            let found = Found::new(format!("this is {}", kind(value.get_ref())));
            self.blame_value(key, value.span(), &format!("a list of {expected}"), found);
            return Some(Vec::new());
        };
        let mut list = Vec::new();
        for entry in entries.iter() {
            match read(entry.get_ref()) {
                Ok(read) => list.push(read),
                Err(found) => self.blame_value(key, entry.span(), expected, found),
            }
        }
        Some(list)
    }

    /// A whole number within bounds.
    pub(super) fn number(
        &mut self,
        key: &'static str,
        bounds: std::ops::RangeInclusive<u64>,
    ) -> Option<u64> {
        let expected = format!("a whole number from {} to {}", bounds.start(), bounds.end());
        self.value(key, &expected, |value| {
            let DeValue::Integer(integer) = value else {
                return Err(Found::new(format!("this is {}", kind(value))));
            };
            u64::from_str_radix(integer.as_str(), integer.radix())
                .ok()
                .filter(|number| bounds.contains(number))
                .ok_or_else(|| Found::new("out of range"))
        })
    }

    /// A count that stays as it is when the key is missing.
    pub(super) fn count<N: TryFrom<u64>>(&mut self, key: &'static str, count: &mut N, max: u64) {
        if let Some(number) = self.number(key, 1..=max)
            && let Ok(number) = N::try_from(number)
        {
            *count = number;
        }
    }

    /// A choice that stays as it is when the key is missing.
    pub(super) fn switch(&mut self, key: &'static str, choice: &mut bool) {
        if let Some(chosen) = self.value(key, "true or false", truth) {
            *choice = chosen;
        }
    }

    /// A number of seconds that stays as it is when the key is missing.
    pub(super) fn seconds(&mut self, key: &'static str, duration: &mut Duration, max: u64) {
        if let Some(number) = self.number(key, 1..=max) {
            *duration = Duration::from_secs(number);
        }
    }

    /// Whether the section is in the file at all.
    pub(super) fn is_there(&self) -> bool {
        self.table.is_some()
    }

    /// What a table in this section holds under keys of the author's own choice, in their order.
    pub(super) fn entries<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl Fn(&str, &DeValue<'a>) -> Result<T, Found>,
    ) -> Vec<(String, T)> {
        let section = self.section(key);
        let mut entries = Vec::new();
        let mut blamed = Vec::new();
        for (name, value) in section.table.iter().flat_map(|table| table.iter()) {
            match read(name.get_ref(), value.get_ref()) {
                Ok(read) => entries.push((name.get_ref().clone().into_owned(), read)),
                Err(found) => blamed.push((name.get_ref().clone(), value.span(), found)),
            }
        }
        for (name, place, found) in blamed {
            self.blame_value(&format!("{key}.{name}"), place, expected, found);
        }
        entries
    }

    /// Whether the key is there and holds text.
    pub(super) fn is_text(&mut self, key: &'static str) -> bool {
        self.find(key).is_some_and(|value| matches!(value.get_ref(), DeValue::String(_)))
    }

    /// A section in this one; empty when it is missing.
    pub(super) fn section(&mut self, key: &'static str) -> Section<'a, '_> {
        let path = self.path_of(key);
        let value = self.find(key);
        let table = value.and_then(|value| match value.get_ref() {
            DeValue::Table(table) => Some(table),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_) => None,
        });
        let place = value.map_or(0..0, Spanned::span);
        if let (Some(value), None) = (value, table) {
            let found = Found::new(format!("this is {}", kind(value.get_ref())));
            self.blame_value(key, value.span(), &format!("a section: [{path}]"), found);
        }
        Section { path, place, table, known: Vec::new(), mistakes: self.mistakes }
    }

    /// Every section `[key.NAME]`, by name.
    pub(super) fn each(&mut self, key: &'static str, mut read: impl FnMut(&str, Section<'a, '_>)) {
        let section = self.section(key);
        let Some(table) = section.table else { return };
        for (name, value) in table.iter() {
            let path = format!("{key}.{}", name.get_ref());
            match value.get_ref() {
                DeValue::Table(table) => read(
                    name.get_ref(),
                    Section {
                        path,
                        place: name.span(),
                        table: Some(table),
                        known: Vec::new(),
                        mistakes: &mut *section.mistakes,
                    },
                ),
                other @ (DeValue::String(_)
                | DeValue::Integer(_)
                | DeValue::Float(_)
                | DeValue::Boolean(_)
                | DeValue::Datetime(_)
                | DeValue::Array(_)) => section.mistakes.add(
                    Mistake::new(
                        name.span(),
                        format!("`{}` in [{key}] is not a section", name.get_ref()),
                        format!("this is {}", kind(other)),
                    )
                    .with_help(format!("each {key} has a section of its own: [{key}.NAME]")),
                ),
            }
        }
    }

    /// Says that the section's own name cannot be used.
    pub(super) fn blame_name(&mut self, expected: &str) {
        let message = format!("[{}] has a name that cannot be used", self.path);
        let mistake = Mistake::new(self.place.clone(), message, "this name");
        self.mistakes.add(mistake.with_help(format!("expected {expected}")));
    }

    /// Says something of a section in this one as a whole.
    pub(super) fn blame(&mut self, key: &'static str, message: &str) {
        let place = self.find(key).map_or(0..0, Spanned::span);
        self.mistakes.add(Mistake::new(place, format!("[{}]: {message}", self.path_of(key)), ""));
    }

    /// Notes every key that nobody asked for.
    pub(super) fn finish(self) {
        let Some(table) = self.table else { return };
        for key in table.keys() {
            let name: &str = key.get_ref();
            if self.known.contains(&name) {
                continue;
            }
            let place =
                if self.path.is_empty() { "here".into() } else { format!("in [{}]", self.path) };
            let message = format!("unknown key `{name}` {place}");
            let all = self.known.join("`, `");
            let help = match nearest(name, self.known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`? Known {place}: `{all}`"),
                None => format!("known {place}: `{all}`"),
            };
            let mistake = Mistake::new(key.span(), message, "nothing of this name is known");
            self.mistakes.add(mistake.with_help(help));
        }
    }

    fn find(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.table?.get(key)
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn blame_value(&mut self, key: &str, place: Range<usize>, expected: &str, found: Found) {
        let name = if self.path.is_empty() {
            format!("`{key}`")
        } else {
            format!("`{key}` in [{}]", self.path)
        };
        let help = found.help.unwrap_or_else(|| format!("write {expected}"));
        let mistake = Mistake::new(place, format!("{name} must be {expected}"), found.label);
        self.mistakes.add(mistake.with_help(help));
    }
}

/// Reads text.
pub(super) fn text(value: &DeValue<'_>) -> Result<String, Found> {
    match value {
        DeValue::String(text) => Ok(text.clone().into_owned()),
        DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => {
            Err(Found::new(format!("this is {}, not text in quotes", kind(value))))
        }
    }
}

/// Reads `true` or `false`.
pub(super) fn truth(value: &DeValue<'_>) -> Result<bool, Found> {
    value.as_bool().ok_or_else(|| Found::new(format!("this is {}", kind(value))))
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}
