//! What the functions that scripts call have in common: limits, the call being run, the log.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::Zoned;
use mlua::{Function, Lua, Table, Value};

use crate::Limits;
use crate::budget::Meter;
use crate::call_view::CallView;
use crate::coverage::Recorder;
use crate::deed::{DEEDS_MAX, Deed};
use crate::error::{Place, SCRIPTS_FOLDER};
use crate::fibre::{Birth, FibreId, Scratch};
use crate::generation::{Match, Names, RouteId, RouteInfo};
use crate::kept::Compiled;
use crate::log::{Journal, LogLevel};
use crate::pattern::{Fit, Pattern};
use crate::schedule::Schedule;
use crate::shared::Shared;
use crate::verbs::VerbSpec;
use crate::webhook::{WebResponse, Webhook};

/// One per generation. Holds handles into the Lua state, which do not keep it alive.
pub(crate) struct Host {
    pub(crate) limits: Limits,
    pub(crate) names: Names,
    pub(crate) compiled: Compiled,
    pub(crate) shared: Shared,
    pub(crate) meter: Meter,
    pub(crate) journal: RefCell<Journal>,
    pub(crate) routes: RefCell<Vec<Route>>,
    pub(crate) schedules: RefCell<Vec<Schedule>>,
    pub(crate) webhooks: RefCell<Vec<Webhook>>,
    pub(crate) modules: RefCell<BTreeMap<String, Module>>,
    /// Whether `main.lua` still runs.
    pub(crate) loading: Cell<bool>,
    /// The time that was passed in last.
    pub(crate) now: RefCell<Zoned>,
    /// The call whose script runs at the moment.
    pub(crate) current: RefCell<Option<Rc<CallState>>>,
    /// Notes what runs, if that was asked for.
    pub(crate) recorder: Option<Recorder>,
    /// Counts the children of all scripts.
    pub(crate) next_fibre: Cell<u64>,
}

/// A route with what it runs.
pub(crate) struct Route {
    pub(crate) pattern: Pattern,
    pub(crate) info: RouteInfo,
    pub(crate) handler: Function,
}

/// A script file that `require` can reach.
pub(crate) enum Module {
    /// Compiled and not run yet.
    Ready(Function),
    /// Running now; requiring it again is a circle.
    Running,
    /// What it returned.
    Loaded(Value),
}

/// What belongs to one call, whether its script runs or sleeps.
pub(crate) struct CallState {
    pub(crate) view: CallView,
    /// What another program is answered, if one asked.
    pub(crate) response: RefCell<Option<WebResponse>>,
    /// The `call` value.
    pub(crate) table: Table,
    /// Globals that this call wrote.
    pub(crate) globals: RefCell<Option<Table>>,
    pub(crate) on_hangup: RefCell<Vec<Function>>,
    /// What was given to `call:on`, with the event's name.
    pub(crate) on_event: RefCell<Vec<(&'static str, Function)>>,
    pub(crate) verbs: Cell<u32>,
    /// The call ended, and its last functions run.
    pub(crate) over: Cell<bool>,
    /// Those are the ones given to `call:on_hangup`, which may wait.
    pub(crate) afterwards: Cell<bool>,
    /// `<close>` values of a cancelled function run.
    pub(crate) closing: Cell<bool>,
    /// The notes of the fibre that runs, or ran last.
    pub(crate) scratch: RefCell<Scratch>,
    /// Which that is.
    pub(crate) seated: Cell<FibreId>,
    /// How many children live.
    pub(crate) children: Cell<usize>,
    /// Children that were begun in this run.
    pub(crate) births: RefCell<Vec<Birth>>,
    /// What the script did without waiting for it, until somebody asks.
    pub(crate) deeds: RefCell<Vec<Deed>>,
    /// What the caller typed that the script was told, the latest last.
    pub(crate) typed: RefCell<Vec<String>>,
    /// Who uses the caller's line, and for which verb.
    pub(crate) line: Cell<Option<(FibreId, &'static VerbSpec)>>,
    /// The line of that verb in its script, noted when another fibre runs.
    pub(crate) line_at: RefCell<Option<Place>>,
}

impl CallState {
    /// Notes what the script does.
    pub(crate) fn note(&self, deed: Deed) {
        let mut deeds = self.deeds.borrow_mut();
        if deeds.len() < DEEDS_MAX {
            deeds.push(deed);
        }
    }

    /// Notes what the caller typed, so that no message repeats it.
    pub(crate) fn note_typed(&self, keys: &str) {
        let mut typed = self.typed.borrow_mut();
        if typed.len() >= TYPED_MAX {
            typed.remove(0);
        }
        typed.push(keys.to_owned());
    }

    /// Whether verbs of the call can be used at all.
    pub(crate) fn may_act(&self) -> Result<(), String> {
        if self.over.get() {
            return Err(
                "the call is over; on_hangup functions and <close> values cannot use verbs"
                    .to_owned(),
            );
        }
        self.may_wait()
    }

    /// Whether anything can be waited for.
    pub(crate) fn may_wait(&self) -> Result<(), String> {
        if self.over.get() && !self.afterwards.get() {
            return Err("the call is over; <close> values cannot wait for anything".to_owned());
        }
        if self.closing.get() {
            return Err(
                "the function was cancelled; its <close> values cannot use verbs".to_owned()
            );
        }
        Ok(())
    }

    /// Lets the fibre that runs use the caller's line, unless another uses it.
    pub(crate) fn claim_line(&self, spec: &'static VerbSpec) -> Result<(), String> {
        if !spec.line {
            return Ok(());
        }
        let Some((_, holder)) = self.line.get() else {
            self.line.set(Some((self.seated.get(), spec)));
            return Ok(());
        };
        let place = self.line_at.borrow();
        let at = place.as_ref().map(|at| format!(" at {}:{}", at.file, at.line));
        Err(format!("the line is busy with call:{}{}", holder.name, at.unwrap_or_default()))
    }

    /// The caller's line is free again if this fibre used it.
    pub(crate) fn release_line(&self, fibre: FibreId) {
        if self.line.get().is_some_and(|(holder, _)| holder == fibre) {
            self.line.set(None);
        }
    }
}

impl Host {
    pub(crate) fn new(limits: Limits, names: Names, now: &Zoned) -> Self {
        Self {
            limits,
            names,
            compiled: Compiled::Neither,
            shared: Shared::default(),
            meter: Meter::default(),
            journal: RefCell::new(Journal::new(limits.log_lines)),
            routes: RefCell::default(),
            schedules: RefCell::default(),
            webhooks: RefCell::default(),
            modules: RefCell::default(),
            loading: Cell::new(true),
            now: RefCell::new(now.clone()),
            current: RefCell::default(),
            recorder: None,
            next_fibre: Cell::new(0),
        }
    }

    /// The call that runs, if `value` is its `call` value.
    pub(crate) fn current(&self, value: &Value) -> Option<Rc<CallState>> {
        let Value::Table(table) = value else { return None };
        let current = self.current.borrow();
        let state = current.as_ref()?;
        (state.table.to_pointer() == table.to_pointer()).then(|| Rc::clone(state))
    }

    /// The most specific route for a number; of equals, the first defined.
    pub(crate) fn match_number(&self, number: &str) -> Match {
        let routes = self.routes.borrow();
        let mut best: Option<(usize, &Pattern)> = None;
        let mut incomplete = false;
        for (index, route) in routes.iter().enumerate() {
            match route.pattern.fit(number) {
                Fit::Full => {
                    if best.is_none_or(|(_, known)| route.pattern.specificity(known).is_lt()) {
                        best = Some((index, &route.pattern));
                    }
                }
                Fit::Prefix => incomplete = true,
                Fit::No => {}
            }
        }
        match best {
            Some((index, _)) => Match::Route(RouteId(index)),
            None if incomplete => Match::Incomplete,
            None => Match::None,
        }
    }

    /// Notes a line that a script logged.
    pub(crate) fn log(&self, level: LogLevel, text: &str, place: Option<Place>) {
        let call = self.current.borrow();
        let call = call.as_ref().map(|state| state.view.id.as_str()).unwrap_or_default();
        self.journal.borrow_mut().add(level, text, place, call);
    }
}

/// Inputs of a caller that are remembered, to be left out of messages.
const TYPED_MAX: usize = 32;

/// The nearest line of a script on the stack, from `level` up; 0 is the Rust function that asks.
pub(crate) fn place(lua: &Lua, level: usize) -> Option<Place> {
    (level..level + 8).find_map(|level| {
        lua.inspect_stack(level, |debug| {
            let line = u32::try_from(debug.current_line()?).ok()?;
            let source = debug.source();
            let file = source.short_src.as_ref()?;
            file.starts_with(SCRIPTS_FOLDER).then(|| Place { file: file.to_string(), line })
        })
        .flatten()
    })
}

/// `message` with the place of the script's line in front.
pub(crate) fn placed(place: Option<Place>, message: &str) -> String {
    match place {
        Some(place) => format!("{}:{}: {message}", place.file, place.line),
        None => message.to_owned(),
    }
}
