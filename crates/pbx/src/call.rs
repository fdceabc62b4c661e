//! One call: a caller, the script that decides what happens to it, and whoever is joined to it.
//!
//! A call's line serves one [`Task`] at a time: what it is waiting for. When that is finished, whoever
//! asked for it (a feature such as voicemail, else the script) is told, and asks for the next. What
//! needs no line waits beside it ([`Asides`]).

mod answer;
mod bridge;
mod caller;
mod dial;
mod ending;
mod fault;
mod keys;
mod leg;
mod origin;
mod perform;
mod read;
mod record;
mod sounds;
mod speak;
mod story;
mod transfer;
mod transferee;
mod turn;
mod verbs;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dialplan::{AskId, Outcome, Script, Side, Verb};
use media::{Event as MediaEvent, LegId};
use sip_engine::Event;
use sip_syntax::{Method, StatusCode};

use crate::Prompts;
use crate::asides::{Asides, News};
use crate::desk::{CallId, Desk};
use crate::feature;
use crate::records::{StoreReply, StoreRequest, Ticket};
use crate::steps::Steps;

use answer::Pending;
use bridge::Bridge;
use dial::Dialing;
use keys::Told;
use origin::Origin;
use perform::{Collecting, Performance, Recording};
use speak::Speaking;
use story::Story;
use transfer::Transferring;
use transferee::Referral;
use turn::Todo;

pub(crate) use caller::{Caller, Stage};
pub(crate) use leg::Leg;
pub(crate) use transfer::NewPhone;

/// One call.
#[derive(Debug)]
pub(crate) struct Call {
    id: CallId,
    /// Names the call in the log and the call record.
    name: String,
    thread: usize,
    caller: Caller,
    /// What it is for if we called; then the caller is whoever answered us.
    origin: Option<Box<Origin>>,
    /// Those whom its script called and may still join to the caller.
    legs: Vec<CallId>,
    /// Those of its script's generation.
    prompts: Arc<Prompts>,
    /// The number of that.
    generation: u64,
    /// `None` once it was closed.
    script: Option<Script>,
    feature: Option<Box<Feature>>,
    task: Task,
    /// The ask of the script that the line serves.
    line: Option<AskId>,
    /// Its script failed; it ends when the caller was told so.
    is_sorry: bool,
    /// Nobody waits for the feature any more; it only keeps what must be kept.
    is_cut_off: bool,
    /// What the line serves after that.
    held: Option<(AskId, Verb)>,
    asides: Asides,
    /// Since when it waits for its next turn: its slice of instructions, or its turn of verbs, was
    /// used up.
    paused: Option<Instant>,
    /// What it may still ask for in this turn of the switch.
    steps: Steps,
    /// What it is told then.
    todo: VecDeque<Todo>,
    /// Whether the script may want more than it has told.
    more: bool,
    /// Keys pressed that nobody asked for yet.
    typed: VecDeque<char>,
    /// Music that goes on while the script does something else.
    background: Option<media::JobId>,
    /// How the last dial failed: relayed if the script gives no other answer.
    last_failure: Option<(StatusCode, Option<String>)>,
    /// If its caller was transferred to it and may go back: where to.
    referral: Option<Box<Referral>>,
    /// Who transferred its caller to it, as a Referred-By value (RFC 3892).
    referred_by: Option<String>,
    /// Transfers in a row that led to this call.
    transfer_depth: u32,
    /// Transfers that its parties asked for.
    transfers_tried: u8,
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
    /// Nothing.
    Idle,
    Playing {
        job: media::JobId,
        barge: dialplan::Barge,
    },
    Collecting(Collecting),
    Recording(Recording),
    Echoing,
    /// A late offer of ours is not answered yet (RFC 3264 §4), or the caller is asked to change to a
    /// codec that we can play: then this follows.
    Preparing(Performance, Pending),
    Dialing(Box<Dialing>),
    Bridged(Box<Bridge>),
    /// For what comes of a transfer that a party asked for.
    Transferring(Box<Transferring>),
    /// For somebody whom the script called, to be handed over by that call.
    Taking(CallId),
    /// For the sound of texts, with which a verb then begins.
    Speaking(Box<Speaking>),
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

impl Call {
    /// A call whose script has not begun.
    pub(crate) fn new(
        desk: &mut Desk,
        now: Instant,
        id: CallId,
        name: String,
        caller: Caller,
        script: Script,
        parties: (String, String),
    ) -> Self {
        let thread = desk.next_thread();
        let call = Self::blank(desk, now, id, name, thread, caller, parties);
        Self { script: Some(script), ..call }
    }

    /// A call without a script.
    fn blank(
        desk: &Desk,
        now: Instant,
        id: CallId,
        name: String,
        thread: usize,
        caller: Caller,
        (from, to): (String, String),
    ) -> Self {
        let asides = Asides::new(id, name.clone());
        Self {
            id,
            name,
            thread,
            caller,
            origin: None,
            legs: Vec::new(),
            prompts: desk.prompts.clone(),
            generation: desk.generation,
            script: None,
            feature: None,
            task: Task::Idle,
            line: None,
            is_sorry: false,
            is_cut_off: false,
            held: None,
            asides,
            paused: None,
            steps: Steps::default(),
            todo: VecDeque::new(),
            more: false,
            typed: VecDeque::new(),
            background: None,
            last_failure: None,
            referral: None,
            referred_by: None,
            transfer_depth: 0,
            transfers_tried: 0,
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
        self.turn(now, desk, Some(Todo::Script(None)));
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
            Task::Collecting(collecting) => collecting.until(),
            Task::Storing { until, .. } => Some(*until),
            Task::Speaking(speaking) => Some(speaking.until()),
            Task::Dialing(dialing) => dialing.wake_at(),
            Task::Transferring(transferring) => transferring.wake_at(),
            Task::Idle
            | Task::Playing { .. }
            | Task::Recording(_)
            | Task::Echoing
            | Task::Preparing(..)
            | Task::Taking(_)
            | Task::Bridged(_) => None,
        };
        [task, self.paused, self.asides.until(), Some(self.give_up_at)].into_iter().flatten().min()
    }

    /// Time passed.
    pub(crate) fn handle_timeout(&mut self, now: Instant, desk: &mut Desk) {
        if now >= self.give_up_at {
            return self.give_up(now, desk);
        }
        self.resume_turn(now, desk);
        while let Some(told) = self.asides.due(now, desk) {
            self.turn(now, desk, Some(Todo::Script(Some(told))));
        }
        match &mut self.task {
            Task::Storing { ticket, until } if now >= *until => {
                desk.redeem(*ticket);
                tracing::error!(call = %self.name, "the store does not reply");
                self.proceed(now, desk, STORE_FAILED);
            }
            Task::Collecting(collecting) if collecting.until().is_some_and(|at| now >= at) => {
                self.finish_collecting(now, desk, dialplan::ReadEnd::Timeout);
            }
            Task::Dialing(_) => self.dial_timeout(now, desk),
            Task::Transferring(_) => self.transfer_timeout(now, desk),
            Task::Speaking(speaking) if now >= speaking.until() => self.speech_timeout(now, desk),
            Task::Storing { .. }
            | Task::Speaking(_)
            | Task::Collecting(_)
            | Task::Idle
            | Task::Playing { .. }
            | Task::Recording(_)
            | Task::Echoing
            | Task::Preparing(..)
            | Task::Taking(_)
            | Task::Bridged(_) => {}
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
            Event::Acked { session, request } if self.caller.session == Some(session) => {
                self.caller_acked(now, desk, &request);
            }
            Event::Acked { session, request } => self.callee_acked(desk, session, &request),
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
            Event::InDialog { session, txn, request } if *request.method() == Method::Refer => {
                self.referred(now, desk, session, txn, &request);
            }
            Event::InDialog { session, txn, request } => {
                let reply = self.in_dialog(now, desk, session, &request);
                desk.endpoint.respond(now, txn, reply);
            }
            Event::Request { .. } | Event::Invite { .. } | Event::Response { .. } => {}
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
                let is_caller = self.caller.leg_id() == Some(leg);
                let by = if is_caller { Side::Caller } else { Side::Callee };
                self.digit(now, desk, by, digit, Told::ByRtp);
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
            "cannot open a media port: {why}; it is left out from now on; choose a free range with \
             media.ports"
        );
        desk.condemn(leg);
        if self.caller.leg_id() == Some(leg) {
            self.end_without_port(now, desk);
        } else {
            self.branch_lost_its_port(now, desk, leg);
        }
    }

    /// The script is gone, or will not go on: it waits for nothing any more.
    pub(crate) fn drop_asides(&mut self, desk: &mut Desk) {
        self.asides.end(desk);
    }

    /// Something that its script waits for beside the line replied.
    pub(crate) fn handle_reply(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        ticket: Ticket,
        news: News,
    ) {
        if let News::Originated(outcome) = &news
            && let Some(failure) = self.asides.failure_for_caller(ticket, outcome)
        {
            self.last_failure = Some(failure);
        }
        if let Some(told) = self.asides.replied(now, desk, ticket, news) {
            if let (_, Outcome::Originated { leg: Some(leg), .. }) = &told {
                self.legs.push(CallId(leg.0));
            }
            self.turn(now, desk, Some(Todo::Script(Some(told))));
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
        if let Task::Speaking(_) = self.task {
            self.recording_read(now, desk, ticket, reply);
        } else if let Task::Storing { ticket: own, until } = self.task
            && own == ticket
        {
            let took = STORE_MAX.saturating_sub(until.saturating_duration_since(now));
            self.note_wait(now, desk, self.line, "the store", took);
            self.proceed(now, desk, Finished::Reply(feature::Reply::Stored(reply)));
        }
    }
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

const STORE_FAILED: Finished = Finished::Reply(feature::Reply::Stored(StoreReply::Failed));
/// How long a caller waits for the store; then it is taken for broken.
const STORE_MAX: Duration = Duration::from_secs(10);
