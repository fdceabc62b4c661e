//! Cuts a script into tokens (reference manual §3.1).

use super::flaw::{Flaw, FlawKind};
use super::literal::number;
use super::tree::Span;

/// A piece of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

/// `-- ...` or `--[[ ... ]]`, with its dashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Comment {
    pub(crate) span: Span,
}

/// What sort of piece it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    Name,
    Number,
    /// In quotes or long brackets.
    Text,
    /// A keyword, operator or bracket, as written.
    Word(&'static str),
    /// What cannot be cut; [`Scan::flaws`] says why.
    Flawed,
    /// Nothing follows.
    End,
}

/// A script cut up, with an [`TokenKind::End`] behind.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) tokens: Vec<Token>,
    pub(super) comments: Vec<Comment>,
    /// One for each [`TokenKind::Flawed`].
    pub(super) flaws: Vec<Flaw>,
}

/// Flaws of one script, beyond which it is left alone.
const FLAWS_MAX: usize = 100;

const KEYWORDS: [&str; 22] = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in",
    "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
];

/// Longer ones first.
const SIGNS: [&str; 33] = [
    "...", "..", "::", "==", "~=", "<=", ">=", "<<", ">>", "//", ":", ".", "(", ")", "{", "}", "[",
    "]", ",", ";", "=", "+", "-", "*", "/", "%", "^", "#", "&", "|", "~", "<", ">",
];

/// Cuts `source`; linear in its length.
pub(super) fn scan(source: &str) -> Scan {
    let mut scan = Scan::default();
    let mut at = 0;
    loop {
        let rest = source.get(at..).unwrap_or_default();
        let blank = rest.len() - rest.trim_start_matches(is_space).len();
        at += blank;
        let rest = rest.get(blank..).unwrap_or_default();
        if rest.is_empty() {
            scan.tokens.push(Token { kind: TokenKind::End, span: span(at, 0) });
            return scan;
        }
        let piece = match rest.strip_prefix("--") {
            Some(comment) => comment_length(comment).map(|length| (None, "--".len() + length)),
            None => token(rest).map(|(kind, length)| (Some(kind), length)),
        };
        match piece {
            Ok((kind, length)) => {
                let span = span(at, length);
                match kind {
                    Some(kind) => scan.tokens.push(Token { kind, span }),
                    None => scan.comments.push(Comment { span }),
                }
                at += length;
            }
            Err((kind, length)) => {
                let span = span(at, length);
                scan.tokens.push(Token { kind: TokenKind::Flawed, span });
                scan.flaws.push(Flaw::new(kind, span, source));
                // What is not closed in its line has its end nowhere.
                let ends = matches!(kind, FlawKind::OpenComment)
                    || (kind == FlawKind::OpenText && rest.starts_with('['));
                at = if ends || scan.flaws.len() >= FLAWS_MAX { source.len() } else { at + length };
            }
        }
    }
}

/// What Lua takes for a space.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

fn span(at: usize, length: usize) -> Span {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Span { start: number(at), end: number(at + length) }
}

type Cut<T> = Result<T, (FlawKind, usize)>;

fn comment_length(comment: &str) -> Cut<usize> {
    match long_bracket(comment) {
        Some(Some(length)) => Ok(length),
        Some(None) => Err((FlawKind::OpenComment, "--[[".len())),
        None => Ok(comment.find('\n').unwrap_or(comment.len())),
    }
}

/// The first piece of `rest` and its length.
fn token(rest: &str) -> Cut<(TokenKind, usize)> {
    let first = rest.chars().next().unwrap_or(' ');
    let second = rest.chars().nth(1).unwrap_or(' ');
    if first.is_ascii_alphabetic() || first == '_' {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let word = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let keyword = KEYWORDS.iter().find(|keyword| **keyword == word);
        let kind = keyword.map_or(TokenKind::Name, |keyword| TokenKind::Word(keyword));
        return Ok((kind, word.len()));
    }
    if first.is_ascii_digit() || (first == '.' && second.is_ascii_digit()) {
        let length = number_length(rest);
        let written = rest.get(..length).unwrap_or_default();
        return match number(written) {
            Some(_) => Ok((TokenKind::Number, length)),
            None => Err((FlawKind::Number, length)),
        };
    }
    if first == '"' || first == '\'' {
        return quoted_length(rest, first).map(|length| (TokenKind::Text, length));
    }
    match long_bracket(rest) {
        Some(Some(length)) => return Ok((TokenKind::Text, length)),
        Some(None) => return Err((FlawKind::OpenText, "[[".len())),
        None => {}
    }
    match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        Some(sign) => Ok((TokenKind::Word(sign), sign.len())),
        None => Err((FlawKind::Character, first.len_utf8())),
    }
}

/// As far as Lua reads a numeral, right or wrong: `0x1p-4`, `3e+2`, `3x`.
fn number_length(rest: &str) -> usize {
    let exponent = if rest.starts_with("0x") || rest.starts_with("0X") { "pP" } else { "eE" };
    let mut before = ' ';
    let end = rest.find(|c: char| {
        let sign = matches!(c, '+' | '-') && exponent.contains(before);
        before = c;
        !(sign || c.is_ascii_alphanumeric() || c == '_' || c == '.')
    });
    end.unwrap_or(rest.len())
}

/// The length of `"..."` with its quotes.
fn quoted_length(rest: &str, quote: char) -> Cut<usize> {
    let open = |at: usize| Err((FlawKind::OpenText, at));
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\n' | '\r' => return open(at),
            '\\' => match chars.next() {
                // The rest of the space is skipped, with line ends.
                Some((_, 'z')) => while chars.next_if(|(_, c)| is_space(*c)).is_some() {},
                // A line end may be two characters.
                Some((_, '\r')) => drop(chars.next_if(|(_, c)| *c == '\n')),
                Some((_, '\n')) => drop(chars.next_if(|(_, c)| *c == '\r')),
                Some(_) => {}
                None => return open(rest.len()),
            },
            c if c == quote => return Ok(at + c.len_utf8()),
            _ => {}
        }
    }
    open(rest.len())
}

/// The length of `[[...]]` or `[==[...]==]`: `None` when it is none, `Some(None)` when it is not
/// closed.
fn long_bracket(rest: &str) -> Option<Option<usize>> {
    let inner = rest.strip_prefix('[')?;
    let level = inner.len() - inner.trim_start_matches('=').len();
    let content = inner.get(level..)?.strip_prefix('[')?;
    let closing = format!("]{}]", "=".repeat(level));
    let opening = "[[".len() + level;
    Some(content.find(&closing).map(|end| opening + end + closing.len()))
}
