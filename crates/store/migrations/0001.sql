-- Everything the first version keeps. Times are milliseconds since 1970 UTC, lengths milliseconds;
-- names of sounds are random 64-bit numbers, stored signed.

CREATE TABLE binding (
    account       TEXT NOT NULL,
    contact       TEXT NOT NULL,
    call_id       TEXT NOT NULL,
    cseq          INTEGER NOT NULL,
    q_thousandths INTEGER NOT NULL,
    transport     TEXT NOT NULL,
    local         TEXT NOT NULL,
    remote        TEXT NOT NULL,
    expires_at    INTEGER NOT NULL,
    user_agent    TEXT NOT NULL,
    PRIMARY KEY (account, contact)
) STRICT, WITHOUT ROWID;

CREATE TABLE mailbox (
    name     TEXT NOT NULL PRIMARY KEY,
    pin_salt BLOB,
    pin_hash BLOB,
    greeting INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE message (
    id          INTEGER PRIMARY KEY,
    sound       INTEGER NOT NULL UNIQUE,
    mailbox     TEXT NOT NULL,
    caller      TEXT NOT NULL,
    caller_name TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    length_ms   INTEGER NOT NULL,
    heard       INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX message_in_mailbox ON message (mailbox, received_at, id);

-- What is being recorded. Keeping it moves the row to where it belongs; the sound stays in place.
CREATE TABLE draft (
    sound       INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('message', 'greeting', 'recording')),
    -- The mailbox, or the file name of a recording.
    target      TEXT NOT NULL,
    caller      TEXT NOT NULL DEFAULT '',
    caller_name TEXT NOT NULL DEFAULT '',
    received_at INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Sound of drafts, messages and greetings: linear 16-bit little-endian mono at 8,000 Hz, in pieces as
-- they came. `place` is the first sample's number within its sound.
CREATE TABLE chunk (
    id      INTEGER PRIMARY KEY,
    sound   INTEGER NOT NULL,
    place   INTEGER NOT NULL,
    samples BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX chunk_of_sound ON chunk (sound, place);

CREATE TABLE call (
    id                INTEGER PRIMARY KEY,
    call              TEXT NOT NULL,
    caller            TEXT NOT NULL,
    dialled           TEXT NOT NULL,
    account           TEXT,
    source            TEXT NOT NULL,
    started_at        INTEGER NOT NULL,
    answered_after_ms INTEGER,
    ended_after_ms    INTEGER NOT NULL,
    status            INTEGER NOT NULL,
    answered_by       TEXT NOT NULL,
    ending            TEXT NOT NULL
) STRICT;

CREATE INDEX call_by_name ON call (call);

-- Written and emptied again to find out whether a faulty disk works again.
CREATE TABLE probe (filler BLOB NOT NULL) STRICT;
