//! What a party's endpoint tells it, and what it does then.

use std::time::Instant;

use sip_engine::{Body, EndCause, Event, Reply, SessionId};
use sip_syntax::{Method, Request, Response, StatusCode};

use super::{CallEnd, CallState, Direction, Ended, News, Party, Provisional};
use crate::{Act, ActError, Called, SecondCall};

impl Party {
    pub(super) fn handle_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Invite { session, request, .. } => self.invited(now, session, &request),
            Event::Provisional { session, response } => self.progressed(now, session, &response),
            Event::Accepted { session, response } => self.accepted(now, session, &response),
            Event::Failed { session, status, response } => {
                let reason =
                    response.as_ref().map(|r| String::from_utf8_lossy(r.reason()).into_owned());
                self.failed(now, session, status, reason);
            }
            Event::Cancelled { session, reason } => {
                if let Some(index) = self.index_of(session) {
                    self.end(
                        index,
                        Ended { at: now, how: CallEnd::Cancelled, status: None, reason },
                    );
                }
            }
            Event::Acked { session, request } => self.take_answer(session, request.body()),
            Event::Reinvite { session, request } => self.reinvited(now, session, &request),
            Event::ReinviteAccepted { session, response } => {
                self.take_answer(session, response.body());
            }
            Event::ReinviteFailed { .. } => self.news.push_back(News::Changed),
            Event::InDialog { session, txn, request } => {
                if let Some(call) = self.call_of(session)
                    && *request.method() == Method::Notify
                {
                    call.transfer_told = Some(String::from_utf8_lossy(request.body()).into_owned());
                }
                self.endpoint.respond(now, txn, Reply::new(StatusCode::OK));
            }
            Event::Request { txn, .. } => {
                self.endpoint.respond(now, txn, Reply::new(StatusCode::OK));
            }
            Event::Response { txn, status, response } => {
                self.registered(now, txn, status, response.as_ref());
            }
            Event::Ended { session, cause, reason } => {
                let how = match cause {
                    EndCause::Bye => CallEnd::HungUpByOther,
                    EndCause::Hangup => CallEnd::HungUp,
                    EndCause::NoAck | EndCause::Gone | EndCause::FlowFailed => CallEnd::Lost,
                };
                if let Some(index) = self.index_of(session) {
                    self.end(index, Ended { at: now, how, status: None, reason });
                }
            }
        }
    }

    fn invited(&mut self, now: Instant, session: SessionId, request: &Request) {
        let is_busy = !self.is_free() && self.behaviour.second_call == SecondCall::Busy;
        let from = request.from().ok();
        let peer = from.as_ref().and_then(|from| from.uri.user()).unwrap_or_default();
        let index = self.begin(Direction::Taken, peer);
        if let Some(call) = self.calls.get_mut(index) {
            call.session = Some(session);
            call.state = CallState::Ringing;
            call.caller_name =
                from.map(|from| from.display_name().into_owned()).unwrap_or_default();
            call.take_offer(request.body());
        }
        self.news.push_back(News::Changed);
        let called = if is_busy { Called::busy() } else { self.behaviour.called.clone() };
        let (first, then) = match called {
            Called::Rings => (Some(Act::Ring), None),
            Called::Answers { after } => (Some(Act::Ring), Some((after, Act::Answer))),
            Called::EarlyMedia { answers_after } => {
                (Some(Act::Progress), answers_after.map(|after| (after, Act::Answer)))
            }
            Called::Refuses { after, code, reason } => {
                (Some(Act::Ring), Some((after, Act::Reject { code, reason })))
            }
            Called::Redirects { after, code, to } => {
                (Some(Act::Ring), Some((after, Act::Redirect { code, to })))
            }
            Called::Silent => (None, None),
        };
        let at_once = then.clone().filter(|(after, _)| after.is_zero()).map(|(_, act)| act);
        for act in [at_once.clone().or(first)].into_iter().flatten() {
            let told = self.act(now, Some(index), &act);
            debug_assert!(told.is_ok() || matches!(told, Err(ActError::Code { .. })), "{told:?}");
        }
        if let (None, Some((after, act))) = (at_once, then) {
            self.plan(now + after, Some(index), act);
        }
    }

    fn progressed(&mut self, now: Instant, session: SessionId, response: &Response) {
        if let Some(call) = self.call_of(session) {
            call.provisionals.push(Provisional {
                at: now,
                status: response.status().as_u16(),
                reason: String::from_utf8_lossy(response.reason()).into_owned(),
            });
        }
        self.take_answer(session, response.body());
        self.news.push_back(News::Changed);
    }

    fn accepted(&mut self, now: Instant, session: SessionId, response: &Response) {
        let Some(index) = self.index_of(session) else { return };
        let Some(call) = self.calls.get_mut(index) else { return };
        call.status = Some(response.status().as_u16());
        call.reason = String::from_utf8_lossy(response.reason()).into_owned();
        if call.has_offered() {
            self.take_answer(session, response.body());
        } else {
            call.take_offer(response.body());
            let answer = call.describe();
            let described = call.described();
            self.endpoint.acknowledge(session, Some(Body::sdp(answer)));
            self.news.push_back(News::Described { call: index, described });
        }
        self.answered(now, index);
        self.news.push_back(News::Changed);
    }

    fn failed(
        &mut self,
        now: Instant,
        session: SessionId,
        status: StatusCode,
        reason: Option<String>,
    ) {
        let Some(index) = self.index_of(session) else { return };
        let mut how = CallEnd::Refused;
        if let Some(call) = self.calls.get_mut(index) {
            call.status = Some(status.as_u16());
            call.reason = reason.clone().unwrap_or_default();
            if call.gives_up {
                how = CallEnd::GaveUp;
            }
        }
        let ended = Ended { at: now, how, status: Some(status.as_u16()), reason };
        self.end(index, ended);
    }

    fn reinvited(&mut self, now: Instant, session: SessionId, request: &Request) {
        let Some(index) = self.index_of(session) else {
            let gone = Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
            return self.endpoint.reject_reinvite(now, session, gone);
        };
        let Some(call) = self.calls.get_mut(index) else { return };
        call.take_offer(request.body());
        let body = Body::sdp(call.describe());
        let described = call.described();
        self.endpoint.accept_reinvite(now, session, Reply::new(StatusCode::OK).body(body));
        self.news.push_back(News::Described { call: index, described });
    }

    /// Reads the answer to our offer, if this is one.
    fn take_answer(&mut self, session: SessionId, body: &[u8]) {
        let Some(index) = self.index_of(session) else { return };
        let Some(call) = self.calls.get_mut(index) else { return };
        if call.take_answer(body) {
            let described = call.described();
            self.news.push_back(News::Described { call: index, described });
        }
    }
}
