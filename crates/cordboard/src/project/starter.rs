//! What a new project folder is given. What is there already stays as it is.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ValueEnum;

use super::editor::{luarc, write_annotations};
use crate::config::{Settings, folder_of};
use crate::{embedded, first_start};

/// What somebody's dialplan ran on before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Origin {
    /// FreeSWITCH: a `session` for its Lua scripts.
    Freeswitch,
}

/// What was done, each with its path.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Written now.
    pub(crate) written: Vec<PathBuf>,
    /// There before, and left alone.
    pub(crate) kept: Vec<PathBuf>,
}

/// Makes the folder of `config_path` a project: a configuration with secrets of its own, prompts, a
/// small dialplan with a test, and what an editor needs.
///
/// # Errors
/// When something cannot be written, or the configuration that is there has mistakes.
pub(crate) fn begin(config_path: &Path, origin: Option<Origin>) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let start = first_start::ensure_config(config_path)?;
    report.note(config_path, start == first_start::Start::First);
    let settings = Settings::load(config_path)?;
    let folder = folder_of(config_path);

    // The test belongs to the dialplan; one's own dialplan needs neither.
    let is_new = !settings.scripts.join("main.lua").exists();
    if is_new {
        for (name, text) in SCRIPTS {
            report.write(&settings.scripts.join(name), text)?;
        }
    } else {
        report.kept.push(settings.scripts.clone());
    }
    if let Some(Origin::Freeswitch) = origin {
        report.write(&settings.scripts.join("compat/freeswitch.lua"), FREESWITCH)?;
    }
    let has_prompts = settings.prompts.exists();
    if !has_prompts {
        embedded::write_prompts(&settings.prompts)
            .with_context(|| format!("{} cannot be written", settings.prompts.display()))?;
    }
    report.note(&settings.prompts, !has_prompts);

    let scripts = settings.scripts.strip_prefix(folder).unwrap_or(&settings.scripts);
    report.write(&folder.join(".luarc.json"), &luarc(&scripts.to_string_lossy()))?;
    for (name, text) in FILES {
        report.write(&folder.join(name), text)?;
    }
    report.written.extend(write_annotations(config_path, Some(&settings))?);
    Ok(report)
}

impl Report {
    fn note(&mut self, path: &Path, is_new: bool) {
        let list = if is_new { &mut self.written } else { &mut self.kept };
        list.push(path.to_owned());
    }

    /// Writes a file unless something of that name is there.
    fn write(&mut self, path: &Path, text: &str) -> anyhow::Result<()> {
        let write = || {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            match OpenOptions::new().write(true).create_new(true).open(path) {
                Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
                Err(error) => Err(error),
            }
        };
        let is_new = write().with_context(|| format!("{} cannot be written", path.display()))?;
        self.note(path, is_new);
        Ok(())
    }
}

/// The dialplan, by path in the scripts folder.
const SCRIPTS: &[(&str, &str)] = &[
    ("main.lua", include_str!("starter/main.lua")),
    ("reception.lua", include_str!("starter/reception.lua")),
    ("tests/main.lua", include_str!("starter/tests.lua")),
];

/// The `session` for scripts of FreeSWITCH.
const FREESWITCH: &str = include_str!("../../../../scripts/compat/freeswitch.lua");

/// What else, by path in the project folder.
const FILES: &[(&str, &str)] = &[
    (".gitignore", include_str!("starter/gitignore")),
    (".vscode/extensions.json", include_str!("starter/extensions.json")),
    ("README.md", include_str!("starter/README.md")),
];

#[cfg(test)]
mod tests {
    use dialplan::Watch;

    use super::*;
    use crate::project::has_old_annotations;
    use crate::rehearse::{self, Rehearsal};

    #[test]
    fn a_new_project_is_right_from_the_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("office/cordboard.toml");
        let report = begin(&config, None).unwrap();
        assert_eq!(report.kept, Vec::<PathBuf>::new());
        for path in &report.written {
            assert!(path.exists(), "{}", path.display());
        }
        let settings = Settings::load(&config).unwrap();
        let rehearsal = Rehearsal::read(&settings, &[], Watch::Lines).unwrap();
        assert_eq!(rehearse::failures(&rehearsal), []);
        assert!(rehearsal.suite.files.iter().any(|file| file.text.contains("t:forall")));
        let editor = fs::read_to_string(folder.path().join("office/.luarc.json")).unwrap();
        let editor: serde_json::Value = serde_json::from_str(&editor).unwrap();
        assert_eq!(editor["runtime.path"][0], "scripts/?.lua");
        let library = editor["workspace.library"][0].as_str().unwrap();
        let library = folder.path().join("office").join(library);
        assert!(!has_old_annotations(&config));
        fs::write(library.join("tests.lua"), "-- of another version\n").unwrap();
        assert!(has_old_annotations(&config));
        let names = library.join("names.lua");
        let names = fs::read_to_string(names).unwrap();
        assert!(names.contains("---| \"main/welcome\" # Welcome to Cordboard.\n"), "{names}");
        assert!(names.contains("---| \"ext/100\"\n"), "{names}");
    }

    #[test]
    fn what_is_there_already_stays() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("cordboard.toml");
        fs::write(&config, "domain = \"ours\"\nscripts = \"plan\"\n").unwrap();
        fs::create_dir(folder.path().join("plan")).unwrap();
        fs::write(folder.path().join("plan/main.lua"), "-- ours\n").unwrap();
        fs::write(folder.path().join(".gitignore"), "ours\n").unwrap();
        let report = begin(&config, None).unwrap();
        for kept in ["cordboard.toml", "plan", ".gitignore"] {
            assert!(report.kept.contains(&folder.path().join(kept)), "{:?}", report.kept);
        }
        assert!(!folder.path().join("scripts").exists());
        assert_eq!(fs::read_dir(folder.path().join("plan")).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(folder.path().join(".gitignore")).unwrap(), "ours\n");
        let editor = fs::read_to_string(folder.path().join(".luarc.json")).unwrap();
        assert!(editor.contains("[\"plan/?.lua\"]"), "{editor}");

        // Only what was asked for is added to one's own dialplan.
        let moved = begin(&config, Some(Origin::Freeswitch)).unwrap();
        let compat = folder.path().join("plan/compat/freeswitch.lua");
        assert!(moved.written.contains(&compat), "{:?}", moved.written);
        assert_eq!(fs::read_to_string(&compat).unwrap(), FREESWITCH);

        // Once more: nothing but what editors know and people read is written.
        let again = begin(&config, None).unwrap();
        let library = folder.path().join(".cordboard");
        assert!(again.written.iter().all(|path| path.starts_with(&library)), "{:?}", again.written);
    }
}
