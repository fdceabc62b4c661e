//! What is typed with a dot in front: the world outside of the exchange, and the session itself.

use std::time::Duration;

use dialplan::nearest;

use crate::web::Stub;

/// Something that is not Lua.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Command {
    /// The caller presses keys.
    Press(String),
    /// The caller speaks for so long.
    Says(Duration),
    /// The caller hangs up, or this phone.
    Hangup(Option<String>),
    /// A phone answers what rings, after so long; if nothing rings, every call from now on.
    Answer(String, Duration),
    /// A phone refuses what rings with this status; if nothing rings, every call from now on.
    Refuse(String, u16),
    /// A phone rings and does nothing else.
    Ring(String),
    /// A phone is not registered any more.
    Leave(String),
    /// What another program answers from now on.
    Http(Stub),
    /// Time passes.
    Wait(Duration),
    Ladder,
    Undo,
    New,
    Save(String),
    Help(Option<String>),
    Quit,
}

/// What can be typed with a dot, and what it does.
pub const HELP: &[(&str, &str)] = &[
    (".press 1", "the caller presses keys: 0-9 * # A-D"),
    (".says 4", "the caller speaks for so many seconds"),
    (".hangup", "the caller hangs up; with an account, that phone"),
    (".answer 101", "its phone answers; `.answer 101 after 3`: in three seconds"),
    (".busy 101", "its phone is busy (486)"),
    (".refuse 101 603", "its phone refuses, with any status"),
    (".ring 101", "its phone rings until somebody gives up, as at the start"),
    (".leave 101", "its phone is not registered any more"),
    (".http URL 200", "what another program answers: a status and its text, or `failed`"),
    (".wait 5", "lets time pass; an empty line: until something happens"),
    (".ladder", "draws the whole call again"),
    (".undo", "takes the last line back, Lua or not"),
    (".new", "begins a new call"),
    (".save FILE", "writes the session as a test for `cordboard test`"),
    (".help dial", "explains a function; without one, this"),
    (".quit", "ends the session, as Ctrl-D does"),
];

impl Command {
    /// Reads what follows the dot.
    ///
    /// # Errors
    /// What is wrong with it, with what was probably meant.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let rest: Vec<&str> = words.collect();
        let usage = || usage(name);
        if name == "http" {
            return Stub::parse(text.trim().strip_prefix("http").unwrap_or_default())
                .map(Self::Http)
                .map_err(|problem| problem.unwrap_or_else(usage));
        }
        match (name, rest.as_slice()) {
            ("press", [keys]) if keys.chars().all(is_key) => Ok(Self::Press((*keys).to_owned())),
            ("says", [time]) => seconds(time).map(Self::Says).ok_or_else(usage),
            ("hangup", []) => Ok(Self::Hangup(None)),
            ("hangup", [who]) => Ok(Self::Hangup(Some(account(who)))),
            ("answer", [who]) => Ok(Self::Answer(account(who), Duration::ZERO)),
            ("answer", [who, "after", time] | [who, time]) => {
                let time = seconds(time).ok_or_else(usage)?;
                Ok(Self::Answer(account(who), time))
            }
            ("busy", [who]) => Ok(Self::Refuse(account(who), 486)),
            ("refuse", [who]) => Ok(Self::Refuse(account(who), 603)),
            ("refuse", [who, code]) => {
                let code = code.parse().ok().filter(|code| (400..=699).contains(code));
                Ok(Self::Refuse(account(who), code.ok_or_else(usage)?))
            }
            ("ring", [who]) => Ok(Self::Ring(account(who))),
            ("leave", [who]) => Ok(Self::Leave(account(who))),
            ("wait", [time]) => seconds(time).map(Self::Wait).ok_or_else(usage),
            ("ladder", []) => Ok(Self::Ladder),
            ("undo", []) => Ok(Self::Undo),
            ("new", []) => Ok(Self::New),
            ("save", [file]) => Ok(Self::Save((*file).to_owned())),
            ("help", []) => Ok(Self::Help(None)),
            ("help", [name]) => Ok(Self::Help(Some((*name).to_owned()))),
            ("quit" | "exit", []) => Ok(Self::Quit),
            _ => Err(usage()),
        }
    }
}

/// How a command is written, or which one was probably meant.
fn usage(name: &str) -> String {
    if let Some((written, does)) = HELP.iter().find(|(written, _)| word(written) == name) {
        return format!("write {written}: {does}");
    }
    match nearest(name, HELP.iter().map(|(written, _)| word(written))) {
        Some(near) => format!("there is no .{name}; did you mean .{near}?"),
        None => format!("there is no .{name}; .help tells what there is"),
    }
}

/// The command of a line of [`HELP`].
pub(crate) fn word(written: &str) -> &str {
    written.trim_start_matches('.').split(' ').next().unwrap_or_default()
}

/// `101`, also where `ext/101` was written.
fn account(written: &str) -> String {
    written.strip_prefix("ext/").unwrap_or(written).to_owned()
}

fn is_key(key: char) -> bool {
    matches!(key, '0'..='9' | '*' | '#' | 'A'..='D')
}

fn seconds(text: &str) -> Option<Duration> {
    let text = text.strip_suffix('s').unwrap_or(text);
    let seconds: f64 = text.parse().ok().filter(|seconds| (0.0..=TIME_MAX).contains(seconds))?;
    Some(Duration::from_secs_f64(seconds))
}

/// Longest time that can be let pass at once: a day.
const TIME_MAX: f64 = 86_400.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_the_help_names_can_be_typed() {
        for (written, _) in HELP {
            let typed = written.trim_start_matches('.').replace("FILE", "x.lua");
            let typed = typed.replace("URL", "https://x.example/");
            assert!(Command::parse(&typed).is_ok(), "{written}");
        }
        let after = Duration::from_millis(3_500);
        assert_eq!(
            Command::parse("answer ext/101 after 3.5"),
            Ok(Command::Answer("101".into(), after))
        );
        assert_eq!(Command::parse("wait 5s"), Ok(Command::Wait(Duration::from_secs(5))));
    }

    #[test]
    fn mistakes_are_told_with_what_was_meant() {
        for (typed, expected) in [
            ("anser 101", "there is no .anser; did you mean .answer?"),
            ("juggle", "there is no .juggle; .help tells what there is"),
            ("press x", "write .press 1: the caller presses keys: 0-9 * # A-D"),
            ("wait long", "write .wait 5: lets time pass; an empty line: until something happens"),
            ("refuse 101 200", "write .refuse 101 603: its phone refuses, with any status"),
            (
                "answer",
                "write .answer 101: its phone answers; `.answer 101 after 3`: in three seconds",
            ),
        ] {
            assert_eq!(Command::parse(typed), Err(expected.to_owned()));
        }
    }
}
