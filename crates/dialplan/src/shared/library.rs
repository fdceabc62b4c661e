//! `shared` as scripts see it.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not expected is refused alike"
)]

use std::rc::Rc;

use mlua::{Lua, LuaString, Table, Value};

use super::{Kept, Life};
use crate::host::{Host, place, placed};
use crate::json::{self, Json, Nulls, Problem, Style};
use crate::options::{checked_text, describe};

/// Longest life of a value that has one, in seconds: a year.
const TTL_MAX: f64 = 366.0 * 86_400.0;
/// What one look costs, in Lua instructions, and how many bytes are copied for one more.
const INSTRUCTIONS: u64 = 20;
const BYTES_PER_INSTRUCTION: u64 = 16;

/// What comes of a call: a value, or what is wrong with it.
type Answer = Result<Value, Problem>;

/// Registers what the prelude builds `shared` from.
pub(crate) fn add(
    lua: &Lua,
    host: &Rc<Host>,
    json: &Rc<Json>,
    functions: &Table,
) -> mlua::Result<()> {
    let on = |name: &'static str, f: fn(&Lua, &Host, &Json, [Value; 3]) -> Answer| {
        let (host, json) = (Rc::clone(host), Rc::clone(json));
        lua.create_function(move |lua, (key, value, options): (Value, Value, Value)| {
            let answer = match host.current.borrow().is_some() {
                true => f(lua, &host, &json, [key, value, options]),
                false => Err(Problem::Text(
                    "works for a call, so use it inside a route, not while the scripts load".into(),
                )),
            };
            match answer {
                Ok(value) => Ok((None, value)),
                Err(Problem::Lua(error)) => Err(error),
                Err(Problem::Text(problem)) => {
                    let problem = placed(place(lua, 2), &format!("shared.{name}: {problem}"));
                    Ok((Some(problem), Value::Nil))
                }
            }
        })
    };
    let shared = lua.create_table()?;
    shared.raw_set("get", on("get", get)?)?;
    shared.raw_set("set", on("set", set)?)?;
    shared.raw_set("add", on("add", add_to)?)?;
    shared.raw_set("take", on("take", take)?)?;
    functions.set("shared", shared)
}

fn get(lua: &Lua, host: &Host, json: &Json, [key, more, _]: [Value; 3]) -> Answer {
    let key = key_of(&key)?;
    nothing_more(&more)?;
    let kept = host.shared.board().values.borrow().get(now_ms(host), &key).cloned();
    give(lua, host, json, kept)
}

fn take(lua: &Lua, host: &Host, json: &Json, [key, more, _]: [Value; 3]) -> Answer {
    let key = key_of(&key)?;
    nothing_more(&more)?;
    let kept = host.shared.board().values.borrow_mut().take(now_ms(host), &key);
    give(lua, host, json, kept)
}

fn set(_: &Lua, host: &Host, json: &Json, [key, value, options]: [Value; 3]) -> Answer {
    let key = key_of(&key)?;
    let life = life(host, &options)?;
    let mut values = host.shared.board().values.borrow_mut();
    match keep(host, json, &value)? {
        Some(value) => {
            values.set(now_ms(host), &key, value, life).map_err(Problem::Text)?;
        }
        None => drop(values.take(now_ms(host), &key)),
    }
    Ok(Value::Nil)
}

fn add_to(lua: &Lua, host: &Host, json: &Json, [key, by, options]: [Value; 3]) -> Answer {
    let key = key_of(&key)?;
    let by = match by {
        Value::Nil => Kept::Integer(1),
        Value::Integer(number) => Kept::Integer(number),
        Value::Number(number) => Kept::Number(number),
        other => {
            let problem = format!("expected a number to add, got {}", describe(&other));
            return Err(Problem::Text(problem));
        }
    };
    let life = life(host, &options)?;
    let mut values = host.shared.board().values.borrow_mut();
    let sum = values.add(now_ms(host), &key, by, life).map_err(Problem::Text)?;
    give(lua, host, json, Some(sum))
}

fn now_ms(host: &Host) -> i64 {
    host.now.borrow().timestamp().as_millisecond()
}

fn key_of(key: &Value) -> Result<String, Problem> {
    match key {
        Value::String(key) => checked_text("key", key).map_err(Problem::Text),
        Value::Integer(key) => Ok(key.to_string()),
        other => Err(Problem::Text(format!("expected a key, got {}", describe(other)))),
    }
}

fn nothing_more(value: &Value) -> Result<(), Problem> {
    match value {
        Value::Nil => Ok(()),
        _ => Err(Problem::Text("too many arguments".into())),
    }
}

fn life(host: &Host, options: &Value) -> Result<Life, Problem> {
    let problem = |text: String| Err(Problem::Text(text));
    let options = match options {
        Value::Nil => return Ok(Life::Unlimited),
        Value::Table(options) => options,
        other => {
            return problem(format!("expected a table of options, got {}", describe(other)));
        }
    };
    let mut life = Life::Unlimited;
    for pair in options.pairs::<Value, Value>() {
        let (key, value) = pair.map_err(Problem::Lua)?;
        if key.as_string().is_none_or(|key| *key.as_bytes() != *b"ttl") {
            return problem("the only option is ttl".into());
        }
        let seconds = match value {
            Value::Integer(seconds) => seconds as f64,
            Value::Number(seconds) => seconds,
            other => {
                return problem(format!("ttl: expected seconds, got {}", describe(&other)));
            }
        };
        if !(0.001..=TTL_MAX).contains(&seconds) {
            return problem(format!("ttl must be 0.001 to {TTL_MAX} seconds, not {seconds}"));
        }
        life = Life::Until(now_ms(host) + (seconds * 1_000.0).ceil() as i64);
    }
    Ok(life)
}

/// A value as it is kept, apart from any Lua state; `None` for nil.
fn keep(host: &Host, json: &Json, value: &Value) -> Result<Option<Kept>, Problem> {
    let kept = match value {
        Value::Nil => return Ok(None),
        Value::Boolean(flag) => Kept::Boolean(*flag),
        Value::Integer(number) => Kept::Integer(*number),
        Value::Number(number) => Kept::Number(*number),
        Value::String(text) => {
            let text = text.as_bytes();
            host.meter.charge(cost(text.len()));
            Kept::Text((*text).into())
        }
        Value::Table(_) => Kept::Table(json::write(host, json, value, Style::Compact)?.into()),
        other => {
            let problem = format!("{} cannot be shared", describe(other));
            return Err(Problem::Text(problem));
        }
    };
    Ok(Some(kept))
}

/// A value as a copy of its own for the script that runs.
fn give(lua: &Lua, host: &Host, json: &Json, kept: Option<Kept>) -> Answer {
    let text = |bytes: &[u8]| -> Result<LuaString, Problem> {
        lua.create_string(bytes).map_err(Problem::Lua)
    };
    host.meter.charge(INSTRUCTIONS);
    Ok(match kept {
        None => Value::Nil,
        Some(Kept::Boolean(flag)) => Value::Boolean(flag),
        Some(Kept::Integer(number)) => Value::Integer(number),
        Some(Kept::Number(number)) => Value::Number(number),
        Some(Kept::Text(bytes)) => {
            host.meter.charge(cost(bytes.len()));
            Value::String(text(&bytes)?)
        }
        Some(Kept::Table(bytes)) => json::read(lua, host, json, &bytes, Nulls::Keep)?,
    })
}

fn cost(bytes: usize) -> u64 {
    INSTRUCTIONS + bytes as u64 / BYTES_PER_INSTRUCTION
}
