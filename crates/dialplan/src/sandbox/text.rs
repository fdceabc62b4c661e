//! The string functions whose cost does not follow from the instructions that call them.
//!
//! Lua's own are one C call each that no hook can stop, so these have limits on lengths and steps.

use std::cell::Cell;
use std::rc::Rc;

use mlua::{Function, Lua, LuaString, MultiValue, Table, Value};

use super::matching::{Capture, Flaw, Matcher};
use crate::host::Host;
use crate::options::describe;

/// Bytes of a text that is searched or changed.
const TEXT_MAX: usize = 64 * 1024;
/// Bytes of a pattern.
const PATTERN_MAX: usize = 1_024;
/// Bytes that `string.rep` or `string.gsub` may make.
const RESULT_MAX: usize = 64 * 1024;
/// Steps of one search.
const STEPS_MAX: u64 = 200_000;
/// Bytes handled for what one Lua instruction costs.
const BYTES_PER_INSTRUCTION: u64 = 64;

/// Adds `rep find match gmatch gsub lower upper reverse` to the string library.
pub(super) fn add(lua: &Lua, host: &Rc<Host>, string: &Table) -> mlua::Result<()> {
    let on = |f: fn(&Host, &Lua, MultiValue) -> mlua::Result<MultiValue>| {
        let host = Rc::clone(host);
        lua.create_function(move |lua, values: MultiValue| f(&host, lua, values))
    };
    string.set("rep", on(rep)?)?;
    string.set("find", on(|host, lua, values| search(host, lua, values, true))?)?;
    string.set("match", on(|host, lua, values| search(host, lua, values, false))?)?;
    string.set("gsub", on(gsub)?)?;
    string.set("lower", on(|h, l, v| map(h, l, v, "lower", <[u8]>::make_ascii_lowercase))?)?;
    string.set("upper", on(|h, l, v| map(h, l, v, "upper", <[u8]>::make_ascii_uppercase))?)?;
    string.set("reverse", on(|h, l, v| map(h, l, v, "reverse", <[u8]>::reverse))?)?;
    let searching = Rc::clone(host);
    string.set(
        "gmatch",
        lua.create_function(move |lua, values: MultiValue| gmatch(&searching, lua, values))?,
    )
}

fn fail<T>(message: impl Into<String>) -> mlua::Result<T> {
    Err(mlua::Error::RuntimeError(message.into()))
}

fn flawed(name: &str, flaw: Flaw) -> mlua::Error {
    mlua::Error::RuntimeError(format!("string.{name}: {}", flaw.text()))
}

/// The text in argument `index`, from 0; numbers become text as everywhere in Lua.
fn text(lua: &Lua, values: &MultiValue, index: usize, name: &str) -> mlua::Result<LuaString> {
    let value = values.get(index).cloned().unwrap_or(Value::Nil);
    let kind = describe(&value);
    match lua.coerce_string(value)? {
        Some(text) => Ok(text),
        None => fail(format!("string.{name}: argument {} must be a string, got {kind}", index + 1)),
    }
}

fn whole(values: &MultiValue, index: usize, default: i64, name: &str) -> mlua::Result<i64> {
    match values.get(index) {
        None | Some(Value::Nil) => Ok(default),
        Some(Value::Integer(number)) => Ok(*number),
        Some(Value::Number(number)) if number.fract() == 0.0 => Ok(*number as i64),
        Some(other) => fail(format!(
            "string.{name}: argument {} must be a whole number, got {}",
            index + 1,
            describe(other)
        )),
    }
}

fn check_length(name: &str, text: &[u8], pattern: &[u8]) -> mlua::Result<()> {
    if text.len() > TEXT_MAX {
        return fail(format!("string.{name}: the text is longer than {TEXT_MAX} bytes"));
    }
    if pattern.len() > PATTERN_MAX {
        return fail(format!("string.{name}: the pattern is longer than {PATTERN_MAX} bytes"));
    }
    Ok(())
}

fn one(lua: &Lua, bytes: &[u8]) -> mlua::Result<MultiValue> {
    Ok(MultiValue::from_vec(vec![Value::String(lua.create_string(bytes)?)]))
}

fn map(
    host: &Host,
    lua: &Lua,
    values: MultiValue,
    name: &str,
    change: fn(&mut [u8]),
) -> mlua::Result<MultiValue> {
    let text = text(lua, &values, 0, name)?;
    let mut bytes = text.as_bytes().to_vec();
    check_length(name, &bytes, &[])?;
    host.meter.charge(bytes.len() as u64 / BYTES_PER_INSTRUCTION);
    change(&mut bytes);
    one(lua, &bytes)
}

fn rep(host: &Host, lua: &Lua, values: MultiValue) -> mlua::Result<MultiValue> {
    let text = text(lua, &values, 0, "rep")?;
    let count = usize::try_from(whole(&values, 1, 0, "rep")?).unwrap_or_default();
    let between = match values.get(2) {
        None | Some(Value::Nil) => None,
        Some(_) => Some(self::text(lua, &values, 2, "rep")?),
    };
    let bytes = text.as_bytes();
    let between = between.as_ref().map(|between| between.as_bytes());
    let between: &[u8] = between.as_deref().unwrap_or_default();
    let length = (bytes.len() + between.len()).checked_mul(count);
    let Some(length) = length.filter(|length| *length <= RESULT_MAX) else {
        return fail(format!("string.rep: the result is longer than {RESULT_MAX} bytes"));
    };
    host.meter.charge(length as u64 / BYTES_PER_INSTRUCTION);
    let mut result = Vec::with_capacity(length);
    if length > 0 {
        for i in 0..count {
            if i > 0 {
                result.extend_from_slice(between);
            }
            result.extend_from_slice(&bytes);
        }
    }
    one(lua, &result)
}

/// Where a search begins, from 0; `None` beyond the end.
fn start(init: i64, length: usize) -> Option<usize> {
    let from_end = || usize::try_from(init.unsigned_abs()).ok();
    let start = match init {
        0 => 0,
        1.. => usize::try_from(init).ok()? - 1,
        _ => length.saturating_sub(from_end()?),
    };
    (start <= length).then_some(start)
}

/// `find` and `match`.
fn search(host: &Host, lua: &Lua, values: MultiValue, find: bool) -> mlua::Result<MultiValue> {
    let name = if find { "find" } else { "match" };
    let subject = text(lua, &values, 0, name)?;
    let wanted = text(lua, &values, 1, name)?;
    let (bytes, pattern) = (subject.as_bytes(), wanted.as_bytes());
    check_length(name, &bytes, &pattern)?;
    let nothing = || Ok(MultiValue::from_vec(vec![Value::Nil]));
    let Some(start) = start(whole(&values, 2, 1, name)?, bytes.len()) else { return nothing() };
    let plain = find
        && (values
            .get(3)
            .is_some_and(|plain| !matches!(plain, Value::Nil | Value::Boolean(false)))
            || !pattern.iter().any(|c| b"^$*+?.([%-".contains(c)));
    if plain {
        host.meter.charge(bytes.len() as u64);
        let rest = bytes.get(start..).unwrap_or_default();
        let found = if pattern.is_empty() {
            Some(0)
        } else {
            rest.windows(pattern.len()).position(|window| window == &*pattern)
        };
        let Some(found) = found else { return nothing() };
        return Ok(MultiValue::from_vec(vec![
            position(start + found + 1),
            position(start + found + pattern.len()),
        ]));
    }
    let anchored = pattern.first() == Some(&b'^');
    let mut search = Search::new(host, name, &bytes, &pattern);
    let mut from = start;
    let end = loop {
        let end = search.tried(from, usize::from(anchored))?;
        if end.is_some() || anchored || from >= bytes.len() {
            break end;
        }
        from += 1;
    };
    let Some(end) = end else { return nothing() };
    let mut results = Vec::new();
    if find {
        results.extend([position(from + 1), position(end)]);
    }
    if !(find && search.captures().is_empty()) {
        results.extend(captures(lua, name, &bytes, search.captures(), from, end)?);
    }
    Ok(MultiValue::from_vec(results))
}

/// One search, charged when it is over, however that comes: a script may catch its failing and search
/// again.
struct Search<'h, 't> {
    host: &'h Host,
    name: &'static str,
    matcher: Matcher<'t>,
}

impl<'h, 't> Search<'h, 't> {
    fn new(host: &'h Host, name: &'static str, text: &'t [u8], pattern: &'t [u8]) -> Self {
        Self { host, name, matcher: Matcher::new(text, pattern, STEPS_MAX) }
    }

    /// Where a match of the pattern from its position `at` with the text at `from` ends.
    fn tried(&mut self, from: usize, at: usize) -> mlua::Result<Option<usize>> {
        self.matcher.matches(from, at).map_err(|flaw| flawed(self.name, flaw))
    }

    /// What the last match captured.
    fn captures(&self) -> &[Capture] {
        &self.matcher.captures
    }
}

impl Drop for Search<'_, '_> {
    fn drop(&mut self) {
        self.host.meter.charge(STEPS_MAX - self.matcher.steps_left());
    }
}

fn position(at: usize) -> Value {
    Value::Integer(i64::try_from(at).unwrap_or(i64::MAX))
}

/// The captures of a match, or all of it when there are none.
fn captures(
    lua: &Lua,
    name: &str,
    bytes: &[u8],
    captures: &[Capture],
    start: usize,
    end: usize,
) -> mlua::Result<Vec<Value>> {
    let whole = [Capture::Range { start, end }];
    let captures = if captures.is_empty() { &whole } else { captures };
    captures
        .iter()
        .map(|capture| match capture {
            Capture::Position { at } => Ok(position(at + 1)),
            Capture::Range { start, end } => {
                lua.create_string(bytes.get(*start..*end).unwrap_or_default()).map(Value::String)
            }
            Capture::Open { .. } => Err(flawed(name, Flaw::UnclosedCapture)),
        })
        .collect()
}

fn gmatch(host: &Rc<Host>, lua: &Lua, values: MultiValue) -> mlua::Result<Function> {
    let subject = text(lua, &values, 0, "gmatch")?;
    let wanted = text(lua, &values, 1, "gmatch")?;
    check_length("gmatch", &subject.as_bytes(), &wanted.as_bytes())?;
    let length = subject.as_bytes().len();
    let next = Cell::new(start(whole(&values, 2, 1, "gmatch")?, length));
    let last = Cell::new(None);
    let host = Rc::clone(host);
    lua.create_function(move |lua, ()| {
        let (bytes, pattern) = (subject.as_bytes(), wanted.as_bytes());
        let mut search = Search::new(&host, "gmatch", &bytes, &pattern);
        let mut from = next.get().unwrap_or(usize::MAX);
        while from <= bytes.len() {
            let end = search.tried(from, 0)?;
            if let Some(end) = end
                && Some(end) != last.get()
            {
                next.set(Some(end));
                last.set(Some(end));
                let found = captures(lua, "gmatch", &bytes, search.captures(), from, end)?;
                return Ok(MultiValue::from_vec(found));
            }
            from += 1;
        }
        next.set(None);
        Ok(MultiValue::from_vec(vec![Value::Nil]))
    })
}

fn gsub(host: &Host, lua: &Lua, values: MultiValue) -> mlua::Result<MultiValue> {
    let subject = text(lua, &values, 0, "gsub")?;
    let wanted = text(lua, &values, 1, "gsub")?;
    let (bytes, pattern) = (subject.as_bytes(), wanted.as_bytes());
    check_length("gsub", &bytes, &pattern)?;
    let replacement = values.get(2).cloned().unwrap_or(Value::Nil);
    let replacement = match replacement {
        Value::Table(_) | Value::Function(_) => replacement,
        other => {
            let kind = describe(&other);
            match lua.coerce_string(other)? {
                Some(text) => Value::String(text),
                None => {
                    return fail(format!(
                        "string.gsub: argument 3 must be a string, a table or a function, got \
                         {kind}"
                    ));
                }
            }
        }
    };
    let most = whole(&values, 3, i64::MAX, "gsub")?;
    let anchored = pattern.first() == Some(&b'^');
    let mut search = Search::new(host, "gsub", &bytes, &pattern);
    let mut result = Vec::with_capacity(bytes.len());
    let (mut from, mut count, mut last) = (0, 0, None);
    while count < most {
        let end = search.tried(from, usize::from(anchored))?;
        let end = end.filter(|end| Some(*end) != last);
        if let Some(end) = end {
            count += 1;
            let found = captures(lua, "gsub", &bytes, search.captures(), from, end)?;
            let whole = bytes.get(from..end).unwrap_or_default();
            replace(lua, &replacement, whole, found, &mut result)?;
            (from, last) = (end, Some(end));
        } else if let Some(c) = bytes.get(from) {
            result.push(*c);
            from += 1;
        } else {
            break;
        }
        if result.len() > RESULT_MAX {
            return fail(format!("string.gsub: the result is longer than {RESULT_MAX} bytes"));
        }
        if anchored || from > bytes.len() {
            break;
        }
    }
    result.extend_from_slice(bytes.get(from..).unwrap_or_default());
    Ok(MultiValue::from_vec(vec![
        Value::String(lua.create_string(&result)?),
        Value::Integer(count),
    ]))
}

/// Appends what takes the place of one match.
fn replace(
    lua: &Lua,
    replacement: &Value,
    whole: &[u8],
    captures: Vec<Value>,
    result: &mut Vec<u8>,
) -> mlua::Result<()> {
    let first = captures.first().cloned().unwrap_or(Value::Nil);
    let value = match replacement {
        Value::Table(table) => table.get::<Value>(first)?,
        Value::Function(function) => function.call::<Value>(MultiValue::from_vec(captures))?,
        Value::String(template) => {
            return fill(lua, &template.as_bytes(), whole, &captures, result);
        }
        _ => Value::Nil,
    };
    let kind = describe(&value);
    match value {
        Value::Nil | Value::Boolean(false) => result.extend_from_slice(whole),
        value => match lua.coerce_string(value)? {
            Some(text) => result.extend_from_slice(&text.as_bytes()),
            None => return fail(format!("string.gsub: the replacement is {kind}")),
        },
    }
    Ok(())
}

/// Appends a replacement string with its `%0` to `%9`.
fn fill(
    lua: &Lua,
    template: &[u8],
    whole: &[u8],
    captures: &[Value],
    result: &mut Vec<u8>,
) -> mlua::Result<()> {
    let mut bytes = template.iter();
    while let Some(c) = bytes.next() {
        if *c != b'%' {
            result.push(*c);
            continue;
        }
        match bytes.next() {
            Some(b'%') => result.push(b'%'),
            Some(b'0') => result.extend_from_slice(whole),
            Some(digit @ b'1'..=b'9') => {
                let Some(value) = captures.get(usize::from(digit - b'1')) else {
                    return Err(flawed("gsub", Flaw::WrongCapture));
                };
                if let Some(text) = lua.coerce_string(value.clone())? {
                    result.extend_from_slice(&text.as_bytes());
                }
            }
            _ => return fail("string.gsub: invalid use of '%' in replacement string"),
        }
        if result.len() > RESULT_MAX {
            return fail(format!("string.gsub: the result is longer than {RESULT_MAX} bytes"));
        }
    }
    Ok(())
}
