//! WAV files: written beside their place and moved there when they are whole and on disk.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use pbx::records::{Disk, SoundId};

/// The folder of recordings that scripts made.
#[derive(Debug)]
pub(crate) struct Recordings {
    folder: PathBuf,
    disk: Cell<Disk>,
}

impl Recordings {
    /// Takes the folder, which need not exist yet, and removes what a crash left half written there.
    pub(crate) fn new(folder: PathBuf) -> Self {
        let leftovers = fs::read_dir(&folder).into_iter().flatten().flatten();
        for path in leftovers.map(|entry| entry.path()) {
            let unfinished = path.extension().is_some_and(|ending| ending == UNFINISHED);
            if unfinished && let Err(why) = fs::remove_file(&path) {
                tracing::warn!("{} cannot be removed: {why}", path.display());
            }
        }
        Self { folder, disk: Cell::new(Disk::Works) }
    }

    /// A file for this sound, which is in its place only after [`Unfinished::finish`].
    pub(crate) fn create(&self, sound: SoundId) -> io::Result<Unfinished<'_>> {
        fs::create_dir_all(&self.folder)?;
        let path = self.folder.join(format!("{:016x}.{UNFINISHED}", sound.0));
        let wav = Wav::create(&path)?;
        Ok(Unfinished { recordings: self, path, wav })
    }

    /// The sound of a recording; `None` if there is none of that name, or its file was changed into
    /// something that a recording never is, which is logged.
    pub(crate) fn read(&self, name: &str) -> Option<Vec<i16>> {
        let path = self.folder.join(format!("{name}.wav"));
        let bytes = match fs::metadata(&path) {
            Ok(there) if there.len() > RECORDING_BYTES_MAX => {
                tracing::warn!("{} is larger than any recording", path.display());
                return None;
            }
            Ok(_) => fs::read(&path),
            Err(why) => Err(why),
        };
        match bytes {
            Ok(bytes) => {
                let samples = samples(&bytes);
                if samples.is_none() {
                    tracing::warn!("{} is not as recordings are written", path.display());
                }
                samples
            }
            Err(why) => {
                if why.kind() != io::ErrorKind::NotFound {
                    tracing::warn!("{} cannot be read: {why}", path.display());
                }
                None
            }
        }
    }

    /// Logs a fault unless it is known.
    pub(crate) fn tell_fault(&self, why: &io::Error) {
        if self.disk.replace(Disk::Faulty) == Disk::Works {
            tracing::error!(
                "recordings cannot be written to {} ({why}): calls go on without them",
                self.folder.display()
            );
        }
    }
}

/// A recording on its way to the disk.
#[derive(Debug)]
pub(crate) struct Unfinished<'a> {
    recordings: &'a Recordings,
    path: PathBuf,
    wav: Wav,
}

impl Unfinished<'_> {
    /// Adds samples as they stand in a WAV file.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.wav.append(bytes)
    }

    /// Puts it in its place, over what was there; it survives a loss of power from now on.
    pub(crate) fn finish(self, name: &str) -> io::Result<()> {
        let folder = &self.recordings.folder;
        let place = folder.join(format!("{name}.wav"));
        let parent = place.parent().unwrap_or(folder);
        fs::create_dir_all(parent)?;
        self.wav.finish()?;
        fs::rename(&self.path, &place)?;
        File::open(parent)?.sync_all()?;
        if self.recordings.disk.replace(Disk::Works) == Disk::Faulty {
            tracing::warn!("recordings can be written to {} again", folder.display());
        }
        Ok(())
    }
}

/// Writes linear 16-bit mono samples at 8,000 Hz to a WAV file. Afterwards it is there whole, or not
/// at all.
///
/// # Errors
/// What the system says; nothing is left behind.
pub fn write_wav(path: &Path, samples: &[i16]) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".");
    unfinished.push(UNFINISHED);
    let unfinished = PathBuf::from(unfinished);
    let write = || {
        let mut wav = Wav::create(&unfinished)?;
        for sample in samples {
            wav.append(&sample.to_le_bytes())?;
        }
        wav.finish()?;
        fs::rename(&unfinished, path)
    };
    write().inspect_err(|_| {
        if fs::remove_file(&unfinished).is_err() {
            tracing::debug!("{} was not there to be removed", unfinished.display());
        }
    })
}

/// A WAV file whose length is not known yet.
#[derive(Debug)]
struct Wav {
    file: BufWriter<File>,
    sound_bytes: u32,
}

impl Wav {
    fn create(path: &Path) -> io::Result<Self> {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(&header(0))?;
        Ok(Self { file, sound_bytes: 0 })
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let more = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.sound_bytes = self.sound_bytes.saturating_add(more);
        self.file.write_all(bytes)
    }

    /// Writes the length and waits for the disk.
    fn finish(mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&header(self.sound_bytes))?;
        self.file.flush()?;
        self.file.get_ref().sync_all()
    }
}

/// The 44 bytes before the sound.
fn header(sound_bytes: u32) -> Vec<u8> {
    let mut header = Vec::with_capacity(44);
    header.extend(b"RIFF");
    header.extend(sound_bytes.saturating_add(36).to_le_bytes());
    header.extend(b"WAVEfmt ");
    header.extend(16_u32.to_le_bytes());
    header.extend(1_u16.to_le_bytes()); // Linear.
    header.extend(1_u16.to_le_bytes()); // Mono.
    header.extend(8_000_u32.to_le_bytes());
    header.extend(16_000_u32.to_le_bytes()); // Bytes a second.
    header.extend(2_u16.to_le_bytes()); // Bytes a sample.
    header.extend(16_u16.to_le_bytes()); // Bits a sample.
    header.extend(b"data");
    header.extend(sound_bytes.to_le_bytes());
    header
}

/// What follows the header that [`header`] writes, as far as the file goes.
fn samples(wav: &[u8]) -> Option<Vec<i16>> {
    let (start, sound) = wav.split_at_checked(HEADER_BYTES)?;
    let length = u32::from_le_bytes(start.last_chunk().copied()?);
    if start != header(length) {
        return None;
    }
    let sound = sound.get(..usize::try_from(length).ok()?)?;
    let (pairs, _) = sound.as_chunks();
    Some(pairs.iter().map(|pair| i16::from_le_bytes(*pair)).collect())
}

/// Whether a name stays inside the folder: letters, digits, `-` and `_`, in parts between `/`.
pub(crate) fn is_name(name: &str) -> bool {
    let fits = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    name.len() <= NAME_BYTES_MAX && name.split('/').all(fits)
}

/// Well below what file systems take for one part.
const NAME_BYTES_MAX: usize = 200;

/// What stands before the sound.
const HEADER_BYTES: usize = 44;
/// An hour, the longest that is recorded, and room.
const RECORDING_BYTES_MAX: u64 = 64 << 20;

/// Ending of files that are not whole yet.
const UNFINISHED: &str = "part";
