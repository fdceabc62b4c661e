//! What parties do: by themselves, and when told.

use std::time::Duration;

use sip_engine::Transport;

use crate::{PartyId, Weather};

/// What a party does without being told.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// What becomes of a call that comes in.
    pub called: Called,
    /// What it does so long after a call of its was answered, whoever made it.
    pub talking: Vec<(Duration, Act)>,
    /// What becomes of a call that comes in while it has another.
    pub second_call: SecondCall,
}

/// What becomes of a call that comes in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Called {
    /// It rings until it is told something, or the caller gives up.
    #[default]
    Rings,
    /// It rings and answers after so long; after no time, it answers without ringing.
    Answers {
        /// From the INVITE on.
        after: Duration,
    },
    /// It sends sound before it answers (183), and answers after so long, if at all.
    EarlyMedia {
        /// From the INVITE on.
        answers_after: Option<Duration>,
    },
    /// It refuses, at once or after ringing.
    Refuses {
        /// From the INVITE on.
        after: Duration,
        /// 400 to 699.
        code: u16,
        /// `None`: the usual words for the code.
        reason: Option<String>,
    },
    /// It sends the caller elsewhere, at once or after ringing.
    Redirects {
        /// From the INVITE on.
        after: Duration,
        /// 300 to 399.
        code: u16,
        /// SIP URIs, best first.
        to: Vec<String>,
    },
    /// It replies nothing at all, as if the network ended there.
    Silent,
}

impl Called {
    /// Busy: 486 at once.
    pub fn busy() -> Self {
        Self::refuses(486)
    }

    /// Refuses at once with this code.
    pub fn refuses(code: u16) -> Self {
        Self::Refuses { after: Duration::ZERO, code, reason: None }
    }
}

/// What becomes of a call that comes in while the party has another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SecondCall {
    /// 486.
    #[default]
    Busy,
    /// The same as of the first.
    Waits,
}

/// Something that a party does now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Says that it rings: 180.
    Ring,
    /// Sends sound before it answers: 183.
    Progress,
    /// Takes the call that rings.
    Answer,
    /// Refuses the call that rings.
    Reject {
        /// 400 to 699.
        code: u16,
        /// `None`: the usual words for the code.
        reason: Option<String>,
    },
    /// Sends the caller of the call that rings elsewhere.
    Redirect {
        /// 300 to 399.
        code: u16,
        /// SIP URIs, best first.
        to: Vec<String>,
    },
    /// Presses keys, a tenth of a second each with a tenth between: `0-9 A-D * #`.
    Press(String),
    /// Speaks for so long, after what it is saying already.
    Say(Duration),
    /// Stops speaking.
    Hush,
    /// Puts the call on hold: a re-INVITE that only sends.
    Hold,
    /// Takes it back.
    Resume,
    /// Hangs up, gives up calling, or declines: whatever fits.
    Hangup,
    /// Asks the exchange to connect the other side elsewhere: REFER (RFC 3515).
    Transfer {
        /// A number, or a SIP URI.
        to: String,
    },
    /// Joins the other side to somebody whom it has asked before, in another call of its own: REFER
    /// with Replaces (RFC 5589 §7).
    Join {
        /// The number of the other party of that call, as it dialled it or was shown.
        with: String,
    },
    /// Sends a request within the call.
    Send {
        /// For example `INFO`, `MESSAGE`, `OPTIONS`.
        method: String,
        /// Header fields.
        headers: Vec<(String, String)>,
        /// Type and content.
        body: Option<(String, String)>,
    },
    /// Registers, or refreshes.
    Register,
    /// Takes its registration back.
    Unregister,
    /// Is cut off: from now on it neither hears nor says anything, and does not know it.
    Vanish,
    /// Is connected again, in the state in which it vanished.
    Return,
}

/// A phone to be added.
#[derive(Debug, Clone)]
pub struct Phone {
    /// What ladders call it.
    pub name: String,
    /// The account it registers.
    pub account: String,
    /// Its secret; `None`: the right one.
    pub secret: Option<String>,
    /// How it reaches the exchange.
    pub transport: Transport,
    /// What it does without being told.
    pub behaviour: Behaviour,
    /// How its network treats messages; `None`: as the office's.
    pub weather: Option<Weather>,
    /// Whether it registers now.
    pub registers: Registers,
    /// How it sends keys.
    pub keys: Keys,
}

/// Whether a phone registers when it is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registers {
    /// Before anything else happens.
    AtOnce,
    /// When told.
    Later,
}

/// How a party sends keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Keys {
    /// As telephone-events (RFC 4733).
    #[default]
    Events,
    /// As tones in the sound.
    Tones,
    /// As INFO requests.
    Info,
}

impl Phone {
    /// A phone that rings until it is told something.
    pub fn new(account: impl Into<String>) -> Self {
        let account = account.into();
        Self {
            name: account.clone(),
            account,
            secret: None,
            transport: Transport::Udp,
            behaviour: Behaviour::default(),
            weather: None,
            registers: Registers::AtOnce,
            keys: Keys::default(),
        }
    }

    /// The same phone with another way of dealing with calls.
    #[must_use]
    pub fn called(mut self, called: Called) -> Self {
        self.behaviour.called = called;
        self
    }

    /// The same phone, which does this so long after a call was answered.
    #[must_use]
    pub fn then(mut self, after: Duration, act: Act) -> Self {
        self.behaviour.talking.push((after, act));
        self
    }
}

/// Somebody outside, whom the exchange can call.
#[derive(Debug, Clone)]
pub struct Target {
    /// What ladders call it; `None`: user or host of the URI.
    pub name: Option<String>,
    /// A SIP URI, `sip:gw.example.org` for all numbers there or `sip:17@gw.example.org` for one.
    pub uri: String,
    /// What it does without being told.
    pub behaviour: Behaviour,
    /// How its network treats messages; `None`: as the office's.
    pub weather: Option<Weather>,
}

/// A call to be made.
#[derive(Debug, Clone)]
pub struct Call {
    /// What ladders call the caller; `None`: its number.
    pub name: Option<String>,
    /// The caller's number or name.
    pub from: String,
    /// Display name; may be empty.
    pub display_name: String,
    /// The number it dials, or a whole SIP URI.
    pub to: String,
    /// Who the caller is for the exchange.
    pub identity: Identity,
    /// More header fields of the INVITE.
    pub headers: Vec<(String, String)>,
    /// Whether the INVITE brings an offer, or waits for ours.
    pub offer: Offer,
    /// What the caller does without being told.
    pub behaviour: Behaviour,
    /// How its network treats messages; `None`: as the office's.
    pub weather: Option<Weather>,
    /// How it sends keys.
    pub keys: Keys,
}

/// Who a caller is for the exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The account of this name, with its secret; the phone of that account, if one was added.
    Account(String),
    /// A trusted network, as that of a provider: it need not prove anything.
    Trusted,
    /// Somebody from anywhere, who proves nothing.
    Stranger,
    /// This party, whatever it is.
    Party(PartyId),
}

/// Whether an INVITE brings an offer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Offer {
    /// As nearly always.
    #[default]
    Early,
    /// The exchange offers, the caller answers in its ACK.
    Late,
}

impl Call {
    /// A call out of a trusted network, as from a provider.
    pub fn new(from: impl Into<String>, to: impl Into<String>) -> Self {
        Self {
            name: None,
            from: from.into(),
            display_name: String::new(),
            to: to.into(),
            identity: Identity::Trusted,
            headers: Vec::new(),
            offer: Offer::default(),
            behaviour: Behaviour::default(),
            weather: None,
            keys: Keys::default(),
        }
    }

    /// A call of an account of the office.
    pub fn of_account(account: impl Into<String>, to: impl Into<String>) -> Self {
        let account = account.into();
        Self { identity: Identity::Account(account.clone()), ..Self::new(account, to) }
    }

    /// The same call by somebody else.
    #[must_use]
    pub fn by(mut self, identity: Identity) -> Self {
        self.identity = identity;
        self
    }
}

/// Why something could not be done. The texts are for the author of a test.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// No party of this office has this id.
    #[error("there is no such party in this office")]
    NoSuchParty,
    /// There is no account of this name.
    #[error("there is no account {0}")]
    NoSuchAccount(String),
    /// No call rings there.
    #[error("{0} has no call that rings")]
    NotRinging(String),
    /// It is in no call.
    #[error("{0} is in no call")]
    NoCall(String),
    /// It talks with nobody of this number.
    #[error("{0} does not talk with {1}")]
    NoCallWith(String, String),
    /// It is in one call only.
    #[error("{0} has no other call to give away")]
    NoOtherCall(String),
    /// Its call was not answered yet, so there is no sound.
    #[error("{0} has no sound yet: its call is not answered")]
    NoSound(String),
    /// It is no phone with an account.
    #[error("{0} has no account to register")]
    NoAccount(String),
    /// It was cut off.
    #[error("{0} has vanished")]
    Vanished(String),
    /// A code that is not for this.
    #[error("{code} is no code to {what} with; use {range}")]
    Code {
        /// The code.
        code: u16,
        /// What was to be done.
        what: &'static str,
        /// What is possible.
        range: &'static str,
    },
    /// Something that is no key.
    #[error("`{0}` is no key; keys are 0-9 A-D * #")]
    Key(char),
    /// Something that is no SIP URI.
    #[error("`{0}` is no SIP URI; write sip:NUMBER@HOST or sip:HOST")]
    Uri(String),
    /// The exchange has no socket for that.
    #[error("the exchange does not listen on {0}")]
    NoListener(Transport),
}
