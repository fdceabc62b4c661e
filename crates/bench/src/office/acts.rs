//! Adding parties, making calls, and telling parties what to do.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use sip_engine::{ClientCredentials, Flow, Transport};
use sip_syntax::Uri;

use super::Office;
use crate::acoustics::EarId;
use crate::loss::Loss;
use crate::party::Making;
use crate::{
    Act, ActError, Behaviour, Call, Identity, Keys, Party, PartyId, Phone, Registers, Target, What,
};

impl Office {
    /// Adds a phone with an account. If it registers at once, time passes until that is decided.
    ///
    /// # Errors
    /// When there is no such account, or no listener for its transport.
    pub fn add_phone(&mut self, phone: Phone) -> Result<PartyId, ActError> {
        let Phone { name, account, secret, transport, behaviour, weather, registers, keys } = phone;
        let own = self.config.accounts.get(&account);
        let secret = secret.or_else(|| own.map(|own| own.secret.clone()));
        let secret = secret.ok_or_else(|| ActError::NoSuchAccount(account.clone()))?;
        let flow = self.new_flow(Place::Inside, transport)?;
        let credentials =
            ClientCredentials { user: account.clone(), secret, realm: Some(self.realm()) };
        let id = self.add_party(Making {
            name,
            user: account,
            domain: self.realm(),
            flow,
            credentials: Some(credentials),
            is_account: true,
            behaviour,
            keys,
            weather,
        });
        if registers == Registers::AtOnce {
            self.act(id, Act::Register)?;
            self.run_until_that(REGISTER_MAX, |office| {
                office.party(id).is_none_or(|party| !party.is_registering())
            });
        }
        Ok(id)
    }

    /// Adds somebody outside whom the exchange can call, and makes the host's name known.
    ///
    /// # Errors
    /// When the URI is none.
    pub fn add_target(&mut self, target: Target) -> Result<PartyId, ActError> {
        let Target { name, uri, behaviour, weather } = target;
        let wrong = || ActError::Uri(uri.clone());
        let parsed = Uri::parse(uri.clone()).map_err(|_| wrong())?;
        let host = parsed.host().to_string();
        let user = parsed.user().unwrap_or_default();
        let transport = match parsed.param(b"transport") {
            Some(name) if name.eq_ignore_ascii_case(b"tcp") => Transport::Tcp,
            Some(_) | None => Transport::Udp,
        };
        let mut flow = self.new_flow(Place::Outside, transport)?;
        flow.local.set_port(parsed.port().unwrap_or(5_060));
        match (host.trim_matches(['[', ']']).parse::<IpAddr>(), self.names.get(&host)) {
            (Ok(ip), _) => flow.local.set_ip(ip),
            (Err(_), Some(known)) if !known.is_empty() => {
                if let Some(ip) = known.first() {
                    flow.local.set_ip(*ip);
                }
            }
            (Err(_), Some(_) | None) => {
                self.names.insert(host.clone(), vec![flow.local.ip()]);
            }
        }
        let shown = if user.is_empty() { host.clone() } else { user.clone() };
        Ok(self.add_party(Making {
            name: name.unwrap_or(shown),
            user,
            domain: host,
            flow,
            credentials: None,
            is_account: false,
            behaviour,
            keys: Keys::Events,
            weather,
        }))
    }

    /// What a host name leads to from now on; nothing: it does not exist.
    pub fn set_addresses(&mut self, host: impl Into<String>, addresses: Vec<IpAddr>) {
        self.names.insert(host.into(), addresses);
    }

    /// Another program holds this media port of the exchange.
    pub fn take_port(&mut self, port: u16) {
        self.taken_ports.push(port);
    }

    /// Has somebody call, and gives back who. What follows at the same moment has happened then.
    ///
    /// # Errors
    /// When there is no such account or party, or it has vanished.
    pub fn call(&mut self, call: Call) -> Result<PartyId, ActError> {
        let id = match &call.identity {
            Identity::Party(id) => *id,
            Identity::Account(account) => match self.phone_of(account) {
                Some(id) => id,
                None => self.add_caller(&call, Place::Inside, Some(account.clone()))?,
            },
            Identity::Trusted => self.add_caller(&call, Place::Trusted, None)?,
            Identity::Stranger => self.add_caller(&call, Place::Outside, None)?,
        };
        let now = self.now;
        let party = self.parties.get_mut(id.0).ok_or(ActError::NoSuchParty)?;
        if !party.is_present() {
            return Err(ActError::Vanished(party.name().to_owned()));
        }
        party.make_call(now, &call);
        self.after_party(id);
        self.run_until(now);
        Ok(id)
    }

    /// Has a party do something now, and lets happen whatever follows at the same moment.
    ///
    /// # Errors
    /// When that is not possible in the state it is in.
    pub fn act(&mut self, id: PartyId, act: Act) -> Result<(), ActError> {
        let done = self.perform(id, None, &act);
        self.run_until(self.now);
        done
    }

    /// Has a party do something later. If it is not possible then, it is not done.
    ///
    /// # Errors
    /// When there is no such party.
    pub fn act_after(&mut self, id: PartyId, after: Duration, act: Act) -> Result<(), ActError> {
        let at = self.now + after;
        let party = self.parties.get_mut(id.0).ok_or(ActError::NoSuchParty)?;
        party.plan(at, None, act);
        Ok(())
    }

    /// What a party does without being told, from its next call on.
    ///
    /// # Errors
    /// When there is no such party.
    pub fn set_behaviour(&mut self, id: PartyId, behaviour: Behaviour) -> Result<(), ActError> {
        let party = self.parties.get_mut(id.0).ok_or(ActError::NoSuchParty)?;
        party.set_behaviour(behaviour);
        Ok(())
    }

    pub(super) fn perform(
        &mut self,
        id: PartyId,
        call: Option<usize>,
        act: &Act,
    ) -> Result<(), ActError> {
        let now = self.now;
        let party = self.parties.get_mut(id.0).ok_or(ActError::NoSuchParty)?;
        if !party.is_present() && *act != Act::Return {
            return Err(ActError::Vanished(party.name().to_owned()));
        }
        match act {
            Act::Press(keys) => {
                if let Some(wrong) = keys.chars().find(|key| !crate::is_key(*key)) {
                    return Err(ActError::Key(wrong));
                }
                let call = party.audible_call(call)?;
                match party.keys() {
                    Keys::Info => party.press_by_info(now, call, keys),
                    Keys::Events | Keys::Tones => {
                        self.acoustics.press(now, EarId { party: id, call }, keys);
                    }
                }
                self.note(What::Presses { party: id, keys: keys.clone() });
            }
            Act::Say(length) => {
                let call = party.audible_call(call)?;
                self.acoustics.say(now, EarId { party: id, call }, *length);
                self.note(What::Says { party: id, length: *length });
            }
            Act::Hush => {
                let call = party.audible_call(call)?;
                self.acoustics.hush(now, EarId { party: id, call });
            }
            Act::Vanish => {
                party.set_present(false);
                self.acoustics.set_present(now, id, false);
                self.note(What::Party { party: id, does: "vanishes" });
            }
            Act::Return => {
                party.set_present(true);
                self.acoustics.set_present(now, id, true);
                self.note(What::Party { party: id, does: "returns" });
            }
            Act::Ring
            | Act::Progress
            | Act::Answer
            | Act::Reject { .. }
            | Act::Redirect { .. }
            | Act::Hold
            | Act::Resume
            | Act::Hangup
            | Act::Transfer { .. }
            | Act::Join { .. }
            | Act::Send { .. }
            | Act::Register
            | Act::Unregister => {
                let done = party.act(now, call, act);
                self.after_party(id);
                return done;
            }
        }
        self.after_party(id);
        Ok(())
    }

    fn phone_of(&self, account: &str) -> Option<PartyId> {
        let is_it = |party: &&Party| party.is_account() && party.user() == account;
        self.parties.iter().find(is_it).map(Party::id)
    }

    fn add_caller(
        &mut self,
        call: &Call,
        place: Place,
        account: Option<String>,
    ) -> Result<PartyId, ActError> {
        let flow = self.new_flow(place, Transport::Udp)?;
        let credentials = match &account {
            Some(account) => {
                let own = self.config.accounts.get(account);
                let own = own.ok_or_else(|| ActError::NoSuchAccount(account.clone()))?;
                Some(ClientCredentials {
                    user: account.clone(),
                    secret: own.secret.clone(),
                    realm: Some(self.realm()),
                })
            }
            None => None,
        };
        Ok(self.add_party(Making {
            name: call.name.clone().unwrap_or_else(|| call.from.clone()),
            user: call.from.clone(),
            domain: self.realm(),
            flow,
            credentials,
            is_account: account.is_some(),
            behaviour: call.behaviour.clone(),
            keys: call.keys,
            weather: call.weather.clone(),
        }))
    }

    fn add_party(&mut self, making: Making) -> PartyId {
        let id = PartyId(self.parties.len());
        let mut making = making;
        making.name = self.free_name(making.name);
        let percent = making.weather.as_ref().unwrap_or(&self.weather).loss_percent;
        if percent > 0 {
            self.acoustics.set_loss(id, Loss::new(self.seed, id, percent, self.start));
        }
        self.places.entry(making.flow.local).or_default().push(id);
        self.parties.push(Party::new(id, self.rng.u64(..), making));
        id
    }

    /// This name, with a number behind it if another party has it already.
    fn free_name(&self, name: String) -> String {
        let is_taken = |name: &str| self.parties.iter().any(|party| party.name() == name);
        if !is_taken(&name) {
            return name;
        }
        let numbered = (2..).map(|number| format!("{name} #{number}"));
        numbered.into_iter().find(|name| !is_taken(name)).unwrap_or(name)
    }

    fn realm(&self) -> String {
        self.config.domain.clone()
    }

    /// A new address in such a place, and the way from there to the exchange.
    fn new_flow(&self, place: Place, transport: Transport) -> Result<Flow, ActError> {
        let listener = self.config.listeners.iter().find(|own| own.transport == transport);
        let remote = listener.ok_or(ActError::NoListener(transport))?.address;
        let number = u16::try_from(self.parties.len() + 2).unwrap_or(u16::MAX);
        let [high, low] = number.to_be_bytes();
        let ip = match (place, remote.is_ipv4()) {
            (Place::Inside, true) => IpAddr::V4(Ipv4Addr::new(10, 77, high, low)),
            (Place::Trusted, true) => IpAddr::V4(Ipv4Addr::new(198, 18, high, low)),
            (Place::Outside, true) => IpAddr::V4(Ipv4Addr::new(198, 19, high, low)),
            (Place::Inside, false) => IpAddr::V6(Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, number)),
            (Place::Trusted, false) => {
                IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 18, 0, 0, 0, 0, number))
            }
            (Place::Outside, false) => {
                IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 19, 0, 0, 0, 0, number))
            }
        };
        Ok(Flow { transport, local: SocketAddr::new(ip, 5_060), remote })
    }
}

/// Where somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the house.
    Inside,
    /// In a network that need not prove anything.
    Trusted,
    /// Anywhere else.
    Outside,
}

/// Networks that nobody has (RFC 2544, RFC 3849): in an office, a provider's.
pub(super) const TRUSTED_NETWORKS: [(IpAddr, u8); 2] = [
    (IpAddr::V4(Ipv4Addr::new(198, 18, 0, 0)), 16),
    (IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 18, 0, 0, 0, 0, 0)), 48),
];
/// No REGISTER waits longer for its reply (RFC 3261 Timer F).
const REGISTER_MAX: Duration = Duration::from_secs(33);
