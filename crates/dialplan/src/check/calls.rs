//! What is called, and with what: every place where a script reaches into a value or calls it.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not looked at is passed over alike"
)]

use super::Report;
use super::code::{Code, Severity};
use super::facts::{Access, Entry, Expressed, FileId};
use super::habits;
use super::kinds::Judge;
use super::outside::{Outside, Problem};
use super::values::{Constructed, Possible, Sort, Value, Values, called_library};
use crate::options::{expected, unknown_option};
use crate::syntax::{Arguments, Expression, ExpressionKind, FieldKey, Name, Number, Span, Suffix};
use crate::verbs::{Kind, LUA_LIBRARIES, LibrarySpec, OptionsAt, VerbSpec, nearest};

/// What calls are judged against.
pub(super) struct Calls<'j, 'a, 't> {
    pub(super) values: &'j Values<'a, 't>,
    pub(super) outside: Outside<'a>,
    /// Whether some route matches a number; `None` when the routes are not all known.
    pub(super) routed: &'j dyn Fn(&str) -> Option<Result<(), String>>,
    /// Whether there is a script of that name.
    pub(super) module: &'j dyn Fn(&str) -> Option<Problem>,
}

impl<'t> Calls<'_, '_, 't> {
    /// Judges one place where something is reached or called.
    pub(super) fn check(&self, access: &Access<'t>, report: &mut Report) {
        let mut values = self.values.of_base(access);
        let last = access.suffixes.len().saturating_sub(1);
        for (index, suffix) in access.suffixes.iter().enumerate() {
            let [Possible { value, .. }] = values.as_slice() else { return };
            let next = access.suffixes.get(index + 1);
            match suffix {
                Suffix::Field(name) if access.assigned && index == last => {
                    self.assignment(access.file, value, name, report);
                }
                Suffix::Field(name) => self.field(access.file, value, name, next, report),
                Suffix::Method(name, given) => {
                    self.method(access.file, value, name, given, report);
                }
                Suffix::Call(given) => {
                    self.called(access, index, value, given, report);
                }
                Suffix::Index(key) => self.index(access, value, key, report),
            }
            values = self.values.after(access.file, &values, suffix);
        }
    }

    /// `value.name`, perhaps called next.
    fn field(
        &self,
        file: FileId,
        value: &Value<'t>,
        name: &Name<'t>,
        next: Option<&'t Suffix<'t>>,
        report: &mut Report,
    ) {
        let called = matches!(next, Some(Suffix::Call(_)));
        match value {
            Value::Library(library) if !has(library, name.text) => {
                let names = members(library);
                self.no_member(file, library.library.word(), names, name, called, report);
            }
            Value::LuaLibrary(word, items) if !items.contains(&name.text) => {
                self.no_member(file, word, items.to_vec(), name, called, report);
            }
            Value::Typed(ty) => match (self.values.table.methods(ty), self.values.table.fields(ty))
            {
                (Some(library), _) if !has(library, name.text) => {
                    let word = library.library.word();
                    let near = nearest(name.text, members(library));
                    let problem = format!("{word} has no \"{}\"", name.text);
                    let told = report.tell(file, name.span, Code::UNKNOWN_FIELD, problem);
                    told.severity = Severity::Error;
                    told.help = near.map(|near| format!("did you mean {word}.{near}?"));
                }
                (None, Some(fields)) if !fields.iter().any(|field| field.name == name.text) => {
                    let names: Vec<_> = fields.iter().map(|field| field.name).collect();
                    let near = nearest(name.text, names.iter().copied());
                    let help = match near {
                        Some(near) => format!("did you mean .{near}?"),
                        None => format!("there are {}", names.join(", ")),
                    };
                    let problem = format!("there is never a .{} here", name.text);
                    report.tell(file, name.span, Code::UNKNOWN_FIELD, problem).help = Some(help);
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// `list[0]`
    fn index(
        &self,
        access: &Access<'t>,
        value: &Value<'t>,
        key: &Expression<'t>,
        report: &mut Report,
    ) {
        let Value::Table(table) = value else { return };
        let zero = matches!(key.kind, ExpressionKind::Number(Number::Whole(0)));
        let list = table.fields.iter().all(|field| matches!(field.key, FieldKey::Position));
        if zero && list && !access.assigned && self.values.is_as_written(*table) {
            let problem = "there is nothing at 0 in a list".to_owned();
            let told = report.tell(access.file, key.span, Code::UNKNOWN_FIELD, problem);
            told.help = Some("the first of a list is at 1".into());
        }
    }

    fn no_member(
        &self,
        file: FileId,
        word: &str,
        names: Vec<&str>,
        name: &Name<'_>,
        called: bool,
        report: &mut Report,
    ) {
        let near = nearest(name.text, names);
        let (code, problem) = if called {
            (Code::UNKNOWN_FUNCTION, format!("there is no function {word}.{}", name.text))
        } else {
            (Code::UNKNOWN_FIELD, format!("there is no {word}.{}", name.text))
        };
        let told = report.tell(file, name.span, code, problem);
        told.help = near.map(|near| format!("did you mean {word}.{near}?"));
    }

    /// `value.name = ...`
    fn assignment(&self, file: FileId, value: &Value<'t>, name: &Name<'t>, report: &mut Report) {
        let (word, help) = match value {
            Value::Library(library) => (library.library.word(), None),
            Value::LuaLibrary(word, _) => (*word, None),
            Value::Typed(ty) if self.values.is_call(value) => {
                let library = self.values.table.methods(ty).map(|library| library.library);
                let word = library.map_or("call", crate::verbs::Library::word);
                (word, Some(format!("values of your own go into {word}.vars")))
            }
            _ => return,
        };
        let problem = format!("{word}.{} cannot be set", name.text);
        report.tell(file, name.span, Code::READ_ONLY, problem).help = help;
    }

    /// `value:name(...)`
    fn method(
        &self,
        file: FileId,
        value: &Value<'t>,
        name: &Name<'t>,
        given: &'t Arguments<'t>,
        report: &mut Report,
    ) {
        match value {
            Value::Typed(ty) if self.values.table.methods(ty).is_some() => {
                if let Some(library) = self.values.table.methods(ty) {
                    self.object_method(file, library, name, given, report);
                }
            }
            Value::Library(library) if has(library, name.text) => {
                self.dotted(file, library.library.word(), name, report);
            }
            Value::LuaLibrary(word, items) if items.contains(&name.text) => {
                self.dotted(file, word, name, report);
            }
            Value::Library(library) => {
                let names = members(library);
                self.no_member(file, library.library.word(), names, name, true, report);
            }
            Value::LuaLibrary(word, items) => {
                self.no_member(file, word, items.to_vec(), name, true, report);
            }
            _ if value.sort() == Some(Sort::Text) => {
                let strings = LUA_LIBRARIES.iter().find(|(word, _)| *word == "string");
                let Some((_, items)) = strings else { return };
                if !items.contains(&name.text) {
                    let near = nearest(name.text, items.iter().copied());
                    let problem = format!("a string has no function {}", name.text);
                    let told = report.tell(file, name.span, Code::UNKNOWN_FUNCTION, problem);
                    told.help = near.map(|near| format!("did you mean :{near}?"));
                }
            }
            _ => {}
        }
    }

    fn dotted(&self, file: FileId, word: &str, name: &Name<'_>, report: &mut Report) {
        let problem = format!("{word}.{} is called with a dot, not a colon", name.text);
        let told = report.tell(file, name.span, Code::COLON, problem);
        told.help = Some(format!("write {word}.{}(...)", name.text));
    }

    fn object_method(
        &self,
        file: FileId,
        library: &'static LibrarySpec,
        name: &Name<'t>,
        given: &'t Arguments<'t>,
        report: &mut Report,
    ) {
        let word = library.library.word();
        if let Some(spec) = library.functions.iter().find(|spec| spec.name == name.text) {
            self.arguments(file, spec, name.span, &given.values, given.span, report);
            return;
        }
        if library.fields.iter().any(|field| field.name == name.text) {
            let problem = format!("{word}.{} is a value, not a verb", name.text);
            let told = report.tell(file, name.span, Code::UNKNOWN_VERB, problem);
            told.help = Some(format!("write {word}.{}", name.text));
            return;
        }
        let near = nearest(name.text, library.functions.iter().map(|spec| spec.name));
        let problem = format!("there is no verb {word}:{}", name.text);
        let told = report.tell(file, name.span, Code::UNKNOWN_VERB, problem);
        let habit = habits::verb(name.text).map(|ours| format!("write {ours}"));
        told.help = habit.or(near.map(|near| format!("did you mean {word}:{near}?")));
    }

    /// `value(...)`
    fn called(
        &self,
        access: &Access<'t>,
        index: usize,
        value: &Value<'t>,
        given: &'t Arguments<'t>,
        report: &mut Report,
    ) {
        let file = access.file;
        let before = index.checked_sub(1).and_then(|index| access.suffixes.get(index));
        let at = match before {
            Some(Suffix::Field(name)) => name.span,
            _ => access.base.span,
        };
        let spec = match value {
            Value::Native(spec) => spec,
            Value::Library(library) => match called_library(library) {
                Some(spec) => spec,
                None => {
                    let word = library.library.word();
                    let problem = format!("{word} is a library, not a function");
                    let help =
                        library.functions.first().map(|f| format!("for example {}", f.full_name()));
                    report.tell(file, at, Code::UNKNOWN_FUNCTION, problem).help = help;
                    return;
                }
            },
            _ => return,
        };
        if spec.library.separator() != ":" {
            self.arguments(file, spec, at, &given.values, given.span, report);
            return;
        }
        // A method called with a dot wants its object first.
        let word = spec.library.word();
        let object = given.values.first().map(|first| self.values.of(file, first));
        let is_object = |possible: &Possible<'_>| match &possible.value {
            Value::Typed(ty) => self.values.table.methods(ty).is_some(),
            Value::Anything => true,
            _ => false,
        };
        match object {
            Some(values) if values.iter().any(is_object) => {
                let rest = given.values.get(1..).unwrap_or_default();
                self.arguments(file, spec, at, rest, given.span, report);
            }
            Some(_) | None => {
                let problem = format!("{word}:{} is called with a colon, not a dot", spec.name);
                let told = report.tell(file, at, Code::COLON, problem);
                told.help = Some(format!("write {word}:{}(...)", spec.name));
            }
        }
    }

    // Arguments ---------------------------------------------------------------------------------

    fn judge(&self, spec: &'static VerbSpec) -> Judge<'_, '_, 't> {
        Judge {
            values: self.values,
            outside: self.outside,
            routed: self.routed,
            module: self.module,
            spec,
            found: Vec::new(),
        }
    }

    /// Holds what is given against what the function takes; `at` is its name, `brackets` what is
    /// given.
    fn arguments(
        &self,
        file: FileId,
        spec: &'static VerbSpec,
        at: Span,
        given: &'t [Expression<'t>],
        brackets: Span,
        report: &mut Report,
    ) {
        // The last one may be any number of values.
        let open = given.last().is_some_and(|last| match &last.kind {
            ExpressionKind::Variadic => true,
            ExpressionKind::Suffixed { suffixes, .. } => {
                matches!(suffixes.last(), Some(Suffix::Call(_) | Suffix::Method(..)))
            }
            _ => false,
        });
        let mut judge = self.judge(spec);
        let mut rest = given.iter();
        let early = spec.options_at == OptionsAt::BeforeLast && given.len() > spec.arguments.len();
        for (index, argument) in spec.arguments.iter().enumerate() {
            if argument.name == "..." {
                self.tell(spec, judge.found, report);
                return;
            }
            if early && index + 1 == spec.arguments.len() {
                self.options(file, spec, rest.next(), &mut judge, report);
            }
            let possibles = rest.clone().next().map(|one| self.values.of(file, one));
            let Some(possibles) = possibles else {
                if argument.required && !open {
                    let problem = missing(spec, argument.name, &argument.kind);
                    report.tell(file, at, Code::MISSING_ARGUMENT, problem);
                }
                continue;
            };
            if !argument.required && skips(spec, &argument.kind, &possibles) {
                continue;
            }
            rest.next();
            if let [Possible { value: Value::Nil, span, .. }] = possibles.as_slice()
                && argument.kind != Kind::Anything
            {
                if argument.required {
                    let problem = missing(spec, argument.name, &argument.kind);
                    report.tell(file, *span, Code::MISSING_ARGUMENT, problem);
                }
                continue;
            }
            judge.option(argument, &possibles);
        }
        if spec.options_at == OptionsAt::Last && (!spec.options.is_empty() || spec.open.is_some()) {
            let options = rest.next();
            if options.is_none() && !open {
                self.required_options(file, spec, None, at, report);
            }
            self.options(file, spec, options, &mut judge, report);
        }
        self.tell(spec, judge.found, report);
        if let Some(extra) = rest.next() {
            let span = extra.span.to(given.last().map_or(brackets, |last| last.span));
            let problem = format!("{}: too many arguments", spec.full_name());
            let told = report.tell(file, span, Code::TOO_MANY_ARGUMENTS, problem);
            told.help = Some(takes(spec));
        }
    }

    fn tell(&self, spec: &VerbSpec, found: Vec<super::kinds::Found>, report: &mut Report) {
        for (file, span, problem) in found {
            let message = format!("{}: {}", spec.full_name(), problem.message);
            report.tell(file, span, problem.code, message).help = problem.help;
        }
    }

    /// The table of options, if it is one.
    fn options<'j>(
        &'j self,
        file: FileId,
        spec: &'static VerbSpec,
        given: Option<&'t Expression<'t>>,
        judge: &mut Judge<'j, '_, 't>,
        report: &mut Report,
    ) {
        let Some(given) = given else { return };
        let possibles = self.values.of(file, given);
        let wrong = possibles.iter().all(|possible| {
            possible.value.sort().is_some_and(|sort| !matches!(sort, Sort::Table | Sort::Nil))
        });
        if let (true, Some(first)) = (wrong, possibles.first()) {
            let got = first.value.sort().map_or("something else", Sort::words);
            let problem = format!("{}: expected a table of options, got {got}", spec.full_name());
            report.tell(file, given.span, Code::WRONG_TYPE, problem);
            return;
        }
        for possible in &possibles {
            if let Value::Table(table) = &possible.value {
                self.option_table(spec, *table, given.span, judge, report);
                if table.holder.is_none() {
                    self.required_options(file, spec, Some(*table), given.span, report);
                }
            }
        }
    }

    fn option_table<'j>(
        &'j self,
        spec: &'static VerbSpec,
        table: Constructed<'t>,
        at: Span,
        judge: &mut Judge<'j, '_, 't>,
        report: &mut Report,
    ) {
        for field in table.fields {
            let key = match &field.key {
                FieldKey::Name(name) => Some((name.text.to_owned(), name.span)),
                FieldKey::Index(index) => written_key(index),
                FieldKey::Position if spec.open.is_some() => None,
                FieldKey::Position => {
                    let problem =
                        format!("{}: options have names, but this one has none", spec.full_name());
                    report.tell(table.file, field.value.span, Code::UNKNOWN_OPTION, problem);
                    None
                }
            };
            let Some((key, span)) = key else { continue };
            self.option(spec, table.file, (&key, span), &field.value, judge, report);
        }
        for Entry { key, value, .. } in self.added(table, at) {
            self.option(spec, table.file, (key.text, key.span), value, judge, report);
        }
    }

    /// What is assigned in a local table before it is used at a place, once and for good.
    fn added(&self, table: Constructed<'t>, at: Span) -> impl Iterator<Item = &Entry<'t>> {
        let facts = self.values.facts;
        let holder = table.holder.and_then(|id| Some((facts.bindings.get(id)?, id)));
        let entries = holder.and_then(|(_, id)| facts.entries.get(&id)).map(Vec::as_slice);
        let entries = entries.unwrap_or_default();
        entries.iter().filter(move |entry| {
            let of_key = |other: &&Entry<'_>| other.key.text == entry.key.text;
            let alone = entries.iter().filter(of_key).count() == 1;
            let own = holder.is_some_and(|(binding, _)| binding.function == entry.function);
            let there = !matches!(entry.value.kind, ExpressionKind::Nil);
            own && alone && there && entry.key.span.start < at.start
        })
    }

    /// One option and its value.
    fn option<'j>(
        &'j self,
        spec: &'static VerbSpec,
        file: FileId,
        (key, span): (&str, Span),
        value: &'t Expression<'t>,
        judge: &mut Judge<'j, '_, 't>,
        report: &mut Report,
    ) {
        let possibles = self.values.of(file, value);
        let is_nil = matches!(possibles.as_slice(), [Possible { value: Value::Nil, .. }]);
        if let Some(option) = spec.options.iter().find(|option| option.name == key) {
            if !is_nil {
                judge.option(option, &possibles);
            }
            return;
        }
        match spec.open {
            Some(open) if open.kind == Kind::Choice => match crate::asking::choice_key(spec, key) {
                Ok(_) => judge.option(&open, &possibles),
                Err(problem) => {
                    let problem = format!("{}: {problem}", spec.full_name());
                    report.tell(file, span, Code::UNKNOWN_OPTION, problem);
                }
            },
            Some(open) => judge.option(&open, &possibles),
            None => {
                let problem = unknown_option(spec, key);
                let problem = format!("{}: {problem}", spec.full_name());
                report.tell(file, span, Code::UNKNOWN_OPTION, problem);
            }
        }
    }

    fn required_options(
        &self,
        file: FileId,
        spec: &VerbSpec,
        table: Option<Constructed<'t>>,
        at: Span,
        report: &mut Report,
    ) {
        for option in spec.options.iter().filter(|option| option.required) {
            let fields = table.map(|table| table.fields).unwrap_or_default();
            let given = fields.iter().any(|field| match &field.key {
                FieldKey::Name(name) => name.text == option.name,
                FieldKey::Index(_) => true,
                FieldKey::Position => false,
            });
            if !given {
                let problem = missing(spec, option.name, &option.kind);
                report.tell(file, at, Code::MISSING_ARGUMENT, problem);
            }
        }
    }

    // Expressions -------------------------------------------------------------------------------

    /// A table that is given two values under one key.
    pub(super) fn table(&self, expressed: &Expressed<'t>, report: &mut Report) {
        let ExpressionKind::Table(fields) = &expressed.expression.kind else { return };
        let mut known = std::collections::BTreeSet::new();
        for field in fields {
            let (key, span) = match &field.key {
                FieldKey::Name(name) => (format!("\"{}\"", name.text), name.span),
                FieldKey::Index(index) => match &index.kind {
                    ExpressionKind::Text(Some(text)) => (format!("\"{text}\""), index.span),
                    ExpressionKind::Number(Number::Whole(number)) => {
                        (number.to_string(), index.span)
                    }
                    _ => continue,
                },
                FieldKey::Position => continue,
            };
            if known.contains(&key) {
                let problem = format!("the key {key} was given a value above already");
                let told = report.tell(expressed.file, span, Code::DOUBLE_KEY, problem);
                told.help = Some("only this one counts; delete one of them".into());
            }
            known.insert(key);
        }
    }
}

/// Whether a library has a function or value of that name.
fn has(library: &LibrarySpec, name: &str) -> bool {
    members(library).contains(&name)
}

fn members(library: &LibrarySpec) -> Vec<&'static str> {
    let functions = library.functions.iter().map(|spec| spec.name);
    functions.chain(library.fields.iter().map(|field| field.name)).collect()
}

fn missing(spec: &VerbSpec, name: &str, kind: &Kind) -> String {
    format!("{}: {name} is missing; expected {}", spec.full_name(), expected(kind))
}

/// Whether an argument that may be left out was, and this is the table of options behind it.
fn skips(spec: &VerbSpec, kind: &Kind, possibles: &[Possible<'_>]) -> bool {
    let options = !spec.options.is_empty() || spec.open.is_some();
    let table = |possible: &Possible<'_>| possible.value.sort() == Some(Sort::Table);
    options && !matches!(kind, Kind::Anything | Kind::Table) && possibles.iter().all(table)
}

/// What a function takes, as it is written.
fn takes(spec: &VerbSpec) -> String {
    let options = !spec.options.is_empty() || spec.open.is_some();
    let mut names: Vec<&str> = spec.arguments.iter().map(|argument| argument.name).collect();
    if options {
        let before_last = spec.options_at == OptionsAt::BeforeLast;
        let at = names.len().saturating_sub(usize::from(before_last));
        names.insert(at, "{ options }");
    }
    format!("write {}({})", spec.full_name(), names.join(", "))
}

/// The key of `["key"] =` and `[1] =`.
fn written_key(index: &Expression<'_>) -> Option<(String, Span)> {
    match &index.kind {
        ExpressionKind::Text(Some(text)) => Some((text.to_string(), index.span)),
        ExpressionKind::Number(Number::Whole(number)) => Some((number.to_string(), index.span)),
        _ => None,
    }
}
