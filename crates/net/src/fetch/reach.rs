//! Where a host is, and whether that is on the open Internet.
//!
//! Whoever controls a host name can have it mean an address inside our own network. A request whose
//! host nobody named explicitly must not end up there, whatever the name servers say.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

use super::Reach;

/// Whether an address is one of the open Internet: not of this machine, of a private network, or
/// reserved (RFC 6890), also when it is written as an IPv6 address that stands for an IPv4 one.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let reserved = match (a, b, c) {
        // This network, carriers' shared space, protocol assignments, benchmarks, 6to4 relays.
        (0, _, _) | (100, 64..=127, _) | (192, 0, 0) | (198, 18 | 19, _) | (192, 88, 99) => true,
        // Everything after multicast is reserved.
        (224.., _, _) => true,
        _ => false,
    };
    let local = ip.is_loopback() || ip.is_private() || ip.is_link_local();
    !(reserved || local || ip.is_documentation())
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(inner) = ip.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let segments = ip.segments();
    let inner = |high: u16, low: u16| {
        let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // NAT64 (RFC 6052) and 6to4 (RFC 3056) lead to an IPv4 address.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => inner(high, low),
        [0x2002, high, low, ..] => inner(high, low),
        // Teredo, benchmarks and the like; documentation.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0xdb8, ..] => false,
        // Of all the rest only this block is handed out.
        [first, ..] => (0x2000..=0x3fff).contains(&first),
    }
}

/// Looks hosts up with the system's resolver, and leaves out what must not be reached.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lookup(pub(super) Reach);

/// Why there is no address to connect to.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(super) enum LookupFault {
    #[error("no such host")]
    NoSuchHost,
    #[error("not a public address")]
    NotPublic,
}

impl Service<Name> for Lookup {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = LookupFault;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, LookupFault>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), LookupFault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let reach = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found = found.map_err(|_| LookupFault::NoSuchHost)?;
            let all: Vec<SocketAddr> = found.take(ADDRESSES_MAX).collect();
            let none = all.is_empty();
            let reached = |address: &SocketAddr| match reach {
                Reach::Anywhere => true,
                Reach::PublicOnly => is_public(address.ip()),
            };
            let usable: Vec<SocketAddr> = all.into_iter().filter(reached).collect();
            match (none, usable.is_empty()) {
                (true, _) => Err(LookupFault::NoSuchHost),
                (false, true) => Err(LookupFault::NotPublic),
                (false, false) => Ok(usable.into_iter()),
            }
        })
    }
}

/// Addresses of a host that are tried.
const ADDRESSES_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_open_internet_are_public() {
        for public in ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for inside in [
            "127.0.0.1",
            "127.8.9.1",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.170",
            "198.18.0.1",
            "192.0.2.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:a00:1::",
            "2001::1",
            "2001:db8::1",
            "fe80::1",
            "fd00::1",
            "ff02::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
    }
}
