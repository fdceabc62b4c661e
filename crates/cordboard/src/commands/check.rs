//! `cordboard check`: everything that could be wrong, without starting anything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use dialplan::{Sources, Watch};
use serde::Serialize;
use sip_engine::Transport;

use crate::config::{Settings, folder_of};
use crate::inspection::{Inspection, Item, Subject};
use crate::prompts::Found;
use crate::rehearse::{self, Rehearsal, TESTS};
use crate::report::{self, Place, Severity};
use crate::terminal::Terminal;
use crate::{embedded, first_start, machine, project, scripts, wiring};

/// What to tell of, and how.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Tell only of these files, or of what is in these folders; all is looked at in any case. A
    /// folder with a `main.lua` that is not that of the configuration is checked in its place.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print what was found for programs.
    #[arg(long)]
    json: bool,
    /// Let warnings count like errors: for hooks and continuous integration.
    #[arg(long)]
    strict: bool,
    /// Tell everything, however much there is of it in one file.
    #[arg(long)]
    all: bool,
}

/// Checks configuration, scripts, prompts and tests. The exit code is 0 when all is right, 1 when not,
/// 2 when it could not be looked at.
pub(crate) fn run(config_path: &Path, options: &Options, terminal: &mut Terminal<'_>) -> ExitCode {
    match checked(config_path, options, terminal) {
        Ok(checked) => checked,
        Err(error) => {
            complain!(terminal, "{error:#}");
            ExitCode::from(CANNOT_LOOK)
        }
    }
}

fn checked(
    config_path: &Path,
    options: &Options,
    terminal: &mut Terminal<'_>,
) -> anyhow::Result<ExitCode> {
    find(config_path, options)?.tell(options, terminal)
}

fn find(config_path: &Path, options: &Options) -> anyhow::Result<Checked> {
    let mut checked = Checked {
        old_annotations: project::has_old_annotations(config_path),
        ..Checked::default()
    };
    match settings(config_path, &mut checked)? {
        Ok(mut settings) => {
            let only = wanted(&mut settings, config_path, &options.paths)?;
            checked.look(&settings, config_path)?;
            if !only.is_empty() {
                checked.items.retain(|item| only.iter().any(|path| item.path.starts_with(path)));
            }
        }
        // What the scripts could reach is not known.
        Err(mistakes) => {
            let path = real(config_path);
            let mistakes = mistakes.into_iter();
            checked.items.extend(mistakes.map(|place| Told::new("configuration", place, &path)));
        }
    }
    Ok(checked)
}

/// The configuration, or what the first start would write.
fn settings(
    config_path: &Path,
    checked: &mut Checked,
) -> anyhow::Result<Result<Settings, Vec<Place>>> {
    if config_path.exists() {
        return Settings::load_or_tell(config_path);
    }
    let settings = first_start::usual_settings(folder_of(config_path))?;
    let mut phones = settings.accounts.keys();
    checked.right.push(format!(
        "{} does not exist; checked as the first start would write it, with phones {} to {} and a \
         mailbox each",
        config_path.display(),
        phones.next().map_or("", String::as_str),
        phones.next_back().map_or("", String::as_str),
    ));
    Ok(Ok(settings))
}

/// Which files are told of: none means all. A foreign folder of scripts takes the place of that of the
/// configuration.
fn wanted(
    settings: &mut Settings,
    config_path: &Path,
    paths: &[PathBuf],
) -> anyhow::Result<Vec<PathBuf>> {
    let mut only = Vec::new();
    for path in paths {
        let wanted = path
            .canonicalize()
            .with_context(|| format!("{} cannot be looked at", path.display()))?;
        let known = [&settings.scripts, &settings.prompts, &config_path.to_owned()];
        if known.iter().any(|known| wanted.starts_with(real(known))) {
            only.push(wanted);
        } else if known.iter().any(|known| real(known).starts_with(&wanted)) {
            // All of the project.
        } else if wanted.join("main.lua").exists() {
            settings.scripts.clone_from(path);
        } else {
            bail!(
                "{} belongs neither to the scripts in {} nor to the prompts in {}",
                path.display(),
                rehearse::shown(&settings.scripts),
                rehearse::shown(&settings.prompts)
            );
        }
    }
    Ok(only)
}

/// What was found, and what was looked at.
#[derive(Debug, Default)]
struct Checked {
    items: Vec<Told>,
    /// Lines about what is there.
    right: Vec<String>,
    /// Whether what editors know of the functions is of another version.
    old_annotations: bool,
}

/// Something found, and the file that it is in.
#[derive(Debug)]
struct Told {
    code: &'static str,
    place: Place,
    path: PathBuf,
}

impl Told {
    fn new(code: &'static str, place: Place, path: &Path) -> Self {
        Self { code, place, path: path.to_owned() }
    }
}

impl Checked {
    fn look(&mut self, settings: &Settings, config_path: &Path) -> anyhow::Result<()> {
        if config_path.exists() {
            self.look_at_listeners(settings, config_path)?;
        }
        let sources = scripts_of(settings)?;
        let tests = rehearse::test_sources(settings)?;
        let prompts = self.look_at_prompts(settings)?;
        let broken = prompts.broken.iter().map(|(name, why)| (name.clone(), why.clone())).collect();
        let subject = Subject {
            settings,
            dialplan: &sources,
            tests: &tests,
            prompts: prompts.names,
            broken: &broken,
            kept: None,
        };
        let Inspection { items, routes } = subject.inspect();
        for Item { code, mut place } in items {
            let name = place.file.strip_prefix("scripts/").unwrap_or(&place.file);
            let path = settings.scripts.join(name);
            place.file = rehearse::shown(&path);
            self.items.push(Told::new(code, place, &real(&path)));
        }
        let folder = rehearse::shown(&settings.scripts);
        let routes = routes.map(|routes| format!(", {}", counted(routes, "route")));
        let files = counted(sources.files.len(), "file");
        self.right.push(format!("scripts  {files} in {folder}{}", routes.unwrap_or_default()));
        if !tests.files.is_empty() {
            let files = counted(tests.files.len(), "file");
            self.right.push(format!("tests    {files} in {folder}/{TESTS}"));
            if self.count(Severity::Error) == 0 {
                self.read_tests(settings, &sources);
            }
        }
        Ok(())
    }

    fn look_at_listeners(&mut self, settings: &Settings, config_path: &Path) -> anyhow::Result<()> {
        let machine = machine::addresses()?;
        for (transport, specs) in [(Transport::Udp, &settings.udp), (Transport::Tcp, &settings.tcp)]
        {
            match wiring::concrete(transport, specs, &machine, config_path) {
                Ok(addresses) => {
                    let shown: Vec<_> = addresses.iter().map(ToString::to_string).collect();
                    self.right.push(format!("{transport:<8} {}", shown.join(", ")));
                }
                Err(error) => {
                    let place = Place::without_text("", &format!("{error:#}"));
                    self.items.push(Told::new("configuration", place, &real(config_path)));
                }
            }
        }
        self.right.push(format!(
            "accounts {}, mailboxes {}",
            settings.accounts.len(),
            settings.mailboxes.len()
        ));
        Ok(())
    }

    /// Finds and decodes all prompts; those that ship, if the folder is not there yet.
    fn look_at_prompts(&mut self, settings: &Settings) -> anyhow::Result<Prompts> {
        let folder = &settings.prompts;
        let shown = rehearse::shown(folder);
        let mut prompts = Prompts::default();
        if folder.exists() {
            let found = Found::in_folder(folder)?;
            self.right.push(format!("prompts  {} in {shown}", found.count()));
            for (name, broken) in found.broken() {
                let message = format!("this cannot be played: {}", broken.why);
                let mut place = Place::without_text(&rehearse::shown(&broken.path), &message);
                place.help = Some("convert it to WAV, FLAC, Ogg or MP3, or remove it".into());
                self.items.push(Told::new("broken-prompt", place, &real(&broken.path)));
                prompts.broken.insert(name, broken.why);
            }
            prompts.names = found.names();
        } else {
            prompts.names = embedded::measured_prompts().prompts().names();
            let count = prompts.names.len();
            self.right.push(format!("prompts  {count} that ship; {shown} does not exist yet"));
        }
        let language = &settings.language;
        let spoken = dialplan::say_prompts(language).unwrap_or_default();
        let needed = pbx::prompt_names(language).into_iter().chain(spoken);
        let missing: Vec<String> =
            needed.filter(|name| !prompts.names.contains(name)).take(MISSING_MAX + 1).collect();
        if !missing.is_empty() {
            let names = missing.iter().take(MISSING_MAX).map(String::as_str).collect::<Vec<_>>();
            let more = if missing.len() > MISSING_MAX { " and others" } else { "" };
            let message = format!(
                "prompts that the exchange itself speaks are missing: {}{more}",
                names.join(", ")
            );
            let mut place = Place::without_text(&rehearse::shown(folder), &message);
            place.severity = Severity::Warning;
            place.help = Some("callers of voicemail, and of call:say, hear gaps".into());
            self.items.push(Told::new("missing-prompt", place, &real(folder)));
        }
        Ok(prompts)
    }

    /// Reads the tests as running them would, which runs none of them.
    fn read_tests(&mut self, settings: &Settings, sources: &Sources) {
        let Ok(suite) = Rehearsal::suite(settings, sources, &[]) else { return };
        let sounds = embedded::measured_prompts();
        let rehearsal = Rehearsal::new(settings, sources.clone(), sounds, suite, Watch::Nothing);
        let Ok(rehearsal) = rehearsal else { return };
        let Err(mistakes) = rehearsal::list(&rehearsal.stage, &rehearsal.suite, None) else {
            return;
        };
        for mistake in mistakes {
            let file = rehearsal.suite.paths.get(&mistake.file).unwrap_or(&mistake.file);
            let place = rehearse::test_place(&rehearsal, file, mistake.line, &mistake.message);
            let path = real(Path::new(file));
            self.items.push(Told::new("load", place, &path));
        }
    }

    fn count(&self, severity: Severity) -> usize {
        self.items.iter().filter(|item| item.place.severity == severity).count()
    }

    // Telling -----------------------------------------------------------------------------------

    fn tell(&self, options: &Options, terminal: &mut Terminal<'_>) -> anyhow::Result<ExitCode> {
        let (errors, warnings) = (self.count(Severity::Error), self.count(Severity::Warning));
        if options.json {
            let report =
                Report { errors, warnings, findings: self.items.iter().map(Finding::of).collect() };
            let text = serde_json::to_string_pretty(&report)?;
            say!(terminal, "{text}");
        } else {
            self.tell_people(options, (errors, warnings), terminal);
        }
        let failed = errors > 0 || (options.strict && warnings > 0);
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    fn tell_people(
        &self,
        options: &Options,
        (errors, warnings): (usize, usize),
        terminal: &mut Terminal<'_>,
    ) {
        for line in &self.right {
            say!(terminal, "{line}");
        }
        if self.old_annotations {
            say!(
                terminal,
                "editors know another version; `cordboard annotations` tells them of this one"
            );
        }
        let mut by_file: BTreeMap<&str, Vec<&Told>> = BTreeMap::new();
        for item in &self.items {
            by_file.entry(&item.place.file).or_default().push(item);
        }
        for (file, items) in by_file {
            let (shown, left_out) = shown(&items, options);
            let places: Vec<Place> = shown.iter().map(|item| item.place.clone()).collect();
            complain!(terminal, "\n{}", report::render(&places));
            if left_out > 0 {
                complain!(terminal, "\nand {left_out} more in {file}; --all tells them");
            }
        }
        if errors + warnings == 0 {
            say!(terminal, "everything is right");
            return;
        }
        let mut parts = Vec::new();
        if errors > 0 {
            parts.push(counted(errors, "error"));
        }
        if warnings > 0 {
            parts.push(counted(warnings, "warning"));
        }
        let files: std::collections::BTreeSet<&str> =
            self.items.iter().map(|item| item.place.file.as_str()).collect();
        let strict = options.strict && errors == 0;
        let strict = if strict { "; --strict lets warnings count" } else { "" };
        complain!(terminal, "\n{} in {}{strict}", parts.join(", "), counted(files.len(), "file"));
    }
}

/// What is told of one file, in the order of its lines, and how much is left out: warnings before
/// errors.
fn shown<'a>(items: &[&'a Told], options: &Options) -> (Vec<&'a Told>, usize) {
    let most = if options.all { items.len() } else { SHOWN_MAX };
    let mut shown = items.to_vec();
    shown.sort_by_key(|item| std::cmp::Reverse(item.place.severity));
    shown.truncate(most);
    shown.sort_by_key(|item| item.place.span.start);
    (shown, items.len().saturating_sub(most))
}

/// Prompts by full name.
#[derive(Debug, Default)]
struct Prompts {
    names: std::collections::BTreeSet<String>,
    /// Why some cannot be played.
    broken: BTreeMap<String, String>,
}

/// All that was found, for programs.
#[derive(Debug, Serialize)]
struct Report<'a> {
    errors: usize,
    warnings: usize,
    findings: Vec<Finding<'a>>,
}

/// Something found, for programs. Lines and columns count from 1, columns and lengths in characters;
/// all three are missing when it is the file as a whole.
#[derive(Debug, Serialize)]
struct Finding<'a> {
    severity: Severity,
    code: &'static str,
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<usize>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_line: Option<&'a str>,
}

impl<'a> Finding<'a> {
    fn of(told: &'a Told) -> Self {
        let place = &told.place;
        let at = place.line_and_column();
        let marked = place.text.get(place.span.clone());
        let line = at.and_then(|(line, _)| place.text.lines().nth(line.saturating_sub(1)));
        Self {
            severity: place.severity,
            code: told.code,
            file: &place.file,
            line: at.map(|(line, _)| line),
            column: at.map(|(_, column)| column),
            length: at.and(marked).map(|marked| marked.chars().count()),
            message: &place.message,
            help: place.help.as_deref(),
            source_line: line,
        }
    }
}

fn scripts_of(settings: &Settings) -> anyhow::Result<Sources> {
    if !settings.scripts.exists() {
        bail!(
            "there are no scripts: {} does not exist; `cordboard init` writes a first dialplan",
            rehearse::shown(&settings.scripts)
        );
    }
    scripts::read(&settings.scripts)
}

/// A path as the system knows it.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("{number} {what}") } else { format!("{number} {what}s") }
}

/// The exit code when nothing could be looked at; clap's, too, for arguments that it does not
/// understand.
const CANNOT_LOOK: u8 = 2;
/// Findings told of one file, unless all are wanted.
const SHOWN_MAX: usize = 20;
/// Missing prompts that are named.
const MISSING_MAX: usize = 5;

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Parser;

    use super::*;
    use crate::terminal::overheard;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        options: Options,
    }

    /// A folder with this dialplan, and no configuration.
    fn office(main: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("scripts/tests")).unwrap();
        fs::write(folder.path().join("scripts/main.lua"), main).unwrap();
        folder
    }

    /// What is found with these arguments, `@` standing for the folder.
    fn look(folder: &tempfile::TempDir, arguments: &str) -> anyhow::Result<(Checked, Options)> {
        let path = folder.path().to_str().unwrap();
        let arguments = arguments.replace('@', path);
        let arguments = ["check"].into_iter().chain(arguments.split_whitespace());
        let options = Cli::parse_from(arguments).options;
        let found = find(&folder.path().join("cordboard.toml"), &options)?;
        Ok((found, options))
    }

    /// What is found, as `FILE: CODE`.
    #[track_caller]
    fn found(folder: &tempfile::TempDir, arguments: &str) -> Vec<String> {
        let (checked, _) = look(folder, arguments).unwrap();
        let name = |item: &Told| item.path.file_name().unwrap().to_string_lossy().into_owned();
        checked.items.iter().map(|item| format!("{}: {}", name(item), item.code)).collect()
    }

    /// The exit code, what is said, and what is complained of.
    fn told(folder: &tempfile::TempDir, arguments: &str) -> (String, String, String) {
        let path = folder.path().to_str().unwrap();
        let arguments = arguments.replace('@', path);
        let arguments = ["check"].into_iter().chain(arguments.split_whitespace());
        let options = Cli::parse_from(arguments).options;
        let config = folder.path().join("cordboard.toml");
        let (code, said, complained) = overheard(|terminal| run(&config, &options, terminal));
        (format!("{code:?}"), said, complained)
    }

    const RIGHT: &str = "route('1', function(call) call:busy() end)\n";
    const ODD: &str = "local unused = 1\nroute('1', function(call) call:busy() end)\n";
    const WRONG: &str = "route('1', function(call) call:bussy() end)\n";

    #[test]
    fn the_exit_code_tells_what_came_of_it() {
        let [good, bad, cannot] =
            [0, 1, CANNOT_LOOK].map(|code| format!("{:?}", ExitCode::from(code)));
        let is = |main: &str, arguments: &str| told(&office(main), arguments);

        let (code, said, complained) = is(RIGHT, "");
        assert_eq!((code, complained.as_str()), (good.clone(), ""));
        assert!(said.contains("scripts  1 file in "), "{said}");
        assert!(said.ends_with("\neverything is right\n"), "{said}");

        let (code, said, complained) = is(ODD, "");
        assert_eq!(code, good);
        assert!(!said.contains("everything is right"), "{said}");
        assert!(complained.contains("nothing reads unused"), "{complained}");
        assert!(complained.ends_with("\n1 warning in 1 file\n"), "{complained}");

        let (code, _, complained) = is(ODD, "--strict");
        assert_eq!(code, bad);
        assert!(complained.ends_with("1 file; --strict lets warnings count\n"), "{complained}");

        let (code, _, complained) = is(WRONG, "");
        assert_eq!(code, bad);
        assert!(complained.contains("did you mean call:busy?"), "{complained}");
        assert!(complained.ends_with("\n1 error in 1 file\n"), "{complained}");

        let (code, said, complained) = is(WRONG, "--json");
        assert_eq!((code, complained.as_str()), (bad, ""), "programs read one thing alone");
        let report: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!((&report["errors"], &report["warnings"]), (&1.into(), &0.into()));

        let (code, said, complained) = is(RIGHT, "@/nowhere.lua");
        assert_eq!((code, said.as_str()), (cannot.clone(), ""));
        assert!(complained.contains("nowhere.lua cannot be looked at"), "{complained}");
        let (code, _, complained) = told(&tempfile::tempdir().unwrap(), "");
        assert_eq!(code, cannot);
        assert!(complained.contains("`cordboard init` writes a first dialplan"), "{complained}");
    }

    #[test]
    fn scripts_tests_prompts_and_configuration_are_looked_at_together() {
        let folder = office(ODD);
        let root = folder.path();
        fs::write(root.join("scripts/tests/a.lua"), "test('x', function(t) t:cal() end)").unwrap();
        fs::create_dir_all(root.join("prompts/en/vm")).unwrap();
        fs::write(root.join("prompts/en/vm/beep.wav"), "RIFF?").unwrap();
        let all = ["beep.wav: broken-prompt", "prompts: missing-prompt", "main.lua: unused-local"];
        assert_eq!(found(&folder, ""), [&all[..], &["a.lua: unknown-verb"]].concat());
        // All of it is looked at, but only some of it told.
        assert_eq!(found(&folder, "@/scripts/tests"), ["a.lua: unknown-verb"]);
        assert_eq!(found(&folder, "@/scripts/main.lua @/prompts"), all);
        assert_eq!(found(&folder, "@").len(), 4);
        fs::write(root.join("cordboard.toml"), "prot = 1\n").unwrap();
        assert_eq!(found(&folder, ""), ["cordboard.toml: configuration"]);
    }

    #[test]
    fn without_a_configuration_there_is_what_the_first_start_would_write() {
        let folder = office("route('1', function(call) call:dial { 'ext/109', 'ext/110' } end)\n");
        let (checked, _) = look(&folder, "").unwrap();
        assert_eq!(checked.items.len(), 1);
        assert!(checked.items[0].place.message.contains("no extension \"110\""));
        assert!(checked.right[0].contains("phones 100 to 109"), "{:?}", checked.right);
        assert!(!folder.path().join("cordboard.toml").exists());
    }

    #[test]
    fn another_folder_of_scripts_can_be_looked_at() {
        let folder = office(RIGHT);
        let other = folder.path().join("other");
        fs::create_dir_all(&other).unwrap();
        fs::write(other.join("main.lua"), WRONG).unwrap();
        assert_eq!(found(&folder, "@/other"), ["main.lua: unknown-verb"]);
        fs::create_dir_all(folder.path().join("empty")).unwrap();
        let error = look(&folder, "@/empty").unwrap_err().to_string();
        assert!(error.contains("belongs neither to the scripts"), "{error}");
    }

    #[test]
    fn programs_are_told_each_finding_with_its_place() {
        let (checked, _) = look(&office(WRONG), "--json").unwrap();
        let finding = Finding::of(&checked.items[0]);
        let told = serde_json::to_value(&finding).unwrap();
        assert_eq!(told["severity"], "error");
        assert_eq!(told["code"], "unknown-verb");
        assert_eq!(
            (&told["line"], &told["column"], &told["length"]),
            (&1.into(), &32.into(), &5.into())
        );
        assert_eq!(told["help"], "did you mean call:busy?");
        assert_eq!(told["source_line"], WRONG.trim_end());
        assert!(told["file"].as_str().unwrap().ends_with("scripts/main.lua"));
    }

    #[test]
    fn the_page_about_checking_names_everything_that_can_be_found() {
        let page = include_str!("../../../../scripts/docs/check.md");
        for code in dialplan::Code::ALL {
            let row = format!("| `{}` | {} |", code.name(), code.doc());
            assert!(page.contains(&row), "no row {row}");
        }
        let rows = page.lines().filter(|line| line.starts_with("| `") && line.ends_with(". |"));
        assert_eq!(rows.count(), dialplan::Code::ALL.len());
    }

    #[test]
    fn much_in_one_file_is_cut_and_errors_are_told_first() {
        let many = "local x = 1\n".repeat(30);
        let folder = office(&format!("{many}{WRONG}"));
        let (checked, options) = look(&folder, "").unwrap();
        let (shown, left_out) = shown(&checked.items.iter().collect::<Vec<_>>(), &options);
        assert_eq!((shown.len(), left_out), (SHOWN_MAX, 11));
        assert_eq!(shown.last().unwrap().code, "unknown-verb");
        let (_, all) = look(&folder, "--all").unwrap();
        assert_eq!(super::shown(&checked.items.iter().collect::<Vec<_>>(), &all).1, 0);
    }
}
