//! The network between parties and exchange: how long messages take, and what becomes of them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sip_engine::Transport;

/// What is on its way, in order of arrival; of what arrives at one moment, what was sent first.
#[derive(Debug)]
pub struct Queue<T> {
    due: BTreeMap<(Instant, u64), T>,
    pushed: u64,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { due: BTreeMap::new(), pushed: 0 }
    }
}

impl<T> Queue<T> {
    /// Sends something that arrives then.
    pub fn push(&mut self, at: Instant, item: T) {
        self.pushed += 1;
        self.due.insert((at, self.pushed), item);
    }

    /// When the next thing arrives.
    pub fn next_at(&self) -> Option<Instant> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next thing that has arrived by now.
    pub fn pop_due(&mut self, now: Instant) -> Option<T> {
        let entry = self.due.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    /// Whether nothing is on its way.
    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }
}

/// How a network treats SIP messages, and how much of the sound it loses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weather {
    /// Shortest time a message takes.
    pub delay: Duration,
    /// Up to this much more, at random: messages overtake each other.
    pub jitter: Duration,
    /// Lost of a hundred messages over UDP, and of a hundred packets of sound.
    pub loss_percent: u8,
    /// Repeated of a hundred.
    pub repeat_percent: u8,
    /// Exactly this message is lost, counted from 0.
    pub lose: Option<u64>,
}

impl Default for Weather {
    fn default() -> Self {
        Self::calm()
    }
}

impl Weather {
    /// Everything arrives at once.
    pub fn calm() -> Self {
        Self {
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            loss_percent: 0,
            repeat_percent: 0,
            lose: None,
        }
    }

    /// Everything arrives but one message.
    pub fn losing(n: u64) -> Self {
        Self { lose: Some(n), ..Self::calm() }
    }

    /// A bad line: delay, loss, repeats, reordering.
    pub fn stormy() -> Self {
        Self {
            delay: Duration::from_millis(10),
            jitter: Duration::from_millis(300),
            loss_percent: 15,
            repeat_percent: 10,
            lose: None,
        }
    }

    /// When the copies of message `number` arrive, from its sending; none if it is lost. A stream
    /// loses nothing and keeps the order.
    pub fn fates(
        &self,
        rng: &mut fastrand::Rng,
        number: u64,
        transport: Transport,
    ) -> Vec<Duration> {
        if transport.is_reliable() {
            return vec![self.delay];
        }
        let lost = self.lose == Some(number) || rng.u8(0..100) < self.loss_percent;
        let copies = if lost {
            0
        } else if rng.u8(0..100) < self.repeat_percent {
            2
        } else {
            1
        };
        let jitter_us = u64::try_from(self.jitter.as_micros()).unwrap_or(u64::MAX);
        (0..copies).map(|_| self.delay + Duration::from_micros(rng.u64(0..=jitter_us))).collect()
    }
}
