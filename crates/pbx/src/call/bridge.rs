//! Two parties joined: sound goes between their legs, and what one changes is carried to the other.

use std::time::Instant;

use bytes::Bytes;
use dialplan::{CallEvent, DialStatus, Outcome, Side};
use media::Command;
use sdp::{Description, Direction, Refusal};
use sip_engine::{Body, Reply, SessionId};
use sip_syntax::{Request, Response, StatusCode};

use super::answer::{Pending, not_acceptable};
use super::leg::{self, Leg, described_direction};
use super::{Call, Finished, Task};
use crate::desk::Desk;
use crate::post::Party;

/// The other party of a call.
#[derive(Debug)]
pub(crate) struct Bridge {
    pub(crate) session: SessionId,
    pub(crate) leg: Leg,
    /// As the script dialled it.
    pub(super) label: String,
    /// Whose phone it is, if it is one of ours.
    pub(super) account: Option<String>,
    since: Instant,
    /// Whether it does not want to hear the caller for now.
    pub(super) on_hold: bool,
    /// A re-INVITE of one party that waits for the other's answer.
    asked: Option<Asked>,
}

#[derive(Debug)]
struct Asked {
    by: Side,
    offer: Box<Description>,
}

impl Bridge {
    /// Joins somebody who was called by another call of ours.
    pub(super) fn of_party(party: Party, since: Instant) -> Self {
        let Party { session, leg, label, account, on_hold } = party;
        Self { session, leg, label, account, since, on_hold, asked: None }
    }

    /// The party, and since when it was joined to the caller.
    pub(super) fn into_party(self) -> (Party, Instant) {
        let Self { session, leg, label, account, since, on_hold, .. } = self;
        (Party { session, leg, label, account, on_hold }, since)
    }

    /// Since when the two talk.
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// Whether a party's offer waits for the other one's answer.
    pub(super) fn is_asking(&self) -> bool {
        self.asked.is_some()
    }

    /// The caller's re-INVITE that the other party was asked about and has not answered.
    pub(super) fn take_asked_of_caller(&mut self) -> Option<Box<Description>> {
        let by_caller = |asked: &mut Asked| asked.by == Side::Caller;
        self.asked.take_if(by_caller).map(|asked| asked.offer)
    }

    /// The caller is gone: so is the other party.
    pub(super) fn part(self, now: Instant, desk: &mut Desk) {
        desk.disown_session(self.session);
        desk.endpoint.bye(now, self.session, None);
        self.leg.close(desk);
    }
}

impl Call {
    /// Joins the caller and a callee that answered.
    pub(super) fn connect(&mut self, now: Instant, desk: &mut Desk, bridge: Bridge) {
        if self.caller.session.is_none() {
            return bridge.part(now, desk);
        }
        self.story.answered_by.clone_from(&bridge.label);
        if let Some(own) = &self.caller.leg {
            let command = Command::Bridge { a: own.socket.leg, b: bridge.leg.socket.leg };
            desk.media(own.socket, command);
        }
        let by = bridge.label.clone();
        self.task = Task::Bridged(Box::new(bridge));
        self.tell_event(now, desk, CallEvent::Answer { by });
    }

    /// If the caller settled on a codec before this callee chose another that we cannot convert, asks
    /// the callee to change. Happens after early media of another phone.
    pub(super) fn align_callee(&mut self, now: Instant, desk: &mut Desk) {
        let Task::Bridged(bridge) = &mut self.task else { return };
        let Some(spoken) = self.caller.leg.as_ref().and_then(Leg::codec) else { return };
        let codecs = leg::compatible_with(spoken);
        let fits = |codec| codecs.iter().any(|own| own.same_encoding(codec));
        if bridge.leg.codec().is_none_or(fits) {
            return;
        }
        let event = bridge.leg.agreed().and_then(|agreed| agreed.telephone_event);
        let offer = bridge.leg.offer(&codecs, event, Direction::SendRecv, None);
        desk.endpoint.reinvite(now, bridge.session, Some(Body::sdp(offer)));
    }

    /// The callee hung up: the script goes on with the caller.
    pub(super) fn callee_ended(&mut self, now: Instant, desk: &mut Desk, session: SessionId) {
        if self.transferor_left(now, desk, session) {
            return;
        }
        let task = std::mem::replace(&mut self.task, Task::Idle);
        let Task::Bridged(bridge) = task else {
            self.task = task;
            return;
        };
        if bridge.session != session {
            self.task = Task::Bridged(bridge);
            return;
        }
        desk.disown_session(session);
        let Bridge { leg, label, since, asked, .. } = *bridge;
        if let Some(own) = &self.caller.leg {
            desk.media(own.socket, Command::Unbridge { leg: own.socket.leg });
        }
        leg.close(desk);
        if let Some(Asked { by: Side::Caller, offer }) = asked {
            self.answer_alone(now, desk, Side::Caller, &offer);
        }
        let outcome = Outcome::Dialed {
            status: DialStatus::Answered,
            code: 200,
            reason: "OK".to_owned(),
            talked: now.saturating_duration_since(since),
            answered_by: label,
        };
        self.proceed(now, desk, Finished::Outcome(outcome));
    }

    /// A party wants to change the session: hold, resume, another codec or address.
    pub(super) fn reinvited(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        session: SessionId,
        request: &Request,
    ) {
        let by = self.side_of(session);
        if matches!(&self.task, Task::Bridged(bridge) if bridge.asked.is_some()) {
            // The other party asked first, and each would wait for the other (RFC 3261 §14.2).
            let reply = Reply::new(StatusCode::REQUEST_PENDING);
            return desk.endpoint.reject_reinvite(now, session, reply);
        }
        if request.body().is_empty() {
            // The peer wants our offer (RFC 3261 §14.2); its answer comes with the ACK.
            let offer = self.leg_of(by).map(|leg| leg.offer_again(Direction::SendRecv));
            let reply = match offer {
                Some(offer) => Reply::new(StatusCode::OK).body(Body::sdp(offer)),
                None => Reply::new(StatusCode::OK),
            };
            return desk.endpoint.accept_reinvite(now, session, reply);
        }
        let Ok(offer) = Description::parse(request.body()) else {
            let reply =
                Reply::new(StatusCode::BAD_REQUEST).reason("Unreadable session description");
            return desk.endpoint.reject_reinvite(now, session, reply);
        };
        let held = !described_direction(&offer).can_receive();
        if self.concerns_both(by, &offer) {
            self.carry_over(now, desk, by, offer);
        } else {
            self.answer_alone(now, desk, by, &offer);
        }
        self.note_hold(now, desk, by, held);
    }

    /// A party said whether it wants to hear the other.
    fn note_hold(&mut self, now: Instant, desk: &mut Desk, by: Side, held: bool) {
        let on_hold = match by {
            Side::Caller => Some(&mut self.caller.on_hold),
            Side::Callee => self.callee_mut().map(|bridge| &mut bridge.on_hold),
        };
        if on_hold.is_some_and(|on_hold| std::mem::replace(on_hold, held) != held) {
            let event = if held { CallEvent::Hold { by } } else { CallEvent::Resume { by } };
            self.tell_event(now, desk, event);
        }
    }

    /// Whether the other party must be asked: the direction changed, the codec is no longer there, or
    /// there are streams that we only pass on.
    fn concerns_both(&self, by: Side, offer: &Description) -> bool {
        let Task::Bridged(bridge) = &self.task else { return false };
        let Some(leg) = (match by {
            Side::Caller => self.caller.leg.as_ref(),
            Side::Callee => Some(&bridge.leg),
        }) else {
            return false;
        };
        let same_direction = described_direction(offer).reversed() == leg.direction();
        let same_codec = leg.codec().is_some_and(|codec| {
            offer.media.iter().any(|line| line.codecs().iter().any(|own| own.same_encoding(codec)))
        });
        let carries_more =
            offer.media.iter().any(|line| !line.is_rtp_audio() && !line.is_refused());
        !(same_direction && same_codec) || carries_more
    }

    /// Asks the other party for the same.
    fn carry_over(&mut self, now: Instant, desk: &mut Desk, by: Side, offer: Description) {
        let direction = described_direction(&offer);
        let caller_session = self.caller.session;
        let Task::Bridged(bridge) = &mut self.task else { return };
        let (codecs, event) = leg::offerable_to_other(&offer);
        let (session, far) = match by {
            Side::Caller => (Some(bridge.session), Some(&mut bridge.leg)),
            Side::Callee => (caller_session, self.caller.leg.as_mut()),
        };
        let (Some(session), Some(far)) = (session, far) else { return };
        let body = far.offer(&codecs, event, direction, Some(&offer));
        bridge.asked = Some(Asked { by, offer: Box::new(offer) });
        desk.endpoint.reinvite(now, session, Some(Body::sdp(body)));
    }

    /// Answers for ourselves, as far as the other party need not know.
    pub(super) fn answer_alone(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        by: Side,
        offer: &Description,
    ) {
        let session = self.session_of(by);
        let codecs = self.codecs_of(by);
        let Some(leg) = self.leg_of(by) else { return };
        let answered = leg.answer(desk, offer, &codecs, Direction::SendRecv, None);
        if let Some(session) = session {
            answer_reinvite(now, desk, session, answered);
        }
    }

    /// What this party may speak: what it speaks now first, then what we can make of the other.
    fn codecs_of(&self, side: Side) -> Vec<sdp::RtpCodec> {
        let own = match (side, self.callee()) {
            (Side::Callee, Some(bridge)) => bridge.leg.codec(),
            (Side::Caller | Side::Callee, _) => self.caller.leg.as_ref().and_then(Leg::codec),
        };
        own.map_or_else(leg::g711, leg::compatible_with)
    }

    /// Whose session this is; one that is not the caller's is taken for the callee's.
    pub(super) fn side_of(&self, session: SessionId) -> Side {
        if self.caller.session == Some(session) { Side::Caller } else { Side::Callee }
    }

    fn session_of(&self, side: Side) -> Option<SessionId> {
        match side {
            Side::Caller => self.caller.session,
            Side::Callee => self.callee().map(|bridge| bridge.session),
        }
    }

    pub(super) fn leg_of(&mut self, side: Side) -> Option<&mut Leg> {
        match side {
            Side::Caller => self.caller.leg.as_mut(),
            Side::Callee => self.callee_mut().map(|bridge| &mut bridge.leg),
        }
    }

    /// The other party, joined to the caller or waiting for what comes of a transfer.
    fn callee(&self) -> Option<&Bridge> {
        match &self.task {
            Task::Bridged(bridge) => Some(bridge),
            Task::Transferring(transferring) => transferring.callee(),
            Task::Idle
            | Task::Playing { .. }
            | Task::Collecting(_)
            | Task::Recording(_)
            | Task::Echoing
            | Task::Preparing(..)
            | Task::Dialing(_)
            | Task::Taking(_)
            | Task::Speaking(_)
            | Task::Storing { .. } => None,
        }
    }

    fn callee_mut(&mut self) -> Option<&mut Bridge> {
        match &mut self.task {
            Task::Bridged(bridge) => Some(bridge),
            Task::Transferring(transferring) => transferring.callee_mut(),
            Task::Idle
            | Task::Playing { .. }
            | Task::Collecting(_)
            | Task::Recording(_)
            | Task::Echoing
            | Task::Preparing(..)
            | Task::Dialing(_)
            | Task::Taking(_)
            | Task::Speaking(_)
            | Task::Storing { .. } => None,
        }
    }

    /// The other party agreed to what was carried to it, or the caller to speak G.711 for us.
    pub(super) fn reinvite_accepted(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        session: SessionId,
        response: &Response,
    ) {
        let side = self.side_of(session);
        let theirs = Description::parse(response.body()).ok();
        if let (Some(theirs), Some(leg)) = (&theirs, self.leg_of(side))
            && let Err(refusal) = leg.take_answer(desk, theirs)
        {
            tracing::info!(call = %self.name, "answer to our re-INVITE unusable: {refusal}");
        }
        if matches!(self.task, Task::Preparing(..)) {
            return self.sound_became_possible(now, desk);
        }
        let Some(Asked { by, offer }) = self.take_asked() else { return };
        let far_direction = theirs.as_ref().map_or(Direction::SendRecv, described_direction);
        let far_codec = self.leg_of(side).and_then(|leg| leg.codec().cloned());
        let codecs = far_codec.as_ref().map_or_else(leg::g711, leg::compatible_with);
        let Some(asker) = self.session_of(by) else { return };
        let Some(leg) = self.leg_of(by) else { return };
        // The far party's own direction is what the asking party is told.
        let answered = leg.answer(desk, &offer, &codecs, far_direction, theirs.as_ref());
        answer_reinvite(now, desk, asker, answered);
    }

    /// The other party refused what was carried to it.
    pub(super) fn reinvite_failed(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        session: SessionId,
        status: StatusCode,
    ) {
        tracing::debug!(call = %self.name, ?session, "re-INVITE refused: {status}");
        let side = self.side_of(session);
        if let Some(leg) = self.leg_of(side) {
            leg.offer_failed();
        }
        match &self.task {
            // It cannot hear what comes next, but the script goes on.
            Task::Preparing(performance, Pending::Own) => {
                let told = performance.unheard();
                return self.proceed(now, desk, told);
            }
            Task::Preparing(_, Pending::Earlier) => return self.sound_became_possible(now, desk),
            Task::Idle
            | Task::Playing { .. }
            | Task::Collecting(_)
            | Task::Recording(_)
            | Task::Echoing
            | Task::Dialing(_)
            | Task::Bridged(_)
            | Task::Transferring(_)
            | Task::Taking(_)
            | Task::Speaking(_)
            | Task::Storing { .. } => {}
        }
        let Some(Asked { by, offer }) = self.take_asked() else { return };
        // A hold concerns our leg alone if the other side will not join in.
        self.answer_alone(now, desk, by, &offer);
    }

    /// The ACK of the callee's side: the answer to an offer that its re-INVITE asked us for.
    pub(super) fn callee_acked(&mut self, desk: &mut Desk, session: SessionId, request: &Request) {
        if self.session_of(Side::Callee) != Some(session) {
            return;
        }
        if let (Ok(answer), Some(leg)) =
            (Description::parse(request.body()), self.leg_of(Side::Callee))
            && leg.awaits_answer()
            && let Err(refusal) = leg.take_answer(desk, &answer)
        {
            tracing::info!(call = %self.name, "answer in ACK unusable: {refusal}");
        }
    }

    fn take_asked(&mut self) -> Option<Asked> {
        self.callee_mut().and_then(|bridge| bridge.asked.take())
    }
}

/// Sends what came of a re-INVITE.
fn answer_reinvite(
    now: Instant,
    desk: &mut Desk,
    session: SessionId,
    answered: Result<Bytes, Refusal>,
) {
    match answered {
        Ok(body) => {
            let reply = Reply::new(StatusCode::OK).body(Body::sdp(body));
            desk.endpoint.accept_reinvite(now, session, reply);
        }
        Err(refusal) => {
            let reply = not_acceptable(desk, &refusal);
            desk.endpoint.reject_reinvite(now, session, reply);
        }
    }
}
