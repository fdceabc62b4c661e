//! The `call` value of a handler: its verbs and its plain values.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not expected is refused alike"
)]

use std::rc::Rc;

use mlua::{Function, Lua, LuaString, Table, Value};

use crate::asking::{ask, menu_entry};
use crate::call_view::Party;
use crate::deed::{Deed, Done, defined};
use crate::error::{Place, ScriptError};
use crate::event::event_named;
use crate::fibre::{Blame, Want};
use crate::generation::Match;
use crate::host::{CallState, Host, place, placed};
use crate::options::{checked_text, describe};
use crate::shown;
use crate::verbs::{FIELDS, VERBS, VerbSpec, nearest};

/// Registers what the prelude needs to build verbs and values from.
pub(crate) fn add(
    lua: &Lua,
    host: &Rc<Host>,
    functions: &Table,
    headers_metatable: Table,
) -> mlua::Result<()> {
    add_verbs(lua, host, functions)?;
    add_routing(lua, host, functions)?;
    add_values(lua, host, functions, headers_metatable)
}

fn add_verbs(lua: &Lua, host: &Rc<Host>, functions: &Table) -> mlua::Result<()> {
    let asked = Rc::clone(host);
    functions.set(
        "ask",
        lua.create_function(
            move |lua, (index, call, a, b, c, more): (usize, Value, Value, Value, Value, bool)| {
                let Some(spec) = VERBS.get(index.wrapping_sub(1)) else { return Ok(None) };
                let asking = state_of(&asked, &call, true).and_then(|state| {
                    count_verb(&asked, &state)?;
                    if more {
                        return Err("too many arguments".into());
                    }
                    let given = [a.clone(), b.clone(), c.clone()];
                    let verb = ask(spec, given, &asked.names, &asked.now.borrow())?;
                    state.claim_line(spec)?;
                    let mut scratch = state.scratch.borrow_mut();
                    scratch.asked = Some(spec);
                    scratch.want = Some(Want::Verb(verb));
                    Ok(())
                });
                Ok(asking.err().map(|problem| {
                    let text = complaint(lua, &asked, spec, &problem);
                    blame(&asked, spec, &[a, b, c], text.clone());
                    text
                }))
            },
        )?,
    )?;
    let blaming = Rc::clone(host);
    functions.set(
        "blame",
        lua.create_function(
            move |_, (index, text, a, b, c): (usize, LuaString, Value, Value, Value)| {
                if let Some(spec) = VERBS.get(index.wrapping_sub(1)) {
                    blame(&blaming, spec, &[a, b, c], text.to_string_lossy());
                }
                Ok(())
            },
        )?,
    )?;
    let waiting = Rc::clone(host);
    functions.set(
        "cannot_wait",
        lua.create_function(move |lua, index: usize| {
            if let Some(state) = waiting.current.borrow().as_ref() {
                state.scratch.borrow_mut().want = None;
                state.release_line(state.seated.get());
            }
            let problem = "cannot wait in a function called by string.gsub, table.sort, tostring \
                           or require";
            Ok(VERBS.get(index.wrapping_sub(1)).map(|spec| complaint(lua, &waiting, spec, problem)))
        })?,
    )?;
    let noting = Rc::clone(host);
    functions.set(
        "note",
        lua.create_function(move |lua, ()| {
            if let Some(state) = noting.current.borrow().as_ref() {
                let at = place(lua, 2);
                state.scratch.borrow_mut().verb_at = at;
            }
            Ok(())
        })?,
    )?;
    let hanging = Rc::clone(host);
    functions.set(
        "on_hangup",
        lua.create_function(move |lua, (call, function, more): (Value, Value, bool)| {
            let added = state_of(&hanging, &call, true).and_then(|state| {
                let Value::Function(function) = function else {
                    return Err(format!("expected a function, got {}", describe(&function)));
                };
                if more {
                    return Err("too many arguments".into());
                }
                let mut functions = state.on_hangup.borrow_mut();
                if functions.len() >= hanging.limits.hangup_functions {
                    return Err(format!("{} functions are allowed", functions.len()));
                }
                let (file, line) = defined(&function);
                let what = Done::OnHangup { file, line };
                functions.push(function);
                state.note(Deed::new(what, verb_place(lua, &hanging)));
                Ok(())
            });
            Ok(added.err().and_then(|problem| {
                let spec = crate::verbs::verb_spec("on_hangup")?;
                Some(complaint(lua, &hanging, spec, &problem))
            }))
        })?,
    )?;
    let listening = Rc::clone(host);
    functions.set(
        "on",
        lua.create_function(
            move |lua, (call, event, function, more): (Value, Value, Value, bool)| {
                let added = listen(lua, &listening, &call, &event, function, more);
                Ok(added.err().and_then(|problem| {
                    let spec = crate::verbs::verb_spec("on")?;
                    Some(complaint(lua, &listening, spec, &problem))
                }))
            },
        )?,
    )
}

/// Keeps a function for an event.
fn listen(
    lua: &Lua,
    host: &Host,
    call: &Value,
    event: &Value,
    function: Value,
    more: bool,
) -> Result<(), String> {
    let state = state_of(host, call, true)?;
    let Value::String(name) = event else {
        return Err(format!("expected the name of an event, got {}", describe(event)));
    };
    let event = event_named(&checked_text("event", name)?)?;
    let Value::Function(function) = function else {
        return Err(format!("expected a function, got {}", describe(&function)));
    };
    if more {
        return Err("too many arguments".into());
    }
    let mut functions = state.on_event.borrow_mut();
    if functions.len() >= host.limits.event_functions {
        return Err(format!("{} functions are allowed", functions.len()));
    }
    let (file, line) = defined(&function);
    functions.push((event, function));
    drop(functions);
    state.note(Deed::new(Done::On { event, file, line }, verb_place(lua, host)));
    Ok(())
}

fn add_routing(lua: &Lua, host: &Rc<Host>, functions: &Table) -> mlua::Result<()> {
    let going = Rc::clone(host);
    functions.set(
        "enter",
        lua.create_function(move |lua, (call, number, more): (Value, Value, bool)| {
            match enter(lua, &going, &call, &number, more) {
                Ok((handler, text)) => Ok((None, handler, Some(text))),
                Err(problem) => {
                    let spec = crate::verbs::verb_spec("go");
                    let problem = spec.map(|spec| complaint(lua, &going, spec, &problem));
                    Ok((problem, None, None))
                }
            }
        })?,
    )?;
    let leaving = Rc::clone(host);
    functions.set(
        "leave",
        lua.create_function(move |_, _: mlua::MultiValue| {
            if let Some(state) = leaving.current.borrow().as_ref() {
                let mut scratch = state.scratch.borrow_mut();
                scratch.depth = scratch.depth.saturating_sub(1);
            }
            Ok(())
        })?,
    )?;
    functions.set(
        "choice",
        lua.create_function(
            |_, (options, digits, why): (Table, Option<String>, Option<LuaString>)| match digits {
                Some(digits) => menu_entry(&options, &digits),
                None => {
                    let handler: Value = match why {
                        Some(why) => options.raw_get(why)?,
                        None => Value::Nil,
                    };
                    if handler.is_function() { Ok(handler) } else { options.raw_get("otherwise") }
                }
            },
        )?,
    )
}

/// Finds the handler for `call:go`, and the number as `call.to.user` will show it; or why there is
/// none.
fn enter(
    lua: &Lua,
    host: &Host,
    call: &Value,
    number: &Value,
    more: bool,
) -> Result<(Option<Function>, String), String> {
    let state = state_of(host, call, true)?;
    let number = match number {
        Value::String(number) => checked_text("number", number)?,
        Value::Integer(number) => number.to_string(),
        other => return Err(format!("expected a number or name, got {}", describe(other))),
    };
    if more {
        return Err("too many arguments".into());
    }
    if state.scratch.borrow().depth >= host.limits.go_depth {
        return Err(format!("more than {} routes inside each other", host.limits.go_depth));
    }
    let matched = host.match_number(&number);
    let route = match matched {
        Match::Route(route) => Some(route),
        Match::Incomplete | Match::None => None,
    };
    let went = Done::Went { number: number.clone(), route };
    state.note(Deed::new(went, verb_place(lua, host)));
    match matched {
        Match::Route(route) => {
            state.scratch.borrow_mut().depth += 1;
            if let Some(recorder) = &host.recorder {
                recorder.enter(route.0);
            }
            let routes = host.routes.borrow();
            Ok((routes.get(route.0).map(|route| route.handler.clone()), number))
        }
        Match::Incomplete => Ok((None, "INCOMPLETE".into())),
        Match::None => Ok((None, "NONE".into())),
    }
}

fn add_values(
    lua: &Lua,
    host: &Rc<Host>,
    functions: &Table,
    headers_metatable: Table,
) -> mlua::Result<()> {
    let host = Rc::clone(host);
    functions.set(
        "field",
        lua.create_function(move |lua, (call, key): (Value, Value)| {
            let Value::String(key) = &key else { return Ok((None, Value::Nil)) };
            let key = key.to_string_lossy();
            let state = match state_of(&host, &call, false) {
                Ok(state) => state,
                Err(problem) => {
                    let problem = placed(place(lua, 2), &format!("call.{key}: {problem}"));
                    return Ok((Some(problem), Value::Nil));
                }
            };
            let view = &state.view;
            let text = |text: &str| lua.create_string(text).map(Value::String);
            let value = match key.as_str() {
                "account" => match &view.account {
                    Some(account) => text(account)?,
                    None => Value::Nil,
                },
                "from" => party(lua, &view.from)?,
                "headers" => headers(lua, &view.headers, &headers_metatable)?,
                "id" => text(&view.id)?,
                "source" => text(&view.source)?,
                "to" => party(lua, &view.to)?,
                "transferred_by" => match &view.transferred_by {
                    Some(who) => text(who)?,
                    None => Value::Nil,
                },
                "uri" => text(&view.uri)?,
                "vars" => Value::Table(lua.create_table()?),
                _ => {
                    let known = VERBS.iter().map(|spec| spec.name);
                    let known = known.chain(FIELDS.iter().map(|field| field.name));
                    let hint = nearest(&key, known)
                        .map(|near| format!("; did you mean \"{near}\"?"))
                        .unwrap_or_default();
                    let problem = format!("call has no \"{key}\"{hint}");
                    return Ok((Some(placed(place(lua, 2), &problem)), Value::Nil));
                }
            };
            // Kept in the table, so that it is made once and not asked for again.
            state.table.raw_set(key, &value)?;
            Ok((None, value))
        })?,
    )
}

fn party(lua: &Lua, party: &Party) -> mlua::Result<Value> {
    let table = lua.create_table_with_capacity(0, 3)?;
    table.raw_set("user", party.user.as_str())?;
    table.raw_set("host", party.host.as_str())?;
    table.raw_set("name", party.name.as_str())?;
    Ok(Value::Table(table))
}

/// Headers by lower-case name; several of one name are joined (RFC 3261 §7.3.1).
fn headers(lua: &Lua, headers: &[(String, String)], metatable: &Table) -> mlua::Result<Value> {
    let table = lua.create_table()?;
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        let joined = match table.raw_get::<Option<String>>(name.as_str())? {
            Some(before) => format!("{before}, {value}"),
            None => value.clone(),
        };
        table.raw_set(name, joined)?;
    }
    table.set_metatable(Some(metatable.clone()))?;
    Ok(Value::Table(table))
}

/// The state behind a `call` value, if it is the one that runs and may still `act`.
fn state_of(host: &Host, call: &Value, act: bool) -> Result<Rc<CallState>, String> {
    if !matches!(call, Value::Table(_)) {
        return Err("is called with a colon, as in call:answer()".into());
    }
    let Some(state) = host.current(call) else {
        return Err("this call is over, or is not the one this script runs for".into());
    };
    if act {
        state.may_act()?;
    }
    Ok(state)
}

/// Counts a verb, or a child, which costs as much; too many end the call.
pub(crate) fn count_verb(host: &Host, state: &CallState) -> Result<(), String> {
    let verbs = state.verbs.get() + 1;
    state.verbs.set(verbs);
    if verbs > host.limits.verbs_per_call {
        let problem = format!("more than {} verbs in one call", host.limits.verbs_per_call);
        let at = state.scratch.borrow().verb_at.clone();
        host.meter.doom(ScriptError::at(at, problem.clone()));
        return Err(problem);
    }
    Ok(())
}

/// Notes what a verb was given that ended in an error with this text.
fn blame(host: &Host, spec: &VerbSpec, given: &[Value], text: String) {
    if let Some(state) = host.current.borrow().as_ref() {
        let arguments = shown::arguments(spec, given);
        state.scratch.borrow_mut().blame = Some(Blame { text, arguments });
    }
}

/// What the script is told: its line, the verb, the problem.
pub(crate) fn complaint(lua: &Lua, host: &Host, spec: &VerbSpec, problem: &str) -> String {
    placed(verb_place(lua, host), &format!("{}: {problem}", spec.full_name()))
}

/// The script's line that called the verb whose own function is at level 1.
pub(crate) fn verb_place(lua: &Lua, host: &Host) -> Option<Place> {
    let noted =
        || host.current.borrow().as_ref().and_then(|state| state.scratch.borrow().verb_at.clone());
    let tail = lua.inspect_stack(1, |debug| debug.is_tail_call()).unwrap_or(false);
    if tail { noted().or_else(|| place(lua, 2)) } else { place(lua, 2).or_else(noted) }
}
