//! The format of the database: created, recognised and brought up to date.

use std::path::Path;

use rusqlite::{Connection, Error, ErrorCode, TransactionBehavior};

use crate::OpenError;

/// One step from each format to the next. Steps are never changed once released.
pub(crate) const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001.sql")];

/// Marks the file as ours: "Cord" in ASCII.
const APPLICATION_ID: i32 = 0x436f_7264;

/// What looking at a database brought up.
#[derive(Debug)]
pub(crate) enum SchemaError {
    /// It must not be touched.
    Unusable(OpenError),
    /// The disk does not work.
    Disk(Error),
}

impl From<Error> for SchemaError {
    fn from(error: Error) -> Self {
        Self::Disk(error)
    }
}

/// Brings a database up to date; a new one gets everything.
pub(crate) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), SchemaError> {
    let found = format(connection, path)?;
    let Some(steps) = MIGRATIONS.get(found..).filter(|steps| !steps.is_empty()) else {
        return Ok(());
    };
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in steps {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
    Ok(transaction.commit()?)
}

/// The format of a database, 0 if it is empty.
pub(crate) fn format(connection: &Connection, path: &Path) -> Result<usize, SchemaError> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let read = || {
        let tables = "SELECT count(*) FROM sqlite_schema";
        let tables: i64 = connection.query_row(tables, [], |row| row.get(0))?;
        Ok((number("application_id")?, number("user_version")?, tables))
    };
    let (application, version, tables) = read().map_err(|why| unusable(why, path))?;
    let path = || path.to_owned();
    match (application, usize::try_from(version)) {
        (0, Ok(0)) if tables == 0 => Ok(0),
        (id, Ok(version)) if id == i64::from(APPLICATION_ID) => {
            if version > MIGRATIONS.len() {
                let found = u32::try_from(version).unwrap_or(u32::MAX);
                let known = MIGRATIONS.len() as u32;
                return Err(SchemaError::Unusable(OpenError::Newer { path: path(), found, known }));
            }
            Ok(version)
        }
        _ => Err(SchemaError::Unusable(OpenError::Foreign { path: path() })),
    }
}

/// Tells a damaged file from a disk that does not work.
pub(crate) fn unusable(why: Error, path: &Path) -> SchemaError {
    match why.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            SchemaError::Unusable(OpenError::Damaged { path: path.to_owned(), why })
        }
        Some(_) | None => SchemaError::Disk(why),
    }
}
