//! What every party hears, without a single packet of sound.
//!
//! Takes the place of the media engine in an office: it is given the same commands and tells the same
//! events, at the moments at which the engine would, within one frame. A leg of the exchange and the
//! ear of a party find each other by the addresses in their session descriptions, as their packets
//! would. Everything is calculated from one event to the next, so an hour of music costs nothing.

mod ear;
mod leg;
mod player;
mod recorder;
#[cfg(test)]
mod tests;
mod voice;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use media::{Codec, Command, Event, Flag, JobId, LegId, Progress, RecordEnd, RecordLimits};

use crate::heard::Heard;
use crate::loss::{self, Loss};
use crate::{PartyId, Sounds, Way};
pub(crate) use ear::Described;
use ear::Ear;
use leg::{Leg, Route};
use player::Player;
use recorder::{Recorder, Voice};
use voice::Texts;

/// One party's end of the sound of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EarId {
    pub(crate) party: PartyId,
    /// The number of the call among the party's.
    pub(crate) call: usize,
}

/// From now on an ear hears something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) ear: EarId,
    pub(crate) heard: Option<Heard>,
}

/// All sound of an office.
#[derive(Debug)]
pub(crate) struct Acoustics {
    /// Those of every dialplan that was ever in use: calls under way keep theirs.
    sounds: Vec<Arc<Sounds>>,
    texts: Texts,
    legs: BTreeMap<LegId, Leg>,
    ports: BTreeMap<u16, LegId>,
    ears: BTreeMap<EarId, Ear>,
    addresses: BTreeMap<SocketAddr, EarId>,
    losses: BTreeMap<PartyId, Loss>,
    /// The engine's frames start at whole multiples of 5 ms after its first leg.
    grid: Option<Instant>,
    events: VecDeque<Event>,
    changes: VecDeque<Change>,
    wake_at: Option<Instant>,
}

impl Acoustics {
    pub(crate) fn new(sounds: Arc<Sounds>) -> Self {
        Self {
            sounds: vec![sounds],
            texts: Texts::default(),
            legs: BTreeMap::new(),
            ports: BTreeMap::new(),
            ears: BTreeMap::new(),
            addresses: BTreeMap::new(),
            losses: BTreeMap::new(),
            grid: None,
            events: VecDeque::new(),
            changes: VecDeque::new(),
            wake_at: None,
        }
    }

    /// These prompts exist, too, from now on.
    pub(crate) fn add_sounds(&mut self, sounds: Arc<Sounds>) {
        if !self.sounds.iter().any(|own| Arc::ptr_eq(own, &sounds)) {
            self.sounds.push(sounds);
        }
    }

    /// The sound of a text, which whoever hears it knows again.
    pub(crate) fn speech(&mut self, text: &str) -> Vec<i16> {
        self.texts.speech(text)
    }

    /// The next thing to tell the exchange.
    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The next thing that a party hears.
    pub(crate) fn poll_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    /// When [`Self::handle_timeout`] next has work.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.wake_at
    }

    /// Legs that are open.
    pub(crate) fn leg_count(&self) -> usize {
        self.legs.len()
    }

    /// Carries a command of the exchange out. One that names an unknown leg is ignored.
    pub(crate) fn handle_command(&mut self, now: Instant, command: Command) {
        match command {
            Command::Open { leg, ip: _, port } => {
                self.legs.entry(leg).or_insert_with(|| Leg::new(port));
                self.ports.insert(port, leg);
            }
            Command::Configure { leg, stream } => {
                self.grid.get_or_insert(now);
                if let Some(leg) = self.legs.get_mut(&leg) {
                    leg.configure(stream);
                }
            }
            Command::Bridge { a, b } => self.bridge(now, a, b),
            Command::Unbridge { leg } => self.unroute(leg),
            Command::Play { leg, job, playlist } => {
                self.end_play(now, leg, None);
                if let Some(leg) = self.legs.get_mut(&leg) {
                    leg.player = Some(Player::new(job, &playlist, &self.sounds, &self.texts));
                }
            }
            Command::StopPlay { leg, job } => {
                let current = self.legs.get(&leg).and_then(|leg| leg.player.as_ref());
                if current.is_some_and(|player| player.job == job) {
                    self.end_play(now, leg, None);
                }
            }
            Command::Record { leg, job, limits } => self.record(now, leg, job, limits),
            Command::StopRecord { leg, job } => {
                let current = self.legs.get(&leg).and_then(|leg| leg.recorder.as_ref());
                if current.is_some_and(|recorder| recorder.job() == job) {
                    self.end_record(now, leg);
                }
            }
            Command::Echo { leg } => {
                self.unroute(leg);
                self.end_play(now, leg, None);
                if let Some(leg) = self.legs.get_mut(&leg) {
                    leg.route = Route::Echo;
                }
            }
            Command::SendDigits { leg, digits } => {
                let start = self.next_on_grid(now);
                if let Some(leg) = self.legs.get_mut(&leg) {
                    leg.send_digits(start, &digits);
                }
            }
            // A silence that is sent is nothing to hear.
            Command::KeepAlive { .. } => {}
            Command::Close { leg } => self.close(now, leg),
        }
        self.refresh(now);
    }

    /// From its next call on, so much of a party's sound gets lost.
    pub(crate) fn set_loss(&mut self, party: PartyId, loss: Loss) {
        self.losses.insert(party, loss);
    }

    /// How much is lost, between two moments, of what a party hears.
    pub(crate) fn missing(
        &self,
        listener: PartyId,
        heard: &Heard,
        from: Instant,
        until: Instant,
    ) -> Duration {
        let way = |party: PartyId, way: Way| Some((*self.losses.get(&party)?, way));
        let speaker = match heard {
            Heard::Party(speaker) => Some(*speaker),
            Heard::Itself => Some(listener),
            Heard::Prompt(_)
            | Heard::Tone(_)
            | Heard::Recording(_)
            | Heard::Speech(_)
            | Heard::Key(_) => None,
            // There is nothing to lose.
            Heard::Silence | Heard::Ringing => return Duration::ZERO,
        };
        let said = speaker.and_then(|speaker| way(speaker, Way::ToExchange));
        let ways: Vec<_> = said.into_iter().chain(way(listener, Way::FromExchange)).collect();
        loss::missing(&ways, from, until)
    }

    /// A party's end of a call, at this address, which nobody has described yet.
    pub(crate) fn open_ear(&mut self, ear: EarId, address: SocketAddr) {
        let loss = self.losses.get(&ear.party).copied();
        self.ears.insert(ear, Ear::new(address, loss));
        self.addresses.insert(address, ear);
    }

    /// What this end and the exchange agreed on.
    pub(crate) fn describe_ear(&mut self, now: Instant, ear: EarId, described: Option<Described>) {
        if let Some(ear) = self.ears.get_mut(&ear) {
            ear.described = described;
        }
        self.refresh(now);
    }

    /// The party is gone from this call, or from the world.
    pub(crate) fn close_ear(&mut self, now: Instant, id: EarId) {
        if let Some(ear) = self.ears.get_mut(&id) {
            ear.close(now);
            self.addresses.remove(&ear.address);
        }
        self.refresh(now);
    }

    /// The party is cut off, or there again.
    pub(crate) fn set_present(&mut self, now: Instant, party: PartyId, present: bool) {
        for (_, ear) in self.ears.iter_mut().filter(|(id, _)| id.party == party) {
            ear.present = present;
        }
        self.refresh(now);
    }

    /// Presses keys one after the other; gives back when the last is up.
    pub(crate) fn press(&mut self, now: Instant, ear: EarId, keys: &str) -> Instant {
        let until = self.ears.get_mut(&ear).map_or(now, |ear| ear.press(now, keys));
        self.refresh(now);
        until
    }

    /// Speaks for so long, after what is being said already; gives back from when to when.
    pub(crate) fn say(&mut self, now: Instant, ear: EarId, length: Duration) -> (Instant, Instant) {
        let said = self.ears.get_mut(&ear).map_or((now, now), |ear| ear.say(now, length));
        self.refresh(now);
        said
    }

    /// Stops speaking.
    pub(crate) fn hush(&mut self, now: Instant, ear: EarId) {
        if let Some(ear) = self.ears.get_mut(&ear) {
            ear.hush(now);
        }
        self.refresh(now);
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let ids: Vec<LegId> = self.legs.keys().copied().collect();
        for id in ids {
            let over = self.legs.get(&id).and_then(Leg::playback_ends_at);
            if over.is_some_and(|at| at <= now) {
                self.end_play(now, id, None);
            }
            self.record_on(now, id);
        }
        let ids: Vec<EarId> = self.ears.keys().copied().collect();
        for id in ids {
            while let Some(pressed) = self.ears.get_mut(&id).and_then(|ear| ear.due_key(now)) {
                self.pressed(now, id, pressed);
            }
        }
        self.refresh(now);
    }

    /// A key goes down, or was recognised by its tones.
    fn pressed(&mut self, now: Instant, ear: EarId, key: ear::Pressed) {
        let Some(id) = self.leg_hearing(ear) else { return };
        let Some(leg) = self.legs.get(&id) else { return };
        let takes_events =
            leg.stream.as_ref().is_some_and(|stream| stream.receive_dtmf_payload_type.is_some());
        match key {
            ear::Pressed::Event(digit) if takes_events => self.digit(now, id, digit),
            ear::Pressed::Tones(digit) if !takes_events && leg.route == Route::Nothing => {
                self.digit(now, id, digit);
            }
            ear::Pressed::Event(_) | ear::Pressed::Tones(_) => {}
        }
    }

    fn digit(&mut self, now: Instant, id: LegId, digit: char) {
        self.events.push_back(Event::Digit { leg: id, digit });
        let player = self.legs.get(&id).and_then(|leg| leg.player.as_ref());
        if player.is_some_and(|player| player.barge == Flag::On) {
            self.end_play(now, id, Some(digit));
        }
        let voices = self.voices(now, id);
        if let Some(leg) = self.legs.get_mut(&id)
            && let Some(recorder) = &mut leg.recorder
            && recorder.handle_digit(now, digit, &voices, &mut self.events) == Progress::Ended
        {
            leg.recorder = None;
        }
    }

    fn bridge(&mut self, now: Instant, a: LegId, b: LegId) {
        if a == b || !self.legs.contains_key(&a) || !self.legs.contains_key(&b) {
            return;
        }
        self.unroute(a);
        self.unroute(b);
        for (own, far) in [(a, b), (b, a)] {
            self.end_play(now, own, None);
            if let Some(leg) = self.legs.get_mut(&own) {
                leg.route = Route::Bridge(far);
            }
        }
    }

    fn unroute(&mut self, id: LegId) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if let Route::Bridge(peer) = std::mem::replace(&mut leg.route, Route::Nothing)
            && let Some(peer) = self.legs.get_mut(&peer)
        {
            peer.route = Route::Nothing;
        }
    }

    fn end_play(&mut self, now: Instant, id: LegId, digit: Option<char>) {
        if let Some(leg) = self.legs.get_mut(&id)
            && let Some(player) = leg.player.take()
        {
            let heard = player.heard_for(now);
            self.events.push_back(Event::PlayEnded { leg: id, job: player.job, digit, heard });
        }
    }

    fn record(&mut self, now: Instant, id: LegId, job: JobId, limits: RecordLimits) {
        self.end_record(now, id);
        if let Some(leg) = self.legs.get_mut(&id) {
            let mut recorder = Recorder::new(now, id, job, limits);
            recorder.set_open(now, leg.hears);
            leg.recorder = Some(recorder);
        }
    }

    fn record_on(&mut self, now: Instant, id: LegId) {
        let recorder = self.legs.get(&id).and_then(|leg| leg.recorder.as_ref());
        if recorder.and_then(Recorder::poll_timeout).is_none_or(|at| at > now) {
            return;
        }
        let voices = self.voices(now, id);
        if let Some(leg) = self.legs.get_mut(&id)
            && let Some(recorder) = &mut leg.recorder
            && recorder.handle_timeout(now, &voices, &mut self.events) == Progress::Ended
        {
            leg.recorder = None;
        }
    }

    fn end_record(&mut self, now: Instant, id: LegId) {
        let voices = self.voices(now, id);
        if let Some(leg) = self.legs.get_mut(&id)
            && let Some(mut recorder) = leg.recorder.take()
        {
            recorder.stop(now, RecordEnd::Stopped, &voices, &mut self.events);
        }
    }

    /// What was said to a leg since its recording began.
    fn voices(&self, now: Instant, id: LegId) -> Vec<Voice> {
        let Some(leg) = self.legs.get(&id) else { return Vec::new() };
        let (Some(recorder), Some(ear)) = (&leg.recorder, self.ear_of(leg)) else {
            return Vec::new();
        };
        let level = voice::level(ear.0.party);
        let spoken = ear.1.spoken().into_iter();
        let arrived = spoken.flat_map(|(from, until)| match &ear.1.loss {
            Some(loss) => loss.arriving(from.max(recorder.settled_at()), until.min(now)),
            None => vec![(from, until)],
        });
        arrived.flat_map(|(from, until)| recorder.voice(now, from, until, level)).collect()
    }

    fn close(&mut self, now: Instant, id: LegId) {
        self.unroute(id);
        self.end_play(now, id, None);
        self.end_record(now, id);
        if let Some(leg) = self.legs.remove(&id) {
            if self.ports.get(&leg.port) == Some(&id) {
                self.ports.remove(&leg.port);
            }
            self.events.push_back(Event::Closed {
                leg: id,
                packets_received: 0,
                packets_sent: 0,
                packets_refused: 0,
            });
        }
    }

    /// The ear that a leg was told of.
    fn ear_of(&self, leg: &Leg) -> Option<(EarId, &Ear)> {
        let id = self.addresses.get(&leg.described?)?;
        Some((*id, self.ears.get(id)?))
    }

    /// The leg that hears what is said into this ear.
    fn leg_hearing(&self, ear: EarId) -> Option<LegId> {
        let port = self.ears.get(&ear)?.described.as_ref()?.remote?.port();
        let id = *self.ports.get(&port)?;
        self.legs.get(&id).filter(|leg| leg.hears).map(|_| id)
    }

    /// Brings everything to where it follows from: who hears whom, what begins, when to wake.
    fn refresh(&mut self, now: Instant) {
        self.refresh_legs(now);
        let mut wake_at: Option<Instant> = None;
        let mut soonest = |at: Option<Instant>| {
            if let Some(at) = at.map(|at| at.max(now)) {
                wake_at = Some(wake_at.map_or(at, |other| other.min(at)));
            }
        };
        for leg in self.legs.values() {
            leg.wakes(now).into_iter().for_each(&mut soonest);
        }
        for ear in self.ears.values() {
            soonest(ear.wake_at(now));
        }
        self.wake_at = wake_at;
        let heard: Vec<(EarId, Option<Heard>, Option<Instant>)> = self
            .ears
            .iter()
            .map(|(id, ear)| {
                let heard = self.heard_by(now, *id, ear);
                let since = heard.as_ref().and_then(|_| self.played_since(now, ear));
                (*id, heard, since)
            })
            .filter(|(id, heard, since)| {
                self.ears
                    .get(id)
                    .is_some_and(|ear| ear.heard != *heard || ear.heard_since != *since)
            })
            .collect();
        for (id, heard, since) in heard {
            if let Some(ear) = self.ears.get_mut(&id) {
                ear.heard.clone_from(&heard);
                ear.heard_since = since;
                self.changes.push_back(Change { ear: id, heard });
            }
        }
    }

    fn refresh_legs(&mut self, now: Instant) {
        let start = self.next_on_grid(now);
        let hears: Vec<(LegId, Option<SocketAddr>)> = self
            .legs
            .iter()
            .map(|(id, leg)| {
                let ear = self.ear_of(leg).map(|(_, ear)| ear);
                (*id, ear.filter(|ear| ear.reaches(leg)).map(|ear| ear.address))
            })
            .collect();
        for (id, from) in hears {
            let Some(leg) = self.legs.get_mut(&id) else { continue };
            leg.hears = from.is_some();
            if let Some(recorder) = &mut leg.recorder {
                recorder.set_open(now, from.is_some());
            }
            if let Some(from) = from
                && leg.latched != Some(from)
            {
                leg.latched = Some(from);
                self.events.push_back(Event::Latched { leg: id, from });
            }
            leg.begin_playing(start);
        }
    }

    /// What comes out of this ear.
    fn heard_by(&self, now: Instant, id: EarId, ear: &Ear) -> Option<Heard> {
        let described = ear.described.as_ref().filter(|described| described.receives)?;
        let leg = self.legs.get(self.ports.get(&described.remote?.port())?)?;
        let stream = leg.stream.as_ref()?;
        let is_sent =
            stream.sending == Flag::On && stream.remote == Some(ear.address) && ear.present;
        if !is_sent {
            return None;
        }
        if let Some(key) = leg.key_sent(now) {
            return Some(Heard::Key(key));
        }
        if leg.sends_keys(now) {
            return None;
        }
        if let Some(player) = &leg.player {
            return player.heard(now).filter(|_| speaks(stream.codec)).cloned();
        }
        match leg.route {
            Route::Nothing => None,
            Route::Echo if leg.hears => match ear.key_down(now) {
                Some(key) => Some(Heard::Key(key)),
                None => Some(Heard::Itself),
            },
            Route::Echo => None,
            Route::Bridge(peer) => {
                let peer = self.legs.get(&peer).filter(|peer| peer.hears)?;
                let (far, far_ear) = self.ear_of(peer)?;
                debug_assert!(far != id, "a leg is never bridged to itself");
                if let Some(key) = far_ear.key_down(now) {
                    return Some(Heard::Key(key));
                }
                let codec = peer.stream.as_ref().map(|stream| stream.codec)?;
                let fits = codec == stream.codec || (speaks(codec) && speaks(stream.codec));
                fits.then_some(Heard::Party(far.party))
            }
        }
    }

    /// Since when an ear hears what is played to it, if anything is.
    fn played_since(&self, now: Instant, ear: &Ear) -> Option<Instant> {
        let leg = self.legs.get(self.ports.get(&ear.described.as_ref()?.remote?.port())?)?;
        let player = leg.player.as_ref().filter(|_| leg.key_sent(now).is_none())?;
        player.heard_since(now)
    }

    /// The first moment of the grid that is not before `now`.
    fn next_on_grid(&self, now: Instant) -> Instant {
        let Some(grid) = self.grid else { return now };
        let beyond = now.saturating_duration_since(grid).as_nanos() % GRID.as_nanos();
        match u64::try_from(beyond) {
            Ok(beyond) if beyond > 0 => now + GRID.saturating_sub(Duration::from_nanos(beyond)),
            Ok(_) | Err(_) => now,
        }
    }
}

/// Whether the engine can play and convert this.
fn speaks(codec: Codec) -> bool {
    match codec {
        Codec::Pcmu | Codec::Pcma => true,
        Codec::Opaque { .. } => false,
    }
}

/// How long so many samples last at 8,000 Hz.
fn samples_to_time(samples: u64) -> Duration {
    Duration::from_micros(samples.saturating_mul(125))
}

/// How many whole samples at 8,000 Hz fit into a time.
fn time_to_samples(time: Duration) -> u64 {
    u64::try_from(time.as_micros() / 125).unwrap_or(u64::MAX)
}

/// Playing starts at multiples of this.
const GRID: Duration = Duration::from_millis(5);
