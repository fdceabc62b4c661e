//! A script that runs without a call: at its time, because another program asked for it, or because a
//! call is over that wanted it.
//!
//! It waits for the same things as a call does beside its line, within the same bounds.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dialplan::{AT_THE_END, AskId, Ending, LogLevel, Outcome, Script, Step, Verb, WebResponse};
use sip_engine::Flow;

use crate::Prompts;
use crate::asides::{Asides, News, Originator};
use crate::desk::{CallId, Desk};
use crate::input::AskedId;
use crate::notice::Notice;
use crate::output::Output;
use crate::records::Ticket;
use crate::repeats::Complaint;
use crate::steps::Steps;
use crate::telling::Whose;

/// One run of a script without a call.
#[derive(Debug)]
pub(crate) struct Job {
    id: CallId,
    /// Names it in the log.
    name: String,
    script: Script,
    asides: Asides,
    /// What the script is told next.
    todo: VecDeque<(AskId, Outcome)>,
    /// Whether the script may want more than it has told.
    more: bool,
    /// Since when it waits for its next turn.
    paused: Option<Instant>,
    /// What it may still ask for in this turn of the switch.
    steps: Steps,
    give_up_at: Instant,
    alarm: Option<Instant>,
    generation: u64,
    prompts: Arc<Prompts>,
    /// Whom it answers, unless that is done.
    answers: Option<AskedId>,
    /// The call that it comes after, if it does.
    after: Option<Parties>,
    /// The exchange stops, and waits for it only so long.
    hurried: bool,
    state: State,
}

/// Who called whom.
#[derive(Debug)]
pub(crate) struct Parties {
    pub(crate) from: String,
    /// The number that was dialled.
    pub(crate) to: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Runs,
    Over,
}

impl Job {
    /// A run that has not begun.
    pub(crate) fn new(
        desk: &Desk,
        now: Instant,
        id: CallId,
        name: String,
        script: Script,
        (time, answers): (Duration, Option<AskedId>),
    ) -> Self {
        Self {
            id,
            asides: Asides::new(id, name.clone()),
            name,
            script,
            todo: VecDeque::new(),
            more: true,
            paused: None,
            steps: Steps::default(),
            give_up_at: now + time,
            alarm: None,
            generation: desk.generation,
            prompts: desk.prompts.clone(),
            answers,
            after: None,
            hurried: false,
            state: State::Runs,
        }
    }

    /// What a call wanted to have done when it is over, on the scripts and prompts that it followed.
    /// Nothing of it has run yet.
    pub(crate) fn after_call(
        desk: &mut Desk,
        now: Instant,
        name: String,
        script: Script,
        parties: Parties,
        (generation, prompts): (u64, Arc<Prompts>),
    ) -> Self {
        let id = CallId(desk.next_id());
        let job = Self::new(desk, now, id, name, script, (AFTER_CALL_MAX, None));
        Self { after: Some(parties), generation, prompts, ..job }
    }

    /// What it is called by whoever replies to it.
    pub(crate) fn id(&self) -> CallId {
        self.id
    }

    /// Whether it comes after a call.
    pub(crate) fn is_after_call(&self) -> bool {
        self.after.is_some()
    }

    /// The exchange stops: it has until then.
    pub(crate) fn hurry(&mut self, until: Instant) {
        self.give_up_at = self.give_up_at.min(until);
        self.hurried = true;
    }

    /// There is no room for it: it ends where it first had to wait.
    pub(crate) fn leave_out(&mut self, now: Instant, desk: &mut Desk) {
        self.tell_problem(now, desk, "cannot wait: as many calls that are over wait already");
        self.end(now, desk, "no room");
    }

    /// Nothing is left to do; it can be forgotten.
    pub(crate) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Keeps the desk's alarm for it right; to be called after everything that happened.
    pub(crate) fn settle_alarm(&mut self, desk: &mut Desk) {
        let times = [self.asides.until(), self.paused, Some(self.give_up_at)];
        let wanted = times.into_iter().flatten().min().filter(|_| !self.is_over());
        desk.set_alarm(self.id, self.alarm, wanted);
        self.alarm = wanted;
    }

    /// Begins the script, or goes on with it.
    pub(crate) fn turn(&mut self, now: Instant, desk: &mut Desk) {
        while self.state == State::Runs && self.paused.is_none() {
            if self.todo.is_empty() && !self.more {
                return;
            }
            if !self.steps.take(desk.turn) {
                self.paused = Some(now);
                return;
            }
            let local = desk.clock.local(now);
            let step = match self.todo.pop_front() {
                Some((ask, outcome)) => self.script.resume(ask, outcome, &local),
                None => self.script.go_on(&local),
            };
            self.pass_on_log(now, desk);
            self.more = matches!(step, Step::Ask { .. } | Step::Cancel { .. } | Step::Slice);
            match step {
                Step::Ask { id, verb } => {
                    let outcome = self.begin(now, desk, id, verb);
                    self.todo.extend(outcome.map(|outcome| (id, outcome)));
                }
                Step::Cancel { id } => {
                    if !self.asides.cancel(desk, id) {
                        self.todo.retain(|(ask, _)| *ask != id);
                    }
                }
                Step::Waiting => {}
                Step::Slice => self.paused = Some(now),
                Step::Returned => {
                    if let Some(response) = self.script.take_response() {
                        self.respond(desk, response);
                    }
                    self.end(now, desk, "the function returned");
                }
                Step::Failed(error) => {
                    desk.tell_failure(now, self.whose(), "", error);
                    self.respond(desk, WebResponse::text(500, "the script failed"));
                    self.end(now, desk, "script fault");
                }
            }
        }
    }

    /// Begins what the script asks for; gives back what came of it if that is known at once.
    fn begin(&mut self, now: Instant, desk: &mut Desk, ask: AskId, verb: Verb) -> Option<Outcome> {
        match verb {
            Verb::Sleep(length) => {
                self.asides.sleep(now, ask, length);
                None
            }
            Verb::Fetch(fetch) => self.asides.fetch(now, desk, ask, *fetch),
            Verb::Query(query) => {
                self.asides.query(now, desk, ask, *query);
                None
            }
            Verb::Lock { name, timeout } => self.asides.lock(now, desk, ask, &name, timeout),
            Verb::Originate(originate) => self.originate(desk, ask, *originate),
            Verb::Ringing
            | Verb::Progress
            | Verb::Queued { .. }
            | Verb::Answer
            | Verb::Reject { .. }
            | Verb::Redirect { .. }
            | Verb::Hangup { .. }
            | Verb::Play(_)
            | Verb::Read(_)
            | Verb::Record(_)
            | Verb::Dial(_)
            | Verb::Dtmf { .. }
            | Verb::Bridge(_)
            | Verb::HangupLeg(_)
            | Verb::Voicemail { .. }
            | Verb::Mailbox { .. }
            | Verb::Echo => Some(Outcome::Fault("there is no call here".into())),
        }
    }

    /// Has somebody rung, who gets a script of their own.
    fn originate(
        &mut self,
        desk: &mut Desk,
        ask: AskId,
        originate: dialplan::Originate,
    ) -> Option<Outcome> {
        let Some(listener) = desk.config.listeners.first() else {
            return Some(Outcome::Fault("there is no address to call from".into()));
        };
        let near = Flow {
            transport: listener.transport,
            local: listener.address,
            remote: listener.address,
        };
        let by = Originator {
            call: None,
            kept: 0,
            user: CALLER.to_owned(),
            display_name: String::new(),
            max_forwards: MAX_FORWARDS,
            near,
            generation: self.generation,
            prompts: self.prompts.clone(),
        };
        self.asides.originate(desk, ask, originate, by)
    }

    /// Something that it waits for replied.
    pub(crate) fn handle_reply(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        ticket: Ticket,
        news: News,
    ) {
        self.todo.extend(self.asides.replied(now, desk, ticket, news));
        self.turn(now, desk);
    }

    /// Time passed.
    pub(crate) fn handle_timeout(&mut self, now: Instant, desk: &mut Desk) {
        if now >= self.give_up_at {
            self.tell_problem(
                now,
                desk,
                if self.hurried {
                    "the exchange stops before this was done"
                } else {
                    "ran longer than such a function may"
                },
            );
            self.respond(desk, WebResponse::text(504, "the script took too long"));
            return self.end(now, desk, "longest time reached");
        }
        self.paused = None;
        while let Some(told) = self.asides.due(now, desk) {
            self.todo.push_back(told);
        }
        self.turn(now, desk);
    }

    /// Ends it where it stands.
    pub(crate) fn end(&mut self, now: Instant, desk: &mut Desk, cause: &str) {
        if self.state == State::Over {
            return;
        }
        self.state = State::Over;
        let ending = Ending { cause: cause.to_owned(), code: 200 };
        for error in self.script.close(ending, &desk.clock.local(now)) {
            desk.tell_failure(now, self.whose(), "", error);
        }
        self.pass_on_log(now, desk);
        self.asides.end(desk);
        self.respond(desk, WebResponse::text(503, "the script was ended"));
    }

    /// Answers whoever asked, once.
    fn respond(&mut self, desk: &mut Desk, response: WebResponse) {
        if let Some(id) = self.answers.take() {
            desk.push(Output::Respond { id, response: Box::new(response) });
        }
    }

    /// Whose script it is, for those who are told of it.
    fn whose(&self) -> Whose<'_> {
        let (from, to) = match &self.after {
            Some(Parties { from, to }) => (from.as_str(), to.as_str()),
            None => ("", ""),
        };
        Whose { name: &self.name, from, to }
    }

    fn pass_on_log(&self, now: Instant, desk: &mut Desk) {
        desk.pass_on(now, self.whose(), self.script.take_logs());
    }

    /// Tells why it is ended, with the line at which it waits; once, and then how often.
    fn tell_problem(&self, now: Instant, desk: &mut Desk, problem: &str) {
        let waiting = self.script.waiting().into_iter().next();
        let (file, line) = waiting.map(|asked| (asked.file, asked.line)).unwrap_or_default();
        let level = LogLevel::Error;
        let text = match self.after {
            Some(_) => format!("{AT_THE_END}: {problem}"),
            None => problem.to_owned(),
        };
        let complaint = Complaint { level, file: file.clone(), line, about: text.clone() };
        if desk.repeats.is_new(now, &complaint) {
            let call = self.name.clone();
            desk.push(Output::Publish(Notice::Script { call, level, file, line, text }));
        }
    }
}

/// How long the functions of a call that is over may take together; then they are ended.
const AFTER_CALL_MAX: Duration = Duration::from_secs(180);
/// Who is shown as calling when the script does not say.
const CALLER: &str = "cordboard";
/// Of requests that nobody's request led to (RFC 3261 §8.1.1.6).
const MAX_FORWARDS: u8 = 70;
