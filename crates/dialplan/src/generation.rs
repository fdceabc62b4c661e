//! The scripts as loaded once, with their routes.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not expected is refused alike"
)]

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::{Rc, Weak};

use jiff::Zoned;
use mlua::{Function, Lua, Table, Thread, Value, WeakLua};

use crate::Limits;
use crate::budget::Meter;
use crate::call_view::CallView;
use crate::check::{self, Severity};
use crate::coverage::{Coverage, Recorder, Watch};
use crate::error::{LoadError, SCRIPTS_FOLDER, ScriptError};
use crate::host::{Host, Module, Route, place, placed};
use crate::kept::{Compiled, Kept};
use crate::log::LogLine;
use crate::memory::Ledger;
use crate::options::describe;
use crate::pattern::Pattern;
use crate::sandbox::Sandbox;
use crate::schedule::ScheduleId;
use crate::script::{Kind, Script};
use crate::shared::Shared;
use crate::verbs::{globals, nearest};
use crate::webhook::{WebMatch, WebRequest, WebhookId};
use crate::work::Work;

/// Where loading begins.
pub(crate) const ENTRY: &str = "main.lua";

/// Mistakes told of one set of scripts that cannot be loaded.
const MISTAKES_MAX: usize = 50;

/// Script texts by path relative to the scripts folder: `main.lua`, `lib/hours.lua`.
///
/// `main.lua` is where loading begins; `require "lib.hours"` reaches only what is here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// Path to text.
    pub files: BTreeMap<String, String>,
}

/// What exists outside of the scripts, so that wrong names are found when they load.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Prompts with their language folder, without the ending: `en/vm/beep`, `music/evening`.
    pub prompts: BTreeSet<String>,
    /// Accounts that `ext/...` can reach.
    pub extensions: BTreeSet<String>,
    /// Mailboxes.
    pub mailboxes: BTreeSet<String>,
    /// Folder tried first for prompts named without one: `en`.
    pub language: String,
    /// Whether something speaks texts.
    pub speech: bool,
}

/// Names a route of one generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteId(pub(crate) usize);

/// A route as its script defined it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteInfo {
    /// The pattern as written.
    pub pattern: String,
    /// Whether callers who did not authenticate reach it.
    pub public: bool,
    /// The script file, for example `scripts/main.lua`.
    pub file: String,
    /// The line in that file, from 1.
    pub line: u32,
}

/// What a dialled number leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// A route handles it.
    Route(RouteId),
    /// Nothing yet, but more digits could match (484, RFC 3261 §21.4.22).
    Incomplete,
    /// Nothing matches (404).
    None,
}

/// How scripts are loaded.
#[derive(Debug, Clone, Default)]
pub struct Loading {
    /// Whether it is noted what runs.
    pub watch: Watch,
    /// Whether the texts are looked at.
    pub check: Check,
    /// What they share with every generation before and after them.
    pub shared: Shared,
    /// What an earlier load of the same left, or this one leaves; `None`: nothing is kept.
    pub kept: Option<Kept>,
    /// Counts what they run.
    pub work: Work,
}

/// Whether loading looks for mistakes in the texts of the scripts, beside running `main.lua`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Check {
    /// Mistakes keep the scripts from being loaded.
    #[default]
    Now,
    /// It was done before, for the same texts and names: for tests, which load one dialplan often.
    Done,
}

/// The scripts as loaded once; calls that began on it finish on it.
///
/// Lives on one thread. Cloning is cheap and gives the same generation.
#[derive(Clone)]
pub struct Generation {
    core: Rc<Core>,
}

/// What a generation and its scripts share.
pub(crate) struct Core {
    pub(crate) host: Rc<Host>,
    pub(crate) sandbox: Sandbox,
    pub(crate) ledger: Ledger,
    /// Does nothing; what a closed coroutine would run next.
    pub(crate) nothing: Function,
    routes: Vec<RouteInfo>,
    /// Scripts that exist, and their children.
    pub(crate) scripts: Cell<usize>,
    /// Values from Lua that Rust can hold without Lua having to grow.
    reserved: Cell<usize>,
}

impl fmt::Debug for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generation").field("routes", &self.core.routes).finish_non_exhaustive()
    }
}

impl Generation {
    /// Reads `main.lua` and what it requires, and checks what can be checked before any call.
    ///
    /// # Errors
    /// Everything found wrong, with file and line: syntax, patterns, unknown verbs, options,
    /// prompts and extensions, or an error raised while loading. Never empty.
    pub fn load(
        sources: &Sources,
        names: Names,
        limits: Limits,
        now: &Zoned,
    ) -> Result<Self, Vec<LoadError>> {
        Self::load_as(sources, names, limits, Loading::default(), now)
    }

    /// Reads the scripts as [`Generation::load`] does, in the way that is asked for.
    ///
    /// # Errors
    /// As [`Generation::load`]; with [`Check::Done`] only what Lua itself finds.
    pub fn load_as(
        sources: &Sources,
        names: Names,
        limits: Limits,
        loading: Loading,
        now: &Zoned,
    ) -> Result<Self, Vec<LoadError>> {
        let compiled = match &loading.kept {
            Some(kept) => kept.chunks(sources, &names, loading.watch),
            None => Compiled::Neither,
        };
        let mut host = Host::new(limits, names, now);
        host.shared = loading.shared;
        host.meter = Meter::counting(loading.work);
        host.recorder = match (loading.watch, compiled.recorded()) {
            (Watch::Nothing, _) => None,
            (Watch::Lines, Some(known)) => Some(Recorder::knowing(known)),
            (Watch::Lines, None) => Some(Recorder::default()),
        };
        host.compiled = compiled;
        let host = Rc::new(host);
        host.meter.begin(limits.instructions_at_load);
        let made = Sandbox::new(&host, crate::time::seed(now.timestamp()));
        let sandbox = made.map_err(|error| vec![load_error(sources, &error)])?;
        let main = compile(&sandbox, &host, sources)?;
        let learned = match &host.recorder {
            Some(recorder) if loading.kept.is_some() && !host.compiled.is_known() => {
                Some(recorder.known())
            }
            Some(_) | None => None,
        };
        let ran = run(&sandbox, &host, main);
        let mut errors: Vec<_> = ran.err().map(|e| located(sources, e)).into_iter().collect();
        let loaded = errors.is_empty();
        if loading.check == Check::Now && !host.compiled.is_known() {
            let found = mistakes(sources, &host, loaded);
            // What loading ran into is told once.
            let known: Vec<_> = errors.iter().map(|e| (e.file.clone(), e.line)).collect();
            errors.extend(found.filter(|error| !known.contains(&(error.file.clone(), error.line))));
        }
        if !loaded || !errors.is_empty() {
            return Err(errors);
        }
        if let Some(kept) = &loading.kept {
            kept.keep(sources, &host.names, learned, &host.compiled);
        }
        host.loading.set(false);
        let finish = || -> mlua::Result<Function> {
            sandbox.show_globals(None)?;
            sandbox.lua.gc_collect()?;
            sandbox.lua.create_function(|_, ()| Ok(()))
        };
        let nothing = finish().map_err(|error| vec![load_error(sources, &error)])?;
        let routes = host.routes.borrow().iter().map(|route| route.info.clone()).collect();
        let ledger = Ledger::new();
        ledger.set_base(sandbox.lua.used_memory());
        let (scripts, reserved) = (Cell::new(0), Cell::new(0));
        let core = Core { host, sandbox, ledger, nothing, routes, scripts, reserved };
        Ok(Self { core: Rc::new(core) })
    }

    /// Finds the most specific route for a dialled number or name; of equals, the first defined.
    pub fn match_number(&self, number: &str) -> Match {
        self.core.host.match_number(number)
    }

    /// Whether callers who did not authenticate may reach the route.
    pub fn is_public(&self, route: RouteId) -> bool {
        self.core.routes.get(route.0).is_some_and(|route| route.public)
    }

    /// A route of this generation.
    pub fn route(&self, route: RouteId) -> Option<&RouteInfo> {
        self.core.routes.get(route.0)
    }

    /// All routes in the order of their definition.
    pub fn routes(&self) -> &[RouteInfo] {
        &self.core.routes
    }

    /// Begins a run of the route's handler for one call; nothing runs before the first resume.
    pub fn start(&self, route: RouteId, call: CallView) -> Script {
        if let Some(recorder) = &self.core.host.recorder {
            recorder.enter(route.0);
        }
        Script::new(&self.core, route, call)
    }

    /// The schedules of the scripts, each with its file and line.
    pub fn schedules(&self) -> Vec<(ScheduleId, String, u32)> {
        let schedules = self.core.host.schedules.borrow();
        let listed = schedules.iter().enumerate();
        listed.map(|(id, one)| (ScheduleId(id), one.at.file.clone(), one.at.line)).collect()
    }

    /// When a schedule is due first after `now`; `None` only beyond the end of all calendars.
    pub fn next_run(&self, schedule: ScheduleId, now: &Zoned) -> Option<Zoned> {
        self.core.host.schedules.borrow().get(schedule.0)?.when.next_after(now)
    }

    /// Begins a run of a schedule's function, for nobody's call; `name` is what it is called in the
    /// log. Nothing runs before the first turn.
    pub fn start_job(&self, schedule: ScheduleId, name: String) -> Script {
        let schedules = self.core.host.schedules.borrow();
        let handler = schedules.get(schedule.0).map(|schedule| schedule.handler.clone());
        let view = CallView { id: name, ..CallView::default() };
        Script::start(&self.core, handler, view, Kind::Job)
    }

    /// What answers a request of another program.
    pub fn match_webhook(&self, method: &str, path: &str) -> WebMatch {
        crate::webhook::find(&self.core.host.webhooks.borrow(), method, path)
    }

    /// The paths that other programs can ask, each with the line that defined it.
    pub fn webhooks(&self) -> Vec<(String, String, u32)> {
        let webhooks = self.core.host.webhooks.borrow();
        let told = |hook: &crate::webhook::Webhook| {
            (hook.path().to_owned(), hook.at.file.clone(), hook.at.line)
        };
        webhooks.iter().map(told).collect()
    }

    /// Whether other programs can ask anything of these scripts.
    pub fn has_webhooks(&self) -> bool {
        !self.core.host.webhooks.borrow().is_empty()
    }

    /// Begins a run of a webhook's function; `name` is what it is called in the log. Nothing runs
    /// before the first turn.
    pub fn start_answer(&self, id: WebhookId, name: String, request: &WebRequest) -> Script {
        let webhooks = self.core.host.webhooks.borrow();
        let handler = webhooks.get(id.0).map(|hook| hook.handler.clone());
        let view = CallView { id: name, ..CallView::default() };
        Script::start(&self.core, handler, view, Kind::Request(request))
    }

    /// Takes the lines logged since the last time, oldest first.
    pub fn take_logs(&self) -> Vec<LogLine> {
        self.core.host.journal.borrow_mut().take()
    }

    /// What ran so far; `None` unless it was loaded to be watched.
    pub fn coverage(&self) -> Option<Coverage> {
        let recorder = self.core.host.recorder.as_ref()?;
        Some(recorder.coverage(self.core.routes.len()))
    }

    /// For asking later whether it is gone.
    pub fn watch(&self) -> GenerationWatch {
        GenerationWatch { core: Rc::downgrade(&self.core), lua: self.core.sandbox.lua.weak() }
    }

    /// Bytes of Lua values in use, calls and scripts together.
    pub fn used_memory(&self) -> usize {
        self.core.sandbox.lua.used_memory()
    }

    /// Frees what no script uses any more. Takes time in proportion to all that is in use.
    pub fn free_unused(&self) {
        // Only a finaliser could fail, and scripts have none.
        drop(self.core.sandbox.lua.gc_collect());
    }
}

/// Tells whether a generation still exists, without keeping it: see [`Generation::watch`].
#[derive(Clone)]
pub struct GenerationWatch {
    core: Weak<Core>,
    lua: WeakLua,
}

impl GenerationWatch {
    /// Whether anything of the generation is left: the generation itself, a script of it, or its Lua
    /// state, which holds all of its memory.
    pub fn is_alive(&self) -> bool {
        self.core.strong_count() > 0 || self.lua.try_upgrade().is_some()
    }
}

impl fmt::Debug for GenerationWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GenerationWatch").field("alive", &self.is_alive()).finish()
    }
}

impl Core {
    pub(crate) fn route(&self, route: RouteId) -> Option<&RouteInfo> {
        self.routes.get(route.0)
    }

    /// The pattern of the route whose handler begins at this line.
    pub(crate) fn handler_at(&self, file: &str, line: u32) -> Option<String> {
        let routes = self.host.routes.borrow();
        let begins_there = |route: &&Route| {
            let info = route.handler.info();
            let begins = info.line_defined.and_then(|line| u32::try_from(line).ok());
            begins == Some(line) && info.short_src.as_deref() == Some(file)
        };
        routes.iter().find(begins_there).map(|route| route.info.pattern.clone())
    }

    /// Makes room for the values that a new script will hold, while memory has no limit.
    pub(crate) fn reserve(&self) {
        let wanted = 256 + self.scripts.get() * 4;
        if wanted > self.reserved.get() {
            let wanted = wanted * 3 / 2;
            let held: Vec<Table> = (0..wanted).map(|_| self.sandbox.lua.globals()).collect();
            self.reserved.set(held.len());
        }
    }
}

/// Mistakes in the texts that make it certain that some call would fail.
fn mistakes(
    sources: &Sources,
    host: &Host,
    loaded: bool,
) -> impl Iterator<Item = LoadError> + use<> {
    let routes: Vec<RouteInfo> =
        host.routes.borrow().iter().map(|route| route.info.clone()).collect();
    let findings = check::check(&check::Project {
        dialplan: sources,
        tests: &Sources::default(),
        names: &host.names,
        broken_prompts: &BTreeMap::new(),
        routes: loaded.then_some(&routes),
        test_libraries: &[],
        shared_with_tests: &[],
    });
    let errors = findings.into_iter().filter(|finding| finding.severity == Severity::Error);
    errors.map(LoadError::from).take(MISTAKES_MAX)
}

/// Compiles every file, so that a mistake is found even in one that is not required yet.
fn compile(sandbox: &Sandbox, host: &Host, sources: &Sources) -> Result<Function, Vec<LoadError>> {
    let mut errors = Vec::new();
    let mut main = None;
    for (path, text) in &sources.files {
        let file = format!("{SCRIPTS_FOLDER}{path}");
        let compile = |text: &str| sandbox.compile(host, &file, text);
        let compiled = match &host.recorder {
            Some(recorder) if !host.compiled.is_known() => recorder.learn(&file, text, compile),
            // What a load before learned belongs to what it compiled.
            Some(_) | None => compile(text),
        };
        match compiled {
            Ok(function) if path == ENTRY => main = Some(function),
            Ok(function) => {
                host.modules.borrow_mut().insert(path.clone(), Module::Ready(function));
            }
            // Lua often tells the line after the one to mend.
            Err(error) => errors.push(match check::syntax_error(path, text) {
                Some(finding) => finding.into(),
                None => {
                    let mut error = load_error(sources, &error);
                    if error.line.is_none() {
                        error.file = file;
                    }
                    error
                }
            }),
        }
    }
    match main {
        _ if !errors.is_empty() => Err(errors),
        Some(main) => Ok(main),
        None => {
            let file = format!("{SCRIPTS_FOLDER}{ENTRY}");
            let mut error = LoadError::new(&file, None, "there is no such file");
            error.hint = Some("the dialplan begins there".into());
            Err(vec![error])
        }
    }
}

/// Runs `main.lua` within its budget.
fn run(sandbox: &Sandbox, host: &Host, main: Function) -> Result<(), ScriptError> {
    let lua = &sandbox.lua;
    let run = || -> mlua::Result<()> {
        let thread: Thread = lua.create_thread(main)?;
        lua.set_memory_limit(host.limits.memory_base)?;
        thread.resume::<()>(())
    };
    let ran = run();
    let unlimited = lua.set_memory_limit(0);
    let doom = host.meter.take_doom();
    match (ran.and(unlimited), doom) {
        (_, Some(doom)) => Err(doom),
        (Err(error), None) => {
            let mut error = ScriptError::from_lua(&error);
            if error.message.ends_with("not enough memory") {
                let needs = "the scripts need more memory than they may have";
                error = ScriptError::at(host.meter.seen(), needs);
            }
            Err(error)
        }
        (Ok(_), None) => Ok(()),
    }
}

fn load_error(sources: &Sources, error: &mlua::Error) -> LoadError {
    located(sources, ScriptError::from_lua(error))
}

fn located(sources: &Sources, error: ScriptError) -> LoadError {
    let file = if error.file.is_empty() { format!("{SCRIPTS_FOLDER}{ENTRY}") } else { error.file };
    let text = file.strip_prefix(SCRIPTS_FOLDER).and_then(|path| sources.files.get(path));
    let line = error.line.and_then(|line| usize::try_from(line).ok());
    let source_line = line.and_then(|line| text?.lines().nth(line.checked_sub(1)?));
    let mut located = LoadError::new(&file, error.line, error.message);
    located.source_line = source_line.map(str::to_owned);
    located.hint = meant_global(&located.message).map(|name| format!("did you mean {name}?"));
    located
}

/// The global that a message of Lua's about a nil value was probably meant to name.
fn meant_global(message: &str) -> Option<&'static str> {
    let (_, rest) = message.split_once("nil value (global '")?;
    let (wrong, _) = rest.split_once('\'')?;
    nearest(wrong, globals())
}

/// Registers what the prelude builds `route` and `require` from.
pub(crate) fn add(lua: &Lua, host: &Rc<Host>, functions: &Table) -> mlua::Result<()> {
    let routing = Rc::clone(host);
    functions.set(
        "route",
        lua.create_function(move |lua, (pattern, options, handler): (Value, Value, Value)| {
            let at = place(lua, 2);
            let added = route(&routing, pattern, options, handler, at.clone().unwrap_or_default());
            Ok(added.err().map(|problem| placed(at, &format!("route: {problem}"))))
        })?,
    )?;
    let requiring = Rc::clone(host);
    functions.set(
        "require",
        lua.create_function(move |lua, name: String| {
            let at = place(lua, 2);
            match take_module(&requiring, &name) {
                Ok(Module::Loaded(value)) => Ok((None, value)),
                Ok(Module::Ready(function)) => {
                    let path = module_path(&name);
                    let ran = function.call::<Value>(name);
                    let module = match &ran {
                        Ok(Value::Nil) => Module::Loaded(Value::Boolean(true)),
                        Ok(value) => Module::Loaded(value.clone()),
                        Err(_) => Module::Ready(function),
                    };
                    let value = match &module {
                        Module::Loaded(value) => value.clone(),
                        Module::Ready(_) | Module::Running => Value::Nil,
                    };
                    requiring.modules.borrow_mut().insert(path, module);
                    ran.map(|_| (None, value))
                }
                Ok(Module::Running) => {
                    let problem = format!("require \"{name}\": it is being loaded already");
                    Ok((Some(placed(at, &problem)), Value::Nil))
                }
                Err(problem) => Ok((Some(placed(at, &problem)), Value::Nil)),
            }
        })?,
    )
}

/// The file that `require` means.
pub(crate) fn module_path(name: &str) -> String {
    format!("{}.lua", name.replace('.', "/"))
}

/// Gives a module to be run or used, and marks one that is about to run.
fn take_module(host: &Host, name: &str) -> Result<Module, String> {
    let path = module_path(name);
    let mut modules = host.modules.borrow_mut();
    match modules.get_mut(&path) {
        Some(Module::Loaded(value)) => Ok(Module::Loaded(value.clone())),
        Some(Module::Running) => Ok(Module::Running),
        Some(ready @ Module::Ready(_)) => Ok(std::mem::replace(ready, Module::Running)),
        None => {
            let near = nearest(&path, modules.keys().map(String::as_str));
            let hint = near.map(|near| format!("; did you mean {SCRIPTS_FOLDER}{near}?"));
            Err(format!(
                "require \"{name}\": there is no {SCRIPTS_FOLDER}{path}{}",
                hint.unwrap_or_default()
            ))
        }
    }
}

/// Adds `route(pattern, [options,] handler)`.
fn route(
    host: &Host,
    pattern: Value,
    options: Value,
    handler: Value,
    at: crate::error::Place,
) -> Result<(), String> {
    if !host.loading.get() {
        return Err("routes can only be added while the scripts load".into());
    }
    let pattern = match &pattern {
        Value::String(text) => text.to_string_lossy(),
        Value::Integer(number) => number.to_string(),
        other => return Err(format!("expected a pattern, got {}", describe(other))),
    };
    let (options, handler) = match (options, handler) {
        (handler @ Value::Function(_), Value::Nil) => (Value::Nil, handler),
        given => given,
    };
    let Value::Function(handler) = handler else {
        return Err(format!(
            "expected a function to handle \"{pattern}\", got {}",
            describe(&handler)
        ));
    };
    let public = match options {
        Value::Nil => false,
        Value::Table(options) => is_public(&options)?,
        other => return Err(format!("expected a table of options, got {}", describe(&other))),
    };
    let parsed =
        Pattern::parse(&pattern).map_err(|problem| format!("pattern \"{pattern}\": {problem}"))?;
    let mut routes = host.routes.borrow_mut();
    if let Some(first) = routes.iter().find(|route| route.pattern == parsed) {
        return Err(format!(
            "\"{pattern}\" can never match: \"{}\" at {}:{} matches the same numbers",
            first.info.pattern, first.info.file, first.info.line
        ));
    }
    let info = RouteInfo { pattern, public, file: at.file, line: at.line };
    routes.push(Route { pattern: parsed, info, handler });
    Ok(())
}

fn is_public(options: &Table) -> Result<bool, String> {
    let mut public = false;
    for pair in options.pairs::<Value, Value>() {
        let (key, value) = pair.map_err(|error| error.to_string())?;
        match (&key, &value) {
            (Value::String(key), Value::Boolean(flag)) if &*key.as_bytes() == b"public" => {
                public = *flag;
            }
            (Value::String(key), _) if &*key.as_bytes() == b"public" => {
                return Err(format!("public: expected true or false, got {}", describe(&value)));
            }
            (Value::String(key), _) => {
                let key = key.to_string_lossy();
                return Err(format!("no option \"{key}\"; there is public"));
            }
            _ => return Err("options have names".into()),
        }
    }
    Ok(public)
}
