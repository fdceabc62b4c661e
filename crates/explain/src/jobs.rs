//! Functions that run without a call: `schedule:menu.lua:12` and `webhook:/click?number=101`.

use std::rc::Rc;

use dialplan::{Generation, WebMatch, WebRequest, nearest};

use crate::explain::Unexplained;
use crate::given::Fact;
use crate::question::Question;
use crate::tree::Subject;
use crate::walk::Start;

/// What a question is about, if it is no call.
///
/// # Errors
/// There is no such function, or none at all, or a call lacks the number that is dialled.
pub(crate) fn find(
    generation: &Generation,
    question: &Question,
) -> Result<Option<(Subject, Start)>, Unexplained> {
    let asked = question.from.trim();
    if let Some(place) = asked.strip_prefix("schedule:") {
        return schedule(generation, place).map(|start| Some((Subject::Schedule, start)));
    }
    if let Some(path) = asked.strip_prefix("webhook:") {
        let start = webhook(generation, path, question)?;
        return Ok(Some((Subject::Webhook, start)));
    }
    if question.to.is_empty() {
        let problem = format!("who dials what? Write: cordboard explain {asked} NUMBER");
        return Err(Unexplained::Unknown(problem));
    }
    Ok(None)
}

fn schedule(generation: &Generation, wanted: &str) -> Result<Start, Unexplained> {
    let schedules = generation.schedules().into_iter();
    let named: Vec<_> = schedules
        .map(|(id, file, line)| (id, format!("{}:{line}", file.trim_start_matches("scripts/"))))
        .collect();
    let wanted = wanted.trim_start_matches("scripts/");
    if let Some((id, name)) = named.iter().find(|(_, name)| name == wanted) {
        return Ok(Start::Schedule(*id, format!("schedule {name}")));
    }
    let names: Vec<&str> = named.iter().map(|(_, name)| name.as_str()).collect();
    Err(unknown("schedule", wanted, &names))
}

fn webhook(
    generation: &Generation,
    wanted: &str,
    question: &Question,
) -> Result<Start, Unexplained> {
    let (method, address) = match wanted.split_once(':') {
        Some((method, address)) if !method.contains('/') => (Some(method), address),
        Some(_) | None => (None, wanted),
    };
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let query = query.split('&').filter(|pair| !pair.is_empty());
    let query: Vec<(String, String)> = query
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let body = question.given.iter().find_map(|given| match &given.fact {
        Fact::Body(body) => Some(body.clone().into_bytes()),
        Fact::Target(..)
        | Fact::Typed(_)
        | Fact::Http(..)
        | Fact::Database(_)
        | Fact::Shared(..)
        | Fact::Voicemail(..)
        | Fact::Mailbox(_)
        | Fact::Record(_)
        | Fact::Hangup(_) => None,
    });
    // Whoever brings something posts it.
    let usual = if body.is_some() { ["POST", "GET"] } else { ["GET", "POST"] };
    let methods = match method {
        Some(method) => vec![method.to_uppercase()],
        None => usual.map(str::to_owned).to_vec(),
    };
    let others = ["PUT", "PATCH", "DELETE"].map(str::to_owned);
    let others = others.into_iter().filter(|_| method.is_none());
    for method in methods.into_iter().chain(others) {
        if let WebMatch::Webhook { id, .. } = generation.match_webhook(&method, path) {
            let request = WebRequest {
                method,
                path: path.to_owned(),
                query,
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: body.unwrap_or_default(),
            };
            return Ok(Start::Webhook(id, format!("webhook {path}"), Rc::new(request)));
        }
    }
    if let (Some(method), WebMatch::OtherMethods(others)) =
        (method, generation.match_webhook("", path))
    {
        let problem = format!("webhook:{path} answers {}, not {method}", others.join(" and "));
        return Err(Unexplained::Unknown(problem));
    }
    let hooks = generation.webhooks();
    let paths: Vec<&str> = hooks.iter().map(|(path, _, _)| path.as_str()).collect();
    Err(unknown("webhook", path, &paths))
}

fn unknown(what: &str, wanted: &str, known: &[&str]) -> Unexplained {
    let there = match (nearest(wanted, known.iter().copied()), known) {
        (Some(near), _) if !wanted.is_empty() => format!("did you mean {what}:{near}?"),
        (_, []) => format!("the scripts have no {what}"),
        (_, known) => {
            let known: Vec<String> = known.iter().map(|name| format!("{what}:{name}")).collect();
            format!("there is {}", known.join(", "))
        }
    };
    Unexplained::Unknown(format!("there is no {what}:{wanted}; {there}"))
}
