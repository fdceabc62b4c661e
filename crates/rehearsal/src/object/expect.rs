//! What is expected of a party's calls.

use std::time::{Duration, Instant};

use bench::{CallEnd, CallState, Direction, Office, PartyCall};
use mlua::Value;
use sip_syntax::{HeaderName, Message};

use super::party::Party;
use crate::given::Given;
use crate::session::Problem;
use crate::show::show;

/// Whether something came to be, will never be, or may still be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum So {
    Yes,
    /// Waiting longer would change nothing.
    Never,
    NotYet,
}

/// Waits until something is so of the call that a party made or is in.
fn expect_call(
    party: &Party,
    given: &Given,
    what: &str,
    mut is_so: impl FnMut(&PartyCall) -> So,
) -> Result<(), Problem> {
    let id = party.id;
    let within = given.seconds("within")?.unwrap_or_default();
    let mut so = So::NotYet;
    party.session.until(within, |office| {
        so = match office.party(id).and_then(bench::Party::call) {
            Some(call) => is_so(call),
            None => So::NotYet,
        };
        so != So::NotYet
    })?;
    if so == So::Yes {
        return Ok(());
    }
    Err(Problem::Unmet {
        expected: format!("{} to {what} within {} s", party.name(), within.as_secs_f64()),
        instead: how_its_call_stands(party)?,
    })
}

pub(super) fn is_answered(party: &Party, given: &Given) -> Result<(), Problem> {
    expect_call(party, given, "be answered", |call| match call.answered_at() {
        Some(_) => So::Yes,
        None if call.is_over() => So::Never,
        None => So::NotYet,
    })
}

pub(super) fn is_ringing(party: &Party, given: &Given) -> Result<(), Problem> {
    expect_call(party, given, "be told that it rings (180)", |call| {
        match call.provisionals().iter().any(|reply| reply.status == 180) {
            true => So::Yes,
            false if call.is_over() || call.answered_at().is_some() => So::Never,
            false => So::NotYet,
        }
    })
}

pub(super) fn is_refused(party: &Party, given: &Given) -> Result<(), Problem> {
    let (code, reason) = (given.status("code")?, given.text("reason")?);
    let mut what = match code {
        Some(code) => format!("be refused with {code}"),
        None => "be refused".to_owned(),
    };
    if let Some(reason) = &reason {
        what.push_str(&format!(" \"{reason}\""));
    }
    expect_call(party, given, &what, |call| {
        let fits = |status: u16| {
            status >= 400
                && code.is_none_or(|code| code == status)
                && reason.as_ref().is_none_or(|reason| reason == call.reason())
        };
        match call.status() {
            Some(status) if fits(status) => So::Yes,
            Some(_) => So::Never,
            None if call.is_over() => So::Never,
            None => So::NotYet,
        }
    })
}

pub(super) fn is_redirected(party: &Party, given: &Given) -> Result<(), Problem> {
    let (to, code) = (given.needed("to")?, given.status("code")?);
    let contacts = || {
        party.look(|office, party| {
            let last = office.messages(party.id()).filter_map(|(_, traffic)| {
                let message = traffic.message()?;
                let contacts = message.headers().values(HeaderName::Contact);
                let contacts: Vec<String> =
                    contacts.map(|value| String::from_utf8_lossy(&value).into_owned()).collect();
                match message {
                    Message::Response(response) if response.status().as_u16() / 100 == 3 => {
                        Some(contacts.join(", "))
                    }
                    Message::Response(_) | Message::Request(_) => None,
                }
            });
            last.last().unwrap_or_default()
        })
    };
    let what = match code {
        Some(code) => format!("be sent to {to} with {code}"),
        None => format!("be sent to {to}"),
    };
    expect_call(party, given, &what, |call| {
        let is_redirect =
            |status: u16| (300..400).contains(&status) && code.is_none_or(|code| code == status);
        match call.status() {
            Some(status) if is_redirect(status) => So::Yes,
            Some(_) => So::Never,
            None if call.is_over() => So::Never,
            None => So::NotYet,
        }
    })?;
    let contacts = contacts()?;
    let fits = contacts.split(',').any(|contact| {
        let uri = contact.trim().trim_start_matches('<');
        uri.split('<').any(|part| part.starts_with(&to))
    });
    if fits {
        return Ok(());
    }
    Err(Problem::Unmet {
        expected: format!("{} to {what}", party.name()),
        instead: format!("it was sent to {contacts}"),
    })
}

pub(super) fn is_ended(party: &Party, given: &Given) -> Result<(), Problem> {
    let cause = given.word("cause")?;
    let what = match cause {
        Some(cause) => format!("have its call ended: {cause}"),
        None => "have its call ended".to_owned(),
    };
    expect_call(party, given, &what, |call| match call.ended() {
        Some(ended) if cause.is_none_or(|cause| cause == end_word(ended.how)) => So::Yes,
        Some(_) => So::Never,
        None => So::NotYet,
    })
}

/// Waits until a call comes in that was not looked at yet.
pub(super) fn rings(party: &Party, given: &Given) -> Result<(), Problem> {
    let (from, name) = (given.text("from")?, given.text("name")?);
    let within = given.seconds("within")?.unwrap_or_default();
    let (id, first) = (party.id, party.session.marks(party.id).rung);
    let fits = |call: &PartyCall| {
        call.direction() == Direction::Taken
            && from.as_ref().is_none_or(|from| from == call.peer())
            && name.as_ref().is_none_or(|name| name == call.caller_name())
    };
    let mut found = None;
    party.session.until(within, |office| {
        let calls = office.party(id).map(bench::Party::calls).unwrap_or_default();
        found = (first..calls.len()).find(|index| calls.get(*index).is_some_and(fits));
        found.is_some()
    })?;
    if let Some(found) = found {
        party.session.mark(id, |marks| marks.rung = found + 1);
        return Ok(());
    }
    let from = from.map(|from| format!(" for {from}")).unwrap_or_default();
    let name = name.map(|name| format!(" (\"{name}\")")).unwrap_or_default();
    Err(Problem::Unmet {
        expected: format!("{} to ring{from}{name} within {} s", party.name(), within.as_secs_f64()),
        instead: calls_that_came(party)?,
    })
}

/// The calls that came in, in words.
pub(super) fn calls_that_came(party: &Party) -> Result<String, Problem> {
    party.look(|_, party| {
        let taken = party.calls().iter().filter(|call| call.direction() == Direction::Taken);
        let taken: Vec<String> = taken
            .map(|call| {
                let name = match call.caller_name() {
                    "" => String::new(),
                    name => format!(" (\"{name}\")"),
                };
                let state = match call.state() {
                    CallState::Calling | CallState::Ringing => "it still rings",
                    CallState::Talking => "it was answered",
                    CallState::Over => "it is over",
                };
                format!("{}{name}, {state}", call.peer())
            })
            .collect();
        match taken.as_slice() {
            [] => "no call came in".to_owned(),
            [one] => format!("a call came in from {one}"),
            many => format!("these calls came in: {}", many.join("; ")),
        }
    })
}

/// How the last call of a party stands, in words.
fn how_its_call_stands(party: &Party) -> Result<String, Problem> {
    party.look(|office, party| match party.call() {
        None => "it is in no call".to_owned(),
        Some(call) => describe_call(office, call),
    })
}

fn describe_call(office: &Office, call: &PartyCall) -> String {
    let at = |at: Instant| seconds(at.saturating_duration_since(office.start()));
    let replies: Vec<String> = call
        .provisionals()
        .iter()
        .map(|reply| format!("{} {}", reply.status, reply.reason).trim().to_owned())
        .collect();
    let before = match replies.as_slice() {
        [] => String::new(),
        replies => format!(" after {}", replies.join(", ")),
    };
    let answered = call.answered_at().map(|time| format!("it was answered at {}", at(time)));
    match (call.ended(), answered) {
        (None, Some(answered)) => format!("{answered}{before} and goes on"),
        (None, None) if call.direction() == Direction::Taken => "it still rings".to_owned(),
        (None, None) => format!("it is neither answered nor refused{before}"),
        (Some(ended), Some(answered)) => {
            let reason = ended.reason.as_ref().map(|reason| format!(" ({reason})"));
            format!(
                "{answered} and ended at {}: {}{}",
                at(ended.at),
                end_word(ended.how),
                reason.unwrap_or_default()
            )
        }
        (Some(ended), None) => {
            let status = match (ended.status, call.reason()) {
                (Some(status), "") => format!(" with {status}"),
                (Some(status), reason) => format!(" with {status} {reason}"),
                (None, _) => String::new(),
            };
            format!("its call ended at {}: {}{status}{before}", at(ended.at), end_word(ended.how))
        }
    }
}

/// The word for how a call ended, as tests write it.
fn end_word(how: CallEnd) -> &'static str {
    match how {
        CallEnd::HungUp => "hung up",
        CallEnd::HungUpByOther => "hung up by other",
        CallEnd::Refused => "refused",
        CallEnd::GaveUp => "gave up",
        CallEnd::Declined => "declined",
        CallEnd::Cancelled => "cancelled",
        CallEnd::Lost => "lost",
    }
}

/// A moment in seconds, as the ladder shows it.
pub(super) fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

/// `t:equal(is, expected)`.
pub(super) fn equal(given: &Given) -> Result<(), Problem> {
    let (is, expected) = (given.value("is"), given.value("expected"));
    if is_same(&is, &expected, 0) {
        return Ok(());
    }
    let about = given.text("about")?.map(|about| format!("{about}: ")).unwrap_or_default();
    Err(Problem::Unmet { expected: format!("{about}{}", show(&expected)), instead: show(&is) })
}

/// Whether two values are the same, tables with all their content.
fn is_same(one: &Value, other: &Value, depth: usize) -> bool {
    match (one, other) {
        (Value::Table(one), Value::Table(other)) if depth < DEPTH_MAX => {
            if one.to_pointer() == other.to_pointer() {
                return true;
            }
            let count = |table: &mlua::Table| table.pairs::<Value, Value>().count();
            count(one) == count(other)
                && one.pairs::<Value, Value>().all(|pair| {
                    let Ok((key, value)) = pair else { return false };
                    let there: Value = other.raw_get(key).unwrap_or(Value::Nil);
                    is_same(&value, &there, depth + 1)
                })
        }
        (Value::Integer(whole), Value::Number(number))
        | (Value::Number(number), Value::Integer(whole)) => *whole as f64 == *number,
        (one, other) => one == other,
    }
}

/// Tables in tables that are compared.
const DEPTH_MAX: usize = 32;
