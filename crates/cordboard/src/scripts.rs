//! Reads the scripts folder.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
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
            let text = fs::read_to_string(&path)
                .with_context(|| format!("{} cannot be read", path.display()))?;
            sources.files.insert(name, text);
            if sources.files.len() > FILES_MAX {
                bail!("more than {FILES_MAX} scripts under {}", folder.display());
            }
        }
    }
    Ok(())
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
}
