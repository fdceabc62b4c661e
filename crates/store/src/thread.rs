//! The thread that owns the database.

use std::collections::BTreeSet;
use std::mem;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use pbx::records::{Disk, SoundId, StoreReply, StoreRequest, Ticket};

use crate::database::{Database, draft_of};

/// Carries out requests until nobody can send any more.
pub(crate) struct Worker<R> {
    database: Database,
    inbox: Receiver<StoreRequest>,
    refused: Arc<Mutex<Refused>>,
    probe_pause: Duration,
    reply: R,
}

impl<R: Fn(Ticket, StoreReply)> Worker<R> {
    pub(crate) fn new(
        database: Database,
        inbox: Receiver<StoreRequest>,
        refused: Arc<Mutex<Refused>>,
        probe_pause: Duration,
        reply: R,
    ) -> Self {
        Self { database, inbox, refused, probe_pause, reply }
    }

    pub(crate) fn run(mut self) {
        self.database.check_after_crash();
        let mut probe_at = Instant::now() + self.probe_pause;
        let mut batch = Vec::with_capacity(BATCH_MAX);
        loop {
            match self.wait(probe_at) {
                Ok(request) => {
                    // What nobody waits for may wait for company: one transaction and one wake for
                    // all of it cost a fraction of one each.
                    if request.ticket().is_none() {
                        thread::sleep(GATHER);
                    }
                    batch.push(request);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            batch.extend(self.inbox.try_iter().take(BATCH_MAX - batch.len()));
            let emptied = batch.len() < BATCH_MAX;
            if !batch.is_empty() {
                let disk_before = self.database.disk();
                for (ticket, reply) in self.database.carry_out(&batch) {
                    (self.reply)(ticket, reply);
                }
                batch.clear();
                if disk_before == Disk::Works {
                    probe_at = Instant::now() + self.probe_pause;
                }
            }
            if emptied {
                // What was queued before the last look at what was refused is carried out.
                self.database.catch_up();
            }
            self.answer_refused();
            if self.database.disk() == Disk::Faulty && Instant::now() >= probe_at {
                self.database.probe();
                probe_at = Instant::now() + self.probe_pause;
            }
        }
        self.answer_refused();
        self.database.close();
    }

    /// The next request. A faulty disk wants to be probed meanwhile.
    fn wait(&self, probe_at: Instant) -> Result<StoreRequest, RecvTimeoutError> {
        match self.database.disk() {
            Disk::Works => self.inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Disk::Faulty => {
                self.inbox.recv_timeout(probe_at.saturating_duration_since(Instant::now()))
            }
        }
    }

    fn answer_refused(&mut self) {
        let (tickets, drafts) = self.refused.lock().unwrap_or_else(PoisonError::into_inner).take();
        for ticket in tickets {
            (self.reply)(ticket, StoreReply::Failed);
        }
        self.database.spoil(drafts);
    }
}

/// Requests for which there was no room in the queue.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    tickets: Vec<Ticket>,
    drafts: BTreeSet<SoundId>,
    count: u64,
    crowd: Crowd,
}

/// Whether the log knows that there was no room.
#[derive(Debug, Default, PartialEq, Eq)]
enum Crowd {
    #[default]
    None,
    Told,
}

impl Refused {
    /// Notes a request whose reply will be `Failed`. Call it while holding the lock under which the
    /// queue was found full: then there is work in it, after which the thread looks here.
    pub(crate) fn add(&mut self, request: &StoreRequest) {
        self.count += 1;
        if self.crowd == Crowd::None {
            self.crowd = Crowd::Told;
            tracing::error!(
                "the database is too slow: {} requests wait, more are refused until there is room",
                crate::QUEUE_MAX
            );
        }
        self.tickets.extend(request.ticket());
        // A draft with a gap is no draft, and one whose end was not heard of must not stay.
        self.drafts.extend(draft_of(request));
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    fn take(&mut self) -> (Vec<Ticket>, BTreeSet<SoundId>) {
        if self.tickets.is_empty() && self.drafts.is_empty() && self.crowd == Crowd::Told {
            // A whole round without a refusal.
            self.crowd = Crowd::None;
            tracing::warn!("the database keeps up again; {} requests were refused", self.count);
        }
        (mem::take(&mut self.tickets), mem::take(&mut self.drafts))
    }
}

/// How long the first of a batch waits for others. This much more may be lost when the process is
/// killed, of what nobody was promised.
const GATHER: Duration = Duration::from_millis(25);
/// Most requests in one transaction.
const BATCH_MAX: usize = 256;
