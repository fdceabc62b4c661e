//! What the prelude builds `spawn`, `race`, `all` and `within` from.

use std::rc::Rc;
use std::time::Duration;

use mlua::{Function, Lua, Table, Value};

use crate::call_object::count_verb;
use crate::fibre::{Birth, Errors, FibreId, Until, Want};
use crate::host::{CallState, Host};
use crate::options::describe;

/// Registers them.
pub(crate) fn add(lua: &Lua, host: &Rc<Host>, functions: &Table) -> mlua::Result<()> {
    let spawning = Rc::clone(host);
    let fates: Table = functions.get("fates")?;
    functions.set(
        "spawn",
        lua.create_function(move |lua, (handle, awaited, body): (Table, bool, Function)| {
            let errors = if awaited { Errors::Awaited } else { Errors::Logged };
            match spawn(lua, &spawning, &fates, handle, errors, body) {
                Ok(id) => Ok((None, Some(id?.0))),
                Err(problem) => Ok((Some(problem), None)),
            }
        })?,
    )?;
    let asking = Rc::clone(host);
    functions.set("may_wait", lua.create_function(move |_, ()| Ok(current(&asking).err()))?)?;
    let counting = Rc::clone(host);
    functions.set(
        "room",
        lua.create_function(move |_, count: usize| {
            Ok(current(&counting).and_then(|state| room(&counting, &state, count)).err())
        })?,
    )?;
    let joining = Rc::clone(host);
    functions.set(
        "join",
        lua.create_function(
            move |_,
                  (how, ids, at_once, ended, seconds): (
                u8,
                Vec<u64>,
                Option<i64>,
                usize,
                Option<f64>,
            )| {
                let until = match how {
                    1 => Until::Ended,
                    2 => Until::First,
                    _ => Until::All,
                };
                let members = ids.into_iter().map(FibreId).collect();
                let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                want(&joining, Want::Join { until, members, at_once, ended, timeout });
                Ok(())
            },
        )?,
    )?;
    let cancelling = Rc::clone(host);
    functions.set(
        "cancel",
        lua.create_function(move |_, id: u64| {
            want(&cancelling, Want::Cancel(FibreId(id)));
            Ok(())
        })?,
    )?;
    functions.set("describe", lua.create_function(|_, value: Value| Ok(describe(&value)))?)?;
    functions.set(
        "text",
        lua.create_function(|_, value: Value| {
            let text = value.as_string().map(|text| text.to_string_lossy());
            Ok(text.unwrap_or_else(|| describe(&value).to_owned()))
        })?,
    )
}

/// The call whose script runs and may still begin something.
pub(crate) fn current(host: &Host) -> Result<Rc<CallState>, String> {
    let current = host.current.borrow();
    let Some(state) = current.as_ref() else {
        return Err("works only while a call runs; use it inside of a route".into());
    };
    state.may_wait()?;
    Ok(Rc::clone(state))
}

fn room(host: &Host, state: &CallState, count: usize) -> Result<(), String> {
    let max = host.limits.children_per_call;
    if state.children.get().saturating_add(count) > max {
        return Err(format!("more than {max} functions beside each other in one call"));
    }
    Ok(())
}

/// Makes a child of the fibre that runs; it begins when that one next waits.
fn spawn(
    lua: &Lua,
    host: &Host,
    fates: &Table,
    handle: Table,
    errors: Errors,
    body: Function,
) -> Result<mlua::Result<FibreId>, String> {
    let state = current(host)?;
    room(host, &state, 1)?;
    count_verb(host, &state)?;
    let thread = match lua.create_thread(body) {
        Ok(thread) => thread,
        Err(error) => return Ok(Err(error)),
    };
    let id = FibreId(host.next_fibre.get() + 1);
    host.next_fibre.set(id.0);
    if let Err(error) = fates.raw_set(&handle, id.0) {
        return Ok(Err(error));
    }
    state.children.set(state.children.get() + 1);
    state.births.borrow_mut().push(Birth { id, thread, handle, errors });
    Ok(Ok(id))
}

fn want(host: &Host, want: Want) {
    if let Some(state) = host.current.borrow().as_ref() {
        state.scratch.borrow_mut().want = Some(want);
    }
}
