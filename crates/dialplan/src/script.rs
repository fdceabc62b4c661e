//! One run of a handler, for one call.

mod afterwards;
mod crowd;
mod settle;
mod waiting;

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use jiff::Zoned;
use mlua::thread::ThreadStatus;
use mlua::{Function, Value};

use crate::call_view::CallView;
use crate::deed::{Asked, Deed};
use crate::error::{Place, ScriptError, readable};
use crate::event::CallEvent;
use crate::fibre::{AskId, FibreId, FibreState};
use crate::generation::{Core, RouteId, RouteInfo};
use crate::log::{LogLine, Remark};
use crate::memory::Charge;
use crate::options::describe;
use crate::outcome::Outcome;
use crate::sandbox::out_of_memory;
use crate::shown::without_typed;
use crate::strain::{Strain, busy_from};
use crate::verb::Verb;
use crate::webhook::WebResponse;
use crowd::Run;

pub use afterwards::AT_THE_END;
pub(crate) use crowd::Kind;

/// Bytes for `<close>` values and `on_hangup` functions of a call that has used up its own.
const MEMORY_AT_CLOSE: usize = 64 * 1024;

/// Bytes that are looked at, when everything unused is freed, for what one instruction costs.
const BYTES_FREED_PER_INSTRUCTION: u64 = 64;

/// What it costs at least to go on with a fibre, in instructions.
const INSTRUCTIONS_PER_SWITCH: u32 = 100;

/// One run of a handler, for one call: a coroutine that sleeps between verbs, and those that it
/// began beside itself.
///
/// It is driven by turns. [`Script::go_on`] runs it until it wants something, which the
/// [`Step`] tells: after [`Step::Ask`] and [`Step::Cancel`] it may want more at once, so go on, or
/// [`resume`](Script::resume) with the outcome if that is known at once; after [`Step::Slice`] go on
/// when others had their turn; after [`Step::Waiting`] there is nothing to do before an outcome.
/// [`Script::close`] ends it; what it wanted to have done then is driven by turns as well, if there
/// [is anything](Script::has_afterwards).
///
/// Keeps its generation alive. Dropping it without [`Script::close`] runs nothing more.
pub struct Script {
    core: Rc<Core>,
    /// `None` when there was nothing to start, which the first turn tells.
    run: Option<Run>,
    /// The route whose handler it runs, if it is one.
    route: Option<RouteId>,
    stage: Stage,
    charge: Charge,
    /// Bytes that it may be charged.
    share: usize,
    /// Bytes charged when everything unused was last freed for it.
    settled: usize,
    /// The line at the last look at the meter in the last run.
    stopped_at: Option<Place>,
    /// Work done for it outside of Lua that no fibre was charged for yet, in instructions.
    work: u64,
    last_ask: u64,
    /// What the owner was not told yet of fibres that were cancelled: asks that nobody waits for, and
    /// what has to be undone because nobody was given it.
    untold: VecDeque<Step>,
    /// `on_hangup` functions that have not begun, once the call is over.
    afterwards: VecDeque<Function>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing ran yet.
    New,
    /// Waits, or stopped between two instructions.
    Begun,
    /// Returned or failed.
    Ended,
    /// The call is over; its `on_hangup` functions run.
    Afterwards,
    Closed,
}

/// Where a script stopped.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// It asks for this; one of its functions waits for the outcome.
    Ask {
        /// Names the ask when it is resumed or cancelled.
        id: AskId,
        /// What it asks for.
        verb: Verb,
    },
    /// The function that waited for this ask is no longer there: stop what was begun for it. Its
    /// outcome, if there is one yet, is of no interest.
    Cancel {
        /// The ask.
        id: AskId,
    },
    /// Everything in it waits for outcomes.
    Waiting,
    /// Its slice of instructions is used up: go on after serving others.
    Slice,
    /// The handler returned. No ask waits any more.
    Returned,
    /// It cannot go on. No ask waits any more.
    Failed(ScriptError),
}

/// What a script is told with a turn.
enum Told {
    Outcome(AskId, Outcome),
    Event(CallEvent),
}

/// Why a call is over, as `on_hangup` functions are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// In words: `caller hung up`, `hung up by script`.
    pub cause: String,
    /// SIP status that belongs to it; 200 for a normal end.
    pub code: u16,
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = self.run.as_ref().map(|run| &run.state.view.id);
        f.debug_struct("Script").field("call", &call).field("stage", &self.stage).finish()
    }
}

impl Script {
    pub(crate) fn new(core: &Rc<Core>, route: RouteId, view: CallView) -> Self {
        let handler = core.host.routes.borrow().get(route.0).map(|route| route.handler.clone());
        debug_assert!(handler.is_some(), "a route of another generation");
        let mut script = Self::start(core, handler, view, Kind::Call);
        script.route = Some(route);
        script
    }

    /// A run of `handler`; nothing of it runs before the first turn.
    pub(crate) fn start(
        core: &Rc<Core>,
        handler: Option<Function>,
        view: CallView,
        kind: Kind<'_>,
    ) -> Self {
        core.reserve();
        core.scripts.set(core.scripts.get() + 1);
        let run = handler.and_then(|handler| Run::new(core, handler, view, kind).ok());
        Self {
            core: Rc::clone(core),
            run,
            route: None,
            stage: Stage::New,
            charge: Charge::default(),
            share: core.host.limits.memory_per_call,
            settled: 0,
            stopped_at: None,
            work: 0,
            last_ask: 0,
            untold: VecDeque::new(),
            afterwards: VecDeque::new(),
        }
    }

    /// Runs the script until it wants something. The first turn begins it.
    ///
    /// After a verb that ends the handler, or once it returned or failed, there is nothing to go on
    /// with: close it.
    pub fn go_on(&mut self, now: &Zoned) -> Step {
        self.step(None, now)
    }

    /// Whether it gave a function to `call:on` for anything.
    pub fn listens(&self) -> bool {
        self.run.as_ref().is_some_and(|run| !run.state.on_event.borrow().is_empty())
    }

    /// Tells that something happened, then goes on as [`Script::go_on`] does: the functions that were
    /// given to `call:on` for it begin to run beside the others.
    ///
    /// With as many of them as [`Limits::children_per_call`](crate::Limits) under way, the event is
    /// lost and that is logged.
    pub fn notice(&mut self, event: CallEvent, now: &Zoned) -> Step {
        self.step(Some(Told::Event(event)), now)
    }

    /// Tells what came of an ask, then goes on as [`Script::go_on`] does. The outcome of an ask that
    /// nobody waits for any more is dropped.
    pub fn resume(&mut self, ask: AskId, outcome: Outcome, now: &Zoned) -> Step {
        self.step(Some(Told::Outcome(ask, outcome)), now)
    }

    fn step(&mut self, mut told: Option<Told>, now: &Zoned) -> Step {
        let step = loop {
            let turn = AssertUnwindSafe(|| self.turn(told.take(), now));
            let step = catch_unwind(turn).unwrap_or_else(|_| {
                self.leave();
                Step::Failed(ScriptError::at(None, "internal fault while running the script"))
            });
            if self.stage != Stage::Afterwards {
                break step;
            }
            if let Some(step) = self.after_turn(step, now) {
                return step;
            }
        };
        let step = match step {
            Step::Failed(error) => Step::Failed(self.told_well(error)),
            step @ (Step::Ask { .. }
            | Step::Cancel { .. }
            | Step::Waiting
            | Step::Slice
            | Step::Returned) => step,
        };
        self.stage = match &step {
            Step::Returned | Step::Failed(_) => Stage::Ended,
            Step::Ask { .. } | Step::Cancel { .. } | Step::Waiting | Step::Slice => Stage::Begun,
        };
        step
    }

    fn turn(&mut self, told: Option<Told>, now: &Zoned) -> Step {
        let runs = matches!(self.stage, Stage::New | Stage::Begun | Stage::Afterwards);
        if self.run.is_none() || !runs {
            return Step::Failed(ScriptError::at(None, "the script has ended already"));
        }
        match told {
            Some(Told::Outcome(ask, outcome)) => self.tell(ask, outcome, now),
            Some(Told::Event(event)) => {
                if let Err(error) = self.begin_event(event) {
                    return Step::Failed(error);
                }
            }
            None => {}
        }
        if let Some(step) = self.untold.pop_front() {
            return step;
        }
        let mut slice = self.core.host.limits.instructions_per_slice;
        loop {
            let Some(next) = self.run.as_mut().and_then(Run::next_ready) else {
                return self.nobody_is_ready();
            };
            if let Some(step) = self.run_fibre(next, now, &mut slice) {
                return step;
            }
            if let Some(step) = self.untold.pop_front() {
                return step;
            }
            if slice == 0 {
                return Step::Slice;
            }
        }
    }

    /// Nothing can go on before an outcome, or for ever.
    fn nobody_is_ready(&self) -> Step {
        match &self.run {
            Some(run) if !run.waits() => {
                let place = run.main.scratch.verb_at.clone();
                Step::Failed(ScriptError::at(place, "its functions wait for each other for ever"))
            }
            Some(_) | None => Step::Waiting,
        }
    }

    /// Runs a fibre until it waits; gives back what the owner has to be told of that.
    fn run_fibre(&mut self, id: FibreId, now: &Zoned, slice: &mut u32) -> Option<Step> {
        let core = Rc::clone(&self.core);
        let (lua, host) = (&core.sandbox.lua, &core.host);
        let run = self.run.as_mut()?;
        run.seat(id);
        let state = Rc::clone(&run.state);
        let thread = run.fibre(id)?.thread.clone();
        let Some(allowance) = self.allowance().or_else(|| self.allowance_afterwards(id)) else {
            let noted = || state.scratch.borrow().verb_at.clone();
            return Some(Step::Failed(out_of_memory(self.stopped_at.take().or_else(noted))));
        };
        if self.enter(now).is_err() {
            return Some(Step::Failed(out_of_memory(None)));
        }
        let before = lua.used_memory();
        let room = allowance + self.garbage_room(before);
        // What an outcome brings along is the call's own, so it is made within its bounds.
        let limited = lua.set_memory_limit(before + room);
        let run = self.run.as_mut()?;
        let work = std::mem::take(&mut self.work) + run.cost_of_values(id);
        let values = run.values_for(id, lua, host.limits.instructions_per_verb);
        let left = self.run.as_ref()?.fibre(id)?.left.saturating_sub(work);
        host.meter.begin_slice(*slice, left);
        let budget = host.limits.instructions_per_verb;
        let heat = self.run.as_mut()?.fibre_mut(id)?.heat.take();
        host.meter.warm(budget - busy_from(&host.limits) / 2, heat);
        let resumed =
            limited.and(values).and_then(|values| thread.resume::<(Option<bool>, Value)>(values));
        drop(lua.set_memory_limit(0));
        *slice = host.meter.slice_left().min(slice.saturating_sub(INSTRUCTIONS_PER_SWITCH));
        self.stopped_at = host.meter.seen();
        if lua.used_memory() > before + allowance {
            self.free_unused();
        }
        core.ledger.add(&mut self.charge, before, lua.used_memory());
        self.leave();
        let left = host.meter.left().saturating_sub(std::mem::take(&mut self.work));
        if let Some(doom) = host.meter.take_doom() {
            return Some(Step::Failed(doom));
        }
        self.note_held_up();
        let run = self.run.as_mut()?;
        let fibre = run.fibre_mut(id)?;
        fibre.left = left;
        fibre.heat = host.meter.take_heat();
        if !matches!(&resumed, Ok((None, _))) || thread.status() != ThreadStatus::Resumable {
            self.note_busy(id);
        }
        let run = self.run.as_mut()?;
        let born = run.take_births(id, host.limits.instructions_per_verb);
        if born > 0 {
            core.scripts.set(core.scripts.get() + born);
            core.reserve();
        }
        match resumed {
            Err(error) => Some(Step::Failed(self.read_error(&error))),
            Ok((Some(false), problem)) => self.fibre_ended(id, Some(&problem), now),
            Ok(_) if thread.status() != ThreadStatus::Resumable => self.fibre_ended(id, None, now),
            Ok((Some(true), _)) => {
                let want = state.scratch.borrow_mut().want.take();
                self.satisfy(id, want, now)
            }
            Ok(_) => {
                self.run.as_mut()?.ready_again(id, FibreState::Paused);
                *slice = 0;
                None
            }
        }
    }

    /// A fibre wants something or has ended: if it was busy until now, that is told, with the line.
    fn note_busy(&mut self, id: FibreId) {
        let limits = self.core.host.limits;
        let Some(fibre) = self.run.as_mut().and_then(|run| run.fibre_mut(id)) else { return };
        let used = limits.instructions_per_verb.saturating_sub(fibre.left);
        let heat = fibre.heat.take();
        if used < busy_from(&limits) {
            return;
        }
        let (instructions, instructions_max) = (used, limits.instructions_per_verb);
        let strain = Strain::Busy { instructions, instructions_max };
        self.note_strain(strain, heat.and_then(|heat| heat.hottest()));
    }

    /// If the run held up all others, that is told, with the line.
    fn note_held_up(&self) {
        if let Some((instructions, place)) = self.core.host.meter.take_held_up() {
            self.note_strain(Strain::Holding { instructions }, Some(place));
        }
    }

    fn note_strain(&self, strain: Strain, place: Option<Place>) {
        let call = self.run.as_ref().map(|run| run.state.view.id.as_str()).unwrap_or_default();
        let mut journal = self.core.host.journal.borrow_mut();
        journal.remark(&strain.to_string(), place, call, Remark::Strained(strain));
    }

    /// Frees what no script uses any more, and counts the work for whoever runs next.
    fn free_unused(&mut self) {
        let lua = &self.core.sandbox.lua;
        drop(lua.gc_collect());
        self.work += lua.used_memory() as u64 / BYTES_FREED_PER_INSTRUCTION;
    }

    /// Bytes by which a run may go beyond its allowance before everything unused is freed.
    ///
    /// In proportion to all that is in use, so that freeing costs no more than allocating did.
    /// What is still held after the run counts in full.
    fn garbage_room(&self, used: usize) -> usize {
        let rest = self.core.host.limits.memory_in_all.saturating_sub(used);
        (used / 2).min(rest)
    }

    /// Bytes by which Lua may grow in this run; `None` when the call has used up its share.
    fn allowance(&mut self) -> Option<usize> {
        let core = Rc::clone(&self.core);
        let (limits, lua) = (&core.host.limits, &core.sandbox.lua);
        let most = self.share;
        let share = |charge| most.saturating_sub(core.ledger.bytes(charge));
        let rest = || limits.memory_in_all.saturating_sub(lua.used_memory());
        // Freeing everything unused takes long, so not again before much was added.
        let grown = core.ledger.bytes(self.charge) > self.settled + limits.memory_per_call / 8;
        let tight = share(self.charge) < limits.memory_per_call / 4 && grown;
        if share(self.charge) == 0 || tight || rest() < limits.memory_per_call {
            self.free_unused();
            core.ledger.settle(&mut self.charge, lua.used_memory());
            self.settled = core.ledger.bytes(self.charge);
        }
        Some(share(self.charge).min(rest())).filter(|allowance| *allowance > 0)
    }

    fn enter(&self, now: &Zoned) -> mlua::Result<()> {
        let Some(run) = &self.run else { return Ok(()) };
        let host = &self.core.host;
        host.now.replace(now.clone());
        let globals = run.state.globals.borrow();
        self.core.sandbox.show_globals(globals.as_ref())?;
        host.current.replace(Some(Rc::clone(&run.state)));
        Ok(())
    }

    fn leave(&self) {
        drop(self.core.sandbox.lua.set_memory_limit(0));
        self.core.host.current.replace(None);
    }

    /// What a handler raised.
    fn read_problem(&self, problem: &Value) -> ScriptError {
        let trace = self
            .run
            .as_ref()
            .map(|run| std::mem::take(&mut run.state.scratch.borrow_mut().trace))
            .unwrap_or_default();
        if let Value::Error(error) = problem {
            let mut read = self.read_error(error);
            if read.traceback.is_empty() {
                read.traceback = trace;
            }
            return read;
        }
        let text = match problem.as_string() {
            Some(text) => text.to_string_lossy(),
            None => format!("raised {} instead of a message", describe(problem)),
        };
        self.checked_for_memory(ScriptError::from_text(&text, trace))
    }

    /// An error as its reader should have it: with what the verb was given, with names along the way,
    /// and without what the caller typed.
    pub(crate) fn told_well(&self, mut error: ScriptError) -> ScriptError {
        error.traceback = readable(&error.traceback, |file, line| self.core.handler_at(file, line));
        let Some(run) = &self.run else { return error };
        let blame = run.state.scratch.borrow_mut().blame.take();
        if let Some(blame) = blame.filter(|blame| error.is_told_by(&blame.text)) {
            error.arguments = Some(blame.arguments);
        }
        let typed = run.state.typed.borrow();
        error.message = without_typed(&error.message, &typed);
        error.arguments = error.arguments.map(|arguments| without_typed(&arguments, &typed));
        error
    }

    fn read_error(&self, error: &mlua::Error) -> ScriptError {
        self.checked_for_memory(ScriptError::from_lua(error))
    }

    fn checked_for_memory(&self, mut read: ScriptError) -> ScriptError {
        if read.message.ends_with("not enough memory") {
            let trace = read.traceback;
            let told = read.line.map(|line| Place { file: read.file, line });
            let noted =
                || self.run.as_ref().and_then(|run| run.state.scratch.borrow().verb_at.clone());
            read = out_of_memory(self.core.host.meter.seen().or(told).or_else(noted));
            read.traceback = trace;
        }
        read
    }

    /// The route whose handler this runs; `None` for what is run otherwise.
    pub fn route(&self) -> Option<&RouteInfo> {
        self.core.route(self.route?)
    }

    /// Which function of the script waits for an ask, and where; `None` when nobody does.
    pub fn asked(&self, ask: AskId) -> Option<Asked> {
        self.run.as_ref()?.asked(ask)
    }

    /// Every function of the script that waits for something, the handler's first.
    pub fn waiting(&self) -> Vec<Asked> {
        self.run.as_ref().map(Run::waiting).unwrap_or_default()
    }

    /// Takes what the script did without waiting for it, oldest first: at most 64 deeds since the
    /// last time.
    pub fn take_deeds(&self) -> Vec<Deed> {
        self.run.as_ref().map(|run| run.state.deeds.take()).unwrap_or_default()
    }

    /// Takes what another program is to be answered, if this run was for one and came to an end.
    pub fn take_response(&self) -> Option<WebResponse> {
        self.run.as_ref()?.state.response.take()
    }

    /// Takes the lines logged since the last time by any script of the generation.
    pub fn take_logs(&self) -> Vec<LogLine> {
        self.core.host.journal.borrow_mut().take()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.core.ledger.release(self.charge);
        let fibres = 1 + self.run.as_ref().map_or(0, Run::child_count);
        self.core.scripts.set(self.core.scripts.get().saturating_sub(fibres));
    }
}
