//! What calls tell each other: an originated call and whoever originated it.
//!
//! Delivered by the switch right after whatever made a call write, before anything else happens, so
//! that two calls never disagree about who holds a party.

use std::sync::Arc;
use std::time::Instant;

use dialplan::{Originate, Outcome};
use sip_engine::{Flow, SessionId};

use crate::Prompts;
use crate::call::Leg;
use crate::desk::{CallId, Desk};
use crate::records::Ticket;

/// Something to be delivered.
#[derive(Debug)]
pub(crate) enum Post {
    /// A call is to be originated.
    Birth(Box<Birth>),
    /// To a call.
    Letter(CallId, Letter),
    /// To whoever waits with this ticket.
    Reply(Ticket, Outcome),
}

/// From one call to another.
#[derive(Debug)]
pub(crate) enum Letter {
    /// To an originated call: nobody wants it any more.
    Abandon,
    /// To an originated call: hand its party over to this call, which waits for it.
    Take(CallId),
    /// To whoever asked for a party: here it is, unless it has hung up.
    Taken(CallId, Option<Box<Party>>),
    /// To whoever may still ask for its party: it is gone.
    Gone(CallId),
}

/// A party that answered, on its way from one call to another.
#[derive(Debug)]
pub(crate) struct Party {
    pub(crate) session: SessionId,
    pub(crate) leg: Leg,
    /// As the script wrote the target.
    pub(crate) label: String,
    pub(crate) on_hold: bool,
}

impl Party {
    /// Nobody is there to be joined with it.
    pub(crate) fn part(self, now: Instant, desk: &mut Desk) {
        desk.disown_session(self.session);
        desk.endpoint.bye(now, self.session, None);
        self.leg.close(desk);
    }
}

/// A call to be originated.
#[derive(Debug)]
pub(crate) struct Birth {
    pub(crate) id: CallId,
    pub(crate) originate: Originate,
    /// The call that may ask for its party.
    pub(crate) parent: Option<CallId>,
    /// Who waits for what comes of it.
    pub(crate) ticket: Option<Ticket>,
    /// Its media thread: its parent's, so that the two can be joined; `None` for the next.
    pub(crate) thread: Option<usize>,
    /// Who is shown as calling, unless the script says otherwise.
    pub(crate) user: String,
    pub(crate) display_name: String,
    pub(crate) max_forwards: u8,
    /// The listener it is called from, unless its targets need another.
    pub(crate) near: Flow,
    pub(crate) generation: u64,
    pub(crate) prompts: Arc<Prompts>,
}
