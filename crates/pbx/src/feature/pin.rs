//! PINs of mailboxes: hashed, compared in constant time, never shown.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::records::PinHash;

/// Fewest digits of a PIN its owner chooses.
pub(crate) const PIN_DIGITS_MIN: usize = 4;
/// Most digits of a PIN its owner chooses.
pub(crate) const PIN_DIGITS_MAX: usize = 10;

/// Hashes a PIN for keeping. `salt` must be fresh.
pub(crate) fn hash(salt: [u8; 16], mailbox: &str, pin: &str) -> PinHash {
    let mut sha = Sha256::new();
    sha.update(salt);
    sha.update(mailbox);
    // Keeps mailbox 1 with PIN 23 apart from mailbox 12 with PIN 3.
    sha.update([0]);
    sha.update(pin);
    PinHash { salt, hash: sha.finalize().into() }
}

/// Whether `typed` is the PIN: the one its owner set, or else the configured one.
///
/// Takes the same time however much of it is right. Nothing typed is never right.
pub(crate) fn is_right(
    mailbox: &str,
    typed: &str,
    kept: Option<&PinHash>,
    configured: &str,
) -> bool {
    // The configured PIN is hashed as well, so that its length shows in no timing.
    let right = kept.cloned().unwrap_or_else(|| hash([0; 16], mailbox, configured));
    let given = hash(right.salt, mailbox, typed);
    bool::from(given.hash.ct_eq(&right.hash)) && !typed.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configured_pin_counts_until_another_is_kept() {
        let kept = hash([7; 16], "101", "99887");
        assert!(is_right("101", "1234", None, "1234"));
        assert!(!is_right("101", "1234", Some(&kept), "1234"));
        assert!(is_right("101", "99887", Some(&kept), "1234"));
    }

    #[test]
    fn a_hash_is_good_for_one_mailbox_only() {
        let kept = hash([7; 16], "101", "99887");
        assert!(!is_right("102", "99887", Some(&kept), "1234"));
        assert_ne!(hash([7; 16], "1", "23"), hash([7; 16], "12", "3"));
    }

    #[test]
    fn nothing_typed_is_never_right() {
        assert!(!is_right("101", "", None, ""));
    }
}
