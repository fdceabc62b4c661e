//! Listening to a mailbox: its number, its PIN, its messages, its options.
//!
//! Which digit does what is said by the prompts (`vm/menu-...`), and fixed here. Deleting only marks a
//! message; all that are marked go in one transaction when the session ends, by `#` or by hanging up,
//! so that until then everything can be brought back.

mod messages;
mod options;
mod session;

use std::collections::BTreeMap;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use dialplan::{Barge, MailboxStatus, Outcome};
use fastrand::Rng;

use self::options::{GREETING_MAX, GREETING_SILENCE_MAX, drop_greeting, judge_greeting, told};
use self::session::Session;
use super::conversation::{Ask, Heard, Reply, vm};
use super::pin;
use crate::MailboxConfig;
use crate::records::{MailboxRecord, SoundId, StoreReply, StoreRequest, Ticket};

/// What the conversation is about.
#[derive(Debug, Clone)]
pub(crate) struct ListenContext {
    /// Mailbox name; `None` asks the caller for it.
    pub(crate) mailbox: Option<String>,
    /// All mailboxes there are.
    pub(crate) mailboxes: Arc<BTreeMap<String, MailboxConfig>>,
    /// Language folder of prompts.
    pub(crate) language: String,
    /// Where names of greetings and salts come from.
    pub(crate) seed: u64,
}

/// One caller at one mailbox.
pub(crate) struct Listen {
    mailbox: Option<String>,
    mailboxes: Arc<BTreeMap<String, MailboxConfig>>,
    language: String,
    rng: Rng,
    state: State,
}

/// Each state is named after what it waits for.
enum State {
    Fresh,
    /// The number of the mailbox.
    Number {
        tries_left: u8,
    },
    /// How the mailbox stands.
    Mailbox {
        mailbox: String,
    },
    /// The PIN.
    Pin {
        mailbox: String,
        record: MailboxRecord,
        tries_left: u8,
    },
    /// The list of messages.
    Messages {
        mailbox: String,
        greeting: Option<SoundId>,
    },
    /// A digit, after the counts.
    MainMenu(Session),
    /// The sound of the message at hand.
    Sound(Session),
    /// The end of what is said about it.
    Introduction(Session, Arc<Vec<i16>>),
    /// The end of the message itself.
    Listening(Session),
    /// The message having been marked as heard; then the digit counts that stopped it.
    Marking(Session, Option<char>),
    /// A digit, after a message.
    MessageMenu(Session),
    /// A digit, in the options.
    Options(Session),
    NewPin(Session),
    NewPinAgain(Session, String),
    /// The PIN being on disk.
    SettingPin(Session),
    /// The end of what is said before a greeting is recorded.
    GreetingPrompt(Session),
    /// Its draft having been begun.
    GreetingDraft(Session, SoundId),
    /// The end of its recording.
    RecordingGreeting(Session, SoundId),
    /// The draft having been dropped; then this is said, or the session ends if nobody is there.
    DroppingGreeting(Session, Option<&'static str>),
    /// The greeting being on disk.
    KeepingGreeting(Session, SoundId),
    /// The sound of the greeting, to be heard as callers will.
    GreetingSound(Session),
    /// The greeting being gone.
    RemovingGreeting(Session),
    /// The messages being deleted; then this is said, or nothing if nobody is there.
    Deleting {
        farewell: Vec<Heard>,
        status: MailboxStatus,
    },
    /// The end of the last words.
    Parting {
        status: MailboxStatus,
    },
    Over,
}

impl fmt::Debug for Listen {
    /// Says nothing of its state, which may hold a PIN.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listen").field("mailbox", &self.mailbox).finish_non_exhaustive()
    }
}

impl Listen {
    /// A conversation that begins with [`Reply::Start`].
    pub(crate) fn new(context: ListenContext) -> Self {
        let ListenContext { mailbox, mailboxes, language, seed } = context;
        Self { mailbox, mailboxes, language, rng: Rng::with_seed(seed), state: State::Fresh }
    }

    /// Takes the reply to the last ask and gives the next.
    pub(crate) fn next(&mut self, reply: Reply) -> Ask {
        let state = mem::replace(&mut self.state, State::Over);
        let (state, ask) = match reply {
            Reply::HungUp => self.hang_up(state),
            Reply::Start
            | Reply::Played { .. }
            | Reply::Digits { .. }
            | Reply::Recorded { .. }
            | Reply::Stored(_)
            | Reply::Told => self.advance(state, reply),
        };
        self.state = state;
        ask
    }

    fn advance(&mut self, state: State, reply: Reply) -> (State, Ask) {
        match (state, reply) {
            (State::Fresh, Reply::Start) => match self.mailbox.take() {
                Some(mailbox) => self.open(mailbox, 0),
                None => self.ask_number(&["enter-mailbox"], TRIES),
            },
            (State::Number { tries_left }, Reply::Digits { digits, .. }) => {
                self.open(digits, tries_left)
            }
            (State::Mailbox { mailbox }, Reply::Stored(StoreReply::Mailbox(record))) => {
                self.ask_pin(mailbox, record, &["enter-pin"], TRIES)
            }
            (State::Pin { mailbox, record, tries_left }, Reply::Digits { digits, .. }) => {
                self.try_pin(mailbox, record, tries_left, &digits)
            }
            (
                State::Messages { mailbox, greeting },
                Reply::Stored(StoreReply::Messages(messages)),
            ) => {
                let session = Session::new(mailbox, greeting, messages);
                let counts = session.counts(&self.language);
                self.main_menu(session, counts)
            }
            (State::MainMenu(session), Reply::Digits { digits, .. }) => {
                self.choose_in_main_menu(session, digits.chars().next())
            }
            (State::Sound(session), Reply::Stored(StoreReply::Sound(sound))) => {
                self.introduce(session, sound)
            }
            (State::Introduction(session, samples), Reply::Played { digit: None }) => {
                let sounds = vec![Heard::Samples(samples), PAUSE];
                (State::Listening(session), Ask::Play { sounds, barge: Barge::Any })
            }
            (State::Introduction(session, _), Reply::Played { digit }) => {
                self.choose_for_message(session, digit)
            }
            (State::Listening(mut session), Reply::Played { digit }) => {
                match session.mark_heard() {
                    Some(sound) => {
                        let ask = Ask::Store(StoreRequest::MarkHeard { sound });
                        (State::Marking(session, digit), ask)
                    }
                    None => self.after_message(session, digit),
                }
            }
            (State::Marking(session, digit), Reply::Told) => self.after_message(session, digit),
            (State::MessageMenu(session), Reply::Digits { digits, .. }) => {
                self.choose_for_message(session, digits.chars().next())
            }
            (state, reply) => self.advance_options(state, reply),
        }
    }

    /// The states behind digit 0, and the end.
    fn advance_options(&mut self, state: State, reply: Reply) -> (State, Ask) {
        match (state, reply) {
            (State::Options(session), Reply::Digits { digits, .. }) => {
                self.choose_option(session, digits.chars().next())
            }
            (State::NewPin(session), Reply::Digits { digits, .. }) => {
                self.take_new_pin(session, digits)
            }
            (State::NewPinAgain(session, first), Reply::Digits { digits, .. }) => {
                self.set_pin(session, &first, &digits)
            }
            (State::SettingPin(session), Reply::Stored(reply)) => {
                self.options(session, vec![told(&self.language, &reply, "pin-changed")])
            }
            (State::GreetingPrompt(session), Reply::Played { .. }) => self.begin_greeting(session),
            (State::GreetingDraft(session, sound), Reply::Told) => {
                let ask = Ask::Record {
                    sound,
                    max: GREETING_MAX,
                    silence: Some(GREETING_SILENCE_MAX),
                    terminator: Some('#'),
                };
                (State::RecordingGreeting(session, sound), ask)
            }
            (
                State::RecordingGreeting(session, sound),
                Reply::Recorded { length, trailing_silence, reason },
            ) => judge_greeting(session, sound, length, trailing_silence, reason),
            (State::DroppingGreeting(session, why), Reply::Told) => match why {
                Some(why) => self.options(session, vec![vm(&self.language, why)]),
                None => self.finish(session, Vec::new(), MailboxStatus::Done),
            },
            (State::KeepingGreeting(mut session, sound), Reply::Stored(StoreReply::Done)) => {
                session.greeting = Some(sound);
                let ask = Ask::Store(StoreRequest::Sound { ticket: Ticket(0), sound });
                (State::GreetingSound(session), ask)
            }
            (State::KeepingGreeting(session, _), Reply::Stored(_)) => {
                self.options(session, vec![vm(&self.language, "not-saved")])
            }
            (State::GreetingSound(session), Reply::Stored(reply)) => {
                let mut said = vec![vm(&self.language, "greeting-saved")];
                if let StoreReply::Sound(Some(samples)) = reply {
                    let words = vm(&self.language, "your-greeting");
                    said.extend([words, PAUSE, Heard::Samples(samples), PAUSE]);
                }
                self.options(session, said)
            }
            (State::RemovingGreeting(mut session), Reply::Stored(reply)) => {
                if reply == StoreReply::Done {
                    session.greeting = None;
                }
                self.options(session, vec![told(&self.language, &reply, "greeting-removed")])
            }
            (State::Deleting { mut farewell, status }, Reply::Stored(reply)) => {
                if !farewell.is_empty() && reply != StoreReply::Done {
                    farewell.insert(0, vm(&self.language, "not-saved"));
                }
                part(farewell, status)
            }
            (State::Parting { status }, Reply::Played { .. }) => done(status),
            // What the mailbox holds cannot be read.
            (State::Mailbox { .. } | State::Messages { .. }, Reply::Stored(_)) => {
                part(vec![vm(&self.language, "not-now")], MailboxStatus::Failed)
            }
            (State::Sound(session), Reply::Stored(_)) => {
                let farewell = vec![vm(&self.language, "not-now")];
                self.finish(session, farewell, MailboxStatus::Failed)
            }
            (_, reply) => {
                debug_assert!(false, "nothing waits for {reply:?}");
                done(MailboxStatus::Failed)
            }
        }
    }

    fn hang_up(&mut self, state: State) -> (State, Ask) {
        match state {
            State::MainMenu(session)
            | State::Sound(session)
            | State::Introduction(session, _)
            | State::Listening(session)
            | State::Marking(session, _)
            | State::MessageMenu(session)
            | State::Options(session)
            | State::NewPin(session)
            | State::NewPinAgain(session, _)
            | State::SettingPin(session)
            | State::GreetingPrompt(session)
            | State::GreetingDraft(session, _)
            | State::DroppingGreeting(session, _)
            | State::KeepingGreeting(session, _)
            | State::GreetingSound(session)
            | State::RemovingGreeting(session) => {
                self.finish(session, Vec::new(), MailboxStatus::Done)
            }
            State::RecordingGreeting(session, sound) => drop_greeting(session, sound, None),
            State::Parting { status } | State::Deleting { status, .. } => done(status),
            State::Fresh
            | State::Number { .. }
            | State::Mailbox { .. }
            | State::Pin { .. }
            | State::Messages { .. }
            | State::Over => done(MailboxStatus::Done),
        }
    }

    fn ask_number(&self, said: &[&str], tries_left: u8) -> (State, Ask) {
        let prompt = said.iter().map(|name| vm(&self.language, name)).collect();
        (State::Number { tries_left }, collect_line(prompt))
    }

    /// Looks at a mailbox, if there is one of this name.
    fn open(&self, mailbox: String, tries_left: u8) -> (State, Ask) {
        if self.mailboxes.contains_key(&mailbox) {
            let ask = StoreRequest::Mailbox { ticket: Ticket(0), mailbox: mailbox.clone() };
            return (State::Mailbox { mailbox }, Ask::Store(ask));
        }
        match tries_left {
            0 => part(vec![vm(&self.language, "no-such-mailbox")], MailboxStatus::Failed),
            1 => part(vec![vm(&self.language, "too-many")], MailboxStatus::Failed),
            _ if mailbox.is_empty() => self.ask_number(&["enter-mailbox"], tries_left - 1),
            _ => self.ask_number(&["no-such-mailbox", "enter-mailbox"], tries_left - 1),
        }
    }

    fn ask_pin(
        &self,
        mailbox: String,
        record: MailboxRecord,
        said: &[&str],
        tries_left: u8,
    ) -> (State, Ask) {
        let prompt = said.iter().map(|name| vm(&self.language, name)).collect();
        (State::Pin { mailbox, record, tries_left }, collect_line(prompt))
    }

    fn try_pin(
        &self,
        mailbox: String,
        record: MailboxRecord,
        tries_left: u8,
        typed: &str,
    ) -> (State, Ask) {
        let configured = self.mailboxes.get(&mailbox).map_or("", |config| config.pin.as_str());
        if pin::is_right(&mailbox, typed, record.pin.as_ref(), configured) {
            let ask = StoreRequest::Messages { ticket: Ticket(0), mailbox: mailbox.clone() };
            let greeting = record.greeting;
            return (State::Messages { mailbox, greeting }, Ask::Store(ask));
        }
        match tries_left {
            0 | 1 => part(vec![vm(&self.language, "too-many")], MailboxStatus::Refused),
            _ => self.ask_pin(mailbox, record, &["wrong-pin", "enter-pin"], tries_left - 1),
        }
    }

    fn say_goodbye(&self, session: Session) -> (State, Ask) {
        self.finish(session, vec![vm(&self.language, "goodbye")], MailboxStatus::Done)
    }

    /// Deletes what is marked, then says `farewell` if anybody is there.
    fn finish(
        &self,
        session: Session,
        farewell: Vec<Heard>,
        status: MailboxStatus,
    ) -> (State, Ask) {
        let sounds = session.deleted();
        if sounds.is_empty() {
            return part(farewell, status);
        }
        let ask = Ask::Store(StoreRequest::Delete { ticket: Ticket(0), sounds });
        (State::Deleting { farewell, status }, ask)
    }
}

fn part(farewell: Vec<Heard>, status: MailboxStatus) -> (State, Ask) {
    if farewell.is_empty() {
        return done(status);
    }
    (State::Parting { status }, Ask::Play { sounds: farewell, barge: Barge::Never })
}

fn done(status: MailboxStatus) -> (State, Ask) {
    (State::Over, Ask::Done(Outcome::Mailbox(status)))
}

fn collect_digit(prompt: Vec<Heard>) -> Ask {
    Ask::Collect {
        prompt,
        digits_max: 1,
        timeout: MENU_TIMEOUT,
        between: MENU_TIMEOUT,
        terminator: None,
    }
}

/// Digits up to a `#`.
fn collect_line(prompt: Vec<Heard>) -> Ask {
    Ask::Collect {
        prompt,
        digits_max: LINE_DIGITS_MAX,
        timeout: LINE_TIMEOUT,
        between: LINE_BETWEEN,
        terminator: Some('#'),
    }
}

/// How often a mailbox number or a PIN may be wrong.
const TRIES: u8 = 3;

/// After this, a menu is told once more.
const MENU_TIMEOUT: Duration = Duration::from_secs(5);

/// Most digits of a line. More than a PIN may have, so that the `#` after a long one is not left over
/// and taken for the next answer.
const LINE_DIGITS_MAX: u8 = 32;

const LINE_TIMEOUT: Duration = Duration::from_secs(10);

const LINE_BETWEEN: Duration = Duration::from_secs(5);

/// Between recorded sound and our own words.
const PAUSE: Heard = Heard::Silence(Duration::from_millis(400));

/// Every prompt named here and in this folder, so that a missing one is found at start.
pub(super) const PROMPTS: &[&str] = &[
    "enter-mailbox",
    "enter-pin",
    "wrong-pin",
    "no-such-mailbox",
    "too-many",
    "not-now",
    "you-have",
    "and",
    "new-message",
    "new-messages",
    "old-message",
    "old-messages",
    "no-messages",
    "no-new-messages",
    "message",
    "received",
    "from",
    "from-extension",
    "from-unknown",
    "menu-messages",
    "menu-repeat",
    "menu-next",
    "menu-previous",
    "menu-delete",
    "menu-undelete",
    "menu-options",
    "menu-exit",
    "menu-help",
    "deleted",
    "undeleted",
    "no-more-messages",
    "no-earlier-messages",
    "invalid-choice",
    "menu-change-pin",
    "menu-record-greeting",
    "menu-remove-greeting",
    "menu-back",
    "enter-new-pin",
    "enter-new-pin-again",
    "pins-differ",
    "pin-too-short",
    "pin-length",
    "pin-changed",
    "record-greeting",
    "your-greeting",
    "greeting-saved",
    "greeting-removed",
    "greeting-too-short",
    "not-saved",
    "goodbye",
];

#[cfg(test)]
mod tests;
