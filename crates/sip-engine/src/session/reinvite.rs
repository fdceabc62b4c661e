//! Changing a session: re-INVITE both ways, glare, and UPDATE from peers (RFC 3261 §14, RFC 3311).

use std::time::{Duration, Instant};

use sip_syntax::{HeaderName, Method, Response, StatusCode};

use super::{GLARE_GRAIN, Outgoing, Progress, REINVITE_TRIES_MAX, State};
use crate::endpoint::{
    ALLOW, Arrival, Auth, Departure, Endpoint, MAX_FORWARDS, Owner, Purpose, SUPPORTED,
};
use crate::{Body, EndCause, Event, Flow, Reply, SessionId};

impl Endpoint {
    /// Asks the peer to change the session; without a body, to make an offer.
    ///
    /// One at a time: a second one fails at once with 491. Where a request of the peer is under way,
    /// or the peer answers 491, it is tried again after the random wait of RFC 3261 §14.1.
    /// [`Event::ReinviteAccepted`], [`Event::ReinviteFailed`] or [`Event::Ended`] follows.
    pub fn reinvite(&mut self, now: Instant, session: SessionId, body: Option<Body>) {
        let Some(confirmed) =
            self.sessions.get_mut(&session.0).and_then(|session| session.confirmed())
        else {
            return;
        };
        if confirmed.outgoing.is_some() {
            let status = StatusCode::REQUEST_PENDING;
            self.push_event(Event::ReinviteFailed { session, status, response: None });
            return;
        }
        let is_free = confirmed.unacked.is_none() && confirmed.incoming.is_none();
        let progress = Progress::Waiting { at: now };
        confirmed.outgoing = Some(Box::new(Outgoing { body, tries: 0, progress }));
        if is_free {
            self.send_reinvite(now, session.0);
        } else {
            self.wait_after_glare(now, session.0);
        }
    }

    /// Answers [`Event::Reinvite`] with a 2xx; for a re-INVITE [`Event::Acked`] follows.
    pub fn accept_reinvite(&mut self, now: Instant, session: SessionId, reply: Reply) {
        debug_assert!(reply.status.is_success(), "{:?} accepts nothing", reply.status);
        let Some(txn) = self.take_incoming(session.0) else {
            return;
        };
        if self.servers.get(txn).is_some_and(|txn| txn.is_invite()) {
            self.accept_invite(now, session.0, txn, &reply);
        } else {
            self.answer_invite(now, session.0, txn, &reply);
        }
    }

    /// Answers [`Event::Reinvite`] with a 300 to 699; the session goes on as before.
    pub fn reject_reinvite(&mut self, now: Instant, session: SessionId, reply: Reply) {
        debug_assert!(reply.status.is_failure(), "{:?} rejects nothing", reply.status);
        if let Some(txn) = self.take_incoming(session.0) {
            self.answer_invite(now, session.0, txn, &reply);
        }
    }

    fn take_incoming(&mut self, id: u64) -> Option<u64> {
        self.sessions.get_mut(&id)?.confirmed()?.incoming.take()
    }

    /// A re-INVITE, or an UPDATE with a body, within a session.
    pub(crate) fn handle_reinvite(&mut self, now: Instant, arrival: Arrival, id: u64) {
        let (flow, request) = (arrival.flow, arrival.request.clone());
        let is_update = *request.method() == Method::Update;
        let txn = self.start_server(now, arrival, Owner::Session(id));
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let refusal = match &session.state {
            State::Ending => Some(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST),
            // Our own offer is out (RFC 3261 §14.2, RFC 3311 §5.2).
            State::Calling(_) => Some(StatusCode::REQUEST_PENDING),
            // Its first one is not answered yet.
            State::Ringing { .. } => Some(StatusCode::SERVER_INTERNAL_ERROR),
            State::Confirmed(confirmed) if confirmed.incoming.is_some() => {
                Some(StatusCode::SERVER_INTERNAL_ERROR)
            }
            State::Confirmed(confirmed) if confirmed.is_asking() => {
                Some(StatusCode::REQUEST_PENDING)
            }
            State::Confirmed(_) => None,
        };
        if let Some(status) = refusal {
            let mut reply = Reply::new(status);
            if status == StatusCode::SERVER_INTERNAL_ERROR {
                reply = reply.header("Retry-After", self.rng.u8(0..=10).to_string());
            }
            self.answer_with(now, txn, &reply);
            return;
        }
        session.dialog.refresh_target(&request, flow);
        if is_update && request.body().is_empty() {
            self.answer_invite(now, id, txn, &Reply::new(StatusCode::OK));
            return;
        }
        if let Some(confirmed) = session.confirmed() {
            confirmed.incoming = Some(txn);
        }
        self.push_event(Event::Reinvite { session: SessionId(id), request });
        if !is_update {
            self.push_trying(txn);
        }
    }

    fn send_reinvite(&mut self, now: Instant, id: u64) {
        let (new, branch) = self.new_client();
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let number = session.dialog.next_seq();
        let (flow, contact) = (session.dialog.flow(), session.dialog.contact());
        let builder = session
            .dialog
            .request(Method::Invite, number, &branch, MAX_FORWARDS)
            .header(HeaderName::Contact, contact)
            .header(HeaderName::Allow, ALLOW)
            .header(HeaderName::Supported, SUPPORTED);
        let auth = session.credentials.as_deref().cloned().map(Auth::new);
        let Some(outgoing) = session.confirmed().and_then(|confirmed| confirmed.outgoing.as_mut())
        else {
            return;
        };
        outgoing.tries += 1;
        outgoing.progress = Progress::Sent { txn: new.id };
        let body = outgoing.body.clone();
        let wire = self.finish_request(builder, &[], body.as_ref());
        let (method, purpose) = (Method::Invite, Purpose::Reinvite(id));
        self.start_client(now, new, Departure { method, flow, wire, purpose, auth });
        self.schedule_session(id);
    }

    /// Puts off a re-INVITE that met one of the peer (RFC 3261 §14.1): whoever made the Call-ID waits
    /// longer, so that the two do not meet again.
    fn wait_after_glare(&mut self, now: Instant, id: u64) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let grains = if session.dialog.is_call_id_ours() {
            self.rng.u32(210..=400)
        } else {
            self.rng.u32(1..=200)
        };
        let Some(outgoing) = session.confirmed().and_then(|confirmed| confirmed.outgoing.as_mut())
        else {
            return;
        };
        outgoing.progress = Progress::Waiting { at: now + GLARE_GRAIN * grains };
        self.schedule_session(id);
    }

    /// Tries a re-INVITE again when its wait is over.
    pub(crate) fn handle_glare_timeout(&mut self, now: Instant, id: u64) {
        let Some(confirmed) = self.sessions.get_mut(&id).and_then(|session| session.confirmed())
        else {
            return;
        };
        let Some(Outgoing { progress: Progress::Waiting { at }, .. }) =
            confirmed.outgoing.as_deref()
        else {
            return;
        };
        if now < *at {
            return;
        }
        if confirmed.unacked.is_none() && confirmed.incoming.is_none() {
            self.send_reinvite(now, id);
        } else {
            self.wait_after_glare(now, id);
        }
    }

    /// A response to a re-INVITE of ours.
    pub(crate) fn handle_reinvite_response(
        &mut self,
        now: Instant,
        flow: Flow,
        id: u64,
        txn: u64,
        response: Response,
    ) {
        let status = response.status();
        if status.is_provisional() {
            // There is no door to cancel a re-INVITE, so its wait ends by itself.
            self.bound_invite(txn, now + ANSWER_MAX);
            return;
        }
        let Some(tries) = self.asking(id, txn) else {
            if status.is_success() {
                self.repeat_ack(txn, &response);
            }
            return;
        };
        if status.is_success() {
            if let Some(session) = self.sessions.get_mut(&id) {
                session.dialog.refresh_target(&response, flow);
            }
            self.finish_reinvite(id);
            self.acknowledge_success(id, txn, &response);
            self.push_event(Event::ReinviteAccepted { session: SessionId(id), response });
            self.push_acknowledge(id);
        } else if status == StatusCode::REQUEST_PENDING && tries < REINVITE_TRIES_MAX {
            self.wait_after_glare(now, id);
        } else if is_gone(status) {
            self.end_with_bye(now, id, EndCause::Gone);
        } else if let Some(again) = self.answer_challenge(now, txn, &response) {
            self.replace_reinvite(id, again);
        } else {
            self.finish_reinvite(id);
            let session = SessionId(id);
            self.push_event(Event::ReinviteFailed { session, status, response: Some(response) });
        }
    }

    /// A re-INVITE of ours got no final answer.
    pub(crate) fn handle_reinvite_failure(
        &mut self,
        now: Instant,
        id: u64,
        txn: u64,
        status: StatusCode,
    ) {
        if self.asking(id, txn).is_none() {
            return;
        }
        if is_gone(status) {
            self.end_with_bye(now, id, EndCause::Gone);
        } else {
            self.finish_reinvite(id);
            let session = SessionId(id);
            self.push_event(Event::ReinviteFailed { session, status, response: None });
        }
    }

    /// The tries made of the re-INVITE that is this transaction, if it still waits.
    fn asking(&mut self, id: u64, txn: u64) -> Option<u8> {
        let outgoing = self.sessions.get_mut(&id)?.confirmed()?.outgoing.as_ref()?;
        (outgoing.progress == Progress::Sent { txn }).then_some(outgoing.tries)
    }

    pub(crate) fn replace_reinvite(&mut self, id: u64, txn: u64) {
        if let Some(outgoing) = self
            .sessions
            .get_mut(&id)
            .and_then(|session| session.confirmed())
            .and_then(|confirmed| confirmed.outgoing.as_mut())
        {
            outgoing.progress = Progress::Sent { txn };
        }
    }

    fn finish_reinvite(&mut self, id: u64) {
        if let Some(confirmed) = self.sessions.get_mut(&id).and_then(|session| session.confirmed())
        {
            confirmed.outgoing = None;
        }
        self.schedule_session(id);
    }
}

impl super::Confirmed {
    /// Whether an offer of ours may be out: in a re-INVITE, or in a 2xx without ACK.
    fn is_asking(&self) -> bool {
        let asks = self
            .outgoing
            .as_ref()
            .is_some_and(|outgoing| matches!(outgoing.progress, Progress::Sent { .. }));
        asks || self.unacked.is_some()
    }
}

/// How long a peer that said 1xx to a re-INVITE may think about it: as long as a proxy would let it
/// (Timer C, RFC 3261 §16.6).
const ANSWER_MAX: Duration = Duration::from_secs(180);

/// Answers that tell that the peer knows nothing of the session (RFC 3261 §12.2.1.2).
fn is_gone(status: StatusCode) -> bool {
    status == StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST
        || status == StatusCode::REQUEST_TIMEOUT
}
