//! From an outcome to the values that the prelude gives a script.

use std::time::Duration;

use mlua::{IntoLua, Lua, MultiValue, Value};

use crate::fibre::Scratch;
use crate::host::placed;
use crate::outcome::{DialStatus, MailboxStatus, Outcome, ReadEnd, VoicemailStatus};
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
            values(vec![4.into_lua(lua), millis(length).into_lua(lua), path.into_lua(lua)])
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
