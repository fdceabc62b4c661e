//! What a script passed to a function, as a message may show it: short, on one line, and without what
//! nobody but the script may know.
//!
//! Names of prompts, mailboxes and targets, words and numbers of options are shown; free texts, headers,
//! digits to match or to speak are not, since they may hold a PIN or a password. What callers typed is
//! left out wherever it turns up.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not expected is shown by its kind"
)]

use mlua::{Table, Value};

use crate::error::one_line;
use crate::options::describe;
use crate::verbs::{Kind, OptionSpec, VerbSpec};

/// Values as they stand between the brackets of a call.
pub(crate) fn arguments(spec: &VerbSpec, values: &[Value]) -> String {
    let mut kinds = spec.arguments.iter().map(|argument| argument.kind);
    let mut shown: Vec<String> = Vec::new();
    let given = values.iter().rposition(|value| !value.is_nil()).map_or(0, |last| last + 1);
    let mut options_shown = spec.options.is_empty();
    for value in values.iter().take(given) {
        let is_options = |kind: Option<Kind>| match value {
            Value::Table(table) => !options_shown && (kind.is_none() || has_option(spec, table)),
            _ => false,
        };
        let kind = kinds.next();
        if let Value::Table(table) = value
            && is_options(kind)
        {
            options_shown = true;
            shown.push(braces(table, |key| option(spec, key).map(|option| option.kind), DEPTH_MAX));
        } else {
            shown.push(one(value, kind, DEPTH_MAX));
        }
    }
    one_line(&shown.join(", "), SHOWN_MAX)
}

/// `text` without what a caller typed: any run of keys that is part of what was typed, or has it in it.
pub(crate) fn without_typed(text: &str, typed: &[String]) -> String {
    if typed.is_empty() {
        return text.to_owned();
    }
    let is_key = |c: char| c.is_ascii_digit() || c == '*' || c == '#';
    let all = typed.concat();
    let secret = |run: &str| {
        run.len() >= TYPED_MIN
            && (all.contains(run)
                || typed
                    .iter()
                    .any(|typed| typed.len() >= TYPED_MIN && run.contains(typed.as_str())))
    };
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_key) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !is_key(c)).unwrap_or(from.len());
        let (run, after) = from.split_at(end);
        clean.push_str(before);
        clean.push_str(if secret(run) { TYPED } else { run });
        rest = after;
    }
    clean.push_str(rest);
    clean
}

fn option<'s>(spec: &'s VerbSpec, key: &str) -> Option<&'s OptionSpec> {
    spec.options.iter().find(|option| option.name == key).or(spec.open.as_ref())
}

/// Whether a table looks like options rather than like a list or a target.
fn has_option(spec: &VerbSpec, table: &Table) -> bool {
    table.raw_len() == 0
        && spec
            .options
            .iter()
            .any(|option| table.raw_get::<Value>(option.name).is_ok_and(|value| !value.is_nil()))
}

fn one(value: &Value, kind: Option<Kind>, depth: usize) -> String {
    match value {
        Value::Nil => "nil".into(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Integer(number) if kind.is_some_and(is_number_plain) => number.to_string(),
        Value::Number(number) if kind.is_some_and(is_number_plain) => number.to_string(),
        Value::String(text) if kind.is_some_and(is_text_plain) => {
            format!("{:?}", without_password(&one_line(&text.to_string_lossy(), TEXT_SHOWN_MAX)))
        }
        Value::Table(table) if depth > 0 && kind.is_some_and(is_text_plain) => {
            let kind_of = |key: &str| if key == "speak" { Some(Kind::Speech) } else { kind };
            braces(table, kind_of, depth - 1)
        }
        Value::Function(_) => "function".into(),
        other => format!("<{}>", describe(other)),
    }
}

/// A table's entries, the list first, then what has names, in the order of those.
fn braces(table: &Table, kind_of: impl Fn(&str) -> Option<Kind>, depth: usize) -> String {
    let (mut list, mut named, mut more) = (Vec::new(), Vec::new(), false);
    for pair in table.pairs::<Value, Value>().take(PAIRS_MAX) {
        let Ok((key, value)) = pair else { break };
        match key {
            Value::Integer(place) => {
                let kind = kind_of(&place.to_string());
                list.push((place, one(&value, kind, depth)));
            }
            Value::String(key) => {
                let key = one_line(&key.to_string_lossy(), KEY_SHOWN_MAX);
                let value = one(&value, kind_of(&key), depth);
                named.push(format!("{key} = {value}"));
            }
            _ => more = true,
        }
    }
    more |= list.len() + named.len() == PAIRS_MAX || list.len() > ENTRIES_MAX;
    list.sort();
    named.sort();
    let list = list.into_iter().take(ENTRIES_MAX).map(|(_, value)| value);
    let mut entries: Vec<String> = list.chain(named.into_iter().take(ENTRIES_MAX)).collect();
    if more {
        entries.push("…".into());
    }
    if entries.is_empty() { "{}".into() } else { format!("{{ {} }}", entries.join(", ")) }
}

/// Texts of this kind are names that stand in the dialplan or the configuration.
fn is_text_plain(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Name
            | Kind::Mailbox
            | Kind::Dialled
            | Kind::Language
            | Kind::Sound
            | Kind::Sounds
            | Kind::SoundsOrFunction
            | Kind::Word(_)
            | Kind::Targets
            | Kind::Redirects
            | Kind::Pattern
    )
}

/// Numbers of this kind are times, counts and names.
fn is_number_plain(kind: Kind) -> bool {
    match kind {
        Kind::Seconds { .. }
        | Kind::SecondsOrFunction
        | Kind::Whole { .. }
        | Kind::Number { .. }
        | Kind::Key { .. } => true,
        other => is_text_plain(other),
    }
}

/// `sip:user:password@host` without the password.
fn without_password(text: &str) -> String {
    let hidden = || {
        let (user, host) = text.split_once('@')?;
        let (scheme, user) = user.split_once(':')?;
        let (user, _) = user.split_once(':')?;
        Some(format!("{scheme}:{user}:…@{host}"))
    };
    hidden().unwrap_or_else(|| text.to_owned())
}

/// Characters of all arguments together that are shown.
const SHOWN_MAX: usize = 200;
/// Characters of one text.
const TEXT_SHOWN_MAX: usize = 60;
/// Characters of a key.
const KEY_SHOWN_MAX: usize = 30;
/// Entries of a list, and again with names.
const ENTRIES_MAX: usize = 6;
/// Entries of a table that are looked at.
const PAIRS_MAX: usize = 64;
/// Tables in tables.
const DEPTH_MAX: usize = 3;
/// Fewer keys are no secret: choices of menus.
const TYPED_MIN: usize = 3;
/// Stands for what a caller typed.
const TYPED: &str = "(typed)";

#[cfg(test)]
mod tests {
    use mlua::Lua;

    use super::*;
    use crate::verbs::verb_spec;

    #[track_caller]
    fn check(verb: &str, lua: &str, expected: &str) {
        let state = Lua::new();
        let values: Vec<Value> =
            state.load(format!("return {lua}")).eval::<mlua::MultiValue>().unwrap().into_vec();
        assert_eq!(arguments(verb_spec(verb).unwrap(), &values), expected, "{verb}({lua})");
    }

    #[test]
    fn names_and_numbers_are_shown_as_they_were_written() {
        check("play", "'vm/hello'", "\"vm/hello\"");
        check("play", "nil, nil", "");
        check("play", "nil, { loop = true }", "nil, { loop = true }");
        check("play", "{ 'a', 'b' }, { gain = 2.5 }", "{ \"a\", \"b\" }, { gain = 2.5 }");
        check("dial", "'ext/101', { timeout = 20 }", "\"ext/101\", { timeout = 20 }");
        check(
            "dial",
            "{ { to = 'ext/1', delay = 2 }, 'ext/2' }",
            "{ { delay = 2, to = \"ext/1\" }, \"ext/2\" }",
        );
        check("hangup", "'bussy'", "\"bussy\"");
        check("sleep", "1.5", "1.5");
        check(
            "menu",
            "{ prompt = 'x', ['1'] = function() end }",
            "{ 1 = function, prompt = \"x\" }",
        );
    }

    #[test]
    fn what_may_be_secret_is_shown_by_its_kind() {
        check("say", "'4711', { as = 'digits' }", "<a string>, { as = \"digits\" }");
        check("say", "4711", "<a number>");
        check("read", "{ match = '4711', max = 4 }", "{ match = <a string>, max = 4 }");
        check("reject", "486, 'private'", "486, <a string>");
        check("reject", "486, { headers = { X = 'y' } }", "486, { headers = <a table> }");
        check("dial", "'sip:ann:secret@example.org'", "\"sip:ann:…@example.org\"");
        check("play", "print, {}", "function, {}");
    }

    #[test]
    fn nothing_gets_long_or_begins_a_line_of_its_own() {
        let state = Lua::new();
        let values: Vec<Value> = state
            .load("local t = {} for i = 1, 1e4 do t[i] = ('x\\n'):rep(1e4) end return t, t")
            .eval::<mlua::MultiValue>()
            .unwrap()
            .into_vec();
        let shown = arguments(verb_spec("play").unwrap(), &values);
        assert!(shown.chars().count() <= SHOWN_MAX + 1, "{shown}");
        assert!(!shown.contains('\n'), "{shown}");
    }

    #[test]
    fn what_was_typed_is_left_out_wherever_it_turns_up() {
        let typed = ["4711".to_owned(), "0".to_owned(), "83".to_owned(), "52".to_owned()];
        for (text, expected) in [
            ("bad PIN 4711", "bad PIN (typed)"),
            ("no \"ext/4711\"", "no \"ext/(typed)\""),
            ("a 004711 b 711", "a (typed) b (typed)"),
            ("8352", "(typed)"),
            ("choice 0 of 83", "choice 0 of 83"),
            ("line 12 of 1000", "line 12 of 1000"),
            ("größer als 4711 €", "größer als (typed) €"),
        ] {
            assert_eq!(without_typed(text, &typed), expected);
        }
        assert_eq!(without_typed("4711", &[]), "4711");
    }
}
