//! From text to values, without anything in between.

use std::cell::Cell;
use std::fmt;

use mlua::{Lua, Value};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{DEPTH_MAX, Json, Nulls, Problem, Stopped, TEXT_MAX, VALUES_MAX, cost};
use crate::host::Host;

/// Reads one JSON text (RFC 8259) and charges the work to the script that runs.
///
/// Of a key that comes twice the last counts. Whole numbers beyond 64 bits lose their last digits.
///
/// # Errors
/// What is wrong with the text, with line and column.
pub(crate) fn read(
    lua: &Lua,
    host: &Host,
    json: &Json,
    text: &[u8],
    nulls: Nulls,
) -> Result<Value, Problem> {
    if text.len() > TEXT_MAX {
        return Err(Problem::Text(format!("the text is longer than {TEXT_MAX} bytes")));
    }
    let reading = Reading { lua, json, nulls, values: Cell::new(0), stopped: Stopped::default() };
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Seed { reading: &reading, depth: 0 }.deserialize(&mut deserializer);
    let value = value.and_then(|value| deserializer.end().map(|()| value));
    host.meter.charge(cost(text.len(), reading.values.get()));
    value.map_err(|error| reading.stopped.told(error))
}

struct Reading<'a> {
    lua: &'a Lua,
    json: &'a Json,
    nulls: Nulls,
    values: Cell<u32>,
    stopped: Stopped,
}

/// Makes one value, at this depth.
#[derive(Clone, Copy)]
struct Seed<'a> {
    reading: &'a Reading<'a>,
    depth: usize,
}

impl Seed<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth >= DEPTH_MAX {
            let problem = format!("more than {DEPTH_MAX} lists and objects inside each other");
            return Err(E::custom(problem));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn lua<T, E: Error>(self, done: mlua::Result<T>) -> Result<T, E> {
        done.map_err(|error| self.reading.stopped.by(error, E::custom))
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let values = self.reading.values.get() + 1;
        self.reading.values.set(values);
        if values > VALUES_MAX {
            return Err(D::Error::custom(format!("more than {VALUES_MAX} values")));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::NULL)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Boolean(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Integer(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(i64::try_from(number).map_or(Value::Number(number as f64), Value::Integer))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.lua(self.reading.lua.create_string(text)).map(Value::String)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let table = self.lua(self.reading.lua.create_table())?;
        self.lua(table.set_metatable(Some(self.reading.json.array.clone())))?;
        while let Some(value) = list.next_element_seed(inner)? {
            self.lua(table.raw_push(value))?;
        }
        Ok(Value::Table(table))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let table = self.lua(self.reading.lua.create_table())?;
        while let Some(key) = object.next_key::<String>()? {
            let value = match object.next_value_seed(inner)? {
                value if value.is_null() && self.reading.nulls == Nulls::LeaveOut => Value::Nil,
                value => value,
            };
            self.lua(table.raw_set(key, value))?;
        }
        Ok(Value::Table(table))
    }
}
