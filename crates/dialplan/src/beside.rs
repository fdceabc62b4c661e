//! Functions of libraries in which a script waits without using the caller's line.

use std::rc::Rc;

use mlua::{Lua, MultiValue, Table};

use crate::asking::ask_beside;
use crate::call_object::{complaint, count_verb, verb_place};
use crate::fibre::Want;
use crate::host::Host;
use crate::json::{Json, Problem};
use crate::shared::LockId;
use crate::verbs::{Library, VerbSpec, functions};

/// Those functions, in the order of the table.
fn waiting() -> impl Iterator<Item = &'static VerbSpec> {
    let is_beside = |spec: &&VerbSpec| match spec.library {
        Library::Global => spec.name == "sleep",
        Library::Http | Library::Db | Library::Shared => spec.waits,
        Library::Call
        | Library::Child
        | Library::Time
        | Library::Log
        | Library::Json
        | Library::Pbx
        | Library::Leg
        | Library::Test(_)
        | Library::TestLibrary(_) => false,
    };
    functions().filter(is_beside)
}

/// Registers what the prelude builds them from.
pub(crate) fn add(
    lua: &Lua,
    host: &Rc<Host>,
    json: &Rc<Json>,
    functions: &Table,
) -> mlua::Result<()> {
    let list = lua.create_table()?;
    for spec in waiting() {
        let entry = lua.create_table()?;
        entry.raw_set("library", spec.library.word())?;
        entry.raw_set("name", spec.name)?;
        list.raw_push(entry)?;
    }
    functions.set("beside", list)?;
    let specs: Rc<[&'static VerbSpec]> = waiting().collect();
    let (asked, json, known) = (Rc::clone(host), Rc::clone(json), Rc::clone(&specs));
    functions.set(
        "ask_beside",
        lua.create_function(move |lua, (index, values): (usize, MultiValue)| {
            let Some(spec) = known.get(index.wrapping_sub(1)) else { return Ok(None) };
            match ask(lua, &asked, &json, spec, values) {
                Ok(()) => Ok(None),
                Err(Problem::Text(problem)) => Ok(Some(complaint(lua, &asked, spec, &problem))),
                Err(Problem::Lua(error)) => Err(error),
            }
        })?,
    )?;
    let (waiting, known) = (Rc::clone(host), specs);
    functions.set(
        "cannot_wait_beside",
        lua.create_function(move |lua, index: usize| {
            if let Some(state) = waiting.current.borrow().as_ref() {
                state.scratch.borrow_mut().want = None;
            }
            let problem = "cannot wait in a function called by string.gsub, table.sort, tostring \
                           or require";
            let spec = known.get(index.wrapping_sub(1));
            Ok(spec.map(|spec| complaint(lua, &waiting, spec, problem)))
        })?,
    )?;
    let releasing = Rc::clone(host);
    functions.set(
        "release_lock",
        lua.create_function(move |_, id: i64| {
            releasing.shared.release(LockId(id.unsigned_abs()));
            Ok(())
        })?,
    )
}

fn ask(
    lua: &Lua,
    host: &Host,
    json: &Json,
    spec: &'static VerbSpec,
    values: MultiValue,
) -> Result<(), Problem> {
    let current = host.current.borrow().clone();
    let Some(state) = current else {
        return Err(Problem::Text(
            "works for a call, so use it inside a route, not while the scripts load".into(),
        ));
    };
    state.may_wait().map_err(Problem::Text)?;
    count_verb(host, &state).map_err(Problem::Text)?;
    let at = verb_place(lua, host);
    let verb = ask_beside(spec, values, host, json, at.as_ref())?;
    let mut scratch = state.scratch.borrow_mut();
    scratch.verb_at = at;
    scratch.asked = Some(spec);
    scratch.want = Some(Want::Verb(verb));
    Ok(())
}
