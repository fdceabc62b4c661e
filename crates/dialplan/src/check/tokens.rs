//! Just enough of Lua's lexical structure to find calls and the literals in them.

/// A piece of Lua source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// Bytes from the start of the file.
    pub(super) at: usize,
    /// Bytes in the file.
    pub(super) length: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name or keyword.
    Name(String),
    /// A string literal with its escapes resolved; `None` when it has one we do not resolve.
    Text(Option<String>),
    /// A number, as written.
    Number(String),
    /// One or more punctuation characters.
    Sign(&'static str),
}

const SIGNS: [&str; 33] = [
    "...", "..", "::", "==", "~=", "<=", ">=", "<<", ">>", "//", ":", ".", "(", ")", "{", "}", "[",
    "]", ",", ";", "=", "+", "-", "*", "/", "%", "^", "#", "&", "|", "~", "<", ">",
];

/// Cuts a file that Lua has compiled already, so that nothing in it can be wrong.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some(comment) = rest.strip_prefix("--") {
            let length = match long_bracket(comment) {
                Some((length, _)) => length,
                None => comment.find('\n').unwrap_or(comment.len()),
            };
            at += "--".len() + length;
            continue;
        }
        let (kind, length) = piece(rest);
        if let Some(kind) = kind {
            tokens.push(Token { kind, at, length });
        }
        at += length;
    }
    tokens
}

/// The first piece of `rest`, if it is one, and its length.
fn piece(rest: &str) -> (Option<TokenKind>, usize) {
    let first = rest.chars().next().unwrap_or(' ');
    let run = |accept: fn(char) -> bool| rest.find(|c| !accept(c)).unwrap_or(rest.len());
    if first.is_ascii_alphabetic() || first == '_' {
        let length = run(|c| c.is_ascii_alphanumeric() || c == '_');
        let name = rest.get(..length).unwrap_or_default();
        return (Some(TokenKind::Name(name.to_owned())), length);
    }
    if first.is_ascii_digit() {
        let length = run(|c| c.is_ascii_alphanumeric() || c == '.');
        let number = rest.get(..length).unwrap_or_default();
        return (Some(TokenKind::Number(number.to_owned())), length);
    }
    if first == '"' || first == '\'' {
        let (text, length) = quoted(rest, first);
        return (Some(TokenKind::Text(text)), length);
    }
    if let Some((length, text)) = long_bracket(rest) {
        return (Some(TokenKind::Text(Some(text.to_owned()))), length);
    }
    match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        Some(sign) => (Some(TokenKind::Sign(sign)), sign.len()),
        None => (None, first.len_utf8()),
    }
}

/// Reads `"..."` or `'...'`.
fn quoted(rest: &str, quote: char) -> (Option<String>, usize) {
    let mut text = Some(String::new());
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return (text, at + 1);
        }
        let resolved = if c == '\\' {
            match chars.next() {
                Some((_, c @ ('"' | '\'' | '\\'))) => Some(c),
                _ => None,
            }
        } else {
            Some(c)
        };
        match (&mut text, resolved) {
            (Some(text), Some(c)) => text.push(c),
            _ => text = None,
        }
    }
    (None, rest.len())
}

/// Reads `[[...]]` or `[==[...]==]`; its length and content.
fn long_bracket(rest: &str) -> Option<(usize, &str)> {
    let inner = rest.strip_prefix('[')?;
    let level = inner.find(|c| c != '=')?;
    let content = inner.get(level..)?.strip_prefix('[')?;
    let closing = format!("]{}]", "=".repeat(level));
    let end = content.find(&closing)?;
    let length = "[".len() + level + "[".len() + end + closing.len();
    let text = content.get(..end)?;
    Some((length, text.strip_prefix('\n').unwrap_or(text)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn comments_strings_and_long_brackets_are_told_apart() {
        let source = "-- a 'comment'\ncall:play \"a\\\"b\" --[[ x\n ]] [==[c]]d]==] .. 0x1F '\\n'";
        let kinds: Vec<_> = tokens(source).into_iter().map(|token| token.kind).collect();
        assert_eq!(
            kinds,
            [
                TokenKind::Name("call".into()),
                TokenKind::Sign(":"),
                TokenKind::Name("play".into()),
                TokenKind::Text(Some("a\"b".into())),
                TokenKind::Text(Some("c]]d".into())),
                TokenKind::Sign(".."),
                TokenKind::Number("0x1F".into()),
                TokenKind::Text(None),
            ]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_cut_without_overlap(source in "[ -~\\n\u{e9}]{0,80}") {
            let mut end = 0;
            for token in tokens(&source) {
                prop_assert!(token.at >= end && token.length > 0);
                end = token.at + token.length;
            }
            prop_assert!(end <= source.len());
        }
    }
}
