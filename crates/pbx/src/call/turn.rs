//! A call's turn: what came of its tasks is told to whoever asked, who asks for more.
//!
//! The script may wait for several things at a time: one that uses the caller's line (the call's
//! [`Task`]), and any number beside it ([`Asides`](crate::asides::Asides)).

use std::time::Instant;

use dialplan::{AskId, CallEvent, Outcome, Script, Step, Verb};
use jiff::Zoned;

use super::{Call, Finished, Next, Presence, STORE_MAX, Task};
use crate::desk::Desk;
use crate::feature;

/// Something a call still has to be told.
#[derive(Debug)]
pub(super) enum Todo {
    /// For whoever uses the line: the feature, else the script.
    Line(Finished),
    /// For the script: go on, with this outcome if there is one.
    Script(Option<(AskId, Outcome)>),
    /// For the functions that the script gave to `call:on`.
    Event(CallEvent),
}

impl Call {
    /// The line's task came to this.
    pub(super) fn proceed(&mut self, now: Instant, desk: &mut Desk, finished: Finished) {
        self.task = Task::Idle;
        self.turn(now, desk, Some(Todo::Line(finished)));
    }

    /// Tells whoever asked what came of it, and carries out what they ask next, until everything has
    /// to be waited for or the call's turn is over.
    pub(super) fn turn(&mut self, now: Instant, desk: &mut Desk, first: Option<Todo>) {
        if self.paused.is_some() {
            self.todo.extend(first);
            return;
        }
        let mut next = first;
        loop {
            let more = std::mem::take(&mut self.more);
            let go_on = || more.then_some(Todo::Script(None));
            let todo = match next.take().or_else(|| self.todo.pop_front()) {
                Some(todo) => {
                    self.more = more;
                    todo
                }
                None => match go_on() {
                    Some(todo) => todo,
                    None => return,
                },
            };
            if !self.steps.take(desk.turn) && self.presence == Presence::Here {
                self.todo.push_front(todo);
                self.paused = Some(now);
                return;
            }
            next = match todo {
                Todo::Line(finished) => self.tell_line(now, desk, finished),
                Todo::Script(None) => self.run_script(now, desk, Script::go_on),
                Todo::Script(Some((ask, outcome))) => {
                    self.run_script(now, desk, |script, now| script.resume(ask, outcome, now))
                }
                Todo::Event(event) => {
                    self.run_script(now, desk, |script, now| script.notice(event, now))
                }
            };
            if self.paused.is_some() {
                self.todo.extend(next);
                return;
            }
        }
    }

    /// Something happened that the script may want to know of.
    pub(super) fn tell_event(&mut self, now: Instant, desk: &mut Desk, event: CallEvent) {
        if !self.script.as_ref().is_some_and(Script::listens) {
            return;
        }
        if self.todo.len() >= UNTOLD_EVENTS_MAX {
            return tracing::debug!(call = %self.name, ?event, "lost: its script is too busy");
        }
        self.turn(now, desk, Some(Todo::Event(event)));
    }

    /// Its turn has come again.
    pub(super) fn resume_turn(&mut self, now: Instant, desk: &mut Desk) {
        if self.paused.take().is_some() {
            self.turn(now, desk, None);
        }
    }

    /// Tells a feature, else the script, what the line's task came to.
    fn tell_line(&mut self, now: Instant, desk: &mut Desk, finished: Finished) -> Option<Todo> {
        match self.feature.as_deref_mut() {
            Some(feature) => {
                let asked = feature.next(now, finished.into_reply(), desk, &self.prompts);
                self.carry_out(now, desk, asked)
            }
            None => self.line_is_free(now, desk, finished.into_outcome()),
        }
    }

    fn carry_out(&mut self, now: Instant, desk: &mut Desk, asked: Next) -> Option<Todo> {
        match asked {
            Next::Store(request) => match desk.store(self.id, request) {
                Some(ticket) => {
                    self.task = Task::Storing { ticket, until: now + STORE_MAX };
                    None
                }
                None => Some(Todo::Line(Finished::Reply(feature::Reply::Told))),
            },
            Next::Perform(performance) if self.presence == Presence::Gone || self.is_cut_off => {
                Some(Todo::Line(performance.cut_off()))
            }
            Next::Perform(performance) => self.perform(now, desk, performance).map(Todo::Line),
            Next::Done(outcome) => {
                self.feature = None;
                if let Outcome::Voicemail(status) = &outcome {
                    tracing::info!(call = %self.name, ?status, "voicemail");
                }
                self.line_is_free(now, desk, outcome)
            }
        }
    }

    /// Whatever used the line has ended: its script is told, and what had to wait for it begins.
    fn line_is_free(&mut self, now: Instant, desk: &mut Desk, outcome: Outcome) -> Option<Todo> {
        self.is_cut_off = false;
        if self.presence == Presence::Gone {
            return None;
        }
        if self.is_sorry {
            self.end_failed(now, desk);
            return None;
        }
        if self.is_originating() {
            self.nobody_answered(now, desk, outcome);
            return None;
        }
        if let Some((ask, verb)) = self.held.take() {
            return self.use_line(now, desk, ask, verb);
        }
        self.line.take().map(|ask| Todo::Script(Some((ask, outcome))))
    }

    /// Runs the script until it wants something.
    fn run_script(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        run: impl FnOnce(&mut Script, &Zoned) -> Step,
    ) -> Option<Todo> {
        let step = run(self.script.as_mut()?, &desk.clock.local(now));
        self.pass_on_log(now, desk);
        self.more = matches!(step, Step::Ask { .. } | Step::Cancel { .. } | Step::Slice);
        match step {
            Step::Ask { id, verb } => self.start_verb(now, desk, id, verb),
            Step::Cancel { id } => self.cancel(now, desk, id),
            Step::Waiting => None,
            Step::Slice => {
                self.paused = Some(now);
                None
            }
            Step::Returned => {
                self.script_returned(now, desk);
                None
            }
            Step::Failed(error) => {
                self.script_failed(now, desk, error);
                None
            }
        }
    }

    /// Begins a verb that uses the line, when that is free.
    pub(super) fn use_line(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        ask: AskId,
        verb: Verb,
    ) -> Option<Todo> {
        if self.is_cut_off {
            self.held = Some((ask, verb));
            return None;
        }
        self.line = Some(ask);
        self.begin_with_texts(now, desk, verb).map(Todo::Line)
    }

    /// Nobody waits for this ask any more: what was begun for it is stopped.
    fn cancel(&mut self, now: Instant, desk: &mut Desk, ask: AskId) -> Option<Todo> {
        if self.asides.cancel(desk, ask) {
            return None;
        }
        let of_ask = |todo: &Todo| matches!(todo, Todo::Script(Some((own, _))) if *own == ask);
        if let Some(index) = self.todo.iter().position(of_ask) {
            let untold = self.todo.remove(index);
            if let Some(Todo::Script(Some((_, Outcome::Originated { leg: Some(leg), .. })))) =
                untold
            {
                self.hang_up_leg(desk, leg);
            }
            return None;
        }
        if matches!(&self.held, Some((own, _)) if *own == ask) {
            self.held = None;
            return None;
        }
        if self.line != Some(ask) {
            return None;
        }
        self.line = None;
        let told = self.stop_task(now, desk);
        self.feature.as_ref()?;
        // What a feature was about to keep is kept, as when the caller hangs up.
        self.is_cut_off = true;
        told.map(Todo::Line)
    }
}

/// Events kept for a script that computes; more are lost.
const UNTOLD_EVENTS_MAX: usize = 256;
