//! The main menu, and what can be done with each message.

use std::sync::Arc;

use dialplan::{Barge, MailboxStatus};

use super::session::Session;
use super::{Listen, State, collect_digit, done};
use crate::feature::conversation::{Ask, Heard, vm};
use crate::records::{StoreRequest, Ticket};

impl Listen {
    /// Before the first message and after the last.
    pub(super) fn main_menu(&self, mut session: Session, mut said: Vec<Heard>) -> (State, Ask) {
        session.leave_messages();
        said.extend(session.main_menu_help(&self.language));
        (State::MainMenu(session), collect_digit(said))
    }

    pub(super) fn choose_in_main_menu(
        &self,
        mut session: Session,
        digit: Option<char>,
    ) -> (State, Ask) {
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

    pub(super) fn introduce(
        &self,
        mut session: Session,
        sound: Option<Arc<Vec<i16>>>,
    ) -> (State, Ask) {
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

    pub(super) fn after_message(&self, session: Session, digit: Option<char>) -> (State, Ask) {
        match digit {
            Some(_) => self.choose_for_message(session, digit),
            None => self.message_menu(session, &[]),
        }
    }

    pub(super) fn message_menu(&self, mut session: Session, said: &[&str]) -> (State, Ask) {
        let mut prompt: Vec<_> = said.iter().map(|name| vm(&self.language, name)).collect();
        prompt.extend(session.message_hint(&self.language));
        (State::MessageMenu(session), collect_digit(prompt))
    }

    pub(super) fn choose_for_message(
        &self,
        mut session: Session,
        digit: Option<char>,
    ) -> (State, Ask) {
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
