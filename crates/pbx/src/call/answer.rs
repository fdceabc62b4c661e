//! Making sound possible: with early media, or by answering the caller.

use std::time::Instant;

use sdp::{Description, Direction, Refusal, RtpCodec};
use sip_engine::{Body, Flow, Reply};
use sip_syntax::{Request, StatusCode};

use super::caller::Stage;
use super::leg::{self, Leg};
use super::{Call, Task};
use crate::desk::Desk;

/// An offer of ours that a performance has to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pending {
    /// Made so that the caller can hear it.
    Own,
    /// Made before, for something else; then it has to be looked at again.
    Earlier,
}

/// Whether the caller can hear us.
pub(super) enum Audible {
    Ready,
    /// Not yet; what comes of this offer will tell.
    Later(Pending),
    /// Never; the call was ended.
    Impossible,
}

impl Call {
    /// Makes sure that the caller can hear us: with a 183, or for a late offer by answering.
    pub(super) fn make_sound_possible(&mut self, now: Instant, desk: &mut Desk) -> Audible {
        if self.caller.has_sound() {
            return self.make_codec_playable(now, desk);
        }
        if self.caller.offer.is_none() {
            if self.caller.stage != Stage::Answered {
                self.answer(now, desk);
            }
            return if self.caller.session.is_some() {
                Audible::Later(Pending::Own)
            } else {
                Audible::Impossible
            };
        }
        self.send_early(now, desk, Reply::new(StatusCode::SESSION_PROGRESS))
    }

    /// After a bridge the caller may speak a codec that we can only pass on: ask it to change.
    pub(super) fn make_codec_playable(&mut self, now: Instant, desk: &mut Desk) -> Audible {
        let Some(leg) = self.caller.leg.as_mut() else { return Audible::Ready };
        if leg.speaks_g711() {
            return Audible::Ready;
        }
        match (self.caller.stage, self.caller.session) {
            (Stage::Answered | Stage::Transferred, Some(_)) if leg.awaits_answer() => {
                Audible::Later(Pending::Earlier)
            }
            (Stage::Answered | Stage::Transferred, Some(session)) => {
                let event = leg.agreed().and_then(|agreed| agreed.telephone_event);
                let offer = leg.offer(&leg::g711(), event, Direction::SendRecv, None);
                desk.endpoint.reinvite(now, session, Some(Body::sdp(offer)));
                Audible::Later(Pending::Own)
            }
            // Early media in another codec: nothing can be played before it is answered.
            (Stage::Trying | Stage::Early | Stage::Answered | Stage::Transferred, _) => {
                Audible::Ready
            }
        }
    }

    /// Sends a provisional with our session description.
    pub(super) fn send_early(&mut self, now: Instant, desk: &mut Desk, reply: Reply) -> Audible {
        if !self.claim_port(now, desk) {
            return Audible::Impossible;
        }
        match self.describe(desk) {
            Ok(Some(body)) => {
                self.provisional(now, desk, reply.body(Body::sdp(body)));
                if self.caller.stage == Stage::Trying {
                    self.caller.stage = Stage::Early;
                }
                Audible::Ready
            }
            // A late offer has to wait for the 2xx.
            Ok(None) => {
                self.provisional(now, desk, reply);
                Audible::Ready
            }
            Err(refusal) => {
                self.refuse(now, desk, &refusal);
                Audible::Impossible
            }
        }
    }

    /// Our answer to the caller's offer, made for playing if it was not made before; `None` if the
    /// caller made no offer.
    fn describe(&mut self, desk: &mut Desk) -> Result<Option<bytes::Bytes>, Refusal> {
        if let Some(leg) = self.caller.leg.as_ref().filter(|leg| leg.is_agreed()) {
            return Ok(Some(leg.described()));
        }
        match (self.caller.offer.as_deref(), self.caller.leg.as_mut()) {
            (Some(offer), Some(leg)) => {
                let ours = in_their_order(offer);
                leg.answer(desk, offer, &ours, Direction::SendRecv, None).map(Some)
            }
            (None, _) | (_, None) => Ok(None),
        }
    }

    /// Makes sure that the caller has a port; without one the call ends with 503.
    pub(super) fn claim_port(&mut self, now: Instant, desk: &mut Desk) -> bool {
        if self.caller.leg.is_none() {
            self.caller.leg = self.open_leg(desk, self.caller.flow);
        }
        if self.caller.leg.is_none() {
            self.end_without_port(now, desk);
        }
        self.caller.leg.is_some()
    }

    /// A leg to whoever is at the other end of `flow`; `None` when no port is left.
    pub(super) fn open_leg(&self, desk: &mut Desk, flow: Flow) -> Option<Leg> {
        let leg = Leg::open(desk, self.id, self.thread, flow);
        if leg.is_none() {
            tracing::error!(call = %self.name, "every media port is in use; widen media.ports");
        }
        leg
    }

    pub(super) fn end_without_port(&mut self, now: Instant, desk: &mut Desk) {
        let reply = Reply::new(StatusCode::SERVICE_UNAVAILABLE).header("Retry-After", "5");
        self.end(now, desk, reply, "no media port");
    }

    /// Ends the call because of the session that the caller offers.
    pub(super) fn refuse(&mut self, now: Instant, desk: &mut Desk, refusal: &Refusal) {
        tracing::info!(call = %self.name, "refused: {refusal}");
        let reply = not_acceptable(desk, refusal);
        self.end(now, desk, reply, "no common codec");
    }

    /// Sends 200, with the description that the caller may know from a 183 already.
    pub(super) fn answer(&mut self, now: Instant, desk: &mut Desk) {
        if self.caller.stage == Stage::Answered || !self.claim_port(now, desk) {
            return;
        }
        let body = match self.describe(desk) {
            Ok(Some(body)) => body,
            Ok(None) => {
                let Some(leg) = self.caller.leg.as_mut() else { return };
                leg.offer(&leg::g711(), Some(101), Direction::SendRecv, None)
            }
            Err(refusal) => return self.refuse(now, desk, &refusal),
        };
        self.accept(now, desk, body);
    }

    /// Sends 200 with this description.
    pub(super) fn accept(&mut self, now: Instant, desk: &mut Desk, body: bytes::Bytes) {
        if self.caller.stage == Stage::Transferred {
            self.transferee_answered(desk);
        } else if let Some(session) = self.caller.session {
            desk.endpoint.accept(now, session, Reply::new(StatusCode::OK).body(Body::sdp(body)));
        }
        self.caller.stage = Stage::Answered;
        self.caller.offer = None;
        self.story.answered_at = Some(now);
        self.give_up_at = now + desk.config.limits.call_max;
    }

    /// The ACK for our 2xx; it carries the answer to a late offer.
    pub(super) fn caller_acked(&mut self, now: Instant, desk: &mut Desk, request: &Request) {
        let Some(leg) = self.caller.leg.as_mut().filter(|leg| leg.awaits_answer()) else { return };
        let read = Description::parse(request.body())
            .map_err(|error| error.to_string())
            .and_then(|answer| leg.take_answer(desk, &answer).map_err(|error| error.to_string()));
        if let Err(why) = read {
            tracing::info!(call = %self.name, "unusable answer in ACK: {why}");
            leg.offer_failed();
            if self.caller.has_sound() {
                // To a re-INVITE without an offer: the session goes on as it was.
                return self.sound_became_possible(now, desk);
            }
            let reply = Reply::new(StatusCode::NOT_ACCEPTABLE_HERE);
            return self.end(now, desk, reply, "no common codec");
        }
        self.sound_became_possible(now, desk);
    }

    /// Goes on with what had to wait for sound.
    pub(super) fn sound_became_possible(&mut self, now: Instant, desk: &mut Desk) {
        let task = std::mem::replace(&mut self.task, Task::Idle);
        let Task::Preparing(performance, _) = task else {
            self.task = task;
            return;
        };
        if let Some(finished) = self.perform(now, desk, performance) {
            self.proceed(now, desk, finished);
        }
    }
}

/// 488 with the reason in a Warning (RFC 3261 §21.4.26).
pub(super) fn not_acceptable(desk: &Desk, refusal: &Refusal) -> Reply {
    let (code, text) = refusal.warning();
    let warning = format!("{code} {} \"{text}\"", desk.config.domain);
    Reply::new(StatusCode::NOT_ACCEPTABLE_HERE).header("Warning", warning)
}

/// The kinds of G.711 we can play, in the order in which the caller offered them.
fn in_their_order(offer: &Description) -> Vec<RtpCodec> {
    let offered = offer.media.iter().filter(|line| line.is_rtp_audio()).flat_map(|l| l.codecs());
    let mut codecs: Vec<RtpCodec> = offered.filter(leg::is_g711).collect();
    codecs.extend(leg::g711());
    codecs
}
