//! A Lua state closed off like the one that scripts run in, for what stands beside a dialplan: its
//! tests.
//!
//! It has no calls. Whoever makes one adds functions of their own, runs files in it within a budget,
//! and says what time it is.
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use jiff::Zoned;
use mlua::{Function, IntoLuaMulti, Lua, MultiValue, Table, Value};

use crate::Limits;
use crate::error::{LoadError, Place, SCRIPTS_FOLDER, ScriptError};
use crate::generation::{Names, Sources};
use crate::host::{Host, Module};
use crate::log::LogLine;
use crate::sandbox::Sandbox;
use crate::verbs::nearest;

/// A Lua state beside a dialplan, with the libraries that scripts have and no calls.
///
/// Lives on one thread.
pub struct Aside {
    host: Rc<Host>,
    sandbox: Sandbox,
    modules: BTreeMap<String, Function>,
}

/// Why something run in an [`Aside`] did not return.
#[derive(Debug)]
pub enum Stop {
    /// It raised this, and nothing in it caught it.
    Raised(mlua::Error),
    /// It used up its instructions or its memory, which nothing can catch.
    Spent(ScriptError),
}

/// A line of a file, as Lua's stack names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StackLine {
    /// The file, for example `scripts/tests/night.lua`.
    pub file: String,
    /// The line in it, from 1.
    pub line: u32,
}

impl fmt::Debug for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aside").field("modules", &self.modules.len()).finish_non_exhaustive()
    }
}

impl Aside {
    /// Makes a state in which `require` reaches `sources`.
    ///
    /// Chance in it follows from `seed`. Of the `limits`, those at load and those of the log count.
    ///
    /// # Errors
    /// Files that are no Lua, with file and line.
    pub fn new(
        sources: &Sources,
        limits: Limits,
        now: &Zoned,
        seed: i64,
    ) -> Result<Self, Vec<LoadError>> {
        let host = Rc::new(Host::new(limits, Names::default(), now));
        host.meter.begin(host.limits.instructions_at_load);
        let made = Sandbox::new(&host, seed);
        let sandbox = made.map_err(|error| vec![LoadError::of(&ScriptError::from_lua(&error))])?;
        host.meter.begin(u64::MAX);
        let mut aside = Self { host, sandbox, modules: BTreeMap::new() };
        let mut errors = Vec::new();
        for (path, text) in &sources.files {
            match aside.compile(&format!("{SCRIPTS_FOLDER}{path}"), text) {
                Ok(function) => drop(aside.modules.insert(path.clone(), function)),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(aside) } else { Err(errors) }
    }

    /// The Lua state, for making functions and values.
    pub fn lua(&self) -> &Lua {
        &self.sandbox.lua
    }

    /// What files in here find as globals; more can be added, and what has no place taken away.
    pub fn library(&self) -> &Table {
        &self.sandbox.library
    }

    /// Compiles a file; nothing runs. Messages name it as given: `scripts/tests/night.lua`.
    ///
    /// # Errors
    /// Its first mistake in syntax.
    pub fn compile(&self, file: &str, text: &str) -> Result<Function, LoadError> {
        self.sandbox.compile(&self.host, file, text).map_err(|error| {
            let error = ScriptError::from_lua(&error);
            let mut told = LoadError::of(&error);
            if told.line.is_none() {
                told.file = file.to_owned();
            }
            let line = told.line.and_then(|line| usize::try_from(line).ok()?.checked_sub(1));
            told.source_line = line.and_then(|line| text.lines().nth(line)).map(str::to_owned);
            told
        })
    }

    /// Forgets globals, modules and log lines of what ran before, sets the clock, and begins chance
    /// anew from `seed`.
    ///
    /// From here on, reading a global that does not exist is an error that names the nearest.
    ///
    /// # Errors
    /// Only when memory is short.
    pub fn refresh(&self, now: &Zoned, seed: i64) -> mlua::Result<()> {
        let lua = &self.sandbox.lua;
        let math: Table = lua.globals().raw_get("math")?;
        math.raw_get::<Function>("randomseed")?.call::<()>(seed)?;
        let mut modules = self.host.modules.borrow_mut();
        modules.clear();
        for (path, function) in &self.modules {
            modules.insert(path.clone(), Module::Ready(function.clone()));
        }
        drop(modules);
        self.set_time(now);
        drop(self.take_logs());
        let (own, behind) = (lua.create_table()?, lua.create_table()?);
        let library = self.sandbox.library.clone();
        let index = move |lua: &Lua, (_, key): (Value, Value)| {
            let found: Value = library.raw_get(key.clone())?;
            let (Value::Nil, Value::String(name)) = (&found, &key) else { return Ok(found) };
            let name = name.to_string_lossy();
            let names: Vec<String> = library
                .pairs::<String, Value>()
                .filter_map(|pair| pair.ok().map(|(name, _)| name))
                .collect();
            let near = nearest(&name, names.iter().map(String::as_str));
            let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            let at = stack(lua).into_iter().next();
            let at = at.map(|at| format!("{}:{}: ", at.file, at.line)).unwrap_or_default();
            Err(mlua::Error::RuntimeError(format!("{at}there is no global {name}{near}")))
        };
        behind.raw_set("__index", lua.create_function(index)?)?;
        behind.raw_set("__metatable", false)?;
        own.set_metatable(Some(behind))?;
        self.sandbox.show_globals(Some(&own))
    }

    /// Says what time `time.now` and its like tell.
    pub fn set_time(&self, now: &Zoned) {
        self.host.now.replace(now.clone());
    }

    /// Runs a function within a number of Lua instructions and bytes of memory.
    ///
    /// One run may be inside another, in a function that Lua calls: the outer goes on with what it
    /// had left.
    ///
    /// # Errors
    /// What it raised, or that it used up what it may use.
    pub fn run(
        &self,
        function: &Function,
        values: impl IntoLuaMulti,
        budget: Budget,
    ) -> Result<MultiValue, Stop> {
        let lua = &self.sandbox.lua;
        let (outer, doomed) = (self.host.meter.left(), self.host.meter.take_doom());
        self.host.meter.begin(budget.instructions);
        let limited = lua.set_memory_limit(lua.used_memory().saturating_add(budget.bytes));
        let ran = limited.and_then(|before| {
            let ran = function.call::<MultiValue>(values);
            // Never fails where setting it succeeded.
            drop(lua.set_memory_limit(before));
            ran
        });
        let (mut spent, seen) = (self.host.meter.take_doom(), self.host.meter.seen());
        self.host.meter.begin(outer);
        if let Some(doomed) = doomed {
            self.host.meter.doom(doomed);
        }
        let memory = |error: &ScriptError| {
            error.message == NO_MEMORY || error.message.starts_with("needs more memory")
        };
        if let Err(error) = &ran {
            let error = ScriptError::from_lua(error);
            if memory(&error) {
                spent = Some(ScriptError { message: NO_MEMORY.into(), ..error });
            }
        }
        if let Some(spent) = &mut spent
            && memory(spent)
        {
            let needs = "needs more memory than it may have; is there an endless recursion or a \
                         growing table?";
            let place = spent.line.map(|line| Place { file: spent.file.clone(), line });
            *spent = ScriptError::at(place.or(seen), needs);
        }
        match (ran, spent) {
            (_, Some(spent)) => Err(Stop::Spent(spent)),
            (Err(error), None) => Err(Stop::Raised(error)),
            (Ok(values), None) => Ok(values),
        }
    }

    /// Takes the lines that were logged or printed since the last time, oldest first.
    pub fn take_logs(&self) -> Vec<LogLine> {
        self.host.journal.borrow_mut().take()
    }
}

/// How much a run may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Lua instructions.
    pub instructions: u64,
    /// Bytes of Lua values more than there were before.
    pub bytes: usize,
}

/// The lines of scripts that led to the Rust function that asks, innermost first, at most 20.
pub fn stack(lua: &Lua) -> Vec<StackLine> {
    let mut found = Vec::new();
    for level in 0..STACK_MAX {
        let seen = lua.inspect_stack(level, |debug| {
            let line = debug.current_line().and_then(|line| u32::try_from(line).ok())?;
            let source = debug.source();
            let file = source.source.as_deref()?.strip_prefix('@')?;
            file.starts_with(SCRIPTS_FOLDER).then(|| StackLine { file: file.to_owned(), line })
        });
        match seen {
            Some(line) => found.extend(line),
            None => break,
        }
    }
    found
}

/// What Lua says of an error, as script authors are told: place, message, traceback.
pub fn explained(error: &mlua::Error) -> ScriptError {
    ScriptError::from_lua(error)
}

/// What Lua says when its memory is used up.
const NO_MEMORY: &str = "not enough memory";
/// Levels of the stack that are looked at.
const STACK_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Budget = Budget { instructions: 1_000_000, bytes: 1 << 20 };

    fn aside(files: &[(&str, &str)]) -> Aside {
        let files = files.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
        let now = "2026-11-23T14:05:09[Europe/Vienna]".parse().unwrap();
        let aside = Aside::new(&Sources { files }, Limits::default(), &now, 1).unwrap();
        aside.refresh(&now, 1).unwrap();
        aside
    }

    /// What a chunk gives back as text, or how it ended.
    fn run(aside: &Aside, text: &str) -> String {
        let function = aside.compile("scripts/tests/a.lua", text).unwrap();
        match aside.run(&function, (), BUDGET) {
            Ok(values) => {
                let values = values.iter().map(|value| value.to_string().unwrap());
                values.collect::<Vec<_>>().join(" ")
            }
            Err(Stop::Raised(error)) => format!("raised {}", explained(&error)),
            Err(Stop::Spent(error)) => format!("spent {error}"),
        }
    }

    #[test]
    fn what_scripts_have_is_there_and_nothing_of_the_machine() {
        let aside = aside(&[]);
        assert_eq!(run(&aside, "return time.date('%H:%M'), ('x'):rep(2)"), "14:05 xx");
        for name in ["io", "os", "load", "dofile", "debug", "coroutine", "collectgarbage"] {
            let told = run(&aside, &format!("return {name}"));
            assert!(told.contains("there is no global"), "{name}: {told}");
        }
    }

    #[test]
    fn a_global_that_does_not_exist_is_an_error_with_its_line_and_the_nearest_name() {
        let told = run(&aside(&[]), "local x\nreturn pirnt");
        let expected =
            "raised scripts/tests/a.lua:2: there is no global pirnt; did you mean print?";
        assert_eq!(told, expected);
    }

    #[test]
    fn a_refreshed_state_knows_nothing_of_what_ran_before() {
        let aside =
            aside(&[("lib/counter.lua", "n = (rawget(_G, 'n') or 0) + 1 return { n = n }")]);
        let count = "local c = require('lib.counter') c.n = c.n + 10 seen = c.n return c.n";
        assert_eq!(run(&aside, count), "11");
        assert_eq!(run(&aside, count), "21");
        assert_eq!(run(&aside, "return seen"), "21");
        aside.refresh(&Zoned::default(), 1).unwrap();
        assert!(run(&aside, "return seen").contains("no global seen"));
        assert_eq!(run(&aside, count), "11");
        let chance = run(&aside, "return math.random(1000000)");
        aside.refresh(&Zoned::default(), 1).unwrap();
        assert_eq!(run(&aside, "return math.random(1000000)"), chance);
    }

    #[test]
    fn neither_an_endless_loop_nor_a_growing_table_goes_on_behind_pcall() {
        let aside = aside(&[]);
        let told = run(&aside, "while true do pcall(function() while true do end end) end");
        let loops =
            "spent scripts/tests/a.lua:1: used up its instructions; is there an endless loop?";
        assert_eq!(told, loops);
        let told =
            run(&aside, "local t = {} while true do pcall(function() t[#t + 1] = {} end) end");
        assert!(told.starts_with("spent "), "{told}");
        assert_eq!(run(&aside, "return 1"), "1");
    }

    #[test]
    fn the_stack_names_the_lines_that_lead_to_a_function() {
        let aside = aside(&[("lib/help.lua", "return function()\n  return where()\nend")]);
        let lua = aside.lua();
        let where_ = lua.create_function(|lua, ()| {
            let lines = stack(lua).into_iter().map(|at| format!("{}:{}", at.file, at.line));
            Ok(lines.collect::<Vec<_>>().join(" "))
        });
        aside.library().raw_set("where", where_.unwrap()).unwrap();
        let told = run(&aside, "local help = require 'lib.help'\n\nlocal x = help()\nreturn x");
        assert_eq!(told, "scripts/lib/help.lua:2 scripts/tests/a.lua:3");
    }
}
