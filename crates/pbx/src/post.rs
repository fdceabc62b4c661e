//! What calls tell each other: an originated call and whoever originated it.
//!
//! Delivered by the switch right after whatever made a call write, before anything else happens, so
//! that two calls never disagree about who holds a party.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use dialplan::{Originate, Outcome};
use sip_engine::{Flow, SessionId};
use sip_syntax::StatusCode;

use crate::Prompts;
use crate::call::Leg;
use crate::desk::{CallId, Desk};
use crate::job::Job;
use crate::notice::TransferNote;
use crate::records::Ticket;

/// Something to be delivered.
#[derive(Debug)]
pub(crate) enum Post {
    /// A call is to be originated.
    Birth(Box<Birth>),
    /// A party is to be transferred to a call of its own.
    Transfer(Box<Transfer>),
    /// A call is over, and its script still waits for something.
    Job(Box<Job>),
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
    /// To a call: a party for the seat of another one.
    Seat(Box<Seat>),
    /// To the call that a transferee comes from: so far is the call it went to.
    Progress(CallId, StatusCode),
    /// To the same: it was answered there.
    Joined(CallId),
    /// To the same: it comes back, unless it has hung up, because of this.
    Returned { child: CallId, party: Option<Box<Party>>, status: StatusCode, reason: String },
}

/// A party that answered, on its way from one call to another.
#[derive(Debug)]
pub(crate) struct Party {
    pub(crate) session: SessionId,
    pub(crate) leg: Leg,
    /// As the script wrote the target.
    pub(crate) label: String,
    /// Whose phone it is, if it is one of ours.
    pub(crate) account: Option<String>,
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

/// A party to be transferred: what the switch makes a call of.
#[derive(Debug)]
pub(crate) struct Transfer {
    pub(crate) id: CallId,
    /// The call that the party comes from, and waits for what comes of it.
    pub(crate) by: CallId,
    /// The name of that.
    pub(crate) name: String,
    /// Who is transferred,
    pub(crate) party: Party,
    /// whom it is shown as,
    pub(crate) from: dialplan::Party,
    /// and where it is.
    pub(crate) flow: Flow,
    /// Who transfers, as callees and scripts are told.
    pub(crate) transferor: String,
    /// The account of whoever transfers: what it may reach, the transferee is connected to. `None`
    /// may reach no more than a stranger.
    pub(crate) account: Option<String>,
    pub(crate) number: String,
    /// The media thread, which keeps the party's sound.
    pub(crate) thread: usize,
    pub(crate) max_forwards: u8,
    /// Transfers in a row that lead here, this one included.
    pub(crate) depth: u32,
}

impl Transfer {
    /// What is told of it.
    pub(crate) fn note(&self, to_call: String) -> TransferNote {
        TransferNote {
            call: self.name.clone(),
            to_call,
            by: self.transferor.clone(),
            who: self.from.user.clone(),
            to: self.number.clone(),
            status: 0,
        }
    }
}

/// A party that is to take the seat of another one in its call.
#[derive(Debug)]
pub(crate) struct Seat {
    /// Whose seat.
    pub(crate) session: SessionId,
    /// The call that the party comes from, and waits for what comes of it.
    pub(crate) by: CallId,
    /// Who gives the seat away.
    pub(crate) holder: Option<Holder>,
    pub(crate) party: Box<Party>,
    /// Whom the party is shown as.
    pub(crate) from: dialplan::Party,
    pub(crate) flow: Flow,
    pub(crate) note: TransferNote,
}

/// Who holds a seat, as far as it can be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A phone of ours.
    Account(String),
    /// Somebody else, who is there.
    At(IpAddr),
}

impl Holder {
    /// Who the peer of a session is; `None` if that cannot be known any more.
    pub(crate) fn of(desk: &Desk, account: Option<&str>, session: SessionId) -> Option<Self> {
        match account {
            Some(account) => Some(Self::Account(account.to_owned())),
            None => desk.endpoint.flow_of(session).map(|flow| Self::At(flow.remote.ip())),
        }
    }
}
