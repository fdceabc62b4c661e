//! Asking for proof and checking it.
//!
//! Nonces are signed, not stored: a stranger can ask for as many as he likes and costs no memory. Only
//! a nonce that carried a right proof is remembered, with the counts it was used with, so that no
//! proof works twice. Each is good only for the network that it was sent to, so that a proof overheard
//! is of no use elsewhere, and nobody is blamed for wrong proofs that another sent in their name.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use sip_syntax::{Credentials, Method, Request};
use subtle::ConstantTimeEq;

use super::{Algorithm, Proof, hex, quoted};

#[cfg(test)]
mod tests;

/// Makes challenges for one realm and checks the answers.
#[derive(Debug)]
pub struct DigestServer {
    realm: String,
    algorithms: Vec<Algorithm>,
    key: [u8; 32],
    /// The time all nonces count from: the first `now` seen.
    epoch: Option<Instant>,
    serial: u32,
    lifetime: Duration,
    used: BTreeMap<Issue, Window>,
    used_max: usize,
    /// Nonces issued up to here count as stale, since what they were used for was forgotten.
    floor: Option<Issue>,
    evicted: u64,
}

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The secret is right and this proof was never seen before.
    Good,
    /// The nonce is missing, too old, not ours or not for this source: challenge again, with stale.
    /// Whether the secret is right was not looked at.
    Stale,
    /// The nonce was really sent to this source, and the secret is wrong, or what it was used for
    /// differs from the request.
    Wrong,
    /// The secret is right, but this proof was used before: challenge again, with stale.
    Replayed,
}

/// When a nonce was issued, in milliseconds since the epoch, and a number to tell apart those of one
/// millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Issue {
    at_ms: u64,
    serial: u32,
}

/// The counts a nonce was used with: the highest, and one bit for each of the 64 up to it.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    highest: u32,
    seen: u64,
}

impl DigestServer {
    /// `seed` must be secret and differ from start to start: who knows it can make nonces.
    pub fn new(realm: impl Into<String>, seed: u64) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"nonces");
        hash.update(seed.to_be_bytes());
        DigestServer {
            realm: realm.into(),
            algorithms: ALGORITHMS.to_vec(),
            key: hash.finalize().into(),
            epoch: None,
            serial: 0,
            lifetime: LIFETIME,
            used: BTreeMap::new(),
            used_max: USED_MAX,
            floor: None,
            evicted: 0,
        }
    }

    /// Offers and accepts only these, in this order. There are phones that read just the first challenge,
    /// and phones that give up at any algorithm they do not know.
    #[must_use]
    pub fn offering(mut self, algorithms: &[Algorithm]) -> Self {
        self.algorithms = algorithms.to_vec();
        self
    }

    /// The realm, as it stands in challenges.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// Nonces forgotten before their time because too many were in use; proofs with them get a new
    /// challenge.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Values for WWW-Authenticate (or Proxy-Authenticate), best first, one header field each: SHA-256,
    /// then MD5 (RFC 8760 §2.3), unless [`Self::offering`] said otherwise. They are for `source` and its
    /// neighbours. `stale` tells the client that its secret was not the matter.
    pub fn challenges(&mut self, now: Instant, source: IpAddr, stale: bool) -> Vec<String> {
        let issue = Issue { at_ms: self.elapsed_ms(now), serial: self.serial };
        self.serial = self.serial.wrapping_add(1);
        let (realm, nonce) = (quoted(&self.realm), self.nonce(issue, source));
        let stale = if stale { ", stale=true" } else { "" };
        self.algorithms
            .iter()
            .map(|algorithm| {
                let algorithm = algorithm.as_str();
                format!(
                    "Digest realm={realm}, nonce=\"{nonce}\", algorithm={algorithm}, \
                     qop=\"auth\"{stale}"
                )
            })
            .collect()
    }

    /// Checks an answer that came from `source` against the secret of the user it names, and marks it
    /// as used.
    ///
    /// Takes the same time for any secret of one length. Whether the URI in it is the request's is for
    /// [`Self::verify_request`], or for the caller, to see.
    pub fn verify(
        &mut self,
        now: Instant,
        source: IpAddr,
        credentials: &Credentials,
        method: &Method,
        secret: &str,
    ) -> Verdict {
        let issue = credentials.nonce().and_then(|nonce| self.issue_of(&nonce, source));
        let Some(issue) = issue else {
            return Verdict::Stale;
        };
        let age = Duration::from_millis(self.elapsed_ms(now).saturating_sub(issue.at_ms));
        if age > self.lifetime || self.floor.is_some_and(|floor| issue <= floor) {
            return Verdict::Stale;
        }
        let Some(count) = self.check_proof(credentials, method, secret) else {
            return Verdict::Wrong;
        };
        if !self.used.get(&issue).copied().unwrap_or_default().is_free(count) {
            return Verdict::Replayed;
        }
        self.forget_old(now);
        if self.used.len() >= self.used_max && !self.used.contains_key(&issue) {
            self.evict_oldest();
            if self.floor.is_some_and(|floor| issue <= floor) {
                return Verdict::Stale;
            }
        }
        self.used.entry(issue).or_default().take(count);
        Verdict::Good
    }

    /// [`Self::verify`], and the URI that was proven must be the request's own (RFC 7616 §3.4.6).
    ///
    /// Not for everybody: some proxies rewrite the URI after the phone proved it, and some clients
    /// always prove the server's address.
    pub fn verify_request(
        &mut self,
        now: Instant,
        source: IpAddr,
        credentials: &Credentials,
        request: &Request,
        secret: &str,
    ) -> Verdict {
        match credentials.uri() {
            Some(uri) if is_same_uri(&uri, request.uri_bytes()) => {
                self.verify(now, source, credentials, request.method(), secret)
            }
            Some(_) | None => Verdict::Wrong,
        }
    }

    /// The nonce count; `None` if the proof is no good.
    fn check_proof(&self, credentials: &Credentials, method: &Method, secret: &str) -> Option<u32> {
        if !credentials.is_digest() {
            return None;
        }
        let (user, realm) = (credentials.username()?, credentials.realm()?);
        let (nonce, uri) = (credentials.nonce()?, credentials.uri()?);
        let algorithm = Algorithm::named(credentials.algorithm().as_deref())
            .filter(|algorithm| self.algorithms.contains(algorithm))?;
        if realm != self.realm.as_bytes() || uri.is_empty() {
            return None;
        }
        let (counted, count) = match credentials.qop() {
            Some(qop) if qop.eq_ignore_ascii_case(b"auth") => {
                let count = credentials.nonce_count()?;
                (Some((credentials.nc()?, credentials.cnonce()?)), count)
            }
            Some(_) => return None,
            // RFC 2069 clients do not count, so such a proof is count 0, good once.
            None => (None, 0),
        };
        let counted = counted.as_ref().map(|(count, client)| (count.as_ref(), client.as_ref()));
        let proof = Proof {
            algorithm,
            user: &user,
            realm: &realm,
            nonce: &nonce,
            method: method.as_bytes(),
            uri: &uri,
            counted,
        };
        let wanted = proof.response(secret.as_bytes());
        let response = credentials.response()?.to_ascii_lowercase();
        bool::from(wanted.as_bytes().ct_eq(&response)).then_some(count)
    }

    fn nonce(&self, issue: Issue, source: IpAddr) -> String {
        format!("{:012x}{:08x}{}", issue.at_ms, issue.serial, self.sign(issue, source))
    }

    /// Reads a nonce of our own making; `None` if it is forged, was sent to somebody else, or is from
    /// before the last start.
    fn issue_of(&self, nonce: &[u8], source: IpAddr) -> Option<Issue> {
        let nonce = str::from_utf8(nonce).ok()?;
        let issue = Issue {
            at_ms: u64::from_str_radix(nonce.get(..12)?, 16).ok()?,
            serial: u32::from_str_radix(nonce.get(12..20)?, 16).ok()?,
        };
        let own = self.nonce(issue, source);
        bool::from(own.as_bytes().ct_eq(nonce.as_bytes())).then_some(issue)
    }

    fn sign(&self, issue: Issue, source: IpAddr) -> String {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(issue.at_ms.to_be_bytes());
        hash.update(issue.serial.to_be_bytes());
        // The network, not the address: carriers give one phone several addresses of one network.
        match source.to_canonical() {
            IpAddr::V4(ip) => hash.update(ip.octets().get(..3).unwrap_or_default()),
            IpAddr::V6(ip) => hash.update(ip.octets().get(..6).unwrap_or_default()),
        }
        let signature = hash.finalize();
        hex(signature.get(..SIGNATURE_BYTES).unwrap_or_default())
    }

    fn elapsed_ms(&mut self, now: Instant) -> u64 {
        let epoch = *self.epoch.get_or_insert(now);
        u64::try_from(now.saturating_duration_since(epoch).as_millis()).unwrap_or(u64::MAX)
    }

    fn forget_old(&mut self, now: Instant) {
        let now_ms = self.elapsed_ms(now);
        let lifetime_ms = u64::try_from(self.lifetime.as_millis()).unwrap_or(u64::MAX);
        while let Some(oldest) = self.used.first_entry() {
            if now_ms.saturating_sub(oldest.key().at_ms) <= lifetime_ms {
                break;
            }
            oldest.remove();
        }
    }

    /// Makes room. Everything issued as early becomes stale, so that nothing forgotten works again.
    fn evict_oldest(&mut self) {
        if let Some((issue, _)) = self.used.pop_first() {
            self.floor = self.floor.max(Some(issue));
            self.evicted += 1;
        }
    }
}

impl Window {
    fn is_free(self, count: u32) -> bool {
        match self.highest.checked_sub(count) {
            None => true,
            Some(back) if back < u64::BITS => self.seen & (1 << back) == 0,
            Some(_) => false,
        }
    }

    fn take(&mut self, count: u32) {
        if let Some(ahead) = count.checked_sub(self.highest) {
            self.seen = self.seen.checked_shl(ahead).unwrap_or_default() | 1;
            self.highest = count;
        } else {
            self.seen |= 1_u64.checked_shl(self.highest - count).unwrap_or_default();
        }
    }
}

/// Equal as written, or as RFC 3261 §19.1.4 compares: some phones leave out a port or parameter.
fn is_same_uri(proven: &[u8], request: &[u8]) -> bool {
    if proven == request {
        return true;
    }
    let parse = sip_syntax::Uri::parse_slice;
    matches!((parse(proven), parse(request)), (Ok(proven), Ok(request)) if proven.same_as(&request))
}

/// Offered unless told otherwise, best first (RFC 8760 §2.3).
const ALGORITHMS: [Algorithm; 2] = [Algorithm::Sha256, Algorithm::Md5];
/// How long a nonce is good.
const LIFETIME: Duration = Duration::from_secs(300);

/// Nonces in use at once; some 48 bytes each. Beyond, the oldest become stale before their time.
const USED_MAX: usize = 131_072;

/// 80 bits: far beyond guessing within a nonce's lifetime, and short in a challenge.
const SIGNATURE_BYTES: usize = 10;
