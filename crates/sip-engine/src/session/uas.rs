//! Calls from peers: ringing, answering, refusing, and being given up on (RFC 3261 §13.3, §9.2).

use std::time::Instant;

use sip_syntax::{HeaderName, Method, Request, StatusCode};

use super::{Confirmed, Session, State, Unacked};
use crate::dialog::Dialog;
use crate::endpoint::{Arrival, Dressing, Endpoint, Owner};
use crate::timing::{T1, T1_64};
use crate::transaction::Repeat;
use crate::{Event, Flow, Reply, SessionId};

impl Endpoint {
    /// Sends a provisional answer, 101 to 199, with our tag and Contact; it is said again each
    /// minute until another answer follows.
    pub fn provisional(&mut self, now: Instant, session: SessionId, reply: Reply) {
        debug_assert!(reply.status.is_provisional(), "{:?} is not provisional", reply.status);
        if let Some(txn) = self.ringing(session)
            && reply.status.is_provisional()
        {
            self.answer_invite(now, session.0, txn, &reply);
        }
    }

    /// Answers with a 2xx, which is repeated until its ACK. Without one in 64*T1 a BYE is sent and
    /// [`Event::Ended`] comes with [`EndCause::NoAck`](crate::EndCause::NoAck).
    pub fn accept(&mut self, now: Instant, session: SessionId, reply: Reply) {
        debug_assert!(reply.status.is_success(), "{:?} accepts nothing", reply.status);
        if let Some(txn) = self.ringing(session)
            && reply.status.is_success()
        {
            self.accept_invite(now, session.0, txn, &reply);
        }
    }

    /// Answers with a final 300 to 699; no event follows, and the session is dead.
    pub fn reject(&mut self, now: Instant, session: SessionId, reply: Reply) {
        debug_assert!(reply.status.is_failure(), "{:?} rejects nothing", reply.status);
        if let Some(txn) = self.ringing(session)
            && reply.status.is_failure()
        {
            self.answer_invite(now, session.0, txn, &reply);
            if reply.once {
                self.remove_server(txn);
            }
            self.remove_session(session.0);
        }
    }

    /// A new call. Its INVITE is checked already.
    pub(crate) fn handle_invite(&mut self, now: Instant, arrival: Arrival) {
        let id = self.next_id();
        let (flow, request) = (arrival.flow, arrival.request.clone());
        let dialog = Dialog::of_server(&request, flow, self.session_tag(id));
        let txn = self.start_server(now, arrival, Owner::Session(id));
        let state = State::Ringing { txn };
        let session = Session { dialog, state, credentials: None, due: None };
        self.sessions.insert(id, Box::new(session));
        self.push_event(Event::Invite { session: SessionId(id), flow, request });
        self.push_trying(txn);
    }

    /// The caller gave up, by CANCEL or by a BYE to the early dialog: 487 (RFC 3261 §9.2, §15.1.2).
    pub(crate) fn caller_gave_up(&mut self, now: Instant, id: u64, reason: Option<String>) {
        let session = SessionId(id);
        if let Some(txn) = self.ringing(session) {
            self.answer_invite(now, id, txn, &Reply::new(StatusCode::REQUEST_TERMINATED));
            self.remove_session(id);
            self.push_event(Event::Cancelled { session, reason });
        }
    }

    /// Answers an INVITE or re-INVITE with 2xx and repeats that until it is acknowledged.
    pub(crate) fn accept_invite(&mut self, now: Instant, id: u64, txn: u64, reply: &Reply) {
        let number = self
            .servers
            .get(txn)
            .and_then(|txn| txn.request.as_ref()?.cseq().ok())
            .map_or(0, |cseq| cseq.number);
        let Some((flow, wire)) = self.answer_invite(now, id, txn, reply) else {
            return;
        };
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let repeat = Repeat::first(now, T1);
        let unacked = Some(Box::new(Unacked { number, flow, wire, repeat, until: now + T1_64 }));
        match &mut session.state {
            State::Confirmed(confirmed) => confirmed.unacked = unacked,
            State::Calling(_) | State::Ringing { .. } | State::Ending => {
                session.state = State::Confirmed(Confirmed { unacked, ..Confirmed::default() });
            }
        }
        self.schedule_session(id);
    }

    /// Writes and sends an answer to an INVITE, re-INVITE or UPDATE of this session. Gives back where
    /// it went and what it was.
    pub(crate) fn answer_invite(
        &mut self,
        now: Instant,
        id: u64,
        txn: u64,
        reply: &Reply,
    ) -> Option<(Flow, bytes::Bytes)> {
        let dialog = &self.sessions.get(&id)?.dialog;
        let entry = self.servers.get(txn)?;
        let (request, flow) = (entry.request.as_ref()?, entry.flow);
        let makes_dialog = !reply.status.is_failure();
        let contact = makes_dialog.then(|| dialog.contact());
        let wire = self.write_reply(
            request,
            flow,
            reply,
            &Dressing {
                tag: Some(dialog.local_tag()),
                contact: contact.as_deref(),
                record_route: makes_dialog && *request.method() == Method::Invite,
                allow: reply.status.is_success(),
            },
        );
        self.answer(now, txn, reply.status, wire.clone());
        Some((flow, wire))
    }

    /// The INVITE of a session that waits for its final answer.
    pub(crate) fn ringing(&self, session: SessionId) -> Option<u64> {
        match self.sessions.get(&session.0)?.state {
            State::Ringing { txn } => Some(txn),
            State::Calling(_) | State::Confirmed(_) | State::Ending => None,
        }
    }
}

/// The Reason of a CANCEL or BYE, for people and logs (RFC 3326).
pub(crate) fn reason_of(request: &Request) -> Option<String> {
    let reason = request.header(HeaderName::Reason)?;
    Some(String::from_utf8_lossy(&reason).into_owned())
}
