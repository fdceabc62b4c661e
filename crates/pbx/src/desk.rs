//! What all calls share: the SIP endpoint, the phones that are registered, ports, sounds, and the list
//! of things to do outside.
//!
//! A call is handed the desk with everything that happens to it; the desk knows no call.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use dialplan::{LockOwner, Query, Shared};
use media::{JobId, LegId, PortPool};
use sip_engine::{Endpoint, Flow, SessionId, Transport};

use crate::clock::Clock;
use crate::config::Config;
use crate::output::Output;
use crate::outside::FetchRequest;
use crate::post::Post;
use crate::prompts::Prompts;
use crate::records::{SoundId, StoreRequest, Ticket};
use crate::registrar::Registrar;
use crate::repeats::Repeats;
use crate::steps::SwitchTurn;

/// Names a call within this process; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct CallId(pub(crate) u64);

/// What all calls share.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) rng: fastrand::Rng,
    pub(crate) endpoint: Endpoint,
    pub(crate) registrar: Registrar,
    /// For new calls; those under way keep theirs.
    pub(crate) prompts: Arc<Prompts>,
    /// Counts the sets of scripts so far; that of new calls.
    pub(crate) generation: u64,
    /// What scripts share; it outlives them.
    pub(crate) shared: Shared,
    /// The turn of the switch that it is now.
    pub(crate) turn: SwitchTurn,
    /// What was told of scripts lately.
    pub(crate) repeats: Repeats,
    ports: PortPool,
    /// Ports that other programs hold, left out until the next start.
    condemned: BTreeSet<u16>,
    outputs: VecDeque<Output>,
    /// Which call a session, leg or question belongs to. Only looked up, never walked.
    sessions: HashMap<SessionId, CallId>,
    legs: HashMap<LegId, Line>,
    tickets: HashMap<Ticket, CallId>,
    posts: VecDeque<Post>,
    alarms: BTreeSet<(Instant, CallId)>,
    last_id: u64,
    last_thread: usize,
}

/// A socket for sound, ours until it is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Socket {
    pub(crate) leg: LegId,
    pub(crate) thread: usize,
    /// The address peers are told.
    pub(crate) ip: IpAddr,
    pub(crate) port: u16,
}

/// Whose a leg is.
#[derive(Debug, Clone, Copy)]
struct Line {
    call: CallId,
    /// Until it is closed.
    socket: Option<Socket>,
}

impl Desk {
    pub(crate) fn new(
        config: Config,
        clock: Clock,
        mut rng: fastrand::Rng,
        endpoint: Endpoint,
        prompts: Arc<Prompts>,
        shared: Shared,
    ) -> Self {
        let ports = PortPool::new(config.rtp_port_first, config.rtp_port_last);
        let rng = fastrand::Rng::with_seed(rng.u64(..));
        Self {
            config,
            clock,
            rng,
            endpoint,
            registrar: Registrar::default(),
            prompts,
            shared,
            generation: 1,
            turn: SwitchTurn::default(),
            repeats: Repeats::default(),
            ports,
            condemned: BTreeSet::new(),
            outputs: VecDeque::new(),
            sessions: HashMap::new(),
            legs: HashMap::new(),
            tickets: HashMap::new(),
            posts: VecDeque::new(),
            alarms: BTreeSet::new(),
            last_id: 0,
            last_thread: 0,
        }
    }

    /// A number that was never used before in this process.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// The media thread whose turn it is: calls go to each in turn.
    pub(crate) fn next_thread(&mut self) -> usize {
        self.last_thread = (self.last_thread + 1) % self.config.media_threads.max(1);
        self.last_thread
    }

    pub(crate) fn next_job(&mut self) -> JobId {
        JobId(self.next_id())
    }

    pub(crate) fn next_sound(&mut self) -> SoundId {
        // Kept in SQLite, whose integers are signed.
        SoundId(self.rng.u64(1..=i64::MAX as u64))
    }

    pub(crate) fn push(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(crate) fn pop(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(crate) fn media(&mut self, socket: Socket, command: media::Command) {
        self.push(Output::Media { thread: socket.thread, command });
    }

    /// Tells the store something, or asks it on behalf of `call`; then the reply names this ticket.
    pub(crate) fn store(&mut self, call: CallId, request: StoreRequest) -> Option<Ticket> {
        let ticket = request.wants_reply().then(|| self.ticket_for(call));
        let request = match ticket {
            Some(ticket) => request.with_ticket(ticket),
            None => request,
        };
        self.push(Output::Store(request));
        ticket
    }

    /// Asks for the addresses of a host on behalf of `call`.
    pub(crate) fn resolve(
        &mut self,
        call: CallId,
        host: String,
        port: u16,
        transport: Transport,
    ) -> Ticket {
        let ticket = self.ticket_for(call);
        self.push(Output::Resolve { ticket, host, port, transport });
        ticket
    }

    /// Asks another program on behalf of `call`.
    pub(crate) fn fetch(&mut self, call: CallId, request: Box<FetchRequest>) -> Ticket {
        let ticket = self.ticket_for(call);
        self.push(Output::Fetch { ticket, request });
        ticket
    }

    /// Asks the scripts' database on behalf of `call`.
    pub(crate) fn query(&mut self, call: CallId, query: Box<Query>) -> Ticket {
        let ticket = self.ticket_for(call);
        self.push(Output::Query { ticket, query });
        ticket
    }

    pub(crate) fn ticket_for(&mut self, call: CallId) -> Ticket {
        let ticket = Ticket(self.next_id());
        self.tickets.insert(ticket, call);
        ticket
    }

    /// Whose question this was; each is answered once.
    pub(crate) fn redeem(&mut self, ticket: Ticket) -> Option<CallId> {
        self.tickets.remove(&ticket)
    }

    /// Has something delivered to another call, right after this one's turn.
    pub(crate) fn post(&mut self, post: Post) {
        self.posts.push_back(post);
    }

    pub(crate) fn take_post(&mut self) -> Option<Post> {
        self.posts.pop_front()
    }

    /// A leg belongs to another call from now on.
    pub(crate) fn hand_leg_over(&mut self, leg: LegId, call: CallId) {
        if let Some(line) = self.legs.get_mut(&leg) {
            line.call = call;
        }
    }

    pub(crate) fn own_session(&mut self, session: SessionId, call: CallId) {
        self.sessions.insert(session, call);
    }

    pub(crate) fn disown_session(&mut self, session: SessionId) {
        self.sessions.remove(&session);
    }

    pub(crate) fn call_of_session(&self, session: SessionId) -> Option<CallId> {
        self.sessions.get(&session).copied()
    }

    pub(crate) fn call_of_leg(&self, leg: LegId) -> Option<CallId> {
        self.legs.get(&leg).map(|line| line.call)
    }

    /// Takes a port and has it opened; `None` when all are in use.
    pub(crate) fn open_socket(
        &mut self,
        call: CallId,
        thread: usize,
        flow: Flow,
    ) -> Option<Socket> {
        let port = self.ports.allocate()?;
        let leg = LegId(self.next_id());
        let bound_ip = flow.local.ip();
        let ip = match self.config.external_ip {
            // A peer beyond the router must be told the external address.
            Some(external)
                if external.is_ipv4() == bound_ip.is_ipv4() && !is_private(flow.remote.ip()) =>
            {
                external
            }
            Some(_) | None => bound_ip,
        };
        let socket = Socket { leg, thread, ip, port };
        self.legs.insert(leg, Line { call, socket: Some(socket) });
        self.media(socket, media::Command::Open { leg, ip: bound_ip, port });
        Some(socket)
    }

    /// Closes a socket. Its last events still find the call until [`Self::forget_leg`].
    pub(crate) fn close_socket(&mut self, socket: Socket) {
        if let Some(line) = self.legs.get_mut(&socket.leg) {
            line.socket = None;
        }
        if !self.condemned.contains(&socket.port) {
            self.ports.free(socket.port);
        }
        self.media(socket, media::Command::Close { leg: socket.leg });
    }

    /// Lets go of the room that a crowd of calls needed.
    pub(crate) fn give_back(&mut self) {
        self.sessions.shrink_to_fit();
        self.legs.shrink_to_fit();
        self.tickets.shrink_to_fit();
    }

    /// The port of this leg belongs to another program: no other call shall come by it.
    pub(crate) fn condemn(&mut self, leg: LegId) {
        let socket = self.legs.get(&leg).and_then(|line| line.socket);
        if let Some(socket) = socket
            && self.condemned.len() < CONDEMNED_MAX
        {
            self.condemned.insert(socket.port);
        }
    }

    pub(crate) fn forget_leg(&mut self, leg: LegId) {
        self.legs.remove(&leg);
    }

    /// Moves a call's alarm from `old` to `new`.
    pub(crate) fn set_alarm(&mut self, call: CallId, old: Option<Instant>, new: Option<Instant>) {
        if old == new {
            return;
        }
        if let Some(old) = old {
            self.alarms.remove(&(old, call));
        }
        if let Some(new) = new {
            self.alarms.insert((new, call));
        }
    }

    pub(crate) fn next_alarm(&self) -> Option<Instant> {
        self.alarms.first().map(|(at, _)| *at)
    }

    pub(crate) fn due_alarm(&mut self, now: Instant) -> Option<CallId> {
        let (at, call) = *self.alarms.first()?;
        (at <= now).then_some(call)
    }

    /// Whether a call's turn is over, rather than wanted again at once.
    pub(crate) fn moved_on(&self, call: CallId, now: Instant) -> bool {
        self.alarms.first().is_none_or(|(at, first)| *at > now || *first != call)
    }

    /// Takes back everything that a call holds, without asking the call: its sessions end, its
    /// sockets close, its questions and its alarm are forgotten.
    pub(crate) fn clear_away(&mut self, now: Instant, call: CallId) {
        let mut sessions = Vec::new();
        self.sessions.retain(|session, owner| {
            if *owner == call {
                sessions.push(*session);
            }
            *owner != call
        });
        let mut sockets = Vec::new();
        self.legs.retain(|_, line| {
            if line.call == call {
                sockets.extend(line.socket);
            }
            line.call != call
        });
        // Not in the order of a hash map, which differs from run to run.
        sessions.sort_unstable();
        sockets.sort_unstable_by_key(|socket| socket.leg);
        for session in sessions {
            self.endpoint.hangup(now, session, None);
        }
        for socket in sockets {
            self.close_socket(socket);
        }
        self.tickets.retain(|_, owner| *owner != call);
        self.shared.release_all(LockOwner(call.0));
        self.alarms.retain(|(_, owner)| *owner != call);
    }

    /// Whether nothing of any call is left, for leak checks.
    pub(crate) fn is_idle(&self) -> bool {
        self.sessions.is_empty()
            && self.legs.is_empty()
            && self.tickets.is_empty()
            && self.alarms.is_empty()
            && self.posts.is_empty()
            && self.shared.claim_count() == 0
    }
}

/// Whether an address means something only this side of a router.
pub(crate) fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// Ports left out at most; beyond, they come round again.
const CONDEMNED_MAX: usize = 256;
