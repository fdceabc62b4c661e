//! What is asked of this machine: its addresses, and room for many sockets.

use std::net::IpAddr;

use anyhow::Context;
use rustix::process::{Resource, getrlimit, setrlimit};

/// All addresses, loopback first, then as the system lists them; link-local IPv6 is left out, since
/// it means nothing without naming an interface.
///
/// # Errors
/// As the system says.
pub(crate) fn addresses() -> anyhow::Result<Vec<IpAddr>> {
    let interfaces = if_addrs::get_if_addrs().context("this machine's addresses are not known")?;
    let mut addresses: Vec<IpAddr> = interfaces
        .iter()
        .map(if_addrs::Interface::ip)
        .filter(|ip| match ip {
            IpAddr::V4(ip) => !ip.is_link_local(),
            IpAddr::V6(ip) => !ip.is_unicast_link_local(),
        })
        .collect();
    addresses.sort_by_key(|ip| (!ip.is_loopback(), ip.is_ipv6()));
    addresses.dedup();
    Ok(addresses)
}

/// Lets this process open as many sockets as the system allows it; each call needs two.
pub(crate) fn allow_many_sockets() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "the limit on open files stays");
    }
}
