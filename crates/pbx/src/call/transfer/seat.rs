//! Taking the seat of a party in a conversation: attended transfers (RFC 5589 §7), and calls that
//! replace a dialog (RFC 3891).
//!
//! Whoever transfers after asking first has two calls here, and its REFER names the dialog of the
//! second. We are the other end of both. So the party of the first takes the transferor's seat in the
//! second, whichever side of it that was, and the transferor is out of both. Nobody is dialled, so
//! nothing has to be authorised but who may give a seat away: the phone that holds it. A Replaces
//! that names the dialog of another account, or of nobody, is answered alike, so that nothing is
//! learned by trying.
//!
//! The seats of two who talk can be taken, no others. A dialog whose INVITE came to us and is not
//! answered yet is refused with 481, as RFC 3891 §3 has it.
//
// Deviates from RFC 3891 §3: a dialog that we began and nobody answered yet is refused as well. A
// phone that rings is picked up by dialling for that, not by knowing its dialog.

use std::time::Instant;

use dialplan::Side;
use media::Command;
use sdp::{Description, Direction, RtpCodec};
use sip_engine::{Body, Flow, Reply, SessionId};
use sip_syntax::StatusCode;

use super::super::bridge::Bridge;
use super::super::leg::{self, Leg};
use super::super::{Call, Task};
use super::talks;
use crate::desk::Desk;
use crate::post::{Holder, Letter, Party, Post, Seat};

/// What a party at a table is, besides its session and leg.
struct Guest {
    name: String,
    display_name: String,
    flow: Flow,
}

impl Call {
    /// Another call has a party that shall take this seat here.
    pub(in crate::call) fn seat_wanted(&mut self, now: Instant, desk: &mut Desk, seat: Seat) {
        let Seat { session, by, holder, mut party, from, flow, mut note } = seat;
        let side = self.side_of_seat(desk, session, holder.as_ref()).and_then(|side| {
            let is_near = party.leg.socket.thread == self.thread
                || party.leg.move_to(desk, self.id, self.thread, flow);
            is_near.then_some(side).ok_or(StatusCode::SERVICE_UNAVAILABLE)
        });
        let side = match side {
            Ok(side) => side,
            Err(status) => {
                note.tell(desk, status);
                let reason = status.default_reason().to_owned();
                let party = Some(party);
                let letter = Letter::Returned { child: self.id, party, status, reason };
                return desk.post(Post::Letter(by, letter));
            }
        };
        note.to_call.clone_from(&self.name);
        note.tell(desk, StatusCode::OK);
        desk.post(Post::Letter(by, Letter::Joined(self.id)));
        desk.own_session(party.session, self.id);
        desk.hand_leg_over(party.leg.socket.leg, self.id);
        let guest = Guest { name: from.user, display_name: from.name, flow };
        self.change_seat(now, desk, side, *party, guest);
    }

    /// Whose seat it is that this session has, if it may be given away by this holder.
    fn side_of_seat(
        &self,
        desk: &Desk,
        session: SessionId,
        holder: Option<&Holder>,
    ) -> Result<Side, StatusCode> {
        let Task::Bridged(bridge) = &self.task else {
            return Err(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
        };
        let (side, account) = if self.caller.session == Some(session) {
            (Side::Caller, &self.caller.phone)
        } else {
            (Side::Callee, &bridge.account)
        };
        let own = Holder::of(desk, account.as_deref(), session);
        if (side == Side::Callee && bridge.session != session)
            || own.as_ref() != holder
            || own.is_none()
        {
            return Err(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
        }
        let asks = |leg: &Leg| leg.awaits_answer() || !leg.is_agreed();
        if bridge.is_asking() || self.caller.leg.as_ref().is_none_or(asks) || asks(&bridge.leg) {
            return Err(StatusCode::REQUEST_PENDING);
        }
        Ok(side)
    }

    /// Puts a party in the place of another one, which is hung up on.
    fn change_seat(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        side: Side,
        mut party: Party,
        guest: Guest,
    ) {
        let Task::Bridged(bridge) = &mut self.task else { return party.part(now, desk) };
        let far = match side {
            Side::Caller => Some((bridge.session, &mut bridge.leg, bridge.on_hold)),
            Side::Callee => self
                .caller
                .session
                .zip(self.caller.leg.as_mut())
                .map(|(session, leg)| (session, leg, self.caller.on_hold)),
        };
        let Some((far_session, far, far_holds)) = far else { return party.part(now, desk) };
        make_fit(now, desk, &mut party, far.codec());
        if !talks(far) && !far_holds {
            // It was kept on hold by whoever leaves.
            let offer = far.offer_again(Direction::SendRecv);
            desk.endpoint.reinvite(now, far_session, Some(Body::sdp(offer)));
        }
        let far_leg = far.socket;
        let own_leg = party.leg.socket;
        match side {
            Side::Caller => {
                // Who is there now; that it was begun for another account, its record says as well.
                self.story.from.clone_from(&guest.name);
                self.caller.user = guest.name;
                self.caller.display_name = guest.display_name;
                self.caller.flow = guest.flow;
                self.caller.phone = party.account;
                self.caller.on_hold = party.on_hold;
                let session = self.caller.session.replace(party.session);
                let leg = self.caller.leg.replace(party.leg);
                leave(now, desk, session, leg);
            }
            Side::Callee => {
                if party.label.is_empty() {
                    party.label = match &party.account {
                        Some(account) => format!("ext/{account}"),
                        None => guest.name,
                    };
                }
                self.story.answered_by.clone_from(&party.label);
                let since = bridge.since();
                let old = std::mem::replace(&mut **bridge, Bridge::of_party(party, since));
                leave(now, desk, Some(old.session), Some(old.leg));
            }
        }
        desk.media(far_leg, Command::Bridge { a: far_leg.leg, b: own_leg.leg });
    }

    /// A new call of a phone takes the place of this session of the same account: Replaces in an
    /// INVITE.
    ///
    /// # Errors
    /// How it is refused if it cannot.
    pub(crate) fn replaced(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        by: NewPhone<'_>,
        session: SessionId,
    ) -> Result<(), Reply> {
        let holder = Holder::Account(by.account.to_owned());
        let side = self.side_of_seat(desk, session, Some(&holder)).map_err(Reply::new)?;
        if by.early_only {
            return Err(Reply::new(StatusCode::BUSY_HERE).reason("Answered Already"));
        }
        let Task::Bridged(bridge) = &self.task else {
            return Err(Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST));
        };
        let far = match side {
            Side::Caller => bridge.leg.codec(),
            Side::Callee => self.caller.leg.as_ref().and_then(Leg::codec),
        };
        let codecs = far.map_or_else(leg::g711, leg::compatible_with);
        let Some(mut leg) = self.open_leg(desk, by.flow) else {
            let busy = Reply::new(StatusCode::SERVICE_UNAVAILABLE);
            return Err(busy.header("Retry-After", "5"));
        };
        let body = match by.offer {
            Some(offer) => leg.answer(desk, offer, &codecs, Direction::SendRecv, None),
            None => Ok(leg.offer(&codecs, Some(101), Direction::SendRecv, None)),
        };
        let body = match body {
            Ok(body) => body,
            Err(refusal) => {
                leg.close(desk);
                return Err(super::super::answer::not_acceptable(desk, &refusal));
            }
        };
        desk.own_session(by.session, self.id);
        desk.endpoint.accept(now, by.session, Reply::new(StatusCode::OK).body(Body::sdp(body)));
        let account = Some(by.account.to_owned());
        let party =
            Party { session: by.session, leg, label: String::new(), account, on_hold: false };
        let who = super::who(desk, "", Some(by.account));
        let guest = Guest { name: who.user, display_name: who.name, flow: by.flow };
        self.change_seat(now, desk, side, party, guest);
        tracing::info!(call = %self.name, account = by.account, "goes on at another phone");
        Ok(())
    }
}

/// A call that a phone makes to take the place of a dialog.
#[derive(Debug)]
pub(crate) struct NewPhone<'a> {
    pub(crate) session: SessionId,
    pub(crate) flow: Flow,
    /// Proven.
    pub(crate) account: &'a str,
    pub(crate) offer: Option<&'a Description>,
    /// It wants that only if nobody has answered (RFC 3891 §3).
    pub(crate) early_only: bool,
}

/// Has a party whose session was agreed on elsewhere changed so that it can be joined here: its new
/// port if it has one, a codec that the far side can be joined to, and sound both ways.
fn make_fit(now: Instant, desk: &mut Desk, party: &mut Party, far: Option<&RtpCodec>) {
    let codecs = far.map_or_else(leg::g711, leg::compatible_with);
    let spoken = party.leg.codec();
    let fits = spoken.is_some_and(|own| codecs.iter().any(|codec| codec.same_encoding(own)));
    let held = !talks(&party.leg) && !party.on_hold;
    // What a call says to replace another is an offer or an answer of its own.
    if party.leg.awaits_answer() || (fits && !held) {
        return;
    }
    let event = party.leg.agreed().and_then(|agreed| agreed.telephone_event).or(Some(101));
    let offer = party.leg.offer(&codecs, event, Direction::SendRecv, None);
    desk.endpoint.reinvite(now, party.session, Some(Body::sdp(offer)));
}

/// Hangs up on whoever had the seat.
fn leave(now: Instant, desk: &mut Desk, session: Option<SessionId>, leg: Option<Leg>) {
    if let Some(session) = session {
        desk.disown_session(session);
        desk.endpoint.bye(now, session, None);
    }
    if let Some(leg) = leg {
        leg.close(desk);
    }
}
