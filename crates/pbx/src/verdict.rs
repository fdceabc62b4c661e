//! Final answers: how they compare, and what scripts and callers are told of them.

use dialplan::DialStatus;
use sip_syntax::StatusCode;

/// Why a target did not answer.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) status: DialStatus,
    pub(crate) code: StatusCode,
    pub(crate) reason: String,
}

/// How much a final answer tells; of several targets, that of the one which tells most is kept
/// (after RFC 3261 §16.7 step 6), of equals the first.
pub fn weight(status: StatusCode) -> u8 {
    match status.as_u16() {
        600..=699 => 6,
        486 => 5,
        300..=399 => 4,
        408 | 480 => 3,
        400..=485 | 487..=499 => 2,
        _ => 1,
    }
}

/// Asterisk's word for a final answer.
pub fn dial_status(status: StatusCode) -> DialStatus {
    match status.as_u16() {
        486 | 600 | 603 => DialStatus::Busy,
        408 | 480 | 487 => DialStatus::NoAnswer,
        404 | 410 | 416 | 484 | 604 => DialStatus::ChanUnavail,
        _ => DialStatus::Congestion,
    }
}

/// What a caller is told whose script gives no other answer. What only concerns our leg to the callee
/// is not passed on (RFC 3261 §21.5.4 of 503).
pub fn relayed(status: StatusCode, reason: &str) -> (StatusCode, Option<String>) {
    let reason = (!reason.is_empty()).then(|| reason.to_owned());
    match status.as_u16() {
        408 | 487 | 300..=399 => (StatusCode::TEMPORARILY_UNAVAILABLE, None),
        401 | 407 => (StatusCode::FORBIDDEN, None),
        503 => (StatusCode::SERVER_INTERNAL_ERROR, None),
        _ => (status, reason),
    }
}
