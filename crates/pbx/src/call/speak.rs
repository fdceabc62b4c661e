//! Texts that a verb needs spoken, and recordings that it plays: fetched before it begins, so that it
//! can be carried out as if they were prompts.
//!
//! A text that cannot be spoken or a recording that is not there ends no call: what was to be played is
//! not, which the script is told; what asks for keys does without it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dialplan::{Asked, LogLevel, Outcome, Play, Read, Sound, Speech, Verb};

use super::{Call, Finished, STORE_MAX, Task};
use crate::desk::Desk;
use crate::notice::Notice;
use crate::output::Output;
use crate::records::{StoreReply, StoreRequest, Ticket};
use crate::repeats::Complaint;
use crate::speech::{SpeechError, SpeechRequest};

/// A sound that must be fetched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wanted {
    Speech(Speech),
    /// By its name.
    Recording(String),
}

/// What was fetched.
pub(super) type Spoken = BTreeMap<Wanted, Arc<media::Sound>>;

/// A verb whose texts are being spoken.
#[derive(Debug)]
pub(crate) struct Speaking {
    verb: Verb,
    /// What is waited for.
    waiting: BTreeMap<Ticket, Wanted>,
    /// Those that came.
    spoken: Spoken,
    since: Instant,
    until: Instant,
}

impl Speaking {
    /// When it has taken too long.
    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// Nobody waits for it any more.
    pub(super) fn abandon(self, desk: &mut Desk) {
        give_up(self.waiting, desk);
    }
}

impl Call {
    /// Has the texts of a verb spoken and its recordings read before it begins; gives back what it came to if that is known
    /// at once.
    pub(super) fn begin_with_texts(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        verb: Verb,
    ) -> Option<Finished> {
        let wanted = wanted(&verb);
        if wanted.is_empty() {
            return self.begin_on_line(now, desk, verb, Spoken::new());
        }
        let synthesiser = desk.config.speech.clone();
        let has_texts = wanted.iter().any(|wanted| matches!(wanted, Wanted::Speech(_)));
        if has_texts && synthesiser.is_none() {
            let gone = "nothing speaks texts any more: [speech] is gone from cordboard.toml";
            return Some(Finished::Outcome(Outcome::Fault(gone.into())));
        }
        let mut until = now;
        let mut waiting = BTreeMap::new();
        for wanted in wanted {
            let asked = match (&wanted, &synthesiser) {
                (Wanted::Recording(name), _) => {
                    until = until.max(now + STORE_MAX);
                    let request = StoreRequest::Recording { ticket: Ticket(0), name: name.clone() };
                    desk.store(self.id, request)
                }
                (Wanted::Speech(text), Some(synthesiser)) => {
                    until = until.max(now + synthesiser.timeout);
                    let voice = text.voice.clone().or_else(|| synthesiser.voice.clone());
                    let speech = Speech { voice, ..text.clone() };
                    let request = SpeechRequest { speech, synthesiser: Arc::clone(synthesiser) };
                    let ticket = desk.ticket_for(self.id);
                    desk.push(Output::Speak { ticket, request: Box::new(request) });
                    Some(ticket)
                }
                (Wanted::Speech(_), None) => None,
            };
            waiting.extend(asked.map(|ticket| (ticket, wanted)));
        }
        let speaking = Speaking { verb, waiting, spoken: Spoken::new(), since: now, until };
        self.task = Task::Speaking(Box::new(speaking));
        None
    }

    /// A text was spoken, or not.
    pub(crate) fn handle_spoken(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        ticket: Ticket,
        answer: Result<Arc<media::Sound>, SpeechError>,
    ) {
        let Task::Speaking(speaking) = &mut self.task else { return };
        let Some(text) = speaking.waiting.remove(&ticket) else { return };
        match answer {
            Ok(sound) => {
                speaking.spoken.insert(text, sound);
            }
            Err(error) => return self.not_spoken(now, desk, &error),
        }
        if speaking.waiting.is_empty() {
            self.all_spoken(now, desk);
        }
    }

    /// A recording was read, or is not there.
    pub(super) fn recording_read(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        ticket: Ticket,
        reply: StoreReply,
    ) {
        let Task::Speaking(speaking) = &mut self.task else { return };
        let Some(wanted) = speaking.waiting.remove(&ticket) else { return };
        match (reply, wanted) {
            (StoreReply::Sound(Some(samples)), wanted) => {
                let sound = media::Sound::from_pcm(Arc::unwrap_or_clone(samples));
                speaking.spoken.insert(wanted, Arc::new(sound));
            }
            (_, Wanted::Recording(name)) => {
                let text =
                    format!("there is no recording \"{name}\": it was deleted, or never made");
                return self.not_there(now, desk, NO_RECORDING, text);
            }
            (_, Wanted::Speech(_)) => {}
        }
        if speaking.waiting.is_empty() {
            self.all_spoken(now, desk);
        }
    }

    /// It takes too long.
    pub(super) fn speech_timeout(&mut self, now: Instant, desk: &mut Desk) {
        let Task::Speaking(speaking) = &self.task else { return };
        match speaking.waiting.values().next() {
            Some(Wanted::Recording(name)) => {
                let text = format!("the recording \"{name}\" could not be read in time");
                self.not_there(now, desk, NO_RECORDING, text);
            }
            Some(Wanted::Speech(_)) | None => self.not_spoken(now, desk, &SpeechError::Timeout),
        }
    }

    /// A text cannot be spoken.
    fn not_spoken(&mut self, now: Instant, desk: &mut Desk, error: &SpeechError) {
        let detail = match error {
            SpeechError::Timeout => {
                let timeout = desk.config.speech.as_ref().map(|own| own.timeout.as_secs_f64());
                format!(
                    "no sound came within {} s; see `timeout` in [speech] of cordboard.toml",
                    timeout.unwrap_or_default()
                )
            }
            SpeechError::Busy => "too many texts wait for the synthesiser".to_owned(),
            SpeechError::Broken(what) => what.clone(),
        };
        let text = format!("speech: {}: {detail}", error.word());
        self.not_there(now, desk, error.word(), text);
    }

    /// A sound is not to be had: the others are not waited for either.
    fn not_there(&mut self, now: Instant, desk: &mut Desk, why: &'static str, text: String) {
        self.tell_author(now, desk, why, text);
        let Task::Speaking(speaking) = &mut self.task else { return };
        if matches!(speaking.verb, Verb::Read(_)) {
            give_up(std::mem::take(&mut speaking.waiting), desk);
            return self.all_spoken(now, desk);
        }
        if let Task::Speaking(speaking) = std::mem::replace(&mut self.task, Task::Idle) {
            speaking.abandon(desk);
        }
        self.proceed(now, desk, Finished::Outcome(Outcome::Unspoken(why)));
    }

    /// Nothing is waited for any more: the verb begins.
    fn all_spoken(&mut self, now: Instant, desk: &mut Desk) {
        let Task::Speaking(speaking) = std::mem::replace(&mut self.task, Task::Idle) else {
            return;
        };
        let took = now.saturating_duration_since(speaking.since);
        if took >= SLOW_SPEECH && wanted(&speaking.verb).iter().any(Wanted::is_text) {
            self.note_wait(now, desk, self.line, "the synthesiser", took);
        }
        let Speaking { verb, spoken, .. } = *speaking;
        if let Some(finished) = self.begin_on_line(now, desk, verb, spoken) {
            self.proceed(now, desk, finished);
        }
    }

    /// Tells the author of the script, once for each line and reason.
    fn tell_author(&self, now: Instant, desk: &mut Desk, why: &str, text: String) {
        let asked = self.line.and_then(|ask| self.script.as_ref()?.asked(ask));
        let (file, line) = match asked {
            Some(Asked { file, line, .. }) => (file, line),
            None => (String::new(), 0),
        };
        let level = LogLevel::Warn;
        let about = format!("speech: {why}");
        if desk.repeats.is_new(now, &Complaint { level, file: file.clone(), line, about }) {
            let call = self.name.clone();
            desk.push(Output::Publish(Notice::Script { call, level, file, line, text }));
        }
    }
}

impl Wanted {
    fn is_text(&self) -> bool {
        matches!(self, Self::Speech(_))
    }
}

/// Nobody waits for these any more. What the store reads is soon there, and nobody minds.
fn give_up(waiting: BTreeMap<Ticket, Wanted>, desk: &mut Desk) {
    for (ticket, wanted) in waiting {
        if desk.redeem(ticket).is_some() && wanted.is_text() {
            desk.push(Output::Abandon { ticket });
        }
    }
}

/// What must be fetched for a verb, each once.
fn wanted(verb: &Verb) -> Vec<Wanted> {
    let sounds: [&[Sound]; 2] = match verb {
        Verb::Play(Play { sounds, .. }) => [sounds, &[]],
        Verb::Read(Read { prompt, invalid, .. }) => [prompt, invalid],
        Verb::Ringing
        | Verb::Progress
        | Verb::Queued { .. }
        | Verb::Answer
        | Verb::Reject { .. }
        | Verb::Redirect { .. }
        | Verb::Hangup { .. }
        | Verb::Record(_)
        | Verb::Dial(_)
        | Verb::Dtmf { .. }
        | Verb::Originate(_)
        | Verb::Bridge(_)
        | Verb::HangupLeg(_)
        | Verb::Sleep(_)
        | Verb::Voicemail { .. }
        | Verb::Mailbox { .. }
        | Verb::Fetch(_)
        | Verb::Query(_)
        | Verb::Lock { .. }
        | Verb::Echo => return Vec::new(),
    };
    let mut all = Vec::new();
    for sound in sounds.into_iter().flatten() {
        let wanted = match sound {
            Sound::Speech(speech) => Wanted::Speech(speech.clone()),
            Sound::Recording(name) => Wanted::Recording(name.clone()),
            Sound::Prompt(_) | Sound::Tone(_) | Sound::Silence(_) => continue,
        };
        if !all.contains(&wanted) {
            all.push(wanted);
        }
    }
    all
}

/// Why a recording was not played, in a word.
const NO_RECORDING: &str = "no recording";
/// From here on a synthesiser is slow, which is told.
const SLOW_SPEECH: Duration = Duration::from_secs(3);
