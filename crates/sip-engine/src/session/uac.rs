//! Calls to peers: inviting, forks, cancelling, and 2xx that cross a CANCEL (RFC 3261 §13.2, §9.1).

use std::time::Instant;

use sip_syntax::{HeaderName, Method, NameAddr, Response, StatusCode};

use super::{Calling, Cancel, Confirmed, FORKS_MAX, Session, State};
use crate::dialog::Dialog;
use crate::endpoint::{ALLOW, Auth, Departure, Endpoint, Purpose, SUPPORTED};
use crate::{Event, Flow, Invite, SessionId};

impl Endpoint {
    /// Calls somebody. One of [`Event::Accepted`] and [`Event::Failed`] follows, perhaps after some
    /// [`Event::Provisional`]. Ringing is not bounded here: give up with [`Self::cancel`].
    pub fn invite(&mut self, now: Instant, invite: Invite) -> SessionId {
        let id = self.next_id();
        if !self.has_room_for_session() {
            self.counters.refused_capacity += 1;
            self.push_failed(id, StatusCode::SERVICE_UNAVAILABLE, None);
            return SessionId(id);
        }
        let tag = self.session_tag(id);
        let call_id = match &invite.call_id {
            Some(call_id) => call_id.clone(),
            None => self.new_call_id(),
        };
        let mut dialog = Dialog::of_client(&call_id, tag, &invite);
        let number = dialog.next_seq();
        let (new, branch) = self.new_client();
        let builder = dialog
            .request(Method::Invite, number, &branch, invite.max_forwards)
            .header(HeaderName::Contact, dialog.contact())
            .header(HeaderName::Allow, ALLOW)
            .header(HeaderName::Supported, SUPPORTED);
        let wire = self.finish_request(builder, &invite.headers, invite.body.as_ref());
        let auth = invite.credentials.clone().map(Auth::new);
        let calling = Calling { txn: new.id, forks: Vec::new(), cancel: Cancel::No };
        let session = Session {
            dialog,
            state: State::Calling(Box::new(calling)),
            credentials: invite.credentials.map(Box::new),
            due: None,
        };
        self.sessions.insert(id, Box::new(session));
        let (method, flow, purpose) = (Method::Invite, invite.flow, Purpose::Invite(id));
        self.start_client(now, new, Departure { method, flow, wire, purpose, auth });
        SessionId(id)
    }

    /// Gives up a call that was not answered yet (RFC 3261 §9.1).
    ///
    /// The CANCEL waits for a provisional. [`Event::Failed`] with 487 follows; or, if a 2xx crossed
    /// the CANCEL, it is acknowledged, a BYE is sent, and [`Event::Ended`] follows. `reason` is the
    /// value of a Reason header.
    pub fn cancel(&mut self, now: Instant, session: SessionId, reason: Option<String>) {
        let Some(calling) = self.calling(session.0) else {
            return;
        };
        if calling.cancel != Cancel::No {
            return;
        }
        calling.cancel = Cancel::Waiting { reason };
        self.try_cancel(now, session.0);
    }

    /// Sends a CANCEL that is wanted, if it may go out.
    fn try_cancel(&mut self, now: Instant, id: u64) {
        let Some(State::Calling(calling)) =
            self.sessions.get_mut(&id).map(|session| &mut session.state)
        else {
            return;
        };
        let txn = calling.txn;
        if !self.clients.get(txn).is_some_and(|txn| txn.is_proceeding()) {
            return;
        }
        if let Cancel::Waiting { reason } = &mut calling.cancel {
            let reason = reason.take();
            calling.cancel = Cancel::Sent;
            self.start_cancel(now, txn, reason.as_deref());
        }
    }

    /// A response to the INVITE of a session.
    pub(crate) fn handle_invite_response(
        &mut self,
        now: Instant,
        flow: Flow,
        id: u64,
        txn: u64,
        response: Response,
    ) {
        let status = response.status();
        let Some(calling) = self.calling(id).filter(|calling| calling.txn == txn) else {
            if status.is_success() {
                self.handle_further_success(now, flow, id, txn, &response);
            }
            return;
        };
        if status.is_provisional() {
            self.handle_provisional(now, id, response);
        } else if status.is_success() {
            let is_wanted = calling.cancel == Cancel::No;
            self.confirm(now, flow, id, txn, response, is_wanted);
        } else {
            self.handle_refusal(now, id, txn, response);
        }
    }

    fn handle_provisional(&mut self, now: Instant, id: u64, response: Response) {
        self.try_cancel(now, id);
        let Some(calling) = self.calling(id) else {
            return;
        };
        let to = response.to().ok();
        let to_tag = to.as_ref().and_then(NameAddr::tag).unwrap_or_default();
        let is_known = calling.forks.iter().any(|fork| fork.as_ref() == to_tag);
        if !is_known && !to_tag.is_empty() {
            if calling.forks.len() >= FORKS_MAX {
                self.counters.forks_ignored += 1;
                return;
            }
            calling.forks.push(to_tag.into());
        }
        if response.status() != StatusCode::TRYING {
            self.push_event(Event::Provisional { session: SessionId(id), response });
        }
    }

    /// The first 2xx. If nobody wants the call any more, it is ended in the same breath.
    fn confirm(
        &mut self,
        now: Instant,
        flow: Flow,
        id: u64,
        txn: u64,
        response: Response,
        is_wanted: bool,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.dialog.confirm(&response, flow);
        session.state = State::Confirmed(Confirmed::default());
        self.acknowledge_success(id, txn, &response);
        if is_wanted {
            self.push_event(Event::Accepted { session: SessionId(id), response });
            self.push_acknowledge(id);
        } else {
            self.acknowledge(SessionId(id), None);
            self.hang_up_confirmed(now, id, None);
        }
    }

    fn handle_refusal(&mut self, now: Instant, id: u64, txn: u64, response: Response) {
        let is_wanted = self.calling(id).is_some_and(|calling| calling.cancel == Cancel::No);
        if is_wanted && let Some(again) = self.answer_challenge(now, txn, &response) {
            if let Some(calling) = self.calling(id) {
                calling.txn = again;
                calling.forks.clear();
            }
            return;
        }
        let status = if is_wanted { response.status() } else { StatusCode::REQUEST_TERMINATED };
        self.remove_session(id);
        self.push_failed(id, status, Some(response));
    }

    /// The INVITE of a session got no final answer.
    pub(crate) fn handle_invite_failure(&mut self, id: u64, txn: u64, status: StatusCode) {
        let Some(calling) = self.calling(id).filter(|calling| calling.txn == txn) else {
            return;
        };
        let is_wanted = calling.cancel == Cancel::No;
        let status = if is_wanted || status != StatusCode::REQUEST_TIMEOUT {
            status
        } else {
            StatusCode::REQUEST_TERMINATED
        };
        self.remove_session(id);
        self.push_failed(id, status, None);
    }

    fn calling(&mut self, id: u64) -> Option<&mut Calling> {
        match &mut self.sessions.get_mut(&id)?.state {
            State::Calling(calling) => Some(calling),
            State::Ringing { .. } | State::Confirmed(_) | State::Ending => None,
        }
    }

    fn push_failed(&mut self, id: u64, status: StatusCode, response: Option<Response>) {
        self.push_event(Event::Failed { session: SessionId(id), status, response });
    }

    pub(crate) fn new_call_id(&mut self) -> String {
        format!("{:016x}{:016x}", self.tokens.next_u64(), self.tokens.next_u64())
    }
}
