//! Voice mailboxes.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bench::{Heard, Office, What};
use dialplan::{LibrarySpec, VerbSpec, nearest};
use mlua::{Lua, Table, Value};

use super::Object;
use crate::api;
use crate::given::Given;
use crate::session::{Problem, Session};

/// A voice mailbox.
pub(super) struct Mailbox {
    session: Rc<Session>,
    name: String,
}

/// A message in it.
#[derive(Debug, Clone)]
struct Message {
    from: String,
    name: String,
    seconds: f64,
    heard: bool,
}

impl Mailbox {
    /// The mailbox of this name.
    pub(super) fn find(session: &Rc<Session>, name: String) -> Result<Self, Problem> {
        let mailboxes = &session.stage().config.mailboxes;
        if mailboxes.contains_key(&name) {
            return Ok(Self { session: Rc::clone(session), name });
        }
        let near = nearest(&name, mailboxes.keys().map(String::as_str));
        let hint = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
        Err(Problem::Misuse(format!("there is no mailbox \"{name}\"{hint}")))
    }

    fn messages(&self, office: &Office) -> Vec<Message> {
        let all = office.shelf().messages.iter();
        let own = all.filter(|(mailbox, _, _)| *mailbox == self.name);
        let read = own.map(|(_, message, _)| Message {
            from: message.caller.clone(),
            name: message.caller_name.clone(),
            seconds: message.length.as_secs_f64(),
            heard: message.heard,
        });
        read.collect()
    }
}

impl Message {
    fn table(&self, lua: &Lua) -> mlua::Result<Table> {
        let table = lua.create_table()?;
        table.raw_set("from", self.from.as_str())?;
        table.raw_set("name", self.name.as_str())?;
        table.raw_set("seconds", self.seconds)?;
        table.raw_set("heard", self.heard)?;
        Ok(table)
    }

    fn in_words(&self) -> String {
        let name = match self.name.as_str() {
            "" => String::new(),
            name => format!(" (\"{name}\")"),
        };
        let heard = if self.heard { ", listened to" } else { "" };
        format!("{:.1} s from {}{name}{heard}", self.seconds, self.from)
    }
}

impl Object for Mailbox {
    const SPEC: &'static LibrarySpec = &api::MAILBOX;

    fn session(&self) -> &Rc<Session> {
        &self.session
    }

    fn perform(
        this: &Rc<Self>,
        lua: &Lua,
        spec: &'static VerbSpec,
        given: &Given,
    ) -> Result<Value, Problem> {
        match spec.name {
            "has" => has(lua, this, given),
            "is_empty" => is_empty(this),
            "messages" => {
                let list = lua.create_table()?;
                for message in this.messages(&*this.session.office()?) {
                    list.raw_push(message.table(lua)?)?;
                }
                Ok(Value::Table(list))
            }
            other => Err(Problem::Misuse(format!("{other} is not a method"))),
        }
    }

    fn field(&self, lua: &Lua, name: &str) -> mlua::Result<Option<Value>> {
        let mailboxes = &self.session.stage().config.mailboxes;
        let text = match name {
            "name" => self.name.as_str(),
            "pin" => mailboxes.get(&self.name).map_or("", |mailbox| mailbox.pin.as_str()),
            _ => return Ok(None),
        };
        lua.create_string(text).map(|text| Some(Value::String(text)))
    }
}

fn has(lua: &Lua, mailbox: &Mailbox, given: &Given) -> Result<Value, Problem> {
    let (from, name) = (given.text("from")?, given.text("name")?);
    let (length, heard) = (given.seconds("seconds")?, given.flag("heard")?);
    let within = given.seconds("within")?.unwrap_or_default();
    let fits = |message: &Message| {
        let close = |length: f64| (message.seconds - length).abs() <= LENGTH_TOLERANCE;
        from.as_ref().is_none_or(|from| *from == message.from)
            && name.as_ref().is_none_or(|name| *name == message.name)
            && length.is_none_or(|length| close(length.as_secs_f64()))
            && heard.is_none_or(|heard| heard == message.heard)
    };
    let mut found = None;
    mailbox.session.until(within, |office| {
        found = mailbox.messages(office).into_iter().find(&fits);
        found.is_some()
    })?;
    if let Some(found) = found {
        return Ok(Value::Table(found.table(lua)?));
    }
    let mut sought = String::from("a message");
    if let Some(length) = length {
        sought.push_str(&format!(" of {} s", length.as_secs_f64()));
    }
    if let Some(from) = &from {
        sought.push_str(&format!(" from {from}"));
    }
    if let Some(name) = &name {
        sought.push_str(&format!(" (\"{name}\")"));
    }
    match heard {
        Some(true) => sought.push_str(" that was listened to"),
        Some(false) => sought.push_str(" that nobody listened to"),
        None => {}
    }
    Err(Problem::Unmet {
        expected: format!("{sought} in mailbox {}", mailbox.name),
        instead: content(mailbox)? + &speech_too_early(mailbox)?,
    })
}

/// Says who spoke while the greeting still played, if anybody did and nothing was kept.
fn speech_too_early(mailbox: &Mailbox) -> Result<String, Problem> {
    let office = mailbox.session.office()?;
    if !mailbox.messages(&office).is_empty() {
        return Ok(String::new());
    }
    let mut heard_beep = BTreeSet::new();
    let mut played = BTreeMap::new();
    for happening in office.happenings() {
        if let What::Hears { party, heard } = &happening.what {
            if matches!(heard, Some(Heard::Tone(name)) if **name == *"beep") {
                heard_beep.insert(*party);
            }
            let is_played = matches!(
                heard,
                Some(Heard::Prompt(_) | Heard::Tone(_) | Heard::Silence | Heard::Speech(_))
            );
            played.insert(*party, is_played);
        }
        if let What::Says { party, .. } = &happening.what
            && played.get(party) == Some(&true)
            && !heard_beep.contains(party)
        {
            let name = office.party(*party).map_or("the caller", bench::Party::name);
            return Ok(format!(
                ": {name} spoke before the beep; \
                 caller:hears(\"beep\", {{ wholly = true }}) waits for it"
            ));
        }
    }
    Ok(String::new())
}

fn is_empty(mailbox: &Mailbox) -> Result<Value, Problem> {
    if mailbox.messages(&*mailbox.session.office()?).is_empty() {
        return Ok(Value::Nil);
    }
    Err(Problem::Unmet {
        expected: format!("mailbox {} to be empty", mailbox.name),
        instead: content(mailbox)?,
    })
}

/// What is in a mailbox, in words.
fn content(mailbox: &Mailbox) -> Result<String, Problem> {
    let messages = mailbox.messages(&*mailbox.session.office()?);
    let written: Vec<String> = messages.iter().map(Message::in_words).collect();
    Ok(match written.as_slice() {
        [] => "it is empty".to_owned(),
        messages => format!("there is {}", messages.join("; ")),
    })
}

/// Seconds by which a message may be shorter or longer than what was said: silence at its end is cut,
/// and the key that ends it takes time.
const LENGTH_TOLERANCE: f64 = 0.5;
