//! Texts that a synthesiser speaks: `call:speak("...")`, and `{ speak = "..." }` among other sounds.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not expected is refused alike"
)]

use mlua::{Table, Value};

use crate::generation::Names;
use crate::options::{checked_text, describe, expected};
use crate::verb::Speech;
use crate::verbs::{Kind, nearest};

/// Keys of a sound that is spoken.
pub(crate) const SPEECH_KEYS: &[&str] = &["speak", "lang", "voice"];

/// Bytes of one text, white space not counted twice.
const TEXT_BYTES_MAX: usize = 4_000;
/// Bytes of a language or a voice.
const NAME_BYTES_MAX: usize = 64;

/// What a script with a text is told when nothing can speak it.
pub(crate) const NO_SYNTHESISER: &str =
    "nothing speaks texts: add a section [speech] with `command` or `url` to cordboard.toml";

/// A text with what else is known of it.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn speech(
    text: &Value,
    language: Option<String>,
    voice: Option<String>,
    names: &Names,
) -> Result<Speech, String> {
    if !names.speech {
        return Err(NO_SYNTHESISER.into());
    }
    let text = match text {
        Value::String(text) => speech_text(&text.as_bytes())?,
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        other => {
            return Err(format!(
                "text: expected {}, got {}",
                expected(&Kind::Speech),
                describe(other)
            ));
        }
    };
    for (what, name) in [("lang", &language), ("voice", &voice)] {
        if let Some(problem) = name.as_deref().and_then(|name| name_problem(what, name)) {
            return Err(problem);
        }
    }
    let language = language.unwrap_or_else(|| names.language.clone());
    Ok(Speech { text, language, voice })
}

/// `{ speak = "...", lang = "de", voice = "anna" }`; `None` if the table is another one.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn speech_table(table: &Table, names: &Names) -> Result<Option<Speech>, String> {
    let value = |key: &str| table.raw_get::<Value>(key).map_err(|error| error.to_string());
    let text = value("speak")?;
    if text.is_nil() {
        return Ok(None);
    }
    for pair in table.pairs::<Value, Value>() {
        let (key, _) = pair.map_err(|error| error.to_string())?;
        match &key {
            Value::String(key) => {
                let key = key.to_string_lossy();
                if !SPEECH_KEYS.contains(&&*key) {
                    return Err(match nearest(&key, SPEECH_KEYS.iter().copied()) {
                        Some(near) => format!("no key \"{key}\"; did you mean \"{near}\"?"),
                        None => {
                            format!("no key \"{key}\"; there are {}", SPEECH_KEYS.join(", "))
                        }
                    });
                }
            }
            _ => {
                return Err("a text to speak stands in a table of its own: \
                            { \"welcome\", { speak = \"...\" } }"
                    .into());
            }
        }
    }
    let name = |key: &str| match value(key)? {
        Value::Nil => Ok(None),
        Value::String(text) => checked_text(key, &text).map(Some),
        other => Err(format!("{key}: expected a string, got {}", describe(&other))),
    };
    speech(&text, name("lang")?, name("voice")?, names).map(Some)
}

/// A text as it is spoken: line ends, tabs and spaces that follow each other are one space.
///
/// # Errors
/// Why it cannot be spoken.
pub(crate) fn speech_text(bytes: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "text is not UTF-8 text".to_owned())?;
    let mut spoken = String::new();
    for word in text.split_whitespace() {
        if word.chars().any(char::is_control) {
            return Err("text has a control character in it".into());
        }
        if !spoken.is_empty() {
            spoken.push(' ');
        }
        spoken.push_str(word);
        if spoken.len() > TEXT_BYTES_MAX {
            return Err(format!("text is longer than {TEXT_BYTES_MAX} bytes; speak it in parts"));
        }
    }
    if spoken.is_empty() {
        return Err("text is empty".into());
    }
    Ok(spoken)
}

/// Why a language or voice may not be handed to a synthesiser, where it may become an argument of a
/// command or a part of an address.
pub fn name_problem(what: &str, name: &str) -> Option<String> {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+:@".contains(c);
    let right = first && name.len() <= NAME_BYTES_MAX && name.chars().all(plain);
    (!right).then(|| {
        format!(
            "{what} must begin with a letter or digit and have only those and -_.+:@ in it, up to \
             {NAME_BYTES_MAX} of them"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_evened_out_and_what_cannot_be_spoken_is_refused() {
        let spoken = |text: &[u8]| speech_text(text);
        assert_eq!(spoken(b" Your order\n  is\tready. "), Ok("Your order is ready.".into()));
        assert_eq!(spoken("Grüß Gott".as_bytes()), Ok("Grüß Gott".into()));
        for (wrong, why) in [
            (&b""[..], "text is empty"),
            (b" \n ", "text is empty"),
            (b"a\0b", "text has a control character in it"),
            (b"a\x1b[2J", "text has a control character in it"),
            ("a\u{9b}b".as_bytes(), "text has a control character in it"),
            (b"\xff", "text is not UTF-8 text"),
        ] {
            assert_eq!(spoken(wrong), Err(why.to_owned()), "{wrong:?}");
        }
        let longest = "x".repeat(TEXT_BYTES_MAX);
        assert_eq!(spoken(longest.as_bytes()), Ok(longest.clone()));
        assert_eq!(
            spoken(format!("{longest}y").as_bytes()),
            Err("text is longer than 4000 bytes; speak it in parts".into())
        );
    }

    #[test]
    fn a_voice_is_never_an_option_or_a_path() {
        for right in ["en", "en-GB", "de_DE.anna", "en+f3", "gpt:nova", "a@b"] {
            assert_eq!(name_problem("voice", right), None, "{right}");
        }
        let long = "x".repeat(65);
        for wrong in ["", "-w", "--output=/x", "../x", "a/b", "a b", "a\n", "ä", &long] {
            assert!(name_problem("voice", wrong).is_some(), "{wrong}");
        }
    }
}
