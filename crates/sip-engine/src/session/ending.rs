//! Ending sessions: BYE from either side (RFC 3261 §15), and giving up.

use std::time::Instant;

use sip_syntax::{HeaderName, Method, StatusCode};

use super::uas::reason_of;
use super::{Hangup, Progress, State};
use crate::dialog::Dialog;
use crate::endpoint::{Arrival, Auth, Departure, Dressing, Endpoint, MAX_FORWARDS, Owner, Purpose};
use crate::timing::T1_64;
use crate::{ClientCredentials, EndCause, Event, Reply, SessionId};

impl Endpoint {
    /// Ends a session that was accepted. `reason` is the value of a Reason header (RFC 3326).
    ///
    /// If our 2xx is not acknowledged yet, the BYE waits for that (RFC 3261 §15). [`Event::Ended`]
    /// comes when the BYE is answered or never will be. In other states as [`Self::hangup`].
    pub fn bye(&mut self, now: Instant, session: SessionId, reason: Option<String>) {
        self.hangup(now, session, reason);
    }

    /// Ends a session by what fits its state: CANCEL, 480 or BYE. One [`Event::Failed`] or
    /// [`Event::Ended`] follows.
    pub fn hangup(&mut self, now: Instant, session: SessionId, reason: Option<String>) {
        let Some(entry) = self.sessions.get(&session.0) else {
            return;
        };
        match &entry.state {
            State::Calling(_) => self.cancel(now, session, reason),
            State::Ringing { .. } => {
                let mut reply = Reply::new(StatusCode::TEMPORARILY_UNAVAILABLE);
                reply.headers.extend(reason.map(|reason| ("Reason".to_owned(), reason)));
                self.reject(now, session, reply);
                self.push_ended(session.0, EndCause::Hangup, None);
            }
            State::Confirmed(_) => self.hang_up_confirmed(now, session.0, reason),
            State::Ending => {}
        }
    }

    /// BYE, or a note to say it when the ACK is here.
    pub(crate) fn hang_up_confirmed(&mut self, now: Instant, id: u64, reason: Option<String>) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let State::Confirmed(confirmed) = &mut session.state else {
            return;
        };
        if confirmed.unacked.is_some() {
            confirmed.hangup.get_or_insert(Box::new(Hangup { reason }));
            return;
        }
        self.settle(now, id);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.state = State::Ending;
        let mut dialog = session.dialog.clone();
        let credentials = session.credentials.as_deref().cloned();
        self.schedule_session(id);
        self.send_bye(now, &mut dialog, reason.as_deref(), Purpose::Bye(id), credentials);
        if let Some(session) = self.sessions.get_mut(&id) {
            session.dialog = dialog;
        }
    }

    /// Tells the peer, and the user at once.
    pub(crate) fn end_with_bye(&mut self, now: Instant, id: u64, cause: EndCause) {
        self.settle(now, id);
        if let Some(mut session) = self.remove_session(id) {
            self.send_bye(now, &mut session.dialog, None, Purpose::Detached, None);
            self.push_ended(id, cause, None);
        }
    }

    pub(crate) fn send_bye(
        &mut self,
        now: Instant,
        dialog: &mut Dialog,
        reason: Option<&str>,
        purpose: Purpose,
        credentials: Option<ClientCredentials>,
    ) {
        let (new, branch) = self.new_client();
        let number = dialog.next_seq();
        let mut builder = dialog.request(Method::Bye, number, &branch, MAX_FORWARDS);
        if let Some(reason) = reason {
            builder = builder.header(HeaderName::Reason, reason);
        }
        let wire = self.finish_request(builder, &[], None);
        let auth = credentials.map(Auth::new);
        let (method, flow) = (Method::Bye, dialog.flow());
        self.start_client(now, new, Departure { method, flow, wire, purpose, auth });
    }

    /// BYE within a session.
    pub(crate) fn handle_bye(&mut self, now: Instant, arrival: Arrival, id: u64) {
        let reason = reason_of(&arrival.request);
        let txn = self.start_server(now, arrival, Owner::Session(id));
        let (status, is_over) = match self.sessions.get(&id).map(|session| &session.state) {
            // A callee may not say BYE before it answered (RFC 3261 §15).
            Some(State::Calling(_)) | None => {
                (StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST, false)
            }
            Some(State::Ringing { .. } | State::Confirmed(_)) => (StatusCode::OK, true),
            // Ours crossed it; that one's answer ends the session.
            Some(State::Ending) => (StatusCode::OK, false),
        };
        self.answer_plainly(now, txn, status);
        if !is_over {
            return;
        }
        if self.ringing(SessionId(id)).is_some() {
            self.caller_gave_up(now, id, reason);
            return;
        }
        self.settle(now, id);
        if self.remove_session(id).is_some() {
            self.push_ended(id, EndCause::Bye, reason);
        }
    }

    /// Answers what still waits for an answer within a session about to end (RFC 3261 §15.1.2).
    fn settle(&mut self, now: Instant, id: u64) {
        let Some(confirmed) = self.sessions.get_mut(&id).and_then(|session| session.confirmed())
        else {
            return;
        };
        let outgoing = confirmed.outgoing.take();
        if let Some(txn) = confirmed.incoming.take() {
            self.answer_invite(now, id, txn, &Reply::new(StatusCode::REQUEST_TERMINATED));
        }
        if let Some(Progress::Sent { txn }) = outgoing.map(|outgoing| outgoing.progress) {
            self.bound_invite(txn, now + T1_64);
        }
    }

    /// Answers a request within a dialog with nothing but a code.
    pub(crate) fn answer_plainly(&mut self, now: Instant, txn: u64, status: StatusCode) {
        self.answer_with(now, txn, &Reply::new(status));
    }

    /// Answers a request within a dialog.
    pub(crate) fn answer_with(&mut self, now: Instant, txn: u64, reply: &Reply) {
        let Some(entry) = self.servers.get(txn) else {
            return;
        };
        let Some(request) = &entry.request else {
            return;
        };
        let dressing = Dressing { tag: None, contact: None, record_route: false, allow: false };
        let wire = self.write_reply(request, entry.flow, reply, &dressing);
        self.answer(now, txn, reply.status, wire);
    }

    pub(crate) fn push_ended(&mut self, id: u64, cause: EndCause, reason: Option<String>) {
        self.push_event(Event::Ended { session: SessionId(id), cause, reason });
    }
}
