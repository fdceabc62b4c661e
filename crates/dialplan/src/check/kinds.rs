//! Whether a value is what an argument or option takes.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not looked at is passed over alike"
)]

use super::code::Code;
use super::facts::FileId;
use super::outside::{Outside, Problem};
use super::values::{Constructed, Possible, Sort, Value, Values};
use crate::options::{expected, text_problem};
use crate::pattern::Pattern;
use crate::speech::SPEECH_KEYS;
use crate::syntax::{Field, FieldKey, Number, Span};
use crate::targets::{IDENTITY_KEYS, REDIRECT_KEYS, TARGET_KEYS, header_problem, is_redirect};
use crate::time::Hours;
use crate::verbs::{Kind, OptionSpec, VerbSpec, nearest};

/// Something wrong, and where.
pub(super) type Found = (FileId, Span, Problem);

/// Lists in lists that are looked into.
const NESTED_MAX: u32 = 3;

/// Judges what is given to one function.
pub(super) struct Judge<'j, 'a, 't> {
    pub(super) values: &'j Values<'a, 't>,
    pub(super) outside: Outside<'a>,
    /// Whether some route matches a number; `None` when the routes are not all known.
    pub(super) routed: &'j dyn Fn(&str) -> Option<Result<(), String>>,
    /// Whether there is a script of that name.
    pub(super) module: &'j dyn Fn(&str) -> Option<Problem>,
    pub(super) spec: &'static VerbSpec,
    pub(super) found: Vec<Found>,
}

impl<'t> Judge<'_, '_, 't> {
    /// Judges all that an argument or option may be.
    pub(super) fn option(&mut self, option: &OptionSpec, possibles: &[Possible<'t>]) {
        self.one_of(&option.kind, option.name, possibles, 0);
        if option.kind == Kind::Speech {
            self.synthesiser(possibles);
        }
    }

    /// Something must speak these texts.
    fn synthesiser(&mut self, texts: &[Possible<'t>]) {
        if let (false, Some(first)) = (self.outside.names.speech, texts.first()) {
            let problem = Problem::new(Code::NO_SPEECH, "nothing is configured that speaks texts");
            let help = "add a section [speech] with `command` or `url` to cordboard.toml";
            self.tell(first, problem.help(help));
        }
    }

    fn one_of(&mut self, kind: &Kind, name: &str, possibles: &[Possible<'t>], depth: u32) {
        let sorts = || possibles.iter().map(|possible| possible.value.sort());
        // Whether a script looks at the sort of a value before it uses it cannot be seen, so all
        // that it may be must be wrong.
        let misfits = sorts().all(|sort| sort.is_some_and(|sort| !self.takes(kind, sort)));
        if let (true, Some(first)) = (misfits, possibles.first()) {
            let got = first.value.sort().map_or("something else", Sort::words);
            let message = format!("{name}: expected {}, got {got}", expected(kind));
            self.tell(first, Problem::new(Code::WRONG_TYPE, message));
            return;
        }
        for possible in possibles {
            let sort = possible.value.sort().filter(|sort| *sort != Sort::Nil);
            match sort.filter(|sort| possible.surely && !self.takes(kind, *sort)) {
                Some(sort) => {
                    let got = sort.words();
                    let message = format!("{name}: expected {}, got {got}", expected(kind));
                    self.tell(possible, Problem::new(Code::WRONG_TYPE, message));
                }
                None => self.content(kind, name, possible, depth),
            }
        }
    }

    /// Whether a kind takes values of a sort at all.
    fn takes(&self, kind: &Kind, sort: Sort) -> bool {
        // Functions written in Rust or Lua turn numbers into text and back; verbs do not.
        let coerces = !self.is_verb();
        let text = sort == Sort::Text;
        let number = sort == Sort::Number;
        match kind {
            Kind::Anything => true,
            Kind::Flag { .. } => sort == Sort::Boolean || coerces,
            Kind::Text | Kind::Sound | Kind::Word(_) | Kind::Hours | Kind::Module => {
                text || (number && coerces)
            }
            Kind::Language => text,
            Kind::Name
            | Kind::Mailbox
            | Kind::Dialled
            | Kind::Spoken
            | Kind::Speech
            | Kind::Pattern => text || number,
            Kind::Seconds { .. } | Kind::Whole { .. } | Kind::Number { .. } => {
                number || (text && coerces)
            }
            Kind::Sounds | Kind::Patterns => text || number || sort == Sort::Table,
            Kind::Key { .. } => text || number || sort == Sort::Boolean,
            Kind::Targets | Kind::Redirects => text || sort == Sort::Table,
            Kind::Headers | Kind::Identity | Kind::Table => sort == Sort::Table,
            Kind::Function => sort == Sort::Function,
            Kind::SecondsOrFunction => number || sort == Sort::Function,
            Kind::SoundsOrFunction => {
                text || number || sort == Sort::Table || sort == Sort::Function
            }
            Kind::Choice => text || number || sort == Sort::Function,
        }
    }

    fn is_verb(&self) -> bool {
        self.spec.library == crate::verbs::Library::Call
    }

    fn tell(&mut self, at: &Possible<'_>, problem: Problem) {
        self.found.push((at.file, at.span, problem));
    }

    /// What a value says, as far as it is known.
    fn content(&mut self, kind: &Kind, name: &str, possible: &Possible<'t>, depth: u32) {
        let problem = match &possible.value {
            Value::Text(Some(text)) => self.text(kind, name, text),
            Value::Number(Some(number)) => self.number(kind, name, *number),
            Value::Table(table) if depth < NESTED_MAX => {
                self.table(kind, name, possible, *table, depth);
                None
            }
            Value::Boolean(Some(true)) if matches!(kind, Kind::Key { .. }) => {
                let message = format!("{name}: expected {}, got a boolean", expected(kind));
                Some(Problem::new(Code::WRONG_TYPE, message))
            }
            _ => None,
        };
        if let Some(problem) = problem {
            self.tell(possible, problem);
        }
    }

    fn text(&self, kind: &Kind, name: &str, text: &str) -> Option<Problem> {
        let wrong = |message: String| Problem::new(Code::WRONG_VALUE, message);
        match kind {
            Kind::Sound | Kind::Sounds | Kind::SoundsOrFunction => self.outside.sound(text),
            Kind::Targets => self.outside.target(text),
            Kind::Mailbox => self.outside.mailbox(text),
            Kind::Language => self.outside.language(text),
            Kind::Dialled | Kind::Choice => self.dialled(text),
            Kind::Module => (self.module)(text),
            Kind::Patterns => {
                Pattern::parse(text).err().map(|problem| wrong(format!("\"{text}\": {problem}")))
            }
            Kind::Pattern => Pattern::parse(text)
                .err()
                .map(|problem| wrong(format!("pattern \"{text}\": {problem}"))),
            Kind::Hours => Hours::parse(text).err().map(wrong),
            Kind::Redirects => (!is_redirect(text)).then(|| {
                wrong(format!("\"{text}\" is not a URI; expected sip:..., sips:... or tel:..."))
            }),
            Kind::Word(words) if !words.contains(&text) => {
                let near = nearest(text, words.iter().copied());
                let message = format!("\"{text}\" is not known here");
                Some(match near {
                    Some(near) => {
                        let message = format!("{message}; did you mean \"{near}\"?");
                        Problem::new(Code::UNKNOWN_WORD, message)
                    }
                    None => Problem::new(Code::UNKNOWN_WORD, message)
                        .help(format!("{name} is {}", expected(kind))),
                })
            }
            Kind::Key { .. } => {
                let mut keys = text.chars();
                let key = (keys.next(), keys.next());
                let known = matches!(key, (Some(key), None)
                    if key.is_ascii_digit() || "*#ABCD".contains(key));
                (!known).then(|| wrong(format!("{name}: expected {}", expected(kind))))
            }
            Kind::Speech => self.outside.speech(text),
            Kind::Text | Kind::Name | Kind::Spoken if self.is_verb() => {
                text_problem(name, text.as_bytes()).map(wrong)
            }
            Kind::Word(_)
            | Kind::Flag { .. }
            | Kind::Text
            | Kind::Name
            | Kind::Spoken
            | Kind::Seconds { .. }
            | Kind::Whole { .. }
            | Kind::Number { .. }
            | Kind::Headers
            | Kind::Identity
            | Kind::Function
            | Kind::SecondsOrFunction
            | Kind::Anything
            | Kind::Table => None,
        }
    }

    fn dialled(&self, text: &str) -> Option<Problem> {
        let problem = (self.routed)(text)?.err()?;
        Some(Problem::new(Code::NO_ROUTE, problem))
    }

    fn number(&self, kind: &Kind, name: &str, number: Number) -> Option<Problem> {
        let (value, whole) = match number {
            Number::Whole(whole) => (whole as f64, Some(whole)),
            Number::Real(real) => (real, (real.fract() == 0.0).then_some(real as i64)),
        };
        let wrong = |message: String| Some(Problem::new(Code::WRONG_VALUE, message));
        match *kind {
            Kind::Seconds { min, max, .. } if !(min..=max).contains(&value) => {
                wrong(format!("{name} must be {min} to {max} seconds, not {value}"))
            }
            Kind::Number { min, max, .. } if !(min..=max).contains(&value) => {
                wrong(format!("{name} must be {min} to {max}, not {value}"))
            }
            Kind::Whole { .. } if whole.is_none() => {
                wrong(format!("{name}: expected {}, got {value}", expected(kind)))
            }
            Kind::Whole { min, max, .. } if !whole.is_some_and(|n| (min..=max).contains(&n)) => {
                wrong(format!("{name} must be {min} to {max}, not {value}"))
            }
            Kind::Key { .. } if !whole.is_some_and(|n| (0..=9).contains(&n)) => {
                wrong(format!("{name}: expected {}", expected(kind)))
            }
            Kind::Mailbox
            | Kind::Dialled
            | Kind::Choice
            | Kind::Pattern
            | Kind::Patterns
            | Kind::Sounds
            | Kind::SoundsOrFunction => whole.and_then(|n| self.text(kind, name, &n.to_string())),
            Kind::Seconds { .. }
            | Kind::Number { .. }
            | Kind::Whole { .. }
            | Kind::Key { .. }
            | Kind::Flag { .. }
            | Kind::Text
            | Kind::Name
            | Kind::Language
            | Kind::Sound
            | Kind::Word(_)
            | Kind::Targets
            | Kind::Redirects
            | Kind::Headers
            | Kind::Identity
            | Kind::Function
            | Kind::SecondsOrFunction
            | Kind::Spoken
            | Kind::Speech
            | Kind::Anything
            | Kind::Table
            | Kind::Hours
            | Kind::Module => None,
        }
    }

    /// The entries of a table, for kinds that look into it.
    fn table(
        &mut self,
        kind: &Kind,
        name: &str,
        possible: &Possible<'t>,
        table: Constructed<'t>,
        depth: u32,
    ) {
        let list = matches!(
            kind,
            Kind::Targets
                | Kind::Redirects
                | Kind::Sounds
                | Kind::SoundsOrFunction
                | Kind::Patterns
        );
        if list && table.fields.is_empty() && table.holder.is_none() {
            let problem = Problem::new(Code::WRONG_VALUE, format!("{name} is an empty list"));
            self.tell(possible, problem);
            return;
        }
        match kind {
            Kind::Targets => self.list_or_keys(kind, table, TARGET_KEYS, "to", depth),
            Kind::Redirects => self.list_or_keys(kind, table, REDIRECT_KEYS, "uri", depth),
            Kind::Identity => self.keys(table, IDENTITY_KEYS),
            Kind::Headers => self.headers(table),
            Kind::Sounds | Kind::SoundsOrFunction => self.sounds(name, table, depth),
            Kind::Patterns => self.entries(kind, name, table, depth),
            Kind::Flag { .. }
            | Kind::Text
            | Kind::Name
            | Kind::Mailbox
            | Kind::Dialled
            | Kind::Choice
            | Kind::Language
            | Kind::Seconds { .. }
            | Kind::Whole { .. }
            | Kind::Number { .. }
            | Kind::Sound
            | Kind::Word(_)
            | Kind::Key { .. }
            | Kind::Function
            | Kind::SecondsOrFunction
            | Kind::Spoken
            | Kind::Speech
            | Kind::Anything
            | Kind::Table
            | Kind::Pattern
            | Kind::Hours
            | Kind::Module => {}
        }
    }

    /// One text to be spoken, or a list whose entries are sounds or such texts.
    fn sounds(&mut self, name: &str, table: Constructed<'t>, depth: u32) {
        let speaks = |table: Constructed<'t>| {
            let named = |field: &Field<'t>| matches!(field.key, FieldKey::Name(_));
            table.fields.iter().any(named) && table.holder.is_none()
        };
        if speaks(table) {
            return self.spoken(table, depth);
        }
        for field in table.fields {
            let (texts, sounds): (Vec<_>, Vec<_>) = self.field(table, field).into_iter().partition(
                |possible| matches!(possible.value, Value::Table(inner) if speaks(inner)),
            );
            for text in &texts {
                if let Value::Table(inner) = text.value {
                    self.spoken(inner, depth + 1);
                }
            }
            if !sounds.is_empty() {
                self.one_of(&Kind::Sound, name, &sounds, depth + 1);
            }
        }
    }

    /// `{ speak = "...", lang = "de" }`.
    fn spoken(&mut self, table: Constructed<'t>, depth: u32) {
        self.keys(table, SPEECH_KEYS);
        for field in table.fields {
            let FieldKey::Name(key) = &field.key else { continue };
            let kind = match key.text {
                "speak" => Kind::Speech,
                "lang" | "voice" => Kind::Text,
                _ => continue,
            };
            let possibles = self.field(table, field);
            self.one_of(&kind, key.text, &possibles, depth + 1);
            if kind == Kind::Speech {
                self.synthesiser(&possibles);
            }
        }
    }

    fn field(&self, table: Constructed<'t>, field: &'t Field<'t>) -> Vec<Possible<'t>> {
        self.values.of(table.file, &field.value)
    }

    fn entries(&mut self, kind: &Kind, name: &str, table: Constructed<'t>, depth: u32) {
        for field in table.fields {
            let possibles = self.field(table, field);
            self.one_of(kind, name, &possibles, depth + 1);
        }
    }

    /// A list, or a table that describes one thing, whose `main` key is of the same kind.
    fn list_or_keys(
        &mut self,
        kind: &Kind,
        table: Constructed<'t>,
        keys: &[&'static str],
        main: &'static str,
        depth: u32,
    ) {
        let named = table.fields.iter().any(|field| matches!(field.key, FieldKey::Name(_)));
        if !named {
            self.entries(kind, main, table, depth);
            return;
        }
        self.keys(table, keys);
        for field in table.fields {
            if matches!(&field.key, FieldKey::Name(name) if name.text == main) {
                let possibles = self.field(table, field);
                self.one_of(kind, main, &possibles, depth + 1);
            }
        }
    }

    fn keys(&mut self, table: Constructed<'t>, known: &[&'static str]) {
        for field in table.fields {
            let FieldKey::Name(key) = &field.key else { continue };
            if known.contains(&key.text) {
                continue;
            }
            let message = match nearest(key.text, known.iter().copied()) {
                Some(near) => format!("no key \"{}\"; did you mean \"{near}\"?", key.text),
                None => format!("no key \"{}\"; there are {}", key.text, known.join(", ")),
            };
            let problem = Problem::new(Code::UNKNOWN_OPTION, message);
            self.found.push((table.file, key.span, problem));
        }
    }

    fn headers(&mut self, table: Constructed<'t>) {
        for field in table.fields {
            let (name, span) = match &field.key {
                FieldKey::Name(name) => (name.text, name.span),
                FieldKey::Index(key) => match &key.kind {
                    crate::syntax::ExpressionKind::Text(Some(text)) => (&**text, key.span),
                    _ => continue,
                },
                FieldKey::Position => continue,
            };
            if let Some(problem) = header_problem(name) {
                let problem = Problem::new(Code::WRONG_VALUE, problem);
                self.found.push((table.file, span, problem));
            }
        }
    }
}
