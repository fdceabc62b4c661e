//! Everything the switch can do.

use bytes::Bytes;
use dialplan::{Query, WebResponse};
use sip_engine::{Flow, Transport};

use crate::input::AskedId;
use crate::notice::Notice;
use crate::outside::FetchRequest;
use crate::records::{StoreRequest, Ticket};
use crate::speech::SpeechRequest;

/// Something to be done outside, in this order.
#[derive(Debug)]
pub enum Output {
    /// Put these bytes on the wire.
    Transmit {
        /// From which of our sockets, to whom. Over TCP: on the connection there is, or a new one.
        flow: Flow,
        /// The message.
        bytes: Bytes,
    },
    /// Look a host name up; replied with [`Input::Resolved`](crate::Input).
    Resolve {
        /// Where the reply goes.
        ticket: Ticket,
        /// Host name.
        host: String,
        /// Port to put into the addresses.
        port: u16,
        /// How it will be used.
        transport: Transport,
    },
    /// Tell a media thread.
    Media {
        /// Which, from 0; below [`Config::media_threads`](crate::Config).
        thread: usize,
        /// What.
        command: media::Command,
    },
    /// Ask or tell the store.
    Store(StoreRequest),
    /// Ask another program for a script; replied with [`Input::Fetched`](crate::Input).
    Fetch {
        /// Where the reply goes.
        ticket: Ticket,
        /// What to send.
        request: Box<FetchRequest>,
    },
    /// Ask the scripts' database; replied with [`Input::Queried`](crate::Input).
    Query {
        /// Where the reply goes.
        ticket: Ticket,
        /// What to do.
        query: Box<Query>,
    },
    /// Turn a text into sound; replied with [`Input::Spoken`](crate::Input).
    Speak {
        /// Where the reply goes.
        ticket: Ticket,
        /// What to speak, and by whom.
        request: Box<SpeechRequest>,
    },
    /// Nobody waits for the reply to this `Fetch`, `Query` or `Speak` any more: stop it if that is
    /// still possible. A reply all the same is harmless.
    Abandon {
        /// The ticket of that.
        ticket: Ticket,
    },
    /// Answer a program that asked the scripts: see [`Input::Asked`](crate::Input).
    Respond {
        /// Which request.
        id: AskedId,
        /// The answer.
        response: Box<WebResponse>,
    },
    /// Tell the administrator.
    Publish(Notice),
}
