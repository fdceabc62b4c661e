//! One phone being rung.

use std::time::Instant;

use sip_engine::SessionId;

use super::ways::Way;
use crate::call::leg::Leg;
use crate::desk::Desk;
use crate::records::Ticket;

/// One phone being rung.
#[derive(Debug)]
pub(super) struct Branch {
    /// As the script wrote it.
    pub(super) label: String,
    pub(super) way: Way,
    pub(super) give_up_at: Instant,
    pub(super) stage: BranchStage,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all branches ring nearly all the time")]
pub(super) enum BranchStage {
    /// To be rung later than the others.
    Waiting {
        until: Instant,
    },
    Resolving {
        ticket: Ticket,
    },
    Ringing {
        session: SessionId,
        leg: Leg,
    },
    Over,
}

impl Branch {
    pub(super) fn is(&self, wanted: Option<SessionId>) -> bool {
        matches!(self.stage, BranchStage::Ringing { session, .. } if Some(session) == wanted)
    }

    /// Ends it, whatever it is doing.
    pub(super) fn give_up(&mut self, now: Instant, desk: &mut Desk, reason: Option<&str>) {
        match std::mem::replace(&mut self.stage, BranchStage::Over) {
            BranchStage::Ringing { session, leg } => {
                desk.disown_session(session);
                desk.endpoint.cancel(now, session, reason.map(str::to_owned));
                leg.close(desk);
            }
            BranchStage::Resolving { ticket } => {
                desk.redeem(ticket);
            }
            BranchStage::Waiting { .. } | BranchStage::Over => {}
        }
    }
}
