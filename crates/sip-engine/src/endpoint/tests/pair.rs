//! Two endpoints, and a network that loses each datagram in turn: whatever is lost, the call comes
//! about and ends, and nothing is left over.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip_syntax::StatusCode;

use crate::stage::address;
use crate::{
    Body, EndCause, Endpoint, EndpointConfig, Event, Flow, Invite, Output, Reply, SessionId,
    Transport,
};

#[test]
fn a_call_survives_the_loss_of_any_one_datagram() {
    let sent = Network::new(Loss::Nothing).run(hang_up_by_caller);
    assert_eq!(sent, 7, "INVITE 100 180 200 ACK BYE 200");
    for nth in 0..sent {
        Network::new(Loss::Nth(nth)).run(hang_up_by_caller);
        Network::new(Loss::Nth(nth)).run(hang_up_by_callee);
    }
}

#[test]
fn a_call_survives_the_loss_of_any_two_datagrams() {
    for first in 0..8 {
        for second in first + 1..12 {
            Network::new(Loss::Two(first, second)).run(hang_up_by_caller);
        }
    }
}

#[test]
fn holding_survives_the_loss_of_any_one_datagram() {
    for nth in 0..14 {
        Network::new(Loss::Nth(nth)).run(hold);
    }
}

/// Every copy arrives twice.
#[test]
fn a_call_survives_repeats() {
    Network::new(Loss::Twice).run(hang_up_by_caller);
    Network::new(Loss::Twice).run(hold);
}

#[derive(Clone, Copy)]
enum Loss {
    Nothing,
    Nth(usize),
    Two(usize, usize),
    Twice,
}

/// What the users do when something happens; `who` is 0 for the caller.
type Users = fn(&mut Network, who: usize, event: &Event);

struct Network {
    ends: [Endpoint; 2],
    now: Instant,
    loss: Loss,
    sent: usize,
    /// By arrival and number.
    under_way: BTreeMap<(Instant, usize), (usize, Bytes)>,
    /// What users do later.
    plans: BTreeMap<Instant, (usize, SessionId, Plan)>,
    answered: usize,
    causes: Vec<EndCause>,
    held: usize,
}

#[derive(Clone, Copy)]
enum Plan {
    Answer,
    Bye,
    Hold,
}

impl Network {
    #[expect(clippy::disallowed_methods, reason = "simulated time starts somewhere")]
    fn new(loss: Loss) -> Self {
        let end = |seed| Endpoint::new(EndpointConfig { seed, ..EndpointConfig::default() });
        Network {
            ends: [end(1), end(2)],
            now: Instant::now(),
            loss,
            sent: 0,
            under_way: BTreeMap::new(),
            plans: BTreeMap::new(),
            answered: 0,
            causes: Vec::new(),
            held: 0,
        }
    }

    /// Runs one call to its end and gives back the number of datagrams sent.
    #[track_caller]
    fn run(mut self, users: Users) -> usize {
        let invite = Invite {
            flow: flow(0),
            uri: "sip:bob@10.0.0.2".to_owned(),
            from: "<sip:alice@10.0.0.1>".to_owned(),
            to: "<sip:bob@10.0.0.2>".to_owned(),
            contact_user: "alice".to_owned(),
            headers: Vec::new(),
            body: Some(Body::sdp("v=0\r\n")),
            max_forwards: 70,
            credentials: None,
            call_id: None,
        };
        self.ends[0].invite(self.now, invite);
        for _ in 0..10_000 {
            self.drain(users);
            let times = [
                self.ends[0].poll_timeout(),
                self.ends[1].poll_timeout(),
                self.under_way.keys().next().map(|(at, _)| *at),
                self.plans.keys().next().copied(),
            ];
            let Some(next) = times.into_iter().flatten().min() else {
                break;
            };
            self.now = self.now.max(next);
            self.step();
        }
        assert_eq!(self.answered, 1, "one call, answered once");
        self.causes.sort_by_key(|cause| *cause as u8);
        assert_eq!(self.causes, [EndCause::Bye, EndCause::Hangup]);
        for end in &self.ends {
            assert_eq!((end.session_count(), end.transaction_count()), (0, 0));
        }
        self.sent
    }

    fn step(&mut self) {
        let now = self.now;
        while let Some(entry) = self.under_way.first_entry().filter(|one| one.key().0 <= now) {
            let (to, bytes) = entry.remove();
            self.ends[to].handle_message(now, flow(to), bytes);
        }
        while let Some(entry) = self.plans.first_entry().filter(|one| *one.key() <= now) {
            let (who, session, plan) = entry.remove();
            let end = &mut self.ends[who];
            match plan {
                Plan::Answer => end.accept(now, session, Reply::new(StatusCode::OK)),
                Plan::Bye => end.bye(now, session, None),
                Plan::Hold => end.reinvite(now, session, Some(Body::sdp("v=0\r\n"))),
            }
        }
        for end in &mut self.ends {
            end.handle_timeout(now);
        }
    }

    fn drain(&mut self, users: Users) {
        for who in 0..2 {
            while let Some(output) = self.ends[who].poll_output() {
                match output {
                    Output::Transmit { flow: path, bytes } => {
                        assert_eq!(path, flow(who));
                        self.carry(1 - who, bytes);
                    }
                    Output::Event(event) => {
                        match &event {
                            Event::Accepted { .. } => self.answered += 1,
                            Event::Ended { cause, .. } => self.causes.push(*cause),
                            Event::ReinviteAccepted { .. } => self.held += 1,
                            _ => {}
                        }
                        users(self, who, &event);
                    }
                }
            }
        }
    }

    fn carry(&mut self, to: usize, bytes: Bytes) {
        let nth = self.sent;
        self.sent += 1;
        let arrival = self.now + Duration::from_millis(10);
        let copies = match self.loss {
            Loss::Nothing => 1,
            Loss::Nth(lost) => usize::from(nth != lost),
            Loss::Two(first, second) => usize::from(nth != first && nth != second),
            Loss::Twice => 2,
        };
        for copy in 0..copies {
            let later = Duration::from_millis(7 * copy as u64);
            self.under_way.insert((arrival + later, nth * 2 + copy), (to, bytes.clone()));
        }
    }

    fn plan(&mut self, after_ms: u64, who: usize, session: SessionId, plan: Plan) {
        self.plans.insert(self.now + Duration::from_millis(after_ms), (who, session, plan));
    }
}

fn hang_up_by_caller(network: &mut Network, who: usize, event: &Event) {
    match event {
        Event::Accepted { session, .. } => network.plan(2_000, who, *session, Plan::Bye),
        event => ring(network, who, event),
    }
}

fn hang_up_by_callee(network: &mut Network, who: usize, event: &Event) {
    match event {
        Event::Acked { session, .. } => network.plan(2_000, who, *session, Plan::Bye),
        event => ring(network, who, event),
    }
}

fn hold(network: &mut Network, who: usize, event: &Event) {
    match event {
        Event::Acked { session, .. } if network.held == 0 => {
            network.plan(100, who, *session, Plan::Hold);
        }
        Event::Reinvite { session, .. } => {
            let now = network.now;
            network.ends[who].accept_reinvite(now, *session, Reply::new(StatusCode::OK));
        }
        Event::ReinviteAccepted { session, .. } => {
            network.plan(40_000, who, *session, Plan::Bye);
        }
        event => ring(network, who, event),
    }
}

fn ring(network: &mut Network, who: usize, event: &Event) {
    if let Event::Invite { session, .. } = event {
        let now = network.now;
        network.plan(700, who, *session, Plan::Answer);
        let end = &mut network.ends[who];
        // As if the user had needed a moment.
        if let Some(Output::Transmit { bytes, .. }) = end.poll_output() {
            network.carry(1 - who, bytes);
        }
        network.ends[who].provisional(now, *session, Reply::new(StatusCode::RINGING));
    }
}

fn flow(end: usize) -> Flow {
    let both = ["10.0.0.1:5060", "10.0.0.2:5060"].map(address);
    Flow { transport: Transport::Udp, local: both[end], remote: both[1 - end] }
}
