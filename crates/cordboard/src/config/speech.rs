//! `[speech]`: what turns texts into sound.

use std::path::Path;

use pbx::{SpeechBy, Synthesiser};
use toml::de::DeValue;

use super::secret;
use super::section::{Found, Section, text};
use crate::speech::{BODY_USUAL, IN_ARGUMENTS, IN_BODY, placeholders};

/// Reads the section; paths in it start at `folder`. `None` when there is no such section.
pub(super) fn read(root: &mut Section<'_, '_>, folder: &Path) -> Option<Synthesiser> {
    let mut section = root.section("speech");
    let command = section.list("command", COMMAND, argument);
    let url = section.value("url", "an address such as \"https://speech.example.org/say\"", url);
    let headers =
        section.entries("headers", "text, \"env:NAME\" or \"file:PATH\"", |name, value| {
            header(name, value, folder)
        });
    let body = section.value("body", "JSON with {text} in it", body);
    let voice = section.value("voice", "the name of a voice", name);
    let mut synthesiser = Synthesiser::new(SpeechBy::Command(Vec::new()));
    section.seconds("timeout", &mut synthesiser.timeout, TIMEOUT_SECONDS_MAX);
    section.count("at_once", &mut synthesiser.at_once, AT_ONCE_MAX);
    if let Some(mebibytes) = section.number("cache", 0..=CACHE_MEBIBYTES_MAX) {
        synthesiser.cache_bytes = mebibytes << 20;
    }
    let is_there = section.is_there();
    let asks_for_voice = command.iter().flatten().any(|one| placeholders(one).contains(&"voice"));
    let problem = match (&command, &url) {
        (Some(_), Some(_)) => Some("`command` and `url` stand for each other; choose one"),
        (Some(command), None) if command.is_empty() => {
            Some("`command` names no program: [\"espeak-ng\", \"--stdout\"]")
        }
        (Some(_), None) if !headers.is_empty() || body.is_some() => {
            Some("`headers` and `body` go with `url`, not with `command`")
        }
        (Some(_), None) if asks_for_voice && voice.is_none() => {
            Some("`command` has {voice} in it: set `voice` for texts that name none")
        }
        (None, None) if is_there => Some("it needs a `command` or a `url`"),
        (Some(_), None) | (None, Some(_) | None) => None,
    };
    section.finish();
    if let Some(problem) = problem {
        root.blame("speech", problem);
    }
    synthesiser.voice = voice;
    synthesiser.by = match (command, url) {
        (Some(command), _) => SpeechBy::Command(found_from(folder, command)),
        (None, Some(url)) => {
            SpeechBy::Url { url, body: body.unwrap_or_else(|| BODY_USUAL.to_owned()), headers }
        }
        (None, None) => return None,
    };
    Some(synthesiser)
}

/// A program with a path is looked for from the configuration file, as everything in it.
fn found_from(folder: &Path, mut command: Vec<String>) -> Vec<String> {
    if let Some(program) = command.first_mut()
        && program.contains('/')
    {
        *program = folder.join(&*program).display().to_string();
    }
    command
}

fn argument(value: &DeValue<'_>) -> Result<String, Found> {
    let argument = text(value)?;
    if argument.contains('\0') {
        return Err(Found::new("this has a NUL in it"));
    }
    for name in placeholders(&argument) {
        if name == "text" {
            let help =
                "the text comes on standard input; most programs read it there by themselves";
            return Err(Found::with_help("the text is no argument", help));
        }
        if !IN_ARGUMENTS.contains(&name) {
            return Err(unknown(name, IN_ARGUMENTS));
        }
    }
    Ok(argument)
}

fn url(value: &DeValue<'_>) -> Result<String, Found> {
    let url = text(value)?;
    pbx::Allowed::parse(&url)
        .map(|_| url)
        .map_err(|problem| Found::with_help(format!("this {problem}"), "write a whole address"))
}

fn body(value: &DeValue<'_>) -> Result<String, Found> {
    let body = text(value)?;
    let names = placeholders(&body);
    if let Some(name) = names.iter().find(|name| !IN_BODY.contains(name)) {
        return Err(unknown(name, IN_BODY));
    }
    if !names.contains(&"text") {
        let help = "write {text} where the text belongs, without quotes around it";
        return Err(Found::with_help("this has no {text} in it", help));
    }
    Ok(body)
}

fn unknown(name: &str, known: &[&str]) -> Found {
    let known: Vec<String> = known.iter().map(|name| format!("{{{name}}}")).collect();
    Found::with_help(
        format!("nothing is put in for {{{name}}}"),
        format!("known: {}", known.join(", ")),
    )
}

fn name(value: &DeValue<'_>) -> Result<String, Found> {
    let name = text(value)?;
    dialplan::speech_name_problem("this", &name)
        .map_or(Ok(name), |problem| Err(Found::new(problem)))
}

fn header(name: &str, value: &DeValue<'_>, folder: &Path) -> Result<String, Found> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(token) {
        return Err(Found::new("its name is not one that a header can have"));
    }
    secret::read_long(value, folder)
}

/// What `command` is.
const COMMAND: &str = "a program and its arguments, such as [\"espeak-ng\", \"--stdout\"]";
/// Longest time that a caller waits, in seconds.
const TIMEOUT_SECONDS_MAX: u64 = 120;
/// Most texts at one time.
const AT_ONCE_MAX: u64 = 64;
/// Largest cache.
const CACHE_MEBIBYTES_MAX: u64 = 16_384;
