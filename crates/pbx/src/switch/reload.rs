//! New scripts, prompts and declarations for new calls, while those under way go on with the old.

use std::time::Instant;

use dialplan::{Generation, GenerationWatch, Kept, LoadError, Loading, Names, Shared, Sources};
use jiff::Zoned;

use super::Switch;
use crate::config::Config;
use crate::input::Reload;
use crate::notice::Notice;
use crate::output::Output;
use crate::prompts::Prompts;
use crate::records::UnixMs;

/// A set of scripts that was taken into use, and may be in use still.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) number: u64,
    pub(super) at: UnixMs,
    pub(super) routes: usize,
    watch: GenerationWatch,
}

impl Loaded {
    pub(super) fn new(number: u64, generation: &Generation, at: UnixMs) -> Self {
        Self { number, at, routes: generation.routes().len(), watch: generation.watch() }
    }

    pub(super) fn is_alive(&self) -> bool {
        self.watch.is_alive()
    }
}

impl Switch {
    /// Uses new scripts for new calls, if they are right; otherwise nothing changes.
    pub(super) fn reload(&mut self, now: Instant, reload: Reload) {
        let Reload { id, sources, prompts, kept, config: newer } = reload;
        self.generations.retain(Loaded::is_alive);
        if self.generations.len() >= GENERATIONS_MAX {
            let mistakes = vec![too_many()];
            return self.publish(Notice::ReloadFailed { id, mistakes });
        }
        let mut config = self.desk.config.clone();
        if let Some(newer) = newer {
            config.take_over(*newer);
        }
        self.desk.clock.move_to(config.time_zone.clone());
        let (local, shared) = (self.desk.clock.local(now), &self.desk.shared);
        let generation = match load(&config, &local, &sources, &prompts, (shared, kept)) {
            Ok(generation) => generation,
            Err(mistakes) => {
                self.desk.clock.move_to(self.desk.config.time_zone.clone());
                return self.publish(Notice::ReloadFailed { id, mistakes });
            }
        };
        let dismissed = dismissed(&self.desk.config, &config);
        self.desk.registrar.dismiss(&dismissed);
        let number = self.generations.last().map_or(0, |last| last.number) + 1;
        let loaded = Loaded::new(number, &generation, self.desk.clock.unix_ms(now));
        let routes = loaded.routes;
        self.desk.endpoint.set_bounds(transactions_max(&config), sessions_max(&config));
        self.desk.config = config;
        self.desk.prompts = prompts;
        self.desk.generation = number;
        self.generation = generation;
        self.plan(now);
        self.generations.push(loaded);
        // The one before is gone already when no call uses it.
        self.generations.retain(Loaded::is_alive);
        self.publish(Notice::Reloaded { id, generation: number, routes });
    }

    fn publish(&mut self, notice: Notice) {
        self.outputs.push_back(Output::Publish(notice));
    }
}

/// Loads scripts as this configuration would have them.
pub(super) fn load(
    config: &Config,
    now: &Zoned,
    sources: &Sources,
    prompts: &Prompts,
    (shared, kept): (&Shared, Option<Kept>),
) -> Result<Generation, Vec<LoadError>> {
    let names = Names {
        prompts: prompts.names(),
        extensions: config.accounts.keys().cloned().collect(),
        mailboxes: config.mailboxes.keys().cloned().collect(),
        language: config.language.clone(),
        speech: config.speech.is_some(),
    };
    let loading =
        Loading { watch: config.script_watch, shared: shared.clone(), kept, ..Loading::default() };
    Generation::load_as(sources, names, config.script_limits, loading, now)
}

/// SIP transactions that so many calls may need, those included that only absorb repeats.
pub(super) fn transactions_max(config: &Config) -> usize {
    config.limits.calls_max.saturating_mul(8).max(20_000)
}

/// Dialogs and attempts at one that so many calls may need.
pub(super) fn sessions_max(config: &Config) -> usize {
    config.limits.calls_max.saturating_mul(4).max(10_000)
}

/// Accounts whose phones have to register anew, since what they proved no longer counts.
fn dismissed(older: &Config, newer: &Config) -> Vec<String> {
    let still_good = |(user, account): &(&String, &crate::Account)| {
        newer.accounts.get(*user).is_some_and(|now| now.secret == account.secret)
    };
    let accounts = older.accounts.iter().filter(|account| !still_good(account));
    accounts.map(|(user, _)| user.clone()).collect()
}

fn too_many() -> LoadError {
    LoadError {
        file: "scripts/main.lua".into(),
        line: None,
        column: None,
        length: None,
        message: format!("{GENERATIONS_MAX} sets of scripts are in use by calls under way"),
        hint: Some("reload again when some of them have ended".into()),
        source_line: None,
    }
}

/// Sets of scripts in use at one time, each with at least one call; beyond, a reload fails.
const GENERATIONS_MAX: usize = 64;
