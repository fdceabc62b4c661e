//! One recording, as a calculation: the same lengths, chunks and ends as that of the media engine.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Instant;

use media::{Event, JobId, LegId, RecordEnd, RecordLimits};

use super::{samples_to_time, time_to_samples};

/// One recording. Positions are samples since it began.
#[derive(Debug)]
pub(super) struct Recorder {
    leg: LegId,
    pub(super) job: JobId,
    pub(super) started_at: Instant,
    max: u64,
    silence: Option<u64>,
    terminator: Option<char>,
    /// Since when and until when the speaker could be heard; the last may still last.
    open: Vec<(Instant, Option<Instant>)>,
    /// Everything before this is final.
    settled: u64,
    chunk: Vec<i16>,
    /// Loudness of the block under way.
    block_sum: u64,
    /// End of the last block that was not silence.
    voice_until: u64,
}

/// Whether a recording goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    GoesOn,
    Ended,
}

/// Somebody's speech, as a recorder takes it.
#[derive(Debug)]
pub(super) struct Voice {
    pub(super) range: Range<u64>,
    pub(super) level: i16,
}

impl Recorder {
    pub(super) fn new(now: Instant, leg: LegId, job: JobId, limits: RecordLimits) -> Self {
        Self {
            leg,
            job,
            started_at: now,
            max: time_to_samples(limits.max),
            silence: limits.silence.map(time_to_samples),
            terminator: limits.terminator,
            open: Vec::new(),
            settled: 0,
            chunk: Vec::new(),
            block_sum: 0,
            voice_until: 0,
        }
    }

    /// From now on the speaker can be heard, or not.
    pub(super) fn set_open(&mut self, now: Instant, open: bool) {
        match (self.open.last_mut(), open) {
            (Some((_, None)), true) => {}
            (Some((_, until @ None)), false) => *until = Some(now),
            (Some((_, Some(_))) | None, true) => self.open.push((now, None)),
            (Some((_, Some(_))) | None, false) => {}
        }
    }

    /// Up to when everything is final.
    pub(super) fn settled_at(&self) -> Instant {
        self.started_at + samples_to_time(self.settled)
    }

    /// What there is of this speech while the speaker could be heard.
    pub(super) fn voice(
        &self,
        now: Instant,
        from: Instant,
        until: Instant,
        level: i16,
    ) -> Vec<Voice> {
        let overlap = |(open, close): &(Instant, Option<Instant>)| {
            let from = from.max(*open);
            let until = until.min(close.unwrap_or(now)).min(now);
            let range = self.position_at(from)..self.position_at(until);
            (!range.is_empty()).then_some(Voice { range, level })
        };
        self.open.iter().filter_map(overlap).collect()
    }

    pub(super) fn handle_digit(
        &mut self,
        now: Instant,
        digit: char,
        voices: &[Voice],
        events: &mut VecDeque<Event>,
    ) -> Progress {
        if self.terminator != Some(digit) {
            return Progress::GoesOn;
        }
        self.stop(now, RecordEnd::Digit(digit), voices, events);
        Progress::Ended
    }

    /// Hands on what is due.
    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        voices: &[Voice],
        events: &mut VecDeque<Event>,
    ) -> Progress {
        let until = self.position_at(now).saturating_sub(REORDER_WINDOW);
        self.settle(until, voices, events)
    }

    /// When the next chunk is full, or the recording may be over.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let chunk_full = (self.settled / CHUNK + 1) * CHUNK;
        let silent = self
            .silence
            .map_or(u64::MAX, |silence| self.voice_until.saturating_add(silence).max(self.settled));
        let due = chunk_full.min(self.max).min(silent);
        self.started_at.checked_add(samples_to_time(due.saturating_add(REORDER_WINDOW)))
    }

    /// Hands on all there is, and says why it ended; an earlier end by length or silence comes first.
    pub(super) fn stop(
        &mut self,
        now: Instant,
        reason: RecordEnd,
        voices: &[Voice],
        events: &mut VecDeque<Event>,
    ) {
        match self.settle(self.position_at(now), voices, events) {
            Progress::GoesOn => self.end(reason, events),
            Progress::Ended => {}
        }
    }

    /// Goes on to `until` in steps, each to the next place where something may happen.
    fn settle(&mut self, until: u64, voices: &[Voice], events: &mut VecDeque<Event>) -> Progress {
        loop {
            if let Some(reason) = self.end_reached() {
                self.end(reason, events);
                return Progress::Ended;
            }
            if self.settled >= until {
                return Progress::GoesOn;
            }
            let block_end = (self.settled / BLOCK + 1) * BLOCK;
            let silent = self.silence.map_or(u64::MAX, |silence| self.voice_until + silence);
            let next = block_end.min(until).min(self.max).min(silent).max(self.settled + 1);
            self.take(next, voices);
            if self.settled == block_end {
                if self.block_sum >= VOICE_MIN * BLOCK {
                    self.voice_until = self.settled;
                }
                self.block_sum = 0;
            }
            if self.chunk.len() as u64 >= CHUNK {
                self.hand_on(events);
            }
        }
    }

    /// Takes the samples up to `next`, which lie within one block.
    fn take(&mut self, next: u64, voices: &[Voice]) {
        let start = self.chunk.len();
        let count = usize::try_from(next - self.settled).unwrap_or(usize::MAX);
        self.chunk.resize(start + count, 0);
        for Voice { range, level } in voices {
            let from = range.start.max(self.settled).saturating_sub(self.settled);
            let until = range.end.min(next).saturating_sub(self.settled);
            let (from, until) = (from as usize, until as usize);
            if let Some(spoken) = self.chunk.get_mut(start + from..start + until) {
                spoken.fill(*level);
                self.block_sum += spoken.len() as u64 * u64::from(level.unsigned_abs());
            }
        }
        self.settled = next;
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
        let samples = std::mem::take(&mut self.chunk);
        events.push_back(Event::RecordChunk { leg: self.leg, job: self.job, samples });
    }

    fn position_at(&self, at: Instant) -> u64 {
        time_to_samples(at.saturating_duration_since(self.started_at))
    }
}

/// How long the media engine waits for late packets, in samples: 100 ms.
const REORDER_WINDOW: u64 = 800;
/// Samples in a chunk: 500 ms.
const CHUNK: u64 = 4_000;
/// Loudness is judged over so many samples: 20 ms.
const BLOCK: u64 = 160;
/// A block is voice when its samples are at least this far from zero on average.
const VOICE_MIN: u64 = 256;
