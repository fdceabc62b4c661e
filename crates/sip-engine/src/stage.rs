//! Where ladders about sessions are played: an endpoint, and one peer that says what the ladder says.
//!
//! Inputs, besides those of [`crate::ladder`]:
//!
//! - `<- 180 INVITE a`: the peer answers the endpoint's latest INVITE, as fork `a` (`-`: without tag).
//! - `<- BYE`: the peer sends a request within the dialog, or a first one. `<- again`: its last message
//!   once more. `<- INVITE cseq 1`: with this number. `<- INFO tag x`: with this To tag.
//! - `do 180`, `do 200`, `do 486`: the user answers the call. `do respond 200`: the last other request.
//! - `do invite`, `reinvite`, `cancel`, `bye`, `hangup`, `info`, `notify`, `register`, `break` (the flow).

use std::mem;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use sip_syntax::{
    HeaderName, Message, MessageBuilder, Method, Request, Response, StatusCode, response_to,
};

use crate::ladder::{self, Subject};
use crate::{
    Body, ClientCredentials, Endpoint, EndpointConfig, Event, Flow, Invite, OutOfDialog, Output,
    Reply, ServerTxnId, SessionId, Transport,
};

/// An endpoint and its one peer.
pub(crate) struct Stage {
    pub(crate) endpoint: Endpoint,
    pub(crate) start: Instant,
    pub(crate) flow: Flow,
    pub(crate) session: Option<SessionId>,
    pub(crate) txn: Option<ServerTxnId>,
    /// What the endpoint sent, oldest first.
    pub(crate) requests: Vec<Request>,
    pub(crate) responses: Vec<Response>,
    pub(crate) events: Vec<Event>,
    /// Extra lines for the peer's requests.
    pub(crate) extra: Vec<(&'static str, String)>,
    pub(crate) credentials: Option<ClientCredentials>,
    lines: Vec<String>,
    /// What the peer said last.
    pub(crate) last: Bytes,
    /// Calls the user made.
    pub(crate) calls: usize,
    number: u32,
    branches: u32,
    invite_branch: u32,
    is_caller: bool,
    has_begun: bool,
}

impl Stage {
    #[expect(clippy::disallowed_methods, reason = "simulated time starts somewhere")]
    pub(crate) fn new(transport: Transport) -> Self {
        let config = EndpointConfig { user_agent: String::new(), ..EndpointConfig::default() };
        Stage {
            endpoint: Endpoint::new(config),
            start: Instant::now(),
            flow: Flow {
                transport,
                local: address("10.0.0.1:5060"),
                remote: address("10.0.0.2:5060"),
            },
            session: None,
            txn: None,
            requests: Vec::new(),
            responses: Vec::new(),
            events: Vec::new(),
            extra: Vec::new(),
            credentials: None,
            lines: Vec::new(),
            last: Bytes::new(),
            calls: 0,
            number: 0,
            branches: 0,
            invite_branch: 0,
            is_caller: false,
            has_begun: false,
        }
    }

    /// Plays a ladder from the start.
    #[track_caller]
    pub(crate) fn check(&mut self, ladder: &str) {
        ladder::check(self.start, self, ladder);
    }

    /// One input now, at the start of time; what happened is in the fields.
    pub(crate) fn step(&mut self, line: &str) -> Vec<String> {
        self.input(self.start, line);
        self.drain()
    }

    pub(crate) fn last_request(&self, method: &Method) -> &Request {
        self.requests.iter().rev().find(|request| request.method() == method).unwrap()
    }

    /// Hands the endpoint a message of the peer.
    pub(crate) fn hear(&mut self, now: Instant, bytes: Bytes) {
        self.last = bytes.clone();
        self.endpoint.handle_message(now, self.flow, bytes);
    }

    /// The peer's answer to the latest request of this method, before it is finished.
    pub(crate) fn answer(&self, code: u16, method: &str, tag: &str) -> MessageBuilder {
        let method = Method::from_bytes(method.as_bytes());
        let status = StatusCode::new(code).unwrap();
        let mut answer = response_to(self.last_request(&method), None, status, None);
        if tag != "-" {
            answer = answer.to_tag(tag.as_bytes());
        }
        if method == Method::Invite && code < 300 {
            answer = answer.header(HeaderName::Contact, "<sip:peer@10.0.0.2:5060>");
        }
        answer
    }

    fn hear_response(&mut self, now: Instant, code: u16, method: &str, tag: &str) {
        let answer = self.answer(code, method, tag).finish_response();
        self.hear(now, answer.bytes().clone());
    }

    /// Whether the peer has a dialog to speak in, or may begin one.
    pub(crate) fn can_request(&self) -> bool {
        self.is_caller
            || (self.requests.is_empty() && self.responses.is_empty())
            || self.requests.iter().any(|request| *request.method() == Method::Invite)
    }

    /// A request of the peer: the first of a call, or within it.
    pub(crate) fn request(
        &mut self,
        method: &str,
        number: Option<u32>,
        tag: Option<&str>,
    ) -> Request {
        let method = Method::from_bytes(method.as_bytes());
        if self.requests.is_empty() && self.responses.is_empty() {
            self.is_caller = true;
        }
        let repeats_number = matches!(method, Method::Ack | Method::Cancel);
        if !repeats_number {
            self.number += 1;
        }
        // A CANCEL, and the ACK of a refusal, belong to the transaction of the INVITE.
        let refused = self
            .responses
            .iter()
            .rev()
            .find(|response| response.cseq().unwrap().method == Method::Invite)
            .is_some_and(|response| response.status().is_failure());
        let branch = if method == Method::Cancel || (method == Method::Ack && refused) {
            self.invite_branch
        } else {
            self.branches += 1;
            self.branches
        };
        if method == Method::Invite {
            self.invite_branch = branch;
        }
        let number = number.unwrap_or(self.number);
        let (from, to, call_id) = if self.is_caller {
            let own = self.responses.iter().rev().find_map(|response| {
                Some(String::from_utf8_lossy(response.to().ok()?.tag()?).into_owned())
            });
            let within = method != Method::Cancel;
            let tag = tag.map(str::to_owned).or(own.filter(|_| within));
            let tag = tag.map(|tag| format!(";tag={tag}")).unwrap_or_default();
            (
                "<sip:peer@10.0.0.2>;tag=p".to_owned(),
                format!("<sip:us@10.0.0.1>{tag}"),
                "call".to_owned(),
            )
        } else {
            let invite =
                self.requests.iter().find(|request| *request.method() == Method::Invite).unwrap();
            let text = |name| String::from_utf8_lossy(&invite.header(name).unwrap()).into_owned();
            let tag = tag.unwrap_or("a");
            (
                format!("{};tag={tag}", text(HeaderName::To)),
                text(HeaderName::From),
                text(HeaderName::CallId),
            )
        };
        let via = format!(
            "SIP/2.0/{} 10.0.0.2:5060;branch=z9hG4bKp{};rport",
            self.flow.transport.as_via(),
            branch
        );
        let mut builder = Request::builder(method.clone(), b"sip:us@10.0.0.1:5060")
            .header(HeaderName::Via, via)
            .header(HeaderName::MaxForwards, "70")
            .header(HeaderName::From, from)
            .header(HeaderName::To, to)
            .header(HeaderName::CallId, call_id)
            .header(HeaderName::CSeq, format!("{number} {method}"))
            .header(HeaderName::Contact, "<sip:peer@10.0.0.2:5060>");
        for (name, value) in &self.extra {
            builder = builder.header_named(name, value);
        }
        if matches!(method, Method::Invite | Method::Update) {
            builder = builder.body("application/sdp", b"v=0\r\n");
        }
        builder.finish_request()
    }

    fn act(&mut self, now: Instant, words: &[&str]) {
        let id = self.session.unwrap_or(SessionId(u64::MAX));
        let endpoint = &mut self.endpoint;
        match words {
            ["invite"] => self.call(now, Some(Body::sdp("v=0\r\n"))),
            ["invite", "bare"] => self.call(now, None),
            ["cancel"] => endpoint.cancel(now, id, None),
            ["bye"] => endpoint.bye(now, id, None),
            ["hangup"] => endpoint.hangup(now, id, Some("SIP;cause=480".to_owned())),
            ["reinvite"] => endpoint.reinvite(now, id, Some(Body::sdp("v=0\r\n"))),
            ["reinvite", "bare"] => endpoint.reinvite(now, id, None),
            ["ack"] => endpoint.acknowledge(id, Some(Body::sdp("v=0\r\n"))),
            ["accept"] => endpoint.accept_reinvite(now, id, Reply::new(StatusCode::OK)),
            ["refuse", code] => endpoint.reject_reinvite(now, id, reply(code)),
            ["respond", code] => endpoint.respond(now, self.txn.unwrap(), reply(code)),
            ["respond", code, "once"] => {
                endpoint.respond(now, self.txn.unwrap(), reply(code).once());
            }
            ["info"] => {
                endpoint.request(now, id, Method::Info, Vec::new(), None);
            }
            ["notify"] => {
                endpoint.request(now, id, Method::Notify, Vec::new(), None);
            }
            ["register"] => self.register(now),
            ["break"] => endpoint.handle_flow_failed(now, self.flow),
            [code] => match reply(code) {
                reply if reply.status.is_provisional() => endpoint.provisional(now, id, reply),
                reply if reply.status.is_success() => endpoint.accept(now, id, reply),
                reply => endpoint.reject(now, id, reply),
            },
            [code, "once"] => endpoint.reject(now, id, reply(code).once()),
            words => panic!("nobody can do {words:?}"),
        }
    }

    fn call(&mut self, now: Instant, body: Option<Body>) {
        let invite = Invite {
            flow: self.flow,
            uri: "sip:peer@10.0.0.2".to_owned(),
            from: "<sip:us@10.0.0.1>".to_owned(),
            to: "<sip:peer@10.0.0.2>".to_owned(),
            contact_user: "us".to_owned(),
            headers: Vec::new(),
            body,
            max_forwards: 70,
            credentials: self.credentials.clone(),
            call_id: None,
        };
        self.session = Some(self.endpoint.invite(now, invite));
        self.calls += 1;
    }

    fn register(&mut self, now: Instant) {
        let request = OutOfDialog {
            method: Method::Register,
            flow: self.flow,
            uri: "sip:10.0.0.2".to_owned(),
            from: "<sip:us@10.0.0.2>".to_owned(),
            to: "<sip:us@10.0.0.2>".to_owned(),
            contact: Some("<sip:us@10.0.0.1:5060>".to_owned()),
            call_id: None,
            cseq: None,
            headers: vec![("Expires".to_owned(), "60".to_owned())],
            body: None,
            credentials: self.credentials.clone(),
        };
        self.endpoint.send(now, request);
    }

    fn note(&mut self, output: Output) {
        match output {
            Output::Transmit { flow, bytes } => {
                assert_eq!(flow, self.flow);
                match Message::parse(bytes).unwrap() {
                    Message::Request(request) => {
                        request.check().unwrap();
                        self.lines.push(format!("-> {}", request.method()));
                        self.requests.push(request);
                    }
                    Message::Response(response) => {
                        let (code, cseq) = (response.status().as_u16(), response.cseq().unwrap());
                        self.lines.push(format!("-> {code} {}", cseq.method));
                        self.responses.push(response);
                    }
                }
            }
            Output::Event(event) => {
                let line = format!("up {}", self.describe(&event));
                self.lines.push(line);
                self.events.push(event);
            }
        }
    }

    /// One line about an event; remembers whom it names.
    fn describe(&mut self, event: &Event) -> String {
        match event {
            Event::Request { txn, request, .. } => {
                self.txn = Some(*txn);
                format!("Request {}", request.method())
            }
            Event::Invite { session, .. } => {
                self.session = Some(*session);
                "Invite".to_owned()
            }
            Event::InDialog { txn, request, .. } => {
                self.txn = Some(*txn);
                format!("InDialog {}", request.method())
            }
            Event::Cancelled { .. } => "Cancelled".to_owned(),
            Event::Acked { .. } => "Acked".to_owned(),
            Event::Provisional { response, .. } => {
                format!("Provisional {}", response.status().as_u16())
            }
            Event::Accepted { response, .. } => format!("Accepted {}", response.status().as_u16()),
            Event::Failed { status, .. } => format!("Failed {}", status.as_u16()),
            Event::Reinvite { .. } => "Reinvite".to_owned(),
            Event::ReinviteAccepted { .. } => "ReinviteAccepted".to_owned(),
            Event::ReinviteFailed { status, .. } => format!("ReinviteFailed {}", status.as_u16()),
            Event::Response { status, .. } => format!("Response {}", status.as_u16()),
            Event::Ended { cause, .. } => format!("Ended {cause:?}"),
        }
    }
}

impl Subject for Stage {
    fn input(&mut self, now: Instant, line: &str) {
        self.has_begun = true;
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["do", rest @ ..] => self.act(now, rest),
            ["<-", "again"] => {
                let last = self.last.clone();
                self.hear(now, last);
            }
            ["<-", code, method, tag] if code.parse::<u16>().is_ok() => {
                self.hear_response(now, code.parse().unwrap(), method, tag);
            }
            ["<-", method, rest @ ..] => {
                let (number, tag) = match rest {
                    [] => (None, None),
                    ["cseq", number] => (Some(number.parse().unwrap()), None),
                    ["tag", tag] => (None, Some(*tag)),
                    rest => panic!("what is {rest:?}"),
                };
                let request = self.request(method, number, tag);
                self.hear(now, request.bytes().clone());
            }
            words => panic!("what is {words:?}"),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.endpoint.poll_timeout()
    }

    fn drain(&mut self) -> Vec<String> {
        while let Some(output) = self.endpoint.poll_output() {
            self.note(output);
        }
        mem::take(&mut self.lines)
    }

    fn is_over(&self) -> bool {
        let endpoint = &self.endpoint;
        let left = endpoint.session_count() + endpoint.transaction_count();
        assert!(left > 0 || endpoint.deadline_count() == 0);
        self.has_begun && left == 0
    }
}

/// A ladder over UDP, which is where things get lost.
#[track_caller]
pub(crate) fn check(ladder: &str) {
    Stage::new(Transport::Udp).check(ladder);
}

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn reply(code: &str) -> Reply {
    Reply::new(StatusCode::new(code.parse().unwrap()).unwrap())
}
