//! Scripts that run without a call: when they are due, and how they go on.

use std::time::{Duration, Instant};

use dialplan::{LogLevel, ScheduleId};

use super::{State, Switch};
use crate::asides::News;
use crate::desk::{CallId, Desk};
use crate::job::Job;
use crate::notice::Notice;
use crate::output::Output;
use crate::records::{Ticket, UnixMs};
use crate::repeats::Complaint;

/// A schedule of the scripts in use.
#[derive(Debug)]
pub(super) struct Due {
    schedule: ScheduleId,
    /// The line that defined it.
    file: String,
    line: u32,
    /// When it runs next; `None`: never again.
    at: Option<Instant>,
    /// The run that may still be under way.
    last: Option<CallId>,
}

impl Switch {
    /// Draws up when the schedules of the scripts in use run first. Those of older scripts are
    /// forgotten; what they began goes on.
    pub(super) fn plan(&mut self, now: Instant) {
        let schedules = self.generation.schedules().into_iter();
        self.timetable = schedules
            .map(|(schedule, file, line)| {
                let at = self.next_run(schedule, now, now);
                Due { schedule, file, line, at, last: None }
            })
            .collect();
    }

    /// When the first of them is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let open = self.state == State::Open;
        self.timetable.iter().filter_map(|due| due.at).min().filter(|_| open)
    }

    /// Begins what is due.
    pub(super) fn run_due(&mut self, now: Instant) {
        if self.state != State::Open {
            return;
        }
        for index in 0..self.timetable.len() {
            let Some(due) = self.timetable.get(index) else { return };
            let Some(at) = due.at.filter(|at| *at <= now) else { continue };
            let (schedule, file, line) = (due.schedule, due.file.clone(), due.line);
            let runs = due.last.is_some_and(|last| self.jobs.contains_key(&last));
            let short = file.strip_prefix("scripts/").unwrap_or(&file);
            let name = format!("schedule {short}:{line}");
            let begun = if runs {
                self.leave_out(now, name, (file, line), "the run before has not ended");
                None
            } else if self.jobs_of_their_own() >= JOBS_MAX {
                self.leave_out(now, name, (file, line), "too many functions run without a call");
                None
            } else {
                let script = self.generation.start_job(schedule, name.clone());
                let id = CallId(self.desk.next_id());
                let job = Job::new(&self.desk, now, id, name, script, (SCHEDULED_MAX, None));
                self.jobs.insert(id, Box::new(job));
                self.with_job(now, id, |job, desk| job.turn(now, desk));
                Some(id)
            };
            let next = self.next_run(schedule, at, now);
            if let Some(due) = self.timetable.get_mut(index) {
                due.at = next;
                due.last = begun.or(due.last);
            }
        }
    }

    /// When a schedule that was due `at` runs next: not before now, whatever was missed.
    fn next_run(&self, schedule: ScheduleId, at: Instant, now: Instant) -> Option<Instant> {
        let clock = &self.desk.clock;
        let after = |from| {
            let next = self.generation.next_run(schedule, &clock.local(from))?;
            Some(clock.instant_of(from, UnixMs(next.timestamp().as_millisecond())))
        };
        after(at).filter(|next| *next > now).or_else(|| after(now))
    }

    /// Tells it once, and then how often.
    fn leave_out(&mut self, now: Instant, call: String, (file, line): (String, u32), why: &str) {
        let text = format!("{why}; this one is left out");
        let level = LogLevel::Warn;
        let complaint = Complaint { level, file: file.clone(), line, about: text.clone() };
        if !self.desk.repeats.is_new(now, &complaint) {
            return;
        }
        let notice = Notice::Script { call, level, file, line, text };
        self.outputs.push_back(Output::Publish(notice));
    }

    /// Keeps what a call that is over still waits for. There is room for as many as there may be calls,
    /// so that all of them can end at one time.
    pub(super) fn take_in(&mut self, now: Instant, mut job: Box<Job>) {
        if self.jobs_after_calls >= self.desk.config.limits.calls_max {
            return job.leave_out(now, &mut self.desk);
        }
        if self.state != State::Open {
            job.hurry(now + AFTER_STOP_MAX);
        }
        let id = job.id();
        self.jobs.insert(id, job);
        self.jobs_after_calls += 1;
        // For its alarm.
        self.with_one_job(id, |_, _| ());
    }

    /// Hands news to the job that waits for them, if it is one; else gives them back. What the job
    /// writes to calls is to be delivered by whoever hands them on: that may be what led to the news.
    pub(super) fn tell_job(
        &mut self,
        now: Instant,
        id: CallId,
        ticket: Ticket,
        news: News,
    ) -> Option<News> {
        if !self.jobs.contains_key(&id) {
            return Some(news);
        }
        self.with_one_job(id, |job, desk| job.handle_reply(now, desk, ticket, news));
        None
    }

    /// Lets something happen to a job, and delivers what it tells calls because of it.
    pub(super) fn with_job(
        &mut self,
        now: Instant,
        id: CallId,
        then: impl FnOnce(&mut Job, &mut Desk),
    ) {
        self.with_one_job(id, then);
        self.deliver(now);
    }

    /// Lets something happen to a job, and forgets it if that was the last thing.
    fn with_one_job(&mut self, id: CallId, then: impl FnOnce(&mut Job, &mut Desk)) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        self.in_turn = Some(id);
        then(job, &mut self.desk);
        job.settle_alarm(&mut self.desk);
        if job.is_over() {
            self.remove_job(id);
        }
        self.in_turn = None;
    }

    /// How many jobs come after no call.
    pub(super) fn jobs_of_their_own(&self) -> usize {
        self.jobs.len() - self.jobs_after_calls
    }

    /// Takes a job out.
    pub(super) fn remove_job(&mut self, id: CallId) -> Option<Box<Job>> {
        let job = self.jobs.remove(&id)?;
        self.jobs_after_calls -= usize::from(job.is_after_call());
        Some(job)
    }

    /// Ends all of them; those of calls that are over have a moment left.
    pub(super) fn end_jobs(&mut self, now: Instant) {
        let all: Vec<CallId> = self.jobs.keys().copied().collect();
        for id in all {
            self.with_job(now, id, |job, desk| {
                if job.is_after_call() {
                    job.hurry(now + AFTER_STOP_MAX);
                } else {
                    job.end(now, desk, "exchange stopped");
                }
            });
        }
    }
}

/// Functions that run without a call at one time, those of calls that are over left aside; beyond, one
/// that is due is left out. Without those [kept free](KEPT_FREE) they are as many as the programs that
/// are heard at one time, so nobody who is heard is told that too much is under way.
pub(super) const JOBS_MAX: usize = 80;
/// How many of these no program that asks can have begun: whoever asks a public webhook again and
/// again keeps nothing from its time.
pub(super) const KEPT_FREE: usize = 16;
/// How long a scheduled function may run; then it is ended.
const SCHEDULED_MAX: Duration = Duration::from_secs(3_600);
/// How long functions of calls that are over may still take when the exchange stops: less than whoever
/// stops it waits.
const AFTER_STOP_MAX: Duration = Duration::from_secs(2);
