//! Our `o=` line of one leg, through the life of its session (RFC 3264 §5 and §8).

use std::net::IpAddr;

use crate::{Connection, Description, OriginLine};

/// Our side of one session: who we said we are, and which version we are at.
///
/// Each leg has one. The version goes up by one when what we say differs from what we said last,
/// and stays when it does not, so that a repeated description is recognised as such (RFC 3264 §8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    session_id: u64,
    version: u64,
    /// The address in `o=` names the session, so it stays even if the audio moves.
    ip: Option<IpAddr>,
    /// What we said last, as bytes, since that is a fraction of the size of the description.
    last: Box<[u8]>,
}

impl Origin {
    /// A session in which nothing was said yet.
    ///
    /// The id should be random: with our address it must be unique among all sessions of the world
    /// (RFC 8866 §5.2). Of its bits 62 are used, since some peers read it as a signed number.
    pub fn new(session_id: u64) -> Origin {
        Origin { session_id: session_id >> 2, version: 0, ip: None, last: Box::default() }
    }

    /// The version last written; 0 before the first.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// What we said last in this session; `None` before the first offer or answer.
    pub fn last(&self) -> Option<Description> {
        if self.last.is_empty() { None } else { Description::read(&self.last).ok() }
    }

    /// An `o=` line for the next description; [`Self::stamp`] gives it its version.
    pub(crate) fn line(&mut self, ip: IpAddr) -> OriginLine {
        OriginLine {
            username: "-".into(),
            session_id: self.session_id.to_string(),
            version: self.version,
            address: Connection::from_ip(*self.ip.get_or_insert(ip)),
        }
    }

    /// Counts the version up if `description` says something new, and writes it in.
    pub(crate) fn stamp(&mut self, description: &mut Description) {
        description.origin.version = self.version;
        if self.version == 0 || *description.to_bytes() != *self.last {
            self.version += 1;
            description.origin.version = self.version;
            self.last = description.to_bytes().into_boxed_slice();
        }
    }
}
