//! What was typed, kept over sessions: a file of its own for each user, which nobody else may read.
//!
//! It lies where a user's programs keep their state (XDG Base Directory: `$XDG_STATE_HOME`, else
//! `~/.local/state`), in `cordboard/repl-history`, one line a line. Where there is no such place, or
//! it cannot be written, a session has no history but its own: that is no reason to trouble anybody.

use std::env;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The lines of earlier sessions, and where the next ones go.
#[derive(Debug, Default)]
pub(super) struct Kept {
    path: Option<PathBuf>,
}

impl Kept {
    /// The user's own.
    pub(super) fn find() -> Self {
        let absolute =
            |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let state = absolute("XDG_STATE_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
        Self { path: state.map(|state| state.join("cordboard").join("repl-history")) }
    }

    /// The last lines, oldest first; what is more than [`LINES_MAX`] of them leaves the file.
    pub(super) fn lines(&mut self) -> Vec<String> {
        let Some(path) = &self.path else { return Vec::new() };
        let size = fs::metadata(path).map_or(0, |metadata| metadata.len());
        if size > BYTES_MAX {
            self.path = None;
            return Vec::new();
        }
        let text = fs::read(path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        let last = lines.get(lines.len().saturating_sub(LINES_MAX)..).unwrap_or_default();
        if last.len() < lines.len() {
            replace(path, last);
        }
        last.iter().map(|line| (*line).to_owned()).collect()
    }

    /// Keeps a line; without effect where that cannot be done.
    pub(super) fn add(&mut self, line: &str) {
        if line.trim().is_empty() || line.contains('\n') || line.len() > LINE_BYTES_MAX {
            return;
        }
        if let Some(path) = &self.path
            && append(path, line).is_err()
        {
            self.path = None;
        }
    }
}

/// Puts a shorter file in the place of a long one; leaves that as it is where this cannot be done.
fn replace(path: &Path, lines: &[&str]) {
    let fresh = path.with_extension("new");
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    // What a session left that was stopped while it wrote.
    drop(fs::remove_file(&fresh));
    let opened = OpenOptions::new().write(true).create_new(true).mode(OWN).open(&fresh);
    if opened.and_then(|mut file| file.write_all(text.as_bytes())).is_ok() {
        drop(fs::rename(&fresh, path));
    }
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(OWN_FOLDER).create(folder)?;
    }
    let mut file = OpenOptions::new().append(true).create(true).mode(OWN).open(path)?;
    // In one piece, since another session may write, too.
    file.write_all(format!("{line}\n").as_bytes())
}

/// Lines that are remembered.
pub(super) const LINES_MAX: usize = 1_000;
/// A longer line is not kept.
const LINE_BYTES_MAX: usize = 4_096;
/// A longer file is left alone: it is not one of ours.
const BYTES_MAX: u64 = 16 << 20;
/// Nobody else reads or writes it.
const OWN: u32 = 0o600;
const OWN_FOLDER: u32 = 0o700;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn lines_are_kept_for_their_user_alone_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/cordboard/repl-history");
        let mut kept = Kept { path: Some(path.clone()) };
        assert!(kept.lines().is_empty());
        kept.add("call:answer()");
        kept.add("  ");
        kept.add("two\nlines");
        kept.add(&"x".repeat(LINE_BYTES_MAX + 1));
        kept.add(".hangup");
        assert_eq!(kept.lines(), ["call:answer()", ".hangup"]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        for number in 0..LINES_MAX {
            kept.add(&number.to_string());
        }
        let lines = kept.lines();
        assert_eq!((lines.len(), lines[0].as_str()), (LINES_MAX, "0"));
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), LINES_MAX);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn where_nothing_can_be_kept_there_is_no_history() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("cordboard"), "a file").unwrap();
        let mut kept = Kept { path: Some(folder.path().join("cordboard/repl-history")) };
        kept.add("call:answer()");
        assert!(kept.lines().is_empty());
        assert!(Kept::default().lines().is_empty());
    }
}
