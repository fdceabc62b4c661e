//! Puts the exchange together, starts its threads, and takes it apart again.

mod administration;

use std::io::IsTerminal;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Instant, SystemTime};

use anyhow::{Context, anyhow, bail};
use net::control::ControlSocket;
use net::{Tcp, Udp};
use pbx::{Input, Listener, Start, Switch};
use sip_engine::Transport;
use tokio::sync::mpsc;
use tokio::task::LocalSet;

use crate::config::{ListenSpec, Settings, expand};
use crate::data_folder::{CONTROL_SOCKET, DataFolder};
use crate::prompts::Undecoded;
use crate::questions::Questions;
use crate::reload::Current;
use crate::shutdown::Signals;
use crate::signalling::{self, Hands};
use crate::speech::Speaker;
use crate::web::Web;
use administration::{Administration, Office};

use crate::{first_start, machine, media_threads, prompts, random, reload, report, scripts};

/// Runs the exchange until it is told to stop.
///
/// # Errors
/// Whatever keeps it from starting, ready to print.
pub(crate) fn run(config_path: &Path, data: Option<&Path>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .build()
        .context("no runtime")?;
    let local = LocalSet::new();
    let ended = local.block_on(&runtime, office(config_path, data));
    drop(local);
    // A look-up that still waits for a name server is of no use to anybody.
    runtime.shutdown_background();
    ended
}

async fn office(config_path: &Path, data: Option<&Path>) -> anyhow::Result<()> {
    let started = Instant::now();
    machine::allow_many_sockets();
    let start = first_start::ensure_config(config_path)?;
    let mut settings = Settings::load(config_path)?;
    if let Some(data) = data {
        settings.data = data.to_owned();
    }
    let data_folder = DataFolder::take(&settings.data)?;
    first_start::ensure_folders(&settings)?;
    // A first start that failed, say at a port in use, is followed by another first one. What is told
    // then holds secrets, so it is told only to a person; and an office that was configured by hand
    // need not be told what it is.
    let is_new = start == first_start::Start::First
        || (!settings.data.join(DATABASE).exists()
            && first_start::wrote(config_path)
            && std::io::stdout().is_terminal());

    // Sockets first: what arrives from now on waits for us instead of being refused.
    let (mut udp, mut tcp) = (Udp::new(), Tcp::new(settings.tcp_limits.clone()));
    let listeners = listen(&settings, &mut udp, &mut tcp, config_path)?;
    let signals = Signals::new()?;
    let (sender, inbox) = mpsc::channel(INBOX_MAX);
    let (store, bindings) = open_store(&settings.data, sender.clone())?;

    let sources = scripts::read(&settings.scripts)?;
    let found = prompts::Found::in_folder(&settings.prompts)?;
    let (prompts, undecoded) = found.prepare();
    let current = Current {
        sources: sources.clone(),
        shelf: found.shelve(&prompts),
        config: std::fs::read(config_path).map(|text| reload::fingerprint(&text))?,
    };
    let addresses: Vec<SocketAddr> = addresses_of(&listeners, Transport::Udp);
    let welcome = is_new.then(|| first_start::welcome(config_path, &settings, &addresses));
    let control = ControlSocket::bind(&settings.data.join(CONTROL_SOCKET));
    let config = settings.clone().into_config(listeners.clone());
    let media_count = config.media_threads;
    let start = Start {
        now: Instant::now(),
        wall: SystemTime::now(),
        seed: random::seed()?,
        sources: sources.clone(),
        prompts: Arc::new(prompts),
        bindings,
        kept: None,
    };
    let switch = Switch::new(config, start)
        .map_err(|mistakes| anyhow!(report::render_scripts(&mistakes, &sources)))?;
    let (media, media_threads) = media_threads::start(media_count, random::seed()?, &sender)?;
    let decoder = Decoder::start(undecoded)?;
    let questions = Questions::new(sender.clone());
    let web = Web::start(&settings.http, sender.clone())?;
    let token = web.token();
    let queries = open_script_database(&settings, sender.clone())?;
    let speech_folder = settings.data.join(SPEECH);
    let speaker = Speaker::start(&settings.http.trusted, speech_folder, sender.clone())?;
    let beside = (web, queries, speaker);
    let mut hands = Hands::new(udp, tcp, media, store, beside, questions.clone());

    let office = Office {
        config_path: config_path.to_owned(),
        data: data.map(Path::to_owned),
        settings,
        listeners,
        current,
        token,
    };
    let (administration, wishes) = Administration::start(office, control, questions);

    tracing::info!(took = ?started.elapsed(), "open for calls on {}", shown(&addresses));
    if let Some(welcome) = welcome {
        // The one thing that goes to standard output: it is for reading, not for a log.
        println!("{welcome}");
    }
    tokio::select! {
        () = signalling::run(switch, inbox, &mut hands) => {}
        () = signals.obey(sender, wishes) => {}
    }
    administration.stop();
    tracing::debug!(udp = ?hands.udp.counters(), tcp = ?hands.tcp.counters(), "carried");
    let (media, store, web, queries, speaker) = hands.let_go();
    for (number, voice) in media.iter().enumerate() {
        tracing::debug!(number, voice = ?voice.counters(), "carried");
    }
    drop(media);
    media_threads.join();
    store.close();
    web.close();
    queries.close();
    speaker.close();
    decoder.stop();
    drop(data_folder);
    tracing::info!("closed");
    Ok(())
}

/// The thread that decodes prompts.
struct Decoder {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Decoder {
    fn start(undecoded: Undecoded) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("prompts".into())
            .spawn(move || undecoded.decode(&told))
            .context("no thread for prompts")?;
        Ok(Self { stop, thread })
    }

    fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        if self.thread.join().is_err() {
            tracing::error!("decoding prompts ended in a panic");
        }
    }
}

fn open_store(
    folder: &Path,
    inbox: mpsc::Sender<Input>,
) -> anyhow::Result<(store::Store, Vec<pbx::records::BindingRecord>)> {
    let path = folder.join(DATABASE);
    let reply = move |ticket, reply| {
        // The store's own thread may wait; ours never does.
        if inbox.blocking_send(Input::Stored { ticket, reply }).is_err() {
            tracing::debug!("nobody waits for the store any more");
        }
    };
    store::Store::open(&path, folder.join(RECORDINGS), reply)
        .with_context(|| format!("the database {} cannot be opened", path.display()))
}

/// The scripts' own database; its file is made when a script first needs it.
fn open_script_database(
    settings: &Settings,
    inbox: mpsc::Sender<Input>,
) -> anyhow::Result<store::Queries> {
    let reply = move |ticket, answer, took| {
        if inbox.blocking_send(Input::Queried { ticket, answer, took }).is_err() {
            tracing::debug!("nobody waits for the scripts' database any more");
        }
    };
    let path = settings.data.join(&settings.script_database);
    store::Queries::start(path, reply).context("no thread for the scripts' database")
}

/// Opens every listener that the configuration asks for.
fn listen(
    settings: &Settings,
    udp: &mut Udp,
    tcp: &mut Tcp,
    config_path: &Path,
) -> anyhow::Result<Vec<Listener>> {
    let machine = machine::addresses()?;
    let mut listeners = Vec::new();
    for (transport, specs) in [(Transport::Udp, &settings.udp), (Transport::Tcp, &settings.tcp)] {
        for address in concrete(transport, specs, &machine, config_path)? {
            let bound = match transport {
                Transport::Udp => udp.bind(address),
                Transport::Tcp => tcp.bind(address),
            };
            let address =
                bound.map_err(|error| listen_fault(transport, address, &error, config_path))?;
            listeners.push(Listener { transport, address });
        }
    }
    if listeners.is_empty() {
        bail!(
            "{}: nothing to listen on; put an address into `udp` or `tcp` of [listen]",
            config_path.display()
        );
    }
    Ok(listeners)
}

/// The addresses that the entries of one transport mean here.
pub(crate) fn concrete(
    transport: Transport,
    specs: &[ListenSpec],
    machine: &[IpAddr],
    config_path: &Path,
) -> anyhow::Result<Vec<SocketAddr>> {
    for spec in specs {
        if expand(std::slice::from_ref(spec), machine).is_empty() {
            bail!(
                "{}: `{transport} = [\"{spec}\"]` in [listen] means no address of this machine",
                config_path.display()
            );
        }
    }
    Ok(expand(specs, machine))
}

fn listen_fault(
    transport: Transport,
    address: SocketAddr,
    error: &std::io::Error,
    config_path: &Path,
) -> anyhow::Error {
    use std::io::ErrorKind;
    let name = transport.as_via();
    let file = config_path.display();
    let kind = error.kind();
    let advice = if kind == ErrorKind::AddrInUse {
        format!(
            "Another program uses that port (perhaps a second Cordboard). Stop it, or choose another \
             port in {file}:\n\n    [listen]\n    {transport} = [\"private:{}\"]\n",
            address.port().saturating_add(10),
        )
    } else if kind == ErrorKind::AddrNotAvailable {
        format!(
            "This machine does not have that address; change `{transport}` in [listen] of {file}."
        )
    } else if kind == ErrorKind::PermissionDenied {
        format!(
            "It takes an administrator; change the port in `{transport}` in [listen] of {file}."
        )
    } else {
        format!("See `{transport}` in [listen] of {file}.")
    };
    anyhow!("cannot listen on {name} {address}: {error}\n{advice}")
}

fn addresses_of(listeners: &[Listener], transport: Transport) -> Vec<SocketAddr> {
    let all = listeners.iter().filter(|listener| listener.transport == transport);
    all.map(|listener| listener.address).collect()
}

fn shown(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The database, in the data folder.
pub(crate) const DATABASE: &str = "cordboard.db";
/// Recordings, in the data folder.
pub(crate) const RECORDINGS: &str = "recordings";
/// Texts that were spoken, in the data folder.
const SPEECH: &str = "speech";
/// News that may wait for the loop; beyond, their senders wait or drop, as each says.
const INBOX_MAX: usize = 16_384;
/// Threads for look-ups and for reading scripts.
const BLOCKING_THREADS_MAX: usize = net::LOOKUPS_MAX + 4;
