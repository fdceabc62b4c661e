//! `cordboard test`: the tests of the dialplan, on a whole exchange in virtual time.

use std::convert::Infallible;
use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use dialplan::{LoadError, Watch as Lines};
use rehearsal::{Human, JUnit, Report, Reporter, Run, Style, Summary, Tap};

use crate::rehearse::{self, Rehearsal};
use crate::terminal::Terminal;
use crate::watch::{Watch, Written};
use crate::{random, report, shutdown};

/// What to run, and how to tell of it.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Files of tests, or folders with such; all of the scripts folder's `tests` if none is given.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Only tests with this text in their name, or in that of their file.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// How to tell what came of them.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// Write that to a file; the terminal is told as people like it.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Run them again whenever a script, a test or a prompt was saved.
    #[arg(long)]
    watch: bool,
    /// The number from which all chance comes; another one each time, if it is not given.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Tell what the tests left out of the dialplan; with a folder, write listings and an `lcov.info`
    /// to it.
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, require_equals = true)]
    coverage: Option<Option<PathBuf>>,
    /// Name the tests, and run none.
    #[arg(long)]
    list: bool,
    /// How many to run at one time; as many as there are processors, if not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// Stop after the first that fails.
    #[arg(long)]
    fail_fast: bool,
    /// Run them so often, each time with another seed.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,
    /// Tell of each test, also of those that pass.
    #[arg(long, short)]
    verbose: bool,
}

/// How to tell what came of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Human,
    /// The Test Anything Protocol.
    Tap,
    /// JUnit's XML.
    Junit,
}

/// Runs tests. The exit code is 0 when all pass, 1 when one fails, 2 when they cannot be run.
pub(crate) fn run(config_path: &Path, options: &Options, terminal: &mut Terminal<'_>) -> ExitCode {
    let written = Written::default();
    let once =
        |terminal: &mut Terminal<'_>| match run_once(config_path, options, &written, terminal) {
            Ok(Passed::All) => 0,
            Ok(Passed::NotAll) => 1,
            Err(error) => {
                if options.format == Format::Tap && options.output.is_none() {
                    say!(terminal, "Bail out! the tests cannot be run");
                }
                complain!(terminal, "{error:#}");
                CANNOT_RUN
            }
        };
    if !options.watch {
        return ExitCode::from(once(terminal));
    }
    let Err(error) = watch(config_path, options, &written, once, terminal);
    complain!(terminal, "{error:#}");
    ExitCode::from(CANNOT_RUN)
}

/// Whether all tests passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passed {
    All,
    NotAll,
}

/// Runs them again after every change, until Ctrl-C. That ends the program with what came of them last,
/// or, while they run, as Ctrl-C ends any.
fn watch(
    config_path: &Path,
    options: &Options,
    written: &Written,
    once: impl Fn(&mut Terminal<'_>) -> u8,
    terminal: &mut Terminal<'_>,
) -> anyhow::Result<Infallible> {
    let code = Arc::new(AtomicU8::new(INTERRUPTED));
    let last = Arc::clone(&code);
    shutdown::at_interrupt(move || {
        println!();
        std::process::exit(last.load(Ordering::Acquire).into())
    })?;
    loop {
        // What is watched may be declared anew with each change.
        let mut paths = options.paths.clone();
        paths.push(config_path.to_owned());
        if let Ok(settings) = rehearse::settings(config_path) {
            paths.extend([settings.scripts, settings.prompts]);
        }
        let mut watch = Watch::except(&paths, written.clone())?;
        if io::stdout().is_terminal() {
            terminal.say(format_args!("\x1b[2J\x1b[H"));
            // What goes to standard error must not be wiped away by it.
            terminal.out.flush()?;
        }
        code.store(once(terminal), Ordering::Release);
        say!(terminal, "waiting for a change; Ctrl-C ends");
        watch.wait()?;
        code.store(INTERRUPTED, Ordering::Release);
    }
}

fn run_once(
    config_path: &Path,
    options: &Options,
    written: &Written,
    terminal: &mut Terminal<'_>,
) -> anyhow::Result<Passed> {
    let settings = rehearse::settings(config_path)?;
    let lines = if options.coverage.is_some() { Lines::Lines } else { Lines::Nothing };
    let rehearsal = Rehearsal::read(&settings, &options.paths, lines)?;
    if options.list {
        return list(&rehearsal, options, terminal);
    }
    let mut telling = Telling::new(options, written, terminal)?;
    let first_seed = match options.seed {
        Some(seed) => seed,
        None => u64::from(random::seed()? as u32),
    };
    let jobs = options.jobs.map_or_else(processors, usize::from);
    let mut all = Run::default();
    all.summary.seed = first_seed;
    for round in 0..options.repeat {
        let run_options = rehearsal::Options {
            filter: options.filter.clone(),
            seed: first_seed.wrapping_add(round.into()),
            jobs,
            fail_fast: options.fail_fast,
            until: None,
        };
        let mut broken = Ok(());
        let tell = |report: &Report| {
            if broken.is_ok() {
                broken = telling.test(report);
            }
        };
        let ran = rehearsal::run(&rehearsal.stage, &rehearsal.suite, &run_options, tell);
        broken?;
        let ran = ran.map_err(|mistakes| cannot_be_read(&rehearsal, &mistakes))?;
        if ran.summary.failed > 0 {
            all.summary.seed = run_options.seed;
        }
        add(&mut all, ran);
        if all.summary.failed > 0 {
            break;
        }
    }
    if all.summary.passed + all.summary.failed + all.summary.skipped == 0 {
        match &options.filter {
            Some(filter) => bail!("no test has \"{filter}\" in its name or its file"),
            None => bail!("there are no tests in these files"),
        }
    }
    telling.end(&all.summary)?;
    drop(telling);
    if let (Some(folder), Some(coverage)) = (&options.coverage, &all.coverage) {
        let told = tell_coverage(&rehearsal, coverage, (folder.as_deref(), written))?;
        // What programs read has nothing else among it.
        match options.format {
            Format::Tap | Format::Junit if options.output.is_none() => {
                complain!(terminal, "\n{told}")
            }
            Format::Human | Format::Tap | Format::Junit => say!(terminal, "\n{told}"),
        }
    }
    Ok(if all.summary.failed == 0 { Passed::All } else { Passed::NotAll })
}

fn list(
    rehearsal: &Rehearsal,
    options: &Options,
    terminal: &mut Terminal<'_>,
) -> anyhow::Result<Passed> {
    let filter = options.filter.as_deref();
    let tests = rehearsal::list(&rehearsal.stage, &rehearsal.suite, filter)
        .map_err(|mistakes| cannot_be_read(rehearsal, &mistakes))?;
    for test in tests {
        let file = rehearsal.suite.files.get(test.file).map(|file| &file.chunk);
        let path = file.and_then(|chunk| rehearsal.suite.paths.get(chunk));
        say!(terminal, "{}:{}: {}", path.map_or("", String::as_str), test.line, test.name);
    }
    Ok(Passed::All)
}

fn add(all: &mut Run, ran: Run) {
    let (sum, one) = (&mut all.summary, ran.summary);
    sum.passed += one.passed;
    sum.failed += one.failed;
    sum.skipped += one.skipped;
    sum.took += one.took;
    sum.simulated += one.simulated;
    if let Some(coverage) = ran.coverage {
        all.coverage.get_or_insert_default().add(&coverage);
    }
}

/// Mistakes in files of tests, each with its line.
fn cannot_be_read(rehearsal: &Rehearsal, mistakes: &[LoadError]) -> anyhow::Error {
    let places: Vec<_> = mistakes
        .iter()
        .map(|mistake| {
            let file = rehearsal.suite.paths.get(&mistake.file).unwrap_or(&mistake.file);
            rehearse::test_place(rehearsal, file, mistake.line, &mistake.message)
        })
        .collect();
    anyhow::anyhow!(report::render(&places))
}

/// Who is told, and where.
struct Telling<'a> {
    to: Vec<(Box<dyn Reporter>, Box<dyn Write + 'a>)>,
}

impl<'a> Telling<'a> {
    fn new(
        options: &Options,
        noted: &Written,
        terminal: &'a mut Terminal<'_>,
    ) -> anyhow::Result<Self> {
        let colour = terminal.has_colours;
        let out = Box::new(&mut *terminal.out);
        let human = || Box::new(Human::new(Style { colour, every_test: options.verbose }));
        let wanted: Box<dyn Reporter> = match options.format {
            Format::Human => human(),
            Format::Tap => Box::<Tap>::default(),
            Format::Junit => Box::<JUnit>::default(),
        };
        let Some(path) = &options.output else {
            return Ok(Self { to: vec![(wanted, out)] });
        };
        let written = || format!("{} cannot be written", path.display());
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            noted.create_folder(folder).with_context(written)?;
        }
        noted.note(path);
        let file = BufWriter::new(File::create(path).with_context(written)?);
        let wanted: Box<dyn Reporter> = match options.format {
            // Files have no colours.
            Format::Human => {
                Box::new(Human::new(Style { colour: false, every_test: options.verbose }))
            }
            Format::Tap | Format::Junit => wanted,
        };
        Ok(Self { to: vec![(human(), out), (wanted, Box::new(file))] })
    }

    fn test(&mut self, report: &Report) -> io::Result<()> {
        self.to.iter_mut().try_for_each(|(reporter, to)| reporter.test(&mut **to, report))
    }

    fn end(&mut self, summary: &Summary) -> io::Result<()> {
        self.to.iter_mut().try_for_each(|(reporter, to)| {
            reporter.end(&mut **to, summary)?;
            to.flush()
        })
    }
}

/// Gives a summary, and writes listings if a folder is given.
fn tell_coverage(
    rehearsal: &Rehearsal,
    coverage: &dialplan::Coverage,
    (folder, written): (Option<&Path>, &Written),
) -> anyhow::Result<String> {
    let summary = rehearsal::coverage_summary(coverage, &rehearsal.routes);
    let summary = summary.trim_end().to_owned();
    let Some(folder) = folder else { return Ok(summary) };
    for (file, lines) in &coverage.files {
        let name = file.strip_prefix("scripts/").unwrap_or(file);
        let Some(text) = rehearsal.stage.sources.files.get(name) else { continue };
        let listing = rehearsal::listing(lines, text);
        write(&folder.join(format!("{name}.txt")), &listing, written)?;
    }
    let paths = &rehearsal.suite.paths;
    write(&folder.join("lcov.info"), &rehearsal::lcov(coverage, paths), written)?;
    Ok(format!("{summary}\n  listings are in {}", folder.display()))
}

fn write(path: &Path, text: &str, written: &Written) -> anyhow::Result<()> {
    let cannot = || format!("{} cannot be written", path.display());
    if let Some(folder) = path.parent() {
        written.create_folder(folder).with_context(cannot)?;
    }
    written.note(path);
    fs::write(path, text).with_context(cannot)
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The exit code when Ctrl-C comes before there is another, as a shell tells it.
const INTERRUPTED: u8 = 130;
/// The exit code when no test could be run; clap's, too, for arguments that it does not understand.
const CANNOT_RUN: u8 = 2;

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::terminal::overheard;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        options: Options,
    }

    /// A folder with a dialplan and this file of tests.
    fn office(tests: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let scripts = folder.path().join("scripts");
        fs::create_dir_all(scripts.join("tests/deep")).unwrap();
        let main = "require 'lib'\nroute('1', function(call) call:busy() end)\n\
                    route('2', function(call)\n  call:answer()\nend)\n";
        fs::write(scripts.join("main.lua"), main).unwrap();
        fs::write(scripts.join("lib.lua"), "return { busy = 486 }\n").unwrap();
        fs::write(scripts.join("tests/a.lua"), tests).unwrap();
        fs::write(scripts.join("tests/deep/support.lua"), "return { to = '1' }\n").unwrap();
        folder
    }

    /// The exit code of `cordboard test` with these arguments, `@` standing for the folder; what it
    /// says, and what it complains of.
    fn told(folder: &tempfile::TempDir, arguments: &str) -> (String, String, String) {
        let folder = folder.path().to_str().unwrap();
        let arguments = arguments.replace('@', folder);
        let arguments = ["test"].into_iter().chain(arguments.split_whitespace());
        let options = Cli::parse_from(arguments).options;
        let config = Path::new(folder).join("cordboard.toml");
        let (code, said, complained) = overheard(|terminal| run(&config, &options, terminal));
        (format!("{code:?}"), said, complained)
    }

    const PASSES: &str = "
        local support, lib = require 'tests.deep.support', require 'lib'
        test('is busy', function(t)
          t:call { as = '100', to = support.to }:is_refused(lib.busy)
        end)
    ";

    #[test]
    fn the_exit_code_tells_what_came_of_them() {
        let (good, bad) = (format!("{:?}", ExitCode::SUCCESS), format!("{:?}", ExitCode::FAILURE));
        let cannot = format!("{:?}", ExitCode::from(2));
        let passing = office(PASSES);
        for (arguments, part) in [
            ("", "1 test passed: "),
            ("--jobs 1 --verbose", "  ok      is busy  "),
            ("@/scripts/tests/a.lua", "1 test passed: "),
            ("--list", "/scripts/tests/a.lua:3: is busy\n"),
            ("--filter BUSY", "1 test passed: "),
            ("--repeat 3", "3 tests passed: "),
        ] {
            let (code, said, complained) = told(&passing, arguments);
            assert_eq!((code, complained.as_str()), (good.clone(), ""), "{arguments}");
            assert!(said.contains(part), "{arguments}: {said}");
        }
        for (arguments, part) in [
            ("--filter nothing", "no test has \"nothing\" in its name or its file"),
            ("@/nowhere.lua", "/nowhere.lua cannot be read"),
            ("@/scripts/tests/deep", "there are no tests in these files"),
        ] {
            let (code, said, complained) = told(&passing, arguments);
            assert_eq!((code, said.as_str()), (cannot.clone(), ""), "{arguments}");
            assert!(complained.contains(part), "{arguments}: {complained}");
        }
        let failing = office("test('fails', function(t) t:equal(1, 2) end)");
        let (code, said, complained) = told(&failing, "--fail-fast --seed 7");
        assert_eq!((code, complained.as_str()), (bad, ""));
        assert!(said.starts_with("\nFAILED  fails\n"), "{said}");
        assert!(said.contains("0 tests passed, 1 failed: "), "{said}");
        assert!(said.contains("--filter \"fails\" --seed 7\n"), "{said}");
        for (mistake, part) in [
            ("test('x', function(", "<name> or '...' expected near <eof>"),
            ("tets('x', function() end)", "did you mean test?"),
            ("error('no')", "Error: no"),
        ] {
            let (code, said, complained) = told(&office(mistake), "");
            assert_eq!((code, said.as_str()), (cannot.clone(), ""), "{mistake}");
            assert!(complained.contains(part), "{mistake}: {complained}");
            let (_, said, _) = told(&office(mistake), "--format tap");
            assert_eq!(said, "Bail out! the tests cannot be run\n");
        }
    }

    #[test]
    fn a_report_goes_to_a_file_and_coverage_to_a_folder() {
        let folder = office(PASSES);
        let arguments = "--seed 5 --format tap --output @/out/tests.tap --coverage=@/cov";
        let (_, said, complained) = told(&folder, arguments);
        assert!(said.contains("1 test passed: ") && !said.contains("ok 1 - "), "{said}");
        assert!(said.contains("\ncoverage\n") && said.contains("listings are in"), "{said}");
        assert_eq!(complained, "");
        let read = |path: &str| fs::read_to_string(folder.path().join(path)).unwrap();
        let tap = read("out/tests.tap");
        assert!(tap.contains("ok 1 - ") && tap.ends_with("1..1\n# seed 5\n"), "{tap}");
        let listing = read("cov/main.lua.txt");
        assert!(listing.contains("!  never     4 |   call:answer()\n"), "{listing}");
        assert!(listing.contains("       2     2 | route('1'"), "{listing}");
        let lcov = read("cov/lcov.info");
        assert!(lcov.contains("/scripts/main.lua\n") && lcov.contains("DA:4,0\n"), "{lcov}");
        told(&folder, "--format junit --output @/out/tests.xml");
        assert!(read("out/tests.xml").contains("<testcase name=\"is busy\""));
        // What programs read has nothing else among it.
        let (_, said, complained) = told(&folder, "--seed 5 --format tap --coverage");
        assert!(said.starts_with("TAP version") && said.ends_with("# seed 5\n"), "{said}");
        assert!(complained.starts_with("\ncoverage\n"), "{complained}");
    }

    /// Else its own report would have a watching command run the tests for ever.
    #[test]
    fn everything_that_is_written_is_noted() {
        let folder = office(PASSES);
        let scripts = folder.path().join("scripts");
        let at = |path: &str| scripts.join(path);
        let (report, listings) = (at("new/out.tap"), at("cov/deep"));
        let (report, listings) = (report.display(), listings.display());
        let coverage = format!("--coverage={listings}");
        let arguments = ["test", "--output", &report.to_string(), &coverage].map(str::to_owned);
        let options = Cli::parse_from(arguments).options;
        let config = folder.path().join("cordboard.toml");
        let written = Written::default();
        overheard(|terminal| run_once(&config, &options, &written, terminal).unwrap());
        for ours in [
            "new",
            "new/out.tap",
            "cov",
            "cov/deep",
            "cov/deep/main.lua.txt",
            "cov/deep/lib.lua.txt",
            "cov/deep/lcov.info",
        ] {
            assert!(at(ours).exists() && written.contains(&at(ours)), "{ours}");
        }
        for other in ["", "main.lua", "tests/a.lua", "cov/deep/other.lua"] {
            assert!(!written.contains(&at(other)), "{other}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_with_its_line() {
        // As people have it: the scripts' folder is named without its own.
        let folder = office("\ntets('x', function() end)");
        let settings = rehearse::settings(&folder.path().join("cordboard.toml")).unwrap();
        let mut rehearsal = Rehearsal::read(&settings, &[], Lines::Nothing).unwrap();
        let chunk = "scripts/tests/a.lua".to_owned();
        Arc::make_mut(&mut rehearsal.suite).paths.insert(chunk.clone(), chunk.clone());
        let mistake = LoadError::at(&chunk, Some(2), "there is no global tets");
        let told = cannot_be_read(&rehearsal, &[mistake]).to_string();
        assert!(told.contains("scripts/tests/a.lua:2:"), "{told}");
    }

    #[test]
    fn a_file_from_elsewhere_is_called_by_its_own_path() {
        let folder = office(PASSES);
        let elsewhere = folder.path().join("elsewhere");
        fs::create_dir_all(&elsewhere).unwrap();
        fs::write(elsewhere.join("a.lua"), "test('fails', function(t) t:equal(1, 2) end)").unwrap();
        let (_, said, _) = told(
            &folder,
            "--format tap --output @/out.tap @/elsewhere/a.lua @/scripts/tests/a.lua",
        );
        assert!(said.contains("FAILED  fails\n"), "{said}");
        let tap = fs::read_to_string(folder.path().join("out.tap")).unwrap();
        assert!(tap.contains("elsewhere/a.lua: fails\n"), "{tap}");
        assert!(tap.contains("scripts/tests/a.lua: is busy\n"), "{tap}");
        assert!(tap.contains("elsewhere/a.lua:1\""), "{tap}");
    }
}
