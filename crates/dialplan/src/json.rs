//! `json` for scripts: text to values, and values to text.
//!
//! A list is a table with the keys 1, 2, 3 ..., an object any other; an empty table is an object
//! unless `json.array` made it or it was read from `[]`. Keys of objects are written in order, so
//! that equal values give equal texts.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not expected is refused alike"
)]

mod read;
mod write;

use std::cell::RefCell;
use std::fmt::Display;
use std::rc::Rc;

use mlua::{LightUserData, Lua, Table, Value};

use crate::host::{Host, place, placed};
use crate::options::describe;

pub(crate) use read::read;
pub(crate) use write::write;

/// Bytes of a text that is read or written; longer is refused, with an error or with nil and why.
pub(crate) const TEXT_MAX: usize = 256 * 1024;
/// Values in one text, those in lists and objects counted; more are refused likewise.
pub(crate) const VALUES_MAX: u32 = 10_000;
/// Lists and objects inside each other; deeper is refused likewise.
pub(crate) const DEPTH_MAX: usize = 32;
/// Bytes handled for what one Lua instruction costs.
const BYTES_PER_INSTRUCTION: u64 = 16;
/// What handling one value costs, in Lua instructions.
const INSTRUCTIONS_PER_VALUE: u64 = 20;

/// What `json` and everything that carries values of its kind needs of a Lua state.
pub(crate) struct Json {
    /// The metatable of lists that stay lists when they are empty.
    pub(crate) array: Table,
}

/// What reading does with `null` in objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nulls {
    /// The key is left out, so that a script finds nil.
    LeaveOut,
    /// It becomes `json.null`, as in lists.
    Keep,
}

/// Whether text is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// No spaces.
    Compact,
    /// A line for each value.
    Pretty,
}

/// Keeps what stopped a reader or writer whose own errors can only be text.
#[derive(Default)]
struct Stopped(RefCell<Option<mlua::Error>>);

impl Stopped {
    /// Notes an error of Lua, and gives one that stops the work.
    fn by<E>(&self, error: mlua::Error, custom: fn(&'static str) -> E) -> E {
        self.0.borrow_mut().get_or_insert(error);
        custom("stopped")
    }

    /// What really happened.
    fn told(self, error: impl Display) -> Problem {
        match self.0.into_inner() {
            Some(error) => Problem::Lua(error),
            None => Problem::Text(error.to_string()),
        }
    }
}

/// Why something cannot be read or written.
pub(crate) enum Problem {
    /// In words.
    Text(String),
    /// Lua itself failed; most likely the call has no memory left.
    Lua(mlua::Error),
}

/// What `json` work costs, in Lua instructions.
fn cost(bytes: usize, values: u32) -> u64 {
    bytes as u64 / BYTES_PER_INSTRUCTION + u64::from(values) * INSTRUCTIONS_PER_VALUE
}

/// Registers what the prelude builds `json` from.
pub(crate) fn add(lua: &Lua, host: &Rc<Host>, functions: &Table) -> mlua::Result<Rc<Json>> {
    let array = lua.create_table()?;
    array.raw_set("__name", "json.array")?;
    // Scripts share it, so they may only see that it is there.
    array.raw_set("__metatable", "json.array")?;
    let json = Rc::new(Json { array: array.clone() });
    functions.set("json_array", array)?;
    functions.set("json_null", Value::NULL)?;
    let null = lua.create_table()?;
    null.raw_set("__name", "json.null")?;
    null.raw_set("__metatable", false)?;
    null.raw_set("__tostring", lua.create_function(|_, _: Value| Ok("null"))?)?;
    // Scripts meet no other value of this type.
    lua.set_type_metatable::<LightUserData>(Some(null));

    let (decoding, made) = (Rc::clone(host), Rc::clone(&json));
    functions.set(
        "json_decode",
        lua.create_function(move |lua, (text, options): (Value, Value)| {
            let complain =
                |problem: &str| placed(place(lua, 2), &format!("json.decode: {problem}"));
            let Value::String(text) = text else {
                let problem = format!("expected a string, got {}", describe(&text));
                return Ok((Some(complain(&problem)), Value::Nil, None));
            };
            let nulls = match flag(&options, "nulls") {
                Ok(true) => Nulls::Keep,
                Ok(false) => Nulls::LeaveOut,
                Err(problem) => return Ok((Some(complain(&problem)), Value::Nil, None)),
            };
            match read(lua, &decoding, &made, &text.as_bytes(), nulls) {
                Ok(value) => Ok((None, value, None)),
                Err(Problem::Text(why)) => Ok((None, Value::Nil, Some(why))),
                Err(Problem::Lua(error)) => Err(error),
            }
        })?,
    )?;
    let (encoding, made) = (Rc::clone(host), Rc::clone(&json));
    functions.set(
        "json_encode",
        lua.create_function(move |lua, (value, options): (Value, Value)| {
            let style = flag(&options, "pretty");
            let style = style.map(|pretty| if pretty { Style::Pretty } else { Style::Compact });
            let written = match style {
                Ok(style) => write(&encoding, &made, &value, style),
                Err(problem) => Err(Problem::Text(problem)),
            };
            match written {
                Ok(text) => Ok((None, Some(lua.create_string(text)?))),
                Err(Problem::Text(problem)) => {
                    let problem = format!("json.encode: {problem}");
                    Ok((Some(placed(place(lua, 2), &problem)), None))
                }
                Err(Problem::Lua(error)) => Err(error),
            }
        })?,
    )?;
    Ok(json)
}

/// The one option that a function of `json` has.
fn flag(options: &Value, name: &str) -> Result<bool, String> {
    let options = match options {
        Value::Nil => return Ok(false),
        Value::Table(options) => options,
        other => return Err(format!("expected a table of options, got {}", describe(other))),
    };
    let mut flag = false;
    for pair in options.pairs::<Value, Value>() {
        let (key, value) = pair.map_err(|error| error.to_string())?;
        let known = key.as_string().is_some_and(|key| *key.as_bytes() == *name.as_bytes());
        match (known, value) {
            (true, Value::Boolean(given)) => flag = given,
            (true, other) => {
                return Err(format!("{name}: expected true or false, got {}", describe(&other)));
            }
            (false, _) => return Err(format!("the only option is {name}")),
        }
    }
    Ok(flag)
}
