//! Secrets, written out or kept elsewhere.

use std::path::Path;

use toml::de::DeValue;

use super::section::{Found, text};

/// A secret as written, or from where `env:NAME` or `file:PATH` say it is; paths start at `folder`.
pub(super) fn read(value: &DeValue<'_>, folder: &Path) -> Result<String, Found> {
    read_up_to(SECRET_BYTES_MAX, value, folder)
}

/// The same, for secrets that no phone has to take, such as the tokens of web services.
pub(super) fn read_long(value: &DeValue<'_>, folder: &Path) -> Result<String, Found> {
    read_up_to(LONG_SECRET_BYTES_MAX, value, folder)
}

fn read_up_to(bytes_max: usize, value: &DeValue<'_>, folder: &Path) -> Result<String, Found> {
    let written = text(value)?;
    let secret = if let Some(name) = written.strip_prefix("env:") {
        std::env::var(name)
            .map_err(|_error| Found::new(format!("the environment has no usable {name}")))?
    } else if let Some(path) = written.strip_prefix("file:") {
        let path = folder.join(path);
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Found::new(format!("{} cannot be read: {error}", path.display())))?;
        text.trim_end_matches(['\r', '\n']).to_owned()
    } else {
        written
    };
    if secret.is_empty() {
        return Err(Found::with_help("empty", "what has no secret is open to everybody"));
    }
    if secret.len() > bytes_max || secret.chars().any(char::is_control) {
        return Err(Found::new(format!("not one line of up to {bytes_max} bytes")));
    }
    Ok(secret)
}

/// What other programs prove themselves with: whoever guesses it can have calls made, from anywhere, as
/// often as they like, so a short one is refused.
pub(super) fn token(value: &DeValue<'_>, folder: &Path) -> Result<String, Found> {
    let token = read(value, folder)?;
    if token.len() < TOKEN_BYTES_MIN {
        return Err(Found::with_help(
            format!("shorter than {TOKEN_BYTES_MIN} bytes"),
            "a program could guess it; `openssl rand -hex 16` makes a good one",
        ));
    }
    Ok(token)
}

/// A PIN: digits that can be typed on a phone.
pub(super) fn pin(value: &DeValue<'_>) -> Result<String, Found> {
    let pin = text(value)?;
    if pin.chars().all(|c| c.is_ascii_digit()) && (4..=12).contains(&pin.len()) {
        Ok(pin)
    } else {
        Err(Found::new("not 4 to 12 digits"))
    }
}

/// More than any phone takes.
const SECRET_BYTES_MAX: usize = 256;
/// 128 bits, as 16 random bytes have; as hexadecimal digits 64 bits, which is still beyond guessing.
const TOKEN_BYTES_MIN: usize = 16;
/// As long as the tokens that web services hand out.
const LONG_SECRET_BYTES_MAX: usize = 8_192;
