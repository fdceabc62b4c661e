//! Ringing somebody, and joining the caller with whoever answers.

use std::time::Duration;

use dialplan::{CallEvent, DialStatus, Originate, Outcome};

use super::{Effect, Line, Result, Way, World};
use crate::given::{Fact, Ringing};
use crate::hearing::heard;
use crate::ring::{self, Dialling};
use crate::tree::{Did, Place};

impl World<'_> {
    pub(super) fn dial(&self, dial: &dialplan::Dial, mut did: Did, line: &mut Line) -> Effect {
        line.failure = None;
        let count: usize = dial.rounds.iter().map(Vec::len).sum();
        let max = self.office.config.limits.dial_targets_max;
        if count > max {
            let fault = format!("{count} targets; at most {max} may be dialled at once");
            did.words = format!("dials {count} targets at once");
            return Effect::AtOnce(Some(did), Outcome::Fault(fault));
        }
        let fate = |label: &str| -> Option<Ringing> {
            self.fact(0, |fact| {
                let Fact::Target(target, ringing) = fact else { return None };
                (target == label).then_some(*ringing)
            })
        };
        let dialling = Dialling::new(dial, self.office.config, fate);
        did.words = dialling.words();
        did.rings = dialling.rings();
        if let Some(music) = &dial.music {
            did.words.push_str(", with");
            did.sounds = heard(std::slice::from_ref(music), &self.office);
        }
        if let Some(caller) = &dial.caller {
            let shown: Vec<&str> =
                [&caller.name, &caller.user].into_iter().flatten().map(String::as_str).collect();
            did.more = format!("as {}", shown.join(" "));
        }
        let place = did.place.clone();
        let ways = dialling.results().into_iter().map(|result| {
            let ring::Result { label, outcome, takes, fixed, failure } = result;
            match failure {
                None => talk(label, outcome, takes, place.clone()),
                failure => Way { failure, ..Way::new(label, outcome, takes).at(fixed) },
            }
        });
        Effect::Waits(did, ways.collect())
    }

    /// Whether anybody who is called like this can answer.
    pub(crate) fn may_answer(&self, originate: &Originate) -> bool {
        match self.dial(&dial_of(originate), Did::new("", None, ""), &mut Line::default()) {
            Effect::Waits(_, ways) => ways.iter().any(|way| way.connects),
            Effect::AtOnce(..) | Effect::Over(_) => false,
        }
    }

    /// Calls somebody by ourselves: as a dial, but whoever answers is kept, or served by a call of
    /// its own, which has a tree of its own.
    pub(super) fn originate(&self, originate: &Originate, did: Did) -> Effect {
        let (mut did, ways) = match self.dial(&dial_of(originate), did, &mut Line::default()) {
            Effect::Waits(did, ways) => (did, ways),
            known @ (Effect::AtOnce(..) | Effect::Over(_)) => return known,
        };
        did.words = format!("{}, without the caller", did.words);
        if originate.run.is_some() {
            did.words.push_str(", and runs a function for whoever answers");
        }
        if !originate.waits {
            return Effect::AtOnce(Some(did), Outcome::Begun);
        }
        let leg = originate.run.is_none().then_some(dialplan::Leg(1));
        let ways = ways.into_iter().map(|way| {
            let Way { label, result, takes, fixed, .. } = way;
            let (outcome, leg) = match result {
                Result::Outcome(outcome) => (outcome, None),
                Result::Talk(_, ends) => match ends.into_iter().next().map(|end| end.result) {
                    Some(Result::Outcome(outcome)) => (outcome, leg),
                    Some(Result::HungUp | Result::Talk(..) | Result::Event(_)) | None => {
                        return Way::hung_up();
                    }
                },
                Result::HungUp | Result::Event(_) => return Way::hung_up(),
            };
            let outcome = if let Outcome::Dialed { status, code, reason, answered_by, .. } = outcome
            {
                Outcome::Originated { status, code, reason, answered_by, leg }
            } else {
                outcome
            };
            Way::new(label, outcome, takes).at(fixed)
        });
        Effect::Waits(did, ways.collect())
    }
}

fn dial_of(originate: &Originate) -> dialplan::Dial {
    dialplan::Dial {
        rounds: originate.rounds.clone(),
        timeout: originate.timeout,
        music: None,
        caller: originate.caller.clone(),
    }
}

/// Who is called, as the script writes it: `ext/100 or sip:101@example.org`.
pub(crate) fn target_words(originate: &Originate) -> String {
    let targets: Vec<String> =
        originate.rounds.iter().flatten().map(|target| ring::label(&target.to)).collect();
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    crate::words::list(&targets, "or")
}

/// Somebody answers after so long, and speaks with the caller until one hangs up.
fn talk(label: String, outcome: Outcome, after: Duration, place: Option<Place>) -> Way {
    let by = if let Outcome::Dialed { answered_by, .. } = &outcome { answered_by } else { "" };
    let event = CallEvent::Answer { by: by.to_owned() };
    let ends = vec![Way::new(super::OTHER_HANGS_UP, outcome.clone(), ring::TALKS)];
    let mut way = Way::new(label, outcome, after);
    way.result = Result::Talk(event, ends);
    way.then = Some(Did::new("talk", place, "they talk"));
    way.connects = true;
    way
}

/// The caller and somebody who was called are joined, unless that one has hung up.
pub(super) fn bridge(did: Did) -> Effect {
    let ended = |label: &str, status, code, reason: &str, talked| {
        let (reason, answered_by) = (reason.to_owned(), String::new());
        let outcome = Outcome::Dialed { status, code, reason, talked, answered_by };
        Way::new(label, outcome, talked)
    };
    let place = did.place.clone();
    let outcome = Outcome::Dialed {
        status: DialStatus::Answered,
        code: 200,
        reason: "OK".to_owned(),
        talked: ring::TALKS,
        answered_by: String::new(),
    };
    let talk = talk("they are joined".to_owned(), outcome, Duration::ZERO, place);
    let gone = "hung up before it was joined";
    let gone = ended(gone, DialStatus::Cancel, 0, gone, Duration::ZERO);
    Effect::Waits(did, vec![talk, gone])
}
