//! The open database: requests carried out in transactions, and what happens when the disk fails.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use pbx::records::{BindingRecord, Disk, SoundId, StoreReply, StoreRequest, Ticket};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::fault::Failure;
use crate::recordings::Recordings;
use crate::schema::{self, MIGRATIONS, SchemaError};
use crate::{OpenError, bindings, calls, voicemail};

/// The database and the folder of recordings, as one thread uses them.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) connection: Connection,
    path: PathBuf,
    recordings: Recordings,
    place: Place,
    disk: Disk,
    /// Requests that failed since the disk did.
    failed: u64,
    /// Drafts of which a part is missing. Nothing is added to them any more and they are never kept.
    spoilt: BTreeSet<SoundId>,
    /// The same, because there was no room in the queue, and more of them may be in it.
    refused: BTreeSet<SoundId>,
    /// Whether the process that used it last ended without closing it.
    crashed: bool,
}

/// Where the data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Where it belongs.
    Disk,
    /// In a file that cannot be written or in memory: good for reading, refuses to change.
    Substitute,
}

/// How much a commit must outlive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Durability {
    /// The process. Costs no wait for the disk.
    Crash,
    /// A loss of power.
    PowerLoss,
}

impl Database {
    /// Opens the database, or a substitute if the disk does not work; recovers drafts; reads bindings.
    pub(crate) fn open(
        path: &Path,
        recordings: PathBuf,
    ) -> Result<(Self, Vec<BindingRecord>), OpenError> {
        let crashed = fs::metadata(with_ending(path, "-wal")).is_ok_and(|wal| wal.len() > 0);
        let (connection, place, fault) = match connect(path) {
            Ok(connection) => (connection, Place::Disk, None),
            Err(SchemaError::Unusable(error)) => return Err(error),
            Err(SchemaError::Disk(why)) => {
                let substitute = substitute(path)
                    .map_err(|why| OpenError::Unreadable { path: path.to_owned(), why })?;
                (substitute, Place::Substitute, Some(why))
            }
        };
        let mut database = Self {
            connection,
            path: path.to_owned(),
            recordings: Recordings::new(recordings),
            place,
            disk: Disk::Works,
            failed: 0,
            spoilt: BTreeSet::new(),
            refused: BTreeSet::new(),
            crashed,
        };
        match fault {
            Some(why) => database.tell_fault(&why.into()),
            None => database.tidy(),
        }
        let bindings = bindings::all(&database.connection).unwrap_or_else(|why| {
            database.tell_fault(&why.into());
            Vec::new()
        });
        Ok((database, bindings))
    }

    pub(crate) fn disk(&self) -> Disk {
        self.disk
    }

    /// Carries out requests in this order, in one transaction unless that fails, and gives back the
    /// replies once everything is committed.
    pub(crate) fn carry_out(&mut self, requests: &[StoreRequest]) -> Vec<(Ticket, StoreReply)> {
        self.drop_spoilt();
        let replies: Vec<_> = match self.together(requests) {
            Ok(results) => {
                let told = requests.iter().zip(results);
                told.map(|(request, result)| self.reply_to(request, result)).collect()
            }
            // A failed disk took the whole transaction back: find out what still works.
            Err(_) => requests.iter().map(|request| self.alone(request)).collect(),
        };
        requests.iter().map(StoreRequest::ticket).zip(replies).filter_map(both).collect()
    }

    /// Takes note of drafts of which a part never came here, though other parts may still come.
    pub(crate) fn spoil(&mut self, drafts: BTreeSet<SoundId>) {
        self.refused.extend(drafts);
    }

    /// Drops what [`Self::spoil`] named: everything that was queued then has come.
    pub(crate) fn catch_up(&mut self) {
        self.spoilt.append(&mut self.refused);
    }

    /// Leaves nothing behind that the next start would take for a message.
    pub(crate) fn close(mut self) {
        self.catch_up();
        self.drop_spoilt();
    }

    /// Finds out whether a disk that failed works again.
    pub(crate) fn probe(&mut self) {
        if self.place == Place::Substitute {
            let Ok(connection) = connect(&self.path) else { return };
            self.connection = connection;
            self.place = Place::Disk;
        }
        if self.write_probe().is_err() {
            return;
        }
        tracing::warn!(
            "{} can be written again; {} requests had failed",
            self.path.display(),
            self.failed
        );
        self.disk = Disk::Works;
        self.failed = 0;
        self.drop_spoilt();
    }

    /// Reads a database that was not closed, unless it is large, and tells what is wrong with it.
    pub(crate) fn check_after_crash(&self) {
        let size = fs::metadata(&self.path).map_or(0, |file| file.len());
        if !self.crashed || size > CHECK_BYTES_MAX {
            return;
        }
        let checked =
            self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        let flaw = match checked {
            Ok(line) if line == "ok" => return,
            Ok(line) => line,
            Err(why) => why.to_string(),
        };
        tracing::error!(
            "{} is damaged ({flaw}): stop Cordboard, and put a good copy in its place",
            self.path.display()
        );
    }

    /// What is done once at start: drafts recovered, old call records forgotten.
    fn tidy(&mut self) {
        let recordings = &self.recordings;
        let work = |connection: &mut Connection| -> Result<_, Failure> {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let recovered = voicemail::recover(&transaction, recordings)?;
            calls::prune(&transaction)?;
            transaction.commit()?;
            Ok(recovered)
        };
        match work(&mut self.connection) {
            Ok(recovered) if recovered == voicemail::Recovered::default() => {}
            Ok(recovered) => tracing::warn!(
                "Cordboard was stopped while callers were being recorded: {} recordings were kept, \
                 {} dropped",
                recovered.kept,
                recovered.dropped
            ),
            Err(failure) => self.tell_fault(&failure),
        }
    }

    fn alone(&mut self, request: &StoreRequest) -> Option<StoreReply> {
        let result = match self.together(std::slice::from_ref(request)) {
            Ok(mut results) => results.pop().unwrap_or(Ok(None)),
            Err(failure) => Err(failure),
        };
        self.reply_to(request, result)
    }

    /// One transaction. A request that fails by itself leaves no trace and the others stand; an error
    /// means that nothing stands.
    fn together(
        &mut self,
        requests: &[StoreRequest],
    ) -> Result<Vec<Result<Option<StoreReply>, Failure>>, Failure> {
        let durability = requests.iter().map(durability).max().flatten();
        self.set_durability(durability.unwrap_or(Durability::Crash))?;
        let behavior = match durability {
            Some(_) => TransactionBehavior::Immediate,
            None => TransactionBehavior::Deferred,
        };
        let mut transaction = self.connection.transaction_with_behavior(behavior)?;
        let mut results = Vec::with_capacity(requests.len());
        for request in requests {
            let savepoint = transaction.savepoint()?;
            let spoilt = draft_of(request)
                .is_some_and(|draft| self.spoilt.contains(&draft) || self.refused.contains(&draft));
            let result = if spoilt {
                Err(Failure::NoDraft)
            } else {
                perform(&savepoint, &self.recordings, self.disk, request)
            };
            match result {
                Ok(reply) => {
                    savepoint.commit()?;
                    results.push(Ok(reply));
                }
                Err(failure) => {
                    if savepoint.finish().is_err() || transaction.is_autocommit() {
                        return Err(failure);
                    }
                    if let (StoreRequest::Append { sound, .. }, true) =
                        (request, failure.is_of_disk())
                    {
                        // What follows in this transaction must not close the gap.
                        self.spoilt.insert(*sound);
                    }
                    results.push(Err(failure));
                }
            }
        }
        transaction.commit()?;
        Ok(results)
    }

    fn set_durability(&self, durability: Durability) -> Result<(), rusqlite::Error> {
        let synchronous = match durability {
            Durability::Crash => "NORMAL",
            Durability::PowerLoss => "FULL",
        };
        self.connection.pragma_update(None, "synchronous", synchronous)
    }

    /// What to tell whoever asked; takes note of a failure.
    fn reply_to(
        &mut self,
        request: &StoreRequest,
        result: Result<Option<StoreReply>, Failure>,
    ) -> Option<StoreReply> {
        let failure = match result {
            Ok(reply) => return reply,
            Err(failure) => failure,
        };
        self.failed += 1;
        if failure.is_of_disk() {
            self.spoilt.extend(draft_of(request));
            self.tell_fault(&failure);
        }
        Some(StoreReply::Failed)
    }

    /// Logs a fault unless it is known.
    fn tell_fault(&mut self, failure: &Failure) {
        if let Failure::File(why) = failure {
            return self.recordings.tell_fault(why);
        }
        if self.disk == Disk::Works {
            self.disk = Disk::Faulty;
            tracing::error!(
                "{} cannot be used ({failure}): calls go on, but no voicemail and no record of a \
                 call is kept until its disk works again",
                self.path.display()
            );
        }
    }

    fn drop_spoilt(&mut self) {
        if self.spoilt.is_empty() {
            return;
        }
        let dropped = self.connection.transaction().and_then(|transaction| {
            for sound in &self.spoilt {
                voicemail::drop_draft(&transaction, *sound)?;
            }
            transaction.commit()
        });
        // As long as it fails, they are known to be spoilt.
        if dropped.is_ok() {
            self.spoilt.clear();
        }
    }

    /// Fills more than what may still be free in pages that the database has already.
    fn write_probe(&self) -> Result<(), rusqlite::Error> {
        self.set_durability(Durability::PowerLoss)?;
        // Gives back what the log takes, which on a full disk may be what is missing.
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        let sql = "INSERT INTO probe (filler) VALUES (zeroblob(?1))";
        let written = self.connection.execute(sql, [PROBE_BYTES]);
        self.connection.execute("DELETE FROM probe", [])?;
        written.map(|_| ())
    }
}

impl Failure {
    /// Whether the disk, or SQLite, is at fault, rather than the request.
    fn is_of_disk(&self) -> bool {
        match self {
            Self::Sqlite(why) => why.sqlite_error_code() != Some(ErrorCode::ConstraintViolation),
            Self::File(_) => true,
            Self::NoDraft | Self::BadName => false,
        }
    }
}

/// What a commit with this request must outlive; `None` for a request that only reads.
fn durability(request: &StoreRequest) -> Option<Durability> {
    match request {
        StoreRequest::Mailbox { .. }
        | StoreRequest::Messages { .. }
        | StoreRequest::Sound { .. }
        | StoreRequest::Recording { .. } => None,
        StoreRequest::PutBinding(_)
        | StoreRequest::RemoveBinding { .. }
        | StoreRequest::Begin { .. }
        | StoreRequest::Append { .. }
        | StoreRequest::Drop { .. }
        | StoreRequest::MarkHeard { .. }
        | StoreRequest::Call(_) => Some(Durability::Crash),
        StoreRequest::Keep { .. } | StoreRequest::Delete { .. } | StoreRequest::SetPin { .. } => {
            Some(Durability::PowerLoss)
        }
    }
}

/// The draft that a request begins, adds to, keeps or drops.
pub(crate) fn draft_of(request: &StoreRequest) -> Option<SoundId> {
    match request {
        StoreRequest::Begin { sound, .. }
        | StoreRequest::Append { sound, .. }
        | StoreRequest::Keep { sound, .. }
        | StoreRequest::Drop { sound } => Some(*sound),
        StoreRequest::PutBinding(_)
        | StoreRequest::RemoveBinding { .. }
        | StoreRequest::Mailbox { .. }
        | StoreRequest::Messages { .. }
        | StoreRequest::Sound { .. }
        | StoreRequest::Recording { .. }
        | StoreRequest::MarkHeard { .. }
        | StoreRequest::Delete { .. }
        | StoreRequest::SetPin { .. }
        | StoreRequest::Call(_) => None,
    }
}

fn both((ticket, reply): (Option<Ticket>, Option<StoreReply>)) -> Option<(Ticket, StoreReply)> {
    ticket.zip(reply)
}

/// Carries out one request and gives back its reply, if it gets one.
fn perform(
    connection: &Connection,
    recordings: &Recordings,
    disk: Disk,
    request: &StoreRequest,
) -> Result<Option<StoreReply>, Failure> {
    match request {
        StoreRequest::PutBinding(binding) => bindings::put(connection, binding)?,
        StoreRequest::RemoveBinding { account, contact } => {
            bindings::remove(connection, account, contact)?;
        }
        StoreRequest::Mailbox { mailbox, .. } => {
            let record = voicemail::mailbox(connection, mailbox, disk)?;
            return Ok(Some(StoreReply::Mailbox(record)));
        }
        StoreRequest::Messages { mailbox, .. } => {
            return Ok(Some(StoreReply::Messages(voicemail::messages(connection, mailbox)?)));
        }
        StoreRequest::Sound { sound, .. } => {
            let samples = voicemail::sound(connection, *sound)?;
            return Ok(Some(StoreReply::Sound(samples.map(Arc::new))));
        }
        StoreRequest::Recording { name, .. } => {
            let samples = crate::recordings::is_name(name).then(|| recordings.read(name)).flatten();
            return Ok(Some(StoreReply::Sound(samples.map(Arc::new))));
        }
        StoreRequest::Begin { sound, kind } => voicemail::begin(connection, *sound, kind)?,
        StoreRequest::Append { sound, samples } => {
            voicemail::append(connection, *sound, samples)?;
        }
        StoreRequest::Keep { sound, length, .. } => {
            voicemail::keep(connection, recordings, *sound, *length)?;
            return Ok(Some(StoreReply::Done));
        }
        StoreRequest::Drop { sound } => voicemail::drop_draft(connection, *sound)?,
        StoreRequest::MarkHeard { sound } => voicemail::mark_heard(connection, *sound)?,
        StoreRequest::Delete { sounds, .. } => {
            voicemail::delete(connection, sounds)?;
            return Ok(Some(StoreReply::Done));
        }
        StoreRequest::SetPin { mailbox, pin, .. } => {
            voicemail::set_pin(connection, mailbox, pin)?;
            return Ok(Some(StoreReply::Done));
        }
        StoreRequest::Call(call) => calls::put(connection, call)?,
    }
    Ok(None)
}

/// Opens or creates the database for writing and brings it up to date.
fn connect(path: &Path) -> Result<Connection, SchemaError> {
    if let Some(parent) = path.parent()
        && let Err(why) = fs::create_dir_all(parent)
    {
        // SQLite will fail as well, and say so.
        tracing::debug!("{}: {why}", parent.display());
    }
    create_private(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Looks before it touches anything.
    schema::format(&connection, path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES_MAX)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    schema::migrate(&mut connection, path)?;
    Ok(connection)
}

/// Makes the file before SQLite does, so that nobody else on the machine can read what is in it.
pub(crate) fn create_private(path: &Path) {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    if let Err(why) = options.open(path) {
        tracing::trace!("{}: {why}", path.display());
    }
}

/// Something to read from while the disk cannot be written: the file as it is, or else nothing.
pub(crate) fn substitute(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if let Ok(connection) = open_read_only(path, flags)
        && schema::format(&connection, path).is_ok_and(|format| format == MIGRATIONS.len())
    {
        return Ok(connection);
    }
    let connection = Connection::open_in_memory()?;
    for step in MIGRATIONS {
        connection.execute_batch(step)?;
    }
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Opens a file for reading, also on a disk on which not even a lock can be written.
pub(crate) fn open_read_only(path: &Path, flags: OpenFlags) -> Result<Connection, rusqlite::Error> {
    let readable = |connection: Connection| {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(connection)
    };
    let opened = Connection::open_with_flags(path, flags).and_then(readable);
    opened.or_else(|why| {
        let uri = format!("file:{}?immutable=1", escaped(path).ok_or(why)?);
        Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI).and_then(readable)
    })
}

/// A path as SQLite's URIs want it.
fn escaped(path: &Path) -> Option<String> {
    let path = path.to_str()?;
    Some(path.replace('%', "%25").replace('?', "%3f").replace('#', "%23"))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// How long another process may hold the database, such as somebody's backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// The write-ahead log is cut to this after a checkpoint.
const WAL_BYTES_MAX: i64 = 16 << 20;

/// More than there are statements in this crate.
const STATEMENTS_MAX: usize = 64;

/// More than may be free in pages already taken.
const PROBE_BYTES: i64 = 64 << 10;

/// A larger database is not read through after a crash: it would hold up voicemail for too long.
const CHECK_BYTES_MAX: u64 = 256 << 20;
