//! From the values a script passes to `http`, `db` and `shared.lock` to a checked [`Verb`].
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not expected is refused alike"
)]

use std::fmt::Write as _;

use mlua::{LuaString, MultiValue, Table, Value};

use crate::error::Place;
use crate::host::Host;
use crate::json::{self, Json, Problem, Style};
use crate::options::{Call, checked_text, describe};
use crate::outside::{Fetch, Query, SqlValue, SqlValues, Statement, Wants};
use crate::verb::Verb;
use crate::verbs::{BODY_BYTES, Library, VerbSpec};

/// Reads what a script passed to a function of a library in which it waits.
///
/// # Errors
/// What is wrong with it, in words, without the function's name.
pub(crate) fn ask_beside(
    spec: &'static VerbSpec,
    values: MultiValue,
    host: &Host,
    json: &Json,
    at: Option<&Place>,
) -> Result<Verb, Problem> {
    let at = at.map(|place| (place.file.clone(), place.line));
    if spec.library == Library::Db {
        return query(spec.name, values, at).map(|query| Verb::Query(Box::new(query)));
    }
    let mut values = values.into_iter();
    let given = [(); 3].map(|()| values.next().unwrap_or(Value::Nil));
    if values.next().is_some() {
        return fail("too many arguments");
    }
    let call = Call::new(spec, given, &host.names).map_err(Problem::Text)?;
    match (spec.library, spec.name) {
        (Library::Http, name) => fetch(&call, name, host, json, at).map(Box::new).map(Verb::Fetch),
        (Library::Global, "sleep") => {
            let length = call.seconds("seconds").map_err(Problem::Text)?;
            Ok(Verb::Sleep(length.unwrap_or_default()))
        }
        (Library::Shared, "lock") => lock(&call).map_err(Problem::Text),
        _ => fail("is not a function that waits"),
    }
}

fn fail<T>(problem: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::Text(problem.into()))
}

fn lock(call: &Call<'_>) -> Result<Verb, String> {
    Ok(Verb::Lock {
        name: call.text("key")?.unwrap_or_default(),
        timeout: call.seconds("timeout")?.unwrap_or_default(),
    })
}

// HTTP --------------------------------------------------------------------------------------------

fn fetch(
    call: &Call<'_>,
    name: &str,
    host: &Host,
    json: &Json,
    at: Option<(String, u32)>,
) -> Result<Fetch, Problem> {
    let method = match name {
        "get" => "GET",
        "post" => "POST",
        _ => call.word("method").map_err(Problem::Text)?.unwrap_or("GET"),
    };
    let mut url = url(call)?;
    let mut pairs = String::new();
    add_pairs("query", &call.value("query").map_err(Problem::Text)?.0, &mut pairs)?;
    if !pairs.is_empty() {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(&pairs);
    }
    if url.len() > URL_BYTES_MAX {
        return fail(format!("the address is longer than {URL_BYTES_MAX} bytes"));
    }
    let mut headers = headers(&call.value("headers").map_err(Problem::Text)?.0)?;
    let (body, kind) = match name {
        "get" => (Vec::new(), None),
        _ => body(call, host, json)?,
    };
    let has_kind = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if let (Some(kind), false) = (kind, has_kind) {
        headers.push(("Content-Type".into(), kind.into()));
    }
    host.meter.charge(body.len() as u64 / BYTES_PER_INSTRUCTION);
    let seconds = call.seconds("timeout").map_err(Problem::Text)?;
    let whole = |name| call.whole(name).map_err(Problem::Text);
    Ok(Fetch {
        method: method.into(),
        url,
        headers,
        body,
        timeout: seconds.unwrap_or_default(),
        body_bytes_max: whole("max_bytes")?.unwrap_or(BODY_BYTES).unsigned_abs() as usize,
        redirects_max: whole("redirects")?.and_then(|n| u8::try_from(n).ok()).unwrap_or_default(),
        at,
    })
}

/// An address that is one as it stands: nothing in it needs to be guessed or escaped.
fn url(call: &Call<'_>) -> Result<String, Problem> {
    let (value, _) = call.value("url").map_err(Problem::Text)?;
    let text = match &value {
        Value::String(text) => text.to_string_lossy(),
        Value::Nil => return fail("url is missing; expected the whole address"),
        other => return fail(format!("url: expected a string, got {}", describe(other))),
    };
    // Without the fragment, which is no part of what is asked for.
    let text = text.split('#').next().unwrap_or_default();
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return fail("url must begin with https:// or http://");
    };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    if host.is_empty() {
        return fail("url has no host");
    }
    if host.contains('@') {
        return fail("url has a user in it; put that into the header Authorization");
    }
    if let Some(odd) = text.chars().find(|c| !c.is_ascii_graphic() || "\"<>\\^`{|}".contains(*c)) {
        return fail(format!(
            "url has {} in it, which must be escaped; values belong into the option query",
            if odd == ' ' { "a space".to_owned() } else { format!("{odd:?}") }
        ));
    }
    Ok(text.to_owned())
}

/// What is sent, and what kind of thing that is.
fn body(
    call: &Call<'_>,
    host: &Host,
    json: &Json,
) -> Result<(Vec<u8>, Option<&'static str>), Problem> {
    let value = |name| call.value(name).map(|(value, _)| value).map_err(Problem::Text);
    let (plain, form, structured) = (value("body")?, value("form")?, value("json")?);
    let given = [&plain, &form, &structured].iter().filter(|value| !value.is_nil()).count();
    if given > 1 {
        return fail("only one of body, form and json can be sent");
    }
    let (body, kind) = match (plain, form, structured) {
        (Value::String(text), _, _) => (text.as_bytes().to_vec(), None),
        (Value::Nil, Value::Nil, Value::Nil) => (Vec::new(), None),
        (Value::Nil, Value::Nil, value) => {
            let text =
                json::write(host, json, &value, Style::Compact).map_err(
                    |problem| match problem {
                        Problem::Text(text) => Problem::Text(format!("json: {text}")),
                        lua @ Problem::Lua(_) => lua,
                    },
                )?;
            (text, Some("application/json"))
        }
        (Value::Nil, form, _) => {
            let mut text = String::new();
            add_pairs("form", &form, &mut text)?;
            (text.into_bytes(), Some("application/x-www-form-urlencoded"))
        }
        (other, _, _) => {
            return fail(format!("body: expected a string, got {}", describe(&other)));
        }
    };
    if body.len() > SENT_BYTES_MAX {
        return fail(format!("what is sent is longer than {SENT_BYTES_MAX} bytes"));
    }
    Ok((body, kind))
}

/// Names and values as a form writes them, in the order of their names.
fn add_pairs(what: &str, value: &Value, text: &mut String) -> Result<(), Problem> {
    let table = match value {
        Value::Nil => return Ok(()),
        Value::Table(table) => table,
        other => return fail(format!("{what}: expected a table, got {}", describe(other))),
    };
    let mut pairs = Vec::new();
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair.map_err(Problem::Lua)?;
        let Value::String(key) = &key else {
            return fail(format!("{what}: names are strings, but one is {}", describe(&key)));
        };
        let value = match &value {
            Value::String(text) => text.as_bytes().to_vec(),
            Value::Integer(number) => number.to_string().into_bytes(),
            Value::Number(number) => number.to_string().into_bytes(),
            Value::Boolean(flag) => flag.to_string().into_bytes(),
            other => {
                let name = key.to_string_lossy();
                return fail(format!("{what}: {name} is {}", describe(other)));
            }
        };
        pairs.push((key.as_bytes().to_vec(), value));
        if pairs.len() > PAIRS_MAX {
            return fail(format!("{what}: more than {PAIRS_MAX} names"));
        }
    }
    pairs.sort();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        escape(&name, text);
        text.push('=');
        escape(&value, text);
        if text.len() > SENT_BYTES_MAX {
            return fail(format!("{what}: longer than {SENT_BYTES_MAX} bytes"));
        }
    }
    Ok(())
}

/// Percent-encodes all but what never needs it (RFC 3986 §2.3).
fn escape(bytes: &[u8], text: &mut String) {
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            // Writing to a string cannot fail.
            write!(text, "%{byte:02X}").unwrap_or_default();
        }
    }
}

/// Header lines that a request may carry, in the order of their names.
pub(crate) fn headers(value: &Value) -> Result<Vec<(String, String)>, Problem> {
    let table = match value {
        Value::Nil => return Ok(Vec::new()),
        Value::Table(table) => table,
        other => return fail(format!("headers: expected a table, got {}", describe(other))),
    };
    let mut headers = Vec::new();
    for pair in table.pairs::<Value, Value>() {
        let (name, value) = pair.map_err(Problem::Lua)?;
        let Value::String(name) = &name else {
            return fail(format!("headers: names are strings, but one is {}", describe(&name)));
        };
        let name = name.to_string_lossy();
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || name.len() > 64 || !name.bytes().all(token) {
            return fail("headers: a name has characters that cannot stand there");
        }
        if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            return fail(format!("headers: {name} cannot be set by a script"));
        }
        // Never the value itself in a message: it may be a secret.
        let value = match &value {
            Value::String(value) => value.to_string_lossy(),
            Value::Integer(value) => value.to_string(),
            other => {
                return fail(format!(
                    "headers: {name}: expected a string, got {}",
                    describe(other)
                ));
            }
        };
        if value.len() > HEADER_BYTES_MAX {
            return fail(format!("headers: {name} is longer than {HEADER_BYTES_MAX} bytes"));
        }
        if value.bytes().any(|byte| byte < 0x20 || byte == 0x7F) {
            return fail(format!("headers: {name} has a line end or another control character"));
        }
        headers.push((name, value));
        if headers.len() > PAIRS_MAX {
            return fail(format!("headers: more than {PAIRS_MAX}"));
        }
    }
    headers.sort();
    Ok(headers)
}

/// What the client itself is in charge of.
const OWN_HEADERS: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Bytes of an address.
const URL_BYTES_MAX: usize = 4_096;
/// Bytes of a body that is sent.
const SENT_BYTES_MAX: usize = 256 * 1024;
/// Bytes of one header's value.
const HEADER_BYTES_MAX: usize = 4_096;
/// Names in a query, a form or headers.
const PAIRS_MAX: usize = 64;
/// Bytes copied for what one Lua instruction costs.
const BYTES_PER_INSTRUCTION: u64 = 16;

// Database ----------------------------------------------------------------------------------------

fn query(name: &str, values: MultiValue, at: Option<(String, u32)>) -> Result<Query, Problem> {
    let mut values: Vec<Value> = values.into_iter().collect();
    let (wants, statements) = match name {
        "transaction" => (Wants::Transaction, transaction(&values)?),
        _ => {
            if values.is_empty() {
                return fail("sql is missing; expected a statement");
            }
            let sql = values.remove(0);
            let wants = if name == "query" { Wants::Rows } else { Wants::Changes };
            (wants, vec![statement(&sql, values)?])
        }
    };
    Ok(Query { wants, statements, at })
}

fn transaction(values: &[Value]) -> Result<Vec<Statement>, Problem> {
    let list = match values {
        [Value::Table(list)] => list,
        _ => {
            return fail("expected one list of statements, each a list: { { \"DELETE ...\", 7 } }");
        }
    };
    let length = list.raw_len();
    if length == 0 || length > STATEMENTS_MAX {
        return fail(format!("expected 1 to {STATEMENTS_MAX} statements, got {length}"));
    }
    let mut statements = Vec::with_capacity(length);
    for index in 1..=length {
        let entry: Value = list.raw_get(index).map_err(Problem::Lua)?;
        let Value::Table(entry) = &entry else {
            return fail(format!("statement {index} is {}, not a list", describe(&entry)));
        };
        let read = in_order(entry).and_then(|mut values| {
            if values.is_empty() {
                return fail("has no text");
            }
            let sql = values.remove(0);
            statement(&sql, values)
        });
        statements.push(read.map_err(|problem| match problem {
            Problem::Text(text) => Problem::Text(format!("statement {index}: {text}")),
            lua @ Problem::Lua(_) => lua,
        })?);
    }
    Ok(statements)
}

/// The values of a list that may have holes.
fn in_order(list: &Table) -> Result<Vec<Value>, Problem> {
    let mut values = Vec::new();
    for pair in list.pairs::<Value, Value>() {
        let (key, value) = pair.map_err(Problem::Lua)?;
        let index = key.as_integer().and_then(|index| usize::try_from(index).ok());
        let Some(index) = index.filter(|index| (1..=VALUES_MAX + 1).contains(index)) else {
            return fail("is a list of its text and its values; values by name go into one table");
        };
        if values.len() < index {
            values.resize(index, Value::Nil);
        }
        if let Some(place) = values.get_mut(index - 1) {
            *place = value;
        }
    }
    Ok(values)
}

fn statement(sql: &Value, values: Vec<Value>) -> Result<Statement, Problem> {
    let Value::String(sql) = sql else {
        return fail(format!("sql: expected a string, got {}", describe(sql)));
    };
    let sql = match sql.to_str() {
        Ok(sql) if sql.len() > SQL_BYTES_MAX => {
            return fail(format!("sql is longer than {SQL_BYTES_MAX} bytes"));
        }
        Ok(sql) if sql.contains('\0') => return fail("sql has a null byte in it"),
        Ok(sql) => (*sql).to_owned(),
        Err(_) => return fail("sql is not UTF-8 text"),
    };
    let values = match values.as_slice() {
        [Value::Table(table)] => {
            let mut named = Vec::new();
            for pair in table.pairs::<Value, Value>() {
                let (key, value) = pair.map_err(Problem::Lua)?;
                let Value::String(key) = &key else {
                    return fail(
                        "a table of values has names as keys; give values for ? one by one",
                    );
                };
                let key = checked_text("a name", key).map_err(Problem::Text)?;
                let value = sql_value(&format!(":{key}"), &value)?;
                named.push((key, value));
            }
            named.sort_by(|(one, _), (other, _)| one.cmp(other));
            SqlValues::Named(named)
        }
        values => {
            let mut in_order = Vec::new();
            for (index, value) in values.iter().enumerate() {
                in_order.push(sql_value(&format!("value {}", index + 1), value)?);
            }
            SqlValues::InOrder(in_order)
        }
    };
    let count = match &values {
        SqlValues::InOrder(values) => values.len(),
        SqlValues::Named(values) => values.len(),
    };
    if count > VALUES_MAX {
        return fail(format!("more than {VALUES_MAX} values"));
    }
    Ok(Statement { sql, values })
}

fn sql_value(what: &str, value: &Value) -> Result<SqlValue, Problem> {
    let text = |text: &LuaString| {
        if text.as_bytes().len() > VALUE_BYTES_MAX {
            return fail(format!("{what} is longer than {VALUE_BYTES_MAX} bytes"));
        }
        Ok(match text.to_str() {
            Ok(text) => SqlValue::Text((*text).to_owned()),
            Err(_) => SqlValue::Blob(text.as_bytes().to_vec()),
        })
    };
    match value {
        value if value.is_null() => Ok(SqlValue::Null),
        Value::Nil => Ok(SqlValue::Null),
        Value::Boolean(flag) => Ok(SqlValue::Integer((*flag).into())),
        Value::Integer(number) => Ok(SqlValue::Integer(*number)),
        Value::Number(number) => Ok(SqlValue::Real(*number)),
        Value::String(value) => text(value),
        Value::Table(_) => fail(format!("{what} is a table; json.encode makes text of it")),
        other => fail(format!("{what} is {}", describe(other))),
    }
}

/// Statements of one transaction.
const STATEMENTS_MAX: usize = 100;
/// Values of one statement.
const VALUES_MAX: usize = 100;
/// Bytes of one statement.
const SQL_BYTES_MAX: usize = 16 * 1024;
/// Bytes of one value.
const VALUE_BYTES_MAX: usize = 64 * 1024;
