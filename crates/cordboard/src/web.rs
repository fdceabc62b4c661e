//! The thread that speaks HTTP, so that neither certificates nor long answers hold up a call.

mod door;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::thread::JoinHandle;

use anyhow::Context;
use net::Client;
use pbx::records::Ticket;
use pbx::{AskedId, FetchError, FetchRequest, Fetched, Input, WebResponse};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet, LocalSet};

use crate::config::HttpSettings;
pub(crate) use door::Token;
use door::{Door, Waiting};

/// Carries out requests of scripts beside everything else.
#[derive(Debug)]
pub(crate) struct Web {
    asks: mpsc::Sender<Ask>,
    token: Option<watch::Sender<Token>>,
    thread: JoinHandle<()>,
}

#[derive(Debug)]
enum Ask {
    Fetch { ticket: Ticket, request: Box<FetchRequest> },
    Abandon { ticket: Ticket },
    Respond { id: AskedId, response: Box<WebResponse> },
}

impl Web {
    /// Starts the thread; answers go into `inbox`.
    ///
    /// # Errors
    /// When TLS cannot be set up, or the system gives no thread.
    pub(crate) fn start(
        settings: &HttpSettings,
        inbox: mpsc::Sender<Input>,
    ) -> anyhow::Result<Self> {
        let client = Client::new(&settings.trusted).context("HTTP cannot be set up")?;
        let door = settings.listen.as_ref().map(Door::open).transpose()?;
        let (door, token) = door.unzip();
        let (asks, inner) = mpsc::channel(ASKS_MAX);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(LOOKUPS_MAX)
            .build()
            .context("no runtime for HTTP")?;
        let thread = std::thread::Builder::new()
            .name("http".into())
            .spawn(move || {
                let local = LocalSet::new();
                local.block_on(&runtime, serve(inner, client, door, inbox));
                drop(local);
                // A look-up that still waits for a name server is of no use to anybody.
                runtime.shutdown_background();
            })
            .context("no thread for HTTP")?;
        Ok(Self { asks, token, thread })
    }

    /// Where another token is taken into use, if other programs are heard at all.
    pub(crate) fn token(&self) -> Option<watch::Sender<Token>> {
        self.token.clone()
    }

    /// Sends a request.
    ///
    /// # Errors
    /// What to reply at once, when too many wait already.
    pub(crate) fn fetch(&self, ticket: Ticket, request: Box<FetchRequest>) -> Result<(), Input> {
        self.asks.try_send(Ask::Fetch { ticket, request }).map_err(|_full| busy(ticket))
    }

    /// Nobody waits for this request any more.
    pub(crate) fn abandon(&self, ticket: Ticket) {
        if let Err(TrySendError::Full(_)) = self.asks.try_send(Ask::Abandon { ticket }) {
            tracing::debug!("a request that nobody waits for goes on to its end");
        }
    }

    /// Answers a program that asked.
    pub(crate) fn respond(&self, id: AskedId, response: Box<WebResponse>) {
        if self.asks.try_send(Ask::Respond { id, response }).is_err() {
            tracing::warn!("the answer to a program is lost: too many are on their way");
        }
    }

    /// Cuts off what is under way, and ends the thread.
    pub(crate) fn close(self) {
        drop(self.asks);
        if self.thread.join().is_err() {
            tracing::error!("the thread for HTTP had ended early");
        }
    }
}

async fn serve(
    mut asks: mpsc::Receiver<Ask>,
    client: Client,
    door: Option<Door>,
    inbox: mpsc::Sender<Input>,
) {
    let asked: Rc<Waiting> = Rc::default();
    if let Some(door) = door
        && let Err(error) = door.attend(Rc::clone(&asked), inbox.clone())
    {
        tracing::error!(%error, "no other program can be heard");
    }
    let mut tasks = JoinSet::new();
    let mut running: BTreeMap<Ticket, AbortHandle> = BTreeMap::new();
    loop {
        let ask = tokio::select! {
            ask = asks.recv() => ask,
            Some(ended) = tasks.join_next() => {
                // Those that were abandoned are not in the map any more.
                if let Ok(ticket) = ended {
                    running.remove(&ticket);
                }
                continue;
            }
        };
        match ask {
            None => return,
            Some(Ask::Abandon { ticket }) => {
                if let Some(task) = running.remove(&ticket) {
                    task.abort();
                }
            }
            Some(Ask::Respond { id, response }) => asked.tell(id, *response),
            Some(Ask::Fetch { ticket, .. }) if running.len() >= FETCHES_MAX => {
                deliver(&inbox, busy(ticket)).await;
            }
            Some(Ask::Fetch { ticket, request }) => {
                let (client, inbox) = (client.clone(), inbox.clone());
                let task = tasks.spawn(async move {
                    let answer = client.fetch(outward(*request)).await;
                    deliver(&inbox, Input::Fetched { ticket, answer: inward(answer) }).await;
                    ticket
                });
                running.insert(ticket, task);
            }
        }
    }
}

async fn deliver(inbox: &mpsc::Sender<Input>, input: Input) {
    if inbox.send(input).await.is_err() {
        tracing::debug!("nobody waits for an answer any more");
    }
}

fn busy(ticket: Ticket) -> Input {
    Input::Fetched { ticket, answer: Err(FetchError::Busy) }
}

fn outward(request: FetchRequest) -> net::FetchRequest {
    let FetchRequest { method, url, headers, body, timeout, body_bytes_max, reach } = request;
    let reach = match reach {
        pbx::Reach::Anywhere => net::Reach::Anywhere,
        pbx::Reach::PublicOnly => net::Reach::PublicOnly,
    };
    net::FetchRequest { method, url, headers, body, timeout, body_bytes_max, reach }
}

fn inward(answer: Result<net::FetchResponse, net::FetchError>) -> Result<Fetched, FetchError> {
    match answer {
        Ok(net::FetchResponse { status, headers, body }) => Ok(Fetched { status, headers, body }),
        Err(error) => Err(match error {
            net::FetchError::Timeout => FetchError::Timeout,
            net::FetchError::NoSuchHost => FetchError::NoSuchHost,
            net::FetchError::NotPublic => FetchError::NotPublic,
            net::FetchError::Refused => FetchError::Refused,
            net::FetchError::NotTrusted(why) => FetchError::NotTrusted(match why {
                net::Distrust::Unknown => pbx::Distrust::Unknown,
                net::Distrust::OtherHost => pbx::Distrust::OtherHost,
                net::Distrust::OutOfDate => pbx::Distrust::OutOfDate,
                net::Distrust::Unfit => pbx::Distrust::Unfit,
                net::Distrust::NoTls => pbx::Distrust::NoTls,
            }),
            net::FetchError::TooLarge => FetchError::TooLarge,
            net::FetchError::Broken | net::FetchError::Malformed => FetchError::Broken,
        }),
    }
}

/// Requests under way at one time; beyond, a script is told `busy`.
const FETCHES_MAX: usize = 64;
/// Requests on their way to the thread.
const ASKS_MAX: usize = 256;
/// Host names looked up at one time.
const LOOKUPS_MAX: usize = 8;
