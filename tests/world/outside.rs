//! Other programs that scripts ask over HTTP, and the scripts' database.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use media::Sound;
use pbx::records::Ticket;
use pbx::{Answer, FetchError, FetchRequest, Fetched, Query, Reach, SpeechError, SpeechRequest};
use store::ScriptDatabase;

use crate::sound;

/// Everything outside that a script can ask.
#[derive(Default)]
pub struct Programs {
    answers: BTreeMap<String, (u64, Result<Fetched, FetchError>)>,
    asked: BTreeMap<Ticket, String>,
    database: Option<ScriptDatabase>,
    spoken: BTreeMap<String, (u64, Result<Arc<Sound>, SpeechError>)>,
    /// What each text that is spoken sounds like.
    pub(crate) tones: Vec<(String, f32)>,
    /// How long each query takes; it is answered then.
    pub query_takes: Duration,
    /// The database never answers.
    pub database_hangs: bool,
}

/// What the bench asks: nobody answers, but there is a database.
#[derive(Debug)]
pub struct DatabaseAlone(ScriptDatabase);

impl Default for DatabaseAlone {
    fn default() -> Self {
        Self(ScriptDatabase::in_memory().unwrap())
    }
}

impl bench::Outside for DatabaseAlone {
    fn fetch(&mut self, _: &FetchRequest) -> Option<(Duration, Result<Fetched, FetchError>)> {
        None
    }

    fn query(&mut self, query: &Query) -> Result<Answer, String> {
        self.0.run(query)
    }
}

impl Programs {
    /// `GET URL` and the like is answered so, after so many milliseconds. What nobody answers for is
    /// never answered.
    pub fn answer(&mut self, request: &str, after_ms: u64, status: u16, body: &str) {
        let answer = Fetched { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
        self.answers.insert(request.to_owned(), (after_ms, Ok(answer)));
    }

    /// A request is redirected at once.
    pub fn redirect(&mut self, request: &str, location: &str) {
        let headers = vec![("location".to_owned(), location.to_owned())];
        let answer = Fetched { status: 302, headers, body: Vec::new() };
        self.answers.insert(request.to_owned(), (0, Ok(answer)));
    }

    /// A request fails at once.
    pub fn fail(&mut self, request: &str, error: FetchError) {
        self.answers.insert(request.to_owned(), (0, Err(error)));
    }

    /// A request as ladders write it.
    pub(crate) fn show(&self, request: &FetchRequest) -> String {
        let reach = match request.reach {
            Reach::Anywhere => "",
            Reach::PublicOnly => " if public",
        };
        let body = String::from_utf8_lossy(&request.body);
        let body = if body.is_empty() { String::new() } else { format!(" with {body}") };
        format!("{} {}{reach}{body}", request.method, request.url)
    }

    /// A text is spoken after so many milliseconds: half a second of this tone. What nobody speaks is
    /// never spoken.
    pub fn speak(&mut self, text: &str, after_ms: u64, tone_hz: f32) {
        let sound = Arc::new(Sound::from_pcm(sound::tone(tone_hz, 4_000)));
        self.tones.push((text.to_owned(), tone_hz));
        self.spoken.insert(text.to_owned(), (after_ms, Ok(sound)));
    }

    /// A text is not spoken, which is known after so many milliseconds.
    pub fn fail_to_speak(&mut self, text: &str, after_ms: u64, error: SpeechError) {
        self.spoken.insert(text.to_owned(), (after_ms, Err(error)));
    }

    pub(crate) fn spoken(
        &mut self,
        ticket: Ticket,
        request: &SpeechRequest,
    ) -> Option<(u64, Result<Arc<Sound>, SpeechError>)> {
        let text = &request.speech.text;
        self.asked.insert(ticket, format!("\"{text}\""));
        self.spoken.get(text).cloned()
    }

    /// The text that a sound is of.
    pub(crate) fn text_of(&self, sound: &Arc<Sound>) -> Option<String> {
        let is_it = |(_, (_, own)): &(&String, &(u64, Result<Arc<Sound>, SpeechError>))| {
            own.as_ref().is_ok_and(|own| Arc::ptr_eq(own, sound))
        };
        self.spoken.iter().find(is_it).map(|(text, _)| format!("\"{text}\""))
    }

    pub(crate) fn fetch(
        &mut self,
        ticket: Ticket,
        request: &FetchRequest,
    ) -> Option<(u64, Result<Fetched, FetchError>)> {
        let asked = format!("{} {}", request.method, request.url);
        self.asked.insert(ticket, asked.clone());
        self.answers.get(&asked).cloned()
    }

    /// What it was that nobody waits for any more.
    pub(crate) fn abandoned(&self, ticket: Ticket) -> String {
        self.asked.get(&ticket).cloned().unwrap_or_else(|| "a query".to_owned())
    }

    /// After how many milliseconds it is answered, the answer, and how long it says to have taken.
    pub(crate) fn query(&mut self, query: &Query) -> (u64, Result<Answer, String>, Duration) {
        let database = self.database.get_or_insert_with(|| ScriptDatabase::in_memory().unwrap());
        let after =
            if self.database_hangs { 3_600_000 } else { self.query_takes.as_millis() as u64 };
        (after, database.run(query), self.query_takes)
    }
}
