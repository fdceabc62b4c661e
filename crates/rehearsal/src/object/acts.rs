//! What parties do when a test tells them.

use std::time::Duration;

use bench::{Act, CallState};

use super::held;
use super::party::Party;
use crate::given::Given;
use crate::session::Problem;
use crate::show::describe;

/// Does something at once.
pub(super) fn act(party: &Party, act: Act) -> Result<(), Problem> {
    party.session.office()?.act(party.id, act)?;
    // What follows at once may be a script that fails.
    party.session.run_for(Duration::ZERO)
}

pub(super) fn answers(party: &Party, given: &Given) -> Result<(), Problem> {
    await_ringing(party, given)?;
    act(party, Act::Answer)
}

pub(super) fn refuses(party: &Party, given: &Given) -> Result<(), Problem> {
    let code = given.status("code")?.unwrap_or_default();
    let reason = given.text("reason")?;
    await_ringing(party, given)?;
    act(party, Act::Reject { code, reason })
}

pub(super) fn redirects(party: &Party, given: &Given) -> Result<(), Problem> {
    let (to, code) = (given.needed("to")?, given.status("code")?.unwrap_or(302));
    await_ringing(party, given)?;
    act(party, Act::Redirect { code, to: vec![to] })
}

/// Waits until a call rings that can be answered or refused.
fn await_ringing(party: &Party, given: &Given) -> Result<(), Problem> {
    let id = party.id;
    let rings = |office: &bench::Office| {
        let calls = office.party(id).map(bench::Party::calls).unwrap_or_default();
        calls.iter().any(|call| call.state() == CallState::Ringing)
    };
    let within = given.seconds("within")?.unwrap_or_default();
    if party.session.until(within, rings)? {
        return Ok(());
    }
    Err(Problem::Unmet {
        expected: format!("{} to ring within {} s", party.name(), within.as_secs_f64()),
        instead: super::expect::calls_that_came(party)?,
    })
}

/// To a number, or to a party with whom it talks in another call.
pub(super) fn transfers(party: &Party, given: &Given) -> Result<(), Problem> {
    let to = given.value("to");
    if let Some(other) = held::<Party>(&to) {
        let with = other.look(|_, party| party.user().to_owned())?;
        return act(party, Act::Join { with });
    }
    let number = to.as_string().map(|to| to.to_string_lossy());
    match number.or_else(|| to.as_integer().map(|to| to.to_string())) {
        Some(to) => act(party, Act::Transfer { to }),
        None => {
            let got = describe(&to);
            Err(Problem::Misuse(format!("to must be a number, a SIP URI or a party, got {got}")))
        }
    }
}

pub(super) fn presses(party: &Party, given: &Given) -> Result<(), Problem> {
    let keys = given.needed("keys")?;
    let count = u32::try_from(keys.chars().count()).unwrap_or(u32::MAX);
    act(party, Act::Press(keys))?;
    party.session.run_for(KEY.saturating_mul(count))
}

pub(super) fn says(party: &Party, given: &Given) -> Result<(), Problem> {
    let length = given.seconds("seconds")?.unwrap_or_default();
    act(party, Act::Say(length))?;
    party.session.run_for(length)
}

pub(super) fn sends(party: &Party, given: &Given) -> Result<(), Problem> {
    let method = given.needed("method")?;
    let is_token = |c: char| c.is_ascii_alphanumeric() || "-.!%*_+`'~".contains(c);
    if method.is_empty() || !method.chars().all(is_token) {
        return Err(Problem::Misuse(format!("\"{method}\" cannot be a method")));
    }
    let body = given.text("body")?.map(|body| {
        let kind = given.text("type").ok().flatten();
        (kind.unwrap_or_else(|| "text/plain".to_owned()), body)
    });
    act(party, Act::Send { method, headers: given.headers("headers")?, body })
}

pub(super) fn registers(party: &Party, given: &Given) -> Result<(), Problem> {
    act(party, Act::Register)?;
    await_registrar(party, given)?;
    party.expect_registered()
}

pub(super) fn unregisters(party: &Party, given: &Given) -> Result<(), Problem> {
    act(party, Act::Unregister)?;
    await_registrar(party, given)
}

fn await_registrar(party: &Party, given: &Given) -> Result<(), Problem> {
    let id = party.id;
    let within = given.seconds("within")?.unwrap_or_default();
    let is_done =
        |office: &bench::Office| office.party(id).is_none_or(|party| !party.is_registering());
    if party.session.until(within, is_done)? {
        return Ok(());
    }
    Err(Problem::Unmet {
        expected: format!("an answer to the registration of {}", party.name()),
        instead: format!("none came within {} s", within.as_secs_f64()),
    })
}

impl Party {
    /// A phone that was to register must be registered now.
    pub(super) fn expect_registered(&self) -> Result<(), Problem> {
        let told = self.look(|_, party| {
            let status = party.registration().status;
            (!party.is_registered()).then(|| match status {
                Some(status) => format!("the exchange refused it with {status}"),
                None => "no answer came".to_owned(),
            })
        })?;
        match told {
            None => Ok(()),
            Some(instead) => {
                Err(Problem::Unmet { expected: format!("{} to register", self.name()), instead })
            }
        }
    }
}

/// A key and the pause after it.
const KEY: Duration = Duration::from_millis(200);
