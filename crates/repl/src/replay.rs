//! One run of the whole call, from its beginning up to the present.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bench::{
    Act, Behaviour, Call, CallState, Happening, Heard, Identity, LadderPart, Office, PartyId,
    Phone, Setup, Weather, What as Happened,
};
use dialplan::{Asked, LoadError};
use pbx::{Command, CommandId, Input, Notice};

use crate::entry::{Entry, Outside, What};
use crate::session::Opening;
use crate::source::{Dialplan, MARK, Mark};
use crate::web::{Web, everywhere};

/// An office in which the call has come up to some moment.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) office: Office,
    pub(crate) caller: PartyId,
    web: Web,
    begun: Instant,
    looks: u64,
}

/// Why time stands still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pause {
    /// The entry has run.
    Done,
    /// The call is over.
    Over,
    /// This phone rings.
    Rings(String),
    /// The caller speaks with somebody, whose phone is this account's.
    Talks(String),
    /// The script waits for something that somebody has to do.
    Waits(Asked),
    /// So much time has passed, and it still goes on.
    Long,
}

/// Why time goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Push {
    /// Something was entered.
    Fresh,
    /// It was said that it shall, although somebody has to do something.
    Again,
}

/// Why there is no call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The scripts cannot be loaded.
    Scripts(Vec<LoadError>),
    /// Nobody can call, for this reason.
    Call(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scripts(errors) => {
                let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
                f.write_str(&told.join("\n"))
            }
            Self::Call(problem) => f.write_str(problem),
        }
    }
}

impl std::error::Error for Trouble {}

impl Run {
    /// Opens an office and lets the call begin.
    ///
    /// # Errors
    /// What is wrong with the scripts, or why nobody can call.
    pub(crate) fn open(
        opening: &Opening,
        dialplan: &Dialplan,
        entries: &[Entry],
    ) -> Result<Self, Trouble> {
        let mut config = opening.config.clone();
        config.http_allow.extend(everywhere());
        let setup = Setup {
            config,
            sources: dialplan.sources(entries),
            sounds: Arc::clone(&opening.sounds),
            start: opening.start,
            wall: opening.wall,
            seed: opening.seed,
            weather: Weather::calm(),
            kept: None,
        };
        let mut office = Office::new(setup).map_err(Trouble::Scripts)?;
        for account in opening.config.accounts.keys().take(PHONES_MAX) {
            // An account without a phone is called in vain, which is no mistake.
            drop(office.add_phone(Phone::new(account)));
        }
        let web = Web::default();
        office.set_outside(Box::new(web.clone()));
        let begun = office.now();
        let call = Call::new(&opening.from, &dialplan.number);
        let identity = match opening.config.accounts.contains_key(&opening.from) {
            true => Identity::Account(opening.from.clone()),
            false => Identity::Trusted,
        };
        let caller = office.call(call.by(identity));
        let caller = caller.map_err(|error| Trouble::Call(error.to_string()))?;
        Ok(Self { office, caller, web, begun, looks: 0 })
    }

    /// Lets everything happen again that was entered until now, and time pass up to `present`.
    pub(crate) fn catch_up(&mut self, entries: &[Entry], present: Duration) {
        for entry in entries {
            if let What::Outside(outside) = &entry.what {
                self.office.run_until(self.begun + entry.at);
                // It was possible the first time.
                drop(self.outside(outside));
            }
        }
        self.office.run_until(self.begun + present);
    }

    /// Since the call began.
    pub(crate) fn present(&self) -> Duration {
        self.since(self.office.now())
    }

    /// An instant, since the call began.
    pub(crate) fn since(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.begun)
    }

    /// Ends what was entered: the next begins a moment later, so that each has an instant of its own.
    pub(crate) fn tick(&mut self) {
        self.office.run_for(TICK);
    }

    /// Somebody outside does something.
    ///
    /// # Errors
    /// Why it cannot.
    pub(crate) fn outside(&mut self, outside: &Outside) -> Result<(), String> {
        let done = match outside {
            Outside::Caller(act) => self.office.act(self.caller, act.clone()),
            Outside::Phone(account, act, after) => {
                let Some(phone) = self.phone(account) else {
                    return Err(format!("there is no phone of {account}"));
                };
                if after.is_zero() {
                    self.office.act(phone, act.clone())
                } else {
                    self.office.act_after(phone, *after, act.clone())
                }
            }
            Outside::Called(account, called) => {
                let Some(phone) = self.phone(account) else {
                    return Err(format!("there is no phone of {account}"));
                };
                let behaviour = Behaviour { called: called.clone(), ..Behaviour::default() };
                self.office.set_behaviour(phone, behaviour)
            }
            Outside::Http(stub) => {
                self.web.add(stub.clone());
                return Ok(());
            }
        };
        done.map_err(|error| error.to_string())
    }

    fn phone(&self, account: &str) -> Option<PartyId> {
        let phones = self.office.parties().iter().filter(|party| party.is_account());
        phones.filter(|party| party.user() == account).map(bench::Party::id).next()
    }

    /// Whether the phone of this account rings.
    pub(crate) fn rings(&self, account: &str) -> bool {
        let party = self.phone(account).and_then(|phone| self.office.party(phone));
        let calls = party.map(bench::Party::calls).unwrap_or_default();
        calls.iter().any(|call| call.state() == CallState::Ringing)
    }

    /// All phones that ring.
    pub(crate) fn ringing(&self) -> Vec<String> {
        let users = self.office.parties().iter().filter(|party| party.is_account());
        users.map(|party| party.user().to_owned()).filter(|user| self.rings(user)).collect()
    }

    /// Lets so much time pass.
    pub(crate) fn pass(&mut self, time: Duration, entry: Option<usize>) -> Pause {
        self.office.run_for(time);
        if let Some(pause) = self.ended(entry) {
            return pause;
        }
        match (entry, self.waits()) {
            (Some(_), Some(asked)) => self.standing(asked),
            (Some(_), None) | (None, _) => Pause::Done,
        }
    }

    /// What is waited for, as seen from outside.
    fn standing(&self, asked: Asked) -> Pause {
        if let Some(who) = self.ringing().into_iter().next() {
            return Pause::Rings(who);
        }
        let caller = self.office.party(self.caller);
        match caller.and_then(|caller| caller.hears()).map(|hearing| &hearing.heard) {
            Some(Heard::Party(other)) => {
                let other = self.office.party(*other).map(|other| other.user().to_owned());
                Pause::Talks(other.unwrap_or_default())
            }
            Some(_) | None => Pause::Waits(asked),
        }
    }

    /// Lets time pass until the entry has run, or somebody has to do something.
    ///
    /// `rang` are the phones that rang before.
    pub(crate) fn go_on(&mut self, entry: usize, push: Push, rang: &[String]) -> Pause {
        let began = self.office.now();
        let mut nudged = push == Push::Again;
        loop {
            if let Some(pause) = self.ended(Some(entry)) {
                return pause;
            }
            let known = self.office.happenings().len();
            let news =
                self.office.run_until_that(QUIET, |office| office.happenings().len() > known);
            if let Some(who) = self.ringing().into_iter().find(|who| !rang.contains(who)) {
                self.office.run_for(Duration::ZERO);
                return self.ended(Some(entry)).unwrap_or(Pause::Rings(who));
            }
            nudged &= !news;
            let passed = self.office.now().saturating_duration_since(began);
            match self.waits() {
                // Nobody has to do anything but wait.
                Some(asked) if is_time(&asked) && passed < SLEEP_MAX => {}
                Some(_) if passed > LONG => return Pause::Long,
                Some(asked) if !news && !nudged && !self.is_told() => return self.standing(asked),
                Some(_) | None => {}
            }
        }
    }

    /// Whether the entry has run, or the call is over.
    fn ended(&self, entry: Option<usize>) -> Option<Pause> {
        if self.is_over() {
            return Some(Pause::Over);
        }
        entry.and_then(|entry| self.done_at(entry)).map(|_| Pause::Done)
    }

    /// Whether the caller's call is over.
    pub(crate) fn is_over(&self) -> bool {
        let caller = self.office.party(self.caller);
        let call = caller.and_then(|caller| caller.calls().first());
        call.is_none_or(|call| call.state() == CallState::Over)
    }

    /// Whether the caller hears something that ends by itself.
    fn is_told(&self) -> bool {
        let caller = self.office.party(self.caller);
        let heard = caller.and_then(|caller| caller.hears()).map(|hearing| &hearing.heard);
        match heard {
            Some(Heard::Tone(name)) => &**name != "ringback",
            Some(
                Heard::Prompt(_)
                | Heard::Silence
                | Heard::Recording(_)
                | Heard::Speech(_)
                | Heard::Key(_),
            ) => true,
            Some(Heard::Party(_) | Heard::Itself | Heard::Ringing) | None => false,
        }
    }

    /// What the script of the call waits for.
    fn waits(&mut self) -> Option<Asked> {
        self.looks += 1;
        let id = CommandId(u64::MAX - self.looks);
        self.office.tell(Input::Command(Command::Look { id, calls_max: 1 }));
        let snapshot = self.office.notices().find_map(|(_, notice)| {
            if let Notice::Snapshot { id: own, snapshot } = notice
                && *own == id
            {
                return Some(snapshot);
            }
            None
        });
        let mut asks = snapshot?.calls.first()?.waits_for.clone();
        let first = asks.iter().position(|asked| !is_time(asked)).unwrap_or(0);
        (first < asks.len()).then(|| asks.swap_remove(first))
    }

    /// When an entry had run, since the call began.
    pub(crate) fn done_at(&self, entry: usize) -> Option<Duration> {
        let done = |happening: &&Happening| mark(happening) == Some(Mark::Done(entry));
        let happening = self.office.happenings().iter().find(done)?;
        Some(happening.at.saturating_duration_since(self.begun))
    }

    /// What an entry gave.
    pub(crate) fn values(&self, entry: usize) -> Option<String> {
        self.office.happenings().iter().find_map(|happening| match mark(happening) {
            Some(Mark::Value(own, text)) if own == entry => Some(text),
            Some(Mark::Value(..) | Mark::Done(_)) | None => None,
        })
    }

    /// Why the script could not go on.
    pub(crate) fn failure(&self) -> Option<&dialplan::ScriptError> {
        self.office.notices().find_map(|(_, notice)| {
            if let Notice::ScriptFailed(failure) = notice { Some(&failure.error) } else { None }
        })
    }

    /// How many happenings were there that anybody else would see, too.
    pub(crate) fn seen(&self) -> usize {
        self.office.happenings().iter().filter(|happening| is_seen(happening)).count()
    }

    /// The ladder since so many were [`seen`](Self::seen).
    pub(crate) fn ladder_since(&self, seen: usize) -> LadderPart {
        let mut left = seen;
        let since = self.office.happenings().iter().position(|happening| {
            if left == 0 {
                return is_seen(happening);
            }
            left -= usize::from(is_seen(happening));
            false
        });
        let since = since.unwrap_or(self.office.happenings().len());
        self.office.ladder_since(since, |happening| is_seen(happening) && mark(happening).is_none())
    }
}

/// Whether it is a matter of time alone.
fn is_time(asked: &Asked) -> bool {
    matches!(asked.function, "sleep" | "within")
}

/// Our own looks leave traces that the next run does not have.
fn is_seen(happening: &Happening) -> bool {
    !matches!(&happening.what, Happened::Exchange(Notice::Snapshot { .. }))
}

fn mark(happening: &Happening) -> Option<Mark> {
    match &happening.what {
        Happened::Exchange(Notice::Script { text, .. }) if text.starts_with(MARK) => {
            Mark::read(text)
        }
        Happened::Exchange(_)
        | Happened::Sip(_)
        | Happened::Hears { .. }
        | Happened::Presses { .. }
        | Happened::Asks(_)
        | Happened::Gets(_)
        | Happened::Says { .. }
        | Happened::Party { .. }
        | Happened::Asked(_)
        | Happened::Answers(_)
        | Happened::Resolved { .. } => None,
    }
}

/// How long somebody is busy with something.
pub(crate) fn takes(act: &Act) -> Duration {
    match act {
        Act::Press(keys) => KEY_TAKES * u32::try_from(keys.chars().count()).unwrap_or(u32::MAX),
        Act::Say(length) => *length,
        Act::Ring
        | Act::Progress
        | Act::Answer
        | Act::Reject { .. }
        | Act::Redirect { .. }
        | Act::Hush
        | Act::Hold
        | Act::Resume
        | Act::Hangup
        | Act::Transfer { .. }
        | Act::Join { .. }
        | Act::Send { .. }
        | Act::Register
        | Act::Unregister
        | Act::Vanish
        | Act::Return => Duration::ZERO,
    }
}

/// Too short to be seen.
const TICK: Duration = Duration::from_micros(1);
/// A key sounds a tenth of a second, and there is as much between two.
const KEY_TAKES: Duration = Duration::from_millis(200);
/// Nothing happens for so long: whoever is waited for has to do something.
const QUIET: Duration = Duration::from_secs(1);
/// A line that takes longer is left to go on when it is told to.
const LONG: Duration = Duration::from_secs(120);
/// A script that only sleeps is waited for longer.
const SLEEP_MAX: Duration = Duration::from_secs(24 * 3_600);
/// Accounts that have a phone.
const PHONES_MAX: usize = 100;
