use std::sync::Arc;

use pbx::records::{Disk, PinHash};

use super::*;
use crate::database::Database;

#[test]
fn a_full_disk_is_told_once_and_everything_else_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut database = open(&folder);
    carry_out(
        &mut database,
        [
            StoreRequest::PutBinding(binding("100", "sip:100@192.0.2.9")),
            StoreRequest::Begin { sound: SoundId(1), kind: message("101", 1) },
            append(1, 8_000),
            keep(1),
        ],
    );
    fill(&database);
    let replies = carry_out(
        &mut database,
        [
            StoreRequest::Begin { sound: SoundId(2), kind: message("101", 2) },
            append(2, 80_000),
            append(2, 8),
            keep(2),
            mailbox(),
            StoreRequest::Sound { ticket: Ticket(3), sound: SoundId(1) },
        ],
    );
    assert_eq!(replies[0], StoreReply::Failed);
    // Nobody knew yet when this was asked, or somebody did: the count is what matters.
    assert!(matches!(&replies[1], StoreReply::Mailbox(record) if record.new_messages == 1));
    assert_eq!(replies[2], StoreReply::Sound(Some(Arc::new(voice(8_000)))));
    for _ in 0..3 {
        let replies = carry_out(&mut database, [begin(3), append(3, 80_000), keep(3), mailbox()]);
        assert_eq!(replies[0], StoreReply::Failed);
        let StoreReply::Mailbox(record) = &replies[1] else { panic!("{replies:?}") };
        assert_eq!(record.disk, Disk::Faulty);
        database.probe();
        assert_eq!(database.disk(), Disk::Faulty);
    }

    database.connection.pragma_update(None, "max_page_count", 1_000_000).unwrap();
    database.probe();
    assert_eq!(database.disk(), Disk::Works);
    let replies = carry_out(&mut database, [begin(4), append(4, 8_000), keep(4), mailbox()]);
    assert_eq!(replies[0], StoreReply::Done);
    let StoreReply::Mailbox(record) = &replies[1] else { panic!("{replies:?}") };
    assert_eq!((record.disk, record.new_messages), (Disk::Works, 2));
    let drafts = "SELECT count(*) FROM draft";
    let drafts: i64 = database.connection.query_row(drafts, [], |row| row.get(0)).unwrap();
    assert_eq!(drafts, 0);
    let lines = log::lines();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].starts_with("ERROR") && lines[0].contains("cannot be used"));
    assert!(lines[1].starts_with("WARN") && lines[1].contains("can be written again"));
}

#[test]
fn a_gap_is_not_closed_by_what_comes_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut database = open(&folder);
    carry_out(&mut database, [begin(1), append(1, 8_000)]);
    fill(&database);
    carry_out(&mut database, [append(1, 80_000)]);
    database.connection.pragma_update(None, "max_page_count", 1_000_000).unwrap();
    let replies = carry_out(&mut database, [append(1, 8_000), keep(1), mailbox()]);
    assert_eq!(replies[0], StoreReply::Failed);
    assert!(matches!(&replies[1], StoreReply::Mailbox(record) if record.new_messages == 0));
}

#[test]
fn one_request_that_fails_takes_no_other_along() {
    let folder = tempfile::tempdir().unwrap();
    let mut database = open(&folder);
    let replies = carry_out(
        &mut database,
        [
            StoreRequest::PutBinding(binding("100", "sip:100@192.0.2.9")),
            keep(99),
            StoreRequest::Call(Box::new(call("first"))),
        ],
    );
    assert_eq!(replies, [StoreReply::Failed]);
    drop(database);
    let desk = Desk::open_in(folder);
    assert_eq!(desk.bindings.len(), 1);
    assert_eq!(desk.reader().calls(9).unwrap().len(), 1);
}

#[test]
fn a_disk_that_fills_up_in_the_middle_takes_no_other_request_along() {
    let folder = tempfile::tempdir().unwrap();
    let mut database = open(&folder);
    let set = |byte: u8| StoreRequest::SetPin {
        ticket: Ticket(byte.into()),
        mailbox: "101".into(),
        pin: PinHash { salt: [byte; 16], hash: [byte; 32] },
    };
    carry_out(&mut database, [set(1), begin(1)]);
    fill(&database);
    let replies = carry_out(&mut database, [set(2), append(1, 80_000), set(3)]);
    assert_eq!(replies, [StoreReply::Done, StoreReply::Done]);
    let StoreReply::Mailbox(record) = &carry_out(&mut database, [mailbox()])[0] else { panic!() };
    assert_eq!(record.pin.as_ref().unwrap().salt, [3; 16]);
    assert_eq!(record.disk, Disk::Faulty);
}

#[test]
fn without_a_place_for_the_database_calls_go_on() {
    log::watch();
    let folder = tempfile::tempdir().unwrap();
    // A file where a folder should be.
    let blocked = folder.path().join("data");
    fs::write(&blocked, "").unwrap();
    let (sender, replies) = mpsc::channel();
    let reply = move |_, reply| sender.send(reply).unwrap();
    let (path, recordings) = (blocked.join("cordboard.db"), folder.path().join("rec"));
    let (store, bindings) = Store::open_with(&path, recordings, Duration::ZERO, reply).unwrap();
    assert_eq!(bindings, []);
    let ask = |request| {
        store.request(request);
        replies.recv_timeout(Duration::from_secs(20)).unwrap()
    };
    let StoreReply::Mailbox(record) = ask(mailbox()) else { panic!() };
    assert_eq!(record, MailboxRecord { disk: Disk::Faulty, ..Default::default() });
    store.request(begin(1));
    store.request(append(1, 8_000));
    assert_eq!(ask(keep(1)), StoreReply::Failed);
    store.request(StoreRequest::PutBinding(binding("100", "sip:100@192.0.2.9")));

    // Somebody clears it away; the thread notices by itself.
    fs::remove_file(&blocked).unwrap();
    ask(mailbox());
    let StoreReply::Mailbox(record) = ask(mailbox()) else { panic!() };
    assert_eq!(record.disk, Disk::Works);
    store.request(begin(1));
    store.request(append(1, 8_000));
    assert_eq!(ask(keep(1)), StoreReply::Done);
    store.close();
    assert_eq!(Reader::open(&path).unwrap().messages("101").unwrap().len(), 1);
}

#[test]
fn a_file_that_cannot_be_written_can_still_be_read() {
    let mut desk = Desk::open();
    desk.leave(1, 1);
    let desk = desk.reopen();
    let path = desk.path();
    desk.store.close();
    let connection = crate::database::substitute(&path).unwrap();
    assert_eq!(crate::voicemail::messages(&connection, "101").unwrap().len(), 1);
    let error = crate::bindings::put(&connection, &binding("100", "sip:x")).unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::ReadOnly));
    let nowhere = crate::database::substitute(&path.join("nothing")).unwrap();
    assert!(crate::bindings::put(&nowhere, &binding("100", "sip:x")).is_err());
}

#[test]
fn a_broken_recordings_folder_fails_recordings_only() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rec"), "in the way").unwrap();
    let mut desk = Desk::open_in(folder);
    desk.speak(1, DraftKind::Recording { name: "one".into() }, &voice(8_000));
    assert_eq!(desk.keep(1, 1_000), StoreReply::Failed);
    assert_eq!(desk.mailbox("101").disk, Disk::Works);
    desk.leave(2, 2);
}

#[test]
fn voicemail_waits_for_the_disk_and_the_rest_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut database = open(&folder);
    let mut level = |requests: &[StoreRequest]| -> i64 {
        database.carry_out(requests);
        database.connection.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap()
    };
    let (normal, full) = (1, 2);
    assert_eq!(level(&[begin(1), append(1, 8_000)]), normal);
    assert_eq!(level(&[mailbox(), keep(1), StoreRequest::Call(Box::new(call("first")))]), full);
    assert_eq!(level(&[StoreRequest::PutBinding(binding("100", "sip:x"))]), normal);
}

fn open(folder: &TempDir) -> Database {
    log::watch();
    let path = folder.path().join("cordboard.db");
    Database::open(&path, folder.path().join("rec")).unwrap().0
}

/// Leaves hardly any room.
fn fill(database: &Database) {
    let pages: i64 =
        database.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    database.connection.pragma_update(None, "max_page_count", pages + 2).unwrap();
}

fn carry_out<const N: usize>(
    database: &mut Database,
    requests: [StoreRequest; N],
) -> Vec<StoreReply> {
    database.carry_out(&requests).into_iter().map(|(_, reply)| reply).collect()
}

fn begin(sound: u64) -> StoreRequest {
    StoreRequest::Begin { sound: SoundId(sound), kind: message("101", 0) }
}

fn append(sound: u64, samples: usize) -> StoreRequest {
    StoreRequest::Append { sound: SoundId(sound), samples: voice(samples) }
}

fn keep(sound: u64) -> StoreRequest {
    let length = Duration::MAX;
    StoreRequest::Keep { ticket: Ticket(1), sound: SoundId(sound), length }
}

fn mailbox() -> StoreRequest {
    StoreRequest::Mailbox { ticket: Ticket(2), mailbox: "101".into() }
}
