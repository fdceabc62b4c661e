//! One recording: who speaks is calculated, what becomes of it the media engine's [`Tape`] decides.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Instant;

use media::{Event, JobId, LegId, Progress, RecordEnd, RecordLimits, Tape};

/// One recording. Positions are samples since it began.
#[derive(Debug)]
pub(super) struct Recorder {
    tape: Tape,
    /// Since when and until when the speaker could be heard; the last may still last.
    open: Vec<(Instant, Option<Instant>)>,
}

/// Somebody's speech, as a recorder takes it.
#[derive(Debug)]
pub(super) struct Voice {
    pub(super) range: Range<u64>,
    pub(super) level: i16,
}

impl Recorder {
    pub(super) fn new(now: Instant, leg: LegId, job: JobId, limits: RecordLimits) -> Self {
        Self { tape: Tape::new(now, leg, job, limits), open: Vec::new() }
    }

    pub(super) fn job(&self) -> JobId {
        self.tape.job()
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
        self.tape.settled_at()
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
            let range = self.tape.position_at(from)..self.tape.position_at(until);
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
        if !self.tape.is_ended_by(digit) {
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
        self.settle(self.tape.final_at(now), voices, events)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.tape.poll_timeout()
    }

    /// Hands on all there is, and says why it ended; an earlier end by length or silence comes first.
    pub(super) fn stop(
        &mut self,
        now: Instant,
        reason: RecordEnd,
        voices: &[Voice],
        events: &mut VecDeque<Event>,
    ) {
        match self.settle(self.tape.position_at(now), voices, events) {
            Progress::GoesOn => self.tape.end(reason, events),
            Progress::Ended => {}
        }
    }

    fn settle(&mut self, until: u64, voices: &[Voice], events: &mut VecDeque<Event>) -> Progress {
        loop {
            let from = self.tape.settled();
            let mut step = [0; STEP];
            let count = until.saturating_sub(from).min(STEP as u64) as usize;
            let samples = step.get_mut(..count).unwrap_or_default();
            for Voice { range, level } in voices {
                let place = |position: u64| (position.max(from) - from).min(count as u64) as usize;
                let spoken = samples.get_mut(place(range.start)..place(range.end));
                spoken.unwrap_or_default().fill(*level);
            }
            if self.tape.extend(samples, events) == Progress::Ended {
                return Progress::Ended;
            }
            if count == 0 {
                return Progress::GoesOn;
            }
        }
    }
}

/// Samples that are calculated at a time: 100 ms.
const STEP: usize = 800;
