//! Slows down whoever guesses secrets, and refuses them after a while.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Remembers who guesses.
#[derive(Debug)]
pub(crate) struct Guessers {
    /// What they guess, for the log.
    what: &'static str,
    /// By [`neighbourhood`].
    known: BTreeMap<IpAddr, Guesser>,
    /// When those who were good for long enough are forgotten next.
    prune_at: Option<Instant>,
}

/// What is known of an address that sent wrong credentials.
#[derive(Debug, Clone, Copy)]
struct Guesser {
    failures: u32,
    last_at: Instant,
}

impl Guessers {
    /// Nobody has guessed yet; `what` is what may be wrong: `secrets`.
    pub(crate) fn new(what: &'static str) -> Self {
        Self { what, known: BTreeMap::new(), prune_at: None }
    }

    /// Somebody there knows it after all.
    pub(crate) fn forgive(&mut self, source: IpAddr) {
        self.known.remove(&neighbourhood(source));
    }

    /// Counts a failure and says how long to hold the answer back.
    pub(crate) fn note_failure(&mut self, now: Instant, source: IpAddr) -> Duration {
        if self.prune_at.is_none_or(|at| now >= at) {
            self.prune_at = Some(now + FORGET_AFTER);
            self.known.retain(|_, guesser| now < guesser.last_at + FORGET_AFTER);
        }
        let key = neighbourhood(source);
        if self.known.len() >= GUESSERS_MAX && !self.known.contains_key(&key) {
            return WAIT_MAX;
        }
        let guesser = self
            .known
            .entry(key)
            .and_modify(|guesser| {
                if now >= guesser.last_at + FORGET_AFTER {
                    guesser.failures = 0;
                }
            })
            .or_insert(Guesser { failures: 0, last_at: now });
        guesser.failures = guesser.failures.saturating_add(1);
        guesser.last_at = now;
        if guesser.failures == FAILURES_MAX {
            let what = self.what;
            tracing::warn!(%source, "{FAILURES_MAX} wrong {what}: refused for {FORGET_AFTER:?}");
        }
        (WAIT_STEP * guesser.failures).min(WAIT_MAX)
    }

    /// Whether nothing from there is looked at for now.
    pub(crate) fn is_banned(&self, now: Instant, source: IpAddr) -> bool {
        self.known.get(&neighbourhood(source)).is_some_and(|guesser| {
            guesser.failures >= FAILURES_MAX && now < guesser.last_at + FORGET_AFTER
        })
    }
}

/// Who counts as one guesser: an IPv4 address, or an IPv6 network of 64 bits, all of which one host may
/// use as it likes.
pub(crate) fn neighbourhood(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() >> 64 << 64).into()),
        ip @ IpAddr::V4(_) => ip,
    }
}

/// Wrong secrets from one address before it is refused.
const FAILURES_MAX: u32 = 10;
/// How long an address stays refused after its last wrong secret.
pub(crate) const FORGET_AFTER: Duration = Duration::from_secs(300);
/// Each failure holds the next answer back by this much more,
const WAIT_STEP: Duration = Duration::from_millis(250);
/// up to this.
const WAIT_MAX: Duration = Duration::from_secs(2);
/// Addresses remembered; beyond, every wrong secret waits longest.
const GUESSERS_MAX: usize = 10_000;
