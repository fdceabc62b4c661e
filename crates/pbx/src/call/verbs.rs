//! What each verb of a script sets in motion.

use std::time::Instant;

use dialplan::{
    Absence, AskId, HangupCause, Outcome, RedirectTarget, Sound, Verb, VoicemailStatus,
};
use media::{Command, Playlist};
use sip_engine::Reply;
use sip_syntax::StatusCode;

use super::caller::Stage;
use super::perform::Performance;
use super::read::ReadDigits;
use super::record::RecordCaller;
use super::speak::Spoken;
use super::turn::Todo;
use super::{Call, Feature, Finished, Next, sounds};
use crate::Prompts;
use crate::desk::Desk;
use crate::feature::{self, Ask, LeaveMessage, Listen, Voice};

impl Call {
    /// Begins a verb; gives back its outcome if that is known at once.
    pub(super) fn start_verb(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        ask: AskId,
        verb: Verb,
    ) -> Option<Todo> {
        let told = |outcome: Option<Outcome>| Some(Todo::Script(Some((ask, outcome?))));
        let done = told(Some(Outcome::Done));
        match verb {
            Verb::Ringing => {
                self.ringing(now, desk);
                done
            }
            Verb::Answer => {
                self.answer(now, desk);
                done.filter(|_| self.caller.session.is_some())
            }
            Verb::Reject { code, reason, headers } => {
                let mut reply = Reply::new(status(code));
                reply.reason = reason;
                reply.headers = headers;
                self.end(now, desk, reply, "rejected by script");
                None
            }
            Verb::Redirect { code, targets } => {
                let reply = targets.iter().fold(Reply::new(status(code)), |reply, target| {
                    reply.header("Contact", contact(target))
                });
                self.end(now, desk, reply, "redirected");
                None
            }
            Verb::Hangup { cause } => {
                self.end(now, desk, Reply::new(status_of(cause)), "hung up by script");
                None
            }
            Verb::Dtmf { digits, to } => {
                if let Some(leg) = self.leg_of(to) {
                    let socket = leg.socket;
                    desk.media(socket, Command::SendDigits { leg: socket.leg, digits });
                }
                done
            }
            Verb::Sleep(length) => {
                self.asides.sleep(now, ask, length);
                None
            }
            Verb::Originate(originate) => {
                if originate.run.is_none() {
                    self.last_failure = None;
                }
                let by = self.as_originator();
                let told = self.asides.originate(desk, ask, *originate, by);
                told.map(|outcome| Todo::Script(Some((ask, outcome))))
            }
            Verb::HangupLeg(leg) => {
                self.hang_up_leg(desk, leg);
                done
            }
            Verb::Fetch(fetch) => told(self.asides.fetch(now, desk, ask, *fetch)),
            Verb::Query(query) => {
                self.asides.query(now, desk, ask, *query);
                None
            }
            Verb::Lock { name, timeout } => told(self.asides.lock(now, desk, ask, &name, timeout)),
            verb @ (Verb::Progress
            | Verb::Queued { .. }
            | Verb::Play(_)
            | Verb::Read(_)
            | Verb::Record(_)
            | Verb::Dial(_)
            | Verb::Voicemail { .. }
            | Verb::Mailbox { .. }
            | Verb::Bridge(_)
            | Verb::Echo) => self.use_line(now, desk, ask, verb),
        }
    }

    /// Begins a verb that uses the line, whose texts were spoken; gives back what it came to if that
    /// is known at once.
    pub(super) fn begin_on_line(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        verb: Verb,
        spoken: Spoken,
    ) -> Option<Finished> {
        match verb {
            Verb::Progress => {
                self.send_provisional(now, desk, Reply::new(StatusCode::SESSION_PROGRESS))
            }
            Verb::Queued { place, music } => self.queued(now, desk, place, music),
            Verb::Play(play) => {
                let barge = play.barge;
                let playlist = sounds::playlist(&self.prompts, &play, &spoken);
                self.perform(now, desk, Performance::Play { playlist, barge })
            }
            Verb::Read(read) => self.begin(Feature::Read(ReadDigits::new(read, spoken))),
            Verb::Record(record) => {
                self.answer(now, desk);
                let recording = RecordCaller::new(record, &self.name, desk);
                self.begin(Feature::Record(recording))
            }
            Verb::Dial(dial) => self.begin_dial(now, desk, dial),
            Verb::Voicemail { mailbox, reason } => self.leave_message(now, desk, mailbox, reason),
            Verb::Mailbox { mailbox } => {
                self.answer(now, desk);
                let listen = Listen::new(feature::ListenContext {
                    mailboxes: desk.config.mailboxes.clone(),
                    mailbox,
                    language: desk.config.language.clone(),
                    seed: desk.rng.u64(..),
                });
                self.begin(Feature::Listen(listen))
            }
            Verb::Echo => {
                self.answer(now, desk);
                self.perform(now, desk, Performance::Echo)
            }
            Verb::Bridge(leg) => self.begin_bridge(desk, leg),
            Verb::Ringing
            | Verb::Answer
            | Verb::Reject { .. }
            | Verb::Redirect { .. }
            | Verb::Hangup { .. }
            | Verb::Dtmf { .. }
            | Verb::Originate(_)
            | Verb::HangupLeg(_)
            | Verb::Sleep(_)
            | Verb::Fetch(_)
            | Verb::Query(_)
            | Verb::Lock { .. } => None,
        }
    }

    fn begin(&mut self, feature: Feature) -> Option<Finished> {
        self.caller.session?;
        self.feature = Some(Box::new(feature));
        Some(Finished::Reply(feature::Reply::Start))
    }

    fn done_if_here(&self) -> Option<Finished> {
        self.caller.session.map(|_| Finished::Outcome(Outcome::Done))
    }

    fn ringing(&mut self, now: Instant, desk: &mut Desk) {
        self.provisional(now, desk, Reply::new(StatusCode::RINGING));
    }

    /// A provisional with early media, unless the call is answered.
    fn send_provisional(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        reply: Reply,
    ) -> Option<Finished> {
        if self.caller.stage != Stage::Answered {
            self.send_early(now, desk, reply);
        }
        self.done_if_here()
    }

    fn queued(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        place: Option<u32>,
        music: Option<Sound>,
    ) -> Option<Finished> {
        let mut reply = Reply::new(StatusCode::QUEUED);
        if let Some(place) = place {
            reply = reply.reason(format!("Queued, place {place}"));
        }
        let done = self.send_provisional(now, desk, reply);
        let already = self.background.is_some();
        if let (Some(music), Some(_), false) = (music, &done, already) {
            let items = sounds::items(&self.prompts, &[music], &Spoken::new());
            if !items.is_empty() {
                self.play_in_background(desk, sounds::forever(items));
            }
        }
        done
    }

    fn leave_message(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        mailbox: String,
        reason: Absence,
    ) -> Option<Finished> {
        let Some(config) = desk.config.mailboxes.get(&mailbox).cloned() else {
            tracing::error!(
                call = %self.name,
                "there is no mailbox {mailbox}: add [mailbox.{mailbox}] to the configuration"
            );
            return Some(Finished::Outcome(Outcome::Voicemail(VoicemailStatus::Failed)));
        };
        self.answer(now, desk);
        let leave = LeaveMessage::new(feature::LeaveContext {
            mailbox,
            config: Some(config),
            absence: reason,
            caller: self.caller.user.clone(),
            caller_name: self.caller.display_name.clone(),
            received_at: desk.clock.unix_ms(now),
            language: desk.config.language.clone(),
            seed: desk.rng.u64(..),
        });
        self.begin(Feature::Leave(leave))
    }
}

impl Feature {
    /// Tells a feature what came of what it asked, and learns what it asks next.
    pub(super) fn next(
        &mut self,
        now: Instant,
        reply: feature::Reply,
        desk: &Desk,
        prompts: &Prompts,
    ) -> Next {
        let ask = match self {
            Feature::Read(read) => return read.next(reply, prompts),
            Feature::Record(record) => return record.next(reply),
            Feature::Leave(leave) => leave.next(reply),
            Feature::Listen(listen) => listen.next(reply),
        };
        let voice = Voice {
            prompts,
            language: &desk.config.language,
            time_zone: &desk.config.time_zone,
            now: desk.clock.unix_ms(now),
        };
        match ask {
            Ask::Play { sounds, barge } => Next::Perform(Performance::Play {
                playlist: Playlist {
                    barge: (barge == dialplan::Barge::Any).into(),
                    ..sounds::once(voice.items(&sounds))
                },
                barge,
            }),
            Ask::Collect { prompt, digits_max, timeout, between, terminator } => {
                Next::Perform(Performance::Collect {
                    prompt: voice.items(&prompt),
                    digits_max,
                    timeout,
                    between,
                    terminator,
                })
            }
            Ask::Record { sound, max, silence, terminator } => Next::Perform(Performance::Record {
                sound,
                beep: true,
                limits: media::RecordLimits { max, silence, terminator },
            }),
            Ask::Store(request) => Next::Store(request),
            Ask::Done(outcome) => Next::Done(outcome),
        }
    }
}

/// A Contact value (RFC 3261 §20.10).
fn contact(target: &RedirectTarget) -> String {
    match target.q {
        Some(q) => format!("<{}>;q={q:.3}", target.uri),
        None => format!("<{}>", target.uri),
    }
}

/// The script's code; it was range-checked where it left Lua.
fn status(code: u16) -> StatusCode {
    StatusCode::new(code).unwrap_or(StatusCode::SERVER_INTERNAL_ERROR)
}

/// What an unanswered caller is told.
fn status_of(cause: HangupCause) -> StatusCode {
    match cause {
        HangupCause::Normal => StatusCode::TEMPORARILY_UNAVAILABLE,
        HangupCause::Busy => StatusCode::BUSY_HERE,
        HangupCause::Congestion => StatusCode::SERVICE_UNAVAILABLE,
        HangupCause::Unallocated => StatusCode::NOT_FOUND,
        HangupCause::Rejected => StatusCode::DECLINE,
    }
}
