//! What all tests of a run begin with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use bench::{Setup, Sounds, Weather};
use dialplan::{Kept, Sources};
use jiff::civil::DateTime;

use crate::entry::Dialplan;
use crate::wall::in_zone;

/// What all tests of a run begin with; shared by the threads that run them.
#[derive(Debug)]
pub struct Stage {
    /// What is declared about the office.
    pub config: pbx::Config,
    /// The dialplan, which loads without a mistake.
    pub sources: Sources,
    /// Its prompts.
    pub sounds: Arc<Sounds>,
    /// Names of prompts, to tell what a test means.
    pub prompts: BTreeSet<String>,
    /// Any instant: the simulated time of every test begins there.
    pub start: Instant,
    /// What the first office of the dialplan leaves for all others: begin with the default.
    pub kept: Kept,
}

/// The tests, and what they may `require`.
#[derive(Debug, Clone, Default)]
pub struct Suite {
    /// Files of tests, in the order in which they run.
    pub files: Vec<TestFile>,
    /// All that `require` reaches, by path relative to the scripts folder: the dialplan's files and
    /// those of the tests.
    pub modules: Sources,
    /// How people call files that messages name otherwise: from `scripts/main.lua` to the path that
    /// one would type.
    pub paths: BTreeMap<String, String>,
}

/// A file of tests.
#[derive(Debug, Clone)]
pub struct TestFile {
    /// As messages of Lua name it: `scripts/tests/night.lua`; each has another.
    pub chunk: String,
    /// Its text.
    pub text: String,
}

impl Suite {
    /// How people call a file.
    pub(crate) fn path<'a>(&'a self, file: &'a str) -> &'a str {
        self.paths.get(file).map_or(file, String::as_str)
    }

    /// The text of a line; empty when there is none.
    pub(crate) fn line(&self, file: &str, line: u32) -> &str {
        let own = self.files.iter().find(|test| test.chunk == file).map(|test| &test.text);
        let module = || self.modules.files.get(file.strip_prefix("scripts/")?);
        let text = own.or_else(module).map(String::as_str).unwrap_or_default();
        let index = usize::try_from(line).unwrap_or_default().wrapping_sub(1);
        text.lines().nth(index).unwrap_or_default()
    }
}

impl Stage {
    /// An office to be opened at this time of the wall clock.
    pub(crate) fn setup(
        &self,
        dialplan: &Dialplan,
        wall: DateTime,
        weather: Weather,
        seed: u64,
    ) -> Setup {
        Setup {
            config: self.config.clone(),
            sources: Sources::clone(&dialplan.sources),
            sounds: Arc::clone(&self.sounds),
            start: self.start,
            wall: in_zone(wall, &self.config.time_zone).timestamp(),
            seed,
            weather,
            kept: Some(dialplan.kept.clone()),
        }
    }
}
