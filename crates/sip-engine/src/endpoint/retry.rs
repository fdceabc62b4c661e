//! Sending a request again as a new one: with an answer to a challenge (RFC 3261 §22.2), or on another
//! stream when its own broke.

use std::time::Instant;

use bytes::Bytes;
use sip_syntax::{HeaderName, Request, Response, StatusCode};

use super::{Departure, Endpoint, Purpose};
use crate::dialog::via;
use crate::{ClientCredentials, answer};

/// What to answer challenges with, and how often that was done.
#[derive(Debug, Clone)]
pub(crate) struct Auth {
    credentials: ClientCredentials,
    /// The codes answered so far.
    answered: Vec<StatusCode>,
}

impl Auth {
    pub(crate) fn new(credentials: ClientCredentials) -> Box<Self> {
        Box::new(Auth { credentials, answered: Vec::new() })
    }

    /// Each side of the path is answered once, and once more if it says that only the nonce was old;
    /// a peer that always has another nonce gets no more of us.
    fn may_answer(&self, status: StatusCode, is_stale: bool) -> bool {
        let times = self.answered.iter().filter(|answered| **answered == status).count();
        times == 0 || (times == 1 && is_stale)
    }
}

impl Endpoint {
    /// A request within a session goes out again on a new stream when its stream broke: the peer
    /// may have lost its connection and not the call. False if there is nowhere else to go.
    pub(super) fn send_elsewhere(&mut self, now: Instant, id: u64) -> bool {
        let Some(txn) = self.clients.get_mut(id) else {
            return false;
        };
        let (broken, purpose, auth) = (txn.flow, txn.purpose, txn.auth.take());
        let (session, request) = match purpose {
            Purpose::Bye(session)
            | Purpose::Reinvite(session)
            | Purpose::Request { session: Some(session), .. } => (session, txn.request()),
            Purpose::Invite(_) | Purpose::Request { session: None, .. } | Purpose::Detached => {
                return false;
            }
        };
        let (Some(request), Some(session)) = (request, self.sessions.get_mut(&session)) else {
            return false;
        };
        let Some(flow) = session.dialog.leave_stream(broken) else {
            return false;
        };
        let number = session.dialog.next_seq();
        let (new, branch) = self.new_client();
        let wire = again(&request, &via(flow, &branch), number, None);
        let method = request.method().clone();
        self.start_client(now, new, Departure { method, flow, wire, purpose, auth });
        if let Purpose::Reinvite(session) = purpose {
            self.replace_reinvite(session, new.id);
        }
        true
    }

    /// Sends the request of `id` again, with an answer to the challenge it got (RFC 3261 §22.2), if
    /// there is one to give. Gives back the new transaction.
    pub(crate) fn answer_challenge(
        &mut self,
        now: Instant,
        id: u64,
        response: &Response,
    ) -> Option<u64> {
        let status = response.status();
        let txn = self.clients.get(id)?;
        let (flow, purpose, mut auth) = (txn.flow, txn.purpose, txn.auth.clone()?);
        let (challenges, header) = if status == StatusCode::UNAUTHORIZED {
            (response.challenges(), HeaderName::Authorization)
        } else if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            (response.proxy_challenges(), HeaderName::ProxyAuthorization)
        } else {
            return None;
        };
        let is_stale = challenges.iter().any(|challenge| challenge.is_stale());
        if !auth.may_answer(status, is_stale) {
            return None;
        }
        let request = txn.request()?;
        let method = request.method().clone();
        let (credentials, rng) = (&auth.credentials, &mut self.rng);
        let value = answer(&challenges, credentials, &method, request.uri_bytes(), rng)?;
        auth.answered.push(status);
        let number = self.next_number(purpose, &request)?;
        let (new, branch) = self.new_client();
        let wire = again(&request, &via(flow, &branch), number, Some((header, &value)));
        let auth = Some(auth);
        self.start_client(now, new, Departure { method, flow, wire, purpose, auth });
        Some(new.id)
    }

    /// The CSeq number of a request made again. `None` if its dialog is gone.
    fn next_number(&mut self, purpose: Purpose, request: &Request) -> Option<u32> {
        let session = match purpose {
            Purpose::Invite(session) | Purpose::Reinvite(session) | Purpose::Bye(session) => {
                Some(session)
            }
            Purpose::Request { session, .. } => session,
            Purpose::Detached => None,
        };
        match session {
            Some(session) => Some(self.sessions.get_mut(&session)?.dialog.next_seq()),
            None => Some(request.cseq().ok()?.number.wrapping_add(1) & 0x7fff_ffff),
        }
    }
}

/// The same request with another branch and number, and a proof in this field if one is asked for.
fn again(request: &Request, via: &str, number: u32, proof: Option<(HeaderName, &str)>) -> Bytes {
    let method = request.method().clone();
    let cseq = format!("{number} {method}");
    let mut builder = Request::builder(method, request.uri_bytes()).header(HeaderName::Via, via);
    for field in request.fields() {
        if field.name == HeaderName::CSeq {
            builder = builder.header(HeaderName::CSeq, &cseq);
            if let Some((header, value)) = proof {
                builder = builder.header(header, value);
            }
        } else if proof.is_none_or(|(header, _)| field.name != header)
            && !matches!(
                field.name,
                HeaderName::Via | HeaderName::ContentType | HeaderName::ContentLength
            )
        {
            builder = builder.header_named(field.raw_name, field.value);
        }
    }
    if let Some(content_type) = request.header(HeaderName::ContentType) {
        builder = builder.body(&String::from_utf8_lossy(&content_type), request.body());
    }
    builder.finish_request().bytes().clone()
}
