//! What was spoken before: in memory, and as WAV files in a folder, so that a new start knows it too.
//!
//! Sounds are found by what they were made of, of which only a digest is kept: the names of the files
//! tell nothing of the texts. What was used least lately makes room.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use media::Sound;
use pbx::{SpeechBy, SpeechRequest};
use sha2::{Digest, Sha256};

/// What a sound was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key([u8; 32]);

impl Key {
    pub(super) fn of(request: &SpeechRequest) -> Self {
        let SpeechRequest { speech, synthesiser } = request;
        let mut digest = Sha256::new();
        let mut add = |part: &str| {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        };
        add(&speech.text);
        add(&speech.language);
        add(speech.voice.as_deref().unwrap_or_default());
        match &synthesiser.by {
            SpeechBy::Command(command) => {
                add("command");
                command.iter().for_each(|one| add(one));
            }
            SpeechBy::Url { url, body, headers } => {
                add("url");
                add(url);
                add(body);
                // Their values may be secrets, which are changed now and then.
                headers.iter().for_each(|(name, _)| add(name));
            }
        }
        Self(digest.finalize().into())
    }

    fn file_name(self) -> String {
        let hex: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{hex}{ENDING}")
    }

    fn from_file_name(name: &str) -> Option<Self> {
        let hex = name.strip_suffix(ENDING)?;
        if hex.len() != 64 || !hex.is_ascii() {
            return None;
        }
        let mut key = [0; 32];
        for (index, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(hex.get(2 * index..2 * index + 2)?, 16).ok()?;
        }
        let key = Self(key);
        // No second name for one file, such as one in capitals.
        (key.file_name() == name).then_some(key)
    }
}

/// Sounds that were made before.
#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
    memory: Shelf<Arc<Sound>>,
    disk: Shelf<()>,
    /// What went wrong with the folder was told.
    complained: bool,
}

impl Cache {
    /// Looks at what earlier runs left in `folder`, which need not exist.
    pub(super) fn open(folder: PathBuf) -> Self {
        let mut cache =
            Self { folder, memory: Shelf::default(), disk: Shelf::default(), complained: false };
        let mut files = Vec::new();
        for entry in fs::read_dir(&cache.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if name.starts_with(UNFINISHED) {
                // An earlier run ended in the middle of it.
                cache.complain(fs::remove_file(entry.path()));
            } else if let (Some(key), Ok(about)) = (Key::from_file_name(name), entry.metadata()) {
                let used = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                files.push((used, key, about.len()));
            }
        }
        files.sort();
        for (_, key, bytes) in files {
            cache.disk.put(key, (), bytes);
        }
        cache
    }

    /// A sound that is kept.
    pub(super) fn find(&mut self, key: Key) -> Option<Arc<Sound>> {
        let on_disk = self.disk.find(key).is_some();
        if let Some(sound) = self.memory.find(key) {
            return Some(Arc::clone(sound));
        }
        if !on_disk {
            return None;
        }
        let path = self.path(key);
        let read = fs::read(&path).map_err(|error| error.to_string());
        let sound =
            read.and_then(|bytes| media::decode_unnamed(bytes).map_err(|error| error.to_string()));
        match sound {
            Ok(pcm) => {
                // Kept for as long as it is used; across a new start, too, if that can be noted.
                if let Ok(file) = File::options().append(true).open(&path) {
                    self.complain(file.set_modified(SystemTime::now()));
                }
                Some(Arc::new(Sound::from(pcm)))
            }
            Err(problem) => {
                tracing::warn!("a spoken text that was kept cannot be read: {problem}");
                self.disk.take(key);
                self.complain(fs::remove_file(&path));
                None
            }
        }
    }

    /// Keeps a sound in memory, as far as there is room for it.
    pub(super) fn remember(&mut self, key: Key, sound: &Arc<Sound>, bytes_max: u64) {
        let bytes = sound.pcm().len() as u64 * MEMORY_PER_SAMPLE;
        if bytes <= bytes_max {
            self.memory.put(key, Arc::clone(sound), bytes);
        }
        while self.memory.bytes > bytes_max && self.memory.drop_oldest().is_some() {}
    }

    /// Keeps a sound on disk, whole or not at all, as far as there is room for it.
    pub(super) fn keep(&mut self, key: Key, sound: &Sound, bytes_max: u64) {
        let file = media::wav(sound.pcm());
        let bytes = file.len() as u64;
        if bytes <= bytes_max {
            match self.write(key, &file) {
                Ok(()) => self.disk.put(key, (), bytes),
                Err(error) => self.complain(Err(error)),
            }
        }
        while self.disk.bytes > bytes_max {
            let Some(oldest) = self.disk.drop_oldest() else { break };
            self.complain(fs::remove_file(self.path(oldest)));
        }
    }

    /// Written elsewhere first: a file of that name is always whole.
    fn write(&self, key: Key, content: &[u8]) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let unfinished = self.folder.join(format!("{UNFINISHED}{}", key.file_name()));
        let written = || {
            let options = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&unfinished);
            let mut file = options?;
            file.write_all(content)?;
            file.sync_data()?;
            fs::rename(&unfinished, self.path(key))
        };
        written().inspect_err(|_| {
            if let Err(error) = fs::remove_file(&unfinished) {
                tracing::debug!(%error, "an unfinished file stays");
            }
        })
    }

    fn path(&self, key: Key) -> PathBuf {
        self.folder.join(key.file_name())
    }

    /// Told once: the next text would only say it again.
    fn complain(&mut self, done: io::Result<()>) {
        let Err(error) = done else { return };
        if !std::mem::replace(&mut self.complained, true) {
            let folder = shown(&self.folder);
            tracing::warn!("spoken texts cannot be kept in {folder}: {error}; they are made again");
        }
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Things of some size, of which the one that was used least lately is found.
#[derive(Debug)]
struct Shelf<V> {
    entries: BTreeMap<Key, Entry<V>>,
    by_use: BTreeMap<u64, Key>,
    bytes: u64,
    uses: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    bytes: u64,
    used: u64,
}

impl<V> Default for Shelf<V> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), by_use: BTreeMap::new(), bytes: 0, uses: 0 }
    }
}

impl<V> Shelf<V> {
    fn find(&mut self, key: Key) -> Option<&V> {
        let entry = self.entries.get_mut(&key)?;
        self.uses += 1;
        self.by_use.remove(&entry.used);
        self.by_use.insert(self.uses, key);
        entry.used = self.uses;
        Some(&entry.value)
    }

    fn put(&mut self, key: Key, value: V, bytes: u64) {
        self.take(key);
        self.uses += 1;
        self.entries.insert(key, Entry { value, bytes, used: self.uses });
        self.by_use.insert(self.uses, key);
        self.bytes += bytes;
    }

    fn take(&mut self, key: Key) {
        if let Some(entry) = self.entries.remove(&key) {
            self.by_use.remove(&entry.used);
            self.bytes = self.bytes.saturating_sub(entry.bytes);
        }
    }

    fn drop_oldest(&mut self) -> Option<Key> {
        let (_, key) = self.by_use.first_key_value()?;
        let key = *key;
        self.take(key);
        Some(key)
    }
}

/// What files of the cache end with.
const ENDING: &str = ".wav";
/// What files begin with that are being written.
const UNFINISHED: &str = ".unfinished-";
/// Bytes of memory for a sample: itself, and as each of the two codecs sends it.
const MEMORY_PER_SAMPLE: u64 = 4;

#[cfg(test)]
mod tests {
    use pbx::{Speech, Synthesiser};

    use super::*;

    fn key(text: &str) -> Key {
        let speech = Speech { text: text.into(), language: "en".into(), voice: None };
        let by = SpeechBy::Command(vec!["speak".into()]);
        Key::of(&SpeechRequest { speech, synthesiser: Arc::new(Synthesiser::new(by)) })
    }

    fn sound(samples: usize) -> Arc<Sound> {
        Arc::new(Sound::from_pcm(vec![1_000; samples]))
    }

    fn files(folder: &Path) -> usize {
        fs::read_dir(folder).map_or(0, |entries| entries.count())
    }

    #[test]
    fn what_a_sound_was_made_of_decides_whether_it_is_the_same() {
        let by = |by| Arc::new(Synthesiser::new(by));
        let one = by(SpeechBy::Command(vec!["a".into(), "b".into()]));
        let request = |text: &str, language: &str, voice: Option<&str>, synthesiser| {
            let voice = voice.map(str::to_owned);
            let speech = Speech { text: text.into(), language: language.into(), voice };
            Key::of(&SpeechRequest { speech, synthesiser })
        };
        let keys = [
            request("x", "en", None, Arc::clone(&one)),
            request("y", "en", None, Arc::clone(&one)),
            request("x", "de", None, Arc::clone(&one)),
            request("x", "en", Some("anna"), Arc::clone(&one)),
            request("x", "en", None, by(SpeechBy::Command(vec!["ab".into()]))),
            request("xe", "n", None, Arc::clone(&one)),
        ];
        let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
        let slower = Synthesiser { timeout: std::time::Duration::from_secs(60), ..(*one).clone() };
        assert_eq!(request("x", "en", None, Arc::new(slower)), keys[0], "bounds do not count");
    }

    #[test]
    fn memory_and_disk_stay_within_their_bound_and_the_least_used_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("speech");
        let mut cache = Cache::open(path.clone());
        let bytes_max = 10_000;
        for text in ["a", "b", "c"] {
            cache.remember(key(text), &sound(800), bytes_max);
            cache.keep(key(text), &sound(1_500), bytes_max);
            assert!(cache.find(key("a")).is_some());
        }
        cache.remember(key("d"), &sound(800), bytes_max);
        cache.keep(key("d"), &sound(1_500), bytes_max);
        assert!(cache.memory.bytes <= bytes_max && cache.disk.bytes <= bytes_max);
        assert!(cache.find(key("b")).is_none(), "it was used least lately");
        for text in ["a", "c", "d"] {
            assert!(cache.find(key(text)).is_some(), "{text}");
        }
        assert_eq!(files(&path), 3);
        cache.remember(key("long"), &sound(8_000), bytes_max);
        cache.keep(key("long"), &sound(8_000), bytes_max);
        assert!(cache.find(key("long")).is_none(), "it alone is more than there is room for");
        assert!(cache.find(key("d")).is_some(), "and pushes nothing out");
        cache.remember(key("e"), &sound(1), 0);
        cache.keep(key("e"), &sound(1), 0);
        assert_eq!((cache.memory.bytes, cache.disk.bytes, files(&path)), (0, 0, 0));
    }

    #[test]
    fn a_new_start_knows_what_was_spoken_and_clears_up_what_was_broken_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("speech");
        Cache::open(path.clone()).keep(key("a"), &sound(800), 10_000);
        fs::write(path.join(format!("{UNFINISHED}x.wav")), "half").unwrap();
        fs::write(path.join(key("torn").file_name()), "RIFF").unwrap();
        fs::write(path.join("notes.txt"), "somebody's own").unwrap();
        let mut cache = Cache::open(path.clone());
        assert_eq!(cache.find(key("a")).unwrap().pcm().len(), 800);
        assert!(cache.find(key("torn")).is_none());
        assert!(cache.find(key("b")).is_none());
        assert_eq!(files(&path), 2, "the one that is whole, and what is none of ours");
    }

    #[test]
    fn a_folder_that_cannot_be_written_only_means_more_work() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        fs::write(&path, "a file").unwrap();
        let mut cache = Cache::open(path);
        cache.keep(key("a"), &sound(800), 10_000);
        assert!(cache.find(key("a")).is_none());
        assert!(cache.complained);
    }
}
