//! Requests of ours on their way: the table of client transactions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use bytes::Bytes;
use sip_syntax::{HeaderName, Message, Method, Request, Response, StatusCode};

use super::{Auth, Endpoint};
use crate::deadlines::Due;
use crate::timing::T1_64;
use crate::transaction::Reliability;
use crate::transaction::client_invite::{self, ClientInvite, Failed};
use crate::transaction::client_non_invite::{self, ClientNonInvite};
use crate::{ClientTxnId, Flow};

/// One request of ours, from first send until no repeat of its answer can still arrive.
#[derive(Debug)]
pub(crate) struct ClientTxn {
    /// What its branch bears besides its number, so that nobody can answer unasked.
    secret: u64,
    pub(crate) flow: Flow,
    /// The request, as it goes out again.
    pub(crate) wire: Bytes,
    machine: Machine,
    pub(crate) purpose: Purpose,
    pub(crate) auth: Option<Box<Auth>>,
    /// ACKs of 2xx, by the To tag of the fork; repeated 2xx get them again.
    pub(crate) acks: Vec<ForkAck>,
    /// The CANCEL of this INVITE, which shares its branch.
    cancel: Option<u64>,
    due: Option<Instant>,
}

/// An ACK that a repeated 2xx gets again.
#[derive(Debug)]
pub(crate) struct ForkAck {
    pub(crate) to_tag: Box<[u8]>,
    pub(crate) flow: Flow,
    pub(crate) wire: Bytes,
}

#[derive(Debug)]
enum Machine {
    Invite(ClientInvite),
    NonInvite(ClientNonInvite),
}

/// Whom an answer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The INVITE that makes this session.
    Invite(u64),
    /// A later INVITE within it.
    Reinvite(u64),
    /// The BYE that ends it.
    Bye(u64),
    /// A request of the user, within a session or outside.
    Request { session: Option<u64>, id: ClientTxnId },
    /// Nobody waits for it: a CANCEL, or a BYE to a dialog that nobody wants.
    Detached,
}

/// A request of ours before it has a transaction: its number and what its branch bears.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewClient {
    pub(crate) id: u64,
    secret: u64,
}

/// A written request, where it goes, and whom its answer is for.
#[derive(Debug)]
pub(crate) struct Departure {
    pub(crate) method: Method,
    pub(crate) flow: Flow,
    pub(crate) wire: Bytes,
    pub(crate) purpose: Purpose,
    pub(crate) auth: Option<Box<Auth>>,
}

/// All client transactions, by number and by flow.
#[derive(Debug, Default)]
pub(crate) struct ClientTable {
    txns: BTreeMap<u64, Box<ClientTxn>>,
    flows: BTreeSet<(Flow, u64)>,
}

impl ClientTable {
    pub(super) fn len(&self) -> usize {
        self.txns.len()
    }

    pub(crate) fn get(&self, id: u64) -> Option<&ClientTxn> {
        self.txns.get(&id).map(AsRef::as_ref)
    }

    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut ClientTxn> {
        self.txns.get_mut(&id).map(AsMut::as_mut)
    }

    pub(super) fn on_flow(&self, flow: Flow) -> Vec<u64> {
        self.flows.range((flow, 0)..=(flow, u64::MAX)).map(|(_, id)| *id).collect()
    }
}

impl ClientTxn {
    /// Whether any provisional came and no final answer, so that a CANCEL may go out.
    pub(crate) fn is_proceeding(&self) -> bool {
        match &self.machine {
            Machine::Invite(machine) => machine.is_proceeding(),
            Machine::NonInvite(_) => false,
        }
    }

    fn is_terminated(&self) -> bool {
        match &self.machine {
            Machine::Invite(machine) => machine.is_terminated(),
            Machine::NonInvite(machine) => machine.is_terminated(),
        }
    }

    /// The request again, readable. It was written by us, so this does not fail.
    pub(crate) fn request(&self) -> Option<Request> {
        match Message::parse(self.wire.clone()) {
            Ok(Message::Request(request)) => Some(request),
            Ok(Message::Response(_)) | Err(_) => None,
        }
    }
}

impl Endpoint {
    /// Number and branch of a request to come.
    pub(crate) fn new_client(&mut self) -> (NewClient, String) {
        let (id, secret) = (self.next_id(), self.tokens.next_u64());
        (NewClient { id, secret }, self.branch(id, secret))
    }

    /// A branch for an ACK of a 2xx, which is its own transaction and gets no answer.
    pub(crate) fn ack_branch(&mut self) -> String {
        let secret = self.tokens.next_u64();
        self.branch(0, secret)
    }

    fn branch(&self, id: u64, secret: u64) -> String {
        format!("{COOKIE}{:08x}.{id:x}.{secret:016x}", self.mark)
    }

    /// Whether a branch was made here.
    pub(super) fn is_own_branch(&self, branch: &[u8]) -> bool {
        self.read_branch(branch).is_some()
    }

    /// Whether our mark stands anywhere in a Via: a quick look before reading it.
    pub(super) fn may_be_own_via(&self, via: &[u8]) -> bool {
        let mark = format!("{:08x}.", self.mark);
        via.windows(mark.len()).any(|window| window == mark.as_bytes())
    }

    fn read_branch(&self, branch: &[u8]) -> Option<(u64, u64)> {
        let rest = str::from_utf8(branch).ok()?.strip_prefix(COOKIE)?;
        let mut parts = rest.split('.');
        let mark = u32::from_str_radix(parts.next()?, 16).ok()?;
        let id = u64::from_str_radix(parts.next()?, 16).ok()?;
        let secret = u64::from_str_radix(parts.next()?, 16).ok()?;
        (mark == self.mark && parts.next().is_none()).then_some((id, secret))
    }

    /// The transaction a response belongs to (RFC 3261 §17.1.3).
    pub(super) fn find_client(&self, branch: &[u8], method: &Method) -> Option<u64> {
        let (id, secret) = self.read_branch(branch)?;
        let txn = self.clients.get(id).filter(|txn| txn.secret == secret)?;
        match &txn.machine {
            Machine::Invite(_) if *method == Method::Cancel => txn.cancel,
            Machine::Invite(_) => (*method == Method::Invite).then_some(id),
            Machine::NonInvite(_) => (*method != Method::Invite).then_some(id),
        }
    }

    /// Puts a request on its way.
    pub(crate) fn start_client(&mut self, now: Instant, new: NewClient, departure: Departure) {
        let Departure { method, flow, wire, purpose, auth } = departure;
        let reliability = Reliability::from(flow.transport);
        let machine = if method == Method::Invite {
            Machine::Invite(ClientInvite::new(now, reliability).0)
        } else {
            Machine::NonInvite(ClientNonInvite::new(now, reliability).0)
        };
        self.transmit(flow, wire.clone());
        let txn = ClientTxn {
            secret: new.secret,
            flow,
            wire,
            machine,
            purpose,
            auth,
            acks: Vec::new(),
            cancel: None,
            due: None,
        };
        self.clients.txns.insert(new.id, Box::new(txn));
        self.clients.flows.insert((flow, new.id));
        self.schedule_client(new.id);
    }

    /// Sends CANCEL for an INVITE that is proceeding (RFC 3261 §9.1).
    pub(crate) fn start_cancel(&mut self, now: Instant, invite: u64, reason: Option<&str>) {
        let id = self.next_id();
        let secret = self.tokens.next_u64();
        let Some(txn) = self.clients.get_mut(invite) else {
            return;
        };
        let (flow, Some(request)) = (txn.flow, txn.request()) else {
            return;
        };
        txn.cancel = Some(id);
        let number = request.cseq().map_or(0, |cseq| cseq.number);
        let mut builder = Request::builder(Method::Cancel, request.uri_bytes())
            .header(HeaderName::Via, first_via(&request))
            .copy(&request, HeaderName::Route)
            .header(HeaderName::MaxForwards, MAX_FORWARDS.to_string())
            .copy(&request, HeaderName::From)
            .copy(&request, HeaderName::To)
            .copy(&request, HeaderName::CallId)
            .header(HeaderName::CSeq, format!("{number} CANCEL"));
        if let Some(reason) = reason {
            builder = builder.header(HeaderName::Reason, reason);
        }
        let wire = self.finish_request(builder, &[], None);
        self.bound_invite(invite, now + T1_64);
        let new = NewClient { id, secret };
        let (method, purpose) = (Method::Cancel, Purpose::Detached);
        self.start_client(now, new, Departure { method, flow, wire, purpose, auth: None });
    }

    /// Gives an INVITE that is proceeding no longer than `until`.
    pub(crate) fn bound_invite(&mut self, id: u64, until: Instant) {
        if let Some(txn) = self.clients.get_mut(id)
            && let Machine::Invite(machine) = &mut txn.machine
        {
            machine.wait_until(until);
        }
        self.schedule_client(id);
    }

    /// Takes a response matched to a transaction.
    pub(super) fn respond_client(&mut self, now: Instant, flow: Flow, id: u64, response: Response) {
        let Some(txn) = self.clients.get_mut(id) else {
            return;
        };
        let class = response.class();
        let (mut acknowledge, mut deliver) = (false, false);
        match &mut txn.machine {
            Machine::Invite(machine) => {
                for output in machine.handle_response(now, class) {
                    match output {
                        client_invite::Output::Ack => acknowledge = true,
                        client_invite::Output::Deliver => deliver = true,
                        client_invite::Output::Send | client_invite::Output::TimedOut => {}
                    }
                }
            }
            Machine::NonInvite(machine) => {
                deliver = machine
                    .handle_response(now, class)
                    .contains(&client_non_invite::Output::Deliver);
            }
        }
        if acknowledge {
            self.acknowledge_refusal(id, &response);
        }
        if deliver {
            self.deliver_response(now, flow, id, response);
        }
        self.schedule_client(id);
    }

    /// ACK to a 300-699: part of the INVITE's transaction (RFC 3261 §17.1.1.3).
    fn acknowledge_refusal(&mut self, id: u64, response: &Response) {
        let Some((flow, request)) =
            self.clients.get(id).and_then(|txn| Some((txn.flow, txn.request()?)))
        else {
            return;
        };
        let number = request.cseq().map_or(0, |cseq| cseq.number);
        let ack = Request::builder(Method::Ack, request.uri_bytes())
            .header(HeaderName::Via, first_via(&request))
            .copy(&request, HeaderName::Route)
            .header(HeaderName::MaxForwards, MAX_FORWARDS.to_string())
            .copy(&request, HeaderName::From)
            .copy(response, HeaderName::To)
            .copy(&request, HeaderName::CallId)
            .header(HeaderName::CSeq, format!("{number} ACK"))
            .finish_request();
        self.transmit(flow, ack.bytes().clone());
    }

    /// False if there is no such transaction.
    pub(super) fn handle_client_timeout(&mut self, now: Instant, id: u64) -> bool {
        let Some(txn) = self.clients.get_mut(id) else {
            return false;
        };
        let (mut send, mut timed_out) = (false, false);
        match &mut txn.machine {
            Machine::Invite(machine) => {
                for output in machine.handle_timeout(now) {
                    match output {
                        client_invite::Output::Send => send = true,
                        client_invite::Output::TimedOut => timed_out = true,
                        client_invite::Output::Ack | client_invite::Output::Deliver => {}
                    }
                }
            }
            Machine::NonInvite(machine) => {
                for output in machine.handle_timeout(now) {
                    match output {
                        client_non_invite::Output::Send => send = true,
                        client_non_invite::Output::TimedOut => timed_out = true,
                        client_non_invite::Output::Deliver => {}
                    }
                }
            }
        }
        if send {
            let (flow, wire) = (txn.flow, txn.wire.clone());
            self.counters.retransmissions_out += 1;
            self.transmit(flow, wire);
        }
        if timed_out {
            self.counters.timeouts += 1;
            self.deliver_failure(now, id, StatusCode::REQUEST_TIMEOUT);
        }
        self.schedule_client(id);
        true
    }

    pub(super) fn fail_client(&mut self, now: Instant, id: u64) {
        let Some(txn) = self.clients.get_mut(id) else {
            return;
        };
        let failed = match &mut txn.machine {
            Machine::Invite(machine) => machine.handle_flow_failed(),
            Machine::NonInvite(machine) => machine.handle_flow_failed(),
        };
        if failed == Failed::Unanswered && !self.send_elsewhere(now, id) {
            self.deliver_failure(now, id, StatusCode::SERVICE_UNAVAILABLE);
        }
        self.schedule_client(id);
    }

    /// Remembers when a transaction wants to be woken, or forgets one that is over.
    fn schedule_client(&mut self, id: u64) {
        let Some(txn) = self.clients.txns.get_mut(&id) else {
            return;
        };
        if txn.is_terminated() {
            self.remove_client(id);
            return;
        }
        let wanted = match &txn.machine {
            Machine::Invite(machine) => machine.poll_timeout(),
            Machine::NonInvite(machine) => machine.poll_timeout(),
        };
        self.deadlines.change(Due::Client(id), &mut txn.due, wanted);
    }

    fn remove_client(&mut self, id: u64) {
        if let Some(mut txn) = self.clients.txns.remove(&id) {
            self.deadlines.change(Due::Client(id), &mut txn.due, None);
            self.clients.flows.remove(&(txn.flow, id));
            // Its answer could not be told from others any more.
            if let Some(cancel) = txn.cancel {
                self.remove_client(cancel);
            }
        }
    }
}

fn first_via(request: &Request) -> Vec<u8> {
    request.header(HeaderName::Via).unwrap_or_default().into_owned()
}

/// What branches of RFC 3261 begin with (§8.1.1.7).
const COOKIE: &str = "z9hG4bK";

/// Hops a request of ours may take (RFC 3261 §8.1.1.6).
pub(crate) const MAX_FORWARDS: u8 = 70;
