//! Answers commands that come by the control socket.

pub(crate) mod protocol;

use std::sync::Arc;

use dialplan::Asked;
use jiff::Timestamp;
use pbx::records::UnixMs;
use pbx::{CallNow, CallState, Command, Notice, Snapshot};
use tokio::sync::{mpsc, oneshot, watch};

use crate::questions::Questions;
use crate::reload::{Aim, Cause, Outcome, Verdict, Wish};
use crate::report::Colour;
use protocol::{
    Call, Calls, FailedReload, Generation, Reloaded, Reply, Request, Status, Told, Wait,
};

/// Answers commands. Clones answer alike.
#[derive(Debug, Clone)]
pub(crate) struct Control {
    /// What is the same as long as the exchange runs.
    pub(crate) fixed: Arc<Fixed>,
    /// The way to the switch,
    pub(crate) questions: Questions,
    /// and to whoever reloads.
    pub(crate) wishes: mpsc::Sender<Wish>,
    /// The last reload that failed.
    pub(crate) last_failure: watch::Receiver<Option<Arc<Outcome>>>,
}

/// What is the same as long as the exchange runs.
#[derive(Debug)]
pub(crate) struct Fixed {
    /// When it was started.
    pub(crate) started_at: Timestamp,
    /// Its configuration file,
    pub(crate) config: String,
    /// and its data folder.
    pub(crate) data: String,
    /// Where it listens.
    pub(crate) listening: Vec<String>,
}

impl Control {
    /// Answers one line with one line.
    pub(crate) async fn answer(self, line: String) -> String {
        let reply = match serde_json::from_str(&line) {
            Ok(Request::Status { colour }) => self.status(colour).await,
            Ok(Request::Calls { max }) => self.calls(max).await,
            Ok(Request::Reload { check_only, colour }) => self.reload(check_only, colour).await,
            Err(error) => Reply::Error(format!("this is no question that I know: {error}")),
        };
        let failed = |error| format!("{{\"error\":\"the answer cannot be written: {error}\"}}");
        serde_json::to_string(&reply).unwrap_or_else(failed)
    }

    async fn status(&self, colour: Colour) -> Reply {
        let Some(snapshot) = self.look(0).await else { return gone() };
        let failed = self.last_failure.borrow().clone();
        let generations = snapshot.generations.iter().map(|generation| Generation {
            number: generation.number,
            loaded_at: time(generation.loaded_at),
            routes: generation.routes,
            calls: generation.calls,
        });
        Reply::Status(Box::new(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            started_at: self.fixed.started_at.to_string(),
            config: self.fixed.config.clone(),
            data: self.fixed.data.clone(),
            listening: self.fixed.listening.clone(),
            calls: snapshot.call_count,
            registrations: snapshot.registrations,
            stopping: snapshot.stopping,
            generations: generations.collect(),
            failed_reload: failed.map(|outcome| FailedReload {
                at: outcome.at.to_string(),
                mistakes: outcome.mistakes.iter().map(|place| Told::new(place, colour)).collect(),
            }),
        }))
    }

    async fn calls(&self, max: usize) -> Reply {
        match self.look(max.min(CALLS_MAX)).await {
            Some(snapshot) => Reply::Calls(Calls {
                count: snapshot.call_count,
                calls: snapshot.calls.into_iter().map(call).collect(),
            }),
            None => gone(),
        }
    }

    async fn reload(&self, check_only: bool, colour: Colour) -> Reply {
        let (reply, outcome) = oneshot::channel();
        let aim = if check_only { Aim::Check } else { Aim::Use };
        let wish = Wish { cause: Cause::Command, aim, reply: Some(reply) };
        if self.wishes.send(wish).await.is_err() {
            return gone();
        }
        let Ok(outcome) = outcome.await else { return gone() };
        let (generation, routes) = match outcome.verdict {
            Verdict::InUse { generation, routes } => (Some(generation), Some(routes)),
            Verdict::Right { routes } => (None, Some(routes)),
            Verdict::Unchanged | Verdict::Failed => (None, None),
        };
        Reply::Reload(Reloaded {
            ok: outcome.verdict != Verdict::Failed,
            generation,
            routes,
            restart: outcome.restart.iter().map(|key| (*key).to_owned()).collect(),
            mistakes: outcome.mistakes.iter().map(|place| Told::new(place, colour)).collect(),
            took_ms: u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX),
        })
    }

    async fn look(&self, calls_max: usize) -> Option<Snapshot> {
        match self.questions.ask(|id| Command::Look { id, calls_max }).await? {
            Notice::Snapshot { snapshot, .. } => Some(*snapshot),
            Notice::Reloaded { .. }
            | Notice::ReloadFailed { .. }
            | Notice::Script { .. }
            | Notice::ScriptFailed(_)
            | Notice::ScriptStrained(_)
            | Notice::ScriptRepeated { .. }
            | Notice::ScriptUndecided { .. }
            | Notice::Transferred(_)
            | Notice::CallOver(_)
            | Notice::Idle => None,
        }
    }
}

fn gone() -> Reply {
    Reply::Error("the exchange is about to stop".to_owned())
}

fn call(call: CallNow) -> Call {
    let state = call.state;
    Call {
        id: call.id,
        from: call.from,
        to: call.to,
        source: call.source.to_string(),
        since: time(call.since),
        answered_after: call.answered_after.map(|after| after.as_secs_f64()),
        state: call.state.as_str().to_owned(),
        about: call.about,
        generation: call.generation,
        waits_for: call
            .waits_for
            .into_iter()
            .take(WAITS_MAX)
            .map(|asked| wait(asked, state))
            .collect(),
    }
}

fn wait(asked: Asked, state: CallState) -> Wait {
    let Asked { function, file, line } = asked;
    Wait {
        what: in_words(function, state),
        function: function.to_owned(),
        at: (!file.is_empty() && line > 0).then(|| format!("{file}:{line}")),
    }
}

/// What a function that waits is about, as people say it.
fn in_words(function: &str, state: CallState) -> String {
    let words = match function {
        // These two wait until the conversation is over.
        "dial" | "bridge" if state == CallState::Talking => "talking",
        "dial" => "dialling",
        "bridge" => "connecting",
        "play" => "playing",
        "say" | "speak" => "speaking",
        "menu" | "read" => "waiting for keys",
        "record" => "recording",
        "voicemail" => "taking a message",
        "mailbox" => "playing messages",
        "echo" => "echoing",
        "sleep" => "sleeping",
        "get" | "post" | "request" => "asking over HTTP",
        "query" | "execute" | "transaction" => "asking the database",
        "lock" => "waiting for a lock",
        "" => "waiting",
        other => return format!("waiting in {other}"),
    };
    words.to_owned()
}

fn time(UnixMs(ms): UnixMs) -> String {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// Things that one call waits for, at most, that are told; the rest is left out.
const WAITS_MAX: usize = 4;
/// Calls told one by one, at most; more are counted.
pub(crate) const CALLS_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_script_waits_for_is_told_in_words_and_with_its_line() {
        let asked = |function, line| Asked { function, file: "scripts/main.lua".into(), line };
        let told = wait(asked("dial", 12), CallState::Ringing);
        assert_eq!((told.what.as_str(), told.function.as_str()), ("dialling", "dial"));
        assert_eq!(told.at.as_deref(), Some("scripts/main.lua:12"));
        let what = |function, state| wait(asked(function, 0), state).what;
        assert_eq!(what("dial", CallState::Talking), "talking");
        assert_eq!(what("menu", CallState::WithScript), "waiting for keys");
        assert_eq!(what("within", CallState::WithScript), "waiting in within");
        assert_eq!(wait(asked("menu", 0), CallState::WithScript).at, None);
    }
}
