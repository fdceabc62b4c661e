use std::sync::Arc;
use std::sync::mpsc;

use pbx::records::PinHash;

use super::*;
use crate::{MailboxSummary, QUEUE_MAX};

#[test]
fn bindings_survive_a_restart() {
    let desk = Desk::open();
    let kept = binding("100", "sip:100@192.0.2.9:5060;ob");
    let moved = BindingRecord {
        remote: "198.51.100.1:9".parse().unwrap(),
        transport: Transport::Udp,
        ..binding("101", "sip:101@192.0.2.9")
    };
    desk.tell(StoreRequest::PutBinding(kept.clone()));
    desk.tell(StoreRequest::PutBinding(binding("101", "sip:101@192.0.2.9")));
    desk.tell(StoreRequest::PutBinding(moved.clone()));
    desk.tell(StoreRequest::PutBinding(binding("102", "sip:102@192.0.2.9")));
    desk.tell(StoreRequest::RemoveBinding {
        account: "102".into(),
        contact: "sip:102@192.0.2.9".into(),
    });
    desk.tell(StoreRequest::RemoveBinding { account: "9".into(), contact: "sip:9@x".into() });
    assert_eq!(desk.reopen().bindings, [kept, moved]);
}

#[test]
fn a_message_is_kept_with_all_that_belongs_to_it() {
    let mut desk = Desk::open();
    let voice = voice(18_000);
    desk.speak(7, message("101", 1_234), &voice);
    assert_eq!(desk.mailbox("101"), MailboxRecord::default());
    assert_eq!(desk.keep(7, 1_700), StoreReply::Done);

    let mut desk = desk.reopen();
    assert_eq!(desk.mailbox("101"), MailboxRecord { new_messages: 1, ..Default::default() });
    assert_eq!(desk.mailbox("102"), MailboxRecord::default());
    let record = MessageRecord {
        sound: SoundId(7),
        caller: "100".into(),
        caller_name: "Ann \"Quote\" O'Neil".into(),
        received_at: UnixMs(1_234),
        length: Duration::from_millis(1_700),
        heard: false,
    };
    assert_eq!(desk.messages("101"), [record]);
    assert_eq!(desk.sound(7).unwrap(), voice[..13_600]);
    assert_eq!(desk.count("draft"), 0);
}

#[test]
fn a_message_is_cut_where_it_should_be() {
    // Inside a piece, between two, at the very end, beyond it.
    for (milliseconds, samples) in
        [(1_250, 10_000), (1_000, 8_000), (1_500, 12_000), (9_000, 12_000)]
    {
        let mut desk = Desk::open();
        desk.speak(1, message("101", 0), &voice(12_000));
        assert_eq!(desk.keep(1, milliseconds), StoreReply::Done);
        assert_eq!(desk.sound(1).unwrap(), voice(samples));
        assert_eq!(desk.messages("101")[0].length, Duration::from_millis(samples as u64 / 8));
    }
}

#[test]
fn a_message_without_a_limit_is_kept_whole() {
    let mut desk = Desk::open();
    desk.speak(1, message("101", 0), &voice(12_000));
    let length = Duration::MAX;
    let reply = desk.ask(StoreRequest::Keep { ticket: Ticket(0), sound: SoundId(1), length });
    assert_eq!(reply, StoreReply::Done);
    assert_eq!(desk.sound(1).unwrap().len(), 12_000);
}

#[test]
fn names_of_sounds_may_be_any_number() {
    let mut desk = Desk::open();
    desk.leave(u64::MAX, 1);
    desk.leave(1 << 63, 2);
    let names: Vec<_> = desk.messages("101").iter().map(|message| message.sound).collect();
    assert_eq!(names, [SoundId(u64::MAX), SoundId(1 << 63)]);
    assert_eq!(desk.sound(u64::MAX).unwrap(), voice(8_000));
}

#[test]
fn messages_come_oldest_first() {
    let mut desk = Desk::open();
    for (sound, received_at) in [(1, 30), (2, 10), (3, 20), (4, 20)] {
        desk.leave(sound, received_at);
    }
    let names: Vec<_> = desk.messages("101").iter().map(|message| message.sound.0).collect();
    assert_eq!(names, [2, 3, 4, 1]);
}

#[test]
fn a_message_that_was_heard_is_an_old_one() {
    let mut desk = Desk::open();
    desk.leave(1, 1);
    desk.leave(2, 2);
    desk.tell(StoreRequest::MarkHeard { sound: SoundId(2) });
    let record = desk.mailbox("101");
    assert_eq!((record.new_messages, record.old_messages), (1, 1));
    let heard: Vec<_> = desk.messages("101").iter().map(|message| message.heard).collect();
    assert_eq!(heard, [false, true]);
}

#[test]
fn deleted_messages_leave_nothing_behind() {
    let mut desk = Desk::open();
    for sound in 1..=3 {
        desk.leave(sound, 0);
    }
    let sounds = vec![SoundId(1), SoundId(3), SoundId(99)];
    assert_eq!(desk.ask(StoreRequest::Delete { ticket: Ticket(0), sounds }), StoreReply::Done);
    assert_eq!(desk.messages("101").len(), 1);
    assert_eq!(desk.sound(1), None);
    assert_eq!(desk.sound(2).unwrap().len(), 8_000);
    assert_eq!(desk.count("chunk"), 2);
}

#[test]
fn deleting_does_not_touch_a_draft() {
    let mut desk = Desk::open();
    desk.speak(1, message("101", 0), &voice(8_000));
    let sounds = vec![SoundId(1)];
    assert_eq!(desk.ask(StoreRequest::Delete { ticket: Ticket(0), sounds }), StoreReply::Done);
    assert_eq!(desk.keep(1, 1_000), StoreReply::Done);
    assert_eq!(desk.sound(1).unwrap().len(), 8_000);
}

#[test]
fn a_dropped_draft_leaves_nothing_behind() {
    let mut desk = Desk::open();
    desk.speak(1, message("101", 0), &voice(8_000));
    desk.tell(StoreRequest::Drop { sound: SoundId(1) });
    assert_eq!(desk.mailbox("101"), MailboxRecord::default());
    assert_eq!((desk.count("draft"), desk.count("chunk")), (0, 0));
}

#[test]
fn dropping_does_not_touch_a_message() {
    let mut desk = Desk::open();
    desk.leave(1, 0);
    desk.tell(StoreRequest::Drop { sound: SoundId(1) });
    assert_eq!(desk.sound(1).unwrap().len(), 8_000);
}

#[test]
fn a_draft_without_sound_becomes_nothing() {
    let mut desk = Desk::open();
    desk.speak(1, message("101", 0), &[]);
    assert_eq!(desk.keep(1, 5_000), StoreReply::Done);
    assert_eq!(desk.messages("101"), []);
    assert_eq!(desk.count("draft"), 0);
}

#[test]
fn what_was_never_begun_cannot_be_kept() {
    let mut desk = Desk::open();
    desk.tell(StoreRequest::Append { sound: SoundId(1), samples: voice(80) });
    assert_eq!(desk.keep(1, 1_000), StoreReply::Failed);
    assert_eq!(desk.count("chunk"), 0);
    assert_eq!(desk.mailbox("101"), MailboxRecord::default());
}

#[test]
fn a_greeting_replaces_the_one_before() {
    let mut desk = Desk::open();
    let greeting = || DraftKind::Greeting { mailbox: "101".into() };
    for sound in [1, 2] {
        desk.speak(sound, greeting(), &voice(8_000));
        assert_eq!(desk.keep(sound, 1_000), StoreReply::Done);
        assert_eq!(desk.mailbox("101").greeting, Some(SoundId(sound)));
    }
    assert_eq!(desk.sound(1), None);
    assert_eq!(desk.sound(2).unwrap(), voice(8_000));
    let sounds = vec![SoundId(2)];
    assert_eq!(desk.ask(StoreRequest::Delete { ticket: Ticket(0), sounds }), StoreReply::Done);
    assert_eq!(desk.mailbox("101").greeting, None);
    assert_eq!(desk.count("chunk"), 0);
}

#[test]
fn a_pin_is_kept_beside_the_greeting() {
    let mut desk = Desk::open();
    desk.speak(1, DraftKind::Greeting { mailbox: "101".into() }, &voice(8_000));
    assert_eq!(desk.keep(1, 1_000), StoreReply::Done);
    let mut set = |byte| {
        let pin = PinHash { salt: [byte; 16], hash: [byte; 32] };
        let mailbox = "101".into();
        let request = StoreRequest::SetPin { ticket: Ticket(0), mailbox, pin: pin.clone() };
        assert_eq!(desk.ask(request), StoreReply::Done);
        pin
    };
    set(1);
    let pin = set(2);
    let record = desk.reopen().mailbox("101");
    assert_eq!((record.pin, record.greeting), (Some(pin), Some(SoundId(1))));
}

#[test]
fn a_recording_becomes_a_wav_file() {
    let mut desk = Desk::open();
    desk.speak(1, DraftKind::Recording { name: "2026/call-1".into() }, &voice(12_000));
    assert_eq!(desk.keep(1, 1_250), StoreReply::Done);
    let file = fs::read(desk.folder.path().join("rec/2026/call-1.wav")).unwrap();
    let sound: Vec<u8> = voice(10_000).iter().flat_map(|sample| sample.to_le_bytes()).collect();
    assert_eq!(&file[..4], b"RIFF");
    assert_eq!(file[4..8], 20_036_u32.to_le_bytes());
    assert_eq!(file[40..44], 20_000_u32.to_le_bytes());
    assert_eq!(file[44..], sound);
    assert_eq!((desk.count("draft"), desk.count("chunk")), (0, 0));
    assert_eq!(fs::read_dir(desk.folder.path().join("rec")).unwrap().count(), 1);
}

#[test]
fn a_recording_is_read_as_it_was_kept_and_nothing_else_is() {
    let mut desk = Desk::open();
    desk.speak(1, DraftKind::Recording { name: "wish".into() }, &voice(12_000));
    let read = |desk: &mut Desk, name: &str| {
        desk.ask(StoreRequest::Recording { ticket: Ticket(0), name: name.into() })
    };
    assert_eq!(read(&mut desk, "wish"), StoreReply::Sound(None), "it is not finished");
    assert_eq!(desk.keep(1, 1_250), StoreReply::Done);
    let whole = StoreReply::Sound(Some(Arc::new(voice(10_000))));
    assert_eq!(read(&mut desk, "wish"), whole);

    // The one before is heard while its successor is still spoken.
    desk.speak(2, DraftKind::Recording { name: "wish".into() }, &voice(400));
    assert_eq!(read(&mut desk, "wish"), whole);

    let folder = desk.folder.path().to_owned();
    fs::copy(folder.join("rec/wish.wav"), folder.join("secret.wav")).unwrap();
    for name in ["../secret", "/etc/passwd", "", "wish.wav", "nothing"] {
        assert_eq!(read(&mut desk, name), StoreReply::Sound(None), "{name}");
    }
    for wrong in ["", "RIFF", &"x".repeat(60_000)] {
        fs::write(folder.join("rec/wish.wav"), wrong).unwrap();
        assert_eq!(read(&mut desk, "wish"), StoreReply::Sound(None));
    }
    fs::remove_file(folder.join("rec/wish.wav")).unwrap();
    assert_eq!(read(&mut desk, "wish"), StoreReply::Sound(None));
}

#[test]
fn a_recording_stays_in_its_folder() {
    for name in ["../evil", "/etc/evil", "a//b", "", "a/", "a.b", "a\\b"] {
        let mut desk = Desk::open();
        desk.speak(1, DraftKind::Recording { name: name.into() }, &voice(8_000));
        assert_eq!(desk.keep(1, 1_000), StoreReply::Failed, "{name}");
        assert_eq!(desk.mailbox("101").disk, Default::default());
    }
}

#[test]
fn calls_are_read_latest_first() {
    let desk = Desk::open();
    let unanswered =
        CallRecord { account: None, answered_after: None, status: 487, ..call("second") };
    desk.tell(StoreRequest::Call(Box::new(call("first"))));
    desk.tell(StoreRequest::Call(Box::new(unanswered.clone())));
    let desk = desk.reopen();
    assert_eq!(desk.reader().calls(9).unwrap(), [unanswered.clone(), call("first")]);
    assert_eq!(desk.reader().calls(1).unwrap(), [unanswered]);
}

#[test]
fn what_was_confirmed_can_be_read_by_another_process() {
    let mut desk = Desk::open();
    desk.leave(1, 1);
    desk.speak(2, DraftKind::Greeting { mailbox: "202".into() }, &voice(8_000));
    assert_eq!(desk.keep(2, 1_000), StoreReply::Done);
    let reader = desk.reader();
    let summary = |name: &str, new_messages, greeting| MailboxSummary {
        name: name.into(),
        new_messages,
        old_messages: 0,
        greeting,
    };
    assert_eq!(
        reader.mailboxes().unwrap(),
        [summary("101", 1, None), summary("202", 0, Some(SoundId(2)))]
    );
    assert_eq!(reader.messages("101").unwrap().len(), 1);
    assert_eq!(reader.sound(SoundId(1)).unwrap().unwrap(), voice(8_000));
    assert_eq!(reader.sound(SoundId(9)).unwrap(), None);
    assert_eq!(reader.flaws().unwrap(), Vec::<String>::new());
}

#[test]
fn a_crowd_is_refused_and_told_so() {
    let crowd = Crowd::open();
    crowd.hold_up();
    let last = QUEUE_MAX as u64 + 10;
    (1..=last).for_each(|ticket| crowd.store.request(mailbox(ticket)));
    assert_eq!(crowd.store.refused(), 10);
    crowd.go_on.send(()).unwrap();
    let mut replies: Vec<_> = crowd.replies.iter().take(last as usize + 1).collect();
    replies.sort_by_key(|(ticket, _)| *ticket);
    for (ticket, reply) in replies {
        let expected = ticket.0 > QUEUE_MAX as u64;
        assert_eq!(reply == StoreReply::Failed, expected, "{ticket:?}");
    }
    crowd.store.close();
}

#[test]
fn a_draft_with_a_gap_is_not_kept() {
    // Begun long before, or still in the queue when there was no more room in it.
    for begun_before in [true, false] {
        let crowd = Crowd::open();
        let begin = StoreRequest::Begin { sound: SoundId(1), kind: message("101", 0) };
        let append = || StoreRequest::Append { sound: SoundId(1), samples: voice(800) };
        if begun_before {
            crowd.store.request(begin);
            crowd.store.request(append());
            crowd.hold_up();
            crowd.store.request(append());
        } else {
            crowd.hold_up();
            crowd.store.request(begin);
        }
        (1..QUEUE_MAX).for_each(|_| crowd.store.request(append()));
        assert_eq!(crowd.store.refused(), 0);
        crowd.store.request(append());
        assert_eq!(crowd.store.refused(), 1);
        crowd.go_on.send(()).unwrap();
        let (sound, length) = (SoundId(1), Duration::from_secs(9));
        // Asks until there is room for the question.
        let mut ticket = 0;
        let mut refused = 0;
        while crowd.store.refused() > refused {
            refused = crowd.store.refused();
            ticket += 1;
            crowd.store.request(StoreRequest::Keep { ticket: Ticket(ticket), sound, length });
        }
        let mut kept = crowd.replies.iter().filter(|(replied, _)| *replied == Ticket(ticket));
        assert_eq!(kept.next().unwrap().1, StoreReply::Failed);
        crowd.store.close();
        assert_eq!(Reader::open(&crowd.path).unwrap().messages("101").unwrap(), []);
    }
}

/// A store that can be held up, so that its queue fills.
struct Crowd {
    store: Store,
    replies: Receiver<(Ticket, StoreReply)>,
    is_busy: Receiver<()>,
    go_on: mpsc::Sender<()>,
    path: PathBuf,
    _folder: TempDir,
}

impl Crowd {
    fn open() -> Self {
        log::watch();
        let folder = tempfile::tempdir().unwrap();
        let (sender, replies) = mpsc::channel();
        let (busy, is_busy) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel();
        let reply = move |ticket, reply| {
            if ticket == Ticket(0) {
                busy.send(()).unwrap();
                may_go_on.recv().unwrap();
            }
            sender.send((ticket, reply)).unwrap();
        };
        let path = folder.path().join("cordboard.db");
        let (store, _) = Store::open(&path, folder.path(), reply).unwrap();
        Self { store, replies, is_busy, go_on, path, _folder: folder }
    }

    /// Waits until the store waits, with an empty queue.
    fn hold_up(&self) {
        self.store.request(mailbox(0));
        self.is_busy.recv().unwrap();
    }
}

fn mailbox(ticket: u64) -> StoreRequest {
    StoreRequest::Mailbox { ticket: Ticket(ticket), mailbox: "101".into() }
}

#[test]
fn sound_is_shared_rather_than_copied() {
    let mut desk = Desk::open();
    desk.leave(1, 1);
    let reply = desk.ask(StoreRequest::Sound { ticket: Ticket(0), sound: SoundId(1) });
    let StoreReply::Sound(Some(samples)) = reply else { panic!("{reply:?}") };
    assert_eq!(Arc::strong_count(&samples), 1);
}
