//! The scripts as loaded once, with their routes.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jiff::Zoned;

use crate::Limits;
use crate::call_view::CallView;
use crate::error::LoadError;
use crate::log::LogLine;
use crate::script::Script;

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

/// The scripts as loaded once; calls that began on it finish on it.
///
/// Lives on one thread. Cloning is cheap and gives the same generation.
#[derive(Debug, Clone)]
pub struct Generation {
    routes: Rc<Vec<RouteInfo>>,
}

impl Generation {
    /// Reads `main.lua` and what it requires, and checks what can be checked before any call.
    ///
    /// # Errors
    /// Everything found wrong, with file and line: syntax, patterns, unknown verbs, options,
    /// prompts and extensions, or an error raised while loading. Never empty.
    pub fn load(
        _sources: &Sources,
        _names: Names,
        _limits: Limits,
        _now: &Zoned,
    ) -> Result<Self, Vec<LoadError>> {
        Ok(Self { routes: Rc::default() })
    }

    /// Finds the most specific route for a dialled number or name.
    pub fn match_number(&self, _number: &str) -> Match {
        Match::None
    }

    /// Whether callers who did not authenticate may reach the route.
    pub fn is_public(&self, route: RouteId) -> bool {
        self.routes.get(route.0).is_some_and(|route| route.public)
    }

    /// All routes in the order of their definition.
    pub fn routes(&self) -> &[RouteInfo] {
        &self.routes
    }

    /// Begins a run of the route's handler for one call; nothing runs before the first resume.
    pub fn start(&self, _route: RouteId, _call: CallView) -> Script {
        Script {}
    }

    /// Takes the lines logged since the last time, oldest first.
    pub fn take_logs(&self) -> Vec<LogLine> {
        Vec::new()
    }
}
