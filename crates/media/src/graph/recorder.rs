//! Records what one leg says, in true time: what was lost or never sent is silence, what came in the
//! wrong order is put right.
//!
//! Sample 0 is the moment recording began. A packet's place follows from its RTP timestamp, moved so
//! that the first packet ends when it arrived; only a stream that strays far from the clock is placed
//! anew. Whatever is older than [`REORDER_WINDOW`] is final and handed on.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::codec::g711::Law;
use crate::rtp::{Rtp, timestamp_distance};
use crate::sound::{samples_to_time, time_to_samples};
use crate::{Event, JobId, LegId, RecordEnd, RecordLimits};

#[cfg(test)]
mod tests;

/// One recording.
#[derive(Debug)]
pub(crate) struct Recorder {
    leg: LegId,
    job: JobId,
    started_at: Instant,
    /// In samples, like all positions here.
    max: u64,
    silence: Option<u64>,
    terminator: Option<char>,
    placing: Option<Placing>,
    /// Everything before this is final.
    settled: u64,
    /// Samples from `settled` on that may still change.
    pending: Vec<i16>,
    /// Final samples not yet handed on.
    chunk: Vec<i16>,
    block_sum: u64,
    block_samples: u64,
    /// End of the last block that was not silence.
    voice_until: u64,
}

/// Where a stream's timestamps lie on our time.
#[derive(Debug, Clone, Copy)]
struct Placing {
    ssrc: u32,
    timestamp: u32,
    position: u64,
}

/// Whether a recording goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    GoesOn,
    Ended,
}

impl Recorder {
    pub(crate) fn new(now: Instant, leg: LegId, job: JobId, limits: RecordLimits) -> Self {
        Self {
            leg,
            job,
            started_at: now,
            max: time_to_samples(limits.max.min(LENGTH_MAX)),
            silence: limits.silence.map(time_to_samples),
            terminator: limits.terminator,
            placing: None,
            settled: 0,
            pending: Vec::new(),
            chunk: Vec::new(),
            block_sum: 0,
            block_samples: 0,
            voice_until: 0,
        }
    }

    pub(crate) fn job(&self) -> JobId {
        self.job
    }

    /// Takes the sound of one packet.
    pub(crate) fn handle_packet(&mut self, now: Instant, rtp: &Rtp<'_>, law: Law) {
        let length = rtp.payload.len() as u64;
        let expected = self.position_at(now).saturating_sub(length);
        let mut position = self
            .placing
            .filter(|placing| placing.ssrc == rtp.ssrc)
            .and_then(|placing| {
                let later = timestamp_distance(placing.timestamp, rtp.timestamp);
                placing.position.checked_add_signed(i64::from(later))
            })
            .filter(|position| position.abs_diff(expected) <= STRAY_MAX);
        if position.is_some_and(|position| position + length <= self.settled)
            && self.is_newest(rtp.timestamp)
        {
            // The sender's clock is slower than ours, and by now too late.
            position = None;
        }
        let position = position.unwrap_or(expected);
        if self.is_newest(rtp.timestamp) || position == expected {
            self.placing = Some(Placing { ssrc: rtp.ssrc, timestamp: rtp.timestamp, position });
        }
        let late = self.settled.saturating_sub(position);
        let offset = position.saturating_sub(self.settled) as usize;
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
        if self.terminator != Some(digit) {
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
        let until = self.position_at(now).saturating_sub(REORDER_WINDOW);
        self.settle(until, events)
    }

    /// When the next chunk is full, or the recording may be over.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let chunk_full = (self.settled / CHUNK as u64 + 1) * CHUNK as u64;
        let silent = self
            .silence
            .map_or(u64::MAX, |silence| self.voice_until.saturating_add(silence).max(self.settled));
        let due = chunk_full.min(self.max).min(silent);
        self.started_at.checked_add(samples_to_time(due.saturating_add(REORDER_WINDOW)))
    }

    /// Hands on all there is, up to this moment, and says why it ended; an earlier end by length or
    /// silence comes first.
    pub(crate) fn stop(&mut self, now: Instant, reason: RecordEnd, events: &mut VecDeque<Event>) {
        match self.settle(self.position_at(now), events) {
            Progress::GoesOn => self.end(reason, events),
            Progress::Ended => {}
        }
    }

    fn settle(&mut self, until: u64, events: &mut VecDeque<Event>) -> Progress {
        if let Some(reason) = self.end_reached() {
            self.end(reason, events);
            return Progress::Ended;
        }
        let count = until.saturating_sub(self.settled).min(self.max - self.settled) as usize;
        let pending = self.pending.len().min(count);
        let silence = std::iter::repeat_n(0, count - pending);
        let rest = self.pending.split_off(pending);
        let ready = std::mem::replace(&mut self.pending, rest);
        for sample in ready.into_iter().chain(silence) {
            self.take(sample, events);
            if let Some(reason) = self.end_reached() {
                self.end(reason, events);
                return Progress::Ended;
            }
        }
        Progress::GoesOn
    }

    fn take(&mut self, sample: i16, events: &mut VecDeque<Event>) {
        self.chunk.push(sample);
        self.settled += 1;
        self.block_sum += u64::from(sample.unsigned_abs());
        self.block_samples += 1;
        if self.block_samples == BLOCK {
            if self.block_sum >= VOICE_MIN * BLOCK {
                self.voice_until = self.settled;
            }
            (self.block_sum, self.block_samples) = (0, 0);
        }
        if self.chunk.len() >= CHUNK {
            self.hand_on(events);
        }
    }

    fn end_reached(&self) -> Option<RecordEnd> {
        let silent = self.settled - self.voice_until;
        if self.silence.is_some_and(|silence| silent >= silence) {
            Some(RecordEnd::Silence)
        } else if self.settled >= self.max {
            Some(RecordEnd::Max)
        } else {
            None
        }
    }

    fn end(&mut self, reason: RecordEnd, events: &mut VecDeque<Event>) {
        self.hand_on(events);
        events.push_back(Event::RecordEnded {
            leg: self.leg,
            job: self.job,
            reason,
            length: samples_to_time(self.settled),
            trailing_silence: samples_to_time(self.settled - self.voice_until),
        });
    }

    fn hand_on(&mut self, events: &mut VecDeque<Event>) {
        if self.chunk.is_empty() {
            return;
        }
        let samples = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK));
        events.push_back(Event::RecordChunk { leg: self.leg, job: self.job, samples });
    }

    fn position_at(&self, now: Instant) -> u64 {
        time_to_samples(now.saturating_duration_since(self.started_at))
    }

    fn is_newest(&self, timestamp: u32) -> bool {
        self.placing.is_none_or(|newest| timestamp_distance(newest.timestamp, timestamp) >= 0)
    }
}

/// How long a packet is waited for, in samples: 100 ms.
const REORDER_WINDOW: u64 = 800;

/// Samples in a chunk: 500 ms.
const CHUNK: usize = 4_000;

/// A stream that is further than this from where the clock puts it, in samples, is placed anew.
const STRAY_MAX: u64 = 4_000;

/// Loudness is judged over so many samples: 20 ms.
const BLOCK: u64 = 160;

/// A block is voice when its samples are at least this far from zero on average, of 32,767: 42 dB
/// below full scale, above the hiss of a line and below anybody who speaks.
const VOICE_MIN: u64 = 256;

/// Longest recording, whatever was asked for.
const LENGTH_MAX: Duration = Duration::from_secs(24 * 3_600);
