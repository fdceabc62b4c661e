//! What became of calls.

use std::time::Duration;

use pbx::records::{CallRecord, UnixMs};
use rusqlite::{Connection, Result, Row};

use crate::bindings::parsed;

/// Keeps one.
pub(crate) fn put(connection: &Connection, call: &CallRecord) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO call (call, caller, dialled, account, source, started_at, answered_after_ms,
             ended_after_ms, status, answered_by, ending)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    statement.execute((
        &call.id,
        &call.from,
        &call.to,
        &call.account,
        call.source.to_string(),
        call.started_at.0,
        call.answered_after.map(milliseconds),
        milliseconds(call.ended_after),
        call.status,
        &call.answered_by,
        &call.ending,
    ))?;
    Ok(())
}

/// The latest ones, latest first.
pub(crate) fn latest(connection: &Connection, limit: usize) -> Result<Vec<CallRecord>> {
    let mut statement = connection.prepare(
        "SELECT call, caller, dialled, account, source, started_at, answered_after_ms,
             ended_after_ms, status, answered_by, ending
         FROM call ORDER BY id DESC LIMIT ?1",
    )?;
    let rows = statement.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], call)?;
    rows.collect()
}

fn call(row: &Row<'_>) -> Result<CallRecord> {
    Ok(CallRecord {
        id: row.get(0)?,
        from: row.get(1)?,
        to: row.get(2)?,
        account: row.get(3)?,
        source: parsed(row, 4)?,
        started_at: UnixMs(row.get(5)?),
        answered_after: row.get::<_, Option<i64>>(6)?.map(duration),
        ended_after: duration(row.get(7)?),
        status: row.get(8)?,
        answered_by: row.get(9)?,
        ending: row.get(10)?,
    })
}

/// Forgets all but the latest [`CALLS_MAX`].
pub(crate) fn prune(connection: &Connection) -> Result<()> {
    let sql = "DELETE FROM call WHERE id <= (SELECT max(id) FROM call) - ?1";
    connection.execute(sql, [CALLS_MAX])?;
    Ok(())
}

pub(crate) fn milliseconds(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

pub(crate) fn duration(milliseconds: i64) -> Duration {
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0))
}

/// Call records kept, some 200 bytes each; older ones go at the next start.
const CALLS_MAX: i64 = 1_000_000;
