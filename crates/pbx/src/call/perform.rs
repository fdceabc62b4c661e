//! What a call can do with its caller: play, collect digits, record, echo.

use std::time::{Duration, Instant};

use dialplan::{Barge, Outcome, ReadEnd};
use media::{Command, JobId, PlayItem, Playlist, RecordEnd, RecordLimits};

use super::answer::Audible;
use super::{Call, Finished, Task, sounds};
use crate::desk::Desk;
use crate::feature;
use crate::records::{SoundId, StoreRequest};

/// Something to do with the caller.
#[derive(Debug)]
pub(crate) enum Performance {
    Play {
        playlist: Playlist,
        barge: Barge,
    },
    Collect {
        prompt: Vec<PlayItem>,
        digits_max: u8,
        timeout: Duration,
        between: Duration,
        terminator: Option<char>,
    },
    Record {
        sound: SoundId,
        beep: bool,
        limits: RecordLimits,
    },
    Echo,
}

impl Performance {
    /// What it comes to when the caller is gone.
    pub(super) fn cut_off(&self) -> Finished {
        match self {
            Self::Record { .. } => nothing_recorded(),
            Self::Play { .. } | Self::Collect { .. } | Self::Echo => {
                Finished::Reply(feature::Reply::HungUp)
            }
        }
    }

    /// What it comes to when the caller is there, but cannot hear us.
    pub(super) fn unheard(&self) -> Finished {
        match self {
            Self::Play { .. } => Finished::Played { digit: None, heard: Duration::ZERO },
            Self::Collect { .. } => Finished::Reply(feature::Reply::Digits {
                digits: String::new(),
                ended: ReadEnd::Timeout,
            }),
            Self::Record { .. } => nothing_recorded(),
            Self::Echo => Finished::Outcome(Outcome::Done),
        }
    }
}

/// Digits on their way in.
#[derive(Debug)]
pub(crate) struct Collecting {
    digits: String,
    digits_max: u8,
    timeout: Duration,
    between: Duration,
    terminator: Option<char>,
    pub(super) waiting: Waiting,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Waiting {
    /// For the prompt to end.
    Prompt(JobId),
    /// For a key, until then.
    Key(Instant),
}

impl Collecting {
    pub(super) fn until(&self) -> Option<Instant> {
        match self.waiting {
            Waiting::Prompt(_) => None,
            Waiting::Key(until) => Some(until),
        }
    }
}

/// A recording on its way in.
#[derive(Debug)]
pub(crate) struct Recording {
    sound: SoundId,
    pub(super) limits: RecordLimits,
    pub(super) stage: RecordStage,
}

impl Recording {
    /// Whether the beep before it still sounds: nothing was recorded yet.
    pub(super) fn is_beeping(&self) -> bool {
        matches!(self.stage, RecordStage::Beeping(_))
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) enum RecordStage {
    Beeping(JobId),
    Rolling(JobId),
}

impl Call {
    /// Begins a performance; gives back what it came to if that is known at once.
    pub(super) fn perform(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        performance: Performance,
    ) -> Option<Finished> {
        match self.make_sound_possible(now, desk) {
            Audible::Ready => {}
            Audible::Later(pending) => {
                self.task = Task::Preparing(performance, pending);
                return None;
            }
            Audible::Impossible => return None,
        }
        match performance {
            Performance::Play { playlist, barge } => self.play(desk, playlist, barge),
            Performance::Collect { prompt, digits_max, timeout, between, terminator } => {
                let waiting = Waiting::Key(now + timeout);
                let mut collecting = Collecting {
                    digits: String::new(),
                    digits_max,
                    timeout,
                    between,
                    terminator,
                    waiting,
                };
                while let Some(digit) = self.typed.pop_front() {
                    if let Some(ended) = collecting.take(now, digit) {
                        return Some(collecting.finish(ended));
                    }
                }
                if collecting.digits.is_empty() && !prompt.is_empty() {
                    let job = self.start_playing(desk, sounds::once(prompt));
                    collecting.waiting = Waiting::Prompt(job);
                }
                self.task = Task::Collecting(collecting);
                None
            }
            Performance::Record { sound, beep, limits } => {
                self.typed.clear();
                let stage = if beep {
                    RecordStage::Beeping(
                        self.start_playing(desk, sounds::once(vec![sounds::beep()])),
                    )
                } else {
                    RecordStage::Rolling(self.start_recording(desk, limits))
                };
                self.task = Task::Recording(Recording { sound, limits, stage });
                None
            }
            Performance::Echo => {
                if let Some(leg) = &self.caller.leg {
                    desk.media(leg.socket, Command::Echo { leg: leg.socket.leg });
                }
                self.task = Task::Echoing;
                None
            }
        }
    }

    fn play(&mut self, desk: &mut Desk, playlist: Playlist, barge: Barge) -> Option<Finished> {
        if barge == Barge::Any
            && let Some(digit) = self.typed.pop_front()
        {
            return Some(Finished::Played { digit: Some(digit), heard: Duration::ZERO });
        }
        if playlist.items.is_empty() {
            return Some(Finished::Played { digit: None, heard: Duration::ZERO });
        }
        let job = self.start_playing(desk, playlist);
        self.task = Task::Playing { job, barge };
        None
    }

    fn start_playing(&mut self, desk: &mut Desk, playlist: Playlist) -> JobId {
        self.background = None;
        let job = desk.next_job();
        if let Some(leg) = &self.caller.leg {
            let command = Command::Play { leg: leg.socket.leg, job, playlist };
            desk.media(leg.socket, command);
        }
        job
    }

    fn start_recording(&mut self, desk: &mut Desk, limits: RecordLimits) -> JobId {
        let job = desk.next_job();
        if let Some(leg) = &self.caller.leg {
            desk.media(leg.socket, Command::Record { leg: leg.socket.leg, job, limits });
        }
        job
    }

    /// Plays on while the script does something else, until something else is played.
    pub(super) fn play_in_background(&mut self, desk: &mut Desk, playlist: Playlist) {
        let job = self.start_playing(desk, playlist);
        self.background = Some(job);
    }

    pub(super) fn stop_background(&mut self, desk: &mut Desk) {
        if let (Some(job), Some(leg)) = (self.background.take(), &self.caller.leg) {
            desk.media(leg.socket, Command::StopPlay { leg: leg.socket.leg, job });
        }
    }

    pub(super) fn play_ended(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        job: JobId,
        digit: Option<char>,
        heard: Duration,
    ) {
        match &mut self.task {
            Task::Playing { job: ours, .. } if *ours == job => {
                self.proceed(now, desk, Finished::Played { digit, heard });
            }
            Task::Collecting(collecting) => {
                if matches!(collecting.waiting, Waiting::Prompt(ours) if ours == job) {
                    collecting.waiting = Waiting::Key(now + collecting.timeout);
                }
            }
            Task::Recording(Recording { stage: RecordStage::Beeping(ours), limits, .. })
                if *ours == job =>
            {
                let limits = *limits;
                if self.presence == super::Presence::Gone {
                    return;
                }
                let rolling = self.start_recording(desk, limits);
                if let Task::Recording(recording) = &mut self.task {
                    recording.stage = RecordStage::Rolling(rolling);
                }
            }
            Task::Playing { .. }
            | Task::Recording(_)
            | Task::Idle
            | Task::Echoing
            | Task::Preparing(..)
            | Task::Taking(_)
            | Task::Transferring(_)
            | Task::Dialing(_)
            | Task::Bridged(_)
            | Task::Speaking(_)
            | Task::Storing { .. } => {}
        }
    }

    pub(super) fn finish_collecting(&mut self, now: Instant, desk: &mut Desk, ended: ReadEnd) {
        let task = std::mem::replace(&mut self.task, Task::Idle);
        let Task::Collecting(collecting) = task else {
            self.task = task;
            return;
        };
        let finished = collecting.finish(ended);
        self.proceed(now, desk, finished);
    }

    pub(super) fn record_chunk(&mut self, desk: &mut Desk, job: JobId, samples: Vec<i16>) {
        if let Task::Recording(Recording { sound, stage: RecordStage::Rolling(ours), .. }) =
            &self.task
            && *ours == job
        {
            let sound = *sound;
            desk.store(self.id, StoreRequest::Append { sound, samples });
        }
    }

    pub(super) fn record_ended(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        job: JobId,
        reason: RecordEnd,
        length: Duration,
        trailing_silence: Duration,
    ) {
        if let Task::Recording(Recording { stage: RecordStage::Rolling(ours), .. }) = &self.task
            && *ours == job
        {
            let reply = feature::Reply::Recorded { length, trailing_silence, reason };
            self.proceed(now, desk, Finished::Reply(reply));
        }
    }
}

impl Collecting {
    /// Takes a digit; `Some` when that was the last.
    pub(super) fn take(&mut self, now: Instant, digit: char) -> Option<ReadEnd> {
        if self.terminator == Some(digit) {
            return Some(ReadEnd::Complete);
        }
        self.digits.push(digit);
        self.waiting = Waiting::Key(now + self.between);
        (self.digits.len() >= usize::from(self.digits_max)).then_some(ReadEnd::Complete)
    }

    fn finish(self, ended: ReadEnd) -> Finished {
        Finished::Reply(feature::Reply::Digits { digits: self.digits, ended })
    }
}

/// The caller left, or was never heard.
pub(super) fn nothing_recorded() -> Finished {
    Finished::Reply(feature::Reply::Recorded {
        length: Duration::ZERO,
        trailing_silence: Duration::ZERO,
        reason: RecordEnd::Stopped,
    })
}
