//! What one caller sees of one mailbox: its messages, which one is at hand, and what is said of them.

use crate::feature::conversation::{Heard, vm};
use crate::records::{MessageRecord, SoundId};

/// The messages as they were when the caller came in. Those that come meanwhile wait for next time.
pub(super) struct Session {
    pub(super) mailbox: String,
    pub(super) greeting: Option<SoundId>,
    /// New ones first, then those heard before; oldest first within each.
    messages: Vec<Message>,
    /// Which message is at hand; `None` in the main menu.
    at: Option<usize>,
    help: Help,
    /// Menus in a row to which nothing was pressed.
    unanswered: u8,
}

struct Message {
    record: MessageRecord,
    fate: Fate,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Deleted,
}

/// How much is said after a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Help {
    All,
    Hint,
}

impl Session {
    pub(super) fn new(
        mailbox: String,
        greeting: Option<SoundId>,
        mut records: Vec<MessageRecord>,
    ) -> Self {
        records.sort_by_key(|record| record.heard);
        let messages =
            records.into_iter().map(|record| Message { record, fate: Fate::Kept }).collect();
        Self { mailbox, greeting, messages, at: None, help: Help::All, unanswered: 0 }
    }

    /// Counts menus to which nothing was pressed. True when the caller seems to be gone.
    pub(super) fn is_asleep(&mut self, digit: Option<char>) -> bool {
        self.unanswered = match digit {
            Some(_) => 0,
            None => self.unanswered.saturating_add(1),
        };
        self.unanswered >= UNANSWERED_MAX
    }

    pub(super) fn is_at_message(&self) -> bool {
        self.at.is_some()
    }

    pub(super) fn leave_messages(&mut self) {
        self.at = None;
    }

    /// Goes to the first message; false if there is none.
    pub(super) fn go_first(&mut self) -> bool {
        self.go(Some(0))
    }

    /// Goes to the next message; false at the last.
    pub(super) fn go_next(&mut self) -> bool {
        self.go(self.at.and_then(|at| at.checked_add(1)))
    }

    /// Goes to the message before; false at the first.
    pub(super) fn go_previous(&mut self) -> bool {
        self.go(self.at.and_then(|at| at.checked_sub(1)))
    }

    fn go(&mut self, to: Option<usize>) -> bool {
        let exists = to.is_some_and(|to| to < self.messages.len());
        if exists {
            self.at = to;
        }
        exists
    }

    /// The message at hand is gone from the store; the next takes its place. False if it was the last.
    pub(super) fn forget(&mut self) -> bool {
        if let Some(at) = self.at.filter(|at| *at < self.messages.len()) {
            self.messages.remove(at);
        }
        self.go(self.at)
    }

    /// The message at hand.
    pub(super) fn sound(&self) -> Option<SoundId> {
        self.current().map(|message| message.record.sound)
    }

    /// The message at hand was heard; its name if that is news.
    pub(super) fn mark_heard(&mut self) -> Option<SoundId> {
        let record = &mut self.current_mut()?.record;
        let news = !record.heard;
        record.heard = true;
        news.then_some(record.sound)
    }

    /// Marks or unmarks the message at hand; true if it is marked now.
    pub(super) fn toggle_deleted(&mut self) -> bool {
        match self.current_mut() {
            Some(message) if message.fate == Fate::Kept => {
                message.fate = Fate::Deleted;
                true
            }
            Some(message) => {
                message.fate = Fate::Kept;
                false
            }
            None => false,
        }
    }

    pub(super) fn undelete(&mut self) {
        if let Some(message) = self.current_mut() {
            message.fate = Fate::Kept;
        }
    }

    /// Everything that is marked.
    pub(super) fn deleted(&self) -> Vec<SoundId> {
        let marked = self.messages.iter().filter(|message| message.fate == Fate::Deleted);
        marked.map(|message| message.record.sound).collect()
    }

    /// "You have two new messages and one old message."
    pub(super) fn counts(&self, language: &str) -> Vec<Heard> {
        let count = |heard| self.messages.iter().filter(|one| one.record.heard == heard).count();
        let say = |count: usize, one: &str, many: &str| {
            let number = Heard::Number(u32::try_from(count).unwrap_or(u32::MAX));
            [number, vm(language, if count == 1 { one } else { many })]
        };
        let prompt = |name| vm(language, name);
        let mut said = Vec::new();
        match (count(false), count(true)) {
            (0, 0) => said.push(prompt("no-messages")),
            (0, old) => {
                said.extend([prompt("no-new-messages"), prompt("you-have")]);
                said.extend(say(old, "old-message", "old-messages"));
            }
            (new, old) => {
                said.push(prompt("you-have"));
                said.extend(say(new, "new-message", "new-messages"));
                if old > 0 {
                    said.push(prompt("and"));
                    said.extend(say(old, "old-message", "old-messages"));
                }
            }
        }
        said
    }

    pub(super) fn main_menu_help(&self, language: &str) -> Vec<Heard> {
        let messages = (!self.messages.is_empty()).then_some("menu-messages");
        let names = messages.into_iter().chain(["menu-options", "menu-exit"]);
        names.map(|name| vm(language, name)).collect()
    }

    pub(super) fn options_help(&self, language: &str) -> Vec<Heard> {
        let remove = self.greeting.map(|_| "menu-remove-greeting");
        let names = ["menu-change-pin", "menu-record-greeting"].into_iter().chain(remove);
        names.chain(["menu-back"]).map(|name| vm(language, name)).collect()
    }

    /// "Message two from extension one zero one. Received today at noon."
    pub(super) fn introduction(&mut self, language: &str) -> Vec<Heard> {
        let number = u32::try_from(self.at.unwrap_or(0) + 1).unwrap_or(u32::MAX);
        let mut said = vec![vm(language, "message"), Heard::Number(number)];
        if let Some(Message { record, fate }) = self.current() {
            let caller = &record.caller;
            let digits = caller.strip_prefix('+').unwrap_or(caller);
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            if !is_number {
                said.push(vm(language, "from-unknown"));
            } else {
                let extension = caller.len() <= EXTENSION_DIGITS_MAX;
                said.push(vm(language, if extension { "from-extension" } else { "from" }));
                said.push(Heard::Digits(caller.clone()));
            }
            said.push(Heard::Received(record.received_at));
            if *fate == Fate::Deleted {
                said.push(vm(language, "deleted"));
            }
        }
        said
    }

    /// Everything that can be pressed after the first message, later only how to hear it again.
    pub(super) fn message_hint(&mut self, language: &str) -> Vec<Heard> {
        let deleted = self.current().is_some_and(|message| message.fate == Fate::Deleted);
        let delete = if deleted { "menu-undelete" } else { "menu-delete" };
        let names: &[&str] = match self.help {
            Help::All => &[
                "menu-repeat",
                delete,
                "menu-next",
                "menu-previous",
                "menu-options",
                "menu-exit",
                "menu-help",
            ],
            Help::Hint => &["menu-help"],
        };
        self.help = Help::Hint;
        names.iter().map(|name| vm(language, name)).collect()
    }

    /// Next time, say everything again.
    pub(super) fn wants_help(&mut self) {
        self.help = Help::All;
    }

    fn current(&self) -> Option<&Message> {
        self.messages.get(self.at?)
    }

    fn current_mut(&mut self) -> Option<&mut Message> {
        self.messages.get_mut(self.at?)
    }
}

/// A caller who presses nothing in this many menus is gone.
const UNANSWERED_MAX: u8 = 3;

/// Longer numbers are announced as numbers, not as extensions.
const EXTENSION_DIGITS_MAX: usize = 5;
