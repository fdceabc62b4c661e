//! The SIP messages of a party.

use std::time::Instant;

use bench::{Office, PartyId, Way, What};
use mlua::{Lua, Table, Value};
use sip_syntax::Message;

use super::party::Party;
use crate::given::Given;
use crate::session::Problem;

/// One message, read.
struct Seen {
    sent: bool,
    /// When it was sent, or arrived.
    at: Instant,
    message: Message,
}

/// The messages of a party, read as they come.
struct Seeing {
    party: PartyId,
    /// Happenings that were looked at.
    looked_at: usize,
    /// Not among them: those that were lost, or are not well-formed.
    all: Vec<Seen>,
}

impl Seeing {
    fn of(party: PartyId) -> Self {
        Self { party, looked_at: 0, all: Vec::new() }
    }

    fn look(&mut self, office: &Office) {
        let happenings = office.happenings();
        for happening in happenings.get(self.looked_at..).unwrap_or_default() {
            let What::Sip(traffic) = &happening.what else { continue };
            if traffic.party != Some(self.party) {
                continue;
            }
            let sent = traffic.way == Way::ToExchange;
            let at = if sent { Some(happening.at) } else { traffic.arrives.iter().min().copied() };
            if let (Some(at), Some(message)) = (at, traffic.message()) {
                self.all.push(Seen { sent, at, message });
            }
        }
        self.looked_at = happenings.len();
    }

    /// Those that are there by now, each with its place among all.
    fn there(&self, now: Instant) -> impl Iterator<Item = (usize, &Seen)> {
        self.all.iter().enumerate().filter(move |(_, seen)| seen.at <= now)
    }
}

impl Seen {
    fn status(&self) -> Option<u16> {
        match &self.message {
            Message::Response(response) => Some(response.status().as_u16()),
            Message::Request(_) => None,
        }
    }

    /// Of a reply, that of the request.
    fn method(&self) -> String {
        let method = match &self.message {
            Message::Request(request) => request.method().to_string(),
            Message::Response(response) => {
                response.cseq().map(|cseq| cseq.method.to_string()).unwrap_or_default()
            }
        };
        method.to_ascii_uppercase()
    }

    fn reason(&self) -> Option<String> {
        match &self.message {
            Message::Response(response) => {
                Some(String::from_utf8_lossy(response.reason()).into_owned())
            }
            Message::Request(_) => None,
        }
    }

    fn body(&self) -> String {
        String::from_utf8_lossy(self.message.headers().body()).into_owned()
    }

    /// `200 OK (INVITE)`, `BYE`.
    fn in_words(&self) -> String {
        match (self.status(), self.reason()) {
            (Some(status), reason) => {
                format!("{status} {} ({})", reason.unwrap_or_default(), self.method())
            }
            (None, _) => self.method(),
        }
    }

    fn table(&self, lua: &Lua, start: Instant) -> mlua::Result<Table> {
        let table = lua.create_table()?;
        table.raw_set("sent", self.sent)?;
        table.raw_set("time", self.at.saturating_duration_since(start).as_secs_f64())?;
        table.raw_set("method", self.method())?;
        table.raw_set("status", self.status())?;
        table.raw_set("reason", self.reason())?;
        if let Message::Request(request) = &self.message {
            table.raw_set("uri", String::from_utf8_lossy(request.uri_bytes()).into_owned())?;
        }
        table.raw_set("body", self.body())?;
        let text = String::from_utf8_lossy(self.message.headers().bytes()).into_owned();
        table.raw_set("text", text)?;
        table.raw_set("headers", self.headers(lua)?)?;
        Ok(table)
    }

    /// By name in any case; several of one name are joined (RFC 3261 §7.3.1).
    fn headers(&self, lua: &Lua) -> mlua::Result<Table> {
        let headers = lua.create_table()?;
        for field in self.message.headers().fields() {
            let name = match field.name.as_str() {
                "" => String::from_utf8_lossy(field.raw_name).to_ascii_lowercase(),
                name => name.to_ascii_lowercase(),
            };
            let value = String::from_utf8_lossy(field.value).into_owned();
            let joined = match headers.raw_get::<Option<String>>(name.as_str())? {
                Some(before) => format!("{before}, {value}"),
                None => value,
            };
            headers.raw_set(name, joined)?;
        }
        let metatable = lua.create_table()?;
        let index = lua.create_function(|_, (headers, name): (Table, Value)| {
            let Value::String(name) = name else { return Ok(Value::Nil) };
            headers.raw_get::<Value>(name.to_string_lossy().to_ascii_lowercase())
        })?;
        metatable.raw_set("__index", index)?;
        headers.set_metatable(Some(metatable))?;
        Ok(headers)
    }
}

pub(super) fn messages(lua: &Lua, party: &Party, given: &Given) -> Result<Value, Problem> {
    let method = given.text("method")?.map(|method| method.to_ascii_uppercase());
    let (status, sent) = (given.status("status")?, given.flag("sent")?);
    let mut seeing = Seeing::of(party.id);
    let (start, now) = party.look(|office, _| {
        seeing.look(office);
        (office.start(), office.now())
    })?;
    let list = lua.create_table()?;
    for (_, seen) in seeing.there(now) {
        let fits = method.as_ref().is_none_or(|method| *method == seen.method())
            && status.is_none_or(|status| seen.status() == Some(status))
            && sent.is_none_or(|sent| sent == seen.sent);
        if fits {
            list.raw_push(seen.table(lua, start)?)?;
        }
    }
    Ok(Value::Table(list))
}

pub(super) fn sees(lua: &Lua, party: &Party, given: &Given) -> Result<Value, Problem> {
    let method = given.text("method")?.map(|method| method.to_ascii_uppercase());
    let (status, reason) = (given.status("status")?, given.text("reason")?);
    let (headers, body) = (given.headers("headers")?, given.text("body")?);
    let within = given.seconds("within")?.unwrap_or_default();
    if method.is_none() && status.is_none() {
        return Err(Problem::Misuse("name a status or a method".into()));
    }
    let fits = |seen: &Seen| {
        let header = |(name, part): &(String, String)| {
            let value = seen.message.headers().header_named(name.as_bytes());
            value.is_some_and(|value| String::from_utf8_lossy(&value).contains(part.as_str()))
        };
        !seen.sent
            && status.is_none_or(|status| seen.status() == Some(status))
            && (status.is_some() || seen.status().is_none())
            && method.as_ref().is_none_or(|method| *method == seen.method())
            && reason.as_ref().is_none_or(|reason| Some(reason) == seen.reason().as_ref())
            && headers.iter().all(header)
            && body.as_ref().is_none_or(|body| seen.body().contains(body.as_str()))
    };
    let (id, from) = (party.id, party.session.marks(party.id).seen);
    let mut seeing = Seeing::of(id);
    let mut found = None;
    party.session.until(within, |office| {
        seeing.look(office);
        let mut there = seeing.there(office.now()).filter(|(index, _)| *index >= from);
        found = there.find(|(_, seen)| fits(seen)).map(|(index, _)| index);
        found.is_some()
    })?;
    if let Some((index, seen)) = found.and_then(|index| Some((index, seeing.all.get(index)?))) {
        party.session.mark(id, |marks| marks.seen = index + 1);
        let start = party.look(|office, _| office.start())?;
        return Ok(Value::Table(seen.table(lua, start)?));
    }
    let mut sought = match (status, &method) {
        (Some(status), Some(method)) => format!("{status} to {method}"),
        (Some(status), None) => status.to_string(),
        (None, method) => method.clone().unwrap_or_default(),
    };
    if let Some(reason) = &reason {
        sought.push_str(&format!(" \"{reason}\""));
    }
    for (name, part) in &headers {
        sought.push_str(&format!(", {name} with \"{part}\""));
    }
    if let Some(body) = &body {
        sought.push_str(&format!(", a body with \"{body}\""));
    }
    let now = party.look(|office, _| office.now())?;
    let came = seeing.there(now).filter(|(index, seen)| *index >= from && !seen.sent);
    let came: Vec<String> = came.map(|(_, seen)| seen.in_words()).collect();
    let after = if from > 0 { " after what was found before" } else { "" };
    Err(Problem::Unmet {
        expected: format!("{} to see {sought} within {} s", party.name(), within.as_secs_f64()),
        instead: match came.as_slice() {
            [] => format!("it saw nothing{after}"),
            came => format!("it saw{after}: {}", came.join(", ")),
        },
    })
}
