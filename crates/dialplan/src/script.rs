//! One run of a handler, for one call.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use jiff::Zoned;
use mlua::thread::ThreadStatus;
use mlua::{Function, IntoLua, Lua, MultiValue, Thread, Value};

use crate::call_view::CallView;
use crate::error::{Place, ScriptError};
use crate::generation::{Core, RouteId};
use crate::host::{CallState, placed};
use crate::log::LogLine;
use crate::memory::Charge;
use crate::options::describe;
use crate::outcome::{DialStatus, MailboxStatus, Outcome, ReadEnd, VoicemailStatus};
use crate::sandbox::out_of_memory;
use crate::verb::Verb;

/// Bytes for `<close>` values and `on_hangup` functions of a call that has used up its own.
const MEMORY_AT_CLOSE: usize = 64 * 1024;

/// Bytes that are looked at, when everything unused is freed, for what one instruction costs.
const BYTES_FREED_PER_INSTRUCTION: u64 = 64;

/// One run of a handler, for one call: a coroutine that sleeps between verbs.
///
/// Keeps its generation alive. Dropping it without [`Script::close`] runs nothing more.
pub struct Script {
    core: Rc<Core>,
    /// `None` when there was nothing to start, which the first resume tells.
    run: Option<Run>,
    stage: Stage,
    charge: Charge,
    /// Bytes charged when everything unused was last freed for it.
    settled: usize,
    /// The line at the last look at the meter in the last run.
    stopped_at: Option<Place>,
    /// Instructions left until the next verb.
    left: u64,
}

struct Run {
    state: Rc<CallState>,
    thread: Thread,
    handler: Function,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing ran yet.
    New,
    /// Asked for a verb.
    Waiting,
    /// Stopped between two instructions.
    Paused,
    /// Returned or failed.
    Ended,
    Closed,
}

/// Where a script stopped.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// It asks for this; resume it with the outcome.
    Ask(Verb),
    /// Its slice of instructions is used up: resume it with [`Outcome::Done`] after serving others.
    Slice,
    /// The handler returned.
    Returned,
    /// It cannot go on.
    Failed(ScriptError),
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
        core.reserve();
        core.scripts.set(core.scripts.get() + 1);
        let start = || -> mlua::Result<Option<Run>> {
            let routes = core.host.routes.borrow();
            let Some(route) = routes.get(route.0) else { return Ok(None) };
            let table = core.sandbox.lua.create_table()?;
            table.set_metatable(Some(core.sandbox.call_metatable.clone()))?;
            let thread = core.sandbox.lua.create_thread(core.sandbox.body.clone())?;
            let handler = route.handler.clone();
            let state = Rc::new(CallState {
                view,
                table,
                globals: RefCell::default(),
                on_hangup: RefCell::default(),
                depth: Cell::new(0),
                verbs: Cell::new(0),
                over: Cell::new(false),
                verb_at: RefCell::default(),
                asked: Cell::new(None),
                pending: RefCell::default(),
                trace: RefCell::default(),
            });
            Ok(Some(Run { state, thread, handler }))
        };
        let run = start().ok().flatten();
        debug_assert!(run.is_some(), "a route of another generation");
        Self {
            core: Rc::clone(core),
            run,
            stage: Stage::New,
            charge: Charge::default(),
            settled: 0,
            stopped_at: None,
            left: core.host.limits.instructions_per_verb,
        }
    }

    /// Runs the script until it next has to wait. The first outcome is [`Outcome::Start`].
    ///
    /// After a verb that ends the handler, or once it returned or failed, there is nothing to
    /// resume: close it.
    pub fn resume(&mut self, outcome: Outcome, now: &Zoned) -> Step {
        let running = AssertUnwindSafe(|| self.run(outcome, now));
        let step = catch_unwind(running).unwrap_or_else(|_| {
            self.leave();
            Step::Failed(ScriptError::at(None, "internal fault while running the script"))
        });
        match &step {
            Step::Ask(_) => self.stage = Stage::Waiting,
            Step::Slice => self.stage = Stage::Paused,
            Step::Returned | Step::Failed(_) => self.stage = Stage::Ended,
        }
        step
    }

    fn run(&mut self, outcome: Outcome, now: &Zoned) -> Step {
        let (Some(run), Stage::New | Stage::Waiting | Stage::Paused) = (&self.run, &self.stage)
        else {
            return Step::Failed(ScriptError::at(None, "the script has ended already"));
        };
        let core = Rc::clone(&self.core);
        let (lua, host) = (&core.sandbox.lua, &core.host);
        let (thread, state) = (run.thread.clone(), Rc::clone(&run.state));
        let values = match self.stage {
            Stage::New => Ok(MultiValue::from_vec(vec![
                Value::Function(run.handler.clone()),
                Value::Table(run.state.table.clone()),
            ])),
            Stage::Paused => Ok(MultiValue::new()),
            Stage::Waiting | Stage::Ended | Stage::Closed => {
                self.left = host.limits.instructions_per_verb;
                settle(lua, &state, outcome)
            }
        };
        let Some(allowance) = self.allowance() else {
            let place = self.stopped_at.take().or_else(|| state.verb_at.borrow().clone());
            return Step::Failed(out_of_memory(place));
        };
        if self.enter(now).is_err() {
            return Step::Failed(out_of_memory(None));
        }
        host.meter.begin_slice(host.limits.instructions_per_slice, self.left);
        let before = lua.used_memory();
        let resumed = values.and_then(|values| {
            lua.set_memory_limit(before + allowance + self.garbage_room(before))?;
            thread.resume::<(Option<bool>, Value)>(values)
        });
        drop(lua.set_memory_limit(0));
        self.left = host.meter.left();
        self.stopped_at = host.meter.seen();
        if lua.used_memory() > before + allowance {
            self.free_unused();
        }
        core.ledger.add(&mut self.charge, before, lua.used_memory());
        self.leave();
        if let Some(doom) = host.meter.take_doom() {
            return Step::Failed(doom);
        }
        match resumed {
            Err(error) => Step::Failed(self.read_error(&error)),
            Ok((Some(false), problem)) => Step::Failed(self.read_problem(&problem)),
            Ok(_) if thread.status() != ThreadStatus::Resumable => Step::Returned,
            Ok((Some(true), _)) => match state.pending.take() {
                Some(verb) => Step::Ask(verb),
                None => Step::Failed(ScriptError::at(None, "the script waits for nothing")),
            },
            Ok(_) => Step::Slice,
        }
    }

    /// Frees what no script uses any more, and counts the work.
    fn free_unused(&mut self) {
        let lua = &self.core.sandbox.lua;
        drop(lua.gc_collect());
        let work = lua.used_memory() as u64 / BYTES_FREED_PER_INSTRUCTION;
        self.left = self.left.saturating_sub(work);
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
        let share = |charge| limits.memory_per_call.saturating_sub(core.ledger.bytes(charge));
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
        let trace = self.run.as_ref().map(|run| run.state.trace.take()).unwrap_or_default();
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

    fn read_error(&self, error: &mlua::Error) -> ScriptError {
        self.checked_for_memory(ScriptError::from_lua(error))
    }

    fn checked_for_memory(&self, mut read: ScriptError) -> ScriptError {
        if read.message.ends_with("not enough memory") {
            let trace = read.traceback;
            let told = read.line.map(|line| Place { file: read.file, line });
            let noted = || self.run.as_ref().and_then(|run| run.state.verb_at.borrow().clone());
            read = out_of_memory(self.core.host.meter.seen().or(told).or_else(noted));
            read.traceback = trace;
        }
        read
    }

    /// Ends the script where it stands: `<close>` values run, then `on_hangup` functions.
    ///
    /// They have a budget of their own and cannot use verbs. Gives back what went wrong in them.
    /// A second close does nothing.
    pub fn close(&mut self, ending: Ending, now: &Zoned) -> Vec<ScriptError> {
        let stage = std::mem::replace(&mut self.stage, Stage::Closed);
        if stage == Stage::Closed {
            return Vec::new();
        }
        let closing = AssertUnwindSafe(|| self.run_last(stage, &ending, now));
        catch_unwind(closing).unwrap_or_else(|_| {
            self.leave();
            vec![ScriptError::at(None, "internal fault while closing the script")]
        })
    }

    fn run_last(&mut self, stage: Stage, ending: &Ending, now: &Zoned) -> Vec<ScriptError> {
        let Some(run) = &self.run else { return Vec::new() };
        let core = Rc::clone(&self.core);
        let (lua, host) = (&core.sandbox.lua, &core.host);
        let (thread, functions) = (run.thread.clone(), run.state.on_hangup.take());
        run.state.over.set(true);
        if stage == Stage::New || self.enter(now).is_err() {
            return Vec::new();
        }
        let before = lua.used_memory();
        let allowance = self.allowance().unwrap_or_default().max(MEMORY_AT_CLOSE);
        let mut errors = Vec::new();
        let mut limited = |work: &dyn Fn() -> mlua::Result<()>| {
            host.meter.begin(host.limits.instructions_at_close);
            let done = lua.set_memory_limit(before + allowance).and_then(|_| work());
            drop(lua.set_memory_limit(0));
            match (host.meter.take_doom(), done) {
                (Some(doom), _) => errors.push(doom),
                (None, Err(error)) => errors.push(self.read_error(&error)),
                (None, Ok(())) => {}
            }
        };
        if thread.status() != ThreadStatus::Finished {
            limited(&|| thread.reset(core.nothing.clone()));
        }
        for function in functions {
            limited(&|| {
                let last = lua.create_thread(function.clone())?;
                last.resume::<()>((ending.cause.as_str(), ending.code))
            });
        }
        core.ledger.add(&mut self.charge, before, lua.used_memory());
        self.leave();
        errors
    }

    /// Takes the lines logged since the last time by any script of the generation.
    pub fn take_logs(&self) -> Vec<LogLine> {
        self.core.host.journal.borrow_mut().take()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.core.ledger.release(self.charge);
        self.core.scripts.set(self.core.scripts.get().saturating_sub(1));
    }
}

/// An outcome as values; the numbers choose the shape that the prelude gives them.
fn settle(lua: &Lua, state: &CallState, outcome: Outcome) -> mlua::Result<MultiValue> {
    let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let values = |values: Vec<mlua::Result<Value>>| {
        values.into_iter().collect::<mlua::Result<Vec<_>>>().map(MultiValue::from_vec)
    };
    match outcome {
        Outcome::Start | Outcome::Done => Ok(MultiValue::new()),
        Outcome::Fault(problem) => {
            let verb = state.asked.get().map_or("", |spec| spec.name);
            let place = state.verb_at.borrow().clone();
            let text = placed(place, &format!("call:{verb}: {problem}"));
            values(vec![1.into_lua(lua), text.into_lua(lua)])
        }
        Outcome::Played { digit, heard } => values(vec![
            2.into_lua(lua),
            digit.map(String::from).into_lua(lua),
            digit.is_some().into_lua(lua),
            millis(heard).into_lua(lua),
        ]),
        Outcome::Read { digits, ended } => {
            let why = match ended {
                ReadEnd::Complete => {
                    return values(vec![3.into_lua(lua), digits.into_lua(lua)]);
                }
                ReadEnd::Timeout => "timeout",
                ReadEnd::Invalid => "invalid",
            };
            values(vec![3.into_lua(lua), Ok(Value::Nil), why.into_lua(lua)])
        }
        Outcome::Recorded { length, path } => {
            values(vec![4.into_lua(lua), millis(length).into_lua(lua), path.into_lua(lua)])
        }
        Outcome::Dialed { status, code, reason, talked, answered_by } => values(vec![
            5.into_lua(lua),
            dial_word(status).into_lua(lua),
            code.into_lua(lua),
            reason.into_lua(lua),
            talked.as_secs_f64().into_lua(lua),
            Some(answered_by).filter(|to| !to.is_empty()).into_lua(lua),
        ]),
        Outcome::Voicemail(status) => {
            let word = match status {
                VoicemailStatus::Success => "SUCCESS",
                VoicemailStatus::Empty => "EMPTY",
                VoicemailStatus::Failed => "FAILED",
            };
            values(vec![6.into_lua(lua), word.into_lua(lua)])
        }
        Outcome::Mailbox(status) => {
            let word = match status {
                MailboxStatus::Done => "DONE",
                MailboxStatus::Refused => "REFUSED",
                MailboxStatus::Failed => "FAILED",
            };
            values(vec![6.into_lua(lua), word.into_lua(lua)])
        }
    }
}

/// Asterisk's words for how a dial ended.
fn dial_word(status: DialStatus) -> &'static str {
    match status {
        DialStatus::Answered => "ANSWERED",
        DialStatus::Busy => "BUSY",
        DialStatus::NoAnswer => "NOANSWER",
        DialStatus::Cancel => "CANCEL",
        DialStatus::Congestion => "CONGESTION",
        DialStatus::ChanUnavail => "CHANUNAVAIL",
    }
}
