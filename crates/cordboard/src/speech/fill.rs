//! Words in braces that stand for what belongs to a text: `{lang}`.

/// What can stand in an argument of a command.
pub(crate) const IN_ARGUMENTS: &[&str] = &["lang", "voice"];
/// What can stand in the body of a request.
pub(crate) const IN_BODY: &[&str] = &["text", "lang", "voice"];
/// The body of a request unless the configuration says otherwise.
pub(crate) const BODY_USUAL: &str = r#"{"text":{text},"lang":{lang},"voice":{voice}}"#;

/// The words in braces, in order.
pub(crate) fn placeholders(template: &str) -> Vec<&str> {
    let named = |piece| if let Piece::Name(name) = piece { Some(name) } else { None };
    pieces(template).into_iter().filter_map(named).collect()
}

/// The template with each word in braces replaced. What was put in is not looked at again.
pub(crate) fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let filled = |piece: Piece<'_>| match piece {
        Piece::Plain(text) => text.to_owned(),
        Piece::Name(name) => value(name),
    };
    pieces(template).into_iter().map(filled).collect()
}

enum Piece<'a> {
    Plain(&'a str),
    Name(&'a str),
}

/// A word in braces has small letters alone, so that the braces of JSON are no such words.
fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut plain_from = 0;
    for (open, _) in template.match_indices('{') {
        let Some(rest) = template.get(open + 1..) else { continue };
        let Some((name, _)) = rest.split_once('}') else { break };
        if open < plain_from || name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase()) {
            continue;
        }
        pieces.extend(template.get(plain_from..open).map(Piece::Plain));
        pieces.push(Piece::Name(name));
        plain_from = open + name.len() + 2;
    }
    pieces.extend(template.get(plain_from..).map(Piece::Plain));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_braces_are_put_in_once_and_other_braces_stay() {
        let value = |name: &str| format!("<{name}{{lang}}>");
        assert_eq!(fill("--voice={voice}", value), "--voice=<voice{lang}>");
        assert_eq!(fill(r#"{"a":{text},"b":{}}"#, value), r#"{"a":<text{lang}>,"b":{}}"#);
        assert_eq!(fill("{lang}{Lang}{", value), "<lang{lang}>{Lang}{");
        assert_eq!(placeholders(BODY_USUAL), IN_BODY);
        assert!(placeholders("{} { lang } {lang").is_empty());
    }
}
