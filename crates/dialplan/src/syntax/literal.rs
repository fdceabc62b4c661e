//! What numerals and quoted strings stand for (reference manual §3.1).

use std::borrow::Cow;

use super::tree::{Number, Text};

/// Reads a numeral as Lua does: a whole number where it fits, else a real one.
pub(super) fn number(written: &str) -> Option<Number> {
    let lower = written.to_ascii_lowercase();
    if let Some(digits) = lower.strip_prefix("0x") {
        return hexadecimal(digits);
    }
    if lower.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(whole) = lower.parse()
    {
        return Some(Number::Whole(whole));
    }
    // Rust reads `inf` and `nan` too.
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | '+' | '-');
    let real = lower.chars().all(plain).then(|| lower.parse().ok())?;
    real.map(Number::Real)
}

fn hexadecimal(digits: &str) -> Option<Number> {
    let (mantissa, exponent) = match digits.split_once('p') {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.parse::<i32>().ok()?)),
        None => (digits, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let all = whole.chars().chain(fraction.unwrap_or_default().chars());
    let values = all.map(|c| c.to_digit(16)).collect::<Option<Vec<u32>>>()?;
    if values.is_empty() {
        return None;
    }
    if fraction.is_none() && exponent.is_none() {
        // Those that do not fit wrap around.
        let wrapped = values.iter().fold(0_i64, |n, d| n.wrapping_shl(4) | i64::from(*d));
        return Some(Number::Whole(wrapped));
    }
    let mantissa = values.iter().fold(0.0, |n, d| n * 16.0 + f64::from(*d));
    let shift = fraction.map_or(0, |fraction| i32::try_from(fraction.len() * 4).unwrap_or(0));
    let power = exponent.unwrap_or(0).saturating_sub(shift);
    Some(Number::Real(mantissa * 2_f64.powi(power)))
}

/// What a string in quotes or long brackets stands for.
///
/// # Errors
/// Where a backslash begins what is no escape, in bytes, and how long that is.
pub(super) fn text(written: &str) -> Result<Text<'_>, (usize, usize)> {
    if let Some(inner) = written.strip_prefix('[') {
        let edge = "[[".len() + inner.len() - inner.trim_start_matches('=').len();
        let content = written.get(edge..written.len().saturating_sub(edge)).unwrap_or_default();
        // The first line end does not count; it may be two characters.
        let content = ["\r\n", "\n\r", "\n", "\r"]
            .iter()
            .find_map(|line_end| content.strip_prefix(line_end))
            .unwrap_or(content);
        return Ok(Some(content.into()));
    }
    let inner = written.get(1..written.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains('\\') {
        return Ok(Some(inner.into()));
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        bytes.extend_from_slice(before.as_bytes());
        let start = 1 + inner.len() - escape.len();
        let length = unescape(escape, &mut bytes).map_err(|length| (start, length))?;
        rest = escape.get(length..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(String::from_utf8(bytes).ok().map(Cow::Owned))
}

/// Adds what the escape at the start of `rest` stands for; gives back its length, or the length of
/// what is no escape.
fn unescape(rest: &str, bytes: &mut Vec<u8>) -> Result<usize, usize> {
    let mut chars = rest.chars().skip(1);
    let Some(c) = chars.next() else { return Err(1) };
    let plain = match c {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0C,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0B,
        '\\' => b'\\',
        '"' => b'"',
        '\'' => b'\'',
        '\n' | '\r' => {
            bytes.push(b'\n');
            let second = chars.next().filter(|next| matches!(next, '\n' | '\r') && *next != c);
            return Ok(if second.is_some() { 3 } else { 2 });
        }
        'z' => {
            let blank = rest.get(2..).unwrap_or_default();
            let skipped = blank.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
            return Ok(2 + blank.len() - skipped.len());
        }
        'x' => {
            let digits = rest.get(2..4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
            bytes.push(digits.and_then(|d| u8::from_str_radix(d, 16).ok()).ok_or(2_usize)?);
            return Ok(4);
        }
        'u' => return unicode(rest, bytes),
        '0'..='9' => {
            let digits = rest.get(1..).unwrap_or_default();
            let length = digits.bytes().take(3).take_while(u8::is_ascii_digit).count();
            let value = digits.get(..length).and_then(|digits| digits.parse().ok());
            bytes.push(value.ok_or(1 + length)?);
            return Ok(1 + length);
        }
        _ => return Err(1 + c.len_utf8()),
    };
    bytes.push(plain);
    Ok(2)
}

/// `\u{XXX}`: up to 2^31, of which we know what Unicode knows.
fn unicode(rest: &str, bytes: &mut Vec<u8>) -> Result<usize, usize> {
    let digits = rest.strip_prefix("\\u{").and_then(|rest| rest.split_once('}')).ok_or(2_usize)?.0;
    let length = "\\u{}".len() + digits.len();
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let significant = digits.trim_start_matches('0');
    let value = if significant.is_empty() { Ok(0) } else { u32::from_str_radix(significant, 16) };
    let value = value.ok().filter(|value| plain && *value < 1 << 31).ok_or(length)?;
    match char::from_u32(value) {
        Some(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        // Makes the whole string one that we do not know.
        None => bytes.push(0xFF),
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numerals_are_read_as_lua_reads_them() {
        for (written, value) in [
            ("3", Some(Number::Whole(3))),
            ("0xff", Some(Number::Whole(255))),
            ("0xffffffffffffffff", Some(Number::Whole(-1))),
            ("9223372036854775807", Some(Number::Whole(i64::MAX))),
            ("9223372036854775808", Some(Number::Real(9_223_372_036_854_775_808.0))),
            ("3.", Some(Number::Real(3.0))),
            (".5e1", Some(Number::Real(5.0))),
            ("0x.8p1", Some(Number::Real(1.0))),
            ("3x", None),
            ("0x", None),
            ("1e", None),
            ("1..2", None),
        ] {
            assert_eq!(number(written), value, "{written}");
        }
    }

    #[test]
    fn escapes_become_what_they_stand_for() {
        for (written, value) in [
            (r#""plain""#, Ok(Some("plain"))),
            (r#"'a\"b\'c\\'"#, Ok(Some("a\"b'c\\"))),
            (r"'\65\x42\u{43}\z   D\n'", Ok(Some("ABCD\n"))),
            ("'a\\\r\nb'", Ok(Some("a\nb"))),
            ("[[\nx]]", Ok(Some("x"))),
            ("[==[a]]b]==]", Ok(Some("a]]b"))),
            (r"'\255'", Ok(None)),
            (r"'a\q'", Err((2, 2))),
            (r"'\300'", Err((1, 4))),
            (r"'\u{110000}'", Ok(None)),
            (r"'\u{80000000}'", Err((1, 12))),
            (r"'\xg0'", Err((1, 2))),
        ] {
            let read = text(written).map(|text| text.map(Cow::into_owned));
            assert_eq!(read, value.map(|text| text.map(str::to_owned)), "{written}");
        }
    }
}
