//! Everything the switch can do.

use bytes::Bytes;
use sip_engine::{Flow, Transport};

use crate::notice::Notice;
use crate::records::{StoreRequest, Ticket};

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
    /// Tell the administrator.
    Publish(Notice),
}
