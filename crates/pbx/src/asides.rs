//! What a script waits for beside a caller's line: time, other programs, its database, locks.
//!
//! Each side task belongs to one ask of the script. A new kind is a variant of [`SideTask`], a way to
//! begin it, and a line where its reply arrives.

mod originate;

use std::time::{Duration, Instant};

use dialplan::{
    Answer, AskId, Claimed, Fetch, FetchFault, Fetched, LockId, LockOwner, LogLevel, Outcome, Query,
};

use crate::desk::{CallId, Desk};
use crate::notice::{Cost, Notice};
use crate::output::Output;
use crate::outside::{FetchError, Fetching, Next, timed_out};
use crate::post::{Letter, Post};
use crate::records::Ticket;
use crate::repeats::Complaint;
pub(crate) use originate::Originator;
use originate::Wish;

/// Everything that one script waits for beside the line.
#[derive(Debug)]
pub(crate) struct Asides {
    owner: CallId,
    /// Names the call or job in the log.
    name: String,
    /// In the order in which they were asked for.
    list: Vec<Aside>,
    /// Calls that were originated without waiting for an answer, up to now.
    unawaited: usize,
}

/// Something that a script waits for and that does not need the caller's line.
#[derive(Debug)]
struct Aside {
    ask: AskId,
    task: SideTask,
}

#[derive(Debug)]
enum SideTask {
    Sleeping {
        until: Instant,
    },
    Fetching {
        ticket: Ticket,
        fetching: Box<Fetching>,
    },
    Querying {
        ticket: Ticket,
        until: Instant,
        query: Box<Query>,
    },
    Locking {
        ticket: Ticket,
        until: Instant,
    },
    /// Somebody is rung by a call of its own, which replies when they answer or nobody does.
    Originating {
        ticket: Ticket,
        child: CallId,
        wish: Wish,
    },
}

/// What arrived for one of them.
#[derive(Debug)]
pub(crate) enum News {
    Fetched(Result<Fetched, FetchError>),
    Queried {
        answer: Result<Answer, String>,
        took: Duration,
    },
    Locked,
    /// In the words of the script already.
    Originated(Outcome),
}

impl SideTask {
    /// When it is over by itself.
    fn until(&self) -> Option<Instant> {
        match self {
            Self::Sleeping { until }
            | Self::Querying { until, .. }
            | Self::Locking { until, .. } => Some(*until),
            Self::Fetching { fetching, .. } => Some(fetching.until()),
            Self::Originating { .. } => None,
        }
    }

    fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Sleeping { .. } => None,
            Self::Fetching { ticket, .. }
            | Self::Querying { ticket, .. }
            | Self::Locking { ticket, .. }
            | Self::Originating { ticket, .. } => Some(*ticket),
        }
    }

    /// Stops what was begun for it.
    fn stop(self, desk: &mut Desk) {
        match self {
            Self::Sleeping { .. } => {}
            Self::Fetching { ticket, .. } | Self::Querying { ticket, .. } => {
                if desk.redeem(ticket).is_some() {
                    desk.push(Output::Abandon { ticket });
                }
            }
            Self::Locking { ticket, .. } => {
                desk.redeem(ticket);
                desk.shared.release(LockId(ticket.0));
            }
            Self::Originating { ticket, child, .. } => {
                desk.redeem(ticket);
                desk.post(Post::Letter(child, Letter::Abandon));
            }
        }
    }
}

impl Asides {
    pub(crate) fn new(owner: CallId, name: String) -> Self {
        Self { owner, name, list: Vec::new(), unawaited: 0 }
    }

    pub(crate) fn sleep(&mut self, now: Instant, ask: AskId, length: Duration) {
        self.begin(ask, SideTask::Sleeping { until: now + length });
    }

    /// Asks another program; gives back the outcome if it is known at once.
    pub(crate) fn fetch(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        ask: AskId,
        fetch: Fetch,
    ) -> Option<Outcome> {
        let at = fetch.at.clone();
        match Fetching::begin(now, fetch, &desk.config.http_allow) {
            Ok((fetching, request)) => {
                let ticket = desk.fetch(self.owner, request);
                self.begin(ask, SideTask::Fetching { ticket, fetching: Box::new(fetching) });
                None
            }
            Err(fault) => {
                self.tell_fault(now, desk, at, &fault);
                Some(Outcome::Fetched(Err(fault)))
            }
        }
    }

    /// Asks the scripts' database.
    pub(crate) fn query(&mut self, now: Instant, desk: &mut Desk, ask: AskId, query: Query) {
        let query = Box::new(query);
        let ticket = desk.query(self.owner, query.clone());
        self.begin(ask, SideTask::Querying { ticket, until: now + QUERY_MAX, query });
    }

    /// Waits for a lock; gives back the outcome if it is known at once.
    pub(crate) fn lock(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        ask: AskId,
        name: &str,
        timeout: Duration,
    ) -> Option<Outcome> {
        let ticket = desk.ticket_for(self.owner);
        let lock = LockId(ticket.0);
        match desk.shared.claim(name, lock, LockOwner(self.owner.0)) {
            Claimed::Now => {
                desk.redeem(ticket);
                Some(Outcome::Locked(Some(lock)))
            }
            Claimed::Later => {
                self.begin(ask, SideTask::Locking { ticket, until: now + timeout });
                None
            }
            Claimed::TooMany => {
                desk.redeem(ticket);
                Some(Outcome::Fault("too many locks are held and waited for".into()))
            }
        }
    }

    fn begin(&mut self, ask: AskId, task: SideTask) {
        self.list.push(Aside { ask, task });
    }

    /// When the first of them is over.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.list.iter().filter_map(|aside| aside.task.until()).min()
    }

    /// Takes one whose time is over, with what its script is told.
    pub(crate) fn due(&mut self, now: Instant, desk: &mut Desk) -> Option<(AskId, Outcome)> {
        let index =
            self.list.iter().position(|aside| aside.task.until().is_some_and(|at| now >= at))?;
        let Aside { ask, task } = self.list.remove(index);
        let outcome = match &task {
            SideTask::Sleeping { .. } | SideTask::Originating { .. } => Outcome::Done,
            SideTask::Fetching { fetching, .. } => {
                self.tell_wait(now, desk, fetching);
                Outcome::Fetched(Err(timed_out()))
            }
            SideTask::Querying { .. } => Outcome::Fault("the database does not answer".into()),
            SideTask::Locking { .. } => Outcome::Locked(None),
        };
        task.stop(desk);
        Some((ask, outcome))
    }

    /// A reply arrived; gives back what the script is told of it.
    pub(crate) fn replied(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        ticket: Ticket,
        news: News,
    ) -> Option<(AskId, Outcome)> {
        let index = self.list.iter().position(|aside| aside.task.ticket() == Some(ticket))?;
        let Aside { ask, task } = self.list.remove(index);
        let outcome = match (task, news) {
            (SideTask::Fetching { mut fetching, .. }, News::Fetched(answer)) => {
                match fetching.answered(now, answer, &desk.config.http_allow) {
                    Next::Send(request) => {
                        let ticket = desk.fetch(self.owner, request);
                        self.begin(ask, SideTask::Fetching { ticket, fetching });
                        return None;
                    }
                    Next::Done(answer) => {
                        if let Err(fault) = &answer {
                            self.tell_fault(now, desk, fetching.asked_at(), fault);
                        }
                        self.tell_wait(now, desk, &fetching);
                        Outcome::Fetched(answer)
                    }
                }
            }
            (SideTask::Querying { query, .. }, News::Queried { answer, took }) => {
                if took >= SLOW_QUERY {
                    self.tell_slow(now, desk, &query, took);
                }
                match answer {
                    Ok(answer) => Outcome::Queried(answer),
                    Err(problem) => Outcome::Fault(problem),
                }
            }
            (SideTask::Locking { .. }, News::Locked) => Outcome::Locked(Some(LockId(ticket.0))),
            (SideTask::Originating { .. }, News::Originated(outcome)) => outcome,
            // A reply to something else than was asked: nobody sends that.
            (task, _) => {
                debug_assert!(false, "an odd reply to {task:?}");
                task.stop(desk);
                Outcome::Fault("there was an odd reply".into())
            }
        };
        Some((ask, outcome))
    }

    /// Nobody waits for this any more; `false` if it is none of the side tasks.
    pub(crate) fn cancel(&mut self, desk: &mut Desk, ask: AskId) -> bool {
        let Some(index) = self.list.iter().position(|aside| aside.ask == ask) else {
            return false;
        };
        self.list.remove(index).task.stop(desk);
        true
    }

    /// The script is over: nothing is waited for any more, and its locks are free.
    pub(crate) fn end(&mut self, desk: &mut Desk) {
        for aside in self.list.drain(..) {
            aside.task.stop(desk);
        }
        desk.shared.release_all(LockOwner(self.owner.0));
    }

    /// Tells the author of the script what to do, where there is more to say than a word.
    fn tell_fault(
        &self,
        now: Instant,
        desk: &mut Desk,
        at: Option<(String, u32)>,
        fault: &FetchFault,
    ) {
        if !fault.advice.is_empty() {
            let text = format!("http: {}: {}", fault.why, fault.advice);
            self.tell(now, desk, at, text.clone(), text);
        }
    }

    /// Names a program that kept the script waiting for long.
    fn tell_wait(&self, now: Instant, desk: &mut Desk, fetching: &Fetching) {
        let took = fetching.took(now);
        if took >= SLOW_FETCH {
            let at = fetching.asked_at().unwrap_or_default();
            let cost = Cost::Waited { function: "http", on: fetching.origin(), took };
            desk.tell_cost(now, &self.name, at, cost);
        }
    }

    /// Names a slow query by its text, never by its values.
    fn tell_slow(&self, now: Instant, desk: &mut Desk, query: &Query, took: Duration) {
        let texts = query.statements.iter().map(|statement| statement.sql.as_str());
        let text: String = texts.collect::<Vec<_>>().join("; ");
        let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text: String = text.chars().take(SQL_SHOWN).collect();
        let took = took.as_millis();
        let about = format!("db: slow query: {text}");
        self.tell(now, desk, query.at.clone(), about, format!("db: slow query, {took} ms: {text}"));
    }

    /// Tells it once; what is `about` the same is only counted for a while.
    fn tell(
        &self,
        now: Instant,
        desk: &mut Desk,
        at: Option<(String, u32)>,
        about: String,
        text: String,
    ) {
        let (file, line) = at.unwrap_or_default();
        let level = LogLevel::Warn;
        if !desk.repeats.is_new(now, &Complaint { level, file: file.clone(), line, about }) {
            return;
        }
        let call = self.name.clone();
        desk.push(Output::Publish(Notice::Script { call, level, file, line, text }));
    }
}

/// How long a script waits for its database, in line and at work; then it is an error.
const QUERY_MAX: Duration = Duration::from_secs(10);
/// From here on a query is slow and named in the log.
const SLOW_QUERY: Duration = Duration::from_millis(100);
/// From here on whoever is asked over HTTP is slow.
const SLOW_FETCH: Duration = Duration::from_secs(3);
/// Characters of a slow query that are shown.
const SQL_SHOWN: usize = 300;
