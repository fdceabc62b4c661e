//! Web addresses, as far as it matters whom they reach.
//!
//! Nothing is normalised: an address that could mean another one to somebody else is refused.

use std::fmt;
use std::net::Ipv6Addr;

use super::Reach;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    scheme: Scheme,
    /// Lower case; an IPv6 address in brackets.
    host: String,
    port: u16,
    /// Begins with a slash.
    path: String,
    /// What follows the question mark, if there is one.
    query: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// Addresses that scripts may reach: one entry of `allow` under `[http]`.
///
/// `https://crm.example.org/api/` is everything below that path, `https://crm.example.org/check` this
/// one alone; `*.example.org` stands for every host below, `*` for every host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    address: Address,
    hosts: Hosts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hosts {
    /// The one that is named.
    One,
    /// Those below it.
    Below,
    /// All.
    All,
}

impl Address {
    /// Reads an absolute address.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = if let Some(rest) = text.strip_prefix("https://") {
            (Scheme::Https, rest)
        } else if let Some(rest) = text.strip_prefix("http://") {
            (Scheme::Http, rest)
        } else {
            return Err("does not begin with https:// or http://");
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (host, port) = host_and_port(authority, scheme)?;
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        let path = if path.is_empty() { "/" } else { path };
        let odd = |c: char| !c.is_ascii_graphic() || "\"<>\\^`{|}#".contains(c);
        if path.contains(odd) || query.is_some_and(|query| query.contains(odd)) {
            return Err("has characters that must be escaped");
        }
        if has_dots(path) {
            return Err("has . or .. in its path");
        }
        Ok(Self { scheme, host, port, path: path.to_owned(), query: query.map(str::to_owned) })
    }

    /// Where a `Location` leads from here (RFC 9110 §10.2.2).
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn join(&self, location: &str) -> Result<Self, &'static str> {
        let location = location.split('#').next().unwrap_or_default();
        if location.starts_with("//") {
            return Self::parse(&format!("{}:{location}", self.scheme.word()));
        }
        let scheme_ends = location.find(':');
        if scheme_ends.is_some_and(|end| location.find(['/', '?']).is_none_or(|at| end < at)) {
            return Self::parse(location);
        }
        let folder = self.path.rfind('/').and_then(|at| self.path.get(..=at)).unwrap_or("/");
        let path = match location.chars().next() {
            Some('/') => location.to_owned(),
            Some('?') => format!("{}{location}", self.path),
            Some(_) => format!("{folder}{location}"),
            None => self.path.clone(),
        };
        Self::parse(&format!("{}{path}", self.origin()))
    }

    /// Scheme, host and port.
    pub(super) fn origin(&self) -> String {
        let Self { scheme, host, port, .. } = self;
        if *port == scheme.port() {
            format!("{}://{host}", scheme.word())
        } else {
            format!("{}://{host}:{port}", scheme.word())
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.path)?;
        match &self.query {
            Some(query) => write!(f, "?{query}"),
            None => Ok(()),
        }
    }
}

impl Allowed {
    /// Reads an entry.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (hosts, named) = if text.contains("://*.") {
            (Hosts::Below, text.replacen("://*.", "://", 1))
        } else if text.contains("://*") {
            (Hosts::All, text.replacen("://*", "://all", 1))
        } else {
            (Hosts::One, text.to_owned())
        };
        let address = Address::parse(&named)?;
        if address.query.is_some() {
            return Err("has a question mark; any question may be asked of what is allowed");
        }
        if hosts == Hosts::All && address.host != "all" {
            return Err("has a * that is not a whole part of the host");
        }
        Ok(Self { address, hosts })
    }

    fn allows(&self, to: &Address) -> bool {
        let Address { scheme, host, port, path, query: _ } = &self.address;
        let host = match self.hosts {
            Hosts::One => to.host == *host,
            Hosts::Below => to
                .host
                .strip_suffix(host.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            Hosts::All => true,
        };
        let path = if path.ends_with('/') { to.path.starts_with(path) } else { to.path == *path };
        to.scheme == *scheme && to.port == *port && host && path
    }
}

/// Whether an address may be reached, and where it may lead; `None` if not.
pub(super) fn reach(allowed: &[Allowed], to: &Address) -> Option<Reach> {
    let mut fitting = allowed.iter().filter(|entry| entry.allows(to)).peekable();
    fitting.peek()?;
    let named = fitting.any(|entry| entry.hosts == Hosts::One);
    Some(if named { Reach::Anywhere } else { Reach::PublicOnly })
}

fn host_and_port(authority: &str, scheme: Scheme) -> Result<(String, u16), &'static str> {
    if authority.contains('@') {
        return Err("has a user in it");
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        Some(_) | None => (authority, None),
    };
    let port = match port {
        None => scheme.port(),
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            port.parse().ok().filter(|port| *port > 0).ok_or("has a port that is none")?
        }
        Some(_) => return Err("has a port that is none"),
    };
    if let Some(inner) = host.strip_prefix('[') {
        let ip: Option<Ipv6Addr> = inner.strip_suffix(']').and_then(|ip| ip.parse().ok());
        let ip = ip.ok_or("has a host that is none")?;
        return Ok((format!("[{ip}]"), port));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if host.is_empty() || host.len() > HOST_BYTES_MAX || !host.bytes().all(plain) {
        return Err("has a host that is none");
    }
    Ok((host.to_ascii_lowercase(), port))
}

/// Whether a path has `.` or `..` for somebody who takes escapes and backslashes for what they mean.
fn has_dots(path: &str) -> bool {
    let plain = path.to_ascii_lowercase();
    let plain = plain.replace("%2e", ".").replace("%2f", "/").replace("%5c", "/");
    plain.split(['/', ';']).any(|part| part == "." || part == "..")
}

/// Bytes of a host name (RFC 1035 §2.3.4).
const HOST_BYTES_MAX: usize = 253;

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap_or_else(|problem| panic!("{text} {problem}"))
    }

    /// How far `to` is reached with these entries.
    fn reached(entries: &[&str], to: &str) -> Option<Reach> {
        let allowed: Vec<Allowed> =
            entries.iter().map(|entry| Allowed::parse(entry).unwrap()).collect();
        reach(&allowed, &address(to))
    }

    #[test]
    fn an_entry_allows_what_is_below_its_path_on_its_host_and_port() {
        let entries = ["https://crm.example.org/", "http://10.0.0.5:8080/api/", "http://a/one"];
        for to in [
            "https://crm.example.org",
            "https://CRM.example.org/x?y=z",
            "https://crm.example.org:443/x",
            "http://10.0.0.5:8080/api/x",
            "http://a/one",
            "http://a/one?x",
        ] {
            assert_eq!(reached(&entries, to), Some(Reach::Anywhere), "{to}");
        }
        for to in [
            "http://crm.example.org/",
            "https://crm.example.org:8443/",
            "https://crm.example.org.evil.example/",
            "https://evilcrm.example.org/",
            "https://crm.example.org./",
            "http://10.0.0.5:8080/apix",
            "http://10.0.0.5:8080/api",
            "http://10.0.0.5/api/x",
            "http://a/one/more",
            "http://a/",
        ] {
            assert_eq!(reached(&entries, to), None, "{to}");
        }
        assert_eq!(reached(&[], "https://crm.example.org/"), None);
    }

    #[test]
    fn hosts_that_are_not_named_must_be_public() {
        let below = ["https://*.example.org/"];
        assert_eq!(reached(&below, "https://a.b.example.org/"), Some(Reach::PublicOnly));
        assert_eq!(reached(&below, "https://example.org/"), None);
        assert_eq!(reached(&below, "https://badexample.org/"), None);
        assert_eq!(reached(&["https://*/"], "https://any.example/x"), Some(Reach::PublicOnly));
        assert_eq!(reached(&["https://*/"], "http://any.example/x"), None);
        assert_eq!(reached(&["http://*:8080/a/"], "http://b:8080/a/"), Some(Reach::PublicOnly));
        let both = ["https://*/", "https://10.0.0.5/"];
        assert_eq!(reached(&both, "https://10.0.0.5/"), Some(Reach::Anywhere));
    }

    #[test]
    fn an_address_that_may_mean_another_is_refused() {
        for text in [
            "ftp://a/",
            "http://",
            "http://a b/",
            "http://a:0/",
            "http://a:65536/",
            "http://a:+80/",
            "http://me@a/",
            "http://crm.example.org@evil.example/",
            "http://crm.example.org\\@evil.example/",
            "http://crm.example.org%2f@evil.example/",
            "http://[::1/",
            "http://[x]/",
            "http://\u{e9}/",
            "http://a/\r\nX: y",
            "http://a/x y",
            "http://a/\\b",
            "http://a/../b",
            "http://a/./b",
            "http://a/x/..",
            "http://a/%2e%2E/b",
            "http://a/x/.%2e/b",
            "http://a/x%2f..%2fb",
            "http://a/x/..%5cb",
            "http://a/x/..;/b",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
        assert_eq!(address("http://A:80/x?..").to_string(), "http://a/x?..");
        assert_eq!(address("http://[0:0::1]:81").to_string(), "http://[::1]:81/");
    }

    #[test]
    fn entries_that_are_none_are_refused() {
        for text in
            ["crm.example.org", "https://*.*.org/", "https://a.*/", "https://*x/", "http://a/?b"]
        {
            assert!(Allowed::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn locations_lead_on_from_where_they_were_met() {
        let from = address("https://a.example:8443/x/y?z=1");
        for (location, to) in [
            ("https://b/", "https://b/"),
            ("//b/c", "https://b/c"),
            ("/c?d=e#f", "https://a.example:8443/c?d=e"),
            ("c", "https://a.example:8443/x/c"),
            ("?q", "https://a.example:8443/x/y?q"),
            ("", "https://a.example:8443/x/y"),
        ] {
            assert_eq!(from.join(location).unwrap().to_string(), to, "{location}");
        }
        for location in ["ftp://b/", "javascript:x", "../up", "/a b", "https://b\r\n/"] {
            assert!(from.join(location).is_err(), "{location}");
        }
    }
}
