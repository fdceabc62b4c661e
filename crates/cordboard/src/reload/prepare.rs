//! Everything that comes before a switch-over, on a thread of its own: reading, checking, decoding,
//! trying.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dialplan::{Finding, Generation, Kept, Loading, Names, Project, RouteInfo, Sources};
use jiff::Zoned;

use super::{Cause, Current, fingerprint};
use crate::config::{APOLOGY, Settings};
use crate::prompts::{Broken, Found};
use crate::rehearse::Rehearsal;
use crate::report::{Place, Severity, script_place};
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
        let unreadable = |error: anyhow::Error| vec![without_text("", &format!("{error:#}"))];
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
    let names = Names {
        prompts: prompts.names(),
        extensions: settings.accounts.keys().cloned().collect(),
        mailboxes: settings.mailboxes.keys().cloned().collect(),
        language: settings.language.clone(),
    };
    let missing_apology = settings
        .apology
        .as_deref()
        .filter(|name| *name != APOLOGY)
        .filter(|name| !names.prompts.contains(*name))
        .filter(|name| !names.prompts.contains(&format!("{}/{name}", settings.language)))
        .map(|name| {
            let mut place = without_text(
                "cordboard.toml",
                &format!("apology in [scripts]: there is no prompt \"{name}\""),
            );
            place.help = Some("callers of a script that fails would hear nothing".to_owned());
            place
        });
    let now = Zoned::now().with_time_zone(settings.time_zone.clone());
    let loading = Loading { kept: Some(kept.clone()), ..Loading::default() };
    let loaded = Generation::load_as(sources, names.clone(), settings.script_limits, loading, &now);
    let mut mistakes: Vec<Place> = missing_apology.into_iter().collect();
    let routes = loaded.as_ref().ok().map(Generation::routes);
    let mut told = warnings(sources, &names, routes, settings);
    match &loaded {
        Ok(generation) if mistakes.is_empty() => {
            Ok(Rehearsed { routes: generation.routes().len(), warnings: told })
        }
        Ok(_) => {
            mistakes.append(&mut told);
            Err(mistakes)
        }
        Err(errors) => {
            mistakes.extend(errors.iter().map(|mistake| script_place(mistake, sources)));
            mistakes.append(&mut told);
            Err(mistakes)
        }
    }
}

/// What stops nothing, and is worth a look all the same.
fn warnings(
    sources: &Sources,
    names: &Names,
    routes: Option<&[RouteInfo]>,
    settings: &Settings,
) -> Vec<Place> {
    let mut tests = Sources::default();
    // Only so that a function that tests use is not taken for unused; they are told of elsewhere.
    if let Ok(found) = scripts::read(&settings.scripts.join(rehearse::TESTS)) {
        let files = found.files.into_iter();
        tests.files =
            files.map(|(name, text)| (format!("{}/{name}", rehearse::TESTS), text)).collect();
    }
    let project = Project {
        dialplan: sources,
        tests: &tests,
        names,
        broken_prompts: &BTreeMap::new(),
        routes,
        test_libraries: rehearsal::TEST_LIBRARIES,
    };
    let is_test = |finding: &Finding| {
        let path = finding.file.strip_prefix("scripts/").unwrap_or(&finding.file);
        tests.files.contains_key(path)
    };
    dialplan::check(&project)
        .into_iter()
        .filter(|finding| finding.severity == dialplan::Severity::Warning && !is_test(finding))
        .map(|finding| {
            let mut place = script_place(&finding.into(), sources);
            place.severity = Severity::Warning;
            place
        })
        .collect()
}

/// Runs the tests of scripts; gives back what failed.
fn run_tests(settings: &Settings, sources: &Sources, found: &Found) -> Vec<Place> {
    let suite = match Rehearsal::suite(settings, sources, &[]) {
        Ok(suite) => suite,
        Err(error) => {
            let mut place = without_text("", &format!("{error:#}"));
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
    let mut place = without_text(
        &format!("prompts/{}", file.display()),
        &format!("cannot be played: {}", broken.why),
    );
    place.help = Some("convert it to WAV, FLAC, Ogg or MP3, or remove it".into());
    place
}

/// A mistake that is in no line of anything.
pub(super) fn without_text(file: &str, message: &str) -> Place {
    Place {
        severity: Severity::Error,
        file: file.to_owned(),
        text: Arc::default(),
        span: 0..0,
        message: message.to_owned(),
        label: String::new(),
        help: None,
    }
}
