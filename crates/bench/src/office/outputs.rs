//! What switch, acoustics and parties want done.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use media::Sound;
use pbx::{Input, Output};
use sip_engine::Flow;
use sip_syntax::Message;

use super::{Delivery, Office};
use crate::acoustics::{Change, EarId};
use crate::outside;
use crate::party::News;
use crate::{CallState, Direction, Heard, Hearing, PartyId, Traffic, Way, What};

impl Office {
    /// Carries out everything that is wanted now.
    pub(super) fn settle(&mut self) {
        loop {
            let mut idle = true;
            while let Some(output) = self.switch.poll_output() {
                idle = false;
                self.carry_out(output);
            }
            while let Some(event) = self.acoustics.poll_event() {
                idle = false;
                self.switch.handle_input(self.now, Input::Media(event));
            }
            if idle {
                break;
            }
        }
        while let Some(change) = self.acoustics.poll_change() {
            self.hear(change);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Transmit { flow, bytes } => self.transmit(flow, bytes),
            Output::Resolve { ticket, host, port, .. } => {
                let found = self.names.get(&host).map(Vec::as_slice).unwrap_or_default();
                let addresses: Vec<SocketAddr> =
                    found.iter().map(|ip| SocketAddr::new(*ip, port)).collect();
                self.note(What::Resolved { host, addresses: addresses.clone() });
                let answer = Input::Resolved { ticket, addresses };
                self.queue.push(self.now, Delivery::ToSwitch(answer));
            }
            Output::Media { command, .. } => self.command_media(command),
            Output::Store(request) => {
                if let Some((ticket, reply)) = self.shelf.handle(request) {
                    let answer = Input::Stored { ticket, reply };
                    self.queue.push(self.now, Delivery::ToSwitch(answer));
                }
            }
            Output::Fetch { ticket, request } => {
                self.note(What::Asks(outside::request_in_words(&request)));
                if let Some((after, answer)) = self.outside.fetch(&request) {
                    let answer = Delivery::ToSwitch(Input::Fetched { ticket, answer });
                    self.queue.push(self.now + after, answer);
                }
            }
            Output::Query { ticket, query } => {
                self.note(What::Asks(outside::query_in_words(&query)));
                let (answer, took) = (self.outside.query(&query), Duration::ZERO);
                let answer = Delivery::ToSwitch(Input::Queried { ticket, answer, took });
                self.queue.push(self.now, answer);
            }
            Output::Speak { ticket, request } => {
                self.note(What::Asks(outside::speech_in_words(&request)));
                if let Some((after, answer)) = self.outside.speak(&request) {
                    let speech = &request.speech;
                    let spoken =
                        |()| Arc::new(Sound::from_pcm(self.acoustics.speech(&speech.text)));
                    let answer = answer.map(spoken);
                    let answer = Delivery::ToSwitch(Input::Spoken { ticket, answer });
                    self.queue.push(self.now + after, answer);
                }
            }
            // The switch does not mind a reply that comes all the same.
            Output::Abandon { .. } => {}
            Output::Respond { id, response } => {
                self.note(What::Answers(outside::response_in_words(&response)));
                self.responses.insert(id, *response);
            }
            Output::Publish(notice) => self.note(What::Exchange(notice)),
        }
    }

    fn command_media(&mut self, command: media::Command) {
        if let media::Command::Open { leg, port, .. } = &command
            && self.taken_ports.contains(port)
        {
            let why = "in use".to_owned();
            let failed = media::Event::OpenFailed { leg: *leg, why };
            self.queue.push(self.now, Delivery::ToSwitch(Input::Media(failed)));
            return;
        }
        self.acoustics.handle_command(self.now, command);
    }

    /// The switch sends a message.
    fn transmit(&mut self, flow: Flow, bytes: Bytes) {
        let party = self.party_at(flow.remote, &bytes);
        let arrives = self.fates(party, flow);
        for at in &arrives {
            if let Some(party) = party {
                let bytes = bytes.clone();
                self.queue.push(*at, Delivery::ToParty { party, bytes });
            }
        }
        let arrives = if party.is_some() { arrives } else { Vec::new() };
        let (address, way) = (flow.remote, Way::FromExchange);
        self.note(What::Sip(Traffic { party, address, way, arrives, bytes }));
    }

    /// Who is meant at an address: the only one there, or the one whose call or number it is.
    fn party_at(&self, address: SocketAddr, bytes: &Bytes) -> Option<PartyId> {
        let there = self.places.get(&address)?;
        if let [only] = there.as_slice() {
            return Some(*only);
        }
        let message = Message::parse(bytes.clone()).ok()?;
        if let Some(known) = self.call_ids.get(message.headers().call_id()) {
            return Some(*known);
        }
        let user = match &message {
            Message::Request(request) => request.uri().ok().and_then(|uri| uri.user()),
            Message::Response(_) => None,
        };
        let is_called = |id: &&PartyId| self.user_of(**id).as_deref() == user.as_deref();
        there
            .iter()
            .find(is_called)
            .or_else(|| {
                there.iter().find(|id| self.user_of(**id).as_deref().is_none_or(str::is_empty))
            })
            .copied()
    }

    fn user_of(&self, id: PartyId) -> Option<String> {
        self.party(id).map(|party| party.user().to_owned())
    }

    /// When the copies of a message arrive.
    fn fates(&mut self, party: Option<PartyId>, flow: Flow) -> Vec<std::time::Instant> {
        let number = self.datagrams;
        self.datagrams += 1;
        let own = party.and_then(|id| self.parties.get(id.0)).and_then(|p| p.weather.clone());
        let weather = own.as_ref().unwrap_or(&self.weather);
        let fates = weather.fates(&mut self.rng, number, flow.transport);
        fates.into_iter().map(|delay| self.now + delay).collect()
    }

    /// How long messages to and from a party take at least.
    pub(crate) fn usual_delay(&self, party: Option<PartyId>) -> Duration {
        let own = party.and_then(|id| self.party(id)).and_then(|party| party.weather.as_ref());
        own.unwrap_or(&self.weather).delay
    }

    /// Sends what a party has to send, and notes what came of it.
    pub(super) fn after_party(&mut self, id: PartyId) {
        while let Some(news) = self.parties.get_mut(id.0).and_then(|party| party.take_news()) {
            self.hear_news(id, news);
        }
        while let Some(bytes) = self.parties.get_mut(id.0).and_then(|party| party.take_message()) {
            let Some(flow) = self.party(id).map(|party| party.flow()) else { return };
            if self.places.get(&flow.local).is_some_and(|there| there.len() > 1)
                && let Ok(message) = Message::parse(bytes.clone())
            {
                let call_id = Bytes::copy_from_slice(message.headers().call_id());
                self.call_ids.insert(call_id, id);
            }
            let arrives = self.fates(Some(id), flow);
            for at in &arrives {
                let input = Input::Sip { flow: Self::from_other_end(flow), bytes: bytes.clone() };
                self.queue.push(*at, Delivery::ToSwitch(input));
            }
            let (address, way) = (flow.local, Way::ToExchange);
            self.note(What::Sip(Traffic { party: Some(id), address, way, arrives, bytes }));
        }
    }

    fn hear_news(&mut self, party: PartyId, news: News) {
        let now = self.now;
        match news {
            News::Opened { call, address } => {
                self.acoustics.open_ear(EarId { party, call }, address);
            }
            News::Described { call, described } => {
                self.acoustics.describe_ear(now, EarId { party, call }, described);
            }
            News::Closed { call } => self.acoustics.close_ear(now, EarId { party, call }),
            News::Changed => {}
        }
        while let Some(change) = self.acoustics.poll_change() {
            self.hear(change);
        }
        self.hear_ringing(party);
    }

    /// An ear hears something else from now on.
    fn hear(&mut self, change: Change) {
        let party = change.ear.party;
        let current = self.parties.get(party.0).and_then(current_call);
        // What a call on hold plays is not heard while another one is in front.
        if current.is_some_and(|call| call != change.ear.call) && change.heard.is_some() {
            return;
        }
        self.set_heard(party, change.heard);
        self.hear_ringing(party);
    }

    /// A phone rings by itself for its owner once the other end does, unless that sends sound.
    fn hear_ringing(&mut self, id: PartyId) {
        let Some(party) = self.parties.get(id.0) else { return };
        let rings = party.call().is_some_and(|call| {
            call.direction() == Direction::Made
                && call.state() == CallState::Calling
                && call.sound().is_none()
                && call.provisionals().iter().any(|reply| reply.status == 180)
        });
        let hears = party.hears().map(|hearing| &hearing.heard);
        match (rings, hears) {
            (true, None) => self.set_heard(id, Some(Heard::Ringing)),
            (false, Some(Heard::Ringing)) => self.set_heard(id, None),
            (true, Some(_)) | (false, _) => {}
        }
    }

    fn set_heard(&mut self, id: PartyId, heard: Option<Heard>) {
        let now = self.now;
        let Some(party) = self.parties.get_mut(id.0) else { return };
        // A prompt that follows itself is heard twice; silence is not.
        if heard.is_none() && party.hears().is_none() {
            return;
        }
        if let Some(last) = party.hearings.last_mut() {
            last.until.get_or_insert(now);
        }
        if let Some(heard) = &heard {
            let heard = heard.clone();
            party.hearings.push(Hearing { heard, since: now, until: None });
        }
        self.note(What::Hears { party: id, heard });
    }

    /// How long it takes until nothing is on its way any more, at most.
    pub(super) const SETTLING: Duration = Duration::from_secs(200);
}

/// The call whose sound a party hears.
fn current_call(party: &crate::Party) -> Option<usize> {
    let calls = party.calls();
    (0..calls.len()).rev().find(|index| calls.get(*index).is_some_and(|call| !call.is_over()))
}
