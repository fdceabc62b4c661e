//! Commands to the switch, and who waits for their answers.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use pbx::{Command, CommandId, Input, Notice};
use tokio::sync::{mpsc, oneshot};

/// Gives commands to the switch and hands its answers to those who wait for them. Clones are the same
/// desk; all of them live on the thread of the loop.
#[derive(Debug, Clone)]
pub(crate) struct Questions {
    inbox: mpsc::Sender<Input>,
    waiting: Rc<RefCell<Waiting>>,
}

#[derive(Debug, Default)]
struct Waiting {
    last_id: u64,
    /// As many as there are commands under way: each asker has one.
    askers: BTreeMap<CommandId, oneshot::Sender<Notice>>,
}

impl Questions {
    pub(crate) fn new(inbox: mpsc::Sender<Input>) -> Self {
        Self { inbox, waiting: Rc::default() }
    }

    /// Gives a command and waits for its answer; `None` when the switch is gone.
    pub(crate) async fn ask(&self, command: impl FnOnce(CommandId) -> Command) -> Option<Notice> {
        let (answer, answered) = oneshot::channel();
        let id = {
            let mut waiting = self.waiting.borrow_mut();
            waiting.last_id += 1;
            let id = CommandId(waiting.last_id);
            waiting.askers.insert(id, answer);
            id
        };
        if self.inbox.send(Input::Command(command(id))).await.is_err() {
            self.waiting.borrow_mut().askers.remove(&id);
            return None;
        }
        answered.await.ok()
    }

    /// Hands an answer to whoever asked; other notices are nobody's.
    pub(crate) fn answered(&self, notice: Notice) {
        let Some(id) = notice.answers() else { return };
        let asker = self.waiting.borrow_mut().askers.remove(&id);
        if asker.is_none_or(|asker| asker.send(notice).is_err()) {
            tracing::debug!(id = id.0, "nobody waits for an answer any more");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_asker_gets_its_own_answer_whatever_the_order() {
        let (inbox, mut commands) = mpsc::channel(4);
        let questions = Questions::new(inbox);
        let look = |id| Command::Look { id, calls_max: 0 };
        let answering = async {
            let mut ids = Vec::new();
            while ids.len() < 2 {
                let Some(Input::Command(Command::Look { id, .. })) = commands.recv().await else {
                    panic!("no command");
                };
                ids.push(id);
            }
            for id in ids.into_iter().rev() {
                questions.answered(Notice::Reloaded { id, generation: id.0, routes: 0 });
            }
            questions.answered(Notice::Idle);
        };
        let (first, second, ()) = tokio::join!(questions.ask(look), questions.ask(look), answering);
        assert!(matches!(first, Some(Notice::Reloaded { generation: 1, .. })), "{first:?}");
        assert!(matches!(second, Some(Notice::Reloaded { generation: 2, .. })), "{second:?}");
    }

    #[tokio::test]
    async fn nobody_answers_when_the_switch_is_gone() {
        let (inbox, commands) = mpsc::channel(1);
        drop(commands);
        assert_eq!(Questions::new(inbox).ask(|id| Command::Look { id, calls_max: 0 }).await, None);
    }
}
