//! `t:asks`, `t:http`, `t:requests`, `t:db`, `t:db_fails`, `t:speech`: the world outside of the office.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not expected is refused alike"
)]

use std::time::Duration;

use dialplan::aside::{Aside, Stop};
use dialplan::{Library, VerbSpec};
use mlua::{Function, Lua, Table, Value};
use pbx::{
    Allowed, Distrust, FetchError, Fetched, SpeechError, SqlValue, WebRequest, WebResponse,
    WebTrust,
};

use crate::api::HTTP_ANSWER;
use crate::given::Given;
use crate::outside::{self, Reply, Request, Stub};
use crate::session::{Problem, Session};
use crate::show::describe;
use crate::worker::CASE;

/// Says how another program answers.
pub(super) fn http(session: &Session, given: &Given) -> Result<Value, Problem> {
    let (method, url) = (given.needed("method")?, given.needed("url")?);
    let reply = match given.value("with") {
        Value::Function(function) => Reply::From(function),
        _ => Reply::Given(answer(session.aside()?.library(), given)?),
    };
    // What a test answers is allowed there; of an address that ends with a `*`, all below its path.
    let address = url.split(['?', '*']).next().unwrap_or_default();
    let folder = if url.ends_with('*') { address.rsplit_once('/') } else { None };
    let address = folder.map_or(address.to_owned(), |(folder, _)| format!("{folder}/"));
    let allowed = Allowed::parse(&address)
        .map_err(|problem| Problem::Misuse(format!("url: \"{url}\" {problem}")))?;
    session.allow(allowed);
    session.outside().add(Stub { method, url, reply });
    Ok(Value::Nil)
}

/// Says how the synthesiser does.
pub(super) fn speech(session: &Session, given: &Given) -> Result<(), Problem> {
    let fails = given.word("fails")?.map(|word| match word {
        "timeout" => SpeechError::Timeout,
        "busy" => SpeechError::Busy,
        _ => SpeechError::Broken("the test wants it so".to_owned()),
    });
    let delay = given.seconds("delay")?.unwrap_or_default();
    session.outside().set_speech(outside::Speaks { delay, fails });
    Ok(())
}

/// What the options of `t:http` say; a table that its function gives back says the same.
fn answer(library: &Table, given: &Given) -> Result<outside::Given, Problem> {
    let after = given.seconds("delay")?.unwrap_or(ANSWER_USUAL);
    if given.flag("never")? == Some(true) {
        return Ok(outside::Given { after, answer: None });
    }
    if let Some(word) = given.word("fails")? {
        return Ok(outside::Given { after, answer: Some(Err(fault(word))) });
    }
    let (headers, body) = content(library, given)?;
    let status = given.whole("status")?.and_then(|status| u16::try_from(status).ok());
    let fetched = Fetched { status: status.unwrap_or(200), headers, body };
    Ok(outside::Given { after, answer: Some(Ok(fetched)) })
}

/// Names and values.
type Headers = Vec<(String, String)>;

/// Headers, with names in lower case, and the body that `body` or `json` say.
fn content(library: &Table, given: &Given) -> Result<(Headers, Vec<u8>), Problem> {
    let mut headers = given.headers("headers")?;
    for (name, _) in &mut headers {
        name.make_ascii_lowercase();
    }
    let body = match (given.value("body"), given.value("json")) {
        (Value::Nil, Value::Nil) => Vec::new(),
        (Value::String(text), Value::Nil) => text.as_bytes().to_vec(),
        (Value::Nil, json) => {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
            let encode: Function = library.get::<Table>("json")?.get("encode")?;
            let text = encode
                .call::<mlua::LuaString>(json)
                .map_err(|error| Problem::Misuse(dialplan::aside::explained(&error).message))?;
            text.as_bytes().to_vec()
        }
        _ => return Err(Problem::Misuse("body is a string; give it or json, not both".into())),
    };
    Ok((headers, body))
}

/// Asks a webhook of the scripts something, and waits for the answer.
pub(super) fn asks(lua: &Lua, session: &Session, given: &Given) -> Result<Value, Problem> {
    let (headers, body) = content(session.aside()?.library(), given)?;
    let (method, path) = (given.needed("method")?, given.needed("path")?);
    if path.contains('?') {
        return Err(Problem::Misuse("what follows the question mark belongs into `query`".into()));
    }
    let (asked, query) = (format!("{method} {path}"), given.headers("query")?);
    let trust =
        if given.flag("token")? == Some(false) { WebTrust::Stranger } else { WebTrust::Proven };
    let within = given.seconds("within")?.unwrap_or(ASKED_USUAL);
    let id = session.office()?.ask(WebRequest { method, path, query, headers, body }, trust);
    if !session.until(within, |office| office.is_answered(id))? {
        return Err(Problem::Unmet {
            expected: format!("an answer to {asked} within {} s", within.as_secs_f64()),
            instead: "there was none".into(),
        });
    }
    let answer = session.office()?.answer_to(id);
    answered(lua, session, answer.unwrap_or_else(|| WebResponse::text(500, "")))
}

/// An answer, on its way to Lua.
fn answered(lua: &Lua, session: &Session, answer: WebResponse) -> Result<Value, Problem> {
    let WebResponse { status, headers, body } = answer;
    let (table, named) = (lua.create_table()?, lua.create_table()?);
    let mut is_json = false;
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        is_json |= name == "content-type" && value.starts_with("application/json");
        named.raw_set(name, value)?;
    }
    let body = lua.create_string(body)?;
    if is_json {
        let decode: Function = session.aside()?.library().get::<Table>("json")?.get("decode")?;
        table.raw_set("json", decode.call::<Value>(&body)?)?;
    }
    table.raw_set("status", status)?;
    table.raw_set("headers", named)?;
    table.raw_set("body", body)?;
    Ok(Value::Table(table))
}

fn fault(word: &str) -> FetchError {
    match word {
        "timeout" => FetchError::Timeout,
        "no such host" => FetchError::NoSuchHost,
        "not trusted" => FetchError::NotTrusted(Distrust::Unknown),
        "too large" => FetchError::TooLarge,
        "busy" => FetchError::Busy,
        "broken" => FetchError::Broken,
        _ => FetchError::Refused,
    }
}

/// What a test's function gives back for a request.
pub(crate) fn answer_of(
    aside: &Aside,
    function: &Function,
    request: &Request,
) -> Result<outside::Given, Stop> {
    let values = aside.run(function, FoundRequest(request.clone()), CASE)?;
    let value = values.into_iter().next().unwrap_or(Value::Nil);
    let wrong = |problem: String| {
        let problem = format!("t:http: the function gave back {}: {problem}", describe(&value));
        Stop::Raised(mlua::Error::RuntimeError(problem))
    };
    if !matches!(value, Value::Table(_)) {
        return Err(wrong("expected a table such as { status = 200, body = \"\" }".into()));
    }
    let given = Given::new(&ANSWER, [value.clone()]).map_err(&wrong)?;
    answer(aside.library(), &given).map_err(|problem| match problem {
        Problem::Raised(error) => Stop::Raised(error),
        Problem::Misuse(text) => wrong(text),
        Problem::Unmet { .. } | Problem::Script(_) => wrong("it cannot be read".into()),
    })
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

/// The requests that scripts sent.
pub(super) fn requests(lua: &Lua, session: &Session, given: &Given) -> Result<Value, Problem> {
    let (method, url) = (given.text("method")?, given.text("url")?);
    let fits = |request: &Request| {
        method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&request.method))
            && url.as_ref().is_none_or(|url| outside::is_address(url, &request.url))
    };
    let sent = session.outside().requests().into_iter().filter(fits).map(FoundRequest);
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

/// How long a test waits for the answer of a webhook, unless it says.
const ASKED_USUAL: Duration = Duration::from_secs(30);
/// How long another program takes unless the test says.
const ANSWER_USUAL: Duration = Duration::from_millis(20);
/// What a function gives back for a request, read as options are.
const ANSWER: VerbSpec = VerbSpec {
    library: Library::Test("t"),
    name: "http",
    options: HTTP_ANSWER,
    ..VerbSpec::FUNCTION
};
