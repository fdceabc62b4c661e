use super::*;
use crate::database::Database;

#[test]
fn a_message_cut_off_by_a_crash_is_kept_as_far_as_it_came() {
    let desk = Desk::open();
    desk.speak(1, message("101", 77), &voice(20_000));
    let mut desk = desk.crash();
    let messages = desk.messages("101");
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].length, Duration::from_millis(2_500));
    assert_eq!(messages[0].received_at, UnixMs(77));
    assert_eq!(messages[0].caller, "100");
    assert_eq!(desk.sound(1).unwrap(), voice(20_000));
    assert_eq!(desk.count("draft"), 0);
    assert_eq!(desk.reader().flaws().unwrap(), Vec::<String>::new());
}

#[test]
fn less_than_a_second_is_no_message() {
    for (samples, messages) in [(0, 0), (7_999, 0), (8_000, 1)] {
        let desk = Desk::open();
        desk.speak(1, message("101", 0), &voice(samples));
        let mut desk = desk.crash();
        assert_eq!(desk.messages("101").len(), messages, "{samples}");
        assert_eq!(desk.count("draft"), 0);
    }
}

#[test]
fn a_greeting_cut_off_by_a_crash_is_dropped_and_the_one_before_stays() {
    let mut desk = Desk::open();
    let greeting = || DraftKind::Greeting { mailbox: "101".into() };
    desk.speak(1, greeting(), &voice(8_000));
    assert_eq!(desk.keep(1, 1_000), StoreReply::Done);
    desk.speak(2, greeting(), &voice(16_000));
    let mut desk = desk.crash();
    assert_eq!(desk.mailbox("101").greeting, Some(SoundId(1)));
    assert_eq!(desk.sound(2), None);
    assert_eq!(desk.count("chunk"), 2);
}

#[test]
fn a_recording_cut_off_by_a_crash_is_written() {
    let desk = Desk::open();
    desk.speak(1, DraftKind::Recording { name: "late".into() }, &voice(6_000));
    let desk = desk.crash();
    let file = fs::read(desk.folder.path().join("rec/late.wav")).unwrap();
    assert_eq!(file.len(), 44 + 12_000);
    assert_eq!((desk.count("draft"), desk.count("chunk")), (0, 0));
}

#[test]
fn whatever_was_confirmed_is_there_after_a_crash() {
    let mut desk = Desk::open();
    desk.leave(1, 1);
    desk.tell(StoreRequest::PutBinding(binding("100", "sip:100@192.0.2.9")));
    desk.tell(StoreRequest::Call(Box::new(call("first"))));
    let mut desk = desk.crash();
    assert_eq!(desk.bindings, [binding("100", "sip:100@192.0.2.9")]);
    assert_eq!(desk.messages("101").len(), 1);
    assert_eq!(desk.sound(1).unwrap(), voice(8_000));
    assert_eq!(desk.reader().calls(9).unwrap(), [call("first")]);
}

#[test]
fn recovering_twice_changes_nothing_more() {
    let desk = Desk::open();
    desk.speak(1, message("101", 0), &voice(8_000));
    let mut desk = desk.crash().crash().reopen();
    assert_eq!(desk.messages("101").len(), 1);
}

#[test]
fn half_written_files_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let recordings = folder.path().join("rec");
    fs::create_dir(&recordings).unwrap();
    fs::write(recordings.join("00000000000000ff.part"), "RIFF").unwrap();
    fs::write(recordings.join("whole.wav"), "RIFF").unwrap();
    let _desk = Desk::open_in(folder);
    let left: Vec<_> = fs::read_dir(&recordings).unwrap().map(|one| one.unwrap().path()).collect();
    assert_eq!(left, [recordings.join("whole.wav")]);
}

#[test]
fn a_database_that_a_crash_damaged_is_told() {
    let mut desk = Desk::open();
    desk.leave(1, 1);
    let mut desk = desk.reopen();
    // Whatever is in the log now was not moved into the database: it looks crashed.
    desk.leave(2, 2);
    let copy = tempfile::tempdir().unwrap();
    let path = copy.path().join("cordboard.db");
    let mut file = fs::read(desk.path()).unwrap();
    let end = file.len();
    file[end - 3 * 4_096..].fill(0xff);
    fs::write(&path, file).unwrap();
    fs::copy(desk.path().with_extension("db-wal"), path.with_extension("db-wal")).unwrap();

    let (database, _) = Database::open(&path, copy.path().join("rec")).unwrap();
    database.check_after_crash();
    let lines = log::lines();
    assert!(lines.iter().any(|line| line.contains("is damaged")), "{lines:#?}");
    let flaws = Reader::open(&path).unwrap().flaws();
    assert!(!flaws.is_ok_and(|flaws| flaws.is_empty()));

    let (database, _) = Database::open(&desk.path(), copy.path().join("rec")).unwrap();
    database.check_after_crash();
    assert_eq!(log::lines(), lines);
}
