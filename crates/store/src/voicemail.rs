//! Mailboxes, messages, greetings, and the drafts that become them.
//!
//! The sound of a draft is written in pieces as it is spoken, each of which survives a crash. Keeping a
//! draft only cuts the end and moves its row, so that it costs the same however long it is.

use std::collections::BTreeMap;
use std::time::Duration;

use pbx::records::{Disk, DraftKind, MailboxRecord, MessageRecord, PinHash, SoundId, UnixMs};
use rusqlite::{Connection, OptionalExtension, Result, Row};

use crate::calls::{duration, milliseconds};
use crate::fault::Failure;
use crate::recordings::{self, Recordings};

/// Begins a draft.
pub(crate) fn begin(
    connection: &Connection,
    sound: SoundId,
    kind: &DraftKind,
) -> Result<(), Failure> {
    let (kind, target, caller, caller_name, received_at) = match kind {
        DraftKind::Message { mailbox, caller, caller_name, received_at } => {
            ("message", mailbox, caller.as_str(), caller_name.as_str(), received_at.0)
        }
        DraftKind::Greeting { mailbox } => ("greeting", mailbox, "", "", 0),
        DraftKind::Recording { name } if recordings::is_name(name) => {
            ("recording", name, "", "", 0)
        }
        DraftKind::Recording { .. } => return Err(Failure::BadName),
    };
    let sql = "INSERT INTO draft (sound, kind, target, caller, caller_name, received_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let row = (key(sound), kind, target, caller, caller_name, received_at);
    connection.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

/// Adds to a draft.
pub(crate) fn append(
    connection: &Connection,
    sound: SoundId,
    samples: &[i16],
) -> Result<(), Failure> {
    let sql = "SELECT count(*) FROM draft WHERE sound = ?1";
    let known: u32 = connection.prepare_cached(sql)?.query_row([key(sound)], |row| row.get(0))?;
    if known == 0 {
        return Err(Failure::NoDraft);
    }
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let place = length(connection, sound)?;
    let sql = "INSERT INTO chunk (sound, place, samples) VALUES (?1, ?2, ?3)";
    connection.prepare_cached(sql)?.execute((key(sound), place, bytes))?;
    Ok(())
}

/// Cuts a draft to `cut` and makes it what it was begun for. One without any sound is dropped.
pub(crate) fn keep(
    connection: &Connection,
    recordings: &Recordings,
    sound: SoundId,
    cut: Duration,
) -> Result<(), Failure> {
    let draft = draft(connection, sound)?.ok_or(Failure::NoDraft)?;
    shorten(connection, sound, samples(cut))?;
    let length = length(connection, sound)?;
    if length == 0 {
        return Ok(drop_draft(connection, sound)?);
    }
    match &draft {
        DraftKind::Message { mailbox, caller, caller_name, received_at } => {
            let sql = "INSERT INTO message (sound, mailbox, caller, caller_name, received_at,
                           length_ms)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let length_ms = length / SAMPLES_PER_MS;
            let row = (key(sound), mailbox, caller, caller_name, received_at.0, length_ms);
            connection.prepare_cached(sql)?.execute(row)?;
        }
        DraftKind::Greeting { mailbox } => {
            let sql = "DELETE FROM chunk
                       WHERE sound = (SELECT greeting FROM mailbox WHERE name = ?1)";
            connection.prepare_cached(sql)?.execute([mailbox])?;
            let sql = "INSERT INTO mailbox (name, greeting) VALUES (?1, ?2)
                       ON CONFLICT (name) DO UPDATE SET greeting = excluded.greeting";
            connection.prepare_cached(sql)?.execute((mailbox, key(sound)))?;
        }
        DraftKind::Recording { name } => {
            let mut file = recordings.create(sound)?;
            for_each_chunk(connection, sound, |bytes| file.append(bytes).map_err(Failure::from))?;
            file.finish(name)?;
            delete_chunks(connection, sound)?;
        }
    }
    let sql = "DELETE FROM draft WHERE sound = ?1";
    connection.prepare_cached(sql)?.execute([key(sound)])?;
    Ok(())
}

/// Forgets a draft; one that is not there is forgotten already.
pub(crate) fn drop_draft(connection: &Connection, sound: SoundId) -> Result<()> {
    let sql = "DELETE FROM draft WHERE sound = ?1";
    if connection.prepare_cached(sql)?.execute([key(sound)])? > 0 {
        delete_chunks(connection, sound)?;
    }
    Ok(())
}

/// What to do with drafts that were left behind when the process ended: messages of a second and
/// recordings are kept, everything else is dropped.
pub(crate) fn recover(
    connection: &Connection,
    recordings: &Recordings,
) -> Result<Recovered, Failure> {
    let mut statement = connection.prepare("SELECT sound FROM draft ORDER BY sound")?;
    let sounds: Vec<i64> = statement.query_map([], |row| row.get(0))?.collect::<Result<_>>()?;
    let mut recovered = Recovered::default();
    for sound in sounds.into_iter().map(name) {
        let worth_keeping = match draft(connection, sound)? {
            Some(DraftKind::Message { .. }) => length(connection, sound)? >= samples(RECOVERED_MIN),
            Some(DraftKind::Recording { .. }) => length(connection, sound)? > 0,
            Some(DraftKind::Greeting { .. }) | None => false,
        };
        if worth_keeping {
            keep(connection, recordings, sound, Duration::MAX)?;
            recovered.kept += 1;
        } else {
            drop_draft(connection, sound)?;
            recovered.dropped += 1;
        }
    }
    Ok(recovered)
}

/// What became of the drafts that were found at start.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recovered {
    pub(crate) kept: usize,
    pub(crate) dropped: usize,
}

/// How a mailbox stands.
pub(crate) fn mailbox(connection: &Connection, name: &str, disk: Disk) -> Result<MailboxRecord> {
    let sql = "SELECT pin_salt, pin_hash, greeting FROM mailbox WHERE name = ?1";
    let owned = connection
        .prepare_cached(sql)?
        .query_row([name], |row| Ok((pin(row)?, row.get::<_, Option<i64>>(2)?)))
        .optional()?;
    let sql = "SELECT count(*) FILTER (WHERE heard = 0), count(*) FILTER (WHERE heard <> 0)
               FROM message WHERE mailbox = ?1";
    let (new_messages, old_messages) =
        connection.prepare_cached(sql)?.query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (pin, greeting) = owned.unwrap_or_default();
    let greeting = greeting.map(self::name);
    Ok(MailboxRecord { pin, greeting, new_messages, old_messages, disk })
}

fn pin(row: &Row<'_>) -> Result<Option<PinHash>> {
    let salt: Option<[u8; 16]> = row.get(0)?;
    let hash: Option<[u8; 32]> = row.get(1)?;
    Ok(salt.zip(hash).map(|(salt, hash)| PinHash { salt, hash }))
}

/// The names of all mailboxes that were ever used, in order, with how they stand.
pub(crate) fn mailboxes(connection: &Connection) -> Result<BTreeMap<String, MailboxRecord>> {
    let sql = "SELECT name FROM mailbox UNION SELECT mailbox FROM message";
    let mut statement = connection.prepare(sql)?;
    let names: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_>>()?;
    let record = |name: String| {
        let record = mailbox(connection, &name, Disk::Works)?;
        Ok((name, record))
    };
    names.into_iter().map(record).collect()
}

/// The messages of a mailbox, oldest first.
pub(crate) fn messages(connection: &Connection, mailbox: &str) -> Result<Vec<MessageRecord>> {
    let sql = "SELECT sound, caller, caller_name, received_at, length_ms, heard
               FROM message WHERE mailbox = ?1 ORDER BY received_at, id";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([mailbox], |row| {
        Ok(MessageRecord {
            sound: name(row.get(0)?),
            caller: row.get(1)?,
            caller_name: row.get(2)?,
            received_at: UnixMs(row.get(3)?),
            length: duration(row.get(4)?),
            heard: row.get(5)?,
        })
    })?;
    rows.collect()
}

/// All samples of a message or greeting; `None` if there is no such sound.
pub(crate) fn sound(connection: &Connection, sound: SoundId) -> Result<Option<Vec<i16>>> {
    let mut samples = Vec::new();
    for_each_chunk(connection, sound, |bytes| {
        let (pairs, _) = bytes.as_chunks::<2>();
        samples.extend(pairs.iter().map(|pair| i16::from_le_bytes(*pair)));
        Ok::<_, rusqlite::Error>(())
    })?;
    Ok((!samples.is_empty()).then_some(samples))
}

/// Marks a message as listened to.
pub(crate) fn mark_heard(connection: &Connection, sound: SoundId) -> Result<()> {
    let sql = "UPDATE message SET heard = 1 WHERE sound = ?1";
    connection.prepare_cached(sql)?.execute([key(sound)])?;
    Ok(())
}

/// Deletes messages and greetings with their sound; those that are not there are gone already.
pub(crate) fn delete(connection: &Connection, sounds: &[SoundId]) -> Result<()> {
    for &sound in sounds {
        let sql = "DELETE FROM message WHERE sound = ?1";
        let messages = connection.prepare_cached(sql)?.execute([key(sound)])?;
        let sql = "UPDATE mailbox SET greeting = NULL WHERE greeting = ?1";
        let greetings = connection.prepare_cached(sql)?.execute([key(sound)])?;
        // A draft is not ours to delete.
        if messages + greetings > 0 {
            delete_chunks(connection, sound)?;
        }
    }
    Ok(())
}

/// Sets the PIN of a mailbox.
pub(crate) fn set_pin(connection: &Connection, mailbox: &str, pin: &PinHash) -> Result<()> {
    let sql = "INSERT INTO mailbox (name, pin_salt, pin_hash) VALUES (?1, ?2, ?3)
               ON CONFLICT (name) DO UPDATE SET
                   pin_salt = excluded.pin_salt, pin_hash = excluded.pin_hash";
    connection.prepare_cached(sql)?.execute((mailbox, pin.salt, pin.hash))?;
    Ok(())
}

fn draft(connection: &Connection, sound: SoundId) -> Result<Option<DraftKind>> {
    let sql = "SELECT kind, target, caller, caller_name, received_at FROM draft WHERE sound = ?1";
    let kind = |row: &Row<'_>| {
        Ok(match row.get_ref(0)?.as_str()? {
            "message" => DraftKind::Message {
                mailbox: row.get(1)?,
                caller: row.get(2)?,
                caller_name: row.get(3)?,
                received_at: UnixMs(row.get(4)?),
            },
            "greeting" => DraftKind::Greeting { mailbox: row.get(1)? },
            _ => DraftKind::Recording { name: row.get(1)? },
        })
    };
    connection.prepare_cached(sql)?.query_row([key(sound)], kind).optional()
}

/// How many samples a sound has.
fn length(connection: &Connection, sound: SoundId) -> Result<i64> {
    let sql = "SELECT place + length(samples) / 2 FROM chunk
               WHERE sound = ?1 ORDER BY place DESC LIMIT 1";
    let length = connection.prepare_cached(sql)?.query_row([key(sound)], |row| row.get(0));
    Ok(length.optional()?.unwrap_or(0))
}

/// Cuts off everything from sample `end` on.
fn shorten(connection: &Connection, sound: SoundId, end: i64) -> Result<()> {
    let sql = "DELETE FROM chunk WHERE sound = ?1 AND place >= ?2";
    connection.prepare_cached(sql)?.execute((key(sound), end))?;
    let sql = "UPDATE chunk SET samples = substr(samples, 1, (?2 - place) * 2)
               WHERE id = (SELECT id FROM chunk WHERE sound = ?1 ORDER BY place DESC LIMIT 1)
                   AND place + length(samples) / 2 > ?2";
    connection.prepare_cached(sql)?.execute((key(sound), end))?;
    Ok(())
}

fn delete_chunks(connection: &Connection, sound: SoundId) -> Result<()> {
    connection.prepare_cached("DELETE FROM chunk WHERE sound = ?1")?.execute([key(sound)])?;
    Ok(())
}

/// Gives every piece of a sound to `take`, in order.
fn for_each_chunk<E: From<rusqlite::Error>>(
    connection: &Connection,
    sound: SoundId,
    mut take: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let sql = "SELECT samples FROM chunk WHERE sound = ?1 ORDER BY place";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([key(sound)])?;
    while let Some(row) = rows.next()? {
        take(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?)?;
    }
    Ok(())
}

/// SQLite's integers are signed.
fn key(sound: SoundId) -> i64 {
    sound.0.cast_signed()
}

fn name(key: i64) -> SoundId {
    SoundId(key.cast_unsigned())
}

fn samples(length: Duration) -> i64 {
    milliseconds(length).saturating_mul(SAMPLES_PER_MS)
}

/// At 8,000 Hz.
const SAMPLES_PER_MS: i64 = 8;

/// A message that a crash cut off before this is no message.
const RECOVERED_MIN: Duration = Duration::from_secs(1);
