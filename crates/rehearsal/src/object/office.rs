//! `t`: the office of a test.

use std::rc::Rc;
use std::time::Duration;

use bench::{Behaviour, Call, Called, Identity, Keys, Offer, Phone, Registers, SecondCall, Target};
use dialplan::{LibrarySpec, VerbSpec};
use mlua::{Lua, Value};

use super::mailbox::Mailbox;
use super::party::Party;
use super::{Object, expect, hand_out, outside, property, record};
use crate::api;
use crate::given::Given;
use crate::session::{Problem, Session};
use crate::wall::{in_zone, parse_time};

/// The office of a test, as `t`.
pub(crate) struct T {
    session: Rc<Session>,
}

impl T {
    /// `t` for a session.
    pub(crate) fn value(lua: &Lua, session: &Rc<Session>) -> mlua::Result<Value> {
        hand_out(lua, Rc::new(Self { session: Rc::clone(session) }))
    }
}

impl Object for T {
    const SPEC: &'static LibrarySpec = &api::T;

    fn session(&self) -> &Rc<Session> {
        &self.session
    }

    fn perform(
        this: &Rc<Self>,
        lua: &Lua,
        spec: &'static VerbSpec,
        given: &Given,
    ) -> Result<Value, Problem> {
        let session = &this.session;
        match spec.name {
            "asks" => return outside::asks(lua, session, given),
            "at" => at(session, given)?,
            "call" => return call(lua, session, given),
            "db" => return outside::db(lua, session, given),
            "db_fails" => session.outside().set_fault(given.text("text")?),
            "equal" => expect::equal(given)?,
            "expects_error" => session.expect_error(given.needed("text")?),
            "forall" => property::forall(lua, session, given)?,
            "http" => return outside::http(session, given),
            "logged" => return record::logged(lua, session, given),
            "never_logged" => return record::never_logged(session, given),
            "mailbox" => {
                let mailbox = Mailbox::find(session, given.needed("name")?)?;
                return Ok(hand_out(lua, Rc::new(mailbox))?);
            }
            "phone" => return phone(lua, session, given),
            "record" => return record::record(lua, session, given),
            "speech" => outside::speech(session, given)?,
            "requests" => return outside::requests(lua, session, given),
            "target" => return target(lua, session, given),
            "wait" => session.run_for(given.seconds("seconds")?.unwrap_or_default())?,
            "weather" => weather(session, given)?,
            other => return Err(Problem::Misuse(format!("{other} is not a method"))),
        }
        Ok(Value::Nil)
    }

    fn field(&self, _: &Lua, name: &str) -> mlua::Result<Option<Value>> {
        let now = || Value::Number(self.session.elapsed().as_secs_f64());
        Ok((name == "now").then(now))
    }
}

fn at(session: &Session, given: &Given) -> Result<(), Problem> {
    let time = parse_time(&given.needed("time")?)?;
    if !session.is_open() {
        session.set_wall(time);
        return Ok(());
    }
    let (ahead, shown) = {
        let office = session.office()?;
        let zone = &office.config().time_zone;
        let then = in_zone(time, zone).timestamp();
        let ahead = then.duration_since(office.wall().timestamp());
        (Duration::try_from(ahead), office.wall().strftime("%Y-%m-%d %H:%M:%S").to_string())
    };
    match ahead {
        Ok(ahead) => session.pass_over(ahead),
        Err(_) => Err(Problem::Misuse(format!(
            "it is {shown} already; time does not run backwards after the first phone or call"
        ))),
    }
}

fn weather(session: &Session, given: &Given) -> Result<(), Problem> {
    if session.is_open() {
        let late = "must come before the first phone or call; a phone may have `loses` of its own";
        return Err(Problem::Misuse(late.into()));
    }
    session.set_weather(bench::Weather {
        loss_percent: percent(given.number("loses")?),
        repeat_percent: percent(given.number("repeats")?),
        jitter: given.seconds("delay")?.unwrap_or_default(),
        ..bench::Weather::calm()
    });
    Ok(())
}

/// A share as a percentage; whatever is not nothing is at least one.
fn percent(share: Option<f64>) -> u8 {
    (share.unwrap_or_default() * 100.0).ceil().clamp(0.0, 100.0) as u8
}

fn own_weather(given: &Given) -> Result<Option<bench::Weather>, Problem> {
    let loses = given.number("loses")?;
    Ok(loses.map(|share| bench::Weather {
        loss_percent: percent(Some(share)),
        ..bench::Weather::calm()
    }))
}

fn call(lua: &Lua, session: &Rc<Session>, given: &Given) -> Result<Value, Problem> {
    let account = given.text("as")?;
    let is_stranger = given.flag("stranger")? == Some(true);
    if let Some(account) = &account {
        known_account(session, account)?;
    }
    let identity = match (&account, is_stranger) {
        (Some(_), true) => {
            return Err(Problem::Misuse(
                "a stranger has no account: drop `as` or `stranger`".into(),
            ));
        }
        (Some(account), false) => Identity::Account(account.clone()),
        (None, true) => Identity::Stranger,
        (None, false) => Identity::Trusted,
    };
    let from = given.text("from")?.or_else(|| account.clone());
    let from = from.unwrap_or_else(|| "anonymous".to_owned());
    let keys = match given.word("keys")? {
        Some("tones") => Keys::Tones,
        Some("info") => Keys::Info,
        Some(_) | None => Keys::Events,
    };
    let late = given.flag("late_offer")? == Some(true);
    let call = Call {
        name: given.text("label")?,
        display_name: given.text("name")?.unwrap_or_default(),
        headers: given.headers("headers")?,
        offer: if late { Offer::Late } else { Offer::Early },
        weather: own_weather(given)?,
        keys,
        ..Call::new(from, given.needed("to")?).by(identity)
    };
    let party = session.office()?.call(call)?;
    Ok(hand_out(lua, Party::new(session, party))?)
}

/// Refuses an account that does not exist, with the nearest that does.
fn known_account(session: &Session, account: &str) -> Result<(), Problem> {
    let accounts = &session.stage().config.accounts;
    if accounts.contains_key(account) {
        return Ok(());
    }
    let near = dialplan::nearest(account, accounts.keys().map(String::as_str));
    let hint = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
    Err(Problem::Misuse(format!("there is no account \"{account}\"{hint}")))
}

fn phone(lua: &Lua, session: &Rc<Session>, given: &Given) -> Result<Value, Problem> {
    let account = given.needed("account")?;
    known_account(session, &account)?;
    let mut behaviour = behaviour(given)?;
    if given.word("second_call")? == Some("waits") {
        behaviour.second_call = SecondCall::Waits;
    }
    let registers = match given.flag("registers")? {
        Some(false) => Registers::Later,
        Some(true) | None => Registers::AtOnce,
    };
    let wrong_secret = given.text("secret")?;
    let expects_registration = registers == Registers::AtOnce && wrong_secret.is_none();
    let mut phone = Phone::new(account);
    if let Some(label) = given.text("label")? {
        phone.name = label;
    }
    let phone =
        Phone { secret: wrong_secret, behaviour, weather: own_weather(given)?, registers, ..phone };
    let party = session.office()?.add_phone(phone)?;
    session.until(Duration::ZERO, |_| false)?;
    let party = Party::new(session, party);
    if expects_registration {
        party.expect_registered()?;
    }
    Ok(hand_out(lua, party)?)
}

fn target(lua: &Lua, session: &Rc<Session>, given: &Given) -> Result<Value, Problem> {
    let target = Target {
        name: given.text("label")?,
        uri: given.needed("uri")?,
        behaviour: behaviour(given)?,
        weather: own_weather(given)?,
    };
    let party = session.office()?.add_target(target)?;
    Ok(hand_out(lua, Party::new(session, party))?)
}

/// What a phone or target does without being told.
fn behaviour(given: &Given) -> Result<Behaviour, Problem> {
    let answers = given.seconds("answers")?;
    let refuses = given.status("refuses")?;
    let redirects = given.texts("redirects")?;
    let is = |name| Ok::<_, Problem>(given.flag(name)? == Some(true));
    let (busy, never, early) = (is("busy")?, is("never")?, is("early")?);
    let after = given.seconds("after")?.unwrap_or_default();
    let reason = given.text("reason")?;
    let ways = [
        ("answers", answers.is_some()),
        ("busy", busy),
        ("refuses", refuses.is_some()),
        ("redirects", !redirects.is_empty()),
        ("never", never),
    ];
    let chosen: Vec<&str> = ways.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
    if chosen.len() > 1 {
        let both = chosen.join("` and `");
        return Err(Problem::Misuse(format!("`{both}` do not go together")));
    }
    let called = match (answers, refuses) {
        (answers_after, _) if early => Called::EarlyMedia { answers_after },
        (Some(after), _) => Called::Answers { after },
        (None, Some(code)) => Called::Refuses { after, code, reason },
        (None, None) if busy => Called::busy(),
        (None, None) if never => Called::Silent,
        (None, None) if !redirects.is_empty() => {
            Called::Redirects { after, code: 302, to: redirects }
        }
        (None, None) => Called::Rings,
    };
    let hangs_up = given.seconds("hangs_up")?;
    let talking = hangs_up.map(|after| (after, bench::Act::Hangup)).into_iter().collect();
    Ok(Behaviour { called, talking, ..Behaviour::default() })
}
