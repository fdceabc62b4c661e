//! Why a script is not Lua, placed where its author should look.

use super::tree::Span;

/// Where reading stopped, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// Whether it is only too much for us; Lua may still take it.
    pub(crate) too_deep: bool,
    /// Whether it is about what opens and closes, so that nothing is certain up to the next statement
    /// that stands on its own.
    pub(super) structure: bool,
}

/// What cannot be cut into pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FlawKind {
    OpenText,
    OpenComment,
    Number,
    Character,
}

impl Flaw {
    pub(super) fn new(kind: FlawKind, span: Span, source: &str) -> Self {
        let (start, end) = (span.start as usize, span.end as usize);
        let written = source.get(start..end).unwrap_or_default();
        let after = source.get(end..).unwrap_or_default();
        let (message, help) = match kind {
            FlawKind::OpenText if written.starts_with('[') => {
                ("this string has no end".to_owned(), Some("end it with ]]".to_owned()))
            }
            FlawKind::OpenText => {
                let quote = written.get(..1).unwrap_or_default();
                let help = format!("end it with {quote} on the same line");
                ("this string has no end".to_owned(), Some(help))
            }
            FlawKind::OpenComment => {
                ("this comment has no end".to_owned(), Some("end it with ]]".to_owned()))
            }
            FlawKind::Number => (format!("{written} is not a number"), None),
            FlawKind::Character => character(written, after),
        };
        Self { span, message, help, too_deep: false, structure: false }
    }
}

/// Characters that mean something elsewhere.
fn character(written: &str, after: &str) -> (String, Option<String>) {
    let help = match written {
        "!" if after.starts_with('=') => "\"not equal\" is ~= in Lua",
        "!" => "write not",
        "?" => "for a choice of two values write: condition and one or other",
        "`" => "write plain quotes: \"",
        "$" | "@" | "\\" => "it has no meaning in Lua outside of a string",
        "“" | "”" | "„" | "«" | "»" => "write plain quotes: \"",
        "‘" | "’" | "‚" => "write plain quotes: '",
        "–" | "—" | "−" => "write a plain minus: -",
        "\u{a0}" | "\u{202f}" | "\u{3000}" => {
            return ("this is not a plain space".to_owned(), Some("type it again".to_owned()));
        }
        "\u{1b}" => {
            let help = "scripts are plain text".to_owned();
            return ("this is compiled Lua, a binary chunk".to_owned(), Some(help));
        }
        "\u{feff}" | "\u{200b}" => {
            let help = "delete it: it cannot be seen, but it is there".to_owned();
            return ("there is an invisible character here".to_owned(), Some(help));
        }
        _ => "names are made of a-z, A-Z, 0-9 and _; other letters belong in strings",
    };
    let shown = if written.chars().any(char::is_control) { "this character" } else { written };
    (format!("{shown} cannot stand here"), Some(help.to_owned()))
}
