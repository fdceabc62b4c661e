//! Whether all is quiet in the end.

use super::Office;
use crate::Party;

impl Office {
    /// Lets time pass until all is quiet, and tells what is left over: calls, transactions, legs,
    /// drafts of recordings, parties still in a call. Empty if nothing is.
    ///
    /// Parties that ring or talk are not told to hang up: who leaves a call standing finds it here.
    pub fn finish(&mut self) -> Vec<String> {
        self.run_until_that(Self::SETTLING, |office| office.leftovers().is_empty());
        self.leftovers()
    }

    fn leftovers(&self) -> Vec<String> {
        let mut left = Vec::new();
        let in_call = |party: &&Party| party.is_present() && !party.is_free();
        for party in self.parties.iter().filter(in_call) {
            left.push(format!("{} is still in a call", party.name()));
        }
        let mut count = |count: usize, one: &str, many: &str| match count {
            0 => {}
            1 => left.push(format!("1 {one} is left over")),
            _ => left.push(format!("{count} {many} are left over")),
        };
        count(self.switch.call_count(), "call", "calls");
        count(self.switch.transaction_count(), "transaction", "transactions");
        count(self.acoustics.leg_count(), "leg", "legs");
        count(self.shelf.draft_count(), "draft of a recording", "drafts of recordings");
        if left.is_empty() && !self.switch.is_idle() {
            left.push("a session, port or question is left over".to_owned());
        }
        left
    }
}
