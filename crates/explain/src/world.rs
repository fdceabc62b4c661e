//! The made-up outside world: what a verb sets in motion, and all that may come of it.
//!
//! Knows what the exchange does with a caller as far as a caller or a callee would notice, and no more:
//! no SIP message, no sound. How long things take matters only for what scripts ask the clock, and
//! for which of two things ends first.

mod happening;
mod joining;
mod outside;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use dialplan::{
    Absence, Barge, CallEvent, HangupCause, MailboxStatus, Outcome, Play, Read, Record, Repeat,
    Side, Sound, Verb, VoicemailStatus, WebResponse, Work,
};
use sip_syntax::StatusCode;

use crate::given::{Fact, Listening, Message, Recording, When};
use crate::hearing::{heard, in_short, length};
use crate::question::{Office, Question};
use crate::tree::{Did, End, How as Ends, Place};
use crate::typed::{self, How, Literals};
use crate::words;

/// What is known of the world, for all ways of one question.
pub(crate) struct World<'a> {
    pub(crate) office: Office<'a>,
    question: &'a Question,
    /// What all ways ran so far.
    pub(crate) work: Work,
    /// How much that may come to, in instructions.
    pub(crate) work_max: Cell<u64>,
    /// How much of it the last load was.
    pub(crate) load: Cell<u64>,
    literals: Literals,
    /// Which facts were of use, by their place among those given.
    used: RefCell<BTreeSet<usize>>,
    /// Whether a fact was of use to the verb that is looked at.
    decided: Cell<bool>,
}

/// How the caller's line stands on one way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    pub(crate) answered: bool,
    /// What an unanswered caller is told if the script gives no other answer.
    pub(crate) failure: Option<(u16, String)>,
    /// Keys were asked for this often.
    asked_for_keys: usize,
}

/// A verb that the script asks for.
pub(crate) struct Ask<'v> {
    /// As the script calls it: `menu`, `say`.
    pub(crate) name: &'static str,
    pub(crate) verb: &'v Verb,
    pub(crate) place: Option<Place>,
}

/// What a verb leads to.
pub(crate) enum Effect {
    /// The call is over.
    Over(End),
    /// The script goes on at once.
    AtOnce(Option<Did>, Outcome),
    /// The script waits for one of these; at least one.
    Waits(Did, Vec<Way>),
}

/// One thing that may come of a verb.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    /// In words, for a choice among several.
    pub(crate) label: String,
    pub(crate) result: Result,
    pub(crate) takes: Duration,
    /// Whether it cannot come any sooner or later.
    pub(crate) fixed: bool,
    /// What is told of it besides.
    pub(crate) then: Option<Did>,
    /// Whether somebody who was rung has answered.
    pub(crate) connects: bool,
    pub(crate) failure: Option<(u16, String)>,
}

#[derive(Debug, Clone)]
pub(crate) enum Result {
    /// The script is told.
    Outcome(Outcome),
    /// The caller is gone.
    HungUp,
    /// Somebody has answered, and the caller speaks with them until one of these happens; functions
    /// for the event run meanwhile.
    Talk(CallEvent, Vec<Way>),
    /// Something happens that a function waits for; what was waited for goes on.
    Event(CallEvent),
}

impl Way {
    pub(crate) fn new(label: impl Into<String>, outcome: Outcome, takes: Duration) -> Self {
        Self {
            label: label.into(),
            result: Result::Outcome(outcome),
            takes,
            fixed: false,
            then: None,
            connects: false,
            failure: None,
        }
    }

    pub(crate) fn at(mut self, fixed: bool) -> Self {
        self.fixed = fixed;
        self
    }

    pub(crate) fn hung_up() -> Self {
        let mut way = Self::new(HANGS_UP, Outcome::Done, HANGS_UP_AFTER);
        way.result = Result::HungUp;
        way
    }
}

impl<'a> World<'a> {
    pub(crate) fn new(office: Office<'a>, question: &'a Question) -> Self {
        let literals = Literals::new(office.sources, office.names);
        Self {
            office,
            question,
            work: Work::default(),
            work_max: Cell::new(question.bounds.instructions),
            load: Cell::default(),
            literals,
            used: RefCell::default(),
            decided: Cell::default(),
        }
    }

    /// Whether nothing more may run.
    pub(crate) fn is_spent(&self) -> bool {
        self.work.instructions() >= self.work_max.get()
    }

    /// What was given and of no use.
    pub(crate) fn unused(&self) -> Vec<String> {
        let used = self.used.borrow();
        let facts = self.question.given.iter().enumerate();
        // What lies ready need not be asked for.
        let ready = |fact: &Fact| matches!(fact, Fact::Shared(..) | Fact::Body(_));
        let unused = facts.filter(|(at, given)| !used.contains(at) && !ready(&given.fact));
        unused.map(|(_, given)| given.to_string()).collect()
    }

    /// The first fact of which `read` makes something, or the one after `skip` of them.
    fn fact<T>(&self, skip: usize, mut read: impl FnMut(&Fact) -> Option<T>) -> Option<T> {
        let facts = self.question.given.iter().enumerate();
        let mut found = facts.filter_map(|(at, given)| Some((at, read(&given.fact)?)));
        let (at, value) = found.nth(skip)?;
        self.used.borrow_mut().insert(at);
        self.decided.set(true);
        Some(value)
    }

    /// What a caller hears whose script failed.
    pub(crate) fn apology(&self) -> Option<Did> {
        let name = self.office.config.apology.as_ref()?;
        let full = format!("{}/{name}", self.office.config.language);
        let known = &self.office.names.prompts;
        let name = [name, &full].into_iter().find(|name| known.contains(*name))?;
        let mut did = Did::new("apology", None, "apologises:");
        did.sounds = heard(&[Sound::Prompt(name.clone())], &self.office);
        Some(did)
    }

    /// What a verb leads to.
    pub(crate) fn effect(&self, ask: &Ask<'_>, line: &mut Line) -> Effect {
        self.decided.set(false);
        let did = |words: &str| Did::new(ask.name, ask.place.clone(), words);
        let effect = match ask.verb {
            Verb::Ringing => Effect::AtOnce(Some(did("lets the caller hear ringing")), DONE),
            Verb::Progress => Effect::AtOnce(Some(did("opens early media")), DONE),
            Verb::Queued { place, music } => self.queued(*place, music.as_ref(), did("")),
            Verb::Answer => {
                let news = !std::mem::replace(&mut line.answered, true);
                Effect::AtOnce(news.then(|| did("answers")), DONE)
            }
            Verb::Reject { code, reason, .. } => {
                Effect::Over(refused(*code, reason.as_deref(), "rejected by script", line))
            }
            Verb::Redirect { code, targets } => {
                let targets: Vec<&str> = targets.iter().map(|t| t.uri.as_str()).collect();
                let words = format!("the caller's phone tries {}", words::list(&targets, "or"));
                let code = *code;
                Effect::Over(End { words, ..ended(Ends::Redirected, code, "redirected") })
            }
            Verb::Hangup { cause } => Effect::Over(hung_up(*cause, line)),
            Verb::Play(play) => {
                let words = match ask.name {
                    "say" => "says",
                    "speak" => "speaks",
                    _ => "plays",
                };
                self.play(play, did(words), line)
            }
            Verb::Read(read) => self.read(read, did("asks"), line),
            Verb::Record(record) => self.record(record, did("records the caller"), line),
            Verb::Dial(dial) => self.dial(dial, did(""), line),
            Verb::Originate(originate) => self.originate(originate, did("")),
            Verb::Bridge(_) => {
                line.answered = true;
                joining::bridge(did("joins the caller and whoever answered"))
            }
            Verb::HangupLeg(_) => Effect::AtOnce(Some(did("hangs up on whoever answered")), DONE),
            Verb::Dtmf { digits, to } => {
                let to = match to {
                    Side::Caller => "caller",
                    Side::Callee => "other party",
                };
                Effect::AtOnce(Some(did(&format!("presses {digits} for the {to}"))), DONE)
            }
            Verb::Sleep(length) => {
                let over = format!("{} are over", words::length(*length));
                let did = did(&format!("waits {}", words::length(*length)));
                Effect::Waits(did, vec![Way::new(over, DONE, *length).at(true)])
            }
            Verb::Fetch(fetch) => self.fetch(fetch, did("")),
            Verb::Query(query) => self.query(query, did("")),
            Verb::Lock { name, timeout } => {
                outside::lock(did(&format!("waits for the lock {name}")), *timeout)
            }
            Verb::Voicemail { mailbox, reason } => {
                self.voicemail(mailbox, *reason, did("takes a message"), line)
            }
            Verb::Mailbox { mailbox } => self.mailbox(mailbox.as_deref(), did(""), line),
            Verb::Echo => {
                line.answered = true;
                let did = did("lets the caller hear their own voice until # is pressed");
                Effect::Waits(did, vec![Way::new("#", DONE, HANGS_UP_AFTER)])
            }
        };
        match effect {
            Effect::Waits(did, ways) => {
                let (mut did, ways) = self.with_hangup(ask, did, ways);
                if self.decided.take()
                    && let [only] = ways.as_slice()
                {
                    if !did.more.is_empty() {
                        did.more.push_str("; ");
                    }
                    did.more.push_str(&format!("given: {}", only.label));
                }
                Effect::Waits(did, ways)
            }
            Effect::Over(_) | Effect::AtOnce(..) => effect,
        }
    }

    /// Adds that the caller hangs up, where that is asked for, or lets nothing else happen.
    fn with_hangup(&self, ask: &Ask<'_>, did: Did, mut ways: Vec<Way>) -> (Did, Vec<Way>) {
        let here = self.fact(0, |fact| {
            let Fact::Hangup(when) = fact else { return None };
            let here = match when {
                When::AtOnce => true,
                When::In(verb) => verb == ask.name,
                When::At(file, line) => ask.place.as_ref().is_some_and(|place| {
                    place.file.trim_start_matches("scripts/") == file && place.line == *line
                }),
            };
            here.then_some(())
        });
        if here.is_some() {
            return (did, vec![Way::hung_up()]);
        }
        if self.question.hangups {
            for way in &mut ways {
                if let Result::Talk(_, ends) = &mut way.result {
                    ends.push(Way::hung_up());
                }
            }
            if !ways.iter().any(|way| matches!(way.result, Result::HungUp)) {
                ways.push(Way::hung_up());
            }
        }
        (did, ways)
    }

    fn queued(&self, place: Option<u32>, music: Option<&Sound>, mut did: Did) -> Effect {
        did.words = match place {
            Some(place) => format!("puts the caller in line, place {place}"),
            None => "puts the caller in line".to_owned(),
        };
        if let Some(music) = music {
            did.words.push_str(", with");
            did.sounds = heard(std::slice::from_ref(music), &self.office);
        }
        Effect::AtOnce(Some(did), DONE)
    }

    fn play(&self, play: &Play, mut did: Did, line: &Line) -> Effect {
        did.sounds = heard(&play.sounds, &self.office);
        let whole = length(&play.sounds, &did.sounds);
        let endless = play.repeat == Repeat::Forever || whole.is_none();
        did.more = match (whole, play.repeat, line.answered) {
            (None, _, _) => "without end".to_owned(),
            (Some(_), Repeat::Forever, _) => "over and over".to_owned(),
            (Some(_), Repeat::Once, false) => "unanswered".to_owned(),
            (Some(_), Repeat::Once, true) => String::new(),
        };
        if play.barge == Barge::Any {
            let comma = if did.more.is_empty() { "" } else { ", " };
            did.more.push_str(&format!("{comma}a key stops it"));
        }
        let played = |digit, heard| Outcome::Played { digit, heard };
        let mut ways = Vec::new();
        if let (false, Some(whole)) = (endless, whole) {
            let heard = whole.saturating_sub(play.from);
            ways.push(Way::new("heard to the end", played(None, heard), heard).at(true));
        }
        if play.barge == Barge::Any {
            let file = did.place.as_ref().map(|place| place.file.as_str());
            for key in self.literals.keys(file) {
                let takes = BARGES_AFTER.min(whole.unwrap_or(BARGES_AFTER));
                let label = format!("{key} is pressed");
                ways.push(Way::new(label, played(Some(key), takes), takes));
            }
        }
        if ways.is_empty() {
            ways.push(Way::hung_up());
        }
        Effect::Waits(did, ways)
    }

    fn read(&self, read: &Read, mut did: Did, line: &mut Line) -> Effect {
        did.sounds = heard(&read.prompt, &self.office);
        let prompt = length(&read.prompt, &did.sounds).unwrap_or_default();
        did.more = read_words(read);
        if !read.invalid.is_empty() {
            let wrong = heard(&read.invalid, &self.office);
            let names: Vec<String> = wrong.iter().map(in_short).collect();
            did.more.push_str(&format!(", when wrong: {}", names.join(" ")));
        }
        let fact = self.fact(line.asked_for_keys, |fact| {
            if let Fact::Typed(typed) = fact { Some(typed.clone()) } else { None }
        });
        line.asked_for_keys += 1;
        let inputs = match fact {
            Some(keys) => vec![typed::given(&keys, read)],
            None => {
                let file = did.place.as_ref().map(|place| place.file.as_str());
                self.literals.inputs(read, file)
            }
        };
        let tries = u32::from(read.tries.max(1));
        let ways = inputs.into_iter().map(|input| {
            let (takes, fixed) = match input.how {
                How::Keys(count) => {
                    let count = u32::try_from(count).unwrap_or(u32::MAX);
                    (prompt + KEY_TAKES.saturating_mul(count), false)
                }
                How::Wrong => (tries * (prompt + KEY_TAKES), false),
                How::Nothing => (tries * (prompt + read.timeout), true),
            };
            Way::new(input.label, input.outcome, takes).at(fixed)
        });
        Effect::Waits(did, ways.collect())
    }

    fn record(&self, record: &Record, mut did: Did, line: &mut Line) -> Effect {
        line.answered = true;
        did.more = format!("for at most {}", words::length(record.max));
        let name = record.name.clone().unwrap_or_else(|| "explain".to_owned());
        let said = SAYS.min(record.max);
        let recorded = |length| Outcome::Recorded { length, path: format!("{name}.wav") };
        let something = Way::new("something is said", recorded(said), said);
        let nothing = Way::new("nothing is said", recorded(Duration::ZERO), Duration::ZERO);
        let fact =
            self.fact(
                0,
                |fact| {
                    if let Fact::Record(recording) = fact { Some(*recording) } else { None }
                },
            );
        let ways = match fact {
            Some(Recording::Something) => vec![something],
            Some(Recording::Nothing) => vec![nothing],
            None => vec![something, nothing],
        };
        Effect::Waits(did, ways)
    }

    fn voicemail(&self, name: &str, why: Absence, mut did: Did, line: &mut Line) -> Effect {
        if !self.office.config.mailboxes.contains_key(name) {
            did.words = format!("cannot take a message: there is no mailbox {name}");
            return Effect::AtOnce(Some(did), Outcome::Voicemail(VoicemailStatus::Failed));
        }
        line.answered = true;
        did.words = format!("takes a message for {name}");
        did.more = match why {
            Absence::Unavailable => "greeting: not available".to_owned(),
            Absence::Busy => "greeting: on another line".to_owned(),
        };
        let ends = |label: &str, status, takes| Way::new(label, Outcome::Voicemail(status), takes);
        let left = ends("a message is left", VoicemailStatus::Success, SAYS);
        let nothing = ends("nothing is said", VoicemailStatus::Empty, SAYS);
        let full = ends("the mailbox is full", VoicemailStatus::Failed, Duration::ZERO);
        let fact = self.fact(0, |fact| {
            let Fact::Voicemail(mailbox, message) = fact else { return None };
            mailbox.as_ref().is_none_or(|mailbox| mailbox == name).then_some(*message)
        });
        let ways = match fact {
            Some(Message::Left) => vec![left],
            Some(Message::Nothing) => vec![nothing],
            Some(Message::Full) => vec![full],
            None => vec![left, nothing, full],
        };
        Effect::Waits(did, ways)
    }

    fn mailbox(&self, name: Option<&str>, mut did: Did, line: &mut Line) -> Effect {
        line.answered = true;
        did.words = match name {
            Some(name) => format!("lets the caller listen to mailbox {name}, with its PIN"),
            None => "asks for a mailbox and its PIN, and lets the caller listen".to_owned(),
        };
        let ends = |label: &str, status| Way::new(label, Outcome::Mailbox(status), SAYS);
        let done = ends("the caller is done", MailboxStatus::Done);
        let refused = ends("wrong PIN too often", MailboxStatus::Refused);
        let failed = ends("it cannot be opened", MailboxStatus::Failed);
        let missing = name.is_some_and(|name| !self.office.config.mailboxes.contains_key(name));
        let fact =
            self.fact(
                0,
                |fact| {
                    if let Fact::Mailbox(listening) = fact { Some(*listening) } else { None }
                },
            );
        let ways = match fact {
            _ if missing => vec![failed],
            Some(Listening::Done) => vec![done],
            Some(Listening::Refused) => vec![refused],
            Some(Listening::Failed) => vec![failed],
            None => vec![done, refused, failed],
        };
        Effect::Waits(did, ways)
    }
}

/// `for a key, 5 s, up to 3 times`.
fn read_words(read: &Read) -> String {
    let keys = match read.digits_max {
        1 => "for a key".to_owned(),
        64 => "for digits".to_owned(),
        max => format!("for up to {max} digits"),
    };
    let tries = match read.tries {
        0 | 1 => String::new(),
        tries => format!(", up to {}", words::times(tries.into())),
    };
    format!("{keys}, {}{tries}", words::length(read.timeout))
}

/// The script refuses; if the call is answered already, that is a BYE.
fn refused(code: u16, reason: Option<&str>, cause: &'static str, line: &Line) -> End {
    if line.answered {
        return ended(Ends::Bye, 200, cause);
    }
    let standard = StatusCode::new(code).map(StatusCode::default_reason).unwrap_or_default();
    End { words: reason.unwrap_or(standard).to_owned(), ..ended(Ends::Refused, code, cause) }
}

fn hung_up(cause: HangupCause, line: &Line) -> End {
    let code = match cause {
        HangupCause::Normal => 480,
        HangupCause::Busy => 486,
        HangupCause::Congestion => 503,
        HangupCause::Unallocated => 404,
        HangupCause::Rejected => 603,
    };
    refused(code, None, "hung up by script", line)
}

fn ended(how: Ends, code: u16, cause: &'static str) -> End {
    End { how, code, or: Vec::new(), cause, words: String::new(), after: Vec::new() }
}

impl Line {
    /// How a call ends whose script has returned.
    pub(crate) fn returned(&self) -> End {
        match &self.failure {
            Some((code, reason)) if !self.answered => {
                let reason = (!reason.is_empty()).then_some(reason.as_str());
                refused(*code, reason, NOT_ANSWERED, self)
            }
            Some(_) | None => {
                let mut end = refused(480, None, "script ended", self);
                if !self.answered {
                    end.words.push_str("; the script ended without an answer");
                }
                end
            }
        }
    }

    /// How a call ends whose script failed.
    pub(crate) fn failed(&self, problem: String) -> End {
        let code = if self.answered { 200 } else { 500 };
        End { words: problem, ..ended(Ends::Fault, code, "script fault") }
    }

    /// How a call ends whose caller has hung up.
    pub(crate) fn caller_gone(&self) -> End {
        if self.answered {
            ended(Ends::CallerHangsUp, 200, "caller hung up")
        } else {
            ended(Ends::CallerHangsUp, 487, "caller gave up")
        }
    }
}

/// How a function without a call ends.
pub(crate) fn done(words: String) -> End {
    End { words, ..ended(Ends::Returned, 0, "the function returned") }
}

/// What a webhook answers: `answers 200 "{...}"`.
pub(crate) fn response_words(response: &WebResponse) -> String {
    let WebResponse { status, body, .. } = response;
    let body = String::from_utf8_lossy(body);
    match body.lines().next().unwrap_or_default().trim() {
        "" => format!("answers {status}"),
        line if line.chars().count() > BODY_SHOWN_MAX => {
            let line: String = line.chars().take(BODY_SHOWN_MAX).collect();
            format!("answers {status}: {line} …")
        }
        line => format!("answers {status}: {line}"),
    }
}

pub(crate) use happening::{event_name, is_event};
pub(crate) use joining::target_words;

/// Characters of a webhook's answer.
const BODY_SHOWN_MAX: usize = 48;
/// What is said when a talk is over.
pub(crate) const OTHER_HANGS_UP: &str = "the other hangs up";
/// What is said of a way on which the caller hangs up.
pub(crate) const HANGS_UP: &str = "the caller hangs up";
/// The script gave no answer of its own, so that of whoever was dialled is passed on.
pub(crate) const NOT_ANSWERED: &str = "not answered";
const DONE: Outcome = Outcome::Done;
/// How long a caller listens before hanging up.
const HANGS_UP_AFTER: Duration = Duration::from_secs(10);
/// How long a caller listens before stopping a sound with a key.
const BARGES_AFTER: Duration = Duration::from_secs(1);
/// How long it takes to press a key.
const KEY_TAKES: Duration = Duration::from_secs(1);
/// How long somebody speaks into a recording, or listens to messages.
const SAYS: Duration = Duration::from_secs(20);
