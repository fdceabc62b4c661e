//! What scripts ask of the world outside: other programs and their database.

use std::fmt;
use std::time::Duration;

use pbx::{
    Answer, FetchError, FetchRequest, Fetched, Input, Query, SpeechError, SpeechRequest,
    WebRequest, WebResponse,
};

/// Answers what scripts ask. Whoever owns an office says how.
pub trait Outside: fmt::Debug {
    /// A script asks another program: how long the answer takes, and what it is. `None` answers
    /// never, so that the script waits for as long as it wants to.
    fn fetch(&mut self, request: &FetchRequest) -> Option<(Duration, Result<Fetched, FetchError>)>;

    /// A script asks its database.
    ///
    /// # Errors
    /// What is wrong with it, for the author of the script.
    fn query(&mut self, query: &Query) -> Result<Answer, String>;

    /// A script has a text spoken: how long it takes until its sound is there, or why there will be
    /// none. `None` answers never. The sound itself is made up; see
    /// [`Office::speech`](crate::Office::speech).
    fn speak(&mut self, _: &SpeechRequest) -> Option<(Duration, Result<(), SpeechError>)> {
        Some((Duration::ZERO, Ok(())))
    }
}

/// There is nobody outside: every request is refused, and there is no database.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Outside for Nobody {
    fn fetch(&mut self, _: &FetchRequest) -> Option<(Duration, Result<Fetched, FetchError>)> {
        Some((Duration::from_millis(1), Err(FetchError::Refused)))
    }

    fn query(&mut self, _: &Query) -> Result<Answer, String> {
        Err("there is no database here".to_owned())
    }
}

/// What is asked of another program.
pub(crate) fn request_in_words(request: &FetchRequest) -> String {
    format!("{} {}", request.method, request.url)
}

/// What another program asks.
pub(crate) fn asking_in_words(request: &WebRequest) -> String {
    format!("{} {}", request.method, request.path)
}

/// What another program is answered.
pub(crate) fn response_in_words(response: &WebResponse) -> String {
    in_words(response.status, response.body.len())
}

/// What is asked of the synthesiser.
pub(crate) fn speech_in_words(request: &SpeechRequest) -> String {
    let SpeechRequest { speech, .. } = request;
    let mut text = speech.text.clone();
    if let Some((end, _)) = text.char_indices().nth(WORDS_MAX) {
        text.truncate(end);
        text.push_str("..");
    }
    format!("for speech \"{text}\"")
}

/// What is asked of the database: its statements, on one line, without their values.
pub(crate) fn query_in_words(query: &Query) -> String {
    let statement = |sql: &str| sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let all: Vec<String> = query.statements.iter().map(|own| statement(&own.sql)).collect();
    let mut all = all.join("; ");
    if let Some((end, _)) = all.char_indices().nth(WORDS_MAX) {
        all.truncate(end);
        all.push_str("..");
    }
    all
}

/// What an answer from outside says; `None` if that is not one.
pub(crate) fn answer_in_words(input: &Input) -> Option<String> {
    match input {
        Input::Fetched { answer: Ok(fetched), .. } => {
            Some(in_words(fetched.status, fetched.body.len()))
        }
        Input::Fetched { answer: Err(error), .. } => Some(fetch_error(*error).to_owned()),
        Input::Queried { answer: Ok(Answer::Rows { rows, .. }), .. } => Some(match rows.len() {
            1 => "1 row".to_owned(),
            count => format!("{count} rows"),
        }),
        Input::Queried { answer: Ok(Answer::Changed(changed)), .. } => {
            let rows: u64 = changed.iter().map(|own| own.rows).sum();
            Some(format!("{rows} changed"))
        }
        Input::Queried { answer: Err(error), .. } => Some(format!("an error: {error}")),
        Input::Spoken { answer: Err(error), .. } => {
            Some(format!("nothing spoken: {}", error.word()))
        }
        Input::Spoken { answer: Ok(_), .. }
        | Input::Sip { .. }
        | Input::FlowClosed { .. }
        | Input::Resolved { .. }
        | Input::Media(_)
        | Input::Stored { .. }
        | Input::Asked { .. }
        | Input::Command(_) => None,
    }
}

fn in_words(status: u16, bytes: usize) -> String {
    match bytes {
        1 => format!("{status}, 1 byte"),
        _ => format!("{status}, {bytes} bytes"),
    }
}

fn fetch_error(error: FetchError) -> &'static str {
    match error {
        FetchError::Timeout => "nothing in time",
        FetchError::NoSuchHost => "no such host",
        FetchError::NotPublic => "no public address",
        FetchError::Refused => "no connection",
        FetchError::NotTrusted(_) => "an untrusted certificate",
        FetchError::TooLarge => "too much",
        FetchError::Busy => "too many requests at one time",
        FetchError::Broken => "a broken connection",
    }
}

/// Characters of a statement or text that are shown.
const WORDS_MAX: usize = 120;
