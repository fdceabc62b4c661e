//! One call: a caller, the script that decides what happens to it, and whoever is joined to it.
//!
//! At any moment a call has one [`Task`]: what it is waiting for. When that is finished, whoever asked
//! for it (a feature such as voicemail, else the script) is told, and asks for the next.

mod bridge;
mod caller;
mod dial;
mod leg;
mod perform;
mod read;
mod record;
mod sounds;
mod verbs;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dialplan::{Ending, LogLevel, Outcome, Script, Step};
use media::{Event as MediaEvent, LegId};
use sip_engine::{Event, Reply, SessionId};
use sip_syntax::{Method, Request, StatusCode};

use crate::Prompts;
use crate::auth::printable;
use crate::desk::{CallId, Desk};
use crate::feature;
use crate::records::{CallRecord, StoreReply, StoreRequest, Ticket};

use bridge::Bridge;
use dial::Dialing;
use perform::{Collecting, Performance, Recording};

pub(crate) use caller::{Caller, Stage};

/// One call.
#[derive(Debug)]
pub(crate) struct Call {
    id: CallId,
    /// Names the call in the log and the call record.
    name: String,
    thread: usize,
    caller: Caller,
    /// Those of its script's generation.
    prompts: Arc<Prompts>,
    /// `None` once it was closed.
    script: Option<Script>,
    feature: Option<Box<Feature>>,
    task: Task,
    /// Keys pressed that nobody asked for yet.
    typed: VecDeque<char>,
    /// Music that goes on while the script does something else.
    background: Option<media::JobId>,
    /// How the last dial failed: relayed if the script gives no other answer.
    last_failure: Option<(StatusCode, Option<String>)>,
    story: Story,
    alarm: Option<Instant>,
    give_up_at: Instant,
    presence: Presence,
}

/// Whether the caller is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Here,
    /// Only what must be kept is still being kept.
    Gone,
}

/// What a call waits for.
#[derive(Debug)]
enum Task {
    /// Nothing: it is being told something, or is over.
    Idle,
    /// Its slice of instructions, or its turn of verbs, was used up; it is told this when others had
    /// their turn.
    Paused {
        since: Instant,
        finished: Box<Finished>,
    },
    Playing {
        job: media::JobId,
        barge: dialplan::Barge,
    },
    Collecting(Collecting),
    Recording(Recording),
    Echoing,
    Sleeping {
        until: Instant,
    },
    /// A late offer of ours is not answered yet (RFC 3264 §4), or the caller is asked to change to a
    /// codec that we can play: then this follows.
    Preparing(Performance),
    Dialing(Box<Dialing>),
    Bridged(Box<Bridge>),
    /// For a reply of the store; without one in time it is taken for broken.
    Storing {
        ticket: Ticket,
        until: Instant,
    },
}

/// What the switch does with a caller by itself; each is a conversation, just like a script.
#[derive(Debug)]
enum Feature {
    Read(read::ReadDigits),
    Record(record::RecordCaller),
    Leave(feature::LeaveMessage),
    Listen(feature::Listen),
}

/// What a feature wants next.
#[derive(Debug)]
enum Next {
    Perform(Performance),
    Store(StoreRequest),
    Done(Outcome),
}

/// What a task came to.
#[derive(Debug)]
enum Finished {
    /// For a feature.
    Reply(feature::Reply),
    /// Played to the end, or a digit stopped it.
    Played { digit: Option<char>, heard: Duration },
    /// For the script.
    Outcome(Outcome),
}

/// What is told of a call when it is over.
#[derive(Debug)]
struct Story {
    from: String,
    to: String,
    started_at: Instant,
    answered_at: Option<Instant>,
    answered_by: String,
}

impl Call {
    /// A call whose script has not begun.
    pub(crate) fn new(
        desk: &mut Desk,
        now: Instant,
        id: CallId,
        name: String,
        caller: Caller,
        script: Script,
        (from, to): (String, String),
    ) -> Self {
        let threads = desk.config.media_threads.max(1) as u64;
        Self {
            id,
            name,
            thread: usize::try_from(id.0 % threads).unwrap_or(0),
            caller,
            prompts: desk.prompts.clone(),
            script: Some(script),
            feature: None,
            task: Task::Idle,
            typed: VecDeque::new(),
            background: None,
            last_failure: None,
            story: Story {
                from,
                to,
                started_at: now,
                answered_at: None,
                answered_by: String::new(),
            },
            alarm: None,
            give_up_at: now + desk.config.limits.unanswered_max,
            presence: Presence::Here,
        }
    }

    /// Whose allowance of calls at one time this one uses.
    pub(crate) fn charged_to(&self) -> Option<&str> {
        self.caller.charged_to.as_deref()
    }

    /// Begins the script.
    pub(crate) fn start(&mut self, now: Instant, desk: &mut Desk) {
        self.proceed(now, desk, Finished::Outcome(Outcome::Start));
    }

    /// Nothing is left to do; the call can be forgotten.
    pub(crate) fn is_over(&self) -> bool {
        self.presence == Presence::Gone && self.feature.is_none() && matches!(self.task, Task::Idle)
    }

    /// Keeps the desk's alarm for this call right; to be called after everything that happened.
    pub(crate) fn settle_alarm(&mut self, desk: &mut Desk) {
        let wanted = if self.is_over() { None } else { self.wake_at() };
        desk.set_alarm(self.id, self.alarm, wanted);
        self.alarm = wanted;
    }

    /// Lets go of what the desk still remembers. The last thing that happens to a call.
    pub(crate) fn forget(mut self, desk: &mut Desk) {
        desk.set_alarm(self.id, self.alarm, None);
        if let Some(leg) = self.caller.leg.take() {
            desk.forget_leg(leg.socket.leg);
        }
    }

    fn wake_at(&self) -> Option<Instant> {
        let task = match &self.task {
            Task::Paused { since, .. } => Some(*since),
            Task::Collecting(collecting) => collecting.until(),
            Task::Sleeping { until } | Task::Storing { until, .. } => Some(*until),
            Task::Dialing(dialing) => dialing.wake_at(),
            Task::Idle
            | Task::Playing { .. }
            | Task::Recording(_)
            | Task::Echoing
            | Task::Preparing(_)
            | Task::Bridged(_) => None,
        };
        Some(task.map_or(self.give_up_at, |task| task.min(self.give_up_at)))
    }

    /// Time passed.
    pub(crate) fn handle_timeout(&mut self, now: Instant, desk: &mut Desk) {
        if now >= self.give_up_at {
            return self.give_up(now, desk);
        }
        match &mut self.task {
            Task::Paused { .. } => {
                if let Task::Paused { finished, .. } = std::mem::replace(&mut self.task, Task::Idle)
                {
                    self.proceed(now, desk, *finished);
                }
            }
            Task::Sleeping { until } if now >= *until => {
                self.proceed(now, desk, Finished::Outcome(Outcome::Done));
            }
            Task::Storing { ticket, until } if now >= *until => {
                desk.redeem(*ticket);
                tracing::error!(call = %self.name, "the store does not reply");
                self.proceed(now, desk, STORE_FAILED);
            }
            Task::Collecting(collecting) if collecting.until().is_some_and(|at| now >= at) => {
                self.finish_collecting(now, desk, dialplan::ReadEnd::Timeout);
            }
            Task::Dialing(_) => self.dial_timeout(now, desk),
            Task::Sleeping { .. }
            | Task::Storing { .. }
            | Task::Collecting(_)
            | Task::Idle
            | Task::Playing { .. }
            | Task::Recording(_)
            | Task::Echoing
            | Task::Preparing(_)
            | Task::Bridged(_) => {}
        }
    }

    /// The call took too long; or the caller is gone, and the media thread never told how its
    /// recording ended.
    fn give_up(&mut self, now: Instant, desk: &mut Desk) {
        match self.presence {
            Presence::Here => {
                let reply = Reply::new(StatusCode::REQUEST_TIMEOUT);
                self.end(now, desk, reply, "longest call time reached");
            }
            Presence::Gone => {
                self.give_up_at = now + LINGER_MAX;
                let told = if let Task::Storing { ticket, .. } = self.task {
                    desk.redeem(ticket);
                    STORE_FAILED
                } else {
                    Finished::Reply(feature::Reply::HungUp)
                };
                self.proceed(now, desk, told);
            }
        }
    }

    /// A session of this call has news.
    pub(crate) fn handle_event(&mut self, now: Instant, desk: &mut Desk, event: Event) {
        match event {
            Event::Cancelled { session, reason } => {
                desk.disown_session(session);
                self.caller.session = None;
                tracing::debug!(call = %self.name, ?reason, "cancelled");
                self.depart(now, desk, StatusCode::REQUEST_TERMINATED, "caller gave up");
            }
            Event::Ended { session, cause, .. } => self.session_ended(now, desk, session, cause),
            Event::Acked { request, session } if self.caller.session == Some(session) => {
                self.caller_acked(now, desk, &request);
            }
            Event::Provisional { session, response } => {
                self.branch_provisional(now, desk, session, &response);
            }
            Event::Accepted { session, response } => {
                self.branch_accepted(now, desk, session, &response);
            }
            Event::Failed { session, status, response } => {
                self.branch_failed(now, desk, session, status, response.as_ref());
            }
            Event::Reinvite { session, request } => {
                self.reinvited(now, desk, session, &request);
            }
            Event::ReinviteAccepted { session, response } => {
                self.reinvite_accepted(now, desk, session, &response);
            }
            Event::ReinviteFailed { session, status, .. } => {
                self.reinvite_failed(now, desk, session, status);
            }
            Event::InDialog { session, txn, request } => {
                let reply = self.in_dialog(now, desk, session, &request);
                desk.endpoint.respond(now, txn, reply);
            }
            Event::Acked { session, request } => self.peer_acked(now, desk, session, &request),
            Event::Request { .. } | Event::Invite { .. } | Event::Response { .. } => {}
        }
    }

    fn session_ended(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        session: SessionId,
        cause: sip_engine::EndCause,
    ) {
        desk.disown_session(session);
        if self.caller.session == Some(session) {
            self.caller.session = None;
            let ending = match cause {
                sip_engine::EndCause::Bye => "caller hung up",
                sip_engine::EndCause::Hangup => "hung up",
                sip_engine::EndCause::NoAck => "caller never acknowledged the answer",
                sip_engine::EndCause::Gone => "caller's phone has forgotten the call",
                sip_engine::EndCause::FlowFailed => "connection to the caller broke",
            };
            self.depart(now, desk, StatusCode::OK, ending);
        } else {
            self.peer_ended(now, desk, session);
        }
    }

    /// INFO with a digit (both body types in use) or anything else, and OPTIONS.
    fn in_dialog(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        session: SessionId,
        request: &Request,
    ) -> Reply {
        match request.method() {
            Method::Info => {
                if let Some(digit) = digit_of_info(request) {
                    let by_caller = Some(session) == self.caller.session;
                    self.digit(now, desk, by_caller, digit, Told::BySip);
                }
                Reply::new(StatusCode::OK)
            }
            Method::Options => Reply::new(StatusCode::OK),
            // Nobody would read it.
            Method::Message
            | Method::Invite
            | Method::Ack
            | Method::Bye
            | Method::Cancel
            | Method::Register
            | Method::Prack
            | Method::Subscribe
            | Method::Notify
            | Method::Update
            | Method::Refer
            | Method::Publish
            | Method::Other(_) => {
                Reply::new(StatusCode::METHOD_NOT_ALLOWED).header("Allow", sip_engine::ALLOW)
            }
        }
    }

    /// A media thread has news of one of this call's legs.
    pub(crate) fn handle_media(&mut self, now: Instant, desk: &mut Desk, event: MediaEvent) {
        match event {
            MediaEvent::OpenFailed { leg, why } => self.open_failed(now, desk, leg, &why),
            MediaEvent::Latched { leg, from } => {
                tracing::debug!(call = %self.name, ?leg, %from, "sound arrives");
            }
            MediaEvent::Digit { leg, digit } => {
                let by_caller = self.caller.leg_id() == Some(leg);
                self.digit(now, desk, by_caller, digit, Told::ByRtp);
            }
            MediaEvent::PlayEnded { job, digit, heard, .. } => {
                self.play_ended(now, desk, job, digit, heard);
            }
            MediaEvent::RecordChunk { job, samples, .. } => self.record_chunk(desk, job, samples),
            MediaEvent::RecordEnded { job, reason, length, trailing_silence, .. } => {
                self.record_ended(now, desk, job, reason, length, trailing_silence);
            }
            MediaEvent::Closed { leg, packets_received, packets_sent, packets_refused } => {
                tracing::debug!(
                    call = %self.name,
                    ?leg,
                    packets_received,
                    packets_sent,
                    packets_refused,
                    "sound closed"
                );
            }
        }
    }

    fn open_failed(&mut self, now: Instant, desk: &mut Desk, leg: LegId, why: &str) {
        tracing::error!(
            call = %self.name,
            "cannot open a media port: {why}; choose a free range with media.ports"
        );
        if self.caller.leg_id() == Some(leg) {
            let reply = Reply::new(StatusCode::SERVICE_UNAVAILABLE).header("Retry-After", "5");
            self.end(now, desk, reply, "no media port");
        } else {
            self.branch_lost_its_port(now, desk, leg);
        }
    }

    /// The store replied to this call.
    pub(crate) fn handle_stored(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        ticket: Ticket,
        reply: StoreReply,
    ) {
        if matches!(self.task, Task::Storing { ticket: own, .. } if own == ticket) {
            self.proceed(now, desk, Finished::Reply(feature::Reply::Stored(reply)));
        }
    }

    /// A host name was looked up for this call.
    pub(crate) fn handle_resolved(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        ticket: Ticket,
        addresses: &[std::net::SocketAddr],
    ) {
        self.branch_resolved(now, desk, ticket, addresses);
    }

    /// The exchange stops: hang up politely.
    pub(crate) fn shut_down(&mut self, now: Instant, desk: &mut Desk) {
        let reply = Reply::new(StatusCode::SERVICE_UNAVAILABLE).header("Retry-After", "10");
        self.end(now, desk, reply, "exchange stopped");
    }

    /// Tells whoever asked what their task came to, and carries out what they ask next, until
    /// something has to be waited for or the call's turn is over.
    fn proceed(&mut self, now: Instant, desk: &mut Desk, finished: Finished) {
        self.task = Task::Idle;
        let mut next = Some(finished);
        let mut steps_left = STEPS_PER_TURN;
        while let Some(finished) = next.take() {
            if steps_left == 0 && self.presence == Presence::Here {
                self.task = Task::Paused { since: now, finished: Box::new(finished) };
                return;
            }
            steps_left = steps_left.saturating_sub(1);
            next = match self.feature.as_deref_mut() {
                Some(feature) => {
                    let asked = feature.next(now, finished.into_reply(), desk, &self.prompts);
                    self.carry_out(now, desk, asked)
                }
                None => self.resume(now, desk, finished.into_outcome()),
            };
        }
    }

    fn carry_out(&mut self, now: Instant, desk: &mut Desk, asked: Next) -> Option<Finished> {
        match asked {
            Next::Store(request) => match desk.store(self.id, request) {
                Some(ticket) => {
                    self.task = Task::Storing { ticket, until: now + STORE_MAX };
                    None
                }
                None => Some(Finished::Reply(feature::Reply::Told)),
            },
            Next::Perform(performance) => match self.presence {
                Presence::Here => self.perform(now, desk, performance),
                Presence::Gone => Some(performance.cut_off()),
            },
            Next::Done(outcome) => {
                self.feature = None;
                (self.presence == Presence::Here).then_some(Finished::Outcome(outcome))
            }
        }
    }

    /// Runs the script until it asks for something that takes time.
    fn resume(&mut self, now: Instant, desk: &mut Desk, outcome: Outcome) -> Option<Finished> {
        let script = self.script.as_mut()?;
        let step = script.resume(outcome, &desk.clock.local(now));
        self.write_log();
        match step {
            Step::Ask(verb) => self.start_verb(now, desk, verb),
            Step::Slice => {
                let finished = Box::new(Finished::Outcome(Outcome::Done));
                self.task = Task::Paused { since: now, finished };
                None
            }
            Step::Returned => {
                self.script_returned(now, desk);
                None
            }
            Step::Failed(error) => {
                tracing::error!(call = %self.name, "{error}");
                let reply = Reply::new(StatusCode::SERVER_INTERNAL_ERROR);
                self.end(now, desk, reply, "script fault");
                None
            }
        }
    }

    /// The handler ended without a final action: the last dial's answer is relayed, or the call hung
    /// up.
    fn script_returned(&mut self, now: Instant, desk: &mut Desk) {
        let answered = self.caller.stage == Stage::Answered;
        match self.last_failure.take() {
            Some((status, reason)) if !answered => {
                let mut reply = Reply::new(status);
                reply.reason = reason;
                self.end(now, desk, reply, "not answered");
            }
            Some(_) | None => {
                if !answered {
                    tracing::warn!(
                        call = %self.name,
                        "the handler of {} ended without answering, rejecting or redirecting",
                        self.story.to
                    );
                }
                let reply = Reply::new(StatusCode::TEMPORARILY_UNAVAILABLE);
                self.end(now, desk, reply, "script ended");
            }
        }
    }

    /// Ends the call from our side: `reply` if it was not answered, else BYE.
    fn end(&mut self, now: Instant, desk: &mut Desk, reply: Reply, ending: &str) {
        let status = reply.status;
        if let Some(session) = self.caller.session.take() {
            desk.disown_session(session);
            if self.caller.stage == Stage::Answered {
                desk.endpoint.bye(now, session, None);
            } else {
                desk.endpoint.reject(now, session, reply);
            }
        }
        self.depart(now, desk, status, ending);
    }

    /// The caller is gone: stop everything, keep what must be kept, tell the story.
    fn depart(&mut self, now: Instant, desk: &mut Desk, status: StatusCode, ending: &str) {
        if self.presence == Presence::Gone {
            return;
        }
        self.presence = Presence::Gone;
        self.give_up_at = now + LINGER_MAX;
        let status = if self.story.answered_at.is_some() { StatusCode::OK } else { status };
        // What a feature is told; `None` while something that must be kept is still on its way.
        let mut told = Some(Finished::Reply(feature::Reply::HungUp));
        match std::mem::replace(&mut self.task, Task::Idle) {
            Task::Dialing(dialing) => dialing.abandon(now, desk),
            Task::Bridged(bridge) => bridge.part(now, desk),
            Task::Recording(recording) if recording.is_beeping() => {
                told = Some(perform::nothing_recorded());
            }
            Task::Preparing(performance) => told = Some(performance.cut_off()),
            task @ (Task::Recording(_) | Task::Storing { .. }) => {
                self.task = task;
                told = None;
            }
            Task::Paused { finished, .. } => told = Some(*finished),
            Task::Idle
            | Task::Playing { .. }
            | Task::Collecting(_)
            | Task::Echoing
            | Task::Sleeping { .. } => {}
        }
        if let Some(leg) = &self.caller.leg {
            desk.close_socket(leg.socket);
        }
        self.close_script(now, desk, status, ending);
        self.tell(now, desk, status, ending);
        if let (Some(told), true) = (told, self.feature.is_some()) {
            self.proceed(now, desk, told);
        }
    }

    fn close_script(&mut self, now: Instant, desk: &mut Desk, status: StatusCode, ending: &str) {
        if let Some(script) = self.script.as_mut() {
            let ending = Ending { cause: ending.to_owned(), code: status.as_u16() };
            for error in script.close(ending, &desk.clock.local(now)) {
                tracing::error!(call = %self.name, "{error}");
            }
            self.write_log();
            self.script = None;
        }
    }

    fn write_log(&mut self) {
        let Some(script) = self.script.as_mut() else { return };
        for line in script.take_logs() {
            let (call, text) = (&self.name, one_line(&line.text));
            let at = format!("{}:{}", line.file, line.line);
            match line.level {
                LogLevel::Debug => tracing::debug!(%call, script = %at, "{text}"),
                LogLevel::Info => tracing::info!(%call, script = %at, "{text}"),
                LogLevel::Warn => tracing::warn!(%call, script = %at, "{text}"),
                LogLevel::Error => tracing::error!(%call, script = %at, "{text}"),
            }
        }
    }

    /// One line in the log and one record for each call.
    fn tell(&self, now: Instant, desk: &mut Desk, status: StatusCode, ending: &str) {
        let Story { from, to, started_at, answered_at, answered_by } = &self.story;
        let answered_after = answered_at.map(|at| at.saturating_duration_since(*started_at));
        let ended_after = now.saturating_duration_since(*started_at);
        tracing::info!(
            call = %self.name,
            from = %printable(from),
            to = %printable(to),
            status = status.as_u16(),
            by = %answered_by,
            answered_after = ?answered_after.unwrap_or_default(),
            ended_after = ?ended_after,
            "{ending}"
        );
        let record = CallRecord {
            id: self.name.clone(),
            from: from.clone(),
            to: to.clone(),
            account: self.caller.account.clone(),
            source: self.caller.flow.remote,
            started_at: desk.clock.unix_ms(*started_at),
            answered_after,
            ended_after,
            status: status.as_u16(),
            answered_by: answered_by.clone(),
            ending: ending.to_owned(),
        };
        desk.store(self.id, StoreRequest::Call(Box::new(record)));
    }
}

/// How a digit reached us; those in RTP are relayed by the media thread itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    ByRtp,
    BySip,
}

impl Finished {
    fn into_reply(self) -> feature::Reply {
        match self {
            Finished::Reply(reply) => reply,
            Finished::Played { digit, .. } => feature::Reply::Played { digit },
            Finished::Outcome(_) => feature::Reply::Start,
        }
    }

    fn into_outcome(self) -> Outcome {
        match self {
            Finished::Outcome(outcome) => outcome,
            Finished::Played { digit, heard } => Outcome::Played { digit, heard },
            Finished::Reply(_) => Outcome::Done,
        }
    }
}

/// `Signal=5` of application/dtmf-relay, or the lone digit of application/dtmf.
fn digit_of_info(request: &Request) -> Option<char> {
    let body = std::str::from_utf8(request.body()).ok()?;
    let signal = body
        .lines()
        .find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("signal").then(|| value.trim())
        })
        .unwrap_or_else(|| body.trim());
    let mut chars = signal.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some(digit), None, _) if is_digit(digit) => Some(digit.to_ascii_uppercase()),
        (Some('1'), Some('0'), None) => Some('*'),
        (Some('1'), Some('1'), None) => Some('#'),
        _ => None,
    }
}

fn is_digit(digit: char) -> bool {
    matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D' | 'a'..='d')
}

/// What a script logs may come from the network: it cannot begin a line of its own.
fn one_line(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        Cow::Owned(text.replace(char::is_control, " "))
    } else {
        Cow::Borrowed(text)
    }
}

const STORE_FAILED: Finished = Finished::Reply(feature::Reply::Stored(StoreReply::Failed));
/// How long a caller waits for the store; then it is taken for broken.
const STORE_MAX: Duration = Duration::from_secs(10);
/// How long the rest of a recording may take to arrive after the caller is gone.
const LINGER_MAX: Duration = Duration::from_secs(30);
/// Things one call may ask for at one go before others have their turn.
const STEPS_PER_TURN: u32 = 50;
