//! What a caller may type when a script asks for digits.
//!
//! Nobody can try all digits there are. A menu names its keys; where anything may be typed, those
//! inputs are tried that the scripts compare with, and one more that stands for all others.

use std::collections::{BTreeMap, BTreeSet};

use dialplan::{Fit, Outcome, Pattern, Read, ReadEnd, Sources};

use crate::given::Typed;

/// Digits that stand written in the scripts, by file.
pub(crate) struct Literals {
    files: BTreeMap<String, BTreeSet<String>>,
    /// Extensions and mailboxes, which a caller is likely to type.
    names: BTreeSet<String>,
}

/// One thing that may be typed.
pub(crate) struct Input {
    /// In words: `1`, `4711`, `anything else`, `nothing`.
    pub(crate) label: String,
    pub(crate) outcome: Outcome,
    pub(crate) how: How,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// These keys, on the first try.
    Keys(usize),
    /// Something wrong, on every try.
    Wrong,
    /// Nothing, on every try.
    Nothing,
}

impl Literals {
    pub(crate) fn new(sources: &Sources, names: &dialplan::Names) -> Self {
        let files = sources.files.iter();
        let files = files.map(|(path, text)| (format!("scripts/{path}"), digits_in(text)));
        let names = names.extensions.iter().chain(&names.mailboxes).filter(|name| is_keys(name));
        Self { files: files.collect(), names: names.cloned().collect() }
    }

    /// All that may be typed; two or more.
    pub(crate) fn inputs(&self, read: &Read, file: Option<&str>) -> Vec<Input> {
        let accept: Vec<(&str, Pattern)> = read
            .accept
            .iter()
            .filter_map(|text| Some((text.as_str(), Pattern::parse(text).ok()?)))
            .collect();
        let fits = |digits: &str| {
            accept.is_empty() || accept.iter().any(|(_, p)| p.fit(digits) == Fit::Full)
        };
        let max = usize::from(read.digits_max);
        let in_time =
            |digits: &str| digits.len() <= max && !digits.contains(read.terminator.unwrap_or(' '));
        let mut inputs: Vec<Input> = Vec::new();
        let mut add = |label: String, digits: String| {
            let known = |input: &Input| matches!(&input.outcome, Outcome::Read { digits: known, .. } if *known == digits);
            if inputs.len() < INPUTS_MAX && !inputs.iter().any(known) {
                inputs.push(typed(label, digits));
            }
        };
        // What the pattern itself spells out comes first, as a menu lists its keys.
        let mut keys: Vec<&str> = accept.iter().map(|(text, _)| *text).collect();
        keys.retain(|text| is_keys(text));
        keys.sort_by_key(|text| (!text.starts_with(|key: char| key.is_ascii_digit()), *text));
        for text in keys {
            add(text.to_owned(), text.to_owned());
        }
        let literals = file.and_then(|file| self.files.get(file)).into_iter().flatten();
        for literal in literals.filter(|literal| fits(literal) && in_time(literal)) {
            add(literal.clone(), literal.clone());
        }
        for (text, pattern) in accept.iter().filter(|(text, _)| !is_keys(text)) {
            let known = self.names.iter().find(|name| pattern.fit(name) == Fit::Full);
            let sample = known.cloned().or_else(|| sample(text));
            if let Some(sample) = sample.filter(|sample| in_time(sample)) {
                add(format!("{text} (such as {sample})"), sample);
            }
        }
        if accept.is_empty() {
            let sample: String = SAMPLE.chars().cycle().take(max.min(SAMPLE.len())).collect();
            inputs.push(typed(OTHER.to_owned(), sample));
        } else if !accept.iter().any(|(text, _)| matches!(*text, "." | "!")) {
            inputs.push(wrong());
        }
        inputs.push(nothing());
        inputs
    }
}

impl Literals {
    /// Keys that the scripts compare with, and one that stands for all others.
    pub(crate) fn keys(&self, file: Option<&str>) -> Vec<char> {
        let literals = file.and_then(|file| self.files.get(file)).into_iter().flatten();
        let single = literals.filter_map(|text| {
            let mut chars = text.chars();
            chars.next().filter(|_| chars.next().is_none())
        });
        let mut keys: Vec<char> = single.collect();
        keys.extend(('0'..='9').rev().find(|key| !keys.contains(key)));
        keys
    }
}

/// Keys that a text compares with, and one that stands for all others.
pub(crate) fn keys_in(text: &str) -> Vec<char> {
    let single = |text: String| {
        let mut chars = text.chars();
        chars.next().filter(|_| chars.next().is_none())
    };
    let mut keys: Vec<char> = digits_in(text).into_iter().filter_map(single).collect();
    keys.extend(('0'..='9').rev().find(|key| !keys.contains(key)));
    keys
}

/// What comes of a read when it is given what is typed.
pub(crate) fn given(typed_keys: &Typed, read: &Read) -> Input {
    let digits = match typed_keys {
        Typed::Nothing => return nothing(),
        Typed::Wrong => return wrong(),
        Typed::Keys(keys) => keys,
    };
    // As on the phone: the terminator ends the input, and so does the last digit that is wanted.
    let typed_digits: String = digits
        .chars()
        .take_while(|key| Some(*key) != read.terminator)
        .take(read.digits_max.into())
        .collect();
    let fits = read.accept.is_empty()
        || read.accept.iter().any(|text| {
            Pattern::parse(text).is_ok_and(|pattern| pattern.fit(&typed_digits) == Fit::Full)
        });
    if fits { typed(digits.clone(), typed_digits) } else { wrong() }
}

fn typed(label: String, digits: String) -> Input {
    let how = How::Keys(digits.len());
    Input { label, outcome: Outcome::Read { digits, ended: ReadEnd::Complete }, how }
}

fn wrong() -> Input {
    let outcome = Outcome::Read { digits: String::new(), ended: ReadEnd::Invalid };
    Input { label: "anything else".to_owned(), outcome, how: How::Wrong }
}

fn nothing() -> Input {
    let outcome = Outcome::Read { digits: String::new(), ended: ReadEnd::Timeout };
    Input { label: "nothing".to_owned(), outcome, how: How::Nothing }
}

/// A number that a pattern matches.
fn sample(pattern: &str) -> Option<String> {
    let mut sample = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            'X' | 'Z' | 'N' => sample.push('5'),
            '.' => sample.push_str("555"),
            '!' => {}
            '[' => {
                sample.push(chars.next()?);
                chars.by_ref().find(|c| *c == ']')?;
            }
            key => sample.push(key),
        }
    }
    (!sample.is_empty()).then_some(sample)
}

pub(crate) fn is_keys(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || "*#".contains(c))
}

/// Strings of digits in a script, and numbers that something is compared with.
fn digits_in(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let bytes = text.as_bytes();
    for (at, _) in text.match_indices(['"', '\'']) {
        let quote = bytes.get(at).copied();
        let rest = text.get(at + 1..).unwrap_or_default();
        let end = rest.bytes().position(|byte| Some(byte) == quote);
        if let Some(inner) = end.and_then(|end| rest.get(..end)).filter(|inner| is_keys(inner)) {
            found.insert(inner.to_owned());
        }
    }
    for sign in ["==", "~=", "<", ">", "<=", ">="] {
        for (at, _) in text.match_indices(sign) {
            let rest = text.get(at + sign.len()..).unwrap_or_default().trim_start();
            let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
            if !number.is_empty() {
                found.insert(number);
            }
        }
    }
    found.retain(|digits| digits.len() <= usize::from(u8::MAX));
    found
}

/// Digits that the scripts do not name.
pub(crate) const OTHER: &str = "other digits";
/// Stands for everything that is not compared with; no script is likely to name it.
const SAMPLE: &str = "5839";
/// Inputs that are tried at one place, besides something else and nothing.
const INPUTS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_that_a_script_compares_with_are_found() {
        let script = r#"
            if pin == "4711" or pin == '12' then return end
            local n = tonumber(d) if n == 5 or n<10 then call:sleep(7) end
            route("1XX", f) t = { ["3"] = f, timeout = 25 }
        "#;
        let found: Vec<String> = digits_in(script).into_iter().collect();
        assert_eq!(found, ["10", "12", "3", "4711", "5"]);
    }

    #[test]
    fn a_pattern_has_a_number_that_it_matches() {
        for pattern in ["1XX", "NXX", "Z.", "[3-5]!", "*9X", "+49."] {
            let sample = sample(pattern).unwrap();
            assert_eq!(Pattern::parse(pattern).unwrap().fit(&sample), Fit::Full, "{pattern}");
        }
    }
}
