//! Names of things under way. None is ever used again for another thing.

/// One INVITE session: a call with one peer, from its INVITE until it is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub(crate) u64);

/// A request of a peer that waits for our answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerTxnId(pub(crate) u64);

/// A request of ours that waits for the peer's answer; it stays the same when a challenge makes us
/// send the request again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientTxnId(pub(crate) u64);

impl SessionId {
    /// The bare number, for logs.
    pub fn as_u64(self) -> u64 {
        self.0
    }
}

impl ServerTxnId {
    /// The bare number, for logs.
    pub fn as_u64(self) -> u64 {
        self.0
    }
}

impl ClientTxnId {
    /// The bare number, for logs.
    pub fn as_u64(self) -> u64 {
        self.0
    }
}
