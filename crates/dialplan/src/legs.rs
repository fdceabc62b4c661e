//! What `pbx.originate` and the legs that it gives back are built from.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not expected is refused alike"
)]

use std::rc::Rc;

use mlua::{Function, Lua, Table, Value};

use crate::call_object::{complaint, count_verb};
use crate::fibre::Want;
use crate::fibres::current;
use crate::generation::Match;
use crate::host::Host;
use crate::options::{Call, checked_text, describe};
use crate::targets;
use crate::verb::{Leg, Originate, Verb};
use crate::verbs::{Library, VerbSpec, function_spec};

/// What a script gave away to be run for whoever answers.
pub(crate) struct Given {
    pub(crate) handler: Function,
    /// The number whose route it is, if it is one.
    pub(crate) number: Option<String>,
}

/// Registers them.
pub(crate) fn add(lua: &Lua, host: &Rc<Host>, functions: &Table) -> mlua::Result<()> {
    let originating = Rc::clone(host);
    functions.set(
        "originate",
        lua.create_function(move |lua, (options, more, may_wait): (Value, bool, bool)| {
            let Some(spec) = function_spec(Library::Pbx, "originate") else { return Ok(None) };
            let asked = ask(&originating, spec, options, more, may_wait);
            Ok(asked.err().map(|problem| complaint(lua, &originating, spec, &problem)))
        })?,
    )?;
    let hanging = Rc::clone(host);
    functions.set(
        "hang_up_leg",
        lua.create_function(move |lua, (number, more, may_wait): (Value, bool, bool)| {
            let Some(spec) = function_spec(Library::Leg, "hangup") else { return Ok(None) };
            let asked = hang_up(&hanging, spec, &number, more, may_wait);
            Ok(asked.err().map(|problem| complaint(lua, &hanging, spec, &problem)))
        })?,
    )
}

fn ask(
    host: &Host,
    spec: &'static VerbSpec,
    options: Value,
    more: bool,
    may_wait: bool,
) -> Result<(), String> {
    let state = current(host)?;
    count_verb(host, &state)?;
    if more {
        return Err("too many arguments".into());
    }
    if !may_wait {
        return Err(CANNOT_WAIT.into());
    }
    let call = Call::new(spec, [options, Value::Nil, Value::Nil], &host.names)?;
    let given = given(host, &call)?;
    let waits = call.flag("wait")?;
    if !waits && given.is_none() {
        return Err("without waiting there is nobody to join the leg: give run or number".into());
    }
    let originate = Originate {
        rounds: targets::rounds(&call.value("to")?.0)?,
        timeout: call.seconds("timeout")?.unwrap_or_default(),
        caller: targets::identity(&call.value("caller")?.0)?,
        run: None,
        waits,
    };
    let mut scratch = state.scratch.borrow_mut();
    scratch.asked = Some(spec);
    scratch.want = Some(Want::Originate(Box::new(originate), given));
    Ok(())
}

/// What is to be run for whoever answers.
fn given(host: &Host, call: &Call<'_>) -> Result<Option<Given>, String> {
    let (run, number) = (call.value("run")?.0, call.value("number")?.0);
    match (run, number) {
        (Value::Nil, Value::Nil) => Ok(None),
        (Value::Function(handler), Value::Nil) => Ok(Some(Given { handler, number: None })),
        (Value::Nil, number) => {
            let number = match &number {
                Value::String(text) => checked_text("number", text)?,
                Value::Integer(number) => number.to_string(),
                other => {
                    let got = describe(other);
                    return Err(format!("number: expected a string or a whole number, got {got}"));
                }
            };
            let Match::Route(route) = host.match_number(&number) else {
                return Err(format!("no route matches \"{number}\""));
            };
            let routes = host.routes.borrow();
            let route = routes.get(route.0).ok_or("that route is gone")?;
            Ok(Some(Given { handler: route.handler.clone(), number: Some(number) }))
        }
        (Value::Function(_), _) => Err("only one of run and number can be given".into()),
        (other, _) => Err(format!("run: expected a function, got {}", describe(&other))),
    }
}

fn hang_up(
    host: &Host,
    spec: &'static VerbSpec,
    number: &Value,
    more: bool,
    may_wait: bool,
) -> Result<(), String> {
    let state = current(host)?;
    count_verb(host, &state)?;
    if more {
        return Err("too many arguments".into());
    }
    let number = match number {
        Value::Integer(number) => *number,
        // Nobody answered there.
        Value::Boolean(_) => return Ok(()),
        _ => return Err("is called with a colon, as in leg:hangup()".into()),
    };
    if !may_wait {
        return Err(CANNOT_WAIT.into());
    }
    let mut scratch = state.scratch.borrow_mut();
    scratch.asked = Some(spec);
    scratch.want = Some(Want::Verb(Verb::HangupLeg(Leg(number.unsigned_abs()))));
    Ok(())
}

/// The leg of a `call:bridge`, from what our own Lua made of it.
pub(crate) fn leg_of(value: &Value) -> Result<Leg, String> {
    match value {
        Value::Integer(number) => Ok(Leg(number.unsigned_abs())),
        Value::Boolean(_) => Err("nobody answered there; look at the leg's status first".into()),
        _ => Err("expected a leg, as pbx.originate gives it back".into()),
    }
}

const CANNOT_WAIT: &str =
    "cannot wait in a function called by string.gsub, table.sort, tostring or require";
