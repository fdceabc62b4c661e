//! What is said where the grammar ends: the place to mend, and how.

use super::{Expression, ExpressionKind, Flaw, Name, Opening, Parser, Suspect, TokenKind};
use crate::syntax::Span;

impl<'s> Parser<'s, '_> {
    pub(super) fn flaw(&mut self, span: Span, message: String, help: Option<String>) -> Box<Flaw> {
        // What could not be cut comes before what cannot be read because of it.
        let here = self.token.span;
        let cut = self.cuts.iter().find(|cut| cut.span == here);
        if let (TokenKind::Flawed, Some(cut)) = (self.token.kind, cut) {
            return Box::new(cut.clone());
        }
        Box::new(Flaw { span, message, help, too_deep: false, structure: false })
    }

    /// The same, of what opens and closes.
    fn structure(&mut self, span: Span, message: String, help: Option<String>) -> Box<Flaw> {
        let mut flaw = self.flaw(span, message, help);
        flaw.structure = self.token.kind != TokenKind::Flawed;
        flaw
    }

    pub(super) fn found(&self) -> String {
        match self.token.kind {
            TokenKind::End => "the end of the file".into(),
            TokenKind::Text => "a string".into(),
            TokenKind::Word(word) => format!("\"{word}\""),
            TokenKind::Name | TokenKind::Number | TokenKind::Flawed => {
                format!("\"{}\"", self.written(self.token.span))
            }
        }
    }

    /// Whether nothing more stands in the line of what was read last.
    pub(super) fn ended(&self) -> bool {
        self.line.first || self.token.kind == TokenKind::End
    }

    pub(super) fn expected(&mut self, what: &str) -> Box<Flaw> {
        if self.ended() {
            let after = self.written(self.before);
            let message = if after.is_empty() {
                format!("{what} is missing")
            } else {
                format!("{what} is missing after {after}")
            };
            return self.flaw(self.before, message, None);
        }
        let help = self.habit();
        if self.token.kind == TokenKind::Word("{") {
            let message = "a block cannot begin with {".to_owned();
            return self.flaw(self.token.span, message, Some(BRACES.to_owned()));
        }
        let message = format!("expected {what}, found {}", self.found());
        self.flaw(self.token.span, message, help)
    }

    /// Whether the next tokens are these, without a space between or before.
    fn adjoins(&self, signs: &str) -> bool {
        let rest = self.source.get(self.before.end as usize..);
        rest.is_some_and(|rest| rest.starts_with(signs))
    }

    fn written_ahead(&self, signs: &str) -> bool {
        let rest = self.source.get(self.token.span.start as usize..);
        rest.is_some_and(|rest| rest.starts_with(signs))
    }

    /// What stands before the token that was read last.
    fn earlier(&self) -> &'s str {
        self.source.get(..self.before.start as usize).unwrap_or_default().trim_end()
    }

    /// Whether `(call)` was read, alone between commas, as if it were a function.
    fn lacks_function(&self) -> bool {
        let read = self.source.get(..self.before.end as usize).unwrap_or_default();
        let Some((before, name)) = read.strip_suffix(')').and_then(|read| read.rsplit_once('('))
        else {
            return false;
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !name.is_empty() && name.chars().all(plain) && before.trim_end().ends_with([',', '('])
    }

    /// What those who come from another language probably meant.
    pub(super) fn habit(&self) -> Option<String> {
        let before = self.written(self.before);
        let adjacent = self.before.end == self.token.span.start;
        let TokenKind::Word(word) = self.token.kind else {
            let in_table = self.open.last().is_some_and(|opening| opening.word == "{");
            return match (before, self.written(self.token.span)) {
                (_, "to") => Some("write a comma: for i = 1, 3 do".into()),
                (":", written) if in_table => {
                    let name = self.earlier().rsplit(|c: char| !c.is_alphanumeric() && c != '_');
                    let name = name.into_iter().next().unwrap_or_default();
                    Some(format!("write {name} = {written}"))
                }
                _ => None,
            };
        };
        Some(match (before, word) {
            ("&", "&") if adjacent => "write and".into(),
            ("|", "|") if adjacent => "write or".into(),
            ("+", "+") if adjacent => "write x = x + 1".into(),
            ("+" | "-" | "*" | "/" | "..", "=") if adjacent => {
                format!("write x = x {before} ...; Lua has no {before}=")
            }
            ("=", "=") => "one = is enough".into(),
            ("=", ">") => {
                match ["exten", "same", "include"].iter().any(|word| self.earlier().ends_with(word))
                {
                    true => "this is Asterisk's; here it is route(\"101\", function(call) ... end)"
                        .into(),
                    false => "Lua has no =>; at least is >=".into(),
                }
            }
            (_, "=") if self.written_ahead("=>") => {
                "Lua has no arrows: write function(call) ... end".into()
            }
            (name, "=")
                if self.open.last().is_some_and(|opening| opening.word == "(")
                    && self.earlier().ends_with(['(', ',']) =>
            {
                format!("options stand in braces: {{ {name} = ... }}")
            }
            (_, "=") => "to compare, write ==".into(),
            (_, "and" | "or" | "not" | "end" | "in" | "do" | "then" | "if" | "for" | "repeat")
            | (_, "until" | "while" | "goto" | "break" | "function" | "local" | "else")
                if matches!(before, "." | ":" | "local" | "," | "goto") =>
            {
                format!("{word} is a word of the language; choose another name, or [\"{word}\"]")
            }
            _ => return None,
        })
    }

    /// `then` or `do` is missing behind `what`.
    pub(super) fn expected_word(&mut self, word: &str, what: &str) -> Box<Flaw> {
        if self.is("=") {
            let help = Some("to compare, write ==".into());
            return self.flaw(self.token.span, format!("\"=\" cannot stand in {what}"), help);
        }
        let braces = self.is("{") || self.written(self.before) == "}";
        let help = braces.then(|| format!("Lua has no braces around blocks: write {word} ... end"));
        if self.ended() {
            let span = self.before;
            return self.flaw(span, format!("{word} is missing behind {what}"), help);
        }
        let help = help.or_else(|| self.habit());
        let message = format!("expected {word} behind {what}, found {}", self.found());
        self.flaw(self.token.span, message, help)
    }

    /// A block or bracket is not closed by `word`, which should be the next token.
    pub(super) fn not_closed(&mut self, word: &'static str) -> Box<Flaw> {
        let Some(opening) = self.open.last().copied() else {
            return self.expected(&format!("\"{word}\""));
        };
        if matches!(word, "end" | "until") {
            return self.block_not_closed(word, opening);
        }
        let Opening { word: bracket, span, line, .. } = opening;
        let later = self.ended();
        // A line that stands no further in than the bracket's no longer belongs into it.
        let outside = self.line.first && self.line.indent <= line.indent;
        let separable = matches!(bracket, "{" | "(") && self.begins_value() && !outside;
        if let (true, Some(flaw)) = (bracket == "{", self.comma_is_missing()) {
            return flaw;
        }
        if bracket == "(" && later && self.lacks_function() {
            let message = "function is missing before this".to_owned();
            let read = self.source.get(..self.before.end as usize).unwrap_or_default();
            let start = read.rfind('(').and_then(|at| u32::try_from(at).ok());
            let start = start.unwrap_or(self.before.start);
            let help = "a function is written function(call) ... end".to_owned();
            return self.flaw(Span { start, ..self.before }, message, Some(help));
        }
        if later {
            let message = format!("this {bracket} is not closed");
            let help = Some(format!("a {word} is missing, at the latest before {}", self.place()));
            return self.flaw(span, message, help);
        }
        if bracket == "(" && separable {
            let help = Some(format!("is a comma missing, or the closing {word}?"));
            let message = format!("expected , or {word}, found {}", self.found());
            return self.flaw(self.token.span, message, help);
        }
        let help =
            self.habit().or_else(|| Some(format!("the {bracket} is in line {}", line.number)));
        let message = format!("expected {word} to close {bracket}, found {}", self.found());
        self.flaw(self.token.span, message, help)
    }

    /// Between two values of the table that was opened last.
    pub(super) fn comma_is_missing(&mut self) -> Option<Box<Flaw>> {
        let line = self.open.last()?.line;
        let outside = self.line.first && self.line.indent <= line.indent;
        let missing = self.begins_value() && !outside;
        missing.then(|| self.flaw(self.before, "a comma is missing after this".to_owned(), None))
    }

    /// `else if` in one line, behind the `else`, which stood in `line`.
    pub(super) fn note_else_if(&mut self, line: usize) {
        if self.is("if") && self.line.number == line {
            let span = self.before.to(self.token.span);
            if let Some(opening) = self.open.last_mut() {
                opening.else_if = Some(span);
            }
        }
    }

    /// What no statement begins with.
    pub(super) fn not_a_beginning(&mut self) -> Option<Box<Flaw>> {
        let TokenKind::Word(word) = self.token.kind else { return None };
        let help = match word {
            "//" | "/" | "#" => "a comment begins with --",
            "{" => BRACES,
            _ => return None,
        };
        let message = format!("{word} cannot begin a statement");
        Some(self.flaw(self.token.span, message, Some(help.to_owned())))
    }

    pub(super) fn place(&self) -> String {
        match self.token.kind {
            TokenKind::End => "the end of the file".into(),
            TokenKind::Name
            | TokenKind::Number
            | TokenKind::Text
            | TokenKind::Flawed
            | TokenKind::Word(_) => format!("line {}", self.line.number),
        }
    }

    pub(super) fn begins_value(&self) -> bool {
        match self.token.kind {
            TokenKind::Name | TokenKind::Number | TokenKind::Text => true,
            TokenKind::Word(word) => {
                matches!(word, "{" | "[" | "function" | "nil" | "true" | "false" | "not" | "...")
            }
            TokenKind::Flawed | TokenKind::End => false,
        }
    }

    pub(super) fn block_not_closed(&mut self, word: &str, opening: Opening) -> Box<Flaw> {
        let opening = match self.suspect {
            Some(Suspect::Unclosed(suspect)) => suspect,
            Some(Suspect::Extra { .. }) | None => opening,
        };
        let Opening { word: opener, span, else_if, .. } = opening;
        if let Some(span) = else_if {
            let message = "this opens a second if, which needs an end of its own".to_owned();
            return self.structure(span, message, Some("write elseif".into()));
        }
        let word = if opener == "repeat" { "until" } else { word };
        let help = match (self.token.kind, opener) {
            (TokenKind::Word("else" | "elseif"), "if") => "an if has one else, and it comes last",
            (_, "repeat") => "write until and a condition where it ends",
            _ => "write end where it ends",
        };
        let message = format!("this {opener} has no {word}");
        self.structure(span, message, Some(help.into()))
    }

    /// Something stands where only the end of the file can.
    pub(super) fn unexpected_at_top(&mut self) -> Box<Flaw> {
        let found = self.found();
        if let Some(Suspect::Extra { end, closes }) = self.suspect {
            let message = "this end is one too many".to_owned();
            let help = format!("it closes the {} of line {}", closes.word, closes.line.number);
            return self.structure(end, message, Some(help));
        }
        let message = format!("there is nothing here for {found} to close");
        self.structure(self.token.span, message, None)
    }

    pub(super) fn after_return(&mut self) -> Box<Flaw> {
        let help = "return is the last of its block; write do return end in the middle of one";
        let message = format!("{} cannot follow return here", self.found());
        self.flaw(self.token.span, message, Some(help.into()))
    }

    pub(super) fn no_arguments(&mut self, name: &Name<'s>) -> Box<Flaw> {
        let message = format!("{} is not called: brackets are missing", name.text);
        let help = Some(format!("write :{}(), or .{} for a value", name.text, name.text));
        self.flaw(name.span, message, help)
    }

    /// An expression stands alone.
    pub(super) fn not_a_statement(&mut self, alone: &Expression<'s>) -> Box<Flaw> {
        if self.token.kind == TokenKind::Flawed {
            return self.flaw(alone.span, String::new(), None);
        }
        let written = self.written(alone.span);
        let word = matches!(alone.kind, ExpressionKind::Name(_)).then_some(written);
        if let Some(flaw) = self.quote_in_text(alone.span) {
            return flaw;
        }
        let help = match (word, self.token.kind) {
            _ if self.adjoins("--") => {
                format!("-- begins a comment; to count down, write {written} = {written} - 1")
            }
            _ if self.adjoins("++") => format!("to count up, write {written} = {written} + 1"),
            (Some("try"), _) => "Lua has none: write pcall(function() ... end)".into(),
            (Some("catch" | "except" | "finally"), _) => "pcall returns false and why".into(),
            (Some("throw" | "raise"), _) => "write error(\"why\")".into(),
            (Some("endif" | "fi" | "done" | "esac" | "End" | "END"), _) => "write end".into(),
            (Some("elif" | "elsif" | "elseIf"), _) => "write elseif".into(),
            (Some("var" | "let" | "const"), _) => "write local".into(),
            (Some("func" | "def" | "fn"), _) => "write function".into(),
            (Some("import" | "include"), _) => "write require \"name\"".into(),
            (Some("switch" | "case"), _) => "Lua has none: write if ... elseif ... end".into(),
            (Some("continue"), _) => "Lua has none: put the rest of the loop into an if".into(),
            (_, TokenKind::Word(sign @ ("+" | "-" | "*" | "/" | ".."))) => {
                format!("to change it, write {written} = {written} {sign} ...")
            }
            _ => "assign it with =, or call it with ()".into(),
        };
        let message = format!("{} alone does nothing", shortened(written));
        self.flaw(alone.span, message, Some(help))
    }
}

impl Parser<'_, '_> {
    /// A name that follows the end of a string at once: `"it"s me"`.
    fn quote_in_text(&mut self, alone: Span) -> Option<Box<Flaw>> {
        let before = self.source.get(..alone.start as usize)?;
        let quote = before.chars().next_back().filter(|c| matches!(c, '"' | '\''))?;
        let message = "the string ended before this".to_owned();
        Some(self.flaw(alone, message, Some(format!("within a string write \\{quote}"))))
    }
}

const BRACES: &str = "Lua has no braces around blocks: leave out { and write end instead of }";

fn shortened(written: &str) -> &str {
    let line = written.lines().next().unwrap_or_default();
    if line.len() == written.len() && written.len() <= 40 { written } else { "this value" }
}

pub(super) fn cannot_be_assigned(target: &Expression<'_>) -> Box<Flaw> {
    Box::new(Flaw {
        span: target.span,
        message: "this is not a name that could be given a value".into(),
        help: Some("to compare, write ==".into()),
        too_deep: false,
        structure: false,
    })
}
