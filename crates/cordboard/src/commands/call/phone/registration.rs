//! Being reachable (RFC 3261 §10.2): asked for at the start, renewed in time, taken back at the end.

use std::time::{Duration, Instant};

use sip_engine::{ClientTxnId, OutOfDialog};
use sip_syntax::{Class, Method, Response, StatusCode};

use super::{Ending, Phone, State, reason};

/// How we stand with the registrar.
#[derive(Debug)]
pub(super) enum Registration {
    None,
    Asked { txn: ClientTxnId, call_id: String, cseq: u32 },
    There { call_id: String, cseq: u32, renew_at: Instant },
    TakenBack { txn: ClientTxnId },
}

impl Phone {
    /// Asks for a registration, or for more time.
    pub(super) fn register(&mut self, now: Instant, call_id: String, cseq: u32) {
        let txn = self.send_register(now, call_id.clone(), cseq, REGISTRATION_SECONDS);
        // A challenge takes one more CSeq.
        self.registration = Registration::Asked { txn, call_id, cseq: cseq + 1 };
    }

    /// Takes it back.
    pub(super) fn unregister(&mut self, now: Instant, call_id: String, cseq: u32) {
        let txn = self.send_register(now, call_id, cseq, 0);
        self.registration = Registration::TakenBack { txn };
    }

    fn send_register(
        &mut self,
        now: Instant,
        call_id: String,
        cseq: u32,
        seconds: u32,
    ) -> ClientTxnId {
        let contact = format!(
            "<sip:{}@{};transport={}>",
            sip_syntax::escape_user(&self.plan.user),
            self.flow.local,
            self.flow.transport,
        );
        let request = OutOfDialog {
            method: Method::Register,
            flow: self.flow,
            uri: self.plan.registrar.clone(),
            from: self.plan.from.clone(),
            to: self.plan.from.clone(),
            contact: Some(contact),
            call_id: Some(call_id),
            cseq: Some(cseq),
            headers: vec![("Expires".into(), seconds.to_string())],
            body: None,
            credentials: self.plan.credentials.clone(),
        };
        self.endpoint.send(now, request)
    }

    /// The registrar's answer.
    pub(super) fn registered(
        &mut self,
        now: Instant,
        of: ClientTxnId,
        status: StatusCode,
        response: Option<Response>,
    ) {
        match &self.registration {
            Registration::Asked { txn, call_id, cseq } if *txn == of => {
                let (call_id, cseq) = (call_id.clone(), *cseq);
                if status.class() == Class::Success {
                    let renew_at =
                        now + Duration::from_secs(u64::from(REGISTRATION_SECONDS) * 4 / 5);
                    self.registration = Registration::There { call_id, cseq, renew_at };
                    if matches!(self.state, State::Registering) {
                        self.say("registered".into());
                        self.begin(now);
                    }
                } else {
                    self.registration = Registration::None;
                    let text = response.as_ref().map_or("no answer at all".into(), reason);
                    self.say(format!("registration: {} {text}", status.as_u16()));
                    self.hang_up(now, Ending::of(status, response.is_some()));
                }
            }
            Registration::TakenBack { txn } if *txn == of => {
                self.registration = Registration::None;
            }
            Registration::None
            | Registration::Asked { .. }
            | Registration::There { .. }
            | Registration::TakenBack { .. } => {}
        }
    }
}

/// What we ask for.
const REGISTRATION_SECONDS: u32 = 600;
