//! Follows every way through a script, depth first, and puts them together as a tree.
//!
//! A choice that comes again on a way is followed again, since a script may count; but only along the
//! ways that took it the same each time, and a bounded number of times. That finds out what happens
//! after the third wrong PIN, and keeps the work linear where the script offers the same menu for ever.

use std::collections::BTreeMap;
use std::rc::Rc;

use dialplan::{
    CallView, Check, Generation, Kept, Loading, RouteId, ScheduleId, Shared, WebRequest, WebhookId,
};

use crate::fold;
use crate::given::Fact;
use crate::question::{Caller, Office, Question};
use crate::run::{Begun, Kind, Run, Stop};
use crate::tree::{Again, Alternative, Choice, Next, Node};
use crate::world::World;

/// A walk over all ways of one question.
pub(crate) struct Walk<'a> {
    world: &'a World<'a>,
    office: Office<'a>,
    question: &'a Question,
    start: &'a Start,
    /// Calls that the script begins by itself, each place once.
    begun: Vec<(Begun, Start)>,
    /// The scripts as compiled once for all ways.
    kept: Kept,
    /// How often a choice is followed when it comes again.
    loops: usize,
    /// Choices that come again although nothing depends on them, from an earlier walk.
    idle: BTreeMap<String, bool>,
    /// Whether any choice came again.
    came_again: bool,
    ways: usize,
    cuts: Cuts,
}

/// What is followed.
#[derive(Clone)]
pub(crate) enum Start {
    /// A call that takes a route.
    Route(RouteId, Box<CallView>),
    /// A function of `schedule`, and what it is called in the log.
    Schedule(ScheduleId, String),
    /// A function of `webhook`, what it is called in the log, and what it is asked.
    Webhook(WebhookId, String, Rc<WebRequest>),
    /// Whoever answered a call that the script began: from where, on which way, and which of those
    /// that it began there.
    Begun(Rc<Start>, Trail, usize),
}

/// Where the walk was cut short.
#[derive(Debug, Default)]
pub(crate) struct Cuts {
    /// Deeper than [`crate::Bounds::depth`].
    pub(crate) deep: usize,
    /// After [`crate::Bounds::ways`].
    pub(crate) many: usize,
    /// Longer than [`crate::Bounds::verbs`].
    pub(crate) long: usize,
    /// After [`crate::Bounds::instructions`].
    pub(crate) spent: usize,
}

impl Cuts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.deep += other.deep;
        self.many += other.many;
        self.long += other.long;
        self.spent += other.spent;
    }
}

/// What was chosen on the way here.
#[derive(Clone, Default)]
pub(crate) struct Trail {
    taken: Vec<Taken>,
}

#[derive(Clone)]
struct Taken {
    key: String,
    option: usize,
}

/// What came of a walk.
pub(crate) struct Walked {
    pub(crate) tree: Node,
    pub(crate) ways: usize,
    pub(crate) cuts: Cuts,
    /// Calls that the script began by itself, and from where to follow them.
    pub(crate) begun: Vec<(Begun, Start)>,
}

/// Follows every way from there.
pub(crate) fn walk(
    world: &World<'_>,
    office: Office<'_>,
    question: &Question,
    start: &Start,
) -> Walked {
    let mut first = Walk {
        world,
        office,
        question,
        start,
        begun: Vec::new(),
        kept: Kept::default(),
        loops: 1,
        idle: BTreeMap::new(),
        came_again: false,
        ways: 0,
        cuts: Cuts::default(),
    };
    // The second walk goes everywhere where the first one goes, so it gets as much at least.
    let (before, work_max) = (world.work.instructions(), question.bounds.instructions);
    world.work_max.set(before + work_max.saturating_sub(before) / 2);
    let tree = first.whole();
    world.work_max.set(work_max);
    if !first.came_again || first.cuts.spent > 0 {
        return Walked { tree, ways: first.ways, cuts: first.cuts, begun: first.begun };
    }
    // Once more, now that it is known which choices matter.
    let mut second = Walk {
        loops: question.bounds.loops.max(1),
        idle: first.idle,
        ways: 0,
        cuts: Cuts::default(),
        ..first
    };
    let tree = second.whole();
    Walked { tree, ways: second.ways, cuts: second.cuts, begun: second.begun }
}

impl<'a> Walk<'a> {
    fn whole(&mut self) -> Node {
        if self.world.is_spent() {
            return self.spent();
        }
        let Some(mut run) = self.start(self.start) else {
            return cut("the scripts cannot be loaded");
        };
        let stop = run.begin();
        self.node(run, stop, &Trail::default())
    }

    fn start(&self, start: &Start) -> Option<Run<'a>> {
        let run = |made, kind| Run::new(self.world, self.question, made, kind);
        Some(match start {
            Start::Route(route, view) => {
                let generation = self.load()?;
                let script = generation.start(*route, CallView::clone(view));
                run((generation, script), Kind::Call)
            }
            Start::Schedule(schedule, name) => {
                let generation = self.load()?;
                let script = generation.start_job(*schedule, name.clone());
                run((generation, script), Kind::Schedule)
            }
            Start::Webhook(webhook, name, request) => {
                let generation = self.load()?;
                let script = generation.start_answer(*webhook, name.clone(), request);
                run((generation, script), Kind::Webhook)
            }
            Start::Begun(before, trail, nth) => {
                let (before, _) = self.replay(before, trail)?;
                let (generation, begun) = before.into_begun(*nth)?;
                let script = begun.handler.clone().start(self.view_of(&begun));
                run((generation, script), Kind::Call).answered()
            }
        })
    }

    /// What a script knows of whoever answered.
    fn view_of(&self, begun: &Begun) -> CallView {
        let config = self.office.config;
        let account = begun.target.strip_prefix("ext/").map(str::to_owned);
        let from = account.as_deref().unwrap_or(&begun.target);
        let number = begun.number.clone().unwrap_or_default();
        let mut view = Caller::new(from, config).view(&number, config);
        view.account = account.filter(|account| config.accounts.contains_key(account));
        view
    }

    /// Nothing more may run.
    fn spent(&mut self) -> Node {
        self.cuts.spent += 1;
        cut(SPENT)
    }

    fn load(&self) -> Option<Generation> {
        let kept = Some(self.kept.clone());
        let shared = Shared::default();
        for given in &self.question.given {
            if let Fact::Shared(key, value) = &given.fact {
                // What is too much for it is not there, as on a real exchange.
                drop(shared.put(key, value));
            }
        }
        let work = self.world.work.clone();
        let before = work.instructions();
        let loading = Loading { check: Check::Done, kept, shared, work, ..Loading::default() };
        let config = self.office.config;
        let names = self.office.names.clone();
        let generation = Generation::load_as(
            self.office.sources,
            names,
            config.script_limits,
            loading,
            &self.question.at,
        );
        self.world.load.set(self.world.work.instructions() - before);
        generation.ok()
    }

    /// A run that has come to the end of a trail.
    fn replay(&self, start: &Start, trail: &Trail) -> Option<(Run<'a>, Stop)> {
        let mut run = self.start(start)?;
        let mut stop = run.begin();
        for taken in &trail.taken {
            // The same answers lead to the same question, for a script has no other source of chance.
            match stop {
                Stop::Choice { ref key, .. } if *key == taken.key => {}
                Stop::Choice { .. } | Stop::End(_) | Stop::Cut(_) | Stop::Spent => return None,
            }
            stop = run.choose(taken.option);
        }
        // What happened before was told already, up to the last choice.
        Some((run, stop))
    }

    /// What happens from where a run has stopped.
    fn node(&mut self, mut run: Run<'a>, stop: Stop, trail: &Trail) -> Node {
        let steps = fold::repeats(run.take_steps());
        self.note_begun(&run, trail);
        let (key, place, labels) = match stop {
            Stop::Choice { key, place, labels } => (key, place, labels),
            Stop::End(end) => {
                self.ways += 1;
                return Node { steps, next: Next::End(end) };
            }
            Stop::Cut(why) => {
                self.ways += 1;
                self.cuts.long += 1;
                return Node { steps, next: Next::Cut(why) };
            }
            Stop::Spent => {
                self.ways += 1;
                return Node { steps, ..self.spent() };
            }
        };
        let before: Vec<usize> =
            trail.taken.iter().filter(|t| t.key == key).map(|t| t.option).collect();
        if let Some(first) = before.first() {
            self.came_again = true;
            if self.idle.get(&key).copied().unwrap_or(false) {
                // Nothing depends on it: take it as before, and tell it as a step.
                let stop = run.choose(*first);
                let mut rest = self.node(run, stop, &trail.with(&key, *first));
                let steps = [steps, rest.steps].concat();
                rest.steps = fold::repeats(steps);
                return rest;
            }
            let same = before.iter().all(|option| option == first);
            if !same || before.len() >= self.loops {
                self.ways += 1;
                let again = Again { key, place, times: None, then: None };
                return Node { steps, next: Next::Again(again) };
            }
        }
        if trail.taken.len() >= self.question.bounds.depth {
            self.ways += 1;
            self.cuts.deep += 1;
            let why = format!("followed {} choices deep", self.question.bounds.depth);
            return Node { steps, next: Next::Cut(why) };
        }
        let alternatives = self.alternatives(run, &key, labels, trail);
        let choice = Choice { key: key.clone(), place, alternatives };
        let idle = fold::is_idle(&choice);
        *self.idle.entry(key).or_insert(true) &= idle;
        Node { steps, next: Next::Choice(choice) }
    }

    /// Notes the calls that the script began on the way here.
    fn note_begun(&mut self, run: &Run<'_>, trail: &Trail) {
        for (nth, begun) in run.begun().iter().enumerate() {
            let known = |(other, _): &(Begun, Start)| other.place == begun.place;
            if self.begun.len() < BEGUN_MAX && !self.begun.iter().any(known) {
                let start = Start::Begun(Rc::new(self.start.clone()), trail.clone(), nth);
                self.begun.push((begun.clone(), start));
            }
        }
    }

    fn alternatives(
        &mut self,
        run: Run<'a>,
        key: &str,
        labels: Vec<String>,
        trail: &Trail,
    ) -> Vec<Alternative> {
        let mut run = Some(run);
        let mut alternatives = Vec::new();
        for (option, label) in labels.into_iter().enumerate() {
            let then = if self.ways >= self.question.bounds.ways {
                self.cuts.many += 1;
                cut(&format!("not followed after {} ways", self.question.bounds.ways))
            } else if self.world.is_spent() {
                self.spent()
            } else {
                let here = match run.take() {
                    Some(mut run) => {
                        let stop = run.choose(option);
                        Some((run, stop))
                    }
                    None => self.replay(self.start, trail).map(|(mut run, stop)| {
                        drop(run.take_steps());
                        let stop = match stop {
                            Stop::Spent => Stop::Spent,
                            Stop::Choice { .. } | Stop::End(_) | Stop::Cut(_) => run.choose(option),
                        };
                        (run, stop)
                    }),
                };
                match here {
                    Some((run, stop)) => self.node(run, stop, &trail.with(key, option)),
                    None if self.world.is_spent() => self.spent(),
                    None => cut("the script does not do the same when it is run again"),
                }
            };
            alternatives.push(Alternative { answers: vec![label], then });
        }
        alternatives
    }
}

impl Trail {
    fn with(&self, key: &str, option: usize) -> Self {
        let mut longer = self.clone();
        longer.taken.push(Taken { key: key.to_owned(), option });
        longer
    }
}

/// Calls of one script that are followed.
const BEGUN_MAX: usize = 8;

/// Said where nothing more may run.
const SPENT: &str = "not followed: all ways together ran too much Lua";

fn cut(why: &str) -> Node {
    Node { steps: Vec::new(), next: Next::Cut(why.to_owned()) }
}
