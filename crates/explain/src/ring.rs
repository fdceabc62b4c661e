//! What can come of a `call:dial`.
//!
//! Each target answers, or is busy, refuses, cannot be reached, or rings until nobody waits any more.
//! Followed are: each target as the one who answers, and all of them failing alike; what is given of
//! one stays so in all of these.

use std::time::Duration;

use dialplan::{Destination, Dial, DialStatus, Outcome};
use pbx::verdict::{dial_status, relayed, weight};
use sip_syntax::{StatusCode, Uri};

use crate::given::Ringing;
use crate::tree::Ring;
use crate::words;

/// One target, and what is known of it.
struct Target<'d> {
    label: String,
    round: usize,
    spec: &'d dialplan::Target,
    fate: Fate,
}

enum Fate {
    /// It cannot be rung: status, and why.
    Never(StatusCode, String),
    /// It is given what comes of ringing it.
    Given(Ringing),
    /// Anything may come of it.
    Open,
}

/// One thing that may come of a dial.
pub(crate) struct Result {
    /// In words.
    pub(crate) label: String,
    pub(crate) outcome: Outcome,
    /// Until then the targets ring; without the talk that may follow.
    pub(crate) takes: Duration,
    /// Whether it cannot come any sooner or later.
    pub(crate) fixed: bool,
    /// What an unanswered caller is told if the script gives no other answer.
    pub(crate) failure: Option<(u16, String)>,
}

/// Whether an address is one of our own extensions; gives its name.
fn own_extension(uri: &str, domain: &str) -> Option<String> {
    let uri = Uri::parse_slice(uri.as_bytes()).ok()?;
    uri.host().to_string().eq_ignore_ascii_case(domain).then(|| uri.user()).flatten()
}

/// As the script writes it.
pub(crate) fn label(to: &Destination) -> String {
    match to {
        Destination::Extension(user) => format!("ext/{user}"),
        Destination::Uri(uri) => uri.clone(),
    }
}

/// A dial with what is known of its targets.
pub(crate) struct Dialling<'d> {
    dial: &'d Dial,
    targets: Vec<Target<'d>>,
}

impl<'d> Dialling<'d> {
    /// `given` tells what comes of a target, by its label, if that is fixed.
    pub(crate) fn new(
        dial: &'d Dial,
        config: &pbx::Config,
        mut given: impl FnMut(&str) -> Option<Ringing>,
    ) -> Self {
        let mut targets = Vec::new();
        for (round, specs) in dial.rounds.iter().enumerate() {
            for spec in specs {
                let label = label(&spec.to);
                let extension = match &spec.to {
                    Destination::Extension(user) => Some(user.clone()),
                    Destination::Uri(uri) => own_extension(uri, &config.domain),
                };
                let exists = extension.is_none_or(|user| config.accounts.contains_key(&user));
                let fate = match given(&label) {
                    _ if !exists => Fate::Never(StatusCode::NOT_FOUND, NOBODY.to_owned()),
                    Some(ringing) => Fate::Given(ringing),
                    None => Fate::Open,
                };
                targets.push(Target { label, round, spec, fate });
            }
        }
        Self { dial, targets }
    }

    /// Who rings, when, and for how long.
    pub(crate) fn rings(&self) -> Vec<Ring> {
        self.targets
            .iter()
            .map(|target| Ring {
                target: target.label.clone(),
                round: target.round + 1,
                after: target.spec.delay,
                length: self.give_up(target).saturating_sub(target.spec.delay),
                problem: match &target.fate {
                    Fate::Never(_, why) => Some(why.clone()),
                    Fate::Given(_) | Fate::Open => None,
                },
            })
            .collect()
    }

    /// `rings ext/100 and ext/101 for 25 s, then ext/102 for 10 s`.
    pub(crate) fn words(&self) -> String {
        let rounds: Vec<String> =
            (0..self.dial.rounds.len()).filter_map(|round| self.round_words(round)).collect();
        let never: Vec<String> = self
            .targets
            .iter()
            .filter_map(|target| match &target.fate {
                Fate::Never(_, why) => Some(format!("{} ({why})", target.label)),
                Fate::Given(_) | Fate::Open => None,
            })
            .collect();
        match (rounds.is_empty(), never.is_empty()) {
            (true, _) => format!("cannot ring {}", words::list(&never, "or")),
            (false, true) => format!("rings {}", rounds.join(", then ")),
            (false, false) => {
                format!("rings {}; not {}", rounds.join(", then "), words::list(&never, "and"))
            }
        }
    }

    fn round_words(&self, round: usize) -> Option<String> {
        let ringing: Vec<&Target<'_>> = self.in_round(round).collect();
        let plain = |target: &&&Target<'_>| {
            target.spec.delay.is_zero() && self.give_up(target) == self.dial.timeout
        };
        let mut said = Vec::new();
        let together: Vec<&str> =
            ringing.iter().filter(plain).map(|target| target.label.as_str()).collect();
        if !together.is_empty() {
            let length = words::length(self.dial.timeout);
            said.push(format!("{} for {length}", words::list(&together, "and")));
        }
        for target in ringing.iter().filter(|target| !plain(target)) {
            let until = self.give_up(target).saturating_sub(target.spec.delay);
            let mut one = format!("{} for {}", target.label, words::length(until));
            if !target.spec.delay.is_zero() {
                one.push_str(&format!(" after {}", words::length(target.spec.delay)));
            }
            said.push(one);
        }
        (!said.is_empty()).then(|| words::list(&said, "and"))
    }

    fn in_round(&self, round: usize) -> impl Iterator<Item = &Target<'d>> {
        self.targets
            .iter()
            .filter(move |target| target.round == round && !matches!(target.fate, Fate::Never(..)))
    }

    /// When a target is given up, from the beginning of its round.
    fn give_up(&self, target: &Target<'_>) -> Duration {
        let own = target.spec.timeout.map(|timeout| target.spec.delay + timeout);
        own.map_or(self.dial.timeout, |own| own.min(self.dial.timeout))
    }

    /// All that may come of it; at least one.
    pub(crate) fn results(&self) -> Vec<Result> {
        let open: Vec<&Target<'_>> =
            self.targets.iter().filter(|target| matches!(target.fate, Fate::Open)).collect();
        if open.is_empty() {
            return vec![self.play_out(None, Ringing::NoAnswer)];
        }
        let mut results: Vec<Result> = Vec::new();
        let mut add = |result: Result| {
            if !results.iter().any(|known| known.outcome == result.outcome) {
                results.push(result);
            }
        };
        for target in &open {
            add(self.play_out(Some(&target.label), Ringing::NoAnswer));
        }
        for fate in [Ringing::Code(486), Ringing::NoAnswer, Ringing::Code(603), UNREACHABLE] {
            add(self.play_out(None, fate));
        }
        results
    }

    /// Rings round after round: `answers` does so, and all others that are open do `otherwise`.
    fn play_out(&self, answers: Option<&str>, otherwise: Ringing) -> Result {
        let mut best: Option<(DialStatus, StatusCode, String)> = None;
        let mut note = |status, code: StatusCode, reason: &str| {
            if best.as_ref().is_none_or(|(_, known, _)| weight(code) > weight(*known)) {
                best = Some((status, code, reason.to_owned()));
            }
        };
        let mut begun = Duration::ZERO;
        let mut fixed = true;
        for round in 0..self.dial.rounds.len() {
            let mut over = Duration::ZERO;
            let mut answered: Option<(Duration, &Target<'_>)> = None;
            for target in self.targets.iter().filter(|target| target.round == round) {
                let fate = match &target.fate {
                    Fate::Never(code, reason) => {
                        note(DialStatus::ChanUnavail, *code, reason);
                        continue;
                    }
                    Fate::Given(fate) => *fate,
                    Fate::Open if answers == Some(target.label.as_str()) => Ringing::Answered,
                    Fate::Open => otherwise,
                };
                let (delay, give_up) = (target.spec.delay, self.give_up(target));
                let after = |length: Duration| (delay + length).min(give_up);
                let ends = match fate {
                    Ringing::Answered => {
                        let at = after(ANSWERS_AFTER);
                        if answered.is_none_or(|(first, _)| at < first) {
                            answered = Some((at, target));
                        }
                        at
                    }
                    Ringing::NoAnswer => {
                        note(dial_status(TIMEOUT), TIMEOUT, "no answer");
                        give_up
                    }
                    Ringing::Unreachable => {
                        let (status, code, reason) = unreachable(&target.spec.to);
                        note(status, code, reason);
                        delay
                    }
                    Ringing::Code(code) => {
                        let code = StatusCode::new(code).unwrap_or(TIMEOUT);
                        note(dial_status(code), code, code.default_reason());
                        fixed = false;
                        after(REFUSES_AFTER)
                    }
                };
                over = over.max(ends);
            }
            if let Some((at, target)) = answered {
                return Result {
                    label: self.answered_words(target),
                    outcome: Outcome::Dialed {
                        status: DialStatus::Answered,
                        code: 200,
                        reason: "OK".to_owned(),
                        talked: TALKS,
                        answered_by: target.label.clone(),
                    },
                    takes: begun + at,
                    fixed: false,
                    failure: None,
                };
            }
            begun += over;
        }
        let (status, code, reason) = best.unwrap_or_else(|| {
            (DialStatus::ChanUnavail, StatusCode::TEMPORARILY_UNAVAILABLE, String::new())
        });
        let (told, phrase) = relayed(code, &reason);
        Result {
            label: failed_words(status, code),
            failure: Some((told.as_u16(), phrase.unwrap_or_default())),
            outcome: Outcome::Dialed {
                status,
                code: code.as_u16(),
                reason,
                talked: Duration::ZERO,
                answered_by: String::new(),
            },
            takes: begun,
            fixed,
        }
    }

    fn answered_words(&self, target: &Target<'_>) -> String {
        let able = |target: &&Target<'_>| !matches!(target.fate, Fate::Never(..));
        if self.targets.iter().filter(able).count() > 1 {
            format!("{} answers", target.label)
        } else {
            "answered".to_owned()
        }
    }
}

fn unreachable(to: &Destination) -> (DialStatus, StatusCode, &'static str) {
    match to {
        Destination::Extension(_) => {
            (DialStatus::ChanUnavail, StatusCode::TEMPORARILY_UNAVAILABLE, "not registered")
        }
        Destination::Uri(_) => {
            let code = StatusCode::SERVER_TIMEOUT;
            (dial_status(code), code, "host name not found")
        }
    }
}

fn failed_words(status: DialStatus, code: StatusCode) -> String {
    match (status, code.as_u16()) {
        (_, 603) => "refused".to_owned(),
        (DialStatus::Busy, 486) => "busy".to_owned(),
        (DialStatus::NoAnswer, 408) => "no answer".to_owned(),
        (DialStatus::ChanUnavail, 404) => "no such extension".to_owned(),
        (DialStatus::ChanUnavail, 480) | (DialStatus::Congestion, 504) => {
            "not reachable".to_owned()
        }
        (_, code_number) => format!("{code_number} {}", code.default_reason()).trim().to_owned(),
    }
}

const UNREACHABLE: Ringing = Ringing::Unreachable;
const TIMEOUT: StatusCode = StatusCode::REQUEST_TIMEOUT;
/// What the exchange says of an extension without an account.
const NOBODY: &str = "no such extension";
/// How long it rings before somebody answers, as far as the script's clock is concerned.
const ANSWERS_AFTER: Duration = Duration::from_secs(5);
/// How long it rings before somebody refuses.
const REFUSES_AFTER: Duration = Duration::from_secs(2);
/// How long two people talk.
pub(crate) const TALKS: Duration = Duration::from_secs(60);
