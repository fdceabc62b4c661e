//! Requests of peers: what is a repeat, what is refused at the door, and who takes the rest
//! (RFC 3261 §8.2).

use std::time::Instant;

use sip_syntax::{HeaderName, Method, NameAddr, Request, StatusCode, Via};

use super::{Endpoint, Owner};
use crate::dialog::Order;
use crate::session::reason_of;
use crate::transaction::key::{Key, merge_key, server_key};
use crate::{Event, Flow, Reply, ServerTxnId, SessionId};

/// A request just arrived, and what was read of it so far.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) flow: Flow,
    pub(crate) via: Via,
    pub(crate) key: Key,
    /// Outside dialogs: what copies by other ways have in common with it.
    pub(crate) merge: Option<Key>,
    pub(crate) request: Request,
}

impl Endpoint {
    /// Takes a request off the wire.
    pub(super) fn handle_request(&mut self, now: Instant, flow: Flow, request: Request) {
        self.counters.requests_in += 1;
        let Ok(via) = request.top_via() else {
            self.counters.dropped_malformed += 1;
            return;
        };
        let key = server_key(&request, &via, request.method());
        let known = self.servers.find(&key);
        let arrival = Arrival { flow, via, key, merge: None, request };
        match (arrival.request.method(), known) {
            (Method::Ack, known) => {
                if known.is_none_or(|txn| self.acknowledge_server(now, txn)) {
                    self.handle_ack(now, arrival.request);
                }
            }
            (Method::Cancel, known) => self.handle_cancel(now, known, &arrival),
            (_, Some(txn)) => self.repeat_server(txn),
            (_, None) => self.handle_new_request(now, arrival),
        }
    }

    /// A request seen for the first time.
    fn handle_new_request(&mut self, now: Instant, mut arrival: Arrival) {
        if let Err(error) = arrival.request.check() {
            self.counters.refused_malformed += 1;
            let reply = Reply::new(error.flaw.status()).reason(error.flaw.reason());
            self.turn_away(&arrival, &reply);
            return;
        }
        let to = arrival.request.to().ok();
        let is_within = to.as_ref().and_then(NameAddr::tag).is_some();
        let place = if is_within { Place::Within } else { Place::Outside };
        if let Some(reply) = self.refusal_of_method(arrival.request.method(), place) {
            self.turn_away(&arrival, &reply);
            return;
        }
        match to.as_ref().and_then(NameAddr::tag) {
            // A registration is no dialog; some phones keep the tag of the last answer.
            Some(to_tag) if *arrival.request.method() != Method::Register => {
                let session = self.find_session(&arrival.request, to_tag);
                self.handle_within(now, session, arrival);
            }
            Some(_) | None => {
                arrival.merge = merge_key_of(&arrival.request);
                self.handle_outside(now, arrival);
            }
        }
    }

    /// A request outside dialogs.
    fn handle_outside(&mut self, now: Instant, arrival: Arrival) {
        if let Some(reply) = self.refusal_outside(&arrival) {
            self.turn_away(&arrival, &reply);
            return;
        }
        if *arrival.request.method() == Method::Invite {
            self.handle_invite(now, arrival);
        } else {
            let (flow, request) = (arrival.flow, arrival.request.clone());
            let txn = ServerTxnId(self.start_server(now, arrival, Owner::User));
            self.push_event(Event::Request { txn, flow, request });
        }
    }

    /// Why a request outside dialogs is refused, if it is. Cheap checks come first.
    fn refusal_outside(&mut self, arrival: &Arrival) -> Option<Reply> {
        let request = &arrival.request;
        if let Method::Bye | Method::Info | Method::Update | Method::Prack = request.method() {
            self.counters.refused_no_dialog += 1;
            return Some(Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST));
        }
        if self.is_loop(request) {
            self.counters.refused_loop += 1;
            return Some(Reply::new(StatusCode::LOOP_DETECTED));
        }
        // We are where an OPTIONS or REGISTER was going; what else arrives may have to go on.
        let goes_on = !matches!(request.method(), Method::Options | Method::Register);
        if goes_on && matches!(request.max_forwards(), Some(Ok(0))) {
            self.counters.refused_loop += 1;
            return Some(Reply::new(StatusCode::TOO_MANY_HOPS));
        }
        if arrival.merge.as_ref().is_some_and(|merge| self.servers.find(merge).is_some()) {
            self.counters.refused_loop += 1;
            return Some(Reply::new(StatusCode::LOOP_DETECTED));
        }
        if let Some(reply) = self.refusal_of_extension(request) {
            return Some(reply);
        }
        let is_invite = *request.method() == Method::Invite;
        let is_full = self.transaction_count() >= self.config.transactions_max
            || (is_invite && !self.has_room_for_session());
        if is_full {
            self.counters.refused_capacity += 1;
            return Some(busy());
        }
        None
    }

    /// A request that names a dialog.
    fn handle_within(&mut self, now: Instant, session: Option<u64>, arrival: Arrival) {
        let reply = match session {
            Some(id) => self.refusal_within(id, &arrival),
            None => {
                self.counters.refused_no_dialog += 1;
                Some(Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST))
            }
        };
        let Some(id) = session.filter(|_| reply.is_none()) else {
            self.turn_away(&arrival, &reply.unwrap_or_else(busy));
            return;
        };
        if let Some(session) = self.sessions.get_mut(&id) {
            session.dialog.heard_from(arrival.flow);
        }
        match arrival.request.method() {
            Method::Bye => self.handle_bye(now, arrival, id),
            Method::Invite | Method::Update => self.handle_reinvite(now, arrival, id),
            Method::Info | Method::Message | Method::Options | Method::Refer | Method::Notify => {
                let request = arrival.request.clone();
                let txn = ServerTxnId(self.start_server(now, arrival, Owner::User));
                let session = SessionId(id);
                self.push_event(Event::InDialog { session, txn, request });
            }
            // Refused before.
            Method::Ack
            | Method::Cancel
            | Method::Register
            | Method::Prack
            | Method::Subscribe
            | Method::Publish
            | Method::Other(_) => {}
        }
    }

    /// Why a request within a session is refused, if it is.
    fn refusal_within(&mut self, id: u64, arrival: &Arrival) -> Option<Reply> {
        let request = &arrival.request;
        let is_bye = *request.method() == Method::Bye;
        if *request.method() == Method::Prack || (!is_bye && self.is_ending(id)) {
            self.counters.refused_no_dialog += 1;
            return Some(Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST));
        }
        // Deviates from RFC 3261 §8.2.2.3: what a BYE requires does not matter, the call is over.
        if !is_bye && let Some(reply) = self.refusal_of_extension(request) {
            return Some(reply);
        }
        if !is_bye && self.transaction_count() / 2 >= self.config.transactions_max {
            self.counters.refused_capacity += 1;
            return Some(busy());
        }
        let number = request.cseq().map_or(0, |cseq| cseq.number);
        let session = self.sessions.get_mut(&id)?;
        if session.is_calling() {
            // Each fork counts for itself; there is one dialog only once one of them has answered.
            return None;
        }
        match session.dialog.take_remote_seq(number) {
            Order::Next => None,
            Order::Repeated if is_bye => None,
            Order::Repeated | Order::Late => {
                self.counters.refused_malformed += 1;
                Some(Reply::new(StatusCode::SERVER_INTERNAL_ERROR).reason("CSeq Out Of Order"))
            }
        }
    }

    /// 501 for what we never heard of, 405 for what we do not do (RFC 3261 §8.2.1).
    ///
    /// A REFER moves a call of whoever sends it, so there is none outside of one: nobody may have us
    /// call somebody out of the blue.
    fn refusal_of_method(&mut self, method: &Method, place: Place) -> Option<Reply> {
        let status = match method {
            Method::Invite
            | Method::Ack
            | Method::Bye
            | Method::Cancel
            | Method::Register
            | Method::Options
            | Method::Prack
            | Method::Update
            | Method::Message
            | Method::Info => return None,
            Method::Refer | Method::Notify if place == Place::Within => return None,
            Method::Refer => {
                self.counters.refused_method += 1;
                let reply = Reply::new(StatusCode::METHOD_NOT_ALLOWED);
                return Some(reply.reason("REFER Only Within A Call"));
            }
            Method::Subscribe | Method::Notify | Method::Publish => StatusCode::METHOD_NOT_ALLOWED,
            Method::Other(_) => StatusCode::NOT_IMPLEMENTED,
        };
        self.counters.refused_method += 1;
        Some(Reply::new(status))
    }

    /// What is required of us (420), and bodies of calls that we cannot read (415;
    /// RFC 3261 §8.2.2.3, §8.2.3).
    fn refusal_of_extension(&mut self, request: &Request) -> Option<Reply> {
        let mut unsupported = request.require();
        let known = if *request.method() == Method::Refer {
            NO_REFER_SUB
        } else if *request.method() == Method::Invite {
            REPLACES
        } else {
            ""
        };
        unsupported.retain(|tag| tag != known);
        let reply = if !unsupported.is_empty() {
            Reply::new(StatusCode::BAD_EXTENSION).header("Unsupported", unsupported.join(", "))
        } else if is_encoded(request) {
            Reply::new(StatusCode::UNSUPPORTED_MEDIA_TYPE).header("Accept-Encoding", "identity")
        } else if !is_readable(request) {
            Reply::new(StatusCode::UNSUPPORTED_MEDIA_TYPE).header("Accept", ACCEPT)
        } else {
            return None;
        };
        self.counters.refused_extension += 1;
        Some(reply)
    }

    fn handle_ack(&mut self, now: Instant, request: Request) {
        let to = request.to().ok();
        let session = to
            .as_ref()
            .and_then(NameAddr::tag)
            .filter(|_| request.check().is_ok())
            .and_then(|to_tag| self.find_session(&request, to_tag));
        match session {
            Some(id) => self.handle_session_ack(now, id, request),
            None => self.counters.dropped_acks += 1,
        }
    }

    /// CANCEL is answered by whether its INVITE is known, and undoes it if it still can
    /// (RFC 3261 §9.2). A re-INVITE is about to be answered anyway and goes on.
    fn handle_cancel(&mut self, now: Instant, invite: Option<u64>, arrival: &Arrival) {
        if let Err(error) = arrival.request.check() {
            self.counters.refused_malformed += 1;
            let reply = Reply::new(error.flaw.status()).reason(error.flaw.reason());
            self.turn_away(arrival, &reply);
            return;
        }
        let txn = invite.and_then(|id| Some((id, self.servers.get(id)?)));
        let Some((txn, owner)) =
            txn.filter(|(_, txn)| txn.is_invite()).map(|(id, txn)| (id, txn.owner))
        else {
            self.counters.refused_no_dialog += 1;
            let reply = Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
            self.turn_away(arrival, &reply);
            return;
        };
        let Owner::Session(session) = owner else {
            return;
        };
        self.answer_cancel(arrival, session);
        if self.ringing(SessionId(session)) == Some(txn) {
            self.caller_gave_up(now, session, reason_of(&arrival.request));
        }
    }

    /// 200, with the tag of the session's own answers (RFC 3261 §9.2).
    fn answer_cancel(&mut self, arrival: &Arrival, session: u64) {
        let tag = self.sessions.get(&session).map(|session| session.dialog.local_tag().to_vec());
        let reply = Reply::new(StatusCode::OK);
        self.refuse(arrival, tag.as_deref(), &reply);
    }

    fn turn_away(&mut self, arrival: &Arrival, reply: &Reply) {
        self.refuse(arrival, None, reply);
    }

    /// The session a request belongs to (RFC 3261 §12.2.2). Our tag bears its number.
    fn find_session(&self, request: &Request, to_tag: &[u8]) -> Option<u64> {
        let id = SessionId::of_tag(to_tag)?.0;
        let session = self.sessions.get(&id)?;
        let from = request.from().ok()?;
        let matches = session.dialog.local_tag() == to_tag
            && session.dialog.call_id() == request.call_id()
            && session.is_peer(from.tag().unwrap_or_default());
        matches.then_some(id)
    }

    fn is_ending(&self, id: u64) -> bool {
        self.sessions.get(&id).is_some_and(|session| session.is_ending())
    }

    /// Whether a request of ours came back to us.
    fn is_loop(&self, request: &Request) -> bool {
        request.values(HeaderName::Via).filter(|via| self.may_be_own_via(via)).any(|via| {
            let via = Via::parse_slice(&via);
            via.is_ok_and(|via| via.branch.is_some_and(|branch| self.is_own_branch(&branch)))
        })
    }
}

/// Whether a request names a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Within,
    Outside,
}

fn merge_key_of(request: &Request) -> Option<Key> {
    let (from, cseq) = (request.from().ok()?, request.cseq().ok()?);
    let from_tag = from.tag().unwrap_or_default();
    Some(merge_key(request.call_id(), from_tag, cseq.number, request.method()))
}

/// Over a limit of ours; those who come back in a few seconds find room.
fn busy() -> Reply {
    Reply::new(StatusCode::SERVICE_UNAVAILABLE).header("Retry-After", "5")
}

fn is_encoded(request: &Request) -> bool {
    let encodings = request.tokens(HeaderName::ContentEncoding);
    encodings.iter().any(|encoding| !encoding.eq_ignore_ascii_case("identity"))
}

/// Calls speak SDP; other requests may carry anything.
fn is_readable(request: &Request) -> bool {
    let describes = matches!(request.method(), Method::Invite | Method::Update);
    !describes
        || request.body().is_empty()
        || request.content_type().is_some_and(|content_type| content_type.is(ACCEPT))
}

/// The extension by which a REFER asks for no subscription (RFC 4488 §4).
const NO_REFER_SUB: &str = "norefersub";
/// The extension by which an INVITE takes the place of a dialog (RFC 3891 §6.2).
const REPLACES: &str = "replaces";
/// The one kind of body a call may bring.
const ACCEPT: &str = "application/sdp";
