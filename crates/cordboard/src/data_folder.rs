//! The data folder belongs to one exchange at a time: two would write the same records.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::bail;

/// A data folder that is ours until this is dropped. A file in it tells the process's number.
#[derive(Debug)]
pub(crate) struct DataFolder {
    pid_file: PathBuf,
    /// Locked, where the system can do that; the lock goes with the process, however it ends.
    locked: Option<File>,
}

impl DataFolder {
    /// Takes the folder, and makes it if it is missing. One that cannot be written is not taken, and
    /// told: calls go on all the same.
    ///
    /// # Errors
    /// When another exchange has it.
    pub(crate) fn take(folder: &Path) -> anyhow::Result<Self> {
        if let Err(error) = fs::create_dir_all(folder) {
            tracing::error!("{} cannot be made: {error}", folder.display());
        }
        let pid_file = folder.join(PID_FILE);
        let locked = match lock(&pid_file) {
            Ok(file) => Some(file),
            Err(Refused::Taken(pid)) => bail!(
                "{} is in use by another Cordboard{pid}. Stop that one, or give this one a folder \
                 of its own with `data` or --data",
                folder.display()
            ),
            Err(Refused::Impossible(error)) => {
                tracing::warn!("{} cannot be written: {error}", pid_file.display());
                None
            }
        };
        Ok(Self { pid_file, locked })
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        if self.locked.is_some()
            && let Err(error) = fs::remove_file(&self.pid_file)
        {
            tracing::warn!("{} cannot be removed: {error}", self.pid_file.display());
        }
    }
}

/// Why a folder is not ours.
#[derive(Debug)]
enum Refused {
    /// Another process has it; its number, as part of a sentence.
    Taken(String),
    Impossible(std::io::Error),
}

fn lock(path: &Path) -> Result<File, Refused> {
    loop {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(Refused::Impossible)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let read = (&mut file).take(20).read_to_string(&mut pid).is_ok();
                let known = read && pid.trim().parse::<u32>().is_ok();
                let pid = known.then(|| format!(", process {}", pid.trim()));
                return Err(Refused::Taken(pid.unwrap_or_default()));
            }
            // A file system without locks: better without than not at all.
            Err(TryLockError::Error(error)) => {
                tracing::debug!(%error, "no lock on the data folder")
            }
        }
        // Whoever had it may have removed the file just before we locked it.
        let same = |file: &File| {
            let (ours, there) = (file.metadata().ok()?, fs::metadata(path).ok()?);
            Some((ours.dev(), ours.ino()) == (there.dev(), there.ino()))
        };
        if same(&file) != Some(true) {
            continue;
        }
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()));
        return written.map(|()| file).map_err(Refused::Impossible);
    }
}

/// Holds the process number while the exchange runs.
const PID_FILE: &str = "cordboard.pid";
/// Where commands reach the exchange.
pub(crate) const CONTROL_SOCKET: &str = "cordboard.sock";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_belongs_to_one_exchange_and_is_free_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/data");
        let first = DataFolder::take(&path).unwrap();
        let pid = fs::read_to_string(path.join(PID_FILE)).unwrap();
        assert_eq!(pid, std::process::id().to_string());
        let error = DataFolder::take(&path).unwrap_err().to_string();
        assert!(error.contains(&format!("process {pid}")), "{error}");
        drop(first);
        assert!(!path.join(PID_FILE).exists());
        DataFolder::take(&path).unwrap();
    }

    #[test]
    fn what_a_killed_process_left_behind_is_no_hindrance() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(PID_FILE), "99999999 and more than a number may have")
            .unwrap();
        let taken = DataFolder::take(folder.path()).unwrap();
        let pid = fs::read_to_string(folder.path().join(PID_FILE)).unwrap();
        assert_eq!(pid, std::process::id().to_string());
        drop(taken);
    }

    #[test]
    fn a_folder_that_cannot_be_made_stops_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "no folder").unwrap();
        let taken = DataFolder::take(&file).unwrap();
        assert!(taken.locked.is_none());
    }
}
