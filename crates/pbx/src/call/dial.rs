//! Ringing others: rounds of targets, each target's phones as branches, until one answers.

mod answered;
mod branch;
mod early;
mod redirect;
mod ways;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use dialplan::{Destination, Dial, DialStatus, Outcome, Target};
use media::{JobId, LegId};
use sdp::{Description, Direction};
use sip_engine::{Body, Invite, Reply, SessionId, Transport};
use sip_syntax::{Response, StatusCode, Uri};

use super::leg::{self, Leg};
use super::{Call, Finished, Presence, Task};
use crate::desk::Desk;
use crate::records::Ticket;
use crate::verdict::{Verdict, dial_status, relayed, weight};
use branch::{Branch, BranchStage};
use ways::{Way, flow_to, name_addr, transport_of, way_to_uri, ways_to_extension};

/// One `call:dial` under way.
#[derive(Debug)]
pub(crate) struct Dialing {
    dial: Dial,
    round: usize,
    round_until: Instant,
    branches: Vec<Branch>,
    /// The most telling final answer so far.
    best: Option<Verdict>,
    /// The music that the script chose.
    music: Option<JobId>,
    /// The tone that an answered caller hears instead.
    ringback: Option<JobId>,
    /// The branch whose early media the caller hears.
    early: Option<SessionId>,
    /// Redirections followed, over all branches.
    redirects: u8,
}

impl Dialing {
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let branches = self.branches.iter().filter_map(|branch| match &branch.stage {
            BranchStage::Waiting { until } => Some(*until),
            BranchStage::Resolving { .. } | BranchStage::Ringing { .. } => Some(branch.give_up_at),
            BranchStage::Over => None,
        });
        branches.chain([self.round_until]).min()
    }

    /// Whom it rings by now and for how long, for people.
    pub(super) fn in_words(&self) -> String {
        let targets = self.dial.rounds.get(self.round).map_or(&[][..], Vec::as_slice);
        let shown: Vec<String> = targets
            .iter()
            .take(TARGETS_SHOWN_MAX)
            .map(|target| shown(&label(&target.to)))
            .collect();
        let more = match targets.len() - shown.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let seconds = self.dial.timeout.as_secs_f64();
        format!("{}{more} for {seconds} s", shown.join(", "))
    }

    /// The caller is gone: stop ringing.
    pub(super) fn abandon(mut self, now: Instant, desk: &mut Desk) {
        self.cancel_others(now, desk, None, None);
    }

    /// Gives up every branch but one.
    fn cancel_others(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        winner: Option<SessionId>,
        reason: Option<&str>,
    ) {
        for branch in &mut self.branches {
            if !branch.is(winner) {
                branch.give_up(now, desk, reason);
            }
        }
    }

    fn is_over(&self) -> bool {
        self.branches.iter().all(|branch| matches!(branch.stage, BranchStage::Over))
    }

    fn branch(&mut self, session: SessionId) -> Option<&mut Branch> {
        self.branches.iter_mut().find(|branch| branch.is(Some(session)))
    }

    /// Keeps the answer that tells the caller most (after RFC 3261 §16.7 step 6).
    fn note(&mut self, code: StatusCode, reason: String) {
        self.note_as(dial_status(code), code, reason);
    }

    fn note_as(&mut self, status: DialStatus, code: StatusCode, reason: String) {
        if self.best.as_ref().is_none_or(|best| weight(code) > weight(best.code)) {
            self.best = Some(Verdict { status, code, reason });
        }
    }
}

impl Call {
    pub(super) fn begin_dial(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        dial: Dial,
    ) -> Option<Finished> {
        self.last_failure = None;
        let count: usize = dial.rounds.iter().map(Vec::len).sum();
        let max = desk.config.limits.dial_targets_max;
        if count > max {
            let fault = format!("{count} targets; at most {max} may be dialled at once");
            return Some(Finished::Outcome(Outcome::Fault(fault)));
        }
        let dialing = Dialing {
            dial,
            round: 0,
            round_until: now,
            branches: Vec::new(),
            best: None,
            music: None,
            ringback: None,
            early: None,
            redirects: 0,
        };
        self.start_round(now, desk, dialing)
    }

    /// Rings the targets of the current round, or those of the next if none can be rung.
    fn start_round(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        mut dialing: Dialing,
    ) -> Option<Finished> {
        loop {
            let Some(targets) = dialing.dial.rounds.get(dialing.round).cloned() else {
                return Some(self.dial_failed(desk, dialing));
            };
            dialing.branches.clear();
            dialing.round_until = now + dialing.dial.timeout;
            for target in &targets {
                self.plan_target(now, desk, &mut dialing, target);
            }
            for index in 0..dialing.branches.len() {
                self.ring(now, desk, &mut dialing, index);
            }
            if !dialing.is_over() {
                self.start_music(now, desk, &mut dialing);
                if self.presence == Presence::Gone {
                    dialing.abandon(now, desk);
                    return None;
                }
                self.task = Task::Dialing(Box::new(dialing));
                return None;
            }
            dialing.round += 1;
        }
    }

    /// Adds the branches of one target, or notes why there are none.
    fn plan_target(&self, now: Instant, desk: &Desk, dialing: &mut Dialing, target: &Target) {
        let label = label(&target.to);
        let ways = match &target.to {
            Destination::Extension(user) => ways_to_extension(now, desk, user),
            Destination::Uri(uri) => way_to_uri(now, desk, self.caller.flow, uri),
        };
        match ways {
            Ok(ways) => self.add_branches(now, dialing, &label, ways, target),
            Err((status, why)) => {
                tracing::debug!(call = %self.name, to = %label, "cannot be rung: {why}");
                dialing.note_as(DialStatus::ChanUnavail, status, why.to_owned());
            }
        }
    }

    fn add_branches(
        &self,
        now: Instant,
        dialing: &mut Dialing,
        label: &str,
        ways: Vec<Way>,
        target: &Target,
    ) {
        let begin_at = now + target.delay;
        let give_up_at = target.timeout.map_or(dialing.round_until, |timeout| begin_at + timeout);
        for way in ways {
            if dialing.branches.len() >= BRANCHES_MAX {
                return;
            }
            dialing.branches.push(Branch {
                label: label.to_owned(),
                way,
                give_up_at,
                stage: BranchStage::Waiting { until: begin_at },
            });
        }
    }

    /// Rings a waiting branch if its time has come.
    fn ring(&self, now: Instant, desk: &mut Desk, dialing: &mut Dialing, index: usize) {
        let Some(branch) = dialing.branches.get_mut(index) else { return };
        match branch.stage {
            BranchStage::Waiting { until } if now >= until => {}
            BranchStage::Waiting { .. }
            | BranchStage::Resolving { .. }
            | BranchStage::Ringing { .. }
            | BranchStage::Over => return,
        }
        let Some(flow) = branch.way.flow else {
            branch.stage = self.look_up(desk, &branch.way);
            return;
        };
        let Some(mut leg) = self.open_leg(desk, flow) else {
            branch.stage = BranchStage::Over;
            dialing.note(StatusCode::SERVICE_UNAVAILABLE, "no media port".to_owned());
            return;
        };
        let body = self.offer_for(&mut leg);
        let caller = dialing.dial.caller.as_ref();
        let user = caller.and_then(|caller| caller.user.as_deref()).unwrap_or(&self.caller.user);
        let name =
            caller.and_then(|caller| caller.name.as_deref()).unwrap_or(&self.caller.display_name);
        let session = desk.endpoint.invite(
            now,
            Invite {
                flow,
                uri: branch.way.uri.clone(),
                from: name_addr(name, user, &desk.config.domain),
                to: branch.way.to.clone(),
                contact_user: user.to_owned(),
                headers: self.referred_by.as_deref().map(referred_by).into_iter().collect(),
                body: Some(Body::sdp(body)),
                max_forwards: self.caller.max_forwards,
                credentials: None,
                call_id: None,
            },
        );
        desk.own_session(session, self.id);
        branch.stage = BranchStage::Ringing { session, leg };
    }

    fn look_up(&self, desk: &mut Desk, way: &Way) -> BranchStage {
        let Ok(uri) = Uri::parse_slice(way.uri.as_bytes()) else { return BranchStage::Over };
        let transport = transport_of(&uri);
        let host = uri.host().to_string();
        let port = uri.port().unwrap_or(5060);
        BranchStage::Resolving { ticket: desk.resolve(self.id, host, port, transport) }
    }

    /// What we offer a callee: what the caller speaks, and what we can convert that to.
    fn offer_for(&self, leg: &mut Leg) -> Bytes {
        if let Some(own) = self.caller.leg.as_ref().filter(|leg| leg.is_agreed()) {
            let codecs = own.codec().map_or_else(leg::g711, leg::compatible_with);
            let event = own.agreed().and_then(|agreed| agreed.telephone_event).or(Some(101));
            return leg.offer(&codecs, event, Direction::SendRecv, None);
        }
        match self.caller.offer.as_deref() {
            Some(theirs) => {
                let (codecs, event) = leg::offerable_to_other(theirs);
                leg.offer(&codecs, event, Direction::SendRecv, Some(theirs))
            }
            None => leg.offer(&leg::g711(), Some(101), Direction::SendRecv, None),
        }
    }

    /// Time passed while ringing.
    pub(super) fn dial_timeout(&mut self, now: Instant, desk: &mut Desk) {
        let Some(mut dialing) = self.take_dialing() else { return };
        for index in 0..dialing.branches.len() {
            self.ring(now, desk, &mut dialing, index);
        }
        let round_over = now >= dialing.round_until;
        let mut timed_out = false;
        for branch in &mut dialing.branches {
            let over = matches!(branch.stage, BranchStage::Over);
            if !over && (round_over || now >= branch.give_up_at) {
                if branch.is(dialing.early) {
                    dialing.early = None;
                }
                branch.give_up(now, desk, None);
                timed_out = true;
            }
        }
        if timed_out {
            dialing.note(StatusCode::REQUEST_TIMEOUT, "no answer".to_owned());
            self.ring_on(now, desk, &mut dialing);
        }
        self.go_on_dialing(now, desk, dialing);
    }

    /// The caller hears no more of a dial that is about to be abandoned.
    pub(super) fn stop_ringing(&mut self, desk: &mut Desk) {
        let Task::Dialing(dialing) = &self.task else { return };
        let (music, is_early) = ([dialing.music, dialing.ringback], dialing.early.is_some());
        if self.background.is_some() && music.contains(&self.background) {
            self.stop_background(desk);
        }
        if let (Some(own), true) = (&self.caller.leg, is_early) {
            desk.media(own.socket, media::Command::Unbridge { leg: own.socket.leg });
        }
        // Nobody answered: that is what the caller is told if the script says nothing else.
        self.last_failure = Some(relayed(StatusCode::REQUEST_TIMEOUT, ""));
    }

    fn take_dialing(&mut self) -> Option<Dialing> {
        let task = std::mem::replace(&mut self.task, Task::Idle);
        if let Task::Dialing(dialing) = task {
            return Some(*dialing);
        }
        self.task = task;
        None
    }

    /// Puts the dial back, or goes to the next round, or tells the script.
    fn go_on_dialing(&mut self, now: Instant, desk: &mut Desk, mut dialing: Dialing) {
        if self.presence == Presence::Gone {
            return dialing.abandon(now, desk);
        }
        if !dialing.is_over() {
            self.task = Task::Dialing(Box::new(dialing));
            return;
        }
        dialing.round += 1;
        if let Some(finished) = self.start_round(now, desk, dialing) {
            self.proceed(now, desk, finished);
        }
    }

    fn dial_failed(&mut self, desk: &mut Desk, dialing: Dialing) -> Finished {
        if self.background == dialing.ringback || self.background == dialing.music {
            self.stop_background(desk);
        }
        let Verdict { status, code, reason } = dialing.best.unwrap_or_else(|| Verdict {
            status: DialStatus::ChanUnavail,
            code: StatusCode::TEMPORARILY_UNAVAILABLE,
            reason: String::new(),
        });
        self.last_failure = Some(relayed(code, &reason));
        Finished::Outcome(Outcome::Dialed {
            status,
            code: code.as_u16(),
            reason,
            talked: Duration::ZERO,
            answered_by: String::new(),
        })
    }

    /// A host name was looked up for this call.
    pub(crate) fn handle_resolved(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        ticket: Ticket,
        addresses: &[SocketAddr],
    ) {
        let Some(mut dialing) = self.take_dialing() else { return };
        let near = self.caller.flow;
        let mut found = None;
        for (index, branch) in dialing.branches.iter_mut().enumerate() {
            let waits =
                matches!(branch.stage, BranchStage::Resolving { ticket: own } if own == ticket);
            if waits {
                let transport = Uri::parse_slice(branch.way.uri.as_bytes())
                    .map_or(Transport::Udp, |uri| transport_of(&uri));
                branch.way.flow =
                    addresses.iter().find_map(|address| flow_to(desk, near, transport, *address));
                branch.stage = match branch.way.flow {
                    Some(_) => BranchStage::Waiting { until: now },
                    None => BranchStage::Over,
                };
                found = Some((index, branch.way.flow.is_some()));
            }
        }
        match found {
            Some((index, true)) => self.ring(now, desk, &mut dialing, index),
            Some((_, false)) => {
                // A needed look-up did not answer (RFC 3261 §21.5.5).
                dialing.note(StatusCode::SERVER_TIMEOUT, "host name not found".to_owned());
            }
            None => {}
        }
        self.go_on_dialing(now, desk, dialing);
    }

    /// A callee rings, or sends early media.
    pub(super) fn branch_provisional(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        session: SessionId,
        response: &Response,
    ) {
        let Some(mut dialing) = self.take_dialing() else { return };
        if dialing.branch(session).is_some() {
            let body = response.body();
            let description = (!body.is_empty()).then(|| Description::parse(body).ok()).flatten();
            let first = dialing.early.is_none() || dialing.early == Some(session);
            match description {
                // While several ring nobody knows who will answer, so only one is listened to.
                Some(description)
                    if first && !self.has_music(&dialing) && !self.is_originating() =>
                {
                    self.hear_early_media(now, desk, &mut dialing, session, response, &description);
                }
                Some(_) | None => self.relay_ringing(now, desk, &mut dialing, response),
            }
        }
        self.go_on_dialing(now, desk, dialing);
    }

    /// A callee refused, or never answered.
    pub(super) fn branch_failed(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        session: SessionId,
        status: StatusCode,
        response: Option<&Response>,
    ) {
        desk.disown_session(session);
        let Some(mut dialing) = self.take_dialing() else { return };
        let early = dialing.early == Some(session);
        if let Some(branch) = dialing.branch(session) {
            let label = branch.label.clone();
            let give_up_at = branch.give_up_at;
            if let BranchStage::Ringing { leg, .. } =
                std::mem::replace(&mut branch.stage, BranchStage::Over)
            {
                leg.close(desk);
            }
            if early {
                dialing.early = None;
                self.ring_on(now, desk, &mut dialing);
            }
            let ways = response.map_or_else(Vec::new, |r| self.redirected(now, desk, &dialing, r));
            if ways.is_empty() {
                let reason = response.map(|r| String::from_utf8_lossy(r.reason()).into_owned());
                dialing.note(status, reason.unwrap_or_else(|| status.default_reason().to_owned()));
            } else {
                dialing.redirects += 1;
                for way in ways {
                    dialing.branches.push(Branch {
                        label: label.clone(),
                        way,
                        give_up_at,
                        stage: BranchStage::Waiting { until: now },
                    });
                }
                for index in 0..dialing.branches.len() {
                    self.ring(now, desk, &mut dialing, index);
                }
                let reply = Reply::new(StatusCode::CALL_IS_BEING_FORWARDED);
                self.provisional(now, desk, reply);
            }
        }
        self.go_on_dialing(now, desk, dialing);
    }

    /// The port of a branch could not be opened.
    pub(super) fn branch_lost_its_port(&mut self, now: Instant, desk: &mut Desk, leg: LegId) {
        if let Some(mut dialing) = self.take_dialing() {
            for branch in &mut dialing.branches {
                let hit = matches!(
                    &branch.stage,
                    BranchStage::Ringing { leg: own, .. } if own.socket.leg == leg
                );
                if hit {
                    branch.give_up(now, desk, None);
                }
            }
            dialing.note(StatusCode::SERVICE_UNAVAILABLE, "no media port".to_owned());
            self.go_on_dialing(now, desk, dialing);
        } else if let Task::Bridged(bridge) = &self.task
            && bridge.leg.socket.leg == leg
        {
            let session = bridge.session;
            desk.endpoint.bye(now, session, None);
            self.callee_ended(now, desk, session);
        }
    }
}

/// Who transferred the caller, as we know it rather than as its phone says (RFC 3892 §2.1).
fn referred_by(who: &str) -> (String, String) {
    ("Referred-By".to_owned(), who.to_owned())
}

/// As a [`label`] may be shown: `sip:user:password@host` without the password.
pub(super) fn shown(label: &str) -> String {
    let hidden = || {
        let (user, host) = label.split_once('@')?;
        let (scheme, user) = user.split_once(':')?;
        let (user, _) = user.split_once(':')?;
        Some(format!("{scheme}:{user}:…@{host}"))
    };
    hidden().unwrap_or_else(|| label.to_owned())
}

pub(super) fn label(to: &Destination) -> String {
    match to {
        Destination::Extension(user) => format!("ext/{user}"),
        Destination::Uri(uri) => uri.clone(),
    }
}

/// Phones that may ring at once for one dial.
const BRANCHES_MAX: usize = 100;
/// Targets told of one round to whoever looks on; more are counted.
const TARGETS_SHOWN_MAX: usize = 3;
