//! The scripts' own database: a file of its own, on a thread of its own.
//!
//! Scripts bring their own SQL, so it runs where it can do no harm: it reaches no other file, it is
//! stopped when it takes too long, and what it gives back is bounded. [`ScriptDatabase`] does one
//! thing at a time and can live in memory; [`Queries`] has it on a thread.

mod queries;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pbx::{Answer, Changed, Query, SqlValue, SqlValues, Statement, Wants};
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Error, ErrorCode};

use crate::database;

pub use queries::{QUERIES_MAX, Queries};

/// A database for what scripts ask.
#[derive(Debug)]
pub struct ScriptDatabase {
    connection: Connection,
    watch: Arc<Watch>,
}

/// What the hooks of a connection look at.
#[derive(Debug)]
struct Watch {
    base: Instant,
    /// When the statement under way is stopped, in milliseconds after `base`.
    stop_at_ms: AtomicU64,
    /// Whether a transaction is begun or ended by us, which scripts must not.
    ours: AtomicBool,
}

impl ScriptDatabase {
    /// One that is gone with its owner, for tests of scripts.
    ///
    /// # Errors
    /// What SQLite says; only without memory.
    pub fn in_memory() -> Result<Self, Error> {
        Self::over(Connection::open_in_memory()?)
    }

    /// Opens or creates the file at `path`.
    ///
    /// # Errors
    /// What SQLite says: it cannot be opened, or is no database.
    pub fn at(path: &Path) -> Result<Self, Error> {
        database::create_private(path);
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_MAX)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "journal_size_limit", WAL_BYTES_MAX)?;
        Self::over(connection)
    }

    fn over(mut connection: Connection) -> Result<Self, Error> {
        connection.pragma_update(None, "foreign_keys", "ON")?;
        let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        connection.pragma_update(None, "max_page_count", FILE_BYTES_MAX / page.max(1))?;
        // What is made with CREATE TEMP lies in a file of its own, with a bound of its own.
        let temporary = Some("temp");
        connection.pragma_update(temporary, "max_page_count", TEMP_BYTES_MAX / page.max(1))?;
        for (limit, most) in LIMITS {
            connection.set_limit(*limit, *most)?;
        }
        let watch = Arc::new(Watch {
            base: Instant::now(),
            stop_at_ms: AtomicU64::new(u64::MAX),
            ours: AtomicBool::new(false),
        });
        let clock = Arc::clone(&watch);
        connection.progress_handler(STEPS_PER_LOOK, Some(move || clock.is_over()))?;
        let guard = Arc::clone(&watch);
        connection.authorizer(Some(move |context: AuthContext<'_>| {
            match guard.ours.load(Ordering::Relaxed) || is_harmless(&context.action) {
                true => Authorization::Allow,
                false => Authorization::Deny,
            }
        }))?;
        Ok(Self { connection, watch })
    }

    /// Carries out a query.
    ///
    /// # Errors
    /// What is wrong, for the author of the script.
    pub fn run(&mut self, query: &Query) -> Result<Answer, String> {
        self.watch.begin(RUN_MAX);
        let done = match query.wants {
            Wants::Rows => self.one(query).and_then(|statement| self.rows(statement)),
            Wants::Changes => self
                .one(query)
                .and_then(|statement| self.change(statement))
                .map(|changed| Answer::Changed(vec![changed])),
            Wants::Transaction => self.transaction(&query.statements).map(Answer::Changed),
        };
        self.watch.end();
        done
    }

    fn one<'q>(&self, query: &'q Query) -> Result<&'q Statement, String> {
        query.statements.first().ok_or_else(|| "there is no statement".to_owned())
    }

    fn rows(&self, statement: &Statement) -> Result<Answer, String> {
        let mut prepared = self.prepare(statement)?;
        let columns: Vec<String> = prepared.column_names().map(str::to_owned).collect();
        let mut rows = prepared.raw_query();
        let (mut list, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next().map_err(|error| told(&error))? {
            if list.len() >= ROWS_MAX {
                return Err(format!("gives more than {ROWS_MAX} rows; add LIMIT"));
            }
            let mut values = Vec::with_capacity(columns.len());
            for index in 0..columns.len() {
                let value = row.get_ref(index).map_err(|error| told(&error))?;
                bytes += VALUE_BYTES + value.as_bytes().map_or(0, <[u8]>::len);
                if bytes > ROWS_BYTES_MAX {
                    return Err(format!(
                        "gives more than {} KiB; ask for fewer rows or columns",
                        ROWS_BYTES_MAX / 1_024
                    ));
                }
                values.push(from_sql(value));
            }
            list.push(values);
        }
        Ok(Answer::Rows { columns, rows: list })
    }

    fn change(&self, statement: &Statement) -> Result<Changed, String> {
        let before = self.connection.total_changes();
        let mut prepared = self.prepare(statement)?;
        // SQLite would carry out an INSERT with RETURNING before it says so.
        if prepared.column_count() > 0 {
            return Err(told(&Error::ExecuteReturnedResults));
        }
        prepared.raw_execute().map_err(|error| told(&error))?;
        let rows = self.connection.total_changes().saturating_sub(before);
        Ok(Changed { rows, last_id: self.connection.last_insert_rowid() })
    }

    fn transaction(&self, statements: &[Statement]) -> Result<Vec<Changed>, String> {
        self.ours("BEGIN IMMEDIATE").map_err(|error| told(&error))?;
        let numbered = statements.iter().zip(1..);
        let done: Result<Vec<Changed>, String> = numbered
            .map(|(statement, number)| {
                self.change(statement).map_err(|why| format!("statement {number}: {why}"))
            })
            .collect();
        let done = done.and_then(|changed| {
            self.ours("COMMIT").map_err(|error| told(&error)).map(|()| changed)
        });
        if done.is_err() && !self.connection.is_autocommit() {
            // It takes no time that anybody waits for, and must not be stopped half way.
            self.watch.end();
            if let Err(error) = self.ours("ROLLBACK") {
                tracing::error!("a transaction of a script cannot be taken back: {error}");
            }
        }
        done
    }

    /// Runs a statement that scripts must not.
    fn ours(&self, sql: &str) -> Result<(), Error> {
        self.watch.ours.store(true, Ordering::Relaxed);
        let done = self.connection.execute_batch(sql);
        self.watch.ours.store(false, Ordering::Relaxed);
        done
    }

    fn prepare(&self, statement: &Statement) -> Result<rusqlite::Statement<'_>, String> {
        let mut prepared = self.connection.prepare(&statement.sql).map_err(|error| told(&error))?;
        if prepared.expanded_sql().is_none_or(|sql| sql.trim().is_empty()) {
            return Err("there is no statement in it".into());
        }
        let count = prepared.parameter_count();
        match &statement.values {
            SqlValues::InOrder(values) => {
                if count != values.len() {
                    let are = if count == 1 { "value is" } else { "values are" };
                    return Err(format!("{count} {are} needed, {} were given", values.len()));
                }
                for (index, value) in (1..).zip(values) {
                    bind(&mut prepared, index, value)?;
                }
            }
            SqlValues::Named(values) => {
                let nameless = |index| prepared.parameter_name(index).is_none();
                if (1..=count).any(nameless) {
                    return Err("values are given by name, but the statement has ?".into());
                }
                for (name, value) in values {
                    let index = prepared.parameter_index(&format!(":{name}"));
                    match index.map_err(|error| told(&error))? {
                        Some(index) => bind(&mut prepared, index, value)?,
                        None => return Err(format!("the statement has no :{name}")),
                    }
                }
            }
        }
        Ok(prepared)
    }
}

impl Watch {
    fn begin(&self, time: Duration) {
        let at = self.base.elapsed() + time;
        self.stop_at_ms.store(at.as_millis() as u64, Ordering::Relaxed);
    }

    fn end(&self) {
        self.stop_at_ms.store(u64::MAX, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.base.elapsed().as_millis() as u64 >= self.stop_at_ms.load(Ordering::Relaxed)
    }
}

/// Whether a statement stays within its database, and leaves it in a state for the next. What is not
/// known to be harmless is not.
#[expect(clippy::wildcard_enum_match_arm, reason = "SQLite may learn to do more")]
fn is_harmless(action: &AuthAction<'_>) -> bool {
    match action {
        AuthAction::CreateIndex { .. }
        | AuthAction::CreateTable { .. }
        | AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempView { .. }
        | AuthAction::CreateTrigger { .. }
        | AuthAction::CreateView { .. }
        | AuthAction::Delete { .. }
        | AuthAction::DropIndex { .. }
        | AuthAction::DropTable { .. }
        | AuthAction::DropTempIndex { .. }
        | AuthAction::DropTempTable { .. }
        | AuthAction::DropTempTrigger { .. }
        | AuthAction::DropTempView { .. }
        | AuthAction::DropTrigger { .. }
        | AuthAction::DropView { .. }
        | AuthAction::Insert { .. }
        | AuthAction::Read { .. }
        | AuthAction::Select
        | AuthAction::Update { .. }
        | AuthAction::AlterTable { .. }
        | AuthAction::Reindex { .. }
        | AuthAction::Analyze { .. }
        | AuthAction::Recursive => true,
        // The second hands out addresses of functions in memory, and takes others for them.
        AuthAction::Function { function_name } => !["load_extension", "fts3_tokenizer"]
            .iter()
            .any(|dangerous| function_name.eq_ignore_ascii_case(dangerous)),
        // Those that come with SQLite and know no files.
        AuthAction::CreateVtable { module_name, .. }
        | AuthAction::DropVtable { module_name, .. } => {
            ["fts5", "rtree"].iter().any(|own| module_name.eq_ignore_ascii_case(own))
        }
        _ => false,
    }
}

fn bind(
    prepared: &mut rusqlite::Statement<'_>,
    index: usize,
    value: &SqlValue,
) -> Result<(), String> {
    let value = match value {
        SqlValue::Null => ToSqlOutput::Owned(Value::Null),
        SqlValue::Integer(number) => ToSqlOutput::Owned(Value::Integer(*number)),
        SqlValue::Real(number) => ToSqlOutput::Owned(Value::Real(*number)),
        SqlValue::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        SqlValue::Blob(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
    };
    prepared.raw_bind_parameter(index, value).map_err(|error| told(&error))
}

fn from_sql(value: ValueRef<'_>) -> SqlValue {
    match value {
        ValueRef::Null => SqlValue::Null,
        ValueRef::Integer(number) => SqlValue::Integer(number),
        ValueRef::Real(number) => SqlValue::Real(number),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => SqlValue::Text(text.to_owned()),
            Err(_) => SqlValue::Blob(bytes.to_vec()),
        },
        ValueRef::Blob(bytes) => SqlValue::Blob(bytes.to_vec()),
    }
}

/// What went wrong, for the author of the statement; never with values in it.
fn told(error: &Error) -> String {
    if matches!(error, Error::MultipleStatement) {
        return "there is more than one statement; db.transaction runs several".into();
    }
    if matches!(error, Error::ExecuteReturnedResults) {
        return "the statement gives rows; use db.query".into();
    }
    let code = error.sqlite_error_code();
    let is = |kind| code == Some(kind);
    if is(ErrorCode::OperationInterrupted) {
        return format!("took longer than {} seconds", RUN_MAX.as_secs());
    }
    if is(ErrorCode::AuthorizationForStatementDenied) {
        return "not for scripts: there is no ATTACH, PRAGMA, VACUUM INTO or BEGIN; db.transaction \
                runs several statements together"
            .into();
    }
    if is(ErrorCode::DatabaseBusy) || is(ErrorCode::DatabaseLocked) {
        return "the database is locked by another program".into();
    }
    if is(ErrorCode::ReadOnly) {
        return "the database cannot be written: its file or folder is read-only".into();
    }
    if is(ErrorCode::DiskFull) {
        let most = FILE_BYTES_MAX >> 20;
        return format!("the disk is full, or the database larger than {most} MiB");
    }
    if let Error::SqliteFailure(_, Some(message)) | Error::SqlInputError { msg: message, .. } =
        error
    {
        return message.clone();
    }
    error.to_string()
}

/// How long a query or transaction may work.
const RUN_MAX: Duration = Duration::from_secs(2);
/// How long to wait for another program that has locked the file.
const BUSY_MAX: Duration = Duration::from_secs(1);
/// Rows that a query gives.
const ROWS_MAX: usize = 1_000;
/// Bytes that a query gives.
const ROWS_BYTES_MAX: usize = 256 * 1_024;
/// What a value counts without its text.
const VALUE_BYTES: usize = 8;
/// Steps of SQLite's machine between two looks at the clock.
const STEPS_PER_LOOK: i32 = 1_000;
/// Largest file.
const FILE_BYTES_MAX: i64 = 1 << 30;
/// Largest file of temporary tables; it is gone when the exchange stops.
const TEMP_BYTES_MAX: i64 = 64 << 20;
/// What is kept of the write-ahead log after a checkpoint.
const WAL_BYTES_MAX: i64 = 16 << 20;
/// Bounds of what one statement can be; beyond, SQLite refuses it. Most of them are what one step
/// could take long for, since a step cannot be stopped.
const LIMITS: &[(Limit, i32)] = &[
    (Limit::SQLITE_LIMIT_LENGTH, 256 * 1_024),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 64 * 1_024),
    (Limit::SQLITE_LIMIT_COLUMN, 200),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 200),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 50),
    (Limit::SQLITE_LIMIT_VDBE_OP, 100_000),
    (Limit::SQLITE_LIMIT_FUNCTION_ARG, 32),
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 256),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 200),
    (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 10),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
];

#[cfg(test)]
mod tests;
