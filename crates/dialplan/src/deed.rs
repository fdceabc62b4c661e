//! What a script does without waiting for it, for those who explain calls.

use mlua::Function;

use crate::error::Place;

/// Deeds kept until they are taken; more are left out.
pub(crate) const DEEDS_MAX: usize = 64;

/// Something that a script did without asking for a verb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// What it did.
    pub what: Done,
    /// The script file, for example `scripts/main.lua`; empty when unknown.
    pub file: String,
    /// The line in that file, from 1; 0 when unknown.
    pub line: u32,
}

/// What a script did without asking for a verb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// It began the route of another number with `call:go`.
    Went {
        /// The number.
        number: String,
        /// The route; `None`: there is none for it.
        route: Option<crate::RouteId>,
    },
    /// It wants a function to be called whenever something happens.
    On {
        /// What: `answer`, `dtmf`, `hold`, `resume`.
        event: &'static str,
        /// The file of that function.
        file: String,
        /// Its first line.
        line: u32,
    },
    /// It wants a function to be called when the call is over.
    OnHangup {
        /// The file of that function.
        file: String,
        /// Its first line.
        line: u32,
    },
}

/// The function that waits for an ask, and the line that called it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The name of the function: `dial`, `menu`.
    pub function: &'static str,
    /// The script file, for example `scripts/main.lua`; empty when unknown.
    pub file: String,
    /// The line in that file, from 1; 0 when unknown.
    pub line: u32,
}

/// Where a function begins: its file and line.
pub(crate) fn defined(function: &Function) -> (String, u32) {
    let info = function.info();
    let line = info.line_defined.and_then(|line| u32::try_from(line).ok()).unwrap_or_default();
    (info.short_src.unwrap_or_default(), line)
}

impl Deed {
    pub(crate) fn new(what: Done, place: Option<Place>) -> Self {
        let (file, line) = place.map(|place| (place.file, place.line)).unwrap_or_default();
        Self { what, file, line }
    }
}
