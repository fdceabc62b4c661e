//! Making sockets with the options that all of a kind share.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

/// A socket that SIP datagrams come in on, with room for bursts.
///
/// The address is not shared: a second process on the same port is an error here, not a mystery later.
pub(crate) fn sip_datagrams(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = datagrams(address)?;
    // The system may grant less than asked for; then bursts are lost earlier, and that is all.
    for size in [RECEIVE_BUFFER_BYTES, RECEIVE_BUFFER_BYTES / 4] {
        if socket.set_recv_buffer_size(size).is_ok() {
            break;
        }
    }
    if let Err(error) = socket.set_send_buffer_size(SEND_BUFFER_BYTES) {
        tracing::debug!(%address, %error, "the send buffer stays small");
    }
    Ok(socket.into())
}

/// A socket for one leg's RTP. Four system calls, since every call opens two.
pub(crate) fn rtp_datagrams(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = datagrams(address)?;
    // Expedited forwarding (RFC 3246); networks that do not care lose nothing.
    let marked =
        if address.is_ipv4() { socket.set_tos_v4(DSCP_EF) } else { socket.set_tclass_v6(DSCP_EF) };
    if let Err(error) = marked {
        tracing::trace!(%address, %error, "voice packets stay unmarked");
    }
    Ok(socket.into())
}

fn datagrams(address: SocketAddr) -> io::Result<Socket> {
    let socket =
        Socket::new(Domain::for_address(address), nonblocking(Type::DGRAM), Some(Protocol::UDP))?;
    prepare(&socket, address)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// A listener for SIP connections.
pub(crate) fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket =
        Socket::new(Domain::for_address(address), nonblocking(Type::STREAM), Some(Protocol::TCP))?;
    prepare(&socket, address)?;
    // Old connections in TIME_WAIT must not hold up a restart; a live listener still does.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// A socket to connect from `address`, on a port that the system chooses.
pub(crate) fn connector(address: SocketAddr) -> io::Result<std::net::TcpStream> {
    let socket =
        Socket::new(Domain::for_address(address), nonblocking(Type::STREAM), Some(Protocol::TCP))?;
    prepare(&socket, address)?;
    socket.bind(&SocketAddr::new(address.ip(), 0).into())?;
    Ok(socket.into())
}

/// Options of every connection: send at once, and notice a peer that vanished.
pub(crate) fn tune_connection(stream: &tokio::net::TcpStream) -> io::Result<()> {
    let socket = SockRef::from(stream);
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(
        &TcpKeepalive::new().with_time(KEEPALIVE_AFTER).with_interval(KEEPALIVE_INTERVAL),
    )
}

fn prepare(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    if cfg!(not(any(target_os = "linux", target_os = "android"))) {
        socket.set_nonblocking(true)?;
    }
    if address.is_ipv6() { socket.set_only_v6(true) } else { Ok(()) }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn nonblocking(kind: Type) -> Type {
    kind.nonblocking()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn nonblocking(kind: Type) -> Type {
    kind
}

/// About two thousand requests that may wait while the switch is busy.
const RECEIVE_BUFFER_BYTES: usize = 4 << 20;
/// As much for answers on their way out.
const SEND_BUFFER_BYTES: usize = 1 << 20;
/// Expedited forwarding, shifted to where it stands in the traffic class.
const DSCP_EF: u32 = 0xB8;
/// Connections the system may hold before we accept them.
const BACKLOG: i32 = 1_024;
/// Silence after which a peer is probed,
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);
/// and the gap between probes.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
