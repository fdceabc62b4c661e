//! One call: a caller, the script that decides what happens to it, and whoever is joined to it.
//!
//! At any moment a call has one [`Task`]: what it is waiting for. When that is finished, whoever asked
//! for it (a feature such as voicemail, else the script) is told, and asks for the next.

mod answer;
mod bridge;
mod caller;
mod dial;
mod ending;
mod keys;
mod leg;
mod perform;
mod read;
mod record;
mod sounds;
mod story;
mod verbs;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dialplan::{Outcome, Script, Step};
use media::{Event as MediaEvent, LegId};
use sip_engine::{Event, Reply};
use sip_syntax::StatusCode;

use crate::Prompts;
use crate::desk::{CallId, Desk};
use crate::feature;
use crate::records::{StoreReply, StoreRequest, Ticket};

use bridge::{Bridge, Side};
use dial::Dialing;
use keys::Told;
use perform::{Collecting, Performance, Recording};
use story::Story;

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
    /// The number of that.
    generation: u64,
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
        let thread = desk.next_thread();
        Self {
            id,
            name,
            thread,
            caller,
            prompts: desk.prompts.clone(),
            generation: desk.generation,
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
                if let Outcome::Voicemail(status) = &outcome {
                    tracing::info!(call = %self.name, ?status, "voicemail");
                }
                (self.presence == Presence::Here).then_some(Finished::Outcome(outcome))
            }
        }
    }

    /// Runs the script until it asks for something that takes time.
    fn resume(&mut self, now: Instant, desk: &mut Desk, outcome: Outcome) -> Option<Finished> {
        let script = self.script.as_mut()?;
        let step = script.resume(outcome, &desk.clock.local(now));
        self.pass_on_log(desk);
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
                self.tell_failure(desk, error);
                let reply = Reply::new(StatusCode::SERVER_INTERNAL_ERROR);
                self.end(now, desk, reply, "script fault");
                None
            }
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
/// Things one call may ask for at one go before others have their turn.
const STEPS_PER_TURN: u32 = 50;
