//! Secrets and seeds that nobody can guess.

/// A seed for the switch, from the system's generator.
pub(crate) fn seed() -> anyhow::Result<u64> {
    getrandom::u64().map_err(|error| anyhow::anyhow!("the system gives no random numbers: {error}"))
}

/// A password that is quick to type into a phone and cannot be guessed: 16 of 32 letters and digits
/// without look-alikes, 80 bits.
pub(crate) fn secret() -> anyhow::Result<String> {
    pick(b"abcdefghijkmnpqrstuvwxyz23456789", 16)
}

/// A mailbox PIN of four digits.
pub(crate) fn pin() -> anyhow::Result<String> {
    pick(b"0123456789", 4)
}

fn pick(letters: &[u8], count: usize) -> anyhow::Result<String> {
    let mut text = String::new();
    while text.len() < count {
        let number = seed()?;
        for byte in number.to_le_bytes() {
            // Bytes beyond the last whole multiple would favour the first letters.
            let even = 256 - 256 % letters.len();
            if usize::from(byte) < even
                && text.len() < count
                && let Some(letter) = letters.get(usize::from(byte) % letters.len())
            {
                text.push(char::from(*letter));
            }
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_have_their_length() {
        let (one, other) = (secret().unwrap(), secret().unwrap());
        assert_eq!((one.len(), other.len()), (16, 16));
        assert_ne!(one, other);
        assert!(pin().unwrap().chars().all(|c| c.is_ascii_digit()));
    }
}
