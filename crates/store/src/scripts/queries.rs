//! The thread that serves scripts.

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pbx::records::Ticket;
use pbx::{Answer, Query};

use super::ScriptDatabase;
use crate::OpenError;

/// Carries out queries of scripts, one after the other, on a thread of its own.
///
/// The file is opened when the first query comes, and again if that failed.
#[derive(Debug)]
pub struct Queries {
    requests: SyncSender<(Ticket, Box<Query>)>,
    worker: JoinHandle<()>,
}

impl Queries {
    /// Starts the thread. `reply` is called on it, with the answer and how long the work took.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        path: PathBuf,
        reply: impl Fn(Ticket, Result<Answer, String>, Duration) + Send + 'static,
    ) -> Result<Self, OpenError> {
        let (requests, inbox) = mpsc::sync_channel(QUERIES_MAX);
        let worker = std::thread::Builder::new()
            .name("scripts-db".into())
            .spawn(move || serve(&path, &inbox, &reply))
            .map_err(OpenError::Thread)?;
        Ok(Self { requests, worker })
    }

    /// Queues a query; it is carried out even if nobody waits for the reply any more.
    ///
    /// # Errors
    /// What to reply, when [`QUERIES_MAX`] are queued already.
    pub fn ask(&self, ticket: Ticket, query: Box<Query>) -> Result<(), String> {
        match self.requests.try_send((ticket, query)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => {
                Err(format!("the database is too slow: {QUERIES_MAX} queries wait already"))
            }
            Err(TrySendError::Disconnected(_)) => Err("the database is closed".into()),
        }
    }

    /// Carries out what is queued and ends the thread.
    pub fn close(self) {
        drop(self.requests);
        if self.worker.join().is_err() {
            tracing::error!("the thread of the scripts' database had ended early");
        }
    }
}

fn serve(
    path: &std::path::Path,
    inbox: &Receiver<(Ticket, Box<Query>)>,
    reply: &impl Fn(Ticket, Result<Answer, String>, Duration),
) {
    let mut open: Option<ScriptDatabase> = None;
    while let Ok((ticket, query)) = inbox.recv() {
        let began = Instant::now();
        if open.is_none() {
            match ScriptDatabase::at(path) {
                Ok(database) => open = Some(database),
                Err(error) => {
                    let problem = format!("{} cannot be opened: {error}", path.display());
                    reply(ticket, Err(problem), began.elapsed());
                    continue;
                }
            }
        }
        let Some(database) = open.as_mut() else { continue };
        let answer = database.run(&query);
        reply(ticket, answer, began.elapsed());
    }
}

/// Queries that may wait; beyond, a query fails at once.
pub const QUERIES_MAX: usize = 256;
