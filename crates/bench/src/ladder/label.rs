//! What is written on an arrow.

use sdp::Description;
use sip_syntax::{HeaderName, Message, Method, NameAddr, Request, Response, StatusCode, Uri};

/// What a message says, in a few words; `None` if nobody would draw it.
pub(super) fn label(message: &Message) -> Option<String> {
    match message {
        Message::Request(request) => request_label(request),
        Message::Response(response) => response_label(response),
    }
}

fn request_label(request: &Request) -> Option<String> {
    let in_dialog = request.to().ok().is_some_and(|to| to.tag().is_some());
    match request.method() {
        Method::Register => None,
        Method::Invite if in_dialog => {
            let described = Description::parse(request.body()).ok();
            let direction = described.as_ref().and_then(|described| {
                let line = described.media.iter().find(|line| line.is_rtp_audio())?;
                Some(line.direction(described).as_str())
            });
            Some(match direction {
                Some("sendonly" | "inactive") => "re-INVITE, hold".to_owned(),
                Some("sendrecv") => "re-INVITE".to_owned(),
                Some(direction) => format!("re-INVITE, {direction}"),
                None => "re-INVITE without offer".to_owned(),
            })
        }
        Method::Invite => Some(format!("INVITE {}", called(request))),
        Method::Refer => {
            let to = request.header_named(b"Refer-To").unwrap_or_default();
            let to = NameAddr::parse_slice(&to).ok();
            let joins = to.as_ref().is_some_and(|to| to.uri.has_headers());
            let to = to.map(|to| number_of(&to.uri)).unwrap_or_default();
            Some(if joins { format!("REFER, join {to}") } else { format!("REFER to {to}") })
        }
        Method::Info => Some(match key_of(request.body()) {
            Some(key) => format!("INFO key {key}"),
            None => "INFO".to_owned(),
        }),
        Method::Notify => {
            let first = request.body().split(|&byte| byte == b'\r' || byte == b'\n').next();
            let told = String::from_utf8_lossy(first.unwrap_or_default()).into_owned();
            Some(with(format!("NOTIFY {}", told.trim_start_matches("SIP/2.0 ")), ""))
        }
        Method::Bye | Method::Cancel => {
            Some(with(request.method().to_string(), &reason_text(request)))
        }
        Method::Ack => Some("ACK".to_owned()),
        Method::Options
        | Method::Prack
        | Method::Subscribe
        | Method::Update
        | Method::Message
        | Method::Publish
        | Method::Other(_) => Some(request.method().to_string()),
    }
}

fn response_label(response: &Response) -> Option<String> {
    let status = response.status();
    let method = response.cseq().map(|cseq| cseq.method).unwrap_or(Method::Invite);
    let is_plain = status.is_success() && method != Method::Invite;
    if status == StatusCode::TRYING || method == Method::Register || is_plain {
        return None;
    }
    let words = String::from_utf8_lossy(response.reason()).into_owned();
    let mut label = format!("{} {words}", status.as_u16());
    if (300..400).contains(&status.as_u16())
        && let Ok(contacts) = response.contacts()
    {
        let targets = contacts.iter().filter_map(|contact| contact.addr());
        let targets: Vec<String> = targets.map(|target| number_of(&target.uri)).collect();
        label = format!("{} to {}", status.as_u16(), targets.join(", "));
    }
    Some(if method == Method::Invite { label } else { format!("{label} to {method}") })
}

/// Whether this is the first half of a challenge: the same request comes again with its proof.
pub(super) fn is_challenge(message: &Message) -> bool {
    match message {
        Message::Response(response) => matches!(
            response.status(),
            StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED
        ),
        Message::Request(_) => false,
    }
}

fn called(request: &Request) -> String {
    request.uri().map_or_else(
        |_| String::from_utf8_lossy(request.uri_bytes()).into_owned(),
        |uri| number_of(&uri),
    )
}

/// The number in a URI, or else its host.
fn number_of(uri: &Uri) -> String {
    uri.user().filter(|user| !user.is_empty()).unwrap_or_else(|| uri.host().to_string())
}

fn with(label: String, words: &str) -> String {
    if words.is_empty() { label } else { format!("{label} ({words})") }
}

/// The text of a Reason header (RFC 3326), or its cause.
fn reason_text(request: &Request) -> String {
    let value = request.header(HeaderName::Reason).unwrap_or_default();
    let value = String::from_utf8_lossy(&value).into_owned();
    let param = |name: &str| {
        value.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
    };
    match (param("text"), param("cause")) {
        (Some(text), _) => text.trim_matches('"').to_owned(),
        (None, Some(cause)) => cause.to_owned(),
        (None, None) => String::new(),
    }
}

/// The key that an INFO tells of.
fn key_of(body: &[u8]) -> Option<char> {
    let text = std::str::from_utf8(body).ok()?;
    let value = text.lines().find_map(|line| line.trim().strip_prefix("Signal="));
    value.unwrap_or(text).trim().chars().next()
}
