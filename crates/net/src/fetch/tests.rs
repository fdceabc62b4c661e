//! The client against small servers of its own on this machine; ports are the system's choice.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

/// Listens, and plays `serve` for each connection.
async fn server<F>(serve: impl Fn(tokio::net::TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

/// Reads a whole request, gives back its text, and sends `answer`.
async fn answer(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), answer: &str) -> String {
    let mut read = Vec::new();
    let mut piece = [0; 1_024];
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, length)| length.parse().unwrap());
            if body.len() >= length {
                stream.write_all(answer.as_bytes()).await.unwrap();
                return text;
            }
        }
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return text,
            Ok(length) => read.extend_from_slice(&piece[..length]),
        }
    }
}

fn get(url: String) -> FetchRequest {
    FetchRequest {
        method: "GET".into(),
        url,
        headers: Vec::new(),
        body: Vec::new(),
        timeout: Duration::from_secs(20),
        body_bytes_max: 1_000,
        reach: Reach::Anywhere,
    }
}

async fn fetch(request: FetchRequest) -> Result<FetchResponse, FetchError> {
    Client::new(&Trusted::default()).unwrap().fetch(request).await
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Room: 12\r\n\r\nhi";

#[tokio::test]
async fn a_request_is_sent_as_asked_and_its_answer_read() {
    let (told, mut heard) = tokio::sync::mpsc::channel(1);
    let address = server(move |mut stream| {
        let told = told.clone();
        async move { told.send(answer(&mut stream, OK).await).await.unwrap() }
    })
    .await;
    let request = FetchRequest {
        method: "POST".into(),
        headers: vec![("X-Key".into(), "abc".into()), ("x-key".into(), "def".into())],
        body: b"{}".to_vec(),
        ..get(format!("http://{address}/a/b?c=d"))
    };
    let response = fetch(request).await.unwrap();
    assert_eq!((response.status, response.body.as_slice()), (200, &b"hi"[..]));
    assert!(response.headers.contains(&("x-room".into(), "12".into())));
    let request = heard.recv().await.unwrap();
    let lines: Vec<&str> = request.lines().collect();
    assert_eq!(lines[0], "POST /a/b?c=d HTTP/1.1");
    for line in ["x-key: abc", "x-key: def", "content-length: 2", &format!("host: {address}")] {
        assert!(lines.contains(&line), "{line} in {request}");
    }
    assert!(lines.iter().any(|line| line.starts_with("user-agent: Cordboard/")), "{request}");
}

#[tokio::test]
async fn a_connection_serves_several_requests() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let address = server(move |mut stream| {
        counted.fetch_add(1, Ordering::Relaxed);
        async move { while !answer(&mut stream, OK).await.is_empty() {} }
    })
    .await;
    let client = Client::new(&Trusted::default()).unwrap();
    for _ in 0..3 {
        assert_eq!(client.fetch(get(format!("http://{address}/"))).await.unwrap().status, 200);
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn redirects_are_handed_back_and_not_followed() {
    let address = server(|mut stream| async move {
        let moved =
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
        answer(&mut stream, moved).await;
    })
    .await;
    let response = fetch(get(format!("http://{address}/"))).await.unwrap();
    assert_eq!(response.status, 302);
    assert!(response.headers.contains(&("location".into(), "http://127.0.0.1:1/".into())));
}

#[tokio::test]
async fn a_silent_server_is_a_timeout() {
    let address = server(|mut stream| async move {
        answer(&mut stream, "").await;
        std::future::pending::<()>().await;
    })
    .await;
    let request =
        FetchRequest { timeout: Duration::from_millis(50), ..get(format!("http://{address}/")) };
    assert_eq!(fetch(request).await, Err(FetchError::Timeout));
}

#[tokio::test]
async fn a_body_that_drips_is_a_timeout_too() {
    let address = server(|mut stream| async move {
        answer(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n").await;
        while stream.write_all(b".").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let request =
        FetchRequest { timeout: Duration::from_millis(100), ..get(format!("http://{address}/")) };
    assert_eq!(fetch(request).await, Err(FetchError::Timeout));
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_not_read() {
    for head in ["Content-Length: 1001\r\n\r\n", "Connection: close\r\n\r\n"] {
        let address = server(move |mut stream| async move {
            answer(&mut stream, &format!("HTTP/1.1 200 OK\r\n{head}")).await;
            // Without end: only who stops reading gets away.
            while stream.write_all(&[b'.'; 64]).await.is_ok() {}
        })
        .await;
        assert_eq!(fetch(get(format!("http://{address}/"))).await, Err(FetchError::TooLarge));
    }
    let address = server(|mut stream| async move {
        let body = ".".repeat(1_000);
        let whole = format!("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{body}");
        answer(&mut stream, &whole).await;
    })
    .await;
    assert_eq!(fetch(get(format!("http://{address}/"))).await.unwrap().body.len(), 1_000);
}

#[tokio::test]
async fn what_is_no_http_or_has_no_end_of_headers_is_broken() {
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(HEADERS_MAX + 1));
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "y".repeat(2 * HEAD_BYTES_MAX));
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf".to_owned();
    for text in ["SIP/2.0 200 OK\r\n\r\n".to_owned(), many, long, cut] {
        let address = server(move |mut stream| {
            let text = text.clone();
            async move {
                let mut piece = [0; 1_024];
                assert_ne!(stream.read(&mut piece).await.unwrap(), 0);
                // The client may have heard enough before the end.
                stream.write_all(text.as_bytes()).await.unwrap_or_default();
            }
        })
        .await;
        assert_eq!(fetch(get(format!("http://{address}/"))).await, Err(FetchError::Broken));
    }
}

#[tokio::test]
async fn nobody_there_is_refused_and_no_name_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert_eq!(fetch(get(format!("http://{address}/"))).await, Err(FetchError::Refused));
    let nowhere = get("http://nowhere.invalid/".into());
    assert_eq!(fetch(nowhere).await, Err(FetchError::NoSuchHost));
}

#[tokio::test]
async fn a_host_that_nobody_named_does_not_lead_inside() {
    let address = server(|mut stream| async move {
        answer(&mut stream, OK).await;
    })
    .await;
    let port = address.port();
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "127.1"] {
        let request =
            FetchRequest { reach: Reach::PublicOnly, ..get(format!("http://{host}:{port}/")) };
        assert_eq!(fetch(request).await, Err(FetchError::NotPublic), "{host}");
    }
    assert_eq!(fetch(get(format!("http://localhost:{port}/"))).await.unwrap().status, 200);
}

#[tokio::test]
async fn what_cannot_be_a_request_is_not_sent() {
    let with = |name: &str, value: &str| FetchRequest {
        headers: vec![(name.into(), value.into())],
        ..get("http://127.0.0.1:1/".into())
    };
    for request in [
        with("X", "a\r\nEvil: yes"),
        with("X\r\nEvil", "yes"),
        with("X", "a\0b"),
        FetchRequest { method: "GET / HTTP/1.1\r\nX: y\r\n".into(), ..with("X", "y") },
        get("http://127.0.0.1:1/ HTTP/1.1\r\nEvil: yes".into()),
        get("not an address".into()),
    ] {
        assert_eq!(fetch(request).await, Err(FetchError::Malformed));
    }
}

#[test]
fn nothing_secret_is_shown() {
    let request = FetchRequest {
        headers: vec![("Authorization".into(), "hidden".into())],
        body: b"hidden".to_vec(),
        ..get("https://hidden:hidden@crm.example.org/hidden?token=hidden".into())
    };
    let shown = format!("{request:?}");
    assert!(shown.contains("crm.example.org") && !shown.contains("hidden"), "{shown}");
}

/// A server with a certificate for `name`, and the authority that signed it, as PEM text.
async fn tls_server(name: &str) -> (SocketAddr, String) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap();
    let certificate = certificate.signed_by(&key, &authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let address = server(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                answer(&mut stream, OK).await;
            }
        }
    })
    .await;
    (address, authority.pem())
}

#[tokio::test]
async fn tls_is_spoken_with_those_whose_authority_is_trusted() {
    let (address, authority) = tls_server("localhost").await;
    let client = Client::new(&Trusted::with_authorities(authority.as_bytes()).unwrap()).unwrap();
    let url = format!("https://localhost:{}/", address.port());
    assert_eq!(client.fetch(get(url.clone())).await.unwrap().status, 200);
    let unknown = Err(FetchError::NotTrusted(Distrust::Unknown));
    assert_eq!(fetch(get(url)).await, unknown);
    let plain = server(|mut stream| async move {
        stream.write_all(OK.as_ref()).await.unwrap_or_default();
    })
    .await;
    let told = client.fetch(get(format!("https://localhost:{}/", plain.port()))).await;
    assert_eq!(told, Err(FetchError::NotTrusted(Distrust::NoTls)));
}

#[tokio::test]
async fn a_certificate_of_another_host_is_not_trusted() {
    let (address, authority) = tls_server("crm.example.org").await;
    let client = Client::new(&Trusted::with_authorities(authority.as_bytes()).unwrap()).unwrap();
    let told = client.fetch(get(format!("https://localhost:{}/", address.port()))).await;
    assert_eq!(told, Err(FetchError::NotTrusted(Distrust::OtherHost)));
}

#[test]
fn what_is_no_authority_is_told() {
    for text in ["", "no PEM", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
        assert!(matches!(Trusted::with_authorities(text.as_bytes()), Err(TrustError::NoPem)));
    }
    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let told = Trusted::with_authorities(nonsense.as_bytes());
    assert!(matches!(told, Err(TrustError::Unusable(_))), "{told:?}");
}
