//! Registered contacts.

use std::str::FromStr;

use pbx::records::{BindingRecord, Transport, UnixMs};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, Result, Row};

/// Adds or replaces a binding.
pub(crate) fn put(connection: &Connection, binding: &BindingRecord) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO binding (account, contact, call_id, cseq, q_thousandths, transport, local,
             remote, expires_at, user_agent)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (account, contact) DO UPDATE SET
             call_id = excluded.call_id, cseq = excluded.cseq,
             q_thousandths = excluded.q_thousandths, transport = excluded.transport,
             local = excluded.local, remote = excluded.remote,
             expires_at = excluded.expires_at, user_agent = excluded.user_agent",
    )?;
    statement.execute((
        &binding.account,
        &binding.contact,
        &binding.call_id,
        binding.cseq,
        binding.q_thousandths,
        match binding.transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        },
        binding.local.to_string(),
        binding.remote.to_string(),
        binding.expires_at.0,
        &binding.user_agent,
    ))?;
    Ok(())
}

/// Removes a binding if there is one.
pub(crate) fn remove(connection: &Connection, account: &str, contact: &str) -> Result<()> {
    let sql = "DELETE FROM binding WHERE account = ?1 AND contact = ?2";
    connection.prepare_cached(sql)?.execute((account, contact))?;
    Ok(())
}

/// All bindings. One that cannot be understood is left out: its phone will register again.
pub(crate) fn all(connection: &Connection) -> Result<Vec<BindingRecord>> {
    let mut statement = connection.prepare(
        "SELECT account, contact, call_id, cseq, q_thousandths, transport, local, remote,
             expires_at, user_agent
         FROM binding ORDER BY account, contact",
    )?;
    let rows = statement.query_map([], binding)?;
    Ok(rows.filter_map(Result::ok).collect())
}

fn binding(row: &Row<'_>) -> Result<BindingRecord> {
    Ok(BindingRecord {
        account: row.get(0)?,
        contact: row.get(1)?,
        call_id: row.get(2)?,
        cseq: row.get(3)?,
        q_thousandths: row.get(4)?,
        transport: match row.get_ref(5)?.as_str()? {
            "udp" => Transport::Udp,
            "tcp" => Transport::Tcp,
            _ => return Err(Error::InvalidColumnType(5, "transport".into(), Type::Text)),
        },
        local: parsed(row, 6)?,
        remote: parsed(row, 7)?,
        expires_at: UnixMs(row.get(8)?),
        user_agent: row.get(9)?,
    })
}

/// A text column read as something else.
pub(crate) fn parsed<T: FromStr>(row: &Row<'_>, column: usize) -> Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|why| Error::FromSqlConversionFailure(column, Type::Text, Box::new(why)))
}
