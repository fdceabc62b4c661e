//! Acknowledging 2xx, and being acknowledged (RFC 3261 §13.2.2.4, §13.3.1.4).

use std::time::Instant;

use bytes::Bytes;
use sip_syntax::{HeaderName, Method, NameAddr, Request, Response};

use super::{FORKS_MAX, LateAck};
use crate::dialog::Dialog;
use crate::endpoint::{Endpoint, ForkAck, MAX_FORWARDS, Purpose};
use crate::{Body, EndCause, Event, Flow, SessionId};

impl Endpoint {
    /// Gives the ACK a body, when our INVITE or re-INVITE had none and its 2xx brought the offer. Only
    /// while the [`Event::Accepted`] or [`Event::ReinviteAccepted`] is being handled, before the
    /// next poll: after that the ACK went out without a body.
    pub fn acknowledge(&mut self, session: SessionId, body: Option<Body>) {
        if let Some((flow, bytes)) = self.write_late_ack(session.0, body) {
            self.transmit(flow, bytes);
        }
    }

    /// The ACK that waited for a body, if it still does.
    pub(crate) fn write_late_ack(&mut self, id: u64, body: Option<Body>) -> Option<(Flow, Bytes)> {
        let late = self.sessions.get_mut(&id)?.confirmed()?.late_ack.take()?;
        self.write_ack(id, late.txn, late.number, body.as_ref())
    }

    /// Acknowledges the 2xx that confirmed a session, at once or after its event.
    pub(crate) fn acknowledge_success(&mut self, id: u64, txn: u64, response: &Response) {
        let number = response.cseq().map_or(0, |cseq| cseq.number);
        let has_offered = self
            .clients
            .get(txn)
            .and_then(|txn| txn.request())
            .is_some_and(|request| !request.body().is_empty());
        if has_offered || response.body().is_empty() {
            if let Some((flow, bytes)) = self.write_ack(id, txn, number, None) {
                self.transmit(flow, bytes);
            }
        } else if let Some(confirmed) =
            self.sessions.get_mut(&id).and_then(|session| session.confirmed())
        {
            confirmed.late_ack = Some(Box::new(LateAck { txn, number }));
        }
    }

    fn write_ack(
        &mut self,
        id: u64,
        txn: u64,
        number: u32,
        body: Option<&Body>,
    ) -> Option<(Flow, Bytes)> {
        let dialog = self.sessions.get(&id)?.dialog.clone();
        Some(self.write_ack_in(&dialog, txn, number, body))
    }

    /// Writes an ACK and keeps it with the INVITE, for repeats of the 2xx.
    fn write_ack_in(
        &mut self,
        dialog: &Dialog,
        txn: u64,
        number: u32,
        body: Option<&Body>,
    ) -> (Flow, Bytes) {
        let branch = self.ack_branch();
        let mut builder = dialog.request(Method::Ack, number, &branch, MAX_FORWARDS);
        // The proof that let the INVITE through lets the ACK through (RFC 3261 §22.1).
        if let Some(invite) =
            self.clients.get(txn).filter(|txn| txn.auth.is_some()).and_then(|txn| txn.request())
        {
            builder = builder
                .copy(&invite, HeaderName::Authorization)
                .copy(&invite, HeaderName::ProxyAuthorization);
        }
        let (flow, wire) = (dialog.flow(), self.finish_request(builder, &[], body));
        if let Some(txn) = self.clients.get_mut(txn) {
            let to_tag = dialog.remote_tag().into();
            txn.acks.push(ForkAck { to_tag, flow, wire: wire.clone() });
        }
        (flow, wire)
    }

    /// Acknowledges a repeated 2xx to a re-INVITE again.
    pub(crate) fn repeat_ack(&mut self, txn: u64, response: &Response) {
        let to = response.to().ok();
        let to_tag = to.as_ref().and_then(NameAddr::tag).unwrap_or_default();
        let ack = self
            .clients
            .get(txn)
            .and_then(|txn| txn.acks.iter().find(|ack| ack.to_tag.as_ref() == to_tag))
            .map(|ack| (ack.flow, ack.wire.clone()));
        if let Some((flow, wire)) = ack {
            self.counters.retransmissions_out += 1;
            self.transmit(flow, wire);
        }
    }

    /// A 2xx after the first: a repeat gets its ACK again, a further fork is ended.
    pub(crate) fn handle_further_success(
        &mut self,
        now: Instant,
        flow: Flow,
        id: u64,
        txn: u64,
        response: &Response,
    ) {
        let to = response.to().ok();
        let to_tag = to.as_ref().and_then(NameAddr::tag).unwrap_or_default();
        let is_ours =
            self.sessions.get(&id).is_some_and(|session| session.dialog.remote_tag() == to_tag);
        let Some(entry) = self.clients.get(txn) else {
            return;
        };
        if let Some(ack) = entry.acks.iter().find(|ack| ack.to_tag.as_ref() == to_tag) {
            let (flow, wire) = (ack.flow, ack.wire.clone());
            self.counters.retransmissions_out += 1;
            self.transmit(flow, wire);
        } else if is_ours {
            // Its ACK still waits for the user and goes out at the next poll.
            self.counters.retransmissions_in += 1;
        } else if entry.acks.len() >= FORKS_MAX {
            self.counters.forks_ignored += 1;
        } else if let Some(mut dialog) =
            entry.request().and_then(|invite| Dialog::of_sent(&invite, entry.flow))
        {
            dialog.confirm(response, flow);
            let number = response.cseq().map_or(0, |cseq| cseq.number);
            let (flow, wire) = self.write_ack_in(&dialog, txn, number, None);
            self.transmit(flow, wire);
            self.counters.forks_ended += 1;
            self.send_bye(now, &mut dialog, None, Purpose::Detached, None);
        }
    }

    /// An ACK within a session: for our 2xx, or a repeat of such.
    pub(crate) fn handle_session_ack(&mut self, now: Instant, id: u64, request: Request) {
        let number = request.cseq().map_or(0, |cseq| cseq.number);
        let Some(confirmed) = self.sessions.get_mut(&id).and_then(|session| session.confirmed())
        else {
            self.counters.dropped_acks += 1;
            return;
        };
        if confirmed.unacked.as_ref().is_none_or(|unacked| unacked.number != number) {
            self.counters.retransmissions_in += 1;
            return;
        }
        confirmed.unacked = None;
        let hangup = confirmed.hangup.take();
        self.schedule_session(id);
        self.push_event(Event::Acked { session: SessionId(id), request });
        if let Some(hangup) = hangup {
            self.hang_up_confirmed(now, id, hangup.reason);
        }
    }

    /// Repeats a 2xx, or gives up on its ACK.
    pub(crate) fn handle_unacked_timeout(&mut self, now: Instant, id: u64) {
        let Some(confirmed) = self.sessions.get_mut(&id).and_then(|session| session.confirmed())
        else {
            return;
        };
        let Some(unacked) = &mut confirmed.unacked else {
            return;
        };
        if unacked.until <= now {
            self.counters.timeouts += 1;
            self.end_with_bye(now, id, EndCause::NoAck);
        } else if unacked.repeat.at <= now {
            unacked.repeat = unacked.repeat.next(now, crate::timing::T2);
            let (flow, wire) = (unacked.flow, unacked.wire.clone());
            self.counters.retransmissions_out += 1;
            self.transmit(flow, wire);
        }
    }
}
