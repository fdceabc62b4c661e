//! Finds mistakes in scripts before any call: names and literals in calls of `call:verb`.
//!
//! It looks at the text alone, at every `call:NAME(...)`, and judges only what is written out
//! there: an expression such as `"ext/" .. number` is left to the verb itself.

mod tokens;

use self::tokens::{Token, TokenKind, tokens};
use crate::error::{LoadError, SCRIPTS_FOLDER};
use crate::generation::{Match, Sources};
use crate::host::Host;
use crate::options::unknown_option;
use crate::pattern::Pattern;
use crate::sound::parse_sound;
use crate::targets::destination;
use crate::time::Hours;
use crate::verb::Destination;
use crate::verbs::{Kind, OptionSpec, VERBS, VerbSpec, nearest, verb_spec};

/// Mistakes reported of one set of scripts.
const ERRORS_MAX: usize = 50;

/// Checks every script; `routed` says that all routes are known, so that `call:go` can be checked.
pub(crate) fn check(sources: &Sources, host: &Host, routed: bool) -> Vec<LoadError> {
    let mut errors = Vec::new();
    for (path, source) in &sources.files {
        let tokens = tokens(source);
        let mut file = File { path, source, tokens: &tokens, host, routed, errors: &mut errors };
        file.check();
    }
    errors.truncate(ERRORS_MAX);
    errors
}

struct File<'a> {
    path: &'a str,
    source: &'a str,
    tokens: &'a [Token],
    host: &'a Host,
    routed: bool,
    errors: &'a mut Vec<LoadError>,
}

/// An expression, as far as it is written out. Numbers name tokens.
enum Expression {
    /// A string or whole number and nothing else.
    Literal { text: String, token: usize },
    /// A table constructor and nothing else.
    Table(Vec<Field>),
    /// Anything else.
    Other,
}

struct Field {
    key: Option<Key>,
    value: Expression,
}

struct Key {
    name: String,
    token: usize,
    /// Written as `["name"]`.
    bracketed: bool,
}

impl File<'_> {
    fn check(&mut self) {
        for i in 0..self.tokens.len() {
            if self.is_name(i, "call")
                && self.is_sign(i + 1, ":")
                && !i.checked_sub(1).is_some_and(|i| {
                    self.is_sign(i, ".") || self.is_sign(i, ":") || self.is_name(i, "function")
                })
                && let Some(name) = self.name(i + 2)
            {
                let name = name.to_owned();
                self.check_call(&name, i + 2);
            }
            if self.is_name(i, "time") && self.is_sign(i + 1, ".") && self.is_name(i + 2, "open") {
                let arguments = self.arguments(i + 3);
                if let Some(Expression::Literal { text, token }) = arguments.first()
                    && let Err(problem) = Hours::parse(text)
                {
                    self.report(*token, format!("time.open: {problem}"), None);
                }
            }
        }
    }

    fn check_call(&mut self, name: &str, at: usize) {
        let Some(spec) = verb_spec(name) else {
            let near = nearest(name, VERBS.iter().map(|spec| spec.name));
            let hint = near.map(|near| format!("did you mean call:{near}?"));
            self.report(at, format!("there is no verb call:{name}"), hint);
            return;
        };
        let arguments = self.arguments(at + 1);
        let mut rest = arguments.iter();
        for argument in spec.arguments {
            if let Some(expression) = rest.next() {
                self.check_value(spec, argument, expression);
            }
        }
        if let Some(Expression::Table(fields)) = rest.next() {
            self.check_options(spec, fields);
        }
    }

    fn check_options(&mut self, spec: &VerbSpec, fields: &[Field]) {
        for field in fields {
            let Some(key) = &field.key else { continue };
            match spec.options.iter().find(|option| option.name == key.name) {
                Some(option) => self.check_value(spec, option, &field.value),
                None if spec.options.is_empty() || (spec.open.is_some() && key.bracketed) => {}
                None => {
                    let problem = unknown_option(spec, &key.name);
                    self.report(key.token, format!("call:{}: {problem}", spec.name), None);
                }
            }
        }
    }

    fn check_value(&mut self, spec: &VerbSpec, option: &OptionSpec, value: &Expression) {
        let lists = matches!(option.kind, Kind::Sounds | Kind::SoundsOrFunction | Kind::Patterns);
        match value {
            Expression::Literal { text, token } => {
                if let Some(problem) = self.problem(option.kind, text) {
                    self.report(*token, format!("call:{}: {problem}", spec.name), None);
                }
            }
            Expression::Table(fields) if option.kind == Kind::Targets => {
                for field in fields {
                    if field.key.as_ref().is_none_or(|key| key.name == "to") {
                        self.check_value(spec, option, &field.value);
                    }
                }
            }
            Expression::Table(fields) if lists => {
                for field in fields {
                    self.check_value(spec, option, &field.value);
                }
            }
            Expression::Table(_) | Expression::Other => {}
        }
    }

    /// What is wrong with a literal.
    fn problem(&self, kind: Kind, text: &str) -> Option<String> {
        let names = &self.host.names;
        match kind {
            Kind::Sound | Kind::Sounds | Kind::SoundsOrFunction => parse_sound(text, names).err(),
            Kind::Patterns => {
                Pattern::parse(text).err().map(|problem| format!("\"{text}\": {problem}"))
            }
            Kind::Targets => match destination(text) {
                Err(problem) => Some(problem),
                Ok(Destination::Extension(name)) => unknown("extension", &name, &names.extensions),
                Ok(Destination::Uri(_)) => None,
            },
            Kind::Mailbox => unknown("mailbox", text, &names.mailboxes),
            Kind::Dialled if self.routed => {
                let unmatched = !matches!(self.host.match_number(text), Match::Route(_));
                unmatched.then(|| {
                    let routes = self.host.routes.borrow();
                    let near = nearest(text, routes.iter().map(|r| r.info.pattern.as_str()));
                    let hint = near.map(|near| format!("; did you mean \"{near}\"?"));
                    format!("no route matches \"{text}\"{}", hint.unwrap_or_default())
                })
            }
            Kind::Word(words) if !words.contains(&text) => {
                let near = nearest(text, words.iter().copied());
                let hint = near.map(|near| format!("; did you mean \"{near}\"?"));
                Some(format!("\"{text}\" is not known here{}", hint.unwrap_or_default()))
            }
            Kind::Word(_)
            | Kind::Name
            | Kind::Dialled
            | Kind::Choice
            | Kind::Language
            | Kind::Flag { .. }
            | Kind::Text
            | Kind::Seconds { .. }
            | Kind::Whole { .. }
            | Kind::Number { .. }
            | Kind::Key { .. }
            | Kind::Redirects
            | Kind::Headers
            | Kind::Identity
            | Kind::Function
            | Kind::SecondsOrFunction
            | Kind::Spoken
            | Kind::Anything
            | Kind::Table
            | Kind::Pattern
            | Kind::Hours
            | Kind::Module => None,
        }
    }

    fn report(&mut self, token: usize, message: String, hint: Option<String>) {
        let Some(token) = self.tokens.get(token) else { return };
        let before = self.source.get(..token.at).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        let text = self.source.get(start..).and_then(|rest| rest.lines().next());
        let number = |n: usize| u32::try_from(n).ok();
        self.errors.push(LoadError {
            file: format!("{SCRIPTS_FOLDER}{}", self.path),
            line: number(line),
            column: number(token.at - start + 1),
            length: number(token.length),
            message,
            hint,
            source_line: text.map(str::to_owned),
        });
    }

    /// The arguments of a call whose bracket, string or table is at `i`.
    fn arguments(&self, i: usize) -> Vec<Expression> {
        match self.tokens.get(i).map(|token| &token.kind) {
            Some(TokenKind::Text(Some(text))) => {
                vec![Expression::Literal { text: text.clone(), token: i }]
            }
            Some(TokenKind::Sign("{")) => vec![Expression::Table(self.fields(i + 1).0)],
            Some(TokenKind::Sign("(")) => {
                let mut arguments = Vec::new();
                let mut at = i + 1;
                loop {
                    let (expression, end) = self.expression(at);
                    arguments.push(expression);
                    if !self.is_sign(end, ",") {
                        return arguments;
                    }
                    at = end + 1;
                }
            }
            _ => Vec::new(),
        }
    }

    /// The fields of a table constructor from just after its `{`, and where its `}` is.
    fn fields(&self, mut at: usize) -> (Vec<Field>, usize) {
        let mut fields = Vec::new();
        loop {
            if at >= self.tokens.len() || self.is_sign(at, "}") {
                return (fields, at);
            }
            let (key, start) = self.key(at);
            let (value, end) = self.expression(start);
            fields.push(Field { key, value });
            let separated = self.is_sign(end, ",") || self.is_sign(end, ";");
            if !separated {
                return (fields, end);
            }
            at = end + 1;
        }
    }

    /// A field's key, if it is written out, and where its value begins.
    fn key(&self, at: usize) -> (Option<Key>, usize) {
        if let Some(name) = self.name(at)
            && self.is_sign(at + 1, "=")
        {
            return (Some(Key { name: name.to_owned(), token: at, bracketed: false }), at + 2);
        }
        if self.is_sign(at, "[")
            && self.is_sign(at + 2, "]")
            && self.is_sign(at + 3, "=")
            && let Some(TokenKind::Text(Some(name)) | TokenKind::Number(name)) =
                self.tokens.get(at + 1).map(|token| &token.kind)
        {
            return (Some(Key { name: name.clone(), token: at + 1, bracketed: true }), at + 4);
        }
        (None, at)
    }

    /// The expression at `at`, and the token after it: a comma, semicolon or closing bracket.
    fn expression(&self, at: usize) -> (Expression, usize) {
        let end = self.expression_end(at);
        let whole = match self.tokens.get(at).map(|token| &token.kind) {
            Some(TokenKind::Text(Some(text)) | TokenKind::Number(text)) if end == at + 1 => {
                Expression::Literal { text: text.clone(), token: at }
            }
            Some(TokenKind::Sign("{")) => {
                let (fields, close) = self.fields(at + 1);
                if close + 1 == end { Expression::Table(fields) } else { Expression::Other }
            }
            _ => Expression::Other,
        };
        (whole, end)
    }

    /// Skips brackets and function bodies.
    fn expression_end(&self, at: usize) -> usize {
        let (mut brackets, mut blocks) = (0_usize, 0_usize);
        for (i, token) in self.tokens.iter().enumerate().skip(at) {
            match &token.kind {
                TokenKind::Sign("(" | "{" | "[") => brackets += 1,
                TokenKind::Sign(")" | "}" | "]") if brackets == 0 && blocks == 0 => return i,
                TokenKind::Sign(")" | "}" | "]") => brackets = brackets.saturating_sub(1),
                TokenKind::Sign("," | ";") if brackets == 0 && blocks == 0 => return i,
                TokenKind::Name(name) => match name.as_str() {
                    "function" | "if" | "do" | "repeat" => blocks += 1,
                    "end" | "until" => blocks = blocks.saturating_sub(1),
                    _ => {}
                },
                TokenKind::Sign(_) | TokenKind::Text(_) | TokenKind::Number(_) => {}
            }
        }
        self.tokens.len()
    }

    fn name(&self, i: usize) -> Option<&str> {
        match self.tokens.get(i).map(|token| &token.kind) {
            Some(TokenKind::Name(name)) => Some(name),
            _ => None,
        }
    }

    fn is_name(&self, i: usize, name: &str) -> bool {
        self.name(i) == Some(name)
    }

    fn is_sign(&self, i: usize, sign: &str) -> bool {
        matches!(self.tokens.get(i).map(|t| &t.kind), Some(TokenKind::Sign(found)) if *found == sign)
    }
}

fn unknown(what: &str, name: &str, known: &std::collections::BTreeSet<String>) -> Option<String> {
    if known.contains(name) {
        return None;
    }
    let near = nearest(name, known.iter().map(String::as_str));
    let hint = near.map(|near| format!("; did you mean \"{near}\"?"));
    Some(format!("there is no {what} \"{name}\"{}", hint.unwrap_or_default()))
}
