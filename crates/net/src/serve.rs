//! Requests of other programs over HTTP (RFC 9110, RFC 9112), heard and answered.
//!
//! Knows no more than bytes and bounds: what a request means, and who may ask it, is decided by whoever
//! answers. Put a proxy with TLS in front of it where others than neighbours may ask.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// A request as it came.
#[derive(Clone, PartialEq, Eq)]
pub struct Question {
    /// `GET`, `POST` and the like.
    pub method: String,
    /// Without what follows a question mark.
    pub path: String,
    /// What follows the question mark, as it came.
    pub query: String,
    /// In order, names in lower case; bytes outside UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// At most [`QUESTION_BYTES_MAX`].
    pub body: Vec<u8>,
    /// Who asks.
    pub from: SocketAddr,
}

/// What is answered. What cannot stand in a header is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// 200 to 599.
    pub status: u16,
    /// In order.
    pub headers: Vec<(String, String)>,
    /// May be empty.
    pub body: Vec<u8>,
}

impl Answer {
    fn plain(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }
}

/// Hears programs on `listener` for ever, and has `answer` answer them.
///
/// At most [`CONNECTIONS_MAX`] are heard at one time. When another one comes, the one that has kept us
/// waiting for a request the longest, and longer than half a second, must go, so that nobody is kept out
/// by those who ask nothing; while all of them are being answered, others wait to be accepted. A connection has [`HEAD_TIME_MAX`] for
/// the head of each request and [`REQUEST_TIME_MAX`] for the rest and its answer.
pub async fn serve<A, F>(listener: TcpListener, answer: A)
where
    A: Fn(Question) -> F + 'static,
    F: Future<Output = Answer> + 'static,
{
    let answer = Rc::new(answer);
    let room = Rc::new(Room::default());
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                let seat = Room::take(&room).await;
                let (answer, number) = (Rc::clone(&answer), seat.number.get());
                let task = tokio::task::spawn_local(converse(stream, from, answer, seat));
                room.taken_by(number, task.abort_handle());
            }
            Err(error) => {
                // Most likely there are no descriptors left; they come back when others end.
                tracing::warn!(%error, "a program that asks cannot be heard");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Who is heard.
#[derive(Debug, Default)]
struct Room {
    last: Cell<u64>,
    /// By their seats' numbers: those who waited for us last come last.
    guests: RefCell<BTreeMap<u64, Guest>>,
    left: Notify,
}

#[derive(Debug)]
struct Guest {
    /// Its request is whole, so that it is our turn.
    is_answered: bool,
    /// Since when it is its turn, if it is.
    since: Instant,
    task: Option<AbortHandle>,
}

/// A place in the room, until it is dropped.
#[derive(Debug)]
struct Seat {
    room: Rc<Room>,
    number: Cell<u64>,
}

impl Room {
    /// Waits for a seat, and makes one free if it can.
    async fn take(room: &Rc<Self>) -> Seat {
        while room.guests.borrow().len() >= CONNECTIONS_MAX {
            let left = room.left.notified();
            match room.slowest() {
                None => left.await,
                Some((since, _)) if since.elapsed() < PATIENCE => {
                    // Whichever comes first, we look again.
                    drop(tokio::time::timeout_at(since + PATIENCE, left).await);
                }
                Some((_, task)) => {
                    tracing::debug!("somebody who asks nothing must leave for another");
                    task.abort();
                    left.await;
                }
            }
        }
        let number = room.next();
        let guest = Guest { is_answered: false, since: Instant::now(), task: None };
        room.guests.borrow_mut().insert(number, guest);
        Seat { room: Rc::clone(room), number: Cell::new(number) }
    }

    /// Whom we have waited for the longest, and since when.
    fn slowest(&self) -> Option<(Instant, AbortHandle)> {
        let guests = self.guests.borrow();
        let mut waited_for = guests.values().filter(|guest| !guest.is_answered);
        waited_for.find_map(|guest| Some((guest.since, guest.task.clone()?)))
    }

    fn next(&self) -> u64 {
        self.last.set(self.last.get() + 1);
        self.last.get()
    }

    fn taken_by(&self, number: u64, task: AbortHandle) {
        if let Some(guest) = self.guests.borrow_mut().get_mut(&number) {
            guest.task = Some(task);
        }
    }
}

impl Seat {
    /// A request is whole: whoever asked is not sent away while it is answered.
    fn is_answered(&self) {
        if let Some(guest) = self.room.guests.borrow_mut().get_mut(&self.number.get()) {
            guest.is_answered = true;
        }
    }

    /// It is their turn again, and they have as much time as somebody who came just now.
    fn was_answered(&self) {
        let mut guests = self.room.guests.borrow_mut();
        if let Some(guest) = guests.remove(&self.number.get()) {
            self.number.set(self.room.next());
            let guest = Guest { is_answered: false, since: Instant::now(), ..guest };
            guests.insert(self.number.get(), guest);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.room.guests.borrow_mut().remove(&self.number.get());
        self.room.left.notify_one();
    }
}

/// Answers the requests of one connection, one after the other.
async fn converse<A, F>(stream: TcpStream, from: SocketAddr, answer: Rc<A>, seat: Seat)
where
    A: Fn(Question) -> F + 'static,
    F: Future<Output = Answer> + 'static,
{
    let seat = Rc::new(seat);
    let service = service_fn(move |request| {
        let (answer, seat) = (Rc::clone(&answer), Rc::clone(&seat));
        async move {
            let answer = respond(request, from, &*answer, &seat).await;
            seat.was_answered();
            Ok::<_, Infallible>(written(answer))
        }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(CONNECTION_TIME_MAX, connection).await {
        Ok(Ok(())) | Err(_) => {}
        Ok(Err(error)) => tracing::debug!(%from, %error, "a program that asked broke off"),
    }
}

async fn respond<A, F>(
    request: http::Request<Incoming>,
    from: SocketAddr,
    answer: &A,
    seat: &Seat,
) -> Answer
where
    A: Fn(Question) -> F,
    F: Future<Output = Answer>,
{
    let whole = async {
        let (head, mut body) = request.into_parts();
        let (mut read, mut length) = (Vec::new(), 0);
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return Answer::plain(400) };
            let Ok(data) = frame.into_data() else { continue };
            length += data.len();
            if length <= QUESTION_BYTES_MAX {
                read.extend_from_slice(&data);
            } else if length > UNHEARD_BYTES_MAX {
                break;
            }
        }
        if length > QUESTION_BYTES_MAX {
            return Answer::plain(413);
        }
        seat.is_answered();
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
        let question = Question {
            method: head.method.as_str().to_owned(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: headers.collect(),
            body: read,
            from,
        };
        answer(question).await
    };
    match tokio::time::timeout(REQUEST_TIME_MAX, whole).await {
        Ok(answer) => answer,
        Err(_elapsed) => Answer::plain(504),
    }
}

fn written(answer: Answer) -> http::Response<Full<Bytes>> {
    let mut response = http::Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// Connections heard at one time.
pub const CONNECTIONS_MAX: usize = 64;
/// Bytes of a request's body; a longer one is answered with 413.
pub const QUESTION_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a body that are read at all: who is still sending does not hear that it is too long.
const UNHEARD_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long somebody may ask nothing while others wait to be heard.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long the head of a request may take.
pub const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// How long the rest of a request and its answer may take; then that is 504.
pub const REQUEST_TIME_MAX: Duration = Duration::from_secs(40);
/// How long one connection is kept, whatever it does.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(300);
/// Bytes of a request before its body.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Header lines of a request.
const HEADERS_MAX: usize = 64;
/// How long to wait when nobody can be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::task::LocalSet;

    use super::*;

    /// What a server that tells what it heard answers to these bytes.
    async fn ask(request: &[u8]) -> String {
        let request = request.to_vec();
        LocalSet::new()
            .run_until(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                tokio::task::spawn_local(serve(listener, |question| async move {
                    let Question { method, path, query, headers, body, .. } = question;
                    let key = headers.iter().find(|(name, _)| name == "x-key");
                    let key = key.map(|(_, value)| value.as_str()).unwrap_or_default();
                    let told = format!("{method} {path} {query} {key} {}", body.len());
                    let headers = vec![
                        ("x-good".to_owned(), "yes".to_owned()),
                        ("x-bad".to_owned(), "a\r\nevil: yes".to_owned()),
                    ];
                    Answer { status: 202, headers, body: told.into_bytes() }
                }));
                let mut stream = TcpStream::connect(address).await.unwrap();
                // A server that has heard enough may close before it heard everything.
                stream.write_all(&request).await.unwrap_or_default();
                let mut read = Vec::new();
                let mut piece = [0; 4_096];
                loop {
                    let heard =
                        tokio::time::timeout(Duration::from_millis(300), stream.read(&mut piece));
                    match heard.await {
                        Ok(Ok(length)) if length > 0 => read.extend_from_slice(&piece[..length]),
                        _ => return String::from_utf8(read).unwrap(),
                    }
                }
            })
            .await
    }

    #[tokio::test]
    async fn a_question_is_heard_and_answered() {
        let heard =
            ask(b"POST /click?a=b HTTP/1.1\r\nHost: x\r\nX-Key: k\r\nContent-Length: 2\r\n\r\nhi")
                .await;
        assert!(heard.starts_with("HTTP/1.1 202 Accepted\r\n"), "{heard}");
        assert!(heard.ends_with("\r\n\r\nPOST /click a=b k 2"), "{heard}");
        assert!(heard.contains("x-good: yes") && !heard.contains("evil"), "{heard}");
    }

    #[tokio::test]
    async fn whoever_asks_nothing_keeps_nobody_out_and_whoever_is_answered_stays() {
        let done = Rc::new(Notify::new());
        let answered = Rc::clone(&done);
        let talk = async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::task::spawn_local(serve(listener, move |question| {
                let answered = Rc::clone(&answered);
                async move {
                    if question.path == "/slow" {
                        answered.notified().await;
                    }
                    Answer::plain(204)
                }
            }));
            let ask = async |request: &[u8]| {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all(request).await.unwrap();
                stream
            };
            let heard = async |stream: &mut TcpStream| {
                let mut piece = [0; 100];
                let length = stream.read(&mut piece).await.unwrap_or_default();
                String::from_utf8_lossy(&piece[..length]).into_owned()
            };
            let mut first = ask(b"POST /slow HTTP/1.1\r\nContent-Length: 0\r\n\r\n").await;
            let mut silent = Vec::new();
            for _ in 1..CONNECTIONS_MAX {
                silent.push(ask(b"POST /slow HTTP/1.1\r\nContent-Length: 9\r\n\r\n.").await);
            }
            for _ in 0..3 {
                let mut another = ask(b"GET / HTTP/1.1\r\n\r\n").await;
                assert!(heard(&mut another).await.starts_with("HTTP/1.1 204"));
                silent.push(another);
            }
            done.notify_one();
            assert!(heard(&mut first).await.starts_with("HTTP/1.1 204"));
            assert_eq!(heard(&mut silent[0]).await, "", "the first who asks nothing is gone");
        };
        let local = LocalSet::new();
        let talk = tokio::time::timeout(Duration::from_secs(5), local.run_until(talk));
        talk.await.expect("nobody is kept out");
    }

    #[tokio::test]
    async fn what_is_too_long_or_no_http_is_refused() {
        for length in [QUESTION_BYTES_MAX + 1, UNHEARD_BYTES_MAX] {
            let long = format!("POST / HTTP/1.1\r\nContent-Length: {length}\r\n\r\n");
            let long = [long.into_bytes(), vec![b'.'; length]].concat();
            assert!(ask(&long).await.starts_with("HTTP/1.1 413"), "{length}");
        }
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(HEADERS_MAX + 1));
        assert!(ask(many.as_bytes()).await.starts_with("HTTP/1.1 431"));
        assert!(ask(b"INVITE sip:x SIP/2.0\r\n\r\n").await.starts_with("HTTP/1.1 400"));
    }
}
