//! Calls that we begin ourselves: somebody is rung for a script, and whoever answers is joined to the
//! caller of that script, or gets a script of their own.
//!
//! Such a call is a call like any other, whose caller is whoever answered. Before that it only rings.
//! What it tells the call that wanted it, and what it is told, goes by [`Post`].

use std::time::Instant;

use dialplan::{CallView, Dial, DialStatus, Outcome, Run, Script, Target};
use sdp::Direction;
use sip_engine::{Flow, Reply};
use sip_syntax::{StatusCode, Uri};

use super::answer::Audible;
use super::bridge::Bridge;
use super::caller::{Caller, Stage};
use super::dial::label;
use super::leg::{self, Leg};
use super::turn::Todo;
use super::{Call, Finished, Presence, Task};
use crate::asides::Originator;
use crate::desk::{CallId, Desk};
use crate::post::{Birth, Letter, Party, Post};
use crate::records::Ticket;
use crate::verdict::{dial_status, relayed};

/// What an originated call is for.
#[derive(Debug)]
pub(super) struct Origin {
    /// The call that may ask for its party.
    parent: Option<CallId>,
    /// Who waits for somebody to answer.
    ticket: Option<Ticket>,
    purpose: Purpose,
}

#[derive(Debug)]
enum Purpose {
    /// To ring; this is run for whoever answers, else the parent may ask for them.
    Ringing(Option<Box<Run>>),
    /// To keep whoever answered until the parent asks for them.
    Waiting,
    /// To serve whoever answered, with a script of its own.
    Serving,
}

impl Call {
    /// A call that has not begun to ring, and whom to ring.
    pub(crate) fn originated(
        desk: &mut Desk,
        now: Instant,
        name: String,
        birth: Birth,
    ) -> (Self, Dial) {
        let Birth { id, originate, parent, ticket, thread, user, display_name, .. } = birth;
        let thread = thread.unwrap_or_else(|| desk.next_thread());
        let shown = originate.caller.as_ref();
        let user = shown.and_then(|shown| shown.user.clone()).unwrap_or(user);
        let display_name = shown.and_then(|shown| shown.name.clone()).unwrap_or(display_name);
        let to = originate.rounds.iter().flatten().next().map(number_of).unwrap_or_default();
        let parties = (user.clone(), to);
        let caller = Caller {
            session: None,
            flow: birth.near,
            account: None,
            phone: None,
            charged_to: None,
            user,
            display_name,
            max_forwards: birth.max_forwards,
            offer: None,
            leg: None,
            stage: Stage::Trying,
            on_hold: false,
        };
        let mut call = Self::blank(desk, now, id, name, thread, caller, parties);
        let purpose = Purpose::Ringing(originate.run.map(Box::new));
        call.origin = Some(Box::new(Origin { parent, ticket, purpose }));
        call.generation = birth.generation;
        call.prompts = birth.prompts;
        let (rounds, timeout) = (originate.rounds, originate.timeout);
        (call, Dial { rounds, timeout, music: None, caller: None })
    }

    /// Begins to ring.
    pub(crate) fn start_ringing(&mut self, now: Instant, desk: &mut Desk, dial: Dial) {
        if let Some(finished) = self.begin_dial(now, desk, dial) {
            self.turn(now, desk, Some(Todo::Line(finished)));
        }
    }

    /// Whether it rings somebody for a script, and nobody is there yet.
    pub(super) fn is_originating(&self) -> bool {
        let purpose = self.origin.as_deref().map(|origin| &origin.purpose);
        matches!(purpose, Some(Purpose::Ringing(_)))
    }

    /// The first to answer is this call's own party from now on.
    pub(super) fn picked_up(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        party: Party,
        flow: Flow,
        uri: String,
    ) {
        let Some(origin) = self.origin.as_deref_mut() else { return };
        let Purpose::Ringing(run) = std::mem::replace(&mut origin.purpose, Purpose::Waiting) else {
            return;
        };
        let Party { session, leg, label, account, .. } = party;
        self.caller.phone.clone_from(&account);
        let shown = std::mem::take(&mut self.caller.user);
        self.caller.session = Some(session);
        self.caller.flow = flow;
        self.caller.leg = Some(leg);
        self.caller.stage = Stage::Answered;
        self.story.answered_at = Some(now);
        self.story.answered_by.clone_from(&label);
        self.give_up_at = now + desk.config.limits.call_max;
        // Who was rung may have sent us on to somebody else, who is not them.
        let mut from = who(desk, &uri, account.as_deref());
        if run.is_some() {
            self.caller.account = account;
        }
        self.caller.user.clone_from(&from.user);
        self.caller.display_name.clone_from(&from.name);
        let leg = run.is_none().then_some(dialplan::Leg(self.id.0));
        self.reply(
            desk,
            Outcome::Originated {
                status: DialStatus::Answered,
                code: StatusCode::OK.as_u16(),
                reason: StatusCode::OK.default_reason().to_owned(),
                answered_by: label,
                leg,
            },
        );
        let Some(Run { handler, number }) = run.map(|run| *run) else { return };
        if from.host.is_empty() {
            from.host.clone_from(&desk.config.domain);
        }
        let view = CallView {
            id: self.name.clone(),
            from,
            to: dialplan::Party {
                user: number.unwrap_or(shown),
                host: desk.config.domain.clone(),
                name: String::new(),
            },
            uri,
            account: self.caller.account.clone(),
            source: flow.remote.to_string(),
            headers: Vec::new(),
            transferred_by: None,
        };
        self.serve(now, desk, handler.start(view));
    }

    fn serve(&mut self, now: Instant, desk: &mut Desk, script: Script) {
        if let Some(origin) = self.origin.as_deref_mut() {
            origin.purpose = Purpose::Serving;
            origin.parent = None;
        }
        self.script = Some(script);
        self.turn(now, desk, Some(Todo::Script(None)));
    }

    /// Nobody answered: that is all there is to this call.
    pub(super) fn nobody_answered(&mut self, now: Instant, desk: &mut Desk, outcome: Outcome) {
        let Outcome::Dialed { status, code, reason, .. } = outcome else {
            self.reply(desk, outcome);
            return self.depart(now, desk, StatusCode::SERVER_INTERNAL_ERROR, "not called");
        };
        let answered_by = String::new();
        self.reply(desk, Outcome::Originated { status, code, reason, answered_by, leg: None });
        let status = StatusCode::new(code).unwrap_or(StatusCode::TEMPORARILY_UNAVAILABLE);
        self.depart(now, desk, status, "not answered");
    }

    /// Tells whoever waits for somebody to answer.
    fn reply(&mut self, desk: &mut Desk, outcome: Outcome) {
        let ticket = self.origin.as_deref_mut().and_then(|origin| origin.ticket.take());
        if let Some(ticket) = ticket {
            desk.post(Post::Reply(ticket, outcome));
        }
    }

    /// It is over: those who wanted something of it are told, and whom its script called and did not
    /// join to anybody is hung up on.
    pub(crate) fn let_go_of_others(&mut self, desk: &mut Desk, status: StatusCode) {
        self.hang_up_legs(desk);
        self.end_referral(desk, None, status, None);
        self.reply(
            desk,
            Outcome::Originated {
                status: dial_status(status),
                code: status.as_u16(),
                reason: status.default_reason().to_owned(),
                answered_by: String::new(),
                leg: None,
            },
        );
        let parent = self.origin.as_deref_mut().and_then(|origin| origin.parent.take());
        if let Some(parent) = parent {
            desk.post(Post::Letter(parent, Letter::Gone(self.id)));
        }
    }

    /// Hangs up on those whom its script called and did not join to anybody.
    pub(super) fn hang_up_legs(&mut self, desk: &mut Desk) {
        for child in self.legs.drain(..) {
            desk.post(Post::Letter(child, Letter::Abandon));
        }
    }

    /// Another call wrote.
    pub(crate) fn handle_letter(&mut self, now: Instant, desk: &mut Desk, letter: Letter) {
        match letter {
            Letter::Abandon => self.abandoned(now, desk),
            Letter::Take(by) => self.hand_over(now, desk, by),
            Letter::Taken(child, party) => self.taken(now, desk, child, party),
            Letter::Gone(child) => self.legs.retain(|own| *own != child),
            Letter::Seat(seat) => self.seat_wanted(now, desk, *seat),
            Letter::Progress(child, status) => self.transfer_progressed(now, desk, child, status),
            Letter::Joined(child) => self.transfer_succeeded(now, desk, child),
            Letter::Returned { child, party, status, reason } => {
                let party = party.map(|party| *party);
                self.transfer_failed(now, desk, child, party, (status, reason));
            }
        }
    }

    fn abandoned(&mut self, now: Instant, desk: &mut Desk) {
        let Some(origin) = self.origin.as_deref_mut() else { return };
        if matches!(origin.purpose, Purpose::Serving) || self.presence == Presence::Gone {
            return;
        }
        (origin.parent, origin.ticket) = (None, None);
        let reply = Reply::new(StatusCode::REQUEST_TERMINATED);
        self.end(now, desk, reply, "nobody waits for it any more");
    }

    /// Gives its party to the call that wants it.
    fn hand_over(&mut self, now: Instant, desk: &mut Desk, by: CallId) {
        let party = self.take_party(desk, by);
        let is_there = party.is_some();
        desk.post(Post::Letter(by, Letter::Taken(self.id, party.map(Box::new))));
        if is_there {
            self.depart(now, desk, StatusCode::OK, "joined to its caller");
        }
    }

    fn take_party(&mut self, desk: &mut Desk, by: CallId) -> Option<Party> {
        let origin = self.origin.as_deref_mut()?;
        if !matches!(origin.purpose, Purpose::Waiting) {
            return None;
        }
        let account = self.caller.phone.take();
        let (session, leg) = (self.caller.session.take()?, self.caller.leg.take()?);
        origin.parent = None;
        desk.own_session(session, by);
        desk.hand_leg_over(leg.socket.leg, by);
        let label = self.story.answered_by.clone();
        Some(Party { session, leg, label, account, on_hold: self.caller.on_hold })
    }

    /// What a script of this call has somebody called as.
    pub(super) fn as_originator(&self) -> Originator {
        Originator {
            call: Some((self.id, self.thread)),
            kept: self.legs.len(),
            user: self.caller.user.clone(),
            display_name: self.caller.display_name.clone(),
            max_forwards: self.caller.max_forwards,
            near: self.caller.flow,
            generation: self.generation,
            prompts: self.prompts.clone(),
        }
    }

    /// A script's `call:bridge`: asks the call that keeps the party to hand it over.
    pub(super) fn begin_bridge(&mut self, desk: &mut Desk, leg: dialplan::Leg) -> Option<Finished> {
        self.last_failure = None;
        let child = CallId(leg.0);
        let Some(index) = self.legs.iter().position(|own| *own == child) else {
            return Some(Finished::Outcome(self.not_joined(gone())));
        };
        self.legs.remove(index);
        desk.post(Post::Letter(child, Letter::Take(self.id)));
        self.task = Task::Taking(child);
        None
    }

    /// A script's `leg:hangup`.
    pub(super) fn hang_up_leg(&mut self, desk: &mut Desk, leg: dialplan::Leg) {
        let child = CallId(leg.0);
        if let Some(index) = self.legs.iter().position(|own| *own == child) {
            self.legs.remove(index);
            desk.post(Post::Letter(child, Letter::Abandon));
        }
    }

    /// The party that was asked for is here, or has hung up.
    fn taken(&mut self, now: Instant, desk: &mut Desk, child: CallId, party: Option<Box<Party>>) {
        let is_awaited = matches!(self.task, Task::Taking(own) if own == child);
        let bridge = party.map(|party| Bridge::of_party(*party, now));
        match bridge {
            Some(bridge) if is_awaited => {
                self.task = Task::Idle;
                match self.fit_caller(now, desk, &bridge.leg) {
                    Ok(()) => {
                        self.stop_background(desk);
                        self.connect(now, desk, bridge);
                        // Whoever was called for us speaks G.711. A caller may have settled on
                        // something else with somebody before; if it cannot change, nobody can help.
                        match self.make_codec_playable(now, desk) {
                            Audible::Ready | Audible::Later(_) | Audible::Impossible => {}
                        }
                    }
                    Err((status, why)) => {
                        tracing::info!(call = %self.name, "cannot be joined: {why}");
                        bridge.part(now, desk);
                        let reason = status.default_reason();
                        let outcome = failed(dial_status(status), status.as_u16(), reason);
                        let outcome = self.not_joined(outcome);
                        self.proceed(now, desk, Finished::Outcome(outcome));
                    }
                }
            }
            Some(bridge) => bridge.part(now, desk),
            None if is_awaited => {
                let outcome = self.not_joined(gone());
                self.proceed(now, desk, Finished::Outcome(outcome));
            }
            None => {}
        }
    }

    /// A bridge came to nothing: so the caller is told if the script says nothing else.
    fn not_joined(&mut self, outcome: Outcome) -> Outcome {
        if let Outcome::Dialed { code, reason, .. } = &outcome {
            let status = StatusCode::new(*code).unwrap_or(StatusCode::TEMPORARILY_UNAVAILABLE);
            let reason = if *code == 0 { "" } else { reason.as_str() };
            self.last_failure = Some(relayed(status, reason));
        }
        outcome
    }

    /// Answers the caller with what it and the party of `far` both speak.
    fn fit_caller(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        far: &Leg,
    ) -> Result<(), (StatusCode, String)> {
        if !self.claim_port(now, desk) {
            return Err((StatusCode::SERVICE_UNAVAILABLE, "no media port".to_owned()));
        }
        if self.caller.stage == Stage::Answered {
            return Ok(());
        }
        let codecs = far.codec().map_or_else(leg::g711, leg::compatible_with);
        if let (Some(offer), Some(own)) = (self.caller.offer.as_deref(), self.caller.leg.as_mut())
            && !own.is_agreed()
        {
            own.answer(desk, offer, &codecs, Direction::SendRecv, None)
                .map_err(|refusal| (StatusCode::NOT_ACCEPTABLE_HERE, refusal.to_string()))?;
        }
        self.answer(now, desk);
        Ok(())
    }
}

/// The outcome of a bridge to somebody who hung up before.
fn gone() -> Outcome {
    failed(DialStatus::Cancel, 0, "hung up before it was joined")
}

fn failed(status: DialStatus, code: u16, reason: &str) -> Outcome {
    Outcome::Dialed {
        status,
        code,
        reason: reason.to_owned(),
        talked: std::time::Duration::ZERO,
        answered_by: String::new(),
    }
}

/// A target as a call record names whom was called.
fn number_of(target: &Target) -> String {
    let label = label(&target.to);
    label.strip_prefix("ext/").map_or_else(|| label.clone(), str::to_owned)
}

/// Who answered: an account as the configuration knows it, or what the address says.
pub(super) fn who(desk: &Desk, uri: &str, account: Option<&str>) -> dialplan::Party {
    if let Some(account) = account.and_then(|user| desk.config.accounts.get(user)) {
        let (user, name) = (account.user.clone(), account.name.clone());
        return dialplan::Party { user, host: desk.config.domain.clone(), name };
    }
    let parsed = Uri::parse_slice(uri.as_bytes()).ok();
    dialplan::Party {
        user: parsed.as_ref().and_then(Uri::user).unwrap_or_default(),
        host: parsed.map(|uri| uri.host().to_string()).unwrap_or_default(),
        name: String::new(),
    }
}
