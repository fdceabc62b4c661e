//! What is told of a call: a tree of steps, of choices that the world makes, and of ends.

use std::time::Duration;

/// Everything that can come of dialling one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Who calls, as the script is told, in words: `an account`, `a stranger`.
    pub caller: String,
    /// Who calls, as it was asked.
    pub from: String,
    /// What is dialled.
    pub to: String,
    /// When, in the office's time zone: `2026-11-22T03:00:00+01:00[Europe/Berlin]`.
    pub at: String,
    /// When, in words.
    pub at_words: String,
    /// The route that takes the number, and those that match it too, best first. Empty: none does.
    pub routes: Vec<Route>,
    /// What happens.
    pub tree: Node,
    /// What the reader should know besides: where the tree was cut, facts that nobody asked for.
    pub notes: Vec<String>,
    /// How many ways through the script were followed.
    pub ways: usize,
    /// What runs.
    pub subject: Subject,
    /// What happens in calls that the script begins by itself, in the order in which they were met.
    pub calls: Vec<Begun>,
}

/// What a tree is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A call.
    Call,
    /// A function of `schedule`.
    Schedule,
    /// A function of `webhook`.
    Webhook,
}

/// What happens in a call that a script began, from when somebody answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Who was rung: `ext/100`.
    pub target: String,
    /// Where the script begins it.
    pub place: Option<Place>,
    /// What happens.
    pub tree: Node,
}

/// A route that matches what was dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its pattern, as written.
    pub pattern: String,
    /// Where it stands.
    pub place: Place,
    /// Whether strangers reach it.
    pub public: bool,
}

/// A line of a script.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as `scripts/menu.lua`.
    pub file: String,
    /// The line in it, from 1.
    pub line: u32,
}

/// Steps one after the other, and what follows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What happens in any case, in order.
    pub steps: Vec<Step>,
    /// What then.
    pub next: Next,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The script did something, or the world.
    Did(Did),
    /// These steps happen this many times, one after the other; 2 or more.
    Repeated {
        /// What happens each time. Times of day that are spoken are those of the first time.
        steps: Vec<Step>,
        /// How often in all.
        times: usize,
    },
}

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Did {
    /// The verb; or `route` for a route entered by `call:go`, `log`, `talk`.
    pub verb: &'static str,
    /// Where the script asked for it.
    pub place: Option<Place>,
    /// What a person would say of it, without the sounds: `rings ext/100 for 25 s`.
    pub words: String,
    /// What the caller hears.
    pub sounds: Vec<Heard>,
    /// Said after the sounds: `for a key, 5 s, up to 3 times`.
    pub more: String,
    /// Who rings.
    pub rings: Vec<Ring>,
}

/// Something that the caller hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The name of a prompt, or a tone or silence as a script writes it.
    pub name: String,
    /// What a prompt says, if known.
    pub text: Option<String>,
    /// How long it is, if known.
    pub length: Option<Duration>,
}

/// A target that is dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    /// As the script writes it: `ext/100`.
    pub target: String,
    /// The round in which it rings, from 1.
    pub round: usize,
    /// When it begins to ring after its round has begun.
    pub after: Duration,
    /// How long it rings at most.
    pub length: Duration,
    /// Why it cannot ring at all.
    pub problem: Option<String>,
}

/// What follows the steps of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The call is over.
    End(End),
    /// The world decides.
    Choice(Choice),
    /// A choice above comes again.
    Again(Again),
    /// It was not followed any further.
    Cut(String),
}

/// How a call ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// What the caller's phone sees.
    pub how: How,
    /// SIP status: the refusal's, or 200 after an answer.
    pub code: u16,
    /// Other statuses that the caller may see here instead: those of whoever was dialled last.
    pub or: Vec<u16>,
    /// Why, as `on_hangup` functions, the log and the call record say it: `script ended`.
    pub cause: &'static str,
    /// What is added: where a redirect points to, what went wrong.
    pub words: String,
    /// What `on_hangup` functions and `<close>` values did.
    pub after: Vec<Step>,
}

/// What the caller's phone sees at the end of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// A BYE from us.
    Bye,
    /// A final answer of 400 or more.
    Refused,
    /// A final answer of 300 to 399.
    Redirected,
    /// The caller hangs up.
    CallerHangsUp,
    /// The script made a mistake: a BYE, or 500.
    Fault,
    /// A function without a call came to its end.
    Returned,
}

/// The world decides how it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Tells this choice from others, and is the same when it comes again.
    pub key: String,
    /// Where the script waits.
    pub place: Option<Place>,
    /// What may happen; two or more.
    pub alternatives: Vec<Alternative>,
}

/// One thing that may happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// In words; several when the same comes of them.
    pub answers: Vec<String>,
    /// What comes of it.
    pub then: Node,
}

/// A choice above comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// The [`Choice::key`] of that choice.
    pub key: String,
    /// Its [`Choice::place`].
    pub place: Option<Place>,
    /// How often it is offered in all; `None`: again and again.
    pub times: Option<usize>,
    /// What follows after the last time, if there is one.
    pub then: Option<Box<Node>>,
}

impl Did {
    /// Something with nothing to be heard.
    pub(crate) fn new(verb: &'static str, place: Option<Place>, words: impl Into<String>) -> Self {
        Self {
            verb,
            place,
            words: words.into(),
            sounds: Vec::new(),
            more: String::new(),
            rings: Vec::new(),
        }
    }
}

impl Step {
    /// What is said of a single thing that was done.
    pub(crate) fn words(&self) -> Option<&str> {
        match self {
            Self::Did(did) => Some(&did.words),
            Self::Repeated { .. } => None,
        }
    }
}
