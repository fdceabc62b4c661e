//! A whole office: the switch, its parties, the network between them, and time.

mod acts;
mod outputs;
mod quiet;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use dialplan::{Kept, LoadError, Sources};
use jiff::{Timestamp, Zoned};
use pbx::{
    AskedId, Command, CommandId, Config, Input, Notice, Peer, Reload, Start, Switch, WebRequest,
    WebResponse, WebTrust,
};
use sip_engine::Flow;

use crate::acoustics::Acoustics;
use crate::outside;
use crate::{
    Happening, Hearing, Nobody, Outside, Party, PartyId, Queue, Shelf, Sounds, Weather, What,
};

/// What an office is made of.
#[derive(Debug)]
pub struct Setup {
    /// What is declared about it: accounts, mailboxes, listeners.
    pub config: Config,
    /// The dialplan.
    pub sources: Sources,
    /// Its prompts.
    pub sounds: Arc<Sounds>,
    /// Any instant: simulated time begins there.
    pub start: Instant,
    /// What the clock on the wall shows then.
    pub wall: Timestamp,
    /// Feeds everything that is random.
    pub seed: u64,
    /// How the network treats messages.
    pub weather: Weather,
    /// What the first office of the same dialplan left: shared by all offices of a run, it spares most
    /// of what loading costs. Each office has a Lua state of its own all the same.
    pub kept: Option<Kept>,
}

/// A whole office on virtual time.
#[derive(Debug)]
pub struct Office {
    switch: Switch,
    acoustics: Acoustics,
    /// In the order in which they were added; an id is a place here.
    parties: Vec<Party>,
    /// Who is where; several targets may share an address.
    places: BTreeMap<SocketAddr, Vec<PartyId>>,
    /// Whose a Call-ID is, where several share an address.
    call_ids: BTreeMap<Bytes, PartyId>,
    shelf: Shelf,
    outside: Box<dyn Outside>,
    /// What other programs were answered.
    responses: BTreeMap<AskedId, WebResponse>,
    last_asked: u64,
    names: BTreeMap<String, Vec<IpAddr>>,
    taken_ports: Vec<u16>,
    queue: Queue<Delivery>,
    weather: Weather,
    seed: u64,
    datagrams: u64,
    commands: u64,
    /// What happened since time moved last.
    at_once: u32,
    rng: fastrand::Rng,
    start: Instant,
    now: Instant,
    wall: Timestamp,
    config: Config,
    happenings: Vec<Happening>,
}

/// Something on its way.
#[derive(Debug)]
enum Delivery {
    ToSwitch(Input),
    ToParty { party: PartyId, bytes: Bytes },
}

impl Office {
    /// Opens an office, without anybody in it but the switch.
    ///
    /// The configuration gets one trusted network more, from which [`Identity::Trusted`] calls.
    ///
    /// # Errors
    /// Every mistake found in the scripts.
    ///
    /// [`Identity::Trusted`]: crate::Identity::Trusted
    pub fn new(setup: Setup) -> Result<Self, Vec<LoadError>> {
        let Setup { mut config, sources, sounds, start, wall, seed, weather, kept } = setup;
        for (network, prefix_bits) in acts::TRUSTED_NETWORKS {
            config.peers.push(Peer { name: "bench".to_owned(), network, prefix_bits });
        }
        let mut rng = fastrand::Rng::with_seed(seed);
        let beginning = Start {
            now: start,
            wall: SystemTime::from(wall),
            seed: rng.u64(..),
            sources,
            prompts: Arc::clone(sounds.prompts()),
            bindings: Vec::new(),
            kept,
        };
        Ok(Self {
            switch: Switch::new(config.clone(), beginning)?,
            acoustics: Acoustics::new(sounds),
            parties: Vec::new(),
            places: BTreeMap::new(),
            call_ids: BTreeMap::new(),
            shelf: Shelf::default(),
            outside: Box::new(Nobody),
            responses: BTreeMap::new(),
            last_asked: 0,
            names: BTreeMap::new(),
            taken_ports: Vec::new(),
            queue: Queue::default(),
            weather,
            seed,
            datagrams: 0,
            commands: 0,
            at_once: 0,
            rng,
            start,
            now: start,
            wall,
            config,
            happenings: Vec::new(),
        })
    }

    /// Another program asks the scripts something now; [`Self::answer_to`] tells what it is answered.
    pub fn ask(&mut self, request: WebRequest, trust: WebTrust) -> AskedId {
        self.last_asked += 1;
        let id = AskedId(self.last_asked);
        self.note(What::Asked(outside::asking_in_words(&request)));
        let source = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), PROGRAM_PORT);
        let asked = Input::Asked { id, request: Box::new(request), trust, source };
        self.switch.handle_input(self.now, asked);
        self.settle();
        id
    }

    /// Whether there is an answer that [`Self::answer_to`] tells.
    pub fn is_answered(&self, id: AskedId) -> bool {
        self.responses.contains_key(&id)
    }

    /// What a program was answered, once.
    pub fn answer_to(&mut self, id: AskedId) -> Option<WebResponse> {
        self.responses.remove(&id)
    }

    /// Has everything that scripts ask of the world outside answered by this, from now on.
    pub fn set_outside(&mut self, outside: Box<dyn Outside>) {
        self.outside = outside;
    }

    /// The sound of a text that is turned into speech: linear 16-bit mono at 8,000 Hz, which parties
    /// hear as [`Heard::Speech`](crate::Heard).
    pub fn speech(&mut self, text: &str) -> Vec<i16> {
        self.acoustics.speech(text)
    }

    /// The present.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The instant at which the office opened.
    pub fn start(&self) -> Instant {
        self.start
    }

    /// How long the office is open.
    pub fn elapsed(&self) -> Duration {
        self.now.saturating_duration_since(self.start)
    }

    /// What the clock on the wall shows, in the office's time zone.
    pub fn wall(&self) -> Zoned {
        let at = self.wall.checked_add(self.elapsed()).unwrap_or(self.wall);
        at.to_zoned(self.config.time_zone.clone())
    }

    /// What the clock on the wall showed when the office opened.
    pub fn wall_at_start(&self) -> Zoned {
        self.wall.to_zoned(self.config.time_zone.clone())
    }

    /// What is declared about the office.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// All parties, in the order in which they came.
    pub fn parties(&self) -> &[Party] {
        &self.parties
    }

    /// A party; `None` if the id is of another office.
    pub fn party(&self, id: PartyId) -> Option<&Party> {
        self.parties.get(id.0)
    }

    /// The first party of this name.
    pub fn find(&self, name: &str) -> Option<PartyId> {
        self.parties.iter().find(|party| party.name() == name).map(Party::id)
    }

    /// How much the network lost, so far, of what a party heard or hears: 20 ms with each packet.
    pub fn missing(&self, party: PartyId, hearing: &Hearing) -> Duration {
        let until = hearing.until.unwrap_or(self.now);
        self.acoustics.missing(party, &hearing.heard, hearing.since, until)
    }

    /// The same of the beginning of something heard, up to so long; it may be still to come.
    pub fn missing_at_first(
        &self,
        party: PartyId,
        hearing: &Hearing,
        length: Duration,
    ) -> Duration {
        let until = hearing.since + length;
        let until = hearing.until.map_or(until, |ended| ended.min(until));
        self.acoustics.missing(party, &hearing.heard, hearing.since, until)
    }

    /// What the store would keep: messages, call records, recordings, bindings.
    pub fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// The same, to be changed: a store that is broken, a message that is there already.
    pub fn shelf_mut(&mut self) -> &mut Shelf {
        &mut self.shelf
    }

    /// What ran of the dialplan; `None` unless `Config::script_watch` asked for it.
    pub fn script_coverage(&self) -> Option<dialplan::Coverage> {
        self.switch.script_coverage()
    }

    /// Everything that happened, in order.
    pub fn happenings(&self) -> &[Happening] {
        &self.happenings
    }

    /// Every SIP message that a party sent or was sent, in the order of sending.
    pub fn messages(&self, party: PartyId) -> impl Iterator<Item = (Instant, &crate::Traffic)> {
        self.happenings.iter().filter_map(move |happening| match &happening.what {
            What::Sip(traffic) if traffic.party == Some(party) => Some((happening.at, traffic)),
            What::Sip(_)
            | What::Hears { .. }
            | What::Presses { .. }
            | What::Says { .. }
            | What::Party { .. }
            | What::Exchange(_)
            | What::Asks(_)
            | What::Gets(_)
            | What::Asked(_)
            | What::Answers(_)
            | What::Resolved { .. } => None,
        })
    }

    /// What the exchange published: lines of scripts, their faults, ends of calls, reloads.
    pub fn notices(&self) -> impl Iterator<Item = (Instant, &Notice)> {
        self.happenings.iter().filter_map(|happening| match &happening.what {
            What::Exchange(notice) => Some((happening.at, notice)),
            What::Sip(_)
            | What::Hears { .. }
            | What::Presses { .. }
            | What::Says { .. }
            | What::Party { .. }
            | What::Asks(_)
            | What::Gets(_)
            | What::Asked(_)
            | What::Answers(_)
            | What::Resolved { .. } => None,
        })
    }

    /// Lets this much time pass.
    pub fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    /// Lets time pass until then; a time that is over changes nothing.
    pub fn run_until(&mut self, until: Instant) {
        self.settle();
        while self.step(until) {}
        self.now = self.now.max(until);
    }

    /// Lets time pass until something is so, but no longer than `limit`; says whether it came to be.
    ///
    /// `is_so` is asked before and after everything that happens.
    pub fn run_until_that(
        &mut self,
        limit: Duration,
        mut is_so: impl FnMut(&Self) -> bool,
    ) -> bool {
        let until = self.now + limit;
        self.settle();
        loop {
            if is_so(self) {
                return true;
            }
            if !self.step(until) {
                self.now = self.now.max(until);
                return is_so(self);
            }
        }
    }

    /// Lets time pass until the clock on the wall shows this; false if that time is over.
    pub fn run_until_wall(&mut self, at: Timestamp) -> bool {
        let ahead = at.duration_since(self.wall);
        let Ok(ahead) = Duration::try_from(ahead) else { return false };
        if ahead < self.elapsed() {
            return false;
        }
        self.run_until(self.start + ahead);
        true
    }

    /// Loads another dialplan into the running switch; says whether it was right. Calls under way
    /// keep theirs.
    ///
    /// # Errors
    /// Every mistake found; then the old dialplan stays.
    #[expect(clippy::wildcard_enum_match_arm, reason = "one kind of news is looked for")]
    pub fn reload(&mut self, sources: Sources, sounds: Arc<Sounds>) -> Result<(), Vec<LoadError>> {
        let prompts = Arc::clone(sounds.prompts());
        self.acoustics.add_sounds(sounds);
        self.commands += 1;
        let id = CommandId(self.commands);
        let reload = Reload { id, sources, prompts, kept: None, config: None };
        self.tell(Input::Command(Command::Reload(Box::new(reload))));
        let failed = self.notices().find_map(|(_, notice)| match notice {
            Notice::ReloadFailed { id: own, mistakes } if *own == id => Some(mistakes.clone()),
            _ => None,
        });
        failed.map_or(Ok(()), Err)
    }

    /// Tells the switch something besides.
    pub fn tell(&mut self, input: Input) {
        self.switch.handle_input(self.now, input);
        self.settle();
    }

    /// The next thing that is due until then happens; false if there is none.
    fn step(&mut self, until: Instant) -> bool {
        let Some(at) = self.next_at().filter(|at| *at <= until) else { return false };
        if at > self.now {
            (self.now, self.at_once) = (at, 0);
        }
        self.at_once += 1;
        if self.at_once > AT_ONCE_MAX {
            // Something goes round and round without time passing: so it has to pass.
            (self.now, self.at_once) = (self.now + Duration::from_millis(1), 0);
        }
        let now = self.now;
        if self.acoustics.poll_timeout().is_some_and(|at| at <= now) {
            self.acoustics.handle_timeout(now);
        } else if let Some(delivery) = self.queue.pop_due(now) {
            self.deliver(delivery);
        } else if self.switch.poll_timeout().is_some_and(|at| at <= now) {
            self.switch.handle_timeout(now);
        } else {
            self.wake_parties(now);
        }
        self.settle();
        true
    }

    fn next_at(&self) -> Option<Instant> {
        let parties = self.parties.iter().filter_map(Party::poll_timeout).min();
        [self.queue.next_at(), self.switch.poll_timeout(), self.acoustics.poll_timeout(), parties]
            .into_iter()
            .flatten()
            .min()
    }

    fn wake_parties(&mut self, now: Instant) {
        for index in 0..self.parties.len() {
            let id = PartyId(index);
            let Some(party) = self.parties.get_mut(index) else { return };
            if party.poll_timeout().is_none_or(|at| at > now) {
                continue;
            }
            party.handle_timeout(now);
            while let Some(plan) = self.parties.get_mut(index).and_then(|p| p.due_plan(now)) {
                // What it planned may not be possible any more: then it is not done.
                drop(self.perform(id, plan.call, &plan.act));
            }
            self.after_party(id);
        }
    }

    fn deliver(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::ToSwitch(input) => {
                if let Some(words) = outside::answer_in_words(&input) {
                    self.note(What::Gets(words));
                }
                self.switch.handle_input(self.now, input);
            }
            Delivery::ToParty { party, bytes } => {
                let now = self.now;
                if let Some(entry) = self.parties.get_mut(party.0) {
                    entry.handle_message(now, bytes);
                }
                self.after_party(party);
            }
        }
    }

    fn note(&mut self, what: What) {
        self.happenings.push(Happening { at: self.now, what });
    }

    /// A path as the other end sees it.
    fn from_other_end(flow: Flow) -> Flow {
        Flow { local: flow.remote, remote: flow.local, ..flow }
    }
}

/// Where programs ask from.
const PROGRAM_PORT: u16 = 49_152;
/// Things that may happen at one moment; then it is made to end.
const AT_ONCE_MAX: u32 = 100_000;
