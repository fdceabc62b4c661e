//! A callee answered: its session description and the caller's are made to fit.

use std::time::Instant;

use bytes::Bytes;
use sdp::{Description, Direction, Refusal, RtpCodec};
use sip_engine::SessionId;
use sip_syntax::{Response, StatusCode};

use super::branch::BranchStage;
use crate::call::bridge::Bridge;
use crate::call::caller::Stage;
use crate::call::leg::{self, Leg};
use crate::call::{Call, Task};
use crate::desk::Desk;
use crate::post::Party;

impl Call {
    /// A callee answered.
    pub(in crate::call) fn branch_accepted(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        session: SessionId,
        response: &Response,
    ) {
        let Some(mut dialing) = self.take_dialing() else { return };
        let Some(index) = dialing.branches.iter().position(|branch| branch.is(Some(session)))
        else {
            self.task = Task::Dialing(Box::new(dialing));
            return;
        };
        let branch = dialing.branches.swap_remove(index);
        let BranchStage::Ringing { mut leg, .. } = branch.stage else { return };
        let joined = if self.is_originating() {
            read_answer(desk, &mut leg, response).map(drop)
        } else {
            self.join(now, desk, &mut leg, response)
        };
        match joined {
            Ok(()) if self.is_originating() => {
                dialing.cancel_others(now, desk, None, Some(ANSWERED_ELSEWHERE));
                let flow = branch.way.flow.unwrap_or(self.caller.flow);
                let account = branch.way.account;
                let party = Party { session, leg, label: branch.label, account, on_hold: false };
                self.picked_up(now, desk, party, flow, branch.way.uri);
            }
            Ok(()) => {
                dialing.cancel_others(now, desk, None, Some(ANSWERED_ELSEWHERE));
                self.stop_background(desk);
                let account = branch.way.account;
                let party = Party { session, leg, label: branch.label, account, on_hold: false };
                self.connect(now, desk, Bridge::of_party(party, now));
                self.align_callee(now, desk);
            }
            Err((status, why)) => {
                tracing::info!(call = %self.name, to = %branch.label, "answer unusable: {why}");
                desk.disown_session(session);
                desk.endpoint.bye(now, session, Some(NOT_ACCEPTABLE.to_owned()));
                leg.close(desk);
                if dialing.early == Some(session) {
                    dialing.early = None;
                }
                dialing.note(status, status.default_reason().to_owned());
                self.go_on_dialing(now, desk, dialing);
            }
        }
    }

    /// Reads a callee's answer and gives the caller what follows from it.
    fn join(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        leg: &mut Leg,
        response: &Response,
    ) -> Result<(), (StatusCode, String)> {
        let theirs = read_answer(desk, leg, response)?;
        if !self.claim_port(now, desk) {
            return Err((StatusCode::SERVICE_UNAVAILABLE, "no media port".to_owned()));
        }
        let codecs = leg.codec().map(leg::compatible_with).unwrap_or_default();
        let body = self.match_caller(desk, &codecs, &theirs).map_err(unfit)?;
        if self.caller.stage != Stage::Answered {
            match body {
                Some(body) => self.accept(now, desk, body),
                None => self.answer(now, desk),
            }
        }
        Ok(())
    }

    /// Makes the caller's side fit a callee's answer: `Some` is what to tell the caller, `None` if its
    /// offer is still to come.
    pub(super) fn match_caller(
        &mut self,
        desk: &mut Desk,
        codecs: &[RtpCodec],
        theirs: &Description,
    ) -> Result<Option<Bytes>, Refusal> {
        if let Some(leg) = self.caller.leg.as_ref().filter(|leg| leg.is_agreed()) {
            return Ok(Some(leg.described()));
        }
        match (self.caller.offer.as_deref(), self.caller.leg.as_mut()) {
            (Some(offer), Some(leg)) => {
                leg.answer(desk, offer, codecs, Direction::SendRecv, Some(theirs)).map(Some)
            }
            (None, _) | (_, None) => Ok(None),
        }
    }
}

/// Reads a callee's answer.
fn read_answer(
    desk: &mut Desk,
    leg: &mut Leg,
    response: &Response,
) -> Result<Description, (StatusCode, String)> {
    match Description::parse(response.body()) {
        Ok(theirs) => {
            leg.take_answer(desk, &theirs).map_err(unfit)?;
            Ok(theirs)
        }
        // Some phones answer in the 183 only.
        Err(error) => {
            let said = leg.last_description().filter(|_| leg.is_agreed());
            said.filter(|_| response.body().is_empty())
                .ok_or_else(|| (StatusCode::BAD_GATEWAY, error.to_string()))
        }
    }
}

fn unfit(refusal: Refusal) -> (StatusCode, String) {
    (StatusCode::NOT_ACCEPTABLE_HERE, refusal.to_string())
}

/// Tells the other phones not to list a missed call (RFC 3326 §2).
const ANSWERED_ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";
/// Why we leave a callee whose answer makes no call.
const NOT_ACCEPTABLE: &str = "SIP;cause=488;text=\"Not Acceptable Here\"";
