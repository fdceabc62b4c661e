//! Requests of peers under way: the table of server transactions, and the answers we give.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use bytes::Bytes;
use sip_syntax::{HeaderName, Method, Request, StatusCode, Via, response_to};

use super::incoming::Arrival;
use super::{ALLOW, Endpoint, Queued, SUPPORTED, with_rest};
use crate::deadlines::Due;
use crate::transaction::Reliability;
use crate::transaction::key::Key;
use crate::transaction::server_invite::{self, ServerInvite, Trying};
use crate::transaction::server_non_invite::{self, ServerNonInvite};
use crate::{Flow, Output, Reply, ServerTxnId, SessionId, Transport};

/// One request of a peer, from its arrival until no repeat of it can still arrive.
#[derive(Debug)]
pub(crate) struct ServerTxn {
    key: Key,
    merge: Option<Key>,
    /// Where answers go (RFC 3261 §18.2.2, RFC 3581).
    pub(crate) flow: Flow,
    machine: Machine,
    /// Until the final answer, which is made from it.
    pub(crate) request: Option<Box<Request>>,
    /// The last answer, as it goes out again.
    wire: Option<Bytes>,
    pub(crate) owner: Owner,
    due: Option<Instant>,
}

/// Who answers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The user, by its number.
    User,
    /// This session.
    Session(u64),
}

#[derive(Debug)]
enum Machine {
    Invite(ServerInvite),
    NonInvite(ServerNonInvite),
}

/// All server transactions, by number and by what their requests are recognised by.
#[derive(Debug, Default)]
pub(crate) struct ServerTable {
    txns: BTreeMap<u64, Box<ServerTxn>>,
    /// Transaction keys and merge keys, which never collide.
    keys: HashMap<Key, u64>,
}

impl ServerTable {
    pub(super) fn len(&self) -> usize {
        self.txns.len()
    }

    pub(super) fn find(&self, key: &Key) -> Option<u64> {
        self.keys.get(key).copied()
    }

    pub(crate) fn get(&self, id: u64) -> Option<&ServerTxn> {
        self.txns.get(&id).map(AsRef::as_ref)
    }
}

impl ServerTxn {
    /// Whether no final answer went out.
    pub(crate) fn is_open(&self) -> bool {
        match &self.machine {
            Machine::Invite(machine) => machine.is_proceeding(),
            Machine::NonInvite(_) => self.request.is_some(),
        }
    }

    pub(crate) fn is_invite(&self) -> bool {
        matches!(self.machine, Machine::Invite(_))
    }

    fn is_terminated(&self) -> bool {
        match &self.machine {
            Machine::Invite(machine) => machine.is_terminated(),
            Machine::NonInvite(machine) => machine.is_terminated(),
        }
    }
}

impl Endpoint {
    /// Answers a request outside INVITE sessions (REGISTER, OPTIONS, MESSAGE), or one that came
    /// within a session (INFO). The first final answer counts.
    pub fn respond(&mut self, now: Instant, txn: ServerTxnId, reply: Reply) {
        let Some(entry) = self.servers.get(txn.0).filter(|entry| entry.owner == Owner::User) else {
            return;
        };
        let Some(request) = entry.request.clone() else {
            return;
        };
        let allow = *request.method() == Method::Options && reply.status.is_success();
        let flow = entry.flow;
        let tag = self.stateless_tag(&request);
        // A REFER makes a usage of its dialog, so its answer says where that is reached
        // (RFC 6665 §4.1.3, RFC 3515 §2.2).
        let refers = *request.method() == Method::Refer && reply.status.is_success();
        let own = request.to().ok().and_then(|to| SessionId::of_tag(to.tag()?));
        let session = own.filter(|_| refers).and_then(|id| self.sessions.get(&id.0));
        let contact = session.map(|session| session.dialog.contact());
        let dressing = Dressing {
            tag: Some(tag.as_bytes()),
            contact: contact.as_deref(),
            record_route: false,
            allow,
        };
        let wire = self.write_reply(&request, flow, &reply, &dressing);
        self.answer(now, txn.0, reply.status, wire);
        if reply.once && reply.status.is_final() {
            self.remove_server(txn.0);
        }
    }

    /// Makes a transaction for a request just arrived.
    pub(crate) fn start_server(&mut self, now: Instant, arrival: Arrival, owner: Owner) -> u64 {
        let id = self.next_id();
        let Arrival { flow, via, key, merge, request } = arrival;
        let reliability = Reliability::from(flow.transport);
        let machine = if *request.method() == Method::Invite {
            Machine::Invite(ServerInvite::new(reliability))
        } else {
            Machine::NonInvite(ServerNonInvite::new(now, reliability))
        };
        if let Some(merge) = &merge {
            self.servers.keys.insert(merge.clone(), id);
        }
        self.servers.keys.insert(key.clone(), id);
        let txn = ServerTxn {
            key,
            merge,
            flow: response_flow(flow, &via),
            machine,
            request: Some(Box::new(request)),
            wire: None,
            owner,
            due: None,
        };
        self.servers.txns.insert(id, Box::new(txn));
        self.schedule_server(id);
        id
    }

    /// Sends an answer and remembers it for repeats.
    pub(crate) fn answer(&mut self, now: Instant, id: u64, status: StatusCode, wire: Bytes) {
        let Some(txn) = self.servers.txns.get_mut(&id) else {
            return;
        };
        let trying = if status == StatusCode::TRYING { Trying::Only } else { Trying::More };
        let send = match &mut txn.machine {
            Machine::Invite(machine) => {
                machine.respond(now, status.class(), trying).contains(&server_invite::Output::Send)
            }
            Machine::NonInvite(machine) => {
                machine.respond(now, status.class()).contains(&server_non_invite::Output::Send)
            }
        };
        if send {
            if status.is_final() {
                txn.request = None;
            }
            // A 2xx to an INVITE is repeated by its session, which keeps it.
            let repeated_elsewhere = txn.is_invite() && status.is_success();
            txn.wire = (!repeated_elsewhere).then(|| wire.clone());
            let flow = txn.flow;
            self.transmit(flow, wire);
        }
        self.schedule_server(id);
    }

    /// The 100 of an INVITE that its user did not answer at once.
    pub(super) fn say_trying(&mut self, id: u64) -> Option<Output> {
        let txn = self.servers.txns.get_mut(&id)?;
        if txn.wire.is_some() || !txn.is_open() {
            return None;
        }
        let request = txn.request.as_ref()?;
        let wire = response_to(request, Some(txn.flow.remote), StatusCode::TRYING, None)
            .finish_response()
            .bytes()
            .clone();
        txn.wire = Some(wire.clone());
        self.counters.messages_out += 1;
        Some(Output::Transmit { flow: txn.flow, bytes: wire })
    }

    /// The same request again.
    pub(super) fn repeat_server(&mut self, id: u64) {
        self.counters.retransmissions_in += 1;
        let Some(txn) = self.servers.txns.get_mut(&id) else {
            return;
        };
        let send = match &mut txn.machine {
            Machine::Invite(machine) => {
                machine.handle_repeat().contains(&server_invite::Output::Send)
            }
            Machine::NonInvite(machine) => {
                machine.handle_repeat().contains(&server_non_invite::Output::Send)
            }
        };
        if send {
            self.send_again(id);
        }
    }

    /// An ACK with the branch of an INVITE. True if it belongs to a 2xx and thus to the session.
    pub(super) fn acknowledge_server(&mut self, now: Instant, id: u64) -> bool {
        let Some(txn) = self.servers.txns.get_mut(&id) else {
            return false;
        };
        let deliver = match &mut txn.machine {
            Machine::Invite(machine) => {
                machine.handle_ack(now).contains(&server_invite::Output::DeliverAck)
            }
            Machine::NonInvite(_) => false,
        };
        self.schedule_server(id);
        deliver
    }

    /// False if there is no such transaction.
    pub(super) fn handle_server_timeout(&mut self, now: Instant, id: u64) -> bool {
        let Some(txn) = self.servers.txns.get_mut(&id) else {
            return false;
        };
        let (mut send, mut say_trying) = (false, false);
        match &mut txn.machine {
            Machine::Invite(machine) => {
                send = machine.handle_timeout(now).contains(&server_invite::Output::Send);
            }
            Machine::NonInvite(machine) => {
                say_trying =
                    machine.handle_timeout(now).contains(&server_non_invite::Output::SayTrying);
            }
        }
        if send {
            self.counters.retransmissions_out += 1;
            self.send_again(id);
        }
        if say_trying && let Some(output) = self.say_trying(id) {
            self.outputs.push_back(Queued::Output(output));
        }
        self.schedule_server(id);
        true
    }

    fn send_again(&mut self, id: u64) {
        if let Some(txn) = self.servers.txns.get(&id)
            && let Some(wire) = txn.wire.clone()
        {
            let flow = txn.flow;
            self.transmit(flow, wire);
        }
    }

    /// Answers without keeping anything (RFC 3261 §8.2.7): the same request gets the same again.
    pub(super) fn refuse(&mut self, arrival: &Arrival, tag: Option<&[u8]>, reply: &Reply) {
        let request = &arrival.request;
        let own = self.stateless_tag(request);
        let flow = response_flow(arrival.flow, &arrival.via);
        let wire = self.write_reply(
            request,
            flow,
            reply,
            &Dressing {
                tag: Some(tag.unwrap_or(own.as_bytes())),
                contact: None,
                record_route: false,
                allow: matches!(
                    reply.status,
                    StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED
                ),
            },
        );
        self.transmit(flow, wire);
    }

    /// Writes an answer. The tag is left out if the request has one.
    pub(crate) fn write_reply(
        &self,
        request: &Request,
        flow: Flow,
        reply: &Reply,
        dressing: &Dressing<'_>,
    ) -> Bytes {
        let reason = reply.reason.as_deref();
        let mut builder = response_to(request, Some(flow.remote), reply.status, reason);
        if let Some(tag) = dressing.tag {
            builder = builder.to_tag(tag);
        }
        if dressing.record_route {
            builder = builder.copy(request, HeaderName::RecordRoute);
        }
        let says = |name: &str| reply.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        if let Some(contact) = dressing.contact
            && !says("Contact")
        {
            builder = builder.header(HeaderName::Contact, contact);
        }
        if dressing.allow && !says("Allow") {
            builder = builder.header(HeaderName::Allow, ALLOW);
            if reply.status.is_success() {
                builder = builder.header(HeaderName::Supported, SUPPORTED);
            }
        }
        if !self.config.user_agent.is_empty() {
            builder = builder.header(HeaderName::Server, &self.config.user_agent);
        }
        with_rest(builder, &reply.headers, reply.body.as_ref()).finish_response().bytes().clone()
    }

    fn stateless_tag(&self, request: &Request) -> String {
        let from = request.header(HeaderName::From).unwrap_or_default();
        let cseq = request.header(HeaderName::CSeq).unwrap_or_default();
        self.tokens.stateless_tag(&[request.call_id(), &from, &cseq])
    }

    fn schedule_server(&mut self, id: u64) {
        let Some(txn) = self.servers.txns.get_mut(&id) else {
            return;
        };
        if txn.is_terminated() {
            self.remove_server(id);
            return;
        }
        let wanted = match &txn.machine {
            Machine::Invite(machine) => machine.poll_timeout(),
            Machine::NonInvite(machine) => machine.poll_timeout(),
        };
        self.deadlines.change(Due::Server(id), &mut txn.due, wanted);
    }

    /// Forgets a transaction; a repeat of its request is then a new one.
    pub(crate) fn remove_server(&mut self, id: u64) {
        if let Some(mut txn) = self.servers.txns.remove(&id) {
            self.deadlines.change(Due::Server(id), &mut txn.due, None);
            let keys = &mut self.servers.keys;
            keys.remove(&txn.key);
            if let Some(merge) = &txn.merge
                && keys.get(merge) == Some(&id)
            {
                keys.remove(merge);
            }
            // Give back what a past flood took.
            if keys.capacity() > SHRINK_ABOVE && keys.len() < keys.capacity() / 8 {
                keys.shrink_to(keys.len() * 2);
            }
        }
    }
}

/// What an answer says beyond what its user asks for.
#[derive(Debug)]
pub(crate) struct Dressing<'a> {
    pub(crate) tag: Option<&'a [u8]>,
    /// Ours; a Contact among the user's own fields comes before it.
    pub(crate) contact: Option<&'a str>,
    pub(crate) record_route: bool,
    pub(crate) allow: bool,
}

/// Where answers to a request go: back the way it came, and to the port its Via names if it does not
/// ask for the one it came from (RFC 3261 §18.2.2, RFC 3581 §4).
///
/// Deviates from RFC 3261 §18.2.2: a Via whose address is not the one the request came from was
/// written behind an address translator, where its port means nothing; the source port is used.
fn response_flow(flow: Flow, via: &Via) -> Flow {
    let translated = via.host.to_ip().is_some_and(|ip| ip != flow.remote.ip().to_canonical());
    if flow.transport != Transport::Udp || via.rport.is_some() || translated {
        return flow;
    }
    let mut flow = flow;
    flow.remote.set_port(via.port.unwrap_or(crate::dialog::SIP_PORT));
    flow
}

/// Keys kept room for, once they were needed.
const SHRINK_ABOVE: usize = 4_096;
