//! How a call ends: by the caller, by the script, or because it must.

use std::time::{Duration, Instant};

use dialplan::{AT_THE_END, Ending, Side};
use media::{Command, LegId};
use sip_engine::{EndCause, Reply, SessionId};
use sip_syntax::StatusCode;

use super::caller::Stage;
use super::perform::{RecordStage, Waiting};
use super::turn::Todo;
use super::{Call, Finished, Presence, STORE_FAILED, Task, perform};
use crate::desk::Desk;
use crate::feature;
use crate::job::{Job, Parties};
use crate::post::Post;

impl Call {
    /// The call took too long; or the caller is gone, and the media thread never told how its
    /// recording ended.
    pub(super) fn give_up(&mut self, now: Instant, desk: &mut Desk) {
        match self.presence {
            Presence::Here if self.is_sorry => self.end_failed(now, desk),
            Presence::Here => {
                let reply = Reply::new(StatusCode::REQUEST_TIMEOUT);
                self.end(now, desk, reply, "longest call time reached");
            }
            Presence::Gone => {
                self.give_up_at = now + LINGER_MAX;
                let told = if let Task::Storing { ticket, .. } = self.task {
                    desk.redeem(ticket);
                    STORE_FAILED
                } else {
                    Finished::Reply(feature::Reply::HungUp)
                };
                self.proceed(now, desk, told);
            }
        }
    }

    /// The exchange stops: hang up politely.
    pub(crate) fn shut_down(&mut self, now: Instant, desk: &mut Desk) {
        let reply = Reply::new(StatusCode::SERVICE_UNAVAILABLE).header("Retry-After", "10");
        self.end(now, desk, reply, "exchange stopped");
    }

    /// The handler ended without a final action: the last dial's answer is relayed, or the call hung
    /// up.
    pub(super) fn script_returned(&mut self, now: Instant, desk: &mut Desk) {
        let answered = self.caller.stage == Stage::Answered;
        match self.last_failure.take() {
            Some((status, reason)) if !answered => {
                let mut reply = Reply::new(status);
                reply.reason = reason;
                self.end(now, desk, reply, "not answered");
            }
            Some(_) | None => {
                if !answered {
                    self.tell_undecided(desk);
                }
                let reply = Reply::new(StatusCode::TEMPORARILY_UNAVAILABLE);
                self.end(now, desk, reply, "script ended");
            }
        }
    }

    /// Ends the call from our side: `reply` if it was not answered, else BYE.
    pub(super) fn end(&mut self, now: Instant, desk: &mut Desk, reply: Reply, ending: &str) {
        let status = reply.status;
        if self.caller.stage == Stage::Transferred {
            self.give_transferee_back(now, desk, &reply);
        }
        if let Some(session) = self.caller.session.take() {
            desk.disown_session(session);
            if self.caller.stage == Stage::Answered {
                desk.endpoint.bye(now, session, None);
            } else {
                desk.endpoint.reject(now, session, reply);
            }
        }
        self.depart(now, desk, status, ending);
    }

    /// The caller is gone: stop everything, keep what must be kept, tell the story.
    pub(super) fn depart(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        status: StatusCode,
        ending: &str,
    ) {
        if self.presence == Presence::Gone {
            return;
        }
        self.presence = Presence::Gone;
        self.give_up_at = now + LINGER_MAX;
        let status = if self.story.answered_at.is_some() { StatusCode::OK } else { status };
        let told = self.leave_task(now, desk);
        if let Some(leg) = &self.caller.leg {
            desk.close_socket(leg.socket);
        }
        self.held = None;
        self.paused = None;
        self.todo.clear();
        self.let_go_of_others(desk, status);
        self.close_script(now, desk, status, ending);
        self.asides.end(desk);
        self.tell(now, desk, status, ending);
        if let (Some(told), true) = (told, self.feature.is_some()) {
            self.proceed(now, desk, told);
        }
    }

    /// Lets go of what the line does. Gives back what a feature is told; `None` while something that
    /// must be kept is still on its way.
    fn leave_task(&mut self, now: Instant, desk: &mut Desk) -> Option<Finished> {
        // What it was about to be told comes before that the caller is gone.
        let untold = self.todo.iter().position(|todo| matches!(todo, Todo::Line(_)));
        if let Some(Todo::Line(finished)) = untold.and_then(|index| self.todo.remove(index)) {
            return Some(finished);
        }
        match std::mem::replace(&mut self.task, Task::Idle) {
            Task::Dialing(dialing) => dialing.abandon(now, desk),
            Task::Bridged(bridge) => bridge.part(now, desk),
            Task::Transferring(transferring) => transferring.let_go(now, desk),
            Task::Speaking(speaking) => speaking.abandon(desk),
            Task::Recording(recording) if recording.is_beeping() => {
                return Some(perform::nothing_recorded());
            }
            Task::Preparing(performance, _) => return Some(performance.cut_off()),
            task @ (Task::Recording(_) | Task::Storing { .. }) => {
                self.task = task;
                return None;
            }
            Task::Idle
            | Task::Playing { .. }
            | Task::Collecting(_)
            | Task::Taking(_)
            | Task::Echoing => {}
        }
        Some(Finished::Reply(feature::Reply::HungUp))
    }

    /// Stops what the line does for an ask that nobody waits for any more: the caller stays, and
    /// hears nothing of it from now on. Gives back what a feature is told, as [`Self::leave_task`].
    pub(super) fn stop_task(&mut self, now: Instant, desk: &mut Desk) -> Option<Finished> {
        let socket = self.caller.leg.as_ref().map(|leg| leg.socket);
        let mut tell = |command: &dyn Fn(LegId) -> Command| {
            if let Some(socket) = socket {
                desk.media(socket, command(socket.leg));
            }
        };
        match &mut self.task {
            Task::Playing { job, .. } => {
                let job = *job;
                tell(&|leg| Command::StopPlay { leg, job });
            }
            Task::Collecting(collecting) => {
                if let Waiting::Prompt(job) = collecting.waiting {
                    tell(&|leg| Command::StopPlay { leg, job });
                }
            }
            Task::Recording(recording) => match recording.stage {
                RecordStage::Beeping(job) => tell(&|leg| Command::StopPlay { leg, job }),
                RecordStage::Rolling(job) => tell(&|leg| Command::StopRecord { leg, job }),
            },
            Task::Echoing | Task::Bridged(_) => tell(&|leg| Command::Unbridge { leg }),
            Task::Dialing(_) => self.stop_ringing(desk),
            Task::Transferring(transferring) if transferring.callee().is_some() => {
                // The caller is away, and comes back to nobody.
                let ending = transferring.ending();
                self.depart(now, desk, StatusCode::OK, &ending);
                return None;
            }
            Task::Transferring(_) => {}
            Task::Idle
            | Task::Preparing(..)
            | Task::Taking(_)
            | Task::Speaking(_)
            | Task::Storing { .. } => {}
        }
        if let Task::Bridged(bridge) = &mut self.task
            && let Some(offer) = bridge.take_asked_of_caller()
        {
            self.answer_alone(now, desk, Side::Caller, &offer);
        }
        self.leave_task(now, desk)
    }

    /// Ends the script. What it wants to have done afterwards is done at once as far as nothing has to
    /// be waited for, and then goes on as a job of its own.
    fn close_script(&mut self, now: Instant, desk: &mut Desk, status: StatusCode, ending: &str) {
        let Some(mut script) = self.script.take() else { return };
        let ending = Ending { cause: ending.to_owned(), code: status.as_u16() };
        for error in script.close(ending, &desk.clock.local(now)) {
            self.tell_failure(now, desk, AT_THE_END, error);
        }
        desk.pass_on(now, self.whose(), script.take_logs());
        if !script.has_afterwards() {
            return;
        }
        let parties = Parties { from: self.story.from.clone(), to: self.story.to.clone() };
        let followed = (self.generation, self.prompts.clone());
        let mut job = Job::after_call(desk, now, self.name.clone(), script, parties, followed);
        job.turn(now, desk);
        if !job.is_over() {
            desk.post(Post::Job(Box::new(job)));
        }
    }

    pub(super) fn session_ended(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        session: SessionId,
        cause: EndCause,
    ) {
        desk.disown_session(session);
        if self.caller.session == Some(session) {
            self.caller.session = None;
            if let Task::Transferring(transferring) = &self.task {
                let ending = transferring.ending();
                return self.depart(now, desk, StatusCode::OK, &ending);
            }
            let status = match self.caller.stage {
                Stage::Transferred => StatusCode::REQUEST_TERMINATED,
                Stage::Trying | Stage::Early | Stage::Answered => StatusCode::OK,
            };
            let ending = match cause {
                EndCause::Bye if self.origin.is_some() => "callee hung up",
                EndCause::Bye => "caller hung up",
                EndCause::Hangup => "hung up",
                EndCause::NoAck => "caller never acknowledged the answer",
                EndCause::Gone => "caller's phone has forgotten the call",
                EndCause::FlowFailed => "connection to the caller broke",
            };
            self.depart(now, desk, status, ending);
        } else {
            self.callee_ended(now, desk, session);
        }
    }
}

/// How long the rest of a recording may take to arrive after the caller is gone.
const LINGER_MAX: Duration = Duration::from_secs(30);
