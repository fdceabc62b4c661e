//! What the editor is told: the annotation files, and where it finds them. And what people are told:
//! the pages, with the demo and the recipes that they speak of.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use dialplan::Names;

use crate::config::{Settings, folder_of};
use crate::embedded;
use crate::help::{Language, annotations, names};
use crate::prompts::Found;

/// Where the annotation files are, as seen from the configuration file.
pub(crate) const LIBRARY: &str = ".cordboard/library";

/// Where the pages are, as seen from the configuration file. They stand with the demo and the cookbook,
/// which they link to, but not among one's own scripts: that office has other phones and other numbers.
const HANDBOOK: &str = ".cordboard/handbook";

/// Writes the annotation files and the handbook anew beside the configuration file: the functions as this version has
/// them, and the names of what `settings` and the prompts folder hold. Gives back their paths, and the folder of the
/// handbook.
///
/// # Errors
/// When a file cannot be written, or the prompts folder not be read.
pub(crate) fn write_annotations(
    config_path: &Path,
    settings: Option<&Settings>,
) -> anyhow::Result<Vec<PathBuf>> {
    let folder = folder_of(config_path).join(LIBRARY);
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let (known, texts) = match settings {
        Some(settings) => known(settings)?,
        None => (Names::default(), BTreeMap::new()),
    };
    let mut written = Vec::new();
    let functions = FUNCTIONS.map(|(name, language)| (name, annotations::annotations(language)));
    for (name, text) in functions.into_iter().chain([("names.lua", names::names(&known, &texts))]) {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
        written.push(path);
    }
    let handbook = folder_of(config_path).join(HANDBOOK);
    let write = || {
        if handbook.exists() {
            fs::remove_dir_all(&handbook)?;
        }
        embedded::write_scripts(&handbook)
    };
    write().with_context(|| format!("{} cannot be written", handbook.display()))?;
    written.push(handbook);
    Ok(written)
}

/// Whether a project has annotations that another version wrote, so that its editor explains what is
/// not so.
pub(crate) fn has_old_annotations(config_path: &Path) -> bool {
    let folder = folder_of(config_path).join(LIBRARY);
    FUNCTIONS.iter().any(|(name, language)| {
        fs::read_to_string(folder.join(name))
            .is_ok_and(|text| text != annotations::annotations(*language))
    })
}

/// The files that tell of functions.
const FUNCTIONS: [(&str, Language); 2] =
    [("cordboard.lua", Language::Scripts), ("tests.lua", Language::Tests)];

/// What exists, and what is heard in the prompts as far as a table beside them tells.
fn known(settings: &Settings) -> anyhow::Result<(Names, BTreeMap<String, String>)> {
    let prompts = if settings.prompts.exists() {
        Found::in_folder(&settings.prompts)?.prepare().0.names()
    } else {
        Default::default()
    };
    let language = settings.language.clone();
    let table = settings.prompts.join(format!("{language}.tsv"));
    // The table is a help for people; without it the names alone will do.
    let table = fs::read_to_string(table).unwrap_or_default();
    let texts = names::read_texts(&language, &table);
    let known = Names {
        prompts,
        extensions: settings.accounts.keys().cloned().collect(),
        mailboxes: settings.mailboxes.keys().cloned().collect(),
        language,
        speech: settings.speech.is_some(),
    };
    Ok((known, texts))
}

/// What tells lua-language-server about the project; `scripts` as seen from it.
pub(crate) fn luarc(scripts: &str) -> String {
    let path = serde_json::Value::from(format!("{scripts}/?.lua"));
    LUARC.replace("SCRIPTS", &path.to_string())
}

const LUARC: &str = r#"{
  "$schema": "https://raw.githubusercontent.com/LuaLS/vscode-lua/master/setting/schema.json",
  "runtime.version": "Lua 5.4",
  "runtime.path": [SCRIPTS],
  "runtime.pathStrict": true,
  "runtime.builtin": {
    "coroutine": "disable",
    "debug": "disable",
    "io": "disable",
    "os": "disable"
  },
  "workspace.library": [".cordboard/library"],
  "workspace.ignoreDir": [".vscode", ".cordboard/handbook"],
  "workspace.checkThirdParty": false
}
"#;
