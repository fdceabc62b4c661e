//! How lengths, lists and moments are said.

use std::time::Duration;

use jiff::Zoned;

/// A length of time: `0.5 s`, `25 s`, `1 min 30 s`, `2 h`.
pub(crate) fn length(time: Duration) -> String {
    let millis = time.as_millis();
    if millis < 60_000 {
        let tenths = (millis + 50) / 100;
        return if tenths.is_multiple_of(10) {
            format!("{} s", tenths / 10)
        } else {
            format!("{}.{} s", tenths / 10, tenths % 10)
        };
    }
    let seconds = (millis + 500) / 1_000;
    let parts = [(seconds / 3_600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let said: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    said.join(" ")
}

/// `a`, `a and b`, `a, b and c`, with `last` before the last.
pub(crate) fn list<S: AsRef<str>>(items: &[S], last: &str) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match items.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// `once`, `twice`, `3 times`.
pub(crate) fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        count => format!("{count} times"),
    }
}

/// `Sunday 22 November 2026 at 03:00`.
pub(crate) fn moment(at: &Zoned) -> String {
    at.strftime("%A %-d %B %Y at %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_said_as_people_say_them() {
        for (millis, expected) in [
            (0, "0 s"),
            (500, "0.5 s"),
            (1_960, "2 s"),
            (25_000, "25 s"),
            (90_000, "1 min 30 s"),
            (7_200_000, "2 h"),
            (3_661_400, "1 h 1 min 1 s"),
        ] {
            assert_eq!(length(Duration::from_millis(millis)), expected);
        }
    }

    #[test]
    fn lists_end_with_a_word() {
        assert_eq!(list(&["busy"], "or"), "busy");
        assert_eq!(list(&["busy", "refused"], "or"), "busy or refused");
        assert_eq!(list(&["ext/1", "ext/2", "ext/3"], "and"), "ext/1, ext/2 and ext/3");
    }
}
