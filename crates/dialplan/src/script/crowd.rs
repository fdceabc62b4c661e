//! The fibres of one script: who can go on, and who waits for whom.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use mlua::{Function, IntoLua, IntoLuaMulti, Lua, MultiValue, Thread, Value};

use super::settle::{cost, settle};
use crate::call_view::CallView;
use crate::deed::Asked;
use crate::fibre::{AskId, Errors, Fibre, FibreId, FibreState, Scratch, Until};
use crate::generation::Core;
use crate::host::CallState;
use crate::outcome::Outcome;
use crate::webhook::{self, WebRequest};

/// What a script runs for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    /// A call, which the handler is given.
    Call,
    /// Nobody: it runs by itself and is given nothing.
    Job,
    /// Another program that asks.
    Request(&'a WebRequest),
}

/// The coroutines of one script.
pub(super) struct Run {
    pub(super) state: Rc<CallState>,
    pub(super) handler: Function,
    /// What it is called with.
    pub(super) arguments: Vec<Value>,
    pub(super) main: Fibre,
    /// In the order of their birth.
    pub(super) children: Vec<Fibre>,
    /// Who can go on, in this order. The handler alone needs no queue.
    pub(super) ready: VecDeque<FibreId>,
}

impl Run {
    pub(super) fn new(
        core: &Core,
        handler: Function,
        view: CallView,
        kind: Kind<'_>,
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
            response: RefCell::default(),
            table,
            globals: RefCell::default(),
            on_hangup: RefCell::default(),
            on_event: RefCell::default(),
            verbs: Cell::new(0),
            over: Cell::new(false),
            afterwards: Cell::new(false),
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
        let arguments = match kind {
            Kind::Call => vec![Value::Table(state.table.clone())],
            Kind::Job => Vec::new(),
            Kind::Request(request) => webhook::values(lua, request)?,
        };
        Ok(Self { state, handler, arguments, main, children: Vec::new(), ready: VecDeque::new() })
    }

    /// Forgets all that ran up to now, after it was closed. Gives back how many children that were.
    pub(super) fn let_go(&mut self) -> usize {
        let state = &self.state;
        state.births.take();
        state.on_event.take();
        state.verbs.set(0);
        state.children.set(0);
        state.line.set(None);
        state.line_at.take();
        self.ready.clear();
        self.children.drain(..).count()
    }

    /// Has a function run in place of the handler, for the same call.
    pub(super) fn begin_again(&mut self, handler: Function, thread: Thread, instructions: u64) {
        self.state.seated.set(FibreId::HANDLER);
        self.state.scratch.take();
        self.handler = handler;
        self.main.thread = thread;
        self.main.state = FibreState::New;
        self.main.scratch = Scratch::default();
        self.main.left = instructions;
        self.main.heat = None;
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

    pub(super) fn fibres(&self) -> impl Iterator<Item = &Fibre> {
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
    pub(super) fn tell(&mut self, ask: AskId, outcome: Outcome) -> Option<FibreId> {
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
        let arguments = self.arguments.clone();
        let Some(fibre) = self.fibre_mut(id) else { return Ok(MultiValue::new()) };
        match std::mem::replace(&mut fibre.state, FibreState::Running) {
            FibreState::New if id == FibreId::HANDLER => {
                Ok(std::iter::once(Value::Function(handler)).chain(arguments).collect())
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
                    | Outcome::Unspoken(_)
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
    pub(super) fn remove(&mut self, id: FibreId) -> Option<Fibre> {
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
    pub(super) fn depends(&self, id: FibreId, other: FibreId) -> bool {
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

/// Looks at others before one is allowed to wait, whatever comes of it: a knot that is not found here
/// is found when nothing in the script can go on.
const LOOKS_MAX: u32 = 1_000;
