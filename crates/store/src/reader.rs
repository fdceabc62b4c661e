//! Looking at the database from outside the running switch, as the command line does.

use std::path::Path;

use pbx::records::{CallRecord, MessageRecord, SoundId};
use rusqlite::{Connection, OpenFlags};

use crate::database::open_read_only;
use crate::schema::{self, MIGRATIONS, SchemaError};
use crate::{OpenError, calls, voicemail};

/// Reads a database, also while a switch is using it. Changes nothing.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
}

/// How a mailbox stands, as far as its owner's friends may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxSummary {
    /// Its name.
    pub name: String,
    /// Messages not listened to yet.
    pub new_messages: u32,
    /// Messages listened to and kept.
    pub old_messages: u32,
    /// The greeting its owner recorded.
    pub greeting: Option<SoundId>,
}

impl Reader {
    /// Opens an existing database.
    ///
    /// # Errors
    /// See [`OpenError`]; a database of an earlier format reads as `Unreadable` until a switch was
    /// started on it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let unreadable = |why| OpenError::Unreadable { path: path.to_owned(), why };
        let connection =
            open_read_only(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(unreadable)?;
        match schema::format(&connection, path) {
            Ok(format) if format == MIGRATIONS.len() => Ok(Self { connection }),
            Ok(_) => Err(unreadable(rusqlite::Error::InvalidQuery)),
            Err(SchemaError::Unusable(error)) => Err(error),
            Err(SchemaError::Disk(why)) => Err(unreadable(why)),
        }
    }

    /// All mailboxes that were ever used, by name.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn mailboxes(&self) -> Result<Vec<MailboxSummary>, rusqlite::Error> {
        let mailboxes = voicemail::mailboxes(&self.connection)?;
        let summary = |(name, record): (String, pbx::records::MailboxRecord)| MailboxSummary {
            name,
            new_messages: record.new_messages,
            old_messages: record.old_messages,
            greeting: record.greeting,
        };
        Ok(mailboxes.into_iter().map(summary).collect())
    }

    /// The messages of a mailbox, oldest first; none if it was never used.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn messages(&self, mailbox: &str) -> Result<Vec<MessageRecord>, rusqlite::Error> {
        voicemail::messages(&self.connection, mailbox)
    }

    /// Linear 16-bit mono at 8,000 Hz of a message or greeting; `None` if there is none such.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn sound(&self, sound: SoundId) -> Result<Option<Vec<i16>>, rusqlite::Error> {
        voicemail::sound(&self.connection, sound)
    }

    /// The latest calls, latest first, at most `limit`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn calls(&self, limit: usize) -> Result<Vec<CallRecord>, rusqlite::Error> {
        calls::latest(&self.connection, limit)
    }

    /// What is wrong with the database, in SQLite's words; empty if nothing is. Reads all of it.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn flaws(&self) -> Result<Vec<String>, rusqlite::Error> {
        let mut statement = self.connection.prepare("PRAGMA integrity_check")?;
        let lines = statement.query_map([], |row| row.get(0))?;
        let lines: Vec<String> = lines.collect::<Result<_, _>>()?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }
}
