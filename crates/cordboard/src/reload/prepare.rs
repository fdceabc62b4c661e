//! Everything that comes before a switch-over, on a thread of its own: reading, checking, decoding,
//! trying.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use dialplan::{Kept, Sources};

use super::{Cause, Current, fingerprint};
use crate::config::{APOLOGY, Settings};
use crate::inspection::{Inspection, Subject};
use crate::prompts::{Broken, Found};
use crate::rehearse::Rehearsal;
use crate::report::{Place, Severity};
use crate::{rehearse, scripts};

/// What to prepare.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) config_path: PathBuf,
    pub(super) data: Option<PathBuf>,
    pub(super) started_with: Settings,
    pub(super) current: Current,
    pub(super) cause: Cause,
}

/// Everything that a switch-over needs, found right.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) settings: Settings,
    pub(super) next: Current,
    pub(super) prompts: pbx::Prompts,
    /// What loading the scripts left for the switch, which then need not do it all again.
    pub(super) kept: Kept,
    /// Warnings.
    pub(super) mistakes: Vec<Place>,
    /// Keys that changed and count from the next start.
    pub(super) restart: Vec<&'static str>,
    pub(super) routes: usize,
}

impl Task {
    /// Does it; `None` when nothing is other than before and nobody asked.
    ///
    /// # Errors
    /// Everything found wrong; never empty.
    pub(super) fn run(self) -> Result<Option<Prepared>, Vec<Place>> {
        let unreadable =
            |error: anyhow::Error| vec![Place::without_text("", &format!("{error:#}"))];
        let config = fs::read(&self.config_path).map(|text| fingerprint(&text)).unwrap_or_default();
        let mut settings = Settings::load_or_tell(&self.config_path).map_err(unreadable)??;
        if let Some(data) = self.data {
            settings.data = data;
        }
        let sources = scripts::read(&settings.scripts).map_err(unreadable)?;
        let found = Found::in_folder(&settings.prompts).map_err(unreadable)?;
        let Current { sources: old_sources, shelf: old_shelf, config: old_config } = &self.current;
        if self.cause == Cause::FileChange
            && (&sources, config) == (old_sources, *old_config)
            && found.are_all_on(old_shelf)
        {
            return Ok(None);
        }
        let (prompts, broken) = found.decoded(old_shelf);
        let mut mistakes: Vec<Place> =
            broken.iter().map(|broken| broken_prompt(broken, &settings.prompts)).collect();
        let kept = Kept::default();
        let rehearsed = rehearse(&sources, &prompts, &settings, &kept);
        let (routes, told) = match rehearsed {
            Ok(rehearsed) => (rehearsed.routes, rehearsed.warnings),
            Err(told) => (0, told),
        };
        mistakes.extend(told);
        let is_right = !mistakes.iter().any(|place| place.severity == Severity::Error);
        if is_right && settings.test_on_reload {
            mistakes.extend(run_tests(&settings, &sources, &found));
        }
        if mistakes.iter().any(|place| place.severity == Severity::Error) {
            return Err(mistakes);
        }
        let restart = self.started_with.needs_restart(&settings);
        let next = Current { sources, shelf: found.shelve(&prompts), config };
        Ok(Some(Prepared { settings, next, prompts, kept, mistakes, restart, routes }))
    }
}

/// Scripts that could be used.
#[derive(Debug)]
pub(super) struct Rehearsed {
    pub(super) routes: usize,
    pub(super) warnings: Vec<Place>,
}

/// Loads scripts as the switch would, in a Lua state of their own, and throws that away; what can be
/// used again is left in `kept`.
///
/// # Errors
/// Everything found wrong; never empty.
pub(super) fn rehearse(
    sources: &Sources,
    prompts: &pbx::Prompts,
    settings: &Settings,
    kept: &Kept,
) -> Result<Rehearsed, Vec<Place>> {
    let names = prompts.names();
    let missing_apology = settings
        .apology
        .as_deref()
        .filter(|name| *name != APOLOGY)
        .filter(|name| !names.contains(*name))
        .filter(|name| !names.contains(&format!("{}/{name}", settings.language)))
        .map(|name| {
            let mut place = Place::without_text(
                "cordboard.toml",
                &format!("apology in [scripts]: there is no prompt \"{name}\""),
            );
            place.help = Some("callers of a script that fails would hear nothing".to_owned());
            place
        });
    // Only so that a function that tests use is not taken for unused; they are told of elsewhere.
    let tests = rehearse::test_sources(settings).unwrap_or_default();
    let broken = BTreeMap::new();
    let subject = Subject {
        settings,
        dialplan: sources,
        tests: &tests,
        prompts: names,
        broken: &broken,
        kept: Some(kept),
    };
    let Inspection { items, routes } = subject.inspect();
    let mut mistakes: Vec<Place> = missing_apology.into_iter().collect();
    let is_test = |place: &Place| tests.files.keys().any(|test| place.file.ends_with(test));
    mistakes.extend(items.into_iter().map(|item| item.place).filter(|place| !is_test(place)));
    match routes {
        Some(routes) if mistakes.iter().all(|place| place.severity == Severity::Warning) => {
            Ok(Rehearsed { routes, warnings: mistakes })
        }
        Some(_) | None => Err(mistakes),
    }
}

/// Runs the tests of scripts; gives back what failed.
fn run_tests(settings: &Settings, sources: &Sources, found: &Found) -> Vec<Place> {
    let suite = match Rehearsal::suite(settings, sources, &[]) {
        Ok(suite) => suite,
        Err(error) => {
            let mut place = Place::without_text("", &format!("{error:#}"));
            place.severity = Severity::Warning;
            return vec![place];
        }
    };
    let sounds = found.measured();
    match Rehearsal::new(settings, sources.clone(), sounds, suite, dialplan::Watch::Nothing) {
        Ok(rehearsal) => rehearse::failures(&rehearsal),
        Err(mistakes) => mistakes,
    }
}

fn broken_prompt(broken: &Broken, folder: &Path) -> Place {
    let file = broken.path.strip_prefix(folder).unwrap_or(&broken.path);
    let mut place = Place::without_text(
        &format!("prompts/{}", file.display()),
        &format!("cannot be played: {}", broken.why),
    );
    place.help = Some("convert it to WAV, FLAC, Ogg or MP3, or remove it".into());
    place
}
