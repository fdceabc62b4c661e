//! From options to what the phone needs to know.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use media::{PlayItem, Sound, ToneSpec};
use sdp::RtpCodec;
use sip_engine::{ClientCredentials, Transport};
use sip_syntax::{Uri, escape_user};

use super::{CodecName, Options, TransportName, audio};
use crate::config::{ListenSpec, Settings, expand, nearest};
use crate::machine;

/// A call, thought through.
#[derive(Debug)]
pub(super) struct Plan {
    /// Request-URI of the call; `None` only waits for one.
    pub(super) target: Option<String>,
    /// Our own name-addr, without tag.
    pub(super) from: String,
    /// Request-URI for registering.
    pub(super) registrar: String,
    /// User part of our Contact.
    pub(super) user: String,
    pub(super) credentials: Option<ClientCredentials>,
    pub(super) transport: Transport,
    /// Where requests go.
    pub(super) remote: SocketAddr,
    /// Our own address; port 0 lets the system choose.
    pub(super) local: SocketAddr,
    pub(super) register: bool,
    pub(super) answer: bool,
    pub(super) answer_after: Duration,
    pub(super) wait: Option<Duration>,
    /// Sounded once connected.
    pub(super) play: Option<PlayItem>,
    pub(super) digits: Vec<(Duration, String)>,
    pub(super) hangup_after: Option<Duration>,
    /// Whether the end of what is played ends the call.
    pub(super) hangup_at_end: bool,
    pub(super) ring_timeout: Duration,
    pub(super) codecs: Vec<RtpCodec>,
    pub(super) record: Option<PathBuf>,
    pub(super) quiet: bool,
}

/// Why there is no plan.
#[derive(Debug)]
pub(super) enum Fault {
    /// The options do not fit together.
    Usage(String),
    /// A host has no address.
    Network(String),
    /// A file or the configuration.
    Other(anyhow::Error),
}

impl From<anyhow::Error> for Fault {
    fn from(error: anyhow::Error) -> Self {
        Fault::Other(error)
    }
}

/// Who calls, and through whom.
struct Identity {
    user: String,
    name: String,
    secret: Option<String>,
    /// `HOST[:PORT]` of the exchange.
    server: Option<String>,
}

impl Plan {
    pub(super) fn new(options: Options, config_path: &Path) -> Result<Self, Fault> {
        if options.target.is_none() && !options.answer {
            return Err(usage("nobody to call; name a number or a URI, or wait with --answer"));
        }
        let target_uri = options.target.as_deref().filter(|target| is_uri(target)).map(with_scheme);
        let uri_transport = target_uri.as_deref().and_then(transport_in);
        let transport = match (options.transport, uri_transport) {
            (Some(TransportName::Tcp), _) | (None, Some(Transport::Tcp)) => Transport::Tcp,
            (Some(TransportName::Udp), _) | (None, _) => Transport::Udp,
        };
        let identity = Identity::new(&options, config_path, transport)?;
        let server = match (&identity.server, target_uri.as_deref()) {
            (Some(server), _) => server.clone(),
            (None, Some(uri)) => host_port(uri)?,
            (None, None) => {
                return Err(usage("where is the exchange? Name it with --server or --as"));
            }
        };
        let target = match (options.target.as_deref(), target_uri) {
            (None, _) => None,
            (Some(_), Some(uri)) => Some(uri),
            (Some(number), None) => Some(format!("sip:{}@{server}", escape_user(number))),
        };
        let remote = resolve(&server)?;
        let local = local_address(options.local.as_deref(), remote)?;
        let play = play_item(&options)?;
        let digits = options.digits.as_deref().unwrap_or_default();
        let digits = split_digits(digits, duration(options.digits_after)?)?;
        let quoted = match identity.name.as_str() {
            "" => String::new(),
            name => format!("{} ", sip_syntax::quote(name)),
        };
        let codecs = match options.codec {
            None => vec![RtpCodec::pcmu(), RtpCodec::pcma()],
            Some(CodecName::Pcmu) => vec![RtpCodec::pcmu()],
            Some(CodecName::Pcma) => vec![RtpCodec::pcma()],
        };
        if options.register && identity.secret.is_none() {
            return Err(usage("registering needs --as, or --user with --secret-file"));
        }
        Ok(Self {
            target,
            from: format!("{quoted}<sip:{}@{server}>", escape_user(&identity.user)),
            registrar: format!("sip:{server}"),
            credentials: identity.secret.map(|secret| ClientCredentials {
                user: identity.user.clone(),
                secret,
                realm: None,
            }),
            user: identity.user,
            transport,
            remote,
            local,
            register: options.register,
            answer: options.answer,
            answer_after: duration(options.answer_after)?,
            wait: options.wait,
            hangup_at_end: options.play.is_some() && options.hangup_after.is_none(),
            play,
            digits,
            hangup_after: options.hangup_after,
            ring_timeout: duration(options.ring_timeout)?,
            codecs,
            record: options.record,
            quiet: options.quiet,
        })
    }
}

impl Identity {
    fn new(options: &Options, config_path: &Path, transport: Transport) -> Result<Self, Fault> {
        let Some(user) = &options.account else {
            let secret = match &options.secret_file {
                Some(path) => Some(
                    std::fs::read_to_string(path)
                        .with_context(|| format!("{} cannot be read", path.display()))?
                        .trim_end_matches(['\r', '\n'])
                        .to_owned(),
                ),
                None => options.secret.clone(),
            };
            return Ok(Self {
                user: options.user.clone().unwrap_or_else(|| "anonymous".into()),
                name: String::new(),
                secret,
                server: options.server.clone(),
            });
        };
        let settings = Settings::load(config_path)?;
        let Some(account) = settings.accounts.get(user) else {
            let near = nearest(user, settings.accounts.keys().map(String::as_str));
            let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            return Err(usage(&format!("{} has no account {user}{near}", config_path.display())));
        };
        let server = match &options.server {
            Some(server) => server.clone(),
            None => own_server(&settings, transport)?,
        };
        Ok(Self {
            user: user.clone(),
            name: account.name.clone(),
            secret: Some(account.secret.clone()),
            server: Some(server),
        })
    }
}

/// Where the exchange of this configuration listens, seen from this machine.
fn own_server(settings: &Settings, transport: Transport) -> Result<String, Fault> {
    let specs: &[ListenSpec] = match transport {
        Transport::Udp => &settings.udp,
        Transport::Tcp => &settings.tcp,
    };
    let addresses = expand(specs, &machine::addresses()?);
    let nearest =
        addresses.iter().min_by_key(|address| (!address.ip().is_loopback(), address.is_ipv6()));
    nearest
        .map(ToString::to_string)
        .ok_or_else(|| usage(&format!("the exchange listens to no {transport}; try --transport")))
}

fn usage(message: &str) -> Fault {
    Fault::Usage(message.to_owned())
}

fn duration(seconds: f64) -> Result<Duration, Fault> {
    super::plausible(seconds).ok_or_else(|| usage("a time is neither negative nor over a year"))
}

fn is_uri(target: &str) -> bool {
    target.contains('@') || target.starts_with("sip:") || target.starts_with("sips:")
}

fn with_scheme(target: &str) -> String {
    if target.starts_with("sip:") { target.to_owned() } else { format!("sip:{target}") }
}

fn transport_in(uri: &str) -> Option<Transport> {
    let uri = Uri::parse_slice(uri.as_bytes()).ok()?;
    let name = uri.param(b"transport")?;
    [Transport::Udp, Transport::Tcp]
        .into_iter()
        .find(|transport| name.eq_ignore_ascii_case(transport.as_param().as_bytes()))
}

fn host_port(uri: &str) -> Result<String, Fault> {
    let parsed = Uri::parse_slice(uri.as_bytes())
        .map_err(|error| usage(&format!("`{uri}` is not a SIP URI: {error}")))?;
    Ok(match parsed.port() {
        Some(port) => format!("{}:{port}", parsed.host()),
        None => parsed.host().to_string(),
    })
}

/// The first address of `HOST[:PORT]`.
fn resolve(server: &str) -> Result<SocketAddr, Fault> {
    let named = server.parse::<SocketAddr>().or_else(|_no_port| {
        server.trim_matches(['[', ']']).parse::<IpAddr>().map(|ip| SocketAddr::new(ip, SIP_PORT))
    });
    if let Ok(address) = named {
        return Ok(address);
    }
    let found = match server.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok()) {
        Some(_) => server.to_socket_addrs(),
        None => (server, SIP_PORT).to_socket_addrs(),
    };
    let first =
        found.map_err(|error| Fault::Network(format!("{server} is not found: {error}")))?.next();
    first.ok_or_else(|| Fault::Network(format!("{server} has no address")))
}

/// Our side of the way to `remote`.
fn local_address(wanted: Option<&str>, remote: SocketAddr) -> Result<SocketAddr, Fault> {
    if let Some(wanted) = wanted {
        let address = wanted
            .parse::<SocketAddr>()
            .or_else(|_no_port| wanted.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 0)));
        return address.map_err(|_error| usage(&format!("`{wanted}` is not IP[:PORT]")));
    }
    let any: IpAddr = if remote.is_ipv4() { [0; 4].into() } else { [0_u16; 8].into() };
    // Connecting a datagram socket sends nothing; it only asks which address would be used.
    let probe = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect(remote)?;
        socket.local_addr()
    });
    match probe {
        Ok(local) => Ok(SocketAddr::new(local.ip(), 0)),
        Err(error) => Err(Fault::Network(format!("there is no way to {remote}: {error}"))),
    }
}

fn play_item(options: &Options) -> Result<Option<PlayItem>, Fault> {
    if let Some(path) = &options.play {
        let samples = audio::load(path)?;
        return Ok(Some(PlayItem::Sound(Arc::new(Sound::from_pcm(samples)))));
    }
    Ok(options.tone.map(|frequency| {
        PlayItem::Tone(ToneSpec {
            frequencies_hz: vec![f32::from(frequency)],
            cadence: Vec::new(),
            length: None,
        })
    }))
}

/// Keys with the time to press each run of them, after the answer.
fn split_digits(digits: &str, after: Duration) -> Result<Vec<(Duration, String)>, Fault> {
    let mut at = after;
    let mut runs: Vec<(Duration, String)> = Vec::new();
    for run in digits.to_ascii_uppercase().split(',') {
        if let Some(wrong) = run.chars().find(|c| !"0123456789*#ABCD".contains(*c)) {
            return Err(Fault::Other(anyhow!("`{wrong}` is no key of a phone")));
        }
        let keys: Vec<char> = run.chars().collect();
        for part in keys.chunks(DIGITS_AT_ONCE) {
            runs.push((at, part.iter().collect()));
            at += DIGIT_TIME * u32::try_from(part.len()).unwrap_or(u32::MAX);
        }
        at += COMMA_TIME;
    }
    Ok(runs)
}

/// Where SIP is when no port is named (RFC 3261 §19.1.2).
const SIP_PORT: u16 = 5_060;
/// As many as one command may send.
const DIGITS_AT_ONCE: usize = 64;
/// A key and the gap after it.
const DIGIT_TIME: Duration = Duration::from_millis(200);
/// What a comma stands for.
const COMMA_TIME: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use clap::Parser;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever stands on the command line is understood or complained about.
        #[test]
        fn no_argument_does_harm(
            words in prop::collection::vec(
                prop_oneof![
                    prop::sample::select(vec![
                        "call", "check", "account", "mailbox", "list", "add", "export", "--as", "--tone",
                        "--digits", "--hangup-after", "--wait", "--ring-timeout", "--record", "--local",
                        "--config", "--to", "--json", "--", "1e19", "NaN", "-1", "600", "sip:a@[::1]:5",
                    ]).prop_map(str::to_owned),
                    ".{0,12}",
                ],
                0..8,
            ),
            word in "[-+:@;=\\[\\]sip0-9a-e.,*#]{0,24}",
            number in any::<f64>(),
        ) {
            let parsed = crate::Cli::try_parse_from([String::from("cordboard")].into_iter().chain(words));
            prop_assert!(parsed.is_ok() || !parsed.unwrap_err().to_string().is_empty());
            let uri = with_scheme(&word);
            if let Ok(host) = host_port(&uri) {
                prop_assert!(!host.is_empty());
            }
            transport_in(&uri);
            if let Ok(runs) = split_digits(&word, Duration::ZERO) {
                prop_assert!(runs.iter().all(|(_, keys)| keys.len() <= DIGITS_AT_ONCE));
            }
            // Added to a clock without harm.
            if let Ok(time) = duration(number) {
                prop_assert!(std::time::Instant::now().checked_add(time).is_some());
            }
            prop_assert_eq!(super::super::seconds(&number.to_string()).is_ok(), duration(number).is_ok());
        }
    }

    #[test]
    fn commas_are_pauses() {
        let runs = split_digits("12,,#", Duration::from_secs(2)).unwrap();
        let millis: Vec<_> =
            runs.iter().map(|(at, keys)| (at.as_millis(), keys.as_str())).collect();
        assert_eq!(millis, [(2_000, "12"), (4_400, "#")]);
        assert!(split_digits("1x", Duration::ZERO).is_err());
    }

    #[test]
    fn servers_are_addresses_with_or_without_port() {
        for (text, expected) in [
            ("127.0.0.1", "127.0.0.1:5060"),
            ("127.0.0.1:5070", "127.0.0.1:5070"),
            ("[::1]", "[::1]:5060"),
            ("[::1]:5070", "[::1]:5070"),
        ] {
            assert_eq!(resolve(text).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn a_uri_says_where_and_how() {
        assert_eq!(host_port("sip:600@192.0.2.1:5070;transport=tcp").unwrap(), "192.0.2.1:5070");
        assert_eq!(host_port("sip:600@[2001:db8::1]").unwrap(), "[2001:db8::1]");
        assert_eq!(transport_in("sip:600@192.0.2.1;transport=tcp"), Some(Transport::Tcp));
        assert_eq!(transport_in("sip:600@192.0.2.1"), None);
        assert!(is_uri("600@host") && !is_uri("600") && !is_uri("*97"));
    }
}
