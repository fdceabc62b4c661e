//! What is taken as known of the world: `ext/101=busy`, `key=1`, `http:https://example.org/=500`.

use std::fmt;

use dialplan::nearest;

/// One answer of the outside world that is fixed, so that only its branch is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// As it was written, for a note when nobody asked for it.
    pub written: String,
    pub(crate) fact: Fact,
}

/// What is fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fact {
    /// What comes of ringing this target.
    Target(String, Ringing),
    /// What the caller types the next time that the script asks for keys.
    Typed(Typed),
    /// What a web address answers; a `*` at its end stands for anything.
    Http(String, Web),
    /// What every query of the database comes to.
    Database(Rows),
    /// What `shared.get` finds under a key.
    Shared(String, String),
    /// Whether a message is left, in this mailbox or in any.
    Voicemail(Option<String>, Message),
    /// How listening to a mailbox ends.
    Mailbox(Listening),
    /// Whether something is said when the script records.
    Record(Recording),
    /// The caller hangs up.
    Hangup(When),
    /// What another program sends with its request.
    Body(String),
}

/// What comes of ringing a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ringing {
    /// Somebody answers.
    Answered,
    /// It rings until nobody waits any more.
    NoAnswer,
    /// No phone is registered, or none is found there.
    Unreachable,
    /// A final answer, 300 to 699.
    Code(u16),
}

/// What the caller types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Typed {
    /// These keys.
    Keys(String),
    /// Nothing at all.
    Nothing,
    /// Something that is not accepted.
    Wrong,
}

/// What a web server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Web {
    /// A status and a body.
    Answer(u16, String),
    /// No answer at all.
    Failed,
}

/// What a query comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    Some,
    None,
    Failed,
}

/// Whether a message is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Message {
    Left,
    Nothing,
    Full,
}

/// How listening to a mailbox ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listening {
    Done,
    Refused,
    Failed,
}

/// Whether something is said into a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recording {
    Something,
    Nothing,
}

/// When the caller hangs up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum When {
    /// As soon as the script waits for something.
    AtOnce,
    /// While it waits in this verb.
    In(String),
    /// While it waits at this line, as `scripts/menu.lua:12`; the folder may be left out.
    At(String, u32),
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl Given {
    /// Reads one fact.
    ///
    /// | written | the fact |
    /// | --- | --- |
    /// | `ext/101=busy`, `=noanswer`, `=answered`, `=refused`, `=unreachable`, `=603` | what comes of ringing it |
    /// | `key=1`, `read=4711`, `key=nothing`, `key=wrong` | what is typed, one for each time it is asked for |
    /// | `http:URL=200`, `=200:BODY`, `=500`, `=failed` | what a web address answers |
    /// | `shared:night=true` | what `shared` holds; otherwise it is empty |
    /// | `db=rows`, `=none`, `=failed` | what queries come to |
    /// | `voicemail=left`, `voicemail/102=nothing`, `=full` | whether a message is left |
    /// | `mailbox=done`, `=refused`, `=failed` | how listening to messages ends |
    /// | `record=something`, `=nothing` | whether something is said |
    /// | `body={"number":"101"}` | what another program sends to a webhook |
    /// | `hangup`, `hangup=dial`, `hangup=menu.lua:12` | when the caller hangs up |
    ///
    /// # Errors
    /// What is wrong with it, in words, with what was probably meant.
    pub fn parse(written: &str) -> Result<Self, String> {
        let text = written.trim();
        let fact = fact(text).map_err(|problem| format!("\"{text}\": {problem}"))?;
        Ok(Self { written: text.to_owned(), fact })
    }
}

fn fact(text: &str) -> Result<Fact, String> {
    if text == "hangup" {
        return Ok(Fact::Hangup(When::AtOnce));
    }
    if let Some(body) = text.strip_prefix("body=") {
        return Ok(Fact::Body(body.to_owned()));
    }
    if let Some(rest) = text.strip_prefix("http:") {
        return web(rest);
    }
    if let Some((key, value)) = text.strip_prefix("shared:").and_then(|rest| rest.split_once('=')) {
        return Ok(Fact::Shared(key.to_owned(), value.to_owned()));
    }
    // An address may hold `=` in its parameters; the answer does not.
    let Some((what, answer)) = text.rsplit_once('=') else {
        let hint = match nearest(text, SUBJECTS.iter().copied()) {
            Some(near) => format!("; did you mean {near}=...?"),
            None => format!("; write for example {EXAMPLES}"),
        };
        return Err(format!("there is no \"=\" with an answer in it{hint}"));
    };
    let (subject, name) = match what.split_once('/') {
        Some((subject, name)) => (subject, Some(name)),
        None => (what, None),
    };
    match (subject, name) {
        ("ext", Some(name)) if !name.is_empty() => ringing(what, answer),
        ("key" | "read", None) => Ok(Fact::Typed(typed(answer)?)),
        ("db", None) => choose(answer, ROWS).map(Fact::Database),
        ("voicemail", None) => choose(answer, MESSAGES).map(|left| Fact::Voicemail(None, left)),
        ("voicemail", Some(name)) => {
            choose(answer, MESSAGES).map(|left| Fact::Voicemail(Some(name.to_owned()), left))
        }
        ("mailbox", None) => choose(answer, LISTENING).map(Fact::Mailbox),
        ("record", None) => choose(answer, RECORDINGS).map(Fact::Record),
        ("hangup", None) => Ok(Fact::Hangup(when(answer)?)),
        _ if what.starts_with("sip:") => ringing(what, answer),
        _ => Err(unknown(subject, what)),
    }
}

fn unknown(subject: &str, what: &str) -> String {
    if what.chars().all(|c| c.is_ascii_digit()) && !what.is_empty() {
        return format!("write ext/{what}=...");
    }
    match nearest(subject, SUBJECTS.iter().copied()) {
        Some(near) => format!("nothing is called \"{subject}\"; did you mean {near}?"),
        None => format!("nothing is called \"{subject}\"; write for example {EXAMPLES}"),
    }
}

fn ringing(target: &str, answer: &str) -> Result<Fact, String> {
    let code = answer.parse().ok().filter(|code| (300..=699).contains(code));
    let ringing = match code {
        Some(code) => Ringing::Code(code),
        None => choose(answer, RINGING).map_err(|problem| {
            let named = problem.ends_with('?');
            if named { problem } else { format!("{problem}, or a SIP status from 300 to 699") }
        })?,
    };
    Ok(Fact::Target(target.to_owned(), ringing))
}

fn typed(answer: &str) -> Result<Typed, String> {
    let key = |c: char| c.is_ascii_digit() || "*#".contains(c);
    match answer {
        "nothing" | "none" => Ok(Typed::Nothing),
        "wrong" => Ok(Typed::Wrong),
        keys if !keys.is_empty() && keys.len() <= KEYS_MAX && keys.chars().all(key) => {
            Ok(Typed::Keys(keys.to_owned()))
        }
        keys if keys.len() > KEYS_MAX => Err(format!("at most {KEYS_MAX} keys are ever asked for")),
        _ => Err(format!("\"{answer}\" is not keys; write 0-9, * or #, nothing, or wrong")),
    }
}

/// `URL=500`, `URL=200:BODY`, `URL=failed`. The first `=` behind which an answer stands counts, so
/// that both addresses and bodies may hold more of them.
fn web(text: &str) -> Result<Fact, String> {
    for (at, _) in text.match_indices('=') {
        let (url, answer) = (text.get(..at).unwrap_or_default(), text.get(at + 1..));
        let Some(answer) = answer.and_then(web_answer) else { continue };
        // `http:https://...` names the whole address; `http://...` is one already.
        let url = if url.starts_with("//") { format!("http:{url}") } else { url.to_owned() };
        return Ok(Fact::Http(url, answer));
    }
    Err("write http:URL=200, http:URL=200:BODY or http:URL=failed".to_owned())
}

fn web_answer(text: &str) -> Option<Web> {
    if matches!(text, "failed" | "timeout") {
        return Some(Web::Failed);
    }
    let (code, body) = text.split_once(':').unwrap_or((text, ""));
    let code = code.parse().ok().filter(|code| code_length(text) && (100..=599).contains(code))?;
    Some(Web::Answer(code, body.to_owned()))
}

/// Three digits, and then nothing or a colon.
fn code_length(text: &str) -> bool {
    matches!(text.as_bytes(), [_, _, _] | [_, _, _, b':', ..])
}

fn when(answer: &str) -> Result<When, String> {
    if let Some((file, line)) = answer.rsplit_once(':') {
        let line = line.parse().ok().filter(|line| *line > 0);
        let line = line.ok_or_else(|| format!("\"{answer}\" does not end with a line"))?;
        return Ok(When::At(file.trim_start_matches("scripts/").to_owned(), line));
    }
    let verbs = || dialplan::VERBS.iter().filter(|spec| spec.waits).map(|spec| spec.name);
    if verbs().any(|verb| verb == answer) {
        return Ok(When::In(answer.to_owned()));
    }
    let hint = match nearest(answer, verbs()) {
        Some(near) => format!("did you mean {near}?"),
        None => "write for example hangup=dial or hangup=menu.lua:12".to_owned(),
    };
    Err(format!("\"{answer}\" is not a verb that takes time; {hint}"))
}

fn choose<T: Copy>(answer: &str, known: &[(&str, T)]) -> Result<T, String> {
    if let Some((_, value)) = known.iter().find(|(word, _)| *word == answer) {
        return Ok(*value);
    }
    Err(match nearest(answer, known.iter().map(|(word, _)| *word)) {
        Some(near) => format!("\"{answer}\" is not known here; did you mean {near}?"),
        None => {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            format!("\"{answer}\" is not known here; there is {}", words.join(", "))
        }
    })
}

/// Keys in one answer.
const KEYS_MAX: usize = 64;

const EXAMPLES: &str = "ext/101=busy, key=1 or hangup=dial";

const SUBJECTS: &[&str] = &[
    "ext",
    "key",
    "read",
    "http",
    "shared",
    "db",
    "voicemail",
    "mailbox",
    "record",
    "hangup",
    "body",
];

const RINGING: &[(&str, Ringing)] = &[
    ("answered", Ringing::Answered),
    ("busy", Ringing::Code(486)),
    ("noanswer", Ringing::NoAnswer),
    ("refused", Ringing::Code(603)),
    ("unreachable", Ringing::Unreachable),
];

const ROWS: &[(&str, Rows)] =
    &[("rows", Rows::Some), ("none", Rows::None), ("failed", Rows::Failed)];

const MESSAGES: &[(&str, Message)] =
    &[("left", Message::Left), ("nothing", Message::Nothing), ("full", Message::Full)];

const LISTENING: &[(&str, Listening)] =
    &[("done", Listening::Done), ("refused", Listening::Refused), ("failed", Listening::Failed)];

const RECORDINGS: &[(&str, Recording)] =
    &[("something", Recording::Something), ("nothing", Recording::Nothing)];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, fact: Fact) {
        assert_eq!(Given::parse(written).map(|given| given.fact), Ok(fact), "{written}");
    }

    #[test]
    fn what_comes_of_ringing_is_a_word_or_a_status() {
        let target = |to: &str, ringing| Fact::Target(to.to_owned(), ringing);
        check("ext/101=busy", target("ext/101", Ringing::Code(486)));
        check(" ext/101=noanswer ", target("ext/101", Ringing::NoAnswer));
        check("ext/101=603", target("ext/101", Ringing::Code(603)));
        check("ext/101=answered", target("ext/101", Ringing::Answered));
        let sip = "sip:desk@example.org;transport=tcp";
        check(&format!("{sip}=unreachable"), target(sip, Ringing::Unreachable));
    }

    #[test]
    fn keys_are_typed_in_the_order_in_which_they_are_given() {
        check("key=1", Fact::Typed(Typed::Keys("1".into())));
        check("read=4711", Fact::Typed(Typed::Keys("4711".into())));
        check("key=*", Fact::Typed(Typed::Keys("*".into())));
        check("key=nothing", Fact::Typed(Typed::Nothing));
        check("read=wrong", Fact::Typed(Typed::Wrong));
    }

    #[test]
    fn web_addresses_and_bodies_may_hold_equal_signs() {
        let http = |url: &str, web| Fact::Http(url.to_owned(), web);
        let answer = |code, body: &str| Web::Answer(code, body.to_owned());
        check("http:https://a.org/?id=200=500", http("https://a.org/?id=200", answer(500, "")));
        check("http:https://a.org/=200:x=1", http("https://a.org/", answer(200, "x=1")));
        check("http://a.org/*=failed", http("http://a.org/*", Web::Failed));
        check("http:https://a.org/?id=7=timeout", http("https://a.org/?id=7", Web::Failed));
    }

    #[test]
    fn other_answers_are_words() {
        check("db=none", Fact::Database(Rows::None));
        check("shared:night=true", Fact::Shared("night".into(), "true".into()));
        check("voicemail=full", Fact::Voicemail(None, Message::Full));
        check("voicemail/102=nothing", Fact::Voicemail(Some("102".into()), Message::Nothing));
        check("mailbox=refused", Fact::Mailbox(Listening::Refused));
        check("record=nothing", Fact::Record(Recording::Nothing));
        check("hangup", Fact::Hangup(When::AtOnce));
        check("hangup=dial", Fact::Hangup(When::In("dial".into())));
        check("hangup=scripts/a/b.lua:12", Fact::Hangup(When::At("a/b.lua".into(), 12)));
    }

    /// Each line: what is written, `|`, what is said about it.
    #[test]
    fn mistakes_name_the_nearest_word() {
        let table = "
            ext/101=bussy      | \"bussy\" is not known here; did you mean busy?
            ext/101=200        | \"200\" is not known here; there is answered, busy, noanswer, refused, unreachable, or a SIP status from 300 to 699
            101=busy           | write ext/101=...
            exd/101=busy       | nothing is called \"exd\"; did you mean ext?
            voicemial=left     | nothing is called \"voicemial\"; did you mean voicemail?
            weather=good       | nothing is called \"weather\"; write for example ext/101=busy, key=1 or hangup=dial
            key=x              | \"x\" is not keys; write 0-9, * or #, nothing, or wrong
            hangpu             | there is no \"=\" with an answer in it; did you mean hangup=...?
            hangup=dail        | \"dail\" is not a verb that takes time; did you mean dial?
            hangup=menu.lua:x  | \"menu.lua:x\" does not end with a line
            http:https://a.org | write http:URL=200, http:URL=200:BODY or http:URL=failed
            db=roes            | \"roes\" is not known here; did you mean rows?
        ";
        for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (written, expected) = line.split_once('|').unwrap();
            let problem = Given::parse(written).unwrap_err();
            assert_eq!(problem, format!("\"{}\": {}", written.trim(), expected.trim()));
        }
    }
}
