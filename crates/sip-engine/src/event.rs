//! What the engine tells its user.

use bytes::Bytes;
use sip_syntax::{Request, Response, StatusCode};

use crate::{ClientTxnId, Flow, ServerTxnId, SessionId};

/// One thing to do for the user of an [`Endpoint`](crate::Endpoint).
#[derive(Debug, Clone)]
pub enum Output {
    /// Put one message on the wire.
    Transmit {
        /// The path it takes.
        flow: Flow,
        /// The whole message.
        bytes: Bytes,
    },
    /// Something happened that the user decides about or wants to know.
    Event(Event),
}

/// Something that happened. Each session ends with exactly one of [`Event::Cancelled`],
/// [`Event::Failed`] and [`Event::Ended`], unless the user rejected it; its id is dead then.
#[derive(Debug, Clone)]
pub enum Event {
    /// A request outside every dialog; answer it with [`respond`](crate::Endpoint::respond).
    Request {
        /// Names it in the answer.
        txn: ServerTxnId,
        /// The path it came by.
        flow: Flow,
        /// The request itself.
        request: Request,
    },
    /// Somebody calls. Unless the user answers before the next poll, a 100 goes out.
    Invite {
        /// The new session.
        session: SessionId,
        /// The path it came by.
        flow: Flow,
        /// The request itself.
        request: Request,
    },
    /// The caller gave up before our final answer; 487 was sent.
    Cancelled {
        /// Dead now.
        session: SessionId,
        /// The Reason header of the CANCEL or BYE.
        reason: Option<String>,
    },
    /// Our 2xx, to an INVITE or re-INVITE, was acknowledged; the body answers a late offer.
    Acked {
        /// Whose.
        session: SessionId,
        /// The ACK.
        request: Request,
    },
    /// A 101-199 arrived. Several To tags are several forks.
    Provisional {
        /// Whose.
        session: SessionId,
        /// The response.
        response: Response,
    },
    /// The first 2xx arrived and was acknowledged. Other forks' 2xx are ended inside the engine.
    Accepted {
        /// Whose.
        session: SessionId,
        /// The response.
        response: Response,
    },
    /// The call was not answered with 2xx.
    Failed {
        /// Dead now.
        session: SessionId,
        /// 408 if nobody answered, 503 if the flow broke, 487 after a cancel that got no answer.
        status: StatusCode,
        /// The answer, if one came.
        response: Option<Response>,
    },
    /// The peer asks to change the session (re-INVITE, or UPDATE with a body); answer with
    /// [`accept_reinvite`](crate::Endpoint::accept_reinvite) or
    /// [`reject_reinvite`](crate::Endpoint::reject_reinvite).
    Reinvite {
        /// Whose.
        session: SessionId,
        /// The request.
        request: Request,
    },
    /// Our re-INVITE was answered with 2xx, already acknowledged.
    ReinviteAccepted {
        /// Whose.
        session: SessionId,
        /// The response.
        response: Response,
    },
    /// Our re-INVITE was refused; the session goes on as before.
    ReinviteFailed {
        /// Whose.
        session: SessionId,
        /// The code; 408 or 503 stand for none.
        status: StatusCode,
        /// The answer, if one came.
        response: Option<Response>,
    },
    /// A request within a session: INFO, MESSAGE, OPTIONS, REFER, NOTIFY. Answer with
    /// [`respond`](crate::Endpoint::respond).
    InDialog {
        /// Whose.
        session: SessionId,
        /// Names it in the answer.
        txn: ServerTxnId,
        /// The request itself.
        request: Request,
    },
    /// The final answer to [`request`](crate::Endpoint::request) or [`send`](crate::Endpoint::send).
    Response {
        /// Which request.
        txn: ClientTxnId,
        /// The code; 408 or 503 stand for none.
        status: StatusCode,
        /// The answer, if one came.
        response: Option<Response>,
    },
    /// The session is over.
    Ended {
        /// Dead now.
        session: SessionId,
        /// Why.
        cause: EndCause,
        /// The Reason header of the peer's BYE.
        reason: Option<String>,
    },
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndCause {
    /// The peer said BYE.
    Bye,
    /// Our BYE was answered, or never will be.
    Hangup,
    /// Our 2xx was never acknowledged; a BYE was sent (RFC 3261 §13.3.1.4).
    NoAck,
    /// A request within the session got 481 or 408: the peer knows nothing of it
    /// (RFC 3261 §12.2.1.2).
    Gone,
    /// The flow broke while we were saying BYE.
    FlowFailed,
}
