//! The one type users of this crate hold: all transactions and sessions of one SIP element.
//!
//! Requests of peers enter in [`incoming`], responses in [`responses`]; what a session does with them
//! stands under [`crate::session`].

mod clients;
mod incoming;
mod out_of_dialog;
mod responses;
mod retry;
mod servers;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use bytes::Bytes;
use sip_syntax::{HeaderName, Message, MessageBuilder};

use crate::deadlines::{Deadlines, Due};
use crate::session::Session;
use crate::tokens::Tokens;
use crate::{Body, Counters, Event, Flow, Output, SessionId};
use clients::ClientTable;
pub(crate) use clients::{Departure, ForkAck, MAX_FORWARDS, Purpose};
pub(crate) use incoming::Arrival;
pub(crate) use retry::Auth;
use servers::ServerTable;
pub(crate) use servers::{Dressing, Owner};

/// How an [`Endpoint`] names itself, and how much it may hold.
#[derive(Debug, Clone)]
pub struct EndpointConfig {
    /// User-Agent in requests and Server in answers; empty leaves them out.
    pub user_agent: String,
    /// Feeds tags, branches, Call-IDs and waits. Secret, and different for each start and each
    /// endpoint: a request whose Via bears the mark made of it is taken for our own in a loop.
    pub seed: u64,
    /// Transactions under way. Beyond, requests outside sessions get 503 with Retry-After; those
    /// within sessions go on up to twice as many.
    pub transactions_max: usize,
    /// Sessions under way. Beyond, calls get 503 with Retry-After.
    pub sessions_max: usize,
}

impl Default for EndpointConfig {
    fn default() -> Self {
        EndpointConfig {
            user_agent: "Cordboard".to_owned(),
            seed: 0,
            transactions_max: 200_000,
            sessions_max: 50_000,
        }
    }
}

/// All transactions and sessions of one SIP element.
///
/// Drain [`Self::poll_output`] to `None` after every call. Calls that name a dead session or
/// transaction do nothing: the event that ended it is on its way, or was seen.
#[derive(Debug)]
pub struct Endpoint {
    pub(crate) config: EndpointConfig,
    pub(crate) tokens: Tokens,
    pub(crate) rng: fastrand::Rng,
    /// Stands in every branch of ours, to recognise them.
    pub(crate) mark: u32,
    ids: u64,
    outputs: VecDeque<Queued>,
    pub(crate) deadlines: Deadlines,
    pub(crate) clients: ClientTable,
    pub(crate) servers: ServerTable,
    pub(crate) sessions: BTreeMap<u64, Box<Session>>,
    pub(crate) counters: Counters,
}

/// What waits to be polled.
#[derive(Debug)]
enum Queued {
    Output(Output),
    /// Say 100 to an INVITE, unless the user answered the event before this one at once.
    Trying(u64),
    /// Acknowledge a 2xx that answered no offer of ours, unless the user did so with a body.
    Acknowledge(u64),
}

impl Endpoint {
    /// An endpoint with nothing under way.
    pub fn new(config: EndpointConfig) -> Self {
        let mut tokens = Tokens::new(config.seed);
        let mark = (tokens.next_u64() >> 32) as u32;
        let rng = fastrand::Rng::with_seed(tokens.next_u64());
        Endpoint {
            config,
            tokens,
            rng,
            mark,
            ids: 0,
            outputs: VecDeque::new(),
            deadlines: Deadlines::default(),
            clients: ClientTable::default(),
            servers: ServerTable::default(),
            sessions: BTreeMap::new(),
            counters: Counters::default(),
        }
    }

    /// Takes a datagram, or one message cut from a stream. `flow.remote` is where it came from.
    pub fn handle_message(&mut self, now: Instant, flow: Flow, bytes: Bytes) {
        match Message::parse(bytes) {
            Ok(Message::Request(request)) => self.handle_request(now, flow, request),
            Ok(Message::Response(response)) => self.handle_response(now, flow, response),
            Err(_) => self.counters.dropped_malformed += 1,
        }
    }

    /// A connection closed or could not be made, or sending failed. Requests of ours that wait for an
    /// answer on this flow end as if it had been 503 (RFC 3261 §8.1.3.1); sessions stay.
    pub fn handle_flow_failed(&mut self, now: Instant, flow: Flow) {
        for id in self.clients.on_flow(flow) {
            self.fail_client(now, id);
        }
    }

    /// Does what has become due. Early calls are harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(due) = self.deadlines.due(now) {
            let handled = match due {
                Due::Client(id) => self.handle_client_timeout(now, id),
                Due::Server(id) => self.handle_server_timeout(now, id),
                Due::Session(id) => self.handle_session_timeout(now, id),
            };
            if !handled {
                debug_assert!(false, "a deadline outlived its owner: {due:?}");
                self.deadlines.drop_first();
            }
        }
    }

    /// When [`Self::handle_timeout`] next has work; `None`: nothing is under way but calls at rest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// The next thing to do, oldest first.
    pub fn poll_output(&mut self) -> Option<Output> {
        loop {
            match self.outputs.pop_front()? {
                Queued::Output(output) => return Some(output),
                Queued::Trying(txn) => {
                    if let Some(output) = self.say_trying(txn) {
                        return Some(output);
                    }
                }
                Queued::Acknowledge(session) => {
                    if let Some((flow, bytes)) = self.write_late_ack(session, None) {
                        self.counters.messages_out += 1;
                        return Some(Output::Transmit { flow, bytes });
                    }
                }
            }
        }
    }

    /// Totals since the start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Changes how many transactions and sessions there may be. What is beyond a smaller bound already
    /// goes on to its end.
    pub fn set_bounds(&mut self, transactions_max: usize, sessions_max: usize) {
        self.config.transactions_max = transactions_max;
        self.config.sessions_max = sessions_max;
    }

    /// Sessions that are not dead, those included that only wait for the answer to a BYE.
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// Transactions of both directions, those included that only absorb repeats.
    pub fn transaction_count(&self) -> usize {
        self.clients.len() + self.servers.len()
    }

    /// Deadlines set; at most one for each transaction and session.
    pub fn deadline_count(&self) -> usize {
        self.deadlines.len()
    }

    pub(crate) fn next_id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    pub(crate) fn push_event(&mut self, event: Event) {
        self.outputs.push_back(Queued::Output(Output::Event(event)));
    }

    pub(crate) fn transmit(&mut self, flow: Flow, bytes: Bytes) {
        self.counters.messages_out += 1;
        self.outputs.push_back(Queued::Output(Output::Transmit { flow, bytes }));
    }

    /// Says 100 after the event just pushed, unless its reader answers.
    pub(crate) fn push_trying(&mut self, txn: u64) {
        self.outputs.push_back(Queued::Trying(txn));
    }

    /// Acknowledges after the event just pushed, unless its reader does.
    pub(crate) fn push_acknowledge(&mut self, session: u64) {
        self.outputs.push_back(Queued::Acknowledge(session));
    }

    /// A tag of ours that names its session.
    pub(crate) fn session_tag(&mut self, session: u64) -> String {
        format!("{session:x}.{:016x}", self.tokens.next_u64())
    }

    /// The fields all requests of ours end with, and the body.
    pub(crate) fn finish_request(
        &self,
        mut builder: MessageBuilder,
        headers: &[(String, String)],
        body: Option<&Body>,
    ) -> Bytes {
        if !self.config.user_agent.is_empty() {
            builder = builder.header(HeaderName::UserAgent, &self.config.user_agent);
        }
        with_rest(builder, headers, body).finish_request().bytes().clone()
    }

    /// Remembers when a session wants to be woken.
    pub(crate) fn schedule_session(&mut self, id: u64) {
        if let Some(session) = self.sessions.get_mut(&id) {
            let wanted = session.poll_timeout();
            self.deadlines.change(Due::Session(id), &mut session.due, wanted);
        }
    }

    /// Forgets a session; its id is dead.
    pub(crate) fn remove_session(&mut self, id: u64) -> Option<Box<Session>> {
        let mut session = self.sessions.remove(&id)?;
        self.deadlines.change(Due::Session(id), &mut session.due, None);
        Some(session)
    }

    /// Whether one more session fits.
    pub(crate) fn has_room_for_session(&self) -> bool {
        self.sessions.len() < self.config.sessions_max
            && self.transaction_count() < self.config.transactions_max
    }
}

impl SessionId {
    pub(crate) fn of_tag(tag: &[u8]) -> Option<Self> {
        let text = str::from_utf8(tag).ok()?;
        let (id, _) = text.split_once('.')?;
        u64::from_str_radix(id, 16).ok().map(SessionId)
    }
}

/// Adds the user's header fields, then the body.
pub(crate) fn with_rest(
    mut builder: MessageBuilder,
    headers: &[(String, String)],
    body: Option<&Body>,
) -> MessageBuilder {
    for (name, value) in headers {
        builder = builder.header_named(name, value);
    }
    match body {
        Some(body) => builder.body(&body.content_type, &body.bytes),
        None => builder,
    }
}

/// The methods we take, as answers of 405 and 501 and our own requests list them. REFER is taken
/// within calls alone.
pub const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO, REFER, REGISTER";
/// The extensions we know within calls (RFC 3891 §6.2, RFC 4488 §4).
pub(crate) const SUPPORTED: &str = "replaces, norefersub";
