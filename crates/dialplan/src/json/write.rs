//! From values to text.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not expected is refused alike"
)]

use std::cell::{Cell, RefCell};
use std::io;

use mlua::{Table, Value};
use serde::ser::{Error, Serialize, SerializeMap as _, SerializeSeq as _, Serializer};

use super::{DEPTH_MAX, Json, Problem, Stopped, Style, TEXT_MAX, VALUES_MAX, cost};
use crate::host::Host;
use crate::options::describe;

/// Writes a value as JSON text and charges the work to the script that runs.
///
/// # Errors
/// What cannot be written and where it is, for example `.items[3]: a function`.
pub(crate) fn write(
    host: &Host,
    json: &Json,
    value: &Value,
    style: Style,
) -> Result<Vec<u8>, Problem> {
    let writing = Writing {
        json,
        values: Cell::new(0),
        path: RefCell::default(),
        stopped: Stopped::default(),
    };
    let mut text = Bounded(Vec::new());
    let written = Written { value, writing: &writing, depth: 0 };
    let done = match style {
        Style::Compact => written.serialize(&mut serde_json::Serializer::new(&mut text)),
        Style::Pretty => written.serialize(&mut serde_json::Serializer::pretty(&mut text)),
    };
    host.meter.charge(cost(text.0.len(), writing.values.get()));
    match done {
        Ok(()) => Ok(text.0),
        Err(error) if error.is_io() => {
            Err(Problem::Text(format!("the text becomes longer than {TEXT_MAX} bytes")))
        }
        Err(error) => Err(writing.stopped.told(error)),
    }
}

struct Writing<'a> {
    json: &'a Json,
    values: Cell<u32>,
    /// Where the value is that is being written.
    path: RefCell<Vec<Step>>,
    stopped: Stopped,
}

enum Step {
    Key(String),
    Index(usize),
}

struct Written<'a> {
    value: &'a Value,
    writing: &'a Writing<'a>,
    depth: usize,
}

impl Written<'_> {
    /// An error that names the place of the value.
    fn fail<E: Error>(&self, problem: &str) -> E {
        let mut place = String::new();
        for step in self.writing.path.borrow().iter() {
            match step {
                Step::Key(key) => {
                    place.push('.');
                    place.push_str(key);
                }
                Step::Index(index) => place.push_str(&format!("[{index}]")),
            }
        }
        let between = if place.is_empty() { "" } else { ": " };
        E::custom(format!("{place}{between}{problem}"))
    }

    fn lua<T, E: Error>(&self, done: mlua::Result<T>) -> Result<T, E> {
        done.map_err(|error| self.writing.stopped.by(error, E::custom))
    }

    fn table<S: Serializer>(&self, table: &Table, serializer: S) -> Result<S::Ok, S::Error> {
        if self.depth >= DEPTH_MAX {
            let problem =
                format!("more than {DEPTH_MAX} tables inside each other; does one contain itself?");
            return Err(self.fail(&problem));
        }
        let length = table.raw_len();
        let array = table.metatable().is_some_and(|own| own == self.writing.json.array);
        let mut entries: Vec<(String, Value)> = Vec::new();
        let mut numbered = 0_usize;
        for pair in table.pairs::<Value, Value>() {
            let (key, value) = self.lua(pair)?;
            if numbered + entries.len() >= VALUES_MAX as usize {
                return Err(self.fail(&too_many()));
            }
            match key {
                Value::String(key) => match key.to_str() {
                    Ok(key) => entries.push(((*key).to_owned(), value)),
                    Err(_) => return Err(self.fail("a key is not UTF-8 text")),
                },
                Value::Integer(index) if (1..=length as i64).contains(&index) => numbered += 1,
                Value::Integer(_) | Value::Number(_) => {
                    return Err(self.fail(
                        "a list has the keys 1, 2, 3 ... without a gap, and an object has \
                         strings as keys; write tostring(key)",
                    ));
                }
                other => return Err(self.fail(&format!("a key is {}", describe(&other)))),
            }
        }
        match (numbered, entries.is_empty()) {
            (0, true) if !array => serializer.serialize_map(Some(0))?.end(),
            (_, true) if numbered == length => self.list(table, length, serializer),
            (_, true) => Err(self.fail("a list with a gap in it; use json.null for nothing")),
            (0, false) if !array => self.object(entries, serializer),
            (_, false) => Err(self.fail("a table that is half a list and half an object")),
        }
    }

    fn list<S: Serializer>(
        &self,
        table: &Table,
        length: usize,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(length))?;
        for index in 1..=length {
            let value: Value = self.lua(table.raw_get(index))?;
            self.writing.path.borrow_mut().push(Step::Index(index));
            list.serialize_element(&self.inner(&value))?;
            self.writing.path.borrow_mut().pop();
        }
        list.end()
    }

    fn object<S: Serializer>(
        &self,
        mut entries: Vec<(String, Value)>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut object = serializer.serialize_map(Some(entries.len()))?;
        for (key, value) in entries {
            self.writing.path.borrow_mut().push(Step::Key(key.clone()));
            object.serialize_entry(&key, &self.inner(&value))?;
            self.writing.path.borrow_mut().pop();
        }
        object.end()
    }

    fn inner<'b>(&'b self, value: &'b Value) -> Written<'b> {
        Written { value, writing: self.writing, depth: self.depth + 1 }
    }
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let values = self.writing.values.get() + 1;
        self.writing.values.set(values);
        if values > VALUES_MAX {
            return Err(self.fail(&too_many()));
        }
        match self.value {
            value if value.is_null() => serializer.serialize_unit(),
            Value::Nil => serializer.serialize_unit(),
            Value::Boolean(flag) => serializer.serialize_bool(*flag),
            Value::Integer(number) => serializer.serialize_i64(*number),
            Value::Number(number) if number.is_finite() => serializer.serialize_f64(*number),
            Value::Number(_) => Err(self.fail("a number that is infinite or no number")),
            Value::String(text) => match text.to_str() {
                Ok(text) => serializer.serialize_str(&text),
                Err(_) => Err(self.fail("a string that is not UTF-8 text")),
            },
            Value::Table(table) => self.table(table, serializer),
            other => Err(self.fail(describe(other))),
        }
    }
}

fn too_many() -> String {
    format!("more than {VALUES_MAX} values")
}

/// Takes no more than a text may have.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > TEXT_MAX {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
