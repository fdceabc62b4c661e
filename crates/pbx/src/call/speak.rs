//! Texts that a verb needs spoken: fetched before it begins, so that it can be carried out as if they
//! were prompts.
//!
//! A text that cannot be spoken ends no call: what was to be played is not, which the script is told;
//! what asks for keys does without it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dialplan::{Asked, LogLevel, Outcome, Play, Read, Sound, Speech, Verb};

use super::{Call, Finished, Task};
use crate::desk::Desk;
use crate::notice::Notice;
use crate::output::Output;
use crate::records::Ticket;
use crate::repeats::Complaint;
use crate::speech::{SpeechError, SpeechRequest};

/// Texts with their sounds.
pub(super) type Spoken = BTreeMap<Speech, Arc<media::Sound>>;

/// A verb whose texts are being spoken.
#[derive(Debug)]
pub(crate) struct Speaking {
    verb: Verb,
    /// Texts that are waited for.
    waiting: BTreeMap<Ticket, Speech>,
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
        for ticket in self.waiting.into_keys() {
            if desk.redeem(ticket).is_some() {
                desk.push(Output::Abandon { ticket });
            }
        }
    }
}

impl Call {
    /// Has the texts of a verb spoken before it begins; gives back what it came to if that is known
    /// at once.
    pub(super) fn begin_with_texts(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        verb: Verb,
    ) -> Option<Finished> {
        let texts = texts(&verb);
        if texts.is_empty() {
            return self.begin_on_line(now, desk, verb, Spoken::new());
        }
        let Some(synthesiser) = desk.config.speech.clone() else {
            let gone = "nothing speaks texts any more: [speech] is gone from cordboard.toml";
            return Some(Finished::Outcome(Outcome::Fault(gone.into())));
        };
        let mut waiting = BTreeMap::new();
        for text in texts {
            if waiting.values().any(|known| known == text) {
                continue;
            }
            let ticket = desk.ticket_for(self.id);
            let voice = text.voice.clone().or_else(|| synthesiser.voice.clone());
            let speech = Speech { voice, ..text.clone() };
            let request = SpeechRequest { speech, synthesiser: Arc::clone(&synthesiser) };
            desk.push(Output::Speak { ticket, request: Box::new(request) });
            waiting.insert(ticket, text.clone());
        }
        let until = now + synthesiser.timeout;
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

    /// It takes too long.
    pub(super) fn speech_timeout(&mut self, now: Instant, desk: &mut Desk) {
        self.not_spoken(now, desk, &SpeechError::Timeout);
    }

    /// A text cannot be spoken: the others are not waited for either.
    fn not_spoken(&mut self, now: Instant, desk: &mut Desk, error: &SpeechError) {
        self.tell_unspoken(now, desk, error);
        let Task::Speaking(speaking) = &mut self.task else { return };
        if matches!(speaking.verb, Verb::Read(_)) {
            for ticket in std::mem::take(&mut speaking.waiting).into_keys() {
                if desk.redeem(ticket).is_some() {
                    desk.push(Output::Abandon { ticket });
                }
            }
            return self.all_spoken(now, desk);
        }
        if let Task::Speaking(speaking) = std::mem::replace(&mut self.task, Task::Idle) {
            speaking.abandon(desk);
        }
        self.proceed(now, desk, Finished::Outcome(Outcome::Unspoken(error.word())));
    }

    /// Nothing is waited for any more: the verb begins.
    fn all_spoken(&mut self, now: Instant, desk: &mut Desk) {
        let Task::Speaking(speaking) = std::mem::replace(&mut self.task, Task::Idle) else {
            return;
        };
        let took = now.saturating_duration_since(speaking.since);
        if took >= SLOW_SPEECH {
            self.note_wait(now, desk, self.line, "the synthesiser", took);
        }
        let Speaking { verb, spoken, .. } = *speaking;
        if let Some(finished) = self.begin_on_line(now, desk, verb, spoken) {
            self.proceed(now, desk, finished);
        }
    }

    /// Tells the author of the script, once for each line and reason.
    fn tell_unspoken(&self, now: Instant, desk: &mut Desk, error: &SpeechError) {
        let asked = self.line.and_then(|ask| self.script.as_ref()?.asked(ask));
        let (file, line) = match asked {
            Some(Asked { file, line, .. }) => (file, line),
            None => (String::new(), 0),
        };
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
        let level = LogLevel::Warn;
        let about = format!("speech: {}", error.word());
        if desk.repeats.is_new(now, &Complaint { level, file: file.clone(), line, about }) {
            let call = self.name.clone();
            desk.push(Output::Publish(Notice::Script { call, level, file, line, text }));
        }
    }
}

/// The texts that a verb wants spoken.
fn texts(verb: &Verb) -> Vec<&Speech> {
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
    let mut texts = Vec::new();
    for sound in sounds.into_iter().flatten() {
        match sound {
            Sound::Speech(speech) => texts.push(speech),
            Sound::Prompt(_) | Sound::Tone(_) | Sound::Silence(_) => {}
        }
    }
    texts
}

/// From here on a synthesiser is slow, which is told.
const SLOW_SPEECH: Duration = Duration::from_secs(3);
