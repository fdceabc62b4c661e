//! Requests of ours outside dialogs: REGISTER, OPTIONS, MESSAGE (RFC 3261 §8.1).

use std::time::Instant;

use sip_syntax::{HeaderName, Request, StatusCode};

use super::{Auth, Departure, Endpoint, Purpose};
use crate::dialog::{tagged, via};
use crate::endpoint::MAX_FORWARDS;
use crate::{ClientTxnId, Event, OutOfDialog};

impl Endpoint {
    /// Sends a request outside every dialog; [`Event::Response`] follows. Challenges are answered
    /// inside, if it has credentials.
    pub fn send(&mut self, now: Instant, request: OutOfDialog) -> ClientTxnId {
        let id = ClientTxnId(self.next_id());
        if self.transaction_count() >= self.config.transactions_max {
            self.counters.refused_capacity += 1;
            let status = StatusCode::SERVICE_UNAVAILABLE;
            self.push_event(Event::Response { txn: id, status, response: None });
            return id;
        }
        let (new, branch) = self.new_client();
        let tag = format!("{:016x}", self.tokens.next_u64());
        let call_id = match request.call_id {
            Some(call_id) => call_id,
            None => self.new_call_id(),
        };
        let (method, flow) = (request.method, request.flow);
        let number = request.cseq.unwrap_or(1);
        let cseq = format!("{number} {method}");
        let mut builder = Request::builder(method.clone(), request.uri.as_bytes())
            .header(HeaderName::Via, via(flow, &branch))
            .header(HeaderName::MaxForwards, MAX_FORWARDS.to_string())
            .header(HeaderName::From, tagged(request.from.as_bytes(), tag.as_bytes()))
            .header(HeaderName::To, request.to)
            .header(HeaderName::CallId, call_id)
            .header(HeaderName::CSeq, cseq);
        if let Some(contact) = request.contact {
            builder = builder.header(HeaderName::Contact, contact);
        }
        let wire = self.finish_request(builder, &request.headers, request.body.as_ref());
        let auth = request.credentials.map(Auth::new);
        let purpose = Purpose::Request { session: None, id };
        self.start_client(now, new, Departure { method, flow, wire, purpose, auth });
        id
    }
}
