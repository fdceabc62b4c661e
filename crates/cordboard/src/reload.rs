//! New scripts, prompts and declarations for a running exchange: read, checked, tried, then used all at
//! once, or not at all.
//!
//! Reading and trying happen beside the loop, on another thread; calls do not notice. Wishes that arrive
//! while a reload is under way are met together by the next one, which begins when this one is done: a
//! wish is never met by files that were read before it was made.

mod prepare;
#[cfg(test)]
mod tests;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dialplan::Sources;
use jiff::Timestamp;
use pbx::{Command, Listener, Notice, Reload};
use tokio::sync::{mpsc, oneshot, watch};

use crate::config::Settings;
use crate::prompts::Shelf;
use crate::questions::Questions;
use crate::report::{Place, Severity, script_place};
use crate::watch::WatchHandle;
use crate::web::Token;

/// Somebody wants what is on disk to be used, or to know whether it could be.
#[derive(Debug)]
pub(crate) struct Wish {
    /// Whose wish it is.
    pub(crate) cause: Cause,
    /// How far to go.
    pub(crate) aim: Aim,
    /// Who waits to hear what came of it.
    pub(crate) reply: Option<oneshot::Sender<Arc<Outcome>>>,
}

/// What made somebody want a reload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// `cordboard reload`.
    Command,
    /// SIGHUP.
    Signal,
    /// A file was saved.
    FileChange,
}

/// How far a reload goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    /// Use what is there.
    Use,
    /// Only tell whether it could be used.
    Check,
}

/// What came of a wish.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// In short.
    pub(crate) verdict: Verdict,
    /// Mistakes, errors first.
    pub(crate) mistakes: Vec<Place>,
    /// Keys of the configuration that changed and count from the next start.
    pub(crate) restart: Vec<&'static str>,
    /// When it was done,
    pub(crate) at: Timestamp,
    /// and how long it took.
    pub(crate) took: Duration,
}

/// What came of a wish, in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is in use.
    InUse {
        /// Counts the sets of scripts in use so far.
        generation: u64,
        /// How many routes it has.
        routes: usize,
    },
    /// It could be used.
    Right {
        /// How many routes it has.
        routes: usize,
    },
    /// Nothing is other than what is in use.
    Unchanged,
    /// It has mistakes; what was in use before stays.
    Failed,
}

/// What is in use, and where to look for what comes next.
#[derive(Debug)]
pub(crate) struct Reloader {
    /// The configuration file,
    pub(crate) config_path: PathBuf,
    /// and the data folder, if it was given on the command line.
    pub(crate) data: Option<PathBuf>,
    /// What the exchange started with: what a reload cannot change stays as it is here.
    pub(crate) started_with: Settings,
    /// The sockets it listens on.
    pub(crate) listeners: Vec<Listener>,
    /// What is in use by now.
    pub(crate) current: Current,
    /// The way to the switch.
    pub(crate) questions: Questions,
    /// The last reload that failed, until one does not.
    pub(crate) last_failure: watch::Sender<Option<Arc<Outcome>>>,
    /// Where another token for other programs is taken into use, if any are heard.
    pub(crate) token: Option<watch::Sender<Token>>,
    /// Whoever watches files, if anybody does.
    pub(crate) watched: Option<WatchHandle>,
}

/// What is in use, to be compared with what is on disk.
#[derive(Debug, Clone)]
pub(crate) struct Current {
    /// The scripts.
    pub(crate) sources: Sources,
    /// The sounds.
    pub(crate) shelf: Shelf,
    /// Of the configuration file; see [`fingerprint`].
    pub(crate) config: u64,
}

impl Reloader {
    /// Meets wishes until nobody can have any more.
    pub(crate) async fn run(mut self, mut wishes: mpsc::Receiver<Wish>) {
        while let Some(first) = wishes.recv().await {
            let mut waiting = vec![first];
            while let Ok(more) = wishes.try_recv() {
                waiting.push(more);
            }
            let (to_use, to_check): (Vec<_>, Vec<_>) =
                waiting.into_iter().partition(|wish| wish.aim == Aim::Use);
            for wishes in [to_use, to_check] {
                let Some(first) = wishes.first() else { continue };
                let aim = first.aim;
                // Only files that changed and are the same all the same need no reload.
                let by_change = wishes.iter().all(|wish| wish.cause == Cause::FileChange);
                let cause = if by_change { Cause::FileChange } else { Cause::Command };
                let outcome = Arc::new(self.meet(aim, cause).await);
                self.tell(aim, &outcome);
                for wish in wishes {
                    if let Some(reply) = wish.reply
                        && reply.send(Arc::clone(&outcome)).is_err()
                    {
                        tracing::debug!("whoever wanted a reload has gone");
                    }
                }
            }
        }
    }

    async fn meet(&mut self, aim: Aim, cause: Cause) -> Outcome {
        let started = Instant::now();
        let outcome = |verdict, mut mistakes: Vec<Place>, restart| {
            mistakes.sort_by_key(|place: &Place| std::cmp::Reverse(place.severity));
            mistakes.truncate(MISTAKES_MAX);
            Outcome { verdict, mistakes, restart, at: Timestamp::now(), took: started.elapsed() }
        };
        let task = prepare::Task {
            config_path: self.config_path.clone(),
            data: self.data.clone(),
            started_with: self.started_with.clone(),
            current: self.current.clone(),
            cause,
        };
        let prepared = match tokio::task::spawn_blocking(move || task.run()).await {
            Ok(Ok(Some(prepared))) => prepared,
            Ok(Ok(None)) => return outcome(Verdict::Unchanged, Vec::new(), Vec::new()),
            Ok(Err(mistakes)) => return outcome(Verdict::Failed, mistakes, Vec::new()),
            Err(_) => {
                let place = Place::without_text("", "reading was cut short by a fault of our own");
                return outcome(Verdict::Failed, vec![place], Vec::new());
            }
        };
        let prepare::Prepared { settings, next, prompts, kept, mut mistakes, restart, routes } =
            prepared;
        if aim == Aim::Check {
            return outcome(Verdict::Right { routes }, mistakes, restart);
        }
        let watched = watched(&settings, &self.config_path);
        let token = settings.http.listen.as_ref().map(Token::of);
        let config = Box::new(settings.into_config(self.listeners.clone()));
        let (sources, prompts) = (next.sources.clone(), Arc::new(prompts));
        let command = |id| {
            Command::Reload(Box::new(Reload {
                id,
                sources,
                prompts,
                kept: Some(kept),
                config: Some(config),
            }))
        };
        match self.questions.ask(command).await {
            Some(Notice::Reloaded { generation, routes, .. }) => {
                self.current = next;
                if let (Some(used), Some(token)) = (&self.token, token) {
                    used.send_replace(token);
                }
                if let Some(watch) = &self.watched {
                    watch.look_at(&watched);
                }
                outcome(Verdict::InUse { generation, routes }, mistakes, restart)
            }
            Some(Notice::ReloadFailed { mistakes: told, .. }) => {
                mistakes.extend(told.iter().map(|mistake| script_place(mistake, &next.sources)));
                outcome(Verdict::Failed, mistakes, restart)
            }
            Some(_) | None => {
                let place = Place::without_text("", "the exchange is about to stop");
                outcome(Verdict::Failed, vec![place], restart)
            }
        }
    }

    /// Tells the administrator: in the log, and for whoever asks later.
    fn tell(&self, aim: Aim, outcome: &Arc<Outcome>) {
        if aim == Aim::Check {
            return;
        }
        for place in &outcome.mistakes {
            match place.severity {
                Severity::Error => tracing::error!("{}", in_one_line(place)),
                Severity::Warning => tracing::warn!("{}", in_one_line(place)),
            }
        }
        match outcome.verdict {
            Verdict::Failed => {
                tracing::error!("the old scripts stay in use; `cordboard status` tells why");
                self.last_failure.send_replace(Some(Arc::clone(outcome)));
            }
            Verdict::InUse { .. } => {
                for key in &outcome.restart {
                    tracing::warn!("`{key}` changed; that counts from the next start");
                }
                self.last_failure.send_replace(None);
            }
            Verdict::Unchanged => tracing::debug!("a file was touched, and nothing changed"),
            Verdict::Right { .. } => {}
        }
    }
}

/// What a watch looks at.
pub(crate) fn watched(settings: &Settings, config_path: &Path) -> Vec<PathBuf> {
    vec![settings.scripts.clone(), settings.prompts.clone(), config_path.to_owned()]
}

/// A mistake as it stands in a log.
pub(crate) fn in_one_line(place: &Place) -> String {
    let at = match place.line_and_column() {
        Some((line, _)) => format!("{}:{line}: ", place.file),
        None if place.file.is_empty() => String::new(),
        None => format!("{}: ", place.file),
    };
    let help = place.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    format!("{at}{}{help}", place.message).replace(['\n', '\r'], " ")
}

/// What tells whether a text is the same as before.
pub(crate) fn fingerprint(text: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Mistakes that are told of one reload, errors first; whoever mends so many may ask again.
const MISTAKES_MAX: usize = 200;
/// Wishes that may wait; beyond, whoever has one waits to tell it.
pub(crate) const WISHES_MAX: usize = 64;
