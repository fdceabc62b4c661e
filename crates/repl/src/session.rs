//! A session: one line after the other, and what there is to be seen of each.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bench::{Act, Called, LadderPart, Sounds};
use dialplan::{Sources, Typed, read_typed};
use jiff::{Timestamp, Zoned};

use crate::command::{Command, HELP};
use crate::entry::{Entry, Kind, Line, Outside, What};
use crate::replay::{Pause, Push, Run, Trouble, takes};
use crate::show::hint;
use crate::source::Dialplan;

/// What a session begins with.
#[derive(Debug, Clone)]
pub struct Opening {
    /// What is declared about the office. Every account has a phone that rings.
    pub config: pbx::Config,
    /// The dialplan, which is there for `call:go`.
    pub sources: Sources,
    /// Its prompts.
    pub sounds: Arc<Sounds>,
    /// Any instant: simulated time begins there.
    pub start: Instant,
    /// What the clock on the wall shows then.
    pub wall: Timestamp,
    /// Feeds everything that is random.
    pub seed: u64,
    /// Who calls: an account, or a number from a trusted network.
    pub from: String,
    /// What `call.to.user` says that was dialled.
    pub to: String,
}

/// A Lua prompt with a pretend caller.
#[derive(Debug)]
pub struct Session {
    opening: Opening,
    dialplan: Dialplan,
    entries: Vec<Entry>,
    run: Run,
    /// The entry that still goes on.
    under_way: Option<usize>,
    pause: Pause,
    /// Happenings that were shown.
    seen: usize,
    /// The names of columns, as they were shown last.
    heads: String,
    /// Lines of Lua that are not whole yet.
    begun: String,
}

/// What a line leads to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// What there is to be seen, in order.
    pub parts: Vec<Part>,
    /// What the caller of the session has to do.
    pub task: Option<Task>,
}

/// Something to be seen; every text ends with a line feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// What happened, as a ladder.
    Ladder(String),
    /// What a line of Lua gave.
    Value(String),
    /// What is wrong with a line.
    Mistake(String),
    /// What can be done now.
    Hint(String),
}

/// Something that a session cannot do by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Explain this function.
    Explain(String),
    /// Write this text into this file.
    Save {
        /// The file, as it was typed.
        file: String,
        /// A test in Lua.
        text: String,
        /// Whether a route has to be written first; it stands in the text, as a comment.
        needs_route: bool,
    },
    /// End.
    Quit,
}

/// What a line is to be typed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prompt {
    /// A new line.
    Ready,
    /// The rest of a line of Lua.
    More,
    /// A line is under way: somebody outside has to do something.
    UnderWay,
    /// The call is over.
    Over,
}

impl Prompt {
    /// As it is written before what is typed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "> ",
            Self::More => ".. ",
            Self::UnderWay => "… ",
            Self::Over => "x ",
        }
    }
}

impl Reply {
    fn mistake(text: impl Into<String>) -> Self {
        Self { parts: vec![Part::Mistake(lines(text))], task: None }
    }

    fn hint(text: impl Into<String>) -> Self {
        Self { parts: vec![Part::Hint(lines(text))], task: None }
    }

    fn task(task: Task) -> Self {
        Self { parts: Vec::new(), task: Some(task) }
    }

    /// Everything there is to be seen, without distinction.
    pub fn text(&self) -> String {
        let texts = self.parts.iter().map(|part| match part {
            Part::Ladder(text) | Part::Value(text) | Part::Mistake(text) | Part::Hint(text) => text,
        });
        texts.map(String::as_str).collect()
    }
}

/// A text that ends with a line feed.
fn lines(text: impl Into<String>) -> String {
    let mut text = text.into();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

impl Session {
    /// Opens the office and lets somebody call.
    ///
    /// # Errors
    /// What is wrong with the dialplan; or with what is made of it, in words.
    pub fn new(opening: Opening) -> Result<Self, Trouble> {
        let now = wall_of(&opening);
        let limits = opening.config.script_limits;
        let names = dialplan::Names {
            prompts: opening.sounds.prompts().names(),
            extensions: opening.config.accounts.keys().cloned().collect(),
            mailboxes: opening.config.mailboxes.keys().cloned().collect(),
            language: opening.config.language.clone(),
            speech: opening.config.speech.is_some(),
        };
        let own = dialplan::Generation::load(&opening.sources, names, limits, &now)
            .map_err(Trouble::Scripts)?;
        let patterns: Vec<String> =
            own.routes().iter().map(|route| route.pattern.clone()).collect();
        let dialplan = Dialplan::new(opening.sources.clone(), &opening.to, &patterns);
        let mut run = Run::open(&opening, &dialplan, &[])?;
        run.tick();
        Ok(Self {
            opening,
            dialplan,
            entries: Vec::new(),
            run,
            under_way: None,
            pause: Pause::Done,
            seen: 0,
            heads: String::new(),
            begun: String::new(),
        })
    }

    /// What the next line is typed for.
    pub fn prompt(&self) -> Prompt {
        match (&self.pause, self.under_way) {
            _ if !self.begun.is_empty() => Prompt::More,
            (Pause::Over, _) => Prompt::Over,
            (_, Some(_)) => Prompt::UnderWay,
            (_, None) => Prompt::Ready,
        }
    }

    /// What the clock on the wall shows, in the office's time zone.
    pub fn wall(&self) -> Zoned {
        self.run.office.wall()
    }

    /// The session as far as it has come.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn opening(&self) -> &Opening {
        &self.opening
    }

    pub(crate) fn run(&self) -> &Run {
        &self.run
    }

    /// Shows how the call begins.
    pub fn begin(&mut self) -> Reply {
        let mut reply = Reply::default();
        if let Some(number) = self.dialplan.taken() {
            let text = format!("{number} has a route; call:go({number:?}) takes it");
            reply.parts.push(Part::Hint(lines(text)));
        }
        self.show_news(&mut reply);
        reply
    }

    /// Takes a line.
    pub fn enter(&mut self, typed: &str) -> Reply {
        let typed = typed.trim_end();
        if self.begun.is_empty() {
            match (typed.trim_start().strip_prefix('.'), typed.trim().is_empty()) {
                (Some(command), _) => {
                    return match Command::parse(command) {
                        Ok(command) => self.command(command, typed.trim()),
                        Err(problem) => Reply::mistake(problem),
                    };
                }
                (None, true) => return self.wait_on(),
                (None, false) => {}
            }
        }
        self.lua(typed)
    }

    /// A line that was begun is forgotten, as after Ctrl-C.
    pub fn forget(&mut self) {
        self.begun.clear();
    }

    fn lua(&mut self, typed: &str) -> Reply {
        let empty = typed.trim().is_empty();
        if self.begun.is_empty() {
            self.begun = typed.trim_start().trim_start_matches('=').to_owned();
        } else {
            self.begun.push('\n');
            self.begun.push_str(typed);
        }
        let kind = match read_typed(&self.begun) {
            // An empty line ends what is not going to be whole.
            Typed::Unfinished if !empty => return Reply::default(),
            Typed::Unfinished => {
                self.begun.clear();
                return Reply::mistake("that was not finished, and is forgotten");
            }
            Typed::Wrong(problem) => {
                self.begun.clear();
                return Reply::mistake(problem);
            }
            Typed::Values => Kind::Expression,
            Typed::Statements => Kind::Statement,
        };
        let text = std::mem::take(&mut self.begun);
        if let Some(entry) = self.under_way.and_then(|entry| self.entries.get(entry)) {
            let first = entry.typed.lines().next().unwrap_or_default();
            return Reply::mistake(format!(
                "`{first}` is still under way; an empty line lets time pass, .undo takes it back"
            ));
        }
        if self.pause == Pause::Over {
            return Reply::mistake("the call is over; .new begins another, .undo takes back");
        }
        self.run_line(text, kind)
    }

    fn run_line(&mut self, text: String, kind: Kind) -> Reply {
        let mut entries = self.entries.clone();
        let present = self.run.present();
        let number = entries.len();
        let what = What::Line(Line { kind, ended_at: None });
        entries.push(Entry { typed: text, at: present, what });
        let mut run = match Run::open(&self.opening, &self.dialplan, &entries) {
            Ok(run) => run,
            Err(Trouble::Scripts(errors)) => {
                return Reply::mistake(self.dialplan.load_errors(&errors).join("\n"));
            }
            Err(Trouble::Call(problem)) => return Reply::mistake(problem),
        };
        let rang = self.run.ringing();
        run.catch_up(&entries, present);
        let pause = run.go_on(number, Push::Fresh, &rang);
        self.arrive(run, entries, Some(number), pause)
    }

    /// Takes a run as it is now, unless the script failed in it.
    fn arrive(
        &mut self,
        mut run: Run,
        mut entries: Vec<Entry>,
        under_way: Option<usize>,
        pause: Pause,
    ) -> Reply {
        if let Some(error) = run.failure() {
            let text = self.dialplan.told(&error.file, error.line, &error_text(error));
            let mut reply = Reply::mistake(text);
            if let Some(entry) = under_way {
                // What came after it has no ground any more.
                reply.parts.extend(self.back_to(entry).parts);
            }
            return reply;
        }
        run.tick();
        let mut reply = Reply::default();
        let mut under_way = under_way;
        self.run = run;
        self.show_news(&mut reply);
        if let Some(number) = under_way
            && let Some(ended) = self.run.done_at(number)
        {
            if let Some(What::Line(line)) = entries.get_mut(number).map(|entry| &mut entry.what) {
                line.ended_at = Some(ended);
            }
            under_way = None;
            if let Some(value) = self.run.values(number) {
                reply.parts.push(Part::Value(format!("= {value}\n")));
            }
        }
        self.entries = entries;
        self.under_way = under_way;
        if pause == Pause::Over && self.pause != Pause::Over {
            let over = "the call is over; .new begins another, .undo takes the last line back\n";
            reply.parts.push(Part::Hint(over.to_owned()));
            self.under_way = None;
        } else if let Some(hint) = hint(&pause).filter(|_| self.under_way.is_some()) {
            reply.parts.push(Part::Hint(lines(hint)));
        }
        self.pause = pause;
        reply
    }

    fn show_news(&mut self, reply: &mut Reply) {
        let part = self.run.ladder_since(self.seen);
        self.seen = self.run.seen();
        if part.lines.is_empty() {
            return;
        }
        let part = LadderPart { lines: self.dialplan.without_our_places(&part.lines), ..part };
        let mut text = String::new();
        if part.heads != self.heads {
            text.push_str(&part.heads);
            self.heads = part.heads;
        }
        text.push_str(&part.lines);
        reply.parts.push(Part::Ladder(text));
    }

    fn command(&mut self, command: Command, typed: &str) -> Reply {
        match command {
            Command::Press(keys) => self.outside(Outside::Caller(Act::Press(keys)), typed),
            Command::Says(length) => self.outside(Outside::Caller(Act::Say(length)), typed),
            Command::Hangup(None) => self.outside(Outside::Caller(Act::Hangup), typed),
            Command::Hangup(Some(who)) => {
                self.outside(Outside::Phone(who, Act::Hangup, Duration::ZERO), typed)
            }
            Command::Answer(who, after) if self.run.rings(&who) => {
                self.outside(Outside::Phone(who, Act::Answer, after), typed)
            }
            Command::Answer(who, after) => {
                self.outside(Outside::Called(who, Called::Answers { after }), typed)
            }
            Command::Refuse(who, code) if self.run.rings(&who) => {
                let act = Act::Reject { code, reason: None };
                self.outside(Outside::Phone(who, act, Duration::ZERO), typed)
            }
            Command::Refuse(who, code) => {
                self.outside(Outside::Called(who, Called::refuses(code)), typed)
            }
            Command::Ring(who) => self.outside(Outside::Called(who, Called::Rings), typed),
            Command::Leave(who) => {
                self.outside(Outside::Phone(who, Act::Unregister, Duration::ZERO), typed)
            }
            Command::Http(stub) => self.outside(Outside::Http(stub), typed),
            Command::Wait(time) => self.wait_for(time, typed),
            Command::Ladder => {
                let part = self.run.ladder_since(0);
                let text = if part.lines.is_empty() {
                    "nothing happened yet\n".to_owned()
                } else {
                    format!("{}{}", part.heads, self.dialplan.without_our_places(&part.lines))
                };
                Reply { parts: vec![Part::Ladder(text)], task: None }
            }
            Command::Undo => self.undo(),
            Command::New => self.begin_anew(),
            Command::Save(file) => {
                let (text, needs_route) = (self.as_test(), self.needs_route());
                Reply::task(Task::Save { file, text, needs_route })
            }
            Command::Help(None) => {
                let width = HELP.iter().map(|(written, _)| written.len()).max().unwrap_or(0);
                let rows =
                    HELP.iter().map(|(written, does)| format!("  {written:<width$}  {does}\n"));
                let rest = "Everything else is Lua: a value is shown, a `local` stays.\n";
                Reply::hint(rows.chain([rest.to_owned()]).collect::<String>())
            }
            Command::Help(Some(name)) => Reply::task(Task::Explain(name)),
            Command::Quit => Reply::task(Task::Quit),
        }
    }

    /// Somebody outside does something now.
    fn outside(&mut self, outside: Outside, typed: &str) -> Reply {
        let mut run = match self.again() {
            Ok(run) => run,
            Err(reply) => return reply,
        };
        let rang = run.ringing();
        if let Err(problem) = run.outside(&outside) {
            return Reply::mistake(problem);
        }
        let time = match &outside {
            Outside::Caller(act) => takes(act),
            Outside::Phone(..) | Outside::Called(..) | Outside::Http(_) => Duration::ZERO,
        };
        let pause = match self.under_way {
            Some(entry) => {
                run.pass(time, Some(entry));
                run.go_on(entry, Push::Fresh, &rang)
            }
            None => run.pass(time, None),
        };
        let mut entries = self.entries.clone();
        let told = from_now_on(&outside);
        let what = What::Outside(outside);
        entries.push(Entry { typed: typed.to_owned(), at: self.run.present(), what });
        let mut reply = self.arrive(run, entries, self.under_way, pause);
        if let Some(told) = told {
            reply.parts.insert(0, Part::Hint(lines(told)));
        }
        reply
    }

    /// An empty line: time passes until something happens.
    fn wait_on(&mut self) -> Reply {
        let Some(entry) = self.under_way else { return Reply::default() };
        let mut run = match self.again() {
            Ok(run) => run,
            Err(reply) => return reply,
        };
        let rang = run.ringing();
        let pause = run.go_on(entry, Push::Again, &rang);
        self.time_passed(run, pause, "")
    }

    fn wait_for(&mut self, time: Duration, typed: &str) -> Reply {
        let mut run = match self.again() {
            Ok(run) => run,
            Err(reply) => return reply,
        };
        let pause = run.pass(time, self.under_way);
        self.time_passed(run, pause, typed)
    }

    fn time_passed(&mut self, run: Run, pause: Pause, typed: &str) -> Reply {
        let mut entries = self.entries.clone();
        let what = What::Time;
        entries.push(Entry { typed: typed.to_owned(), at: self.run.present(), what });
        self.arrive(run, entries, self.under_way, pause)
    }

    /// The call once more, up to the present.
    fn again(&self) -> Result<Run, Reply> {
        let mut run = Run::open(&self.opening, &self.dialplan, &self.entries)
            .map_err(|trouble| Reply::mistake(trouble.to_string()))?;
        run.catch_up(&self.entries, self.run.present());
        Ok(run)
    }

    fn undo(&mut self) -> Reply {
        let Some(last) = self.entries.last() else {
            return Reply::mistake("there is nothing to take back");
        };
        let typed = match last.typed.as_str() {
            "" => "the empty line".to_owned(),
            typed => format!("`{typed}`"),
        };
        let mut reply = Reply::hint(format!("took back {typed}"));
        let keep = self.entries.len() - 1;
        reply.parts.extend(self.back_to(keep).parts);
        reply
    }

    /// Everything from this entry on has not happened.
    fn back_to(&mut self, keep: usize) -> Reply {
        let present = self.entries.get(keep).map_or(self.run.present(), |entry| entry.at);
        self.entries.truncate(keep);
        // A line that was ended by what is taken back is under way again.
        let mut under_way = None;
        for (number, entry) in self.entries.iter_mut().enumerate() {
            if let What::Line(line) = &mut entry.what
                && line.ended_at.is_none_or(|ended| ended >= present)
            {
                line.ended_at = None;
                under_way = Some(number);
            }
        }
        match self.again_at(present) {
            Ok(mut run) => {
                self.seen = run.seen();
                self.pause = run.pass(Duration::ZERO, under_way);
                self.under_way = under_way;
                self.run = run;
                match hint(&self.pause).filter(|_| under_way.is_some()) {
                    Some(hint) => Reply::hint(hint),
                    None => Reply::default(),
                }
            }
            Err(reply) => reply,
        }
    }

    fn again_at(&self, present: Duration) -> Result<Run, Reply> {
        let mut run = Run::open(&self.opening, &self.dialplan, &self.entries)
            .map_err(|trouble| Reply::mistake(trouble.to_string()))?;
        run.catch_up(&self.entries, present);
        Ok(run)
    }

    fn begin_anew(&mut self) -> Reply {
        self.entries.clear();
        self.under_way = None;
        self.heads.clear();
        match self.again_at(Duration::ZERO) {
            Ok(mut run) => {
                run.tick();
                self.run = run;
                self.seen = 0;
                self.pause = Pause::Done;
                self.begin()
            }
            Err(reply) => reply,
        }
    }
}

/// What a phone does with every call, in words.
fn from_now_on(outside: &Outside) -> Option<String> {
    let (who, called) = match outside {
        Outside::Called(who, called) => (who, called),
        Outside::Http(stub) => return Some(stub.words()),
        Outside::Caller(_) | Outside::Phone(..) => return None,
    };
    let does = match called {
        Called::Answers { after } if after.is_zero() => "answers".to_owned(),
        Called::Answers { after } => format!("answers after {} s", after.as_secs_f64()),
        Called::Refuses { code: 486, .. } => "is busy".to_owned(),
        Called::Refuses { code, .. } => format!("refuses with {code}"),
        Called::Rings => "rings until somebody gives up".to_owned(),
        Called::EarlyMedia { .. } | Called::Redirects { .. } | Called::Silent => return None,
    };
    Some(format!("from now on {who} {does}"))
}

/// The error without its place, with the verb that it belongs to.
fn error_text(error: &dialplan::ScriptError) -> String {
    match error.verb {
        Some(verb) => format!("call:{verb}: {}", error.message),
        None => error.message.clone(),
    }
}

fn wall_of(opening: &Opening) -> Zoned {
    opening.wall.to_zoned(opening.config.time_zone.clone())
}
