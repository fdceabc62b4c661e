//! What a REFER asks for, read and checked (RFC 3515 §2.4, RFC 4488).

use sip_engine::Reply;
use sip_syntax::{HeaderName, Replaces, Request, Scheme, StatusCode};

/// What a REFER asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    /// What the other party is to be connected to, as if it had been dialled here.
    pub(super) number: String,
    /// The dialog of the transferor with whoever that is, if it has asked there before (RFC 3891).
    pub(super) replaces: Option<Replaces>,
    /// Names the subscription: the CSeq number (RFC 3515 §2.4.6); `None` if whoever asks wants none
    /// (RFC 4488 §4).
    pub(super) subscription: Option<u32>,
}

/// Reads a REFER.
///
/// # Errors
/// The answer to one that we cannot do what it asks.
pub(super) fn read(request: &Request) -> Result<Wish, Reply> {
    let refuse = |status, reason: &str| Err(Reply::new(status).reason(reason));
    let Ok(targets) = request.name_addrs(HeaderName::ReferTo) else {
        return refuse(StatusCode::BAD_REQUEST, "Unreadable Refer-To");
    };
    let [target] = targets.as_slice() else {
        let reason = if targets.is_empty() { "No Refer-To" } else { "More Than One Refer-To" };
        return refuse(StatusCode::BAD_REQUEST, reason);
    };
    let uri = &target.uri;
    if !matches!(uri.scheme(), Scheme::Sip | Scheme::Sips) {
        return refuse(StatusCode::UNSUPPORTED_URI_SCHEME, "Refer-To Is Not A SIP Address");
    }
    if uri.param(b"method").is_some_and(|method| !method.eq_ignore_ascii_case(b"INVITE")) {
        return refuse(StatusCode::FORBIDDEN, "A REFER May Only Ask For A Call");
    }
    let number = uri.user().unwrap_or_default();
    if number.is_empty() {
        return refuse(StatusCode::BAD_REQUEST, "Nobody Is Named In Refer-To");
    }
    let mut named = uri.headers().filter(|(name, _)| name.eq_ignore_ascii_case(b"Replaces"));
    let replaces = match (named.next(), named.next()) {
        (None, _) => None,
        (Some((_, value)), None) => match Replaces::parse(value.into_owned()) {
            Ok(replaces) => Some(replaces),
            Err(_) => return refuse(StatusCode::BAD_REQUEST, "Unreadable Replaces"),
        },
        (Some(_), Some(_)) => return refuse(StatusCode::BAD_REQUEST, "More Than One Replaces"),
    };
    let silent = request.header(HeaderName::ReferSub).is_some_and(|value| {
        value
            .split(|byte| *byte == b';')
            .next()
            .is_some_and(|said| said.trim_ascii().eq_ignore_ascii_case(b"false"))
    });
    let number_of_request = request.cseq().map_or(0, |cseq| cseq.number);
    Ok(Wish { number, replaces, subscription: (!silent).then_some(number_of_request) })
}
