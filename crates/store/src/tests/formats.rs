use std::time::Instant;

use rusqlite::Connection;

use super::*;
use crate::OpenError;
use crate::schema::{self, MIGRATIONS};

#[test]
fn every_earlier_format_is_brought_up_to_date() {
    for version in 0..=MIGRATIONS.len() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cordboard.db");
        let connection = Connection::open(&path).unwrap();
        for step in &MIGRATIONS[..version] {
            connection.execute_batch(step).unwrap();
        }
        if version > 0 {
            connection.pragma_update(None, "application_id", 0x436f_7264).unwrap();
            connection.pragma_update(None, "user_version", version as i64).unwrap();
        }
        drop(connection);
        let mut desk = Desk::open_in(folder);
        desk.leave(1, 1);
        let connection = Connection::open(&path).unwrap();
        assert_eq!(schema::format(&connection, &path).unwrap(), MIGRATIONS.len());
        let mut desk = desk.reopen();
        assert_eq!(desk.messages("101").len(), 1);
    }
}

#[test]
fn a_later_format_is_left_alone() {
    let error = refused(|connection| {
        connection.pragma_update(None, "application_id", 0x436f_7264).unwrap();
        connection.pragma_update(None, "user_version", 4_711).unwrap();
    });
    assert!(matches!(error, OpenError::Newer { found: 4_711, .. }), "{error}");
}

#[test]
fn the_database_of_another_program_is_left_alone() {
    let error = refused(|connection| connection.execute_batch("CREATE TABLE x (y)").unwrap());
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
}

/// Opens a database that `make` prepared, and makes sure that it is as it was.
#[track_caller]
fn refused(make: impl FnOnce(&Connection)) -> OpenError {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cordboard.db");
    let connection = Connection::open(&path).unwrap();
    make(&connection);
    drop(connection);
    let before = fs::read(&path).unwrap();
    let error = Store::open(&path, folder.path(), |_, _| ()).unwrap_err();
    assert_eq!(fs::read(&path).unwrap(), before);
    assert!(Reader::open(&path).is_err());
    error
}

#[test]
fn what_is_no_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cordboard.db");
    let garbage = "This was a letter to my aunt. ".repeat(100);
    fs::write(&path, &garbage).unwrap();
    let error = Store::open(&path, folder.path(), |_, _| ()).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), garbage);
}

#[test]
fn there_must_be_something_to_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cordboard.db");
    assert!(matches!(Reader::open(&path), Err(OpenError::Unreadable { .. })));
    assert!(!path.exists());
}

#[cfg(unix)]
#[test]
fn nobody_else_on_the_machine_can_read_it() {
    use std::os::unix::fs::PermissionsExt;

    let mut desk = Desk::open();
    desk.leave(1, 1);
    for entry in fs::read_dir(desk.folder.path()).unwrap().map(Result::unwrap) {
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", entry.path().display());
    }
}

#[test]
fn ten_thousand_bindings_come_back() {
    let mut desk = Desk::open();
    for number in 0..10_000 {
        let account = format!("{number:05}");
        desk.tell(StoreRequest::PutBinding(binding(&account, &format!("sip:{account}@192.0.2.9"))));
        // No more than fit into the queue.
        if number % 1_000 == 999 {
            desk.mailbox("101");
        }
    }
    assert_eq!(desk.store.refused(), 0);
    desk.store.close();
    let folder = desk.folder;
    let start = Instant::now();
    let desk = Desk::open_in(folder);
    println!("10,000 bindings read in {:?}", start.elapsed());
    assert_eq!(desk.bindings.len(), 10_000);
}
