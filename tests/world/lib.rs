//! The simulated world: a whole switch, scripted phones and a network with delay, loss, repeats and
//! reordering from a seed, all on simulated time.
//!
//! A test tells phones what to do and when, in the notation of a ladder, and compares everything that
//! happened with the whole ladder. Nothing here opens a socket, sleeps or starts a thread.

#![allow(
    clippy::wildcard_enum_match_arm,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::missing_panics_doc
)]

mod by_hand;
mod ladder;
mod outside;
mod phone;
mod sound;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bench::Queue;
pub use bench::{Shelf, Weather};
use bytes::Bytes;
use dialplan::Sources;
use media::{Engine, LegId, PlayItem, Sound};
use pbx::records::{BindingRecord, StoreReply, StoreRequest, Ticket};
use pbx::{
    Account, Allowed, Command, CommandId, Config, Input, Limits, Listener, MailboxConfig, Notice,
    Output, Peer, Prompts, Reload, ScriptFailure, Snapshot, Speech, Start, Switch, Synthesiser,
};
use sip_engine::{Flow, Transport};

pub use by_hand::{ByHand, answer_to};
use ladder::Step;
pub use outside::{DatabaseAlone, Programs};
pub use phone::Phone;

/// A whole office: the switch, its phones, and the network between them.
pub struct World {
    switch: Switch,
    config: Config,
    sources: Sources,
    engine: Engine,
    /// The phones, in the order in which they were added.
    pub phones: Vec<Phone>,
    /// What a store would keep.
    pub shelf: Shelf,
    /// Other programs and the scripts' database.
    pub outside: Programs,
    /// What scripts logged and were told, with level and line.
    pub script_lines: Vec<String>,
    /// Why scripts could not go on.
    pub failures: Vec<String>,
    /// Addresses of host names.
    pub names: BTreeMap<String, Vec<SocketAddr>>,
    /// Media ports that another program holds.
    pub taken_ports: BTreeSet<u16>,
    /// How long the store takes to reply.
    pub store_takes: Duration,
    queue: Queue<Delivery>,
    weather: Weather,
    rng: fastrand::Rng,
    /// When the world began; the clock on the wall shows [`WALL`] then.
    birth: Instant,
    start: Instant,
    now: Instant,
    legs: BTreeMap<u16, LegId>,
    ports: BTreeMap<LegId, SocketAddr>,
    prompts: Arc<Prompts>,
    /// Messages to addresses where no phone is.
    astray: BTreeMap<SocketAddr, Vec<Bytes>>,
    sound_astray: BTreeMap<SocketAddr, usize>,
    overheard: Vec<Bytes>,
    /// Everything that happened, a line each.
    pub log: Vec<String>,
    datagrams: u64,
    script_log: Vec<String>,
}

/// Something on its way.
enum Delivery {
    ToSwitch(Input),
    SipToPhone { phone: usize, flow: Flow, bytes: Bytes },
    SoundToSwitch { leg: LegId, from: SocketAddr, packet: Vec<u8> },
    SoundToPhone { phone: usize, from: SocketAddr, packet: Vec<u8> },
    PhoneTick { phone: usize },
}

/// What a world is made of.
pub struct Plan {
    /// The dialplan, as `main.lua`.
    pub script: String,
    /// Extensions, each with the secret `secret-USER`.
    pub extensions: Vec<String>,
    /// Names of prompts; each sounds as a tone of its own.
    pub prompts: Vec<String>,
    /// The network's habits.
    pub weather: Weather,
    /// Feeds everything that is random.
    pub seed: u64,
    /// Bounds.
    pub limits: Limits,
    /// Networks whose calls are let in without digest.
    pub peers: Vec<Peer>,
    /// What scripts may reach over HTTP.
    pub http_allow: Vec<String>,
    /// What speaks texts; nothing of it is ever started.
    pub speech: Option<Arc<Synthesiser>>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            script: PHONES.to_owned(),
            extensions: ["101", "102", "103"].map(str::to_owned).to_vec(),
            prompts: Vec::new(),
            weather: Weather::calm(),
            seed: 1,
            limits: Limits::default(),
            peers: Vec::new(),
            http_allow: Vec::new(),
            speech: None,
        }
    }
}

/// The simplest dialplan: extensions ring each other.
pub const PHONES: &str = r#"
route("1XX", function(call)
  call:dial("ext/" .. call.to.user, { timeout = 20 })
end)
"#;

impl World {
    /// An office with this plan, and no phones yet.
    pub fn new(plan: Plan) -> Self {
        let start = Instant::now();
        let prompts = Arc::new(tones_for(&plan.prompts));
        let account = |user: &String| {
            let account = Account {
                user: user.clone(),
                secret: format!("secret-{user}"),
                name: String::new(),
                mailbox: Some(user.clone()),
            };
            (user.clone(), account)
        };
        let mailbox = |user: &String| {
            let mailbox = MailboxConfig {
                pin: "4711".to_owned(),
                messages_max: 5,
                message_max: Duration::from_secs(60),
            };
            (user.clone(), mailbox)
        };
        let config = Config {
            domain: "office.test".to_owned(),
            listeners: vec![
                Listener { transport: Transport::Udp, address: SWITCH },
                Listener { transport: Transport::Tcp, address: SWITCH },
            ],
            external_ip: None,
            rtp_port_first: 20_000,
            rtp_port_last: 20_999,
            media_threads: 1,
            nat: true,
            accounts: plan.extensions.iter().map(account).collect(),
            peers: plan.peers,
            mailboxes: Arc::new(plan.extensions.iter().map(mailbox).collect()),
            language: "en".to_owned(),
            apology: Some("main/sorry".to_owned()),
            time_zone: jiff::tz::TimeZone::UTC,
            limits: plan.limits,
            http_allow: plan.http_allow.iter().map(|it| Allowed::parse(it).unwrap()).collect(),
            speech: plan.speech,
            script_limits: dialplan::Limits::default(),
            script_watch: dialplan::Watch::Nothing,
            digest: vec![sip_engine::Algorithm::Sha256, sip_engine::Algorithm::Md5],
        };
        let sources = Sources { files: BTreeMap::from([("main.lua".to_owned(), plan.script)]) };
        let beginning = Start {
            now: start,
            wall: SystemTime::UNIX_EPOCH + WALL,
            seed: plan.seed,
            sources: sources.clone(),
            prompts: prompts.clone(),
            bindings: Vec::new(),
            kept: None,
        };
        Self {
            switch: switched_on(&config, beginning),
            config,
            sources,
            engine: Engine::new(plan.seed),
            phones: Vec::new(),
            shelf: Shelf::default(),
            outside: Programs::default(),
            script_lines: Vec::new(),
            failures: Vec::new(),
            names: BTreeMap::new(),
            taken_ports: BTreeSet::new(),
            store_takes: Duration::from_millis(1),
            queue: Queue::default(),
            weather: plan.weather,
            rng: fastrand::Rng::with_seed(plan.seed),
            birth: start,
            start,
            now: start,
            legs: BTreeMap::new(),
            ports: BTreeMap::new(),
            prompts,
            astray: BTreeMap::new(),
            sound_astray: BTreeMap::new(),
            overheard: Vec::new(),
            log: Vec::new(),
            datagrams: 0,
            script_log: Vec::new(),
        }
    }

    /// Adds a phone with an account, and its own tone.
    pub fn phone(&mut self, name: &str, user: &str) -> usize {
        let index = self.phones.len();
        let host = u8::try_from(index + 2).unwrap();
        let ip = IpAddr::V4(Ipv4Addr::new(10, 0, 0, host));
        self.phones.push(Phone::new(name, user, ip, index, SWITCH));
        index
    }

    /// Puts a phone behind a router: its packets come from `outside`, its sound from another port
    /// than it believes, and what it describes is an address that nobody else knows.
    pub fn put_behind_nat(&mut self, who: &str, outside: IpAddr) {
        let index = self.index(who);
        let phone = &mut self.phones[index];
        phone.inside = Some(SocketAddr::new([192, 168, 1, 5].into(), phone.sound.port()));
        phone.sip.set_ip(outside);
        phone.sound = SocketAddr::new(outside, 62_000);
    }

    /// Registers every phone, and forgets that it happened.
    pub fn register_all(&mut self) {
        for index in 0..self.phones.len() {
            let now = self.now;
            self.phones[index].register(now);
            self.after_phone(index);
        }
        self.run_for(Duration::from_secs(40));
        assert!(self.phones.iter().all(|phone| phone.registered), "{}", self.log.join("\n"));
        self.log.clear();
        self.start = self.now;
    }

    /// Plays the phones' own lines (`->`) of a ladder at their times, answers its questions (`hears`),
    /// and compares everything that happened with the whole ladder.
    #[track_caller]
    pub fn check(&mut self, ladder: &str) {
        let wanted = ladder::tidy(ladder);
        for line in &wanted {
            let (at, step) = ladder::parse(line);
            self.run_until(self.start + Duration::from_millis(at));
            match step {
                Step::Do { who, what } => self.act(&who, &what),
                Step::Ask { who } => {
                    let heard = self.heard_by(&who);
                    self.note(&format!("{who} hears {heard}"));
                }
                Step::End => self.note("end"),
                Step::Expect => {}
            }
        }
        self.run_for(Duration::from_millis(1));
        let happened = ladder::in_order(&self.log);
        let wanted = ladder::in_order(&wanted);
        assert!(
            happened == wanted,
            "\n--- wanted\n{}\n--- happened\n{}\n",
            wanted.join("\n"),
            happened.join("\n")
        );
    }

    /// A phone does something: `INVITE 102`, `180`, `200`, `486`, `CANCEL`, `BYE`, `HOLD`, `RESUME`,
    /// `PRESS 12`, `REGISTER`, `TALK`, `HUSH`.
    pub fn act(&mut self, who: &str, what: &str) {
        let index = self.index(who);
        self.note(&format!("{who} -> {what}"));
        self.phones[index].act(self.now, what);
        self.after_phone(index);
    }

    /// The phone of this name.
    pub fn named(&self, who: &str) -> &Phone {
        &self.phones[self.index(who)]
    }

    fn index(&self, who: &str) -> usize {
        self.phones.iter().position(|phone| phone.name == who).expect("a phone of that name")
    }

    /// Who or what a phone heard in the last 200 ms: names of phones and prompts, or `nothing`.
    pub fn heard_by(&self, who: &str) -> String {
        let phone = &self.phones[self.index(who)];
        let fresh = |at: Instant| self.now < at + Duration::from_millis(100);
        if !phone.heard_at.is_some_and(fresh) {
            return "nothing".to_owned();
        }
        let heard = &phone.heard;
        let recent = &heard[heard.len().saturating_sub(1_600)..];
        let mut names: Vec<String> = Vec::new();
        for phone in &self.phones {
            if sound::has_tone(recent, phone.tone_hz) {
                names.push(phone.name.clone());
            }
        }
        for (index, name) in self.prompts.names().iter().enumerate() {
            if sound::has_tone(recent, prompt_tone_hz(index)) {
                names.push(name.clone());
            }
        }
        for (text, tone_hz) in &self.outside.tones {
            if sound::has_tone(recent, *tone_hz) {
                names.push(format!("\"{text}\""));
            }
        }
        if sound::has_tone(recent, 440.0) && sound::has_tone(recent, 480.0) {
            names.push("ringback".to_owned());
        }
        if names.is_empty() { "nothing".to_owned() } else { names.join(" ") }
    }

    /// What is declared about the office.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What scripts logged so far, and what went wrong in parts of them.
    pub fn logged(&self) -> &[String] {
        &self.script_log
    }

    /// The exchange stops.
    pub fn stop(&mut self) {
        self.tell(Input::Command(Command::Stop));
    }

    /// Lets this much time pass.
    pub fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    /// Lets time pass until then.
    pub fn run_until(&mut self, until: Instant) {
        loop {
            self.drain();
            let next = self.next_at();
            let Some(at) = next.filter(|at| *at <= until) else { break };
            self.now = self.now.max(at);
            self.turn();
        }
        self.now = self.now.max(until);
    }

    fn next_at(&self) -> Option<Instant> {
        let phones = self.phones.iter().filter_map(Phone::poll_timeout).min();
        [self.queue.next_at(), self.switch.poll_timeout(), self.engine.poll_timeout(), phones]
            .into_iter()
            .flatten()
            .min()
    }

    /// Everything that is due now.
    fn turn(&mut self) {
        let now = self.now;
        if self.switch.poll_timeout().is_some_and(|at| at <= now) {
            self.switch.handle_timeout(now);
        }
        if self.engine.poll_timeout().is_some_and(|at| at <= now) {
            self.engine.handle_timeout(now);
        }
        for index in 0..self.phones.len() {
            if self.phones[index].poll_timeout().is_some_and(|at| at <= now) {
                self.phones[index].handle_timeout(now);
                self.after_phone(index);
            }
        }
        self.drain();
        while let Some(delivery) = self.queue.pop_due(now) {
            self.deliver(delivery);
            self.drain();
        }
    }

    fn deliver(&mut self, delivery: Delivery) {
        let now = self.now;
        match delivery {
            Delivery::ToSwitch(input) => self.switch.handle_input(now, input),
            Delivery::SipToPhone { phone, flow, bytes } => {
                self.phones[phone].handle_sip(now, flow, bytes);
                self.after_phone(phone);
            }
            Delivery::SoundToSwitch { leg, from, packet } => {
                self.engine.handle_packet(now, leg, from, &packet);
            }
            Delivery::SoundToPhone { phone, from, packet } => {
                self.phones[phone].handle_sound(now, from, &packet);
            }
            Delivery::PhoneTick { phone } => {
                self.phones[phone].tick();
                self.after_phone(phone);
            }
        }
    }

    /// Carries out what switch and media engine want.
    fn drain(&mut self) {
        loop {
            let mut idle = true;
            while let Some(output) = self.switch.poll_output() {
                idle = false;
                self.carry_out(output);
            }
            while let Some(packet) = self.engine.poll_packet() {
                idle = false;
                let (leg, to, bytes) = (packet.leg, packet.to, packet.bytes.to_vec());
                self.send_sound(leg, to, bytes);
            }
            while let Some(event) = self.engine.poll_event() {
                idle = false;
                self.switch.handle_input(self.now, Input::Media(event));
            }
            if idle {
                return;
            }
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Transmit { flow, bytes } => {
                let Some(phone) = self.phones.iter().position(|p| p.sip == flow.remote) else {
                    self.astray.entry(flow.remote).or_default().push(bytes);
                    return;
                };
                let theirs = Flow { local: flow.remote, remote: flow.local, ..flow };
                self.post(
                    flow.transport,
                    |bytes| Delivery::SipToPhone { phone, flow: theirs, bytes },
                    bytes,
                );
            }
            Output::Resolve { ticket, host, port, .. } => {
                let found = self.names.get(&host).cloned().unwrap_or_default();
                let addresses = found.iter().map(|a| SocketAddr::new(a.ip(), port)).collect();
                self.later(1, Delivery::ToSwitch(Input::Resolved { ticket, addresses }));
            }
            Output::Media { command, .. } => self.command_media(command),
            Output::Store(request) => self.store(request),
            Output::Fetch { ticket, request } => {
                self.note(&format!("asks {}", self.outside.show(&request)));
                if let Some((after, answer)) = self.outside.fetch(ticket, &request) {
                    self.later(after, Delivery::ToSwitch(Input::Fetched { ticket, answer }));
                }
            }
            Output::Query { ticket, query } => {
                let (after, answer, took) = self.outside.query(&query);
                let reply = Input::Queried { ticket, answer, took };
                self.later(after, Delivery::ToSwitch(reply));
            }
            Output::Speak { ticket, request } => {
                let Speech { text, language, voice } = &request.speech;
                let voice = voice.as_ref().map_or(String::new(), |voice| format!(" by {voice}"));
                self.note(&format!("speaks {language}{voice} \"{text}\""));
                if let Some((after, answer)) = self.outside.spoken(ticket, &request) {
                    self.later(after, Delivery::ToSwitch(Input::Spoken { ticket, answer }));
                }
            }
            Output::Respond { id, response } => {
                let body = String::from_utf8_lossy(&response.body);
                self.note(&format!("answers {} {} {}", id.0, response.status, body.trim_end()));
            }
            Output::Abandon { ticket } => {
                self.note(&format!("gives up {}", self.outside.abandoned(ticket)));
            }
            Output::Publish(notice) => {
                notice.write_to_log();
                match notice {
                    Notice::Script { text, level, line, .. } => {
                        let level = format!("{level:?}").to_lowercase();
                        self.script_lines.push(format!("{level} {line}: {text}"));
                        self.script_log.push(text);
                    }
                    Notice::ScriptFailed(failure) if !failure.part.is_empty() => {
                        let ScriptFailure { part, error, .. } = *failure;
                        self.script_log.push(format!("{part}: {error}"));
                    }
                    Notice::ScriptFailed(failure) => self.failures.push(failure.error.to_string()),
                    Notice::ScriptStrained(_)
                    | Notice::ScriptUndecided { .. }
                    | Notice::CallOver(_) => {}
                    Notice::Reloaded { routes, .. } => {
                        self.note(&format!("notice Reloaded {{ routes: {routes} }}"));
                    }
                    Notice::ReloadFailed { mistakes, .. } => {
                        let mistakes: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
                        self.note(&format!("notice ReloadFailed {mistakes:?}"));
                    }
                    notice => self.note(&format!("notice {notice:?}")),
                }
            }
        }
    }

    fn command_media(&mut self, command: media::Command) {
        match &command {
            media::Command::Open { leg, port, .. } if self.taken_ports.contains(port) => {
                let why = "in use".to_owned();
                let failed = media::Event::OpenFailed { leg: *leg, why };
                return self.later(0, Delivery::ToSwitch(Input::Media(failed)));
            }
            media::Command::Open { leg, ip, port } => {
                self.legs.insert(*port, *leg);
                self.ports.insert(*leg, SocketAddr::new(*ip, *port));
            }
            media::Command::Close { leg } => {
                if let Some(address) = self.ports.remove(leg) {
                    self.legs.remove(&address.port());
                }
            }
            media::Command::Play { playlist, .. } => {
                let names: Vec<String> =
                    playlist.items.iter().map(|item| self.name_of(item)).collect();
                self.note(&format!("plays {}", names.join(" ")));
            }
            _ => {}
        }
        self.engine.handle_command(self.now, command);
    }

    fn name_of(&self, item: &PlayItem) -> String {
        match item {
            PlayItem::Sound(sound) => self
                .prompts
                .names()
                .into_iter()
                .find(|name| self.prompts.find(name).is_some_and(|own| Arc::ptr_eq(own, sound)))
                .or_else(|| self.outside.text_of(sound))
                .unwrap_or_else(|| "recording".to_owned()),
            PlayItem::Tone(tone) => format!("tone:{}", tone.frequencies_hz[0]),
            PlayItem::Silence(length) => format!("silence:{}", length.as_millis()),
        }
    }

    fn store(&mut self, request: StoreRequest) {
        if let StoreRequest::Call(record) = &request {
            let answered = match record.answered_after {
                Some(after) => {
                    format!("answered {} ms", (record.ended_after - after).as_millis())
                }
                None => format!("refused {}", record.status),
            };
            self.note(&format!("record {} {} {answered}", record.from, record.to));
        }
        let reply: Option<(Ticket, StoreReply)> = self.shelf.handle(request);
        if let Some((ticket, reply)) = reply {
            let reply = Delivery::ToSwitch(Input::Stored { ticket, reply });
            self.queue.push(self.now + self.store_takes, reply);
        }
    }

    fn send_sound(&mut self, leg: LegId, to: SocketAddr, packet: Vec<u8>) {
        let Some(from) = self.ports.get(&leg).copied() else { return };
        if let Some(phone) = self.phones.iter().position(|phone| phone.sound == to) {
            self.queue.push(self.now, Delivery::SoundToPhone { phone, from, packet });
        } else {
            *self.sound_astray.entry(to).or_default() += 1;
        }
    }

    /// Sends what a phone has to send, and notes what it noticed.
    fn after_phone(&mut self, index: usize) {
        for line in self.phones[index].take_notes() {
            self.note(&line);
        }
        for (flow, bytes) in self.phones[index].take_messages() {
            let ours = Flow { local: flow.remote, remote: flow.local, ..flow };
            self.overheard.push(bytes.clone());
            self.post(
                flow.transport,
                |bytes| Delivery::ToSwitch(Input::Sip { flow: ours, bytes }),
                bytes,
            );
        }
        for (to, packet) in self.phones[index].take_sound() {
            let from = self.phones[index].sound;
            if let Some(leg) = self.legs.get(&to.port()).copied() {
                self.queue.push(self.now, Delivery::SoundToSwitch { leg, from, packet });
            }
        }
        if let Some(at) = self.phones[index].wants_tick(self.now) {
            self.queue.push(at, Delivery::PhoneTick { phone: index });
        }
    }

    /// Puts a SIP message on the network, which may lose, repeat or delay it.
    fn post(&mut self, transport: Transport, delivery: impl Fn(Bytes) -> Delivery, bytes: Bytes) {
        let number = self.datagrams;
        self.datagrams += 1;
        let fates = self.weather.fates(&mut self.rng, number, transport);
        for delay in fates {
            self.queue.push(self.now + delay, delivery(bytes.clone()));
        }
    }

    fn later(&mut self, ms: u64, delivery: Delivery) {
        self.queue.push(self.now + Duration::from_millis(ms), delivery);
    }

    fn note(&mut self, line: &str) {
        let ms = self.now.saturating_duration_since(self.start).as_millis();
        self.log.push(format!("{ms} {line}"));
    }

    /// SIP messages sent so far, lost ones included.
    pub fn datagrams(&self) -> u64 {
        self.datagrams
    }

    /// Loads another dialplan, and no prompts, into the running switch.
    pub fn reload(&mut self, script: &str) {
        let sources =
            Sources { files: BTreeMap::from([("main.lua".to_owned(), script.to_owned())]) };
        let prompts = Arc::new(Prompts::default());
        let id = CommandId(0);
        let reload = Box::new(Reload { id, sources, prompts, kept: None, config: None });
        self.tell(Input::Command(Command::Reload(reload)));
    }

    /// From now on, this prompt sounds for so long.
    pub fn prompt_lasts(&mut self, name: &str, length: Duration) {
        let names = self.prompts.names();
        let index = names.iter().position(|known| known == name).expect("a prompt of that name");
        let sounds = names.into_iter().map(|own| {
            let sound = self.prompts.find(&own).expect("a known name").clone();
            (own, sound)
        });
        let mut sounds: BTreeMap<String, Arc<Sound>> = sounds.collect();
        let samples = usize::try_from(length.as_millis()).unwrap() * 8;
        let pcm = sound::tone(prompt_tone_hz(index), samples);
        sounds.insert(name.to_owned(), Arc::new(Sound::from_pcm(pcm)));
        self.prompts = Arc::new(Prompts::new(sounds));
        self.redeclare(|_| {});
        self.log.clear();
    }

    /// Loads the dialplan again with what is declared by now, after `change`.
    pub fn redeclare(&mut self, change: impl FnOnce(&mut Config)) {
        change(&mut self.config);
        let (id, prompts) = (CommandId(0), self.prompts.clone());
        let config = Some(Box::new(self.config.clone()));
        let reload = Reload { id, sources: self.sources.clone(), prompts, kept: None, config };
        self.tell(Input::Command(Command::Reload(Box::new(reload))));
    }

    /// How things stand.
    pub fn snapshot(&self) -> Snapshot {
        self.switch.snapshot(self.now, usize::MAX)
    }

    /// Another switch in the place of this one, which remembers nothing but what is on the shelf.
    pub fn restart(&mut self) {
        let bindings: Vec<BindingRecord> = self.shelf.bindings.values().cloned().collect();
        let beginning = Start {
            now: self.now,
            wall: SystemTime::UNIX_EPOCH + WALL + self.now.duration_since(self.birth),
            seed: self.rng.u64(..),
            sources: self.sources.clone(),
            prompts: self.prompts.clone(),
            bindings,
            kept: None,
        };
        self.switch = switched_on(&self.config, beginning);
    }

    /// The connection of a phone breaks.
    pub fn break_connection(&mut self, who: &str) {
        let phone = self.named(who);
        let flow = Flow { transport: phone.transport, local: SWITCH, remote: phone.sip };
        self.tell(Input::FlowClosed { flow });
    }

    /// A message from an address where no phone is. Line ends are bare.
    pub fn deliver_by_hand(&mut self, from: SocketAddr, message: &str) {
        let message = message.replace('\n', "\r\n");
        let flow = Flow { transport: Transport::Udp, local: SWITCH, remote: from };
        self.tell(Input::Sip { flow, bytes: Bytes::from(message) });
    }

    /// What was sent to an address where no phone is, since last asked.
    pub fn astray(&mut self, to: SocketAddr) -> Vec<String> {
        let messages = self.astray.remove(&to).unwrap_or_default();
        messages.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }

    /// Somebody at `from` sends a second of a tone to where this phone sends its sound. Gives back the
    /// tone.
    pub fn intrude(&mut self, who: &str, from: SocketAddr) -> f32 {
        let tone_hz = 3_500.0;
        let to = self.named(who).sends_to().expect("a call with sound");
        let leg = self.legs[&to.port()];
        for n in 0..50_u16 {
            let pcm = sound::tone(tone_hz, 160);
            let mut packet = vec![0x80, 0, 0, n as u8, 0, 0];
            packet.extend((n * 160).to_be_bytes());
            packet.extend([9, 9, 9, 9]);
            packet.extend(pcm.iter().map(|&sample| sound::mu_encode(sample)));
            self.queue.push(self.now, Delivery::SoundToSwitch { leg, from, packet });
            self.run_for(Duration::from_millis(20));
        }
        tone_hz
    }

    /// Whether this tone is in what a phone heard in the last 200 ms.
    pub fn hears_tone(&self, who: &str, tone_hz: f32) -> bool {
        let heard = &self.named(who).heard;
        sound::has_tone(&heard[heard.len().saturating_sub(1_600)..], tone_hz)
    }

    /// Packets of sound sent to an address where no phone is.
    pub fn sound_astray(&self, to: SocketAddr) -> usize {
        self.sound_astray.get(&to).copied().unwrap_or_default()
    }

    /// Every message that phones sent the switch since last asked.
    pub fn overheard(&mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.overheard)
    }

    /// Transactions of the switch.
    pub fn transaction_count(&self) -> usize {
        self.switch.transaction_count()
    }

    /// Calls under way.
    pub fn call_count(&self) -> usize {
        self.switch.call_count()
    }

    /// From now on, loses exactly the `n`th message sent.
    pub fn lose_nth(&mut self, n: u64) {
        self.datagrams = 0;
        self.weather = Weather::losing(n);
    }

    /// From now on the network behaves like this.
    pub fn set_weather(&mut self, weather: Weather) {
        self.weather = weather;
    }

    /// Tells the switch something besides.
    pub fn tell(&mut self, input: Input) {
        self.switch.handle_input(self.now, input);
        self.drain();
    }

    /// After this much time nothing may be left over in the switch: no session, transaction, port,
    /// question or draft.
    #[track_caller]
    pub fn assert_the_switch_is_quiet(&mut self) {
        self.run_for(Duration::from_secs(200));
        assert!(
            self.switch.is_idle(),
            "{} calls and {} transactions are left over:\n{}",
            self.switch.call_count(),
            self.switch.transaction_count(),
            self.log.join("\n")
        );
        assert_eq!(self.engine.leg_count(), 0, "a leg is left over:\n{}", self.log.join("\n"));
        assert_eq!(self.shelf.draft_count(), 0, "a draft is left over:\n{}", self.log.join("\n"));
    }

    /// The same, and no phone may be left in a call.
    #[track_caller]
    pub fn assert_all_is_quiet(&mut self) {
        self.assert_the_switch_is_quiet();
        let busy: BTreeSet<&str> = self
            .phones
            .iter()
            .filter(|phone| phone.is_in_call())
            .map(|phone| phone.name.as_str())
            .collect();
        assert!(busy.is_empty(), "{busy:?} still in a call:\n{}", self.log.join("\n"));
    }
}

fn switched_on(config: &Config, start: Start) -> Switch {
    match Switch::new(config.clone(), start) {
        Ok(switch) => switch,
        Err(errors) => panic!("the script does not load: {errors:?}"),
    }
}

/// Whether a tone is in this sound.
pub fn has_tone(pcm: &[i16], tone_hz: f32) -> bool {
    sound::has_tone(pcm, tone_hz)
}

/// What the clock on the wall shows when a world begins, after 1970.
const WALL: Duration = Duration::from_secs(1_800_000_000);
/// Where the switch is.
pub const SWITCH: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 5060);

/// Each prompt is half a second of a tone of its own.
fn tones_for(names: &[String]) -> Prompts {
    let mut sorted = names.to_vec();
    sorted.sort();
    let tone = |(index, name): (usize, &String)| {
        let pcm = sound::tone(prompt_tone_hz(index), 4_000);
        (name.clone(), Arc::new(Sound::from_pcm(pcm)))
    };
    Prompts::new(sorted.iter().enumerate().map(tone).collect())
}

/// Multiples of 5 Hz, apart from the phones' own tones.
fn prompt_tone_hz(index: usize) -> f32 {
    2_010.0 + 10.0 * (index % 150) as f32
}
