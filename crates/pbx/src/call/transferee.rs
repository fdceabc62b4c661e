//! A call whose caller was transferred to it, and how that differs from other calls.
//!
//! The transferee was answered long ago, in the call that it comes from, so its sound works and there
//! is no INVITE of it to answer. What the script says to it before somebody answers here, that call
//! is told instead ([`super::transfer`]): ringing, the answer, or a refusal, with which the transferee
//! goes back.

use std::time::Instant;

use dialplan::Script;
use sip_engine::{Body, Reply};
use sip_syntax::StatusCode;

use super::Call;
use super::caller::{Caller, Stage};
use super::transfer::talks;
use crate::desk::{CallId, Desk};
use crate::notice::{Notice, TransferNote};
use crate::output::Output;
use crate::post::{Letter, Party, Post, Transfer};

/// Where a transferee comes from, while it may go back.
#[derive(Debug)]
pub(super) struct Referral {
    /// The call it comes from, which waits for what comes of the transfer.
    by: CallId,
    /// What is told of it.
    note: TransferNote,
}

impl Call {
    /// A call for somebody who was transferred; its script has not begun.
    pub(crate) fn transferred(
        desk: &mut Desk,
        now: Instant,
        name: String,
        transfer: Transfer,
        charged_to: String,
        script: Script,
    ) -> Self {
        let note = transfer.note(name.clone());
        let Transfer { id, by, party, from, flow, account, transferor, number, .. } = transfer;
        let Party { session, leg, on_hold, account: phone, .. } = party;
        let parties = (from.user.clone(), number);
        let caller = Caller {
            session: Some(session),
            flow,
            account,
            phone,
            charged_to: Some(charged_to),
            user: from.user,
            display_name: from.name,
            max_forwards: transfer.max_forwards,
            offer: None,
            leg: Some(leg),
            stage: Stage::Transferred,
            on_hold,
        };
        let mut call = Self::blank(desk, now, id, name, transfer.thread, caller, parties);
        call.script = Some(script);
        call.referral = Some(Box::new(Referral { by, note }));
        call.transfer_depth = transfer.depth;
        let by = sip_syntax::escape_user(&transferor);
        call.referred_by = Some(format!("<sip:{by}@{}>", desk.config.domain));
        call
    }

    /// Takes the transferee over, off hold if it was kept there, and begins the script.
    pub(crate) fn start_transferred(&mut self, now: Instant, desk: &mut Desk) {
        if let (Some(session), Some(leg)) = (self.caller.session, self.caller.leg.as_mut()) {
            desk.own_session(session, self.id);
            desk.hand_leg_over(leg.socket.leg, self.id);
            if !talks(leg) && !self.caller.on_hold {
                let offer = leg.offer_again(sdp::Direction::SendRecv);
                desk.endpoint.reinvite(now, session, Some(Body::sdp(offer)));
            }
        }
        self.start(now, desk);
    }

    /// Tells the caller how far it is, unless it was answered.
    pub(super) fn provisional(&mut self, now: Instant, desk: &mut Desk, reply: Reply) {
        match (self.caller.stage, self.caller.session) {
            (Stage::Transferred, _) => {
                if let Some(referral) = &self.referral {
                    let letter = Letter::Progress(self.id, reply.status);
                    desk.post(Post::Letter(referral.by, letter));
                }
            }
            (Stage::Trying | Stage::Early, Some(session)) => {
                desk.endpoint.provisional(now, session, reply);
            }
            (Stage::Trying | Stage::Early, None) | (Stage::Answered, _) => {}
        }
    }

    /// Somebody answered the transferee here.
    pub(super) fn transferee_answered(&mut self, desk: &mut Desk) {
        if let Some(referral) = self.referral.take() {
            desk.post(Post::Letter(referral.by, Letter::Joined(self.id)));
            referral.note.tell(desk, StatusCode::OK);
        }
    }

    /// Nobody will answer the transferee here: it goes back.
    pub(super) fn give_transferee_back(&mut self, now: Instant, desk: &mut Desk, reply: &Reply) {
        drop(self.stop_task(now, desk));
        self.stop_background(desk);
        let Some(by) = self.referral.as_ref().map(|referral| referral.by) else { return };
        let party = self.take_caller();
        if let Some(party) = &party {
            desk.own_session(party.session, by);
            desk.hand_leg_over(party.leg.socket.leg, by);
        }
        self.end_referral(desk, party, reply.status, reply.reason.clone());
    }

    /// Tells the call that the transferee comes from that nothing comes of it here.
    pub(super) fn end_referral(
        &mut self,
        desk: &mut Desk,
        party: Option<Party>,
        status: StatusCode,
        reason: Option<String>,
    ) {
        let Some(referral) = self.referral.take() else { return };
        let reason = reason.unwrap_or_else(|| status.default_reason().to_owned());
        let party = party.map(Box::new);
        let letter = Letter::Returned { child: self.id, party, status, reason };
        desk.post(Post::Letter(referral.by, letter));
        referral.note.tell(desk, status);
    }
}

impl TransferNote {
    /// Tells that it came to this.
    pub(crate) fn tell(mut self, desk: &mut Desk, status: StatusCode) {
        self.status = status.as_u16();
        desk.push(Output::Publish(Notice::Transferred(Box::new(self))));
    }
}
