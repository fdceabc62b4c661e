//! A recording as it grows: what in it is voice, when it is over, and what is handed on.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::sound::{samples_to_time, time_to_samples};
use crate::{Event, JobId, LegId, RecordEnd, RecordLimits};

/// One recording at 8,000 Hz, without the packets it comes from.
///
/// Sample 0 is the moment recording began; all positions count from there.
#[derive(Debug)]
pub struct Tape {
    leg: LegId,
    job: JobId,
    started_at: Instant,
    max: u64,
    silence: Option<u64>,
    terminator: Option<char>,
    settled: u64,
    /// Samples not yet handed on.
    chunk: Vec<i16>,
    /// Loudness of the block under way.
    block_sum: u64,
    /// End of the last block that was not silence.
    voice_until: u64,
}

/// Whether a recording goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It does.
    GoesOn,
    /// It is over: all was handed on, and [`Event::RecordEnded`] said why.
    Ended,
}

impl Tape {
    /// Begins. No recording is longer than 24 hours, whatever its limits say.
    pub fn new(now: Instant, leg: LegId, job: JobId, limits: RecordLimits) -> Self {
        Self {
            leg,
            job,
            started_at: now,
            max: time_to_samples(limits.max.min(LENGTH_MAX)),
            silence: limits.silence.map(time_to_samples),
            terminator: limits.terminator,
            settled: 0,
            chunk: Vec::new(),
            block_sum: 0,
            voice_until: 0,
        }
    }

    /// What the recording is called by whoever asked for it.
    pub fn job(&self) -> JobId {
        self.job
    }

    /// How many samples there are, all of them final.
    pub fn settled(&self) -> u64 {
        self.settled
    }

    /// When the last of them was spoken.
    pub fn settled_at(&self) -> Instant {
        self.started_at + samples_to_time(self.settled)
    }

    /// The position of a moment; 0 for all before the recording began.
    pub fn position_at(&self, at: Instant) -> u64 {
        time_to_samples(at.saturating_duration_since(self.started_at))
    }

    /// The position up to which nothing is waited for any more: late packets have 100 ms.
    pub fn final_at(&self, now: Instant) -> u64 {
        self.position_at(now).saturating_sub(REORDER_WINDOW)
    }

    /// Whether this key ends the recording.
    pub fn is_ended_by(&self, digit: char) -> bool {
        self.terminator == Some(digit)
    }

    /// When the next chunk is full, or the recording may be over.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let chunk = CHUNK as u64;
        let chunk_full = (self.settled / chunk + 1) * chunk;
        let due = chunk_full.min(self.max).min(self.silent_from().max(self.settled));
        self.started_at.checked_add(samples_to_time(due.saturating_add(REORDER_WINDOW)))
    }

    /// Takes what was said next, up to where the recording is over.
    pub fn extend(&mut self, mut samples: &[i16], events: &mut VecDeque<Event>) -> Progress {
        loop {
            if let Some(reason) = self.end_reached() {
                self.end(reason, events);
                return Progress::Ended;
            }
            if samples.is_empty() {
                return Progress::GoesOn;
            }
            // To the next place where something may happen.
            let block_end = (self.settled / BLOCK + 1) * BLOCK;
            let next = block_end.min(self.max).min(self.silent_from());
            let count = next.saturating_sub(self.settled).max(1) as usize;
            let (step, rest) = samples.split_at(count.min(samples.len()));
            samples = rest;
            self.take(step);
            if self.chunk.len() >= CHUNK {
                self.hand_on(events);
            }
        }
    }

    /// Takes so many samples of silence.
    pub fn extend_with_silence(
        &mut self,
        mut samples: u64,
        events: &mut VecDeque<Event>,
    ) -> Progress {
        const SILENCE: &[i16] = &[0; BLOCK as usize];
        loop {
            let step = SILENCE.get(..samples.min(BLOCK) as usize).unwrap_or(SILENCE);
            samples -= step.len() as u64;
            if self.extend(step, events) == Progress::Ended {
                return Progress::Ended;
            }
            if samples == 0 {
                return Progress::GoesOn;
            }
        }
    }

    /// Hands on all there is, and says why it ended.
    pub fn end(&mut self, reason: RecordEnd, events: &mut VecDeque<Event>) {
        self.hand_on(events);
        events.push_back(Event::RecordEnded {
            leg: self.leg,
            job: self.job,
            reason,
            length: samples_to_time(self.settled),
            trailing_silence: samples_to_time(self.settled - self.voice_until),
        });
    }

    /// Takes samples that lie within one block.
    fn take(&mut self, samples: &[i16]) {
        if self.chunk.is_empty() {
            self.chunk.reserve_exact(CHUNK);
        }
        self.chunk.extend_from_slice(samples);
        self.settled += samples.len() as u64;
        self.block_sum +=
            samples.iter().map(|sample| u64::from(sample.unsigned_abs())).sum::<u64>();
        if self.settled.is_multiple_of(BLOCK) {
            if self.block_sum >= VOICE_MIN * BLOCK {
                self.voice_until = self.settled;
            }
            self.block_sum = 0;
        }
    }

    /// Where silence will have lasted long enough, if nobody speaks.
    fn silent_from(&self) -> u64 {
        self.silence.map_or(u64::MAX, |silence| self.voice_until.saturating_add(silence))
    }

    fn end_reached(&self) -> Option<RecordEnd> {
        if self.settled >= self.silent_from() {
            Some(RecordEnd::Silence)
        } else if self.settled >= self.max {
            Some(RecordEnd::Max)
        } else {
            None
        }
    }

    fn hand_on(&mut self, events: &mut VecDeque<Event>) {
        if self.chunk.is_empty() {
            return;
        }
        let samples = std::mem::take(&mut self.chunk);
        events.push_back(Event::RecordChunk { leg: self.leg, job: self.job, samples });
    }
}

/// How long a packet is waited for, in samples: 100 ms.
const REORDER_WINDOW: u64 = 800;

/// Samples in a chunk: 500 ms.
const CHUNK: usize = 4_000;

/// Loudness is judged over so many samples: 20 ms.
const BLOCK: u64 = 160;

/// A block is voice when its samples are at least this far from zero on average, of 32,767: 42 dB
/// below full scale, above the hiss of a line and below anybody who speaks.
const VOICE_MIN: u64 = 256;

/// Longest recording, whatever was asked for.
const LENGTH_MAX: Duration = Duration::from_secs(24 * 3_600);
