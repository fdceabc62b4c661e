//! What requests of peers are recognised by (RFC 3261 §17.2.3, §8.2.2.2).

use std::sync::Arc;

use sip_syntax::{Method, Request, Via};

/// Bytes that are equal for two requests exactly if they belong together.
pub(crate) type Key = Arc<[u8]>;

/// The server transaction a request belongs to: its own, or for ACK and CANCEL that of the INVITE.
///
/// Branches of RFC 3261 clients are unique; of older ones, everything a repeat has in common counts.
pub(crate) fn server_key(request: &Request, via: &Via, method: &Method) -> Key {
    let method = match method {
        Method::Ack | Method::Cancel => b"INVITE",
        Method::Invite
        | Method::Bye
        | Method::Register
        | Method::Options
        | Method::Prack
        | Method::Subscribe
        | Method::Notify
        | Method::Update
        | Method::Message
        | Method::Refer
        | Method::Publish
        | Method::Info
        | Method::Other(_) => method.as_bytes(),
    };
    let host = via.host.to_string().to_ascii_lowercase();
    let port = via.port.unwrap_or_default().to_be_bytes();
    match &via.branch {
        Some(branch) if via.has_magic_branch() => {
            join(b'b', &[branch, host.as_bytes(), &port, method])
        }
        branch => {
            // Without To tag: that of an ACK is ours and not in the INVITE.
            let from = request.from();
            let from_tag = from.as_ref().ok().and_then(|from| from.tag()).unwrap_or_default();
            let number = request.cseq().map_or(0, |cseq| cseq.number).to_be_bytes();
            let branch = branch.as_deref().unwrap_or_default();
            let (uri, call_id) = (request.uri_bytes(), request.call_id());
            join(b'o', &[uri, from_tag, call_id, &number, branch, host.as_bytes(), &port, method])
        }
    }
}

/// What two copies of one request share that came by different ways (RFC 3261 §8.2.2.2).
pub(crate) fn merge_key(call_id: &[u8], from_tag: &[u8], number: u32, method: &Method) -> Key {
    join(b'm', &[call_id, from_tag, &number.to_be_bytes(), method.as_bytes()])
}

/// Joins parts so that no two lists of parts give the same bytes.
fn join(kind: u8, parts: &[&[u8]]) -> Key {
    let len = parts.iter().map(|part| part.len() + 4).sum::<usize>() + 1;
    let mut key = Vec::with_capacity(len);
    key.push(kind);
    for part in parts {
        key.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        key.extend_from_slice(part);
    }
    key.into()
}
