//! From an outcome to the values that the prelude gives a script.

use std::time::Duration;

use mlua::{IntoLua, Lua, MultiValue, Table, Value};

use crate::fibre::Scratch;
use crate::host::placed;
use crate::outcome::{DialStatus, MailboxStatus, Outcome, ReadEnd, VoicemailStatus};
use crate::outside::{Answer, Changed, FetchFault, SqlValue};
use crate::shared::LockId;
use crate::verb::Leg;
use crate::verbs::VerbSpec;

/// An outcome as values; the numbers choose the shape that the prelude gives them.
pub(super) fn settle(lua: &Lua, scratch: &Scratch, outcome: Outcome) -> mlua::Result<MultiValue> {
    let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let values = |values: Vec<mlua::Result<Value>>| {
        values.into_iter().collect::<mlua::Result<Vec<_>>>().map(MultiValue::from_vec)
    };
    match outcome {
        Outcome::Done => Ok(MultiValue::new()),
        Outcome::Fault(problem) => {
            let verb = scratch.asked.map(VerbSpec::full_name).unwrap_or_default();
            let text = placed(scratch.verb_at.clone(), &format!("{verb}: {problem}"));
            values(vec![1.into_lua(lua), text.into_lua(lua)])
        }
        Outcome::Played { digit, heard } => values(vec![
            2.into_lua(lua),
            digit.map(String::from).into_lua(lua),
            digit.is_some().into_lua(lua),
            millis(heard).into_lua(lua),
        ]),
        Outcome::Unspoken(why) => values(vec![
            2.into_lua(lua),
            Ok(Value::Nil),
            false.into_lua(lua),
            0.into_lua(lua),
            why.into_lua(lua),
        ]),
        Outcome::Read { digits, ended } => {
            let why = match ended {
                ReadEnd::Complete => {
                    return values(vec![3.into_lua(lua), digits.into_lua(lua)]);
                }
                ReadEnd::Timeout => "timeout",
                ReadEnd::Invalid => "invalid",
            };
            values(vec![3.into_lua(lua), Ok(Value::Nil), why.into_lua(lua)])
        }
        Outcome::Recorded { length, path } => {
            let name = path.strip_suffix(".wav");
            let sound = name.map(|name| format!("{}{name}", crate::sound::RECORDING));
            let length = millis(length).into_lua(lua);
            values(vec![4.into_lua(lua), length, path.into_lua(lua), sound.into_lua(lua)])
        }
        Outcome::Dialed { status, code, reason, talked, answered_by } => values(vec![
            5.into_lua(lua),
            dial_word(status).into_lua(lua),
            code.into_lua(lua),
            reason.into_lua(lua),
            talked.as_secs_f64().into_lua(lua),
            Some(answered_by).filter(|to| !to.is_empty()).into_lua(lua),
        ]),
        Outcome::Originated { status, code, reason, answered_by, leg } => values(vec![
            11.into_lua(lua),
            dial_word(status).into_lua(lua),
            code.into_lua(lua),
            reason.into_lua(lua),
            Some(answered_by).filter(|to| !to.is_empty()).into_lua(lua),
            leg.map(|Leg(leg)| i64::try_from(leg).unwrap_or(i64::MAX)).into_lua(lua),
        ]),
        Outcome::Begun => values(vec![
            11.into_lua(lua),
            "RINGING".into_lua(lua),
            0.into_lua(lua),
            "".into_lua(lua),
        ]),
        Outcome::Voicemail(status) => {
            let word = match status {
                VoicemailStatus::Success => "SUCCESS",
                VoicemailStatus::Empty => "EMPTY",
                VoicemailStatus::Failed => "FAILED",
            };
            values(vec![6.into_lua(lua), word.into_lua(lua)])
        }
        Outcome::Fetched(Ok(answer)) => values(vec![
            7.into_lua(lua),
            answer.status.into_lua(lua),
            header_table(lua, &answer.headers),
            lua.create_string(&answer.body).map(Value::String),
        ]),
        Outcome::Fetched(Err(FetchFault { why, advice })) => values(vec![
            8.into_lua(lua),
            why.into_lua(lua),
            Some(advice).filter(|advice| !advice.is_empty()).into_lua(lua),
        ]),
        Outcome::Queried(answer) => {
            let list = answer_table(lua, answer)?;
            // One statement changed one thing; only a transaction has a list of them.
            let single = scratch.asked.is_some_and(|spec| spec.name == "execute");
            let value = if single { list.raw_get(1)? } else { Value::Table(list) };
            values(vec![9.into_lua(lua), Ok(value)])
        }
        Outcome::Locked(id) => values(vec![
            10.into_lua(lua),
            id.map(|LockId(id)| i64::try_from(id).unwrap_or(i64::MAX)).into_lua(lua),
        ]),
        Outcome::Mailbox(status) => {
            let word = match status {
                MailboxStatus::Done => "DONE",
                MailboxStatus::Refused => "REFUSED",
                MailboxStatus::Failed => "FAILED",
            };
            values(vec![6.into_lua(lua), word.into_lua(lua)])
        }
    }
}

/// What it costs to hand an outcome over, in instructions: large ones come from outside.
pub(super) fn cost(outcome: &Outcome) -> u64 {
    match outcome {
        Outcome::Fetched(Ok(answer)) => {
            answer.headers.len() as u64 * VALUE_COST
                + answer.body.len() as u64 / BYTES_PER_INSTRUCTION
        }
        Outcome::Queried(Answer::Rows { columns, rows }) => {
            (rows.len() * (columns.len() + 1)) as u64 * VALUE_COST
        }
        Outcome::Queried(Answer::Changed(changed)) => changed.len() as u64 * VALUE_COST,
        Outcome::Done
        | Outcome::Fault(_)
        | Outcome::Played { .. }
        | Outcome::Unspoken(_)
        | Outcome::Read { .. }
        | Outcome::Recorded { .. }
        | Outcome::Dialed { .. }
        | Outcome::Voicemail(_)
        | Outcome::Mailbox(_)
        | Outcome::Fetched(Err(_))
        | Outcome::Locked(_)
        | Outcome::Originated { .. }
        | Outcome::Begun => 0,
    }
}

/// Headers by lower-case name; several of one name are joined (RFC 9110 §5.2).
fn header_table(lua: &Lua, headers: &[(String, String)]) -> mlua::Result<Value> {
    let table = lua.create_table()?;
    for (name, value) in headers {
        let value = match table.raw_get::<Option<String>>(name.as_str())? {
            Some(before) => format!("{before}, {value}"),
            None => value.clone(),
        };
        table.raw_set(name.as_str(), value)?;
    }
    Ok(Value::Table(table))
}

/// Rows by the names of their columns, or what was changed.
fn answer_table(lua: &Lua, answer: Answer) -> mlua::Result<Table> {
    let list = lua.create_table()?;
    match answer {
        Answer::Rows { columns, rows } => {
            let names: mlua::Result<Vec<_>> =
                columns.iter().map(|name| lua.create_string(name)).collect();
            let names = names?;
            for row in rows {
                let table = lua.create_table_with_capacity(0, names.len())?;
                for (name, value) in names.iter().zip(row) {
                    table.raw_set(name, sql_value(lua, value)?)?;
                }
                list.raw_push(table)?;
            }
        }
        Answer::Changed(changed) => {
            for Changed { rows, last_id } in changed {
                let table = lua.create_table_with_capacity(0, 2)?;
                table.raw_set("changes", rows)?;
                table.raw_set("last_id", last_id)?;
                list.raw_push(table)?;
            }
        }
    }
    Ok(list)
}

fn sql_value(lua: &Lua, value: SqlValue) -> mlua::Result<Value> {
    Ok(match value {
        SqlValue::Null => Value::Nil,
        SqlValue::Integer(number) => Value::Integer(number),
        SqlValue::Real(number) => Value::Number(number),
        SqlValue::Text(text) => Value::String(lua.create_string(text)?),
        SqlValue::Blob(bytes) => Value::String(lua.create_string(bytes)?),
    })
}

/// What one value costs, and how many bytes are copied for one instruction.
const VALUE_COST: u64 = 20;
const BYTES_PER_INSTRUCTION: u64 = 16;

/// Asterisk's words for how a dial ended.
fn dial_word(status: DialStatus) -> &'static str {
    match status {
        DialStatus::Answered => "ANSWERED",
        DialStatus::Busy => "BUSY",
        DialStatus::NoAnswer => "NOANSWER",
        DialStatus::Cancel => "CANCEL",
        DialStatus::Congestion => "CONGESTION",
        DialStatus::ChanUnavail => "CHANUNAVAIL",
    }
}
