//! A session as a test: what was seen becomes what is expected.

use std::time::Duration;

use bench::{Act, CallEnd, Called, Happening, Heard, PartyId, Way, What as Happened};
use dialplan::{Typed, read_typed};

use crate::Session;
use crate::entry::{Entry, Outside, What};
use crate::web::Stub;

/// Something that a test says, and when it was so.
struct Said {
    at: Duration,
    what: Saying,
}

enum Saying {
    /// Somebody hears something: one after the other, what stands together is one expectation.
    Hears(String),
    /// Any other expectation.
    Expects(String),
    /// Somebody does something, at exactly that time.
    Does(String),
}

impl Session {
    /// The session as a test in Lua, for `cordboard test`.
    pub(crate) fn as_test(&self) -> String {
        let opening = self.opening();
        let only = self.only_number();
        let to = only.clone().unwrap_or_else(|| opening.to.clone());
        let mut text = String::new();
        if only.is_none() {
            text.push_str(
                "-- Tried out with `cordboard repl`. The test is about this route:\n--\n",
            );
            text.push_str(&format!("--   route({to:?}, function(call)\n"));
            for line in self.entries().iter().filter(|entry| is_statement(entry)) {
                for row in line.typed.lines() {
                    text.push_str(&format!("--     {}\n", row.trim_end()));
                }
            }
            text.push_str("--   end)\n\n");
        }
        text.push_str(&format!("test(\"{} dials {to}\", function(t)\n", opening.from));
        text.push_str(&format!("  t:at({:?})\n", self.began_at()));
        for entry in self.entries() {
            if let What::Outside(Outside::Http(stub)) = &entry.what {
                text.push_str(&answers(stub));
            }
        }
        for (account, options) in self.phones() {
            let name = variable(&account);
            text.push_str(&format!("  local {name} = t:phone({account:?}{options})\n"));
        }
        let who = if opening.config.accounts.contains_key(&opening.from) { "as" } else { "from" };
        let from = &opening.from;
        text.push_str(&format!("  local caller = t:call {{ {who} = {from:?}, to = {to:?} }}\n"));
        text.push_str(&story(self.sayings()));
        text.push_str("end)\n");
        text
    }

    /// Whether the test is about more than what the dialplan has already.
    pub(crate) fn needs_route(&self) -> bool {
        self.only_number().is_none()
    }

    /// The number, if the script did nothing but go to one.
    fn only_number(&self) -> Option<String> {
        let mut lines = self.entries().iter().filter(|entry| matches!(entry.what, What::Line(_)));
        let (only, None) = (lines.next()?, lines.next()) else { return None };
        let number = only.typed.trim().strip_prefix("call:go")?.trim();
        let number = number.strip_prefix('(')?.strip_suffix(')')?.trim();
        let number = number.strip_prefix(['"', '\''])?.strip_suffix(['"', '\''])?;
        let plain = number.chars().all(|c| c.is_alphanumeric() || "*#+-_.".contains(c));
        (plain && !number.is_empty()).then(|| number.to_owned())
    }

    fn began_at(&self) -> String {
        let opening = self.opening();
        let wall = opening.wall.to_zoned(opening.config.time_zone.clone());
        wall.strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// The phones that play a part, with what they do by themselves.
    fn phones(&self) -> Vec<(String, String)> {
        let mut phones: Vec<(String, String)> = Vec::new();
        let mut add = |account: &str, options: String| match phones
            .iter_mut()
            .find(|(known, _)| known == account)
        {
            Some((_, known)) if known.is_empty() => *known = options,
            Some(_) => {}
            None => phones.push((account.to_owned(), options)),
        };
        for entry in self.entries() {
            match &entry.what {
                What::Outside(Outside::Called(account, called)) => add(account, behaves(called)),
                What::Outside(Outside::Phone(account, ..)) => add(account, String::new()),
                What::Outside(Outside::Caller(_) | Outside::Http(_))
                | What::Line(_)
                | What::Time => {}
            }
        }
        for happening in self.run().office.happenings() {
            if let Some(account) = self.rung(happening) {
                add(&account, String::new());
            }
        }
        phones.sort();
        phones
    }

    /// The account of a phone that is rung.
    fn rung(&self, happening: &Happening) -> Option<String> {
        let Happened::Sip(traffic) = &happening.what else { return None };
        let party = self.run().office.party(traffic.party?)?;
        let is_invite = traffic.bytes.starts_with(b"INVITE ");
        let rung = is_invite && traffic.way == Way::FromExchange && party.is_account();
        rung.then(|| party.user().to_owned())
    }

    /// Everything that was seen and done, in order.
    fn sayings(&self) -> Vec<Said> {
        let run = self.run();
        let mut said = Vec::new();
        let mut rung: Vec<String> = Vec::new();
        for happening in run.office.happenings() {
            let at = run.since(happening.at);
            if let Some(account) = self.rung(happening) {
                // A phone that refuses at once is not seen to ring.
                if !rung.contains(&account) && !self.refuses(&account) {
                    let text = format!("{}:rings()", variable(&account));
                    said.push(Said { at, what: Saying::Expects(text) });
                }
                rung.push(account);
            }
            if let Happened::Hears { party, heard: Some(heard) } = &happening.what
                && *party == run.caller
                && let Some(what) = self.heard(heard)
            {
                said.push(Said { at, what });
            }
        }
        for entry in self.entries() {
            said.extend(does(entry).map(|text| Said { at: entry.at, what: Saying::Does(text) }));
        }
        // What was seen at that very moment came of what is done.
        said.sort_by_key(|said| (said.at, !matches!(said.what, Saying::Does(_))));
        said.extend(self.ending());
        said
    }

    fn refuses(&self, account: &str) -> bool {
        self.entries().iter().any(|entry| {
            matches!(&entry.what, What::Outside(Outside::Called(of, Called::Refuses { .. })) if of == account)
        })
    }

    fn heard(&self, heard: &Heard) -> Option<Saying> {
        match heard {
            Heard::Prompt(_) => Some(Saying::Hears(format!("{:?}", self.words(heard)))),
            Heard::Party(party) => {
                let user = self.user(*party)?;
                Some(Saying::Expects(format!("caller:talks_to({})", variable(&user))))
            }
            Heard::Itself => Some(Saying::Expects("caller:hears(caller)".to_owned())),
            Heard::Tone(_)
            | Heard::Silence
            | Heard::Recording(_)
            | Heard::Speech(_)
            | Heard::Key(_)
            | Heard::Ringing => None,
        }
    }

    fn words(&self, heard: &Heard) -> String {
        self.run().office.words_for(heard)
    }

    fn user(&self, party: PartyId) -> Option<String> {
        self.run().office.party(party).map(|party| party.user().to_owned())
    }

    /// How the call ended.
    fn ending(&self) -> Option<Said> {
        let run = self.run();
        let caller = run.office.party(run.caller)?;
        let ended = caller.calls().first()?.ended()?;
        let text = match (ended.how, ended.status) {
            (CallEnd::Refused, Some(code @ 300..=399)) => {
                format!("caller:is_redirected(\"sip:\", {{ code = {code} }})")
            }
            (CallEnd::Refused, Some(code)) => format!("caller:is_refused({code})"),
            (CallEnd::HungUpByOther, _) => "caller:is_ended()".to_owned(),
            (
                CallEnd::Refused
                | CallEnd::HungUp
                | CallEnd::GaveUp
                | CallEnd::Declined
                | CallEnd::Cancelled
                | CallEnd::Lost,
                _,
            ) => return None,
        };
        Some(Said { at: run.since(ended.at), what: Saying::Expects(text) })
    }
}

/// The lines of a test.
fn story(said: Vec<Said>) -> String {
    let mut text = String::new();
    let mut now = Duration::ZERO;
    let mut heard: Vec<String> = Vec::new();
    let flush = |heard: &mut Vec<String>, text: &mut String| {
        match heard.as_slice() {
            [] => {}
            [only] => text.push_str(&format!("  caller:hears({only})\n")),
            several => text.push_str(&format!("  caller:hears {{ {} }}\n", several.join(", "))),
        }
        heard.clear();
    };
    for Said { at, what } in said {
        match what {
            Saying::Hears(name) => heard.push(name),
            Saying::Expects(line) => {
                flush(&mut heard, &mut text);
                text.push_str(&format!("  {line}\n"));
            }
            Saying::Does(line) => {
                flush(&mut heard, &mut text);
                let gap = at.saturating_sub(now);
                if gap > SHORT {
                    let seconds = (gap.as_secs_f64() * 100.0).round() / 100.0;
                    text.push_str(&format!("  t:wait({seconds})\n"));
                }
                text.push_str(&format!("  {line}\n"));
            }
        }
        now = now.max(at);
    }
    flush(&mut heard, &mut text);
    text
}

/// What a phone does by itself, as options of a test.
fn behaves(called: &Called) -> String {
    match called {
        Called::Answers { after } => format!(", {{ answers = {} }}", after.as_secs_f64()),
        Called::Refuses { code: 486, .. } => ", { busy = true }".to_owned(),
        Called::Refuses { code, .. } => format!(", {{ refuses = {code} }}"),
        Called::Rings | Called::EarlyMedia { .. } | Called::Redirects { .. } | Called::Silent => {
            String::new()
        }
    }
}

/// Whether it can stand in a function: a value that was only looked at cannot.
fn is_statement(entry: &Entry) -> bool {
    let What::Line(_) = &entry.what else { return false };
    !matches!(read_typed(&format!("do {}\nend", entry.typed)), Typed::Wrong(_))
}

/// What another program answers, as lines of a test.
fn answers(stub: &Stub) -> String {
    let methods = match &stub.method {
        Some(method) => vec![method.as_str()],
        None => vec!["GET", "POST"],
    };
    let options = match &stub.answer {
        Some((status, body)) if body.is_empty() => format!("status = {status}"),
        Some((status, body)) => format!("status = {status}, body = {body:?}"),
        None => "fails = \"refused\"".to_owned(),
    };
    let line = |method| format!("  t:http({method:?}, {:?}, {{ {options} }})\n", stub.url);
    methods.into_iter().map(line).collect()
}

/// What somebody does, as a line of a test.
fn does(entry: &Entry) -> Option<String> {
    let What::Outside(outside) = &entry.what else { return None };
    let (who, act, after) = match outside {
        Outside::Caller(act) => ("caller".to_owned(), act, Duration::ZERO),
        Outside::Phone(account, act, after) => (variable(account), act, *after),
        Outside::Called(..) | Outside::Http(_) => return None,
    };
    let wait = match after.is_zero() {
        true => String::new(),
        false => format!("t:wait({})\n  ", after.as_secs_f64()),
    };
    let does = match act {
        Act::Press(keys) => format!("presses({keys:?})"),
        Act::Say(length) => format!("says({})", length.as_secs_f64()),
        Act::Hangup => "hangs_up()".to_owned(),
        Act::Answer => "answers()".to_owned(),
        Act::Reject { code, .. } => format!("refuses({code})"),
        Act::Unregister => "unregisters()".to_owned(),
        Act::Ring
        | Act::Progress
        | Act::Redirect { .. }
        | Act::Hush
        | Act::Hold
        | Act::Resume
        | Act::Transfer { .. }
        | Act::Join { .. }
        | Act::Send { .. }
        | Act::Register
        | Act::Vanish
        | Act::Return => return None,
    };
    Some(format!("{wait}{who}:{does}"))
}

/// The name of a phone in a test.
fn variable(account: &str) -> String {
    let plain = account.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    format!("phone_{}", plain.collect::<String>())
}

/// Waiting that is not worth a line.
const SHORT: Duration = Duration::from_millis(50);
