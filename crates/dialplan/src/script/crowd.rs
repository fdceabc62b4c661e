//! The fibres of one script: who can go on, who waits for whom, and how they end.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use jiff::Zoned;
use mlua::{Function, IntoLua, IntoLuaMulti, Lua, MultiValue, Thread, Value};

use super::settle::{cost, settle};
use super::{MEMORY_AT_CLOSE, Script, Step};
use crate::call_view::CallView;
use crate::deed::Asked;
use crate::error::{Place, ScriptError};
use crate::event::CallEvent;
use crate::fibre::{AskId, Errors, Fibre, FibreId, FibreState, Joining, Scratch, Until, Want};
use crate::generation::Core;
use crate::handler::Handler;
use crate::host::CallState;
use crate::legs::Given;
use crate::log::{LogLevel, Remark};
use crate::outcome::Outcome;
use crate::verb::{self, Verb};

/// What a script runs for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A call, which the handler is given.
    Call,
    /// Nobody: it runs by itself and is given nothing.
    Job,
}

/// The coroutines of one script.
pub(super) struct Run {
    pub(super) state: Rc<CallState>,
    pub(super) handler: Function,
    /// What it is called with, beside nothing.
    argument: Option<Value>,
    pub(super) main: Fibre,
    /// In the order of their birth.
    children: Vec<Fibre>,
    /// Who can go on, in this order. The handler alone needs no queue.
    ready: VecDeque<FibreId>,
}

impl Run {
    pub(super) fn new(
        core: &Core,
        handler: Function,
        view: CallView,
        kind: Kind,
    ) -> mlua::Result<Self> {
        let lua = &core.sandbox.lua;
        let table = lua.create_table()?;
        table.set_metatable(Some(core.sandbox.call_metatable.clone()))?;
        let main = Fibre {
            id: FibreId::HANDLER,
            parent: FibreId::HANDLER,
            thread: lua.create_thread(core.sandbox.body.clone())?,
            handle: None,
            errors: Errors::Awaited,
            state: FibreState::New,
            scratch: Scratch::default(),
            left: core.host.limits.instructions_per_verb,
            heat: None,
        };
        let state = Rc::new(CallState {
            view,
            table,
            globals: RefCell::default(),
            on_hangup: RefCell::default(),
            on_event: RefCell::default(),
            verbs: Cell::new(0),
            over: Cell::new(false),
            closing: Cell::new(false),
            scratch: RefCell::default(),
            seated: Cell::new(FibreId::HANDLER),
            children: Cell::new(0),
            births: RefCell::default(),
            deeds: RefCell::default(),
            typed: RefCell::default(),
            line: Cell::new(None),
            line_at: RefCell::default(),
        });
        let argument = match kind {
            Kind::Call => Some(Value::Table(state.table.clone())),
            Kind::Job => None,
        };
        Ok(Self { state, handler, argument, main, children: Vec::new(), ready: VecDeque::new() })
    }

    pub(super) fn fibre(&self, id: FibreId) -> Option<&Fibre> {
        if id == FibreId::HANDLER {
            return Some(&self.main);
        }
        self.children.iter().find(|fibre| fibre.id == id)
    }

    pub(super) fn fibre_mut(&mut self, id: FibreId) -> Option<&mut Fibre> {
        if id == FibreId::HANDLER {
            return Some(&mut self.main);
        }
        self.children.iter_mut().find(|fibre| fibre.id == id)
    }

    fn fibres(&self) -> impl Iterator<Item = &Fibre> {
        std::iter::once(&self.main).chain(&self.children)
    }

    /// Whether anything waits for an outcome or an event.
    pub(super) fn waits(&self) -> bool {
        if !self.state.on_event.borrow().is_empty() {
            return true;
        }
        self.fibres().any(|fibre| match &fibre.state {
            FibreState::Asking(_) => true,
            FibreState::Joining(joining) => joining.timer.is_some(),
            FibreState::New
            | FibreState::NewEvent(..)
            | FibreState::Paused
            | FibreState::Running
            | FibreState::Told(_)
            | FibreState::Joined(_)
            | FibreState::Refused(_) => false,
        })
    }

    /// Who waits for an ask, and where.
    pub(super) fn asked(&self, ask: AskId) -> Option<Asked> {
        self.asked_by(self.fibres().find(|fibre| fibre.state.waits_for(ask))?)
    }

    /// Everybody who waits for an ask, and where.
    pub(super) fn waiting(&self) -> Vec<Asked> {
        self.fibres().filter_map(|fibre| self.asked_by(fibre)).collect()
    }

    fn asked_by(&self, fibre: &Fibre) -> Option<Asked> {
        let seated = self.state.scratch.borrow();
        let notes = if fibre.id == self.state.seated.get() { &*seated } else { &fibre.scratch };
        let function = match &fibre.state {
            FibreState::Asking(_) => notes.asked.map_or("", |spec| spec.name),
            FibreState::Joining(joining) => joining.timer.map(|_| "within")?,
            FibreState::New
            | FibreState::NewEvent(..)
            | FibreState::Paused
            | FibreState::Running
            | FibreState::Told(_)
            | FibreState::Joined(_)
            | FibreState::Refused(_) => return None,
        };
        let place = notes.verb_at.clone().unwrap_or_default();
        Some(Asked { function, file: place.file, line: place.line })
    }

    /// Who goes on next.
    pub(super) fn next_ready(&mut self) -> Option<FibreId> {
        let alone = || self.main.state.is_ready().then_some(FibreId::HANDLER);
        self.ready.pop_front().or_else(alone)
    }

    /// Lets a fibre go on when its turn comes.
    pub(super) fn ready_again(&mut self, id: FibreId, state: FibreState) {
        let alone = id == FibreId::HANDLER && self.children.is_empty();
        let Some(fibre) = self.fibre_mut(id) else { return };
        fibre.state = state;
        if !alone {
            self.ready.push_back(id);
        }
    }

    /// Hands an outcome to whoever asked; gives back a fibre whose time to wait for others is over.
    fn tell(&mut self, ask: AskId, outcome: Outcome) -> Option<FibreId> {
        let fibre = self.fibres().find(|fibre| fibre.state.waits_for(ask))?;
        let id = fibre.id;
        self.state.release_line(id);
        if matches!(fibre.state, FibreState::Joining(_)) {
            return Some(id);
        }
        self.ready_again(id, FibreState::Told(outcome));
        None
    }

    /// Gives a fibre its own notes to write on.
    pub(super) fn seat(&mut self, id: FibreId) {
        let seated = self.state.seated.replace(id);
        if seated == id {
            return;
        }
        let mut notes = self.fibre_mut(id).map(|fibre| std::mem::take(&mut fibre.scratch));
        let notes = self.state.scratch.replace(notes.take().unwrap_or_default());
        if self.state.line.get().is_some_and(|(holder, _)| holder == seated) {
            self.state.line_at.replace(notes.verb_at.clone());
        }
        if let Some(fibre) = self.fibre_mut(seated) {
            fibre.scratch = notes;
        }
    }

    /// What it costs to hand a fibre what it is resumed with, in instructions.
    pub(super) fn cost_of_values(&self, id: FibreId) -> u64 {
        match self.fibre(id).map(|fibre| &fibre.state) {
            Some(FibreState::Told(outcome)) => cost(outcome),
            Some(
                FibreState::New
                | FibreState::Paused
                | FibreState::Running
                | FibreState::Asking(_)
                | FibreState::Joining(_)
                | FibreState::Joined(_)
                | FibreState::Refused(_)
                | FibreState::NewEvent(..),
            )
            | None => 0,
        }
    }

    /// What a fibre is resumed with.
    pub(super) fn values_for(
        &mut self,
        id: FibreId,
        lua: &Lua,
        instructions: u64,
    ) -> mlua::Result<MultiValue> {
        let (handler, state) = (self.handler.clone(), Rc::clone(&self.state));
        let argument = self.argument.clone();
        let Some(fibre) = self.fibre_mut(id) else { return Ok(MultiValue::new()) };
        match std::mem::replace(&mut fibre.state, FibreState::Running) {
            FibreState::New if id == FibreId::HANDLER => {
                Ok(std::iter::once(Value::Function(handler)).chain(argument).collect())
            }
            FibreState::NewEvent(function, arguments) => {
                let arguments = arguments.into_iter().map(|argument| argument.into_lua(lua));
                std::iter::once(Ok(Value::Function(function))).chain(arguments).collect()
            }
            FibreState::Told(outcome) => {
                fibre.left = instructions;
                match &outcome {
                    Outcome::Read { digits, .. } => state.note_typed(digits),
                    Outcome::Played { digit: Some(digit), .. } => {
                        state.note_typed(digit.encode_utf8(&mut [0; 4]));
                    }
                    Outcome::Played { digit: None, .. }
                    | Outcome::Done
                    | Outcome::Fault(_)
                    | Outcome::Recorded { .. }
                    | Outcome::Dialed { .. }
                    | Outcome::Originated { .. }
                    | Outcome::Begun
                    | Outcome::Voicemail(_)
                    | Outcome::Mailbox(_)
                    | Outcome::Fetched(_)
                    | Outcome::Queried(_)
                    | Outcome::Locked(_) => {}
                }
                settle(lua, &state.scratch.borrow(), outcome)
            }
            FibreState::Joined(index) => index.into_lua_multi(lua),
            FibreState::Refused(problem) => (Value::Nil, problem).into_lua_multi(lua),
            FibreState::New
            | FibreState::Paused
            | FibreState::Running
            | FibreState::Asking(_)
            | FibreState::Joining(_) => Ok(MultiValue::new()),
        }
    }

    /// Takes in what the fibre that just ran has begun.
    ///
    /// Gives back how many there are.
    pub(super) fn take_births(&mut self, parent: FibreId, instructions: u64) -> usize {
        if self.state.births.borrow().is_empty() {
            return 0;
        }
        let births = self.state.births.take();
        let count = births.len();
        for birth in births {
            self.ready.push_back(birth.id);
            self.children.push(Fibre {
                id: birth.id,
                parent,
                thread: birth.thread,
                handle: Some(birth.handle),
                errors: birth.errors,
                state: FibreState::New,
                scratch: Scratch::default(),
                left: instructions,
                heat: None,
            });
        }
        count
    }

    pub(super) fn child_count(&self) -> usize {
        self.children.len()
    }

    /// All coroutines in the order in which they are closed: children before whoever began them.
    pub(super) fn threads(&self) -> Vec<Thread> {
        let children = self.descendants(FibreId::HANDLER).into_iter().chain([FibreId::HANDLER]);
        children.filter_map(|id| self.fibre(id)).map(|fibre| fibre.thread.clone()).collect()
    }

    /// Takes a child out.
    fn remove(&mut self, id: FibreId) -> Option<Fibre> {
        let index = self.children.iter().position(|fibre| fibre.id == id)?;
        self.ready.retain(|ready| *ready != id);
        self.state.children.set(self.children.len() - 1);
        Some(self.children.remove(index))
    }

    /// A fibre's children, theirs before it, the youngest first; the fibre itself is not among them.
    pub(super) fn descendants(&self, id: FibreId) -> Vec<FibreId> {
        let mut found = Vec::new();
        for child in self.children.iter().rev().filter(|child| child.parent == id) {
            found.extend(self.descendants(child.id));
            found.push(child.id);
        }
        found
    }

    /// Whether `id` cannot go on before `other` has.
    fn depends(&self, id: FibreId, other: FibreId) -> bool {
        self.depends_by(id, other, &mut Way { fibres: Vec::new(), looks_left: LOOKS_MAX })
    }

    fn depends_by(&self, id: FibreId, other: FibreId, way: &mut Way) -> bool {
        if id == other || way.fibres.contains(&id) {
            return true;
        }
        way.looks_left = way.looks_left.saturating_sub(1);
        if way.looks_left == 0 {
            return false;
        }
        let Some(Fibre { state: FibreState::Joining(joining), .. }) = self.fibre(id) else {
            return false;
        };
        way.fibres.push(id);
        let mut depends = |member: &FibreId| self.depends_by(*member, other, way);
        let mut members = joining.members.iter();
        let depends = match joining.until {
            _ if joining.timer.is_some() => false,
            Until::First => members.all(&mut depends),
            Until::Ended | Until::All => members.any(&mut depends),
        };
        way.fibres.pop();
        depends
    }
}

/// A way from one fibre to what it waits for, and so on.
struct Way {
    fibres: Vec<FibreId>,
    looks_left: u32,
}

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

    fn cancel_children(&mut self, id: FibreId, now: &Zoned) {
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
    fn note_error(&self, what: &'static str, error: &ScriptError) {
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

/// Looks at others before one is allowed to wait, whatever comes of it: a knot that is not found here
/// is found when nothing in the script can go on.
const LOOKS_MAX: u32 = 1_000;
const ITSELF: &str = "a function cannot wait for itself";
const CIRCLE: &str = "that function waits for this one, so neither could ever go on";
