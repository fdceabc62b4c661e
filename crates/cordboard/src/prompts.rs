//! Finds the prompts, and decodes them beside everything else.
//!
//! The switch starts with the names of all sounds; their content follows within a second, the shortest
//! files first, so that calls are answered at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
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
    stamp: Stamp,
}

/// What changes whenever a file does: its number and the time of its last change of any kind, to the
/// nanosecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    number: u64,
    bytes: u64,
    changed: (i64, i64),
}

/// Sounds that are there already, and the files they came from, so that a reload decodes only what
/// changed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shelf(BTreeMap<String, Kept>);

#[derive(Debug, Clone)]
struct Kept {
    path: PathBuf,
    stamp: Stamp,
    sound: Arc<Sound>,
}

/// A file that cannot be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    /// Which.
    pub(crate) path: PathBuf,
    /// Why.
    pub(crate) why: String,
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
        let metadata =
            fs::metadata(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let stamp = Stamp {
            device: metadata.dev(),
            number: metadata.ino(),
            bytes: metadata.len(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        };
        if let Some(other) = self.files.get(&name) {
            bail!("{} and {} have the same name", other.path.display(), path.display());
        }
        if self.files.len() >= SOUNDS_MAX {
            bail!("more than {SOUNDS_MAX} prompts");
        }
        self.files.insert(name, File { path, bytes: stamp.bytes, stamp });
        Ok(())
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.files.len()
    }

    /// All names.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        self.files.keys().cloned().collect()
    }

    /// Where the sound of this name comes from.
    pub(crate) fn path(&self, name: &str) -> Option<&Path> {
        self.files.get(name).map(|file| file.path.as_path())
    }

    /// Sounds to name at once, and the work that is left.
    pub(crate) fn prepare(&self) -> (pbx::Prompts, Undecoded) {
        let mut files: Vec<_> = self.files.iter().collect();
        files.sort_by_key(|(_name, file)| file.bytes);
        let mut sounds = BTreeMap::new();
        let mut undecoded = Vec::new();
        for (name, file) in files {
            let sound = Sound::pending();
            sounds.insert(name.clone(), Arc::clone(&sound));
            undecoded.push((file.path.clone(), sound));
        }
        (pbx::Prompts::new(sounds), Undecoded(undecoded))
    }

    /// Remembers which of `prompts` came from which file.
    pub(crate) fn shelve(&self, prompts: &pbx::Prompts) -> Shelf {
        let kept = self.files.iter().filter_map(|(name, file)| {
            let sound = Arc::clone(prompts.find(name)?);
            Some((name.clone(), Kept { path: file.path.clone(), stamp: file.stamp, sound }))
        });
        Shelf(kept.collect())
    }

    /// All sounds with their content: from the shelf where the file is the same, as far as it is there
    /// already, else decoded now.
    /// What cannot be played is told, and silent.
    pub(crate) fn decoded(&self, shelf: &Shelf) -> (pbx::Prompts, Vec<Broken>) {
        let (mut sounds, mut broken) = (BTreeMap::new(), Vec::new());
        for (name, file) in &self.files {
            let kept = shelf.0.get(name).filter(|kept| kept.is_of(file)).map(|kept| &kept.sound);
            let sound = kept.map_or_else(Sound::pending, Arc::clone);
            // What is still being decoded since the start is told by whoever does that. One that is
            // there and silent may be one that could not be played.
            let under_way = kept.is_some_and(|sound| sound.is_pending());
            if !under_way && sound.pcm().is_empty() {
                match decode(&file.path) {
                    Ok(pcm) => sound.fill(pcm),
                    Err(error) => {
                        sound.fill(Vec::new());
                        let why = format!("{:#}", error.root_cause());
                        broken.push(Broken { path: file.path.clone(), why });
                    }
                }
            }
            sounds.insert(name.clone(), sound);
        }
        (pbx::Prompts::new(sounds), broken)
    }

    /// Whether these are the very files that the shelf knows.
    pub(crate) fn are_all_on(&self, shelf: &Shelf) -> bool {
        self.files.len() == shelf.0.len()
            && self
                .files
                .iter()
                .all(|(name, file)| shelf.0.get(name).is_some_and(|kept| kept.is_of(file)))
    }

    /// Sounds for a bench: each is measured when it is first played, and none is decoded.
    pub(crate) fn measured(&self) -> bench::Sounds {
        let paths = self.files.iter().map(|(name, file)| (name.clone(), file.path.clone()));
        let paths: BTreeMap<String, PathBuf> = paths.collect();
        let (prompts, _undecoded) = self.prepare();
        bench::Sounds::measured(Arc::new(prompts), move |name| {
            let path = paths.get(name)?;
            let name = path.file_name()?.to_string_lossy().into_owned();
            media::measure(&name, fs::read(path).ok()?).ok()
        })
    }

    /// Decodes everything, with all processors, and tells what cannot be played, by name.
    pub(crate) fn broken(&self) -> BTreeMap<String, Broken> {
        let files: Vec<_> = self.files.iter().collect();
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let shares = files.chunks(files.len().div_ceil(processors).max(1));
        std::thread::scope(|scope| {
            let workers: Vec<_> = shares.map(|share| scope.spawn(|| broken_of(share))).collect();
            workers.into_iter().filter_map(|worker| worker.join().ok()).flatten().collect()
        })
    }
}

impl Kept {
    fn is_of(&self, file: &File) -> bool {
        self.path == file.path && self.stamp == file.stamp
    }
}

/// What prompts say, as far as somebody has written it down beside them: `en.tsv` for `en/`.
#[derive(Debug, Default)]
pub(crate) struct Texts(BTreeMap<String, String>);

impl Texts {
    /// The lists that lie in `folder`; what is not there or cannot be read says nothing.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        let mut texts = BTreeMap::new();
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            let is_list = path.extension().is_some_and(|ending| ending == "tsv");
            let Some(language) = path.file_stem().filter(|_| is_list) else { continue };
            let list = fs::read_to_string(&path).unwrap_or_default();
            for line in list.lines().filter(|line| !line.starts_with('#')) {
                // Between slashes stand phonemes instead of words.
                if let Some((name, text)) = line.split_once('\t')
                    && !text.starts_with('/')
                {
                    texts.insert(format!("{}/{name}", language.display()), text.to_owned());
                }
            }
        }
        Self(texts)
    }

    /// What the prompt of this name says.
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
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

fn broken_of(files: &[(&String, &File)]) -> Vec<(String, Broken)> {
    let decoded = files.iter().map(|(name, file)| (name, &file.path, decode(&file.path)));
    let broken = decoded.filter_map(|(name, path, decoded)| {
        let why = format!("{:#}", decoded.err()?.root_cause());
        Some(((*name).clone(), Broken { path: path.clone(), why }))
    });
    broken.collect()
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

/// Whether a file with this ending is a sound.
pub(crate) fn is_sound(ending: &str) -> bool {
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
        let broken = found.broken();
        assert_eq!(broken.keys().collect::<Vec<_>>(), ["en/vm/broken"]);
        assert!(broken["en/vm/broken"].path.ends_with("en/vm/broken.wav"), "{broken:?}");
        let (prompts, undecoded) = found.prepare();
        undecoded.decode(&AtomicBool::new(false));
        assert_eq!(prompts.find("en/vm/hello").unwrap().pcm().len(), 160);
        assert_eq!(prompts.find("en/vm/broken").unwrap().pcm().len(), 0);
    }

    #[test]
    fn what_prompts_say_stands_in_a_list_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        let list = "# comment\tno\nvm/hello\tHello there.\nletters/e\t/ˈiːj./\n";
        fs::write(folder.path().join("en.tsv"), list).unwrap();
        let texts = Texts::in_folder(folder.path());
        assert_eq!(texts.find("en/vm/hello"), Some("Hello there."));
        assert_eq!(texts.find("en/letters/e"), None);
    }

    #[test]
    fn only_what_changed_is_decoded_again() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, samples: &[u8]| fs::write(folder.path().join(name), samples).unwrap();
        let look = || Found::in_folder(folder.path()).unwrap();
        write("same.pcmu-8000", &[1; 80]);
        write("changed.pcmu-8000", &[2; 80]);
        let (before, undecoded) = look().prepare();
        let shelf = look().shelve(&before);
        let (early, broken) = look().decoded(&shelf);
        assert!(early.find("same").unwrap().is_pending() && broken.is_empty(), "one decodes it");
        undecoded.decode(&AtomicBool::new(false));
        assert!(look().are_all_on(&shelf));
        write("changed.pcmu-8000", &[2; 160]);
        write("new.pcmu-8000", &[3; 80]);
        write("broken.wav", b"RIFF?");
        assert!(!look().are_all_on(&shelf));
        let (after, broken) = look().decoded(&shelf);
        assert!(Arc::ptr_eq(before.find("same").unwrap(), after.find("same").unwrap()));
        assert_eq!(before.find("changed").unwrap().pcm().len(), 80, "calls under way keep it");
        assert_eq!(after.find("changed").unwrap().pcm().len(), 160);
        assert_eq!(after.find("new").unwrap().pcm().len(), 80);
        assert_eq!(broken.len(), 1);
        assert!(broken[0].path.ends_with("broken.wav"), "{broken:?}");
        let again = look().shelve(&after);
        assert_eq!(look().decoded(&again).1.len(), 1, "what is broken is told each time");
    }

    #[test]
    fn what_ships_is_measured_as_long_as_it_is_decoded() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../prompts");
        let found = Found::in_folder(&folder).unwrap();
        for file in found.files.values() {
            let name = file.path.file_name().unwrap().to_string_lossy().into_owned();
            let measured = media::measure(&name, fs::read(&file.path).unwrap()).unwrap();
            assert!(!measured.is_zero(), "{name}");
            // All are made by the same hands: the short ones speak for the others.
            if file.bytes < 4_000 {
                let decoded = Sound::from_pcm(decode(&file.path).unwrap()).length();
                let apart = decoded.abs_diff(measured);
                assert!(apart <= std::time::Duration::from_millis(20), "{name}: {apart:?}");
            }
        }
        let sounds = found.measured();
        assert!(sounds.prompts().find("en/main/welcome").is_some());
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
