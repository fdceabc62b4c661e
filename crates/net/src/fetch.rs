//! HTTP requests to other programs (RFC 9110, RFC 9112), over TLS 1.2 and 1.3 where asked for.
//!
//! One request and its answer; whether it may be sent, and whether a redirect is followed, is decided
//! by whoever asks. Nothing is buffered beyond what the request allows, nothing waits longer than it
//! allows, and neither addresses nor headers are logged, since they may hold secrets.

mod reach;
mod trust;

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

pub use reach::is_public;
use reach::{Lookup, LookupFault};
pub use trust::{TrustError, Trusted};

/// Sends requests, and keeps some connections open for the next.
///
/// Lives on a tokio runtime; cloning is cheap and shares the connections.
#[derive(Debug, Clone)]
pub struct Client {
    anywhere: Connections,
    public_only: Connections,
}

type Connections = legacy::Client<HttpsConnector<HttpConnector<Lookup>>, Full<Bytes>>;

/// What to send.
#[derive(Clone)]
pub struct FetchRequest {
    /// `GET`, `POST` and the like.
    pub method: String,
    /// An absolute `http:` or `https:` address, with everything escaped that must be.
    pub url: String,
    /// In this order. `Host` and `Content-Length` are added.
    pub headers: Vec<(String, String)>,
    /// Sent as it is; may be empty.
    pub body: Vec<u8>,
    /// From the request to the last byte of the answer.
    pub timeout: Duration,
    /// Bytes of the answer's body, at most.
    pub body_bytes_max: usize,
    /// Which addresses the host may have.
    pub reach: Reach,
}

/// Never shows more than the host: the rest may hold secrets.
impl fmt::Debug for FetchRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchRequest")
            .field("method", &self.method)
            .field("host", &host_of(&self.url))
            .finish_non_exhaustive()
    }
}

/// Which addresses the host of a request may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Any: the host was named by an administrator.
    Anywhere,
    /// Those of the open Internet alone, see [`is_public`].
    PublicOnly,
}

/// An answer.
#[derive(Clone, PartialEq, Eq)]
pub struct FetchResponse {
    /// 100 to 999.
    pub status: u16,
    /// In order, names in lower case; bytes outside UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// As it came: not decompressed, since none is asked to be compressed.
    pub body: Vec<u8>,
}

impl fmt::Debug for FetchResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchResponse")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It took longer than allowed.
    #[error("timeout")]
    Timeout,
    /// The host has no address.
    #[error("no such host")]
    NoSuchHost,
    /// The host has only addresses that [`Reach::PublicOnly`] leaves out.
    #[error("not a public address")]
    NotPublic,
    /// Nobody listens there, or the way there is closed.
    #[error("refused")]
    Refused,
    /// TLS could not be agreed on.
    #[error("not trusted")]
    NotTrusted(Distrust),
    /// The answer has a longer body than allowed.
    #[error("too large")]
    TooLarge,
    /// The connection broke, or what came is not HTTP.
    #[error("broken")]
    Broken,
    /// The request itself cannot be written as HTTP.
    #[error("not a request")]
    Malformed,
}

/// Why whoever answers over TLS is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distrust {
    /// Nobody who is trusted has signed the certificate.
    Unknown,
    /// The certificate is of another host.
    OtherHost,
    /// The certificate counts no more, or not yet.
    OutOfDate,
    /// The certificate cannot be that of a server: most often an authority's own.
    Unfit,
    /// What answers there speaks no TLS, or none that we do.
    NoTls,
}

impl Client {
    /// Trusts these, and whatever [`Trusted`] says.
    ///
    /// # Errors
    /// When TLS cannot be set up with what is trusted.
    pub fn new(trusted: &Trusted) -> Result<Self, TrustError> {
        let connections = |reach| -> Result<Connections, TrustError> {
            let mut tcp = HttpConnector::new_with_resolver(Lookup(reach));
            tcp.enforce_http(false);
            tcp.set_nodelay(true);
            tcp.set_connect_timeout(Some(CONNECT_TIME_MAX));
            let tls = hyper_rustls::HttpsConnectorBuilder::new()
                .with_tls_config(trusted.client_config()?)
                .https_or_http()
                .enable_http1()
                .wrap_connector(tcp);
            Ok(legacy::Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE_TIME_MAX)
                .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
                .http1_max_headers(HEADERS_MAX)
                .http1_max_buf_size(HEAD_BYTES_MAX)
                .build(tls))
        };
        Ok(Self {
            anywhere: connections(Reach::Anywhere)?,
            public_only: connections(Reach::PublicOnly)?,
        })
    }

    /// Sends a request and reads the whole answer. Dropping the future closes the connection.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn fetch(&self, request: FetchRequest) -> Result<FetchResponse, FetchError> {
        let timeout = request.timeout;
        match tokio::time::timeout(timeout, self.exchange(request)).await {
            Ok(done) => done,
            Err(_elapsed) => Err(FetchError::Timeout),
        }
    }

    async fn exchange(&self, request: FetchRequest) -> Result<FetchResponse, FetchError> {
        let (reach, body_bytes_max) = (request.reach, request.body_bytes_max);
        let request = written(request)?;
        let literal = request.uri().host().and_then(literal_ip);
        let connections = match (reach, literal) {
            (Reach::PublicOnly, Some(ip)) if !is_public(ip) => return Err(FetchError::NotPublic),
            (Reach::PublicOnly, _) => &self.public_only,
            (Reach::Anywhere, _) => &self.anywhere,
        };
        let response = connections.request(request).await.map_err(|error| fault(&error))?;
        let (head, mut body) = response.into_parts();
        let promised = head.headers.get(header::CONTENT_LENGTH);
        let promised = promised.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if promised.is_some_and(|length| length > body_bytes_max) {
            return Err(FetchError::TooLarge);
        }
        let mut read = Vec::with_capacity(promised.unwrap_or_default());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| fault(&error))?;
            // Trailers are of no use to anybody here.
            let Ok(data) = frame.into_data() else { continue };
            if read.len() + data.len() > body_bytes_max {
                return Err(FetchError::TooLarge);
            }
            read.extend_from_slice(&data);
        }
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
        let (status, headers) = (head.status.as_u16(), headers.collect());
        Ok(FetchResponse { status, headers, body: read })
    }
}

/// The request as HTTP writes it; what would not be one is never sent.
fn written(request: FetchRequest) -> Result<http::Request<Full<Bytes>>, FetchError> {
    let malformed = |_| FetchError::Malformed;
    let method = Method::from_bytes(request.method.as_bytes());
    let method = method.map_err(|_| FetchError::Malformed)?;
    let uri: Uri = request.url.parse().map_err(|_| FetchError::Malformed)?;
    let mut written = http::Request::new(Full::new(Bytes::from(request.body)));
    for (name, value) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| FetchError::Malformed)?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(malformed)?;
        written.headers_mut().append(name, value);
    }
    let agent = HeaderValue::from_static(concat!("Cordboard/", env!("CARGO_PKG_VERSION")));
    written.headers_mut().entry(header::USER_AGENT).or_insert(agent);
    *written.method_mut() = method;
    *written.uri_mut() = uri;
    Ok(written)
}

fn host_of(url: &str) -> Option<String> {
    url.parse::<Uri>().ok()?.host().map(str::to_owned)
}

fn literal_ip(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    bare.unwrap_or(host).parse().ok()
}

/// What went wrong, from the innermost cause outwards.
fn fault(error: &(dyn StdError + 'static)) -> FetchError {
    let mut cause = Some(error);
    let mut told = FetchError::Broken;
    while let Some(error) = cause {
        if let Some(fault) = error.downcast_ref::<LookupFault>() {
            return match fault {
                LookupFault::NoSuchHost => FetchError::NoSuchHost,
                LookupFault::NotPublic => FetchError::NotPublic,
            };
        }
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return FetchError::NotTrusted(distrust(error));
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            // What rustls and the look-up say is wrapped in here, and no source of it.
            match error.get_ref().map(|inner| fault(inner)) {
                Some(FetchError::Broken) | None => {}
                Some(inner) => return inner,
            }
            told = of_io(error.kind()).unwrap_or(told);
        }
        cause = error.source();
    }
    told
}

#[expect(clippy::wildcard_enum_match_arm, reason = "rustls tells more than we tell apart")]
fn distrust(error: &rustls::Error) -> Distrust {
    use rustls::CertificateError as Flaw;
    match error {
        rustls::Error::InvalidCertificate(flaw) => match flaw {
            Flaw::UnknownIssuer => Distrust::Unknown,
            Flaw::NotValidForName | Flaw::NotValidForNameContext { .. } => Distrust::OtherHost,
            Flaw::Expired
            | Flaw::ExpiredContext { .. }
            | Flaw::NotValidYet
            | Flaw::NotValidYetContext { .. } => Distrust::OutOfDate,
            _ => Distrust::Unfit,
        },
        _ => Distrust::NoTls,
    }
}

fn of_io(kind: io::ErrorKind) -> Option<FetchError> {
    [
        (io::ErrorKind::ConnectionRefused, FetchError::Refused),
        (io::ErrorKind::HostUnreachable, FetchError::Refused),
        (io::ErrorKind::NetworkUnreachable, FetchError::Refused),
        (io::ErrorKind::TimedOut, FetchError::Timeout),
    ]
    .into_iter()
    .find_map(|(own, fault)| (own == kind).then_some(fault))
}

/// How long connecting may take, TLS not counted.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// How long a connection waits for another request.
const IDLE_TIME_MAX: Duration = Duration::from_secs(20);
/// Connections that wait for another request, of each host.
const IDLE_PER_HOST_MAX: usize = 2;
/// Header lines of an answer; with more it is broken.
const HEADERS_MAX: usize = 100;
/// Bytes of an answer before its body; with more it is broken.
const HEAD_BYTES_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests;
