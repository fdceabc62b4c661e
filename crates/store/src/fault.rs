//! What can go wrong, by what is done about it.

use std::io;
use std::path::PathBuf;

/// Why a database cannot be used. The disk being full or read-only is none of these: the store
/// starts without it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A later version of Cordboard wrote it.
    #[error(
        "{path} was written by a later version of Cordboard (its format is {found}, known is {known}): use that version, or another data folder"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The latest format known here.
        known: u32,
    },
    /// It belongs to another program.
    #[error("{path} is the database of another program: choose another data folder")]
    Foreign {
        /// The database.
        path: PathBuf,
    },
    /// It cannot be read as a database.
    #[error(
        "{path} is damaged ({why}): move it away to start afresh, or put a good copy in its place"
    )]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        why: rusqlite::Error,
    },
    /// There is nothing to read; only a [`Reader`](crate::Reader) says so.
    #[error("{path} cannot be read: {why}")]
    Unreadable {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        why: rusqlite::Error,
    },
    /// The system gives us no thread.
    #[error("the store's thread cannot be started: {0}")]
    Thread(io::Error),
}

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The disk's fault, or SQLite's.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The disk's fault, with a recording's file.
    #[error("{0}")]
    File(#[from] io::Error),
    /// The draft is gone because part of it could not be written, as was logged then.
    #[error("no such draft")]
    NoDraft,
    /// A recording's name would lead out of the recordings folder.
    #[error("not the name of a recording")]
    BadName,
}
