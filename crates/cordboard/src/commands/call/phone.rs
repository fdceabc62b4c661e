//! The phone itself: decides what to send, play and say, and when. No socket, no clock.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bytes::Bytes;
use media::{Codec, Command, Flag, JobId, Latch, LegId, Playlist, RecordLimits, Stream};
use sdp::{Agreed, Description, Direction, Layout, Local, Origin, RtpCodec, negotiate};
use sip_engine::{Body, Endpoint, EndpointConfig, Event, Flow, Invite, Output, Reply, SessionId};
use sip_syntax::{Class, ContactValue, Method, Request, Response, StatusCode};

use super::audio::Heard;
use super::plan::Plan;

mod registration;
#[cfg(test)]
mod tests;

use registration::Registration;

/// Something to be done outside, in this order.
#[derive(Debug)]
pub(super) enum Action {
    Transmit {
        flow: Flow,
        bytes: Bytes,
    },
    Voice(Command),
    /// A line for whoever watches.
    Say(String),
}

/// How it all ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Well,
    Local,
    Refused,
    NoAnswer,
    Unauthorized,
    Network,
}

impl Ending {
    pub(super) fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Ending::Well => 0,
            Ending::Local => 1,
            Ending::Refused => 3,
            Ending::NoAnswer => 4,
            Ending::Unauthorized => 5,
            Ending::Network => 6,
        })
    }

    /// What a final answer to an INVITE or REGISTER means; `answered` tells a peer's word from our own
    /// stand-in for none.
    fn of(status: StatusCode, answered: bool) -> Self {
        match status.as_u16() {
            401 | 403 | 407 => Ending::Unauthorized,
            408 if !answered => Ending::Network,
            503 if !answered => Ending::Network,
            408 | 480 | 487 => Ending::NoAnswer,
            _ => Ending::Refused,
        }
    }
}

/// A phone with one line.
#[derive(Debug)]
pub(super) struct Phone {
    plan: Plan,
    endpoint: Endpoint,
    flow: Flow,
    rtp: Local,
    origin: Origin,
    state: State,
    /// What both sides agreed on, as last told to the voice thread.
    stream: Option<Stream>,
    /// Our last offer, while its answer is awaited.
    offered: Option<Description>,
    registration: Registration,
    redirects: u8,
    heard: Heard,
    actions: VecDeque<Action>,
}

#[derive(Debug)]
enum State {
    /// Nothing to do before the registration is there.
    Registering,
    /// For somebody to call.
    Waiting {
        until: Option<Instant>,
    },
    /// Our INVITE is out.
    Calling {
        session: SessionId,
        until: Instant,
    },
    /// Somebody calls.
    Ringing {
        session: SessionId,
        invite: Box<Request>,
        answer_at: Instant,
    },
    Talking {
        session: SessionId,
        to_do: ToDo,
    },
    /// We said CANCEL or BYE.
    HangingUp {
        session: SessionId,
        ending: Ending,
        until: Instant,
    },
    /// Only voice thread and registrar are still to be heard.
    Leaving {
        ending: Ending,
        voice_closed: bool,
        until: Instant,
    },
}

/// What is left to do in a conversation.
#[derive(Debug, Default)]
struct ToDo {
    digits: VecDeque<(Instant, String)>,
    hangup_at: Option<Instant>,
}

impl Phone {
    /// A phone that begins at once with what it is to do.
    pub(super) fn new(
        now: Instant,
        seed: u64,
        plan: Plan,
        local: SocketAddr,
        rtp_port: u16,
    ) -> Self {
        let endpoint = Endpoint::new(EndpointConfig {
            user_agent: concat!("Cordboard-call/", env!("CARGO_PKG_VERSION")).to_owned(),
            seed,
            transactions_max: 1_000,
            sessions_max: 10,
        });
        let flow = Flow { transport: plan.transport, local, remote: plan.remote };
        let rtp = Local { ip: local.ip(), port: rtp_port };
        let mut phone = Self {
            plan,
            endpoint,
            flow,
            rtp,
            origin: Origin::new(seed),
            state: State::Registering,
            stream: None,
            offered: None,
            registration: Registration::None,
            redirects: 0,
            heard: Heard::default(),
            actions: VecDeque::new(),
        };
        phone.voice(Command::Open { leg: LEG, ip: rtp.ip, port: rtp.port });
        if phone.plan.register {
            let call_id = format!("{seed:016x}");
            phone.register(now, call_id, 1);
        } else {
            phone.begin(now);
        }
        phone.settle(now);
        phone
    }

    pub(super) fn handle_message(&mut self, now: Instant, flow: Flow, bytes: Bytes) {
        self.endpoint.handle_message(now, flow, bytes);
        self.settle(now);
    }

    pub(super) fn handle_flow_failed(&mut self, now: Instant, flow: Flow) {
        self.endpoint.handle_flow_failed(now, flow);
        self.settle(now);
    }

    pub(super) fn handle_media(&mut self, now: Instant, event: media::Event) {
        match event {
            media::Event::OpenFailed { why, .. } => {
                self.say(format!("no port for voice: {why}"));
                self.hang_up(now, Ending::Local);
            }
            media::Event::Latched { from, .. } => self.say(format!("sound comes from {from}")),
            media::Event::Digit { digit, .. } => self.say(format!("they pressed {digit}")),
            media::Event::PlayEnded { .. } => {
                self.say("played".into());
                if self.plan.hangup_at_end && matches!(self.state, State::Talking { .. }) {
                    self.hang_up(now, Ending::Well);
                }
            }
            media::Event::RecordChunk { samples, .. } => self.heard.add(&samples),
            media::Event::RecordEnded { .. } => {}
            media::Event::Closed { packets_received, packets_sent, .. } => {
                let level = self.heard.level_db();
                let level = level.map_or("silence".into(), |level| format!("{level:.0} dB"));
                self.say(format!(
                    "heard {:.2} s, {level}; {packets_received} packets in, {packets_sent} out",
                    self.heard.length().as_secs_f64(),
                ));
                if let State::Leaving { voice_closed, .. } = &mut self.state {
                    *voice_closed = true;
                }
            }
        }
        self.settle(now);
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
        if let Registration::There { call_id, cseq, renew_at } = &self.registration
            && *renew_at <= now
        {
            self.register(now, call_id.clone(), cseq + 1);
        }
        match &mut self.state {
            State::Waiting { until: Some(until) } if *until <= now => {
                self.say("nobody called".into());
                self.leave(now, Ending::NoAnswer);
            }
            State::Calling { until, .. } if *until <= now => {
                self.say("no answer".into());
                self.hang_up(now, Ending::NoAnswer);
            }
            State::Ringing { answer_at, .. } if *answer_at <= now => self.answer(now),
            State::Talking { to_do, .. } => {
                let due = to_do.digits.pop_front_if(|(at, _keys)| *at <= now);
                let hang_up = to_do.hangup_at.is_some_and(|at| at <= now);
                if let Some((_at, digits)) = due {
                    self.say(format!("press {digits}"));
                    self.voice(Command::SendDigits { leg: LEG, digits });
                }
                if hang_up {
                    self.hang_up(now, Ending::Well);
                }
            }
            State::HangingUp { ending, until, .. } if *until <= now => {
                let ending = *ending;
                self.leave(now, ending);
            }
            State::Leaving { voice_closed, until, .. } if *until <= now => {
                *voice_closed = true;
                self.registration = Registration::None;
            }
            State::Registering
            | State::Waiting { .. }
            | State::Calling { .. }
            | State::Ringing { .. }
            | State::HangingUp { .. }
            | State::Leaving { .. } => {}
        }
        self.settle(now);
    }

    /// The user wants to stop.
    pub(super) fn interrupt(&mut self, now: Instant) {
        let ending = match self.state {
            State::Talking { .. } => Ending::Well,
            State::Registering
            | State::Waiting { .. }
            | State::Calling { .. }
            | State::Ringing { .. }
            | State::HangingUp { .. }
            | State::Leaving { .. } => Ending::NoAnswer,
        };
        self.hang_up(now, ending);
        self.settle(now);
    }

    pub(super) fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let own = match &self.state {
            State::Registering => None,
            State::Waiting { until } => *until,
            State::Calling { until, .. }
            | State::HangingUp { until, .. }
            | State::Leaving { until, .. } => Some(*until),
            State::Ringing { answer_at, .. } => Some(*answer_at),
            State::Talking { to_do, .. } => {
                let digits_at = to_do.digits.front().map(|(at, _keys)| *at);
                [digits_at, to_do.hangup_at].into_iter().flatten().min()
            }
        };
        let renew_at = match &self.registration {
            Registration::There { renew_at, .. } => Some(*renew_at),
            Registration::None | Registration::Asked { .. } | Registration::TakenBack { .. } => {
                None
            }
        };
        [own, renew_at, self.endpoint.poll_timeout()].into_iter().flatten().min()
    }

    /// How it ended, once nothing is left to wait for.
    pub(super) fn ended(&self) -> Option<Ending> {
        let State::Leaving { ending, voice_closed, .. } = &self.state else { return None };
        let unregistering = matches!(self.registration, Registration::TakenBack { .. });
        (*voice_closed && !unregistering).then_some(*ending)
    }

    /// Linear mono at 8,000 Hz.
    pub(super) fn heard(&self) -> &[i16] {
        self.heard.samples()
    }

    fn settle(&mut self, now: Instant) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Transmit { flow, bytes } => {
                    self.actions.push_back(Action::Transmit { flow, bytes });
                }
                Output::Event(event) => self.handle_event(now, event),
            }
        }
    }

    fn handle_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Request { txn, request, .. } => {
                // Whether we are there, and news that we did not ask for.
                let welcome = [Method::Options, Method::Notify, Method::Message];
                let status = if welcome.contains(request.method()) {
                    StatusCode::OK
                } else {
                    StatusCode::METHOD_NOT_ALLOWED
                };
                self.endpoint.respond(now, txn, Reply::new(status));
            }
            Event::InDialog { txn, .. } => {
                self.endpoint.respond(now, txn, Reply::new(StatusCode::OK));
            }
            Event::Invite { session, request, .. } => self.ring(now, session, request),
            Event::Cancelled { session, .. } => {
                if self.is_with(session) {
                    self.say("they gave up".into());
                    self.leave(now, Ending::NoAnswer);
                }
            }
            Event::Acked { session, request } => {
                if self.is_with(session) && !request.body().is_empty() {
                    self.take_answer(now, request.body());
                }
            }
            Event::Provisional { session, response } => {
                if self.is_with(session) {
                    self.say(format!("{} {}", response.status().as_u16(), reason(&response)));
                    if !response.body().is_empty() {
                        self.take_answer(now, response.body());
                    }
                }
            }
            Event::Accepted { session, response } => {
                if self.is_with(session) && matches!(self.state, State::Calling { .. }) {
                    self.take_answer(now, response.body());
                    self.talk(now, session);
                }
            }
            Event::Failed { session, status, response } => {
                if self.is_with(session) {
                    self.failed(now, status, response);
                }
            }
            Event::Reinvite { session, request } => self.change(now, session, &request),
            Event::ReinviteAccepted { .. } | Event::ReinviteFailed { .. } => {}
            Event::Response { txn, status, response } => {
                self.registered(now, txn, status, response);
            }
            Event::Ended { session, cause, .. } => {
                if self.is_with(session) {
                    let (text, ending) = match (&self.state, cause) {
                        (State::HangingUp { ending, .. }, _) => ("over", *ending),
                        (_, sip_engine::EndCause::Bye) => ("they hung up", Ending::Well),
                        (_, sip_engine::EndCause::Hangup) => ("over", Ending::Well),
                        (
                            _,
                            sip_engine::EndCause::NoAck
                            | sip_engine::EndCause::Gone
                            | sip_engine::EndCause::FlowFailed,
                        ) => ("the other side is gone", Ending::Network),
                    };
                    self.say(text.into());
                    self.leave(now, ending);
                }
            }
        }
    }

    /// Whether this session is the one of our line.
    fn is_with(&self, of: SessionId) -> bool {
        match &self.state {
            State::Calling { session, .. }
            | State::Ringing { session, .. }
            | State::Talking { session, .. }
            | State::HangingUp { session, .. } => *session == of,
            State::Registering | State::Waiting { .. } | State::Leaving { .. } => false,
        }
    }

    /// What comes after registering, or first.
    fn begin(&mut self, now: Instant) {
        match self.plan.target.clone() {
            Some(target) => self.call(now, target),
            None => {
                self.say("waiting for a call".into());
                self.state = State::Waiting { until: self.plan.wait.map(|wait| now + wait) };
            }
        }
    }

    fn call(&mut self, now: Instant, target: String) {
        let offer = negotiate::offer(
            &mut self.origin,
            self.rtp,
            &self.plan.codecs,
            Some(TELEPHONE_EVENT),
            Direction::SendRecv,
            &Layout::audio_only(),
        );
        self.say(format!("call {target}"));
        let invite = Invite {
            flow: self.flow,
            to: format!("<{target}>"),
            uri: target,
            from: self.plan.from.clone(),
            contact_user: self.plan.user.clone(),
            headers: Vec::new(),
            body: Some(Body::sdp(offer.to_bytes())),
            max_forwards: 70,
            credentials: self.plan.credentials.clone(),
            call_id: None,
        };
        self.offered = Some(offer);
        let session = self.endpoint.invite(now, invite);
        self.state = State::Calling { session, until: now + self.plan.ring_timeout };
    }

    fn ring(&mut self, now: Instant, session: SessionId, invite: Request) {
        if !(self.plan.answer && matches!(self.state, State::Waiting { .. })) {
            return self.endpoint.reject(now, session, Reply::new(StatusCode::BUSY_HERE));
        }
        let caller = invite.from().map_or("somebody".into(), |from| {
            from.uri.user().unwrap_or_else(|| from.uri.host().to_string())
        });
        self.say(format!("{} calls", caller.escape_debug()));
        self.endpoint.provisional(now, session, Reply::new(StatusCode::RINGING));
        let answer_at = now + self.plan.answer_after;
        self.state = State::Ringing { session, invite: Box::new(invite), answer_at };
    }

    fn answer(&mut self, now: Instant) {
        let State::Ringing { session, invite, .. } = &self.state else { return };
        let session = *session;
        let body = invite.body_bytes();
        let described = if body.is_empty() {
            // They want our offer; their answer comes with the ACK (RFC 3261 §13.2.1).
            let offer = negotiate::offer(
                &mut self.origin,
                self.rtp,
                &self.plan.codecs,
                Some(TELEPHONE_EVENT),
                Direction::SendRecv,
                &Layout::audio_only(),
            );
            self.offered = Some(offer.clone());
            Some(offer)
        } else {
            self.answer_offer(&body)
        };
        let Some(description) = described else {
            self.say("no common codec".into());
            let refusal = Reply::new(StatusCode::NOT_ACCEPTABLE_HERE);
            self.endpoint.reject(now, session, refusal);
            return self.leave(now, Ending::Refused);
        };
        let reply = Reply::new(StatusCode::OK).body(Body::sdp(description.to_bytes()));
        self.endpoint.accept(now, session, reply);
        self.talk(now, session);
    }

    /// Our answer to an offer, already in force; `None` if we have nothing in common.
    fn answer_offer(&mut self, offer: &[u8]) -> Option<Description> {
        let offer = Description::parse(offer).ok()?;
        let codecs = &self.plan.codecs;
        let direction = Direction::SendRecv;
        let answered =
            negotiate::answer(&mut self.origin, &offer, self.rtp, codecs, direction).ok()?;
        self.agree(&answered.stream);
        Some(answered.description)
    }

    fn take_answer(&mut self, now: Instant, body: &[u8]) {
        let Some(offer) = &self.offered else { return };
        if body.is_empty() {
            return;
        }
        let agreed =
            Description::parse(body).map_err(|error| error.to_string()).and_then(|answer| {
                negotiate::accept_answer(offer, &answer).map_err(|error| error.to_string())
            });
        match agreed {
            Ok(agreed) => self.agree(&agreed),
            Err(why) => {
                self.say(format!("their description is of no use: {why}"));
                self.hang_up(now, Ending::Refused);
            }
        }
    }

    /// Puts what was agreed into force; the first time, recording begins.
    fn agree(&mut self, agreed: &Agreed) {
        let stream = stream_of(agreed);
        if self.stream.as_ref() == Some(&stream) {
            return;
        }
        let first = self.stream.is_none();
        let remote = stream.remote.map_or("nowhere yet".into(), |remote| remote.to_string());
        self.say(format!("sound: {} with {remote}", agreed.codec.name));
        self.voice(Command::Configure { leg: LEG, stream: stream.clone() });
        self.stream = Some(stream);
        if first {
            let limits = RecordLimits { max: RECORD_MAX, silence: None, terminator: None };
            self.voice(Command::Record { leg: LEG, job: RECORD, limits });
        }
    }

    fn talk(&mut self, now: Instant, session: SessionId) {
        self.say("answered".into());
        if let Some(item) = self.plan.play.clone() {
            let playlist = Playlist {
                items: vec![item],
                repeat: Flag::Off,
                barge: Flag::Off,
                from: Duration::ZERO,
                gain_db: 0.0,
            };
            self.voice(Command::Play { leg: LEG, job: PLAY, playlist });
        }
        let to_do = ToDo {
            digits: self.plan.digits.drain(..).map(|(after, keys)| (now + after, keys)).collect(),
            hangup_at: self.plan.hangup_after.map(|after| now + after),
        };
        self.state = State::Talking { session, to_do };
    }

    /// The other side wants to change something, such as to put us on hold.
    fn change(&mut self, now: Instant, session: SessionId, request: &Request) {
        let body = request.body_bytes();
        let described = if body.is_empty() { self.origin.last() } else { self.answer_offer(&body) };
        match described {
            Some(description) => {
                self.offered = body.is_empty().then(|| description.clone());
                self.say("they changed the call".into());
                let reply = Reply::new(StatusCode::OK).body(Body::sdp(description.to_bytes()));
                self.endpoint.accept_reinvite(now, session, reply);
            }
            None => {
                let refusal = Reply::new(StatusCode::NOT_ACCEPTABLE_HERE);
                self.endpoint.reject_reinvite(now, session, refusal);
            }
        }
    }

    fn failed(&mut self, now: Instant, status: StatusCode, response: Option<Response>) {
        if let State::HangingUp { ending, .. } = self.state {
            return self.leave(now, ending);
        }
        let text = response.as_ref().map_or("no answer at all".into(), reason);
        self.say(format!("{} {text}", status.as_u16()));
        if let Some(target) = response.as_ref().and_then(redirection)
            && self.redirects < REDIRECTS_MAX
        {
            self.redirects += 1;
            return self.call(now, target);
        }
        self.leave(now, Ending::of(status, response.is_some()));
    }

    /// Ends the call by whatever fits, then everything.
    fn hang_up(&mut self, now: Instant, ending: Ending) {
        match &self.state {
            State::Calling { session, .. }
            | State::Ringing { session, .. }
            | State::Talking { session, .. } => {
                let session = *session;
                self.say("hang up".into());
                self.voice(Command::StopPlay { leg: LEG, job: PLAY });
                self.endpoint.hangup(now, session, None);
                let rejected = matches!(self.state, State::Ringing { .. });
                self.state = State::HangingUp { session, ending, until: now + HANGUP_TIME_MAX };
                if rejected {
                    // A rejected call is over without further news.
                    self.leave(now, ending);
                }
            }
            State::Registering | State::Waiting { .. } => self.leave(now, ending),
            State::HangingUp { .. } | State::Leaving { .. } => {}
        }
    }

    fn leave(&mut self, now: Instant, ending: Ending) {
        if matches!(self.state, State::Leaving { .. }) {
            return;
        }
        self.voice(Command::Close { leg: LEG });
        if let Registration::There { call_id, cseq, .. } = &self.registration {
            self.unregister(now, call_id.clone(), cseq + 1);
        }
        self.state = State::Leaving { ending, voice_closed: false, until: now + LEAVING_TIME_MAX };
    }

    fn voice(&mut self, command: Command) {
        self.actions.push_back(Action::Voice(command));
    }

    fn say(&mut self, text: String) {
        self.actions.push_back(Action::Say(text));
    }
}

fn stream_of(agreed: &Agreed) -> Stream {
    let codec =
        if agreed.codec.same_encoding(&RtpCodec::pcma()) { Codec::Pcma } else { Codec::Pcmu };
    Stream {
        remote: agreed.remote,
        codec,
        payload_type: agreed.codec.payload_type,
        receive_payload_type: agreed.receive_payload_type,
        dtmf_payload_type: agreed.telephone_event,
        receive_dtmf_payload_type: agreed.receive_telephone_event,
        ptime_ms: agreed.ptime_ms,
        sending: agreed.direction.can_send().into(),
        receiving: agreed.direction.can_receive().into(),
        latch: Latch::SameHost,
    }
}

/// Where a 3xx sends us.
fn redirection(response: &Response) -> Option<String> {
    if response.class() != Class::Redirect {
        return None;
    }
    let contacts = response.contacts().ok()?;
    let first = contacts.iter().find_map(ContactValue::addr)?;
    Some(String::from_utf8_lossy(first.uri.as_bytes()).into_owned())
}

/// The reason phrase, fit for a terminal.
fn reason(response: &Response) -> String {
    String::from_utf8_lossy(response.reason()).escape_debug().to_string()
}

/// The one leg there is.
const LEG: LegId = LegId(1);
const PLAY: JobId = JobId(1);
const RECORD: JobId = JobId(2);
/// Payload type of key presses in our offers.
const TELEPHONE_EVENT: u8 = 101;
/// Longest recording.
const RECORD_MAX: Duration = Duration::from_secs(2 * 3_600);
/// Redirections followed.
const REDIRECTS_MAX: u8 = 5;
/// How long to wait for the answer to a BYE or CANCEL.
const HANGUP_TIME_MAX: Duration = Duration::from_secs(3);
/// How long to wait for the last words of voice thread and registrar.
const LEAVING_TIME_MAX: Duration = Duration::from_secs(1);
