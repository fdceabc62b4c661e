//! What an expression can be, as far as the text tells without running it.
//!
//! Followed are values written out, locals as far as it can be told what they are given
//! ([`super::reaching`]), strings put together of such, both sides of `and` and `or`, what functions of the table give back, and modules. All
//! else can be anything, and is left to the running script.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not looked at is passed over alike"
)]

mod parameters;

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;

use super::facts::{Access, BindingId, BindingKind, Facts, FileId, FunctionId, Role};
use super::reaching::{Given, Reach};
use super::types::{self, Table};
use crate::syntax::{
    Arguments, BinaryOperator, Expression, ExpressionKind, Field, FieldKey, Name, Number, Span,
    StatementKind, Suffix, UnaryOperator,
};
use crate::verbs::{
    GLOBAL, Kind, LUA_GLOBALS, LUA_LIBRARIES, Library, LibrarySpec, Returns, VerbSpec,
};

/// Values that one expression may have and still be followed.
const VALUES_MAX: usize = 16;
/// Expressions that are looked at to know one.
const STEPS_MAX: u32 = 200;
/// Longest string that is put together.
const TEXT_MAX: usize = 1_024;
/// Rounds in which types of parameters are passed on from call to call.
const ROUNDS_MAX: usize = 6;

/// One thing that an expression can be.
#[derive(Debug, Clone)]
pub(super) enum Value<'t> {
    Anything,
    /// Nil or false, which of them is not known.
    Falsy,
    Nil,
    Boolean(Option<bool>),
    Number(Option<Number>),
    Text(Option<Cow<'t, str>>),
    Table(Constructed<'t>),
    Function(FunctionId),
    /// A function of the table.
    Native(&'static VerbSpec),
    /// A function or value of Lua's own.
    Lua(&'static str),
    Library(&'static LibrarySpec),
    LuaLibrary(&'static str, &'static [&'static str]),
    /// What the function table gives a type for.
    Typed(&'static str),
}

/// A table as written out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Constructed<'t> {
    pub(super) file: FileId,
    pub(super) fields: &'t [Field<'t>],
    /// The local that holds it for good.
    pub(super) holder: Option<BindingId>,
}

/// A value and where it is written.
#[derive(Debug, Clone)]
pub(super) struct Possible<'t> {
    pub(super) value: Value<'t>,
    pub(super) file: FileId,
    pub(super) span: Span,
    /// Whether it is that at times without any doubt, whatever else it may be at others.
    pub(super) surely: bool,
}

/// All that an expression can be; never empty.
pub(super) type Possibles<'t> = Vec<Possible<'t>>;

/// What sort of value it is, if that is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Nil,
    Boolean,
    Number,
    Text,
    Table,
    Function,
}

/// Follows values through the texts.
#[derive(Debug)]
pub(super) struct Values<'a, 't> {
    pub(super) facts: &'a Facts<'t>,
    pub(super) table: &'a Table,
    /// Types of parameters, as far as calls tell them; `None` where they disagree.
    parameters: BTreeMap<BindingId, Option<&'static str>>,
    call_type: Option<&'static str>,
    steps: Cell<u32>,
}

impl<'a, 't> Values<'a, 't> {
    /// Learns what functions are called with.
    pub(super) fn new(facts: &'a Facts<'t>, table: &'a Table) -> Self {
        let call_type = table.call_type();
        let (parameters, steps) = (BTreeMap::new(), Cell::new(0));
        let mut values = Self { facts, table, parameters, call_type, steps };
        for _ in 0..ROUNDS_MAX {
            let known = values.parameters.len();
            for access in &facts.accesses {
                values.learn(access);
            }
            if values.parameters.len() == known {
                break;
            }
        }
        values
    }

    /// All that an expression can be.
    pub(super) fn of(&self, file: FileId, expression: &'t Expression<'t>) -> Possibles<'t> {
        self.steps.set(0);
        self.evaluate(file, expression)
    }

    /// What a local can be.
    pub(super) fn of_binding(&self, id: BindingId) -> Possibles<'t> {
        self.steps.set(0);
        self.binding(id, Span::default())
    }

    /// All that a base is, before what follows it is looked at.
    pub(super) fn of_base(&self, access: &Access<'t>) -> Possibles<'t> {
        self.of(access.file, access.base)
    }

    /// What comes of `values` with one more suffix.
    pub(super) fn after(
        &self,
        file: FileId,
        values: &[Possible<'t>],
        suffix: &'t Suffix<'t>,
    ) -> Possibles<'t> {
        self.steps.set(0);
        self.step(file, values, suffix)
    }

    /// Whether a parameter or local is the value that a route is given.
    pub(super) fn is_call(&self, value: &Value<'_>) -> bool {
        matches!(value, Value::Typed(ty) if self.call_type == Some(types::certain(ty)))
    }

    /// Whether a table holds what it was written with and nothing else.
    pub(super) fn is_as_written(&self, table: Constructed<'_>) -> bool {
        let binding = table.holder.and_then(|holder| self.facts.bindings.get(holder));
        binding.is_none_or(|binding| !binding.escapes && !binding.filled)
    }

    // Expressions -------------------------------------------------------------------------------

    fn evaluate(&self, file: FileId, expression: &'t Expression<'t>) -> Possibles<'t> {
        let span = expression.span;
        let one = |value| vec![Possible::new(value, file, span)];
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > STEPS_MAX {
            return one(Value::Anything);
        }
        match &expression.kind {
            ExpressionKind::Nil => one(Value::Nil),
            ExpressionKind::Boolean(flag) => one(Value::Boolean(Some(*flag))),
            ExpressionKind::Number(number) => one(Value::Number(Some(*number))),
            ExpressionKind::Text(text) => one(Value::Text(text.clone())),
            ExpressionKind::Variadic => one(Value::Anything),
            ExpressionKind::Function(node) => {
                let function = self.facts.function_of(file, node);
                one(function.map_or(Value::Anything, Value::Function))
            }
            ExpressionKind::Table(fields) => {
                one(Value::Table(Constructed { file, fields, holder: None }))
            }
            ExpressionKind::Bracketed(inner) => self.evaluate(file, inner),
            ExpressionKind::Name(name) => self.name(file, name),
            ExpressionKind::Unary { operators, operand } => {
                one(self.unary(file, operators, operand))
            }
            ExpressionKind::Binary { first, rest } => self.binary(file, span, first, rest),
            ExpressionKind::Suffixed { base, suffixes } => {
                let mut values = self.evaluate(file, base);
                for suffix in suffixes {
                    values = self.step(file, &values, suffix);
                    if let [Possible { value: Value::Anything, .. }] = values.as_slice() {
                        break;
                    }
                }
                // What is not written out elsewhere stands here.
                let here = |possible: Possible<'t>| match possible.value {
                    Value::Text(Some(_)) | Value::Number(Some(_)) | Value::Boolean(Some(_)) => {
                        possible
                    }
                    value => Possible { value, file, span, surely: possible.surely },
                };
                values.into_iter().map(here).collect()
            }
        }
    }

    fn name(&self, file: FileId, name: &Name<'t>) -> Possibles<'t> {
        match self.facts.binding_of(file, name) {
            Some(binding) => match self.facts.reaching.get(&(file, name.span.start)) {
                Some(reached) => self.reached(file, binding, name.span, reached),
                None => self.binding(binding, name.span),
            },
            None => self.global(file, name),
        }
    }

    /// What a local that is given several values can be at one place.
    fn reached(
        &self,
        file: FileId,
        id: BindingId,
        at: Span,
        reached: &[Reach<'t>],
    ) -> Possibles<'t> {
        let mut values = Vec::new();
        for Reach { given, surely } in reached {
            let known = match given {
                Given::Unknown => vec![Possible::new(Value::Anything, file, at)],
                Given::Nothing => vec![Possible::new(Value::Nil, file, at)],
                Given::Value(value) => self.evaluate(file, value),
            };
            for mut possible in known {
                // What is in a table may be changed while several locals hold it.
                possible.value = match possible.value {
                    Value::Table(_) => Value::Typed("table<string, any>"),
                    Value::Function(_) => Value::Anything,
                    value => value,
                };
                possible.surely = *surely && reached.len() > 1;
                values.push(possible);
            }
        }
        if values.is_empty() { self.binding(id, at) } else { bounded(values) }
    }

    fn binding(&self, id: BindingId, at: Span) -> Possibles<'t> {
        let Some(binding) = self.facts.bindings.get(id) else { return Vec::new() };
        let one = |value| vec![Possible::new(value, binding.file, at)];
        if binding.writes > 0 {
            return one(Value::Anything);
        }
        match binding.kind {
            BindingKind::Function(function) => one(Value::Function(function)),
            BindingKind::Parameter(_) => {
                let dialplan = self.role(binding.file) == Role::Dialplan;
                let named = dialplan && binding.name == Library::Call.word();
                let named = named.then_some(self.call_type);
                let known = self.parameters.get(&id).copied().or(named).flatten();
                one(known.map_or(Value::Anything, Value::Typed))
            }
            BindingKind::Local => match binding.value {
                Some((value, 0)) => {
                    let mut values = self.evaluate(binding.file, value);
                    for possible in &mut values {
                        if let Value::Table(table) = &mut possible.value {
                            table.holder.get_or_insert(id);
                        }
                    }
                    values
                }
                Some((value, nth)) => one(self.nth(binding.file, value, nth)),
                None => one(Value::Nil),
            },
            BindingKind::Itself | BindingKind::Loop => one(Value::Anything),
        }
    }

    /// One of several values that a call gives.
    fn nth(&self, file: FileId, expression: &'t Expression<'t>, nth: usize) -> Value<'t> {
        let ExpressionKind::Suffixed { base, suffixes } = &expression.kind else {
            return match &expression.kind {
                ExpressionKind::Variadic => Value::Anything,
                _ => Value::Nil,
            };
        };
        let Some((Suffix::Call(_) | Suffix::Method(..), before)) = suffixes.split_last() else {
            return Value::Nil;
        };
        let mut values = self.evaluate(file, base);
        for suffix in before {
            values = self.step(file, &values, suffix);
        }
        if let Some(Suffix::Method(name, _)) = suffixes.last() {
            values = self.reach(file, &values, name.text, name.span);
        }
        match values.as_slice() {
            [Possible { value: Value::Native(spec), .. }] => match spec.returns {
                Returns::Values(all) => match (all.get(nth), all.last()) {
                    (Some(value), _) => Value::Typed(value.ty),
                    // Any number of values may follow.
                    (None, Some(last)) if last.name == "..." => Value::Anything,
                    (None, Some(_) | None) => Value::Nil,
                },
                Returns::Nothing | Returns::Value(_) | Returns::Table(_) => Value::Nil,
            },
            _ => Value::Anything,
        }
    }

    fn global(&self, file: FileId, name: &Name<'t>) -> Possibles<'t> {
        let one = |value| vec![Possible::new(value, file, name.span)];
        let written = self.facts.globals.get(name.text).map(|global| global.writes.as_slice());
        match written.unwrap_or_default() {
            [] => one(self.library(self.role(file), name.text)),
            [place] if self.facts.is_chunk(place.function) => match (place.body, place.value) {
                (Some(function), _) => one(Value::Function(function)),
                (None, Some(value)) => self.evaluate(place.file, value),
                (None, None) => one(Value::Anything),
            },
            _ => one(Value::Anything),
        }
    }

    fn role(&self, file: FileId) -> Role {
        self.facts.files.get(file).map_or(Role::Dialplan, |file| file.role)
    }

    /// What a script finds under a global name.
    fn library(&self, role: Role, name: &str) -> Value<'t> {
        if let Some(spec) = self.table.library(role, name) {
            return Value::Library(spec);
        }
        if let Some(spec) = self.table.function(role, name) {
            return Value::Native(spec);
        }
        if let Some((name, items)) = LUA_LIBRARIES.iter().find(|(known, _)| *known == name) {
            return Value::LuaLibrary(name, items);
        }
        LUA_GLOBALS.iter().find(|known| **known == name).map_or(Value::Anything, |n| Value::Lua(n))
    }

    fn unary(
        &self,
        file: FileId,
        operators: &[UnaryOperator],
        operand: &'t Expression<'t>,
    ) -> Value<'t> {
        match operators {
            [UnaryOperator::Not, ..] => Value::Boolean(None),
            [UnaryOperator::Minus] => match self.evaluate(file, operand).as_slice() {
                [Possible { value: Value::Number(Some(number)), .. }] => {
                    Value::Number(Some(match number {
                        Number::Whole(whole) => Number::Whole(whole.wrapping_neg()),
                        Number::Real(real) => Number::Real(-real),
                    }))
                }
                [Possible { value: Value::Number(None), .. }] => Value::Number(None),
                _ => Value::Anything,
            },
            _ => Value::Anything,
        }
    }

    fn binary(
        &self,
        file: FileId,
        span: Span,
        first: &'t Expression<'t>,
        rest: &'t [(BinaryOperator, Expression<'t>)],
    ) -> Possibles<'t> {
        let one = |value| vec![Possible::new(value, file, span)];
        match rest.first().map(|(operator, _)| *operator) {
            Some(BinaryOperator::And) => {
                let mut values = self.evaluate(file, first);
                for (_, operand) in rest {
                    values = self.and(values, self.evaluate(file, operand));
                }
                values
            }
            Some(BinaryOperator::Or) => {
                let mut values = self.evaluate(file, first);
                for (_, operand) in rest {
                    values = self.or(values, self.evaluate(file, operand));
                }
                values
            }
            Some(BinaryOperator::Concat) => {
                let operands = std::iter::once(first).chain(rest.iter().map(|(_, one)| one));
                let mut whole = String::new();
                for operand in operands {
                    match self.evaluate(file, operand).as_slice() {
                        [Possible { value: Value::Text(Some(text)), .. }]
                            if whole.len() + text.len() <= TEXT_MAX =>
                        {
                            whole.push_str(text);
                        }
                        [
                            Possible {
                                value: Value::Number(Some(Number::Whole(whole_number))),
                                ..
                            },
                        ] if whole.len() <= TEXT_MAX => {
                            whole.push_str(&whole_number.to_string());
                        }
                        _ => return one(Value::Text(None)),
                    }
                }
                one(Value::Text(Some(whole.into())))
            }
            Some(
                BinaryOperator::Less
                | BinaryOperator::Greater
                | BinaryOperator::LessOrEqual
                | BinaryOperator::GreaterOrEqual
                | BinaryOperator::Unequal
                | BinaryOperator::Equal,
            ) => one(Value::Boolean(None)),
            Some(_) | None => one(Value::Anything),
        }
    }

    /// `left and right`: a false left, or right.
    fn and(&self, left: Possibles<'t>, right: Possibles<'t>) -> Possibles<'t> {
        let mut values = Vec::new();
        let mut passes = false;
        for possible in left {
            match truth(&possible.value) {
                Some(false) => values.push(possible),
                Some(true) => passes = true,
                None => {
                    passes = true;
                    values.push(Possible { value: Value::Falsy, ..possible });
                }
            }
        }
        if passes {
            values.extend(right);
        }
        bounded(values)
    }

    /// `left or right`: a true left, or right.
    fn or(&self, left: Possibles<'t>, right: Possibles<'t>) -> Possibles<'t> {
        let mut values = Vec::new();
        let mut passes = false;
        for possible in left {
            match truth(&possible.value) {
                Some(true) => values.push(possible),
                Some(false) => passes = true,
                None => {
                    passes = true;
                    values.push(possible);
                }
            }
        }
        if passes {
            values.extend(right);
        }
        bounded(values)
    }

    // What follows ------------------------------------------------------------------------------

    fn step(&self, file: FileId, values: &[Possible<'t>], suffix: &'t Suffix<'t>) -> Possibles<'t> {
        let anything = |span| vec![Possible::new(Value::Anything, file, span)];
        match suffix {
            Suffix::Field(name) => self.reach(file, values, name.text, name.span),
            Suffix::Index(key) => match &key.kind {
                ExpressionKind::Text(Some(text)) => self.reach(file, values, text, key.span),
                _ => anything(key.span),
            },
            Suffix::Call(arguments) => match values {
                [Possible { value, .. }] => self.result(file, value, arguments),
                _ => anything(arguments.span),
            },
            Suffix::Method(name, arguments) => {
                match self.reach(file, values, name.text, name.span).as_slice() {
                    [Possible { value, .. }] => self.result(file, value, arguments),
                    _ => anything(arguments.span),
                }
            }
        }
    }

    /// What stands under a name in a value.
    pub(super) fn reach(
        &self,
        file: FileId,
        values: &[Possible<'t>],
        key: &str,
        span: Span,
    ) -> Possibles<'t> {
        let one = |value| vec![Possible::new(value, file, span)];
        let [Possible { value, .. }] = values else { return one(Value::Anything) };
        match value {
            Value::Library(spec) => one(member(spec, key)),
            Value::LuaLibrary(_, items) => one(items
                .iter()
                .find(|item| **item == key)
                .map_or(Value::Anything, |n| Value::Lua(n))),
            Value::Typed(ty) => {
                if let Some(library) = self.table.methods(ty) {
                    return one(member(library, key));
                }
                let fields = self.table.fields(ty).unwrap_or_default();
                let field = fields.iter().find(|field| field.name == key);
                one(field.map_or(Value::Anything, |field| Value::Typed(field.ty)))
            }
            Value::Table(table) => self.entry(*table, key).unwrap_or_else(|| one(Value::Anything)),
            _ => one(Value::Anything),
        }
    }

    /// What a table holds under a name for good.
    fn entry(&self, table: Constructed<'t>, key: &str) -> Option<Possibles<'t>> {
        let written = table.fields.iter().find(|field| match &field.key {
            FieldKey::Name(name) => name.text == key,
            FieldKey::Index(index) => {
                matches!(&index.kind, ExpressionKind::Text(Some(text)) if text == key)
            }
            FieldKey::Position => false,
        });
        if let Some(holder) = table.holder {
            let binding = self.facts.bindings.get(holder)?;
            if let Some(functions) = self.facts.fields.get(&(holder, key)) {
                let ([function], None) = (functions.as_slice(), written) else { return None };
                let possible = Possible::new(Value::Function(*function), table.file, binding.span);
                return Some(vec![possible]);
            }
            if binding.escapes || binding.filled || self.facts.assigned.contains(key) {
                return None;
            }
        }
        Some(self.evaluate(table.file, &written?.value))
    }

    /// What a call gives, first of all.
    fn result(&self, file: FileId, callee: &Value<'t>, given: &'t Arguments<'t>) -> Possibles<'t> {
        let one = |value| vec![Possible::new(value, file, given.span)];
        let Value::Native(spec) = callee else { return one(Value::Anything) };
        if let [option, ..] = spec.arguments
            && option.kind == Kind::Module
        {
            let module = given.values.first().and_then(|name| self.module(file, name));
            return module.unwrap_or_else(|| one(Value::Anything));
        }
        one(match spec.returns {
            Returns::Nothing => Value::Nil,
            Returns::Value(value) => Value::Typed(value.ty),
            Returns::Table(class) => Value::Typed(class.name),
            Returns::Values(all) => all.first().map_or(Value::Nil, |value| Value::Typed(value.ty)),
        })
    }

    /// What a file returns.
    fn module(&self, file: FileId, name: &'t Expression<'t>) -> Option<Possibles<'t>> {
        let values = self.evaluate(file, name);
        let [Possible { value: Value::Text(Some(name)), .. }] = values.as_slice() else {
            return None;
        };
        let path = crate::generation::module_path(name);
        let module = self.facts.file(&path)?;
        let chunk = self.facts.functions.get(self.facts.files.get(module)?.chunk)?;
        match chunk.block.statements.last().map(|statement| &statement.kind) {
            Some(StatementKind::Return(values)) => {
                values.first().map(|value| self.evaluate(module, value))
            }
            Some(_) | None => None,
        }
    }
}

impl<'t> Possible<'t> {
    pub(super) fn new(value: Value<'t>, file: FileId, span: Span) -> Self {
        Self { value, file, span, surely: false }
    }
}

impl Value<'_> {
    /// What sort of value it is, if that is certain.
    pub(super) fn sort(&self) -> Option<Sort> {
        Some(match self {
            Value::Anything | Value::Falsy | Value::Lua(_) => return None,
            Value::Nil => Sort::Nil,
            Value::Boolean(_) => Sort::Boolean,
            Value::Number(_) => Sort::Number,
            Value::Text(_) => Sort::Text,
            Value::Table(_) | Value::Library(_) | Value::LuaLibrary(..) => Sort::Table,
            Value::Function(_) | Value::Native(_) => Sort::Function,
            Value::Typed(ty) => match *ty {
                "boolean" => Sort::Boolean,
                "number" | "integer" => Sort::Number,
                "string" => Sort::Text,
                ty if ty.starts_with("table<") => Sort::Table,
                ty if !ty.contains("nil") && !ty.ends_with('?') && types::words(ty).is_some() => {
                    Sort::Text
                }
                _ => return None,
            },
        })
    }
}

impl Sort {
    /// In words, as errors of running scripts say it.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Text => "a string",
            Self::Table => "a table",
            Self::Function => "a function",
        }
    }
}

/// A function or value of a library.
fn member<'t>(library: &'static LibrarySpec, key: &str) -> Value<'t> {
    if let Some(spec) = library.functions.iter().find(|spec| spec.name == key) {
        return Value::Native(spec);
    }
    let field = library.fields.iter().find(|field| field.name == key);
    field.map_or(Value::Anything, |field| Value::Typed(field.ty))
}

/// The function that a library is when it is called itself: `log("...")`.
pub(super) fn called_library(library: &LibrarySpec) -> Option<&'static VerbSpec> {
    GLOBAL.functions.iter().find(|spec| spec.name == library.library.word())
}

/// Whether a value counts as true, if that is certain.
fn truth(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Nil | Value::Falsy | Value::Boolean(Some(false)) => Some(false),
        Value::Anything | Value::Boolean(None) => None,
        Value::Typed(_) => value.sort().filter(|sort| *sort != Sort::Boolean).map(|_| true),
        Value::Boolean(Some(true))
        | Value::Number(_)
        | Value::Text(_)
        | Value::Table(_)
        | Value::Function(_)
        | Value::Native(_)
        | Value::Lua(_)
        | Value::Library(_)
        | Value::LuaLibrary(..) => Some(true),
    }
}

/// Too many values are as good as none.
fn bounded(mut values: Possibles<'_>) -> Possibles<'_> {
    if values.len() > VALUES_MAX {
        values.truncate(1);
        for possible in &mut values {
            possible.value = Value::Anything;
        }
    }
    values
}
