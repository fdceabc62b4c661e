//! Pieces of text, each in one colour, and lines of them that fit a width.

/// What a piece of text is, as far as its colour goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Plain,
    /// Lines of the tree, places, and what is only of interest to some.
    Faint,
    /// What the world answers.
    Answer,
    /// Names: of prompts, targets, routes.
    Name,
    /// A good end.
    Good,
    /// A refusal or a fault.
    Bad,
}

/// A piece of text in one colour.
pub(crate) type Piece = (String, Ink);

/// Whether lines have colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// With codes for a terminal (ECMA-48).
    On,
    /// Plain text.
    Off,
}

/// Appends one line, broken between words where it is longer than `width` characters.
///
/// `first` begins it, `rest` begins what does not fit.
pub(crate) fn line(
    out: &mut String,
    first: &str,
    rest: &str,
    pieces: &[Piece],
    (colour, width): (Colour, usize),
) {
    let mut column = begin(out, first, colour);
    for (text, ink) in pieces {
        for word in words(text) {
            let length = word.trim_end().chars().count();
            if column + length > width && column > rest.chars().count() {
                trim_end(out);
                out.push('\n');
                column = begin(out, rest, colour);
            }
            push(out, word, *ink, colour);
            column += word.chars().count();
        }
    }
    trim_end(out);
    out.push('\n');
}

/// Words with the space behind them; a number is not parted from its unit.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(' ') {
        let next = text.get(at + 1..).unwrap_or_default();
        let next = next.split([' ', ',', ';', ':', ')']).next().unwrap_or_default();
        if !matches!(next, "s" | "min" | "h") {
            words.extend(text.get(start..=at));
            start = at + 1;
        }
    }
    words.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    words
}

fn begin(out: &mut String, prefix: &str, colour: Colour) -> usize {
    push(out, prefix, Ink::Faint, colour);
    prefix.chars().count()
}

fn trim_end(out: &mut String) {
    out.truncate(out.trim_end_matches(' ').len());
}

fn push(out: &mut String, text: &str, ink: Ink, colour: Colour) {
    let code = match (colour, ink) {
        (Colour::Off, _) | (_, Ink::Plain) => None,
        (Colour::On, Ink::Faint) => Some("2"),
        (Colour::On, Ink::Answer) => Some("1;36"),
        (Colour::On, Ink::Name) => Some("33"),
        (Colour::On, Ink::Good) => Some("32"),
        (Colour::On, Ink::Bad) => Some("31"),
    };
    match code {
        Some(code) if !text.trim().is_empty() => {
            let words = text.trim_end_matches(' ');
            out.push_str(&format!("\u{1b}[{code}m{words}\u{1b}[0m"));
            out.push_str(text.get(words.len()..).unwrap_or_default());
        }
        Some(_) | None => out.push_str(text),
    }
}
