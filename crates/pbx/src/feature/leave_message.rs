//! Leaving a voicemail message: greeting, beep, recording, good-bye.
//!
//! A message is a draft while it is spoken and becomes whole with one [`StoreRequest::Keep`]. Hanging
//! up ends it just as `#` does.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use dialplan::{Absence, Barge, Outcome, VoicemailStatus};
use fastrand::Rng;
use media::RecordEnd;

use super::conversation::{Ask, Heard, Reply, vm};
use crate::MailboxConfig;
use crate::records::{Disk, DraftKind, SoundId, StoreReply, StoreRequest, Ticket, UnixMs};

/// What the conversation is about.
#[derive(Debug, Clone)]
pub(crate) struct LeaveContext {
    /// Mailbox name.
    pub(crate) mailbox: String,
    /// How it is configured; `None` if there is no such mailbox.
    pub(crate) config: Option<MailboxConfig>,
    /// Who calls: user part or number.
    pub(crate) caller: String,
    /// Display name of the caller, may be empty.
    pub(crate) caller_name: String,
    /// Now.
    pub(crate) received_at: UnixMs,
    /// Why the callee is not there.
    pub(crate) absence: Absence,
    /// Language folder of prompts.
    pub(crate) language: String,
    /// Where the name of the message comes from.
    pub(crate) seed: u64,
}

/// One caller leaving one message.
#[derive(Debug)]
pub(crate) struct LeaveMessage {
    context: LeaveContext,
    sound: SoundId,
    state: State,
}

/// Each state is named after what it waits for.
#[derive(Debug)]
enum State {
    Fresh,
    /// How the mailbox stands.
    Mailbox,
    /// The sound of the owner's greeting.
    OwnGreeting,
    /// The end of the greeting.
    Greeting,
    /// The draft having been begun.
    Draft,
    /// The end of the recording.
    Recording,
    /// The draft having been dropped; then this is said.
    Dropping {
        why: &'static str,
    },
    /// The draft being on disk.
    Keeping {
        reason: RecordEnd,
    },
    /// The end of the last words.
    Parting {
        status: VoicemailStatus,
    },
    Over,
}

impl LeaveMessage {
    /// A conversation that begins with [`Reply::Start`].
    pub(crate) fn new(context: LeaveContext) -> Self {
        let sound = SoundId(Rng::with_seed(context.seed).u64(..));
        Self { context, sound, state: State::Fresh }
    }

    /// Takes the reply to the last ask and gives the next.
    pub(crate) fn next(&mut self, reply: Reply) -> Ask {
        let state = mem::replace(&mut self.state, State::Over);
        let (state, ask) = match (state, reply) {
            (State::Fresh, Reply::Start) => self.look_at_mailbox(),
            (State::Mailbox, Reply::Stored(StoreReply::Mailbox(record))) => {
                let held = record.new_messages.saturating_add(record.old_messages);
                match (&self.context.config, record.greeting) {
                    _ if record.disk == Disk::Faulty => {
                        self.part(&["cannot-record"], VoicemailStatus::Failed)
                    }
                    (Some(config), _) if held >= config.messages_max => {
                        self.part(&["mailbox-full", "goodbye"], VoicemailStatus::Failed)
                    }
                    (_, Some(sound)) => (
                        State::OwnGreeting,
                        Ask::Store(StoreRequest::Sound { ticket: Ticket(0), sound }),
                    ),
                    (_, None) => self.greet(None),
                }
            }
            (State::Mailbox, Reply::Stored(_)) => {
                self.part(&["cannot-record"], VoicemailStatus::Failed)
            }
            (State::OwnGreeting, Reply::Stored(StoreReply::Sound(Some(samples)))) => {
                self.greet(Some(samples))
            }
            (State::OwnGreeting, Reply::Stored(_)) => self.greet(None),
            (State::Greeting, Reply::Played { .. }) => self.begin(),
            (State::Draft, Reply::Told) => (State::Recording, self.record()),
            (State::Recording, Reply::Recorded { length, trailing_silence, reason }) => {
                self.judge(length, trailing_silence, reason)
            }
            (State::Dropping { why }, Reply::Told) => {
                self.part(&[why, "goodbye"], VoicemailStatus::Empty)
            }
            (State::Keeping { reason }, Reply::Stored(StoreReply::Done)) => match reason {
                RecordEnd::Max => {
                    self.part(&["time-is-up", "message-saved", "goodbye"], VoicemailStatus::Success)
                }
                RecordEnd::Stopped | RecordEnd::Silence | RecordEnd::Digit(_) => {
                    self.part(&["message-saved", "goodbye"], VoicemailStatus::Success)
                }
            },
            (State::Keeping { .. }, Reply::Stored(_)) => {
                self.part(&["cannot-record"], VoicemailStatus::Failed)
            }
            (State::Parting { status }, Reply::Played { .. } | Reply::HungUp) => done(status),
            // How much was said is not known here, but the store knows.
            (State::Recording, Reply::HungUp) => self.keep(Duration::MAX, RecordEnd::Stopped),
            (_, Reply::HungUp) => done(VoicemailStatus::Empty),
            (state, reply) => {
                debug_assert!(false, "{state:?} was told {reply:?}");
                done(VoicemailStatus::Failed)
            }
        };
        self.state = state;
        ask
    }

    fn look_at_mailbox(&self) -> (State, Ask) {
        match &self.context.config {
            Some(_) => {
                let mailbox = self.context.mailbox.clone();
                let ask = Ask::Store(StoreRequest::Mailbox { ticket: Ticket(0), mailbox });
                (State::Mailbox, ask)
            }
            None => self.part(&["cannot-record"], VoicemailStatus::Failed),
        }
    }

    /// The owner's own greeting, or else one made up of prompts. Any digit goes straight to the beep.
    fn greet(&self, own: Option<Arc<Vec<i16>>>) -> (State, Ask) {
        let number = &self.context.mailbox;
        let prompt = |name| vm(&self.context.language, name);
        let sounds = match own {
            Some(samples) => vec![Heard::Samples(samples)],
            None if number.bytes().all(|byte| byte.is_ascii_digit()) => vec![
                prompt("person-at"),
                Heard::Digits(number.clone()),
                match self.context.absence {
                    Absence::Unavailable => prompt("unavailable"),
                    Absence::Busy => prompt("busy"),
                },
                prompt("leave-message"),
            ],
            None => vec![prompt("nobody"), prompt("leave-message")],
        };
        (State::Greeting, Ask::Play { sounds, barge: Barge::Any })
    }

    fn begin(&self) -> (State, Ask) {
        let kind = DraftKind::Message {
            mailbox: self.context.mailbox.clone(),
            caller: self.context.caller.clone(),
            caller_name: self.context.caller_name.clone(),
            received_at: self.context.received_at,
        };
        (State::Draft, Ask::Store(StoreRequest::Begin { sound: self.sound, kind }))
    }

    fn record(&self) -> Ask {
        let max = self.context.config.as_ref().map_or(Duration::ZERO, |config| config.message_max);
        Ask::Record { sound: self.sound, max, silence: Some(SILENCE_MAX), terminator: Some('#') }
    }

    /// Keeps what was said, without the silence that ended it, unless hardly anything was.
    fn judge(
        &self,
        length: Duration,
        trailing_silence: Duration,
        reason: RecordEnd,
    ) -> (State, Ask) {
        let said = length.saturating_sub(trailing_silence);
        if said >= MESSAGE_MIN {
            return self.keep(said + trailing_silence.min(TAIL), reason);
        }
        let why = if said.is_zero() { "nothing-heard" } else { "too-short" };
        (State::Dropping { why }, Ask::Store(StoreRequest::Drop { sound: self.sound }))
    }

    fn keep(&self, length: Duration, reason: RecordEnd) -> (State, Ask) {
        let ask = StoreRequest::Keep { ticket: Ticket(0), sound: self.sound, length };
        (State::Keeping { reason }, Ask::Store(ask))
    }

    fn part(&self, words: &[&str], status: VoicemailStatus) -> (State, Ask) {
        let sounds = words.iter().map(|name| vm(&self.context.language, name)).collect();
        (State::Parting { status }, Ask::Play { sounds, barge: Barge::Never })
    }
}

fn done(status: VoicemailStatus) -> (State, Ask) {
    (State::Over, Ask::Done(Outcome::Voicemail(status)))
}

/// Shorter is a mistake, not a message.
const MESSAGE_MIN: Duration = Duration::from_secs(1);

/// A caller who says nothing for this long has finished.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// How much of the silence after the last word is kept, so that it does not sound cut off.
const TAIL: Duration = Duration::from_millis(300);

/// Every prompt named here, so that a missing one is found at start.
pub(super) const PROMPTS: &[&str] = &[
    "person-at",
    "unavailable",
    "busy",
    "nobody",
    "leave-message",
    "mailbox-full",
    "cannot-record",
    "too-short",
    "nothing-heard",
    "time-is-up",
    "message-saved",
    "goodbye",
];

#[cfg(test)]
mod tests;
