//! Values as tests are shown them.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; those without a short form are named alike"
)]

use mlua::Value;

/// A value as one would write it in Lua, cut where it grows long.
pub(crate) fn show(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text, 0);
    if text.chars().count() > SHOWN_MAX {
        text = text.chars().take(SHOWN_MAX).collect();
        text.push('…');
    }
    text
}

/// What a value is, in words, for a message about one that does not fit.
pub(crate) fn describe(value: &Value) -> String {
    match value {
        Value::Nil => "nothing".into(),
        Value::Table(_) => "a table".into(),
        Value::Function(_) => "a function".into(),
        Value::UserData(_) => "an object".into(),
        other => show(other),
    }
}

fn write(value: &Value, text: &mut String, depth: usize) {
    if text.len() > SHOWN_MAX * 4 {
        return;
    }
    match value {
        Value::Nil => text.push_str("nil"),
        Value::Boolean(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Value::Integer(number) => text.push_str(&number.to_string()),
        Value::Number(number) => text.push_str(&number.to_string()),
        Value::String(string) => quote(&string.to_string_lossy(), text),
        Value::Table(table) if depth < DEPTH_MAX => {
            let length = table.raw_len();
            let mut parts = Vec::new();
            for entry in table.sequence_values::<Value>().take(ENTRIES_MAX).flatten() {
                let mut part = String::new();
                write(&entry, &mut part, depth + 1);
                parts.push(part);
            }
            let mut named: Vec<(String, String)> = table
                .pairs::<Value, Value>()
                .flatten()
                .filter(|(key, _)| !is_entry(key, length))
                .take(ENTRIES_MAX)
                .map(|(key, value)| {
                    let mut part = String::new();
                    write(&value, &mut part, depth + 1);
                    (name(&key, depth), part)
                })
                .collect();
            named.sort();
            parts.extend(named.into_iter().map(|(key, value)| format!("{key} = {value}")));
            match parts.is_empty() {
                true => text.push_str("{}"),
                false => {
                    text.push_str("{ ");
                    text.push_str(&parts.join(", "));
                    text.push_str(" }");
                }
            }
        }
        Value::Table(_) => text.push_str("{…}"),
        other => text.push_str(&format!("<{}>", other.type_name())),
    }
}

fn is_entry(key: &Value, length: usize) -> bool {
    let Value::Integer(index) = key else { return false };
    usize::try_from(*index).is_ok_and(|index| (1..=length).contains(&index))
}

fn name(key: &Value, depth: usize) -> String {
    if let Value::String(key) = key {
        let key = key.to_string_lossy();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if key.chars().all(plain) && !key.starts_with(|c: char| c.is_ascii_digit()) {
            return key;
        }
    }
    let mut text = String::from("[");
    write(key, &mut text, depth + 1);
    text.push(']');
    text
}

fn quote(string: &str, text: &mut String) {
    text.push('"');
    for c in string.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            c if c.is_control() => text.push_str(&format!("\\{}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('"');
}

/// Characters of a value that are shown.
const SHOWN_MAX: usize = 400;
/// Tables in tables that are shown.
const DEPTH_MAX: usize = 4;
/// Entries of a table that are shown.
const ENTRIES_MAX: usize = 40;

#[cfg(test)]
mod tests {
    use mlua::Lua;

    use super::*;

    #[test]
    fn values_look_as_one_would_write_them() {
        let lua = Lua::new();
        for (code, expected) in [
            ("nil", "nil"),
            ("1.5", "1.5"),
            ("'a\"b\\n'", r#""a\"b\n""#),
            ("{}", "{}"),
            ("{ 1, 'x', b = true, a = { 2 } }", r#"{ 1, "x", a = { 2 }, b = true }"#),
            ("{ ['*'] = 1, [7] = 2 }", r#"{ ["*"] = 1, [7] = 2 }"#),
            ("print", "<function>"),
            ("{ { { { { 1 } } } } }", "{ { { { {…} } } } }"),
        ] {
            let value: Value = lua.load(code).eval().unwrap();
            assert_eq!(show(&value), expected);
        }
        let long: Value = lua.load("('x'):rep(10000)").eval().unwrap();
        assert_eq!(show(&long).chars().count(), SHOWN_MAX + 1);
    }
}
