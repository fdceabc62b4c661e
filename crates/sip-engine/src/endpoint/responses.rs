//! Responses of peers: finding what they answer, and handing them to whom it concerns.

use std::time::Instant;

use sip_syntax::{Response, StatusCode};

use super::{Endpoint, Purpose};
use crate::{EndCause, Event, Flow};

impl Endpoint {
    /// Takes a response off the wire.
    pub(super) fn handle_response(&mut self, now: Instant, flow: Flow, response: Response) {
        self.counters.responses_in += 1;
        match self.find_answered(&response) {
            Some(txn) => self.respond_client(now, flow, txn, response),
            None => self.counters.dropped_responses += 1,
        }
    }

    /// Only a response with one Via, ours, is for us (RFC 3261 §8.1.3.3, §18.1.2).
    fn find_answered(&self, response: &Response) -> Option<u64> {
        if response.vias().take(2).count() != 1 {
            return None;
        }
        let branch = response.top_via().ok()?.branch?;
        let method = response.cseq().ok()?.method;
        self.find_client(&branch, &method)
    }

    /// Hands a response to whom it is for.
    pub(super) fn deliver_response(
        &mut self,
        now: Instant,
        flow: Flow,
        txn: u64,
        response: Response,
    ) {
        let Some(purpose) = self.clients.get(txn).map(|txn| txn.purpose) else {
            return;
        };
        match purpose {
            Purpose::Invite(session) => {
                self.handle_invite_response(now, flow, session, txn, response);
            }
            Purpose::Reinvite(session) => {
                self.handle_reinvite_response(now, flow, session, txn, response);
            }
            Purpose::Bye(session) => self.handle_bye_response(now, session, txn, &response),
            Purpose::Request { session, id } => {
                self.handle_request_response(now, session, id, txn, response);
            }
            Purpose::Detached => {}
        }
    }

    /// Tells whom it is for that no answer will come: 408 or 503 (RFC 3261 §8.1.3.1).
    pub(super) fn deliver_failure(&mut self, now: Instant, txn: u64, status: StatusCode) {
        let Some(purpose) = self.clients.get(txn).map(|txn| txn.purpose) else {
            return;
        };
        match purpose {
            Purpose::Invite(session) => self.handle_invite_failure(session, txn, status),
            Purpose::Reinvite(session) => {
                self.handle_reinvite_failure(now, session, txn, status);
            }
            Purpose::Bye(session) => {
                let cause = if status == StatusCode::REQUEST_TIMEOUT {
                    EndCause::Hangup
                } else {
                    EndCause::FlowFailed
                };
                self.finish_bye(session, cause);
            }
            Purpose::Request { id, .. } => {
                self.push_event(Event::Response { txn: id, status, response: None });
            }
            Purpose::Detached => {}
        }
    }

    /// The session ends when its BYE is answered, whatever the answer (RFC 3261 §15.1.1); only a
    /// challenge is met first.
    fn handle_bye_response(&mut self, now: Instant, session: u64, txn: u64, response: &Response) {
        if response.status().is_provisional() {
            return;
        }
        if self.answer_challenge(now, txn, response).is_some() {
            return;
        }
        self.finish_bye(session, EndCause::Hangup);
    }

    fn finish_bye(&mut self, session: u64, cause: EndCause) {
        if self.remove_session(session).is_some() {
            self.push_ended(session, cause, None);
        }
    }
}
