//! Everything that happened in an office, in order.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pbx::Notice;
use sip_syntax::Message;

use crate::{Heard, PartyId};

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Happening {
    /// When.
    pub at: Instant,
    /// What.
    pub what: What,
}

/// What can happen.
#[derive(Debug, Clone)]
pub enum What {
    /// A SIP message was sent.
    Sip(Traffic),
    /// A party hears something from now on.
    Hears {
        /// Who.
        party: PartyId,
        /// What; `None`: nothing any more.
        heard: Option<Heard>,
    },
    /// A party presses keys.
    Presses {
        /// Who.
        party: PartyId,
        /// Which.
        keys: String,
    },
    /// A party speaks.
    Says {
        /// Who.
        party: PartyId,
        /// For how long.
        length: Duration,
    },
    /// A party vanishes or returns.
    Party {
        /// Who.
        party: PartyId,
        /// What it does.
        does: &'static str,
    },
    /// The exchange has news: a script's log line or fault, the end of a call, a reload.
    Exchange(Notice),
    /// A script asks another program or its database, in words: `GET https://crm.example.org/42`,
    /// `SELECT name FROM customers`.
    Asks(String),
    /// The answer arrives, in words: `200, 17 bytes`, `1 row`, or what went wrong.
    Gets(String),
    /// Another program asks the scripts, in words: `POST /click`.
    Asked(String),
    /// It is answered, in words: `202, 0 bytes`.
    Answers(String),
    /// A host name was looked up, and this was found.
    Resolved {
        /// The name.
        host: String,
        /// What the office knows of it.
        addresses: Vec<SocketAddr>,
    },
}

/// A SIP message on the network.
#[derive(Debug, Clone)]
pub struct Traffic {
    /// Who sent or gets it; `None`: an address where nobody is.
    pub party: Option<PartyId>,
    /// That address.
    pub address: SocketAddr,
    /// Which way it goes.
    pub way: Way,
    /// Every copy that arrives, and when; none if it is lost.
    pub arrives: Vec<Instant>,
    /// The message.
    pub bytes: Bytes,
}

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From a party to the exchange.
    ToExchange,
    /// From the exchange to a party.
    FromExchange,
}

impl Traffic {
    /// The message, to be read; `None` if it is not well-formed.
    pub fn message(&self) -> Option<Message> {
        Message::parse(self.bytes.clone()).ok()
    }
}
