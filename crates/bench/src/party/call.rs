//! One call of a party, as the party sees it.

use std::net::SocketAddr;
use std::time::Instant;

use sdp::{Agreed, Description, Origin};
use sip_engine::SessionId;

use crate::Keys;

/// One call of a party.
#[derive(Debug)]
pub struct PartyCall {
    direction: Direction,
    peer: String,
    pub(super) caller_name: String,
    pub(super) state: CallState,
    pub(super) session: Option<SessionId>,
    pub(super) provisionals: Vec<Provisional>,
    pub(super) status: Option<u16>,
    pub(super) reason: String,
    pub(super) answered_at: Option<Instant>,
    ended: Option<Ended>,
    /// It hung up before anybody answered.
    pub(super) gives_up: bool,
    pub(super) transfer_told: Option<String>,
    pub(super) address: SocketAddr,
    pub(super) keys: Keys,
    pub(super) origin: Origin,
    /// The other side's offer, to be answered.
    pub(super) offer_taken: Option<Description>,
    /// Our own offer, whose answer is to come.
    pub(super) offer_made: Option<Description>,
    pub(super) agreed: Option<Agreed>,
    /// What we want: both ways, or only sending while we hold.
    pub(super) direction_wanted: sdp::Direction,
}

/// Who made a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The party.
    Made,
    /// The other side.
    Taken,
}

/// How far a call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallState {
    /// It was made, and nobody answered or refused yet.
    Calling,
    /// It came in, and was not answered or refused yet.
    Ringing,
    /// It was answered.
    Talking,
    /// It is over.
    Over,
}

/// A reply before the final one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provisional {
    /// When it came.
    pub at: Instant,
    /// 101 to 199.
    pub status: u16,
    /// Its words.
    pub reason: String,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Instant,
    /// By whom.
    pub how: CallEnd,
    /// The final status of a call that was not answered.
    pub status: Option<u16>,
    /// The Reason header of CANCEL or BYE, or the words of a refusal.
    pub reason: Option<String>,
}

/// By whom a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallEnd {
    /// The party hung up.
    HungUp,
    /// The other side hung up.
    HungUpByOther,
    /// The party had made it, and was refused.
    Refused,
    /// The party had made it, and hung up before it was answered.
    GaveUp,
    /// It came in, and the party refused it.
    Declined,
    /// It came in, and the caller gave up.
    Cancelled,
    /// The other side does not reply any more.
    Lost,
}

impl PartyCall {
    pub(super) fn new(
        direction: Direction,
        peer: String,
        address: SocketAddr,
        origin: u64,
        keys: Keys,
    ) -> Self {
        Self {
            direction,
            peer,
            caller_name: String::new(),
            state: CallState::Calling,
            session: None,
            provisionals: Vec::new(),
            status: None,
            reason: String::new(),
            answered_at: None,
            ended: None,
            gives_up: false,
            transfer_told: None,
            address,
            keys,
            origin: Origin::new(origin),
            offer_taken: None,
            offer_made: None,
            agreed: None,
            direction_wanted: sdp::Direction::SendRecv,
        }
    }

    /// Who made it.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// What the party dialled, or the number it was shown.
    pub fn peer(&self) -> &str {
        &self.peer
    }

    /// The display name it was shown; empty if none.
    pub fn caller_name(&self) -> &str {
        &self.caller_name
    }

    /// How far it has come.
    pub fn state(&self) -> CallState {
        self.state
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.state == CallState::Over
    }

    /// Replies that came before the final one, 100 left out.
    pub fn provisionals(&self) -> &[Provisional] {
        &self.provisionals
    }

    /// Final status of a call that the party made.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// The words that came with it.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// When it was answered.
    pub fn answered_at(&self) -> Option<Instant> {
        self.answered_at
    }

    /// How it ended.
    pub fn ended(&self) -> Option<&Ended> {
        self.ended.as_ref()
    }

    /// Whether the party keeps the other side on hold.
    pub fn is_holding(&self) -> bool {
        self.direction_wanted == sdp::Direction::SendOnly && !self.is_over()
    }

    /// What the last NOTIFY about a transfer said, for example `SIP/2.0 200 OK`.
    pub fn transfer_told(&self) -> Option<&str> {
        self.transfer_told.as_deref()
    }

    /// Which way sound goes, as the party sees it; `None` before anything was agreed on.
    pub fn sound(&self) -> Option<sdp::Direction> {
        self.agreed.as_ref().map(|agreed| agreed.direction)
    }

    pub(super) fn end(&mut self, ended: Ended) {
        self.state = CallState::Over;
        self.agreed = None;
        self.ended.get_or_insert(ended);
    }
}
