//! What the fibres of a script want of it and of each other, and how they end.

use std::rc::Rc;
use std::time::Duration;

use jiff::Zoned;
use mlua::{Function, Value};

use super::{MEMORY_AT_CLOSE, Script, Step};
use crate::error::{Place, ScriptError};
use crate::event::CallEvent;
use crate::fibre::{AskId, Errors, Fibre, FibreId, FibreState, Joining, Scratch, Until, Want};
use crate::handler::Handler;
use crate::legs::Given;
use crate::log::{LogLevel, Remark};
use crate::outcome::Outcome;
use crate::verb::{self, Verb};

impl Script {
    /// Begins the functions that the script gave to `call:on` for this event.
    pub(super) fn begin_event(&mut self, event: CallEvent) -> Result<(), ScriptError> {
        let core = Rc::clone(&self.core);
        let Some(state) = self.run.as_ref().map(|run| Rc::clone(&run.state)) else { return Ok(()) };
        let name = event.name();
        if let CallEvent::Dtmf { digit, .. } = &event {
            state.note_typed(digit.encode_utf8(&mut [0; 4]));
        }
        let arguments = event.arguments();
        for (_, function) in state.on_event.borrow().iter().filter(|(event, _)| *event == name) {
            let limits = &core.host.limits;
            if state.children.get() >= limits.children_per_call {
                let max = limits.children_per_call;
                let text =
                    format!("the event {name} is lost: {max} functions run beside each other");
                let mut journal = core.host.journal.borrow_mut();
                journal.add(LogLevel::Warn, &text, None, &state.view.id);
                return Ok(());
            }
            state.verbs.set(state.verbs.get() + 1);
            if state.verbs.get() > limits.verbs_per_call {
                let problem = format!("more than {} verbs in one call", limits.verbs_per_call);
                return Err(ScriptError::at(None, problem));
            }
            self.begin_listener(function.clone(), arguments.clone());
        }
        Ok(())
    }

    fn begin_listener(&mut self, function: Function, arguments: Vec<String>) {
        let core = Rc::clone(&self.core);
        let (lua, host) = (&core.sandbox.lua, &core.host);
        let before = lua.used_memory();
        let made = lua.create_thread(core.sandbox.body.clone());
        core.ledger.add(&mut self.charge, before, lua.used_memory());
        let (Ok(thread), Some(run)) = (made, &mut self.run) else { return };
        core.scripts.set(core.scripts.get() + 1);
        core.reserve();
        let id = FibreId(host.next_fibre.get() + 1);
        host.next_fibre.set(id.0);
        run.state.children.set(run.state.children.get() + 1);
        run.ready.push_back(id);
        run.children.push(Fibre {
            id,
            parent: FibreId::HANDLER,
            thread,
            handle: None,
            errors: Errors::Logged,
            state: FibreState::NewEvent(function, arguments),
            scratch: Scratch::default(),
            left: host.limits.instructions_per_verb,
            heat: None,
        });
    }

    /// Sets in motion what a fibre wants, or tells the owner to.
    pub(super) fn satisfy(&mut self, id: FibreId, want: Option<Want>, now: &Zoned) -> Option<Step> {
        match want {
            Some(Want::Verb(verb)) => {
                let ask = self.next_ask();
                self.run.as_mut()?.fibre_mut(id)?.state = FibreState::Asking(ask);
                Some(Step::Ask { id: ask, verb })
            }
            Some(Want::Originate(mut originate, given)) => {
                originate.run = given.map(|Given { handler, number }| verb::Run {
                    handler: Handler::new(&self.core, handler),
                    number,
                });
                let ask = self.next_ask();
                self.run.as_mut()?.fibre_mut(id)?.state = FibreState::Asking(ask);
                Some(Step::Ask { id: ask, verb: Verb::Originate(originate) })
            }
            Some(Want::Join { until, members, at_once: Some(index), .. }) => {
                self.run.as_mut()?.ready_again(id, FibreState::Joined(index));
                if until != Until::Ended {
                    self.cancel_all(&members, now);
                }
                None
            }
            Some(Want::Join { until, members, at_once: None, ended, timeout }) => {
                self.join(id, Joining { until, members, timer: None }, ended, timeout)
            }
            Some(Want::Cancel(other)) => {
                self.cancel(other, now);
                self.run.as_mut()?.ready_again(id, FibreState::Joined(0));
                None
            }
            None => Some(Step::Failed(ScriptError::at(None, "the script waits for nothing"))),
        }
    }

    fn next_ask(&mut self) -> AskId {
        self.last_ask += 1;
        AskId(self.last_ask)
    }

    fn join(
        &mut self,
        id: FibreId,
        mut joining: Joining,
        ended: usize,
        timeout: Option<Duration>,
    ) -> Option<Step> {
        let run = self.run.as_mut()?;
        let Joining { until, members, .. } = &joining;
        if members.iter().filter(|member| run.fibre(**member).is_none()).count() != ended {
            run.ready_again(id, FibreState::Joined(-1));
            return None;
        }
        let refusal = match until {
            Until::Ended if members.contains(&id) => Some(ITSELF),
            Until::Ended if members.iter().any(|member| run.depends(*member, id)) => Some(CIRCLE),
            Until::Ended | Until::First | Until::All => None,
        };
        if let Some(problem) = refusal {
            run.ready_again(id, FibreState::Refused(problem));
            return None;
        }
        let ask = timeout.map(|timeout| (self.next_ask(), timeout));
        joining.timer = ask.map(|(ask, _)| ask);
        self.run.as_mut()?.fibre_mut(id)?.state = FibreState::Joining(joining);
        ask.map(|(id, timeout)| Step::Ask { id, verb: Verb::Sleep(timeout) })
    }

    /// An outcome is there.
    pub(super) fn tell(&mut self, ask: AskId, outcome: Outcome, now: &Zoned) {
        let Some(run) = &mut self.run else { return };
        // The time is over for which a fibre wanted to wait for others.
        let Some(id) = run.tell(ask, outcome) else { return };
        let Some(fibre) = run.fibre_mut(id) else { return };
        if let FibreState::Joining(joining) = &mut fibre.state {
            joining.timer = None;
            self.joined(id, 0, now);
        }
    }

    /// A fibre returned, or raised `problem`.
    pub(super) fn fibre_ended(
        &mut self,
        id: FibreId,
        problem: Option<&Value>,
        now: &Zoned,
    ) -> Option<Step> {
        if id == FibreId::HANDLER {
            return Some(match problem {
                Some(problem) => Step::Failed(self.read_problem(problem)),
                None => {
                    self.cancel_children(id, now);
                    Step::Returned
                }
            });
        }
        let error = problem.map(|problem| self.read_problem(problem));
        self.cancel_children(id, now);
        let fibre = self.run.as_mut()?.remove(id)?;
        self.core.scripts.set(self.core.scripts.get().saturating_sub(1));
        let awaited = self.release(id, error.is_some(), now);
        if let Some(error) = error
            && !awaited
            && fibre.errors == Errors::Logged
        {
            let what = match fibre.handle {
                Some(_) => "a spawned function failed",
                None => "a function of call:on failed",
            };
            self.note_error(what, &error);
        }
        None
    }

    /// Lets those go on that waited for a fibre; `false` if nobody did.
    fn release(&mut self, id: FibreId, failed: bool, now: &Zoned) -> bool {
        let Some(run) = &self.run else { return false };
        let mut due = Vec::new();
        let mut awaited = false;
        for fibre in run.fibres() {
            let FibreState::Joining(joining) = &fibre.state else { continue };
            let Some(index) = joining.members.iter().position(|member| *member == id) else {
                continue;
            };
            awaited = true;
            let lives = |member: &FibreId| run.fibre(*member).is_some();
            let index = i64::try_from(index + 1).unwrap_or(i64::MAX);
            match joining.until {
                Until::Ended | Until::First => due.push((fibre.id, index)),
                Until::All if failed => due.push((fibre.id, index)),
                Until::All if !joining.members.iter().any(lives) => due.push((fibre.id, 0)),
                Until::All => {}
            }
        }
        for (waiter, index) in due {
            self.joined(waiter, index, now);
        }
        awaited
    }

    /// Ends a fibre's waiting for others.
    fn joined(&mut self, id: FibreId, index: i64, now: &Zoned) {
        let Some(run) = &mut self.run else { return };
        let Some(fibre) = run.fibre_mut(id) else { return };
        let state = std::mem::replace(&mut fibre.state, FibreState::Running);
        let FibreState::Joining(Joining { until, members, timer }) = state else {
            fibre.state = state;
            return;
        };
        run.ready_again(id, FibreState::Joined(index));
        self.untold.extend(timer.map(|id| Step::Cancel { id }));
        if until != Until::Ended {
            self.cancel_all(&members, now);
        }
    }

    fn cancel_all(&mut self, fibres: &[FibreId], now: &Zoned) {
        for id in fibres {
            self.cancel(*id, now);
        }
    }

    pub(super) fn cancel_children(&mut self, id: FibreId, now: &Zoned) {
        if let Some(run) = self.run.as_ref().filter(|run| !run.children.is_empty()) {
            for child in run.descendants(id) {
                self.cancel_one(child, now);
            }
        }
    }

    /// Ends a child where it stands, and its own children before it.
    fn cancel(&mut self, id: FibreId, now: &Zoned) {
        self.cancel_children(id, now);
        self.cancel_one(id, now);
    }

    fn cancel_one(&mut self, id: FibreId, now: &Zoned) {
        let Some(run) = &mut self.run else { return };
        if run.fibre(id).is_none() {
            return;
        }
        run.seat(id);
        let Some(fibre) = run.remove(id) else { return };
        run.state.release_line(id);
        self.core.scripts.set(self.core.scripts.get().saturating_sub(1));
        match &fibre.state {
            FibreState::Asking(ask) => self.untold.push_back(Step::Cancel { id: *ask }),
            FibreState::Joining(joining) => {
                self.untold.extend(joining.timer.map(|id| Step::Cancel { id }));
            }
            // Somebody answered for it, and nobody will ever know of them.
            FibreState::Told(Outcome::Originated { leg: Some(leg), .. }) => {
                let (id, verb) = (self.next_ask(), Verb::HangupLeg(*leg));
                self.untold.push_back(Step::Ask { id, verb });
            }
            FibreState::New
            | FibreState::NewEvent(..)
            | FibreState::Paused
            | FibreState::Running
            | FibreState::Told(_)
            | FibreState::Joined(_)
            | FibreState::Refused(_) => {}
        }
        if let Some(handle) = &fibre.handle {
            // Room for the entry is there since the fibre began.
            drop(self.core.sandbox.fates.raw_set(handle, false));
        }
        if !matches!(fibre.state, FibreState::New | FibreState::NewEvent(..)) {
            self.close_fibre(&fibre, now);
        }
        self.release(id, true, now);
    }

    /// Runs the `<close>` values of a fibre that is cancelled.
    fn close_fibre(&mut self, fibre: &Fibre, now: &Zoned) {
        let core = Rc::clone(&self.core);
        let (lua, host) = (&core.sandbox.lua, &core.host);
        let Some(state) = self.run.as_ref().map(|run| Rc::clone(&run.state)) else { return };
        if self.enter(now).is_err() {
            return;
        }
        state.closing.set(true);
        let before = lua.used_memory();
        let allowance = self.allowance().unwrap_or_default().max(MEMORY_AT_CLOSE);
        host.meter.begin(host.limits.instructions_at_close);
        let limited = lua.set_memory_limit(before + allowance);
        let closed = limited.and_then(|_| fibre.thread.reset(core.nothing.clone()));
        drop(lua.set_memory_limit(0));
        self.work += host.limits.instructions_at_close.saturating_sub(host.meter.left());
        core.ledger.add(&mut self.charge, before, lua.used_memory());
        state.closing.set(false);
        self.leave();
        let error = match (host.meter.take_doom(), closed) {
            (Some(doom), _) => Some(doom),
            (None, Err(error)) => Some(self.read_error(&error)),
            (None, Ok(())) => None,
        };
        if let Some(error) = error {
            self.note_error("a <close> value of a cancelled function failed", &error);
        }
    }

    /// Logs what went wrong in a part of the script that nobody waits for.
    pub(super) fn note_error(&self, what: &'static str, error: &ScriptError) {
        let Some(run) = &self.run else { return };
        let error = self.told_well(error.clone());
        let place = error.line.map(|line| Place { file: error.file.clone(), line });
        let verb = error.verb.map(|verb| format!("call:{verb}: ")).unwrap_or_default();
        let text = format!("{what}: {verb}{}", error.message);
        let call = run.state.view.id.as_str();
        let mut journal = self.core.host.journal.borrow_mut();
        journal.remark(&text, place, call, Remark::Failed { what, error });
    }
}

const ITSELF: &str = "a function cannot wait for itself";
const CIRCLE: &str = "that function waits for this one, so neither could ever go on";
