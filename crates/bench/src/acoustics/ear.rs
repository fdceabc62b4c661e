//! One party's end of the sound of one call: what it says, presses and hears.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use media::Flag;

use super::leg::Leg;
use crate::Keys;
use crate::heard::Heard;
use crate::loss::Loss;

#[derive(Debug)]
pub(super) struct Ear {
    pub(super) address: SocketAddr,
    pub(super) described: Option<Described>,
    pub(super) present: bool,
    /// When it spoke, speaks or will speak; ascending, without overlaps.
    spoken: Vec<(Instant, Instant)>,
    pub(super) heard: Option<Heard>,
    /// Since when, if that is something played.
    pub(super) heard_since: Option<Instant>,
    keys: VecDeque<(Instant, char)>,
    /// What of its sound gets lost.
    pub(super) loss: Option<Loss>,
    /// Keys whose first packets got lost, and when one arrives that tells of them.
    late: VecDeque<(Instant, char)>,
    /// Keys that went down already, oldest first.
    pressed: Vec<(Instant, char)>,
    /// Keys that the far end recognises by their tones, a little later.
    recognised: VecDeque<(Instant, char)>,
}

/// What a party and the exchange agreed on, as the party sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Described {
    /// Where it sends its sound.
    pub(crate) remote: Option<SocketAddr>,
    pub(crate) sends: bool,
    pub(crate) receives: bool,
    pub(crate) keys: Keys,
}

/// How the far end gets to know of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pressed {
    Event(char),
    Tones(char),
}

impl Ear {
    pub(super) fn new(address: SocketAddr, loss: Option<Loss>) -> Self {
        Self {
            address,
            described: None,
            present: true,
            spoken: Vec::new(),
            heard: None,
            heard_since: None,
            keys: VecDeque::new(),
            loss,
            late: VecDeque::new(),
            pressed: Vec::new(),
            recognised: VecDeque::new(),
        }
    }

    pub(super) fn close(&mut self, now: Instant) {
        self.described = None;
        self.keys.clear();
        self.late.clear();
        self.recognised.clear();
        self.hush(now);
    }

    /// Whether what is said here is heard by this leg.
    pub(super) fn reaches(&self, leg: &Leg) -> bool {
        let sends_there = self.described.as_ref().is_some_and(|described| {
            described.sends && described.remote.is_some_and(|remote| remote.port() == leg.port)
        });
        let listens = leg.stream.as_ref().is_some_and(|stream| stream.receiving == Flag::On);
        self.present && sends_there && listens
    }

    pub(super) fn press(&mut self, now: Instant, keys: &str) -> Instant {
        for key in keys.chars() {
            let last = self.keys.back().or(self.pressed.last());
            let at = last.map_or(now, |(at, _)| now.max(*at + DOWN + UP));
            self.keys.push_back((at, key.to_ascii_uppercase()));
        }
        self.keys.back().map_or(now, |(at, _)| *at + DOWN)
    }

    /// The next key that the far end notices by now.
    pub(super) fn due_key(&mut self, now: Instant) -> Option<Pressed> {
        if self.recognised.front().is_some_and(|(at, _)| *at <= now) {
            return self.recognised.pop_front().map(|(_, key)| Pressed::Tones(key));
        }
        if self.late.front().is_some_and(|(at, _)| *at <= now) {
            return self.late.pop_front().map(|(_, key)| Pressed::Event(key));
        }
        loop {
            let (at, key) = *self.keys.front().filter(|(at, _)| *at <= now)?;
            self.keys.pop_front();
            self.pressed.push((at, key));
            match self.described.as_ref().map(|described| described.keys) {
                Some(Keys::Events) => match self.event_after(at) {
                    Some(Duration::ZERO) => return Some(Pressed::Event(key)),
                    Some(after) => self.late.push_back((at + after, key)),
                    None => {}
                },
                Some(Keys::Tones) => {
                    let after = self.tones_after(at);
                    self.recognised.extend(after.map(|after| (at + after, key)));
                }
                Some(Keys::Info) | None => {}
            }
        }
    }

    fn event_after(&self, down: Instant) -> Option<Duration> {
        self.loss.as_ref().map_or(Some(Duration::ZERO), |loss| loss.event_after(down, DOWN))
    }

    fn tones_after(&self, down: Instant) -> Option<Duration> {
        let undisturbed = Some(RECOGNISED_AFTER);
        let loss = self.loss.as_ref();
        loss.map_or(undisturbed, |loss| loss.tones_after(down, DOWN, RECOGNISED_AFTER))
    }

    pub(super) fn key_down(&self, now: Instant) -> Option<char> {
        self.pressed.last().filter(|(at, _)| now < *at + DOWN).map(|(_, key)| *key)
    }

    pub(super) fn say(&mut self, now: Instant, length: Duration) -> (Instant, Instant) {
        let from = self.spoken.last().map_or(now, |(_, until)| now.max(*until));
        match self.spoken.last_mut() {
            Some((_, until)) if *until == from => *until = from + length,
            Some(_) | None => self.spoken.push((from, from + length)),
        }
        (from, from + length)
    }

    /// When its speech got through: while a key is down, its packets tell of that instead.
    pub(super) fn spoken(&self) -> Vec<(Instant, Instant)> {
        let by_events = |described: &Described| described.keys == Keys::Events;
        if !self.described.as_ref().is_some_and(by_events) {
            return self.spoken.clone();
        }
        let mut stretches = Vec::new();
        for (from, until) in &self.spoken {
            let mut from = *from;
            for (down, _) in &self.pressed {
                if (from..*until).contains(down) {
                    stretches.push((from, *down));
                }
                if (*down..*down + DOWN).contains(&from) || (from..*until).contains(down) {
                    from = (*down + DOWN).min(*until);
                }
            }
            stretches.push((from, *until));
        }
        stretches
    }

    pub(super) fn hush(&mut self, now: Instant) {
        self.spoken.retain(|(from, _)| *from < now);
        if let Some((_, until)) = self.spoken.last_mut() {
            *until = now.min(*until);
        }
    }

    pub(super) fn wake_at(&self, now: Instant) -> Option<Instant> {
        let pressed = self.keys.front().map(|(at, _)| *at);
        let up = self.pressed.last().map(|(at, _)| *at + DOWN).filter(|at| *at > now);
        let recognised = self.recognised.front().map(|(at, _)| *at);
        let late = self.late.front().map(|(at, _)| *at);
        [pressed, up, recognised, late].into_iter().flatten().min()
    }
}

/// How long a key is pressed, and how long until the next.
const DOWN: Duration = Duration::from_millis(100);
const UP: Duration = Duration::from_millis(100);
/// The engine has heard enough of a key's tones after so long.
const RECOGNISED_AFTER: Duration = Duration::from_millis(60);
