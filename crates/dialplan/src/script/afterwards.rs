//! How a script ends, and what it wanted to have done when its call is over.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use jiff::Zoned;
use mlua::thread::ThreadStatus;
use mlua::{IntoLua, Value};

use super::{Ending, MEMORY_AT_CLOSE, Script, Stage, Step};
use crate::error::ScriptError;
use crate::fibre::{FibreId, FibreState};
use crate::sandbox::out_of_memory;

impl Script {
    /// Ends the script where it stands: its `<close>` values run, which have a budget of their own and
    /// can wait for nothing. Gives back what went wrong in them.
    ///
    /// Functions given to `call:on_hangup` run after that, if there [are any](Self::has_afterwards),
    /// by the turns that [`Script::go_on`] gives them. A second close ends these where they stand;
    /// after that there is nothing left to close.
    pub fn close(&mut self, ending: Ending, now: &Zoned) -> Vec<ScriptError> {
        let stage = std::mem::replace(&mut self.stage, Stage::Closed);
        if stage == Stage::Closed {
            return Vec::new();
        }
        let closing = AssertUnwindSafe(|| {
            let errors = self.run_close_values(stage, now);
            if matches!(stage, Stage::Begun | Stage::Ended) {
                self.prepare_afterwards(&ending);
            }
            errors
        });
        catch_unwind(closing).unwrap_or_else(|_| {
            self.leave();
            vec![ScriptError::at(None, "internal fault while closing the script")]
        })
    }

    /// Whether functions given to `call:on_hangup` are still to run, or under way: go on with it as
    /// before the end, until it has [returned](Step::Returned).
    ///
    /// They run one after the other, in the order in which they were given. What goes wrong in one is
    /// [told](crate::Remark::Failed) and does not keep the others from running, so none of these turns
    /// [fails](Step::Failed). They may ask for what needs no call.
    pub fn has_afterwards(&self) -> bool {
        self.stage == Stage::Afterwards
    }

    /// Whether the call is over and nothing is left to run for it.
    pub fn is_over(&self) -> bool {
        self.stage == Stage::Closed
    }

    fn run_close_values(&mut self, stage: Stage, now: &Zoned) -> Vec<ScriptError> {
        let Some(run) = &self.run else { return Vec::new() };
        let core = Rc::clone(&self.core);
        let (lua, host) = (&core.sandbox.lua, &core.host);
        let mut threads = run.threads();
        threads.retain(|thread| thread.status() == ThreadStatus::Resumable);
        run.state.over.set(true);
        run.state.afterwards.set(false);
        if stage == Stage::New || self.enter(now).is_err() {
            return Vec::new();
        }
        let before = lua.used_memory();
        let allowance = self.allowance().unwrap_or_default().max(MEMORY_AT_CLOSE);
        let mut errors = Vec::new();
        let mut left = host.limits.instructions_at_close;
        for thread in threads {
            host.meter.begin(left);
            let limited = lua.set_memory_limit(before + allowance);
            let done = limited.and_then(|_| thread.reset(core.nothing.clone()));
            drop(lua.set_memory_limit(0));
            match (host.meter.take_doom(), done) {
                (Some(doom), _) => errors.push(doom),
                (None, Err(error)) => errors.push(self.read_error(&error)),
                (None, Ok(())) => {}
            }
            left = host.meter.left();
        }
        core.ledger.add(&mut self.charge, before, lua.used_memory());
        self.leave();
        errors.into_iter().map(|error| self.told_well(error)).collect()
    }

    /// Gets the `on_hangup` functions ready to run.
    fn prepare_afterwards(&mut self, ending: &Ending) {
        let core = Rc::clone(&self.core);
        let lua = &core.sandbox.lua;
        let Some(run) = &mut self.run else { return };
        let functions = VecDeque::from(run.state.on_hangup.take());
        if functions.is_empty() {
            return;
        }
        let ended = run.let_go();
        core.scripts.set(core.scripts.get().saturating_sub(ended));
        let arguments = [ending.cause.as_str().into_lua(lua), ending.code.into_lua(lua)];
        run.arguments = arguments.into_iter().map(|value| value.unwrap_or(Value::Nil)).collect();
        run.state.afterwards.set(true);
        self.untold.clear();
        self.work = 0;
        // A call that has used up its own can still tell of it.
        self.share = self.share.max(core.ledger.bytes(self.charge) + MEMORY_AT_CLOSE);
        self.afterwards = functions;
        if self.begin_next() {
            self.stage = Stage::Afterwards;
        }
    }

    /// Gets the next function ready; `false` if there is none.
    fn begin_next(&mut self) -> bool {
        let core = Rc::clone(&self.core);
        let (lua, limits) = (&core.sandbox.lua, &core.host.limits);
        while let Some(function) = self.afterwards.pop_front() {
            let before = lua.used_memory();
            let made = lua.create_thread(core.sandbox.body.clone());
            core.ledger.add(&mut self.charge, before, lua.used_memory());
            match (made, &mut self.run) {
                (Ok(thread), Some(run)) => {
                    run.begin_again(function, thread, limits.instructions_per_verb);
                    return true;
                }
                (Ok(_), None) => return false,
                (Err(_), _) => self.note_error(AT_THE_END, &out_of_memory(None)),
            }
        }
        false
    }

    /// What the owner is told of a turn of these functions; `None` if the next one has its turn now.
    pub(super) fn after_turn(&mut self, step: Step, now: &Zoned) -> Option<Step> {
        match step {
            step @ (Step::Ask { .. } | Step::Cancel { .. } | Step::Waiting | Step::Slice) => {
                return Some(step);
            }
            Step::Returned => {}
            Step::Failed(error) => {
                self.note_error(AT_THE_END, &error);
                self.cancel_children(FibreId::HANDLER, now);
            }
        }
        if self.begin_next() {
            return None;
        }
        self.stage = Stage::Closed;
        Some(Step::Returned)
    }

    /// Bytes by which Lua may grow when such a function begins and nothing is left for it.
    pub(super) fn allowance_afterwards(&self, id: FibreId) -> Option<usize> {
        let run = self.run.as_ref()?;
        let begins = id == FibreId::HANDLER && matches!(run.main.state, FibreState::New);
        (begins && self.stage == Stage::Afterwards).then_some(MEMORY_AT_CLOSE)
    }
}

/// What is [said](crate::Remark::Failed) to have gone wrong when such a function did.
pub const AT_THE_END: &str = "at the end of the call";
