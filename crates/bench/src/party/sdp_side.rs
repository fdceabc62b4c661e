//! Offers and answers of a party's call (RFC 3264).

use sdp::{Description, Layout, Local, RtpCodec};

use super::PartyCall;
use crate::Keys;
use crate::acoustics::Described;

impl PartyCall {
    /// Whether an offer of ours waits for its answer.
    pub(super) fn has_offered(&self) -> bool {
        self.offer_made.is_some()
    }

    /// An offer of ours.
    pub(super) fn offer(&mut self, direction: sdp::Direction) -> Vec<u8> {
        let layout =
            self.origin.last().map_or_else(Layout::audio_only, |last| Layout::again(&last));
        let (local, event) = (self.local(), self.telephone_event());
        let offer =
            sdp::negotiate::offer(&mut self.origin, local, &codecs(), event, direction, &layout);
        let bytes = offer.to_bytes();
        self.offer_made = Some(offer);
        bytes
    }

    /// Keeps the other side's offer, if this is one, for [`Self::describe`].
    pub(super) fn take_offer(&mut self, body: &[u8]) {
        self.offer_taken = Description::parse(body).ok();
    }

    /// Our answer to the offer that came; our own offer if none came.
    pub(super) fn describe(&mut self) -> Vec<u8> {
        let Some(offer) = self.offer_taken.take() else {
            return match self.origin.last() {
                // Said once already, before the call was answered.
                Some(last) if self.agreed.is_some() && self.answered_at.is_none() => {
                    last.to_bytes()
                }
                Some(_) | None => self.offer(self.direction_wanted),
            };
        };
        let local = self.local();
        let answered = sdp::negotiate::answer(
            &mut self.origin,
            &offer,
            local,
            &codecs(),
            self.direction_wanted,
        );
        match answered {
            Ok(answered) => {
                self.agreed = Some(answered.stream);
                answered.description.to_bytes()
            }
            // Nothing that this party speaks: it says so by an empty body.
            Err(_) => Vec::new(),
        }
    }

    /// Reads the answer to our offer; false if there was none to read.
    pub(super) fn take_answer(&mut self, body: &[u8]) -> bool {
        let (Some(offered), Ok(theirs)) = (&self.offer_made, Description::parse(body)) else {
            return false;
        };
        match sdp::negotiate::accept_answer(offered, &theirs) {
            Ok(agreed) => {
                self.agreed = Some(agreed);
                true
            }
            Err(_) => false,
        }
    }

    /// What was agreed on, for the office's acoustics.
    pub(super) fn described(&self) -> Option<Described> {
        let agreed = self.agreed.as_ref()?;
        Some(Described {
            remote: agreed.remote,
            sends: agreed.direction.can_send(),
            receives: agreed.direction.can_receive(),
            keys: self.keys,
        })
    }

    fn local(&self) -> Local {
        Local { ip: self.address.ip(), port: self.address.port() }
    }

    fn telephone_event(&self) -> Option<u8> {
        match self.keys {
            Keys::Events => Some(101),
            Keys::Tones | Keys::Info => None,
        }
    }
}

fn codecs() -> Vec<RtpCodec> {
    vec![RtpCodec::pcmu(), RtpCodec::pcma()]
}
