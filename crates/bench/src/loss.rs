//! Which packets of a party's sound get lost.
//!
//! Nothing is drawn while time goes on: whether a packet is lost follows from the seed, the party and
//! the packet's number alone. So a bad line changes nothing else that happens, and an hour of it costs
//! nothing until somebody asks what was missing.

use std::time::{Duration, Instant};

use crate::{PartyId, Way};

/// The loss on the way to and from one party.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Loss {
    seed: u64,
    percent: u8,
    /// Packet 0 leaves then, at both ends.
    start: Instant,
}

impl Loss {
    /// So many of a hundred packets of this party get lost, each way.
    pub(crate) fn new(seed: u64, party: PartyId, percent: u8, start: Instant) -> Self {
        Self { seed: mixed(seed ^ (party.0 as u64 + 1)), percent, start }
    }

    /// Whether a packet is lost.
    pub(crate) fn takes(&self, way: Way, packet: u64) -> bool {
        let way = match way {
            Way::ToExchange => 0,
            Way::FromExchange => 1,
        };
        mixed(self.seed ^ (packet << 1 | way)) % 100 < u64::from(self.percent)
    }

    /// The number of the first packet that does not leave before then.
    pub(crate) fn packet_at(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.start).as_micros();
        u64::try_from(since.div_ceil(PACKET.as_micros())).unwrap_or(u64::MAX)
    }

    /// What arrives at the exchange of what is said from one moment to another.
    pub(crate) fn arriving(&self, from: Instant, until: Instant) -> Vec<(Instant, Instant)> {
        let mut stretches: Vec<(Instant, Instant)> = Vec::new();
        let mut at = from;
        while at < until {
            // A packet holds what was said before it leaves.
            let packet = self.packet_at(at + Duration::from_micros(1));
            let leaves = u32::try_from(packet).map_or(until, |packet| self.start + PACKET * packet);
            let end = leaves.min(until);
            if !self.takes(Way::ToExchange, packet) {
                match stretches.last_mut() {
                    Some((_, last)) if *last == at => *last = end,
                    Some(_) | None => stretches.push((at, end)),
                }
            }
            at = end;
        }
        stretches
    }

    /// How long after a key goes down its first packet arrives that tells of it; `None` when all are
    /// lost (RFC 4733 §2.5.1: each of them tells the whole event so far).
    pub(crate) fn event_after(&self, down: Instant, length: Duration) -> Option<Duration> {
        let first = self.packet_at(down);
        let packets = u32::try_from(length.as_micros() / PACKET.as_micros()).unwrap_or(u32::MAX);
        let arrives = |after: &u32| !self.takes(Way::ToExchange, first + u64::from(*after));
        (0..packets).find(arrives).map(|after| PACKET * after)
    }

    /// How long after a key goes down its tones have arrived for so long without a gap; `None` if they
    /// never do.
    pub(crate) fn tones_after(
        &self,
        down: Instant,
        length: Duration,
        needed: Duration,
    ) -> Option<Duration> {
        let whole = |(from, until): &&(Instant, Instant)| *until - *from >= needed;
        let arriving = self.arriving(down, down + length);
        arriving.iter().find(whole).map(|(from, _)| *from - down + needed)
    }
}

/// How much of the sound from one moment to another is lost on one of these ways, in whole packets.
pub(crate) fn missing(ways: &[(Loss, Way)], from: Instant, until: Instant) -> Duration {
    let Some((first, _)) = ways.first() else { return Duration::ZERO };
    let packets = first.packet_at(from)..first.packet_at(until);
    let lost = packets.filter(|packet| ways.iter().any(|(loss, way)| loss.takes(*way, *packet)));
    PACKET * u32::try_from(lost.count()).unwrap_or(u32::MAX)
}

/// Spreads numbers that are near each other (the finaliser of SplitMix64).
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// How much sound a packet holds.
const PACKET: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_as_much_is_lost_as_was_asked_for_and_each_time_the_same() {
        let start = Instant::now();
        let until = start + Duration::from_secs(200);
        for percent in [0, 1, 20, 50, 100] {
            let loss = Loss::new(7, PartyId(0), percent, start);
            let lost = missing(&[(loss, Way::FromExchange)], start, until).as_secs_f64() / 2.0;
            assert!((lost - f64::from(percent)).abs() <= 2.0, "{lost} of {percent}");
            let arrived = loss.arriving(start, until).into_iter().map(|(from, until)| until - from);
            let arrived = arrived.sum::<Duration>().as_secs_f64() / 2.0;
            assert!((arrived + f64::from(percent) - 100.0).abs() <= 2.0, "{arrived} of {percent}");
        }
        let lost = |seed, party| {
            let loss = Loss::new(seed, PartyId(party), 30, start);
            (0..500).map(|packet| loss.takes(Way::ToExchange, packet)).collect::<Vec<_>>()
        };
        assert_eq!(lost(1, 0), lost(1, 0));
        assert_ne!(lost(1, 0), lost(2, 0));
        let loss = Loss::new(1, PartyId(0), 30, start);
        let back: Vec<bool> =
            (0..500).map(|packet| loss.takes(Way::FromExchange, packet)).collect();
        assert_ne!(lost(1, 0), back);
        assert_ne!(lost(1, 0), lost(1, 1));
    }

    #[test]
    fn a_key_arrives_with_the_first_of_its_packets_that_does() {
        let start = Instant::now();
        let length = Duration::from_millis(100);
        let loss = Loss::new(3, PartyId(0), 60, start);
        for ms in 0..400 {
            let down = start + Duration::from_millis(ms);
            let first = ms.div_ceil(20);
            let arrives = (first..first + 5).find(|n| !loss.takes(Way::ToExchange, *n));
            let after = arrives.map(|n| Duration::from_millis(20 * (n - first)));
            assert_eq!(loss.event_after(down, length), after);
        }
        let all = Loss::new(3, PartyId(0), 100, start);
        assert_eq!(all.event_after(start, length), None);
        assert_eq!(all.tones_after(start, length, Duration::from_millis(60)), None);
    }
}
