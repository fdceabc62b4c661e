//! The least that a relay of voice can do: one receive and one send per packet, and nothing else.
//!
//! `tests/load/run` measures it beside the real exchange, in the same run and with the same senders,
//! to say how much the exchange adds. It waits, receives and sends with the same system calls as
//! [`net::RtpLoop`].
//!
//! `bare_relay PAIRS` opens that many pairs of ports on 127.0.0.1, prints one pair a line, and carries
//! what comes in at one port out of the other, to whoever sent there last, until it is killed.

use std::io::{self, Write};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, UdpSocket};

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

/// One port, and who spoke to it last.
struct Side {
    socket: UdpSocket,
    peer: Option<SocketAddr>,
}

fn main() -> io::Result<()> {
    let pairs: u64 = std::env::args()
        .nth(1)
        .and_then(|count| count.parse().ok())
        .ok_or_else(|| io::Error::other("usage: bare_relay PAIRS"))?;
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    let mut sides = Vec::new();
    let mut ports = io::stdout().lock();
    for pair in 0..pairs {
        let mut pair_ports = [0; 2];
        for (number, port) in (0..).zip(&mut pair_ports) {
            let socket = UdpSocket::bind("127.0.0.1:0")?;
            socket.set_nonblocking(true)?;
            *port = socket.local_addr()?.port();
            epoll::add(&epoll, &socket, EventData::new_u64(pair * 2 + number), EventFlags::IN)?;
            sides.push(Side { socket, peer: None });
        }
        let [first, second] = pair_ports;
        writeln!(ports, "{first} {second}")?;
    }
    ports.flush()?;
    relay(&epoll, &mut sides)
}

fn relay(epoll: &impl std::os::fd::AsFd, sides: &mut [Side]) -> io::Result<()> {
    let mut buffer = [0; 2_048];
    let mut events = [const { MaybeUninit::<Event>::uninit() }; 256];
    loop {
        let (events, _unused) = epoll::wait(epoll, &mut events[..], None)?;
        for event in events.iter() {
            let number = event.data.u64() as usize;
            let Some(side) = sides.get_mut(number) else { continue };
            let Ok((length, from)) = side.socket.recv_from(&mut buffer) else { continue };
            side.peer = Some(from);
            let Some(other) = sides.get(number ^ 1) else { continue };
            if let (Some(packet), Some(peer)) = (buffer.get(..length), other.peer)
                && other.socket.send_to(packet, peer).is_err()
            {
                // Lost, as on any network; the receiver counts.
            }
        }
    }
}
