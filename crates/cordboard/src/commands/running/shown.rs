//! Answers of a running exchange as people read them.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::control::protocol::{Calls, Reloaded, Status, Told};

/// What came of a reload: what is right, and what is not.
pub(super) fn reloaded(reloaded: &Reloaded, check_only: bool) -> (String, String) {
    let mut wrong = pictures(&reloaded.mistakes);
    let seconds = reloaded.took_ms as f64 / 1e3;
    let right = match (reloaded.ok, reloaded.generation, reloaded.routes) {
        (true, Some(generation), Some(routes)) => format!(
            "in use: generation {generation} with {}, after {seconds:.1} s\n",
            counted(routes, "route")
        ),
        (true, None, Some(routes)) => {
            format!("everything is right: {}; nothing was changed\n", counted(routes, "route"))
        }
        (true, _, None) => "nothing is other than before\n".to_owned(),
        (false, _, _) => String::new(),
    };
    if !reloaded.ok {
        let errors = counted(errors(&reloaded.mistakes), "mistake");
        let stay = if check_only { "nothing was changed" } else { "the old scripts stay in use" };
        wrong.push_str(&format!("{errors}; {stay}\n"));
    }
    for key in &reloaded.restart {
        wrong.push_str(&format!("`{key}` changed; that counts from the next start\n"));
    }
    (right, wrong)
}

/// How things stand.
pub(super) fn status(status: &Status, now: Timestamp, zone: &TimeZone) -> String {
    let mut text = format!(
        "Cordboard {}, process {}, running for {}\n",
        status.version,
        status.pid,
        since(&status.started_at, now)
    );
    let mut line = |name: &str, value: &str| {
        text.push_str(&format!("{name:<14}{value}\n"));
    };
    line("started", &at(&status.started_at, zone));
    line("configuration", &status.config);
    line("data", &status.data);
    line("listening", &status.listening.join(", "));
    let stopping = if status.stopping { ", stopping: takes no new ones" } else { "" };
    line("calls", &format!("{}{stopping}", status.calls));
    line("phones", &format!("{} registered", status.registrations));
    let mut generations = status.generations.iter().rev();
    if let Some(latest) = generations.next() {
        let routes = counted(latest.routes, "route");
        let loaded = at(&latest.loaded_at, zone);
        line("scripts", &format!("generation {}, {routes}, in use since {loaded}", latest.number));
    }
    for older in generations {
        let calls = counted(older.calls, "call");
        line("", &format!("generation {} until {calls} of it ended", older.number));
    }
    if let Some(failed) = &status.failed_reload {
        let errors = counted(errors(&failed.mistakes), "mistake");
        line("last reload", &format!("failed {}, for {errors}:", at(&failed.at, zone)));
        text.push_str(&pictures(&failed.mistakes));
    }
    text
}

/// The calls under way, a line each, and below it what the script waits for and where.
pub(super) fn calls(calls: &Calls, now: Timestamp) -> String {
    if calls.count == 0 {
        return "no calls\n".to_owned();
    }
    let mut text =
        format!("{:<10}{:<16}{:<16}{:<9}{:<10}{}\n", "id", "from", "to", "state", "for", "source");
    for call in &calls.calls {
        let row = writeln!(
            text,
            "{:<10}{:<16}{:<16}{:<9}{:<10}{}",
            call.id,
            plain(&call.from),
            plain(&call.to),
            call.state,
            since(&call.since, now),
            call.source
        );
        debug_assert!(row.is_ok(), "text takes everything");
        for wait in &call.waits_for {
            let line = wait.at.as_deref().map(|at| format!(", {}", place(at)));
            let mut what = plain(&wait.what);
            if matches!(wait.function.as_str(), "dial" | "bridge") && !call.about.is_empty() {
                let with = if call.state == "talking" { " with" } else { "" };
                what.push_str(&format!("{with} {}", about(&call.about)));
            }
            text.push_str(&format!("{:<10}{what}{}\n", "", line.unwrap_or_default()));
        }
    }
    let missing = calls.count.saturating_sub(calls.calls.len());
    if missing > 0 {
        text.push_str(&format!("and {missing} more\n"));
    }
    text
}

fn pictures(mistakes: &[Told]) -> String {
    mistakes.iter().map(|told| format!("{}\n", told.shown)).collect()
}

fn errors(mistakes: &[Told]) -> usize {
    use crate::report::Severity;
    mistakes.iter().filter(|told| told.severity == Severity::Error).count()
}

fn counted(count: usize, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {what}{ending}")
}

/// Targets cannot do so either, and keep to about one line.
fn about(targets: &str) -> String {
    let printable = |c: char| if c.is_control() { '?' } else { c };
    let mut short: String = targets.chars().take(ABOUT_MAX).map(printable).collect();
    if targets.chars().nth(ABOUT_MAX).is_some() {
        short.push('…');
    }
    short
}

/// What callers claim cannot change what a terminal shows.
fn plain(name: &str) -> String {
    name.chars().take(40).map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// A file's name cannot do that either; its end says more than its beginning.
fn place(at: &str) -> String {
    let too_many = at.chars().count().saturating_sub(PLACE_MAX);
    at.chars().skip(too_many).map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Characters of a place that are shown, at most.
const PLACE_MAX: usize = 80;
/// Characters of whom a call is about.
const ABOUT_MAX: usize = 80;

/// A time of day as it is here.
fn at(rfc3339: &str, zone: &TimeZone) -> String {
    match rfc3339.parse::<Timestamp>() {
        Ok(at) => at.to_zoned(zone.clone()).strftime("%F %T").to_string(),
        Err(_) => rfc3339.to_owned(),
    }
}

/// How long ago something was, as people say it.
fn since(rfc3339: &str, now: Timestamp) -> String {
    let Ok(at) = rfc3339.parse::<Timestamp>() else { return "?".to_owned() };
    let seconds = now.as_second().saturating_sub(at.as_second()).max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        (_, _, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::protocol::{Call, FailedReload, Generation, Wait};
    use crate::report::Severity;

    fn told(severity: Severity) -> Told {
        Told {
            severity,
            file: "scripts/main.lua".into(),
            line: Some(3),
            column: Some(1),
            message: "wrong".into(),
            help: None,
            shown: "a picture".into(),
        }
    }

    fn now() -> Timestamp {
        "2026-11-05T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_status_tells_what_runs_and_why_the_last_reload_failed() {
        let generation = |number, calls| Generation {
            number,
            loaded_at: "2026-11-05T11:00:00Z".into(),
            routes: 14,
            calls,
        };
        let mut stands = Status {
            version: "0.1.0".into(),
            pid: 77,
            started_at: "2026-11-02T09:30:00Z".into(),
            config: "cordboard.toml".into(),
            data: "cordboard-data".into(),
            listening: vec!["udp 127.0.0.1:5060".into()],
            calls: 3,
            registrations: 1,
            stopping: false,
            generations: vec![generation(1, 1), generation(4, 2)],
            failed_reload: Some(FailedReload {
                at: "2026-11-05T11:59:00Z".into(),
                mistakes: vec![told(Severity::Error), told(Severity::Warning)],
            }),
        };
        let text = status(&stands, now(), &TimeZone::UTC);
        for part in [
            "Cordboard 0.1.0, process 77, running for 3 d 2 h",
            "started       2026-11-02 09:30:00",
            "calls         3\n",
            "phones        1 registered",
            "scripts       generation 4, 14 routes, in use since 2026-11-05 11:00:00",
            "generation 1 until 1 call of it ended",
            "last reload   failed 2026-11-05 11:59:00, for 1 mistake:\na picture\n",
        ] {
            assert!(text.contains(part), "no {part} in\n{text}");
        }
        stands.failed_reload = None;
        stands.stopping = true;
        let text = status(&stands, now(), &TimeZone::UTC);
        assert!(!text.contains("last reload") && text.contains("takes no new ones"), "{text}");
    }

    #[test]
    fn a_reload_tells_what_is_in_use_and_what_is_not() {
        let mut came = Reloaded {
            ok: true,
            generation: Some(2),
            routes: Some(1),
            restart: vec!["listen.udp".into()],
            mistakes: vec![told(Severity::Warning)],
            took_ms: 340,
        };
        let (right, wrong) = reloaded(&came, false);
        assert_eq!(right, "in use: generation 2 with 1 route, after 0.3 s\n");
        assert_eq!(wrong, "a picture\n`listen.udp` changed; that counts from the next start\n");
        (came.ok, came.generation, came.routes) = (false, None, None);
        came.mistakes = vec![told(Severity::Error), told(Severity::Error)];
        came.restart.clear();
        let (right, wrong) = reloaded(&came, false);
        assert_eq!(right, "");
        assert_eq!(wrong, "a picture\na picture\n2 mistakes; the old scripts stay in use\n");
    }

    #[test]
    fn calls_are_listed_without_what_a_terminal_would_obey() {
        let call = Call {
            id: "0a1b2c3d".into(),
            from: "\u{1b}[2Jx".into(),
            to: "600".into(),
            source: "192.0.2.9:5060".into(),
            since: "2026-11-05T11:58:55Z".into(),
            answered_after: Some(0.1),
            state: "talking".into(),
            about: format!("ext/\u{1b}101{}", "x".repeat(90)),
            generation: 1,
            waits_for: vec![
                Wait {
                    what: "talking".into(),
                    function: "dial".into(),
                    at: Some("scripts/\u{1b}main.lua:12".into()),
                },
                Wait { what: "waiting".into(), function: String::new(), at: None },
            ],
        };
        let text = calls(&Calls { count: 3, calls: vec![call] }, now());
        for part in ["0a1b2c3d", "?[2Jx", "talking", "1 min", "192.0.2.9:5060", "and 2 more"] {
            assert!(text.contains(part), "no {part} in\n{text}");
        }
        let waits = format!(
            "\n          talking with ext/?101{}…, scripts/?main.lua:12\n          waiting\n",
            "x".repeat(ABOUT_MAX - "ext/?101".len())
        );
        assert!(text.contains(&waits), "{text}");
        assert_eq!(calls(&Calls { count: 0, calls: Vec::new() }, now()), "no calls\n");
    }
}
