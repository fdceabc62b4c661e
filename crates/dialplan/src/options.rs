//! Arguments and option tables of a verb, checked against its entry in the table of verbs.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not expected is refused alike"
)]

use std::time::Duration;

use mlua::{Table, Value};

use crate::generation::Names;
use crate::pattern::Pattern;
use crate::sound::parse_sound;
use crate::speech::speech_table;
use crate::verb::Sound;
use crate::verbs::{Kind, OptionSpec, VerbSpec, nearest};

/// Sounds, patterns or targets in one list.
pub(crate) const LIST_MAX: usize = 64;
/// Characters in one string that leaves a script.
const TEXT_MAX: usize = 255;

/// What a script passed to a verb.
pub(crate) struct Call<'a> {
    spec: &'static VerbSpec,
    names: &'a Names,
    arguments: Vec<Value>,
    options: Option<Table>,
}

impl<'a> Call<'a> {
    /// Sorts `values` into arguments and options and refuses what the verb does not know.
    pub(crate) fn new(
        spec: &'static VerbSpec,
        values: [Value; 3],
        names: &'a Names,
    ) -> Result<Self, String> {
        let mut values = values.into_iter().peekable();
        let mut arguments = Vec::new();
        for argument in spec.arguments {
            // `reject(486, { headers = ... })`: the reason was left out.
            let skipped = !argument.required
                && argument.kind == Kind::Text
                && matches!(values.peek(), Some(Value::Table(_)));
            let value = if skipped { None } else { values.next() };
            let value = value.unwrap_or(Value::Nil);
            if argument.required && value.is_nil() {
                return Err(format!(
                    "{} is missing; expected {}",
                    argument.name,
                    expected(&argument.kind)
                ));
            }
            arguments.push(value);
        }
        let options = if spec.options.is_empty() { Value::Nil } else { values.next_or_nil() };
        let options = match options {
            Value::Nil => None,
            Value::Table(options) => Some(options),
            other => return Err(format!("expected a table of options, got {}", describe(&other))),
        };
        if values.any(|value| !value.is_nil()) {
            return Err("too many arguments".into());
        }
        let call = Self { spec, names, arguments, options };
        call.check_keys()?;
        Ok(call)
    }

    fn check_keys(&self) -> Result<(), String> {
        let Some(options) = &self.options else { return Ok(()) };
        if self.spec.open.is_some() {
            return Ok(());
        }
        for pair in options.pairs::<Value, Value>() {
            let (key, _) = pair.map_err(|error| error.to_string())?;
            let key = match &key {
                Value::String(key) => key.to_string_lossy(),
                other => {
                    return Err(format!("options have names, but one key is {}", describe(other)));
                }
            };
            if !self.spec.options.iter().any(|option| option.name == key) {
                return Err(unknown_option(self.spec, &key));
            }
        }
        Ok(())
    }

    /// What exists outside of the scripts.
    pub(crate) fn names(&self) -> &'a Names {
        self.names
    }

    /// The option table, for verbs with keys of their own.
    pub(crate) fn table(&self) -> Option<&Table> {
        self.options.as_ref()
    }

    /// An argument or option by name, as it is.
    pub(crate) fn value(&self, name: &str) -> Result<(Value, &'static OptionSpec), String> {
        let argument = self.spec.arguments.iter().zip(&self.arguments);
        if let Some((spec, value)) = argument.into_iter().find(|(spec, _)| spec.name == name) {
            return Ok((value.clone(), spec));
        }
        let spec = self.spec.options.iter().find(|option| option.name == name);
        debug_assert!(spec.is_some(), "{} has no {name}", self.spec.name);
        let spec = spec.ok_or("has no such option")?;
        let value = match &self.options {
            Some(options) => options.raw_get(name).map_err(|error| error.to_string())?,
            None => Value::Nil,
        };
        Ok((value, spec))
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, String> {
        let (value, spec) = self.value(name)?;
        match (value, spec.kind) {
            (Value::Nil, Kind::Flag { default }) => Ok(default),
            (Value::Boolean(flag), _) => Ok(flag),
            (other, kind) => Err(mismatch(name, &kind, &other)),
        }
    }

    pub(crate) fn seconds(&self, name: &str) -> Result<Option<Duration>, String> {
        let (value, spec) = self.value(name)?;
        if let (Value::Nil, Kind::Seconds { default, .. }) = (&value, spec.kind) {
            return Ok(default.map(Duration::from_secs_f64));
        }
        seconds(name, &value, &spec.kind).map(Some)
    }

    pub(crate) fn whole(&self, name: &str) -> Result<Option<i64>, String> {
        let (value, spec) = self.value(name)?;
        let Kind::Whole { min, max, default } = spec.kind else {
            return Err(mismatch(name, &spec.kind, &value));
        };
        let number = match value {
            Value::Nil => return Ok(default),
            Value::Integer(number) => number,
            Value::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => number as i64,
            other => return Err(mismatch(name, &spec.kind, &other)),
        };
        if (min..=max).contains(&number) {
            Ok(Some(number))
        } else {
            Err(format!("{name} must be {min} to {max}, not {number}"))
        }
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<f64>, String> {
        let (value, spec) = self.value(name)?;
        let Kind::Number { min, max, default } = spec.kind else {
            return Err(mismatch(name, &spec.kind, &value));
        };
        let number = match value {
            Value::Nil => return Ok(default),
            Value::Integer(number) => number as f64,
            Value::Number(number) => number,
            other => return Err(mismatch(name, &spec.kind, &other)),
        };
        if (min..=max).contains(&number) {
            Ok(Some(number))
        } else {
            Err(format!("{name} must be {min} to {max}, not {number}"))
        }
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, String> {
        let (value, spec) = self.value(name)?;
        match value {
            Value::Nil => Ok(None),
            Value::Integer(number) if matches!(spec.kind, Kind::Name | Kind::Mailbox) => {
                Ok(Some(number.to_string()))
            }
            Value::String(text) => checked_text(name, &text).map(Some),
            other => Err(mismatch(name, &spec.kind, &other)),
        }
    }

    pub(crate) fn word(&self, name: &str) -> Result<Option<&'static str>, String> {
        let (value, spec) = self.value(name)?;
        let (Kind::Word(words), Some(word)) = (spec.kind, self.text(name)?) else {
            return if value.is_nil() { Ok(None) } else { Err(mismatch(name, &spec.kind, &value)) };
        };
        words.iter().copied().find(|known| *known == word).map(Some).ok_or_else(|| {
            let hint = nearest(&word, words.iter().copied());
            let hint = hint.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
            format!("{name} must be {}{hint}", expected(&spec.kind))
        })
    }

    pub(crate) fn key(&self, name: &str) -> Result<Option<char>, String> {
        let (value, spec) = self.value(name)?;
        match (&value, spec.kind) {
            (Value::Nil, Kind::Key { default }) => Ok(default),
            (Value::Boolean(false), _) => Ok(None),
            (Value::Integer(digit @ 0..=9), _) => {
                Ok(u32::try_from(*digit).ok().and_then(|digit| char::from_digit(digit, 10)))
            }
            (Value::String(text), kind) => {
                let text = text.to_string_lossy();
                let mut keys = text.chars();
                match (keys.next(), keys.next()) {
                    (Some(key), None) if key.is_ascii_digit() || "*#ABCD".contains(key) => {
                        Ok(Some(key))
                    }
                    _ => Err(mismatch(name, &kind, &value)),
                }
            }
            (other, kind) => Err(mismatch(name, &kind, other)),
        }
    }

    pub(crate) fn sound(&self, name: &str) -> Result<Option<Sound>, String> {
        match self.text(name)? {
            Some(text) => match parse_sound(&text, self.names)? {
                Sound::Recording(_) => Err(format!("{name} cannot be a recording")),
                sound => Ok(Some(sound)),
            },
            None => Ok(None),
        }
    }

    pub(crate) fn sounds(&self, name: &str) -> Result<Vec<Sound>, String> {
        let (value, spec) = self.value(name)?;
        let Value::Table(table) = &value else {
            let texts = texts(name, &value, &spec.kind)?;
            return texts.iter().map(|text| parse_sound(text, self.names)).collect();
        };
        if let Some(speech) = speech_table(table, self.names)? {
            return Ok(vec![Sound::Speech(speech)]);
        }
        let sound = |item: &Value| match item {
            Value::Table(table) => match speech_table(table, self.names)? {
                Some(speech) => Ok(Sound::Speech(speech)),
                None => Err(format!("{name} has {} in its list", describe(item))),
            },
            item => parse_sound(&list_text(name, item)?, self.names),
        };
        list_values(name, table)?.iter().map(sound).collect()
    }

    pub(crate) fn patterns(&self, name: &str) -> Result<Vec<String>, String> {
        let (value, spec) = self.value(name)?;
        let patterns = texts(name, &value, &spec.kind)?;
        for pattern in &patterns {
            Pattern::parse(pattern)
                .map_err(|problem| format!("{name} \"{pattern}\": {problem}"))?;
        }
        Ok(patterns)
    }
}

/// The next value, or nil when there is none.
trait NextOrNil {
    fn next_or_nil(&mut self) -> Value;
}

impl<I: Iterator<Item = Value>> NextOrNil for I {
    fn next_or_nil(&mut self) -> Value {
        self.next().unwrap_or(Value::Nil)
    }
}

/// Nothing, one string, or a list of strings.
fn texts(name: &str, value: &Value, kind: &Kind) -> Result<Vec<String>, String> {
    match value {
        Value::Nil => Ok(Vec::new()),
        Value::String(text) => Ok(vec![checked_text(name, text)?]),
        Value::Integer(number) => Ok(vec![number.to_string()]),
        Value::Table(list) => {
            list_values(name, list)?.iter().map(|item| list_text(name, item)).collect()
        }
        other => Err(mismatch(name, kind, other)),
    }
}

/// An entry of a list of strings.
fn list_text(name: &str, item: &Value) -> Result<String, String> {
    match item {
        Value::String(text) => checked_text(name, text),
        Value::Integer(number) => Ok(number.to_string()),
        other => Err(format!("{name} has {} in its list", describe(other))),
    }
}

/// The entries of a list, which must have at least one and no named keys.
pub(crate) fn list_values(name: &str, list: &Table) -> Result<Vec<Value>, String> {
    let length = list.raw_len();
    if length == 0 {
        return Err(format!("{name} is an empty list"));
    }
    if length > LIST_MAX {
        return Err(format!("{name} has {length} entries; {LIST_MAX} are allowed"));
    }
    (1..=length).map(|i| list.raw_get(i).map_err(|error| error.to_string())).collect()
}

/// A string that may go on the wire or into a record.
pub(crate) fn checked_text(name: &str, text: &mlua::LuaString) -> Result<String, String> {
    let bytes = text.as_bytes();
    if let Some(problem) = text_problem(name, &bytes) {
        return Err(problem);
    }
    String::from_utf8(bytes.to_vec()).map_err(|_| format!("{name} is not UTF-8 text"))
}

/// Why a text may not go on the wire or into a record.
pub(crate) fn text_problem(name: &str, bytes: &[u8]) -> Option<String> {
    if bytes.len() > TEXT_MAX {
        return Some(format!("{name} is longer than {TEXT_MAX} bytes"));
    }
    let control = bytes.iter().any(|byte| *byte < 0x20 || *byte == 0x7F);
    control.then(|| format!("{name} has a line end or another control character in it"))
}

/// Seconds within the range of `kind`.
pub(crate) fn seconds(name: &str, value: &Value, kind: &Kind) -> Result<Duration, String> {
    let Kind::Seconds { min, max, .. } = *kind else { return Err(mismatch(name, kind, value)) };
    let seconds = match value {
        Value::Integer(seconds) => *seconds as f64,
        Value::Number(seconds) => *seconds,
        other => return Err(mismatch(name, kind, other)),
    };
    if (min..=max).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(format!("{name} must be {min} to {max} seconds, not {seconds}"))
    }
}

pub(crate) fn mismatch(name: &str, kind: &Kind, value: &Value) -> String {
    format!("{name}: expected {}, got {}", expected(kind), describe(value))
}

/// What is wrong with an option that does not exist.
pub(crate) fn unknown_option(spec: &VerbSpec, key: &str) -> String {
    let names = || spec.options.iter().map(|option| option.name);
    match nearest(key, names()) {
        Some(near) => format!("no option \"{key}\"; did you mean \"{near}\"?"),
        None => {
            let names = names().collect::<Vec<_>>().join(", ");
            format!("no option \"{key}\"; there are {names}")
        }
    }
}

/// What may be given, in words.
pub(crate) fn expected(kind: &Kind) -> String {
    match kind {
        Kind::Flag { .. } => "true or false".into(),
        Kind::Text => "a string".into(),
        Kind::Name | Kind::Mailbox | Kind::Dialled => "a string or a whole number".into(),
        Kind::Choice => "a function, or the number of a route".into(),
        Kind::Language => "a language".into(),
        Kind::Seconds { .. } => "seconds (a number)".into(),
        Kind::Whole { .. } => "a whole number".into(),
        Kind::Number { .. } => "a number".into(),
        Kind::Sound => "a prompt name, \"tone:...\" or \"silence:...\"".into(),
        Kind::Sounds => {
            "a prompt name, \"tone:...\", \"silence:...\", {speak=...} or a list of these".into()
        }
        Kind::Speech => "a text to speak".into(),
        Kind::Word(words) => {
            let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
            format!("one of {}", words.join(", "))
        }
        Kind::Key { .. } => "one key (0-9, *, #, A-D) or false".into(),
        Kind::Patterns => "a pattern or a list of patterns".into(),
        Kind::Targets => "\"ext/...\", \"sip:...\", {to=...}, or a list of these".into(),
        Kind::Redirects => "a sip:, sips: or tel: URI, {uri=, q=}, or a list of these".into(),
        Kind::Headers => "a table from header name to value".into(),
        Kind::Identity => "a table {user=, name=}".into(),
        Kind::Function => "a function".into(),
        Kind::SecondsOrFunction => "seconds (a number) or a function".into(),
        Kind::SoundsOrFunction => "a prompt name, a list of them, or a function".into(),
        Kind::Spoken => "a number or a string".into(),
        Kind::Anything => "anything".into(),
        Kind::Table => "a table".into(),
        Kind::Pattern => "a pattern or a name".into(),
        Kind::Hours => "days and times, as in \"mon-fri 08:30-17:30\"".into(),
        Kind::Module => "a file of the scripts folder, without .lua".into(),
    }
}

/// A value's type, in words. Never its content: it may be a PIN.
pub(crate) fn describe(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nil",
        Value::Boolean(_) => "a boolean",
        Value::Integer(_) | Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Table(_) => "a table",
        Value::Function(_) => "a function",
        Value::LightUserData(_) => "json.null",
        Value::Thread(_) | Value::UserData(_) | Value::Error(_) | Value::Other(_) => {
            "something else"
        }
    }
}
