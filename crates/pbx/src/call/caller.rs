//! The party that called us.

use media::LegId;
use sdp::Description;
use sip_engine::{Flow, SessionId};

use super::leg::Leg;

/// The party that called us.
#[derive(Debug)]
pub(crate) struct Caller {
    /// `None` once it is over.
    pub(crate) session: Option<SessionId>,
    pub(crate) flow: Flow,
    /// The account that the call is made for, if any: what scripts are told, and may do.
    pub(crate) account: Option<String>,
    /// Whose phone it is, if it is one of ours: the same, unless the caller was transferred here.
    /// What it asks for by itself, it may do as that.
    pub(crate) phone: Option<String>,
    /// Whose allowance of calls at one time this call uses.
    pub(crate) charged_to: Option<String>,
    /// User part of From that callees are told.
    pub(crate) user: String,
    /// Display name that callees are told; may be empty.
    pub(crate) display_name: String,
    /// Hops left for the calls we make on its behalf.
    pub(crate) max_forwards: u8,
    /// What it offered; `None` for a late offer (RFC 3261 §13.2.1). Dropped once answered.
    pub(crate) offer: Option<Box<Description>>,
    pub(crate) leg: Option<Leg>,
    pub(crate) stage: Stage,
    /// Whether it does not want to hear us for now.
    pub(crate) on_hold: bool,
}

/// How far the call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Only 100, or a provisional without sound.
    Trying,
    /// The caller was given a session description, and hears us.
    Early,
    /// It was transferred to us from a conversation, hears us, and nobody has answered it here.
    Transferred,
    /// 200 was sent.
    Answered,
}

impl Caller {
    pub(crate) fn leg_id(&self) -> Option<LegId> {
        self.leg.as_ref().map(|leg| leg.socket.leg)
    }

    /// Whether we can send sound to it.
    pub(crate) fn has_sound(&self) -> bool {
        self.leg.as_ref().is_some_and(Leg::is_agreed)
    }
}
