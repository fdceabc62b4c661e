//! Requests that begin something: calls, registrations, and questions from strangers.

use std::time::{Duration, Instant};

use dialplan::{CallView, Match, Party};
use sdp::Description;
use sip_engine::{Event, Flow, Reply, ServerTxnId, SessionId, Transport};
use sip_syntax::{HeaderName, Method, NameAddr, Request, StatusCode};

use super::{HeldBack, State, Switch};
use crate::auth::{Judgement, Speaker, printable};
use crate::call::{Call, Caller, Stage};
use crate::desk::CallId;

impl Switch {
    pub(super) fn handle_new(&mut self, now: Instant, event: Event) {
        match event {
            Event::Request { txn, flow, request } => match request.method() {
                Method::Register => self.register(now, txn, flow, &request),
                Method::Options => {
                    let reply = Reply::new(StatusCode::OK)
                        .header("Accept", "application/sdp")
                        .header("Allow", sip_engine::ALLOW);
                    // Anybody may ask, so nothing is kept of it.
                    self.desk.endpoint.respond(now, txn, reply.once());
                }
                Method::Subscribe | Method::Publish => {
                    let reply = Reply::new(StatusCode::BAD_EVENT).header("Allow-Events", "");
                    self.desk.endpoint.respond(now, txn, reply.once());
                }
                Method::Invite
                | Method::Ack
                | Method::Bye
                | Method::Cancel
                | Method::Prack
                | Method::Notify
                | Method::Update
                | Method::Message
                | Method::Refer
                | Method::Info
                | Method::Other(_) => {
                    let reply = Reply::new(StatusCode::METHOD_NOT_ALLOWED)
                        .header("Allow", sip_engine::ALLOW);
                    self.desk.endpoint.respond(now, txn, reply.once());
                }
            },
            Event::Invite { session, flow, request } => self.invite(now, session, flow, &request),
            Event::Cancelled { .. }
            | Event::Acked { .. }
            | Event::Provisional { .. }
            | Event::Accepted { .. }
            | Event::Failed { .. }
            | Event::Reinvite { .. }
            | Event::ReinviteAccepted { .. }
            | Event::ReinviteFailed { .. }
            | Event::InDialog { .. }
            | Event::Response { .. }
            | Event::Ended { .. } => {}
        }
    }

    fn register(&mut self, now: Instant, txn: ServerTxnId, flow: Flow, request: &Request) {
        // A trusted network may call without digest, but not take over somebody's number.
        let source = flow.remote;
        let at_home = self.desk.registrar.is_home(source.ip());
        let account =
            match self.auth.judge_account(now, &self.desk.config, request, source, at_home) {
                Judgement::Allow(account) => account,
                Judgement::Challenge { challenges, wait } => {
                    let reply = challenge(flow, request, &challenges);
                    if wait.is_zero() {
                        self.desk.endpoint.respond(now, txn, reply.once());
                    } else {
                        self.answer_later(now, wait, HeldBack::Request(txn, reply.once()));
                    }
                    return;
                }
                Judgement::Ban => {
                    let reply = Reply::new(StatusCode::FORBIDDEN);
                    return self.desk.endpoint.respond(now, txn, reply.once());
                }
            };
        let registered = request.to().ok().and_then(|to| to.uri.user()).unwrap_or_default();
        let reply = if registered == account {
            let known = !self.desk.registrar.find(now, &account).is_empty();
            let crate::desk::Desk { registrar, clock, config, .. } = &mut self.desk;
            let reply = registrar.register(now, clock, &config.limits, &account, flow, request);
            let here = !registrar.find(now, &account).is_empty();
            if here != known {
                let what = if here { "registered" } else { "unregistered" };
                tracing::info!(account, source = %flow.remote, "{what}");
            }
            reply
        } else {
            tracing::warn!(
                account,
                source = %flow.remote,
                "tried to register as {}",
                printable(&registered)
            );
            Reply::new(StatusCode::FORBIDDEN)
        };
        self.desk.endpoint.respond(now, txn, reply);
    }

    fn judge_caller(&mut self, now: Instant, flow: Flow, request: &Request) -> Judgement<Speaker> {
        let at_home = self.desk.registrar.is_home(flow.remote.ip());
        self.auth.judge_caller(now, &self.desk.config, request, flow.remote, at_home)
    }

    fn invite(&mut self, now: Instant, session: SessionId, flow: Flow, request: &Request) {
        if self.state != State::Open || self.calls.len() >= self.desk.config.limits.calls_max {
            return self.refuse(now, session, overloaded().once());
        }
        let number = request.uri().ok().and_then(|uri| uri.user()).unwrap_or_default();
        let matched = self.generation.match_number(&number);
        let speaker = match self.judge_caller(now, flow, request) {
            Judgement::Allow(speaker) => Some(speaker),
            Judgement::Challenge { challenges, wait } => {
                let public = match matched {
                    // Whoever takes somebody's place has to prove who it is, wherever it calls.
                    _ if request.has(HeaderName::Replaces) => false,
                    Match::Route(route) => self.generation.is_public(route),
                    Match::Incomplete | Match::None => false,
                };
                if !public || wait > Duration::ZERO || !self.may_be_a_stranger(flow, request) {
                    let reply = challenge(flow, request, &challenges);
                    return self.challenge_caller(now, session, reply, wait);
                }
                None
            }
            Judgement::Ban => {
                let reply = Reply::new(StatusCode::FORBIDDEN);
                return self.desk.endpoint.reject(now, session, reply.once());
            }
        };
        if request.has(HeaderName::Replaces) {
            return self.replace(now, session, flow, request, speaker);
        }
        let route = match matched {
            Match::Route(route) => route,
            Match::Incomplete => {
                return self.refuse(now, session, Reply::new(StatusCode::ADDRESS_INCOMPLETE));
            }
            Match::None => {
                tracing::info!(
                    source = %flow.remote,
                    "no route for {}: add route(\"{}\", ...) to the dialplan",
                    printable(&number),
                    printable(&number)
                );
                return self.refuse(now, session, Reply::new(StatusCode::NOT_FOUND));
            }
        };
        let offer = match offer_of(request) {
            Ok(offer) => offer,
            Err(reply) => return self.refuse(now, session, reply),
        };
        // Strangers on public routes share one allowance; a trusted network has none of its own.
        let (account, charged_to) = match &speaker {
            Some(Speaker::Account(account)) => (Some(account.clone()), Some(account.clone())),
            Some(Speaker::Peer(peer)) => {
                tracing::debug!(peer, source = %flow.remote, "calls from a trusted network");
                (None, None)
            }
            None => (None, Some(STRANGERS.to_owned())),
        };
        if let Some(account) = &charged_to {
            let count = self.calls_of_account.entry(account.clone()).or_default();
            if *count >= self.desk.config.limits.calls_per_account_max {
                tracing::warn!(account, "too many calls at once of one account");
                return self.refuse(now, session, Reply::new(StatusCode::BUSY_HERE));
            }
            *count += 1;
        }
        let id = CallId(self.desk.next_id());
        let name = format!("{:08x}", self.desk.rng.u32(..));
        let mut view = self.view(&name, &number, account.clone(), flow, request);
        if !matches!(speaker, Some(Speaker::Peer(_))) {
            view.headers.retain(|(name, _)| !is_named(name, ASSERTED));
        }
        if speaker.is_none() && self.desk.config.accounts.contains_key(&view.from.user) {
            // Nobody poses as an extension.
            view.from.user = ANONYMOUS.to_owned();
            view.from.name.clear();
        }
        let caller = Caller {
            session: Some(session),
            flow,
            phone: account.clone(),
            account,
            charged_to,
            user: view.from.user.clone(),
            display_name: view.from.name.clone(),
            max_forwards: request
                .max_forwards()
                .and_then(Result::ok)
                .unwrap_or(MAX_FORWARDS)
                .saturating_sub(1),
            offer: offer.map(Box::new),
            leg: None,
            stage: Stage::Trying,
            on_hold: false,
        };
        let parties = (view.from.user.clone(), number);
        let script = self.generation.start(route, view);
        self.desk.own_session(session, id);
        let call = Call::new(&mut self.desk, now, id, name, caller, script, parties);
        self.calls.insert(id, Box::new(call));
        self.with_call(now, id, |call, desk| call.start(now, desk));
    }

    /// Whether somebody without proof is taken for a stranger on a public route. One who says to be an
    /// account, from where a phone is registered, is asked to prove it; so is everybody once
    /// strangers have used up what they share.
    fn may_be_a_stranger(&self, flow: Flow, request: &Request) -> bool {
        let count = self.calls_of_account.get(STRANGERS).copied().unwrap_or_default();
        let says = request.from().ok().and_then(|from| from.uri.user()).unwrap_or_default();
        let is_account = self.desk.config.accounts.contains_key(&says)
            && self.desk.registrar.is_home(flow.remote.ip());
        !is_account && count < self.desk.config.limits.calls_per_account_max
    }

    fn challenge_caller(&mut self, now: Instant, session: SessionId, reply: Reply, wait: Duration) {
        if wait.is_zero() {
            self.desk.endpoint.reject(now, session, reply.once());
        } else {
            self.answer_later(now, wait, HeldBack::Invite(session, reply.once()));
        }
    }

    fn refuse(&mut self, now: Instant, session: SessionId, reply: Reply) {
        self.desk.endpoint.reject(now, session, reply);
    }

    /// What the script may know. The name of an account comes from the configuration, not from what
    /// its phone claims.
    fn view(
        &self,
        name: &str,
        number: &str,
        account: Option<String>,
        flow: Flow,
        request: &Request,
    ) -> CallView {
        let mut from = party(request.from().ok());
        if let Some(account) = account.as_ref().and_then(|user| self.desk.config.accounts.get(user))
        {
            from.user.clone_from(&account.user);
            if !account.name.is_empty() {
                from.name.clone_from(&account.name);
            }
        }
        let mut to = party(request.to().ok());
        to.user = number.to_owned();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers = request
            .fields()
            .map(|field| (text(field.raw_name), unfolded(&text(field.value))))
            .filter(|(name, _)| !is_named(name, SECRET));
        CallView {
            id: name.to_owned(),
            from,
            to,
            uri: String::from_utf8_lossy(request.uri_bytes()).into_owned(),
            account,
            source: flow.remote.to_string(),
            headers: headers.collect(),
            transferred_by: None,
        }
    }
}

fn is_named(name: &str, names: &[&str]) -> bool {
    names.iter().any(|own| own.eq_ignore_ascii_case(name))
}

/// A value on one line: a fold is one space (RFC 3261 §7.3.1).
fn unfolded(value: &str) -> String {
    if value.contains(['\r', '\n']) {
        value
            .split(['\r', '\n'])
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    } else {
        value.to_owned()
    }
}

fn party(address: Option<NameAddr>) -> Party {
    let Some(address) = address else { return Party::default() };
    let uri = &address.uri;
    Party {
        user: uri.user().unwrap_or_default(),
        host: uri.host().to_string(),
        name: address.display_name().into(),
    }
}

/// The caller's offer; `None` if it wants ours.
pub(super) fn offer_of(request: &Request) -> Result<Option<Description>, Reply> {
    if request.body().is_empty() {
        return Ok(None);
    }
    Description::parse(request.body()).map(Some).map_err(|error| {
        tracing::debug!("unreadable offer: {error}");
        Reply::new(StatusCode::BAD_REQUEST).reason("Unreadable session description")
    })
}

/// 401 with as many of these challenges as keep it within twice the size of the request, best first:
/// where a datagram comes from can be forged, and nobody shall be flooded by us with more than that.
///
/// Every phone's requests are long enough for all of them; what is too short for one is refused.
fn challenge(flow: Flow, request: &Request, challenges: &[String]) -> Reply {
    let mut room = match flow.transport {
        Transport::Udp => {
            let copied = |name: &HeaderName| -> usize {
                let fields = request.fields().filter(|field| field.name == *name);
                fields.map(|field| field.raw_name.len() + field.value.len() + ": \r\n".len()).sum()
            };
            let answer: usize = COPIED.iter().map(copied).sum::<usize>() + ANSWER_BYTES;
            (2 * request.bytes().len()).saturating_sub(answer)
        }
        Transport::Tcp => usize::MAX,
    };
    let mut reply = Reply::new(StatusCode::UNAUTHORIZED);
    for challenge in challenges {
        let line = "WWW-Authenticate: ".len() + challenge.len() + "\r\n".len();
        let Some(left) = room.checked_sub(line) else { break };
        room = left;
        reply = reply.header("WWW-Authenticate", challenge);
    }
    if reply.headers.is_empty() && !challenges.is_empty() {
        return Reply::new(StatusCode::BAD_REQUEST);
    }
    reply
}

fn overloaded() -> Reply {
    Reply::new(StatusCode::SERVICE_UNAVAILABLE).header("Retry-After", "10")
}

/// Proofs, of no use to a script and never to be logged.
const SECRET: &[&str] = &["Authorization", "Proxy-Authorization"];
/// Identities that only a trusted network may assert (RFC 3325 §5).
const ASSERTED: &[&str] = &["P-Asserted-Identity", "Remote-Party-ID"];
/// What an answer repeats of its request (RFC 3261 §8.2.6.2),
const COPIED: &[HeaderName] =
    &[HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq];
/// and the bytes of the rest of a 401: start line, our tag, `received`, `rport`, Server,
/// Content-Length and line ends.
const ANSWER_BYTES: usize = 190;
/// What callers who proved nothing are counted as.
pub(super) const STRANGERS: &str = "";
/// The user part of somebody who will not say who it is (RFC 3323 §4.1.1.3).
const ANONYMOUS: &str = "anonymous";
/// Hops allowed when a caller does not say (RFC 3261 §8.1.1.6).
const MAX_FORWARDS: u8 = 70;
