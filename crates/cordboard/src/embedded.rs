//! The demo dialplan and the prompts, carried in the binary and written out for the user to edit.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use media::Sound;

use crate::prompts;

mod list {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}

/// Writes the demo dialplan to a folder that is not there yet.
pub(crate) fn write_scripts(folder: &Path) -> io::Result<()> {
    write(folder, list::SCRIPTS)
}

/// Writes the prompts to a folder that is not there yet.
pub(crate) fn write_prompts(folder: &Path) -> io::Result<()> {
    write(folder, list::PROMPTS)
}

/// The prompts that ship, for a bench: each is measured when it is first played.
pub(crate) fn measured_prompts() -> bench::Sounds {
    let files = list::PROMPTS.iter().filter_map(|(file, bytes)| {
        let (name, ending) = file.rsplit_once('.')?;
        prompts::is_sound(ending).then(|| (name.to_owned(), (*file, *bytes)))
    });
    let files: BTreeMap<String, (&str, &[u8])> = files.collect();
    let sounds = files.keys().map(|name| (name.clone(), Sound::pending())).collect();
    bench::Sounds::measured(Arc::new(pbx::Prompts::new(sounds)), move |name| {
        let (file, bytes) = files.get(name)?;
        media::measure(file, bytes.to_vec()).ok()
    })
}

/// Writes beside the folder first and renames, so that a folder is there whole or not at all.
fn write(folder: &Path, files: &[(&str, &[u8])]) -> io::Result<()> {
    let mut unfinished = folder.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = Path::new(&unfinished);
    if unfinished.exists() {
        fs::remove_dir_all(unfinished)?;
    }
    fs::create_dir_all(unfinished)?;
    for (name, bytes) in files {
        let path = unfinished.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, bytes)?;
    }
    fs::rename(unfinished, folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_carries_a_dialplan_and_prompts() {
        assert!(list::SCRIPTS.iter().any(|(name, _)| *name == "main.lua"));
        assert!(list::PROMPTS.iter().any(|(name, _)| name.starts_with("en/vm/")));
        for (name, bytes) in list::SCRIPTS.iter().chain(list::PROMPTS) {
            assert!(!bytes.is_empty(), "{name} is empty");
        }
    }

    #[test]
    fn a_folder_is_written_whole() {
        let folder = tempfile::tempdir().unwrap();
        let scripts = folder.path().join("deep/er/scripts");
        write_scripts(&scripts).unwrap();
        for (name, bytes) in list::SCRIPTS {
            assert_eq!(fs::read(scripts.join(name)).unwrap(), *bytes);
        }
        assert_eq!(fs::read_dir(scripts.parent().unwrap()).unwrap().count(), 1);
    }
}
