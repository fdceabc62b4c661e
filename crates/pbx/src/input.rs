//! Everything the switch can notice.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use dialplan::Sources;
use sip_engine::Flow;

use crate::prompts::Prompts;
use crate::records::{StoreReply, Ticket};

/// Something happened outside.
#[derive(Debug)]
pub enum Input {
    /// A datagram, or one message cut from a stream.
    Sip {
        /// Where it came from, and to which of our sockets.
        flow: Flow,
        /// The message.
        bytes: Bytes,
    },
    /// A connection is gone, could not be made, or a datagram could not be sent.
    FlowClosed {
        /// Which.
        flow: Flow,
    },
    /// A host name was looked up.
    Resolved {
        /// Whose question it answers.
        ticket: Ticket,
        /// Addresses in order of preference; empty when there are none.
        addresses: Vec<SocketAddr>,
    },
    /// A media thread has news.
    Media(media::Event),
    /// The store replies.
    Stored {
        /// Whose question it answers.
        ticket: Ticket,
        /// The reply.
        reply: StoreReply,
    },
    /// The administrator wants something.
    Command(Command),
}

/// What an administrator can ask of a running switch.
#[derive(Debug)]
pub enum Command {
    /// Load these scripts and use them for new calls if they are right; otherwise keep the old.
    /// Answered with [`Notice::Reloaded`](crate::Notice) or `ReloadFailed`.
    Reload {
        /// The scripts.
        sources: Sources,
        /// The prompts they may name.
        prompts: Arc<Prompts>,
    },
    /// Refuse new calls with 503, say BYE to all others, and tell when none is left.
    Stop,
}
