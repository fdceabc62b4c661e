//! Whom to dial and where to redirect, as scripts write it.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not expected is refused alike"
)]

use std::net::Ipv6Addr;
use std::time::Duration;

use mlua::{Table, Value};

use crate::options::{checked_text, describe, list_values, mismatch, seconds};
use crate::verb::{Destination, Identity, RedirectTarget, Target};
use crate::verbs::{Kind, nearest};

/// Targets of one dial in all its rounds.
const TARGETS_MAX: usize = 32;
/// Extra headers on one response.
const HEADERS_MAX: usize = 16;
/// Keys of a target written as a table.
pub(crate) const TARGET_KEYS: &[&str] = &["to", "delay", "timeout"];
/// Keys of a redirection written as a table.
pub(crate) const REDIRECT_KEYS: &[&str] = &["uri", "q"];
/// Keys of who is shown as calling.
pub(crate) const IDENTITY_KEYS: &[&str] = &["user", "name"];

/// Headers that belong to the protocol machinery; a script cannot set them.
const OWN_HEADERS: [&str; 17] = [
    "allow",
    "call-id",
    "contact",
    "content-length",
    "content-type",
    "cseq",
    "from",
    "max-forwards",
    "record-route",
    "require",
    "route",
    "supported",
    "to",
    "unsupported",
    "via",
    "www-authenticate",
    "proxy-authenticate",
];

/// Rounds to ring in turn, each a list of targets that ring together.
pub(crate) fn rounds(value: &Value) -> Result<Vec<Vec<Target>>, String> {
    let rounds = match value {
        Value::Table(list) if !is_target(list) => {
            let entries = list_values("to", list)?;
            let nested = |entry: &Value| matches!(entry, Value::Table(inner) if !is_target(inner));
            if entries.iter().all(nested) {
                entries
                    .iter()
                    .map(|entry| match entry {
                        Value::Table(inner) => {
                            list_values("to", inner)?.iter().map(target).collect()
                        }
                        other => Err(mismatch("to", &Kind::Targets, other)),
                    })
                    .collect::<Result<Vec<_>, _>>()?
            } else if entries.iter().any(nested) {
                return Err(
                    "lists and single targets are mixed; write { {\"ext/1\"}, {\"ext/2\"} } to \
                     ring in turn, { \"ext/1\", \"ext/2\" } to ring together"
                        .into(),
                );
            } else {
                vec![entries.iter().map(target).collect::<Result<_, _>>()?]
            }
        }
        single => vec![vec![target(single)?]],
    };
    let count: usize = rounds.iter().map(Vec::len).sum();
    if count > TARGETS_MAX {
        return Err(format!("{count} targets; {TARGETS_MAX} are allowed"));
    }
    Ok(rounds)
}

fn is_target(table: &Table) -> bool {
    table.pairs::<Value, Value>().any(|pair| matches!(pair, Ok((Value::String(_), _))))
}

fn target(value: &Value) -> Result<Target, String> {
    match value {
        Value::String(text) => Ok(Target {
            to: destination(&checked_text("to", text)?)?,
            delay: Duration::ZERO,
            timeout: None,
        }),
        Value::Table(table) => {
            check_keys(table, TARGET_KEYS)?;
            let to = match get(table, "to")? {
                Value::String(text) => destination(&checked_text("to", &text)?)?,
                other => return Err(mismatch("to", &Kind::Text, &other)),
            };
            let time = |name, min| match get(table, name)? {
                Value::Nil => Ok(None),
                value => {
                    let kind = Kind::Seconds { min, max: 3_600.0, default: None };
                    seconds(name, &value, &kind).map(Some)
                }
            };
            let delay = time("delay", 0.0)?.unwrap_or_default();
            Ok(Target { to, delay, timeout: time("timeout", 1.0)? })
        }
        other => Err(mismatch("to", &Kind::Targets, other)),
    }
}

/// Reads `ext/101` or `sip:user@host:port`.
pub(crate) fn destination(text: &str) -> Result<Destination, String> {
    if let Some(extension) = text.strip_prefix("ext/") {
        if extension.is_empty() {
            return Err("\"ext/\" lacks the extension".into());
        }
        return Ok(Destination::Extension(extension.to_owned()));
    }
    if is_uri(text, &["sip:", "sips:"]) {
        check_host(text)?;
        return Ok(Destination::Uri(text.to_owned()));
    }
    let technology =
        |word: &&str| ["sip", "pjsip", "user", "local"].contains(&&*word.to_lowercase());
    let elsewhere = text.split_once('/').filter(|(word, _)| technology(word));
    let number = elsewhere.map_or(text, |(_, number)| number);
    Err(if number.chars().all(|c| c.is_ascii_digit()) && !number.is_empty() {
        format!("\"{text}\" is not a target; did you mean \"ext/{number}\"?")
    } else {
        format!("\"{text}\" is not a target; expected \"ext/NAME\" or \"sip:USER@HOST\"")
    })
}

/// One URI or several, with preferences.
pub(crate) fn redirects(value: &Value) -> Result<Vec<RedirectTarget>, String> {
    match value {
        Value::Table(list) if !is_target(list) => {
            list_values("to", list)?.iter().map(redirect).collect()
        }
        single => Ok(vec![redirect(single)?]),
    }
}

fn redirect(value: &Value) -> Result<RedirectTarget, String> {
    let (uri, q) = match value {
        Value::String(uri) => (checked_text("to", uri)?, None),
        Value::Table(table) => {
            check_keys(table, REDIRECT_KEYS)?;
            let uri = match get(table, "uri")? {
                Value::String(uri) => checked_text("uri", &uri)?,
                other => return Err(mismatch("uri", &Kind::Text, &other)),
            };
            let q = match get(table, "q")? {
                Value::Nil => None,
                Value::Integer(q @ 0..=1) => Some(q as f32),
                Value::Number(q) if (0.0..=1.0).contains(&q) => Some(q as f32),
                Value::Integer(_) | Value::Number(_) => return Err("q must be 0 to 1".into()),
                other => return Err(format!("q: expected a number, got {}", describe(&other))),
            };
            (uri, q)
        }
        other => return Err(mismatch("to", &Kind::Redirects, other)),
    };
    if !is_redirect(&uri) {
        return Err(format!("\"{uri}\" is not a URI; expected sip:..., sips:... or tel:..."));
    }
    check_host(&uri)?;
    Ok(RedirectTarget { uri, q })
}

/// Whether a caller can be sent there.
pub(crate) fn is_redirect(text: &str) -> bool {
    is_uri(text, &["sip:", "sips:", "tel:"])
}

/// Whether `text` has one of the schemes and nothing that could end the URI early.
fn is_uri(text: &str, schemes: &[&str]) -> bool {
    schemes.iter().any(|scheme| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            && text.len() > scheme.len()
    }) && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"\\^`{|}".contains(&byte))
}

/// Refuses a SIP URI that leads somewhere else than it seems to, or nowhere.
///
/// Scripts put URIs together: `"sip:" .. number .. "@gw"`. An `@` may stand in one only before its host
/// (RFC 3261 §25.1), so a number that brings its own, as `1@elsewhere;x=` does, is found by the second:
/// whatever stands before the script's own `@` cannot choose another host.
fn check_host(text: &str) -> Result<(), String> {
    let Some((scheme, rest)) = text.split_once(':') else { return Ok(()) };
    if scheme.eq_ignore_ascii_case("tel") {
        return Ok(());
    }
    let (user, behind) =
        rest.split_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
    if behind.contains('@') {
        return Err(format!(
            "\"{text}\" has two @, so it may lead to another host than was meant; what comes from \
             outside must be looked at before it becomes part of a URI"
        ));
    }
    if user.is_some_and(|user| user.split(':').next().unwrap_or_default().is_empty()) {
        return Err(format!("\"{text}\" has nothing before the @"));
    }
    let host = behind.split([';', '?']).next().unwrap_or_default();
    let (host, port) = match host.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((inner, port)) => (inner.parse::<Ipv6Addr>().is_ok(), port.strip_prefix(':')),
        None => {
            let (host, port) = host.split_once(':').map_or((host, None), |(h, p)| (h, Some(p)));
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            (!host.is_empty() && host.bytes().all(fits), port)
        }
    };
    if !host {
        return Err(format!("\"{text}\" has no host that can be called, as in \"sip:USER@HOST\""));
    }
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Err(format!("\"{text}\" has a port that is none; expected 1 to 65535"));
    }
    Ok(())
}

/// Extra headers in the order of their names.
pub(crate) fn headers(value: &Value) -> Result<Vec<(String, String)>, String> {
    let table = match value {
        Value::Nil => return Ok(Vec::new()),
        Value::Table(table) => table,
        other => return Err(mismatch("headers", &Kind::Headers, other)),
    };
    let mut headers = Vec::new();
    for pair in table.pairs::<Value, Value>() {
        let (name, value) = pair.map_err(|error| error.to_string())?;
        let Value::String(name) = name else {
            return Err(mismatch("headers", &Kind::Headers, &name));
        };
        let name = name.to_string_lossy();
        if let Some(problem) = header_problem(&name) {
            return Err(problem);
        }
        let value = match value {
            Value::String(value) => checked_text(&name, &value)?,
            Value::Integer(value) => value.to_string(),
            other => return Err(mismatch(&name, &Kind::Text, &other)),
        };
        headers.push((name, value));
    }
    if headers.len() > HEADERS_MAX {
        return Err(format!("{} headers; {HEADERS_MAX} are allowed", headers.len()));
    }
    headers.sort();
    Ok(headers)
}

/// Why a script cannot set a header of this name.
pub(crate) fn header_problem(name: &str) -> Option<String> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte);
    if name.is_empty() || name.len() > 64 || !name.bytes().all(token) {
        return Some("a header name has characters that cannot stand there".into());
    }
    let own = OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str());
    own.then(|| format!("the header {name} cannot be set by a script"))
}

/// Who is shown as calling.
pub(crate) fn identity(value: &Value) -> Result<Option<Identity>, String> {
    let table = match value {
        Value::Nil => return Ok(None),
        Value::Table(table) => table,
        other => return Err(mismatch("caller", &Kind::Identity, other)),
    };
    check_keys(table, IDENTITY_KEYS)?;
    let text = |name| match get(table, name)? {
        Value::Nil => Ok(None),
        Value::String(text) => checked_text(name, &text).map(Some),
        Value::Integer(number) => Ok(Some(number.to_string())),
        other => Err(mismatch(name, &Kind::Text, &other)),
    };
    Ok(Some(Identity { user: text("user")?, name: text("name")? }))
}

fn get(table: &Table, key: &str) -> Result<Value, String> {
    table.raw_get(key).map_err(|error| error.to_string())
}

fn check_keys(table: &Table, known: &[&'static str]) -> Result<(), String> {
    for pair in table.pairs::<Value, Value>() {
        let (key, _) = pair.map_err(|error| error.to_string())?;
        let key = match &key {
            Value::String(key) => key.to_string_lossy(),
            other => {
                return Err(format!("expected named values, but one key is {}", describe(other)));
            }
        };
        if !known.contains(&key.as_str()) {
            return Err(match nearest(&key, known.iter().copied()) {
                Some(near) => format!("no key \"{key}\"; did you mean \"{near}\"?"),
                None => format!("no key \"{key}\"; there are {}", known.join(", ")),
            });
        }
    }
    Ok(())
}
