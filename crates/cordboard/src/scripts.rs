//! Reads the scripts folder.

use std::fs;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use dialplan::Sources;

/// Every `.lua` file under `folder`, by its path there. `tests/` is left out: tests are no dialplan.
///
/// # Errors
/// When something cannot be read, is not UTF-8 or is absurdly large.
pub(crate) fn read(folder: &Path) -> anyhow::Result<Sources> {
    let mut sources = Sources::default();
    collect(folder, "", 0, &mut sources)?;
    Ok(sources)
}

fn collect(folder: &Path, prefix: &str, depth: usize, sources: &mut Sources) -> anyhow::Result<()> {
    if depth > DEPTH_MAX {
        bail!("{}: folders are nested too deeply", folder.display());
    }
    let entries =
        fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("{} cannot be read", folder.display()))?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = format!("{prefix}{}", name.to_string_lossy());
        if path.is_dir() {
            if name != "tests" {
                collect(&path, &format!("{name}/"), depth + 1, sources)?;
            }
        } else if name.ends_with(".lua") {
            let length = entry.metadata().map_or(0, |metadata| metadata.len());
            if length > FILE_BYTES_MAX {
                bail!("{} is larger than {} KiB", path.display(), FILE_BYTES_MAX / 1_024);
            }
            let text = read_file(&path)?;
            sources.files.insert(name, text);
            if sources.files.len() > FILES_MAX {
                bail!("more than {FILES_MAX} scripts under {}", folder.display());
            }
        }
    }
    Ok(())
}

/// The text of one script, without the mark that some editors put before it.
///
/// # Errors
/// When it cannot be read, or is not UTF-8: then with the line and what to do.
pub(crate) fn read_file(path: &Path) -> anyhow::Result<String> {
    let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let (bytes, good) = (error.as_bytes(), error.utf8_error().valid_up_to());
        let before = bytes.get(..good).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let byte = bytes.get(good).copied().unwrap_or_default();
        let path = path.display();
        anyhow!("{path}:{line}: the byte {byte:02X} is not UTF-8 text; save the file as UTF-8")
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Folders in folders.
const DEPTH_MAX: usize = 8;
/// Scripts in all.
const FILES_MAX: usize = 2_000;
/// One script.
const FILE_BYTES_MAX: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_found_by_their_path() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["main.lua", "lib/hours.lua", "tests/main.lua", "README.md"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        let sources = read(folder.path()).unwrap();
        let names: Vec<_> = sources.files.keys().map(String::as_str).collect();
        assert_eq!(names, ["lib/hours.lua", "main.lua"]);
    }

    #[test]
    fn marks_of_editors_do_not_count_and_other_alphabets_are_told_with_their_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("main.lua");
        fs::write(&path, "\u{feff}x = 1\r\n").unwrap();
        assert_eq!(read_file(&path).unwrap(), "x = 1\r\n");
        fs::write(&path, b"x = 1\n-- Gr\xFC\xDFe\n").unwrap();
        let told = read(folder.path()).unwrap_err().to_string();
        assert!(
            told.ends_with("main.lua:2: the byte FC is not UTF-8 text; save the file as UTF-8"),
            "{told}"
        );
    }
}
