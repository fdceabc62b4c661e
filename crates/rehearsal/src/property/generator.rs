//! What the cases of a property are made of: `gen.digits(1, 6)`, `gen.one_of { ... }`.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; all but tables and generators are themselves"
)]

use std::rc::Rc;

use jiff::civil::DateTime;
use mlua::{FromLua, Function, Lua, Table, UserData, Value};

use super::Choices;
use crate::show::{describe, show};
use crate::wall::parse_time;

/// Makes values of one kind out of choices; the least choices make the simplest value.
#[derive(Debug, Clone)]
pub(crate) struct Generator(Rc<Kind>);

#[derive(Debug)]
enum Kind {
    Constant(Value),
    Whole {
        min: i64,
        max: i64,
    },
    /// In steps of a thousandth.
    Number {
        min: i64,
        max: i64,
    },
    Text {
        letters: Vec<char>,
        min: u64,
        max: u64,
    },
    OneOf(Vec<Generator>),
    Optional(Generator),
    List {
        entry: Generator,
        min: u64,
        max: u64,
    },
    Record(Vec<(Value, Generator)>),
    /// Minutes between two times.
    Time {
        from: DateTime,
        minutes: u64,
    },
    Map {
        from: Generator,
        function: Function,
    },
}

impl UserData for Generator {}

impl Generator {
    fn new(kind: Kind) -> Self {
        Self(Rc::new(kind))
    }

    /// A generator as it is; a table makes tables of what its entries make; anything else is itself.
    ///
    /// # Errors
    /// A table that is nested too deeply.
    pub(crate) fn from_value(value: Value) -> mlua::Result<Self> {
        Self::nested(value, 0)
    }

    fn nested(value: Value, depth: usize) -> mlua::Result<Self> {
        match value {
            Value::UserData(data) if data.is::<Self>() => Ok(data.borrow::<Self>()?.clone()),
            Value::Table(table) if depth < DEPTH_MAX => {
                let mut entries = Vec::new();
                for pair in table.pairs::<Value, Value>() {
                    let (key, value) = pair?;
                    entries.push((key, Self::nested(value, depth + 1)?));
                }
                // Lua keeps no order, and the choices must mean the same each time.
                entries.sort_by_key(|(key, _)| show(key));
                Ok(Self::new(Kind::Record(entries)))
            }
            Value::Table(_) => Err(bad("a table of generators is nested too deeply".into())),
            other => Ok(Self::new(Kind::Constant(other))),
        }
    }

    /// Makes the value that the next choices mean.
    ///
    /// # Errors
    /// What a function given to `gen.map` raises.
    pub(crate) fn make(&self, lua: &Lua, choices: &mut Choices) -> mlua::Result<Value> {
        match &*self.0 {
            Kind::Constant(value) => Ok(value.clone()),
            Kind::Whole { min, max } => Ok(Value::Integer(whole(choices, *min, *max))),
            Kind::Number { min, max } => {
                let thousandths = whole(choices, *min, *max);
                if thousandths % 1_000 == 0 {
                    return Ok(Value::Integer(thousandths / 1_000));
                }
                Ok(Value::Number(thousandths as f64 / 1_000.0))
            }
            Kind::Text { letters, min, max } => {
                let mut text = String::new();
                let last = letters.len().saturating_sub(1) as u64;
                for _ in 0..*max {
                    let wanted = (text.chars().count() as u64) < *min;
                    if !wanted && !choices.more((max - min) / 2) {
                        break;
                    }
                    text.extend(letters.get(choices.up_to(last) as usize));
                }
                lua.create_string(text).map(Value::String)
            }
            Kind::OneOf(ways) => {
                let choice = choices.up_to(ways.len().saturating_sub(1) as u64);
                match ways.get(choice as usize) {
                    Some(way) => way.make(lua, choices),
                    None => Ok(Value::Nil),
                }
            }
            Kind::Optional(value) => match choices.more(2) {
                true => value.make(lua, choices),
                false => Ok(Value::Nil),
            },
            Kind::List { entry, min, max } => {
                let list = lua.create_table()?;
                for index in 0..*max {
                    if index >= *min && !choices.more(((max - min) / 2).min(LENGTH_USUAL)) {
                        break;
                    }
                    list.raw_push(entry.make(lua, choices)?)?;
                }
                Ok(Value::Table(list))
            }
            Kind::Record(entries) => {
                let record = lua.create_table()?;
                for (key, entry) in entries {
                    record.raw_set(key.clone(), entry.make(lua, choices)?)?;
                }
                Ok(Value::Table(record))
            }
            Kind::Time { from, minutes } => {
                let minutes = choices.up_to(*minutes);
                let span = jiff::Span::new().try_minutes(minutes.cast_signed());
                let time = span.and_then(|span| from.checked_add(span)).unwrap_or(*from);
                let text = time.strftime("%Y-%m-%d %H:%M").to_string();
                lua.create_string(text).map(Value::String)
            }
            Kind::Map { from, function } => function.call(from.make(lua, choices)?),
        }
    }
}

/// A whole number within bounds, the simplest the one nearest to zero.
fn whole(choices: &mut Choices, min: i64, max: i64) -> i64 {
    let choice = choices.up_to(max.abs_diff(min));
    let (below, above) = (min.min(0).unsigned_abs(), max.max(0).unsigned_abs());
    if min >= 0 {
        return min.saturating_add_unsigned(choice);
    }
    if max <= 0 {
        return max.saturating_sub_unsigned(choice);
    }
    // 0, 1, -1, 2, -2 ... until one side is used up.
    let both = below.min(above);
    match (choice.div_ceil(2), choice % 2) {
        (step, 1) if step <= both => step.cast_signed(),
        (step, 0) if step <= both => -step.cast_signed(),
        (_, _) if above > below => (choice - both).cast_signed(),
        (_, _) => -((choice - both).cast_signed()),
    }
}

/// Adds the functions of `gen` to a table.
pub(crate) fn add_generators(lua: &Lua, table: &Table) -> mlua::Result<()> {
    let add = |name: &'static str, make: fn(&mut Values<'_>) -> mlua::Result<Kind>| {
        let function = lua.create_function(move |lua, values: mlua::MultiValue| {
            let mut values = Values { name, lua, values: values.into_iter().collect(), next: 0 };
            let kind = make(&mut values)?;
            values.finish()?;
            Ok(Generator::new(kind))
        })?;
        table.raw_set(name, function)
    };
    add("boolean", |_| {
        let way = |flag| Generator::new(Kind::Constant(Value::Boolean(flag)));
        Ok(Kind::OneOf(vec![way(false), way(true)]))
    })?;
    add("digits", |values| text(values, ('0'..='9').collect()))?;
    add("key", |_| {
        let letters = "0123456789*#".chars().collect();
        Ok(Kind::Text { letters, min: 1, max: 1 })
    })?;
    add("list", |values| {
        let entry = values.take("entry")?;
        let (min, max) = lengths(values, 0, LIST_USUAL)?;
        Ok(Kind::List { entry: Generator::from_value(entry)?, min, max })
    })?;
    add("map", |values| {
        let from = values.take("generator")?;
        let function = values.take("function")?;
        let Value::Function(function) = function else {
            return Err(values.bad(format!("expected a function, got {}", describe(&function))));
        };
        Ok(Kind::Map { from: Generator::from_value(from)?, function })
    })?;
    add("number", |values| {
        let (min, max) = (values.number("min", -1e9, 1e9)?, values.number("max", -1e9, 1e9)?);
        number(values, min, max)
    })?;
    add("one_of", |values| {
        let list = values.take("list")?;
        let Value::Table(list) = list else {
            return Err(values.bad(format!("expected a list, got {}", describe(&list))));
        };
        let mut ways = Vec::new();
        for value in list.sequence_values::<Value>() {
            ways.push(Generator::from_value(value?)?);
        }
        if ways.is_empty() {
            return Err(values.bad("the list is empty".into()));
        }
        Ok(Kind::OneOf(ways))
    })?;
    add("optional", |values| {
        Ok(Kind::Optional(Generator::from_value(values.take("generator")?)?))
    })?;
    add("seconds", |values| {
        let (min, max) = (values.number("min", 0.0, 1e7)?, values.number("max", 0.0, 1e7)?);
        number(values, min, max)
    })?;
    add("text", |values| text(values, LETTERS.chars().collect()))?;
    add("time", |values| {
        let (from, to) = (values.time("from")?, values.time("to")?);
        let span = from.duration_until(to).as_mins();
        match u64::try_from(span) {
            Ok(minutes) => Ok(Kind::Time { from, minutes }),
            Err(_) => Err(values.bad("the second time is before the first".into())),
        }
    })?;
    add("whole", |values| {
        let (min, max) = (values.whole("min")?, values.whole("max")?);
        if min > max || max.abs_diff(min) == u64::MAX {
            return Err(values.bad(format!("from {min} to {max} there is nothing")));
        }
        Ok(Kind::Whole { min, max })
    })
}

fn number(values: &Values<'_>, min: f64, max: f64) -> mlua::Result<Kind> {
    if min > max {
        return Err(values.bad(format!("from {min} to {max} there is nothing")));
    }
    Ok(Kind::Number { min: (min * 1e3).ceil() as i64, max: (max * 1e3).floor() as i64 })
}

fn text(values: &mut Values<'_>, letters: Vec<char>) -> mlua::Result<Kind> {
    let (min, max) = lengths(values, 0, TEXT_USUAL)?;
    Ok(Kind::Text { letters, min, max })
}

/// `(min, max)`; one number alone is both.
fn lengths(values: &mut Values<'_>, least: u64, most: u64) -> mlua::Result<(u64, u64)> {
    if values.peek().is_nil() {
        return Ok((least, most));
    }
    let min = values.whole("min")?;
    let max = if values.peek().is_nil() { min } else { values.whole("max")? };
    match (u64::try_from(min), u64::try_from(max)) {
        (Ok(min), Ok(max)) if min <= max && max <= LENGTH_MAX => Ok((min, max)),
        _ => {
            Err(values.bad(format!("{min} to {max} is no length; up to {LENGTH_MAX} is possible")))
        }
    }
}

/// What a function of `gen` was given.
struct Values<'a> {
    name: &'static str,
    lua: &'a Lua,
    values: Vec<Value>,
    next: usize,
}

impl Values<'_> {
    fn peek(&self) -> &Value {
        self.values.get(self.next).unwrap_or(&Value::Nil)
    }

    fn take(&mut self, what: &str) -> mlua::Result<Value> {
        let value = self.peek().clone();
        self.next += 1;
        if value.is_nil() {
            return Err(self.bad(format!("{what} is missing")));
        }
        Ok(value)
    }

    fn number(&mut self, what: &str, least: f64, most: f64) -> mlua::Result<f64> {
        let value = self.take(what)?;
        match f64::from_lua(value.clone(), self.lua) {
            Ok(number) if (least..=most).contains(&number) => Ok(number),
            Ok(number) => {
                Err(self.bad(format!("{what} must be from {least} to {most}, not {number}")))
            }
            Err(_) => Err(self.bad(format!("{what} must be a number, got {}", describe(&value)))),
        }
    }

    fn whole(&mut self, what: &str) -> mlua::Result<i64> {
        let value = self.take(what)?;
        i64::from_lua(value.clone(), self.lua).map_err(|_| {
            self.bad(format!("{what} must be a whole number, got {}", describe(&value)))
        })
    }

    fn time(&mut self, what: &str) -> mlua::Result<DateTime> {
        let value = self.take(what)?;
        let Value::String(text) = &value else {
            return Err(self.bad(format!("{what} must be a time, got {}", describe(&value))));
        };
        parse_time(&text.to_string_lossy()).map_err(|problem| self.bad(problem))
    }

    fn finish(&self) -> mlua::Result<()> {
        if self.next < self.values.len() {
            return Err(self.bad("too many arguments".into()));
        }
        Ok(())
    }

    fn bad(&self, problem: String) -> mlua::Error {
        bad(format!("gen.{}: {problem}", self.name))
    }
}

fn bad(problem: String) -> mlua::Error {
    mlua::Error::RuntimeError(problem)
}

/// Tables of generators in tables.
const DEPTH_MAX: usize = 16;
/// Entries of a list, or characters of a text.
const LENGTH_MAX: u64 = 10_000;
/// Entries that a list has at most, when nothing else is said.
const LIST_USUAL: u64 = 10;
/// About so many entries are made where many more are possible.
const LENGTH_USUAL: u64 = 20;
/// Characters of a text when nothing else is said.
const TEXT_USUAL: u64 = 20;
/// From the simplest to those that break things.
const LETTERS: &str =
    "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789 -_.+'\"\\<>;:@%&äßéñ日語\u{1f600}";
