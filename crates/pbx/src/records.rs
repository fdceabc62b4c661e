//! What call control needs kept, and what it asks of whoever keeps it.
//!
//! No SQL and no blocking here: a request leaves as [`Output::Store`](crate::Output) and its reply, if
//! it has a [`Ticket`], comes back as [`Input::Stored`](crate::Input). Requests are carried out in
//! the order in which they were given.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub use sip_engine::Transport;

/// Names one question to the outside, so that its reply finds the call that waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// Names a message, greeting or recording; random, chosen by call control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SoundId(pub u64);

/// Milliseconds since 1970-01-01 00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct UnixMs(pub i64);

/// A request to whoever keeps records.
#[derive(Debug, Clone, PartialEq)]
pub enum StoreRequest {
    /// Add or replace a registered contact, named by account and contact URI.
    PutBinding(BindingRecord),
    /// Remove a registered contact; removing what is not there is fine.
    RemoveBinding {
        /// Account user name.
        account: String,
        /// The contact URI as it was put.
        contact: String,
    },
    /// How a mailbox stands; replied with [`StoreReply::Mailbox`].
    Mailbox {
        /// Where the reply goes.
        ticket: Ticket,
        /// Which mailbox.
        mailbox: String,
    },
    /// The messages of a mailbox, oldest first; replied with [`StoreReply::Messages`].
    Messages {
        /// Where the reply goes.
        ticket: Ticket,
        /// Which mailbox.
        mailbox: String,
    },
    /// The sound of a message or greeting; replied with [`StoreReply::Sound`].
    Sound {
        /// Where the reply goes.
        ticket: Ticket,
        /// Which.
        sound: SoundId,
    },
    /// The sound of a recording; replied with [`StoreReply::Sound`].
    Recording {
        /// Where the reply goes.
        ticket: Ticket,
        /// Its name, as in [`DraftKind::Recording`].
        name: String,
    },
    /// Begin a draft. What is appended survives a crash as a draft; only `Keep` makes it whole, and a
    /// draft found at start is kept or dropped as its kind says.
    Begin {
        /// Its name from now on.
        sound: SoundId,
        /// What it will become.
        kind: DraftKind,
    },
    /// More of a draft.
    Append {
        /// Which draft.
        sound: SoundId,
        /// Linear 16-bit mono at 8,000 Hz.
        samples: Vec<i16>,
    },
    /// Make a draft whole, in one transaction; replied with [`StoreReply::Done`] once it is on disk.
    Keep {
        /// Where the reply goes.
        ticket: Ticket,
        /// Which draft.
        sound: SoundId,
        /// Cut the sound to this length.
        length: Duration,
    },
    /// Forget a draft.
    Drop {
        /// Which draft.
        sound: SoundId,
    },
    /// A message was listened to.
    MarkHeard {
        /// Which message.
        sound: SoundId,
    },
    /// Delete messages for good, in one transaction; replied with [`StoreReply::Done`].
    Delete {
        /// Where the reply goes.
        ticket: Ticket,
        /// Which messages; a mailbox's greeting may be among them.
        sounds: Vec<SoundId>,
    },
    /// Set a mailbox's PIN; replied with [`StoreReply::Done`].
    SetPin {
        /// Where the reply goes.
        ticket: Ticket,
        /// Which mailbox.
        mailbox: String,
        /// Salted hash, as [`PinHash`] makes it.
        pin: PinHash,
    },
    /// Keep what became of a call.
    Call(Box<CallRecord>),
}

/// What a draft becomes when it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DraftKind {
    /// A voicemail message; a draft of a second or more found at start is kept.
    Message {
        /// Whose.
        mailbox: String,
        /// Who left it: user part or number.
        caller: String,
        /// Display name of the caller, may be empty.
        caller_name: String,
        /// When it began.
        received_at: UnixMs,
    },
    /// A mailbox's greeting, replacing the one before; a draft found at start is dropped.
    Greeting {
        /// Whose.
        mailbox: String,
    },
    /// A file `NAME.wav` in the recordings folder; a draft found at start is kept.
    Recording {
        /// File name without the ending; letters, digits, `-`, `_` and `/` only.
        name: String,
    },
}

/// The reply to a [`StoreRequest`] that has a ticket.
#[derive(Debug, Clone, PartialEq)]
pub enum StoreReply {
    /// How a mailbox stands.
    Mailbox(MailboxRecord),
    /// Messages, oldest first.
    Messages(Vec<MessageRecord>),
    /// Linear 16-bit mono at 8,000 Hz; `None` if there is no such sound.
    Sound(Option<Arc<Vec<i16>>>),
    /// It is on disk.
    Done,
    /// The disk is full, read-only or broken; nothing was changed.
    Failed,
}

/// How a mailbox stands. A mailbox that was never used is all zeroes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailboxRecord {
    /// The PIN set by its owner, in place of the configured one.
    pub pin: Option<PinHash>,
    /// The greeting recorded by its owner.
    pub greeting: Option<SoundId>,
    /// Messages not listened to yet.
    pub new_messages: u32,
    /// Messages listened to and kept.
    pub old_messages: u32,
    /// Whether a message could be kept now, so that a caller is told before speaking.
    pub disk: Disk,
}

/// Whether what is given to the store reaches the disk, as far as is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Disk {
    /// As far as is known.
    #[default]
    Works,
    /// Full, read-only or broken when it was last tried.
    Faulty,
}

/// A salted hash of a PIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinHash {
    /// Random, 16 bytes.
    pub salt: [u8; 16],
    /// SHA-256 over salt, mailbox name and PIN.
    pub hash: [u8; 32],
}

/// One voicemail message, without its sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRecord {
    /// Its name.
    pub sound: SoundId,
    /// Who left it: user part or number.
    pub caller: String,
    /// Display name, may be empty.
    pub caller_name: String,
    /// When it began.
    pub received_at: UnixMs,
    /// Its length.
    pub length: Duration,
    /// Whether it was listened to.
    pub heard: bool,
}

/// One registered contact (RFC 3261 §10.2.1).
#[derive(Debug, Clone, PartialEq)]
pub struct BindingRecord {
    /// Account user name.
    pub account: String,
    /// Contact URI as the phone gave it.
    pub contact: String,
    /// Call-ID of the REGISTER that made it.
    pub call_id: String,
    /// CSeq of that REGISTER.
    pub cseq: u32,
    /// Preference, 0 to 1,000 thousandths.
    pub q_thousandths: u16,
    /// Over what the phone is reached.
    pub transport: Transport,
    /// Our socket that the REGISTER came in on.
    pub local: SocketAddr,
    /// Where the REGISTER came from.
    pub remote: SocketAddr,
    /// When it ends.
    pub expires_at: UnixMs,
    /// What the phone calls itself.
    pub user_agent: String,
}

/// What became of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// Names the call, as in the log.
    pub id: String,
    /// User part of the caller.
    pub from: String,
    /// What was dialled.
    pub to: String,
    /// Authenticated account of the caller, if any.
    pub account: Option<String>,
    /// Address of the caller.
    pub source: SocketAddr,
    /// When the INVITE came.
    pub started_at: UnixMs,
    /// From the INVITE to our 2xx; `None` if never answered.
    pub answered_after: Option<Duration>,
    /// From the INVITE to the end.
    pub ended_after: Duration,
    /// Final status sent to the caller.
    pub status: u16,
    /// Who answered, as the script dialled it; empty if nobody was dialled or answered.
    pub answered_by: String,
    /// Why it ended, in words.
    pub ending: String,
}

impl StoreRequest {
    /// Whether a [`StoreReply`] will come.
    pub fn wants_reply(&self) -> bool {
        self.ticket().is_some()
    }

    /// Where the reply goes, if there will be one.
    pub fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Mailbox { ticket, .. }
            | Self::Messages { ticket, .. }
            | Self::Sound { ticket, .. }
            | Self::Recording { ticket, .. }
            | Self::Keep { ticket, .. }
            | Self::Delete { ticket, .. }
            | Self::SetPin { ticket, .. } => Some(*ticket),
            Self::PutBinding(_)
            | Self::RemoveBinding { .. }
            | Self::Begin { .. }
            | Self::Append { .. }
            | Self::Drop { .. }
            | Self::MarkHeard { .. }
            | Self::Call(_) => None,
        }
    }

    /// The same request with this ticket, if it has one.
    #[must_use]
    pub fn with_ticket(mut self, new: Ticket) -> Self {
        match &mut self {
            Self::Mailbox { ticket, .. }
            | Self::Messages { ticket, .. }
            | Self::Sound { ticket, .. }
            | Self::Recording { ticket, .. }
            | Self::Keep { ticket, .. }
            | Self::Delete { ticket, .. }
            | Self::SetPin { ticket, .. } => *ticket = new,
            Self::PutBinding(_)
            | Self::RemoveBinding { .. }
            | Self::Begin { .. }
            | Self::Append { .. }
            | Self::Drop { .. }
            | Self::MarkHeard { .. }
            | Self::Call(_) => {}
        }
        self
    }
}
