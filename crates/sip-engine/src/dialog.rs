//! What one end of a dialog knows (RFC 3261 §12), and the requests it makes from that.
//!
//! It holds values, not messages, because a call at rest holds one of these for hours.

use std::net::{IpAddr, SocketAddr};

use sip_syntax::{HeaderName, Headers, MessageBuilder, Method, NameAddr, Request, Response, Uri};

use crate::Flow;
use crate::flow::HostPort;

#[cfg(test)]
mod tests;

/// One end of a dialog, or of what will become one.
#[derive(Debug, Clone)]
pub(crate) struct Dialog {
    call_id: Box<[u8]>,
    /// Our From or To value, with our tag at its end.
    local: Box<[u8]>,
    local_tag_len: usize,
    /// The peer's From or To value, with its tag once it has one.
    remote: Box<[u8]>,
    /// Empty until the peer chose one, and for RFC 2543 peers.
    remote_tag: Box<[u8]>,
    local_seq: u32,
    remote_seq: Option<u32>,
    /// Route values, nearest first.
    routes: Box<[Box<[u8]>]>,
    /// The remote target.
    target: Box<[u8]>,
    contact_user: Box<str>,
    flow: Flow,
    /// Whether `flow` leads to the address the peer gave, rather than back where its messages come
    /// from.
    direct: bool,
    /// Whether we made the dialog, and with it the Call-ID.
    is_client: bool,
}

/// How a request within a dialog compares to those before it (RFC 3261 §12.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Next,
    /// Its number was used before.
    Repeated,
    /// It is older than what was seen.
    Late,
}

impl Dialog {
    /// The dialog an INVITE of a peer may make (RFC 3261 §12.1.1). `flow` is the path it came by.
    pub(crate) fn of_server(request: &Request, flow: Flow, local_tag: String) -> Self {
        let from = request.from().ok();
        let to = request.header(HeaderName::To).unwrap_or_default();
        let user = Uri::parse_slice(request.uri_bytes()).ok();
        let mut dialog = Dialog {
            call_id: request.call_id().into(),
            local: tagged(&to, local_tag.as_bytes()).into(),
            local_tag_len: local_tag.len(),
            remote: request.header(HeaderName::From).unwrap_or_default().into_owned().into(),
            remote_tag: from.as_ref().and_then(NameAddr::tag).unwrap_or_default().into(),
            local_seq: 0,
            remote_seq: request.cseq().ok().map(|cseq| cseq.number),
            routes: record_routes(request),
            target: Box::default(),
            contact_user: user
                .as_ref()
                .and_then(Uri::user_bytes)
                .map(|user| String::from_utf8_lossy(user).into_owned())
                .unwrap_or_default()
                .into(),
            flow,
            direct: false,
            is_client: false,
        };
        let hops = if request.vias().take(2).count() > 1 { Hops::Several } else { Hops::Unknown };
        dialog.aim(request, flow, hops);
        dialog
    }

    /// The dialog an INVITE of ours may make.
    pub(crate) fn of_client(call_id: &str, local_tag: String, invite: &crate::Invite) -> Self {
        Dialog {
            call_id: call_id.as_bytes().into(),
            local: tagged(invite.from.as_bytes(), local_tag.as_bytes()).into(),
            local_tag_len: local_tag.len(),
            remote: invite.to.as_bytes().into(),
            remote_tag: Box::default(),
            local_seq: 0,
            remote_seq: None,
            routes: Box::default(),
            target: invite.uri.as_bytes().into(),
            contact_user: sip_syntax::escape_user(&invite.contact_user).into(),
            flow: invite.flow,
            direct: true,
            is_client: true,
        }
    }

    /// The same, from the INVITE as it was sent on `flow`, when nothing else of it is left.
    pub(crate) fn of_sent(request: &Request, flow: Flow) -> Option<Self> {
        let local = request.header(HeaderName::From)?.into_owned();
        Some(Dialog {
            call_id: request.call_id().into(),
            local_tag_len: request.from().ok()?.tag()?.len(),
            local: local.into(),
            remote: request.header(HeaderName::To)?.into_owned().into(),
            remote_tag: Box::default(),
            local_seq: request.cseq().ok()?.number,
            remote_seq: None,
            routes: Box::default(),
            target: request.uri_bytes().into(),
            contact_user: Box::default(),
            flow,
            direct: true,
            is_client: true,
        })
    }

    /// Takes the peer's tag, route set and target from the 2xx that made the dialog
    /// (RFC 3261 §12.1.2, §13.2.2.4).
    pub(crate) fn confirm(&mut self, response: &Response, flow: Flow) {
        self.remote = response.header(HeaderName::To).unwrap_or_default().into_owned().into();
        self.remote_tag =
            response.to().ok().as_ref().and_then(NameAddr::tag).unwrap_or_default().into();
        self.routes = record_routes(response);
        self.routes.reverse();
        self.aim(response, flow, Hops::Unknown);
    }

    /// Takes a new target from a re-INVITE, an UPDATE or a 2xx to one of these (RFC 3261 §12.2).
    pub(crate) fn refresh_target(&mut self, message: &Headers, flow: Flow) {
        self.aim(message, flow, Hops::Unknown);
    }

    /// The peer spoke; if we answer it where it speaks from, that may have moved.
    pub(crate) fn heard_from(&mut self, flow: Flow) {
        if !self.direct || flow.transport != self.flow.transport {
            self.flow = flow;
            self.direct = false;
        }
    }

    /// Sets target and flow from a message of the peer.
    ///
    /// The peer's own idea of its address is followed where it can be right: it is where the message
    /// came from, or no address translation can lie between. Otherwise we answer where it speaks from.
    fn aim(&mut self, message: &Headers, flow: Flow, hops: Hops) {
        let contacts = message.contacts().unwrap_or_default();
        if let Some(contact) = contacts.iter().find_map(|contact| contact.addr()) {
            self.target = contact.uri.as_bytes().into();
        }
        self.flow = flow;
        self.direct = false;
        if flow.transport.is_reliable() {
            return;
        }
        let Some(next) = self.next_hop() else {
            return;
        };
        let ip = next.ip();
        let source = flow.remote.ip().to_canonical();
        let reachable = ip == source
            || (hops == Hops::Several && self.routes.is_empty())
            || (is_global(ip) || ip.is_loopback() && source.is_loopback());
        if reachable && ip.is_ipv4() == source.is_ipv4() && !ip.is_unspecified() {
            self.flow.remote = next;
            self.direct = true;
        }
    }

    /// Where the next request goes by what the peer says of itself, if that names an address.
    fn next_hop(&self) -> Option<SocketAddr> {
        let uri = match self.routes.first() {
            Some(route) => NameAddr::parse_slice(route).ok()?.uri,
            None => Uri::parse_slice(&self.target).ok()?,
        };
        Some(SocketAddr::new(uri.host().to_ip()?, uri.port().unwrap_or(SIP_PORT)))
    }

    /// Gives up a stream that broke, for a new one to where the peer says it listens
    /// (RFC 3261 §18.1.1). `None` if that is where it broke.
    pub(crate) fn leave_stream(&mut self, broken: Flow) -> Option<Flow> {
        let next = self
            .next_hop()
            .filter(|next| *next != broken.remote && next.is_ipv4() == broken.remote.is_ipv4())?;
        if !broken.transport.is_reliable() || next.ip().is_unspecified() {
            return None;
        }
        if self.flow == broken {
            self.flow.remote = next;
        }
        (self.flow != broken).then_some(self.flow)
    }

    pub(crate) fn flow(&self) -> Flow {
        self.flow
    }

    pub(crate) fn call_id(&self) -> &[u8] {
        &self.call_id
    }

    pub(crate) fn local_tag(&self) -> &[u8] {
        let start = self.local.len().saturating_sub(self.local_tag_len);
        self.local.get(start..).unwrap_or_default()
    }

    pub(crate) fn remote_tag(&self) -> &[u8] {
        &self.remote_tag
    }

    /// Whether we made the Call-ID, which decides who waits longer after glare (RFC 3261 §14.1).
    pub(crate) fn is_call_id_ours(&self) -> bool {
        self.is_client
    }

    /// The number of the next request of ours.
    pub(crate) fn next_seq(&mut self) -> u32 {
        self.local_seq = self.local_seq.wrapping_add(1) & 0x7fff_ffff;
        self.local_seq
    }

    /// Compares a request of the peer with those before it, and remembers it if it is new.
    pub(crate) fn take_remote_seq(&mut self, number: u32) -> Order {
        match self.remote_seq {
            Some(seen) if number < seen => Order::Late,
            Some(seen) if number == seen => Order::Repeated,
            Some(_) | None => {
                self.remote_seq = Some(number);
                Order::Next
            }
        }
    }

    /// Our Contact value on this flow.
    pub(crate) fn contact(&self) -> String {
        contact(&self.contact_user, self.flow)
    }

    /// The start of a request: all that RFC 3261 §12.2.1.1 derives from the dialog, but Contact.
    pub(crate) fn request(
        &self,
        method: Method,
        number: u32,
        branch: &str,
        max_forwards: u8,
    ) -> MessageBuilder {
        let cseq = format!("{number} {method}");
        let first = self.routes.first().and_then(|route| NameAddr::parse_slice(route).ok());
        // A strict router wants itself in the request line, and the target last.
        let strict = first.filter(|route| !route.uri.is_loose());
        let uri = strict.as_ref().map_or(self.target.as_ref(), |route| route.uri.as_bytes());
        let mut builder =
            Request::builder(method, uri).header(HeaderName::Via, via(self.flow, branch));
        for route in self.routes.iter().skip(usize::from(strict.is_some())) {
            builder = builder.header(HeaderName::Route, route);
        }
        if strict.is_some() {
            builder = builder.header(HeaderName::Route, bracketed(&self.target));
        }
        builder
            .header(HeaderName::MaxForwards, max_forwards.to_string())
            .header(HeaderName::From, &self.local)
            .header(HeaderName::To, &self.remote)
            .header(HeaderName::CallId, &self.call_id)
            .header(HeaderName::CSeq, cseq)
    }
}

/// What is known of the path a message took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hops {
    Unknown,
    /// Proxies stood between, so the source says nothing about the sender's address.
    Several,
}

fn record_routes(message: &Headers) -> Box<[Box<[u8]>]> {
    message.values(HeaderName::RecordRoute).map(|route| route.into_owned().into()).collect()
}

/// A Via value that asks for the answer to come back the way it came (RFC 3581).
pub(crate) fn via(flow: Flow, branch: &str) -> String {
    format!("SIP/2.0/{} {};branch={branch};rport", flow.transport.as_via(), HostPort(flow.local))
}

/// A Contact value that reaches us on this flow; `user` is escaped already.
pub(crate) fn contact(user: &str, flow: Flow) -> String {
    let at = if user.is_empty() { "" } else { "@" };
    let transport = if flow.transport == crate::Transport::Udp {
        String::new()
    } else {
        format!(";transport={}", flow.transport.as_param())
    };
    format!("<sip:{user}{at}{}{transport}>", HostPort(flow.local))
}

/// A From or To value with a tag.
pub(crate) fn tagged(value: &[u8], tag: &[u8]) -> Vec<u8> {
    [value, b";tag=", tag].concat()
}

fn bracketed(uri: &[u8]) -> Vec<u8> {
    [b"<", uri, b">"].concat()
}

/// Whether an address means the same host to everybody, so that no translation lies in between.
fn is_global(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            let shared = first == 100 && (64..128).contains(&second);
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_broadcast()
                || ip.is_multicast()
                || ip.is_documentation()
                || shared
                || first == 0
                || first >= 240)
        }
        IpAddr::V6(ip) => ip.segments().first().is_some_and(|first| (first & 0xe000) == 0x2000),
    }
}

/// Where SIP is spoken when no port is named.
pub(crate) const SIP_PORT: u16 = 5060;
