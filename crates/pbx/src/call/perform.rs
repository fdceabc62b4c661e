//! What a call can do with its caller: play, collect digits, record, echo; and making sound possible
//! first, as early media or by answering.

use std::time::{Duration, Instant};

use dialplan::{Barge, Outcome, ReadEnd};
use media::{Command, Flag, JobId, PlayItem, Playlist, RecordEnd, RecordLimits, ToneSpec};
use sdp::{Description, Direction, Refusal, RtpCodec};
use sip_engine::{Body, Reply};
use sip_syntax::{Request, StatusCode};

use super::caller::Stage;
use super::leg::{self, Leg};
use super::{Call, Finished, Task, Told};
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
    waiting: Waiting,
}

#[derive(Debug, Clone, Copy)]
enum Waiting {
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
    limits: RecordLimits,
    stage: RecordStage,
}

impl Recording {
    /// Whether the beep before it still sounds: nothing was recorded yet.
    pub(super) fn is_beeping(&self) -> bool {
        matches!(self.stage, RecordStage::Beeping(_))
    }
}

#[derive(Debug, Clone, Copy)]
enum RecordStage {
    Beeping(JobId),
    Rolling(JobId),
}

/// Whether the caller can hear us.
pub(super) enum Sound {
    Ready,
    /// Not yet; an event will tell.
    Later,
    /// Never; the call was ended.
    Impossible,
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
            Sound::Ready => {}
            Sound::Later => {
                self.task = Task::Preparing(performance);
                return None;
            }
            Sound::Impossible => return None,
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
                    let job = self.start_playing(desk, once(prompt));
                    collecting.waiting = Waiting::Prompt(job);
                }
                self.task = Task::Collecting(collecting);
                None
            }
            Performance::Record { sound, beep, limits } => {
                self.typed.clear();
                let stage = if beep {
                    RecordStage::Beeping(self.start_playing(desk, once(vec![beep_tone()])))
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

    /// Makes sure that the caller can hear us: with a 183, or for a late offer by answering.
    fn make_sound_possible(&mut self, now: Instant, desk: &mut Desk) -> Sound {
        if self.caller.has_sound() {
            return self.make_codec_playable(now, desk);
        }
        if self.caller.offer.is_none() {
            if self.caller.stage != Stage::Answered {
                self.answer(now, desk);
            }
            return if self.caller.session.is_some() { Sound::Later } else { Sound::Impossible };
        }
        self.send_early(now, desk, Reply::new(StatusCode::SESSION_PROGRESS))
    }

    /// After a bridge the caller may speak a codec that we can only pass on: ask it to change.
    fn make_codec_playable(&mut self, now: Instant, desk: &mut Desk) -> Sound {
        let Some(leg) = self.caller.leg.as_mut() else { return Sound::Ready };
        if leg.speaks_g711() {
            return Sound::Ready;
        }
        match (self.caller.stage, self.caller.session) {
            (Stage::Answered, Some(session)) => {
                let event = leg.agreed().and_then(|agreed| agreed.telephone_event);
                let offer = leg.offer(&leg::g711(), event, Direction::SendRecv, None);
                desk.endpoint.reinvite(now, session, Some(Body::sdp(offer)));
                Sound::Later
            }
            // Early media in another codec: nothing can be played before it is answered.
            (Stage::Trying | Stage::Early | Stage::Answered, _) => Sound::Ready,
        }
    }

    /// Sends a provisional with our session description.
    pub(super) fn send_early(&mut self, now: Instant, desk: &mut Desk, reply: Reply) -> Sound {
        if !self.claim_port(now, desk) {
            return Sound::Impossible;
        }
        match self.describe(desk) {
            Ok(Some(body)) => {
                if let Some(session) = self.caller.session {
                    desk.endpoint.provisional(now, session, reply.body(Body::sdp(body)));
                }
                if self.caller.stage == Stage::Trying {
                    self.caller.stage = Stage::Early;
                }
                Sound::Ready
            }
            // A late offer has to wait for the 2xx.
            Ok(None) => {
                if let Some(session) = self.caller.session {
                    desk.endpoint.provisional(now, session, reply);
                }
                Sound::Ready
            }
            Err(refusal) => {
                self.refuse(now, desk, &refusal);
                Sound::Impossible
            }
        }
    }

    /// Our answer to the caller's offer, made for playing if it was not made before; `None` if the
    /// caller made no offer.
    fn describe(&mut self, desk: &mut Desk) -> Result<Option<bytes::Bytes>, Refusal> {
        if let Some(leg) = self.caller.leg.as_ref().filter(|leg| leg.is_agreed()) {
            return Ok(Some(leg.described()));
        }
        match (self.caller.offer.as_deref(), self.caller.leg.as_mut()) {
            (Some(offer), Some(leg)) => {
                let ours = in_their_order(offer);
                leg.answer(desk, offer, &ours, Direction::SendRecv, None).map(Some)
            }
            (None, _) | (_, None) => Ok(None),
        }
    }

    /// Makes sure that the caller has a port; without one the call ends with 503.
    pub(super) fn claim_port(&mut self, now: Instant, desk: &mut Desk) -> bool {
        if self.caller.leg.is_none() {
            self.caller.leg = Leg::open(desk, self.id, self.thread, self.caller.flow);
        }
        if self.caller.leg.is_none() {
            tracing::error!(call = %self.name, "every media port is in use; widen media.ports");
            let reply = Reply::new(StatusCode::SERVICE_UNAVAILABLE).header("Retry-After", "5");
            self.end(now, desk, reply, "no media port");
        }
        self.caller.leg.is_some()
    }

    /// 488 with the reason in a Warning (RFC 3261 §21.4.26).
    pub(super) fn refuse(&mut self, now: Instant, desk: &mut Desk, refusal: &Refusal) {
        let (code, text) = refusal.warning();
        tracing::info!(call = %self.name, "refused: {text}");
        let warning = format!("{code} {} \"{text}\"", desk.config.domain);
        let reply = Reply::new(StatusCode::NOT_ACCEPTABLE_HERE).header("Warning", warning);
        self.end(now, desk, reply, "no common codec");
    }

    /// Sends 200, with the description that the caller may know from a 183 already.
    pub(super) fn answer(&mut self, now: Instant, desk: &mut Desk) {
        if self.caller.stage == Stage::Answered || !self.claim_port(now, desk) {
            return;
        }
        let body = match self.describe(desk) {
            Ok(Some(body)) => body,
            Ok(None) => {
                let Some(leg) = self.caller.leg.as_mut() else { return };
                leg.offer(&leg::g711(), Some(101), Direction::SendRecv, None)
            }
            Err(refusal) => return self.refuse(now, desk, &refusal),
        };
        self.accept(now, desk, body);
    }

    /// Sends 200 with this description.
    pub(super) fn accept(&mut self, now: Instant, desk: &mut Desk, body: bytes::Bytes) {
        if let Some(session) = self.caller.session {
            desk.endpoint.accept(now, session, Reply::new(StatusCode::OK).body(Body::sdp(body)));
        }
        self.caller.stage = Stage::Answered;
        self.caller.offer = None;
        self.story.answered_at = Some(now);
        self.give_up_at = now + desk.config.limits.call_max;
    }

    /// The ACK for our 2xx; it carries the answer to a late offer.
    pub(super) fn caller_acked(&mut self, now: Instant, desk: &mut Desk, request: &Request) {
        let Some(leg) = self.caller.leg.as_mut().filter(|leg| leg.awaits_answer()) else { return };
        let read = Description::parse(request.body())
            .map_err(|error| error.to_string())
            .and_then(|answer| leg.take_answer(desk, &answer).map_err(|error| error.to_string()));
        if let Err(why) = read {
            tracing::info!(call = %self.name, "unusable answer in ACK: {why}");
            if self.caller.has_sound() {
                // To a re-INVITE without an offer: the session goes on as it was.
                return;
            }
            let reply = Reply::new(StatusCode::NOT_ACCEPTABLE_HERE);
            return self.end(now, desk, reply, "no common codec");
        }
        self.sound_became_possible(now, desk);
    }

    /// Goes on with what had to wait for sound.
    pub(super) fn sound_became_possible(&mut self, now: Instant, desk: &mut Desk) {
        let task = std::mem::replace(&mut self.task, Task::Idle);
        let Task::Preparing(performance) = task else {
            self.task = task;
            return;
        };
        if let Some(finished) = self.perform(now, desk, performance) {
            self.proceed(now, desk, finished);
        }
    }

    /// A key was pressed.
    pub(super) fn digit(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        by_caller: bool,
        digit: char,
        told: Told,
    ) {
        if let Task::Bridged(bridge) = &self.task {
            if told == Told::BySip {
                let to = if by_caller { Some(&bridge.leg) } else { self.caller.leg.as_ref() };
                if let Some(leg) = to {
                    let command =
                        Command::SendDigits { leg: leg.socket.leg, digits: digit.to_string() };
                    desk.media(leg.socket, command);
                }
            }
            return;
        }
        if !by_caller {
            return;
        }
        match &mut self.task {
            Task::Collecting(collecting) => {
                if let (Waiting::Prompt(job), Some(leg)) = (collecting.waiting, &self.caller.leg) {
                    desk.media(leg.socket, Command::StopPlay { leg: leg.socket.leg, job });
                }
                if let Some(ended) = collecting.take(now, digit) {
                    self.finish_collecting(now, desk, ended);
                }
            }
            // The media thread stops what plays, and tells with which digit.
            Task::Playing { barge: Barge::Any, job } => {
                if let (Told::BySip, Some(leg)) = (told, &self.caller.leg) {
                    let job = *job;
                    desk.media(leg.socket, Command::StopPlay { leg: leg.socket.leg, job });
                    let heard = Duration::ZERO;
                    self.proceed(now, desk, Finished::Played { digit: Some(digit), heard });
                }
            }
            Task::Recording(Recording { limits, stage: RecordStage::Rolling(job), .. }) => {
                if let (Told::BySip, Some(leg)) = (told, &self.caller.leg)
                    && limits.terminator == Some(digit)
                {
                    let command = Command::StopRecord { leg: leg.socket.leg, job: *job };
                    desk.media(leg.socket, command);
                }
            }
            Task::Echoing if digit == '#' => {
                if let Some(leg) = &self.caller.leg {
                    desk.media(leg.socket, Command::Unbridge { leg: leg.socket.leg });
                }
                self.proceed(now, desk, Finished::Outcome(Outcome::Done));
            }
            Task::Recording(_)
            | Task::Echoing
            | Task::Idle
            | Task::Paused { .. }
            | Task::Playing { .. }
            | Task::Sleeping { .. }
            | Task::Preparing(_)
            | Task::Dialing(_)
            | Task::Bridged(_)
            | Task::Storing { .. } => {
                if self.typed.len() < TYPED_AHEAD_MAX {
                    self.typed.push_back(digit);
                }
            }
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
            | Task::Paused { .. }
            | Task::Echoing
            | Task::Sleeping { .. }
            | Task::Preparing(_)
            | Task::Dialing(_)
            | Task::Bridged(_)
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
    fn take(&mut self, now: Instant, digit: char) -> Option<ReadEnd> {
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

/// Plays these once, from the start, as loud as they are.
pub(crate) fn once(items: Vec<PlayItem>) -> Playlist {
    Playlist { items, repeat: Flag::Off, barge: Flag::Off, from: Duration::ZERO, gain_db: 0.0 }
}

fn beep_tone() -> PlayItem {
    PlayItem::Tone(ToneSpec {
        frequencies_hz: vec![1_000.0],
        cadence: Vec::new(),
        length: Some(BEEP),
    })
}

/// The kinds of G.711 we can play, in the order in which the caller offered them.
fn in_their_order(offer: &Description) -> Vec<RtpCodec> {
    let offered = offer.media.iter().filter(|line| line.is_rtp_audio()).flat_map(|l| l.codecs());
    let mut codecs: Vec<RtpCodec> = offered.filter(leg::is_g711).collect();
    codecs.extend(leg::g711());
    codecs
}

/// Length of the beep before a recording.
const BEEP: Duration = Duration::from_millis(400);
/// Keys kept that nobody asked for; more are dropped.
const TYPED_AHEAD_MAX: usize = 64;
