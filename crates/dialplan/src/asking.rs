//! From the values a script passes to a checked [`Verb`].
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not expected is refused alike"
)]

mod beside;

use std::time::Duration;

use jiff::Zoned;
use mlua::Value;

use crate::event::Side;
use crate::generation::Names;
use crate::legs::leg_of;
use crate::options::{Call, mismatch};
use crate::pattern::Pattern;
use crate::say::{Spoken, moment, parse_time, say};
use crate::sound::parse_sound;
use crate::speech::speech;
use crate::targets;
use crate::verb::{Absence, Barge, Dial, HangupCause, Play, Read, Record, Repeat, Sound, Verb};
use crate::verbs::{Kind, VerbSpec};

pub(crate) use beside::{ask_beside, headers as http_headers};

/// Digits a read collects when nothing says how many.
const DIGITS_MAX: u8 = 64;

/// Keys that one `call:dtmf` presses.
const KEYS_MAX: usize = 32;

/// Reads what a script passed to `spec`.
///
/// # Errors
/// What is wrong with it, in words, without the verb's name.
pub(crate) fn ask(
    spec: &'static VerbSpec,
    values: [Value; 3],
    names: &Names,
    now: &Zoned,
) -> Result<Verb, String> {
    let call = Call::new(spec, values, names)?;
    Ok(match spec.name {
        "answer" => Verb::Answer,
        "busy" => Verb::Reject { code: 486, reason: None, headers: Vec::new() },
        "dial" => Verb::Dial(dial(&call)?),
        "bridge" => Verb::Bridge(leg_of(&call.value("leg")?.0)?),
        "dtmf" => Verb::Dtmf {
            digits: keys(&call.text("digits")?.unwrap_or_default())?,
            to: match call.word("to")? {
                Some("callee") => Side::Callee,
                _ => Side::Caller,
            },
        },
        "echo" => Verb::Echo,
        "hangup" => Verb::Hangup { cause: hangup_cause(call.word("cause")?) },
        "mailbox" => Verb::Mailbox { mailbox: call.text("box")? },
        "menu" => Verb::Read(menu(&call)?),
        "play" => Verb::Play(play(&call)?),
        "progress" => Verb::Progress,
        "queued" => Verb::Queued {
            place: call.whole("place")?.and_then(|place| u32::try_from(place).ok()),
            music: call.sound("music")?,
        },
        "read" => Verb::Read(read(&call)?),
        "record" => Verb::Record(record(&call)?),
        "redirect" => redirect(&call)?,
        "reject" => Verb::Reject {
            code: code(&call)?,
            reason: call.text("reason")?,
            headers: targets::headers(&call.value("headers")?.0)?,
        },
        "ringing" => Verb::Ringing,
        "say" => Verb::Play(spoken(&call, now)?),
        "speak" => Verb::Play(speak(&call)?),
        "sleep" => Verb::Sleep(call.seconds("seconds")?.unwrap_or_default()),
        "voicemail" => Verb::Voicemail {
            mailbox: call.text("box")?.unwrap_or_default(),
            reason: match call.word("reason")? {
                Some("busy" | "BUSY") => Absence::Busy,
                _ => Absence::Unavailable,
            },
        },
        _ => return Err("is not a verb".into()),
    })
}

/// Keys to be pressed.
fn keys(digits: &str) -> Result<String, String> {
    let digits = digits.to_ascii_uppercase();
    let key = |c: char| c.is_ascii_digit() || "*#ABCD".contains(c);
    if digits.is_empty() || digits.len() > KEYS_MAX || !digits.chars().all(key) {
        return Err(format!("digits must be 1 to {KEYS_MAX} of 0-9, *, # and A-D"));
    }
    Ok(digits)
}

fn code(call: &Call<'_>) -> Result<u16, String> {
    let code = call.whole("code")?.unwrap_or_default();
    u16::try_from(code).map_err(|_| "code is out of range".to_owned())
}

fn redirect(call: &Call<'_>) -> Result<Verb, String> {
    let code = code(call)?;
    if !matches!(code, 300 | 301 | 302 | 305 | 380) {
        return Err(format!("code must be 300, 301, 302, 305 or 380, not {code}"));
    }
    Ok(Verb::Redirect { code, targets: targets::redirects(&call.value("to")?.0)? })
}

fn hangup_cause(word: Option<&str>) -> HangupCause {
    match word {
        Some("busy") => HangupCause::Busy,
        Some("congestion") => HangupCause::Congestion,
        Some("unallocated") => HangupCause::Unallocated,
        Some("rejected") => HangupCause::Rejected,
        _ => HangupCause::Normal,
    }
}

fn dial(call: &Call<'_>) -> Result<Dial, String> {
    Ok(Dial {
        rounds: targets::rounds(&call.value("to")?.0)?,
        timeout: call.seconds("timeout")?.unwrap_or_default(),
        music: call.sound("music")?,
        caller: targets::identity(&call.value("caller")?.0)?,
    })
}

fn play(call: &Call<'_>) -> Result<Play, String> {
    play_of(call, call.sounds("sounds")?)
}

fn play_of(call: &Call<'_>, sounds: Vec<Sound>) -> Result<Play, String> {
    Ok(Play {
        sounds,
        repeat: if call.flag("loop")? { Repeat::Forever } else { Repeat::Once },
        barge: barge(call)?,
        from: call.seconds("from")?.unwrap_or_default(),
        gain_db: call.number("gain")?.unwrap_or_default() as f32,
    })
}

fn speak(call: &Call<'_>) -> Result<Play, String> {
    let (text, _) = call.value("text")?;
    let speech = speech(&text, call.text("lang")?, call.text("voice")?, call.names())?;
    play_of(call, vec![Sound::Speech(speech)])
}

fn barge(call: &Call<'_>) -> Result<Barge, String> {
    Ok(if call.flag("barge")? { Barge::Any } else { Barge::Never })
}

fn read(call: &Call<'_>) -> Result<Read, String> {
    let accept = call.patterns("match")?;
    let digits_max = match call.whole("max")? {
        Some(max) => u8::try_from(max).unwrap_or(DIGITS_MAX),
        None => longest(&accept),
    };
    Ok(Read {
        prompt: call.sounds("prompt")?,
        digits_max,
        timeout: call.seconds("timeout")?.unwrap_or_default(),
        between: call.seconds("between")?.unwrap_or_default(),
        terminator: call.key("terminator")?,
        tries: tries(call)?,
        accept,
        invalid: call.sounds("invalid")?,
    })
}

fn tries(call: &Call<'_>) -> Result<u8, String> {
    Ok(call.whole("tries")?.and_then(|tries| u8::try_from(tries).ok()).unwrap_or(1))
}

/// As many digits as the longest of the patterns.
fn longest(patterns: &[String]) -> u8 {
    let lengths: Option<Vec<usize>> = patterns
        .iter()
        .map(|pattern| Pattern::parse(pattern).ok().and_then(|pattern| pattern.length()))
        .collect();
    let longest = lengths.and_then(|lengths| lengths.into_iter().max());
    longest.and_then(|longest| u8::try_from(longest).ok()).unwrap_or(DIGITS_MAX)
}

/// A read whose acceptable inputs are the keys of the option table.
fn menu(call: &Call<'_>) -> Result<Read, String> {
    let mut accept = Vec::new();
    if let Some(table) = call.table() {
        for pair in table.pairs::<Value, Value>() {
            let (key, value) = pair.map_err(|error| error.to_string())?;
            if let Some(choice) = choice(&key)? {
                check_choice(&choice, &value)?;
                accept.push(choice);
            }
        }
    }
    if accept.is_empty() {
        return Err("has no choices; write [\"1\"] = function() ... end".into());
    }
    accept.sort();
    let (otherwise, _) = call.value("otherwise")?;
    if !otherwise.is_nil() {
        check_choice("otherwise", &otherwise)?;
    }
    let (timeout, _) = call.value("timeout")?;
    let timeout = match timeout {
        Value::Nil | Value::Function(_) => Duration::from_secs(5),
        value => {
            let kind = Kind::Seconds { min: 0.2, max: 300.0, default: None };
            crate::options::seconds("timeout", &value, &kind)
                .map_err(|_| mismatch("timeout", &Kind::SecondsOrFunction, &value))?
        }
    };
    let (invalid, _) = call.value("invalid")?;
    let invalid = match invalid {
        Value::Function(_) => Vec::new(),
        _ => call.sounds("invalid")?,
    };
    Ok(Read {
        prompt: call.sounds("prompt")?,
        digits_max: longest(&accept),
        timeout,
        between: call.seconds("between")?.unwrap_or_default(),
        terminator: call.key("terminator")?.filter(|key| {
            // A menu that offers the key as a choice does not end with it.
            !accept.iter().any(|choice| choice.contains(*key))
        }),
        tries: tries(call)?,
        accept,
        invalid,
    })
}

/// What happens at a choice: a function, or the number of a route.
fn check_choice(name: &str, value: &Value) -> Result<(), String> {
    match value {
        Value::Function(_) | Value::String(_) | Value::Integer(_) => Ok(()),
        other => Err(mismatch(name, &Kind::Choice, other)),
    }
}

/// A menu key as a pattern; `None` for an option.
fn choice(key: &Value) -> Result<Option<String>, String> {
    let key = match key {
        Value::Integer(digits) => digits.to_string(),
        Value::String(text) => text.to_string_lossy(),
        other => return Err(mismatch("a choice", &Kind::Patterns, other)),
    };
    let Some(spec) = crate::verbs::verb_spec("menu") else { return Ok(None) };
    if spec.options.iter().any(|option| option.name == key) {
        return Ok(None);
    }
    choice_key(spec, &key).map(|()| Some(key))
}

/// Judges a key that is none of the options: it must be a pattern of digits.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn choice_key(spec: &VerbSpec, key: &str) -> Result<(), String> {
    let digits = |c: char| c.is_ascii_digit() || "*#XZN[]-.!".contains(c);
    if !key.chars().all(digits) {
        return Err(crate::options::unknown_option(spec, key));
    }
    let read = Pattern::parse(key).map_err(|problem| format!("choice \"{key}\": {problem}"));
    read.map(drop)
}

/// Which entry of a menu belongs to what was typed.
pub(crate) fn menu_entry(table: &mlua::Table, digits: &str) -> mlua::Result<Value> {
    let mut best: Option<(Pattern, Value)> = None;
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        let Ok(Some(key)) = choice(&key) else { continue };
        let Ok(pattern) = Pattern::parse(&key) else { continue };
        if pattern.fit(digits) == crate::pattern::Fit::Full
            && best.as_ref().is_none_or(|(known, _)| pattern.specificity(known).is_lt())
        {
            best = Some((pattern, value));
        }
    }
    Ok(best.map_or(Value::Nil, |(_, value)| value))
}

fn record(call: &Call<'_>) -> Result<Record, String> {
    let name = call.text("name")?;
    if let Some(name) = &name {
        // What the store takes, so that it is told before anybody was recorded.
        if !crate::sound::is_recording_name(name) {
            return Err("name must be letters, digits, - and _, up to 100 of them".into());
        }
    }
    Ok(Record {
        name,
        max: call.seconds("max")?.unwrap_or_default(),
        silence: call.seconds("silence")?,
        beep: call.flag("beep")?,
        terminator: call.key("terminator")?,
    })
}

fn spoken(call: &Call<'_>, now: &Zoned) -> Result<Play, String> {
    let (what, spec) = call.value("what")?;
    let number = match &what {
        Value::Integer(number) => Some(*number as f64),
        Value::Number(number) => Some(*number),
        _ => None,
    };
    let text = match &what {
        Value::String(text) => crate::options::checked_text("what", text)?,
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        other => return Err(mismatch("what", &spec.kind, other)),
    };
    let default = if number.is_some() { "number" } else { "digits" };
    let seconds = || number.and_then(|seconds| moment(seconds, now));
    let what = match call.word("as")?.unwrap_or(default) {
        "digits" => Spoken::Digits(text),
        "spell" => Spoken::Spell(text),
        "time" => Spoken::Time(
            seconds()
                .map(|moment| moment.time())
                .or_else(|| parse_time(&text))
                .ok_or("a time is Unix seconds, as time.now() gives, or \"14:05\"")?,
        ),
        "date" => Spoken::Date(
            seconds()
                .map(|moment| moment.date())
                .or_else(|| text.parse().ok())
                .ok_or("a date is Unix seconds, as time.now() gives, or \"2026-11-22\"")?,
        ),
        _ => Spoken::Number(
            number.or_else(|| text.trim().parse().ok()).ok_or("that is not a number")?,
        ),
    };
    let language = call.text("lang")?.unwrap_or_else(|| call.names().language.clone());
    let sounds = say(&what, &language)?
        .iter()
        .map(|name| parse_sound(name, call.names()))
        .collect::<Result<Vec<Sound>, _>>()?;
    Ok(Play {
        sounds,
        repeat: Repeat::Once,
        barge: barge(call)?,
        from: Duration::ZERO,
        gain_db: call.number("gain")?.unwrap_or_default() as f32,
    })
}
