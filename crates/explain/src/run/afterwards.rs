//! What a script does when its call is over.

use dialplan::Step as Turn;

use super::Run;
use crate::tree::{Did, Step};
use crate::world::Result;

impl Run<'_> {
    /// Runs the functions given to `call:on_hangup`. What they wait for goes well: of all that may come
    /// of it, the first is followed, and told. Other ways are not, since nobody is there to notice.
    pub(super) fn run_afterwards(&mut self) {
        self.pending.clear();
        let mut turn = self.script.go_on(&self.now());
        loop {
            self.note_what_was_done();
            turn = match turn {
                Turn::Ask { id, verb } => {
                    self.verbs += 1;
                    if self.verbs > self.bounds.verbs {
                        let words = format!("goes on after {} verbs", self.bounds.verbs);
                        self.steps.push(Step::Did(Did::new("on_hangup", None, words)));
                        return;
                    }
                    match self.ask(id, &verb) {
                        Ok(turn) => turn,
                        Err(_) => return,
                    }
                }
                Turn::Cancel { id } => {
                    self.cancel(id);
                    self.script.go_on(&self.now())
                }
                Turn::Slice => self.script.go_on(&self.now()),
                Turn::Waiting => match self.take_first() {
                    Some(turn) => turn,
                    None => return,
                },
                Turn::Returned | Turn::Failed(_) => return,
            };
        }
    }

    /// Lets happen what comes first, and well if there is more than one way.
    fn take_first(&mut self) -> Option<Turn> {
        for pending in &mut self.pending {
            // Nobody is there who could hang up, or press a key.
            pending.ways.retain(|way| matches!(way.result, Result::Outcome(_)));
        }
        let options = self.find_options();
        let first = options.iter().min_by_key(|option| option.at)?;
        let (pending, way, at) = (first.pending, first.way, first.at);
        let waited = self.pending.get(pending)?;
        if waited.ways.len() > 1 {
            let did = Did::new(waited.name, waited.place.clone(), first.label.clone());
            self.steps.push(Step::Did(did));
        }
        self.take(pending, way, at).ok()
    }
}
