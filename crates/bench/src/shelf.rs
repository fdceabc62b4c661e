//! A store in memory, that does what a real one would.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pbx::records::{
    BindingRecord, CallRecord, Disk, DraftKind, MailboxRecord, MessageRecord, PinHash, SoundId,
    StoreReply, StoreRequest, Ticket,
};

/// What was kept.
#[derive(Debug, Default)]
pub struct Shelf {
    /// Messages of all mailboxes, oldest first.
    pub messages: Vec<(String, MessageRecord, Arc<Vec<i16>>)>,
    /// Call records.
    pub calls: Vec<CallRecord>,
    /// Registered contacts by account and URI.
    pub bindings: BTreeMap<(String, String), BindingRecord>,
    /// Names of recordings and their sound.
    pub recordings: BTreeMap<String, Arc<Vec<i16>>>,
    pins: BTreeMap<String, PinHash>,
    greetings: BTreeMap<String, (SoundId, Arc<Vec<i16>>)>,
    drafts: BTreeMap<SoundId, (DraftKind, Vec<i16>)>,
    /// Set: every question is replied to with `Failed`.
    pub broken: bool,
    /// Set: no question is replied to at all, and nothing is kept.
    pub silent: bool,
}

impl Shelf {
    /// Carries a request out; gives back the reply, if it wants one.
    pub fn handle(&mut self, request: StoreRequest) -> Option<(Ticket, StoreReply)> {
        if self.silent {
            // As if it had stopped: what it was told before is lost.
            self.drafts.clear();
            return None;
        }
        if self.broken {
            return request.ticket().map(|ticket| (ticket, StoreReply::Failed));
        }
        match request {
            StoreRequest::PutBinding(binding) => {
                let key = (binding.account.clone(), binding.contact.clone());
                self.bindings.insert(key, binding);
                None
            }
            StoreRequest::RemoveBinding { account, contact } => {
                self.bindings.remove(&(account, contact));
                None
            }
            StoreRequest::Mailbox { ticket, mailbox } => {
                let count = |heard: bool| {
                    let of_it = |(own, message, _): &&(String, MessageRecord, _)| {
                        *own == mailbox && message.heard == heard
                    };
                    u32::try_from(self.messages.iter().filter(of_it).count()).unwrap_or(u32::MAX)
                };
                let record = MailboxRecord {
                    pin: self.pins.get(&mailbox).cloned(),
                    greeting: self.greetings.get(&mailbox).map(|(sound, _)| *sound),
                    new_messages: count(false),
                    old_messages: count(true),
                    disk: Disk::default(),
                };
                Some((ticket, StoreReply::Mailbox(record)))
            }
            StoreRequest::Messages { ticket, mailbox } => {
                let of_it = self.messages.iter().filter(|(own, _, _)| *own == mailbox);
                let records = of_it.map(|(_, message, _)| message.clone()).collect();
                Some((ticket, StoreReply::Messages(records)))
            }
            StoreRequest::Sound { ticket, sound } => {
                let message = self.messages.iter().find(|(_, m, _)| m.sound == sound);
                let greeting = self.greetings.values().find(|(own, _)| *own == sound);
                let pcm = message.map(|(_, _, pcm)| pcm).or(greeting.map(|(_, pcm)| pcm));
                Some((ticket, StoreReply::Sound(pcm.cloned())))
            }
            StoreRequest::Recording { ticket, name } => {
                Some((ticket, StoreReply::Sound(self.recordings.get(&name).cloned())))
            }
            StoreRequest::Begin { sound, kind } => {
                self.drafts.insert(sound, (kind, Vec::new()));
                None
            }
            StoreRequest::Append { sound, samples } => {
                if let Some((_, pcm)) = self.drafts.get_mut(&sound) {
                    pcm.extend(samples);
                }
                None
            }
            StoreRequest::Keep { ticket, sound, length } => {
                self.keep(sound, length);
                Some((ticket, StoreReply::Done))
            }
            StoreRequest::Drop { sound } => {
                self.drafts.remove(&sound);
                None
            }
            StoreRequest::MarkHeard { sound } => {
                if let Some((_, m, _)) = self.messages.iter_mut().find(|(_, m, _)| m.sound == sound)
                {
                    m.heard = true;
                }
                None
            }
            StoreRequest::Delete { ticket, sounds } => {
                self.messages.retain(|(_, message, _)| !sounds.contains(&message.sound));
                Some((ticket, StoreReply::Done))
            }
            StoreRequest::SetPin { ticket, mailbox, pin } => {
                self.pins.insert(mailbox, pin);
                Some((ticket, StoreReply::Done))
            }
            StoreRequest::Call(record) => {
                self.calls.push(*record);
                None
            }
        }
    }

    fn keep(&mut self, sound: SoundId, length: Duration) {
        let Some((kind, mut pcm)) = self.drafts.remove(&sound) else { return };
        pcm.truncate(usize::try_from(length.as_micros() / 125).unwrap_or(usize::MAX));
        let length = Duration::from_micros(pcm.len() as u64 * 125);
        let pcm = Arc::new(pcm);
        match kind {
            DraftKind::Message { mailbox, caller, caller_name, received_at } => {
                let record =
                    MessageRecord { sound, caller, caller_name, received_at, length, heard: false };
                self.messages.push((mailbox, record, pcm));
            }
            DraftKind::Greeting { mailbox } => {
                self.greetings.insert(mailbox, (sound, pcm));
            }
            DraftKind::Recording { name } => {
                self.recordings.insert(name, pcm);
            }
        }
    }

    /// Drafts that were neither kept nor dropped.
    pub fn draft_count(&self) -> usize {
        self.drafts.len()
    }
}
