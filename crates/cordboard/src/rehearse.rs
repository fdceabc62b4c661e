//! Finds the tests of a dialplan, and sets the stage for them: the office as it is declared, its
//! dialplan and its prompts, without sockets and without the database.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use dialplan::{Generation, Kept, Names, RouteInfo, Sources, Watch};
use jiff::Zoned;
use rehearsal::{Stage, Suite, TestFile};
use sip_engine::Transport;

use crate::config::Settings;
use crate::prompts::Found;
use crate::report::{self, Place, Severity};
use crate::{embedded, first_start, scripts};

/// A dialplan and its tests, ready to run.
#[derive(Debug)]
pub(crate) struct Rehearsal {
    pub(crate) stage: Arc<Stage>,
    pub(crate) suite: Arc<Suite>,
    /// The routes of the dialplan, in the order of their definition.
    pub(crate) routes: Vec<RouteInfo>,
}

/// What a bench is told of the office.
pub(crate) fn bench_config(settings: Settings) -> pbx::Config {
    // What a bench listens on is nobody else's: no socket is opened.
    let listener = |transport| pbx::Listener { transport, address: LISTENS_ON };
    let listeners = vec![listener(Transport::Udp), listener(Transport::Tcp)];
    pbx::Config { external_ip: None, ..settings.into_config(listeners) }
}

impl Rehearsal {
    /// Reads everything that belongs to these settings. Without `paths` the tests are those in the
    /// folder `tests` of the scripts.
    ///
    /// # Errors
    /// When something cannot be read, or with every mistake in the dialplan, ready to print.
    pub(crate) fn read(
        settings: &Settings,
        paths: &[PathBuf],
        watch: Watch,
    ) -> anyhow::Result<Self> {
        let sources = scripts::read(&settings.scripts)?;
        let sounds = if settings.prompts.exists() {
            Found::in_folder(&settings.prompts)?.measured()
        } else {
            embedded::measured_prompts()
        };
        let suite = Self::suite(settings, &sources, paths)?;
        Self::new(settings, sources, sounds, suite, watch)
            .map_err(|places| anyhow::anyhow!(report::render(&places)))
    }

    /// A rehearsal of a dialplan that was read already.
    ///
    /// # Errors
    /// Every mistake in the dialplan.
    pub(crate) fn new(
        settings: &Settings,
        sources: Sources,
        sounds: bench::Sounds,
        suite: Suite,
        watch: Watch,
    ) -> Result<Self, Vec<Place>> {
        let prompts = sounds.prompts().names();
        let names = Names {
            prompts: prompts.clone(),
            extensions: settings.accounts.keys().cloned().collect(),
            mailboxes: settings.mailboxes.keys().cloned().collect(),
            language: settings.language.clone(),
            speech: settings.speech.is_some(),
        };
        let now = Zoned::now().with_time_zone(settings.time_zone.clone());
        let generation = Generation::load(&sources, names, settings.script_limits, &now);
        let generation = generation.map_err(|mistakes| {
            mistakes
                .iter()
                .map(|mistake| report::script_place(mistake, &sources))
                .collect::<Vec<_>>()
        })?;
        let routes = generation.routes().to_vec();
        let mut config = bench_config(settings.clone());
        config.script_watch = watch;
        let stage = Stage {
            config,
            sources,
            sounds: Arc::new(sounds),
            prompts,
            start: Instant::now(),
            kept: Kept::default(),
        };
        Ok(Self { stage: Arc::new(stage), suite: Arc::new(suite), routes })
    }

    /// The tests at `paths`, or all that belong to the scripts.
    ///
    /// # Errors
    /// When something cannot be read.
    pub(crate) fn suite(
        settings: &Settings,
        sources: &Sources,
        paths: &[PathBuf],
    ) -> anyhow::Result<Suite> {
        let own = settings.scripts.join(TESTS);
        let mut suite = Suite { modules: sources.clone(), ..Suite::default() };
        for name in sources.files.keys() {
            let path = shown(&settings.scripts.join(name));
            suite.paths.insert(format!("{SCRIPTS}{name}"), path);
        }
        let mut known = BTreeMap::new();
        if own.is_dir() {
            for (name, text) in scripts::read(&own)?.files {
                let path = own.join(&name);
                known.insert(path.canonicalize().unwrap_or_else(|_| path.clone()), name.clone());
                suite.paths.insert(format!("{SCRIPTS}{TESTS}/{name}"), shown(&path));
                suite.modules.files.insert(format!("{TESTS}/{name}"), text);
            }
        }
        let wanted = if paths.is_empty() {
            if !own.is_dir() {
                bail!(
                    "there are no tests: {} does not exist; `cordboard init` writes a first one",
                    shown(&own)
                );
            }
            vec![own]
        } else {
            paths.to_vec()
        };
        for path in wanted {
            for (path, text) in lua_files(&path)? {
                let real = path.canonicalize().unwrap_or_else(|_| path.clone());
                let chunk = match known.get(&real) {
                    Some(name) => format!("{SCRIPTS}{TESTS}/{name}"),
                    None => foreign_chunk(&suite, &path),
                };
                suite.paths.insert(chunk.clone(), shown(&path));
                if !suite.files.iter().any(|file| file.chunk == chunk) {
                    suite.files.push(TestFile { chunk, text });
                }
            }
        }
        Ok(suite)
    }
}

/// What is declared in the configuration, or what a first start would declare when there is none.
///
/// # Errors
/// When the configuration is wrong.
pub(crate) fn settings(config_path: &Path) -> anyhow::Result<Settings> {
    if config_path.exists() {
        return Settings::load(config_path);
    }
    first_start::usual_settings(crate::config::folder_of(config_path))
}

/// The tests of the dialplan, by path in the scripts folder: `tests/night.lua`; none if there is no
/// such folder.
///
/// # Errors
/// When something cannot be read.
pub(crate) fn test_sources(settings: &Settings) -> anyhow::Result<Sources> {
    let folder = settings.scripts.join(TESTS);
    if !folder.is_dir() {
        return Ok(Sources::default());
    }
    let files = scripts::read(&folder)?.files.into_iter();
    Ok(Sources { files: files.map(|(name, text)| (format!("{TESTS}/{name}"), text)).collect() })
}

/// Runs all tests of a dialplan before it is taken into use, beside calls that want the other
/// processors; gives back what failed. Tests that take longer than [`TESTS_TIME_MAX`] have failed.
pub(crate) fn failures(rehearsal: &Rehearsal) -> Vec<Place> {
    let options = rehearsal::Options {
        filter: None,
        seed: 1,
        jobs: 1,
        fail_fast: false,
        until: Some(Instant::now() + TESTS_TIME_MAX),
    };
    let mut places = Vec::new();
    let ran = rehearsal::run(&rehearsal.stage, &rehearsal.suite, &options, |report| {
        if let rehearsal::Verdict::Failed(failure) = &report.verdict {
            let at = failure.at.first();
            let expected = match failure.expected.as_str() {
                "" => String::new(),
                expected => format!("expected {expected}; "),
            };
            let message = format!("{}: {expected}{}", report.name, failure.instead);
            let file = at.map_or(report.file.as_str(), |at| at.file.as_str());
            let line = at.map_or(report.line, |at| at.line);
            places.push(test_place(rehearsal, file, Some(line), &message));
        }
    });
    match ran {
        Ok(ran) if ran.left_out > 0 => {
            let message = format!(
                "the tests took more than {} seconds, and {} of them did not run",
                TESTS_TIME_MAX.as_secs(),
                ran.left_out
            );
            places.push(test_place(rehearsal, "", None, &message));
        }
        Ok(_) => {}
        Err(mistakes) => places.extend(mistakes.iter().map(|mistake| {
            let file = rehearsal.suite.paths.get(&mistake.file).unwrap_or(&mistake.file);
            test_place(rehearsal, file, mistake.line, &mistake.message)
        })),
    }
    places
}

/// A mistake in a file of tests, with its line.
pub(crate) fn test_place(
    rehearsal: &Rehearsal,
    file: &str,
    line: Option<u32>,
    message: &str,
) -> Place {
    let suite = &rehearsal.suite;
    let chunk = suite.paths.iter().find(|(_, path)| *path == file).map(|(chunk, _)| chunk);
    let text = suite.files.iter().find(|test| Some(&test.chunk) == chunk).map(|test| &test.text);
    let mistake = dialplan::LoadError::at(file, line, message);
    let mut place = report::place_in(&mistake, text.map(|text| text.as_str()));
    place.severity = Severity::Error;
    place
}

/// Every `.lua` file at a path: itself, or all in it.
fn lua_files(path: &Path) -> anyhow::Result<Vec<(PathBuf, String)>> {
    if path.is_dir() {
        let files = scripts::read(path)?.files;
        return Ok(files.into_iter().map(|(name, text)| (path.join(name), text)).collect());
    }
    Ok(vec![(path.to_owned(), scripts::read_file(path)?)])
}

/// How messages of Lua name a file that lies elsewhere: each by a name of its own.
fn foreign_chunk(suite: &Suite, path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let chunk = format!("{SCRIPTS}{TESTS}/{name}");
    let is_free = |chunk: &String| !suite.paths.contains_key(chunk);
    if is_free(&chunk) {
        return chunk;
    }
    let numbered = (2_u32..).map(|number| format!("{SCRIPTS}{TESTS}/{number}/{name}"));
    numbered.into_iter().find(is_free).unwrap_or(chunk)
}

/// A path as it is shown: without `./`.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

/// How long the tests of a reload may take.
const TESTS_TIME_MAX: Duration = Duration::from_secs(60);
/// Where the tests are, in the scripts folder.
pub(crate) const TESTS: &str = "tests";
/// How messages name the scripts folder.
const SCRIPTS: &str = "scripts/";
/// The exchange on the bench.
const LISTENS_ON: std::net::SocketAddr =
    std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)), 5_060);

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_fails_before_a_reload_is_told_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let scripts = folder.path().join("scripts");
        fs::create_dir_all(scripts.join(TESTS)).unwrap();
        fs::write(scripts.join("main.lua"), "route('1', function(call) call:busy() end)").unwrap();
        let settings = settings(&folder.path().join("cordboard.toml")).unwrap();
        let told = |text: &str| {
            fs::write(scripts.join("tests/a.lua"), text).unwrap();
            let rehearsal = Rehearsal::read(&settings, &[], Watch::Nothing).unwrap();
            let places = failures(&rehearsal);
            let told = places.iter().map(|place| {
                let line = place.line_and_column().map_or(0, |(line, _)| line);
                format!("{line}: {}", place.message)
            });
            told.collect::<Vec<_>>()
        };
        let call = "t:call { as = '100', to = '1' }";
        let right = format!("test('a', function(t) {call}:is_refused(486) end)");
        assert_eq!(told(&right), Vec::<String>::new());
        let wrong = format!("\ntest('a', function(t)\n  {call}:is_refused(404)\nend)");
        let expected = "3: a: expected 100 to be refused with 404 within 30 s; \
                        its call ended at 0.000 s: refused with 486 Busy Here";
        assert_eq!(told(&wrong), [expected]);
        assert_eq!(told("\n\nteh()"), ["3: there is no global teh"]);
    }
}
