//! What a test wants to be heard.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not expected is refused alike"
)]

use std::collections::BTreeSet;

use bench::{Heard, PartyId};
use dialplan::{Spoken, nearest};
use mlua::{Table, Value};

use crate::object::held;
use crate::object::party::Party;
use crate::session::{Problem, Session};
use crate::show::describe;

/// Something to be heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sought {
    /// Any of these prompts: one name in several languages.
    Prompt(BTreeSet<String>),
    Tone(String),
    Party(PartyId),
    Itself,
    Ringing,
    Silence,
    Speech(String),
    Key(char),
    Recording(Option<PartyId>),
}

impl Sought {
    pub(super) fn fits(&self, heard: &Heard) -> bool {
        match (self, heard) {
            (Self::Prompt(names), Heard::Prompt(name)) => names.contains(&**name),
            (Self::Tone(sought), Heard::Tone(name)) => same_tone(sought, name),
            (Self::Party(sought), Heard::Party(party)) => sought == party,
            (Self::Recording(sought), Heard::Recording(speaker)) => {
                sought.is_none() || sought == speaker
            }
            (Self::Itself, Heard::Itself)
            | (Self::Ringing, Heard::Ringing)
            | (Self::Silence, Heard::Silence) => true,
            // As it is spoken: what separates words is one space.
            (Self::Speech(sought), Heard::Speech(text)) => {
                let words: Vec<&str> = sought.split_whitespace().collect();
                text.contains(&words.join(" "))
            }
            (Self::Key(sought), Heard::Key(key)) => sought == key,
            (_, _) => false,
        }
    }
}

/// `tone:425:1` and `tone:425.0:1.0` are one tone.
fn same_tone(one: &str, other: &str) -> bool {
    let parts = |name: &str| -> Vec<String> {
        name.split_inclusive([':', '+', '/', ','])
            .map(|part| {
                let sign = part.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
                match part.trim_end_matches([':', '+', '/', ',']).parse::<f64>() {
                    Ok(number) => format!("{number}{sign}"),
                    Err(_) => part.to_owned(),
                }
            })
            .collect()
    };
    one == other || parts(one).concat() == parts(other).concat()
}

/// Reads what a test wants to be heard: one thing, or several in a row.
pub(super) fn read_sequence(party: &Party, what: &Value) -> Result<Vec<Sought>, Problem> {
    let Value::Table(table) = what else { return Ok(vec![read_one(party, what)?]) };
    if table.raw_len() == 0 {
        return read_table(party, table);
    }
    let mut sought = Vec::new();
    for entry in table.sequence_values::<Value>() {
        match entry? {
            Value::Table(inner) => sought.extend(read_table(party, &inner)?),
            other => sought.push(read_one(party, &other)?),
        }
    }
    Ok(sought)
}

fn read_one(party: &Party, what: &Value) -> Result<Sought, Problem> {
    if let Some(other) = held::<Party>(what) {
        return Ok(if other.id == party.id { Sought::Itself } else { Sought::Party(other.id) });
    }
    match what {
        Value::String(text) => read_text(&party.session, &text.to_string_lossy()),
        other => Err(Problem::Misuse(format!(
            "what must be a text, a party or a list of these, got {}",
            describe(other)
        ))),
    }
}

fn read_text(session: &Session, text: &str) -> Result<Sought, Problem> {
    match text {
        "ringing" => return Ok(Sought::Ringing),
        "silence" => return Ok(Sought::Silence),
        "itself" => return Ok(Sought::Itself),
        "recording" => return Ok(Sought::Recording(None)),
        "beep" | "ringback" => return Ok(Sought::Tone(text.to_owned())),
        _ if text.starts_with("tone:") => return Ok(Sought::Tone(text.to_owned())),
        _ => {}
    }
    let all = &session.stage().prompts;
    let without_language = |name: &'_ str| name.split_once('/').map(|(_, rest)| rest.to_owned());
    let prompts: BTreeSet<String> = all
        .iter()
        .filter(|name| *name == text || without_language(name).as_deref() == Some(text))
        .cloned()
        .collect();
    if !prompts.is_empty() {
        return Ok(Sought::Prompt(prompts));
    }
    if let Some(party) = session.office()?.find(text) {
        return Ok(Sought::Party(party));
    }
    if text.contains(char::is_whitespace) {
        return Ok(Sought::Speech(text.to_owned()));
    }
    let short: Vec<String> = all.iter().filter_map(|name| without_language(name)).collect();
    let known = all.iter().map(String::as_str).chain(short.iter().map(String::as_str));
    let near = nearest(text, known).map(|near| format!("; did you mean \"{near}\"?"));
    Err(Problem::Misuse(format!(
        "there is no prompt, tone or party \"{text}\"{}",
        near.unwrap_or_default()
    )))
}

/// `{ say = 42 }`, `{ speak = "text" }`, `{ key = "5" }`, `{ recording = alice }`.
fn read_table(party: &Party, table: &Table) -> Result<Vec<Sought>, Problem> {
    const KNOWN: [&str; 6] = ["say", "as", "lang", "speak", "key", "recording"];
    for pair in table.pairs::<Value, Value>() {
        let (key, _) = pair?;
        let name = key.as_string().map(|name| name.to_string_lossy()).unwrap_or_default();
        if !KNOWN.contains(&name.as_str()) {
            let near = nearest(&name, KNOWN).map(|near| format!("; did you mean \"{near}\"?"));
            let hint = near.unwrap_or_else(|| "; use say, speak, key or recording".into());
            let key = match name.as_str() {
                "" => describe(&key),
                name => format!("\"{name}\""),
            };
            return Err(Problem::Misuse(format!("what has no {key}{hint}")));
        }
    }
    let get = |name: &str| table.raw_get::<Value>(name);
    match get("speak")? {
        Value::Nil => {}
        text @ (Value::String(_) | Value::Integer(_) | Value::Number(_)) => {
            return Ok(vec![Sought::Speech(text.to_string()?)]);
        }
        other => {
            return Err(Problem::Misuse(format!("speak cannot be {}", describe(&other))));
        }
    }
    match get("key")? {
        Value::Nil => {}
        key => {
            let text = key.to_string()?;
            let mut keys = text.chars();
            let (Some(key), None) = (keys.next(), keys.next()) else {
                return Err(Problem::Misuse(format!("\"{text}\" is not one key")));
            };
            return Ok(vec![Sought::Key(key)]);
        }
    }
    let recording = get("recording")?;
    if let Some(speaker) = held::<Party>(&recording) {
        return Ok(vec![Sought::Recording(Some(speaker.id))]);
    }
    if !recording.is_nil() {
        return Ok(vec![Sought::Recording(None)]);
    }
    spoken(party, table)
}

/// The prompts that `call:say` would play.
fn spoken(party: &Party, table: &Table) -> Result<Vec<Sought>, Problem> {
    let get = |name: &str| table.raw_get::<Value>(name);
    let (say, kind) = (get("say")?, get("as")?);
    let kind = kind.as_string().map(|kind| kind.to_string_lossy());
    let config = &party.session.stage().config;
    let language = match get("lang")? {
        Value::String(language) => language.to_string_lossy(),
        _ => config.language.clone(),
    };
    let text = || -> Result<String, Problem> {
        match &say {
            Value::String(_) | Value::Integer(_) => Ok(say.to_string()?),
            other => Err(Problem::Misuse(format!("say cannot be {}", describe(other)))),
        }
    };
    let number = || match &say {
        Value::Integer(number) => Ok(*number as f64),
        Value::Number(number) => Ok(*number),
        other => text()?
            .parse()
            .map_err(|_| Problem::Misuse(format!("say must be a number, got {}", describe(other)))),
    };
    let moment = || -> Result<jiff::Zoned, Problem> {
        let millis = (number()? * 1e3) as i64;
        let at = jiff::Timestamp::from_millisecond(millis).map_err(|error| error.to_string())?;
        Ok(at.to_zoned(config.time_zone.clone()))
    };
    let what = match (kind.as_deref(), &say) {
        (_, Value::Nil) => {
            return Err(Problem::Misuse("what is an empty table; name what is heard".into()));
        }
        (Some("number"), _) | (None, Value::Integer(_) | Value::Number(_)) => {
            Spoken::Number(number()?)
        }
        (Some("digits") | None, _) => Spoken::Digits(text()?),
        (Some("spell"), _) => Spoken::Spell(text()?),
        (Some("time"), _) => Spoken::Time(moment()?.time()),
        (Some("date"), _) => Spoken::Date(moment()?.date()),
        (Some(other), _) => {
            let known = ["number", "digits", "spell", "time", "date"];
            let near = nearest(other, known).map(|near| format!("; did you mean \"{near}\"?"));
            let hint = near.unwrap_or_default();
            return Err(Problem::Misuse(format!("as cannot be \"{other}\"{hint}")));
        }
    };
    let prompts = dialplan::say(&what, &language)?;
    Ok(prompts.into_iter().map(|name| Sought::Prompt([name].into())).collect())
}
