//! One stream of a description: an `m=` line and what follows it (RFC 8866 §5.14).

use std::net::SocketAddr;

use crate::description::attribute;
use crate::{Attribute, Bandwidth, Connection, Description, Direction};

#[cfg(test)]
mod tests;

/// One stream: an `m=` line and the lines that belong to it (RFC 8866 §5.14).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaLine {
    /// `audio`, `video`, `application`, `image`, `message` or another word.
    pub kind: String,
    /// Where the writer receives; 0 means the stream is refused or over (RFC 3264 §6, §8.2).
    pub port: u16,
    /// How many ports follow each other, if that was said (`49170/2`).
    pub port_count: Option<u16>,
    /// `RTP/AVP`, `RTP/SAVPF`, `TCP` or another.
    pub protocol: String,
    /// Payload types for RTP, otherwise words of the protocol's own. May be empty in what others
    /// send.
    pub formats: Vec<String>,
    /// The `i=` line.
    pub title: Option<String>,
    /// The stream's own `c=` line; the session's holds if there is none.
    pub connection: Option<Connection>,
    /// Further `c=` lines, as layered multicast has them (RFC 8866 §5.7).
    pub layers: Vec<Connection>,
    /// The `b=` lines that could be read.
    pub bandwidths: Vec<Bandwidth>,
    /// The `a=` lines, word for word and in order.
    pub attributes: Vec<Attribute>,
}

impl MediaLine {
    /// A line with nothing below it.
    pub fn new(kind: &str, port: u16, protocol: &str, formats: &[&str]) -> MediaLine {
        MediaLine {
            kind: kind.into(),
            port,
            port_count: None,
            protocol: protocol.into(),
            formats: formats.iter().map(|&format| format.into()).collect(),
            title: None,
            connection: None,
            layers: Vec::new(),
            bandwidths: Vec::new(),
            attributes: Vec::new(),
        }
    }

    /// Whether this is audio over plain RTP (`RTP/AVP` or `RTP/AVPF`), refused or not.
    pub fn is_rtp_audio(&self) -> bool {
        self.kind.eq_ignore_ascii_case("audio")
            && ["RTP/AVP", "RTP/AVPF"].iter().any(|own| self.protocol.eq_ignore_ascii_case(own))
    }

    /// Whether the stream is refused, or was ended (RFC 3264 §6, §8.2).
    pub fn is_refused(&self) -> bool {
        self.port == 0
    }

    /// The value of the first attribute of this name, in any case; empty if it has none.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        attribute(&self.attributes, name)
    }

    /// Which way the stream flows, as seen from the writer of `session`, which holds this line.
    ///
    /// The session's own direction is the default. A refused stream is inactive; one at 0.0.0.0 or
    /// `::` is on hold in the old way, so its writer does not receive (RFC 3264 §8.4).
    pub fn direction(&self, session: &Description) -> Direction {
        if self.is_refused() {
            return Direction::Inactive;
        }
        let said = own_direction(&self.attributes)
            .or_else(|| own_direction(&session.attributes))
            .unwrap_or_default();
        if self.connection_in(session).is_some_and(Connection::is_hold) {
            said.and(Direction::SendOnly)
        } else {
            said
        }
    }

    /// Milliseconds of sound the writer would like in each packet (RFC 8866 §6.4), from 1 to 1000.
    pub fn ptime_ms(&self) -> Option<u16> {
        // Some write `20.0`; the part behind the dot never matters.
        let whole = self.attribute("ptime")?.split('.').next()?;
        whole.parse().ok().filter(|ms| (1..=1000).contains(ms))
    }

    /// Where the writer of `session` receives this stream; `None` if refused, on hold by 0.0.0.0,
    /// or at a host name.
    pub fn remote(&self, session: &Description) -> Option<SocketAddr> {
        let ip = self.connection_in(session)?.ip()?;
        let receives = !self.is_refused() && !ip.is_unspecified();
        receives.then(|| SocketAddr::new(ip, self.port))
    }

    /// The payload type of key presses (RFC 4733): at 8000 Hz if there is one, else the first.
    pub fn telephone_event(&self) -> Option<u8> {
        let mut events: Vec<_> =
            self.codecs().into_iter().filter(|codec| codec.is_telephone_event()).collect();
        events.sort_by_key(|codec| codec.rate_hz != 8000);
        events.first().map(|codec| codec.payload_type)
    }

    /// The `c=` line that holds for this stream.
    pub fn connection_in<'a>(&'a self, session: &'a Description) -> Option<&'a Connection> {
        self.connection.as_ref().or(session.connection.as_ref())
    }
}

/// The direction that these attributes say, if any. The last one counts: devices that put a
/// sendonly behind a template's sendrecv mean the former.
pub(crate) fn own_direction(attributes: &[Attribute]) -> Option<Direction> {
    attributes.iter().rev().find_map(|(name, _)| Direction::from_attribute(name))
}
