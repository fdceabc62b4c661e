//! What other programs answer: `.http https://crm.example.org/* 200 {"open":true}`.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use pbx::{Allowed, Answer, FetchError, FetchRequest, Fetched, Query};

/// What becomes of requests for an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stub {
    /// All if not named.
    pub(crate) method: Option<String>,
    /// Without a `?`, any question; with a `*` at its end, whatever follows.
    pub(crate) url: String,
    /// Status and body; `None`: nobody answers there.
    pub(crate) answer: Option<(u16, String)>,
}

impl Stub {
    /// Reads `[METHOD] URL STATUS [BODY]` or `[METHOD] URL failed`.
    ///
    /// # Errors
    /// What is wrong with the address; `None` where it is not written like this.
    pub(crate) fn parse(text: &str) -> Result<Self, Option<String>> {
        let mut rest = text.trim_start();
        let mut word = || {
            let (word, more) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            rest = more.trim_start();
            word.to_owned()
        };
        let first = word();
        let named = !first.is_empty() && first.chars().all(|c| c.is_ascii_uppercase());
        let (method, url) = if named { (Some(first), word()) } else { (None, first) };
        let answer = match word().as_str() {
            "failed" => None,
            status => {
                let status: Option<u16> = status.parse().ok();
                let status = status.filter(|status| (200..=599).contains(status)).ok_or(None)?;
                Some((status, rest.to_owned()))
            }
        };
        let address = url.split(['?', '*']).next().unwrap_or_default();
        Allowed::parse(address).map_err(|problem| Some(format!("\"{url}\" {problem}")))?;
        Ok(Self { method, url, answer })
    }

    fn fits(&self, request: &FetchRequest) -> bool {
        let method = self.method.as_ref();
        let same = match self.url.strip_suffix('*') {
            Some(beginning) => request.url.starts_with(beginning),
            None => {
                request.url == self.url || request.url.split('?').next() == Some(self.url.as_str())
            }
        };
        same && method.is_none_or(|method| method.eq_ignore_ascii_case(&request.method))
    }

    /// In words, for whoever typed it.
    pub(crate) fn words(&self) -> String {
        let method = self.method.as_ref().map(|method| format!("{method} ")).unwrap_or_default();
        match &self.answer {
            Some((status, _)) => format!("from now on {method}{} answers {status}", self.url),
            None => format!("from now on nobody answers {method}{}", self.url),
        }
    }
}

/// Every address may be asked in a session, since nobody is: of those that are not known, nobody
/// answers.
pub(crate) fn everywhere() -> impl Iterator<Item = Allowed> {
    ["https://*/", "http://*/"].into_iter().filter_map(|all| Allowed::parse(all).ok())
}

/// The world outside of one run, whose answers may grow.
#[derive(Debug, Clone, Default)]
pub(crate) struct Web(Rc<RefCell<Vec<Stub>>>);

impl Web {
    pub(crate) fn add(&self, stub: Stub) {
        self.0.borrow_mut().push(stub);
    }
}

impl bench::Outside for Web {
    fn fetch(&mut self, request: &FetchRequest) -> Option<(Duration, Result<Fetched, FetchError>)> {
        let stubs = self.0.borrow();
        let known = stubs.iter().rev().find(|stub| stub.fits(request));
        let answer = match known.and_then(|stub| stub.answer.clone()) {
            Some((_, body)) if body.len() > request.body_bytes_max => Err(FetchError::TooLarge),
            Some((status, body)) => {
                let kind = if body.starts_with(['{', '[']) { JSON } else { TEXT };
                let headers = vec![("content-type".to_owned(), kind.to_owned())];
                Ok(Fetched { status, headers, body: body.into_bytes() })
            }
            None => Err(FetchError::Refused),
        };
        Some((ANSWERS_AFTER, answer))
    }

    fn query(&mut self, query: &Query) -> Result<Answer, String> {
        bench::Nobody.query(query)
    }
}

/// How long an answer takes.
const ANSWERS_AFTER: Duration = Duration::from_millis(1);
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
