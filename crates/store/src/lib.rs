//! SQLite: voicemail, bindings and call records, on a thread of its own.
//!
//! [`Store`] carries out what call control asks for in [`pbx::records`]. Whatever is queued goes into
//! one transaction, and replies leave only after it is committed: what was confirmed survives a
//! SIGKILL, and voicemail that was confirmed survives a loss of power. [`Reader`] looks at the same
//! file from another process.
//!
//! When the disk is full, read-only or broken, calls go on: the fault is logged once, every request
//! with a ticket is replied to with [`Failed`](pbx::records::StoreReply::Failed), and from time to
//! time the disk is tried again.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::wildcard_enum_match_arm
    )
)]

mod bindings;
mod calls;
mod database;
mod fault;
mod reader;
mod recordings;
mod schema;
mod scripts;
mod thread;
mod voicemail;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use pbx::records::{BindingRecord, StoreReply, StoreRequest, Ticket};

pub use fault::OpenError;
pub use reader::{MailboxSummary, Reader};
pub use recordings::write_wav;
pub use scripts::{QUERIES_MAX, Queries, ScriptDatabase};

use database::Database;
use thread::{Refused, Worker};

/// Keeps what call control needs kept.
#[derive(Debug)]
pub struct Store {
    requests: SyncSender<StoreRequest>,
    refused: Arc<Mutex<Refused>>,
    worker: JoinHandle<()>,
}

impl Store {
    /// Opens or creates the database, brings it up to date, turns drafts that a crash left behind into
    /// messages, and starts the thread. Also gives back every binding there is, expired ones too.
    ///
    /// `reply` is called on that thread, in the order of the requests; while it waits, so does the
    /// store. `recordings` is the folder for recordings of scripts; it is made when needed.
    ///
    /// When the disk does not let itself be opened or written, the store starts all the same, logs the
    /// fault and replies `Failed` to whatever would have to be kept.
    ///
    /// # Errors
    /// See [`OpenError`]: the file is not ours, or the thread cannot be started.
    pub fn open(
        path: impl AsRef<Path>,
        recordings: impl Into<PathBuf>,
        reply: impl Fn(Ticket, StoreReply) + Send + 'static,
    ) -> Result<(Self, Vec<BindingRecord>), OpenError> {
        Self::open_with(path.as_ref(), recordings.into(), PROBE_PAUSE, reply)
    }

    fn open_with(
        path: &Path,
        recordings: PathBuf,
        probe_pause: Duration,
        reply: impl Fn(Ticket, StoreReply) + Send + 'static,
    ) -> Result<(Self, Vec<BindingRecord>), OpenError> {
        let (database, bindings) = Database::open(path, recordings)?;
        let (requests, inbox) = mpsc::sync_channel(QUEUE_MAX);
        let refused = Arc::default();
        let worker = Worker::new(database, inbox, Arc::clone(&refused), probe_pause, reply);
        let worker = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || worker.run())
            .map_err(OpenError::Thread)?;
        Ok((Self { requests, refused, worker }, bindings))
    }

    /// Queues a request. Never waits: when [`QUEUE_MAX`] are queued already, it is counted, logged
    /// once, and replied to with `Failed` if it has a ticket.
    pub fn request(&self, request: StoreRequest) {
        let Err(TrySendError::Full(request) | TrySendError::Disconnected(request)) =
            self.requests.try_send(request)
        else {
            return;
        };
        // Once more under the lock: if the queue is full now, the thread has yet to look at `refused`.
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        match self.requests.try_send(request) {
            Ok(()) => {}
            Err(TrySendError::Full(request) | TrySendError::Disconnected(request)) => {
                refused.add(&request);
            }
        }
    }

    /// How many requests were refused because too many were queued.
    pub fn refused(&self) -> u64 {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).count()
    }

    /// Carries out what is queued and ends the thread.
    pub fn close(self) {
        drop(self.requests);
        if self.worker.join().is_err() {
            tracing::error!("the store's thread had ended early");
        }
    }
}

/// Requests that may wait. Half a second of sound is 8 KB, so that a queue full of it takes 32 MB.
pub const QUEUE_MAX: usize = 4_096;

/// How long a faulty disk is left alone before it is tried again.
const PROBE_PAUSE: Duration = Duration::from_secs(5);
