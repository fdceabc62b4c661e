//! What the dialplan asks of the world outside while a test runs: other programs answer as the test
//! says, and the database is a real one, in memory, of that test alone.

use std::cell::RefCell;
use std::fmt;
use std::rc::{Rc, Weak};
use std::time::Duration;

use dialplan::aside::{Aside, Stop};
use mlua::Function;
use pbx::{
    Answer, FetchError, FetchRequest, Fetched, Query, SpeechError, SpeechRequest, SqlValue,
    SqlValues, Statement, Wants,
};
use store::ScriptDatabase;

/// Answers for one test. Clones are the same.
#[derive(Clone)]
pub(crate) struct Outside {
    state: Rc<RefCell<State>>,
    /// Where the functions of a test run.
    aside: Weak<Aside>,
}

#[derive(Default)]
struct State {
    /// The last that fits counts.
    stubs: Vec<Stub>,
    requests: Vec<Request>,
    /// The first request that no stub fits, or what went wrong with one that does.
    wrong: Option<Wrong>,
    /// Opened when it is first asked.
    database: Option<ScriptDatabase>,
    /// What every query fails with, if the test wants that.
    fault: Option<String>,
    speech: Speaks,
}

/// How the synthesiser does.
#[derive(Clone, Default)]
pub(crate) struct Speaks {
    /// How long a text takes,
    pub(crate) delay: Duration,
    /// and why it is not spoken after all.
    pub(crate) fails: Option<SpeechError>,
}

/// How another program answers.
#[derive(Clone)]
pub(crate) struct Stub {
    /// `GET` and the like.
    pub(crate) method: String,
    /// As [`is_address`] reads it.
    pub(crate) url: String,
    pub(crate) reply: Reply,
}

/// What is answered.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Always the same.
    Given(Given),
    /// What this function gives back for the request.
    From(Function),
}

/// One answer.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) after: Duration,
    /// `None`: there never is one.
    pub(crate) answer: Option<Result<Fetched, FetchError>>,
}

/// A request as it was sent.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Why a request has no answer.
pub(crate) enum Wrong {
    /// The test says nothing about it.
    Unexpected {
        /// `GET` and the like.
        method: String,
        /// Where it went.
        url: String,
    },
    /// The function that should answer it failed.
    Failed(Stop),
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside").finish_non_exhaustive()
    }
}

impl Outside {
    pub(crate) fn new(aside: &Weak<Aside>) -> Self {
        Self { state: Rc::default(), aside: Weak::clone(aside) }
    }

    pub(crate) fn add(&self, stub: Stub) {
        self.state.borrow_mut().stubs.push(stub);
    }

    /// Every request so far, in order.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state.borrow().requests.clone()
    }

    pub(crate) fn has_wrong(&self) -> bool {
        self.state.borrow().wrong.is_some()
    }

    pub(crate) fn take_wrong(&self) -> Option<Wrong> {
        self.state.borrow_mut().wrong.take()
    }

    /// Has every query fail with this, or none.
    pub(crate) fn set_fault(&self, fault: Option<String>) {
        self.state.borrow_mut().fault = fault;
    }

    /// How every text is spoken from now on.
    pub(crate) fn set_speech(&self, speech: Speaks) {
        self.state.borrow_mut().speech = speech;
    }

    /// Asks the database itself.
    ///
    /// # Errors
    /// What SQLite says.
    pub(crate) fn look(
        &self,
        sql: String,
        values: Vec<SqlValue>,
    ) -> Result<(Vec<String>, Vec<Vec<SqlValue>>), String> {
        let statement = Statement { sql, values: SqlValues::InOrder(values) };
        let query = Query { wants: Wants::Rows, statements: vec![statement], at: None };
        match self.state.borrow_mut().ask(&query)? {
            Answer::Rows { columns, rows } => Ok((columns, rows)),
            Answer::Changed(_) => Ok((Vec::new(), Vec::new())),
        }
    }
}

impl State {
    fn ask(&mut self, query: &Query) -> Result<Answer, String> {
        let database = match &mut self.database {
            Some(database) => database,
            none => none.insert(ScriptDatabase::in_memory().map_err(|error| error.to_string())?),
        };
        database.run(query)
    }
}

impl Stub {
    fn fits(&self, request: &FetchRequest) -> bool {
        self.method.eq_ignore_ascii_case(&request.method) && is_address(&self.url, &request.url)
    }
}

/// Whether an address is one that a test means: with any question if it names none, and whatever
/// follows if it ends with a `*`.
pub(crate) fn is_address(meant: &str, url: &str) -> bool {
    match meant.strip_suffix('*') {
        Some(beginning) => url.starts_with(beginning),
        None => url == meant || url.split('?').next() == Some(meant),
    }
}

impl bench::Outside for Outside {
    fn fetch(&mut self, request: &FetchRequest) -> Option<(Duration, Result<Fetched, FetchError>)> {
        let sent = Request {
            method: request.method.clone(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
        };
        let reply = {
            let mut state = self.state.borrow_mut();
            state.requests.push(sent.clone());
            state.stubs.iter().rev().find(|stub| stub.fits(request)).map(|stub| stub.reply.clone())
        };
        // The function may ask what was requested, so nothing is borrowed while it runs.
        let given = match reply {
            Some(Reply::Given(given)) => Ok(given),
            Some(Reply::From(function)) => match self.aside.upgrade() {
                Some(aside) => {
                    crate::object::answer_of(&aside, &function, &sent).map_err(Wrong::Failed)
                }
                // The run is over, and nobody waits for it.
                None => return None,
            },
            None => Err(Wrong::Unexpected { method: sent.method, url: sent.url }),
        };
        let Given { after, answer } = given.unwrap_or_else(|wrong| {
            // The test ends here, so nothing need come of it.
            self.state.borrow_mut().wrong.get_or_insert(wrong);
            Given { after: Duration::ZERO, answer: None }
        });
        let answer = answer?;
        if after >= request.timeout || answer == Err(FetchError::Timeout) {
            return Some((request.timeout, Err(FetchError::Timeout)));
        }
        let too_large = |fetched: &Fetched| fetched.body.len() > request.body_bytes_max;
        match answer {
            Ok(fetched) if too_large(&fetched) => Some((after, Err(FetchError::TooLarge))),
            answer => Some((after, answer)),
        }
    }

    fn speak(&mut self, request: &SpeechRequest) -> Option<(Duration, Result<(), SpeechError>)> {
        let Speaks { delay, fails } = self.state.borrow().speech.clone();
        match fails {
            // The switch sees to that by itself.
            Some(SpeechError::Timeout) => None,
            Some(error) => Some((delay, Err(error))),
            None if delay >= request.synthesiser.timeout => None,
            None => Some((delay, Ok(()))),
        }
    }

    fn query(&mut self, query: &Query) -> Result<Answer, String> {
        let mut state = self.state.borrow_mut();
        match &state.fault {
            Some(fault) => Err(fault.clone()),
            None => state.ask(query),
        }
    }
}
