//! What is said where the grammar ends: the place to mend, and how.

use super::{Expression, ExpressionKind, Flaw, Name, Opening, Parser, Suspect, TokenKind};
use crate::syntax::Span;

impl<'s> Parser<'s, '_> {
    pub(super) fn flaw(&mut self, span: Span, message: String, help: Option<String>) -> Box<Flaw> {
        // What could not be cut comes before what cannot be read because of it.
        if let (TokenKind::End, Some(flaw)) = (self.token.kind, self.flaw.take()) {
            return Box::new(flaw);
        }
        Box::new(Flaw { span, message, help, too_deep: false })
    }

    pub(super) fn found(&self) -> String {
        match self.token.kind {
            TokenKind::End => "the end of the file".into(),
            TokenKind::Text => "a string".into(),
            TokenKind::Word(word) => format!("\"{word}\""),
            TokenKind::Name | TokenKind::Number => format!("\"{}\"", self.written(self.token.span)),
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
        let message = format!("expected {what}, found {}", self.found());
        self.flaw(self.token.span, message, help)
    }

    /// What those who come from another language probably meant.
    pub(super) fn habit(&self) -> Option<String> {
        let before = self.written(self.before);
        let adjacent = self.before.end == self.token.span.start;
        let TokenKind::Word(word) = self.token.kind else { return None };
        Some(match (before, word) {
            ("&", "&") if adjacent => "write and".into(),
            ("|", "|") if adjacent => "write or".into(),
            ("+", "+") if adjacent => "write x = x + 1".into(),
            ("+" | "-" | "*" | "/" | "..", "=") if adjacent => {
                format!("write x = x {before} ...; Lua has no {before}=")
            }
            ("=", "=") => "one = is enough".into(),
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
        if self.ended() {
            let span = self.before;
            return self.flaw(span, format!("{word} is missing behind {what}"), None);
        }
        let message = format!("expected {word} behind {what}, found {}", self.found());
        self.flaw(self.token.span, message, None)
    }

    /// A block or bracket is not closed by `word`, which should be the next token.
    pub(super) fn not_closed(&mut self, word: &'static str) -> Box<Flaw> {
        let Some(opening) = self.open.last().copied() else {
            return self.expected(&format!("\"{word}\""));
        };
        if matches!(word, "end" | "until") {
            return self.block_not_closed(word, opening);
        }
        let Opening { word: bracket, span, line } = opening;
        let later = self.ended();
        // A line that stands no further in than the bracket's no longer belongs into it.
        let outside = self.line.first && self.line.indent <= line.indent;
        let separable = matches!(bracket, "{" | "(") && self.begins_value() && !outside;
        if bracket == "{" && separable {
            let message = "a comma is missing after this".to_owned();
            return self.flaw(self.before, message, None);
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

    pub(super) fn place(&self) -> String {
        match self.token.kind {
            TokenKind::End => "the end of the file".into(),
            TokenKind::Name | TokenKind::Number | TokenKind::Text | TokenKind::Word(_) => {
                format!("line {}", self.line.number)
            }
        }
    }

    pub(super) fn begins_value(&self) -> bool {
        match self.token.kind {
            TokenKind::Name | TokenKind::Number | TokenKind::Text => true,
            TokenKind::Word(word) => {
                matches!(word, "{" | "[" | "function" | "nil" | "true" | "false" | "not" | "...")
            }
            TokenKind::End => false,
        }
    }

    pub(super) fn block_not_closed(&mut self, word: &str, opening: Opening) -> Box<Flaw> {
        let opening = match self.suspect {
            Some(Suspect::Unclosed(suspect)) => suspect,
            Some(Suspect::Extra { .. }) | None => opening,
        };
        let Opening { word: opener, span, .. } = opening;
        let word = if opener == "repeat" { "until" } else { word };
        let help = match (self.token.kind, opener) {
            (TokenKind::Word("else" | "elseif"), "if") => "an if has one else, and it comes last",
            (_, "repeat") => "write until and a condition where it ends",
            _ => "write end where it ends",
        };
        let message = format!("this {opener} has no {word}");
        self.flaw(span, message, Some(help.into()))
    }

    /// Something stands where only the end of the file can.
    pub(super) fn unexpected_at_top(&mut self) -> Box<Flaw> {
        let found = self.found();
        if let Some(Suspect::Extra { end, closes }) = self.suspect {
            let message = "this end is one too many".to_owned();
            let help = format!("it closes the {} of line {}", closes.word, closes.line.number);
            return self.flaw(end, message, Some(help));
        }
        let message = format!("there is nothing here for {found} to close");
        self.flaw(self.token.span, message, None)
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
        if self.token.kind == TokenKind::End && self.flaw.is_some() {
            return self.flaw(alone.span, String::new(), None);
        }
        let written = self.written(alone.span);
        let word = matches!(alone.kind, ExpressionKind::Name(_)).then_some(written);
        let help = match (word, self.token.kind) {
            (Some("elif" | "elsif" | "elseIf"), _) => "write elseif".into(),
            (Some("var" | "let" | "const"), _) => "write local".into(),
            (Some("func" | "def" | "fn"), _) => "write function".into(),
            (Some("import" | "include"), _) => "write require \"name\"".into(),
            (Some("switch" | "case"), _) => "Lua has none: write if ... elseif ... end".into(),
            (Some("continue"), _) => "Lua has none: put the rest of the loop into an if".into(),
            (_, TokenKind::Word("+" | "-" | "*" | "/" | "..")) => {
                format!("to change it, write {written} = {written} ...")
            }
            _ => "assign it with =, or call it with ()".into(),
        };
        let message = format!("{} alone does nothing", shortened(written));
        self.flaw(alone.span, message, Some(help))
    }
}

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
    })
}
