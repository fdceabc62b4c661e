//! One request of a script, from the first step to the last redirect.

use std::time::{Duration, Instant};

use dialplan::{Fetch, FetchFault, Fetched};

use super::address::{Address, Allowed, reach};
use super::{Distrust, FetchError, FetchRequest, Reach};

/// A request of a script under way.
#[derive(Debug)]
pub(crate) struct Fetching {
    fetch: Fetch,
    at: Address,
    until: Instant,
    redirects_left: u8,
}

/// What is next for it.
#[derive(Debug)]
pub(crate) enum Next {
    /// Send this.
    Send(Box<FetchRequest>),
    /// Tell the script.
    Done(Result<Fetched, FetchFault>),
}

impl Fetching {
    /// Begins a request, if it may be sent; else tells why not.
    pub(crate) fn begin(
        now: Instant,
        fetch: Fetch,
        allowed: &[Allowed],
    ) -> Result<(Self, Box<FetchRequest>), FetchFault> {
        let at = Address::parse(&fetch.url).map_err(malformed)?;
        let Some(reach) = reach(allowed, &at) else { return Err(not_allowed(&at, "")) };
        let (until, redirects_left) = (now + fetch.timeout, fetch.redirects_max);
        let fetching = Self { fetch, at, until, redirects_left };
        let request = fetching.request(now, reach);
        Ok((fetching, request))
    }

    /// When the script is told that it took too long.
    pub(crate) fn until(&self) -> Instant {
        self.until
    }

    /// How long it has taken so far.
    pub(crate) fn took(&self, now: Instant) -> Duration {
        self.fetch.timeout.saturating_sub(self.until.saturating_duration_since(now))
    }

    /// Whom it asks: `https://example.org`.
    pub(crate) fn origin(&self) -> String {
        self.at.origin()
    }

    /// The line of the script that asked, for messages.
    pub(crate) fn asked_at(&self) -> Option<(String, u32)> {
        self.fetch.at.clone()
    }

    /// The answer to a step came.
    pub(crate) fn answered(
        &mut self,
        now: Instant,
        answer: Result<Fetched, FetchError>,
        allowed: &[Allowed],
    ) -> Next {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Next::Done(Err(self.fault(error))),
        };
        let location = answer.headers.iter().find(|(name, _)| name == "location");
        let (true, Some((_, location))) = (is_redirect(answer.status), location) else {
            return Next::Done(Ok(answer));
        };
        if self.fetch.redirects_max == 0 {
            return Next::Done(Ok(answer));
        }
        if self.redirects_left == 0 {
            return Next::Done(Err(plain("too many redirects")));
        }
        let to = match self.at.join(location) {
            Ok(to) => to,
            Err(problem) => {
                let advice = format!("{} redirects to an address that {problem}", self.at.origin());
                return Next::Done(Err(FetchFault { why: "broken", advice }));
            }
        };
        let Some(reach) = reach(allowed, &to) else {
            let from = format!("{} redirects there; ", self.at.origin());
            return Next::Done(Err(not_allowed(&to, &from)));
        };
        self.redirects_left -= 1;
        self.move_to(to, answer.status);
        Next::Send(self.request(now, reach))
    }

    /// Follows a redirect (RFC 9110 §15.4).
    fn move_to(&mut self, to: Address, status: u16) {
        let becomes_get = match status {
            303 => self.fetch.method != "HEAD",
            // As everybody does it.
            301 | 302 => self.fetch.method == "POST",
            _ => false,
        };
        if becomes_get {
            self.fetch.method = "GET".into();
            self.fetch.body.clear();
            self.fetch.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
        }
        if to.origin() != self.at.origin() {
            // What was meant for one may be a secret to the other.
            let harmless = |name: &str| HARMLESS.iter().any(|own| name.eq_ignore_ascii_case(own));
            self.fetch.headers.retain(|(name, _)| harmless(name));
        }
        self.at = to;
    }

    fn request(&self, now: Instant, reach: Reach) -> Box<FetchRequest> {
        Box::new(FetchRequest {
            method: self.fetch.method.clone(),
            url: self.at.to_string(),
            headers: self.fetch.headers.clone(),
            body: self.fetch.body.clone(),
            timeout: self.until.saturating_duration_since(now),
            body_bytes_max: self.fetch.body_bytes_max,
            reach,
        })
    }

    fn fault(&self, error: FetchError) -> FetchFault {
        match error {
            FetchError::Timeout => plain("timeout"),
            FetchError::NoSuchHost => plain("no such host"),
            FetchError::Refused => plain("refused"),
            FetchError::TooLarge => plain("too large"),
            FetchError::Busy => plain("busy"),
            FetchError::Broken => plain("broken"),
            FetchError::NotTrusted(why) => {
                let advice = format!("{} {}", self.at.origin(), not_trusted(why));
                FetchFault { why: "not trusted", advice }
            }
            FetchError::NotPublic => {
                let advice = format!(
                    "the host leads into a private network; if that is meant, name it: add \
                     \"{}/\" to `allow` in [http] of cordboard.toml",
                    self.at.origin()
                );
                FetchFault { why: "not allowed", advice }
            }
        }
    }
}

/// What a script is told at once that asks for an address which it may not reach; `None` if it may.
pub fn refused_fetch(url: &str, allowed: &[Allowed]) -> Option<FetchFault> {
    match Address::parse(url) {
        Err(problem) => Some(malformed(problem)),
        Ok(at) if reach(allowed, &at).is_none() => Some(not_allowed(&at, "")),
        Ok(_) => None,
    }
}

fn not_trusted(why: Distrust) -> &'static str {
    match why {
        Distrust::Unknown => {
            "has a certificate that nobody known has signed; an authority of your own belongs into \
             `ca` in [http] of cordboard.toml"
        }
        Distrust::OtherHost => "has the certificate of another host; ask it by the name in there",
        Distrust::OutOfDate => "has a certificate that counts no more, or not yet",
        Distrust::Unfit => {
            "has a certificate that cannot be a server's; one of openssl's own signing is an \
             authority unless it is made with -addext basicConstraints=critical,CA:FALSE"
        }
        Distrust::NoTls => "does not speak TLS as we do; does its address begin with http://?",
    }
}

/// What a script is told when the time is over.
pub(crate) fn timed_out() -> FetchFault {
    plain("timeout")
}

fn plain(why: &'static str) -> FetchFault {
    FetchFault { why, advice: String::new() }
}

fn malformed(problem: &str) -> FetchFault {
    FetchFault { why: "not allowed", advice: format!("the address {problem}") }
}

/// Says which line to add; of the address no more than the host, since the rest may be secret.
fn not_allowed(to: &Address, before: &str) -> FetchFault {
    let origin = to.origin();
    let advice = format!("{before}add \"{origin}/\" to `allow` in [http] of cordboard.toml");
    FetchFault { why: "not allowed", advice }
}

fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Headers that go along to another host.
const HARMLESS: [&str; 4] = ["accept", "accept-language", "content-type", "user-agent"];

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "simulated time starts somewhere")]
mod tests {
    use std::time::Duration;

    use super::*;

    fn fetch(method: &str, url: &str) -> Fetch {
        let header = |name: &str| (name.to_owned(), "x".to_owned());
        Fetch {
            method: method.into(),
            url: url.into(),
            headers: vec![header("Accept"), header("Authorization"), header("Content-Type")],
            body: b"body".to_vec(),
            timeout: Duration::from_secs(10),
            body_bytes_max: 100,
            redirects_max: 2,
            at: None,
        }
    }

    fn allowed() -> Vec<Allowed> {
        ["https://a/", "https://b/b/"].map(|entry| Allowed::parse(entry).unwrap()).into()
    }

    fn redirect(status: u16, location: &str) -> Result<Fetched, FetchError> {
        let headers = vec![("location".to_owned(), location.to_owned())];
        Ok(Fetched { status, headers, body: Vec::new() })
    }

    /// What is sent after these redirects, or what the script is told.
    fn play(method: &str, steps: &[(u16, &str)]) -> String {
        let now = Instant::now();
        let (mut fetching, mut request) =
            Fetching::begin(now, fetch(method, "https://a/x"), &allowed()).unwrap();
        for (status, location) in steps {
            let later = now + Duration::from_secs(3);
            match fetching.answered(later, redirect(*status, location), &allowed()) {
                Next::Send(next) => request = next,
                Next::Done(Ok(answer)) => return format!("{}", answer.status),
                Next::Done(Err(fault)) => return format!("{}: {}", fault.why, fault.advice),
            }
        }
        let names: Vec<_> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
        let FetchRequest { method, url, body, timeout, .. } = &*request;
        format!("{method} {url} {} {} {timeout:?}", names.join(","), body.len())
    }

    #[test]
    fn a_redirect_is_followed_where_it_is_allowed() {
        assert_eq!(
            play("PUT", &[(307, "/y")]),
            "PUT https://a/y Accept,Authorization,Content-Type 4 7s"
        );
        assert_eq!(play("POST", &[(302, "y")]), "GET https://a/y Accept,Authorization 0 7s");
        assert_eq!(play("PUT", &[(303, "y")]), "GET https://a/y Accept,Authorization 0 7s");
        assert_eq!(play("POST", &[(304, "y")]), "304");
    }

    #[test]
    fn what_was_meant_for_one_host_is_not_told_another() {
        assert_eq!(
            play("POST", &[(308, "https://b/b/")]),
            "POST https://b/b/ Accept,Content-Type 4 7s"
        );
    }

    #[test]
    fn a_redirect_elsewhere_or_without_end_is_not_followed() {
        assert_eq!(
            play("GET", &[(302, "https://b/secret?token=1")]),
            "not allowed: https://a redirects there; add \"https://b/\" to `allow` in [http] of cordboard.toml"
        );
        assert_eq!(
            play("GET", &[(302, "http://a/")]),
            "not allowed: https://a redirects there; add \"http://a/\" to `allow` in [http] of cordboard.toml"
        );
        assert_eq!(play("GET", &[(301, "/1"), (301, "/2"), (301, "/3")]), "too many redirects: ");
        assert_eq!(
            play("GET", &[(301, "https://b/\r\nX: y")]),
            "broken: https://a redirects to an address that has characters that must be escaped"
        );
    }

    #[test]
    fn who_is_not_trusted_is_named_with_the_reason() {
        let now = Instant::now();
        let told = |why| {
            let (mut fetching, _) =
                Fetching::begin(now, fetch("GET", "https://a/x?token=1"), &allowed()).unwrap();
            match fetching.answered(now, Err(FetchError::NotTrusted(why)), &allowed()) {
                Next::Done(Err(FetchFault { why: "not trusted", advice })) => advice,
                next => panic!("{next:?}"),
            }
        };
        assert!(told(Distrust::Unknown).starts_with("https://a has a certificate that nobody"));
        assert!(told(Distrust::Unknown).contains("`ca` in [http]"));
        for (why, part) in [
            (Distrust::OtherHost, "of another host"),
            (Distrust::OutOfDate, "no more, or not yet"),
            (Distrust::Unfit, "CA:FALSE"),
            (Distrust::NoTls, "does not speak TLS"),
        ] {
            let advice = told(why);
            assert!(advice.contains(part) && !advice.contains("token"), "{advice}");
        }
    }

    #[test]
    fn with_no_redirects_the_redirect_is_the_answer() {
        let now = Instant::now();
        let fetch = Fetch { redirects_max: 0, ..fetch("GET", "https://a/") };
        let (mut fetching, _) = Fetching::begin(now, fetch, &allowed()).unwrap();
        let next = fetching.answered(now, redirect(302, "https://evil/"), &allowed());
        assert!(matches!(next, Next::Done(Ok(Fetched { status: 302, .. }))), "{next:?}");
    }

    #[test]
    fn what_is_not_allowed_is_not_sent_and_says_which_line_to_add() {
        let fault =
            Fetching::begin(Instant::now(), fetch("GET", "https://c:8443/x?token=1"), &allowed());
        let fault = fault.unwrap_err();
        assert_eq!(fault.why, "not allowed");
        assert_eq!(fault.advice, "add \"https://c:8443/\" to `allow` in [http] of cordboard.toml");
        let climbing =
            Fetching::begin(Instant::now(), fetch("GET", "https://b/b/../x"), &allowed());
        assert_eq!(climbing.unwrap_err().advice, "the address has . or .. in its path");
    }
}
