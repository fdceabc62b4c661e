//! Finds the prompts, and decodes them beside everything else.
//!
//! The switch starts with the names of all sounds; their content follows within a second, the shortest
//! files first, so that calls are answered at once.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use media::Sound;

/// Sounds by name, and where their content comes from.
#[derive(Debug, Default)]
pub(crate) struct Found {
    files: BTreeMap<String, File>,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    bytes: u64,
}

/// Sounds that are known by name and wait for their content.
#[derive(Debug)]
pub(crate) struct Undecoded(Vec<(PathBuf, Arc<Sound>)>);

impl Found {
    /// Every sound under `folder`, by its path there without the ending.
    ///
    /// # Errors
    /// When a folder cannot be read, or two files would have the same name.
    pub(crate) fn in_folder(folder: &Path) -> anyhow::Result<Self> {
        let mut found = Self::default();
        found.collect(folder, "", 0)?;
        Ok(found)
    }

    fn collect(&mut self, folder: &Path, prefix: &str, depth: usize) -> anyhow::Result<()> {
        if depth > DEPTH_MAX {
            bail!("{}: folders are nested too deeply", folder.display());
        }
        let entries =
            fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("{} cannot be read", folder.display()))?;
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if path.is_dir() {
                self.collect(&path, &format!("{prefix}{name}/"), depth + 1)?;
            } else if let Some((stem, ending)) = name.rsplit_once('.')
                && is_sound(ending)
            {
                self.add(format!("{prefix}{stem}"), path)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, name: String, path: PathBuf) -> anyhow::Result<()> {
        let bytes = fs::metadata(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?
            .len();
        if let Some(other) = self.files.get(&name) {
            bail!("{} and {} have the same name", other.path.display(), path.display());
        }
        if self.files.len() >= SOUNDS_MAX {
            bail!("more than {SOUNDS_MAX} prompts");
        }
        self.files.insert(name, File { path, bytes });
        Ok(())
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.files.len()
    }

    /// Sounds to name at once, and the work that is left.
    pub(crate) fn prepare(self) -> (pbx::Prompts, Undecoded) {
        let mut files: Vec<_> = self.files.into_iter().collect();
        files.sort_by_key(|(_name, file)| file.bytes);
        let mut sounds = BTreeMap::new();
        let mut undecoded = Vec::new();
        for (name, file) in files {
            let sound = Sound::pending();
            sounds.insert(name, Arc::clone(&sound));
            undecoded.push((file.path, sound));
        }
        (pbx::Prompts::new(sounds), Undecoded(undecoded))
    }

    /// Decodes everything, and tells what cannot be played; for a check.
    pub(crate) fn faults(&self) -> Vec<String> {
        let decoded = self.files.values().map(|file| decode(&file.path));
        decoded.filter_map(|result| result.err().map(|error| format!("{error:#}"))).collect()
    }
}

impl Undecoded {
    /// Decodes what there is, unless told to stop. A file that cannot be played is logged, and silent.
    pub(crate) fn decode(self, stop: &AtomicBool) {
        let started = std::time::Instant::now();
        let count = self.0.len();
        for (path, sound) in self.0 {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            match decode(&path) {
                Ok(pcm) => sound.fill(pcm),
                Err(error) => {
                    tracing::error!("{error:#}; it will be silent");
                    sound.fill(Vec::new());
                }
            }
        }
        tracing::debug!(count, took = ?started.elapsed(), "prompts decoded");
    }
}

/// Decodes one file to what is played.
pub(crate) fn decode(path: &Path) -> anyhow::Result<Vec<i16>> {
    let length =
        fs::metadata(path).with_context(|| format!("{} cannot be read", path.display()))?.len();
    if length > FILE_BYTES_MAX {
        bail!("{} is larger than {} MiB", path.display(), FILE_BYTES_MAX >> 20);
    }
    let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let pcm = media::decode(&name, bytes)
        .with_context(|| format!("{} cannot be played", path.display()))?;
    Ok(pcm.samples)
}

fn is_sound(ending: &str) -> bool {
    let ending = ending.to_ascii_lowercase();
    let ending = ending.split('-').next().unwrap_or_default();
    ENDINGS.contains(&ending)
}

/// Files with other endings beside prompts are not for playing.
const ENDINGS: &[&str] = &[
    "wav", "aif", "aiff", "flac", "mp3", "ogg", "oga", "m4a", "mp4", "aac", "au", "ulaw", "alaw",
    "ul", "al", "pcmu", "pcma",
];
/// Folders in folders.
const DEPTH_MAX: usize = 8;
/// Prompts in all.
const SOUNDS_MAX: usize = 20_000;
/// One file.
const FILE_BYTES_MAX: u64 = 512 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_named_by_their_path_and_decoded_later() {
        let folder = tempfile::tempdir().unwrap();
        let en = folder.path().join("en/vm");
        fs::create_dir_all(&en).unwrap();
        fs::write(en.join("hello.pcmu-8000"), [0xFF; 160]).unwrap();
        fs::write(en.join("notes.txt"), "no sound").unwrap();
        fs::write(en.join("broken.wav"), "RIFF?").unwrap();
        let found = Found::in_folder(folder.path()).unwrap();
        assert_eq!(found.count(), 2);
        let faults = found.faults();
        assert_eq!(faults.len(), 1);
        assert!(faults[0].contains("broken.wav"), "{faults:?}");
        let (prompts, undecoded) = found.prepare();
        undecoded.decode(&AtomicBool::new(false));
        assert_eq!(prompts.find("en/vm/hello").unwrap().pcm().len(), 160);
        assert_eq!(prompts.find("en/vm/broken").unwrap().pcm().len(), 0);
    }

    #[test]
    fn two_files_of_one_name_are_a_mistake() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.wav"), "x").unwrap();
        fs::write(folder.path().join("a.ogg"), "x").unwrap();
        let error = Found::in_folder(folder.path()).unwrap_err().to_string();
        assert!(error.contains("same name"), "{error}");
    }
}
