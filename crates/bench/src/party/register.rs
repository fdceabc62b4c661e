//! Registering, refreshing and taking it back (RFC 3261 §10.2).

use std::time::{Duration, Instant};

use sip_engine::{ClientTxnId, OutOfDialog, Transport};
use sip_syntax::{HeaderName, Method, Response, StatusCode};

use super::{News, Party};
use crate::{Act, ActError};

/// How a party's registration stands, as far as it knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registration {
    /// Until when the exchange keeps it; `None`: it is not registered.
    pub until: Option<Instant>,
    /// Final status of the last REGISTER.
    pub status: Option<u16>,
}

/// What belongs to it.
#[derive(Debug, Default)]
pub(super) struct Registering {
    /// The REGISTER under way, and for how long it asked.
    under_way: Option<(ClientTxnId, Duration)>,
    sent: u32,
}

impl Party {
    /// Whether it is registered, as far as it knows.
    pub fn is_registered(&self) -> bool {
        self.registration.until.is_some()
    }

    /// Whether a REGISTER waits for its reply.
    pub fn is_registering(&self) -> bool {
        self.registering.under_way.is_some()
    }

    /// Asks to be registered for so long; no time takes it back.
    pub(super) fn register(&mut self, now: Instant, expires: Duration) -> Result<(), ActError> {
        if !self.is_account {
            return Err(ActError::NoAccount(self.name.clone()));
        }
        let user = sip_syntax::escape_user(&self.user);
        let address = format!("<sip:{user}@{}>", self.domain);
        let contact = match self.flow.transport {
            Transport::Udp => format!("<sip:{user}@{}>", self.flow.local),
            Transport::Tcp => format!("<sip:{user}@{};transport=tcp>", self.flow.local),
        };
        let cseq = 1 + self.registering.sent * 10;
        self.registering.sent += 1;
        let txn = self.endpoint.send(
            now,
            OutOfDialog {
                method: Method::Register,
                flow: self.flow,
                uri: format!("sip:{}", self.domain),
                from: address.clone(),
                to: address,
                contact: Some(contact),
                call_id: Some(format!("registration-{}@{}", self.id.0, self.flow.local.ip())),
                cseq: Some(cseq),
                headers: vec![("Expires".to_owned(), expires.as_secs().to_string())],
                body: None,
                credentials: self.credentials.clone(),
            },
        );
        self.registering.under_way = Some((txn, expires));
        Ok(())
    }

    /// A request was finally replied to.
    pub(super) fn registered(
        &mut self,
        now: Instant,
        txn: ClientTxnId,
        status: StatusCode,
        response: Option<&Response>,
    ) {
        let Some((_, asked)) = self.registering.under_way.filter(|(own, _)| *own == txn) else {
            return;
        };
        self.registering.under_way = None;
        self.registration.status = Some(status.as_u16());
        if status.is_success() {
            let granted = response.and_then(granted).unwrap_or(asked).min(asked);
            self.registration.until = (!granted.is_zero()).then(|| now + granted);
            self.plans.retain(|_, plan| plan.act != Act::Register);
            if !granted.is_zero() {
                self.plan(now + granted / 2, None, Act::Register);
            }
        } else {
            self.registration.until = None;
        }
        self.news.push_back(News::Changed);
    }
}

/// For how long a registration was granted.
fn granted(response: &Response) -> Option<Duration> {
    let of_contact = response.contacts().ok().into_iter().flatten();
    let of_contact =
        of_contact.filter_map(|contact| contact.addr().and_then(|a| a.expires())).max();
    let header = response.header(HeaderName::Expires).and_then(|_| response.expires());
    of_contact.or(header).map(|seconds| Duration::from_secs(seconds.into()))
}

/// For how long phones register.
pub(super) const EXPIRES: Duration = Duration::from_secs(3_600);
