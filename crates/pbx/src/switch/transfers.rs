//! Where a transferred party goes: the route of the number, if whoever transfers may use it.
//!
//! What a call costs is charged to whoever had it made. So a transfer is authorised as the
//! transferor's account, and counted for it, never as the party at the other end, who may be anybody.
//! A transferor without an account, such as a stranger on a public route or a caller from a trusted
//! network, reaches what `public` routes let anybody reach.

use std::time::Instant;

use dialplan::{CallView, Match, RouteId};
use sip_engine::{Flow, Reply, SessionId};
use sip_syntax::{HeaderName, Replaces, Request, StatusCode};

use super::requests::{STRANGERS, offer_of};
use super::{State, Switch};
use crate::auth::Speaker;
use crate::call::{Call, NewPhone};
use crate::post::{Letter, Post, Transfer};

impl Switch {
    /// Begins the call of a transferred party, or sends the party back.
    pub(super) fn transfer(&mut self, now: Instant, mut transfer: Transfer) {
        // The account may be gone since it called, or was called.
        transfer.account =
            transfer.account.filter(|user| self.desk.config.accounts.contains_key(user));
        let route = match self.route_of_transfer(&transfer) {
            Ok(route) => route,
            Err(status) => {
                transfer.note(String::new()).tell(&mut self.desk, status);
                let letter = Letter::Returned {
                    child: transfer.id,
                    party: Some(Box::new(transfer.party)),
                    status,
                    reason: status.default_reason().to_owned(),
                };
                return self.desk.post(Post::Letter(transfer.by, letter));
            }
        };
        let charged_to = transfer.account.clone().unwrap_or_else(|| STRANGERS.to_owned());
        *self.calls_of_account.entry(charged_to.clone()).or_default() += 1;
        let (id, name) = (transfer.id, format!("{:08x}", self.desk.rng.u32(..)));
        let view = self.view_of_transfer(&name, &transfer);
        let script = self.generation.start(route, view);
        let call = Call::transferred(&mut self.desk, now, name, transfer, charged_to, script);
        self.calls.insert(id, Box::new(call));
        self.with_one(id, |call, desk| call.start_transferred(now, desk));
    }

    /// An INVITE that replaces a dialog (RFC 3891 §3): a phone goes on with a conversation that
    /// another phone of the same account has. Whoever else names a dialog is told that there is none.
    pub(super) fn replace(
        &mut self,
        now: Instant,
        session: SessionId,
        flow: Flow,
        request: &Request,
        speaker: Option<Speaker>,
    ) {
        let reply = self.try_to_replace(now, session, flow, request, speaker);
        if let Err(reply) = reply {
            self.desk.endpoint.reject(now, session, reply);
        }
    }

    fn try_to_replace(
        &mut self,
        now: Instant,
        session: SessionId,
        flow: Flow,
        request: &Request,
        speaker: Option<Speaker>,
    ) -> Result<(), Reply> {
        let gone = || Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
        let value = request.header(HeaderName::Replaces).unwrap_or_default().into_owned();
        let replaces = Replaces::parse(value)
            .map_err(|_| Reply::new(StatusCode::BAD_REQUEST).reason("Unreadable Replaces"))?;
        let Some(Speaker::Account(account)) = speaker else { return Err(gone()) };
        let offer = offer_of(request)?;
        let replaced = self.desk.endpoint.replaced_session(&replaces).ok_or_else(gone)?;
        let id = self.desk.call_of_session(replaced).ok_or_else(gone)?;
        let offer = offer.as_ref();
        let early_only = replaces.early_only;
        let by = NewPhone { session, flow, account: &account, offer, early_only };
        let mut done = Err(gone());
        self.with_call(now, id, |call, desk| {
            done = call.replaced(now, desk, by, replaced);
        });
        done
    }

    /// Which route takes a transfer.
    ///
    /// # Errors
    /// What the transferor is told if none does.
    fn route_of_transfer(&self, transfer: &Transfer) -> Result<RouteId, StatusCode> {
        let limits = &self.desk.config.limits;
        if self.state != State::Open || self.calls.len() >= limits.calls_max {
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        }
        if transfer.depth > self.desk.config.script_limits.go_depth {
            tracing::warn!(
                call = %transfer.name,
                "{} transfers in a row: this one goes no further",
                transfer.depth
            );
            return Err(StatusCode::LOOP_DETECTED);
        }
        if transfer.max_forwards == 0 {
            return Err(StatusCode::TOO_MANY_HOPS);
        }
        let route = match self.generation.match_number(&transfer.number) {
            Match::Route(route) => route,
            Match::Incomplete => return Err(StatusCode::ADDRESS_INCOMPLETE),
            Match::None => return Err(StatusCode::NOT_FOUND),
        };
        if transfer.account.is_none() && !self.generation.is_public(route) {
            return Err(StatusCode::FORBIDDEN);
        }
        let charged_to = transfer.account.as_deref().unwrap_or(STRANGERS);
        let under_way = self.calls_of_account.get(charged_to).copied().unwrap_or_default();
        if under_way >= limits.calls_per_account_max {
            return Err(StatusCode::BUSY_HERE);
        }
        Ok(route)
    }

    /// What the script may know: who calls is who will talk, what may be done is the transferor's.
    fn view_of_transfer(&self, name: &str, transfer: &Transfer) -> CallView {
        let domain = &self.desk.config.domain;
        CallView {
            id: name.to_owned(),
            from: transfer.from.clone(),
            to: dialplan::Party {
                user: transfer.number.clone(),
                host: domain.clone(),
                name: String::new(),
            },
            uri: format!("sip:{}@{domain}", sip_syntax::escape_user(&transfer.number)),
            account: transfer.account.clone(),
            source: transfer.flow.remote.to_string(),
            headers: Vec::new(),
            transferred_by: Some(transfer.transferor.clone()),
        }
    }
}
