//! The loop that everything passes through: inputs into the switch, outputs to where they belong.
//!
//! It runs on one thread together with the SIP sockets, so a request is read, decided and answered
//! without ever waiting for another thread.

use std::collections::VecDeque;
use std::future::pending;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::{Duration, Instant};

use media::{Command, Event};
use net::rtp::RtpHandle;
use net::{Arrival, Ends, Resolver, Tcp, Udp};
use pbx::records::Ticket;
use pbx::{Input, Notice, Output, Switch};
use sip_engine::{Flow, Transport};
use tokio::sync::mpsc;
use tokio::time::Sleep;

use crate::questions::Questions;
use crate::speech::Speaker;
use crate::web::Web;

/// Drives `switch` until it says that it is idle after a `Stop`.
///
/// Nothing in here waits except for input or the next deadline: [`Hands`] queues what it is given
/// and counts what it must drop, so a slow disk or peer cannot hold up other calls.
pub(crate) async fn run(mut switch: Switch, mut inbox: mpsc::Receiver<Input>, hands: &mut Hands) {
    let mut alarm = Alarm::new();
    loop {
        settle(&mut switch, hands);
        if hands.finished {
            return;
        }
        alarm.set(switch.poll_timeout());
        tokio::select! {
            socket = hands.udp.readable() => {
                for _ in 0..DATAGRAMS_PER_TURN {
                    let Some((ends, bytes)) = hands.udp.receive(socket) else { break };
                    let flow = flow(Transport::Udp, ends);
                    switch.handle_input(now(), Input::Sip { flow, bytes });
                    settle(&mut switch, hands);
                }
            }
            arrival = hands.tcp.next() => switch.handle_input(now(), stream_input(arrival)),
            input = inbox.recv() => match input {
                Some(input) => switch.handle_input(now(), input),
                None => return,
            },
            Some((ticket, addresses)) = hands.resolved.recv() => {
                switch.handle_input(now(), Input::Resolved { ticket, addresses });
            }
            () = alarm.ring() => switch.handle_timeout(now()),
        }
    }
}

/// Carries out everything that the switch wants done, and what comes of that at once.
fn settle(switch: &mut Switch, hands: &mut Hands) {
    loop {
        while let Some(output) = switch.poll_output() {
            hands.carry_out(output);
        }
        match hands.returned.pop_front() {
            Some(input) => switch.handle_input(now(), input),
            None => break,
        }
    }
    hands.wake_media();
}

/// Everything that outputs are carried out with.
#[derive(Debug)]
pub(crate) struct Hands {
    /// SIP datagrams.
    pub(crate) udp: Udp,
    /// SIP connections.
    pub(crate) tcp: Tcp,
    /// Voice threads, as numbered in the configuration.
    pub(crate) media: Vec<RtpHandle>,
    /// Records.
    pub(crate) store: store::Store,
    /// Host names,
    pub(crate) resolver: Resolver<Ticket>,
    /// and their addresses.
    pub(crate) resolved: mpsc::Receiver<(Ticket, Vec<SocketAddr>)>,
    /// Other programs.
    web: Web,
    /// The scripts' database.
    queries: store::Queries,
    /// Texts that are spoken.
    speaker: Speaker,
    /// Who waits for answers of the switch.
    questions: Questions,
    /// What failed at once and is to be told before anything else.
    returned: VecDeque<Input>,
    /// Voice threads with unread commands.
    to_wake: Vec<bool>,
    finished: bool,
}

impl Hands {
    /// Hands with nothing in them yet.
    pub(crate) fn new(
        udp: Udp,
        tcp: Tcp,
        media: Vec<RtpHandle>,
        store: store::Store,
        (web, queries, speaker): (Web, store::Queries, Speaker),
        questions: Questions,
    ) -> Self {
        let (replies, resolved) = mpsc::channel(net::LOOKUPS_WAITING_MAX);
        let to_wake = vec![false; media.len()];
        Self {
            udp,
            tcp,
            media,
            store,
            resolver: Resolver::new(replies),
            resolved,
            web,
            queries,
            speaker,
            questions,
            returned: VecDeque::new(),
            to_wake,
            finished: false,
        }
    }

    /// Closes all SIP sockets, and gives back what else has to be ended.
    pub(crate) fn let_go(self) -> (Vec<RtpHandle>, store::Store, Web, store::Queries, Speaker) {
        (self.media, self.store, self.web, self.queries, self.speaker)
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Transmit { flow, bytes } => {
                let ends = Ends { local: flow.local, remote: flow.remote };
                match flow.transport {
                    Transport::Udp => {
                        if let Err(error) = self.udp.send(ends, &bytes) {
                            tracing::debug!(remote = %flow.remote, %error, "a datagram cannot go out");
                            self.returned.push_back(Input::FlowClosed { flow });
                        }
                    }
                    Transport::Tcp => self.tcp.send(ends, bytes),
                }
            }
            Output::Resolve { ticket, host, port, transport: _ } => {
                if let Err(ticket) = self.resolver.ask(ticket, host, port) {
                    self.returned.push_back(Input::Resolved { ticket, addresses: Vec::new() });
                }
            }
            Output::Media { thread, command } => self.command(thread, command),
            Output::Store(request) => self.store.request(request),
            Output::Fetch { ticket, request } => {
                self.returned.extend(self.web.fetch(ticket, request).err());
            }
            Output::Query { ticket, query } => {
                if let Err(problem) = self.queries.ask(ticket, query) {
                    let (answer, took) = (Err(problem), Duration::ZERO);
                    self.returned.push_back(Input::Queried { ticket, answer, took });
                }
            }
            Output::Speak { ticket, request } => {
                self.returned.extend(self.speaker.speak(ticket, request).err());
            }
            // Whoever does not know the ticket lets it pass.
            Output::Abandon { ticket } => {
                self.web.abandon(ticket);
                self.speaker.abandon(ticket);
            }
            Output::Respond { id, response } => self.web.respond(id, response),
            Output::Publish(notice) => self.publish(notice),
        }
    }

    fn command(&mut self, thread: usize, command: Command) {
        let refused = match self.media.get(thread) {
            Some(handle) => handle.send(command).err(),
            None => Some(command),
        };
        match (refused, self.to_wake.get_mut(thread)) {
            (None, Some(to_wake)) => *to_wake = true,
            (Some(Command::Open { leg, .. }), _) => {
                let why = "its voice thread has too much to do".to_owned();
                self.returned.push_back(Input::Media(Event::OpenFailed { leg, why }));
            }
            // Not what it was: digits may stand in it.
            (Some(_), _) => tracing::error!(thread, "a voice thread takes no commands"),
            (None, None) => {}
        }
    }

    /// One wake per thread for all commands of a turn.
    fn wake_media(&mut self) {
        for (to_wake, handle) in self.to_wake.iter_mut().zip(&self.media) {
            if std::mem::take(to_wake) {
                handle.wake();
            }
        }
    }

    fn publish(&mut self, notice: Notice) {
        notice.write_to_log();
        if notice == Notice::Idle {
            self.finished = true;
        } else {
            self.questions.answered(notice);
        }
    }
}

/// One timer, set anew only when it would ring too late: ringing early is harmless.
#[derive(Debug)]
struct Alarm {
    sleep: Pin<Box<Sleep>>,
    at: Option<Instant>,
}

impl Alarm {
    fn new() -> Self {
        Self { sleep: Box::pin(tokio::time::sleep(Duration::ZERO)), at: None }
    }

    fn set(&mut self, wanted: Option<Instant>) {
        let Some(wanted) = wanted else { return };
        if self.at.is_none_or(|at| wanted < at) {
            self.sleep.as_mut().reset(wanted.into());
            self.at = Some(wanted);
        }
    }

    async fn ring(&mut self) {
        if self.at.is_none() {
            return pending().await;
        }
        self.sleep.as_mut().await;
        self.at = None;
    }
}

fn stream_input(arrival: Arrival) -> Input {
    match arrival {
        Arrival::Message { ends, bytes } => Input::Sip { flow: flow(Transport::Tcp, ends), bytes },
        Arrival::Closed { ends } => Input::FlowClosed { flow: flow(Transport::Tcp, ends) },
    }
}

fn flow(transport: Transport, ends: Ends) -> Flow {
    Flow { transport, local: ends.local, remote: ends.remote }
}

/// The one place where time comes into the switch.
fn now() -> Instant {
    Instant::now()
}

/// Datagrams read from one socket before the others and the timers have their turn.
const DATAGRAMS_PER_TURN: usize = 32;
