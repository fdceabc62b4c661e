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
use crate::error::{Place, SCRIPTS_FOLDER};
use crate::generation::{Match, Names, RouteId, RouteInfo};
use crate::log::{Journal, LogLevel};
use crate::pattern::{Fit, Pattern};
use crate::shared::Shared;
use crate::verb::Verb;
use crate::verbs::VerbSpec;

/// One per generation. Holds handles into the Lua state, which do not keep it alive.
pub(crate) struct Host {
    pub(crate) limits: Limits,
    pub(crate) names: Names,
    pub(crate) shared: Shared,
    pub(crate) meter: Meter,
    pub(crate) journal: RefCell<Journal>,
    pub(crate) routes: RefCell<Vec<Route>>,
    pub(crate) modules: RefCell<BTreeMap<String, Module>>,
    /// Whether `main.lua` still runs.
    pub(crate) loading: Cell<bool>,
    /// The time that was passed in last.
    pub(crate) now: RefCell<Zoned>,
    /// The call whose script runs at the moment.
    pub(crate) current: RefCell<Option<Rc<CallState>>>,
    /// Notes what runs, if that was asked for.
    pub(crate) recorder: Option<Recorder>,
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
    /// The `call` value.
    pub(crate) table: Table,
    /// Globals that this call wrote.
    pub(crate) globals: RefCell<Option<Table>>,
    pub(crate) on_hangup: RefCell<Vec<Function>>,
    pub(crate) depth: Cell<u32>,
    pub(crate) verbs: Cell<u32>,
    /// The call ended, and its last functions run.
    pub(crate) over: Cell<bool>,
    /// What the script asked for; it yields right after, unless its slice ends first.
    pub(crate) pending: RefCell<Option<Verb>>,
    /// The calls that led to the last error of the handler.
    pub(crate) trace: RefCell<Vec<String>>,
    /// Where the script took its last verb from the call.
    pub(crate) verb_at: RefCell<Option<Place>>,
    /// The last verb it asked for.
    pub(crate) asked: Cell<Option<&'static VerbSpec>>,
}

impl Host {
    pub(crate) fn new(limits: Limits, names: Names, now: &Zoned) -> Self {
        Self {
            limits,
            names,
            shared: Shared::default(),
            meter: Meter::default(),
            journal: RefCell::new(Journal::new(limits.log_lines)),
            routes: RefCell::default(),
            modules: RefCell::default(),
            loading: Cell::new(true),
            now: RefCell::new(now.clone()),
            current: RefCell::default(),
            recorder: None,
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
