//! Lua's string patterns (Lua 5.4 manual §6.4.1), with a limit on the steps of one match.
//!
//! Lua's own matcher is one C call that nothing can stop, and a pattern such as `.-.-.-x` takes
//! longer than anybody lives.

/// Captures of one pattern.
pub(super) const CAPTURES_MAX: usize = 32;
/// Nesting of a match, as in Lua.
const DEPTH_MAX: u32 = 200;
const ESCAPE: u8 = b'%';
/// Bytes of a set that are skipped for one step, so that sets as people write them cost none.
const BYTES_SKIPPED_PER_STEP: u64 = 16;

/// Why a pattern could not be matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    EndsWithEscape,
    UnclosedSet,
    UnclosedCapture,
    WrongCapture,
    WrongBalance,
    WrongFrontier,
    TooManyCaptures,
    TooComplex,
    TooManySteps,
}

impl Flaw {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::EndsWithEscape => "malformed pattern (ends with '%')",
            Self::UnclosedSet => "malformed pattern (missing ']')",
            Self::UnclosedCapture => "unfinished capture",
            Self::WrongCapture => "invalid capture index or closing bracket",
            Self::WrongBalance => "missing arguments to '%b'",
            Self::WrongFrontier => "missing '[' after '%f' in pattern",
            Self::TooManyCaptures => "too many captures",
            Self::TooComplex => "pattern too complex",
            Self::TooManySteps => {
                "the pattern takes too long on this text; use fewer of * + - in it"
            }
        }
    }
}

/// What a pair of brackets holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Capture {
    Open { start: usize },
    Position { at: usize },
    Range { start: usize, end: usize },
}

/// One search of one pattern in one text.
pub(super) struct Matcher<'a> {
    text: &'a [u8],
    pattern: &'a [u8],
    pub(super) captures: Vec<Capture>,
    steps_left: u64,
}

type Found = Result<Option<usize>, Flaw>;

impl<'a> Matcher<'a> {
    pub(super) fn new(text: &'a [u8], pattern: &'a [u8], steps: u64) -> Self {
        Self { text, pattern, captures: Vec::new(), steps_left: steps }
    }

    /// Steps not used yet.
    pub(super) fn steps_left(&self) -> u64 {
        self.steps_left
    }

    /// Matches the pattern from its position `at` with the text at `start`; gives the end.
    pub(super) fn matches(&mut self, start: usize, at: usize) -> Found {
        self.captures.clear();
        self.go(start, at, 0)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.pattern.get(at).copied()
    }

    fn step(&mut self) -> Result<(), Flaw> {
        self.work(1)
    }

    fn work(&mut self, steps: u64) -> Result<(), Flaw> {
        let left = self.steps_left.checked_sub(steps);
        self.steps_left = left.unwrap_or(0);
        left.map(|_| ()).ok_or(Flaw::TooManySteps)
    }

    fn go(&mut self, mut s: usize, mut p: usize, depth: u32) -> Found {
        if depth > DEPTH_MAX {
            return Err(Flaw::TooComplex);
        }
        loop {
            self.step()?;
            let Some(c) = self.byte(p) else { return Ok(Some(s)) };
            match (c, self.byte(p + 1)) {
                (b'(', Some(b')')) => {
                    return self.captured(Capture::Position { at: s }, s, p + 2, depth);
                }
                (b'(', _) => return self.captured(Capture::Open { start: s }, s, p + 1, depth),
                (b')', _) => return self.close(s, p + 1, depth),
                (b'$', None) => return Ok((s == self.text.len()).then_some(s)),
                (ESCAPE, Some(b'b')) => match self.balance(s, p + 2)? {
                    Some(end) => (s, p) = (end, p + 4),
                    None => return Ok(None),
                },
                (ESCAPE, Some(b'f')) => {
                    p += 2;
                    if self.byte(p) != Some(b'[') {
                        return Err(Flaw::WrongFrontier);
                    }
                    let end = self.class_end(p)?;
                    let before = s.checked_sub(1).and_then(|i| self.text.get(i)).copied();
                    let after = self.text.get(s).copied().unwrap_or(0);
                    if self.in_set(before.unwrap_or(0), p, end)? || !self.in_set(after, p, end)? {
                        return Ok(None);
                    }
                    p = end;
                }
                (ESCAPE, Some(digit @ b'0'..=b'9')) => match self.repeat_of(s, digit)? {
                    Some(end) => (s, p) = (end, p + 2),
                    None => return Ok(None),
                },
                _ => {
                    let end = self.class_end(p)?;
                    match self.byte(end) {
                        Some(b'?') => {
                            if self.single(s, p, end)?
                                && let Some(found) = self.go(s + 1, end + 1, depth + 1)?
                            {
                                return Ok(Some(found));
                            }
                            p = end + 1;
                        }
                        Some(b'+') => {
                            return if self.single(s, p, end)? {
                                self.most(s + 1, p, end, depth)
                            } else {
                                Ok(None)
                            };
                        }
                        Some(b'*') => return self.most(s, p, end, depth),
                        Some(b'-') => return self.least(s, p, end, depth),
                        _ => {
                            if !self.single(s, p, end)? {
                                return Ok(None);
                            }
                            (s, p) = (s + 1, end);
                        }
                    }
                }
            }
        }
    }

    fn captured(&mut self, capture: Capture, s: usize, p: usize, depth: u32) -> Found {
        if self.captures.len() >= CAPTURES_MAX {
            return Err(Flaw::TooManyCaptures);
        }
        let level = self.captures.len();
        self.captures.push(capture);
        let found = self.go(s, p, depth + 1)?;
        if found.is_none() {
            self.captures.truncate(level);
        }
        Ok(found)
    }

    fn close(&mut self, s: usize, p: usize, depth: u32) -> Found {
        let open = self.captures.iter().rposition(|c| matches!(c, Capture::Open { .. }));
        let level = open.ok_or(Flaw::WrongCapture)?;
        let Some(Capture::Open { start }) = self.captures.get(level).copied() else {
            return Err(Flaw::WrongCapture);
        };
        self.set(level, Capture::Range { start, end: s });
        let found = self.go(s, p, depth + 1)?;
        if found.is_none() {
            self.set(level, Capture::Open { start });
        }
        Ok(found)
    }

    fn set(&mut self, level: usize, capture: Capture) {
        if let Some(slot) = self.captures.get_mut(level) {
            *slot = capture;
        }
    }

    /// As many of a class as possible, then the rest.
    fn most(&mut self, s: usize, p: usize, end: usize, depth: u32) -> Found {
        let mut count = 0;
        while self.single(s + count, p, end)? {
            self.step()?;
            count += 1;
        }
        loop {
            if let Some(found) = self.go(s + count, end + 1, depth + 1)? {
                return Ok(Some(found));
            }
            if count == 0 {
                return Ok(None);
            }
            count -= 1;
        }
    }

    /// As few of a class as possible, then the rest.
    fn least(&mut self, mut s: usize, p: usize, end: usize, depth: u32) -> Found {
        loop {
            if let Some(found) = self.go(s, end + 1, depth + 1)? {
                return Ok(Some(found));
            }
            if !self.single(s, p, end)? {
                return Ok(None);
            }
            s += 1;
        }
    }

    fn balance(&mut self, s: usize, p: usize) -> Found {
        let (Some(open), Some(close)) = (self.byte(p), self.byte(p + 1)) else {
            return Err(Flaw::WrongBalance);
        };
        if self.text.get(s) != Some(&open) {
            return Ok(None);
        }
        let mut depth = 1_u32;
        let mut at = s + 1;
        while let Some(&c) = self.text.get(at) {
            self.step()?;
            if c == close {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some(at + 1));
                }
            } else if c == open {
                depth += 1;
            }
            at += 1;
        }
        Ok(None)
    }

    /// The same text again that an earlier capture holds.
    fn repeat_of(&mut self, s: usize, digit: u8) -> Found {
        let level = usize::from(digit - b'0').checked_sub(1).ok_or(Flaw::WrongCapture)?;
        match self.captures.get(level) {
            Some(Capture::Range { start, end }) => {
                let wanted = self.text.get(*start..*end).unwrap_or_default();
                let rest = self.text.get(s..).unwrap_or_default();
                let work = wanted.len() as u64;
                let found = rest.starts_with(wanted).then(|| s + wanted.len());
                self.steps_left = self.steps_left.saturating_sub(work);
                Ok(found)
            }
            // A position has no text that could come again.
            Some(Capture::Position { .. }) => Ok(None),
            Some(Capture::Open { .. }) | None => Err(Flaw::WrongCapture),
        }
    }

    /// Where the class that begins at `p` ends. A long set costs steps, since it is skipped wherever a
    /// match is tried, even if its first byte already decides.
    fn class_end(&mut self, p: usize) -> Result<usize, Flaw> {
        match self.byte(p) {
            Some(ESCAPE) => match self.byte(p + 1) {
                Some(_) => Ok(p + 2),
                None => Err(Flaw::EndsWithEscape),
            },
            Some(b'[') => {
                let mut at = p + 1;
                if self.byte(at) == Some(b'^') {
                    at += 1;
                }
                loop {
                    // The first one counts even when it is a closing bracket.
                    match self.byte(at) {
                        None => return Err(Flaw::UnclosedSet),
                        Some(ESCAPE) => at += 2,
                        Some(_) => at += 1,
                    }
                    if self.byte(at) == Some(b']') {
                        self.work((at - p) as u64 / BYTES_SKIPPED_PER_STEP)?;
                        return Ok(at + 1);
                    }
                }
            }
            _ => Ok(p + 1),
        }
    }

    fn single(&mut self, s: usize, p: usize, end: usize) -> Result<bool, Flaw> {
        let Some(&c) = self.text.get(s) else { return Ok(false) };
        Ok(match self.byte(p) {
            Some(b'.') => true,
            Some(ESCAPE) => self.byte(p + 1).is_some_and(|class| in_class(c, class)),
            Some(b'[') => self.in_set(c, p, end)?,
            Some(literal) => literal == c,
            None => false,
        })
    }

    /// Whether `c` is in the set from `[` at `p` to just after `]` at `end`.
    fn in_set(&mut self, c: u8, p: usize, end: usize) -> Result<bool, Flaw> {
        let last = end.saturating_sub(1);
        let mut at = p + 1;
        let negated = self.byte(at) == Some(b'^');
        if negated {
            at += 1;
        }
        while at < last {
            self.step()?;
            let here = self.byte(at).unwrap_or_default();
            if here == ESCAPE {
                if self.byte(at + 1).is_some_and(|class| in_class(c, class)) {
                    return Ok(!negated);
                }
                at += 2;
            } else if self.byte(at + 1) == Some(b'-') && at + 2 < last {
                let to = self.byte(at + 2).unwrap_or_default();
                if (here..=to).contains(&c) {
                    return Ok(!negated);
                }
                at += 3;
            } else {
                if here == c {
                    return Ok(!negated);
                }
                at += 1;
            }
        }
        Ok(negated)
    }
}

fn in_class(c: u8, class: u8) -> bool {
    let inside = match class.to_ascii_lowercase() {
        b'a' => c.is_ascii_alphabetic(),
        b'c' => c.is_ascii_control(),
        b'd' => c.is_ascii_digit(),
        b'g' => c.is_ascii_graphic(),
        b'l' => c.is_ascii_lowercase(),
        b'p' => c.is_ascii_punctuation(),
        b's' => c.is_ascii_whitespace() || c == 0x0B,
        b'u' => c.is_ascii_uppercase(),
        b'w' => c.is_ascii_alphanumeric(),
        b'x' => c.is_ascii_hexdigit(),
        _ => return class == c,
    };
    inside != class.is_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use mlua::{Lua, MultiValue, Value};
    use proptest::prelude::*;

    use super::*;

    /// What our matcher finds, in the words of `string.find`; `None` for a malformed pattern.
    fn ours(text: &str, pattern: &str) -> Option<Vec<String>> {
        let mut matcher = Matcher::new(text.as_bytes(), pattern.as_bytes(), 1_000_000);
        let anchored = pattern.starts_with('^');
        for from in 0..=text.len() {
            if let Some(end) = matcher.matches(from, usize::from(anchored)).ok()? {
                let mut found = vec![(from + 1).to_string(), end.to_string()];
                for capture in &matcher.captures {
                    found.push(match capture {
                        Capture::Position { at } => (at + 1).to_string(),
                        Capture::Range { start, end } => text[*start..*end].to_owned(),
                        Capture::Open { .. } => return None,
                    });
                }
                return Some(found);
            }
            if anchored {
                break;
            }
        }
        Some(vec!["nil".into()])
    }

    /// What Lua's own `string.find` finds.
    fn theirs(lua: &Lua, text: &str, pattern: &str) -> Option<Vec<String>> {
        let find: mlua::Function = lua.load("return string.find").eval().unwrap();
        let found: MultiValue = find.call((text, pattern)).ok()?;
        let show = |value: Value| match value {
            Value::Nil => "nil".to_owned(),
            other => other.to_string().unwrap(),
        };
        Some(found.into_iter().map(show).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn finds_what_lua_finds(
            text in "[ab1(]{0,10}",
            pattern in r"\^?([ab1.]|%[abdwfDs%1(]|\[\^?[ab%1-]{1,3}\]|[()]|[*+?-]){0,6}\$?",
        ) {
            // Lua searches a pattern without these signs plainly.
            prop_assume!(pattern.contains(['^', '$', '*', '+', '?', '.', '(', '[', '%', '-']));
            let lua = Lua::new();
            prop_assert_eq!(ours(&text, &pattern), theirs(&lua, &text, &pattern), "{}", pattern);
        }
    }
}
