//! The notation in which conversations are tested: `->` is what the conversation asks, `<-` what it is
//! told. Prompts are written without `en/`.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use dialplan::{Barge, Outcome, ReadEnd};
use media::RecordEnd;

use super::conversation::{Ask, Heard, Reply};
use super::{leave_message, listen, pin};
use crate::records::{
    Disk, DraftKind, MailboxRecord, MessageRecord, SoundId, StoreReply, StoreRequest, UnixMs,
};

/// Plays the `<-` lines of `ladder` into a conversation and compares what happens with all of it.
#[track_caller]
pub(super) fn check(mut next: impl FnMut(Reply) -> Ask, ladder: &str) {
    let expected: Vec<&str> =
        ladder.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut happened = Vec::new();
    for line in &expected {
        if let Some(told) = line.strip_prefix("<- ") {
            happened.push((*line).to_owned());
            happened.push(format!("-> {}", ask(&next(reply(told)))));
        }
    }
    let expected = expected.join("\n");
    let happened = happened.join("\n");
    assert!(expected == happened, "expected:\n{expected}\n\nhappened:\n{happened}");
}

/// `played 1`, `digits 1234`, `recorded 4000 silent 500 #`, `mailbox new 1 old 2 greeting 9`,
/// `messages 1 new from 100, 2 old from +4930123` and so on; lengths in ms.
pub(super) fn reply(line: &str) -> Reply {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[0] {
        "start" => Reply::Start,
        "played" => Reply::Played { digit: words.get(1).map(|word| word.chars().next().unwrap()) },
        "digits" => Reply::Digits { digits: words[1].into(), ended: ReadEnd::Complete },
        "nothing" => Reply::Digits { digits: String::new(), ended: ReadEnd::Timeout },
        "recorded" => Reply::Recorded {
            length: ms(words[1]),
            trailing_silence: ms(words[3]),
            reason: match words[4] {
                "#" => RecordEnd::Digit('#'),
                "max" => RecordEnd::Max,
                "silence" => RecordEnd::Silence,
                "stopped" => RecordEnd::Stopped,
                other => panic!("{other}"),
            },
        },
        "mailbox" => Reply::Stored(StoreReply::Mailbox(mailbox(&words))),
        "messages" => Reply::Stored(StoreReply::Messages(messages(line))),
        "sound" => {
            Reply::Stored(StoreReply::Sound(Some(Arc::new(vec![0; words[1].parse().unwrap()]))))
        }
        "no-sound" => Reply::Stored(StoreReply::Sound(None)),
        "done" => Reply::Stored(StoreReply::Done),
        "failed" => Reply::Stored(StoreReply::Failed),
        "told" => Reply::Told,
        "hung-up" => Reply::HungUp,
        other => panic!("no such reply: {other}"),
    }
}

fn ms(word: &str) -> Duration {
    Duration::from_millis(word.parse().unwrap())
}

fn mailbox(words: &[&str]) -> MailboxRecord {
    if words == ["mailbox", "faulty"] {
        return MailboxRecord { disk: Disk::Faulty, ..MailboxRecord::default() };
    }
    let mut record = MailboxRecord::default();
    for pair in words[1..].chunks(2) {
        let number = pair[1].parse::<u32>().unwrap();
        match pair[0] {
            "new" => record.new_messages = number,
            "old" => record.old_messages = number,
            "greeting" => record.greeting = Some(SoundId(number.into())),
            "pin" => record.pin = Some(pin::hash([3; 16], "101", pair[1])),
            other => panic!("{other}"),
        }
    }
    record
}

fn messages(line: &str) -> Vec<MessageRecord> {
    let list = line.strip_prefix("messages").unwrap().trim();
    let one = |text: &str| {
        let words: Vec<&str> = text.split_whitespace().collect();
        MessageRecord {
            sound: SoundId(words[0].parse().unwrap()),
            caller: (*words.get(3).unwrap_or(&"")).to_owned(),
            caller_name: String::new(),
            received_at: UnixMs(words[0].parse().unwrap()),
            length: Duration::from_secs(3),
            heard: words[1] == "old",
        }
    };
    list.split(',').filter(|text| !text.trim().is_empty()).map(one).collect()
}

fn ask(ask: &Ask) -> String {
    match ask {
        Ask::Play { sounds, barge: Barge::Any } => format!("play{}", list(sounds)),
        Ask::Play { sounds, barge: Barge::Never } => format!("play to the end{}", list(sounds)),
        Ask::Collect { prompt, terminator: None, .. } => format!("choose{}", list(prompt)),
        Ask::Collect { prompt, terminator: Some(_), .. } => format!("enter{}", list(prompt)),
        Ask::Record { sound, max, silence, terminator } => format!(
            "record {} max {} silence {} until {}",
            name(*sound),
            max.as_millis(),
            silence.unwrap_or_default().as_millis(),
            terminator.unwrap_or(' '),
        ),
        Ask::Store(request) => store(request),
        Ask::Done(Outcome::Voicemail(status)) => format!("end {status:?}"),
        Ask::Done(Outcome::Mailbox(status)) => format!("end {status:?}"),
        Ask::Done(other) => panic!("{other:?}"),
    }
}

fn store(request: &StoreRequest) -> String {
    match request {
        StoreRequest::Mailbox { mailbox, .. } => format!("store mailbox {mailbox}"),
        StoreRequest::Messages { mailbox, .. } => format!("store messages {mailbox}"),
        StoreRequest::Sound { sound, .. } => format!("store sound {}", name(*sound)),
        StoreRequest::Begin { sound, kind: DraftKind::Message { mailbox, caller, .. } } => {
            format!("store begin {} message for {mailbox} from {caller}", name(*sound))
        }
        StoreRequest::Begin { sound, kind: DraftKind::Greeting { mailbox } } => {
            format!("store begin {} greeting for {mailbox}", name(*sound))
        }
        StoreRequest::Keep { sound, length: Duration::MAX, .. } => {
            format!("store keep {} all", name(*sound))
        }
        StoreRequest::Keep { sound, length, .. } => {
            format!("store keep {} {}", name(*sound), length.as_millis())
        }
        StoreRequest::Drop { sound } => format!("store drop {}", name(*sound)),
        StoreRequest::MarkHeard { sound } => format!("store heard {}", name(*sound)),
        StoreRequest::Delete { sounds, .. } => {
            let names: Vec<_> = sounds.iter().map(|sound| name(*sound)).collect();
            format!("store delete {}", names.join(" "))
        }
        // The PIN that the tests set is always 86420.
        StoreRequest::SetPin { mailbox, pin, .. } => {
            let right = *pin == pin::hash(pin.salt, mailbox, "86420") && pin.salt != [0; 16];
            format!("store pin {mailbox} {}", if right { "86420" } else { "wrong" })
        }
        other => panic!("{other:?}"),
    }
}

/// Names drawn from the seed are `new`; those in ladders are small numbers.
fn name(sound: SoundId) -> String {
    if sound.0 < 1_000 { sound.0.to_string() } else { "new".into() }
}

fn list(sounds: &[Heard]) -> String {
    let mut text = String::new();
    for sound in sounds {
        match sound {
            Heard::Prompt(name) => {
                let name = name.strip_prefix("en/vm/").unwrap();
                let known =
                    leave_message::PROMPTS.contains(&name) || listen::PROMPTS.contains(&name);
                assert!(known, "{name} is not in the list of prompts that are checked at start");
                write!(text, " {name}")
            }
            Heard::Number(number) => write!(text, " {number}"),
            Heard::Digits(digits) => write!(text, " digits:{digits}"),
            Heard::Received(at) => write!(text, " received:{}", at.0),
            Heard::Silence(_) => Ok(()),
            Heard::Samples(samples) => write!(text, " sound:{}", samples.len()),
        }
        .unwrap();
    }
    text
}
