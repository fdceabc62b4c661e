//! Who is calling or registering, and may they: digest, allowed networks, and slowing down guesses.
//!
//! Known and unknown names are treated alike, so that nobody can learn which accounts exist. RFC 3261
//! §22, RFC 8760.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use sip_engine::{DigestServer, Verdict};
use sip_syntax::{Credentials, Method, Request, Uri};

use crate::config::{Config, Peer};
use crate::guessers::Guessers;

/// Checks credentials and remembers who guesses.
#[derive(Debug)]
pub(crate) struct Auth {
    digest: DigestServer,
    /// Verified against when the account does not exist, so that it takes as long as when it does.
    decoy_secret: String,
    guessers: Guessers,
}

/// Who is speaking, as far as we could prove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// This account, by digest.
    Account(String),
    /// Somebody in a network that the configuration trusts, by this name.
    Peer(String),
}

/// What to do with a request that needs a known speaker.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Judgement<S> {
    /// Go on.
    Allow(S),
    /// 401 with these WWW-Authenticate values, after this wait.
    Challenge {
        /// Header values, strongest first.
        challenges: Vec<String>,
        /// How long to hold the answer back.
        wait: Duration,
    },
    /// 403 without a look at the credentials: this address guessed too often.
    Ban,
}

impl Auth {
    pub(crate) fn new(config: &Config, rng: &mut fastrand::Rng) -> Self {
        let decoy_secret = std::iter::repeat_with(|| rng.alphanumeric()).take(24).collect();
        Self {
            digest: DigestServer::new(&config.domain, rng.u64(..)).offering(&config.digest),
            decoy_secret,
            guessers: Guessers::new("secrets"),
        }
    }

    /// Decides who calls: an account, or without credentials somebody in a network that may call
    /// without them.
    pub(crate) fn judge_caller(
        &mut self,
        now: Instant,
        config: &Config,
        request: &Request,
        source: SocketAddr,
        at_home: bool,
    ) -> Judgement<Speaker> {
        if credentials_for(config, request).is_none()
            && let Some(peer) = peer_of(&config.peers, source.ip())
        {
            return Judgement::Allow(Speaker::Peer(peer.name.clone()));
        }
        match self.judge_account(now, config, request, source, at_home) {
            Judgement::Allow(account) => Judgement::Allow(Speaker::Account(account)),
            Judgement::Challenge { challenges, wait } => Judgement::Challenge { challenges, wait },
            Judgement::Ban => Judgement::Ban,
        }
    }

    /// Decides which account sent `request`. `at_home` tells whether the source already holds a
    /// registration, so that a stranger behind the same address cannot lock its owner out.
    pub(crate) fn judge_account(
        &mut self,
        now: Instant,
        config: &Config,
        request: &Request,
        source: SocketAddr,
        at_home: bool,
    ) -> Judgement<String> {
        let Some(credentials) = credentials_for(config, request) else {
            return self.challenge(now, source.ip(), false, Duration::ZERO);
        };
        if self.guessers.is_banned(now, source.ip()) && !at_home {
            return Judgement::Ban;
        }
        let user = credentials.username().unwrap_or_default();
        let user = String::from_utf8_lossy(&user);
        let account = config.accounts.get(user.as_ref());
        let secret = account.map_or(self.decoy_secret.as_str(), |account| account.secret.as_str());
        let method = request.method();
        let verdict = match self.digest.verify(now, source.ip(), &credentials, method, secret) {
            Verdict::Good if !is_proof_for(&credentials, request) => Verdict::Wrong,
            verdict @ (Verdict::Good | Verdict::Stale | Verdict::Wrong | Verdict::Replayed) => {
                verdict
            }
        };
        match (verdict, account) {
            (Verdict::Good, Some(account)) => {
                self.guessers.forgive(source.ip());
                Judgement::Allow(account.user.clone())
            }
            (Verdict::Stale | Verdict::Replayed, _) => {
                self.challenge(now, source.ip(), true, Duration::ZERO)
            }
            (Verdict::Good | Verdict::Wrong, _) => {
                let wait = self.guessers.note_failure(now, source.ip());
                tracing::warn!(
                    account = %printable(&user),
                    %source,
                    "wrong secret for {}: check the password set in that phone",
                    request.method(),
                );
                self.challenge(now, source.ip(), false, wait)
            }
        }
    }

    fn challenge(
        &mut self,
        now: Instant,
        source: IpAddr,
        stale: bool,
        wait: Duration,
    ) -> Judgement<String> {
        Judgement::Challenge { challenges: self.digest.challenges(now, source, stale), wait }
    }
}

/// Whether a proof was made for this call: one for another number is not. Some phones prove the
/// domain alone; a registration names nobody but its account.
fn is_proof_for(credentials: &Credentials, request: &Request) -> bool {
    let user = |uri: &[u8]| Uri::parse_slice(uri).ok()?.user();
    *request.method() != Method::Invite
        || credentials
            .uri()
            .and_then(|proven| user(&proven))
            .is_none_or(|proven| user(request.uri_bytes()) == Some(proven))
}

/// The credentials that answer a challenge of ours, if there are any.
fn credentials_for(config: &Config, request: &Request) -> Option<Credentials> {
    request.authorizations().into_iter().find(|credentials| {
        credentials.realm().is_some_and(|realm| *realm == *config.domain.as_bytes())
    })
}

/// The configured network that holds `address`, if any.
pub(crate) fn peer_of(peers: &[Peer], address: IpAddr) -> Option<&Peer> {
    peers.iter().find(|peer| peer.contains(address))
}

/// A name from the network, safe for a log line.
pub(crate) fn printable(name: &str) -> String {
    name.chars().take(64).map(|c| if c.is_control() { '?' } else { c }).collect()
}
