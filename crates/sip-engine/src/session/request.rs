//! Other requests within a session (RFC 3261 §12.2): INFO, MESSAGE, OPTIONS, REFER and its
//! NOTIFY; and its timers.

use std::time::Instant;

use sip_syntax::{HeaderName, Method, Response, StatusCode};

use super::State;
use crate::endpoint::{Auth, Departure, Endpoint, MAX_FORWARDS, Purpose};
use crate::{Body, ClientTxnId, EndCause, Event, SessionId};

impl Endpoint {
    /// Sends a request within a confirmed session; [`Event::Response`] follows. Without such a
    /// session it fails at once with 481.
    ///
    /// Not for INVITE, ACK, BYE, CANCEL, which have doors of their own. A NOTIFY belongs to a
    /// subscription that shares the session's dialog: a 481 to it ends that alone (RFC 5057 §5.1).
    pub fn request(
        &mut self,
        now: Instant,
        session: SessionId,
        method: Method,
        headers: Vec<(String, String)>,
        body: Option<Body>,
    ) -> ClientTxnId {
        let txn = ClientTxnId(self.next_id());
        let (new, branch) = self.new_client();
        let Some(entry) = self
            .sessions
            .get_mut(&session.0)
            .filter(|session| matches!(session.state, State::Confirmed(_)))
        else {
            let status = StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST;
            self.push_event(Event::Response { txn, status, response: None });
            return txn;
        };
        let number = entry.dialog.next_seq();
        let flow = entry.dialog.flow();
        let builder = entry
            .dialog
            .request(method.clone(), number, &branch, MAX_FORWARDS)
            .header(HeaderName::Contact, entry.dialog.contact());
        let auth = entry.credentials.as_deref().cloned().map(Auth::new);
        let wire = self.finish_request(builder, &headers, body.as_ref());
        let purpose = Purpose::Request { session: Some(session.0), id: txn };
        self.start_client(now, new, Departure { method, flow, wire, purpose, auth });
        txn
    }

    /// The final answer to a request of the user.
    pub(crate) fn handle_request_response(
        &mut self,
        now: Instant,
        session: Option<u64>,
        id: ClientTxnId,
        txn: u64,
        response: Response,
    ) {
        let status = response.status();
        if status.is_provisional() {
            return;
        }
        if self.answer_challenge(now, txn, &response).is_some() {
            return;
        }
        let is_notify = response.cseq().is_ok_and(|cseq| cseq.method == Method::Notify);
        self.push_event(Event::Response { txn: id, status, response: Some(response) });
        // Deviates from RFC 3261 §12.2.1.2: a 408 ends no session here, since phones exist that
        // pass over an INFO in silence while the call goes on.
        if let Some(session) = session
            && !is_notify
            && status == StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST
            && self.sessions.get_mut(&session).is_some_and(|session| session.confirmed().is_some())
        {
            self.end_with_bye(now, session, EndCause::Gone);
        }
    }

    /// False if there is no such session.
    pub(crate) fn handle_session_timeout(&mut self, now: Instant, id: u64) -> bool {
        if !self.sessions.contains_key(&id) {
            return false;
        }
        self.handle_unacked_timeout(now, id);
        self.handle_glare_timeout(now, id);
        self.schedule_session(id);
        true
    }
}
