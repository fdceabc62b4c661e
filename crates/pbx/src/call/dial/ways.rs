//! Where a target can be reached: the phones of an extension, or an address.

use std::net::SocketAddr;
use std::time::Instant;

use sip_engine::{Flow, Transport};
use sip_syntax::{Host, Scheme, StatusCode, Uri};

use crate::desk::Desk;

/// How a branch is reached.
#[derive(Debug, Clone)]
pub(super) struct Way {
    /// Request-URI.
    pub(super) uri: String,
    /// To, without tag.
    pub(super) to: String,
    /// The account whose phone it is, if it is one of ours.
    pub(super) account: Option<String>,
    /// `None` until the host name is looked up.
    pub(super) flow: Option<Flow>,
}

/// Every phone registered for this account.
pub(super) fn ways_to_extension(
    now: Instant,
    desk: &Desk,
    user: &str,
) -> Result<Vec<Way>, (StatusCode, &'static str)> {
    if !desk.config.accounts.contains_key(user) {
        return Err((StatusCode::NOT_FOUND, "no such extension"));
    }
    let bindings = desk.registrar.find(now, user);
    if bindings.is_empty() {
        return Err((StatusCode::TEMPORARILY_UNAVAILABLE, "not registered"));
    }
    let to = name_addr("", user, &desk.config.domain);
    let way = |binding: &&crate::registrar::Binding| Way {
        uri: binding.contact().to_owned(),
        to: to.clone(),
        account: Some(user.to_owned()),
        flow: Some(binding.flow()),
    };
    Ok(bindings.iter().map(way).collect())
}

/// A SIP URI: one of our own extensions, or straight there.
pub(super) fn way_to_uri(
    now: Instant,
    desk: &Desk,
    near: Flow,
    text: &str,
) -> Result<Vec<Way>, (StatusCode, &'static str)> {
    let Ok(uri) = Uri::parse_slice(text.as_bytes()) else {
        return Err((StatusCode::NOT_FOUND, "not a URI"));
    };
    if uri.scheme() != Scheme::Sip {
        return Err((StatusCode::UNSUPPORTED_URI_SCHEME, "only sip: can be dialled"));
    }
    if is_ours(desk, &uri) {
        return ways_to_extension(now, desk, &uri.user().unwrap_or_default());
    }
    let flow = match uri.host().to_ip() {
        Some(ip) => {
            let remote = SocketAddr::new(ip, uri.port().unwrap_or(5060));
            let Some(flow) = flow_to(desk, near, transport_of(&uri), remote) else {
                return Err((StatusCode::TEMPORARILY_UNAVAILABLE, "no listener can reach it"));
            };
            Some(flow)
        }
        None => None,
    };
    Ok(vec![Way { uri: text.to_owned(), to: format!("<{text}>"), account: None, flow }])
}

/// Whether a URI names this exchange.
pub(super) fn is_ours(desk: &Desk, uri: &Uri) -> bool {
    match uri.host() {
        Host::Name(name) => name.eq_ignore_ascii_case(desk.config.domain.as_bytes()),
        Host::V4(_) | Host::V6(_) => {
            if uri.host().to_string() == desk.config.domain && uri.port().is_none() {
                return true;
            }
            let port = uri.port().unwrap_or(5060);
            uri.host().to_ip().is_some_and(|ip| {
                let address = SocketAddr::new(ip, port);
                desk.config.listeners.iter().any(|listener| listener.address == address)
            })
        }
    }
}

pub(super) fn transport_of(uri: &Uri) -> Transport {
    match uri.param(b"transport") {
        Some(transport) if transport.eq_ignore_ascii_case(b"tcp") => Transport::Tcp,
        Some(_) | None => Transport::Udp,
    }
}

/// The listener to reach `remote` from: the one the caller came in on if it will do.
pub(super) fn flow_to(
    desk: &Desk,
    near: Flow,
    transport: Transport,
    remote: SocketAddr,
) -> Option<Flow> {
    let reaches = |local: &SocketAddr| {
        local.is_ipv4() == remote.is_ipv4() && local.ip().is_loopback() == remote.ip().is_loopback()
    };
    let ours = desk.config.listeners.iter().filter(|listener| listener.transport == transport);
    let mut locals = ours.map(|listener| listener.address).filter(reaches);
    let local = if near.transport == transport && reaches(&near.local) {
        Some(near.local)
    } else {
        locals.next()
    }?;
    Some(Flow { transport, local, remote })
}

/// A name-addr for From or To (RFC 3261 §20.10).
pub(super) fn name_addr(name: &str, user: &str, host: &str) -> String {
    let user = sip_syntax::escape_user(user);
    if name.is_empty() {
        format!("<sip:{user}@{host}>")
    } else {
        format!("{} <sip:{user}@{host}>", sip_syntax::quote(name))
    }
}
