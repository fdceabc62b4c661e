//! `call:record`: a recording of the caller, kept as a file in the recordings folder.

use std::time::Duration;

use dialplan::{Outcome, Record};
use media::RecordLimits;

use super::Next;
use super::perform::Performance;
use crate::desk::Desk;
use crate::feature::Reply;
use crate::records::{DraftKind, SoundId, StoreReply, StoreRequest, Ticket};

/// One `call:record` under way.
#[derive(Debug)]
pub(crate) struct RecordCaller {
    record: Record,
    name: String,
    sound: SoundId,
    length: Duration,
    /// Nothing was recorded.
    is_dropped: bool,
}

impl RecordCaller {
    /// `call` names the file if the script did not.
    pub(super) fn new(record: Record, call: &str, desk: &mut Desk) -> Self {
        let sound = desk.next_sound();
        let name = record.name.clone().unwrap_or_else(|| format!("{call}-{:08x}", sound.0));
        Self { record, name, sound, length: Duration::ZERO, is_dropped: false }
    }

    pub(super) fn next(&mut self, reply: Reply) -> Next {
        match reply {
            Reply::Start => Next::Store(StoreRequest::Begin {
                sound: self.sound,
                kind: DraftKind::Recording { name: self.name.clone() },
            }),
            Reply::Told if self.is_dropped => nothing(),
            Reply::Told => Next::Perform(Performance::Record {
                sound: self.sound,
                beep: self.record.beep,
                limits: RecordLimits {
                    max: self.record.max,
                    silence: self.record.silence,
                    terminator: self.record.terminator,
                },
            }),
            Reply::Recorded { length, .. } if length.is_zero() => self.drop_draft(),
            Reply::Recorded { length, .. } => {
                self.length = length;
                Next::Store(StoreRequest::Keep { ticket: Ticket(0), sound: self.sound, length })
            }
            Reply::Stored(StoreReply::Failed) => {
                Next::Done(Outcome::Fault("the recording could not be stored".to_owned()))
            }
            Reply::Stored(_) | Reply::Played { .. } | Reply::Digits { .. } => {
                let path = format!("{}.wav", self.name);
                Next::Done(Outcome::Recorded { length: self.length, path })
            }
            // How much was said is not known here, but the store knows.
            Reply::HungUp => Next::Store(StoreRequest::Keep {
                ticket: Ticket(0),
                sound: self.sound,
                length: Duration::MAX,
            }),
        }
    }

    fn drop_draft(&mut self) -> Next {
        self.is_dropped = true;
        Next::Store(StoreRequest::Drop { sound: self.sound })
    }
}

fn nothing() -> Next {
    Next::Done(Outcome::Recorded { length: Duration::ZERO, path: String::new() })
}
