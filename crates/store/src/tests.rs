//! Every request, on a database in a folder of its own.

mod crashes;
mod faults;
mod formats;
mod log;
mod requests;

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use pbx::records::{
    BindingRecord, CallRecord, DraftKind, MailboxRecord, MessageRecord, SoundId, StoreReply,
    StoreRequest, Ticket, Transport, UnixMs,
};
use tempfile::TempDir;

use crate::{Reader, Store};

/// A store and whoever waits for its replies.
struct Desk {
    folder: TempDir,
    store: Store,
    bindings: Vec<BindingRecord>,
    replies: Receiver<(Ticket, StoreReply)>,
    asked: u64,
}

impl Desk {
    fn open() -> Self {
        Self::open_in(tempfile::tempdir().unwrap())
    }

    fn open_in(folder: TempDir) -> Self {
        log::watch();
        let (sender, replies) = mpsc::channel();
        let reply = move |ticket, reply| sender.send((ticket, reply)).unwrap();
        let pause = Duration::ZERO;
        let (path, recordings) = (folder.path().join("cordboard.db"), folder.path().join("rec"));
        let (store, bindings) = Store::open_with(&path, recordings, pause, reply).unwrap();
        Self { folder, store, bindings, replies, asked: 0 }
    }

    /// Closes it as at the end of a day and opens it as on the next.
    fn reopen(self) -> Self {
        self.store.close();
        Self::open_in(self.folder)
    }

    /// Leaves it as a SIGKILL would at this moment, and opens what is left.
    fn crash(mut self) -> Self {
        // Everything before this reply is carried out.
        self.mailbox("101");
        let copy = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(self.folder.path()).unwrap().map(Result::unwrap) {
            // The process takes its shared memory and its locks along.
            let lives_on = !entry.file_name().to_str().unwrap().ends_with("-shm");
            if lives_on && entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
            }
        }
        Self::open_in(copy)
    }

    fn tell(&self, request: StoreRequest) {
        assert!(!request.wants_reply());
        self.store.request(request);
    }

    fn ask(&mut self, request: StoreRequest) -> StoreReply {
        self.asked += 1;
        self.store.request(request.with_ticket(Ticket(self.asked)));
        let (ticket, reply) = self.replies.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(ticket, Ticket(self.asked));
        reply
    }

    fn mailbox(&mut self, mailbox: &str) -> MailboxRecord {
        match self.ask(StoreRequest::Mailbox { ticket: Ticket(0), mailbox: mailbox.into() }) {
            StoreReply::Mailbox(record) => record,
            other => panic!("{other:?}"),
        }
    }

    fn messages(&mut self, mailbox: &str) -> Vec<MessageRecord> {
        match self.ask(StoreRequest::Messages { ticket: Ticket(0), mailbox: mailbox.into() }) {
            StoreReply::Messages(messages) => messages,
            other => panic!("{other:?}"),
        }
    }

    fn sound(&mut self, sound: u64) -> Option<Vec<i16>> {
        match self.ask(StoreRequest::Sound { ticket: Ticket(0), sound: SoundId(sound) }) {
            StoreReply::Sound(samples) => samples.map(|samples| samples.to_vec()),
            other => panic!("{other:?}"),
        }
    }

    /// Speaks `samples` into a draft in pieces of half a second.
    fn speak(&self, sound: u64, kind: DraftKind, samples: &[i16]) {
        self.tell(StoreRequest::Begin { sound: SoundId(sound), kind });
        for samples in samples.chunks(4_000) {
            let samples = samples.to_vec();
            self.tell(StoreRequest::Append { sound: SoundId(sound), samples });
        }
    }

    fn keep(&mut self, sound: u64, milliseconds: u64) -> StoreReply {
        let length = Duration::from_millis(milliseconds);
        self.ask(StoreRequest::Keep { ticket: Ticket(0), sound: SoundId(sound), length })
    }

    /// A message of a second.
    fn leave(&mut self, sound: u64, received_at: i64) {
        self.speak(sound, message("101", received_at), &voice(8_000));
        assert_eq!(self.keep(sound, 1_000), StoreReply::Done);
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("cordboard.db")
    }

    /// Rows of a table, counted from outside.
    fn count(&self, table: &str) -> i64 {
        let connection = rusqlite::Connection::open(self.path()).unwrap();
        let sql = format!("SELECT count(*) FROM {table}");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    fn reader(&self) -> Reader {
        Reader::open(self.path()).unwrap()
    }
}

/// Sound in which every sample can be told from its neighbours.
fn voice(samples: usize) -> Vec<i16> {
    (0..samples).map(|at| (at * 7_919 % 65_536) as u16 as i16).collect()
}

fn message(mailbox: &str, received_at: i64) -> DraftKind {
    DraftKind::Message {
        mailbox: mailbox.into(),
        caller: "100".into(),
        caller_name: "Ann \"Quote\" O'Neil".into(),
        received_at: UnixMs(received_at),
    }
}

fn binding(account: &str, contact: &str) -> BindingRecord {
    BindingRecord {
        account: account.into(),
        contact: contact.into(),
        call_id: "a84b4c76e66710".into(),
        cseq: u32::MAX,
        q_thousandths: 700,
        transport: Transport::Tcp,
        local: "192.0.2.1:5060".parse().unwrap(),
        remote: "[2001:db8::1]:40000".parse().unwrap(),
        expires_at: UnixMs(1_786_017_600_123),
        user_agent: "'; DROP TABLE binding; --".into(),
    }
}

fn call(id: &str) -> CallRecord {
    CallRecord {
        id: id.into(),
        from: "100".into(),
        to: "101".into(),
        account: Some("100".into()),
        source: "[2001:db8::1]:5060".parse().unwrap(),
        started_at: UnixMs(1_786_017_600_123),
        answered_after: Some(Duration::from_millis(2_500)),
        ended_after: Duration::from_millis(61_001),
        status: 200,
        answered_by: "ext/101".into(),
        ending: "the caller hung up".into(),
    }
}
