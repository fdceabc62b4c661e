//! A scripted phone: its own SIP endpoint, its own tone, its own ears.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use sdp::{Description, Direction, Layout, Local, Origin, RtpCodec};
use sip_engine::{
    Body, ClientCredentials, Endpoint, EndpointConfig, Event, Flow, Invite, OutOfDialog, Output,
    Reply, SessionId, Transport,
};
use sip_syntax::{Method, StatusCode};

use crate::sound;

/// A phone on a desk.
pub struct Phone {
    /// What ladders call it.
    pub name: String,
    /// Its tone, different from all others'.
    pub tone_hz: f32,
    /// Whether its last REGISTER was accepted.
    pub registered: bool,
    /// Everything it heard since its last call began.
    pub heard: Vec<i16>,
    /// When the last packet came.
    pub heard_at: Option<Instant>,
    /// Whose packets it heard, the last.
    pub heard_from: Option<SocketAddr>,
    /// Codecs it speaks, best first.
    pub codecs: Vec<RtpCodec>,
    /// How it reaches the switch.
    pub transport: Transport,
    /// Whether calls it makes carry an offer, or wait for ours.
    pub offers: bool,
    /// What it answers an incoming call with at once; `None`: it waits for the ladder.
    pub answers_at_once: Option<u16>,
    /// Its digest secret.
    pub secret: String,
    /// Contact of the 3xx it sends.
    pub forwards_to: Option<String>,
    pub(crate) sip: SocketAddr,
    pub(crate) sound: SocketAddr,
    /// Where it believes to hear, if a router stands between.
    pub(crate) inside: Option<SocketAddr>,
    user: String,
    switch: SocketAddr,
    endpoint: Endpoint,
    origin: Origin,
    call: Option<Call>,
    notes: Vec<String>,
    messages: VecDeque<(Flow, Bytes)>,
    packets: VecDeque<(SocketAddr, Vec<u8>)>,
    ticking: bool,
    muted: bool,
    /// Its re-INVITE has no offer.
    asks_for_offer: bool,
    pressing: Option<Pressing>,
    keys_heard: String,
    key_timestamp: Option<[u8; 4]>,
    called_by: String,
    sent: Sent,
}

/// A call the phone is in.
struct Call {
    session: SessionId,
    /// The other side's offer, to be answered.
    offer: Option<Description>,
    /// Our own offer, whose answer is to come.
    offered: Option<Description>,
    agreed: Option<sdp::Agreed>,
    /// It came in, and was not answered yet.
    ringing: bool,
}

/// Keys being pressed, one packet a tick (RFC 4733).
struct Pressing {
    keys: VecDeque<char>,
    packets: u8,
    timestamp: u32,
}

/// Where our stream is.
#[derive(Default)]
struct Sent {
    sequence: u16,
    timestamp: u32,
}

impl Phone {
    pub(crate) fn new(
        name: &str,
        user: &str,
        ip: IpAddr,
        index: usize,
        switch: SocketAddr,
    ) -> Self {
        Self {
            name: name.to_owned(),
            tone_hz: 600.0 + 130.0 * index as f32,
            registered: false,
            heard: Vec::new(),
            heard_at: None,
            heard_from: None,
            codecs: vec![RtpCodec::pcmu(), RtpCodec::pcma()],
            transport: Transport::Udp,
            offers: true,
            answers_at_once: None,
            secret: format!("secret-{user}"),
            forwards_to: None,
            sip: SocketAddr::new(ip, 5060),
            sound: SocketAddr::new(ip, 4000),
            inside: None,
            user: user.to_owned(),
            switch,
            endpoint: Endpoint::new(EndpointConfig {
                user_agent: "test phone".to_owned(),
                seed: 1_000 + index as u64,
                transactions_max: 10_000,
                sessions_max: 100,
            }),
            origin: Origin::new(index as u64),
            call: None,
            notes: Vec::new(),
            messages: VecDeque::new(),
            packets: VecDeque::new(),
            ticking: false,
            muted: false,
            asks_for_offer: false,
            pressing: None,
            keys_heard: String::new(),
            key_timestamp: None,
            called_by: String::new(),
            sent: Sent::default(),
        }
    }

    fn flow(&self) -> Flow {
        Flow { transport: self.transport, local: self.sip, remote: self.switch }
    }

    fn credentials(&self) -> ClientCredentials {
        ClientCredentials {
            user: self.user.clone(),
            secret: self.secret.clone(),
            realm: Some("office.test".to_owned()),
        }
    }

    fn address_of(&self, user: &str) -> String {
        format!("<sip:{user}@office.test>")
    }

    pub(crate) fn register(&mut self, now: Instant) {
        let contact = match self.transport {
            Transport::Udp => format!("<sip:{}@{}>", self.user, self.sip),
            Transport::Tcp => format!("<sip:{}@{};transport=tcp>", self.user, self.sip),
        };
        self.endpoint.send(
            now,
            OutOfDialog {
                method: Method::Register,
                flow: self.flow(),
                uri: "sip:office.test".to_owned(),
                from: self.address_of(&self.user),
                to: self.address_of(&self.user),
                contact: Some(contact),
                call_id: None,
                cseq: None,
                headers: vec![("Expires".to_owned(), "3600".to_owned())],
                body: None,
                credentials: Some(self.credentials()),
            },
        );
        self.drain(now);
    }

    pub(crate) fn act(&mut self, now: Instant, what: &str) {
        let (verb, rest) = what.split_once(' ').unwrap_or((what, ""));
        match verb {
            "INVITE" => self.invite(now, rest),
            "REGISTER" => self.register(now),
            "BYE" => self.with_session(|endpoint, session| endpoint.bye(now, session, None)),
            "CANCEL" => self.with_session(|endpoint, session| endpoint.cancel(now, session, None)),
            "HOLD" => self.reinvite(now, Direction::SendOnly),
            "RESUME" => self.reinvite(now, Direction::SendRecv),
            "ASK-OFFER" => {
                self.asks_for_offer = true;
                self.with_session(|endpoint, session| endpoint.reinvite(now, session, None));
            }
            "INFO" => {
                let body = Body::new(
                    "application/dtmf-relay",
                    format!("Signal={rest}\r\nDuration=160\r\n"),
                );
                self.with_session(|endpoint, session| {
                    endpoint.request(now, session, Method::Info, Vec::new(), Some(body));
                });
            }
            "REFER" => {
                let to = ("Refer-To".to_owned(), format!("<sip:{rest}@office.test>"));
                self.with_session(|endpoint, session| {
                    endpoint.request(now, session, Method::Refer, vec![to], None);
                });
            }
            "PRESS" => self.press(rest),
            "HUSH" => self.muted = true,
            "TALK" => self.muted = false,
            code => self.reply(now, code.parse().expect("a verb or a status code")),
        }
        self.drain(now);
    }

    fn with_session(&mut self, then: impl FnOnce(&mut Endpoint, SessionId)) {
        if let Some(call) = &self.call {
            then(&mut self.endpoint, call.session);
        }
    }

    fn local(&self) -> Local {
        let described = self.inside.unwrap_or(self.sound);
        Local { ip: described.ip(), port: described.port() }
    }

    fn offer(&mut self, direction: Direction) -> Description {
        let layout =
            self.origin.last().map_or_else(Layout::audio_only, |last| Layout::again(&last));
        let (codecs, local) = (self.codecs.clone(), self.local());
        sdp::negotiate::offer(&mut self.origin, local, &codecs, Some(101), direction, &layout)
    }

    fn invite(&mut self, now: Instant, number: &str) {
        self.heard.clear();
        self.origin = Origin::new(self.origin.version() + 77);
        let offered = self.offers.then(|| self.offer(Direction::SendRecv));
        let session = self.endpoint.invite(
            now,
            Invite {
                flow: self.flow(),
                uri: format!("sip:{number}@office.test"),
                from: self.address_of(&self.user),
                to: self.address_of(number),
                contact_user: self.user.clone(),
                headers: Vec::new(),
                body: offered.as_ref().map(|offer| Body::sdp(offer.to_bytes())),
                max_forwards: 70,
                credentials: Some(self.credentials()),
                call_id: None,
            },
        );
        self.call = Some(Call { session, offer: None, offered, agreed: None, ringing: false });
    }

    fn reinvite(&mut self, now: Instant, direction: Direction) {
        let offered = self.offer(direction);
        let body = Body::sdp(offered.to_bytes());
        if let Some(call) = &mut self.call {
            call.offered = Some(offered);
            self.endpoint.reinvite(now, call.session, Some(body));
        }
    }

    /// Answers an incoming call with this code.
    fn reply(&mut self, now: Instant, code: u16) {
        let status = StatusCode::new(code).expect("a status code");
        if !self.call.as_ref().is_some_and(|call| call.ringing) {
            return;
        }
        let with_sound = status == StatusCode::SESSION_PROGRESS || status.is_success();
        let mut reply = Reply::new(status);
        if with_sound {
            reply = reply.body(Body::sdp(self.describe()));
        }
        if let (300..400, Some(target)) = (code, &self.forwards_to) {
            reply = reply.header("Contact", format!("<{target}>"));
        }
        let Some(call) = &mut self.call else { return };
        if status.is_provisional() {
            self.endpoint.provisional(now, call.session, reply);
        } else if status.is_success() {
            call.ringing = false;
            self.endpoint.accept(now, call.session, reply);
        } else {
            self.endpoint.reject(now, call.session, reply);
            self.call = None;
        }
    }

    /// Our answer to the offer that came, or our own offer if none came.
    fn describe(&mut self) -> Vec<u8> {
        let local = self.local();
        let Some(offer) = self.call.as_ref().and_then(|call| call.offer.clone()) else {
            return match self.origin.last() {
                Some(last) => last.to_bytes(),
                None => self.offer(Direction::SendRecv).to_bytes(),
            };
        };
        let answered = sdp::negotiate::answer(
            &mut self.origin,
            &offer,
            local,
            &self.codecs,
            Direction::SendRecv,
        );
        match answered {
            Ok(answered) => {
                if let Some(call) = &mut self.call {
                    call.agreed = Some(answered.stream);
                    call.offer = None;
                }
                answered.description.to_bytes()
            }
            Err(refusal) => {
                self.notes.push(format!("{} cannot answer: {refusal}", self.name));
                Vec::new()
            }
        }
    }

    fn press(&mut self, keys: &str) {
        self.pressing = Some(Pressing {
            keys: keys.chars().collect(),
            packets: 0,
            timestamp: self.sent.timestamp,
        });
    }

    pub(crate) fn handle_sip(&mut self, now: Instant, flow: Flow, bytes: Bytes) {
        self.endpoint.handle_message(now, flow, bytes);
        self.drain(now);
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
        self.drain(now);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.endpoint.poll_timeout()
    }

    fn drain(&mut self, now: Instant) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Transmit { flow, bytes } => self.messages.push_back((flow, bytes)),
                Output::Event(event) => self.handle_event(now, event),
            }
        }
    }

    fn note(&mut self, what: &str) {
        self.notes.push(format!("{} <- {what}", self.name));
    }

    fn handle_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Invite { session, request, .. } => self.invited(now, session, &request),
            Event::Provisional { response, .. } => {
                self.note(&told(response.status(), response.reason()));
                self.take_answer(response.body());
            }
            Event::Accepted { session, response } => {
                self.note("200");
                if self.offers {
                    self.take_answer(response.body());
                } else {
                    if let Some(call) = &mut self.call {
                        call.offer = Description::parse(response.body()).ok();
                    }
                    let answer = self.describe();
                    self.endpoint.acknowledge(session, Some(Body::sdp(answer)));
                }
            }
            Event::Failed { session, .. } | Event::Cancelled { session, .. }
                if !self.is_about(session) => {}
            Event::Failed { status, response, .. } => {
                let reason = response.as_ref().map(|r| r.reason().to_vec()).unwrap_or_default();
                self.note(&told(status, &reason));
                self.call = None;
            }
            Event::Cancelled { .. } => {
                self.note("CANCEL");
                self.call = None;
            }
            Event::Acked { request, .. } => self.take_answer(request.body()),
            Event::Reinvite { session, request } => {
                let offer = Description::parse(request.body()).ok();
                let direction =
                    offer.as_ref().map_or("none", |offer| offer.media[0].direction(offer).as_str());
                self.note(&format!("re-INVITE {direction}"));
                if let Some(call) = &mut self.call {
                    call.offer = offer;
                }
                let body = Body::sdp(self.describe());
                let reply = Reply::new(StatusCode::OK).body(body);
                self.endpoint.accept_reinvite(now, session, reply);
            }
            Event::ReinviteAccepted { session, response } if self.asks_for_offer => {
                self.asks_for_offer = false;
                let offer = Description::parse(response.body()).ok();
                let codecs = offer.as_ref().map_or(0, |offer| offer.media[0].codecs().len());
                self.note(&format!("re-INVITE 200 with an offer of {codecs} codecs"));
                if let Some(call) = &mut self.call {
                    call.offer = offer;
                }
                let answer = self.describe();
                self.endpoint.acknowledge(session, Some(Body::sdp(answer)));
            }
            Event::ReinviteAccepted { response, .. } => {
                self.take_answer(response.body());
                let direction = self.call.as_ref().and_then(|call| call.agreed.as_ref());
                let direction = direction.map_or("none", |agreed| agreed.direction.as_str());
                self.note(&format!("re-INVITE 200 {direction}"));
            }
            Event::ReinviteFailed { status, .. } => {
                self.note(&format!("re-INVITE {}", status.as_u16()));
            }
            Event::InDialog { txn, request, .. } => {
                if *request.method() == Method::Notify {
                    let told = String::from_utf8_lossy(request.body()).into_owned();
                    let told = told.trim_end().trim_start_matches("SIP/2.0 ");
                    self.note(&format!("NOTIFY {told}"));
                }
                self.endpoint.respond(now, txn, Reply::new(StatusCode::OK));
            }
            Event::Request { txn, .. } => {
                self.endpoint.respond(now, txn, Reply::new(StatusCode::OK));
            }
            Event::Response { status, .. } if self.call.is_some() => {
                self.note(&status.as_u16().to_string());
            }
            Event::Response { status, .. } => {
                self.registered = status.is_success();
                self.note(&format!("registered {}", status.as_u16()));
            }
            Event::Ended { session, .. } if !self.is_about(session) => {}
            Event::Ended { cause, .. } => {
                if cause == sip_engine::EndCause::Bye {
                    self.note("BYE");
                }
                self.call = None;
            }
        }
    }

    fn is_about(&self, session: SessionId) -> bool {
        self.call.as_ref().is_some_and(|call| call.session == session)
    }

    fn invited(&mut self, now: Instant, session: SessionId, request: &sip_syntax::Request) {
        self.note("INVITE");
        self.called_by = request.from().map_or_else(
            |_| String::new(),
            |from| {
                let name = from.display_name();
                let name = if name.is_empty() { String::new() } else { format!("\"{name}\" ") };
                format!("{name}<{}>", String::from_utf8_lossy(from.uri.as_bytes()))
            },
        );
        if self.call.is_some() {
            self.endpoint.reject(now, session, Reply::new(StatusCode::BUSY_HERE));
            return;
        }
        self.heard.clear();
        self.origin = Origin::new(self.origin.version() + 99);
        let offer = Description::parse(request.body()).ok();
        self.call = Some(Call { session, offer, offered: None, agreed: None, ringing: true });
        if let Some(code) = self.answers_at_once {
            self.reply(now, code);
        }
    }

    /// Reads the answer to our offer, or answers the offer that a 2xx brought us.
    fn take_answer(&mut self, body: &[u8]) {
        let Ok(theirs) = Description::parse(body) else { return };
        let Some(call) = &mut self.call else { return };
        let offered = call.offered.clone().or_else(|| self.origin.last());
        if let Some(offered) = offered
            && let Ok(agreed) = sdp::negotiate::accept_answer(&offered, &theirs)
        {
            call.agreed = Some(agreed);
        }
    }

    /// Where it sends its sound.
    pub fn sends_to(&self) -> Option<SocketAddr> {
        self.call.as_ref()?.agreed.as_ref()?.remote
    }

    /// From of the last call that came.
    pub fn called_by(&self) -> &str {
        &self.called_by
    }

    /// Keys it heard, as telephone-events.
    pub fn keys_heard(&self) -> &str {
        &self.keys_heard
    }

    /// Whether a call is under way.
    pub fn is_in_call(&self) -> bool {
        self.call.is_some()
    }

    pub(crate) fn handle_sound(&mut self, now: Instant, from: SocketAddr, packet: &[u8]) {
        let Some(agreed) = self.call.as_ref().and_then(|call| call.agreed.as_ref()) else { return };
        if packet.len() < 12 {
            return;
        }
        if packet[0] & 0x0f == 0 && Some(packet[1] & 0x7f) == agreed.telephone_event {
            // All packets of one key have one timestamp (RFC 4733 §2.5.1.2).
            if self.key_timestamp.replace([packet[4], packet[5], packet[6], packet[7]])
                != self.key_timestamp
            {
                self.keys_heard.extend("0123456789*#ABCD".chars().nth(packet[12].into()));
            }
            return;
        }
        if packet[1] & 0x7f != agreed.receive_payload_type {
            return;
        }
        self.heard_at = Some(now);
        self.heard_from = Some(from);
        let is_mu = agreed.codec.same_encoding(&RtpCodec::pcmu());
        let decode = if is_mu { sound::mu_decode } else { sound::a_decode };
        self.heard.extend(packet[12..].iter().map(|&byte| decode(byte)));
    }

    /// When the next packet of sound is due, if any.
    pub(crate) fn wants_tick(&mut self, now: Instant) -> Option<Instant> {
        let speaks = self.call.as_ref().is_some_and(|call| call.agreed.is_some());
        if self.ticking || !speaks {
            return None;
        }
        self.ticking = true;
        Some(now + Duration::from_millis(20))
    }

    /// Twenty milliseconds went by: says what there is to say.
    pub(crate) fn tick(&mut self) {
        self.ticking = false;
        let Some(agreed) = self.call.as_ref().and_then(|call| call.agreed.clone()) else { return };
        let Some(to) = agreed.remote else { return };
        self.sent.timestamp = self.sent.timestamp.wrapping_add(160);
        if self.press_on(&agreed, to) || self.muted || !agreed.direction.can_send() {
            return;
        }
        let is_mu = agreed.codec.same_encoding(&RtpCodec::pcmu());
        let encode = if is_mu { sound::mu_encode } else { sound::a_encode };
        let start = self.sent.timestamp as usize % 8_000;
        let pcm = sound::tone(self.tone_hz, start + 160);
        let payload: Vec<u8> = pcm[start..].iter().map(|&sample| encode(sample)).collect();
        self.send(to, agreed.codec.payload_type, self.sent.timestamp, &payload);
    }

    /// Five packets a key, the last three of them its end, then a gap.
    fn press_on(&mut self, agreed: &sdp::Agreed, to: SocketAddr) -> bool {
        let Some(payload_type) = agreed.telephone_event else { return false };
        let Some(pressing) = &mut self.pressing else { return false };
        let Some(key) = pressing.keys.front().copied() else {
            self.pressing = None;
            return false;
        };
        if pressing.packets == 0 {
            pressing.timestamp = self.sent.timestamp;
        }
        let (packets, timestamp) = (pressing.packets, pressing.timestamp);
        pressing.packets += 1;
        if packets >= 8 {
            pressing.keys.pop_front();
            pressing.packets = 0;
            return true;
        }
        if packets >= 5 {
            return true;
        }
        let event = "0123456789*#ABCD".find(key).expect("a key") as u8;
        let end = if packets >= 2 { 0x80 } else { 0 };
        let duration = (160 * u16::from(packets.min(2) + 1)).to_be_bytes();
        self.send(to, payload_type, timestamp, &[event, end | 10, duration[0], duration[1]]);
        true
    }

    fn send(&mut self, to: SocketAddr, payload_type: u8, timestamp: u32, payload: &[u8]) {
        self.sent.sequence = self.sent.sequence.wrapping_add(1);
        let mut packet = vec![0x80, payload_type];
        packet.extend(self.sent.sequence.to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend(0x1234_5678_u32.to_be_bytes());
        packet.extend(payload);
        self.packets.push_back((to, packet));
    }

    pub(crate) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    pub(crate) fn take_messages(&mut self) -> Vec<(Flow, Bytes)> {
        self.messages.drain(..).collect()
    }

    pub(crate) fn take_sound(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        self.packets.drain(..).collect()
    }
}

/// A status, with its reason phrase if that is not the usual one.
fn told(status: StatusCode, reason: &[u8]) -> String {
    let reason = String::from_utf8_lossy(reason);
    if reason.is_empty() || reason == status.default_reason() {
        status.as_u16().to_string()
    } else {
        format!("{} {reason}", status.as_u16())
    }
}
