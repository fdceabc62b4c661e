//! A Lua state in which scripts reach nothing but what we give them.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not expected is refused alike"
)]

mod matching;
mod text;

use std::rc::Rc;

use mlua::debug::DebugEvent;
use mlua::{Function, HookTriggers, Lua, LuaOptions, LuaString, StdLib, Table, Value, VmState};

use crate::budget::{GRAIN, stopped};
use crate::coverage::COUNTER;
use crate::error::{ScriptError, plain_text, strip_own_place, trace_lines};
use crate::host::{Host, place, placed};
use crate::kept::Chunk;
use crate::log::LogLevel;
use crate::verbs::{LUA_LIBRARIES, VERBS};
use crate::{beside, call_object, fibres, generation, json, legs, schedule, shared, time, webhook};

/// What `library` takes over from Lua's own globals.
const GLOBALS: [&str; 13] = [
    "assert",
    "error",
    "getmetatable",
    "ipairs",
    "next",
    "pairs",
    "rawequal",
    "rawget",
    "rawlen",
    "select",
    "tonumber",
    "tostring",
    "type",
];
const ARITHMETIC: [&str; 8] =
    ["__add", "__sub", "__mul", "__mod", "__pow", "__div", "__idiv", "__unm"];
const STRING: [&str; 5] = ["byte", "char", "format", "len", "sub"];

/// Entries of a list that `table.sort` and the like take; they run without a pause.
const LIST_MAX: usize = 10_000;

/// Instructions that calling a counter takes, about: they are not those of the script.
const COUNTING: u64 = 4;

/// One Lua state, closed off.
pub(crate) struct Sandbox {
    pub(crate) lua: Lua,
    /// The `_ENV` of every script: an empty table in front of the two below.
    pub(crate) environment: Table,
    environment_metatable: Table,
    /// What every call finds as globals.
    pub(crate) library: Table,
    write_global: Function,
    /// What a coroutine runs, with the handler and the call.
    pub(crate) body: Function,
    pub(crate) call_metatable: Table,
    /// What became of each child, by its handle, while a script holds that.
    pub(crate) fates: Table,
}

impl Sandbox {
    /// Makes a Lua state whose functions know `host`. Chance in scripts follows from `seed`.
    pub(crate) fn new(host: &Rc<Host>, seed: i64) -> mlua::Result<Self> {
        let libs = StdLib::TABLE | StdLib::STRING | StdLib::MATH | StdLib::UTF8 | StdLib::COROUTINE;
        let lua = Lua::new_with(libs, LuaOptions::default())?;
        // What is made here stays, so that nothing need be looked for that does not.
        lua.gc_stop();
        let meter = Rc::clone(host);
        let mut triggers = HookTriggers::new().every_nth_instruction(GRAIN);
        triggers.every_line = host.recorder.is_some();
        lua.set_global_hook(triggers, move |lua, debug| match &meter.recorder {
            Some(recorder) if debug.event() == DebugEvent::Line => {
                recorder.see(debug);
                Ok(VmState::Continue)
            }
            Some(_) | None => meter.meter.look(lua, debug),
        })?;
        let globals = lua.globals();
        let math: Table = globals.get("math")?;
        math.get::<Function>("randomseed")?.call::<()>(seed)?;

        let library = pick(&lua, &globals, &GLOBALS)?;
        let functions = lua.create_table()?;
        functions.set("math", pick(&lua, &math, lua_library("math"))?)?;
        functions.set("table", pick(&lua, &globals.get("table")?, lua_library("table"))?)?;
        functions.set("utf8", pick(&lua, &globals.get("utf8")?, lua_library("utf8"))?)?;
        let string = pick(&lua, &globals.get("string")?, &STRING)?;
        text::add(&lua, host, &string)?;
        lock_string_metatable(&lua, &string)?;
        functions.set("string", string)?;

        let call_metatable = lua.create_table()?;
        functions.set("call_metatable", &call_metatable)?;
        let headers_metatable = lua.create_table()?;
        functions.set("headers_metatable", &headers_metatable)?;
        let environment_metatable = lua.create_table()?;
        functions.set("globals_metatable", &environment_metatable)?;
        let environment = lua.create_table()?;
        library.set("_G", &environment)?;
        library.set("_VERSION", "Lua 5.4")?;

        let fates = lua.create_table()?;
        let by_handle = lua.create_table()?;
        by_handle.raw_set("__mode", "k")?;
        fates.set_metatable(Some(by_handle))?;
        functions.set("fates", &fates)?;

        add_judgement(&lua, host, &functions)?;
        add_guards(&lua, host, &functions)?;
        add_log(&lua, host, &functions)?;
        call_object::add(&lua, host, &functions, headers_metatable)?;
        fibres::add(&lua, host, &functions)?;
        legs::add(&lua, host, &functions)?;
        generation::add(&lua, host, &functions)?;
        schedule::add(&lua, host, &functions)?;
        time::add(&lua, host, &functions)?;
        let json = json::add(&lua, host, &functions)?;
        shared::add(&lua, host, &json, &functions)?;
        beside::add(&lua, host, &json, &functions)?;
        webhook::add(&lua, host, &json, &functions)?;
        add_own_globals(&lua, host, &functions, &library, &environment_metatable)?;

        if host.recorder.is_some() {
            add_counter(&lua, host, &library)?;
        }
        let coroutine: Table = globals.get("coroutine")?;
        functions.set("running", coroutine.get::<Function>("running")?)?;
        let names: Vec<&str> = VERBS.iter().map(|spec| spec.name).collect();
        let prelude = own_chunk("prelude", include_str!("sandbox/prelude.lua"));
        host.compiled.function(&lua, prelude)?.call::<()>((
            &functions,
            &library,
            coroutine.get::<Function>("yield")?,
            coroutine.get::<Function>("isyieldable")?,
            names,
        ))?;
        let fibres = own_chunk("fibres", include_str!("sandbox/fibres.lua"));
        let legs = own_chunk("legs", include_str!("sandbox/legs.lua"));
        for chunk in [fibres, legs] {
            host.compiled.function(&lua, chunk)?.call::<()>((
                &functions,
                &library,
                coroutine.get::<Function>("yield")?,
                coroutine.get::<Function>("isyieldable")?,
            ))?;
        }
        environment.set_metatable(Some(environment_metatable.clone()))?;
        let write_global = functions.get("write_global")?;
        let body = functions.get("body")?;
        lua.gc_restart();
        Ok(Self {
            lua,
            environment,
            environment_metatable,
            library,
            write_global,
            body,
            call_metatable,
            fates,
        })
    }

    /// Compiles a script; nothing runs.
    pub(crate) fn compile(&self, host: &Host, name: &str, text: &str) -> mlua::Result<Function> {
        let environment = Some(&self.environment);
        let chunk = Chunk { key: name, name: &format!("@{name}"), text, environment };
        host.compiled.function(&self.lua, chunk)
    }

    /// Makes a call's own globals the ones that scripts see.
    pub(crate) fn show_globals(&self, own: Option<&Table>) -> mlua::Result<()> {
        match own {
            Some(own) => {
                self.environment_metatable.raw_set("__index", own)?;
                self.environment_metatable.raw_set("__newindex", own)
            }
            None => {
                self.environment_metatable.raw_set("__index", &self.library)?;
                self.environment_metatable.raw_set("__newindex", &self.write_global)
            }
        }
    }
}

/// Lua of ours.
fn own_chunk(key: &'static str, text: &'static str) -> Chunk<'static> {
    Chunk { key, name: "=[cordboard]", text, environment: None }
}

/// The names in a library of Lua's own.
fn lua_library(name: &str) -> &'static [&'static str] {
    LUA_LIBRARIES.iter().find(|(known, _)| *known == name).map_or(&[], |(_, names)| names)
}

fn pick(lua: &Lua, from: &Table, names: &[&str]) -> mlua::Result<Table> {
    let picked = lua.create_table_with_capacity(0, names.len())?;
    for name in names {
        picked.raw_set(*name, from.raw_get::<Value>(*name)?)?;
    }
    Ok(picked)
}

/// Lets `("x"):rep(3)` find our functions, and nobody change them.
fn lock_string_metatable(lua: &Lua, string: &Table) -> mlua::Result<()> {
    let own = lua.type_metatable::<LuaString>();
    let metatable = match own {
        // Lua's own has the arithmetic that turns "7" + 1 into 8.
        Some(own) => pick(lua, &own, &ARITHMETIC)?,
        None => lua.create_table()?,
    };
    metatable.raw_set("__index", string)?;
    metatable.raw_set("__metatable", false)?;
    lua.set_type_metatable::<LuaString>(Some(metatable));
    Ok(())
}

/// What `pcall` and our messages need.
fn add_judgement(lua: &Lua, host: &Rc<Host>, functions: &Table) -> mlua::Result<()> {
    let judged = Rc::clone(host);
    functions.set(
        "judge",
        lua.create_function(move |lua, problem: Value| {
            let text = match &problem {
                Value::Error(error) => plain_text(error),
                Value::String(text) => {
                    let bytes = text.as_bytes();
                    if bytes.starts_with(b"[cordboard]:") {
                        strip_own_place(&text.to_string_lossy()).to_owned()
                    } else if &*bytes == b"not enough memory" {
                        "not enough memory".to_owned()
                    } else {
                        return Ok((judged.meter.is_doomed(), problem.clone()));
                    }
                }
                _ => return Ok((judged.meter.is_doomed(), problem)),
            };
            if text.ends_with("not enough memory") {
                let place = judged.meter.seen().or_else(|| place(lua, 1));
                judged.meter.doom(out_of_memory(place));
            }
            Ok((judged.meter.is_doomed(), Value::String(lua.create_string(text)?)))
        })?,
    )?;
    let tracing = Rc::clone(host);
    functions.set(
        "trace",
        lua.create_function(move |lua, problem: Value| {
            let trace = lua.traceback(None, 1)?.to_string_lossy();
            if let Some(state) = tracing.current.borrow().as_ref() {
                state.scratch.borrow_mut().trace = trace_lines(&trace);
            }
            Ok(problem)
        })?,
    )?;
    functions.set(
        "here",
        lua.create_function(|lua, message: String| Ok(placed(place(lua, 2), &message)))?,
    )
}

/// The call needed more memory than it may have.
pub(crate) fn out_of_memory(place: Option<crate::error::Place>) -> ScriptError {
    ScriptError::at(
        place,
        "needs more memory than a call may have; is there an endless recursion or a growing table?",
    )
}

/// Guards for functions that run in C, where nothing can pause or stop them.
fn add_guards(lua: &Lua, host: &Rc<Host>, functions: &Table) -> mlua::Result<()> {
    let reading = Rc::clone(host);
    functions.set(
        "long_text",
        lua.create_function(move |_, (name, text): (String, Value)| {
            let Value::String(text) = text else { return Ok(()) };
            let length = text.as_bytes().len();
            reading.meter.charge(length as u64 / 2);
            if length > LIST_MAX {
                return Err(mlua::Error::RuntimeError(format!(
                    "{name}: the text is longer than {LIST_MAX} bytes"
                )));
            }
            Ok(())
        })?,
    )?;
    let listing = Rc::clone(host);
    functions.set(
        "plain_list",
        lua.create_function(move |_, (name, list): (String, Value)| {
            let Value::Table(list) = list else { return Ok(()) };
            if let Some(metatable) = list.metatable() {
                for event in ["__len", "__index", "__newindex"] {
                    if metatable.raw_get::<Value>(event)? != Value::Nil {
                        return Err(mlua::Error::RuntimeError(format!(
                            "table.{name}: the list must be a plain one, without {event}"
                        )));
                    }
                }
            }
            let length = list.raw_len();
            let each = if name == "sort" { 16 } else { 1 };
            listing.meter.charge(length as u64 * each);
            if length > LIST_MAX {
                return Err(mlua::Error::RuntimeError(format!(
                    "table.{name}: the list has {length} entries; {LIST_MAX} are allowed"
                )));
            }
            Ok(())
        })?,
    )?;
    let moving = Rc::clone(host);
    functions.set(
        "plain_range",
        lua.create_function(move |_, (first, last): (Option<f64>, Option<f64>)| {
            let (Some(first), Some(last)) = (first, last) else { return Ok(()) };
            moving.meter.charge((last - first).clamp(0.0, LIST_MAX as f64) as u64);
            if last - first > LIST_MAX as f64 {
                return Err(mlua::Error::RuntimeError(format!(
                    "table.move: at most {LIST_MAX} entries can be moved"
                )));
            }
            Ok(())
        })?,
    )
}

fn add_log(lua: &Lua, host: &Rc<Host>, functions: &Table) -> mlua::Result<()> {
    let logging = Rc::clone(host);
    functions.set(
        "log",
        lua.create_function(move |lua, (level, text): (u8, LuaString)| {
            let level = match level {
                1 => LogLevel::Debug,
                3 => LogLevel::Warn,
                4 => LogLevel::Error,
                _ => LogLevel::Info,
            };
            logging.log(level, &text.to_string_lossy(), place(lua, 2));
            Ok(())
        })?,
    )
}

/// What scripts that are watched call where they can go on in more than one way: it counts, and gives
/// back what it was given.
fn add_counter(lua: &Lua, host: &Rc<Host>, library: &Table) -> mlua::Result<()> {
    let counting = Rc::clone(host);
    let count = move |_: &Lua, (counter, value): (usize, Value)| {
        if let Some(recorder) = &counting.recorder {
            recorder.count(counter, !matches!(value, Value::Nil | Value::Boolean(false)));
        }
        counting.meter.excuse(COUNTING);
        Ok(value)
    };
    library.raw_set(COUNTER, lua.create_function(count)?)
}

/// The table of a call's own globals, made when it first writes one.
fn add_own_globals(
    lua: &Lua,
    host: &Rc<Host>,
    functions: &Table,
    library: &Table,
    environment_metatable: &Table,
) -> mlua::Result<()> {
    let behind = lua.create_table()?;
    behind.raw_set("__index", library)?;
    behind.raw_set("__metatable", false)?;
    let environment_metatable = environment_metatable.clone();
    let host = Rc::clone(host);
    functions.set(
        "own_globals",
        lua.create_function(move |lua, ()| {
            let current = host.current.borrow().clone();
            let Some(state) = current else { return Err(stopped()) };
            let own = lua.create_table()?;
            own.set_metatable(Some(behind.clone()))?;
            environment_metatable.raw_set("__index", &own)?;
            environment_metatable.raw_set("__newindex", &own)?;
            state.globals.replace(Some(own.clone()));
            Ok(own)
        })?,
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::Zoned;

    use super::*;
    use crate::verbs::{LIBRARIES, globals};
    use crate::{Limits, Names};

    #[test]
    fn scripts_find_what_the_table_of_functions_says_and_nothing_else() {
        let host = Rc::new(Host::new(Limits::default(), Names::default(), &Zoned::default()));
        host.meter.begin(host.limits.instructions_at_load);
        let sandbox = Sandbox::new(&host, 1).unwrap();
        let library = &sandbox.library;
        assert_eq!(names(library), globals().map(str::to_owned).collect(), "globals");
        let ours = LIBRARIES.iter().filter(|spec| spec.library.separator() == ".");
        let ours = ours.map(|spec| {
            let functions = spec.functions.iter().map(|function| function.name);
            let names = functions.chain(spec.fields.iter().map(|field| field.name));
            (spec.library.word(), names.map(str::to_owned).collect::<BTreeSet<_>>())
        });
        let lua = LUA_LIBRARIES.iter().map(|(word, names)| {
            (*word, names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>())
        });
        for (word, expected) in ours.chain(lua) {
            let sealed: Table = library.raw_get(word).unwrap();
            for name in &expected {
                let found: Value = sealed.get(name.as_str()).unwrap();
                assert!(!found.is_nil(), "{word}.{name}");
            }
            // Where the values behind the seal are a table, there may be no more of them.
            let behind: Value = sealed.metatable().unwrap().raw_get("__index").unwrap();
            if let Value::Table(behind) = behind {
                assert_eq!(names(&behind), expected, "{word}");
            }
        }
    }

    fn names(table: &Table) -> BTreeSet<String> {
        table.pairs::<String, Value>().map(|pair| pair.unwrap().0).collect()
    }
}
