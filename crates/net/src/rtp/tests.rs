//! Rim tests: a real voice thread between real sockets on loopback.

use std::net::{IpAddr, Ipv4Addr};
use std::thread;
use std::time::Duration;

use media::{Codec, Flag, Latch, Stream};

use super::*;

#[test]
fn a_bridged_call_is_carried_from_one_peer_to_the_other() {
    let voice = Voice::start();
    let (alice, bob) = (Peer::bind(), Peer::bind());
    let port_a = voice.open(LegId(1), &alice);
    let port_b = voice.open(LegId(2), &bob);
    voice.command(Command::Bridge { a: LegId(1), b: LegId(2) });
    voice.settle();

    alice.send(port_a, 1, b"from alice");
    assert!(bob.hears_from(port_b, b"from alice"));
    bob.send(port_b, 1, b"from bob");
    assert!(alice.hears_from(port_a, b"from bob"));
}

#[test]
fn a_port_that_is_taken_is_told() {
    let voice = Voice::start();
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    voice.command(Command::Open { leg: LegId(5), ip: LOOPBACK, port });
    let Event::OpenFailed { leg, why } = voice.event() else { panic!("not told") };
    assert_eq!(leg, LegId(5));
    assert!(why.contains(&port.to_string()), "{why}");
}

#[test]
fn a_closed_leg_gives_its_port_back() {
    let voice = Voice::start();
    let peer = Peer::bind();
    let port = voice.open(LegId(1), &peer);
    voice.command(Command::Close { leg: LegId(1) });
    loop {
        if let Event::Closed { leg, .. } = voice.event() {
            assert_eq!(leg, LegId(1));
            break;
        }
    }
    voice.command(Command::Open { leg: LegId(2), ip: LOOPBACK, port });
    voice.command(Command::Close { leg: LegId(2) });
    loop {
        match voice.event() {
            Event::OpenFailed { why, .. } => panic!("{why}"),
            Event::Closed { leg: LegId(2), .. } => break,
            _ => {}
        }
    }
}

#[test]
fn events_without_room_are_offered_again_in_order() {
    let (handle, rtp_loop) = channel(Engine::new(1)).unwrap();
    let (sender, receiver) = mpsc::sync_channel(64);
    let mut refusals = 3;
    let thread = thread::spawn(move || {
        rtp_loop.run(|event| {
            if refusals > 0 {
                refusals -= 1;
                return Err(event);
            }
            sender.send(event).unwrap();
            Ok(())
        })
    });
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for leg in 0..10 {
        handle.send(Command::Open { leg: LegId(leg), ip: LOOPBACK, port }).unwrap();
    }
    handle.wake();
    for expected in 0..10 {
        let event = receiver.recv_timeout(LONG).unwrap();
        assert!(matches!(event, Event::OpenFailed { leg, .. } if leg == LegId(expected)));
    }
    drop(handle);
    thread.join().unwrap().unwrap();
}

#[test]
fn a_full_queue_still_takes_a_close() {
    let (handle, _not_running) = channel(Engine::new(1)).unwrap();
    let open = |leg| Command::Open { leg: LegId(leg), ip: LOOPBACK, port: 0 };
    let taken = (0..).take_while(|leg| handle.send(open(*leg)).is_ok()).count();
    assert_eq!(taken, COMMANDS_MAX / 4 * 3);
    assert!(handle.send(Command::Close { leg: LegId(0) }).is_ok());
    assert_eq!(handle.counters().commands_refused, 1);
}

#[test]
fn a_fault_of_our_own_silences_one_leg() {
    let (handle, mut rtp_loop) = channel(Engine::new(1)).unwrap();
    let now = Instant::now();
    for leg in [1, 2] {
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        rtp_loop.carry_out(now, Command::Open { leg: LegId(leg), ip: LOOPBACK, port });
    }
    rtp_loop.contain(Some(LegId(1)), |_| panic!("on purpose"));
    rtp_loop.contain(None, |_| panic!("on purpose"));
    assert_eq!(handle.counters().faults, 2);
    assert!(rtp_loop.sockets.of(LegId(1)).is_none());
    assert!(rtp_loop.sockets.of(LegId(2)).is_some());
    rtp_loop.carry_out(now, Command::Close { leg: LegId(1) });
    assert_eq!(rtp_loop.engine.leg_count(), 1);
}

struct Voice {
    handle: Option<RtpHandle>,
    events: Receiver<Event>,
    thread: Option<thread::JoinHandle<io::Result<()>>>,
}

impl Voice {
    fn start() -> Self {
        let (handle, rtp_loop) = channel(Engine::new(1)).unwrap();
        let (sender, events) = mpsc::sync_channel(64);
        let thread = thread::spawn(move || {
            rtp_loop.run(|event| {
                sender.send(event).unwrap();
                Ok(())
            })
        });
        Self { handle: Some(handle), events, thread: Some(thread) }
    }

    fn command(&self, command: Command) {
        let handle = self.handle.as_ref().unwrap();
        handle.send(command).unwrap();
        handle.wake();
    }

    /// Opens a leg towards `peer` on a port that was free a moment ago, and gives it back.
    fn open(&self, leg: LegId, peer: &Peer) -> u16 {
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        self.command(Command::Open { leg, ip: LOOPBACK, port });
        self.command(Command::Configure {
            leg,
            stream: Stream {
                remote: Some(peer.0.local_addr().unwrap()),
                codec: Codec::Pcmu,
                payload_type: 0,
                receive_payload_type: 0,
                dtmf_payload_type: None,
                receive_dtmf_payload_type: None,
                ptime_ms: 20,
                sending: Flag::On,
                receiving: Flag::On,
                latch: Latch::SameHost,
            },
        });
        port
    }

    /// Waits until all commands so far were carried out: the one that fails last is told last.
    fn settle(&self) {
        let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        self.command(Command::Open { leg: LegId(u64::MAX), ip: LOOPBACK, port });
        while !matches!(self.event(), Event::OpenFailed { leg: LegId(u64::MAX), .. }) {}
    }

    fn event(&self) -> Event {
        self.events.recv_timeout(LONG).unwrap()
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        drop(self.handle.take());
        self.thread.take().unwrap().join().unwrap().unwrap();
    }
}

struct Peer(UdpSocket);

impl Peer {
    fn bind() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        Self(socket)
    }

    /// Sends an RTP packet (RFC 3550 §5.1) of PCMU.
    fn send(&self, port: u16, sequence: u8, payload: &[u8]) {
        let mut packet = vec![0x80, 0, 0, sequence, 0, 0, 0, 160, 1, 2, 3, 4];
        packet.extend_from_slice(payload);
        self.0.send_to(&packet, (LOOPBACK, port)).unwrap();
    }

    /// Whether a packet with this payload comes from that port; others before it are passed over.
    fn hears_from(&self, port: u16, payload: &[u8]) -> bool {
        let mut packet = [0; 2_048];
        for _ in 0..50 {
            let (length, from) = self.0.recv_from(&mut packet).unwrap();
            if from.port() == port && packet.get(12..length) == Some(payload) {
                return true;
            }
        }
        false
    }
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Longer than anything here takes; reached only by a fault.
const LONG: Duration = Duration::from_secs(5);
