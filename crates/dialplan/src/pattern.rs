//! Dialplan patterns: which numbers and names a route answers to.
//!
//! A pattern made only of digits, `* # +` and the signs below is a *number pattern*; anything else
//! is a *name*, which matches exactly what is written. So `NXX` is a pattern and `Nina` a name.
//!
//! | sign | matches |
//! | --- | --- |
//! | `X` | a digit |
//! | `Z` | 1 to 9 |
//! | `N` | 2 to 9 |
//! | `[13-5*]` | one of these |
//! | `.` at the end | one or more of anything |
//! | `!` at the end | zero or more of anything |

mod cover;

use std::cmp::Ordering;

pub(crate) use cover::{covered, meet};

/// A parsed pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Name(String),
    Number { classes: Vec<Class>, tail: Tail },
}

/// A set of dialling characters: bit 0 to 9 for the digits, then `*`, `#`, `+`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Class(u16);

/// What may follow the fixed part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    Nothing,
    OneOrMore,
    ZeroOrMore,
}

/// How far a number agrees with a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It matches.
    Full,
    /// It does not match yet, but could with more digits.
    Prefix,
    /// It does not match, whatever follows.
    No,
}

/// Longest pattern, in characters.
const LENGTH_MAX: usize = 64;

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in words for whoever wrote it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("the pattern is empty".into());
        }
        if text.chars().count() > LENGTH_MAX {
            return Err(format!("the pattern is longer than {LENGTH_MAX} characters"));
        }
        if let Some(rest) = text.strip_prefix('_')
            && is_number_pattern(rest)
        {
            return Err(format!("no underscore is needed: write \"{rest}\""));
        }
        if !is_number_pattern(text) {
            return Self::parse_name(text);
        }
        let mut classes = Vec::new();
        let mut tail = Tail::Nothing;
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if tail != Tail::Nothing {
                return Err(format!("nothing can follow \".\" or \"!\", but \"{c}\" does"));
            }
            match c {
                'X' => classes.push(Class(0b11_1111_1111)),
                'Z' => classes.push(Class(0b11_1111_1110)),
                'N' => classes.push(Class(0b11_1111_1100)),
                '.' => tail = Tail::OneOrMore,
                '!' => tail = Tail::ZeroOrMore,
                '[' => classes.push(parse_brackets(&mut chars)?),
                _ => match bit(c) {
                    Some(bit) => classes.push(Class(bit)),
                    None => return Err(format!("\"{c}\" has no opening bracket")),
                },
            }
        }
        Ok(Self { kind: Kind::Number { classes, tail } })
    }

    fn parse_name(text: &str) -> Result<Self, String> {
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("a name cannot have spaces in it".into());
        }
        let capitals = text.to_uppercase();
        if text.contains(|c: char| c.is_ascii_digit()) && is_number_pattern(&capitals) {
            return Err(format!("pattern letters are capitals: write \"{capitals}\""));
        }
        Ok(Self { kind: Kind::Name(text.to_owned()) })
    }

    /// Compares a dialled number or name with the pattern.
    pub fn fit(&self, number: &str) -> Fit {
        match &self.kind {
            Kind::Name(name) if name == number => Fit::Full,
            Kind::Name(_) => Fit::No,
            Kind::Number { classes, tail } => {
                let mut dialled = number.chars();
                for class in classes {
                    match dialled.next() {
                        None => return Fit::Prefix,
                        Some(c) if class.contains(c) => {}
                        Some(_) => return Fit::No,
                    }
                }
                match (tail, dialled.next()) {
                    (Tail::Nothing, None) | (Tail::ZeroOrMore, _) | (Tail::OneOrMore, Some(_)) => {
                        Fit::Full
                    }
                    (Tail::Nothing, Some(_)) => Fit::No,
                    (Tail::OneOrMore, None) => Fit::Prefix,
                }
            }
        }
    }

    /// `Less` when this pattern says more about a number both match than `other` does.
    ///
    /// Position by position, the first that allows fewer characters wins; a fixed length before
    /// `.`, and `.` before `!`.
    pub fn specificity(&self, other: &Self) -> Ordering {
        self.weights().cmp(other.weights())
    }

    fn weights(&self) -> impl Iterator<Item = u32> + '_ {
        let (classes, last) = match &self.kind {
            Kind::Name(_) => (&[][..], 0),
            Kind::Number { classes, tail: Tail::Nothing } => (classes.as_slice(), 0),
            Kind::Number { classes, tail: Tail::OneOrMore } => (classes.as_slice(), 100),
            Kind::Number { classes, tail: Tail::ZeroOrMore } => (classes.as_slice(), 101),
        };
        classes.iter().map(|class| class.0.count_ones()).chain(Some(last))
    }

    /// How many characters a match has; `None` when that is open.
    pub fn length(&self) -> Option<usize> {
        match &self.kind {
            Kind::Name(name) => Some(name.chars().count()),
            Kind::Number { classes, tail: Tail::Nothing } => Some(classes.len()),
            Kind::Number { tail: Tail::OneOrMore | Tail::ZeroOrMore, .. } => None,
        }
    }
}

impl Class {
    fn contains(self, c: char) -> bool {
        bit(c).is_some_and(|bit| self.0 & bit != 0)
    }
}

fn bit(c: char) -> Option<u16> {
    match c {
        '0'..='9' => Some(1 << (u32::from(c) - u32::from('0'))),
        '*' => Some(1 << 10),
        '#' => Some(1 << 11),
        '+' => Some(1 << 12),
        _ => None,
    }
}

/// Whether only digits and pattern signs stand in `text`; brackets may hold anything, so that a
/// mistake in them is told as one.
fn is_number_pattern(text: &str) -> bool {
    let mut inside = false;
    let mut any = false;
    for c in text.chars() {
        any = true;
        match c {
            '[' => inside = true,
            ']' => inside = false,
            _ if inside || bit(c).is_some() || matches!(c, 'X' | 'Z' | 'N' | '.' | '!') => {}
            _ => return false,
        }
    }
    any
}

/// Reads what follows `[`, up to and with `]`.
fn parse_brackets(chars: &mut std::str::Chars<'_>) -> Result<Class, String> {
    let mut set = 0;
    let mut last: Option<char> = None;
    loop {
        let c = chars.next().ok_or("\"[\" is not closed")?;
        match (c, last) {
            (']', _) if set == 0 => return Err("\"[]\" matches nothing".into()),
            (']', _) => return Ok(Class(set)),
            ('-', Some(from)) => {
                let to = chars.next().ok_or("\"[\" is not closed")?;
                if !(from.is_ascii_digit() && to.is_ascii_digit() && from <= to) {
                    return Err(format!("\"{from}-{to}\" is not a range of digits"));
                }
                set |= (from..=to).filter_map(bit).fold(0, |all, one| all | one);
                last = None;
            }
            _ => {
                set |= bit(c).ok_or_else(|| {
                    format!("\"{c}\" cannot stand in brackets, only digits and * # +")
                })?;
                last = Some(c);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line: pattern, number, what comes of it.
    #[track_caller]
    fn check(table: &str) {
        for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let [pattern, number, expected] =
                line.split_whitespace().collect::<Vec<_>>().try_into().unwrap();
            let number = if number == "-" { "" } else { number };
            let fit = match Pattern::parse(pattern).unwrap().fit(number) {
                Fit::Full => "full",
                Fit::Prefix => "prefix",
                Fit::No => "no",
            };
            assert_eq!(fit, expected, "{line}");
        }
    }

    #[test]
    fn patterns_match_as_their_signs_say() {
        check(
            "
            1XX       101      full
            1XX       10       prefix
            1XX       1011     no
            1XX       1a1      no
            1XX       -        prefix
            ZX        01       no
            ZX        10       full
            NX        10       no
            NX        20       full
            [1-37]X   70       full
            [1-37]X   40       no
            [*#]1     *1       full
            *97       *97      full
            +49.      +491     full
            +49.      +49      prefix
            +49!      +49      full
            .         alice    full
            X.        5bob     full
            support   support  full
            support   sup      no
            support   Support  no
            Nina      Nina     full
            Nina      2ina     no
            N         5        full
            N         N        no
            ",
        );
    }

    #[test]
    fn mistakes_in_patterns_are_told_with_what_to_write() {
        for (pattern, expected) in [
            ("", "empty"),
            ("_1XX", "write \"1XX\""),
            ("1xx", "write \"1XX\""),
            ("1.2", "nothing can follow"),
            ("[1-", "not closed"),
            ("[]", "matches nothing"),
            ("[5-1]", "not a range"),
            ("[a]", "cannot stand in brackets"),
            ("1]", "no opening bracket"),
            ("two words", "spaces"),
        ] {
            let problem = Pattern::parse(pattern).unwrap_err();
            assert!(problem.contains(expected), "{pattern}: {problem}");
        }
    }

    #[test]
    fn the_pattern_that_says_more_wins() {
        for (more, less) in [
            ("101", "1XX"),
            ("10X", "1XX"),
            ("1XX", "XXX"),
            ("[1-5]XX", "ZXX"),
            ("1XX", "1."),
            ("1.", "1!"),
            ("1X.", "1."),
            ("1", "1!"),
        ] {
            let (more, less) = (Pattern::parse(more).unwrap(), Pattern::parse(less).unwrap());
            assert_eq!(more.specificity(&less), Ordering::Less, "{more:?} {less:?}");
        }
    }
}
