//! What a test gave to a function, checked against the function's row in the table.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not expected is refused alike"
)]

use std::time::Duration;

use dialplan::{Kind, OptionSpec, OptionsAt, VerbSpec, nearest};
use mlua::{Function, Table, Value};

use crate::show::describe;

/// Arguments and options of one function call.
#[derive(Debug)]
pub(crate) struct Given {
    spec: &'static VerbSpec,
    arguments: Vec<Value>,
    options: Option<Table>,
}

/// What is wrong with them, in words, without the function's name.
pub(crate) type Wrong = String;

impl Given {
    /// Sorts values into arguments and options, and refuses what the function does not know.
    pub(crate) fn new(
        spec: &'static VerbSpec,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Self, Wrong> {
        let mut values: Vec<Value> = values.into_iter().collect();
        let options = take_options(spec, &mut values)?;
        let mut values = values.into_iter();
        let mut arguments = Vec::with_capacity(spec.arguments.len());
        for argument in spec.arguments {
            let value = values.next().unwrap_or(Value::Nil);
            if argument.required && value.is_nil() {
                let expected = expected(argument);
                return Err(format!("{} is missing; expected {expected}", argument.name));
            }
            arguments.push(value);
        }
        if values.any(|value| !value.is_nil()) {
            return Err("too many arguments".into());
        }
        let given = Self { spec, arguments, options };
        // What is there by a wrong name tells more than that the right one is missing.
        given.check_keys()?;
        given.check_needed()?;
        Ok(given)
    }

    fn check_needed(&self) -> Result<(), Wrong> {
        for option in self.spec.options.iter().filter(|option| option.required) {
            if self.value(option.name).is_nil() {
                return Err(format!("{} is missing; expected {}", option.name, expected(option)));
            }
        }
        Ok(())
    }

    fn check_keys(&self) -> Result<(), Wrong> {
        let Some(options) = &self.options else { return Ok(()) };
        for pair in options.pairs::<Value, Value>() {
            let (key, _) = pair.map_err(|error| error.to_string())?;
            let Value::String(key) = &key else {
                return Err(format!("options have names, but one key is {}", describe(&key)));
            };
            let key = key.to_string_lossy();
            let mut known = self.spec.options.iter().map(|option| option.name);
            if !known.clone().any(|name| name == key) {
                let near = nearest(&key, known.by_ref());
                let hint = match near {
                    Some(near) => format!("; did you mean \"{near}\"?"),
                    None if self.spec.options.is_empty() => "; it takes none".to_owned(),
                    None => {
                        let all: Vec<&str> =
                            self.spec.options.iter().map(|option| option.name).collect();
                        format!("; there are {}", all.join(", "))
                    }
                };
                return Err(format!("no option \"{key}\"{hint}"));
            }
        }
        Ok(())
    }

    /// An argument or option by name, as it is.
    pub(crate) fn value(&self, name: &str) -> Value {
        let arguments = self.spec.arguments.iter().zip(&self.arguments);
        if let Some((_, value)) = arguments.into_iter().find(|(spec, _)| spec.name == name) {
            return value.clone();
        }
        debug_assert!(self.spec.options.iter().any(|option| option.name == name), "{name}");
        match &self.options {
            // The table is plain, so that reading it runs nothing.
            Some(options) => options.raw_get(name).unwrap_or(Value::Nil),
            None => Value::Nil,
        }
    }

    fn of(&self, name: &str) -> Option<&'static OptionSpec> {
        let all = self.spec.arguments.iter().chain(self.spec.options);
        all.into_iter().find(|option| option.name == name)
    }

    fn mismatch(&self, name: &str, value: &Value) -> Wrong {
        let expected = self.of(name).map(expected).unwrap_or_default();
        format!("{name} must be {expected}, got {}", describe(value))
    }

    /// A string, or a number as one.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Wrong> {
        match self.value(name) {
            Value::Nil => Ok(None),
            Value::String(text) => Ok(Some(text.to_string_lossy())),
            Value::Integer(number) => Ok(Some(number.to_string())),
            other => Err(self.mismatch(name, &other)),
        }
    }

    /// A string that must be there.
    pub(crate) fn needed(&self, name: &str) -> Result<String, Wrong> {
        self.text(name).map(Option::unwrap_or_default)
    }

    /// `true` or `false`; `None` if it is not given.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Wrong> {
        match self.value(name) {
            Value::Nil => Ok(None),
            Value::Boolean(flag) => Ok(Some(flag)),
            other => Err(self.mismatch(name, &other)),
        }
    }

    /// One of the words that the row lists.
    pub(crate) fn word(&self, name: &str) -> Result<Option<&'static str>, Wrong> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let words = match self.of(name).map(|option| option.kind) {
            Some(Kind::Word(words)) => words,
            _ => &[],
        };
        match words.iter().find(|word| **word == text) {
            Some(word) => Ok(Some(word)),
            None => {
                let near = nearest(&text, words.iter().copied());
                let hint = near.map(|near| format!("; did you mean \"{near}\"?"));
                let hint = hint.unwrap_or_else(|| format!("; use {}", words.join(", ")));
                Err(format!("{name} cannot be \"{text}\"{hint}"))
            }
        }
    }

    /// Seconds; the row's default if they are not given.
    pub(crate) fn seconds(&self, name: &str) -> Result<Option<Duration>, Wrong> {
        let kind = self.of(name).map(|option| option.kind);
        let Some(Kind::Seconds { min, max, default }) = kind else { return Ok(None) };
        let value = self.value(name);
        let seconds = match &value {
            Value::Nil => return Ok(default.map(Duration::from_secs_f64)),
            Value::Integer(seconds) => *seconds as f64,
            Value::Number(seconds) => *seconds,
            other => return Err(self.mismatch(name, other)),
        };
        if !(min..=max).contains(&seconds) {
            return Err(self.mismatch(name, &value));
        }
        Ok(Some(Duration::from_secs_f64(seconds)))
    }

    /// A whole number; the row's default if it is not given.
    pub(crate) fn whole(&self, name: &str) -> Result<Option<i64>, Wrong> {
        let kind = self.of(name).map(|option| option.kind);
        let Some(Kind::Whole { min, max, default }) = kind else { return Ok(None) };
        let value = self.value(name);
        let number = match &value {
            Value::Nil => return Ok(default),
            Value::Integer(number) => *number,
            Value::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => *number as i64,
            other => return Err(self.mismatch(name, other)),
        };
        if !(min..=max).contains(&number) {
            return Err(self.mismatch(name, &value));
        }
        Ok(Some(number))
    }

    /// A whole number that is a SIP status.
    pub(crate) fn status(&self, name: &str) -> Result<Option<u16>, Wrong> {
        Ok(self.whole(name)?.and_then(|status| u16::try_from(status).ok()))
    }

    /// A number; the row's default if it is not given.
    pub(crate) fn number(&self, name: &str) -> Result<Option<f64>, Wrong> {
        let kind = self.of(name).map(|option| option.kind);
        let Some(Kind::Number { min, max, default }) = kind else { return Ok(None) };
        let value = self.value(name);
        let number = match &value {
            Value::Nil => return Ok(default),
            Value::Integer(number) => *number as f64,
            Value::Number(number) => *number,
            other => return Err(self.mismatch(name, other)),
        };
        if !(min..=max).contains(&number) {
            return Err(self.mismatch(name, &value));
        }
        Ok(Some(number))
    }

    /// A function that must be there.
    pub(crate) fn function(&self, name: &str) -> Result<Function, Wrong> {
        match self.value(name) {
            Value::Function(function) => Ok(function),
            other => Err(self.mismatch(name, &other)),
        }
    }

    /// Names and values of headers, sorted by name.
    pub(crate) fn headers(&self, name: &str) -> Result<Vec<(String, String)>, Wrong> {
        let table = match self.value(name) {
            Value::Nil => return Ok(Vec::new()),
            Value::Table(table) => table,
            other => return Err(self.mismatch(name, &other)),
        };
        let mut headers = Vec::new();
        for pair in table.pairs::<Value, Value>() {
            let (key, value) = pair.map_err(|error| error.to_string())?;
            let (Value::String(key), Some(value)) = (&key, as_text(&value)) else {
                let wrong = format!("{} = {}", describe(&key), describe(&value));
                return Err(format!("{name} must be names with texts, got {wrong}"));
            };
            let key = key.to_string_lossy();
            let is_name = |c: char| c.is_ascii_graphic() && !":()<>@,;\\\"/[]?={}".contains(c);
            if key.is_empty() || !key.chars().all(is_name) {
                return Err(format!("{name}: \"{key}\" cannot be the name of a header"));
            }
            if value.chars().any(char::is_control) {
                return Err(format!("{name}: {key} has a line end or control character in it"));
            }
            headers.push((key, value));
        }
        headers.sort();
        Ok(headers)
    }

    /// One text, or a list of texts.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, Wrong> {
        match self.value(name) {
            Value::Nil => Ok(Vec::new()),
            Value::Table(list) => {
                let mut texts = Vec::new();
                for entry in list.sequence_values::<Value>() {
                    let entry = entry.map_err(|error| error.to_string())?;
                    texts.push(as_text(&entry).ok_or_else(|| self.mismatch(name, &entry))?);
                }
                Ok(texts)
            }
            other => Ok(vec![as_text(&other).ok_or_else(|| self.mismatch(name, &other))?]),
        }
    }
}

/// The option table, taken out of the values.
fn take_options(spec: &VerbSpec, values: &mut Vec<Value>) -> Result<Option<Table>, Wrong> {
    if spec.options.is_empty() {
        return Ok(None);
    }
    let last = spec.arguments.len();
    let place = match spec.options_at {
        // All arguments that may be left out can be, in front of the options.
        OptionsAt::Last => {
            let needed = spec.arguments.iter().take_while(|argument| argument.required).count();
            let skipped = (needed..last).find(|place| {
                let may_be_table = spec
                    .arguments
                    .get(*place)
                    .is_some_and(|argument| matches!(argument.kind, Kind::Table | Kind::Anything));
                !may_be_table && matches!(values.get(*place), Some(Value::Table(_)))
            });
            if let Some(place) = skipped {
                values.splice(place..place, std::iter::repeat_n(Value::Nil, last - place));
            }
            last
        }
        OptionsAt::BeforeLast => {
            let place = last.saturating_sub(1);
            if !matches!(values.get(place), Some(Value::Table(_))) {
                return Ok(None);
            }
            place
        }
    };
    if place >= values.len() {
        return Ok(None);
    }
    match values.remove(place) {
        Value::Nil => Ok(None),
        Value::Table(options) => Ok(Some(options)),
        other => Err(format!("expected a table of options, got {}", describe(&other))),
    }
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.to_string_lossy()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What may be given, in words.
fn expected(option: &OptionSpec) -> String {
    match option.kind {
        Kind::Flag { .. } => "true or false".into(),
        Kind::Text => "a text".into(),
        Kind::Name => "a number or name".into(),
        Kind::Seconds { min, max, .. } => format!("{min} to {max} seconds"),
        Kind::Whole { min, max, .. } => format!("a whole number from {min} to {max}"),
        Kind::Number { min, max, .. } => format!("a number from {min} to {max}"),
        Kind::Word(words) => format!("one of {}", words.join(", ")),
        Kind::Function => "a function".into(),
        Kind::Headers => "a table from header name to text".into(),
        Kind::Redirects => "a SIP URI or a list of them".into(),
        Kind::Table => "a table".into(),
        _ if !option.ty.is_empty() => option.ty.replace('|', " or "),
        _ => "a value".into(),
    }
}
