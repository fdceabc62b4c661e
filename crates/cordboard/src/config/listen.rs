//! Where SIP is heard, and what that means on this machine.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use toml::de::DeValue;

use super::section::{Found, text};

/// One entry of `udp` or `tcp` in `[listen]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListenSpec {
    hosts: Hosts,
    port: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hosts {
    /// One address.
    One(IpAddr),
    /// All of this machine's addresses of a family, or of both.
    All { v4: bool, v6: bool },
    /// Loopback and private addresses (RFC 1918, RFC 6598, RFC 4193).
    Private,
    /// Loopback addresses.
    Loopback,
}

impl ListenSpec {
    /// What holds when the file does not say.
    pub(crate) fn private() -> Self {
        Self { hosts: Hosts::Private, port: 5_060 }
    }
}

impl fmt::Display for ListenSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hosts {
            Hosts::One(ip) => SocketAddr::new(ip, self.port).fmt(f),
            Hosts::All { v4: true, v6: true } => write!(f, "*:{}", self.port),
            Hosts::All { v6: true, .. } => write!(f, "[::]:{}", self.port),
            Hosts::All { .. } => write!(f, "0.0.0.0:{}", self.port),
            Hosts::Private => write!(f, "private:{}", self.port),
            Hosts::Loopback => write!(f, "loopback:{}", self.port),
        }
    }
}

/// For messages: what an entry looks like.
pub(super) const EXPECTED: &str = "\"IP:PORT\", \"private:PORT\", \"loopback:PORT\" or \"*:PORT\"";

/// Reads one entry.
pub(super) fn spec(value: &DeValue<'_>) -> Result<ListenSpec, Found> {
    let spec = text(value)?;
    let (host, port) = spec.rsplit_once(':').ok_or_else(|| Found::new("no `:PORT` at the end"))?;
    let port: u16 = port.parse().map_err(|_error| Found::new("the port is not a number"))?;
    let hosts = match host {
        "private" => Hosts::Private,
        "loopback" | "localhost" => Hosts::Loopback,
        "*" => Hosts::All { v4: true, v6: true },
        _ => {
            let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
            let ip: IpAddr = bare
                .unwrap_or(host)
                .parse()
                .map_err(|_error| Found::new("neither an IP address nor one of these words"))?;
            match ip {
                IpAddr::V6(_) if bare.is_none() => {
                    return Err(Found::new("an IPv6 address stands in brackets: \"[::1]:5060\""));
                }
                IpAddr::V4(ip) if ip.is_unspecified() => Hosts::All { v4: true, v6: false },
                IpAddr::V6(ip) if ip.is_unspecified() => Hosts::All { v4: false, v6: true },
                IpAddr::V4(_) | IpAddr::V6(_) => Hosts::One(ip),
            }
        }
    };
    Ok(ListenSpec { hosts, port })
}

/// The concrete addresses that the entries mean on a machine with these addresses, in order and
/// without doubles.
pub(crate) fn expand(specs: &[ListenSpec], machine: &[IpAddr]) -> Vec<SocketAddr> {
    let mut seen = BTreeSet::new();
    let mut addresses = Vec::new();
    for spec in specs {
        let mut add = |ip: IpAddr| {
            let address = SocketAddr::new(ip, spec.port);
            if seen.insert(address) {
                addresses.push(address);
            }
        };
        match spec.hosts {
            Hosts::One(ip) => add(ip),
            Hosts::All { v4, v6 } => machine
                .iter()
                .filter(|ip| if ip.is_ipv4() { v4 } else { v6 })
                .for_each(|ip| add(*ip)),
            Hosts::Private => {
                machine.iter().filter(|ip| is_private(ip)).for_each(|ip| add(*ip));
            }
            Hosts::Loopback => {
                machine.iter().filter(|ip| ip.is_loopback()).for_each(|ip| add(*ip));
            }
        }
    }
    addresses
}

fn is_private(ip: &IpAddr) -> bool {
    ip.is_loopback()
        || match ip {
            IpAddr::V4(ip) => {
                // Carriers' shared space (RFC 6598) is behind NAT, too.
                let [a, b, ..] = ip.octets();
                ip.is_private() || (a == 100 && (64..128).contains(&b))
            }
            IpAddr::V6(ip) => ip.is_unique_local(),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_this_machines_addresses() {
        let machine = ["127.0.0.1", "192.168.1.5", "203.0.113.9", "::1", "2001:db8::1"];
        let machine = machine.map(|ip| ip.parse().unwrap());
        let expanded = |text: &str| {
            let spec = spec(&DeValue::String(text.into())).unwrap();
            assert_eq!(spec.to_string(), text.replace("localhost", "loopback"));
            let shown: Vec<_> = expand(&[spec], &machine).iter().map(ToString::to_string).collect();
            shown.join(" ")
        };
        assert_eq!(expanded("private:5060"), "127.0.0.1:5060 192.168.1.5:5060 [::1]:5060");
        assert_eq!(expanded("localhost:1"), "127.0.0.1:1 [::1]:1");
        assert_eq!(expanded("0.0.0.0:9"), "127.0.0.1:9 192.168.1.5:9 203.0.113.9:9");
        assert_eq!(expanded("[::]:9"), "[::1]:9 [2001:db8::1]:9");
        assert_eq!(expanded("*:9").split(' ').count(), 5);
        assert_eq!(expanded("198.51.100.1:5070"), "198.51.100.1:5070");
    }

    #[test]
    fn the_same_address_is_heard_once() {
        let machine = ["127.0.0.1".parse().unwrap()];
        let specs = ["127.0.0.1:5060", "private:5060", "*:5060"]
            .map(|text| spec(&DeValue::String(text.into())).unwrap());
        assert_eq!(expand(&specs, &machine), ["127.0.0.1:5060".parse().unwrap()]);
    }
}
