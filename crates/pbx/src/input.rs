//! Everything the switch can notice.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dialplan::{Answer, Fetched, Kept, Sources, WebRequest};
use sip_engine::Flow;

use crate::config::Config;
use crate::outside::FetchError;
use crate::prompts::Prompts;
use crate::records::{StoreReply, Ticket};
use crate::speech::SpeechError;

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
    /// Another program answered a script, or not.
    Fetched {
        /// Whose request it answers.
        ticket: Ticket,
        /// The answer.
        answer: Result<Fetched, FetchError>,
    },
    /// The scripts' database replies.
    Queried {
        /// Whose question it answers.
        ticket: Ticket,
        /// The answer; or what is wrong, for the author of the script.
        answer: Result<Answer, String>,
        /// How long the work took, waiting not counted.
        took: Duration,
    },
    /// A text was turned into sound, or not.
    Spoken {
        /// Whose text it is.
        ticket: Ticket,
        /// The sound, with samples in it.
        answer: Result<Arc<media::Sound>, SpeechError>,
    },
    /// Another program asks the scripts; answered with [`Output::Respond`](crate::Output), once.
    Asked {
        /// Chosen by whoever heard it; never used twice.
        id: AskedId,
        /// What it asks.
        request: Box<WebRequest>,
        /// What it proved.
        trust: WebTrust,
        /// Where it is.
        source: SocketAddr,
    },
    /// The administrator wants something.
    Command(Command),
}

/// Names a request of another program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AskedId(pub u64);

/// What a program that asks something has proved about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebTrust {
    /// It knows the token.
    Proven,
    /// It sent a token, which is wrong.
    Wrong,
    /// It sent none.
    Stranger,
}

/// What an administrator can ask of a running switch.
#[derive(Debug)]
pub enum Command {
    /// Load scripts and use them for new calls if they are right; otherwise keep the old. Answered
    /// with [`Notice::Reloaded`](crate::Notice) or `ReloadFailed`.
    Reload(Box<Reload>),
    /// Tell how things stand. Answered with [`Notice::Snapshot`](crate::Notice).
    Look {
        /// Comes back with the answer.
        id: CommandId,
        /// Calls to tell of, one by one, the oldest first; all are counted.
        calls_max: usize,
    },
    /// Refuse new calls with 503, say BYE to all others, and tell when none is left.
    Stop,
}

/// Names a command, so that its answer can be told from others. Chosen by whoever gives the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommandId(pub u64);

/// What to take into use for new calls, all of it or nothing.
#[derive(Debug)]
pub struct Reload {
    /// Comes back with the answer.
    pub id: CommandId,
    /// The scripts.
    pub sources: Sources,
    /// The prompts they may name.
    pub prompts: Arc<Prompts>,
    /// What loading the same scripts elsewhere left, which spares the loop most of the work.
    pub kept: Option<Kept>,
    /// What is declared by now; see [`Config::take_over`]. `None`: nothing changed.
    pub config: Option<Box<Config>>,
}
