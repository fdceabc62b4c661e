//! `t:http`, `t:requests`, `t:db`, `t:db_fails`: the world outside of the office.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not expected is refused alike"
)]

use std::time::Duration;

use mlua::{Function, Lua, Table, Value};
use pbx::{Allowed, FetchError, Fetched, SqlValue};

use crate::given::Given;
use crate::outside::{self, Reply, Request, Stub};
use crate::session::{Problem, Session};

/// Says how another program answers.
pub(super) fn http(session: &Session, given: &Given) -> Result<Value, Problem> {
    let (method, url) = (given.needed("method")?, given.needed("url")?);
    let address = url.split('?').next().unwrap_or_default();
    let allowed = Allowed::parse(address)
        .map_err(|problem| Problem::Misuse(format!("url: \"{url}\" {problem}")))?;
    let reply = match given.value("with") {
        Value::Function(function) => Reply::From(function),
        _ => Reply::Given(answer(session, given)?),
    };
    session.allow(allowed);
    session.outside().add(Stub { method, url, reply });
    Ok(Value::Nil)
}

fn answer(session: &Session, given: &Given) -> Result<outside::Given, Problem> {
    let after = given.seconds("delay")?.unwrap_or(ANSWER_USUAL);
    if let Some(word) = given.word("fails")? {
        return Ok(outside::Given { after, answer: Err(fault(word)) });
    }
    let mut headers = given.headers("headers")?;
    for (name, _) in &mut headers {
        name.make_ascii_lowercase();
    }
    let body = match (given.value("body"), given.value("json")) {
        (Value::Nil, Value::Nil) => Vec::new(),
        (Value::String(text), Value::Nil) => text.as_bytes().to_vec(),
        (Value::Nil, json) => {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
            let library: Table = session.aside().library().get("json")?;
            library.get::<Function>("encode")?.call::<mlua::LuaString>(json)?.as_bytes().to_vec()
        }
        _ => return Err(Problem::Misuse("body is a string; give it or json, not both".into())),
    };
    let status = given.whole("status")?.and_then(|status| u16::try_from(status).ok());
    let fetched = Fetched { status: status.unwrap_or(200), headers, body };
    Ok(outside::Given { after, answer: Ok(fetched) })
}

fn fault(word: &str) -> FetchError {
    match word {
        "timeout" => FetchError::Timeout,
        "no such host" => FetchError::NoSuchHost,
        "not trusted" => FetchError::NotTrusted,
        "too large" => FetchError::TooLarge,
        "busy" => FetchError::Busy,
        "broken" => FetchError::Broken,
        _ => FetchError::Refused,
    }
}

/// What a test's function gives back for a request: a table like the options of `t:http`.
pub(crate) fn answer_of(function: &Function, request: &Request) -> mlua::Result<outside::Given> {
    let wrong = |problem: &str| {
        mlua::Error::RuntimeError(format!("a function that answers a request gives back {problem}"))
    };
    let given: Value = function.call(FoundRequest(request.clone()))?;
    let Value::Table(given) = given else {
        return Err(wrong("a table such as { status = 200, body = \"\" }"));
    };
    let after = given.get::<Option<f64>>("delay")?.unwrap_or(ANSWER_USUAL.as_secs_f64());
    let after =
        Duration::try_from_secs_f64(after).map_err(|_| wrong("a delay of at least 0 seconds"))?;
    if let Some(word) = given.get::<Option<String>>("fails")? {
        return Ok(outside::Given { after, answer: Err(fault(&word)) });
    }
    let mut headers = Vec::new();
    if let Some(table) = given.get::<Option<Table>>("headers")? {
        for pair in table.pairs::<String, String>() {
            let (name, value) = pair?;
            headers.push((name.to_ascii_lowercase(), value));
        }
        headers.sort();
    }
    let body = given.get::<Option<mlua::LuaString>>("body")?;
    let body = body.map(|body| body.as_bytes().to_vec()).unwrap_or_default();
    let status = given.get::<Option<u16>>("status")?.unwrap_or(200);
    Ok(outside::Given { after, answer: Ok(Fetched { status, headers, body }) })
}

/// A request, on its way to Lua.
struct FoundRequest(Request);

impl mlua::IntoLua for FoundRequest {
    fn into_lua(self, lua: &Lua) -> mlua::Result<Value> {
        let Request { method, url, headers, body } = self.0;
        let table = lua.create_table()?;
        table.raw_set("method", method)?;
        table.raw_set("url", url)?;
        table.raw_set("body", lua.create_string(body)?)?;
        let named = lua.create_table()?;
        for (name, value) in headers {
            named.raw_set(name.to_ascii_lowercase(), value)?;
        }
        table.raw_set("headers", named)?;
        Ok(Value::Table(table))
    }
}

/// Every request that scripts sent.
pub(super) fn requests(lua: &Lua, session: &Session) -> Result<Value, Problem> {
    let sent = session.outside().requests().into_iter().map(FoundRequest);
    Ok(Value::Table(lua.create_sequence_from(sent)?))
}

/// Asks the scripts' database.
pub(super) fn db(lua: &Lua, session: &Session, given: &Given) -> Result<Value, Problem> {
    let Value::String(sql) = given.value("sql") else {
        return Err(Problem::Misuse("sql: expected a text".into()));
    };
    let mut values = Vec::new();
    if let Value::Table(list) = given.value("values") {
        for value in list.sequence_values::<Value>() {
            values.push(to_sql(&value?)?);
        }
    }
    let (columns, rows) =
        session.outside().look(sql.to_string_lossy(), values).map_err(Problem::Misuse)?;
    let list = lua.create_table()?;
    for row in rows {
        let table = lua.create_table()?;
        for (name, value) in columns.iter().zip(row) {
            table.raw_set(name.as_str(), from_sql(lua, value)?)?;
        }
        list.raw_push(table)?;
    }
    Ok(Value::Table(list))
}

fn to_sql(value: &Value) -> Result<SqlValue, Problem> {
    match value {
        Value::Nil => Ok(SqlValue::Null),
        Value::Boolean(flag) => Ok(SqlValue::Integer((*flag).into())),
        Value::Integer(number) => Ok(SqlValue::Integer(*number)),
        Value::Number(number) => Ok(SqlValue::Real(*number)),
        Value::String(text) => Ok(SqlValue::Text(text.to_string_lossy())),
        other => {
            Err(Problem::Misuse(format!("values: {} cannot be in a database", other.type_name())))
        }
    }
}

fn from_sql(lua: &Lua, value: SqlValue) -> mlua::Result<Value> {
    Ok(match value {
        SqlValue::Null => Value::Nil,
        SqlValue::Integer(number) => Value::Integer(number),
        SqlValue::Real(number) => Value::Number(number),
        SqlValue::Text(text) => Value::String(lua.create_string(text)?),
        SqlValue::Blob(bytes) => Value::String(lua.create_string(bytes)?),
    })
}

/// How long another program takes unless the test says.
const ANSWER_USUAL: Duration = Duration::from_millis(20);
