//! What the engine counts. Plain totals since the start.

/// Totals since the endpoint was made; every message that is dropped is in exactly one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests received, repeats included.
    pub requests_in: u64,
    /// Responses received, repeats included.
    pub responses_in: u64,
    /// Messages handed out to be sent, repeats included.
    pub messages_out: u64,
    /// Repeats of a request of a peer, absorbed.
    pub retransmissions_in: u64,
    /// Repeats sent by our timers.
    pub retransmissions_out: u64,
    /// Dropped: bytes that are no SIP message we could answer.
    pub dropped_malformed: u64,
    /// Dropped: responses that match nothing we sent, or name another Via than ours.
    pub dropped_responses: u64,
    /// Dropped: ACKs for nothing.
    pub dropped_acks: u64,
    /// Refused: malformed or impossible requests, answered 4xx or 5xx without being handed up.
    pub refused_malformed: u64,
    /// Refused: methods we do not take, 405 and 501.
    pub refused_method: u64,
    /// Refused: Require or Content-Type that we do not understand, 415 and 420.
    pub refused_extension: u64,
    /// Refused: merged or looping requests and too many hops, 482 and 483.
    pub refused_loop: u64,
    /// Refused: requests to dialogs and transactions we do not have, 481.
    pub refused_no_dialog: u64,
    /// Refused: over a limit of ours, 503.
    pub refused_capacity: u64,
    /// Requests of ours that nobody answered.
    pub timeouts: u64,
    /// 2xx of other forks, ended with BYE.
    pub forks_ended: u64,
    /// Forks beyond the number a call may have; their provisionals are not handed up.
    pub forks_ignored: u64,
}
