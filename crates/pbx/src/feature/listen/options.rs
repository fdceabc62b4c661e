//! Behind digit 0: a new PIN, a greeting of one's own, or none.

use std::time::Duration;

use dialplan::Barge;
use media::RecordEnd;

use super::session::Session;
use super::{Listen, State, collect_digit, collect_line};
use crate::feature::conversation::{Ask, Heard, vm};
use crate::feature::pin::{self, PIN_DIGITS_MAX, PIN_DIGITS_MIN};
use crate::records::{DraftKind, SoundId, StoreReply, StoreRequest, Ticket};

impl Listen {
    pub(super) fn options(&self, session: Session, mut said: Vec<Heard>) -> (State, Ask) {
        said.extend(session.options_help(&self.language));
        (State::Options(session), collect_digit(said))
    }

    pub(super) fn choose_option(
        &mut self,
        mut session: Session,
        digit: Option<char>,
    ) -> (State, Ask) {
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

    pub(super) fn take_new_pin(&self, session: Session, typed: String) -> (State, Ask) {
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

    pub(super) fn set_pin(&mut self, session: Session, first: &str, second: &str) -> (State, Ask) {
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

    pub(super) fn begin_greeting(&mut self, session: Session) -> (State, Ask) {
        let sound = SoundId(self.rng.u64(..));
        let kind = DraftKind::Greeting { mailbox: session.mailbox.clone() };
        let ask = Ask::Store(StoreRequest::Begin { sound, kind });
        (State::GreetingDraft(session, sound), ask)
    }
}

/// Keeps a greeting that was ended on purpose and is long enough.
pub(super) fn judge_greeting(
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

pub(super) fn drop_greeting(
    session: Session,
    sound: SoundId,
    why: Option<&'static str>,
) -> (State, Ask) {
    (State::DroppingGreeting(session, why), Ask::Store(StoreRequest::Drop { sound }))
}

/// What to say when the store was asked to change something.
pub(super) fn told(language: &str, reply: &StoreReply, success: &str) -> Heard {
    match reply {
        StoreReply::Done => vm(language, success),
        StoreReply::Failed
        | StoreReply::Mailbox(_)
        | StoreReply::Messages(_)
        | StoreReply::Sound(_) => vm(language, "not-saved"),
    }
}

/// Shorter is a mistake, not a greeting.
const GREETING_MIN: Duration = Duration::from_secs(1);

pub(super) const GREETING_MAX: Duration = Duration::from_secs(60);

pub(super) const GREETING_SILENCE_MAX: Duration = Duration::from_secs(5);

/// How much of the silence after the last word is kept, so that it does not sound cut off.
const TAIL: Duration = Duration::from_millis(300);
