//! One way through a script: a fresh generation, driven with made-up outcomes.
//!
//! A coroutine cannot be copied, so every way starts from the beginning and is told what was chosen.
//! The scripts are loaded anew each time, since what a module keeps in its own variables would
//! otherwise be carried from one way into the next.

mod afterwards;

use std::time::Duration;

use dialplan::{
    AT_THE_END, AskId, CallEvent, Done, Ending, Generation, Handler, Remark, Script, Step as Turn,
    Verb,
};
use jiff::{SignedDuration, Zoned};

use crate::question::{Bounds, Question};
use crate::tree::{Did, End, Place, Step};
use crate::world::{self, Ask, Effect, Line, Result, Way, World};

/// One way through a script, as far as it has come.
pub(crate) struct Run<'a> {
    world: &'a World<'a>,
    bounds: Bounds,
    started_at: Zoned,
    elapsed: Duration,
    generation: Generation,
    script: Script,
    line: Line,
    pending: Vec<Pending>,
    verbs: usize,
    steps: Vec<Step>,
    options: Vec<Choosable>,
    kind: Kind,
    /// What the script listens for, with the line of each function.
    listens: Vec<(&'static str, Place)>,
    begun: Vec<Begun>,
}

/// What a script runs for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Call,
    Schedule,
    Webhook,
}

/// A call that the script began by itself, with a function for whoever answers.
#[derive(Clone)]
pub(crate) struct Begun {
    pub(crate) target: String,
    pub(crate) place: Option<Place>,
    pub(crate) handler: Handler,
    /// The route's, if it is one.
    pub(crate) number: Option<String>,
}

/// A verb that the script waits for.
struct Pending {
    id: AskId,
    name: &'static str,
    place: Option<Place>,
    /// Tells it from others.
    key: String,
    begun: Duration,
    /// Somebody answered, and speaks with the caller.
    talks: bool,
    ways: Vec<Way>,
}

/// One thing that may happen next.
struct Choosable {
    /// Which of those that are waited for.
    pending: usize,
    way: usize,
    at: Duration,
    label: String,
}

/// Why a run stopped.
pub(crate) enum Stop {
    /// The world decides; [`Run::choose`] goes on.
    Choice {
        key: String,
        place: Option<Place>,
        labels: Vec<String>,
    },
    End(End),
    Cut(String),
    /// The instructions of all ways together are used up.
    Spent,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        world: &'a World<'a>,
        question: &Question,
        (generation, script): (Generation, Script),
        kind: Kind,
    ) -> Self {
        Self {
            world,
            bounds: question.bounds,
            started_at: question.at.clone(),
            elapsed: Duration::ZERO,
            script,
            generation,
            line: Line::default(),
            pending: Vec::new(),
            verbs: 0,
            steps: Vec::new(),
            options: Vec::new(),
            kind,
            listens: Vec::new(),
            begun: Vec::new(),
        }
    }

    /// Somebody has answered already.
    pub(crate) fn answered(mut self) -> Self {
        self.line.answered = true;
        self
    }

    /// Leaves the script where it stands, for the call that it began by itself as this one of several.
    pub(crate) fn into_begun(self, nth: usize) -> Option<(Generation, Begun)> {
        let begun = self.begun.get(nth)?.clone();
        Some((self.generation, begun))
    }

    /// The calls that the script began by itself so far.
    pub(crate) fn begun(&self) -> &[Begun] {
        &self.begun
    }

    /// What happened since the last time.
    pub(crate) fn take_steps(&mut self) -> Vec<Step> {
        std::mem::take(&mut self.steps)
    }

    /// Runs until the world has to decide.
    pub(crate) fn begin(&mut self) -> Stop {
        let turn = self.script.go_on(&self.now());
        self.go_on(turn)
    }

    /// Goes on with the option of this number.
    pub(crate) fn choose(&mut self, option: usize) -> Stop {
        let Some(chosen) = self.options.get(option) else { return Stop::Cut(LOST.to_owned()) };
        let (pending, way, at) = (chosen.pending, chosen.way, chosen.at);
        match self.take(pending, way, at) {
            Ok(turn) => self.go_on(turn),
            Err(end) => Stop::End(end),
        }
    }

    fn now(&self) -> Zoned {
        let elapsed = SignedDuration::try_from(self.elapsed).unwrap_or(SignedDuration::MAX);
        self.started_at.saturating_add(elapsed)
    }

    fn go_on(&mut self, mut turn: Turn) -> Stop {
        loop {
            self.note_what_was_done();
            let goes_on = matches!(turn, Turn::Ask { .. } | Turn::Cancel { .. } | Turn::Slice);
            if goes_on && self.world.is_spent() {
                return Stop::Spent;
            }
            turn = match turn {
                Turn::Ask { id, verb } => {
                    self.verbs += 1;
                    if self.verbs > self.bounds.verbs {
                        return Stop::Cut(format!("followed for {} verbs", self.bounds.verbs));
                    }
                    match self.ask(id, &verb) {
                        Ok(turn) => turn,
                        Err(end) => return Stop::End(end),
                    }
                }
                Turn::Cancel { id } => {
                    self.cancel(id);
                    self.script.go_on(&self.now())
                }
                Turn::Slice => self.script.go_on(&self.now()),
                Turn::Waiting => {
                    self.options = self.find_options();
                    match self.options.as_slice() {
                        [] => return Stop::Cut(LOST.to_owned()),
                        [only] => {
                            let (pending, way, at) = (only.pending, only.way, only.at);
                            match self.take(pending, way, at) {
                                Ok(turn) => turn,
                                Err(end) => return Stop::End(end),
                            }
                        }
                        several => {
                            let labels = several.iter().map(|option| option.label.clone());
                            let labels = labels.collect();
                            let place = self.pending.first().and_then(|first| first.place.clone());
                            return Stop::Choice { key: self.key(), place, labels };
                        }
                    }
                }
                Turn::Returned => {
                    let end = match self.kind {
                        Kind::Call => self.line.returned(),
                        Kind::Schedule => world::done("the function ends".to_owned()),
                        Kind::Webhook => world::done(match self.script.take_response() {
                            Some(response) => world::response_words(&response),
                            None => "answers 204".to_owned(),
                        }),
                    };
                    return Stop::End(self.close(end));
                }
                Turn::Failed(error) => {
                    let mut end = self.line.failed(error.to_string());
                    match self.kind {
                        Kind::Call => self.steps.extend(self.world.apology().map(Step::Did)),
                        Kind::Schedule => end.code = 0,
                        Kind::Webhook => {}
                    }
                    return Stop::End(self.close(end));
                }
            };
        }
    }

    /// Begins a verb; `Err` when the call is over.
    fn ask(&mut self, id: AskId, verb: &Verb) -> std::result::Result<Turn, End> {
        let (name, place) = match self.script.asked(id) {
            Some(asked) => (asked.function, place_of(asked.file, asked.line)),
            None => ("", None),
        };
        let key = format!("{name} {place:?} {verb:?}");
        if let Verb::Originate(originate) = verb
            && let Some(run) = &originate.run
            && self.world.may_answer(originate)
        {
            self.begun.push(Begun {
                target: world::target_words(originate),
                place: place.clone(),
                handler: run.handler.clone(),
                number: run.number.clone(),
            });
        }
        let ask = Ask { name, verb, place };
        match self.world.effect(&ask, &mut self.line) {
            Effect::Over(end) => Err(self.close(end)),
            Effect::AtOnce(did, outcome) => {
                self.steps.extend(did.map(Step::Did));
                Ok(self.script.resume(id, outcome, &self.now()))
            }
            Effect::Waits(mut did, ways) => {
                if !self.pending.is_empty() {
                    did.words.insert_str(0, "meanwhile ");
                }
                self.steps.push(Step::Did(did));
                let place = ask.place;
                let begun = self.elapsed;
                self.pending.push(Pending { id, name, place, key, begun, talks: false, ways });
                Ok(self.script.go_on(&self.now()))
            }
        }
    }

    fn cancel(&mut self, id: AskId) {
        if let Some(at) = self.pending.iter().position(|pending| pending.id == id) {
            let stopped = self.pending.remove(at);
            let words = match stopped.name {
                _ if stopped.talks => "ends their talk".to_owned(),
                "dial" => "stops ringing".to_owned(),
                "sleep" => "stops waiting".to_owned(),
                "play" | "say" | "speak" => "stops playing".to_owned(),
                "read" | "menu" => "stops asking".to_owned(),
                // Nothing was begun for it.
                "within" | "" => return,
                name => format!("stops the {name}"),
            };
            self.steps.push(Step::Did(Did::new("cancel", None, words)));
        }
    }

    /// What is waited for, as one text.
    fn key(&self) -> String {
        let keys: Vec<&str> = self.pending.iter().map(|pending| pending.key.as_str()).collect();
        keys.join(" + ")
    }

    /// All that may happen next. Where several things are waited for, what cannot come before
    /// another is left out.
    fn find_options(&self) -> Vec<Choosable> {
        let several = self.pending.len() > 1;
        let mut options = Vec::new();
        for (index, pending) in self.pending.iter().enumerate() {
            // By then something else has happened for sure.
            let others = self.pending.iter().enumerate().filter(|(other, _)| *other != index);
            let latest = others.filter_map(|(_, other)| other.latest()).min();
            for (way_index, way) in pending.ways.iter().enumerate() {
                let mut at = pending.begun + way.takes;
                match latest {
                    Some(latest) if at > latest && way.fixed => continue,
                    Some(latest) => at = at.min(latest),
                    None => {}
                }
                let label = match way.result {
                    Result::Outcome(_) if several => format!("{}: {}", pending.name, way.label),
                    Result::Talk(..) if several => format!("{}: {}", pending.name, way.label),
                    Result::Outcome(_) | Result::HungUp | Result::Talk(..) | Result::Event(_) => {
                        way.label.clone()
                    }
                };
                options.push(Choosable {
                    pending: index,
                    way: way_index,
                    at: at.max(self.elapsed),
                    label,
                });
            }
        }
        options
    }

    /// Lets something happen; `Err` when the call is over.
    fn take(&mut self, pending: usize, way: usize, at: Duration) -> std::result::Result<Turn, End> {
        self.elapsed = at;
        self.options.clear();
        let mut pending = self.pending.remove(pending);
        let way = pending.ways.swap_remove(way);
        self.steps.extend(way.then.map(Step::Did));
        match way.result {
            Result::HungUp => {
                let end = self.line.caller_gone();
                Err(self.close(end))
            }
            Result::Event(event) => Ok(self.happens(pending, event)),
            Result::Outcome(outcome) => {
                self.line.answered |= way.connects;
                if way.failure.is_some() {
                    self.line.failure = way.failure;
                }
                Ok(self.script.resume(pending.id, outcome, &self.now()))
            }
            Result::Talk(event, ends) => {
                self.line.answered = true;
                pending.ways = ends;
                let events = self.listens.iter().map(|(event, place)| (*event, place));
                pending.ways.extend(self.world.events(events));
                pending.begun = self.elapsed;
                pending.key.push_str(" talking");
                pending.talks = true;
                self.pending.push(pending);
                Ok(self.script.notice(event, &self.now()))
            }
        }
    }

    /// Something happens to the call while it waits on as before; that is followed once.
    fn happens(&mut self, mut pending: Pending, event: CallEvent) -> Turn {
        pending.ways.retain(|way| !matches!(way.result, Result::Event(_)));
        let resume = self.listens.iter().any(|(event, _)| *event == "resume");
        if let (CallEvent::Hold { by }, true) = (&event, resume) {
            pending.ways.push(World::comes_back(*by));
        }
        pending.key.push_str(world::event_name(&event));
        self.pending.push(pending);
        self.script.notice(event, &self.now())
    }

    /// The call is over; its last functions run.
    fn close(&mut self, mut end: End) -> End {
        self.note_what_was_done();
        let before = std::mem::take(&mut self.steps);
        let code = if self.line.answered { 200 } else { end.code };
        let ending = Ending { cause: end.cause.to_owned(), code };
        let faults = self.script.close(ending, &self.now());
        self.note_what_was_done();
        for fault in faults {
            let words = format!("fails: {fault}");
            self.steps.push(Step::Did(Did::new("on_hangup", None, words)));
        }
        if self.script.has_afterwards() {
            self.run_afterwards();
        }
        end.after = std::mem::replace(&mut self.steps, before);
        end
    }

    /// What the script did without waiting for it, and what it logged.
    fn note_what_was_done(&mut self) {
        for deed in self.script.take_deeds() {
            let place = place_of(deed.file, deed.line);
            let did = match deed.what {
                Done::Went { number, route: Some(route) } => {
                    let there = self
                        .generation
                        .route(route)
                        .map(|route| format!("goes to {number}, route \"{}\"", route.pattern));
                    Did::new("go", place, there.unwrap_or_default())
                }
                Done::Went { number, route: None } => {
                    Did::new("go", place, format!("finds no route for {number}"))
                }
                Done::On { event, file, line } => {
                    let words = format!("will run {file}:{line} on \"{event}\"");
                    self.listens.push((event, Place { file, line }));
                    Did::new("on", place, words)
                }
                Done::OnHangup { file, line } => {
                    let words = format!("will run {file}:{line} when the call is over");
                    Did::new("on_hangup", place, words)
                }
            };
            self.steps.push(Step::Did(did));
        }
        for line in self.script.take_logs() {
            let place = place_of(line.file, line.line);
            let did = match line.remark.as_deref() {
                Some(Remark::Failed { what: AT_THE_END, error }) => {
                    Did::new("on_hangup", None, format!("fails: {error}"))
                }
                Some(_) | None => Did::new("log", place, format!("logs \"{}\"", line.text)),
            };
            self.steps.push(Step::Did(did));
        }
    }
}

fn place_of(file: String, line: u32) -> Option<Place> {
    (!file.is_empty()).then_some(Place { file, line })
}

impl Pending {
    /// When it has ended for sure; `None` if it need not end.
    fn latest(&self) -> Option<Duration> {
        let ends = self.ways.iter().filter(|way| way.fixed).map(|way| self.begun + way.takes);
        ends.max()
    }
}

const LOST: &str = "the script waits for nothing that could happen";
