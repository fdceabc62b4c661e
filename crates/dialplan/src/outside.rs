//! What a script asks of the world outside of its call, and what comes back.

use std::fmt;
use std::time::Duration;

/// A request to another program over HTTP (RFC 9110). Outcome: [`Fetched`](crate::Outcome::Fetched).
#[derive(Clone, PartialEq, Eq)]
pub struct Fetch {
    /// `GET`, `POST` and the like; letters only.
    pub method: String,
    /// An absolute `http:` or `https:` address without user, fragment, spaces or control characters.
    pub url: String,
    /// In order; none that the client itself is in charge of.
    pub headers: Vec<(String, String)>,
    /// May be empty.
    pub body: Vec<u8>,
    /// For all of it, redirects counted.
    pub timeout: Duration,
    /// Bytes of the answer's body, at most.
    pub body_bytes_max: usize,
    /// How many redirects are followed.
    pub redirects_max: u8,
    /// The line of the script that asks: file and line, from 1.
    pub at: Option<(String, u32)>,
}

/// An address and headers may hold secrets, so nothing of them is shown.
impl fmt::Debug for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetch").field("method", &self.method).finish_non_exhaustive()
    }
}

/// An answer to a [`Fetch`].
#[derive(Clone, PartialEq, Eq)]
pub struct Fetched {
    /// 200 to 999.
    pub status: u16,
    /// In order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// No longer than was allowed.
    pub body: Vec<u8>,
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetched")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why there is no answer to a [`Fetch`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchFault {
    /// A word or two that a script can compare: `timeout`, `refused`, `not allowed`.
    pub why: &'static str,
    /// What to do about it, where there is more to say.
    pub advice: String,
}

/// Statements for the scripts' own database. Outcome: [`Queried`](crate::Outcome::Queried).
#[derive(Clone, PartialEq)]
pub struct Query {
    /// What is wanted of them.
    pub wants: Wants,
    /// At least one; exactly one unless a transaction is wanted.
    pub statements: Vec<Statement>,
    /// The line of the script that asks, for a log of what is slow: file and line, from 1.
    pub at: Option<(String, u32)>,
}

/// What is wanted of a [`Query`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// Rows.
    Rows,
    /// How many rows were changed.
    Changes,
    /// That of each statement; all take place or none does.
    Transaction,
}

/// One SQL statement with its values, which are never a part of its text.
#[derive(Clone, PartialEq)]
pub struct Statement {
    /// The text.
    pub sql: String,
    /// Its values.
    pub values: SqlValues,
}

/// Values for a statement.
#[derive(Clone, PartialEq)]
pub enum SqlValues {
    /// For `?`, as many as there are.
    InOrder(Vec<SqlValue>),
    /// For `:name`, without the colon; those that are missing are NULL.
    Named(Vec<(String, SqlValue)>),
}

/// Values may be anybody's, so they are not shown.
impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statement").field("sql", &self.sql).finish_non_exhaustive()
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query").field("statements", &self.statements).finish_non_exhaustive()
    }
}

/// A value in a database.
#[derive(Debug, Clone, PartialEq)]
pub enum SqlValue {
    /// Nothing.
    Null,
    /// Also stands for true and false, as 1 and 0.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes that are no text.
    Blob(Vec<u8>),
}

/// What came of a [`Query`].
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Rows were wanted.
    Rows {
        /// Names of the columns.
        columns: Vec<String>,
        /// As many values in each as there are columns.
        rows: Vec<Vec<SqlValue>>,
    },
    /// Changes were wanted: one for each statement.
    Changed(Vec<Changed>),
}

/// What a statement changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// Rows.
    pub rows: u64,
    /// Of the row that was inserted last.
    pub last_id: i64,
}
