//! Callers, phones and targets: finding what a test wants of them.

use std::rc::Rc;

use bench::{Office, PartyId};
use dialplan::{LibrarySpec, VerbSpec};
use mlua::{Lua, Value};

use super::{Object, acts, expect, heard, message};
use crate::api;
use crate::given::Given;
use crate::session::{Problem, Session};

/// A caller, a phone, or somebody outside.
pub(super) struct Party {
    pub(super) session: Rc<Session>,
    pub(super) id: PartyId,
}

impl Party {
    pub(super) fn new(session: &Rc<Session>, id: PartyId) -> Rc<Self> {
        Rc::new(Self { session: Rc::clone(session), id })
    }

    /// What something of it is now.
    pub(super) fn look<V>(
        &self,
        look: impl FnOnce(&Office, &bench::Party) -> V,
    ) -> Result<V, Problem> {
        let office = self.session.office()?;
        match office.party(self.id) {
            Some(party) => Ok(look(&office, party)),
            None => Err(Problem::Misuse("this party is of another test".into())),
        }
    }

    /// What the ladder calls it.
    pub(super) fn name(&self) -> String {
        self.look(|_, party| party.name().to_owned()).unwrap_or_default()
    }
}

impl Object for Party {
    const SPEC: &'static LibrarySpec = &api::PARTY;

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
            "answers" => acts::answers(this, given)?,
            "hangs_up" | "hangup" => acts::act(this, bench::Act::Hangup)?,
            "heard" => return heard::heard(lua, this),
            "hears" => heard::hears(this, given)?,
            "hears_nothing" => heard::hears_nothing(this, given)?,
            "holds" => acts::act(this, bench::Act::Hold)?,
            "is_answered" => expect::is_answered(this, given)?,
            "is_ended" => expect::is_ended(this, given)?,
            "is_redirected" => expect::is_redirected(this, given)?,
            "is_refused" => expect::is_refused(this, given)?,
            "is_ringing" => expect::is_ringing(this, given)?,
            "messages" => return message::messages(lua, this, given),
            "press" | "presses" => acts::presses(this, given)?,
            "redirects" => acts::redirects(this, given)?,
            "refuses" => acts::refuses(this, given)?,
            "registers" => acts::registers(this, given)?,
            "resumes" => acts::act(this, bench::Act::Resume)?,
            "returns" => acts::act(this, bench::Act::Return)?,
            "rings" => expect::rings(this, given)?,
            "says" => acts::says(this, given)?,
            "sees" => return message::sees(lua, this, given),
            "sends" => acts::sends(this, given)?,
            "talks_to" => heard::talks_to(this, given)?,
            "transfers" => acts::transfers(this, given)?,
            "unregisters" => acts::unregisters(this, given)?,
            "vanishes" => acts::act(this, bench::Act::Vanish)?,
            other => return Err(Problem::Misuse(format!("{other} is not a method"))),
        }
        Ok(Value::Nil)
    }

    fn field(&self, lua: &Lua, name: &str) -> mlua::Result<Option<Value>> {
        let text = match name {
            "name" => self.name(),
            "number" => self.look(|_, party| party.user().to_owned()).unwrap_or_default(),
            _ => return Ok(None),
        };
        lua.create_string(text).map(|text| Some(Value::String(text)))
    }
}
