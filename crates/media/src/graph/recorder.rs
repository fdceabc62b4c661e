//! Records what one leg says, in true time: what was lost or never sent is silence, what came in the
//! wrong order is put right.
//!
//! Sample 0 is the moment recording began. A packet's place follows from its RTP timestamp, moved so
//! that the first packet ends when it arrived; only a stream that strays far from the clock is placed
//! anew. Whatever is too old to be waited for is final, and goes to the [`Tape`].

use std::collections::VecDeque;
use std::time::Instant;

use crate::codec::g711::Law;
use crate::rtp::{Rtp, timestamp_distance};
use crate::{Event, JobId, LegId, Progress, RecordEnd, RecordLimits, Tape};

#[cfg(test)]
mod tests;

/// One recording.
#[derive(Debug)]
pub(crate) struct Recorder {
    tape: Tape,
    placing: Option<Placing>,
    /// Samples after those on the tape, which may still change.
    pending: Vec<i16>,
}

/// Where a stream's timestamps lie on our time.
#[derive(Debug, Clone, Copy)]
struct Placing {
    ssrc: u32,
    timestamp: u32,
    position: u64,
}

impl Recorder {
    pub(crate) fn new(now: Instant, leg: LegId, job: JobId, limits: RecordLimits) -> Self {
        Self { tape: Tape::new(now, leg, job, limits), placing: None, pending: Vec::new() }
    }

    pub(crate) fn job(&self) -> JobId {
        self.tape.job()
    }

    /// Takes the sound of one packet.
    pub(crate) fn handle_packet(&mut self, now: Instant, rtp: &Rtp<'_>, law: Law) {
        let length = rtp.payload.len() as u64;
        let settled = self.tape.settled();
        let expected = self.tape.position_at(now).saturating_sub(length);
        let mut position = self
            .placing
            .filter(|placing| placing.ssrc == rtp.ssrc)
            .and_then(|placing| {
                let later = timestamp_distance(placing.timestamp, rtp.timestamp);
                placing.position.checked_add_signed(i64::from(later))
            })
            .filter(|position| position.abs_diff(expected) <= STRAY_MAX);
        if position.is_some_and(|position| position + length <= settled)
            && self.is_newest(rtp.timestamp)
        {
            // The sender's clock is slower than ours, and by now too late.
            position = None;
        }
        let position = position.unwrap_or(expected);
        if self.is_newest(rtp.timestamp) || position == expected {
            self.placing = Some(Placing { ssrc: rtp.ssrc, timestamp: rtp.timestamp, position });
        }
        let late = settled.saturating_sub(position);
        let offset = position.saturating_sub(settled) as usize;
        let samples = rtp.payload.iter().skip(late as usize).map(|&byte| law.decode(byte));
        let end = offset + samples.len();
        if self.pending.len() < end {
            self.pending.resize(end, 0);
        }
        for (place, sample) in self.pending.iter_mut().skip(offset).zip(samples) {
            *place = sample;
        }
    }

    /// Ends the recording if this key does.
    pub(crate) fn handle_digit(
        &mut self,
        now: Instant,
        digit: char,
        events: &mut VecDeque<Event>,
    ) -> Progress {
        if !self.tape.is_ended_by(digit) {
            return Progress::GoesOn;
        }
        self.stop(now, RecordEnd::Digit(digit), events);
        Progress::Ended
    }

    /// Hands on what is due.
    pub(crate) fn handle_timeout(
        &mut self,
        now: Instant,
        events: &mut VecDeque<Event>,
    ) -> Progress {
        self.settle(self.tape.final_at(now), events)
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.tape.poll_timeout()
    }

    /// Hands on all there is, up to this moment, and says why it ended; an earlier end by length or
    /// silence comes first.
    pub(crate) fn stop(&mut self, now: Instant, reason: RecordEnd, events: &mut VecDeque<Event>) {
        match self.settle(self.tape.position_at(now), events) {
            Progress::GoesOn => self.tape.end(reason, events),
            Progress::Ended => {}
        }
    }

    fn settle(&mut self, until: u64, events: &mut VecDeque<Event>) -> Progress {
        let count = until.saturating_sub(self.tape.settled());
        let ready = self.pending.len().min(usize::try_from(count).unwrap_or(usize::MAX));
        let (samples, _) = self.pending.split_at(ready);
        if self.tape.extend(samples, events) == Progress::Ended {
            return Progress::Ended;
        }
        self.pending.drain(..ready);
        self.tape.extend_with_silence(count - ready as u64, events)
    }

    fn is_newest(&self, timestamp: u32) -> bool {
        self.placing.is_none_or(|newest| timestamp_distance(newest.timestamp, timestamp) >= 0)
    }
}

/// A stream that is further than this from where the clock puts it, in samples, is placed anew.
const STRAY_MAX: u64 = 4_000;
