//! Tells when files change: scripts that were saved, prompts that were copied, a folder that was
//! replaced.
//!
//! One change to a person is many to the system: an editor writes a copy, renames it and sets its mode;
//! a checkout touches fifty files. So a change is told when there was quiet for a moment, or when there
//! was none for long.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use notify::event::{MetadataKind, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// Watches files and folders, with everything in them.
#[derive(Debug)]
pub(crate) struct Watch {
    paths: Arc<Mutex<Vec<PathBuf>>>,
    news: Receiver<News>,
    stopped: Arc<AtomicBool>,
    teller: SyncSender<News>,
    written: Written,
    // Holds the system's watches; made anew when a folder may be another one than before.
    watcher: Option<RecommendedWatcher>,
}

/// Steers a watch from elsewhere. Never waits.
#[derive(Debug, Clone)]
pub(crate) struct WatchHandle {
    paths: Arc<Mutex<Vec<PathBuf>>>,
    stopped: Arc<AtomicBool>,
    teller: SyncSender<News>,
}

/// Files and folders that whoever watches writes, which is no change to them: they would answer it by
/// writing again, for ever. As many as they write; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Written(Arc<Mutex<BTreeSet<PathBuf>>>);

/// What a wait came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    /// Something changed, and then nothing for a moment.
    Changed,
    /// [`WatchHandle::stop`] was called.
    Stopped,
}

/// Something happened; what, is looked up.
#[derive(Debug)]
struct News;

impl Watch {
    /// Begins to watch. Paths that are not there yet are watched for as well, as long as their folder
    /// is there.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub(crate) fn new(paths: &[PathBuf]) -> anyhow::Result<Self> {
        Self::except(paths, Written::default())
    }

    /// As [`Self::new`], but for what is written by whoever watches.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub(crate) fn except(paths: &[PathBuf], written: Written) -> anyhow::Result<Self> {
        let (teller, news) = sync_channel(NEWS_MAX);
        let paths = Arc::new(Mutex::new(all_absolute(paths)));
        let stopped = Arc::default();
        let mut watch = Self { paths, stopped, news, teller, written, watcher: None };
        watch.begin()?;
        Ok(watch)
    }

    /// For steering it from elsewhere.
    pub(crate) fn handle(&self) -> WatchHandle {
        WatchHandle {
            paths: Arc::clone(&self.paths),
            stopped: Arc::clone(&self.stopped),
            teller: self.teller.clone(),
        }
    }

    /// Waits until something changed and it was quiet for a moment. What changed between two waits
    /// counts for the later one.
    ///
    /// # Errors
    /// When what is there by now cannot be watched.
    pub(crate) fn wait(&mut self) -> anyhow::Result<Waited> {
        // We hold a sender ourselves, so the channel stays open.
        let mut open = self.news.recv().is_ok();
        let give_up_at = Instant::now() + UNREST_MAX;
        while open && !self.stopped.load(Ordering::Acquire) && Instant::now() < give_up_at {
            match self.news.recv_timeout(QUIET) {
                Ok(News) => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => open = false,
            }
        }
        if !open || self.stopped.load(Ordering::Acquire) {
            return Ok(Waited::Stopped);
        }
        // A folder of that name may be another one by now, which nobody watches.
        self.begin()?;
        Ok(Waited::Changed)
    }

    fn begin(&mut self) -> anyhow::Result<()> {
        let teller = self.teller.clone();
        let paths = locked(&self.paths).clone();
        let written = self.written.clone();
        let (watched, mut links) = (paths.clone(), Vec::new());
        for path in &paths {
            // What a link leads to is told by its own name.
            links.extend(path.canonicalize().ok().filter(|real| real != path));
        }
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let matters = event.is_ok_and(|event| {
                event.need_rescan()
                    || (is_change(event.kind) && touches(&event, &watched, &links, &written))
            });
            // When there is no room, there is news enough.
            if matters && let Err(TrySendError::Disconnected(_)) = teller.try_send(News) {
                tracing::debug!("nobody watches any more");
            }
        })
        .context("files cannot be watched")?;
        for path in &paths {
            // Its folder tells when it comes, goes or is replaced.
            if let Some(parent) = path.parent()
                && let Err(error) = watcher.watch(parent, RecursiveMode::NonRecursive)
            {
                tracing::debug!(%error, "{} cannot be watched", parent.display());
            }
            if path.is_dir() {
                watcher
                    .watch(path, RecursiveMode::Recursive)
                    .with_context(|| format!("{} cannot be watched", path.display()))?;
            }
        }
        // Only now are those before let go: nothing falls between.
        self.watcher = Some(watcher);
        Ok(())
    }
}

impl WatchHandle {
    /// Ends the wait under way, or the next one.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.wake();
    }

    /// Watches other files and folders from now on; that counts as a change.
    pub(crate) fn look_at(&self, paths: &[PathBuf]) {
        let paths = all_absolute(paths);
        let before = std::mem::replace(&mut *locked(&self.paths), paths.clone());
        if before != paths {
            self.wake();
        }
    }

    fn wake(&self) {
        // When there is no room, the other side is awake.
        if let Err(TrySendError::Disconnected(_)) = self.teller.try_send(News) {
            tracing::debug!("nobody watches any more");
        }
    }
}

impl Written {
    /// Notes a file that is about to be written. Its folder is there.
    pub(crate) fn note(&self, path: &Path) {
        locked(&self.0).insert(real(path));
    }

    /// Creates a folder and those it is in, as far as they are missing, and notes these.
    ///
    /// # Errors
    /// When one cannot be created.
    pub(crate) fn create_folder(&self, path: &Path) -> io::Result<()> {
        let path = std::path::absolute(path)?;
        let missing: Vec<&Path> = path.ancestors().take_while(|path| !path.exists()).collect();
        for folder in missing.into_iter().rev() {
            self.note(folder);
            fs::create_dir_all(folder)?;
        }
        Ok(())
    }

    /// Whether it was noted.
    pub(crate) fn contains(&self, path: &Path) -> bool {
        let written = locked(&self.0);
        !written.is_empty() && written.contains(&real(path))
    }
}

/// One name for a file, by whatever links and dots its folder is named.
fn real(path: &Path) -> PathBuf {
    let folder = path.parent().map(|folder| match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    });
    match (folder.and_then(|folder| folder.canonicalize().ok()), path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// A list of paths is right whoever panicked while holding it.
fn locked<T>(paths: &Mutex<T>) -> MutexGuard<'_, T> {
    paths.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether something is other than before, rather than only read.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(_)
        | EventKind::Modify(ModifyKind::Metadata(MetadataKind::AccessTime)) => false,
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => true,
    }
}

/// Whether an event is of what is watched, not of its neighbours nor of what we wrote.
fn touches(event: &Event, watched: &[PathBuf], links: &[PathBuf], written: &Written) -> bool {
    let is_watched = |path: &PathBuf| watched.iter().chain(links).any(|own| path.starts_with(own));
    let ours = |path: &PathBuf| is_watched(path) && !written.contains(path);
    event.paths.is_empty() || event.paths.iter().any(ours)
}

fn all_absolute(paths: &[PathBuf]) -> Vec<PathBuf> {
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    paths.iter().map(absolute).collect()
}

/// How long nothing must change until changes are told.
const QUIET: Duration = Duration::from_millis(200);
/// After so long they are told although there was no quiet.
const UNREST_MAX: Duration = Duration::from_secs(3);
/// Changes kept until they are asked for. One would do; the rest spares the system's thread a wait.
const NEWS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use notify::event::AccessKind;

    use super::*;

    fn watching(paths: &[PathBuf], act: impl FnOnce()) -> Waited {
        let mut watch = Watch::new(paths).unwrap();
        act();
        watch.wait().unwrap()
    }

    #[test]
    fn a_file_deep_in_a_folder_a_new_one_and_a_removed_one_are_changes() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        let file = deep.join("x.lua");
        let paths = [folder.path().to_owned()];
        assert_eq!(watching(&paths, || fs::write(&file, "1").unwrap()), Waited::Changed);
        assert_eq!(watching(&paths, || fs::write(&file, "2").unwrap()), Waited::Changed);
        assert_eq!(watching(&paths, || fs::remove_file(&file).unwrap()), Waited::Changed);
    }

    #[test]
    fn one_file_is_watched_even_if_it_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (file, other) = (folder.path().join("a.toml"), folder.path().join("b.toml"));
        fs::write(&file, "1").unwrap();
        fs::write(&other, "2").unwrap();
        let replace = || fs::rename(&other, &file).unwrap();
        assert_eq!(watching(std::slice::from_ref(&file), replace), Waited::Changed);
    }

    #[test]
    fn a_folder_that_is_replaced_is_watched_on() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        fs::create_dir_all(&one).unwrap();
        fs::create_dir_all(&two).unwrap();
        let link = folder.path().join("scripts");
        symlink(&one, &link).unwrap();
        let mut watch = Watch::new(std::slice::from_ref(&link)).unwrap();
        let next = folder.path().join("next");
        symlink(&two, &next).unwrap();
        fs::rename(&next, &link).unwrap();
        assert_eq!(watch.wait().unwrap(), Waited::Changed);
        fs::write(two.join("main.lua"), "x").unwrap();
        assert_eq!(watch.wait().unwrap(), Waited::Changed);
    }

    #[test]
    fn neighbours_of_what_is_watched_do_not_matter() {
        let watched = [PathBuf::from("/office/scripts"), PathBuf::from("/office/cordboard.toml")];
        let links = [PathBuf::from("/releases/7")];
        for (path, matters) in [
            ("/office/scripts", true),
            ("/office/scripts/lib/hours.lua", true),
            ("/office/cordboard.toml", true),
            ("/releases/7/main.lua", true),
            ("/office/cordboard.toml.swp", false),
            ("/office/scripts-old/main.lua", false),
            ("/releases/8/main.lua", false),
        ] {
            let event = Event::new(EventKind::Any).add_path(path.into());
            let nothing = Written::default();
            assert_eq!(touches(&event, &watched, &links, &nothing), matters, "{path}");
        }
    }

    #[test]
    fn what_whoever_watches_writes_is_no_change_and_everything_beside_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let scripts = folder.path().join("scripts");
        fs::create_dir_all(&scripts).unwrap();
        let written = Written::default();
        let (listings, link) = (scripts.join("a/b"), folder.path().join("link"));
        symlink(&scripts, &link).unwrap();
        written.create_folder(&listings).unwrap();
        written.note(&link.join("a/../out.tap"));
        for (path, matters) in [
            ("out.tap", false),
            ("a", false),
            ("a/b", false),
            ("a/b/main.lua", true),
            ("main.lua", true),
            ("", true),
        ] {
            let event = Event::new(EventKind::Any).add_path(scripts.join(path));
            let watched = std::slice::from_ref(&scripts);
            assert_eq!(touches(&event, watched, &[], &written), matters, "{path}");
        }
        let both = Event::new(EventKind::Any)
            .add_path(scripts.join("out.tap"))
            .add_path(scripts.join("main.lua"));
        assert!(touches(&both, &[scripts], &[], &written));
    }

    #[test]
    fn reading_is_no_change() {
        let read = ModifyKind::Metadata(MetadataKind::AccessTime);
        assert!(!is_change(EventKind::Access(AccessKind::Read)));
        assert!(!is_change(EventKind::Modify(read)));
        assert!(is_change(EventKind::Modify(ModifyKind::Metadata(MetadataKind::Permissions))));
    }

    #[test]
    fn a_wait_is_ended_from_elsewhere_even_before_it_began() {
        let folder = tempfile::tempdir().unwrap();
        let mut watch = Watch::new(&[folder.path().to_owned()]).unwrap();
        watch.handle().stop();
        assert_eq!(watch.wait().unwrap(), Waited::Stopped);
    }

    #[test]
    fn it_can_be_told_to_look_elsewhere() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut watch = Watch::new(&[one.path().to_owned()]).unwrap();
        watch.handle().look_at(&[two.path().to_owned()]);
        assert_eq!(watch.wait().unwrap(), Waited::Changed);
        fs::write(two.path().join("main.lua"), "x").unwrap();
        assert_eq!(watch.wait().unwrap(), Waited::Changed);
    }
}
