//! Where other programs ask the scripts something.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use anyhow::Context;
use net::serve::{Answer, Question, serve};
use pbx::{AskedId, Input, WebRequest, WebResponse, WebTrust};
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};

use crate::config::Heard;

/// A socket on which they are heard, and what they have to know.
#[derive(Debug)]
pub(super) struct Door {
    listener: std::net::TcpListener,
    token: watch::Receiver<Token>,
}

/// What other programs prove themselves with. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl Token {
    /// As the configuration has it.
    pub(crate) fn of(heard: &Heard) -> Self {
        Self(heard.token.clone())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

/// Who waits for an answer.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    last: Cell<u64>,
    programs: RefCell<BTreeMap<AskedId, oneshot::Sender<WebResponse>>>,
}

impl Waiting {
    /// Answers whoever asked, if they still wait.
    pub(super) fn tell(&self, id: AskedId, response: WebResponse) {
        let program = self.programs.borrow_mut().remove(&id);
        if program.is_none_or(|program| program.send(response).is_err()) {
            tracing::debug!("a program did not wait for its answer");
        }
    }

    fn add(&self) -> (AskedId, oneshot::Receiver<WebResponse>) {
        let id = AskedId(self.last.get() + 1);
        self.last.set(id.0);
        let (answer, to_come) = oneshot::channel();
        let mut programs = self.programs.borrow_mut();
        // Those whose time is over would wait for ever.
        programs.retain(|_, program| !program.is_closed());
        programs.insert(id, answer);
        (id, to_come)
    }
}

impl Door {
    /// Listens from now on. Whoever has the other end of the token may change it at any time.
    ///
    /// # Errors
    /// When the address cannot be had, with what to change.
    pub(super) fn open(heard: &Heard) -> anyhow::Result<(Self, watch::Sender<Token>)> {
        let address = heard.address;
        let listener = std::net::TcpListener::bind(address)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .with_context(|| {
                format!("cannot listen on HTTP {address}; change `listen` in [http]")
            })?;
        tracing::info!("other programs are heard on http://{address}");
        let (changes, token) = watch::channel(Token::of(heard));
        Ok((Self { listener, token }, changes))
    }

    /// Hears them on the runtime of this thread, until that ends.
    pub(super) fn attend(
        self,
        waiting: Rc<Waiting>,
        inbox: mpsc::Sender<Input>,
    ) -> std::io::Result<()> {
        let listener = TcpListener::from_std(self.listener)?;
        let token = self.token;
        tokio::task::spawn_local(serve(listener, move |question| {
            let trust = trust(&question, &token.borrow().0);
            let (waiting, inbox) = (Rc::clone(&waiting), inbox.clone());
            async move {
                let source = question.from;
                let request = Box::new(request(question));
                let (id, answer) = waiting.add();
                if inbox.try_send(Input::Asked { id, request, trust, source }).is_err() {
                    return outward(WebResponse::text(503, "too much is under way"));
                }
                match answer.await {
                    Ok(response) => outward(response),
                    Err(_gone) => outward(WebResponse::text(503, "the exchange stops")),
                }
            }
        }));
        Ok(())
    }
}

/// Whether a program sent the token; compared in a time that does not tell how much of it is right.
fn trust(question: &Question, token: &str) -> WebTrust {
    let sent = question.headers.iter().find(|(name, _)| name == "authorization");
    let sent = sent.and_then(|(_, value)| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    match sent {
        Some(sent) if bool::from(sent.as_bytes().ct_eq(token.as_bytes())) => WebTrust::Proven,
        Some(_) => WebTrust::Wrong,
        None => WebTrust::Stranger,
    }
}

fn request(question: Question) -> WebRequest {
    let Question { method, path, query, mut headers, body, from } = question;
    tracing::debug!(%from, method, path, "a program asks");
    // A script has no use for the token, and should not be able to log it.
    headers.retain(|(name, _)| name != "authorization");
    WebRequest { method, path, query: pairs(&query), headers, body }
}

fn outward(response: WebResponse) -> Answer {
    let WebResponse { status, headers, body } = response;
    Answer { status, headers, body }
}

/// Names and values of `a=b&c=d`, unescaped; those beyond [`PAIRS_MAX`] are left out.
fn pairs(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).take(PAIRS_MAX);
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescaped(name), unescaped(value))
        })
        .collect()
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| *first == b'%');
        let escaped = escaped.and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
        });
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Names in a query.
const PAIRS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_unescaped() {
        let read = |query: &str| {
            let pairs = pairs(query).into_iter().map(|(name, value)| format!("{name}={value}"));
            pairs.collect::<Vec<_>>().join("; ")
        };
        assert_eq!(read("a=b&c%20d=e+f&g&=h&%zz=%C3%A9%"), "a=b; c d=e f; g=; =h; %zz=é%");
        assert_eq!(read(&"a=b&".repeat(100)).split("; ").count(), PAIRS_MAX);
    }

    #[test]
    fn only_the_token_is_proof() {
        let asked = |header: Option<&str>| {
            let headers = header.map(|value| ("authorization".to_owned(), value.to_owned()));
            let question = Question {
                method: "POST".into(),
                path: "/".into(),
                query: String::new(),
                headers: headers.into_iter().collect(),
                body: Vec::new(),
                from: "127.0.0.1:1".parse().unwrap(),
            };
            trust(&question, "t0ken")
        };
        assert_eq!(asked(Some("Bearer t0ken")), WebTrust::Proven);
        assert_eq!(asked(Some("bearer  t0ken ")), WebTrust::Proven);
        for wrong in ["Bearer t0ke", "Bearer "] {
            assert_eq!(asked(Some(wrong)), WebTrust::Wrong, "{wrong:?}");
        }
        for nothing in [None, Some("t0ken"), Some("Basic t0ken")] {
            assert_eq!(asked(nothing), WebTrust::Stranger, "{nothing:?}");
        }
    }
}
