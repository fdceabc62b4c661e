//! The thread that has texts turned into sound, so that neither a slow program nor decoding holds up
//! a call.
//!
//! Equal texts are made once: what was made before is kept, and whoever asks for what is being made
//! waits for the same. A text that nobody waits for any more is not made.

mod cache;
mod command;
mod fill;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context;
use media::Sound;
use net::{Client, FetchRequest, FetchResponse, Reach, Trusted};
use pbx::records::Ticket;
use pbx::{Input, SpeechBy, SpeechError, SpeechRequest};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::task::{AbortHandle, JoinSet, LocalSet};

use cache::{Cache, Key};
pub(crate) use fill::{BODY_USUAL, IN_ARGUMENTS, IN_BODY, placeholders};

/// Has texts spoken beside everything else.
#[derive(Debug)]
pub(crate) struct Speaker {
    asks: mpsc::Sender<Ask>,
    thread: JoinHandle<()>,
}

#[derive(Debug)]
enum Ask {
    Speak { ticket: Ticket, request: Box<SpeechRequest> },
    Abandon { ticket: Ticket },
}

impl Speaker {
    /// Starts the thread, which keeps what it makes in `folder`; answers go into `inbox`.
    ///
    /// # Errors
    /// When TLS cannot be set up, or the system gives no thread.
    pub(crate) fn start(
        trusted: &Trusted,
        folder: PathBuf,
        inbox: mpsc::Sender<Input>,
    ) -> anyhow::Result<Self> {
        let client = Client::new(trusted).context("HTTP for speech cannot be set up")?;
        let (asks, inner) = mpsc::channel(ASKS_MAX);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(DECODERS_MAX)
            .build()
            .context("no runtime for speech")?;
        let thread = std::thread::Builder::new()
            .name("speech".into())
            .spawn(move || {
                let local = LocalSet::new();
                local.block_on(&runtime, Desk::new(client, folder, inbox).serve(inner));
                drop(local);
                runtime.shutdown_background();
            })
            .context("no thread for speech")?;
        Ok(Self { asks, thread })
    }

    /// Has a text spoken.
    ///
    /// # Errors
    /// What to reply at once, when too many wait already.
    pub(crate) fn speak(&self, ticket: Ticket, request: Box<SpeechRequest>) -> Result<(), Input> {
        let busy = |_| Input::Spoken { ticket, answer: Err(SpeechError::Busy) };
        self.asks.try_send(Ask::Speak { ticket, request }).map_err(busy)
    }

    /// Nobody waits for this text any more.
    pub(crate) fn abandon(&self, ticket: Ticket) {
        if let Err(TrySendError::Full(_)) = self.asks.try_send(Ask::Abandon { ticket }) {
            tracing::debug!("a text that nobody waits for is spoken to its end");
        }
    }

    /// Cuts off what is under way, and ends the thread.
    pub(crate) fn close(self) {
        drop(self.asks);
        if self.thread.join().is_err() {
            tracing::error!("the thread for speech had ended early");
        }
    }
}

/// What is being made, and for whom.
struct Desk {
    client: Client,
    cache: Cache,
    inbox: mpsc::Sender<Input>,
    /// Texts that are being made, or wait for their turn.
    jobs: BTreeMap<Key, Job>,
    /// Those that wait, in the order in which they came.
    line: VecDeque<Key>,
    /// Which text each of those who wait wants.
    wanted: BTreeMap<Ticket, Key>,
    tasks: JoinSet<(Key, Result<Sound, SpeechError>)>,
}

struct Job {
    request: Box<SpeechRequest>,
    waiting: Vec<Ticket>,
    /// `None` until its turn comes.
    task: Option<AbortHandle>,
}

impl Desk {
    fn new(client: Client, folder: PathBuf, inbox: mpsc::Sender<Input>) -> Self {
        Self {
            client,
            cache: Cache::open(folder),
            inbox,
            jobs: BTreeMap::new(),
            line: VecDeque::new(),
            wanted: BTreeMap::new(),
            tasks: JoinSet::new(),
        }
    }

    async fn serve(mut self, mut asks: mpsc::Receiver<Ask>) {
        loop {
            tokio::select! {
                ask = asks.recv() => match ask {
                    None => return,
                    Some(Ask::Speak { ticket, request }) => self.speak(ticket, request).await,
                    Some(Ask::Abandon { ticket }) => self.abandon(ticket),
                },
                Some(ended) = self.tasks.join_next() => {
                    // Those that were aborted are told of nowhere.
                    if let Ok((key, made)) = ended {
                        self.made(key, made).await;
                    }
                }
            }
            self.next_in_line();
        }
    }

    async fn speak(&mut self, ticket: Ticket, request: Box<SpeechRequest>) {
        let key = Key::of(&request);
        if let Some(sound) = self.cache.find(key) {
            self.cache.remember(key, &sound, request.synthesiser.cache_bytes);
            return self.tell(ticket, Ok(sound)).await;
        }
        if let Some(job) = self.jobs.get_mut(&key) {
            job.waiting.push(ticket);
        } else if self.jobs.len() >= JOBS_MAX {
            return self.tell(ticket, Err(SpeechError::Busy)).await;
        } else {
            self.jobs.insert(key, Job { request, waiting: vec![ticket], task: None });
            self.line.push_back(key);
        }
        self.wanted.insert(ticket, key);
    }

    fn abandon(&mut self, ticket: Ticket) {
        let Some(key) = self.wanted.remove(&ticket) else { return };
        let Some(job) = self.jobs.get_mut(&key) else { return };
        job.waiting.retain(|waiting| *waiting != ticket);
        if job.waiting.is_empty() {
            match self.jobs.remove(&key).and_then(|job| job.task) {
                Some(task) => task.abort(),
                None => self.line.retain(|waiting| *waiting != key),
            }
        }
    }

    /// Begins as many as may be made at one time.
    fn next_in_line(&mut self) {
        while let Some(key) = self.line.front().copied() {
            let Some(job) = self.jobs.get(&key) else {
                self.line.pop_front();
                continue;
            };
            if self.jobs.len() - self.line.len() >= job.request.synthesiser.at_once {
                return;
            }
            self.line.pop_front();
            let (client, request) = (self.client.clone(), job.request.clone());
            let task = self.tasks.spawn(async move { (key, make(&client, &request).await) });
            if let Some(job) = self.jobs.get_mut(&key) {
                job.task = Some(task);
            }
        }
    }

    async fn made(&mut self, key: Key, made: Result<Sound, SpeechError>) {
        let Some(Job { request, waiting, .. }) = self.jobs.remove(&key) else { return };
        let bytes_max = request.synthesiser.cache_bytes;
        let made = made.map(Arc::new);
        for ticket in waiting {
            self.wanted.remove(&ticket);
            self.tell(ticket, made.clone()).await;
        }
        if let Ok(sound) = made {
            self.cache.remember(key, &sound, bytes_max);
            self.cache.keep(key, &sound, bytes_max);
        }
    }

    async fn tell(&self, ticket: Ticket, answer: Result<Arc<Sound>, SpeechError>) {
        if self.inbox.send(Input::Spoken { ticket, answer }).await.is_err() {
            tracing::debug!("nobody waits for a text any more");
        }
    }
}

/// Has a text made into sound, within its time.
async fn make(client: &Client, request: &SpeechRequest) -> Result<Sound, SpeechError> {
    let SpeechRequest { speech, synthesiser } = request;
    let made = async {
        let file = match &synthesiser.by {
            SpeechBy::Command(command) => command::run(command, speech).await?,
            SpeechBy::Url { .. } => fetch(client, request).await?,
        };
        let decoded = tokio::task::spawn_blocking(|| media::decode_unnamed(file)).await;
        match decoded {
            Ok(Ok(pcm)) => Ok(Sound::from(pcm)),
            Ok(Err(error)) => Err(broken(format!("what it gave is no sound: {error}"))),
            Err(_) => Err(broken("what it gave cannot be read")),
        }
    };
    let made = tokio::time::timeout(synthesiser.timeout, made).await;
    made.unwrap_or(Err(SpeechError::Timeout))
}

async fn fetch(client: &Client, request: &SpeechRequest) -> Result<Vec<u8>, SpeechError> {
    let SpeechRequest { speech, synthesiser } = request;
    let SpeechBy::Url { url, body, headers } = &synthesiser.by else {
        return Err(broken("there is no address"));
    };
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let body = fill::fill(body, |name| match name {
        "text" => quoted(&speech.text),
        "lang" => quoted(&speech.language),
        _ => speech.voice.as_deref().map_or_else(|| "null".to_owned(), quoted),
    });
    let mut headers = headers.clone();
    let is_kind = |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-type");
    if !headers.iter().any(is_kind) {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    let request = FetchRequest {
        method: "POST".to_owned(),
        url: url.clone(),
        headers,
        body: body.into_bytes(),
        timeout: synthesiser.timeout,
        body_bytes_max: command::OUTPUT_BYTES_MAX,
        reach: Reach::Anywhere,
    };
    match client.fetch(request).await {
        Ok(FetchResponse { status: 200, body, .. }) => Ok(body),
        Ok(FetchResponse { status, .. }) => Err(broken(format!("the address answers {status}"))),
        Err(net::FetchError::Timeout) => Err(SpeechError::Timeout),
        Err(error) => Err(broken(format!("the address cannot be asked: {error}"))),
    }
}

fn broken(what: impl Into<String>) -> SpeechError {
    SpeechError::Broken(what.into())
}

/// Texts that are made or wait for it; beyond, a script is told `busy`.
const JOBS_MAX: usize = 256;
/// Asks on their way to the thread.
const ASKS_MAX: usize = 1_024;
/// Sounds decoded at one time.
const DECODERS_MAX: usize = 2;
