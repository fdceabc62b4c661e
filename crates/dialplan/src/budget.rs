//! How much a script may use before its call is ended.

use std::cell::{Cell, RefCell};

use mlua::debug::Debug;
use mlua::{Lua, VmState};

use crate::error::{Place, SCRIPTS_FOLDER, ScriptError, trace_lines};
use crate::host::place;
use crate::shared::SharedLimits;
use crate::strain::{HOLDING_FROM, Heat};
use crate::work::Work;

/// Bounds on what scripts may use; reaching one ends that call and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Lua instructions before other calls are served and this one goes on later.
    pub instructions_per_slice: u32,
    /// Lua instructions between two verbs; a script that needs more is taken for an endless loop.
    pub instructions_per_verb: u64,
    /// Lua instructions all scripts together may use while they load.
    pub instructions_at_load: u64,
    /// Lua instructions for the `<close>` values of one call.
    pub instructions_at_close: u64,
    /// Verbs in one call.
    pub verbs_per_call: u32,
    /// Bytes of Lua values one call may hold or allocate at once.
    pub memory_per_call: usize,
    /// Bytes of Lua values for the scripts as loaded, before any call.
    pub memory_base: usize,
    /// Bytes of Lua values of all calls of one generation together.
    pub memory_in_all: usize,
    /// Functions of one call that run beside its handler at one time.
    pub children_per_call: usize,
    /// `call:go` inside `call:go`.
    pub go_depth: u32,
    /// `on_hangup` functions of one call.
    pub hangup_functions: usize,
    /// Functions of one call that it gave to `call:on`.
    pub event_functions: usize,
    /// Log lines kept until they are taken; more are counted and dropped.
    pub log_lines: usize,
    /// What the scripts of all calls may share.
    pub shared: SharedLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            instructions_per_slice: 2_000,
            instructions_per_verb: 5_000_000,
            instructions_at_load: 100_000_000,
            instructions_at_close: 200_000,
            verbs_per_call: 10_000,
            memory_per_call: 1 << 20,
            memory_base: 64 << 20,
            memory_in_all: 1 << 30,
            children_per_call: 64,
            go_depth: 16,
            hangup_functions: 16,
            event_functions: 16,
            log_lines: 1_000,
            shared: SharedLimits::default(),
        }
    }
}

/// Instructions between two looks at the meter.
pub(crate) const GRAIN: u32 = 250;
/// Instructions allowed where a script cannot be paused: in functions that `string.gsub`,
/// `table.sort`, `tostring` or `require` call.
const UNPAUSABLE_MAX: u64 = 100_000;

/// Bytes allocated for what one instruction costs.
const BYTES_PER_INSTRUCTION: u64 = 16;

/// Counts instructions of the script that runs at the moment.
#[derive(Default)]
pub(crate) struct Meter {
    /// Instructions left before the call is ended.
    left: Cell<u64>,
    /// Instructions left in this slice; `None` where nothing can be paused.
    slice: Cell<Option<u64>>,
    /// Whether a pause was asked for in this run.
    due: Cell<bool>,
    /// Instructions since then.
    overdue: Cell<u64>,
    /// Work done in our own functions since the last look, in instructions.
    extra: Cell<u64>,
    /// Instructions since the last look that are not the script's own.
    excused: Cell<u64>,
    /// Bytes that Lua used at the last look.
    held: Cell<usize>,
    /// The line at the last look.
    seen: RefCell<Option<Place>>,
    /// With less left, lines are counted.
    warm_below: Cell<u64>,
    /// Where instructions went since then.
    heat: RefCell<Option<Box<Heat>>>,
    /// The most work done without a pause in this run, in instructions, and where.
    held_up: RefCell<Option<(u64, Place)>>,
    /// Why the call ends; set once and not to be caught.
    doom: RefCell<Option<ScriptError>>,
    /// What was counted in all runs.
    work: Work,
}

impl Meter {
    /// Counts all its runs there, too.
    pub(crate) fn counting(work: Work) -> Self {
        Self { work, ..Self::default() }
    }

    /// Begins a run that pauses after `slice` instructions and ends after `left`.
    pub(crate) fn begin_slice(&self, slice: u32, left: u64) {
        self.begin(left);
        self.slice.set(Some(slice.into()));
    }

    /// Begins a run that cannot be paused and ends after `left` instructions.
    pub(crate) fn begin(&self, left: u64) {
        // A run that is over before it is looked at costs as much as one look.
        self.work.add(u64::from(GRAIN) + self.extra.take());
        self.left.set(left);
        self.slice.set(None);
        self.due.set(false);
        self.overdue.set(0);
        self.excused.set(0);
        self.held.set(usize::MAX);
        self.seen.replace(None);
        self.warm_below.set(0);
        self.heat.replace(None);
        self.held_up.replace(None);
        self.doom.replace(None);
    }

    /// Counts the lines that are seen when fewer instructions are left than this, beside those that
    /// were counted before.
    pub(crate) fn warm(&self, below: u64, heat: Option<Box<Heat>>) {
        self.warm_below.set(below);
        self.heat.replace(heat);
    }

    /// What was counted.
    pub(crate) fn take_heat(&self) -> Option<Box<Heat>> {
        self.heat.take()
    }

    /// The most work done without a pause, if that was too much, and where.
    pub(crate) fn take_held_up(&self) -> Option<(u64, Place)> {
        self.held_up.take()
    }

    fn note_held_up(&self, work: u64) {
        if work < HOLDING_FROM {
            return;
        }
        let mut held_up = self.held_up.borrow_mut();
        if held_up.as_ref().is_none_or(|(known, _)| work > *known)
            && let Some(place) = self.seen()
        {
            *held_up = Some((work, place));
        }
    }

    /// Instructions left before the call is ended.
    pub(crate) fn left(&self) -> u64 {
        self.left.get()
    }

    /// Instructions left in this slice.
    pub(crate) fn slice_left(&self) -> u32 {
        self.slice.get().map_or(0, |left| u32::try_from(left).unwrap_or(u32::MAX))
    }

    /// Adds work done outside of Lua, in instructions.
    pub(crate) fn charge(&self, work: u64) {
        self.extra.set(self.extra.get().saturating_add(work));
    }

    /// Takes off instructions that the script would not run if nobody watched it.
    pub(crate) fn excuse(&self, instructions: u64) {
        self.excused.set(self.excused.get().saturating_add(instructions));
    }

    /// Whether the call is ended and nothing may catch that.
    pub(crate) fn is_doomed(&self) -> bool {
        self.doom.borrow().is_some()
    }

    /// Ends the call with `error`, unless it is ended already.
    pub(crate) fn doom(&self, error: ScriptError) {
        self.doom.borrow_mut().get_or_insert(error);
    }

    pub(crate) fn take_doom(&self) -> Option<ScriptError> {
        self.doom.borrow_mut().take()
    }

    /// The line at the last look.
    pub(crate) fn seen(&self) -> Option<Place> {
        self.seen.borrow().clone()
    }

    /// Called by Lua every [`GRAIN`] instructions.
    pub(crate) fn look(&self, lua: &Lua, debug: &Debug<'_>) -> mlua::Result<VmState> {
        // One instruction can copy a long string. What was allocated cannot be asked for, but what
        // is held now and was not before tells enough of it.
        let held = lua.used_memory();
        let grown = held.saturating_sub(self.held.replace(held)) as u64;
        let run = u64::from(GRAIN).saturating_sub(self.excused.take());
        let used = run + self.extra.take() + grown / BYTES_PER_INSTRUCTION;
        self.work.add(used);
        self.see(debug);
        let left = self.left.get().saturating_sub(used);
        self.left.set(left);
        if left < self.warm_below.get()
            && let Some(place) = &*self.seen.borrow()
        {
            self.heat.borrow_mut().get_or_insert_default().note(place);
        }
        self.note_held_up(used);
        let Some(slice) = self.slice.get() else {
            if left == 0 {
                self.stop(lua, "used up its instructions; is there an endless loop?");
            }
            return if self.is_doomed() { Err(stopped()) } else { Ok(VmState::Continue) };
        };
        if left == 0 {
            self.stop(lua, "used up its instructions between two verbs; is there an endless loop?");
        }
        let slice = slice.saturating_sub(used);
        self.slice.set(Some(slice));
        if slice > 0 && !self.is_doomed() {
            return Ok(VmState::Continue);
        }
        // A pause that could happen would have ended this run, so a second one means that it
        // cannot happen here.
        let due_before = self.due.replace(true);
        if due_before {
            self.overdue.set(self.overdue.get() + used);
            self.note_held_up(self.overdue.get());
        }
        if self.overdue.get() > UNPAUSABLE_MAX {
            self.stop(
                lua,
                "took too long in a function called by string.gsub, table.sort, tostring or \
                 require, where the switch cannot serve other calls",
            );
        }
        if self.is_doomed() && due_before { Err(stopped()) } else { Ok(VmState::Yield) }
    }

    fn stop(&self, lua: &Lua, message: &str) {
        let trace = lua.traceback(None, 0).map(|trace| trace.to_string_lossy());
        let hottest = self.heat.borrow().as_ref().and_then(|heat| heat.hottest());
        let place = hottest.or_else(|| place(lua, 0)).or_else(|| self.seen());
        self.doom(ScriptError {
            file: place.as_ref().map(|place| place.file.clone()).unwrap_or_default(),
            line: place.map(|place| place.line),
            verb: None,
            arguments: None,
            message: message.to_owned(),
            traceback: trace.map(|trace| trace_lines(&trace)).unwrap_or_default(),
        });
    }

    fn see(&self, debug: &Debug<'_>) {
        let Some(line) = debug.current_line().and_then(|line| u32::try_from(line).ok()) else {
            return;
        };
        let source = debug.source();
        let Some(file) = source.short_src.as_deref().filter(|f| f.starts_with(SCRIPTS_FOLDER))
        else {
            return;
        };
        let mut seen = self.seen.borrow_mut();
        match seen.as_mut() {
            Some(place) if place.file == file => place.line = line,
            _ => *seen = Some(Place { file: file.to_owned(), line }),
        }
    }
}

/// Raised where a call has been ended; nobody reads its text.
pub(crate) fn stopped() -> mlua::Error {
    mlua::Error::RuntimeError("the call was ended".into())
}
