//! `webhook`: functions that other programs call over HTTP.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not expected is refused alike"
)]

use std::fmt;
use std::rc::Rc;

use mlua::{Function, Lua, Table, Value};

use crate::error::Place;
use crate::host::{Host, place, placed};
use crate::json::{self, Json, Problem, Style};
use crate::options::describe;

/// A request of another program.
#[derive(Clone, PartialEq, Eq)]
pub struct WebRequest {
    /// `GET`, `POST` and the like.
    pub method: String,
    /// Without what follows a question mark.
    pub path: String,
    /// Names and values after the question mark, unescaped.
    pub query: Vec<(String, String)>,
    /// In order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// May be empty.
    pub body: Vec<u8>,
}

/// Headers, query and body may hold secrets.
impl fmt::Debug for WebRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// What it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebResponse {
    /// 200 to 599.
    pub status: u16,
    /// In order; names and values can stand in a header as they are.
    pub headers: Vec<(String, String)>,
    /// May be empty.
    pub body: Vec<u8>,
}

impl WebResponse {
    /// A status with a line of text.
    pub fn text(status: u16, text: &str) -> Self {
        let headers = vec![("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())];
        Self { status, headers, body: format!("{text}\n").into_bytes() }
    }
}

/// Names a webhook of one generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WebhookId(pub(crate) usize);

/// What a request leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebMatch {
    /// A function answers it.
    Webhook {
        /// Which.
        id: WebhookId,
        /// Whether it answers those who proved nothing about themselves.
        public: bool,
    },
    /// There is one, for these methods only.
    OtherMethods(Vec<&'static str>),
    /// Nothing.
    None,
}

/// A function with its path.
pub(crate) struct Webhook {
    path: String,
    methods: Vec<&'static str>,
    public: bool,
    pub(crate) at: Place,
    pub(crate) handler: Function,
}

impl Webhook {
    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

/// Finds what answers a request.
pub(crate) fn find(webhooks: &[Webhook], method: &str, path: &str) -> WebMatch {
    let there = || webhooks.iter().enumerate().filter(|(_, hook)| hook.path == path);
    if let Some((id, hook)) = there().find(|(_, hook)| hook.methods.contains(&method)) {
        return WebMatch::Webhook { id: WebhookId(id), public: hook.public };
    }
    let mut methods: Vec<&'static str> =
        there().flat_map(|(_, hook)| hook.methods.iter().copied()).collect();
    methods.sort_unstable();
    if methods.is_empty() { WebMatch::None } else { WebMatch::OtherMethods(methods) }
}

/// A request as the values that the prelude makes a table of.
pub(crate) fn values(lua: &Lua, request: &WebRequest) -> mlua::Result<Vec<Value>> {
    let WebRequest { method, path, query, headers, body } = request;
    let named = |pairs: &[(String, String)], between: &str| -> mlua::Result<Value> {
        let table = lua.create_table()?;
        for (name, value) in pairs {
            let value = match table.raw_get::<Option<String>>(name.as_str())? {
                Some(before) => format!("{before}{between}{value}"),
                None => value.clone(),
            };
            table.raw_set(name.as_str(), value)?;
        }
        Ok(Value::Table(table))
    };
    Ok(vec![
        Value::String(lua.create_string(method)?),
        Value::String(lua.create_string(path)?),
        named(query, ",")?,
        named(headers, ", ")?,
        Value::String(lua.create_string(body)?),
    ])
}

/// Registers what the prelude builds `webhook` from.
pub(crate) fn add(
    lua: &Lua,
    host: &Rc<Host>,
    json: &Rc<Json>,
    functions: &Table,
) -> mlua::Result<()> {
    let hooking = Rc::clone(host);
    functions.set(
        "webhook",
        lua.create_function(move |lua, (path, options, handler): (Value, Value, Value)| {
            let at = place(lua, 2);
            let defined = at.clone().unwrap_or_default();
            let named = format!("{}:{}", defined.file, defined.line);
            let added = webhook(&hooking, &path, &options, handler, defined);
            let problem = added.err().map(|problem| placed(at, &format!("webhook: {problem}")));
            Ok((problem, named))
        })?,
    )?;
    let (answering, json) = (Rc::clone(host), Rc::clone(json));
    functions.set(
        "respond",
        lua.create_function(move |_, answer: Value| {
            let response = match response(&answering, &json, &answer) {
                Ok(response) => response,
                Err(Problem::Lua(error)) => return Err(error),
                Err(Problem::Text(problem)) => {
                    return Ok(Some(format!("webhook: the answer cannot be sent: {problem}")));
                }
            };
            if let Some(state) = answering.current.borrow().as_ref() {
                state.response.replace(Some(response));
            }
            Ok(None)
        })?,
    )
}

fn webhook(
    host: &Host,
    path: &Value,
    options: &Value,
    handler: Value,
    at: Place,
) -> Result<(), String> {
    if !host.loading.get() {
        return Err("webhooks can only be added while the scripts load".into());
    }
    let Value::String(path) = path else {
        return Err(format!("expected a path such as \"/click\", got {}", describe(path)));
    };
    let path = path.to_string_lossy();
    let fits = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
    if !path.starts_with('/') || path.len() > PATH_MAX || !path.chars().all(fits) {
        return Err("a path begins with a slash and has letters, digits and / - . _ ~".into());
    }
    let Value::Function(handler) = handler else {
        return Err(format!("expected a function to answer with, got {}", describe(&handler)));
    };
    let (mut methods, mut public) = (vec!["POST"], false);
    let options = match options {
        Value::Nil => None,
        Value::Table(options) => Some(options),
        other => return Err(format!("expected a table of options, got {}", describe(other))),
    };
    for pair in options.map(|options| options.pairs::<Value, Value>()).into_iter().flatten() {
        let (key, value) = pair.map_err(|error| error.to_string())?;
        let key = key.as_string().map(|key| key.to_string_lossy()).unwrap_or_default();
        match (key.as_str(), value) {
            ("public", Value::Boolean(flag)) => public = flag,
            ("public", other) => {
                return Err(format!("public: expected true or false, got {}", describe(&other)));
            }
            ("methods", value) => methods = read_methods(&value)?,
            _ => return Err(format!("no option \"{key}\"; there are methods, public")),
        }
    }
    let mut webhooks = host.webhooks.borrow_mut();
    if webhooks.len() >= WEBHOOKS_MAX {
        return Err(format!("there are {WEBHOOKS_MAX} webhooks already"));
    }
    let same = |hook: &&Webhook| {
        hook.path == path && hook.methods.iter().any(|method| methods.contains(method))
    };
    if let Some(first) = webhooks.iter().find(same) {
        let Place { file, line } = &first.at;
        return Err(format!("\"{path}\" has one at {file}:{line} already"));
    }
    webhooks.push(Webhook { path, methods, public, at, handler });
    Ok(())
}

fn read_methods(value: &Value) -> Result<Vec<&'static str>, String> {
    let list: Vec<Value> = match value {
        Value::Table(list) => list
            .sequence_values()
            .collect::<mlua::Result<_>>()
            .map_err(|error| error.to_string())?,
        one => vec![one.clone()],
    };
    let known = |value: &Value| {
        let word = value.as_string().map(|word| word.to_string_lossy()).unwrap_or_default();
        METHODS.iter().copied().find(|method| *method == word)
    };
    let methods: Option<Vec<&'static str>> = list.iter().map(known).collect();
    methods
        .filter(|methods| !methods.is_empty())
        .ok_or_else(|| format!("methods: expected a list of {}", METHODS.join(", ")))
}

/// What a function returned, as it is sent: nothing, text, or a table.
fn response(host: &Host, json: &Json, answer: &Value) -> Result<WebResponse, Problem> {
    let fail = |problem: String| Err(Problem::Text(problem));
    let table = match answer {
        Value::Nil => {
            return Ok(WebResponse { status: 204, headers: Vec::new(), body: Vec::new() });
        }
        Value::String(text) => {
            let mut response = WebResponse::text(200, "");
            response.body = text.as_bytes().to_vec();
            return bounded(host, response);
        }
        Value::Table(table) => table,
        other => {
            return fail(format!("expected a string or a table, got {}", describe(other)));
        }
    };
    let (mut status, mut body, mut kind) = (None, Vec::new(), None);
    let mut headers = Vec::new();
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair.map_err(Problem::Lua)?;
        let key = key.as_string().map(|key| key.to_string_lossy()).unwrap_or_default();
        match (key.as_str(), &value) {
            ("status", Value::Integer(code @ 200..=599)) => {
                status = Some(u16::try_from(*code).unwrap_or(500));
            }
            ("status", _) => return fail("status must be 200 to 599".into()),
            ("body", Value::String(text)) => {
                body = text.as_bytes().to_vec();
                kind = kind.or(Some("text/plain; charset=utf-8"));
            }
            ("body", other) => {
                return fail(format!("body: expected a string, got {}", describe(other)));
            }
            ("json", value) => {
                body = json::write(host, json, value, Style::Compact)?;
                kind = Some("application/json");
            }
            ("headers", Value::Table(_)) => headers = crate::asking::http_headers(&value)?,
            ("headers", other) => {
                return fail(format!("headers: expected a table, got {}", describe(other)));
            }
            _ => return fail(format!("\"{key}\" is none of status, body, json and headers")),
        }
    }
    let has_kind = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if let (Some(kind), false) = (kind, has_kind) {
        headers.push(("content-type".to_owned(), kind.to_owned()));
    }
    let status = status.unwrap_or(if body.is_empty() { 204 } else { 200 });
    bounded(host, WebResponse { status, headers, body })
}

fn bounded(host: &Host, response: WebResponse) -> Result<WebResponse, Problem> {
    host.meter.charge(response.body.len() as u64 / BYTES_PER_INSTRUCTION);
    if response.body.len() > BODY_MAX {
        return Err(Problem::Text(format!("the body is longer than {BODY_MAX} bytes")));
    }
    Ok(response)
}

/// Methods that a webhook can answer.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
/// Webhooks of one generation.
const WEBHOOKS_MAX: usize = 100;
/// Bytes of a path.
const PATH_MAX: usize = 200;
/// Bytes of an answer's body.
const BODY_MAX: usize = 256 * 1024;
/// Bytes copied for what one Lua instruction costs.
const BYTES_PER_INSTRUCTION: u64 = 16;
