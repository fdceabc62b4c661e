//! What is kept of calls, and what scripts logged.

use bench::Office;
use mlua::{Lua, Table, Value};
use pbx::Notice;
use pbx::records::CallRecord;

use crate::given::Given;
use crate::session::{Problem, Session, level_word};

pub(super) fn record(lua: &Lua, session: &Session, given: &Given) -> Result<Value, Problem> {
    let (from, to) = (given.text("from")?, given.text("to")?);
    let (account, by) = (given.text("account")?, given.text("by")?);
    let (status, answered) = (given.status("status")?, given.flag("answered")?);
    let ending = given.text("ending")?;
    let within = given.seconds("within")?.unwrap_or_default();
    let same = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|w| w == is);
    let fits = |record: &CallRecord| {
        same(&from, &record.from)
            && same(&to, &record.to)
            && same(&account, record.account.as_deref().unwrap_or_default())
            && same(&by, &record.answered_by)
            && same(&ending, &record.ending)
            && status.is_none_or(|status| status == record.status)
            && answered.is_none_or(|answered| answered == record.answered_after.is_some())
    };
    let mut found = None;
    session.until(within, |office| {
        found = office.shelf().calls.iter().rfind(|record| fits(record)).cloned();
        found.is_some()
    })?;
    if let Some(found) = found {
        return Ok(Value::Table(table(lua, &found)?));
    }
    let mut sought = String::from("the record of a call");
    let mut add = |word: &str, value: Option<String>| {
        if let Some(value) = value {
            sought.push_str(&format!(", {word} {value}"));
        }
    };
    add("from", from.clone());
    add("to", to.clone());
    add("account", account.clone());
    add("by", by.clone());
    add("status", status.map(|status| status.to_string()));
    add("answered", answered.map(|answered| answered.to_string()));
    add("ending", ending.clone());
    let kept = session.office()?.shelf().calls.iter().map(in_words).collect::<Vec<_>>();
    Err(Problem::Unmet {
        expected: sought,
        instead: match kept.as_slice() {
            [] => "no call is over yet".to_owned(),
            kept => format!("there is {}", kept.join("; ")),
        },
    })
}

fn in_words(record: &CallRecord) -> String {
    let answered = match (record.answered_after, record.answered_by.as_str()) {
        (None, _) => "not answered".to_owned(),
        (Some(_), "") => "answered".to_owned(),
        (Some(_), by) => format!("answered by {by}"),
    };
    format!(
        "{} to {}, {answered}, {}, \"{}\"",
        record.from, record.to, record.status, record.ending
    )
}

fn table(lua: &Lua, record: &CallRecord) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let talked = record.answered_after.map(|after| record.ended_after.saturating_sub(after));
    table.raw_set("from", record.from.as_str())?;
    table.raw_set("to", record.to.as_str())?;
    table.raw_set("account", record.account.as_deref())?;
    table.raw_set("answered", record.answered_after.is_some())?;
    table.raw_set("by", Some(record.answered_by.as_str()).filter(|by| !by.is_empty()))?;
    table.raw_set("status", record.status)?;
    table.raw_set("ending", record.ending.as_str())?;
    table.raw_set("seconds", record.ended_after.as_secs_f64())?;
    table.raw_set("talked", talked.unwrap_or_default().as_secs_f64())?;
    Ok(table)
}

pub(super) fn logged(lua: &Lua, session: &Session, given: &Given) -> Result<Value, Problem> {
    let (text, level) = (given.needed("text")?, given.word("level")?);
    let within = given.seconds("within")?.unwrap_or_default();
    let lines = |office: &Office| lines(office, level);
    let mut found = None;
    session.until(within, |office| {
        found = lines(office).into_iter().find(|line| line.contains(&text));
        found.is_some()
    })?;
    if let Some(found) = found {
        return Ok(Value::String(lua.create_string(found)?));
    }
    let lines = lines(&*session.office()?);
    let level = level.map(|level| format!(" at level {level}")).unwrap_or_default();
    Err(Problem::Unmet {
        expected: format!("a script to log a line with \"{text}\"{level}"),
        instead: match lines.len() {
            0 => "none was logged".to_owned(),
            1 => format!("one line was logged: \"{}\"", lines.concat()),
            count => format!("{count} lines were logged, none of them with it"),
        },
    })
}

/// Expects no line of a script to have this text in it.
pub(super) fn never_logged(session: &Session, given: &Given) -> Result<Value, Problem> {
    let (text, level) = (given.needed("text")?, given.word("level")?);
    let lines = lines(&*session.office()?, level);
    match lines.into_iter().find(|line| line.contains(&text)) {
        None => Ok(Value::Nil),
        Some(line) => Err(Problem::Unmet {
            expected: format!("no line with \"{text}\" to be logged"),
            instead: format!("there is \"{line}\""),
        }),
    }
}

/// What scripts logged, at one level or at any.
fn lines(office: &Office, level: Option<&str>) -> Vec<String> {
    let lines = office.notices().filter_map(|(_, notice)| {
        let Notice::Script { level: own, text, .. } = notice else { return None };
        level.is_none_or(|level| level == level_word(*own)).then(|| text.clone())
    });
    lines.collect()
}
