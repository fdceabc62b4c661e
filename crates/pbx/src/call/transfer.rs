//! A party has us connect the other one elsewhere: REFER (RFC 3515, RFC 5589 §6).
//!
//! Two calls are at work. The one in which the REFER came keeps whoever sent it, the transferor, and
//! waits. The other party, the transferee, becomes the caller of a new call, which the switch begins
//! as if the transferor had dialled the number: with the transferor's account, whoever the
//! transferee is, and by the routes that account may use ([`crate::switch`] decides that). That call
//! is as any other ([`super::transferee`] tells the differences): its script dials, plays, takes a
//! message. To it the transferee is a caller whom nobody has answered.
//!
//! - If it is answered there, by a phone or by the script, the transfer has succeeded: the transferor
//!   is told so, is hung up on unless it does that by itself, and this call is over. Its script is
//!   closed as by a caller who hangs up.
//! - If it is refused there, the transferee comes back with the code, the two talk on, and the script
//!   of this call has noticed nothing.
//! - If the transferor hangs up before that, as phones do that transfer without waiting, this call is
//!   over and the new one goes on alone.
//!
//! So it makes no difference which of the two had called, and a script that waits in `call:dial`
//! waits on. If it stops waiting before it is known what comes of the transfer, the transfer goes on:
//! a script whose caller was transferred ends then, and one whose callee was transferred goes on with
//! its caller.
//!
//! A REFER that names another conversation of the transferor, after it asked there, gives away its
//! seat in that ([`seat`]).
//!
//! A REFER is not challenged: like a BYE it is known by its dialog, whose tag of ours nobody can guess,
//! and it can do no more than the account could whose phone we called or that proved itself when it
//! called us.

mod refer;
mod seat;

use std::time::{Duration, Instant};

use dialplan::{DialStatus, Outcome, Side};
use media::Command;
use sdp::Direction;
use sip_engine::{Body, Reply, ServerTxnId, SessionId};
use sip_syntax::{Method, Request, StatusCode};

use super::bridge::Bridge;
use super::leg::Leg;
use super::origin::who;
use super::{Call, Finished, Task};
use crate::desk::{CallId, Desk};
use crate::post::{Holder, Letter, Party, Post, Seat, Transfer};
use refer::Wish;
pub(crate) use seat::NewPhone;

/// A transfer whose outcome is not known, or whose transferor has yet to hang up.
#[derive(Debug)]
pub(super) struct Transferring {
    transferor: Transferor,
    /// The call that the transferee belongs to meanwhile.
    child: CallId,
    number: String,
    report: Report,
    /// The transfer has succeeded: the transferor is hung up on then.
    over_at: Option<Instant>,
}

/// Whose REFER it was, with what is left of the bridge.
#[derive(Debug)]
enum Transferor {
    /// The caller's; it has talked with the other one since then.
    Caller { since: Instant },
    /// The other party's; the caller is away.
    Callee(Box<Bridge>),
}

/// Whom to tell what comes of a transfer, by NOTIFY with a `message/sipfrag` (RFC 3515 §2.4.4).
#[derive(Debug, Clone, Copy)]
struct Report {
    session: SessionId,
    /// `None`: nobody wants to be told.
    id: Option<u32>,
    /// The code told last; only greater ones are told after it, which bounds how many there are.
    told: u16,
}

impl Transferring {
    pub(super) fn wake_at(&self) -> Option<Instant> {
        self.over_at
    }

    /// The transferor, if it is the one who was called.
    pub(super) fn callee(&self) -> Option<&Bridge> {
        match &self.transferor {
            Transferor::Caller { .. } => None,
            Transferor::Callee(bridge) => Some(bridge),
        }
    }

    pub(super) fn callee_mut(&mut self) -> Option<&mut Bridge> {
        match &mut self.transferor {
            Transferor::Caller { .. } => None,
            Transferor::Callee(bridge) => Some(bridge),
        }
    }

    /// Why a call is over from which somebody was transferred.
    pub(super) fn ending(&self) -> String {
        format!("transferred to {}", crate::auth::printable(&self.number))
    }

    /// Nobody waits for what comes of it: the other call goes on alone.
    pub(super) fn let_go(self, now: Instant, desk: &mut Desk) {
        match self.transferor {
            Transferor::Caller { .. } => {
                let mut report = self.report;
                report.tell_last(now, desk, StatusCode::TRYING, "");
            }
            Transferor::Callee(bridge) => bridge.part(now, desk),
        }
    }
}

impl Call {
    /// A party sent REFER.
    pub(super) fn referred(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        session: SessionId,
        txn: ServerTxnId,
        request: &Request,
    ) {
        let wish = match refer::read(request).and_then(|wish| {
            self.check_transfer(session)?;
            Ok(wish)
        }) {
            Ok(wish) => wish,
            Err(reply) => {
                tracing::info!(
                    call = %self.name,
                    "no transfer: {}",
                    reply.reason.as_deref().unwrap_or(reply.status.default_reason())
                );
                return desk.endpoint.respond(now, txn, reply);
            }
        };
        let mut reply = Reply::new(StatusCode::ACCEPTED);
        if wish.subscription.is_none() {
            reply = reply.header("Refer-Sub", "false");
        }
        desk.endpoint.respond(now, txn, reply);
        match wish.replaces.as_ref().map(|replaces| desk.endpoint.replaced_session(replaces)) {
            None => self.begin_transfer(now, desk, session, wish, None),
            Some(Some(seat)) if let Some(call) = desk.call_of_session(seat) => {
                self.begin_transfer(now, desk, session, wish, Some((seat, call)));
            }
            Some(_) => {
                let status = StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST;
                let mut report = Report { session, id: wish.subscription, told: 0 };
                report.tell_last(now, desk, status, "");
            }
        }
    }

    /// Whether there is somebody to transfer, and it can be done now.
    fn check_transfer(&self, session: SessionId) -> Result<(), Reply> {
        let refuse = |status, reason: &str| Err(Reply::new(status).reason(reason));
        let by = self.side_of(session);
        let Task::Bridged(bridge) = &self.task else {
            return if matches!(self.task, Task::Transferring(_)) {
                refuse(StatusCode::REQUEST_PENDING, "A Transfer Is Pending")
            } else {
                refuse(StatusCode::TEMPORARILY_UNAVAILABLE, "Nobody To Transfer")
            };
        };
        if by == Side::Callee && bridge.session != session {
            return refuse(StatusCode::TEMPORARILY_UNAVAILABLE, "Nobody To Transfer");
        }
        let own = self.caller.leg.as_ref();
        let asks = |leg: &Leg| leg.awaits_answer() || !leg.is_agreed();
        if bridge.is_asking() || own.is_none_or(asks) || asks(&bridge.leg) {
            // An offer crosses it (as RFC 3261 §14.1 has it for re-INVITE).
            return refuse(StatusCode::REQUEST_PENDING, "The Session Is Being Changed");
        }
        if self.transfers_tried >= TRANSFERS_MAX {
            return refuse(StatusCode::FORBIDDEN, "Too Many Transfers In One Call");
        }
        Ok(())
    }

    /// Gives the other party to a call of its own, or for a seat in another call.
    fn begin_transfer(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        session: SessionId,
        wish: Wish,
        seat: Option<(SessionId, CallId)>,
    ) {
        let by = self.side_of(session);
        let Task::Bridged(bridge) = std::mem::replace(&mut self.task, Task::Idle) else { return };
        self.transfers_tried += 1;
        for leg in [self.caller.leg.as_ref(), Some(&bridge.leg)].into_iter().flatten() {
            desk.media(leg.socket, Command::Unbridge { leg: leg.socket.leg });
        }
        let child = seat.map_or_else(|| CallId(desk.next_id()), |(_, call)| call);
        let Wish { number, subscription, .. } = wish;
        let report = Report { session, id: subscription, told: 0 };
        let callee = who(desk, &bridge.label, bridge.account.as_deref());
        let caller = self.caller_as_party(desk);
        let (party, transferor, from, by, account) = match by {
            Side::Caller => {
                let (party, since) = bridge.into_party();
                let account = self.caller.phone.clone();
                (Some(party), Transferor::Caller { since }, callee, caller.user, account)
            }
            Side::Callee => {
                let account = bridge.account.clone();
                let party = self.take_caller();
                (party, Transferor::Callee(bridge), caller, callee.user, account)
            }
        };
        let Some(party) = party else {
            debug_assert!(false, "a bridge without a caller");
            return;
        };
        let flow = desk.endpoint.flow_of(party.session).unwrap_or(self.caller.flow);
        let mut transferring =
            Transferring { transferor, child, number: number.clone(), report, over_at: None };
        transferring.report.tell(now, desk, StatusCode::TRYING);
        self.task = Task::Transferring(Box::new(transferring));
        let transfer = Transfer {
            id: child,
            by: self.id,
            name: self.name.clone(),
            party,
            from,
            flow,
            transferor: by,
            account,
            number,
            thread: self.thread,
            max_forwards: self.caller.max_forwards.saturating_sub(1),
            depth: self.transfer_depth + 1,
        };
        let Some((seat, call)) = seat else {
            return desk.post(Post::Transfer(Box::new(transfer)));
        };
        let note = transfer.note(String::new());
        let holder = Holder::of(desk, transfer.account.as_deref(), session);
        let Transfer { by, party, from, flow, .. } = transfer;
        let party = Box::new(party);
        let seat = Seat { session: seat, by, holder, party, from, flow, note };
        desk.post(Post::Letter(call, Letter::Seat(Box::new(seat))));
    }

    /// Whom a transferred caller is shown as.
    fn caller_as_party(&self, desk: &Desk) -> dialplan::Party {
        let host = match &self.caller.phone {
            Some(_) => desk.config.domain.clone(),
            None => self.caller.flow.remote.ip().to_string(),
        };
        dialplan::Party {
            user: self.caller.user.clone(),
            host,
            name: self.caller.display_name.clone(),
        }
    }

    /// The caller, to be held by another call.
    pub(super) fn take_caller(&mut self) -> Option<Party> {
        if self.caller.leg.is_none() || self.caller.session.is_none() {
            return None;
        }
        Some(Party {
            session: self.caller.session.take()?,
            leg: self.caller.leg.take()?,
            label: String::new(),
            account: self.caller.phone.clone(),
            on_hold: self.caller.on_hold,
        })
    }

    /// What becomes of the transferee is further than it was.
    pub(super) fn transfer_progressed(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        child: CallId,
        status: StatusCode,
    ) {
        if let Task::Transferring(transferring) = &mut self.task
            && transferring.child == child
            && transferring.over_at.is_none()
        {
            transferring.report.tell(now, desk, status);
        }
    }

    /// The transferee was answered elsewhere.
    pub(super) fn transfer_succeeded(&mut self, now: Instant, desk: &mut Desk, child: CallId) {
        if let Task::Transferring(transferring) = &mut self.task
            && transferring.child == child
        {
            transferring.report.tell_last(now, desk, StatusCode::OK, "");
            transferring.over_at = Some(now + HANG_UP_BY_ITSELF);
        }
    }

    /// Time passed: the transferor has had time to hang up.
    pub(super) fn transfer_timeout(&mut self, now: Instant, desk: &mut Desk) {
        let Task::Transferring(transferring) = &self.task else { return };
        if transferring.over_at.is_none_or(|at| now < at) {
            return;
        }
        let ending = transferring.ending();
        self.end(now, desk, Reply::new(StatusCode::OK), &ending);
    }

    /// The transfer came to nothing: here is the transferee, unless it has hung up.
    pub(super) fn transfer_failed(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        child: CallId,
        party: Option<Party>,
        (status, reason): (StatusCode, String),
    ) {
        let Some(transferring) = self.take_transferring(child) else {
            if let Some(party) = party {
                party.part(now, desk);
            }
            return;
        };
        let Transferring { transferor, mut report, .. } = transferring;
        report.tell_last(now, desk, status, &reason);
        match (transferor, party) {
            (Transferor::Caller { since }, Some(party)) => {
                self.join_again(desk, Box::new(Bridge::of_party(party, since)));
            }
            (Transferor::Caller { since }, None) => {
                let outcome = Outcome::Dialed {
                    status: DialStatus::Answered,
                    code: StatusCode::OK.as_u16(),
                    reason: StatusCode::OK.default_reason().to_owned(),
                    talked: now.saturating_duration_since(since),
                    answered_by: self.story.answered_by.clone(),
                };
                self.proceed(now, desk, Finished::Outcome(outcome));
            }
            (Transferor::Callee(bridge), Some(party)) => {
                self.caller.session = Some(party.session);
                self.caller.leg = Some(party.leg);
                self.caller.on_hold = party.on_hold;
                self.join_again(desk, bridge);
            }
            (Transferor::Callee(bridge), None) => {
                bridge.part(now, desk);
                self.depart(now, desk, StatusCode::OK, "caller hung up");
            }
        }
    }

    /// The transfer to this call, if that is what is waited for.
    fn take_transferring(&mut self, child: CallId) -> Option<Transferring> {
        let task = std::mem::replace(&mut self.task, Task::Idle);
        if let Task::Transferring(transferring) = task {
            if transferring.child == child {
                return Some(*transferring);
            }
            self.task = Task::Transferring(transferring);
        } else {
            self.task = task;
        }
        None
    }

    /// The two talk on, as before.
    fn join_again(&mut self, desk: &mut Desk, bridge: Box<Bridge>) {
        if let Some(own) = &self.caller.leg {
            let command = Command::Bridge { a: own.socket.leg, b: bridge.leg.socket.leg };
            desk.media(own.socket, command);
        }
        self.task = Task::Bridged(bridge);
    }

    /// The transferor, who was called, hung up: the rest is not this call's any more. `false` if this
    /// is not the transferor's session.
    pub(super) fn transferor_left(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        session: SessionId,
    ) -> bool {
        let Task::Transferring(transferring) = &self.task else { return false };
        if transferring.callee().is_none_or(|bridge| bridge.session != session) {
            return false;
        }
        let ending = transferring.ending();
        let Task::Transferring(transferring) = std::mem::replace(&mut self.task, Task::Idle) else {
            return false;
        };
        if let Transferor::Callee(bridge) = transferring.transferor {
            bridge.leg.close(desk);
        }
        self.depart(now, desk, StatusCode::OK, &ending);
        true
    }
}

impl Report {
    /// Tells how far it is.
    fn tell(&mut self, now: Instant, desk: &mut Desk, status: StatusCode) {
        if status.as_u16() > self.told {
            let left = desk.config.limits.unanswered_max.as_secs().max(1);
            self.notify(now, desk, status, "", format!("active;expires={left}"));
        }
    }

    /// Tells what came of it; the subscription is over (RFC 3515 §2.4.7).
    fn tell_last(&mut self, now: Instant, desk: &mut Desk, status: StatusCode, reason: &str) {
        if self.told < StatusCode::OK.as_u16() {
            let state = "terminated;reason=noresource".to_owned();
            self.notify(now, desk, status, reason, state);
        }
    }

    fn notify(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        status: StatusCode,
        reason: &str,
        state: String,
    ) {
        self.told = status.as_u16();
        let Some(id) = self.id else { return };
        let reason = if reason.is_empty() { status.default_reason() } else { reason };
        // Told by somebody else, perhaps: one line, no more.
        let reason: String = reason.chars().filter(|c| !c.is_control()).take(REASON_MAX).collect();
        let fragment = format!("SIP/2.0 {} {reason}\r\n", status.as_u16());
        let headers = vec![
            ("Event".to_owned(), format!("refer;id={id}")),
            ("Subscription-State".to_owned(), state),
        ];
        let body = Body::new("message/sipfrag;version=2.0", fragment.into_bytes());
        // What is said of it matters to nobody; if the session is gone, so is whoever asked.
        let _txn = desk.endpoint.request(now, self.session, Method::Notify, headers, Some(body));
    }
}

/// Which way sound goes between a party and us when nobody holds.
pub(super) fn talks(leg: &Leg) -> bool {
    leg.direction() == Direction::SendRecv
}

/// Transfers that the parties of one call may ask for; each begins a script.
const TRANSFERS_MAX: u8 = 20;
/// What a transferor has to hang up by itself, after it was told that the transfer succeeded.
const HANG_UP_BY_ITSELF: Duration = Duration::from_secs(2);
/// Characters of a reason that are passed on.
const REASON_MAX: usize = 100;
