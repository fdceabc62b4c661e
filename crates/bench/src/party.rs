//! A phone, a caller or somebody outside: one SIP endpoint of its own, and the calls it is in.
//!
//! A party speaks real SIP with real session descriptions. Its sound is a matter of the office's
//! acoustics; it only says what was agreed on.

mod call;
mod events;
mod register;
mod sdp_side;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip_engine::{
    Body, ClientCredentials, Endpoint, EndpointConfig, Flow, Invite, Output, Reply, SessionId,
};
use sip_syntax::{Method, StatusCode};

use crate::acoustics::Described;
use crate::{Act, ActError, Behaviour, Call, Called, Hearing, Keys, Offer, Weather};
pub use call::{CallEnd, CallState, Direction, Ended, PartyCall, Provisional};
pub use register::Registration;

/// Names a party of one office, in the order in which they were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyId(pub(crate) usize);

impl PartyId {
    /// Its place among the parties, from 0.
    pub fn index(self) -> usize {
        self.0
    }
}

/// A phone, a caller or somebody outside.
#[derive(Debug)]
pub struct Party {
    id: PartyId,
    name: String,
    user: String,
    domain: String,
    is_account: bool,
    /// Where its SIP comes from, and goes to.
    flow: Flow,
    endpoint: Endpoint,
    credentials: Option<ClientCredentials>,
    behaviour: Behaviour,
    keys: Keys,
    pub(crate) weather: Option<Weather>,
    present: bool,
    registration: Registration,
    registering: register::Registering,
    calls: Vec<PartyCall>,
    plans: BTreeMap<(Instant, u64), Plan>,
    planned: u64,
    pub(crate) hearings: Vec<Hearing>,
    messages: VecDeque<Bytes>,
    news: VecDeque<News>,
}

/// Something it is going to do.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// In which of its calls; `None`: in none.
    pub(crate) call: Option<usize>,
    pub(crate) act: Act,
}

/// What a party tells the office.
#[derive(Debug)]
pub(crate) enum News {
    /// A call begins; its sound is to be expected at this address.
    Opened { call: usize, address: SocketAddr },
    /// This was agreed on for a call.
    Described { call: usize, described: Option<Described> },
    /// A call is over.
    Closed { call: usize },
    /// The state of a call changed, or that of the registration.
    Changed,
}

/// What a party is made of.
#[derive(Debug)]
pub(crate) struct Making {
    pub(crate) name: String,
    pub(crate) user: String,
    pub(crate) domain: String,
    pub(crate) flow: Flow,
    pub(crate) credentials: Option<ClientCredentials>,
    pub(crate) is_account: bool,
    pub(crate) behaviour: Behaviour,
    pub(crate) keys: Keys,
    pub(crate) weather: Option<Weather>,
}

impl Party {
    pub(crate) fn new(id: PartyId, seed: u64, making: Making) -> Self {
        let Making { name, user, domain, flow, credentials, is_account, .. } = making;
        let endpoint = Endpoint::new(EndpointConfig {
            user_agent: "Cordboard bench".to_owned(),
            seed,
            transactions_max: TRANSACTIONS_MAX,
            sessions_max: CALLS_MAX,
        });
        Self {
            id,
            name,
            user,
            domain,
            is_account,
            flow,
            endpoint,
            credentials,
            behaviour: making.behaviour,
            keys: making.keys,
            weather: making.weather,
            present: true,
            registration: Registration::default(),
            registering: register::Registering::default(),
            calls: Vec::new(),
            plans: BTreeMap::new(),
            planned: 0,
            hearings: Vec::new(),
            messages: VecDeque::new(),
            news: VecDeque::new(),
        }
    }

    /// Its id.
    pub fn id(&self) -> PartyId {
        self.id
    }

    /// What ladders call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its number, or the name of its account.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.flow.local
    }

    /// Whether it has an account to register.
    pub fn is_account(&self) -> bool {
        self.is_account
    }

    /// Whether it is connected, rather than vanished.
    pub fn is_present(&self) -> bool {
        self.present
    }

    /// How its registration stands.
    pub fn registration(&self) -> &Registration {
        &self.registration
    }

    /// All its calls, the first first.
    pub fn calls(&self) -> &[PartyCall] {
        &self.calls
    }

    /// The last call that is not over, or else the last.
    pub fn call(&self) -> Option<&PartyCall> {
        self.calls.iter().rev().find(|call| !call.is_over()).or(self.calls.last())
    }

    /// The value of a Replaces header that names one of its calls to the exchange (RFC 3891 §6.1);
    /// `None` before that was answered.
    pub fn replaces_of(&self, call: usize) -> Option<String> {
        self.endpoint.replaces_of(self.calls.get(call)?.session?)
    }

    /// Everything it heard, in order; only the last can still last.
    pub fn hearings(&self) -> &[Hearing] {
        &self.hearings
    }

    /// What it hears now.
    pub fn hears(&self) -> Option<&Hearing> {
        self.hearings.last().filter(|hearing| hearing.until.is_none())
    }

    /// Whether no call of it is under way.
    pub fn is_free(&self) -> bool {
        self.calls.iter().all(PartyCall::is_over)
    }

    pub(crate) fn flow(&self) -> Flow {
        self.flow
    }

    pub(crate) fn set_behaviour(&mut self, behaviour: Behaviour) {
        self.behaviour = behaviour;
    }

    pub(crate) fn set_present(&mut self, present: bool) {
        self.present = present;
    }

    pub(crate) fn take_message(&mut self) -> Option<Bytes> {
        self.messages.pop_front()
    }

    pub(crate) fn take_news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    /// When it next has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        if !self.present {
            return None;
        }
        let plan = self.plans.first_key_value().map(|((at, _), _)| *at);
        [self.endpoint.poll_timeout(), plan].into_iter().flatten().min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
        self.drain(now);
    }

    /// The next thing it had planned to do by now.
    pub(crate) fn due_plan(&mut self, now: Instant) -> Option<Plan> {
        let entry = self.plans.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    pub(crate) fn plan(&mut self, at: Instant, call: Option<usize>, act: Act) {
        self.planned += 1;
        self.plans.insert((at, self.planned), Plan { call, act });
    }

    pub(crate) fn handle_message(&mut self, now: Instant, bytes: Bytes) {
        let silent = self.behaviour.called == Called::Silent && bytes.starts_with(b"INVITE ");
        if self.present && !silent {
            self.endpoint.handle_message(now, self.flow, bytes);
            self.drain(now);
        }
    }

    /// Makes a call.
    pub(crate) fn make_call(&mut self, now: Instant, call: &Call) {
        let index = self.begin(Direction::Made, call.to.clone());
        let uri = self.uri_of(&call.to);
        let mut body = None;
        if call.offer == Offer::Early {
            body = self
                .calls
                .get_mut(index)
                .map(|call| Body::sdp(call.offer(sdp::Direction::SendRecv)));
        }
        let from = match call.display_name.as_str() {
            "" => format!("<sip:{}@{}>", sip_syntax::escape_user(&self.user), self.domain),
            name => format!(
                "{} <sip:{}@{}>",
                sip_syntax::quote(name),
                sip_syntax::escape_user(&self.user),
                self.domain
            ),
        };
        let session = self.endpoint.invite(
            now,
            Invite {
                flow: self.flow,
                uri: uri.clone(),
                from,
                to: format!("<{uri}>"),
                contact_user: self.user.clone(),
                headers: call.headers.clone(),
                body,
                max_forwards: 70,
                credentials: self.credentials.clone(),
                call_id: None,
            },
        );
        if let Some(call) = self.calls.get_mut(index) {
            call.session = Some(session);
        }
        self.drain(now);
    }

    /// A number at the exchange, or a URI as it is.
    fn uri_of(&self, to: &str) -> String {
        if to.starts_with("sip:") || to.starts_with("sips:") || to.starts_with("tel:") {
            to.to_owned()
        } else {
            format!("sip:{}@{}", sip_syntax::escape_user(to), self.domain)
        }
    }

    /// A new call, whose sound has a port of its own.
    fn begin(&mut self, direction: Direction, peer: String) -> usize {
        let index = self.calls.len();
        let port =
            FIRST_PORT.saturating_add(u16::try_from(index).unwrap_or(u16::MAX).saturating_mul(2));
        let address = SocketAddr::new(self.flow.local.ip(), port);
        let origin = (self.id.0 as u64 + 1) * 1_000 + index as u64;
        self.calls.push(PartyCall::new(direction, peer, address, origin, self.keys));
        self.news.push_back(News::Opened { call: index, address });
        index
    }

    /// Does something of SIP in one of its calls; in the current one if none is named.
    pub(crate) fn act(
        &mut self,
        now: Instant,
        call: Option<usize>,
        act: &Act,
    ) -> Result<(), ActError> {
        match act {
            Act::Ring => self.reply(now, call, Reply::new(StatusCode::RINGING))?,
            Act::Progress => self.reply(now, call, Reply::new(StatusCode::SESSION_PROGRESS))?,
            Act::Answer => self.reply(now, call, Reply::new(StatusCode::OK))?,
            Act::Reject { code, reason } => {
                let mut reply = Reply::new(status(*code, 400..=699, "refuse", "400 to 699")?);
                reply.reason.clone_from(reason);
                self.reply(now, call, reply)?;
            }
            Act::Redirect { code, to } => {
                let mut reply = Reply::new(status(*code, 300..=399, "redirect", "300 to 399")?);
                for target in to {
                    let uri = self.uri_of(target);
                    reply = reply.header("Contact", format!("<{uri}>"));
                }
                self.reply(now, call, reply)?;
            }
            Act::Hold => self.set_direction(now, call, sdp::Direction::SendOnly)?,
            Act::Resume => self.set_direction(now, call, sdp::Direction::SendRecv)?,
            Act::Hangup => self.hang_up(now, call)?,
            Act::Transfer { to } => {
                let session = self.live_session(call)?;
                let uri = self.uri_of(to);
                self.refer(now, session, &uri);
            }
            Act::Join { with } => {
                let (session, other) = self.calls_to_join(with)?;
                let replaces = self.endpoint.replaces_of(other).unwrap_or_default();
                let replaces = replaces.replace(';', "%3B").replace('=', "%3D").replace('@', "%40");
                let uri = format!("{}?Replaces={replaces}", self.uri_of(with));
                self.refer(now, session, &uri);
            }
            Act::Send { method, headers, body } => {
                let session = self.live_session(call)?;
                let method = Method::from_bytes(method.as_bytes());
                let body = body
                    .as_ref()
                    .map(|(kind, content)| Body::new(kind.clone(), content.clone().into_bytes()));
                self.endpoint.request(now, session, method, headers.clone(), body);
            }
            Act::Register => self.register(now, register::EXPIRES)?,
            Act::Unregister => self.register(now, Duration::ZERO)?,
            // The office's part.
            Act::Press(_) | Act::Say(_) | Act::Hush | Act::Vanish | Act::Return => {}
        }
        self.drain(now);
        Ok(())
    }

    fn refer(&mut self, now: Instant, session: SessionId, uri: &str) {
        let by = format!("<sip:{}@{}>", sip_syntax::escape_user(&self.user), self.domain);
        let headers = [("Refer-To", format!("<{uri}>")), ("Referred-By", by)];
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
        self.endpoint.request(now, session, Method::Refer, headers, None);
    }

    /// The session of the call to be given away, and of the one with this party.
    fn calls_to_join(&self, with: &str) -> Result<(SessionId, SessionId), ActError> {
        let talks = |call: &&PartyCall| call.state == CallState::Talking;
        let mut calls = self.calls.iter().rev().filter(talks);
        let other = calls.clone().find(|call| call.peer() == with);
        let no_call = || ActError::NoCallWith(self.name.clone(), with.to_owned());
        let other = other.and_then(|call| call.session).ok_or_else(no_call)?;
        let first = calls.find(|call| call.session != Some(other));
        let first = first.and_then(|call| call.session);
        Ok((first.ok_or_else(|| ActError::NoOtherCall(self.name.clone()))?, other))
    }

    /// By BYE, CANCEL or a refusal, whatever fits.
    fn hang_up(&mut self, now: Instant, call: Option<usize>) -> Result<(), ActError> {
        let session = self.live_session(call)?;
        self.endpoint.hangup(now, session, None);
        let Some(index) = self.index_of(session) else { return Ok(()) };
        let how = match self.calls.get_mut(index) {
            Some(call) if call.state == CallState::Calling => {
                // The exchange has the last word on it.
                call.gives_up = true;
                return Ok(());
            }
            Some(call) if call.state == CallState::Ringing => CallEnd::Declined,
            Some(_) | None => CallEnd::HungUp,
        };
        self.end(index, Ended { at: now, how, status: None, reason: None });
        Ok(())
    }

    /// Sends keys as INFO requests, all at once.
    pub(crate) fn press_by_info(&mut self, now: Instant, call: usize, keys: &str) {
        let Some(session) = self.calls.get(call).and_then(|call| call.session) else { return };
        for key in keys.chars() {
            let text = format!("Signal={key}\r\nDuration=160\r\n");
            let body = Body::new("application/dtmf-relay", text.into_bytes());
            self.endpoint.request(now, session, Method::Info, Vec::new(), Some(body));
        }
        self.drain(now);
    }

    /// The call that has sound, for speech and keys.
    pub(crate) fn audible_call(&self, call: Option<usize>) -> Result<usize, ActError> {
        let is_live = |index: &usize| self.calls.get(*index).is_some_and(|call| !call.is_over());
        let index = match call {
            Some(index) => Some(index).filter(is_live),
            None => (0..self.calls.len()).rev().find(is_live),
        };
        let index = index.ok_or_else(|| ActError::NoCall(self.name.clone()))?;
        match self.calls.get(index) {
            Some(call) if call.agreed.is_some() => Ok(index),
            Some(_) | None => Err(ActError::NoSound(self.name.clone())),
        }
    }

    /// How keys are sent.
    pub(crate) fn keys(&self) -> Keys {
        self.keys
    }

    fn live_session(&self, call: Option<usize>) -> Result<SessionId, ActError> {
        let call = match call {
            Some(index) => self.calls.get(index),
            None => self.call(),
        };
        call.filter(|call| !call.is_over())
            .and_then(|call| call.session)
            .ok_or_else(|| ActError::NoCall(self.name.clone()))
    }

    /// Answers the call that rings.
    fn reply(&mut self, now: Instant, call: Option<usize>, reply: Reply) -> Result<(), ActError> {
        let is_ringing = |index: &usize| {
            self.calls.get(*index).is_some_and(|call| call.state == CallState::Ringing)
        };
        let index = match call {
            Some(index) => Some(index).filter(is_ringing),
            None => (0..self.calls.len()).rev().find(is_ringing),
        };
        let (Some(index), name) = (index, &self.name) else {
            return Err(ActError::NotRinging(self.name.clone()));
        };
        let Some(call) = self.calls.get_mut(index) else {
            return Err(ActError::NotRinging(name.clone()));
        };
        let Some(session) = call.session else { return Err(ActError::NotRinging(name.clone())) };
        let status = reply.status;
        let mut reply = reply;
        if status == StatusCode::SESSION_PROGRESS || status.is_success() {
            reply = reply.body(Body::sdp(call.describe()));
            let described = call.described();
            self.news.push_back(News::Described { call: index, described });
        }
        if status.is_provisional() {
            self.endpoint.provisional(now, session, reply);
        } else if status.is_success() {
            self.endpoint.accept(now, session, reply);
            self.answered(now, index);
        } else {
            self.endpoint.reject(now, session, reply);
            let ended = Ended {
                at: now,
                how: CallEnd::Declined,
                status: Some(status.as_u16()),
                reason: None,
            };
            self.end(index, ended);
        }
        self.news.push_back(News::Changed);
        Ok(())
    }

    fn answered(&mut self, now: Instant, index: usize) {
        if let Some(call) = self.calls.get_mut(index) {
            call.state = CallState::Talking;
            call.answered_at = Some(now);
        }
        for (after, act) in self.behaviour.talking.clone() {
            self.plan(now + after, Some(index), act);
        }
    }

    fn set_direction(
        &mut self,
        now: Instant,
        call: Option<usize>,
        direction: sdp::Direction,
    ) -> Result<(), ActError> {
        let session = self.live_session(call)?;
        let no_sound = ActError::NoSound(self.name.clone());
        let call = self.call_of(session).filter(|call| call.agreed.is_some()).ok_or(no_sound)?;
        call.direction_wanted = direction;
        let offer = call.offer(direction);
        self.endpoint.reinvite(now, session, Some(Body::sdp(offer)));
        Ok(())
    }

    fn end(&mut self, index: usize, ended: Ended) {
        if let Some(call) = self.calls.get_mut(index) {
            call.end(ended);
        }
        self.plans.retain(|_, plan| plan.call != Some(index));
        self.news.push_back(News::Closed { call: index });
        self.news.push_back(News::Changed);
    }

    fn index_of(&self, session: SessionId) -> Option<usize> {
        self.calls.iter().position(|call| call.session == Some(session) && !call.is_over())
    }

    fn call_of(&mut self, session: SessionId) -> Option<&mut PartyCall> {
        self.calls.iter_mut().find(|call| call.session == Some(session) && !call.is_over())
    }

    fn drain(&mut self, now: Instant) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Transmit { bytes, .. } => self.messages.push_back(bytes),
                Output::Event(event) => self.handle_event(now, event),
            }
        }
    }
}

fn status(
    code: u16,
    range: std::ops::RangeInclusive<u16>,
    what: &'static str,
    words: &'static str,
) -> Result<StatusCode, ActError> {
    let wrong = ActError::Code { code, what, range: words };
    StatusCode::new(code).filter(|_| range.contains(&code)).ok_or(wrong)
}

/// Transactions of one party at one time; far more than any test needs.
const TRANSACTIONS_MAX: usize = 10_000;
/// Calls of one party at one time.
const CALLS_MAX: usize = 1_000;
/// Where the sound of a party's first call arrives; later calls have ports of their own.
const FIRST_PORT: u16 = 4_000;
