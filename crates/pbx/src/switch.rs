//! All calls, registrations and mailboxes of one process.
//!
//! [`Switch`] is the whole exchange as one state machine: inputs and times go in, outputs come out. It
//! opens nothing, waits for nothing and reads no clock, so it runs as well against a simulated network
//! as against a real one.

mod jobs;
mod look;
mod posts;
mod programs;
mod reload;
mod requests;
#[cfg(test)]
mod tests;
mod transfers;

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use dialplan::{Generation, Kept, LoadError, LockId, Shared, Sources};
use sip_engine::{Endpoint, EndpointConfig, Event, Reply, ServerTxnId, SessionId};
use sip_syntax::StatusCode;

use crate::asides::News;
use crate::auth::Auth;
use crate::call::Call;
use crate::clock::Clock;
use crate::config::Config;
use crate::desk::{CallId, Desk};
use crate::input::{Command, Input};
use crate::job::Job;
use crate::notice::Notice;
use crate::output::Output;
use crate::prompts::Prompts;
use crate::records::{BindingRecord, Ticket};
use crate::repeats::{Again, Complaint};

use jobs::Due;
use programs::Programs;
use reload::Loaded;

/// The whole exchange.
#[derive(Debug)]
pub struct Switch {
    desk: Desk,
    auth: Auth,
    /// For new calls.
    generation: Generation,
    /// That one, and those before it as long as calls use them, the oldest first.
    generations: Vec<Loaded>,
    calls: BTreeMap<CallId, Box<Call>>,
    /// Scripts that run without one.
    jobs: BTreeMap<CallId, Box<Job>>,
    /// How many of these come after a call.
    jobs_after_calls: usize,
    /// Other programs that ask, and may not.
    programs: Programs,
    /// When more of them begin.
    timetable: Vec<Due>,
    /// Most calls at one time since memory was last given back.
    most_calls: usize,
    /// Calls of each account, and of all strangers together, for their limit.
    calls_of_account: BTreeMap<String, usize>,
    /// Answers held back, to slow down whoever guesses secrets.
    held_back: BTreeMap<(Instant, u64), HeldBack>,
    /// The call that is being told something.
    in_turn: Option<CallId>,
    state: State,
    outputs: VecDeque<Output>,
}

/// An answer that waits.
#[derive(Debug)]
enum HeldBack {
    Request(ServerTxnId, Reply),
    Invite(SessionId, Reply),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// New calls get 503; when the last one is gone, [`Notice::Idle`].
    Stopping,
    Stopped,
}

/// What a switch is given when it starts.
#[derive(Debug)]
pub struct Start {
    /// The instant that [`Self::wall`] belongs to.
    pub now: Instant,
    /// The time of day at that instant.
    pub wall: SystemTime,
    /// Feeds every tag, branch, nonce and id. Must be unguessable outside of tests.
    pub seed: u64,
    /// The scripts.
    pub sources: Sources,
    /// The sounds that scripts can name.
    pub prompts: Arc<Prompts>,
    /// Registrations kept over the restart.
    pub bindings: Vec<BindingRecord>,
    /// What an earlier load of the same scripts left, for whoever starts many switches with them.
    pub kept: Option<Kept>,
}

impl Switch {
    /// Loads the scripts and opens for calls.
    ///
    /// # Errors
    /// Every mistake found in the scripts; then there is no switch.
    pub fn new(config: Config, start: Start) -> Result<Self, Vec<LoadError>> {
        let Start { now, wall, seed, sources, prompts, bindings, kept } = start;
        let mut rng = fastrand::Rng::with_seed(seed);
        let clock = Clock::new(now, wall, config.time_zone.clone());
        let shared = Shared::new(config.script_limits.shared);
        let local = clock.local(now);
        let generation = reload::load(&config, &local, &sources, &prompts, (&shared, kept))?;
        let auth = Auth::new(&config, &mut rng);
        let endpoint = Endpoint::new(EndpointConfig {
            user_agent: USER_AGENT.to_owned(),
            seed: rng.u64(..),
            transactions_max: reload::transactions_max(&config),
            sessions_max: reload::sessions_max(&config),
        });
        let mut desk = Desk::new(config, clock, rng, endpoint, prompts, shared);
        let Desk { registrar, clock, .. } = &mut desk;
        registrar.restore(now, clock, bindings);
        let mut switch = Self {
            auth,
            generations: vec![Loaded::new(1, &generation, desk.clock.unix_ms(now))],
            generation,
            calls: BTreeMap::new(),
            jobs: BTreeMap::new(),
            jobs_after_calls: 0,
            programs: Programs::new(),
            timetable: Vec::new(),
            most_calls: 0,
            calls_of_account: BTreeMap::new(),
            held_back: BTreeMap::new(),
            in_turn: None,
            state: State::Open,
            outputs: VecDeque::new(),
            desk,
        };
        switch.plan(now);
        Ok(switch)
    }

    /// Something happened.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        self.desk.turn = self.desk.turn.next();
        self.contain(now, |switch| switch.take_input(now, input));
        self.contain(now, |switch| switch.settle(now));
    }

    /// Time passed; early calls are harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.desk.turn = self.desk.turn.next();
        self.contain(now, |switch| switch.take_timeout(now));
        self.contain(now, |switch| switch.settle(now));
    }

    /// Does something. A fault of our own in it ends the call whose turn it was, and nothing else.
    fn contain(&mut self, now: Instant, act: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| act(self))).is_ok() {
            return;
        }
        // The panic itself was told where it happened.
        let Some(id) = self.in_turn.take() else {
            tracing::error!("internal fault outside of any call; what it was about is dropped");
            return;
        };
        tracing::error!(call = id.0, "internal fault: this call is ended, the others go on");
        self.desk.clear_away(now, id);
        if let Some(job) = self.remove_job(id)
            && catch_unwind(AssertUnwindSafe(|| drop(job))).is_err()
        {
            tracing::error!("internal fault while clearing a job away");
        }
        if let Some(mut call) = self.calls.remove(&id) {
            self.discharge(call.charged_to());
            call.let_go_of_others(&mut self.desk, StatusCode::SERVER_INTERNAL_ERROR);
            call.drop_asides(&mut self.desk);
            // Its script is closed with it, and may be what is at fault.
            if catch_unwind(AssertUnwindSafe(|| drop(call))).is_err() {
                tracing::error!("internal fault while clearing a call away");
            }
        }
    }

    fn take_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Sip { flow, bytes } => self.desk.endpoint.handle_message(now, flow, bytes),
            Input::FlowClosed { flow } => {
                self.desk.registrar.flow_closed(flow);
                self.desk.endpoint.handle_flow_failed(now, flow);
            }
            Input::Resolved { ticket, addresses } => {
                self.with_ticket(now, ticket, |call, desk| {
                    call.handle_resolved(now, desk, ticket, &addresses);
                });
            }
            Input::Media(event) => self.handle_media(now, event),
            Input::Stored { ticket, reply } => {
                self.with_ticket(now, ticket, |call, desk| {
                    call.handle_stored(now, desk, ticket, reply)
                });
            }
            Input::Fetched { ticket, answer } => {
                self.reply(now, ticket, News::Fetched(answer));
            }
            Input::Spoken { ticket, answer } => {
                self.with_ticket(now, ticket, |call, desk| {
                    call.handle_spoken(now, desk, ticket, answer);
                });
            }
            Input::Asked { id, request, trust, source } => {
                self.asked(now, id, &request, (trust, source));
            }
            Input::Queried { ticket, answer, took } => {
                self.reply(now, ticket, News::Queried { answer, took });
            }
            Input::Command(Command::Reload(reload)) => self.reload(now, *reload),
            Input::Command(Command::Look { id, calls_max }) => {
                let snapshot = Box::new(self.snapshot(now, calls_max));
                self.outputs.push_back(Output::Publish(Notice::Snapshot { id, snapshot }));
            }
            Input::Command(Command::Stop) => self.stop(now),
        }
    }

    fn take_timeout(&mut self, now: Instant) {
        self.desk.endpoint.handle_timeout(now);
        self.desk.registrar.handle_timeout(now);
        self.sum_up(now);
        self.programs.sum_up(now);
        self.run_due(now);
        while let Some(entry) = self.held_back.first_entry() {
            if entry.key().0 > now {
                break;
            }
            match entry.remove() {
                HeldBack::Request(txn, reply) => self.desk.endpoint.respond(now, txn, reply),
                HeldBack::Invite(session, reply) => {
                    self.desk.endpoint.reject(now, session, reply);
                }
            }
        }
        // Each due call has one turn; one whose script wants to go on gets its next when the others
        // and the network had theirs.
        for _ in 0..self.calls.len() + self.jobs.len() {
            let Some(call) = self.desk.due_alarm(now) else { break };
            if self.jobs.contains_key(&call) {
                self.with_job(now, call, |job, desk| job.handle_timeout(now, desk));
            } else {
                self.with_call(now, call, |call, desk| call.handle_timeout(now, desk));
            }
            if !self.desk.moved_on(call, now) {
                break;
            }
        }
    }

    /// Tells how often what was told of scripts happened again.
    fn sum_up(&mut self, now: Instant) {
        while let Some(Again { complaint, times }) = self.desk.repeats.sum_up(now) {
            let complaint = complaint.unwrap_or_else(Complaint::others);
            let Complaint { level, file, line, about } = complaint;
            let notice = Notice::ScriptRepeated { level, file, line, about, times };
            self.outputs.push_back(Output::Publish(notice));
        }
    }

    /// What is to be done outside; drain to `None` after every `handle_*`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Self::handle_timeout`] next has work.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let held_back = self.held_back.first_key_value().map(|((at, _), _)| *at);
        [
            self.desk.endpoint.poll_timeout(),
            self.desk.registrar.poll_timeout(),
            self.desk.next_alarm(),
            self.desk.repeats.poll_timeout(),
            self.programs.poll_timeout(),
            held_back,
            self.next_due(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// What ran of the scripts in use; `None` unless [`Config::script_watch`] asked for it.
    pub fn script_coverage(&self) -> Option<dialplan::Coverage> {
        self.generation.coverage()
    }

    /// Calls under way.
    pub fn call_count(&self) -> usize {
        self.calls.len()
    }

    /// SIP transactions of both directions, those included that only absorb repeats.
    pub fn transaction_count(&self) -> usize {
        self.desk.endpoint.transaction_count()
    }

    /// Whether nothing of any call is left: no session, transaction, port or question.
    pub fn is_idle(&self) -> bool {
        self.calls.is_empty()
            && self.jobs.is_empty()
            && self.desk.is_idle()
            && self.held_back.is_empty()
            && self.desk.endpoint.session_count() == 0
            && self.desk.endpoint.transaction_count() == 0
    }

    /// Hands the endpoint's events on until there are none, and collects all outputs.
    fn settle(&mut self, now: Instant) {
        self.deliver(now);
        self.hand_out_locks(now);
        while let Some(output) = self.desk.endpoint.poll_output() {
            match output {
                sip_engine::Output::Transmit { flow, bytes } => {
                    self.outputs.push_back(Output::Transmit { flow, bytes });
                }
                sip_engine::Output::Event(event) => {
                    self.handle_event(now, event);
                    self.hand_out_locks(now);
                }
            }
            self.collect();
        }
        self.collect();
        if self.state == State::Stopping
            && self.calls.is_empty()
            && self.jobs.is_empty()
            && self.desk.endpoint.session_count() == 0
        {
            self.state = State::Stopped;
            self.outputs.push_back(Output::Publish(Notice::Idle));
        }
    }

    fn collect(&mut self) {
        while let Some(output) = self.desk.pop() {
            self.outputs.push_back(output);
        }
        self.outputs.extend(self.desk.registrar.take_changes().map(Output::Store));
    }

    fn handle_event(&mut self, now: Instant, event: Event) {
        let session = match &event {
            Event::Request { .. } | Event::Invite { .. } | Event::Response { .. } => {
                return self.handle_new(now, event);
            }
            Event::Cancelled { session, .. }
            | Event::Acked { session, .. }
            | Event::Provisional { session, .. }
            | Event::Accepted { session, .. }
            | Event::Failed { session, .. }
            | Event::Reinvite { session, .. }
            | Event::ReinviteAccepted { session, .. }
            | Event::ReinviteFailed { session, .. }
            | Event::InDialog { session, .. }
            | Event::Ended { session, .. } => *session,
        };
        match self.desk.call_of_session(session) {
            Some(call) => {
                self.with_call(now, call, |call, desk| call.handle_event(now, desk, event))
            }
            None => self.handle_orphan(now, event),
        }
    }

    /// News of a session that belongs to no call any more, or not yet.
    fn handle_orphan(&mut self, now: Instant, event: Event) {
        match event {
            Event::Accepted { session, .. } => self.desk.endpoint.bye(now, session, None),
            Event::Reinvite { session, .. } => {
                let gone = Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
                self.desk.endpoint.reject_reinvite(now, session, gone);
            }
            Event::InDialog { txn, .. } => {
                let gone = Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
                self.desk.endpoint.respond(now, txn, gone);
            }
            Event::Cancelled { session, .. } => {
                self.held_back
                    .retain(|_, held| !matches!(held, HeldBack::Invite(own, _) if *own == session));
            }
            Event::Request { .. }
            | Event::Invite { .. }
            | Event::Response { .. }
            | Event::Acked { .. }
            | Event::Provisional { .. }
            | Event::Failed { .. }
            | Event::ReinviteAccepted { .. }
            | Event::ReinviteFailed { .. }
            | Event::Ended { .. } => {}
        }
    }

    fn handle_media(&mut self, now: Instant, event: media::Event) {
        let leg = match &event {
            media::Event::OpenFailed { leg, .. }
            | media::Event::Latched { leg, .. }
            | media::Event::Digit { leg, .. }
            | media::Event::PlayEnded { leg, .. }
            | media::Event::RecordChunk { leg, .. }
            | media::Event::RecordEnded { leg, .. }
            | media::Event::Closed { leg, .. } => *leg,
        };
        if let Some(call) = self.desk.call_of_leg(leg) {
            self.with_call(now, call, |call, desk| call.handle_media(now, desk, event));
        }
    }

    /// Hands a reply to the script that waits for it beside its line.
    fn reply(&mut self, now: Instant, ticket: Ticket, news: News) {
        let Some(owner) = self.desk.redeem(ticket) else { return };
        if let Some(news) = self.tell_job(now, owner, ticket, news) {
            self.with_one(owner, |call, desk| call.handle_reply(now, desk, ticket, news));
        }
        self.deliver(now);
    }

    /// Tells those who waited for locks that they hold them now.
    fn hand_out_locks(&mut self, now: Instant) {
        loop {
            let granted = self.desk.shared.take_granted();
            if granted.is_empty() {
                return;
            }
            for LockId(id) in granted {
                self.reply(now, Ticket(id), News::Locked);
            }
        }
    }

    fn with_ticket(
        &mut self,
        now: Instant,
        ticket: Ticket,
        then: impl FnOnce(&mut Call, &mut Desk),
    ) {
        if let Some(call) = self.desk.redeem(ticket) {
            self.with_call(now, call, then);
        }
    }

    /// Lets something happen to a call, and delivers what calls tell each other because of it.
    fn with_call(&mut self, now: Instant, id: CallId, then: impl FnOnce(&mut Call, &mut Desk)) {
        self.with_one(id, then);
        self.deliver(now);
    }

    /// Lets something happen to a call, and forgets it if that was the last thing.
    fn with_one(&mut self, id: CallId, then: impl FnOnce(&mut Call, &mut Desk)) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        self.in_turn = Some(id);
        then(call, &mut self.desk);
        call.settle_alarm(&mut self.desk);
        if call.is_over()
            && let Some(call) = self.calls.remove(&id)
        {
            self.discharge(call.charged_to());
            call.forget(&mut self.desk);
            self.give_back();
        }
        self.in_turn = None;
    }

    /// After a crowd is gone, what it left behind in the scripts' memory is freed at once: otherwise
    /// that would wait for as many new calls.
    fn give_back(&mut self) {
        self.most_calls = self.most_calls.max(self.calls.len() + 1);
        if self.most_calls >= CROWD && self.calls.len() <= self.most_calls / 8 {
            self.most_calls = 0;
            self.generation.free_unused();
            self.desk.give_back();
        }
    }

    /// One call less is counted for this account.
    fn discharge(&mut self, account: Option<&str>) {
        if let Some(account) = account
            && let Some(count) = self.calls_of_account.get_mut(account)
        {
            *count -= 1;
            if *count == 0 {
                self.calls_of_account.remove(account);
            }
        }
    }

    fn stop(&mut self, now: Instant) {
        if self.state != State::Open {
            return;
        }
        self.state = State::Stopping;
        self.end_jobs(now);
        let all: Vec<CallId> = self.calls.keys().copied().collect();
        for call in all {
            self.with_call(now, call, |call, desk| call.shut_down(now, desk));
        }
    }

    /// Holds an answer back, if there is room for that.
    fn answer_later(&mut self, now: Instant, wait: Duration, held: HeldBack) {
        let wait = if self.held_back.len() < HELD_BACK_MAX { wait } else { Duration::ZERO };
        let id = self.desk.next_id();
        self.held_back.insert((now + wait, id), held);
    }
}

/// What we call ourselves in User-Agent and Server.
const USER_AGENT: &str = concat!("Cordboard/", env!("CARGO_PKG_VERSION"));
/// So many calls at one time leave enough behind to be worth freeing.
const CROWD: usize = 64;
/// Answers held back at one time; beyond, they go out at once.
const HELD_BACK_MAX: usize = 1_000;
