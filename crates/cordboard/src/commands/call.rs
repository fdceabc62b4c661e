//! `cordboard call`: a phone on the command line, for scripts, probes and the curious.
//!
//! It is made of the same parts as the exchange: `sip-engine` speaks SIP, `media` plays and records,
//! `net` owns the sockets. [`phone::Phone`] decides; this file only carries.

use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{Args, ValueEnum};
use net::rtp::RtpHandle;
use net::{Arrival, Ends, Tcp, TcpLimits, Udp};
use pbx::Input;
use sip_engine::{Flow, Transport};
use tokio::sync::mpsc;
use tokio::task::LocalSet;

use crate::{media_threads, random};

mod audio;
mod phone;
mod plan;

use phone::{Action, Ending, Phone};
use plan::Plan;

/// What the phone shall do.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Options {
    /// Whom to call: a number of the exchange in the configuration (with --as or --server), or a SIP
    /// URI such as sip:600@127.0.0.1.
    target: Option<String>,
    /// Call as this account of the configuration file, which also says where the exchange is.
    #[arg(long = "as", value_name = "USER", conflicts_with_all = ["user", "secret_file"])]
    account: Option<String>,
    /// User name.
    #[arg(long)]
    user: Option<String>,
    /// Password; others on this machine may see it in the list of processes, the variable they may
    /// not.
    #[arg(long, env = "CORDBOARD_SECRET", hide_env_values = true)]
    secret: Option<String>,
    /// File with the password.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// The exchange to register with and to send calls to, instead of the target's own host.
    #[arg(long, value_name = "HOST[:PORT]")]
    server: Option<String>,
    /// How to reach it.
    #[arg(long, value_enum)]
    transport: Option<TransportName>,
    /// Register first, and take it back at the end.
    #[arg(long)]
    register: bool,
    /// Wait for a call and answer it.
    #[arg(long)]
    answer: bool,
    /// Let an incoming call ring this long.
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0)]
    answer_after: f64,
    /// Give up after waiting this long for a call.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    wait: Option<Duration>,
    /// Play this file once connected, and hang up at its end unless --hangup-after says otherwise.
    #[arg(long, value_name = "FILE", conflicts_with = "tone")]
    play: Option<PathBuf>,
    /// Sound a tone of this many hertz while connected.
    #[arg(long, value_name = "HZ", value_parser = clap::value_parser!(u16).range(20..=3_900))]
    tone: Option<u16>,
    /// Record what is heard, early media included, to this WAV file.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Keys to press once connected: 0-9 * # A-D; a comma waits a second.
    #[arg(long)]
    digits: Option<String>,
    /// Press them this long after the answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    digits_after: f64,
    /// Hang up this long after the answer.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    hangup_after: Option<Duration>,
    /// Give up ringing after this long.
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    ring_timeout: f64,
    /// Speak only this codec.
    #[arg(long, value_enum)]
    codec: Option<CodecName>,
    /// Our own address, or address and port; the system chooses otherwise.
    #[arg(long, value_name = "IP[:PORT]")]
    local: Option<String>,
    /// Print nothing but mistakes.
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TransportName {
    Udp,
    Tcp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CodecName {
    Pcmu,
    Pcma,
}

const EXIT_CODES: &str = "Exit codes:
  0  answered, and ended well
  1  something on this machine: a file, the configuration
  2  the command line is wrong
  3  busy, refused or redirected too often
  4  no answer in time, or nobody called
  5  user name or password refused
  6  the network or the exchange does not answer

Examples:
  cordboard call 600 --as 101 --tone 440 --record echo.wav --hangup-after 5
  cordboard call 101 --as 100 --play hello.wav
  cordboard call --as 101 --register --answer --record message.wav
  cordboard call sip:600@192.0.2.5 --user 101 --secret-file secret.txt";

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_error| "not a number of seconds".to_owned())?;
    plausible(seconds).ok_or_else(|| format!("not a number of seconds up to {SECONDS_MAX}"))
}

/// A time that can be added to a clock.
fn plausible(seconds: f64) -> Option<Duration> {
    (0.0..=SECONDS_MAX).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

/// A year.
const SECONDS_MAX: f64 = 31_536_000.0;

pub(crate) fn run(config_path: &Path, options: Options) -> anyhow::Result<ExitCode> {
    let plan = match Plan::new(options, config_path) {
        Ok(plan) => plan,
        Err(plan::Fault::Usage(message)) => {
            eprintln!("{message}\n\nTry `cordboard call --help`.");
            return Ok(ExitCode::from(USAGE));
        }
        Err(plan::Fault::Network(message)) => {
            eprintln!("{message}");
            return Ok(Ending::Network.code());
        }
        Err(plan::Fault::Other(error)) => return Err(error),
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    let ended = LocalSet::new().block_on(&runtime, converse(plan))?;
    Ok(ended.code())
}

/// Runs the phone until its call is over.
async fn converse(plan: Plan) -> anyhow::Result<Ending> {
    let (mut udp, mut tcp) = (Udp::new(), Tcp::new(TcpLimits::default()));
    let wanted = plan.local;
    let bound = match plan.transport {
        Transport::Udp => udp.bind(wanted),
        Transport::Tcp => tcp.bind(wanted),
    };
    let local = bound.with_context(|| format!("cannot listen on {} {wanted}", plan.transport))?;
    let (sender, mut inbox) = mpsc::channel(INBOX_MAX);
    let seed = random::seed()?;
    let (mut voices, threads) = media_threads::start(1, seed, &sender)?;
    let voice = voices.pop().context("no thread for voice")?;
    let (record, quiet) = (plan.record.clone(), plan.quiet);
    let started = Instant::now();
    let rtp_port = free_port(local, seed)?;
    let mut phone = Phone::new(started, random::seed()?, plan, local, rtp_port);
    let mut interrupted = 0;

    let ending = loop {
        carry_out(&mut phone, &mut udp, &mut tcp, &voice, started, quiet);
        if let Some(ending) = phone.ended() {
            break ending;
        }
        let wake_at = phone.poll_timeout();
        tokio::select! {
            socket = udp.readable() => {
                while let Some((ends, bytes)) = udp.receive(socket) {
                    phone.handle_message(Instant::now(), flow(Transport::Udp, ends), bytes);
                }
            }
            arrival = tcp.next() => match arrival {
                Arrival::Message { ends, bytes } => {
                    phone.handle_message(Instant::now(), flow(Transport::Tcp, ends), bytes);
                }
                Arrival::Closed { ends } => {
                    phone.handle_flow_failed(Instant::now(), flow(Transport::Tcp, ends));
                }
            },
            Some(Input::Media(event)) = inbox.recv() => phone.handle_media(Instant::now(), event),
            _ = tokio::signal::ctrl_c() => {
                interrupted += 1;
                if interrupted > 1 {
                    break Ending::NoAnswer;
                }
                phone.interrupt(Instant::now());
            }
            () = until(wake_at) => phone.handle_timeout(Instant::now()),
        }
    };
    drop(voice);
    threads.join();
    if let Some(path) = record {
        store::write_wav(&path, phone.heard())
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(ending)
}

/// An even port that is free now; the voice thread binds it a moment later.
fn free_port(local: SocketAddr, seed: u64) -> anyhow::Result<u16> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let free = |port: &u16| UdpSocket::bind((local.ip(), *port)).is_ok();
    (0..PORT_TRIES)
        .map(|_try| rng.u16(10_000..30_000) * 2)
        .find(free)
        .context("no free port for voice")
}

fn carry_out(
    phone: &mut Phone,
    udp: &mut Udp,
    tcp: &mut Tcp,
    voice: &RtpHandle,
    started: Instant,
    quiet: bool,
) {
    while let Some(action) = phone.poll_action() {
        match action {
            Action::Transmit { flow, bytes } => {
                let ends = Ends { local: flow.local, remote: flow.remote };
                match flow.transport {
                    Transport::Udp => {
                        if let Err(error) = udp.send(ends, &bytes) {
                            tracing::warn!("{} cannot be reached: {error}", flow.remote);
                            phone.handle_flow_failed(Instant::now(), flow);
                        }
                    }
                    Transport::Tcp => tcp.send(ends, bytes),
                }
            }
            Action::Voice(command) => {
                if voice.send(command).is_err() {
                    tracing::error!("the voice thread takes no commands");
                }
            }
            Action::Say(text) => {
                if !quiet {
                    say(started.elapsed(), &text);
                }
            }
        }
    }
    voice.wake();
}

/// One line per event; whoever reads them may be gone.
fn say(at: Duration, text: &str) {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{:8.3}  {text}", at.as_secs_f64()).and_then(|()| out.flush());
    if let Err(error) = written {
        tracing::debug!(%error, "nobody reads what happens");
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

fn flow(transport: Transport, ends: Ends) -> Flow {
    Flow { transport, local: ends.local, remote: ends.remote }
}

/// Ports tried for voice.
const PORT_TRIES: usize = 100;
/// As clap uses it.
const USAGE: u8 = 2;
/// Events of one call.
const INBOX_MAX: usize = 1_024;
