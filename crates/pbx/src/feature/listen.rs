//! Listening to a mailbox: its number, its PIN, its messages, its options.
//!
//! Which digit does what is said by the prompts (`vm/menu-...`), and fixed here. Deleting only marks a
//! message; all that are marked go in one transaction when the session ends, by `#` or by hanging up,
//! so that until then everything can be brought back.

mod session;

use std::collections::BTreeMap;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use dialplan::{Barge, MailboxStatus, Outcome};
use fastrand::Rng;
use media::RecordEnd;

use self::session::Session;
use super::conversation::{Ask, Heard, Reply, vm};
use super::pin::{self, PIN_DIGITS_MAX, PIN_DIGITS_MIN};
use crate::MailboxConfig;
use crate::records::{DraftKind, MailboxRecord, SoundId, StoreReply, StoreRequest, Ticket};

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

    /// Before the first message and after the last.
    fn main_menu(&self, mut session: Session, mut said: Vec<Heard>) -> (State, Ask) {
        session.leave_messages();
        said.extend(session.main_menu_help(&self.language));
        (State::MainMenu(session), collect_digit(said))
    }

    fn choose_in_main_menu(&self, mut session: Session, digit: Option<char>) -> (State, Ask) {
        if session.is_asleep(digit) {
            return self.say_goodbye(session);
        }
        match digit {
            Some('1') if session.go_first() => play_message(session),
            Some('0') => self.options(session, Vec::new()),
            Some('#') => self.say_goodbye(session),
            Some('*') | None => self.main_menu(session, Vec::new()),
            Some(_) => self.main_menu(session, vec![vm(&self.language, "invalid-choice")]),
        }
    }

    fn introduce(&self, mut session: Session, sound: Option<Arc<Vec<i16>>>) -> (State, Ask) {
        match sound {
            Some(samples) => {
                let sounds = session.introduction(&self.language);
                (State::Introduction(session, samples), Ask::Play { sounds, barge: Barge::Any })
            }
            // Deleted meanwhile, by another caller in the same mailbox.
            None if session.forget() => play_message(session),
            None => self.main_menu(session, vec![vm(&self.language, "no-more-messages")]),
        }
    }

    fn after_message(&self, session: Session, digit: Option<char>) -> (State, Ask) {
        match digit {
            Some(_) => self.choose_for_message(session, digit),
            None => self.message_menu(session, &[]),
        }
    }

    fn message_menu(&self, mut session: Session, said: &[&str]) -> (State, Ask) {
        let mut prompt: Vec<_> = said.iter().map(|name| vm(&self.language, name)).collect();
        prompt.extend(session.message_hint(&self.language));
        (State::MessageMenu(session), collect_digit(prompt))
    }

    fn choose_for_message(&self, mut session: Session, digit: Option<char>) -> (State, Ask) {
        if session.is_asleep(digit) {
            return self.say_goodbye(session);
        }
        match digit {
            Some('5' | '1') => play_message(session),
            Some('6' | '3' | '9') if session.go_next() => play_message(session),
            Some('6' | '3' | '9') => {
                self.main_menu(session, vec![vm(&self.language, "no-more-messages")])
            }
            Some('4' | '2') if session.go_previous() => play_message(session),
            Some('4' | '2') => self.message_menu(session, &["no-earlier-messages"]),
            Some('7') => {
                let said = if session.toggle_deleted() { "deleted" } else { "undeleted" };
                self.message_menu(session, &[said])
            }
            Some('8') => {
                session.undelete();
                self.message_menu(session, &["undeleted"])
            }
            Some('0') => self.options(session, Vec::new()),
            Some('*') => {
                session.wants_help();
                self.message_menu(session, &[])
            }
            Some('#') => self.say_goodbye(session),
            None => self.message_menu(session, &[]),
            Some(_) => self.message_menu(session, &["invalid-choice"]),
        }
    }

    fn options(&self, session: Session, mut said: Vec<Heard>) -> (State, Ask) {
        said.extend(session.options_help(&self.language));
        (State::Options(session), collect_digit(said))
    }

    fn choose_option(&mut self, mut session: Session, digit: Option<char>) -> (State, Ask) {
        if session.is_asleep(digit) {
            return self.say_goodbye(session);
        }
        match (digit, session.greeting) {
            (Some('1'), _) => self.ask_new_pin(session, &["enter-new-pin"]),
            (Some('2'), _) => {
                let sounds = vec![vm(&self.language, "record-greeting")];
                (State::GreetingPrompt(session), Ask::Play { sounds, barge: Barge::Any })
            }
            (Some('3'), Some(greeting)) => {
                let ask = StoreRequest::Delete { ticket: Ticket(0), sounds: vec![greeting] };
                (State::RemovingGreeting(session), Ask::Store(ask))
            }
            (Some('*'), _) if session.is_at_message() => self.message_menu(session, &[]),
            (Some('*'), _) => self.main_menu(session, Vec::new()),
            (Some('#'), _) => self.say_goodbye(session),
            (None, _) => self.options(session, Vec::new()),
            (Some(_), _) => self.options(session, vec![vm(&self.language, "invalid-choice")]),
        }
    }

    fn ask_new_pin(&self, session: Session, said: &[&str]) -> (State, Ask) {
        let prompt = said.iter().map(|name| vm(&self.language, name)).collect();
        (State::NewPin(session), collect_line(prompt))
    }

    fn take_new_pin(&self, session: Session, typed: String) -> (State, Ask) {
        let digits_only = typed.bytes().all(|byte| byte.is_ascii_digit());
        match typed.len() {
            PIN_DIGITS_MIN..=PIN_DIGITS_MAX if digits_only => {
                let prompt = vec![vm(&self.language, "enter-new-pin-again")];
                (State::NewPinAgain(session, typed), collect_line(prompt))
            }
            // Nothing typed: a change of mind.
            0 => self.options(session, Vec::new()),
            1..PIN_DIGITS_MIN => self.options(session, vec![vm(&self.language, "pin-too-short")]),
            _ => self.options(session, vec![vm(&self.language, "pin-length")]),
        }
    }

    fn set_pin(&mut self, session: Session, first: &str, second: &str) -> (State, Ask) {
        if first != second {
            return self.options(session, vec![vm(&self.language, "pins-differ")]);
        }
        let mut salt = [0; 16];
        self.rng.fill(&mut salt);
        let mailbox = session.mailbox.clone();
        let pin = pin::hash(salt, &mailbox, second);
        let ask = StoreRequest::SetPin { ticket: Ticket(0), mailbox, pin };
        (State::SettingPin(session), Ask::Store(ask))
    }

    fn begin_greeting(&mut self, session: Session) -> (State, Ask) {
        let sound = SoundId(self.rng.u64(..));
        let kind = DraftKind::Greeting { mailbox: session.mailbox.clone() };
        let ask = Ask::Store(StoreRequest::Begin { sound, kind });
        (State::GreetingDraft(session, sound), ask)
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

fn play_message(session: Session) -> (State, Ask) {
    match session.sound() {
        Some(sound) => {
            let ask = Ask::Store(StoreRequest::Sound { ticket: Ticket(0), sound });
            (State::Sound(session), ask)
        }
        None => {
            debug_assert!(false, "no message is at hand");
            done(MailboxStatus::Failed)
        }
    }
}

/// Keeps a greeting that was ended on purpose and is long enough.
fn judge_greeting(
    session: Session,
    sound: SoundId,
    length: Duration,
    trailing_silence: Duration,
    reason: RecordEnd,
) -> (State, Ask) {
    let said = length.saturating_sub(trailing_silence);
    let finished = match reason {
        // A greeting cut off by hanging up is no greeting: the one before stays.
        RecordEnd::Stopped => false,
        RecordEnd::Max | RecordEnd::Silence | RecordEnd::Digit(_) => true,
    };
    if !finished || said < GREETING_MIN {
        return drop_greeting(session, sound, Some("greeting-too-short"));
    }
    let length = said + trailing_silence.min(TAIL);
    let ask = Ask::Store(StoreRequest::Keep { ticket: Ticket(0), sound, length });
    (State::KeepingGreeting(session, sound), ask)
}

fn drop_greeting(session: Session, sound: SoundId, why: Option<&'static str>) -> (State, Ask) {
    (State::DroppingGreeting(session, why), Ask::Store(StoreRequest::Drop { sound }))
}

/// What to say when the store was asked to change something.
fn told(language: &str, reply: &StoreReply, success: &str) -> Heard {
    match reply {
        StoreReply::Done => vm(language, success),
        StoreReply::Failed
        | StoreReply::Mailbox(_)
        | StoreReply::Messages(_)
        | StoreReply::Sound(_) => vm(language, "not-saved"),
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

/// Shorter is a mistake, not a greeting.
const GREETING_MIN: Duration = Duration::from_secs(1);

const GREETING_MAX: Duration = Duration::from_secs(60);

const GREETING_SILENCE_MAX: Duration = Duration::from_secs(5);

/// How much of the silence after the last word is kept, so that it does not sound cut off.
const TAIL: Duration = Duration::from_millis(300);

/// Between recorded sound and our own words.
const PAUSE: Heard = Heard::Silence(Duration::from_millis(400));

/// Every prompt named here and in [`session`], so that a missing one is found at start.
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
