//! A script that runs without a call: at its time, or because another program asked for it.
//!
//! It waits for the same things as a call does beside its line, within the same bounds.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dialplan::{
    AskId, Ending, LogLevel, LogLine, Outcome, Remark, Script, ScriptError, Step, Verb, WebResponse,
};
use sip_engine::Flow;

use crate::Prompts;
use crate::asides::{Asides, News, Originator};
use crate::desk::{CallId, Desk};
use crate::input::AskedId;
use crate::notice::{Notice, ScriptFailure};
use crate::output::Output;
use crate::records::Ticket;
use crate::repeats::Complaint;

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
    give_up_at: Instant,
    alarm: Option<Instant>,
    generation: u64,
    prompts: Arc<Prompts>,
    /// Whom it answers, unless that is done.
    answers: Option<AskedId>,
    state: State,
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
            give_up_at: now + time,
            alarm: None,
            generation: desk.generation,
            prompts: desk.prompts.clone(),
            answers,
            state: State::Runs,
        }
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
        let mut steps_left = STEPS_PER_TURN;
        while self.state == State::Runs && self.paused.is_none() {
            let local = desk.clock.local(now);
            let step = match self.todo.pop_front() {
                Some((ask, outcome)) => self.script.resume(ask, outcome, &local),
                None if self.more => self.script.go_on(&local),
                None => return,
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
                    self.tell_failure(now, desk, "", error);
                    self.respond(desk, WebResponse::text(500, "the script failed"));
                    self.end(now, desk, "script fault");
                }
            }
            steps_left -= 1;
            if steps_left == 0 {
                self.paused = Some(now);
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
            let problem = "ran longer than such a function may";
            let at = (String::new(), 0);
            self.tell(desk, at, LogLevel::Error, problem.to_owned());
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
            self.tell_failure(now, desk, "", error);
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

    fn pass_on_log(&mut self, now: Instant, desk: &mut Desk) {
        for line in self.script.take_logs() {
            let LogLine { level, text, file, line, call: _, remark } = line;
            match remark.map(|remark| *remark) {
                None => self.tell(desk, (file, line), level, text),
                Some(Remark::Failed { what, error }) => self.tell_failure(now, desk, what, error),
                Some(Remark::Strained(strain)) => {
                    self.tell(desk, (file, line), LogLevel::Warn, strain.to_string());
                }
            }
        }
    }

    fn tell(&self, desk: &mut Desk, at: (String, u32), level: LogLevel, text: String) {
        let (call, (file, line)) = (self.name.clone(), at);
        desk.push(Output::Publish(Notice::Script { call, level, file, line, text }));
    }

    fn tell_failure(&self, now: Instant, desk: &mut Desk, part: &'static str, error: ScriptError) {
        let (file, line) = (error.file.clone(), error.line.unwrap_or_default());
        let about = error.message.clone();
        let repeated =
            !desk.repeats.is_new(now, &Complaint { level: LogLevel::Error, file, line, about });
        let (call, from, to) = (self.name.clone(), String::new(), String::new());
        let failure = ScriptFailure { call, from, to, part, error, repeated };
        desk.push(Output::Publish(Notice::ScriptFailed(Box::new(failure))));
    }
}

/// Things it may ask for at one go before others have their turn.
const STEPS_PER_TURN: u32 = 50;
/// Who is shown as calling when the script does not say.
const CALLER: &str = "cordboard";
/// Of requests that nobody's request led to (RFC 3261 §8.1.1.6).
const MAX_FORWARDS: u8 = 70;
