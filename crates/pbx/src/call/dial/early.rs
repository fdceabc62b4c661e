//! What the caller hears while others ring: music, a callee's early media, or a ringback tone.

use std::time::Instant;

use media::{JobId, PlayItem};
use sdp::Description;
use sip_engine::{Body, Reply, SessionId};
use sip_syntax::{Response, StatusCode};

use super::Dialing;
use super::branch::{Branch, BranchStage};
use crate::call::caller::Stage;
use crate::call::speak::Spoken;
use crate::call::{Call, leg, sounds};
use crate::desk::Desk;

impl Call {
    /// The music a script chose for the caller, as early media if it is not answered.
    pub(super) fn start_music(&mut self, now: Instant, desk: &mut Desk, dialing: &mut Dialing) {
        if self.background.is_some() {
            return;
        }
        let Some(music) = dialing.dial.music.clone() else { return };
        let items = sounds::items(&self.prompts, &[music], &Spoken::new());
        if items.is_empty() {
            return;
        }
        if !self.caller.has_sound() && self.caller.offer.is_some() {
            self.send_early(now, desk, Reply::new(StatusCode::SESSION_PROGRESS));
        }
        dialing.music = self.play_while_ringing(desk, items);
    }

    fn play_while_ringing(&mut self, desk: &mut Desk, items: Vec<PlayItem>) -> Option<JobId> {
        if self.caller.has_sound() {
            self.play_in_background(desk, sounds::forever(items));
        }
        self.background
    }

    /// Whether the caller hears what early media must not replace: music from before this dial.
    pub(super) fn has_music(&self, dialing: &Dialing) -> bool {
        self.background.is_some()
            && self.background != dialing.ringback
            && self.background != dialing.music
    }

    pub(super) fn relay_ringing(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        dialing: &mut Dialing,
        response: &Response,
    ) {
        if self.caller.has_sound() && dialing.early.is_none() && self.background.is_none() {
            dialing.ringback = self.play_while_ringing(desk, vec![sounds::ringback()]);
        }
        // Without sound of its own a 183 would leave the caller in silence; what we do not know,
        // such as 199, is about that leg alone.
        let status = match response.status() {
            status @ (StatusCode::CALL_IS_BEING_FORWARDED | StatusCode::QUEUED) => status,
            StatusCode::RINGING | StatusCode::SESSION_PROGRESS => StatusCode::RINGING,
            _ => return,
        };
        self.provisional(now, desk, Reply::new(status));
    }

    /// The early media of a callee that is gone has ended, while others still ring: a caller that
    /// was given sound must not be left in silence.
    pub(super) fn ring_on(&mut self, now: Instant, desk: &mut Desk, dialing: &mut Dialing) {
        let silent = self.caller.has_sound() && self.background.is_none();
        if dialing.early.is_some() || dialing.is_over() || !silent {
            return;
        }
        self.start_music(now, desk, dialing);
        if self.background.is_none() {
            dialing.ringback = self.play_while_ringing(desk, vec![sounds::ringback()]);
        }
    }

    pub(super) fn hear_early_media(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        dialing: &mut Dialing,
        session: SessionId,
        response: &Response,
        description: &Description,
    ) {
        let Some(Branch { stage: BranchStage::Ringing { leg, .. }, .. }) = dialing.branch(session)
        else {
            return;
        };
        if leg.take_answer(desk, description).is_err() {
            return self.relay_ringing(now, desk, dialing, response);
        }
        let far = leg.socket.leg;
        let codecs = leg.codec().map(leg::compatible_with).unwrap_or_default();
        if !self.claim_port(now, desk) {
            return;
        }
        let body = match self.match_caller(desk, &codecs, description) {
            Ok(body) => body,
            // Perhaps another fork, or the final answer, fits better.
            Err(_) => return self.relay_ringing(now, desk, dialing, response),
        };
        dialing.early = Some(session);
        self.stop_background(desk);
        if let Some(own) = &self.caller.leg {
            desk.media(own.socket, media::Command::Bridge { a: own.socket.leg, b: far });
        }
        let mut reply = Reply::new(response.status());
        if let Some(body) = body {
            reply = reply.body(Body::sdp(body));
            if self.caller.stage == Stage::Trying {
                self.caller.stage = Stage::Early;
            }
        }
        self.provisional(now, desk, reply);
    }
}
